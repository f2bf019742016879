/* What this is: tests of what is kept beside the data, and of the secrets that are not.
 * Rests on: libcheck, server_peer.h.
 * Does not: need a server. */
#include <check.h>
#undef fail
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "repl/server_impl.h"
#include "server_peer.h"

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_endpoint endpoint;
static struct rsp_server *server;
static struct peer peer;

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.size = sizeof endpoint;
    endpoint.socket = peer.path;
    server = NULL;
}

static void teardown(void)
{
    rsp_server_free(server);
    peer_stop(&peer);
}

#define INFO7 "$35\r\nredis_version:7.0.15\r\nrole:master\r\n\r\n"
#define MODULES \
    "*1\r\n*6\r\n$4\r\nname\r\n$4\r\nbf\n1\r\n$3\r\nver\r\n:20\r\n$4\r\nargs\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n"
#define FUNCTIONS                                                                                            \
    "*2\r\n*8\r\n$12\r\nlibrary_name\r\n$3\r\nlib\r\n$6\r\nengine\r\n$3\r\nLUA\r\n$9\r\nfunctions\r\n*0\r\n" \
    "$12\r\nlibrary_code\r\n$9\r\n#!lua\r\n\\x\r\n*2\r\n$12\r\nlibrary_name\r\n$1\r\nx\r\n"
#define CONFIG                                                                                              \
    "*14\r\n$4\r\nsave\r\n$9\r\n3600 1\n\\x\r\n$11\r\nrequirepass\r\n$6\r\nhidden\r\n$10\r\nMasterAuth\r\n" \
    "$6\r\nhidden\r\n$10\r\nmasteruser\r\n$2\r\nbk\r\n$17\r\ntls-key-file-pass\r\n$6\r\nhidden\r\n"         \
    "$9\r\nmy-secret\r\n$6\r\nhidden\r\n$4\r\nport\r\n$4\r\n6379\r\n"

static struct rsp_server_settings settings;

static void begin(struct peer_line *lines, size_t n)
{
    peer_start(&peer, lines, n);
    memset(&settings, 0, sizeof settings);
    settings.size = sizeof settings;
    ck_assert_msg(rsp_server_open(&env, &endpoint, NULL, &server) == RSP_OK, "%s", error.message);
}

/* In a static room; NULL: no such pair. */
static const char *kept(const char *name)
{
    static char room[2000];
    for (size_t i = 0; i < settings.pairs_n; i++) {
        const struct rsp_pair *p = &settings.pairs[i];
        if (p->name.n != strlen(name) || memcmp(p->name.p, name, p->name.n)) continue;
        server_span_copy(room, sizeof room, p->value);
        return room;
    }
    return NULL;
}

static struct peer_line all[] = {{"INFO", INFO7, 0, 0},
                                 {"MODULE LIST", MODULES, 0, 0},
                                 {"FUNCTION LIST WITHCODE", FUNCTIONS, 0, 0},
                                 {"CONFIG GET *", CONFIG, 0, 0},
                                 {"ACL LIST", "*1\r\n$25\r\nuser bk on #0123 ~* +@all\r\n", 0, 0}};

START_TEST(everything)
{
    begin(all, sizeof all / sizeof *all);
    ck_assert_int_eq(rsp_server_settings(server, 1, &settings), RSP_OK);
    ck_assert_uint_eq(settings.pairs_n, 6);
    ck_assert_str_eq(kept("info"), "redis_version:7.0.15\r\nrole:master\r\n");
    ck_assert_str_eq(kept("modules"), "name=bf\\n1 ver=20 args=a b\n");
    ck_assert_str_eq(kept("functions"), "lib #!lua\\r\\n\\\\x\n");
    ck_assert_str_eq(kept("config"), "save 3600 1\\n\\\\x\nmasteruser bk\nport 6379\n");
    ck_assert_str_eq(kept("acl"), "user bk on #0123 ~* +@all\n");
    ck_assert_str_eq(kept("left-out"), "functions one without source\nconfig requirepass\nconfig MasterAuth\n"
                                       "config tls-key-file-pass\nconfig my-secret\n");
    rsp_server_settings_free(server, &settings);
    ck_assert_uint_eq(settings.pairs_n, 0);
    ck_assert_int_eq(rsp_server_settings(server, 0, &settings), RSP_OK);
    ck_assert_ptr_null(kept("acl"));
    rsp_server_settings_free(server, &settings);
}
END_TEST

