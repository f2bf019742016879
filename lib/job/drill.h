/* What this is: what a drill knows while it runs, and its two halves: by our own decoding, and by a private server.
 * Rests on: engine.h.
 * Does not: leave this folder. */
#ifndef JOB_DRILL_H
#define JOB_DRILL_H

#include <respite/sys/digest.h>

#include "base/buf.h"
#include "job/engine.h"

/* Of one stream. */
struct drill {
    struct rsp_env env;
    struct rsp_error error; /* env's, when the caller has none */
    struct rsp_drill_options o;
    int (*open)(void *ctx, size_t stream, struct rsp_source **source);
    void *ctx;
    size_t at; /* the stream, of the manifest */
    const struct rsp_manifest *m;
    const struct rsp_stream_info *stream; /* NULL: the manifest tells of none */
    int several;                          /* the manifest's databases are those of more streams than this one */
    struct buf dbs;                       /* struct rsp_db_count, ascending: of the streams so far */
    struct rsp_drill_report *r;
    uint64_t before; /* bytes of the streams before */
    uint64_t base;   /* of the passes before */
    uint64_t bytes;  /* of one pass */
    uint64_t findings;
    uint64_t modules; /* values, and data beside them, that only a module reads */
    uint8_t dialect;
    uint16_t version;
    uint32_t db_most;
};

int64_t drill_clock_ms(void);
/* FAILED, with words. Returns RSP_OK. */
int drill_failed(struct drill *d, const char *format, ...) RSP_PRINTF(2, 3);
/* A fault while the snapshot is read: RSP_OK when it is a verdict (FAILED: what was stored is not what was signed), else
 * the fault. */
int drill_read_fault(struct drill *d, int rc);
void drill_progress(void *opaque, uint64_t bytes);
/* The stream, decoded and then served; d->r is filled in. */
int drill_stream(struct drill *d);

/* ---- what the manifest says of databases (drill_dbs.c) ---- */

/* Adds those of a dump to d->dbs. */
int drill_dbs_add(struct drill *d, struct rsp_dd1_table *table);
/* 1: they are the manifest's; 0: FAILED, with words. */
int drill_dbs_same(struct drill *d);

/* drill_serve.c. */
int drill_serve(struct drill *d);

#endif
