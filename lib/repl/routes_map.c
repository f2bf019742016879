/* What this is: where the primaries are: opened at the beginning, looked for again when they have changed.
 * Rests on: routes.h.
 * Does not: put commands. */
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "repl/routes.h"

#define SEEDS_OWN 8 /* of what the user named, at most, beside what was seen */

int64_t routes_now(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t)) return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- nodes ---- */

int routes_find(const struct routes *r, const char *host, uint32_t port)
{
    for (size_t i = r->nodes_n; i > 0; i--) { /* a later one with that address has replaced the earlier */
        const struct routes_node *x = r->nodes[i - 1];
        if (!x->lost && x->port == port && !strcmp(x->host, host)) return (int)(i - 1);
    }
    return -1;
}

int routes_add(struct routes *r, const char *id, const char *host, uint32_t port, size_t *index)
{
    struct routes_node **nodes, *x;
    int there = routes_find(r, host, port);
    if (there >= 0) {
        *index = (size_t)there;
        if (!r->nodes[there]->id[0]) snprintf(r->nodes[there]->id, sizeof r->nodes[there]->id, "%s", id);
        return RSP_OK;
    }
    if (r->nodes_n >= RSP_SLOTS) return fail(&r->env, RSP_ELIMIT, NULL, "the cluster's nodes have changed too often");
    x = mem_zero(&r->env, sizeof *x);
    if (!x) return RSP_ENOMEM;
    nodes = mem_resize(&r->env, r->nodes, r->nodes_n * sizeof *nodes, (r->nodes_n + 1) * sizeof *nodes);
    if (!nodes) {
        mem_free(&r->env, x, sizeof *x);
        return RSP_ENOMEM;
    }
    r->nodes = nodes;
    x->routes = r;
    x->port = port;
    x->ask_at = -1;
    snprintf(x->id, sizeof x->id, "%s", id);
    snprintf(x->host, sizeof x->host, "%s", host);
    nodes[r->nodes_n] = x;
    *index = r->nodes_n++;
    return RSP_OK;
}

static int open_at(struct routes_node *x, const struct rsp_endpoint *endpoint)
{
    struct routes *r = x->routes;
    struct rsp_server_options so = {.size = sizeof so, .cancel = r->cancel, .patience_ms = r->patience_ms};
    int rc = rsp_server_open(&r->env, endpoint, &so, &x->server);
    if (rc) return rc;
    snprintf(x->run_id, sizeof x->run_id, "%s", rsp_server_facts(x->server)->run_id);
    return r->started ? routes_pipe(x) : RSP_OK;
}

int routes_connect(struct routes_node *x)
{
    struct rsp_cluster_node node;
    struct rsp_endpoint endpoint;
    if (x->server) return RSP_OK;
    memset(&node, 0, sizeof node);
    memset(&endpoint, 0, sizeof endpoint);
    snprintf(node.host, sizeof node.host, "%s", x->host);
    node.port = x->port;
    rsp_cluster_endpoint(x->routes->place, &node, &endpoint);
    endpoint.host = x->host; /* which lives as long as the server */
    return open_at(x, &endpoint);
}

void routes_close(struct routes_node *x)
{
    if (x->pipe) x->routes->sent += pipe_sent_bytes(x->pipe);
    pipe_free(x->pipe);
    rsp_server_free(x->server);
    x->pipe = NULL;
    x->server = NULL;
    x->used = 0;
}

/* ---- the map ---- */

static void add_seed(struct routes *r, const char *host, uint32_t port)
{
    struct rsp_place *k = &r->known;
    size_t n = k->seeds_n;
    if (n == RSP_SEEDS_MAX || !*host) return;
    for (size_t i = 0; i < n; i++)
        if (k->seeds[i].port == port && !strcmp(k->seeds[i].host, host)) return;
    snprintf(r->hosts[n], sizeof r->hosts[n], "%s", host);
    k->seeds[n] = (struct rsp_seed){r->hosts[n], port};
    k->seeds_n++;
}

/* Whoever was named may be the one that died. */
static void learn_seeds(struct routes *r, const struct rsp_cluster_map *map)
{
    r->known = *r->place;
    r->known.seeds_n = 0;
    for (size_t s = 0; s < map->shards_n && r->known.seeds_n < RSP_SEEDS_MAX - SEEDS_OWN; s++)
        if (map->shards[s].nodes_n) add_seed(r, map->shards[s].nodes[0].host, map->shards[s].nodes[0].port);
    for (size_t i = 0; i < r->place->seeds_n && i < SEEDS_OWN; i++)
        add_seed(r, r->place->seeds[i].host ? r->place->seeds[i].host : "127.0.0.1",
                 r->place->seeds[i].port ? r->place->seeds[i].port : 6379);
    for (size_t s = 0; s < map->shards_n; s++)
        for (size_t i = 1; i < map->shards[s].nodes_n; i++)
            add_seed(r, map->shards[s].nodes[i].host, map->shards[s].nodes[i].port);
}

