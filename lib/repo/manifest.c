/* What this is: writing a manifest, and the rule for names of sources.
 * Rests on: manifest.h, seal/items.h.
 * Does not: write what its own reader would refuse. */
#include "repo/manifest.h"

#include "base/bytes.h"
#include "seal/items.h"

int source_name_valid(struct rsp_span name)
{
    if (!name.n || name.n > MANIFEST_SOURCE_MAX) return 0;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= 0x20 || name.p[i] >= 0x7f) return 0;
    return 1;
}

/* An item that is left out when it is empty. */
static int add_some(struct buf *b, uint16_t tag, struct rsp_span v)
{
    return v.n ? item_add(b, tag, v.p, v.n) : RSP_OK;
}

static int add_position(struct buf *b, const struct rsp_stream_info *s)
{
    size_t at;
    int rc;
    if (!s->replid.n && !s->has_offset && !s->slots.n && !s->role.n) return RSP_OK;
    if ((rc = item_begin(b, 4, &at))) return rc;
    if ((rc = add_some(b, 1, s->replid))) return rc;
    if (s->has_offset) {
        if ((rc = item_u64(b, 2, s->offset))) return rc;
        if ((rc = item_u32(b, 3, s->db))) return rc;
    }
    if ((rc = add_some(b, 4, s->slots))) return rc;
    if ((rc = add_some(b, 5, s->role))) return rc;
    return item_end(b, at);
}

static int add_ref(struct buf *b, const struct full_ref *ref)
{
    size_t at;
    int rc;
    if ((rc = item_begin(b, 16 | ITEM_CRITICAL, &at))) return rc;
    if ((rc = buf_byte(b, ref->kind))) return rc;
    if ((rc = buf_add(b, ref->epoch, ID_BYTES))) return rc;
    if ((rc = buf_add(b, ref->object, ID_BYTES))) return rc;
    if ((rc = buf_u64(b, ref->plain))) return rc;
    if ((rc = buf_add(b, ref->table_hash, HASH_BYTES))) return rc;
    if ((rc = buf_u64(b, ref->offset))) return rc;
    if ((rc = buf_u64(b, ref->stored))) return rc;
    if ((rc = buf_add(b, ref->hint, ref->hint_n))) return rc;
    return item_end(b, at);
}

int manifest_stream_encode(struct buf *out, const struct rsp_stream_info *info, const struct full_ref *refs, size_t n)
{
    int rc;
    if (!info->name.n || info->name.n > MANIFEST_NAME_MAX)
        return fail(out->env, RSP_EINVAL, NULL, "a stream's name has %zu bytes; 1 to %d are allowed", info->name.n,
                    MANIFEST_NAME_MAX);
    if ((rc = item_add(out, 1 | ITEM_CRITICAL, info->name.p, info->name.n))) return rc;
    if ((rc = item_u8(out, 2 | ITEM_CRITICAL, info->kind))) return rc;
    if ((rc = item_u8(out, 3 | ITEM_CRITICAL, 1))) return rc;
    if ((rc = add_position(out, info))) return rc;
    if ((rc = item_u64(out, 5 | ITEM_CRITICAL, info->plain))) return rc;
    if (info->has_dd1 && (rc = item_add(out, 7, info->dd1, sizeof info->dd1))) return rc;
    if ((rc = item_u64(out, 8, info->records))) return rc;
    if ((rc = add_some(out, 9, info->place))) return rc;
    if ((rc = add_some(out, 10, info->node))) return rc;
    if (info->taken_ms && (rc = item_u64(out, 11, info->taken_ms))) return rc;
    for (size_t i = 0; i < n; i++)
        if ((rc = add_ref(out, &refs[i]))) return rc;
    return RSP_OK;
}

static int add_pairs(struct buf *b, uint16_t tag, const struct rsp_pair *pairs, size_t n)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < n && !rc; i++)
        rc = item_pair(b, tag, pairs[i].name.p, pairs[i].name.n, pairs[i].value.p, pairs[i].value.n);
    return rc;
}

