/* What this is: backupd restore into a running server, Sentinel's master, or a cluster: its options, and the run.
 * Rests on: restore_live.h.
 * Does not: write anything before the whole snapshot was verified (the library does not either). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backupd/restore_live.h"
#include "cli/exit.h"
#include "cli/signal.h"
#include "cli/text.h"

/* ---- options ---- */

static const char *const policies[] = {"keep", "drop-expired", "shift", "persist"}; /* enum rsp_resp_ttl */

/* What becomes of expiries; -1: the word is a filter's. */
static int policy_of(const char *word)
{
    for (int i = 0; i < 4; i++)
        if (!strcmp(policies[i], word)) return i;
    return -1;
}

static int take_db(const char **at, uint32_t *db)
{
    uint64_t n = 0;
    const char *p = *at;
    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (uint64_t)(*p - '0');
        if (n > INT32_MAX) return -1;
    }
    if (p == *at) return -1;
    *at = p;
    *db = (uint32_t)n;
    return 0;
}

/* "0:3,1:4". */
static int take_map(const struct options *o, const char *text, struct rsp_resp_db dbs[DBS_MOST], size_t *n)
{
    const char *at = text;
    for (;;) {
        struct rsp_resp_db db;
        int bad = take_db(&at, &db.from) || *at++ != ':' || take_db(&at, &db.to) || (*at && *at != ',');
        if (bad) return options_usage(o, "--db-map: '%s' is no list such as 0:3,1:4", text);
        for (size_t i = 0; i < *n; i++)
            if (dbs[i].from == db.from) return options_usage(o, "--db-map: database %u becomes two", (unsigned)db.from);
        if (*n == DBS_MOST) return options_usage(o, "--db-map: more than %d", DBS_MOST);
        dbs[(*n)++] = db;
        if (!*at++) return -1;
    }
}

static int take_maps(const struct options *o, struct rsp_resp_db dbs[DBS_MOST], size_t *n)
{
    const struct opt_value *map = &o->value[O_DB_MAP];
    int code = -1;
    *n = 0;
    for (size_t i = 0; i < map->n && code < 0; i++) code = take_map(o, map->list[i], dbs, n);
    return code;
}

/* --ttl: one policy at most; -1, or EXIT_USAGE. */
static int take_policy(const struct options *o, int *policy)
{
    const struct opt_value *ttl = &o->value[O_TTL];
    int found = -1;
    for (size_t i = 0; i < ttl->n; i++) {
        int p = policy_of(ttl->list[i]);
        if (p < 0) continue;
        if (found >= 0 && found != p)
            return options_usage(o, "--ttl: %s and %s exclude each other", policies[found], policies[p]);
        found = p;
    }
    *policy = found < 0 ? RSP_TTL_KEEP : found;
    return -1;
}

/* The filter, but --ttl and --now, which mean more here. */
static int open_filter(struct restore *r, struct job *job)
{
    static const int all[READING_COUNT] = READING_IDS;
    static int ids[READING_COUNT];
    const struct opt_value *ttl = &r->c->o->value[O_TTL];
    char text[64], words[512];
    int code;
    memcpy(ids, all, sizeof ids);
    ids[R_TTL] = ids[R_NOW] = ids[R_LIMIT] = -1;
    code = job_open(job, r->c->o, ids);
    if (code >= 0) return code;
    snprintf(text, sizeof text, "%" PRId64, context_now(r->c));
    if (rsp_filter_add(job->filter, "now", text)) return job_fault(job, RSP_EINVAL, "--now", EXIT_USAGE);
    for (size_t i = 0; i < ttl->n; i++) {
        int rc = policy_of(ttl->list[i]) < 0 ? rsp_filter_add(job->filter, "ttl", ttl->list[i]) : RSP_OK;
        if (!rc) continue;
        if (rc != RSP_EINVAL) return job_fault(job, rc, NULL, EXIT_INTERNAL);
        rsp_error_format(&job->error, words, sizeof words);
        return options_usage(r->c->o, "--%s (or keep, drop-expired, shift, persist)", words);
    }
    return -1;
}

/* --on-loss: what becomes of what the target cannot hold; -1, or EXIT_USAGE. */
static int take_losses(struct context *c, struct rsp_loss_policy *policy)
{
    const struct opt_value *v = &c->o->value[O_ON_LOSS];
    char words[512];
    rsp_loss_policy_default(policy);
    if (!v->text || !rsp_loss_policy_parse(&c->env, v->text, policy)) return -1;
    rsp_error_format(&c->error, words, sizeof words);
    rsp_error_clear(&c->error);
    return options_usage(c->o, "--on-loss: %s", words);
}

