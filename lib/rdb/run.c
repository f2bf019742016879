/* What this is: a feed's batches through the pool, filtered on the way.
 * Rests on: sys/rdb_run.h, sys/pool.h, sys/filter.h.
 * Does not: look into values. */
#include <respite/sys/pool.h>
#include <respite/sys/rdb_run.h>

#include <string.h>

#include "base/mem.h"

struct task {
    struct rsp_rdb_task pub;
    struct task *next;
    uint8_t *verdicts;
    size_t verdicts_cap;
    int busy;
};

struct run {
    struct rsp_env env, judge_env; /* the second without a record: what it meets may be nothing */
    struct rsp_rdb_run_options o;
    const struct rsp_rdb_run_ops *ops;
    void *ctx;
    struct rsp_source *source;
    struct rsp_rdb_feed *feed;
    struct rsp_pool *pool;
    struct task *tasks;
    unsigned depth;
    struct rsp_scratch scratch; /* the feeding thread's */
    uint8_t open_verdict;       /* of the record in parts */
    uint64_t open_bytes, accepted;
    int limited;
};

static int cancelled(const struct run *r)
{
    return r->o.cancel && __atomic_load_n(r->o.cancel, __ATOMIC_RELAXED);
}

/* The record's verdict as far as it is known with this item. */
static int judge(struct run *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, uint8_t *verdict)
{
    struct rsp_key_facts f = {0};
    int rc, was_unsure = r->open_verdict == RSP_FILTER_UNSURE;
    if (!(i->flags & RSP_ITEM_FIRST)) {
        r->open_bytes += i->end - i->start;
        if (!was_unsure) {
            *verdict = r->open_verdict;
            return RSP_OK;
        }
    } else {
        r->open_bytes = i->end - i->start;
    }
    rc = rsp_rdb_batch_key(&r->judge_env, b, i, &r->scratch, &f.key);
    if (rc == RSP_EFORMAT) { /* a key that cannot be read is nobody's: whoever looks at records says so */
        *verdict = r->open_verdict = RSP_FILTER_ACCEPT;
        return RSP_OK;
    }
    if (rc) return fail(&r->env, rc, NULL, "cannot read a key");
    f.db = i->db;
    f.value_type = rsp_rdb_value_type(b->dialect, i->type);
    f.has_expire = (i->flags & RSP_ITEM_EXPIRE) != 0;
    f.expire_ms = i->expire_ms;
    f.size_bytes = r->open_bytes;
    f.size_known = (i->flags & RSP_ITEM_LAST) != 0;
    *verdict = r->open_verdict = (uint8_t)(r->o.filter ? rsp_filter_match(r->o.filter, &f) : RSP_FILTER_ACCEPT);
    if (*verdict == RSP_FILTER_ACCEPT && ((i->flags & RSP_ITEM_FIRST) || was_unsure)) r->accepted++;
    return RSP_OK;
}

static int judge_batch(struct run *r, struct task *t)
{
    const struct rsp_rdb_batch *b = t->pub.batch;
    int rc = RSP_OK;
    if (b->count > t->verdicts_cap) {
        uint8_t *v = mem_resize(&r->env, t->verdicts, t->verdicts_cap, b->count);
        if (!v) return RSP_ENOMEM;
        t->verdicts = v;
        t->verdicts_cap = b->count;
    }
    for (size_t i = 0; i < b->count && !rc; i++) {
        t->verdicts[i] = RSP_FILTER_ACCEPT;
        if (b->items[i].kind != RSP_RDB_KEY) continue;
        if (r->limited) {
            t->verdicts[i] = b->items[i].flags & RSP_ITEM_FIRST || r->open_verdict != RSP_FILTER_ACCEPT
                                 ? RSP_FILTER_REFUSE
                                 : RSP_FILTER_ACCEPT;
            continue;
        }
        rc = judge(r, b, &b->items[i], &t->verdicts[i]);
        if (r->o.limit && r->accepted == r->o.limit && (b->items[i].flags & RSP_ITEM_LAST)) r->limited = 1;
    }
    t->pub.verdicts = t->verdicts;
    return rc;
}

