/* What this is: where an s3: URL leads: endpoint, bucket, prefix, region, and the style of its addresses.
 * Rests on: s3_impl.h.
 * Does not: speak to anybody. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "store/s3_impl.h"

static const char *const known[] = {"endpoint", "region", "style", NULL};

int s3_bucket_ok(const char *bucket)
{
    size_t n = strnlen(bucket, 64);
    int digits = 1;
    if (n < 3 || n > 63) return 0;
    for (size_t i = 0; i < n; i++) {
        char c = bucket[i];
        int inside = i && i + 1 < n;
        int plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!plain && !(inside && (c == '-' || c == '.'))) return 0;
        if (c == '.' && bucket[i - 1] == '.') return 0;
        if ((c < '0' || c > '9') && c != '.') digits = 0;
    }
    return !(digits && strchr(bucket, '.')); /* what looks like an address is none */
}

static int region_ok(const char *region)
{
    size_t n = strnlen(region, 65);
    if (!n || n > 64) return 0;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)region[i]) && region[i] != '-' && region[i] != '_') return 0;
    return 1;
}

/* The texts of a buf become a string of their own. */
static int keep(const struct rsp_env *env, struct buf *b, char **ret)
{
    int rc = buf_byte(b, 0);
    if (rc) return rc;
    *ret = mem_strdup(env, (const char *)b->p);
    b->n = 0;
    return *ret ? RSP_OK : RSP_ENOMEM;
}

static int add(struct buf *b, const char *text)
{
    return buf_add(b, text, strlen(text));
}

static int add_host(struct buf *b, const struct remote_url *u, uint32_t usual)
{
    char port[16];
    int bare = strchr(u->host, ':') != NULL, rc = RSP_OK;
    if (bare) rc = buf_byte(b, '[');
    if (!rc) rc = add(b, u->host);
    if (!rc && bare) rc = buf_byte(b, ']');
    if (rc || !u->port || u->port == usual) return rc;
    snprintf(port, sizeof port, ":%u", (unsigned)u->port);
    return add(b, port);
}

/* endpoint: NULL for AWS's own of the region. The bucket stands in the host or begins the path. */
static int make_base(struct s3_place *p, const struct remote_url *endpoint, struct buf *b)
{
    int plain = endpoint && !strcmp(endpoint->scheme, "http"), rc;
    size_t at;
    rc = add(b, plain ? "http://" : "https://");
    at = b->n;
    if (!rc && p->virtual_host) rc = add(b, p->bucket);
    if (!rc && p->virtual_host) rc = buf_byte(b, '.');
    if (!rc && endpoint) {
        rc = add_host(b, endpoint, plain ? 80 : 443);
    } else if (!rc) {
        rc = add(b, "s3.");
        if (!rc) rc = add(b, p->region);
        if (!rc) rc = add(b, strncmp(p->region, "cn-", 3) ? ".amazonaws.com" : ".amazonaws.com.cn");
    }
    if (!rc) rc = keep(&p->env, b, &p->base);
    if (rc) return rc;
    p->host = p->base + at;
    if (endpoint && *endpoint->path) rc = remote_escape(b, endpoint->path, 1);
    if (!rc) rc = buf_byte(b, '/');
    if (!rc && !p->virtual_host) rc = add(b, p->bucket);
    if (!rc && !p->virtual_host) rc = buf_byte(b, '/');
    return rc ? rc : keep(&p->env, b, &p->root);
}

static int check_endpoint(const struct rsp_env *env, const char *url, const struct remote_url *e)
{
    if (strcmp(e->scheme, "https") && strcmp(e->scheme, "http"))
        return fail(env, RSP_EINVAL, url, "endpoint: write https://HOST[:PORT]");
    if (e->user || e->params_n || !*e->host)
        return fail(env, RSP_EINVAL, url, "endpoint: more than https://HOST[:PORT]: keys do not stand in a URL");
    return RSP_OK;
}

/* path from virtual: a certificate for *.s3... does not cover a bucket's name with a dot in it. */
static int style_of(const struct rsp_env *env, const char *url, const struct remote_url *u, struct s3_place *p)
{
    const char *style = remote_url_param(u, "style");
    p->virtual_host = !p->given_endpoint && !strchr(p->bucket, '.');
    if (!style) return RSP_OK;
    if (strcmp(style, "path") && strcmp(style, "virtual"))
        return fail(env, RSP_EINVAL, url, "style is path or virtual");
    p->virtual_host = *style == 'v';
    return RSP_OK;
}

static int parse(const struct remote_url *u, struct remote_url *endpoint, struct buf *b, struct s3_place *p)
{
    const struct rsp_env *env = &p->env;
    char url[96]; /* of the words: what else stands in it may be a secret in the wrong place */
    const char *e = remote_url_param(u, "endpoint"), *region = remote_url_param(u, "region");
    int rc = remote_url_known(u, known);
    snprintf(url, sizeof url, "s3://%.80s", u->host);
    if (rc) return rc;
    if (u->user || u->port)
        return fail(env, RSP_EINVAL, url, "between s3:// and the next slash stands the bucket alone");
    if (!s3_bucket_ok(u->host))
        return fail(env, RSP_EINVAL, url, "'%.80s' is not the name of a bucket (3 to 63 of a-z 0-9 - .)", u->host);
    if (!region) region = "us-east-1";
    if (!region_ok(region)) return fail(env, RSP_EINVAL, url, "'%.80s' is not the name of a region", region);
    if (strlen(u->path) > S3_PREFIX_BYTES)
        return fail(env, RSP_EINVAL, url, "the prefix has more than %d bytes", S3_PREFIX_BYTES);
    p->given_endpoint = e != NULL;
    p->bucket = mem_strdup(env, u->host);
    p->region = mem_strdup(env, region);
    if (!p->bucket || !p->region) return RSP_ENOMEM;
    if (e) rc = remote_url_parse(env, e, endpoint);
    if (!rc && e) rc = check_endpoint(env, url, endpoint);
    if (!rc) rc = style_of(env, url, u, p);
    if (!rc) rc = make_base(p, e ? endpoint : NULL, b);
    if (!rc && *u->path) rc = add(b, u->path + 1);
    if (!rc && *u->path) rc = buf_byte(b, '/');
    if (!rc) rc = keep(env, b, &p->prefix);
    if (!rc) rc = remote_url_text(u, b);
    return rc ? rc : keep(env, b, &p->text);
}

int s3_place_parse(const struct rsp_env *env, const char *url, struct s3_place *ret)
{
    struct remote_url u = {0}, endpoint = {0};
    struct buf b;
    int rc;
    memset(ret, 0, sizeof *ret);
    ret->env = *env;
    buf_init(&b, env);
    rc = remote_url_parse(env, url, &u);
    if (!rc) {
        rc = parse(&u, &endpoint, &b, ret);
        if (endpoint.room) remote_url_free(&endpoint);
        remote_url_free(&u);
    }
    buf_free(&b);
    if (rc) s3_place_free(ret);
    return rc;
}

static void drop(const struct rsp_env *env, char **text)
{
    if (*text) mem_free(env, *text, strlen(*text) + 1);
    *text = NULL;
}

void s3_place_free(struct s3_place *p)
{
    drop(&p->env, &p->text);
    drop(&p->env, &p->base);
    drop(&p->env, &p->root);
    drop(&p->env, &p->prefix);
    drop(&p->env, &p->bucket);
    drop(&p->env, &p->region);
}
