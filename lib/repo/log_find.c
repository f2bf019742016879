/* What this is: finding a snapshot by what a user types: "latest", or the beginning of an id or a hash.
 * Rests on: log_impl.h.
 * Does not: guess: an ambiguous beginning is refused. */
#include <string.h>

#include "repo/log_impl.h"

#define PREFIX_MIN 4

static int begins(const uint8_t *p, size_t n, const char *prefix, size_t prefix_n)
{
    char hex[2 * HASH_BYTES + 1];
    hex_text(hex, p, n);
    return prefix_n <= 2 * n && !strncmp(hex, prefix, prefix_n);
}

static int of_source(const struct rsp_record *r, const uint8_t *source)
{
    return r->kind == RSP_REC_COMMIT && (!source || !memcmp(r->source, source, ID_BYTES));
}

static uint64_t signed_ms(const struct rsp_record *r)
{
    return r->copied ? r->origin_time_ms : r->time_ms;
}

/* The effective time is no signer's alone to choose; a copy's number only says when it was copied. A store that
 * counts seconds gives two snapshots one time: then what their signers said decides. */
int record_older_first(const struct rsp_record *a, const struct rsp_record *b)
{
    int one_source = !memcmp(a->source, b->source, ID_BYTES), copies = a->copied || b->copied;
    if (one_source && !copies && a->seq != b->seq) return a->seq < b->seq ? -1 : 1;
    if (a->effective_ms != b->effective_ms) return a->effective_ms < b->effective_ms ? -1 : 1;
    if (signed_ms(a) != signed_ms(b)) return signed_ms(a) < signed_ms(b) ? -1 : 1;
    if (one_source && a->seq != b->seq) return a->seq < b->seq ? -1 : 1;
    return memcmp(a->hash, b->hash, HASH_BYTES);
}

static int find_latest(struct rsp_log *log, const uint8_t *source, struct rsp_record **ret)
{
    struct rsp_record *best = NULL;
    for (size_t i = log->records_n; i-- > 0;) {
        struct rsp_record *r = log->records[i];
        if (!of_source(r, source) || (best && record_older_first(r, best) < 0)) continue;
        int rc = rsp_log_fetch(log, r);
        if (rc) return rc;
        if (rsp_record_living(r)) best = r;
    }
    *ret = best;
    if (best) return RSP_OK;
    return fail(&log->env, RSP_ENOTFOUND, "latest", "there is no snapshot%s", source ? " of that source" : "");
}

static int same_origin(const struct rsp_record *a, const struct rsp_record *b)
{
    const uint8_t *x = a->copied ? a->origin_hash : a->hash, *y = b->copied ? b->origin_hash : b->hash;
    return (a->copied || b->copied) && !memcmp(x, y, HASH_BYTES);
}

static int match(struct rsp_log *log, const char *id, const uint8_t *source, int by_hash, struct rsp_record **ret)
{
    size_t n = strlen(id);
    for (size_t i = 0; i < log->records_n; i++) {
        struct rsp_record *r = log->records[i];
        if (!of_source(r, source)) continue;
        if (by_hash && !begins(r->hash, HASH_BYTES, id, n)) continue;
        int rc = rsp_log_fetch(log, r);
        if (rc) return rc;
        if (!(r->state & RSP_RECORD_LOADED)) continue;
        if (!by_hash && !begins(r->snapshot, ID_BYTES, id, n)) continue;
        if (*ret && same_origin(*ret, r)) { /* two copied it at once */
            if (!rsp_record_living(*ret)) *ret = r;
            continue;
        }
        if (*ret && *ret != r) {
            int twin = !memcmp((*ret)->snapshot, r->snapshot, ID_BYTES);
            return fail(&log->env, RSP_EINVAL, id, "%s",
                        twin ? "two commits claim this id, and only one can be honest (see who signed them); give the "
                               "64 digits of the right one's hash"
                             : "several snapshots begin so; give more digits, or the 64 of the commit's hash");
        }
        *ret = r;
    }
    return RSP_OK;
}

int rsp_log_find(struct rsp_log *log, const char *id, const uint8_t *source, struct rsp_record **ret)
{
    size_t n = strlen(id);
    int rc;
    *ret = NULL;
    if (!strcmp(id, "latest")) return find_latest(log, source, ret);
    if (n < PREFIX_MIN || n > 2 * HASH_BYTES || strspn(id, "0123456789abcdef") != n)
        return fail(&log->env, RSP_EINVAL, id, "a snapshot is \"latest\" or at least %d hexadecimal digits of its id",
                    PREFIX_MIN);
    /* Whoever may write chooses the ids of his snapshots, and could choose those of others. */
    rc = n < 2 * HASH_BYTES ? match(log, id, source, 0, ret) : RSP_OK;
    if (!rc) rc = match(log, id, source, 1, ret);
    if (!rc && !*ret)
        rc = fail(&log->env, RSP_ENOTFOUND, id, "no such snapshot (backupd list --all shows what there is)");
    return rc;
}
