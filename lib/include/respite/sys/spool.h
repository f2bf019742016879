/* What this is: a byte store that lives in memory while it is small and in an unlinked temporary
 *   file when it grows; written once, then read from the start.
 * Rests on: env.h.
 * Does not: survive the process. No stable promise (sys). */
#ifndef RESPITE_SYS_SPOOL_H
#define RESPITE_SYS_SPOOL_H

#include <respite/env.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_spool;

/* tmpdir NULL: $TMPDIR, else /var/tmp, else /tmp. Nothing is opened before memory_bytes are full. */
RSP_API RSP_NODISCARD int rsp_spool_new(const struct rsp_env *env, const char *tmpdir, size_t memory_bytes,
                                        struct rsp_spool **ret);
RSP_API RSP_NODISCARD int rsp_spool_write(struct rsp_spool *spool, const void *p, size_t n);
RSP_API uint64_t rsp_spool_size(const struct rsp_spool *spool);
/* Reads at an absolute position: *got is less than cap only at the end. Writing may go on. */
RSP_API RSP_NODISCARD int rsp_spool_read(struct rsp_spool *spool, uint64_t offset, void *out, size_t cap, size_t *got);
/* Empties it for another use. */
RSP_API void rsp_spool_reset(struct rsp_spool *spool);
RSP_API void rsp_spool_free(struct rsp_spool *spool);

#ifdef __cplusplus
}
#endif
#endif
