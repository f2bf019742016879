/* What this is: tests of the rows of a dataset: what is compared, what is left out, in bounded memory.
 * Rests on: rows_test.h.
 * Does not: start servers. */
#include "unit/job/rows_test.h"

/* ---- runs ---- */

START_TEST(in_any_order)
{
    static const size_t runs[] = {1, 7, 100, 5000, 100000};
    struct made a = many(5000, 0, -1, -1), b = many(5000, 1, -1, -1);
    struct rsp_rows *x = rows(&a, NULL, runs[_i]), *y = rows(&b, NULL, 1000);
    ck_assert_uint_eq(rsp_rows_count(x), 5000);
    report.size = sizeof report;
    ck_assert_int_eq(rsp_rows_compare(&env, x, y, NOW, &report), RSP_OK);
    expect(RSP_COMPARE_EQUAL, 5000, 0, 0, 0, 0);
    ck_assert_str_eq(report.first, "");
    ck_assert_int_eq(rsp_rows_compare(&env, y, x, NOW + 1000 + 1500, &report), RSP_OK); /* as often as one likes */
    expect(RSP_COMPARE_EQUAL, 5000 - 501, 0, 0, 0, 501);
    rsp_rows_free(x);
    rsp_rows_free(y);
    made_free(&a);
    made_free(&b);
}
END_TEST

START_TEST(what_differs)
{
    struct made a = many(3000, 0, 2000, -1), b = many(3000, 1, 1001, 777);
    compare(&a, NULL, &b, NOW);
    expect(RSP_COMPARE_DIFFERENT, 2999, 1, 1, 1, 0);
    ck_assert_str_eq(report.first, "db 0: key:777"); /* the first in the dump, whatever the order of the rows */
    compare(&b, NULL, &a, NOW);
    expect(RSP_COMPARE_DIFFERENT, 2999, 1, 1, 1, 0);
    ck_assert_str_eq(report.first, "db 0: key:2000");
    made_free(&a);
    made_free(&b);
}
END_TEST

START_TEST(nothing)
{
    struct made a = many(0, 0, -1, -1), b = many(3, 0, -1, -1);
    compare(&a, NULL, &a, NOW);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 0, 0);
    compare(&a, NULL, &b, NOW);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 3, 0);
    compare(&b, NULL, &a, NOW);
    expect(RSP_COMPARE_DIFFERENT, 3, 3, 0, 0, 0);
    made_free(&a);
    made_free(&b);
}
END_TEST

START_TEST(long_and_odd_names)
{
    char name[400];
    struct made a, none = many(0, 0, -1, -1);
    memset(name, 'n', sizeof name - 1);
    name[0] = '\n';
    name[sizeof name - 1] = 0;
    a = one(name, "v", 0);
    compare(&a, NULL, &none, NOW);
    ck_assert_int_eq(strncmp(report.first, "db 0: \\x0annnn", 13), 0);
    made_free(&a);
    made_free(&none);
}
END_TEST

/* ---- expiries ---- */

/* Of one key in both datasets, with these expiries: what is found. */
START_TEST(expired_on_both_sides)
{
    static const struct {
        int64_t a, b;
        int verdict;
        unsigned keys, changed, expired;
    } cases[] = {
        {0, 0, RSP_COMPARE_EQUAL, 1, 0, 0},
        {NOW + 1, NOW + 1, RSP_COMPARE_EQUAL, 1, 0, 0},
        {NOW + 1, NOW + 2, RSP_COMPARE_DIFFERENT, 1, 1, 0},
        {NOW + 1, 0, RSP_COMPARE_DIFFERENT, 1, 1, 0},
        {NOW, NOW, RSP_COMPARE_EQUAL, 0, 0, 1},
        {NOW, 0, RSP_COMPARE_DIFFERENT, 1, 1, 0}, /* lost its expiry */
        {0, NOW, RSP_COMPARE_DIFFERENT, 1, 1, 0},
        {-5, -5, RSP_COMPARE_EQUAL, 0, 0, 1},
    };
    struct made a = one("k", "v", cases[_i].a), b = one("k", "v", cases[_i].b);
    compare(&a, NULL, &b, NOW);
    expect(cases[_i].verdict, cases[_i].keys, 0, cases[_i].changed, 0, cases[_i].expired);
    made_free(&a);
    made_free(&b);
}
END_TEST

