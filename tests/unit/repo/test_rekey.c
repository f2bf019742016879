/* What this is: tests of sealing a snapshot anew for another root: the data, the facts, the time, once; faults.
 * Rests on: copy_yard.h, fixture/falter.h, repo/retention.h. */
/* LDFLAGS: -Wl,--wrap=fsync,--wrap=fdatasync */
#include "copy_yard.h"

#include <utime.h>

#include "fixture/falter.h"
#include "repo/log_impl.h"

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

#define LONG_AGO 1500000000 /* s */

static struct yard other;

/* The first store had the snapshots long ago, a day apart. */
static void begin(void)
{
    struct opened a;
    setup();
    a = open_by(&y, y.reader);
    for (time_t i = 0; i < 3; i++) {
        const struct rsp_record *r = rsp_log_by_hash(a.log, made[i]);
        struct utimbuf at = {LONG_AGO + i * 86400, LONG_AGO + i * 86400};
        char path[512];
        yard_record_path(&y, r, path);
        ck_assert_int_eq(utime(path, &at), 0);
    }
    close_one(&a);
    yard_open_seeded(&other, 99);
}

static void end(void)
{
    yard_close(&other);
    teardown();
}

static int rekey_one(struct yard *to, size_t i, const char *source, struct rsp_record **record, struct rsp_log **log,
                     struct rsp_repo **repo)
{
    struct rsp_rekey_options o = {.size = sizeof o, .source = source, .threads = 1};
    struct opened a = open_by(&y, y.reader);
    int rc = yard_repo(to, 0, &to->host, 1, repo);
    ck_assert_int_eq(rc, RSP_OK);
    rc = rsp_rekey(a.repo, rsp_log_by_hash(a.log, made[i]), *repo, &o, log, record);
    close_one(&a);
    return rc;
}

static void same_data(struct yard *of, const struct rsp_record *r, size_t i)
{
    struct opened b = open_by(of, of->reader);
    struct rsp_snapshot *s = NULL;
    struct rsp_source *source = NULL;
    uint8_t *out = malloc(sizeof data[0] + 1);
    size_t at = 0, got;
    ck_assert_int_eq(rsp_snapshot_open(b.repo, rsp_log_by_hash(b.log, r->hash), &s), RSP_OK);
    const struct rsp_manifest *m = rsp_snapshot_manifest(s);
    ck_assert_uint_eq(m->tags_n, 1);
    ck_assert_mem_eq(m->tags[0].name.p, "rekeyed-from", 12);
    ck_assert_int_eq(rsp_snapshot_source(s, 0, 0, 1, &source), RSP_OK);
    while (rsp_source_read(source, out + at, sizeof data[0] + 1 - at, &got) == RSP_OK) at += got;
    ck_assert_uint_eq(at, sizeof data[0]);
    ck_assert_mem_eq(out, data[i], at);
    rsp_source_free(source);
    rsp_snapshot_free(s);
    free(out);
    close_one(&b);
}

START_TEST(whole)
{
    for (size_t i = 0; i < 3; i++) {
        struct rsp_repo *repo;
        struct rsp_log *log;
        struct rsp_record *r, *there = NULL;
        struct opened a = open_by(&y, y.reader);
        const struct rsp_record *was = rsp_log_by_hash(a.log, made[i]);
        uint8_t id[16], lineage[16];
        ck_assert_int_eq(rekey_one(&other, i, i ? NULL : "shop", &r, &log, &repo), RSP_OK);
        rsp_repo_lineage(repo, lineage);
        rsp_rekey_id(was, lineage, id);
        ck_assert_mem_eq(r->snapshot, id, 16);
        ck_assert(r->keys == was->keys && r->plain == was->plain && !r->copied);
        ck_assert_int_eq((r->flags ^ was->flags) & (RSP_COMMIT_GOOD | RSP_COMMIT_DAMAGED | RSP_COMMIT_PARTIAL), 0);
        ck_assert_mem_ne(r->epoch, was->epoch, 16);
        ck_assert_int_eq(memcmp(r->source, was->source, 16) != 0, 1);
        ck_assert_int_eq(rsp_log_snapshot(log, NULL, id, &there), RSP_COPY_THERE);
        ck_assert_ptr_eq(there, r);
        same_data(&other, r, i);
        rsp_log_free(log);
        rsp_repo_free(repo);
        close_one(&a);
    }
}
END_TEST

/* Retention sees what the first store saw, not the day of the move. */
START_TEST(its_time)
{
    struct rsp_retention policy = {.size = sizeof policy, .daily = 2};
    struct rsp_expire_report report = {.size = sizeof report};
    struct opened b;
    for (size_t i = 0; i < 3; i++) {
        struct rsp_repo *repo;
        struct rsp_log *log;
        struct rsp_record *r;
        ck_assert_int_eq(rekey_one(&other, i, NULL, &r, &log, &repo), RSP_OK);
        ck_assert_int_eq(r->effective_ms, (int64_t)(LONG_AGO + (time_t)i * 86400) * 1000);
        ck_assert_int_eq(record_arrival(repo, r), r->effective_ms);
        rsp_log_free(log);
        rsp_repo_free(repo);
    }
    b = open_by(&other, other.keeper);
    ck_assert_int_eq(b.log->faults, 0);
    struct rsp_record *latest = NULL;
    ck_assert_int_eq(rsp_log_find(b.log, "latest", NULL, &latest), RSP_OK);
    ck_assert_int_eq(latest->effective_ms, (int64_t)(LONG_AGO + 2 * 86400) * 1000);
    ck_assert_int_eq(rsp_expire(b.log, &policy, 1, &report), RSP_OK);
    ck_assert_uint_eq(report.rows_n, 3); /* of three days, not of one */
    ck_assert_uint_eq(report.retired, 1);
    ck_assert_uint_eq(report.rows[0].keep, 0);
    rsp_expire_report_free(b.log, &report);
    close_one(&b);
}
END_TEST

