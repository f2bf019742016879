/* What this is: the frame of the restores into a data directory that are tried: a snapshot, a directory, what can be made to
 *   fail there.
 * Rests on: place.h, aof/manifest.h, libcheck; the tests wrap renameat2, geteuid and fstatvfs.
 * Does not: hold a test. */
#ifndef UNIT_JOB_DATADIR_FRAME_H
#define UNIT_JOB_DATADIR_FRAME_H

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

static inline int64_t clock_now(void *opaque)
{
    (void)opaque;
    return now;
}

static inline void store(const struct rsp_backup_options *b)
{
    struct rsp_backup_report r;
    ck_assert_msg(place_backup(&at, dump.p, dump.n, b, &the_log, &r) == RSP_OK, "%s", at.error.message);
    ck_assert_int_eq(rsp_snapshot_open(at.repo, r.record, &snapshot), RSP_OK);
}

static inline void setup(void)
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

static inline void teardown(void)
{
    rsp_snapshot_free(snapshot);
    rsp_log_free(the_log);
    dump_free(&dump);
    place_close(&at);
}

static inline int restore(void)
{
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    rsp_error_clear(&at.error);
    return rsp_restore_datadir(&env, snapshot, &o, &report);
}

static inline const char *in_dir(const char *name)
{
    static char path[4][400];
    static unsigned n;
    snprintf(path[n % 4], sizeof path[0], "%s/%s", dir, name);
    return path[n++ % 4];
}

static inline void put(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(in_dir(name), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fchmod(fileno(f), mode), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static inline void holds(const char *name, const void *p, size_t n, unsigned mode)
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

static inline void mode_is(const char *name, unsigned mode)
{
    struct stat st;
    ck_assert_int_eq(stat(in_dir(name), &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, mode);
}

static inline unsigned count(const char *name)
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

static inline void multi_there(unsigned mode, unsigned folder_mode)
{
    mode_is("appendonlydir", folder_mode);
    ck_assert_uint_eq(count("appendonlydir"), 2);
    holds("appendonlydir/appendonly.aof.1.base.rdb", dump.p, dump.n, mode);
    holds("appendonlydir/appendonly.aof.manifest", manifest, sizeof manifest - 1, mode);
}

#endif
