/* What this is: opening a snapshot: envelope, manifest, and that both agree with the signed commit.
 * Rests on: snapshot_impl.h.
 * Does not: open data; snapshot_source.c and snapshot_chunks.c do. */
#include <stdlib.h>

#include "repo/snapshot_impl.h"

void snapshot_run(const struct rsp_snapshot *s, size_t stream, struct object_run *run)
{
    memset(run, 0, sizeof *run);
    run->store = s->repo->store;
    run->key = s->key;
    run->lineage = s->repo->lineage;
    run->refs = manifest_refs(s->manifest, stream, &run->refs_n);
}

/* ---- references ---- */

static int by_object(const void *a, const void *b)
{
    const struct rsp_ref *x = a, *y = b;
    int c = memcmp(x->object, y->object, ID_BYTES);
    return c ? c : memcmp(x->epoch, y->epoch, ID_BYTES);
}

/* The commit's references in an array of its own, sorted; those that lie apart are fetched. */
static int sorted_refs(struct rsp_snapshot *s, const struct rsp_record *commit, struct rsp_ref **refs, size_t *n)
{
    const struct rsp_env *env = &s->env;
    struct rsp_record *apart = NULL;
    const struct rsp_ref *from = commit->refs;
    char name[NAME_MAX_BYTES];
    uint8_t *bytes = NULL;
    size_t bytes_n = 0;
    int rc = RSP_OK;
    *refs = NULL;
    *n = commit->refs_n;
    if (!*n) return RSP_OK;
    if (!from) {
        apart = record_new(env);
        if (!apart) return RSP_ENOMEM;
        memcpy(apart->refs_hash, commit->refs_hash, HASH_BYTES);
        apart->refs_apart = 1;
        apart->refs_n = commit->refs_n;
        name_hashed(name, "refs", commit->refs_hash);
        rc = repo_get_hashed(s->repo, name, commit->refs_hash, REFS_FILE_MAX, &bytes, &bytes_n);
        if (rc) rc = object_lost(env, name, rc);
        else rc = refs_decode(env, apart, (struct rsp_span){bytes, bytes_n});
        if (bytes) rsp_store_release(s->repo->store, bytes, bytes_n);
        from = apart->refs;
    }
    if (!rc && !(*refs = mem_alloc(env, *n * sizeof **refs))) rc = RSP_ENOMEM;
    if (!rc) {
        memcpy(*refs, from, *n * sizeof **refs);
        qsort(*refs, *n, sizeof **refs, by_object);
    }
    record_free(env, apart);
    return rc;
}

/* Every object of every stream is one that the commit refers to, which says what its bytes are. */
static int check_refs(struct rsp_snapshot *s, const struct rsp_record *commit, const char *subject)
{
    const struct rsp_env *env = &s->env;
    struct rsp_ref *refs = NULL;
    size_t n = 0;
    int rc = sorted_refs(s, commit, &refs, &n);
    for (size_t i = 0; i < s->manifest->pub.streams_n && !rc; i++) {
        size_t full_n;
        struct full_ref *full = manifest_refs_of(s->manifest, i, &full_n);
        for (size_t k = 0; k < full_n && !rc; k++) {
            struct rsp_ref want = {0};
            const struct rsp_ref *have;
            char name[NAME_MAX_BYTES];
            memcpy(want.epoch, full[k].epoch, ID_BYTES);
            memcpy(want.object, full[k].object, ID_BYTES);
            have = n ? bsearch(&want, refs, n, sizeof *refs, by_object) : NULL;
            name_object(name, full[k].kind, full[k].epoch, full[k].object);
            if (!have || have->kind != full[k].kind || have->stored != full[k].stored)
                rc = fail(env, RSP_EINTEGRITY, subject,
                          "the manifest names %s, which the signed commit does not; restore another snapshot", name);
            else if (memcmp(full[k].epoch, commit->epoch, ID_BYTES) != 0)
                rc = fail(env, RSP_EVERSION, name,
                          "the snapshot uses an object of an earlier one, which this release cannot open; use a newer "
                          "release");
            else memcpy(full[k].sha256, have->sha256, sizeof full[k].sha256);
        }
    }
    mem_free(env, refs, n * sizeof *refs);
    return rc;
}

/* ---- the manifest ---- */

