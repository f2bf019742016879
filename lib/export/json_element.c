/* What this is: one element of a value as JSON.
 * Rests on: json_impl.h.
 * Does not: know streams beyond their entries, or which record it writes for. */
#include "export/json_impl.h"

const struct json_marks json_forms[3] = {
    [JSON_OBJECT] = {0, ':', 0, '{', '}'},
    [JSON_PAIRS] = {'[', ',', ']', '[', ']'},
    [JSON_MARKED] = {MARK_PAIR, MARK_COLON, MARK_PAIR_END, MARK_OPEN, MARK_CLOSE},
};

/* Opens a pair: comma, name, colon. */
static int put_pair_name(struct json_worker *w, struct buf *out, int form, struct rsp_span name)
{
    const struct json_marks *m = &json_forms[form];
    size_t at = out->n;
    int rc = json_room(out, JSON_SLACK);
    if (rc) return rc;
    out->p[out->n++] = ',';
    json_put_mark(out, m->open);
    rc = json_put_name(w->style, out, name);
    if (rc == JSON_NOT_TEXT) {
        if (form == JSON_OBJECT) {
            out->n = at;
            return rc;
        }
        w->not_text = 1;
        rc = json_put_wrapped(w->style, out, name);
    }
    if (rc) return rc;
    out->p[out->n++] = m->colon;
    return RSP_OK;
}

static int put_field(struct json_worker *w, struct buf *out, struct buf *side, int form,
                     const struct rsp_rdb_element *el)
{
    const struct json_marks *m = &json_forms[form];
    int rc = put_pair_name(w, out, form, el->a);
    if (rc) return rc;
    rc = json_put_data(w->style, out, el->b);
    if (rc) return rc;
    json_put_mark(out, m->close);
    if (el->expire_ms == RSP_RDB_NO_EXPIRE) return RSP_OK;
    rc = put_pair_name(w, side, form, el->a);
    if (rc) return rc;
    json_put_i64(side, el->expire_ms);
    json_put_mark(side, m->close);
    return RSP_OK;
}

int json_is_paths(const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    return batch->dialect == RSP_RDB_VALKEY && item->type == 23;
}

int json_end_path(struct json_worker *w, struct buf *out, int form)
{
    int rc;
    if (!w->path_open) return RSP_OK;
    w->path_open = 0;
    rc = json_room(out, 2);
    if (rc) return rc;
    out->p[out->n++] = json_forms[form].outer_close;
    json_put_mark(out, json_forms[form].close);
    return RSP_OK;
}

int json_begin_path(struct json_worker *w, struct buf *out, int form, const struct rsp_rdb_element *el, int *fresh)
{
    struct rsp_span path;
    int rc;
    *fresh = 0;
    if (!el->count) return RSP_OK;
    path = el->fields[0];
    if (w->path_open && path.n == w->path.n && (!path.n || !memcmp(path.p, w->path.p, path.n))) return RSP_OK;
    rc = json_end_path(w, out, form);
    if (!rc) rc = put_pair_name(w, out, form, path);
    if (rc) return rc;
    w->path.n = 0;
    w->path_open = *fresh = 1;
    return buf_add(&w->path, path.p, path.n);
}

static int put_path_field(struct json_worker *w, struct buf *out, struct buf *side, int form,
                          const struct rsp_rdb_element *el)
{
    size_t at;
    int fresh, rc = json_begin_path(w, out, form, el, &fresh);
    if (rc) return rc;
    at = out->n;
    rc = put_field(w, out, side, form, el);
    if (!rc && fresh) out->p[at] = json_forms[form].outer; /* in the place of the comma */
    return rc;
}

int json_put_score(struct buf *out, double score)
{
    int rc = json_room(out, JSON_SLACK);
    if (rc) return rc;
    out->p[out->n++] = ',';
    out->n += json_double_text((char *)out->p + out->n, score);
    out->p[out->n++] = ']';
    return RSP_OK;
}

static int put_entry(struct json_worker *w, struct buf *out, const struct rsp_rdb_element *el)
{
    int rc = json_room(out, 64);
    if (rc) return rc;
    JSON_PUT(out, ",[");
    json_put_id(out, el->id);
    JSON_PUT(out, ",[");
    for (size_t i = 0; i < el->count; i++) {
        if (i) out->p[out->n++] = ',';
        rc = json_put_data(w->style, out, el->fields[i]);
        if (rc) return rc;
    }
    JSON_PUT(out, "]]");
    return RSP_OK;
}

int json_put_module(struct buf *out, uint64_t id)
{
    char name[10];
    int rc = json_room(out, 128);
    if (rc) return rc;
    rsp_rdb_module_name(id, name);
    JSON_PUT(out, "{\"module\":\"");
    json_put(out, name, 9);
    JSON_PUT(out, "\",\"version\":");
    json_put_u64(out, id & 1023);
    JSON_PUT(out, ",\"raw\":");
    return RSP_OK;
}

static int put_module(struct json_worker *w, struct buf *out, const struct rsp_rdb_element *el)
{
    int rc = json_put_module(out, el->number[0]);
    if (!rc) rc = json_put_base64(w->style, out, el->a);
    if (!rc) out->p[out->n++] = '}';
    return rc;
}

int json_put_element(struct json_worker *w, struct buf *out, struct buf *side, int form,
                     const struct rsp_rdb_element *el)
{
    int rc = json_room(out, JSON_SLACK);
    if (rc) return rc;
    switch (el->kind) {
    case RSP_ELEM_STRING: return json_put_data(w->style, out, el->a);
    case RSP_ELEM_ITEM:
    case RSP_ELEM_MEMBER: out->p[out->n++] = ','; return json_put_data(w->style, out, el->a);
    case RSP_ELEM_SCORED:
        JSON_PUT(out, ",[");
        rc = json_put_data(w->style, out, el->a);
        return rc ? rc : json_put_score(out, el->score);
    case RSP_ELEM_FIELD: return el->count ? put_path_field(w, out, side, form, el) : put_field(w, out, side, form, el);
    case RSP_ELEM_INDEXED:
        JSON_PUT(out, ",[");
        json_put_u64(out, el->index);
        out->p[out->n++] = ',';
        rc = json_put_data(w->style, out, el->a);
        if (!rc) out->p[out->n++] = ']';
        return rc;
    case RSP_ELEM_ENTRY: return put_entry(w, out, el);
    case RSP_ELEM_MODULE: return put_module(w, out, el);
    default: return fail(out->env, RSP_ESTATE, NULL, "no text for an element of kind %d", el->kind);
    }
}
