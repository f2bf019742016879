/* What this is: dumps cut anew into files by slot: the passes, one dump after the other.
 * Rests on: reshard_impl.h, respite/sys/rdb_run.h, respite/sys/pool.h.
 * Does not: look at records (reshard_record.c, _look.c, _write.c). */
#include <inttypes.h>
#include <stdio.h>

#include <respite/sys/pool.h>

#include "base/mem.h"
#include "flow/reshard_impl.h"

void rsp_reshard_even(size_t n, uint16_t owner[RSP_SLOTS])
{
    size_t slot = 0;
    if (!n || n > RSP_SLOTS) n = n ? RSP_SLOTS : 1;
    for (size_t k = 0; k < n; k++)
        for (size_t end = (2 * (k + 1) * RSP_SLOTS + n) / (2 * n); slot < end; slot++) owner[slot] = (uint16_t)k;
}

/* ---- one dump ---- */

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct reshard *r = ctx;
    int rc;
    switch (r->pass) {
    case PASS_LOOK: rc = reshard_look(r, env, task); break;
    case PASS_SAME: rc = reshard_same(r, env, task); break;
    case PASS_MEET: rc = reshard_meet(r, env, task); break;
    default: rc = reshard_write(r, env, task); break;
    }
    reshard_result_free(&r->env, task);
    return rc;
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    struct reshard *r = ctx;
    reshard_result_free(&r->env, task);
}

static void progress(void *opaque, uint64_t bytes)
{
    struct reshard *r = opaque;
    r->taken = bytes;
    if (r->o.run.progress) r->o.run.progress(r->o.run.progress_opaque, r->passed + bytes);
}

static void free_workers(struct reshard *r)
{
    for (unsigned k = 0; r->workers && k < r->threads; k++) {
        rsp_scratch_free(&r->env, &r->workers[k].scratch);
        rsp_rdb_value_free(r->workers[k].value);
    }
    mem_free(&r->env, r->workers, r->threads * sizeof *r->workers);
    r->workers = NULL;
    rsp_rdb_value_free(r->value);
    r->value = NULL;
}

static int judge_file(struct reshard *r, struct rsp_source *source, const struct rsp_rdb_run_result *result)
{
    const char *name = rsp_source_name(source);
    if (r->newest[result->feed.dialect] < result->feed.version) r->newest[result->feed.dialect] = result->feed.version;
    if (result->limited) return RSP_OK;
    if (result->feed.crc_state == RSP_RDB_CRC_WRONG)
        return fail(&r->env, RSP_ECHECKSUM, name,
                    "wrong checksum: the dump says %016" PRIx64 ", its bytes have CRC64 %016" PRIx64,
                    result->feed.crc_stored, result->feed.crc_computed);
    if (result->trailing)
        return fail_at(&r->env, RSP_EFORMAT, name, result->feed.offset, "bytes follow behind the end of the dump");
    return RSP_OK;
}

static int one_dump(struct reshard *r)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, reshard_work, join, drop};
    struct rsp_rdb_run_options o = r->o.run;
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_source *source = NULL;
    int rc = r->open(r->open_ctx, r->dump, &source);
    if (rc) return rc < 0 ? rc : RSP_EINVAL;
    r->workers = mem_zero(&r->env, r->threads * sizeof *r->workers);
    if (!r->workers) rc = RSP_ENOMEM;
    o.size = sizeof o;
    o.threads = r->threads;
    o.limit = r->left;
    o.progress = progress;
    o.progress_opaque = r;
    r->taken = 0;
    if (!rc) rc = rsp_rdb_run(&r->env, source, &o, &ops, r, &result);
    if (!rc) rc = judge_file(r, source, &result);
    if (!rc && r->o.run.limit) r->left -= result.accepted < r->left ? result.accepted : r->left;
    r->passed += rsp_source_taken(source);
    free_workers(r);
    rsp_source_free(source);
    return rc;
}

static int pass(struct reshard *r, enum reshard_pass which)
{
    int rc = RSP_OK;
    r->pass = which;
    r->left = r->o.run.limit;
    r->unsure_at = 0;
    for (r->dump = 0; r->dump < r->dumps && !rc; r->dump++) {
        if (r->o.run.limit && !r->left) break;
        rc = one_dump(r);
        if (!rc && which == PASS_LOOK) rc = reshard_looked(r);
    }
    return rc;
}

