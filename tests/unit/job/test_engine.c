/* What this is: tests of what a private server rests on: what --version says, the choice among binaries, the directory,
 *   the child process.
 * Rests on: libcheck, job/engine.h. Binaries are small scripts.
 * Does not: start a real server (test_drill.c). */
#include <check.h>
#undef fail
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "job/engine.h"

static struct rsp_error error;
static struct rsp_env env;
static char dir[64];

static void setup(void)
{
    struct rsp_env outer = {.size = sizeof outer, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &outer);
    snprintf(dir, sizeof dir, "/tmp/respite-engine-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
}

/* A script that does what body says; its path in a static buffer of its own. */
static const char *script(const char *name, const char *body)
{
    static char path[8][128];
    static unsigned next;
    char *p = path[next++ % 8];
    FILE *f;
    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    f = fopen(p, "we");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "#!/bin/sh\n%s\n", body);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(p, 0755), 0);
    return p;
}

static const char *version(const char *name, const char *says)
{
    char body[256];
    snprintf(body, sizeof body, "echo '%s'", says);
    return script(name, body);
}

/* ---- --version ---- */

START_TEST(words)
{
    static const struct {
        const char *text, *kind, *version;
        uint32_t n;
        uint16_t rdb;
        uint8_t dialect;
    } good[] = {
        {"Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", "redis", "7.0.15", 70015, 10,
         RSP_RDB_REDIS},
        {"Redis server v=2.8.24 sha=0\n", "redis", "2.8.24", 20824, 6, RSP_RDB_REDIS},
        {"Redis server v=8.6.3 sha=0", "redis", "8.6.3", 80603, 13, RSP_RDB_REDIS},
        {"Valkey server v=8.1.1 sha=0", "valkey", "8.1.1", 80101, 11, RSP_RDB_REDIS},
        {"Valkey server v=9.1.0-rc2 sha=0", "valkey", "9.1.0-rc2", 90100, 80, RSP_RDB_VALKEY},
    };
    static const char *const bad[] = {
        "",
        "Redis server v=",
        "Redis server v=x.y",
        "Redis server v=99999999999.0.0",
        "Redis server v=7.1234.0",
        "KeyDB server v=6.3.4 sha=0",
        "Redis server v=7.00000000000000000000000000000000000000000000000000000000000000000",
    };
    struct rsp_engine e;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        memset(&e, 0, sizeof e);
        ck_assert_int_eq(engine_parse(&env, "server", good[i].text, &e), RSP_OK);
        ck_assert_str_eq(e.kind, good[i].kind);
        ck_assert_str_eq(e.version, good[i].version);
        ck_assert_uint_eq(e.version_n, good[i].n);
        ck_assert_uint_eq(e.rdb_version, good[i].rdb);
        ck_assert_uint_eq(e.dialect, good[i].dialect);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&e, 0, sizeof e);
        rsp_error_clear(&error);
        ck_assert_int_eq(engine_parse(&env, "server", bad[i], &e), RSP_EFORMAT);
        ck_assert_int_eq(error.code, RSP_EFORMAT);
    }
}
END_TEST

START_TEST(asked)
{
    struct rsp_engine e;
    ck_assert_int_eq(rsp_engine_ask(&env, version("redis-server", "Redis server v=7.0.15 sha=1"), &e), RSP_OK);
    ck_assert_str_eq(e.kind, "redis");
    ck_assert_int_eq(*e.path, '/');
    /* Nothing of ours reaches it but what it is asked, and the search path. */
    ck_assert_int_eq(setenv("RESPITE_TEST_SECRET", "x", 1), 0);
    ck_assert_int_eq(rsp_engine_ask(&env,
                                    script("clean", "[ -z \"$RESPITE_TEST_SECRET\" ] && [ \"$*\" = --version ] && "
                                                    "echo Redis server v=7.0.15"),
                                    &e),
                     RSP_OK);
    ck_assert_int_eq(rsp_engine_ask(&env, script("mute", "exit 0"), &e), RSP_EFORMAT);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_engine_ask(&env, script("loud", "yes 'no server at all'"), &e), RSP_EFORMAT);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_engine_ask(&env, "/nowhere/redis-server", &e), RSP_ENOTFOUND);
    ck_assert_str_eq(error.subject, "/nowhere/redis-server");
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_engine_ask(&env, dir, &e), RSP_EPERM);
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_engine_ask(&env, "", &e), RSP_EINVAL);
}
END_TEST

