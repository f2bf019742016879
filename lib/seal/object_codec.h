/* What this is: what one worker needs to compress, compare, open and decompress chunks; contexts are reused.
 * Rests on: object_impl.h, libzstd.
 * Does not: leave this folder. */
#ifndef SEAL_OBJECT_CODEC_H
#define SEAL_OBJECT_CODEC_H

#include "seal/object_impl.h"

/* One per worker. */
struct chunk_maker;
/* head: codec and chunk_bytes matter. env's record is used only by this call. */
int chunk_maker_new(const struct rsp_env *env, const struct object_head *head, int level, int recheck,
                    struct chunk_maker **ret);
void chunk_maker_free(struct chunk_maker *m);
/* Compresses n bytes at plain into c (object_stored_max bytes) and compares; *stored is the compressed size and
 * *from what is to be sealed: c, or plain itself when nothing is compressed. error is the record of the thread that
 * calls; offset, in the stream, is for the words. */
int chunk_make(struct chunk_maker *m, struct rsp_error *error, const uint8_t *plain, size_t n, uint64_t offset,
               uint8_t *c, size_t *stored, const uint8_t **from);

/* Decompresses one frame of exactly n bytes: 1 when it is that. */
int object_unzstd(struct object_scratch *s, const uint8_t *c, size_t c_n, uint8_t *m, size_t n);

#endif
