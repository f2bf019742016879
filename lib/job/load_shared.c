/* What this is: what all passes of a restore need: the streams, the databases, the options of a run.
 * Rests on: load_impl.h.
 * Does not: read anything by itself. */
#include <string.h>

#include "job/load_impl.h"

int load_source(struct load *x, size_t stream, struct rsp_source **source)
{
    int rc;
    *source = NULL;
    rc = x->open(x->ctx, stream, source);
    if (rc < 0 && x->env.error && !x->env.error->code) (void)fail(&x->env, rc, NULL, "cannot open the snapshot");
    return rc;
}

void load_pass(struct load *x, const char *what)
{
    if (x->o.pass) x->o.pass(x->o.opaque, what);
}

void load_run_options(const struct load *x, struct rsp_rdb_run_options *run)
{
    memset(run, 0, sizeof *run);
    run->size = sizeof *run;
    run->threads = x->o.threads;
    run->cancel = x->o.cancel;
    run->progress = x->o.progress;
    run->progress_opaque = x->o.opaque;
}

uint32_t load_map(const struct load *x, uint32_t db)
{
    for (size_t i = 0; i < x->o.resp.dbs_n; i++)
        if (x->o.resp.dbs[i].from == db) return x->o.resp.dbs[i].to;
    return db;
}

struct load_db *load_db(struct load *x, uint32_t db)
{
    struct load_db *d = (struct load_db *)(void *)x->dbs.p;
    size_t n = x->dbs.n / sizeof *d;
    for (size_t i = n; i > 0; i--)
        if (d[i - 1].db == db) return &d[i - 1];
    return NULL;
}

void load_losses_add(struct rsp_losses *to, const struct rsp_losses *more)
{
    if (!to->n[RSP_LOSS_MODULE]) {
        memcpy(to->module, more->module, sizeof to->module);
        to->module_from = more->module_from;
    }
    for (int k = 0; k < RSP_LOSSES; k++) {
        for (uint64_t i = 0; i < more->n[k] && i < RSP_LOSS_NAMES && to->n[k] + i < RSP_LOSS_NAMES; i++)
            to->names[k][to->n[k] + i] = more->names[k][i];
        to->n[k] += more->n[k];
    }
}
