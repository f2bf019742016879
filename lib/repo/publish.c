/* What this is: signing a record over the heads of its source, publishing it, and what the log is afterwards.
 * Rests on: log_impl.h.
 * Does not: judge whether the record is wise: expire, prune and the snapshot writer do. */
#include <stdlib.h>
#include <string.h>

#include "repo/log_impl.h"

#define PARENTS_MAX 16

/* ---- the draft made whole ---- */

static void *copy(const struct rsp_env *env, const void *p, size_t n)
{
    void *out = n ? mem_alloc(env, n) : NULL;
    if (out) memcpy(out, p, n);
    return out;
}

/* A record of the log's own with everything the kind needs. record_free frees what is copied here. */
static int take(const struct rsp_env *env, const struct rsp_record *draft, struct rsp_record *r)
{
    *r = *draft;
    r->bytes = NULL;
    r->bytes_n = 0;
    r->parents = NULL;
    r->parents_n = 0;
    r->state = 0;
    r->origin = (struct rsp_span){NULL, 0};
    r->went = copy(env, draft->went, draft->went_n * ID_BYTES);
    r->hashes = copy(env, draft->hashes, draft->hashes_n * HASH_BYTES);
    r->links = copy(env, draft->links, draft->links_n * 64);
    r->refs = draft->refs ? copy(env, draft->refs, draft->refs_n * sizeof *draft->refs) : NULL;
    r->text = draft->text ? mem_strdup(env, draft->text) : NULL;
    if ((draft->hashes_n && !r->hashes) || (draft->links_n && !r->links) ||
        (draft->refs && draft->refs_n && !r->refs) || (draft->text && !r->text) || (draft->went_n && !r->went))
        return RSP_ENOMEM;
    r->origin = draft->origin; /* borrowed until its bytes are copied into the record's own */
    return RSP_OK;
}

static int by_seq_down(const void *a, const void *b)
{
    const struct rsp_parent *x = a, *y = b;
    if (x->seq != y->seq) return x->seq < y->seq ? 1 : -1;
    return memcmp(x->hash, y->hash, HASH_BYTES);
}

static int by_parent_hash(const void *a, const void *b)
{
    return memcmp(((const struct rsp_parent *)a)->hash, ((const struct rsp_parent *)b)->hash, HASH_BYTES);
}

static int joins(const struct rsp_record *head, const struct rsp_record *r)
{
    return (head->state & RSP_RECORD_HEAD) && head->seq <= SEQ_JOINED && !memcmp(head->source, r->source, ID_BYTES);
}

/* All heads of the source, at most 16: with more, those with the greatest numbers; the next record joins the rest. */
static int set_parents(struct log *log, struct rsp_record *r)
{
    const struct rsp_env *env = &log->pub.env;
    struct rsp_parent *all;
    size_t n = 0, at = 0, keep;
    for (size_t i = 0; i < log->pub.records_n; i++) {
        n += (size_t)joins(log->pub.records[i], r);
    }
    r->seq = 1;
    if (!n) return RSP_OK;
    all = mem_zero(env, n * sizeof *all);
    if (!all) return RSP_ENOMEM;
    for (size_t i = 0; i < log->pub.records_n; i++) {
        const struct rsp_record *h = log->pub.records[i];
        if (!joins(h, r)) continue;
        all[at].seq = h->seq;
        memcpy(all[at++].hash, h->hash, HASH_BYTES);
    }
    qsort(all, n, sizeof *all, by_seq_down);
    r->seq = all[0].seq + 1;
    keep = n < PARENTS_MAX ? n : PARENTS_MAX;
    qsort(all, keep, sizeof *all, by_parent_hash);
    r->parents = copy(env, all, keep * sizeof *all);
    mem_free(env, all, n * sizeof *all);
    if (!r->parents) return RSP_ENOMEM;
    r->parents_n = keep;
    return RSP_OK;
}

/* ---- who signs ---- */

static const char *const right_names[] = {"read", "write", "keep", "prove"};

static int choose_signer(struct rsp_repo *repo, const struct rsp_record *r, const struct rsp_identity **signer)
{
    uint32_t flags = r->copied ? RSP_ROLE_KEEP : record_flag(r->kind);
    const char *first = NULL;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t flag = 1u << i;
        if (!(flags & flag)) continue;
        if (!first) first = right_names[i];
        *signer = rsp_repo_signer(repo, flag, flag == RSP_ROLE_WRITE ? r->source : NULL);
        if (*signer) return RSP_OK;
    }
    return fail(&repo->env, RSP_ERIGHT, rsp_store_url(repo->store),
                "no identity at hand has the right to \"%s\" that a %s record needs; give one with --identity", first,
                rsp_record_kind_text(r->kind));
}

