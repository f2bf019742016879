/* What this is: temporary keys of the role that a container or an instance has, as its neighbourhood hands them out.
 * Rests on: s3_impl.h.
 * Does not: keep them. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "store/s3_impl.h"

#define ANSWER_BYTES ((size_t)64 << 10)
#define TOKEN_SECONDS "21600"

static int member(const char *text, size_t n, const char *name, char *out, size_t size)
{
    return s3_json_string(text, n, name, out, size) == 1 && *out;
}

/* As it stands in a field of a request. */
static int plain(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 127) return 0;
    return 1;
}

int s3_role_parse(const struct rsp_env *env, const char *where, const char *text, size_t n, struct s3_keys *ret)
{
    char code[64] = "", time[64] = "", shown[64];
    memset(ret, 0, sizeof *ret);
    ret->expires_ms = INT64_MAX;
    if (s3_json_string(text, n, "Code", code, sizeof code) == 1 && strcmp(code, "Success")) {
        printable(shown, sizeof shown, (const uint8_t *)code, strlen(code));
        return fail(env, RSP_EAUTH, where, "the role's keys cannot be had: %s", shown);
    }
    if (!member(text, n, "AccessKeyId", ret->access, sizeof ret->access) ||
        !member(text, n, "SecretAccessKey", ret->secret, sizeof ret->secret) ||
        !member(text, n, "Token", ret->token, sizeof ret->token) || !plain(ret->access) || !plain(ret->secret) ||
        !plain(ret->token))
        return fail(env, RSP_EFORMAT, where, "the answer holds no AccessKeyId, SecretAccessKey and Token");
    if (member(text, n, "Expiration", time, sizeof time) && http_date_parse(time, &ret->expires_ms))
        return fail(env, RSP_EFORMAT, where, "the answer's Expiration is no time");
    return RSP_OK;
}

static int ask(const struct s3_roles *r, const struct rsp_env *env, struct http_request *q, struct http_reply *reply)
{
    struct net_retry retry = {0};
    int64_t none = 0;
    for (;;) {
        int rc = http_exchange(r->client, env, q, reply);
        if (!rc && reply->status >= 200 && reply->status < 300) return RSP_OK;
        if (!rc && (reply->status >= 500 || reply->status == 429)) {
            rc = fail(env, RSP_EBUSY, q->url, "%s: the service of roles answers %d", q->method, reply->status);
            if (env->error) env->error->retryable = 1;
        } else if (!rc) {
            return fail(env, reply->status == 404 ? RSP_EAUTH : RSP_EDENIED, q->url,
                        "%s: the service of roles answers %d%s", q->method, reply->status,
                        reply->status == 404 ? ": this machine has no role" : "");
        }
        if (!env->error || !env->error->retryable) return rc;
        rc = net_retry_wait(r->client, env, &retry, rc, none);
        if (rc) return rc;
    }
}

/* The service is asked in clear: only where nobody else listens. Behind the host stand a port and a path, and no user's
 * name, behind which another host could follow. */
static int container_url_ok(const char *url)
{
    static const char *const near[] = {"http://169.254.170.2", "http://169.254.170.23", "http://[fd00:ec2::23]",
                                       "http://127.0.0.1",     "http://localhost",      "http://[::1]"};
    if (!strncasecmp(url, "https://", 8)) return 1;
    for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
        size_t n = strlen(near[i]);
        if (strncasecmp(url, near[i], n) != 0) continue;
        if (url[n] == ':') n += 1 + strspn(url + n + 1, "0123456789");
        if (url[n] == '/' || !url[n]) return 1;
    }
    return 0;
}

static int container(const struct s3_roles *r, const struct rsp_env *env, struct http_reply *reply, struct s3_keys *ret)
{
    struct http_field field = {"authorization", r->container_token};
    struct http_request q = {.method = "GET", .url = r->container_url, .body_max = ANSWER_BYTES};
    int rc;
    if (!container_url_ok(r->container_url))
        return fail(
            env, RSP_EINVAL, r->container_url,
            "keys are asked for in clear only on this machine: write https:// or the container service's address");
    if (r->container_token) {
        q.fields = &field;
        q.fields_n = 1;
    }
    rc = ask(r, env, &q, reply);
    return rc ? rc : s3_role_parse(env, r->container_url, (const char *)reply->body.p, reply->body.n, ret);
}

/* The first line of an answer, as printable ASCII without blanks. */
static int line(const struct rsp_env *env, const char *where, const struct http_reply *reply, char *out, size_t size)
{
    size_t n = 0;
    while (n < reply->body.n && n + 1 < size && reply->body.p[n] > ' ' && reply->body.p[n] < 127) {
        out[n] = (char)reply->body.p[n];
        n++;
    }
    out[n] = 0;
    if (n && (n == reply->body.n || reply->body.p[n] == '\n' || reply->body.p[n] == '\r')) return RSP_OK;
    return fail(env, RSP_EFORMAT, where, "the service of roles answers nonsense");
}

static int instance(const struct s3_roles *r, const struct rsp_env *env, struct http_reply *reply, struct s3_keys *ret)
{
    static const char roles[] = "/latest/meta-data/iam/security-credentials/";
    char token[1024] = "", role[256], url[1024];
    struct http_field life = {"x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS};
    struct http_field shown = {"x-aws-ec2-metadata-token", token};
    struct http_request q = {.method = "PUT", .url = url, .fields = &life, .fields_n = 1, .body_max = ANSWER_BYTES};
    struct buf b;
    int rc;
    q.has_body = 1;
    q.p = "";
    buf_init(&b, env);
    snprintf(url, sizeof url, "%.500s/latest/api/token", r->metadata_url);
    rc = ask(r, env, &q, reply);
    if (!rc) rc = line(env, url, reply, token, sizeof token);
    if (rc) goto out;
    q = (struct http_request){.method = "GET", .url = url, .fields = &shown, .fields_n = 1, .body_max = ANSWER_BYTES};
    snprintf(url, sizeof url, "%.500s%s", r->metadata_url, roles);
    rc = ask(r, env, &q, reply);
    if (!rc) rc = line(env, url, reply, role, sizeof role);
    if (!rc) rc = remote_escape(&b, role, 0);
    if (!rc) rc = buf_byte(&b, 0);
    if (rc) goto out;
    snprintf(url, sizeof url, "%.500s%s%.400s", r->metadata_url, roles, (const char *)b.p);
    rc = ask(r, env, &q, reply);
    if (!rc) rc = s3_role_parse(env, url, (const char *)reply->body.p, reply->body.n, ret);
out:
    sodium_memzero(token, sizeof token);
    buf_free(&b);
    return rc;
}

int s3_roles_fetch(const struct s3_roles *r, const struct rsp_env *env, struct s3_keys *ret)
{
    struct http_reply reply;
    int rc;
    memset(ret, 0, sizeof *ret);
    http_reply_init(&reply, env);
    rc = r->container_url ? container(r, env, &reply, ret) : instance(r, env, &reply, ret);
    if (reply.body.p) sodium_memzero(reply.body.p, reply.body.cap);
    http_reply_free(&reply);
    if (rc) sodium_memzero(ret, sizeof *ret);
    return rc;
}
