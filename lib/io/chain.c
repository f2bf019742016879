/* What this is: several stages in a row that behave as one.
 * Rests on: stage_impl.h.
 * Does not: tolerate bytes behind the end that a stage in the middle has found. */
#include <string.h>

#include "base/mem.h"
#include "io/stage_impl.h"

#define CHAIN_MOST 16
#define LINK_BYTES ((size_t)64 << 10)

struct link { /* between two stages: bytes [r, w) wait */
    uint8_t *p;
    size_t r, w;
};

struct chain {
    struct rsp_stage s;
    size_t count;
    struct rsp_stage *stages[CHAIN_MOST];
    struct link links[CHAIN_MOST - 1];
    int done[CHAIN_MOST];
};

/* Empties the gap before the waiting bytes when there is little room behind them. */
static void tidy(struct link *l)
{
    if (l->r == l->w) {
        l->r = l->w = 0;
    } else if (l->r && l->w == LINK_BYTES) {
        memmove(l->p, l->p + l->r, l->w - l->r);
        l->w -= l->r;
        l->r = 0;
    }
}

/* One step of stage i, from and into the links beside it. *moved is set when any cursor moved. */
static int step_one(struct chain *c, size_t i, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op, int *moved)
{
    struct link *before = i ? &c->links[i - 1] : NULL;
    struct link *after = i + 1 < c->count ? &c->links[i] : NULL;
    struct rsp_in near_in;
    struct rsp_out near_out;
    struct rsp_in *from = in;
    struct rsp_out *to = out;
    size_t from_was, to_was;
    int rc;
    if (before) {
        near_in.p = before->p;
        near_in.n = before->w;
        near_in.pos = before->r;
        from = &near_in;
    }
    if (after) {
        tidy(after);
        near_out.p = after->p;
        near_out.n = LINK_BYTES;
        near_out.pos = after->w;
        to = &near_out;
    }
    from_was = from->pos;
    to_was = to->pos;
    rc = rsp_stage_step(c->stages[i], from, to, op);
    if (rc < 0) return rc;
    if (before) before->r = near_in.pos;
    if (after) after->w = near_out.pos;
    if (from->pos != from_was || to->pos != to_was) *moved = 1;
    if (rc == RSP_END) c->done[i] = *moved = 1;
    return RSP_OK;
}

/* Bytes that come to a stage which has ended are foreign. */
static int check_left(struct chain *c, size_t i)
{
    struct link *l = &c->links[i - 1];
    if (l->r == l->w) return RSP_OK;
    return fail(&c->s.env, RSP_EFORMAT, c->stages[i]->name, "%zu bytes behind the end of its data", l->w - l->r);
}

static int chain_step(struct rsp_stage *s, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    struct chain *c = (struct chain *)s;
    size_t flushing = 0; /* stages up to this one are told to flush: those behind wait for all of its output */
    for (;;) {
        int moved = 0, all = 1;
        for (size_t i = 0; i < c->count; i++) {
            enum rsp_stage_op own = RSP_STAGE_RUN;
            int rc;
            if (c->done[i]) {
                rc = i ? check_left(c, i) : RSP_OK;
                if (rc) return rc;
                continue;
            }
            all = 0;
            if (i ? c->done[i - 1] : op == RSP_STAGE_END) own = RSP_STAGE_END;
            else if (op == RSP_STAGE_FLUSH && i <= flushing) own = RSP_STAGE_FLUSH;
            rc = step_one(c, i, in, out, own, &moved);
            if (rc) return rc;
        }
        if (all) return RSP_END;
        if (moved) continue;
        if (op != RSP_STAGE_FLUSH || ++flushing == c->count) return RSP_OK;
    }
}

static void chain_close(struct rsp_stage *s)
{
    struct chain *c = (struct chain *)s;
    for (size_t i = 0; i < c->count; i++) rsp_stage_free(c->stages[i]);
    for (size_t i = 0; i < CHAIN_MOST - 1; i++) mem_free(&s->env, c->links[i].p, LINK_BYTES);
}

static const struct stage_kind chain_kind = {"chain", chain_step, chain_close};

int rsp_chain_new(const struct rsp_env *env, struct rsp_stage *const *stages, size_t count, struct rsp_stage **ret)
{
    struct chain *c;
    *ret = NULL;
    c = stage_new(env, &chain_kind, sizeof *c);
    if (!c) return RSP_ENOMEM;
    if (!count || count > CHAIN_MOST) {
        int rc = fail(&c->s.env, RSP_EINVAL, "chain", "%zu stages; 1 to %d are possible", count, CHAIN_MOST);
        rsp_stage_free(&c->s);
        return rc;
    }
    for (size_t i = 0; i + 1 < count; i++) {
        c->links[i].p = mem_alloc(&c->s.env, LINK_BYTES);
        if (!c->links[i].p) {
            rsp_stage_free(&c->s); /* count is still 0: the stages stay the caller's */
            return RSP_ENOMEM;
        }
    }
    memcpy(c->stages, stages, count * sizeof *stages);
    c->count = count;
    *ret = &c->s;
    return RSP_OK;
}