static int busy(struct routes *r, const char *what)
{
    char place[320];
    int rc;
    rsp_place_text(r->place, place, sizeof place);
    rc = fail(&r->env, RSP_EBUSY, place, "%s", what);
    if (r->env.error->code == rc) r->env.error->retryable = 1;
    return rc;
}

static int needed(const struct routes *r, unsigned slot)
{
    return r->need && r->need[slot / 8] >> slot % 8 & 1;
}

static int unowned(struct routes *r, unsigned slot, uint32_t uncovered)
{
    char words[160];
    snprintf(words, sizeof words, "slot %u has no owner (%u slots have none), and keys of it are to be written", slot,
             (unsigned)uncovered);
    return busy(r, words);
}

static int well(struct routes *r, const struct rsp_cluster_map *map)
{
    char words[300];
    if (!map->ok) {
        snprintf(words, sizeof words, "the cluster is not well: %s",
                 map->why[0] ? map->why : "cluster_state is not ok");
        return busy(r, words);
    }
    if (!map->shards_n) return busy(r, "no node of the cluster owns slots");
    for (unsigned s = 0; s < RSP_SLOTS && map->uncovered; s++)
        if (map->owner[s] == RSP_NO_SHARD && needed(r, s)) return unowned(r, s, map->uncovered);
    return RSP_OK;
}

int routes_need(struct routes *r, const uint8_t *slots)
{
    r->need = slots;
    if (!r->cluster || !r->map) return RSP_OK;
    return well(r, r->map);
}

/* It was a copy before: whatever its primary had not handed over is lost. */
static int was_replica(const struct rsp_cluster_map *map, const struct routes_node *x)
{
    for (size_t s = 0; map && s < map->shards_n; s++)
        for (size_t i = 1; i < map->shards[s].nodes_n; i++) {
            const struct rsp_cluster_node *n = &map->shards[s].nodes[i];
            if (x->id[0] ? !strcmp(n->id, x->id) : n->port == x->port && !strcmp(n->host, x->host)) return 1;
        }
    return 0;
}

static int replaced(const struct routes *r, size_t old, size_t now)
{
    const struct routes_node *a = r->nodes[old], *b = r->nodes[now];
    if (old == now) return 0;
    if (a->lost) return !a->run_id[0] || strcmp(a->run_id, b->run_id) != 0;
    return was_replica(r->map, b);
}

static int open_shard(struct routes *r, const struct rsp_cluster_shard *shard, size_t *index)
{
    const struct rsp_cluster_node *n = &shard->nodes[0];
    struct routes_node *x;
    int rc;
    if (!shard->nodes_n) return busy(r, "a shard has no primary");
    rc = routes_add(r, n->id, n->host, n->port, index);
    if (rc) return rc;
    x = r->nodes[*index];
    rc = routes_connect(x);
    if (rc) return rc;
    if (rsp_server_facts(x->server)->role == RSP_SERVER_REPLICA && rsp_server_refresh(x->server))
        return busy(r, "a primary does not answer");
    return RSP_OK;
}

static int take_map(struct routes *r, struct rsp_cluster_map *map)
{
    size_t *index = mem_zero(&r->env, map->shards_n * sizeof *index);
    int rc = index ? RSP_OK : RSP_ENOMEM;
    for (size_t s = 0; s < map->shards_n && !rc; s++) rc = open_shard(r, &map->shards[s], &index[s]);
    if (!rc)
        for (size_t i = 0; i < r->nodes_n; i++) r->nodes[i]->used = 0;
    for (unsigned s = 0; s < RSP_SLOTS && !rc; s++) {
        uint16_t was = r->owner[s], shard = map->owner[s];
        r->owner[s] = shard < map->shards_n ? (uint16_t)index[shard] : RSP_NO_SHARD;
        if (r->owner[s] == RSP_NO_SHARD) continue;
        r->nodes[r->owner[s]]->used = 1;
        if (was == RSP_NO_SHARD || !replaced(r, was, r->owner[s])) continue;
        routes_mark_again(r, s);
        r->replaced[s / 8] |= (uint8_t)(1u << s % 8);
    }
    if (index) mem_free(&r->env, index, map->shards_n * sizeof *index);
    if (rc) return rc;
    learn_seeds(r, map);
    rsp_cluster_map_free(&r->env, r->map);
    r->map = map;
    return RSP_OK;
}

