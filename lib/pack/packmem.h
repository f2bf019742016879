/* What this is: what the compression stages share: env's allocator in the form that C libraries
 *   take, the bound on expansion, and the words for data that ends too early.
 * Rests on: base/mem.h.
 * Does not: know a format. */
#ifndef PACK_PACKMEM_H
#define PACK_PACKMEM_H

#include <stddef.h>
#include <stdint.h>

#include <respite/stage.h>

struct pack_mem {
    const struct rsp_env *env;
    int refused; /* an allocation went past env's alloc_bytes */
};
/* opaque is a struct pack_mem *. The libraries do not tell the size when they free, env's
 * allocator wants it: it stands before the block. */
void *pack_alloc(void *opaque, size_t n);
void *pack_zero(void *opaque, size_t n);
void pack_free(void *opaque, void *p);
/* The status behind a library's "out of memory": RSP_ELIMIT or RSP_ENOMEM. The words are there. */
int pack_no_memory(const struct pack_mem *mem);

struct pack_count {
    uint64_t in, out; /* bytes of the whole stream so far */
};
/* RSP_ELIMIT once out is past 64 MiB and more than expand_ratio times in. */
int pack_bound(const struct rsp_env *env, const char *name, const struct pack_count *count);
int pack_truncated(const struct rsp_env *env, const char *name, const struct pack_count *count);

#endif
