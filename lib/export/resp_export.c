/* What this is: an RDB file as commands, to a sink.
 * Rests on: resp_make.h, respite/sys/rdb_run.h.
 * Does not: make commands (resp_make.c). */
#include "export/resp_impl.h"

#define STAGE_BYTES (256u << 10)

struct export
{
    struct resp_maker *maker;
    struct rsp_sink *sink;
    struct buf stage;
    uint64_t bytes, selects;
    uint32_t db;
    int selected;
};

static int flush(struct export *x)
{
    int rc = x->stage.n ? rsp_sink_write(x->sink, x->stage.p, x->stage.n) : RSP_OK;
    x->stage.n = 0;
    return rc;
}

static int add(struct export *x, const void *p, size_t n)
{
    int rc = RSP_OK;
    x->bytes += n;
    if (n > STAGE_BYTES - x->stage.n) rc = flush(x);
    if (rc || !n) return rc;
    if (n >= STAGE_BYTES) return rsp_sink_write(x->sink, p, n);
    memcpy(x->stage.p + x->stage.n, p, n);
    x->stage.n += n;
    return RSP_OK;
}

static int emit(void *ctx, const struct resp_unit *unit)
{
    struct export *x = ctx;
    if (!(unit->flags & RESP_UNIT_FUNCTION) && (!x->selected || x->db != unit->db)) {
        uint8_t text[RESP_SLACK];
        struct buf b = {text, 0, sizeof text, NULL};
        int rc;
        RESP_PUT(&b, "*2\r\n$6\r\nSELECT\r\n");
        resp_put_u64(&b, unit->db);
        rc = add(x, text, b.n);
        if (rc) return rc;
        x->selected = 1;
        x->db = unit->db;
        x->selects++;
    }
    return add(x, unit->p, unit->n);
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct export *x = ctx;
    return resp_maker_work(x->maker, worker, env, task);
}

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct export *x = ctx;
    return resp_maker_join(x->maker, env, task, emit, x);
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    struct export *x = ctx;
    resp_maker_drop(x->maker, task);
}

int rsp_resp_export(const struct rsp_env *env, struct rsp_source *source, const struct rsp_resp_options *options,
                    struct rsp_sink *sink, struct rsp_resp_report *report)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work, join, drop};
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_resp_options o;
    struct export x = {.sink = sink};
    struct rsp_env full;
    int rc, last;
    env_init(&full, env);
    memset(&o, 0, sizeof o);
    memcpy(&o, options, options->size && options->size < sizeof o ? options->size : sizeof o);
    o.run.size = sizeof o.run;
    r.run.size = sizeof r.run;
    buf_init(&x.stage, &full);
    rc = resp_maker_new(&full, &o, &x.maker);
    if (!rc) rc = buf_reserve(&x.stage, STAGE_BYTES);
    if (!rc) {
        rc = rsp_rdb_run(env, source, &o.run, &ops, &x, &r.run);
        last = flush(&x); /* records before a fault are written */
        if (!rc) rc = last;
    }
    if (x.maker) resp_maker_report(x.maker, &r);
    r.commands += x.selects;
    r.bytes = x.bytes;
    resp_maker_free(x.maker);
    buf_free(&x.stage);
    if (!report) return rc;
    r.size = report->size && report->size < sizeof r ? report->size : sizeof r;
    memcpy(report, &r, r.size);
    return rc;
}
