/* What this is: backupd check of a cluster: its shards, who of each would be captured, slots that nobody has or that are on
 *   their way, what the forks may cost, and the rights on every node.
 * Rests on: check.h, respite/sys/topology.h.
 * Does not: capture; move slots. */
#include <inttypes.h>
#include <string.h>

#include "backupd/check.h"
#include "cli/signal.h"

#define MOVES_SHOWN 10

/* ---- the whole ---- */

static void node_text(const struct check *k, const struct rsp_cluster_node *node, char *out, size_t size)
{
    struct rsp_endpoint e;
    rsp_cluster_endpoint(&k->connection.place, node, &e);
    rsp_endpoint_text(&e, out, size);
}

static void say_map(struct check *k)
{
    const struct rsp_cluster_map *map = k->map;
    if (map->ok)
        check_say(k, GOOD, "cluster", "%zu shards: %s and all primaries tell the same map", map->shards_n, map->via);
    else
        check_say(k, BAD, "cluster", "%zu shards by %s, and a backup would fail now: %s", map->shards_n, map->via,
                  map->why);
    if (map->uncovered)
        check_say(k, BAD, "slots", "%u of %d slots are owned by nobody: a backup would not be whole", map->uncovered,
                  RSP_SLOTS);
    for (size_t i = 0; i < map->moves_n && i < MOVES_SHOWN; i++) {
        const struct rsp_slot_move *m = &map->moves[i];
        char at[320] = "a node without slots";
        if (m->shard != RSP_NO_SHARD) node_text(k, &map->shards[m->shard].nodes[0], at, sizeof at);
        check_say(k, BAD, "slots", "slot %u is on its way: %s %s %.40s; a backup waits for it (--patience)", m->slot,
                  at, m->importing ? "takes it from" : "gives it to", m->other);
    }
    if (map->moves_n > MOVES_SHOWN) check_say(k, BAD, "slots", "%zu more are on their way", map->moves_n - MOVES_SHOWN);
    if (!map->uncovered && !map->moves_n)
        check_say(k, GOOD, "slots", "all %d are covered, none is on its way", RSP_SLOTS);
}

/* ---- one shard ---- */

/* As INFO of its primary has it; -1: not told. */
static int64_t lag_of(const struct check *k, const struct rsp_cluster_node *node)
{
    const struct rsp_server_replica *r;
    for (size_t i = 0; (r = rsp_server_replica(k->server, i)) != NULL; i++)
        if (r->port == node->port && !strcmp(r->host, node->host)) return r->lag_s;
    return -1;
}

static void say_nodes(struct check *k, const struct rsp_cluster_shard *s)
{
    static const char *const health[] = {"of unknown health", "online", "loading its data", "failed",
                                         "suspected to have failed"};
    for (size_t i = 1; i < s->nodes_n; i++) {
        const struct rsp_cluster_node *node = &s->nodes[i];
        int well = node->health == RSP_NODE_ONLINE && node->linked;
        int64_t lag = lag_of(k, node);
        char place[320], text[48] = "";
        node_text(k, node, place, sizeof place);
        if (lag >= 0) snprintf(text, sizeof text, ", lag %lld s", (long long)lag);
        check_say(k, well ? GOOD : NOTE, "replica", "%s is %s%s%s", place, health[node->health],
                  node->linked ? "" : ", not linked", text);
    }
}

/* Access control lists are each node's own: whoever may be captured has to allow it. */
static void say_rights(struct check *k, const struct rsp_cluster_shard *s)
{
    struct rsp_server_options options = {.size = sizeof options, .cancel = signal_flag()};
    struct rsp_server *primary = k->server;
    char place[320], node_name[330];
    for (size_t i = 0; i < s->nodes_n && !signal_caught(); i++) {
        struct rsp_endpoint e;
        struct rsp_server *server = NULL;
        size_t before = k->said;
        if (i && (s->nodes[i].health != RSP_NODE_ONLINE || !s->nodes[i].port)) continue;
        rsp_cluster_endpoint(&k->connection.place, &s->nodes[i], &e);
        rsp_endpoint_text(&e, place, sizeof place);
        if (i && rsp_server_open(&k->c->env, &e, &options, &server)) {
            rsp_error_clear(&k->c->error); /* it is no candidate */
            continue;
        }
        snprintf(node_name, sizeof node_name, "%s: ", place);
        k->server = i ? server : primary;
        k->node = node_name;
        k->quiet = 1;
        check_rules(k, 1);
        k->quiet = 0;
        if (k->said == before) check_say(k, GOOD, "rights", "%s: all that is needed is allowed", place);
        k->node = NULL;
        k->server = primary;
        rsp_server_free(server);
    }
}

