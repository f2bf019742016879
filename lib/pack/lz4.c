/* What this is: decompression of the LZ4 frame format as a stage.
 * Rests on: liblz4 (its constructor that takes an allocator, since 1.9.4), io/stage_impl.h.
 * Does not: read the legacy format of the lz4 program. */
#define LZ4F_STATIC_LINKING_ONLY
#include <lz4frame.h>

#include "base/mem.h"
#include "io/stage_impl.h"
#include "pack/packmem.h"

struct lz4_opener {
    struct rsp_stage s;
    struct pack_mem mem;
    LZ4F_dctx *d;
    struct pack_count count;
    int inside; /* a frame has begun and not ended */
    int frames; /* at least one has ended */
};

static int lz4_fault(struct lz4_opener *z, size_t e)
{
    int code = RSP_EFORMAT;
    switch (LZ4F_getErrorCode(e)) {
    case LZ4F_ERROR_allocation_failed: return pack_no_memory(&z->mem);
    case LZ4F_ERROR_headerChecksum_invalid:
    case LZ4F_ERROR_contentChecksum_invalid:
    case LZ4F_ERROR_blockChecksum_invalid: code = RSP_ECHECKSUM; break;
    case LZ4F_ERROR_headerVersion_wrong: code = RSP_EUNSUPPORTED; break;
    default: break;
    }
    return fail_at(&z->s.env, code, z->s.name, z->count.in, "%s", LZ4F_getErrorName(e));
}

/* A frame or a skippable frame; see zstd_begins. */
static int lz4_begins(uint8_t c)
{
    return c == 0x04 || (c & 0xf0) == 0x50;
}

static int lz4_step(struct rsp_stage *s, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    struct lz4_opener *z = (struct lz4_opener *)s;
    size_t taken = in->n - in->pos, made = out->n - out->pos, hint;
    uint8_t none[1] = {0};
    if (!z->inside) {
        if (!taken) {
            if (op != RSP_STAGE_END) return RSP_OK;
            return z->frames ? RSP_END : pack_truncated(&s->env, s->name, &z->count);
        }
        if (!lz4_begins(in->p[in->pos])) {
            if (z->frames) return RSP_END;
            return fail_at(&s->env, RSP_EFORMAT, s->name, z->count.in, "no lz4 frame");
        }
        z->inside = 1;
    }
    hint = LZ4F_decompress(z->d, made ? out->p + out->pos : none, &made, taken ? in->p + in->pos : none, &taken, NULL);
    if (LZ4F_isError(hint)) return lz4_fault(z, hint);
    z->count.in += taken;
    z->count.out += made;
    if (hint == 0) {
        z->inside = 0;
        z->frames = 1;
    } else if (op == RSP_STAGE_END && in->pos == in->n && !taken && !made && out->pos < out->n) {
        return pack_truncated(&s->env, s->name, &z->count);
    }
    in->pos += taken;
    out->pos += made;
    return pack_bound(&s->env, s->name, &z->count);
}

static void lz4_close(struct rsp_stage *s)
{
    LZ4F_freeDecompressionContext(((struct lz4_opener *)s)->d);
}

static const struct stage_kind lz4_kind = {"lz4", lz4_step, lz4_close};

int rsp_stage_lz4_decompress(const struct rsp_env *env, struct rsp_stage **ret)
{
    struct lz4_opener *z;
    *ret = NULL;
    z = stage_new(env, &lz4_kind, sizeof *z);
    if (!z) return RSP_ENOMEM;
    z->mem.env = &z->s.env;
    z->d = LZ4F_createDecompressionContext_advanced((LZ4F_CustomMem){pack_alloc, pack_zero, pack_free, &z->mem},
                                                    LZ4F_VERSION);
    if (!z->d) {
        int rc = pack_no_memory(&z->mem);
        rsp_stage_free(&z->s);
        return rc;
    }
    *ret = &z->s;
    return RSP_OK;
}
