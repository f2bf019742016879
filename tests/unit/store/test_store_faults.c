/* What this is: the file: store with the nth system call failing, for all n and several errnos: an object is whole or
 *   not there, an answer of success is true, and the next try succeeds.
 * Rests on: libcheck, and the linker's --wrap.
 * Does not: cut the power (tests/power). */
/* LDFLAGS: -Wl,--wrap=openat,--wrap=write,--wrap=fsync,--wrap=linkat,--wrap=unlinkat,--wrap=mkdirat,--wrap=renameat,--wrap=renameat2,--wrap=futimens,--wrap=pread,--wrap=getdents64,--wrap=fstatat,--wrap=fstatvfs */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <respite/sys/store.h>

static struct {
    int armed;
    int calls, refuse, err; /* call number `refuse` fails with err */
    int no_tmpfile, no_link, interrupted;
} plan;

static int fails(void)
{
    if (!plan.armed) return 0;
    if (++plan.calls == plan.refuse) errno = plan.err;
    else return 0;
    return 1;
}

int __real_openat(int dir, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *p, size_t n);
int __real_fsync(int fd);
int __real_linkat(int a, const char *b, int c, const char *d, int flags);
int __real_unlinkat(int a, const char *b, int flags);
int __real_mkdirat(int a, const char *b, mode_t mode);
int __real_renameat(int a, const char *b, int c, const char *d);
int __real_renameat2(int a, const char *b, int c, const char *d, unsigned flags);
int __real_futimens(int fd, const struct timespec t[2]);
ssize_t __real_pread(int fd, void *p, size_t n, off_t at);
ssize_t __real_getdents64(int fd, void *p, size_t n);
int __real_fstatat(int dir, const char *path, struct stat *st, int flags);
int __real_fstatvfs(int fd, struct statvfs *v);

int __wrap_openat(int dir, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);
int __wrap_linkat(int a, const char *b, int c, const char *d, int flags);
int __wrap_unlinkat(int a, const char *b, int flags);
int __wrap_mkdirat(int a, const char *b, mode_t mode);
int __wrap_renameat(int a, const char *b, int c, const char *d);
int __wrap_renameat2(int a, const char *b, int c, const char *d, unsigned flags);
int __wrap_futimens(int fd, const struct timespec t[2]);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at);
ssize_t __wrap_getdents64(int fd, void *p, size_t n);
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags);
int __wrap_fstatvfs(int fd, struct statvfs *v);

int __wrap_openat(int dir, const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;
    va_start(args, flags);
    mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (plan.no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return fails() ? -1 : __real_openat(dir, path, flags, mode);
}
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
    if (plan.interrupted && n > 3) {
        if (plan.interrupted++ % 2) {
            errno = EINTR;
            return -1;
        }
        n = 3;
    }
    return fails() ? -1 : __real_write(fd, p, n);
}
int __wrap_fsync(int fd)
{
    if (plan.interrupted && plan.interrupted++ % 2) {
        errno = EINTR;
        return -1;
    }
    return fails() ? -1 : __real_fsync(fd);
}
int __wrap_linkat(int a, const char *b, int c, const char *d, int flags)
{
    if (plan.no_link) {
        errno = EPERM;
        return -1;
    }
    return fails() ? -1 : __real_linkat(a, b, c, d, flags);
}
int __wrap_unlinkat(int a, const char *b, int flags)
{
    return fails() ? -1 : __real_unlinkat(a, b, flags);
}
int __wrap_mkdirat(int a, const char *b, mode_t mode)
{
    return fails() ? -1 : __real_mkdirat(a, b, mode);
}
int __wrap_renameat(int a, const char *b, int c, const char *d)
{
    return fails() ? -1 : __real_renameat(a, b, c, d);
}
int __wrap_renameat2(int a, const char *b, int c, const char *d, unsigned flags)
{
    return fails() ? -1 : __real_renameat2(a, b, c, d, flags);
}
int __wrap_futimens(int fd, const struct timespec t[2])
{
    return fails() ? -1 : __real_futimens(fd, t);
}
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at)
{
    if (plan.interrupted && n > 3) n = 3;
    return fails() ? -1 : __real_pread(fd, p, n, at);
}
ssize_t __wrap_getdents64(int fd, void *p, size_t n)
{
    return fails() ? -1 : __real_getdents64(fd, p, n);
}
int __wrap_fstatat(int dir, const char *path, struct stat *st, int flags)
{
    return fails() ? -1 : __real_fstatat(dir, path, st, flags);
}
int __wrap_fstatvfs(int fd, struct statvfs *v)
{
    return fails() ? -1 : __real_fstatvfs(fd, v);
}

