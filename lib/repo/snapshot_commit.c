/* What this is: what makes a snapshot exist: envelope, manifest, a look at everything, then the commit record.
 * Rests on: snapshot_impl.h, seal/envelope.h.
 * Does not: undo: what was published before a fault is debris, and prune's. */
#include "repo/snapshot_impl.h"
#include "seal/envelope.h"

#define LOOK_AGAIN_MS (60 * 60 * 1000)
#define LOOKS_MAX 5

/* A commit under way: what it needs beside the writer's objects. */
struct committing {
    struct rsp_snapshot_writer *w;
    struct rsp_log *log;
    struct rsp_record draft;
    char envelope[NAME_MAX_BYTES], manifest[NAME_MAX_BYTES], refs[NAME_MAX_BYTES]; /* "": there is none */
    uint64_t envelope_bytes, refs_bytes;
    int64_t looked_ms; /* by the store's clock */
};

/* ---- publishing ---- */

int envelope_publish(struct rsp_repo *repo, const uint8_t epoch[ID_BYTES], const uint8_t *key,
                     const struct rsp_public *readers, size_t readers_n, char *name, uint64_t *bytes)
{
    uint8_t hash[HASH_BYTES];
    struct buf b;
    int rc;
    buf_init(&b, &repo->env);
    rc = envelope_write(&repo->env, epoch, key, readers, readers_n, &b);
    if (!rc) {
        hash256(hash, b.p, b.n);
        name_envelope(name, epoch, hash);
        rc = rsp_store_put(repo->store, name, b.p, b.n);
    }
    if (bytes) *bytes = b.n;
    buf_free(&b);
    return rc;
}

static int put_envelope(struct committing *c)
{
    struct rsp_snapshot_writer *w = c->w;
    struct rsp_public *readers = NULL;
    size_t n = 0;
    int rc;
    if (w->options.unsealed) return RSP_OK; /* its key is no secret */
    rc = readers_of(w->repo, &readers, &n);
    if (!rc) rc = envelope_publish(w->repo, w->epoch, w->key, readers, n, c->envelope, &c->envelope_bytes);
    mem_free(&w->env, readers, n * sizeof *readers);
    return rc ? trail(&w->env, rc, "publishing the snapshot's envelope") : RSP_OK;
}

static int encode_manifest(const struct committing *c, const struct rsp_manifest *facts, struct buf *out)
{
    struct rsp_snapshot_writer *w = c->w;
    struct rsp_manifest m = {0};
    struct buf *streams;
    int rc;
    memcpy(&m, facts, facts->size && facts->size < sizeof m ? facts->size : sizeof m);
    memcpy(m.snapshot, w->snapshot, ID_BYTES);
    m.source = (struct rsp_span){(const uint8_t *)w->source, strlen(w->source)};
    if (!m.begun_ms) m.begun_ms = w->begun_ms;
    if (!m.finished_ms) m.finished_ms = (uint64_t)w->env.now_ms(w->env.clock_opaque);
    streams = mem_alloc(&w->env, w->streams_n * sizeof *streams);
    if (!streams) return RSP_ENOMEM;
    for (size_t i = 0; i < w->streams_n; i++) streams[i] = w->streams[i].encoded;
    rc = manifest_encode(out, &m, streams, w->streams_n);
    mem_free(&w->env, streams, w->streams_n * sizeof *streams);
    return rc;
}

static int put_manifest(struct committing *c, const struct rsp_manifest *facts)
{
    struct rsp_snapshot_writer *w = c->w;
    struct object_head head = {
        .suite = w->options.unsealed ? SUITE_NONE : SUITE_CHACHA, .codec = CODEC_ZSTD, .kind = OBJECT_MANIFEST};
    struct rsp_ref *ref = &c->draft.manifest;
    struct object_done object;
    struct buf plain, sealed;
    int rc;
    buf_init(&plain, &w->env);
    buf_init(&sealed, &w->env);
    memcpy(head.lineage, w->repo->lineage, ID_BYTES);
    memcpy(head.epoch, w->epoch, ID_BYTES);
    rc = encode_manifest(c, facts, &plain);
    if (!rc) rc = random_bytes(&w->env, head.object, ID_BYTES);
    if (!rc) rc = object_seal_small(&w->env, &head, w->key, (struct rsp_span){plain.p, plain.n}, &sealed, &object);
    if (!rc && sealed.n > MANIFEST_MAX)
        rc = fail(&w->env, RSP_ELIMIT, w->source, "the manifest has %zu bytes, more than %u; tell fewer facts",
                  sealed.n, MANIFEST_MAX);
    if (!rc) {
        ref->kind = OBJECT_MANIFEST;
        memcpy(ref->epoch, w->epoch, ID_BYTES);
        memcpy(ref->object, head.object, ID_BYTES);
        memcpy(ref->sha256, object.sha256, sizeof ref->sha256);
        ref->stored = sealed.n;
        name_object(c->manifest, OBJECT_MANIFEST, w->epoch, head.object);
        rc = rsp_store_put(w->repo->store, c->manifest, sealed.p, sealed.n);
    }
    if (plain.p) wipe(plain.p, plain.n);
    buf_free(&plain);
    buf_free(&sealed);
    return rc ? trail(&w->env, rc, "publishing the snapshot's manifest") : RSP_OK;
}

