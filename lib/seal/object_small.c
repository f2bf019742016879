/* What this is: small sealed objects in one go: a manifest sealed into a buffer, opened from memory.
 * Rests on: object_write_impl.h, object_codec.h.
 * Does not: use threads. */
#include "seal/object_write_impl.h"

struct small {
    struct buf *out;
    struct object_done done;
};

static int small_begin(void *ctx, const uint8_t object[ID_BYTES], uint32_t number)
{
    (void)ctx;
    (void)object;
    (void)number;
    return RSP_OK;
}

static int small_write(void *ctx, const void *p, size_t n)
{
    return buf_add(((struct small *)ctx)->out, p, n);
}

static int small_end(void *ctx, const struct object_done *done)
{
    ((struct small *)ctx)->done = *done;
    return RSP_OK;
}

static int small_chunks(struct object_writer *w, struct rsp_span plain)
{
    size_t most = w->opt.head.chunk_bytes;
    for (size_t at = 0; at < plain.n;) {
        size_t n = plain.n - at < most ? plain.n - at : most;
        uint8_t *chunk;
        int rc = object_writer_chunk(w, &chunk);
        if (rc) return rc;
        memcpy(chunk, plain.p + at, n);
        rc = object_writer_submit(w, chunk, n, NULL, 0);
        if (rc) return rc;
        at += n;
    }
    return object_writer_finish(w);
}

int object_seal_small(const struct rsp_env *env, struct object_head *head, const uint8_t epoch_key[KEY_BYTES],
                      struct rsp_span plain, struct buf *out, struct object_done *done)
{
    static const struct object_out small_out = {small_begin, small_write, small_end, NULL, NULL};
    struct object_writer_options o = {.head = *head};
    struct small s = {.out = out};
    struct object_writer *w = NULL;
    size_t before = out->n;
    int rc;
    if (plain.n > OBJECT_PLAIN_MAX)
        return fail(env, RSP_ELIMIT, NULL, "%zu bytes are too many for one sealed object", plain.n);
    o.head.flags = 0;
    if (!o.head.chunk_bytes) /* no larger than what there is: buffers are of this size */
        o.head.chunk_bytes = plain.n < CHUNK_MIN       ? CHUNK_MIN
                             : plain.n > CHUNK_DEFAULT ? CHUNK_DEFAULT
                                                       : (uint32_t)plain.n;
    rc = object_writer_new(env, &o, epoch_key, &small_out, &s, &w);
    if (rc) return rc;
    w->has_fixed = 1;
    memcpy(w->fixed, head->object, ID_BYTES);
    rc = small_chunks(w, plain);
    object_writer_free(w);
    if (rc) {
        out->n = before;
        return rc;
    }
    head->chunk_bytes = o.head.chunk_bytes;
    head->flags = 0;
    head->head_bytes = HEAD_BYTES;
    *done = s.done;
    return RSP_OK;
}

static int span_fetch(void *ctx, uint64_t offset, void *p, size_t n)
{
    const struct rsp_span *s = ctx;
    if (offset > s->n || n > s->n - offset) return RSP_EIO; /* never: the reader keeps within expect->stored */
    memcpy(p, s->p + offset, n);
    return RSP_OK;
}

static int open_chunks(const struct object_reader *r, struct rsp_span stored, struct buf *out)
{
    const struct rsp_env *env = &r->env;
    struct object_scratch *s = NULL;
    size_t before = out->n, cap = 0;
    uint8_t *c = NULL;
    int rc;
    for (uint32_t i = 0; i < r->chunks_n; i++)
        if (r->chunks[i].stored > cap) cap = r->chunks[i].stored;
    rc = object_scratch_new(env, &s);
    if (!rc && !(c = mem_alloc(env, cap))) rc = RSP_ENOMEM;
    if (!rc) rc = buf_reserve(out, (size_t)r->plain);
    for (uint32_t i = 0; !rc && i < r->chunks_n; i++) {
        const struct object_chunk *chunk = &r->chunks[i];
        memcpy(c, stored.p + chunk->stored_offset, chunk->stored);
        rc = object_chunk_open(env, r, i, c, s, out->p + out->n);
        if (!rc) out->n += chunk->plain;
    }
    if (rc) out->n = before;
    mem_free(env, c, cap);
    object_scratch_free(s);
    return rc;
}

int object_open_small(const struct rsp_env *env, const struct object_expect *expect, const char *subject,
                      const uint8_t epoch_key[KEY_BYTES], struct rsp_span stored, size_t max, struct buf *out)
{
    struct object_reader r;
    int rc;
    if (stored.n != expect->stored)
        return fail(env, RSP_EINTEGRITY, subject, "has %zu bytes where %llu were written", stored.n,
                    (unsigned long long)expect->stored);
    rc = object_reader_open(env, expect, subject, epoch_key, span_fetch, &stored, &r);
    if (!rc && r.plain > max)
        rc = fail(&r.env, RSP_ELIMIT, subject, "holds %llu bytes; at most %zu are taken", (unsigned long long)r.plain,
                  max);
    if (!rc) rc = open_chunks(&r, stored, out);
    object_reader_close(&r);
    return rc;
}