int restore_live_usage(struct restore *r)
{
    const struct options *o = r->c->o;
    struct rsp_resp_db *dbs = calloc(DBS_MOST, sizeof *dbs);
    struct job job;
    struct rsp_loss_policy losses;
    size_t n;
    int policy, code;
    if (!dbs) return context_fault(r->c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    code = take_maps(o, dbs, &n);
    free(dbs);
    if (code < 0) code = take_policy(o, &policy);
    if (code < 0) code = take_losses(r->c, &losses);
    if (code >= 0) return code;
    code = open_filter(r, &job);
    job_close(&job);
    return code;
}

static int open_source(void *opaque, size_t stream, struct rsp_source **source)
{
    struct live *l = opaque;
    l->stream = stream;
    return rsp_snapshot_source(l->r->chosen.snapshot, l->streams[stream], 0, l->o.threads, source);
}

/* {"stream":"shard-0-5460.rdb","db":0,"key":"k","kind":"field-ttl","action":"convert"}, a line each. */
static int on_lost(void *opaque, int loss, uint32_t db, struct rsp_span name)
{
    static const char *const actions[] = {"fail", "drop", "convert"}; /* enum rsp_loss_action */
    struct live *l = opaque;
    const struct rsp_stream_info *info = rsp_snapshot_manifest(l->r->chosen.snapshot)->streams;
    int is_key = loss != RSP_LOSS_FUNCTION && loss != RSP_LOSS_AUX;
    struct json j;
    if (!l->losses.file) return RSP_OK;
    json_init(&j, l->losses.file, 0);
    json_object(&j, NULL);
    json_bytes(&j, "stream", info[l->streams[l->stream]].name);
    if (is_key) json_u64(&j, "db", db);
    json_bytes(&j, is_key ? "key" : "name", name);
    json_text(&j, "kind", rsp_loss_name(loss));
    json_text(&j, "action", actions[l->losses.policy.action[loss] % 3]);
    json_close(&j, '}');
    return ferror(l->losses.file) ? RSP_EIO : RSP_OK;
}

static void on_pass(void *opaque, const char *what)
{
    const struct live *l = opaque;
    context_end(l->r->c);
    if (l->r->c->o->value[O_VERBOSE].count) print_err("%s: %s", l->place, what);
    context_begin(l->r->c, what, l->plain, 0);
}

static void on_progress(void *opaque, uint64_t bytes)
{
    const struct live *l = opaque;
    context_progress(l->r->c, bytes);
}

/* The writer signed that it looked at every byte and found nothing; what is opened now is proven, chunk by chunk, to be what
 * it sealed. An unsealed snapshot is checked again: anybody who can write to the store could have made its chunks. */
static int was_checked(const struct rsp_record *r)
{
    const uint32_t bad = RSP_COMMIT_DAMAGED | RSP_COMMIT_PARTIAL | RSP_COMMIT_QUICK | RSP_COMMIT_UNSEALED;
    const uint32_t need = RSP_COMMIT_GOOD | RSP_COMMIT_FULL;
    return (r->flags & need) == need && !(r->flags & bad);
}

static int fill(struct live *l, char id[33])
{
    struct context *c = l->r->c;
    const struct opt_value *v = c->o->value;
    const struct rsp_manifest *m = rsp_snapshot_manifest(l->r->chosen.snapshot);
    struct rsp_load_options *o = &l->o;
    int64_t now = context_now(c);
    int code = take_maps(c->o, l->dbs, &o->resp.dbs_n);
    if (code < 0) code = take_policy(c->o, &o->resp.ttl);
    if (code < 0) code = take_losses(c, &o->resp.losses);
    if (code >= 0) return code;
    o->size = sizeof *o;
    o->resp.size = sizeof o->resp;
    o->resp.run = l->job.run;
    o->resp.run.progress = NULL;
    o->resp.payloads = 1;
    o->resp.existing = (int)v[O_EXISTING].number; /* the words stand in the order of the enumeration */
    o->resp.now_ms = now;
    /* As long from now as it was from the snapshot. */
    if (o->resp.ttl == RSP_TTL_SHIFT && now > (int64_t)m->begun_ms) o->resp.shift_ms = now - (int64_t)m->begun_ms;
    o->resp.dbs = l->dbs;
    o->resp.no_functions = v[O_NO_FUNCTIONS].count != 0;
    o->resp.lost = on_lost;
    o->resp.opaque = l;
    text_hex(id, l->r->chosen.record->snapshot, 16);
    o->snapshot = id;
    o->rate_ops = (uint64_t)v[O_RATE_OPS].number;
    o->rate_bytes = (uint64_t)v[O_RATE_BYTES].number;
    o->checkpoint = v[O_CHECKPOINT].text;
    o->dry_run = v[O_DRY_RUN].count != 0;
    o->no_compare = v[O_NO_COMPARE].count != 0;
    o->threads = (unsigned)v[O_THREADS].number;
    o->tmpdir = v[O_TMPDIR].text;
    o->cancel = signal_flag();
    o->progress = on_progress;
    o->pass = on_pass;
    o->opaque = l;
    o->checked = was_checked(l->r->chosen.record);
    return -1;
}

/* ---- the run ---- */

static int fault(const struct live *l, int rc)
{
    struct context *c = l->r->c;
    const struct rsp_load_report *p = &l->report;
    int target = p->target_fault || rc == RSP_EEXIST || rc == RSP_EUNSUPPORTED, code;
    /* Words that neither side wrote: the filter's own record may hold them. */
    if (!c->error.code && l->job.error.code) c->error = l->job.error;
    code = context_fault(c, rc, target ? l->place : l->r->chosen.name, target ? EXIT_TARGET : EXIT_STORAGE);
    if (signal_caught()) {
        if (l->o.checkpoint) print_err("%s: the same command goes on from here", l->o.checkpoint);
        return code;
    }
    if (rc == RSP_EEXIST) print_err("--existing skip keeps what is there, --existing replace replaces it");
    if (rc == RSP_EUNSUPPORTED && p->plan.nodes) /* else it is no target at all */
        print_err("--on-loss says what is left out or converted instead; --dry-run shows all of it");
    else if (target && l->o.checkpoint && p->keys) print_err("%s: the same command goes on from here", l->o.checkpoint);
    return target ? connection_exit(rc, EXIT_TARGET) : code;
}

/* A target that is not there is told at once: only one that is loading is waited for. */
static int probe(const struct live *l)
{
    const struct rsp_place *place = &l->r->connection.place;
    struct context *c = l->r->c;
    struct rsp_server_options options = {.size = sizeof options, .cancel = signal_flag()};
    struct rsp_server *server = NULL;
    int code, rc;
    if (place->kind != RSP_PLACE_SERVER) return -1; /* whoever is to be asked first may be away */
    rc = rsp_server_open(&c->env, &place->endpoint, &options, &server);
    rsp_server_free(server);
    if (!rc || rc == RSP_EBUSY) {
        rsp_error_clear(&c->error);
        return -1;
    }
    code = context_fault(c, rc, l->place, EXIT_TARGET);
    return signal_caught() ? code : connection_exit(rc, EXIT_TARGET);
}

static int load(struct live *l)
{
    struct restore *r = l->r;
    int rc, code;
    l->report.size = sizeof l->report;
    rc = rsp_load(&r->c->env, open_source, l, &r->connection.place, &l->o, &l->report);
    context_end(r->c);
    code = losses_close(&l->losses);
    if (rc) return fault(l, rc);
    restore_live_report(l);
    return code ? code : restore_live_verdict(l);
}

static int run(struct live *l)
{
    const struct opt_value *v = l->r->c->o->value;
    char id[33];
    int code = fill(l, id);
    if (code < 0) code = probe(l);
    if (code >= 0) return code;
    code = losses_open(&l->losses, v[O_LOSSES_TO].text, 1, &l->o.resp.losses);
    return code ? code : load(l);
}

/* All dumps of the snapshot: of a cluster one a shard. */
static int take_streams(struct live *l)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(l->r->chosen.snapshot);
    l->streams = calloc(m->streams_n ? m->streams_n : 1, sizeof *l->streams);
    if (!l->streams) return context_fault(l->r->c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    for (size_t i = 0; i < m->streams_n; i++) {
        if (m->streams[i].kind != RSP_STREAM_RDB) continue;
        l->plain += m->streams[i].plain;
        l->streams[l->o.streams++] = i;
    }
    if (l->o.streams) return -1;
    print_err("%s: the snapshot holds no dump", l->r->chosen.name);
    return EXIT_NOT_FOUND;
}

int restore_live(struct restore *r)
{
    struct live *l;
    int code;
    if (r->chosen.damaged) {
        print_err("%s: it was stored as damaged: restore it into a file, and look at what can be saved",
                  r->chosen.name);
        return EXIT_INTEGRITY;
    }
    l = calloc(1, sizeof *l);
    if (!l) return context_fault(r->c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    l->r = r;
    rsp_place_text(&r->connection.place, l->place, sizeof l->place);
    code = take_streams(l);
    if (code < 0) code = open_filter(r, &l->job);
    if (code < 0) code = run(l);
    if (l->job.o) job_close(&l->job);
    free(l->streams);
    free(l);
    return code;
}
