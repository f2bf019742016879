/* What this is: the bytes of an upload on their way: while they are written, in a thread, or all at once at the end.
 * Rests on: dav_impl.h, sys/spool.h.
 * Does not: give them their name.
 *
 * All that is written goes to a spool as well, so that it can be sent again from its start: there is no other way. */
#include <string.h>
#include <time.h>

#include <respite/sys/spool.h>

#include "base/mem.h"
#include "store/dav_impl.h"

#define PIECE ((size_t)64 << 10) /* so much is waited for before it is sent */
#define TICK_MS 100
#define CHUNKED_TRIES 2 /* then a server, or what is before it, does not like bodies of unknown length */
#define FOLDER_TRIES 3  /* collections that vanish again and again */

static struct dav_store *store_of(struct dav_upload *u)
{
    return (struct dav_store *)u->u.store;
}

/* The lane's client looks at it from another thread. */
static void set_stop(struct dav_store *d, int stop)
{
    __atomic_store_n(&d->lane_stop, stop, __ATOMIC_RELAXED);
}

static int is_stopped(struct dav_store *d)
{
    return __atomic_load_n(&d->lane_stop, __ATOMIC_RELAXED);
}

static void pass_on(const struct rsp_env *env, const struct rsp_error *words)
{
    if (env->error && !env->error->code) *env->error = *words;
}

static int64_t since_boot_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void wait_tick(struct dav_upload *u)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += TICK_MS * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    pthread_cond_timedwait(&u->change, &u->lock, &t);
}

struct sending {
    struct dav_upload *u;
    const struct rsp_env *env;
};

static int read_spool(const struct sending *s, uint8_t *p, size_t cap, size_t *n)
{
    struct dav_upload *u = s->u;
    int rc = rsp_spool_read(u->spool, u->at, p, cap, n);
    if (rc) pass_on(s->env, &u->spool_words);
    else u->at += *n;
    return rc;
}

/* What libcurl asks for: what is there already, or what will be. */
static int next_bytes(void *opaque, uint8_t *p, size_t cap, size_t *n)
{
    const struct sending *s = opaque;
    struct dav_upload *u = s->u;
    struct dav_store *d = store_of(u);
    size_t least = cap < PIECE ? cap : PIECE;
    int64_t until = since_boot_ms() + d->idle_ms;
    int rc;
    *n = 0;
    atomic_store(&u->waiting, 1);
    pthread_mutex_lock(&u->lock);
    atomic_store(&u->waiting, 0);
    while (!u->finished && !is_stopped(d) && u->written - u->at < least && since_boot_ms() < until) wait_tick(u);
    if (u->started && is_stopped(d)) {
        rc = fail(s->env, RSP_ECANCELED, u->name, "the upload was given up");
    } else if (!u->finished && u->written == u->at) {
        u->idle = 1;
        rc = fail(s->env, RSP_ECANCELED, u->name, "nothing to send for too long");
    } else {
        rc = read_spool(s, p, cap, n);
    }
    pthread_mutex_unlock(&u->lock);
    return rc;
}

/* One PUT from the start; *known: its length was. */
static int put_once(struct dav_upload *u, struct dav_tries *t, struct http_reply *r, int *known)
{
    struct sending s = {u, &t->own};
    struct http_request q = {.method = "PUT", .url = (const char *)u->from.p, .read = next_bytes, .opaque = &s};
    struct http_field type = {"Content-Type", "application/octet-stream"};
    int rc;
    q.fields = &type;
    q.fields_n = 1;
    pthread_mutex_lock(&u->lock);
    *known = u->finished;
    q.length = u->finished ? u->written : UINT64_MAX;
    u->at = 0;
    u->idle = 0;
    pthread_mutex_unlock(&u->lock);
    u->begun = 1;
    rc = dav_try(store_of(u), t, &q, r);
    u->dead_net = rc == RSP_ENET || rc == RSP_ETIMEOUT;
    if (rc) return rc;
    if (r->status == 200 || r->status == 201 || r->status == 204) {
        u->sent = 1;
        return RSP_OK;
    }
    u->begun = t->again > 0;
    if (r->status == 404 || r->status == 409 || (!*known && (r->status == 411 || r->status == 417 || r->status == 501)))
        return RSP_OK;
    return dav_fault(store_of(u), &t->own, &q, r);
}

/* Until it is sent, or dav_send has to. */
static int stream(struct dav_upload *u)
{
    struct dav_tries t;
    struct http_reply r;
    int rc, known, idle;
    dav_tries_init(&t, store_of(u), &u->env);
    t.client = store_of(u)->lane;
    http_reply_init(&r, &t.own);
    do {
        rc = put_once(u, &t, &r, &known);
        pthread_mutex_lock(&u->lock);
        idle = u->idle;
        pthread_mutex_unlock(&u->lock);
        if (!rc || idle || (t.words.retryable && !known && t.again >= CHUNKED_TRIES)) {
            rc = RSP_OK;
            break;
        }
        rc = dav_again(&t, &r, rc);
    } while (!rc);
    http_reply_free(&r);
    return rc;
}

static void *stream_thread(void *arg)
{
    struct dav_upload *u = arg;
    int rc = stream(u);
    pthread_mutex_lock(&u->lock);
    u->status = rc;
    u->ended = 1;
    pthread_cond_broadcast(&u->change);
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

void dav_stream(struct dav_upload *u)
{
    struct dav_store *d = store_of(u);
    if (d->lane_taken || u->started) return;
    set_stop(d, 0);
    u->started = 1; /* before the thread looks at it */
    if (pthread_create(&u->thread, NULL, stream_thread, u)) u->started = 0;
    else d->lane_taken = 1;
}

int dav_stream_end(struct dav_upload *u, int stop)
{
    struct dav_store *d = store_of(u);
    if (!u->started) return RSP_OK;
    pthread_mutex_lock(&u->lock);
    if (!stop) u->finished = 1;
    if (stop) set_stop(d, 1);
    pthread_cond_broadcast(&u->change);
    while (!u->ended) {
        if (dav_cancelled(d)) set_stop(d, 1);
        wait_tick(u);
    }
    pthread_mutex_unlock(&u->lock);
    pthread_join(u->thread, NULL);
    u->started = 0;
    d->lane_taken = 0;
    set_stop(d, 0);
    return u->status;
}

int dav_send(struct dav_upload *u)
{
    struct dav_store *d = store_of(u);
    const struct rsp_env *env = &d->s.env;
    struct dav_tries t;
    struct http_reply r;
    int rc, known, vanished = 0;
    dav_tries_init(&t, d, env);
    http_reply_init(&r, &t.own);
    u->sent = 0;
    u->finished = 1;
    do {
        rc = dav_folders(d, env, u->name);
        if (rc) break;
        rc = put_once(u, &t, &r, &known);
        if (!rc && u->sent) break;
        dav_folders_forget(d);
        if (rc) {
            rc = dav_again(&t, &r, rc);
        } else if (++vanished == FOLDER_TRIES) {
            struct http_request q = {.method = "PUT", .url = (const char *)u->from.p};
            rc = dav_fault(d, env, &q, &r);
        }
    } while (!rc);
    http_reply_free(&r);
    return rc;
}
