/* What this is: the client: its options, and the pool of libcurl's handles with their open connections.
 * Rests on: client_impl.h, libcurl, libsodium.
 * Does not: drive an exchange (client_perform.c). */
#include "net/client_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define CONNECT_MS 10000
#define STALL_MS 60000
#define TRIES 6
#define WAIT_MS 500
#define WAIT_MOST_MS 30000
#define KEPT 2 /* connections of one handle */

_Static_assert(sizeof((struct net_handle *)0)->reason >= CURL_ERROR_SIZE, "libcurl writes so much");

/* ---- options ---- */

static int readable(const struct rsp_env *env, const char *what, const char *path, int folder)
{
    int fd;
    if (!path) return RSP_OK;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (folder ? O_DIRECTORY : O_NONBLOCK));
    if (fd < 0) return client_fault(env, RSP_EINVAL, 0, errno, path, "cannot read the %s", what);
    close(fd);
    return RSP_OK;
}

static int files_readable(const struct rsp_env *env, const struct net_options *o)
{
    int rc = readable(env, "CA certificates", o->cacert, 0);
    if (!rc) rc = readable(env, "directory of CA certificates", o->cacertdir, 1);
    if (!rc) rc = readable(env, "client certificate", o->cert, 0);
    if (!rc) rc = readable(env, "client certificate's key", o->key, 0);
    return rc;
}

static int64_t within(int64_t v, int64_t usual)
{
    if (v <= 0) return usual;
    return v > INT32_MAX ? INT32_MAX : v;
}

static int copy_options(struct net_client *c, const struct rsp_env *env, const struct net_options *given)
{
    struct net_options *o = &c->options;
    const char **texts[] = {&o->cacert, &o->cacertdir, &o->cert, &o->key, &o->proxy, &o->no_proxy};
    _Static_assert(sizeof texts / sizeof *texts == sizeof c->texts / sizeof *c->texts, "one each");
    if (given) *o = *given;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!*texts[i]) continue;
        c->texts[i] = mem_strdup(&c->env, *texts[i]);
        if (!c->texts[i]) return fail(env, RSP_ENOMEM, NULL, "cannot make a client: out of memory");
        *texts[i] = c->texts[i];
    }
    o->connect_ms = within(o->connect_ms, CONNECT_MS);
    o->stall_ms = within(o->stall_ms, STALL_MS);
    o->wait_ms = within(o->wait_ms, WAIT_MS);
    o->wait_most_ms = within(o->wait_most_ms, WAIT_MOST_MS);
    if (!o->tries) o->tries = TRIES;
    c->up.rate = o->up_rate;
    c->down.rate = o->down_rate;
    return files_readable(env, o);
}

int net_client_new(const struct rsp_env *env, const struct net_options *options, struct net_client **ret)
{
    struct net_client *c;
    CURLcode ready = net_curl();
    int rc;
    *ret = NULL;
    if (ready) return fail(env, RSP_ENET, NULL, "libcurl cannot be used: %s", curl_easy_strerror(ready));
    c = mem_zero(env, sizeof *c);
    if (!c) return RSP_ENOMEM;
    c->env = *env;
    c->env.error = NULL;
    pthread_mutex_init(&c->lock, NULL);
    rc = copy_options(c, env, options);
    if (rc) net_client_free(c);
    else *ret = c;
    return rc;
}

static void handle_free(struct net_handle *h)
{
    struct client_pipe guard;
    client_pipe_hold(&guard);
    if (h->easy) curl_easy_cleanup(h->easy);
    if (h->multi) curl_multi_cleanup(h->multi);
    client_pipe_release(&guard);
    mem_free(&h->client->env, h, sizeof *h);
}

void net_client_free(struct net_client *c)
{
    struct rsp_env env;
    if (!c) return;
    env = c->env;
    for (struct net_handle *h = c->idle, *next; h; h = next) {
        next = h->next;
        handle_free(h);
    }
    for (size_t i = 0; i < sizeof c->texts / sizeof *c->texts; i++) {
        size_t n = c->texts[i] ? strlen(c->texts[i]) + 1 : 0;
        if (n) sodium_memzero(c->texts[i], n); /* a proxy's may hold a password */
        mem_free(&c->env, c->texts[i], n);
    }
    pthread_mutex_destroy(&c->lock);
    mem_free(&env, c, sizeof *c);
}

/* ---- handles ---- */

#define SET(option, value)                                        \
    do {                                                          \
        if (!set) set = curl_easy_setopt(h->easy, option, value); \
    } while (0)

