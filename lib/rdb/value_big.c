/* What this is: strings and modules that are too large to be seen whole: handed out in pieces, or collected when
 *   they are blobs.
 * Rests on: value_impl.h.
 * Does not: hold more than a piece of a string; a blob is held whole, within the env's limits. */
#include "rdb/value_impl.h"

/* Which string of which element a token of that role is: 0, 1, or -1 when it must be collected. */
static int big_slot_of(const struct rsp_rdb_value *v, int role, int *kind)
{
    switch (role) {
    case RSP_ROLE_STRING: *kind = RSP_ELEM_STRING; return 0;
    case RSP_ROLE_ITEM: *kind = RSP_ELEM_ITEM; return 0;
    case RSP_ROLE_MEMBER: *kind = v->value_type == RSP_RDB_ZSET ? RSP_ELEM_SCORED : RSP_ELEM_MEMBER; return 0;
    case RSP_ROLE_FIELD: *kind = RSP_ELEM_FIELD; return 0;
    case RSP_ROLE_VALUE: *kind = RSP_ELEM_FIELD; return 1;
    case RSP_ROLE_ELEMENT: *kind = RSP_ELEM_INDEXED; return 0;
    case RSP_ROLE_NODE: *kind = RSP_ELEM_ITEM; return v->type == 18 && v->number[0] == 1 ? 0 : -1;
    default: return -1;
    }
}

/* A listpack or ziplist of list elements: these are independent of each other, so none but the one under way is held. */
static int is_list_node(const struct rsp_rdb_value *v, int role)
{
    return v->value_type == RSP_RDB_LIST && (role == RSP_ROLE_NODE || role == RSP_ROLE_ZIPLIST);
}

static int big_begin(struct rsp_rdb_value *v, const struct rsp_rdb_token *t)
{
    v->big_slot = big_slot_of(v, t->role, &v->big_kind);
    v->big = v->big_slot >= 0 ? BIG_HANDING_OUT : is_list_node(v, t->role) ? BIG_LIST : BIG_COLLECTING;
    if (v->big == BIG_LIST) {
        blob_stream_init(&v->list, v->type == 10 || v->type == 14, v->walk.str_n);
        v->list_in = (struct rsp_span){(const uint8_t *)"", 0};
        v->a.own.n = 0;
    }
    v->big_first = 1;
    v->big_n = v->walk.str_n;
    v->big_body = v->batch->offset + (uint64_t)(t->body.p - v->batch->p);
    v->str_enc = t->enc;
    v->blob_own.n = 0;
    v->blob_offset = t->offset;
    v->blob_raw = 0;
    if (t->enc != RSP_STR_LZF || v->big == BIG_COLLECTING) return RSP_OK;
    if (!v->lzf) v->lzf = mem_alloc(&v->env, sizeof *v->lzf);
    if (!v->big_out) v->big_out = mem_alloc(&v->env, BIG_OUT);
    if (!v->lzf || !v->big_out) return RSP_ENOMEM;
    lzf_stream_init(v->lzf, v->big_n);
    return RSP_OK;
}

/* The next piece of the big string: RSP_OK; RSP_END when what was given is used up. */
static int big_piece(struct rsp_rdb_value *v, struct rsp_span *piece)
{
    size_t in_pos = 0, out_pos = 0;
    int rc;
    if (v->str_enc != RSP_STR_LZF) {
        *piece = v->big_in;
        v->big_in.n = 0;
        return piece->n || v->big_last ? RSP_OK : RSP_END;
    }
    rc = lzf_stream_step(v->lzf, v->big_in.p, v->big_in.n, &in_pos, v->big_out, BIG_OUT, &out_pos, NULL);
    if (!rc && !out_pos && in_pos == v->big_in.n && v->big_last) rc = lzf_stream_end(v->lzf, NULL);
    if (rc) return value_fault(v, RSP_EFORMAT, v->offset, "the LZF string does not inflate to the length it claims");
    v->big_in.p += in_pos;
    v->big_in.n -= in_pos;
    piece->p = v->big_out;
    piece->n = out_pos;
    return out_pos || v->big_last ? RSP_OK : RSP_END;
}

