/* What this is: a live server into a repository.
 * Rests on: respite/sys/live.h, sys/server.h, repl/sync_turns.h.
 * Does not: capture (repl/) nor store (backup.c): it joins the two. */
#include <stdio.h>
#include <string.h>

#include <respite/sys/live.h>

#include "base/mem.h"
#include "repl/sync_turns.h"

static const char no_point_in_time[] =
    "not a point in time: keys were read one after the other (SCAN and DUMP) while the server went on; data of modules "
    "that belongs to no key is not in it";

static void fill_origin(const struct rsp_capture_facts *f, struct rsp_backup_origin *o)
{
    const struct rsp_server_facts *server = f->server;
    o->size = sizeof *o;
    if (server) {
        o->kind = server->kind;
        o->version = server->version;
        o->run_id = server->run_id;
        if (server->role == RSP_SERVER_MASTER) o->role = "master";
        if (server->role == RSP_SERVER_REPLICA) o->role = "replica";
    }
    o->replid = f->replid;
    o->offset = f->offset;
    o->has_offset = f->has_offset;
    if (f->settings) {
        o->captured = f->settings->pairs;
        o->captured_n = f->settings->pairs_n;
    }
    if (f->point_in_time) return;
    o->loss = no_point_in_time;
    o->not_good = 1;
}

static void fill_live(const struct rsp_capture *capture, struct rsp_backup_live *live)
{
    const struct rsp_capture_facts *f = rsp_capture_facts(capture);
    snprintf(live->place, sizeof live->place, "%s", f->place ? f->place : "");
    snprintf(live->why, sizeof live->why, "%s", f->why ? f->why : "");
    snprintf(live->method, sizeof live->method, "%s", f->method ? f->method : "");
    live->point_in_time = f->point_in_time;
}

static void hand_on(const struct rsp_env *env, const struct rsp_error *words)
{
    if (env && env->error && words->code) *env->error = *words;
}

/* Why the server broke off says more than that it did. */
static void broke_off(const struct rsp_env *env, const struct rsp_error *words)
{
    struct rsp_env full;
    hand_on(env, words);
    env_init(&full, env);
    (void)trail(&full, words->code, "nothing was committed: back up once more");
}

int rsp_backup_server(const struct rsp_env *env, struct rsp_repo *repo, const struct rsp_endpoint *endpoint,
                      const struct rsp_capture_options *capture, const struct rsp_backup_options *options,
                      struct rsp_log **log, struct rsp_backup_report *report, struct rsp_backup_live *live)
{
    struct rsp_backup_report none = {.size = report->size, .source_fault = 1};
    struct rsp_backup_live told = {.size = live->size};
    struct rsp_backup_origin origin = {0};
    struct rsp_backup_options o = {0};
    struct rsp_capture *c = NULL;
    struct rsp_error words = {0}; /* of the capture alone: whoever reads ahead writes it, on a thread of its own */
    struct rsp_env own;
    struct turns turns;
    uint64_t received = 0;
    int rc;
    if (log) *log = NULL;
    env_init(&own, env);
    own.error = &words;
    memcpy(report, &none, report->size < sizeof none ? report->size : sizeof none);
    memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    o.size = sizeof o;
    rc = rsp_capture_open(&own, endpoint, capture, &c);
    if (rc) hand_on(env, &words);
    if (!rc) {
        fill_live(c, &told);
        fill_origin(rsp_capture_facts(c), &origin);
        o.origin = &origin;
        o.place = told.place;
        turns_long(&turns); /* of all who check and seal; whoever drains the socket was started before */
        rc = rsp_backup(env, repo, rsp_capture_source(c), &o, log, report);
        turns_back(&turns);
        if (rc && words.code && words.code == rc) broke_off(env, &words);
        rsp_capture_progress(c, &received, &told.spooled);
    }
    rsp_capture_free(c);
    memcpy(live, &told, live->size < sizeof told ? live->size : sizeof told);
    return rc;
}
