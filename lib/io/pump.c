/* What this is: moving everything from a source through a stage to a sink.
 * Rests on: respite/sink.h, stage_impl.h.
 * Does not: keep anything between two calls: when it answers RSP_AGAIN, all that was read has
 *   gone into the stage and all that came out of it into the sink. */
#include "base/mem.h"
#include "io/sink_impl.h"
#include "io/stage_impl.h"

#define PUMP_BUFFER ((size_t)256 << 10)

static int copy(struct rsp_source *source, struct rsp_sink *sink, uint8_t *buffer)
{
    for (;;) {
        size_t n;
        int rc = rsp_source_read(source, buffer, PUMP_BUFFER, &n);
        if (rc) return rc == RSP_END ? RSP_OK : rc;
        rc = rsp_sink_write(sink, buffer, n);
        if (rc) return rc;
    }
}

/* Steps until all of in is absorbed and nothing more comes out: RSP_OK, or RSP_END. */
static int drive(struct rsp_stage *stage, struct rsp_in *in, struct rsp_sink *sink, uint8_t *buffer,
                 enum rsp_stage_op op)
{
    for (;;) {
        struct rsp_out out = {buffer, PUMP_BUFFER, 0};
        size_t before = in->pos;
        int rc = rsp_stage_step(stage, in, &out, op), written;
        if (rc < 0) return rc;
        written = rsp_sink_write(sink, buffer, out.pos);
        if (written) return written;
        if (rc == RSP_END) return rc;
        if (out.pos || in->pos != before) continue;
        if (in->pos == in->n && op != RSP_STAGE_END) return RSP_OK;
        return fail(&sink->env, RSP_EFORMAT, stage->name, "the stage makes no progress");
    }
}

/* The stage has ended: so must the source. */
static int expect_end(struct rsp_source *source, struct rsp_sink *sink, size_t left)
{
    struct rsp_span more = {NULL, 0};
    int rc = rsp_source_peek(source, 1, &more);
    if (rc == RSP_AGAIN && left) rc = RSP_OK; /* it is wrong already */
    if (rc) return rc;
    if (!left && !more.n) return RSP_OK;
    return fail(&sink->env, RSP_EFORMAT, rsp_source_name(source), "%s%zu bytes behind the compressed data",
                more.n ? "at least " : "", left + more.n);
}

static int through(struct rsp_source *source, struct rsp_stage *stage, struct rsp_sink *sink, uint8_t *buffer)
{
    uint8_t *outward = buffer + PUMP_BUFFER;
    for (;;) {
        struct rsp_in in = {buffer, 0, 0};
        int rc, ended;
        if (stage->state == STAGE_ENDED) return expect_end(source, sink, 0); /* an earlier call came this far */
        rc = rsp_source_read(source, buffer, PUMP_BUFFER, &in.n);
        if (rc != RSP_OK && rc != RSP_END) return rc;
        ended = rc == RSP_END;
        rc = drive(stage, &in, sink, outward, ended ? RSP_STAGE_END : RSP_STAGE_RUN);
        if (rc < 0) return rc;
        if (rc == RSP_END) return expect_end(source, sink, in.n - in.pos);
    }
}

int rsp_pump(struct rsp_source *source, struct rsp_stage *stage, struct rsp_sink *sink)
{
    size_t n = stage ? 2 * PUMP_BUFFER : PUMP_BUFFER;
    uint8_t *buffer = mem_alloc(&sink->env, n);
    int rc;
    if (!buffer) return RSP_ENOMEM;
    rc = stage ? through(source, stage, sink, buffer) : copy(source, sink, buffer);
    mem_free(&sink->env, buffer, n);
    return rc;
}
