/* What this is: reading and summing blocks, ahead in a thread when asked.
 * Rests on: feed.h, base/crc64.h, respite/source.h.
 * Does not: know what is in them. */
#include <pthread.h>
#include <string.h>

#include "base/crc64.h"
#include "base/mem.h"
#include "rdb/feed.h"

#define BLOCK_BYTES (512u << 10)

struct blocks {
    struct rsp_env env;
    struct rsp_error error; /* written by whichever thread fills blocks */
    struct rsp_source *source;
    size_t block_bytes;
    unsigned limit, made;
    int crc_wanted, threaded, started, stopping, ended;
    size_t waiting;       /* filled blocks that nobody has taken yet */
    struct rsp_span view; /* the whole file, when the source shows it */
    size_t view_at;
    struct block *all, *free, *filled, **filled_tail;
    struct block *filling; /* inline: the block that RSP_AGAIN interrupted */
    struct rsp_rdb_feed *feed;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a block became free or filled */
};

int blocks_new(const struct rsp_env *env, struct rsp_source *source, const struct rsp_rdb_feed_options *options,
               struct rsp_rdb_feed *feed, struct blocks **ret)
{
    struct blocks *b = mem_zero(env, sizeof *b);
    if (!b) return RSP_ENOMEM;
    b->env = *env;
    b->env.error = &b->error;
    b->source = source;
    b->feed = feed;
    b->block_bytes = options->block_bytes ? options->block_bytes : BLOCK_BYTES;
    b->limit = options->blocks ? options->blocks : 4;
    if (b->limit < 2) b->limit = 2;
    b->crc_wanted = !options->no_crc;
    b->threaded = options->readahead;
    b->filled_tail = &b->filled;
    if (rsp_source_view(source, &b->view) != RSP_OK) b->view.p = NULL;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    *ret = b;
    return RSP_OK;
}

static struct block *make_block(struct blocks *b)
{
    struct block *k = mem_zero(&b->env, sizeof *k);
    if (!k) return NULL;
    k->feed = b->feed;
    buf_init(&k->open_key, &b->env);
    return k;
}

/* Called with the lock held. */
static struct block *get_free(struct blocks *b)
{
    struct block *k = b->free;
    if (k) {
        b->free = k->next;
    } else if (b->made < b->limit) {
        k = make_block(b);
        if (k) b->made++;
    }
    return k;
}

static int reset(struct blocks *b, struct block *k)
{
    if (!b->view.p && !k->mem) {
        k->mem_n = BLOCK_FRONT + b->block_bytes;
        k->mem = mem_alloc(&b->env, k->mem_n);
        if (!k->mem) return RSP_ENOMEM;
    }
    k->next = NULL;
    k->new = b->view.p ? b->view.p + b->view_at : k->mem + BLOCK_FRONT;
    k->new_n = 0;
    k->status = RSP_OK;
    k->crc = 0;
    k->own_crc_known = 0;
    k->out.n = k->out.walks_n = 0;
    k->open_key.n = 0;
    return RSP_OK;
}

/* Reads until the block is full or the source ends. RSP_AGAIN, or RSP_OK with k->status set. */
static int fill(struct blocks *b, struct block *k)
{
    while (k->new_n < b->block_bytes) {
        size_t got = 0;
        int rc;
        if (b->view.p) {
            size_t left = b->view.n - b->view_at;
            k->new_n = left < b->block_bytes ? left : b->block_bytes;
            b->view_at += k->new_n;
            if (b->view_at == b->view.n) k->status = RSP_END;
            break;
        }
        rc = rsp_source_read(b->source, k->mem + BLOCK_FRONT + k->new_n, b->block_bytes - k->new_n, &got);
        if (rc == RSP_AGAIN) return rc;
        k->new_n += got;
        if (rc) {
            k->status = rc;
            break;
        }
    }
    blocks_settle(b, k);
    return RSP_OK;
}

void blocks_settle(struct blocks *b, struct block *k)
{
    if (k->status) b->ended = 1;
    b->filling = NULL;
}

/* A block to fill, or NULL when the thread is to stop. Called with the lock held. */
static struct block *wait_free(struct blocks *b)
{
    while (!b->stopping && !b->ended) {
        struct block *k;
        if (b->free || b->made < b->limit) {
            k = get_free(b);
            if (k) return k;
            break; /* no memory: the fault stands in the record */
        }
        pthread_cond_wait(&b->changed, &b->lock);
    }
    return NULL;
}

