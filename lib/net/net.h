/* What this is: a byte transport to a Redis server: TCP, TLS, mutual TLS or a unix socket, by libcurl's CONNECT_ONLY.
 * Rests on: base/mem.h, libcurl.
 * Does not: know what the bytes mean; retry. One connection belongs to one thread at a time, but for net_wake.
 *
 * libcurl connects and does TLS; afterwards its handle is a descriptor with send and recv. Traps that are seen to: no
 * proxy, no ALPN, recv first and poll only when it has nothing (decrypted bytes may wait inside), no signals, and a
 * missing client certificate that shows only at the first recv (TLS 1.3). */
#ifndef NET_NET_H
#define NET_NET_H

#include <respite/env.h>

struct net_target {
    const char *name; /* subject of error records */
    const char *host; /* with socket NULL */
    uint32_t port;
    const char *socket; /* path */
    int tls, insecure, family;
    const char *sni, *cacert, *cacertdir, *cert, *key, *ciphers, *ciphersuites;
    int64_t connect_ms;
};

struct net_conn;

/* RSP_ENET (refused, unreachable, no such host), RSP_ETIMEOUT, RSP_EAUTH (TLS: the server's certificate or ours, said
 * which), RSP_EINVAL (a file of target cannot be read, a path is too long for a socket), RSP_EBUSY (a unix socket's
 * server hung up at once), RSP_ECANCELED. Retryable ones have error.retryable set. */
int net_open(const struct rsp_env *env, const struct net_target *target, volatile const int *cancel,
             struct net_conn **ret);

/* 1..cap bytes: RSP_OK; RSP_AGAIN when there are none now; RSP_END when the peer closed (of TLS
 * also without its farewell: whether all came, the bytes must tell); RSP_ENET, RSP_EAUTH. */
int net_recv(struct net_conn *c, void *p, size_t cap, size_t *got);
/* RSP_OK with *sent 1..n; RSP_AGAIN: the next call must begin with the same bytes (they may have moved, and more may
 * follow); RSP_ENET, RSP_EAUTH. A server may have said why before it closed: net_recv can still be asked. */
int net_send(struct net_conn *c, const void *p, size_t n, size_t *sent);

enum net_event { NET_READ = 1, NET_WRITE = 2, NET_WOKEN = 4 };
/* Waits until one of events (or net_wake) is there: *seen. RSP_AGAIN: ms are over; RSP_ECANCELED. Looks at cancel at
 * least five times a second. To be called when net_recv had nothing. ms < 0: for ever. */
int net_wait(struct net_conn *c, int events, int64_t ms, int *seen);
/* From any thread: ends a net_wait under way, or the next one. */
void net_wake(struct net_conn *c);

/* The same in whole: waits at most idle_ms for each progress (RSP_ETIMEOUT; < 0: for ever). net_recv_some: RSP_OK with
 * 1..cap, RSP_END. */
int net_send_all(struct net_conn *c, const void *p, size_t n, int64_t idle_ms);
int net_recv_some(struct net_conn *c, void *p, size_t cap, size_t *got, int64_t idle_ms);

/* TLS version and cipher ("TLSv1.3 TLS_AES_256_GCM_SHA384"), or "". */
const char *net_security(const struct net_conn *c);
int net_fd(const struct net_conn *c);
/* Its own copy of the env: a thread that takes the connection over puts its own in place of it
 * (of the same allocator). */
struct rsp_env *net_env(struct net_conn *c);
void net_close(struct net_conn *c); /* NULL does nothing */

#endif