/* ---- the pool's side ---- */

static int work(void *ctx, unsigned worker, const struct rsp_env *env, void *task)
{
    struct run *r = ctx;
    struct task *t = task;
    if (cancelled(r)) return fail(env, RSP_ECANCELED, NULL, "cancelled");
    return r->ops->work(r->ctx, worker, env, &t->pub);
}

static void task_done(struct task *t)
{
    rsp_rdb_batch_release(t->pub.batch);
    t->pub.batch = NULL;
    __atomic_store_n(&t->pub.result, NULL, __ATOMIC_RELEASE);
    __atomic_store_n(&t->busy, 0, __ATOMIC_RELEASE);
}

static int join(void *ctx, const struct rsp_env *env, void *task)
{
    struct run *r = ctx;
    struct task *t = task;
    int rc = r->ops->join(r->ctx, env, &t->pub);
    task_done(t);
    return rc;
}

static void drop(void *ctx, void *task)
{
    struct run *r = ctx;
    struct task *t = task;
    r->ops->drop(r->ctx, &t->pub);
    task_done(t);
}

/* ---- the feeding thread ---- */

/* A task that is free. There are more tasks than batches, and a batch is released by task_done: when
 * feed_next has given a batch, some task has been done. */
static struct task *free_task(struct run *r)
{
    for (unsigned i = 0;; i = (i + 1) % r->depth)
        if (!__atomic_load_n(&r->tasks[i].busy, __ATOMIC_ACQUIRE)) return &r->tasks[i];
}

static int feed_all(struct run *r, int *file_fault)
{
    for (;;) {
        struct rsp_rdb_batch *b = NULL;
        struct task *t;
        int rc;
        if (cancelled(r)) return fail(&r->env, RSP_ECANCELED, NULL, "cancelled");
        rc = rsp_rdb_feed_next(r->feed, &b);
        if (rc == RSP_AGAIN) continue;
        if (rc) {
            *file_fault = rc < 0 && rc != RSP_ENOMEM;
            return rc == RSP_END ? RSP_OK : rc;
        }
        if (r->o.scanned && (rc = r->o.scanned(r->o.scanned_opaque, b)) != RSP_OK) {
            rsp_rdb_batch_release(b);
            return rc;
        }
        t = free_task(r);
        __atomic_store_n(&t->busy, 1, __ATOMIC_RELEASE);
        t->pub.batch = b;
        t->pub.verdicts = NULL;
        if (r->o.limit || (r->o.filter && !rsp_filter_empty(r->o.filter))) {
            rc = judge_batch(r, t);
            if (rc) {
                task_done(t);
                return rc;
            }
        }
        rc = rsp_pool_submit(r->pool, t);
        if (rc) return rc;
        if (r->o.progress) r->o.progress(r->o.progress_opaque, rsp_source_taken(r->source));
        if (r->limited) return RSP_OK;
    }
}

static int start(struct run *r, struct rsp_source *source)
{
    struct rsp_rdb_feed_options fo = {.size = sizeof fo, .readahead = 1};
    struct rsp_pool_ops po = {sizeof po, work, join, drop};
    unsigned threads = r->o.threads ? r->o.threads : rsp_pool_processors();
    int rc;
    r->depth = threads * 2 + 2;
    fo.blocks = r->depth + 2;
    r->depth = fo.blocks + 1;
    r->tasks = mem_zero(&r->env, r->depth * sizeof *r->tasks);
    if (!r->tasks) return RSP_ENOMEM;
    if (threads == 1) fo.readahead = 0;
    rc = rsp_rdb_feed_new(&r->env, source, &fo, &r->feed);
    if (!rc) rc = rsp_pool_new(&r->env, &po, r, threads == 1 ? 0 : threads, fo.blocks - 2, &r->pool);
    return rc;
}

