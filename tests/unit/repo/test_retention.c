/* What this is: tests of retention as a pure function: calendars, buckets, branches, floods, planted dates, limits.
 * Rests on: libcheck, repo/retention.h.
 * Does not: need a repository (test_expire.c). */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "repo/retention.h"

#define HOUR 3600000ll
#define DAY 86400000ll
#define MOST 2048

/* 2026-06-30 12:00:00 UTC, a Tuesday: everything is told relative to it. */
#define NOW 1782820800000ll

static struct rsp_env env;
static struct retain_item items[MOST];
static size_t parent[MOST]; /* index of the item before on its branch; MOST: none */
static uint32_t keep[MOST];
static size_t n;
static int flood, asked;

static void setup(void)
{
    env_init(&env, NULL);
    memset(items, 0, sizeof items);
    n = 0;
    flood = 0;
}

/* A good commit of that date and arrival on top of parent p. */
static size_t add_on(size_t p, int64_t date, int64_t arrival)
{
    struct retain_item *it = &items[n];
    memset(it, 0, sizeof *it);
    it->effective_ms = date;
    it->arrival_ms = it->stored_ms = arrival;
    it->plain = 1000;
    it->keys = 100;
    it->living = it->good = 1;
    it->index = n;
    parent[n] = p;
    return n++;
}

static size_t add(int64_t date)
{
    return add_on(n ? n - 1 : MOST, date, date);
}

static int descends(void *opaque, size_t index, size_t ancestor)
{
    (void)opaque;
    asked++;
    while (index != MOST && index > ancestor) index = parent[index];
    return index == ancestor;
}

static void run(const struct rsp_retention *p)
{
    ck_assert_int_eq(retain(&env, p, NOW, items, n, descends, NULL, keep, &flood), RSP_OK);
}

/* 'K' or '.' for each, in order; what only stays for other reasons than the rule is '.'. */
static const char *picture(uint32_t reason)
{
    static char text[MOST + 1];
    for (size_t i = 0; i < n; i++) text[i] = keep[i] & reason ? 'K' : '.';
    text[n] = 0;
    return text;
}

/* ---- calendar ---- */

START_TEST(buckets_are_calendars_in_utc)
{
    static const struct {
        uint32_t reason;
        int64_t a, b;
        int same;
    } t[] = {
        {RSP_KEEP_HOURLY, 0, HOUR - 1, 1},
        {RSP_KEEP_HOURLY, 0, HOUR, 0},
        {RSP_KEEP_HOURLY, -1, 0, 0},
        {RSP_KEEP_DAILY, 0, DAY - 1, 1},
        {RSP_KEEP_DAILY, -DAY, -1, 1},
        {RSP_KEEP_DAILY, DAY - 1, DAY, 0},
        {RSP_KEEP_WEEKLY, -3 * DAY, 4 * DAY - 1, 1}, /* Monday 1969-12-29 to Sunday */
        {RSP_KEEP_WEEKLY, 4 * DAY - 1, 4 * DAY, 0},
        {RSP_KEEP_WEEKLY, 1767571200000, 1767571200000 - 1, 0},        /* Monday 2026-01-05 */
        {RSP_KEEP_WEEKLY, 1766966400000, 1767571200000 - 1, 1},        /* Monday 2025-12-29 to 2026-01-04 */
        {RSP_KEEP_MONTHLY, 1772236800000, 1772323200000 - 1, 1},       /* 2026-02-28 */
        {RSP_KEEP_MONTHLY, 1772323200000 - 1, 1772323200000, 0},       /* to 2026-03-01 */
        {RSP_KEEP_MONTHLY, 1709164800000, 1709164800000 + DAY - 1, 1}, /* 2024-02-29 */
        {RSP_KEEP_MONTHLY, 1709164800000 + DAY - 1, 1709164800000 + DAY, 0},
        {RSP_KEEP_MONTHLY, 951782400000, 951782400000 - 28 * DAY, 1}, /* 2000-02-29, 02-01 */
        {RSP_KEEP_MONTHLY, 1767225600000, 1767225600000 - 1, 0},      /* 2026-01-01 */
        {RSP_KEEP_YEARLY, 1767225600000, 1767225600000 - 1, 0},
        {RSP_KEEP_YEARLY, 1767225600000, 1798761600000 - 1, 1}, /* all of 2026 */
        {RSP_KEEP_YEARLY, -1, 0, 0},
        {RSP_KEEP_YEARLY, -1, -365 * DAY, 1},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        int64_t a = retain_bucket(t[i].reason, t[i].a), b = retain_bucket(t[i].reason, t[i].b);
        ck_assert_msg((a == b) == t[i].same, "row %zu: %lld and %lld", i, (long long)a, (long long)b);
        if (a != b) ck_assert_int_eq(t[i].a < t[i].b, a < b);
    }
    ck_assert_int_eq(retain_bucket(RSP_KEEP_YEARLY, 1767225600000), 2026);
    ck_assert_int_eq(retain_bucket(RSP_KEEP_MONTHLY, 1767225600000), 2026 * 12);
    retain_bucket(RSP_KEEP_MONTHLY, INT64_MAX); /* no overflow: the sanitizer looks */
    retain_bucket(RSP_KEEP_YEARLY, INT64_MIN);
}
END_TEST

