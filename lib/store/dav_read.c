/* What this is: objects of a WebDAV store: looking, reading, deleting.
 * Rests on: dav_impl.h.
 * Does not: write one. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/dav_impl.h"

#define PROGRESS ((uint64_t)64 << 10) /* after so much of a body, tries are counted anew */

static int not_there(struct dav_store *d, const struct rsp_env *env, const char *url)
{
    return dav_fail(d, env, RSP_ENOTFOUND, url, "is not there");
}

/* By PROPFIND: where HEAD does not tell all. */
static int look_closer(struct dav_store *d, const struct rsp_env *env, const char *url, struct rsp_store_item *item)
{
    struct dav_answer a;
    int rc = dav_props(d, env, url, &a);
    if (rc == RSP_ENOTFOUND || (!rc && (a.has & DAV_COLLECTION))) return not_there(d, env, url);
    if (rc) return rc;
    if (!(a.has & DAV_LENGTH)) return dav_fail(d, env, RSP_EFORMAT, url, "the server does not tell its size");
    item->bytes = a.bytes;
    item->mtime_ms = a.has & DAV_MODIFIED ? a.mtime_ms : 0;
    return RSP_OK;
}

static int head(struct dav_store *d, const struct rsp_env *env, const char *url, struct rsp_store_item *item)
{
    struct http_request q = {.method = "HEAD", .url = url};
    struct http_reply r;
    const char *length, *modified;
    int rc, whole = 0;
    http_reply_init(&r, env);
    rc = dav_exchange(d, env, &q, &r, NULL);
    if (!rc && (r.status == 404 || r.status == 410 || dav_is_folder(&q, &r))) rc = not_there(d, env, url);
    else if (!rc && r.status != 200 && r.status != 204 && r.status != 405) rc = dav_fault(d, env, &q, &r);
    if (!rc && r.status == 200) {
        length = http_field(&r, "content-length");
        modified = http_field(&r, "last-modified");
        whole = length && modified && !http_field(&r, "content-encoding") && !dav_number(length, &item->bytes) &&
                !http_date_parse(modified, &item->mtime_ms);
    }
    http_reply_free(&r);
    return rc || whole ? rc : look_closer(d, env, url, item);
}

int dav_look(struct rsp_store *s, const struct rsp_env *env, const char *name, struct rsp_store_item *item)
{
    struct dav_store *d = (struct dav_store *)s;
    struct buf url;
    int rc;
    buf_init(&url, env);
    rc = dav_url(d, name, &url);
    if (!rc) rc = head(d, env, (const char *)url.p, item);
    item->name = name;
    buf_free(&url);
    return rc;
}

int dav_stat(struct rsp_store *s, const char *name, struct rsp_store_item *item)
{
    return dav_look(s, &s->env, name, item);
}

/* "bytes 5-9/100": from where and of how many (UINT64_MAX: "*"). */
static int content_range(const char *text, uint64_t *from, uint64_t *total)
{
    unsigned long long a, b;
    char rest[24];
    if (!text || sscanf(text, "bytes %20llu-%20llu/%21[0-9*]", &a, &b, rest) != 3) return -1;
    *from = a;
    *total = UINT64_MAX;
    if (rest[0] != '*' && dav_number(rest, total)) return -1;
    return b < a || (*total != UINT64_MAX && b >= *total) ? -1 : 0;
}

/* A reply to a request for [offset, offset + n), of which r->got bytes are in their place. */
static int judge(struct dav_store *d, const struct rsp_env *env, const struct http_request *q,
                 const struct http_reply *r, uint64_t offset, size_t n)
{
    uint64_t from, total;
    if (r->status == 404 || r->status == 410 || dav_is_folder(q, r)) return not_there(d, env, q->url);
    if (r->status == 200 && !offset && r->got == n) return RSP_OK;
    if (r->status == 200 && !offset) return dav_fail(d, env, RSP_ETRUNCATED, q->url, "ends before what was asked for");
    if (r->status == 200)
        return dav_fail(d, env, RSP_EUNSUPPORTED, q->url,
                        "the server does not do ranges: it sends the whole object for a part of it");
    if (r->status != 206) return dav_fault(d, env, q, r);
    if (content_range(http_field(r, "content-range"), &from, &total) || from != offset)
        return dav_fail(d, env, RSP_EFORMAT, q->url, "GET: 206: the server sends another range than was asked for");
    if (r->got == n) return RSP_OK;
    return dav_fail(d, env, RSP_ETRUNCATED, q->url, "ends before what was asked for");
}

/* One request for what is left; what came of it counts, whatever became of the rest. */
static int read_some(struct dav_store *d, struct dav_tries *t, const char *url, uint64_t offset, uint8_t *p, size_t n,
                     size_t *got)
{
    char range[64];
    struct http_field field = {"Range", range};
    struct http_request q = {.method = "GET", .url = url, .fields = &field, .fields_n = 1, .into = p, .into_n = n};
    struct http_reply r;
    int rc;
    snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)offset, (unsigned long long)(offset + n - 1));
    http_reply_init(&r, &t->own);
    rc = dav_try(d, t, &q, &r);
    *got = 0;
    if (rc == RSP_ELIMIT) { /* more than was asked for */
        rsp_error_clear(&t->words);
        rc = dav_fail(d, &t->own, RSP_EUNSUPPORTED, url,
                      "the server does not do ranges: it sends the whole object for a part of it");
    } else if (rc && r.got && r.got < n) {
        uint64_t from, total;
        if (!content_range(http_field(&r, "content-range"), &from, &total) && from == offset) *got = (size_t)r.got;
    } else if (!rc) {
        rc = judge(d, &t->own, &q, &r, offset, n);
        if (!rc) *got = n;
    }
    if (rc) {
        uint64_t moved = *got;
        rc = dav_again(t, &r, rc);
        if (!rc && moved >= PROGRESS) t->retry.tried = 0;
    }
    http_reply_free(&r);
    return rc;
}

