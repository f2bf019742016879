/* What this is: what records make of each other: retired, pinned, accepted, gone, lost, heads, and times that no signer
 *   can choose alone.
 * Rests on: log_impl.h.
 * Does not: find faults (log_graph.c). */
#include <inttypes.h>
#include <string.h>

#include "repo/log_impl.h"

#define DERIVED \
    (RSP_RECORD_RETIRED | RSP_RECORD_GONE | RSP_RECORD_LOST | RSP_RECORD_PINNED | RSP_RECORD_ACCEPTED | RSP_RECORD_HEAD)

static int unpinned(const struct log *log, const struct rsp_record *pin)
{
    for (size_t i = 0; i < log->pub.records_n; i++) {
        const struct rsp_record *r = log->pub.records[i];
        if (r->kind != RSP_REC_UNPIN || !(r->state & RSP_RECORD_LOADED)) continue;
        for (size_t k = 0; k < r->hashes_n; k++)
            if (!memcmp(r->hashes[k], pin->hash, HASH_BYTES)) return 1;
    }
    return 0;
}

static void retire(struct rsp_record *target, const struct rsp_record *by)
{
    if (target->kind != RSP_REC_COMMIT) return;
    if (!(target->state & RSP_RECORD_RETIRED) || by->stored_ms < target->retired_ms) target->retired_ms = by->stored_ms;
    target->state |= RSP_RECORD_RETIRED;
}

static void apply(struct log *log, const struct rsp_record *r)
{
    for (size_t k = 0; k < r->hashes_n; k++) {
        struct rsp_record *target = rsp_log_by_hash(&log->pub, r->hashes[k]);
        if (!target || memcmp(target->source, r->source, ID_BYTES)) continue;
        switch (r->kind) {
        case RSP_REC_RETIRE: retire(target, r); break;
        case RSP_REC_PIN:
            if (!unpinned(log, r)) target->state |= RSP_RECORD_PINNED;
            break;
        case RSP_REC_ACCEPT: target->state |= RSP_RECORD_ACCEPTED; break;
        case RSP_REC_GONE: target->state |= RSP_RECORD_GONE; break;
        case RSP_REC_LOST: target->state |= RSP_RECORD_LOST; break;
        default: break;
        }
    }
}

static void mark_heads(struct log *log)
{
    for (size_t i = 0; i < log->pub.records_n; i++)
        if ((log->pub.records[i]->state & RSP_RECORD_LOADED) && !(log->pub.records[i]->state & RSP_RECORD_LOST))
            log->pub.records[i]->state |= RSP_RECORD_HEAD;
    for (size_t i = 0; i < log->pub.records_n; i++) {
        const struct rsp_record *r = log->pub.records[i];
        if (!(r->state & RSP_RECORD_LOADED)) continue;
        for (size_t k = 0; k < r->parents_n; k++) {
            struct rsp_record *p = rsp_log_by_hash(&log->pub, r->parents[k].hash);
            if (p) p->state &= ~(uint32_t)RSP_RECORD_HEAD;
        }
    }
    for (size_t i = 0; i < log->links_n; i++) { /* nor does it become one again when its child goes */
        struct rsp_record *p = rsp_log_by_hash(&log->pub, log->links[i] + HASH_BYTES);
        if (p) p->state &= ~(uint32_t)RSP_RECORD_HEAD;
    }
}

static void later_of(void *opaque, const struct rsp_record *ancestor)
{
    int64_t *latest = opaque;
    if ((ancestor->state & RSP_RECORD_LOADED) && ancestor->floor_ms > *latest) *latest = ancestor->floor_ms;
}

int64_t record_arrival(const struct rsp_repo *repo, const struct rsp_record *r)
{
    const struct rsp_roles *roles = repo_roles_by_hash(repo, r->roles);
    const struct rsp_member *m = roles ? rsp_roles_find(roles, r->signer) : NULL;
    if (r->copied)
        return r->origin_ms > INT64_MAX ? r->stored_ms : (int64_t)r->origin_ms; /* by a keeper, or not valid */
    if (!r->origin_ms || r->origin_ms > INT64_MAX || !m || !rsp_member_may(m, RSP_ROLE_KEEP, NULL)) return r->stored_ms;
    return (int64_t)r->origin_ms;
}

/* Its signer's time, but no later than the store (or a copy's origin) saw it, and no earlier than its parents'. What a
 * keeper copied here has the origin's, whatever it was joined to here; what follows it is floored as if it were not there. */
static int set_times(struct log *log)
{
    for (size_t i = 0; i < log->pub.records_n; i++) { /* parents have lower numbers and stand before */
        struct rsp_record *r = log->pub.records[i];
        uint64_t signed_ms = r->copied ? r->origin_time_ms : r->time_ms;
        int64_t time = signed_ms > INT64_MAX ? INT64_MAX : (int64_t)signed_ms, floor = INT64_MIN;
        int64_t arrived = record_arrival(log->pub.repo, r);
        int rc = RSP_OK;
        if (time > arrived) time = arrived;
        if (log->pub.full && (r->state & RSP_RECORD_LOADED)) rc = log_nearest(log, r, later_of, &floor);
        if (rc) return rc;
        r->effective_ms = time > floor || r->copied ? time : floor;
        r->floor_ms = r->effective_ms > floor ? r->effective_ms : floor;
    }
    return RSP_OK;
}

int log_forks(struct log *log)
{
    for (size_t i = 0; i < log->pub.records_n;) {
        const uint8_t *source = log->pub.records[i]->source;
        char hex[2 * ID_BYTES + 1];
        size_t heads = 0;
        for (; i < log->pub.records_n && !memcmp(log->pub.records[i]->source, source, ID_BYTES); i++)
            heads += (log->pub.records[i]->state & RSP_RECORD_HEAD) != 0;
        if (heads < 2) continue;
        hex_text(hex, source, ID_BYTES);
        int rc = rsp_log_trouble(&log->pub, RSP_OK, "fork", hex, NULL,
                                 "%zu heads: several wrote at once; the next record joins them", heads);
        if (rc) return rc;
    }
    return RSP_OK;
}

int log_states(struct log *log)
{
    for (size_t i = 0; i < log->pub.records_n; i++) log->pub.records[i]->state &= ~(uint32_t)DERIVED;
    for (size_t i = 0; i < log->pub.records_n; i++)
        if (log->pub.records[i]->state & RSP_RECORD_LOADED) apply(log, log->pub.records[i]);
    if (!log->pub.full) return set_times(log);
    mark_heads(log);
    return set_times(log);
}

int rsp_record_living(const struct rsp_record *r)
{
    if (r->kind != RSP_REC_COMMIT || !(r->state & RSP_RECORD_LOADED)) return 0;
    if (r->state & (RSP_RECORD_GONE | RSP_RECORD_LOST)) return 0;
    return !(r->state & RSP_RECORD_RETIRED) || (r->state & RSP_RECORD_PINNED); /* a pin brings one back in time */
}
