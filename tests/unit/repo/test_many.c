/* What this is: many snapshots: what a list asks of the store does not grow with their number.
 * Rests on: libcheck, fixture/yard.h, rsp_store_count.
 * Does not: measure time; tests/bench/bench-list.sh does. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fixture/yard.h"
#include "repo/repo_impl.h"

#define MANY 2000
#define ROWS 20
#define GETS_MAX 60 /* whatever the number of snapshots */

static struct yard y;

/* Nothing here is cut off from power, and 2000 records are soon written without. */
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return 0;
}
int __wrap_fdatasync(int fd)
{
    (void)fd;
    return 0;
}

static void setup(void)
{
    yard_open(&y);
}
static void teardown(void)
{
    yard_close(&y);
}

/* ---- a long history ---- */

static const char *const names[] = {"web", "cache", "queue"};
static struct rsp_record last[3]; /* of each source; only hash and seq */

/* A record of the host's over the newest of that source. about: 32 bytes, or NULL for a commit about nothing. */
static void put_record(const struct rsp_repo *repo, size_t source, int kind, const uint8_t *about)
{
    struct rsp_env env;
    struct rsp_record *r;
    char path[NAME_MAX_BYTES];
    env_init(&env, &y.env);
    r = record_new(&env);
    ck_assert_ptr_nonnull(r);
    r->kind = (uint8_t)kind;
    rsp_source_id(y.lineage, names[source], r->source);
    r->seq = last[source].seq + 1;
    y.now_ms += 60000;
    r->time_ms = (uint64_t)y.now_ms;
    memcpy(r->roles, rsp_repo_roles(repo)->hash, HASH_BYTES);
    if (last[source].seq) {
        r->parents = mem_zero(&env, sizeof *r->parents);
        ck_assert_ptr_nonnull(r->parents);
        r->parents_n = 1;
        r->parents->seq = last[source].seq;
        memcpy(r->parents->hash, last[source].hash, HASH_BYTES);
    }
    if (about) {
        r->hashes = mem_alloc(&env, HASH_BYTES);
        ck_assert_ptr_nonnull(r->hashes);
        memcpy(r->hashes[0], about, HASH_BYTES);
        r->hashes_n = 1;
        r->detail = kind == RSP_REC_RETIRE || kind == RSP_REC_RECEIPT;
    } else {
        y.env.random(&y, r->snapshot, ID_BYTES);
        y.env.random(&y, r->epoch, ID_BYTES);
        r->manifest.kind = REF_MANIFEST;
        memcpy(r->manifest.epoch, r->epoch, ID_BYTES);
        r->flags = RSP_COMMIT_GOOD | RSP_COMMIT_FULL;
    }
    ck_assert_int_eq(record_encode(&env, r, y.id, y.host, NULL, 0), RSP_OK);
    name_record_path(path, r);
    ck_assert_int_eq(rsp_store_put(y.store, path, r->bytes, r->bytes_n), RSP_OK);
    last[source].seq = r->seq;
    memcpy(last[source].hash, r->hash, HASH_BYTES);
    record_free(&env, r);
}

static void history(const struct rsp_repo *repo, size_t n)
{
    for (size_t i = 0; i < n; i++) put_record(repo, i % 3, RSP_REC_COMMIT, NULL);
}

static struct rsp_store_counts asked; /* by the last load */

static struct rsp_log *load(struct rsp_repo *repo, size_t rows)
{
    struct rsp_log_options o = {.size = sizeof o, .rows = rows};
    struct rsp_store_counts before;
    struct rsp_log *log = NULL;
    rsp_store_count(y.store, &before);
    ck_assert_msg(rsp_log_load(repo, &o, &log) == RSP_OK, "%s", y.error.message);
    ck_assert_int_eq(log->faults, 0);
    rsp_store_count(y.store, &asked);
    asked.lists -= before.lists;
    asked.gets -= before.gets;
    asked.puts -= before.puts;
    asked.deletes -= before.deletes;
    return log;
}

static size_t loaded(const struct rsp_log *log, int kind)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++)
        n += log->records[i]->kind == kind && (log->records[i]->state & RSP_RECORD_LOADED) != 0;
    return n;
}

/* ---- tests ---- */

START_TEST(list_does_not_grow)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log;
    struct rsp_store_counts few;
    memset(last, 0, sizeof last);
    history(repo, MANY / 10);
    log = load(repo, ROWS);
    few = asked;
    ck_assert_uint_eq(log->records_n, MANY / 10);
    rsp_log_free(log);
    history(repo, MANY - MANY / 10);
    log = load(repo, ROWS);
    ck_assert_uint_eq(log->records_n, MANY);
    ck_assert_uint_eq(loaded(log, RSP_REC_COMMIT), ROWS);
    ck_assert_uint_eq(asked.lists, 1);
    ck_assert_uint_eq(asked.gets, few.gets);
    ck_assert_uint_le(asked.gets, GETS_MAX);
    ck_assert_uint_eq(asked.puts + asked.deletes, 0);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* Retire and pin records change what list shows; notes and receipts do not, however many there are. */
START_TEST(list_fetches_what_it_shows)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log;
    uint8_t first[HASH_BYTES], second[HASH_BYTES];
    memset(last, 0, sizeof last);
    history(repo, 1);
    memcpy(first, last[0].hash, HASH_BYTES);
    history(repo, 1);
    memcpy(second, last[0].hash, HASH_BYTES);
    put_record(repo, 0, RSP_REC_PIN, second);
    put_record(repo, 0, RSP_REC_RETIRE, first);
    history(repo, 300);
    for (size_t i = 0; i < 100; i++) put_record(repo, 0, i % 2 ? RSP_REC_NOTE : RSP_REC_RECEIPT, last[1].hash);
    log = load(repo, ROWS);
    ck_assert_uint_eq(asked.lists, 1);
    ck_assert_uint_le(asked.gets, GETS_MAX);
    ck_assert_uint_eq(loaded(log, RSP_REC_NOTE) + loaded(log, RSP_REC_RECEIPT), 0);
    ck_assert_uint_eq(loaded(log, RSP_REC_COMMIT), ROWS);
    ck_assert(!(rsp_log_by_hash(log, first)->state & RSP_RECORD_RETIRED)); /* no row shows it */
    ck_assert_int_eq(rsp_log_fetch(log, rsp_log_by_hash(log, first)), RSP_OK);
    ck_assert(rsp_log_by_hash(log, first)->state & RSP_RECORD_RETIRED);
    ck_assert_int_eq(rsp_log_fetch(log, rsp_log_by_hash(log, second)), RSP_OK);
    ck_assert(rsp_log_by_hash(log, second)->state & RSP_RECORD_PINNED);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

/* Verifying the whole log is a GET a record, and still one walk. */
START_TEST(whole_log)
{
    struct rsp_repo *repo = yard_host(&y);
    struct rsp_log *log;
    size_t heads = 0;
    memset(last, 0, sizeof last);
    history(repo, MANY);
    log = load(repo, 0);
    ck_assert_uint_eq(asked.lists, 1);
    ck_assert_uint_eq(asked.gets, MANY);
    ck_assert_uint_eq(loaded(log, RSP_REC_COMMIT), MANY);
    for (size_t i = 0; i < log->records_n; i++) heads += (log->records[i]->state & RSP_RECORD_HEAD) != 0;
    ck_assert_uint_eq(heads, 3);
    rsp_log_free(log);
    rsp_repo_free(repo);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("many");
    TCase *t = tcase_create("many");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, list_does_not_grow);
    tcase_add_test(t, list_fetches_what_it_shows);
    tcase_add_test(t, whole_log);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
