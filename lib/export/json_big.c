/* What this is: strings too large to be in memory, as JSON. What can be written as it comes is; UTF-8
 *   must be known to be valid, and a field's name to be complete, before the first byte: such
 *   strings wait in a spool.
 * Rests on: json_join.h.
 * Does not: decide where a record's text goes. */
#include "export/json_join.h"

#define SLICE (JSON_STAGE_BYTES / 4 * 3) /* a multiple of three */

static struct buf *stage_of(struct json_join *j, enum json_target to)
{
    return to == TO_SIDE ? &j->seq.side : &j->stage;
}

static int put_byte(struct json_join *j, enum json_target to, uint8_t c)
{
    return c ? buf_byte(stage_of(j, to), c) : RSP_OK;
}

/* Base64 of all whole groups of three; *used bytes. */
static int put_groups(struct json_join *j, struct buf *b, const uint8_t *p, size_t n, int last, size_t *used)
{
    int rc;
    if (!last) n -= n % 3;
    *used = n;
    if (!n) return RSP_OK;
    rc = json_room(b, json_base64_size(n) + JSON_SLACK);
    if (!rc) b->n = (size_t)(json_base64(&j->style->text, p, n, b->p + b->n) - b->p);
    return rc;
}

/* A spooled string into the stage of a target, flushed as it fills. */
static int copy_out(struct json_join *j, struct json_big *big, int as_base64, enum json_target to)
{
    uint64_t at = 0;
    for (;;) {
        struct buf *b = stage_of(j, to);
        size_t got, used = 0;
        int rc = rsp_spool_read(big->raw, at, j->io, SLICE, &got);
        if (rc || !got) return rc;
        if (as_base64) {
            rc = put_groups(j, b, j->io, got, got < SLICE, &used);
        } else {
            struct rsp_span s = {j->io, got};
            rc = json_put_inside(j->style, b, s, &used);
        }
        if (!rc && !used) rc = fail(&j->env, RSP_ESTATE, NULL, "a string changed while it was written");
        if (!rc) rc = json_flush(j, to);
        if (rc) return rc;
        at += used;
    }
}

/* Slot 0 or 1 of an element: the pieces, or the span itself. */
static int put_slot(struct json_join *j, unsigned slot, struct rsp_span span, int name, enum json_target to)
{
    struct json_big *big = &j->big[slot];
    const struct json_style *style = j->style;
    int as_base64, wrapped, rc;
    if (big->state != BIG_SPOOLED) {
        rc = name ? json_put_name(style, stage_of(j, to), span) : json_put_data(style, stage_of(j, to), span);
        if (rc != JSON_NOT_TEXT) return rc;
        j->seq.not_text = 1;
        return json_put_wrapped(style, stage_of(j, to), span);
    }
    wrapped = style->bytes == RSP_JSON_UTF8 && !json_utf8_end(&big->utf8);
    as_base64 = wrapped || style->bytes == RSP_JSON_BASE64;
    if (name && wrapped) j->seq.not_text = 1;
    rc = wrapped ? buf_add(stage_of(j, to), "{\"base64\":", 10) : RSP_OK;
    if (!rc) rc = put_byte(j, to, '"');
    if (!rc) rc = copy_out(j, big, as_base64, to);
    if (!rc) rc = put_byte(j, to, '"');
    return rc ? rc : put_byte(j, to, wrapped ? '}' : 0);
}

static int put_field(struct json_join *j, const struct rsp_rdb_element *el)
{
    const struct json_marks *m = &json_forms[j->open.form];
    int fresh, rc = json_begin_path(&j->seq, &j->stage, j->open.form, el, &fresh);
    if (!rc) rc = put_byte(j, TO_VALUE, fresh ? m->outer : ',');
    if (!rc) rc = put_byte(j, TO_VALUE, m->open);
    if (!rc) rc = put_slot(j, 0, el->a, 1, TO_VALUE);
    if (!rc) rc = put_byte(j, TO_VALUE, m->colon);
    if (!rc) rc = put_slot(j, 1, el->b, 0, TO_VALUE);
    if (!rc) rc = put_byte(j, TO_VALUE, m->close);
    if (rc || el->expire_ms == RSP_RDB_NO_EXPIRE) return rc;
    rc = put_byte(j, TO_SIDE, ',');
    if (!rc) rc = put_byte(j, TO_SIDE, m->open);
    if (!rc) rc = put_slot(j, 0, el->a, 1, TO_SIDE);
    if (!rc) rc = put_byte(j, TO_SIDE, m->colon);
    if (!rc) rc = json_room(&j->seq.side, I64_TEXT);
    if (rc) return rc;
    json_put_i64(&j->seq.side, el->expire_ms);
    return put_byte(j, TO_SIDE, m->close);
}

static int put_indexed(struct json_join *j, const struct rsp_rdb_element *el)
{
    int rc = json_room(&j->stage, 32);
    if (rc) return rc;
    JSON_PUT(&j->stage, ",[");
    json_put_u64(&j->stage, el->index);
    j->stage.p[j->stage.n++] = ',';
    rc = put_slot(j, 0, el->a, 0, TO_VALUE);
    return rc ? rc : put_byte(j, TO_VALUE, ']');
}

