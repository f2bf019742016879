/* What this is: a master for tests of the capture: a thread that runs one function for each connection to its unix socket.
 * Rests on: POSIX threads and sockets.
 * Does not: know replication: what is heard and said stands in the test. */
#ifndef TESTS_REPL_SYNC_PEER_H
#define TESTS_REPL_SYNC_PEER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct sync_peer {
    void (*script)(struct sync_peer *p);
    unsigned connection; /* of this one: 0, 1... */
    const char *info;    /* what INFO tells; NULL: a Redis 7.0.15 */
    int tcp;             /* on 127.0.0.1, port, instead of path */
    uint32_t port;
    char dir[64], path[96];
    char heard[8192]; /* every command, each with a newline; all of them once the peer is stopped */
    char wrong[256];  /* the first thing that was not as the script expects it */
    int listener, fd, stop[2], go[2];
    pthread_t thread;
    char in[4096];
    size_t in_n;
};

/* script, info and tcp are set. */
void sync_peer_start(struct sync_peer *p);
/* Ends it wherever it is; asserts that nothing was wrong. */
void sync_peer_stop(struct sync_peer *p);
/* Lets one sync_wait_go return. */
void sync_peer_go(struct sync_peer *p);

/* For scripts; each does nothing once the other side or the test has gone. The next command must begin with this; NULL: any
 * command. 1: it came. Newlines between commands are heard as "newline". */
int sync_hear(struct sync_peer *p, const char *command);
void sync_say(struct sync_peer *p, const char *text);
void sync_send(struct sync_peer *p, const void *bytes, size_t n);
/* One byte at a time, each when the one before was read. */
void sync_drip(struct sync_peer *p, const void *bytes, size_t n);
/* Hears a command and says the reply. */
int sync_answer(struct sync_peer *p, const char *command, const char *reply);
/* INFO, and the options of a replica of a plain Redis; then PSYNC is next. */
void sync_greet(struct sync_peer *p, int stream);
/* Until the other side has taken all that was said. */
void sync_wait_taken(struct sync_peer *p);
void sync_wait_go(struct sync_peer *p);   /* until sync_peer_go */
void sync_wait_gone(struct sync_peer *p); /* until the other side closes */
void sync_reset(struct sync_peer *p);     /* of TCP */

#endif
