/* What this is: tests of a restore into a data directory: what appears, what is refused, what is kept aside.
 * Rests on: place.h, aof/manifest.h, libcheck.
 * Does not: start servers.
 * LDFLAGS: -Wl,--wrap=renameat2 -Wl,--wrap=geteuid -Wl,--wrap=fstatvfs */
#include <check.h>
#undef fail
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <respite/sys/live.h>

#include "unit/job/place.h"

static struct place at;
static struct dump dump;
static struct rsp_log *the_log;
static struct rsp_snapshot *snapshot;
static struct rsp_server_config c;
static struct rsp_datadir_options o;
static struct rsp_datadir_report report;
static struct rsp_env env;
static char dir[128];
static int64_t now;
static int no_rename_flags, as_user, full_disk;
static int but_happens; /* a rename with flags fails as no_rename_flags says, and has happened */

int __real_renameat2(int a, const char *from, int b, const char *to, unsigned flags);
int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned flags);
int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    if (!no_rename_flags || but_happens) {
        int rc = __real_renameat2(a, from, b, to, flags);
        if (rc || !no_rename_flags) return rc;
    }
    errno = no_rename_flags;
    return -1;
}

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
uid_t __wrap_geteuid(void)
{
    return as_user ? 54321 : __real_geteuid();
}

int __real_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v)
{
    int rc = __real_fstatvfs(fd, v);
    if (full_disk) v->f_bavail = v->f_bfree = 1;
    return rc;
}

static int64_t clock_now(void *opaque)
{
    (void)opaque;
    return now;
}

static void store(const struct rsp_backup_options *b)
{
    struct rsp_backup_report r;
    ck_assert_msg(place_backup(&at, dump.p, dump.n, b, &the_log, &r) == RSP_OK, "%s", at.error.message);
    ck_assert_int_eq(rsp_snapshot_open(at.repo, r.record, &snapshot), RSP_OK);
}

static void setup(void)
{
    place_open(&at);
    the_log = NULL;
    snapshot = NULL;
    no_rename_flags = but_happens = as_user = full_disk = 0;
    now = INT64_C(1790000000000); /* 2026-09-21 14:13:20 */
    env = at.env;
    env.now_ms = clock_now;
    snprintf(dir, sizeof dir, "%s/data", at.dir);
    ck_assert_int_eq(mkdir(dir, 0750), 0);
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    ck_assert_int_eq(rsp_server_config_read(NULL, NULL, dir, &c), RSP_OK);
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.config = &c;
    o.threads = 1;
    dump_make(&dump, 500, 3000, 0);
}

static void teardown(void)
{
    rsp_snapshot_free(snapshot);
    rsp_log_free(the_log);
    dump_free(&dump);
    place_close(&at);
}

static int restore(void)
{
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    rsp_error_clear(&at.error);
    return rsp_restore_datadir(&env, snapshot, &o, &report);
}

static const char *in_dir(const char *name)
{
    static char path[4][400];
    static unsigned n;
    snprintf(path[n % 4], sizeof path[0], "%s/%s", dir, name);
    return path[n++ % 4];
}

