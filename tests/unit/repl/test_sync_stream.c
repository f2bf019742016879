/* What this is: tests of the capture with the stream behind the snapshot: no byte lost, honest acknowledgements, the spool
 *   for a slow reader; and of memory that runs out.
 * Rests on: libcheck, sync_peer.h; through rsp_capture_open.
 * Does not: need a server. */
#include <check.h>
#undef fail
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "respite/sys/server.h"
#include "sync_peer.h"

#define MARK "0123456789abcdef0123456789abcdef01234567"
#define REPLID "8371445ee47a7b6b5d1b2e9d3a8f9c0e1d2c3b4a"
#define FULL "+FULLRESYNC " REPLID " 4711\r\n"
#define PING "*1\r\n$4\r\nPING\r\n"
#define ACK "REPLCONF ACK "
#define LARGE ((size_t)6 << 20)

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_endpoint endpoint;
static struct rsp_capture_options options;
static struct rsp_capture *capture;
static struct sync_peer peer;
static struct buf got;

static void setup(void)
{
    const struct rsp_env e = {.size = sizeof e, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &e);
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.size = sizeof endpoint;
    endpoint.socket = peer.path;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.no_settings = 1;
    options.stream = 1;
    options.patience_ms = 5000;
    capture = NULL;
    memset(&peer, 0, sizeof peer);
    buf_init(&got, &env);
}

static void opened(void (*script)(struct sync_peer *))
{
    int rc;
    peer.script = script;
    sync_peer_start(&peer);
    rc = rsp_capture_open(&env, &endpoint, &options, &capture);
    ck_assert_msg(rc == RSP_OK, "%s: %s", rsp_status_name(rc), error.message);
}

static void finish(void)
{
    rsp_capture_free(capture);
    buf_free(&got);
    sync_peer_stop(&peer);
}

/* Reads until n bytes are there, or the end: its status. */
static int take(struct rsp_source *source, size_t n)
{
    static uint8_t room[65536];
    while (got.n < n) {
        size_t k = 0;
        int rc = rsp_source_read(source, room, n - got.n < sizeof room ? n - got.n : sizeof room, &k);
        if (rc) return rc;
        ck_assert_int_eq(buf_add(&got, room, k), RSP_OK);
    }
    return RSP_OK;
}

static void expect(const char *text)
{
    ck_assert_uint_eq(got.n, strlen(text));
    ck_assert_int_eq(memcmp(got.p, text, got.n), 0);
    got.n = 0;
}

static struct rsp_source *stream_of(void)
{
    struct rsp_source *s;
    ck_assert_int_eq(rsp_capture_stream(capture, &s), RSP_OK);
    return s;
}

/* ---- nothing is lost, nothing is promised ---- */

static void behind_a_length(struct sync_peer *p)
{
    sync_greet(p, 1);
    sync_answer(p, "PSYNC ? -1", FULL "$4\r\nDATA" PING);
    /* What was sent is not acknowledged by having been received. */
    if (sync_hear(p, ACK "4711") && sync_hear(p, ACK "4711")) sync_say(p, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n");
    sync_wait_go(p);
    while (sync_hear(p, ACK) && !strstr(p->heard, ACK "4725\n")) {}
}

START_TEST(length_and_stream)
{
    struct rsp_source *s;
    opened(behind_a_length);
    ck_assert_str_eq(rsp_capture_facts(capture)->method, "psync");
    s = stream_of();
    ck_assert_ptr_eq(s, stream_of());
    ck_assert_int_eq(take(rsp_capture_source(capture), 100), RSP_END);
    expect("DATA");
    ck_assert_int_eq(take(s, 37), RSP_OK);
    expect(PING "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n");
    rsp_capture_ack(capture, 4711 + 14);
    sync_peer_go(&peer);
    ck_assert_int_eq(take(s, 1), RSP_END); /* it closes when it heard that */
    finish();
    ck_assert_ptr_null(strstr(peer.heard, "rdb-only"));
    ck_assert_ptr_null(strstr(peer.heard, ACK "4748"));
}
END_TEST

static void behind_a_mark(struct sync_peer *p)
{
    sync_greet(p, 1);
    sync_answer(p, "PSYNC", FULL "$EOF:" MARK "\r\nDATA" MARK);
    sync_answer(p, ACK "4711", PING PING); /* a master holds the stream back until then */
    sync_wait_gone(p);
}

START_TEST(mark_and_stream)
{
    opened(behind_a_mark);
    ck_assert_int_eq(take(rsp_capture_source(capture), 100), RSP_END);
    expect("DATA");
    ck_assert_int_eq(take(stream_of(), 28), RSP_OK);
    expect(PING PING);
    finish();
}
END_TEST

static void drips(struct sync_peer *p)
{
    static const char text[] = FULL "$4\r\nDATA" PING "\n" PING;
    sync_greet(p, 1);
    if (sync_hear(p, "PSYNC")) sync_drip(p, text, sizeof text - 1);
    sync_hear(p, ACK); /* unread it would make a reset of the close */
}

START_TEST(stream_by_bytes)
{
    opened(drips);
    ck_assert_int_eq(take(rsp_capture_source(capture), 100), RSP_END);
    expect("DATA");
    ck_assert_int_eq(take(stream_of(), 100), RSP_END);
    expect(PING "\n" PING);
    finish();
}
END_TEST

static void data_alone(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", FULL "$4\r\nDATA");
    sync_wait_gone(p);
}

START_TEST(no_stream_unless_asked)
{
    struct rsp_source *s;
    options.stream = 0;
    opened(data_alone);
    ck_assert_int_eq(rsp_capture_stream(capture, &s), RSP_ESTATE);
    finish();
}
END_TEST

START_TEST(only_a_replica_has_a_stream)
{
    options.method = RSP_CAPTURE_SCAN;
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EINVAL);
    options.method = RSP_CAPTURE_BGSAVE;
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EINVAL);
}
END_TEST

