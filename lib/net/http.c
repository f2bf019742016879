/* What this is: an exchange: the request set up, its body given, the verdict.
 * Rests on: http_impl.h, libcurl, libsodium.
 * Does not: look at the reply (http_reply.c). */
#include "net/http_impl.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* ---- the request's body ---- */

static size_t give(struct http_run *x, char *out, size_t cap)
{
    const struct http_request *q = x->q;
    size_t left, n = 0;
    if (!q->read) {
        left = q->n - (size_t)x->at;
        n = left < cap ? left : cap;
        if (n) memcpy(out, (const uint8_t *)q->p + (size_t)x->at, n);
        return n;
    }
    if (q->length != UINT64_MAX && q->length - x->at < cap) cap = (size_t)(q->length - x->at);
    if (!cap) return 0;
    x->fault = q->read(q->opaque, (uint8_t *)out, cap, &n);
    if (!x->fault && n > cap) x->fault = fail(x->env, RSP_EINVAL, x->subject, "a body was read past its room");
    if (!x->fault && !n && q->length != UINT64_MAX)
        x->fault = fail(x->env, RSP_EINVAL, x->subject, "the body to send ends at %llu of %llu bytes",
                        (unsigned long long)x->at, (unsigned long long)q->length);
    return n;
}

static size_t on_read(char *out, size_t size, size_t n, void *opaque)
{
    struct http_run *x = opaque;
    size_t cap = size * n, got;
    got = give(x, out, cap < x->h->piece ? cap : x->h->piece);
    if (!x->fault && got) x->fault = net_handle_moved(x->h, got, 0);
    if (x->fault) return CURL_READFUNC_ABORT;
    x->at += got;
    return got;
}

/* libcurl begins anew when a connection that was kept turns out to be dead. */
static int on_seek(void *opaque, curl_off_t offset, int origin)
{
    struct http_run *x = opaque;
    if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_FAIL;
    if (x->q->read) return (uint64_t)offset == x->at ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_CANTSEEK;
    if ((uint64_t)offset > x->q->n) return CURL_SEEKFUNC_FAIL;
    x->at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- the request's fields ---- */

static void fields_free(struct curl_slist *list)
{
    for (struct curl_slist *f = list; f; f = f->next) sodium_memzero(f->data, strlen(f->data)); /* tokens, signatures */
    curl_slist_free_all(list);
}

static int field_add(struct http_run *x, const struct http_field *f, struct curl_slist **list)
{
    size_t name_n = strlen(f->name), n = strlen(f->value), size = name_n + n + 3;
    struct curl_slist *more;
    char *line;
    if (!http_token(f->name, name_n)) return fail(x->env, RSP_EINVAL, x->subject, "a field's name cannot be sent");
    for (const char *p = f->value; *p; p++)
        if ((unsigned char)*p < 32 || *p == 127)
            return fail(x->env, RSP_EINVAL, x->subject,
                        "the value of the field '%.60s' holds a byte that cannot be sent", f->name);
    line = mem_alloc(x->env, size);
    if (!line) return RSP_ENOMEM;
    /* Without a value libcurl would take "Name:" for "do not send it". */
    snprintf(line, size, n ? "%s: %s" : "%s;", f->name, f->value);
    more = curl_slist_append(*list, line);
    sodium_memzero(line, size);
    mem_free(x->env, line, size);
    if (!more) return fail(x->env, RSP_ENOMEM, x->subject, "cannot send a field: out of memory");
    *list = more;
    return RSP_OK;
}

static int fields_make(struct http_run *x, struct curl_slist **list)
{
    *list = curl_slist_append(NULL, "Expect:"); /* not waited for: a body is cheaper to send than to hold back */
    if (!*list) return fail(x->env, RSP_ENOMEM, x->subject, "cannot send a field: out of memory");
    for (size_t i = 0; i < x->q->fields_n; i++) {
        int rc = field_add(x, &x->q->fields[i], list);
        if (rc) return rc;
    }
    return RSP_OK;
}

/* ---- the request ---- */

#define SET(option, value)                                     \
    do {                                                       \
        if (!set) set = curl_easy_setopt(easy, option, value); \
    } while (0)

static CURLcode set_body(struct http_run *x)
{
    const struct http_request *q = x->q;
    CURL *easy = x->h->easy;
    CURLcode set = CURLE_OK;
    curl_off_t length;
    if (!x->has_body) {
        if (!strcmp(q->method, "HEAD")) SET(CURLOPT_NOBODY, 1L);
        else SET(CURLOPT_HTTPGET, 1L);
        return set;
    }
    if (!q->read) length = (curl_off_t)q->n;
    else length = q->length == UINT64_MAX ? -1 : (curl_off_t)q->length;
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, length);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, x);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, x);
    return set;
}

