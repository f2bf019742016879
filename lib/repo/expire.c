/* What this is: retention applied to a log: retire records by policy and by hand.
 * Rests on: retention.h, keep.h.
 * Does not: delete anything (prune.c, a quarantine later). */
#include <string.h>

#include "repo/keep.h"
#include "repo/log_impl.h"
#include "repo/retention.h"

#define BATCH 32768 /* hashes of one record: 1 MiB */
enum { REASON_POLICY = 1, REASON_BY_HAND = 2 };

/* ---- one source's part of the log ---- */

struct branch {
    struct rsp_log *log;
    size_t from, n;             /* records of the source */
    struct rsp_record **commit; /* those that are there, ancestors first */
    struct retain_item *items;  /* beside commit; index: position in the source's records */
    size_t commits;
    size_t *edge, *edges; /* edges[edge[i]..edge[i + 1]): the nearest ancestors of record i that are there */
    size_t edges_n, edges_cap;
    size_t ancestor; /* whose descendants mark tells */
    uint8_t *mark;
    int rc;
};

static void branch_free(struct branch *b)
{
    const struct rsp_env *env = &b->log->env;
    mem_free(env, b->commit, b->n * sizeof *b->commit);
    mem_free(env, b->items, b->n * sizeof *b->items);
    mem_free(env, b->edge, (b->n + 1) * sizeof *b->edge);
    mem_free(env, b->edges, b->edges_cap * sizeof *b->edges);
    mem_free(env, b->mark, b->n);
}

static void add_edge(void *opaque, const struct rsp_record *ancestor)
{
    struct branch *b = opaque;
    size_t at = log_position(log_of(b->log), ancestor);
    if (b->rc || at < b->from || at - b->from >= b->n) return;
    if (b->edges_n == b->edges_cap) {
        size_t cap = b->edges_cap ? b->edges_cap * 2 : 64;
        void *p = mem_resize(&b->log->env, b->edges, b->edges_cap * sizeof *b->edges, cap * sizeof *b->edges);
        if (!p) {
            b->rc = RSP_ENOMEM;
            return;
        }
        b->edges = p;
        b->edges_cap = cap;
    }
    b->edges[b->edges_n++] = at - b->from;
}

static void add_commit(struct branch *b, struct rsp_record *r, size_t index)
{
    struct retain_item *it = &b->items[b->commits];
    const uint32_t bad = RSP_COMMIT_DAMAGED | RSP_COMMIT_PARTIAL;
    if (r->kind != RSP_REC_COMMIT || !(r->state & RSP_RECORD_LOADED)) return;
    if (r->state & (RSP_RECORD_GONE | RSP_RECORD_LOST)) return;
    memset(it, 0, sizeof *it);
    it->effective_ms = r->effective_ms;
    it->stored_ms = r->stored_ms;
    it->arrival_ms = record_arrival(b->log->repo, r);
    it->plain = r->plain;
    it->keys = r->keys;
    it->living = rsp_record_living(r);
    it->pinned = (r->state & RSP_RECORD_PINNED) != 0;
    it->accepted = (r->state & RSP_RECORD_ACCEPTED) != 0;
    it->good = (r->flags & RSP_COMMIT_GOOD) && !(r->flags & bad);
    it->index = index;
    b->commit[b->commits++] = r;
}

/* Records [from, from + n) of one source. */
static int branch_fill(struct branch *b)
{
    const struct rsp_env *env = &b->log->env;
    b->commit = mem_alloc(env, b->n * sizeof *b->commit);
    b->items = mem_alloc(env, b->n * sizeof *b->items);
    b->edge = mem_alloc(env, (b->n + 1) * sizeof *b->edge);
    b->mark = mem_zero(env, b->n);
    b->ancestor = RETAIN_NONE;
    if (!b->commit || !b->items || !b->edge || !b->mark) return RSP_ENOMEM;
    for (size_t i = 0; i < b->n; i++) {
        struct rsp_record *r = b->log->records[b->from + i];
        int rc = RSP_OK;
        b->edge[i] = b->edges_n;
        if (r->state & RSP_RECORD_LOADED) rc = log_nearest(log_of(b->log), r, add_edge, b);
        if (rc || b->rc) return rc ? rc : b->rc;
        add_commit(b, r, i);
    }
    b->edge[b->n] = b->edges_n;
    return RSP_OK;
}

