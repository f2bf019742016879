/* What this is: one snapshot into several repositories: the same objects, a commit each; the fault of one is its own.
 * Rests on: snapshot_yard.h, fixture/falter.h.
 * Does not: go over a network: tests/live/store does. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include <check.h>
#undef fail
#include <stdio.h>
#include <time.h>

#include "unit/repo/second_yard.h"

static int store_both(struct rsp_repo *first, struct rsp_repo *const *also, size_t n, int prove,
                      struct rsp_commit_result *results)
{
    struct rsp_snapshot_options o = {.size = sizeof o,
                                     .source = "web",
                                     .chunk_bytes = 4096,
                                     .object_bytes = 9000,
                                     .threads = 2,
                                     .also = also,
                                     .also_n = n};
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_commit_facts facts = {.size = sizeof facts, .flags = RSP_COMMIT_FULL, .keys = 3};
    struct rsp_snapshot_writer *w = NULL;
    struct rsp_stream_writer *s = NULL;
    uint8_t *data = snap_data(30000, 1);
    int rc = rsp_snapshot_begin(first, &o, &w);
    if (!rc) rc = rsp_snapshot_stream(w, NULL, "dump.rdb", RSP_STREAM_RDB, 0, 0, &s);
    if (!rc) rc = snap_try_feed(s, data, 30000, 0, 0);
    if (!rc) rc = rsp_stream_end(s, NULL);
    if (!rc && prove) rc = rsp_snapshot_prove(w);
    if (!rc) rc = rsp_snapshot_commit_all(w, &m, &facts, results);
    rsp_snapshot_writer_free(w);
    free(data);
    return rc;
}

/* Reads the commit back through a log of its own. 1: there is one, and it is whole. */
static int has_it(struct rsp_repo *of)
{
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    struct rsp_snapshot *s = NULL;
    struct rsp_source *source = NULL;
    uint8_t out[4096], *data = snap_data(30000, 1);
    size_t at = 0, got;
    int rc;
    ck_assert_int_eq(rsp_log_load(of, NULL, &log), RSP_OK);
    ck_assert_int_eq(log->faults, 0);
    rc = rsp_log_find(log, "latest", NULL, &r);
    if (rc == RSP_OK) {
        ck_assert_int_eq(rsp_snapshot_open(of, r, &s), RSP_OK);
        ck_assert_int_eq(rsp_snapshot_source(s, 0, 0, 1, &source), RSP_OK);
        while (rsp_source_read(source, out, sizeof out, &got) == RSP_OK) {
            ck_assert(got <= 30000 - at && !memcmp(out, data + at, got));
            at += got;
        }
        ck_assert_uint_eq(at, 30000);
        rsp_source_free(source);
        rsp_snapshot_free(s);
    }
    rsp_log_free(log);
    free(data);
    return rc == RSP_OK;
}

START_TEST(same_objects)
{
    struct second b, c;
    struct rsp_repo *also[2];
    struct rsp_commit_result results[3];
    second_open(&b, "b");
    second_open(&c, "c");
    also[0] = b.repo, also[1] = c.repo;
    ck_assert_msg(store_both(repo, also, 2, _i, results) == RSP_OK, "%s", y.error.message);
    for (int i = 0; i < 3; i++) {
        const struct rsp_record *r = results[i].record;
        ck_assert_int_eq(results[i].status, RSP_OK);
        ck_assert_ptr_nonnull(r);
        ck_assert_mem_eq(r->snapshot, results[0].record->snapshot, 16);
        ck_assert_mem_eq(&r->manifest, &results[0].record->manifest, sizeof r->manifest);
        ck_assert_uint_eq(r->refs_n, results[0].record->refs_n);
        ck_assert_mem_eq(r->refs, results[0].record->refs, r->refs_n * sizeof *r->refs);
        if (i) ck_assert_mem_ne(r->hash, results[0].record->hash, 32);
    }
    for (int i = 0; i < 3; i++) rsp_log_free(results[i].log);
    ck_assert(has_it(repo) && has_it(b.repo) && has_it(c.repo));
    second_close(&b);
    second_close(&c);
}
END_TEST

/* Whatever request of the second one fails, the first has its snapshot; the second has it whole or not at all, and says
 * which; when only the answer to its commit was lost, it may have more than it says. */