static CURLcode set_request(struct http_run *x, struct curl_slist *list)
{
    const struct http_request *q = x->q;
    CURL *easy = x->h->easy;
    CURLcode set = CURLE_OK;
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_URL, q->url);
    SET(CURLOPT_HTTPHEADER, list);
    SET(CURLOPT_USERAGENT, "respite/" RSP_VERSION_STRING);
    if (!set) set = set_body(x);
    if (strcmp(q->method, "HEAD") || x->has_body) SET(CURLOPT_CUSTOMREQUEST, q->method);
    SET(CURLOPT_HEADERFUNCTION, http_on_field);
    SET(CURLOPT_HEADERDATA, x);
    SET(CURLOPT_WRITEFUNCTION, http_on_body);
    SET(CURLOPT_WRITEDATA, x);
    if (q->user) {
        SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        SET(CURLOPT_USERNAME, q->user);
        SET(CURLOPT_PASSWORD, q->password ? q->password : "");
    }
    return set;
}

static int check(struct http_run *x)
{
    const struct http_request *q = x->q;
    static const char *const with_body[] = {"PUT", "POST", "PATCH"};
    size_t n = strcspn(q->url, "?#");
    printable(x->subject, sizeof x->subject, (const uint8_t *)q->url, n);
    if (!http_token(q->method, strlen(q->method)))
        return fail(x->env, RSP_EINVAL, x->subject, "this method cannot be sent");
    for (const char *p = q->url; *p; p++)
        if ((unsigned char)*p <= 32 || (unsigned char)*p >= 127)
            return fail(x->env, RSP_EINVAL, x->subject, "a URL is sent percent-encoded");
    if (q->read && q->length != UINT64_MAX && q->length > INT64_MAX)
        return fail(x->env, RSP_EINVAL, x->subject, "the body is too long");
    x->has_body = q->p || q->has_body || q->read;
    for (size_t i = 0; i < sizeof with_body / sizeof *with_body; i++) /* of these an empty one is said to be empty */
        if (!strcmp(q->method, with_body[i])) x->has_body = 1;
    return RSP_OK;
}

/* What asks only may be asked again unseen. */
static int asks_only(const char *method)
{
    static const char *const names[] = {"GET", "HEAD", "OPTIONS", "PROPFIND"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(method, names[i])) return 1;
    return 0;
}

static int run(struct http_run *x)
{
    int rc, code;
    x->h->once = !asks_only(x->q->method);
    rc = net_handle_perform(x->h, x->env, x->subject, &code);
    if (!x->fault && code == CURLE_OUT_OF_MEMORY && x->h->sent && !x->whole_head) { /* libcurl's word for it */
        rsp_error_clear(x->env->error);
        return fail(x->env, RSP_EFORMAT, x->subject, "a line of the answer's head has no end");
    }
    if (x->cut && rc != RSP_ECANCELED) {
        rsp_error_clear(x->env->error);
        rc = RSP_OK;
    } else if (x->fault && x->fault != RSP_ECANCELED) {
        rc = x->fault;
    }
    return rc ? rc : http_reply_check(x);
}

int http_exchange(struct net_client *c, const struct rsp_env *env, const struct http_request *q, struct http_reply *r)
{
    struct http_run x = {.env = env, .q = q, .r = r};
    struct curl_slist *list = NULL;
    CURLcode set;
    int rc;
    r->status = 0;
    r->got = 0;
    r->date_ms = INT64_MIN;
    r->fields.n = r->body.n = 0;
    rc = check(&x);
    if (!rc) rc = fields_make(&x, &list);
    if (!rc) rc = net_handle_take(c, env, &x.h);
    if (rc) goto out;
    set = set_request(&x, list);
    if (set)
        rc = fail(env, set == CURLE_OUT_OF_MEMORY ? RSP_ENOMEM : RSP_EINVAL, x.subject, "libcurl cannot send this: %s",
                  curl_easy_strerror(set));
    else rc = run(&x);
    if (rc && rc != RSP_ECANCELED) trail(env, rc, "%s request", q->method);
out:
    net_handle_give(x.h, rc == RSP_OK && !x.cut);
    fields_free(list);
    return rc;
}
