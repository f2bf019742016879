/* What this is: tests of the choice between a server, its replicas and its master.
 * Rests on: libcheck, server_peer.h.
 * Does not: need a server. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "repl/choose.h"
#include "repl/server_impl.h"
#include "server_peer.h"

#define PEERS 6
#define ID "49a9cd087c67804d0cfff60bf14aad3cd2c65b02"
#define OTHER "00a9cd087c67804d0cfff60bf14aad3cd2c65b02"

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_endpoint endpoint;
static struct rsp_server *given, *chosen;
static struct peer peers[PEERS];
static struct peer_line lines[PEERS][2];
static char info[PEERS][2000], why[300];

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    for (int i = 0; i < PEERS; i++) {
        lines[i][0] = (struct peer_line){"AUTH bk pw", "+OK\r\n", 0, 0};
        lines[i][1] = (struct peer_line){"INFO", "-ERR not told yet\r\n", 0, 0};
        peer_start(&peers[i], lines[i], 2);
    }
    given = chosen = NULL;
}

static void teardown(void)
{
    if (chosen != given) rsp_server_free(chosen);
    rsp_server_free(given);
    for (int i = 0; i < PEERS; i++) peer_stop(&peers[i]);
}

static void says(int i, const char *text)
{
    snprintf(info[i], sizeof info[i], "$%zu\r\n%s\r\n", strlen(text), text);
    lines[i][1].reply = info[i];
}

/* The first peer is a master; each of n more is told of with its state, lag and offset. */
struct told {
    const char *state;
    int lag, offset;
};

static void master_of(const struct told *told, int n)
{
    char text[1500];
    int at = snprintf(text, sizeof text, "redis_version:7.0.15\r\nrole:master\r\nmaster_replid:" ID "\r\n");
    for (int i = 0; i < n; i++)
        at += snprintf(text + at, sizeof text - (size_t)at,
                       "slave%d:ip=127.0.0.1,port=%u,state=%s,offset=%d,lag=%d\r\n", i, peers[i + 1].port,
                       told[i].state, told[i].offset, told[i].lag);
    says(0, text);
}

static void replica_of(int i, int master, const char *id, const char *link, int loading)
{
    char text[500];
    snprintf(text, sizeof text,
             "redis_version:7.0.15\r\nrole:slave\r\nmaster_replid:%s\r\nmaster_host:127.0.0.1\r\nmaster_port:%u\r\n"
             "master_link_status:%s\r\nloading:%d\r\n",
             id, peers[master].port, link, loading);
    says(i, text);
}

static int choose_from(int i, int role)
{
    memset(&endpoint, 0, sizeof endpoint);
    endpoint.size = sizeof endpoint;
    endpoint.socket = peers[i].path;
    endpoint.user = "bk";
    endpoint.password = "pw";
    ck_assert_msg(rsp_server_open(&env, &endpoint, NULL, &given) == RSP_OK, "%s", error.message);
    return choose_server(&env, given, role, NULL, &chosen, why, sizeof why);
}

static void is_peer(int i)
{
    ck_assert_ptr_ne(chosen, given);
    ck_assert_uint_eq(rsp_server_endpoint(chosen)->port, peers[i].port);
    ck_assert_str_eq(rsp_server_endpoint(chosen)->host, "127.0.0.1");
    ck_assert_str_eq(rsp_server_user(chosen), "bk");
    ck_assert_int_eq(error.code, 0);
}

START_TEST(healthiest)
{
    static const struct told told[] = {
        {"online", 1, 900}, {"online", 0, 100}, {"online", 0, 150}, {"online", 11, 999}, {"wait_bgsave", 0, 999}};
    master_of(told, 5);
    for (int i = 1; i <= 5; i++) replica_of(i, 0, ID, "up", 0);
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_ANY), RSP_OK);
    is_peer(3);
    ck_assert_ptr_nonnull(strstr(why, "a replica of unix:///"));
    ck_assert_ptr_nonnull(strstr(why, ", lag 0 s"));
}
END_TEST