static void *run(void *opaque)
{
    struct blocks *b = opaque;
    struct block *k;
    pthread_mutex_lock(&b->lock);
    while ((k = wait_free(b)) != NULL) {
        int rc, behind = b->waiting > 0;
        pthread_mutex_unlock(&b->lock);
        rc = reset(b, k);
        if (!rc && fill(b, k) == RSP_AGAIN) { /* has no place here, but must not hang us */
            k->status = fail(&b->env, RSP_EINVAL, rsp_source_name(b->source),
                             "reading ahead needs a source that waits for its data");
        }
        if (!rc && behind && b->crc_wanted) { /* the one who takes blocks has enough to do: sum them here */
            k->own_crc = crc64(0, k->new, k->new_n);
            k->own_crc_known = 1;
        }
        pthread_mutex_lock(&b->lock);
        if (rc) { /* no memory: whoever waits for a block will run into it, too */
            k->next = b->free;
            b->free = k;
            break;
        }
        if (k->status) b->ended = 1;
        b->waiting++;
        *b->filled_tail = k;
        b->filled_tail = &k->next;
        pthread_cond_broadcast(&b->changed);
    }
    b->stopping = 1;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

static int next_inline(struct blocks *b, struct block **ret)
{
    struct block *k = b->filling;
    if (b->ended) return RSP_END;
    if (!k) {
        pthread_mutex_lock(&b->lock);
        while (!b->free && b->made == b->limit) pthread_cond_wait(&b->changed, &b->lock);
        k = get_free(b);
        pthread_mutex_unlock(&b->lock);
        if (!k) return RSP_ENOMEM;
        if (reset(b, k)) {
            blocks_release(b, k);
            return RSP_ENOMEM;
        }
    }
    *ret = k;
    if (fill(b, k) == RSP_AGAIN) {
        b->filling = k;
        return RSP_AGAIN;
    }
    return RSP_OK;
}

static int next_threaded(struct blocks *b, struct block **ret)
{
    struct block *k;
    if (!b->started) {
        if (pthread_create(&b->thread, NULL, run, b)) return fail(&b->env, RSP_ENOMEM, NULL, "cannot start a thread");
        b->started = 1;
    }
    pthread_mutex_lock(&b->lock);
    while (!b->filled && !b->stopping) pthread_cond_wait(&b->changed, &b->lock);
    k = b->filled;
    if (k) {
        b->waiting--;
        b->filled = k->next;
        if (!b->filled) b->filled_tail = &b->filled;
        k->next = NULL;
    }
    pthread_mutex_unlock(&b->lock);
    if (!k) { /* the thread has stopped: go on without it */
        pthread_join(b->thread, NULL);
        b->started = b->threaded = 0;
        return next_inline(b, ret);
    }
    *ret = k;
    return RSP_OK;
}

int blocks_next(struct blocks *b, struct block **ret)
{
    return b->threaded ? next_threaded(b, ret) : next_inline(b, ret);
}

void blocks_release(struct blocks *b, struct block *block)
{
    if (block->mem && block->mem_n != BLOCK_FRONT + b->block_bytes) { /* it had grown */
        mem_free(&b->env, block->mem, block->mem_n);
        block->mem = NULL;
    }
    pthread_mutex_lock(&b->lock);
    block->next = b->free;
    b->free = block;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void free_block(struct blocks *b, struct block *k)
{
    mem_free(&b->env, k->mem, k->mem_n);
    mem_free(&b->env, k->out.items, k->out.cap * sizeof *k->out.items);
    mem_free(&b->env, k->out.walks, k->out.walks_cap * sizeof *k->out.walks);
    buf_free(&k->open_key);
    mem_free(&b->env, k, sizeof *k);
}

static void free_list(struct blocks *b, struct block *k)
{
    while (k) {
        struct block *next = k->next;
        free_block(b, k);
        k = next;
    }
}

const struct rsp_error *blocks_error(const struct blocks *b)
{
    return &b->error;
}

void blocks_stop(struct blocks *b)
{
    if (!b->started) return;
    pthread_mutex_lock(&b->lock);
    b->stopping = 1;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void blocks_free(struct blocks *b)
{
    if (!b) return;
    blocks_stop(b);
    if (b->started) pthread_join(b->thread, NULL);
    free_list(b, b->free);
    free_list(b, b->filled);
    if (b->filling) free_block(b, b->filling);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->changed);
    mem_free(&b->env, b, sizeof *b);
}
