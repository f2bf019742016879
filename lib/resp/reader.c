/* What this is: the reader of replies: a walk over tokens that remembers where it stood when the bytes ran out.
 * Rests on: resp.h, base/bytes.h.
 * Does not: read sockets; believe lengths. */
#include "resp/resp.h"

#include "base/bytes.h"

#define KEEP_BYTES (4u << 20) /* a larger buffer is given back when it is empty */
#define TOKEN_LEAST 3         /* the shortest element: "_\r\n" */

struct token {
    int type; /* enum rsp_reply_type */
    int64_t integer;
    size_t start, text, n; /* in in.p: its first byte, its text; ARRAY: n elements */
};

void resp_reader_init(struct resp_reader *r, const struct rsp_env *env, const char *name, size_t max_bytes)
{
    memset(r, 0, sizeof *r);
    env_init(&r->env, env);
    r->name = name;
    buf_init(&r->in, &r->env);
    buf_init(&r->nodes, &r->env);
    if (!max_bytes) max_bytes = r->env.limits.alloc_bytes < SIZE_MAX ? (size_t)r->env.limits.alloc_bytes : SIZE_MAX;
    r->max_bytes = max_bytes;
}

void resp_reader_free(struct resp_reader *r)
{
    buf_free(&r->in);
    buf_free(&r->nodes);
}

/* Forgets the bytes before at. */
static void settle(struct resp_reader *r)
{
    size_t gone = r->at;
    r->in.n -= gone;
    if (r->in.n) memmove(r->in.p, r->in.p + gone, r->in.n);
    r->offset += gone;
    r->at = 0;
    r->scanned -= gone;
    r->looked = r->looked > gone ? r->looked - gone : 0;
    r->error_at = r->error_at > gone ? r->error_at - gone : 0;
}

/* Places of nodes under way count from at, so that settle need not touch them. */
int resp_reader_room(struct resp_reader *r, size_t n, uint8_t **p, size_t *cap)
{
    int rc;
    if (r->at == r->in.n) {
        settle(r);
        if (r->in.cap > KEEP_BYTES) buf_free(&r->in);
    } else if (r->in.cap - r->in.n < n && r->at >= r->in.n / 2) {
        settle(r); /* moves no more than was taken since the last time */
    }
    rc = buf_reserve(&r->in, n);
    if (rc) return rc;
    *p = r->in.p + r->in.n;
    *cap = r->in.cap - r->in.n;
    return RSP_OK;
}

void resp_reader_fed(struct resp_reader *r, size_t n)
{
    r->in.n += n;
}

/* ---- faults ---- */

static int malformed(struct resp_reader *r, size_t place, const char *what)
{
    char text[64];
    size_t n = r->in.n - r->scanned;
    printable(text, sizeof text, r->in.p + r->scanned, n < 40 ? n : 40);
    r->dead = 1;
    return fail_at(&r->env, RSP_EFORMAT, r->name, r->offset + place, "the reply is malformed: %s, at \"%s\"", what,
                   text);
}

static int too_big(struct resp_reader *r, const char *what, uint64_t limit)
{
    r->dead = 1;
    return fail_at(&r->env, RSP_ELIMIT, r->name, r->offset + r->scanned, "the reply is refused: %s (limit %llu)", what,
                   (unsigned long long)limit);
}

/* ---- tokens ---- */

/* Finds the end of the line that begins at scanned: *end is the place of "\r\n". */
static int line(struct resp_reader *r, size_t *end)
{
    const uint8_t *p, *stop;
    size_t from = r->looked > r->scanned ? r->looked : r->scanned;
    size_t room = r->scanned + RESP_LINE + 3, to = r->in.n < room ? r->in.n : room;
    p = r->in.p + from;
    stop = r->in.p + to;
    p = from < to ? memchr(p, '\n', (size_t)(stop - p)) : NULL;
    if (!p) {
        r->looked = to;
        if (to == room) return too_big(r, "a line without an end", RESP_LINE);
        return RSP_AGAIN;
    }
    *end = (size_t)(p - r->in.p);
    if (*end - r->scanned < 2 || p[-1] != '\r') return malformed(r, *end, "a line does not end with CR LF");
    --*end;
    return RSP_OK;
}

/* The body of a bulk at scanned, body_n bytes and "\r\n". */
static int body(struct resp_reader *r, struct token *t)
{
    const uint8_t *p;
    size_t n = r->body_n;
    if (r->in.n - r->scanned < 2 || r->in.n - r->scanned - 2 < n) return RSP_AGAIN;
    p = r->in.p + r->scanned;
    if (p[n] != '\r' || p[n + 1] != '\n') return malformed(r, r->scanned + n, "a bulk is longer than announced");
    t->start = t->text = r->scanned;
    t->n = n;
    t->type = r->body_type == '!' ? RSP_REPLY_ERROR : RSP_REPLY_BULK;
    if (r->body_type == '=') {
        if (n < 4 || p[3] != ':') return malformed(r, r->scanned, "a verbatim text without its kind");
        t->text += 4;
        t->n -= 4;
    }
    r->scanned += n + 2;
    r->in_body = 0;
    return RSP_OK;
}