START_TEST(asked_and_cancelled)
{
    volatile int cancel = 1;
    struct rsp_engine e;
    ck_assert_int_eq(engine_ask(&env, script("slow", "exec sleep 600"), ENGINE_PATH, &cancel, &e), RSP_ECANCELED);
}
END_TEST

/* ---- the choice ---- */

static struct rsp_engine chosen;
static char why[256];

static int choose(const char *const *servers, size_t n, const char *path, uint8_t dialect, uint16_t rdb,
                  const char *kind)
{
    struct rsp_drill_options o = {.size = sizeof o, .servers = servers, .servers_n = n, .path = path};
    int found, rc;
    why[0] = 0;
    rsp_error_clear(&error);
    rc = engine_choose(&env, &o, dialect, rdb, kind, &chosen, &found, why, sizeof why);
    return rc ? rc : found;
}

START_TEST(choice)
{
    const char *all[4], *old[1];
    all[0] = version("a", "Redis server v=8.6.3 sha=0");
    all[1] = version("b", "Valkey server v=8.1.1 sha=0");
    all[2] = version("c", "Redis server v=7.2.6 sha=0");
    all[3] = version("d", "Valkey server v=9.1.2 sha=0");
    ck_assert_int_eq(choose(all, 4, NULL, RSP_RDB_REDIS, 11, "redis"), 1);
    ck_assert_str_eq(chosen.version, "7.2.6"); /* the lowest, of equals the snapshot's own kind */
    ck_assert_int_eq(choose(all, 4, NULL, RSP_RDB_REDIS, 11, "valkey"), 1);
    ck_assert_str_eq(chosen.version, "8.1.1");
    ck_assert_int_eq(choose(all, 4, NULL, RSP_RDB_REDIS, 3, ""), 1);
    ck_assert_str_eq(chosen.version, "7.2.6");
    ck_assert_int_eq(choose(all, 4, NULL, RSP_RDB_REDIS, 12, "redis"), 1);
    ck_assert_str_eq(chosen.version, "8.6.3");
    ck_assert_int_eq(choose(all, 4, NULL, RSP_RDB_VALKEY, 80, "valkey"), 1);
    ck_assert_str_eq(chosen.version, "9.1.2");
    /* Valkey 9 loads Redis' own up to 11, and not what lies between. */
    ck_assert_int_eq(choose(all + 3, 1, NULL, RSP_RDB_REDIS, 11, "redis"), 1);
    ck_assert_int_eq(choose(all + 3, 1, NULL, RSP_RDB_REDIS, 12, "redis"), 0);
    ck_assert_int_eq(choose(all, 4, NULL, RSP_RDB_REDIS, 16, "redis"), 0);
    old[0] = version("e", "Redis server v=7.0.15 sha=0");
    ck_assert_int_eq(choose(old, 1, NULL, RSP_RDB_REDIS, 12, "redis"), 0);
    ck_assert_str_eq(why, "no server at hand loads RDB 12: redis 7.0.15 takes up to 10");
    ck_assert_str_eq(chosen.path, "");
    ck_assert_int_eq(choose(old, 1, NULL, RSP_RDB_VALKEY, 80, "valkey"), 0);
    ck_assert_str_eq(why, "no server at hand loads RDB VALKEY 80: redis 7.0.15 takes up to 10");
    /* One that was named must be one. */
    old[0] = "/nowhere/redis-server";
    ck_assert_int_eq(choose(old, 1, NULL, RSP_RDB_REDIS, 10, ""), RSP_ENOTFOUND);
}
END_TEST

