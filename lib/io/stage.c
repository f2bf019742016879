/* What this is: the part that all stages share, and stages made of a caller's functions.
 * Rests on: stage_impl.h.
 * Does not: let a stage be used after its end or after a fault. */
#include <string.h>

#include "base/mem.h"
#include "io/stage_impl.h"

void *stage_new(const struct rsp_env *env, const struct stage_kind *kind, size_t bytes)
{
    struct rsp_env e;
    struct rsp_stage *s;
    env_init(&e, env);
    s = mem_zero(&e, bytes);
    if (!s) return NULL;
    s->kind = kind;
    s->name = kind->name;
    s->env = e;
    s->bytes = bytes;
    return s;
}

int rsp_stage_step(struct rsp_stage *stage, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    size_t in_before = in->pos, out_before = out->pos;
    int rc;
    if (stage->state != STAGE_LIVE)
        return fail(&stage->env, RSP_ESTATE, stage->name, "a step after %s",
                    stage->state == STAGE_DEAD ? "a fault" : "the end");
    rc = stage->kind->step(stage, in, out, op);
    if (rc >= 0 && (in->pos < in_before || in->pos > in->n || out->pos < out_before || out->pos > out->n))
        rc = fail(&stage->env, RSP_EINVAL, stage->name, "the stage left its windows");
    if (rc > RSP_END) rc = fail(&stage->env, RSP_EINVAL, stage->name, "the stage gave status %d", rc);
    if (rc < 0) {
        stage->state = STAGE_DEAD;
        return fail(&stage->env, rc, stage->name, "%s", rsp_status_text(rc)); /* if the stage left no words */
    }
    if (rc == RSP_END) stage->state = STAGE_ENDED;
    return rc;
}

const char *rsp_stage_name(const struct rsp_stage *stage)
{
    return stage->name;
}

void rsp_stage_free(struct rsp_stage *stage)
{
    struct rsp_env env;
    if (!stage) return;
    env = stage->env;
    if (stage->kind->close) stage->kind->close(stage);
    mem_free(&env, stage, stage->bytes);
}

struct custom_stage {
    struct rsp_stage s;
    struct rsp_stage_ops ops;
    void *opaque;
    char *own_name;
};

static int custom_step(struct rsp_stage *s, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    struct custom_stage *c = (struct custom_stage *)s;
    return c->ops.step(c->opaque, in, out, op);
}

static void custom_close(struct rsp_stage *s)
{
    struct custom_stage *c = (struct custom_stage *)s;
    if (c->own_name) mem_free(&s->env, c->own_name, strlen(c->own_name) + 1);
    if (c->ops.close) c->ops.close(c->opaque);
}

static const struct stage_kind custom_kind = {"custom", custom_step, custom_close};

int rsp_stage_custom(const struct rsp_env *env, const struct rsp_stage_ops *ops, void *opaque, struct rsp_stage **ret)
{
    struct rsp_stage_ops own;
    struct custom_stage *c;
    *ret = NULL;
    memset(&own, 0, sizeof own);
    memcpy(&own, ops, ops->size < sizeof own ? ops->size : sizeof own);
    if (!own.step) {
        struct rsp_env e;
        env_init(&e, env);
        return fail(&e, RSP_EINVAL, own.name, "a stage needs a function to step");
    }
    c = stage_new(env, &custom_kind, sizeof *c);
    if (!c) return RSP_ENOMEM;
    if (own.name) {
        c->own_name = mem_strdup(&c->s.env, own.name);
        if (!c->own_name) {
            rsp_stage_free(&c->s); /* ops are not in place yet: the caller's close is not called */
            return RSP_ENOMEM;
        }
        c->s.name = c->own_name;
    }
    c->ops = own;
    c->opaque = opaque;
    *ret = &c->s;
    return RSP_OK;
}
