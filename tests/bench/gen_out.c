/* What this is: bytes, strings, integers and listpacks of an RDB file, for the generator.
 * Rests on: liblzf, base/crc64.h.
 * Does not: use the library's RDB writer, so that a fault there cannot hide in its own input. */
#include "gen_out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <lzf.h>

#include "base/crc64.h"

struct gen g;

static uint64_t seed = 0x243f6a8885a308d3ULL;

uint64_t rnd(void)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

uint32_t below(uint32_t n)
{
    return (uint32_t)(((rnd() >> 32) * n) >> 32);
}

uint32_t between(uint32_t a, uint32_t b)
{
    return a + below(b - a + 1);
}

void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint8_t *room(struct buf *b, size_t n)
{
    if (n > b->cap - b->n) {
        size_t cap = b->cap ? b->cap : 4096;
        while (cap - b->n < n) cap *= 2;
        b->p = realloc(b->p, cap);
        if (!b->p) die("memory");
        b->cap = cap;
    }
    return b->p + b->n;
}

void put(struct buf *b, const void *p, size_t n)
{
    memcpy(room(b, n), p, n);
    b->n += n;
}

void put_u8(struct buf *b, unsigned v)
{
    *room(b, 1) = (uint8_t)v;
    b->n++;
}

void put_le(struct buf *b, uint64_t v, int n)
{
    uint8_t t[8];
    for (int i = 0; i < n; i++) t[i] = (uint8_t)(v >> (8 * i));
    put(b, t, (size_t)n);
}

void put_be(struct buf *b, uint64_t v, int n)
{
    while (n--) put_u8(b, (unsigned)(v >> (8 * n)) & 0xff);
}

void put_len(struct buf *b, uint64_t v)
{
    if (v < 64) {
        put_u8(b, (unsigned)v);
    } else if (v < 16384) {
        put_be(b, v | 0x4000, 2);
    } else if (v <= UINT32_MAX) {
        put_u8(b, 0x80);
        put_be(b, v, 4);
    } else {
        put_u8(b, 0x81);
        put_be(b, v, 8);
    }
}

void put_int_str(struct buf *b, int64_t v)
{
    char t[24];
    if (v >= INT8_MIN && v <= INT8_MAX) {
        put_u8(b, 0xc0);
        put_le(b, (uint64_t)v, 1);
    } else if (v >= INT16_MIN && v <= INT16_MAX) {
        put_u8(b, 0xc1);
        put_le(b, (uint64_t)v, 2);
    } else if (v >= INT32_MIN && v <= INT32_MAX) {
        put_u8(b, 0xc2);
        put_le(b, (uint64_t)v, 4);
    } else {
        int n = snprintf(t, sizeof t, "%" PRId64, v);
        put_len(b, (unsigned)n);
        put(b, t, (size_t)n);
    }
}

void put_str(struct buf *b, const void *p, size_t n)
{
    static struct buf c;
    if (g.compress && n > 20) {
        unsigned got;
        c.n = 0;
        got = lzf_compress(p, (unsigned)n, room(&c, n), (unsigned)n - 4);
        if (got) {
            size_t from = b->n;
            put_u8(b, 0xc3);
            put_len(b, got);
            put_len(b, n);
            put(b, c.p, got);
            g.lzf_bytes += b->n - from;
            g.lzf_raw += n;
            return;
        }
    }
    put_len(b, n);
    put(b, p, n);
}

void put_text(struct buf *b, const char *s)
{
    put_str(b, s, strlen(s));
}

void flush(size_t limit)
{
    if (g.out.n < limit) return;
    g.crc = crc64(g.crc, g.out.p, g.out.n);
    if (fwrite(g.out.p, 1, g.out.n, g.file) != g.out.n) die("write");
    g.bytes += g.out.n;
    g.out.n = 0;
}

/* Listpacks. */

void lp_begin(struct buf *b)
{
    b->n = 0;
    put_le(b, 0, 6);
}

static void lp_backlen(struct buf *b, size_t n)
{
    int groups = n < 128 ? 1 : n < 16383 ? 2 : 3;
    for (int i = groups - 1; i >= 0; i--) put_u8(b, (unsigned)((n >> (7 * i)) & 127) | (i < groups - 1 ? 128u : 0u));
}

void lp_str(struct buf *b, const void *p, size_t n)
{
    size_t head = n < 64 ? 1 : n < 4096 ? 2 : 5;
    if (head == 1) {
        put_u8(b, 0x80 | (unsigned)n);
    } else if (head == 2) {
        put_be(b, 0xe000 | n, 2);
    } else {
        put_u8(b, 0xf0);
        put_le(b, n, 4);
    }
    put(b, p, n);
    lp_backlen(b, head + n);
}

void lp_text(struct buf *b, const char *s)
{
    lp_str(b, s, strlen(s));
}

void lp_int(struct buf *b, int64_t v)
{
    size_t from = b->n;
    if (v >= 0 && v < 128) {
        put_u8(b, (unsigned)v);
    } else if (v >= -4096 && v < 4096) {
        put_be(b, 0xc000 | ((uint64_t)v & 0x1fff), 2);
    } else {
        int n = v >= INT16_MIN && v <= INT16_MAX   ? 2
                : v >= -(1 << 23) && v < (1 << 23) ? 3
                : v >= INT32_MIN && v <= INT32_MAX ? 4
                                                   : 8;
        put_u8(b, n == 8 ? 0xf4 : 0xefu + (unsigned)n);
        put_le(b, (uint64_t)v, n);
    }
    lp_backlen(b, b->n - from);
}

void lp_end(struct buf *b, size_t count)
{
    put_u8(b, 0xff);
    for (int i = 0; i < 4; i++) b->p[i] = (uint8_t)(b->n >> (8 * i));
    if (count > 65535) count = 65535;
    b->p[4] = (uint8_t)count;
    b->p[5] = (uint8_t)(count >> 8);
}
