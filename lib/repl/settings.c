/* What this is: what a backup keeps beside the data: INFO, modules, functions, configuration, users.
 * Rests on: server_impl.h.
 * Does not: keep a secret of the configuration, whose name then stands in "left-out". */
#include "repl/server_impl.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/mem.h"

#define PAIR_MOST (8u << 20)    /* a manifest takes 64 MiB, and without it nothing can be committed */
#define WHY_MOST 200u           /* of a reason why something is left out */
#define ROOM_BYTES (256u << 10) /* of the answers that may hold secrets: they are not moved, and no copy stays behind */

struct keeping {
    struct rsp_server *s;
    struct rsp_server_settings *to;
    size_t cap;
    struct buf left_out, text;
};

static int add_text(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

/* A value stays on its line: a backslash, and what is no printable ASCII, is written as \\, \n, \r, \xHH. */
static int add_escaped(struct buf *b, struct rsp_span v)
{
    static const char hex[] = "0123456789abcdef";
    int rc;
    if (v.n > PAIR_MOST) v.n = PAIR_MOST + 1; /* it is too long, and will be left out */
    rc = buf_reserve(b, v.n);
    for (size_t i = 0; i < v.n && !rc; i++) {
        uint8_t c = v.p[i];
        char wide[5] = {'\\', 'x', hex[c >> 4], hex[c & 15], 0};
        if (c == '\\') rc = add_text(b, "\\\\");
        else if (c == '\n') rc = add_text(b, "\\n");
        else if (c == '\r') rc = add_text(b, "\\r");
        else if (c < 0x20 || c >= 0x7f) rc = add_text(b, wide);
        else rc = buf_byte(b, c);
    }
    return rc;
}

/* Bulks, statuses and integers as text; lists with blanks between their elements, as deep as one level. */
static int add_value(struct buf *b, const struct rsp_reply *r, int nested)
{
    char digits[I64_TEXT];
    int rc = RSP_OK;
    if (r->type == RSP_REPLY_BULK || r->type == RSP_REPLY_STATUS) return add_escaped(b, r->text);
    if (r->type == RSP_REPLY_INTEGER) return buf_add(b, digits, i64_text(digits, r->integer));
    if (r->type != RSP_REPLY_ARRAY || nested) return RSP_OK;
    for (const struct rsp_reply *c = r->child; c && !rc; c = c->next) {
        rc = add_value(b, c, 1);
        if (!rc && c->next) rc = buf_byte(b, ' ');
    }
    return rc;
}

static int leave_out(struct keeping *k, const char *what, struct rsp_span why)
{
    int rc;
    if (k->left_out.n > PAIR_MOST - 5 * WHY_MOST) return RSP_OK;
    if (why.n > WHY_MOST) why.n = WHY_MOST;
    rc = add_text(&k->left_out, what);
    if (!rc) rc = buf_byte(&k->left_out, ' ');
    if (!rc) rc = add_escaped(&k->left_out, why);
    if (!rc) rc = buf_byte(&k->left_out, '\n');
    return rc;
}

static int leave_out_text(struct keeping *k, const char *what, const char *why)
{
    return leave_out(k, what, (struct rsp_span){(const uint8_t *)why, strlen(why)});
}

/* The text so far becomes a pair. */
static int keep(struct keeping *k, const char *name, const struct buf *text)
{
    struct rsp_env *env = &k->s->env;
    struct rsp_pair *p;
    uint8_t *copy;
    if (text->n > PAIR_MOST) return leave_out_text(k, name, "longer than 8 MiB");
    copy = mem_alloc(env, text->n ? text->n : 1);
    if (!copy) return RSP_ENOMEM;
    p = mem_resize(env, k->to->pairs, k->to->pairs_n * sizeof *p, (k->to->pairs_n + 1) * sizeof *p);
    if (!p) {
        mem_free(env, copy, text->n ? text->n : 1);
        return RSP_ENOMEM;
    }
    if (text->n) memcpy(copy, text->p, text->n);
    k->to->pairs = p;
    p += k->to->pairs_n++;
    p->name = (struct rsp_span){(const uint8_t *)name, strlen(name)};
    p->value = (struct rsp_span){copy, text->n};
    return RSP_OK;
}

/* ---- secrets ---- */

static int is_text(const struct rsp_reply *r)
{
    return r->type == RSP_REPLY_BULK || r->type == RSP_REPLY_STATUS;
}

static int is_secret(const struct rsp_reply *r)
{
    static const char *const parts[] = {"pass",       "pwd",     "auth",    "secret", "token",
                                        "credential", "api-key", "api_key", "apikey", "private"};
    for (size_t i = 0; is_text(r) && i < sizeof parts / sizeof *parts; i++)
        if (server_span_has(r->text, parts[i])) return 1;
    return 0;
}

/* Out of the reader's memory, where the answer lies. */
static void wipe(struct keeping *k, const struct rsp_reply *r)
{
    struct buf *in = &k->s->reader.in;
    if (is_text(r) && r->text.n) explicit_bzero(in->p + (r->text.p - in->p), r->text.n);
}

/* Arguments of a module, one of which names a secret: which of the others is one cannot be told. 1: all are gone. */
static int wipe_args(struct keeping *k, const struct rsp_reply *args)
{
    const struct rsp_reply *first = args->type == RSP_REPLY_ARRAY ? args->child : NULL, *r = first;
    while (r && !is_secret(r)) r = r->next;
    if (!r) return 0;
    for (r = first; r; r = r->next) wipe(k, r);
    return 1;
}

/* ---- lines of each ---- */

/* "name=... ver=... path=..." */
static int module_line(struct keeping *k, const struct rsp_reply *r)
{
    int rc = RSP_OK;
    for (const struct rsp_reply *m = r->type == RSP_REPLY_ARRAY ? r->child : NULL; m && m->next && !rc;
         m = m->next->next) {
        if (m != r->child) rc = buf_byte(&k->text, ' ');
        if (!rc) rc = add_value(&k->text, m, 0);
        if (!rc) rc = buf_byte(&k->text, '=');
        if (!rc && is_text(m) && server_span_is(m->text, "args") && wipe_args(k, m->next))
            rc = leave_out_text(k, "modules", "args");
        else if (!rc) rc = add_value(&k->text, m->next, 0);
    }
    return rc ? rc : buf_byte(&k->text, '\n');
}

/* "library source": the source begins with the line that names its engine. */
static int function_line(struct keeping *k, const struct rsp_reply *r)
{
    const struct rsp_reply *name = server_member(r, "library_name"), *code = server_member(r, "library_code");
    int rc;
    if (!name || !code) return leave_out_text(k, "functions", "one without source");
    rc = add_value(&k->text, name, 0);
    if (!rc) rc = buf_byte(&k->text, ' ');
    if (!rc) rc = add_value(&k->text, code, 0);
    return rc ? rc : buf_byte(&k->text, '\n');
}

/* Passwords stand in it as hashes (#...), which ACL SETUSER takes back. */
static int acl_line(struct keeping *k, const struct rsp_reply *r)
{
    int rc = add_value(&k->text, r, 0);
    return rc ? rc : buf_byte(&k->text, '\n');
}

static int config_lines(struct keeping *k, const struct rsp_reply *list)
{
    int rc = RSP_OK;
    for (const struct rsp_reply *r = list->child; r && r->next; r = r->next->next)
        if (is_secret(r)) wipe(k, r->next);
    for (const struct rsp_reply *r = list->child; r && r->next && !rc && k->text.n <= PAIR_MOST; r = r->next->next) {
        if (!is_text(r)) continue;
        if (is_secret(r)) {
            rc = leave_out(k, "config", r->text);
            continue;
        }
        rc = add_value(&k->text, r, 0);
        if (!rc) rc = buf_byte(&k->text, ' ');
        if (!rc) rc = add_value(&k->text, r->next, 0);
        if (!rc) rc = buf_byte(&k->text, '\n');
    }
    return rc;
}

/* ---- all of them ---- */

/* One question; what is refused, or no list, is left out. line NULL: the configuration. */
static int keep_list(struct keeping *k, const char *name, const char *words,
                     int (*line)(struct keeping *k, const struct rsp_reply *r))
{
    const struct rsp_reply *r;
    int rc = server_words(k->s, words, &r);
    if (rc) return rc;
    if (r->type == RSP_REPLY_ERROR) return leave_out(k, name, r->text);
    if (r->type != RSP_REPLY_ARRAY) return leave_out_text(k, name, "not a list");
    k->text.n = 0;
    if (!line) rc = config_lines(k, r);
    else
        for (const struct rsp_reply *c = r->child; c && !rc && k->text.n <= PAIR_MOST; c = c->next) rc = line(k, c);
    return rc ? rc : keep(k, name, &k->text);
}

static int keep_all(struct keeping *k, int with_acl)
{
    const struct rsp_server_facts *f = &k->s->facts;
    uint8_t *p;
    size_t cap;
    int rc = resp_reader_room(&k->s->reader, ROOM_BYTES, &p, &cap);
    if (!rc && f->can_info) rc = keep(k, "info", &k->s->info);
    else if (!rc) rc = leave_out_text(k, "info", "not allowed");
    if (!rc && (!f->version_n || f->version_n >= 40000)) rc = keep_list(k, "modules", "MODULE LIST", module_line);
    if (!rc && (!f->version_n || f->version_n >= 70000))
        rc = keep_list(k, "functions", "FUNCTION LIST WITHCODE", function_line);
    if (!rc) rc = keep_list(k, "config", "CONFIG GET *", NULL);
    if (!rc && with_acl) rc = keep_list(k, "acl", "ACL LIST", acl_line);
    if (!rc && k->left_out.n) rc = keep(k, "left-out", &k->left_out);
    return rc;
}

int rsp_server_settings(struct rsp_server *s, int with_acl, struct rsp_server_settings *settings)
{
    struct keeping k = {s, NULL, 0, {0}, {0}};
    struct rsp_server_settings got = {sizeof got, NULL, 0};
    int rc;
    k.to = &got;
    buf_init(&k.left_out, &s->env);
    buf_init(&k.text, &s->env);
    rc = keep_all(&k, with_acl);
    buf_free(&k.left_out);
    buf_free(&k.text);
    if (rc) rsp_server_settings_free(s, &got);
    got.size = settings->size;
    memcpy(settings, &got, settings->size < sizeof got ? settings->size : sizeof got);
    return rc;
}

void rsp_server_settings_free(struct rsp_server *s, struct rsp_server_settings *settings)
{
    for (size_t i = 0; i < settings->pairs_n; i++) {
        union {
            const uint8_t *text;
            void *block;
        } value = {settings->pairs[i].value.p};
        mem_free(&s->env, value.block, settings->pairs[i].value.n ? settings->pairs[i].value.n : 1);
    }
    mem_free(&s->env, settings->pairs, settings->pairs_n * sizeof *settings->pairs);
    settings->pairs = NULL;
    settings->pairs_n = 0;
}
