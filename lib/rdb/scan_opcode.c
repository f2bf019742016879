/* What this is: the opcodes of an RDB file that do not belong to a key.
 * Rests on: scan.h; rdb.md sections 7, 10.5, 13, 14.
 * Does not: run on the hot path: they are few. */
#include "rdb/scan.h"

#include <string.h>

#include "enc/lzf.h"
#include "rdb/templates.h"

/* A cursor over the window: each step does nothing once rc is set. */
struct cursor {
    struct window *win;
    const struct rsp_env *env;
    size_t at;
    int rc;
    const char *why;
};

static void stop(struct cursor *c, int rc, const char *why)
{
    if (c->rc) return;
    c->rc = rc;
    c->why = why;
}

static uint64_t get_len(struct cursor *c)
{
    uint64_t v = 0;
    int n;
    if (c->rc) return 0;
    n = len_read(c->win->p + c->at, c->win->end - c->at, &v);
    if (n < 0) stop(c, RSP_EFORMAT, "not a length");
    if (n == 0) stop(c, RSP_AGAIN, NULL);
    if (n > 0) c->at += (size_t)n;
    return v;
}

static void get_bytes(struct cursor *c, uint64_t n)
{
    if (c->rc) return;
    if (n > c->win->end - c->at) stop(c, RSP_AGAIN, NULL);
    else c->at += (size_t)n;
}

/* A string; body and s may be NULL. */
static void get_str(struct cursor *c, const uint8_t **body, struct rdb_str *s)
{
    struct rdb_str own;
    int have;
    if (!s) s = &own;
    memset(s, 0, sizeof *s);
    if (c->rc) return;
    have = str_head(c->win->p + c->at, c->win->end - c->at, s);
    if (have < 0) stop(c, RSP_EFORMAT, "not a string: invalid length or unknown special form");
    if (have == 0) stop(c, RSP_AGAIN, NULL);
    if (c->rc) return;
    if (s->body > c->env->limits.key_bytes || s->n > c->env->limits.key_bytes) {
        stop(c, RSP_ELIMIT, "a string outside of values is longer than the limit for keys");
        return;
    }
    if (s->enc == RSP_STR_LZF && !lzf_plausible(s->body, s->n)) {
        stop(c, RSP_EFORMAT, "the LZF string claims more bytes than its compressed form can hold");
        return;
    }
    if (s->body > c->win->end - c->at - s->head) {
        stop(c, RSP_AGAIN, NULL);
        return;
    }
    if (body) *body = c->win->p + c->at + s->head;
    c->at += s->head + (size_t)s->body;
}

static void module_items(struct cursor *c)
{
    for (;;) {
        size_t at = c->at;
        uint64_t op = get_len(c);
        if (c->rc || op == 0) return;
        switch (op) {
        case 1:
        case 2: get_len(c); break;
        case 3: get_bytes(c, 4); break;
        case 4: get_bytes(c, 8); break;
        case 5: get_str(c, NULL, NULL); break;
        default:
            c->at = at;
            stop(c, RSP_EFORMAT, "unknown opcode in a module's data");
            return;
        }
    }
}

int scan_module_items(struct window *win)
{
    struct rsp_env none;
    struct cursor c = {win, &none, win->at, 0, NULL};
    memset(&none, 0, sizeof none);
    none.limits.key_bytes = UINT64_MAX;
    module_items(&c);
    if (c.rc != RSP_AGAIN) win->at = c.at;
    win->why = c.why;
    return c.rc;
}

static void module_aux(struct cursor *c, struct rsp_rdb_item *item)
{
    size_t at;
    uint64_t when;
    item->expire_ms = as_i64(get_len(c));
    at = c->at;
    if (get_len(c) != 2 && !c->rc) {
        c->at = at;
        stop(c, RSP_EFORMAT, "module aux data without its \"when\" field");
    }
    at = c->at;
    when = get_len(c);
    if (!c->rc && (when < 1 || when > 3)) {
        c->at = at;
        stop(c, RSP_EFORMAT, "module aux data with an unknown \"when\"");
    }
    item->idle_s = when;
    item->value = (uint32_t)c->at;
    module_items(c);
}

static void slot_import(struct cursor *c, struct rsp_rdb_item *item)
{
    uint64_t n;
    item->key = (uint32_t)c->at;
    get_str(c, NULL, NULL);
    n = get_len(c);
    for (uint64_t i = 0; i < n && !c->rc; i++) {
        size_t at = c->at;
        uint64_t a = get_len(c), b = get_len(c);
        if (!c->rc && (a > b || b > 16383)) {
            c->at = at;
            stop(c, RSP_EFORMAT, "slot range out of order or past 16383");
        }
    }
}

