/* What this is: many small objects, or many looks, at once.
 * Rests on: store_impl.h.
 * Does not: keep more than a window of answers in memory.
 *
 * Threads take the next name as they are free; the caller takes the answers in the order of the names. A place of the
 * window is free again when its answer was taken, so no more than `window` answers wait. */
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "store/store_impl.h"

#define PARALLEL_MOST 64
#define WINDOW 4 /* answers a thread may be ahead */

struct answer {
    int done, status;
    uint8_t *p;
    size_t n;
    struct rsp_store_item item;
    struct rsp_error words;
};

struct many {
    struct rsp_store *s;
    const char *const *names;
    size_t n, max, next, taken, window;
    int looks, stop;
    struct answer *answers; /* of name i: answers[i % window] */
    pthread_mutex_t lock;
    pthread_cond_t more, room;
};

static void ask(const struct many *m, size_t i, struct answer *a)
{
    struct rsp_env env = m->s->env;
    memset(a, 0, sizeof *a);
    env.error = &a->words;
    m->s->gets++;
    if (!store_name_ok(m->names[i])) a->status = fail(&env, RSP_EINVAL, m->s->url, "not the name of an object");
    else if (m->looks) a->status = m->s->kind->look(m->s, &env, m->names[i], &a->item);
    else a->status = m->s->kind->get(m->s, &env, m->names[i], m->max, &a->p, &a->n);
    a->item.name = m->names[i];
}

static void *work(void *arg)
{
    struct many *m = arg;
    pthread_mutex_lock(&m->lock);
    for (;;) {
        struct answer a;
        size_t i;
        while (!m->stop && m->next < m->n && m->next - m->taken >= m->window) pthread_cond_wait(&m->room, &m->lock);
        if (m->stop || m->next >= m->n) break;
        i = m->next++;
        pthread_mutex_unlock(&m->lock);
        ask(m, i, &a);
        pthread_mutex_lock(&m->lock);
        a.done = 1;
        m->answers[i % m->window] = a;
        pthread_cond_broadcast(&m->more);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

typedef int each_get(void *opaque, size_t i, int status, const uint8_t *p, size_t n);
typedef int each_look(void *opaque, size_t i, int status, const struct rsp_store_item *item);

/* The words of an answer are the store's while each looks at it. */
static int hand_over(const struct many *m, size_t i, struct answer *a, each_get *get, each_look *look, void *opaque)
{
    struct rsp_error *words = m->s->env.error, before = {0};
    int rc, mine = a->status < 0 && words;
    if (mine) {
        before = *words;
        *words = a->words;
    }
    rc = look ? look(opaque, i, a->status, &a->item) : get(opaque, i, a->status, a->p, a->n);
    if (mine && !rc) *words = before;
    if (a->p) rsp_store_release(m->s, a->p, a->n);
    a->p = NULL;
    return rc;
}

static int take(struct many *m, each_get *get, each_look *look, void *opaque)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < m->n && !rc; i++) {
        struct answer *a = &m->answers[i % m->window], now;
        pthread_mutex_lock(&m->lock);
        while (!a->done) pthread_cond_wait(&m->more, &m->lock);
        now = *a;
        a->done = 0;
        m->taken = i + 1;
        pthread_cond_broadcast(&m->room);
        pthread_mutex_unlock(&m->lock);
        rc = hand_over(m, i, &now, get, look, opaque);
    }
    return rc;
}

static void drop_rest(struct many *m)
{
    for (size_t i = 0; i < m->window; i++)
        if (m->answers[i].done && m->answers[i].p) rsp_store_release(m->s, m->answers[i].p, m->answers[i].n);
}

static int at_once(struct many *m, unsigned threads, each_get *get, each_look *look, void *opaque)
{
    pthread_t ids[PARALLEL_MOST];
    unsigned started = 0;
    int rc = RSP_OK;
    m->window = (size_t)threads * WINDOW;
    m->answers = mem_zero(&m->s->env, m->window * sizeof *m->answers);
    if (!m->answers) return RSP_ENOMEM;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->more, NULL);
    pthread_cond_init(&m->room, NULL);
    while (started < threads && !pthread_create(&ids[started], NULL, work, m)) started++;
    if (!started) rc = fail(&m->s->env, RSP_ENOMEM, NULL, "cannot start a thread");
    if (!rc) rc = take(m, get, look, opaque);
    pthread_mutex_lock(&m->lock);
    m->stop = 1;
    pthread_cond_broadcast(&m->room);
    pthread_mutex_unlock(&m->lock);
    for (unsigned i = 0; i < started; i++) pthread_join(ids[i], NULL);
    drop_rest(m);
    pthread_cond_destroy(&m->room);
    pthread_cond_destroy(&m->more);
    pthread_mutex_destroy(&m->lock);
    mem_free(&m->s->env, m->answers, m->window * sizeof *m->answers);
    return rc;
}

static unsigned threads_for(const struct rsp_store *s, size_t n)
{
    unsigned most = s->parallel < PARALLEL_MOST ? s->parallel : PARALLEL_MOST;
    return n < most ? (unsigned)n : most;
}

int rsp_store_get_many(struct rsp_store *s, const char *const *names, size_t n, size_t max, each_get *each,
                       void *opaque)
{
    struct many m = {.s = s, .names = names, .n = n, .max = max};
    unsigned threads = threads_for(s, n);
    int rc = RSP_OK;
    if (s->kind->get && threads > 1) return at_once(&m, threads, each, NULL, opaque);
    for (size_t i = 0; i < n && !rc; i++) {
        struct answer a = {0};
        struct rsp_error before = {0};
        if (s->env.error) before = *s->env.error;
        if (s->env.error) rsp_error_clear(s->env.error);
        a.status = rsp_store_get(s, names[i], max, &a.p, &a.n);
        rc = each(opaque, i, a.status, a.p, a.n);
        if (a.p) rsp_store_release(s, a.p, a.n);
        if (s->env.error && !rc) *s->env.error = before;
    }
    return rc;
}

int rsp_store_stat_many(struct rsp_store *s, const char *const *names, size_t n, each_look *each, void *opaque)
{
    struct many m = {.s = s, .names = names, .n = n, .looks = 1};
    unsigned threads = threads_for(s, n);
    int rc = RSP_OK;
    if (s->kind->look && threads > 1) return at_once(&m, threads, NULL, each, opaque);
    for (size_t i = 0; i < n && !rc; i++) {
        struct rsp_store_item item = {0};
        struct rsp_error before = {0};
        int status;
        if (s->env.error) before = *s->env.error;
        if (s->env.error) rsp_error_clear(s->env.error);
        status = rsp_store_stat(s, names[i], &item);
        rc = each(opaque, i, status, &item);
        if (s->env.error && !rc) *s->env.error = before;
    }
    return rc;
}
