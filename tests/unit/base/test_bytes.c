/* What this is: tests of fixed-width loads and stores and of integer text.
 * Rests on: base/bytes.h, the C library as the oracle.
 * Does not: measure. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

static void check_signed(int64_t v)
{
    char want[32], got[I64_TEXT], *room = got;
    int64_t back = 1;
    int n = snprintf(want, sizeof want, "%" PRId64, v);
    ck_assert_uint_eq(i64_text(room, v), (size_t)n);
    ck_assert_mem_eq(got, want, (size_t)n);
    ck_assert_int_eq(i64_parse((const uint8_t *)want, (size_t)n, &back), 1);
    ck_assert_int_eq(back, v);
}

static void check_unsigned(uint64_t v)
{
    char want[32], got[U64_TEXT];
    int n = snprintf(want, sizeof want, "%" PRIu64, v);
    ck_assert_uint_eq(u64_text(got, v), (size_t)n);
    ck_assert_mem_eq(got, want, (size_t)n);
}

START_TEST(text_of_integers)
{
    uint64_t v = 1, seed = 12345;
    for (int64_t i = -12000; i <= 12000; i++) check_signed(i);
    check_signed(INT64_MAX), check_signed(INT64_MIN), check_signed(INT64_MIN + 1);
    check_unsigned(0), check_unsigned(UINT64_MAX);
    for (int k = 0; k < 20; k++, v *= 10) {
        check_unsigned(v - 1), check_unsigned(v), check_unsigned(v + 1);
        check_signed(as_i64(v)), check_signed(as_i64(v - 1)), check_signed(as_i64(0 - v));
    }
    for (int k = 0; k < 20000; k++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        check_signed(as_i64(seed) >> (k % 64));
        check_unsigned(seed >> (k % 64));
    }
}
END_TEST

START_TEST(parse_refuses)
{
    static const char *const bad[] = {
        "",
        "-",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "-0",
        "-01",
        "--1",
        "1-",
        "1.0",
        "0x1",
        "1e3",
        "a",
        "12a",
        "/1",
        ":",
        "9223372036854775808",
        "-9223372036854775809",
        "9999999999999999999",
        "-9999999999999999999",
        "18446744073709551616",
        "00000000000000000000",
        "100000000000000000000",
        "-100000000000000000000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t v = 42;
        ck_assert_msg(!i64_parse((const uint8_t *)bad[i], strlen(bad[i]), &v), "took \"%s\"", bad[i]);
        ck_assert_int_eq(v, 42);
    }
    for (int c = 0; c < 256; c++) {
        uint8_t text[3] = {'1', (uint8_t)c, '2'};
        int64_t v;
        ck_assert_int_eq(i64_parse(text, 3, &v), c >= '0' && c <= '9');
    }
}
END_TEST

START_TEST(parse_takes)
{
    int64_t v = 0;
    ck_assert_int_eq(i64_parse((const uint8_t *)"9223372036854775807", 19, &v), 1);
    ck_assert_int_eq(v, INT64_MAX);
    ck_assert_int_eq(i64_parse((const uint8_t *)"-9223372036854775808", 20, &v), 1);
    ck_assert_int_eq(v, INT64_MIN);
    ck_assert_int_eq(i64_parse((const uint8_t *)"0", 1, &v), 1);
    ck_assert_int_eq(v, 0);
}
END_TEST

START_TEST(loads_and_stores)
{
    static const uint8_t b[9] = {0xff, 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88};
    uint8_t out[8];
    double one = 0;
    ck_assert_uint_eq(load_le16(b), 0x01ff);
    ck_assert_uint_eq(load_le32(b + 1), 0x84038201U);
    ck_assert_uint_eq(load_be32(b + 1), 0x01820384U);
    ck_assert_uint_eq(load_le64(b + 1), 0x8807860584038201ULL);
    ck_assert_uint_eq(load_be64(b + 1), 0x0182038405860788ULL);
    store_le64(out, 0x8807860584038201ULL);
    ck_assert_mem_eq(out, b + 1, 8);
    store_le32(out, 0x84038201U);
    ck_assert_mem_eq(out, b + 1, 4);
    ck_assert_int_eq(as_i64(UINT64_MAX), -1);
    ck_assert_int_eq(as_i32(0x80000000U), INT32_MIN);
    store_le64(out, 0x3ff8000000000000ULL);
    one = load_double(out);
    ck_assert(one > 1.49 && one < 1.51);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bytes");
    TCase *c = tcase_create("bytes");
    tcase_add_test(c, text_of_integers);
    tcase_add_test(c, parse_refuses);
    tcase_add_test(c, parse_takes);
    tcase_add_test(c, loads_and_stores);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
