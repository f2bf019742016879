/* What this is: a stream that a writer has ended, as a source, before anything is committed.
 * Rests on: snapshot_impl.h, respite/source.h.
 * Does not: need an identity that may read: the epoch's key is still in the writer's memory. */
#include "repo/snapshot_impl.h"

struct written_source {
    struct rsp_env env;
    struct rsp_stream_writer *s;
    struct rsp_source *inner;
};

/* What does not come back as it was sealed must not be committed. */
static int written_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct written_source *r = opaque;
    int rc = rsp_source_read(r->inner, out, cap, got);
    if (rc >= 0) return rc;
    r->s->state = STREAM_FAULT;
    return trail(&r->env, rc, "reading back what was written");
}

static void written_close(void *opaque)
{
    struct written_source *r = opaque;
    struct rsp_env env = r->env;
    rsp_source_free(r->inner);
    mem_free(&env, r, sizeof *r);
}

static int check_asked(const struct rsp_stream_writer *s)
{
    if (s->w->state != WRITER_OPEN)
        return fail(&s->env, RSP_ESTATE, s->w->source, "the snapshot has been committed, or a fault has ended it");
    if (s->state == STREAM_ENDED) return RSP_OK;
    return fail(&s->env, RSP_ESTATE, s->w->source,
                s->state == STREAM_OPEN ? "the stream \"%s\" is read back when it has ended"
                                        : "a fault has ended the stream \"%s\"",
                s->name);
}

/* The store may be in use: by the other streams. */
static int open_inner(struct written_source *r, unsigned threads)
{
    const struct rsp_stream_writer *s = r->s;
    struct rsp_snapshot_writer *w = s->w;
    struct object_run run = {.key = w->key, .lineage = w->repo->lineage, .refs = s->refs, .refs_n = s->refs_n};
    const struct place *from;
    char name[MANIFEST_SOURCE_MAX + 1];
    pthread_mutex_lock(&w->lock);
    from = places_left(w);
    pthread_mutex_unlock(&w->lock);
    if (!from) {
        if (s->env.error && !s->env.error->code) *s->env.error = w->places[0].words;
        return w->places[0].status;
    }
    run.store = from->repo->store;
    run.lock = &w->lock;
    run.words = from->repo->env.error;
    printable(name, sizeof name, (const uint8_t *)s->name, strlen(s->name));
    return run_source(&r->env, &run, 0, threads ? threads : w->options.threads, name, &r->inner);
}

int rsp_stream_written(struct rsp_stream_writer *s, unsigned threads, struct rsp_source **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, written_read, written_close};
    struct written_source *r;
    int rc = check_asked(s);
    *ret = NULL;
    if (rc) return rc;
    r = mem_zero(&s->env, sizeof *r);
    if (!r) return RSP_ENOMEM;
    r->env = s->env;
    r->s = s;
    rc = open_inner(r, threads);
    if (!rc) rc = rsp_source_custom(&r->env, &ops, r, rsp_source_name(r->inner), ret);
    if (rc) written_close(r);
    return rc;
}
