/* What this is: a scripted server for tests: a thread that answers commands from a table.
 * Rests on: POSIX threads and sockets.
 * Does not: know what the commands mean. */
#ifndef TESTS_REPL_SERVER_PEER_H
#define TESTS_REPL_SERVER_PEER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* The first line whose command begins what came (its words with single blanks) and that is not used up answers it; what
 * no line answers is "-ERR unknown command". */
struct peer_line {
    const char *command;
    const char *reply;    /* as it is on the wire; NULL: the connection is closed */
    unsigned times, used; /* 0: as often as it comes */
};

struct peer {
    struct peer_line *lines;
    size_t n;
    char path[80], dir[64]; /* of its unix socket */
    uint32_t port;          /* of its TCP socket on 127.0.0.1 */
    unsigned connections;
    char heard[16384]; /* every command, each with a newline; to be read when the peer is stopped, or has answered */
    size_t heard_n;
    int fds[2], stop[2];
    pthread_t thread;
};
#define PEER_START(peer, table) peer_start(peer, table, sizeof(table) / sizeof *(table))
void peer_start(struct peer *p, struct peer_line *lines, size_t n);
void peer_stop(struct peer *p);
/* "$<n>\r\n<text>\r\n", in a static room. */
const char *peer_bulk(const char *text);

#endif
