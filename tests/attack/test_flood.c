/* What this is: floods and planted dates by a stolen writer against retention: the same hundred days with and without him.
 *   Named in respite-security(7).
 *   LDFLAGS: -Wl,--wrap=rsp_store_now,--wrap=rsp_store_put,--wrap=rsp_store_list,--wrap=rsp_store_stat
 * Rests on: libcheck, fixture/yard.h. The store's clock is the test's: what is written gets its time stamp, which a writer
 *   cannot set. In a directory that is the file's; of a remote store the times in its answers are replaced. */
#include <check.h>
#undef fail
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fixture/yard.h"
#include "repo/repo_impl.h"

#define HOUR (YARD_DAY / 24)
#define BEGIN (18500 * YARD_DAY) /* in August 2020: before anything that the kernel stamps by itself */
#define DAYS_MAX 160

static struct yard y;
static int64_t clock_ms; /* the store's and the honest host's */

int __wrap_rsp_store_now(struct rsp_store *store, int64_t *ms);
int __wrap_rsp_store_now(struct rsp_store *store, int64_t *ms)
{
    (void)store;
    *ms = clock_ms;
    return RSP_OK;
}

/* ---- when what is in a remote store arrived ---- */

#define ARRIVALS 4096 /* a power of two, far above what a test writes */
static struct arrival {
    char name[NAME_MAX_BYTES];
    int64_t ms;
} arrivals[ARRIVALS];
static size_t arrivals_n;

static struct arrival *arrival_of(const char *name)
{
    uint32_t h = 2166136261u;
    for (const char *c = name; *c; c++) h = (h ^ (uint8_t)*c) * 16777619u;
    while (*arrivals[h % ARRIVALS].name && strcmp(arrivals[h % ARRIVALS].name, name)) h++;
    return &arrivals[h % ARRIVALS];
}

static void forget_arrivals(void)
{
    memset(arrivals, 0, sizeof arrivals);
    arrivals_n = 0;
}

int __real_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n);
int __wrap_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n);
int __wrap_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n)
{
    int rc = __real_rsp_store_put(store, name, p, n);
    struct arrival *a;
    if (rc || !yard_is_remote()) return rc;
    a = arrival_of(name);
    if (*a->name) return rc;
    ck_assert_uint_lt(++arrivals_n, ARRIVALS / 2);
    snprintf(a->name, sizeof a->name, "%s", name);
    a->ms = clock_ms;
    return rc;
}

struct telling {
    int (*each)(void *, const struct rsp_store_item *);
    void *opaque;
};
static int tell(void *opaque, const struct rsp_store_item *item)
{
    const struct telling *t = opaque;
    struct rsp_store_item told = *item;
    const struct arrival *a = arrival_of(item->name);
    if (*a->name) told.mtime_ms = a->ms;
    return t->each(t->opaque, &told);
}

int __real_rsp_store_list(struct rsp_store *store, const char *prefix,
                          int (*each)(void *, const struct rsp_store_item *), void *opaque);
int __wrap_rsp_store_list(struct rsp_store *store, const char *prefix,
                          int (*each)(void *, const struct rsp_store_item *), void *opaque);
int __wrap_rsp_store_list(struct rsp_store *store, const char *prefix,
                          int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    struct telling t = {each, opaque};
    return __real_rsp_store_list(store, prefix, tell, &t);
}

int __real_rsp_store_stat(struct rsp_store *store, const char *name, struct rsp_store_item *item);
int __wrap_rsp_store_stat(struct rsp_store *store, const char *name, struct rsp_store_item *item);
int __wrap_rsp_store_stat(struct rsp_store *store, const char *name, struct rsp_store_item *item)
{
    int rc = __real_rsp_store_stat(store, name, item);
    const struct arrival *a = arrival_of(name);
    if (!rc && *a->name) item->mtime_ms = a->ms;
    return rc;
}

/* ---- in a directory ---- */

static int stamp_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    struct timespec t[2];
    (void)ftw;
    if (flag != FTW_F || (int64_t)st->st_mtim.tv_sec * 1000 < BEGIN + 1000 * YARD_DAY) return 0; /* has its stamp */
    t[0].tv_sec = t[1].tv_sec = (time_t)(clock_ms / 1000);
    t[0].tv_nsec = t[1].tv_nsec = (long)(clock_ms % 1000) * 1000000;
    return utimensat(AT_FDCWD, path, t, 0);
}

