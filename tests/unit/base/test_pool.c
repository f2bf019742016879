/* What this is: tests of the pool: order, one join at a time, faults, dropping, no threads.
 * Rests on: libcheck. Meant to run under the thread sanitizer too.
 * Does not: measure. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/pool.h>

#undef fail /* check.h has a macro of this name */
#include "base/mem.h"

struct task {
    uint64_t number, result;
    int fault; /* 0, or what work (below 0) or join (above 0) makes of it */
};

struct job {
    uint64_t joined, dropped, next; /* only join and drop touch these, unguarded on purpose */
    int disorder;
    atomic_int inside, most_inside, works;
    unsigned threads;
    unsigned depth;
    atomic_uint alive; /* submitted, and neither joined nor dropped */
    atomic_int crowd;  /* more alive than depth allows */
};

static int work(void *ctx, unsigned worker, const struct rsp_env *env, void *arg)
{
    struct job *j = ctx;
    struct task *t = arg;
    uint64_t v = t->number;
    int in = atomic_fetch_add(&j->inside, 1) + 1, most = atomic_load(&j->most_inside);
    while (in > most && !atomic_compare_exchange_weak(&j->most_inside, &most, in)) {}
    if (worker >= (j->threads ? j->threads : 1)) atomic_store(&j->crowd, 100);
    for (uint64_t i = 0; i < 200 + t->number * 7919 % 3000; i++) v = v * 6364136223846793005u + 1;
    t->result = v | 1;
    atomic_fetch_add(&j->works, 1);
    atomic_fetch_sub(&j->inside, 1);
    if (t->fault < 0) return fail(env, t->fault, "task", "number %llu", (unsigned long long)t->number);
    return RSP_OK;
}

static void leave(struct job *j, struct task *t)
{
    if (t->number != j->next++) j->disorder = 1;
    atomic_fetch_sub(&j->alive, 1);
}

static int join(void *ctx, const struct rsp_env *env, void *arg)
{
    struct job *j = ctx;
    struct task *t = arg;
    int fault = t->fault;
    if (!t->result) j->disorder = 1;
    leave(j, t);
    j->joined++;
    free(t);
    return fault > 0 ? fail(env, RSP_EUSER, "join", "said no") : RSP_OK;
}

static void drop(void *ctx, void *arg)
{
    struct job *j = ctx;
    leave(j, arg);
    j->dropped++;
    free(arg);
}

static const struct rsp_pool_ops ops = {sizeof ops, work, join, drop};

static const struct {
    unsigned threads, depth;
} shapes[] = {
    {0, 1}, {0, 8}, {1, 1}, {1, 8}, {2, 1}, {2, 3}, {4, 8}, {8, 4}, {16, 64},
};
#define SHAPES (int)(sizeof shapes / sizeof *shapes)

static struct rsp_error error;
static struct rsp_env env = {.size = sizeof env, .error = &error};

static struct rsp_pool *start(struct job *j, int shape)
{
    struct rsp_pool *p;
    memset(j, 0, sizeof *j);
    rsp_error_clear(&error);
    j->threads = shapes[shape].threads;
    j->depth = shapes[shape].depth;
    ck_assert_int_eq(rsp_pool_new(&env, &ops, j, j->threads, j->depth, &p), RSP_OK);
    return p;
}

static int submit(struct job *j, struct rsp_pool *p, uint64_t number, int fault)
{
    struct task *t = calloc(1, sizeof *t);
    int rc;
    t->number = number;
    t->fault = fault;
    atomic_fetch_add(&j->alive, 1);
    rc = rsp_pool_submit(p, t);
    if (atomic_load(&j->alive) > j->depth) atomic_store(&j->crowd, 1);
    return rc;
}

START_TEST(order)
{
    struct job j;
    struct rsp_pool *p = start(&j, _i);
    for (uint64_t round = 0; round < 3; round++) { /* a finished pool goes on */
        for (uint64_t k = 0; k < 300; k++) ck_assert_int_eq(submit(&j, p, round * 300 + k, 0), RSP_OK);
        ck_assert_int_eq(rsp_pool_finish(p), RSP_OK);
        ck_assert_uint_eq(j.joined, (round + 1) * 300);
    }
    ck_assert_int_eq(j.disorder, 0);
    ck_assert_int_eq(atomic_load(&j.crowd), 0);
    ck_assert_uint_eq(j.dropped, 0);
    ck_assert_int_eq(error.code, 0);
    rsp_pool_free(p);
}
END_TEST

