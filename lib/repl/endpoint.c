/* What this is: URIs of servers, both ways.
 * Rests on: endpoint_impl.h, base/mem.h.
 * Does not: resolve names; repeat a password in words. */
#include "repl/endpoint_impl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct scheme {
    const char *text;
    int tls, socket;
};
static const struct scheme schemes[] = {
    {"redis://", 0, 0}, {"rediss://", 1, 0}, {"valkey://", 0, 0}, {"valkeys://", 1, 0}, {"unix://", 0, 1},
};

static const struct scheme *scheme_of(const char *text)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (!strncasecmp(text, schemes[i].text, strlen(schemes[i].text))) return &schemes[i];
    return NULL;
}

int rsp_endpoint_is_uri(const char *text)
{
    return scheme_of(text) != NULL;
}

static int bad(const struct uri *p, const char *what)
{
    return fail(p->env, RSP_EINVAL, "URI of a server", "%s; it reads %s", what, p->form);
}

const char *uri_find(const char *text, const char *end, char c)
{
    for (; text < end; text++)
        if (*text == c) return text;
    return NULL;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int uri_decoded(struct uri *p, const char *text, const char *end, const char **part)
{
    *part = p->to;
    while (text < end) {
        int c = (unsigned char)*text++;
        if (c == '%') {
            int high = end - text >= 2 ? hex(text[0]) : -1, low = end - text >= 2 ? hex(text[1]) : -1;
            if (high < 0 || low < 0) return bad(p, "a % is not followed by two hexadecimal digits");
            c = high << 4 | low;
            text += 2;
        }
        if (!c) return bad(p, "%00 cannot be in a part");
        *p->to++ = (char)c;
    }
    *p->to++ = 0;
    return RSP_OK;
}

static int number(const char *text, const char *end, uint32_t most, uint32_t *v)
{
    uint64_t n = 0;
    if (text == end || end - text > 10) return 0;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9') return 0;
        n = n * 10 + (uint64_t)(*text - '0');
    }
    *v = (uint32_t)n;
    return n <= most;
}

int uri_userinfo(struct uri *p, const char *text, const char *end)
{
    const char *colon = uri_find(text, end, ':');
    if (colon && colon > text) {
        int rc = uri_decoded(p, text, colon, &p->got.user);
        if (rc) return rc;
    }
    return uri_decoded(p, colon ? colon + 1 : text, end, &p->got.password);
}

static int host_ok(const char *text, const char *end, int bracketed)
{
    for (; text < end; text++) {
        int letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') || (*text >= '0' && *text <= '9');
        if (!letter && !strchr(bracketed ? ":.%_-" : "._-", *text)) return 0;
        if (!*text) return 0;
    }
    return 1;
}

int uri_host_port(struct uri *p, const char *text, const char *end)
{
    const char *host_end, *port = NULL;
    int bracketed = text < end && *text == '[';
    if (bracketed) {
        text++;
        host_end = uri_find(text, end, ']');
        if (!host_end || host_end == text) return bad(p, "the bracket of an IPv6 address is not closed");
        if (host_end + 1 < end && host_end[1] != ':') return bad(p, "behind ] only a port may stand");
        if (host_end + 1 < end) port = host_end + 2;
    } else {
        host_end = uri_find(text, end, ':');
        if (host_end) port = host_end + 1;
        else host_end = end;
        if (uri_find(text, end, ','))
            return bad(p, "it names one server; several hosts belong to cluster:// or sentinel://.../name");
        if (port && uri_find(port, end, ':')) return bad(p, "an IPv6 address must stand in brackets");
    }
    if (!host_ok(text, host_end, bracketed)) return bad(p, "the host has a character that no host's name has");
    if (host_end - text > 255) return bad(p, "the host's name is longer than 255 bytes");
    if (port && (!number(port, end, 65535, &p->got.port) || !p->got.port)) return bad(p, "the port is not 1 to 65535");
    if (host_end == text) return RSP_OK;
    p->got.host = p->to;
    memcpy(p->to, text, (size_t)(host_end - text));
    p->to += host_end - text;
    *p->to++ = 0;
    return RSP_OK;
}