static int big_done(const struct rsp_rdb_value *v)
{
    return v->big_last && !v->big_in.n &&
           (v->str_enc != RSP_STR_LZF || (v->lzf->out_total == v->big_n && !v->lzf->run));
}

int big_element(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    int rc = big_piece(v, &e->a);
    if (rc) return rc;
    e->kind = RSP_ELEM_PART;
    e->part_of = (uint8_t)v->big_kind;
    e->part_slot = (uint8_t)v->big_slot;
    e->part_first = (uint8_t)v->big_first;
    e->part_last = (uint8_t)big_done(v);
    e->number[0] = v->big_n;
    if (v->big_first && v->big_kind == RSP_ELEM_INDEXED) e->index = v->number[1];
    if (v->big_first && v->big_slot == 1) {
        size_t at = v->name_at;
        e->b = v->a.text;
        if (value_is_template(v)) { /* the name belongs to the value as a whole, which takes it again */
            rc = template_next(v, &e->b);
            v->name_at = at;
            if (rc) return rc;
        }
    }
    v->big_first = 0;
    if (e->part_last) {
        struct slot *s = v->big_slot ? &v->b : &v->a;
        s->text.p = NULL;
        s->text.n = 0;
        s->in_batch = 0;
        v->big = BIG_ELEMENT_DUE;
    }
    return RSP_OK;
}

static int list_fault(struct rsp_rdb_value *v, const struct blob_fault *f)
{
    uint64_t at = v->str_enc == RSP_STR_RAW ? v->big_body + f->offset : v->blob_offset;
    return fail_at(&v->env, RSP_EFORMAT, NULL, at, "%s: %s", v->list.ziplist ? "ziplist" : "listpack", f->reason);
}

/* Some bytes of an element's string. RSP_AGAIN: it is short, and the rest of it must be seen first. */
static int list_text(struct rsp_rdb_value *v, const struct entry *x, int first, int last, struct rsp_rdb_element *e)
{
    int rc;
    if (first && last) {
        e->kind = RSP_ELEM_ITEM;
        e->a = (struct rsp_span){x->p, x->n};
        return RSP_OK;
    }
    if (v->list.text_n > RSP_RDB_BIG_BYTES) {
        e->kind = RSP_ELEM_PART;
        e->part_of = RSP_ELEM_ITEM;
        e->part_slot = 0;
        e->part_first = (uint8_t)first, e->part_last = (uint8_t)last;
        e->number[0] = v->list.text_n;
        e->a = (struct rsp_span){x->p, x->n};
        if (last) v->big = BIG_LIST_DUE;
        return RSP_OK;
    }
    if (first) v->a.own.n = 0;
    rc = buf_add(&v->a.own, x->p, x->n);
    if (rc || !last) return rc ? rc : RSP_AGAIN;
    e->kind = RSP_ELEM_ITEM;
    e->a = (struct rsp_span){v->a.own.p, v->a.own.n};
    return RSP_OK;
}

static int lzf_fault(struct rsp_rdb_value *v)
{
    return value_fault(v, RSP_EFORMAT, v->blob_offset, "the LZF string does not inflate to the length it claims");
}

/* The node is complete; so must its compressed form be. */
static int list_end(struct rsp_rdb_value *v)
{
    v->big = BIG_NONE;
    if (v->str_enc != RSP_STR_LZF || !v->big_last) return RSP_END;
    return v->big_in.n || lzf_stream_end(v->lzf, NULL) ? lzf_fault(v) : RSP_END;
}

