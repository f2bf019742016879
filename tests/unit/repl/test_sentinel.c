/* What this is: tests of finding a master by Sentinel: sentinels that are behind, silent, odd, or know no such name.
 * Rests on: libcheck, server_peer.h.
 * Does not: need a server. */
#include <check.h>
#undef fail
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/topology.h>

#include "server_peer.h"

#define PEERS 4 /* two sentinels, two servers */
enum { INFO, ADDRESS, MASTERS, AUTH, WORDS };

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_place place;
static struct rsp_server_options options;
static struct rsp_sentinel_found found;
static struct peer peers[PEERS];
static struct peer_line lines[PEERS][WORDS + 1];
static char rooms[PEERS][WORDS + 1][2000];
static int cancel;
static long fail_nth;
static unsigned warned;
static char warning[300];

static void log_to(void *opaque, int level, const char *line)
{
    (void)opaque;
    if (level != RSP_LOG_WARN) return;
    warned++;
    snprintf(warning, sizeof warning, "%s", line);
}

static void *resize(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque;
    (void)old_n;
    if (n && fail_nth >= 0 && fail_nth-- == 0) return NULL;
    if (!n) {
        free(p);
        return NULL;
    }
    return realloc(p, n);
}

static void raw(int peer, int word, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(rooms[peer][word], sizeof rooms[peer][word], format, args);
    va_end(args);
    lines[peer][word].reply = rooms[peer][word];
}

static void is_a(int peer, const char *role, const char *mode)
{
    char text[200];
    snprintf(text, sizeof text, "redis_version:7.0.15\r\nredis_mode:%s\r\n%s%s\r\n", mode, *role ? "role:" : "", role);
    raw(peer, INFO, "$%zu\r\n%s\r\n", strlen(text), text);
}

/* A sentinel: whom it names, and the number of its configuration. */
static void names(int peer, int server, const char *epoch)
{
    raw(peer, ADDRESS, "*2\r\n$9\r\n127.0.0.1\r\n$%d\r\n%u\r\n", peers[server].port > 9999 ? 5 : 4, peers[server].port);
    raw(peer, MASTERS,
        "*2\r\n*2\r\n$4\r\nname\r\n$5\r\nother\r\n"
        "*12\r\n$4\r\nname\r\n$1\r\nm\r\n$5\r\nflags\r\n$6\r\nmaster\r\n$12\r\nconfig-epoch\r\n$%zu\r\n%s\r\n"
        "$19\r\nnum-other-sentinels\r\n$1\r\n2\r\n$6\r\nquorum\r\n$1\r\n2\r\n$10\r\nnum-slaves\r\n$1\r\n1\r\n",
        strlen(epoch), epoch);
}

static void setup(void)
{
    static const char *const commands[] = {"INFO", "SENTINEL GET-MASTER-ADDR-BY-NAME m", "SENTINEL MASTERS", "AUTH"};
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    memset(&place, 0, sizeof place);
    memset(&options, 0, sizeof options);
    memset(lines, 0, sizeof lines);
    memset(&found, 0, sizeof found);
    fail_nth = -1;
    cancel = 0;
    env.size = sizeof env;
    env.error = &error;
    env.resize = resize;
    env.log = log_to;
    warned = 0;
    options.size = sizeof options;
    options.cancel = &cancel;
    found.size = sizeof found;
    place.size = sizeof place;
    place.endpoint.size = sizeof place.endpoint;
    place.kind = RSP_PLACE_SENTINEL;
    place.master = "m";
    place.seeds_n = 2;
    for (int i = 0; i < PEERS; i++) {
        for (int w = 0; w < WORDS; w++)
            lines[i][w] = (struct peer_line){commands[w], w == AUTH ? "+OK\r\n" : "-ERR unknown command\r\n", 0, 0};
        peer_start(&peers[i], lines[i], WORDS);
    }
    for (int i = 0; i < 2; i++) {
        place.seeds[i] = (struct rsp_seed){"127.0.0.1", peers[i].port};
        is_a(i, "", "sentinel");
        names(i, 2, "5");
    }
    is_a(2, "master", "standalone");
    is_a(3, "slave", "standalone");
}

static void teardown(void)
{
    for (int i = 0; i < PEERS; i++) peer_stop(&peers[i]);
}

static int find(void)
{
    memset(&error, 0, sizeof error);
    return rsp_sentinel_find(&env, &place, &options, &found);
}

