/* What this is: tests of expire, retiring by hand and giving up, on real record logs.
 * Rests on: libcheck, keep_test.h. */
#include "keep_test.h"
#include "repo/retention.h"

static struct yard y;
static int64_t now;

static void setup(void)
{
    yard_open(&y);
    now = real_ms();
    age_new(&y, now - 900 * DAY);
}
static void teardown(void)
{
    yard_close(&y);
}

/* Days ago, oldest first. */
static void days(int from, int to, struct made *made)
{
    for (int day = from; day >= to; day--) {
        struct made m = commit_good(&y, now - day * DAY - 2 * HOUR);
        if (made) made[from - day] = m;
    }
}

static int expire(const struct rsp_retention *policy, int dry_run, struct rsp_expire_report *report)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_retention p = *policy;
    int rc;
    p.size = sizeof p;
    memset(report, 0, sizeof *report);
    report->size = sizeof *report;
    rsp_error_clear(&y.error);
    rc = rsp_expire(log, &p, dry_run, report);
    rsp_expire_report_free(log, report);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return rc;
}

static uint32_t state_of(struct made m)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    uint32_t state = record_of(log, m)->state;
    rsp_log_free(log);
    rsp_repo_free(repo);
    return state;
}

static int retire(const struct made *made, size_t n, int dry_run)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record *r[16];
    int rc;
    for (size_t i = 0; i < n; i++) r[i] = rsp_log_by_hash(log, made[i].hash);
    rsp_error_clear(&y.error);
    rc = rsp_retire(log, r, n, dry_run);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return rc;
}

static size_t living_now(void)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    size_t n = living(log);
    ck_assert_int_eq(log->faults, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return n;
}

START_TEST(a_policy_retires_what_it_does_not_keep)
{
    struct rsp_expire_report report;
    struct made made[10];
    int64_t records;
    days(10, 1, made);
    records = held_count(&y, "log", NULL);
    ck_assert_int_eq(expire(&(struct rsp_retention){.daily = 8}, 1, &report), RSP_OK);
    ck_assert_uint_eq(report.retired, 2);
    ck_assert_int_eq(held_count(&y, "log", NULL), records); /* a dry run */
    ck_assert_int_eq(expire(&(struct rsp_retention){.daily = 8}, 0, &report), RSP_OK);
    ck_assert_uint_eq(report.retired, 2);
    ck_assert_int_eq(report.flood, 0);
    ck_assert_int_eq(held_count(&y, "log", NULL), records + 1); /* one record for both */
    ck_assert(state_of(made[0]) & RSP_RECORD_RETIRED);
    ck_assert(state_of(made[1]) & RSP_RECORD_RETIRED);
    ck_assert(!(state_of(made[2]) & RSP_RECORD_RETIRED));
    ck_assert_uint_eq(living_now(), 8);
    ck_assert_int_eq(expire(&(struct rsp_retention){.daily = 8}, 0, &report), RSP_OK);
    ck_assert_uint_eq(report.retired, 0);
    ck_assert_int_eq(held_count(&y, "log", NULL), records + 1);
}
END_TEST

