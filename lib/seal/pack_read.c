/* What this is: the plaintext of a pack file as a source; chunks are opened by a pool ahead of the reader.
 * Rests on: pack_read_impl.h.
 * Does not: tell of a fault before everything in front of it has been handed out. */
#include "seal/pack_read_impl.h"

/* ---- the pool's side ---- */

static int work(void *ctx, unsigned worker, const struct rsp_env *env, void *task)
{
    struct unpack *u = ctx;
    struct part *part = task;
    struct object_reader *r = &part->object->r;
    return object_chunk_open(env, r, part->chunk, part->object->bytes.p + r->chunks[part->chunk].stored_offset,
                             u->scratch[worker], part->p);
}

/* With the lock. 1 when the object is done with. */
static int part_done(struct part *part)
{
    return --part->object->parts == 0;
}

static int join(void *ctx, const struct rsp_env *env, void *task)
{
    struct unpack *u = ctx;
    struct part *part = task;
    struct packed *done = NULL;
    (void)env;
    pthread_mutex_lock(&u->lock);
    if (part_done(part)) done = part->object;
    part->next = NULL;
    *u->ready_end = part;
    u->ready_end = &part->next;
    pthread_cond_signal(&u->turn);
    pthread_mutex_unlock(&u->lock);
    if (done) packed_idle(u, done);
    return RSP_OK;
}

static void drop(void *ctx, void *task)
{
    struct unpack *u = ctx;
    struct part *part = task;
    struct packed *done = NULL;
    pthread_mutex_lock(&u->lock);
    if (part_done(part)) done = part->object;
    part->next = u->parts_spare;
    u->parts_spare = part;
    u->lost++;
    pthread_cond_signal(&u->turn);
    pthread_mutex_unlock(&u->lock);
    if (done) packed_idle(u, done);
}

/* ---- the reader's side ---- */

static int part_new(struct unpack *u, size_t n, struct part **ret)
{
    struct part *part;
    uint8_t *p;
    pthread_mutex_lock(&u->lock);
    part = u->parts_spare;
    if (part) u->parts_spare = part->next;
    pthread_mutex_unlock(&u->lock);
    if (!part && !(part = mem_zero(&u->env, sizeof *part))) return RSP_ENOMEM;
    *ret = part;
    part->n = n;
    if (part->cap >= n && part->p) return RSP_OK;
    mem_free(&u->env, part->p, part->cap);
    part->cap = n ? n : 1;
    p = part->p = mem_alloc(&u->env, part->cap);
    if (!p) part->cap = 0;
    return p ? RSP_OK : RSP_ENOMEM;
}

static void part_back(struct unpack *u, struct part *part)
{
    pthread_mutex_lock(&u->lock);
    part->next = u->parts_spare;
    u->parts_spare = part;
    pthread_mutex_unlock(&u->lock);
}

static int submit_chunk(struct unpack *u)
{
    struct packed *o = u->opening;
    struct part *part = NULL;
    int rc = part_new(u, o->r.chunks[u->next_chunk].plain, &part);
    if (rc) {
        if (part) part_back(u, part);
        return rc;
    }
    part->object = o;
    part->chunk = u->next_chunk++;
    pthread_mutex_lock(&u->lock);
    o->parts++;
    pthread_mutex_unlock(&u->lock);
    u->under_way++;
    return rsp_pool_submit(u->pool, part); /* a fault: the part has been dropped, and is counted so */
}

static void opening_done(struct unpack *u)
{
    struct packed *o = u->opening;
    int done;
    pthread_mutex_lock(&u->lock);
    done = --o->parts == 0;
    pthread_mutex_unlock(&u->lock);
    u->opening = NULL;
    if (done) packed_idle(u, o);
}

/* Keeps the pool busy. RSP_OK, or RSP_AGAIN when inner has nothing now. Faults and the end are noted for later. */
static int feed(struct unpack *u)
{
    while (!u->pending && u->under_way < u->ahead) {
        int rc;
        if (u->opening && u->next_chunk < u->opening->r.chunks_n) {
            rc = submit_chunk(u);
        } else {
            if (u->opening) opening_done(u);
            rc = unpack_object(u);
            if (rc == RSP_AGAIN) return rc;
        }
        if (rc) u->pending = rc; /* RSP_END too: nothing more is to come */
    }
    return RSP_OK;
}

