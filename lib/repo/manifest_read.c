/* What this is: reading a manifest: strictly, whoever may have written it.
 * Rests on: manifest.h, seal/items.h.
 * Does not: look at the objects that it names; snapshot_read.c does. */
#include "repo/manifest.h"

#include "base/bytes.h"
#include "seal/items.h"

struct reading {
    struct manifest *m;
    const struct rsp_env *env;
    const char *subject;
};

static int bad(const struct reading *r, const uint8_t *at, const char *what)
{
    return fail_at(r->env, RSP_EINTEGRITY, r->subject, (uint64_t)(at - r->m->bytes.p),
                   "the manifest is malformed: %s; restore another snapshot", what);
}

/* An item that is not known here. */
static int unknown(const struct reading *r, const struct item *i)
{
    if (!(i->tag & ITEM_CRITICAL)) return RSP_OK;
    return fail_at(r->env, RSP_EVERSION, r->subject, (uint64_t)(i->v.p - r->m->bytes.p),
                   "the manifest has a critical item %u that this release does not know; use a newer release",
                   (unsigned)ITEM_NUMBER(i->tag));
}

/* Room for one more entry; it is cleared. */
static int rows_add(const struct rsp_env *env, struct rows *rows, size_t each, void **ret)
{
    uint8_t *p;
    if (rows->n == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 4;
        if (cap > env->limits.alloc_bytes / each)
            return fail(env, RSP_ELIMIT, NULL, "%zu entries of a manifest would exceed the limit of memory", cap);
        p = mem_resize(env, rows->p, rows->cap * each, cap * each);
        if (!p) return RSP_ENOMEM;
        rows->p = p;
        rows->cap = cap;
        rows->each = each;
    }
    p = (uint8_t *)rows->p + rows->n++ * each;
    memset(p, 0, each);
    *ret = p;
    return RSP_OK;
}

static int entry(const struct reading *r, int which, size_t each, const struct item *i, void **ret)
{
    struct rows *rows = &r->m->rows[which];
    if (rows->n == MANIFEST_ENTRIES_MAX) return bad(r, i->v.p, "too many entries of one sort");
    return rows_add(r->env, rows, each, ret);
}

static int first_time(uint32_t *seen, const struct item *i)
{
    uint32_t bit = 1u << ITEM_NUMBER(i->tag);
    if (*seen & bit) return 0;
    *seen |= bit;
    return 1;
}

static int take_id(struct rsp_span v, uint8_t *out, size_t n)
{
    if (v.n != n) return 0;
    memcpy(out, v.p, n);
    return 1;
}

static int read_position(const struct reading *r, struct rsp_span v, struct rsp_stream_info *s)
{
    struct items items;
    struct item i;
    uint32_t seen = 0;
    int rc;
    items_begin(&items, v.p, v.n);
    while ((rc = items_next(&items, &i)) == RSP_OK) {
        int fits = 1;
        if (i.tag >= 1 && i.tag <= 5 && !first_time(&seen, &i)) return bad(r, i.v.p, "a part of a position twice");
        switch (i.tag) {
        case 1: s->replid = i.v; break;
        case 2: fits = s->has_offset = item_get_u64(i.v, &s->offset); break;
        case 3: fits = item_get_u32(i.v, &s->db); break;
        case 4: s->slots = i.v; break;
        case 5: s->role = i.v; break;
        default:
            if ((rc = unknown(r, &i))) return rc;
        }
        if (!fits) return bad(r, i.v.p, "a number in a position of the wrong size");
    }
    return rc == RSP_END ? RSP_OK : bad(r, v.p, "a position that is no list of items");
}

