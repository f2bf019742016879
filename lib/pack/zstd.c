/* What this is: zstd compression and decompression as stages.
 * Rests on: libzstd (its context constructors that take an allocator), io/stage_impl.h.
 * Does not: use dictionaries or windows above 128 MiB. */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

#include "base/mem.h"
#include "io/stage_impl.h"
#include "pack/packmem.h"

struct zstd_packer {
    struct rsp_stage s;
    struct pack_mem mem;
    ZSTD_CCtx *c;
};

static int zstd_pack_step(struct rsp_stage *s, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    struct zstd_packer *z = (struct zstd_packer *)s;
    ZSTD_EndDirective how = op == RSP_STAGE_END ? ZSTD_e_end : op == RSP_STAGE_FLUSH ? ZSTD_e_flush : ZSTD_e_continue;
    ZSTD_inBuffer i = {in->p, in->n, in->pos};
    ZSTD_outBuffer o = {out->p, out->n, out->pos};
    size_t left = ZSTD_compressStream2(z->c, &o, &i, how);
    in->pos = i.pos;
    out->pos = o.pos;
    if (ZSTD_isError(left)) {
        if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) return pack_no_memory(&z->mem);
        return fail(&s->env, RSP_EINVAL, s->name, "%s", ZSTD_getErrorName(left));
    }
    return op == RSP_STAGE_END && !left ? RSP_END : RSP_OK;
}

static void zstd_pack_close(struct rsp_stage *s)
{
    ZSTD_freeCCtx(((struct zstd_packer *)s)->c);
}

static const struct stage_kind zstd_pack_kind = {"zstd", zstd_pack_step, zstd_pack_close};

int rsp_stage_zstd_compress(const struct rsp_env *env, int level, struct rsp_stage **ret)
{
    struct zstd_packer *z;
    size_t e;
    *ret = NULL;
    z = stage_new(env, &zstd_pack_kind, sizeof *z);
    if (!z) return RSP_ENOMEM;
    z->mem.env = &z->s.env;
    z->c = ZSTD_createCCtx_advanced((ZSTD_customMem){pack_alloc, pack_free, &z->mem});
    if (!z->c) {
        int rc = pack_no_memory(&z->mem);
        rsp_stage_free(&z->s);
        return rc;
    }
    e = ZSTD_CCtx_setParameter(z->c, ZSTD_c_compressionLevel, level);
    if (!ZSTD_isError(e)) e = ZSTD_CCtx_setParameter(z->c, ZSTD_c_checksumFlag, 1);
    if (ZSTD_isError(e)) {
        int rc = fail(&z->s.env, RSP_EINVAL, "zstd", "level %d: %s", level, ZSTD_getErrorName(e));
        rsp_stage_free(&z->s);
        return rc;
    }
    *ret = &z->s;
    return RSP_OK;
}

struct zstd_opener {
    struct rsp_stage s;
    struct pack_mem mem;
    ZSTD_DCtx *d;
    struct pack_count count;
    int inside; /* a frame has begun and not ended */
    int frames; /* at least one has ended */
    /* What the last call offered, when it moved nothing: libzstd takes many calls without progress
     * for a fault, but polling an input that has nothing yet is none. */
    int stuck;
};

enum { HAS_IN = 1, HAS_ROOM = 2, STUCK = 4 };

static int zstd_fault(struct zstd_opener *z, size_t e)
{
    const struct rsp_env *env = &z->s.env;
    int code = RSP_EFORMAT;
    switch (ZSTD_getErrorCode(e)) {
    case ZSTD_error_memory_allocation: return pack_no_memory(&z->mem);
    case ZSTD_error_checksum_wrong: code = RSP_ECHECKSUM; break;
    case ZSTD_error_frameParameter_windowTooLarge: code = RSP_ELIMIT; break;
    case ZSTD_error_version_unsupported:
    case ZSTD_error_frameParameter_unsupported:
    case ZSTD_error_dictionary_wrong: code = RSP_EUNSUPPORTED; break;
    default: break;
    }
    return fail_at(env, code, z->s.name, z->count.in, "%s", ZSTD_getErrorName(e));
}

/* Can a zstd frame or a skippable one begin with this byte? By one byte only, so that the answer
 * does not depend on how the input is cut into windows. */
static int zstd_begins(uint8_t c)
{
    return c == 0x28 || (c & 0xf0) == 0x50;
}

/* One step inside a frame. */
static int zstd_inside(struct zstd_opener *z, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    ZSTD_inBuffer i = {in->p, in->n, in->pos};
    ZSTD_outBuffer o = {out->p, out->n, out->pos};
    int offer = (in->pos < in->n ? HAS_IN : 0) | (out->pos < out->n ? HAS_ROOM : 0), moved = 0;
    if (!z->stuck || (offer & ~z->stuck)) {
        size_t left = ZSTD_decompressStream(z->d, &o, &i);
        if (ZSTD_isError(left)) return zstd_fault(z, left);
        z->count.in += i.pos - in->pos;
        z->count.out += o.pos - out->pos;
        moved = i.pos != in->pos || o.pos != out->pos || !left;
        z->stuck = moved ? 0 : offer | STUCK;
        in->pos = i.pos;
        out->pos = o.pos;
        if (!left) {
            z->inside = 0;
            z->frames = 1;
        }
    }
    if (!moved && op == RSP_STAGE_END && offer == HAS_ROOM) return pack_truncated(&z->s.env, z->s.name, &z->count);
    return pack_bound(&z->s.env, z->s.name, &z->count);
}

static int zstd_open_step(struct rsp_stage *s, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    struct zstd_opener *z = (struct zstd_opener *)s;
    if (!z->inside) {
        if (in->pos == in->n) {
            if (op != RSP_STAGE_END) return RSP_OK;
            return z->frames ? RSP_END : pack_truncated(&s->env, s->name, &z->count);
        }
        if (!zstd_begins(in->p[in->pos])) {
            if (z->frames) return RSP_END;
            return fail_at(&s->env, RSP_EFORMAT, s->name, z->count.in, "no zstd frame");
        }
        z->inside = 1;
    }
    return zstd_inside(z, in, out, op);
}

static void zstd_open_close(struct rsp_stage *s)
{
    ZSTD_freeDCtx(((struct zstd_opener *)s)->d);
}

static const struct stage_kind zstd_open_kind = {"zstd", zstd_open_step, zstd_open_close};

int rsp_stage_zstd_decompress(const struct rsp_env *env, struct rsp_stage **ret)
{
    struct zstd_opener *z;
    *ret = NULL;
    z = stage_new(env, &zstd_open_kind, sizeof *z);
    if (!z) return RSP_ENOMEM;
    z->mem.env = &z->s.env;
    z->d = ZSTD_createDCtx_advanced((ZSTD_customMem){pack_alloc, pack_free, &z->mem});
    if (!z->d) {
        int rc = pack_no_memory(&z->mem);
        rsp_stage_free(&z->s);
        return rc;
    }
    *ret = &z->s;
    return RSP_OK;
}