int big_list_element(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    struct blob_fault f = {0, ""};
    if (v->big == BIG_LIST_DUE) {
        v->big = BIG_LIST;
        e->kind = RSP_ELEM_ITEM;
        return RSP_OK;
    }
    for (;;) {
        struct entry x;
        size_t pos = 0;
        int first = 0, last = 0, rc;
        uint64_t was = v->list.at;
        rc = blob_stream_step(&v->list, v->list_in, &pos, &x, &first, &last, &f);
        v->list_in.p += pos;
        v->list_in.n -= pos;
        v->offset = v->str_enc == RSP_STR_RAW ? v->big_body + v->list.element : v->blob_offset;
        if (rc < 0) return list_fault(v, &f);
        if (rc == RSP_END) return list_end(v);
        if (rc == RSP_OK && x.is_int) {
            e->kind = RSP_ELEM_ITEM;
            e->a.n = i64_text(v->a.digits, x.i);
            e->a.p = (const uint8_t *)v->a.digits;
            return RSP_OK;
        }
        if (rc == RSP_OK && (rc = list_text(v, &x, first, last, e)) != RSP_AGAIN) return rc;
        if (v->list_in.n || v->list.at != was) continue;
        rc = big_piece(v, &v->list_in);
        if (rc) return rc;
        if (v->list_in.n) continue;
        f = (struct blob_fault){(size_t)v->list.at, "it ends too early"};
        return list_fault(v, &f);
    }
}

/* A part of a blob that must be collected. RSP_OK: it is complete and *t is now the whole string. */
static int big_collect(struct rsp_rdb_value *v, struct rsp_rdb_token *t)
{
    int rc = buf_add(&v->blob_own, t->body.p, t->body.n);
    struct buf whole;
    if (rc) return rc;
    if (!t->part_last) return RSP_AGAIN;
    v->big = BIG_NONE;
    t->kind = RSP_TOK_STR;
    t->offset = v->blob_offset;
    t->n = v->big_n;
    t->body.p = v->blob_own.p;
    t->body.n = v->blob_own.n;
    if (t->enc != RSP_STR_LZF) return RSP_OK;
    buf_init(&whole, &v->env);
    rc = value_inflate(v, t, &whole);
    if (rc) {
        buf_free(&whole);
        return rc;
    }
    buf_free(&v->blob_own);
    v->blob_own = whole;
    t->enc = RSP_STR_RAW;
    t->body.p = whole.p;
    t->body.n = whole.n;
    return RSP_OK;
}

int big_token(struct rsp_rdb_value *v, struct rsp_rdb_token *t)
{
    int rc = RSP_OK;
    if (t->part_first) {
        v->big_token = *t;
        rc = big_begin(v, t);
        v->offset = v->big_slot > 0 ? v->offset : t->offset;
    }
    if (rc) return rc;
    if (v->big == BIG_NONE) return lzf_fault(v); /* a list's node was complete before its compressed bytes were */
    if (v->big == BIG_COLLECTING) return big_collect(v, t);
    v->big_in = t->body;
    v->big_last = t->part_last;
    return RSP_END; /* pieces come next */
}

/* A module's value is opaque: its bytes, whole or part by part. */
int module_next(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    size_t n = v->win.end - v->win.at;
    if (v->big == MODULE_TOLD) {
        v->big = BIG_NONE;
        return v->item_flags & RSP_ITEM_LAST ? RSP_END : RSP_AGAIN;
    }
    if (v->big == MODULE_DUE) {
        v->big = MODULE_TOLD;
        e->kind = RSP_ELEM_MODULE;
        e->number[0] = v->number[0];
        return RSP_OK;
    }
    if (!n) return v->item_flags & RSP_ITEM_LAST ? RSP_END : RSP_AGAIN;
    e->a.p = v->win.p + v->win.at;
    e->a.n = n;
    v->offset = v->batch->offset + v->win.at;
    if (v->item_flags & RSP_ITEM_FIRST) len_read(e->a.p, n, &v->number[0]);
    v->win.at = v->win.end;
    if ((v->item_flags & RSP_ITEM_FIRST) && (v->item_flags & RSP_ITEM_LAST)) {
        e->kind = RSP_ELEM_MODULE;
        e->number[0] = v->number[0];
        return RSP_OK;
    }
    e->kind = RSP_ELEM_PART;
    e->part_of = RSP_ELEM_MODULE;
    e->part_slot = 0;
    e->part_first = (v->item_flags & RSP_ITEM_FIRST) != 0;
    e->part_last = (v->item_flags & RSP_ITEM_LAST) != 0;
    e->number[0] = UINT64_MAX;
    e->index = v->number[0];
    if (e->part_last) v->big = MODULE_DUE;
    return RSP_OK;
}
