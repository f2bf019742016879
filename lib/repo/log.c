/* What this is: loading the record log: list, fetch, judge, remember; the troubles met on the way.
 * Rests on: log_impl.h.
 * Does not: decide what follows from a trouble: whoever asked for the log does. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/log_impl.h"

/* A record that is listed and gone a moment later, or under roles that came just now: list again. */
#define TRIES 5

/* ---- sets of hashes ---- */

static int hash_order(const void *a, const void *b)
{
    return memcmp(a, b, HASH_BYTES);
}

int hash_set_add(const struct rsp_env *env, struct hash_set *set, const uint8_t hash[HASH_BYTES])
{
    if (set->n == set->cap) {
        size_t cap = set->cap ? set->cap * 2 : 16;
        void *p = mem_resize(env, set->p, set->cap * HASH_BYTES, cap * HASH_BYTES);
        if (!p) return RSP_ENOMEM;
        set->p = p;
        set->cap = cap;
    }
    memcpy(set->p[set->n++], hash, HASH_BYTES);
    return RSP_OK;
}

void hash_set_sort(struct hash_set *set)
{
    if (set->n) qsort(set->p, set->n, HASH_BYTES, hash_order);
}

int hash_set_has(const struct hash_set *set, const uint8_t hash[HASH_BYTES])
{
    return set->n && bsearch(hash, set->p, set->n, HASH_BYTES, hash_order) != NULL;
}

void hash_set_free(const struct rsp_env *env, struct hash_set *set)
{
    mem_free(env, set->p, set->cap * HASH_BYTES);
    memset(set, 0, sizeof *set);
}

/* ---- troubles ---- */

static int trouble_add(const struct rsp_env *env, struct rsp_trouble **list, size_t *n, size_t *cap,
                       const struct rsp_trouble *t)
{
    struct rsp_trouble copy = *t;
    if (*n == *cap) {
        size_t more = *cap ? *cap * 2 : 8;
        void *p = mem_resize(env, *list, *cap * sizeof **list, more * sizeof **list);
        if (!p) return RSP_ENOMEM;
        *list = p;
        *cap = more;
    }
    copy.name = mem_strdup(env, t->name ? t->name : "");
    copy.text = copy.name ? mem_strdup(env, t->text) : NULL;
    copy.way_out = copy.text && t->way_out ? mem_strdup(env, t->way_out) : NULL;
    if (!copy.text || (t->way_out && !copy.way_out)) {
        if (copy.name) mem_free(env, (void *)(uintptr_t)copy.name, strlen(copy.name) + 1);
        if (copy.text) mem_free(env, (void *)(uintptr_t)copy.text, strlen(copy.text) + 1);
        return RSP_ENOMEM;
    }
    (*list)[(*n)++] = copy;
    return RSP_OK;
}

static void trouble_free(const struct rsp_env *env, struct rsp_trouble *t)
{
    const char *const text[] = {t->name, t->text, t->way_out};
    for (size_t i = 0; i < 3; i++)
        if (text[i]) mem_free(env, (void *)(uintptr_t)text[i], strlen(text[i]) + 1);
}

int rsp_log_trouble(struct rsp_log *log, int status, const char *kind, const char *name, const char *way_out,
                    const char *format, ...)
{
    struct rsp_trouble t = {.status = status, .kind = kind, .name = name, .way_out = way_out};
    char text[512];
    va_list ap;
    int rc;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    t.text = text;
    rc = trouble_add(&log->env, &log->troubles, &log->troubles_n, &log->troubles_cap, &t);
    if (!rc && status) log->faults++;
    return rc;
}

int repo_trouble(struct rsp_repo *repo, int status, const char *kind, const char *name, const char *way_out,
                 const char *format, ...)
{
    struct rsp_trouble t = {.status = status, .kind = kind, .name = name, .way_out = way_out};
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    t.text = text;
    return trouble_add(&repo->env, &repo->troubles, &repo->troubles_n, &repo->troubles_cap, &t);
}

void repo_troubles_free(struct rsp_repo *repo)
{
    for (size_t i = 0; i < repo->troubles_n; i++) trouble_free(&repo->env, &repo->troubles[i]);
    mem_free(&repo->env, repo->troubles, repo->troubles_cap * sizeof *repo->troubles);
    repo->troubles = NULL;
    repo->troubles_n = repo->troubles_cap = 0;
}

static int take_over(struct log *log)
{
    const struct rsp_repo *repo = log->pub.repo;
    for (size_t i = 0; i < repo->troubles_n; i++) {
        const struct rsp_trouble *t = &repo->troubles[i];
        int rc = rsp_log_trouble(&log->pub, t->status, t->kind, t->name, t->way_out, "%s", t->text);
        if (rc) return rc;
    }
    return RSP_OK;
}

