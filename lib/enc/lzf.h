/* What this is: inflating LZF strings (rdb.md section 5.1), whole or in pieces.
 * Rests on: entry.h for blob_fault.
 * Does not: compress. */
#ifndef ENC_LZF_H
#define ENC_LZF_H

#include "enc/entry.h"

/* 1 when ulen bytes can come out of clen at all (the densest stream gives 264 for 3): checked
 * before anything is allocated for a claimed length. */
int lzf_plausible(uint64_t clen, uint64_t ulen);

/* Inflates all of in into exactly ulen bytes at out. RSP_OK, or RSP_EFORMAT with the offset in
 * the compressed bytes. */
int lzf_inflate(struct rsp_span in, uint8_t *out, size_t ulen, struct blob_fault *fault);

/* In pieces, with an 8 KiB history of its own, for strings too large to hold: feed compressed
 * bytes, take output as it comes. Allocates nothing. */
#define LZF_HISTORY 8192
struct lzf_stream {
    uint8_t history[LZF_HISTORY];
    uint64_t out_total; /* bytes produced so far */
    uint64_t in_total;
    uint64_t ulen;           /* bytes that must come out in all */
    uint32_t run;            /* bytes still to copy in the token under way */
    uint32_t offset;         /* back-reference distance; 0: a literal run */
    uint8_t have[3], have_n; /* bytes of a token's head that is not complete */
};
void lzf_stream_init(struct lzf_stream *s, uint64_t ulen);
/* Moves the two positions as a stage does. RSP_OK, or RSP_EFORMAT. */
int lzf_stream_step(struct lzf_stream *s, const uint8_t *in, size_t in_n, size_t *in_pos, uint8_t *out, size_t out_n,
                    size_t *out_pos, struct blob_fault *fault);
/* After the last input: RSP_OK when everything came out and no token is open, RSP_EFORMAT. */
int lzf_stream_end(const struct lzf_stream *s, struct blob_fault *fault);

#endif