START_TEST(rows_tell_why)
{
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct rsp_expire_report report = {.size = sizeof report};
    struct rsp_retention p = {.size = sizeof p, .last = 1, .min_age_ms = 3 * DAY};
    struct made made[8];
    days(8, 1, made);
    name_at(&y, RSP_REC_PIN, made[1].hash, now - DAY);
    repo = yard_host(&y);
    log = yard_log(repo);
    ck_assert_int_eq(rsp_expire(log, &p, 1, &report), RSP_OK);
    ck_assert_uint_eq(report.rows_n, 8);
    for (size_t i = 0; i < 8; i++) ck_assert_mem_eq(report.rows[i].record->hash, made[i].hash, 32);
    ck_assert_uint_eq(report.rows[0].keep, 0);
    ck_assert_uint_eq(report.rows[1].keep, RSP_KEEP_PINNED);
    ck_assert_uint_eq(report.rows[2].keep, 0);
    ck_assert_uint_eq(report.rows[3].keep, 0);
    ck_assert_uint_eq(report.rows[4].keep, RSP_KEEP_LIMIT);
    ck_assert_uint_eq(report.rows[6].keep, RSP_KEEP_YOUNG);
    ck_assert_uint_eq(report.rows[7].keep, RSP_KEEP_YOUNG | RSP_KEEP_LAST | RSP_KEEP_LAST_GOOD);
    rsp_expire_report_free(log, &report);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(an_unpinned_one_goes)
{
    struct rsp_expire_report report;
    struct made made[5], pin;
    days(5, 1, made);
    pin = name_at(&y, RSP_REC_PIN, made[0].hash, now - DAY);
    ck_assert_int_eq(expire(&(struct rsp_retention){.daily = 4}, 0, &report), RSP_OK);
    ck_assert_uint_eq(report.retired, 0);
    name_at(&y, RSP_REC_UNPIN, pin.hash, now - DAY + HOUR);
    ck_assert_int_eq(expire(&(struct rsp_retention){.daily = 4}, 0, &report), RSP_OK);
    ck_assert_uint_eq(report.retired, 1);
    ck_assert(state_of(made[0]) & RSP_RECORD_RETIRED);
}
END_TEST

START_TEST(an_accepted_smaller_one_is_the_last_good)
{
    struct rsp_expire_report report;
    struct made full[4], small;
    days(9, 6, full);
    small = commit_at(&y, now - 4 * DAY, now - 4 * DAY, 10, RSP_COMMIT_GOOD | RSP_COMMIT_FULL);
    commit_at(&y, now - 3 * DAY, now - 3 * DAY, 10, RSP_COMMIT_QUICK);
    ck_assert_int_eq(expire(&(struct rsp_retention){.within_ms = HOUR}, 0, &report), RSP_OK);
    ck_assert_uint_eq(report.retired, 3); /* the limit */
    ck_assert_int_eq(expire(&(struct rsp_retention){.within_ms = HOUR}, 0, &report), RSP_OK);
    ck_assert(!(state_of(full[3]) & RSP_RECORD_RETIRED));
    ck_assert(state_of(small) & RSP_RECORD_RETIRED);
    small = commit_at(&y, now - 2 * DAY, now - 2 * DAY, 10, RSP_COMMIT_GOOD | RSP_COMMIT_FULL);
    name_at(&y, RSP_REC_ACCEPT, small.hash, now - DAY);
    ck_assert_int_eq(expire(&(struct rsp_retention){.within_ms = HOUR}, 0, &report), RSP_OK);
    ck_assert(state_of(full[3]) & RSP_RECORD_RETIRED);
    ck_assert(!(state_of(small) & RSP_RECORD_RETIRED));
    ck_assert_uint_eq(living_now(), 1);
}
END_TEST

/* Of those that were there before the thief. */
static size_t older_living(void)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++)
        n += rsp_record_living(log->records[i]) && log->records[i]->stored_ms < now - 4 * HOUR;
    rsp_log_free(log);
    rsp_repo_free(repo);
    return n;
}

START_TEST(planted_dates_retire_nobody)
{
    struct rsp_expire_report report;
    struct rsp_retention p = {.daily = 7, .weekly = 4};
    size_t before;
    for (int day = 20; day >= 0; day -= 2) commit_good(&y, now - day * DAY - 3 * HOUR);
    do ck_assert_int_eq(expire(&p, 0, &report), RSP_OK);
    while (report.retired);
    before = older_living();
    ck_assert_uint_ge(before, 6);
    for (int i = 1; i < 10; i++) /* few enough to be no flood; at gaps, arriving today */
        commit_at(&y, now - (2 * i + 1) * DAY, now - 3 * HOUR + i, 1000, RSP_COMMIT_GOOD | RSP_COMMIT_FULL);
    do {
        ck_assert_int_eq(expire(&p, 0, &report), RSP_OK);
        ck_assert_int_eq(report.flood, 0);
    } while (report.retired);
    ck_assert_uint_eq(older_living(), before);
}
END_TEST

START_TEST(a_flood_today_retires_nothing)
{
    struct rsp_expire_report report;
    days(5, 1, NULL);
    for (int i = 0; i < 11; i++) commit_good(&y, now - 3 * HOUR + i * 1000);
    ck_assert_int_eq(expire(&(struct rsp_retention){.last = 1}, 0, &report), RSP_OK);
    ck_assert_int_eq(report.flood, 1);
    ck_assert_uint_eq(report.retired, 0);
    ck_assert_uint_eq(living_now(), 16);
}
END_TEST

