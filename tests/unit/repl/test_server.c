/* What this is: tests of opening a server: what is sent, who is believed, what is waited for, and the words of faults.
 * Rests on: libcheck, server_peer.h.
 * Does not: need a server. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "repl/server_impl.h"
#include "repl/versions.h"
#include "server_peer.h"

#define INFO "redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\nloading:0\r\n"
#define LOADING "redis_version:7.0.15\r\nrole:master\r\nloading:1\r\nloading_eta_seconds:7\r\n"

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_endpoint endpoint;
static struct rsp_server_options options;
static struct rsp_server *server;
static struct peer peer;
static char logged[2000];

static void log_to(void *opaque, int level, const char *line)
{
    size_t n = strlen(logged);
    (void)opaque, (void)level;
    snprintf(logged + n, sizeof logged - n, "%s\n", line);
}

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    env.log = log_to;
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.size = sizeof endpoint;
    endpoint.socket = peer.path;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    server = NULL;
    logged[0] = 0;
}

static int open_it(void)
{
    return rsp_server_open(&env, &endpoint, &options, &server);
}

static void finish(void)
{
    rsp_server_free(server);
    server = NULL;
    peer_stop(&peer);
}

START_TEST(plain)
{
    struct peer_line lines[] = {{"INFO", peer_bulk(INFO), 0, 0}, {"PING", "+PONG\r\n", 0, 0}};
    const struct rsp_reply *r;
    struct rsp_span word = {(const uint8_t *)"ping", 4};
    PEER_START(&peer, lines);
    ck_assert_msg(open_it() == RSP_OK, "%s", error.message);
    ck_assert_str_eq(rsp_server_facts(server)->version, "7.0.15");
    ck_assert_str_eq(rsp_server_user(server), "default");
    ck_assert_int_eq(strncmp(rsp_server_name(server), "unix:///tmp/respite-peer-", 25), 0);
    ck_assert_int_eq(rsp_server_ask(server, 1, &word, &r), RSP_OK);
    ck_assert_int_eq(r->type, RSP_REPLY_STATUS);
    ck_assert_int_eq(rsp_server_do(server, "PING", &r), RSP_OK);
    ck_assert_int_eq(rsp_server_ask(server, 0, NULL, &r), RSP_EINVAL);
    finish();
    ck_assert_str_eq(peer.heard, "INFO\nping\nPING\n");
}
END_TEST

START_TEST(credentials)
{
    struct peer_line lines[] = {
        {"AUTH bk pw", "+OK\r\n", 0, 0}, {"SELECT 3", "+OK\r\n", 0, 0}, {"INFO", peer_bulk(INFO), 0, 0}};
    PEER_START(&peer, lines);
    endpoint.user = "bk";
    endpoint.password = "pw";
    endpoint.db = 3;
    ck_assert_int_eq(open_it(), RSP_OK);
    ck_assert_str_eq(rsp_server_user(server), "bk");
    finish();
    ck_assert_str_eq(peer.heard, "AUTH bk pw\nSELECT 3\nINFO\n");
}
END_TEST

static const struct {
    const char *command, *reply;
    int rc;
    const char *words;
} refusals[] = {
    {"AUTH", "-WRONGPASS invalid username-password pair or user is disabled.\r\n", RSP_EDENIED, "REDISCLI_AUTH"},
    {"AUTH", "-ERR invalid password\r\n", RSP_EDENIED, "--pass-file"},
    {"AUTH", "-ERR wrong number of arguments for 'auth' command\r\n", RSP_EDENIED, "without a user"},
    {"INFO", "-NOAUTH Authentication required.\r\n", RSP_EDENIED, "--askpass"},
    {"INFO", "-ERR operation not permitted\r\n", RSP_EDENIED, "--askpass"},
    {"INFO", "-DENIED Redis is running in protected mode because...\r\n", RSP_EDENIED, "protected mode"},
    {"SELECT", "-ERR DB index is out of range\r\n", RSP_EDENIED, "DB index is out of range"},
    {"SELECT", "-NOPERM this user has no permissions to run the 'select' command\r\n", RSP_EDENIED,
     "the user 'bk' may not run SELECT; on the server: ACL SETUSER bk +select"},
    {"INFO", "-BUSY Redis is busy running a script.\r\n", RSP_EBUSY, "busy running a script"},
    {"INFO", "-ERR max number of clients reached\r\n", RSP_EBUSY, "max number"},
    {"INFO", "-OOM command not allowed\r\n", RSP_ENOSPACE, "maxmemory"},
    {"INFO", ":1\r\n", RSP_EFORMAT, "not a Redis or Valkey server"},
    {"INFO", "HTTP/1.1 400 Bad Request\r\n", RSP_EFORMAT, ""},
    {"INFO", NULL, RSP_ENET, "closed the connection"},
};

START_TEST(refused)
{
    struct peer_line lines[] = {{refusals[_i].command, refusals[_i].reply, 0, 0},
                                {"AUTH", "+OK\r\n", 0, 0},
                                {"SELECT", "+OK\r\n", 0, 0},
                                {"INFO", peer_bulk(INFO), 0, 0}};
    char line[700];
    PEER_START(&peer, lines);
    endpoint.user = "bk";
    endpoint.password = "verysecret";
    endpoint.db = 1;
    ck_assert_int_eq(open_it(), refusals[_i].rc);
    ck_assert_ptr_null(server);
    rsp_error_format(&error, line, sizeof line);
    ck_assert_msg(strstr(line, refusals[_i].words) != NULL, "%s", line);
    ck_assert(!strstr(line, "verysecret"));
    ck_assert_int_eq(error.retryable, refusals[_i].rc == RSP_EBUSY || refusals[_i].rc == RSP_ENET);
    finish();
}
END_TEST

/* A password too many is no reason to fail: the server is open to everybody. */
START_TEST(password_too_many)
{
    struct peer_line lines[] = {
        {"AUTH", "-ERR AUTH <password> called without any password configured for the default user.\r\n", 1, 0},
        {"AUTH", "-ERR Client sent AUTH, but no password is set\r\n", 0, 0},
        {"INFO", peer_bulk(INFO), 0, 0}};
    PEER_START(&peer, lines);
    endpoint.password = "pw";
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(open_it(), RSP_OK);
        ck_assert_ptr_nonnull(strstr(logged, "asks for none"));
        logged[0] = 0;
        rsp_server_free(server);
    }
    server = NULL;
    finish();
}
END_TEST

