/* What this is: what the drivers of remote stores share: their URLs taken apart, percent-encoding, the client made of
 *   the options, bounded XML.
 * Rests on: store_impl.h, net/client.h, expat.
 * Does not: speak a protocol. */
#ifndef STORE_REMOTE_H
#define STORE_REMOTE_H

#include "net/client.h"
#include "net/http.h"
#include "store/store_impl.h"

/* ---- URLs ---- */

#define URL_PARAMS_MAX 16
/* scheme://[user@]host[:port][/path][?name=value&...]: decoded parts. A password in a URL is refused (RSP_EINVAL,
 * with words that say where secrets go), and so are a path with a "." or ".." part, an encoded slash or control byte,
 * and a fragment. Empty parts of a path and slashes at its end are taken off. Scheme and host come in lower case (not
 * s3's bucket). Words of faults never hold what may be a password. */
struct remote_url {
    struct rsp_env env;
    char *room; /* of all texts */
    size_t room_n;
    const char *scheme, *user, *host; /* user: NULL when there is none. host: an IPv6 one without brackets */
    uint32_t port;                    /* 0: not said */
    const char *path;                 /* "" or "/a/b" */
    size_t params_n;
    struct {
        const char *name, *value;
    } params[URL_PARAMS_MAX]; /* sorted by name; a name that stands twice is RSP_EINVAL */
};
int remote_url_parse(const struct rsp_env *env, const char *url, struct remote_url *u);
void remote_url_free(struct remote_url *u);
const char *remote_url_param(const struct remote_url *u, const char *name); /* NULL: not there */
/* RSP_EINVAL with words when there is a param that is not among the names (NULL at their end). */
int remote_url_known(const struct remote_url *u, const char *const *names);
/* The one canonical form: parts encoded again, params sorted, scheme's default port left out (a '/', ':' or ',' of a
 * param's value stays). Appended to out. */
int remote_url_text(const struct remote_url *u, struct buf *out);

/* Appends text with all but unreserved characters as %XX; a slash stays where slash is set. */
int remote_escape(struct buf *out, const char *text, int slash);

/* ---- options ---- */

/* The client for these options (NULL: defaults). */
int remote_client(const struct rsp_env *env, const struct rsp_store_remote *o, struct net_client **ret);

/* ---- XML: what servers send, which is hostile ---- */

#define XML_DEPTH_MAX 32
#define XML_TEXT_MAX 8192
/* Entities of a DTD are off: a document that declares one is RSP_EFORMAT. Names come without their namespace prefix
 * and else as they stand: "href" of "D:href", "Key". text: of an element without children, trimmed of nothing. end is
 * called with the text for each element as it closes; depth 1 is the root. Another status than RSP_OK from a callback
 * ends it and is returned. */
struct xml_walk {
    int (*begin)(void *opaque, int depth, const char *name); /* may be NULL */
    int (*end)(void *opaque, int depth, const char *name, const char *text);
    void *opaque;
};
/* subject: of the words of RSP_EFORMAT. */
int xml_parse(const struct rsp_env *env, const char *subject, struct rsp_span document, const struct xml_walk *walk);

/* ---- the drivers ---- */
int store_s3_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *o,
                  struct rsp_store **ret);
int store_sftp_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *o,
                    struct rsp_store **ret);
int store_dav_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *o,
                   struct rsp_store **ret);

#endif
