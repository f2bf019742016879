/* What this is: a place that keeps named objects: a directory, S3, SFTP or WebDAV behind the same calls.
 * Rests on: env.h.
 * Does not: know what an object holds; overwrite one (but for rsp_store_repair). No stable promise (sys).
 *
 * Names are 1 to 400 bytes of [a-z0-9-._/] and upper-case T and Z; at most 8 parts between single '/', of 1 to 255
 * bytes, none beginning with a dot; another is RSP_EINVAL. A handle belongs to one thread at a time, but
 * rsp_store_read may be called from several at once. Faults of the store are RSP_EIO, RSP_ENOSPACE, RSP_EPERM, or of
 * the remote family; the subject is the object's URL. */
#ifndef RESPITE_SYS_STORE_H
#define RESPITE_SYS_STORE_H

#include <respite/env.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_store;
struct rsp_upload;

struct rsp_store_item {
    const char *name; /* whole, from the root of the store; lives during the call */
    uint64_t bytes;
    int64_t mtime_ms; /* by the store's clock */
};

enum rsp_lock_mode { RSP_LOCK_NONE = 0, RSP_LOCK_GOVERNANCE = 1, RSP_LOCK_COMPLIANCE = 2 };

/* How remote stores are reached and who asks. Texts are borrowed during rsp_store_open (cancel for the handle's life). The
 * library never reads the environment: programs hand in what stands there. NULL and 0: the default behind each. */
struct rsp_store_remote {
    size_t size;
    const char *cacert, *cacertdir; /* the system's certificates; they are always verified */
    const char *cert, *cert_key;    /* of the client */
    const char *proxy, *no_proxy;   /* none */
    int64_t connect_ms, stall_ms;   /* 10 s; 60 s without a byte */
    uint64_t rate_up, rate_down;    /* bytes a second; no limit */
    unsigned tries;                 /* 6 */
    unsigned parallel;              /* 4: parts, or small requests, under way at once */
    size_t part_bytes;              /* 8 MiB (5 MiB to 64 MiB) */
    const char *tmpdir;
    volatile const int *cancel;

    const char *user, *password; /* WebDAV; SFTP's password */
    /* S3: the first of these that is there: keys; the file and profile ("default"); a container's or an instance's role. */
    const char *access_key, *secret_key, *session_token;
    const char *credentials_file, *profile;
    const char *container_url, *container_token; /* where a container's role is asked for */
    int instance_role;                           /* ask the instance's metadata service */
    const char *metadata_url;                    /* http://169.254.169.254 */
    int lock_mode; /* enum rsp_lock_mode: of every object that is put; what cannot be locked is a fault, not a warning */
    int64_t lock_ms; /* how long */
    int oldest; /* reading only: of a bucket with versions the oldest of each name, deleted or not: what was written
                        first is what was signed */
    /* SFTP */
    const char *ssh_key, *ssh_key_passphrase;
    int ssh_agent;
    const char *known_hosts;  /* a file, which must hold the server's key */
    const char *host_key_pin; /* or the key's SHA-256 in base64 ("SHA256:..." as ssh prints it) */
};

struct rsp_store_options {
    size_t size;
    int create;    /* make the root (directory and its parents, bucket) when it is missing */
    int read_only; /* every call that would change something is RSP_EPERM */
    const struct rsp_store_remote *remote;
};

/* "file:/abs/path" (also "file:///abs/path"), taken as it stands: no %XX, no "..".
 * "s3://BUCKET[/PREFIX]?endpoint=https://HOST[:PORT]&region=R&style=path|virtual" (endpoint: AWS's of the region; region:
 *   us-east-1; style: path with an endpoint, else virtual).
 * "sftp://[USER@]HOST[:PORT]/PATH" (from the server's root; "/~/PATH": from the home directory).
 * "davs://HOST[:PORT]/PATH"; "dav://" only to a loopback address: passwords never travel in clear.
 * Another scheme is RSP_EUNSUPPORTED, a malformed one, or one that holds a password, RSP_EINVAL. RSP_ENOTFOUND: the root is
 * not there. Opening speaks to the server once: wrong secrets, hosts and buckets are found here: RSP_EAUTH (not who we say;
 * not whom we meant), RSP_EDENIED (may not), RSP_ENET, RSP_ETIMEOUT. */
