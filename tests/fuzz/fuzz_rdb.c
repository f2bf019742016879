/* What this is: the fuzz target of the reader and the feed: the first byte chooses the depth and what is
 *   done besides, the second how the bytes arrive, the rest is the file.
 * Rests on: fuzz.h, rdb_drive.h.
 * Does not: correct checksums; the reader only reports them. */
#include "fuzz.h"

#include <respite/sys/rdb_batch.h>

#include "rdb_drive.h"

static struct rsp_source *source_of(const uint8_t *p, size_t n, struct drip *d, uint8_t how)
{
    struct rsp_source *s = NULL;
    if (!how) {
        MUST(rsp_source_memory(NULL, p, n, &s) == RSP_OK);
        return s;
    }
    *d = (struct drip){p, n, 0, how & 0x7f ? how & 0x7f : 1 << 20, how >> 7, 0, 0};
    s = drip_source(NULL, d);
    MUST(s);
    return s;
}

static int read_events(const uint8_t *p, size_t n, int depth, uint8_t how, struct trace *t, struct rsp_error *error)
{
    struct meter m = {.ceiling = 64 << 20};
    struct rsp_env env = meter_env(&m, error);
    struct drip d;
    struct rsp_source *s = source_of(p, n, &d, how);
    int rc;
    memset(error, 0, sizeof *error);
    rc = drive(&env, s, depth, t, 400 * n + 10000);
    rsp_source_free(s);
    MUST(!m.alive && !m.wrong_sizes && rc <= 0);
    MUST(!rc || (error->code == rc && error->message[0]));
    MUST(rc == RSP_OK || rc == RSP_ENOMEM || (error->has_offset && error->offset <= n));
    return rc;
}

/* Small blocks: every item's tokens and elements, parts carried on. */
static int read_feed(const uint8_t *p, size_t n, uint8_t how, size_t block_bytes, struct trace *t,
                     struct rsp_error *error)
{
    struct meter m = {.ceiling = 64 << 20};
    struct rsp_env env = meter_env(&m, error);
    struct drip d;
    struct rsp_source *s = source_of(p, n, &d, how);
    struct rsp_rdb_feed_options o = {.size = sizeof o, .block_bytes = block_bytes};
    struct rsp_rdb_feed *f = NULL;
    struct rsp_rdb_batch *b = NULL;
    struct rsp_rdb_value *v = NULL;
    struct rsp_rdb_element e = {.size = sizeof e};
    int rc, bad = 0;
    memset(error, 0, sizeof *error);
    memset(t, 0, sizeof *t);
    MUST(rsp_rdb_value_new(&env, &v) == RSP_OK && rsp_rdb_feed_new(&env, s, &o, &f) == RSP_OK);
    while (!bad && ((rc = rsp_rdb_feed_next(f, &b)) == RSP_OK || rc == RSP_AGAIN)) {
        for (size_t i = 0; !rc && !bad && i < b->count; i++) {
            const struct rsp_rdb_item *item = &b->items[i];
            MUST(item->start <= item->end && item->end <= b->n);
            if (item->kind != RSP_RDB_KEY) continue;
            MUST(item->value <= item->end);
            if ((item->flags & RSP_ITEM_FIRST)) rsp_rdb_value_open(v, b, item);
            else rsp_rdb_value_continue(v, b, item);
            while (!(bad = rsp_rdb_value_next(v, &e))) sum_element(t, &e);
            if (bad == ((item->flags & RSP_ITEM_LAST) ? RSP_END : RSP_AGAIN)) bad = 0;
            MUST(bad <= 0);
        }
        if (!rc) rsp_rdb_batch_release(b);
    }
    rsp_rdb_value_free(v);
    rsp_rdb_feed_free(f);
    rsp_source_free(s);
    MUST(!m.alive && !m.wrong_sizes);
    trace_end(t);
    return bad ? bad : rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct trace a, b;
    struct rsp_error ea, eb;
    uint8_t *p;
    int rc;
    if (n < 2) return 0;
    p = malloc(n - 2 ? n - 2 : 1); /* exact */
    MUST(p);
    memcpy(p, data + 2, n - 2);
    rc = read_events(p, n - 2, data[0] % 3, 0, &a, &ea);
    MUST(read_events(p, n - 2, data[0] % 3, data[1], &b, &eb) == rc);
    if (!rc) MUST(a.crc == b.crc);
    if (rc && rc != RSP_ENOMEM) MUST(ea.offset == eb.offset && !strcmp(ea.message, eb.message));
    rc = read_feed(p, n - 2, 0, 1 << 20, &a, &ea);
    /* of two faults the other one may be met first: a string of more than a block is read in parts */
    MUST((read_feed(p, n - 2, data[1], 1 + data[0] / 3u, &b, &eb) == RSP_END) == (rc == RSP_END));
    if (rc == RSP_END) MUST(a.crc == b.crc);
    free(p);
    return 0;
}
