/* What this is: the streams of a snapshot, several at once: each sealed into objects, each object uploaded as it is made.
 * Rests on: snapshot_impl.h, seal/object.h.
 * Does not: know of what others do but by the places, which all use, one at a time. */
#include "repo/snapshot_impl.h"

/* ---- uploads: on whatever thread finishes a chunk ---- */

static int out_begin(void *ctx, const uint8_t object[ID_BYTES], uint32_t number)
{
    struct rsp_stream_writer *s = ctx;
    (void)number;
    name_object(s->object, OBJECT_DATA, s->w->epoch, object);
    return stream_upload_begin(s);
}

static int out_write(void *ctx, const void *p, size_t n)
{
    return stream_upload_write(ctx, p, n);
}

static void out_abort(void *ctx)
{
    stream_upload_abort(ctx);
}

/* A fault of the last place, which has its words; or of ours, whose words are not in the caller's record: he may be using
 * it at this moment. */
static const struct rsp_error *out_words(void *ctx)
{
    const struct rsp_stream_writer *s = ctx;
    struct rsp_snapshot_writer *w = s->w;
    const struct place *left;
    if (s->words.code) return &s->words;
    pthread_mutex_lock(&w->lock);
    left = places_left(w);
    pthread_mutex_unlock(&w->lock);
    return left ? NULL : &w->places[0].words;
}

/* Room for one more in an array of *cap entries. */
static int make_room(struct rsp_stream_writer *s, void *array, size_t each, size_t *cap, void **ret)
{
    size_t more = *cap ? *cap * 2 : 16;
    *ret = array;
    if (s->refs_n < *cap) return RSP_OK;
    *ret = mem_resize(&s->join, array, *cap * each, more * each);
    if (!*ret) return RSP_ENOMEM;
    *cap = more;
    return RSP_OK;
}

static int make_rooms(struct rsp_stream_writer *s)
{
    void *p;
    int rc = make_room(s, s->refs, sizeof *s->refs, &s->refs_cap, &p);
    if (rc) return rc;
    s->refs = p;
    rc = make_room(s, s->commit_refs, sizeof *s->commit_refs, &s->commit_refs_cap, &p);
    if (rc) return rc;
    s->commit_refs = p;
    return RSP_OK;
}

