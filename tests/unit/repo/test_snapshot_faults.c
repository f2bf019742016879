/* What this is: a snapshot is committed whole or not at all, whatever the store refuses or loses, and whichever
 *   allocation fails.
 * Rests on: snapshot_yard.h.
 * Does not: cut the power; tests/power does. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync,--wrap=rsp_store_put,--wrap=rsp_store_begin,--wrap=rsp_store_stat */
/* LDFLAGS: -Wl,--wrap=rsp_upload_write,--wrap=rsp_upload_commit,--wrap=rsp_store_now,--wrap=rsp_store_list */
/* LDFLAGS: -Wl,--wrap=rsp_store_get,--wrap=rsp_store_read */
#include <check.h>
#undef fail
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit/repo/snapshot_yard.h"

/* ---- a store that fails ---- */

static atomic_long calls_left = -1; /* the call that fails; below zero: none */
static int for_good;                /* and all behind it, too */
static atomic_long nows;
static void (*at_now)(long n);
static int64_t skew_ms;

static int fails(void)
{
    long n = atomic_fetch_sub(&calls_left, 1);
    return n == 0 || (for_good && n < 0);
}

#define WRAP(type, args, name, call)     \
    type __real_##name args;             \
    type __wrap_##name args;             \
    type __wrap_##name args              \
    {                                    \
        return fails() ? RSP_EIO : call; \
    }
WRAP(int, (struct rsp_store * s, const char *name, const void *p, size_t n), rsp_store_put,
     __real_rsp_store_put(s, name, p, n))
WRAP(int, (struct rsp_store * s, const char *name, struct rsp_upload **u), rsp_store_begin,
     __real_rsp_store_begin(s, name, u))
WRAP(int, (struct rsp_upload * u, const void *p, size_t n), rsp_upload_write, __real_rsp_upload_write(u, p, n))
WRAP(int, (struct rsp_upload * u), rsp_upload_commit, __real_rsp_upload_commit(u))
WRAP(int, (struct rsp_store * s, const char *name, struct rsp_store_item *item), rsp_store_stat,
     __real_rsp_store_stat(s, name, item))
WRAP(int, (struct rsp_store * s, const char *prefix, int (*each)(void *, const struct rsp_store_item *), void *opaque),
     rsp_store_list, __real_rsp_store_list(s, prefix, each, opaque))
WRAP(int, (struct rsp_store * s, const char *name, size_t max, uint8_t **p, size_t *n), rsp_store_get,
     __real_rsp_store_get(s, name, max, p, n))
WRAP(int, (struct rsp_store * s, const char *name, uint64_t at, void *p, size_t n), rsp_store_read,
     __real_rsp_store_read(s, name, at, p, n))

int __real_rsp_store_now(struct rsp_store *s, int64_t *ms);
int __wrap_rsp_store_now(struct rsp_store *s, int64_t *ms);
int __wrap_rsp_store_now(struct rsp_store *s, int64_t *ms)
{
    int rc = fails() ? RSP_EIO : __real_rsp_store_now(s, ms);
    long n = atomic_fetch_add(&nows, 1);
    if (at_now) at_now(n);
    if (!rc) *ms += skew_ms;
    return rc;
}

static const struct snap_options opt = {.source = "web", .chunk = 4096, .used = 4096, .object = 8192, .threads = 1};
static uint8_t *data;
#define DATA_N 20000

static void begin(void)
{
    setup();
    data = snap_data(DATA_N, 1);
    calls_left = -1;
    nows = 0;
    skew_ms = 0;
    at_now = NULL;
}

static void end(void)
{
    calls_left = -1;
    teardown();
    free(data);
}

static size_t living(struct rsp_log *log)
{
    size_t n = 0;
    for (size_t i = 0; i < log->records_n; i++) n += rsp_record_living(log->records[i]) != 0;
    return n;
}

/* ---- the store ---- */

