/* What this is: dumps in memory, cut into files and judged, for the tests of lib/flow.
 * Rests on: libcheck, respite/sys/reshard.h, sys/check.h, sys/digest.h.
 * Does not: start servers. */
#ifndef TESTS_FLOW_RESHARD_TEST_H
#define TESTS_FLOW_RESHARD_TEST_H

#include <check.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#undef fail

#include <respite/sys/check.h>
#include <respite/sys/digest.h>
#include <respite/sys/filter.h>
#include <respite/sys/reshard.h>

#include "base/bytes.h"
#include "base/crc64.h"
#include "rdb/write.h"

#define MUST(condition)                                                                          \
    do {                                                                                         \
        if (!(condition)) ck_abort_msg("%s does not hold (%s): %s", #condition, doing, words()); \
    } while (0)
#define SINKS 16

static char doing[1024] = "";
static struct rsp_error error;
static struct rsp_env env = {.size = sizeof env, .error = &error};

static inline const char *words(void)
{
    static char text[700];
    rsp_error_format(&error, text, sizeof text);
    return text;
}

/* What went wrong with it, for the next message. */
static inline void note(const char *what)
{
    size_t n = strlen(doing);
    snprintf(doing + n, sizeof doing - n, ": %.200s", what);
}

/* ---- dumps in memory ---- */

struct dump {
    const uint8_t *p;
    size_t n;
};
struct dumps {
    struct dump of[4];
    size_t n;
    unsigned opened;
};

static inline int open_dump(void *ctx, size_t i, struct rsp_source **source)
{
    struct dumps *d = ctx;
    d->opened++;
    return rsp_source_memory(&env, d->of[i].p, d->of[i].n, source);
}

struct outcome {
    int rc;
    struct rsp_sink *sinks[SINKS];
    size_t n;
    struct rsp_reshard_file files[SINKS];
    struct rsp_reshard_report report;
};

static inline struct rsp_reshard_options options(size_t n, int all)
{
    struct rsp_reshard_options o = {.size = sizeof o, .all = all};
    o.run.size = sizeof o.run;
    o.run.threads = 2;
    rsp_reshard_even(n, o.owner);
    rsp_loss_policy_default(&o.losses);
    return o;
}

static inline void cut(struct dumps *d, size_t n, const struct rsp_reshard_options *o, struct outcome *out)
{
    memset(out, 0, sizeof *out);
    memset(&error, 0, sizeof error);
    out->n = n;
    out->report.size = sizeof out->report;
    out->report.files = out->files;
    for (size_t k = 0; k < n; k++) MUST(rsp_sink_memory(NULL, &out->sinks[k]) == RSP_OK);
    out->rc = rsp_reshard(&env, open_dump, d, d->n, o, out->sinks, n, &out->report);
}

static inline struct dump view(const struct outcome *o, size_t k)
{
    struct rsp_span s;
    MUST(rsp_sink_view(o->sinks[k], &s) == RSP_OK);
    return (struct dump){s.p, s.n};
}

static inline void done(struct outcome *o)
{
    for (size_t k = 0; k < o->n; k++) rsp_sink_free(o->sinks[k]);
}

/* ---- what is in one ---- */

struct judged {
    struct rsp_dd1_sum sum;
    uint64_t keys, expires, findings;
    int sound; /* it could be judged, and nothing but a missing checksum was found */
    char first[200];
};

static inline int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct judged *j = opaque;
    if (!strcmp(f->kind, "unprotected")) return RSP_OK;
    if (!j->findings++)
        snprintf(j->first, sizeof j->first, "%s at %llu: %s", f->kind, (unsigned long long)f->offset, f->reason);
    return RSP_OK;
}

/* db UINT32_MAX: all of them. */
static inline struct judged judge(struct dump d, uint32_t db)
{
    struct judged j = {.sound = 0};
    struct rsp_check_options o = {.size = sizeof o, .digest = 1, .found = on_finding, .opaque = &j};
    struct rsp_check_report r = {.size = sizeof r};
    struct rsp_source *source = NULL;
    const struct rsp_dd1_row *row;
    uint32_t which;
    MUST(rsp_dd1_table_new(NULL, &o.dd1) == RSP_OK);
    MUST(rsp_source_memory(NULL, d.p, d.n, &source) == RSP_OK);
    o.run.size = sizeof o.run;
    o.run.threads = 1;
    j.sound = rsp_check_file(NULL, source, &o, &r) == RSP_OK && !r.not_rdb && !j.findings &&
              !rsp_dd1_table_broken(o.dd1, NULL);
    row = rsp_dd1_table_total(o.dd1);
    for (size_t i = 0; db != UINT32_MAX && (row = rsp_dd1_table_db(o.dd1, i, &which)) != NULL && which != db;) i++;
    if (row) j.sum = row->with_expiry, j.keys = row->keys, j.expires = row->expires;
    rsp_dd1_table_free(o.dd1);
    rsp_source_free(source);
    return j;
}

