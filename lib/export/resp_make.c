/* What this is: the maker: workers, their chunks, and join.
 * Rests on: resp_impl.h, respite/sys/pool.h.
 * Does not: run them: rsp_rdb_run does. */
#include <pthread.h>

#include <respite/sys/pool.h>

#include "export/resp_impl.h"

#define KEEP_BYTES (16u << 20) /* larger buffers are not kept for the next task */

struct resp_maker {
    struct rsp_env env;
    struct resp_rules rules;
    struct resp_join *join;
    struct resp_worker **workers; /* each made by its own thread at first use */
    size_t workers_n;
    pthread_mutex_t lock; /* of free */
    struct resp_chunk *free;
};

static void chunk_env(struct resp_chunk *c, const struct rsp_env *env)
{
    c->out.env = c->ids.env = c->pieces.env = env;
}

static void chunk_free(struct resp_maker *m, struct resp_chunk *c)
{
    if (!c) return;
    chunk_env(c, &m->env);
    buf_free(&c->out), buf_free(&c->ids), buf_free(&c->pieces);
    mem_free(&m->env, c, sizeof *c);
}

/* Buffers wander from task to task, so that they need to grow only a few times. */
static struct resp_chunk *chunk_take(struct resp_maker *m, const struct rsp_env *env)
{
    struct resp_chunk *c;
    pthread_mutex_lock(&m->lock);
    c = m->free;
    if (c) m->free = c->next;
    pthread_mutex_unlock(&m->lock);
    if (!c) c = mem_zero(env, sizeof *c);
    if (!c) return NULL;
    chunk_env(c, env);
    c->next = NULL;
    c->out.n = c->ids.n = c->pieces.n = c->done = 0;
    c->uncopied = 0;
    c->fault = RSP_OK;
    return c;
}

static void chunk_give(struct resp_maker *m, struct resp_chunk *c)
{
    if (!c) return;
    if (c->out.cap > KEEP_BYTES) {
        chunk_free(m, c);
        return;
    }
    pthread_mutex_lock(&m->lock);
    c->next = m->free;
    m->free = c;
    pthread_mutex_unlock(&m->lock);
}

static int worker_of(struct resp_maker *m, unsigned n, const struct rsp_env *env, struct resp_worker **ret)
{
    struct resp_worker *w;
    int rc;
    *ret = NULL;
    if (n >= m->workers_n) return fail(env, RSP_ESTATE, NULL, "there is no worker %u", n);
    w = m->workers[n];
    if (!w) {
        w = mem_alloc(env, sizeof *w);
        if (!w) return RSP_ENOMEM;
        rc = resp_worker_init(w, &m->env, &m->rules);
        if (rc) {
            resp_report_words(env, &w->words, rc);
            resp_worker_free(w);
            mem_free(&m->env, w, sizeof *w);
            return rc;
        }
        m->workers[n] = w;
    }
    *ret = w;
    return RSP_OK;
}

int resp_maker_new(const struct rsp_env *env, const struct rsp_resp_options *options, struct resp_maker **ret)
{
    struct resp_maker *m;
    struct rsp_env full;
    unsigned threads;
    int rc;
    *ret = NULL;
    env_init(&full, env);
    m = mem_zero(&full, sizeof *m);
    if (!m) return RSP_ENOMEM;
    m->env = full;
    if (pthread_mutex_init(&m->lock, NULL)) {
        mem_free(&full, m, sizeof *m);
        return fail(&full, RSP_ENOMEM, NULL, "cannot make a lock");
    }
    rc = resp_rules_init(&m->rules, &m->env, options);
    threads = m->rules.o.run.threads ? m->rules.o.run.threads : rsp_pool_processors();
    m->workers_n = (size_t)threads + 1;
    if (!rc) {
        m->workers = mem_zero(&m->env, m->workers_n * sizeof *m->workers);
        rc = m->workers ? resp_join_new(&m->env, &m->rules, &m->join) : RSP_ENOMEM;
    }
    if (rc) {
        resp_maker_free(m);
        return rc;
    }
    *ret = m;
    return RSP_OK;
}

int resp_maker_work(struct resp_maker *m, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct resp_worker *w;
    struct resp_chunk *chunk;
    int rc = worker_of(m, worker, env, &w);
    if (rc) return rc;
    chunk = chunk_take(m, &w->env);
    if (!chunk) return resp_report_words(env, &w->words, RSP_ENOMEM);
    task->result = chunk;
    resp_format(w, chunk, task);
    return RSP_OK; /* a fault is join's to tell, behind the records before it */
}

int resp_maker_join(struct resp_maker *m, const struct rsp_env *env, struct rsp_rdb_task *task,
                    int (*emit)(void *ctx, const struct resp_unit *unit), void *ctx)
{
    struct resp_chunk *chunk = task->result;
    int rc;
    task->result = NULL;
    chunk_env(chunk, resp_join_env(m->join));
    rc = resp_join_task(m->join, chunk, task, emit, ctx);
    chunk_give(m, chunk);
    return rc ? resp_report_words(env, resp_join_words(m->join), rc) : RSP_OK;
}

void resp_maker_drop(struct resp_maker *m, struct rsp_rdb_task *task)
{
    chunk_give(m, task->result);
    task->result = NULL;
}

void resp_maker_skip(struct resp_maker *m, uint64_t n)
{
    resp_join_skip(m->join, n);
}

void resp_maker_count(struct resp_maker *m)
{
    m->rules.counting = 1;
}

void resp_maker_report(const struct resp_maker *m, struct rsp_resp_report *report)
{
    resp_join_report(m->join, report);
}

void resp_maker_free(struct resp_maker *m)
{
    struct rsp_env env;
    if (!m) return;
    m->env.error = NULL; /* whose threads may be gone */
    env = m->env;
    while (m->free) {
        struct resp_chunk *c = m->free;
        m->free = c->next;
        chunk_free(m, c);
    }
    resp_join_free(m->join);
    for (size_t i = 0; m->workers && i < m->workers_n; i++) {
        if (!m->workers[i]) continue;
        resp_worker_free(m->workers[i]);
        mem_free(&env, m->workers[i], sizeof **m->workers);
    }
    mem_free(&env, m->workers, m->workers_n * sizeof *m->workers);
    pthread_mutex_destroy(&m->lock);
    mem_free(&env, m, sizeof *m);
}
