/* What this is: a record's value, element by element, whatever it is stored as.
 * Rests on: value_impl.h.
 * Does not: look for what a reader can do without (duplicates, order): check.c does. */
#include "rdb/value_impl.h"

#include <string.h>

#include "base/real.h"

int rsp_rdb_value_new(const struct rsp_env *env, struct rsp_rdb_value **ret)
{
    struct rsp_env e;
    struct rsp_rdb_value *v;
    env_init(&e, env);
    v = mem_zero(&e, sizeof *v);
    if (!v) return RSP_ENOMEM;
    v->env = e;
    buf_init(&v->a.own, &v->env);
    buf_init(&v->b.own, &v->env);
    buf_init(&v->blob_own, &v->env);
    buf_init(&v->names, &v->env);
    buf_init(&v->path_own, &v->env);
    *ret = v;
    return RSP_OK;
}

void rsp_rdb_value_free(struct rsp_rdb_value *v)
{
    if (!v) return;
    buf_free(&v->a.own);
    buf_free(&v->b.own);
    buf_free(&v->blob_own);
    buf_free(&v->names);
    buf_free(&v->path_own);
    mem_free(&v->env, v->lzf, sizeof *v->lzf);
    mem_free(&v->env, v->big_out, BIG_OUT);
    mem_free(&v->env, v->master, v->master_cap * sizeof *v->master);
    mem_free(&v->env, v->fields, v->fields_cap * sizeof *v->fields);
    mem_free(&v->env, v->digits, v->digits_cap * sizeof *v->digits);
    mem_free(&v->env, v->name_ends, v->names_cap * sizeof *v->name_ends);
    mem_free(&v->env, v, sizeof *v);
}

static void set_part(struct rsp_rdb_value *v, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    v->batch = batch;
    v->item_flags = item->flags;
    v->win.p = batch->p;
    v->win.at = item->value;
    v->win.end = item->end;
}

void rsp_rdb_value_open(struct rsp_rdb_value *v, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    set_part(v, batch, item);
    rsp_rdb_walk_init(&v->walk, batch, item);
    v->type = item->type;
    v->dialect = batch->dialect;
    v->value_type = rsp_rdb_value_type(batch->dialect, item->type);
    v->blob = BLOB_NONE;
    v->big = BIG_NONE;
    v->a.text.p = v->b.text.p = NULL;
    v->a.in_batch = v->b.in_batch = 0;
    v->ttl = RSP_RDB_NO_EXPIRE;
    v->names.n = v->names_n = v->name_at = 0;
    v->tmpl = NULL;
    if (v->dialect == RSP_RDB_REDIS && v->type == 32 && !(item->flags & RSP_ITEM_FIRST))
        v->tmpl = templates_find(batch->templates, v->walk.reg);
    v->path.p = NULL;
    v->path.n = 0;
    v->offset = batch->offset + item->value;
    v->have_held = 0;
    v->skip_nodes = 0;
    v->group_open = v->value_type == RSP_RDB_STREAM && stream_inside_group(&v->walk);
}

void rsp_rdb_value_continue(struct rsp_rdb_value *v, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    set_part(v, batch, item);
}

uint64_t rsp_rdb_value_offset(const struct rsp_rdb_value *v)
{
    return v->offset;
}

int rsp_rdb_value_str_enc(const struct rsp_rdb_value *v)
{
    return v->str_enc;
}

int value_is_template(const struct rsp_rdb_value *v)
{
    return v->dialect == RSP_RDB_REDIS && v->type >= 29 && v->type <= 32;
}

int value_fault(struct rsp_rdb_value *v, int code, uint64_t offset, const char *why)
{
    return fail_at(&v->env, code, NULL, offset, "%s", why);
}

int value_inflate(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct buf *out)
{
    int rc;
    out->n = 0;
    if (!lzf_plausible(t->body.n, t->n))
        return value_fault(v, RSP_EFORMAT, t->offset,
                           "the LZF string claims more bytes than its compressed form can hold");
    rc = buf_reserve(out, (size_t)t->n);
    if (rc) return rc;
    rc = lzf_inflate(t->body, out->p, (size_t)t->n, NULL);
    if (rc) return value_fault(v, rc, t->offset, "the LZF string does not inflate to the length it claims");
    out->n = (size_t)t->n;
    return RSP_OK;
}