/* ---- fetching ---- */

struct dated {
    const struct rsp_record *r;
    size_t at;
};

static int newest_first(const void *a, const void *b)
{
    const struct rsp_record *x = ((const struct dated *)a)->r, *y = ((const struct dated *)b)->r;
    if (x->time_ms != y->time_ms) return x->time_ms < y->time_ms ? 1 : -1;
    if (x->seq != y->seq) return x->seq < y->seq ? 1 : -1;
    return memcmp(x->hash, y->hash, HASH_BYTES);
}

/* The newest commits by their own clock: what list shows. */
static int want_rows(const struct log *log, uint8_t *want)
{
    size_t n = log->pub.records_n, commits = 0;
    struct dated *order = mem_alloc(&log->pub.env, n * sizeof *order);
    if (!order) return RSP_ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (log->pub.records[i]->kind == RSP_REC_COMMIT)
            order[commits].r = log->pub.records[i], order[commits++].at = i;
    if (commits) qsort(order, commits, sizeof *order, newest_first);
    for (size_t i = 0; i < commits && i < log->rows; i++) want[order[i].at] = 1;
    mem_free(&log->pub.env, order, n * sizeof *order);
    return RSP_OK;
}

static int changes(const struct rsp_record *r)
{
    return r->kind == RSP_REC_RETIRE || r->kind == RSP_REC_PIN || r->kind == RSP_REC_UNPIN || r->kind == RSP_REC_GONE ||
           r->kind == RSP_REC_LOST;
}

/* And what can change one of them: it was published later, so that it has a greater number in the same source. */
static void want_changes(const struct log *log, uint8_t *want)
{
    size_t n = log->pub.records_n;
    for (size_t from = 0, to; from < n; from = to) {
        uint64_t lowest = UINT64_MAX;
        for (to = from; to < n; to++) {
            const struct rsp_record *r = log->pub.records[to];
            if (memcmp(r->source, log->pub.records[from]->source, ID_BYTES)) break;
            if (want[to] && r->seq < lowest) lowest = r->seq;
        }
        for (size_t i = from; i < to; i++) {
            const struct rsp_record *r = log->pub.records[i];
            if (changes(r) && r->seq > lowest) want[i] = 1;
        }
    }
}

static int fetch_wanted(struct log *log)
{
    size_t n = log->pub.records_n;
    uint8_t *want;
    int rc = RSP_OK;
    if (!n) return RSP_OK;
    want = mem_zero(&log->pub.env, n);
    if (!want) return RSP_ENOMEM;
    if (log->rows) rc = want_rows(log, want);
    else memset(want, 1, n);
    if (!rc && log->rows) want_changes(log, want);
    if (!rc) rc = log_fetch_wanted(log, want);
    mem_free(&log->pub.env, want, n);
    return rc;
}

/* ---- loading ---- */

static void records_free(struct log *log)
{
    struct rsp_env *env = &log->pub.env;
    if (log->judged) mem_free(env, log->judged, log->pub.records_n * sizeof *log->judged);
    log->judged = NULL;
    for (size_t i = 0; i < log->pub.records_n; i++) record_free(env, log->pub.records[i]);
    mem_free(env, log->pub.records, log->cap * sizeof *log->pub.records);
    if (log->by_hash) mem_free(env, log->by_hash, log->cap * sizeof *log->by_hash);
    log->pub.records = log->by_hash = NULL;
    log->pub.records_n = log->by_hash_n = log->cap = 0;
    for (size_t i = 0; i < log->pub.troubles_n; i++) trouble_free(env, &log->pub.troubles[i]);
    mem_free(env, log->pub.troubles, log->pub.troubles_cap * sizeof *log->pub.troubles);
    log->pub.troubles = NULL;
    log->pub.troubles_n = log->pub.troubles_cap = 0;
    log->pub.faults = 0;
    hash_set_free(env, &log->explained);
    mem_free(env, log->links, log->links_cap * sizeof *log->links);
    log->links = NULL;
    log->links_n = log->links_cap = 0;
    mem_free(env, log->reached, log->reached_n);
    log->reached = NULL;
    log->reached_from = NULL;
}

void rsp_log_free(struct rsp_log *pub)
{
    struct log *log = log_of(pub);
    struct rsp_env env;
    if (!log) return;
    env = log->pub.env;
    records_free(log);
    mem_free(&env, log, sizeof *log);
}

/* A signer that lost its right is judged by ancestry, which names alone do not tell. */
static int needs_all(const struct log *log)
{
    for (size_t i = 0; log->rows && i < log->pub.records_n; i++)
        if (log->judged[i].removed_n) return 1;
    return 0;
}

