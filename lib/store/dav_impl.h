/* What this is: the davs: driver's handle, and what its files ask of each other.
 * Rests on: remote.h.
 * Does not: leave this folder. */
#ifndef STORE_DAV_IMPL_H
#define STORE_DAV_IMPL_H

#include "base/buf.h"
#include "store/remote.h"

#define DAV_SERVER_BYTES 80

struct dav_store {
    struct rsp_store s;
    struct net_client *client;
    struct net_client *last; /* for the requests that clean up: one try, no cancel flag, no long waits */
    struct net_client *lane; /* of the one upload that is sent while it is written */
    volatile int lane_stop;  /* what cancels that */
    int lane_taken;
    char *base;              /* the root as a request has it, "https://host:port/path", without a slash at its end */
    size_t base_n, origin_n; /* of base; of its "https://host:port" */
    char *path;              /* base's path, decoded */
    char *user, *password;   /* NULL: none; wiped at the end */
    char *tmpdir;            /* NULL: the spool's own choice */
    size_t part_bytes;       /* an upload keeps so much in memory and is sent in one piece up to it */
    int64_t idle_ms;         /* so long an upload waits for bytes to send before it starts again at commit */
    volatile const int *cancel;
    pthread_mutex_t lock; /* over all below */
    struct rsp_env quiet; /* without a record of faults: of made */
    struct buf made;      /* collections that are known to be there: "a/b\0" ... */
    char server[DAV_SERVER_BYTES];
    int64_t skew_ms;    /* INT64_MIN: not known */
    int refuses_second; /* -1: no name was taken yet */
};

/* ---- requests (dav_request.c) ---- */

/* A request and the tries it took. Words are gathered apart from the caller's record, which may hold older ones. */
struct dav_tries {
    struct net_client *client; /* the store's, unless it is set */
    struct net_retry retry;
    const struct rsp_env *env; /* the caller's */
    struct rsp_env own;        /* the same with words as its record */
    struct rsp_error words;
    int again; /* how often the request was sent again; what became of it before is not known */
};
void dav_tries_init(struct dav_tries *t, struct dav_store *d, const struct rsp_env *env);
/* One exchange. RSP_OK: a whole reply that trying again would not change. Else the fault is in t->words. */
int dav_try(struct dav_store *d, struct dav_tries *t, struct http_request *q, struct http_reply *r);
/* After a fault: RSP_OK after a wait: try again; else the status, its words handed to the caller's record. */
int dav_again(struct dav_tries *t, const struct http_reply *r, int status);
/* Both until there is an end. *again (may be NULL): see above. */
int dav_exchange(struct dav_store *d, const struct rsp_env *env, struct http_request *q, struct http_reply *r,
                 int *again);
/* The fault that a reply of this status is. */
int dav_fault(struct dav_store *d, const struct rsp_env *env, const struct http_request *q, const struct http_reply *r);
/* A fault of our own making about a request's object. */
int dav_fail(struct dav_store *d, const struct rsp_env *env, int code, const char *url, const char *words);
/* Base, a slash, and name: which may end in a slash, or be "" for the root. Appended to out, with a zero. */
int dav_url(const struct dav_store *d, const char *name, struct buf *out);
/* 1: the reply sends us from "x" to "x/": a collection has this name. */
int dav_is_folder(const struct http_request *q, const struct http_reply *r);
int dav_cancelled(const struct dav_store *d);
/* Digits and nothing else: 0, or -1. */
int dav_number(const char *text, uint64_t *value);

/* ---- collections (dav_folder.c) ---- */

/* Those above name, as far as they are not remembered. */
int dav_folders(struct dav_store *d, const struct rsp_env *env, const char *name);
/* One of them was removed behind our back. */
void dav_folders_forget(struct dav_store *d);
/* The root, with what is missing above it. */
int dav_make_root(struct dav_store *d);

/* ---- what PROPFIND tells (dav_xml.c) ---- */

enum { DAV_LENGTH = 1, DAV_MODIFIED = 2, DAV_COLLECTION = 4, DAV_QUOTA = 8 }; /* what was told with status 200 */
struct dav_answer {
    const char *href; /* as it came */
    unsigned has;
    uint64_t bytes, quota;
    int64_t mtime_ms;
};
/* each is told of every response that has a href; those with a status of their own that is not 2xx are left out. */
int dav_multistatus(const struct rsp_env *env, const char *subject, struct rsp_span document,
                    int (*each)(void *opaque, const struct dav_answer *a), void *opaque);
/* What href names below path (decoded, with a slash at its end).
 * 1: path itself (out is ""); 2: one part, in out, without a slash at its end; 0: anything else. */
int dav_href(const char *href, const char *path, char *out, size_t size);
/* PROPFIND of the URL. RSP_OK: r->status is 207, or another when there is no such collection. Else a fault. */
int dav_propfind(struct dav_store *d, const struct rsp_env *env, const char *url, int depth, struct http_reply *r);
/* The one answer to Depth: 0. RSP_ENOTFOUND without words when it is not there. */
int dav_props(struct dav_store *d, const struct rsp_env *env, const char *url, struct dav_answer *a);

/* ---- objects (dav_read.c) ---- */
int dav_stat(struct rsp_store *s, const char *name, struct rsp_store_item *item);
int dav_look(struct rsp_store *s, const struct rsp_env *env, const char *name, struct rsp_store_item *item);
int dav_read(struct rsp_store *s, const struct rsp_env *env, const char *name, uint64_t offset, void *p, size_t n);
int dav_get(struct rsp_store *s, const struct rsp_env *env, const char *name, size_t max, uint8_t **p, size_t *n);
int dav_remove(struct rsp_store *s, const char *name);

/* ---- uploads (dav_upload.c; dav_send.c: their bytes) ---- */
struct dav_upload {
    struct rsp_upload u;
    int replace, begun, sent; /* begun: bytes may be there; sent: all of them are */
    int dead_net;             /* the last fault was the network's */
    uint64_t written;
    char name[NAME_BYTES + 1], part[NAME_BYTES + PART_BYTES + 1];
    struct buf from, to; /* URLs of both */
    struct rsp_error spool_words, words;
    struct rsp_env spool_env, env; /* of the thread */
    pthread_t thread;
    int started;
    pthread_mutex_t lock; /* over all below and written */
    pthread_cond_t change;
    struct rsp_spool *spool;
    uint64_t at; /* of what is sent */
    int finished, ended, idle, status;
    atomic_int waiting; /* the thread wants the lock: who writes steps back */
};
/* Starts to send what is there and what comes; where that cannot be, dav_send does it all. */
void dav_stream(struct dav_upload *u);
/* The thread is at its end: RSP_OK, also when nothing was sent (u->sent), or its fault. stop: at once. */
int dav_stream_end(struct dav_upload *u, int stop);
/* The whole, of known length. */
int dav_send(struct dav_upload *u);
int dav_begin(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret);
int dav_write(struct rsp_upload *u, const void *p, size_t n);
int dav_commit(struct rsp_upload *u);
void dav_drop(struct rsp_upload *u);
/* 1: a file before its publication: NAME.respite.part~HHHHHHHH[.DIGITS]. No object has such a name. */
int dav_is_part(const char *name);

/* ---- walks (dav_list.c) ---- */
int dav_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *), void *opaque);
int dav_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque);

#endif
