/* What this is: finding out by the first bytes whether a source is compressed, and how.
 * Rests on: the stages of this folder, rsp_source_through.
 * Does not: look inside: whether what comes out is a dump shows later. */
#include <string.h>

#include <respite/source.h>

#include "base/bytes.h"
#include "base/mem.h"

#define VCS_HEADER 7 /* "VCS", version, codec, reserved, kind */

enum codec { NONE, ZSTD, GZIP, LZ4 };

static enum codec by_magic(const uint8_t *p, size_t n)
{
    uint32_t magic;
    if (n >= 2 && p[0] == 0x1f && p[1] == 0x8b) return GZIP;
    if (n < 4) return NONE;
    magic = load_le32(p);
    if (magic == 0xfd2fb528u) return ZSTD;
    if (magic == 0x184d2204u) return LZ4;
    /* lz4 shares the skippable frames, but only zstd tools (pzstd, seekable zstd) begin with one. */
    if ((magic & 0xfffffff0u) == 0x184d2a50u) return ZSTD;
    return NONE;
}

/* Judges the seven bytes of Valkey's compressed stream header. */
static int vcs_codec(const struct rsp_env *env, const char *name, const uint8_t *p, enum codec *codec)
{
    if (p[3] != 1) return fail_at(env, RSP_EUNSUPPORTED, name, 3, "VCS envelope of version %u", p[3]);
    if (p[4] != 1 && p[4] != 2) return fail_at(env, RSP_EUNSUPPORTED, name, 4, "VCS envelope of codec %u", p[4]);
    if (p[5] != 0) return fail_at(env, RSP_EUNSUPPORTED, name, 5, "VCS envelope with reserved byte %u", p[5]);
    if (p[6] != 1) return fail_at(env, RSP_EUNSUPPORTED, name, 6, "VCS envelope of kind %u, not a dump", p[6]);
    *codec = p[4] == 1 ? LZ4 : ZSTD;
    return RSP_OK;
}

/* What inner is, without taking a byte. RSP_AGAIN when that cannot be told yet. */
static int look(const struct rsp_env *env, struct rsp_source *inner, enum codec *codec, int *vcs)
{
    const char *name = rsp_source_name(inner);
    struct rsp_span v;
    int rc = rsp_source_peek(inner, 4, &v);
    *codec = NONE;
    *vcs = 0;
    if (rc) return rc;
    if (v.n == 4 && !memcmp(v.p, "VKCS", 4))
        return fail_at(env, RSP_EUNSUPPORTED, name, 0, "VKCS envelope of an unreleased server");
    if (v.n < 3 || memcmp(v.p, "VCS", 3)) {
        *codec = by_magic(v.p, v.n);
        return RSP_OK;
    }
    rc = rsp_source_peek(inner, VCS_HEADER, &v);
    if (rc) return rc;
    if (v.n < VCS_HEADER) return fail_at(env, RSP_ETRUNCATED, name, v.n, "data ends inside the VCS envelope");
    *vcs = 1;
    return vcs_codec(env, name, v.p, codec);
}

static int skip(struct rsp_source *inner, size_t n)
{
    uint8_t taken[VCS_HEADER];
    while (n) {
        size_t got;
        int rc = rsp_source_read(inner, taken, n, &got);
        if (rc) return rc == RSP_END ? RSP_ETRUNCATED : rc;
        n -= got;
    }
    return RSP_OK;
}

int rsp_source_detect(const struct rsp_env *env, struct rsp_source *inner, struct rsp_source **ret, const char **codec)
{
    static const char *const names[2][4] = {{"none", "zstd", "gzip", "lz4"}, {"", "vcs+zstd", "", "vcs+lz4"}};
    struct rsp_env e;
    struct rsp_stage *stage = NULL;
    enum codec kind;
    int vcs, rc;
    *ret = NULL;
    env_init(&e, env);
    rc = look(&e, inner, &kind, &vcs);
    if (rc) return rc;
    if (codec) *codec = names[vcs][kind];
    switch (kind) {
    case NONE: *ret = inner; return RSP_OK;
    case ZSTD: rc = rsp_stage_zstd_decompress(env, &stage); break;
    case GZIP: rc = rsp_stage_gzip_decompress(env, &stage); break;
    case LZ4: rc = rsp_stage_lz4_decompress(env, &stage); break;
    }
    if (!rc && vcs) rc = skip(inner, VCS_HEADER);
    if (!rc) rc = rsp_source_through(env, inner, stage, ret);
    if (rc) rsp_stage_free(stage);
    return rc;
}
