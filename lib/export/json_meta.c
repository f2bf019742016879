/* What this is: lines of the export that belong to no key: AUX, functions, module AUX, slot imports
 *   and updates.
 * Rests on: json_impl.h, rdb/str.h.
 * Does not: judge them. */
#include "export/json_impl.h"
#include "rdb/str.h"

struct cursor {
    const uint8_t *p;
    size_t n;
};

static int short_of(struct json_worker *w, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item)
{
    return fail_at(&w->env, RSP_EFORMAT, NULL, batch->offset + item->start, "malformed opcode");
}

static int take_length(struct cursor *c, uint64_t *v)
{
    int k = len_read(c->p, c->n, v);
    if (k <= 0) return 0;
    c->p += k, c->n -= (size_t)k;
    return 1;
}

static int take_string(struct cursor *c)
{
    struct rdb_str s;
    if (str_head(c->p, c->n, &s) <= 0 || s.body > c->n - s.head) return 0;
    c->p += s.head + s.body, c->n -= s.head + (size_t)s.body;
    return 1;
}

/* The string at offset at, through the worker's scratch. */
static int text_at(struct json_worker *w, const struct rsp_rdb_batch *batch, uint32_t at, struct rsp_span *s)
{
    return rsp_rdb_batch_string(&w->env, batch, at, &w->string, s);
}

static int put_aux(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                   const struct rsp_rdb_item *item)
{
    const char *open = "[[", *colon = ",", *close = "]]}"; /* as a hash whose field is no text */
    struct json_utf8 u = {0};
    struct rsp_span name, value;
    int rc = rsp_rdb_batch_string(&w->env, batch, item->key, &w->key, &name);
    if (!rc) rc = text_at(w, batch, item->value, &value);
    if (!rc) rc = json_room(out, 64);
    if (rc) return rc;
    JSON_PUT(out, "{\"aux\":");
    if (w->style->bytes == RSP_JSON_LATIN1 || (json_utf8_feed(&u, name.p, name.n) && json_utf8_end(&u))) {
        open = "{", colon = ":", close = "}}";
    }
    json_put(out, open, strlen(open));
    rc = json_put_plain(w->style, out, name);
    if (!rc) rc = buf_add(out, colon, 1);
    if (!rc) rc = json_put_plain(w->style, out, value);
    return rc ? rc : buf_add(out, close, strlen(close));
}

/* A word of the first line, "#!engine name=NAME ...": what follows prefix, up to a blank. */
static struct rsp_span shebang_word(struct rsp_span code, const char *prefix, int at_start)
{
    struct rsp_span none = {NULL, 0}, s;
    const uint8_t *end = code.n ? memchr(code.p, '\n', code.n) : NULL;
    size_t line = end ? (size_t)(end - code.p) : code.n, k = strlen(prefix), i = 0, stop;
    if (line < 2 || code.p[0] != '#' || code.p[1] != '!') return none;
    for (; i + k <= line; i++) {
        if (at_start && i) return none;
        if (memcmp(code.p + i, prefix, k)) continue;
        for (stop = i + k; stop < line && code.p[stop] != ' ' && code.p[stop] != '\t' && code.p[stop] != '\r';) stop++;
        s.p = code.p + i + k;
        s.n = stop - i - k;
        return s;
    }
    return none;
}

static int put_member(struct json_worker *w, struct buf *out, const char *name, struct rsp_span s)
{
    int rc = json_room(out, 64);
    if (rc || !s.p) return rc; /* absent rather than empty */
    json_put(out, name, strlen(name));
    return json_put_plain(w->style, out, s);
}

/* 246, written by release candidates of 7.0 only: name, engine, 0 or 1 and a description, code. */
static int split_old_function(struct json_worker *w, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item,
                              uint32_t at[3])
{
    struct cursor c = {batch->p + item->start + 1, item->end - item->start - 1};
    uint64_t described;
    at[0] = item->start + 1;
    if (!take_string(&c)) return short_of(w, batch, item);
    at[1] = (uint32_t)(c.p - batch->p);
    if (!take_string(&c) || !take_length(&c, &described) || (described && !take_string(&c)))
        return short_of(w, batch, item);
    at[2] = (uint32_t)(c.p - batch->p);
    return RSP_OK;
}

static int put_function(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                        const struct rsp_rdb_item *item)
{
    uint32_t at[3] = {0, 0, item->value};
    int old = batch->p[item->start] == 0xf6, rc = old ? split_old_function(w, batch, item, at) : RSP_OK;
    struct rsp_span s, code;
    if (!rc) rc = json_room(out, 64);
    if (rc) return rc;
    JSON_PUT(out, "{\"function\":{");
    if (old) {
        rc = text_at(w, batch, at[0], &s);
        if (!rc) rc = put_member(w, out, "\"name\":", s);
        if (!rc) rc = text_at(w, batch, at[1], &s);
        if (!rc) rc = put_member(w, out, ",\"engine\":", s);
        if (!rc) rc = text_at(w, batch, at[2], &code);
    } else {
        rc = text_at(w, batch, at[2], &code);
        if (!rc) rc = put_member(w, out, "\"name\":", shebang_word(code, " name=", 0));
        if (!rc)
            rc = put_member(w, out,
                            out->p[out->n - 1] == '{' ? "\"engine\":" : ",\"engine\":", shebang_word(code, "#!", 1));
    }
    if (!rc) rc = json_room(out, 64);
    if (rc) return rc;
    if (out->p[out->n - 1] != '{') out->p[out->n++] = ',';
    JSON_PUT(out, "\"code\":");
    rc = json_put_data(w->style, out, code);
    if (!rc) JSON_PUT(out, "}}");
    return rc;
}

