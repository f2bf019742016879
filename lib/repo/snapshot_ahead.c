/* What this is: the chunks of a run of objects, opened and decompressed by workers ahead of whoever takes them.
 * Rests on: snapshot_impl.h, respite/sys/pool.h.
 * Does not: go on behind a fault; snapshot_chunks.c reads chunk by chunk. */
#include <pthread.h>

#include <respite/sys/pool.h>

#include "repo/snapshot_impl.h"

#define FETCH_FIRST (256u << 10)
#define FETCH_MOST (4u << 20)   /* stored bytes of one request, unless a single chunk has more */
#define AHEAD_BYTES (32u << 20) /* plaintext of slots beyond the fewest */

/* Stored bytes of one request: several chunks. Users are counted by the taking thread alone. */
struct part {
    struct part *next;
    uint8_t *p;
    size_t cap;
    unsigned users;
};
struct opened {
    struct opened *next;
    struct object_reader r;
    unsigned users;
    struct sha256 *sum; /* of its stored bytes; NULL: it is not read from its start */
    uint32_t summed;    /* chunks; under ahead's lock, and so whose turn it is with sum */
    const uint8_t *sha256;
};

enum { SLOT_BUSY, SLOT_DONE, SLOT_DROPPED };

struct slot {
    struct ahead *a;
    struct opened *o;
    struct part *part;
    uint32_t chunk;
    uint8_t *c, *m; /* its stored bytes, within part; room for its plaintext */
    size_t m_cap, plain, skip;
    int state;
};

struct ahead {
    struct rsp_env env, quiet; /* quiet: the workers' words go to error below until somebody is told */
    struct rsp_error error;
    struct object_run run;
    struct rsp_pool *pool;
    struct object_scratch **scratch; /* of each worker */
    unsigned threads;
    struct slot *slots;
    unsigned slots_n, head, count;
    struct slot *shown;
    pthread_mutex_t lock; /* over the slots' state, and whose turn it is */
    pthread_cond_t changed, turn;

    size_t object; /* the next to open */
    uint64_t from; /* plaintext of the run to pass over */
    struct opened *current, *opens;
    uint32_t chunk; /* the next, of current */
    struct part *part, *parts;
    uint32_t part_end; /* the first chunk that is not in part */
    size_t part_at, fetch_bytes;
};

/* Workers hash in the order of the chunks, each its own, while it is about to be read anyway. The pool takes tasks in
 * that order: whoever has the turn is at it, or has passed it on. */
static int sum_in_turn(struct ahead *a, const struct rsp_env *env, struct slot *s)
{
    struct opened *o = s->o;
    int rc;
    pthread_mutex_lock(&a->lock);
    while (o->summed != s->chunk) pthread_cond_wait(&a->turn, &a->lock);
    pthread_mutex_unlock(&a->lock);
    rc = sha256_add(o->sum, s->c, o->r.chunks[s->chunk].stored);
    if (!rc && s->chunk == o->r.chunks_n - 1) rc = object_signed(env, &o->r, o->sum, o->sha256);
    pthread_mutex_lock(&a->lock);
    o->summed++;
    pthread_cond_broadcast(&a->turn);
    pthread_mutex_unlock(&a->lock);
    return rc ? fail(env, rc, o->r.subject, "its stored bytes cannot be hashed") : RSP_OK; /* unless it was told */
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, void *task)
{
    struct ahead *a = ctx;
    struct slot *s = task;
    int rc = s->o->sum ? sum_in_turn(a, env, s) : RSP_OK;
    return rc ? rc : object_chunk_open(env, &s->o->r, s->chunk, s->c, a->scratch[worker], s->m);
}

