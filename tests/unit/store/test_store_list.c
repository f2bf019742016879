/* What this is: tests of the walks over a file: store: order, foreign names, many objects, leftovers.
 * Rests on: store_dir.h.
 * Does not: make system calls fail (test_store_faults.c). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/store/store_dir.h"

START_TEST(test_order)
{
    static const char *const names[] = {"a/z", "a-b", "a.b/c", "a0",  "a", "ab/c/d",
                                        "b",   "T/1", "a_/Z",  "0/1", "Z", "ab.c"};
    struct rsp_store_counts c;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], "a")) ck_assert_int_eq(put(names[i], "x"), RSP_OK);
    ck_assert_str_eq(list(""), "0/1 T/1 Z a-b a.b/c a/z a0 a_/Z ab.c ab/c/d b ");
    ck_assert_str_eq(list("a/"), "a/z ");
    ck_assert_str_eq(list("ab/"), "ab/c/d ");
    ck_assert_str_eq(list("ab/c/"), "ab/c/d ");
    ck_assert_str_eq(list("none/"), "");
    ck_assert_str_eq(list("none/more/"), "");
    ck_assert_str_eq(list("b/"), "");
    ck_assert_str_eq(list("1/2/3/4/5/6/7/8/"), "");
    rsp_store_count(s, &c);
    ck_assert_uint_eq(c.lists, 8);
}
END_TEST

START_TEST(test_foreign_names)
{
    ck_assert_int_eq(put("a/b", "x"), RSP_OK);
    make_file(".hidden", "x");
    make_file("UPPER", "x");
    make_file("a/with blank", "x");
    make_file("a/.b.respite-01234567.part", "x");
    ck_assert_int_eq(mkdir(path(".git"), 0700), 0);
    make_file(".git/config", "x");
    ck_assert_int_eq(mkdir(path("Name"), 0700), 0);
    make_file("Name/x", "x");
    ck_assert_int_eq(mkfifo(path("a/pipe"), 0600), 0);
    ck_assert_int_eq(mkdir(path("1"), 0700), 0);
    ck_assert_int_eq(mkdir(path("1/2"), 0700), 0);
    ck_assert_int_eq(mkdir(path("1/2/3"), 0700), 0);
    ck_assert_int_eq(mkdir(path("1/2/3/4"), 0700), 0);
    ck_assert_int_eq(mkdir(path("1/2/3/4/5"), 0700), 0);
    ck_assert_int_eq(mkdir(path("1/2/3/4/5/6"), 0700), 0);
    ck_assert_int_eq(mkdir(path("1/2/3/4/5/6/7"), 0700), 0);
    make_file("1/2/3/4/5/6/7/8", "x");
    ck_assert_int_eq(mkdir(path("1/2/3/4/5/6/7/d"), 0700), 0);
    make_file("1/2/3/4/5/6/7/d/9", "x");
    ck_assert_str_eq(list(""), "1/2/3/4/5/6/7/8 a/b ");
    ck_assert_str_eq(list("1/2/3/4/5/6/7/d/"), "");
    uint8_t b[1];
    ck_assert_int_eq(rsp_store_read(s, "a/pipe", 0, b, 1), RSP_ENOTFOUND); /* and does not wait */
}
END_TEST

static int64_t oldest;
static int judge(void *opaque, const struct rsp_store_item *item)
{
    join(NULL, item);
    if (item->mtime_ms < oldest) oldest = item->mtime_ms;
    return opaque && strstr(item->name, (const char *)opaque) != NULL;
}

static int stop_at_first(void *opaque, const struct rsp_store_item *item)
{
    (void)item;
    ++*(int *)opaque;
    return RSP_ECANCELED;
}

START_TEST(test_leftovers)
{
    struct rsp_store *t = opened(url, 0, 1);
    int calls = 0;
    ck_assert_int_eq(put("data/e1/o1", "x"), RSP_OK);
    make_file("data/e1/.o2.respite-0123abcd.part", "12345");
    make_file("data/e1/.o2.respite-0123abcX.part", "no");
    make_file("data/e1/.respite-0123abcd.part", "no");
    make_file(".now.respite-01234567.part", "");
    ck_assert_int_eq(mkdir(path("keys"), 0700), 0);
    ck_assert_int_eq(mkdir(path("keys/e2"), 0700), 0);
    ck_assert_int_eq(mkdir(path("dead"), 0700), 0);
    make_file("dead/.x.respite-01234567.part", "");
    listed[0] = 0;
    oldest = INT64_MAX;
    ck_assert_int_eq(rsp_store_leftovers(s, judge, NULL), RSP_OK);
    ck_assert_str_eq(listed,
                     ".now.respite-01234567.part data/e1/.o2.respite-0123abcd.part dead/.x.respite-01234567.part "
                     "keys/e2/ ");
    ck_assert_int_gt(oldest, 1500000000000);
    ck_assert_int_eq(rsp_store_leftovers(s, stop_at_first, &calls), RSP_ECANCELED);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(rsp_store_leftovers(t, judge, "e"), RSP_EPERM);
    rsp_store_free(t);
    ck_assert_int_eq(rsp_store_leftovers(s, judge, ".o2."), RSP_OK);
    ck_assert_int_eq(access(path("data/e1/.o2.respite-0123abcd.part"), F_OK), -1);
    ck_assert_int_eq(access(path("dead"), F_OK), 0);
    ck_assert_int_eq(rsp_store_leftovers(s, judge, "/"), RSP_OK);
    ck_assert_int_eq(access(path("keys"), F_OK), -1);
    ck_assert_int_eq(access(path("dead"), F_OK), -1);
    ck_assert_int_eq(access(path(".now.respite-01234567.part"), F_OK), 0);
    ck_assert_str_eq(list(""), "data/e1/o1 ");
    ck_assert_int_eq(rsp_store_list(s, "", stop_at_first, &calls), RSP_ECANCELED);
}
END_TEST

static struct {
    int n;
    char last[64];
    uint64_t bytes;
} many;
static int count_many(void *opaque, const struct rsp_store_item *item)
{
    (void)opaque;
    ck_assert_str_lt(many.last, item->name);
    snprintf(many.last, sizeof many.last, "%s", item->name);
    many.n++;
    many.bytes += item->bytes;
    return RSP_OK;
}

START_TEST(test_ten_thousand)
{
    char name[64];
    ck_assert_int_eq(mkdir(path("log"), 0700), 0);
    ck_assert_int_eq(mkdir(path("log/s"), 0700), 0);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "log/s/%010d", (i * 7919) % 10000);
        make_file(name, "abc");
    }
    ck_assert_int_eq(rsp_store_list(s, "log/", count_many, NULL), RSP_OK);
    ck_assert_int_eq(many.n, 10000);
    ck_assert_uint_eq(many.bytes, 30000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store, walks");
    TCase *t = tcase_create("walks");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_foreign_names);
    tcase_add_test(t, test_leftovers);
    tcase_add_test(t, test_ten_thousand);
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