/* Returns the source's fault behind a complete file (a wrong trailer of its compression), or RSP_OK. */
static int report(struct run *r, int fault, struct rsp_rdb_run_result *result)
{
    struct rsp_rdb_run_result out = {0};
    struct rsp_span rest = {NULL, 0};
    int rc = RSP_OK;
    out.size = result->size;
    out.feed.size = sizeof out.feed;
    rsp_rdb_feed_tell(r->feed, &out.feed);
    out.accepted = r->accepted;
    out.limited = r->limited;
    out.file_fault = fault;
    if (out.feed.key.p) {
        out.key_n = out.feed.key.n < sizeof out.key ? out.feed.key.n : sizeof out.key;
        memcpy(out.key, out.feed.key.p, out.key_n);
        out.feed.key.p = NULL; /* it goes with the feed; out.key stays */
    }
    if (out.feed.complete) rc = rsp_rdb_feed_rest(r->feed, sizeof out.trailing_bytes, &rest);
    if (out.feed.complete && rc == RSP_OK) {
        out.trailing = rest.n != 0;
        out.trailing_n = rest.n;
        if (rest.n) memcpy(out.trailing_bytes, rest.p, rest.n);
    }
    out.file_fault |= rc < 0;
    memcpy(result, &out, result->size < sizeof out ? result->size : sizeof out);
    return rc < 0 ? rc : RSP_OK;
}

/* While threads run, the caller's record is left to the source, which was made with it and may be read ahead by
 * a thread of the feed; all else writes to a record of the run's own. Now one of the two is the caller's. */
static void settle_words(struct rsp_error *user, const struct rsp_error *own, int was_clean, int rc)
{
    if (!user) return;
    if (!rc && was_clean) memset(user, 0, sizeof *user); /* of what was read ahead and never needed */
    if (rc < 0 && own->code && (own->code == rc || !user->code)) *user = *own;
}

static void clean(struct run *r)
{
    rsp_pool_free(r->pool);
    rsp_rdb_feed_free(r->feed);
    if (r->tasks)
        for (unsigned i = 0; i < r->depth; i++) mem_free(&r->env, r->tasks[i].verdicts, r->tasks[i].verdicts_cap);
    mem_free(&r->env, r->tasks, r->depth * sizeof *r->tasks);
    rsp_scratch_free(&r->env, &r->scratch);
}

int rsp_rdb_run(const struct rsp_env *env, struct rsp_source *source, const struct rsp_rdb_run_options *options,
                const struct rsp_rdb_run_ops *ops, void *ctx, struct rsp_rdb_run_result *result)
{
    struct run r = {0};
    struct rsp_error own = {0}, fault, *user;
    int rc, rc2 = RSP_OK, file_fault = 0, was_clean;
    env_init(&r.env, env);
    user = r.env.error;
    was_clean = user && !user->code;
    r.env.error = &own;
    r.judge_env = r.env;
    r.judge_env.error = NULL;
    if (options) memcpy(&r.o, options, options->size < sizeof r.o ? options->size : sizeof r.o);
    r.ops = ops;
    r.ctx = ctx;
    r.source = source;
    rc = start(&r, source);
    if (!rc) rc = feed_all(&r, &file_fault);
    /* The file's fault comes after everything before it has been joined: a fault of that goes first. */
    fault = own;
    if (file_fault) memset(&own, 0, sizeof own);
    if (r.pool) rc2 = rsp_pool_finish(r.pool);
    if (rc2) {
        rc = rc2;
        file_fault = 0;
    } else if (file_fault) {
        own = fault;
    }
    if (r.feed && result) {
        rc2 = report(&r, file_fault, result);
        if (!rc) rc = rc2;
    }
    clean(&r);
    settle_words(user, &own, was_clean, rc);
    return rc;
}
