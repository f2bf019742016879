/* What this is: tests of prune: what goes, what stays, and that a run which dies at any point is finished by the next.
 * Rests on: libcheck, prune_test.h.
 * LDFLAGS: -Wl,--wrap=rsp_store_delete,--wrap=rsp_store_put */
#include "prune_test.h"

/* A commit that needs what another has, and nothing else. */
static struct made share(struct made of, int64_t ms)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    const struct rsp_record *r = record_of(log, of);
    struct rsp_record draft, *made_record = NULL;
    struct made made;
    memset(&draft, 0, sizeof draft);
    draft.kind = RSP_REC_COMMIT;
    memcpy(draft.source, r->source, 16);
    y.env.random(&y, draft.snapshot, 16);
    y.env.random(&y, draft.epoch, 16);
    draft.flags = RSP_COMMIT_GOOD;
    draft.manifest = r->manifest;
    draft.refs = r->refs;
    draft.refs_n = r->refs_n - 1; /* all but the last */
    draft.plain = r->plain;
    draft.keys = r->keys;
    y.now_ms = ms;
    ck_assert_msg(rsp_record_publish(log, &draft, NULL, 0, &made_record) == RSP_OK, "%s", y.error.message);
    memcpy(made.hash, made_record->hash, 32);
    memcpy(made.epoch, made_record->epoch, 16);
    age_new(&y, ms);
    rsp_log_free(log);
    rsp_repo_free(repo);
    return made;
}

/* Four snapshots; the first two retired three days ago, the second shared by the third, with everything that may go
 * along. */
struct scene {
    struct made a, b, c, d, pin;
};

static void scene(struct scene *s)
{
    s->a = backup(30, 20000);
    s->b = backup(20, 20000);
    s->c = share(s->b, now - 10 * DAY);
    name_at(&y, RSP_REC_NOTE, s->a.hash, now - 9 * DAY);
    name_at(&y, RSP_REC_RECEIPT, s->a.hash, now - 9 * DAY);
    s->pin = name_at(&y, RSP_REC_PIN, s->a.hash, now - 9 * DAY);
    name_at(&y, RSP_REC_NOTE, s->c.hash, now - 9 * DAY);
    s->d = backup(8, 3000);
    name_at(&y, RSP_REC_UNPIN, s->pin.hash, now - 5 * DAY);
    name_at(&y, RSP_REC_RETIRE, s->a.hash, now - 3 * DAY);
    name_at(&y, RSP_REC_RETIRE, s->b.hash, now - 3 * DAY);
}

static void scene_is_pruned(const struct scene *s)
{
    sound(2);
    ck_assert_int_eq(held_count(&y, "data", s->a.epoch), 0);
    ck_assert_int_eq(held_count(&y, "manifests", s->a.epoch), 0);
    ck_assert_int_eq(held_count(&y, "keys", s->a.epoch), 0);
    ck_assert_int_eq(held_count(&y, "data", s->b.epoch), 2); /* of three */
    ck_assert_int_eq(held_count(&y, "manifests", s->b.epoch), 1);
    ck_assert_int_eq(held_count(&y, "keys", s->b.epoch), 1);
    ck_assert_int_eq(held_count(&y, "log", NULL), 4); /* c, its note, d, gone */
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    ck_assert(rsp_log_descends(log, record_of(log, s->d), record_of(log, s->c)));
    for (size_t i = 0; i < log->records_n; i++) ck_assert(!(log->records[i]->state & RSP_RECORD_GONE));
    rsp_log_free(log);
    rsp_repo_free(repo);
}

START_TEST(retired_ones_go_with_what_belongs_to_them)
{
    struct rsp_prune_report report;
    struct scene s;
    int64_t files;
    scene(&s);
    sound(2);
    files = held_count(&y, "", NULL);
    ck_assert_int_eq(prune_with(1, DAY, &report), RSP_OK);
    ck_assert_int_eq(delete_calls, 0);
    ck_assert_int_eq(held_count(&y, "", NULL), files);
    ck_assert_uint_eq(report.commits, 2);
    ck_assert_uint_eq(report.records, 6);
    ck_assert_uint_eq(told, report.commits + report.records + report.objects);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.commits, 2);
    ck_assert_uint_eq(report.records, 6); /* note, receipt, pin, unpin, two retires */
    ck_assert_uint_eq(report.objects, 3 + 1 + 1 + 1);
    ck_assert_uint_gt(report.bytes, 20000 + 3616); /* the last object of b is not shared */
    ck_assert_uint_eq(report.debris_objects, 0);
    ck_assert_uint_eq(told, report.commits + report.records + report.objects);
    ck_assert_int_eq(held_count(&y, "", NULL), files - (int64_t)told + 1);
    scene_is_pruned(&s);
    ck_assert_int_eq(prune(&report), RSP_OK); /* at once again */
    ck_assert_uint_eq(told, 0);
    ck_assert_uint_eq(report.commits + report.records + report.objects + report.debris_objects + report.waiting, 0);
    scene_is_pruned(&s);
}
END_TEST