/* ---- its ends ---- */

static void breaks(struct sync_peer *p)
{
    sync_greet(p, 1);
    sync_answer(p, "PSYNC", FULL "$4\r\nDATA" PING);
    sync_wait_go(p);
    sync_reset(p);
}

START_TEST(stream_reset)
{
    peer.tcp = 1;
    endpoint.socket = NULL;
    peer.script = breaks;
    sync_peer_start(&peer);
    endpoint.port = peer.port;
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_OK);
    ck_assert_int_eq(take(rsp_capture_source(capture), 100), RSP_END);
    got.n = 0;
    ck_assert_int_eq(take(stream_of(), 14), RSP_OK);
    sync_peer_go(&peer);
    ck_assert_int_eq(take(stream_of(), 100), RSP_ENET);
    ck_assert_int_eq(error.sys_errno, ECONNRESET);
    finish();
}
END_TEST

static void falls_silent(struct sync_peer *p)
{
    sync_greet(p, 1);
    sync_answer(p, "PSYNC", FULL "$4\r\nDATA");
    sync_wait_gone(p);
}

START_TEST(stream_silence)
{
    endpoint.idle_ms = 60;
    opened(falls_silent);
    ck_assert_int_eq(take(rsp_capture_source(capture), 100), RSP_END);
    ck_assert_int_eq(take(stream_of(), 100), RSP_ETIMEOUT);
    finish();
}
END_TEST

static void cut_short(struct sync_peer *p)
{
    sync_greet(p, 1);
    sync_answer(p, "PSYNC", FULL "$5\r\nDATA");
}

/* A snapshot that is not whole has no stream either. */
START_TEST(no_stream_behind_a_cut)
{
    opened(cut_short);
    ck_assert_int_eq(take(rsp_capture_source(capture), 100), RSP_ETRUNCATED);
    rsp_error_clear(&error);
    got.n = 0;
    ck_assert_int_eq(take(stream_of(), 1), RSP_ETRUNCATED);
    finish();
}
END_TEST

/* ---- a reader that is slow ---- */

static char large_at(size_t i)
{
    return (char)((i * UINT64_C(0x9E3779B97F4A7C15)) >> 56);
}

static void say_large(struct sync_peer *p)
{
    char room[8192];
    for (size_t i = 0; i < LARGE && p->fd >= 0; i += sizeof room) {
        for (size_t k = 0; k < sizeof room; k++) room[k] = large_at(i + k);
        sync_send(p, room, sizeof room);
    }
}

static void expect_large(void)
{
    ck_assert_uint_eq(got.n, LARGE);
    for (size_t i = 0; i < LARGE; i++)
        if ((char)got.p[i] != large_at(i)) ck_abort_msg("byte %zu", i);
}

static void large(struct sync_peer *p)
{
    sync_greet(p, (int)p->port);
    sync_answer(p, "PSYNC", FULL "$EOF:" MARK "\r\n");
    say_large(p);
    sync_say(p, MARK);
    if (p->port) {
        sync_hear(p, ACK "4711");
        say_large(p);
    }
    sync_wait_gone(p);
}