START_TEST(named)
{
    ck_assert_msg(!find(), "%s", error.message);
    ck_assert_str_eq(found.host, "127.0.0.1");
    ck_assert_uint_eq(found.port, peers[2].port);
    ck_assert(found.sentinels == 3 && found.quorum == 2 && found.replicas == 1 && !found.down);
    ck_assert_int_eq(strncmp(found.via, "sentinel://127.0.0.1:", 21), 0);
}
END_TEST

/* One that is behind names what is a replica by now: what the other names is taken. */
START_TEST(stale)
{
    names(0, 3, "9");
    ck_assert_msg(!find(), "%s", error.message);
    ck_assert_uint_eq(found.port, peers[2].port);
}
END_TEST

/* Both that are named say that they are masters: one was cut off, together with the sentinel that names it. */
START_TEST(two_masters)
{
    is_a(3, "master", "standalone");
    names(1, 3, "6");
    ck_assert_msg(!find(), "%s", error.message);
    ck_assert_uint_eq(found.port, peers[3].port);
    names(0, 2, "10");
    ck_assert_int_eq(find(), RSP_OK);
    ck_assert_uint_eq(found.port, peers[2].port);
}
END_TEST

START_TEST(one_is_enough)
{
    lines[0][INFO].reply = NULL;
    ck_assert_int_eq(find(), RSP_OK);
    place.seeds[0].port = 1; /* nobody */
    ck_assert_int_eq(find(), RSP_OK);
}
END_TEST

/* MASTERS is not allowed: the address does. */
START_TEST(no_masters)
{
    for (int i = 0; i < 2; i++)
        raw(i, MASTERS, "-NOPERM this user has no permissions to run the 'sentinel|masters' command\r\n");
    ck_assert_int_eq(find(), RSP_OK);
    ck_assert(!found.sentinels && !found.quorum);
}
END_TEST

START_TEST(unknown_name)
{
    for (int i = 0; i < 2; i++) raw(i, ADDRESS, "*-1\r\n");
    options.patience_ms = 60000; /* not waited for */
    ck_assert_int_eq(find(), RSP_ENOTFOUND);
    ck_assert_ptr_nonnull(strstr(error.message, "'other'"));
    names(1, 2, "5");
    ck_assert_int_eq(find(), RSP_OK);
}
END_TEST

static const char *const odd[] = {
    "+OK\r\n",
    ":1\r\n",
    "*1\r\n$1\r\na\r\n",
    "*2\r\n$1\r\na\r\n$5\r\n65536\r\n",
    "*2\r\n$1\r\na\r\n$1\r\n0\r\n",
    "*2\r\n$1\r\na\r\n$2\r\n-1\r\n",
    "*2\r\n$1\r\na\r\n$11\r\n18446744073\r\n",
    "*2\r\n$1\r\na\r\n:7000\r\n",
    "*2\r\n$0\r\n\r\n$4\r\n7000\r\n",
    "*2\r\n$3\r\na\n\x1b\r\n$4\r\n7000\r\n",
    "*2\r\n$4\r\na/b@\r\n$4\r\n7000\r\n",
};

START_TEST(odd_addresses)
{
    place.seeds_n = 1;
    raw(0, ADDRESS, "%s", odd[_i]);
    ck_assert_int_eq(find(), RSP_EFORMAT);
    for (const char *c = error.message; *c; c++) ck_assert_int_ge((unsigned char)*c, 0x20);
    place.seeds_n = 2; /* the other one does */
    ck_assert_int_eq(find(), RSP_OK);
}
END_TEST

START_TEST(odd_masters)
{
    static const char *const replies[] = {
        "*1\r\n*1\r\n$4\r\nname\r\n",
        "*1\r\n$4\r\nname\r\n",
        "*1\r\n*2\r\n:1\r\n:2\r\n",
        ":5\r\n",
        "*1\r\n*4\r\n$4\r\nname\r\n$1\r\nm\r\n$6\r\nquorum\r\n$30\r\n999999999999999999999999999999\r\n",
        "*1\r\n*4\r\n$4\r\nname\r\n$1\r\nm\r\n$19\r\nnum-other-sentinels\r\n$18\r\n999999999999999999\r\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        raw(0, MASTERS, "%s", replies[i]);
        raw(1, MASTERS, "%s", replies[i]);
        ck_assert_int_eq(find(), RSP_OK);
        ck_assert_uint_le(found.sentinels, 1000001);
    }
}
END_TEST

