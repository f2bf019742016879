/* What this is: a source that draws from another one through a stage.
 * Rests on: source_impl.h, respite/stage.h.
 * Does not: tolerate bytes behind the end that the stage has found. */
#include "base/mem.h"
#include "io/source_impl.h"

#define THROUGH_BUFFER ((size_t)256 << 10)

struct through_source {
    struct rsp_source s;
    struct rsp_stage *stage;
    uint8_t *buffer;
    struct rsp_in in;
    int last;     /* inner has ended: the stage is told */
    int finished; /* the stage has said RSP_END */
};

/* The stage is at its end; nothing may follow. RSP_END, RSP_AGAIN or a fault. */
static int expect_end(struct through_source *t)
{
    struct rsp_source *inner = t->s.inner;
    struct rsp_span more = {NULL, 0};
    size_t left = t->in.n - t->in.pos;
    int rc = t->last ? RSP_END : rsp_source_peek(inner, 1, &more);
    if (rc == RSP_AGAIN && left) rc = RSP_OK; /* it is wrong already */
    if (rc != RSP_OK && rc != RSP_END) return rc;
    if (!left && !more.n) return RSP_END;
    return fail_at(&t->s.env, RSP_EFORMAT, t->s.name, rsp_source_taken(inner) - left,
                   "%s%zu bytes behind the compressed data", more.n ? "at least " : "", left + more.n);
}

static int through_read(struct rsp_source *s, uint8_t *out, size_t cap, size_t *got)
{
    struct through_source *t = (struct through_source *)s;
    struct rsp_out o = {out, cap, 0};
    for (;;) {
        size_t before = t->in.pos, n;
        int rc;
        if (t->finished) return expect_end(t);
        rc = rsp_stage_step(t->stage, &t->in, &o, t->last ? RSP_STAGE_END : RSP_STAGE_RUN);
        if (rc < 0) return rc;
        if (rc == RSP_END) t->finished = 1;
        if (o.pos) {
            *got = o.pos;
            return RSP_OK;
        }
        if (t->finished || t->in.pos != before) continue;
        if (t->last || t->in.pos < t->in.n)
            return fail(&s->env, RSP_EFORMAT, s->name, "the stage %s makes no progress", rsp_stage_name(t->stage));
        rc = rsp_source_read(s->inner, t->buffer, THROUGH_BUFFER, &n);
        if (rc == RSP_END) t->last = 1;
        else if (rc != RSP_OK) return rc;
        t->in.p = t->buffer;
        t->in.n = n;
        t->in.pos = 0;
    }
}

static int through_size(struct rsp_source *s, uint64_t *bytes)
{
    return rsp_source_size(s->inner, bytes);
}

static void through_close(struct rsp_source *s)
{
    struct through_source *t = (struct through_source *)s;
    rsp_stage_free(t->stage);
    rsp_source_free(s->inner);
    mem_free(&s->env, t->buffer, THROUGH_BUFFER);
}

static const struct source_kind through_kind = {through_read, NULL, through_size, NULL, through_close};

int rsp_source_through(const struct rsp_env *env, struct rsp_source *inner, struct rsp_stage *stage,
                       struct rsp_source **ret)
{
    struct through_source *t;
    *ret = NULL;
    t = source_new(env, &through_kind, sizeof *t, rsp_source_name(inner));
    if (!t) return RSP_ENOMEM;
    t->buffer = mem_alloc(&t->s.env, THROUGH_BUFFER);
    if (!t->buffer) {
        rsp_source_free(&t->s); /* neither inner nor stage has been taken over yet */
        return RSP_ENOMEM;
    }
    t->in.p = t->buffer;
    t->s.inner = inner;
    t->stage = stage;
    *ret = &t->s;
    return RSP_OK;
}
