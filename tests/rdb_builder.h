/* What this is: RDB bytes put together in memory, for tests: lengths, strings, blobs, records, files.
 * Rests on: base/crc64.h, liblzf. MUST(condition) must be defined before.
 * Does not: check what it is asked for: faulty files are built with it, too. */
#ifndef TESTS_RDB_BUILDER_H
#define TESTS_RDB_BUILDER_H

#include <lzf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc64.h"

struct made {
    uint8_t *p;
    size_t n, cap;
};

static inline void put_bytes(struct made *m, const void *p, size_t n)
{
    if (n > m->cap - m->n) {
        m->cap = 2 * m->cap + n;
        m->p = realloc(m->p, m->cap);
        MUST(m->p);
    }
    if (n) memcpy(m->p + m->n, p, n);
    m->n += n;
}

static inline void put_byte(struct made *m, unsigned c)
{
    uint8_t b = (uint8_t)c;
    put_bytes(m, &b, 1);
}

static inline void put_le(struct made *m, uint64_t v, int n)
{
    for (int i = 0; i < n; i++) put_byte(m, (unsigned)(v >> 8 * i & 0xff));
}

static inline void put_be(struct made *m, uint64_t v, int n)
{
    while (n--) put_byte(m, (unsigned)(v >> 8 * n & 0xff));
}

static inline void put_len(struct made *m, uint64_t v)
{
    if (v < 0x40) {
        put_byte(m, (unsigned)v);
    } else if (v < 0x4000) {
        put_be(m, v | 0x4000, 2);
    } else if (v <= UINT32_MAX) {
        put_byte(m, 0x80);
        put_be(m, v, 4);
    } else {
        put_byte(m, 0x81);
        put_be(m, v, 8);
    }
}

static inline void put_str(struct made *m, const void *p, size_t n)
{
    put_len(m, n);
    put_bytes(m, p, n);
}

static inline void put_text(struct made *m, const char *s)
{
    put_str(m, s, strlen(s));
}

/* Compressed; as it is when that does not make it shorter. */
static inline void put_lzf(struct made *m, const void *p, size_t n)
{
    uint8_t *out = malloc(n ? n : 1);
    unsigned k = n > 4 ? lzf_compress(p, (unsigned)n, out, (unsigned)n - 1) : 0;
    MUST(out);
    if (k) {
        put_byte(m, 0xc3);
        put_len(m, k);
        put_len(m, n);
        put_bytes(m, out, k);
    } else {
        put_str(m, p, n);
    }
    free(out);
}

/* n bytes that depend on seed; half of them compressible. */
static inline uint8_t *noise(size_t n, uint64_t seed)
{
    uint8_t *p = malloc(n ? n : 1);
    uint64_t x = seed * 0x9E3779B97F4A7C15ULL + 1;
    MUST(p);
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        p[i] = i / 64 % 2 ? (uint8_t)('a' + seed % 26) : (uint8_t)x;
    }
    return p;
}

/* A string of noise in one of its forms: 0 raw, 1 LZF. */
static inline void put_noise(struct made *m, size_t n, uint64_t seed, int lzf)
{
    uint8_t *p = noise(n, seed);
    if (lzf) put_lzf(m, p, n);
    else put_str(m, p, n);
    free(p);
}

/* ---- listpacks: lp_begin, elements, lp_end ---- */

static inline void lp_begin(struct made *m)
{
    m->n = 0;
    put_le(m, 0, 6);
}

static inline void lp_back(struct made *m, size_t n)
{
    uint8_t b[5];
    int k = 0;
    do {
        b[k] = (uint8_t)((n & 0x7f) | (k ? 0x80 : 0)); /* the last written, first read, is the lowest group */
        n >>= 7;
        k++;
    } while (n);
    if (k > 1) { /* the leftmost byte has no top bit, all others have */
        for (int i = 0; i < k; i++) b[i] = (uint8_t)((b[i] & 0x7f) | (i + 1 < k ? 0x80 : 0));
    }
    while (k--) put_byte(m, b[k]);
}

static inline void lp_str(struct made *m, const void *p, size_t n)
{
    size_t from = m->n;
    if (n < 64) {
        put_byte(m, 0x80 | (unsigned)n);
    } else if (n < 4096) {
        put_be(m, 0xe000 | n, 2);
    } else {
        put_byte(m, 0xf0);
        put_le(m, n, 4);
    }
    put_bytes(m, p, n);
    lp_back(m, m->n - from);
}

static inline void lp_int(struct made *m, int64_t v)
{
    size_t from = m->n;
    if (v >= 0 && v < 128) {
        put_byte(m, (unsigned)v);
    } else {
        put_byte(m, 0xf4);
        put_le(m, (uint64_t)v, 8);
    }
    lp_back(m, m->n - from);
}

static inline void lp_end(struct made *m, size_t count)
{
    put_byte(m, 0xff);
    for (int i = 0; i < 4; i++) m->p[i] = (uint8_t)(m->n >> 8 * i);
    count = count < 65535 ? count : 65535;
    m->p[4] = (uint8_t)count, m->p[5] = (uint8_t)(count >> 8);
}

/* ---- files ---- */

static inline void file_begin(struct made *m, const char *magic)
{
    m->n = 0;
    put_bytes(m, magic, 9);
}

static inline void file_end(struct made *m)
{
    put_byte(m, 0xff);
    put_le(m, crc64(0, m->p, m->n), 8);
}

static inline void record_begin(struct made *m, unsigned type, const char *key)
{
    put_byte(m, type);
    put_text(m, key);
}

static inline void made_free(struct made *m)
{
    free(m->p);
    memset(m, 0, sizeof *m);
}

#endif
