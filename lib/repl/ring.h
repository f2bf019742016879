/* What this is: the bounded queue between the thread that drains a server's socket and the one that reads the dump.
 * Rests on: base/mem.h, io/fdio.h, seal/crypt.h.
 * Does not: know what the bytes are. One writer, one reader.
 *
 * Bytes lie in blocks. When all blocks are full the writer waits, or, with a spool, the newest full block is sealed under a
 * key that lives in this process alone and goes to a nameless file; its memory becomes the next block. The queue keeps the
 * order, so blocks of memory and of the file may stand in any mixture. */
#ifndef REPL_RING_H
#define REPL_RING_H

#include <respite/env.h>

#define RING_BLOCK ((size_t)256 << 10)
#define RING_BLOCKS_LEAST 4

struct ring;

/* bytes: of memory, rounded up to whole blocks. spool: a directory, or NULL. The env's allocator is called from both
 * threads; its error record is not used: faults of either side are in their own records, given to the calls. */
int ring_new(const struct rsp_env *env, size_t bytes, const char *spool, struct ring **ret);

/* The writer's. Room for 1..*cap bytes at *p: RSP_OK; RSP_AGAIN when there was none within ms; RSP_ECANCELED when the
 * reader has gone (no words); a fault of the spool. words: the writer's env. */
int ring_room(struct ring *r, const struct rsp_env *words, int64_t ms, uint8_t **p, size_t *cap);
/* n bytes were put there. Of everything put so far the last hold bytes are not shown to the reader yet. */
void ring_put(struct ring *r, size_t n, size_t hold);
/* No more will come: RSP_END, or a fault with its words. What is held is given up. */
void ring_end(struct ring *r, int status, const struct rsp_error *why);

/* The reader's. 1..cap bytes; behind the last one what ring_end said, with its words in words. Looks at cancel at least
 * five times a second. */
int ring_read(struct ring *r, const struct rsp_env *words, volatile const int *cancel, uint8_t *out, size_t cap,
              size_t *got);
/* From any thread: the reader wants no more; the writer is told at its next ring_room, or in the one under way. */
void ring_stop(struct ring *r);

/* From any thread: bytes put, bytes that went through the spool. */
uint64_t ring_written(const struct ring *r);
uint64_t ring_spooled(const struct ring *r);
/* Both threads have ended, or only one was there. NULL does nothing. */
void ring_free(struct ring *r);

#endif