/* A writer that may not keep cannot claim a time: the target's own store has seen it now. */
START_TEST(a_writer_claims_nothing)
{
    struct rsp_identity *writer = NULL;
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct rsp_record *r;
    struct yard t = other;
    ck_assert_int_eq(rsp_identity_new(&y.env, "w", &writer), RSP_OK);
    yard_admit(&other, writer, "w", RSP_ROLE_WRITE, NULL);
    t.host = writer;
    ck_assert_int_eq(rekey_one(&t, 0, NULL, &r, &log, &repo), RSP_OK);
    ck_assert_int_eq(record_arrival(repo, r), r->stored_ms);
    ck_assert_int_gt(r->stored_ms, (int64_t)LONG_AGO * 1000 + 86400000);
    rsp_log_free(log);
    rsp_repo_free(repo);
    rsp_identity_free(writer);
}
END_TEST

/* What is damaged is not sealed anew: nothing is committed. */
START_TEST(damaged)
{
    struct opened a = open_by(&y, y.reader), b;
    struct rsp_repo *repo;
    struct rsp_log *log;
    struct rsp_record *r;
    char name[NAME_MAX_BYTES], path[512];
    object_of(rsp_log_by_hash(a.log, made[1]), 0, name);
    close_one(&a);
    yard_path(&y, name, path);
    yard_flip(path, 30000);
    ck_assert_int_eq(rekey_one(&other, 1, NULL, &r, &log, &repo), RSP_EINTEGRITY);
    ck_assert_ptr_null(log);
    rsp_repo_free(repo);
    b = open_by(&other, other.reader);
    ck_assert_uint_eq(living_in(b.log), 0);
    close_one(&b);
}
END_TEST

/* ---- faults ---- */

START_TEST(each_request)
{
    unsigned long seen = 0;
    for (unsigned long n = 1; !seen || seen >= n; n++) {
        struct falter f = {.how = _i & 1 ? FALTER_REPLY : FALTER_LOST, .dead = _i & 2};
        struct rsp_rekey_options o = {.size = sizeof o, .threads = 1};
        struct yard faulty = other;
        struct opened a = open_by(&y, y.reader), b;
        struct rsp_repo *repo;
        struct rsp_log *log;
        struct rsp_record *r;
        size_t before, after;
        int rc;
        b = open_by(&other, other.reader);
        before = living_in(b.log);
        close_one(&b);
        faulty.store = falter_open(other.store, &f);
        ck_assert_int_eq(yard_repo(&faulty, 0, &other.host, 1, &repo), RSP_OK);
        f.seen = 0;
        f.at = n;
        rc = rsp_rekey(a.repo, rsp_log_by_hash(a.log, made[0]), repo, &o, &log, &r);
        seen = f.seen;
        f.at = 0;
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENET, "%lu: %s: %s", n, rsp_status_name(rc), other.error.message);
        rsp_error_clear(&y.error);
        rsp_error_clear(&other.error);
        rsp_log_free(log);
        rsp_repo_free(repo);
        rsp_store_free(faulty.store);
        close_one(&a);
        b = open_by(&other, other.reader);
        after = living_in(b.log);
        close_one(&b);
        ck_assert_uint_le(after - before, 1);
        if (rc == RSP_OK) ck_assert_uint_eq(after - before, 1);
        else if (!(_i & 1)) ck_assert_uint_eq(after, before);
        ck_assert_uint_lt(n, 200);
    }
    struct opened b = open_by(&other, other.reader);
    sound_in(&other, living_in(b.log));
    close_one(&b);
}
END_TEST

static long fail_after = -1;
static void *counted(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    if (fail_after == 0) return NULL;
    if (fail_after > 0) fail_after--;
    return realloc(p, n);
}

START_TEST(each_allocation)
{
    int rc = RSP_ENOMEM;
    for (long n = 0; rc == RSP_ENOMEM && n < 3000; n++) {
        struct rsp_rekey_options o = {.size = sizeof o, .threads = 1};
        struct yard hooked = other, from = y;
        struct opened a;
        struct rsp_repo *repo;
        struct rsp_log *log;
        struct rsp_record *r;
        hooked.env.resize = from.env.resize = counted;
        fail_after = -1;
        a = open_by(&from, y.reader);
        ck_assert_int_eq(yard_repo(&hooked, 0, &other.host, 1, &repo), RSP_OK);
        fail_after = n;
        rc = rsp_rekey(a.repo, rsp_log_by_hash(a.log, made[0]), repo, &o, &log, &r);
        fail_after = -1;
        ck_assert_msg(rc == RSP_OK || rc == RSP_ENOMEM, "%ld: %s: %s", n, rsp_status_name(rc), other.error.message);
        rsp_error_clear(&y.error);
        rsp_error_clear(&other.error);
        rsp_log_free(log);
        rsp_repo_free(repo);
        close_one(&a);
    }
    ck_assert_int_eq(rc, RSP_OK);
    sound_in(&other, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rekey");
    TCase *t = tcase_create("rekey");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, begin, end);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, whole);
    tcase_add_test(t, its_time);
    tcase_add_test(t, a_writer_claims_nothing);
    tcase_add_test(t, damaged);
    tcase_add_loop_test(t, each_request, 0, 4);
    tcase_add_test(t, each_allocation);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
