/* What this is: the repositories that one snapshot goes to, each with an upload for every open stream and its own fault.
 * Rests on: snapshot_impl.h.
 * Does not: seal: all get the same bytes. */
#include "repo/snapshot_impl.h"

/* The record of a fault is the env's of the place's repository, which may be that of all of them. */
void place_fault(struct rsp_snapshot_writer *w, struct place *p, int rc)
{
    struct rsp_error *e = p->repo->env.error;
    size_t i = (size_t)(p - w->places);
    p->status = rc;
    p->words.code = rc;
    if (e) {
        if (e->code) p->words = *e;
        rsp_error_clear(e);
    }
    for (struct rsp_stream_writer *s = w->streams; s; s = s->next) {
        rsp_upload_free(s->uploads[i]);
        s->uploads[i] = NULL;
    }
}

struct place *places_left(const struct rsp_snapshot_writer *w)
{
    for (size_t i = 0; i < w->places_n; i++)
        if (!w->places[i].status) return &w->places[i];
    return NULL;
}

struct place *places_first(struct rsp_snapshot_writer *w)
{
    struct place *p = places_left(w);
    if (!p && w->places_n && w->env.error && !w->env.error->code) *w->env.error = w->places[0].words;
    return p;
}

int places_each(struct rsp_snapshot_writer *w, int (*what)(struct rsp_snapshot_writer *w, struct place *p))
{
    for (size_t i = 0; i < w->places_n; i++) {
        struct place *p = &w->places[i];
        int rc = p->status ? RSP_OK : what(w, p);
        if (rc) place_fault(w, p, rc);
    }
    return places_first(w) ? RSP_OK : w->places[0].status;
}

/* What would only be missed at the commit is asked for now: a reader, and the right to write. */
static int check_rights(struct rsp_snapshot_writer *w, struct place *p)
{
    struct rsp_public *readers = NULL;
    const char *url = rsp_store_url(p->repo->store);
    size_t n = 0;
    int rc;
    if (memcmp(p->repo->lineage, w->repo->lineage, ID_BYTES) != 0)
        return fail(&p->repo->env, RSP_EINVAL, url,
                    "is of another lineage than %.100s: one snapshot is sealed for one lineage; make this one by "
                    "init --mirror-of, or copy to it with --rekey",
                    rsp_store_url(w->repo->store));
    if (!rsp_repo_signer(p->repo, RSP_ROLE_WRITE, w->source_id))
        return fail(
            &p->repo->env, RSP_ERIGHT, url,
            "no identity at hand has the right to write for source \"%s\"; give one that has, or let root add it",
            w->source);
    if (w->options.unsealed) return RSP_OK;
    rc = readers_of(p->repo, &readers, &n);
    mem_free(&p->repo->env, readers, n * sizeof *readers);
    return rc;
}

int places_open(struct rsp_snapshot_writer *w, struct rsp_repo *const *also, size_t n)
{
    if (n > SNAPSHOT_PLACES_MAX - 1)
        return fail(&w->env, RSP_ELIMIT, w->source, "a snapshot goes to at most %d repositories at once",
                    SNAPSHOT_PLACES_MAX);
    w->places = mem_zero(&w->env, (n + 1) * sizeof *w->places);
    if (!w->places) return RSP_ENOMEM;
    w->places_n = n + 1;
    w->places[0].repo = w->repo;
    for (size_t i = 0; i < n; i++) w->places[i + 1].repo = also[i];
    return places_each(w, check_rights);
}

void places_free(struct rsp_snapshot_writer *w)
{
    if (w->places) mem_free(&w->env, w->places, w->places_n * sizeof *w->places);
    w->places = NULL;
    w->places_n = 0;
}

/* ---- uploads: one thread at a time ---- */

static int upload_each(struct rsp_stream_writer *s,
                       int (*what)(struct rsp_stream_writer *s, size_t i, const void *bytes, size_t n),
                       const void *bytes, size_t n)
{
    struct rsp_snapshot_writer *w = s->w;
    int status;
    pthread_mutex_lock(&w->lock);
    for (size_t i = 0; i < w->places_n; i++) {
        int rc = w->places[i].status ? RSP_OK : what(s, i, bytes, n);
        if (rc) place_fault(w, &w->places[i], rc);
    }
    status = places_left(w) ? RSP_OK : w->places[0].status;
    pthread_mutex_unlock(&w->lock);
    return status;
}

static int begin(struct rsp_stream_writer *s, size_t i, const void *bytes, size_t n)
{
    (void)bytes, (void)n;
    return rsp_store_begin(s->w->places[i].repo->store, s->object, &s->uploads[i]);
}

static int write_some(struct rsp_stream_writer *s, size_t i, const void *bytes, size_t n)
{
    return rsp_upload_write(s->uploads[i], bytes, n);
}

static int end(struct rsp_stream_writer *s, size_t i, const void *bytes, size_t n)
{
    int rc = rsp_upload_commit(s->uploads[i]);
    (void)bytes, (void)n;
    if (rc) return rc; /* the fault gives it up, with the words that it has left */
    rsp_upload_free(s->uploads[i]);
    s->uploads[i] = NULL;
    return RSP_OK;
}

int stream_upload_begin(struct rsp_stream_writer *s)
{
    return upload_each(s, begin, NULL, 0);
}

int stream_upload_write(struct rsp_stream_writer *s, const void *bytes, size_t n)
{
    return upload_each(s, write_some, bytes, n);
}

int stream_upload_end(struct rsp_stream_writer *s)
{
    return upload_each(s, end, NULL, 0);
}

void stream_upload_abort(struct rsp_stream_writer *s)
{
    pthread_mutex_lock(&s->w->lock);
    for (size_t i = 0; i < s->w->places_n; i++) {
        rsp_upload_free(s->uploads[i]);
        s->uploads[i] = NULL;
    }
    pthread_mutex_unlock(&s->w->lock);
}

/* ---- proof ---- */

static int prove_stream(struct rsp_snapshot_writer *w, struct place *p, const struct rsp_stream_writer *s)
{
    struct object_run run = {
        .store = p->repo->store, .key = w->key, .lineage = w->repo->lineage, .refs = s->refs, .refs_n = s->refs_n};
    struct ahead *a = NULL;
    struct rsp_span view;
    int rc = ahead_new(&p->repo->env, &run, 0, w->options.threads, &a);
    while (!rc) rc = ahead_next(a, &view);
    ahead_free(a);
    return rc == RSP_END ? RSP_OK : rc;
}

int place_prove(struct rsp_snapshot_writer *w, struct place *p)
{
    int rc = RSP_OK;
    for (const struct rsp_stream_writer *s = w->streams; s && !rc; s = s->next) rc = prove_stream(w, p, s);
    return rc ? trail(&p->repo->env, rc, "reading back what was written") : RSP_OK;
}
