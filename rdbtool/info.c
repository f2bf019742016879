/* What this is: `rdbtool info`: one pass over the framing; with --digest over the values, too.
 * Rests on: info.h, stats.h, respite/sys/rdb_run.h, respite/sys/digest.h.
 * Does not: print (info_text.c, info_json.c). */
#include "rdbtool/info.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/pool.h>

#include "cli/exit.h"
#include "cli/print.h"
#include "cli/signal.h"
#include "rdbtool/sealed.h"

/* Framing is counted where batches come in order, so that the feeding thread can go on; with --digest the workers
 * look at values before. */
struct digester {
    struct rsp_error error; /* a record of its own: two threads never share one */
    struct rsp_env env;
    struct rsp_dd1_worker *worker;
};

struct info_run {
    struct info *info;
    struct digester *workers; /* NULL: no digest */
    unsigned n;
};

static int tell(const struct rsp_env *env, const struct rsp_error *words, int rc)
{
    if (rc < 0 && env->error && !env->error->code) *env->error = *words;
    return rc;
}

static int run_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct info_run *x = ctx;
    struct rsp_dd1_part *part = NULL;
    int rc;
    if (!x->workers) return RSP_OK;
    if (worker >= x->n) return RSP_ESTATE;
    rc = rsp_dd1_batch(x->workers[worker].worker, task, &part);
    task->result = part;
    return tell(env, &x->workers[worker].error, rc);
}

static int run_join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct info_run *x = ctx;
    int rc = RSP_OK;
    x->info->stats.env.error = env->error;
    if (x->workers) rc = rsp_dd1_fold(x->info->dd1, task, task->result);
    task->result = NULL;
    return rc ? rc : stats_batch(&x->info->stats, task->batch, task->verdicts);
}

static void run_drop(void *ctx, struct rsp_rdb_task *task)
{
    (void)ctx;
    rsp_dd1_drop(task->result);
    task->result = NULL;
}

static int open_digest(struct info_run *x)
{
    struct job *job = x->info->job;
    unsigned threads = job->run.threads ? job->run.threads : rsp_pool_processors();
    struct rsp_env quiet = job->env;
    int rc;
    quiet.error = NULL; /* the table is used by whatever thread joins */
    rc = rsp_dd1_table_new(&quiet, &x->info->dd1);
    if (rc) return rc;
    x->workers = calloc(threads, sizeof *x->workers);
    if (!x->workers) return RSP_ENOMEM;
    job->run.threads = threads;
    while (x->n < threads && !rc) {
        struct digester *d = &x->workers[x->n];
        d->env = job->env;
        d->env.error = &d->error;
        rc = rsp_dd1_worker_new(&d->env, &d->worker);
        if (!rc) x->n++;
    }
    return rc;
}

static int run(struct info *info)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, run_work, run_join, run_drop};
    struct info_run x = {info, NULL, 0};
    struct job *job = info->job;
    int rc = RSP_OK;
    if (job->o->value[O_DIGEST].count) rc = open_digest(&x);
    info->run.size = sizeof info->run;
    if (!rc) rc = rsp_rdb_run(&job->env, info->in->source, &job->run, &ops, &x, &info->run);
    for (unsigned i = 0; i < x.n; i++) rsp_dd1_worker_free(x.workers[i].worker);
    free(x.workers);
    return rc;
}

/* ---- verdict ---- */

const char *info_crc(const struct info *info)
{
    if (!info->run.feed.complete) return "not reached";
    switch (info->run.feed.crc_state) {
    case RSP_RDB_CRC_OK: return "ok";
    case RSP_RDB_CRC_WRONG: return "wrong";
    case RSP_RDB_CRC_DISABLED: return "not protected";
    default: return "none (RDB < 5)";
    }
}

int info_whole(const struct info *info)
{
    return info->run.feed.complete && !info->job->restricted;
}

const char *info_server(const struct info *info, struct rsp_span *version)
{
    *version = stats_aux(&info->stats, "valkey-ver");
    if (version->p) return "valkey";
    *version = stats_aux(&info->stats, "redis-ver");
    return version->p ? "redis" : NULL;
}

static int verdict(struct info *info)
{
    const struct rsp_rdb_feed_info *f = &info->run.feed;
    struct job *job = info->job;
    uint64_t broken = 0, at = 0;
    int code = EXIT_OK;
    if (info->status) return job_fault(job, info->status, info->in->name, EXIT_SOURCE);
    if (f->crc_state == RSP_RDB_CRC_WRONG) {
        print_err("%s: wrong checksum: the file says %016" PRIx64 ", its bytes have CRC64 %016" PRIx64, info->in->name,
                  f->crc_stored, f->crc_computed);
        return EXIT_INTEGRITY;
    }
    if (info->dd1) broken = rsp_dd1_table_broken(info->dd1, &at);
    if (broken) {
        print_err("%s: %" PRIu64 " malformed values (the first at offset %" PRIu64 "): dd1 is not that of the dataset",
                  info->in->name, broken, at);
        code = EXIT_FORMAT;
    }
    if (!info->run.trailing) return code;
    print_warn("%s: bytes follow behind the end of the dump (offset %" PRIu64 ")", info->in->name, f->offset);
    return code ? code : EXIT_FINDINGS;
}

static int report(struct info *info)
{
    stats_finish(&info->stats);
    if (info->status) {
        if (info->job->error.code) rsp_error_format(&info->job->error, info->fault, sizeof info->fault);
        else snprintf(info->fault, sizeof info->fault, "%s", rsp_status_text(info->status));
    }
    /* Of a file that is none of RDB there is nothing to tell. */
    if (info->run.feed.dialect && !signal_caught()) {
        if (info->job->o->value[O_JSON].count) info_json(info);
        else info_text(info);
    }
    return verdict(info);
}

int verb_info(struct job *job)
{
    struct info *info = calloc(1, sizeof *info);
    struct input in;
    int rc, code;
    if (!info) return job_fault(job, RSP_ENOMEM, NULL, EXIT_INTERNAL);
    rc = dump_open(job, &in, job->o->operand[0]);
    if (rc) {
        code = dump_fault(job, rc, &in);
        goto out;
    }
    info->job = job;
    info->in = &in;
    rc = stats_init(&info->stats, &job->env, rsp_filter_now_ms(job->filter), (unsigned)job->o->value[O_TOP].number);
    job_begin(job, in.name, in.size, 0);
    if (!rc) rc = run(info);
    if (!rc) rc = dump_late(job);
    job_end(job);
    info->status = rc;
    code = report(info);
out:
    stats_free(&info->stats);
    rsp_dd1_table_free(info->dd1);
    free(info);
    input_close(&in);
    return code;
}