/* Its stored bytes, compared with the signed size and SHA-256. *p by rsp_store_release. */
static int fetch_manifest(struct rsp_snapshot *s, const struct rsp_ref *ref, const char *name, uint8_t **p, size_t *n)
{
    const struct rsp_env *env = &s->env;
    uint8_t sha256[32];
    int rc;
    if (ref->stored > MANIFEST_MAX)
        return fail(env, RSP_ELIMIT, name, "a manifest of %llu bytes is more than the %u that are read",
                    (unsigned long long)ref->stored, MANIFEST_MAX);
    rc = rsp_store_get(s->repo->store, name, MANIFEST_MAX, p, n);
    if (rc) return object_lost(env, name, rc);
    if (*n != ref->stored)
        return fail(env, RSP_EINTEGRITY, name,
                    "the manifest has %zu bytes, the signed commit says %llu; restore another snapshot", *n,
                    (unsigned long long)ref->stored);
    rc = sha256_whole(env, (struct rsp_span){*p, *n}, sha256);
    if (rc) return rc;
    if (memcmp(sha256, ref->sha256, sizeof sha256) != 0)
        return fail(env, RSP_EINTEGRITY, name,
                    "the manifest's bytes are not those of the signed commit; restore another snapshot");
    return RSP_OK;
}

/* The manifest is of this commit and no other. */
static int check_manifest(struct rsp_snapshot *s, const struct rsp_record *commit, const char *name)
{
    const struct rsp_manifest *m = &s->manifest->pub;
    char source[MANIFEST_SOURCE_MAX + 1];
    uint8_t id[ID_BYTES];
    memcpy(source, m->source.p, m->source.n); /* its length was checked while decoding */
    source[m->source.n] = 0;
    rsp_source_id(s->repo->lineage, source, id);
    if (memcmp(m->snapshot, commit->snapshot, ID_BYTES) != 0)
        return fail(&s->env, RSP_EINTEGRITY, name, "the manifest is another snapshot's; restore another snapshot");
    if (memcmp(id, commit->source, ID_BYTES) != 0)
        return fail(
            &s->env, RSP_EINTEGRITY, name,
            "the manifest is of source \"%s\", and its commit lies in the log of another; restore another snapshot",
            source);
    return check_refs(s, commit, name);
}

static int open_manifest(struct rsp_snapshot *s, const struct rsp_record *commit)
{
    const struct rsp_ref *ref = &commit->manifest;
    struct object_expect expect = {.kind = OBJECT_MANIFEST,
                                   .lineage = s->repo->lineage,
                                   .epoch = ref->epoch,
                                   .object = ref->object,
                                   .stored = ref->stored,
                                   .plain = UINT64_MAX};
    char name[NAME_MAX_BYTES];
    struct buf plain;
    uint8_t *p = NULL;
    size_t n = 0;
    int rc;
    name_object(name, OBJECT_MANIFEST, ref->epoch, ref->object);
    if (ref->kind != OBJECT_MANIFEST || memcmp(ref->epoch, commit->epoch, ID_BYTES) != 0)
        return fail(&s->env, RSP_EVERSION, name, "the commit's manifest is not of its own epoch; use a newer release");
    buf_init(&plain, &s->env);
    rc = fetch_manifest(s, ref, name, &p, &n);
    if (!rc) rc = object_open_small(&s->env, &expect, name, s->key, (struct rsp_span){p, n}, MANIFEST_MAX, &plain);
    if (!rc) rc = manifest_decode(&s->env, &plain, name, &s->manifest);
    if (!rc) rc = check_manifest(s, commit, name);
    if (p) rsp_store_release(s->repo->store, p, n);
    buf_free(&plain);
    return rc;
}

int rsp_snapshot_open(struct rsp_repo *repo, const struct rsp_record *commit, struct rsp_snapshot **ret)
{
    const struct rsp_env *env = &repo->env;
    struct rsp_snapshot *s;
    int rc;
    *ret = NULL;
    if (commit->kind != RSP_REC_COMMIT || !(commit->state & RSP_RECORD_LOADED))
        return fail(env, RSP_EINVAL, commit->name,
                    "this is no valid commit that was loaded; nothing is restored from it");
    s = mem_zero(env, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->env = *env;
    s->repo = repo;
    buf_init(&s->stored, &s->env);
    rc = epoch_open(repo, commit->epoch, commit->commitment, (commit->flags & RSP_COMMIT_UNSEALED) != 0, &s->key);
    if (!rc) rc = open_manifest(s, commit);
    if (rc) {
        rsp_snapshot_free(s);
        return rc;
    }
    *ret = s;
    return RSP_OK;
}

const struct rsp_manifest *rsp_snapshot_manifest(const struct rsp_snapshot *s)
{
    return &s->manifest->pub;
}

void rsp_snapshot_free(struct rsp_snapshot *s)
{
    struct rsp_env env;
    if (!s) return;
    env = s->env;
    snapshot_chunks_free(s);
    manifest_free(s->manifest);
    secret_free(s->key);
    buf_free(&s->stored);
    mem_free(&env, s, sizeof *s);
}
