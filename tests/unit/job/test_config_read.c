/* What this is: tests of reading a server's configuration: defaults, quotes, includes, what is refused.
 * Rests on: job/config_read.h, libcheck.
 * Does not: start servers. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/config_read.h"

static char dir[64];
static struct rsp_error error;
static struct rsp_env env = {.size = sizeof env, .error = &error};
static struct rsp_server_config c;

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/respite-config-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *name)
{
    static char path[4][256];
    static unsigned n;
    snprintf(path[n % 4], sizeof path[0], "%s/%s", dir, name);
    return path[n++ % 4];
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static int read_dir(const char *name, const char *in)
{
    memset(&c, 0, sizeof c);
    c.size = sizeof c;
    rsp_error_clear(&error);
    return rsp_server_config_read(&env, name ? path_of(name) : NULL, in, &c);
}

static int read_text(const char *text)
{
    put("redis.conf", text);
    return read_dir("redis.conf", "/d");
}

START_TEST(defaults)
{
    ck_assert_int_eq(read_dir(NULL, "/data"), RSP_OK);
    ck_assert_str_eq(c.dir, "/data");
    ck_assert_str_eq(c.dbfilename, "dump.rdb");
    ck_assert_str_eq(c.appenddirname, "appendonlydir");
    ck_assert_str_eq(c.appendfilename, "appendonly.aof");
    ck_assert_str_eq(c.bind, "127.0.0.1");
    ck_assert_str_eq(c.unixsocket, "");
    ck_assert_str_eq(c.preload, "");
    ck_assert_uint_eq(c.port, 0);
    ck_assert_uint_eq(c.tls_port, 0);
    ck_assert_int_eq(c.appendonly, 0);
    ck_assert_int_eq(read_text("# nothing\n"), RSP_OK);
    ck_assert_uint_eq(c.port, 6379);
    ck_assert_int_eq(read_dir(NULL, NULL), RSP_EINVAL);
    ck_assert_int_eq(read_dir("missing.conf", NULL), RSP_ENOTFOUND);
    ck_assert_int_eq(read_dir("", NULL), RSP_EINVAL); /* a folder */
}
END_TEST

START_TEST(a_real_one)
{
    put("redis.conf",
        "# comment\n\n  bind -192.0.2.1 ::1\nprotected-mode yes\r\nPORT 7001\ntls-port 7002\n"
        "unixsocket \"/run/a b.sock\"\nunixsocketperm 700\nsave 3600 1 300 100\nuser default on nopass ~* +@all\n"
        "dbfilename \"d\\x75mp.rdb\"\r\ndir '/var/lib/redis'\nappendonly Yes\nappenddirname \"aof dir\"\n"
        "appendfilename \"a.aof\"\nrename-command CONFIG \"\"\nport 7003\npreload-file rdb:/x/y");
    ck_assert_msg(read_dir("redis.conf", NULL) == RSP_OK, "%s", error.message);
    ck_assert_str_eq(c.dir, "/var/lib/redis");
    ck_assert_str_eq(c.dbfilename, "dump.rdb");
    ck_assert_str_eq(c.appenddirname, "aof dir");
    ck_assert_str_eq(c.appendfilename, "a.aof");
    ck_assert_str_eq(c.unixsocket, "/run/a b.sock");
    ck_assert_str_eq(c.bind, "192.0.2.1");
    ck_assert_str_eq(c.preload, "rdb:/x/y");
    ck_assert_uint_eq(c.port, 7003); /* the last one counts */
    ck_assert_uint_eq(c.tls_port, 7002);
    ck_assert_int_eq(c.appendonly, 1);
}
END_TEST

START_TEST(addresses)
{
    static const char *const lines[] = {"bind * -::*\n", "bind 0.0.0.0\n",  "bind ::\n",
                                        "bind \"\"\n",   "bind 10.0.0.1\n", "port 0\n"};
    static const char *const expect[] = {"127.0.0.1", "127.0.0.1", "::1", "127.0.0.1", "10.0.0.1", "127.0.0.1"};
    ck_assert_int_eq(read_text(lines[_i]), RSP_OK);
    ck_assert_str_eq(c.bind, expect[_i]);
    if (_i == 5) ck_assert_uint_eq(c.port, 0);
}
END_TEST

START_TEST(no_server_would_start)
{
    static const char *const lines[] = {
        "port",       "port 65536",     "port -1",        "port 1 2",          "port x",
        "appendonly", "appendonly 1",   "dbfilename a/b", "dbfilename \"\"",   "dbfilename ..",
        "dir \"/a",   "dir /a /b",      "dir '/a'b",      "appendfilename /a", "appenddirname a/b",
        "include",    "unixsocket a b", "include \"\"",   "anything \"",       "appendonly \"y\\x00\"",
    };
    char text[128];
    snprintf(text, sizeof text, "port 1\n%s\n", lines[_i]);
    ck_assert_int_eq(read_text(text), RSP_EINVAL);
    ck_assert_int_eq(error.code, RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.subject, "redis.conf:2"));
}
END_TEST