/* Every day of 400 years has the month that counting gives. */
START_TEST(months_of_four_centuries)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = -135140; /* 1600-01-01 */
    for (int year = 1600; year < 2001; year++)
        for (int month = 0; month < 12; month++) {
            int leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
            int last = days[month] + (month == 1 && leap);
            ck_assert_int_eq(retain_bucket(RSP_KEEP_MONTHLY, day * DAY), year * 12 + month);
            day += last;
            ck_assert_int_eq(retain_bucket(RSP_KEEP_MONTHLY, day * DAY - 1), year * 12 + month);
        }
}
END_TEST

/* ---- rules ---- */

START_TEST(the_first_of_each_bucket_holds_its_place)
{
    for (int day = 10; day > 0; day--)
        for (int i = 0; i < 3; i++) add(NOW - day * DAY + i * HOUR);
    run(&(struct rsp_retention){.daily = 4});
    ck_assert_str_eq(picture(RSP_KEEP_DAILY), "..................K..K..K..K..");
    ck_assert_str_eq(picture(RSP_KEEP_LAST_GOOD), ".............................K");
    run(&(struct rsp_retention){.last = 2});
    ck_assert_str_eq(picture(RSP_KEEP_LAST), "............................KK");
    run(&(struct rsp_retention){.hourly = 2});
    ck_assert_str_eq(picture(RSP_KEEP_HOURLY), "............................KK");
    run(&(struct rsp_retention){.within_ms = DAY});
    ck_assert_str_eq(picture(RSP_KEEP_WITHIN), "...........................KKK");
}
END_TEST

START_TEST(only_buckets_that_have_one_count)
{
    static const int days[] = {400, 370, 100, 98, 40, 39, 9, 2, 1};
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) add(NOW - days[i] * DAY);
    run(&(struct rsp_retention){.weekly = 3});
    ck_assert_str_eq(picture(RSP_KEEP_WEEKLY), "......KKK"); /* a Sunday, a Sunday, a Monday */
    run(&(struct rsp_retention){.monthly = 3});
    ck_assert_str_eq(picture(RSP_KEEP_MONTHLY), "..K.K.K..");
    run(&(struct rsp_retention){.yearly = 5});
    ck_assert_str_eq(picture(RSP_KEEP_YEARLY), "K.K......");
}
END_TEST