/* ---- into the log ---- */

/* Room for one more, before anything is stored: what has been published must not fail for want of memory. */
static int make_room(struct log *log)
{
    struct rsp_log *pub = &log->pub;
    size_t cap = log->cap ? log->cap * 2 : 64;
    void *p;
    if (pub->records_n == log->cap) {
        if (log->by_hash) mem_free(&pub->env, log->by_hash, log->cap * sizeof *log->by_hash);
        log->by_hash = NULL;
        log->by_hash_n = 0;
        p = mem_resize(&pub->env, pub->records, log->cap * sizeof *pub->records, cap * sizeof *pub->records);
        if (p) {
            pub->records = p;
            log->cap = cap;
        }
    }
    if (!log->by_hash) { /* also when there is no room: the log stays one that can be asked */
        log->by_hash = mem_alloc(&pub->env, log->cap * sizeof *log->by_hash);
        if (!log->by_hash) return RSP_ENOMEM;
        log_sort(log);
    }
    return pub->records_n < log->cap ? RSP_OK : RSP_ENOMEM;
}

static void insert(struct log *log, struct rsp_record *r)
{
    struct rsp_log *pub = &log->pub;
    size_t at = 0;
    while (at < pub->records_n) {
        int order = memcmp(pub->records[at]->source, r->source, ID_BYTES);
        if (!order) order = strcmp(pub->records[at]->name, r->name);
        if (order > 0) break;
        at++;
    }
    memmove(pub->records + at + 1, pub->records + at, (pub->records_n - at) * sizeof *pub->records);
    pub->records[at] = r;
    pub->records_n++;
    log_sort(log);
}

/* Its own time: now; of a snapshot that was made anew the original's, which is not later. */
static uint64_t signed_time(const struct rsp_env *env, const struct rsp_record *r)
{
    uint64_t now = (uint64_t)env->now_ms(env->clock_opaque);
    return !r->copied && r->origin_ms && r->time_ms && r->time_ms < now ? r->time_ms : now;
}

static int publish(struct log *log, struct rsp_record *r, const char *const *tags, size_t tags_n)
{
    struct rsp_repo *repo = log->pub.repo;
    const struct rsp_roles *roles = rsp_repo_roles(repo);
    const struct rsp_identity *signer = NULL;
    struct rsp_store_item item;
    char path[NAME_MAX_BYTES];
    int rc = choose_signer(repo, r, &signer);
    if (rc) return rc;
    rc = set_parents(log, r);
    if (rc) return rc;
    r->time_ms = signed_time(&repo->env, r);
    memcpy(r->roles, roles->hash, HASH_BYTES);
    r->roles_n = roles->n;
    rc = record_encode(&repo->env, r, repo->id, signer, tags, tags_n);
    if (rc) return rc;
    name_record_path(path, r);
    rc = rsp_store_put(repo->store, path, r->bytes, r->bytes_n);
    if (rc) return trail(&repo->env, rc, "publishing a %s record", rsp_record_kind_text(r->kind));
    r->stored_ms = (int64_t)r->time_ms;
    r->stored_bytes = r->bytes_n;
    if (rsp_store_stat(repo->store, path, &item) == RSP_OK) r->stored_ms = item.mtime_ms;
    else if (repo->env.error) rsp_error_clear(repo->env.error); /* it is published; the time is only read again */
    r->state = RSP_RECORD_LOADED;
    return RSP_OK;
}

int rsp_record_publish(struct rsp_log *pub, struct rsp_record *draft, const char *const *tags, size_t tags_n,
                       struct rsp_record **ret)
{
    struct log *log = log_of(pub);
    struct rsp_record *r;
    int rc;
    if (ret) *ret = NULL;
    if (!pub->full || (log->one_source && memcmp(log->source, draft->source, ID_BYTES)))
        return fail(&pub->env, RSP_ESTATE, NULL, "a record is published over a whole log");
    r = record_new(&pub->env);
    if (!r) return RSP_ENOMEM;
    rc = take(&pub->env, draft, r);
    if (!rc) rc = make_room(log);
    if (!rc) rc = publish(log, r, tags, tags_n);
    if (rc) {
        record_free(&pub->env, r);
        return rc;
    }
    insert(log, r);
    if (ret) *ret = r;
    rc = log_collect(log);
    if (!rc) rc = log_states(log);
    if (!rc) rc = pub->faults ? log_seen_add(log, r) : log_seen_save(log);
    return rc;
}
