/* What this is: a cluster of three shards with a replica each, and a Sentinel, that are played: the map changes and captures
 *   break off when a test says so.
 * Rests on: libcheck, place.h; rsp_capture_*, rsp_server_*, rsp_cluster_look and rsp_sentinel_find are replaced by the linker.
 * Does not: open a connection. */
#ifndef TESTS_SHARDS_WORLD_H
#define TESTS_SHARDS_WORLD_H

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <respite/sys/live.h>

#include "unit/job/place.h"

#undef fail

#include "base/mem.h"

#define SHARDS 3
#define TRIES 12 /* captures of one shard that are told apart */

/* Nodes 0 to 2 own the slots at first; i + 3 is the replica of i. Node i listens on port 7000 + i. */
struct world {
    pthread_mutex_t lock;
    struct dump dump[SHARDS];
    unsigned primary[SHARDS];
    unsigned upto[SHARDS]; /* its last slot */
    unsigned epoch[SHARDS];
    int moving, uncovered; /* a slot; -1: none */
    unsigned looks, finds;
    void (*on_look)(unsigned look);
    /* of the shard's first capture, second ... */
    int open_status[SHARDS][TRIES], fault[SHARDS][TRIES], damaged[SHARDS][TRIES];
    int stall; /* captures give nothing until they are cancelled */
    unsigned opened[SHARDS], open_now, most_open;
    int behind[SHARDS][TRIES], other_history[SHARDS][TRIES];
    struct dump others; /* keys of any slots: what the first captures of that shard, so many of them, are; 0: none */
    unsigned strays_of, strays_times;
    uint32_t port[SHARDS][TRIES]; /* that was asked */
    int64_t taken_ms;
    int other_version; /* of the last shard */
};
static struct world world;
static volatile int world_cancel;

struct rsp_server {
    struct rsp_server_facts facts;
};

struct rsp_capture {
    struct rsp_capture_facts facts;
    struct rsp_server_facts server;
    struct rsp_server_settings settings;
    struct rsp_pair pairs[2];
    char place[64];
    struct rsp_source *source;
    volatile const int *cancel;
    const uint8_t *p;
    size_t at, n, fail_at, damage_at;
    int fault, damaged;
};

int __wrap_rsp_capture_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                            const struct rsp_capture_options *options, struct rsp_capture **ret);
const struct rsp_capture_facts *__wrap_rsp_capture_facts(const struct rsp_capture *capture);
struct rsp_source *__wrap_rsp_capture_source(struct rsp_capture *capture);
void __wrap_rsp_capture_progress(const struct rsp_capture *capture, uint64_t *received, uint64_t *spooled);
void __wrap_rsp_capture_free(struct rsp_capture *capture);
int __wrap_rsp_server_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                           const struct rsp_server_options *options, struct rsp_server **ret);
const struct rsp_server_facts *__wrap_rsp_server_facts(const struct rsp_server *server);
void __wrap_rsp_server_free(struct rsp_server *server);
int __wrap_rsp_cluster_look(const struct rsp_env *env, const struct rsp_place *place,
                            const struct rsp_server_options *options, struct rsp_cluster_map **ret);
int __wrap_rsp_sentinel_find(const struct rsp_env *env, const struct rsp_place *place,
                             const struct rsp_server_options *options, struct rsp_sentinel_found *found);

static void world_begin(void)
{
    memset(&world, 0, sizeof world);
    pthread_mutex_init(&world.lock, NULL);
    for (unsigned i = 0; i < SHARDS; i++) {
        dump_slots[0] = 5461 * i + 1000, dump_slots[1] = 5461 * i + 4000;
        dump_make(&world.dump[i], 40 + 10 * i, 300, 0);
        dump_slots[1] = 0;
        world.primary[i] = i;
        world.upto[i] = i == 2 ? 16383 : 5461 * (i + 1) - 1;
    }
    world.moving = world.uncovered = -1;
    world.taken_ms = 1000000;
    world_cancel = 0;
}

static void world_end(void)
{
    ck_assert_uint_eq(world.open_now, 0);
    for (unsigned i = 0; i < SHARDS; i++) dump_free(&world.dump[i]);
    dump_free(&world.others);
    pthread_mutex_destroy(&world.lock);
}

/* ---- the map ---- */

