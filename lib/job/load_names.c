/* What this is: the names of all records of all streams, in order, for whoever asks about keys before the first write.
 * Rests on: load_impl.h, base/bytes.h.
 * Does not: look into values. */
#include <string.h>

#include "base/bytes.h"
#include "job/load_impl.h"

struct names { /* of one batch: u32 database, u32 length, a byte of flags, the key */
    struct rsp_env env;
    struct buf b;
};
enum { GOES_ON = 1, EXPIRED = 2, EXPIRES = 4 }; /* GOES_ON: with the record before */

struct naming {
    struct load *x;
    uint64_t from, records;
    int counted; /* the record under way */
    int (*each)(void *ctx, const struct load_name *name);
    void *ctx;
};

static int add_key(struct buf *b, uint32_t db, struct rsp_span key, int flags)
{
    uint8_t head[9];
    int rc;
    if (key.n > UINT32_MAX) return RSP_ELIMIT;
    store_le32(head, db);
    store_le32(head + 4, (uint32_t)key.n);
    head[8] = (uint8_t)flags;
    rc = buf_add(b, head, sizeof head);
    return rc ? rc : buf_add(b, key.p, key.n);
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct naming *a = ctx;
    const struct rsp_resp_options *o = &a->x->o.resp;
    struct rsp_rdb_batch *b = task->batch;
    struct rsp_scratch scratch = {NULL, 0};
    struct names *names = mem_zero(env, sizeof *names);
    int rc = RSP_OK;
    (void)worker;
    if (!names) return RSP_ENOMEM;
    task->result = names;
    names->env = *env;
    buf_init(&names->b, env);
    for (size_t i = 0; i < b->count && !rc; i++) {
        const struct rsp_rdb_item *item = &b->items[i];
        struct rsp_span key;
        int expires = item->flags & RSP_ITEM_EXPIRE && o->ttl != RSP_TTL_PERSIST;
        int late = o->ttl == RSP_TTL_DROP_EXPIRED && item->flags & RSP_ITEM_EXPIRE && item->expire_ms <= o->now_ms;
        if (item->kind != RSP_RDB_KEY || (task->verdicts && task->verdicts[i] != RSP_FILTER_ACCEPT)) continue;
        rc = rsp_rdb_batch_key(env, b, item, &scratch, &key);
        /* What is left out counts as a record too. */
        if (!rc)
            rc = add_key(&names->b, load_map(a->x, item->db), key,
                         (item->flags & RSP_ITEM_FIRST ? 0 : GOES_ON) | (late ? EXPIRED : 0) | (expires ? EXPIRES : 0));
    }
    rsp_scratch_free(env, &scratch);
    return rc;
}

static void names_free(struct rsp_rdb_task *task, const struct rsp_env *env)
{
    struct names *names = task->result;
    if (!names) return;
    names->b.env = env;
    buf_free(&names->b);
    mem_free(env, names, sizeof *names);
    task->result = NULL;
}

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct naming *a = ctx;
    struct names *names = task->result;
    const uint8_t *p = names->b.p, *end = p + names->b.n;
    int rc = RSP_OK;
    while (p < end && !rc) {
        struct load_name name = {.db = load_le32(p), .key = {p + 9, load_le32(p + 4)}};
        int flags = p[8], again = flags & GOES_ON && a->counted;
        p += 9 + name.key.n;
        if (!(flags & GOES_ON)) a->counted = 0;
        if (again) continue;
        a->counted = 1;
        name.record = a->records++;
        name.flags = (flags & EXPIRED ? LOAD_NAME_EXPIRED : 0u) | (flags & EXPIRES ? LOAD_NAME_EXPIRES : 0u);
        if (name.record >= a->from) rc = a->each(a->ctx, &name);
    }
    names_free(task, env);
    return rc ? load_hand_on(a->x, env, rc) : RSP_OK;
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    names_free(task, &((struct naming *)ctx)->x->env);
}

static int one_stream(struct naming *a, size_t stream)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work, join, drop};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_rdb_run_options run;
    struct rsp_source *source = NULL;
    struct load *x = a->x;
    int rc = load_source(x, stream, &source);
    load_run_options(x, &run);
    run.filter = x->o.resp.run.filter;
    a->counted = 0;
    if (!rc) rc = rsp_rdb_run(&x->env, source, &run, &ops, a, &result);
    rsp_source_free(source);
    return rc;
}

int load_names(struct load *x, uint64_t from, int (*each)(void *ctx, const struct load_name *name), void *ctx)
{
    struct naming a = {.x = x, .from = from, .each = each, .ctx = ctx};
    int rc = RSP_OK;
    for (size_t i = 0; i < x->o.streams && !rc; i++) {
        if (from && load_base(x, i + 1) <= from) {
            a.records = load_base(x, i + 1);
            continue;
        }
        rc = one_stream(&a, i);
    }
    return rc;
}
