/* What this is: what a target would lose of a dump, counted beside another reading of it.
 * Rests on: resp_make.h, respite/sys/rdb_run.h.
 * Does not: write commands; say what is wrong with a dump: whoever reads it does. */
#include "export/resp_impl.h"

struct rsp_resp_count {
    struct rsp_env env; /* without a record: threads share it */
    struct resp_maker *maker;
    int stopped; /* the fault of the dump that ended the counting */
};

static int emit(void *ctx, const struct resp_unit *unit)
{
    (void)ctx, (void)unit;
    return RSP_OK;
}

static int is_damage(int rc)
{
    return rc == RSP_EFORMAT || rc == RSP_ETRUNCATED || rc == RSP_ECHECKSUM || rc == RSP_EVERSION;
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct rsp_resp_count *c = ctx;
    if (__atomic_load_n(&c->stopped, __ATOMIC_RELAXED)) return RSP_OK;
    return resp_maker_work(c->maker, worker, env, task);
}

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct rsp_resp_count *c = ctx;
    struct rsp_error words = {0};
    struct rsp_env inner = *env;
    int rc;
    if (c->stopped || !task->result) {
        resp_maker_drop(c->maker, task);
        return RSP_OK;
    }
    inner.error = &words;
    rc = resp_maker_join(c->maker, &inner, task, emit, NULL);
    if (!is_damage(rc)) return resp_report_words(env, &words, rc);
    __atomic_store_n(&c->stopped, rc, __ATOMIC_RELAXED);
    return RSP_OK;
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    struct rsp_resp_count *c = ctx;
    if (task->result) resp_maker_drop(c->maker, task);
}

const struct rsp_rdb_run_ops *rsp_resp_count_ops(void)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work, join, drop};
    return &ops;
}

int rsp_resp_count_new(const struct rsp_env *env, const struct rsp_resp_options *options, struct rsp_resp_count **ret)
{
    struct rsp_resp_options o;
    struct rsp_resp_count *c;
    struct rsp_env full;
    int rc;
    *ret = NULL;
    env_init(&full, env);
    memset(&o, 0, sizeof o);
    memcpy(&o, options, options->size && options->size < sizeof o ? options->size : sizeof o);
    for (int k = 0; k < RSP_LOSSES; k++)
        o.losses.action[k] = rsp_loss_convertible(k) ? RSP_LOSS_CONVERT : RSP_LOSS_DROP;
    c = mem_zero(&full, sizeof *c);
    if (!c) return RSP_ENOMEM;
    rc = resp_maker_new(&full, &o, &c->maker);
    if (rc) {
        mem_free(&full, c, sizeof *c);
        return rc;
    }
    resp_maker_count(c->maker);
    c->env = full;
    c->env.error = NULL;
    *ret = c;
    return RSP_OK;
}

int rsp_resp_count_report(const struct rsp_resp_count *count, struct rsp_losses *losses)
{
    struct rsp_resp_report r = {.size = sizeof r};
    resp_maker_report(count->maker, &r);
    *losses = r.losses;
    return count->stopped;
}

void rsp_resp_count_free(struct rsp_resp_count *count)
{
    struct rsp_env env;
    if (!count) return;
    env = count->env;
    resp_maker_free(count->maker);
    mem_free(&env, count, sizeof *count);
}
