/* What this is: the way of a replica: handshake, what the server announces, and the thread that drains its socket.
 * Rests on: ring.h, server_impl.h; aof-replication.md B1 to B7.
 * Does not: choose a server, parse RDB.
 *
 * The thread does nothing but receive into the ring, look for the end, and keep the connection alive; so the server never
 * waits for a check or a store as long as the ring (or its spool) has room. */
#ifndef REPL_SYNC_H
#define REPL_SYNC_H

#include <pthread.h>
#include <stdatomic.h>

#include "repl/ring.h"
#include "repl/server_impl.h"

#define SYNC_MARK 40 /* bytes of the mark behind a transfer without a length */

struct sync_options {
    int stream;          /* the stream behind the snapshot is wanted: no rdb-only */
    int64_t announce_ms; /* the longest wait for the dataset to be announced */
    size_t ring_bytes;
    const char *spool;
};

struct sync {
    struct rsp_env env; /* of the opener and the reader */
    struct rsp_server *server;
    struct sync_options o;
    volatile const int *cancel;
    /* as announced */
    char method[32];
    char replid[41];
    uint64_t offset;
    int has_offset, rdb_only;
    int64_t taken_ms; /* by the env's clock: of +FULLRESYNC; without one, of our asking */
    uint64_t length;  /* of "$<length>" */
    int has_mark;
    uint8_t mark[SYNC_MARK];
    /* the thread's */
    struct rsp_env own; /* its words */
    struct rsp_error words;
    pthread_t thread;
    int running;
    atomic_int stop;
    struct ring *rdb, *stream; /* stream: NULL unless it is wanted */
    uint8_t tail[SYNC_MARK];   /* the last bytes that came */
    uint64_t received;
    size_t gathered; /* bytes since the socket was last found empty */
    long gather_us;  /* how long it is left alone then */
    _Atomic uint64_t ack;
    int64_t heard_ms, told_ms; /* last byte from the server; last ACK or keepalive to it */
    char out[96];              /* what is being told: a socket that took a part, or none, is given the same again */
    size_t out_n, out_at;
    int online; /* the snapshot is whole, the stream flows */
};

/* Milliseconds of a clock that only runs, for waits: the env's clock is the time of day, and may be set or stand. */
int64_t sync_clock_ms(void);

/* Asks the server, which must be idle, for its dataset and reads what it announces. RSP_EBUSY, retryable: it cannot now, and
 * a new connection may ask again. The server stays the caller's, but only the sync may use it from now on. */
int sync_begin(struct sync *y, const struct rsp_env *env, struct rsp_server *server, const struct sync_options *o);
/* Starts the thread. */
int sync_start(struct sync *y);
/* Ends the thread and frees the rings. Also of a zeroed one. */
void sync_end(struct sync *y);

#endif
