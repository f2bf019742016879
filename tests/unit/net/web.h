/* What this is: an HTTP server for the time of a test, on loopback, which answers as badly as the test tells it to.
 * Rests on: OpenSSL, pthread.
 * Does not: judge a request. */
#ifndef TESTS_NET_WEB_H
#define TESTS_NET_WEB_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct web;

struct web_call { /* one request; lives during the call of answer */
    struct web *web;
    int fd;
    SSL *ssl;
    int connection, nth; /* from 1: which connection, which request on it */
    char head[16384];    /* request line and fields */
    char method[32], path[512];
    uint8_t *body;
    size_t body_n;
};

struct web {
    /* 1: another request may come; 0: close; -1: reset. */
    int (*answer)(struct web_call *c);
    int reset_first;  /* so many connections are reset before anything is read */
    const char *cert; /* with key: TLS */
    const char *key;
    int tls_most; /* 0, or TLS1_1_VERSION */

    uint32_t port;
    int listener, stop[2];
    SSL_CTX *tls;
    pthread_t thread;
    int connections, requests; /* atomic */
};

void web_start(struct web *w); /* asserts */
void web_stop(struct web *w);
/* 0, or -1 when the client is gone. */
int web_send(struct web_call *c, const void *p, size_t n);
int web_say(struct web_call *c, const char *text);
/* Until the client is gone or the test is over. */
void web_wait(struct web_call *c);
/* Value of a field of the request, or NULL; lives until the next call. */
const char *web_field(struct web_call *c, const char *name);

/* FOLDER/old.pem and old.key: a certificate of FOLDER/ca.pem that has expired. */
void web_expired(const char *folder);

#endif
