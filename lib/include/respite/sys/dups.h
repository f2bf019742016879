/* What this is: finding equal 64-bit hashes among any number of them within a memory budget, by
 *   hash partitions that spill to an unlinked temporary file.
 * Rests on: env.h.
 * Does not: know what was hashed: the caller confirms each candidate. No stable promise (sys). */
#ifndef RESPITE_SYS_DUPS_H
#define RESPITE_SYS_DUPS_H

#include <respite/env.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_dups;

/* memory_bytes: budget for everything (at least 1 MiB). tmpdir as in spool.h. */
RSP_API RSP_NODISCARD int rsp_dups_new(const struct rsp_env *env, const char *tmpdir, size_t memory_bytes,
                                       struct rsp_dups **ret);
/* Adds count hashes. They must be well mixed (a keyed hash). One thread at a time. */
RSP_API RSP_NODISCARD int rsp_dups_add(struct rsp_dups *dups, const uint64_t *hashes, size_t count);
/* Calls found for each hash value that was added more than once, once per value, times = how
 * often. Consumes what was added; the object may be used again. */
RSP_API RSP_NODISCARD int rsp_dups_find(struct rsp_dups *dups, int (*found)(void *ctx, uint64_t hash, uint64_t times),
                                        void *ctx);
RSP_API uint64_t rsp_dups_count(const struct rsp_dups *dups);
RSP_API void rsp_dups_free(struct rsp_dups *dups);

#ifdef __cplusplus
}
#endif
#endif
