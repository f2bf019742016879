/* What this is: one record of a file as a file of its own.
 * Rests on: replay.h.
 * Does not: sum: the checksum of what it gives is 0, which means none. */
#include "cli/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 9
static const uint8_t tail[HEADER] = {0xff};

static int add(struct replay *r, const void *p, size_t n)
{
    if (n > r->prefix_cap - r->prefix_n) {
        size_t cap = (r->prefix_n + n) * 2;
        uint8_t *more = realloc(r->prefix, cap);
        if (!more) return RSP_ENOMEM;
        r->prefix = more;
        r->prefix_cap = cap;
    }
    memcpy(r->prefix + r->prefix_n, p, n);
    r->prefix_n += n;
    return RSP_OK;
}

static int begin(struct replay *r, const struct rsp_rdb_batch *b)
{
    char header[HEADER + 8];
    if (r->prefix_n) return RSP_OK;
    snprintf(header, sizeof header, b->dialect == RSP_RDB_VALKEY ? "VALKEY%03u" : "REDIS%04u", b->version);
    return add(r, header, HEADER);
}

int replay_prefix(struct replay *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    int rc = begin(r, b);
    return rc ? rc : add(r, b->p + i->start, i->end - i->start);
}

void replay_record(struct replay *r, struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    r->batch = b;
    r->item = i;
    r->record_offset = b->offset + i->start;
}

int replay_next_part(struct replay *r)
{
    size_t next = (size_t)(r->item - r->batch->items) + 1;
    int rc = RSP_AGAIN;
    if (next < r->batch->count) {
        r->item++;
        return RSP_OK;
    }
    rsp_rdb_batch_release(r->batch);
    r->batch = NULL;
    while (rc == RSP_AGAIN) rc = rsp_rdb_feed_next(r->feed, &r->batch);
    if (!rc) r->item = r->batch->items;
    return rc == RSP_END ? RSP_ESTATE : rc; /* a record that is not complete cannot be the end */
}

/* ---- the source ---- */

static size_t give(uint8_t *out, size_t cap, const uint8_t *p, size_t n, size_t *at)
{
    size_t k = n - *at < cap ? n - *at : cap;
    if (k) memcpy(out, p + *at, k);
    *at += k;
    return k;
}

static int read_more(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct replay *r = opaque;
    size_t tail_n;
    *got = give(out, cap, r->prefix, r->prefix_n, &r->prefix_at);
    while (!*got && r->item) {
        int last = r->item->flags & RSP_ITEM_LAST;
        *got = give(out, cap, r->batch->p + r->item->start, r->item->end - r->item->start, &r->record_at);
        if (*got) return RSP_OK;
        if (last) {
            r->item = NULL;
            break;
        }
        r->status = replay_next_part(r);
        if (r->status) {
            r->item = NULL;
            r->error = *r->feed_error;
            return r->status < 0 ? r->status : RSP_ESTATE;
        }
        r->record_at = 0;
    }
    if (*got) return RSP_OK;
    tail_n = r->prefix[0] == 'R' && memcmp(r->prefix + 5, "0005", 4) < 0 ? 1 : sizeof tail;
    *got = give(out, cap, tail, tail_n, &r->tail_at);
    return *got ? RSP_OK : RSP_END;
}

int replay_source(struct replay *r, const struct rsp_env *env, struct rsp_source **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, read_more, NULL};
    int rc = begin(r, r->batch);
    r->feed_error = env->error;
    return rc ? rc : rsp_source_custom(env, &ops, r, "the record", ret);
}

uint64_t replay_offset(const struct replay *r, uint64_t offset)
{
    return offset >= r->prefix_n ? r->record_offset + (offset - r->prefix_n) : offset;
}

void replay_free(struct replay *r)
{
    rsp_rdb_batch_release(r->batch);
    rsp_rdb_feed_free(r->feed);
    free(r->prefix);
}
