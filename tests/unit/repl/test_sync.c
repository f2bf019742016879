/* What this is: tests of the capture as a replica: both forms of a transfer, the mark at every read, refusals, patience.
 * Rests on: sync_frame.h.
 * Does not: need a server; break off (test_sync_end.c) or look at the stream behind the snapshot (test_sync_stream.c). */
#include "sync_frame.h"

/* ---- both forms ---- */

static void by_length(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC ? -1", "\n\n\n" FULL "\n\n\n$11\r\n");
    sync_say(p, "REDIS-data\n");
    sync_wait_gone(p);
}

static int64_t stands(void *opaque)
{
    (void)opaque;
    return 1700000000123;
}

START_TEST(length)
{
    const struct rsp_capture_facts *f;
    uint64_t received, spooled;
    env.now_ms = stands;
    start(by_length);
    opened();
    f = rsp_capture_facts(capture);
    ck_assert_str_eq(f->replid, REPLID);
    ck_assert_uint_eq(f->offset, 4711);
    ck_assert_int_eq(f->has_offset, 1);
    ck_assert_uint_eq(f->announced, 11);
    ck_assert_int_eq(f->point_in_time, 1);
    ck_assert_int_eq(f->taken_ms, 1700000000123);
    ck_assert_str_eq(f->method, "psync, rdb-only");
    ck_assert_str_eq(f->why, "the server itself: it names no replica");
    ck_assert_int_eq(drained(), RSP_END);
    expect("REDIS-data\n");
    ck_assert_int_eq(drained(), RSP_END);
    rsp_capture_progress(capture, &received, &spooled);
    ck_assert_uint_eq(received, 11);
    ck_assert_uint_eq(spooled, 0);
    finish();
    ck_assert_str_eq(peer.heard, "INFO\nREPLCONF capa eof capa psync2\nREPLCONF rdb-only 1\nPSYNC ? -1\n");
}
END_TEST

static void by_mark(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", "\n" FULL "\n$EOF:" MARK "\r\nthe data" MARK);
}

START_TEST(mark)
{
    start(by_mark);
    opened();
    ck_assert_uint_eq(rsp_capture_facts(capture)->announced, 0);
    ck_assert_int_eq(drained(), RSP_END);
    expect("the data");
    finish();
}
END_TEST

static void by_drips(struct sync_peer *p)
{
    static const char text[] = "\n\n" FULL "\n\n\n$EOF:" MARK "\r\n" OTHER "0123456789abcdef0" MARK;
    sync_greet(p, 0);
    if (sync_hear(p, "PSYNC")) sync_drip(p, text, sizeof text - 1);
    sync_wait_gone(p);
}

/* Every byte in a read of its own: the mark straddles forty of them, and data that begins as the mark does. */
START_TEST(byte_by_byte)
{
    start(by_drips);
    opened();
    ck_assert_int_eq(drained(), RSP_END);
    expect(OTHER "0123456789abcdef0");
    finish();
}
END_TEST

static void by_halves(struct sync_peer *p)
{
    char text[] = "some data" MARK;
    const size_t cut = p->port; /* the test's */
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", FULL "$EOF:" MARK "\r\n");
    sync_wait_taken(p);
    sync_send(p, text, cut);
    sync_wait_taken(p);
    sync_send(p, text + cut, sizeof text - 1 - cut);
}

START_TEST(mark_straddles)
{
    peer.port = (uint32_t)_i;
    start(by_halves);
    opened();
    ck_assert_int_eq(drained(), RSP_END);
    expect("some data");
    finish();
}
END_TEST

static void marks_inside(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", FULL "$EOF:" MARK "\r\n");
    sync_wait_taken(p);
    sync_say(p, "a" MARK "b" MARK "c" MARK);
    sync_wait_gone(p);
}

/* Where bytes come behind it in the same read, it was data. */
START_TEST(mark_in_data)
{
    start(marks_inside);
    opened();
    ck_assert_int_eq(drained(), RSP_END);
    expect("a" MARK "b" MARK "c");
    finish();
}
END_TEST

