/* What this is: the half of the object writer that follows the stream: buffers, where objects are cut, the chunk that
 *   is held back so that the last one is known to be the last.
 * Rests on: object_write_impl.h.
 * Does not: compress or write anything itself: the pool does (object_finish.c). */
#include "seal/object_write_impl.h"

int writer_broken(struct object_writer *w, int rc, const struct rsp_error *words)
{
    pthread_mutex_lock(&w->lock);
    if (!w->fault) {
        w->fault = rc;
        w->words = *words;
    }
    pthread_cond_broadcast(&w->room);
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* The fault, its words in the caller's record, which two threads of the caller may share: under the lock. */
static int told(struct object_writer *w)
{
    int rc;
    pthread_mutex_lock(&w->lock);
    rc = w->fault;
    if (rc && w->env.error && !w->env.error->code) {
        if (w->words.code) *w->env.error = w->words;
        else fail(&w->env, rc, NULL, "a sealed object cannot be written: %s", rsp_status_text(rc));
    }
    pthread_mutex_unlock(&w->lock);
    return rc;
}

static int own_broken(struct object_writer *w, int rc)
{
    writer_broken(w, rc, &w->own_words);
    return told(w);
}

static int is_broken(struct object_writer *w)
{
    int rc;
    pthread_mutex_lock(&w->lock);
    rc = w->fault;
    pthread_mutex_unlock(&w->lock);
    return rc;
}

/* ---- buffers ---- */

void writer_plain_back(struct object_writer *w, struct plain *b)
{
    if (!b) return;
    pthread_mutex_lock(&w->lock);
    b->spare = w->plains_spare;
    w->plains_spare = b;
    pthread_cond_signal(&w->room);
    pthread_mutex_unlock(&w->lock);
}

void object_writer_hold(struct object_writer *w, unsigned extra)
{
    pthread_mutex_lock(&w->lock);
    w->plains_max += extra;
    pthread_mutex_unlock(&w->lock);
}

static size_t plain_size(const struct object_writer *w)
{
    return sizeof(struct plain) + w->opt.head.chunk_bytes;
}

int object_writer_chunk(struct object_writer *w, uint8_t **chunk)
{
    struct rsp_error words = {0};
    struct rsp_env env = w->own;
    struct plain *b = NULL;
    int rc;
    env.error = &words;
    *chunk = NULL;
    pthread_mutex_lock(&w->lock);
    while (!w->fault && !w->plains_spare && w->plains_n >= w->plains_max) pthread_cond_wait(&w->room, &w->lock);
    rc = w->fault;
    if (!rc && w->plains_spare) {
        b = w->plains_spare;
        w->plains_spare = b->spare;
    } else if (!rc) {
        w->plains_n++;
    }
    pthread_mutex_unlock(&w->lock);
    if (rc) return told(w);
    if (!b) {
        b = mem_alloc(&env, plain_size(w));
        if (!b) {
            writer_broken(w, RSP_ENOMEM, &words);
            return told(w);
        }
        pthread_mutex_lock(&w->lock);
        b->all = w->plains;
        w->plains = b;
        pthread_mutex_unlock(&w->lock);
    }
    *chunk = (uint8_t *)(b + 1);
    return RSP_OK;
}

static struct plain *plain_of(uint8_t *chunk)
{
    return chunk ? (struct plain *)(void *)(chunk - sizeof(struct plain)) : NULL;
}

void object_writer_free_chunk(struct object_writer *w, uint8_t *chunk)
{
    writer_plain_back(w, plain_of(chunk));
}

static struct job *job_new(struct object_writer *w)
{
    struct job *job;
    pthread_mutex_lock(&w->lock);
    job = w->jobs_spare;
    if (job) w->jobs_spare = job->spare;
    pthread_mutex_unlock(&w->lock);
    if (job) return job;
    job = mem_zero(&w->own, sizeof *job);
    if (!job) return NULL;
    job->stored = mem_alloc(&w->own, object_stored_max(w->opt.head.chunk_bytes));
    if (!job->stored) {
        mem_free(&w->own, job, sizeof *job);
        return NULL;
    }
    job->all = w->jobs; /* this list is submit's alone */
    w->jobs = job;
    return job;
}

/* ---- objects ---- */

void run_free(struct object_writer *w, struct run *run)
{
    buf_free(&run->head_buf);
    buf_free(&run->table);
    sha256_free(run->sha);
    secret_free(run->key);
    mem_free(&w->own, run, sizeof *run);
}

void run_unlink(struct object_writer *w, struct run *run)
{
    struct run **at;
    pthread_mutex_lock(&w->lock);
    for (at = &w->runs; *at != run;) at = &(*at)->next;
    *at = run->next;
    pthread_mutex_unlock(&w->lock);
}

/* The next object begins: its id, its key, its header. */
static int run_new(struct object_writer *w, uint8_t flags)
{
    struct run *run = mem_zero(&w->own, sizeof *run);
    int rc = RSP_OK;
    if (!run) return RSP_ENOMEM;
    buf_init(&run->head_buf, &w->own);
    buf_init(&run->table, &w->join_env);
    run->head = w->opt.head;
    run->head.number = w->has_fixed ? w->opt.head.number : w->number;
    run->head.flags = flags;
    run->stream_offset = w->offset;
    if (w->has_fixed) memcpy(run->head.object, w->fixed, ID_BYTES);
    else rc = random_bytes(&w->own, run->head.object, ID_BYTES);
    if (!rc && !(run->key = secret_new(&w->own, KEY_BYTES))) rc = RSP_ENOMEM;
    if (!rc) rc = object_head_write(&run->head, w->epoch_key, &run->head_buf, run->key);
    if (!rc && !w->opt.no_sha256) rc = sha256_new(&w->own, &run->sha);
    if (rc) {
        run_free(w, run);
        return rc;
    }
    pthread_mutex_lock(&w->lock);
    run->next = w->runs;
    w->runs = run;
    pthread_mutex_unlock(&w->lock);
    w->run = run;
    w->number++;
    return RSP_OK;
}

/* Gives a chunk to the pool; its buffer is taken in any case. */
static int dispatch(struct object_writer *w, struct held *h, int final, uint8_t flags)
{
    struct job *job = NULL;
    int rc = RSP_OK;
    h->full = 0;
    if (!w->run) rc = run_new(w, flags);
    if (!rc && !(job = job_new(w))) rc = RSP_ENOMEM;
    if (rc) {
        writer_plain_back(w, h->plain);
        return rc;
    }
    job->run = w->run;
    job->plain = h->plain;
    job->n = h->n;
    job->offset = w->offset;
    job->number = w->run->in_chunks++;
    job->final = (uint8_t) final;
    job->note_n = h->note_n;
    memcpy(job->note, h->note, h->note_n);
    w->run->in_plain += h->n;
    w->offset += h->n;
    if (final) w->run = NULL;
    return rsp_pool_submit(w->pool, job);
}

static int dispatch_empty(struct object_writer *w)
{
    struct held none = {0};
    return dispatch(w, &none, 1, w->opt.mark_last ? OBJECT_LAST : w->opt.head.flags);
}

/* Is the held chunk the last of its object when n bytes more come behind it? */
static int cut_here(const struct object_writer *w, size_t n)
{
    uint64_t plain = (w->run ? w->run->in_plain : 0) + w->held.n;
    uint32_t chunks = (w->run ? w->run->in_chunks : 0) + 1;
    return chunks >= OBJECT_CHUNKS_MAX || plain > w->opt.object_plain || n > w->opt.object_plain - plain;
}

int object_writer_submit(struct object_writer *w, uint8_t *chunk, size_t n, const void *note, size_t note_n)
{
    struct plain *b = plain_of(chunk);
    int rc = is_broken(w);
    if (!rc && w->finished) rc = fail(&w->own, RSP_ESTATE, NULL, "a chunk after the end of the stream");
    if (!rc && (!b || !n || n > w->opt.head.chunk_bytes || note_n > NOTE_MAX))
        rc = fail(&w->own, RSP_EINVAL, NULL, "a chunk of %zu bytes with a note of %zu; at most %lu and %d", n, note_n,
                  (unsigned long)w->opt.head.chunk_bytes, NOTE_MAX);
    if (!rc && w->held.full) rc = dispatch(w, &w->held, cut_here(w, n), w->opt.head.flags);
    if (rc) {
        writer_plain_back(w, b);
        return own_broken(w, rc);
    }
    w->held.plain = b;
    w->held.n = n;
    w->held.note_n = (uint8_t)note_n;
    if (note_n) memcpy(w->held.note, note, note_n);
    w->held.full = 1;
    return RSP_OK;
}

static void abort_begun(struct object_writer *w)
{
    if (w->begun && w->out.abort) w->out.abort(w->ctx);
    w->begun = 0;
}

/* The flag of the last object stands in its header: it can have it only when its first chunk is still held. */
static int finish_chunks(struct object_writer *w)
{
    int first = !w->run, rc;
    if (!w->held.full) return dispatch_empty(w);
    rc = dispatch(w, &w->held, 1, first && w->opt.mark_last ? OBJECT_LAST : w->opt.head.flags);
    return rc || first || !w->opt.mark_last ? rc : dispatch_empty(w);
}

int object_writer_finish(struct object_writer *w)
{
    int rc = is_broken(w), rc2;
    if (!rc && w->finished) rc = fail(&w->own, RSP_ESTATE, NULL, "a stream ends once");
    if (!rc) rc = finish_chunks(w);
    w->finished = 1;
    rc2 = rsp_pool_finish(w->pool);
    if (!rc) rc = rc2;
    if (!rc) return RSP_OK;
    abort_begun(w);
    return own_broken(w, rc);
}

/* ---- the handle ---- */

static int options_check(const struct rsp_env *env, struct object_writer_options *o)
{
    if (!o->head.chunk_bytes) o->head.chunk_bytes = CHUNK_DEFAULT;
    if (!o->object_plain) o->object_plain = OBJECT_PLAIN_MAX;
    if (o->head.chunk_bytes < CHUNK_MIN || o->head.chunk_bytes > CHUNK_MAX || o->object_plain > OBJECT_PLAIN_MAX)
        return fail(env, RSP_EINVAL, NULL, "chunks of %lu bytes in objects of %llu; from %u to %u and at most %llu",
                    (unsigned long)o->head.chunk_bytes, (unsigned long long)o->object_plain, CHUNK_MIN, CHUNK_MAX,
                    (unsigned long long)OBJECT_PLAIN_MAX);
    if (o->head.flags) return fail(env, RSP_EINVAL, NULL, "the flags of objects are the writer's");
    return RSP_OK;
}

static int makers_new(struct object_writer *w, const struct rsp_env *env)
{
    unsigned n = w->opt.threads ? w->opt.threads : 1;
    w->makers = mem_zero(env, n * sizeof(struct chunk_maker *));
    if (!w->makers) return RSP_ENOMEM;
    w->makers_n = n;
    for (unsigned i = 0; i < n; i++) {
        int rc = chunk_maker_new(env, &w->opt.head, w->opt.level, !w->opt.no_recheck, &w->makers[i]);
        if (rc) return rc;
    }
    return RSP_OK;
}

int object_writer_new(const struct rsp_env *env, const struct object_writer_options *options,
                      const uint8_t epoch_key[KEY_BYTES], const struct object_out *out, void *ctx,
                      struct object_writer **ret)
{
    struct object_writer_options o = *options;
    struct object_writer *w = NULL;
    struct rsp_env e;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    rc = options_check(&e, &o);
    if (!rc) rc = crypt_init(&e);
    if (rc) return rc;
    w = mem_zero(&e, sizeof *w);
    if (!w) return RSP_ENOMEM;
    w->env = w->own = w->join_env = e;
    w->own.error = w->join_env.error = &w->own_words;
    w->opt = o;
    w->out = *out;
    w->ctx = ctx;
    w->plains_max = o.threads * 2 + 2;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->room, NULL);
    w->epoch_key = secret_new(&e, KEY_BYTES);
    if (!w->epoch_key) rc = RSP_ENOMEM;
    else memcpy(w->epoch_key, epoch_key, KEY_BYTES);
    if (!rc) rc = makers_new(w, &e);
    if (!rc) rc = rsp_pool_new(&w->own, &writer_pool_ops, w, o.threads, o.threads * 2, &w->pool);
    if (rc) {
        if (e.error && !e.error->code) *e.error = w->own_words;
        object_writer_free(w);
        return rc;
    }
    *ret = w;
    return RSP_OK;
}

void object_writer_free(struct object_writer *w)
{
    struct rsp_env env;
    if (!w) return;
    env = w->own;
    rsp_pool_free(w->pool);
    w->join_env.error = NULL;
    abort_begun(w);
    for (struct run *r = w->runs, *next; r; r = next) next = r->next, run_free(w, r);
    for (struct job *j = w->jobs, *next; j; j = next) {
        next = j->all;
        mem_free(&env, j->stored, object_stored_max(w->opt.head.chunk_bytes));
        mem_free(&env, j, sizeof *j);
    }
    for (struct plain *b = w->plains, *next; b; b = next) next = b->all, mem_free(&env, b, plain_size(w));
    for (unsigned i = 0; i < w->makers_n; i++) chunk_maker_free(w->makers[i]);
    mem_free(&env, w->makers, w->makers_n * sizeof(struct chunk_maker *));
    secret_free(w->epoch_key);
    pthread_cond_destroy(&w->room);
    pthread_mutex_destroy(&w->lock);
    mem_free(&env, w, sizeof *w);
}
