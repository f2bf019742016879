/* What this is: Signature Version 4: the canonical form of a request, and the signature over it; the hashes of bodies.
 * Rests on: s3_impl.h, libcrypto.
 * Does not: send anything, or know whose keys they are. */
#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "store/s3_impl.h"

void s3_hex(const uint8_t *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = 0;
}

static int no_sum(const struct rsp_env *env)
{
    return fail(env, RSP_EUNSUPPORTED, NULL, "the cryptographic library has no SHA-256");
}

int s3_sha256(const struct rsp_env *env, const void *p, size_t n, char out[HEX_SHA256 + 1])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_n = 0;
    if (EVP_Digest(p, n, hash, &hash_n, EVP_sha256(), NULL) != 1 || hash_n != 32) return no_sum(env);
    s3_hex(hash, hash_n, out);
    return RSP_OK;
}

/* ---- a body that is hashed while it grows ---- */

int s3_sum_begin(const struct rsp_env *env, struct s3_sum *sum)
{
    if (!sum->ctx) sum->ctx = EVP_MD_CTX_new();
    if (!sum->ctx) return fail(env, RSP_ENOMEM, NULL, "no memory for a hash");
    return EVP_DigestInit_ex(sum->ctx, EVP_sha256(), NULL) == 1 ? RSP_OK : no_sum(env);
}

int s3_sum_add(const struct rsp_env *env, struct s3_sum *sum, const void *p, size_t n)
{
    return EVP_DigestUpdate(sum->ctx, p, n) == 1 ? RSP_OK : no_sum(env);
}

int s3_sum_end(const struct rsp_env *env, struct s3_sum *sum, char out[HEX_SHA256 + 1])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_n = 0;
    if (EVP_DigestFinal_ex(sum->ctx, hash, &hash_n) != 1 || hash_n != 32) return no_sum(env);
    s3_hex(hash, hash_n, out);
    return RSP_OK;
}

void s3_sum_free(struct s3_sum *sum)
{
    EVP_MD_CTX_free(sum->ctx);
    sum->ctx = NULL;
}

int s3_md5(const void *p, size_t n, uint8_t out[16])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_n = 0;
    if (EVP_Digest(p, n, hash, &hash_n, EVP_md5(), NULL) != 1 || hash_n != 16) return -1;
    memcpy(out, hash, 16);
    return 0;
}

void s3_date(int64_t ms, char out[17])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm t = {0};
    if (!gmtime_r(&seconds, &t) || !strftime(out, 17, "%Y%m%dT%H%M%SZ", &t)) snprintf(out, 17, "19700101T000000Z");
}

