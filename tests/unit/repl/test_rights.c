/* What this is: tests of rights: by ACL DRYRUN, by ACL GETUSER, by trial, and before there were any.
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

static const struct rsp_server_right *rights;
static size_t rights_n;

#define BEGIN(lines) begin(lines, sizeof(lines) / sizeof *(lines))
static void begin(struct peer_line *lines, size_t n)
{
    peer_start(&peer, lines, n);
    ck_assert_msg(rsp_server_open(&env, &endpoint, NULL, &server) == RSP_OK, "%s", error.message);
    ck_assert_msg(rsp_server_rights(server, &rights, &rights_n) == RSP_OK, "%s", error.message);
    ck_assert_int_eq(error.code, 0); /* what is denied is an answer, not a fault */
}

/* -2: not among them. */
static int allowed(const char *for_what, const char *command)
{
    for (size_t i = 0; i < rights_n; i++)
        if (!strcmp(rights[i].for_what, for_what) && !strcmp(rights[i].command, command)) return rights[i].allowed;
    return -2;
}

#define V6 "$41\r\nredis_version:6.2.16\r\nrole:master\r\nx:y123\r\n"
#define V7 "$41\r\nredis_version:7.0.15\r\nrole:master\r\nx:y123\r\n"
#define DENIED "-NOPERM this user has no permissions to run the command\r\n"

START_TEST(dryrun)
{
    struct peer_line lines[] = {
        {"INFO", V7, 0, 0},
        {"ACL WHOAMI", "$2\r\nbk\r\n", 0, 0},
        {"ACL DRYRUN bk psync ", peer_bulk("User bk has no permissions to run the 'psync' command"), 0, 0},
        {"ACL DRYRUN bk dump ", peer_bulk("User bk has no permissions to access the 'respite:0' key"), 0, 0},
        {"ACL DRYRUN bk restore ", peer_bulk("User bk has no permissions to run the 'restore' command"), 0, 0},
        {"ACL DRYRUN bk bgsave", "-ERR Command 'bgsave' not found\r\n", 0, 0},
        {"ACL DRYRUN bk", "+OK\r\n", 0, 0}};
    BEGIN(lines);
    ck_assert_str_eq(rsp_server_user(server), "bk");
    ck_assert_int_eq(allowed("capture", "psync"), 0);
    ck_assert_int_eq(allowed("capture", "replconf"), 1);
    ck_assert_int_eq(allowed("scan", "dump"), 1); /* it is the key that is missing */
    ck_assert_int_eq(allowed("scan", "keys"), 0);
    ck_assert_int_eq(allowed("restore", "restore"), 0);
    ck_assert_int_eq(allowed("restore", "keys"), -1);
    ck_assert_int_eq(allowed("bgsave", "bgsave"), -1);
    ck_assert_int_eq(allowed("settings", "function|list"), 1);
    for (size_t i = 0; i < rights_n; i++)
        if (!strcmp(rights[i].command, "config|get")) ck_assert_str_eq(rights[i].rule, "+config|get");
    ck_assert_ptr_null(strstr(peer.heard, "\npsync")); /* nothing was tried */
    ck_assert_int_eq(rsp_server_rights(server, &rights, &rights_n), RSP_OK);
    ck_assert_int_eq(allowed("capture", "psync"), 0);
}
END_TEST

/* Rows of a cluster's nodes and of Sentinel are theirs alone. */
START_TEST(of_a_cluster)
{
    struct peer_line lines[] = {
        {"INFO", peer_bulk("redis_version:7.0.15\r\nredis_mode:cluster\r\nrole:master\r\n"), 0, 0},
        {"ACL WHOAMI", "$2\r\nbk\r\n", 0, 0},
        {"ACL DRYRUN bk cluster nodes", peer_bulk("User bk has no permissions to run the 'cluster|nodes' command"), 0,
         0},
        {"ACL DRYRUN bk", "+OK\r\n", 0, 0}};
    BEGIN(lines);
    ck_assert_int_eq(allowed("cluster", "cluster|nodes"), 0);
    ck_assert_int_eq(allowed("cluster", "cluster|shards"), 1);
    ck_assert_int_eq(allowed("cluster", "cluster|slots"), -2); /* SHARDS tells it */
    ck_assert_int_eq(allowed("capture", "psync"), 1);
    ck_assert_int_eq(allowed("sentinel", "sentinel|masters"), -2);
    for (size_t i = 0; i < rights_n; i++)
        if (!strcmp(rights[i].command, "cluster|nodes")) ck_assert_str_eq(rights[i].rule, "+cluster|nodes");
}
END_TEST

