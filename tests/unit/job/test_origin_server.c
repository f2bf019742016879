/* What this is: tests of rsp_backup_place over the capture of one server that is played: what comes into the manifest and the report.
 * Rests on: place.h, libcheck.
 * Does not: open a connection. */
/* LDFLAGS: -Wl,--wrap=rsp_capture_open,--wrap=rsp_capture_facts,--wrap=rsp_capture_source,--wrap=rsp_capture_progress,--wrap=rsp_capture_free */
#include <check.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <respite/sys/live.h>

#include "unit/job/place.h"

#undef fail

struct rsp_capture {
    struct rsp_capture_facts facts;
    struct rsp_server_facts server;
    struct rsp_server_settings settings;
    struct rsp_source *source;
    const uint8_t *p;
    size_t at, n, fail_at;
    int fault;
};

static struct place at;
static struct dump dump;
static struct rsp_capture played;
static int open_status, opened;

int __wrap_rsp_capture_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                            const struct rsp_capture_options *options, struct rsp_capture **ret);
const struct rsp_capture_facts *__wrap_rsp_capture_facts(const struct rsp_capture *capture);
struct rsp_source *__wrap_rsp_capture_source(struct rsp_capture *capture);
void __wrap_rsp_capture_progress(const struct rsp_capture *capture, uint64_t *received, uint64_t *spooled);
void __wrap_rsp_capture_free(struct rsp_capture *capture);

static int play(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct rsp_capture *c = opaque;
    size_t n = c->n - c->at;
    if (c->fault && c->at >= c->fail_at) return c->fault;
    if (!n) return RSP_END;
    if (n > cap) n = cap;
    if (n > 1000) n = 1000;
    memcpy(out, c->p + c->at, n);
    c->at += n;
    *got = n;
    return RSP_OK;
}

int __wrap_rsp_capture_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                            const struct rsp_capture_options *options, struct rsp_capture **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, play, NULL};
    *ret = NULL;
    ck_assert_uint_eq(endpoint->port, 6390);
    ck_assert_int_eq(options->role, RSP_CAPTURE_REPLICA);
    if (open_status) return open_status;
    ck_assert_int_eq(rsp_source_custom(env, &ops, &played, "played", &played.source), RSP_OK);
    opened++;
    *ret = &played;
    return RSP_OK;
}

const struct rsp_capture_facts *__wrap_rsp_capture_facts(const struct rsp_capture *capture)
{
    return &capture->facts;
}

struct rsp_source *__wrap_rsp_capture_source(struct rsp_capture *capture)
{
    return capture->source;
}

void __wrap_rsp_capture_progress(const struct rsp_capture *capture, uint64_t *received, uint64_t *spooled)
{
    *received = capture->at;
    *spooled = 4711;
}

void __wrap_rsp_capture_free(struct rsp_capture *capture)
{
    if (!capture) return;
    rsp_source_free(capture->source);
    opened--;
}

static void setup(void)
{
    static const struct rsp_pair pair = {{(const uint8_t *)"info", 4}, {(const uint8_t *)"text", 4}};
    place_open(&at);
    dump_make(&dump, 60, 400, 0);
    memset(&played, 0, sizeof played);
    played.p = dump.p;
    played.n = dump.n;
    snprintf(played.server.kind, sizeof played.server.kind, "redis");
    snprintf(played.server.version, sizeof played.server.version, "8.0.1");
    snprintf(played.server.run_id, sizeof played.server.run_id, "ab");
    played.server.role = RSP_SERVER_REPLICA;
    played.settings.pairs = (struct rsp_pair *)(uintptr_t)&pair;
    played.settings.pairs_n = 1;
    played.facts = (struct rsp_capture_facts){.size = sizeof played.facts,
                                              .server = &played.server,
                                              .place = "redis://b:6390",
                                              .why = "a replica, lag 0 s",
                                              .method = "psync, rdb-only",
                                              .settings = &played.settings,
                                              .replid = "cafe",
                                              .offset = 99,
                                              .has_offset = 1,
                                              .point_in_time = 1,
                                              .taken_ms = 1234567};
    open_status = opened = 0;
}

static void teardown(void)
{
    ck_assert_int_eq(opened, 0);
    dump_free(&dump);
    place_close(&at);
}