START_TEST(not_allowed)
{
    struct peer_line lines[] = {
        {"CONFIG", "*0\r\n", 0, 0}, {"MODULE", "+OK\r\n", 0, 0}, {"", "-NOPERM the command\r\n", 0, 0}};
    begin(lines, 3);
    ck_assert_int_eq(rsp_server_settings(server, 1, &settings), RSP_OK);
    ck_assert_uint_eq(settings.pairs_n, 2);
    ck_assert_str_eq(kept("config"), "");
    ck_assert_str_eq(kept("left-out"), "info not allowed\nmodules not a list\nfunctions NOPERM the command\n"
                                       "acl NOPERM the command\n");
    ck_assert_int_eq(error.code, 0);
    rsp_server_settings_free(server, &settings);
}
END_TEST

/* Odd lists, elements that are no texts, lists within lists within lists. */
START_TEST(hostile)
{
    struct peer_line lines[] = {{"INFO", INFO7, 0, 0},
                                {"CONFIG", "*5\r\n:1\r\n$1\r\nx\r\n$1\r\na\r\n$-1\r\n$1\r\nb\r\n", 0, 0},
                                {"MODULE", "*3\r\n:1\r\n*1\r\n$1\r\nx\r\n*2\r\n$1\r\ny\r\n*1\r\n*1\r\n:5\r\n", 0, 0},
                                {"FUNCTION", "*1\r\n$1\r\nx\r\n", 0, 0}};
    begin(lines, 4);
    ck_assert_int_eq(rsp_server_settings(server, 0, &settings), RSP_OK);
    ck_assert_str_eq(kept("config"), "a \n");
    ck_assert_str_eq(kept("modules"), "\n\ny=\n");
    ck_assert_str_eq(kept("functions"), "");
    rsp_server_settings_free(server, &settings);
}
END_TEST

START_TEST(broken_off)
{
    struct peer_line lines[] = {{"INFO", INFO7, 0, 0}, {"MODULE", MODULES, 0, 0}, {"FUNCTION", NULL, 0, 0}};
    begin(lines, 3);
    ck_assert_int_eq(rsp_server_settings(server, 0, &settings), RSP_ENET);
    ck_assert_uint_eq(settings.pairs_n, 0);
    ck_assert_ptr_null(settings.pairs);
}
END_TEST

struct failing {
    unsigned left;
    long held;
};

static void *failing_resize(void *opaque, void *p, size_t old, size_t n)
{
    struct failing *f = opaque;
    if (!n) {
        free(p);
        f->held -= (long)old;
        return NULL;
    }
    if (!f->left) return NULL;
    f->left--;
    f->held += (long)n - (p ? (long)old : 0);
    return realloc(p, n);
}

/* A connection that failed for want of memory is dead: each time anew. */
START_TEST(no_memory)
{
    struct failing f = {0, 0};
    int rc = RSP_ENOMEM;
    env.resize = failing_resize;
    env.resize_opaque = &f;
    f.left = 10000;
    begin(all, sizeof all / sizeof *all);
    for (unsigned n = 0; rc && n < 300; n++) {
        rsp_server_free(server);
        f.left = 10000;
        ck_assert_int_eq(f.held, 0);
        memset(&error, 0, sizeof error);
        ck_assert_int_eq(rsp_server_open(&env, &endpoint, NULL, &server), RSP_OK);
        f.left = n;
        rc = rsp_server_settings(server, 1, &settings);
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (rc) ck_assert_uint_eq(settings.pairs_n, 0);
    }
    ck_assert_int_eq(rc, RSP_OK);
    f.left = 10000;
    rsp_server_settings_free(server, &settings);
    rsp_server_free(server);
    server = NULL;
    ck_assert_int_eq(f.held, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings");
    TCase *t = tcase_create("settings");
    SRunner *runner;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, everything);
    tcase_add_test(t, not_allowed);
    tcase_add_test(t, hostile);
    tcase_add_test(t, broken_off);
    tcase_add_test(t, no_memory);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