int value_text(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct slot *s)
{
    int rc;
    v->str_enc = t->enc;
    s->in_batch = 0;
    if (t->enc == RSP_STR_RAW) {
        s->text = t->body;
        s->in_batch = 1;
    } else if (t->enc == RSP_STR_INT) {
        s->text.n = i64_text(s->digits, t->i);
        s->text.p = (const uint8_t *)s->digits;
    } else {
        rc = value_inflate(v, t, &s->own);
        if (rc) return rc;
        s->text.p = s->own.p ? s->own.p : (const uint8_t *)"";
        s->text.n = s->own.n;
    }
    return RSP_OK;
}

int value_blob(struct rsp_rdb_value *v, const struct rsp_rdb_token *t)
{
    int collected = t->body.n && t->body.p == v->blob_own.p, rc;
    v->blob_raw = collected ? v->str_enc == RSP_STR_RAW : t->enc == RSP_STR_RAW;
    v->blob_offset = t->offset;
    if (v->blob_raw) v->blob_offset = collected ? v->big_body : v->batch->offset + (uint64_t)(t->body.p - v->batch->p);
    if (t->enc == RSP_STR_RAW) {
        v->blob_bytes = t->body;
        return RSP_OK;
    }
    if (t->enc == RSP_STR_INT) { /* an integer's text can be no blob, but it is a string */
        struct slot *s = &v->b;
        rc = value_text(v, t, s);
        v->blob_bytes = s->text;
        return rc;
    }
    rc = value_inflate(v, t, &v->blob_own);
    v->blob_bytes.p = v->blob_own.p;
    v->blob_bytes.n = v->blob_own.n;
    return rc;
}

/* ---- tokens into elements ---- */

static int put_field(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    e->kind = RSP_ELEM_FIELD;
    e->a = v->a.text;
    e->b = v->b.text;
    e->expire_ms = v->ttl;
    if (v->path.p) {
        e->fields = &v->path;
        e->count = 1;
    }
    return RSP_OK;
}

static int template_value(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    int rc;
    v->ttl = RSP_RDB_NO_EXPIRE;
    rc = template_next(v, &v->a.text);
    return rc ? rc : put_field(v, e);
}

static int relative_ttl(struct rsp_rdb_value *v, uint64_t ttl, uint64_t offset)
{
    int64_t at;
    v->ttl = RSP_RDB_NO_EXPIRE;
    if (!ttl) return RSP_OK;
    if (ttl > INT64_MAX || __builtin_add_overflow(as_i64(v->walk.reg), (int64_t)(ttl - 1), &at))
        return value_fault(v, RSP_EFORMAT, offset, "a field's expiry is out of range");
    v->ttl = at;
    return RSP_OK;
}

static int set_path(struct rsp_rdb_value *v)
{
    int rc;
    v->path_own.n = 0;
    rc = buf_add(&v->path_own, v->a.text.p, v->a.text.n);
    v->path.p = v->path_own.p ? v->path_own.p : (const uint8_t *)"";
    v->path.n = v->path_own.n;
    return rc;
}

/* The strings whose text is an element or a part of one. */
static int string_token(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct rsp_rdb_element *e)
{
    int second = t->role == RSP_ROLE_VALUE, whole = t->kind == RSP_TOK_STR, rc = RSP_OK;
    if (whole) rc = value_text(v, t, second ? &v->b : &v->a);
    if (rc) return rc;
    if (!second && !value_is_template(v)) v->offset = t->offset;
    e->a = v->a.text;
    switch (t->role) {
    case RSP_ROLE_STRING: e->kind = RSP_ELEM_STRING; return RSP_OK;
    case RSP_ROLE_ITEM:
    case RSP_ROLE_NODE: e->kind = RSP_ELEM_ITEM; return RSP_OK;
    case RSP_ROLE_MEMBER:
        if (v->value_type == RSP_RDB_ZSET) return RSP_AGAIN;
        e->kind = RSP_ELEM_MEMBER;
        return RSP_OK;
    case RSP_ROLE_VALUE:
        if (value_is_template(v)) {
            v->offset = t->offset;
            return template_value(v, e);
        }
        if (v->dialect == RSP_RDB_VALKEY && v->type == 22) return RSP_AGAIN;
        return put_field(v, e);
    case RSP_ROLE_ELEMENT:
        e->kind = RSP_ELEM_INDEXED;
        e->index = v->number[1];
        e->tag = (uint8_t)v->walk.reg;
        return RSP_OK;
    case RSP_ROLE_PATH: rc = set_path(v); return rc ? rc : RSP_AGAIN;
    case RSP_ROLE_TEMPLATE_FIELD: rc = template_name(v, v->a.text); return rc ? rc : RSP_AGAIN;
    default: return RSP_AGAIN; /* FIELD: its value follows */
    }
}