/* What was written since the last call arrived now. */
static void stamp(void)
{
    char path[512];
    struct stat st;
    if (yard_is_remote()) return; /* it has, since it was put */
    yard_path(&y, "log", path);
    if (stat(path, &st)) return; /* nothing yet */
    ck_assert_int_eq(nftw(path, stamp_one, 16, FTW_PHYS), 0);
}

/* ---- the honest ones ---- */

static uint8_t good[DAYS_MAX][32]; /* hash of each good snapshot */
static size_t goods, old_goods;    /* old: from before the thief came */

static void sign_commit(struct rsp_log *log, int64_t time_ms, uint8_t hash[32])
{
    y.now_ms = time_ms - HOUR; /* yard_commit adds it */
    struct rsp_record *r = yard_commit(&y, log);
    if (hash) memcpy(hash, r->hash, 32);
    y.now_ms = clock_ms;
}

static struct rsp_log *load(struct rsp_repo **repo)
{
    stamp();
    *repo = yard_host(&y);
    return yard_log(*repo);
}

static void backup(int64_t at)
{
    struct rsp_repo *repo;
    clock_ms = at;
    struct rsp_log *log = load(&repo);
    sign_commit(log, clock_ms, good[goods++]);
    rsp_log_free(log);
    rsp_repo_free(repo);
    stamp();
}

/* Good snapshots at three o'clock, one every `every` days, until day number `days`. */
static void good_days(int days, int every)
{
    struct rsp_repo *repo;
    yard_open(&y);
    forget_arrivals();
    goods = 0;
    clock_ms = y.now_ms = BEGIN;
    struct rsp_log *log = load(&repo);
    for (int day = 0; day < days; day += every) {
        clock_ms = BEGIN + day * YARD_DAY + 3 * HOUR;
        sign_commit(log, clock_ms, good[goods++]);
        stamp();
    }
    rsp_log_free(log);
    rsp_repo_free(repo);
}

static size_t expire(const struct rsp_retention *policy, int *flood)
{
    struct rsp_expire_report report = {.size = sizeof report};
    struct rsp_repo *repo = NULL;
    size_t retired;
    stamp();
    ck_assert_int_eq(yard_repo(&y, 0, &y.keeper, 1, &repo), RSP_OK);
    struct rsp_log *log = yard_log(repo);
    y.now_ms = clock_ms;
    ck_assert_msg(rsp_expire(log, policy, 0, &report) == RSP_OK, "%s", y.error.message);
    retired = report.retired;
    if (flood) *flood = report.flood;
    rsp_expire_report_free(log, &report);
    rsp_log_free(log);
    rsp_repo_free(repo);
    stamp();
    return retired;
}

/* Again and again until nothing is left to retire. */
static void expire_all(const struct rsp_retention *policy)
{
    int rounds = 0;
    while (expire(policy, NULL)) ck_assert_int_lt(rounds++, 80);
}

static void survivors(uint8_t alive[DAYS_MAX])
{
    struct rsp_repo *repo = NULL;
    ck_assert_int_eq(yard_repo(&y, 0, NULL, 0, &repo), RSP_OK);
    struct rsp_log *log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    for (size_t i = 0; i < goods; i++) alive[i] = (uint8_t)rsp_record_living(rsp_log_by_hash(log, good[i]));
    rsp_log_free(log);
    rsp_repo_free(repo);
}

static size_t count(const uint8_t *alive, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += alive[i];
    return sum;
}

/* ---- the thief: he has the writer's identity, any clock he likes, and puts files where a writer may ---- */

/* Dated as he likes, on top of everything that he sees. */
static void plant_on_top(int64_t date)
{
    struct rsp_repo *repo;
    struct rsp_log *log = load(&repo);
    sign_commit(log, date, NULL);
    rsp_log_free(log);
    rsp_repo_free(repo);
    stamp();
}

/* Dated as he likes, beside everything that came after that good one. */
static void plant_fork(size_t parent, int64_t date)
{
    struct rsp_repo *repo;
    struct rsp_log *log = load(&repo);
    struct yard_plan plan = {
        .signer = y.host, .kind = RSP_REC_COMMIT, .parent = rsp_log_by_hash(log, good[parent]), .time_ms = date};
    yard_plant(&y, &plan, NULL);
    rsp_log_free(log);
    rsp_repo_free(repo);
    stamp();
}

