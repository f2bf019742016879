/* What this is: a whole RDB file through a pool of workers, output in the order of the file.
 * Rests on: sys/rdb_batch.h, sys/filter.h, sys/pool.h.
 * Does not: know what is done with a record. No stable promise (sys). */
#ifndef RESPITE_SYS_RDB_RUN_H
#define RESPITE_SYS_RDB_RUN_H

#include <respite/sys/filter.h>
#include <respite/sys/rdb_batch.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a worker is given and what it leaves for join. */
struct rsp_rdb_task {
    struct rsp_rdb_batch *batch;
    const uint8_t *verdicts; /* NULL: no filter; else one enum rsp_filter_verdict per item. A record's parts
                                have the verdict of the first; UNSURE becomes known with the last */
    void *result;            /* the worker's own; join or drop must free it */
};

struct rsp_rdb_run_ops {
    size_t size;
    /* In parallel. */
    int (*work)(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task);
    /* In order, one at a time; the batch is released after it. */
    int (*join)(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task);
    /* Instead of join after a fault; frees result. */
    void (*drop)(void *ctx, struct rsp_rdb_task *task);
};

struct rsp_rdb_run_options {
    size_t size;
    unsigned threads;                               /* 0: as many as processors */
    struct rsp_filter *filter;                      /* borrowed; may be NULL */
    uint64_t limit;                                 /* 0: none; else stop after so many accepted records */
    volatile const int *cancel;                     /* may be NULL; not 0: stop with RSP_ECANCELED */
    void (*progress)(void *opaque, uint64_t bytes); /* called by the feeding thread, with rsp_source_taken */
    void *progress_opaque;
    /* Every batch in the order of the file, by the feeding thread, before any worker has it. Below zero: stop. */
    int (*scanned)(void *opaque, const struct rsp_rdb_batch *batch);
    void *scanned_opaque;
};

/* With threads other than 1 env's allocator and log hook are called from several threads.
 * Runs to the end of the file. RSP_OK, or the first fault (work's, join's or the file's: records
 * before a fault of the file have all been joined). *info (may be NULL) tells how far it came;
 * its key span lives until the feed is freed, so it is copied to a static size here. */
struct rsp_rdb_run_result {
    size_t size;
    struct rsp_rdb_feed_info feed;
    uint64_t accepted;          /* records that the filter let pass, when a filter or limit is set */
    int limited;                /* stopped by limit: the rest was not read */
    int file_fault;             /* the status was a fault of the file itself, not of work or join */
    uint64_t trailing;          /* complete: 1 when bytes follow the file, else 0 */
    uint8_t trailing_bytes[16]; /* the first of them */
    size_t trailing_n;
    uint8_t key[256]; /* the key a file fault lies in, cut to 256 bytes */
    size_t key_n;
};
RSP_API RSP_NODISCARD int rsp_rdb_run(const struct rsp_env *env, struct rsp_source *source,
                                      const struct rsp_rdb_run_options *options, const struct rsp_rdb_run_ops *ops,
                                      void *ctx, struct rsp_rdb_run_result *result);

#ifdef __cplusplus
}
#endif
#endif
