/* What this is: a store on a WebDAV server: opening it, its time and space.
 * Rests on: dav_impl.h, libsodium (wiping).
 * Does not: send a password in clear, but to this very host. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/mem.h"
#include "store/dav_impl.h"

#define PART_DEFAULT ((size_t)8 << 20)
#define IDLE_MOST_MS 15000 /* servers wait for 20 s to 60 s */
#define STALL_DEFAULT_MS 60000

static int dav_settle(struct rsp_store *s, const char *name)
{
    (void)s;
    (void)name;
    return RSP_OK;
}

static int root_props(struct dav_store *d, struct dav_answer *a)
{
    struct buf url;
    int rc;
    buf_init(&url, &d->s.env);
    rc = dav_url(d, "", &url);
    if (!rc) rc = dav_props(d, &d->s.env, (const char *)url.p, a);
    buf_free(&url);
    return rc;
}

static int dav_now(struct rsp_store *s, int64_t *ms)
{
    struct dav_store *d = (struct dav_store *)s;
    struct http_reply r;
    struct buf url;
    int rc;
    buf_init(&url, &s->env);
    http_reply_init(&r, &s->env);
    rc = dav_url(d, "", &url);
    if (!rc) rc = dav_propfind(d, &s->env, (const char *)url.p, 0, &r);
    if (!rc && r.date_ms == INT64_MIN)
        rc = fail(&s->env, RSP_EFORMAT, s->url, "the server does not tell the time (Date)");
    if (!rc) *ms = r.date_ms;
    http_reply_free(&r);
    buf_free(&url);
    return rc;
}

static int dav_space(struct rsp_store *s, uint64_t *bytes)
{
    struct dav_answer a;
    int rc = root_props((struct dav_store *)s, &a);
    *bytes = UINT64_MAX;
    if (rc == RSP_ENOTFOUND) return fail(&s->env, rc, s->url, "is not there any more");
    if (!rc && (a.has & DAV_QUOTA)) *bytes = a.quota;
    return rc;
}

static int dav_abilities(struct rsp_store *s, struct rsp_store_abilities *a)
{
    struct dav_store *d = (struct dav_store *)s;
    pthread_mutex_lock(&d->lock);
    a->kind = "webdav";
    a->server = d->server;
    a->refuses_second = d->refuses_second;
    a->skew_ms = d->skew_ms;
    pthread_mutex_unlock(&d->lock);
    return RSP_OK;
}

static void wipe(const struct rsp_env *env, char *text)
{
    size_t n = text ? strlen(text) + 1 : 0;
    if (!text) return;
    sodium_memzero(text, n);
    mem_free(env, text, n);
}

static void dav_close(struct rsp_store *s)
{
    struct dav_store *d = (struct dav_store *)s;
    char **texts[] = {&d->base, &d->path, &d->user, &d->password, &d->tmpdir};
    net_client_free(d->client);
    net_client_free(d->last);
    net_client_free(d->lane);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) wipe(&s->env, *texts[i]);
    buf_free(&d->made);
    pthread_mutex_destroy(&d->lock);
}

static const struct store_kind dav_kind = {
    .list = dav_list,
    .stat = dav_stat,
    .read = dav_read,
    .begin = dav_begin,
    .write = dav_write,
    .commit = dav_commit,
    .drop = dav_drop,
    .get = dav_get,
    .look = dav_look,
    .abilities = dav_abilities,
    .settle = dav_settle,
    .remove = dav_remove,
    .now = dav_now,
    .space = dav_space,
    .leftovers = dav_leftovers,
    .close = dav_close,
};