static void plant_root(int64_t date)
{
    struct yard_plan plan = {.signer = y.host, .kind = RSP_REC_COMMIT, .time_ms = date};
    yard_plant(&y, &plan, NULL);
    stamp();
}

/* ---- with and without him ---- */

#define ROUNDS 9
typedef void attack_fn(int round);

/* A hundred good days, then rounds of a day each: he at one o'clock, the good one at three, expire at four. In the end all
 * that can go has gone. */
static void live_through(attack_fn *attack, const struct rsp_retention *policy, int every, uint8_t alive[DAYS_MAX])
{
    good_days(100, every);
    old_goods = goods;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t midnight = BEGIN + (100 + round) * YARD_DAY;
        clock_ms = midnight + HOUR;
        if (attack) attack(round);
        if (!(round % every)) backup(midnight + 3 * HOUR);
        clock_ms = midnight + 4 * HOUR;
        expire(policy, NULL);
    }
    clock_ms = BEGIN + (100 + ROUNDS) * YARD_DAY + 5 * HOUR;
    expire_all(policy);
    survivors(alive);
}

/* Every good snapshot from before he came that lives without him lives with him. every: days between the good ones. */
static void never_fewer_every(int every, attack_fn *attack, const struct rsp_retention *policy)
{
    uint8_t without[DAYS_MAX], with[DAYS_MAX];
    live_through(NULL, policy, every, without);
    size_t n = old_goods;
    yard_close(&y);
    ck_assert_uint_ge(count(without, n), 5); /* there is something to lose */
    ck_assert_uint_lt(count(without, n), n - 5);
    live_through(attack, policy, every, with);
    ck_assert_uint_eq(n, old_goods);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(with[i] >= without[i], "good snapshot %zu is gone (%zu of %zu are left)", i, count(with, n),
                      count(without, n));
    yard_close(&y);
}

static void never_fewer(attack_fn *attack, const struct rsp_retention *policy)
{
    never_fewer_every(1, attack, policy);
}

static const struct rsp_retention usual = {
    .size = sizeof usual, .daily = 7, .weekly = 4, .monthly = 6, .min_age_ms = YARD_DAY};

/* A snapshot into every bucket of the past: the script that empties a repository which goes by the dates of its snapshots.
 * At first all at once, later a few a day, so that no count of a day gives him away. */
static void dates_on_top(int round)
{
    int64_t now = clock_ms;
    for (int day = 1; day <= (round ? 0 : 14); day++) plant_on_top(now - day * YARD_DAY);
    for (int week = 1; week <= (round ? 2 : 9); week++) plant_on_top(now - (week + round) * 7 * YARD_DAY);
    for (int month = 1; month <= (round ? 2 : 7); month++) plant_on_top(now - (month * 30 + round) * YARD_DAY);
    plant_on_top(now + 400 * YARD_DAY); /* and one that wants to be the newest for ever */
    for (int i = 0; i < (round ? 4 : 0); i++) plant_on_top(now);
}

START_TEST(planted_dates)
{
    never_fewer(dates_on_top, &usual);
}
END_TEST

/* Into the days between the good ones of every third day: seven days with a snapshot reach back three weeks, and would reach
 * back one when his were counted. */
static void into_empty_days(int round)
{
    for (int i = 0; i < (round ? 8 : 60); i++) {
        int64_t day = 99 - (i + round * 8) % 66;
        if (i % 2) plant_root(BEGIN + day * YARD_DAY + 5 * HOUR);
        else plant_fork((size_t)(day / 3), BEGIN + day * YARD_DAY + 5 * HOUR);
    }
}

START_TEST(planted_dates_in_empty_days)
{
    never_fewer_every(3, into_empty_days, &usual);
}
END_TEST

/* Beside the good ones, each a moment before or after the one whose place it wants. */
static void forks(int round)
{
    for (size_t i = 0; i < (round ? 3u : 30u); i++) {
        size_t target = old_goods - 1 - (i * 3 + (size_t)round) % (old_goods - 1);
        int64_t date = BEGIN + (int64_t)target * YARD_DAY + 3 * HOUR;
        plant_fork(target - 1, date - 60000); /* sooner: it would be the first of that day */
        plant_fork(target, date + 60000);     /* later: it would be the last */
    }
    plant_root(BEGIN + 5 * YARD_DAY);
    plant_root(BEGIN - 500 * YARD_DAY);
}

