/* What this is: tests of looking at a cluster: replies of odd shape, nodes that disagree, that come and that stay away.
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

#define PEERS 2
#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C "cccccccccccccccccccccccccccccccccccccccc"
enum { INFO, NODES, SHARDS, SLOTS, STATE, WORDS };
#define OK_STATE "cluster_state:ok\r\ncluster_current_epoch:7\r\n"

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_place place;
static struct rsp_server_options options;
static struct rsp_cluster_map *map;
static struct peer peers[PEERS];
static struct peer_line lines[PEERS][WORDS + 2];
static char rooms[PEERS][WORDS + 2][3000];
static int cancel;
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

/* As it is on the wire. */
static void raw(int peer, int word, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(rooms[peer][word], sizeof rooms[peer][word], format, args);
    va_end(args);
    lines[peer][word].reply = rooms[peer][word];
}

static void bulk(int peer, int word, const char *format, ...)
{
    char text[2000];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    raw(peer, word, "$%zu\r\n%s\r\n", strlen(text), text);
}

static void setup(void)
{
    static const char *const commands[] = {"INFO", "CLUSTER NODES", "CLUSTER SHARDS", "CLUSTER SLOTS", "CLUSTER INFO"};
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    memset(&place, 0, sizeof place);
    memset(&options, 0, sizeof options);
    memset(lines, 0, sizeof lines);
    fail_nth = -1;
    cancel = 0;
    env.size = sizeof env;
    env.error = &error;
    env.resize = resize;
    options.size = sizeof options;
    options.cancel = &cancel;
    place.size = sizeof place;
    place.endpoint.size = sizeof place.endpoint;
    place.kind = RSP_PLACE_CLUSTER;
    place.seeds_n = 1;
    map = NULL;
    for (int i = 0; i < PEERS; i++) {
        for (int w = 0; w < WORDS; w++)
            lines[i][w] = (struct peer_line){commands[w], "-ERR unknown subcommand\r\n", 0, 0};
        peer_start(&peers[i], lines[i], WORDS);
        bulk(i, INFO, "redis_version:7.0.15\r\nredis_mode:cluster\r\nrole:master\r\n");
        bulk(i, STATE, OK_STATE);
    }
    place.seeds[0] = (struct rsp_seed){"127.0.0.1", peers[0].port};
    place.seeds[1] = (struct rsp_seed){"localhost", peers[1].port};
}

static void teardown(void)
{
    rsp_cluster_map_free(&env, map);
    for (int i = 0; i < PEERS; i++) peer_stop(&peers[i]);
}

static int look(void)
{
    rsp_cluster_map_free(&env, map);
    map = NULL;
    memset(&error, 0, sizeof error);
    return rsp_cluster_look(&env, &place, &options, &map);
}

static void nodes_of_two(int peer, const char *first, const char *second)
{
    bulk(peer, NODES,
         A " 127.0.0.1:%u@1 %smaster - 0 0 1 connected %s\n" B " 127.0.0.1:%u@1 %smaster - 0 0 2 connected %s\n" C
           " 10.0.0.3:3@1 slave " B " 0 0 2 connected\n",
         peers[0].port, peer ? "" : "myself,", first, peers[1].port, peer ? "myself," : "", second);
}

static void whole(void)
{
    for (int i = 0; i < PEERS; i++) nodes_of_two(i, "0-8191", "8192-16383");
}

/* ---- what is told ---- */

START_TEST(two_primaries)
{
    whole();
    ck_assert_msg(!look(), "%s", error.message);
    ck_assert_msg(map->ok, "%s", map->why);
    ck_assert_uint_eq(map->shards_n, 2);
    ck_assert_uint_eq(map->epoch, 7);
    ck_assert_uint_eq(map->nodes_text_n, strlen(map->nodes_text));
    ck_assert_int_eq(strncmp(map->nodes_text, A, 40), 0);
    ck_assert_uint_eq(map->shards[1].nodes[0].port, peers[1].port);
    ck_assert_uint_eq(map->shards[1].nodes_n, 2);
    ck_assert_uint_ge(peers[1].connections, 1); /* it was asked itself */
}
END_TEST

#define NODE(id, port, more) "*8\r\n$2\r\nid\r\n$40\r\n" id "\r\n$4\r\nport\r\n:" port "\r\n" more
#define SHARD(from, to, n) "*4\r\n$5\r\nslots\r\n*2\r\n:" from "\r\n:" to "\r\n$5\r\nnodes\r\n*" n "\r\n"