/* "$5", "*2" and the like: a length, in v. */
static int length(struct resp_reader *r, size_t end, int64_t *v)
{
    size_t at = r->scanned + 1;
    if (!i64_parse(r->in.p + at, end - at, v) || *v < -1) return malformed(r, r->scanned, "a length that is none");
    return RSP_OK;
}

static int bulk(struct resp_reader *r, size_t end, struct token *t)
{
    size_t used = end + 2 - r->at;
    int64_t v;
    int rc = length(r, end, &v);
    if (rc) return rc;
    if (v == -1) {
        if (r->in.p[r->scanned] != '$') return malformed(r, r->scanned, "a length below zero");
        t->type = RSP_REPLY_NULL;
        r->scanned = end + 2;
        return RSP_OK;
    }
    if (used > r->max_bytes || (uint64_t)v > r->max_bytes - used) return too_big(r, "a bulk too long", r->max_bytes);
    r->body_type = r->in.p[r->scanned];
    r->body_n = (size_t)v;
    r->in_body = 1;
    r->scanned = end + 2;
    return body(r, t);
}

static int array(struct resp_reader *r, size_t end, struct token *t)
{
    uint8_t kind = r->in.p[r->scanned];
    int64_t v;
    int rc = length(r, end, &v);
    if (rc) return rc;
    if (v == -1) {
        if (kind != '*') return malformed(r, r->scanned, "a length below zero");
        t->type = RSP_REPLY_NULL;
        r->scanned = end + 2;
        return RSP_OK;
    }
    if ((uint64_t)v > r->max_bytes / TOKEN_LEAST)
        return too_big(r, "more elements than fit", r->max_bytes / TOKEN_LEAST);
    t->type = RSP_REPLY_ARRAY;
    t->n = kind == '%' ? 2 * (size_t)v : (size_t)v;
    r->scanned = end + 2;
    return RSP_OK;
}

static int boolean(struct resp_reader *r, size_t end, struct token *t)
{
    uint8_t c = r->in.p[r->scanned + 1];
    if (end - r->scanned != 2 || (c != 't' && c != 'f')) return malformed(r, r->scanned, "a boolean that is none");
    t->type = RSP_REPLY_INTEGER;
    t->integer = c == 't';
    return RSP_OK;
}

/* What the line says by itself. */
static int simple(struct resp_reader *r, size_t end, struct token *t)
{
    uint8_t kind = r->in.p[r->scanned];
    int rc = RSP_OK;
    t->text = r->scanned + 1;
    t->n = end - t->text;
    switch (kind) {
    case '+': t->type = RSP_REPLY_STATUS; break;
    case '-': t->type = RSP_REPLY_ERROR; break;
    case '(':
    case ',': t->type = RSP_REPLY_BULK; break;
    case ':':
        t->type = RSP_REPLY_INTEGER;
        if (!i64_parse(r->in.p + t->text, t->n, &t->integer)) rc = malformed(r, t->text, "an integer that is none");
        break;
    case '_':
        t->type = RSP_REPLY_NULL;
        if (t->n) rc = malformed(r, t->text, "a null with something in it");
        break;
    default: rc = boolean(r, end, t); break;
    }
    if (!rc) r->scanned = end + 2;
    return rc;
}

static int token(struct resp_reader *r, struct token *t)
{
    size_t end = 0;
    int rc;
    t->integer = 0;
    t->n = 0;
    if (r->in_body) return body(r, t);
    if (r->scanned == r->in.n) return RSP_AGAIN;
    switch (r->in.p[r->scanned]) {
    case '+':
    case '-':
    case ':':
    case '$':
    case '*':
    case '_':
    case '#':
    case ',':
    case '(':
    case '=':
    case '!':
    case '%':
    case '~': break;
    case '>':
    case '|': return malformed(r, r->scanned, "a push or an attribute, which were not asked for");
    default: return malformed(r, r->scanned, "no reply of a Redis server begins like this");
    }
    rc = line(r, &end);
    if (rc) return rc;
    t->start = r->scanned;
    switch (r->in.p[r->scanned]) {
    case '$':
    case '=':
    case '!': return bulk(r, end, t);
    case '*':
    case '%':
    case '~': return array(r, end, t);
    default: return simple(r, end, t);
    }
}

/* ---- whole replies ---- */

static int node(struct resp_reader *r, const struct token *t)
{
    struct rsp_reply *v;
    int rc;
    if (r->nodes.n / sizeof *v >= r->max_bytes / 16 + 1024)
        return too_big(r, "too many elements", r->max_bytes / 16 + 1024);
    rc = buf_reserve(&r->nodes, sizeof *v);
    if (rc) {
        r->dead = 1;
        return rc;
    }
    v = (struct rsp_reply *)(void *)(r->nodes.p + r->nodes.n);
    r->nodes.n += sizeof *v;
    memset(v, 0, sizeof *v);
    v->type = t->type;
    v->integer = t->integer;
    switch (t->type) {
    case RSP_REPLY_STATUS:
    case RSP_REPLY_ERROR:
    case RSP_REPLY_BULK:
        v->integer = (int64_t)(t->text - r->at); /* in.p may move until the reply is whole */
        v->text.n = t->n;
        break;
    case RSP_REPLY_ARRAY: v->n = t->n; break;
    default: break;
    }
    return RSP_OK;
}

