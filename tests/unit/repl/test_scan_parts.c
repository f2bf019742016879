/* What this is: tests of what the capture by SCAN is made of: the set of keys seen, KEY_META's length, RDB lengths.
 * Rests on: libcheck, repl/scan.h.
 * Does not: need a server. */
#include <check.h>
#undef fail
#include <stdlib.h>

#include "repl/scan.h"

static struct rsp_error error;
static struct rsp_env env;

static void setup(void)
{
    memset(&error, 0, sizeof error);
    env = (struct rsp_env){.size = sizeof env, .error = &error};
    env_init(&env, &env);
}

START_TEST(seen_set)
{
    struct seen s;
    int fresh;
    ck_assert_int_eq(seen_init(&s, &env, "/tmp"), RSP_OK);
    if (_i) s.memory = 8 * SEEN_BLOCK; /* then the file */
    for (int round = 0; round < 2; round++) {
        ck_assert_int_eq(seen_begin(&s, round ? 1000000 : 10), RSP_OK);
        for (uint64_t i = 0; i < 60000; i++) {
            uint64_t key = i % 3 == 2 ? i / 2 / 3 * 3 : i; /* every third was there */
            struct rsp_span span = {(const uint8_t *)&key, sizeof key};
            ck_assert_int_eq(seen_add(&s, span, &fresh), RSP_OK);
            ck_assert_int_eq(fresh, i % 3 != 2);
        }
        ck_assert_uint_eq(s.keys, 40000);
        ck_assert_int_eq(s.table == NULL, _i);
    }
    seen_free(&s);
    ck_assert_int_eq(seen_init(&s, &env, "/nowhere/at/all"), RSP_OK);
    s.memory = 0;
    ck_assert_int_lt(seen_begin(&s, 1), 0);
    seen_free(&s);
}
END_TEST

START_TEST(meta)
{
    static const uint8_t all[] = "\xf3\x02"
                                 "abcd\x01\x40\x07\x03"
                                 "1234\x04"
                                 "12345678\x05\xc3\x02\x03xy\x05\xc1"
                                 "12\x00"
                                 "efgh\x00\x0b";
    const size_t size = sizeof all - 1;
    size_t n;
    for (size_t i = 0; i < size; i++) {
        uint8_t *exact = malloc(i + 1); /* the address sanitizer watches its end */
        memcpy(exact, all, i);
        ck_assert_int_eq(dump_meta(exact, i, &n), RSP_AGAIN);
        free(exact);
    }
    ck_assert_int_eq(dump_meta(all, size, &n), RSP_OK);
    ck_assert_uint_eq(n, size - 1);
    ck_assert_int_eq(dump_meta((const uint8_t *)"\x00zz", 3, &n), RSP_OK);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(dump_meta((const uint8_t *)"\xf3\x00zz", 4, &n), RSP_EFORMAT);
    ck_assert_int_eq(dump_meta((const uint8_t *)"\xf3\x08zz", 4, &n), RSP_EFORMAT);
    ck_assert_int_eq(dump_meta((const uint8_t *)"\xf3\x01"
                                                "abcd\x06",
                               7, &n),
                     RSP_EFORMAT);
    ck_assert_int_eq(dump_meta((const uint8_t *)"\xf3\x01"
                                                "abcd\x01\xc0",
                               8, &n),
                     RSP_EFORMAT);
    ck_assert_int_eq(dump_meta((const uint8_t *)"\xf3\x01"
                                                "abcd\x05\x90",
                               8, &n),
                     RSP_EFORMAT);
    ck_assert_int_eq(dump_meta((const uint8_t *)"\xf3\x01"
                                                "abcd\x05\x81\xff\xff\xff\xff\xff\xff\xff\xff",
                               16, &n),
                     RSP_AGAIN);
}
END_TEST

START_TEST(lengths)
{
    static const struct {
        uint64_t n;
        size_t bytes;
        const char *text;
    } rows[] = {{0, 1, "\x00"},
                {63, 1, "\x3f"},
                {64, 2, "\x40\x40"},
                {16383, 2, "\x7f\xff"},
                {16384, 5, "\x80\x00\x00\x40\x00"},
                {UINT32_MAX, 5, "\x80\xff\xff\xff\xff"},
                {UINT64_C(1) << 32, 9, "\x81\x00\x00\x00\x01\x00\x00\x00\x00"}};
    struct buf b;
    buf_init(&b, &env);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        b.n = 0;
        ck_assert_int_eq(rdb_put_length(&b, rows[i].n), RSP_OK);
        ck_assert_uint_eq(b.n, rows[i].bytes);
        ck_assert_mem_eq(b.p, rows[i].text, b.n);
    }
    buf_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan-parts");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, seen_set, 0, 2);
    tcase_add_test(t, meta);
    tcase_add_test(t, lengths);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
