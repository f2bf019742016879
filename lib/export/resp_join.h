/* What this is: the state of the part of the command export that runs in the order of the file.
 * Rests on: resp_impl.h, respite/sys/spool.h.
 * Does not: run in parallel. */
#ifndef EXPORT_RESP_JOIN_H
#define EXPORT_RESP_JOIN_H

#include <respite/sys/spool.h>

#include "export/resp_impl.h"

/* The record in parts that is under way. */
struct resp_open {
    int active;
    int live;      /* value stands where the part before ended */
    int tail;      /* stream: its entries are over */
    int begun;     /* its first unit is out */
    int ended;     /* its last, too */
    int skipped;   /* a resumed run has it already */
    int held;      /* the filter cannot tell yet: units wait in the spool */
    int appending; /* string: its first piece is out */
    uint32_t db;
    unsigned losses;
    struct resp_module module;
    uint64_t seek; /* an array's cursor */
    struct resp_plan plan;
    struct rsp_rdb_item item; /* its first */
};

struct resp_join {
    struct rsp_env env;
    struct rsp_error words;
    const struct resp_rules *rules;
    int (*emit)(void *ctx, const struct resp_unit *unit);
    void *ctx;
    struct resp_worker rest; /* makes what a worker left over */
    struct rsp_rdb_value *value;
    struct resp_native native;
    struct buf out, key, raw, string; /* raw: a part that is read again */
    struct buf kept;                  /* struct resp_kept: the parts whose bytes lie in payload */
    struct rsp_spool *payload;        /* meta, type and value of what is collected */
    uint64_t crc;                     /* of those */
    struct buf big[2];                /* strings of the element under way that come in pieces */
    uint8_t big_open[2];
    struct rsp_spool *spool;
    struct resp_open open;
    uint64_t record, skip;
    struct rsp_resp_report report;
};

/* resp_join.c */
int resp_join_emit(struct resp_join *j, const struct resp_unit *unit);
/* Counts what cannot be carried (a mask), tells of it; a fault where the policy says so. module: whose value it is;
 * NULL: no module's. */
int resp_join_losses(struct resp_join *j, unsigned losses, uint32_t db, struct rsp_span name, int is_key,
                     const struct resp_module *module);

/* resp_parts.c: one part of a record in parts. */
int resp_join_part(struct resp_join *j, const struct resp_chunk *chunk, const struct resp_piece *piece,
                   const struct rsp_rdb_task *task);
/* A unit of the open record. flags: RSP_UNIT_LAST, RESP_UNIT_PIECE. */
int resp_parts_put(struct resp_join *j, const uint8_t *p, size_t n, uint32_t replies, unsigned flags);
/* Commands of a part that is read in order. */
int resp_parts_decode(struct resp_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);

/* resp_collect.c: a record in parts whose way is COLLECT. */
struct resp_kept {
    uint64_t offset; /* in the file */
    uint32_t n;
    uint8_t flags;
};
int resp_collect_begin(struct resp_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);
int resp_collect_part(struct resp_join *j, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);
int resp_collect_end(struct resp_join *j);

#endif