/* Waits for the next part in order; NULL when none is under way, or the rest was dropped. */
static struct part *next_part(struct unpack *u)
{
    struct part *part;
    pthread_mutex_lock(&u->lock);
    while (!u->ready && u->lost < u->under_way) pthread_cond_wait(&u->turn, &u->lock);
    part = u->ready;
    if (part) {
        u->ready = part->next;
        if (!u->ready) u->ready_end = &u->ready;
    }
    pthread_mutex_unlock(&u->lock);
    if (part) u->under_way--;
    return part;
}

/* Nothing more can be handed out: why. */
static int finished(struct unpack *u)
{
    int rc = rsp_pool_finish(u->pool);
    const struct rsp_error *words = rc ? &u->pool_words : &u->words;
    if (!rc) rc = u->pending;
    if (rc < 0 && words->code && u->outer.error && !u->outer.error->code) *u->outer.error = *words;
    return rc;
}

static int unpack_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct unpack *u = opaque;
    for (;;) {
        int rc;
        if (u->current && u->current_at < u->current->n) {
            size_t n = u->current->n - u->current_at;
            if (n > cap) n = cap;
            memcpy(out, u->current->p + u->current_at, n);
            u->current_at += n;
            *got = n;
            return RSP_OK;
        }
        if (u->current) part_back(u, u->current);
        u->current = NULL;
        rc = feed(u);
        u->current = next_part(u);
        u->current_at = 0;
        if (u->current) continue;
        if (u->pending || u->lost) return finished(u);
        if (rc == RSP_AGAIN) return rc;
    }
}

static void unpack_free(struct unpack *u)
{
    struct rsp_env env = u->outer;
    rsp_pool_free(u->pool);
    if (u->current) part_back(u, u->current);
    *u->ready_end = u->parts_spare;
    for (struct part *p = u->ready, *next; p; p = next) {
        next = p->next;
        mem_free(&env, p->p, p->cap);
        mem_free(&env, p, sizeof *p);
    }
    packed_free(u, u->opening);
    packed_free(u, u->reading);
    for (struct packed *o = u->idle, *next; o; o = next) next = o->next, packed_free(u, o);
    for (unsigned i = 0; u->scratch && i < u->workers; i++) object_scratch_free(u->scratch[i]);
    mem_free(&env, u->scratch, u->workers * sizeof(struct object_scratch *));
    secret_free(u->key);
    pthread_cond_destroy(&u->turn);
    pthread_mutex_destroy(&u->lock);
    mem_free(&env, u, sizeof *u);
}

static void unpack_close(void *opaque)
{
    struct unpack *u = opaque;
    struct rsp_source *inner = u->inner;
    unpack_free(u);
    rsp_source_free(inner);
}

static int workers_new(struct unpack *u, unsigned threads)
{
    static const struct rsp_pool_ops ops = {sizeof ops, work, join, drop};
    struct rsp_env pool_env = u->env;
    u->workers = threads;
    u->ahead = threads * 2;
    u->scratch = mem_zero(&u->env, threads * sizeof(struct object_scratch *));
    if (!u->scratch) return RSP_ENOMEM;
    for (unsigned i = 0; i < threads; i++) {
        int rc = object_scratch_new(&u->env, &u->scratch[i]);
        if (rc) return rc;
    }
    pool_env.error = &u->pool_words; /* which fault is the earlier one is known only at the end */
    return rsp_pool_new(&pool_env, &ops, u, threads, u->ahead, &u->pool);
}

int rsp_source_unpack(const struct rsp_env *env, struct rsp_source *inner, struct rsp_identity *const *identities,
                      size_t n, unsigned threads, struct rsp_source **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, unpack_read, unpack_close};
    struct rsp_env e;
    struct unpack *u;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    rc = crypt_init(&e);
    if (rc) return rc;
    u = mem_zero(&e, sizeof *u);
    if (!u) return RSP_ENOMEM;
    u->outer = u->env = e;
    u->env.error = &u->words;
    u->inner = inner;
    u->name = rsp_source_name(inner);
    u->ready_end = &u->ready;
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->turn, NULL);
    u->key = secret_new(&u->env, KEY_BYTES);
    rc = u->key ? unpack_front(u, identities, n) : RSP_ENOMEM;
    if (!rc) rc = workers_new(u, threads ? threads : rsp_pool_processors());
    if (!rc) rc = rsp_source_custom(&e, &ops, u, u->name, ret);
    if (rc) {
        if (e.error && !e.error->code) *e.error = u->words.code ? u->words : u->pool_words;
        unpack_free(u);
    }
    return rc;
}
