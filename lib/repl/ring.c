/* What this is: blocks between a writer and a reader, in memory and, past it, sealed in a nameless file.
 * Rests on: ring.h, base/mem.h, io/fdio.h, seal/crypt.h.
 * Does not: wait longer than it is told to. */
#include "repl/ring.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "io/fdio.h"
#include "seal/crypt.h"

#define SUBJECT "spool"
#define SEALED (RING_BLOCK + TAG_BYTES)
#define LOOK_MS 20 /* between two looks at cancel, and the longest that a part of a block lies unread */

struct block {
    struct block *next;
    uint8_t *p;              /* NULL: in the file */
    size_t n;                /* bytes in it; only the newest one grows */
    uint64_t place, counter; /* of the file: where, and the nonce */
    int busy;                /* on its way to the file: the reader waits */
};

struct ring {
    struct rsp_env env;
    char *dir;                     /* NULL: no spool */
    int fd;                        /* -1: not opened yet */
    uint8_t *key, *sealed, *plain; /* sealed: the writer's; opened: the reader's */
    uint8_t *opened;
    uint64_t counter, file_end;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t more, room;
    struct block *head, *tail, *free;
    size_t blocks, most;      /* of memory */
    size_t in_file;           /* blocks */
    size_t at;                /* read of head */
    size_t wanted;            /* bytes that the reader waits for; 0: it does not wait */
    const struct block *open; /* a block of the file whose bytes are in plain */
    uint64_t put, shown, read;
    int ended, status, stopped;
    struct rsp_error why;
    _Atomic uint64_t written, spooled;
};

static int condition_init(pthread_cond_t *c)
{
    pthread_condattr_t a;
    int err = pthread_condattr_init(&a);
    if (err) return err;
    err = pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    if (!err) err = pthread_cond_init(c, &a);
    pthread_condattr_destroy(&a);
    return err;
}

static int is_canceled(volatile const int *cancel)
{
    return cancel && __atomic_load_n(cancel, __ATOMIC_RELAXED);
}

static void wait_for(pthread_cond_t *c, pthread_mutex_t *lock, int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(c, lock, &t);
}

int ring_new(const struct rsp_env *env, size_t bytes, const char *spool, struct ring **ret)
{
    struct rsp_env e;
    struct ring *r;
    size_t most = bytes / RING_BLOCK + (bytes % RING_BLOCK != 0);
    *ret = NULL;
    env_init(&e, env);
    r = mem_zero(&e, sizeof *r);
    if (!r) return RSP_ENOMEM;
    r->env = e;
    r->env.error = NULL;
    r->fd = -1;
    r->most = most < RING_BLOCKS_LEAST ? RING_BLOCKS_LEAST : most;
    if (pthread_mutex_init(&r->lock, NULL) || condition_init(&r->more) || condition_init(&r->room)) {
        mem_free(&e, r, sizeof *r);
        return fail(&e, RSP_ENOMEM, NULL, "cannot make a lock");
    }
    if (spool) {
        int rc = crypt_init(&e);
        if (!rc && !(r->dir = mem_strdup(&e, spool))) rc = RSP_ENOMEM;
        if (!rc && !(r->key = secret_new(&e, KEY_BYTES))) rc = RSP_ENOMEM;
        if (!rc) rc = random_bytes(&e, r->key, KEY_BYTES);
        if (rc) {
            ring_free(r);
            return rc;
        }
    }
    *ret = r;
    return RSP_OK;
}

/* ---- the spool ---- */

static void nonce_of(uint8_t nonce[12], uint64_t counter)
{
    memset(nonce, 0, 12);
    store_le64(nonce + 4, counter);
}

static int scratch(const struct ring *r, const struct rsp_env *words, uint8_t **p, size_t n)
{
    if (!*p) *p = mem_alloc(&r->env, n);
    return *p ? RSP_OK : fail(words, RSP_ENOMEM, SUBJECT, "no memory for %zu bytes", n);
}

/* The newest block, which is full and which the reader has not begun, to the file: its memory is free for the next one.
 * The lock is not held: nobody else touches that block. */
static int spill(struct ring *r, const struct rsp_env *words, struct block *b)
{
    uint8_t nonce[12];
    uint64_t place;
    int rc = scratch(r, words, &r->sealed, SEALED);
    if (!rc && r->fd < 0) rc = tmpfile_open(words, r->dir, &r->fd);
    if (rc) return rc;
    pthread_mutex_lock(&r->lock);
    if (!r->in_file) r->file_end = 0; /* all of it was read: from the start again */
    place = r->file_end;
    pthread_mutex_unlock(&r->lock);
    nonce_of(nonce, r->counter);
    aead_seal(r->sealed, b->p, RING_BLOCK, nonce, r->key);
    rc = fd_pwrite_all(words, r->fd, SUBJECT, r->sealed, SEALED, place);
    if (rc) return trail(words, rc, "the server sends faster than the snapshot is stored");
    pthread_mutex_lock(&r->lock);
    b->place = place;
    b->counter = r->counter++;
    r->file_end = place + SEALED;
    r->in_file++;
    pthread_mutex_unlock(&r->lock);
    atomic_fetch_add(&r->spooled, RING_BLOCK);
    return RSP_OK;
}