/* A hostname is preferred; none ("?"): the address; no endpoint at all: the host that was asked. */
START_TEST(endpoints)
{
    whole();
    raw(0, SHARDS,
        "*2\r\n" SHARD("0", "8191", "1") NODE(A, "%u", "$8\r\nendpoint\r\n$-1\r\n$6\r\nhealth\r\n$6\r\nonline\r\n")
            SHARD("8192", "16383", "3")
                NODE(B, "%u", "$8\r\nendpoint\r\n$1\r\n?\r\n$18\r\nreplication-offset\r\n:99\r\n")
                    NODE(C, "9", "$8\r\nendpoint\r\n$9\r\nc.example\r\n$6\r\nhealth\r\n$7\r\nloading\r\n")
                        NODE("dddddddddddddddddddddddddddddddddddddddd", "9",
                             "$8\r\nendpoint\r\n$1\r\nx\r\n$6\r\nhealth\r\n$6\r\nonline\r\n"),
        peers[0].port, peers[1].port);
    place.seeds[0].host = "localhost";
    place.endpoint.family = 4;
    ck_assert_msg(!look(), "%s", error.message);
    ck_assert_msg(map->ok, "%s", map->why);
    ck_assert_str_eq(map->shards[0].nodes[0].host, "localhost");
    ck_assert_str_eq(map->shards[1].nodes[0].host, "127.0.0.1");
    ck_assert_uint_eq(map->shards[1].nodes[0].offset, 99);
    ck_assert_str_eq(map->shards[1].nodes[1].host, "c.example");
    ck_assert_uint_eq(map->shards[1].nodes[1].port, 9);
    ck_assert_int_eq(map->shards[1].nodes[1].health, RSP_NODE_LOADING);
    ck_assert_uint_eq(map->shards[1].nodes_n, 2); /* the stranger is of the next look */
}
END_TEST

/* No NODES: a map, and no word on slots that are on their way. */
START_TEST(shards_alone)
{
    raw(0, NODES, "-NOPERM this user has no permissions to run the 'cluster|nodes' command\r\n");
    raw(0, SHARDS,
        "*1\r\n" SHARD("0", "16383", "2") NODE(A, "%u", "$4\r\nrole\r\n$6\r\nmaster\r\n$2\r\nip\r\n$9\r\n127.0.0.1\r\n")
            NODE(B, "9", "$4\r\nrole\r\n$7\r\nreplica\r\n$2\r\nip\r\n$8\r\n10.0.0.2\r\n"),
        peers[0].port);
    ck_assert_msg(!look(), "%s", error.message);
    ck_assert_uint_eq(map->shards_n, 1);
    ck_assert_uint_eq(map->shards[0].nodes_n, 2);
    ck_assert_str_eq(map->shards[0].nodes[1].host, "10.0.0.2");
    ck_assert(!map->ok && !map->uncovered && !map->nodes_text_n);
    ck_assert_ptr_nonnull(strstr(map->why, "+cluster|nodes"));
}
END_TEST

START_TEST(slots_alone)
{
    raw(0, SLOTS,
        "*2\r\n*4\r\n:0\r\n:99\r\n*3\r\n$0\r\n\r\n:%u\r\n$40\r\n" A "\r\n"
        "*4\r\n$1\r\n?\r\n:9\r\n$40\r\n" B "\r\n*2\r\n$2\r\nip\r\n$8\r\n10.0.0.2\r\n"
        "*3\r\n:101\r\n:16383\r\n*3\r\n$0\r\n\r\n:%u\r\n$40\r\n" A "\r\n",
        peers[0].port, peers[0].port);
    ck_assert_msg(!look(), "%s", error.message);
    ck_assert_uint_eq(map->shards_n, 1);
    ck_assert_uint_eq(map->uncovered, 1);
    ck_assert_str_eq(map->shards[0].nodes[0].host, "127.0.0.1");
    ck_assert_str_eq(map->shards[0].nodes[1].host, "10.0.0.2");
    ck_assert(!map->ok);
}
END_TEST

/* ---- what is odd ---- */

