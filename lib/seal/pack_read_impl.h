/* What this is: what the parts of the pack file's reader share.
 * Rests on: pack_impl.h, respite/sys/pool.h, respite/sys/seal.h.
 * Does not: leave this folder. */
#ifndef SEAL_PACK_READ_IMPL_H
#define SEAL_PACK_READ_IMPL_H

#include <pthread.h>

#include <respite/sys/pool.h>
#include <respite/sys/seal.h>

#include "seal/pack_impl.h"

/* One object, wholly in memory. */
struct packed {
    struct packed *next;
    struct buf bytes; /* its chunks are opened in place */
    struct object_reader r;
    uint32_t parts; /* chunks on their way, and 1 while more are to be given to the pool */
};

/* One chunk on its way. */
struct part {
    struct part *next;
    struct packed *object;
    uint32_t chunk;
    uint8_t *p;
    size_t cap, n;
};

struct unpack {
    struct rsp_env env; /* of the thread that reads: the record is words */
    struct rsp_error words, pool_words;
    struct rsp_env outer; /* the caller's */
    struct rsp_source *inner;
    const char *name; /* inner's */
    uint8_t *key;     /* secret; of the epoch */
    uint8_t epoch[ID_BYTES];
    struct rsp_pool *pool;
    struct object_scratch **scratch; /* one per worker */
    unsigned workers, ahead;         /* ahead: most parts under way */

    /* what is read from inner */
    uint64_t at;     /* bytes taken */
    uint32_t number; /* of the object that is being read */
    uint8_t length[8];
    size_t length_n;
    uint64_t object_at;     /* where its length stands */
    struct packed *reading; /* its bytes are arriving */
    int probing;            /* the last object is there; its end must be that of the file */
    struct packed *opening; /* its chunks are being given to the pool */
    uint32_t next_chunk;
    unsigned under_way; /* parts given to the pool and not yet handed out */
    int pending, ended; /* the fault behind all that is under way; the end */
    struct part *current;
    size_t current_at;

    pthread_mutex_t lock;
    pthread_cond_t turn; /* a part is ready, or has been dropped */
    struct part *ready, **ready_end, *parts_spare;
    unsigned lost; /* parts dropped */
    struct packed *idle;
};

/* RSP_EINTEGRITY at the present offset. */
int unpack_refuse(struct unpack *u, const char *what);
int unpack_front(struct unpack *u, struct rsp_identity *const *identities, size_t n);
/* The next object into u->opening: RSP_OK; RSP_END behind the last; RSP_AGAIN. */
int unpack_object(struct unpack *u);
/* No part of it is on its way any more, or never was. */
void packed_idle(struct unpack *u, struct packed *o);
void packed_free(struct unpack *u, struct packed *o);

#endif
