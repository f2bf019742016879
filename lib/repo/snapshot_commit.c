/* What this is: what makes a snapshot exist: envelope, manifest, a look at everything, then the commit record.
 * Rests on: snapshot_impl.h, seal/envelope.h.
 * Does not: undo: what was published before a fault is debris, and prune's. */
#include "repo/snapshot_impl.h"
#include "seal/envelope.h"

#define LOOK_AGAIN_MS (60 * 60 * 1000)
#define LOOKS_MAX 5

#define LOOKS_AT_ONCE 256

/* What all repositories get alike, sealed once. */
struct sealed_facts {
    struct buf manifest, refs; /* refs: none when they stand in the record */
    struct rsp_ref *all;       /* of all streams, in their order */
    size_t all_n;
    uint64_t plain, stored; /* of them */
    struct rsp_ref manifest_ref;
    uint8_t refs_hash[HASH_BYTES];
};

/* A commit under way in one repository: what it needs beside the writer's objects. */
struct committing {
    struct rsp_snapshot_writer *w;
    struct rsp_repo *repo;
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
    rc = readers_of(c->repo, &readers, &n);
    if (!rc) rc = envelope_publish(c->repo, w->epoch, w->key, readers, n, c->envelope, &c->envelope_bytes);
    mem_free(&c->repo->env, readers, n * sizeof *readers);
    return rc ? trail(&c->repo->env, rc, "publishing the snapshot's envelope") : RSP_OK;
}

static int encode_manifest(struct rsp_snapshot_writer *w, const struct rsp_manifest *facts, struct buf *out)
{
    struct rsp_manifest m = {0};
    struct buf *streams;
    size_t n = 0, at = 0;
    int rc;
    memcpy(&m, facts, facts->size && facts->size < sizeof m ? facts->size : sizeof m);
    memcpy(m.snapshot, w->snapshot, ID_BYTES);
    m.source = (struct rsp_span){(const uint8_t *)w->source, strlen(w->source)};
    if (!m.begun_ms) m.begun_ms = w->begun_ms;
    if (!m.finished_ms) m.finished_ms = (uint64_t)w->env.now_ms(w->env.clock_opaque);
    for (const struct rsp_stream_writer *p = w->streams; p; p = p->next) n++;
    streams = mem_alloc(&w->env, n * sizeof *streams);
    if (!streams) return RSP_ENOMEM;
    for (const struct rsp_stream_writer *p = w->streams; p; p = p->next) streams[at++] = p->encoded;
    rc = manifest_encode(out, &m, streams, n);
    mem_free(&w->env, streams, n * sizeof *streams);
    return rc;
}

static int seal_manifest(struct rsp_snapshot_writer *w, const struct rsp_manifest *facts, struct sealed_facts *f)
{
    struct object_head head = {
        .suite = w->options.unsealed ? SUITE_NONE : SUITE_CHACHA, .codec = CODEC_ZSTD, .kind = OBJECT_MANIFEST};
    struct rsp_ref *ref = &f->manifest_ref;
    struct object_done object;
    struct buf plain;
    int rc;
    buf_init(&plain, &w->env);
    memcpy(head.lineage, w->repo->lineage, ID_BYTES);
    memcpy(head.epoch, w->epoch, ID_BYTES);
    rc = encode_manifest(w, facts, &plain);
    if (!rc) rc = random_bytes(&w->env, head.object, ID_BYTES);
    if (!rc) rc = object_seal_small(&w->env, &head, w->key, (struct rsp_span){plain.p, plain.n}, &f->manifest, &object);
    if (!rc && f->manifest.n > MANIFEST_MAX)
        rc = fail(&w->env, RSP_ELIMIT, w->source, "the manifest has %zu bytes, more than %u; tell fewer facts",
                  f->manifest.n, MANIFEST_MAX);
    if (!rc) {
        ref->kind = OBJECT_MANIFEST;
        memcpy(ref->epoch, w->epoch, ID_BYTES);
        memcpy(ref->object, head.object, ID_BYTES);
        memcpy(ref->sha256, object.sha256, sizeof ref->sha256);
        ref->stored = f->manifest.n;
    }
    if (plain.p) wipe(plain.p, plain.n);
    buf_free(&plain);
    return rc;
}

