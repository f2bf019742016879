/* What this is: the writer of a snapshot: an epoch of its own, the places that it goes to, the streams' end and proof.
 * Rests on: snapshot_impl.h.
 * Does not: write a stream (snapshot_stream.c) nor make a snapshot exist (snapshot_commit.c). */
#include <respite/sys/pool.h>

#include "repo/snapshot_impl.h"
#include "seal/envelope.h"

/* ---- beginning ---- */

static int check_options(const struct rsp_env *env, const struct rsp_snapshot_options *o)
{
    size_t name_n = o->source ? strlen(o->source) : 0;
    if (!source_name_valid((struct rsp_span){(const uint8_t *)o->source, name_n}))
        return fail(env, RSP_EINVAL, o->source,
                    "a source's name is 1 to %d bytes of printable ASCII without blanks; choose another",
                    MANIFEST_SOURCE_MAX);
    if (o->chunk_bytes > CHUNK_MAX || (o->chunk_bytes && o->chunk_bytes < 4096))
        return fail(env, RSP_EINVAL, o->source, "chunks of %zu bytes; 4096 to %u are allowed", o->chunk_bytes,
                    CHUNK_MAX);
    if (o->object_bytes > OBJECT_PLAIN_MAX)
        return fail(env, RSP_EINVAL, o->source, "objects of %llu bytes; at most %llu are allowed",
                    (unsigned long long)o->object_bytes, OBJECT_PLAIN_MAX);
    return RSP_OK;
}

int readers_of(const struct rsp_repo *repo, struct rsp_public **readers, size_t *n)
{
    const struct rsp_roles *roles = rsp_repo_roles(repo);
    size_t count = 0, at = 0;
    *readers = NULL;
    *n = 0;
    for (size_t i = 0; i < roles->members_n; i++) count += (roles->members[i].flags & RSP_ROLE_READ) != 0;
    if (!count || count > ENVELOPE_READERS_MAX)
        return fail(&repo->env, RSP_EINVAL, rsp_store_url(repo->store),
                    "the roles list %zu identities that may read, and 1 to %d are needed; let root add or remove some",
                    count, ENVELOPE_READERS_MAX);
    *readers = mem_alloc(&repo->env, count * sizeof **readers);
    if (!*readers) return RSP_ENOMEM;
    for (size_t i = 0; i < roles->members_n; i++)
        if (roles->members[i].flags & RSP_ROLE_READ) (*readers)[at++] = roles->members[i].key;
    *n = count;
    return RSP_OK;
}

static int make_epoch(struct rsp_snapshot_writer *w)
{
    int rc;
    if ((rc = random_bytes(&w->env, w->snapshot, ID_BYTES))) return rc;
    if ((rc = random_bytes(&w->env, w->epoch, ID_BYTES))) return rc;
    w->key = secret_new(&w->env, KEY_BYTES);
    if (!w->key) return RSP_ENOMEM;
    if (w->options.unsealed) memset(w->key, 0, KEY_BYTES);
    else rc = random_bytes(&w->env, w->key, KEY_BYTES);
    return rc;
}

int rsp_snapshot_begin(struct rsp_repo *repo, const struct rsp_snapshot_options *options,
                       struct rsp_snapshot_writer **ret)
{
    const struct rsp_env *env = &repo->env;
    struct rsp_snapshot_options o = {0};
    struct rsp_snapshot_writer *w;
    int rc;
    *ret = NULL;
    memcpy(&o, options, options->size && options->size < sizeof o ? options->size : sizeof o);
    if ((rc = crypt_init(env))) return rc;
    if ((rc = check_options(env, &o))) return rc;
    w = mem_zero(env, sizeof *w);
    if (!w) return RSP_ENOMEM;
    w->env = *env;
    pthread_mutex_init(&w->lock, NULL);
    w->repo = repo;
    w->options = o;
    memcpy(w->source, o.source, strlen(o.source));
    w->options.source = w->source;
    if (!o.threads) w->options.threads = rsp_pool_processors();
    w->begun_ms = (uint64_t)env->now_ms(env->clock_opaque);
    rsp_source_id(repo->lineage, w->source, w->source_id);
    rc = places_open(w, o.also, o.also_n);
    if (!rc) rc = make_epoch(w);
    if (rc) {
        rsp_snapshot_writer_free(w);
        return rc;
    }
    *ret = w;
    return RSP_OK;
}

/* ---- the whole ---- */

int writer_open(struct rsp_snapshot_writer *w)
{
    if (w->state == WRITER_OPEN) return RSP_OK;
    return fail(&w->env, RSP_ESTATE, w->source, "the snapshot has been committed, or a fault has ended it");
}

int writer_rest(struct rsp_snapshot_writer *w)
{
    int rc = writer_open(w);
    for (const struct rsp_stream_writer *s = w->streams; s && !rc; s = s->next)
        if (s->state != STREAM_ENDED)
            rc = fail(&w->env, RSP_ESTATE, w->source,
                      s->state == STREAM_OPEN ? "its stream \"%s\" has not ended yet"
                                              : "its stream \"%s\" has failed, and was not dropped",
                      s->name);
    return rc;
}

int rsp_snapshot_prove(struct rsp_snapshot_writer *w)
{
    int rc = writer_rest(w);
    if (rc) return rc;
    rc = places_each(w, place_prove);
    if (rc) w->state = WRITER_ENDED;
    return rc;
}

void rsp_snapshot_writer_free(struct rsp_snapshot_writer *w)
{
    struct rsp_env env;
    if (!w) return;
    env = w->env;
    streams_free(w);
    places_free(w);
    secret_free(w->key);
    pthread_mutex_destroy(&w->lock);
    mem_free(&env, w, sizeof *w);
}
