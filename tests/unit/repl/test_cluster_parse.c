/* What this is: tests of CLUSTER NODES and nodes.conf as text: what is read, and what is refused with words.
 * Rests on: libcheck.
 * Does not: ask a server (test_cluster_replies.c). */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/topology.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"
#define D "dddddddddddddddddddddddddddddddddddddddd"

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_cluster_map *map;
static long fail_nth;

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

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    env.resize = resize;
    map = NULL;
    fail_nth = -1;
}

static void teardown(void)
{
    rsp_cluster_map_free(&env, map);
}

/* In a room of its own length: reads behind it are seen. */
static int parse_n(const char *text, size_t n)
{
    uint8_t *own = malloc(n ? n : 1);
    int rc;
    rsp_cluster_map_free(&env, map);
    map = NULL;
    memcpy(own, text, n);
    memset(&error, 0, sizeof error);
    rc = rsp_cluster_parse(&env, (struct rsp_span){own, n}, "nodes.conf", &map);
    free(own);
    ck_assert_int_eq(rc == RSP_OK, map != NULL);
    return rc;
}

static int parse(const char *text)
{
    return parse_n(text, strlen(text));
}

static const char *slots_of(size_t shard)
{
    static char text[200];
    rsp_slots_text(map->shards[shard].ranges, map->shards[shard].ranges_n, text, sizeof text);
    return text;
}

/* Two primaries with replicas, one without slots, one that is met just now; IPv6; hostnames; slots on their way. */
static const char whole[] = B
    " 10.0.0.2:7001@17001,b.example,shard-id=99,nodename=x master - 0 1 2 connected 5461-16383 77 [93-<-" A "]\n" A
    " ::1:7000@17000,,tls-port=7100,shard-id=98 myself,master - 0 0 1 connected 0-76 78-5460 [100->-" B "]\n" C
    " 10.0.0.3:7002@17002 slave,fail? " A " 0 1 1 disconnected\n" D " :0@0 slave,noaddr " B " 0 1 2 disconnected\n"
    "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee 10.0.0.9:1@2 master - 0 0 9 connected\n"
    "0000000000000000000000000000000000000000 10.0.0.8:1@2 handshake - 0 0 0 connected\n"
    "vars currentEpoch 6 lastVoteEpoch 5\n";

START_TEST(nodes)
{
    const struct rsp_cluster_node *n;
    ck_assert_msg(!parse(whole), "%s", error.message);
    ck_assert_uint_eq(map->shards_n, 2);
    ck_assert_str_eq(slots_of(0), "0-76,78-5460");
    ck_assert_str_eq(slots_of(1), "77,5461-16383");
    ck_assert_uint_eq(map->shards[0].slots + map->shards[1].slots, RSP_SLOTS);
    ck_assert(map->ok && !map->uncovered && map->epoch == 6);
    ck_assert_uint_eq(map->owner[77], 1);
    ck_assert_uint_eq(map->shards[0].nodes_n, 2);
    n = map->shards[0].nodes;
    ck_assert_str_eq(n[0].id, A);
    ck_assert_str_eq(n[0].host, "::1");
    ck_assert(n[0].port == 7000 && n[0].primary && n[0].health == RSP_NODE_ONLINE && n[0].linked);
    ck_assert_str_eq(n[1].id, C);
    ck_assert(!n[1].primary && n[1].health == RSP_NODE_SUSPECT && !n[1].linked);
    n = map->shards[1].nodes;
    ck_assert_str_eq(n[0].host, "10.0.0.2");
    ck_assert_str_eq(n[1].id, D);
    ck_assert(n[1].health == RSP_NODE_FAILED && !*n[1].host && !n[1].port);
    ck_assert_uint_eq(map->moves_n, 2);
    ck_assert(map->moves[0].slot == 93 && map->moves[0].shard == 1 && map->moves[0].importing);
    ck_assert_str_eq(map->moves[0].other, A);
    ck_assert(map->moves[1].slot == 100 && map->moves[1].shard == 0 && !map->moves[1].importing);
}
END_TEST

/* A node that has no slots yet, and takes its first one. */
START_TEST(slotless_import)
{
    ck_assert_int_eq(parse(A " 1.1.1.1:1@2 master - 0 0 1 connected 0-16383\n" B
                             " 1.1.1.2:1@2 myself,master - 0 0 1 connected [5-<-" A "]"),
                     RSP_OK);
    ck_assert_uint_eq(map->shards_n, 1);
    ck_assert_uint_eq(map->moves_n, 1);
    ck_assert_uint_eq(map->moves[0].shard, RSP_NO_SHARD);
}
END_TEST

