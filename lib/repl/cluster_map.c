/* What this is: the map that a view makes: shards by their first slot, and who owns which.
 * Rests on: cluster.h.
 * Does not: parse, ask. */
#include <stdio.h>

#include "base/mem.h"
#include "repl/cluster.h"
#include "repl/topology.h"

/* ---- nodes ---- */

static void copy_node(const struct cluster_view *v, const struct cluster_node *from, int tls,
                      struct rsp_cluster_node *to)
{
    const char *host = from->host[0] ? from->host : from->ip[0] ? from->ip : from->hostname;
    memset(to, 0, sizeof *to);
    memcpy(to->id, from->id, sizeof to->id);
    if (!*host && v->host) host = v->host;
    snprintf(to->host, sizeof to->host, "%s", host);
    to->port = tls && from->tls_port ? from->tls_port : from->port;
    to->primary = from->primary;
    to->health = from->addressed ? from->health : RSP_NODE_FAILED;
    to->linked = from->linked;
    to->offset = from->offset;
    to->epoch = from->epoch;
}

/* ---- shards ---- */

struct making {
    const struct cluster_view *v;
    struct rsp_cluster_map *map;
    uint16_t *shard_of; /* by node; RSP_NO_SHARD */
    int tls;
};

/* Owners become shards in the order of their first slots. */
static void number_shards(struct making *m)
{
    struct rsp_cluster_map *map = m->map;
    for (size_t i = 0; i < cluster_view_n(m->v); i++) m->shard_of[i] = RSP_NO_SHARD;
    for (size_t i = 0; i < RSP_SLOTS; i++) {
        uint16_t owner = m->v->owner[i];
        map->owner[i] = RSP_NO_SHARD;
        if (owner == RSP_NO_SHARD || !m->shard_of) {
            map->uncovered++;
            continue;
        }
        if (m->shard_of[owner] == RSP_NO_SHARD) m->shard_of[owner] = (uint16_t)map->shards_n++;
        map->owner[i] = m->shard_of[owner];
    }
}

static int begins_range(const struct rsp_cluster_map *map, size_t slot)
{
    return map->owner[slot] != RSP_NO_SHARD && (!slot || map->owner[slot - 1] != map->owner[slot]);
}

static int make_ranges(struct making *m)
{
    struct rsp_cluster_map *map = m->map;
    for (size_t i = 0; i < RSP_SLOTS; i++)
        if (begins_range(map, i)) map->shards[map->owner[i]].ranges_n++;
    for (size_t i = 0; i < map->shards_n; i++) {
        struct rsp_cluster_shard *s = &map->shards[i];
        s->ranges = mem_zero(&m->v->env, s->ranges_n * sizeof *s->ranges);
        if (!s->ranges) return RSP_ENOMEM;
        s->slots = 0;
    }
    for (size_t i = 0; i < map->shards_n; i++) map->shards[i].ranges_n = 0;
    for (size_t i = 0; i < RSP_SLOTS; i++) {
        struct rsp_cluster_shard *s;
        if (map->owner[i] == RSP_NO_SHARD) continue;
        s = &map->shards[map->owner[i]];
        if (begins_range(map, i)) s->ranges[s->ranges_n++].from = (uint16_t)i;
        s->ranges[s->ranges_n - 1].to = (uint16_t)i;
        s->slots++;
    }
    return RSP_OK;
}

/* The shard of a node: its own, or that of the primary that it follows. */
static uint16_t shard_of(const struct making *m, size_t i)
{
    const struct cluster_node *node = cluster_view_node(m->v, i), *master;
    if (m->shard_of[i] != RSP_NO_SHARD || !node->master[0]) return m->shard_of[i];
    master = cluster_find(m->v, node->master);
    return master ? m->shard_of[master - cluster_view_node(m->v, 0)] : RSP_NO_SHARD;
}

static int make_nodes(struct making *m)
{
    struct rsp_cluster_map *map = m->map;
    size_t n = cluster_view_n(m->v);
    for (size_t i = 0; i < n; i++) {
        uint16_t shard = shard_of(m, i);
        if (shard != RSP_NO_SHARD) map->shards[shard].nodes_n++;
    }
    for (size_t i = 0; i < map->shards_n; i++) {
        struct rsp_cluster_shard *s = &map->shards[i];
        s->nodes = mem_zero(&m->v->env, s->nodes_n * sizeof *s->nodes);
        if (!s->nodes) return RSP_ENOMEM;
    }
    for (size_t i = 0; i < map->shards_n; i++) map->shards[i].nodes_n = 1; /* the first place is the owner's */
    for (size_t i = 0; i < n; i++) {
        uint16_t shard = shard_of(m, i);
        struct rsp_cluster_shard *s;
        if (shard == RSP_NO_SHARD) continue;
        s = &map->shards[shard];
        copy_node(m->v, cluster_view_node(m->v, i), m->tls,
                  m->shard_of[i] != RSP_NO_SHARD ? &s->nodes[0] : &s->nodes[s->nodes_n++]);
    }
    return RSP_OK;
}