/* Exactly the tasks before the faulty one are joined, on every run, and its words are told. */
static void check_fault(int shape, int fault, const char *words)
{
    const uint64_t bad = 123;
    struct job j;
    struct rsp_pool *p = start(&j, shape);
    int want = fault < 0 ? fault : RSP_EUSER, rc = RSP_OK;
    for (uint64_t k = 0; k < 300; k++) {
        /* A later task faults too, at once: it must not be the one that is told. */
        rc = submit(&j, p, k, k == bad ? fault : k == bad + 2 ? RSP_EIO : 0);
        ck_assert(rc == RSP_OK || (rc == want && k >= bad));
    }
    ck_assert_int_eq(rc, want);
    ck_assert_int_eq(rsp_pool_finish(p), want);
    ck_assert_int_eq(submit(&j, p, 300, 0), want);
    ck_assert_uint_eq(j.joined, bad + (fault > 0)); /* a join that faults has had its task */
    ck_assert_uint_eq(j.joined + j.dropped, 301);
    ck_assert_int_eq(j.disorder, 0);
    ck_assert_int_eq(error.code, want);
    ck_assert_str_eq(error.message, words);
    rsp_pool_free(p);
    ck_assert_uint_eq(atomic_load(&j.alive), 0);
}

START_TEST(work_faults)
{
    check_fault(_i, RSP_EFORMAT, "number 123");
}
END_TEST

START_TEST(join_faults)
{
    check_fault(_i, 1, "said no");
}
END_TEST

/* Freed without finish: every task is joined or dropped, in order, and none is lost. */
START_TEST(free_early)
{
    struct job j;
    struct rsp_pool *p = start(&j, _i);
    for (uint64_t k = 0; k < 50; k++) ck_assert_int_eq(submit(&j, p, k, 0), RSP_OK);
    rsp_pool_free(p);
    ck_assert_uint_eq(j.joined + j.dropped, 50);
    ck_assert_int_eq(j.disorder, 0);
    ck_assert_uint_eq(atomic_load(&j.alive), 0);
}
END_TEST

START_TEST(unused)
{
    struct job j;
    struct rsp_pool *p = start(&j, _i);
    ck_assert_int_eq(rsp_pool_finish(p), RSP_OK);
    rsp_pool_free(p);
    rsp_pool_free(NULL);
}
END_TEST

struct meeting {
    pthread_mutex_t lock;
    pthread_cond_t all_here;
    int here;
};

/* Returns only once both tasks are inside: a pool that works them one after the other hangs. */
static int meet(void *ctx, unsigned worker, const struct rsp_env *e, void *task)
{
    struct meeting *m = ctx;
    (void)worker, (void)e, (void)task;
    pthread_mutex_lock(&m->lock);
    if (++m->here == 2) pthread_cond_broadcast(&m->all_here);
    while (m->here < 2) pthread_cond_wait(&m->all_here, &m->lock);
    pthread_mutex_unlock(&m->lock);
    return RSP_OK;
}
static int no_join(void *ctx, const struct rsp_env *e, void *task)
{
    (void)ctx, (void)e, (void)task;
    return RSP_OK;
}
static void no_drop(void *ctx, void *task)
{
    (void)ctx, (void)task;
}

START_TEST(parallel)
{
    static const struct rsp_pool_ops meet_ops = {sizeof meet_ops, meet, no_join, no_drop};
    struct meeting m = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    struct rsp_pool *p;
    ck_assert_int_eq(rsp_pool_new(&env, &meet_ops, &m, 2, 2, &p), RSP_OK);
    ck_assert_int_eq(rsp_pool_submit(p, &m), RSP_OK);
    ck_assert_int_eq(rsp_pool_submit(p, &m), RSP_OK);
    ck_assert_int_eq(rsp_pool_finish(p), RSP_OK);
    rsp_pool_free(p);
}
END_TEST

START_TEST(processors)
{
    ck_assert_uint_ge(rsp_pool_processors(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, order, 0, SHAPES);
    tcase_add_loop_test(t, work_faults, 0, SHAPES);
    tcase_add_loop_test(t, join_faults, 0, SHAPES);
    tcase_add_loop_test(t, free_early, 0, SHAPES);
    tcase_add_loop_test(t, unused, 0, SHAPES);
    tcase_add_test(t, parallel);
    tcase_add_test(t, processors);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