/* "*N\r\n" or "$N\r\n": the number, at most limit. */
static uint64_t resp_head(struct cursor *c, uint8_t mark, uint64_t limit)
{
    uint64_t v = 0;
    size_t digits = 0, at = c->at;
    if (c->rc) return 0;
    for (;; at++) {
        uint8_t b;
        if (at == c->win->end) {
            stop(c, RSP_AGAIN, NULL);
            return 0;
        }
        b = c->win->p[at];
        if (at == c->at && b == mark) continue;
        if (at > c->at && b >= '0' && b <= '9' && digits < 10) {
            v = v * 10 + (uint64_t)(b - '0');
            digits++;
            continue;
        }
        if (b == '\r' && digits && v <= limit) break;
        stop(c, RSP_EFORMAT, "not a RESP command");
        return 0;
    }
    c->at = at;
    get_bytes(c, 2);
    if (!c->rc && c->win->p[at + 1] != '\n') stop(c, RSP_EFORMAT, "not a RESP command");
    return v;
}

static void update(struct cursor *c)
{
    uint64_t n = resp_head(c, '*', 1u << 20);
    if (!c->rc && !n) stop(c, RSP_EFORMAT, "an empty RESP command");
    for (uint64_t i = 0; i < n && !c->rc; i++) {
        get_bytes(c, resp_head(c, '$', c->env->limits.key_bytes));
        get_bytes(c, 2);
        if (!c->rc && memcmp(c->win->p + c->at - 2, "\r\n", 2)) stop(c, RSP_EFORMAT, "not a RESP command");
    }
}

/* Field names as text, into names (bytes) and spans (offset, length pairs resolved at the end). */
static int template_names(struct cursor *c, const uint64_t n, struct buf *text, struct buf *spans)
{
    for (uint64_t i = 0; i < n && !c->rc; i++) {
        struct rdb_str s;
        const uint8_t *body = NULL;
        struct rsp_span span = {NULL, 0};
        int rc = RSP_OK;
        get_str(c, &body, &s);
        if (c->rc || !body) break;
        span.p = (const uint8_t *)text->n; /* an offset until text has stopped moving */
        if (s.enc == RSP_STR_RAW) {
            rc = buf_add(text, body, (size_t)s.n);
            span.n = (size_t)s.n;
        } else if (s.enc == RSP_STR_INT) {
            char digits[I64_TEXT];
            span.n = i64_text(digits, str_int(body, s.body));
            rc = buf_add(text, digits, span.n);
        } else if (!(rc = buf_reserve(text, (size_t)s.n))) {
            struct rsp_span in = {body, (size_t)s.body};
            if (lzf_inflate(in, text->p + text->n, (size_t)s.n, NULL)) {
                stop(c, RSP_EFORMAT, "a template's field name does not inflate");
                return RSP_OK;
            }
            text->n += (size_t)s.n;
            span.n = (size_t)s.n;
        }
        if (!rc) rc = buf_add(spans, &span, sizeof span);
        if (rc) return rc;
    }
    return RSP_OK;
}

static int hash_template(struct scan *s, struct cursor *c, struct rsp_rdb_item *item)
{
    struct buf text, spans;
    size_t at = c->at, count_at;
    uint64_t id = get_len(c), n;
    int rc;
    count_at = c->at;
    n = get_len(c);
    buf_init(&text, s->env);
    buf_init(&spans, s->env);
    if (!c->rc && !n) {
        c->at = count_at;
        stop(c, RSP_EFORMAT, "a hash template without fields");
    }
    item->value = (uint32_t)c->at;
    rc = template_names(c, n, &text, &spans);
    if (!rc && !c->rc) {
        struct rsp_span *f = (struct rsp_span *)(void *)spans.p;
        for (uint64_t i = 0; i < n; i++) f[i].p = text.p ? text.p + (size_t)f[i].p : NULL;
        rc = templates_add(s->templates, id, f, (size_t)n);
        if (rc == RSP_EFORMAT) {
            c->at = at;
            stop(c, RSP_EFORMAT, "a second hash template with the same id");
            rc = RSP_OK;
        }
    }
    item->expire_ms = as_i64(id);
    item->idle_s = n;
    buf_free(&text);
    buf_free(&spans);
    return rc;
}

static void function_pre_ga(struct cursor *c, struct rsp_rdb_item *item)
{
    uint64_t has;
    size_t at;
    item->key = (uint32_t)c->at;
    get_str(c, NULL, NULL);
    get_str(c, NULL, NULL);
    at = c->at;
    has = get_len(c);
    if (!c->rc && has > 1) {
        c->at = at;
        stop(c, RSP_EFORMAT, "a flag that is neither 0 nor 1");
    }
    if (has) get_str(c, NULL, NULL);
    item->value = (uint32_t)c->at;
    get_str(c, NULL, NULL);
}

