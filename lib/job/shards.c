/* What this is: the threads of a backup's captures, and whoever watches over them.
 * Rests on: shards.h, repl/sync.h for the clock of waits.
 * Does not: capture (shard.c); ask where shards live (shards_where.c). */
#include "job/shards.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "repl/server_impl.h"

#define AT_ONCE 8u
#define RETRIES 3u
#define PATIENCE_MS 60000
#define RING_BYTES ((size_t)16 << 20) /* of all that are captured at the same time */
#define RING_LEAST ((size_t)1 << 20)
#define WATCH_MS 200

void shards_init(struct shards *all, struct backup *b, const struct rsp_place *place,
                 const struct rsp_backup_live_options *live_options)
{
    pthread_condattr_t attr;
    struct rsp_backup_live_options *o = &all->o;
    memset(all, 0, sizeof *all);
    all->env = b->env;
    all->b = b;
    all->given = place;
    memcpy(&all->place, place, place->size < sizeof all->place ? place->size : sizeof all->place);
    all->place.size = sizeof all->place;
    rsp_place_text(place, all->text, sizeof all->text);
    if (live_options) memcpy(o, live_options, live_options->size < sizeof *o ? live_options->size : sizeof *o);
    memcpy(&all->capture, &o->capture, o->capture.size < sizeof all->capture ? o->capture.size : sizeof all->capture);
    all->capture.size = sizeof all->capture;
    all->retries = !o->retries ? RETRIES : o->retries == (unsigned)-1 ? 0 : o->retries;
    if (place->kind == RSP_PLACE_SERVER) all->retries = 0; /* whoever named one server means that one */
    all->patience_ms = all->capture.patience_ms ? all->capture.patience_ms : PATIENCE_MS;
    if (all->patience_ms > SERVER_TIME_MOST) all->patience_ms = SERVER_TIME_MOST;
    pthread_mutex_init(&all->lock, NULL);
    pthread_mutex_init(&all->user, NULL);
    pthread_mutex_init(&all->beginning, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&all->change, &attr);
    pthread_condattr_destroy(&attr);
}

void shards_free(struct shards *all)
{
    shards_forget(all);
    pthread_cond_destroy(&all->change);
    pthread_mutex_destroy(&all->beginning);
    pthread_mutex_destroy(&all->user);
    pthread_mutex_destroy(&all->lock);
}

int64_t shards_skew_ms(const struct shards *all)
{
    int64_t first = 0, last = 0;
    for (size_t i = 0; i < all->n; i++) {
        int64_t t = all->shards[i].told.taken_ms;
        if (!t) continue;
        if (!first || t < first) first = t;
        if (t > last) last = t;
    }
    return last - first;
}

/* ---- the user's functions, one at a time ---- */

static void on_progress(void *opaque, uint64_t bytes)
{
    struct shard *s = opaque;
    struct shards *all = s->all;
    pthread_mutex_lock(&all->user);
    all->read = all->read - s->read + bytes;
    s->read = bytes;
    if (all->b->o.progress) all->b->o.progress(all->b->o.opaque, all->read);
    pthread_mutex_unlock(&all->user);
}

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct shard *s = opaque;
    struct shards *all = s->all;
    int rc;
    if (!all->b->o.found) return RSP_OK;
    pthread_mutex_lock(&all->user);
    rc = all->b->o.found(all->b->o.opaque, f);
    pthread_mutex_unlock(&all->user);
    return rc;
}

/* What all streams share, when it is known how many there are. */
static void share(struct shards *all)
{
    all->at_once = all->o.at_once ? all->o.at_once : AT_ONCE;
    if (all->at_once > all->n) all->at_once = (unsigned)all->n;
    backup_setup(all->b, all->at_once, &all->setup);
    all->setup.from_server = 1;
    all->setup.progress = on_progress;
    all->setup.found = on_finding;
    if (all->o.capture.ring_bytes) return;
    all->capture.ring_bytes = RING_BYTES / all->at_once;
    if (all->capture.ring_bytes < RING_LEAST) all->capture.ring_bytes = RING_LEAST;
}

/* ---- threads ---- */

static struct shard *next_waiting(struct shards *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->shards[i].state == SHARD_WAITING) return &all->shards[i];
    return NULL;
}

