/* What this is: walking an intset.
 * Rests on: intset.h.
 * Does not: ask for the least width: servers do not either. */
#include "enc/intset.h"

#define HEADER 8
#define COUNT_AT 4

static int bad(struct blob_fault *fault, size_t offset, const char *reason)
{
    if (fault) {
        fault->offset = offset;
        fault->reason = reason;
    }
    return RSP_EFORMAT;
}

int intset_open(struct intset *is, struct rsp_span blob, struct blob_fault *fault)
{
    if (blob.n < HEADER) return bad(fault, 0, "shorter than an empty intset");
    is->base = blob.p;
    is->width = load_le32(blob.p);
    is->count = load_le32(blob.p + COUNT_AT);
    is->seen = 0;
    is->previous = 0;
    if (is->width != 2 && is->width != 4 && is->width != 8)
        return bad(fault, 0, "the integer width is none of 2, 4, 8");
    if (is->count == 0) return bad(fault, COUNT_AT, "the header counts no integers");
    if ((uint64_t)is->count * is->width != blob.n - HEADER)
        return bad(fault, COUNT_AT, "the header's count does not fit the length of the intset");
    return RSP_OK;
}

int intset_next(struct intset *is, struct entry *e, struct blob_fault *fault)
{
    size_t at = HEADER + (size_t)is->seen * is->width;
    int64_t v;
    if (is->seen == is->count) return RSP_END;
    if (is->width == 2) v = (load_le16(is->base + at) ^ 0x8000) - 0x8000;
    else if (is->width == 4) v = as_i32(load_le32(is->base + at));
    else v = as_i64(load_le64(is->base + at));
    if (is->seen && v <= is->previous) return bad(fault, at, "the integers do not ascend");
    is->previous = v;
    is->seen++;
    *e = (struct entry){NULL, 0, v, 1};
    return RSP_OK;
}
