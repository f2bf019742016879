/* What this is: requests to a WebDAV server: tries, what a status means, and the words of faults.
 * Rests on: dav_impl.h, net/http.h.
 * Does not: know what is asked for. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/dav_impl.h"

#define SAID_BYTES 100 /* of the server's own words */

int dav_cancelled(const struct dav_store *d)
{
    return d->cancel && __atomic_load_n(d->cancel, __ATOMIC_RELAXED);
}

int dav_number(const char *text, uint64_t *value)
{
    uint64_t v = 0;
    while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r') text++;
    if (*text < '0' || *text > '9') return -1;
    for (; *text >= '0' && *text <= '9'; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (v > (UINT64_MAX - digit) / 10) return -1;
        v = v * 10 + digit;
    }
    while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r') text++;
    if (*text) return -1;
    *value = v;
    return 0;
}

int dav_url(const struct dav_store *d, const char *name, struct buf *out)
{
    int rc = buf_add(out, d->base, d->base_n);
    if (!rc) rc = buf_byte(out, '/');
    if (!rc) rc = remote_escape(out, name, 1);
    return rc ? rc : buf_byte(out, 0);
}

/* The object as the user knows it. */
static void subject_of(const struct dav_store *d, const char *url, char out[WHERE_BYTES])
{
    if (strncmp(url, d->base, d->base_n) || (url[d->base_n] && url[d->base_n] != '/'))
        snprintf(out, WHERE_BYTES, "%.*s", WHERE_BYTES - 1, url);
    else if (!url[d->base_n] || !url[d->base_n + 1]) snprintf(out, WHERE_BYTES, "%.*s", WHERE_BYTES - 1, d->s.url);
    else store_where(&d->s, url + d->base_n + 1, out);
}

int dav_fail(struct dav_store *d, const struct rsp_env *env, int code, const char *url, const char *words)
{
    char where[WHERE_BYTES];
    subject_of(d, url, where);
    return fail(env, code, where, "%s", words);
}

/* Servers that say what is wrong do so in an element of that name. */
static int find_message(void *opaque, int depth, const char *name, const char *text)
{
    char *said = opaque;
    (void)depth;
    if (!said[0] && !strcmp(name, "message")) printable(said, SAID_BYTES, (const uint8_t *)text, strlen(text));
    return RSP_OK;
}

static void said_by(const struct rsp_env *env, const struct http_reply *r, char said[SAID_BYTES])
{
    const char *type = http_field(r, "content-type");
    struct xml_walk walk = {NULL, find_message, said};
    struct rsp_env quiet = *env;
    struct rsp_span document = {r->body.p, r->body.n};
    quiet.error = NULL;
    said[0] = 0;
    /* Cut or broken: then there are no such words. */
    if (type && strstr(type, "xml") && r->body.n) (void)xml_parse(&quiet, "", document, &walk);
}

static const struct verdict {
    int status, code, retryable;
    const char *words;
} verdicts[] = {
    {400, RSP_EDENIED, 0, "the server does not understand it"},
    {402, RSP_ENOSPACE, 0, "the server wants to be paid"},
    {403, RSP_EDENIED, 0, "the server does not permit it: see the rights of this user, and the methods it allows here"},
    {404, RSP_ENOTFOUND, 0, "is not there"},
    {405, RSP_EUNSUPPORTED, 0, "the server does not allow this method here: is WebDAV turned on for this path?"},
    {408, RSP_ETIMEOUT, 1, "the server waited too long"},
    {409, RSP_EDENIED, 0, "the server cannot do it here: is the collection above there?"},
    {411, RSP_EUNSUPPORTED, 0, "the server wants to know the length before"},
    {412, RSP_EEXIST, 0, "exists already"},
    {413, RSP_EDENIED, 0, "too large for the server: see its limit (LimitRequestBody, client_max_body_size)"},
    {416, RSP_ETRUNCATED, 0, "ends before what was asked for"},
    {423, RSP_EBUSY, 0, "is locked by another client"},
    {429, RSP_EBUSY, 1, "the server is too busy"},
    /* not RSP_EIO, which a repository takes for an object that is damaged */
    {500, RSP_EBUSY, 1, "the server failed: its log says why; a full disk is one reason"},
    {501, RSP_EUNSUPPORTED, 0, "the server does not know this method: is WebDAV turned on?"},
    {502, RSP_ENET, 1, "a server behind the server did not answer as it should"},
    {503, RSP_EBUSY, 1, "the server is too busy"},
    {504, RSP_ETIMEOUT, 1, "a server behind the server did not answer in time"},
    {507, RSP_ENOSPACE, 0, "no space left on the server, or its quota is used up"},
};

static const struct verdict *verdict_of(int status)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (verdicts[i].status == status) return &verdicts[i];
    return NULL;
}

/* A name that curl's user and ours would know: the first word of the challenge. */
static int offers(const char *challenge, const char *scheme)
{
    return challenge && !strncasecmp(challenge, scheme, strlen(scheme));
}

/* There may be several fields of that name; each is one or more challenges. */
static int offers_basic(const struct http_reply *r, int *any)
{
    const char *at = (const char *)r->fields.p, *end = at + r->fields.n;
    int basic = 0;
    *any = 0;
    while (at < end) {
        const char *name = at, *value = name + strlen(name) + 1;
        at = value + strlen(value) + 1;
        if (strcmp(name, "www-authenticate")) continue;
        *any = 1;
        basic = basic || offers(value, "basic") || strstr(value, ", Basic") || strstr(value, ",Basic");
    }
    return basic;
}