START_TEST(expired_on_one_side)
{
    struct made a = one("k", "v", NOW), none = many(0, 0, -1, -1);
    compare(&a, NULL, &none, NOW);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 0, 1);
    compare(&a, NULL, &none, NOW - 1);
    expect(RSP_COMPARE_DIFFERENT, 1, 1, 0, 0, 0);
    compare(&none, NULL, &a, NOW);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 0, 1);
    made_free(&a);
    made_free(&none);
}
END_TEST

START_TEST(expiries_changed)
{
    struct made soon = one("k", "v", NOW + 5), late = one("k", "v", NOW + 1005), never = one("k", "v", 0);
    struct rsp_compare_side shift = {.ttl = RSP_TTL_SHIFT, .shift_ms = 1000}, persist = {.ttl = RSP_TTL_PERSIST};
    struct rsp_compare_side drop = {.ttl = RSP_TTL_DROP_EXPIRED, .now_ms = NOW + 5};
    struct made far = one("k", "v", INT64_MAX - 3), end = one("k", "v", INT64_MAX);
    compare(&soon, &shift, &late, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&never, &shift, &never, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&far, &shift, &end, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    shift.shift_ms = -1000;
    compare(&late, &shift, &soon, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&soon, &persist, &never, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&soon, &persist, &soon, NOW);
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    compare(&soon, &drop, &soon, NOW);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 1, 0);
    drop.now_ms--;
    compare(&soon, &drop, &soon, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    made_free(&soon), made_free(&late), made_free(&never), made_free(&far), made_free(&end);
}
END_TEST

/* The hash when its second field is gone. */
static struct made only_first(const char *value)
{
    struct made m = {0};
    file_begin(&m, "REDIS0012");
    put_db(&m, 0);
    record_begin(&m, 4, "h");
    put_len(&m, 1);
    put_text(&m, "f");
    put_text(&m, value);
    file_end(&m);
    return m;
}

START_TEST(fields_that_expire)
{
    struct made soon = hash(NOW + 5, "2"), late = hash(NOW + 1005, "2"), never = hash(0, "2"),
                other = hash(NOW + 5, "3");
    struct made none = many(0, 0, -1, -1), first = only_first("1"), stays = only_first("4");
    struct rsp_compare_side shift = {.ttl = RSP_TTL_SHIFT, .shift_ms = 1000}, persist = {.ttl = RSP_TTL_PERSIST};
    compare(&soon, NULL, &soon, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&soon, NULL, &late, NOW);
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    compare(&soon, &shift, &late, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&soon, &persist, &never, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&soon, NULL, &other, NOW);
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    compare(&soon, NULL, &other, NOW + 5); /* whose fields are being removed */
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 0, 1);
    compare(&soon, NULL, &soon, NOW + 5);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&soon, NULL, &none, NOW + 5); /* one field was to stay */
    expect(RSP_COMPARE_DIFFERENT, 1, 1, 0, 0, 0);
    compare(&soon, NULL, &stays, NOW + 5); /* and stayed, but as another */
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    compare(&soon, NULL, &first, NOW + 5);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 0, 1);
    compare(&first, NULL, &soon, NOW + 5);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 0, 1);
    made_free(&soon), made_free(&late), made_free(&never), made_free(&other), made_free(&none);
    made_free(&first), made_free(&stays);
}
END_TEST

/* ---- databases, filters, the same key twice ---- */

static struct made two_dbs(unsigned first, unsigned second, const char *value)
{
    struct made m = {0};
    file_begin(&m, "REDIS0011");
    put_db(&m, first);
    put_key(&m, "k", "one", 0);
    put_db(&m, second);
    put_key(&m, "k", value, 0);
    file_end(&m);
    return m;
}

START_TEST(databases)
{
    static const struct rsp_resp_db map[] = {{3, 9}, {9, 3}}, joined[] = {{3, 5}, {9, 5}};
    struct rsp_compare_side side = {.dbs = map, .dbs_n = 2};
    struct made a = two_dbs(3, 9, "two"), b = two_dbs(9, 3, "two"), last = two_dbs(4, 5, "two");
    compare(&a, NULL, &b, NOW);
    ck_assert_uint_eq(report.changed, 2);
    ck_assert_int_eq(memcmp(report.expected, report.found, 16), 0); /* dd1 does not know databases, rows do */
    compare(&a, &side, &b, NOW);
    expect(RSP_COMPARE_EQUAL, 2, 0, 0, 0, 0);
    side.dbs = joined;
    compare(&a, &side, &last, NOW); /* the later one counts */
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 1, 0);
    side.dbs_n = 1;
    compare(&a, &side, &b, NOW);
    ck_assert_str_eq(report.first, "db 5: k");
    made_free(&a), made_free(&b), made_free(&last);
}
END_TEST

