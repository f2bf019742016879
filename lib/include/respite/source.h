/* What this is: where bytes come from: memory, a mapped file, a file, a descriptor, or a chain
 *   of stages over another source.
 * Rests on: env.h, stage.h.
 * Does not: know any format. */
#ifndef RESPITE_SOURCE_H
#define RESPITE_SOURCE_H

#include <respite/env.h>
#include <respite/stage.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_source;

/* Reads n bytes lying at p. They must outlive the source; nothing is copied. */
RSP_API RSP_NODISCARD int rsp_source_memory(const struct rsp_env *env, const void *p, size_t n,
                                            struct rsp_source **ret);

/* Maps the regular file at path. A file that another process cuts while it is mapped kills the
 * process by SIGBUS: map only what nobody writes. RSP_ENOTFOUND, RSP_EPERM, RSP_EIO. */
RSP_API RSP_NODISCARD int rsp_source_mmap(const struct rsp_env *env, const char *path, struct rsp_source **ret);

/* Opens path and reads it by read(2). "-" is not special here. */
RSP_API RSP_NODISCARD int rsp_source_file(const struct rsp_env *env, const char *path, struct rsp_source **ret);

/* Reads a descriptor: file, pipe or socket. name is the subject of error records. The descriptor
 * is borrowed: freeing the source does not close it. On a non-blocking descriptor a read that
 * would block is RSP_AGAIN. */
RSP_API RSP_NODISCARD int rsp_source_fd(const struct rsp_env *env, int fd, const char *name, struct rsp_source **ret);

/* What a caller's own source does; see rsp_source_custom. */
struct rsp_source_ops {
    size_t size; /* sizeof(struct rsp_source_ops) */
    /* As rsp_source_read. */
    int (*read)(void *opaque, uint8_t *out, size_t cap, size_t *got);
    void (*close)(void *opaque); /* may be NULL */
};
RSP_API RSP_NODISCARD int rsp_source_custom(const struct rsp_env *env, const struct rsp_source_ops *ops, void *opaque,
                                            const char *name, struct rsp_source **ret);

/* Draws from inner through a stage (decompression, decryption). Owns both once it returns RSP_OK;
 * owns neither on a fault. */
RSP_API RSP_NODISCARD int rsp_source_through(const struct rsp_env *env, struct rsp_source *inner,
                                             struct rsp_stage *stage, struct rsp_source **ret);

/* Looks at the first bytes of inner and, when they are the magic of zstd, gzip, lz4 or of
 * Valkey's VCS envelope, puts the decompressing stage over it; else *ret is inner itself.
 * *codec (may be NULL) becomes a static string: "none", "zstd", "gzip", "lz4", "vcs+lz4", "vcs+zstd".
 * RSP_AGAIN when a non-blocking inner has not enough bytes yet: call again.
 * RSP_EUNSUPPORTED for a VCS envelope of unknown version, codec or kind.
 * Owns inner once it returns RSP_OK. */
RSP_API RSP_NODISCARD int rsp_source_detect(const struct rsp_env *env, struct rsp_source *inner,
                                            struct rsp_source **ret, const char **codec);

/* Puts 1..cap bytes into out and their number into *got, RSP_OK; RSP_END at the end (*got 0);
 * RSP_AGAIN when there is nothing yet. Any other status is a fault, after which the source is
 * dead and answers RSP_ESTATE. */
RSP_API RSP_NODISCARD int rsp_source_read(struct rsp_source *source, uint8_t *out, size_t cap, size_t *got);

/* Shows up to want bytes that lie ahead without taking them: *view lives until the next call.
 * RSP_OK with view->n == want, or fewer at the end of the data; RSP_AGAIN when there are fewer
 * for now. want is at most 4096. */
RSP_API RSP_NODISCARD int rsp_source_peek(struct rsp_source *source, size_t want, struct rsp_span *view);

/* The whole of a memory or mapped source as one view that lives as long as the source, RSP_OK;
 * RSP_END for every other kind. Does not move the read position. */
RSP_API int rsp_source_view(struct rsp_source *source, struct rsp_span *view);

/* Goes to an absolute offset. RSP_EUNSUPPORTED when the source cannot (pipe, stage, custom). */
RSP_API RSP_NODISCARD int rsp_source_seek(struct rsp_source *source, uint64_t offset);

/* Total size in bytes, RSP_OK; RSP_END when it cannot be known. For a source through a stage the
 * size of the innermost one, so that progress can be told with rsp_source_taken. */
RSP_API int rsp_source_size(struct rsp_source *source, uint64_t *bytes);

/* Bytes taken so far from the innermost source. May be read from another thread. */
RSP_API uint64_t rsp_source_taken(const struct rsp_source *source);

/* The subject of error records: path or name. */
RSP_API const char *rsp_source_name(const struct rsp_source *source);

/* Frees; NULL does nothing. */
RSP_API void rsp_source_free(struct rsp_source *source);

#ifdef __cplusplus
}
#endif
#endif
