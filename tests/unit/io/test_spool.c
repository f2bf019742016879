/* What this is: tests of the spool against a plain copy in memory.
 * Rests on: libcheck.
 * Does not: fill a disk. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/spool.h>

#define TOTAL ((size_t)1 << 20)

static const size_t budgets[] = {0, 1, 1000, 65536, 300000, TOTAL, 2 * TOTAL};

static uint32_t state;
static uint32_t next(void)
{
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

static void fill_spool(struct rsp_spool *s, uint8_t *copy, size_t total)
{
    size_t at = 0;
    while (at < total) {
        size_t n = next() % 8 ? next() % 300 : next() % 200000;
        if (n > total - at) n = total - at;
        for (size_t i = 0; i < n; i++) copy[at + i] = (uint8_t)next();
        ck_assert_int_eq(rsp_spool_write(s, copy + at, n), RSP_OK);
        at += n;
        ck_assert_uint_eq(rsp_spool_size(s), at);
        if (next() % 64 == 0 && at) { /* a read in between does not disturb */
            uint8_t got[100];
            size_t from = next() % at, k;
            ck_assert_int_eq(rsp_spool_read(s, from, got, sizeof got, &k), RSP_OK);
            ck_assert_uint_eq(k, at - from < sizeof got ? at - from : sizeof got);
            ck_assert_mem_eq(got, copy + from, k);
        }
    }
}

START_TEST(roundtrip)
{
    struct rsp_spool *s;
    uint8_t *copy = malloc(TOTAL), *got = malloc(TOTAL + 1);
    size_t k;
    state = 7;
    ck_assert_int_eq(rsp_spool_new(NULL, NULL, budgets[_i], &s), RSP_OK);
    for (int round = 0; round < 2; round++) {
        size_t total = round ? TOTAL / 3 : TOTAL;
        ck_assert_uint_eq(rsp_spool_size(s), 0);
        fill_spool(s, copy, total);
        ck_assert_int_eq(rsp_spool_read(s, 0, got, TOTAL + 1, &k), RSP_OK);
        ck_assert_uint_eq(k, total);
        ck_assert_mem_eq(got, copy, total);
        ck_assert_int_eq(rsp_spool_read(s, total, got, 1, &k), RSP_OK);
        ck_assert_uint_eq(k, 0);
        ck_assert_int_eq(rsp_spool_read(s, UINT64_MAX, got, 1, &k), RSP_OK);
        ck_assert_uint_eq(k, 0);
        rsp_spool_reset(s);
    }
    rsp_spool_free(s);
    free(copy);
    free(got);
}
END_TEST

START_TEST(no_directory)
{
    struct rsp_error error = {0};
    struct rsp_env env = {.size = sizeof env, .error = &error};
    struct rsp_spool *s;
    static uint8_t data[100000];
    size_t k;
    ck_assert_int_eq(rsp_spool_new(&env, "/nonexistent-directory", 1000, &s), RSP_OK);
    ck_assert_int_eq(rsp_spool_write(s, data, 1000), RSP_OK); /* opens nothing */
    ck_assert_int_eq(rsp_spool_write(s, data, 100000), RSP_ENOTFOUND);
    ck_assert_int_eq(error.code, RSP_ENOTFOUND);
    ck_assert_int_eq(rsp_spool_write(s, data, 1), RSP_ESTATE);
    ck_assert_int_eq(rsp_spool_read(s, 0, data, 1, &k), RSP_ESTATE);
    rsp_spool_reset(s);
    ck_assert_int_eq(rsp_spool_write(s, "ab", 2), RSP_OK);
    ck_assert_int_eq(rsp_spool_read(s, 1, data, 5, &k), RSP_OK);
    ck_assert_uint_eq(k, 1);
    ck_assert_uint_eq(data[0], 'b');
    rsp_spool_free(s);
    rsp_spool_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spool");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_loop_test(t, roundtrip, 0, (int)(sizeof budgets / sizeof *budgets));
    tcase_add_test(t, no_directory);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
