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

struct fetch {
    const struct rsp_env *env;
    struct rsp_store *store;
    const char *name;
};

static int fetch_part(void *ctx, uint64_t offset, void *p, size_t n)
{
    const struct fetch *f = ctx;
    return object_part_read(f->env, f->store, f->name, offset, p, n);
}

int run_object_open(const struct rsp_env *env, const struct object_run *run, size_t i, struct object_reader *r)
{
    const struct full_ref *ref = &run->refs[i];
    struct object_expect expect = {.kind = ref->kind,
                                   .lineage = run->lineage,
                                   .epoch = ref->epoch,
                                   .object = ref->object,
                                   .stored = ref->stored,
                                   .plain = ref->plain,
                                   .table_hash = ref->table_hash};
    char name[NAME_MAX_BYTES];
    struct fetch f = {env, run->store, name};
    memset(r, 0, sizeof *r);
    name_object(name, ref->kind, ref->epoch, ref->object);
    return object_reader_open(env, &expect, name, run->key, fetch_part, &f, r);
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