/* Just before a request goes out: until then connect_ms counts, from then on stall_ms. */
static int on_request(void *opaque, char *to, char *from, int to_port, int from_port)
{
    struct net_handle *h = opaque;
    (void)to, (void)from, (void)to_port, (void)from_port;
    h->moved_ms = net_now_ms();
    return ++h->sent > 1 && h->once ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static long buffer_bytes(uint64_t rate, long least)
{
    uint64_t piece = rate / 8;
    if (!rate || piece > CLIENT_PIECE) return CLIENT_PIECE;
    return piece < (uint64_t)least ? least : (long)piece;
}

static CURLcode set_common(struct net_handle *h)
{
    const struct net_options *o = &h->client->options;
    CURLcode set = CURLE_OK;
    SET(CURLOPT_ERRORBUFFER, h->reason);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https,sftp");
    SET(CURLOPT_PROXY, o->proxy ? o->proxy : ""); /* else those of the environment are used */
    SET(CURLOPT_NOPROXY, o->no_proxy ? o->no_proxy : "");
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_ms);
    SET(CURLOPT_BUFFERSIZE, buffer_bytes(o->down_rate, 1024));
    SET(CURLOPT_UPLOAD_BUFFERSIZE, buffer_bytes(o->up_rate, 16384));
    SET(CURLOPT_PREREQFUNCTION, on_request);
    SET(CURLOPT_PREREQDATA, h);
#if LIBCURL_VERSION_NUM >= 0x075700
    SET(CURLOPT_QUICK_EXIT, 1L); /* a resolver that hangs does not hold up who gave up waiting */
#endif
    return set;
}

static CURLcode set_tls(struct net_handle *h)
{
    const struct net_options *o = &h->client->options;
    CURLcode set = CURLE_OK;
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
    if (o->cacert || o->cacertdir) { /* both, so that the one not named does not stay the system's */
        SET(CURLOPT_CAINFO, o->cacert);
        SET(CURLOPT_CAPATH, o->cacertdir);
        SET(CURLOPT_PROXY_CAINFO, o->cacert);
        SET(CURLOPT_PROXY_CAPATH, o->cacertdir);
    }
    if (o->cert) SET(CURLOPT_SSLCERT, o->cert);
    if (o->key) SET(CURLOPT_SSLKEY, o->key);
    SET(CURLOPT_KEYPASSWD, ""); /* without one OpenSSL asks at the terminal for that of a locked key */
    return set;
}

static struct net_handle *handle_new(struct net_client *c)
{
    struct net_handle *h = mem_zero(&c->env, sizeof *h);
    if (!h) return NULL;
    h->client = c;
    h->socket = -1;
    h->easy = curl_easy_init();
    h->multi = curl_multi_init();
    if (h->easy && h->multi && !curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)KEPT)) return h;
    handle_free(h);
    return NULL;
}

/* A server has nothing to say before it is asked. What it sent all the same (or behind its last answer) libcurl would take
 * for the answer to our next request; and a connection at its end is of no use. */
static int spoke_unasked(const struct net_handle *h)
{
    struct pollfd p = {.fd = h->socket, .events = POLLIN};
    return h->socket >= 0 && poll(&p, 1, 0) != 0;
}

static struct net_handle *idle_one(struct net_client *c)
{
    struct net_handle *h;
    for (;;) {
        pthread_mutex_lock(&c->lock);
        h = c->idle;
        if (h) c->idle = h->next;
        pthread_mutex_unlock(&c->lock);
        if (!h || !spoke_unasked(h)) return h;
        handle_free(h);
    }
}

int net_handle_take(struct net_client *c, const struct rsp_env *env, struct net_handle **ret)
{
    struct net_handle *h = idle_one(c);
    CURLcode set;
    *ret = NULL;
    if (!h) h = handle_new(c);
    if (!h) return fail(env, RSP_ENOMEM, NULL, "cannot make a connection: out of memory");
    h->next = NULL;
    h->reason[0] = 0;
    h->up = h->down = 0;
    h->once = 0;
    h->sent = 0;
    h->piece = (size_t)buffer_bytes(c->options.up_rate, 1);
    set = set_common(h);
    if (!set) set = set_tls(h);
    if (set) {
        handle_free(h);
        return fail(env, set == CURLE_OUT_OF_MEMORY ? RSP_ENOMEM : RSP_EUNSUPPORTED, NULL,
                    "libcurl does not take an option: %s", curl_easy_strerror(set));
    }
    *ret = h;
    return RSP_OK;
}

void net_handle_give(struct net_handle *h, int keep)
{
    struct net_client *c;
    if (!h) return;
    c = h->client;
    if (!keep) {
        handle_free(h);
        return;
    }
    curl_easy_reset(h->easy); /* forgets the request, keeps the connection */
    pthread_mutex_lock(&c->lock);
    h->next = c->idle;
    c->idle = h;
    pthread_mutex_unlock(&c->lock);
}