static int gather_refs(struct rsp_snapshot_writer *w, struct sealed_facts *f)
{
    size_t at = 0;
    for (const struct rsp_stream_writer *s = w->streams; s; s = s->next) f->all_n += s->refs_n;
    f->all = mem_alloc(&w->env, f->all_n * sizeof *f->all); /* a stream has one at least */
    if (!f->all) return RSP_ENOMEM;
    for (const struct rsp_stream_writer *s = w->streams; s; s = s->next) {
        memcpy(f->all + at, s->commit_refs, s->refs_n * sizeof *f->all);
        at += s->refs_n;
        for (size_t i = 0; i < s->refs_n; i++) {
            f->plain += s->refs[i].plain;
            f->stored += s->refs[i].stored;
        }
    }
    return RSP_OK;
}

/* The references, when they are too many to stand in the record. */
static int encode_refs(struct rsp_snapshot_writer *w, struct sealed_facts *f)
{
    int rc;
    if (f->all_n <= REFS_INLINE / REF_BYTES) return RSP_OK;
    rc = refs_encode(&f->refs, f->all, f->all_n);
    if (!rc && f->refs.n > REFS_FILE_MAX)
        rc = fail(&w->env, RSP_ELIMIT, w->source,
                  "a snapshot of %zu objects is more than a commit can name; make larger objects", f->all_n);
    if (!rc) hash256(f->refs_hash, f->refs.p, f->refs.n);
    return rc;
}

static int put_manifest(struct committing *c, const struct sealed_facts *f)
{
    int rc;
    c->draft.manifest = f->manifest_ref;
    name_object(c->manifest, OBJECT_MANIFEST, f->manifest_ref.epoch, f->manifest_ref.object);
    rc = rsp_store_put(c->repo->store, c->manifest, f->manifest.p, f->manifest.n);
    return rc ? trail(&c->repo->env, rc, "publishing the snapshot's manifest") : RSP_OK;
}

static int put_refs(struct committing *c, const struct sealed_facts *f)
{
    struct rsp_record *r = &c->draft;
    int rc;
    r->refs = f->all;
    r->refs_n = f->all_n;
    if (!f->refs.n) return RSP_OK;
    r->refs_apart = 1;
    memcpy(r->refs_hash, f->refs_hash, HASH_BYTES);
    name_hashed(c->refs, "refs", r->refs_hash);
    c->refs_bytes = f->refs.n;
    rc = rsp_store_put(c->repo->store, c->refs, f->refs.p, f->refs.n);
    return rc ? trail(&c->repo->env, rc, "publishing the snapshot's references") : RSP_OK;
}

/* ---- the look at everything ---- */

/* Names that are looked at together, and the sizes that they must have. */
struct looking {
    const struct committing *c;
    char (*names)[NAME_MAX_BYTES];
    const char **list;
    uint64_t *bytes;
    size_t n;
};

static int judge_look(void *opaque, size_t i, int rc, const struct rsp_store_item *item)
{
    const struct looking *l = opaque;
    const struct rsp_env *env = &l->c->repo->env;
    if (rc == RSP_ENOTFOUND) {
        if (env->error && env->error->code == rc) rsp_error_clear(env->error);
        return fail(env, rc, l->list[i],
                    "this was stored and is gone again: nothing was committed; back up once more, and find "
                    "out who removed it");
    }
    if (!rc && item->bytes != l->bytes[i])
        return fail(env, RSP_ENOTFOUND, l->list[i],
                    "this was stored with %llu bytes and has %llu now: nothing was committed; back up once more",
                    (unsigned long long)l->bytes[i], (unsigned long long)item->bytes);
    return rc;
}

static int look_now(struct looking *l)
{
    int rc = rsp_store_stat_many(l->c->repo->store, l->list, l->n, judge_look, l);
    l->n = 0;
    return rc;
}

