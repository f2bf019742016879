/* What this is: a stream that a writer has ended, as a source, before anything is committed.
 * Rests on: snapshot_impl.h, respite/source.h.
 * Does not: need an identity that may read: the epoch's key is still in the writer's memory. */
#include "repo/snapshot_impl.h"

struct written_source {
    struct rsp_env env;
    struct rsp_snapshot_writer *w;
    struct rsp_source *inner;
    struct full_ref *refs; /* a copy: the writer's grow with its next stream */
    size_t refs_n;
};

/* What does not come back as it was sealed must not be committed. */
static int written_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct written_source *s = opaque;
    int rc = rsp_source_read(s->inner, out, cap, got);
    if (rc >= 0) return rc;
    s->w->state = WRITER_ENDED;
    return trail(&s->env, rc, "reading back what was written");
}

static void written_close(void *opaque)
{
    struct written_source *s = opaque;
    struct rsp_env env = s->env;
    rsp_source_free(s->inner);
    mem_free(&env, s->refs, s->refs_n * sizeof *s->refs);
    mem_free(&env, s, sizeof *s);
}

static int check_asked(const struct rsp_snapshot_writer *w, size_t stream)
{
    if (w->state != WRITER_BETWEEN)
        return fail(&w->env, RSP_ESTATE, w->source,
                    w->state == WRITER_ENDED ? "the snapshot has been committed, or a fault has ended it"
                                             : "a stream is read back when it has ended");
    if (stream >= w->streams_n)
        return fail(&w->env, RSP_EINVAL, w->source, "the snapshot has %zu streams, and none of number %zu",
                    w->streams_n, stream);
    return RSP_OK;
}

static int open_inner(struct written_source *s, const struct written_stream *of, unsigned threads)
{
    const struct place *from = places_first(s->w);
    struct object_run run = {from ? from->repo->store : NULL, s->w->key, s->w->repo->lineage, NULL, of->n};
    char name[100];
    if (!from) return s->w->places[0].status;
    if (of->n) {
        s->refs = mem_alloc(&s->env, of->n * sizeof *s->refs);
        if (!s->refs) return RSP_ENOMEM;
        s->refs_n = of->n;
        memcpy(s->refs, s->w->refs + of->from, of->n * sizeof *s->refs);
    }
    run.refs = s->refs;
    printable(name, sizeof name, (const uint8_t *)of->name, strlen(of->name));
    return run_source(&s->env, &run, 0, threads ? threads : s->w->options.threads, name, &s->inner);
}

int rsp_snapshot_written(struct rsp_snapshot_writer *w, size_t stream, unsigned threads, struct rsp_source **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, written_read, written_close};
    struct written_source *s;
    int rc = check_asked(w, stream);
    *ret = NULL;
    if (rc) return rc;
    s = mem_zero(&w->env, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->env = w->env;
    s->w = w;
    rc = open_inner(s, &w->streams[stream], threads);
    if (!rc) rc = rsp_source_custom(&w->env, &ops, s, rsp_source_name(s->inner), ret);
    if (rc) written_close(s);
    return rc;
}