START_TEST(one_falters)
{
    struct timespec now; /* the store's clock: else each commit looks stored long after it was signed */
    clock_gettime(CLOCK_REALTIME, &now);
    y.now_ms = (int64_t)now.tv_sec * 1000 +
               600000; /* it stands still: ahead, so that nothing is signed before the look */
    for (unsigned long n = 1;; n++) {
        struct second b;
        struct rsp_commit_result results[2] = {0};
        unsigned long seen;
        char name[32];
        snprintf(name, sizeof name, "b%lu-%d", n, _i);
        rsp_error_clear(&y.error);
        second_open(&b, name);
        b.f.at = n;
        b.f.how = _i & 1 ? FALTER_REPLY : FALTER_LOST;
        b.f.dead = _i & 2;
        ck_assert_msg(store_both(repo, &b.repo, 1, 1, results) == RSP_OK, "request %lu: %s", n, y.error.message);
        ck_assert_int_eq(results[0].status, RSP_OK);
        ck_assert_int_eq(y.error.code, 0);
        seen = b.f.seen;
        b.f.at = 0;
        if (results[1].status == RSP_OK) {
            ck_assert(has_it(b.repo));
        } else {
            ck_assert_int_eq(results[1].status, RSP_ENET);
            ck_assert_ptr_nonnull(strstr(results[1].words.message, "as the test wanted"));
            ck_assert_ptr_null(results[1].log);
            if (!(_i & 1)) ck_assert(!has_it(b.repo));
            else (void)has_it(b.repo);
        }
        rsp_log_free(results[0].log);
        rsp_log_free(results[1].log);
        ck_assert(has_it(repo));
        second_close(&b);
        if (seen < n) break; /* the last run met no fault */
        ck_assert_uint_lt(n, 400);
    }
}
END_TEST

/* The first is as any other. */
START_TEST(first_falters)
{
    struct second b;
    struct rsp_repo *also[1] = {repo};
    struct rsp_commit_result results[2];
    second_open(&b, "b");
    b.f.at = (unsigned long)_i;
    b.f.dead = 1;
    ck_assert_int_eq(store_both(b.repo, also, 1, 0, results), RSP_OK);
    ck_assert_int_eq(results[0].status, RSP_ENET);
    ck_assert_ptr_null(results[0].record);
    ck_assert_int_eq(results[1].status, RSP_OK);
    rsp_log_free(results[1].log);
    ck_assert(has_it(repo));
    b.f.at = 0;
    ck_assert(!has_it(b.repo));
    second_close(&b);
}
END_TEST

START_TEST(all_falter)
{
    struct second b, c;
    struct rsp_repo *also[1];
    struct rsp_commit_result results[2];
    second_open(&b, "b");
    second_open(&c, "c");
    also[0] = c.repo;
    b.f.at = 3, c.f.at = 5;
    b.f.dead = c.f.dead = 1;
    ck_assert_int_eq(store_both(b.repo, also, 1, 0, results), RSP_ENET);
    ck_assert_int_eq(b.error.code, RSP_ENET);
    ck_assert_ptr_nonnull(strstr(b.error.message, "as the test wanted"));
    second_close(&b);
    second_close(&c);
}
END_TEST

START_TEST(who_may)
{
    struct yard other;
    struct second b;
    struct rsp_repo *also[1], *strange = NULL, *blind = NULL;
    struct rsp_commit_result results[2];
    struct rsp_identity *both[1];
    yard_open_seeded(&other, 99);
    both[0] = other.host;
    ck_assert_int_eq(yard_repo(&other, 1, both, 1, &strange), RSP_OK);
    also[0] = strange;
    ck_assert_int_eq(store_both(repo, also, 1, 0, results), RSP_OK);
    ck_assert_int_eq(results[1].status, RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(results[1].words.message, "lineage"));
    rsp_log_free(results[0].log);
    rsp_repo_free(strange);
    yard_close(&other);
    /* Nobody at hand may write for it there. */
    second_open(&b, "b");
    both[0] = y.reader;
    ck_assert_int_eq(yard_repo(&y, 1, both, 1, &blind), RSP_OK);
    also[0] = blind;
    ck_assert_int_eq(store_both(b.repo, also, 1, 0, results), RSP_OK);
    ck_assert_int_eq(results[1].status, RSP_ERIGHT);
    rsp_log_free(results[0].log);
    rsp_repo_free(blind);
    second_close(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("several");
    TCase *t = tcase_create("several");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, same_objects, 0, 2);
    tcase_add_loop_test(t, one_falters, 0, 4);
    tcase_add_loop_test(t, first_falters, 1, 12);
    tcase_add_test(t, all_falter);
    tcase_add_test(t, who_may);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
