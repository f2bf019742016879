/* What this is: the half of the object writer that workers do: a chunk compressed and sealed, then joined in order.
 * Rests on: object_write_impl.h.
 * Does not: decide where objects are cut. */
#include "base/bytes.h"
#include "seal/object_write_impl.h"

static int job_broken(struct object_writer *w, const struct rsp_env *env, int rc)
{
    static const struct rsp_error none;
    const struct rsp_error *e = env->error;
    if ((!e || !e->code) && w->out.words) e = w->out.words(w->ctx);
    return writer_broken(w, rc, e ? e : &none);
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, void *task)
{
    struct object_writer *w = ctx;
    struct job *job = task;
    struct run *run = job->run;
    struct object_nonce nonce = object_chunk_nonce(job->number, job->final);
    const uint8_t *plain = job->plain ? (const uint8_t *)(job->plain + 1) : job->stored, *from;
    int rc = chunk_make(w->makers[worker], env->error, plain, job->n, job->offset, job->stored, &job->stored_n, &from);
    if (rc) return job_broken(w, env, rc);
    object_seal(run->head.suite, job->stored, from, job->stored_n, &nonce, run->key);
    job->stored_n += TAG_BYTES;
    writer_plain_back(w, job->plain);
    job->plain = NULL;
    return RSP_OK;
}

static void job_back(struct object_writer *w, struct job *job)
{
    pthread_mutex_lock(&w->lock);
    job->spare = w->jobs_spare;
    w->jobs_spare = job;
    pthread_mutex_unlock(&w->lock);
}

static int put(struct object_writer *w, struct run *run, const void *p, size_t n)
{
    int rc = run->sha ? sha256_add(run->sha, p, n) : RSP_OK;
    run->stored += n;
    return rc ? rc : w->out.write(w->ctx, p, n);
}

static int begin(struct object_writer *w, struct run *run)
{
    int rc = object_table_begin(&run->table);
    if (!rc) rc = w->out.begin(w->ctx, run->head.object, run->head.number);
    if (rc) return rc;
    w->begun = 1;
    return put(w, run, run->head_buf.p, run->head_buf.n);
}

static int end(struct object_writer *w, struct run *run)
{
    uint8_t tail[OBJECT_TAIL_BYTES];
    struct object_done done = {
        .plain = run->plain, .stream_offset = run->stream_offset, .number = run->head.number, .chunks = run->chunks};
    uint64_t table_at = run->stored;
    int rc = object_table_seal(&run->table, run->chunks, run->head.suite, run->key);
    if (rc) return rc;
    hash256(done.table_hash, run->table.p, run->table.n);
    store_le64(tail, table_at);
    store_le32(tail + 8, (uint32_t)run->table.n);
    store_le32(tail + 12, 0);
    memcpy(tail + 16, object_tail_magic, 8);
    rc = put(w, run, run->table.p, run->table.n);
    if (!rc) rc = put(w, run, tail, sizeof tail);
    if (!rc && run->sha) rc = sha256_end(run->sha, done.sha256);
    if (rc) return rc;
    memcpy(done.object, run->head.object, ID_BYTES);
    done.stored = run->stored;
    rc = w->out.end(w->ctx, &done);
    if (!rc) w->begun = 0;
    return rc;
}

static int add(struct object_writer *w, struct job *job)
{
    struct run *run = job->run;
    struct object_chunk chunk = {.plain_offset = run->plain,
                                 .plain = (uint32_t)job->n,
                                 .stored = (uint32_t)job->stored_n,
                                 .note_n = job->note_n};
    int rc;
    memcpy(chunk.note, job->note, job->note_n);
    rc = object_table_add(&run->table, &chunk);
    if (rc) return rc;
    run->plain += job->n;
    run->chunks++;
    return put(w, run, job->stored, job->stored_n);
}

static int join(void *ctx, const struct rsp_env *env, void *task)
{
    struct object_writer *w = ctx;
    struct job *job = task;
    struct run *run = job->run;
    int rc = RSP_OK;
    w->join_env.error = env->error;
    if (!run->chunks) rc = begin(w, run);
    if (!rc) rc = add(w, job);
    if (!rc && job->final) rc = end(w, run);
    if (rc) {
        job_broken(w, env, rc);
    } else if (job->final) {
        run_unlink(w, run);
        run_free(w, run);
    }
    job_back(w, job);
    return rc;
}

static void drop(void *ctx, void *task)
{
    struct object_writer *w = ctx;
    struct job *job = task;
    writer_plain_back(w, job->plain);
    job->plain = NULL;
    job_back(w, job);
}

const struct rsp_pool_ops writer_pool_ops = {sizeof writer_pool_ops, work, join, drop};
