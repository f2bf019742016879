/* What this is: walking a listpack (Redis 5.0 and later; rdb.md section 11.2).
 * Rests on: entry.h.
 * Does not: write one. */
#ifndef ENC_LISTPACK_H
#define ENC_LISTPACK_H

#include "enc/entry.h"

struct listpack {
    const uint8_t *base;
    size_t n;       /* bytes of the blob */
    size_t at;      /* offset of the next element */
    uint32_t count; /* elements as the header says; LISTPACK_UNKNOWN when it does not */
    uint32_t seen;  /* elements handed out so far */
};
#define LISTPACK_UNKNOWN 65535u

/* RSP_OK, or RSP_EFORMAT with *fault filled in (fault may be NULL in both calls). Checks the total, the
 * final 0xFF and the least size. */
int listpack_open(struct listpack *lp, struct rsp_span blob, struct blob_fault *fault);
/* The next element: RSP_OK; RSP_END exactly at the final 0xFF with the header's count agreeing;
 * RSP_EFORMAT. Every byte is checked, back-lengths included (at the three lengths where two server
 * generations differ either width is taken), so a walk to RSP_END is a full verification. */
int listpack_next(struct listpack *lp, struct entry *e, struct blob_fault *fault);

/* For blob_stream.c. The bytes that the back-length of an element of size bytes takes: at the greatest size of each
 * width older servers write one byte more, whose first group is then zero. */
size_t listpack_back_width(size_t size, uint8_t first);
/* The size without back-length of an element that is neither a string below 64 bytes nor a 7-bit integer, as its
 * head says; 0 when p begins with no encoding. *head is how many of the bytes stand before a string's
 * own; e's integer or length is filled in as far as room reaches. */
uint64_t listpack_element_size(const uint8_t *p, size_t room, struct entry *e, size_t *head);

#endif