RSP_API RSP_NODISCARD int rsp_store_open(const struct rsp_env *env, const char *url,
                                         const struct rsp_store_options *options, struct rsp_store **ret);
/* The URL in its one canonical form, without credentials. */
RSP_API const char *rsp_store_url(const struct rsp_store *store);
RSP_API void rsp_store_free(struct rsp_store *store);

/* All objects whose name begins with prefix ("" or ending in '/'), in ascending byte order of whole names. A prefix
 * that is not there has none. Uploads under way and their leftovers are not objects: they are never shown, nor are
 * names that the rule above does not allow. each returns 0 to go on; another status ends the walk and is returned. */
RSP_API RSP_NODISCARD int rsp_store_list(struct rsp_store *store, const char *prefix,
                                         int (*each)(void *opaque, const struct rsp_store_item *item), void *opaque);
/* Size and time of one object: RSP_OK or RSP_ENOTFOUND. item->name is name. */
RSP_API RSP_NODISCARD int rsp_store_stat(struct rsp_store *store, const char *name, struct rsp_store_item *item);
/* Bytes [offset, offset + n), all of which must be there: RSP_ETRUNCATED when the object ends before, RSP_ENOTFOUND. */
RSP_API RSP_NODISCARD int rsp_store_read(struct rsp_store *store, const char *name, uint64_t offset, void *p, size_t n);
/* A small object whole: *n bytes from env's allocator at *p (free with rsp_store_release). RSP_ELIMIT above max. */
RSP_API RSP_NODISCARD int rsp_store_get(struct rsp_store *store, const char *name, size_t max, uint8_t **p, size_t *n);
RSP_API void rsp_store_release(struct rsp_store *store, uint8_t *p, size_t n);
/* Many at once, as many requests under way as the store likes (a directory: one). each is called on the caller's thread for
 * every name, in their order: status RSP_OK with the bytes (which live during the call), or what rsp_store_get would have
 * returned, whose words are then in the env's record (cleared behind it). Another status than RSP_OK from each ends it. */
RSP_API RSP_NODISCARD int rsp_store_get_many(struct rsp_store *store, const char *const *names, size_t n, size_t max,
                                             int (*each)(void *opaque, size_t i, int status, const uint8_t *p,
                                                         size_t n),
                                             void *opaque);
/* The same of rsp_store_stat. */
RSP_API RSP_NODISCARD int rsp_store_stat_many(struct rsp_store *store, const char *const *names, size_t n,
                                              int (*each)(void *opaque, size_t i, int status,
                                                          const struct rsp_store_item *item),
                                              void *opaque);

/* Publishes a small object: durable and whole when RSP_OK is returned. RSP_EEXIST when the name is taken (by other
 * bytes; when the same bytes are there it is RSP_OK: a retry after a lost answer). */
RSP_API RSP_NODISCARD int rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n);

/* Publishes a large one. Nothing is visible before commit; commit makes it durable. Freeing without commit aborts. */
RSP_API RSP_NODISCARD int rsp_store_begin(struct rsp_store *store, const char *name, struct rsp_upload **ret);
RSP_API RSP_NODISCARD int rsp_upload_write(struct rsp_upload *upload, const void *p, size_t n);
RSP_API RSP_NODISCARD int rsp_upload_commit(struct rsp_upload *upload); /* RSP_EEXIST */
RSP_API void rsp_upload_free(struct rsp_upload *upload);

/* RSP_OK also when it was not there. Empty folders go along (WebDAV: they stay, as leftovers). After a power cut it may be
 * back, unless another object of its folder was published since. */
