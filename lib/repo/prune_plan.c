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

static int plan_commit(struct prune *p, struct rsp_record *r)
{
    int64_t since_ms = 0;
    int due;
    if (r->state & RSP_RECORD_GONE) return record_list_add(p, &p->commits, r);
    if (r->state & RSP_RECORD_LOST) {
        due = !(r->state & RSP_RECORD_PINNED) && named_since(p->log, r, RSP_REC_LOST, &since_ms) &&
              prune_older(p, since_ms, p->o.quarantine_ms);
    } else if ((r->state & RSP_RECORD_RETIRED) && !(r->state & RSP_RECORD_PINNED)) {
        due = prune_older(p, r->retired_ms, p->o.quarantine_ms);
    } else {
        return record_list_add(p, &p->staying, r);
    }
    if (due) return record_list_add(p, &p->commits, r);
    p->report.waiting++;
    return record_list_add(p, &p->staying, r);
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
    if (r->state & RSP_RECORD_GONE) return 1; /* a run that died */
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
    if (!rc) rc = add_going(p, &p->commits, 0);
    for (int unpins = 0; unpins < 2 && !rc; unpins++) { /* an unpin goes with its pins, so after them */
        size_t from = p->others.n;
        for (size_t i = 0; i < log->records_n && !rc; i++)
            if (goes_along(p, log->records[i], unpins)) rc = record_list_add(p, &p->others, log->records[i]);
        if (!rc) rc = add_going(p, &p->others, from);
    }
    return rc;
}