/* A block of the file into r->plain, by the reader; the lock is not held. */
static int fetch(struct ring *r, const struct rsp_env *words, const struct block *b)
{
    uint8_t nonce[12];
    int rc = scratch(r, words, &r->opened, SEALED);
    if (!rc) rc = scratch(r, words, &r->plain, RING_BLOCK);
    if (!rc) rc = fd_pread_all(words, r->fd, SUBJECT, r->opened, SEALED, b->place);
    if (rc) return rc;
    nonce_of(nonce, b->counter);
    if (!aead_open(r->plain, r->opened, SEALED, nonce, r->key))
        return fail_at(words, RSP_EINTEGRITY, SUBJECT, b->place, "the spool does not hold what was written to it");
    /* Gives the space back where the file system can; where it cannot, the end of the run does. */
    (void)fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)b->place, (off_t)SEALED);
    return RSP_OK;
}

/* ---- the writer ---- */

/* Memory for one more block; the lock is held. NULL: none now. */
static struct block *fresh_block(struct ring *r)
{
    struct block *b = r->free;
    if (b) {
        r->free = b->next;
    } else {
        if (r->blocks >= r->most) return NULL;
        b = mem_zero(&r->env, sizeof *b);
        if (!b) return NULL;
        b->p = mem_alloc(&r->env, RING_BLOCK);
        if (!b->p) {
            mem_free(&r->env, b, sizeof *b);
            return NULL;
        }
        r->blocks++;
    }
    b->next = NULL;
    b->n = 0;
    return b;
}

static void append(struct ring *r, struct block *b)
{
    if (r->tail) r->tail->next = b;
    else r->head = b;
    r->tail = b;
}

/* The newest block goes to the file, and its memory behind it. */
static int make_room(struct ring *r, const struct rsp_env *words)
{
    struct block *full = r->tail, *b = mem_zero(&r->env, sizeof *b);
    int rc;
    if (!b) return fail(words, RSP_ENOMEM, SUBJECT, "no memory");
    rc = spill(r, words, full);
    if (rc) {
        mem_free(&r->env, b, sizeof *b);
        return rc;
    }
    pthread_mutex_lock(&r->lock);
    b->p = full->p;
    full->p = NULL;
    append(r, b);
    pthread_mutex_unlock(&r->lock);
    return RSP_OK;
}

static void no_longer_busy(struct ring *r, struct block *b)
{
    pthread_mutex_lock(&r->lock);
    b->busy = 0;
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
}

int ring_room(struct ring *r, const struct rsp_env *words, int64_t ms, uint8_t **p, size_t *cap)
{
    struct block *b, *full = NULL;
    int rc = RSP_OK, spilling = 0;
    pthread_mutex_lock(&r->lock);
    if (!r->stopped && (!r->tail || r->tail->n == RING_BLOCK)) {
        b = fresh_block(r);
        /* Two at least stand in the queue then, so the newest is not the one that is being read. */
        spilling = !b && r->dir && r->tail && r->tail != r->head && r->tail->p;
        if (!b && !spilling && !r->stopped && r->blocks) {
            wait_for(&r->room, &r->lock, ms);
            b = fresh_block(r);
        }
        if (b) append(r, b);
        else if (spilling) (full = r->tail)->busy = 1;
        else rc = r->blocks ? RSP_AGAIN : fail(words, RSP_ENOMEM, SUBJECT, "no memory for one block");
    }
    if (r->stopped) rc = RSP_ECANCELED;
    pthread_mutex_unlock(&r->lock);
    if (full) {
        if (!rc) rc = make_room(r, words);
        no_longer_busy(r, full);
    }
    if (rc) return rc;
    *p = r->tail->p + r->tail->n;
    *cap = RING_BLOCK - r->tail->n;
    return RSP_OK;
}

/* A server sends pieces of 16 KiB. A reader woken for each of them takes its processor from whoever else works: from the
 * server itself, where it runs on this machine. The lock is held. */
static int has_wanted(const struct ring *r)
{
    return r->wanted && r->shown - r->read >= r->wanted;
}

void ring_put(struct ring *r, size_t n, size_t hold)
{
    pthread_mutex_lock(&r->lock);
    r->tail->n += n;
    r->put += n;
    if (r->put >= hold && r->put - hold > r->shown) {
        r->shown = r->put - hold;
        if (has_wanted(r)) pthread_cond_signal(&r->more);
    }
    atomic_store_explicit(&r->written, r->put, memory_order_relaxed);
    pthread_mutex_unlock(&r->lock);
}