START_TEST(spooled)
{
    uint64_t received = 0, through = 0;
    char dir[] = "/tmp/respite-spool-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    options.stream = _i;
    options.ring_bytes = 1;
    options.spool = dir;
    peer.port = (uint32_t)_i;
    opened(large);
    /* All of it is taken from the server although nobody reads. */
    while (received < LARGE + strlen(MARK)) {
        usleep(1000);
        rsp_capture_progress(capture, &received, &through);
    }
    ck_assert_uint_gt(through, LARGE / 2);
    ck_assert_int_eq(take(rsp_capture_source(capture), LARGE + 1), RSP_END);
    expect_large();
    got.n = 0;
    if (_i) {
        ck_assert_int_eq(take(stream_of(), LARGE), RSP_OK);
        expect_large();
    }
    finish();
    ck_assert_int_eq(rmdir(dir), 0); /* nothing lies there */
}
END_TEST

/* Told at once, and nothing is asked of the server. */
START_TEST(no_spool_there)
{
    options.spool = "/nonexistent/spool";
    peer.script = large;
    sync_peer_start(&peer);
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EINVAL);
    ck_assert_str_eq(error.subject, "/nonexistent/spool");
    finish();
    ck_assert_uint_eq(peer.connection, 0);
}
END_TEST

static void hears_of_us(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", FULL "$EOF:" MARK "\r\n");
    /* More than ring and sockets hold: it stands until the reader goes on, and a newline tells that we live. */
    say_large(p);
    sync_say(p, MARK);
    sync_hear(p, "newline");
    sync_wait_gone(p);
}

START_TEST(stalled_reader_lives)
{
    uint64_t received = 0, before = 1, through;
    options.stream = 0;
    options.ring_bytes = 1;
    opened(hears_of_us);
    while (received != before || received < (size_t)1 << 20) {
        before = received;
        usleep(5500 * 1000); /* the length of the stall is what is tested */
        rsp_capture_progress(capture, &received, &through);
    }
    ck_assert_uint_eq(through, 0);
    ck_assert_int_eq(take(rsp_capture_source(capture), LARGE + 1), RSP_END);
    expect_large();
    finish();
    ck_assert_ptr_nonnull(strstr(peer.heard, "newline"));
}
END_TEST

/* ---- memory that runs out ---- */

static _Atomic int left;

static void *counted(void *opaque, void *p, size_t n, size_t m)
{
    (void)opaque, (void)n;
    if (!m) {
        free(p);
        return NULL;
    }
    if (left-- <= 0) return NULL;
    return realloc(p, m);
}

static void short_one(struct sync_peer *p)
{
    sync_greet(p, 1);
    sync_answer(p, "PSYNC", FULL "$EOF:" MARK "\r\nDATA" MARK);
    sync_wait_gone(p);
    p->wrong[0] = 0; /* it may have closed anywhere */
}

START_TEST(no_memory)
{
    int rc = RSP_ENOMEM, n;
    env.resize = counted;
    peer.script = short_one;
    sync_peer_start(&peer);
    for (n = 0; n < 1000 && rc; n++) {
        left = n;
        rsp_error_clear(&error);
        rc = rsp_capture_open(&env, &endpoint, &options, &capture);
        if (!rc) {
            uint8_t room[64];
            size_t k;
            do rc = rsp_source_read(rsp_capture_source(capture), room, sizeof room, &k);
            while (!rc);
            rc = rc == RSP_END ? RSP_OK : rc;
        }
        ck_assert_msg(!rc || rc == RSP_ENOMEM, "allocation %d: %s: %s", n, rsp_status_name(rc), error.message);
        rsp_capture_free(capture);
        capture = NULL;
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 5);
    sync_peer_stop(&peer);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sync_stream");
    TCase *t = tcase_create("sync_stream");
    SRunner *r = srunner_create(s);
    int bad;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, length_and_stream);
    tcase_add_test(t, mark_and_stream);
    tcase_add_test(t, stream_by_bytes);
    tcase_add_test(t, no_stream_unless_asked);
    tcase_add_test(t, only_a_replica_has_a_stream);
    tcase_add_test(t, stream_reset);
    tcase_add_test(t, stream_silence);
    tcase_add_test(t, no_stream_behind_a_cut);
    tcase_add_loop_test(t, spooled, 0, 2);
    tcase_add_test(t, no_spool_there);
    tcase_add_test(t, stalled_reader_lives);
    tcase_add_test(t, no_memory);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad != 0;
}