static int read_ref(const struct reading *r, const struct item *i, struct rows *refs, uint64_t *at)
{
    const uint8_t *p = i->v.p;
    struct full_ref *f;
    void *row;
    int rc;
    if (i->v.n < FULL_REF_BYTES || i->v.n > FULL_REF_BYTES + sizeof f->hint)
        return bad(r, p, "a full reference of the wrong size");
    if ((rc = rows_add(r->env, refs, sizeof *f, &row))) return rc;
    f = row;
    f->number = (uint32_t)refs->n - 1;
    f->kind = p[0];
    memcpy(f->epoch, p + 1, ID_BYTES);
    memcpy(f->object, p + 17, ID_BYTES);
    f->plain = load_le64(p + 33);
    memcpy(f->table_hash, p + 41, HASH_BYTES);
    f->offset = load_le64(p + 73);
    f->stored = load_le64(p + 81);
    f->hint_n = (uint8_t)(i->v.n - FULL_REF_BYTES);
    memcpy(f->hint, p + FULL_REF_BYTES, f->hint_n);
    if (f->kind != OBJECT_DATA) return bad(r, p, "a stream's object that is not of kind data");
    if (f->plain > OBJECT_PLAIN_MAX) return bad(r, p, "an object larger than objects may be");
    if (f->offset != *at) return bad(r, p, "objects of a stream with a gap or an overlap");
    *at += f->plain;
    return RSP_OK;
}

/* One item of a stream; *at: the plaintext of the objects so far. */
static int read_stream_item(const struct reading *r, const struct item *i, struct rsp_stream_info *s, struct rows *refs,
                            uint64_t *at)
{
    uint8_t base[ID_BYTES];
    int fits = 1;
    switch (i->tag) {
    case 1 | ITEM_CRITICAL:
        s->name = i->v;
        fits = i->v.n >= 1 && i->v.n <= MANIFEST_NAME_MAX;
        break;
    case 2 | ITEM_CRITICAL: fits = item_get_u8(i->v, &s->kind); break;
    case 3 | ITEM_CRITICAL: fits = item_get_u8(i->v, &s->form); break;
    case 4: return read_position(r, i->v, s);
    case 5 | ITEM_CRITICAL: fits = item_get_u64(i->v, &s->plain); break;
    case 6: fits = take_id(i->v, base, sizeof base); break;
    case 7: fits = s->has_dd1 = take_id(i->v, s->dd1, sizeof s->dd1); break;
    case 8: fits = item_get_u64(i->v, &s->records); break;
    case 9: s->place = i->v; break;
    case 10: s->node = i->v; break;
    case 11: fits = item_get_u64(i->v, &s->taken_ms); break;
    case 16 | ITEM_CRITICAL: return read_ref(r, i, refs, at);
    default: return unknown(r, i);
    }
    return fits ? RSP_OK : bad(r, i->v.p, "a stream's item of the wrong size");
}

/* Which items of a list stand at most once, and which must stand, as bits by number. */
static int counted(const struct reading *r, uint32_t once, uint32_t *seen, const struct item *i, uint32_t critical)
{
    unsigned number = ITEM_NUMBER(i->tag);
    if (number > 31 || !(once >> number & 1)) return RSP_OK;
    if ((critical >> number & 1) != (uint32_t)(i->tag >> 15)) return RSP_OK; /* another item: known by both */
    return first_time(seen, i) ? RSP_OK : bad(r, i->v.p, "an item twice that stands once");
}

#define STREAM_CRITICAL (1u << 1 | 1u << 2 | 1u << 3 | 1u << 5)
#define STREAM_ONCE (STREAM_CRITICAL | 1u << 4 | 1u << 6 | 1u << 7 | 1u << 8 | 1u << 9 | 1u << 10 | 1u << 11)