/* The last @: a password may hold one, what follows cannot. */
static int parse_tcp(struct uri *p, const char *text)
{
    const char *end = text + strlen(text), *at = strrchr(text, '@'), *slash;
    if (at) {
        int rc = uri_userinfo(p, text, at);
        if (rc) return rc;
        text = at + 1;
    }
    slash = strchr(text, '/');
    p->got.socket = NULL;
    if (slash && slash + 1 < end && !number(slash + 1, end, INT32_MAX, &p->got.db))
        return bad(p, "behind the host only /db may stand, a number");
    return uri_host_port(p, text, slash ? slash : end);
}

static int parse_unix(struct uri *p, const char *text)
{
    const char *end = text + strlen(text), *query;
    int rc;
    if (*text != '/') {
        const char *at = strstr(text, "@/");
        if (!at) return bad(p, "the path of a unix socket must begin with /");
        rc = uri_userinfo(p, text, at);
        if (rc) return rc;
        text = at + 1;
    }
    query = strchr(text, '?');
    if (query && (strncmp(query, "?db=", 4) || !number(query + 4, end, INT32_MAX, &p->got.db)))
        return bad(p, "behind the path only ?db=N may stand");
    return uri_decoded(p, text, query ? query : end, &p->got.socket);
}

int rsp_endpoint_parse(const struct rsp_env *env, const char *uri, char *room, size_t room_n,
                       struct rsp_endpoint *endpoint)
{
    struct rsp_env e;
    struct uri p;
    const struct scheme *scheme = scheme_of(uri);
    size_t size = endpoint->size < sizeof *endpoint ? endpoint->size : sizeof *endpoint;
    int rc;
    env_init(&e, env);
    memset(&p, 0, sizeof p);
    p.env = &e;
    p.form = "redis://[[user]:password@]host[:port][/db]";
    p.to = room;
    memcpy(&p.got, endpoint, size);
    if (!scheme) return bad(&p, "it does not begin with redis://, rediss:// or unix://");
    if (room_n < strlen(uri) + 1)
        return fail(&e, RSP_EINVAL, "URI of a server", "its parts need %zu bytes of room", strlen(uri) + 1);
    uri += strlen(scheme->text);
    rc = scheme->socket ? parse_unix(&p, uri) : parse_tcp(&p, uri);
    if (rc) return rc;
    if (scheme->tls) p.got.tls = 1;
    memcpy(endpoint, &p.got, size);
    return RSP_OK;
}

void uri_add(char *out, size_t size, size_t *at, const char *text, int plain)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (plain || (c > 0x20 && c < 0x7f && c != '%' && c != '?')) {
            if (*at + 1 >= size) return;
            out[(*at)++] = (char)c;
        } else {
            if (size < 4 || *at > size - 4) return;
            out[(*at)++] = '%', out[(*at)++] = digits[c >> 4], out[(*at)++] = digits[c & 15];
        }
    }
}

void rsp_endpoint_text(const struct rsp_endpoint *endpoint, char *out, size_t size)
{
    struct rsp_endpoint e;
    char port[16];
    size_t at = 0;
    if (!size) return;
    memset(&e, 0, sizeof e);
    memcpy(&e, endpoint, endpoint->size < sizeof e ? endpoint->size : sizeof e);
    if (e.socket) {
        uri_add(out, size, &at, "unix://", 1);
        uri_add(out, size, &at, e.socket, 0);
    } else {
        const char *host = e.host ? e.host : "127.0.0.1";
        int six = strchr(host, ':') != NULL;
        snprintf(port, sizeof port, ":%u", e.port ? e.port : 6379);
        uri_add(out, size, &at, e.tls ? "rediss://" : "redis://", 1);
        if (six) uri_add(out, size, &at, "[", 1);
        uri_add(out, size, &at, host, 0);
        if (six) uri_add(out, size, &at, "]", 1);
        uri_add(out, size, &at, port, 1);
    }
    out[at] = 0;
}
