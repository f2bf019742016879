/* What this is: a connection from inside: shared by the two halves of net/ (open.c, conn.c) and the words of faults.
 * Rests on: net.h, libcurl.
 * Does not: leave lib/net. */
#ifndef NET_NET_IMPL_H
#define NET_NET_IMPL_H

#include <curl/curl.h>

#include "base/mem.h"
#include "net/net.h"

#define NET_SLICE_MS 100 /* between two looks at cancel */
#define NET_PIECE 16384  /* one TLS record */
#define NET_WORDS_BYTES 200

struct net_conn {
    struct rsp_env env;
    char *name;
    CURLM *multi; /* keeps the connection that easy has made */
    CURL *easy;
    volatile const int *cancel;
    int fd, wake, tls, ended, with_cert;
    uint64_t received;
    int64_t connect_ms;
    char reason[CURL_ERROR_SIZE]; /* libcurl's, of connecting */
    char said[NET_WORDS_BYTES];   /* the last line libcurl had to say */
    char security[96];
    size_t held; /* bytes of out that OpenSSL has begun to send: it must be given the same ones again */
    uint8_t out[NET_PIECE];
};

/* Makes libcurl ready, once in the process. CURLE_OK, or why it is not. */
CURLcode net_curl(void);
/* Monotonic. */
int64_t net_now_ms(void);
int net_canceled(const struct net_conn *c);
/* Writes the record, marks it retryable; err 0: no errno. Returns code. */
int net_fault(const struct net_conn *c, int code, int retryable, int err, const char *format, ...) RSP_PRINTF(5, 6);
/* The fault that a failed connect means. */
int net_connect_fault(struct net_conn *c, const struct net_target *target, CURLcode code);
/* The fault that a failed curl_easy_recv or curl_easy_send means. */
int net_tls_fault(struct net_conn *c, const char *what, CURLcode code);

#endif
