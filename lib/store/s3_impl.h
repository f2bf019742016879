/* What this is: what the files of the s3: driver share.
 * Rests on: remote.h.
 * Does not: leave this driver. */
#ifndef STORE_S3_IMPL_H
#define STORE_S3_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "store/remote.h"

#define HEX_SHA256 64              /* digits of a SHA-256 */
#define S3_ETAG 128                /* of an ETag, with its quotes */
#define S3_ID 1024                 /* of a version's or an upload's identifier */
#define S3_PARTS_MOST 10000        /* of one upload */
#define S3_PREFIX_BYTES 500        /* of the URL: 1024 bytes of a key less a name */
#define S3_DOCUMENT_MAX (8u << 20) /* of one page of a listing */

/* ---- signing (s3_sign.c) ---- */

struct s3_keys {                                /* in secret memory */
    char access[256], secret[512], token[8192]; /* token: "" when there is none */
    int64_t expires_ms;                         /* INT64_MAX: never */
};

struct s3_signing {
    const char *method, *path;       /* path: percent-encoded */
    const char *query;               /* canonical: s3_query */
    const struct http_field *fields; /* all of these are signed: host, x-amz-date ... */
    size_t fields_n;
    const char *payload; /* 64 digits, or what stands for them */
    const char *date;    /* 20150830T123600Z */
    const char *region, *service;
};
#define S3_FIELDS_MAX 16
#define S3_PARAMS_MAX 8

/* name=value pairs, encoded and sorted as the signature wants them; also what goes out. Appended to out. */
int s3_query(const struct rsp_env *env, const struct http_field *params, size_t n, struct buf *out);
int s3_canonical(const struct rsp_env *env, const struct s3_signing *q, struct buf *out, struct buf *names);
/* The Authorization field's value with a zero behind it, appended to out. */
int s3_sign(const struct rsp_env *env, const struct s3_keys *keys, const struct s3_signing *q, struct buf *out);
void s3_date(int64_t ms, char out[17]); /* 20150830T123600Z */
/* Lower-case hexadecimal digits with a zero behind them. */
int s3_sha256(const struct rsp_env *env, const void *p, size_t n, char out[HEX_SHA256 + 1]);
/* The same of bytes that come one after the other: begin, add ..., end; and again. Zeroed before the first time. */
struct s3_sum {
    void *ctx;
};
int s3_sum_begin(const struct rsp_env *env, struct s3_sum *sum);
int s3_sum_add(const struct rsp_env *env, struct s3_sum *sum, const void *p, size_t n);
int s3_sum_end(const struct rsp_env *env, struct s3_sum *sum, char out[HEX_SHA256 + 1]);
void s3_sum_free(struct s3_sum *sum);
/* 0, or -1 where the cryptographic library has no MD5. */
int s3_md5(const void *p, size_t n, uint8_t out[16]);
void s3_hex(const uint8_t *p, size_t n, char *out);

/* ---- the URL (s3_url.c) ---- */

struct s3_place {
    struct rsp_env env;
    char *text;       /* canonical */
    char *base;       /* https://host[:port], without a slash at its end */
    const char *host; /* in base, behind the two slashes: also the Host field */
    char *root;       /* path in front of a key, encoded: "/", "/bucket/", "/gate/bucket/" */
    char *prefix;     /* "" or "a/b/", plain */
    char *bucket, *region;
    int given_endpoint, virtual_host;
};
int s3_place_parse(const struct rsp_env *env, const char *url, struct s3_place *ret);
void s3_place_free(struct s3_place *p);
int s3_bucket_ok(const char *bucket);

/* ---- who asks (s3_credentials.c, s3_roles.c) ---- */

struct s3_credentials;
int s3_credentials_new(const struct rsp_env *env, const struct rsp_store_remote *o, struct s3_credentials **ret);
void s3_credentials_free(struct s3_credentials *c);
/* The keys of now, asked for again shortly before they run out. They live until s3_keys_give, which the same thread calls. */
int s3_keys_take(struct s3_credentials *c, const struct rsp_env *env, const struct s3_keys **ret);
void s3_keys_give(struct s3_credentials *c);
/* 1: the keys are temporary, and the next taker asks for new ones. 0: there are no others. */
int s3_keys_renew(struct s3_credentials *c);

