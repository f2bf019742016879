/* What this is: a snapshot opened and sealed anew for a repository of any lineage.
 * Rests on: snapshot_impl.h.
 * Does not: keep who signed it: the new commit is the target's writer's word. */
#include <string.h>

#include "repo/log_impl.h"
#include "repo/snapshot_impl.h"

#define CHUNK_LEAST 4096

struct rekey {
    const struct rsp_record *commit;
    struct rsp_repo *from, *to;
    struct rsp_rekey_options o;
    struct rsp_snapshot *snapshot;
    const struct rsp_manifest *m;
    struct rsp_snapshot_writer *w;
    struct rsp_stream_writer *stream; /* the one that is being written */
    size_t largest;                   /* chunk */
    uint64_t done;
};

void rsp_rekey_id(const struct rsp_record *commit, const uint8_t lineage[16], uint8_t id[16])
{
    uint8_t text[13 + 2 * ID_BYTES], hash[HASH_BYTES];
    memcpy(text, "respite rekey", 13);
    memcpy(text + 13, commit->snapshot, ID_BYTES);
    memcpy(text + 13 + ID_BYTES, lineage, ID_BYTES);
    hash256(hash, text, sizeof text);
    memcpy(id, hash, ID_BYTES);
}

/* The tables of all objects are read here once: sizes and notes are known afterwards. */
static int measure(struct rekey *k)
{
    struct rsp_chunk_info info;
    k->largest = CHUNK_LEAST;
    for (size_t s = 0; s < k->m->streams_n; s++)
        for (uint64_t i = 0;; i++) {
            int rc = rsp_snapshot_chunk_info(k->snapshot, s, i, &info);
            if (rc == RSP_END) break;
            if (rc) return rc;
            if (info.plain > k->largest) k->largest = (size_t)info.plain;
        }
    return RSP_OK;
}

static int begin(struct rekey *k)
{
    struct rsp_snapshot_options o = {
        .size = sizeof o, .level = k->o.level, .threads = k->o.threads, .chunk_bytes = k->largest};
    char source[MANIFEST_SOURCE_MAX + 1];
    int rc;
    memcpy(source, k->m->source.p, k->m->source.n < MANIFEST_SOURCE_MAX ? k->m->source.n : MANIFEST_SOURCE_MAX);
    source[k->m->source.n < MANIFEST_SOURCE_MAX ? k->m->source.n : MANIFEST_SOURCE_MAX] = 0;
    o.source = k->o.source ? k->o.source : source;
    rc = rsp_snapshot_begin(k->to, &o, &k->w);
    if (!rc) rsp_rekey_id(k->commit, k->to->lineage, k->w->snapshot); /* so that it is not made twice */
    return rc;
}

/* Exactly n bytes of the stream. */
static int fill(struct rekey *k, struct rsp_source *source, uint8_t *p, size_t n)
{
    for (size_t at = 0, got; at < n; at += got) {
        int rc = rsp_source_read(source, p + at, n - at, &got);
        if (rc == RSP_END) return fail(&k->from->env, RSP_EINTEGRITY, NULL, "a stream ends before its chunks do");
        if (rc) return rc;
    }
    return RSP_OK;
}

static int copy_chunk(struct rekey *k, struct rsp_source *source, const struct rsp_chunk_info *info)
{
    uint8_t *chunk = NULL;
    size_t cap = 0, n = (size_t)info->plain;
    int rc;
    if (k->o.cancel && *k->o.cancel)
        return fail(&k->to->env, RSP_ECANCELED, rsp_store_url(k->to->store), "copying was cancelled");
    if (!n) return RSP_OK;
    rc = rsp_stream_chunk(k->stream, &chunk, &cap);
    if (rc) return rc;
    rc = n <= cap ? fill(k, source, chunk, n) : fail(&k->to->env, RSP_EINTEGRITY, info->object, "a chunk has grown");
    if (rc) {
        (void)!rsp_stream_submit(k->stream, chunk, 0, NULL, 0);
        return rc;
    }
    rc = rsp_stream_submit(k->stream, chunk, n, info->note.p, info->note.n);
    k->done += n;
    if (!rc && k->o.progress) k->o.progress(k->o.opaque, k->done, k->commit->plain);
    return rc;
}

