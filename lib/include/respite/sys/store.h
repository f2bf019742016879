/* What this is: a place that keeps named objects: a directory now; S3, SFTP and WebDAV behind the same calls.
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

struct rsp_store_options {
    size_t size;
    int create;    /* make the root directory (and its parents) when it is missing */
    int read_only; /* every call that would change something is RSP_EPERM */
};

/* "file:/abs/path" (also "file:///abs/path"), taken as it stands: no %XX, no "..". Another scheme is RSP_EUNSUPPORTED,
 * a malformed one RSP_EINVAL. RSP_ENOTFOUND: the root is not there. */
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

/* Publishes a small object: durable and whole when RSP_OK is returned. RSP_EEXIST when the name is taken (by other
 * bytes; when the same bytes are there it is RSP_OK: a retry after a lost answer). */
RSP_API RSP_NODISCARD int rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n);

/* Publishes a large one. Nothing is visible before commit; commit makes it durable. Freeing without commit aborts. */
RSP_API RSP_NODISCARD int rsp_store_begin(struct rsp_store *store, const char *name, struct rsp_upload **ret);
RSP_API RSP_NODISCARD int rsp_upload_write(struct rsp_upload *upload, const void *p, size_t n);
RSP_API RSP_NODISCARD int rsp_upload_commit(struct rsp_upload *upload); /* RSP_EEXIST */
RSP_API void rsp_upload_free(struct rsp_upload *upload);

/* RSP_OK also when it was not there. Empty folders go along. After a power cut it may be back, unless another object of
 * its folder was published since. */
RSP_API RSP_NODISCARD int rsp_store_delete(struct rsp_store *store, const char *name);
/* The one overwrite there is: replaces an object that is damaged, atomically. */
RSP_API RSP_NODISCARD int rsp_store_repair(struct rsp_store *store, const char *name, const void *p, size_t n);

/* Milliseconds by the store's own clock: of a directory, the time of a file just written; read-only, the machine's. */
RSP_API RSP_NODISCARD int rsp_store_now(struct rsp_store *store, int64_t *ms);
/* Free bytes, or UINT64_MAX when it cannot be known. */
RSP_API RSP_NODISCARD int rsp_store_space(struct rsp_store *store, uint64_t *bytes);
/* Leftovers of uploads that died (".part" files, multipart uploads; empty folders, whose names end in '/'): each is
 * told with its size and time, those for which each returns 1 are removed; a status below 0 ends the walk and is
 * returned. Uploads under way are among them: judge by the time. */
RSP_API RSP_NODISCARD int rsp_store_leftovers(struct rsp_store *store,
                                              int (*each)(void *opaque, const struct rsp_store_item *item),
                                              void *opaque);

/* Requests so far, for the tests and the benchmark: lists one per walk; gets by stat, read and get; puts; deletes. */
struct rsp_store_counts {
    uint64_t lists, gets, puts, deletes;
};
RSP_API void rsp_store_count(const struct rsp_store *store, struct rsp_store_counts *counts);

#ifdef __cplusplus
}
#endif
#endif