/* The same policy day after day: what has a place keeps it until its bucket is too old. */
START_TEST(places_do_not_move)
{
    struct rsp_retention p = {.daily = 3, .monthly = 12};
    for (int day = 90; day > 0; day--) {
        add(NOW - day * DAY);
        for (int runs = 0; runs < 2; runs++) {
            run(&p);
            for (size_t i = 0; i < n; i++)
                if (items[i].living && !keep[i]) items[i].living = 0;
        }
    }
    for (size_t i = 0; i < n; i++) {
        int first = !i || retain_bucket(RSP_KEEP_MONTHLY, items[i].effective_ms) !=
                              retain_bucket(RSP_KEEP_MONTHLY, items[i - 1].effective_ms);
        ck_assert_int_eq(items[i].living, first || i + 3 >= n);
    }
}
END_TEST

START_TEST(branches_keep_places_of_their_own)
{
    size_t root = add_on(MOST, NOW - 3 * DAY, NOW - 3 * DAY);
    size_t a = add_on(root, NOW - 2 * DAY, NOW - 2 * DAY);
    size_t a2 = add_on(a, NOW - 2 * DAY + HOUR, NOW - 2 * DAY + HOUR);
    size_t b = add_on(root, NOW - 2 * DAY + 2 * HOUR, NOW - 2 * DAY + 2 * HOUR);
    add_on(b, NOW - 2 * DAY + 3 * HOUR, NOW - 2 * DAY + 3 * HOUR);
    add_on(a2, NOW - DAY, NOW - DAY);
    run(&(struct rsp_retention){.daily = 3});
    ck_assert_str_eq(picture(RSP_KEEP_DAILY), "KK.K.K");
}
END_TEST

/* ---- what a stolen writer tries ---- */

/* A year of days, then a thousand commits that claim those days. */
START_TEST(planted_dates_take_no_place_and_use_up_no_bucket)
{
    char before[MOST + 1];
    size_t honest;
    struct rsp_retention p = {.daily = 7, .weekly = 5, .monthly = 12, .yearly = 5};
    for (int day = 360; day > 0; day -= 2) add(NOW - day * DAY); /* every other day: there are gaps to plant in */
    add(NOW - 2 * HOUR);                                         /* whoever may write today may use up today */
    run(&p);
    honest = n;
    snprintf(before, sizeof before, "%s", picture(~(uint32_t)RSP_KEEP_LAST_GOOD & ~(uint32_t)RSP_KEEP_LIMIT));
    for (int i = 0; i < 1000; i++) /* on the head, on old parents, without any */
        add_on(i % 3 == 0 ? n - 1 : i % 3 == 1 ? (size_t)i % honest : MOST, NOW - (i % 361) * DAY + i, NOW - HOUR + i);
    run(&p);
    ck_assert_int_eq(flood, 1);
    ck_assert_int_eq(strncmp(before, picture(~(uint32_t)RSP_KEEP_LAST_GOOD & ~(uint32_t)RSP_KEEP_LIMIT), honest), 0);
}
END_TEST

/* A fork from an old parent, dated like its neighbours. */
START_TEST(a_fork_from_an_old_parent_displaces_nobody)
{
    size_t old[30];
    for (int i = 0; i < 30; i++) old[i] = add(NOW - (40 - i) * DAY);
    for (int i = 0; i < 10; i++) add(NOW - (10 - i) * DAY);
    run(&(struct rsp_retention){.daily = 60});
    for (size_t i = 0; i < n; i++) ck_assert(keep[i] & RSP_KEEP_DAILY);
    add_on(old[4], NOW - 35 * DAY - HOUR, NOW - HOUR); /* before old[5], on another branch */
    add_on(n - 1, NOW - 35 * DAY - HOUR + 1, NOW - HOUR + 1);
    run(&(struct rsp_retention){.daily = 60});
    for (size_t i = 0; i < 40; i++) ck_assert(keep[i] & RSP_KEEP_DAILY);
    ck_assert(!(keep[41] & RSP_KEEP_DAILY)); /* its own branch has that day already */
}
END_TEST

START_TEST(a_date_near_its_arrival_is_honest)
{
    for (int i = 5; i > 0; i--) add_on(n ? n - 1 : MOST, (NOW / DAY - i) * DAY - 1000, (NOW / DAY - i) * DAY + 1000);
    run(&(struct rsp_retention){.daily = 2}); /* each arrived a day later than it was made, by two seconds */
    ck_assert_str_eq(picture(RSP_KEEP_DAILY), "...KK");
}
END_TEST

