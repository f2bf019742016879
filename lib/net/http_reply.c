/* What this is: the reply of an exchange: its fields, collected and bounded, and its body.
 * Rests on: http_impl.h.
 * Does not: judge a status. */
#include "net/http_impl.h"

#include <string.h>

#define FIELDS_MOST 65536
#define HEAD_MOST 262144 /* with 1xx replies and trailers: who sends more never ends */
#define BODY_MOST (1 << 20)

void http_reply_init(struct http_reply *r, const struct rsp_env *env)
{
    memset(r, 0, sizeof *r);
    r->date_ms = INT64_MIN;
    buf_init(&r->fields, env);
    buf_init(&r->body, env);
}

void http_reply_free(struct http_reply *r)
{
    if (r->fields.env) buf_free(&r->fields);
    if (r->body.env) buf_free(&r->body);
}

const char *http_field(const struct http_reply *r, const char *name)
{
    const char *p = (const char *)r->fields.p, *end = p + r->fields.n;
    if (!r->fields.n) return NULL;
    while (p < end) {
        const char *value = p + strlen(p) + 1;
        if (!strcmp(p, name)) return value;
        p = value + strlen(value) + 1;
    }
    return NULL;
}

int http_token(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) continue;
        if (!c || !strchr("!#$%&'*+-.^_`|~", c)) return 0;
    }
    return n != 0;
}

/* ---- fields ---- */

static int keep(struct http_run *x, const char *name, size_t name_n, const char *value, size_t n)
{
    struct buf *f = &x->r->fields;
    size_t need = name_n + n + 2;
    int rc;
    if (need > FIELDS_MOST - f->n)
        return fail(x->env, RSP_EFORMAT, x->subject, "the answer's fields have more than %d bytes", FIELDS_MOST);
    rc = buf_reserve(f, need);
    if (rc) return rc;
    for (size_t i = 0; i < name_n; i++)
        f->p[f->n++] = (uint8_t)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
    f->p[f->n++] = 0;
    if (n) memcpy(f->p + f->n, value, n);
    f->n += n;
    f->p[f->n++] = 0;
    return RSP_OK;
}

static int length_of(struct http_run *x, const char *text)
{
    uint64_t v = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && v <= (INT64_MAX - 9) / 10; p++) v = v * 10 + (uint64_t)(*p - '0');
    if (*p || p == text) return fail(x->env, RSP_EFORMAT, x->subject, "the answer's Content-Length is not a length");
    if (x->has_length && x->named != v)
        return fail(x->env, RSP_EFORMAT, x->subject, "the answer has two lengths: %llu and %llu",
                    (unsigned long long)x->named, (unsigned long long)v);
    x->has_length = 1;
    x->named = v;
    return RSP_OK;
}

static int field(struct http_run *x, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n), *value, *end = line + n;
    size_t name_n = colon ? (size_t)(colon - line) : 0, at = x->r->fields.n;
    int rc;
    if (memchr(line, 0, n)) return fail(x->env, RSP_EFORMAT, x->subject, "a field of the answer holds a NUL");
    if (!colon || !http_token(line, name_n)) return RSP_OK; /* folded or none: nothing that anybody asks for */
    for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++) {}
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) end--;
    rc = keep(x, line, name_n, value, (size_t)(end - value));
    if (rc) return rc;
    line = (const char *)x->r->fields.p + at;
    if (!strcmp(line, "content-length")) return length_of(x, line + name_n + 1);
    if (!strcmp(line, "date") && http_date_parse(line + name_n + 1, &x->r->date_ms)) x->r->date_ms = INT64_MIN;
    return RSP_OK;
}

static void begin_reply(struct http_run *x)
{
    x->r->fields.n = 0;
    x->r->date_ms = INT64_MIN;
    x->has_length = 0;
}

size_t http_on_field(char *line, size_t size, size_t n, void *opaque)
{
    struct http_run *x = opaque;
    long status = 0;
    (void)size; /* 1 */
    if (n > HEAD_MOST - x->head) {
        x->fault = fail(x->env, RSP_EFORMAT, x->subject, "the answer's head has no end");
        return 0;
    }
    x->head += n;
    if (x->whole_head) return n; /* trailers */
    size = n;
    while (n && (line[n - 1] == '\n' || line[n - 1] == '\r')) n--;
    if (n >= 5 && !memcmp(line, "HTTP/", 5)) {
        begin_reply(x);
    } else if (n) {
        x->fault = field(x, line, n);
        if (x->fault) return 0;
    } else {
        curl_easy_getinfo(x->h->easy, CURLINFO_RESPONSE_CODE, &status);
        x->whole_head = status >= 200 || status == 101;
    }
    return size;
}

/* ---- body ---- */

static int too_long(struct http_run *x, size_t most)
{
    return fail(x->env, RSP_ELIMIT, x->subject, "the answer has more than the %zu bytes that were expected", most);
}

static int into_place(struct http_run *x, const char *p, size_t n)
{
    size_t room = x->q->into_n;
    if (x->has_length && x->named > room) return too_long(x, room);
    if (n > room - (size_t)x->r->got) return too_long(x, room);
    memcpy((uint8_t *)x->q->into + (size_t)x->r->got, p, n);
    return RSP_OK;
}

static int into_body(struct http_run *x, int good, const char *p, size_t n)
{
    struct buf *b = &x->r->body;
    size_t most = x->q->body_max ? x->q->body_max : BODY_MOST;
    if (good && x->has_length && x->named > most) return too_long(x, most);
    if (n <= most - b->n) return buf_add(b, p, n);
    if (good) return too_long(x, most);
    x->cut = 1; /* the words of a fault: the rest is not worth waiting for */
    return buf_add(b, p, most - b->n);
}

size_t http_on_body(char *p, size_t size, size_t n, void *opaque)
{
    struct http_run *x = opaque;
    long status = 0;
    int wanted;
    (void)size; /* 1 */
    curl_easy_getinfo(x->h->easy, CURLINFO_RESPONSE_CODE, &status);
    wanted = status == 200 || status == 206;
    if (x->q->into && wanted) x->fault = into_place(x, p, n);
    else x->fault = into_body(x, status >= 200 && status < 300, p, n);
    if (x->fault) return 0;
    if (wanted || !x->q->into) x->r->got += n;
    x->fault = net_handle_moved(x->h, 0, n);
    if (x->fault || x->cut) return 0;
    return n;
}

int http_reply_check(struct http_run *x)
{
    long status = 0;
    curl_easy_getinfo(x->h->easy, CURLINFO_RESPONSE_CODE, &status);
    if (!x->whole_head && (status == 0 || status >= 200) && x->head)
        return client_fault(x->env, RSP_ENET, 1, 0, x->subject, "the answer ended within its head");
    if (status < 200 || status > 999)
        return fail(x->env, RSP_EFORMAT, x->subject, "the answer has no status that HTTP knows (%ld)", status);
    x->r->status = (int)status;
    return RSP_OK;
}