static int make_moves(struct making *m)
{
    const struct cluster_move *from = (const struct cluster_move *)(void *)m->v->moves.p;
    struct rsp_cluster_map *map = m->map;
    size_t n = m->v->moves.n / sizeof *from;
    if (!n) return RSP_OK;
    map->moves = mem_zero(&m->v->env, n * sizeof *map->moves);
    if (!map->moves) return RSP_ENOMEM;
    map->moves_n = n;
    for (size_t i = 0; i < n; i++) {
        map->moves[i].slot = from[i].slot;
        map->moves[i].shard = shard_of(m, from[i].node);
        map->moves[i].importing = from[i].importing;
        memcpy(map->moves[i].other, from[i].other, sizeof from[i].other);
    }
    return RSP_OK;
}

static int make(struct making *m)
{
    struct rsp_cluster_map *map = m->map;
    int rc;
    number_shards(m);
    if (map->shards_n) {
        size_t n = map->shards_n;
        map->shards = mem_zero(&m->v->env, n * sizeof *map->shards);
        if (!map->shards) {
            map->shards_n = 0;
            return RSP_ENOMEM;
        }
    }
    rc = make_ranges(m);
    if (!rc) rc = make_nodes(m);
    if (!rc) rc = make_moves(m);
    map->epoch = m->v->epoch;
    return rc;
}

int cluster_map_make(const struct rsp_env *env, const struct cluster_view *v, int tls, struct rsp_cluster_map **ret)
{
    struct rsp_env e;
    struct making m = {v, NULL, NULL, tls};
    size_t n = cluster_view_n(v);
    int rc = RSP_ENOMEM;
    env_init(&e, env);
    *ret = NULL;
    m.map = mem_zero(&e, sizeof *m.map);
    m.shard_of = m.map && n ? mem_alloc(&e, n * sizeof *m.shard_of) : NULL;
    if (m.map && (m.shard_of || !n)) rc = make(&m);
    mem_free(&e, m.shard_of, n * sizeof *m.shard_of);
    if (rc) rsp_cluster_map_free(&e, m.map);
    else *ret = m.map;
    return rc;
}

void rsp_cluster_map_free(const struct rsp_env *env, struct rsp_cluster_map *map)
{
    struct rsp_env e;
    if (!map) return;
    env_init(&e, env);
    for (size_t i = 0; i < map->shards_n; i++) {
        /* A half-made map has counts without rooms, and never the other way round. */
        if (map->shards[i].nodes)
            mem_free(&e, map->shards[i].nodes, map->shards[i].nodes_n * sizeof *map->shards->nodes);
        if (map->shards[i].ranges)
            mem_free(&e, map->shards[i].ranges, map->shards[i].ranges_n * sizeof *map->shards->ranges);
    }
    mem_free(&e, map->shards, map->shards_n * sizeof *map->shards);
    mem_free(&e, map->moves, map->moves_n * sizeof *map->moves);
    mem_free(&e, map->nodes_text, map->nodes_text ? map->nodes_text_n + 1 : 0);
    mem_free(&e, map, sizeof *map);
}

int rsp_cluster_same(const struct rsp_cluster_map *a, const struct rsp_cluster_map *b)
{
    if (a->moves_n || b->moves_n || a->shards_n != b->shards_n) return 0;
    if (memcmp(a->owner, b->owner, sizeof a->owner) != 0) return 0;
    for (size_t i = 0; i < a->shards_n; i++) /* numbered by their first slots in both */
        if (strcmp(a->shards[i].nodes[0].id, b->shards[i].nodes[0].id) != 0) return 0;
    return 1;
}

void rsp_cluster_endpoint(const struct rsp_place *place, const struct rsp_cluster_node *node,
                          struct rsp_endpoint *endpoint)
{
    *endpoint = place->endpoint;
    endpoint->size = sizeof *endpoint;
    endpoint->host = node->host;
    endpoint->port = node->port;
    endpoint->socket = NULL;
    endpoint->db = 0;
}
