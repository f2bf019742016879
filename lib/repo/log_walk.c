/* What this is: ancestry: from a record to its parents, through records that are gone by what their gone records kept.
 * Rests on: log_impl.h.
 * Does not: recurse: histories are long. */
#include <stdlib.h>
#include <string.h>

#include "repo/log_impl.h"

struct walk {
    const struct log *log;
    const uint8_t **queue; /* hashes */
    size_t n, cap;
    uint8_t *passed; /* beside links */
};

static int push(struct walk *w, const uint8_t *hash)
{
    if (w->n == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 64;
        void *p = mem_resize(&w->log->pub.env, w->queue, w->cap * sizeof *w->queue, cap * sizeof *w->queue);
        if (!p) return RSP_ENOMEM;
        w->queue = p;
        w->cap = cap;
    }
    w->queue[w->n++] = hash;
    return RSP_OK;
}

static int push_parents(struct walk *w, const struct rsp_record *r)
{
    for (size_t i = 0; i < r->parents_n; i++) {
        int rc = push(w, r->parents[i].hash);
        if (rc) return rc;
    }
    return RSP_OK;
}

/* The first link of a record that is gone; links_n when there is none. */
static size_t first_link(const struct log *log, const uint8_t *hash)
{
    size_t lo = 0, hi = log->links_n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (memcmp(log->links[mid], hash, HASH_BYTES) < 0) lo = mid + 1;
        else hi = mid;
    }
    return lo;
}

int log_went(const struct log *log, const uint8_t hash[HASH_BYTES])
{
    size_t i = first_link(log, hash);
    return i < log->links_n && !memcmp(log->links[i], hash, HASH_BYTES);
}

static int pass_links(struct walk *w, const uint8_t *hash)
{
    const struct log *log = w->log;
    for (size_t i = first_link(log, hash); i < log->links_n && !memcmp(log->links[i], hash, HASH_BYTES); i++) {
        int rc;
        if (w->passed[i]) continue;
        w->passed[i] = 1;
        rc = push(w, log->links[i] + HASH_BYTES);
        if (rc) return rc;
    }
    return RSP_OK;
}

static int walk_begin(struct walk *w, const struct log *log)
{
    memset(w, 0, sizeof *w);
    w->log = log;
    w->passed = mem_zero(&log->pub.env, log->links_n + 1);
    return w->passed ? RSP_OK : RSP_ENOMEM;
}

static void walk_end(struct walk *w)
{
    mem_free(&w->log->pub.env, w->queue, w->cap * sizeof *w->queue);
    mem_free(&w->log->pub.env, w->passed, w->log->links_n + 1);
}

size_t log_position(const struct log *log, const struct rsp_record *r)
{
    size_t lo = 0, hi = log->pub.records_n;
    while (lo < hi) { /* they stand in the order of their paths */
        size_t mid = lo + (hi - lo) / 2;
        int order = memcmp(log->pub.records[mid]->source, r->source, ID_BYTES);
        if (!order) order = strcmp(log->pub.records[mid]->name, r->name);
        if (!order) return mid;
        if (order < 0) lo = mid + 1;
        else hi = mid;
    }
    return log->pub.records_n;
}

int log_reach(const struct log *log, const struct rsp_record *from, uint8_t *mark)
{
    struct walk w;
    int rc = walk_begin(&w, log);
    if (!rc) rc = push(&w, from->hash);
    while (!rc && w.n) {
        const uint8_t *hash = w.queue[--w.n];
        const struct rsp_record *r = rsp_log_by_hash(&log->pub, hash);
        size_t at = r ? log_position(log, r) : log->pub.records_n;
        if (at == log->pub.records_n) {
            rc = pass_links(&w, hash);
        } else if (!mark[at]) {
            mark[at] = 1;
            if (r->state & RSP_RECORD_LOADED) rc = push_parents(&w, r);
        }
    }
    walk_end(&w);
    return rc;
}

int log_nearest(const struct log *log, const struct rsp_record *r,
                void (*each)(void *opaque, const struct rsp_record *ancestor), void *opaque)
{
    struct walk w;
    int rc = walk_begin(&w, log);
    if (!rc) rc = push_parents(&w, r);
    while (!rc && w.n) {
        const uint8_t *hash = w.queue[--w.n];
        const struct rsp_record *p = rsp_log_by_hash(&log->pub, hash);
        if (p) each(opaque, p);
        else rc = pass_links(&w, hash);
    }
    walk_end(&w);
    return rc;
}

int rsp_log_descends(const struct rsp_log *pub, const struct rsp_record *record, const struct rsp_record *ancestor)
{
    struct log *log = log_of((struct rsp_log *)(uintptr_t)pub); /* only what is remembered changes */
    size_t at = log_position(log, ancestor);
    if (at == pub->records_n) return 0;
    if (log->reached_from != record || log->reached_n != pub->records_n) {
        mem_free(&pub->env, log->reached, log->reached_n);
        log->reached_from = NULL;
        log->reached_n = pub->records_n;
        log->reached = mem_zero(&pub->env, log->reached_n);
        if (!log->reached) {
            log->reached_n = 0;
            return 0;
        }
        if (log_reach(log, record, log->reached)) return 0;
        log->reached_from = record;
    }
    return log->reached[at];
}
