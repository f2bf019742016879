/* What this is: what the tests over the played cluster set up, and what a whole snapshot of it is.
 * Rests on: shards_world.h.
 * Does not: test anything by itself. */
#ifndef TESTS_SHARDS_TEST_H
#define TESTS_SHARDS_TEST_H

#include "unit/job/shards_world.h"

static struct place at;
static struct rsp_place place;
static struct rsp_backup_live_options lo;
static struct rsp_backup_options o;
static struct rsp_log *the_log;
static struct rsp_backup_report report;
static struct rsp_backup_live live;
static struct rsp_snapshot *snapshot;
static struct rsp_env env;
static uint64_t progress, told, found;

static void on_progress(void *opaque, uint64_t bytes)
{
    (void)opaque;
    progress = bytes;
}

static void on_told(void *opaque, size_t shard, const char *where, const char *what)
{
    (void)opaque;
    ck_assert_uint_lt(shard, SHARDS);
    ck_assert(where && *where && what && *what);
    told++;
}

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    (void)opaque, (void)f;
    found++;
    return RSP_OK;
}

static void setup(void)
{
    place_open(&at);
    world_begin();
    memset(&place, 0, sizeof place);
    memset(&lo, 0, sizeof lo);
    memset(&o, 0, sizeof o);
    memset(&live, 0, sizeof live);
    memset(&report, 0, sizeof report);
    place.size = sizeof place;
    place.kind = RSP_PLACE_CLUSTER;
    place.endpoint.size = sizeof place.endpoint;
    place.seeds[0] = (struct rsp_seed){"127.0.0.1", 7001};
    place.seeds_n = 1;
    place.master = "mine";
    lo.size = sizeof lo;
    lo.capture.size = sizeof lo.capture;
    lo.capture.patience_ms = 60000;
    lo.told = on_told;
    o.size = sizeof o;
    o.snapshot.size = sizeof o.snapshot;
    o.snapshot.source = "test";
    o.snapshot.threads = 2;
    o.tmpdir = at.dir;
    o.cancel = &world_cancel;
    o.progress = on_progress;
    o.found = on_finding;
    report.size = sizeof report;
    live.size = sizeof live;
    the_log = NULL;
    snapshot = NULL;
    progress = told = found = 0;
    env = at.env;
    env.now_ms = NULL; /* that of the place is for one thread */
}

static void teardown(void)
{
    rsp_backup_live_free(&env, &live);
    rsp_snapshot_free(snapshot);
    rsp_log_free(the_log);
    world_end();
    place_close(&at);
}

static int run(void)
{
    rsp_error_clear(&at.error);
    return rsp_backup_place(&env, at.repo, &place, &lo, &o, &the_log, &report, &live);
}

static int is(struct rsp_span s, const char *text)
{
    return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

static const struct rsp_manifest *open_it(void)
{
    ck_assert_ptr_nonnull(report.record);
    ck_assert_int_eq(rsp_snapshot_open(at.repo, report.record, &snapshot), RSP_OK);
    return rsp_snapshot_manifest(snapshot);
}

/* Each stream is what its shard gave. */
static void same(void)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct rsp_source *source = NULL;
        const struct dump *d = &world.dump[i];
        uint8_t *got = malloc(d->n + 1);
        size_t n = 0, k = 0;
        int rc;
        ck_assert_int_eq(rsp_snapshot_source(snapshot, i, 0, 1, &source), RSP_OK);
        while ((rc = rsp_source_read(source, got + n, d->n + 1 - n, &k)) == RSP_OK) n += k;
        ck_assert_int_eq(rc, RSP_END);
        ck_assert_uint_eq(n, d->n);
        ck_assert_mem_eq(got, d->p, n);
        rsp_source_free(source);
        free(got);
    }
}

static void stored(void)
{
    static const char *const names[] = {"shard-0-5460.rdb", "shard-5461-10921.rdb", "shard-10922-16383.rdb"};
    const struct rsp_manifest *m = open_it();
    uint64_t plain = 0, keys = 0;
    ck_assert_uint_eq(m->streams_n, SHARDS);
    for (unsigned i = 0; i < SHARDS; i++) {
        const struct rsp_stream_info *s = &m->streams[i];
        char node[41];
        snprintf(node, sizeof node, "%039d%u", 0, world.primary[i]);
        ck_assert(is(s->name, names[i]) && is(s->node, node));
        ck_assert(is(s->role, i ? "replica" : "master"));
        ck_assert_mem_eq(s->slots.p, names[i] + 6, s->slots.n);
        ck_assert_uint_eq(s->offset, 100 + i);
        ck_assert_uint_eq(s->records, 40 + 10 * i);
        ck_assert_uint_eq(s->taken_ms, (uint64_t)live.shards[i].taken_ms);
        ck_assert_uint_eq(s->plain, world.dump[i].n);
        ck_assert_str_eq(live.shards[i].node, node);
        ck_assert_uint_eq(live.shards[i].keys, s->records);
        plain += s->plain;
        keys += s->records;
    }
    ck_assert_uint_eq(live.shards_n, SHARDS);
    ck_assert_uint_eq(report.keys, keys);
    ck_assert_uint_eq(report.plain, plain);
    ck_assert_uint_eq(report.record->keys, keys);
    ck_assert_uint_eq(progress, plain);
    ck_assert_uint_eq(m->dbs[0].keys + m->dbs[1].keys, keys);
    ck_assert_uint_eq(m->dbs_n, 2);
    same();
}

/* There is no snapshot, and it is said why. */
static void nothing(int rc, int source_fault)
{
    ck_assert_int_eq(at.error.code, rc);
    ck_assert_int_eq(report.source_fault, source_fault);
    ck_assert_ptr_null(the_log);
    ck_assert_ptr_null(report.record);
    ck_assert_uint_eq(place_count(&at, "log"), 0);
}

static int run_suite(const char *name, TCase *t)
{
    Suite *suite = suite_create(name);
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}

#endif
