/* What this is: what all exchanges with HTTP and SSH servers share: who we trust, proxies, time limits, rates,
 *   connections that stay open, the words of faults, and when to try again.
 * Rests on: base/mem.h, libcurl.
 * Does not: know what is exchanged (http.h, sftp.h).
 *
 * A client may be used by several threads at once: each exchange takes a handle of its own out of the client's pool and
 * gives it back with its connection still open. Every call gets the env of the thread that makes it; faults go
 * there. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include <respite/env.h>

struct net_client;

struct net_options { /* NULL and 0: what stands behind it. Copied. */
    const char *cacert,
        *cacertdir;               /* the system's. Certificates are always verified: there is no way to turn that off */
    const char *cert, *key;       /* of the client; none */
    const char *proxy, *no_proxy; /* none: the environment is never asked here */
    int64_t connect_ms;           /* 10 s */
    int64_t stall_ms;             /* 60 s: an exchange in which no byte moved for so long is over: RSP_ETIMEOUT */
    uint64_t up_rate, down_rate;  /* bytes a second of all exchanges together; no limit */
    unsigned tries;               /* 6, the first included */
    int64_t wait_ms, wait_most_ms; /* 500 ms and 30 s: before the second try, and at most before any */
    volatile const int *cancel;    /* looked at five times a second, in waits too: RSP_ECANCELED */
};
int net_client_new(const struct rsp_env *env, const struct net_options *options, struct net_client **ret);
/* No exchange is under way. Secrets are wiped. NULL does nothing. */
void net_client_free(struct net_client *c);

/* ---- trying again ---- */

struct net_retry { /* zeroed before the first try */
    unsigned tried;
};
/* After a try that failed with `status` (its words in env's record), which is retryable: waits (twice as long each
 * time, between half and the whole of it by chance; asked_ms, what the server asked for, when that is longer, up to
 * the most), clears the record and returns RSP_OK: try again. Else status, when tries are used up: "; N tries" is in
 * the trail; or RSP_ECANCELED. */
int net_retry_wait(struct net_client *c, const struct rsp_env *env, struct net_retry *r, int status, int64_t asked_ms);

/* ---- for http.c and sftp.c: libcurl's handles ---- */

struct net_handle {
    void *easy; /* CURL *: reset, with everything of the options set, for http, https and sftp: narrow that */
    void *multi;
    struct net_client *client;
    char reason[256];  /* libcurl's words; CURL_ERROR_SIZE */
    uint64_t up, down; /* bytes of bodies so far */
    size_t piece;      /* a read callback gives no more at once, so that a low rate is an even one */
    int once;          /* set it for what must not be sent twice unseen: libcurl repeats a request by itself when a
                          connection that was kept turns out to be dead; then it is RSP_ENET, retryable, instead */
    unsigned sent;     /* how often the request has begun to go out */
    int64_t moved_ms;  /* when bytes last moved */
    int socket;        /* of the connection that HTTP keeps open; -1: none */
    struct net_handle *next;
};
int net_handle_take(struct net_client *c, const struct rsp_env *env, struct net_handle **ret);
/* keep 0: its connection is closed (it is in an unknown state). */
void net_handle_give(struct net_handle *h, int keep);
/* Drives the exchange to its end: RSP_OK when libcurl is content; a fault with words and env->error->retryable set as
 * libcurl's verdict deserves (refused, reset, timed out, closed early: yes; a certificate, a name that does not
 * resolve for good, a wrong host key: no); *code (may be NULL) is libcurl's own CURLcode. subject: of the words. */
int net_handle_perform(struct net_handle *h, const struct rsp_env *env, const char *subject, int *code);
/* To be called by read and write callbacks: waits for the rate; with 0 and 0 it says "not stalled". RSP_OK or
 * RSP_ECANCELED, which has no words: end the callback, net_handle_perform writes them. */
int net_handle_moved(struct net_handle *h, size_t up, size_t down);

#endif