START_TEST(fork_from_an_old_parent)
{
    never_fewer(forks, &usual);
}
END_TEST

/* The branch that he begins long ago goes on from there, day by day: a false history beside the true one. */
static void false_history(int round)
{
    uint8_t parent[32];
    memcpy(parent, good[0], 32);
    for (int i = 1; i < 100; i += round ? 12 : 1) {
        struct rsp_repo *repo;
        struct rsp_log *log = load(&repo);
        struct yard_plan plan = {.signer = y.host,
                                 .kind = RSP_REC_COMMIT,
                                 .parent = rsp_log_by_hash(log, parent),
                                 .time_ms = BEGIN + i * YARD_DAY + 2 * HOUR + round};
        yard_plant(&y, &plan, parent);
        rsp_log_free(log);
        rsp_repo_free(repo);
    }
    stamp();
}

START_TEST(a_false_history)
{
    never_fewer(false_history, &usual);
}
END_TEST

/* Says of each that it is a copy, and that the store it comes from had it long ago: a keeper may say so, a writer not. */
static void claimed_origins(int round)
{
    static struct rsp_identity *writer;
    if (!round) {
        rsp_identity_free(writer);
        writer = NULL;
        ck_assert_int_eq(rsp_identity_new(&y.env, "writer", &writer), RSP_OK);
        yard_admit(&y, writer, "writer", RSP_ROLE_WRITE, NULL);
    }
    for (size_t i = 0; i < (round ? 4u : 40u); i++) {
        struct rsp_repo *repo;
        struct rsp_log *log = load(&repo);
        int64_t day = 98 - (int64_t)(i * 2 + (size_t)round * 8) % 90, date = BEGIN + day * YARD_DAY + 2 * HOUR;
        struct yard_plan plan = {.signer = writer,
                                 .kind = RSP_REC_COMMIT,
                                 .parent = rsp_log_by_hash(log, good[(day - 1) / 3]),
                                 .time_ms = date,
                                 .origin_ms = date};
        yard_plant(&y, &plan, NULL);
        plan.parent = NULL;
        yard_plant(&y, &plan, NULL);
        rsp_log_free(log);
        rsp_repo_free(repo);
    }
    stamp();
    if (round == ROUNDS - 1) {
        rsp_identity_free(writer);
        writer = NULL;
    }
}

START_TEST(claims_of_an_origin)
{
    never_fewer_every(3, claimed_origins, &usual);
}
END_TEST

START_TEST(a_flood_stops_expire)
{
    int flood = 0;
    good_days(100, 1);
    clock_ms = BEGIN + 100 * YARD_DAY + HOUR;
    for (int i = 0; i < 9; i++) plant_on_top(clock_ms - i * 5 * YARD_DAY);
    ck_assert_uint_gt(expire(&usual, &flood),
                      0); /* with the good one ten in a day: not more than ten times the usual */
    ck_assert_int_eq(flood, 0);
    plant_on_top(clock_ms);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(expire(&usual, &flood), 0);
        ck_assert_int_eq(flood, 1);
    }
    clock_ms += YARD_DAY + HOUR; /* the day is over */
    ck_assert_uint_gt(expire(&usual, &flood), 0);
    ck_assert_int_eq(flood, 0);
    yard_close(&y);
}
END_TEST

/* Good ones of the last hours stay, whatever stands in their buckets. */
static void many_today(int round)
{
    for (int i = 0; i < 9; i++) plant_on_top(clock_ms + (i - 4) * HOUR + round);
}

