/* What this is: the record log by names alone: one LIST walk.
 * Rests on: log_impl.h.
 * Does not: fetch. */
#include <stdlib.h>
#include <string.h>

#include "repo/log_impl.h"

#define FOREIGN_TOLD 64 /* more of them are passed over in silence */

static int listed(void *opaque, const struct rsp_store_item *item)
{
    struct log *log = opaque;
    struct rsp_log *pub = &log->pub;
    struct rsp_record *r = record_new(&pub->env);
    if (!r) return RSP_ENOMEM;
    if (!name_record_parse(item->name, r)) {
        record_free(&pub->env, r);
        if (log->foreign++ >= FOREIGN_TOLD) return RSP_OK;
        return rsp_log_trouble(pub, RSP_OK, "foreign", item->name, NULL, "no name of a record; passed over");
    }
    r->stored_ms = item->mtime_ms;
    r->stored_bytes = item->bytes;
    if (pub->records_n == log->cap) {
        size_t cap = log->cap ? log->cap * 2 : 64;
        void *p = mem_resize(&pub->env, pub->records, log->cap * sizeof *pub->records, cap * sizeof *pub->records);
        if (!p) {
            record_free(&pub->env, r);
            return RSP_ENOMEM;
        }
        pub->records = p;
        log->cap = cap;
    }
    pub->records[pub->records_n++] = r;
    return RSP_OK;
}

int log_names(struct log *log)
{
    char prefix[64] = "log/";
    if (log->one_source) {
        hex_text(prefix + 4, log->source, ID_BYTES);
        memcpy(prefix + 4 + 2 * ID_BYTES, "/", 2);
    }
    return rsp_store_list(log->pub.repo->store, prefix, listed, log);
}

static int by_hash(const void *a, const void *b)
{
    const struct rsp_record *x = *(struct rsp_record *const *)a, *y = *(struct rsp_record *const *)b;
    int order = memcmp(x->hash, y->hash, HASH_BYTES);
    if (!order) order = !x->bytes - !y->bytes;
    if (!order) order = memcmp(x->source, y->source, ID_BYTES);
    return order ? order : strcmp(x->name, y->name);
}

/* Anybody can put a file there whose name claims the hash of a record; the bytes that have it are those of one name. */
void log_sort(struct log *log)
{
    struct rsp_log *pub = &log->pub;
    size_t n = 0;
    log->by_hash_n = 0;
    if (!pub->records_n) return;
    memcpy(log->by_hash, pub->records, pub->records_n * sizeof *log->by_hash);
    qsort(log->by_hash, pub->records_n, sizeof *log->by_hash, by_hash);
    for (size_t i = 0; i < pub->records_n; i++)
        if (!n || memcmp(log->by_hash[n - 1]->hash, log->by_hash[i]->hash, HASH_BYTES))
            log->by_hash[n++] = log->by_hash[i];
    log->by_hash_n = n;
}

int log_index(struct log *log)
{
    struct rsp_log *pub = &log->pub;
    if (!pub->records_n) return RSP_OK;
    if (log->by_hash) mem_free(&pub->env, log->by_hash, log->cap * sizeof *log->by_hash);
    log->by_hash = mem_alloc(&pub->env, log->cap * sizeof *log->by_hash);
    if (!log->by_hash) return RSP_ENOMEM;
    log_sort(log);
    return RSP_OK;
}

struct rsp_record *rsp_log_by_hash(const struct rsp_log *pub, const uint8_t hash[32])
{
    const struct log *log = (const struct log *)(const void *)pub;
    size_t lo = 0, hi = log->by_hash_n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = memcmp(log->by_hash[mid]->hash, hash, HASH_BYTES);
        if (!order) return log->by_hash[mid];
        if (order < 0) lo = mid + 1;
        else hi = mid;
    }
    return NULL;
}