START_TEST(of_sentinel)
{
    struct peer_line lines[] = {
        {"INFO", peer_bulk("redis_version:7.0.15\r\nredis_mode:sentinel\r\n"), 0, 0},
        {"ACL DRYRUN", DENIED, 0, 0},
        {"ACL GETUSER", DENIED, 0, 0},
        {"sentinel masters", "-NOPERM this user has no permissions to run the 'sentinel|masters' command\r\n", 0, 0},
        {"sentinel get-master-addr-by-name respite:", "*-1\r\n", 0, 0}};
    BEGIN(lines);
    ck_assert_int_eq(allowed("sentinel", "sentinel|masters"), 0);
    ck_assert_int_eq(allowed("sentinel", "sentinel|get-master-addr-by-name"), 1);
    ck_assert_int_eq(allowed("capture", "psync"), -2);
    ck_assert_ptr_null(strstr(peer.heard, "restore")); /* nothing else is tried there */
}
END_TEST

#define USER(commands, keys) \
    "*8\r\n$5\r\nflags\r\n*1\r\n$2\r\non\r\n$9\r\npasswords\r\n*0\r\n$8\r\ncommands\r\n" commands "$4\r\nkeys\r\n" keys

START_TEST(getuser_of_6)
{
    struct peer_line lines[] = {
        {"INFO", V6, 0, 0},
        {"ACL GETUSER default",
         USER("$70\r\n+@all -@dangerous -dump +psync  +bgsave -bgsave +config|get -acl +ping\r\n",
              "*2\r\n$1\r\na\r\n$1\r\n*\r\n"),
         0, 0},
        {"ACL CAT dangerous", "*4\r\n$5\r\npsync\r\n$6\r\nconfig\r\n$7\r\nrestore\r\n$8\r\nreplconf\r\n", 0, 0}};
    BEGIN(lines);
    ck_assert_int_eq(allowed("capture", "psync"), 1);
    ck_assert_int_eq(allowed("capture", "replconf"), 0);
    ck_assert_int_eq(allowed("bgsave", "bgsave"), 0);
    ck_assert_int_eq(allowed("bgsave", "config|get"), 1);
    ck_assert_int_eq(allowed("scan", "dump"), 0);
    ck_assert_int_eq(allowed("scan", "scan"), 1);
    ck_assert_int_eq(allowed("scan", "keys"), 1);
    ck_assert_int_eq(allowed("settings", "acl|list"), 0);
    ck_assert_int_eq(allowed("restore", "restore"), 0);
    ck_assert_int_eq(allowed("settings", "function|list"), -2); /* 6.2 has none */
}
END_TEST

/* What the user's own rules deny a selector may give: that is then tried. */
START_TEST(getuser_of_7)
{
    struct peer_line lines[] = {
        {"INFO", V7, 0, 0},
        {"ACL DRYRUN", DENIED, 0, 0},
        {"ACL GETUSER default",
         "*6\r\n$8\r\ncommands\r\n"
         "$12\r\n-@all +psync\r\n$4\r\nkeys\r\n$7\r\n%R~* ~a\r\n$9\r\nselectors\r\n*1\r\n*0\r\n",
         0, 0},
        {"dump", DENIED, 0, 0},
        {"type", "+none\r\n", 0, 0}};
    BEGIN(lines);
    ck_assert_int_eq(allowed("capture", "psync"), 1);
    ck_assert_int_eq(allowed("scan", "dump"), 0);
    ck_assert_int_eq(allowed("scan", "type"), 1);
    ck_assert_int_eq(allowed("scan", "keys"), -1);
    ck_assert_int_eq(allowed("restore", "hset"), -1);
    ck_assert_ptr_null(strstr(peer.heard, "\npsync"));
}
END_TEST