#define ROLE "$4\r\nrole\r\n$6\r\nmaster\r\n$2\r\nip\r\n$9\r\n127.0.0.1\r\n"
static const char *const odd_shards[] = {
    "+OK\r\n",
    ":5\r\n",
    "*1\r\n*0\r\n",
    "*1\r\n$1\r\nx\r\n",
    "*1\r\n*2\r\n$5\r\nslots\r\n*0\r\n",
    "*1\r\n*4\r\n$5\r\nslots\r\n:1\r\n$5\r\nnodes\r\n*0\r\n",
    "*1\r\n*4\r\n$5\r\nnodes\r\n*1\r\n*0\r\n$5\r\nslots\r\n*0\r\n",
    "*1\r\n*3\r\n$5\r\nslots\r\n*0\r\n$5\r\nnodes\r\n",
    "*1\r\n" SHARD("-1", "5", "1") NODE(A, "1", ROLE),
    "*1\r\n" SHARD("0", "16384", "1") NODE(A, "1", ROLE),
    "*1\r\n" SHARD("5", "4", "1") NODE(A, "1", ROLE),
    "*1\r\n" SHARD("9223372036854775807", "5", "1") NODE(A, "1", ROLE),
    "*1\r\n*4\r\n$5\r\nslots\r\n*1\r\n:0\r\n$5\r\nnodes\r\n*1\r\n" NODE(A, "1", ROLE),
    "*1\r\n*4\r\n$5\r\nslots\r\n*2\r\n$1\r\n0\r\n:1\r\n$5\r\nnodes\r\n*1\r\n" NODE(A, "1", ROLE),
    "*2\r\n" SHARD("0", "5", "1") NODE(A, "1", ROLE) SHARD("5", "6", "1") NODE(B, "1", ROLE),
    "*1\r\n" SHARD("0", "5", "2") NODE(A, "1", ROLE) NODE(A, "1", ROLE),
    "*1\r\n" SHARD("0", "5", "1") "*2\r\n$2\r\nid\r\n$3\r\nabc\r\n",
    "*1\r\n" SHARD("0", "5", "1") "*2\r\n$2\r\nid\r\n:5\r\n",
    "*1\r\n" SHARD("0", "5", "1") NODE(A, "1", "$8\r\nendpoint\r\n$4\r\na\nb\x1b\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"),
    "*1\r\n" SHARD("0", "5", "1") NODE(A, "1", "$8\r\nendpoint\r\n:5\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"),
    "*1\r\n" SHARD("0", "5", "1") NODE(A, "1", "$2\r\nip\r\n$3\r\na/b\r\n$4\r\nrole\r\n$6\r\nmaster\r\n"),
    "*0\r\n",
};

START_TEST(odd_shards_refused)
{
    raw(0, SHARDS, "%s", odd_shards[_i]);
    ck_assert_msg(look() == RSP_EFORMAT, "%s: %d", odd_shards[_i], error.code);
    for (const char *c = error.message; *c; c++) ck_assert_int_ge((unsigned char)*c, 0x20);
}
END_TEST

static const char *const odd_slots[] = {
    "+OK\r\n",
    "*1\r\n:1\r\n",
    "*1\r\n*0\r\n",
    "*1\r\n*1\r\n:0\r\n",
    "*1\r\n*3\r\n:-1\r\n:5\r\n*3\r\n$1\r\na\r\n:1\r\n$40\r\n" A "\r\n",
    "*1\r\n*3\r\n:0\r\n:16384\r\n*3\r\n$1\r\na\r\n:1\r\n$40\r\n" A "\r\n",
    "*1\r\n*3\r\n:7\r\n:5\r\n*3\r\n$1\r\na\r\n:1\r\n$40\r\n" A "\r\n",
    "*1\r\n*3\r\n:0\r\n:5\r\n*2\r\n$1\r\na\r\n:1\r\n",
    "*1\r\n*3\r\n:0\r\n:5\r\n*3\r\n$1\r\na\r\n:1\r\n$2\r\nid\r\n",
    "*1\r\n*3\r\n:0\r\n:5\r\n*3\r\n$2\r\na\n\r\n:1\r\n$40\r\n" A "\r\n",
    "*1\r\n*3\r\n:0\r\n:5\r\n*3\r\n*0\r\n:1\r\n$40\r\n" A "\r\n",
    "*1\r\n*3\r\n:0\r\n:5\r\n$1\r\na\r\n",
    "*2\r\n*3\r\n:0\r\n:5\r\n*3\r\n$1\r\na\r\n:1\r\n$40\r\n" A "\r\n*3\r\n:5\r\n:6\r\n*3\r\n$1\r\na\r\n:1\r\n$40\r\n" B
    "\r\n",
    "*0\r\n",
};

START_TEST(odd_slots_refused)
{
    raw(0, SLOTS, "%s", odd_slots[_i]);
    ck_assert_msg(look() == RSP_EFORMAT, "%s: %d", odd_slots[_i], error.code);
}
END_TEST

