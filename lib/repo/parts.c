/* What this is: an object of a store read in parts, some of which are fetched ahead by threads.
 * Rests on: copy_impl.h.
 * Does not: hash, or open anything.
 *
 * Part i lies in place i modulo the number of places; its thread may fill it once part i - places was taken. */
#include <pthread.h>
#include <string.h>

#include "repo/copy_impl.h"

#define THREADS_MOST 16

struct place {
    uint8_t *p;
    size_t n;
    int done, status;
};
struct parts {
    struct rsp_env env;
    struct rsp_store *store;
    char name[NAME_MAX_BYTES];
    uint64_t bytes, count, next, taken; /* parts: all, to be fetched, given back */
    struct place places[THREADS_MOST + 1];
    size_t places_n;
    size_t place_bytes;
    int stop, held; /* held: the caller looks at part `taken` */
    pthread_t thread[THREADS_MOST];
    unsigned threads;
    pthread_mutex_t lock;
    pthread_cond_t room, more;
};

static size_t part_bytes(const struct parts *p, uint64_t i)
{
    uint64_t left = p->bytes - i * PART_BYTES_READ;
    return left < PART_BYTES_READ ? (size_t)left : PART_BYTES_READ;
}

static int fetch(struct parts *p, uint64_t i, struct place *at)
{
    at->n = part_bytes(p, i);
    return rsp_store_read(p->store, p->name, i * PART_BYTES_READ, at->p, at->n);
}

static void *work(void *arg)
{
    struct parts *p = arg;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        struct place *at;
        uint64_t i;
        int rc;
        while (!p->stop && p->next < p->count && p->next - p->taken >= p->places_n)
            pthread_cond_wait(&p->room, &p->lock);
        if (p->stop || p->next >= p->count) break;
        i = p->next++;
        at = &p->places[i % p->places_n];
        pthread_mutex_unlock(&p->lock);
        rc = fetch(p, i, at);
        pthread_mutex_lock(&p->lock);
        at->status = rc;
        at->done = 1;
        if (rc) p->stop = 1;
        pthread_cond_broadcast(&p->more);
        if (rc) pthread_cond_broadcast(&p->room);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* As many as start; none at all is no fault: the caller reads. */
static void start(struct parts *p, unsigned threads)
{
    while (p->threads < threads && !pthread_create(&p->thread[p->threads], NULL, work, p)) p->threads++;
}

int parts_open(const struct rsp_env *env, struct rsp_store *store, const char *name, uint64_t bytes, unsigned threads,
               struct parts **ret)
{
    struct parts *p = mem_zero(env, sizeof *p);
    uint64_t most = threads && threads < THREADS_MOST ? threads : threads ? THREADS_MOST : 4;
    *ret = NULL;
    if (!p) return RSP_ENOMEM;
    p->env = *env;
    p->store = store;
    p->bytes = bytes;
    memcpy(p->name, name, strnlen(name, sizeof p->name - 1));
    p->count = bytes / PART_BYTES_READ + (bytes % PART_BYTES_READ != 0);
    if (most > p->count) most = p->count;
    p->places_n = most > 1 ? (size_t)most + 1 : 1;
    p->place_bytes = p->count > 1 ? PART_BYTES_READ : bytes ? (size_t)bytes : 1;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->room, NULL);
    pthread_cond_init(&p->more, NULL);
    for (size_t i = 0; i < p->places_n; i++) {
        p->places[i].p = mem_alloc(env, p->place_bytes);
        if (p->places[i].p) continue;
        parts_free(p);
        return RSP_ENOMEM;
    }
    if (most > 1) start(p, (unsigned)most);
    *ret = p;
    return RSP_OK;
}

static int next_alone(struct parts *p, struct rsp_span *view)
{
    struct place *at = &p->places[0];
    int rc = fetch(p, p->taken, at);
    if (rc) return rc;
    p->taken++;
    *view = (struct rsp_span){at->p, at->n};
    return RSP_OK;
}

int parts_next(struct parts *p, struct rsp_span *view)
{
    struct place *at;
    int rc;
    if (p->threads) pthread_mutex_lock(&p->lock);
    if (p->held) { /* the part given out before may be overwritten */
        p->places[p->taken % p->places_n].done = 0;
        p->taken++;
        p->held = 0;
        pthread_cond_broadcast(&p->room);
    }
    if (p->taken >= p->count) {
        if (p->threads) pthread_mutex_unlock(&p->lock);
        return RSP_END;
    }
    if (!p->threads) return next_alone(p, view);
    at = &p->places[p->taken % p->places_n];
    /* After a fault no thread takes a new part: one that was not begun will never be done. */
    while (!at->done && !(p->stop && p->next <= p->taken)) pthread_cond_wait(&p->more, &p->lock);
    rc = at->done ? at->status : RSP_EIO;
    p->held = !rc;
    *view = (struct rsp_span){at->p, at->n};
    pthread_mutex_unlock(&p->lock);
    return rc;
}

void parts_free(struct parts *p)
{
    struct rsp_env env;
    if (!p) return;
    env = p->env;
    pthread_mutex_lock(&p->lock);
    p->stop = 1;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads; i++) pthread_join(p->thread[i], NULL);
    for (size_t i = 0; i < p->places_n; i++)
        if (p->places[i].p) mem_free(&env, p->places[i].p, p->place_bytes);
    pthread_cond_destroy(&p->more);
    pthread_cond_destroy(&p->room);
    pthread_mutex_destroy(&p->lock);
    mem_free(&env, p, sizeof *p);
}
