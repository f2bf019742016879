/* What this is: what the writer and the reader of sealed objects share: nonces, one sealed message, the chunk table.
 * Rests on: object.h.
 * Does not: leave this folder. */
#ifndef SEAL_OBJECT_IMPL_H
#define SEAL_OBJECT_IMPL_H

#include "seal/object.h"

#define HEAD_BYTES 104 /* of a header without items */
#define HEAD_BYTES_MAX 4096
#define CHUNK_MIN 4096u
#define TABLE_ENTRY_MIN 17u
#define TABLE_ITEMS_MAX (64u << 10)
#define TABLE_BYTES_MAX (4u + OBJECT_CHUNKS_MAX * (TABLE_ENTRY_MIN + NOTE_MAX) + TABLE_ITEMS_MAX + TAG_BYTES)
#define TRAILER_ITEMS_MAX (64u << 10)
extern const char object_tail_magic[8];

/* What a stored chunk may take at most, tag included: zstd adds a little to what it cannot compress. */
static inline size_t object_stored_max(uint32_t chunk_bytes)
{
    return (size_t)chunk_bytes + chunk_bytes / 128 + 1024;
}

struct object_nonce {
    uint8_t b[12];
};
struct object_nonce object_chunk_nonce(uint64_t number, int final);
struct object_nonce object_table_nonce(void);

/* One message of the given suite: c takes n + TAG_BYTES bytes; m may be c. */
void object_seal(int suite, uint8_t *c, const uint8_t *m, size_t n, const struct object_nonce *nonce,
                 const uint8_t key[KEY_BYTES]);
/* 1 when it is authentic. m may be c. */
int object_open(int suite, uint8_t *m, const uint8_t *c, size_t c_n, const struct object_nonce *nonce,
                const uint8_t key[KEY_BYTES]);

/* The list is well-formed and holds no critical item: none is defined in headers, tables and trailers. RSP_EINTEGRITY
 * or RSP_EUNSUPPORTED; writes no record. */
int object_items_check(const uint8_t *p, size_t n);

/* The table's plaintext, chunk by chunk; begin on an empty buffer, seal makes it what is stored. */
int object_table_begin(struct buf *t);
int object_table_add(struct buf *t, const struct object_chunk *chunk);
int object_table_seal(struct buf *t, uint32_t chunks, int suite, const uint8_t key[KEY_BYTES]);
/* Fills r->chunks, chunks_n and plain from the opened table. data_end is where the stored table begins. r->env, head,
 * subject, stored and base are set. */
int object_table_read(struct object_reader *r, const uint8_t *p, size_t n, uint64_t data_end);

#endif
