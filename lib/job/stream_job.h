/* What this is: one dump into one stream of a snapshot: checked while it is stored, with what was learnt of it.
 * Rests on: tee.h, facts.h, respite/sys/job.h.
 * Does not: commit; know whether there are other streams. */
#ifndef JOB_STREAM_JOB_H
#define JOB_STREAM_JOB_H

#include <respite/sys/job.h>

#include "job/facts.h"
#include "job/strays.h"
#include "job/tee.h"

/* What holds for every stream of one snapshot; borrowed. */
struct stream_setup {
    struct rsp_snapshot_writer *w;
    unsigned threads;   /* 0: as many as processors */
    size_t dups_bytes;  /* of memory for the search of duplicate keys */
    size_t chunk_bytes; /* 0: the writer's default */
    int quick, no_digest, accept_damaged;
    int from_server; /* a source that breaks off is a fault, whatever was accepted */
    const uint8_t
        *slots; /* bits: keys of others are counted (strays), and such a stream is not good; NULL: no cluster */
    const char *tmpdir;
    void (*progress)(void *opaque, uint64_t bytes); /* read so far; from the thread that reads */
    int (*found)(void *opaque, const struct rsp_finding *finding);
    void *opaque;
};

struct stream_job {
    struct rsp_env env;
    struct stream_setup o;
    const char *name, *place; /* of the stream; of what is read, for words */
    volatile const int *cancel;
    struct rsp_source *source, *through;
    struct rsp_stream_writer *writer;
    struct tee tee;
    struct facts facts;
    struct strays strays;
    struct rsp_dd1_table *dd1;
    struct rsp_check_report check;
    struct rsp_stream_info info; /* of a stream that was ended: its texts are the caller's */
    uint64_t findings;
    int worst;       /* what the findings mean */
    char first[200]; /* words of the first one */
    int good;        /* everything that makes a dump a good one was looked at and is so */
    int source_fault;
};

/* env: this job's own, with a record that no other thread writes. Zeroed jobs may be freed. */
void stream_job_init(struct stream_job *j, const struct rsp_env *env);
/* Begins the stream. Calls of this and of stream_job_drop of one snapshot are made by one thread at a time. */
int stream_job_begin(struct stream_job *j, const struct stream_setup *setup, const char *name);
/* Checks and stores the whole source. A damaged dump is a fault unless that is accepted: findings and worst tell. */
int stream_job_run(struct stream_job *j, struct rsp_source *source, const char *place, volatile const int *cancel);
/* Ends the stream. origin: what else is known of it (replid, slots, place ...); NULL: nothing. */
int stream_job_end(struct stream_job *j, const struct rsp_stream_info *origin);
/* As if it had never been begun: the job may begin again. */
void stream_job_drop(struct stream_job *j);
void stream_job_free(struct stream_job *j);

#endif
