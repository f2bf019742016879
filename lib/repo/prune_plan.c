/* What this is: who goes: commits whose quarantine is over, and the records that mean nothing without them.
 * Rests on: prune_impl.h.
 * Does not: look into the store. */
#include <string.h>

#include "repo/prune_impl.h"

/* The first valid record of the kind that names r, by the store's clock: 1 when there is one. */
static int named_since(const struct rsp_log *log, const struct rsp_record *r, int kind, int64_t *since_ms)
{
    int found = 0;
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *by = log->records[i];
        if (by->kind != kind || !(by->state & RSP_RECORD_LOADED) || memcmp(by->source, r->source, ID_BYTES)) continue;
        for (size_t k = 0; k < by->hashes_n; k++) {
            if (memcmp(by->hashes[k], r->hash, HASH_BYTES)) continue;
            if (!found || by->stored_ms < *since_ms) *since_ms = by->stored_ms;
            found = 1;
        }
    }
    return found;
}

/* A gone record alone hurries nothing: a stolen keeper may have written it. */
static int due(const struct prune *p, const struct rsp_record *r)
{
    int64_t since_ms = 0;
    if (r->state & RSP_RECORD_PINNED) return 0;
    if ((r->state & RSP_RECORD_RETIRED) && prune_older(p, r->retired_ms, p->o.quarantine_ms)) return 1;
    for (int kind = RSP_REC_GONE; kind <= RSP_REC_LOST; kind++)
        if ((r->state & (kind == RSP_REC_GONE ? RSP_RECORD_GONE : RSP_RECORD_LOST)) &&
            named_since(p->log, r, kind, &since_ms) && prune_older(p, since_ms, p->o.quarantine_ms))
            return 1;
    return 0;
}

static int plan_commit(struct prune *p, struct rsp_record *r)
{
    const uint32_t leaving = RSP_RECORD_RETIRED | RSP_RECORD_GONE | RSP_RECORD_LOST;
    if (due(p, r)) return record_list_add(p, &p->commits, r);
    if ((r->state & leaving) && !(r->state & RSP_RECORD_PINNED)) p->report.waiting++;
    return record_list_add(p, &p->staying, r);
}

/* ---- the last good one ---- */

static int is_good(const struct rsp_record *r)
{
    return (r->state & RSP_RECORD_LOADED) && !(r->state & RSP_RECORD_LOST) && (r->flags & RSP_COMMIT_GOOD) &&
           !(r->flags & (RSP_COMMIT_DAMAGED | RSP_COMMIT_PARTIAL));
}

static int better(const struct rsp_record *a, const struct rsp_record *b)
{
    int gone = (a->state & RSP_RECORD_GONE) != 0;
    if (!b) return 1;
    if (gone != ((b->state & RSP_RECORD_GONE) != 0)) return !gone; /* a run that died may have begun with it */
    return a->effective_ms >= b->effective_ms;
}

/* expire never retires the last good snapshot of a source; but two keepers at once may, or a stolen one. It stays until
 * there is another. */
static int spare_last_good(struct prune *p)
{
    for (size_t i = 0; i < p->commits.n; i++) {
        const uint8_t *source = p->commits.p[i]->source;
        struct rsp_record *best = NULL;
        size_t at = 0;
        int left = 0, rc;
        for (size_t k = 0; k < p->staying.n && !left; k++) {
            const struct rsp_record *r = p->staying.p[k];
            left = !memcmp(r->source, source, ID_BYTES) && is_good(r) && rsp_record_living(r);
        }
        for (size_t k = 0; k < p->commits.n && !left; k++) {
            struct rsp_record *r = p->commits.p[k];
            if (!memcmp(r->source, source, ID_BYTES) && is_good(r) && better(r, best)) best = r, at = k;
        }
        while (i + 1 < p->commits.n && !memcmp(p->commits.p[i + 1]->source, source, ID_BYTES)) i++;
        if (!best) continue;
        rc = record_list_add(p, &p->staying, best);
        if (rc) return rc;
        memmove(p->commits.p + at, p->commits.p + at + 1, (--p->commits.n - at) * sizeof *p->commits.p);
        i--; /* the list is one shorter; wraps to the first when it was the only one */
        p->report.waiting++;
    }
    return RSP_OK;
}

/* 1 when nothing of what r names is there any longer, once those that go have gone. */
static int names_only_gone(const struct prune *p, const struct rsp_record *r)
{
    for (size_t k = 0; k < r->hashes_n; k++)
        if (rsp_log_by_hash(p->log, r->hashes[k]) && !hash_set_has(&p->going, r->hashes[k])) return 0;
    return r->hashes_n > 0;
}

static int goes_along(const struct prune *p, const struct rsp_record *r, int unpins)
{
    if (r->kind == RSP_REC_COMMIT || (unpins != (r->kind == RSP_REC_UNPIN))) return 0;
    if (r->kind == RSP_REC_GONE && (r->state & RSP_RECORD_GONE)) return 1; /* merged, by a run that died */
    if (!(r->state & RSP_RECORD_LOADED)) return 0;
    switch (r->kind) {
    case RSP_REC_RETIRE:
    case RSP_REC_PIN:
    case RSP_REC_UNPIN:
    case RSP_REC_RECEIPT:
    case RSP_REC_NOTE: return names_only_gone(p, r);
    default: return 0;
    }
}

static int add_going(struct prune *p, const struct record_list *list, size_t from)
{
    for (size_t i = from; i < list->n; i++)
        if (hash_set_add(&p->log->env, &p->going, list->p[i]->hash)) return RSP_ENOMEM;
    hash_set_sort(&p->going);
    return RSP_OK;
}

int prune_plan(struct prune *p)
{
    const struct rsp_log *log = p->log;
    int rc = RSP_OK;
    for (size_t i = 0; i < log->records_n && !rc; i++)
        if (log->records[i]->kind == RSP_REC_COMMIT) rc = plan_commit(p, log->records[i]);
    if (!rc) rc = spare_last_good(p);
    if (!rc) rc = add_going(p, &p->commits, 0);
    for (int unpins = 0; unpins < 2 && !rc; unpins++) { /* an unpin goes with its pins, so after them */
        size_t from = p->others.n;
        for (size_t i = 0; i < log->records_n && !rc; i++)
            if (goes_along(p, log->records[i], unpins)) rc = record_list_add(p, &p->others, log->records[i]);
        if (!rc) rc = add_going(p, &p->others, from);
    }
    return rc;
}
