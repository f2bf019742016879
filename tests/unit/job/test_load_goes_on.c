/* What this is: tests of going on with a restore after a connection that broke at any write, and of its checkpoint.
 * Rests on: libcheck, load_test.h.
 * Does not: test what one whole run does and refuses (test_load.c), nor a checkpoint's file (test_checkpoint.c). */
#include "load_test.h"

/* The connection breaks at the n-th write; the second run goes on. What is there at the end is what one run makes. */
static void break_and_go_on(int existing, int payloads, unsigned long n)
{
    uint64_t want;
    unsigned runs = 0;
    int rc;
    options.resp.existing = existing;
    options.resp.payloads = payloads;
    options.checkpoint = NULL;
    fake_forget();
    add_theirs(0, "unrelated");
    ck_assert_int_eq(load(), RSP_OK);
    want = state();
    fake_forget();
    add_theirs(0, "unrelated");
    options.checkpoint = mark;
    do {
        fake.hang_at = fake.writes + n;
        rc = load();
        if (!rc) break;
        ck_assert_int_eq(rc, RSP_ENET);
        ck_assert_int_eq(report.target_fault, 1);
        n += n / 2 + 1;
    } while (++runs < 100);
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_uint_gt(runs, 0);
    ck_assert(state() == want);
    ck_assert_int_eq(access(mark, F_OK), -1);
}

START_TEST(a_stream_in_pieces)
{
    unsigned long all = 0;
    streams_dump();
    for (int theirs = 0; theirs < 2; theirs++) {
        fake_forget();
        options.resp.existing = _i;
        if (theirs) add_theirs(0, _i ? "stream" : "unrelated");
        ck_assert_int_eq(load(), RSP_OK);
        all = fake.writes;
        ck_assert_uint_eq(report.keys, theirs && _i == RSP_EXISTING_SKIP ? 2 : 3);
        ck_assert_uint_eq(report.skipped, theirs && _i == RSP_EXISTING_SKIP);
        ck_assert_uint_eq(fake_find(0, "big")->elements, BIG);
        if (theirs && _i == RSP_EXISTING_SKIP) ck_assert_int_eq(fake_find(0, "stream")->ours, 1);
        else ck_assert_uint_gt(fake_find(0, "stream")->bytes, 3u << 20);
    }
    break_and_go_on(_i, 1, 1);
    break_and_go_on(_i, 1, 100);
    break_and_go_on(_i, 1, all - 1); /* RESTORE of the stream */
    break_and_go_on(_i, 1, all);
}
END_TEST

/* It broke while the payload was under way: what was there before is not ours to delete. */
START_TEST(theirs_stays)
{
    streams_dump();
    options.resp.existing = RSP_EXISTING_SKIP;
    options.checkpoint = mark;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_gt(fake.writes, 2);
    for (unsigned long n = fake.writes - 1, back = 0; back < 2; back++) {
        fake_forget();
        add_theirs(0, "stream");
        fake.hang_at = n + back; /* RESTORE of the stream, of the set */
        ck_assert_int_eq(load(), RSP_ENET);
        ck_assert_int_eq(fake_find(0, "stream")->ours, 1);
        fake.hang_at = 0;
        ck_assert_int_eq(load(), RSP_OK);
        ck_assert_int_eq(fake_find(0, "stream")->ours, 1);
        ck_assert_uint_eq(fake_find(0, "big")->elements, BIG);
    }
}
END_TEST

START_TEST(goes_on)
{
    static const unsigned long at[] = {1, 2, 3, 10, 60, 150, 300};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        if (at[i] > 10 && _i & 1) continue; /* with payloads there are not so many commands */
        break_and_go_on(_i / 2, _i & 1, at[i]);
    }
}
END_TEST

START_TEST(checked_and_gone_on)
{
    options.checked = 1;
    options.resp.existing = _i;
    options.checkpoint = mark;
    fake.hang_at = 4;
    ck_assert_int_eq(load(), RSP_ENET);
    fake.hang_at = 0;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(fake.n, KEYS);
    ck_assert_uint_eq(fake_find(0, "big")->elements, BIG);
}
END_TEST

START_TEST(other_checkpoint)
{
    struct rsp_filter *filter;
    options.checkpoint = mark;
    fake.hang_at = 4;
    ck_assert_int_eq(load(), RSP_ENET);
    ck_assert_int_eq(access(mark, F_OK), 0);
    options.snapshot = "ffeeddccbbaa99887766554433221100";
    ck_assert_int_eq(load(), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "another snapshot"));
    options.snapshot = "00112233445566778899aabbccddeeff";
    options.resp.ttl = RSP_TTL_PERSIST;
    ck_assert_int_eq(load(), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "other options"));
    options.resp.ttl = 0;
    ck_assert_int_eq(rsp_filter_new(&env, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "key", "key:1*"), RSP_OK);
    options.resp.run.filter = filter;
    ck_assert_int_eq(load(), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "other keys"));
    options.resp.run.filter = NULL;
    rsp_filter_free(filter);
    fake.run = 1;
    ck_assert_int_eq(load(), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "started again"));
    fake.run = 0;
    ck_assert_int_eq(load(), RSP_OK);
    ck_assert_uint_eq(fake.n, KEYS);
    ck_assert_int_eq(access(mark, F_OK), -1);
}
END_TEST

/* What was written first may be functions: a run that ended behind them must find that it may go on. */
START_TEST(functions_are_marked)
{
    options.checkpoint = fake.watch = mark;
    options.resp.existing = _i;
    ck_assert_msg(load() == RSP_OK, "%s", error.message);
    fake_forget();
    fake.hang_at = 2; /* the first key */
    ck_assert_int_eq(load(), RSP_ENET);
    ck_assert_uint_eq(fake.libraries, 1);
    fake.hang_at = 0;
    ck_assert_msg(load() == RSP_OK, "%s", error.message);
    ck_assert_uint_eq(fake.n, KEYS);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("load goes on");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, a_stream_in_pieces, 0, 3);
    tcase_add_test(t, theirs_stays);
    tcase_add_loop_test(t, goes_on, 0, 6);
    tcase_add_loop_test(t, checked_and_gone_on, 0, 3);
    tcase_add_loop_test(t, functions_are_marked, 0, 3);
    tcase_add_test(t, other_checkpoint);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
