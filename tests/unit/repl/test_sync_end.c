/* What this is: tests of the capture as a replica: peers that break off, lie, or fall silent; a reader that goes.
 * Rests on: sync_frame.h.
 * Does not: need a server. */
#include "sync_frame.h"

/* ---- an end before the end ---- */

static const struct {
    const char *head, *data;
    int rc;
    const char *words;
} cut[] = {
    {"$10\r\n", "123456789", RSP_ETRUNCATED, "1 bytes before the end"},
    {"$10\r\n", "", RSP_ETRUNCATED, "10 bytes before the end"},
    {"$18446744073709551599\r\n", "123", RSP_ETRUNCATED, "before the end of the dataset"},
    {"$EOF:" MARK "\r\n", "", RSP_ETRUNCATED, "before the end of the dataset"},
    {"$EOF:" MARK "\r\n", "data", RSP_ETRUNCATED, "before the end of the dataset"},
    {"$EOF:" MARK "\r\n", "data" OTHER, RSP_ETRUNCATED, "its log tells why"},
    {"$EOF:" MARK "\r\n", "data0123456789abcdef0123456789abcdef0123456", RSP_ETRUNCATED, "before the end"},
    {"$EOF:" MARK "\r\n", "data" MARK "x", RSP_ETRUNCATED, "before the end"},
};

static void cuts(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", FULL);
    sync_say(p, cut[p->port].head);
    sync_wait_taken(p);
    sync_say(p, cut[p->port].data);
}

START_TEST(short_transfer)
{
    peer.port = (uint32_t)_i;
    start(cuts);
    opened();
    ck_assert_int_eq(drained(), cut[_i].rc);
    said(cut[_i].words);
    ck_assert_uint_eq(error.offset, strlen(cut[_i].data));
    ck_assert_int_eq(drained(), RSP_ESTATE);
    finish();
}
END_TEST

static void resets(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", FULL "$1000\r\nsome");
    sync_wait_go(p);
    sync_reset(p);
}

START_TEST(reset)
{
    peer.tcp = 1;
    endpoint.socket = NULL;
    start(resets);
    endpoint.port = peer.port;
    opened();
    sync_peer_go(&peer);
    ck_assert_int_eq(drained(), RSP_ENET);
    ck_assert_int_eq(error.sys_errno, ECONNRESET);
    finish();
}
END_TEST

/* ---- silence ---- */

static void stalls(struct sync_peer *p)
{
    static const char *const upto[] = {"", FULL, FULL "$1000\r\nsome", FULL "$EOF:" MARK "\r\nsome"};
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", upto[p->port]);
    sync_wait_gone(p);
}

START_TEST(silence)
{
    int rc;
    peer.port = (uint32_t)_i;
    endpoint.idle_ms = 60;
    start(stalls);
    rc = rsp_capture_open(&env, &endpoint, &options, &capture);
    ck_assert_int_eq(rc, _i < 2 ? RSP_ETIMEOUT : RSP_OK);
    if (!rc) ck_assert_int_eq(drained(), RSP_ETIMEOUT);
    ck_assert_int_ne(error.message[0], 0);
    finish();
}
END_TEST

/* The env's clock is the time of day; one that stands still is no reason to wait for ever. */
static int64_t standing(void *opaque)
{
    (void)opaque;
    return 1700000000000;
}

START_TEST(clock_stands)
{
    env.now_ms = standing;
    endpoint.idle_ms = 60;
    peer.port = 2;
    start(stalls);
    opened();
    ck_assert_int_eq(drained(), RSP_ETIMEOUT);
    finish();
}
END_TEST

static void lives_on(struct sync_peer *p)
{
    sync_greet(p, 0);
    if (sync_answer(p, "PSYNC", FULL))
        while (p->fd >= 0) {
            sync_say(p, "\n");
            sync_wait_taken(p);
        }
}

/* Newlines are a sign of life, but not for longer than was agreed. */
START_TEST(never_announced)
{
    options.announce_ms = 50;
    start(lives_on);
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture) == RSP_ETIMEOUT ||
                         strstr(error.message, "newlines") != NULL,
                     1);
    finish();
}
END_TEST

static void cancels(struct sync_peer *p)
{
    static const char *const upto[] = {"", FULL, FULL "$1000\r\nsome", FULL "$EOF:" MARK "\r\nsome"};
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", upto[p->port]);
    sync_wait_taken(p);
    __atomic_store_n(&cancel, 1, __ATOMIC_RELAXED);
    sync_wait_gone(p);
}

START_TEST(cancelled)
{
    int rc;
    peer.port = (uint32_t)_i;
    start(cancels);
    rc = rsp_capture_open(&env, &endpoint, &options, &capture);
    if (!rc) rc = drained();
    ck_assert_int_eq(rc, RSP_ECANCELED);
    finish();
}
END_TEST

START_TEST(freed_while_it_waits)
{
    peer.port = (uint32_t)_i;
    start(stalls);
    opened();
    finish();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sync_end");
    TCase *t = tcase_create("sync_end");
    SRunner *r = srunner_create(s);
    int bad;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, short_transfer, 0, (int)(sizeof cut / sizeof *cut));
    tcase_add_test(t, reset);
    tcase_add_loop_test(t, silence, 0, 4);
    tcase_add_test(t, clock_stands);
    tcase_add_test(t, never_announced);
    tcase_add_loop_test(t, cancelled, 0, 4);
    tcase_add_loop_test(t, freed_while_it_waits, 2, 4);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad != 0;
}