static void put(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(in_dir(name), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fchmod(fileno(f), mode), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static void holds(const char *name, const void *p, size_t n, unsigned mode)
{
    struct stat st;
    uint8_t *b = malloc(n + 1);
    FILE *f = fopen(in_dir(name), "rb");
    ck_assert_msg(f != NULL, "%s is not there", name);
    ck_assert_uint_eq(fread(b, 1, n + 1, f), n);
    ck_assert_int_eq(memcmp(b, p, n), 0);
    ck_assert_int_eq(fstat(fileno(f), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, mode);
    fclose(f);
    free(b);
}

static void mode_is(const char *name, unsigned mode)
{
    struct stat st;
    ck_assert_int_eq(stat(in_dir(name), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, mode);
}

static unsigned count(const char *name)
{
    DIR *d = opendir(in_dir(name));
    unsigned n = 0;
    struct dirent *e;
    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d))) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

static const char manifest[] = "file appendonly.aof.1.base.rdb seq 1 type b\n";

static void multi_there(unsigned mode, unsigned folder_mode)
{
    mode_is("appendonlydir", folder_mode);
    ck_assert_uint_eq(count("appendonlydir"), 2);
    holds("appendonlydir/appendonly.aof.1.base.rdb", dump.p, dump.n, mode);
    holds("appendonlydir/appendonly.aof.manifest", manifest, sizeof manifest - 1, mode);
}

/* ---- what appears ---- */

START_TEST(rdb)
{
    no_rename_flags = _i ? EINVAL : 0;
    store(NULL);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    holds("dump.rdb", dump.p, dump.n, 0640);
    ck_assert_uint_eq(count("."), 1);
    ck_assert_str_eq(report.loads, in_dir("dump.rdb"));
    ck_assert_str_eq(report.aside, "");
    ck_assert_int_eq(report.aof, 0);
    ck_assert_uint_eq(report.restore.bytes, dump.n);
    ck_assert_uint_eq(report.restore.keys, 500);
}
END_TEST

START_TEST(multi)
{
    no_rename_flags = _i ? EINVAL : 0;
    c.appendonly = 1;
    store(NULL);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    multi_there(0640, 0750);
    ck_assert_uint_eq(count("."), 1);
    ck_assert_str_eq(report.loads, in_dir("appendonlydir"));
    ck_assert_int_eq(report.aof, 1);
}
END_TEST

START_TEST(odd_names)
{
    static const char text[] = "file \"a b'.1.base.rdb\" seq 1 type b\n";
    c.appendonly = 1;
    snprintf(c.appendfilename, sizeof c.appendfilename, "a b'");
    snprintf(c.appenddirname, sizeof c.appenddirname, "d e");
    store(NULL);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    holds("d e/a b'.1.base.rdb", dump.p, dump.n, 0640);
    holds("d e/a b'.manifest", text, sizeof text - 1, 0640);
}
END_TEST

START_TEST(form_by_version)
{
    static const uint32_t versions[] = {40000, 60216, 70000, 80600};
    c.appendonly = 1;
    o.server_version = versions[_i];
    store(NULL);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    ck_assert_int_eq(report.aof, _i >= 2);
    if (_i < 2) holds("appendonly.aof", dump.p, dump.n, 0640);
    else multi_there(0640, 0750);
}
END_TEST

START_TEST(form_by_what_is_there)
{
    c.appendonly = o.force = 1;
    if (_i) ck_assert_int_eq(mkdir(in_dir("appendonlydir"), 0711), 0);
    put("appendonly.aof", "old", 0604);
    store(NULL);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    if (_i) multi_there(0640, 0711);
    else holds("appendonly.aof", dump.p, dump.n, 0604);
}
END_TEST

START_TEST(owner)
{
    struct stat st;
    if (getuid()) return; /* only root can give files away */
    ck_assert_int_eq(chown(dir, 12345, 23456), 0);
    c.appendonly = _i;
    store(NULL);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    ck_assert_int_eq(stat(in_dir(_i ? "appendonlydir/appendonly.aof.manifest" : "dump.rdb"), &st), 0);
    ck_assert(st.st_uid == 12345 && st.st_gid == 23456);
    ck_assert_int_eq(stat(in_dir(_i ? "appendonlydir" : "dump.rdb"), &st), 0);
    ck_assert(st.st_uid == 12345 && st.st_gid == 23456);
    ck_assert_int_eq(chown(in_dir(_i ? "appendonlydir" : "dump.rdb"), 77, 78), 0);
    o.force = 1;
    ck_assert_int_eq(restore(), RSP_OK); /* now that of what is replaced */
    ck_assert_int_eq(stat(in_dir(_i ? "appendonlydir" : "dump.rdb"), &st), 0);
    ck_assert(st.st_uid == 77 && st.st_gid == 78);
}
END_TEST

/* ---- what is there ---- */

START_TEST(kept_aside)
{
    no_rename_flags = _i ? EINVAL : 0;
    put("dump.rdb", "old", 0604);
    store(NULL);
    ck_assert_int_eq(restore(), RSP_EEXIST);
    holds("dump.rdb", "old", 3, 0604);
    ck_assert_uint_eq(count("."), 1);
    o.force = 1;
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    holds("dump.rdb", dump.p, dump.n, 0604);
    ck_assert_str_eq(report.aside, in_dir("respite-aside-20260921T141320Z"));
    holds("respite-aside-20260921T141320Z/dump.rdb", "old", 3, 0604);
    ck_assert_uint_eq(count("respite-aside-20260921T141320Z"), 1);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message); /* in the same second */
    ck_assert_str_eq(report.aside, in_dir("respite-aside-20260921T141320Z-2"));
    holds("respite-aside-20260921T141320Z-2/dump.rdb", dump.p, dump.n, 0604);
    ck_assert_uint_eq(count("."), 3);
}
END_TEST

START_TEST(aof_kept_aside)
{
    no_rename_flags = _i ? EINVAL : 0;
    c.appendonly = 1;
    ck_assert_int_eq(mkdir(in_dir("appendonlydir"), 0705), 0);
    put("appendonlydir/appendonly.aof.7.base.rdb", "old", 0604);
    store(NULL);
    ck_assert_int_eq(restore(), RSP_EEXIST);
    ck_assert_uint_eq(count("appendonlydir"), 1);
    o.force = 1;
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    multi_there(0604, 0705);
    holds("respite-aside-20260921T141320Z/appendonlydir/appendonly.aof.7.base.rdb", "old", 3, 0604);
    ck_assert_uint_eq(count("."), 2);
}
END_TEST

/* What the server does not load, but would write over later: dump.rdb beside an AOF, an AOF where it is off. */
START_TEST(beside_kept_aside)
{
    no_rename_flags = _i & 1 ? EINVAL : 0;
    c.appendonly = _i < 4;
    o.force = 0;
    if (c.appendonly) put("dump.rdb", "old", 0604);
    else ck_assert_int_eq(mkdir(in_dir("appendonlydir"), 0705), 0);
    if (!c.appendonly) put("appendonlydir/appendonly.aof.manifest", "old", 0604);
    put("appendonly.aof", "older", 0600);
    o.server_version = 70015;
    if (_i & 2) { /* and what it does load */
        if (c.appendonly) ck_assert_int_eq(mkdir(in_dir("appendonlydir"), 0700), 0);
        put(c.appendonly ? "appendonlydir/appendonly.aof.manifest" : "dump.rdb", "oldest", 0600);
    }
    store(NULL);
    ck_assert_int_eq(restore(), RSP_EEXIST);
    holds("appendonly.aof", "older", 5, 0600);
    o.force = 1;
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    holds(c.appendonly ? "appendonlydir/appendonly.aof.1.base.rdb" : "dump.rdb", dump.p, dump.n, _i & 2 ? 0600 : 0640);
    ck_assert_uint_eq(count("."), 2);
    ck_assert_str_eq(report.aside, in_dir("respite-aside-20260921T141320Z"));
    holds("respite-aside-20260921T141320Z/appendonly.aof", "older", 5, 0600);
    if (c.appendonly) holds("respite-aside-20260921T141320Z/dump.rdb", "old", 3, 0604);
    else holds("respite-aside-20260921T141320Z/appendonlydir/appendonly.aof.manifest", "old", 3, 0604);
    ck_assert_uint_eq(count("respite-aside-20260921T141320Z"), _i & 2 ? 3 : 2);
}
END_TEST

/* A file that root put into the directory of another: its server could not read one like it. */
START_TEST(root_was_there)
{
    struct stat st;
    if (getuid()) return;
    ck_assert_int_eq(chown(dir, 12345, 23456), 0);
    put("dump.rdb", "by hand", 0600);
    store(NULL);
    o.force = 1;
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    ck_assert_int_eq(stat(in_dir("dump.rdb"), &st), 0);
    ck_assert(st.st_uid == 12345 && st.st_gid == 23456);
}
END_TEST

START_TEST(empty_aof_folder)
{
    c.appendonly = 1;
    no_rename_flags = _i ? EINVAL : 0;
    ck_assert_int_eq(mkdir(in_dir("appendonlydir"), 0705), 0);
    store(NULL);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    multi_there(0640, 0705);
    ck_assert_str_eq(report.aside, "");
    ck_assert_uint_eq(count("."), 1);
}
END_TEST

START_TEST(links_aside)
{
    struct stat st;
    put("elsewhere", "old", 0606);
    ck_assert_int_eq(symlink(_i ? "nowhere" : "elsewhere", in_dir("dump.rdb")), 0);
    store(NULL);
    ck_assert_int_eq(restore(), RSP_EEXIST);
    o.force = 1;
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    holds("dump.rdb", dump.p, dump.n, _i ? 0640 : 0606);
    holds("elsewhere", "old", 3, 0606); /* what a link leads to is not touched */
    ck_assert_int_eq(lstat(in_dir("respite-aside-20260921T141320Z/dump.rdb"), &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

/* An exchange that fails for another reason leaves everything as it was. */
START_TEST(exchange_fails)
{
    put("dump.rdb", "old", 0600);
    store(NULL);
    o.force = 1;
    no_rename_flags = EIO;
    ck_assert_int_eq(restore(), RSP_EIO);
    holds("dump.rdb", "old", 3, 0600);
    ck_assert_uint_eq(count("."), 1);
    ck_assert_str_eq(report.aside, "");
}
END_TEST

/* As over a network whose answer got lost. */
START_TEST(exchange_happened)
{
    put("dump.rdb", "old", 0600);
    store(NULL);
    o.force = 1;
    no_rename_flags = EIO;
    but_happens = 1;
    ck_assert_int_eq(restore(), RSP_EIO);
    holds("dump.rdb", dump.p, dump.n, 0600);
    holds("respite-aside-20260921T141320Z/dump.rdb", "old", 3, 0600);
    ck_assert_str_eq(report.aside, in_dir("respite-aside-20260921T141320Z"));
}
END_TEST

START_TEST(left_by_others)
{
    int fd;
    ck_assert_int_eq(mkdir(in_dir(".respite-restore-01234567"), 0700), 0);
    put(".respite-restore-01234567/dump.rdb", "half", 0600);
    ck_assert_int_eq(mkdir(in_dir(".respite-restore-01234567/appendonlydir"), 0700), 0);
    put(".respite-restore-01234567/appendonlydir/x", "half", 0600);
    ck_assert_int_eq(mkdir(in_dir(".respite-restore-89abcdef"), 0700), 0); /* of a run that is under way */
    fd = open(in_dir(".respite-restore-89abcdef"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(mkdir(in_dir(".respite-restore-mine"), 0700), 0);
    store(NULL);
    ck_assert_msg(restore() == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(count("."), 3);
    ck_assert_int_ne(access(in_dir(".respite-restore-01234567"), F_OK), 0);
    close(fd);
}
END_TEST

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
    Suite *s = suite_create("datadir");
    TCase *t = tcase_create("datadir");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, rdb, 0, 2);
    tcase_add_loop_test(t, multi, 0, 2);
    tcase_add_test(t, odd_names);
    tcase_add_loop_test(t, form_by_version, 0, 4);
    tcase_add_loop_test(t, form_by_what_is_there, 0, 2);
    tcase_add_loop_test(t, owner, 0, 2);
    tcase_add_loop_test(t, kept_aside, 0, 2);
    tcase_add_loop_test(t, aof_kept_aside, 0, 2);
    tcase_add_loop_test(t, beside_kept_aside, 0, 8);
    tcase_add_test(t, root_was_there);
    tcase_add_loop_test(t, empty_aof_folder, 0, 2);
    tcase_add_loop_test(t, links_aside, 0, 2);
    tcase_add_test(t, exchange_fails);
    tcase_add_test(t, exchange_happened);
    tcase_add_test(t, left_by_others);
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