static int read_nothing(struct rsp_store *s, const struct rsp_env *env, const char *name, uint64_t offset)
{
    struct rsp_store_item item = {0};
    char where[WHERE_BYTES];
    int rc = dav_look(s, env, name, &item);
    if (rc || offset <= item.bytes) return rc;
    store_where(s, name, where);
    return fail_at(env, RSP_ETRUNCATED, where, item.bytes, "ends before what was asked for");
}

int dav_read(struct rsp_store *s, const struct rsp_env *env, const char *name, uint64_t offset, void *p, size_t n)
{
    struct dav_store *d = (struct dav_store *)s;
    struct dav_tries t;
    struct buf url;
    uint8_t *at = p;
    int rc;
    if (!n) return read_nothing(s, env, name, offset);
    buf_init(&url, env);
    dav_tries_init(&t, d, env);
    rc = dav_url(d, name, &url);
    if (!rc && offset > UINT64_MAX - n)
        rc = dav_fail(d, env, RSP_ETRUNCATED, (const char *)url.p, "ends before what was asked for");
    while (!rc && n) {
        size_t got;
        rc = read_some(d, &t, (const char *)url.p, offset, at, n, &got);
        at += got;
        offset += got;
        n -= got;
    }
    buf_free(&url);
    return rc;
}

/* The words of http.c name no sizes that our caller knows. */
static int too_large(struct dav_store *d, const struct rsp_env *env, const char *url, size_t max)
{
    char words[80];
    snprintf(words, sizeof words, "is larger than the %zu bytes that were expected", max);
    return dav_fail(d, env, RSP_ELIMIT, url, words);
}

static int get_url(struct dav_store *d, const struct rsp_env *env, const char *url, size_t max, uint8_t **p, size_t *n)
{
    struct http_request q = {.method = "GET", .url = url, .body_max = max ? max : 1};
    struct rsp_error words = {0};
    struct rsp_env own = *env;
    struct http_reply r;
    int rc;
    own.error = &words;
    http_reply_init(&r, &own);
    rc = dav_exchange(d, &own, &q, &r, NULL);
    if (rc == RSP_ELIMIT || (!rc && r.status == 200 && r.body.n > max)) {
        rsp_error_clear(&words);
        rc = too_large(d, &own, url, max);
    } else if (!rc && (r.status == 404 || r.status == 410 || dav_is_folder(&q, &r))) {
        rc = not_there(d, &own, url);
    } else if (!rc && r.status != 200) {
        rc = dav_fault(d, &own, &q, &r);
    }
    if (!rc) {
        *p = mem_alloc(&own, r.body.n ? r.body.n : 1);
        if (!*p) rc = RSP_ENOMEM;
        else if (r.body.n) memcpy(*p, r.body.p, r.body.n);
        *n = rc ? 0 : r.body.n;
    }
    http_reply_free(&r);
    if (rc && env->error && !env->error->code) *env->error = words;
    return rc;
}

int dav_get(struct rsp_store *s, const struct rsp_env *env, const char *name, size_t max, uint8_t **p, size_t *n)
{
    struct dav_store *d = (struct dav_store *)s;
    struct buf url;
    int rc;
    *p = NULL;
    *n = 0;
    buf_init(&url, env);
    rc = dav_url(d, name, &url);
    if (!rc) rc = get_url(d, env, (const char *)url.p, max, p, n);
    buf_free(&url);
    return rc;
}

/* To delete a collection is to delete all that is in it. "Depth: 0" is what no server does to one: they answer 400 or
 * 409 then, and nothing happens. */
int dav_remove(struct rsp_store *s, const char *name)
{
    struct dav_store *d = (struct dav_store *)s;
    struct http_field depth = {"Depth", "0"};
    struct http_request q = {.method = "DELETE", .fields = &depth, .fields_n = 1};
    struct http_reply r;
    struct dav_answer a;
    struct buf url;
    int rc;
    buf_init(&url, &s->env);
    http_reply_init(&r, &s->env);
    rc = dav_url(d, name, &url);
    q.url = (const char *)url.p;
    if (!rc) rc = dav_exchange(d, &s->env, &q, &r, NULL);
    if (!rc && (r.status == 400 || r.status == 409) && !dav_props(d, &s->env, q.url, &a) && (a.has & DAV_COLLECTION))
        goto out; /* no object */
    if (!rc && r.status != 200 && r.status != 202 && r.status != 204 && r.status != 404 && r.status != 410 &&
        !dav_is_folder(&q, &r))
        rc = dav_fault(d, &s->env, &q, &r);
out:
    http_reply_free(&r);
    buf_free(&url);
    return rc;
}
