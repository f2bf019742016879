/* What this is: a snapshot into a live server: what is looked at before, the passes, the report.
 * Rests on: load_impl.h, rows.h.
 * Does not: write by itself (load_write.c). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "job/load_impl.h"
#include "job/rows.h"

/* The estimate, when no rate is set: what a server of the usual kind takes from one connection. */
#define NOMINAL_BYTES 150000000u /* a second */
#define NOMINAL_COMMANDS 300000u

/* ---- the target ---- */

static int refuse(struct load *x)
{
    const struct rsp_server_facts *f = rsp_server_facts(x->server);
    const char *name = rsp_server_name(x->server);
    if (f->role == RSP_SERVER_SENTINEL || !strcmp(f->mode, "sentinel"))
        return fail(&x->server_env, RSP_EUNSUPPORTED, name, "is a sentinel, which holds no data: name a server");
    if (!strcmp(f->mode, "cluster"))
        return fail(&x->server_env, RSP_EUNSUPPORTED, name, "restore into a cluster is not supported yet");
    if (f->role == RSP_SERVER_REPLICA)
        return fail(&x->server_env, RSP_EDENIED, name, "is a replica: restore into its master, %.128s:%" PRIu32,
                    f->master_host, f->master_port);
    return RSP_OK;
}

/* What every restore needs; the rest is met where it is missing. */
static int check_rights(struct load *x)
{
    const struct rsp_server_right *r;
    size_t n;
    int rc = rsp_server_rights(x->server, &r, &n);
    if (rc) return rc;
    for (size_t i = 0; i < n; i++) {
        int needed = !strcmp(r[i].command, "select") || !strcmp(r[i].command, "set") || !strcmp(r[i].command, "keys") ||
                     (x->o.resp.existing == RSP_EXISTING_FAIL && !strcmp(r[i].command, "msetnx")) ||
                     (x->o.resp.existing == RSP_EXISTING_REPLACE && !strcmp(r[i].command, "mset")) ||
                     (x->o.resp.payloads && !strcmp(r[i].command, "restore"));
        if (r[i].allowed || !needed || strcmp(r[i].for_what, "restore")) continue;
        return fail(&x->server_env, RSP_EDENIED, rsp_server_name(x->server),
                    "the user %s may not restore, and nothing was written: on the server, ACL SETUSER %s %s",
                    rsp_server_user(x->server), rsp_server_user(x->server), r[i].rule);
    }
    return RSP_OK;
}

static void ask_bulk_max(struct load *x)
{
    static const struct rsp_span argv[3] = {
        {(const uint8_t *)"CONFIG", 6}, {(const uint8_t *)"GET", 3}, {(const uint8_t *)"proto-max-bulk-len", 18}};
    const struct rsp_reply *r;
    int64_t v;
    if (rsp_server_ask(x->server, 3, argv, &r) || r->type != RSP_REPLY_ARRAY || r->n != 2) return; /* the default */
    if (r->child->next && i64_parse(r->child->next->text.p, r->child->next->text.n, &v) && v > 0)
        x->o.resp.target.bulk_max = (uint64_t)v;
}

/* RESTORE of a module's value ends in "Bad data format" where the module is not loaded. */
static void ask_modules(struct load *x)
{
    static const struct rsp_span argv[2] = {{(const uint8_t *)"MODULE", 6}, {(const uint8_t *)"LIST", 4}};
    const struct rsp_reply *r;
    if (!rsp_server_ask(x->server, 2, argv, &r) && r->type == RSP_REPLY_ARRAY) x->o.resp.target.no_modules = !r->n;
}

static int open_target(struct load *x)
{
    struct rsp_server_options so = {.size = sizeof so, .cancel = x->o.cancel, .patience_ms = 60000};
    const struct rsp_server_facts *f;
    int rc = rsp_server_open(&x->server_env, x->endpoint, &so, &x->server);
    if (!rc) rc = refuse(x);
    if (!rc) rc = check_rights(x);
    if (rc) return rc;
    f = rsp_server_facts(x->server);
    rc = rsp_resp_target_of(&x->server_env, f->kind, f->version_n, &x->o.resp.target);
    if (rc) return rc;
    ask_bulk_max(x);
    ask_modules(x);
    return RSP_OK;
}

