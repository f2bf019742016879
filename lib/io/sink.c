/* What this is: the part that all sinks share: the states live, committed, given up.
 * Rests on: sink_impl.h.
 * Does not: know where bytes go. A fault gives the sink up at once. */
#include <string.h>

#include "base/mem.h"
#include "io/sink_impl.h"

void *sink_new(const struct rsp_env *env, const struct sink_kind *kind, size_t bytes, const char *name)
{
    struct rsp_env e;
    struct rsp_sink *s;
    env_init(&e, env);
    s = mem_zero(&e, bytes);
    if (!s) return NULL;
    s->name = mem_strdup(&e, name ? name : "output");
    if (!s->name) {
        mem_free(&e, s, bytes);
        return NULL;
    }
    s->kind = kind;
    s->env = e;
    s->bytes = bytes;
    return s;
}

static int not_live(struct rsp_sink *s, const char *what)
{
    return fail(&s->env, RSP_ESTATE, s->name, "%s after %s", what,
                s->state == SINK_COMMITTED ? "the commit" : "a fault or abort");
}

int rsp_sink_write(struct rsp_sink *sink, const void *p, size_t n)
{
    int rc;
    if (sink->state != SINK_LIVE) return not_live(sink, "write");
    if (!n) return RSP_OK;
    rc = sink->kind->write(sink, p, n);
    if (rc) rsp_sink_abort(sink);
    else sink->written += n;
    return rc;
}

int rsp_sink_commit(struct rsp_sink *sink)
{
    int rc;
    if (sink->state != SINK_LIVE) return not_live(sink, "commit");
    rc = sink->kind->commit(sink);
    if (rc) rsp_sink_abort(sink);
    else sink->state = SINK_COMMITTED;
    return rc;
}

void rsp_sink_abort(struct rsp_sink *sink)
{
    if (!sink || sink->state != SINK_LIVE) return;
    sink->state = SINK_GIVEN_UP;
    if (sink->kind->abort) sink->kind->abort(sink);
}

uint64_t rsp_sink_written(const struct rsp_sink *sink)
{
    return sink->written;
}

void rsp_sink_free(struct rsp_sink *sink)
{
    struct rsp_env env;
    if (!sink) return;
    rsp_sink_abort(sink);
    env = sink->env;
    if (sink->kind->close) sink->kind->close(sink);
    mem_free(&env, sink->name, strlen(sink->name) + 1);
    mem_free(&env, sink, sink->bytes);
}
