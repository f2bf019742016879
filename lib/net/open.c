/* What this is: connecting: libcurl's options, and the loop that drives it until the connection stands.
 * Rests on: net_impl.h, libcurl.
 * Does not: send or receive (conn.c). */
#include "net/net_impl.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define HOST_BYTES 300
#define URL_BYTES (HOST_BYTES + 32)
#define CONNECT_MS 10000

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void curl_begin(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

CURLcode net_curl(void)
{
    pthread_once(&curl_once, curl_begin);
    return curl_ready;
}

/* ---- where ---- */

/* A host as it stands in a URL. It may come from a server: nothing in it may end the host. */
static int host_text(const struct net_conn *c, const char *host, char *out, size_t size)
{
    size_t n = strlen(host), plain = strcspn(host, "%");
    struct in6_addr unused;
    char address[INET6_ADDRSTRLEN];
    if (!n || n > HOST_BYTES - 8)
        return net_fault(c, RSP_EINVAL, 0, 0, "a host's name has 1 to %d bytes", HOST_BYTES - 8);
    if (strchr(host, ':')) {
        snprintf(address, sizeof address, "%.*s", (int)(plain < sizeof address ? plain : sizeof address - 1), host);
        if (plain >= sizeof address || inet_pton(AF_INET6, address, &unused) != 1)
            return net_fault(c, RSP_EINVAL, 0, 0, "the host is neither a name nor an IPv6 address");
        for (const char *p = host + plain; *p; p++)
            if (strchr("/?#[]@\\: ", *p))
                return net_fault(c, RSP_EINVAL, 0, 0, "the zone of the IPv6 address is wrong");
        snprintf(out, size, host[plain] ? "[%s%%25%s]" : "[%s]%s", address, host[plain] ? host + plain + 1 : "");
        return RSP_OK;
    }
    for (const char *p = host; *p; p++) {
        unsigned char b = (unsigned char)*p;
        int good = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '.' || b == '-' ||
                   b == '_' || b >= 0x80;
        if (!good) return net_fault(c, RSP_EINVAL, 0, 0, "the host's name holds a character that no name has");
    }
    snprintf(out, size, "%s", host);
    return RSP_OK;
}

static int readable(const struct net_conn *c, const char *what, const char *path, int folder)
{
    int fd, err;
    if (!path) return RSP_OK;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (folder ? O_DIRECTORY : O_NONBLOCK));
    err = errno;
    if (fd < 0) return net_fault(c, RSP_EINVAL, 0, err, "cannot read the %s %s", what, path);
    close(fd);
    return RSP_OK;
}

static int files_readable(const struct net_conn *c, const struct net_target *t)
{
    int rc = readable(c, "CA certificates", t->cacert, 0);
    if (!rc) rc = readable(c, "directory of CA certificates", t->cacertdir, 1);
    if (!rc) rc = readable(c, "client certificate", t->cert, 0);
    if (!rc) rc = readable(c, "client certificate's key", t->key, 0);
    return rc;
}

/* ---- options ---- */

/* The only place where libcurl tells which TLS it has come to, and later why a record failed. */
static int on_text(CURL *easy, curl_infotype type, char *text, size_t n, void *opaque)
{
    static const char begin[] = "SSL connection using ";
    struct net_conn *c = opaque;
    (void)easy;
    if (type != CURLINFO_TEXT) return 0;
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r')) n--;
    printable(c->said, sizeof c->said, (const uint8_t *)text, n);
    if (!c->security[0] && !strncmp(c->said, begin, sizeof begin - 1)) {
        const char *from = c->said + sizeof begin - 1, *slash = strstr(from, " / ");
        if (slash) snprintf(c->security, sizeof c->security, "%.*s %.60s", (int)(slash - from), from, slash + 3);
        else snprintf(c->security, sizeof c->security, "%.90s", from);
    }
    return 0;
}

#define SET(option, value)                                     \
    do {                                                       \
        if (!set) set = curl_easy_setopt(easy, option, value); \
    } while (0)

static CURLcode set_common(struct net_conn *c, const struct net_target *t)
{
    CURL *easy = c->easy;
    CURLcode set = CURLE_OK;
    long family = t->family == 4 ? CURL_IPRESOLVE_V4 : t->family == 6 ? CURL_IPRESOLVE_V6 : CURL_IPRESOLVE_WHATEVER;
    SET(CURLOPT_CONNECT_ONLY, 1L);
    SET(CURLOPT_PROXY, ""); /* else http_proxy of the environment is used */
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_TCP_NODELAY, 1L);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_ms);
    SET(CURLOPT_IPRESOLVE, family);
    SET(CURLOPT_ERRORBUFFER, c->reason);
#if LIBCURL_VERSION_NUM >= 0x075700
    SET(CURLOPT_QUICK_EXIT, 1L); /* a resolver that hangs does not hold up who gave up waiting */
#endif
    if (t->socket) SET(CURLOPT_UNIX_SOCKET_PATH, t->socket);
    return set;
}

