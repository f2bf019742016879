/* What this is: the writer of a snapshot: streams sealed into objects of one epoch, each uploaded as it is made.
 * Rests on: snapshot_impl.h, seal/object.h.
 * Does not: make a snapshot exist; snapshot_commit.c does. */
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

/* A fault ends the writer. */
static int done(struct rsp_snapshot_writer *w, int rc)
{
    if (rc) w->state = WRITER_ENDED;
    return rc;
}

static int expect_state(struct rsp_snapshot_writer *w, int state)
{
    if (w->state == state) return RSP_OK;
    return fail(&w->env, RSP_ESTATE, w->source,
                w->state == WRITER_ENDED ? "the snapshot has been committed, or a fault has ended it"
                                         : "the snapshot's streams are begun and ended one after the other");
}

/* ---- uploads ---- */

static int out_begin(void *ctx, const uint8_t object[ID_BYTES], uint32_t number)
{
    struct rsp_snapshot_writer *w = ctx;
    (void)number;
    name_object(w->name, OBJECT_DATA, w->epoch, object);
    return places_each(w, place_begin);
}

static int out_write(void *ctx, const void *p, size_t n)
{
    return places_write(ctx, p, n);
}

static void out_abort(void *ctx)
{
    places_abort(ctx);
}

/* The env's record is that of whoever called us, on another thread, and may be cleared before he hears of the fault. */
static const struct rsp_error *out_words(void *ctx)
{
    const struct rsp_snapshot_writer *w = ctx;
    return places_first(ctx) ? NULL : &w->places[0].words;
}

/* Room for one more in an array of *cap entries. */
static int make_room(struct rsp_snapshot_writer *w, void *array, size_t each, size_t *cap, void **ret)
{
    size_t more = *cap ? *cap * 2 : 16;
    *ret = array;
    if (w->refs_n < *cap) return RSP_OK;
    *ret = mem_resize(&w->env, array, *cap * each, more * each);
    if (!*ret) return RSP_ENOMEM;
    *cap = more;
    return RSP_OK;
}

static int make_rooms(struct rsp_snapshot_writer *w)
{
    void *p;
    int rc = make_room(w, w->refs, sizeof *w->refs, &w->refs_cap, &p);
    if (rc) return rc;
    w->refs = p;
    rc = make_room(w, w->commit_refs, sizeof *w->commit_refs, &w->commit_refs_cap, &p);
    if (rc) return rc;
    w->commit_refs = p;
    return RSP_OK;
}

static int out_end(void *ctx, const struct object_done *object)
{
    struct rsp_snapshot_writer *w = ctx;
    struct full_ref *full;
    struct rsp_ref *ref;
    int rc = make_rooms(w);
    if (!rc) rc = places_each(w, place_end);
    if (rc) return rc;
    full = &w->refs[w->refs_n];
    ref = &w->commit_refs[w->refs_n++];
    memset(full, 0, sizeof *full);
    memset(ref, 0, sizeof *ref);
    full->kind = ref->kind = OBJECT_DATA;
    memcpy(full->epoch, w->epoch, ID_BYTES);
    memcpy(ref->epoch, w->epoch, ID_BYTES);
    memcpy(full->object, object->object, ID_BYTES);
    memcpy(ref->object, object->object, ID_BYTES);
    memcpy(full->table_hash, object->table_hash, HASH_BYTES);
    memcpy(ref->sha256, object->sha256, sizeof ref->sha256);
    memcpy(full->sha256, object->sha256, sizeof full->sha256);
    full->number = object->number;
    full->plain = object->plain;
    full->offset = object->stream_offset;
    full->stored = ref->stored = object->stored;
    return RSP_OK;
}

/* ---- streams ---- */

static int check_stream(struct rsp_snapshot_writer *w, const char *name, int kind)
{
    size_t n = name ? strlen(name) : 0;
    int rc = expect_state(w, WRITER_BETWEEN);
    if (rc) return rc;
    if (!n || n > MANIFEST_SOURCE_MAX || (kind != RSP_STREAM_RDB && kind != RSP_STREAM_AOF_PART))
        return fail(&w->env, RSP_EINVAL, w->source,
                    "a stream has a name of 1 to %d bytes, and is of kind rdb or aof-part", MANIFEST_SOURCE_MAX);
    for (size_t i = 0; i < w->streams_n; i++)
        if (!strcmp(w->streams[i].name, name))
            return fail(&w->env, RSP_EINVAL, w->source, "the snapshot has a stream \"%s\" already", name);
    return RSP_OK;
}