static int put_module_aux(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                          const struct rsp_rdb_item *item)
{
    struct rsp_span raw = {batch->p + item->start + 1, item->end - item->start - 1};
    struct cursor c = {raw.p, raw.n};
    uint64_t id, two, when;
    char name[10];
    int rc = json_room(out, 160);
    if (rc) return rc;
    if (!take_length(&c, &id) || !take_length(&c, &two) || !take_length(&c, &when)) return short_of(w, batch, item);
    rsp_rdb_module_name(id, name);
    JSON_PUT(out, "{\"module_aux\":{\"module\":\"");
    json_put(out, name, 9);
    JSON_PUT(out, "\",\"version\":");
    json_put_u64(out, id & 1023);
    JSON_PUT(out, ",\"when\":");
    json_put_u64(out, when);
    JSON_PUT(out, ",\"raw\":");
    rc = json_put_base64(w->style, out, raw);
    if (!rc) JSON_PUT(out, "}}");
    return rc;
}

static int put_slot_import(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                           const struct rsp_rdb_item *item)
{
    struct cursor c = {batch->p + item->start + 1, item->end - item->start - 1};
    struct rsp_span job;
    uint64_t n, from, to;
    int rc = text_at(w, batch, item->start + 1, &job);
    if (!rc) rc = json_room(out, 64);
    if (rc) return rc;
    JSON_PUT(out, "{\"slot_import\":{\"job\":");
    rc = json_put_plain(w->style, out, job);
    if (rc) return rc;
    JSON_PUT(out, ",\"ranges\":[");
    if (!take_string(&c) || !take_length(&c, &n)) return short_of(w, batch, item);
    for (uint64_t i = 0; i < n; i++) {
        if (!take_length(&c, &from) || !take_length(&c, &to)) return short_of(w, batch, item);
        rc = json_room(out, 64);
        if (rc) return rc;
        if (i) out->p[out->n++] = ',';
        out->p[out->n++] = '[';
        json_put_u64(out, from);
        out->p[out->n++] = ',';
        json_put_u64(out, to);
        out->p[out->n++] = ']';
    }
    return buf_add(out, "]}}", 3);
}

/* "*3\r\n" or "$5\r\n" */
static int take_resp_number(struct cursor *c, uint8_t mark, uint64_t *v)
{
    size_t i = 1;
    if (!c->n || c->p[0] != mark) return 0;
    for (*v = 0; i < c->n && i < 19 && c->p[i] >= '0' && c->p[i] <= '9'; i++) *v = *v * 10 + (uint64_t)(c->p[i] - '0');
    if (i == 1 || c->n - i < 2 || c->p[i] != '\r' || c->p[i + 1] != '\n') return 0;
    c->p += i + 2, c->n -= i + 2;
    return 1;
}

static int put_update(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                      const struct rsp_rdb_item *item)
{
    struct cursor c = {batch->p + item->start + 1, item->end - item->start - 1};
    uint64_t args, n;
    int rc = json_room(out, 64);
    if (rc) return rc;
    JSON_PUT(out, "{\"update\":[");
    if (!take_resp_number(&c, '*', &args)) return short_of(w, batch, item);
    for (uint64_t i = 0; i < args; i++) {
        struct rsp_span arg;
        if (!take_resp_number(&c, '$', &n) || n > c.n || c.n - n < 2) return short_of(w, batch, item);
        arg.p = c.p, arg.n = (size_t)n;
        c.p += n + 2, c.n -= (size_t)n + 2;
        rc = json_room(out, 64);
        if (rc) return rc;
        if (i) out->p[out->n++] = ',';
        rc = json_put_data(w->style, out, arg);
        if (rc) return rc;
    }
    return buf_add(out, "]}", 2);
}

int json_put_meta(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                  const struct rsp_rdb_item *item)
{
    int (*put)(struct json_worker *, struct buf *, const struct rsp_rdb_batch *, const struct rsp_rdb_item *);
    int rc;
    if (!w->style->with_meta || w->style->values_only) return RSP_OK;
    switch (item->kind) {
    case RSP_RDB_AUX: put = put_aux; break;
    case RSP_RDB_FUNCTION: put = put_function; break;
    case RSP_RDB_MODULE_AUX: put = put_module_aux; break;
    case RSP_RDB_SLOT_IMPORT: put = put_slot_import; break;
    case RSP_RDB_UPDATE: put = put_update; break;
    default: return RSP_OK;
    }
    rc = w->style->array ? buf_add(out, ",\n", 2) : RSP_OK;
    if (!rc) rc = put(w, out, batch, item);
    if (!rc && !w->style->array) rc = buf_byte(out, '\n');
    return rc;
}