/* For tests, too. The profile's keys out of a shared credentials file. */
int s3_profile_parse(const struct rsp_env *env, const char *file, const char *profile, char *text, struct s3_keys *ret);
/* A member of the outermost object of a JSON text whose value is a string: 1 with its bytes and a zero in out, 0 when there
 * is none, -1 when the text is not such an object or the string is longer than size - 1. */
int s3_json_string(const char *text, size_t n, const char *name, char *out, size_t size);
/* Keys as container and instance answer them. */
int s3_role_parse(const struct rsp_env *env, const char *where, const char *text, size_t n, struct s3_keys *ret);

struct s3_roles { /* where roles are asked for */
    char *container_url, *container_token, *metadata_url;
    int instance;
    struct net_client *client; /* short time-outs */
};
int s3_roles_fetch(const struct s3_roles *r, const struct rsp_env *env, struct s3_keys *ret);

/* ---- the server's words (s3_error.c) ---- */

struct s3_error {
    char code[64], message[160], region[64]; /* printable; "": not said */
};
enum s3_class { S3_FINAL, S3_RETRY, S3_SKEW, S3_EXPIRED };
struct s3_verdict {
    int status; /* of ours */
    enum s3_class what;
    const char *advice; /* or NULL */
};
/* body may be anything; fields tell the region. */
void s3_error_read(const struct rsp_env *env, const struct http_reply *r, struct s3_error *e);
struct s3_verdict s3_judge(int http_status, const struct s3_error *e);
/* 1 when a body that came with 200 is an error's document all the same. */
int s3_error_inside(const struct rsp_env *env, struct rsp_span body);
/* Without the blanks that some servers send to keep a connection alive. */
struct rsp_span s3_document(const struct http_reply *r);

/* ---- the store and one request (s3_request.c) ---- */

#define VERSIONS_KEPT 4096
struct s3_version {
    char *name, *id; /* id: "" for an object that is not there */
    uint64_t bytes;
    int64_t mtime_ms;
};

struct s3_store {
    struct rsp_store s;
    struct s3_place place;
    struct s3_credentials *credentials;
    struct net_client *net;
    struct net_client *last; /* for what is tidied up when all else has failed: one short try, whatever cancel says */
    size_t part_bytes;
    int lock_mode, oldest;
    int64_t lock_ms;
    _Atomic int64_t offset_ms;    /* added to our clock when signing */
    _Atomic int64_t skew_ms;      /* our clock minus theirs, as last seen */
    _Atomic int no_condition;     /* 1: If-None-Match is not implemented for PUT */
    _Atomic int no_condition_end; /* nor for the end of an upload in parts */
    _Atomic int condition_seen;   /* it was refused once because of it: it works */
    _Atomic int wants_md5;        /* what is put needs a Content-MD5: the bucket locks all by itself */
    char server[64];              /* what it calls itself; under words */
    int server_known;
    pthread_mutex_t versions_lock;
    struct s3_version *versions; /* with oldest: VERSIONS_KEPT places by hash */
};

struct s3_request {
    const char *method, *what;                                          /* what: of the words: "put", "list" */
    const char *name;                                                   /* of the object; NULL: the bucket */
    struct http_field params[S3_PARAMS_MAX], fields[S3_FIELDS_MAX - 4]; /* fields' names in lower case */
    size_t params_n, fields_n;
    const void *p; /* body */
    size_t n;
    int has_body;
    int md5;          /* with Content-MD5: where object lock asks for it. The server checks the signed SHA-256 of all */
    const char *hash; /* SHA-256 of the body in digits, when it is known; NULL: it is made here */
    void *into;
    size_t into_n, body_max;
    int inside;              /* a reply of 200 may be an error all the same */
    int last;                /* by the client for tidying up; once */
    const _Atomic int *stop; /* not NULL: no further try when it is set */
    /* Before a try that follows one which broke off: what came already stands in into. NULL: begin anew. */
    int (*again)(struct s3_request *q, const struct http_reply *r);
    void *opaque;

