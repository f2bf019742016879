/* What this is: one request to the store: signed, sent, judged, and sent again where that may help.
 * Rests on: s3_impl.h.
 * Does not: know what is asked. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/s3_impl.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MOST_MS ((int64_t)1 << 50) /* of a server's clock that we reckon with */

void s3_param(struct s3_request *q, const char *name, const char *value)
{
    if (q->params_n < S3_PARAMS_MAX) q->params[q->params_n++] = (struct http_field){name, value};
}

void s3_field(struct s3_request *q, const char *name, const char *value)
{
    if (q->fields_n < sizeof q->fields / sizeof *q->fields) q->fields[q->fields_n++] = (struct http_field){name, value};
}

int s3_tell(const struct rsp_env *env, const struct rsp_error *words, int rc)
{
    if (rc < 0 && env->error && !env->error->code) *env->error = *words;
    return rc;
}

/* What stays the same through all tries, and what each try signs anew. */
struct sending {
    struct s3_store *s;
    const struct rsp_env *env;
    struct s3_request *q;
    struct buf path, query, url, authorization, token;
    char hash[HEX_SHA256 + 1], md5[32], date[17], where[WHERE_BYTES];
    struct http_field fields[S3_FIELDS_MAX + 1];
    size_t fields_n;
};

static void put_field(struct sending *x, const char *name, const char *value)
{
    x->fields[x->fields_n++] = (struct http_field){name, value};
}

static void base64(const uint8_t in[16], char out[32])
{
    sodium_bin2base64(out, 32, in, 16, sodium_base64_VARIANT_ORIGINAL);
}

static void add_md5(struct sending *x)
{
    uint8_t md5[16];
    if (*x->md5 || s3_md5(x->q->p, x->q->n, md5)) return;
    base64(md5, x->md5);
    s3_field(x->q, "content-md5", x->md5);
}

static int prepare(struct sending *x)
{
    const struct s3_place *p = &x->s->place;
    struct s3_request *q = x->q;
    size_t n = strlen(p->root);
    int rc;
    if (q->name) store_where(&x->s->s, q->name, x->where);
    else printable(x->where, sizeof x->where, (const uint8_t *)x->s->s.url, strlen(x->s->s.url));
    if (!q->name && n > 1) n--; /* the bucket itself: without the slash at its end */
    rc = buf_add(&x->path, p->root, n);
    if (!rc && q->name) rc = remote_escape(&x->path, p->prefix, 1);
    if (!rc && q->name) rc = remote_escape(&x->path, q->name, 1);
    if (!rc) rc = buf_byte(&x->path, 0);
    if (!rc) rc = s3_query(x->env, q->params, q->params_n, &x->query);
    if (!rc) rc = buf_byte(&x->query, 0);
    if (!rc) rc = buf_add(&x->url, p->base, strlen(p->base));
    if (!rc) rc = buf_add(&x->url, x->path.p, x->path.n - 1);
    if (!rc && x->query.n > 1) rc = buf_byte(&x->url, '?');
    if (!rc) rc = buf_add(&x->url, x->query.p, x->query.n);
    if (rc) return rc;
    memcpy(x->hash, EMPTY, sizeof x->hash);
    if (q->n && q->hash) snprintf(x->hash, sizeof x->hash, "%s", q->hash);
    else if (q->n) rc = s3_sha256(x->env, q->p, q->n, x->hash);
    if (!rc && (q->md5 || (x->s->wants_md5 && q->has_body))) add_md5(x);
    return rc;
}

/* Host is libcurl's to send, and ours to sign: it stands first. */
static int sign(struct sending *x)
{
    struct s3_signing g = {.method = x->q->method,
                           .path = (const char *)x->path.p,
                           .query = (const char *)x->query.p,
                           .payload = x->hash,
                           .date = x->date,
                           .region = x->s->place.region,
                           .service = "s3"};
    const struct s3_keys *keys;
    int64_t offset = x->s->offset_ms;
    int rc;
    s3_date(x->env->now_ms(x->env->clock_opaque) + offset, x->date);
    x->fields_n = 0;
    x->authorization.n = x->token.n = 0;
    put_field(x, "host", x->s->place.host);
    put_field(x, "x-amz-content-sha256", x->hash);
    put_field(x, "x-amz-date", x->date);
    for (size_t i = 0; i < x->q->fields_n; i++) put_field(x, x->q->fields[i].name, x->q->fields[i].value);
    rc = s3_keys_take(x->s->credentials, x->env, &keys);
    if (rc) return rc;
    if (*keys->token) {
        rc = buf_add(&x->token, keys->token, strlen(keys->token) + 1);
        if (!rc) put_field(x, "x-amz-security-token", (const char *)x->token.p);
    }
    g.fields = x->fields;
    g.fields_n = x->fields_n;
    if (!rc) rc = s3_sign(x->env, keys, &g, &x->authorization);
    s3_keys_give(x->s->credentials);
    if (!rc) put_field(x, "authorization", (const char *)x->authorization.p);
    return rc;
}

static void note_date(struct s3_store *s, const struct rsp_env *env, const struct http_reply *r)
{
    const char *server;
    if (r->date_ms != INT64_MIN && r->date_ms > -MOST_MS && r->date_ms < MOST_MS)
        s->skew_ms = env->now_ms(env->clock_opaque) - r->date_ms;
    if (s->server_known) return;
    pthread_mutex_lock(&s->s.words);
    server = http_field(r, "server");
    if (!s->server_known && server) printable(s->server, sizeof s->server, (const uint8_t *)server, strlen(server));
    s->server_known = 1;
    pthread_mutex_unlock(&s->s.words);
}

