/* What this is: worker threads over a ring of tasks that are joined in the order of submission.
 * Rests on: respite/sys/pool.h, pthreads.
 * Does not: keep a task: each one ends in exactly one call of join or drop. The task that faulted
 *   is dropped like those behind it. The env's allocator and log hook are used by all threads. */
#include <respite/sys/pool.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct slot {
    void *task;
    int done;
};

struct worker {
    struct rsp_pool *pool;
    struct rsp_env env;
    struct rsp_error error;
    unsigned number;
    pthread_t thread;
};

/* Tasks are numbered from 0. joined <= taken <= submitted, and submitted - joined <= depth;
 * task k lies in slot k % depth. */
struct rsp_pool {
    struct rsp_env env;
    struct rsp_pool_ops ops;
    void *ctx;
    unsigned threads; /* running */
    unsigned asked;   /* for how many workers has room */
    unsigned depth;
    struct slot *slots;
    struct worker *workers;

    pthread_mutex_t lock;
    pthread_cond_t work; /* a task to take, or quit */
    pthread_cond_t room; /* a slot is free, or joining is over: for the submitter alone */
    uint64_t submitted, taken, joined;
    unsigned idle; /* workers that wait for work */
    int waiting;   /* the submitter waits for room */
    int joining;   /* a thread runs join or drop, without the lock */
    int quit;

    /* The earliest task known to have faulted; UINT64_MAX when none has. Tasks before it are
     * still worked and joined, so that what has been joined does not depend on luck. */
    uint64_t fault_at;
    int fault;
    int fault_told; /* its words are in the pool's env's record */
    struct rsp_error fault_words;
};

static void note_fault(struct rsp_pool *p, uint64_t at, int rc, const struct rsp_error *words)
{
    if (at >= p->fault_at) return;
    p->fault_at = at;
    p->fault = rc;
    p->fault_words = *words;
}

/* With the lock: the fault, once every task before it has been joined. Its words go into the
 * caller's record here, on the caller's own thread. */
static int fault_of(struct rsp_pool *p)
{
    if (p->fault_at > p->joined) return RSP_OK;
    if (!p->fault_told) {
        p->fault_told = 1;
        if (p->env.error && !p->env.error->code) *p->env.error = p->fault_words;
    }
    return p->fault;
}

/* With the lock: joins or drops from the head on, unless another thread is at it. That thread
 * then sees what has become done meanwhile, for it looks again under the lock. */
