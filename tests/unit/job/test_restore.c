/* What this is: tests of rsp_restore_file: whole or not at all, never over a file, going on with an interrupted run.
 * Rests on: place.h, libcheck.
 * Does not: cut the power. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/job/place.h"

static struct place at;
static struct dump dump;
static struct rsp_log *the_log;
static struct rsp_snapshot *snapshot;
static struct rsp_restore_report report;
static char target[256], part[256];

static void store(const struct rsp_backup_options *o)
{
    struct rsp_backup_report r;
    ck_assert_msg(place_backup(&at, dump.p, dump.n, o, &the_log, &r) == RSP_OK, "%s", at.error.message);
    ck_assert_int_eq(rsp_snapshot_open(at.repo, r.record, &snapshot), RSP_OK);
}

static void setup(void)
{
    place_open(&at);
    the_log = NULL;
    snapshot = NULL;
    snprintf(target, sizeof target, "%s/dump.rdb", at.dir);
    snprintf(part, sizeof part, "%s/.dump.rdb.respite-restore.part", at.dir);
    dump_make(&dump, 2000, 3000, 0);
}

static void teardown(void)
{
    rsp_snapshot_free(snapshot);
    rsp_log_free(the_log);
    dump_free(&dump);
    place_close(&at);
}

static int restore(const struct rsp_restore_options *options)
{
    struct rsp_restore_options o;
    memset(&o, 0, sizeof o);
    if (options) o = *options;
    o.size = sizeof o;
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    rsp_error_clear(&at.error);
    return rsp_restore_file(&at.env, snapshot, target, &o, &report);
}

static void put_file(const char *path, const void *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static void same(void)
{
    struct stat st;
    uint8_t *p = malloc(dump.n + 1);
    FILE *f = fopen(target, "rb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fread(p, 1, dump.n + 1, f), dump.n);
    ck_assert_int_eq(memcmp(p, dump.p, dump.n), 0);
    ck_assert_int_eq(fstat(fileno(f), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(st.st_nlink, 1);
    fclose(f);
    free(p);
}

START_TEST(whole)
{
    struct rsp_restore_options o = {.no_check = _i & 1, .threads = _i & 2 ? 1 : 0};
    store(NULL);
    ck_assert_msg(restore(&o) == RSP_OK, "%s", at.error.message);
    ck_assert_uint_eq(report.bytes, dump.n);
    ck_assert_uint_eq(report.keys, o.no_check ? 0 : 2000);
    same();
}
END_TEST

START_TEST(never_over_a_file)
{
    struct rsp_restore_options force = {.force = 1, .resume = _i};
    store(NULL);
    put_file(target, "old", 3);
    ck_assert_int_eq(restore(NULL), RSP_EEXIST);
    ck_assert_int_eq(restore(&force), RSP_OK);
    same();
    ck_assert_int_ne(access(part, F_OK), 0);
}
END_TEST

START_TEST(not_over_what_is_no_file)
{
    struct rsp_restore_options force = {.force = 1};
    store(NULL);
    ck_assert_int_eq(mkdir(target, 0700), 0);
    ck_assert_int_eq(restore(&force), RSP_EINVAL);
    ck_assert_int_eq(rmdir(target), 0);
    snprintf(target, sizeof target, "%s/missing/dump.rdb", at.dir);
    ck_assert_int_eq(restore(NULL), RSP_ENOTFOUND);
    snprintf(target, sizeof target, "%s/", at.dir);
    ck_assert_int_eq(restore(NULL), RSP_EINVAL);
}
END_TEST

/* What an earlier run left agrees, agrees up to a place, is longer, or is something else. */
START_TEST(goes_on)
{
    struct rsp_restore_options o = {.resume = 1};
    size_t n = dump.n * 2 / 3;
    uint8_t *left = malloc(dump.n + 1000);
    store(NULL);
    memcpy(left, dump.p, dump.n);
    memset(left + dump.n, 'z', 1000);
    if (_i == 1) left[n / 2] ^= 1;
    if (_i == 2) n = dump.n + 1000;
    if (_i == 3) memset(left, 0, n);
    put_file(part, left, n);
    free(left);
    ck_assert_msg(restore(&o) == RSP_OK, "%s", at.error.message);
    same();
    ck_assert_uint_le(report.resumed, n);
    if (_i == 0) ck_assert_uint_gt(report.resumed, n - (1u << 20));
    if (_i == 1) ck_assert_uint_lt(report.resumed, n);
    if (_i == 2) ck_assert_uint_eq(report.resumed, dump.n);
    if (_i == 3) ck_assert_uint_eq(report.resumed, 0);
    ck_assert_int_ne(access(part, F_OK), 0);
}
END_TEST

