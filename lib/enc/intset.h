/* What this is: walking an intset (rdb.md section 11.3).
 * Rests on: entry.h.
 * Does not: write one. */
#ifndef ENC_INTSET_H
#define ENC_INTSET_H

#include "enc/entry.h"

struct intset {
    const uint8_t *base;
    uint32_t width, count, seen;
    int64_t previous;
};

/* Checks width, count > 0 and the exact size. */
int intset_open(struct intset *is, struct rsp_span blob, struct blob_fault *fault);
/* RSP_OK, RSP_END, or RSP_EFORMAT when the order is not strictly ascending. */
int intset_next(struct intset *is, struct entry *e, struct blob_fault *fault);

#endif
