/* What this is: a line for each server that was captured.
 * Rests on: taken.h.
 * Does not: ask servers. */
#include "backupd/taken.h"

#include <inttypes.h>

static int is_cluster(const struct rsp_backup_live *t)
{
    return t->shards_n && t->shards[0].slots;
}

int taken_point_in_time(const struct rsp_backup_live *t)
{
    int all = 1;
    for (size_t i = 0; i < t->shards_n; i++) all &= t->shards[i].point_in_time;
    return all;
}

void taken_text(const struct rsp_backup_live *t)
{
    char size[TEXT_MAX], time[TEXT_MAX];
    for (size_t i = 0; i < t->shards_n; i++) {
        const struct rsp_backup_shard *s = &t->shards[i];
        if (s->slots) printf("captured slots %s at %s: %s; %s; ", s->slots, s->place, s->why, s->method);
        else printf("captured %s: %s; %s", s->place, s->why, s->method);
        if (s->slots) printf("%" PRIu64 " keys, %s", s->keys, text_size(size, s->plain));
        else if (t->via[0]) printf("; named by %s", t->via);
        if (s->tries > 1) printf("; captured %u times", s->tries);
        putchar('\n');
    }
    if (is_cluster(t))
        printf("captured %zu shards, %s, within %s\n", t->shards_n,
               taken_point_in_time(t) ? "each of one moment" : "not of one moment", text_duration(time, t->skew_ms));
}

static void put_shard(const struct rsp_backup_live *t, const struct rsp_backup_shard *s, struct json *j)
{
    char time[TEXT_MAX];
    if (s->slots) json_text(j, "slots", s->slots);
    json_text(j, "place", s->place);
    if (s->node[0]) json_text(j, "node", s->node);
    json_text(j, "why", s->why);
    json_text(j, "method", s->method);
    json_bool(j, "point_in_time", s->point_in_time);
    json_u64(j, "spooled_bytes", s->spooled);
    if (s->slots) {
        json_u64(j, "keys", s->keys);
        json_u64(j, "plain_bytes", s->plain);
        json_u64(j, "stray_keys", s->strays);
    } else if (t->via[0]) {
        json_text(j, "via", t->via);
    }
    json_text(j, "taken", text_utc(time, s->taken_ms));
    json_i64(j, "taken_ms", s->taken_ms);
    json_u64(j, "tries", s->tries);
}

void taken_json(const struct rsp_backup_live *t, struct json *j)
{
    if (!is_cluster(t)) {
        if (!t->shards_n) return;
        json_object(j, "captured");
        put_shard(t, &t->shards[0], j);
        json_close(j, '}');
        return;
    }
    json_text(j, "via", t->via);
    json_array(j, "shards");
    for (size_t i = 0; i < t->shards_n; i++) {
        json_object(j, NULL);
        put_shard(t, &t->shards[i], j);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_i64(j, "skew_ms", t->skew_ms);
}