/* The references, when they are too many to stand in the record. */
static int put_refs(struct committing *c)
{
    struct rsp_snapshot_writer *w = c->w;
    struct rsp_record *r = &c->draft;
    struct buf b;
    int rc;
    r->refs = w->commit_refs;
    r->refs_n = w->refs_n;
    if (w->refs_n <= REFS_INLINE / REF_BYTES) return RSP_OK;
    buf_init(&b, &w->env);
    rc = refs_encode(&b, w->commit_refs, w->refs_n);
    if (!rc && b.n > REFS_FILE_MAX)
        rc = fail(&w->env, RSP_ELIMIT, w->source,
                  "a snapshot of %zu objects is more than a commit can name; make larger "
                  "objects",
                  w->refs_n);
    if (!rc) {
        r->refs_apart = 1;
        hash256(r->refs_hash, b.p, b.n);
        name_hashed(c->refs, "refs", r->refs_hash);
        c->refs_bytes = b.n;
        rc = rsp_store_put(w->repo->store, c->refs, b.p, b.n);
    }
    buf_free(&b);
    return rc ? trail(&w->env, rc, "publishing the snapshot's references") : RSP_OK;
}

/* ---- the look at everything ---- */

static int look_at(const struct committing *c, const char *name, uint64_t bytes)
{
    const struct rsp_env *env = &c->w->env;
    struct rsp_store_item item;
    int rc = rsp_store_stat(c->w->repo->store, name, &item);
    if (rc == RSP_ENOTFOUND) {
        if (env->error && env->error->code == rc) rsp_error_clear(env->error);
        return fail(env, rc, name,
                    "this was stored and is gone again: nothing was committed; back up once more, and find "
                    "out who removed it");
    }
    if (!rc && item.bytes != bytes)
        return fail(env, RSP_ENOTFOUND, name,
                    "this was stored with %llu bytes and has %llu now: nothing was committed; back up once more",
                    (unsigned long long)bytes, (unsigned long long)item.bytes);
    return rc;
}

/* An epoch whose commit is on its way out: its objects may go any time. */
static int leaving(const struct committing *c, const struct rsp_ref *ref)
{
    for (size_t i = 0; i < c->log->records_n; i++) {
        const struct rsp_record *r = c->log->records[i];
        if (r->kind != RSP_REC_COMMIT || !(r->state & RSP_RECORD_LOADED) || rsp_record_living(r)) continue;
        if (!memcmp(r->epoch, ref->epoch, ID_BYTES)) return 1;
    }
    return 0;
}

static int look(const struct committing *c)
{
    const struct rsp_record *r = &c->draft;
    char name[NAME_MAX_BYTES];
    int rc = RSP_OK;
    if (*c->envelope) rc = look_at(c, c->envelope, c->envelope_bytes);
    if (!rc) rc = look_at(c, c->manifest, r->manifest.stored);
    if (!rc && *c->refs) rc = look_at(c, c->refs, c->refs_bytes);
    for (size_t i = 0; i < r->refs_n && !rc; i++) {
        const struct rsp_ref *ref = &r->refs[i];
        name_object(name, ref->kind, ref->epoch, ref->object);
        rc = look_at(c, name, ref->stored);
        if (!rc && (!i || memcmp(ref->epoch, r->refs[i - 1].epoch, ID_BYTES) != 0) && leaving(c, ref))
            rc = fail(&c->w->env, RSP_ENOTFOUND, name,
                      "this belongs to a snapshot that has been retired: nothing was committed; back up once more");
    }
    return rc;
}