static size_t node_line(char *out, size_t size, unsigned node)
{
    char slots[96] = "";
    unsigned shard = node % 3, primary = world.primary[shard] == node, n = 0;
    unsigned from = shard ? world.upto[shard - 1] + 1 : 0, to = world.upto[shard];
    if (primary && world.uncovered >= (int)from && world.uncovered <= (int)to)
        n = (unsigned)snprintf(slots, sizeof slots, " %u-%d %d-%u", from, world.uncovered - 1, world.uncovered + 1, to);
    else if (primary) n = (unsigned)snprintf(slots, sizeof slots, " %u-%u", from, to);
    if (primary && world.moving >= (int)from && world.moving <= (int)to)
        snprintf(slots + n, sizeof slots - n, " [%d->-%039d%u]", world.moving, 0, (shard + 1) % 3);
    if (primary)
        return (size_t)snprintf(out, size, "%039d%u 127.0.0.1:%u@%u %smaster - 0 0 %u connected%s\n", 0, node,
                                7000 + node, 17000 + node, world.moving >= 0 && slots[n] ? "myself," : "",
                                world.epoch[shard] + node + 1, slots);
    return (size_t)snprintf(out, size, "%039d%u 127.0.0.1:%u@%u slave %039d%u 0 0 %u connected\n", 0, node, 7000 + node,
                            17000 + node, 0, world.primary[shard], node + 1);
}

int __wrap_rsp_cluster_look(const struct rsp_env *env, const struct rsp_place *place,
                            const struct rsp_server_options *options, struct rsp_cluster_map **ret)
{
    char text[4096];
    struct rsp_span span = {(const uint8_t *)text, 0};
    int rc;
    ck_assert_int_eq(place->kind, RSP_PLACE_CLUSTER);
    ck_assert_uint_ge(place->seeds_n, 1);
    ck_assert(options->cancel != NULL);
    pthread_mutex_lock(&world.lock);
    world.looks++;
    if (world.on_look) world.on_look(world.looks);
    for (unsigned i = 0; i < 2 * SHARDS; i++) span.n += node_line(text + span.n, sizeof text - span.n, i);
    pthread_mutex_unlock(&world.lock);
    rc = rsp_cluster_parse(env, span, "redis://127.0.0.1:7000", ret);
    if (rc) return rc;
    ck_assert_uint_eq((*ret)->uncovered, world.uncovered >= 0);
    (*ret)->nodes_text = mem_strdup(env, text);
    (*ret)->nodes_text_n = (*ret)->nodes_text ? span.n : 0;
    if (!(*ret)->nodes_text) {
        rsp_cluster_map_free(env, *ret);
        *ret = NULL;
        return RSP_ENOMEM;
    }
    return rc;
}

int __wrap_rsp_sentinel_find(const struct rsp_env *env, const struct rsp_place *place,
                             const struct rsp_server_options *options, struct rsp_sentinel_found *found)
{
    (void)env;
    ck_assert_str_eq(place->master, "mine");
    ck_assert(options->cancel != NULL);
    snprintf(found->host, sizeof found->host, "127.0.0.1");
    snprintf(found->via, sizeof found->via, "sentinel://s:26379");
    found->port = 7000 + 3 * world.finds++;
    return RSP_OK;
}

/* The primary, which is asked how far it is. */
int __wrap_rsp_server_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                           const struct rsp_server_options *options, struct rsp_server **ret)
{
    struct rsp_server *s = calloc(1, sizeof *s);
    (void)env;
    ck_assert(s && options->cancel != NULL);
    s->facts.role = RSP_SERVER_MASTER;
    s->facts.offset = 100;
    snprintf(s->facts.replid, sizeof s->facts.replid, "cafe%u", (endpoint->port - 7000) % 3);
    *ret = s;
    return RSP_OK;
}

const struct rsp_server_facts *__wrap_rsp_server_facts(const struct rsp_server *server)
{
    return &server->facts;
}

void __wrap_rsp_server_free(struct rsp_server *server)
{
    free(server);
}

/* ---- captures ---- */

