/* What this is: freshness: the heads this host has seen, the head it was told to expect.
 * Rests on: log_impl.h.
 * Does not: trust a store that shows less than it did. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "repo/log_impl.h"

#define WAY_ROLLBACK                                                                                             \
    "find out who changed the store; then go on with --accept-rollback, or give it up for ever: backupd expire " \
    "--acknowledge HASH"

#define HEADS_MOST 100000 /* what the state can still read back */

static int concerns(const struct log *log, const uint8_t source[ID_BYTES])
{
    return !log->one_source || !memcmp(log->source, source, ID_BYTES);
}

static int check_seen(struct log *log, const struct seen_head *seen)
{
    struct rsp_repo *repo = log->pub.repo;
    char hex[2 * HASH_BYTES + 1], source[2 * ID_BYTES + 1];
    if (!concerns(log, seen->source) || rsp_log_by_hash(&log->pub, seen->hash)) return RSP_OK;
    if (hash_set_has(&log->explained, seen->hash)) return RSP_OK;
    hex_text(hex, seen->hash, HASH_BYTES);
    hex_text(source, seen->source, ID_BYTES);
    return rsp_log_trouble(&log->pub, repo->accept_rollback ? RSP_OK : RSP_EINTEGRITY, "rollback", hex, WAY_ROLLBACK,
                           "this host has seen this record (number %" PRIu64
                           " of source %s) and the store does not show it: an older state is served, or it was deleted",
                           seen->seq, source);
}

static int has_prefix(const uint8_t hash[HASH_BYTES], const char *prefix, size_t n)
{
    char hex[2 * HASH_BYTES + 1];
    hex_text(hex, hash, HASH_BYTES);
    return n <= 2 * HASH_BYTES && !strncmp(hex, prefix, n);
}

static int check_expected(struct log *log)
{
    struct rsp_repo *repo = log->pub.repo;
    size_t n = repo->expect_head ? strlen(repo->expect_head) : 0;
    if (!n) return RSP_OK;
    for (size_t i = 0; i < log->pub.records_n; i++) {
        const struct rsp_record *r = log->pub.records[i];
        if (!(r->state & RSP_RECORD_BROKEN) && has_prefix(r->hash, repo->expect_head, n)) return RSP_OK;
    }
    for (size_t i = 0; i < log->explained.n; i++)
        if (has_prefix(log->explained.p[i], repo->expect_head, n)) return RSP_OK;
    return rsp_log_trouble(&log->pub, repo->accept_rollback ? RSP_OK : RSP_EINTEGRITY, "rollback", repo->expect_head,
                           WAY_ROLLBACK, "the expected head is not there: an older state is served");
}

int log_seen_check(struct log *log)
{
    struct rsp_repo *repo = log->pub.repo;
    struct seen_head *seen = NULL;
    size_t n = 0;
    int rc = RSP_OK;
    if (repo->state) rc = state_heads_load(repo->state, repo->lineage, repo->id, &seen, &n);
    for (size_t i = 0; i < n && !rc; i++) rc = check_seen(log, &seen[i]);
    mem_free(&repo->env, seen, n * sizeof *seen);
    return rc ? rc : check_expected(log);
}

static int by_source_and_hash(const void *a, const void *b)
{
    const struct seen_head *x = a, *y = b;
    int order = memcmp(x->source, y->source, ID_BYTES);
    return order ? order : memcmp(x->hash, y->hash, HASH_BYTES);
}

static int parent_of(const struct rsp_record *r, const struct seen_head *head)
{
    for (size_t i = 0; i < r->parents_n; i++)
        if (!memcmp(r->parents[i].hash, head->hash, HASH_BYTES)) return 1;
    return 0;
}

int log_seen_add(struct log *log, const struct rsp_record *r)
{
    struct rsp_repo *repo = log->pub.repo;
    struct seen_head *old = NULL, *heads;
    size_t old_n = 0, n = 0;
    int rc;
    if (!repo->state) return RSP_OK;
    rc = state_heads_load(repo->state, repo->lineage, repo->id, &old, &old_n);
    if (rc) return rc;
    heads = mem_zero(&repo->env, (old_n + 1) * sizeof *heads);
    for (size_t i = 0; heads && i < old_n; i++)
        if (!parent_of(r, &old[i])) heads[n++] = old[i];
    if (heads) {
        memcpy(heads[n].source, r->source, ID_BYTES);
        memcpy(heads[n].hash, r->hash, HASH_BYTES);
        heads[n++].seq = r->seq;
        rc = state_heads_save(repo->state, repo->lineage, repo->id, heads, n);
        mem_free(&repo->env, heads, (old_n + 1) * sizeof *heads);
    } else {
        rc = RSP_ENOMEM;
    }
    mem_free(&repo->env, old, old_n * sizeof *old);
    return rc;
}

/* Another process of this host has seen it since this log was read. */
static int came_later(const struct log *log, const struct seen_head *head)
{
    return !log->pub.repo->accept_rollback && !rsp_log_by_hash(&log->pub, head->hash) &&
           !hash_set_has(&log->explained, head->hash);
}

int log_seen_save(struct log *log)
{
    struct rsp_repo *repo = log->pub.repo;
    struct seen_head *old = NULL, *heads = NULL;
    size_t old_n = 0, n = 0, cap;
    int rc, same;
    if (!repo->state) return RSP_OK;
    rc = state_heads_load(repo->state, repo->lineage, repo->id, &old, &old_n);
    if (rc) return rc;
    cap = old_n + log->pub.records_n + 1;
    heads = mem_zero(&repo->env, cap * sizeof *heads);
    if (!heads) {
        rc = RSP_ENOMEM;
        goto out;
    }
    for (size_t i = 0; i < old_n; i++)
        if (!concerns(log, old[i].source) || came_later(log, &old[i])) heads[n++] = old[i];
    for (size_t i = 0; i < log->pub.records_n; i++) {
        const struct rsp_record *r = log->pub.records[i];
        if (!(r->state & RSP_RECORD_HEAD)) continue;
        memcpy(heads[n].source, r->source, ID_BYTES);
        memcpy(heads[n].hash, r->hash, HASH_BYTES);
        heads[n++].seq = r->seq;
    }
    if (n) qsort(heads, n, sizeof *heads, by_source_and_hash);
    if (old_n) qsort(old, old_n, sizeof *old, by_source_and_hash);
    same = n == old_n;
    for (size_t i = 0; i < n && same; i++) same = !by_source_and_hash(&heads[i], &old[i]);
    if (n > HEADS_MOST)
        log_line(&repo->env, RSP_LOG_WARN, "%s has %zu heads: they are not remembered; who wrote them?",
                 rsp_store_url(repo->store), n);
    else if (!same) rc = state_heads_save(repo->state, repo->lineage, repo->id, heads, n);
out:
    if (heads) mem_free(&repo->env, heads, cap * sizeof *heads);
    mem_free(&repo->env, old, old_n * sizeof *old);
    return rc;
}