RSP_API RSP_NODISCARD int rsp_store_delete(struct rsp_store *store, const char *name);
/* The one overwrite there is: replaces an object that is damaged, atomically (SFTP: it is removed, then renamed). */
RSP_API RSP_NODISCARD int rsp_store_repair(struct rsp_store *store, const char *name, const void *p, size_t n);
/* The same of a large one: as rsp_store_begin; its commit replaces. */
RSP_API RSP_NODISCARD int rsp_store_replace_begin(struct rsp_store *store, const char *name, struct rsp_upload **ret);

/* Milliseconds by the store's own clock: of a directory, the time of a file just written; read-only, the machine's. */
RSP_API RSP_NODISCARD int rsp_store_now(struct rsp_store *store, int64_t *ms);
/* Free bytes, or UINT64_MAX when it cannot be known. */
RSP_API RSP_NODISCARD int rsp_store_space(struct rsp_store *store, uint64_t *bytes);
/* Leftovers of uploads that died (files before their publication, which have names of the driver's own; multipart uploads,
 * whose size may be told as 0; empty folders, whose names end in '/'): each is told with its size and time, those for which
 * each returns 1 are removed; a status below 0 ends the walk and is returned. Uploads under way are among them: judge by
 * the time. */
RSP_API RSP_NODISCARD int rsp_store_leftovers(struct rsp_store *store,
                                              int (*each)(void *opaque, const struct rsp_store_item *item),
                                              void *opaque);

/* What a store is found to do. */
struct rsp_store_abilities {
    size_t size;
    const char *kind;   /* "file", "s3", "sftp", "webdav" */
    const char *server; /* what it calls itself, or ""; lives as long as the store */
    int refuses_second; /* 1: the store itself refuses to put a name twice; 0: only we look before (another writer could
                            come between; names are random or hashes, so none does); -1: not known yet */
    int versions, lock; /* a bucket keeps old versions; objects can be locked. -1: does not apply */
    int64_t skew_ms;    /* our clock minus the store's, as last seen; INT64_MIN: not known */
};
RSP_API RSP_NODISCARD int rsp_store_abilities(struct rsp_store *store, struct rsp_store_abilities *ret);

/* The conformance suite: everything that a repository asks of a store, tried on this one below "probe-<random>/", which is
 * removed again. The tests run it against every driver, `backupd probe` against the user's own storage. */
enum rsp_probe_verdict { RSP_PROBE_OK = 0, RSP_PROBE_NOTE = 1, RSP_PROBE_WARN = 2, RSP_PROBE_FAILED = 3 };
struct rsp_probe_row {
    const char *what; /* fixed words: "put", "put twice", "range", "list", "rename", "lock" ... */
    int verdict;
    const char *found;  /* a sentence */
    const char *advice; /* what to set up; or NULL */
};
struct rsp_probe_options {
    size_t size;
    int64_t stale_ms; /* leftovers older than this are told: 7 days */
    int read_only;    /* try nothing that changes something */
    int may_delete;   /* 0: an object could not be removed: a note, not a failure (create-only credentials) */
    uint64_t large;   /* bytes of the largest object tried; 0: three parts and one byte */
};
/* RSP_OK whenever it could be judged: each is told every row. A fault of the store in the middle is a row that failed. */
RSP_API RSP_NODISCARD int rsp_store_probe(struct rsp_store *store, const struct rsp_probe_options *options,
                                          int (*each)(void *opaque, const struct rsp_probe_row *row), void *opaque);

/* Requests so far, for the tests and the benchmark: lists one per walk; gets by stat, read and get; puts; deletes. */
struct rsp_store_counts {
    uint64_t lists, gets, puts, deletes;
};
RSP_API void rsp_store_count(const struct rsp_store *store, struct rsp_store_counts *counts);

#ifdef __cplusplus
}
#endif
#endif