static int64_t retry_after(const struct http_reply *r)
{
    const char *text = http_field(r, "retry-after");
    int64_t seconds = 0;
    if (!text || !i64_parse((const uint8_t *)text, strlen(text), &seconds) || seconds < 0 || seconds > 3600) return 0;
    return seconds * 1000;
}

/* The words of a refusal. */
static int refused(struct sending *x, const struct http_reply *r, const struct s3_verdict *v)
{
    const struct s3_error *e = &x->q->error;
    char region[96] = "";
    int other = *e->region && strcmp(e->region, x->s->place.region) &&
                (r->status < 400 || !strcmp(e->code, "AuthorizationHeaderMalformed") ||
                 !strcmp(e->code, "IllegalLocationConstraintException"));
    if (other) snprintf(region, sizeof region, "; its region is %s", e->region);
    fail(x->env, v->status, x->where, "%s: %s is answered by %d%s%s%s%.100s%s%s%s%s", x->q->what, x->q->method,
         r->status, *e->code ? " " : "", e->code, *e->message ? ", " : "", e->message, v->advice ? ": " : "",
         v->advice ? v->advice : "", region, v->status == RSP_EEXIST && !v->advice ? ": it exists already" : "");
    if (v->what == S3_RETRY && x->env->error) x->env->error->retryable = 1;
    return v->status;
}

struct tries {
    struct net_retry retry;
    int skewed, renewed;
};

/* Buckets that lock what is put by a rule of their own take nothing without it, and say so. */
static int wants_md5(const struct sending *x, const struct http_reply *r)
{
    return r->status == 400 && x->q->has_body && !*x->md5 && strstr(x->q->error.message, "Content-MD5");
}

/* After a refusal: RSP_OK to send again. */
static int once_more(struct sending *x, struct net_client *c, const struct http_reply *r, const struct s3_verdict *v,
                     struct tries *t)
{
    int rc = refused(x, r, v);
    if (wants_md5(x, r)) {
        x->s->wants_md5 = 1;
        add_md5(x);
        if (*x->md5) rc = RSP_OK; /* there are libraries without */
    } else if (v->what == S3_SKEW && !t->skewed && r->date_ms != INT64_MIN && r->date_ms > 0 && r->date_ms < MOST_MS) {
        t->skewed = 1;
        x->s->offset_ms = r->date_ms - x->env->now_ms(x->env->clock_opaque);
        rc = RSP_OK;
    } else if (v->what == S3_EXPIRED && !t->renewed && s3_keys_renew(x->s->credentials)) {
        t->renewed = 1;
        rc = RSP_OK;
    } else if (v->what == S3_RETRY && !x->q->last && !(x->q->stop && *x->q->stop)) {
        return net_retry_wait(c, x->env, &t->retry, rc, retry_after(r));
    }
    if (!rc) rsp_error_clear(x->env->error);
    return rc;
}

/* The exchange itself failed. */
static int broke_off(struct sending *x, struct net_client *c, const struct http_reply *r, int rc, struct tries *t)
{
    int again = x->env->error->retryable;
    x->q->unknown++;
    trail(x->env, rc, "%s (%s)", x->q->what, x->where);
    if (!again || x->q->last || (x->q->stop && *x->q->stop)) return rc;
    rc = net_retry_wait(c, x->env, &t->retry, rc, 0);
    if (!rc && x->q->again) rc = x->q->again(x->q, r);
    return rc;
}

static int try_all(struct sending *x, struct http_reply *r)
{
    struct s3_request *q = x->q;
    struct net_client *c = q->last ? x->s->last : x->s->net;
    struct tries t = {0};
    for (;;) {
        struct http_request h = {.method = q->method,
                                 .url = (const char *)x->url.p,
                                 .p = q->p,
                                 .n = q->n,
                                 .has_body = q->has_body,
                                 .into = q->into,
                                 .into_n = q->into_n,
                                 .body_max = q->body_max};
        struct s3_verdict v;
        int rc = sign(x);
        if (rc) return rc;
        h.fields = x->fields + 1; /* without the host */
        h.fields_n = x->fields_n - 1;
        rc = http_exchange(c, x->env, &h, r);
        q->http = rc ? 0 : r->status;
        if (rc) {
            rc = broke_off(x, c, r, rc, &t);
            if (rc) return rc;
            continue;
        }
        note_date(x->s, x->env, r);
        if (r->status >= 200 && r->status < 300 && !(q->inside && s3_error_inside(x->env, s3_document(r))))
            return RSP_OK;
        s3_error_read(x->env, r, &q->error);
        v = s3_judge(r->status == 200 ? 500 : r->status, &q->error);
        if (v.what == S3_RETRY && r->status != 429)
            q->unknown++; /* a gateway's 503 may stand for what was carried out */
        rc = once_more(x, c, r, &v, &t);
        if (rc) return rc;
    }
}

int s3_exchange(struct s3_store *s, const struct rsp_env *env, struct s3_request *q, struct http_reply *r)
{
    struct rsp_error words = {0};
    struct rsp_env apart = *env;
    struct sending x = {.s = s, .env = &apart, .q = q};
    size_t fields_n = q->fields_n;
    int rc;
    apart.error = &words;
    buf_init(&x.path, &apart);
    buf_init(&x.query, &apart);
    buf_init(&x.url, &apart);
    buf_init(&x.authorization, &apart);
    buf_init(&x.token, &apart);
    q->unknown = q->http = 0;
    memset(&q->error, 0, sizeof q->error);
    rc = prepare(&x);
    if (!rc) rc = try_all(&x, r);
    q->fields_n = fields_n;
    if (x.token.p) sodium_memzero(x.token.p, x.token.cap);
    buf_free(&x.token);
    buf_free(&x.authorization);
    buf_free(&x.url);
    buf_free(&x.query);
    buf_free(&x.path);
    return s3_tell(env, &words, rc);
}