/* Ancestors have lower numbers and stand before: one sweep marks all descendants of one record. */
static int descends(void *opaque, size_t index, size_t ancestor)
{
    struct branch *b = opaque;
    if (b->ancestor == ancestor) return b->mark[index];
    memset(b->mark, 0, b->n);
    b->mark[ancestor] = 1;
    for (size_t i = ancestor + 1; i < b->n; i++)
        for (size_t k = b->edge[i]; k < b->edge[i + 1] && !b->mark[i]; k++) b->mark[i] = b->mark[b->edges[k]];
    b->ancestor = ancestor;
    return b->mark[index];
}

static size_t source_end(const struct rsp_log *log, size_t from)
{
    size_t end = from;
    while (end < log->records_n && !memcmp(log->records[end]->source, log->records[from]->source, ID_BYTES)) end++;
    return end;
}

/* ---- retire records ---- */

/* hashes of one source. */
static int publish_retire(struct rsp_log *log, const uint8_t source[ID_BYTES], uint8_t (*hashes)[HASH_BYTES], size_t n,
                          uint8_t reason)
{
    for (size_t at = 0; at < n; at += BATCH) {
        struct rsp_record draft;
        int rc;
        memset(&draft, 0, sizeof draft);
        draft.kind = RSP_REC_RETIRE;
        draft.detail = reason;
        memcpy(draft.source, source, ID_BYTES);
        draft.hashes = hashes + at;
        draft.hashes_n = n - at < BATCH ? n - at : BATCH;
        rc = rsp_record_publish(log, &draft, NULL, 0, NULL);
        if (rc) return rc;
    }
    return RSP_OK;
}

/* Rows are by source: a retire record for each. */
static int publish_rows(struct rsp_log *log, const struct rsp_expire_row *rows, size_t n, uint8_t reason)
{
    const struct rsp_env *env = &log->env;
    size_t room = n;
    uint8_t(*hashes)[HASH_BYTES];
    int rc = RSP_OK;
    if (!n) return RSP_OK;
    hashes = mem_alloc(env, room * HASH_BYTES);
    if (!hashes) return RSP_ENOMEM;
    for (size_t i = 0; i < n && !rc;) {
        const uint8_t *source = rows[i].record->source;
        size_t count = 0;
        for (; i < n && !memcmp(rows[i].record->source, source, ID_BYTES); i++)
            if (!rows[i].keep) memcpy(hashes[count++], rows[i].record->hash, HASH_BYTES);
        if (count) rc = publish_retire(log, source, hashes, count, reason);
    }
    mem_free(env, hashes, room * HASH_BYTES);
    return rc;
}

/* ---- expire ---- */

static int judge_source(struct rsp_log *log, const struct rsp_retention *policy, int64_t now_ms, size_t from,
                        size_t end, struct rsp_expire_report *report)
{
    struct branch b = {.log = log, .from = from, .n = end - from};
    uint32_t *keep = NULL;
    int flood = 0, rc = branch_fill(&b);
    if (!rc && b.commits) {
        keep = mem_alloc(&log->env, b.n * sizeof *keep);
        rc = keep ? retain(&log->env, policy, now_ms, b.items, b.commits, descends, &b, keep, &flood) : RSP_ENOMEM;
    }
    for (size_t i = 0; i < b.commits && !rc; i++) {
        if (!b.items[i].living || !report->rows) continue;
        report->rows[report->rows_n].record = b.commit[i];
        report->rows[report->rows_n++].keep = keep[i];
        report->retired += !keep[i];
    }
    report->flood |= flood;
    mem_free(&log->env, keep, b.n * sizeof *keep);
    branch_free(&b);
    return rc;
}

static int asked_for(const struct rsp_retention *p, const struct rsp_record *r)
{
    return !p->source || !memcmp(p->source, r->source, ID_BYTES);
}

static size_t count_living(const struct rsp_log *log, const struct rsp_retention *p)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++)
        n += asked_for(p, log->records[i]) && rsp_record_living(log->records[i]) != 0;
    return n;
}

static int check_policy(struct rsp_log *log, const struct rsp_retention *p)
{
    if (p->last || p->hourly || p->daily || p->weekly || p->monthly || p->yearly || p->within_ms > 0) return RSP_OK;
    return fail(&log->env, RSP_EINVAL, NULL,
                "no rule of retention is set, so nothing would be kept; give one: keep-daily");
}