void ring_end(struct ring *r, int status, const struct rsp_error *why)
{
    pthread_mutex_lock(&r->lock);
    if (!r->ended) {
        r->ended = 1;
        r->status = status;
        if (why) r->why = *why;
    }
    pthread_cond_signal(&r->more);
    pthread_mutex_unlock(&r->lock);
}

/* ---- the reader ---- */

/* What ring_end said, with its words. */
static int tell_end(const struct ring *r, const struct rsp_env *words)
{
    if (r->status < 0 && words->error && !words->error->code) {
        *words->error = r->why;
        if (!words->error->code) words->error->code = r->status;
    }
    return r->status;
}

/* The oldest block was read; the lock is held. */
static void pop(struct ring *r)
{
    struct block *b = r->head;
    r->head = b->next;
    if (!r->head) r->tail = NULL;
    r->at = 0;
    r->open = NULL;
    if (b->p) {
        b->next = r->free;
        r->free = b;
        pthread_cond_signal(&r->room);
    } else {
        r->in_file--;
        mem_free(&r->env, b, sizeof *b);
    }
}

/* Waits for as much as can be given at once, or for less when it has lain for a while; the lock is held. */
static void wait_for_bytes(struct ring *r, size_t cap, volatile const int *cancel)
{
    int lain = 0;
    r->wanted = cap < RING_BLOCK - r->at ? cap : RING_BLOCK - r->at;
    while (!is_canceled(cancel)) {
        int busy = r->head && r->head->busy;
        if (!busy && (r->ended || has_wanted(r) || (lain && r->shown > r->read))) break;
        wait_for(&r->more, &r->lock, LOOK_MS);
        lain = 1;
    }
    r->wanted = 0;
}

int ring_read(struct ring *r, const struct rsp_env *words, volatile const int *cancel, uint8_t *out, size_t cap,
              size_t *got)
{
    struct block *b;
    const uint8_t *from;
    uint64_t n;
    int rc = RSP_OK;
    *got = 0;
    pthread_mutex_lock(&r->lock);
    wait_for_bytes(r, cap, cancel);
    if (is_canceled(cancel)) rc = fail(words, RSP_ECANCELED, NULL, "cancelled");
    else if (r->shown == r->read) rc = tell_end(r, words);
    b = r->head;
    n = r->shown - r->read;
    pthread_mutex_unlock(&r->lock);
    if (rc) return rc;
    /* The block stays where it is until it is popped: here, or spilled, which never happens to the oldest. */
    if (!b) return fail(words, RSP_ESTATE, SUBJECT, "bytes are told that are not there"); /* cannot be */
    if (!b->p && r->open != b) {
        rc = fetch(r, words, b);
        if (rc) return rc;
        r->open = b;
    }
    from = b->p ? b->p : r->plain;
    if (n > RING_BLOCK - r->at) n = RING_BLOCK - r->at;
    if (n > cap) n = cap;
    memcpy(out, from + r->at, (size_t)n);
    *got = (size_t)n;
    pthread_mutex_lock(&r->lock);
    r->at += (size_t)n;
    r->read += n;
    if (r->at == RING_BLOCK) pop(r);
    pthread_mutex_unlock(&r->lock);
    return RSP_OK;
}

void ring_stop(struct ring *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopped = 1;
    pthread_cond_signal(&r->room);
    pthread_mutex_unlock(&r->lock);
}

uint64_t ring_written(const struct ring *r)
{
    return atomic_load_explicit(&r->written, memory_order_relaxed);
}

uint64_t ring_spooled(const struct ring *r)
{
    return atomic_load_explicit(&r->spooled, memory_order_relaxed);
}

static void free_blocks(struct ring *r, struct block *b)
{
    while (b) {
        struct block *next = b->next;
        mem_free(&r->env, b->p, b->p ? RING_BLOCK : 0);
        mem_free(&r->env, b, sizeof *b);
        b = next;
    }
}

void ring_free(struct ring *r)
{
    struct rsp_env e;
    if (!r) return;
    e = r->env;
    free_blocks(r, r->head);
    free_blocks(r, r->free);
    mem_free(&e, r->sealed, SEALED);
    mem_free(&e, r->opened, SEALED);
    mem_free(&e, r->plain, RING_BLOCK);
    secret_free(r->key);
    if (r->dir) mem_free(&e, r->dir, strlen(r->dir) + 1);
    if (r->fd >= 0) close(r->fd);
    pthread_cond_destroy(&r->more);
    pthread_cond_destroy(&r->room);
    pthread_mutex_destroy(&r->lock);
    mem_free(&e, r, sizeof *r);
}
