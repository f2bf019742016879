/* What this is: the parts of dd1 among themselves, and what the check needs to have it computed on its own walk.
 * Rests on: respite/sys/digest.h, base/buf.h, base/sip.h.
 * Does not: leave lib/rdb. */
#ifndef RDB_DIGEST_IMPL_H
#define RDB_DIGEST_IMPL_H

#include <respite/sys/digest.h>

#include "base/buf.h"
#include "base/sip.h"

/* ---- digest.c ---- */
extern const uint8_t dd1_key[17];
uint64_t dd1_score_bits(double score); /* what a score is hashed as */
/* Elements behind those of *v. */
void dd1_add_hashes(struct rsp_dd1_value *v, int in_order, const struct sip128 *h, size_t n);

/* ---- digest_queue.c: messages ---- */

#define QUEUE_WORDS 32    /* of the longest message that waits; longer ones are hashed at once */
#define QUEUE_HASHES 2048 /* hashes until they must be collected */

struct queue_bin {
    uint8_t text[SIP_LANES][QUEUE_WORDS * 8];
    uint32_t no[SIP_LANES];
    unsigned n;
};

/* Messages are numbered; hash[i] is there after queue_flush. A bin holds those of one number of words. */
struct queue {
    size_t n;
    struct sip128 hash[QUEUE_HASHES];
    struct queue_bin bins[QUEUE_WORDS];
};

static inline int queue_full(const struct queue *q)
{
    return q->n == QUEUE_HASHES;
}
/* Not when full. */
void queue_text(struct queue *q, char letter, struct rsp_span text); /* "s", "l", "m" */
void queue_scored(struct queue *q, struct rsp_span member, double score);
void queue_field(struct queue *q, struct rsp_span field, struct rsp_span value, int64_t expire_ms);
void queue_entry(struct queue *q, struct rsp_rdb_id id, const struct rsp_span *strings, size_t count);
/* As rsp_dd1_record; expire_ms RSP_RDB_NO_EXPIRE: without. */
void queue_record(struct queue *q, const struct rsp_dd1_value *v, int value_type, struct rsp_span key,
                  int64_t expire_ms);
/* Every hash that is due; q->n stays. */
void queue_flush(struct queue *q);

/* ---- digest_batch.c: the workers ---- */

struct dd1_db_row {
    uint32_t db;
    struct rsp_dd1_row row;
};

/* A part of a record: its value, or by_join when only a value carried on from part to part can read it. */
struct dd1_piece {
    uint32_t item;
    int by_join, broken;
    struct rsp_dd1_value v;
};

struct rsp_dd1_part {
    struct rsp_env env;
    struct rsp_dd1_row groups[RSP_DD1_GROUPS];
    struct buf dbs;    /* struct dd1_db_row, one per run of records of one db */
    struct buf pieces; /* struct dd1_piece */
    uint64_t broken, broken_at;
};

/* A record (or part of one), some of whose hashes are due. */
struct dd1_waiting {
    uint32_t item;
    uint32_t from, to; /* its messages; the record under way has no end yet */
    uint8_t in_order, gone, part, by_join, broken;
    struct rsp_dd1_value v, rest; /* collected; not by the queue */
};
#define DD1_WAITING 512 /* two messages each, when they are hashed themselves */

struct rsp_dd1_worker {
    struct rsp_env env;
    struct rsp_error err;
    struct rsp_rdb_value *value;
    struct rsp_dd1 *dd1;
    struct rsp_scratch key;
    /* the batch under way */
    const struct rsp_rdb_batch *batch;
    struct rsp_dd1_part *part;
    struct queue *queue;
    struct dd1_waiting *waiting;
    size_t waiting_n;
    int open; /* the last of them is under way */
};

/* The row of one record, and its group. */
int dd1_record_row(struct rsp_dd1_worker *w, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i,
                   const struct rsp_dd1_value *v, int64_t expire_ms, struct rsp_dd1_row *row, unsigned *group,
                   int *broken);
void dd1_row_add(struct rsp_dd1_row *row, const struct rsp_dd1_row *more);
void dd1_count_broken(uint64_t *n, uint64_t *at, uint64_t offset);

/* For one who walks the values himself. Begins a batch: *part is the caller's at once, complete with dd1_end. */
int dd1_begin(struct rsp_dd1_worker *w, const struct rsp_rdb_batch *batch, struct rsp_dd1_part **part);
/* A record (or part of one) from its bytes. */
int dd1_record(struct rsp_dd1_worker *w, uint32_t item);
/* A record (or part of one, not BIG) whose elements are given one by one. It counts with dd1_close, dd1_abandon forgets it. */
int dd1_open(struct rsp_dd1_worker *w, uint32_t item);
int dd1_text(struct rsp_dd1_worker *w, char letter, struct rsp_span text); /* an element of one string */
int dd1_scored(struct rsp_dd1_worker *w, struct rsp_span member, double score);
int dd1_field(struct rsp_dd1_worker *w, struct rsp_span field, struct rsp_span value, int64_t expire_ms);
int dd1_entry(struct rsp_dd1_worker *w, struct rsp_rdb_id id, const struct rsp_span *strings, size_t count);
void dd1_close(struct rsp_dd1_worker *w);
/* The same of a stream whose entries were given: what is behind them is read from the bytes. */
int dd1_close_stream(struct rsp_dd1_worker *w);
void dd1_abandon(struct rsp_dd1_worker *w);
int dd1_end(struct rsp_dd1_worker *w);

#endif
