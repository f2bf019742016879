/* What this is: the growing buffer.
 * Rests on: buf.h.
 * Does not: shrink. */
#include "base/buf.h"

void buf_init(struct buf *b, const struct rsp_env *env)
{
    b->p = NULL;
    b->n = b->cap = 0;
    b->env = env;
}

int buf_reserve(struct buf *b, size_t more)
{
    size_t need, cap;
    uint8_t *p;
    if (more <= b->cap - b->n) return RSP_OK;
    if (more > SIZE_MAX - b->n || b->n + more > b->env->limits.alloc_bytes)
        return fail(b->env, RSP_ELIMIT, NULL, "a buffer of %zu bytes and %zu more would exceed the limit of %llu bytes",
                    b->n, more, (unsigned long long)b->env->limits.alloc_bytes);
    need = b->n + more;
    cap = b->cap < 256 ? 256 : b->cap;
    while (cap < need) cap = cap > SIZE_MAX / 2 ? need : cap + cap / 2 + 64;
    if (cap > b->env->limits.alloc_bytes) cap = (size_t)b->env->limits.alloc_bytes; /* need is within it */
    p = mem_resize(b->env, b->p, b->cap, cap);
    if (!p) return RSP_ENOMEM;
    b->p = p;
    b->cap = cap;
    return RSP_OK;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
    int rc = buf_reserve(b, n);
    if (rc) return rc;
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
    return RSP_OK;
}

void buf_free(struct buf *b)
{
    mem_free(b->env, b->p, b->cap);
    b->p = NULL;
    b->n = b->cap = 0;
}
