/* What this is: walking a listpack or a ziplist that is too large to be seen whole, as its bytes come.
 * Rests on: listpack.h, ziplist.h.
 * Does not: allocate, or hold more than an element's head. */
#ifndef ENC_BLOB_STREAM_H
#define ENC_BLOB_STREAM_H

#include "enc/entry.h"

struct blob_stream {
    uint64_t n, at;   /* bytes of the blob; offset of the next one */
    uint64_t element; /* offset of the element under way */
    uint64_t left;    /* of its string: bytes still to come */
    uint64_t text_n;  /* of its string: all bytes */
    uint64_t size;    /* listpack: its encoding and data; ziplist: the whole entry before */
    uint64_t tail, last;
    uint32_t count, seen;
    uint8_t state, ziplist;
    uint8_t have[16], have_n; /* a head that is not complete */
};

/* n: bytes of the whole blob. */
void blob_stream_init(struct blob_stream *s, int ziplist, uint64_t n);

/* Takes bytes of in from *pos on. RSP_OK: *e is an integer, or some bytes of a string (inside in), *first and *last
 * telling whether they begin and end it; s->text_n is its length. RSP_AGAIN: in is used up. RSP_END: the blob is
 * complete. RSP_EFORMAT as of listpack_next and ziplist_next: a walk to RSP_END verifies the same. */
int blob_stream_step(struct blob_stream *s, struct rsp_span in, size_t *pos, struct entry *e, int *first, int *last,
                     struct blob_fault *fault);

#endif