static CURLcode set_tls(struct net_conn *c, const struct net_target *t)
{
    CURL *easy = c->easy;
    CURLcode set = CURLE_OK;
    SET(CURLOPT_SSL_ENABLE_ALPN, 0L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_DEBUGFUNCTION, on_text);
    SET(CURLOPT_DEBUGDATA, c);
    SET(CURLOPT_VERBOSE, 1L);
    if (t->cacert || t->cacertdir) { /* both, so that the one not named does not stay the system's */
        SET(CURLOPT_CAINFO, t->cacert);
        SET(CURLOPT_CAPATH, t->cacertdir);
    }
    if (t->cert) SET(CURLOPT_SSLCERT, t->cert);
    if (t->key) SET(CURLOPT_SSLKEY, t->key);
    SET(CURLOPT_KEYPASSWD, ""); /* without one OpenSSL asks at the terminal for that of a locked key */
    if (t->ciphers) SET(CURLOPT_SSL_CIPHER_LIST, t->ciphers);
    if (t->ciphersuites) SET(CURLOPT_TLS13_CIPHERS, t->ciphersuites);
    if (t->insecure) {
        SET(CURLOPT_SSL_VERIFYPEER, 0L);
        SET(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    return set;
}

/* The URL, and with sni the way to the real host behind it. */
static int set_place(struct net_conn *c, const struct net_target *t, struct curl_slist **way)
{
    const char *sni = t->tls && t->sni && t->sni[0] ? t->sni : NULL;
    char host[HOST_BYTES], name[HOST_BYTES], url[URL_BYTES];
    uint32_t port = t->socket ? 0 : t->port;
    CURLcode set = CURLE_OK;
    CURL *easy = c->easy;
    int rc = RSP_OK;
    if (t->port > 65535 || (!t->socket && !t->port)) return net_fault(c, RSP_EINVAL, 0, 0, "a port is 1 to 65535");
    if (t->socket) snprintf(host, sizeof host, "localhost");
    else rc = host_text(c, t->host ? t->host : "127.0.0.1", host, sizeof host);
    if (!rc && sni) rc = host_text(c, sni, name, sizeof name);
    if (rc) return rc;
    if (port) snprintf(url, sizeof url, "%s://%s:%u/", t->tls ? "https" : "http", sni ? name : host, port);
    else snprintf(url, sizeof url, "%s://%s/", t->tls ? "https" : "http", sni ? name : host);
    SET(CURLOPT_URL, url);
    if (sni && port) {
        snprintf(url, sizeof url, "::%s:%u", host, port);
        *way = curl_slist_append(NULL, url);
        if (!*way) set = CURLE_OUT_OF_MEMORY;
        SET(CURLOPT_CONNECT_TO, *way);
    }
    return set ? net_connect_fault(c, t, set) : RSP_OK;
}

/* ---- the loop ---- */

static int drive(struct net_conn *c, const struct net_target *t)
{
    int64_t end = net_now_ms() + c->connect_ms;
    for (;;) {
        int running = 0, left;
        CURLMcode m = curl_multi_perform(c->multi, &running);
        const CURLMsg *message = curl_multi_info_read(c->multi, &left);
        if (message && message->msg == CURLMSG_DONE)
            return message->data.result ? net_connect_fault(c, t, message->data.result) : RSP_OK;
        if (net_canceled(c)) return net_fault(c, RSP_ECANCELED, 0, 0, "cancelled while connecting");
        if (net_now_ms() >= end) return net_connect_fault(c, t, CURLE_OPERATION_TIMEDOUT);
        if (!m) m = curl_multi_poll(c->multi, NULL, 0, NET_SLICE_MS, NULL);
        if (m) return net_fault(c, RSP_ENET, 1, 0, "cannot connect: %s", curl_multi_strerror(m));
    }
}

static int connect_curl(struct net_conn *c, const struct net_target *t)
{
    struct curl_slist *way = NULL;
    curl_socket_t fd = CURL_SOCKET_BAD;
    CURLcode set;
    int rc;
    c->easy = curl_easy_init();
    c->multi = curl_multi_init();
    if (!c->easy || !c->multi) return net_fault(c, RSP_ENOMEM, 0, 0, "cannot connect: out of memory");
    set = set_common(c, t);
    if (!set && t->tls) set = set_tls(c, t);
    if (set) return net_connect_fault(c, t, set);
    rc = set_place(c, t, &way);
    if (!rc && curl_multi_add_handle(c->multi, c->easy))
        rc = net_fault(c, RSP_ENOMEM, 0, 0, "cannot connect: out of memory");
    if (!rc) rc = drive(c, t);
    if (!rc && (curl_easy_getinfo(c->easy, CURLINFO_ACTIVESOCKET, &fd) || fd == CURL_SOCKET_BAD))
        rc = net_fault(c, RSP_ENET, 1, 0, "the connection was lost as soon as it stood");
    c->fd = (int)fd;
    curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, NULL);
    curl_slist_free_all(way);
    return rc;
}

int net_open(const struct rsp_env *env, const struct net_target *target, volatile const int *cancel,
             struct net_conn **ret)
{
    struct net_conn *c;
    struct rsp_env full;
    int rc;
    *ret = NULL;
    env_init(&full, env);
    c = mem_zero(&full, sizeof *c);
    if (!c) return RSP_ENOMEM;
    c->env = full;
    c->fd = c->wake = -1;
    c->cancel = cancel;
    c->tls = target->tls != 0;
    c->connect_ms = target->connect_ms > 0 ? target->connect_ms : CONNECT_MS;
    if (c->connect_ms > INT32_MAX) c->connect_ms = INT32_MAX;
    c->with_cert = target->cert != NULL;
    rc = RSP_ENOMEM;
    c->name = mem_strdup(&c->env, target->name ? target->name : "server");
    if (!c->name) goto out;
    if (net_curl()) {
        rc = net_fault(c, RSP_ENET, 0, 0, "libcurl cannot be used: %s", curl_easy_strerror(curl_ready));
        goto out;
    }
    c->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (c->wake < 0) {
        rc = fail_errno(&c->env, errno, c->name, "cannot make an event descriptor");
        goto out;
    }
    rc = c->tls ? files_readable(c, target) : RSP_OK;
    if (!rc) rc = connect_curl(c, target);
out:
    if (rc) net_close(c);
    else *ret = c;
    return rc;
}
