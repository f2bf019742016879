/* What this is: strings of the data as JSON, by the style that the user chose.
 * Rests on: json_impl.h.
 * Does not: know what a string means. */
#include "export/json_impl.h"

/* Behind the last byte of text there is always room for what a caller adds without asking. */
#define EXTRA (JSON_SLACK + 32)

int json_put_base64(const struct json_style *style, struct buf *out, struct rsp_span s)
{
    int rc;
    if (s.n > SIZE_MAX / 2) return fail(out->env, RSP_ELIMIT, NULL, "a string of %zu bytes is too large", s.n);
    rc = json_room(out, json_base64_size(s.n) + EXTRA);
    if (rc) return rc;
    out->p[out->n++] = '"';
    out->n = (size_t)(json_base64(&style->text, s.p, s.n, out->p + out->n) - out->p);
    out->p[out->n++] = '"';
    return RSP_OK;
}

int json_put_wrapped(const struct json_style *style, struct buf *out, struct rsp_span s)
{
    int rc = json_room(out, EXTRA);
    if (rc) return rc;
    JSON_PUT(out, "{\"base64\":");
    rc = json_put_base64(style, out, s);
    if (rc) return rc;
    out->p[out->n++] = '}';
    return RSP_OK;
}

int json_put_inside(const struct json_style *style, struct buf *out, struct rsp_span s, size_t *used)
{
    const uint8_t *p = s.p, *end = s.p + s.n;
    while (p < end) {
        const uint8_t *stop, *cut = (size_t)(end - p) > JSON_SLICE ? p + JSON_SLICE : end;
        uint8_t *o;
        int rc = json_room(out, JSON_GROWTH * (size_t)(cut - p) + EXTRA);
        if (rc) return rc;
        o = out->p + out->n;
        if (style->bytes == RSP_JSON_LATIN1) {
            json_escape_latin1(&style->text, p, cut, &o);
            stop = cut;
        } else {
            stop = json_escape(&style->text, p, cut, &o);
        }
        out->n = (size_t)(o - out->p);
        p = stop;
        /* A slice may end inside a sequence: the next one begins there. */
        if (stop != cut && (cut == end || cut - stop > 3)) break;
    }
    *used = s.n - (size_t)(end - p);
    return RSP_OK;
}

/* "..." in UTF-8 or Latin-1. JSON_NOT_TEXT leaves out as it was. */
static inline int put_quoted(const struct json_style *style, struct buf *out, struct rsp_span s)
{
    size_t at = out->n, used;
    uint8_t *o;
    int rc;
    if (s.n <= JSON_SLICE && style->bytes != RSP_JSON_LATIN1) { /* nearly every string */
        const uint8_t *end = s.p + s.n;
        rc = json_room(out, JSON_GROWTH * s.n + EXTRA);
        if (rc) return rc;
        o = out->p + at;
        *o++ = '"';
        if (s.n <= 16 && json_copy_clean(s.p, s.n, o)) {
            o += s.n;
        } else if (json_escape(&style->text, s.p, end, &o) != end) {
            return JSON_NOT_TEXT;
        }
        *o++ = '"';
        out->n = (size_t)(o - out->p);
        return RSP_OK;
    }
    rc = json_room(out, EXTRA);
    if (rc) return rc;
    out->p[out->n++] = '"';
    used = 0;
    rc = s.n ? json_put_inside(style, out, s, &used) : RSP_OK;
    if (rc) return rc;
    if (used != s.n) {
        out->n = at;
        return JSON_NOT_TEXT;
    }
    out->p[out->n++] = '"';
    return RSP_OK;
}

int json_put_name(const struct json_style *style, struct buf *out, struct rsp_span s)
{
    if (style->bytes == RSP_JSON_BASE64) return json_put_base64(style, out, s);
    return put_quoted(style, out, s);
}

int json_put_data(const struct json_style *style, struct buf *out, struct rsp_span s)
{
    int rc = json_put_name(style, out, s);
    return rc == JSON_NOT_TEXT ? json_put_wrapped(style, out, s) : rc;
}

int json_put_plain(const struct json_style *style, struct buf *out, struct rsp_span s)
{
    int rc = put_quoted(style, out, s);
    return rc == JSON_NOT_TEXT ? json_put_wrapped(style, out, s) : rc;
}