int rsp_snapshot_stream(struct rsp_snapshot_writer *w, const char *name, int kind, unsigned hold)
{
    static const struct object_out out = {out_begin, out_write, out_end, out_abort, out_words};
    struct object_writer_options o = {.level = w->options.level,
                                      .threads = w->options.threads,
                                      .no_recheck = w->options.no_recheck,
                                      .object_plain = w->options.object_bytes};
    struct written_stream *s;
    int rc = check_stream(w, name, kind);
    if (rc) return rc; /* a wrong name ends nothing */
    if (w->streams_n == w->streams_cap) {
        size_t cap = w->streams_cap ? w->streams_cap * 2 : 4;
        void *p = mem_resize(&w->env, w->streams, w->streams_cap * sizeof *s, cap * sizeof *s);
        if (!p) return done(w, RSP_ENOMEM);
        w->streams = p;
        w->streams_cap = cap;
    }
    o.head.suite = w->options.unsealed ? SUITE_NONE : SUITE_CHACHA;
    o.head.codec = CODEC_ZSTD;
    o.head.kind = OBJECT_DATA;
    o.head.chunk_bytes = w->options.chunk_bytes ? (uint32_t)w->options.chunk_bytes : CHUNK_DEFAULT;
    memcpy(o.head.lineage, w->repo->lineage, ID_BYTES);
    memcpy(o.head.epoch, w->epoch, ID_BYTES);
    rc = object_writer_new(&w->env, &o, w->key, &out, w, &w->objects);
    if (rc) return done(w, rc);
    object_writer_hold(w->objects, hold);
    s = &w->streams[w->streams_n++];
    memset(s, 0, sizeof *s);
    s->from = w->refs_n;
    memcpy(s->name, name, strlen(name));
    s->kind = (uint8_t)kind;
    buf_init(&s->encoded, &w->env);
    w->state = WRITER_STREAM;
    return RSP_OK;
}

/* The two that may be called on different threads at once: the writer's state is only read here, and a fault is kept by
 * the object writer until the stream ends. */
int rsp_snapshot_chunk(struct rsp_snapshot_writer *w, uint8_t **chunk, size_t *cap)
{
    int rc = expect_state(w, WRITER_STREAM);
    *chunk = NULL;
    *cap = w->options.chunk_bytes ? w->options.chunk_bytes : CHUNK_DEFAULT;
    return rc ? rc : object_writer_chunk(w->objects, chunk);
}

int rsp_snapshot_submit(struct rsp_snapshot_writer *w, uint8_t *chunk, size_t n, const void *note, size_t note_n)
{
    int rc = expect_state(w, WRITER_STREAM);
    if (rc) return rc;
    if (n) return object_writer_submit(w->objects, chunk, n, note, note_n);
    object_writer_free_chunk(w->objects, chunk);
    return RSP_OK;
}

int rsp_snapshot_stream_end(struct rsp_snapshot_writer *w, const struct rsp_stream_info *facts)
{
    struct rsp_stream_info info = {0};
    struct written_stream *s;
    int rc = expect_state(w, WRITER_STREAM);
    if (rc) return rc;
    rc = object_writer_finish(w->objects);
    object_writer_free(w->objects);
    w->objects = NULL;
    if (rc) return done(w, trail(&w->env, rc, "writing the snapshot's data"));
    w->state = WRITER_BETWEEN;
    s = &w->streams[w->streams_n - 1];
    s->n = w->refs_n - s->from;
    if (facts) info = *facts;
    info.name = (struct rsp_span){(const uint8_t *)s->name, strlen(s->name)};
    info.kind = s->kind;
    info.plain = 0;
    for (size_t i = 0; i < s->n; i++) info.plain += w->refs[s->from + i].plain;
    return done(w, manifest_stream_encode(&s->encoded, &info, w->refs + s->from, s->n));
}

int rsp_snapshot_prove(struct rsp_snapshot_writer *w)
{
    int rc = expect_state(w, WRITER_BETWEEN);
    return rc ? rc : done(w, places_each(w, place_prove));
}

void rsp_snapshot_writer_free(struct rsp_snapshot_writer *w)
{
    struct rsp_env env;
    if (!w) return;
    env = w->env;
    object_writer_free(w->objects);
    places_free(w);
    secret_free(w->key);
    for (size_t i = 0; i < w->streams_n; i++) buf_free(&w->streams[i].encoded);
    mem_free(&env, w->streams, w->streams_cap * sizeof *w->streams);
    mem_free(&env, w->refs, w->refs_cap * sizeof *w->refs);
    mem_free(&env, w->commit_refs, w->commit_refs_cap * sizeof *w->commit_refs);
    mem_free(&env, w, sizeof *w);
}
