/* What this is: the chunk table of a sealed object, written and read.
 * Rests on: object_impl.h.
 * Does not: fetch anything. */
#include "base/bytes.h"
#include "seal/object_impl.h"

int object_table_begin(struct buf *t)
{
    static const uint8_t count[4];
    return buf_add(t, count, sizeof count);
}

int object_table_add(struct buf *t, const struct object_chunk *chunk)
{
    uint8_t *p;
    int rc = buf_reserve(t, TABLE_ENTRY_MIN + NOTE_MAX);
    if (rc) return rc;
    p = t->p + t->n;
    store_le64(p, chunk->plain_offset);
    store_le32(p + 8, chunk->plain);
    store_le32(p + 12, chunk->stored);
    p[16] = chunk->note_n;
    memcpy(p + 17, chunk->note, chunk->note_n);
    t->n += TABLE_ENTRY_MIN + (size_t)chunk->note_n;
    return RSP_OK;
}

int object_table_seal(struct buf *t, uint32_t chunks, int suite, const uint8_t key[KEY_BYTES])
{
    struct object_nonce nonce = object_table_nonce();
    int rc = buf_reserve(t, TAG_BYTES);
    if (rc) return rc;
    store_le32(t->p, chunks);
    object_seal(suite, t->p, t->p, t->n, &nonce, key);
    t->n += TAG_BYTES;
    return RSP_OK;
}

static int bad(const struct object_reader *r, uint64_t offset, uint32_t i, const char *what)
{
    return fail_at(&r->env, RSP_EINTEGRITY, r->subject, offset, "the chunk table's entry %u %s", (unsigned)i, what);
}

/* One entry at p; *used becomes its size. */
static int read_entry(struct object_reader *r, const uint8_t *p, size_t n, uint32_t i, uint64_t plain_at,
                      uint64_t stored_at, size_t *used, uint64_t where)
{
    struct object_chunk *c = &r->chunks[i];
    const struct object_head *h = &r->head;
    if (n < TABLE_ENTRY_MIN || p[16] > NOTE_MAX || p[16] > n - TABLE_ENTRY_MIN)
        return bad(r, where, i, "does not fit into the table");
    c->plain_offset = load_le64(p);
    c->plain = load_le32(p + 8);
    c->stored = load_le32(p + 12);
    c->note_n = p[16];
    memcpy(c->note, p + TABLE_ENTRY_MIN, c->note_n);
    c->stored_offset = stored_at;
    *used = TABLE_ENTRY_MIN + (size_t)c->note_n;
    if (c->plain_offset != plain_at) return bad(r, where, i, "does not begin where the one before it ends");
    if (c->plain > h->chunk_bytes) return bad(r, where, i, "is larger than the header's largest chunk");
    if (!c->plain && r->chunks_n != 1) return bad(r, where, i, "is empty");
    if (c->plain > OBJECT_PLAIN_MAX - plain_at) return bad(r, where, i, "passes the largest size of an object");
    if (c->stored < TAG_BYTES || c->stored > object_stored_max(h->chunk_bytes) ||
        (h->codec == CODEC_STORED && c->stored - TAG_BYTES != c->plain))
        return bad(r, where, i, "has a stored size that it cannot have");
    return RSP_OK;
}

int object_table_read(struct object_reader *r, const uint8_t *p, size_t n, uint64_t data_end)
{
    uint64_t plain = 0, stored = r->head.head_bytes, where = r->base + data_end;
    size_t at = 4;
    uint32_t count;
    int rc;
    count = n < 4 ? 0 : load_le32(p);
    if (!count || count > OBJECT_CHUNKS_MAX || count > (n - 4) / TABLE_ENTRY_MIN)
        return fail_at(&r->env, RSP_EINTEGRITY, r->subject, where, "the chunk table claims %lu chunks in %zu bytes",
                       (unsigned long)count, n);
    r->chunks = mem_zero(&r->env, count * sizeof *r->chunks);
    if (!r->chunks) return RSP_ENOMEM;
    r->chunks_n = count;
    for (uint32_t i = 0; i < count; i++) {
        size_t used = 0;
        rc = read_entry(r, p + at, n - at, i, plain, stored, &used, where);
        if (rc) return rc;
        at += used;
        plain += r->chunks[i].plain;
        stored += r->chunks[i].stored;
        if (stored > data_end) return bad(r, where, i, "reaches past the stored chunks");
    }
    if (stored != data_end)
        return fail_at(&r->env, RSP_EINTEGRITY, r->subject, where, "%llu stored bytes belong to no chunk",
                       (unsigned long long)(data_end - stored));
    r->plain = plain;
    rc = object_items_check(p + at, n - at);
    if (rc) return fail_at(&r->env, rc, r->subject, where, "behind the chunk table's entries stands what is not known");
    return RSP_OK;
}