static int read_stream(const struct reading *r, const struct item *whole)
{
    struct rsp_stream_info *s;
    struct rows *refs;
    struct items items;
    struct item i;
    uint32_t seen = 0;
    uint64_t at = 0;
    void *row;
    int rc;
    if ((rc = entry(r, ROWS_STREAMS, sizeof *s, whole, &row))) return rc;
    s = row;
    if ((rc = entry(r, ROWS_REFS, sizeof *refs, whole, &row))) return rc;
    refs = row;
    items_begin(&items, whole->v.p, whole->v.n);
    while ((rc = items_next(&items, &i)) == RSP_OK) {
        if ((rc = counted(r, STREAM_ONCE, &seen, &i, STREAM_CRITICAL))) return rc;
        if ((rc = read_stream_item(r, &i, s, refs, &at))) return rc;
    }
    if (rc != RSP_END) return bad(r, whole->v.p, "a stream that is no list of items");
    if ((seen & STREAM_CRITICAL) != STREAM_CRITICAL)
        return bad(r, whole->v.p, "a stream without name, kind, form or size");
    if ((s->kind != RSP_STREAM_RDB && s->kind != RSP_STREAM_AOF_PART) || s->form != 1)
        return fail_at(r->env, RSP_EVERSION, r->subject, (uint64_t)(whole->v.p - r->m->bytes.p),
                       "a stream of kind %u and form %u, which this release does not know; use a newer release",
                       s->kind, s->form);
    if (s->plain != at) return bad(r, whole->v.p, "a stream whose objects do not add up to its size");
    return RSP_OK;
}

static int read_server(const struct reading *r, struct rsp_span v)
{
    struct rsp_manifest *m = &r->m->pub;
    struct items items;
    struct item i;
    uint32_t seen = 0;
    int rc;
    items_begin(&items, v.p, v.n);
    while ((rc = items_next(&items, &i)) == RSP_OK) {
        if (i.tag >= 1 && i.tag <= 4 && !first_time(&seen, &i)) return bad(r, i.v.p, "a fact of the server twice");
        switch (i.tag) {
        case 1: m->server_kind = i.v; break;
        case 2: m->server_version = i.v; break;
        case 3: m->server_run_id = i.v; break;
        case 4: m->server_place = i.v; break;
        default:
            if ((rc = unknown(r, &i))) return rc;
        }
    }
    return rc == RSP_END ? RSP_OK : bad(r, v.p, "a server that is no list of items");
}

static int read_pair(const struct reading *r, int which, const struct item *i)
{
    struct rsp_pair *p;
    void *row;
    int rc;
    if ((rc = entry(r, which, sizeof *p, i, &row))) return rc;
    p = row;
    return item_get_pair(i->v, &p->name, &p->value) ? RSP_OK : bad(r, i->v.p, "a name longer than its item");
}

static int read_db(const struct reading *r, const struct item *i)
{
    struct rsp_db_count *db;
    void *row;
    int rc;
    if (i->v.n != 20) return bad(r, i->v.p, "counts of a db of the wrong size");
    if ((rc = entry(r, ROWS_DBS, sizeof *db, i, &row))) return rc;
    db = row;
    db->db = load_le32(i->v.p);
    db->keys = load_le64(i->v.p + 4);
    db->expires = load_le64(i->v.p + 12);
    return RSP_OK;
}

static int read_loss(const struct reading *r, const struct item *i)
{
    struct rsp_span *loss;
    void *row;
    int rc;
    if ((rc = entry(r, ROWS_LOSSES, sizeof *loss, i, &row))) return rc;
    loss = row;
    *loss = i->v;
    return RSP_OK;
}

static int read_version(const struct reading *r, const struct item *i)
{
    uint32_t version;
    if (!item_get_u32(i->v, &version)) return bad(r, i->v.p, "a version of the wrong size");
    if (version == 1) return RSP_OK;
    return fail_at(r->env, RSP_EVERSION, r->subject, (uint64_t)(i->v.p - r->m->bytes.p),
                   "the manifest is of version %u, this release knows version 1; use a newer release", version);
}