START_TEST(one_whose_dates_disagree_holds_no_place_against_an_honest_one)
{
    add_on(MOST, NOW - 9 * DAY, NOW - HOUR); /* an ancestor, but its arrival says otherwise */
    add_on(0, NOW - 9 * DAY + 1000, NOW - 9 * DAY + 1000);
    add_on(1, NOW - 9 * DAY + 2000, NOW - 9 * DAY + 2000);
    add_on(1, NOW - 9 * DAY + 3000, NOW - HOUR);
    run(&(struct rsp_retention){.daily = 2});
    ck_assert_str_eq(picture(RSP_KEEP_DAILY), "KK..");
}
END_TEST

START_TEST(a_flood_today_stops_the_run)
{
    for (int day = 20; day > 0; day--) add(NOW - day * DAY - HOUR);
    for (int i = 0; i < 10; i++) add(NOW - 2 * HOUR + i);
    run(&(struct rsp_retention){.last = 1});
    ck_assert_int_eq(flood, 0);
    ck_assert_uint_eq(keep[0], 0);
    add(NOW - HOUR);
    run(&(struct rsp_retention){.last = 1});
    ck_assert_int_eq(flood, 1);
    for (size_t i = 0; i < n; i++) ck_assert_uint_ne(keep[i], 0);
    ck_assert_uint_eq(keep[0], RSP_KEEP_LIMIT);
}
END_TEST

START_TEST(a_busy_source_is_no_flood)
{
    for (int hour = 24 * 10; hour > 0; hour--) add(NOW - hour * HOUR);
    for (int i = 0; i < 100; i++) add(NOW - HOUR / 2 + i);
    run(&(struct rsp_retention){.last = 1});
    ck_assert_int_eq(flood, 0);
    for (int i = 0; i < 120; i++) add(NOW - HOUR / 4 + i);
    run(&(struct rsp_retention){.last = 1});
    ck_assert_int_eq(flood, 1);
}
END_TEST

START_TEST(a_copy_arrives_when_its_origin_had_it)
{
    for (int day = 30; day > 0; day--) add_on(n ? n - 1 : MOST, NOW - day * DAY, NOW - day * DAY);
    for (size_t i = 0; i < n; i++) items[i].stored_ms = NOW - HOUR;
    run(&(struct rsp_retention){.daily = 2});
    ck_assert_int_eq(flood, 0);
    ck_assert_uint_eq(keep[0], 0);
    run(&(struct rsp_retention){.daily = 2, .min_age_ms = DAY}); /* but it is young here */
    ck_assert_uint_eq(keep[0], RSP_KEEP_YOUNG);
}
END_TEST

/* ---- never retired ---- */

START_TEST(young_ones_stay_by_the_later_time)
{
    struct rsp_retention p = {.last = 1, .min_age_ms = DAY};
    add_on(MOST, NOW - 9 * DAY, NOW - 9 * DAY);
    add_on(0, NOW - 8 * DAY, NOW - DAY + 1); /* an old date, but it arrived today */
    add_on(1, NOW - DAY, NOW - DAY);
    add_on(2, NOW - DAY + 1, NOW - DAY + 1);
    add_on(3, NOW - HOUR, NOW - HOUR);
    run(&p);
    ck_assert_uint_eq(keep[0], 0);
    ck_assert_uint_eq(keep[1], RSP_KEEP_YOUNG);
    ck_assert_uint_eq(keep[2], 0);
    ck_assert_uint_eq(keep[3], RSP_KEEP_YOUNG);
    ck_assert(keep[4] & RSP_KEEP_LAST);
    items[0].stored_ms = INT64_MAX; /* a store whose clock runs wild */
    items[2].effective_ms = INT64_MIN;
    run(&p);
    ck_assert_uint_eq(keep[0], RSP_KEEP_YOUNG);
    ck_assert_uint_eq(keep[2], 0);
}
END_TEST

