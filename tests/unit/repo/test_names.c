/* What this is: tests of the names of objects, and of the calendar in them.
 * Rests on: libcheck, repo/repo_impl.h.
 * Does not: touch a store. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "repo/repo_impl.h"

#define H "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define S "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"

static uint8_t hash[32], id[16], other[16];

static void setup(void)
{
    for (unsigned i = 0; i < 32; i++) hash[i] = (uint8_t)i;
    for (unsigned i = 0; i < 16; i++) id[i] = (uint8_t)(0xa0 + i), other[i] = (uint8_t)(0xf0 + i);
}

START_TEST(objects)
{
    char out[NAME_MAX_BYTES];
    name_object(out, 1, id, other);
    ck_assert_str_eq(out, "data/" S "/f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    name_object(out, 2, id, other);
    ck_assert_str_eq(out, "manifests/" S "/f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    name_envelope(out, id, hash);
    ck_assert_str_eq(out, "keys/" S "/" H);
    name_roles(out, 7, hash);
    ck_assert_str_eq(out, "roles/0000000007-" H);
    name_hashed(out, "refs", hash);
    ck_assert_str_eq(out, "refs/" H);
}
END_TEST

START_TEST(record_and_back)
{
    struct rsp_record r = {0}, back;
    char path[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
    memcpy(r.source, id, sizeof id);
    name_record(name, 42, 1795132800123, RSP_REC_COMMIT, hash);
    ck_assert_str_eq(name, "0000000042-20261120T000000Z-commit-" H);
    snprintf(r.name, sizeof r.name, "%.127s", name);
    name_record_path(path, &r);
    ck_assert_str_eq(path, "log/" S "/0000000042-20261120T000000Z-commit-" H);
    ck_assert_int_eq(name_record_parse(path, &back), 1);
    ck_assert_uint_eq(back.seq, 42);
    ck_assert_uint_eq(back.time_ms, 1795132800000);
    ck_assert_int_eq(back.kind, RSP_REC_COMMIT);
    ck_assert_mem_eq(back.hash, hash, 32);
    ck_assert_mem_eq(back.source, id, 16);
    ck_assert_str_eq(back.name, name);
}
END_TEST

START_TEST(every_kind)
{
    struct rsp_record r;
    char path[NAME_MAX_BYTES] = "log/" S "/";
    ck_assert_ptr_null(rsp_record_kind_text(0));
    ck_assert_ptr_null(rsp_record_kind_text(11));
    ck_assert_ptr_null(rsp_record_kind_text(-1));
    for (int k = 1; k <= 10; k++) {
        ck_assert_ptr_nonnull(rsp_record_kind_text(k));
        name_record(path + 37, 1, 0, k, hash);
        ck_assert_int_eq(name_record_parse(path, &r), 1);
        ck_assert_int_eq(r.kind, k);
    }
    ck_assert_str_eq(rsp_record_kind_text(RSP_REC_LOST), "lost");
}
END_TEST

/* The C library's calendar is the oracle: every day to the year 2244, then one in 13 to the end of 9999. */
START_TEST(calendar)
{
    struct rsp_record r;
    char path[NAME_MAX_BYTES] = "log/" S "/", expect[40];
    for (uint64_t day = 0; day <= NAME_TIME_MAX_MS / 86400000; day += day < 100000 ? 1 : 13) {
        time_t t = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        ck_assert_ptr_nonnull(gmtime_r(&t, &tm));
        strftime(expect, sizeof expect, "%Y%m%dT%H%M%SZ", &tm);
        name_record(path + 37, 1, (uint64_t)t * 1000, RSP_REC_NOTE, hash);
        if (memcmp(path + 48, expect, 16)) ck_abort_msg("%s is not %s", path + 48, expect);
        if (!name_record_parse(path, &r) || r.time_ms != (uint64_t)t * 1000) ck_abort_msg("%s", path);
    }
    name_record(path + 37, 1, UINT64_MAX, RSP_REC_NOTE, hash);
    ck_assert_int_eq(memcmp(path + 48, "99991231T235959Z", 16), 0);
}
END_TEST