static int read_item(const struct reading *r, const struct item *i)
{
    struct rsp_manifest *m = &r->m->pub;
    int fits = 1;
    switch (i->tag) {
    case 1 | ITEM_CRITICAL: return read_version(r, i);
    case 2 | ITEM_CRITICAL: fits = take_id(i->v, m->snapshot, sizeof m->snapshot); break;
    case 3 | ITEM_CRITICAL:
        m->source = i->v;
        if (!source_name_valid(i->v)) return bad(r, i->v.p, "a name of the source that is none");
        break;
    case 4: fits = item_get_u64(i->v, &m->begun_ms); break;
    case 5: fits = item_get_u64(i->v, &m->finished_ms); break;
    case 6: return read_server(r, i->v);
    case 7: return read_pair(r, ROWS_AUX, i);
    case 8: return read_db(r, i);
    case 9: return read_pair(r, ROWS_CAPTURED, i);
    case 10: return read_pair(r, ROWS_TAGS, i);
    case 11: m->tool = i->v; break;
    case 12: return read_loss(r, i);
    case 16 | ITEM_CRITICAL: return read_stream(r, i);
    default: return unknown(r, i);
    }
    return fits ? RSP_OK : bad(r, i->v.p, "an item of the wrong size");
}

#define TOP_CRITICAL (1u << 1 | 1u << 2 | 1u << 3)
#define TOP_ONCE (TOP_CRITICAL | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 11)

static int read_all(const struct reading *r)
{
    const struct buf *b = &r->m->bytes;
    struct items items;
    struct item i;
    uint32_t seen = 0;
    int rc;
    if (b->n < 8 || memcmp(b->p, "RSPMAN1\n", 8) != 0)
        return fail_at(r->env, RSP_EINTEGRITY, r->subject, 0,
                       "this is no manifest: its first bytes are not a manifest's");
    items_begin(&items, b->p + 8, b->n - 8);
    while ((rc = items_next(&items, &i)) == RSP_OK) {
        if ((rc = counted(r, TOP_ONCE, &seen, &i, TOP_CRITICAL))) return rc;
        if ((rc = read_item(r, &i))) return rc;
    }
    if (rc != RSP_END) return bad(r, b->p + 8 + items.pos, "no item where one should begin, or out of order");
    if ((seen & TOP_CRITICAL) != TOP_CRITICAL) return bad(r, b->p, "no version, snapshot id or source");
    return RSP_OK;
}

static void show(struct manifest *m)
{
    struct rsp_manifest *p = &m->pub;
    p->size = sizeof *p;
    p->aux = m->rows[ROWS_AUX].p, p->aux_n = m->rows[ROWS_AUX].n;
    p->captured = m->rows[ROWS_CAPTURED].p, p->captured_n = m->rows[ROWS_CAPTURED].n;
    p->tags = m->rows[ROWS_TAGS].p, p->tags_n = m->rows[ROWS_TAGS].n;
    p->dbs = m->rows[ROWS_DBS].p, p->dbs_n = m->rows[ROWS_DBS].n;
    p->losses = m->rows[ROWS_LOSSES].p, p->losses_n = m->rows[ROWS_LOSSES].n;
    p->streams = m->rows[ROWS_STREAMS].p, p->streams_n = m->rows[ROWS_STREAMS].n;
}

int manifest_decode(const struct rsp_env *env, struct buf *bytes, const char *subject, struct manifest **ret)
{
    struct manifest *m;
    struct reading r;
    int rc;
    *ret = NULL;
    m = mem_zero(env, sizeof *m);
    if (!m) {
        buf_free(bytes);
        return RSP_ENOMEM;
    }
    m->env = *env;
    m->bytes = *bytes;
    m->bytes.env = &m->env;
    buf_init(bytes, env);
    r = (struct reading){m, env, subject};
    rc = read_all(&r);
    if (rc) {
        manifest_free(m);
        return rc;
    }
    show(m);
    *ret = m;
    return RSP_OK;
}

void manifest_free(struct manifest *m)
{
    struct rsp_env env;
    struct rows *refs;
    if (!m) return;
    env = m->env;
    refs = m->rows[ROWS_REFS].p;
    for (size_t i = 0; i < m->rows[ROWS_REFS].n; i++) mem_free(&env, refs[i].p, refs[i].cap * refs[i].each);
    for (int i = 0; i < ROWS_N; i++) mem_free(&env, m->rows[i].p, m->rows[i].cap * m->rows[i].each);
    buf_free(&m->bytes);
    mem_free(&env, m, sizeof *m);
}
