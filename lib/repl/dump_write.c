/* What this is: where the type byte of DUMP's value stands.
 * Rests on: dump_write.h.
 * Does not: look into the value. */
#include "repl/dump_write.h"

#define OP_KEY_META 243

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