/* Each that is asked first has something against it. */
START_TEST(next_best)
{
    static const struct told told[] = {
        {"online", 0, 5}, {"online", 0, 4}, {"online", 0, 3}, {"online", 0, 2}, {"online", 9, 1}};
    master_of(told, 5);
    replica_of(1, 0, ID, "down", 0);
    replica_of(2, 0, ID, "up", 1);
    replica_of(3, 0, OTHER, "up", 0);
    says(4, "role:master\r\n");
    replica_of(5, 0, ID, "up", 0);
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_REPLICA), RSP_OK);
    is_peer(5);
    for (int i = 1; i <= 5; i++) ck_assert_uint_eq(peers[i].connections, 1);
}
END_TEST

START_TEST(none_is_healthy)
{
    static const struct told told[] = {{"online", 0, 5}};
    master_of(told, 1);
    replica_of(1, 0, ID, "down", 0);
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_ANY), RSP_OK);
    ck_assert_ptr_eq(chosen, given);
    ck_assert_ptr_nonnull(strstr(why, "the server itself: no healthy replica"));
    ck_assert_ptr_nonnull(strstr(why, "link to its master is down"));
    ck_assert_int_eq(choose_server(&env, given, RSP_CAPTURE_REPLICA, NULL, &chosen, why, sizeof why), RSP_EBUSY);
    ck_assert_ptr_null(chosen);
    ck_assert_int_eq(error.retryable, 1);
    ck_assert_ptr_nonnull(strstr(error.message, "link to its master is down"));
}
END_TEST

START_TEST(none_at_all)
{
    master_of(NULL, 0);
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_ANY), RSP_OK);
    ck_assert_ptr_eq(chosen, given);
    ck_assert_str_eq(why, "the server itself: it names no replica");
    ck_assert_int_eq(choose_server(&env, given, RSP_CAPTURE_AT_MASTER, NULL, &chosen, why, sizeof why), RSP_OK);
    ck_assert_ptr_eq(chosen, given);
    ck_assert_int_eq(choose_server(&env, given, RSP_CAPTURE_REPLICA, NULL, &chosen, why, sizeof why), RSP_ENOTFOUND);
}
END_TEST

/* A refused password, a closed connection, a name that is none: reasons, not faults. */
START_TEST(unreachable)
{
    char text[700];
    snprintf(text, sizeof text,
             "role:master\r\nslave0:ip=127.0.0.1,port=%u,state=online,offset=9,lag=0\r\n"
             "slave1:ip=a/b?c@d,port=1,state=online,offset=8,lag=0\r\nslave2:ip=,port=1,state=online,lag=0\r\n"
             "slave3:ip=127.0.0.1,port=0,state=online,lag=0\r\n"
             "slave4:ip=127.0.0.1,port=%u,state=online,offset=1,lag=0\r\n",
             peers[1].port, peers[2].port);
    says(0, text);
    lines[1][0].reply = "-WRONGPASS no\r\n";
    lines[2][1].reply = NULL;
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_ANY), RSP_OK);
    ck_assert_ptr_eq(chosen, given);
    ck_assert_int_eq(error.code, 0);
    ck_assert_uint_eq(peers[1].connections, 1);
    ck_assert_uint_eq(peers[2].connections, 1);
}
END_TEST

START_TEST(healthy_replica_stays)
{
    master_of(NULL, 0);
    replica_of(1, 0, ID, "up", 0);
    ck_assert_int_eq(choose_from(1, RSP_CAPTURE_ANY), RSP_OK);
    ck_assert_ptr_eq(chosen, given);
    ck_assert_str_eq(why, "the server itself: a replica");
    ck_assert_int_eq(choose_server(&env, given, RSP_CAPTURE_REPLICA, NULL, &chosen, why, sizeof why), RSP_OK);
    ck_assert_ptr_eq(chosen, given);
    ck_assert_uint_eq(peers[0].connections, 0);
}
END_TEST

START_TEST(ill_replica)
{
    static const struct told told[] = {{"online", 0, 5}, {"online", 0, 4}};
    master_of(told, 2);
    replica_of(1, 0, ID, "down", 0);
    replica_of(2, 0, ID, "up", 0);
    ck_assert_int_eq(choose_from(1, RSP_CAPTURE_ANY), RSP_OK);
    is_peer(0);
    ck_assert_ptr_nonnull(strstr(why, "the master of unix:///"));
    rsp_server_free(chosen);
    ck_assert_int_eq(choose_server(&env, given, RSP_CAPTURE_REPLICA, NULL, &chosen, why, sizeof why), RSP_OK);
    is_peer(2);
}
END_TEST

