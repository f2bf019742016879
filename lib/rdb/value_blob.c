/* What this is: opening the compact encodings that hold a whole value or a node of one.
 * Rests on: value_impl.h, score.h.
 * Does not: know streams' listpacks beyond opening them (value_stream.c). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "rdb/score.h"
#include "rdb/value_impl.h"

int blob_fault(struct rsp_rdb_value *v, const char *what, const struct blob_fault *f)
{
    return fail_at(&v->env, RSP_EFORMAT, NULL, v->blob_raw ? v->blob_offset + f->offset : v->blob_offset, "%s: %s",
                   what, f->reason);
}

static void stand_at(struct rsp_rdb_value *v, size_t at)
{
    v->offset = v->blob_raw ? v->blob_offset + at : v->blob_offset;
}

static const char *blob_name(const struct rsp_rdb_value *v)
{
    switch (v->blob) {
    case BLOB_ZIPLIST: return "ziplist";
    case BLOB_INTSET: return "intset";
    case BLOB_ZIPMAP: return "zipmap";
    default: return "listpack";
    }
}

static int open_as(struct rsp_rdb_value *v, enum blob_kind kind)
{
    struct blob_fault f = {0, ""};
    int rc;
    v->blob = kind;
    switch (kind) {
    case BLOB_ZIPLIST: rc = ziplist_open(&v->it.zl, v->blob_bytes, &f); break;
    case BLOB_INTSET: rc = intset_open(&v->it.is, v->blob_bytes, &f); break;
    case BLOB_ZIPMAP: rc = zipmap_open(&v->it.zm, v->blob_bytes, &f); break;
    default: rc = listpack_open(&v->it.lp, v->blob_bytes, &f);
    }
    if (!rc) return RSP_OK;
    rc = blob_fault(v, blob_name(v), &f);
    v->blob = BLOB_NONE;
    return rc;
}

static size_t blob_at(const struct rsp_rdb_value *v)
{
    switch (v->blob) {
    case BLOB_ZIPLIST: return v->it.zl.at;
    case BLOB_INTSET: return 8 + (size_t)v->it.is.seen * v->it.is.width;
    case BLOB_ZIPMAP: return v->it.zm.at;
    default: return v->it.lp.at;
    }
}

/* The next entry of the open blob, whichever kind it is. */
static int entry_next(struct rsp_rdb_value *v, struct entry *e)
{
    struct blob_fault f = {0, ""};
    int rc;
    switch (v->blob) {
    case BLOB_ZIPLIST: rc = ziplist_next(&v->it.zl, e, &f); break;
    case BLOB_INTSET: rc = intset_next(&v->it.is, e, &f); break;
    default: rc = listpack_next(&v->it.lp, e, &f);
    }
    return rc < 0 ? blob_fault(v, blob_name(v), &f) : rc;
}

static int entry_wanted(struct rsp_rdb_value *v, struct entry *e, const char *why)
{
    size_t at = blob_at(v);
    int rc = entry_next(v, e);
    if (rc != RSP_END) return rc;
    return value_fault(v, RSP_EFORMAT, v->blob_raw ? v->blob_offset + at : v->blob_offset, why);
}

static struct rsp_span text_of(const struct entry *e, struct slot *s)
{
    struct rsp_span t = entry_text(e, s->digits);
    if (!t.p) t.p = (const uint8_t *)"";
    return t;
}

int blob_open(struct rsp_rdb_value *v, int role, const struct rsp_rdb_token *t)
{
    enum blob_kind kind = BLOB_LISTPACK;
    struct entry id;
    int rc;
    if (role == RSP_ROLE_STREAM_NODE && v->skip_nodes) return RSP_AGAIN;
    rc = value_blob(v, t);
    if (rc) return rc;
    if (role == RSP_ROLE_STREAM_NODE) return (rc = stream_open(v)) ? rc : RSP_AGAIN;
    if (role == RSP_ROLE_ZIPLIST || (role == RSP_ROLE_NODE && v->type == 14)) kind = BLOB_ZIPLIST;
    if (role == RSP_ROLE_INTSET) kind = BLOB_INTSET;
    if (role == RSP_ROLE_ZIPMAP) kind = BLOB_ZIPMAP;
    rc = open_as(v, kind);
    if (rc) return rc;
    if (v->dialect != RSP_RDB_REDIS || (v->type != 30 && v->type != 29)) return RSP_AGAIN;
    rc = entry_wanted(v, &id, "an empty listpack where a template's values should be");
    if (rc) return rc;
    if (!id.is_int) return value_fault(v, RSP_EFORMAT, v->blob_offset, "the first element is no template id");
    if (v->type == 30) {
        v->tmpl = id.i < 0 ? NULL : templates_find(v->batch->templates, (uint64_t)id.i);
        if (!v->tmpl)
            return value_fault(v, RSP_EFORMAT, v->blob_offset,
                               "the hash refers to a template that the file does not define");
    }
    return RSP_AGAIN;
}

static int score_of(struct rsp_rdb_value *v, const struct entry *s, double *d)
{
    if (s->is_int) {
        *d = (double)s->i;
        return RSP_OK;
    }
    if (score_parse((struct rsp_span){s->p, s->n}, d))
        return value_fault(v, RSP_EFORMAT, v->offset, "a score that is no number");
    return RSP_OK;
}

static int zset_pair(struct rsp_rdb_value *v, const struct entry *member, struct rsp_rdb_element *e)
{
    struct entry score;
    int rc = entry_wanted(v, &score, "a member without a score");
    if (rc) return rc;
    e->kind = RSP_ELEM_SCORED;
    e->a = text_of(member, &v->a);
    return score_of(v, &score, &e->score);
}

