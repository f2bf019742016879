/* What this is: the repositories that one snapshot goes to, each with its own upload and its own fault.
 * Rests on: snapshot_impl.h.
 * Does not: seal: all get the same bytes. */
#include "repo/snapshot_impl.h"

/* The record of a fault is the env's of the place's repository, which may be that of all of them. */
void place_fault(struct place *p, int rc)
{
    struct rsp_error *e = p->repo->env.error;
    p->status = rc;
    if (!e) return;
    if (e->code) p->words = *e;
    else p->words.code = rc;
    rsp_error_clear(e);
}

struct place *places_first(struct rsp_snapshot_writer *w)
{
    for (size_t i = 0; i < w->places_n; i++)
        if (!w->places[i].status) return &w->places[i];
    if (w->places_n && w->env.error && !w->env.error->code) *w->env.error = w->places[0].words;
    return NULL;
}

int places_each(struct rsp_snapshot_writer *w, int (*what)(struct rsp_snapshot_writer *w, struct place *p))
{
    for (size_t i = 0; i < w->places_n; i++) {
        struct place *p = &w->places[i];
        int rc = p->status ? RSP_OK : what(w, p);
        if (!rc) continue;
        place_fault(p, rc);
        rsp_upload_free(p->upload);
        p->upload = NULL;
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
    places_abort(w);
    if (w->places) mem_free(&w->env, w->places, w->places_n * sizeof *w->places);
    w->places = NULL;
    w->places_n = 0;
}

int place_begin(struct rsp_snapshot_writer *w, struct place *p)
{
    return rsp_store_begin(p->repo->store, w->name, &p->upload);
}

int place_end(struct rsp_snapshot_writer *w, struct place *p)
{
    int rc = rsp_upload_commit(p->upload);
    (void)w;
    rsp_upload_free(p->upload);
    p->upload = NULL;
    return rc;
}

int places_write(struct rsp_snapshot_writer *w, const void *bytes, size_t n)
{
    for (size_t i = 0; i < w->places_n; i++) {
        struct place *p = &w->places[i];
        int rc = p->status ? RSP_OK : rsp_upload_write(p->upload, bytes, n);
        if (!rc) continue;
        place_fault(p, rc);
        rsp_upload_free(p->upload);
        p->upload = NULL;
    }
    return places_first(w) ? RSP_OK : w->places[0].status;
}

void places_abort(struct rsp_snapshot_writer *w)
{
    for (size_t i = 0; i < w->places_n; i++) {
        rsp_upload_free(w->places[i].upload);
        w->places[i].upload = NULL;
    }
}

int place_prove(struct rsp_snapshot_writer *w, struct place *p)
{
    struct object_run run = {p->repo->store, w->key, w->repo->lineage, w->refs, w->refs_n};
    struct ahead *a = NULL;
    struct rsp_span view;
    int rc = ahead_new(&p->repo->env, &run, 0, w->options.threads, &a);
    while (!rc) rc = ahead_next(a, &view);
    ahead_free(a);
    return rc == RSP_END ? RSP_OK : trail(&p->repo->env, rc, "reading back what was written");
}