static int play(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct rsp_capture *c = opaque;
    size_t n = c->n - c->at;
    if (__atomic_load_n(c->cancel, __ATOMIC_RELAXED)) return RSP_ECANCELED;
    if (world.stall) {
        const struct timespec t = {0, 2000000};
        __atomic_store_n(&world_cancel, world.stall == 1, __ATOMIC_RELAXED);
        nanosleep(&t, NULL);
        *got = 0;
        return RSP_AGAIN;
    }
    if (c->fault && c->at >= c->fail_at) return c->fault;
    if (!n) return RSP_END;
    if (n > cap) n = cap;
    if (n > 1000) n = 1000;
    memcpy(out, c->p + c->at, n);
    if (c->damaged && c->at <= c->damage_at && c->damage_at < c->at + n) out[c->damage_at - c->at] ^= 1;
    c->at += n;
    *got = n;
    return RSP_OK;
}

static void facts_of(struct rsp_capture *c, unsigned shard, unsigned i, uint32_t port)
{
    struct rsp_capture_facts *f = &c->facts;
    unsigned other = world.other_version && shard == 2;
    snprintf(c->place, sizeof c->place, "redis://127.0.0.1:%u", port);
    snprintf(c->server.kind, sizeof c->server.kind, other ? "valkey" : "redis");
    snprintf(c->server.version, sizeof c->server.version, other ? "9.1.0" : "8.0.1");
    snprintf(c->server.run_id, sizeof c->server.run_id, "run%u", shard);
    c->server.role = shard ? RSP_SERVER_REPLICA : RSP_SERVER_MASTER;
    c->pairs[0] = (struct rsp_pair){{(const uint8_t *)"info", 4}, {(const uint8_t *)"text", 4}};
    c->pairs[1] = (struct rsp_pair){{(const uint8_t *)"config", 6}, {(const uint8_t *)"save", 4}};
    c->settings.pairs = c->pairs;
    c->settings.pairs_n = 2;
    f->size = sizeof *f;
    f->server = &c->server;
    f->place = c->place;
    f->why = "the server itself";
    f->method = "psync, rdb-only";
    f->settings = &c->settings;
    snprintf(f->replid, sizeof f->replid, "%s%u", world.other_history[shard][i] ? "beef" : "cafe", shard);
    f->offset = world.behind[shard][i] ? 99 : 100 + shard;
    f->has_offset = f->point_in_time = 1;
    f->taken_ms = world.taken_ms += 10;
}

int __wrap_rsp_capture_open(const struct rsp_env *env, const struct rsp_endpoint *endpoint,
                            const struct rsp_capture_options *options, struct rsp_capture **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, play, NULL};
    unsigned shard = (endpoint->port - 7000) % 3, i;
    struct rsp_capture *c = NULL;
    int rc;
    *ret = NULL;
    ck_assert(options->cancel != NULL);
    pthread_mutex_lock(&world.lock);
    i = world.opened[shard]++;
    ck_assert_uint_lt(i, TRIES);
    world.port[shard][i] = endpoint->port;
    rc = world.open_status[shard][i];
    if (!rc) {
        c = calloc(1, sizeof *c);
        ck_assert_ptr_nonnull(c);
        facts_of(c, shard, i, endpoint->port);
        c->cancel = options->cancel;
        c->p = world.dump[shard].p;
        c->n = world.dump[shard].n;
        if (i < world.strays_times && shard == world.strays_of) c->p = world.others.p, c->n = world.others.n;
        c->fault = world.fault[shard][i];
        c->fail_at = c->n / 2;
        c->damaged = world.damaged[shard][i];
        c->damage_at = c->n - 1; /* of the checksum */
        if (++world.open_now > world.most_open) world.most_open = world.open_now;
    }
    pthread_mutex_unlock(&world.lock);
    if (rc) return rc;
    rc = rsp_source_custom(env, &ops, c, "played", &c->source);
    if (rc) {
        __wrap_rsp_capture_free(c);
        return rc;
    }
    *ret = c;
    return RSP_OK;
}

const struct rsp_capture_facts *__wrap_rsp_capture_facts(const struct rsp_capture *capture)
{
    return &capture->facts;
}

struct rsp_source *__wrap_rsp_capture_source(struct rsp_capture *capture)
{
    return capture->source;
}

void __wrap_rsp_capture_progress(const struct rsp_capture *capture, uint64_t *received, uint64_t *spooled)
{
    *received = capture->at;
    *spooled = 7;
}

void __wrap_rsp_capture_free(struct rsp_capture *capture)
{
    if (!capture) return;
    rsp_source_free(capture->source);
    free(capture);
    pthread_mutex_lock(&world.lock);
    world.open_now--;
    pthread_mutex_unlock(&world.lock);
}

#endif