/* Whichever call of the store fails while a snapshot is made: no commit, and the next one succeeds. */
START_TEST(failing_calls)
{
    struct rsp_identity *both[2] = {y.host, y.reader};
    struct rsp_repo *own; /* without memory: each round takes back what it made */
    long n, made = 0;
    ck_assert_int_eq(yard_repo(&y, 0, both, 2, &own), RSP_OK);
    for (n = 0; n < 200; n++) {
        struct rsp_log *log = NULL, *after;
        struct rsp_record *r = NULL;
        char path[512];
        int rc, all;
        rsp_error_clear(&y.error);
        calls_left = n;
        rc = snap_try(own, &opt, data, DATA_N, &log, &r);
        all = calls_left >= 0; /* there were fewer calls than that */
        calls_left = -1;
        ck_assert(rc == RSP_OK || (rc == RSP_EIO && !all && !log && !r));
        after = yard_log(own);
        ck_assert_uint_eq(living(after), rc ? 0 : 1);
        ck_assert_int_eq(after->faults, 0);
        rsp_log_free(after);
        if (!rc) {
            made++;
            yard_record_path(&y, r, path);
            ck_assert_int_eq(unlink(path), 0);
        }
        rsp_log_free(log);
        if (all) break;
    }
    rsp_repo_free(own);
    ck_assert_int_gt(n, 15);
    ck_assert_int_lt(n, 200);
    /* the log is a matter of troubles, and what comes after the publishing does no harm */
    ck_assert_int_le(made, 6);
}
END_TEST

START_TEST(failing_reads)
{
    struct rsp_log *log;
    struct rsp_record *r = snap_make(&opt, data, DATA_N, &log);
    long n;
    for (n = 0; n < 100; n++) {
        int rc;
        rsp_error_clear(&y.error);
        calls_left = n;
        for_good = 1; /* what fails while there is something to hand out is tried again */
        rc = read_all(repo, r, data, DATA_N);
        for_good = 0;
        if (calls_left >= 0) break;
        calls_left = -1;
        ck_assert_msg(rc == RSP_EIO || rc == RSP_EKEY, "%ld %s", n,
                      rsp_status_name(rc)); /* an envelope that cannot be fetched opens nothing */
    }
    calls_left = -1;
    ck_assert_int_gt(n, 6);
    ck_assert_int_lt(n, 100);
    rsp_log_free(log);
}
END_TEST

/* ---- the look before the commit ---- */

static char victim[512];
static int how;
static long from_now;

static int find_victim(void *opaque, const struct rsp_store_item *item)
{
    (void)opaque;
    yard_path(&y, item->name, victim);
    return RSP_OK;
}

static void hurt(long n)
{
    static const char *const where[] = {"data/", "data/", "manifests/", "keys/", "manifests/"};
    if (n != from_now) return;
    *victim = 0;
    ck_assert_int_eq(rsp_store_list(y.store, where[how], find_victim, NULL), RSP_OK);
    ck_assert_int_ne(*victim, 0);
    if (how == 1 || how == 4) ck_assert_int_eq(truncate(victim, 100), 0);
    else ck_assert_int_eq(unlink(victim), 0);
}

START_TEST(vanished)
{
    struct rsp_log *log;
    struct rsp_record *r;
    how = _i;
    at_now = hurt;
    rsp_error_clear(&y.error);
    ck_assert_int_eq(snap_try(repo, &opt, data, DATA_N, &log, &r), RSP_ENOTFOUND);
    ck_assert(!log && !r);
    ck_assert_int_eq(y.error.code, RSP_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(victim, y.error.subject));
    ck_assert_ptr_nonnull(strstr(y.error.message, "nothing was committed"));
    at_now = NULL;
    log = yard_log(repo);
    ck_assert_uint_eq(living(log), 0);
    rsp_log_free(log);
}
END_TEST

static void late(long n)
{
    skew_ms = n == 1 ? 3600001 : n > 1 ? 3600002 : 0;
    if (how) hurt(n);
}