START_TEST(pinned_ones_stay)
{
    for (int day = 9; day > 0; day--) add(NOW - day * DAY);
    items[2].pinned = 1;
    run(&(struct rsp_retention){.last = 1});
    ck_assert_uint_eq(keep[2], RSP_KEEP_PINNED);
    ck_assert_uint_eq(keep[1], 0);
}
END_TEST

START_TEST(thirty_percent_go_at_once_the_oldest_first)
{
    for (int day = 100; day > 0; day--) add(NOW - day * DAY);
    run(&(struct rsp_retention){.last = 10});
    for (size_t i = 0; i < 100; i++) {
        if (i < 30) ck_assert_uint_eq(keep[i], 0);
        else if (i < 90) ck_assert_uint_eq(keep[i], RSP_KEEP_LIMIT);
        else ck_assert(keep[i] & RSP_KEEP_LAST);
    }
    n = 8;
    run(&(struct rsp_retention){.last = 1});
    ck_assert_str_eq(picture(RSP_KEEP_LIMIT), "...KKKK.");
    for (size_t i = 0; i < 3; i++) items[i].living = 0; /* the next run goes on */
    run(&(struct rsp_retention){.last = 1});
    ck_assert_str_eq(picture(RSP_KEEP_LIMIT), "......K.");
    ck_assert_uint_eq(keep[0], 0);
}
END_TEST

START_TEST(one_that_is_not_good_displaces_no_good_one)
{
    for (int day = 9; day > 3; day--) add(NOW - day * DAY);
    for (int day = 3; day > 0; day--) items[add(NOW - day * DAY)].good = 0;
    run(&(struct rsp_retention){.daily = 3});
    ck_assert_str_eq(picture(RSP_KEEP_DAILY), "...KKKKKK");
    run(&(struct rsp_retention){.last = 2});
    ck_assert_str_eq(picture(RSP_KEEP_LAST), "....KK.KK");
    ck_assert_str_eq(picture(RSP_KEEP_LAST_GOOD), ".....K...");
    setup();
    items[add(NOW - DAY)].good = 0; /* the first of the day is not good, the second is: both stay */
    add(NOW - DAY + 1000);
    add(NOW - DAY + 2000);
    run(&(struct rsp_retention){.daily = 1});
    ck_assert_str_eq(picture(RSP_KEEP_DAILY), "KK.");
}
END_TEST

static size_t last_good(void)
{
    size_t last = 0;
    ck_assert_int_eq(retain_last_good(&env, items, n, &last), RSP_OK);
    return last;
}

START_TEST(the_last_good_one_has_its_usual_size)
{
    ck_assert(last_good() == RETAIN_NONE);
    for (int i = 0; i < 9; i++) add(NOW - (20 - i) * DAY);
    ck_assert_uint_eq(last_good(), 8);
    items[add(NOW - 8 * DAY)].plain = 499; /* below half */
    ck_assert_uint_eq(last_good(), 8);
    items[9].plain = 500;
    ck_assert_uint_eq(last_good(), 9);
    items[9].keys = 49;
    ck_assert_uint_eq(last_good(), 8);
    items[9].accepted = 1;
    ck_assert_uint_eq(last_good(), 9);
    items[add(NOW - 7 * DAY)].keys = 50; /* measured by what was accepted */
    ck_assert_uint_eq(last_good(), 10);
    items[10].good = 0;
    ck_assert_uint_eq(last_good(), 9);
    items[9].living = 0;
    ck_assert_uint_eq(last_good(), 8);
    items[7].keys = 0; /* one small one among them changes no median */
    ck_assert_uint_eq(last_good(), 8);
    for (size_t i = 0; i < n; i++) items[i].good = 0;
    ck_assert(last_good() == RETAIN_NONE);
    run(&(struct rsp_retention){.within_ms = HOUR}); /* none is good: the newest stays all the same */
    ck_assert_uint_eq(keep[10], RSP_KEEP_LAST_GOOD);
}
END_TEST

