/* What this is: tests of a restore into a data directory: what is refused, interrupted, damaged, without memory.
 * Rests on: datadir_frame.h.
 * Does not: start servers.
 * LDFLAGS: -Wl,--wrap=renameat2 -Wl,--wrap=geteuid -Wl,--wrap=fstatvfs */
#include "unit/job/datadir_frame.h"

/* ---- what is refused ---- */

static void refused(int code, const char *word)
{
    ck_assert_int_eq(restore(), code);
    ck_assert_int_eq(at.error.code, code);
    ck_assert_msg(strstr(at.error.message, word) != NULL, "%s", at.error.message);
    ck_assert_uint_eq(count("."), 0);
}

START_TEST(settings)
{
    store(NULL);
    c.appendonly = 1;
    o.server_version = 30200;
    refused(RSP_EINVAL, "appendonly no");
    o.server_version = 0;
    memset(c.appendfilename, 'x', 250);
    refused(RSP_EINVAL, "too long");
    snprintf(c.preload, sizeof c.preload, "rdb:/x");
    refused(RSP_EINVAL, "preload-file rdb:/x");
    c.preload[0] = 0;
    c.appendonly = 0;
    snprintf(c.dbfilename, sizeof c.dbfilename, "../x");
    refused(RSP_EINVAL, "no file");
    snprintf(c.dbfilename, sizeof c.dbfilename, "x");
    full_disk = 1;
    refused(RSP_ENOSPACE, "free");
    full_disk = 0;
    snprintf(c.dir, sizeof c.dir, "%s/missing", dir);
    ck_assert_int_eq(restore(), RSP_ENOTFOUND);
}
END_TEST

START_TEST(owner_out_of_reach)
{
    store(NULL);
    as_user = 1;
    refused(RSP_EPERM, "root");
}
END_TEST

START_TEST(versions)
{
    static const struct {
        const char *kind, *magic;
        uint32_t version;
        int rc;
    } cases[] = {
        {"redis", "REDIS0011", 70015, RSP_EVERSION},  {"redis", "REDIS0011", 70200, RSP_OK},
        {"redis", "REDIS0010", 70015, RSP_OK},        {"redis", "REDIS0009", 40014, RSP_EVERSION},
        {"valkey", "REDIS0011", 80101, RSP_OK},       {"valkey", "REDIS0011", 90102, RSP_OK},
        {"valkey", "REDIS0012", 90102, RSP_EVERSION}, {"valkey", "VALKEY080", 90102, RSP_OK},
        {"valkey", "VALKEY080", 80101, RSP_EVERSION}, {"redis", "VALKEY080", 80603, RSP_EVERSION},
        {"other", "REDIS0011", 10000, RSP_OK},        {NULL, "REDIS0011", 70015, RSP_OK},
    };
    memcpy(dump.p, cases[_i].magic, 9);
    dump_sum(&dump);
    store(NULL);
    o.server_kind = cases[_i].kind;
    o.server_version = cases[_i].version;
    ck_assert_int_eq(restore(), cases[_i].rc);
    ck_assert_uint_eq(count("."), cases[_i].rc == RSP_OK);
    if (_i) return;
    ck_assert_ptr_nonnull(strstr(at.error.message, "version 11"));
    ck_assert_ptr_nonnull(strstr(at.error.message, "redis 7.0.15"));
    ck_assert_ptr_nonnull(strstr(at.error.message, "version 10"));
}
END_TEST

START_TEST(in_use)
{
    int ready[2];
    char b;
    pid_t child;
    ck_assert_int_eq(pipe(ready), 0);
    child = fork();
    if (!child) {
        if (prctl(PR_SET_NAME, "redis-server") || chdir(dir) || write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    ck_assert_int_eq(read(ready[0], &b, 1), 1);
    store(NULL);
    put("dump.rdb", "old", 0600);
    ck_assert_int_eq(restore(), RSP_ELOCKED); /* which comes before "it exists": force would pass over both */
    ck_assert_ptr_nonnull(strstr(at.error.message, "redis-server"));
    o.force = 1;
    ck_assert_int_eq(restore(), RSP_OK);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]), close(ready[1]);
}
END_TEST

/* ---- interrupted, damaged ---- */

static volatile int stop;
static void stop_soon(void *opaque, uint64_t bytes)
{
    (void)opaque;
    if (bytes > 500000) stop = 1;
}

START_TEST(interrupted)
{
    c.appendonly = _i;
    stop = 0;
    o.cancel = &stop;
    o.progress = stop_soon;
    store(NULL);
    ck_assert_int_eq(restore(), RSP_ECANCELED);
    ck_assert_uint_eq(count("."), 0);
}
END_TEST

START_TEST(damaged)
{
    struct rsp_backup_options b = {.accept_damaged = 1};
    dump.p[dump.n - 1] ^= 1;
    store(&b);
    refused(RSP_EINTEGRITY, "damaged");
    o.damaged = 1;
    ck_assert_int_eq(restore(), RSP_OK);
    holds("dump.rdb", dump.p, dump.n, 0640);
}
END_TEST

static unsigned calls, fail_at_call;

static void *resize(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    return ++calls == fail_at_call ? NULL : realloc(p, n);
}

START_TEST(each_allocation_fails)
{
    int rc = RSP_ENOMEM;
    c.appendonly = 1;
    store(NULL);
    env.resize = resize;
    for (fail_at_call = 1; rc; fail_at_call++) {
        calls = 0;
        rc = restore();
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (rc) ck_assert_uint_eq(count("."), 0);
    }
    ck_assert_uint_gt(fail_at_call, 8);
    multi_there(0640, 0750);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("datadir_refused");
    TCase *t = tcase_create("datadir_refused");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, settings);
    tcase_add_test(t, owner_out_of_reach);
    tcase_add_loop_test(t, versions, 0, 12);
    tcase_add_test(t, in_use);
    tcase_add_loop_test(t, interrupted, 0, 2);
    tcase_add_test(t, damaged);
    tcase_add_test(t, each_allocation_fails);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