/* What may be another in a moment. */
static int may_pass(int rc)
{
    return rc == RSP_EBUSY || rc == RSP_ENET || rc == RSP_ETIMEOUT;
}

int routes_look(struct routes *r, int64_t until_ms)
{
    for (unsigned n = 1;; n++) {
        struct rsp_server_options so = {.size = sizeof so, .cancel = r->cancel};
        struct rsp_cluster_map *map = NULL;
        struct rsp_env env = r->env;
        int64_t left = until_ms - routes_now();
        int rc;
        so.patience_ms = left > 1000 ? 1000 : left > 0 ? left : 0;
        if (n == 1 && !r->map) so.patience_ms = r->patience_ms;
        else env.log = NULL; /* it is said here, once */
        rc = rsp_cluster_look(&env, &r->known, &so, &map);
        if (!rc) rc = well(r, map);
        if (!rc) rc = take_map(r, map);
        if (!rc) return RSP_OK;
        rsp_cluster_map_free(&r->env, map);
        if (!may_pass(rc) || routes_now() >= until_ms) return rc;
        log_line(&r->env, n > 1 ? RSP_LOG_INFO : RSP_LOG_WARN, "waiting for the cluster: %s", r->env.error->message);
        rsp_error_clear(r->env.error);
        rc = server_pause(&r->env, r->cancel, n);
        if (rc) return rc;
    }
}

/* ---- opening ---- */

static int open_one(struct routes *r)
{
    struct rsp_endpoint endpoint = r->place->endpoint;
    struct rsp_sentinel_found found;
    size_t i = 0;
    int rc = routes_add(r, "", "", 0, &i);
    if (!rc && r->place->kind == RSP_PLACE_SENTINEL) {
        struct rsp_server_options so = {.size = sizeof so, .cancel = r->cancel, .patience_ms = r->patience_ms};
        memset(&found, 0, sizeof found);
        found.size = sizeof found;
        rc = rsp_sentinel_find(&r->env, r->place, &so, &found);
        if (rc) return rc;
        snprintf(r->nodes[i]->host, sizeof r->nodes[i]->host, "%s", found.host);
        endpoint.host = r->nodes[i]->host;
        endpoint.port = r->nodes[i]->port = found.port;
        endpoint.socket = NULL;
    }
    if (rc) return rc;
    rc = open_at(r->nodes[i], &endpoint);
    r->nodes[i]->used = !rc;
    memset(r->owner, 0, sizeof r->owner);
    return rc;
}

int routes_open(const struct rsp_env *env, const struct rsp_place *place, volatile const int *cancel,
                int64_t patience_ms, struct routes **ret)
{
    struct rsp_env full;
    struct routes *r;
    int rc;
    *ret = NULL;
    env_init(&full, env);
    r = mem_zero(&full, sizeof *r);
    if (!r) return RSP_ENOMEM;
    r->env = full;
    if (!r->env.error) r->env.error = &r->spare;
    r->place = place;
    r->known = *place;
    r->cancel = cancel;
    r->patience_ms = patience_ms;
    r->cluster = place->kind == RSP_PLACE_CLUSTER;
    memset(r->owner, 255, sizeof r->owner);
    buf_init(&r->redo, &r->env), buf_init(&r->bytes, &r->env);
    buf_init(&r->scratch, &r->env), buf_init(&r->polls, &r->env);
    rc = r->cluster ? routes_look(r, 0) : open_one(r);
    if (rc) {
        routes_free(r);
        return rc;
    }
    *ret = r;
    return RSP_OK;
}

void routes_free(struct routes *r)
{
    struct rsp_env env;
    if (!r) return;
    env = r->env;
    for (size_t i = 0; i < r->nodes_n; i++) {
        routes_close(r->nodes[i]);
        mem_free(&env, r->nodes[i], sizeof *r->nodes[i]);
    }
    mem_free(&env, r->nodes, r->nodes_n * sizeof *r->nodes);
    rsp_cluster_map_free(&env, r->map);
    buf_free(&r->redo), buf_free(&r->bytes), buf_free(&r->scratch), buf_free(&r->polls);
    mem_free(&env, r, sizeof *r);
}

size_t routes_n(const struct routes *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->nodes_n; i++) n += r->nodes[i]->used != 0;
    return n;
}

struct routes_node *routes_node(const struct routes *r, size_t i)
{
    for (size_t k = 0; k < r->nodes_n; k++)
        if (r->nodes[k]->used && !i--) return r->nodes[k];
    return NULL;
}

struct rsp_server *routes_server(const struct routes *r, size_t i)
{
    struct routes_node *x = routes_node(r, i);
    return x ? x->server : NULL;
}
