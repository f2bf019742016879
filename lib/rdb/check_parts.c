/* What this is: the check of records that come in parts: each part by a worker as far as it stands alone, the
 *   rest in order by the join.
 * Rests on: check_impl.h.
 * Does not: hold a value: strings larger than a block go by, blobs are put together within the env's limit. */
#include <string.h>

#include "rdb/check_impl.h"

#define KEEP_BUFFER (4u << 20)

/* Members are compared all over the file, so those of one record are hashed under a key of its own. */
static void record_key(struct looker *l)
{
    uint8_t b[9], keys[48];
    store_le64(b, l->record);
    for (uint8_t i = 0; i < 3; i++) {
        struct sip128 h;
        b[8] = i;
        h = sip128_of(l->c->member_key, b, sizeof b);
        store_le64(keys + 16 * i, h.lo);
        store_le64(keys + 16 * i + 8, h.hi);
    }
    memcpy(l->member_key, keys, sizeof l->member_key);
    memcpy(l->mix_key, keys + sizeof l->member_key, sizeof l->mix_key);
}

int look_part(struct looker *l)
{
    struct part_info p;
    int stream = rsp_rdb_value_type(l->dialect, l->type) == RSP_RDB_STREAM, rc = RSP_OK;
    memset(&p, 0, sizeof p);
    p.item = l->item_no;
    l->whole = 0;
    rc = value_begin(l);
    if (rc) return rc;
    if (l->item->flags & RSP_ITEM_BIG) {
        p.by_join = 1;
    } else {
        record_key(l);
        p.tail_at = l->item->value;
        rsp_rdb_walk_init(&p.walk, l->batch, l->item);
        rc = value_walk(l, &p.walk, &p.tail_at, stream ? &p.tail : NULL);
        if (rc) return rc;
        p.st = l->st;
    }
    return buf_add(&l->out->parts, &p, sizeof p);
}

static int merge(struct looker *l, const struct value_state *p)
{
    struct value_state *st = &l->st;
    int rc = RSP_OK;
    if (p->has_min) st->min_expire = p->min_expire, st->has_min = 1;
    if (p->ttl_most > st->ttl_most) st->ttl_most = p->ttl_most, st->ttl_most_at = p->ttl_most_at;
    if (st->len_at == NO_OFFSET) st->len_at = p->len_at;
    if (p->fields) st->fields = p->fields;
    st->elements += p->elements;
    st->empty_told |= p->empty_told;
    st->container = p->container;
    st->tag = p->tag;
    if (rsp_rdb_value_type(l->dialect, l->type) == RSP_RDB_STREAM) {
        if (!rc) rc = stream_merge(l, p);
        return rc;
    }
    st->faulty |= p->faulty;
    return rc;
}

static void join_item(struct looker *l, const struct rsp_rdb_batch *batch, uint32_t i)
{
    l->batch = batch;
    l->item = &batch->items[i];
    l->item_no = i;
    l->key_noted = 0;
    l->type = l->item->type;
    l->dialect = batch->dialect;
    l->record = record_offset(batch, i);
    l->whole = 0;
    record_key(l);
}

static int join_part(struct check *c, struct looker *l, struct part_info *p)
{
    int rc = RSP_OK;
    if (l->item->flags & RSP_ITEM_FIRST) rc = value_begin(l);
    if (rc) return rc;
    if (p->by_join) {
        uint32_t at = l->item->value;
        rsp_rdb_walk_init(&p->walk, l->batch, l->item);
        rc = value_walk(l, &p->walk, &at, NULL);
    } else {
        rc = merge(l, &p->st);
        if (!rc && p->tail) rc = value_walk(l, &p->walk, &p->tail_at, NULL);
    }
    if (rc || !(l->item->flags & RSP_ITEM_LAST)) return rc;
    rc = value_end(l);
    return rc ? rc : dups_big_record(c, l->batch, l->item);
}

int join_parts(struct check *c, struct rsp_rdb_task *task, struct check_result *r)
{
    struct looker *l = c->join;
    struct part_info *p = (struct part_info *)(void *)r->parts.p;
    size_t n = r->parts.n / sizeof *p;
    l->out = r;
    for (size_t i = 0; i < n; i++) {
        int rc;
        join_item(l, task->batch, p[i].item);
        rc = join_part(c, l, &p[i]);
        if (rc) return rc;
    }
    return RSP_OK;
}

/* ---- strings in pieces ---- */