static int add_server(struct buf *b, const struct rsp_manifest *m)
{
    size_t at;
    int rc;
    if (!m->server_kind.n && !m->server_version.n && !m->server_run_id.n && !m->server_place.n) return RSP_OK;
    if ((rc = item_begin(b, 6, &at))) return rc;
    if ((rc = add_some(b, 1, m->server_kind))) return rc;
    if ((rc = add_some(b, 2, m->server_version))) return rc;
    if ((rc = add_some(b, 3, m->server_run_id))) return rc;
    if ((rc = add_some(b, 4, m->server_place))) return rc;
    return item_end(b, at);
}

static int add_dbs(struct buf *b, const struct rsp_manifest *m)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < m->dbs_n && !rc; i++) {
        uint8_t row[20];
        store_le32(row, m->dbs[i].db);
        store_le64(row + 4, m->dbs[i].keys);
        store_le64(row + 12, m->dbs[i].expires);
        rc = item_add(b, 8, row, sizeof row);
    }
    return rc;
}

static int add_losses(struct buf *b, const struct rsp_manifest *m)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < m->losses_n && !rc; i++) rc = item_add(b, 12, m->losses[i].p, m->losses[i].n);
    return rc;
}

static int add_streams(struct buf *b, const struct buf *streams, size_t n)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < n && !rc; i++) rc = item_add(b, 16 | ITEM_CRITICAL, streams[i].p, streams[i].n);
    return rc;
}

static int too_many(const struct rsp_manifest *m, size_t streams_n)
{
    const size_t counts[] = {m->aux_n, m->captured_n, m->tags_n, m->dbs_n, m->losses_n, streams_n};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        if (counts[i] > MANIFEST_ENTRIES_MAX) return 1;
    return 0;
}

int manifest_encode(struct buf *out, const struct rsp_manifest *m, const struct buf *streams, size_t streams_n)
{
    size_t start = out->n;
    int rc;
    if (!source_name_valid(m->source))
        return fail(out->env, RSP_EINVAL, NULL,
                    "a source's name is 1 to %d bytes of printable ASCII without blanks; choose another",
                    MANIFEST_SOURCE_MAX);
    if (too_many(m, streams_n))
        return fail(out->env, RSP_ELIMIT, NULL, "a manifest holds at most %u entries of a sort; tell fewer facts",
                    MANIFEST_ENTRIES_MAX);
    if ((rc = buf_add(out, "RSPMAN1\n", 8))) return rc;
    if ((rc = item_u32(out, 1 | ITEM_CRITICAL, 1))) return rc;
    if ((rc = item_add(out, 2 | ITEM_CRITICAL, m->snapshot, ID_BYTES))) return rc;
    if ((rc = item_add(out, 3 | ITEM_CRITICAL, m->source.p, m->source.n))) return rc;
    if ((rc = item_u64(out, 4, m->begun_ms))) return rc;
    if ((rc = item_u64(out, 5, m->finished_ms))) return rc;
    if ((rc = add_server(out, m))) return rc;
    if ((rc = add_pairs(out, 7, m->aux, m->aux_n))) return rc;
    if ((rc = add_dbs(out, m))) return rc;
    if ((rc = add_pairs(out, 9, m->captured, m->captured_n))) return rc;
    if ((rc = add_pairs(out, 10, m->tags, m->tags_n))) return rc;
    if ((rc = add_some(out, 11, m->tool))) return rc;
    if ((rc = add_losses(out, m))) return rc;
    if ((rc = add_streams(out, streams, streams_n))) return rc;
    if (out->n - start > MANIFEST_MAX)
        return fail(out->env, RSP_ELIMIT, NULL, "the manifest would have %zu bytes, more than %u; tell fewer facts",
                    out->n - start, MANIFEST_MAX);
    return RSP_OK;
}
