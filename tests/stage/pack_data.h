/* What this is: data for tests of compression: a text that compresses, and its compressed forms
 *   made by the libraries themselves.
 * Rests on: libcheck, libzstd, liblz4, zlib.
 * Does not: use the stages. Every buffer has exactly the size of its content. */
#ifndef TESTS_PACK_DATA_H
#define TESTS_PACK_DATA_H

#include <check.h>
#include <lz4frame.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

struct data {
    uint8_t *p;
    size_t n;
};

static inline struct data data_exact(uint8_t *p, size_t n)
{
    struct data d = {malloc(n ? n : 1), n};
    if (n) memcpy(d.p, p, n);
    free(p);
    return d;
}

/* Half of it repeats, half does not. */
static inline struct data data_plain(size_t n, uint32_t seed)
{
    struct data d = {malloc(n ? n : 1), n};
    uint32_t s = seed * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        s = s * 1664525 + 1013904223;
        d.p[i] = i / 500 % 2 ? (uint8_t)(s >> 24) : (uint8_t)("key:value "[i % 10]);
    }
    return d;
}

static inline struct data data_zstd(struct data in)
{
    size_t cap = ZSTD_compressBound(in.n), n;
    uint8_t *p = malloc(cap);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
    n = ZSTD_compress2(c, p, cap, in.p, in.n);
    ck_assert(!ZSTD_isError(n));
    ZSTD_freeCCtx(c);
    return data_exact(p, n);
}

static inline struct data data_lz4(struct data in)
{
    LZ4F_preferences_t how;
    size_t cap, n;
    uint8_t *p;
    memset(&how, 0, sizeof how);
    how.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
    how.frameInfo.blockChecksumFlag = LZ4F_blockChecksumEnabled;
    cap = LZ4F_compressFrameBound(in.n, &how);
    p = malloc(cap);
    n = LZ4F_compressFrame(p, cap, in.p, in.n, &how);
    ck_assert(!LZ4F_isError(n));
    return data_exact(p, n);
}

static inline struct data data_gzip(struct data in)
{
    z_stream z;
    size_t cap;
    uint8_t *p;
    memset(&z, 0, sizeof z);
    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cap = deflateBound(&z, in.n);
    p = malloc(cap);
    z.next_in = in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = p;
    z.avail_out = (uInt)cap;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return data_exact(p, cap - z.avail_out);
}

static inline struct data data_join(struct data a, struct data b)
{
    struct data d = {malloc(a.n + b.n ? a.n + b.n : 1), a.n + b.n};
    if (a.n) memcpy(d.p, a.p, a.n);
    if (b.n) memcpy(d.p + a.n, b.p, b.n);
    return d;
}

/* As data_join, and frees both. */
static inline struct data data_join_own(struct data a, struct data b)
{
    struct data d = data_join(a, b);
    free(a.p);
    free(b.p);
    return d;
}

#endif