static int out_end(void *ctx, const struct object_done *object)
{
    struct rsp_stream_writer *s = ctx;
    struct full_ref *full;
    struct rsp_ref *ref;
    int rc = make_rooms(s);
    if (!rc) rc = stream_upload_end(s);
    if (rc) return rc;
    full = &s->refs[s->refs_n];
    ref = &s->commit_refs[s->refs_n++];
    memset(full, 0, sizeof *full);
    memset(ref, 0, sizeof *ref);
    full->kind = ref->kind = OBJECT_DATA;
    memcpy(full->epoch, s->w->epoch, ID_BYTES);
    memcpy(ref->epoch, s->w->epoch, ID_BYTES);
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

/* ---- beginning ---- */

static int check_stream(struct rsp_snapshot_writer *w, const char *name, int kind)
{
    size_t n = name ? strlen(name) : 0;
    int rc = writer_open(w), taken = 0;
    if (rc) return rc;
    if (!n || n > MANIFEST_SOURCE_MAX || (kind != RSP_STREAM_RDB && kind != RSP_STREAM_AOF_PART))
        return fail(&w->env, RSP_EINVAL, w->source,
                    "a stream has a name of 1 to %d bytes, and is of kind rdb or aof-part", MANIFEST_SOURCE_MAX);
    pthread_mutex_lock(&w->lock);
    for (const struct rsp_stream_writer *s = w->streams; s && !taken; s = s->next) taken = !strcmp(s->name, name);
    pthread_mutex_unlock(&w->lock);
    return taken ? fail(&w->env, RSP_EINVAL, w->source, "the snapshot has a stream \"%s\" already", name) : RSP_OK;
}

static int begin_objects(struct rsp_stream_writer *s, unsigned hold, unsigned threads)
{
    static const struct object_out out = {out_begin, out_write, out_end, out_abort, out_words};
    const struct rsp_snapshot_options *wo = &s->w->options;
    struct object_writer_options o = {.level = wo->level,
                                      .threads = threads ? threads : wo->threads,
                                      .no_recheck = wo->no_recheck,
                                      .object_plain = wo->object_bytes};
    int rc;
    o.head.suite = wo->unsealed ? SUITE_NONE : SUITE_CHACHA;
    o.head.codec = CODEC_ZSTD;
    o.head.kind = OBJECT_DATA;
    o.head.chunk_bytes = wo->chunk_bytes ? (uint32_t)wo->chunk_bytes : CHUNK_DEFAULT;
    memcpy(o.head.lineage, s->w->repo->lineage, ID_BYTES);
    memcpy(o.head.epoch, s->w->epoch, ID_BYTES);
    rc = object_writer_new(&s->env, &o, s->w->key, &out, s, &s->objects);
    if (!rc) object_writer_hold(s->objects, hold);
    return rc;
}

static void stream_free(struct rsp_stream_writer *s)
{
    struct rsp_env env = s->env;
    object_writer_free(s->objects); /* its workers end before anything of theirs goes */
    stream_upload_abort(s);
    buf_free(&s->encoded);
    mem_free(&env, s->refs, s->refs_cap * sizeof *s->refs);
    mem_free(&env, s->commit_refs, s->commit_refs_cap * sizeof *s->commit_refs);
    mem_free(&env, s, sizeof *s);
}

static void link_last(struct rsp_stream_writer *s)
{
    struct rsp_stream_writer **at = &s->w->streams;
    pthread_mutex_lock(&s->w->lock);
    while (*at) at = &(*at)->next;
    *at = s;
    pthread_mutex_unlock(&s->w->lock);
}

int rsp_snapshot_stream(struct rsp_snapshot_writer *w, const struct rsp_env *env, const char *name, int kind,
                        unsigned hold, unsigned threads, struct rsp_stream_writer **ret)
{
    struct rsp_stream_writer *s;
    struct rsp_env e;
    int rc = check_stream(w, name, kind);
    *ret = NULL;
    if (rc) return rc;
    env_init(&e, env ? env : &w->env);
    s = mem_zero(&e, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->w = w;
    s->env = s->join = e;
    s->join.error = &s->words;
    memcpy(s->name, name, strlen(name));
    s->kind = (uint8_t)kind;
    buf_init(&s->encoded, &s->env);
    rc = begin_objects(s, hold, threads);
    if (rc) {
        stream_free(s);
        return rc;
    }
    link_last(s);
    *ret = s;
    return RSP_OK;
}

/* ---- the two that may be called on different threads at once: a fault is kept by the object writer until the end ---- */

static int expect_open(struct rsp_stream_writer *s)
{
    if (s->state == STREAM_OPEN) return RSP_OK;
    return fail(&s->env, RSP_ESTATE, s->w->source,
                s->state == STREAM_ENDED ? "the stream \"%s\" has ended" : "a fault has ended the stream \"%s\"",
                s->name);
}

int rsp_stream_chunk(struct rsp_stream_writer *s, uint8_t **chunk, size_t *cap)
{
    int rc = expect_open(s);
    *chunk = NULL;
    *cap = s->w->options.chunk_bytes ? s->w->options.chunk_bytes : CHUNK_DEFAULT;
    return rc ? rc : object_writer_chunk(s->objects, chunk);
}

int rsp_stream_submit(struct rsp_stream_writer *s, uint8_t *chunk, size_t n, const void *note, size_t note_n)
{
    int rc = expect_open(s);
    if (rc) return rc;
    if (n) return object_writer_submit(s->objects, chunk, n, note, note_n);
    object_writer_free_chunk(s->objects, chunk);
    return RSP_OK;
}

/* ---- the end ---- */

int rsp_stream_end(struct rsp_stream_writer *s, const struct rsp_stream_info *facts)
{
    struct rsp_stream_info info = {0};
    int rc = expect_open(s);
    if (rc) return rc;
    s->state = STREAM_FAULT; /* unless all goes well */
    rc = object_writer_finish(s->objects);
    object_writer_free(s->objects);
    s->objects = NULL;
    if (rc) return trail(&s->env, rc, "writing the snapshot's data");
    if (facts) info = *facts;
    info.name = (struct rsp_span){(const uint8_t *)s->name, strlen(s->name)};
    info.kind = s->kind;
    info.plain = 0;
    for (size_t i = 0; i < s->refs_n; i++) info.plain += s->refs[i].plain;
    rc = manifest_stream_encode(&s->encoded, &info, s->refs, s->refs_n);
    if (!rc) s->state = STREAM_ENDED;
    return rc;
}

void rsp_stream_drop(struct rsp_stream_writer *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->w->lock);
    for (struct rsp_stream_writer **at = &s->w->streams; *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            break;
        }
    pthread_mutex_unlock(&s->w->lock);
    stream_free(s);
}

void rsp_snapshot_order(struct rsp_snapshot_writer *w, struct rsp_stream_writer *const *streams, size_t n)
{
    pthread_mutex_lock(&w->lock);
    for (size_t i = n; i-- > 0;) { /* each to the front, the first one last */
        struct rsp_stream_writer **at = &w->streams;
        while (*at && *at != streams[i]) at = &(*at)->next;
        if (!*at) continue;
        *at = streams[i]->next;
        streams[i]->next = w->streams;
        w->streams = streams[i];
    }
    pthread_mutex_unlock(&w->lock);
}

void streams_free(struct rsp_snapshot_writer *w)
{
    while (w->streams) rsp_stream_drop(w->streams);
}
