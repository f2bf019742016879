/* What this is: where bytes go: memory, a descriptor, or a file that appears whole or not at all.
 * Rests on: env.h, source.h, stage.h.
 * Does not: overwrite: a file sink replaces an existing file only when it is told to. */
#ifndef RESPITE_SINK_H
#define RESPITE_SINK_H

#include <respite/env.h>
#include <respite/source.h>
#include <respite/stage.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_sink;

enum rsp_sink_flags {
    RSP_SINK_REPLACE = 1, /* commit may replace an existing file */
    RSP_SINK_NOSYNC = 2   /* commit does not fsync: for output that may be made again */
};

/* Collects everything in memory; rsp_sink_view shows it. */
RSP_API RSP_NODISCARD int rsp_sink_memory(const struct rsp_env *env, struct rsp_sink **ret);

/* Writes to a borrowed descriptor; name is the subject of errors. Commit does not close it. */
RSP_API RSP_NODISCARD int rsp_sink_fd(const struct rsp_env *env, int fd, const char *name, struct rsp_sink **ret);

/* Writes to a temporary file beside path (mode 0600, ".NAME.respite-XXXXXXXX.part", X random); commit makes it path: fsync,
 * rename (or link, so that an existing file is never replaced without RSP_SINK_REPLACE), fsync of the directory.
 * Abort, or freeing without commit, removes it. An existing path without RSP_SINK_REPLACE is refused at once
 * (RSP_EEXIST), and again at the commit. */
RSP_API RSP_NODISCARD int rsp_sink_file(const struct rsp_env *env, const char *path, unsigned flags,
                                        struct rsp_sink **ret);

/* Takes all n bytes or fails; RSP_AGAIN never happens (a non-blocking descriptor is waited for). */
RSP_API RSP_NODISCARD int rsp_sink_write(struct rsp_sink *sink, const void *p, size_t n);

/* Makes everything durable and visible. Once; afterwards only free. */
RSP_API RSP_NODISCARD int rsp_sink_commit(struct rsp_sink *sink);

/* Gives everything up. Also what rsp_sink_free does to a sink that was not committed. */
RSP_API void rsp_sink_abort(struct rsp_sink *sink);

/* What a memory sink holds; lives until the next write or the free. RSP_EINVAL for other kinds. */
RSP_API int rsp_sink_view(struct rsp_sink *sink, struct rsp_span *view);

RSP_API uint64_t rsp_sink_written(const struct rsp_sink *sink);
RSP_API void rsp_sink_free(struct rsp_sink *sink);

/* Moves everything from source through stage (NULL: as it is) to sink. Neither commits nor frees.
 * RSP_AGAIN when a non-blocking source has nothing: call again. */
RSP_API RSP_NODISCARD int rsp_pump(struct rsp_source *source, struct rsp_stage *stage, struct rsp_sink *sink);

#ifdef __cplusplus
}
#endif
#endif
