/* What this is: records into commands, by workers; and the walk over what they made, in the order of the file.
 * Rests on: respite/sys/resp.h, base/buf.h.
 * Does not: write or send: the caller's join does, unit by unit.
 *
 * How a key travels:
 *   string                 SET key value [PXAT ms] [NX]; runs of plain strings without expiry in one database as one MSET
 *                          (at most RESP_MSET_KEYS keys, RESP_MSET_BYTES bytes) when existing is REPLACE, MSETNX when it is
 *                          FAIL, one by one for a cluster or with single_keys; with a recorded idle time or frequency by
 *                          RESTORE, which alone carries them
 *   everything else        RESTORE key ttl payload [REPLACE] [ABSTTL] [IDLETIME s | FREQ n], payload = type byte, the
 *                          value's bytes as they stand in the file, version, CRC64; no decoding. The version in the footer
 *                          is the lowest that has the type
 *                          A stream that does not lie in one batch, too, while its payload is at most
 *                          RESP_STREAM_PAYLOAD and bulk_max: commands make no pending entry whose message is gone, unless
 *                          the whole stream was seen before, and set no times of consumers. Such a payload, and those of
 *                          what nothing else carries, are collected first and sent in pieces
 *   what the target does not take as a payload, what exceeds bulk_max, other values that do not lie in one batch (it is
 *   kinder to the server):
 *                          native commands: DEL (REPLACE), then RPUSH, SADD, ZADD, HSET ... in batches of RESP_BATCH
 *                          elements or RESP_BATCH_BYTES, XADD, XSETID, XGROUP, XCLAIM ..., PEXPIREAT. When they are more
 *                          than one and lie in one unit: between MULTI and EXEC
 *   a huge string          SET of its first piece, APPEND of the others */
#ifndef EXPORT_RESP_MAKE_H
#define EXPORT_RESP_MAKE_H

#include <respite/sys/resp.h>

#include "base/buf.h"

#define RESP_MSET_KEYS 64
#define RESP_MSET_BYTES (256u << 10)
#define RESP_BATCH 256
#define RESP_BATCH_BYTES (256u << 10)
#define RESP_STREAM_PAYLOAD ((uint64_t)64 << 20)

enum resp_unit_flags {
    RESP_UNIT_FIRST = 1, /* of its key: FIRST and LAST: the key is whole in it */
    RESP_UNIT_LAST = 2,
    /* Its commands (SADD, RPUSH and MULTI ... EXEC of them, APPEND) add to a key that exists and do not notice it by
     * themselves, as SET NX, MSETNX and RESTORE do: who must not touch it asks for it before the FIRST. */
    RESP_UNIT_SEVERAL = 4,
    RESP_UNIT_FUNCTION = 8, /* FUNCTION LOAD [REPLACE] source; no key */
    RESP_UNIT_MSET = 16,    /* several keys in one command: keys of them; key is the first */
    RESP_UNIT_PIECE =
        32, /* of a command that goes on in the next unit: replies and keys are 0, the last piece, which has
                             no such flag, has them. Nothing may be sent in between */
    /* The last of a key in several units: the policy of losses leaves it out, as only a later part of it has shown: DEL of
     * what was sent. The unit that was its first has counted it in keys. */
    RESP_UNIT_UNDONE = 64
};
/* Whole commands, or a piece of one, for one key, one run of keys, or one function. Spans live during emit. Of a key in
 * several units the first and the last may be empty (n 0). */
struct resp_unit {
    struct rsp_span key;
    uint32_t db; /* where it goes: after the map. SELECT is the caller's */
    unsigned flags;
    const uint8_t *p; /* the commands */
    size_t n;
    uint64_t uncopied; /* of a maker that counts: their other bytes, which were counted and not written */
    uint32_t replies;  /* that will come, one a command (MULTI, each QUEUED, EXEC counted) */
    uint32_t keys;     /* that begin in it: 1 of a FIRST, 0 of a later part; of a command in pieces 1 of the last */
    uint64_t record;   /* number of its first record among those that the filter let pass, from 0 */
    uint64_t records;  /* that end with it: record + records is where a resumed run goes on */
};

struct resp_maker;
int resp_maker_new(const struct rsp_env *env, const struct rsp_resp_options *options, struct resp_maker **ret);
/* For rsp_rdb_run_ops: work makes task->result; drop frees it. */
int resp_maker_work(struct resp_maker *m, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task);
void resp_maker_drop(struct resp_maker *m, struct rsp_rdb_task *task);
/* For join, in order: emits each unit of the task's batch and frees the result. What a worker could not make alone (a
 * string that lies in many batches) is made here. A status below zero of emit stops it. */
int resp_maker_join(struct resp_maker *m, const struct rsp_env *env, struct rsp_rdb_task *task,
                    int (*emit)(void *ctx, const struct resp_unit *unit), void *ctx);
/* The first n records that the filter lets pass are left out: for a resumed run. Before the first task. */
void resp_maker_skip(struct resp_maker *m, uint64_t n);
/* From now on commands are counted where that is less than to make them: units are the same in number, kind, replies and
 * length (n and uncopied together), but values of whole records are not unpacked, copied or summed, and keys of strings
 * are not there. So values that cannot be read may go unnoticed. Before the first task; not with resp_maker_skip. */
void resp_maker_count(struct resp_maker *m);
/* keys, commands, functions, dropped, losses so far; run and bytes are the caller's. */
void resp_maker_report(const struct resp_maker *m, struct rsp_resp_report *report);
void resp_maker_free(struct resp_maker *m);

#endif