START_TEST(patience)
{
    struct peer_line lines[] = {{"INFO", "-BUSY Redis is busy running a script.\r\n", 1, 0},
                                {"INFO", peer_bulk(LOADING), 1, 0},
                                {"INFO", peer_bulk(INFO), 0, 0}};
    PEER_START(&peer, lines);
    options.patience_ms = 60000;
    ck_assert_msg(open_it() == RSP_OK, "%s", error.message);
    ck_assert_int_eq(error.code, 0);
    ck_assert_ptr_nonnull(strstr(logged, "busy running"));
    ck_assert_ptr_nonnull(strstr(logged, "about 7 s to go"));
    finish();
    ck_assert_str_eq(peer.heard, "INFO\nINFO\nINFO\n");
}
END_TEST

/* Nobody there is said at once, whatever the patience: the case would run out of time. */
START_TEST(no_patience_with_nobody)
{
    endpoint.socket = "/nowhere/at/all";
    options.patience_ms = 600000;
    ck_assert_int_eq(open_it(), RSP_ENET);
}
END_TEST

START_TEST(patience_ends)
{
    struct peer_line lines[] = {{"INFO", peer_bulk(LOADING), 0, 0}};
    PEER_START(&peer, lines);
    ck_assert_int_eq(open_it(), RSP_OK); /* without patience it is opened as it is */
    ck_assert_int_eq(rsp_server_facts(server)->loading, 1);
    ck_assert_int_eq(rsp_server_facts(server)->load_eta_s, 7);
    rsp_server_free(server);
    server = NULL;
    options.patience_ms = 1;
    ck_assert_int_eq(open_it(), RSP_EBUSY);
    ck_assert_int_eq(error.retryable, 1);
    finish();
}
END_TEST

static volatile int cancel_flag;

static void log_cancels(void *opaque, int level, const char *line)
{
    (void)opaque, (void)level, (void)line;
    cancel_flag = 1;
}

START_TEST(cancelled_while_waiting)
{
    struct peer_line lines[] = {{"INFO", peer_bulk(LOADING), 0, 0}};
    PEER_START(&peer, lines);
    cancel_flag = 0;
    env.log = log_cancels;
    options.cancel = &cancel_flag;
    options.patience_ms = 3600000;
    ck_assert_int_eq(open_it(), RSP_ECANCELED);
    finish();
}
END_TEST

START_TEST(nobody_there)
{
    struct peer_line lines[] = {{"INFO", peer_bulk(INFO), 0, 0}};
    PEER_START(&peer, lines);
    peer_stop(&peer);
    ck_assert_int_eq(open_it(), RSP_ENET);
    endpoint.connect_ms = -1;
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(open_it(), RSP_EINVAL);
    endpoint.connect_ms = 0;
    endpoint.port = 65536;
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(open_it(), RSP_EINVAL);
}
END_TEST

#define HELLO(kind, version) "*6\r\n$6\r\nserver\r\n" kind "$7\r\nversion\r\n" version "$4\r\nmode\r\n$7\r\ncluster\r\n"