START_TEST(filtered)
{
    struct made a = many(300, 0, -1, -1);
    struct rsp_compare_side side = {.size = sizeof side};
    ck_assert_int_eq(rsp_filter_new(NULL, &side.filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(side.filter, "key", "key:1?"), RSP_OK);
    compare(&a, &side, &a, NOW);
    expect(RSP_COMPARE_EQUAL, 10, 0, 0, 290, 0);
    rsp_filter_free(side.filter);
    made_free(&a);
}
END_TEST

/* ---- faults ---- */

START_TEST(bad_dumps)
{
    struct made m = one("k", "v", 0);
    struct rsp_rows *r = NULL;
    m.p[m.n - 1] ^= 1;
    ck_assert_int_eq(make(&m, NULL, 10, 1, &r), RSP_ECHECKSUM);
    ck_assert_ptr_null(r);
    ck_assert_int_eq(error.code, RSP_ECHECKSUM);
    rsp_error_clear(&error);
    m.n -= 9;
    ck_assert_int_eq(make(&m, NULL, 10, 2, &r), RSP_ETRUNCATED);
    made_free(&m);
    file_begin(&m, "REDIS0011"); /* a listpack that is none */
    record_begin(&m, 16, "h");
    put_text(&m, "nonsense");
    file_end(&m);
    rsp_error_clear(&error);
    ck_assert_int_eq(make(&m, NULL, 10, 2, &r), RSP_EFORMAT);
    ck_assert_int_eq(error.code, RSP_EFORMAT);
    ck_assert_ptr_null(r);
    made_free(&m);
}
END_TEST

START_TEST(cancelled)
{
    static volatile int stop = 1;
    struct made m = one("k", "v", 0);
    struct rsp_source *source = NULL;
    struct rsp_rows *r = NULL;
    ck_assert_int_eq(rsp_source_memory(NULL, m.p, m.n, &source), RSP_OK);
    ck_assert_int_eq(rsp_rows_of(&env, source, NULL, 1, NULL, &stop, &r), RSP_ECANCELED);
    rsp_source_free(source);
    made_free(&m);
}
END_TEST

static unsigned calls, fail_at_call;

static void *resize(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    return ++calls == fail_at_call ? NULL : realloc(p, n);
}

START_TEST(each_allocation_fails)
{
    struct made a = many(300, 0, -1, -1), b = many(300, 1, -1, 7);
    int rc = RSP_ENOMEM;
    env.resize = resize;
    for (fail_at_call = 1; rc == RSP_ENOMEM; fail_at_call++) {
        struct rsp_rows *x = NULL, *y = NULL;
        calls = 0;
        rsp_error_clear(&error);
        rc = make(&a, NULL, 50, 1, &x);
        if (!rc) rc = make(&b, NULL, 50, 1, &y);
        report.size = sizeof report;
        if (!rc) rc = rsp_rows_compare(&env, x, y, NOW, &report);
        if (rc) ck_assert_int_eq(error.code, RSP_ENOMEM);
        rsp_rows_free(x);
        rsp_rows_free(y);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_uint_gt(fail_at_call, 30);
    expect(RSP_COMPARE_DIFFERENT, 300, 0, 1, 0, 0);
    env.resize = NULL;
    made_free(&a), made_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rows");
    TCase *t = tcase_create("rows");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, in_any_order, 0, 5);
    tcase_add_test(t, what_differs);
    tcase_add_test(t, nothing);
    tcase_add_test(t, long_and_odd_names);
    tcase_add_loop_test(t, expired_on_both_sides, 0, 8);
    tcase_add_test(t, expired_on_one_side);
    tcase_add_test(t, expiries_changed);
    tcase_add_test(t, fields_that_expire);
    tcase_add_test(t, databases);
    tcase_add_test(t, filtered);
    tcase_add_test(t, bad_dumps);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, each_allocation_fails);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
