/* What this is: the common part of every stage, for the files that make the kinds.
 * Rests on: respite/stage.h.
 * Does not: step: the kinds do. */
#ifndef IO_STAGE_IMPL_H
#define IO_STAGE_IMPL_H

#include <respite/stage.h>

struct stage_kind {
    const char *name;
    /* As rsp_stage_step; never called again after RSP_END or a fault. */
    int (*step)(struct rsp_stage *s, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op);
    void (*close)(struct rsp_stage *s); /* may be NULL; also called when the constructor gave up half way */
};

enum stage_state { STAGE_LIVE, STAGE_ENDED, STAGE_DEAD };

struct rsp_stage {
    const struct stage_kind *kind;
    const char *name;
    struct rsp_env env;
    size_t bytes; /* size of the whole object, for the allocator */
    enum stage_state state;
};

/* Makes a cleared object of bytes size (struct rsp_stage must be its first member); NULL is RSP_ENOMEM. */
void *stage_new(const struct rsp_env *env, const struct stage_kind *kind, size_t bytes);

#endif