/* As 3.x writes it, without the bus's port; with line ends of another kind and blanks. */
START_TEST(old_forms)
{
    ck_assert_int_eq(parse("\r\n  \n" A " 1.1.1.1:6379  master -  0 0 1 connected 0\r\n"), RSP_OK);
    ck_assert_str_eq(slots_of(0), "0");
    ck_assert_uint_eq(map->uncovered, RSP_SLOTS - 1);
    ck_assert(!map->ok);
    ck_assert_ptr_nonnull(strstr(map->why, "16383"));
    ck_assert_str_eq(map->via, "nodes.conf");
    ck_assert_int_eq(parse(A " :6379@1,h.example master - 0 0 1 connected 0"), RSP_OK);
    ck_assert_str_eq(map->shards[0].nodes[0].host, "h.example");
    ck_assert_int_eq(parse(A " 1.1.1.1:1@1,? master - 0 0 1 connected 0"), RSP_OK);
    ck_assert_int_eq(parse(A " 1.1.1.1:1@1 master - 0 0 1 connected"), RSP_OK); /* no slots: no shards */
    ck_assert_uint_eq(map->shards_n, 0);
    ck_assert_uint_eq(map->uncovered, RSP_SLOTS);
}
END_TEST

#define NODE A " 1.1.1.1:1@1 master - 0 0 1 connected "
static const char *const hostile[] = {
    "",
    "\n\n",
    "vars currentEpoch 1 lastVoteEpoch 0\n",
    "REDIS0011",
    A,
    A " 1.1.1.1:1@1 master - 0 0 1\n",
    "short 1.1.1.1:1@1 master - 0 0 1 connected\n",
    A "a 1.1.1.1:1@1 master - 0 0 1 connected\n",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n 1.1.1.1:1@1 master - 0 0 1 connected\n",
    A " 1.1.1.1 master - 0 0 1 connected\n",
    A " 1.1.1.1:65536@1 master - 0 0 1 connected\n",
    A " 1.1.1.1:x@1 master - 0 0 1 connected\n",
    A " 1.1.1.1:@1 master - 0 0 1 connected\n",
    A " 1.1.1.1:18446744073709551617@1 master - 0 0 1 connected\n",
    A " 1.1.\x1b[31m1.1:1@1 master - 0 0 1 connected\n",
    A " a/b:1@1 master - 0 0 1 connected\n",
    A " 1.1.1.1:1@1,ho\tst master - 0 0 1 connected\n",
    A " 1.1.1.1:1@1,,tls-port=70000 master - 0 0 1 connected\n",
    A " 1.1.1.1:1@1 slave xyz 0 0 1 connected\n",
    NODE "16384\n",
    NODE "0-16384\n",
    NODE "5-4\n",
    NODE "-5\n",
    NODE "5-\n",
    NODE "5-6-7\n",
    NODE "99999999999999999999999\n",
    NODE "a\n",
    NODE "[\n",
    NODE "[]\n",
    NODE "[5]\n",
    NODE "[5->\n",
    NODE "[5->-]\n",
    NODE "[5->-" B "\n",
    NODE "[5-x-" B "]\n",
    NODE "[16384->-" B "]\n",
    NODE "[->-" B "]\n",
    NODE "[5->-" B "b]\n",
    NODE "0\n" NODE "1\n",
    NODE "0-5\n" B " 1.1.1.1:1@1 master - 0 0 1 connected 5\n",
    "vars currentEpoch -1\n" NODE "0\n",
    "vars currentEpoch 99999999999999999999999\n" NODE "0\n",
};

START_TEST(refused)
{
    ck_assert_msg(parse(hostile[_i]) == RSP_EFORMAT, "'%s'", hostile[_i]);
    ck_assert_int_eq(error.code, RSP_EFORMAT);
    ck_assert_str_eq(error.subject, "nodes.conf");
    for (const char *c = error.message; *c; c++) ck_assert_int_ge((unsigned char)*c, 0x20);
}
END_TEST

/* Every cut, and every byte changed, ends: well, or with words. */
START_TEST(torn)
{
    char text[sizeof whole];
    for (size_t n = 0; n < sizeof whole; n++) (void)parse_n(whole, n);
    for (size_t i = 0; i < sizeof whole - 1; i += 3) {
        memcpy(text, whole, sizeof whole);
        text[i] = (char)(text[i] ^ (1 << (i % 8)));
        if (parse_n(text, sizeof whole - 1)) ck_assert_int_eq(error.code, RSP_EFORMAT);
    }
}
END_TEST

START_TEST(bytes_of_zero)
{
    char text[sizeof whole];
    memcpy(text, whole, sizeof whole);
    text[45] = 0;
    ck_assert_int_eq(parse_n(text, sizeof whole - 1), RSP_EFORMAT);
}
END_TEST

START_TEST(too_many)
{
    size_t cap = (size_t)10001 * 80 + 1, at = 0;
    char *text = malloc(cap);
    for (int i = 0; i < 10001; i++)
        at += (size_t)snprintf(text + at, cap - at, "%040d 1.1.1.1:1@1 master - 0 0 1 connected\n", i);
    ck_assert_int_eq(parse_n(text, at), RSP_ELIMIT);
    ck_assert_int_eq(parse_n(text, at / 10001 * 10000), RSP_OK);
    free(text);
    text = malloc(cap = (size_t)32769 * 60 + 100);
    at = (size_t)snprintf(text, cap, NODE "0");
    for (int i = 0; i < 32769; i++) at += (size_t)snprintf(text + at, cap - at, " [5->-" B "]");
    ck_assert_int_eq(parse_n(text, at), RSP_ELIMIT);
    free(text);
}
END_TEST

