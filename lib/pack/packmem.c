/* What this is: what the compression stages share.
 * Rests on: packmem.h.
 * Does not: know a format. */
#include "pack/packmem.h"

#include <string.h>

#include "base/mem.h"

#define HEAD 16 /* keeps the alignment of malloc */
#define EXPAND_FREE ((uint64_t)64 << 20)

void *pack_alloc(void *opaque, size_t n)
{
    struct pack_mem *mem = opaque;
    const struct rsp_env *env = mem->env;
    uint8_t *p;
    if (n > SIZE_MAX - HEAD || n > env->limits.alloc_bytes) {
        mem->refused = 1;
        fail(env, RSP_ELIMIT, NULL, "compressed data asks for %zu bytes of memory; the limit is %llu", n,
             (unsigned long long)env->limits.alloc_bytes);
        return NULL;
    }
    p = mem_alloc(env, n + HEAD);
    if (!p) return NULL;
    n += HEAD;
    memcpy(p, &n, sizeof n);
    return p + HEAD;
}

void *pack_zero(void *opaque, size_t n)
{
    void *p = pack_alloc(opaque, n);
    if (p) memset(p, 0, n);
    return p;
}

void pack_free(void *opaque, void *p)
{
    uint8_t *block = p;
    size_t n;
    if (!block) return;
    block -= HEAD;
    memcpy(&n, block, sizeof n);
    mem_free(((struct pack_mem *)opaque)->env, block, n);
}

int pack_no_memory(const struct pack_mem *mem)
{
    return mem->refused ? RSP_ELIMIT : fail(mem->env, RSP_ENOMEM, NULL, "out of memory");
}

int pack_bound(const struct rsp_env *env, const char *name, const struct pack_count *count)
{
    if (count->out <= EXPAND_FREE || count->out / env->limits.expand_ratio <= count->in) return RSP_OK;
    return fail_at(env, RSP_ELIMIT, name, count->in, "%llu bytes expand to %llu; the limit is %llu : 1",
                   (unsigned long long)count->in, (unsigned long long)count->out,
                   (unsigned long long)env->limits.expand_ratio);
}

int pack_truncated(const struct rsp_env *env, const char *name, const struct pack_count *count)
{
    return fail_at(env, RSP_ETRUNCATED, name, count->in, "compressed data ends too early");
}