/* ---- all of it ---- */

static int look_for_twins(struct reshard *r)
{
    int rc;
    if (!r->any_shared) return RSP_OK;
    rc = reshard_same_begin(r);
    if (!rc) rc = pass(r, PASS_SAME);
    if (!rc) rc = reshard_same_found(r);
    if (rc) return rc == RSP_END ? RSP_OK : rc;
    return pass(r, PASS_MEET);
}

static int reshard(struct reshard *r, struct rsp_sink *const *sinks)
{
    int rc = pass(r, PASS_LOOK);
    if (!rc) rc = look_for_twins(r);
    if (!rc) rc = reshard_judge(r);
    if (!rc) rc = reshard_write_begin(r, sinks);
    if (!rc) rc = pass(r, PASS_WRITE);
    return rc ? rc : reshard_write_end(r);
}

static int set_up(struct reshard *r, const struct rsp_reshard_options *options)
{
    struct buf *const bufs[] = {&r->dbs,       &r->aux,    &r->before,     &r->after, &r->module_aux,
                                &r->libraries, &r->unsure, &r->candidates, &r->made};
    for (size_t k = 0; k < sizeof bufs / sizeof bufs[0]; k++) buf_init(bufs[k], &r->env);
    memcpy(&r->o, options, options->size && options->size < sizeof r->o ? options->size : sizeof r->o);
    r->threads = r->o.run.threads ? r->o.run.threads : rsp_pool_processors();
    if (!r->threads) r->threads = 1;
    if (r->o.target) {
        memcpy(&r->target, r->o.target, r->o.target->size < sizeof r->target ? r->o.target->size : sizeof r->target);
        r->has_target = 1;
    }
    if (!r->dumps || !r->sinks || r->sinks > RSP_SLOTS || (r->o.all && r->sinks != 1))
        return fail(&r->env, RSP_EINVAL, NULL, "%zu dumps do not go into %zu files", r->dumps, r->sinks);
    r->files = mem_zero(&r->env, r->sinks * sizeof *r->files);
    if (!r->files) return RSP_ENOMEM;
    if (r->env.random(r->env.random_opaque, r->key, sizeof r->key))
        return fail(&r->env, RSP_EIO, NULL, "no random bytes for a hash key");
    return RSP_OK;
}

static void clean(struct reshard *r)
{
    struct buf *const bufs[] = {&r->dbs,       &r->aux,    &r->before,     &r->after, &r->module_aux,
                                &r->libraries, &r->unsure, &r->candidates, &r->made};
    for (size_t k = 0; k < sizeof bufs / sizeof bufs[0]; k++) buf_free(bufs[k]);
    rsp_dups_free(r->dups);
    rsp_scratch_free(&r->env, &r->scratch);
    mem_free(&r->env, r->twice, r->twice_n * sizeof *r->twice);
    reshard_write_free(r);
    mem_free(&r->env, r->files, r->sinks * sizeof *r->files);
}

static void tell(const struct reshard *r, struct rsp_reshard_report *report)
{
    struct rsp_reshard_report out = {.size = report->size, .files = report->files};
    out.keys = r->keys;
    out.functions = r->functions;
    out.rdb_version = r->version;
    out.dialect = r->dialect;
    out.losses = r->losses;
    if (out.files && r->files) memcpy(out.files, r->files, r->sinks * sizeof *r->files);
    memcpy(report, &out, report->size < sizeof out ? report->size : sizeof out);
}

int rsp_reshard(const struct rsp_env *env, int (*open)(void *ctx, size_t i, struct rsp_source **source), void *ctx,
                size_t n, const struct rsp_reshard_options *options, struct rsp_sink *const *sinks, size_t sinks_n,
                struct rsp_reshard_report *report)
{
    struct rsp_env full;
    struct reshard *r;
    int rc;
    env_init(&full, env);
    r = mem_zero(&full, sizeof *r); /* too large for a stack */
    if (!r) return RSP_ENOMEM;
    r->env = full;
    r->open = open;
    r->open_ctx = ctx;
    r->dumps = n;
    r->sinks = sinks_n;
    rc = set_up(r, options);
    if (!rc) rc = reshard(r, sinks);
    if (report) tell(r, report);
    clean(r);
    mem_free(&full, r, sizeof *r);
    return rc;
}
