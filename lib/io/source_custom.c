/* What this is: a source made of a caller's functions.
 * Rests on: source_impl.h.
 * Does not: trust what they answer: source.c checks it. */
#include <string.h>

#include "base/mem.h"
#include "io/source_impl.h"

struct custom_source {
    struct rsp_source s;
    struct rsp_source_ops ops;
    void *opaque;
};

static int custom_read(struct rsp_source *s, uint8_t *out, size_t cap, size_t *got)
{
    struct custom_source *c = (struct custom_source *)s;
    return c->ops.read(c->opaque, out, cap, got);
}

static void custom_close(struct rsp_source *s)
{
    struct custom_source *c = (struct custom_source *)s;
    if (c->ops.close) c->ops.close(c->opaque);
}

static const struct source_kind custom_kind = {custom_read, NULL, NULL, NULL, custom_close};

int rsp_source_custom(const struct rsp_env *env, const struct rsp_source_ops *ops, void *opaque, const char *name,
                      struct rsp_source **ret)
{
    struct rsp_source_ops own;
    struct custom_source *c;
    *ret = NULL;
    memset(&own, 0, sizeof own);
    memcpy(&own, ops, ops->size < sizeof own ? ops->size : sizeof own);
    if (!own.read) {
        struct rsp_env e;
        env_init(&e, env);
        return fail(&e, RSP_EINVAL, name, "a source needs a function to read");
    }
    c = source_new(env, &custom_kind, sizeof *c, name);
    if (!c) return RSP_ENOMEM;
    c->ops = own;
    c->opaque = opaque;
    *ret = &c->s;
    return RSP_OK;
}