/* Every put and delete of a run is its last. */
START_TEST(a_run_that_dies_is_finished_by_the_next)
{
    struct rsp_prune_report report;
    struct scene s;
    int rc = RSP_EIO, at = 0;
    scene(&s);
    save();
    for (; rc; at++) {
        restore();
        changes_left = at;
        rc = prune(&report);
        if (rc) ck_assert_int_eq(rc, RSP_EIO);
        changes_left = -1;
        sound(2);
        ck_assert_msg(prune(&report) == RSP_OK, "after %d changes: %s", at, y.error.message);
        scene_is_pruned(&s);
    }
    ck_assert_int_eq(at, 16); /* gone, 6 objects, 2 commits, 6 records; and one run that lived */
}
END_TEST

/* Dies twice: the second run's own gone record is the one that it merges the first's into. */
START_TEST(a_run_that_dies_twice)
{
    struct rsp_prune_report report;
    struct scene s;
    scene(&s);
    save();
    for (int first = 1; first < 12; first += 5)
        for (int second = 0; second < 14; second += 3) {
            restore();
            changes_left = first;
            ck_assert_int_eq(prune(&report), RSP_EIO);
            changes_left = -1;
            backup_at(&y, "web", now - 3 * HOUR, 100, 8192, 0);
            changes_left = second;
            (void)prune(&report);
            changes_left = -1;
            sound(3);
            ck_assert_int_eq(prune(&report), RSP_OK);
            sound(3);
            ck_assert_int_eq(held_count(&y, "data", s.a.epoch), 0);
            ck_assert_int_eq(held_count(&y, "log", NULL), 5);
        }
}
END_TEST

START_TEST(quarantine_is_waited_for)
{
    struct rsp_prune_report report;
    struct made a = backup(9, 100), b = backup(8, 100);
    name_at(&y, RSP_REC_RETIRE, a.hash, now - 20 * HOUR);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.waiting, 1);
    ck_assert_uint_eq(told, 0);
    ck_assert_int_eq(held_count(&y, "data", a.epoch), 1);
    ck_assert_int_eq(prune_with(0, 19 * HOUR, &report), RSP_OK);
    ck_assert_uint_eq(report.waiting, 0);
    ck_assert_uint_eq(report.commits, 1);
    ck_assert_int_eq(held_count(&y, "data", a.epoch), 0);
    ck_assert_int_eq(held_count(&y, "data", b.epoch), 1);
    sound(1);
}
END_TEST