static void say_shard(struct check *k, size_t i)
{
    const struct rsp_cluster_shard *s = &k->map->shards[i];
    struct rsp_server_options options = {.size = sizeof options, .cancel = signal_flag()};
    struct rsp_endpoint *e = &k->connection.place.endpoint;
    const struct rsp_server_facts *f;
    char place[320], slots[200];
    int rc;
    node_text(k, &s->nodes[0], place, sizeof place);
    rsp_slots_text(s->ranges, s->ranges_n, slots, sizeof slots);
    if (strlen(slots) == sizeof slots - 1) memcpy(slots + sizeof slots - 4, "...", 4);
    rsp_cluster_endpoint(&k->connection.place, &s->nodes[0], e); /* also what the points below look at */
    rc = rsp_server_open(&k->c->env, e, &options, &k->server);
    if (rc) {
        check_fault(k, rc, "shard", "the primary does not answer");
        return;
    }
    f = rsp_server_facts(k->server);
    check_say(k, GOOD, "shard", "%s: %s, %s %s, %u slots, %" PRIu64 " keys", slots, place, f->kind, f->version,
              s->slots, f->keys);
    say_nodes(k, s);
    if (!i) check_user(k);
    check_whom(k, f);
    k->shards[i] = k->taken;
    k->quiet = i ? 2 : 0; /* what is well of one is well of all, mostly */
    if (k->taken.place[0]) check_memory(k, &k->taken.facts);
    check_sync(k, f);
    k->quiet = 0;
    say_rights(k, s);
    rsp_server_free(k->server);
    k->server = NULL;
}

/* ---- shards that share a host ---- */

/* "redis://10.0.0.1" of "redis://10.0.0.1:7000" */
static size_t host_n(const char *place)
{
    const char *colon = strrchr(place, ':');
    return colon ? (size_t)(colon - place) : strlen(place);
}

/* They save at the same time: what fits for each need not fit for all. */
static void say_shared(struct check *k, size_t first)
{
    const struct check_taken *t = k->shards;
    size_t n = host_n(t[first].place), many = 0;
    uint64_t all = 0, used = 0, spare;
    char more[TEXT_MAX], room[TEXT_MAX];
    for (size_t i = 0; i < k->map->shards_n; i++) {
        const struct rsp_server_facts *f = &t[i].facts;
        if (!t[i].place[0] || host_n(t[i].place) != n || memcmp(t[i].place, t[first].place, n) != 0) continue;
        if (i < first) return; /* said */
        many++;
        all += f->used_memory;
        used += f->used_memory_rss > f->used_memory ? f->used_memory_rss : f->used_memory;
    }
    if (many < 2 || !t[first].facts.system_memory) return;
    spare = t[first].facts.system_memory > used ? t[first].facts.system_memory - used : 0;
    check_say(k, all > spare ? RISK : GOOD, "memory",
              "%zu shards on %.*s save at the same time: at most %s more together, of %s that are not theirs%s", many,
              (int)n, t[first].place, text_size(more, all), text_size(room, spare),
              all > spare ? "; --at-once 1 takes one after the other" : "");
}

void check_cluster(struct check *k)
{
    if (k->connection.place.kind == RSP_PLACE_CLUSTER && !k->map)
        check_say(k, BAD, "cluster", "a backup would fail now: %s", k->why_not);
    if (!k->map) return;
    say_map(k);
    for (size_t i = 0; i < k->map->shards_n && !signal_caught(); i++) say_shard(k, i);
    for (size_t i = 0; i < k->map->shards_n; i++)
        if (k->shards[i].place[0]) say_shared(k, i);
}