static struct rsp_error error;
static struct rsp_env env;
static char dir[64], url[96];
static struct rsp_store *s;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void fresh(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    snprintf(dir, sizeof dir, "%s", "/tmp/respite-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(url, sizeof url, "file:%s", dir);
    ck_assert_int_eq(rsp_store_open(&env, url, NULL, &s), RSP_OK);
}

static void finish(void)
{
    plan.armed = 0;
    rsp_store_free(s);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char text[] = "the bytes of an object";
static const char old[] = "what was there";

static int count(void *opaque, const struct rsp_store_item *item)
{
    (void)item;
    ++*(int *)opaque;
    return RSP_OK;
}

static int run_put(void)
{
    return rsp_store_put(s, "data/e/o", text, sizeof text);
}
static int run_upload(void)
{
    struct rsp_upload *u = NULL;
    int rc = rsp_store_begin(s, "data/e/o", &u);
    for (size_t i = 0; !rc && i < sizeof text; i++) rc = rsp_upload_write(u, text + i, 1);
    if (!rc) rc = rsp_upload_commit(u);
    rsp_upload_free(u);
    return rc;
}
static int run_repair(void)
{
    return rsp_store_repair(s, "data/e/o", text, sizeof text);
}
static int run_delete(void)
{
    return rsp_store_delete(s, "data/e/o");
}
static int run_list(void)
{
    int n = 0, rc = rsp_store_list(s, "", count, &n);
    if (!rc) ck_assert_int_eq(n, 1);
    return rc;
}
static int run_get(void)
{
    uint8_t *p;
    size_t n;
    int rc = rsp_store_get(s, "data/e/o", 100, &p, &n);
    if (rc) return rc;
    ck_assert_uint_eq(n, sizeof old);
    ck_assert_int_eq(memcmp(p, old, n), 0);
    rsp_store_release(s, p, n);
    return RSP_OK;
}
static int run_now(void)
{
    int64_t ms = 0;
    int rc = rsp_store_now(s, &ms);
    if (!rc) ck_assert_int_gt(ms, 1500000000000);
    return rc;
}
static int run_space(void)
{
    uint64_t bytes;
    return rsp_store_space(s, &bytes);
}
static int run_leftovers(void)
{
    int n = 0;
    return rsp_store_leftovers(s, count, &n);
}

/* What the object is now: 0 not there, 1 as before, 2 new. Anything else is a failure. */
static int state(void)
{
    uint8_t *p = NULL;
    size_t n = 0;
    int rc = rsp_store_get(s, "data/e/o", 1000, &p, &n), which;
    if (rc == RSP_ENOTFOUND) return 0;
    ck_assert_int_eq(rc, RSP_OK);
    which = n == sizeof old && !memcmp(p, old, n) ? 1 : n == sizeof text && !memcmp(p, text, n) ? 2 : 3;
    rsp_store_release(s, p, n);
    ck_assert_int_ne(which, 3);
    return which;
}

static const struct {
    const char *name;
    int (*run)(void);
    int before, after;
    int one_more; /* a fault may leave the new state: of what cannot be undone, or where words alone went wrong */
} verbs[] = {
    {"put", run_put, 0, 2, 0},       {"upload", run_upload, 0, 2, 0}, {"repair", run_repair, 1, 2, 1},
    {"delete", run_delete, 1, 0, 0}, {"list", run_list, 1, 1, 0},     {"get", run_get, 1, 1, 0},
    {"now", run_now, 0, 0, 0},       {"space", run_space, 0, 0, 0},   {"leftovers", run_leftovers, 1, 1, 0},
};

static const struct {
    int err, status;
} errnos[] = {{EIO, RSP_EIO}, {ENOSPC, RSP_ENOSPACE}, {EDQUOT, RSP_ENOSPACE}, {EROFS, RSP_EPERM}, {EACCES, RSP_EPERM}};

/* Lets the nth call of a verb fail. Returns 0 when there is no nth. */
static int one_fault(size_t verb, int n, size_t e)
{
    int rc, is, reached, left = 0;
    fresh();
    if (verbs[verb].before) ck_assert_int_eq(rsp_store_put(s, "data/e/o", old, sizeof old), RSP_OK);
    plan.calls = 0;
    plan.refuse = n;
    plan.err = errnos[e].err;
    plan.armed = 1;
    rc = verbs[verb].run();
    plan.armed = 0;
    reached = plan.calls >= n;
    is = state();
    if (rc) {
        ck_assert_msg(rc == errnos[e].status, "%s, call %d: status %d", verbs[verb].name, n, rc);
        ck_assert_int_eq(error.code, rc);
        ck_assert_msg(is == verbs[verb].before || (verbs[verb].one_more && is == verbs[verb].after),
                      "%s, call %d: state %d", verbs[verb].name, n, is);
        ck_assert_ptr_nonnull(strstr(error.subject, dir));
    } else {
        ck_assert_msg(is == verbs[verb].after, "%s, call %d: success, state %d", verbs[verb].name, n, is);
    }
    rsp_error_clear(&error);
    ck_assert_int_eq(verbs[verb].run(), is == 2 && verbs[verb].run == run_upload ? RSP_EEXIST : RSP_OK);
    ck_assert_int_eq(state(), verbs[verb].after);
    ck_assert_int_eq(rsp_store_leftovers(s, count, &left), RSP_OK);
    ck_assert_int_le(left, 1); /* a part or a folder whose removal failed */
    finish();
    return reached;
}

static void all_faults(size_t e)
{
    for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
        int n = 1;
        while (one_fault(v, n, e)) n++;
        ck_assert_int_gt(n, 1);
        ck_assert_int_lt(n, 200);
    }
}

START_TEST(test_nth_call)
{
    all_faults((size_t)_i);
}
END_TEST

START_TEST(test_nth_call_named)
{
    plan.no_tmpfile = 1;
    all_faults((size_t)_i);
}
END_TEST

START_TEST(test_nth_call_renamed)
{
    plan.no_tmpfile = plan.no_link = 1;
    all_faults((size_t)_i);
}
END_TEST

START_TEST(test_interrupted)
{
    fresh();
    plan.interrupted = 1;
    ck_assert_int_eq(run_put(), RSP_OK);
    ck_assert_int_eq(state(), 2);
    ck_assert_int_gt(plan.interrupted, 10);
    finish();
}
END_TEST

/* Without files that have no name the bytes lie under one that no list shows. */
START_TEST(test_named_upload)
{
    struct rsp_upload *u, *v;
    int n = 0;
    plan.no_tmpfile = 1;
    plan.no_link = _i;
    fresh();
    ck_assert_int_eq(rsp_store_begin(s, "data/e/o", &u), RSP_OK);
    ck_assert_int_eq(rsp_store_begin(s, "data/e/o", &v), RSP_OK);
    ck_assert_int_eq(rsp_upload_write(u, text, sizeof text), RSP_OK);
    ck_assert_int_eq(rsp_store_list(s, "", count, &n), RSP_OK);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(rsp_store_leftovers(s, count, &n), RSP_OK);
    ck_assert_int_eq(n, 2);
    ck_assert_int_eq(rsp_upload_commit(u), RSP_OK);
    ck_assert_int_eq(rsp_upload_commit(v), RSP_EEXIST);
    rsp_upload_free(u);
    rsp_upload_free(v);
    ck_assert_int_eq(state(), 2);
    ck_assert_int_eq(run_put(), RSP_OK);
    n = 0;
    ck_assert_int_eq(rsp_store_leftovers(s, count, &n), RSP_OK);
    ck_assert_int_eq(n, 0);
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store, faults");
    TCase *t = tcase_create("faults");
    SRunner *r;
    int failures, n = (int)(sizeof errnos / sizeof *errnos);
    tcase_add_loop_test(t, test_nth_call, 0, n);
    tcase_add_loop_test(t, test_nth_call_named, 0, n);
    tcase_add_loop_test(t, test_nth_call_renamed, 0, n);
    tcase_add_test(t, test_interrupted);
    tcase_add_loop_test(t, test_named_upload, 0, 2);
    tcase_set_timeout(t, 120);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
