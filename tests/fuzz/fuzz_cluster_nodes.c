/* What this is: fuzz target: CLUSTER NODES and nodes.conf; what is read is whole, and the same when it is read again.
 * Rests on: fuzz.h, respite/sys/topology.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include <string.h>

#include <respite/sys/topology.h>

static void check_shard(const struct rsp_cluster_map *map, size_t i)
{
    static struct rsp_slot_range back[RSP_SLOTS];
    const struct rsp_cluster_shard *s = &map->shards[i];
    size_t size = s->ranges_n * 12 + 1, n = 0;
    char *text = malloc(size);
    uint32_t slots = 0;
    MUST(text && s->nodes_n && s->ranges_n && strlen(s->nodes[0].id) == 40);
    for (size_t k = 0; k < s->ranges_n; k++) {
        MUST(s->ranges[k].from <= s->ranges[k].to && s->ranges[k].to < RSP_SLOTS);
        slots += (uint32_t)(s->ranges[k].to - s->ranges[k].from) + 1;
        for (uint32_t slot = s->ranges[k].from; slot <= s->ranges[k].to; slot++) MUST(map->owner[slot] == i);
    }
    MUST(slots == s->slots);
    MUST(rsp_slots_text(s->ranges, s->ranges_n, text, size) < (int)size);
    MUST(!rsp_slots_parse(NULL, (struct rsp_span){(const uint8_t *)text, strlen(text)}, back, RSP_SLOTS, &n));
    MUST(n == s->ranges_n && !memcmp(back, s->ranges, n * sizeof *back));
    for (size_t k = 0; k < s->nodes_n; k++)
        for (const char *c = s->nodes[k].host; *c; c++) MUST((unsigned char)*c > 0x20 && (unsigned char)*c < 0x7f);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rsp_error error;
    struct rsp_env env;
    struct rsp_cluster_map *map = NULL, *again = NULL;
    const struct rsp_span text = {data, size};
    uint32_t slots = 0;
    int rc;
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    rc = rsp_cluster_parse(&env, text, "nodes.conf", &map);
    if (rc) {
        MUST(!map && error.code == rc && (rc == RSP_EFORMAT || rc == RSP_ELIMIT));
        return 0;
    }
    for (size_t i = 0; i < map->shards_n; i++) {
        check_shard(map, i);
        slots += map->shards[i].slots;
    }
    MUST(slots + map->uncovered == RSP_SLOTS && map->ok == !map->uncovered);
    for (size_t i = 0; i < map->moves_n; i++)
        MUST(map->moves[i].slot < RSP_SLOTS &&
             (map->moves[i].shard < map->shards_n || map->moves[i].shard == RSP_NO_SHARD));
    MUST(!rsp_cluster_parse(&env, text, "nodes.conf", &again));
    MUST(rsp_cluster_same(map, again) == !map->moves_n);
    rsp_cluster_map_free(&env, map);
    rsp_cluster_map_free(&env, again);
    return 0;
}
