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
    uint64_t until; /* records that are done with it */
    uint64_t hash[2];
    size_t index;
    uint8_t key[PIPE_KEY];
    size_t key_n; /* its real length: what does not fit is cut */
};
struct pipe_reply {
    int type; /* enum rsp_reply_type */
    int64_t integer;
    struct rsp_span error; /* the first inside; n 0: none */
    uint32_t i, of;        /* which of the put's replies */
};
struct pipe;
/* A status below zero stops the pipe and is handed on. */
typedef int pipe_told(void *ctx, const struct pipe_note *note, const struct pipe_reply *reply);

/* The server is borrowed: nobody else may use it while replies are outstanding (pipe_drain). Faults go to its env. */
int pipe_new(struct rsp_server *server, pipe_told *told, void *ctx, struct pipe **ret);
/* n bytes of whole commands with that many replies. Taken over before it returns. replies 0: a piece of a command that
 * the next puts go on with; the last of them has the replies and the note, and nothing else is put before it. */
int pipe_put(struct pipe *p, const struct pipe_note *note, const void *bytes, size_t n, uint32_t replies);
/* Sends what was collected. */
int pipe_flush(struct pipe *p);
/* Takes replies that are there, without waiting. */
int pipe_poll(struct pipe *p);
/* Until every reply has come. */
int pipe_drain(struct pipe *p);
uint64_t pipe_sent_bytes(const struct pipe *p);
uint64_t pipe_commands(const struct pipe *p); /* replies that were announced */
void pipe_free(struct pipe *p);

#endif
