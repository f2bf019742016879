/* What this is: an owned, growing buffer of bytes.
 * Rests on: mem.h.
 * Does not: shrink. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <string.h>

#include "base/mem.h"

struct buf {
    uint8_t *p;
    size_t n, cap;
    const struct rsp_env *env; /* borrowed; must outlive the buffer */
};

void buf_init(struct buf *b, const struct rsp_env *env);
/* Makes room for more bytes behind n; RSP_ENOMEM, or RSP_ELIMIT past env's alloc_bytes. */
int buf_reserve(struct buf *b, size_t more);
int buf_add(struct buf *b, const void *p, size_t n);
void buf_free(struct buf *b); /* also right after buf_init; leaves it empty and usable */

static inline int buf_byte(struct buf *b, uint8_t c)
{
    if (b->n == b->cap) {
        int rc = buf_reserve(b, 1);
        if (rc) return rc;
    }
    b->p[b->n++] = c;
    return RSP_OK;
}

#endif
