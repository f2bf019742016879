/* What this is: a snapshot made of streams: what comes before the first of them and behind the last.
 * Rests on: stream_job.h, origin.h, respite/sys/live.h for the proof.
 * Does not: read what is to be stored. */
#ifndef JOB_BACKUP_H
#define JOB_BACKUP_H

#include <respite/sys/live.h>

#include "job/origin.h"
#include "job/stream_job.h"

struct backup {
    struct rsp_env env;
    struct rsp_backup_options o;
    struct rsp_snapshot_writer *w;
    struct stream_job *const *jobs; /* of backup_commit */
    size_t jobs_n;
    struct facts facts; /* of all streams */
    struct origin origin;
    struct buf tags; /* struct rsp_pair */
    uint64_t begun_ms, findings;
    const char *first; /* words of the first finding */
    char loss[320];
    uint32_t flags;
    uint8_t dd1[16]; /* sealed in the manifest alone: in the clear it would let guesses be tested */
    int has_dd1;
    struct rsp_drill_report proof; /* of o.prove */
    int proven;                    /* it was tried, and has not failed */
    struct rsp_commit_result own[SNAPSHOT_PLACES_MAX], *results;
};

/* May not be moved. */
void backup_init(struct backup *b, const struct rsp_env *env, const struct rsp_backup_options *options);
/* Tags, and the writer. */
int backup_begin(struct backup *b, struct rsp_repo *repo);
/* What all streams of it share: threads each, and of at_once at the same time. */
void backup_setup(const struct backup *b, unsigned at_once, struct stream_setup *setup);
/* Streams that were ended, in the order of the manifest: proven, committed, and receipts given. */
int backup_commit(struct backup *b, struct stream_job *const *jobs, size_t n);
/* What became of it, whether it was committed or rc is its fault. log as of rsp_backup. */
void backup_report(struct backup *b, int rc, struct stream_job *const *jobs, size_t n, struct rsp_log **log,
                   struct rsp_backup_report *report);
void backup_close(struct backup *b);

#endif