START_TEST(info_not_allowed)
{
    struct peer_line lines[] = {
        {"INFO", "-NOPERM User bk has no permissions to run the 'info' command\r\n", 0, 0},
        {"HELLO", HELLO("$6\r\nvalkey\r\n", "$5\r\n9.1.2\r\n"), 0, 0},
        {"ROLE", "*3\r\n$6\r\nmaster\r\n:155\r\n*2\r\n*3\r\n$9\r\n127.0.0.1\r\n$4\r\n7001\r\n$3\r\n150\r\n*1\r\n:1\r\n",
         0, 0}};
    const struct rsp_server_facts *f;
    PEER_START(&peer, lines);
    ck_assert_int_eq(open_it(), RSP_OK);
    f = rsp_server_facts(server);
    ck_assert_int_eq(f->can_info, 0);
    ck_assert_str_eq(f->kind, "valkey");
    ck_assert_uint_eq(f->version_n, 90102);
    ck_assert_uint_eq(f->rdb_version, 80);
    ck_assert_str_eq(f->mode, "cluster");
    ck_assert_int_eq(f->role, RSP_SERVER_MASTER);
    ck_assert_uint_eq(f->offset, 155);
    ck_assert_uint_eq(rsp_server_replica(server, 0)->port, 7001);
    ck_assert_uint_eq(rsp_server_replica(server, 0)->offset, 150);
    ck_assert_ptr_null(rsp_server_replica(server, 1));
    finish();
}
END_TEST

START_TEST(nothing_allowed)
{
    struct peer_line lines[] = {{"", "-NOPERM this user has no permissions to run the 'x' command\r\n", 0, 0}};
    PEER_START(&peer, lines);
    ck_assert_int_eq(open_it(), RSP_OK);
    ck_assert_str_eq(rsp_server_facts(server)->version, "");
    ck_assert_uint_eq(rsp_server_facts(server)->version_n, 0);
    ck_assert_int_eq(rsp_server_facts(server)->role, 0);
    ck_assert_int_eq(rsp_server_facts(server)->can_info, 0);
    finish();
}
END_TEST

START_TEST(role_of_a_replica)
{
    struct peer_line lines[] = {{"INFO", "-ERR unknown command 'INFO'\r\n", 0, 0},
                                {"ROLE", "*5\r\n$5\r\nslave\r\n$3\r\na.b\r\n:6379\r\n$9\r\nconnected\r\n:7\r\n", 1, 0},
                                {"ROLE", "*5\r\n$5\r\nslave\r\n$3\r\na.b\r\n:99999\r\n$4\r\nsync\r\n:-1\r\n", 1, 0},
                                {"ROLE", "*2\r\n$8\r\nsentinel\r\n*0\r\n", 1, 0},
                                {"ROLE", "*1\r\n:1\r\n", 1, 0}};
    const struct rsp_server_facts *f;
    PEER_START(&peer, lines);
    ck_assert_int_eq(open_it(), RSP_OK);
    f = rsp_server_facts(server);
    ck_assert_int_eq(f->role, RSP_SERVER_REPLICA);
    ck_assert_str_eq(f->master_host, "a.b");
    ck_assert_uint_eq(f->master_port, 6379);
    ck_assert_int_eq(f->master_link_up, 1);
    ck_assert_int_eq(rsp_server_refresh(server), RSP_OK);
    ck_assert_uint_eq(f->master_port, 0);
    ck_assert_int_eq(f->master_link_up, 0);
    ck_assert_int_eq(rsp_server_refresh(server), RSP_OK);
    ck_assert_int_eq(f->role, RSP_SERVER_SENTINEL);
    ck_assert_int_eq(rsp_server_refresh(server), RSP_OK);
    ck_assert_int_eq(f->role, 0);
    finish();
}
END_TEST

START_TEST(dead_after_a_fault)
{
    struct peer_line lines[] = {{"INFO", peer_bulk(INFO), 0, 0}, {"GONE", NULL, 0, 0}};
    const struct rsp_reply *r;
    PEER_START(&peer, lines);
    ck_assert_int_eq(open_it(), RSP_OK);
    ck_assert_int_eq(rsp_server_do(server, "NOSUCH", &r), RSP_EDENIED); /* the connection is not at fault */
    ck_assert_int_eq(rsp_server_refresh(server), RSP_OK);
    ck_assert_int_eq(rsp_server_do(server, "GONE", &r), RSP_ENET);
    ck_assert_int_eq(rsp_server_do(server, "PING", &r), RSP_ESTATE);
    ck_assert_int_eq(rsp_server_refresh(server), RSP_ESTATE);
    finish();
}
END_TEST

