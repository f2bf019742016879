/* What this is: where the shards of a backup live: by the user's word, by Sentinel, by the map of a cluster.
 * Rests on: shards.h, repl/sync.h for the clock of waits.
 * Does not: capture. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "job/dump.h"
#include "job/shards.h"
#include "repl/server_impl.h"
#include "repl/sync.h"

#define RANGES_TOLD 4

/* ---- slots in words ---- */

/* "5, 7-9 (12 slots)": the first few of those that are marked. */
static void slots_words(const uint8_t *marked, char *out, size_t size)
{
    struct rsp_slot_range ranges[RANGES_TOLD] = {{0, 0}};
    size_t n = 0, slots = 0, told = 0, at;
    for (unsigned i = 0; i < RSP_SLOTS; i++) {
        if (!marked[i]) continue;
        slots++;
        if (i && marked[i - 1] && n && ranges[n - 1].to == i - 1) {
            ranges[n - 1].to = (uint16_t)i;
        } else if (n < RANGES_TOLD) {
            ranges[n].from = ranges[n].to = (uint16_t)i;
            n++;
        }
    }
    for (size_t i = 0; i < n; i++) told += (size_t)(ranges[i].to - ranges[i].from) + 1;
    at = (size_t)rsp_slots_text(ranges, n, out, size);
    if (at >= size) return;
    if (slots == 1) return;
    snprintf(out + at, size - at, "%s (%zu slots)", told < slots ? " ..." : "", slots);
}

/* ---- what two maps say ---- */

static int whole(const struct rsp_cluster_map *m)
{
    return m->ok && !m->uncovered && !m->moves_n && m->shards_n;
}

static const char *owner_id(const struct rsp_cluster_map *m, unsigned slot)
{
    uint16_t i = m->owner[slot];
    return i < m->shards_n && m->shards[i].nodes_n ? m->shards[i].nodes[0].id : "";
}

/* A node to which a slot comes raises its epoch (or has the highest one already, and then the node to which it goes back
 * does): whose epoch is another may have given slots away and got them back. */
static int has_other_epoch(const struct rsp_cluster_map *base, const struct rsp_cluster_map *m, unsigned slot)
{
    const struct rsp_cluster_node *a, *b;
    if (base->owner[slot] >= base->shards_n || m->owner[slot] >= m->shards_n) return 0;
    a = base->shards[base->owner[slot]].nodes, b = m->shards[m->owner[slot]].nodes;
    return !strcmp(a->id, b->id) && a->epoch != b->epoch;
}

/* A shard whose primary is another is the same shard as long as it has the same slots. */
static int moved(const struct rsp_cluster_map *base, const struct rsp_cluster_map *m, char *words, size_t size)
{
    uint8_t marked[RSP_SLOTS] = {0};
    int differ = whole(m) && memcmp(base->owner, m->owner, sizeof m->owner) != 0;
    int again = 0;
    for (size_t i = 0; i < m->moves_n; i++) marked[m->moves[i].slot % RSP_SLOTS] = 1;
    for (unsigned i = 0; differ && i < RSP_SLOTS; i++) marked[i] |= strcmp(owner_id(base, i), owner_id(m, i)) != 0;
    for (unsigned i = 0; whole(m) && !differ && i < RSP_SLOTS; i++) {
        if (!has_other_epoch(base, m, i)) continue;
        marked[i] = 1;
        again = 1;
    }
    if (!m->moves_n && !differ && !again) return 0;
    slots_words(marked, words, size);
    return 1;
}

/* ---- a map in which nothing is on its way ---- */

static void why_not(const struct rsp_cluster_map *m, char *out, size_t size)
{
    uint8_t marked[RSP_SLOTS] = {0};
    char slots[160];
    for (size_t i = 0; i < m->moves_n; i++) marked[m->moves[i].slot % RSP_SLOTS] = 1;
    for (unsigned i = 0; i < RSP_SLOTS && !m->moves_n; i++) marked[i] = m->owner[i] == RSP_NO_SHARD;
    slots_words(marked, slots, sizeof slots);
    if (m->moves_n) snprintf(out, size, "slots are on their way from one node to another: %.120s", slots);
    else if (m->uncovered) snprintf(out, size, "slots belong to no node: %.120s", slots);
    else snprintf(out, size, "the cluster is not ok: %.180s", m->why[0] ? m->why : "it has no shard");
}

static int too_long(const struct rsp_env *env, const char *place, const char *why, int moving)
{
    int rc = fail(env, RSP_EBUSY, place, "%s; %s", why,
                  moving ? "every key can be captured once only when that has ended" : "nothing was captured");
    if (env->error && env->error->code == rc) env->error->retryable = 1;
    return rc;
}