START_TEST(a_pin_brings_one_back)
{
    struct rsp_prune_report report;
    struct made a = backup(9, 100), pin;
    backup(8, 100);
    name_at(&y, RSP_REC_RETIRE, a.hash, now - 5 * DAY);
    pin = name_at(&y, RSP_REC_PIN, a.hash, now - 4 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(told, 0);
    sound(2);
    name_at(&y, RSP_REC_UNPIN, pin.hash, now - 3 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert_uint_eq(report.commits, 1);
    ck_assert_uint_eq(report.records, 3);
    sound(1);
}
END_TEST

/* Published by somebody else between this run's look at the log and its first delete. */
START_TEST(a_pin_of_the_last_moment_is_seen)
{
    struct rsp_prune_options o = {.size = sizeof o, .quarantine_ms = DAY};
    struct rsp_prune_report report = {.size = sizeof report};
    struct made a = backup(9, 100);
    struct rsp_repo *repo;
    struct rsp_log *log;
    backup(8, 100);
    name_at(&y, RSP_REC_RETIRE, a.hash, now - 5 * DAY);
    repo = yard_host(&y);
    log = yard_log(repo);
    name_at(&y, RSP_REC_PIN, a.hash, now - 2 * HOUR);
    ck_assert_int_eq(rsp_prune(log, &o, &report), RSP_EBUSY);
    ck_assert_int_eq(delete_calls, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
    sound(2);
}
END_TEST

START_TEST(gone_records_are_merged)
{
    struct rsp_prune_report report;
    struct made m[6];
    for (int i = 0; i < 6; i++) m[i] = backup(40 - i, 100);
    for (int i = 0; i < 5; i++) {
        if (i == 2) continue;
        name_at(&y, RSP_REC_RETIRE, m[i].hash, now - (20 - i) * DAY);
        ck_assert_int_eq(prune(&report), RSP_OK);
        ck_assert_uint_eq(report.commits, 1);
        age_new(&y, now - (20 - i) * DAY + HOUR);
        sound(i < 2 ? (uint64_t)(5 - i) : (uint64_t)(6 - i));
        struct rsp_repo *repo = yard_host(&y);
        struct rsp_log *log = yard_log(repo);
        size_t gone = 0, hashes = 0;
        for (size_t k = 0; k < log->records_n; k++) {
            if (log->records[k]->kind != RSP_REC_GONE) continue;
            gone++;
            hashes = log->records[k]->hashes_n;
        }
        ck_assert_uint_eq(gone, 1);
        /* commit and retire record each time, and the gone records before it */
        ck_assert_uint_eq(hashes, (size_t)(i < 2 ? 3 * i + 2 : 3 * i - 1));
        /* ancestry outlives all of them */
        ck_assert(rsp_log_descends(log, record_of(log, m[5]), record_of(log, m[2])));
        rsp_log_free(log);
        rsp_repo_free(repo);
    }
    ck_assert_int_eq(held_count(&y, "log", NULL), 3);
}
END_TEST

/* Somebody whose memory is old is told by the merged record what became of the head it knew. */
START_TEST(a_head_seen_long_ago_is_explained)
{
    struct rsp_prune_report report;
    struct rsp_repo *repo = NULL;
    struct rsp_log *log;
    char expect[65];
    struct made a = backup(40, 100), b, c;
    hex_text(expect, a.hash, 32);
    b = backup(30, 100);
    c = backup(20, 100);
    name_at(&y, RSP_REC_RETIRE, a.hash, now - 9 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK);
    age_new(&y, now - 8 * DAY);
    name_at(&y, RSP_REC_RETIRE, b.hash, now - 7 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK);
    struct rsp_repo_options o = {.size = sizeof o,
                                 .store = y.store,
                                 .root = &y.root_public,
                                 .identities = &y.host,
                                 .identities_n = 1,
                                 .expect_head = expect};
    ck_assert_int_eq(rsp_repo_open(&y.env, &o, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert(rsp_record_living(record_of(log, c)));
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* After years of expiring and pruning, retention still sees one branch. */
START_TEST(retention_sees_through_what_is_gone)
{
    struct rsp_prune_report pruned;
    struct rsp_retention p = {.size = sizeof p, .daily = 3, .yearly = 2};
    int64_t year = now - 200 * DAY;
    struct made first = commit_good(&y, year);
    for (int i = 1; i < 16; i++) {
        struct rsp_expire_report report = {.size = sizeof report};
        struct rsp_repo *repo;
        struct rsp_log *log;
        commit_good(&y, year + i * DAY);
        repo = yard_host(&y);
        log = yard_log(repo);
        y.now_ms = year + i * DAY + HOUR;
        ck_assert_int_eq(rsp_expire(log, &p, 0, &report), RSP_OK);
        rsp_expire_report_free(log, &report);
        rsp_log_free(log);
        rsp_repo_free(repo);
        age_new(&y, year + i * DAY + HOUR);
        ck_assert_int_eq(prune(&pruned), RSP_OK);
        age_new(&y, year + i * DAY + 2 * HOUR);
    }
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    ck_assert(rsp_record_living(record_of(log, first)));
    size_t n = living(log);
    /* three days, the first of the year (of two, when these days cross New Year) */
    ck_assert_uint_ge(n, 4);
    ck_assert_uint_le(n, 5);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(a_lost_one_goes_after_the_quarantine)
{
    struct rsp_prune_report report;
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct made a = backup(30, 100), b = backup(20, 100);
    char path[512], hex[65];
    backup(9, 100);
    repo = yard_host(&y);
    log = yard_log(repo);
    yard_record_path(&y, record_of(log, a), path);
    rsp_log_free(log);
    rsp_repo_free(repo);
    yard_flip(path, 77); /* nobody knows what a needed */
    for (int i = 0; i < 2; i++) {
        repo = yard_host(&y);
        log = yard_log(repo);
        hex_text(hex, i ? b.hash : a.hash, 32);
        ck_assert_int_eq(rsp_acknowledge(log, hex, 0), RSP_OK);
        rsp_log_free(log);
        rsp_repo_free(repo);
    }
    age_new(&y, now - 2 * HOUR);
    ck_assert_int_eq(prune_with(0, DAY, &report), RSP_OK);
    ck_assert_uint_eq(report.waiting, 2);
    ck_assert_int_eq(held_count(&y, "data", b.epoch), 1);
    ck_assert_uint_eq(report.debris_objects, 3); /* a's: object, manifest, envelope */
    ck_assert_int_eq(held_count(&y, "data", a.epoch), 0);
    ck_assert_int_eq(prune_with(0, HOUR, &report), RSP_OK);
    ck_assert_uint_eq(report.commits, 2);
    ck_assert_uint_eq(report.objects, 3);
    ck_assert_int_eq(held_count(&y, "data", b.epoch), 0);
    sound(1);
}
END_TEST

/* ---- refusals ---- */

START_TEST(a_log_with_faults_is_not_touched)
{
    struct rsp_prune_report report;
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct scene s;
    char path[512];
    int64_t files;
    scene(&s);
    repo = yard_host(&y);
    log = yard_log(repo);
    yard_record_path(&y, record_of(log, s.c), path);
    rsp_log_free(log);
    rsp_repo_free(repo);
    ck_assert_int_eq(unlink(path), 0);
    files = held_count(&y, "", NULL);
    ck_assert_int_eq(prune(&report), RSP_EINTEGRITY);
    ck_assert_int_eq(delete_calls, 0);
    ck_assert_int_eq(held_count(&y, "", NULL), files);
}
END_TEST

START_TEST(keep_is_needed_and_the_whole_log)
{
    struct rsp_prune_options o = {.size = sizeof o};
    struct rsp_prune_report report = {.size = sizeof report};
    struct rsp_log_options some = {.size = sizeof some, .rows = 5}, one = {.size = sizeof one, .source = y.source};
    struct rsp_repo *repo = NULL;
    struct rsp_log *log;
    struct scene s;
    scene(&s);
    ck_assert_int_eq(yard_repo(&y, 0, &y.reader, 1, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(rsp_prune(log, &o, &report), RSP_ERIGHT);
    rsp_log_free(log);
    rsp_repo_free(repo);
    repo = yard_host(&y);
    for (int i = 0; i < 2; i++) {
        rsp_error_clear(&y.error);
        ck_assert_int_eq(rsp_log_load(repo, i ? &one : &some, &log), RSP_OK);
        ck_assert_int_eq(rsp_prune(log, &o, &report), RSP_ESTATE);
        rsp_log_free(log);
    }
    rsp_repo_free(repo);
    ck_assert_int_eq(delete_calls, 0);
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
    struct rsp_prune_options o = {.size = sizeof o, .quarantine_ms = DAY, .debris_age_ms = 7 * DAY, .dry_run = 1};
    struct rsp_prune_report report = {.size = sizeof report};
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct scene s;
    int rc = RSP_ENOMEM, tries = 0;
    scene(&s);
    repo = yard_host(&y);
    log = yard_log(repo);
    for (; rc == RSP_ENOMEM && tries < 300; tries++) {
        struct rsp_env kept = log->env;
        left = tries;
        log->env.resize = failing;
        rsp_error_clear(&y.error);
        rc = rsp_prune(log, &o, &report);
        log->env = kept;
        ck_assert(rc == RSP_ENOMEM || rc == RSP_OK);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(tries, 10);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("prune");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, retired_ones_go_with_what_belongs_to_them);
    tcase_add_test(t, a_run_that_dies_is_finished_by_the_next);
    tcase_add_test(t, a_run_that_dies_twice);
    tcase_add_test(t, quarantine_is_waited_for);
    tcase_add_test(t, a_pin_brings_one_back);
    tcase_add_test(t, a_pin_of_the_last_moment_is_seen);
    tcase_add_test(t, gone_records_are_merged);
    tcase_add_test(t, a_head_seen_long_ago_is_explained);
    tcase_add_test(t, retention_sees_through_what_is_gone);
    tcase_add_test(t, a_lost_one_goes_after_the_quarantine);
    tcase_add_test(t, a_log_with_faults_is_not_touched);
    tcase_add_test(t, keep_is_needed_and_the_whole_log);
    tcase_add_test(t, each_allocation_may_fail);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