static void *work(void *opaque)
{
    struct shards *all = opaque;
    pthread_mutex_lock(&all->lock);
    while (!all->ended && !all->stop) {
        struct shard *s = next_waiting(all);
        int rc;
        if (!s) {
            pthread_cond_wait(&all->change, &all->lock);
            continue;
        }
        s->state = SHARD_UNDER_WAY;
        pthread_mutex_unlock(&all->lock);
        rc = shard_run(s);
        pthread_mutex_lock(&all->lock);
        s->rc = rc;
        if (!rc && s->again) {
            s->state = SHARD_WAITING; /* it was stored when it was found to live elsewhere */
        } else {
            s->state = rc ? SHARD_FAILED : SHARD_STORED;
            if (rc == RSP_AGAIN) all->moved = 1;
            else if (rc && !all->failed && !all->stop) all->failed = s;
        }
        pthread_cond_broadcast(&all->change);
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* The lock is held. */
static void stop_all(struct shards *all)
{
    all->stop = 1;
    for (size_t i = 0; i < all->n; i++) __atomic_store_n(&all->shards[i].cancel, 1, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&all->change);
}

static int all_in(const struct shards *all, int stored)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct shard *s = &all->shards[i];
        if (s->state != SHARD_STORED && (stored || s->state != SHARD_UNDER_WAY || !s->taken)) return 0;
    }
    return 1;
}

static void wait_change(struct shards *all)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += WATCH_MS * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000L;
    }
    (void)pthread_cond_timedwait(&all->change, &all->lock, &t);
}

/* Until all are stored and the map was the same behind the last one's moment. The lock is held. */
static int watch(struct shards *all)
{
    uint64_t looked = 0; /* at the map, when so many moments had been */
    for (;;) {
        int rc;
        if (is_canceled(all->b->o.cancel)) return fail(&all->env, RSP_ECANCELED, NULL, "cancelled");
        if (all->failed) return all->failed->rc;
        if (all->moved) return RSP_AGAIN;
        if (all->map && looked != all->moments && all_in(all, 0)) {
            looked = all->moments;
            pthread_mutex_unlock(&all->lock);
            rc = shards_look_after(all);
            pthread_mutex_lock(&all->lock);
            if (rc) return all->failed ? all->failed->rc : rc;
        } else if ((!all->map || looked == all->moments) && all_in(all, 1)) {
            return RSP_OK;
        } else {
            wait_change(all);
        }
    }
}

static int start(struct shards *all, pthread_t *ids, unsigned *n)
{
    sigset_t every, before;
    int err = 0;
    sigfillset(&every); /* signals are for the threads of whoever calls us */
    pthread_sigmask(SIG_SETMASK, &every, &before);
    for (*n = 0; *n < all->at_once && !err;) {
        err = pthread_create(&ids[*n], NULL, work, all);
        if (!err) (*n)++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return *n ? RSP_OK : fail(&all->env, RSP_ENOMEM, NULL, "cannot start a thread"); /* fewer do it too */
}

static int take_all(struct shards *all)
{
    unsigned n = 0;
    pthread_t *ids;
    int rc;
    share(all);
    ids = mem_alloc(&all->env, all->at_once * sizeof *ids);
    if (!ids) return RSP_ENOMEM;
    all->stop = all->ended = all->moved = 0;
    all->failed = NULL;
    rc = start(all, ids, &n);
    pthread_mutex_lock(&all->lock);
    if (!rc) rc = watch(all);
    if (rc) stop_all(all);
    all->ended = 1;
    pthread_cond_broadcast(&all->change);
    pthread_mutex_unlock(&all->lock);
    for (unsigned i = 0; i < n; i++) pthread_join(ids[i], NULL);
    mem_free(&all->env, ids, all->at_once * sizeof *ids);
    return rc;
}

/* ---- the whole ---- */

/* What another run meets too, until somebody changes something. */
static int is_lasting(int status)
{
    return status == RSP_EDENIED || status == RSP_EAUTH || status == RSP_EINVAL || status == RSP_EUNSUPPORTED ||
           status == RSP_ENOTFOUND;
}

/* The words of the shard that failed, and which it was. */
static int say_failed(struct shards *all)
{
    const struct shard *s = all->failed;
    if (all->env.error && s->words.code) *all->env.error = s->words;
    if (s->slots) (void)trail(&all->env, s->rc, "slots %.80s, %.100s", s->slots, s->told.place);
    if (s->source_fault)
        (void)trail(&all->env, s->rc, "nothing was committed%s", is_lasting(s->rc) ? "" : ": back up once more");
    return s->rc;
}

int shards_run(struct shards *all)
{
    for (unsigned round = 0;; round++) {
        int rc = shards_find(all);
        if (!rc) rc = take_all(all);
        if (rc != RSP_AGAIN) return rc && all->failed ? say_failed(all) : rc;
        if (round >= all->retries)
            return fail(&all->env, RSP_EBUSY, all->text,
                        "slots moved while they were captured, at last %s; nothing was committed: back up when the "
                        "resharding has ended",
                        all->moved_slots);
        if (all->o.told) all->o.told(all->o.opaque, 0, all->text, "slots moved: all shards are captured again");
        else
            log_line(&all->env, RSP_LOG_INFO, "%s: slots moved while they were captured (%s): all shards again",
                     all->text, all->moved_slots);
        for (size_t i = 0; i < all->n; i++) stream_job_drop(&all->shards[i].job);
        shards_forget(all);
        all->read = 0;
    }
}
