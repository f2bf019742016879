/* What this is: the other side of a connection under test: a thread that listens on loopback or a unix socket, and
 *   certificates that are made when the test runs.
 * Rests on: OpenSSL, pthread.
 * Does not: speak RESP. */
#ifndef TESTS_NET_PEER_H
#define TESTS_NET_PEER_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdint.h>

enum peer_does {
    PEER_ECHO,   /* sends back what comes */
    PEER_SILENT, /* reads nothing and says nothing, no handshake either */
    PEER_SINK,   /* reads and sums up, once peer_go was called */
    PEER_BYE,    /* "bye", then closes; of TLS with a close_notify */
    PEER_CUT,    /* the same without one */
};

struct peer {
    enum peer_does does;
    const char *path; /* unix socket; NULL: TCP on 127.0.0.1, with ipv6 on ::1 */
    const char *says; /* instead of "bye" */
    int ipv6, ask_cert, tls12;
    SSL_CTX *tls; /* peer_start makes it when cert is given */
    const char *cert, *key, *ca;

    uint32_t port;
    int listener, stop[2], going[2];
    pthread_t thread;
    uint64_t bytes, sum; /* of PEER_SINK, after peer_stop */
    int accepted;        /* atomic */
};

void peer_start(struct peer *p); /* asserts */
void peer_go(struct peer *p);
void peer_stop(struct peer *p);

/* Files below folder: ca.pem, other-ca.pem, server.pem, client.pem, each with its .key, and locked.key. The server's
 * certificate is for redis.test and 127.0.0.1. */
void certificates_make(const char *folder);

#endif
