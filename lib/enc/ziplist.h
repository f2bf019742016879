/* What this is: walking a ziplist (Redis 2.4 to 6.2; rdb.md section 11.1).
 * Rests on: entry.h.
 * Does not: write one. */
#ifndef ENC_ZIPLIST_H
#define ENC_ZIPLIST_H

#include "enc/entry.h"

struct ziplist {
    const uint8_t *base;
    size_t n, at;
    size_t tail;     /* offset of the last entry as the header says */
    size_t previous; /* raw size of the entry before at; 0 at the first */
    size_t last;     /* offset of the entry handed out last */
    uint32_t count, seen;
};
#define ZIPLIST_UNKNOWN 65535u

int ziplist_open(struct ziplist *zl, struct rsp_span blob, struct blob_fault *fault);
/* As listpack_next: prevlen, tail and count are checked, so a walk to RSP_END verifies all. */
int ziplist_next(struct ziplist *zl, struct entry *e, struct blob_fault *fault);

/* For blob_stream.c. The bytes from the encoding on of an entry of any kind, as its head says; 0 when p begins with no
 * encoding. *head is how many of them stand before a string's own; e's integer or length is filled in as far as room
 * reaches. */
uint64_t ziplist_entry_size(const uint8_t *p, size_t room, struct entry *e, size_t *head);

#endif