static int run(struct rsp_log **log, struct rsp_backup_report *report, struct rsp_backup_live *live)
{
    struct rsp_place place = {.size = sizeof place};
    struct rsp_backup_live_options lo = {.size = sizeof lo};
    struct rsp_backup_options o = {.size = sizeof o};
    place.endpoint.size = sizeof place.endpoint;
    place.endpoint.port = 6390;
    lo.capture.size = sizeof lo.capture;
    lo.capture.role = RSP_CAPTURE_REPLICA;
    o.snapshot.size = sizeof o.snapshot;
    o.snapshot.source = "test";
    o.snapshot.threads = 2;
    o.tmpdir = at.dir;
    o.accept_damaged = 1;
    memset(report, 0, sizeof *report);
    memset(live, 0, sizeof *live);
    report->size = sizeof *report;
    live->size = sizeof *live;
    rsp_error_clear(&at.error);
    return rsp_backup_place(&at.env, at.repo, &place, &lo, &o, log, report, live);
}

static int is(struct rsp_span s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

START_TEST(stored)
{
    struct rsp_backup_report report;
    struct rsp_backup_live live;
    struct rsp_log *log = NULL;
    struct rsp_snapshot *s = NULL;
    const struct rsp_manifest *m;
    if (_i) played.facts.point_in_time = 0, played.facts.method = "scan", played.server.role = RSP_SERVER_MASTER;
    ck_assert_msg(run(&log, &report, &live) == RSP_OK, "%s", at.error.message);
    ck_assert_str_eq(live.shards[0].place, "redis://b:6390");
    ck_assert_str_eq(live.shards[0].why, "a replica, lag 0 s");
    ck_assert_str_eq(live.shards[0].method, _i ? "scan" : "psync, rdb-only");
    ck_assert_uint_eq(live.shards[0].spooled, 4711);
    ck_assert_int_eq(live.shards[0].point_in_time, !_i);
    ck_assert_uint_eq(report.keys, 60);
    ck_assert_int_eq((report.flags & RSP_COMMIT_GOOD) != 0, !_i);
    ck_assert_int_eq(rsp_snapshot_open(at.repo, report.record, &s), RSP_OK);
    m = rsp_snapshot_manifest(s);
    ck_assert(is(m->server_version, "8.0.1") && is(m->server_run_id, "ab") && is(m->server_place, "redis://b:6390"));
    ck_assert(is(m->streams[0].role, _i ? "master" : "replica") && is(m->streams[0].replid, "cafe"));
    ck_assert_uint_eq(m->streams[0].offset, 99);
    ck_assert_uint_eq(m->captured_n, 1);
    ck_assert_uint_eq(m->losses_n, (unsigned)_i);
    if (_i) ck_assert_int_eq(memcmp(m->losses[0].p, "not a point in time: ", 21), 0);
    ck_assert(is(m->streams[0].place, "redis://b:6390") && is(m->streams[0].name, "dump.rdb"));
    ck_assert_uint_eq(m->streams[0].taken_ms, 1234567);
    ck_assert_uint_eq(m->streams[0].slots.n + m->streams[0].node.n, 0);
    ck_assert_uint_eq(live.shards_n, 1);
    ck_assert_uint_eq(live.shards[0].tries, 1);
    ck_assert_ptr_null(live.shards[0].slots);
    rsp_backup_live_free(&at.env, &live);
    rsp_snapshot_free(s);
    rsp_log_free(log);
}
END_TEST

START_TEST(server_fails_to_open)
{
    struct rsp_backup_report report;
    struct rsp_backup_live live;
    struct rsp_log *log = NULL;
    open_status = RSP_EDENIED;
    ck_assert_int_eq(run(&log, &report, &live), RSP_EDENIED);
    ck_assert_int_eq(report.source_fault, 1);
    ck_assert_ptr_null(log);
    ck_assert_uint_eq(place_count(&at, "data"), 0);
    rsp_backup_live_free(&at.env, &live);
}
END_TEST

/* Nothing is committed however little is missing, and though damage was accepted. */
START_TEST(server_goes_away)
{
    struct rsp_backup_report report;
    struct rsp_backup_live live;
    struct rsp_log *log = NULL;
    played.fault = _i & 1 ? RSP_ETRUNCATED : RSP_ENET;
    played.fail_at = _i & 2 ? dump.n : dump.n / 2;
    if (_i & 4) dump.p[200] = 0xee; /* and what came was damaged before */
    ck_assert_int_eq(run(&log, &report, &live), played.fault);
    ck_assert_int_eq(report.source_fault, 1);
    ck_assert_ptr_null(log);
    ck_assert_uint_eq(place_count(&at, "log"), 0);
    ck_assert_str_eq(live.shards[0].place, "redis://b:6390");
    ck_assert_uint_eq(live.shards[0].tries, 1); /* one server that was named is not captured again */
    rsp_backup_live_free(&at.env, &live);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("origin-server");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, stored, 0, 2);
    tcase_add_test(t, server_fails_to_open);
    tcase_add_loop_test(t, server_goes_away, 0, 8);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