START_TEST(category_unknown)
{
    struct peer_line lines[] = {{"INFO", V6, 0, 0},
                                {"ACL GETUSER default", USER("$19\r\n+@all -@admin +ping\r\n", "*0\r\n"), 0, 0},
                                {"ACL CAT", DENIED, 0, 0},
                                {"scan", "*2\r\n$1\r\n0\r\n*0\r\n", 0, 0},
                                {"", "-ERR unknown command 'x'\r\n", 0, 0}};
    BEGIN(lines);
    ck_assert_int_eq(allowed("capture", "ping"), 1);
    ck_assert_int_eq(allowed("capture", "psync"), -1);
    ck_assert_int_eq(allowed("scan", "scan"), 1);
    ck_assert_int_eq(allowed("scan", "keys"), 0);
}
END_TEST

START_TEST(trial)
{
    struct peer_line lines[] = {
        {"INFO", V7, 1, 0},
        {"ACL", DENIED, 0, 0},
        {"psync ? none", "-NOPERM this user has no permissions to run the 'psync' command\r\n", 0, 0},
        {"replconf", "+OK\r\n", 0, 0},
        {"bgsave none", "-ERR syntax error\r\n", 0, 0},
        {"dump", "-NOPERM this user has no permissions to access one of the keys used as arguments\r\n", 0, 0},
        {"restore", "-READONLY You can't write against a read only replica.\r\n", 0, 0},
        {"ping", "-NOAUTH Authentication required.\r\n", 0, 0}};
    BEGIN(lines);
    ck_assert_int_eq(allowed("capture", "psync"), 0);
    ck_assert_int_eq(allowed("capture", "replconf"), 1);
    ck_assert_int_eq(allowed("capture", "ping"), -1);
    ck_assert_int_eq(allowed("bgsave", "bgsave"), 1);
    ck_assert_int_eq(allowed("bgsave", "lastsave"), -1); /* unknown command */
    ck_assert_int_eq(allowed("scan", "dump"), 1);
    ck_assert_int_eq(allowed("scan", "keys"), 0);
    ck_assert_int_eq(allowed("restore", "keys"), 1);
    /* What would do something is never tried. */
    ck_assert_ptr_null(strstr(peer.heard, "\nhset"));
    ck_assert_ptr_null(strstr(peer.heard, "\nrpush"));
    ck_assert_ptr_null(strstr(peer.heard, "\nsadd"));
}
END_TEST

/* Before 7.0 any PSYNC begins a save. */
START_TEST(no_trial_of_psync)
{
    struct peer_line lines[] = {{"INFO", V6, 1, 0}, {"ACL", DENIED, 0, 0}, {"", DENIED, 0, 0}};
    BEGIN(lines);
    ck_assert_int_eq(allowed("capture", "psync"), -1);
    ck_assert_int_eq(allowed("capture", "replconf"), 0);
    ck_assert_ptr_null(strstr(peer.heard, "psync"));
}
END_TEST

START_TEST(before_users)
{
    struct peer_line lines[] = {{"INFO", peer_bulk("redis_version:5.0.14\r\nrole:master\r\n"), 0, 0}};
    BEGIN(lines);
    ck_assert_int_eq(allowed("capture", "psync"), 1);
    ck_assert_int_eq(allowed("settings", "acl|list"), -2);
    ck_assert_str_eq(peer.heard, "INFO\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rights");
    TCase *t = tcase_create("rights");
    SRunner *runner;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, dryrun);
    tcase_add_test(t, of_a_cluster);
    tcase_add_test(t, of_sentinel);
    tcase_add_test(t, getuser_of_6);
    tcase_add_test(t, getuser_of_7);
    tcase_add_test(t, category_unknown);
    tcase_add_test(t, trial);
    tcase_add_test(t, no_trial_of_psync);
    tcase_add_test(t, before_users);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
