/* What this is: tests of the RDB checksum: known values, a bitwise oracle, every split.
 * Rests on: base/crc64.h, base/bytes.h.
 * Does not: measure. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc64.h"

static uint64_t bitwise(uint64_t crc, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int b = 0; b < 8; b++) crc = crc >> 1 ^ (crc & 1 ? 0x95ac9329ac4bc9b5ULL : 0);
    }
    return crc;
}

static void random_fill(uint8_t *p, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        p[i] = (uint8_t)(seed >> 56);
    }
}

START_TEST(check_value)
{
    ck_assert_uint_eq(crc64(0, "123456789", 9), 0xe9c6d914c4b8d9caULL);
    ck_assert_uint_eq(crc64_portable(0, "123456789", 9), 0xe9c6d914c4b8d9caULL);
    ck_assert_uint_eq(crc64(0, NULL, 0), 0);
    ck_assert_uint_eq(crc64(77, NULL, 0), 77);
}
END_TEST

START_TEST(known_files)
{
    static const struct {
        const char *bytes;
        size_t n;
        uint8_t stored[8];
    } file[] = {
        {"REDIS0009\xff", 10, {0x9a, 0xac, 0x7a, 0xbc, 0xfb, 0x0f, 0xad, 0x74}},
        {"REDIS0011\xff", 10, {0xc0, 0x22, 0x8a, 0x8d, 0x74, 0x38, 0x97, 0x62}},
        {"VALKEY080\xff", 10, {0x43, 0x9d, 0xa4, 0x8f, 0xc1, 0x80, 0x6c, 0x23}},
        {"REDIS0009\xfe\0\xfb\1\0\0\3foo\3bar\xff", 24, {0xcc, 0x3e, 0x5c, 0x81, 0x68, 0x68, 0x18, 0x31}},
        {"\0\3foo\x0b\0", 7, {0x1a, 0x96, 0x84, 0xa8, 0xb0, 0x5e, 0x53, 0x1e}},
    };
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        ck_assert_uint_eq(crc64(0, file[i].bytes, file[i].n), load_le64(file[i].stored));
        ck_assert_uint_eq(crc64_portable(0, file[i].bytes, file[i].n), load_le64(file[i].stored));
    }
}
END_TEST

START_TEST(all_short_lengths)
{
    uint8_t bytes[700];
    random_fill(bytes, sizeof bytes, 1);
    for (size_t at = 0; at < 9; at++)
        for (size_t n = 0; n + at <= 600; n++) {
            uint64_t want = bitwise(n, bytes + at, n);
            ck_assert_uint_eq(crc64(n, bytes + at, n), want);
            ck_assert_uint_eq(crc64_portable(n, bytes + at, n), want);
        }
}
END_TEST

START_TEST(every_split)
{
    uint8_t bytes[400];
    uint64_t whole;
    random_fill(bytes, sizeof bytes, 2);
    whole = bitwise(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        uint64_t crc = crc64(0, bytes, cut);
        ck_assert_uint_eq(crc64(crc, bytes + cut, sizeof bytes - cut), whole);
        crc = crc64_portable(0, bytes, cut);
        ck_assert_uint_eq(crc64_portable(crc, bytes + cut, sizeof bytes - cut), whole);
    }
}
END_TEST

START_TEST(large)
{
    size_t n = 3 * 1024 * 1024 + 5;
    uint8_t *bytes = malloc(n);
    ck_assert_ptr_nonnull(bytes);
    random_fill(bytes, n, 3);
    ck_assert_uint_eq(crc64(0, bytes, n), bitwise(0, bytes, n));
    ck_assert_uint_eq(crc64_portable(0, bytes, n), bitwise(0, bytes, n));
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("crc64");
    TCase *c = tcase_create("crc64");
    tcase_add_test(c, check_value);
    tcase_add_test(c, known_files);
    tcase_add_test(c, all_short_lengths);
    tcase_add_test(c, every_split);
    tcase_add_test(c, large);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
