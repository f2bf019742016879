/* What this is: what the tests of the feed share: one feed read in one of several ways, to a sum.
 * Rests on: libcheck, rdb_builder.h, rdb_drive.h.
 * Does not: have tests of its own. */
#ifndef TESTS_FEED_TEST_H
#define TESTS_FEED_TEST_H

#include <check.h>
#undef fail

#include <stdio.h>

#define MUST(condition)                                                               \
    do {                                                                              \
        if (!(condition)) ck_abort_msg("%s: %s does not hold", now_name, #condition); \
    } while (0)
static const char *now_name = "";

#include <respite/sys/rdb_batch.h>

#include "rdb_builder.h"
#include "rdb_drive.h"

#define MIB (1u << 20)

#ifdef __SANITIZE_THREAD__ /* what has no second thread in it is left to the other builds */
#define SLOW 1
#else
#define SLOW 0
#endif

/* ---- a feed, read in one of several ways ---- */

enum way { PERSISTENT, EACH_PART, TOKENS, TOKENS_EACH_PART };

struct reading {
    struct rsp_env env;
    struct rsp_rdb_value *value;
    struct rsp_rdb_walk walk;
    struct rsp_scratch scratch;
    struct trace t;
    uint64_t records, items, parts, key_sum;
    enum way way;
};

static inline void read_elements(struct reading *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_rdb_element e = {.size = sizeof e};
    int rc, first = i->flags & RSP_ITEM_FIRST;
    if (first || (r->way == EACH_PART && !(i->flags & RSP_ITEM_BIG))) {
        if (!first) { /* a stranger: nothing may depend on what was read before */
            rsp_rdb_value_free(r->value);
            MUST(rsp_rdb_value_new(&r->env, &r->value) == RSP_OK);
            MUST(!r->t.in_string && !r->t.part_of);
        }
        rsp_rdb_value_open(r->value, b, i);
    } else {
        rsp_rdb_value_continue(r->value, b, i);
    }
    while ((rc = rsp_rdb_value_next(r->value, &e)) == RSP_OK) sum_element(&r->t, &e);
    if (rc != ((i->flags & RSP_ITEM_LAST) ? RSP_END : RSP_AGAIN))
        ck_abort_msg("%s: value %d %s", now_name, rc, r->env.error->message);
}

static inline void read_tokens(struct reading *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_rdb_token k = {.size = sizeof k};
    uint32_t at = i->value;
    int rc;
    if ((i->flags & RSP_ITEM_FIRST) || (r->way == TOKENS_EACH_PART && !(i->flags & RSP_ITEM_BIG)))
        rsp_rdb_walk_init(&r->walk, b, i);
    while ((rc = rsp_rdb_walk_next(&r->env, &r->walk, b, &at, i->end, &k)) == RSP_OK) sum_token(&r->t, &k);
    MUST(rc == ((i->flags & RSP_ITEM_LAST) ? RSP_END : RSP_AGAIN) && at == i->end);
}

static inline void read_batch(struct reading *r, const struct rsp_rdb_batch *b)
{
    for (size_t n = 0; n < b->count; n++) {
        const struct rsp_rdb_item *i = &b->items[n];
        struct rsp_span key;
        uint64_t sum;
        MUST(i->start <= i->end && i->end <= b->n);
        if (i->kind != RSP_RDB_KEY) {
            sum_number(&r->t, i->kind);
            sum_bytes(&r->t, b->p + i->start, i->end - i->start);
            continue;
        }
        MUST(i->value >= i->start && i->value <= i->end);
        MUST(rsp_rdb_batch_key(&r->env, b, i, &r->scratch, &key) == RSP_OK);
        sum = crc64(key.n + 1, key.p, key.n);
        r->items++;
        if (i->flags & RSP_ITEM_FIRST) {
            r->key_sum = sum;
            r->records++;
            sum_number(&r->t, (uint64_t)i->type | (uint64_t)i->db << 8);
            sum_number(&r->t, b->offset + i->start);
            sum_number(&r->t, (uint64_t)i->expire_ms);
            sum_span(&r->t, key);
        } else {
            MUST(sum == r->key_sum);
            r->parts++;
        }
        if (r->way == PERSISTENT || r->way == EACH_PART) read_elements(r, b, i);
        else read_tokens(r, b, i);
        if (i->flags & RSP_ITEM_LAST) {
            MUST(!r->t.in_string && !r->t.part_of);
            sum_number(&r->t, b->offset + i->end);
        }
    }
}

/* The sum of everything; *parts (may be NULL) is how many records' parts there were besides the first. */
static inline uint64_t read_feed(struct rsp_source *s, enum way way, size_t block_bytes, int readahead, uint64_t *parts)
{
    struct rsp_rdb_feed_options o = {.size = sizeof o, .readahead = readahead, .block_bytes = block_bytes};
    struct rsp_rdb_feed_info info = {.size = sizeof info};
    struct rsp_rdb_feed *f;
    struct rsp_rdb_batch *b;
    struct rsp_error error = {0};
    struct meter m = {0};
    struct reading r = {.way = way};
    int rc;
    r.env = meter_env(&m, &error);
    MUST(s && rsp_rdb_value_new(&r.env, &r.value) == RSP_OK);
    MUST(rsp_rdb_feed_new(&r.env, s, &o, &f) == RSP_OK);
    while ((rc = rsp_rdb_feed_next(f, &b)) == RSP_OK || rc == RSP_AGAIN) {
        if (rc) continue;
        read_batch(&r, b);
        rsp_rdb_batch_release(b);
    }
    if (rc != RSP_END) ck_abort_msg("%s: %d %s (%llu)", now_name, rc, error.message, (unsigned long long)error.offset);
    rsp_rdb_feed_tell(f, &info);
    MUST(info.complete && info.keys == r.records);
    MUST(info.crc_state == RSP_RDB_CRC_OK || !info.crc_stored);
    rsp_rdb_value_free(r.value);
    rsp_scratch_free(&r.env, &r.scratch);
    rsp_rdb_feed_free(f);
    rsp_source_free(s);
    MUST(!m.alive && !m.wrong_sizes);
    if (parts) *parts = r.parts;
    sum_number(&r.t, r.records);
    return trace_end(&r.t);
}

static inline struct rsp_source *memory(const void *p, size_t n)
{
    struct rsp_source *s;
    MUST(rsp_source_memory(NULL, p, n, &s) == RSP_OK);
    return s;
}

static struct made file; /* the file under test */

/* All ways, all block sizes. cut: it must have come in parts with the default size. */
static inline void all_ways(const char *name, const struct made *f, int cut)
{
    static const size_t blocks[] = {4096, 65536, 0};
    now_name = name;
    for (enum way way = PERSISTENT; way <= (SLOW ? EACH_PART : TOKENS_EACH_PART); way++) {
        uint64_t parts, want;
        want = read_feed(memory(f->p, f->n), way < TOKENS ? PERSISTENT : TOKENS, f->n + 1, 0, &parts);
        MUST(!parts);
        for (size_t i = SLOW; i < 3; i++) {
            struct drip d = {f->p, f->n, 0, 70001, i == 1, 0, 0};
            struct drip ahead = {f->p, f->n, 0, 1 << 20, 0, 0, 0};
            MUST(read_feed(memory(f->p, f->n), way, blocks[i], 0, &parts) == want);
            MUST(!cut || parts);
            if (!i && f->n > 3 * MIB) continue;
            MUST(read_feed(drip_source(NULL, &d), way, blocks[i], 0, &parts) == want);
            MUST(!cut || parts);
            MUST(read_feed(drip_source(NULL, &ahead), way, blocks[i], 1, NULL) == want);
        }
    }
}

static inline void put_stream_node(struct made *m, struct made *lp, uint64_t ms)
{
    uint8_t id[16];
    for (int i = 0; i < 8; i++) id[i] = (uint8_t)(ms >> (56 - 8 * i)), id[8 + i] = 0;
    put_str(m, id, 16);
    lp_begin(lp);
    lp_int(lp, 3), lp_int(lp, 1), lp_int(lp, 2), lp_str(lp, "f", 1), lp_str(lp, "gg", 2), lp_int(lp, 0);
    for (int k = 0; k < 4; k++) {
        uint8_t *p = noise(400, ms + (uint64_t)k);
        lp_int(lp, k == 1 ? 3 : k == 2 ? 0 : 2);
        lp_int(lp, k), lp_int(lp, 0);
        if (k == 2) lp_int(lp, 1), lp_str(lp, "own", 3), lp_str(lp, p, 400), lp_int(lp, 6);
        else lp_str(lp, p, 400), lp_int(lp, k), lp_int(lp, 5);
        free(p);
    }
    lp_end(lp, 6 + 6 + 6 + 7 + 6);
    put_lzf(m, lp->p, lp->n);
}

#endif
