/* What this is: the manifest's plaintext, written and read.
 * Rests on: repo_impl.h, seal/items.h, seal/object.h.
 * Does not: seal or fetch one. respite-format(5), "Manifest". */
#ifndef REPO_MANIFEST_H
#define REPO_MANIFEST_H

#include "repo/repo_impl.h"
#include "seal/object.h"

#define MANIFEST_MAX (64u << 20) /* bytes, as stored and as plaintext */
#define MANIFEST_SOURCE_MAX 200  /* bytes of a source's name */
#define MANIFEST_NAME_MAX 1024   /* bytes of a stream's name */
#define MANIFEST_ENTRIES_MAX (1u << 20)
#define FULL_REF_BYTES 89 /* and the hint behind them */

/* What a sealed object is, for whoever opens it: from a place that was sealed itself. */
struct full_ref {
    uint8_t kind, hint_n;
    uint8_t epoch[ID_BYTES], object[ID_BYTES], table_hash[HASH_BYTES], hint[64];
    uint32_t number; /* in its stream */
    uint64_t plain, offset, stored;
    uint8_t sha256[32]; /* of its stored bytes; the signed commit says it, not the manifest */
};

/* 1 when it is 1 to MANIFEST_SOURCE_MAX bytes of printable ASCII without blanks. */
int source_name_valid(struct rsp_span name);

/* Appends what stands in a stream's item. */
int manifest_stream_encode(struct buf *out, const struct rsp_stream_info *info, const struct full_ref *refs, size_t n);
/* Appends the manifest: m's facts but for its streams, which stand encoded in streams. RSP_EINVAL: a fact that no
 * reader would take. */
int manifest_encode(struct buf *out, const struct rsp_manifest *m, const struct buf *streams, size_t streams_n);

/* A growing array of one sort of entry. */
struct rows {
    void *p;
    size_t n, cap, each; /* each: bytes of an entry */
};
enum { ROWS_AUX, ROWS_CAPTURED, ROWS_TAGS, ROWS_DBS, ROWS_LOSSES, ROWS_STREAMS, ROWS_REFS, ROWS_N };

struct manifest {
    struct rsp_env env;
    struct rsp_manifest pub;
    struct rows rows[ROWS_N]; /* what pub shows; ROWS_REFS: a struct rows of struct full_ref for each stream */
    struct buf bytes;         /* everything points in here; unknown items are kept in it too */
};
static inline struct full_ref *manifest_refs_of(struct manifest *m, size_t stream, size_t *n)
{
    const struct rows *r = (const struct rows *)m->rows[ROWS_REFS].p + stream;
    *n = r->n;
    return r->p;
}
static inline const struct full_ref *manifest_refs(const struct manifest *m, size_t stream, size_t *n)
{
    const struct rows *r = (const struct rows *)m->rows[ROWS_REFS].p + stream;
    *n = r->n;
    return r->p;
}
/* Takes bytes over in any case. RSP_EINTEGRITY: malformed; RSP_EVERSION: made by a newer release; both say what and
 * where with subject as the subject. */
int manifest_decode(const struct rsp_env *env, struct buf *bytes, const char *subject, struct manifest **ret);
void manifest_free(struct manifest *m);

#endif
