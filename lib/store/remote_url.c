/* What this is: the URLs of remote stores taken apart and put together again.
 * Rests on: remote.h.
 * Does not: know which schemes, hosts and params there are. */
#include "store/remote.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define URL_MOST 4096
#define HOST_MOST 255

struct walk {
    struct remote_url *u;
    const char *p, *end;
    char *out; /* in u->room, which has more than all texts together need */
    char subject[128];
};

static int wrong(const struct walk *w, const char *why)
{
    return fail(&w->u->env, RSP_EINVAL, w->subject, "malformed URL: %s", why);
}

/* Never a byte of what may be a password: with an '@' anywhere only the scheme is shown. */
static void subject_of(struct walk *w, const char *url, size_t n)
{
    static const char scheme[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t shown = strcspn(url, "?#"), before = strspn(url, scheme);
    if (!memchr(url, '@', n)) {
        printable(w->subject, sizeof w->subject, (const uint8_t *)url, shown);
        return;
    }
    printable(w->subject, sizeof w->subject - 8, (const uint8_t *)url, url[before] == ':' ? before : 0);
    snprintf(w->subject + strlen(w->subject), 8, "://...");
}

/* ---- percent-encoding ---- */

static int unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

static int escape(struct buf *out, const char *text, const char *also)
{
    static const char hex[] = "0123456789ABCDEF";
    int rc = RSP_OK;
    for (const unsigned char *p = (const unsigned char *)text; *p && !rc; p++) {
        uint8_t coded[3] = {'%', (uint8_t)hex[*p >> 4], (uint8_t)hex[*p & 15]};
        rc = unreserved(*p) || strchr(also, *p) ? buf_byte(out, *p) : buf_add(out, coded, 3);
    }
    return rc;
}

int remote_escape(struct buf *out, const char *text, int slash)
{
    return escape(out, text, slash ? "/" : "");
}

static int hex_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* [p, end) decoded, with its terminator, to w->out. */
static int decoded(struct walk *w, const char *p, const char *end, const char **ret)
{
    *ret = w->out;
    while (p < end) {
        unsigned char c = (unsigned char)*p;
        if (c == '%') {
            int high = end - p > 2 ? hex_of(p[1]) : -1, low = end - p > 2 ? hex_of(p[2]) : -1;
            if (high < 0 || low < 0) return wrong(w, "'%' is not followed by two hexadecimal digits");
            c = (unsigned char)(high << 4 | low);
            p += 2;
        }
        if (c < 32 || c == 127) return wrong(w, "it holds a control character");
        *w->out++ = (char)c;
        p++;
    }
    *w->out++ = 0;
    return RSP_OK;
}

/* ---- parts ---- */

static int take_scheme(struct walk *w)
{
    const char *p = w->p;
    w->u->scheme = w->out;
    for (; p < w->end && *p != ':'; p++) {
        char c = *p;
        int letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (p == w->p || !((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
            return wrong(w, "it begins with scheme://");
        *w->out++ = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    *w->out++ = 0;
    if (p == w->p || w->end - p < 3 || p[1] != '/' || p[2] != '/') return wrong(w, "it begins with scheme://");
    w->p = p + 3;
    return RSP_OK;
}

static int take_port(struct walk *w, const char *p, const char *end)
{
    uint32_t port = 0;
    if (p == end || end - p > 5 || *p == '0') return wrong(w, "a port is 1 to 65535");
    for (; p < end; p++) {
        if (*p < '0' || *p > '9') return wrong(w, "a port is 1 to 65535");
        port = port * 10 + (uint32_t)(*p - '0');
    }
    if (port > 65535) return wrong(w, "a port is 1 to 65535");
    w->u->port = port;
    return RSP_OK;
}

static int take_six(struct walk *w, const char *p, const char *end)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    size_t n = (size_t)(end - p);
    if (n >= sizeof text) return wrong(w, "between '[' and ']' stands an IPv6 address");
    memcpy(text, p, n);
    text[n] = 0;
    if (inet_pton(AF_INET6, text, &address) != 1 || !inet_ntop(AF_INET6, &address, w->out, INET6_ADDRSTRLEN))
        return wrong(w, "between '[' and ']' stands an IPv6 address");
    w->u->host = w->out;
    w->out += strlen(w->out) + 1;
    return RSP_OK;
}

static int take_host(struct walk *w, const char *p, const char *end)
{
    int bucket = !strcmp(w->u->scheme, "s3"); /* whose case counts */
    if (p == end || end - p > HOST_MOST) return wrong(w, "a host or bucket has 1 to 255 characters");
    w->u->host = w->out;
    for (; p < end; p++) {
        char c = *p;
        if (!unreserved((unsigned char)c) || c == '~') return wrong(w, "the host holds a character that no name has");
        *w->out++ = (char)(c >= 'A' && c <= 'Z' && !bucket ? c + 32 : c);
    }
    *w->out++ = 0;
    return RSP_OK;
}

/* [user@]host[:port] */
static int take_authority(struct walk *w)
{
    const char *end = w->p, *at = NULL, *p = w->p, *colon;
    int rc = RSP_OK;
    for (; end < w->end && !strchr("/?#", *end); end++)
        if (*end == '@') at = end;
    w->p = end;
    if (at) {
        if (memchr(p, ':', (size_t)(at - p)))
            return wrong(w, "a password never stands in a URL: give it by an option that names a file");
        if (at == p) return wrong(w, "nobody stands before the '@'");
        rc = decoded(w, p, at, &w->u->user);
        if (rc) return rc;
        if (strchr(w->u->user, ':')) return wrong(w, "a user's name holds no ':'");
        p = at + 1;
    }
    if (p < end && *p == '[') {
        const char *close = memchr(p, ']', (size_t)(end - p));
        if (!close) return wrong(w, "a '[' is not closed");
        rc = take_six(w, p + 1, close);
        p = close + 1;
        if (!rc && p < end && *p != ':') return wrong(w, "behind ']' stands ':PORT' or '/'");
        if (!rc && p < end) rc = take_port(w, p + 1, end);
        return rc;
    }
    colon = memchr(p, ':', (size_t)(end - p));
    rc = take_host(w, p, colon ? colon : end);
    if (!rc && colon) rc = take_port(w, colon + 1, end);
    return rc;
}

static int take_path(struct walk *w)
{
    const char *p = w->p, *end = p;
    w->u->path = w->out;
    while (end < w->end && *end != '?' && *end != '#') end++;
    while (p < end) {
        const char *text, *next = memchr(p, '/', (size_t)(end - p));
        int rc;
        if (!next) next = end;
        if (next > p) {
            *w->out++ = '/';
            rc = decoded(w, p, next, &text);
            if (rc) return rc;
            w->out--; /* the next part goes on where the terminator stands */
            if (!strcmp(text, ".") || !strcmp(text, "..") || strchr(text, '/'))
                return wrong(w, "no part of the path is '.' or '..', or holds a '/'");
        }
        p = next < end ? next + 1 : end;
    }
    *w->out++ = 0;
    w->p = end;
    return RSP_OK;
}

static int take_param(struct walk *w, const char *p, const char *end)
{
    const char *name, *value = "", *equals = memchr(p, '=', (size_t)(end - p));
    struct remote_url *u = w->u;
    size_t at = 0;
    int rc = decoded(w, p, equals ? equals : end, &name);
    if (!rc && equals) rc = decoded(w, equals + 1, end, &value);
    if (rc) return rc;
    if (!*name) return wrong(w, "a param without a name");
    if (u->params_n == URL_PARAMS_MAX) return wrong(w, "too many params");
    while (at < u->params_n && strcmp(u->params[at].name, name) < 0) at++;
    if (at < u->params_n && !strcmp(u->params[at].name, name)) return wrong(w, "a param stands twice");
    memmove(&u->params[at + 1], &u->params[at], (u->params_n - at) * sizeof *u->params);
    u->params[at].name = name;
    u->params[at].value = value;
    u->params_n++;
    return RSP_OK;
}

static int take_params(struct walk *w)
{
    const char *p = w->p, *stop = memchr(p, '#', (size_t)(w->end - p)), *end;
    if (stop) return wrong(w, "a '#' has no meaning here");
    if (w->end - p < 2) return RSP_OK; /* nothing, or a '?' with nothing behind it */
    do {
        int rc;
        p++;
        end = memchr(p, '&', (size_t)(w->end - p));
        if (!end) end = w->end;
        rc = take_param(w, p, end);
        if (rc) return rc;
        p = end;
    } while (p < w->end);
    return RSP_OK;
}

int remote_url_parse(const struct rsp_env *env, const char *url, struct remote_url *u)
{
    struct walk w = {.u = u};
    size_t n = strnlen(url, URL_MOST + 1);
    int rc;
    memset(u, 0, sizeof *u);
    u->env = *env;
    if (n > URL_MOST) return fail(env, RSP_EINVAL, NULL, "a URL has at most %d bytes", URL_MOST);
    subject_of(&w, url, n);
    u->room_n = 2 * n + INET6_ADDRSTRLEN + 8;
    u->room = mem_zero(env, u->room_n);
    if (!u->room) return RSP_ENOMEM;
    w.p = url;
    w.end = url + n;
    w.out = u->room;
    u->path = "";
    rc = take_scheme(&w);
    if (!rc) rc = take_authority(&w);
    if (!rc) rc = take_path(&w);
    if (!rc) rc = take_params(&w);
    if (rc) remote_url_free(u);
    return rc;
}

void remote_url_free(struct remote_url *u)
{
    if (u->room) mem_free(&u->env, u->room, u->room_n);
    memset(u, 0, sizeof *u);
}

const char *remote_url_param(const struct remote_url *u, const char *name)
{
    for (size_t i = 0; i < u->params_n; i++)
        if (!strcmp(u->params[i].name, name)) return u->params[i].value;
    return NULL;
}

int remote_url_known(const struct remote_url *u, const char *const *names)
{
    char shown[64];
    for (size_t i = 0; i < u->params_n; i++) {
        size_t k = 0;
        while (names[k] && strcmp(names[k], u->params[i].name)) k++;
        if (names[k]) continue;
        printable(shown, sizeof shown, (const uint8_t *)u->params[i].name, strlen(u->params[i].name));
        return fail(&u->env, RSP_EINVAL, u->host, "%s: URLs have no param '%s'%s%s", u->scheme, shown,
                    names[0] ? "; one is " : "", names[0] ? names[0] : "");
    }
    return RSP_OK;
}

static uint32_t usual_port(const char *scheme)
{
    static const struct {
        const char *scheme;
        uint32_t port;
    } all[] = {{"sftp", 22}, {"http", 80}, {"dav", 80}, {"https", 443}, {"davs", 443}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].scheme, scheme)) return all[i].port;
    return 0;
}

int remote_url_text(const struct remote_url *u, struct buf *out)
{
    int six = strchr(u->host, ':') != NULL, rc = buf_add(out, u->scheme, strlen(u->scheme));
    char port[16];
    int n = u->port && u->port != usual_port(u->scheme) ? snprintf(port, sizeof port, ":%u", u->port) : 0;
    if (!rc) rc = buf_add(out, "://", 3);
    if (!rc && u->user) rc = remote_escape(out, u->user, 0);
    if (!rc && u->user) rc = buf_byte(out, '@');
    if (!rc && six) rc = buf_byte(out, '[');
    if (!rc) rc = buf_add(out, u->host, strlen(u->host));
    if (!rc && six) rc = buf_byte(out, ']');
    if (!rc) rc = buf_add(out, port, (size_t)n);
    if (!rc) rc = remote_escape(out, u->path, 1);
    for (size_t i = 0; i < u->params_n && !rc; i++) {
        rc = buf_byte(out, i ? '&' : '?');
        if (!rc) rc = escape(out, u->params[i].name, "");
        if (!rc) rc = buf_byte(out, '=');
        if (!rc) rc = escape(out, u->params[i].value, "/:,"); /* an endpoint stays readable */
    }
    return rc;
}