static int looks_back(const struct log *log)
{
    for (size_t i = 0; i < log->pub.troubles_n; i++)
        if (!strcmp(log->pub.troubles[i].kind, "rollback")) return 1;
    return 0;
}

static int load_once(struct log *log)
{
    int rc = take_over(log);
    if (!rc) rc = log_names(log);
    if (!rc) rc = log_index(log);
    if (rc) return rc;
    if (log->pub.records_n) {
        log->judged = mem_zero(&log->pub.env, log->pub.records_n * sizeof *log->judged);
        if (!log->judged) return RSP_ENOMEM;
    }
    if (log->rows && log->by_hash_n != log->pub.records_n) { /* two files of one hash: their bytes tell which it is */
        log->rows = 0;
        log->pub.full = 1;
    }
    rc = fetch_wanted(log);
    if (!rc && needs_all(log)) {
        log->rows = 0;
        log->pub.full = 1;
        rc = fetch_wanted(log);
    }
    if (rc) return rc;
    log_sort(log); /* of several files of one hash, those fetched tell which is the record */
    rc = log_graph(log);
    if (!rc) rc = log_seen_check(log);
    /* What explains a head that is not there may be among what was not fetched. */
    if (!rc && log->rows && log->pub.faults && looks_back(log)) rc = RSP_AGAIN;
    return rc;
}

int rsp_log_load(struct rsp_repo *repo, const struct rsp_log_options *options, struct rsp_log **ret)
{
    struct rsp_log_options o;
    struct log *log;
    int rc = RSP_OK;
    *ret = NULL;
    memset(&o, 0, sizeof o);
    if (options) memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    log = mem_zero(&repo->env, sizeof *log);
    if (!log) return RSP_ENOMEM;
    log->pub.env = repo->env;
    log->pub.repo = repo;
    log->refs = o.refs;
    if (o.source) {
        log->one_source = 1;
        memcpy(log->source, o.source, ID_BYTES);
    }
    for (int i = 0; i < TRIES; i++) {
        int grown = 0;
        records_free(log);
        log->rows = o.rows;
        log->pub.full = !o.rows;
        log->new_roles = 0;
        log->foreign = 0;
        log->last_try = i + 1 == TRIES;
        rc = load_once(log);
        if (rc == RSP_AGAIN) {
            o.rows = 0;
            i--;
            continue;
        }
        if (!rc && log->new_roles && !log->last_try) rc = repo_refresh_roles(repo, &grown);
        if (rc != RSP_ENOTFOUND && !grown) break;
        if (rc && i + 1 < TRIES && repo->env.error) rsp_error_clear(repo->env.error);
    }
    if (!rc && log->pub.full && !log->pub.faults) rc = log_seen_save(log);
    if (rc) {
        rsp_log_free(&log->pub);
        return trail(&repo->env, rc, "reading the record log");
    }
    if (log->judged) mem_free(&log->pub.env, log->judged, log->pub.records_n * sizeof *log->judged);
    log->judged = NULL;
    *ret = &log->pub;
    return RSP_OK;
}

static int fetch_one(struct log *log, struct rsp_record *record)
{
    struct judged j = {0};
    int rc;
    if (record->state & (RSP_RECORD_LOADED | RSP_RECORD_BROKEN)) return RSP_OK;
    rc = log_fetch_record(log, record, &j);
    if (!rc && !j.status && (record->state & RSP_RECORD_LOADED) && !log_receipt_fits(&log->pub, record)) {
        record->state = (record->state & ~(uint32_t)RSP_RECORD_LOADED) | RSP_RECORD_BROKEN;
        return rsp_log_trouble(&log->pub, RSP_EINTEGRITY, "record", record->name,
                               "give it up for ever: backupd "
                               "expire --acknowledge NAME",
                               "it carries a receipt about another snapshot");
    }
    if (rc || !j.status) return rc;
    return rsp_log_trouble(&log->pub, j.status, j.kind, record->name, j.way_out, "%s", j.words);
}

int rsp_log_fetch(struct rsp_log *pub, struct rsp_record *record)
{
    struct log *log = log_of(pub);
    int rc;
    if (record->state & (RSP_RECORD_LOADED | RSP_RECORD_BROKEN)) return RSP_OK;
    rc = fetch_one(log, record);
    for (size_t i = 0; i < pub->records_n && !rc && record->kind == RSP_REC_COMMIT; i++) {
        struct rsp_record *r = pub->records[i]; /* what has become of it since */
        if (changes(r) && r->seq > record->seq && !memcmp(r->source, record->source, ID_BYTES)) rc = fetch_one(log, r);
    }
    if (!rc) rc = log_collect(log);
    return rc ? rc : log_states(log);
}
