/* What this is: a client from inside: shared by the pool (client.c), the loop (client_perform.c) and the words of
 *   faults (client_words.c).
 * Rests on: client.h, net_impl.h, libcurl.
 * Does not: leave lib/net. */
#ifndef NET_CLIENT_IMPL_H
#define NET_CLIENT_IMPL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "net/client.h"
#include "net/net_impl.h"

#define CLIENT_PIECE 524288 /* libcurl's buffers, each way */

struct net_bucket {
    uint64_t rate; /* bytes a second; 0: no limit */
    uint64_t rest; /* of the last division: micro-bytes */
    int64_t next;  /* microseconds: from then on the next bytes may go */
};

struct net_client {
    struct rsp_env env; /* without a record: words go to the env of the call */
    struct net_options options;
    char *texts[6];       /* what options points to */
    pthread_mutex_t lock; /* over idle and the buckets */
    struct net_handle *idle;
    struct net_bucket up, down;
    atomic_int reached; /* an exchange has come to its end: the names do resolve */
};

static inline int client_canceled(const struct net_client *c)
{
    return c->options.cancel && __atomic_load_n(c->options.cancel, __ATOMIC_RELAXED);
}

/* Writes the record and marks it. Returns code. */
int client_fault(const struct rsp_env *env, int code, int retryable, int err, const char *subject, const char *format,
                 ...) RSP_PRINTF(6, 7);
/* The fault that libcurl's verdict means. */
int client_verdict(const struct net_handle *h, const struct rsp_env *env, const char *subject, CURLcode code);

/* A write to a connection that the peer has closed must not end the process: OpenSSL's may raise SIGPIPE, which is
 * held back in this thread and taken away. */
struct client_pipe {
    sigset_t before;
    int held;
};
void client_pipe_hold(struct client_pipe *s);
void client_pipe_release(const struct client_pipe *s);

#endif
