/* What this is: one HTTP exchange: request out, reply in.
 * Rests on: client.h.
 * Does not: try again, follow redirections, sign, or judge a status: any whole reply is RSP_OK. */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/buf.h"
#include "net/client.h"

struct http_field {
    const char *name, *value; /* a value with bytes below 32 or 127 is RSP_EINVAL */
};

struct http_request {
    const char *method; /* "GET", "HEAD", "PUT", "PROPFIND" ... */
    const char *url;    /* whole and percent-encoded: it goes out as it stands. Subject of faults, without its query */
    const struct http_field *fields;
    size_t fields_n;
    const char *user, *password; /* HTTP Basic; NULL: none. Only ever sent to this URL's host */
    /* The body: p[0, n); or by read, which gives 1..cap bytes, *n 0 at the end, or a fault (in the calling thread),
     * length bytes or UINT64_MAX when they are not known (chunked). Neither: no body, of PUT, POST and PATCH an empty
     * one. */
    const void *p;
    size_t n;
    int has_body; /* p counts, even with n 0 */
    int (*read)(void *opaque, uint8_t *p, size_t cap, size_t *n);
    void *opaque;
    uint64_t length;
    /* Where a reply with status 200 or 206 goes: at most into_n bytes, more is RSP_ELIMIT. NULL: into reply->body, as
     * every other reply does, of which more than body_max (0: 1 MiB) bytes are RSP_ELIMIT for 2xx and cut for
     * others. */
    void *into;
    size_t into_n;
    size_t body_max;
};

struct http_reply { /* http_reply_init before, http_reply_free behind; used again for the next exchange */
    int status;
    uint64_t got;      /* bytes of body that came; with into: that went there, those of a refusal do not count */
    int64_t date_ms;   /* of the Date field; INT64_MIN: none */
    struct buf fields; /* "name\0value\0" ...: names in lower case; 64 KiB at most */
    struct buf body;
};
void http_reply_init(struct http_reply *r, const struct rsp_env *env);
void http_reply_free(struct http_reply *r);
/* The field's value (the first one's) or NULL; lives until the reply is used again. */
const char *http_field(const struct http_reply *r, const char *name);

/* RSP_OK: a whole reply came, of whatever status. Else the fault of net_handle_perform; RSP_ENET (retryable)
 * too when the body ended before its length, or the head before its end (an object that is too short is another matter);
 * got and into hold what came. A request that is not GET,
 * HEAD, OPTIONS or PROPFIND is never repeated unseen by libcurl: a kept connection that was dead is RSP_ENET,
 * retryable. */
int http_exchange(struct net_client *c, const struct rsp_env *env, const struct http_request *q, struct http_reply *r);

/* "Fri, 20 Nov 2026 14:45:12 GMT" (and the two older forms) and "2026-11-20T14:45:12.000Z" as milliseconds since the
 * epoch. 0, or -1: neither. */
int http_date_parse(const char *text, int64_t *ms);

#endif
