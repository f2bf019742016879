/* What this is: looking at objects and reading them.
 * Rests on: s3_impl.h.
 * Does not: keep what was read. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "store/s3_impl.h"

#define WORDS_BYTES ((size_t)16 << 10) /* what a refusal may say, however small the object is to be */

static int number(const char **p, uint64_t *v)
{
    size_t n = strspn(*p, "0123456789");
    int64_t i;
    if (!i64_parse((const uint8_t *)*p, n, &i)) return -1;
    *p += n;
    *v = (uint64_t)i;
    return 0;
}

int s3_content_range(const char *text, uint64_t *from, uint64_t *to, uint64_t *total)
{
    *total = UINT64_MAX;
    if (strncmp(text, "bytes ", 6)) return -1;
    text += 6;
    if (number(&text, from) || *text++ != '-' || number(&text, to) || *text++ != '/' || *to < *from) return -1;
    if (!strcmp(text, "*")) return 0;
    return number(&text, total) || *text || *total <= *to ? -1 : 0;
}

static int lock_of(const char *mode)
{
    if (mode && !strcmp(mode, "COMPLIANCE")) return RSP_LOCK_COMPLIANCE;
    return mode && !strcmp(mode, "GOVERNANCE") ? RSP_LOCK_GOVERNANCE : RSP_LOCK_NONE;
}

static int read_head(const struct rsp_env *env, const char *where, const struct http_reply *r, struct s3_seen *ret)
{
    const char *length = http_field(r, "content-length"), *modified = http_field(r, "last-modified");
    const char *etag = http_field(r, "etag"), *sse = http_field(r, "x-amz-server-side-encryption");
    const char *until = http_field(r, "x-amz-object-lock-retain-until-date");
    const char *version = http_field(r, "x-amz-version-id");
    int64_t bytes;
    if (!length || !i64_parse((const uint8_t *)length, strlen(length), &bytes) || bytes < 0)
        return fail(env, RSP_EFORMAT, where, "look: the store does not tell the object's size");
    ret->item.bytes = (uint64_t)bytes;
    if (!modified || http_date_parse(modified, &ret->item.mtime_ms))
        return fail(env, RSP_EFORMAT, where, "look: the store does not tell the object's time");
    snprintf(ret->etag, sizeof ret->etag, "%s", etag ? etag : "");
    ret->sse = (sse && strcmp(sse, "AES256")) || http_field(r, "x-amz-server-side-encryption-customer-algorithm");
    ret->lock_mode = lock_of(http_field(r, "x-amz-object-lock-mode"));
    ret->lock_until_ms = INT64_MIN;
    if (until && http_date_parse(until, &ret->lock_until_ms)) ret->lock_until_ms = INT64_MIN;
    snprintf(ret->version, sizeof ret->version, "%s", version && strlen(version) < S3_ID ? version : "");
    return RSP_OK;
}

int s3_head(struct s3_store *s, const struct rsp_env *env, const char *name, const char *version, int last,
            struct s3_seen *ret)
{
    struct s3_request q = {.method = "HEAD", .what = "look", .name = name, .last = last};
    char where[WHERE_BYTES];
    struct http_reply r;
    int rc;
    memset(ret, 0, sizeof *ret);
    if (version && *version) s3_param(&q, "versionId", version);
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, &q, &r);
    store_where(&s->s, name, where);
    if (!rc) rc = read_head(env, where, &r, ret);
    ret->item.name = name;
    http_reply_free(&r);
    return rc;
}

int s3_look(struct rsp_store *store, const struct rsp_env *env, const char *name, struct rsp_store_item *item)
{
    struct s3_store *s = (struct s3_store *)store;
    struct s3_seen seen;
    char id[S3_ID];
    int rc;
    if (s->oldest) return s3_oldest(s, env, name, id, item);
    rc = s3_head(s, env, name, NULL, 0, &seen);
    if (!rc) *item = seen.item;
    return rc;
}

int s3_stat(struct rsp_store *store, const char *name, struct rsp_store_item *item)
{
    return s3_look(store, &store->env, name, item);
}

/* ---- a range ---- */

struct range {
    uint64_t from, end; /* of the whole that is wanted: [from, end) */
    uint8_t *p;
    size_t done;
    char text[64];
};

static void say_range(struct range *g)
{
    snprintf(g->text, sizeof g->text, "bytes=%llu-%llu", (unsigned long long)g->from + g->done,
             (unsigned long long)g->end - 1);
}

