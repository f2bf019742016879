/* What this is: opening one sealed object of the repository.
 * Rests on: snapshot_impl.h, seal/object.h.
 * Does not: decide what to do when it does not open. */
#include "repo/snapshot_impl.h"

int object_lost(const struct rsp_env *env, const char *name, int rc)
{
    if (rc != RSP_ENOTFOUND && rc != RSP_ETRUNCATED) return rc;
    if (env->error && env->error->code == rc) rsp_error_clear(env->error);
    return fail(env, RSP_EINTEGRITY, name,
                rc == RSP_ENOTFOUND
                    ? "this object is missing from the store; look at the store, or restore another snapshot"
                    : "this object is shorter than its signed size; look at the store, or restore another snapshot");
}

int object_part_read(const struct rsp_env *env, struct rsp_store *store, const char *name, uint64_t offset, void *p,
                     size_t n)
{
    return object_lost(env, name, rsp_store_read(store, name, offset, p, n));
}

static void run_lock(const struct object_run *run)
{
    if (run->lock) pthread_mutex_lock(run->lock);
}

static void run_unlock(const struct rsp_env *env, const struct object_run *run, int rc)
{
    if (!run->lock) return;
    if (rc && run->words && run->words != env->error) {
        if (env->error && !env->error->code) *env->error = *run->words;
        rsp_error_clear(run->words);
    }
    pthread_mutex_unlock(run->lock);
}

int run_part_read(const struct rsp_env *env, const struct object_run *run, const char *name, uint64_t offset, void *p,
                  size_t n)
{
    int rc;
    run_lock(run);
    rc = rsp_store_read(run->store, name, offset, p, n);
    run_unlock(env, run, rc);
    return object_lost(env, name, rc);
}

struct fetch {
    const struct rsp_env *env;
    const struct object_run *run;
    const char *name;
};

static int fetch_part(void *ctx, uint64_t offset, void *p, size_t n)
{
    const struct fetch *f = ctx;
    return run_part_read(f->env, f->run, f->name, offset, p, n);
}

static int check_size(const struct rsp_env *env, const struct object_run *run, const char *name, uint64_t stored)
{
    struct rsp_store_item item;
    int rc;
    run_lock(run);
    rc = rsp_store_stat(run->store, name, &item);
    run_unlock(env, run, rc);
    rc = object_lost(env, name, rc);
    if (rc || item.bytes == stored) return rc;
    return fail(env, RSP_EINTEGRITY, name,
                "this object has %llu bytes, its signed size is %llu; look at the store, or restore another snapshot",
                (unsigned long long)item.bytes, (unsigned long long)stored);
}

int run_object_open(const struct rsp_env *env, const struct object_run *run, size_t i, int whole,
                    struct object_reader *r)
{
    const struct full_ref *ref = &run->refs[i];
    struct object_expect expect = {.kind = ref->kind,
                                   .lineage = run->lineage,
                                   .epoch = ref->epoch,
                                   .object = ref->object,
                                   .stored = ref->stored,
                                   .plain = ref->plain,
                                   .table_hash = ref->table_hash,
                                   .number = ref->number,
                                   .keep_ends = whole};
    char name[NAME_MAX_BYTES];
    struct fetch f = {env, run, name};
    int rc;
    memset(r, 0, sizeof *r);
    name_object(name, ref->kind, ref->epoch, ref->object);
    if (whole && (rc = check_size(env, run, name, ref->stored))) return rc;
    return object_reader_open(env, &expect, name, run->key, fetch_part, &f, r);
}

int object_signed(const struct rsp_env *env, const struct object_reader *r, struct sha256 *sum,
                  const uint8_t sha256[32])
{
    size_t head = r->head.head_bytes;
    uint8_t made[32] = {0};
    int rc = sha256_add(sum, r->ends + head, r->ends_n - head);
    if (!rc) rc = sha256_end(sum, made);
    if (rc || !memcmp(made, sha256, sizeof made)) return rc;
    return fail(env, RSP_EINTEGRITY, r->subject,
                "its stored bytes are not those that were signed, though they open: whoever has its key can seal "
                "others; restore another snapshot");
}

int sha256_whole(const struct rsp_env *env, struct rsp_span bytes, uint8_t out[32])
{
    struct sha256 *h = NULL;
    int rc = sha256_new(env, &h);
    if (!rc) rc = sha256_add(h, bytes.p, bytes.n);
    if (!rc) rc = sha256_end(h, out);
    sha256_free(h);
    return rc;
}