START_TEST(an_emptied_database_does_not_replace_the_full_one)
{
    for (int day = 60; day > 30; day--) add(NOW - day * DAY);
    for (int day = 30; day > 0; day--) {
        size_t i = add(NOW - day * DAY);
        items[i].keys = 0;
        items[i].plain = 90;
    }
    run(&(struct rsp_retention){.daily = 7});
    ck_assert_uint_eq(keep[29], RSP_KEEP_LAST_GOOD);
    ck_assert_uint_eq(keep[0], 0);
}
END_TEST

START_TEST(dead_ones_are_not_judged)
{
    for (int day = 5; day > 0; day--) add(NOW - day * DAY);
    items[4].living = 0;
    run(&(struct rsp_retention){.daily = 1});
    ck_assert_str_eq(picture(RSP_KEEP_DAILY), "...K.");
    ck_assert_uint_eq(keep[4], 0);
    n = 0;
    run(&(struct rsp_retention){.daily = 1});
    ck_assert_int_eq(flood, 0);
}
END_TEST

/* ---- resources ---- */

static int left;
static void *failing(void *opaque, void *p, size_t old_size, size_t new_size)
{
    (void)opaque, (void)old_size;
    if (!new_size) {
        free(p);
        return NULL;
    }
    return left-- > 0 ? realloc(p, new_size) : NULL;
}

START_TEST(each_allocation_may_fail)
{
    struct rsp_env poor = env;
    int rc = RSP_ENOMEM, tries = 0;
    poor.resize = failing;
    for (int day = 9; day > 0; day--) add(NOW - day * DAY);
    for (; rc == RSP_ENOMEM && tries < 100; tries++) {
        left = tries;
        rc = retain(&poor, &(struct rsp_retention){.daily = 1}, NOW, items, n, descends, NULL, keep, &flood);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(tries, 2);
}
END_TEST

/* A long chain asks each bucket's holder, not everybody about everybody. */
START_TEST(a_long_history_is_judged_in_few_questions)
{
    for (int i = MOST; i > 0; i--) add(NOW - i * HOUR);
    asked = 0;
    run(&(struct rsp_retention){.hourly = 48, .daily = 30, .weekly = 10, .monthly = 12, .yearly = 5});
    ck_assert_int_lt(asked, 10 * MOST);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("retention");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, buckets_are_calendars_in_utc);
    tcase_add_test(t, months_of_four_centuries);
    tcase_add_test(t, the_first_of_each_bucket_holds_its_place);
    tcase_add_test(t, only_buckets_that_have_one_count);
    tcase_add_test(t, places_do_not_move);
    tcase_add_test(t, branches_keep_places_of_their_own);
    tcase_add_test(t, planted_dates_take_no_place_and_use_up_no_bucket);
    tcase_add_test(t, a_fork_from_an_old_parent_displaces_nobody);
    tcase_add_test(t, a_date_near_its_arrival_is_honest);
    tcase_add_test(t, one_whose_dates_disagree_holds_no_place_against_an_honest_one);
    tcase_add_test(t, a_flood_today_stops_the_run);
    tcase_add_test(t, a_busy_source_is_no_flood);
    tcase_add_test(t, a_copy_arrives_when_its_origin_had_it);
    tcase_add_test(t, young_ones_stay_by_the_later_time);
    tcase_add_test(t, pinned_ones_stay);
    tcase_add_test(t, thirty_percent_go_at_once_the_oldest_first);
    tcase_add_test(t, one_that_is_not_good_displaces_no_good_one);
    tcase_add_test(t, the_last_good_one_has_its_usual_size);
    tcase_add_test(t, an_emptied_database_does_not_replace_the_full_one);
    tcase_add_test(t, dead_ones_are_not_judged);
    tcase_add_test(t, each_allocation_may_fail);
    tcase_add_test(t, a_long_history_is_judged_in_few_questions);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