static size_t left_of(const struct range *g)
{
    return (size_t)(g->end - g->from) - g->done;
}

/* What came stays: the rest is asked for. */
static int resume(struct s3_request *q, const struct http_reply *r)
{
    struct range *g = q->opaque;
    uint64_t from, to, total;
    const char *said = http_field(r, "content-range");
    if (!said || s3_content_range(said, &from, &to, &total) || from != g->from + g->done || to >= g->end) return RSP_OK;
    if (r->got >= left_of(g)) return RSP_OK; /* all came, and yet it failed: anew */
    g->done += (size_t)r->got;
    q->into = g->p + g->done;
    q->into_n = left_of(g);
    say_range(g);
    return RSP_OK;
}

static int range_fault(const struct rsp_env *env, const char *where, const struct http_reply *r, const struct range *g)
{
    const char *said = http_field(r, "content-range");
    uint64_t from, to, total;
    if (r->status != 206 || !said)
        return fail(env, RSP_EFORMAT, where, "read: the store answers a request for a range with %d and no range",
                    r->status);
    if (s3_content_range(said, &from, &to, &total) || from != g->from + g->done || to >= g->end)
        return fail(env, RSP_EFORMAT, where, "read: the store sends another range than was asked for");
    if (to + 1 < g->end) return fail_at(env, RSP_ETRUNCATED, where, to + 1, "ends before what was asked for");
    if (r->got != left_of(g)) return fail(env, RSP_EFORMAT, where, "read: the range is not as long as the store says");
    return RSP_OK;
}

/* Nothing is asked for: it must be there, and reach so far. */
static int read_nothing(struct rsp_store *store, const struct rsp_env *env, const char *name, uint64_t offset)
{
    struct rsp_store_item item = {0};
    char where[WHERE_BYTES];
    int rc = s3_look(store, env, name, &item);
    store_where(store, name, where);
    if (!rc && offset > item.bytes)
        rc = fail_at(env, RSP_ETRUNCATED, where, item.bytes, "ends before what was asked for");
    return rc;
}

int s3_read(struct rsp_store *store, const struct rsp_env *env, const char *name, uint64_t offset, void *p, size_t n)
{
    struct s3_store *s = (struct s3_store *)store;
    struct range g = {.from = offset, .end = offset + n, .p = p};
    struct s3_request q = {
        .method = "GET", .what = "read", .name = name, .into = p, .into_n = n, .again = resume, .opaque = &g};
    char id[S3_ID], where[WHERE_BYTES];
    struct rsp_store_item item = {0};
    struct http_reply r;
    int rc = RSP_OK;
    store_where(store, name, where);
    if (offset > INT64_MAX || n > INT64_MAX - offset)
        return fail(env, RSP_ETRUNCATED, where, "ends before what was asked for");
    if (!n) return read_nothing(store, env, name, offset);
    if (s->oldest) {
        rc = s3_oldest(s, env, name, id, &item);
        if (rc) return rc;
        s3_param(&q, "versionId", id);
    }
    say_range(&g);
    s3_field(&q, "range", g.text);
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, &q, &r);
    if (!rc) rc = range_fault(env, where, &r, &g);
    http_reply_free(&r);
    return rc;
}

int s3_get(struct rsp_store *store, const struct rsp_env *env, const char *name, size_t max, uint8_t **p, size_t *n)
{
    struct s3_store *s = (struct s3_store *)store;
    struct s3_request q = {
        .method = "GET", .what = "read", .name = name, .body_max = max < WORDS_BYTES ? WORDS_BYTES : max};
    char id[S3_ID], where[WHERE_BYTES];
    struct rsp_store_item item = {0};
    struct http_reply r;
    int rc = RSP_OK;
    *p = NULL;
    *n = 0;
    store_where(store, name, where);
    if (s->oldest) {
        rc = s3_oldest(s, env, name, id, &item);
        if (rc) return rc;
        s3_param(&q, "versionId", id);
    }
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, &q, &r);
    if (!rc && r.body.n > max) rc = fail(env, RSP_ELIMIT, where, "has more than the %zu bytes that were expected", max);
    if (!rc && r.status != 200) rc = fail(env, RSP_EFORMAT, where, "read: the store answers %d", r.status);
    if (!rc) {
        *p = mem_alloc(env, r.body.n ? r.body.n : 1);
        if (!*p) rc = RSP_ENOMEM;
    }
    if (!rc) {
        *n = r.body.n;
        if (*n) memcpy(*p, r.body.p, *n);
    }
    http_reply_free(&r);
    return rc;
}
