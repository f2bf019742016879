/* What this is: what the two halves of the object writer share: the stream's side and the side that finishes chunks.
 * Rests on: object_codec.h, respite/sys/pool.h.
 * Does not: leave this folder. */
#ifndef SEAL_OBJECT_WRITE_IMPL_H
#define SEAL_OBJECT_WRITE_IMPL_H

#include <pthread.h>

#include <respite/sys/pool.h>

#include "seal/object_codec.h"

/* A buffer of plaintext; what callers see is what lies behind this head. */
struct plain {
    struct plain *all, *spare; /* next in the list of all, of those free */
    uint8_t pad[48];           /* data begins on a cache line of its own, relative to the block */
};

/* One object on its way. Submit makes it and counts what goes in; join alone touches the rest until it is unlinked. */
struct run {
    struct run *next;
    struct object_head head;
    uint8_t *key;      /* secret */
    uint64_t in_plain; /* submit's: bytes and chunks given to the pool, and the held one */
    uint32_t in_chunks;
    struct buf head_buf; /* the header */
    struct buf table;    /* grows in join */
    struct sha256 *sha;  /* NULL: not asked for */
    uint64_t stored, plain, stream_offset;
    uint32_t chunks;
};

/* One chunk on its way through the pool. */
struct job {
    struct job *all, *spare;
    struct run *run;
    struct plain *plain;
    size_t n, stored_n;
    uint64_t offset; /* in the stream */
    uint32_t number; /* in its object */
    uint8_t final, note_n, note[NOTE_MAX];
    uint8_t *stored; /* object_stored_max bytes */
};

struct held {
    struct plain *plain;
    size_t n;
    uint8_t note_n, note[NOTE_MAX];
    int full; /* there is one */
};

struct object_writer {
    struct rsp_env env; /* the caller's: its record is written under the lock only */
    struct rsp_env own; /* of submit, finish and the pool: the record is own_words */
    struct rsp_error own_words;
    struct rsp_env join_env; /* of join, which is one at a time: the record is that of the thread */
    struct object_writer_options opt;
    struct object_out out;
    void *ctx;
    uint8_t *epoch_key; /* secret */
    uint8_t fixed[ID_BYTES];
    int has_fixed; /* of object_seal_small: the object id is the caller's */
    struct rsp_pool *pool;
    struct chunk_maker **makers; /* one per worker */
    unsigned makers_n;

    /* submit's */
    struct run *run; /* the object that the next chunk goes to */
    struct held held;
    uint32_t number; /* of the next object */
    uint64_t offset; /* in the stream, of the next chunk to be given to the pool */
    int finished;

    /* join's */
    int begun; /* out has begun an object that has not ended */

    pthread_mutex_t lock;
    pthread_cond_t room; /* a buffer is free, or a fault has happened */
    struct plain *plains, *plains_spare;
    unsigned plains_n, plains_max;
    struct job *jobs, *jobs_spare;
    struct run *runs;
    int fault;
    struct rsp_error words;
};

/* The first fault is the writer's end. Returns rc. */
int writer_broken(struct object_writer *w, int rc, const struct rsp_error *words);
void writer_plain_back(struct object_writer *w, struct plain *b);
void run_free(struct object_writer *w, struct run *run);
void run_unlink(struct object_writer *w, struct run *run);
extern const struct rsp_pool_ops writer_pool_ops;

#endif
