/* What this is: keys and other strings of a batch as text.
 * Rests on: str.h, enc/lzf.h.
 * Does not: read values (value.c). */
#include "base/mem.h"
#include "enc/lzf.h"
#include "rdb/str.h"

#include <respite/sys/rdb_batch.h>

static int scratch_room(const struct rsp_env *env, struct rsp_scratch *s, uint64_t n)
{
    uint8_t *p;
    size_t cap = s->n ? s->n : 64;
    if (n <= s->n) return RSP_OK;
    if (n > env->limits.alloc_bytes)
        return fail(env, RSP_ELIMIT, NULL, "a string of %llu bytes exceeds the limit", (unsigned long long)n);
    while (cap < n) cap *= 2;
    p = mem_resize(env, s->p, s->n, cap);
    if (!p) return RSP_ENOMEM;
    s->p = p;
    s->n = cap;
    return RSP_OK;
}

static int any_string(const struct rsp_env *env, const struct rsp_rdb_batch *batch, uint32_t at,
                      struct rsp_scratch *scratch, struct rsp_span *text)
{
    const uint8_t *p = batch->p + at;
    size_t avail = batch->n - at;
    struct rdb_str s;
    int rc;
    if (str_head(p, avail, &s) <= 0 || s.body > avail - s.head)
        return fail_at(env, RSP_EFORMAT, NULL, batch->offset + at, "not a string");
    if (s.enc == RSP_STR_RAW) {
        text->p = p + s.head;
        text->n = (size_t)s.n;
        return RSP_OK;
    }
    if (s.enc == RSP_STR_LZF && !lzf_plausible(s.body, s.n))
        return fail_at(env, RSP_EFORMAT, NULL, batch->offset + at,
                       "the LZF string claims more bytes than its compressed form can hold");
    rc = scratch_room(env, scratch, s.enc == RSP_STR_INT ? I64_TEXT : s.n ? s.n : 1);
    if (rc) return rc;
    text->p = scratch->p;
    if (s.enc == RSP_STR_INT) {
        text->n = i64_text((char *)scratch->p, str_int(p + s.head, s.body));
        return RSP_OK;
    }
    text->n = (size_t)s.n;
    if (lzf_inflate((struct rsp_span){p + s.head, (size_t)s.body}, scratch->p, text->n, NULL))
        return fail_at(env, RSP_EFORMAT, NULL, batch->offset + at,
                       "the LZF string does not inflate to the length it claims");
    return RSP_OK;
}

int rsp_rdb_batch_string(const struct rsp_env *env, const struct rsp_rdb_batch *batch, uint32_t at,
                         struct rsp_scratch *scratch, struct rsp_span *text)
{
    const uint8_t *p = batch->p + at;
    size_t avail = batch->n - at;
    struct rsp_env full;
    if (avail && p[0] < 0x40 && p[0] < avail) { /* nearly all keys */
        text->p = p + 1;
        text->n = p[0];
        return RSP_OK;
    }
    env_init(&full, env); /* the caller's may have been filled in only in part */
    return any_string(&full, batch, at, scratch, text);
}

int rsp_rdb_batch_key(const struct rsp_env *env, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item,
                      struct rsp_scratch *scratch, struct rsp_span *key)
{
    const struct rsp_rdb_item *first = item; /* it may be in this batch, too */
    if (item >= batch->items && item < batch->items + batch->count)
        while (first > batch->items && !(first->flags & RSP_ITEM_FIRST)) first--;
    if (first->flags & RSP_ITEM_FIRST) return rsp_rdb_batch_string(env, batch, first->key, scratch, key);
    *key = batch->open_key;
    return RSP_OK;
}

void rsp_scratch_free(const struct rsp_env *env, struct rsp_scratch *scratch)
{
    struct rsp_env e;
    env_init(&e, env);
    mem_free(&e, scratch->p, scratch->n);
    scratch->p = NULL;
    scratch->n = 0;
}
