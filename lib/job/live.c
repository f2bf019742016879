/* What this is: live servers into a repository.
 * Rests on: shards.h, respite/sys/live.h.
 * Does not: capture (shard.c) nor store (stream_job.c): it joins what came of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "job/shards.h"
#include "repl/sync_turns.h"

static const char no_point_in_time[] =
    "not a point in time: keys were read one after the other (SCAN and DUMP) while the server went on; data of modules "
    "that belongs to no key is not in it";

struct place_job {
    struct backup b;
    struct shards all;
    struct stream_job **jobs;
    struct rsp_pair *beside;
    size_t jobs_n, beside_n, beside_cap;
    char differ[320], astray[320];
};

/* ---- what they said of themselves ---- */

static void find_differences(struct place_job *p)
{
    const struct shard *first = p->all.shards;
    for (size_t i = 1; i < p->all.n; i++) {
        const struct shard *s = &p->all.shards[i];
        if (!strcmp(s->version, first->version) && !strcmp(s->kind, first->kind)) continue;
        snprintf(p->differ, sizeof p->differ,
                 "the shards are not of one version: slots %.60s of %s %s, slots %.60s of %s %s", first->range,
                 first->kind, first->version, s->range, s->kind, s->version);
        return;
    }
}

static void find_strays(struct place_job *p)
{
    uint64_t keys = 0;
    for (size_t i = 0; i < p->all.n; i++) {
        const struct strays *k = &p->all.shards[i].job.strays;
        if (!k->keys) continue;
        keys += k->keys;
        snprintf(p->astray, sizeof p->astray,
                 "%" PRIu64
                 " keys are where no client finds them: in a shard that has not their slots, as \"%.60s\" of "
                 "slot %u in slots %.60s",
                 keys, k->first, k->slot, p->all.shards[i].range);
    }
}

static int gather_beside(struct place_job *p)
{
    const struct rsp_cluster_map *map = p->all.map;
    size_t n = map != NULL;
    for (size_t i = 0; i < p->all.n; i++) n += shard_beside_n(&p->all.shards[i]);
    if (!n) return RSP_OK;
    p->beside = mem_alloc(&p->b.env, n * sizeof *p->beside);
    if (!p->beside) return RSP_ENOMEM;
    p->beside_cap = n;
    for (size_t i = 0; i < p->all.n; i++)
        for (size_t k = 0; k < shard_beside_n(&p->all.shards[i]); k++)
            p->beside[p->beside_n++] = shard_beside(&p->all.shards[i], k);
    if (map && map->nodes_text_n)
        p->beside[p->beside_n++] = (struct rsp_pair){origin_text("cluster"),
                                                     {(const uint8_t *)map->nodes_text, map->nodes_text_n}};
    return RSP_OK;
}

static int fill_origin(struct place_job *p)
{
    struct rsp_backup_origin o = {.size = sizeof o};
    const struct shard *first = p->all.shards;
    int rc = gather_beside(p);
    if (rc) return rc;
    o.kind = first->kind;
    o.version = first->version;
    o.run_id = first->run_id;
    o.captured = p->beside;
    o.captured_n = p->beside_n;
    for (size_t i = 0; i < p->all.n; i++) {
        if (p->all.shards[i].told.point_in_time) continue;
        o.loss = no_point_in_time;
        o.not_good = 1;
    }
    origin_init(&p->b.origin, &o);
    find_differences(p);
    p->b.origin.differ = p->differ;
    find_strays(p);
    p->b.origin.astray = p->astray;
    p->b.o.place = p->all.map ? p->all.text : first->told.place;
    return RSP_OK;
}

/* ---- the report ---- */

void rsp_backup_live_free(const struct rsp_env *env, struct rsp_backup_live *live)
{
    struct rsp_env e;
    env_init(&e, env);
    for (size_t i = 0; i < live->shards_n; i++)
        if (live->shards[i].slots) mem_free(&e, live->shards[i].slots, strlen(live->shards[i].slots) + 1);
    mem_free(&e, live->shards, live->shards_n * sizeof *live->shards);
    live->shards = NULL;
    live->shards_n = 0;
}

