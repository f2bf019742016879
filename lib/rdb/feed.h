/* What this is: blocks of a file on their way from the source through the scan to whoever holds them as batches.
 * Rests on: scan.h, respite/source.h.
 * Does not: decode. */
#ifndef RDB_FEED_H
#define RDB_FEED_H

#include "rdb/scan.h"

struct block {
    struct rsp_rdb_batch pub; /* first: a batch is its block */
    struct rsp_rdb_feed *feed;
    struct block *next;
    uint8_t *mem; /* NULL when the source shows its bytes itself */
    size_t mem_n;
    const uint8_t *new; /* bytes that came with this block */
    size_t new_n;
    uint64_t crc;     /* of the file before them */
    uint64_t own_crc; /* of them alone, when it is known already */
    int own_crc_known;
    int status; /* RSP_OK: more may follow; RSP_END: nothing follows; a fault */
    struct scan_out out;
    struct buf open_key;
};

/* Room before a block's new bytes for what the window before left over. */
#define BLOCK_FRONT (320u << 10)

/* blocks.c: where full blocks come from, with or without a thread of their own. */
struct blocks;
int blocks_new(const struct rsp_env *env, struct rsp_source *source, const struct rsp_rdb_feed_options *options,
               struct rsp_rdb_feed *feed, struct blocks **ret);
/* The next block, filled as far as the source goes; a fault of the source is the block's status, its words
 * are in blocks_error. RSP_OK; RSP_AGAIN: *ret holds what there is so far, and the next call goes on with the
 * same block; RSP_END: nothing follows; RSP_ENOMEM. Waits for a free block. */
int blocks_next(struct blocks *b, struct block **ret);
/* After RSP_AGAIN: the block is to be left as it is; the next call begins another. */
void blocks_settle(struct blocks *b, struct block *k);
const struct rsp_error *blocks_error(const struct blocks *b);
/* From any thread. */
void blocks_release(struct blocks *b, struct block *block);
/* No more blocks are wanted ahead: a thread stops reading. blocks_next goes on without it. */
void blocks_stop(struct blocks *b);
void blocks_free(struct blocks *b);

/* feed.c: after RSP_END, every byte behind the file that was drawn from the source with it. */
int feed_drawn(const struct rsp_rdb_feed *f, struct rsp_span *view);

#endif