static int look_at(struct looking *l, const char *name, uint64_t bytes)
{
    memcpy(l->names[l->n], name, strlen(name) + 1);
    l->list[l->n] = l->names[l->n];
    l->bytes[l->n++] = bytes;
    return l->n == LOOKS_AT_ONCE ? look_now(l) : RSP_OK;
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

static int look_everywhere(struct looking *l)
{
    const struct committing *c = l->c;
    const struct rsp_record *r = &c->draft;
    char name[NAME_MAX_BYTES];
    int rc = RSP_OK;
    if (*c->envelope) rc = look_at(l, c->envelope, c->envelope_bytes);
    if (!rc) rc = look_at(l, c->manifest, r->manifest.stored);
    if (!rc && *c->refs) rc = look_at(l, c->refs, c->refs_bytes);
    for (size_t i = 0; i < r->refs_n && !rc; i++) {
        const struct rsp_ref *ref = &r->refs[i];
        name_object(name, ref->kind, ref->epoch, ref->object);
        rc = look_at(l, name, ref->stored);
        if (!rc && (!i || memcmp(ref->epoch, r->refs[i - 1].epoch, ID_BYTES) != 0) && leaving(c, ref))
            rc = fail(&c->repo->env, RSP_ENOTFOUND, name,
                      "this belongs to a snapshot that has been retired: nothing was committed; back up once more");
    }
    return rc || !l->n ? rc : look_now(l);
}

static int look(const struct committing *c)
{
    const struct rsp_env *env = &c->repo->env;
    struct looking l = {.c = c};
    int rc = RSP_ENOMEM;
    l.names = mem_alloc(env, LOOKS_AT_ONCE * sizeof *l.names);
    l.list = mem_alloc(env, LOOKS_AT_ONCE * sizeof *l.list);
    l.bytes = mem_alloc(env, LOOKS_AT_ONCE * sizeof *l.bytes);
    if (l.names && l.list && l.bytes) rc = look_everywhere(&l);
    mem_free(env, l.bytes, LOOKS_AT_ONCE * sizeof *l.bytes);
    mem_free(env, l.list, LOOKS_AT_ONCE * sizeof *l.list);
    mem_free(env, l.names, LOOKS_AT_ONCE * sizeof *l.names);
    return rc;
}

/* The log and everything that is referred to, seen within the hour before the commit. */
static int look_lately(struct committing *c)
{
    struct rsp_store *store = c->repo->store;
    struct rsp_log_options o = {.size = sizeof o, .source = c->w->source_id};
    int64_t before, after;
    int rc;
    for (int i = 0; i < LOOKS_MAX; i++) {
        rsp_log_free(c->log);
        c->log = NULL;
        if ((rc = rsp_store_now(store, &before))) return rc;
        if ((rc = rsp_log_load(c->repo, &o, &c->log))) return rc;
        if ((rc = look(c))) return rc;
        if ((rc = rsp_store_now(store, &after))) return rc;
        c->looked_ms = before;
        if (after >= before && after - before <= LOOK_AGAIN_MS) return RSP_OK;
    }
    return fail(
        &c->repo->env, RSP_ETIMEOUT, rsp_store_url(store),
        "looking at what the snapshot needs took more than an hour, %d times: nothing was committed; see why the "
        "store is slow, or its clock jumps",
        LOOKS_MAX);
}

/* ---- the commit ---- */

static void fill_in(struct committing *c, const struct sealed_facts *f, const struct rsp_commit_facts *given)
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
    r->origin_ms = facts.origin_ms;
    r->time_ms = facts.origin_ms ? facts.time_ms : 0;
    r->objects = f->all_n;
    r->plain = f->plain;
    r->stored = f->stored;
}