START_TEST(odd_nodes)
{
    raw(0, NODES, "*0\r\n");
    ck_assert_int_eq(look(), RSP_EFORMAT);
    bulk(0, NODES, "no node");
    ck_assert_int_eq(look(), RSP_EFORMAT);
    whole();
    raw(0, STATE, ":1\r\n");
    ck_assert_int_eq(look(), RSP_EFORMAT);
    bulk(0, STATE, "cluster_state:f\x1b[1mail\r\n");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
    ck_assert_ptr_null(strchr(map->why, '\x1b'));
}
END_TEST

START_TEST(refusals)
{
    ck_assert_int_eq(look(), RSP_EDENIED); /* nothing is known or allowed */
    ck_assert_ptr_nonnull(strstr(error.message, "+cluster|nodes"));
    raw(0, NODES, "-ERR This instance has cluster support disabled\r\n");
    ck_assert_int_eq(look(), RSP_EUNSUPPORTED);
    bulk(0, INFO, "redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\n");
    ck_assert_int_eq(look(), RSP_EUNSUPPORTED);
    bulk(0, INFO, "redis_version:7.0.15\r\nredis_mode:sentinel\r\n");
    ck_assert_int_eq(look(), RSP_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "sentinel://"));
    place.seeds_n = 0;
    ck_assert_int_eq(look(), RSP_EINVAL);
}
END_TEST

/* ---- who disagrees, and who comes round ---- */

START_TEST(another_map)
{
    whole();
    nodes_of_two(1, "0-8190", "8191-16383");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
    ck_assert_ptr_nonnull(strstr(map->why, "different maps"));
    ck_assert_uint_eq(map->owner[8191], 0); /* as the node says that was asked first */
}
END_TEST

START_TEST(another_node)
{
    whole();
    bulk(1, NODES, C " 127.0.0.1:1@1 myself,master - 0 0 1 connected 0-16383\n");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
    ck_assert_ptr_nonnull(strstr(map->why, "another node"));
}
END_TEST

START_TEST(comes_round)
{
    static char later[3000];
    whole();
    memcpy(later, rooms[1][NODES], sizeof later);
    nodes_of_two(1, "0-8190", "8191-16383");
    lines[1][NODES].times = 2;
    lines[1][WORDS] = (struct peer_line){"CLUSTER NODES", later, 0, 0};
    peers[1].n = WORDS + 1;
    options.patience_ms = 60000;
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert_msg(map->ok, "%s", map->why);
}
END_TEST

/* Its own moves are believed of each node, and of no other. */
START_TEST(moves)
{
    nodes_of_two(0, "0-8191 [5->-" B "]", "8192-16383 [9->-" A "]");
    nodes_of_two(1, "0-8191", "8192-16383 [5-<-" A "]");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(map->ok);
    ck_assert_uint_eq(map->moves_n, 2);
    ck_assert(map->moves[0].slot == 5 && !map->moves[0].importing && map->moves[0].shard == 0);
    ck_assert(map->moves[1].slot == 5 && map->moves[1].importing && map->moves[1].shard == 1);
}
END_TEST

/* Slots that go as a whole stand in a list of jobs. */
START_TEST(jobs)
{
    whole();
    bulk(1, INFO, "redis_version:7.2.4\r\nvalkey_version:9.0.1\r\nredis_mode:cluster\r\nrole:master\r\n");
    lines[1][WORDS].command = "CLUSTER GETSLOTMIGRATIONS";
    raw(1, WORDS,
        "*2\r\n*8\r\n$9\r\noperation\r\n$6\r\nIMPORT\r\n$11\r\nslot_ranges\r\n$7\r\n5-7 x 9\r\n$5\r\nstate\r\n$9\r\nimporting\r\n"
        "$11\r\nsource_node\r\n$40\r\n" A "\r\n"
        "*4\r\n$11\r\nslot_ranges\r\n$1\r\n8\r\n$5\r\nstate\r\n$7\r\nsuccess\r\n");
    peers[1].n = WORDS + 1;
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert_msg(map->ok, "%s", map->why);
    ck_assert_uint_eq(map->moves_n, 4);
    ck_assert(map->moves[0].slot == 5 && map->moves[2].slot == 7 && map->moves[3].slot == 9 && map->moves[0].importing);
    ck_assert_str_eq(map->moves[0].other, A);
    /* What cannot be understood, or not be asked for, is no sign that nothing moves. */
    raw(1, WORDS, "*1\r\n:7\r\n");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
    raw(1, WORDS, "-NOPERM this user has no permissions to run the 'cluster|getslotmigrations' command\r\n");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
    ck_assert_ptr_nonnull(strstr(map->why, "+cluster|getslotmigrations"));
    raw(1, WORDS, "-ERR unknown subcommand\r\n");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(map->ok);
}
END_TEST