int rsp_expire(struct rsp_log *log, const struct rsp_retention *policy, int dry_run, struct rsp_expire_report *report)
{
    struct rsp_expire_report r = {.size = report->size};
    struct rsp_retention p;
    size_t living;
    int64_t now_ms = 0;
    int rc;
    memset(&p, 0, sizeof p);
    memcpy(&p, policy, policy->size < sizeof p ? policy->size : sizeof p);
    memcpy(report, &r, r.size < sizeof r ? r.size : sizeof r);
    rc = check_policy(log, &p);
    if (!rc) rc = keep_sound(log, "expire");
    if (!rc && !dry_run) rc = keep_right(log, "expire");
    if (!rc) rc = keep_now(log, dry_run ? p.as_of_ms : 0, &now_ms);
    if (rc) return rc;
    living = count_living(log, &p);
    if (living) r.rows = mem_alloc(&log->env, living * sizeof *r.rows);
    if (living && !r.rows) return RSP_ENOMEM;
    for (size_t i = 0; i < log->records_n && !rc; i = source_end(log, i))
        if (asked_for(&p, log->records[i])) rc = judge_source(log, &p, now_ms, i, source_end(log, i), &r);
    if (!rc && !dry_run) rc = publish_rows(log, r.rows, r.rows_n, REASON_POLICY);
    if (rc) {
        mem_free(&log->env, r.rows, living * sizeof *r.rows);
        return trail(&log->env, rc, "applying the retention policy");
    }
    memcpy(report, &r, r.size < sizeof r ? r.size : sizeof r);
    return RSP_OK;
}

void rsp_expire_report_free(struct rsp_log *log, struct rsp_expire_report *report)
{
    mem_free(&log->env, report->rows, report->rows_n * sizeof *report->rows);
    report->rows = NULL;
    report->rows_n = 0;
}

/* ---- by hand ---- */

static int chosen(struct rsp_record *const *commits, size_t n, const struct rsp_record *r)
{
    for (size_t i = 0; i < n; i++)
        if (commits[i] == r) return 1;
    return 0;
}

static int check_chosen(struct rsp_log *log, const struct rsp_record *r)
{
    if (r->kind != RSP_REC_COMMIT || (r->state & (RSP_RECORD_GONE | RSP_RECORD_LOST)) ||
        !(r->state & RSP_RECORD_LOADED))
        return fail(&log->env, RSP_ENOTFOUND, r->name, "there is no such snapshot to retire");
    if (r->state & RSP_RECORD_PINNED)
        return fail(&log->env, RSP_EDENIED, r->name, "the snapshot is pinned; unpin it first");
    return RSP_OK;
}

/* The chosen ones of one source into rows, but for those that are retired already. */
static int choose_source(struct rsp_log *log, struct rsp_record *const *commits, size_t n, size_t from, size_t end,
                         struct rsp_expire_row *rows, size_t *rows_n)
{
    struct branch b = {.log = log, .from = from, .n = end - from};
    size_t last = RETAIN_NONE;
    int rc = branch_fill(&b);
    if (!rc) rc = retain_last_good(&log->env, b.items, b.commits, &last);
    for (size_t i = 0; i < b.commits && !rc; i++) {
        if (!b.items[i].living || !chosen(commits, n, b.commit[i])) continue;
        if (i == last)
            rc = fail(&log->env, RSP_EDENIED, b.commit[i]->name,
                      "it is the last good snapshot of its source, which is never retired");
        rows[*rows_n].keep = 0;
        rows[(*rows_n)++].record = b.commit[i];
    }
    branch_free(&b);
    return rc;
}

int rsp_retire(struct rsp_log *log, struct rsp_record *const *commits, size_t n, int dry_run)
{
    size_t rows_n = 0, room = log->records_n;
    struct rsp_expire_row *rows = NULL;
    int rc = keep_sound(log, "retire");
    if (!rc && !dry_run) rc = keep_right(log, "retire");
    for (size_t i = 0; i < n && !rc; i++) rc = check_chosen(log, commits[i]);
    if (rc || !n || !room) return rc;
    rows = mem_alloc(&log->env, room * sizeof *rows);
    if (!rows) return RSP_ENOMEM;
    for (size_t i = 0; i < log->records_n && !rc; i = source_end(log, i))
        rc = choose_source(log, commits, n, i, source_end(log, i), rows, &rows_n);
    if (!rc && !dry_run) rc = publish_rows(log, rows, rows_n, REASON_BY_HAND);
    mem_free(&log->env, rows, room * sizeof *rows);
    return rc;
}
