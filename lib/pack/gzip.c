/* What this is: decompression of gzip as a stage.
 * Rests on: zlib, io/stage_impl.h.
 * Does not: read raw deflate or the zlib format. */
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "io/stage_impl.h"
#include "pack/packmem.h"

enum where { BETWEEN, INSIDE, PADDING };

struct gzip_opener {
    struct rsp_stage s;
    struct pack_mem mem;
    z_stream z;
    int made; /* inflateInit2 has succeeded */
    struct pack_count count;
    enum where where;
    int members; /* at least one has ended */
};

static void *gzip_alloc(void *opaque, unsigned count, unsigned size)
{
    return pack_alloc(opaque, (size_t)count * size);
}

static int gzip_fault(struct gzip_opener *g, int e)
{
    const char *words = g->z.msg ? g->z.msg : zError(e);
    int code = RSP_EFORMAT;
    if (e == Z_MEM_ERROR) return pack_no_memory(&g->mem);
    if (e == Z_NEED_DICT) code = RSP_EUNSUPPORTED;
    /* zlib has one number for all bad data; only its words tell a wrong check value. */
    else if (!strcmp(words, "incorrect data check") || !strcmp(words, "header crc mismatch") ||
             !strcmp(words, "incorrect length check"))
        code = RSP_ECHECKSUM;
    return fail_at(&g->s.env, code, g->s.name, g->count.in, "%s", words);
}

/* Between members: RSP_OK (a member begins, or more input is needed), RSP_END, or a fault. */
static int gzip_between(struct gzip_opener *g, struct rsp_in *in, enum rsp_stage_op op)
{
    const struct rsp_env *env = &g->s.env;
    /* Tapes and some tools pad with zeros. Nothing but the end may follow them. */
    while (g->members && in->pos < in->n && in->p[in->pos] == 0) {
        g->where = PADDING;
        in->pos++;
        g->count.in++;
    }
    if (in->pos == in->n) {
        if (op != RSP_STAGE_END) return RSP_OK;
        return g->members ? RSP_END : pack_truncated(env, g->s.name, &g->count);
    }
    if (g->where == PADDING || in->p[in->pos] != 0x1f) {
        if (g->members) return RSP_END;
        return fail_at(env, RSP_EFORMAT, g->s.name, g->count.in, "no gzip member");
    }
    if (g->members && inflateReset(&g->z) != Z_OK)
        return fail(env, RSP_EINVAL, g->s.name, "cannot begin another member");
    g->where = INSIDE;
    return RSP_OK;
}

static int gzip_step(struct rsp_stage *s, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    struct gzip_opener *g = (struct gzip_opener *)s;
    size_t room = out->n - out->pos, have, taken, made;
    uint8_t none[1] = {0};
    int e;
    if (g->where != INSIDE) {
        int rc = gzip_between(g, in, op);
        if (rc || g->where != INSIDE) return rc;
    }
    have = in->n - in->pos;
    g->z.next_in = (Bytef *)(uintptr_t)(have ? in->p + in->pos : none); /* zlib only reads it */
    g->z.avail_in = have < UINT_MAX ? (uInt)have : UINT_MAX;
    g->z.next_out = room ? out->p + out->pos : none;
    g->z.avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
    taken = g->z.avail_in;
    made = g->z.avail_out;
    e = inflate(&g->z, Z_NO_FLUSH);
    taken -= g->z.avail_in;
    made -= g->z.avail_out;
    if (e != Z_OK && e != Z_STREAM_END && e != Z_BUF_ERROR) return gzip_fault(g, e);
    g->count.in += taken;
    g->count.out += made;
    if (e == Z_STREAM_END) {
        g->where = BETWEEN;
        g->members = 1;
    } else if (op == RSP_STAGE_END && !have && !made && room) {
        return pack_truncated(&s->env, s->name, &g->count);
    }
    in->pos += taken;
    out->pos += made;
    return pack_bound(&s->env, s->name, &g->count);
}

static void gzip_close(struct rsp_stage *s)
{
    struct gzip_opener *g = (struct gzip_opener *)s;
    if (g->made) inflateEnd(&g->z);
}

static const struct stage_kind gzip_kind = {"gzip", gzip_step, gzip_close};

int rsp_stage_gzip_decompress(const struct rsp_env *env, struct rsp_stage **ret)
{
    struct gzip_opener *g;
    *ret = NULL;
    g = stage_new(env, &gzip_kind, sizeof *g);
    if (!g) return RSP_ENOMEM;
    g->z.zalloc = gzip_alloc;
    g->z.zfree = pack_free;
    g->mem.env = &g->s.env;
    g->z.opaque = &g->mem;
    if (inflateInit2(&g->z, 15 + 16) != Z_OK) {
        int rc = pack_no_memory(&g->mem);
        rsp_stage_free(&g->s);
        return rc;
    }
    g->made = 1;
    *ret = &g->s;
    return RSP_OK;
}
