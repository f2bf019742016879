/* What this is: tests of prune and verify against stolen keepers and writers who claim what is not theirs.
 * Rests on: libcheck, prune_test.h.
 * LDFLAGS: -Wl,--wrap=rsp_store_delete,--wrap=rsp_store_put */
#include "prune_test.h"
#include "store/store_impl.h"

static int there(const struct made m)
{
    return held_count(&y, "data", m.epoch) > 0 && held_count(&y, "manifests", m.epoch) == 1 &&
           held_count(&y, "keys", m.epoch) == 1;
}

/* A record of a stolen keeper about this one, two hours old by the store's clock. */
static void stolen(int kind, const uint8_t hash[32])
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct yard_plan plan = {.signer = y.keeper, .kind = kind, .about = rsp_log_by_hash(log, hash)};
    ck_assert_ptr_nonnull(plan.about);
    yard_plant(&y, &plan, NULL);
    age_new(&y, now - 2 * HOUR);
    rsp_log_free(log);
    rsp_repo_free(repo);
}

START_TEST(a_gone_record_alone_hurries_nothing)
{
    struct rsp_prune_report report;
    struct made a = backup(30, 100), b = backup(20, 100), c = backup(9, 100), pin;
    pin = name_at(&y, RSP_REC_PIN, a.hash, now - 8 * DAY);
    name_at(&y, RSP_REC_RETIRE, a.hash, now - 5 * DAY);
    stolen(RSP_REC_GONE, pin.hash); /* takes the pin away, and the snapshot with it */
    stolen(RSP_REC_GONE, b.hash);
    stolen(RSP_REC_RETIRE, c.hash);
    stolen(RSP_REC_GONE, c.hash);
    for (int i = 0; i < 2; i++) ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert(there(a) && there(b) && there(c));
    ck_assert_uint_eq(report.commits, 0);
    ck_assert_uint_eq(report.waiting, 2);
}
END_TEST

START_TEST(the_last_good_one_is_spared)
{
    struct rsp_prune_report report;
    struct made a = backup(30, 100), b = backup(20, 100), d = backup_at(&y, "db", now - 9 * DAY, 100, 8192, 0);
    struct made late;
    name_at(&y, RSP_REC_RETIRE, a.hash, now - 5 * DAY);
    name_at(&y, RSP_REC_RETIRE, b.hash, now - 5 * DAY);
    name_at(&y, RSP_REC_RETIRE, d.hash, now - 5 * DAY);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert(!there(a) && there(b) && there(d));
    ck_assert_uint_eq(report.commits, 1);
    ck_assert_uint_eq(report.waiting, 2);
    late = backup(2, 100);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert(!there(b) && there(d) && there(late));
    sound(1);
}
END_TEST

/* Somebody who may write claims the epoch of another's snapshot: that one is as sound as before. */
START_TEST(a_claimed_epoch_damns_no_envelope)
{
    struct rsp_verify_options vo = {.size = sizeof vo};
    struct rsp_verify_report report = {.size = sizeof report};
    struct made a = backup(20, 100);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    struct rsp_record claim = *record_of(log, a);
    char hex[33];
    memset(claim.snapshot, 0x66, 16);
    for (int i = 0; i < 2; i++) { /* one before it in the order of the log, one behind */
        struct yard_plan plan = {.signer = y.host, .kind = RSP_REC_COMMIT, .about = &claim};
        if (i) plan.parent = record_of(log, a);
        else plan.time_ms = now - 800 * DAY;
        memset(claim.commitment, 0x60 + i, 32);
        yard_plant(&y, &plan, NULL);
    }
    rsp_log_free(log);
    rsp_repo_free(repo);
    ck_assert_int_eq(yard_repo(&y, 1, &y.reader, 1, &repo), RSP_OK);
    log = yard_log(repo);
    ck_assert_int_eq(log->faults, 0);
    ck_assert_int_eq(rsp_verify(log, &vo, &report), RSP_OK);
    hex_text(hex, record_of(log, a)->snapshot, 16);
    ck_assert_uint_eq(report.envelopes_bad, 0);
    for (size_t i = 0; i < log->troubles_n; i++) {
        const struct rsp_trouble *t = &log->troubles[i];
        ck_assert_msg(!strstr(t->text, hex), "%s", t->text);
        ck_assert_msg(!t->way_out || !strstr(t->way_out, "remove it"), "%s: %s", t->name, t->way_out);
    }
    ck_assert_uint_eq(report.damaged, 2); /* the claims */
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* A commit that came after the log was read names what the run does not know. */
START_TEST(a_commit_of_the_last_moment_is_no_debris)
{
    struct rsp_prune_options o = {.size = sizeof o};
    struct rsp_prune_report report = {.size = sizeof report};
    struct made a, b;
    backup(20, 100);
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log = yard_log(repo);
    b = backup(9, 100);
    ck_assert_int_eq(rsp_prune(log, &o, &report), RSP_OK);
    ck_assert(there(b));
    ck_assert_uint_eq(report.debris_objects, 0);
    rsp_log_free(log);
    a = backup(8, 100);
    rsp_repo_free(repo);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert(there(a) && there(b));
    sound(3);
}
END_TEST

/* Whatever the file system says, and whoever set it. */
START_TEST(times_beyond_all_reason)
{
    struct rsp_prune_report report;
    struct made a = backup(20, 100);
    age_since(&y, INT64_MIN, 15000000000000); /* the year 2445 */
    ck_assert_int_eq(prune(&report), RSP_OK);
    age_since(&y, INT64_MIN, -2000);
    ck_assert_int_eq(prune(&report), RSP_OK);
    ck_assert(there(a));
    sound(1);
    ck_assert_int_eq(store_ms(INT64_MAX, 999999999), INT64_MAX / 4 / 1000 * 1000 + 999);
    ck_assert_int_eq(store_ms(INT64_MIN, 0), -(INT64_MAX / 4 / 1000) * 1000);
    ck_assert_int_eq(store_ms(-1, 500000000), -500);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("review_keep");
    TCase *tc = tcase_create("all");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_gone_record_alone_hurries_nothing);
    tcase_add_test(tc, the_last_good_one_is_spared);
    tcase_add_test(tc, a_claimed_epoch_damns_no_envelope);
    tcase_add_test(tc, a_commit_of_the_last_moment_is_no_debris);
    tcase_add_test(tc, times_beyond_all_reason);
    suite_add_tcase(s, tc);
    SRunner *sr = srunner_create(s);
    srunner_run_all(sr, CK_NORMAL);
    int failures = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failures != 0;
}