static const char *const wrong[] = {
    "",
    "log/",
    "log/" S,
    "log/" S "/",
    "log/" S "/0000000042-20261120T000000Z-commit-",
    "log/" S "/0000000042-20261120T000000Z--" H,
    "log/" S "/0000000042-20261120T000000Z-commit" H,
    "log/" S "/0000000042-20261120T000000Z-commits-" H,
    "log/" S "/0000000042-20261120T000000Z-Commit-" H,
    "log/" S "/0000000042-20261120T000000Z-commit-" H "0",
    "log/" S "/0000000042-20261120T000000Z-commit-" H "/x",
    "log/" S "/0000000042-20261120T000000Z-commit-0" H,
    "log/" S "/0000000042-20261120T000000Z-commit-000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f",
    "log/" S "/0000000042-20261120T000000Z-commit-000102030405060708090g0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "log/" S "/0000000000-20261120T000000Z-commit-" H,
    "log/" S "/00000000042-20261120T000000Z-commit-" H,
    "log/" S "/000000042-20261120T000000Z-commit-" H,
    "log/" S "/+000000042-20261120T000000Z-commit-" H,
    "log/" S "/0000000042-20260229T000000Z-commit-" H,
    "log/" S "/0000000042-21000229T000000Z-commit-" H,
    "log/" S "/0000000042-20261320T000000Z-commit-" H,
    "log/" S "/0000000042-20260020T000000Z-commit-" H,
    "log/" S "/0000000042-20261100T000000Z-commit-" H,
    "log/" S "/0000000042-20261131T000000Z-commit-" H,
    "log/" S "/0000000042-20261120T240000Z-commit-" H,
    "log/" S "/0000000042-20261120T006000Z-commit-" H,
    "log/" S "/0000000042-20261120T000060Z-commit-" H,
    "log/" S "/0000000042-19691231T235959Z-commit-" H,
    "log/" S "/0000000042-20261120t000000Z-commit-" H,
    "log/" S "/0000000042-20261120T000000z-commit-" H,
    "log/A0a1a2a3a4a5a6a7a8a9aaabacadaeaf/0000000042-20261120T000000Z-commit-" H,
    "log/a0a1a2a3a4a5a6a7a8a9aaabacadae/0000000042-20261120T000000Z-commit-" H,
    "logs" S "/0000000042-20261120T000000Z-commit-" H,
    "LOG/" S "/0000000042-20261120T000000Z-commit-" H,
};

START_TEST(names_that_are_none)
{
    struct rsp_record r;
    ck_assert_int_eq(name_record_parse(wrong[_i], &r), 0);
}
END_TEST

START_TEST(long_names)
{
    struct rsp_record r;
    char path[1000];
    memset(path, '0', sizeof path - 1);
    path[sizeof path - 1] = 0;
    memcpy(path, "log/", 4);
    path[36] = '/';
    for (size_t n = 1; n < sizeof path; n++) {
        char *copy = strndup(path, n); /* exact, so that a sanitizer sees overreads */
        ck_assert_int_eq(name_record_parse(copy, &r), 0);
        free(copy);
    }
}
END_TEST

START_TEST(hashed_names)
{
    uint8_t h[32];
    uint64_t n;
    ck_assert_int_eq(name_roles_parse("0000000007-" H, &n, h), 1);
    ck_assert_uint_eq(n, 7);
    ck_assert_mem_eq(h, hash, 32);
    ck_assert_int_eq(name_roles_parse("0000000000-" H, &n, h), 0);
    ck_assert_int_eq(name_roles_parse("000000007-" H, &n, h), 0);
    ck_assert_int_eq(name_roles_parse("0000000007-" H "0", &n, h), 0);
    ck_assert_int_eq(name_roles_parse("0000000007_" H, &n, h), 0);
    ck_assert_int_eq(name_roles_parse("", &n, h), 0);
    ck_assert_int_eq(name_hashed_parse("refs/" H, "refs", h), 1);
    ck_assert_int_eq(name_hashed_parse("refs/" H, "ref", h), 0);
    ck_assert_int_eq(name_hashed_parse("refs/" H "0", "refs", h), 0);
    ck_assert_int_eq(name_hashed_parse("refs", "refs", h), 0);
    ck_assert_int_eq(name_hashed_parse("refs/", "refs", h), 0);
    ck_assert_int_eq(name_hashed_parse("refs/x/" H, "refs", h), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("names");
    TCase *t = tcase_create("names");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, objects);
    tcase_add_test(t, record_and_back);
    tcase_add_test(t, every_kind);
    tcase_add_test(t, calendar);
    tcase_add_loop_test(t, names_that_are_none, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(t, long_names);
    tcase_add_test(t, hashed_names);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
