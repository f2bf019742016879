/* What this is: walks over the bucket: objects, and uploads that nobody ended.
 * Rests on: s3_impl.h.
 * Does not: gather them: one page is in memory. */
#include <stdio.h>
#include <string.h>

#include "store/s3_impl.h"

#define USELESS_MOST 20000 /* pages one after the other that bring nothing of ours: a bucket that others fill, too */

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What encoding-type=url does to a key. -1: malformed, or with a zero in it. */
int s3_unescape(char *text)
{
    char *out = text;
    for (; *text; text++) {
        if (*text == '+') {
            *out++ = ' ';
        } else if (*text == '%') {
            int a = hex(text[1]), b = a < 0 ? -1 : hex(text[2]);
            if (a < 0 || b < 0 || !(a | b)) return -1;
            *out++ = (char)(unsigned char)(a * 16 + b);
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = 0;
    return 0;
}

const char *s3_name_of(const struct s3_store *s, char *key, int encoded)
{
    size_t n = strlen(s->place.prefix);
    if (encoded && s3_unescape(key)) return NULL;
    if (strncmp(key, s->place.prefix, n) || !store_name_ok(key + n)) return NULL;
    return key + n;
}

struct walk {
    struct s3_store *s;
    const char *prefix;
    int (*each)(void *, const struct rsp_store_item *);
    void *opaque;
    char last[NAME_BYTES + 1];
    size_t ours; /* entries of the page */
    int verdict; /* of each, or of a fault seen in an entry */
};

static int tell(struct s3_page *p)
{
    struct walk *w = p->opaque;
    const char *name;
    struct rsp_store_item item;
    if (p->entry != 1) return RSP_OK;
    name = s3_name_of(w->s, p->key, p->encoded);
    if (!name || strncmp(name, w->prefix, strlen(w->prefix))) return RSP_OK;
    if (*w->last && strcmp(w->last, name) >= 0) {
        w->verdict = fail(&w->s->s.env, RSP_EFORMAT, p->subject, "list: the store lists %s behind %s", name, w->last);
        return RSP_EUSER;
    }
    snprintf(w->last, sizeof w->last, "%s", name);
    w->ours++;
    item = (struct rsp_store_item){name, p->bytes, p->ms};
    w->verdict = w->each(w->opaque, &item);
    return w->verdict ? RSP_EUSER : RSP_OK;
}

/* The next page's place; a page that leads to itself would never end. */
static int turn(const struct rsp_env *env, const struct s3_page *p, char *token, char *id, unsigned *useless)
{
    if ((!strcmp(token, p->next) && !strcmp(id, p->next_id)) || ++*useless > USELESS_MOST)
        return fail(env, RSP_EFORMAT, p->subject, "list: the store's pages lead nowhere");
    memcpy(token, p->next, sizeof p->next);
    memcpy(id, p->next_id, sizeof p->next_id);
    return RSP_OK;
}

static int ask(struct s3_store *s, struct s3_request *q, const char *root, const char *entry, struct s3_page *p)
{
    struct http_reply r;
    int rc;
    http_reply_init(&r, &s->s.env);
    q->body_max = S3_DOCUMENT_MAX;
    rc = s3_exchange(s, &s->s.env, q, &r);
    if (!rc) rc = s3_page_read(&s->s.env, root, entry, s3_document(&r), p);
    http_reply_free(&r);
    return rc;
}

/* A page's texts are too large for a stack that may be a thread's. */
struct place {
    struct s3_page page;
    char token[XML_TEXT_MAX + 1], id[XML_TEXT_MAX + 1];
    char whole[S3_PREFIX_BYTES + NAME_BYTES + 2];
};

int s3_list(struct rsp_store *store, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
            void *opaque)
{
    struct s3_store *s = (struct s3_store *)store;
    struct walk w = {.s = s, .prefix = prefix, .each = each, .opaque = opaque};
    struct place *at;
    unsigned useless = 0;
    int rc = RSP_OK;
    if (s->oldest) return s3_list_versions(store, prefix, each, opaque);
    at = mem_zero(&store->env, sizeof *at);
    if (!at) return RSP_ENOMEM;
    snprintf(at->whole, sizeof at->whole, "%s%s", s->place.prefix, prefix);
    at->page.subject = store->url;
    at->page.each = tell;
    at->page.opaque = &w;
    do {
        struct s3_request q = {.method = "GET", .what = "list"};
        s3_param(&q, "list-type", "2");
        s3_param(&q, "encoding-type", "url");
        s3_param(&q, "max-keys", "1000");
        if (*at->whole) s3_param(&q, "prefix", at->whole);
        if (*at->token) s3_param(&q, "continuation-token", at->token);
        w.ours = 0;
        rc = ask(s, &q, "ListBucketResult", "Contents", &at->page);
        if (rc == RSP_EUSER && w.verdict) rc = w.verdict;
        if (w.ours) useless = 0;
        if (!rc && at->page.more) rc = turn(&store->env, &at->page, at->token, at->id, &useless);
    } while (!rc && at->page.more);
    mem_free(&store->env, at, sizeof *at);
    return rc;
}

/* ---- leftovers ---- */

struct debris {
    struct s3_store *s;
    int (*each)(void *, const struct rsp_store_item *);
    void *opaque;
    struct buf wanted; /* "name\0id\0" ... of this page's that are to go */
    int verdict;
};

static int tell_upload(struct s3_page *p)
{
    struct debris *d = p->opaque;
    const char *name;
    struct rsp_store_item item = {0};
    int rc;
    if (p->entry != 1) return RSP_OK;
    name = s3_name_of(d->s, p->key, p->encoded);
    if (!name || !*p->id) return RSP_OK;
    item.name = name;
    item.mtime_ms = p->ms;
    rc = d->each(d->opaque, &item);
    if (rc == 1) {
        rc = buf_add(&d->wanted, name, strlen(name) + 1);
        if (!rc) rc = buf_add(&d->wanted, p->id, strlen(p->id) + 1);
    }
    d->verdict = rc;
    return rc ? RSP_EUSER : RSP_OK;
}

static int abort_all(struct debris *d)
{
    const char *p = (const char *)d->wanted.p, *end = p + d->wanted.n;
    struct rsp_store *store = &d->s->s;
    int rc = RSP_OK;
    while (p < end && !rc) {
        struct s3_request q = {.method = "DELETE", .what = "abort an upload", .name = p};
        struct rsp_error words = {0};
        struct rsp_env apart = store->env;
        struct http_reply r;
        apart.error = &words;
        p += strlen(p) + 1;
        s3_param(&q, "uploadId", p);
        p += strlen(p) + 1;
        if (store->read_only) return fail(&store->env, RSP_EPERM, store->url, "the store was opened for reading only");
        http_reply_init(&r, &apart);
        rc = s3_exchange(d->s, &apart, &q, &r);
        http_reply_free(&r);
        if (rc == RSP_ENOTFOUND) rc = RSP_OK;
        rc = s3_tell(&store->env, &words, rc);
    }
    d->wanted.n = 0;
    return rc;
}

int s3_leftovers(struct rsp_store *store, int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    struct s3_store *s = (struct s3_store *)store;
    struct debris d = {.s = s, .each = each, .opaque = opaque};
    struct place *at = mem_zero(&store->env, sizeof *at);
    unsigned useless = 0;
    int rc = RSP_OK;
    if (!at) return RSP_ENOMEM;
    buf_init(&d.wanted, &store->env);
    at->page.subject = store->url;
    at->page.each = tell_upload;
    at->page.opaque = &d;
    do {
        struct s3_request q = {.method = "GET", .what = "list uploads"};
        s3_param(&q, "uploads", "");
        s3_param(&q, "encoding-type", "url");
        if (*s->place.prefix) s3_param(&q, "prefix", s->place.prefix);
        if (*at->token) s3_param(&q, "key-marker", at->token);
        if (*at->token && *at->id) s3_param(&q, "upload-id-marker", at->id);
        rc = ask(s, &q, "ListMultipartUploadsResult", "Upload", &at->page);
        if (rc == RSP_EUSER && d.verdict) rc = d.verdict;
        if (!rc) rc = abort_all(&d);
        if (!rc && at->page.encoded && s3_unescape(at->page.next))
            rc = fail(&store->env, RSP_EFORMAT, store->url, "list uploads: the store's next place is malformed");
        if (!rc && at->page.more) rc = turn(&store->env, &at->page, at->token, at->id, &useless);
    } while (!rc && at->page.more);
    buf_free(&d.wanted);
    mem_free(&store->env, at, sizeof *at);
    return rc;
}