/* ---- the plan ---- */

static int without_modules(struct load *x, const char *first)
{
    const struct rsp_resp_losses *l = &x->r.plan.losses;
    return fail(
        &x->server_env, RSP_EUNSUPPORTED, rsp_server_name(x->server),
        "the target has no modules loaded, and %" PRIu64
        " keys need them, the first \"%s\"%s%s%s: nothing was written: load the modules there, or allow that such "
        "keys are left out",
        l->n[RSP_LOSS_MODULE], first, l->module[0] ? " (" : "", l->module, l->module[0] ? ")" : "");
}

/* What the target cannot hold. */
static int judge_losses(struct load *x)
{
    const struct rsp_resp_losses *l = &x->r.plan.losses;
    if (x->o.resp.drop_losses || x->o.dry_run) return RSP_OK;
    for (int i = 0; i < RSP_LOSSES; i++) {
        char first[80];
        if (!l->n[i]) continue;
        printable(first, sizeof first, l->first[i], l->first_n[i]);
        if (i == RSP_LOSS_MODULE && x->o.resp.target.no_modules) return without_modules(x, first);
        return fail(&x->server_env, RSP_EUNSUPPORTED, rsp_server_name(x->server),
                    "the target cannot hold %s (%" PRIu64
                    ", the first \"%s\"), and nothing was written: allow that they "
                    "are left out, or choose another target",
                    rsp_resp_loss_text(i), l->n[i], first);
    }
    return RSP_OK;
}

static void estimate(struct load *x)
{
    struct rsp_load_plan *p = &x->r.plan;
    double s = (double)p->bytes / NOMINAL_BYTES, by_commands = (double)x->plan_commands / NOMINAL_COMMANDS, by_rate;
    if (by_commands > s) s = by_commands;
    by_rate = x->o.rate_bytes ? (double)p->bytes / (double)x->o.rate_bytes : 0;
    if (by_rate > s) s = by_rate;
    by_rate = x->o.rate_ops ? (double)p->keys / (double)x->o.rate_ops : 0;
    if (by_rate > s) s = by_rate;
    p->estimate_ms = s < 1e12 ? (uint64_t)(s * 1000) : (uint64_t)1e15;
}

/* ---- the checkpoint ---- */

static uint64_t options_hash(const struct load *x)
{
    static const uint8_t key[16] = "respite load opt";
    const struct rsp_resp_options *o = &x->o.resp;
    uint64_t n[] = {(uint64_t)o->existing, (uint64_t)o->ttl, (uint64_t)o->payloads, o->no_functions != 0,
                    o->drop_losses != 0};
    struct sip s;
    uint8_t b[8];
    sip_init(&s, key, 0);
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) store_le64(b, n[i]), sip_add(&s, b, 8);
    for (size_t i = 0; i < o->dbs_n; i++) {
        store_le32(b, o->dbs[i].from), store_le32(b + 4, o->dbs[i].to);
        sip_add(&s, b, 8);
    }
    return sip_end64(&s);
}

static int other(struct load *x, const char *what)
{
    return fail(&x->env, RSP_EINVAL, x->o.checkpoint,
                "the checkpoint is of a restore %s: finish that one, or remove the file to begin again", what);
}

/* Before anything is read: a checkpoint of something else. */
static int open_mark(struct load *x)
{
    const struct rsp_server_facts *f = rsp_server_facts(x->server);
    const char *snapshot = x->o.snapshot ? x->o.snapshot : "";
    char place[sizeof x->mark.place];
    int rc = checkpoint_read(&x->mark, x->o.checkpoint, &x->resumed);
    if (rc) return rc;
    printable(place, sizeof place, (const uint8_t *)rsp_server_name(x->server), strlen(rsp_server_name(x->server)));
    if (x->resumed) {
        if (strcmp(x->mark.snapshot, snapshot)) return other(x, "of another snapshot");
        if (strcmp(x->mark.run_id, f->run_id))
            return fail(&x->env, RSP_EINVAL, x->o.checkpoint,
                        "the checkpoint is of another server (%.100s), or that was started again: what was written may "
                        "be gone; remove the file and begin again",
                        x->mark.place);
        if (x->mark.options != options_hash(x)) return other(x, "with other options");
        x->skipped_before = x->mark.skipped;
        x->o.resp.now_ms = x->mark.now_ms; /* expiries are judged and moved as in the first run */
        x->o.resp.shift_ms = x->mark.shift_ms;
        return RSP_OK;
    }
    snprintf(x->mark.snapshot, sizeof x->mark.snapshot, "%s", snapshot);
    snprintf(x->mark.run_id, sizeof x->mark.run_id, "%s", f->run_id);
    snprintf(x->mark.place, sizeof x->mark.place, "%s", place);
    x->mark.options = options_hash(x);
    x->mark.now_ms = x->o.resp.now_ms;
    x->mark.shift_ms = x->o.resp.shift_ms;
    return RSP_OK;
}