static int is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (!strcasecmp(host, "localhost")) return 1;
    if (inet_pton(AF_INET, host, &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int check_url(const struct rsp_env *env, const char *url, const struct remote_url *u)
{
    static const char *const none[] = {NULL};
    int rc = remote_url_known(u, none);
    if (rc) return rc;
    if (!*u->host) return fail(env, RSP_EINVAL, url, "names no host: write davs://HOST/PATH");
    if (u->user)
        return fail(env, RSP_EINVAL, url, "a user's name has no place in this URL: it is an option, as the password");
    if (!strcmp(u->scheme, "dav") && !is_loopback(u->host))
        return fail(env, RSP_EINVAL, url, "dav: sends passwords in clear: only to this very host; write davs:");
    return RSP_OK;
}

/* The texts that requests are made of, and the store's own URL. */
static int set_names(struct dav_store *d, const struct remote_url *u)
{
    const struct rsp_env *env = &d->s.env;
    char port[16] = "";
    struct buf b;
    int rc, bracket = strchr(u->host, ':') != NULL;
    buf_init(&b, env);
    rc = remote_url_text(u, &b);
    if (!rc) rc = buf_byte(&b, 0);
    if (!rc && !(d->s.url = mem_strdup(env, (const char *)b.p))) rc = RSP_ENOMEM;
    b.n = 0;
    if (u->port) snprintf(port, sizeof port, ":%u", (unsigned)u->port);
    if (!rc) rc = buf_add(&b, strcmp(u->scheme, "dav") ? "https://" : "http://", strcmp(u->scheme, "dav") ? 8 : 7);
    if (!rc && bracket) rc = buf_byte(&b, '[');
    if (!rc) rc = buf_add(&b, u->host, strlen(u->host));
    if (!rc && bracket) rc = buf_byte(&b, ']');
    if (!rc) rc = buf_add(&b, port, strlen(port));
    d->origin_n = b.n;
    if (!rc) rc = remote_escape(&b, u->path, 1);
    d->base_n = b.n;
    if (!rc) rc = buf_byte(&b, 0);
    if (!rc && (!(d->base = mem_strdup(env, (const char *)b.p)) || !(d->path = mem_strdup(env, u->path))))
        rc = RSP_ENOMEM;
    buf_free(&b);
    return rc;
}

/* Three clients: see dav_impl.h. */
static int set_clients(struct dav_store *d, const struct rsp_store_remote *given)
{
    const struct rsp_env *env = &d->s.env;
    struct rsp_store_remote o = {.size = sizeof o};
    int64_t stall;
    int rc;
    if (given) memcpy(&o, given, given->size && given->size < sizeof o ? given->size : sizeof o);
    o.size = sizeof o;
    stall = o.stall_ms > 0 ? o.stall_ms : STALL_DEFAULT_MS;
    d->idle_ms = stall / 2 < IDLE_MOST_MS ? stall / 2 : IDLE_MOST_MS;
    d->cancel = o.cancel;
    d->part_bytes = o.part_bytes ? o.part_bytes : PART_DEFAULT;
    d->s.parallel = o.parallel ? o.parallel : 4;
    if (o.user && !(d->user = mem_strdup(env, o.user))) return RSP_ENOMEM;
    if (o.user && !(d->password = mem_strdup(env, o.password ? o.password : ""))) return RSP_ENOMEM;
    if (!strncmp(d->base, "http:", 5)) o.proxy = NULL; /* it would get the password in clear */
    if (o.tmpdir && !(d->tmpdir = mem_strdup(env, o.tmpdir))) return RSP_ENOMEM;
    rc = remote_client(env, &o, &d->client);
    o.cancel = &d->lane_stop;
    if (!rc) rc = remote_client(env, &o, &d->lane);
    o.cancel = NULL;
    o.connect_ms = 2000;
    o.stall_ms = 5000;
    o.tries = 1;
    return rc ? rc : remote_client(env, &o, &d->last);
}

static int find_root(struct dav_store *d, int create)
{
    struct dav_answer a;
    int rc = root_props(d, &a);
    if (rc == RSP_ENOTFOUND && create) {
        rc = dav_make_root(d);
        if (!rc) rc = root_props(d, &a);
    }
    if (rc == RSP_ENOTFOUND) return fail(&d->s.env, rc, d->s.url, "there is no such collection on the server");
    if (!rc && !(a.has & DAV_COLLECTION)) return fail(&d->s.env, RSP_ENOTFOUND, d->s.url, "is not a collection");
    return rc;
}

int store_dav_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *o,
                   struct rsp_store **ret)
{
    struct remote_url u;
    struct dav_store *d;
    int rc = remote_url_parse(env, url, &u);
    *ret = NULL;
    if (rc) return rc;
    rc = check_url(env, url, &u);
    d = rc ? NULL : mem_zero(env, sizeof *d);
    if (!d) {
        remote_url_free(&u);
        return rc ? rc : RSP_ENOMEM;
    }
    d->s.kind = &dav_kind;
    d->s.env = d->quiet = *env;
    d->quiet.error = NULL;
    d->s.bytes = sizeof *d;
    d->s.read_only = o->read_only;
    d->skew_ms = INT64_MIN;
    d->refuses_second = -1;
    pthread_mutex_init(&d->s.words, NULL);
    pthread_mutex_init(&d->lock, NULL);
    buf_init(&d->made, &d->quiet);
    rc = set_names(d, &u);
    remote_url_free(&u);
    if (!rc) rc = set_clients(d, o->remote);
    if (!rc) rc = find_root(d, o->create && !o->read_only);
    if (rc) rsp_store_free(&d->s);
    else *ret = &d->s;
    return rc;
}