START_TEST(refusals)
{
    for (int i = 0; i < 2; i++) raw(i, INFO, "-NOAUTH Authentication required.\r\n");
    ck_assert_int_eq(find(), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(error.message, "RESPITE_SENTINEL_AUTH"));
    is_a(0, "master", "standalone");
    place.seeds_n = 1;
    ck_assert_int_eq(find(), RSP_EUNSUPPORTED);
    is_a(0, "", "sentinel");
    raw(0, ADDRESS,
        "-NOPERM this user has no permissions to run the 'sentinel|get-master-addr-by-name' command or its "
        "subcommand\r\n");
    place.sentinel_user = "sn";
    place.sentinel_password = "pw";
    ck_assert_int_eq(find(), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(error.message, "+sentinel|get-master-addr-by-name"));
    place.master = NULL;
    ck_assert_int_eq(find(), RSP_EINVAL);
}
END_TEST

/* The passwords of sentinels and of servers do not mix. */
START_TEST(passwords)
{
    place.sentinel_user = "sn";
    place.sentinel_password = "spw";
    place.endpoint.user = "bk";
    place.endpoint.password = "dpw";
    ck_assert_int_eq(find(), RSP_OK);
    ck_assert_ptr_nonnull(strstr(peers[0].heard, "AUTH sn spw\n"));
    ck_assert_ptr_null(strstr(peers[0].heard, "dpw"));
    ck_assert_ptr_nonnull(strstr(peers[2].heard, "AUTH bk dpw\n"));
    ck_assert_ptr_null(strstr(peers[2].heard, "spw"));
}
END_TEST

/* A failover: the one that is named becomes a master while we wait. */
START_TEST(comes_round)
{
    names(0, 3, "5");
    names(1, 3, "5");
    ck_assert_int_eq(find(), RSP_EBUSY);
    ck_assert(error.retryable);
    ck_assert_ptr_nonnull(strstr(error.message, "is none"));
    ck_assert_uint_eq(warned, 0);
    lines[3][INFO].times = 4;
    lines[3][INFO].used = 0;
    snprintf(rooms[3][WORDS], sizeof rooms[3][WORDS], "$%zu\r\n%s\r\n",
             strlen("redis_version:7.0.15\r\nrole:master\r\n"), "redis_version:7.0.15\r\nrole:master\r\n");
    lines[3][WORDS] = (struct peer_line){"INFO", rooms[3][WORDS], 0, 0};
    peers[3].n = WORDS + 1;
    options.patience_ms = 60000;
    ck_assert_msg(!find(), "%s", error.message);
    ck_assert_uint_eq(found.port, peers[3].port);
    ck_assert_uint_eq(warned, 1); /* that it waits is said once, whatever is shown */
    ck_assert_ptr_nonnull(strstr(warning, "no master yet"));
}
END_TEST

START_TEST(nobody)
{
    place.seeds[0].port = place.seeds[1].port = 1;
    options.patience_ms = 60000; /* not waited for */
    ck_assert_int_eq(find(), RSP_ENET);
    ck_assert_ptr_nonnull(strstr(error.message, "no sentinel answers"));
}
END_TEST

START_TEST(canceled)
{
    cancel = 1;
    ck_assert_int_eq(find(), RSP_ECANCELED);
}
END_TEST

START_TEST(no_memory)
{
    int rc = RSP_ENOMEM;
    for (long nth = 0; rc; nth++) {
        ck_assert_int_lt((int)nth, 300);
        fail_nth = nth;
        rc = find();
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (!rc && fail_nth < 0) rc = 1; /* something failed, and it went well all the same: on */
    }
    fail_nth = -1;
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sentinel");
    TCase *t = tcase_create("sentinel");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, named);
    tcase_add_test(t, stale);
    tcase_add_test(t, two_masters);
    tcase_add_test(t, one_is_enough);
    tcase_add_test(t, no_masters);
    tcase_add_test(t, unknown_name);
    tcase_add_loop_test(t, odd_addresses, 0, (int)(sizeof odd / sizeof *odd));
    tcase_add_test(t, odd_masters);
    tcase_add_test(t, refusals);
    tcase_add_test(t, passwords);
    tcase_add_test(t, comes_round);
    tcase_add_test(t, nobody);
    tcase_add_test(t, canceled);
    tcase_add_test(t, no_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
