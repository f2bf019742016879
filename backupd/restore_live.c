/* What this is: backupd restore into a running server: the plan, the writing, and what the comparison says.
 * Rests on: restore.h, cli/reading.h (filters), respite/sys/live.h.
 * Does not: write anything before the whole snapshot was verified (the library does not either). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/live.h>

#include "backupd/restore.h"
#include "cli/exit.h"
#include "cli/reading.h"
#include "cli/signal.h"
#include "cli/text.h"

#define DBS_MOST 1024

struct live {
    struct restore *r;
    struct job job; /* the filter, and the run that it is part of */
    struct rsp_load_options o;
    struct rsp_load_report report;
    struct rsp_resp_db dbs[DBS_MOST];
    size_t stream;
    uint64_t plain;
    char place[320];
};

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

int restore_live_usage(struct restore *r)
{
    const struct options *o = r->c->o;
    struct rsp_resp_db *dbs = calloc(DBS_MOST, sizeof *dbs);
    struct job job;
    size_t n;
    int policy, code;
    if (!dbs) return context_fault(r->c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    code = take_maps(o, dbs, &n);
    free(dbs);
    if (code < 0) code = take_policy(o, &policy);
    if (code >= 0) return code;
    code = open_filter(r, &job);
    job_close(&job);
    return code;
}

static int open_source(void *opaque, struct rsp_source **source)
{
    const struct live *l = opaque;
    return rsp_snapshot_source(l->r->chosen.snapshot, l->stream, 0, l->o.threads, source);
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
    o->resp.drop_losses = v[O_ON_LOSS].number == LOSS_DROP;
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

/* ---- report ---- */

static uint64_t losses_of(const struct rsp_resp_losses *losses)
{
    uint64_t n = 0;
    for (int i = 0; i < RSP_LOSSES; i++) n += losses->n[i];
    return n;
}

static void say_losses(const struct rsp_resp_losses *losses, const char *verb)
{
    for (int i = 0; i < RSP_LOSSES; i++) {
        if (!losses->n[i]) continue;
        printf("%s: %" PRIu64 " of %s", verb, losses->n[i], rsp_resp_loss_text(i));
        if (losses->first_n[i]) {
            printf(", the first: ");
            text_put(losses->first[i], losses->first_n[i], sizeof losses->first[i]);
        }
        putchar('\n');
    }
}

static void say_plan(const struct live *l)
{
    const struct rsp_load_plan *p = &l->report.plan;
    char bytes[TEXT_MAX], time[TEXT_MAX];
    printf("would restore %s into %s: %" PRIu64 " keys, %" PRIu64 " with an expiry, %" PRIu64 " functions\n",
           l->r->chosen.name, l->place, p->keys, p->expires, p->functions);
    printf("%s of commands, about %s\n", text_size(bytes, p->bytes), text_duration(time, (int64_t)p->estimate_ms));
    if (p->dropped) printf("left out, expired: %" PRIu64 "\n", p->dropped);
    say_losses(&p->losses, l->o.resp.drop_losses ? "would be left out" : "cannot be held there");
    printf("the server holds %" PRIu64 " keys", p->target_keys);
    if (p->existing) printf("; %" PRIu64 " of those of the snapshot exist: --existing skip or replace", p->existing);
    putchar('\n');
}

static void say_compare(const struct live *l)
{
    const struct rsp_load_report *p = &l->report;
    const struct rsp_compare_report *cmp = &p->compare;
    char expected[33], found[33];
    text_hex(expected, cmp->expected, 16);
    text_hex(found, cmp->found, 16);
    if (!p->compared) {
        if (!l->o.no_compare) printf("not comparable: %s\n", p->why_not);
        return;
    }
    printf("the server's data compared: %s, dd1:%s dd1:%s\n",
           cmp->verdict == RSP_COMPARE_EQUAL ? "equal"
           : p->disturbed                    ? "not comparable, other clients wrote"
                                             : "DIFFERENT",
           expected, found);
    if (cmp->opaque)
        printf("%" PRIu64
               " values of modules are there, with their expiry, and written in another way: only their module "
               "could compare them\n",
               cmp->opaque);
    if (cmp->expired) printf("left out on both sides, expired: %" PRIu64 "\n", cmp->expired);
    if (cmp->verdict == RSP_COMPARE_EQUAL) return;
    printf("%" PRIu64 " keys are missing, %" PRIu64 " are other, the first: %s\n", cmp->missing, cmp->changed,
           cmp->first);
}

static void say_done(const struct live *l)
{
    const struct rsp_load_report *p = &l->report;
    char bytes[TEXT_MAX], time[TEXT_MAX];
    printf("restored %" PRIu64 " keys of %s in %s to %s", p->keys, l->r->chosen.name,
           text_duration(time, (int64_t)p->write_ms), l->place);
    if (p->functions) printf(", %" PRIu64 " functions", p->functions);
    if (p->skipped) printf(", %" PRIu64 " skipped: they exist", p->skipped);
    if (p->resumed) printf(", %" PRIu64 " of an earlier run", p->resumed);
    printf(", %s sent\n", text_size(bytes, p->sent_bytes));
    if (p->plan.dropped) printf("left out, expired: %" PRIu64 "\n", p->plan.dropped);
    say_losses(&p->plan.losses, "left out");
    say_compare(l);
}

static void json_losses(struct json *j, const struct rsp_resp_losses *losses)
{
    json_array(j, "losses");
    for (int i = 0; i < RSP_LOSSES; i++) {
        if (!losses->n[i]) continue;
        json_object(j, NULL);
        json_text(j, "what", rsp_resp_loss_text(i));
        json_u64(j, "count", losses->n[i]);
        json_bytes(j, "first", (struct rsp_span){losses->first[i], losses->first_n[i]});
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void json_compare(const struct live *l, struct json *j)
{
    const struct rsp_load_report *p = &l->report;
    const struct rsp_compare_report *cmp = &p->compare;
    char dd1[33];
    json_bool(j, "compared", p->compared);
    if (!p->compared && !l->o.no_compare) json_text(j, "why_not", p->why_not);
    if (!p->compared) return;
    json_bool(j, "equal", cmp->verdict == RSP_COMPARE_EQUAL);
    json_bool(j, "disturbed", p->disturbed);
    text_hex(dd1, cmp->expected, 16);
    json_text(j, "dd1_expected", dd1);
    text_hex(dd1, cmp->found, 16);
    json_text(j, "dd1_found", dd1);
    json_u64(j, "missing", cmp->missing);
    json_u64(j, "changed", cmp->changed);
    json_u64(j, "others", cmp->others);
    json_u64(j, "expired", cmp->expired);
    json_u64(j, "opaque", cmp->opaque);
    if (cmp->verdict != RSP_COMPARE_EQUAL) json_text(j, "first", cmp->first);
}

static void report_json(const struct live *l)
{
    const struct rsp_load_report *p = &l->report;
    struct json j;
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_text(&j, "snapshot", l->o.snapshot);
    json_text(&j, "server", l->place);
    json_bool(&j, "dry_run", l->o.dry_run);
    json_object(&j, "plan");
    json_u64(&j, "keys", p->plan.keys);
    json_u64(&j, "expires", p->plan.expires);
    json_u64(&j, "functions", p->plan.functions);
    json_u64(&j, "bytes", p->plan.bytes);
    json_u64(&j, "dropped", p->plan.dropped);
    json_u64(&j, "target_keys", p->plan.target_keys);
    json_u64(&j, "existing", p->plan.existing);
    json_u64(&j, "estimate_ms", p->plan.estimate_ms);
    json_losses(&j, &p->plan.losses);
    json_close(&j, '}');
    if (!l->o.dry_run) {
        json_u64(&j, "keys", p->keys);
        json_u64(&j, "skipped", p->skipped);
        json_u64(&j, "functions", p->functions);
        json_u64(&j, "commands", p->commands);
        json_u64(&j, "sent_bytes", p->sent_bytes);
        json_u64(&j, "resumed", p->resumed);
        json_u64(&j, "write_ms", p->write_ms);
        json_compare(l, &j);
    }
    context_json_troubles(l->r->c, &j);
    json_close(&j, '}');
}

/* ---- the verdict ---- */

static int verdict(const struct live *l)
{
    const struct rsp_load_report *p = &l->report;
    int left = losses_of(&p->plan.losses) != 0;
    if (l->o.dry_run) return left || p->plan.existing ? EXIT_FINDINGS : EXIT_OK;
    if (!p->compared) return left || !l->o.no_compare ? EXIT_FINDINGS : EXIT_OK;
    if (p->compare.verdict == RSP_COMPARE_EQUAL) return left ? EXIT_FINDINGS : EXIT_OK;
    return p->disturbed ? EXIT_FINDINGS : EXIT_TARGET;
}

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
    if (rc == RSP_EUNSUPPORTED) print_err("--on-loss drop leaves out what the server cannot hold");
    else if (target && l->o.checkpoint && p->keys) print_err("%s: the same command goes on from here", l->o.checkpoint);
    return target ? connection_exit(rc, EXIT_TARGET) : code;
}

/* A target that is not there is told at once: only one that is loading is waited for. */
static int probe(const struct live *l)
{
    struct context *c = l->r->c;
    struct rsp_server_options options = {.size = sizeof options, .cancel = signal_flag()};
    struct rsp_server *server = NULL;
    int code, rc = rsp_server_open(&c->env, &l->r->connection.endpoint, &options, &server);
    rsp_server_free(server);
    if (!rc || rc == RSP_EBUSY) {
        rsp_error_clear(&c->error);
        return -1;
    }
    code = context_fault(c, rc, l->place, EXIT_TARGET);
    return signal_caught() ? code : connection_exit(rc, EXIT_TARGET);
}

static int run(struct live *l)
{
    struct restore *r = l->r;
    char id[33];
    int rc, code = fill(l, id);
    if (code < 0) code = probe(l);
    if (code >= 0) return code;
    l->report.size = sizeof l->report;
    rc = rsp_load(&r->c->env, open_source, l, &r->connection.endpoint, &l->o, &l->report);
    context_end(r->c);
    if (rc) return fault(l, rc);
    if (r->c->o->value[O_JSON].count) report_json(l);
    else if (l->o.dry_run) say_plan(l);
    else say_done(l);
    return verdict(l);
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
    rsp_endpoint_text(&r->connection.endpoint, l->place, sizeof l->place);
    code = restore_stream(r, &l->stream) ? EXIT_NOT_FOUND : -1;
    if (code < 0) l->plain = rsp_snapshot_manifest(r->chosen.snapshot)->streams[l->stream].plain;
    if (code < 0) code = open_filter(r, &l->job);
    if (code < 0) code = run(l);
    if (l->job.o) job_close(&l->job);
    free(l);
    return code;
}
