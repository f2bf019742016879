/* What this is: keys of a shard's stream that are none of its slots: looked for by the check's own threads.
 * Rests on: strays.h, respite/sys/filter.h for the slot of a key.
 * Does not: judge what they mean.
 *
 * A server whose slots are all its own has no such key. One that has: a slot's owner was changed by force, or it does not
 * serve the shard that it was asked for. */
#include "job/strays.h"

#include <string.h>

#include <respite/sys/filter.h>

#include "base/bytes.h"
#include "base/mem.h"

void strays_init(struct strays *s)
{
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
}

void strays_free(struct strays *s)
{
    pthread_mutex_destroy(&s->lock);
}

static void add(struct strays *s, struct rsp_span key, unsigned slot)
{
    pthread_mutex_lock(&s->lock);
    if (!s->keys++) {
        s->slot = slot;
        printable(s->first, sizeof s->first, key.p, key.n);
    }
    pthread_mutex_unlock(&s->lock);
}

/* A key that cannot be read is the check's matter. */
static int work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct strays *s = ctx;
    const struct rsp_rdb_batch *b = task->batch;
    struct rsp_scratch scratch = {NULL, 0};
    struct rsp_env quiet = *env;
    int rc = RSP_OK;
    (void)worker;
    quiet.error = NULL;
    for (size_t i = 0; i < b->count && rc != RSP_ENOMEM; i++) {
        struct rsp_span key;
        unsigned slot;
        if (b->items[i].kind != RSP_RDB_KEY || !(b->items[i].flags & RSP_ITEM_FIRST)) continue;
        rc = rsp_rdb_batch_key(&quiet, b, &b->items[i], &scratch, &key);
        if (rc) continue;
        slot = rsp_key_slot(key);
        if (!(s->slots[slot / 8] >> slot % 8 & 1)) add(s, key, slot);
    }
    rsp_scratch_free(env, &scratch);
    return rc == RSP_ENOMEM ? fail(env, rc, NULL, "cannot look at a key") : RSP_OK;
}

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    (void)ctx, (void)env, (void)task;
    return RSP_OK;
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    (void)ctx, (void)task;
}

const struct rsp_rdb_run_ops strays_ops = {sizeof strays_ops, work, join, drop};