/* To the very end: only then the stored bytes have been compared with what was signed. */
static int at_end(struct rekey *k, struct rsp_source *source)
{
    uint8_t one;
    size_t got = 0;
    int rc = rsp_source_read(source, &one, 1, &got);
    if (rc == RSP_END) return RSP_OK;
    return rc ? rc : fail(&k->from->env, RSP_EINTEGRITY, NULL, "a stream is longer than its chunks");
}

static int copy_stream(struct rekey *k, size_t s)
{
    const struct rsp_stream_info *facts = &k->m->streams[s];
    struct rsp_source *source = NULL;
    struct rsp_chunk_info info;
    char *name = mem_alloc(&k->to->env, facts->name.n + 1);
    int rc = name ? RSP_OK : RSP_ENOMEM;
    if (!rc) {
        memcpy(name, facts->name.p, facts->name.n);
        name[facts->name.n] = 0;
        rc = rsp_snapshot_stream(k->w, NULL, name, facts->kind, 0, 0, &k->stream);
        mem_free(&k->to->env, name, facts->name.n + 1);
    }
    if (!rc) rc = rsp_snapshot_source(k->snapshot, s, 0, k->o.threads, &source);
    for (uint64_t i = 0; !rc; i++) {
        rc = rsp_snapshot_chunk_info(k->snapshot, s, i, &info);
        if (!rc) rc = copy_chunk(k, source, &info);
    }
    if (rc == RSP_END) rc = at_end(k, source);
    rsp_source_free(source);
    return rc ? rc : rsp_stream_end(k->stream, facts);
}

static int publish(struct rekey *k, struct rsp_log **log, struct rsp_record **record)
{
    const uint32_t kept = RSP_COMMIT_GOOD | RSP_COMMIT_DAMAGED | RSP_COMMIT_PARTIAL | RSP_COMMIT_FULL |
                          RSP_COMMIT_QUICK;
    const int64_t arrived = record_arrival(k->from, k->commit), ms = k->commit->effective_ms;
    struct rsp_commit_facts facts = {.size = sizeof facts, .flags = k->commit->flags & kept, .keys = k->commit->keys};
    struct rsp_manifest m = *k->m;
    size_t n = k->m->tags_n;
    struct rsp_pair *tags = mem_zero(&k->to->env, (n + 1) * sizeof *tags);
    char hex[2 * ID_BYTES + 1];
    int rc;
    if (!tags) return RSP_ENOMEM;
    facts.origin_ms = arrived > 0 ? (uint64_t)arrived : 1;
    facts.time_ms = ms > 0 ? (uint64_t)ms : 1;
    if (n) memcpy(tags, k->m->tags, n * sizeof *tags);
    hex_text(hex, k->commit->snapshot, ID_BYTES);
    tags[n].name = (struct rsp_span){(const uint8_t *)"rekeyed-from", 12};
    tags[n].value = (struct rsp_span){(const uint8_t *)hex, sizeof hex - 1};
    m.size = sizeof m;
    m.tags = tags;
    m.tags_n = n + 1;
    rc = rsp_snapshot_commit(k->w, &m, &facts, log, record);
    mem_free(&k->to->env, tags, (n + 1) * sizeof *tags);
    return rc;
}

int rsp_rekey(struct rsp_repo *from, const struct rsp_record *commit, struct rsp_repo *to,
              const struct rsp_rekey_options *options, struct rsp_log **log, struct rsp_record **record)
{
    struct rekey k;
    int rc;
    memset(&k, 0, sizeof k);
    k.commit = commit;
    k.from = from;
    k.to = to;
    if (options) memcpy(&k.o, options, options->size < sizeof k.o ? options->size : sizeof k.o);
    *log = NULL;
    *record = NULL;
    rc = rsp_snapshot_open(from, commit, &k.snapshot);
    if (!rc) k.m = rsp_snapshot_manifest(k.snapshot);
    if (!rc) rc = measure(&k);
    if (!rc) rc = begin(&k);
    for (size_t s = 0; !rc && s < k.m->streams_n; s++) rc = copy_stream(&k, s);
    if (!rc) rc = publish(&k, log, record);
    rsp_snapshot_writer_free(k.w);
    rsp_snapshot_free(k.snapshot);
    return rc ? trail(&to->env, rc, "sealing a snapshot anew") : RSP_OK;
}