static int commit(struct committing *c, const struct sealed_facts *f, const struct rsp_commit_facts *facts,
                  struct rsp_record **record)
{
    const struct rsp_env *env = &c->repo->env;
    int rc, grown, late = RSP_OK;
    fill_in(c, f, facts);
    if ((rc = repo_refresh_roles(c->repo, &grown))) return rc; /* who may read may have changed since it began */
    if ((rc = put_envelope(c))) return rc;
    if ((rc = put_manifest(c, f))) return rc;
    if ((rc = put_refs(c, f))) return rc;
    if ((rc = look_lately(c))) return rc;
    rc = rsp_record_publish(c->log, &c->draft, NULL, 0, record);
    if (*record && ((*record)->stored_ms < c->looked_ms || (*record)->stored_ms - c->looked_ms > LOOK_AGAIN_MS))
        late = look(c); /* a host that slept in between: prune may have been faster */
    if (late) {
        *record = NULL;
        return trail(env, late, "the commit was published long after the look at what it needs");
    }
    if (!rc || !*record) return rc;
    /* It is published, and only the log in hand could not follow: the snapshot exists. */
    log_line(env, RSP_LOG_WARN, "%s: committed, but the log in memory was not brought up to date: %s", c->w->source,
             rsp_status_text(rc));
    rsp_error_clear(env->error);
    return RSP_OK;
}

static int commit_at(struct rsp_snapshot_writer *w, struct place *p, const struct sealed_facts *f,
                     const struct rsp_commit_facts *facts, struct rsp_commit_result *result)
{
    struct committing *c = mem_zero(&w->env, sizeof *c);
    int rc;
    if (!c) return RSP_ENOMEM;
    c->w = w;
    c->repo = p->repo;
    rc = commit(c, f, facts, &result->record);
    if (!rc) {
        result->log = c->log;
        c->log = NULL;
    }
    rsp_log_free(c->log);
    mem_free(&w->env, c, sizeof *c);
    return rc;
}

static int commit_everywhere(struct rsp_snapshot_writer *w, const struct sealed_facts *f,
                             const struct rsp_commit_facts *facts, struct rsp_commit_result *results)
{
    for (size_t i = 0; i < w->places_n; i++) {
        struct place *p = &w->places[i];
        int rc = p->status ? RSP_OK : commit_at(w, p, f, facts, &results[i]);
        if (rc) place_fault(w, p, rc);
        results[i].status = p->status;
        results[i].words = p->words;
    }
    return places_first(w) ? RSP_OK : w->places[0].status;
}

int rsp_snapshot_commit_all(struct rsp_snapshot_writer *w, const struct rsp_manifest *manifest,
                            const struct rsp_commit_facts *facts, struct rsp_commit_result *results)
{
    struct sealed_facts f;
    int rc;
    memset(results, 0, w->places_n * sizeof *results);
    for (size_t i = 0; i < w->places_n; i++) {
        results[i].status = w->places[i].status ? w->places[i].status : RSP_ESTATE;
        results[i].words = w->places[i].words;
    }
    rc = writer_rest(w);
    if (!rc && !w->streams)
        rc = fail(&w->env, RSP_ESTATE, w->source,
                  "a snapshot is committed when all its streams, at least one, have ended");
    if (rc) return rc;
    w->state = WRITER_ENDED;
    memset(&f, 0, sizeof f);
    buf_init(&f.manifest, &w->env);
    buf_init(&f.refs, &w->env);
    rc = seal_manifest(w, manifest, &f);
    if (!rc) rc = gather_refs(w, &f);
    if (!rc) rc = encode_refs(w, &f);
    if (!rc) rc = commit_everywhere(w, &f, facts, results);
    secret_free(w->key);
    w->key = NULL;
    mem_free(&w->env, f.all, f.all_n * sizeof *f.all);
    buf_free(&f.manifest);
    buf_free(&f.refs);
    return rc;
}

int rsp_snapshot_commit(struct rsp_snapshot_writer *w, const struct rsp_manifest *manifest,
                        const struct rsp_commit_facts *facts, struct rsp_log **log, struct rsp_record **record)
{
    struct rsp_commit_result results[SNAPSHOT_PLACES_MAX];
    int rc = rsp_snapshot_commit_all(w, manifest, facts, results);
    if (log) *log = rc ? NULL : results[0].log;
    if (record) *record = rc || !log ? NULL : results[0].record;
    for (size_t i = rc || !log ? 0 : 1; i < w->places_n; i++) rsp_log_free(results[i].log);
    return rc;
}