START_TEST(dead_owner)
{
    bulk(0, NODES,
         A " 127.0.0.1:%u@1 myself,master - 0 0 1 connected 0-8191\n" B
           " 127.0.0.1:%u@1 master,fail - 0 0 2 disconnected 8192-16383\n",
         peers[0].port, peers[1].port);
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
    ck_assert_ptr_nonnull(strstr(map->why, "has failed"));
    ck_assert_uint_eq(peers[1].connections, 0);
    whole();
    lines[1][NODES].reply = NULL; /* it closes */
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
    ck_assert_ptr_nonnull(strstr(map->why, "does not tell its slots"));
    raw(1, NODES, "-LOADING Redis is loading the dataset in memory\r\n");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
}
END_TEST

/* The first seed does not answer, or knows no whole map: the second one does. */
START_TEST(second_seed)
{
    whole();
    place.seeds_n = 2;
    place.endpoint.family = 4;
    lines[0][NODES].times = 1;
    lines[0][WORDS] = (struct peer_line){"CLUSTER NODES", rooms[0][NODES], 0, 0};
    rooms[0][WORDS][0] = 0;
    snprintf(rooms[0][WORDS], sizeof rooms[0][WORDS], "-BUSY a script runs\r\n");
    lines[0][NODES].reply = rooms[0][WORDS];
    peers[0].n = WORDS + 1;
    ck_assert_msg(!look(), "%s", error.message);
    ck_assert_msg(map->ok, "%s", map->why);
    ck_assert_int_eq(strncmp(map->via, "localhost:", 10), 0);
}
END_TEST

START_TEST(patience_ends)
{
    raw(0, NODES, "-LOADING Redis is loading the dataset in memory\r\n");
    options.patience_ms = 1;
    ck_assert_int_eq(look(), RSP_EBUSY);
    whole();
    bulk(0, STATE, "cluster_state:fail\r\n");
    ck_assert_int_eq(look(), RSP_OK);
    ck_assert(!map->ok);
}
END_TEST

START_TEST(canceled)
{
    whole();
    cancel = 1;
    ck_assert_int_eq(look(), RSP_ECANCELED);
    ck_assert_int_eq(error.code, RSP_ECANCELED);
}
END_TEST

START_TEST(no_memory)
{
    int rc = RSP_ENOMEM;
    nodes_of_two(0, "0-8191 [5->-" B "]", "8192-16383");
    nodes_of_two(1, "0-8191", "8192-16383");
    raw(0, SHARDS,
        "*1\r\n" SHARD("0", "8191", "1") NODE(A, "%u", "$8\r\nendpoint\r\n$-1\r\n$6\r\nhealth\r\n$6\r\nonline\r\n"),
        peers[0].port);
    for (long nth = 0; rc; nth++) {
        ck_assert_int_lt((int)nth, 500);
        fail_nth = nth;
        rc = look();
        ck_assert_int_eq(rc == RSP_OK, map != NULL);
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (!rc && !map->ok) rc = 1; /* libcurl's own memory is not ours to fail: the map says so */
    }
    fail_nth = -1;
}
END_TEST

int main(void)
{
    Suite *s = suite_create("cluster_replies");
    TCase *t = tcase_create("cluster_replies");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, two_primaries);
    tcase_add_test(t, endpoints);
    tcase_add_test(t, shards_alone);
    tcase_add_test(t, slots_alone);
    tcase_add_loop_test(t, odd_shards_refused, 0, (int)(sizeof odd_shards / sizeof *odd_shards));
    tcase_add_loop_test(t, odd_slots_refused, 0, (int)(sizeof odd_slots / sizeof *odd_slots));
    tcase_add_test(t, odd_nodes);
    tcase_add_test(t, refusals);
    tcase_add_test(t, another_map);
    tcase_add_test(t, another_node);
    tcase_add_test(t, comes_round);
    tcase_add_test(t, moves);
    tcase_add_test(t, jobs);
    tcase_add_test(t, dead_owner);
    tcase_add_test(t, second_seed);
    tcase_add_test(t, patience_ends);
    tcase_add_test(t, canceled);
    tcase_add_test(t, no_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
