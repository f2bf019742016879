/* What this is: what a drill knows while it runs, and its two halves: by our own decoding, and by a private server.
 * Rests on: engine.h.
 * Does not: leave this folder. */
#ifndef JOB_DRILL_H
#define JOB_DRILL_H

#include "job/engine.h"

struct drill {
    struct rsp_env env;
    struct rsp_error error; /* env's, when the caller has none */
    struct rsp_drill_options o;
    int (*open)(void *ctx, struct rsp_source **source);
    void *ctx;
    const struct rsp_manifest *m;
    const struct rsp_stream_info *stream; /* NULL: the manifest tells of none */
    struct rsp_drill_report *r;
    uint64_t base;  /* bytes of the passes before */
    uint64_t bytes; /* of one pass */
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

/* drill_serve.c. */
int drill_serve(struct drill *d);

#endif