static volatile int stop;
static void stop_soon(void *opaque, uint64_t bytes)
{
    (void)opaque;
    if (bytes > 2000000) stop = 1;
}

START_TEST(interrupted)
{
    struct rsp_restore_options o = {.resume = _i, .cancel = &stop, .progress = stop_soon, .threads = 1};
    stop = 0;
    store(NULL);
    ck_assert_int_eq(restore(&o), RSP_ECANCELED);
    ck_assert_int_ne(access(target, F_OK), 0);
    ck_assert_int_eq(access(part, F_OK) == 0, _i);
    stop = 0;
    o.progress = NULL;
    ck_assert_int_eq(restore(&o), RSP_OK);
    if (_i) ck_assert_uint_gt(report.resumed, 1000000);
    else ck_assert_uint_eq(report.resumed, 0);
    same();
}
END_TEST

START_TEST(one_at_a_time)
{
    struct rsp_restore_options o = {.resume = 1};
    int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    store(NULL);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    ck_assert_int_eq(restore(&o), RSP_ELOCKED);
    ck_assert_int_eq(access(part, F_OK), 0);
    close(fd);
    ck_assert_int_eq(unlink(part), 0);
    ck_assert_int_eq(symlink("/etc/hostname", part), 0);
    ck_assert_int_ne(restore(&o), RSP_OK);
    ck_assert_int_eq(access(target, F_OK), -1);
    ck_assert_int_eq(unlink(part), 0);
}
END_TEST

START_TEST(stored_damaged)
{
    struct rsp_backup_options b = {.accept_damaged = 1};
    struct rsp_restore_options plain = {0}, known = {.damaged = 1};
    dump.p[dump.n - 1] ^= 1;
    store(&b);
    ck_assert_int_eq(restore(&plain), RSP_EINTEGRITY);
    ck_assert_int_ne(access(target, F_OK), 0);
    ck_assert_int_eq(restore(&known), RSP_OK);
    same();
}
END_TEST

/* A byte of a stored chunk is not what it was. */
START_TEST(stored_object_spoiled)
{
    const char *path;
    FILE *f;
    int c;
    store(NULL);
    path = place_object(&at);
    ck_assert_int_eq(chmod(path, 0600), 0);
    f = fopen(path, "r+b");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, 3000000, SEEK_SET), 0);
    c = fgetc(f);
    ck_assert_int_eq(fseek(f, 3000000, SEEK_SET), 0);
    ck_assert_int_eq(fputc(c ^ 1, f), c ^ 1);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(restore(NULL), RSP_EINTEGRITY);
    ck_assert_int_ne(access(target, F_OK), 0);
}
END_TEST

START_TEST(no_such_stream)
{
    struct rsp_restore_options o = {.stream = 1};
    store(NULL);
    ck_assert_int_eq(restore(&o), RSP_ENOTFOUND);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("restore");
    TCase *t = tcase_create("restore");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, whole, 0, 4);
    tcase_add_loop_test(t, never_over_a_file, 0, 2);
    tcase_add_test(t, not_over_what_is_no_file);
    tcase_add_loop_test(t, goes_on, 0, 4);
    tcase_add_loop_test(t, interrupted, 0, 2);
    tcase_add_test(t, one_at_a_time);
    tcase_add_test(t, stored_damaged);
    tcase_add_test(t, stored_object_spoiled);
    tcase_add_test(t, no_such_stream);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
