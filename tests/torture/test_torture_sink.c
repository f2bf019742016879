/* What this is: the file sink with the nth system call failing, for all n: neither a temporary
 *   file nor a wrong target may remain.
 * Rests on: libcheck, and the linker's --wrap.
 * Does not: cut the power. */
/* LDFLAGS: -Wl,--wrap=write,--wrap=fsync,--wrap=linkat,--wrap=renameat,--wrap=renameat2,--wrap=close */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <respite/sink.h>

enum call { WRITE, FSYNC, LINKAT, RENAMEAT, RENAMEAT2, CLOSE, CALLS };

static struct {
    int armed;         /* libcheck's own calls come by as well */
    int calls, refuse; /* call number `refuse` fails, with err */
    int err;
    int always[CALLS]; /* errno with which this call fails every time; 0: not */
    int interrupted;   /* every other call is EINTR, and writes are short */
    int seen[CALLS], failed[CALLS];
} plan;

/* Must this call fail? Then with errno set. */
static int fails(enum call c)
{
    if (!plan.armed) return 0;
    plan.seen[c]++;
    plan.calls++;
    if (plan.always[c]) errno = plan.always[c];
    else if (plan.calls == plan.refuse) errno = plan.err;
    else if (plan.interrupted && plan.calls % 2) errno = EINTR;
    else return 0;
    plan.failed[c]++;
    return 1;
}

ssize_t __real_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __real_linkat(int a, const char *b, int c, const char *d, int flags);
int __real_renameat(int a, const char *b, int c, const char *d);
int __real_renameat2(int a, const char *b, int c, const char *d, unsigned flags);
int __real_close(int fd);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);
int __wrap_linkat(int a, const char *b, int c, const char *d, int flags);
int __wrap_renameat(int a, const char *b, int c, const char *d);
int __wrap_renameat2(int a, const char *b, int c, const char *d, unsigned flags);
int __wrap_close(int fd);

ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (fails(WRITE)) return -1;
    return __real_write(fd, p, plan.armed && plan.interrupted && n > 7 ? 7 : n);
}
int __wrap_fsync(int fd)
{
    return fails(FSYNC) ? -1 : __real_fsync(fd);
}
int __wrap_linkat(int a, const char *b, int c, const char *d, int flags)
{
    return fails(LINKAT) ? -1 : __real_linkat(a, b, c, d, flags);
}
int __wrap_renameat(int a, const char *b, int c, const char *d)
{
    return fails(RENAMEAT) ? -1 : __real_renameat(a, b, c, d);
}
int __wrap_renameat2(int a, const char *b, int c, const char *d, unsigned flags)
{
    return fails(RENAMEAT2) ? -1 : __real_renameat2(a, b, c, d, flags);
}
int __wrap_close(int fd)
{
    if (!fails(CLOSE)) return __real_close(fd);
    int err = errno;
    __real_close(fd); /* as Linux does: closed even so */
    errno = err;
    return -1;
}

static char dir[64], target[96];
static struct rsp_error error;
static struct rsp_env env = {.size = sizeof env, .error = &error};

static void setup(void)
{
    memset(&plan, 0, sizeof plan);
    snprintf(dir, sizeof dir, "%s", "/tmp/respite-torture-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(target, sizeof target, "%s/dump.rdb", dir);
}

static void teardown(void)
{
    unlink(target);
    rmdir(dir);
}

static int entries(void)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int n = 0;
    while ((e = readdir(d)))
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) n++;
    closedir(d);
    return n;
}

static void put_old(void)
{
    FILE *f = fopen(target, "w");
    fputs("old", f);
    fclose(f);
}

/* "" when there is no target. */
static const char *content(void)
{
    static char got[200];
    FILE *f = fopen(target, "r");
    got[0] = 0;
    if (!f) return got;
    got[fread(got, 1, sizeof got - 1, f)] = 0;
    fclose(f);
    return got;
}

#define NEW "one and another thing"

static int write_file(unsigned flags)
{
    struct rsp_sink *s;
    int rc;
    rsp_error_clear(&error);
    plan.armed = 1;
    rc = rsp_sink_file(&env, target, flags, &s);
    if (!rc) {
        rc = rsp_sink_write(s, "one and ", 8);
        if (!rc) rc = rsp_sink_write(s, "another thing", 13);
        if (!rc) rc = rsp_sink_commit(s);
        rsp_sink_free(s);
    }
    plan.armed = 0;
    return rc;
}