static void join_ready(struct rsp_pool *p, const struct rsp_env *env)
{
    if (p->joining) return;
    p->joining = 1;
    while (p->joined < p->submitted && p->slots[p->joined % p->depth].done) {
        struct slot *s = &p->slots[p->joined % p->depth];
        int drop = p->joined >= p->fault_at, rc = RSP_OK;
        pthread_mutex_unlock(&p->lock);
        if (drop) p->ops.drop(p->ctx, s->task);
        else rc = p->ops.join(p->ctx, env, s->task);
        pthread_mutex_lock(&p->lock);
        s->done = 0;
        if (rc) {
            struct rsp_error none = {0};
            note_fault(p, p->joined, rc, env->error ? env->error : &none);
        }
        p->joined++;
        if (p->waiting) pthread_cond_signal(&p->room);
    }
    p->joining = 0;
    if (p->waiting) pthread_cond_signal(&p->room);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    struct rsp_pool *p = w->pool;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct slot *s;
        uint64_t k;
        int rc = RSP_OK;
        while (p->taken == p->submitted && !p->quit) {
            p->idle++;
            pthread_cond_wait(&p->work, &p->lock);
            p->idle--;
        }
        if (p->taken == p->submitted) break;
        k = p->taken++;
        s = &p->slots[k % p->depth];
        if (k < p->fault_at) {
            pthread_mutex_unlock(&p->lock);
            rsp_error_clear(&w->error);
            rc = p->ops.work(p->ctx, w->number, &w->env, s->task);
            pthread_mutex_lock(&p->lock);
        }
        if (rc) note_fault(p, k, rc, &w->error);
        s->done = 1;
        rsp_error_clear(&w->error); /* join writes into the same record */
        join_ready(p, &w->env);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* A pool without threads: work and join at once. The record is the caller's own. */
static int submit_inline(struct rsp_pool *p, void *task)
{
    int rc = p->fault;
    if (!rc) {
        rc = p->ops.work(p->ctx, 0, &p->env, task);
        if (!rc) {
            p->fault = p->ops.join(p->ctx, &p->env, task);
            return p->fault;
        }
        p->fault = rc;
    }
    p->ops.drop(p->ctx, task);
    return rc;
}

static void wait_room(struct rsp_pool *p)
{
    p->waiting = 1;
    pthread_cond_wait(&p->room, &p->lock);
    p->waiting = 0;
}

int rsp_pool_submit(struct rsp_pool *pool, void *task)
{
    struct rsp_pool *p = pool;
    struct slot *s;
    int rc;
    if (!p->threads) return submit_inline(p, task);
    pthread_mutex_lock(&p->lock);
    while (p->submitted - p->joined == p->depth) wait_room(p);
    if (p->fault_at != UINT64_MAX) {
        /* The task would be dropped anyway. All before it go first, so that join and drop are
         * never called by two threads at once, and the fault told is the earliest. */
        while (p->joined < p->submitted || p->joining) wait_room(p);
        rc = fault_of(p);
        pthread_mutex_unlock(&p->lock);
        p->ops.drop(p->ctx, task);
        return rc;
    }
    s = &p->slots[p->submitted % p->depth];
    s->task = task;
    s->done = 0;
    p->submitted++;
    if (p->idle) pthread_cond_signal(&p->work);
    pthread_mutex_unlock(&p->lock);
    return RSP_OK;
}

int rsp_pool_finish(struct rsp_pool *pool)
{
    struct rsp_pool *p = pool;
    int rc;
    if (!p->threads) return p->fault;
    pthread_mutex_lock(&p->lock);
    while (p->joined < p->submitted || p->joining) wait_room(p);
    rc = fault_of(p);
    pthread_mutex_unlock(&p->lock);
    return rc;
}

/* Starts workers with all signals blocked: the program's handlers run on its own threads. */
static int start(struct rsp_pool *p, unsigned threads)
{
    sigset_t all, old;
    int err = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (unsigned i = 0; i < threads && !err; i++) {
        struct worker *w = &p->workers[i];
        w->pool = p;
        w->env = p->env;
        w->env.error = &w->error;
        w->number = i;
        err = pthread_create(&w->thread, NULL, run, w);
        if (!err) p->threads++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (p->threads) return RSP_OK; /* fewer than asked for do as well */
    return fail_errno(&p->env, err, NULL, "cannot start a thread");
}

int rsp_pool_new(const struct rsp_env *env, const struct rsp_pool_ops *ops, void *ctx, unsigned threads, unsigned depth,
                 struct rsp_pool **ret)
{
    struct rsp_env e;
    struct rsp_pool *p;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    p = mem_zero(&e, sizeof *p);
    if (!p) return RSP_ENOMEM;
    p->env = e;
    p->ctx = ctx;
    p->depth = depth ? depth : 1;
    p->asked = threads;
    p->fault_at = UINT64_MAX;
    memcpy(&p->ops, ops, ops->size < sizeof p->ops ? ops->size : sizeof p->ops);
    if (!p->ops.work || !p->ops.join || !p->ops.drop) {
        mem_free(&e, p, sizeof *p);
        return fail(&e, RSP_EINVAL, NULL, "a pool needs functions to work, join and drop");
    }
    if (!threads) {
        *ret = p;
        return RSP_OK;
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->room, NULL);
    rc = RSP_ENOMEM;
    p->slots = mem_zero(&e, p->depth * sizeof *p->slots);
    p->workers = p->slots ? mem_zero(&e, threads * sizeof *p->workers) : NULL;
    if (p->workers) rc = start(p, threads);
    if (rc == RSP_OK) {
        *ret = p;
        return RSP_OK;
    }
    pthread_cond_destroy(&p->room);
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    mem_free(&e, p->workers, threads * sizeof *p->workers);
    mem_free(&e, p->slots, p->depth * sizeof *p->slots);
    mem_free(&e, p, sizeof *p);
    return rc;
}

void rsp_pool_free(struct rsp_pool *pool)
{
    struct rsp_pool *p = pool;
    struct rsp_env env;
    if (!p) return;
    env = p->env;
    if (p->threads) {
        struct rsp_error none = {0};
        pthread_mutex_lock(&p->lock);
        if (p->joined < p->submitted) /* what has not been joined by now is dropped */
            note_fault(p, p->joined + (p->joining ? 1 : 0), RSP_ECANCELED, &none);
        p->quit = 1;
        pthread_cond_broadcast(&p->work);
        pthread_mutex_unlock(&p->lock);
        for (unsigned i = 0; i < p->threads; i++) pthread_join(p->workers[i].thread, NULL);
        pthread_cond_destroy(&p->room);
        pthread_cond_destroy(&p->work);
        pthread_mutex_destroy(&p->lock);
        mem_free(&env, p->workers, p->asked * sizeof *p->workers);
        mem_free(&env, p->slots, p->depth * sizeof *p->slots);
    }
    mem_free(&env, p, sizeof *p);
}

unsigned rsp_pool_processors(void)
{
    cpu_set_t set;
    long n;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        int count = CPU_COUNT(&set);
        if (count > 0) return (unsigned)count;
    }
    n = sysconf(_SC_NPROCESSORS_ONLN); /* more processors than a cpu_set_t holds */
    return n > 0 ? (unsigned)n : 1;
}