/* ---- all of it ---- */

static int has_there(const struct load *x)
{
    const struct load_db *d = (const struct load_db *)(const void *)x->dbs.p;
    for (size_t i = 0; i < x->dbs.n / sizeof *d; i++)
        if (d[i].there) return 1;
    return 0;
}

static int plan(struct load *x)
{
    int rc = open_target(x);
    if (!rc && x->o.checkpoint) rc = open_mark(x);
    if (!rc) rc = load_check(x);
    if (rc) return rc;
    estimate(x);
    rc = judge_losses(x);
    if (!rc && x->resumed && x->mark.selection != x->selection)
        rc = other(x, "of other keys: the filter, or what it judges by, is another");
    x->mark.selection = x->selection;
    if (!rc) rc = load_look(x);
    if (!rc && x->o.resp.existing == RSP_EXISTING_FAIL && has_there(x))
        rc = load_exists(x, x->resumed ? x->mark.bound : 0);
    return rc;
}

static int load_all(struct load *x)
{
    struct rsp_rows *skipped = NULL;
    struct load_calls before = {0};
    struct rsp_env own = x->env;
    int compare = !x->o.no_compare, rc = plan(x);
    if (rc || x->o.dry_run) return rc;
    own.error = &x->own_error;
    x->mark.env.error = &x->own_error;
    if (compare && x->o.resp.existing == RSP_EXISTING_SKIP) rc = rows_new(&own, x->o.tmpdir, ROWS_RUN, &skipped);
    if (!rc && compare) rc = load_calls(x, &before);
    if (!rc) rc = load_write(x, skipped);
    if (!rc && compare) rc = load_compare(x, &before, skipped);
    rsp_rows_free(skipped);
    return rc;
}

static void clean(struct load *x)
{
    rsp_server_free(x->server);
    rsp_rows_free(x->expected);
    checkpoint_free(&x->mark);
    buf_free(&x->dbs);
    buf_free(&x->libraries);
}

int rsp_load(const struct rsp_env *env, int (*open)(void *ctx, struct rsp_source **source), void *ctx,
             const struct rsp_endpoint *endpoint, const struct rsp_load_options *options,
             struct rsp_load_report *report)
{
    struct rsp_env full;
    struct load *x;
    int rc;
    env_init(&full, env);
    x = mem_zero(&full, sizeof *x);
    if (!x) return RSP_ENOMEM;
    x->env = x->server_env = x->quiet = full;
    x->quiet.error = NULL;
    x->server_env.error = &x->server_error;
    if (options) memcpy(&x->o, options, options->size < sizeof x->o ? options->size : sizeof x->o);
    if (!x->o.resp.now_ms) x->o.resp.now_ms = full.now_ms(full.clock_opaque);
    x->open = open;
    x->ctx = ctx;
    x->endpoint = endpoint;
    x->r.size = report->size;
    buf_init(&x->dbs, &x->env);
    buf_init(&x->libraries, &x->env);
    checkpoint_init(&x->mark, &x->env);
    rc = load_all(x);
    if (rc < 0) {
        x->r.target_fault = x->server_error.code && rc != RSP_ECANCELED && rc != RSP_ENOMEM;
        load_hand_on(x, &x->env, rc);
    }
    clean(x);
    x->r.plan.size = sizeof x->r.plan;
    memcpy(report, &x->r, report->size < sizeof x->r ? report->size : sizeof x->r);
    mem_free(&full, x, sizeof *x);
    return rc;
}
