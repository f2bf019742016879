/* What this is: lengths and strings of the RDB format, read from memory.
 * Rests on: base/bytes.h; rdb.md sections 4, 5.
 * Does not: inflate, allocate, or write words: callers know offset and subject. */
#ifndef RDB_STR_H
#define RDB_STR_H

#include <respite/rdb.h>

#include "base/bytes.h"

struct rdb_str {
    uint8_t enc;   /* enum rsp_rdb_str_enc */
    uint8_t head;  /* bytes before the body */
    uint64_t body; /* stored bytes behind the head */
    uint64_t n;    /* length of the string itself; INT: 0 here */
};

/* A length at p, at most avail bytes visible. Returns its width and sets *v; 0: not wholly
 * visible; -1: not a length (special form, or an invalid first byte). */
static inline int len_read(const uint8_t *p, size_t avail, uint64_t *v)
{
    uint8_t b;
    if (!avail) return 0;
    b = p[0];
    if (b < 0x40) {
        *v = b;
        return 1;
    }
    if (b < 0x80) {
        if (avail < 2) return 0;
        *v = (uint64_t)(b & 0x3f) << 8 | p[1];
        return 2;
    }
    if (b == 0x80) {
        if (avail < 5) return 0;
        *v = load_be32(p + 1);
        return 5;
    }
    if (b == 0x81) {
        if (avail < 9) return 0;
        *v = load_be64(p + 1);
        return 9;
    }
    return -1;
}

/* The head of a string. 1: *s is filled in; 0: not wholly visible; -1: invalid. The body need not
 * be visible. */
static inline int str_head(const uint8_t *p, size_t avail, struct rdb_str *s)
{
    uint64_t clen, ulen;
    int w, x;
    if (!avail) return 0;
    if (p[0] < 0xc0) {
        w = len_read(p, avail, &s->n);
        if (w <= 0) return w;
        s->enc = RSP_STR_RAW;
        s->head = (uint8_t)w;
        s->body = s->n;
        return 1;
    }
    if (p[0] < 0xc3) {
        s->enc = RSP_STR_INT;
        s->head = 1;
        s->body = (uint64_t)1 << (p[0] - 0xc0);
        s->n = 0;
        return 1;
    }
    if (p[0] != 0xc3) return -1;
    w = len_read(p + 1, avail - 1, &clen);
    if (w <= 0) return w;
    x = len_read(p + 1 + w, avail - 1 - (size_t)w, &ulen);
    if (x <= 0) return x;
    s->enc = RSP_STR_LZF;
    s->head = (uint8_t)(1 + w + x);
    s->body = clen;
    s->n = ulen;
    return 1;
}

/* The value of an INT body. */
static inline int64_t str_int(const uint8_t *body, uint64_t n)
{
    if (n == 1) return (int64_t)(body[0] ^ 0x80) - 0x80;
    if (n == 2) return (int64_t)(load_le16(body) ^ 0x8000) - 0x8000;
    return as_i32(load_le32(body));
}

#endif