static void old_server(struct sync_peer *p)
{
    sync_answer(p, "INFO", "$35\r\nredis_version:2.6.17\r\nrole:master\r\n\r\n");
    sync_answer(p, "REPLCONF capa", "-ERR unknown command 'REPLCONF'\r\n");
    sync_answer(p, "REPLCONF rdb-only", "-ERR unknown command 'REPLCONF'\r\n");
    sync_answer(p, "PSYNC", "-ERR unknown command 'PSYNC'\r\n");
    sync_answer(p, "SYNC", "\n\n$4\r\nDATA");
    sync_wait_gone(p);
}

START_TEST(sync_form)
{
    options.exact = 1;
    env.now_ms = stands;
    start(old_server);
    opened();
    ck_assert_str_eq(rsp_capture_facts(capture)->method, "sync");
    ck_assert_int_eq(rsp_capture_facts(capture)->has_offset, 0);
    ck_assert_int_eq(rsp_capture_facts(capture)->taken_ms, 1700000000123);
    ck_assert_int_eq(drained(), RSP_END);
    expect("DATA");
    finish();
}
END_TEST

static void old_server_streams(struct sync_peer *p)
{
    sync_answer(p, "INFO", "$35\r\nredis_version:2.6.17\r\nrole:master\r\n\r\n");
    sync_answer(p, "REPLCONF capa", "-ERR unknown command 'REPLCONF'\r\n");
    sync_answer(p, "PSYNC", "-ERR unknown command 'PSYNC'\r\n");
}

START_TEST(sync_form_has_no_stream)
{
    options.exact = options.stream = 1;
    start(old_server_streams);
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EUNSUPPORTED);
    said("does not know PSYNC");
    finish();
}
END_TEST

static void unknown_options(struct sync_peer *p)
{
    static const char info[] = "redis_version:6.0.0\r\nrole:master\r\n";
    char text[100];
    snprintf(text, sizeof text, "$%zu\r\n%s\r\n", sizeof info - 1, info);
    sync_answer(p, "INFO", text);
    sync_answer(p, "REPLCONF capa", "\n+OK\r\n");
    sync_answer(p, "REPLCONF rdb-only", "\n\n-ERR Unrecognized REPLCONF option: rdb-only\r\n");
    sync_answer(p, "PSYNC", FULL "$3\r\nabc*1\r\n$4\r\nPING\r\n");
    sync_wait_gone(p);
}

/* Without rdb-only the stream follows at once: none of it belongs to the data. */
START_TEST(not_rdb_only)
{
    start(unknown_options);
    opened();
    ck_assert_str_eq(rsp_capture_facts(capture)->method, "psync");
    ck_assert_int_eq(drained(), RSP_END);
    expect("abc");
    finish();
    ck_assert_ptr_null(strstr(peer.heard, "ACK"));
}
END_TEST

static void valkey(struct sync_peer *p)
{
    static const char info[] =
        "redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2\r\nserver_mode:standalone\r\nrole:master\r\n";
    char text[200];
    snprintf(text, sizeof text, "$%zu\r\n%s\r\n", sizeof info - 1, info);
    sync_answer(p, "INFO", text);
    sync_answer(p, "REPLCONF capa eof", "+OK\r\n");
    sync_answer(p, "REPLCONF version 9.1.2", "+OK\r\n");
    sync_answer(p, "REPLCONF rdb-only 1", "+OK\r\n");
    sync_answer(p, "PSYNC", FULL "$EOF:" MARK "\r\nVALKEY080" MARK);
    sync_wait_gone(p);
}

START_TEST(valkey_is_told_a_version)
{
    start(valkey);
    opened();
    ck_assert_str_eq(rsp_capture_facts(capture)->server->kind, "valkey");
    ck_assert_int_eq(drained(), RSP_END);
    expect("VALKEY080");
    finish();
}
END_TEST

/* ---- bad announcements ---- */