START_TEST(sources_are_judged_apart)
{
    struct rsp_expire_report report;
    struct rsp_repo *repo;
    struct rsp_log *log;
    days(4, 1, NULL);
    rsp_source_id(y.lineage, "db", y.source);
    days(4, 1, NULL);
    ck_assert_int_eq(expire(&(struct rsp_retention){.last = 2}, 0, &report), RSP_OK);
    ck_assert_uint_eq(report.retired, 4);
    repo = yard_host(&y);
    log = yard_log(repo);
    size_t retires = 0;
    for (size_t i = 0; i < log->records_n; i++) {
        if (log->records[i]->kind != RSP_REC_RETIRE) continue;
        retires++;
        ck_assert_uint_eq(log->records[i]->hashes_n, 2);
        ck_assert_uint_eq(log->records[i]->detail, 1);
    }
    ck_assert_uint_eq(retires, 2);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(a_policy_without_a_rule_is_refused)
{
    struct rsp_expire_report report;
    days(2, 1, NULL);
    ck_assert_int_eq(expire(&(struct rsp_retention){.min_age_ms = DAY}, 0, &report), RSP_EINVAL);
    ck_assert_int_eq(expire(&(struct rsp_retention){.last = 0}, 1, &report), RSP_EINVAL);
    ck_assert_uint_eq(living_now(), 2);
}
END_TEST

START_TEST(a_log_with_faults_publishes_nothing)
{
    struct rsp_expire_report report;
    struct made made[6];
    char path[512];
    int64_t records;
    days(6, 1, made);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    yard_record_path(&y, record_of(log, made[2]), path);
    rsp_log_free(log);
    rsp_repo_free(repo);
    yard_flip(path, 60);
    records = held_count(&y, "log", NULL);
    ck_assert_int_eq(expire(&(struct rsp_retention){.last = 1}, 0, &report), RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(strstr(y.error.message, "expire changes nothing"));
    ck_assert_int_eq(retire(made, 1, 0), RSP_EINTEGRITY);
    ck_assert_int_eq(held_count(&y, "log", NULL), records);
}
END_TEST

START_TEST(keeping_needs_the_right)
{
    struct rsp_retention p = {.size = sizeof p, .last = 1};
    struct rsp_expire_report report = {.size = sizeof report};
    struct rsp_repo *repo = NULL;
    struct rsp_log *log;
    struct rsp_record *r;
    char hex[65];
    days(3, 1, NULL);
    ck_assert_int_eq(yard_repo(&y, 0, &y.reader, 1, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(rsp_expire(log, &p, 0, &report), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    r = log->records[0];
    ck_assert_int_eq(rsp_retire(log, &r, 1, 0), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    hex_text(hex, r->hash, 32);
    ck_assert_int_eq(rsp_acknowledge(log, hex, 0), RSP_ERIGHT);
    rsp_error_clear(&y.error);
    ck_assert_int_eq(rsp_expire(log, &p, 1, &report), RSP_OK); /* a look is free */
    ck_assert_uint_eq(report.retired, 2);
    rsp_expire_report_free(log, &report);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* A writer without keep claims that its commits were copied: their arrival is when this store had them. */
START_TEST(a_writer_cannot_claim_an_origin)
{
    struct rsp_repo *repo = NULL;
    struct rsp_identity *both[2] = {y.root, y.host};
    struct rsp_retention p = {.size = sizeof p, .daily = 3};
    struct rsp_expire_report report = {.size = sizeof report};
    struct rsp_log *log;
    struct rsp_member members[2];
    struct rsp_roles draft;
    days(9, 6, NULL);
    ck_assert_int_eq(yard_repo(&y, 1, both, 2, &repo), RSP_OK);
    memset(&draft, 0, sizeof draft);
    memset(members, 0, sizeof members);
    memcpy(&members[0], rsp_roles_find(rsp_repo_roles(repo), y.root_public.sign), sizeof *members);
    rsp_identity_public(y.host, &members[1].key);
    members[1].flags = RSP_ROLE_WRITE;
    snprintf(members[1].name, sizeof members[1].name, "host");
    draft.members = members;
    draft.members_n = 2;
    ck_assert_msg(rsp_repo_set_roles(repo, &draft, y.root) == RSP_OK, "%s", y.error.message);
    rsp_repo_free(repo);
    for (int day = 5; day > 2; day--) {
        struct rsp_record d, *r = NULL;
        repo = yard_host(&y);
        log = yard_log(repo);
        memset(&d, 0, sizeof d);
        d.kind = RSP_REC_COMMIT;
        memcpy(d.source, y.source, 16);
        y.env.random(&y, d.snapshot, 16);
        y.env.random(&y, d.epoch, 16);
        d.flags = RSP_COMMIT_GOOD;
        d.plain = 1000;
        d.keys = 100;
        d.manifest.kind = 2;
        y.now_ms = now - day * DAY;
        d.origin_ms = (uint64_t)y.now_ms;
        ck_assert_msg(rsp_record_publish(log, &d, NULL, 0, &r) == RSP_OK, "%s", y.error.message);
        rsp_log_free(log);
        rsp_repo_free(repo);
    }
    ck_assert_int_eq(yard_repo(&y, 1, &y.root, 1, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_int_eq(rsp_expire(log, &p, 0, &report), RSP_OK);
    ck_assert_uint_eq(report.rows_n, 7);
    ck_assert_uint_eq(report.retired, 1); /* the oldest of four, by the policy itself */
    for (size_t i = 1; i < 4; i++) ck_assert(report.rows[i].keep & RSP_KEEP_DAILY);
    rsp_expire_report_free(log, &report);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* ---- by hand ---- */

START_TEST(by_hand_all_but_the_last_good_and_the_pinned)
{
    struct made made[5];
    days(5, 1, made);
    name_at(&y, RSP_REC_PIN, made[1].hash, now - DAY);
    ck_assert_int_eq(retire(&made[4], 1, 0), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(y.error.message, "last good"));
    ck_assert_int_eq(retire(&made[1], 1, 0), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(y.error.message, "pinned"));
    ck_assert_int_eq(retire(made, 1, 1), RSP_OK);
    ck_assert_uint_eq(living_now(), 5);
    ck_assert_int_eq(retire(made, 5, 0), RSP_EDENIED); /* all or none */
    ck_assert_uint_eq(living_now(), 5);
    ck_assert_int_eq(retire(made + 2, 2, 0), RSP_OK);
    ck_assert_uint_eq(living_now(), 3);
    ck_assert_int_eq(retire(made + 2, 2, 0), RSP_OK); /* it is so already */
    ck_assert_uint_eq(living_now(), 3);
    ck_assert_int_eq(retire(NULL, 0, 0), RSP_OK);
}
END_TEST

START_TEST(by_hand_needs_a_commit)
{
    struct made made[3], pin;
    days(3, 1, made);
    pin = name_at(&y, RSP_REC_PIN, made[0].hash, now - DAY);
    ck_assert_int_eq(retire(&pin, 1, 0), RSP_ENOTFOUND);
}
END_TEST

/* ---- giving up ---- */

static int acknowledge(const char *what, int dry_run)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    int rc;
    rsp_error_clear(&y.error);
    rc = rsp_acknowledge(log, what, dry_run);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return rc;
}

static int faults(void)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    int n = log->faults;
    rsp_log_free(log);
    rsp_repo_free(repo);
    return n;
}

/* way: 0 the file's name, 1 the whole path, 2 the path below log/, 3 the hash, 4 the first digits of it */
static void give_up(int way)
{
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct made made[4];
    char path[512], what[NAME_MAX_BYTES];
    const struct rsp_record *r;
    days(4, 1, made);
    repo = yard_host(&y);
    log = yard_log(repo);
    r = record_of(log, made[1]);
    yard_record_path(&y, r, path);
    name_record_path(what, r);
    if (way == 0) snprintf(what, sizeof what, "%s", r->name);
    if (way == 2) memmove(what, what + 4, strlen(what + 4) + 1);
    if (way > 2) hex_text(what, r->hash, 32);
    if (way == 4) what[8] = 0;
    rsp_log_free(log);
    rsp_repo_free(repo);
    yard_flip(path, 100);
    ck_assert_int_eq(faults(), 1);
    ck_assert_int_eq(acknowledge(what, 1), RSP_OK);
    ck_assert_int_eq(faults(), 1);
    ck_assert_msg(acknowledge(what, 0) == RSP_OK, "%s", y.error.message);
    ck_assert_int_eq(faults(), 0);
    ck_assert(state_of(made[1]) & RSP_RECORD_LOST);
    ck_assert_uint_eq(living_now(), 3);
    ck_assert_int_eq(acknowledge(what, 0), RSP_OK); /* it is so already */
}

START_TEST(a_broken_record_is_given_up)
{
    give_up(_i);
}
END_TEST

START_TEST(a_missing_record_is_given_up)
{
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct made made[4];
    char path[2][512], hex[65];
    days(4, 1, made);
    repo = yard_host(&y);
    log = yard_log(repo);
    yard_record_path(&y, record_of(log, made[1]), path[0]);
    yard_record_path(&y, record_of(log, made[3]), path[1]);
    rsp_log_free(log);
    rsp_repo_free(repo);
    ck_assert_int_eq(unlink(path[0]), 0); /* a parent, and a head that this host has seen */
    ck_assert_int_eq(unlink(path[1]), 0);
    ck_assert_int_eq(faults(), 2);
    hex_text(hex, made[1].hash, 32);
    ck_assert_int_eq(acknowledge(hex, 0), RSP_OK);
    ck_assert_int_eq(faults(), 1);
    hex_text(hex, made[3].hash, 32);
    hex[12] = 0;
    ck_assert_msg(acknowledge(hex, 0) == RSP_OK, "%s", y.error.message);
    ck_assert_int_eq(faults(), 0);
    ck_assert_uint_eq(living_now(), 2);
}
END_TEST

START_TEST(a_damaged_snapshot_is_given_up_by_its_id)
{
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct made made[3];
    char hex[65];
    days(3, 1, made);
    repo = yard_host(&y);
    log = yard_log(repo);
    hex_text(hex, record_of(log, made[0])->snapshot, 16);
    rsp_log_free(log);
    rsp_repo_free(repo);
    ck_assert_int_eq(acknowledge(hex, 0), RSP_OK);
    ck_assert_int_eq(faults(), 0);
    ck_assert_uint_eq(living_now(), 2);
}
END_TEST

START_TEST(what_is_not_meant_is_refused)
{
    struct made made[3], pin;
    char hex[65];
    days(3, 1, made);
    pin = name_at(&y, RSP_REC_PIN, made[0].hash, now - DAY);
    hex_text(hex, pin.hash, 32);
    ck_assert_int_eq(acknowledge(hex, 0), RSP_EDENIED); /* it is sound */
    hex_text(hex, made[0].hash, 32);
    ck_assert_int_eq(acknowledge(hex, 0), RSP_EDENIED); /* it is pinned */
    hex_text(hex, made[1].hash, 32);
    hex[7] = 0;
    ck_assert_int_eq(acknowledge(hex, 0), RSP_ENOTFOUND); /* too few digits */
    ck_assert_int_eq(acknowledge("", 0), RSP_ENOTFOUND);
    ck_assert_int_eq(acknowledge("0123456789abcdef", 0), RSP_ENOTFOUND);
    ck_assert_int_eq(acknowledge("log/../../etc/passwd", 0), RSP_ENOTFOUND);
    ck_assert_uint_eq(living_now(), 3);
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
    struct rsp_retention p = {.size = sizeof p, .daily = 2};
    struct rsp_expire_report report = {.size = sizeof report};
    struct rsp_repo *repo;
    struct rsp_log *log;
    int rc = RSP_ENOMEM, tries = 0;
    days(5, 1, NULL);
    repo = yard_host(&y);
    log = yard_log(repo);
    for (; rc == RSP_ENOMEM && tries < 200; tries++) {
        struct rsp_env sound = log->env;
        left = tries;
        log->env.resize = failing;
        rsp_error_clear(&y.error);
        rc = rsp_expire(log, &p, 1, &report);
        log->env = sound;
        ck_assert(rc == RSP_ENOMEM || rc == RSP_OK);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(tries, 5);
    rsp_expire_report_free(log, &report);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("expire");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_policy_retires_what_it_does_not_keep);
    tcase_add_test(t, rows_tell_why);
    tcase_add_test(t, an_unpinned_one_goes);
    tcase_add_test(t, an_accepted_smaller_one_is_the_last_good);
    tcase_add_test(t, planted_dates_retire_nobody);
    tcase_add_test(t, a_flood_today_retires_nothing);
    tcase_add_test(t, sources_are_judged_apart);
    tcase_add_test(t, a_policy_without_a_rule_is_refused);
    tcase_add_test(t, a_log_with_faults_publishes_nothing);
    tcase_add_test(t, keeping_needs_the_right);
    tcase_add_test(t, a_writer_cannot_claim_an_origin);
    tcase_add_test(t, by_hand_all_but_the_last_good_and_the_pinned);
    tcase_add_test(t, by_hand_needs_a_commit);
    tcase_add_loop_test(t, a_broken_record_is_given_up, 0, 5);
    tcase_add_test(t, a_missing_record_is_given_up);
    tcase_add_test(t, a_damaged_snapshot_is_given_up_by_its_id);
    tcase_add_test(t, what_is_not_meant_is_refused);
    tcase_add_test(t, each_allocation_may_fail);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
