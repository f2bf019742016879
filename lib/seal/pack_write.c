/* What this is: a pack file written: an envelope, then sealed objects end to end.
 * Rests on: pack_impl.h, envelope.h, respite/sys/pool.h.
 * Does not: commit or free the sink. */
#include <respite/sys/pool.h>
#include <respite/sys/seal.h>

#include "base/bytes.h"
#include "seal/envelope.h"
#include "seal/pack_impl.h"

static const uint8_t no_lineage[ID_BYTES];

/* One object is collected here, because its length goes before it. */
struct packer {
    struct rsp_sink *sink;
    struct buf object;
};

static int pack_begin(void *ctx, const uint8_t object[ID_BYTES], uint32_t number)
{
    static const uint8_t length[8];
    struct packer *p = ctx;
    (void)object;
    (void)number;
    p->object.n = 0;
    return buf_add(&p->object, length, sizeof length);
}

static int pack_put(void *ctx, const void *p, size_t n)
{
    return buf_add(&((struct packer *)ctx)->object, p, n);
}

static int pack_end(void *ctx, const struct object_done *done)
{
    struct packer *p = ctx;
    store_le64(p->object.p, done->stored);
    return rsp_sink_write(p->sink, p->object.p, p->object.n);
}

/* Everything before the first object. */
static int write_front(const struct rsp_env *env, struct rsp_sink *sink, const struct rsp_pack_options *o,
                       const uint8_t *key, const uint8_t epoch[ID_BYTES])
{
    uint8_t length[4] = {0}, commitment[HASH_BYTES];
    struct buf b;
    int rc;
    buf_init(&b, env);
    rc = buf_add(&b, PACK_MAGIC, PACK_MAGIC_BYTES);
    if (!rc) rc = buf_add(&b, length, sizeof length);
    if (!rc) rc = envelope_write(env, epoch, key, o->readers, o->readers_n, &b);
    if (!rc) {
        store_le32(b.p + PACK_MAGIC_BYTES, (uint32_t)(b.n - PACK_MAGIC_BYTES - 4));
        epoch_commitment(key, no_lineage, epoch, commitment);
        rc = buf_add(&b, commitment, sizeof commitment);
    }
    if (!rc) rc = rsp_sink_write(sink, b.p, b.n);
    buf_free(&b);
    return rc;
}

/* Fills a chunk as far as the source gives: *n less than cap only at its end. */
static int fill(const struct rsp_env *env, struct rsp_source *source, uint8_t *chunk, size_t cap, size_t *n)
{
    *n = 0;
    while (*n < cap) {
        size_t got = 0;
        int rc = rsp_source_read(source, chunk + *n, cap - *n, &got);
        if (rc == RSP_END) return RSP_OK;
        if (rc == RSP_AGAIN)
            return fail(env, RSP_EUNSUPPORTED, rsp_source_name(source), "cannot be packed: reading it does not wait");
        if (rc) return rc;
        *n += got;
    }
    return RSP_OK;
}

static int write_chunks(const struct rsp_env *env, struct rsp_source *source, struct object_writer *w, size_t cap,
                        const struct rsp_pack_options *o)
{
    uint64_t done = 0;
    size_t n = cap;
    while (n == cap) {
        uint8_t *chunk;
        int rc = object_writer_chunk(w, &chunk);
        if (rc) return rc;
        rc = o->cancel && *o->cancel ? fail(env, RSP_ECANCELED, rsp_source_name(source), "packing was cancelled")
                                     : fill(env, source, chunk, cap, &n);
        if (rc || !n) {
            object_writer_free_chunk(w, chunk);
            if (rc) return rc;
            break;
        }
        rc = object_writer_submit(w, chunk, n, NULL, 0);
        if (rc) return rc;
        done += n;
        if (o->progress) o->progress(o->opaque, done);
    }
    return object_writer_finish(w);
}

int rsp_pack_write(const struct rsp_env *env, struct rsp_source *source, struct rsp_sink *sink,
                   const struct rsp_pack_options *options)
{
    static const struct object_out out = {pack_begin, pack_put, pack_end, NULL, NULL};
    struct rsp_pack_options o = {0};
    struct object_writer_options wo = {.no_sha256 = 1, .mark_last = 1, .object_plain = PACK_OBJECT_PLAIN};
    struct object_writer *w = NULL;
    struct packer p = {.sink = sink};
    struct rsp_env e;
    uint8_t *key = NULL;
    int rc;
    env_init(&e, env);
    memcpy(&o, options, options->size < sizeof o ? options->size : sizeof o);
    buf_init(&p.object, &e);
    rc = crypt_init(&e);
    if (!rc && !(key = secret_new(&e, KEY_BYTES))) rc = RSP_ENOMEM;
    if (!rc) rc = random_bytes(&e, key, KEY_BYTES);
    if (!rc) rc = random_bytes(&e, wo.head.epoch, ID_BYTES);
    if (!rc) rc = write_front(&e, sink, &o, key, wo.head.epoch);
    if (rc) goto out;
    wo.head.suite = SUITE_CHACHA;
    wo.head.codec = CODEC_ZSTD;
    wo.head.kind = OBJECT_PACK;
    wo.head.chunk_bytes = CHUNK_DEFAULT;
    wo.level = o.level;
    wo.no_recheck = o.no_recheck;
    wo.threads = o.threads ? o.threads : rsp_pool_processors();
    rc = object_writer_new(&e, &wo, key, &out, &p, &w);
    if (!rc) rc = write_chunks(&e, source, w, CHUNK_DEFAULT, &o);
out:
    object_writer_free(w);
    buf_free(&p.object);
    secret_free(key);
    return rc;
}
