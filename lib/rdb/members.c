/* What this is: the set of hashes: open addressing, grown at half full.
 * Rests on: members.h.
 * Does not: shrink before it is freed, but for sizes that only one record in a file has. */
#include "rdb/members.h"

#include <string.h>

#define LEAST 16
#define KEEP (1u << 16) /* slots that stay allocated from record to record */

void members_init(struct members *m, const struct rsp_env *env)
{
    memset(m, 0, sizeof *m);
    m->env = env;
}

void members_free(struct members *m)
{
    mem_free(m->env, m->slot, m->cap * sizeof *m->slot);
    m->slot = NULL;
    m->cap = m->used = m->n = 0;
}

int members_clear(struct members *m, uint64_t expected)
{
    size_t want = LEAST;
    while (want < KEEP && want / 2 < expected) want *= 2;
    if (m->cap > KEEP) members_free(m);
    if (m->cap < want) {
        members_free(m);
        m->slot = mem_alloc(m->env, want * sizeof *m->slot);
        if (!m->slot) return RSP_ENOMEM;
        m->cap = want;
    }
    memset(m->slot, 0, want * sizeof *m->slot);
    m->used = want;
    m->n = 0;
    return RSP_OK;
}

/* The slot of h, or the free one where it belongs. */
static struct sip128 *place(struct sip128 *slot, size_t used, struct sip128 h)
{
    size_t i = (size_t)h.lo & (used - 1);
    while ((slot[i].lo | slot[i].hi) && (slot[i].lo != h.lo || slot[i].hi != h.hi)) i = (i + 1) & (used - 1);
    return &slot[i];
}

static int grow(struct members *m)
{
    size_t used = m->used * 2;
    struct sip128 *slot = mem_zero(m->env, used * sizeof *slot);
    if (!slot) return RSP_ENOMEM;
    for (size_t i = 0; i < m->used; i++)
        if (m->slot[i].lo | m->slot[i].hi) *place(slot, used, m->slot[i]) = m->slot[i];
    mem_free(m->env, m->slot, m->cap * sizeof *m->slot);
    m->slot = slot;
    m->cap = m->used = used;
    return RSP_OK;
}

int members_add(struct members *m, struct sip128 h)
{
    struct sip128 *s;
    if (!(h.lo | h.hi)) h.hi = 1;
    if (m->n >= m->used / 2) {
        int rc = m->used ? grow(m) : members_clear(m, 0);
        if (rc) return rc;
    }
    s = place(m->slot, m->used, h);
    if (s->lo | s->hi) return RSP_END;
    *s = h;
    m->n++;
    return RSP_OK;
}
