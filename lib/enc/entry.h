/* What this is: what a compact encoding (listpack, ziplist, intset, zipmap) yields, and what can be
 *   wrong with one.
 * Rests on: base/bytes.h.
 * Does not: allocate. */
#ifndef ENC_ENTRY_H
#define ENC_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include <respite/env.h>

#include "base/bytes.h"

/* A string (p, n inside the blob) or an integer, whose text is its canonical decimal. */
struct entry {
    const uint8_t *p;
    size_t n;
    int64_t i;
    uint8_t is_int;
};

/* Where in a blob (offset from its first byte) and why; reason is a static string. */
struct blob_fault {
    size_t offset;
    const char *reason;
};

/* The entry's text: its own bytes, or the integer written into scratch. */
static inline struct rsp_span entry_text(const struct entry *e, char scratch[I64_TEXT])
{
    struct rsp_span s = {e->p, e->n};
    if (e->is_int) {
        s.n = i64_text(scratch, e->i);
        s.p = (const uint8_t *)scratch;
    }
    return s;
}

#endif