static inline int same_sum(const struct rsp_dd1_sum *a, const struct rsp_dd1_sum *b)
{
    return a->lo == b->lo && a->hi == b->hi;
}

/* Each key in the file of its slot; what RESIZEDB says is true. */
static inline void slots_are_right(struct dump d, size_t sink, const uint16_t *owner)
{
    struct rsp_source *source = NULL;
    struct rsp_rdb_reader *reader = NULL;
    uint64_t keys = 0, expires = 0, told = UINT64_MAX, told_expires = 0;
    int rc, version = 0;
    MUST(rsp_source_memory(NULL, d.p, d.n, &source) == RSP_OK);
    MUST(rsp_rdb_reader_new(NULL, source, RSP_RDB_RAW, &reader) == RSP_OK);
    for (;;) {
        struct rsp_rdb_event e = {.size = sizeof e};
        rc = rsp_rdb_next(reader, &e);
        if (rc) break;
        if (e.kind == RSP_RDB_HEADER) version = (int)e.number;
        MUST(e.kind != RSP_RDB_SLOT_INFO && e.kind != RSP_RDB_SLOT_IMPORT && e.kind != RSP_RDB_HASH_TEMPLATE);
        if (e.kind == RSP_RDB_RESIZE_DB) told = e.number, told_expires = e.number2;
        if (e.kind == RSP_RDB_AUX) MUST(e.key.n < 5 || memcmp(e.key.p, "repl-", 5) != 0);
        if (e.kind == RSP_RDB_EOF) MUST(version < 5 || e.number3 == RSP_RDB_CRC_OK);
        if (e.kind != RSP_RDB_KEY) continue;
        MUST(owner[rsp_key_slot(e.key)] == sink);
        keys++;
        expires += e.expire_ms != RSP_RDB_NO_EXPIRE;
    }
    MUST(rc == RSP_END);
    if (keys && version >= 7) MUST(told == keys && told_expires == expires);
    rsp_rdb_reader_free(reader);
    rsp_source_free(source);
}

/* ---- cut, and put together again ---- */

static inline void by_slots(struct dump d, size_t n)
{
    struct dumps in = {.of = {d}, .n = 1}, again;
    struct judged before = judge(d, 0), whole;
    struct rsp_dd1_sum sum = {0, 0};
    struct rsp_reshard_options o = options(n, 0), joined = options(1, 1);
    struct outcome out, back;
    uint64_t keys = 0;
    o.losses.action[RSP_LOSS_DATABASE] = RSP_LOSS_DROP;
    cut(&in, n, &o, &out);
    MUST(out.rc == RSP_OK);
    again = (struct dumps){.n = n < 4 ? n : 4};
    for (size_t k = 0; k < n; k++) {
        struct dump part = view(&out, k);
        struct judged j = judge(part, UINT32_MAX);
        if (!j.sound) note(j.first);
        MUST(j.sound && j.keys == out.files[k].keys && j.expires == out.files[k].expires &&
             part.n == out.files[k].bytes);
        slots_are_right(part, k, o.owner);
        rsp_dd1_add(&sum, &j.sum);
        keys += j.keys;
        if (k < 4) again.of[k] = part;
    }
    MUST(same_sum(&sum, &before.sum) && keys == before.keys && keys == out.report.keys);
    if (n < 5) { /* and put together again */
        cut(&again, 1, &joined, &back);
        MUST(back.rc == RSP_OK && !back.report.losses.n[RSP_LOSS_COLLISION]);
        whole = judge(view(&back, 0), UINT32_MAX);
        MUST(whole.sound && same_sum(&whole.sum, &before.sum) && whole.keys == keys);
        MUST(back.report.rdb_version == out.report.rdb_version && back.report.functions == out.report.functions);
        done(&back);
    }
    done(&out);
}