/* A look that took more than an hour is taken again, and then it sees what went meanwhile. */
START_TEST(looked_again)
{
    struct rsp_log *log;
    struct rsp_record *r;
    int rc;
    at_now = late;
    how = _i;
    from_now = 1; /* after the first look */
    rc = snap_try(repo, &opt, data, DATA_N, &log, &r);
    at_now = NULL;
    ck_assert_int_eq(rc, _i ? RSP_ENOTFOUND : RSP_OK);
    ck_assert_int_eq(nows, _i ? 3 : 4);
    rsp_log_free(log);
}
END_TEST

static void always_late(long n)
{
    skew_ms = n * 3600001;
}

START_TEST(never_in_time)
{
    struct rsp_log *log;
    struct rsp_record *r;
    at_now = always_late;
    ck_assert_int_eq(snap_try(repo, &opt, data, DATA_N, &log, &r), RSP_ETIMEOUT);
    at_now = NULL;
    ck_assert(!log && !r);
}
END_TEST

/* Reading back finds what the store lost or changed on the way. */
START_TEST(prove_finds)
{
    struct rsp_snapshot_options o = {.size = sizeof o, .source = "web", .chunk_bytes = 4096, .object_bytes = 8192};
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_snapshot_writer *w;
    struct rsp_stream_writer *s = NULL;
    struct rsp_log *log;
    struct rsp_record *r;
    ck_assert_int_eq(rsp_snapshot_begin(repo, &o, &w), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_stream(w, NULL, "a", RSP_STREAM_RDB, 0, 0, &s), RSP_OK);
    snap_feed(s, data, DATA_N, 0, 0);
    ck_assert_int_eq(rsp_stream_end(s, NULL), RSP_OK);
    ck_assert_int_eq(rsp_snapshot_prove(w), RSP_OK);
    ck_assert_int_eq(rsp_store_list(y.store, "data/", find_victim, NULL), RSP_OK);
    if (_i) ck_assert_int_eq(unlink(victim), 0);
    else yard_flip(victim, 200);
    ck_assert_int_eq(rsp_snapshot_prove(w), RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(strstr(victim, y.error.subject));
    ck_assert_int_eq(rsp_snapshot_commit(w, &m, NULL, &log, &r), RSP_ESTATE);
    rsp_snapshot_writer_free(w);
}
END_TEST

/* ---- memory ---- */

struct failing {
    atomic_long left, held, bytes, peak;
};

static void *failing_resize(void *opaque, void *p, size_t old_size, size_t new_size)
{
    struct failing *a = opaque;
    long now;
    void *q;
    if (!new_size) {
        if (p) atomic_fetch_sub(&a->held, 1);
        if (p) atomic_fetch_sub(&a->bytes, (long)old_size);
        free(p);
        return NULL;
    }
    if (atomic_fetch_sub(&a->left, 1) <= 0) return NULL;
    q = realloc(p, new_size);
    if (!q) return NULL;
    if (!p) atomic_fetch_add(&a->held, 1);
    now = atomic_fetch_add(&a->bytes, (long)new_size - (p ? (long)old_size : 0)) + (long)new_size;
    if (now > a->peak) a->peak = now; /* near enough with threads */
    return q;
}

static int with_memory(struct failing *a, int (*act)(struct rsp_repo *, void *), void *arg)
{
    struct rsp_identity *const both[2] = {y.host, y.reader};
    struct rsp_env env = y.env;
    struct rsp_store_options so = {.size = sizeof so};
    struct rsp_repo_options o = {.size = sizeof o, .root = &y.root_public, .identities = both, .identities_n = 2};
    struct rsp_repo *own = NULL;
    long n = a->left;
    int rc;
    a->left = 1000000;
    env.resize = failing_resize;
    env.resize_opaque = a;
    ck_assert_int_eq(rsp_store_open(&env, y.url, &so, &o.store), RSP_OK);
    ck_assert_int_eq(rsp_repo_open(&env, &o, &own), RSP_OK);
    rsp_error_clear(&y.error);
    a->left = n;
    rc = act(own, arg);
    rsp_repo_free(own);
    rsp_store_free(o.store);
    return rc;
}

static int act_read(struct rsp_repo *from, void *arg)
{
    struct rsp_record *r = arg;
    struct rsp_snapshot *s = NULL;
    struct rsp_chunk_info info;
    uint8_t *out;
    int rc = read_all(from, r, data, DATA_N);
    if (!rc) rc = rsp_snapshot_open(from, r, &s);
    out = malloc(DATA_N);
    for (uint64_t i = 0; !rc && (rc = rsp_snapshot_chunk_info(s, 0, i, &info)) == RSP_OK;)
        if (!(rc = rsp_snapshot_chunk_read(s, 0, i, out))) i++;
    free(out);
    rsp_snapshot_free(s);
    return rc == RSP_END ? RSP_OK : rc;
}

START_TEST(no_memory_reading)
{
    struct rsp_log *log;
    struct rsp_record *r = snap_make(&opt, data, DATA_N, &log);
    int rc = RSP_ENOMEM;
    long n;
    for (n = 0; rc && n < 2000; n++) {
        struct failing a = {.left = n};
        rc = with_memory(&a, act_read, r);
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%ld: %s: %s", n, rsp_status_name(rc), y.error.message);
        ck_assert_int_eq(y.error.code, rc);
        ck_assert_int_eq(a.held, 0);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 30);
    rsp_log_free(log);
}
END_TEST

/* Memory follows the chunks in flight, not the size of the stream. */
#define LONG_N (40u << 20)

static int act_read_long(struct rsp_repo *from, void *arg)
{
    return read_all(from, arg, data, LONG_N);
}

START_TEST(bounded_memory)
{
    const struct snap_options o = {.source = "web", .chunk = 65536};
    struct failing a = {.left = 1000000};
    struct rsp_record *r;
    struct rsp_log *log;
    free(data);
    data = snap_data(LONG_N, 2);
    r = snap_make(&o, data, LONG_N, &log);
    ck_assert_uint_gt(r->stored, 18u << 20);
    ck_assert_int_eq(with_memory(&a, act_read_long, r), RSP_OK);
    ck_assert_int_eq(a.held, 0);
    ck_assert_int_eq(a.bytes, 0);
    ck_assert_int_lt(a.peak, 14 << 20);
    rsp_log_free(log);
}
END_TEST

static int act_write(struct rsp_repo *into, void *arg)
{
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    int rc = snap_try(into, &opt, data, DATA_N, &log, &r);
    (void)arg;
    rsp_log_free(log);
    return rc;
}

/* Memory may fail when the record is out already; the next round begins without it all the same. */
static int remove_file(void *opaque, const struct rsp_store_item *item)
{
    char path[512];
    (void)opaque;
    yard_path(&y, item->name, path);
    return unlink(path) ? RSP_EIO : RSP_OK;
}

START_TEST(no_memory_writing)
{
    int rc = RSP_ENOMEM;
    long n;
    for (n = 0; rc && n < 2000; n++) {
        struct failing a = {.left = n};
        rc = with_memory(&a, act_write, NULL);
        ck_assert_int_eq(rsp_store_list(y.store, "log/", remove_file, NULL), RSP_OK);
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%ld: %s: %s", n, rsp_status_name(rc), y.error.message);
        ck_assert_int_eq(y.error.code, rc);
        ck_assert_int_eq(a.held, 0);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 50);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot faults");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, begin, end);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, failing_calls);
    tcase_add_test(t, failing_reads);
    tcase_add_loop_test(t, vanished, 0, 5);
    tcase_add_loop_test(t, looked_again, 0, 2);
    tcase_add_test(t, never_in_time);
    tcase_add_loop_test(t, prove_finds, 0, 2);
    tcase_add_test(t, no_memory_reading);
    tcase_add_test(t, no_memory_writing);
    tcase_add_test(t, bounded_memory);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