static int fixed_token(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct rsp_rdb_element *e)
{
    int64_t at;
    switch (t->role) {
    case RSP_ROLE_SCORE:
        e->kind = RSP_ELEM_SCORED;
        e->a = v->a.text;
        e->score = t->kind == RSP_TOK_SCORE ? t->d : load_double(t->body.p);
        if (t->kind == RSP_TOK_SCORE && t->tag)
            return value_fault(v, RSP_EFORMAT, t->offset, "a score that is no number");
        return RSP_OK;
    case RSP_ROLE_TTL_FIX:
        at = as_i64(load_le64(t->body.p));
        if (at < -1) return value_fault(v, RSP_EFORMAT, t->offset, "a field's expiry below -1");
        v->ttl = at == -1 ? RSP_RDB_NO_EXPIRE : at;
        return put_field(v, e);
    case RSP_ROLE_ELEMENT: /* array: an int64 or a double */
        v->a.in_batch = 0;
        v->a.text.p = (const uint8_t *)v->a.digits;
        if (v->walk.reg == 1) {
            v->a.text.n = i64_text(v->a.digits, as_i64(load_le64(t->body.p)));
        } else {
            v->a.text.n = real_text(v->a.digits, load_double(t->body.p));
        }
        e->kind = RSP_ELEM_INDEXED;
        e->a = v->a.text;
        e->index = v->number[1];
        e->tag = (uint8_t)v->walk.reg;
        v->str_enc = RSP_STR_RAW;
        return RSP_OK;
    default: return RSP_AGAIN; /* MIN_EXPIRE: the walk keeps it */
    }
}

static int number_token(struct rsp_rdb_value *v, const struct rsp_rdb_token *t)
{
    switch (t->role) {
    case RSP_ROLE_TTL_REL: v->offset = t->offset; return relative_ttl(v, t->n, t->offset);
    case RSP_ROLE_TTL_ABS:
        v->offset = t->offset;
        if (t->n > INT64_MAX) return value_fault(v, RSP_EFORMAT, t->offset, "a field's expiry is out of range");
        v->ttl = t->n ? (int64_t)t->n : RSP_RDB_NO_EXPIRE;
        return RSP_OK;
    case RSP_ROLE_CONTAINER:
        v->number[0] = t->n;
        if (t->n != 1 && t->n != 2)
            return value_fault(v, RSP_EFORMAT, t->offset, "unknown container of a quicklist node");
        return RSP_OK;
    case RSP_ROLE_INDEX:
        v->number[1] = t->n;
        v->offset = t->offset;
        if (t->n == UINT64_MAX) return value_fault(v, RSP_EFORMAT, t->offset, "an array's index is out of range");
        return RSP_OK;
    case RSP_ROLE_TEMPLATE_ID: v->tmpl = templates_find(v->batch->templates, t->n); return RSP_OK;
    default: return RSP_OK;
    }
}