/* Every slot another owner than its neighbours. */
START_TEST(scattered)
{
    size_t cap = 16384 * 12 + 1000, at = 0;
    char *text = malloc(cap);
    for (int owner = 0; owner < 2; owner++) {
        at += (size_t)snprintf(text + at, cap - at, "%s 1.1.1.1:1@1 master - 0 0 1 connected", owner ? A : B);
        for (int i = owner; i < RSP_SLOTS; i += 2) at += (size_t)snprintf(text + at, cap - at, " %d", i);
        text[at++] = '\n';
    }
    ck_assert_int_eq(parse_n(text, at), RSP_OK);
    ck_assert_uint_eq(map->shards_n, 2);
    ck_assert_uint_eq(map->shards[0].ranges_n, RSP_SLOTS / 2);
    ck_assert_str_eq(map->shards[0].nodes[0].id, B);
    ck_assert_uint_eq(map->owner[RSP_SLOTS - 1], 1);
    free(text);
}
END_TEST

START_TEST(same_maps)
{
    static const char ab[] = A " 1.1.1.1:1@1 master - 0 0 1 connected 0-9\n" B
                               " 1.1.1.1:2@1 master - 0 0 1 connected 10-19\n";
    static const char *const others[] = {
        A " 1.1.1.1:1@1 master - 0 0 1 connected 0-8\n" B " 1.1.1.1:2@1 master - 0 0 1 connected 9-19\n",
        C " 1.1.1.1:1@1 master - 0 0 1 connected 0-9\n" B " 1.1.1.1:2@1 master - 0 0 1 connected 10-19\n",
        A " 1.1.1.1:1@1 master - 0 0 1 connected 0-19\n",
        A " 1.1.1.1:1@1 master - 0 0 1 connected 0-9 [3->-" B "]\n" B " 1.1.1.1:2@1 master - 0 0 1 connected 10-19\n",
    };
    struct rsp_cluster_map *first;
    ck_assert_int_eq(parse(ab), RSP_OK);
    first = map;
    map = NULL;
    /* Another address, another order: the same. */
    ck_assert_int_eq(
        parse(B " 9.9.9.9:2@1 master - 0 0 1 connected 10-19\n" A " 9.9.9.9:1@1 myself,master - 0 0 1 connected 0-9\n"),
        RSP_OK);
    ck_assert_int_eq(rsp_cluster_same(first, map), 1);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ck_assert_int_eq(parse(others[i]), RSP_OK);
        ck_assert_int_eq(rsp_cluster_same(first, map), 0);
        ck_assert_int_eq(rsp_cluster_same(map, first), 0);
    }
    rsp_cluster_map_free(&env, first);
}
END_TEST

/* A few bytes name all slots: what is told again and again would keep us for minutes. */
START_TEST(again_and_again)
{
    static const char head[] = A " 10.0.0.1:1@2 myself,master - 0 0 1 connected", range[] = " 0-16383";
    for (size_t times = 1; times < 100; times += 98) {
        char text[sizeof head + 99 * sizeof range];
        size_t n = sizeof head - 1;
        memcpy(text, head, n);
        for (size_t i = 0; i < times; i++, n += sizeof range - 1) memcpy(text + n, range, sizeof range - 1);
        ck_assert_int_eq(parse_n(text, n), times == 1 ? RSP_OK : RSP_EFORMAT);
        ck_assert_int_eq(strstr(error.message, "again and again") != NULL, times != 1);
    }
}
END_TEST

START_TEST(endpoint)
{
    struct rsp_place place = {.size = sizeof place, .kind = RSP_PLACE_CLUSTER};
    struct rsp_endpoint e;
    place.endpoint.user = "bk";
    place.endpoint.socket = "/s";
    place.endpoint.db = 3;
    ck_assert_int_eq(parse(whole), RSP_OK);
    rsp_cluster_endpoint(&place, &map->shards[1].nodes[0], &e);
    ck_assert_str_eq(e.host, "10.0.0.2");
    ck_assert_str_eq(e.user, "bk");
    ck_assert(e.port == 7001 && !e.socket && !e.db && e.size == sizeof e);
}
END_TEST

START_TEST(no_memory)
{
    int rc = RSP_ENOMEM;
    for (long nth = 0; rc; nth++) {
        ck_assert_int_lt((int)nth, 200);
        fail_nth = nth;
        rc = parse(whole);
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
    }
    fail_nth = -1;
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cluster_parse");
    TCase *t = tcase_create("cluster_parse");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nodes);
    tcase_add_test(t, slotless_import);
    tcase_add_test(t, old_forms);
    tcase_add_loop_test(t, refused, 0, (int)(sizeof hostile / sizeof *hostile));
    tcase_add_test(t, torn);
    tcase_add_test(t, bytes_of_zero);
    tcase_add_test(t, too_many);
    tcase_add_test(t, scattered);
    tcase_add_test(t, same_maps);
    tcase_add_test(t, again_and_again);
    tcase_add_test(t, endpoint);
    tcase_add_test(t, no_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
