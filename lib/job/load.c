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

/* ---- the plan ---- */

static void first_name(const struct rsp_losses *l, int kind, char *out, size_t size)
{
    const struct rsp_loss_key *k = &l->names[kind][0];
    printable(out, size, k->p, k->n < sizeof k->p ? k->n : sizeof k->p);
}

/* What a module holds, and the target's modules do not. */
static int without_modules(struct load *x, const char *first)
{
    const struct rsp_losses *l = &x->r.plan.losses;
    const struct rsp_target *t = &x->r.plan.target;
    char target[64], whose[16] = "";
    rsp_target_text(t, target, sizeof target);
    if (l->module[0]) snprintf(whose, sizeof whose, " (%s)", l->module);
    if (l->module_from)
        return fail(&x->server_env, RSP_EUNSUPPORTED, x->name,
                    "redis %u.%u wrote the values of modules of %" PRIu64 " keys, the first \"%s\"%s, which an older "
                    "server, %s, does not read: nothing was written: choose a target as new, or allow that such keys "
                    "are left out",
                    (unsigned)(l->module_from / 10000), (unsigned)(l->module_from / 100 % 100), l->n[RSP_LOSS_MODULE],
                    first, whose, target);
    return fail(&x->server_env, RSP_EUNSUPPORTED, x->name,
                "the target has no module%s loaded for the values of %" PRIu64
                " keys, the first \"%s\"%s: nothing was written: load what they need there, or allow that such keys "
                "are left out",
                t->modules_n ? "" : "s", l->n[RSP_LOSS_MODULE], first, whose);
}

/* What the target cannot hold, or not so. */
static int judge_losses(struct load *x)
{
    const struct rsp_losses *l = &x->r.plan.losses;
    int kind = x->o.dry_run ? -1 : rsp_losses_judge(l, &x->o.resp.losses);
    char first[80];
    if (kind < 0) return RSP_OK;
    first_name(l, kind, first, sizeof first);
    if (kind == RSP_LOSS_MODULE && (x->o.resp.target.modules_known || l->module_from)) return without_modules(x, first);
    if (kind == RSP_LOSS_COLLISION)
        return fail(
            &x->server_env, RSP_EUNSUPPORTED, x->name,
            "%" PRIu64
            " keys are there twice, in two databases that become one or in two streams, the first \"%s\": nothing "
            "was written: allow that only the first one is written, or map the databases in another way",
            l->n[kind], first);
    if (kind == RSP_LOSS_DATABASE && x->routes->cluster)
        return fail(&x->server_env, RSP_EUNSUPPORTED, x->name,
                    "a cluster has only database 0, and %" PRIu64
                    " keys are in others, the first \"%s\" in database %" PRIu32
                    ": nothing was written: map the database, or allow that they are left out",
                    l->n[kind], first, l->names[kind][0].db);
    return fail(&x->server_env, RSP_EUNSUPPORTED, x->name,
                "the target cannot hold %s (%" PRIu64
                ", the first \"%s\"), and nothing was written: allow that %s, or choose another target",
                rsp_loss_text(kind), l->n[kind], first,
                rsp_loss_convertible(kind) ? "they are left out or converted" : "they are left out");
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
    int rc = load_target(x);
    if (!rc && x->o.checkpoint) rc = load_mark_open(x);
    if (!rc) rc = load_check(x);
    if (!rc) rc = routes_need(x->routes, x->slots);
    if (!rc) rc = load_twice(x);
    if (rc) return rc;
    estimate(x);
    rc = judge_losses(x);
    if (!rc) rc = load_mark_check(x);
    if (!rc) rc = load_look(x);
    if (!rc && x->o.resp.existing == RSP_EXISTING_FAIL && has_there(x))
        rc = load_exists(x, x->resumed ? x->mark.bound : 0);
    return rc;
}

static int load_all(struct load *x)
{
    struct rsp_rows *skipped = NULL;
    struct load_calls before = {0};
    int compare = !x->o.no_compare, rc = plan(x);
    if (rc || x->o.dry_run) return rc;
    x->mark.env.error = &x->own_error;
    if (compare && x->o.resp.existing == RSP_EXISTING_SKIP) rc = rows_new(&x->own_env, x->o.tmpdir, ROWS_RUN, &skipped);
    if (!rc && compare) rc = load_calls(x, &before);
    if (!rc) rc = load_write(x, skipped);
    if (!rc && compare) rc = load_compare(x, &before, skipped);
    rsp_rows_free(skipped);
    return rc;
}

static void clean(struct load *x)
{
    routes_free(x->routes);
    rsp_rows_free(x->expected);
    checkpoint_free(&x->mark);
    buf_free(&x->dbs), buf_free(&x->from_dbs), buf_free(&x->bases), buf_free(&x->twice);
    buf_free(&x->libraries), buf_free(&x->library_bytes);
}

int rsp_load(const struct rsp_env *env, int (*open)(void *ctx, size_t stream, struct rsp_source **source), void *ctx,
             const struct rsp_place *place, const struct rsp_load_options *options, struct rsp_load_report *report)
{
    struct rsp_env full;
    struct load *x;
    int rc;
    env_init(&full, env);
    x = mem_zero(&full, sizeof *x);
    if (!x) return RSP_ENOMEM;
    x->env = x->server_env = x->own_env = x->quiet = full;
    x->quiet.error = NULL;
    x->server_env.error = &x->server_error;
    x->own_env.error = &x->own_error;
    if (options) memcpy(&x->o, options, options->size < sizeof x->o ? options->size : sizeof x->o);
    if (!x->o.resp.now_ms) x->o.resp.now_ms = full.now_ms(full.clock_opaque);
    x->open = open;
    x->ctx = ctx;
    x->place = place;
    if (!x->o.streams) x->o.streams = 1;
    x->r.size = report->size;
    buf_init(&x->dbs, &x->env), buf_init(&x->from_dbs, &x->env);
    buf_init(&x->libraries, &x->env), buf_init(&x->library_bytes, &x->env);
    buf_init(&x->bases, &x->env), buf_init(&x->twice, &x->own_env);
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