static int begin(struct resp_reader *r, int building)
{
    if (r->begun && !(building && !r->building)) return RSP_OK;
    if (r->begun) r->scanned = r->at; /* it was skimmed so far, and is wanted whole now */
    while (r->scanned < r->in.n && r->in.p[r->scanned] == '\n') {
        r->at = ++r->scanned;
        if (++r->blanks > RESP_LINE) return malformed(r, r->scanned, "nothing but newlines");
    }
    if (r->scanned == r->in.n) return RSP_AGAIN;
    r->begun = 1;
    r->building = building != 0;
    r->in_body = 0;
    r->depth = 0;
    r->looked = r->error_n = 0;
    r->top_type = 0;
    r->nodes.n = 0;
    if (r->nodes.cap > KEEP_BYTES) buf_free(&r->nodes);
    return RSP_OK;
}

static void note(struct resp_reader *r, const struct token *t)
{
    if (!r->top_type) {
        r->top_type = t->type;
        r->top_integer = t->integer;
    }
    if (t->type == RSP_REPLY_ERROR && !r->error_n) {
        r->error_at = t->n ? t->text : t->start; /* an error without words is one all the same */
        r->error_n = t->n ? t->n : 1;
    }
}

static int walk(struct resp_reader *r, int building)
{
    struct token t;
    int rc;
    if (r->dead) return RSP_ESTATE;
    rc = begin(r, building);
    while (!rc) {
        rc = token(r, &t);
        if (rc) break;
        if (r->scanned - r->at > r->max_bytes) return too_big(r, "too many bytes", r->max_bytes);
        note(r, &t);
        if (r->building) rc = node(r, &t);
        if (rc) break;
        if (t.type == RSP_REPLY_ARRAY && t.n) {
            if (r->depth == RESP_DEPTH) return too_big(r, "arrays within arrays", RESP_DEPTH);
            r->left[r->depth++] = t.n;
            continue;
        }
        while (r->depth && !--r->left[r->depth - 1]) r->depth--;
        if (!r->depth) break;
    }
    if (!rc) r->begun = 0, r->blanks = 0;
    return rc;
}

/* The nodes stand in the order of the bytes: gives them their children, their neighbours and their texts. */
static void join(struct resp_reader *r)
{
    struct rsp_reply *v = (struct rsp_reply *)(void *)r->nodes.p, *last[RESP_DEPTH + 1];
    size_t n = r->nodes.n / sizeof *v;
    unsigned depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i].type == RSP_REPLY_STATUS || v[i].type == RSP_REPLY_ERROR || v[i].type == RSP_REPLY_BULK) {
            v[i].text.p = r->in.p + r->at + (size_t)v[i].integer;
            v[i].integer = 0;
        }
        if (depth) {
            if (last[depth - 1]) last[depth - 1]->next = &v[i];
            last[depth - 1] = &v[i];
        }
        if (v[i].n) {
            v[i].child = &v[i + 1];
            r->left[depth] = v[i].n;
            last[depth++] = NULL;
            continue;
        }
        while (depth && !--r->left[depth - 1]) depth--;
    }
}

int resp_reader_next(struct resp_reader *r, const struct rsp_reply **reply)
{
    int rc = walk(r, 1);
    *reply = NULL;
    if (rc) return rc;
    join(r);
    r->at = r->scanned;
    *reply = (const struct rsp_reply *)(const void *)r->nodes.p;
    return RSP_OK;
}

int resp_reader_skim(struct resp_reader *r, int *type, int64_t *integer, struct rsp_span *error)
{
    int rc;
    error->p = NULL;
    error->n = 0;
    *integer = 0;
    if (!r->begun && r->in.n - r->at >= 5 && !memcmp(r->in.p + r->at, "+OK\r\n", 5) && !r->dead) {
        r->scanned = r->at += 5;
        r->blanks = 0;
        *type = RSP_REPLY_STATUS;
        return RSP_OK;
    }
    *type = 0;
    rc = walk(r, 0);
    if (rc) return rc;
    r->at = r->scanned;
    *type = r->top_type;
    *integer = r->top_integer;
    if (r->error_n) {
        error->p = r->in.p + r->error_at;
        error->n = r->error_n;
    }
    return RSP_OK;
}

struct rsp_span resp_reader_rest(struct resp_reader *r)
{
    struct rsp_span rest = {NULL, 0};
    if (r->in.n > r->at) {
        rest.p = r->in.p + r->at;
        rest.n = r->in.n - r->at;
    }
    r->at = r->scanned = r->in.n;
    r->begun = r->in_body = 0;
    return rest;
}
