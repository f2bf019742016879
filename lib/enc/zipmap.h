/* What this is: walking a zipmap (small hashes of Redis 2.4 and earlier; rdb.md section 11.4).
 * Rests on: entry.h.
 * Does not: write one. */
#ifndef ENC_ZIPMAP_H
#define ENC_ZIPMAP_H

#include "enc/entry.h"

struct zipmap {
    const uint8_t *base;
    size_t n, at;
    uint32_t count, seen; /* pairs; ZIPMAP_UNKNOWN when the header does not say */
};
#define ZIPMAP_UNKNOWN 254u

int zipmap_open(struct zipmap *zm, struct rsp_span blob, struct blob_fault *fault);
/* One pair: RSP_OK, RSP_END exactly at the final 0xFF with the count agreeing, RSP_EFORMAT. */
int zipmap_next(struct zipmap *zm, struct entry *field, struct entry *value, struct blob_fault *fault);

#endif
