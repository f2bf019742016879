/* What this is: backupd check of a place that has to be looked for: which sentinels answer, what they name, their quorum.
 * Rests on: check.h, respite/sys/topology.h.
 * Does not: capture; look at the servers that are found (check_server.c, check_cluster.c). */
#include <stdlib.h>
#include <string.h>

#include "backupd/check.h"
#include "cli/exit.h"
#include "cli/signal.h"

/* ---- looking ---- */

/* What is there, and cannot be used now, is a finding; what is not there ends the run, as of a server. */
static int not_found(struct check *k, int rc)
{
    struct context *c = k->c;
    char place[320];
    int code;
    if (rc == RSP_EBUSY && !signal_caught()) {
        if (c->error.code) rsp_error_format(&c->error, k->why_not, sizeof k->why_not);
        else snprintf(k->why_not, sizeof k->why_not, "%s", rsp_status_text(rc));
        rsp_error_clear(&c->error);
        return -1;
    }
    rsp_place_text(&k->connection.place, place, sizeof place);
    code = context_fault(c, rc, place, EXIT_SOURCE);
    return signal_caught() ? code : connection_exit(rc, EXIT_SOURCE);
}

/* The master becomes the server that is looked at. */
static int open_master(struct check *k, const struct rsp_server_options *options)
{
    struct rsp_endpoint *e = &k->connection.place.endpoint;
    int rc;
    k->found.size = sizeof k->found;
    rc = rsp_sentinel_find(&k->c->env, &k->connection.place, options, &k->found);
    if (rc) {
        k->found.host[0] = 0;
        return not_found(k, rc);
    }
    e->host = k->found.host;
    e->port = k->found.port;
    rc = rsp_server_open(&k->c->env, e, options, &k->server);
    return rc ? not_found(k, rc) : -1;
}