START_TEST(too_long)
{
    char text[6000];
    int n = snprintf(text, sizeof text, "dbfilename ");
    memset(text + n, 'x', 300);
    text[n + 300] = 0;
    ck_assert_int_eq(read_text(text), RSP_EINVAL);
    n = snprintf(text, sizeof text, "dir /");
    memset(text + n, 'x', 5000);
    text[n + 5000] = 0;
    ck_assert_int_eq(read_text(text), RSP_EINVAL);
    ck_assert_int_eq(read_dir(NULL, text), RSP_EINVAL);
}
END_TEST

START_TEST(where_dir_counts_from)
{
    put("none.conf", "port 1\n");
    put("relative.conf", "dir ./\n");
    put("absolute.conf", "dir /absolute\n");
    ck_assert_int_eq(read_dir("none.conf", NULL), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "started in"));
    ck_assert_int_eq(read_dir("relative.conf", NULL), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "dir ./"));
    ck_assert_int_eq(read_dir("relative.conf", "/here"), RSP_OK);
    ck_assert_str_eq(c.dir, "/here");
    ck_assert_int_eq(read_dir("absolute.conf", "/here"), RSP_OK);
    ck_assert_str_eq(c.dir, "/here");
    ck_assert_int_eq(read_dir("absolute.conf", NULL), RSP_OK);
    ck_assert_str_eq(c.dir, "/absolute");
}
END_TEST

START_TEST(includes)
{
    char text[256];
    ck_assert_int_eq(mkdir(path_of("conf.d"), 0700), 0);
    put("conf.d/1.conf", "port 1001\ndbfilename one.rdb\n");
    put("conf.d/2.conf", "port 1002\n");
    put("conf.d/3.other", "port 1003\n");
    snprintf(text, sizeof text, "port 1000\ninclude %s/conf.d/*.conf\nappendonly yes\n", dir);
    ck_assert_msg(read_text(text) == RSP_OK, "%s", error.message);
    ck_assert_uint_eq(c.port, 1002);
    ck_assert_str_eq(c.dbfilename, "one.rdb");
    ck_assert_int_eq(c.appendonly, 1);
    ck_assert_int_eq(read_text("include conf.d/1.conf\n"), RSP_OK); /* beside the file that includes it */
    ck_assert_uint_eq(c.port, 1001);
    ck_assert_int_eq(read_text("include conf.d/1.conf\nport 5\n"), RSP_OK);
    ck_assert_uint_eq(c.port, 5);
    ck_assert_int_eq(read_text("include conf.d/*.nothing\n"), RSP_OK);
    ck_assert_int_eq(read_text("include conf.d/missing.conf\n"), RSP_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(error.trail, "line 1"));
    put("conf.d/1.conf", "port x\n");
    ck_assert_int_eq(read_text("include conf.d/1.conf\n"), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.subject, "1.conf:1"));
}
END_TEST

START_TEST(includes_without_end)
{
    char text[2048];
    int n = 0;
    ck_assert_int_eq(read_text("include redis.conf\n"), RSP_EINVAL);
    put("small.conf", "port 9\n");
    for (int i = 0; i < 17; i++) n += snprintf(text + n, sizeof text - (size_t)n, "include small.conf\n");
    ck_assert_int_eq(read_text(text), RSP_ELIMIT);
    ck_assert_int_eq(read_text("include .\n"), RSP_EINVAL);
    ck_assert_int_eq(read_text("include /dev/zero\n"), RSP_EINVAL);
}
END_TEST

START_TEST(a_nul)
{
    static const char text[] = "port 1\nport 2\0\n";
    struct config_reader r;
    config_reader_init(&r, &env);
    rsp_error_clear(&error);
    ck_assert_int_eq(config_read_text(&r, "x", (const uint8_t *)text, sizeof text - 1), RSP_EINVAL);
    ck_assert_str_eq(error.subject, "x:2");
    config_reader_free(&r);
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
    put("more.conf", "port 9\n");
    env.resize = resize;
    for (fail_at_call = 1; rc; fail_at_call++) {
        calls = 0;
        rc = read_text("include more.conf\nbind a b c\n");
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
    }
    env.resize = NULL;
    ck_assert_uint_gt(fail_at_call, 4);
    ck_assert_uint_eq(c.port, 9);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("config_read");
    TCase *t = tcase_create("config_read");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, defaults);
    tcase_add_test(t, a_real_one);
    tcase_add_loop_test(t, addresses, 0, 6);
    tcase_add_loop_test(t, no_server_would_start, 0, 20);
    tcase_add_test(t, too_long);
    tcase_add_test(t, where_dir_counts_from);
    tcase_add_test(t, includes);
    tcase_add_test(t, includes_without_end);
    tcase_add_test(t, a_nul);
    tcase_add_test(t, each_allocation_fails);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
