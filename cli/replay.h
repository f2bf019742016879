/* What this is: one record of a file as a file of its own: its header, the hash templates seen so far, the record's
 *   bytes as they stand, drawn part by part, and the end.
 * Rests on: respite/sys/rdb_batch.h, source.h.
 * Does not: look into the record. */
#ifndef CLI_REPLAY_H
#define CLI_REPLAY_H

#include <respite/source.h>
#include <respite/sys/rdb_batch.h>

struct replay {
    struct rsp_rdb_feed *feed;   /* freed by replay_free */
    struct rsp_rdb_batch *batch; /* of the record's part at hand */
    const struct rsp_rdb_item *item;
    uint8_t *prefix; /* header and templates */
    size_t prefix_n, prefix_cap, prefix_at;
    size_t record_at, tail_at;    /* bytes given of the part, of the end */
    uint64_t record_offset;       /* in the real file */
    int status;                   /* the real file's fault, if it came */
    struct rsp_error error;       /* its words */
    struct rsp_error *feed_error; /* where the feed leaves them */
};

/* Keeps the bytes of an opcode that the record may need. RSP_ENOMEM. */
int replay_prefix(struct replay *r, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);
/* The record's first part. Takes over the batch. */
void replay_record(struct replay *r, struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);
/* The record's next part; the batch before is released. RSP_OK, or the feed's fault. */
int replay_next_part(struct replay *r);
/* A source that gives the whole. r must outlive it. */
int replay_source(struct replay *r, const struct rsp_env *env, struct rsp_source **ret);
/* Offset in the real file of an offset in the source. */
uint64_t replay_offset(const struct replay *r, uint64_t offset);
void replay_free(struct replay *r);

#endif
