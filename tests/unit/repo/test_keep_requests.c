/* What this is: expire and prune over a store whose nth request fails: whatever it is, no snapshot that counts is lost,
 *   nothing is called damaged, and the next run ends what was begun.
 * Rests on: snapshot_yard.h, fixture/falter.h.
 * Does not: go over a network: tests/long/store_matrix_*.sh do. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include <check.h>
#undef fail
#include <stdio.h>

#include "fixture/falter.h"
#include "unit/repo/snapshot_yard.h"

#define SNAPSHOTS 3
#define BYTES 3000

static struct rsp_repo *open_over(struct rsp_store *store)
{
    struct rsp_identity *both[2] = {y.host, y.reader};
    struct rsp_repo_options o = {
        .size = sizeof o, .store = store, .identities = both, .identities_n = 2, .root = &y.root_public};
    struct rsp_repo *r = NULL;
    ck_assert_msg(rsp_repo_open(&y.env, &o, &r) == RSP_OK, "%s", y.error.message);
    return r;
}

/* Keeps the last one, and removes the others at once. */
static int keep_one(struct rsp_repo *of)
{
    struct rsp_retention policy = {.size = sizeof policy, .last = 1};
    struct rsp_prune_options options = {.size = sizeof options};
    struct rsp_expire_report expired = {.size = sizeof expired};
    struct rsp_prune_report pruned = {.size = sizeof pruned};
    struct rsp_log *log = NULL;
    int rc = rsp_log_load(of, NULL, &log);
    if (!rc) rc = rsp_expire(log, &policy, 0, &expired);
    if (!rc) rsp_expire_report_free(log, &expired);
    rsp_log_free(log);
    log = NULL;
    do { /* what was retired in this very millisecond waits for the next */
        if (!rc) rc = rsp_log_load(of, NULL, &log);
        if (!rc) rc = rsp_prune(log, &options, &pruned);
        rsp_log_free(log);
        log = NULL;
    } while (!rc && pruned.waiting);
    return rc;
}

static int count_one(void *opaque, const struct rsp_store_item *item)
{
    (void)item;
    ++*(size_t *)opaque;
    return RSP_OK;
}

static size_t objects(const char *folder)
{
    size_t n = 0;
    ck_assert_int_eq(rsp_store_list(y.store, folder, count_one, &n), RSP_OK);
    return n;
}

/* Every snapshot that counts is whole; how many there are. */
static size_t all_whole(void)
{
    struct rsp_repo *r = open_over(y.store);
    struct rsp_log *log = NULL;
    size_t living = 0;
    ck_assert_int_eq(rsp_log_load(r, NULL, &log), RSP_OK);
    ck_assert_msg(!log->faults, "%s", log->troubles_n ? log->troubles[0].text : "");
    for (size_t i = 0; i < log->records_n; i++) {
        uint8_t *data;
        if (!rsp_record_living(log->records[i])) continue;
        data = snap_data(BYTES, (unsigned)log->records[i]->keys);
        ck_assert_int_eq(read_all(r, log->records[i], data, BYTES), RSP_OK);
        free(data);
        living++;
    }
    rsp_log_free(log);
    rsp_repo_free(r);
    return living;
}

static void three_snapshots(void)
{
    for (unsigned i = 1; i <= SNAPSHOTS; i++) {
        struct rsp_snapshot_options o = {.size = sizeof o, .source = "web", .threads = 1};
        struct rsp_manifest m = {.size = sizeof m};
        struct rsp_commit_facts facts = {
            .size = sizeof facts, .flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL, .keys = i}; /* keys: which data it has */
        struct rsp_snapshot_writer *w = NULL;
        struct rsp_stream_writer *s = NULL;
        uint8_t *data = snap_data(BYTES, i);
        y.now_ms += 1000;
        ck_assert_int_eq(rsp_snapshot_begin(repo, &o, &w), RSP_OK);
        ck_assert_int_eq(rsp_snapshot_stream(w, NULL, "dump.rdb", RSP_STREAM_RDB, 0, 0, &s), RSP_OK);
        snap_feed(s, data, BYTES, 0, 0);
        ck_assert_int_eq(rsp_stream_end(s, NULL), RSP_OK);
        ck_assert_int_eq(rsp_snapshot_commit(w, &m, &facts, NULL, NULL), RSP_OK);
        rsp_snapshot_writer_free(w);
        free(data);
    }
}

START_TEST(expire_and_prune)
{
    for (unsigned long n = 1;; n++) {
        struct falter f = {.at = 0, .how = _i & 1 ? FALTER_REPLY : FALTER_LOST, .dead = _i & 2};
        struct rsp_store *store;
        struct rsp_repo *over;
        int rc;
        setup();
        three_snapshots();
        store = falter_open(y.store, &f);
        over = open_over(store);
        f.seen = 0;
        f.at = n;
        rc = keep_one(over);
        rsp_error_clear(&y.error);
        rsp_repo_free(over);
        rsp_store_free(store);
        ck_assert_uint_ge(all_whole(), 1);
        if (rc) {
            over = open_over(y.store);
            ck_assert_msg(keep_one(over) == RSP_OK, "request %lu: %s", n, y.error.message);
            rsp_repo_free(over);
        }
        ck_assert_uint_eq(all_whole(), 1);
        ck_assert_uint_eq(objects("data/"), 1);
        ck_assert_uint_eq(objects("manifests/"), 1);
        ck_assert_uint_eq(objects("keys/"), 1);
        teardown();
        if (f.seen < n) break; /* the last run met no fault */
        ck_assert_uint_lt(n, 400);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("requests of expire and prune");
    TCase *t = tcase_create("requests");
    SRunner *r;
    int failures;
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, expire_and_prune, 0, 4);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
