/* What this is: the registry of hash templates.
 * Rests on: templates.h.
 * Does not: index an array by an id: ids come from the file and may be sparse. */
#include "rdb/templates.h"

#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"

#define BUCKETS 1024

/* One writer (the scan) only ever pushes fully built templates to the front of a list; readers
 * follow pointers that never change afterwards. So an atomic head per bucket is all it takes. */
struct rsp_rdb_templates {
    struct rsp_env env;
    _Atomic(struct rdb_template *) bucket[BUCKETS];
};

static size_t bucket_of(uint64_t id)
{
    return (size_t)((id * 0x9E3779B97F4A7C15ULL) >> 54);
}

int templates_new(const struct rsp_env *env, struct rsp_rdb_templates **ret)
{
    struct rsp_rdb_templates *t = mem_zero(env, sizeof *t);
    if (!t) return RSP_ENOMEM;
    t->env = *env;
    *ret = t;
    return RSP_OK;
}

const struct rdb_template *templates_find(const struct rsp_rdb_templates *t, uint64_t id)
{
    struct rdb_template *x;
    if (!t) return NULL;
    x = atomic_load_explicit(&t->bucket[bucket_of(id)], memory_order_acquire);
    while (x && x->id != id) x = x->next;
    return x;
}

int templates_add(struct rsp_rdb_templates *t, uint64_t id, const struct rsp_span *fields, size_t count)
{
    size_t bytes = sizeof(struct rdb_template), b = bucket_of(id);
    struct rdb_template *x;
    uint8_t *p;
    if (templates_find(t, id)) return RSP_EFORMAT;
    for (size_t i = 0; i < count; i++) bytes += sizeof(struct rsp_span) + fields[i].n;
    x = mem_alloc(&t->env, bytes);
    if (!x) return RSP_ENOMEM;
    x->id = id;
    x->count = count;
    x->bytes = bytes;
    x->fields = (struct rsp_span *)(x + 1);
    p = (uint8_t *)(x->fields + count);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].n) memcpy(p, fields[i].p, fields[i].n);
        x->fields[i].p = p;
        x->fields[i].n = fields[i].n;
        p += fields[i].n;
    }
    x->next = atomic_load_explicit(&t->bucket[b], memory_order_relaxed);
    atomic_store_explicit(&t->bucket[b], x, memory_order_release);
    return RSP_OK;
}

void templates_free(struct rsp_rdb_templates *t)
{
    if (!t) return;
    for (size_t i = 0; i < BUCKETS; i++) {
        struct rdb_template *x = atomic_load_explicit(&t->bucket[i], memory_order_relaxed);
        while (x) {
            struct rdb_template *next = x->next;
            mem_free(&t->env, x, x->bytes);
            x = next;
        }
    }
    mem_free(&t->env, t, sizeof *t);
}
