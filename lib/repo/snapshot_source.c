/* What this is: a stream of a snapshot as a source.
 * Rests on: snapshot_impl.h, respite/source.h.
 * Does not: open objects itself; snapshot_ahead.c does. */
#include "repo/snapshot_impl.h"

struct stream_source {
    struct rsp_env env;
    struct ahead *ahead;
    struct rsp_span left; /* of the chunk in hand */
};

static int stream_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct stream_source *s = opaque;
    size_t n;
    if (!s->left.n) {
        int rc = ahead_next(s->ahead, &s->left);
        if (rc) return rc;
    }
    n = s->left.n < cap ? s->left.n : cap;
    memcpy(out, s->left.p, n);
    s->left.p += n;
    s->left.n -= n;
    *got = n;
    return RSP_OK;
}

static void stream_close(void *opaque)
{
    struct stream_source *s = opaque;
    struct rsp_env env = s->env;
    ahead_free(s->ahead);
    mem_free(&env, s, sizeof *s);
}

int run_source(const struct rsp_env *env, const struct object_run *run, uint64_t from, unsigned threads,
               const char *name, struct rsp_source **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, stream_read, stream_close};
    struct stream_source *s;
    int rc;
    *ret = NULL;
    s = mem_zero(env, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->env = *env;
    rc = ahead_new(env, run, from, threads, &s->ahead);
    if (!rc) rc = rsp_source_custom(env, &ops, s, name, ret);
    if (rc) stream_close(s);
    return rc;
}

int rsp_snapshot_source(struct rsp_snapshot *snapshot, size_t stream, uint64_t from, unsigned threads,
                        struct rsp_source **ret)
{
    const struct rsp_manifest *m = &snapshot->manifest->pub;
    const struct rsp_env *env = &snapshot->env;
    struct object_run run;
    char name[100];
    *ret = NULL;
    if (stream >= m->streams_n)
        return fail(env, RSP_EINVAL, NULL, "the snapshot has %zu streams, and none of number %zu", m->streams_n,
                    stream);
    if (from > m->streams[stream].plain)
        return fail(env, RSP_EINVAL, NULL, "offset %llu lies behind the stream's end at %llu", (unsigned long long)from,
                    (unsigned long long)m->streams[stream].plain);
    snapshot_run(snapshot, stream, &run);
    printable(name, sizeof name, m->streams[stream].name.p, m->streams[stream].name.n);
    return run_source(env, &run, from, threads, name, ret);
}
