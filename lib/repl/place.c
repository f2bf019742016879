/* What this is: URIs of places: a server, the master that Sentinel names, a cluster.
 * Rests on: endpoint_impl.h, base/mem.h, respite/sys/topology.h.
 * Does not: ask anybody; repeat a password in words. */
#include <respite/sys/topology.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "repl/endpoint_impl.h"

struct scheme {
    const char *text;
    int kind, tls;
};
static const struct scheme schemes[] = {
    {"sentinel://", RSP_PLACE_SENTINEL, 0},
    {"sentinels://", RSP_PLACE_SENTINEL, 1},
    {"cluster://", RSP_PLACE_CLUSTER, 0},
    {"clusters://", RSP_PLACE_CLUSTER, 1},
};

static const struct scheme *scheme_of(const char *text)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (!strncasecmp(text, schemes[i].text, strlen(schemes[i].text))) return &schemes[i];
    return NULL;
}

int rsp_place_is_uri(const char *text)
{
    return scheme_of(text) != NULL || rsp_endpoint_is_uri(text);
}

static int bad(const struct uri *p, const char *what)
{
    return fail(p->env, RSP_EINVAL, "URI of a place", "%s; it reads %s", what, p->form);
}

/* One of host[:port],host[:port]...; a host may be left out where there is a port. */
static int one_seed(struct uri *p, const char *text, const char *end, struct rsp_place *place, uint32_t port)
{
    struct rsp_seed *seed = &place->seeds[place->seeds_n];
    int rc;
    if (text == end) return bad(p, "a host is empty");
    if (place->seeds_n == RSP_SEEDS_MAX) return bad(p, "more than 32 hosts");
    p->got.host = NULL;
    p->got.port = 0;
    rc = uri_host_port(p, text, end);
    if (rc) return rc;
    seed->host = p->got.host ? p->got.host : "127.0.0.1";
    seed->port = p->got.port ? p->got.port : port;
    place->seeds_n++;
    return RSP_OK;
}

static int seeds(struct uri *p, const char *text, const char *end, struct rsp_place *place)
{
    const uint32_t port = place->kind == RSP_PLACE_SENTINEL ? 26379 : 6379;
    const char *comma;
    int rc = RSP_OK;
    place->seeds_n = 0;
    while (!rc && (comma = uri_find(text, end, ',')) != NULL) {
        rc = one_seed(p, text, comma, place, port);
        text = comma + 1;
    }
    return rc ? rc : one_seed(p, text, end, place, port);
}

/* The last @, as of a server's URI; a name of a master that holds one is written with %40. */
static int parse_parts(struct uri *p, const char *text, struct rsp_place *place)
{
    const char *end = text + strlen(text), *at = strrchr(text, '@'), *slash;
    int rc = RSP_OK;
    if (at) {
        rc = uri_userinfo(p, text, at);
        if (rc) return rc;
        text = at + 1;
    }
    slash = uri_find(text, end, '/');
    rc = seeds(p, text, slash ? slash : end, place);
    if (rc) return rc;
    if (place->kind == RSP_PLACE_CLUSTER) {
        place->master = NULL;
        return slash && slash + 1 < end ? bad(p, "behind the hosts nothing may stand: a cluster is taken whole")
                                        : RSP_OK;
    }
    if (!slash || slash + 1 == end) return bad(p, "the name that the sentinels have for the master is missing");
    rc = uri_decoded(p, slash + 1, end, &place->master);
    for (const char *c = place->master; !rc && *c; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            rc = bad(p, "the master's name has a blank or a control character");
    return rc;
}

static int parse_server(const struct rsp_env *env, const char *uri, char *room, size_t room_n, struct rsp_place *place)
{
    int rc = rsp_endpoint_parse(env, uri, room, room_n, &place->endpoint);
    if (rc) return rc;
    place->kind = RSP_PLACE_SERVER;
    place->seeds_n = 0;
    place->master = NULL;
    return RSP_OK;
}

int rsp_place_parse(const struct rsp_env *env, const char *uri, char *room, size_t room_n, struct rsp_place *place)
{
    const struct scheme *scheme = scheme_of(uri);
    struct rsp_place got;
    struct rsp_env e;
    struct uri p;
    int rc;
    if (!place->endpoint.size) place->endpoint.size = sizeof place->endpoint;
    if (!scheme) return parse_server(env, uri, room, room_n, place);
    env_init(&e, env);
    memset(&p, 0, sizeof p);
    p.env = &e;
    p.form = scheme->kind == RSP_PLACE_CLUSTER ? "cluster://[[user]:password@]host[:port][,host[:port]...]"
                                               : "sentinel://[[user]:password@]host[:port][,host[:port]...]/master";
    p.to = room;
    p.got = place->endpoint;
    if (room_n < strlen(uri) + 1)
        return fail(&e, RSP_EINVAL, "URI of a place", "its parts need %zu bytes of room", strlen(uri) + 1);
    got = *place;
    got.kind = scheme->kind;
    rc = parse_parts(&p, uri + strlen(scheme->text), &got);
    if (rc) return rc;
    p.got.host = p.got.socket = NULL;
    p.got.port = 0;
    if (scheme->tls) p.got.tls = 1;
    if (scheme->tls && scheme->kind == RSP_PLACE_SENTINEL) got.sentinel_tls = 1;
    got.endpoint = p.got;
    *place = got;
    return RSP_OK;
}

void rsp_place_text(const struct rsp_place *place, char *out, size_t size)
{
    int sentinel = place->kind == RSP_PLACE_SENTINEL, tls = sentinel ? place->sentinel_tls : place->endpoint.tls;
    size_t at = 0;
    if (!size) return;
    if (place->kind == RSP_PLACE_SERVER) {
        rsp_endpoint_text(&place->endpoint, out, size);
        return;
    }
    uri_add(out, size, &at, sentinel ? "sentinel" : "cluster", 1);
    uri_add(out, size, &at, tls ? "s://" : "://", 1);
    for (size_t i = 0; i < place->seeds_n && i < RSP_SEEDS_MAX; i++) {
        const struct rsp_seed *s = &place->seeds[i];
        int six = strchr(s->host, ':') != NULL;
        char port[16];
        snprintf(port, sizeof port, ":%u", s->port);
        if (i) uri_add(out, size, &at, ",", 1);
        if (six) uri_add(out, size, &at, "[", 1);
        uri_add(out, size, &at, s->host, 0);
        if (six) uri_add(out, size, &at, "]", 1);
        uri_add(out, size, &at, port, 1);
    }
    if (sentinel) uri_add(out, size, &at, "/", 1);
    if (sentinel && place->master) uri_add(out, size, &at, place->master, 0);
    out[at] = 0;
}