static int has_triples(const struct rsp_rdb_value *v)
{
    return v->dialect == RSP_RDB_REDIS && (v->type == 25 || v->type == 23);
}

static int hash_pair(struct rsp_rdb_value *v, const struct entry *field, struct rsp_rdb_element *e)
{
    struct entry value, ttl;
    int rc = entry_wanted(v, &value, "a field without a value");
    if (rc) return rc;
    e->kind = RSP_ELEM_FIELD;
    e->a = text_of(field, &v->a);
    e->b = text_of(&value, &v->b);
    e->expire_ms = RSP_RDB_NO_EXPIRE;
    if (!has_triples(v)) return RSP_OK;
    rc = entry_wanted(v, &ttl, "a field without an expiry");
    if (rc) return rc;
    if (!ttl.is_int || ttl.i < 0) return value_fault(v, RSP_EFORMAT, v->offset, "a field's expiry is no time");
    if (ttl.i) e->expire_ms = ttl.i;
    return RSP_OK;
}

static int zipmap_pair(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    struct blob_fault f = {0, ""};
    struct entry field, value;
    int rc;
    stand_at(v, v->it.zm.at);
    rc = zipmap_next(&v->it.zm, &field, &value, &f);
    if (rc < 0) return blob_fault(v, "zipmap", &f);
    if (rc) return rc;
    e->kind = RSP_ELEM_FIELD;
    e->a = text_of(&field, &v->a);
    e->b = text_of(&value, &v->b);
    e->expire_ms = RSP_RDB_NO_EXPIRE;
    return RSP_OK;
}

static int template_pair(struct rsp_rdb_value *v, const struct entry *value, struct rsp_rdb_element *e)
{
    int rc = template_next(v, &e->a);
    if (rc) return rc;
    e->kind = RSP_ELEM_FIELD;
    e->b = text_of(value, &v->b);
    e->expire_ms = RSP_RDB_NO_EXPIRE;
    return RSP_OK;
}

static int template_complete(struct rsp_rdb_value *v)
{
    size_t n = v->tmpl ? v->tmpl->count : v->names_n;
    if (v->name_at == n) return RSP_END;
    return value_fault(v, RSP_EFORMAT, v->blob_offset, "fewer values than the hash's template has fields");
}

int blob_next(struct rsp_rdb_value *v, struct rsp_rdb_element *e)
{
    struct entry x;
    int rc, tmpl = v->dialect == RSP_RDB_REDIS && (v->type == 29 || v->type == 30);
    if (v->blob == BLOB_STREAM) return stream_next(v, e);
    if (v->blob == BLOB_ZIPMAP) return zipmap_pair(v, e);
    stand_at(v, blob_at(v));
    rc = entry_next(v, &x);
    if (rc == RSP_END && tmpl) return template_complete(v);
    if (rc) return rc;
    if (tmpl) return template_pair(v, &x, e);
    switch (v->value_type) {
    case RSP_RDB_LIST:
        e->kind = RSP_ELEM_ITEM;
        e->a = text_of(&x, &v->a);
        return RSP_OK;
    case RSP_RDB_SET:
        e->kind = RSP_ELEM_MEMBER;
        e->a = text_of(&x, &v->a);
        return RSP_OK;
    case RSP_RDB_ZSET: return zset_pair(v, &x, e);
    default: return hash_pair(v, &x, e);
    }
}

/* ---- names of hash templates that stand in the value (types 29 and 31) ---- */

int template_name(struct rsp_rdb_value *v, struct rsp_span name)
{
    int rc = buf_add(&v->names, name.p, name.n);
    if (rc) return rc;
    if (v->names_n == v->names_cap) {
        size_t cap = v->names_cap ? v->names_cap * 2 : 32;
        size_t *ends = mem_resize(&v->env, v->name_ends, v->names_cap * sizeof *ends, cap * sizeof *ends);
        if (!ends) return RSP_ENOMEM;
        v->name_ends = ends;
        v->names_cap = cap;
    }
    v->name_ends[v->names_n++] = v->names.n;
    return RSP_OK;
}

int template_listpack(struct rsp_rdb_value *v)
{
    struct entry e;
    int rc = open_as(v, BLOB_LISTPACK);
    while (!rc) {
        rc = entry_next(v, &e);
        if (!rc) rc = template_name(v, text_of(&e, &v->a));
    }
    v->blob = BLOB_NONE;
    return rc == RSP_END ? RSP_OK : rc;
}

size_t templates_fields_of(const struct rsp_rdb_value *v)
{
    return v->tmpl ? v->tmpl->count : v->names_n;
}

int template_next(struct rsp_rdb_value *v, struct rsp_span *name)
{
    size_t i = v->name_at, from;
    if (v->dialect == RSP_RDB_REDIS && v->type == 32) /* parts begin anywhere: the walk knows how far we are */
        i = v->tmpl && v->walk.depth ? v->tmpl->count - (size_t)v->walk.left[0] : i;
    v->name_at = i + 1;
    if (i >= (v->tmpl ? v->tmpl->count : v->names_n))
        return value_fault(v, RSP_EFORMAT, v->blob_offset, "more values than the hash's template has fields");
    if (v->tmpl) {
        *name = v->tmpl->fields[i];
        if (!name->p) name->p = (const uint8_t *)"";
        return RSP_OK;
    }
    from = i ? v->name_ends[i - 1] : 0;
    name->n = v->name_ends[i] - from;
    name->p = name->n ? v->names.p + from : (const uint8_t *)"";
    return RSP_OK;
}