/* As long as patience lasts. base: what was looked at before; RSP_AGAIN: slots have moved since. */
static int settled(struct shards *all, const struct rsp_env *env, volatile const int *cancel,
                   const struct rsp_cluster_map *base, struct rsp_cluster_map **ret)
{
    const int64_t until = sync_clock_ms() + all->patience_ms;
    char words[320];
    *ret = NULL;
    for (unsigned tries = 1;; tries++) {
        int64_t left = until - sync_clock_ms();
        const struct rsp_server_options so = {sizeof so, cancel, left > 0 ? left : 0};
        struct rsp_cluster_map *m = NULL;
        int rc = rsp_cluster_look(env, &all->place, &so, &m), moving;
        if (rc) return rc;
        if (whole(m) || (base && moved(base, m, words, sizeof words))) {
            *ret = m;
            return whole(m) && !(base && moved(base, m, words, sizeof words)) ? RSP_OK : RSP_AGAIN;
        }
        why_not(m, words, sizeof words);
        moving = m->moves_n != 0;
        rsp_cluster_map_free(&all->env, m);
        if (until - sync_clock_ms() <= 0) return too_long(env, all->text, words, moving);
        log_line(env, tries > 1 ? RSP_LOG_INFO : RSP_LOG_WARN, "%s: %s; waiting, and looking again", all->text, words);
        rc = server_pause(env, cancel, tries);
        if (rc) return rc;
    }
}

/* ---- shards ---- */

static void set_endpoint(struct shard *s, const char *host, uint32_t port)
{
    snprintf(s->host, sizeof s->host, "%s", host);
    s->endpoint = s->all->place.endpoint;
    s->endpoint.size = sizeof s->endpoint;
    s->endpoint.host = s->host;
    s->endpoint.socket = NULL;
    s->endpoint.port = port;
}

static void set_primary(struct shard *s, const struct rsp_cluster_map *m)
{
    size_t i = (size_t)(s - s->all->shards);
    const struct rsp_cluster_node *node = &m->shards[i].nodes[0];
    rsp_cluster_endpoint(&s->all->place, node, &s->endpoint);
    set_endpoint(s, node->host, s->endpoint.port);
    if (strcmp(s->node, node->id) != 0) s->behind = 0; /* what the other one had is no measure */
    memcpy(s->node, node->id, sizeof s->node);
}

static int make_shards(struct shards *all, size_t n)
{
    all->shards = mem_zero(&all->env, n * sizeof *all->shards);
    if (!all->shards) return RSP_ENOMEM;
    all->n = n;
    for (size_t i = 0; i < n; i++) {
        struct shard *s = &all->shards[i];
        s->all = all;
        s->env = all->env;
        s->env.error = &s->words;
        buf_init(&s->beside, &s->env);
        buf_init(&s->text, &s->env);
        stream_job_init(&s->job, &s->env);
        memcpy(s->name, STREAM_NAME, sizeof STREAM_NAME);
    }
    return RSP_OK;
}

static int name_shard(struct shard *s, const struct rsp_cluster_shard *from)
{
    int n = rsp_slots_text(from->ranges, from->ranges_n, NULL, 0);
    if (n <= 0) return fail(&s->all->env, RSP_EFORMAT, s->all->text, "a shard without slots");
    s->slots_n = (size_t)n + 1;
    s->slots = mem_alloc(&s->all->env, s->slots_n);
    if (!s->slots) return RSP_ENOMEM;
    (void)rsp_slots_text(from->ranges, from->ranges_n, s->slots, s->slots_n);
    (void)rsp_slots_text(from->ranges, 1, s->range, sizeof s->range);
    for (size_t i = 0; i < from->ranges_n; i++)
        for (unsigned k = from->ranges[i].from; k <= from->ranges[i].to; k++) s->own[k / 8] |= (uint8_t)(1u << k % 8);
    snprintf(s->name, sizeof s->name, "shard-%s.rdb", s->range);
    s->told.slots = s->slots;
    return RSP_OK;
}

static int is_seed(const struct rsp_place *p, const struct rsp_cluster_node *node)
{
    for (size_t i = 0; i < p->seeds_n; i++)
        if (p->seeds[i].port == node->port && p->seeds[i].host && !strcmp(p->seeds[i].host, node->host)) return 1;
    return 0;
}