static int redis_only(struct scan *s, struct cursor *c, struct rsp_rdb_item *item, uint8_t op)
{
    if (op == 0xf2 && s->dialect == RSP_RDB_REDIS) {
        item->kind = RSP_RDB_HASH_TEMPLATE;
        return hash_template(s, c, item);
    }
    if (op == 0xf2) {
        item->kind = RSP_RDB_UPDATE;
        item->value = (uint32_t)c->at;
        update(c);
    } else {
        item->kind = RSP_RDB_SLOT_IMPORT;
        slot_import(c, item);
    }
    return RSP_OK;
}

static void select_db(struct scan *s, struct cursor *c, struct rsp_rdb_item *item)
{
    size_t at = c->at;
    uint64_t db = get_len(c);
    item->kind = RSP_RDB_SELECT_DB;
    if (c->rc) return;
    if (db > UINT32_MAX) {
        c->at = at;
        stop(c, RSP_EFORMAT, "a database number past 2^32");
        return;
    }
    s->db = item->db = (uint32_t)db;
}

/* "8.6.3", of what stands before the first key. */
static void note_server(struct scan *s, const uint8_t *name, size_t name_n, const uint8_t *text, size_t n)
{
    uint32_t part[3] = {0, 0, 0}, k = 0;
    if (s->keys || !name || name_n != 9 || memcmp(name, "redis-ver", 9) != 0) return;
    for (size_t i = 0; i < n && k < 3; i++) {
        if (text[i] == '.') k++;
        else if (text[i] < '0' || text[i] > '9') break;
        else if (part[k] < 1000) part[k] = part[k] * 10 + (uint32_t)(text[i] - '0');
    }
    for (k = 0; k < 3; k++)
        if (part[k] > 99) part[k] = 99;
    s->server_n = part[0] * 10000 + part[1] * 100 + part[2];
}

static void aux(struct scan *s, struct cursor *c, struct rsp_rdb_item *item)
{
    const uint8_t *name = NULL, *text = NULL;
    struct rdb_str a = {0}, b = {0};
    item->kind = RSP_RDB_AUX;
    item->key = (uint32_t)c->at;
    get_str(c, &name, &a);
    item->value = (uint32_t)c->at;
    get_str(c, &text, &b);
    if (!c->rc && a.enc == RSP_STR_RAW && b.enc == RSP_STR_RAW)
        note_server(s, name, (size_t)a.body, text, (size_t)b.body);
}

int scan_opcode(struct scan *s, struct window *win, struct rsp_rdb_item *item)
{
    uint8_t op = win->p[win->at];
    struct cursor c = {win, s->env, win->at + 1, 0, NULL};
    int rc = RSP_OK;
    memset(item, 0, sizeof *item);
    item->start = (uint32_t)win->at;
    item->db = s->db;
    item->type = op;
    item->flags = RSP_ITEM_FIRST | RSP_ITEM_LAST;
    switch (op) {
    case 0xfe: select_db(s, &c, item); break;
    case 0xfb:
        item->kind = RSP_RDB_RESIZE_DB;
        item->expire_ms = as_i64(get_len(&c));
        item->idle_s = get_len(&c);
        break;
    case 0xfa: aux(s, &c, item); break;
    case 0xf7:
        item->kind = RSP_RDB_MODULE_AUX;
        module_aux(&c, item);
        break;
    case 0xf6:
        item->kind = RSP_RDB_FUNCTION;
        function_pre_ga(&c, item);
        break;
    case 0xf5:
        item->kind = RSP_RDB_FUNCTION;
        item->value = (uint32_t)c.at;
        get_str(&c, NULL, NULL);
        break;
    case 0xf4:
        item->kind = RSP_RDB_SLOT_INFO;
        item->expire_ms = as_i64(get_len(&c));
        item->idle_s = get_len(&c);
        item->value = (uint32_t)c.at;
        get_len(&c);
        break;
    case 0xf3:
    case 0xf2: rc = redis_only(s, &c, item, op); break;
    default: win->why = NULL; return RSP_EUNSUPPORTED;
    }
    if (rc) return rc;
    if (c.rc && c.rc != RSP_AGAIN) {
        win->at = c.at;
        win->why = c.why;
    }
    if (c.rc) return c.rc;
    win->at = c.at;
    item->end = (uint32_t)c.at;
    return RSP_OK;
}
