/* What this is: tests of the token bucket.
 * Rests on: libcheck.
 * Does not: look at a clock: time is told. */
#include <check.h>

#include "job/rate.h"

START_TEST(no_limit)
{
    struct rate r;
    rate_init(&r, 0);
    for (int i = 0; i < 10; i++) ck_assert_int_eq(rate_take(&r, 5, UINT64_MAX), 0);
}
END_TEST

/* What is told to wait is waited: over a long time the rate holds. */
START_TEST(rate_holds)
{
    static const uint64_t sizes[] = {1, 7, 64, 5000};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct rate r;
        int64_t now = 1000;
        uint64_t taken = 0;
        rate_init(&r, 1000);
        while (now < 61000) {
            int64_t wait = rate_take(&r, now, sizes[k]);
            ck_assert_int_ge(wait, 0);
            taken += sizes[k];
            now += wait ? wait : 0;
            if (!wait) continue;
        }
        /* A tenth of a second's burst, and the last one may be overdrawn. */
        ck_assert_uint_ge(taken, 54000);
        ck_assert_uint_le(taken, 60100 + sizes[k]);
    }
}
END_TEST

START_TEST(idle_time_is_not_saved_up)
{
    struct rate r;
    uint64_t taken = 0;
    rate_init(&r, 1000);
    (void)rate_take(&r, 0, 1);
    while (!rate_take(&r, 3600000, 1)) taken++;
    ck_assert_uint_eq(taken, 100);
}
END_TEST

START_TEST(clock_set_back)
{
    struct rate r;
    int64_t wait;
    rate_init(&r, 10);
    (void)rate_take(&r, 100000, 1);
    wait = rate_take(&r, 50000, 10);
    ck_assert_int_eq(wait, 1001);
    ck_assert_int_eq(rate_take(&r, 51001, 0), 0);
}
END_TEST

START_TEST(never_too_long)
{
    struct rate r;
    rate_init(&r, 1);
    ck_assert_int_eq(rate_take(&r, INT64_MIN, UINT64_MAX), 86400000);
    ck_assert_int_ge(rate_take(&r, INT64_MAX, 1), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rate");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_test(t, no_limit);
    tcase_add_test(t, rate_holds);
    tcase_add_test(t, idle_time_is_not_saved_up);
    tcase_add_test(t, clock_set_back);
    tcase_add_test(t, never_too_long);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