static const struct {
    const char *reply;
    int rc;
    const char *words;
} announcements[] = {
    {"+CONTINUE\r\n", RSP_EFORMAT, "+CONTINUE"},
    {"+OK\r\n", RSP_EFORMAT, "'+OK' is no answer"},
    {"+FULLRESYNC 8371445ee47a 1\r\n", RSP_EFORMAT, "FULLRESYNC"},
    {"+FULLRESYNC " REPLID " \r\n", RSP_EFORMAT, "FULLRESYNC"},
    {"+FULLRESYNC " REPLID " -1\r\n", RSP_EFORMAT, "FULLRESYNC"},
    {"+FULLRESYNC " REPLID " 99999999999999999999999\r\n", RSP_EFORMAT, "FULLRESYNC"},
    {"+FULLRESYNC xyz1445ee47a7b6b5d1b2e9d3a8f9c0e1d2c3b4a 1\r\n", RSP_EFORMAT, "FULLRESYNC"},
    {"+RDBCHANNELSYNC 7\r\n", RSP_EFORMAT, "RDBCHANNELSYNC"},
    {"HTTP/1.1 400 Bad Request\r\n", RSP_EFORMAT, "HTTP/1.1"},
    {"\x01\x02\xff\r\n", RSP_EFORMAT, "is no answer"},
    {"\r\n", RSP_EFORMAT, "is no answer"},
    {FULL "$-1\r\n", RSP_EFORMAT, "'$-1'"},
    {FULL "$0\r\n", RSP_EFORMAT, "0 bytes"},
    {FULL "$12x\r\n", RSP_EFORMAT, "'$12x'"},
    {FULL "$18446744073709551616\r\n", RSP_EFORMAT, "no answer"},
    {FULL "$EOF:" MARK "8\r\n", RSP_EFORMAT, "$EOF"},
    {FULL "$EOF:0123\r\n", RSP_EFORMAT, "$EOF"},
    {FULL "*3\r\n", RSP_EFORMAT, "'*3'"},
    {FULL "-ERR Unable to perform background save\r\n", RSP_EDENIED, "Unable to perform background save"},
    {FULL, RSP_ENET, "closed the connection instead of announcing"},
    {"+FULLRESYNC 8371", RSP_ENET, "closed the connection"},
    {"", RSP_ENET, "closed the connection"},
    {"-ERR Can't SYNC while not connected with my master, by policy\r\n", RSP_EDENIED, "by policy"},
    {"-NOPERM this user has no permissions to run the 'psync' command\r\n", RSP_EDENIED, "+psync"},
    {"-NOAUTH Authentication required.\r\n", RSP_EDENIED, "REDISCLI_AUTH"},
    {"-DENIED no\r\n", RSP_EDENIED, "protected mode"},
};

static void announces(struct sync_peer *p)
{
    sync_greet(p, 0);
    sync_answer(p, "PSYNC", announcements[p->port].reply);
}

START_TEST(announcement)
{
    int rc;
    peer.port = (uint32_t)_i;
    start(announces);
    rc = rsp_capture_open(&env, &endpoint, &options, &capture);
    ck_assert_msg(rc == announcements[_i].rc, "%s: %s", rsp_status_name(rc), error.message);
    said(announcements[_i].words);
    ck_assert_int_eq(strncmp(error.subject, "unix:///tmp/respite-sync-", 25), 0);
    ck_assert_ptr_null(capture);
    finish();
    ck_assert_uint_eq(peer.connection, 1); /* asked once: none of these gets better by asking again */
}
END_TEST

static void no_right_to_replconf(struct sync_peer *p)
{
    sync_answer(p, "INFO", "$35\r\nredis_version:7.0.15\r\nrole:master\r\n\r\n");
    sync_answer(p, "REPLCONF", "-NOPERM this user has no permissions to run the 'replconf' command\r\n");
}

START_TEST(option_denied)
{
    options.exact = 1;
    start(no_right_to_replconf);
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EDENIED);
    said("+replconf");
    finish();
}
END_TEST