static void piece_begin(struct looker *l, const struct rsp_rdb_walk *walk, const struct rsp_rdb_token *t)
{
    struct piece *x = &l->piece;
    x->on = 1;
    x->bad = 0;
    x->role = t->role;
    x->enc = t->enc;
    x->offset = t->offset;
    x->n = t->enc == RSP_STR_LZF ? walk->str_n : t->body.n + t->n;
    x->body = t->enc == RSP_STR_LZF ? NO_OFFSET : l->batch->offset + (uint64_t)(t->body.p - l->batch->p);
    x->keep = x->hash = x->list = 0;
    switch (t->role) {
    case RSP_ROLE_STRING:
    case RSP_ROLE_ITEM:
    case RSP_ROLE_VALUE:
    case RSP_ROLE_ELEMENT:
    case RSP_ROLE_MODULE_STRING: break;
    case RSP_ROLE_NODE: x->list = l->type == 14 || l->st.container == 2; break;
    case RSP_ROLE_ZIPLIST:
        x->list = l->type == 10;
        x->keep = !x->list;
        break;
    case RSP_ROLE_ZIPMAP:
    case RSP_ROLE_LISTPACK:
    case RSP_ROLE_INTSET:
    case RSP_ROLE_STREAM_NODE:
    case RSP_ROLE_FIELDS_LISTPACK:
    case RSP_ROLE_TEMPLATE_FIELD: x->keep = 1; break;
    default: x->hash = 1; break; /* members, fields, names */
    }
    if (x->n > l->env.limits.alloc_bytes) x->keep = 0;
    x->text.n = 0;
    if (x->list) blob_stream_init(&x->nodes, l->type != 18, x->n);
    if (x->hash) sip_init(&x->sip, l->member_key, 1);
    if (x->enc == RSP_STR_LZF) lzf_stream_init(&x->lzf, x->n);
}

static int list_bad(struct looker *l, const struct blob_fault *f)
{
    struct piece *x = &l->piece;
    x->bad = 1;
    l->st.faulty = 1;
    return check_note(l, x->body == NO_OFFSET ? x->offset : x->body + f->offset,
                      x->nodes.ziplist ? "ziplist" : "listpack", "%s", f->reason);
}

/* Bytes of a list's node: its elements are only counted. */
static int list_out(struct looker *l, struct rsp_span in)
{
    struct blob_fault f = {0, ""};
    struct entry e;
    size_t pos = 0;
    int first, last, rc;
    while (!(rc = blob_stream_step(&l->piece.nodes, in, &pos, &e, &first, &last, &f)))
        l->st.elements += (uint64_t)first;
    return rc < 0 ? list_bad(l, &f) : RSP_OK;
}

static int piece_out(struct looker *l, const uint8_t *p, size_t n)
{
    struct piece *x = &l->piece;
    if (x->hash) sip_add(&x->sip, p, n);
    if (x->list) return x->bad ? RSP_OK : list_out(l, (struct rsp_span){p, n});
    return x->keep ? buf_add(&x->text, p, n) : RSP_OK;
}

/* A list's node has been given whole. */
static int list_end(struct looker *l)
{
    struct blob_fault f = {(size_t)l->piece.nodes.at, "it ends too early"};
    struct rsp_span nothing = {NULL, 0};
    struct entry e;
    size_t pos = 0;
    int first, last;
    if (blob_stream_step(&l->piece.nodes, nothing, &pos, &e, &first, &last, &f) == RSP_END) return RSP_OK;
    return list_bad(l, &f);
}

static int piece_bad(struct looker *l, const char *why)
{
    l->piece.bad = 1;
    l->st.faulty = 1;
    return check_note(l, l->piece.offset, "lzf", "the compressed (LZF) string does not inflate: %s", why);
}

static int piece_add(struct looker *l, struct rsp_span in)
{
    struct piece *x = &l->piece;
    struct blob_fault f = {0, ""};
    size_t at = 0, room = 1u << 16;
    int rc;
    if (x->bad) return RSP_OK;
    if (x->enc != RSP_STR_LZF) return piece_out(l, in.p, in.n);
    rc = buf_reserve(&l->text, room);
    for (l->text.n = 0; !rc;) {
        size_t out = 0, was = at;
        if (lzf_stream_step(&x->lzf, in.p, in.n, &at, l->text.p, room, &out, &f)) return piece_bad(l, f.reason);
        if (!out && at == was) return RSP_OK;
        rc = piece_out(l, l->text.p, out);
    }
    return rc;
}

static int piece_end(struct looker *l)
{
    struct piece *x = &l->piece;
    struct blob_fault f = {0, ""};
    struct stored s;
    int rc = RSP_OK;
    x->on = 0;
    if (!x->bad && x->enc == RSP_STR_LZF && lzf_stream_end(&x->lzf, &f)) rc = piece_bad(l, f.reason);
    if (!rc && !x->bad && x->list) rc = list_end(l);
    else if (!rc && !x->bad) {
        memset(&s, 0, sizeof s);
        s.n = x->n;
        s.offset = x->offset;
        s.body = x->body;
        if (x->keep) s.text.p = x->text.p, s.text.n = x->text.n;
        if (x->hash) {
            s.h = sip_end128(&x->sip);
            s.hashed = 1;
        }
        rc = value_string(l, x->role, &s);
    }
    if (x->text.cap > KEEP_BUFFER) buf_free(&x->text);
    return rc;
}

int value_piece(struct looker *l, const struct rsp_rdb_walk *walk, const struct rsp_rdb_token *t)
{
    int rc;
    if (t->part_first) piece_begin(l, walk, t);
    if (!l->piece.on) return RSP_OK; /* its beginning was refused by a filter */
    rc = piece_add(l, t->body);
    return rc || !t->part_last ? rc : piece_end(l);
}
