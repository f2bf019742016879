/* What this is: tests of rsp_backup_place over a played cluster whose shards break off, fail over, or lose slots meanwhile: one
 *   snapshot of all shards, or none.
 * Rests on: shards_test.h, libcheck.
 * Does not: open a connection. */
/* LDFLAGS: -Wl,--wrap=rsp_capture_open,--wrap=rsp_capture_facts,--wrap=rsp_capture_source,--wrap=rsp_capture_progress,--wrap=rsp_capture_free,--wrap=rsp_cluster_look,--wrap=rsp_server_open,--wrap=rsp_server_facts,--wrap=rsp_server_free,--wrap=rsp_sentinel_find */
#include "unit/job/shards_test.h"

/* ---- shards that break off ---- */

static const int passing[] = {RSP_ENET, RSP_ETRUNCATED, RSP_ETIMEOUT, RSP_EBUSY};

START_TEST(breaks_off_once)
{
    world.fault[_i % 3][0] = passing[_i];
    ck_assert_msg(run() == RSP_OK, "%s", at.error.message);
    stored();
    ck_assert_uint_eq(live.shards[_i % 3].tries, 2);
    ck_assert_uint_eq(live.shards[(_i + 1) % 3].tries, 1);
    ck_assert_uint_eq(told, 1);
    ck_assert_uint_eq(found, 0);                       /* what was not sent is not damaged */
    ck_assert_uint_eq(report.record->objects, SHARDS); /* what the first try stored is none of it */
}
END_TEST

START_TEST(breaks_off_for_ever)
{
    for (unsigned i = 0; i < TRIES; i++) world.fault[1][i] = RSP_ENET;
    lo.retries = _i ? 2 : (unsigned)-1;
    world.stall = 0;
    ck_assert_int_eq(run(), RSP_ENET);
    nothing(RSP_ENET, 1);
    ck_assert_uint_eq(world.opened[1], _i ? 3 : 1);
    ck_assert_ptr_nonnull(strstr(at.error.trail, "slots 5461-10921"));
    ck_assert_ptr_nonnull(strstr(at.error.trail, "redis://127.0.0.1:7001"));
    ck_assert_uint_eq(live.shards[1].tries, _i ? 3 : 1);
}
END_TEST

/* The others, which would go on for ever, are given up. */
START_TEST(one_refuses)
{
    world.stall = 2;
    world.open_status[2][0] = RSP_EDENIED;
    ck_assert_int_eq(run(), RSP_EDENIED);
    ck_assert_int_eq(report.source_fault, 1);
    ck_assert_uint_eq(world.opened[2], 1);
}
END_TEST

/* Nobody at the address: that counts as nothing while patience lasts. */
START_TEST(not_reached)
{
    lo.retries = (unsigned)(_i ? -1 : 1);
    for (unsigned i = 0; i < 3; i++) world.open_status[0][i] = RSP_ENET;
    ck_assert_int_eq(run(), _i ? RSP_ENET : RSP_OK);
    ck_assert_uint_eq(world.opened[0], _i ? 1 : 4);
    if (_i) return;
    stored();
    ck_assert_uint_eq(live.shards[0].tries, 2);
}
END_TEST

/* A replica that has not heard of the last slots that moved. */
START_TEST(replica_is_behind)
{
    world.behind[2][0] = world.behind[2][1] = 1;
    if (_i) lo.retries = (unsigned)-1;
    ck_assert_int_eq(run(), _i ? RSP_EBUSY : RSP_OK);
    ck_assert_uint_eq(world.opened[2], _i ? 1 : 3);
    if (!_i) stored();
    else nothing(RSP_EBUSY, 1);
    if (_i) ck_assert_ptr_nonnull(strstr(at.error.message, "1 bytes behind"));
}
END_TEST

/* A replica that follows another primary by now; a server without replicas begins a new history with us. */
START_TEST(other_history)
{
    world.other_history[_i][0] = 1;
    ck_assert_msg(run() == RSP_OK, "%s", at.error.message);
    stored();
    ck_assert_uint_eq(world.opened[_i], _i ? 2 : 1);
    ck_assert_uint_eq(told, _i != 0);
}
END_TEST