static const struct {
    const char *what, *text, *rule;
} rules[] = {
    {"PSYNC", "NOPERM User bk has no permissions to run the 'psync' command", "+psync"},
    {"CONFIG GET *", "NOPERM this user has no permissions to run the 'config|get' command", "+config|get"},
    {"CONFIG GET *", "NOPERM this user has no permissions to run the 'config' command or its subcommand",
     "+config|get"},
    {"SYNC", "NOPERM this user has no permissions to run the 'sync' command or its subcommand", "+sync"},
    {"PSYNC ? -1", "NOPERM", "+psync"},
    {"psync", "NOPERM no permissions to run this command '", "+psync"},
    {"psync", "NOPERM the 'psync' command; ACL SETUSER x", "+psync"},
    {"psync", "NOPERM the '\x1b[31m' command", "+psync"},
    {"DUMP k", "NOPERM this user has no permissions to access one of the keys used as arguments", "~*"},
    {"DUMP k", "NOPERM No permissions to access a key", "~*"},
    {"PUBLISH k", "NOPERM No permissions to access a channel", "&*"},
};

START_TEST(rule)
{
    char out[80], small[6];
    struct rsp_span text = {(const uint8_t *)rules[_i].text, strlen(rules[_i].text)};
    server_rule(rules[_i].what, text, out, sizeof out);
    ck_assert_str_eq(out, rules[_i].rule);
    server_rule(rules[_i].what, text, small, sizeof small);
    ck_assert_uint_lt(strlen(small), sizeof small);
}
END_TEST

static const struct {
    const char *kind;
    uint32_t version_n;
    int rc, dialect, rdb;
} known[] = {
    {"redis", 20418, 0, 1, 2},   {"redis", 20600, 0, 1, 6},   {"redis", 30200, 0, 1, 7},   {"redis", 40014, 0, 1, 8},
    {"redis", 60216, 0, 1, 9},   {"redis", 70015, 0, 1, 10},  {"redis", 70200, 0, 1, 11},  {"redis", 70399, 0, 1, 11},
    {"redis", 80400, 0, 1, 12},  {"redis", 80603, 0, 1, 13},  {"redis", 80800, 0, 1, 14},  {"redis", 81000, 0, 1, 15},
    {"redis", 999999, 0, 1, 15}, {"valkey", 70208, 0, 1, 11}, {"valkey", 80101, 0, 1, 11}, {"valkey", 90102, 0, 2, 80},
    {"valkey", 90200, 0, 2, 81}, {"redis", 0, -23, 0, 0},     {"other", 70000, -23, 0, 0},
};

START_TEST(rdb_version)
{
    uint8_t dialect;
    uint16_t rdb;
    ck_assert_int_eq(server_rdb_version(known[_i].kind, known[_i].version_n, &dialect, &rdb), known[_i].rc);
    ck_assert_int_eq(dialect, known[_i].dialect);
    ck_assert_int_eq(rdb, known[_i].rdb);
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

START_TEST(no_memory)
{
    struct peer_line lines[] = {{"AUTH", "+OK\r\n", 0, 0},
                                {"INFO",
                                 peer_bulk("redis_version:7.0.15\r\nrole:master\r\n"
                                           "slave0:ip=a,port=1,state=online,offset=1,lag=0\r\n"),
                                 0, 0}};
    struct failing f = {0, 0};
    int rc = RSP_ENOMEM;
    PEER_START(&peer, lines);
    env.resize = failing_resize;
    env.resize_opaque = &f;
    endpoint.password = "pw";
    for (unsigned n = 0; rc && n < 200; n++) {
        f.left = n;
        memset(&error, 0, sizeof error);
        rc = open_it();
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (rc) ck_assert_int_eq(f.held, 0);
    }
    ck_assert_int_eq(rc, RSP_OK);
    finish();
    ck_assert_int_eq(f.held, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server");
    TCase *t = tcase_create("server");
    SRunner *runner;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, plain);
    tcase_add_test(t, credentials);
    tcase_add_loop_test(t, refused, 0, (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(t, password_too_many);
    tcase_add_test(t, patience);
    tcase_add_test(t, no_patience_with_nobody);
    tcase_add_test(t, patience_ends);
    tcase_add_test(t, cancelled_while_waiting);
    tcase_add_test(t, nobody_there);
    tcase_add_test(t, info_not_allowed);
    tcase_add_test(t, nothing_allowed);
    tcase_add_test(t, role_of_a_replica);
    tcase_add_test(t, dead_after_a_fault);
    tcase_add_loop_test(t, rule, 0, (int)(sizeof rules / sizeof *rules));
    tcase_add_loop_test(t, rdb_version, 0, (int)(sizeof known / sizeof *known));
    tcase_add_test(t, no_memory);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
