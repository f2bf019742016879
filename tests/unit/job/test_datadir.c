/* What this is: tests of a restore into a data directory: what appears, what is kept aside.
 * Rests on: datadir_frame.h.
 * Does not: start servers.
 * LDFLAGS: -Wl,--wrap=renameat2 -Wl,--wrap=geteuid -Wl,--wrap=fstatvfs */
#include "unit/job/datadir_frame.h"

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
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
