/* What this is: dumps of a few keys as rows, for the tests of rows.
 * Rests on: libcheck, rdb_builder.h, job/rows.h.
 * Does not: test anything. */
#ifndef TESTS_JOB_ROWS_TEST_H
#define TESTS_JOB_ROWS_TEST_H

#include <check.h>
#undef fail
#include <stdio.h>

#define MUST(condition)                                                 \
    do {                                                                \
        if (!(condition)) ck_abort_msg("%s does not hold", #condition); \
    } while (0)

#include "rdb_builder.h"

#include "job/dump.h"
#include "job/rows.h"

#define NOW INT64_C(1790000000000)

static struct rsp_error error;
static struct rsp_env env = {.size = sizeof env, .error = &error};
static struct rsp_compare_report report;

static inline void setup(void)
{
    rsp_error_clear(&error);
}

static inline int make(const struct made *m, const struct rsp_compare_side *side, size_t run, unsigned threads,
                       struct rsp_rows **ret)
{
    struct rsp_source *source = NULL;
    int rc;
    ck_assert_int_eq(rsp_source_memory(NULL, m->p, m->n, &source), RSP_OK);
    rc = rows_of(&env, source, side, threads, NULL, NULL, run, ret);
    rsp_source_free(source);
    return rc;
}

static inline struct rsp_rows *rows(const struct made *m, const struct rsp_compare_side *side, size_t run)
{
    struct rsp_rows *r = NULL;
    struct rsp_compare_side full;
    memset(&full, 0, sizeof full);
    if (side) full = *side;
    full.size = sizeof full;
    ck_assert_msg(make(m, &full, run, 2, &r) == RSP_OK, "%s", error.message);
    return r;
}

static inline void compare(const struct made *a, const struct rsp_compare_side *side, const struct made *b,
                           int64_t as_of)
{
    struct rsp_rows *x = rows(a, side, 1000), *y = rows(b, NULL, 1000);
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    ck_assert_int_eq(rsp_rows_compare(&env, x, y, as_of, &report), RSP_OK);
    rsp_rows_free(x);
    rsp_rows_free(y);
}

static inline void expect(int verdict, uint64_t keys, uint64_t missing, uint64_t changed, uint64_t others,
                          uint64_t expired)
{
    ck_assert_int_eq(report.verdict, verdict);
    ck_assert_uint_eq(report.keys, keys);
    ck_assert_uint_eq(report.missing, missing);
    ck_assert_uint_eq(report.changed, changed);
    ck_assert_uint_eq(report.others, others);
    ck_assert_uint_eq(report.expired, expired);
    ck_assert_int_eq(memcmp(report.expected, report.found, 16) == 0, verdict == RSP_COMPARE_EQUAL);
}

static inline void put_db(struct made *m, unsigned db)
{
    put_byte(m, 0xfe);
    put_len(m, db);
}

/* expire 0: none */
static inline void put_key(struct made *m, const char *name, const char *value, int64_t expire)
{
    if (expire) {
        put_byte(m, 0xfc);
        put_le(m, (uint64_t)expire, 8);
    }
    record_begin(m, 0, name);
    put_text(m, value);
}

static inline struct made one(const char *name, const char *value, int64_t expire)
{
    struct made m = {0};
    file_begin(&m, "REDIS0012");
    put_db(&m, 0);
    put_key(&m, name, value, expire);
    file_end(&m);
    return m;
}

/* Keys from..to - 1 in that order or the other, each third with an expiry; leave one out, give one another value. */
static inline struct made many(unsigned n, int backwards, int without, int other)
{
    struct made m = {0};
    file_begin(&m, "REDIS0011");
    put_db(&m, 0);
    for (unsigned k = 0; k < n; k++) {
        unsigned i = backwards ? n - 1 - k : k;
        char name[32];
        if ((int)i == without) continue;
        snprintf(name, sizeof name, "key:%u", i);
        put_key(&m, name, (int)i == other ? "other" : name, i % 3 ? 0 : NOW + 1000 + i);
    }
    file_end(&m);
    return m;
}

/* A hash of two fields, the second with an expiry when ms is not 0. */
static inline struct made hash(int64_t ms, const char *value)
{
    struct made m = {0};
    file_begin(&m, "REDIS0012");
    put_db(&m, 0);
    record_begin(&m, ms ? 24 : 4, "h");
    if (ms) put_le(&m, (uint64_t)ms, 8);
    put_len(&m, 2);
    if (ms) put_len(&m, 0);
    put_text(&m, "f");
    put_text(&m, "1");
    if (ms) put_len(&m, 1);
    put_text(&m, "g");
    put_text(&m, value);
    file_end(&m);
    return m;
}

#endif