static inline void whole(struct dump d)
{
    struct dumps in = {.of = {d}, .n = 1};
    struct judged before = judge(d, UINT32_MAX), after;
    struct rsp_reshard_options o = options(1, 1);
    struct outcome out;
    cut(&in, 1, &o, &out);
    MUST(out.rc == RSP_OK && in.opened == 2);
    after = judge(view(&out, 0), UINT32_MAX);
    if (!after.sound) note(after.first);
    MUST(after.sound && same_sum(&after.sum, &before.sum) && after.keys == before.keys);
    done(&out);
}

/* ---- dumps made here ---- */

static inline void begin(struct buf *b, unsigned version)
{
    buf_init(b, &env);
    b->n = 0;
    ck_assert_int_eq(rdb_put_header(b, version), RSP_OK);
}

static inline void string(struct buf *b, const char *key, const char *value)
{
    ck_assert_int_eq(buf_byte(b, 0), RSP_OK);
    ck_assert_int_eq(rdb_put_string(b, key, strlen(key)), RSP_OK);
    ck_assert_int_eq(rdb_put_string(b, value, strlen(value)), RSP_OK);
}

static inline void function(struct buf *b, const char *code)
{
    ck_assert_int_eq(buf_byte(b, 245), RSP_OK);
    ck_assert_int_eq(rdb_put_string(b, code, strlen(code)), RSP_OK);
}

/* ReJSON-RL, before the keys: one number. */
static inline void module_aux(struct buf *b, unsigned n)
{
    static const uint8_t head[] = {247, 0x81, 0x45, 0xe2, 0x52, 0x38, 0xdf, 0x91, 0x2c, 0x03, 2, 1, 2};
    ck_assert_int_eq(buf_add(b, head, sizeof head), RSP_OK);
    ck_assert_int_eq(rdb_put_length(b, n), RSP_OK);
    ck_assert_int_eq(buf_byte(b, 0), RSP_OK);
}

static inline struct dump end(struct buf *b)
{
    uint8_t sum[8];
    ck_assert_int_eq(rdb_put_end(b), RSP_OK);
    store_le64(sum, crc64(0, b->p, b->n));
    ck_assert_int_eq(buf_add(b, sum, sizeof sum), RSP_OK);
    return (struct dump){b->p, b->n};
}

static inline int holds(struct dump d, const char *text)
{
    return memmem(d.p, d.n, text, strlen(text)) != NULL;
}

static inline void full_env(void)
{
    struct rsp_env full;
    env_init(&full, &env);
    env = full;
}

/* ---- large records ---- */

static inline void text(struct buf *b, size_t n, unsigned seed)
{
    ck_assert_int_eq(rdb_put_length(b, n), RSP_OK);
    for (size_t i = 0; i < n; i++) ck_assert_int_eq(buf_byte(b, (uint8_t)('a' + (i * 7 + seed) % 23)), RSP_OK);
}

/* A list, a string and a template hash that are cut by the reader, between small ones. */
static inline struct dump large(struct buf *b)
{
    begin(b, 15);
    ck_assert_int_eq(buf_byte(b, 242), RSP_OK);
    ck_assert_int_eq(rdb_put_length(b, 9), RSP_OK);
    ck_assert_int_eq(rdb_put_length(b, 300), RSP_OK);
    for (unsigned k = 0; k < 300; k++) {
        char name[16];
        snprintf(name, sizeof name, "field%03u", k);
        ck_assert_int_eq(rdb_put_string(b, name, strlen(name)), RSP_OK);
    }
    string(b, "small", "v");
    ck_assert_int_eq(buf_byte(b, 1), RSP_OK); /* a list */
    ck_assert_int_eq(rdb_put_string(b, "list", 4), RSP_OK);
    ck_assert_int_eq(rdb_put_length(b, 40), RSP_OK);
    for (unsigned k = 0; k < 40; k++) text(b, 30000, k);
    ck_assert_int_eq(rdb_put_expiry(b, 4102444800000), RSP_OK);
    ck_assert_int_eq(buf_byte(b, 32), RSP_OK); /* a hash by template */
    ck_assert_int_eq(rdb_put_string(b, "hash", 4), RSP_OK);
    ck_assert_int_eq(rdb_put_length(b, 9), RSP_OK);
    for (unsigned k = 0; k < 300; k++) text(b, k == 150 ? 3000000 : 5000, k);
    ck_assert_int_eq(buf_byte(b, 0), RSP_OK);
    ck_assert_int_eq(rdb_put_string(b, "string", 6), RSP_OK);
    text(b, 3000000, 1);
    string(b, "last", "v");
    return end(b);
}

#endif