static void newlines_for_ever(struct sync_peer *p)
{
    char lines[65536];
    memset(lines, '\n', sizeof lines);
    sync_greet(p, 0);
    if (p->port == 1) sync_answer(p, "PSYNC", FULL);
    else if (p->port == 0) sync_hear(p, "PSYNC");
    while (p->fd >= 0) sync_send(p, lines, sizeof lines);
}

START_TEST(newlines)
{
    peer.port = (uint32_t)_i; /* 0: before the answer, 1: behind it, 2: even before PSYNC was asked */
    start(newlines_for_ever);
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EFORMAT);
    finish();
}
END_TEST

static void line_for_ever(struct sync_peer *p)
{
    char letters[65536];
    memset(letters, 'x', sizeof letters);
    sync_greet(p, 0);
    if (sync_hear(p, "PSYNC"))
        while (p->fd >= 0) sync_send(p, letters, sizeof letters);
}

START_TEST(endless_line)
{
    start(line_for_ever);
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EFORMAT);
    said("a line without an end");
    finish();
}
END_TEST

static void talks_early(struct sync_peer *p)
{
    sync_answer(p, "INFO", "$35\r\nredis_version:7.0.15\r\nrole:master\r\n\r\n");
    sync_answer(p, "REPLCONF capa", "+OK\r\n");
    sync_answer(p, "REPLCONF rdb-only", "+OK\r\n+FULLRESYNC " REPLID " 1\r\n");
    sync_wait_gone(p);
}

START_TEST(answer_before_the_question)
{
    options.exact = 1;
    start(talks_early);
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EFORMAT);
    said("FULLRESYNC");
    finish();
}
END_TEST

/* ---- later ---- */

static const char *const not_now[] = {
    "-NOMASTERLINK Can't SYNC while not connected with my master\r\n",
    "-LOADING Redis is loading the dataset in memory\r\n",
    "-MASTERDOWN Link with MASTER is down\r\n",
    "-BUSY Redis is busy running a script\r\n",
    "-TRYAGAIN later\r\n",
};

static void twice_not(struct sync_peer *p)
{
    sync_greet(p, 0);
    if (p->connection < 2) sync_answer(p, "PSYNC", not_now[p->port]);
    else sync_answer(p, "PSYNC", FULL "$EOF:" MARK "\r\ndata" MARK);
    sync_wait_gone(p);
}

START_TEST(asked_again)
{
    peer.port = (uint32_t)_i;
    start(twice_not);
    opened();
    ck_assert_int_eq(error.code, 0);
    ck_assert_int_eq(drained(), RSP_END);
    expect("data");
    finish();
}
END_TEST

START_TEST(patience_ends)
{
    options.patience_ms = 1;
    start(twice_not);
    ck_assert_int_eq(rsp_capture_open(&env, &endpoint, &options, &capture), RSP_EBUSY);
    said("NOMASTERLINK");
    ck_assert_int_eq(error.retryable, 1);
    finish();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sync");
    TCase *t = tcase_create("sync");
    SRunner *r = srunner_create(s);
    int bad;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, length);
    tcase_add_test(t, mark);
    tcase_add_test(t, byte_by_byte);
    tcase_add_loop_test(t, mark_straddles, 0, (int)sizeof("some data" MARK));
    tcase_add_test(t, mark_in_data);
    tcase_add_test(t, sync_form);
    tcase_add_test(t, sync_form_has_no_stream);
    tcase_add_test(t, not_rdb_only);
    tcase_add_test(t, valkey_is_told_a_version);
    tcase_add_loop_test(t, announcement, 0, (int)(sizeof announcements / sizeof *announcements));
    tcase_add_test(t, option_denied);
    tcase_add_loop_test(t, newlines, 0, 3);
    tcase_add_test(t, endless_line);
    tcase_add_test(t, answer_before_the_question);
    tcase_add_loop_test(t, asked_again, 0, (int)(sizeof not_now / sizeof *not_now));
    tcase_add_test(t, patience_ends);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    bad = srunner_ntests_failed(r);
    srunner_free(r);
    return bad != 0;
}