static const int errors[] = {EIO, ENOSPC};
static const int codes[] = {RSP_EIO, RSP_ENOSPACE};

START_TEST(fresh)
{
    for (int n = 1;; n++) {
        unsigned flags = _i / 2 ? RSP_SINK_REPLACE : 0;
        int rc;
        memset(&plan, 0, sizeof plan);
        plan.refuse = n;
        plan.err = errors[_i % 2];
        unlink(target);
        rc = write_file(flags);
        if (rc == RSP_OK) {
            ck_assert_str_eq(content(), NEW);
            ck_assert_int_eq(entries(), 1);
            if (plan.calls < n) {
                ck_assert_int_ge(n, 2 + 2 + 1 + 2); /* writes, syncs, link, closes */
                break;
            }
            /* The directory was closed after all was done; or no link, but a rename. */
            ck_assert_int_eq(plan.failed[CLOSE] + (flags ? plan.failed[LINKAT] : 0), 1);
            continue;
        }
        ck_assert_int_eq(rc, codes[_i % 2]);
        ck_assert_int_eq(error.code, rc);
        ck_assert_int_eq(error.sys_errno, plan.err);
        ck_assert_msg(entries() == 0, "call %d: something remains", n);
    }
}
END_TEST

START_TEST(replacing)
{
    for (int n = 1;; n++) {
        int rc;
        memset(&plan, 0, sizeof plan);
        plan.refuse = n;
        plan.err = errors[_i];
        put_old();
        rc = write_file(RSP_SINK_REPLACE);
        ck_assert_int_eq(entries(), 1);
        if (rc == RSP_OK) {
            ck_assert_str_eq(content(), NEW);
            if (plan.calls < n) break;
            continue;
        }
        ck_assert_int_eq(error.code, rc);
        /* The directory's own fsync is the second: the old file is gone by then. */
        if (plan.failed[FSYNC] && plan.seen[FSYNC] == 2) {
            ck_assert_str_eq(content(), NEW);
            ck_assert_int_ne(error.trail[0], 0);
        } else {
            ck_assert_str_eq(content(), "old");
        }
    }
}
END_TEST

/* File systems without hard links: the other way, which replaces as little. */
START_TEST(no_links)
{
    plan.always[LINKAT] = EPERM;
    ck_assert_int_eq(write_file(0), RSP_OK);
    ck_assert_int_eq(plan.seen[RENAMEAT2], 1);
    ck_assert_str_eq(content(), NEW);
    ck_assert_int_eq(entries(), 1);
    for (int n = 1; n < 12; n++) {
        int rc;
        memset(&plan, 0, sizeof plan);
        plan.always[LINKAT] = EPERM;
        plan.refuse = n;
        plan.err = EIO;
        unlink(target);
        rc = write_file(0);
        ck_assert_int_eq(entries(), rc == RSP_OK);
    }
    memset(&plan, 0, sizeof plan);
    plan.always[LINKAT] = EPERM;
    plan.always[RENAMEAT2] = EEXIST;
    unlink(target);
    ck_assert_int_eq(write_file(0), RSP_EEXIST);
    ck_assert_int_eq(entries(), 0);
}
END_TEST

START_TEST(interrupted)
{
    plan.interrupted = 1;
    ck_assert_int_eq(write_file(RSP_SINK_REPLACE), RSP_OK);
    ck_assert_str_eq(content(), NEW);
    ck_assert_int_eq(entries(), 1);
    ck_assert_int_gt(plan.failed[WRITE], 0);
    ck_assert_int_gt(plan.failed[FSYNC], 0);
}
END_TEST

START_TEST(nosync)
{
    ck_assert_int_eq(write_file(RSP_SINK_NOSYNC), RSP_OK);
    ck_assert_int_eq(plan.seen[FSYNC], 0);
    unlink(target);
    ck_assert_int_eq(write_file(0), RSP_OK);
    ck_assert_int_eq(plan.seen[FSYNC], 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("torture_sink");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, fresh, 0, 4);
    tcase_add_loop_test(t, replacing, 0, 2);
    tcase_add_test(t, no_links);
    tcase_add_test(t, interrupted);
    tcase_add_test(t, nosync);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