/* Also of a backup that failed: what was reached. */
static void fill_live(struct place_job *p, struct rsp_backup_live *live)
{
    struct rsp_backup_live told = {.size = live->size};
    size_t n = p->all.n;
    int rc = RSP_OK;
    memcpy(told.via, p->all.via, sizeof told.via);
    told.skew_ms = shards_skew_ms(&p->all);
    if (n) told.shards = mem_zero(&p->b.env, n * sizeof *told.shards);
    if (n && !told.shards) rc = RSP_ENOMEM;
    for (size_t i = 0; !rc && i < n; i++) {
        const struct rsp_backup_shard *s = &p->all.shards[i].told;
        told.shards[i] = *s;
        told.shards_n++;
        if (!s->slots) continue;
        told.shards[i].slots = mem_strdup(&p->b.env, s->slots);
        if (!told.shards[i].slots) rc = RSP_ENOMEM;
    }
    if (rc) rsp_backup_live_free(&p->b.env, &told);
    memcpy(live, &told, live->size < sizeof told ? live->size : sizeof told);
}

/* ---- the whole ---- */

static int possible(const struct place_job *p)
{
    if (p->all.place.kind != RSP_PLACE_CLUSTER || p->all.capture.method != RSP_CAPTURE_BGSAVE) return RSP_OK;
    return fail(
        &p->b.env, RSP_EUNSUPPORTED, p->all.text,
        "the files that BGSAVE writes lie on the hosts of a cluster's nodes: a cluster is captured as a replica "
        "(psync)");
}

static int list_jobs(struct place_job *p)
{
    p->jobs = mem_alloc(&p->b.env, p->all.n * sizeof(struct stream_job *));
    if (!p->jobs) return RSP_ENOMEM;
    p->jobs_n = p->all.n;
    for (size_t i = 0; i < p->jobs_n; i++) p->jobs[i] = &p->all.shards[i].job;
    return RSP_OK;
}

static int run(struct place_job *p, struct rsp_repo *repo, int *source_fault)
{
    struct turns turns;
    int rc = possible(p);
    if (!rc) rc = backup_begin(&p->b, repo);
    if (rc) return rc;
    rc = shards_run(&p->all);
    if (rc && rc != RSP_ECANCELED && rc != RSP_ENOMEM)
        *source_fault = !p->all.failed || p->all.failed->source_fault || rc != p->all.failed->rc;
    if (rc) return rc;
    rc = fill_origin(p);
    if (!rc) rc = list_jobs(p);
    turns_long(&turns);
    if (!rc) rc = backup_commit(&p->b, p->jobs, p->jobs_n);
    turns_back(&turns);
    return rc;
}

int rsp_backup_place(const struct rsp_env *env, struct rsp_repo *repo, const struct rsp_place *place,
                     const struct rsp_backup_live_options *live_options, const struct rsp_backup_options *options,
                     struct rsp_log **log, struct rsp_backup_report *report, struct rsp_backup_live *live)
{
    struct rsp_env e;
    struct place_job *p;
    int rc, fault = 0;
    env_init(&e, env);
    if (log) *log = NULL;
    p = mem_zero(&e, sizeof *p);
    if (!p) return RSP_ENOMEM;
    backup_init(&p->b, &e, options);
    shards_init(&p->all, &p->b, place, live_options);
    rc = run(p, repo, &fault);
    if (!p->jobs && p->all.n && list_jobs(p)) p->jobs_n = 0;
    backup_report(&p->b, rc, p->jobs, p->jobs_n, log, report);
    report->source_fault |= fault;
    fill_live(p, live);
    mem_free(&e, p->jobs, p->jobs_n * sizeof(struct stream_job *));
    mem_free(&e, p->beside, p->beside_cap * sizeof *p->beside);
    shards_free(&p->all);
    backup_close(&p->b);
    mem_free(&e, p, sizeof *p);
    return rc;
}