START_TEST(search_path)
{
    char path[256];
    snprintf(path, sizeof path, "/nowhere::%s:/", dir);
    ck_assert_int_eq(choose(NULL, 0, path, RSP_RDB_REDIS, 10, ""), 0);
    ck_assert_str_eq(why, "no redis-server or valkey-server at hand, RDB 10");
    version("redis-server", "not what it looks like");
    ck_assert_int_eq(choose(NULL, 0, path, RSP_RDB_REDIS, 10, ""), 0);
    version("valkey-server", "Valkey server v=8.1.1 sha=0");
    ck_assert_int_eq(choose(NULL, 0, path, RSP_RDB_REDIS, 10, ""), 1);
    ck_assert_str_eq(chosen.kind, "valkey");
    version("redis-server", "Redis server v=7.0.15 sha=0");
    ck_assert_int_eq(choose(NULL, 0, path, RSP_RDB_REDIS, 10, ""), 1);
    ck_assert_str_eq(chosen.kind, "redis");
}
END_TEST

/* ---- the directory ---- */

static int is_there(const char *path)
{
    struct stat st;
    return !lstat(path, &st);
}

static void put(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

START_TEST(directory)
{
    struct private_dir d, other;
    struct stat st;
    char path[4200];
    ck_assert_int_eq(private_dir_make(&d, &env, dir), RSP_OK);
    ck_assert_int_eq(stat(d.path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    snprintf(path, sizeof path, "%s/something", d.path);
    put(path);
    /* Another run leaves alone what is held. */
    ck_assert_int_eq(private_dir_make(&other, &env, dir), RSP_OK);
    ck_assert_str_ne(d.path, other.path);
    ck_assert(is_there(path));
    private_dir_remove(&other);
    ck_assert(!is_there(other.path));
    private_dir_remove(&d);
    ck_assert(!is_there(d.path));
    ck_assert_int_eq(private_dir_make(&d, &env, "/nowhere"), RSP_ENOTFOUND);
    private_dir_remove(&d);
}
END_TEST

/* What a killed run left goes with the next one; what only looks like it stays. */
START_TEST(swept)
{
    struct private_dir left, held, now;
    char fresh[128], foreign[128], file[128], link[128], elsewhere[128];
    ck_assert_int_eq(private_dir_make(&left, &env, dir), RSP_OK);
    close(left.lock); /* as the kernel does for the dead */
    ck_assert_int_eq(private_dir_make(&held, &env, dir), RSP_OK);
    ck_assert(!is_there(left.path));
    snprintf(fresh, sizeof fresh, "%s/" PRIVATE_PREFIX "00000001", dir);
    snprintf(foreign, sizeof foreign, "%s/" PRIVATE_PREFIX "notes", dir);
    snprintf(file, sizeof file, "%s/" PRIVATE_PREFIX "00000002", dir);
    snprintf(link, sizeof link, "%s/" PRIVATE_PREFIX "00000003", dir);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", dir);
    ck_assert_int_eq(mkdir(fresh, 0700) | mkdir(foreign, 0700) | mkdir(elsewhere, 0700), 0);
    put(file);
    ck_assert_int_eq(symlink("elsewhere", link), 0);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere/" PRIVATE_LOCK, dir);
    put(elsewhere);
    ck_assert_int_eq(private_dir_make(&now, &env, dir), RSP_OK);
    ck_assert(is_there(held.path));
    ck_assert(is_there(fresh)); /* without a lock yet: its maker is about to make one */
    ck_assert(is_there(foreign));
    ck_assert(is_there(file));
    ck_assert(is_there(elsewhere));
    private_dir_remove(&now);
    private_dir_remove(&held);
    close(left.fd);
    close(left.parent);
}
END_TEST

static int64_t much_later(void *opaque)
{
    (void)opaque;
    return INT64_C(9000000000000);
}

START_TEST(swept_without_lock)
{
    struct rsp_env later = env;
    struct private_dir now;
    char path[128];
    later.now_ms = much_later;
    snprintf(path, sizeof path, "%s/" PRIVATE_PREFIX "00000001", dir);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(private_dir_make(&now, &later, dir), RSP_OK);
    ck_assert(!is_there(path));
    private_dir_remove(&now);
}
END_TEST

static int same_bytes(void *opaque, void *bytes, size_t n)
{
    (void)opaque;
    memset(bytes, 7, n);
    return 0;
}

START_TEST(no_free_name)
{
    struct rsp_env unlucky = env;
    struct private_dir a, b;
    unlucky.random = same_bytes;
    ck_assert_int_eq(private_dir_make(&a, &unlucky, dir), RSP_OK);
    ck_assert_int_eq(private_dir_make(&b, &unlucky, dir), RSP_EEXIST);
    private_dir_remove(&b);
    ck_assert(is_there(a.path));
    private_dir_remove(&a);
}
END_TEST

/* ---- the child ---- */

/* A run that is killed takes its server with it: the lock, which both hold, becomes free. */
START_TEST(dies_with_us)
{
    const char *argv[] = {"sleeper", NULL};
    struct child_start cs = {
        .path = script("sleeper", "exec sleep 600"), .argv = argv, .search = ENGINE_PATH, .dir = -1};
    struct private_dir d;
    char lock[4200];
    int fd, ready[2], status;
    char byte;
    pid_t run;
    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    run = fork();
    if (!run) {
        struct child c;
        if (private_dir_make(&d, &env, dir)) _exit(1);
        cs.out = 2;
        cs.keep = d.lock;
        if (child_start(&env, &c, &cs)) _exit(1);
        if (write(ready[1], d.name, sizeof d.name) != (ssize_t)sizeof d.name) _exit(1);
        for (;;) pause();
    }
    ck_assert_int_gt(run, 0);
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], d.name, sizeof d.name), sizeof d.name);
    snprintf(lock, sizeof lock, "%s/%s/" PRIVATE_LOCK, dir, d.name);
    fd = open(lock, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(flock(fd, LOCK_EX | LOCK_NB), 0);
    ck_assert_int_eq(kill(run, SIGKILL), 0);
    ck_assert_int_eq(waitpid(run, &status, 0), run);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0); /* waits until nobody holds it */
    ck_assert_int_eq(read(ready[0], &byte, 1), 0);
    close(fd);
    close(ready[0]);
}
END_TEST

