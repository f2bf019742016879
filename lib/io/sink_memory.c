/* What this is: a sink that collects in memory.
 * Rests on: sink_impl.h, base/buf.h.
 * Does not: hold more than env's limit of one allocation. */
#include "base/buf.h"
#include "io/sink_impl.h"

struct memory_sink {
    struct rsp_sink s;
    struct buf b;
};

static int memory_write(struct rsp_sink *s, const void *p, size_t n)
{
    return buf_add(&((struct memory_sink *)s)->b, p, n);
}

static int memory_commit(struct rsp_sink *s)
{
    (void)s;
    return RSP_OK;
}

static void memory_drop(struct rsp_sink *s)
{
    buf_free(&((struct memory_sink *)s)->b);
}

static const struct sink_kind memory_kind = {memory_write, memory_commit, memory_drop, memory_drop};

int rsp_sink_memory(const struct rsp_env *env, struct rsp_sink **ret)
{
    struct memory_sink *m;
    *ret = NULL;
    m = sink_new(env, &memory_kind, sizeof *m, "memory");
    if (!m) return RSP_ENOMEM;
    buf_init(&m->b, &m->s.env);
    *ret = &m->s;
    return RSP_OK;
}

int rsp_sink_view(struct rsp_sink *sink, struct rsp_span *view)
{
    struct memory_sink *m = (struct memory_sink *)sink;
    view->p = NULL;
    view->n = 0;
    if (sink->kind != &memory_kind) return RSP_EINVAL;
    view->p = m->b.p;
    view->n = m->b.n;
    return RSP_OK;
}