/* What a token gives: RSP_OK an element, RSP_AGAIN none yet. */
static int token_element(struct rsp_rdb_value *v, struct rsp_rdb_token *t, struct rsp_rdb_element *e)
{
    int rc;
    switch (t->role) {
    case RSP_ROLE_STRING:
    case RSP_ROLE_ITEM:
    case RSP_ROLE_MEMBER:
    case RSP_ROLE_FIELD:
    case RSP_ROLE_VALUE:
    case RSP_ROLE_PATH:
    case RSP_ROLE_TEMPLATE_FIELD: return string_token(v, t, e);
    case RSP_ROLE_NODE:
        if (v->type == 18 && v->number[0] == 1) return string_token(v, t, e);
        return blob_open(v, t->role, t);
    case RSP_ROLE_ELEMENT: return t->kind == RSP_TOK_FIX ? fixed_token(v, t, e) : string_token(v, t, e);
    case RSP_ROLE_SCORE:
    case RSP_ROLE_TTL_FIX:
    case RSP_ROLE_MIN_EXPIRE: return fixed_token(v, t, e);
    case RSP_ROLE_ZIPMAP:
    case RSP_ROLE_ZIPLIST:
    case RSP_ROLE_LISTPACK:
    case RSP_ROLE_INTSET:
    case RSP_ROLE_STREAM_NODE: return blob_open(v, t->role, t);
    case RSP_ROLE_FIELDS_LISTPACK:
        rc = value_blob(v, t);
        return rc ? rc : ((rc = template_listpack(v)) ? rc : RSP_AGAIN);
    default: break;
    }
    if (v->value_type == RSP_RDB_STREAM) return stream_token(v, t, e);
    rc = number_token(v, t);
    return rc ? rc : RSP_AGAIN;
}

/* Before the batch goes: what the element under way has in it must be kept. */
static int keep_slot(struct slot *s)
{
    int rc = RSP_OK;
    if (!s->in_batch || !s->text.p) return RSP_OK;
    s->own.n = 0;
    rc = buf_add(&s->own, s->text.p, s->text.n);
    s->text.p = s->own.p ? s->own.p : (const uint8_t *)"";
    s->in_batch = 0;
    return rc;
}

static int next_element(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    for (;;) {
        struct rsp_rdb_token t;
        int passed = 0, rc;
        if (v->blob) {
            rc = blob_next(v, e);
            if (rc != RSP_END) return rc;
            v->blob = BLOB_NONE;
        }
        if (v->big == BIG_LIST || v->big == BIG_LIST_DUE) {
            rc = big_list_element(v, e);
            if (rc != RSP_END) return rc;
        }
        if (v->big == BIG_HANDING_OUT) {
            rc = big_element(v, e);
            if (rc != RSP_END) return rc;
        }
        if (v->big == BIG_ELEMENT_DUE) {
            v->big = BIG_NONE;
            t = v->big_token;
            rc = token_element(v, &t, e);
            if (rc != RSP_AGAIN) return rc;
        }
        if (v->have_held) {
            t = v->held;
            rc = v->held_status;
            v->have_held = 0;
        } else {
            t.offset = v->batch->offset + v->win.at;
            rc = walk_token(&v->walk, &v->win, v->batch->templates, &t, &passed);
        }
        if (passed && v->group_open) { /* say so before what follows the group */
            v->group_open = 0;
            v->held = t;
            v->held_status = rc;
            v->have_held = 1;
            e->kind = RSP_ELEM_GROUP_END;
            return RSP_OK;
        }
        if (rc < 0) return value_fault(v, rc, v->batch->offset + v->win.at, v->win.why);
        if (rc == RSP_AGAIN) {
            rc = keep_slot(&v->a);
            if (!rc) rc = keep_slot(&v->b);
            return rc ? rc : RSP_AGAIN;
        }
        if (rc) return rc;
        if (t.kind == RSP_TOK_PART) {
            rc = big_token(v, &t);
            if (rc == RSP_END || rc == RSP_AGAIN) continue;
            if (rc) return rc;
        }
        rc = token_element(v, &t, e);
        if (rc != RSP_AGAIN) return rc;
    }
}

int rsp_rdb_value_next(struct rsp_rdb_value *v, struct rsp_rdb_element *element)
{
    element->kind = 0;
    element->a = element->b = (struct rsp_span){NULL, 0};
    element->fields = NULL;
    element->count = 0;
    element->expire_ms = RSP_RDB_NO_EXPIRE;
    if (v->value_type == RSP_RDB_MODULE) return module_next(v, element);
    return next_element(v, element);
}