    struct s3_error error; /* out: the server's words */
    int http;              /* out: its last status, 0: none came */
    int unknown;           /* out: tries whose outcome nobody knows */
};
void s3_param(struct s3_request *q, const char *name, const char *value);
void s3_field(struct s3_request *q, const char *name, const char *value);
/* RSP_OK: a reply of 2xx, in r. Else a fault whose words are in env's record. */
int s3_exchange(struct s3_store *s, const struct rsp_env *env, struct s3_request *q, struct http_reply *r);
/* Moves words that were gathered apart into env's record, if that is free; returns rc. */
int s3_tell(const struct rsp_env *env, const struct rsp_error *words, int rc);
/* The key of a name, without its prefix; NULL when it is none of ours. Plain or url: percent-encoded, decoded in place. */
const char *s3_name_of(const struct s3_store *s, char *key, int encoded);
int s3_unescape(char *text);

/* ---- the driver's calls ---- */

/* One HEAD, or of the oldest version its entry in the list. etag, sse (1: encrypted by the server so that the ETag is no MD5)
 * may be NULL. */
struct s3_seen {
    struct rsp_store_item item;
    char etag[S3_ETAG];
    int sse;
    int lock_mode;
    int64_t lock_until_ms; /* INT64_MIN: none */
    char version[S3_ID];
};
/* last: one short try, whatever cancel says. */
int s3_head(struct s3_store *s, const struct rsp_env *env, const char *name, const char *version, int last,
            struct s3_seen *ret);
int s3_look(struct rsp_store *s, const struct rsp_env *env, const char *name, struct rsp_store_item *item);
int s3_stat(struct rsp_store *s, const char *name, struct rsp_store_item *item);
int s3_read(struct rsp_store *s, const struct rsp_env *env, const char *name, uint64_t offset, void *p, size_t n);
int s3_get(struct rsp_store *s, const struct rsp_env *env, const char *name, size_t max, uint8_t **p, size_t *n);
/* "bytes 5-9/100". 0, or -1. total: UINT64_MAX for a star. */
int s3_content_range(const char *text, uint64_t *from, uint64_t *to, uint64_t *total);

struct s3_page { /* of a listing */
    const char *subject;
    char next[XML_TEXT_MAX + 1], next_id[XML_TEXT_MAX + 1]; /* "": none */
    int more, encoded;
    char key[XML_TEXT_MAX + 1], id[XML_TEXT_MAX + 1]; /* of the entry that is being read */
    uint64_t bytes;
    int64_t ms;
    int entry, bad; /* entry: 1 in one, 2 in a delete marker */
    /* An entry is whole; key as it came. */
    int (*each)(struct s3_page *p);
    void *opaque;
};
/* What holds an entry: "Contents", "Upload", "Version". */
int s3_page_read(const struct rsp_env *env, const char *root, const char *entry, struct rsp_span document,
                 struct s3_page *p);
int s3_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *), void *opaque);
int s3_list_versions(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
                     void *opaque);
/* The oldest version of a name: RSP_ENOTFOUND. id has S3_ID bytes. */
int s3_oldest(struct s3_store *s, const struct rsp_env *env, const char *name, char *id, struct rsp_store_item *item);
void s3_versions_free(struct s3_store *s);
int s3_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque);

struct s3_upload;
int s3_begin(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret);
int s3_write(struct rsp_upload *u, const void *p, size_t n);
int s3_commit(struct rsp_upload *u);
void s3_drop(struct rsp_upload *u);
/* One PUT of all the bytes; version (S3_ID bytes): of what was written, or "". */
int s3_put_whole(struct s3_store *s, const char *name, int replace, const void *p, size_t n, char *version);

/* Fields that lock what is put; until has 32 bytes and lives with q. Nothing without lock_mode. */
void s3_lock_fields(struct s3_store *s, struct s3_request *q, char *until);
/* What was put is locked, or is locked now, or it is a fault. version: "" when not known. */
int s3_lock_check(struct s3_store *s, const char *name, const char *version);
/* 1, 0, or -1 where we may not ask. */
int s3_bucket_locks(struct s3_store *s, const struct rsp_env *env);
int s3_bucket_versions(struct s3_store *s, const struct rsp_env *env);
int s3_settle(struct rsp_store *s, const char *name);

#endif
