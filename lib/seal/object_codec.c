/* What this is: one chunk compressed, decompressed and compared.
 * Rests on: object_codec.h, pack/packmem.h, libzstd (its context constructors that take an allocator).
 * Does not: encrypt. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/bytes.h"
#include "pack/packmem.h"
#include "seal/object_codec.h"

/* What zstd allocates is known to env only through this copy, whose record changes with the thread that calls. */
struct object_scratch {
    struct rsp_env env;
    struct pack_mem mem;
    ZSTD_DCtx *d;
};

struct chunk_maker {
    struct rsp_env env;
    struct pack_mem mem;
    ZSTD_CCtx *c; /* NULL: codec 0 */
    struct object_scratch *back;
    uint8_t *again; /* what comes back, chunk_bytes */
    uint32_t chunk_bytes;
};

int object_scratch_new(const struct rsp_env *env, struct object_scratch **ret)
{
    struct rsp_env e;
    struct object_scratch *s;
    *ret = NULL;
    env_init(&e, env);
    s = mem_zero(&e, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->env = e;
    s->mem.env = &s->env;
    s->d = ZSTD_createDCtx_advanced((ZSTD_customMem){pack_alloc, pack_free, &s->mem});
    if (!s->d) {
        int rc = pack_no_memory(&s->mem);
        object_scratch_free(s);
        return rc;
    }
    *ret = s;
    return RSP_OK;
}

void object_scratch_free(struct object_scratch *s)
{
    struct rsp_env env;
    if (!s) return;
    env = s->env;
    ZSTD_freeDCtx(s->d);
    mem_free(&env, s, sizeof *s);
}

int object_unzstd(struct object_scratch *s, const uint8_t *c, size_t c_n, uint8_t *m, size_t n)
{
    uint8_t none[1];
    size_t got;
    if (c_n < 4 || load_le32(c) != ZSTD_MAGICNUMBER) return 0; /* no skippable frame, no legacy format */
    if (ZSTD_getFrameContentSize(c, c_n) != n) return 0;
    if (ZSTD_findFrameCompressedSize(c, c_n) != c_n) return 0; /* one frame and nothing behind it */
    got = ZSTD_decompressDCtx(s->d, n ? m : none, n, c, c_n);
    return got == n;
}

int chunk_maker_new(const struct rsp_env *env, const struct object_head *head, int level, int recheck,
                    struct chunk_maker **ret)
{
    struct chunk_maker *m;
    int rc = RSP_ENOMEM;
    *ret = NULL;
    m = mem_zero(env, sizeof *m);
    if (!m) return rc;
    m->env = *env;
    m->mem.env = &m->env;
    m->chunk_bytes = head->chunk_bytes;
    *ret = m;
    if (head->codec == CODEC_STORED) return RSP_OK;
    m->c = ZSTD_createCCtx_advanced((ZSTD_customMem){pack_alloc, pack_free, &m->mem});
    if (!m->c) {
        rc = pack_no_memory(&m->mem);
        goto failed;
    }
    if (ZSTD_isError(ZSTD_CCtx_setParameter(m->c, ZSTD_c_compressionLevel, level ? level : 3))) {
        rc = fail(env, RSP_EINVAL, NULL, "zstd knows no level %d", level);
        goto failed;
    }
    if (!recheck) return RSP_OK;
    rc = object_scratch_new(env, &m->back);
    if (rc) goto failed;
    m->again = mem_alloc(env, m->chunk_bytes);
    if (m->again) return RSP_OK;
    rc = RSP_ENOMEM;
failed:
    chunk_maker_free(m);
    *ret = NULL;
    return rc;
}

void chunk_maker_free(struct chunk_maker *m)
{
    struct rsp_env env;
    if (!m) return;
    env = m->env;
    ZSTD_freeCCtx(m->c);
    object_scratch_free(m->back);
    mem_free(&env, m->again, m->chunk_bytes);
    mem_free(&env, m, sizeof *m);
}

int chunk_make(struct chunk_maker *m, struct rsp_error *error, const uint8_t *plain, size_t n, uint64_t offset,
               uint8_t *c, size_t *stored, const uint8_t **from)
{
    size_t got;
    m->env.error = error;
    *stored = n;
    *from = plain;
    if (!m->c) return RSP_OK;
    got = ZSTD_compress2(m->c, c, object_stored_max(m->chunk_bytes) - TAG_BYTES, plain, n);
    if (ZSTD_isError(got)) {
        if (ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation) return pack_no_memory(&m->mem);
        return fail_at(&m->env, RSP_EINVAL, NULL, offset, "zstd cannot compress: %s", ZSTD_getErrorName(got));
    }
    *stored = got;
    *from = c;
    if (m->back && (!object_unzstd(m->back, c, got, m->again, n) || (n && memcmp(m->again, plain, n))))
        return fail_at(&m->env, RSP_EINTEGRITY, NULL, offset,
                       "compressed and decompressed again, %zu bytes are no longer the same: libzstd or this machine's "
                       "memory is faulty; nothing made here can be trusted",
                       n);
    return RSP_OK;
}
