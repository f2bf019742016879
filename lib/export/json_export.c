/* What this is: the JSON export: workers format, join writes.
 * Rests on: json_impl.h, respite/sys/rdb_run.h.
 * Does not: read RDB itself. */
#include <pthread.h>

#include <respite/sys/pool.h>

#include "export/json_impl.h"

#define KEEP_BYTES (16u << 20) /* larger buffers are not kept for the next task */

struct export
{
    struct rsp_env env;
    struct json_style style;
    struct json_join *join;
    struct json_worker **workers; /* each made by its own thread at first use */
    size_t workers_n;
    pthread_mutex_t lock; /* of free */
    struct json_chunk *free;
};

static void chunk_env(struct json_chunk *c, const struct rsp_env *env)
{
    c->out.env = c->side.env = c->pieces.env = env;
}

static void chunk_free(struct export *x, struct json_chunk *c)
{
    if (!c) return;
    chunk_env(c, &x->env);
    buf_free(&c->out), buf_free(&c->side), buf_free(&c->pieces);
    mem_free(&x->env, c, sizeof *c);
}

/* Buffers wander from task to task, so that they need to grow only a few times. */
static struct json_chunk *chunk_take(struct export *x, const struct rsp_env *env)
{
    struct json_chunk *c;
    pthread_mutex_lock(&x->lock);
    c = x->free;
    if (c) x->free = c->next;
    pthread_mutex_unlock(&x->lock);
    if (!c) c = mem_zero(env, sizeof *c);
    if (!c) return NULL;
    chunk_env(c, env);
    c->next = NULL;
    c->out.n = c->side.n = c->pieces.n = c->done = 0;
    c->fault = RSP_OK;
    return c;
}

static void chunk_give(struct export *x, struct json_chunk *c)
{
    if (!c) return;
    if (c->out.cap + c->side.cap > KEEP_BYTES) {
        chunk_free(x, c);
        return;
    }
    pthread_mutex_lock(&x->lock);
    c->next = x->free;
    x->free = c;
    pthread_mutex_unlock(&x->lock);
}

static int worker_of(struct export *x, unsigned n, const struct rsp_env *env, struct json_worker **ret)
{
    struct json_worker *w;
    int rc;
    *ret = NULL;
    if (n >= x->workers_n) return fail(env, RSP_ESTATE, NULL, "there is no worker %u", n);
    w = x->workers[n];
    if (!w) {
        w = mem_alloc(env, sizeof *w);
        if (!w) return RSP_ENOMEM;
        rc = json_worker_init(w, &x->env, &x->style);
        if (rc) {
            json_report(env, &w->words, rc);
            json_worker_free(w);
            mem_free(&x->env, w, sizeof *w);
            return rc;
        }
        x->workers[n] = w;
    }
    *ret = w;
    return RSP_OK;
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct export *x = ctx;
    struct json_worker *w;
    struct json_chunk *chunk;
    int rc = worker_of(x, worker, env, &w);
    if (rc) return rc;
    chunk = chunk_take(x, &w->env);
    if (!chunk) return json_report(env, &w->words, RSP_ENOMEM);
    task->result = chunk;
    json_format(w, chunk, task);
    return RSP_OK; /* a fault is join's to tell, behind the records before it */
}

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct export *x = ctx;
    struct json_chunk *chunk = task->result;
    int rc;
    task->result = NULL;
    chunk_env(chunk, json_join_env(x->join));
    rc = json_join_task(x->join, chunk, task);
    chunk_give(x, chunk);
    return rc ? json_report(env, json_join_words(x->join), rc) : RSP_OK;
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    chunk_give(ctx, task->result);
    task->result = NULL;
}

static int prepare(struct export *x, const struct rsp_json_options *options, struct rsp_sink *sink)
{
    unsigned threads = options->run.threads ? options->run.threads : rsp_pool_processors();
    if (options->bytes < RSP_JSON_UTF8 || options->bytes > RSP_JSON_BASE64)
        return fail(&x->env, RSP_EINVAL, NULL, "unknown form of bytes %d", options->bytes);
    json_text_init(&x->style.text);
    x->style.bytes = options->bytes;
    x->style.array = options->array;
    x->style.with_meta = options->with_meta;
    x->style.values_only = options->values_only;
    x->workers_n = (size_t)threads + 1;
    x->workers = mem_zero(&x->env, x->workers_n * sizeof *x->workers);
    if (!x->workers) return RSP_ENOMEM;
    return json_join_new(&x->env, &x->style, options->tmpdir, sink, &x->join);
}

static void release(struct export *x)
{
    while (x->free) {
        struct json_chunk *c = x->free;
        x->free = c->next;
        chunk_free(x, c);
    }
    json_join_free(x->join);
    for (size_t i = 0; x->workers && i < x->workers_n; i++) {
        if (!x->workers[i]) continue;
        json_worker_free(x->workers[i]);
        mem_free(&x->env, x->workers[i], sizeof **x->workers);
    }
    mem_free(&x->env, x->workers, x->workers_n * sizeof *x->workers);
}

int rsp_json_export(const struct rsp_env *env, struct rsp_source *source, const struct rsp_json_options *options,
                    struct rsp_sink *sink, struct rsp_rdb_run_result *result)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work, join, drop};
    struct rsp_json_options o;
    struct rsp_env full;
    struct export *x;
    int rc;
    env_init(&full, env);
    memset(&o, 0, sizeof o);
    if (options) memcpy(&o, options, options->size && options->size < sizeof o ? options->size : sizeof o);
    o.run.size = sizeof o.run;
    x = mem_zero(&full, sizeof *x);
    if (!x) return RSP_ENOMEM;
    x->env = full;
    if (pthread_mutex_init(&x->lock, NULL)) {
        mem_free(&full, x, sizeof *x);
        return fail(&full, RSP_ENOMEM, NULL, "cannot make a lock");
    }
    rc = prepare(x, &o, sink);
    if (!rc) rc = rsp_rdb_run(env, source, &o.run, &ops, x, result);
    if (!rc) rc = json_join_end(x->join);
    x->env.error = NULL; /* whose threads are gone */
    release(x);
    pthread_mutex_destroy(&x->lock);
    mem_free(&full, x, sizeof *x);
    return rc;
}