static int put_module(struct json_join *j, const struct rsp_rdb_element *el)
{
    int rc = json_put_module(&j->stage, el->number[0]);
    if (!rc) rc = put_byte(j, TO_VALUE, '"');
    if (!rc) rc = copy_out(j, &j->big[0], 1, TO_VALUE);
    return rc ? rc : buf_add(&j->stage, "\"}", 2);
}

/* What stands before the first string of an element. */
static int put_lead(struct json_join *j, int kind)
{
    int rc = RSP_OK;
    if (kind == RSP_ELEM_ITEM || kind == RSP_ELEM_MEMBER || kind == RSP_ELEM_SCORED) rc = put_byte(j, TO_VALUE, ',');
    return !rc && kind == RSP_ELEM_SCORED ? put_byte(j, TO_VALUE, '[') : rc;
}

int json_big_element(struct json_join *j, const struct rsp_rdb_element *el)
{
    int direct = j->big[0].state == BIG_DIRECT, rc = RSP_OK;
    switch (el->kind) {
    case RSP_ELEM_STRING:
    case RSP_ELEM_ITEM:
    case RSP_ELEM_MEMBER:
    case RSP_ELEM_SCORED:
        if (!direct) rc = put_lead(j, el->kind);
        if (!rc && !direct) rc = put_slot(j, 0, el->a, 0, TO_VALUE);
        if (!rc && el->kind == RSP_ELEM_SCORED) rc = json_put_score(&j->stage, el->score);
        break;
    case RSP_ELEM_FIELD: rc = put_field(j, el); break;
    case RSP_ELEM_INDEXED: rc = put_indexed(j, el); break;
    case RSP_ELEM_MODULE: rc = put_module(j, el); break;
    default: rc = fail(&j->env, RSP_ESTATE, NULL, "no text for an element of kind %d in pieces", el->kind);
    }
    j->big[0].state = j->big[1].state = BIG_NONE;
    return rc;
}

static int direct_base64(struct json_join *j, struct json_big *big, const uint8_t *p, size_t n, int last)
{
    size_t used;
    int rc = RSP_OK;
    while (big->carry_n && big->carry_n < 3 && n) big->carry[big->carry_n++] = *p++, n--;
    if (big->carry_n == 3 || (last && big->carry_n)) {
        rc = put_groups(j, &j->stage, big->carry, big->carry_n, 1, &used);
        big->carry_n = 0;
    }
    while (!rc && n) {
        size_t k = n < SLICE ? n : SLICE;
        rc = put_groups(j, &j->stage, p, k, last && k == n, &used);
        if (!rc) rc = json_flush(j, TO_VALUE);
        p += used, n -= used;
        if (!rc && used < k) {
            memcpy(big->carry, p, n);
            big->carry_n = n;
            n = 0;
        }
    }
    return rc;
}

static int direct_bytes(struct json_join *j, struct json_big *big, const struct rsp_rdb_element *el)
{
    struct rsp_span s = el->a;
    if (j->style->values_only && el->part_of == RSP_ELEM_STRING) return json_record_text(j, s.p, s.n);
    if (j->style->bytes == RSP_JSON_BASE64) return direct_base64(j, big, s.p, s.n, el->part_last);
    while (s.n) {
        struct rsp_span k = {s.p, s.n < SLICE ? s.n : SLICE};
        size_t used;
        int rc = json_put_inside(j->style, &j->stage, k, &used);
        if (!rc) rc = json_flush(j, TO_VALUE);
        if (rc) return rc;
        s.p += k.n, s.n -= k.n;
    }
    return RSP_OK;
}

static int begin(struct json_join *j, struct json_big *big, const struct rsp_rdb_element *el, int raw)
{
    int kind = el->part_of, rc;
    int leads = kind == RSP_ELEM_STRING || kind == RSP_ELEM_ITEM || kind == RSP_ELEM_MEMBER || kind == RSP_ELEM_SCORED;
    memset(&big->utf8, 0, sizeof big->utf8);
    big->carry_n = 0;
    big->state = leads && (raw || j->style->bytes != RSP_JSON_UTF8) ? BIG_DIRECT : BIG_SPOOLED;
    if (big->state == BIG_SPOOLED) return json_spool_open(j, &big->raw);
    rc = put_lead(j, kind);
    return rc ? rc : put_byte(j, TO_VALUE, raw ? 0 : '"');
}

int json_big_part(struct json_join *j, const struct rsp_rdb_element *el)
{
    struct json_big *big = &j->big[el->part_slot & 1];
    int raw = j->style->values_only && el->part_of == RSP_ELEM_STRING;
    int rc = el->part_first ? begin(j, big, el, raw) : RSP_OK;
    if (rc) return rc;
    if (big->state == BIG_SPOOLED) {
        if (j->style->bytes == RSP_JSON_UTF8) json_utf8_feed(&big->utf8, el->a.p, el->a.n);
        return rsp_spool_write(big->raw, el->a.p, el->a.n);
    }
    if (big->state != BIG_DIRECT) return fail(&j->env, RSP_ESTATE, NULL, "a piece of a string without its begin");
    rc = direct_bytes(j, big, el);
    return !rc && el->part_last && !raw ? put_byte(j, TO_VALUE, '"') : rc;
}