static int unauthorised(struct dav_store *d, const struct rsp_env *env, const struct http_request *q,
                        const struct http_reply *r)
{
    int any, basic = offers_basic(r, &any);
    if (any && !basic)
        return dav_fail(
            d, env, RSP_EUNSUPPORTED, q->url,
            "401: the server does not offer Basic authentication, the only one there is here (Digest is not "
            "supported): let it offer Basic over TLS");
    if (!d->user) return dav_fail(d, env, RSP_EAUTH, q->url, "401: the server wants a user and a password");
    return dav_fail(d, env, RSP_EAUTH, q->url, "401: the server does not know this user, or not with this password");
}

int dav_fault(struct dav_store *d, const struct rsp_env *env, const struct http_request *q, const struct http_reply *r)
{
    const struct verdict *v = verdict_of(r->status);
    const char *to = http_field(r, "location"), *words = v ? v->words : "not an answer to this request";
    char where[WHERE_BYTES], said[SAID_BYTES];
    int code = v ? v->code : RSP_EFORMAT;
    subject_of(d, q->url, where);
    if (r->status == 401) return unauthorised(d, env, q, r);
    if (r->status >= 300 && r->status < 400) {
        printable(said, sizeof said, (const uint8_t *)(to ? to : ""), to ? strlen(to) : 0);
        return fail(env, RSP_EUNSUPPORTED, where, "%s: %d: the server sends us to '%s': write the URL that it means",
                    q->method, r->status, said);
    }
    if (!v && r->status >= 400) {
        code = r->status < 500 ? RSP_EDENIED : RSP_EBUSY;
        words = "refused by the server";
    }
    if (r->status == 502 && !strcmp(q->method, "MOVE"))
        words = "the server takes the Destination for another's: a proxy before it has to rewrite that field";
    said_by(env, r, said);
    code = fail(env, code, where, "%s: %d: %s%s%s%s", q->method, r->status, words, said[0] ? " ('" : "", said,
                said[0] ? "')" : "");
    if (env->error && v && v->retryable && env->error->code == code) env->error->retryable = 1;
    return code;
}

int dav_is_folder(const struct http_request *q, const struct http_reply *r)
{
    const char *to = http_field(r, "location"), *path = strstr(q->url, "://");
    size_t n = to ? strcspn(to, "?#") : 0, k;
    if (r->status < 301 || r->status > 308 || n < 2 || to[n - 1] != '/' || !path) return 0;
    path = strchr(path + 3, '/');
    k = path ? strlen(path) : 0;
    return k && n > k && !memcmp(to + n - 1 - k, path, k);
}

/* What the server tells of itself with every reply. */
static void note_server(struct dav_store *d, const struct http_reply *r)
{
    const char *name = http_field(r, "server");
    pthread_mutex_lock(&d->lock);
    if (name && !d->server[0]) printable(d->server, sizeof d->server, (const uint8_t *)name, strlen(name));
    if (r->date_ms != INT64_MIN) d->skew_ms = d->s.env.now_ms(d->s.env.clock_opaque) - r->date_ms;
    pthread_mutex_unlock(&d->lock);
}

void dav_tries_init(struct dav_tries *t, struct dav_store *d, const struct rsp_env *env)
{
    memset(t, 0, sizeof *t);
    t->client = d->client;
    t->env = env;
    t->own = *env;
    t->own.error = &t->words;
}

int dav_try(struct dav_store *d, struct dav_tries *t, struct http_request *q, struct http_reply *r)
{
    const struct verdict *v;
    int rc;
    q->user = d->user;
    q->password = d->password;
    rc = http_exchange(t->client, &t->own, q, r);
    if (rc) return rc;
    note_server(d, r);
    v = verdict_of(r->status);
    return v && v->retryable ? dav_fault(d, &t->own, q, r) : RSP_OK;
}

static int64_t asked_for(const struct http_reply *r)
{
    const char *after = http_field(r, "retry-after");
    uint64_t seconds;
    int64_t when;
    if (r->status < 400 || !after) return 0;
    if (!dav_number(after, &seconds)) return seconds < 86400 ? (int64_t)seconds * 1000 : 86400000;
    if (!http_date_parse(after, &when) && r->date_ms != INT64_MIN && when > r->date_ms) return when - r->date_ms;
    return 0;
}

static void hand_over(struct dav_tries *t)
{
    if (t->env->error && !t->env->error->code) *t->env->error = t->words;
}

int dav_again(struct dav_tries *t, const struct http_reply *r, int status)
{
    int rc = status;
    if (t->words.retryable) rc = net_retry_wait(t->client, &t->own, &t->retry, status, asked_for(r));
    if (rc) hand_over(t);
    else t->again++;
    return rc;
}

int dav_exchange(struct dav_store *d, const struct rsp_env *env, struct http_request *q, struct http_reply *r,
                 int *again)
{
    struct dav_tries t;
    int rc;
    dav_tries_init(&t, d, env);
    do {
        rc = dav_try(d, &t, q, r);
        if (rc) rc = dav_again(&t, r, rc);
        else break;
    } while (!rc);
    if (again) *again = t.again;
    return rc;
}