START_TEST(ends)
{
    const char *argv[] = {"x", NULL};
    struct child_start cs = {.argv = argv, .search = ENGINE_PATH, .dir = -1, .out = 2, .keep = -1};
    struct child c;
    char text[32];
    cs.path = script("three", "exit 3");
    ck_assert_int_eq(child_start(&env, &c, &cs), RSP_OK);
    while (!child_ended(&c)) ck_assert_int_eq(child_pause(&env, NULL, 1), RSP_OK);
    child_text(&c, text, sizeof text);
    ck_assert_str_eq(text, "exit status 3");
    child_kill(&c); /* nothing more to kill */
    cs.path = script("sleeper", "exec sleep 600");
    ck_assert_int_eq(child_start(&env, &c, &cs), RSP_OK);
    ck_assert(!child_ended(&c));
    child_kill(&c);
    child_text(&c, text, sizeof text);
    ck_assert_str_eq(text, "signal 9");
    ck_assert(child_ended(&c));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("engine");
    TCase *t = tcase_create("engine");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, words);
    tcase_add_test(t, asked);
    tcase_add_test(t, asked_and_cancelled);
    tcase_add_test(t, choice);
    tcase_add_test(t, search_path);
    tcase_add_test(t, directory);
    tcase_add_test(t, swept);
    tcase_add_test(t, swept_without_lock);
    tcase_add_test(t, no_free_name);
    tcase_add_test(t, dies_with_us);
    tcase_add_test(t, ends);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