/* The log and everything that is referred to, seen within the hour before the commit. */
static int look_lately(struct committing *c)
{
    struct rsp_store *store = c->w->repo->store;
    struct rsp_log_options o = {.size = sizeof o, .source = c->w->source_id};
    int64_t before, after;
    int rc;
    for (int i = 0; i < LOOKS_MAX; i++) {
        rsp_log_free(c->log);
        c->log = NULL;
        if ((rc = rsp_store_now(store, &before))) return rc;
        if ((rc = rsp_log_load(c->w->repo, &o, &c->log))) return rc;
        if ((rc = look(c))) return rc;
        if ((rc = rsp_store_now(store, &after))) return rc;
        c->looked_ms = before;
        if (after >= before && after - before <= LOOK_AGAIN_MS) return RSP_OK;
    }
    return fail(
        &c->w->env, RSP_ETIMEOUT, rsp_store_url(store),
        "looking at what the snapshot needs took more than an hour, %d times: nothing was committed; see why the "
        "store is slow, or its clock jumps",
        LOOKS_MAX);
}

/* ---- the commit ---- */

static void fill_in(struct committing *c, const struct rsp_commit_facts *given)
{
    const struct rsp_snapshot_writer *w = c->w;
    struct rsp_commit_facts facts = {0};
    struct rsp_record *r = &c->draft;
    if (given) memcpy(&facts, given, given->size && given->size < sizeof facts ? given->size : sizeof facts);
    r->kind = RSP_REC_COMMIT;
    memcpy(r->source, w->source_id, ID_BYTES);
    memcpy(r->snapshot, w->snapshot, ID_BYTES);
    memcpy(r->epoch, w->epoch, ID_BYTES);
    epoch_commitment(w->key, w->repo->lineage, w->epoch, r->commitment);
    r->flags = facts.flags & ~(uint32_t)RSP_COMMIT_UNSEALED;
    if (w->options.unsealed) r->flags |= RSP_COMMIT_UNSEALED;
    r->keys = facts.keys;
    r->objects = w->refs_n;
    for (size_t i = 0; i < w->refs_n; i++) {
        r->plain += w->refs[i].plain;
        r->stored += w->refs[i].stored;
    }
}

static int commit(struct committing *c, const struct rsp_manifest *manifest, const struct rsp_commit_facts *facts,
                  struct rsp_record **record)
{
    int rc, grown, late = RSP_OK;
    fill_in(c, facts);
    if ((rc = repo_refresh_roles(c->w->repo, &grown))) return rc; /* who may read may have changed since it began */
    if ((rc = put_envelope(c))) return rc;
    if ((rc = put_manifest(c, manifest))) return rc;
    if ((rc = put_refs(c))) return rc;
    if ((rc = look_lately(c))) return rc;
    rc = rsp_record_publish(c->log, &c->draft, NULL, 0, record);
    if (*record && ((*record)->stored_ms < c->looked_ms || (*record)->stored_ms - c->looked_ms > LOOK_AGAIN_MS))
        late = look(c); /* a host that slept in between: prune may have been faster */
    if (late) {
        *record = NULL;
        return trail(&c->w->env, late, "the commit was published long after the look at what it needs");
    }
    if (!rc || !*record) return rc;
    /* It is published, and only the log in hand could not follow: the snapshot exists. */
    log_line(&c->w->env, RSP_LOG_WARN, "%s: committed, but the log in memory was not brought up to date: %s",
             c->w->source, rsp_status_text(rc));
    rsp_error_clear(c->w->env.error);
    return RSP_OK;
}

int rsp_snapshot_commit(struct rsp_snapshot_writer *w, const struct rsp_manifest *manifest,
                        const struct rsp_commit_facts *facts, struct rsp_log **log, struct rsp_record **record)
{
    struct committing *c;
    struct rsp_record *made = NULL;
    int rc;
    if (log) *log = NULL;
    if (record) *record = NULL;
    if (w->state != WRITER_BETWEEN || !w->streams_n)
        return fail(&w->env, RSP_ESTATE, w->source,
                    w->state == WRITER_ENDED
                        ? "the snapshot has been committed, or a fault has ended it"
                        : "a snapshot is committed when all its streams, at least one, have ended");
    w->state = WRITER_ENDED;
    c = mem_zero(&w->env, sizeof *c);
    if (!c) return RSP_ENOMEM;
    c->w = w;
    rc = commit(c, manifest, facts, &made);
    secret_free(w->key);
    w->key = NULL;
    if (!rc && log) {
        *log = c->log;
        c->log = NULL;
        if (record) *record = made;
    }
    rsp_log_free(c->log);
    mem_free(&w->env, c, sizeof *c);
    return rc;
}