static void settle(struct slot *s, int state)
{
    struct ahead *a = s->a;
    pthread_mutex_lock(&a->lock);
    s->state = state;
    pthread_cond_signal(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

static int join(void *ctx, const struct rsp_env *env, void *task)
{
    (void)ctx;
    (void)env;
    settle(task, SLOT_DONE);
    return RSP_OK;
}

static void drop(void *ctx, void *task)
{
    (void)ctx;
    settle(task, SLOT_DROPPED);
}

/* ---- objects and stored bytes ---- */

static void opened_free(struct ahead *a, struct opened *o)
{
    object_reader_close(&o->r);
    sha256_free(o->sum);
    mem_free(&a->env, o, sizeof *o);
}

/* Begins the sum of an object that is read from its start. Its env has no record: several threads use it. */
static int begin_sum(struct ahead *a, struct opened *o)
{
    struct rsp_env silent = a->env;
    int rc;
    silent.error = NULL;
    rc = sha256_new(&silent, &o->sum);
    if (!rc) rc = sha256_add(o->sum, o->r.ends, o->r.head.head_bytes);
    o->sha256 = a->run.refs[a->object].sha256;
    return rc ? fail(&a->env, rc, o->r.subject, "its stored bytes cannot be hashed") : RSP_OK;
}

/* Frees what no slot uses any more. */
static void sweep_opens(struct ahead *a)
{
    for (struct opened **at = &a->opens; *at;) {
        struct opened *o = *at;
        if (o->users || o == a->current) {
            at = &o->next;
            continue;
        }
        *at = o->next;
        opened_free(a, o);
    }
}

/* The object that holds the next chunk: RSP_END when there is none. */
static int need_object(struct ahead *a)
{
    struct opened *o;
    int rc;
    if (a->current && a->chunk < a->current->r.chunks_n) return RSP_OK;
    a->current = NULL;
    a->part = NULL;
    sweep_opens(a);
    while (a->object < a->run.refs_n && a->from && a->from >= a->run.refs[a->object].plain)
        a->from -= a->run.refs[a->object++].plain;
    if (a->object == a->run.refs_n) return RSP_END;
    o = mem_zero(&a->env, sizeof *o);
    if (!o) return RSP_ENOMEM;
    rc = run_object_open(&a->env, &a->run, a->object, !a->from, &o->r);
    if (!rc && !a->from) rc = begin_sum(a, o);
    if (rc) {
        opened_free(a, o);
        return rc;
    }
    o->next = a->opens;
    a->opens = a->current = o;
    a->object++;
    a->chunk = 0;
    while (a->from && a->from >= o->r.chunks[a->chunk].plain) a->from -= o->r.chunks[a->chunk++].plain;
    return RSP_OK;
}

static int get_part(struct ahead *a, size_t bytes, struct part **ret)
{
    struct part *p = a->parts;
    uint8_t *q;
    if (bytes > a->env.limits.alloc_bytes)
        return fail(&a->env, RSP_ELIMIT, a->current->r.subject, "a chunk of %zu bytes would exceed the limit of memory",
                    bytes);
    while (p && (p->users || p == a->part)) p = p->next;
    if (!p) {
        p = mem_zero(&a->env, sizeof *p);
        if (!p) return RSP_ENOMEM;
        p->next = a->parts;
        a->parts = p;
    }
    *ret = p;
    if (p->cap >= bytes) return RSP_OK;
    mem_free(&a->env, p->p, p->cap);
    p->p = NULL;
    p->cap = 0;
    q = mem_alloc(&a->env, bytes);
    if (!q) return RSP_ENOMEM;
    p->p = q;
    p->cap = bytes;
    return RSP_OK;
}

/* Stored bytes of the next chunk and of those behind it that one request may bring. */
static int need_part(struct ahead *a)
{
    const struct object_reader *r = &a->current->r;
    uint64_t from = r->chunks[a->chunk].stored_offset;
    uint32_t end = a->chunk;
    size_t bytes = 0;
    struct part *p = NULL;
    int rc;
    if (a->part && a->chunk < a->part_end) return RSP_OK;
    a->part = NULL;
    do bytes += r->chunks[end++].stored;
    while (end < r->chunks_n && bytes + r->chunks[end].stored <= a->fetch_bytes);
    rc = get_part(a, bytes, &p);
    if (rc || !p) return rc;
    rc = run_part_read(&a->env, &a->run, r->subject, from, p->p, bytes);
    if (rc) return rc;
    a->part = p;
    a->part_at = 0;
    a->part_end = end;
    if (a->fetch_bytes < FETCH_MOST) a->fetch_bytes *= 2;
    return RSP_OK;
}

/* ---- slots ---- */

static int need_room(struct ahead *a, struct slot *s, size_t n)
{
    if (s->m && s->m_cap >= n) return RSP_OK;
    mem_free(&a->env, s->m, s->m_cap);
    s->m_cap = 0;
    s->m = mem_alloc(&a->env, n ? n : 1);
    if (!s->m) return RSP_ENOMEM;
    s->m_cap = n ? n : 1;
    return RSP_OK;
}

/* Gives one more chunk to the workers. After a fault nothing has changed, and the same may be tried again. */
static int put_one(struct ahead *a)
{
    struct slot *s = &a->slots[(a->head + a->count) % a->slots_n];
    const struct object_chunk *k;
    int rc;
    if ((rc = need_object(a))) return rc;
    if ((rc = need_part(a))) return rc;
    k = &a->current->r.chunks[a->chunk];
    if ((rc = need_room(a, s, k->plain))) return rc;
    s->o = a->current;
    s->part = a->part;
    s->chunk = a->chunk;
    s->c = a->part->p + a->part_at;
    s->plain = k->plain;
    s->skip = (size_t)a->from;
    s->state = SLOT_BUSY;
    a->from = 0;
    a->part_at += k->stored;
    a->chunk++;
    s->o->users++;
    s->part->users++;
    a->count++;
    /* A refused task has been dropped: its slot tells, when its turn comes. */
    if (rsp_pool_submit(a->pool, s)) return RSP_END;
    return RSP_OK;
}

/* Fills the free slots. What fails while there is something to hand out is tried again when there is not, so that a
 * fault is told at its own place and only then. */
static int fill(struct ahead *a)
{
    struct rsp_error *words = a->env.error;
    int clean = words && !words->code, rc = RSP_OK;
    while (a->count < a->slots_n && (rc = put_one(a)) == RSP_OK) continue;
    if (rc >= 0) return RSP_OK;
    if (!a->count) return rc;
    if (clean) rsp_error_clear(words);
    return RSP_OK;
}

static void release(struct ahead *a)
{
    if (!a->shown) return;
    a->shown->o->users--;
    a->shown->part->users--;
    a->shown = NULL;
}

static int told(struct ahead *a)
{
    int rc = rsp_pool_finish(a->pool);
    struct rsp_error *words = a->env.error;
    if (words && !words->code) *words = a->error;
    return rc ? rc : RSP_ESTATE;
}

int ahead_next(struct ahead *a, struct rsp_span *view)
{
    struct slot *s;
    int rc, state;
    for (;;) {
        release(a);
        if ((rc = fill(a))) return rc;
        if (!a->count) return RSP_END;
        s = &a->slots[a->head];
        pthread_mutex_lock(&a->lock);
        while (s->state == SLOT_BUSY) pthread_cond_wait(&a->changed, &a->lock);
        state = s->state;
        pthread_mutex_unlock(&a->lock);
        if (state == SLOT_DROPPED) return told(a);
        a->head = (a->head + 1) % a->slots_n;
        a->count--;
        a->shown = s;
        if (s->plain == s->skip) continue;
        view->p = s->m + s->skip;
        view->n = s->plain - s->skip;
        return RSP_OK;
    }
}

/* ---- beginning and end ---- */

static unsigned slots_wanted(const struct ahead *a)
{
    unsigned n = a->threads * 2 + 1;
    return n > AHEAD_BYTES / CHUNK_DEFAULT && n > a->threads + 1 ? a->threads + 1 : n;
}

static int start(struct ahead *a)
{
    static const struct rsp_pool_ops ops = {sizeof ops, work, join, drop};
    a->slots_n = slots_wanted(a);
    a->slots = mem_zero(&a->env, a->slots_n * sizeof *a->slots);
    if (!a->slots) return RSP_ENOMEM;
    for (unsigned i = 0; i < a->slots_n; i++) a->slots[i].a = a;
    a->scratch = mem_zero(&a->env, a->threads * sizeof *a->scratch);
    if (!a->scratch) return RSP_ENOMEM;
    for (unsigned i = 0; i < a->threads; i++) {
        int rc = object_scratch_new(&a->env, &a->scratch[i]);
        if (rc) return rc;
    }
    return rsp_pool_new(&a->quiet, &ops, a, a->threads, a->slots_n, &a->pool);
}

int ahead_new(const struct rsp_env *env, const struct object_run *run, uint64_t from, unsigned threads,
              struct ahead **ret)
{
    struct ahead *a;
    int rc;
    *ret = NULL;
    a = mem_zero(env, sizeof *a);
    if (!a) return RSP_ENOMEM;
    a->env = a->quiet = *env;
    a->quiet.error = &a->error;
    a->run = *run;
    a->from = from;
    a->threads = threads ? threads : rsp_pool_processors();
    a->fetch_bytes = FETCH_FIRST;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    pthread_cond_init(&a->turn, NULL);
    rc = start(a);
    if (rc) {
        if (env->error && !env->error->code) *env->error = a->error;
        ahead_free(a);
        return rc;
    }
    *ret = a;
    return RSP_OK;
}

void ahead_free(struct ahead *a)
{
    struct rsp_env env;
    if (!a) return;
    env = a->env;
    rsp_pool_free(a->pool);
    for (unsigned i = 0; a->scratch && i < a->threads; i++) object_scratch_free(a->scratch[i]);
    mem_free(&env, a->scratch, a->threads * sizeof *a->scratch);
    for (unsigned i = 0; a->slots && i < a->slots_n; i++) mem_free(&env, a->slots[i].m, a->slots[i].m_cap);
    mem_free(&env, a->slots, a->slots_n * sizeof *a->slots);
    while (a->parts) {
        struct part *p = a->parts;
        a->parts = p->next;
        mem_free(&env, p->p, p->cap);
        mem_free(&env, p, sizeof *p);
    }
    while (a->opens) {
        struct opened *o = a->opens;
        a->opens = o->next;
        opened_free(a, o);
    }
    pthread_cond_destroy(&a->turn);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    mem_free(&env, a, sizeof *a);
}
