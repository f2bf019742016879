/* What this is: commands sent one behind the other over one connection, their replies taken as they come.
 * Rests on: server_impl.h.
 * Does not: know commands: whoever puts one says how many replies it will have and is told each of them in order. */
#ifndef REPL_PIPE_H
#define REPL_PIPE_H

#include "repl/server_impl.h"

#define PIPE_BLOCK (128u << 10) /* sent at once; what is larger goes from where it lies */
#define PIPE_NOTES 16384        /* that may be without their last reply; a power of two */
#define PIPE_REPLIES 65536      /* outstanding */
#define PIPE_BYTES (8u << 20)   /* sent and not answered; one larger put goes alone */
#define PIPE_KEY 64

/* What the caller is told again with each reply. */
struct pipe_note {
    unsigned kind, flags;
    uint32_t db, keys;
    uint64_t from, until; /* the record that it is of; records that are done with it */
    uint64_t hash[2];
    size_t index;
    uint16_t slot;  /* slot .. tries: of routes.h */
    uint8_t repeat; /* 1: it does no harm when it is executed twice */
    uint8_t asking; /* enum routes_asking */
    uint8_t again;  /* 1: it is sent again, and may have been executed before */
    uint8_t part;   /* 1: of a key that has several puts */
    uint32_t tries;
    uint8_t key[PIPE_KEY];
    size_t key_n; /* its real length: what does not fit is cut */
};
struct pipe_reply {
    int type; /* enum rsp_reply_type */
    int64_t integer;
    struct rsp_span error; /* the first inside; n 0: none */
    uint32_t i, of;        /* which of the put's replies */
    struct rsp_span bytes; /* of a pipe that keeps: the whole put, until this is over */
    struct rsp_server *server;
};
struct pipe;
/* A status below zero stops the pipe and is handed on. */
typedef int pipe_told(void *ctx, const struct pipe_note *note, const struct pipe_reply *reply);

/* The server is borrowed: nobody else may use it while replies are outstanding (pipe_drain). Faults go to its env. */
int pipe_new(struct rsp_server *server, pipe_told *told, void *ctx, struct pipe **ret);
/* For several pipes that are used together. What was put and has not got its last reply is kept, up to so many bytes and
 * notes (a power of two, at most PIPE_NOTES) at once; a command in pieces is not. wait is called instead of net_wait, which
 * it must behave as. Before the first put. */
typedef int pipe_wait(void *ctx, struct pipe *p, int events, int64_t ms, int *seen);
int pipe_keep(struct pipe *p, uint64_t bytes, size_t notes, pipe_wait *wait, void *ctx);
/* n bytes of whole commands with that many replies. Taken over before it returns. replies 0: a piece of a command that
 * the next puts go on with; the last of them has the replies and the note, and nothing else is put before it. */
int pipe_put(struct pipe *p, const struct pipe_note *note, const void *bytes, size_t n, uint32_t replies);
/* Sends what was collected. */
int pipe_flush(struct pipe *p);
/* Takes replies that are there, without waiting. */
int pipe_poll(struct pipe *p);
/* Until every reply has come. */
int pipe_drain(struct pipe *p);
/* Without waiting: sends what can be sent, takes what came. */
int pipe_push(struct pipe *p);
int pipe_take(struct pipe *p);
/* A put that has not got its last reply. bytes: what was kept of it; came: replies that it got. */
struct pipe_put {
    struct pipe_note note;
    struct rsp_span bytes;
    uint32_t replies, came;
};
/* All of these, the oldest first; a status that is not 0 ends it. */
int pipe_each(const struct pipe *p, int (*each)(void *ctx, const struct pipe_put *put), void *ctx);
const struct pipe_note *pipe_oldest(const struct pipe *p); /* NULL: all is answered */
int pipe_unsent(const struct pipe *p);                     /* 1: something waits for room */
uint64_t pipe_puts(const struct pipe *p);                  /* that were taken over: whole ones */
uint64_t pipe_sent_bytes(const struct pipe *p);
uint64_t pipe_commands(const struct pipe *p); /* replies that were announced */
void pipe_free(struct pipe *p);

#endif
