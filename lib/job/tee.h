/* What this is: a source between a dump and its check: what is read goes into the chunks of a snapshot as well, and those
 *   wait until the scan has passed them and their notes are known.
 * Rests on: note.h, respite/sys/repo.h, sys/rdb_run.h.
 * Does not: judge the dump.
 *
 * Two threads use it: the reader (whoever reads the source) fills chunks, the scanner (tee_scanned) submits them. Why
 * neither can wait for ever: the scanner may wait for the reader, when it needs more bytes. The reader never waits for the
 * scanner: it asks for a buffer only when fewer than `hold` are kept back, and if as many are, it submits the oldest itself,
 * without a note. So a buffer that the writer does not have is one that the writer was given, and its own workers, which
 * wait for nobody here, bring it back. That the scanner falls behind by more than `hold` chunks is rare: a name or an
 * opcode's string of many megabytes, which it must see whole. */
#ifndef JOB_TEE_H
#define JOB_TEE_H

#include <pthread.h>
#include <respite/source.h>
#include <respite/sys/rdb_run.h>
#include <respite/sys/repo.h>

#include "job/note.h"

struct tee_chunk {
    struct tee_chunk *next;
    uint8_t *p;
    size_t n, cap;
    uint64_t start; /* in the stream */
    struct note note;
};

struct tee {
    struct rsp_env env;
    struct rsp_source *inner; /* borrowed */
    struct rsp_stream_writer *s;
    void (*progress)(void *opaque, uint64_t bytes);
    void *opaque;
    pthread_mutex_t lock; /* for everything below but `filling`, which is the reader's */
    struct tee_chunk *chunks, *free;
    struct tee_chunk *oldest, *newest; /* kept back, the one being filled included */
    struct tee_chunk *at;              /* where the last record began; NULL: the oldest */
    struct tee_chunk *filling;
    unsigned hold, held;
    uint64_t bytes;    /* read so far */
    uint64_t records;  /* begun so far */
    uint32_t db;       /* of the last one */
    int discard;       /* nothing more is stored */
    int status;        /* the writer's first fault */
    int ended;         /* inner answered RSP_END or a fault */
    int source_status; /* that fault */
};

/* hold: as told to rsp_snapshot_stream; at least 2. */
int tee_init(struct tee *t, const struct rsp_env *env, struct rsp_source *inner, struct rsp_stream_writer *s,
             unsigned hold);
void tee_free(struct tee *t);

/* The source for the check. Freed before tee_rest or tee_finish are called. */
int tee_source(struct tee *t, struct rsp_source **ret);
/* The records of a batch, in the order of the file; submits the chunks that lie wholly before its end. */
int tee_scanned(struct tee *t, const struct rsp_rdb_batch *batch);
/* From now on nothing is stored. From any thread. */
void tee_discard(struct tee *t);
/* What the check left unread, stored without notes. */
int tee_rest(struct tee *t, volatile const int *cancel);
/* Submits what is kept back; with notes when the scan saw the whole dump. */
int tee_finish(struct tee *t, int complete);

#endif
