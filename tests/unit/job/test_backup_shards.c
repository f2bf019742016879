/* What this is: tests of rsp_backup_place over a cluster and a Sentinel that are played: one snapshot of all shards, what
 *   stands in it, damage, the user's word, memory.
 * Rests on: shards_test.h, libcheck.
 * Does not: open a connection. */
/* LDFLAGS: -Wl,--wrap=rsp_capture_open,--wrap=rsp_capture_facts,--wrap=rsp_capture_source,--wrap=rsp_capture_progress,--wrap=rsp_capture_free,--wrap=rsp_cluster_look,--wrap=rsp_server_open,--wrap=rsp_server_facts,--wrap=rsp_server_free,--wrap=rsp_sentinel_find */
#include "unit/job/shards_test.h"

/* ---- whole ---- */

START_TEST(all_shards)
{
    const struct rsp_manifest *m;
    uint64_t low = 0;
    lo.at_once = (unsigned)_i;
    ck_assert_msg(run() == RSP_OK, "%s", at.error.message);
    stored();
    m = rsp_snapshot_manifest(snapshot);
    ck_assert_uint_eq(report.record->flags, RSP_COMMIT_GOOD | RSP_COMMIT_FULL);
    ck_assert(is(m->server_place, "cluster://127.0.0.1:7001") && is(m->server_version, "8.0.1"));
    ck_assert(is(m->server_run_id, "run0"));
    ck_assert_uint_eq(m->losses_n, 0);
    ck_assert_uint_eq(m->captured_n, 5);
    ck_assert(is(m->captured[0].name, "info") && is(m->captured[1].name, "config"));
    ck_assert(is(m->captured[2].name, "info 5461-10921") && is(m->captured[3].name, "info 10922-16383"));
    ck_assert(is(m->captured[4].name, "cluster") && m->captured[4].value.n > 300);
    for (unsigned i = 0; i < SHARDS; i++) /* modulo 2^64: without carries from below */
        for (unsigned k = 8; k < 16; k++) low += (uint64_t)m->streams[i].dd1[k] << (120 - 8 * k);
    for (unsigned k = 8; k < 16; k++) ck_assert_uint_eq(report.dd1[k], (low >> (120 - 8 * k)) & 255);
    ck_assert_int_eq(live.skew_ms, 20);
    ck_assert_str_eq(live.shards[1].slots, "5461-10921");
    ck_assert_uint_eq(live.shards[1].tries, 1);
    ck_assert_uint_eq(live.shards[1].spooled, 7);
    ck_assert_str_eq(live.via, "redis://127.0.0.1:7000");
    ck_assert_uint_eq(world.looks, 2);
    ck_assert_uint_le(world.most_open, _i ? (unsigned)_i : SHARDS);
    ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(of_two_versions)
{
    world.other_version = 1;
    ck_assert_int_eq(run(), RSP_OK);
    ck_assert_uint_eq(open_it()->losses_n, 1);
    ck_assert_ptr_nonnull(memmem(rsp_snapshot_manifest(snapshot)->losses[0].p,
                                 rsp_snapshot_manifest(snapshot)->losses[0].n, "valkey 9.1.0", 12));
}
END_TEST

START_TEST(bgsave_is_refused)
{
    lo.capture.method = RSP_CAPTURE_BGSAVE;
    ck_assert_int_eq(run(), RSP_EUNSUPPORTED);
    ck_assert_uint_eq(world.looks, 0);
}
END_TEST

/* ---- damage, the user, Sentinel ---- */

START_TEST(damaged)
{
    unsigned times = _i == 1 ? TRIES : 1;
    for (unsigned i = 0; i < times; i++) world.damaged[2][i] = 1;
    o.accept_damaged = _i == 2;
    ck_assert_int_eq(run(), _i == 1 ? RSP_ECHECKSUM : RSP_OK);
    ck_assert_uint_eq(world.opened[2], _i == 2 ? 1 : 2);
    ck_assert_uint_eq(found, _i == 1 ? 2 : 1);
    if (_i == 1) nothing(RSP_ECHECKSUM, 0);
    if (_i == 1) ck_assert_uint_eq(report.findings, 1);
    if (_i == 2) ck_assert_uint_eq(report.record->flags & (RSP_COMMIT_GOOD | RSP_COMMIT_DAMAGED), RSP_COMMIT_DAMAGED);
    if (_i == 2) ck_assert_int_eq(report.has_dd1, 0);
    if (!_i) stored();
}
END_TEST

START_TEST(cancelled)
{
    world.stall = 1;
    ck_assert_int_eq(run(), RSP_ECANCELED);
    nothing(RSP_ECANCELED, 0);
}
END_TEST

START_TEST(sentinel)
{
    place.kind = RSP_PLACE_SENTINEL;
    if (_i) world.fault[0][0] = RSP_ETRUNCATED;
    ck_assert_msg(run() == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(world.finds, 1 + (unsigned)_i);
    if (_i) ck_assert_uint_eq(world.port[0][1], 7003);
    ck_assert_str_eq(live.via, "sentinel://s:26379");
    ck_assert_uint_eq(live.shards_n, 1);
    ck_assert_uint_eq(live.shards[0].tries, 1 + (unsigned)_i);
    ck_assert(is(open_it()->streams[0].name, "dump.rdb"));
    ck_assert(
        is(rsp_snapshot_manifest(snapshot)->server_place, _i ? "redis://127.0.0.1:7003" : "redis://127.0.0.1:7000"));
}
END_TEST

/* ---- memory ---- */

static int64_t left; /* allocations until one fails; several threads */
static int64_t held;

static void *resize(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (n == 0) {
        __atomic_fetch_sub(&held, p != NULL, __ATOMIC_RELAXED);
        free(p);
        return NULL;
    }
    if (__atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED) == 0) return NULL;
    p = realloc(p, n);
    if (p && !old_n) __atomic_fetch_add(&held, 1, __ATOMIC_RELAXED);
    return p;
}

START_TEST(allocations_fail)
{
    env.resize = resize;
    lo.at_once = 1;
    o.snapshot.threads = 1;
    for (int64_t n = 1; n < 4000; n += 1 + n / 9) {
        int rc;
        left = n;
        held = 0;
        memset(world.opened, 0, sizeof world.opened);
        rc = run();
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%d: %s", rc, at.error.message);
        rsp_backup_live_free(&env, &live);
        rsp_log_free(the_log);
        the_log = NULL;
        ck_assert_int_eq(held, 0);
        if (!rc && left > 0) return;
    }
    ck_abort_msg("it never went well");
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, all_shards, 0, 4);
    tcase_add_test(t, of_two_versions);
    tcase_add_test(t, bgsave_is_refused);
    tcase_add_loop_test(t, damaged, 0, 3);
    tcase_add_test(t, cancelled);
    tcase_add_loop_test(t, sentinel, 0, 2);
    tcase_add_test(t, allocations_fail);
    return run_suite("backup-shards", t);
}