/* Nodes that are known now may be the only ones that answer later. */
static void more_seeds(struct shards *all)
{
    struct rsp_place *p = &all->place;
    p->seeds_n = all->given->seeds_n < RSP_SEEDS_MAX ? all->given->seeds_n : RSP_SEEDS_MAX;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < all->map->shards_n; i++) {
            const struct rsp_cluster_shard *s = &all->map->shards[i];
            if (k >= s->nodes_n || p->seeds_n == RSP_SEEDS_MAX || !s->nodes[k].host[0]) continue;
            if (is_seed(p, &s->nodes[k])) continue;
            p->seeds[p->seeds_n++] = (struct rsp_seed){s->nodes[k].host, s->nodes[k].port};
        }
}

static int find_cluster(struct shards *all)
{
    int rc;
    all->place.seeds_n = all->given->seeds_n < RSP_SEEDS_MAX ? all->given->seeds_n : RSP_SEEDS_MAX;
    rc = settled(all, &all->env, all->b->o.cancel, NULL, &all->map);
    if (!rc) rc = make_shards(all, all->map->shards_n);
    for (size_t i = 0; !rc && i < all->n; i++) {
        rc = name_shard(&all->shards[i], &all->map->shards[i]);
        if (!rc) set_primary(&all->shards[i], all->map);
    }
    if (rc) return rc;
    snprintf(all->via, sizeof all->via, "%s", all->map->via);
    more_seeds(all);
    return RSP_OK;
}

static int find_master(struct shard *s, const struct rsp_env *env, volatile const int *cancel)
{
    struct shards *all = s->all;
    const struct rsp_server_options so = {sizeof so, cancel, all->patience_ms};
    struct rsp_sentinel_found found = {.size = sizeof found};
    int rc = rsp_sentinel_find(env, &all->place, &so, &found);
    if (rc) return rc;
    set_endpoint(s, found.host, found.port);
    snprintf(all->via, sizeof all->via, "%s", found.via);
    return RSP_OK;
}

int shards_find(struct shards *all)
{
    int rc;
    if (all->place.kind == RSP_PLACE_CLUSTER) return find_cluster(all);
    rc = make_shards(all, 1);
    if (rc) return rc;
    if (all->place.kind == RSP_PLACE_SENTINEL) return find_master(all->shards, &all->env, all->b->o.cancel);
    all->shards->endpoint = all->place.endpoint;
    return RSP_OK;
}

static int say_moved(struct shards *all, const struct rsp_cluster_map *m)
{
    char words[sizeof all->moved_slots];
    (void)moved(all->map, m, words, sizeof words);
    pthread_mutex_lock(&all->lock);
    memcpy(all->moved_slots, words, sizeof words);
    pthread_mutex_unlock(&all->lock);
    return RSP_AGAIN;
}

int shard_find(struct shard *s)
{
    struct shards *all = s->all;
    struct rsp_cluster_map *m = NULL;
    int rc;
    if (all->place.kind == RSP_PLACE_SENTINEL) return find_master(s, &s->env, &s->cancel);
    if (all->place.kind != RSP_PLACE_CLUSTER) return RSP_OK;
    rc = settled(all, &s->env, &s->cancel, all->map, &m);
    if (!rc && m) set_primary(s, m);
    else if (rc == RSP_AGAIN) rc = say_moved(all, m);
    rsp_cluster_map_free(&all->env, m);
    return rc;
}

/* A failover since: whoever it was captured from may have gone on without the others. */
static void mark_again(struct shard *s)
{
    s->taken = 0;
    s->again = 1;
    s->lost++;
    if (s->state == SHARD_STORED) s->state = SHARD_WAITING;
    else __atomic_store_n(&s->cancel, 1, __ATOMIC_RELAXED);
}

int shards_look_after(struct shards *all)
{
    struct rsp_cluster_map *m = NULL;
    int rc = settled(all, &all->env, all->b->o.cancel, all->map, &m);
    if (rc == RSP_AGAIN && m) rc = say_moved(all, m);
    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; !rc && m && i < all->n; i++) {
        struct shard *s = &all->shards[i];
        if (!strcmp(s->node, m->shards[i].nodes[0].id)) continue;
        /* One that broke off meanwhile looks for itself. */
        if (s->state == SHARD_STORED || s->taken) {
            if (s->lost >= all->retries)
                rc = fail(&all->env, RSP_EBUSY, all->text, "the primary of slots %.80s has changed again and again",
                          s->slots);
            else mark_again(s);
        }
    }
    pthread_cond_broadcast(&all->change);
    pthread_mutex_unlock(&all->lock);
    rsp_cluster_map_free(&all->env, m);
    return rc;
}

void shards_forget(struct shards *all)
{
    for (size_t i = 0; i < all->n; i++) shard_free(&all->shards[i]);
    mem_free(&all->env, all->shards, all->n * sizeof *all->shards);
    all->shards = NULL;
    all->n = 0;
    rsp_cluster_map_free(&all->env, all->map);
    all->map = NULL;
}