START_TEST(younger_than_min_age)
{
    struct rsp_retention policy = usual;
    uint8_t alive[DAYS_MAX];
    good_days(30, 1);
    for (int day = 30; day < 33; day++) {
        clock_ms = BEGIN + day * YARD_DAY + HOUR;
        for (int i = 0; i < 5; i++) plant_on_top(clock_ms + (i - 2) * HOUR); /* few enough to be no flood */
        size_t before = goods;
        for (int i = 0; i < 4; i++) backup(BEGIN + day * YARD_DAY + (3 + 5 * i) * HOUR);
        ck_assert_uint_gt(expire(&policy, NULL), 0);
        survivors(alive);
        for (size_t i = before; i < goods; i++) ck_assert_msg(alive[i], "day %d: one that is younger is gone", day);
    }
    policy.min_age_ms = 0; /* and it is that rule that keeps them */
    expire_all(&policy);
    survivors(alive);
    ck_assert_uint_lt(count(alive + goods - 4, 4), 4);
    yard_close(&y);
}
END_TEST

/* ---- what he can do ---- */

START_TEST(keep_last_alone_is_weak)
{
    static const struct rsp_retention last = {.size = sizeof last, .last = 20, .min_age_ms = YARD_DAY};
    static const struct rsp_retention both = {
        .size = sizeof both, .last = 20, .daily = 7, .weekly = 4, .monthly = 6, .min_age_ms = YARD_DAY};
    uint8_t without[DAYS_MAX], with[DAYS_MAX];
    live_through(NULL, &last, 1, without);
    ck_assert_uint_ge(count(without, old_goods), 11);
    yard_close(&y);
    live_through(many_today, &last, 1, with);
    ck_assert_uint_eq(count(with, old_goods), 0); /* nothing from before he came */
    yard_close(&y);
    live_through(many_today, &both, 1, with);
    ck_assert_uint_ge(count(with, old_goods), 5);
    yard_close(&y);
}
END_TEST

/* Who really commits in buckets that the honest writer leaves empty uses up the count of the rule, as an honest one would. */
START_TEST(a_faster_pace_shortens_the_reach)
{
    static const struct rsp_retention hourly = {
        .size = sizeof hourly, .hourly = 24, .daily = 7, .weekly = 4, .monthly = 6, .min_age_ms = YARD_DAY};
    uint8_t without[DAYS_MAX], with[DAYS_MAX], pace[DAYS_MAX];
    live_through(NULL, &hourly, 1, without);
    size_t n = old_goods;
    yard_close(&y);
    live_through(NULL, &usual, 1, pace);
    yard_close(&y);
    good_days(100, 1);
    old_goods = goods;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t midnight = BEGIN + (100 + round) * YARD_DAY;
        for (int hour = 0; hour < 3; hour++) {
            clock_ms = midnight + hour * HOUR;
            plant_on_top(clock_ms);
        }
        backup(midnight + 3 * HOUR);
        for (int hour = 4; hour < 9; hour++) {
            clock_ms = midnight + hour * HOUR;
            plant_on_top(clock_ms);
        }
        expire(&hourly, NULL);
    }
    clock_ms = BEGIN + (100 + ROUNDS) * YARD_DAY + 5 * HOUR;
    expire_all(&hourly);
    survivors(with);
    yard_close(&y);
    ck_assert_uint_lt(count(with, n), count(without, n));
    for (size_t i = 0; i < n; i++) ck_assert_msg(with[i] >= pace[i], "day %zu: the other rules are not touched", i);
}
END_TEST

/* The first of a bucket stays: one that is made after his, in the same bucket, may go in favour of his. */
START_TEST(the_first_of_a_bucket_stays)
{
    uint8_t with[DAYS_MAX];
    live_through(many_today, &usual, 1, with);
    ck_assert_uint_lt(count(with + old_goods, ROUNDS), 7);
    ck_assert_uint_ge(count(with, old_goods), 5);
    yard_close(&y);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("flood");
    TCase *c = tcase_create("flood");
    TCase *sample = tcase_create("sample"); /* make check runs it on every store */
    tcase_set_timeout(c, 300);
    tcase_set_timeout(sample, 300);
    tcase_add_test(c, planted_dates);
    tcase_add_test(c, planted_dates_in_empty_days);
    tcase_add_test(c, fork_from_an_old_parent);
    tcase_add_test(c, a_false_history);
    tcase_add_test(c, claims_of_an_origin);
    tcase_add_test(sample, a_flood_stops_expire);
    tcase_add_test(sample, younger_than_min_age);
    tcase_add_test(c, keep_last_alone_is_weak);
    tcase_add_test(c, a_faster_pace_shortens_the_reach);
    tcase_add_test(c, the_first_of_a_bucket_stays);
    suite_add_tcase(s, sample);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