static int look_at_cluster(struct check *k, const struct rsp_server_options *options)
{
    int rc = rsp_cluster_look(&k->c->env, &k->connection.place, options, &k->map);
    if (rc) return not_found(k, rc);
    k->shards = calloc(k->map->shards_n ? k->map->shards_n : 1, sizeof *k->shards);
    return k->shards ? -1 : context_fault(k->c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
}

int check_place_open(struct check *k, const struct rsp_server_options *options)
{
    return k->connection.place.kind == RSP_PLACE_SENTINEL ? open_master(k, options) : look_at_cluster(k, options);
}

void check_place_close(struct check *k)
{
    rsp_cluster_map_free(&k->c->env, k->map);
    k->map = NULL;
    free(k->shards);
    k->shards = NULL;
}

/* ---- sentinels ---- */

static void say_rules(struct check *k, const struct rsp_seed *seed)
{
    const struct rsp_place *place = &k->connection.place;
    struct rsp_server_options options = {.size = sizeof options, .cancel = signal_flag()};
    struct rsp_endpoint e = place->endpoint;
    struct rsp_server *data = k->server, *sentinel = NULL;
    char node[300];
    e.host = seed->host;
    e.port = seed->port;
    e.user = place->sentinel_user;
    e.password = place->sentinel_password;
    e.tls = place->sentinel_tls;
    e.socket = NULL;
    e.db = 0;
    if (rsp_server_open(&k->c->env, &e, &options, &sentinel)) {
        rsp_error_clear(&k->c->error); /* what ails it has been told */
        return;
    }
    snprintf(node, sizeof node, strchr(seed->host, ':') ? "[%s]:%u: " : "%s:%u: ", seed->host, seed->port);
    k->server = sentinel;
    k->node = node;
    k->quiet = 1;
    check_rules(k, 1);
    k->quiet = 0;
    k->node = NULL;
    k->server = data;
    rsp_server_free(sentinel);
}

/* Each by itself, as if there were no other. */
static void say_sentinel(struct check *k, const struct rsp_seed *seed)
{
    struct rsp_place one = k->connection.place;
    struct rsp_server_options options = {.size = sizeof options, .cancel = signal_flag()};
    struct rsp_sentinel_found f = {.size = sizeof f};
    char line[512];
    int rc, same;
    one.seeds[0] = *seed;
    one.seeds_n = 1;
    rc = rsp_sentinel_find(&k->c->env, &one, &options, &f);
    if (rc) {
        if (k->c->error.code) rsp_error_format(&k->c->error, line, sizeof line);
        else snprintf(line, sizeof line, "%s", rsp_status_text(rc));
        rsp_error_clear(&k->c->error);
        k->answered += rc == RSP_EBUSY; /* it names a server that is no master now */
        check_say(k, RISK, "sentinel", "%s", line);
    } else {
        if (f.sentinels)
            snprintf(line, sizeof line, "; %u sentinels, quorum %u, %u replicas", f.sentinels, f.quorum, f.replicas);
        else line[0] = 0;
        k->answered++;
        same = f.port == k->found.port && !strcmp(f.host, k->found.host);
        check_say(k, !same || f.down ? RISK : GOOD, "sentinel", "%s names %s:%u%s%s%s", f.via, f.host, f.port,
                  same || !k->found.host[0] ? "" : ", another one than is taken",
                  f.down ? ", and takes it for down" : "", line);
    }
    if (!rc || rc == RSP_EBUSY) say_rules(k, seed);
}

void check_sentinels(struct check *k)
{
    const struct rsp_place *p = &k->connection.place;
    uint32_t majority = k->found.sentinels / 2 + 1;
    if (p->kind != RSP_PLACE_SENTINEL) return;
    for (size_t i = 0; i < p->seeds_n && !signal_caught(); i++) say_sentinel(k, &p->seeds[i]);
    if (!k->server) {
        check_say(k, BAD, "master", "a backup would fail now: %s", k->why_not);
        return;
    }
    check_say(k, GOOD, "master", "%s is %s, as %s has it", p->master, rsp_server_name(k->server), k->found.via);
    if (k->found.quorum && k->answered < majority)
        check_say(k, p->seeds_n < majority ? NOTE : RISK, "quorum",
                  "%u of %u sentinels were asked and answered; a failover needs %u, and %u that call the master down",
                  k->answered, k->found.sentinels, majority, k->found.quorum);
    else if (k->found.quorum)
        check_say(k, GOOD, "quorum",
                  "%u of %u sentinels answered; a failover needs %u, and %u that call the master down", k->answered,
                  k->found.sentinels, majority, k->found.quorum);
}

/* ---- JSON ---- */

static void json_nodes(const struct check *k, const struct rsp_cluster_shard *s, struct json *j)
{
    static const char *const health[] = {"", "online", "loading", "failed", "suspect"};
    json_array(j, "nodes");
    for (size_t i = 0; i < s->nodes_n; i++) {
        const struct rsp_cluster_node *node = &s->nodes[i];
        struct rsp_endpoint e;
        char place[320];
        rsp_cluster_endpoint(&k->connection.place, node, &e);
        rsp_endpoint_text(&e, place, sizeof place);
        json_object(j, NULL);
        json_text(j, "id", node->id);
        json_text(j, "place", place);
        json_text(j, "role", i ? "replica" : "primary");
        json_text(j, "health", health[node->health]);
        json_bool(j, "linked", node->linked);
        json_u64(j, "offset", node->offset);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_moves(const struct check *k, struct json *j)
{
    const struct rsp_cluster_map *map = k->map;
    json_array(j, "moves");
    for (size_t i = 0; i < map->moves_n; i++) {
        const struct rsp_slot_move *m = &map->moves[i];
        json_object(j, NULL);
        json_u64(j, "slot", m->slot);
        if (m->shard != RSP_NO_SHARD) json_u64(j, "shard", m->shard);
        json_bool(j, "importing", m->importing);
        json_text(j, "other", m->other);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_cluster(const struct check *k, struct json *j)
{
    const struct rsp_cluster_map *map = k->map;
    json_object(j, "cluster");
    json_text(j, "via", map->via);
    json_bool(j, "ok", map->ok);
    if (!map->ok) json_text(j, "why", map->why);
    json_u64(j, "epoch", map->epoch);
    json_u64(j, "uncovered", map->uncovered);
    json_array(j, "shards");
    for (size_t i = 0; i < map->shards_n; i++) {
        const struct rsp_cluster_shard *s = &map->shards[i];
        int n = rsp_slots_text(s->ranges, s->ranges_n, NULL, 0);
        char *slots = malloc((size_t)n + 1);
        json_object(j, NULL);
        if (slots) {
            rsp_slots_text(s->ranges, s->ranges_n, slots, (size_t)n + 1);
            json_text(j, "slots", slots);
        }
        free(slots);
        json_u64(j, "slots_n", s->slots);
        if (k->shards[i].place[0]) json_text(j, "taken", k->shards[i].place);
        if (k->shards[i].place[0]) json_u64(j, "keys", k->shards[i].facts.keys);
        json_nodes(k, s, j);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_moves(k, j);
    json_close(j, '}');
}

void check_place_json(const struct check *k, struct json *j)
{
    if (k->map) json_cluster(k, j);
    if (!k->found.host[0]) return;
    json_object(j, "sentinel");
    json_text(j, "master", k->connection.place.master);
    json_text(j, "host", k->found.host);
    json_u64(j, "port", k->found.port);
    json_text(j, "via", k->found.via);
    json_u64(j, "answered", k->answered);
    json_u64(j, "sentinels", k->found.sentinels);
    json_u64(j, "quorum", k->found.quorum);
    json_u64(j, "replicas", k->found.replicas);
    if (k->taken.place[0]) json_text(j, "taken", k->taken.place);
    json_close(j, '}');
}