static int text(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

struct pair {
    size_t name, value; /* offsets of texts */
};

int s3_query(const struct rsp_env *env, const struct http_field *params, size_t n, struct buf *out)
{
    struct pair pairs[S3_PARAMS_MAX];
    struct buf room;
    int rc = n > S3_PARAMS_MAX ? fail(env, RSP_EINVAL, NULL, "a request with %zu parameters", n) : RSP_OK;
    buf_init(&room, env);
    for (size_t i = 0; i < n && !rc; i++) {
        pairs[i].name = room.n;
        rc = remote_escape(&room, params[i].name, 0);
        if (!rc) rc = buf_byte(&room, 0);
        pairs[i].value = room.n;
        if (!rc) rc = remote_escape(&room, params[i].value, 0);
        if (!rc) rc = buf_byte(&room, 0);
    }
    for (size_t i = 1; i < n && !rc; i++)
        for (size_t k = i; k; k--) {
            const char *base = (const char *)room.p;
            struct pair a = pairs[k - 1], b = pairs[k];
            int order = strcmp(base + a.name, base + b.name);
            if (!order) order = strcmp(base + a.value, base + b.value);
            if (order <= 0) break;
            pairs[k - 1] = b;
            pairs[k] = a;
        }
    for (size_t i = 0; i < n && !rc; i++) {
        if (i) rc = buf_byte(out, '&');
        if (!rc) rc = text(out, (const char *)room.p + pairs[i].name);
        if (!rc) rc = buf_byte(out, '=');
        if (!rc) rc = text(out, (const char *)room.p + pairs[i].value);
    }
    buf_free(&room);
    return rc;
}

static int lower_text(struct buf *b, const char *s)
{
    int rc = RSP_OK;
    for (; *s && !rc; s++) rc = buf_byte(b, (uint8_t)tolower((unsigned char)*s));
    return rc;
}

/* Without blanks at its ends; runs of blanks count as one. */
static int trimmed(struct buf *b, const char *s)
{
    int rc = RSP_OK, blank = 0, any = 0;
    for (; *s && !rc; s++) {
        if (*s == ' ' || *s == '\t') {
            blank = 1;
            continue;
        }
        if (blank && any) rc = buf_byte(b, ' ');
        blank = 0;
        any = 1;
        if (!rc) rc = buf_byte(b, (uint8_t)*s);
    }
    return rc;
}

/* Fields of one name stay in their order: their values are joined by commas. */
static int canonical_fields(const struct s3_signing *q, struct buf *out, struct buf *names)
{
    const struct http_field *sorted[S3_FIELDS_MAX];
    int rc = RSP_OK;
    for (size_t i = 0; i < q->fields_n; i++) {
        size_t k = i;
        for (; k && strcasecmp(sorted[k - 1]->name, q->fields[i].name) > 0; k--) sorted[k] = sorted[k - 1];
        sorted[k] = &q->fields[i];
    }
    for (size_t i = 0; i < q->fields_n && !rc; i++) {
        int same = i && !strcasecmp(sorted[i]->name, sorted[i - 1]->name);
        if (same) rc = buf_byte(out, ',');
        if (!rc && !same && i) {
            rc = buf_byte(out, '\n');
            if (!rc) rc = buf_byte(names, ';');
        }
        if (!rc && !same) {
            rc = lower_text(out, sorted[i]->name);
            if (!rc) rc = buf_byte(out, ':');
            if (!rc) rc = lower_text(names, sorted[i]->name);
        }
        if (!rc) rc = trimmed(out, sorted[i]->value);
    }
    return rc ? rc : buf_byte(out, '\n');
}

int s3_canonical(const struct rsp_env *env, const struct s3_signing *q, struct buf *out, struct buf *names)
{
    int rc;
    if (q->fields_n > S3_FIELDS_MAX) return fail(env, RSP_EINVAL, NULL, "a request with %zu fields", q->fields_n);
    rc = text(out, q->method);
    if (!rc) rc = buf_byte(out, '\n');
    if (!rc) rc = text(out, q->path);
    if (!rc) rc = buf_byte(out, '\n');
    if (!rc) rc = text(out, q->query);
    if (!rc) rc = buf_byte(out, '\n');
    if (!rc) rc = canonical_fields(q, out, names);
    if (!rc) rc = buf_byte(out, '\n');
    if (!rc) rc = buf_add(out, names->p, names->n);
    if (!rc) rc = buf_byte(out, '\n');
    return rc ? rc : text(out, q->payload);
}

static int mac(const uint8_t *key, size_t key_n, const void *p, size_t n, uint8_t out[32])
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_n = 0;
    int ok = HMAC(EVP_sha256(), key, (int)key_n, p, n, hash, &hash_n) && hash_n == 32;
    if (ok) memcpy(out, hash, 32);
    OPENSSL_cleanse(hash, sizeof hash);
    return ok ? RSP_OK : RSP_EUNSUPPORTED;
}

/* The key of a day, a region and a service, made of the secret. */
static int signing_key(const char *secret, const struct s3_signing *q, uint8_t key[32])
{
    uint8_t first[4 + sizeof(((struct s3_keys *)0)->secret)] = "AWS4";
    size_t n = strnlen(secret, sizeof first - 4);
    int rc;
    memcpy(first + 4, secret, n);
    rc = mac(first, 4 + n, q->date, 8, key);
    OPENSSL_cleanse(first, sizeof first);
    if (!rc) rc = mac(key, 32, q->region, strlen(q->region), key);
    if (!rc) rc = mac(key, 32, q->service, strlen(q->service), key);
    if (!rc) rc = mac(key, 32, "aws4_request", 12, key);
    return rc;
}

int s3_sign(const struct rsp_env *env, const struct s3_keys *keys, const struct s3_signing *q, struct buf *out)
{
    char hash[HEX_SHA256 + 1], signature[HEX_SHA256 + 1], scope[256], head[640];
    uint8_t key[32] = {0}, sum[32];
    struct buf canonical, names;
    int n, rc;
    buf_init(&canonical, env);
    buf_init(&names, env);
    rc = s3_canonical(env, q, &canonical, &names);
    if (!rc) rc = s3_sha256(env, canonical.p, canonical.n, hash);
    if (rc) goto out;
    n = snprintf(scope, sizeof scope, "%.8s/%s/%s/aws4_request", q->date, q->region, q->service);
    if (n < 0 || (size_t)n >= sizeof scope) {
        rc = fail(env, RSP_EINVAL, q->region, "too long for a region");
        goto out;
    }
    n = snprintf(head, sizeof head, "AWS4-HMAC-SHA256\n%s\n%s\n%s", q->date, scope, hash);
    rc = signing_key(keys->secret, q, key);
    if (!rc) rc = mac(key, 32, head, (size_t)n, sum);
    OPENSSL_cleanse(key, sizeof key);
    if (rc) {
        rc = fail(env, rc, NULL, "the cryptographic library has no HMAC with SHA-256");
        goto out;
    }
    s3_hex(sum, sizeof sum, signature);
    snprintf(head, sizeof head, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=", keys->access, scope);
    rc = text(out, head);
    if (!rc) rc = buf_add(out, names.p, names.n);
    if (!rc) rc = text(out, ", Signature=");
    if (!rc) rc = buf_add(out, signature, sizeof signature);
out:
    buf_free(&names);
    buf_free(&canonical);
    return rc;
}