/* Keys of slots that are not the shard's own: once, it was another server; again and again, that is how it is. */
START_TEST(strays)
{
    const struct rsp_manifest *m;
    dump_make(&world.others, 30, 100, 0);
    world.strays_of = 1;
    world.strays_times = _i ? TRIES : 1;
    if (_i == 2) lo.retries = (unsigned)-1;
    ck_assert_msg(run() == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(world.opened[1], _i == 2 ? 1 : 2);
    ck_assert_uint_eq(world.opened[0], 1);
    ck_assert_int_eq((report.record->flags & RSP_COMMIT_GOOD) != 0, !_i);
    ck_assert_int_eq(live.shards[1].strays > 10, _i != 0);
    ck_assert_uint_eq(live.shards[0].strays, 0);
    if (!_i) stored();
    m = _i ? open_it() : rsp_snapshot_manifest(snapshot);
    ck_assert_uint_eq(m->losses_n, _i != 0);
    if (_i) ck_assert_ptr_nonnull(memmem(m->losses[0].p, m->losses[0].n, "in slots 5461-10921", 19));
}
END_TEST

static void fails_over(unsigned look)
{
    if (look == 2) world.primary[1] = 4;
}

/* Broken off by a failover, or found to have failed over when everything was stored. */
START_TEST(failover)
{
    world.on_look = fails_over;
    if (_i) world.fault[1][0] = RSP_ENET;
    ck_assert_msg(run() == RSP_OK, "%s", at.error.message);
    stored();
    ck_assert_uint_eq(world.opened[1], 2);
    ck_assert_uint_eq(world.port[1][1], 7004);
    ck_assert_uint_eq(world.opened[0] + world.opened[2], 2);
}
END_TEST

static void fails_over_always(unsigned look)
{
    world.primary[1] = look % 2 ? 1 : 4;
}

START_TEST(failover_without_end)
{
    world.on_look = fails_over_always;
    lo.retries = 2;
    ck_assert_int_eq(run(), RSP_EBUSY);
    nothing(RSP_EBUSY, 1);
    ck_assert_uint_le(world.opened[1], 4);
}
END_TEST

/* ---- slots on their way ---- */

static void moves_at_first(unsigned look)
{
    world.moving = look < 3 ? 5461 : -1;
}

START_TEST(waits_for_slots)
{
    world.on_look = moves_at_first;
    ck_assert_int_eq(run(), RSP_OK);
    stored();
    ck_assert_uint_eq(world.looks, 4);
}
END_TEST

START_TEST(slots_without_end)
{
    lo.capture.patience_ms = 1;
    if (_i) world.uncovered = 11000;
    else world.moving = 77;
    ck_assert_int_eq(run(), RSP_EBUSY);
    nothing(RSP_EBUSY, 1);
    ck_assert_ptr_nonnull(strstr(at.error.message, _i ? "no node: 11000;" : "another: 77;"));
    ck_assert_uint_eq(world.opened[0], 0);
}
END_TEST

static void moved_by_then(unsigned look)
{
    if (look == 2) world.upto[0] = 5000;
}
static void moving_by_then(unsigned look)
{
    world.moving = look == 2 ? 9000 : -1;
}
static void moves_always(unsigned look)
{
    world.upto[0] = 5000 + look;
}

/* Away and back again. */
static void came_back(unsigned look)
{
    if (look == 2) world.epoch[1] += 7;
}

/* Owners before and behind are not the same, or were others in between: everything again. */
START_TEST(slots_moved)
{
    world.on_look = _i == 2 ? came_back : _i ? moving_by_then : moved_by_then;
    ck_assert_int_eq(run(), RSP_OK);
    for (unsigned i = 0; i < SHARDS; i++) ck_assert_uint_eq(world.opened[i], 2);
    ck_assert_uint_eq(told, 1);
    ck_assert_str_eq(live.shards[0].slots, _i ? "0-5460" : "0-5000");
    ck_assert_uint_eq(open_it()->streams_n, SHARDS);
    ck_assert_uint_eq(report.record->objects, SHARDS);
}
END_TEST

START_TEST(slots_move_always)
{
    world.on_look = moves_always;
    lo.retries = 2;
    ck_assert_int_eq(run(), RSP_EBUSY);
    nothing(RSP_EBUSY, 1);
    ck_assert_uint_eq(world.opened[0], 3);
    ck_assert_ptr_nonnull(strstr(at.error.message, "5006"));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("all");
    tcase_add_loop_test(t, breaks_off_once, 0, 4);
    tcase_add_loop_test(t, breaks_off_for_ever, 0, 2);
    tcase_add_test(t, one_refuses);
    tcase_add_loop_test(t, not_reached, 0, 2);
    tcase_add_loop_test(t, replica_is_behind, 0, 2);
    tcase_add_loop_test(t, other_history, 0, 3);
    tcase_add_loop_test(t, strays, 0, 3);
    tcase_add_loop_test(t, failover, 0, 2);
    tcase_add_test(t, failover_without_end);
    tcase_add_test(t, waits_for_slots);
    tcase_add_loop_test(t, slots_without_end, 0, 2);
    tcase_add_loop_test(t, slots_moved, 0, 3);
    tcase_add_test(t, slots_move_always);
    return run_suite("backup-again", t);
}
