/* What this is: an exchange from inside: shared by the request (http.c) and the reply (http_reply.c).
 * Rests on: http.h, net_impl.h, libcurl.
 * Does not: leave lib/net. */
#ifndef NET_HTTP_IMPL_H
#define NET_HTTP_IMPL_H

#include "net/client_impl.h"
#include "net/http.h"

#define HTTP_SUBJECT_BYTES 128

struct http_run {
    const struct rsp_env *env;
    const struct http_request *q;
    struct http_reply *r;
    struct net_handle *h;
    int fault; /* of a callback; its words are in env's record */
    char subject[HTTP_SUBJECT_BYTES];
    /* request */
    int has_body;
    uint64_t at; /* of the body, so much is given */
    /* reply */
    size_t head;    /* bytes of fields and status lines, of all replies of this exchange */
    uint64_t named; /* Content-Length */
    int has_length, whole_head, cut;
};

size_t http_on_field(char *line, size_t size, size_t n, void *opaque);
size_t http_on_body(char *p, size_t size, size_t n, void *opaque);
/* After the exchange has come to a good end: what libcurl does not look at. */
int http_reply_check(struct http_run *x);
/* A token of RFC 9110: methods and the names of fields. */
int http_token(const char *p, size_t n);

#endif
