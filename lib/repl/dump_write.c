/* What this is: the opcodes and lengths of an RDB, written.
 * Rests on: dump_write.h, base/bytes.h.
 * Does not: compress. */
#include "repl/dump_write.h"

#include <stdio.h>

#include "base/bytes.h"

enum {
    OP_KEY_META = 243,
    OP_IDLE = 248,
    OP_FREQ = 249,
    OP_AUX = 250,
    OP_EXPIRE_MS = 252,
    OP_SELECT = 254,
    OP_EOF = 255
};

int dump_header(struct buf *out, unsigned version)
{
    char text[16];
    snprintf(text, sizeof text, version >= DUMP_VALKEY ? "VALKEY%03u" : "REDIS%04u", version % 1000);
    return buf_add(out, text, 9);
}

int dump_length(struct buf *out, uint64_t n)
{
    uint8_t b[9];
    size_t at = 0;
    if (n < 64) {
        b[at++] = (uint8_t)n;
    } else if (n < 16384) {
        b[at++] = (uint8_t)(0x40 | n >> 8);
        b[at++] = (uint8_t)n;
    } else {
        int bytes = n > UINT32_MAX ? 8 : 4;
        b[at++] = bytes == 8 ? 0x81 : 0x80;
        for (int i = bytes - 1; i >= 0; i--) b[at++] = (uint8_t)(n >> (8 * i));
    }
    return buf_add(out, b, at);
}

int dump_string(struct buf *out, const void *p, size_t n)
{
    int rc = dump_length(out, n);
    return rc || !n ? rc : buf_add(out, p, n);
}

int dump_aux(struct buf *out, const char *name, const char *value)
{
    int rc = buf_byte(out, OP_AUX);
    if (!rc) rc = dump_string(out, name, strlen(name));
    return rc ? rc : dump_string(out, value, strlen(value));
}

int dump_select(struct buf *out, uint64_t db)
{
    int rc = buf_byte(out, OP_SELECT);
    return rc ? rc : dump_length(out, db);
}

int dump_expiry(struct buf *out, int64_t ms)
{
    uint8_t b[9] = {OP_EXPIRE_MS};
    store_le64(b + 1, (uint64_t)ms);
    return buf_add(out, b, sizeof b);
}

int dump_idle(struct buf *out, uint64_t seconds)
{
    int rc = buf_byte(out, OP_IDLE);
    return rc ? rc : dump_length(out, seconds);
}

int dump_freq(struct buf *out, uint8_t counter)
{
    uint8_t b[2] = {OP_FREQ, counter};
    return buf_add(out, b, sizeof b);
}

int dump_end(struct buf *out)
{
    return buf_byte(out, OP_EOF);
}

/* ---- KEY_META ---- */

struct cursor {
    const uint8_t *p, *end;
};

static int skip(struct cursor *c, uint64_t n)
{
    if (n > (uint64_t)(c->end - c->p)) return RSP_AGAIN;
    c->p += n;
    return RSP_OK;
}

/* *special: the low bits of a string's encoding that is no length; -1: it is one. */
static int length(struct cursor *c, uint64_t *v, int *special)
{
    uint8_t first;
    int bytes;
    if (c->p == c->end) return RSP_AGAIN;
    first = *c->p;
    *special = -1;
    *v = first & 63;
    if (first >> 6 == 3) *special = first & 63;
    if (first >> 6 == 0 || first >> 6 == 3) return skip(c, 1);
    if (first >> 6 == 1) bytes = 1;
    else if (first == 0x80) bytes = 4;
    else if (first == 0x81) bytes = 8;
    else return RSP_EFORMAT;
    if (c->end - c->p < 1 + bytes) return RSP_AGAIN;
    if (bytes != 1) *v = 0;
    for (int i = 1; i <= bytes; i++) *v = *v << 8 | c->p[i];
    return skip(c, 1 + (uint64_t)bytes);
}

static int number(struct cursor *c, uint64_t *v)
{
    int special, rc = length(c, v, &special);
    return !rc && special >= 0 ? RSP_EFORMAT : rc;
}

static int string(struct cursor *c)
{
    uint64_t n, plain;
    int special, rc = length(c, &n, &special);
    if (rc || special < 0) return rc ? rc : skip(c, n);
    if (special < 3) return skip(c, 1u << special);
    if (special > 3) return RSP_EFORMAT;
    rc = number(c, &n);
    if (!rc) rc = number(c, &plain);
    return rc ? rc : skip(c, n);
}

/* Module items up to the 0 that ends them. */
static int items(struct cursor *c)
{
    for (;;) {
        uint64_t op, v;
        int rc = number(c, &op);
        if (rc || !op) return rc;
        switch (op) {
        case 1: /* signed */
        case 2: rc = number(c, &v); break;
        case 3: rc = skip(c, 4); break;
        case 4: rc = skip(c, 8); break;
        case 5: rc = string(c); break;
        default: return RSP_EFORMAT;
        }
        if (rc) return rc;
    }
}

int dump_meta(const uint8_t *p, size_t size, size_t *n)
{
    struct cursor c;
    uint64_t classes;
    int rc;
    *n = 0;
    if (!size) return RSP_AGAIN;
    if (*p != OP_KEY_META) return RSP_OK;
    c.p = p + 1;
    c.end = p + size;
    rc = number(&c, &classes);
    if (!rc && (!classes || classes > 7)) return RSP_EFORMAT;
    for (uint64_t i = 0; !rc && i < classes; i++) {
        rc = skip(&c, 4);
        if (!rc) rc = items(&c);
    }
    if (!rc && c.p == c.end) rc = RSP_AGAIN; /* the type must be there too */
    if (!rc) *n = (size_t)(c.p - p);
    return rc;
}