START_TEST(ill_replica_alone)
{
    replica_of(1, 0, ID, "down", 0);
    lines[0][1].reply = NULL;
    ck_assert_int_eq(choose_from(1, RSP_CAPTURE_ANY), RSP_OK);
    ck_assert_ptr_eq(chosen, given);
    ck_assert_ptr_nonnull(strstr(why, "its master cannot be used"));
    ck_assert_int_eq(choose_server(&env, given, RSP_CAPTURE_AT_MASTER, NULL, &chosen, why, sizeof why), RSP_EBUSY);
    ck_assert_ptr_nonnull(strstr(error.message, "its master cannot be used"));
}
END_TEST

START_TEST(chain)
{
    master_of(NULL, 0);
    for (int i = 1; i < PEERS; i++) replica_of(i, i - 1, ID, "up", 0);
    ck_assert_int_eq(choose_from(4, RSP_CAPTURE_AT_MASTER), RSP_OK);
    is_peer(0);
    for (int i = 0; i < 4; i++) ck_assert_uint_eq(peers[i].connections, 1);
    rsp_server_free(chosen);
    rsp_server_free(given);
    given = chosen = NULL;
    ck_assert_int_eq(choose_from(5, RSP_CAPTURE_AT_MASTER), RSP_EBUSY);
    ck_assert_ptr_nonnull(strstr(error.message, "within 4 hops"));
}
END_TEST

START_TEST(circle)
{
    replica_of(0, 1, ID, "up", 0);
    replica_of(1, 0, ID, "up", 0);
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_AT_MASTER), RSP_EBUSY);
    ck_assert_uint_le(peers[0].connections + peers[1].connections, 5);
}
END_TEST

START_TEST(wrong_master)
{
    replica_of(1, 0, ID, "up", 0);
    says(0, "role:master\r\nmaster_replid:" OTHER "\r\n");
    ck_assert_int_eq(choose_from(1, RSP_CAPTURE_AT_MASTER), RSP_EBUSY);
    ck_assert_ptr_nonnull(strstr(error.message, "other data"));
}
END_TEST

START_TEST(sentinel)
{
    says(0, "redis_version:7.0.15\r\nredis_mode:sentinel\r\n");
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_ANY), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "sentinel://127.0.0.1:"));
}
END_TEST

START_TEST(unknown_role)
{
    says(0, "redis_version:7.0.15\r\n");
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_ANY), RSP_OK);
    ck_assert_ptr_eq(chosen, given);
    ck_assert_int_eq(choose_server(&env, given, RSP_CAPTURE_REPLICA, NULL, &chosen, why, sizeof why), RSP_EDENIED);
}
END_TEST

static volatile int cancel_flag = 1;

START_TEST(cancelled)
{
    static const struct told told[] = {{"online", 0, 5}};
    master_of(told, 1);
    replica_of(1, 0, ID, "up", 0);
    ck_assert_int_eq(choose_from(0, RSP_CAPTURE_AT_MASTER), RSP_OK);
    ck_assert_int_eq(choose_server(&env, given, RSP_CAPTURE_ANY, &cancel_flag, &chosen, why, sizeof why),
                     RSP_ECANCELED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_choose");
    TCase *t = tcase_create("server_choose");
    SRunner *runner;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, healthiest);
    tcase_add_test(t, next_best);
    tcase_add_test(t, none_is_healthy);
    tcase_add_test(t, none_at_all);
    tcase_add_test(t, unreachable);
    tcase_add_test(t, healthy_replica_stays);
    tcase_add_test(t, ill_replica);
    tcase_add_test(t, ill_replica_alone);
    tcase_add_test(t, chain);
    tcase_add_test(t, circle);
    tcase_add_test(t, wrong_master);
    tcase_add_test(t, sentinel);
    tcase_add_test(t, unknown_role);
    tcase_add_test(t, cancelled);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
