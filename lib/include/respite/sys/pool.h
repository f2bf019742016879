/* What this is: worker threads that do tasks in parallel and finish them in order.
 * Rests on: env.h.
 * Does not: know what a task is. No stable promise (sys). */
#ifndef RESPITE_SYS_POOL_H
#define RESPITE_SYS_POOL_H

#include <respite/env.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_pool;

/* work runs on any worker, several at a time; worker is 0..threads-1, env is that worker's own (its error
 * record is the worker's). join runs once per task, in the order of submission, one at a time, on
 * whatever thread finishes; it runs for every task whose work returned RSP_OK and for none after
 * the first fault. drop runs instead of join for the task whose work faulted and for all behind it; a
 * task whose join faulted has been joined. The env's allocator and log hook must be usable from several threads. */
struct rsp_pool_ops {
    size_t size;
    int (*work)(void *ctx, unsigned worker, const struct rsp_env *env, void *task);
    int (*join)(void *ctx, const struct rsp_env *env, void *task);
    void (*drop)(void *ctx, void *task);
};

/* threads 0: no threads at all, everything happens inside submit. At most depth tasks are under
 * way; submit waits for room. */
RSP_API RSP_NODISCARD int rsp_pool_new(const struct rsp_env *env, const struct rsp_pool_ops *ops, void *ctx,
                                       unsigned threads, unsigned depth, struct rsp_pool **ret);
/* RSP_OK, or the first fault of any task (its words are in the pool's env's record); a refused
 * task has been given to drop. */
RSP_API RSP_NODISCARD int rsp_pool_submit(struct rsp_pool *pool, void *task);
/* Waits until everything submitted has been joined or dropped; the first fault, or RSP_OK. */
RSP_API RSP_NODISCARD int rsp_pool_finish(struct rsp_pool *pool);
RSP_API void rsp_pool_free(struct rsp_pool *pool);

/* Processors that this process may use, at least 1. */
RSP_API unsigned rsp_pool_processors(void);

#ifdef __cplusplus
}
#endif
#endif
