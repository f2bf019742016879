/* What this is: the text of CLUSTER NODES, and of the file nodes.conf.
 * Rests on: cluster.h, topology.h; aof-replication.md D.
 * Does not: ask anybody; judge what is told. */
#include <stdio.h>

#include "base/mem.h"
#include "repl/cluster.h"
#include "repl/topology.h"

#define FIELDS 8 /* of a line, before its slots */

struct lines {
    struct cluster_view *v;
    struct rsp_span rest;
    size_t number;
};

static int bad(const struct lines *l, const char *what, struct rsp_span word)
{
    char shown[60];
    printable(shown, sizeof shown, word.p, word.n);
    return fail(&l->v->env, RSP_EFORMAT, l->v->name, "line %zu: %s: '%s'", l->number, what, shown);
}

/* ---- words ---- */

/* The text up to the mark; *text is what stands behind it. */
static struct rsp_span cut(struct rsp_span *text, char mark)
{
    struct rsp_span head = *text;
    const uint8_t *p = text->n ? memchr(text->p, mark, text->n) : NULL;
    if (!p) {
        text->p += text->n;
        text->n = 0;
        return head;
    }
    head.n = (size_t)(p - text->p);
    text->p = p + 1;
    text->n -= head.n + 1;
    return head;
}

/* The next word; n 0: there is none. */
static struct rsp_span word(struct rsp_span *line)
{
    while (line->n && *line->p == ' ') line->p++, line->n--;
    return cut(line, ' ');
}

static int number(struct rsp_span text, uint64_t most, uint64_t *v)
{
    uint64_t n = 0;
    if (!text.n || text.n > 20) return 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned digit = (unsigned)text.p[i] - '0';
        if (digit > 9 || n > (UINT64_MAX - digit) / 10) return 0;
        n = n * 10 + digit;
    }
    *v = n;
    return n <= most;
}

static int is(struct rsp_span text, const char *word)
{
    return text.n == strlen(word) && !memcmp(text.p, word, text.n);
}

/* ---- one node ---- */

/* "tls-port=7000": what stands behind the address with commas. */
static int take_aux(struct lines *l, struct rsp_span aux, struct cluster_node *node)
{
    struct rsp_span name = aux, value;
    uint64_t port;
    if (!aux.n) return RSP_OK;
    if (!memchr(aux.p, '=', aux.n))
        return look_host(aux, node->hostname) || is(aux, "?") ? RSP_OK : bad(l, "a hostname that is none", aux);
    value = name;
    name = cut(&value, '=');
    if (!is(name, "tls-port")) return RSP_OK;
    if (!number(value, 65535, &port)) return bad(l, "a port that is none", aux);
    node->tls_port = (uint32_t)port;
    return RSP_OK;
}

/* "10.0.0.1:7000@17000", "::1:7000@17000,host,tls-port=7001": an IPv6 address has colons of its own. */
static int take_address(struct lines *l, struct rsp_span text, struct cluster_node *node)
{
    struct rsp_span rest = text, address = cut(&rest, ','), port;
    const uint8_t *at = address.n ? memrchr(address.p, '@', address.n) : NULL, *colon;
    uint64_t n;
    int rc = RSP_OK;
    if (at) address.n = (size_t)(at - address.p);
    colon = address.n ? memrchr(address.p, ':', address.n) : NULL;
    if (!colon) return bad(l, "an address without a port", text);
    port.p = colon + 1;
    port.n = address.n - (size_t)(colon - address.p) - 1;
    address.n = (size_t)(colon - address.p);
    if (!number(port, 65535, &n)) return bad(l, "a port that is none", text);
    if (address.n && !look_host(address, node->ip) && !is(address, "?")) return bad(l, "an address that is none", text);
    node->port = (uint32_t)n;
    while (rest.n && !rc) rc = take_aux(l, cut(&rest, ','), node);
    return rc;
}

/* Unknown flags are of newer servers. *handshake: it is no member yet. */
static void take_flags(struct rsp_span text, struct cluster_node *node, int *handshake)
{
    node->health = RSP_NODE_ONLINE;
    node->addressed = 1;
    while (text.n) {
        struct rsp_span flag = cut(&text, ',');
        if (is(flag, "myself")) node->myself = 1;
        else if (is(flag, "master") || is(flag, "primary")) node->primary = 1;
        else if (is(flag, "fail")) node->health = RSP_NODE_FAILED;
        else if (is(flag, "fail?") && node->health != RSP_NODE_FAILED) node->health = RSP_NODE_SUSPECT;
        else if (is(flag, "noaddr")) node->addressed = 0;
        else if (is(flag, "handshake")) *handshake = 1;
    }
}

/* "[93-<-id]", "[77->-id]" */
static int take_move(struct lines *l, struct rsp_span text, size_t node)
{
    struct cluster_move m;
    struct rsp_span slot = {text.p + 1, text.n - 1}, other;
    uint64_t n;
    memset(&m, 0, sizeof m);
    if (text.n < 6 || text.p[text.n - 1] != ']') return bad(l, "a slot on its way that is none", text);
    other = slot;
    other.n--;
    slot = cut(&other, '-');
    if (!number(slot, RSP_SLOTS - 1, &n) || other.n < 2 || other.p[1] != '-' || (*other.p != '>' && *other.p != '<'))
        return bad(l, "a slot on its way that is none", text);
    m.slot = (uint16_t)n;
    m.node = (uint16_t)node;
    m.importing = *other.p == '<';
    other.p += 2;
    other.n -= 2;
    if (!cluster_id(other, m.other)) return bad(l, "an id of a node that is none", other);
    return cluster_add_move(l->v, &m);
}

static int take_slots(struct lines *l, struct rsp_span text, size_t node)
{
    struct rsp_span to = text, from = cut(&to, '-');
    uint64_t a, b;
    if (*text.p == '[') return take_move(l, text, node);
    if (!number(from, RSP_SLOTS - 1, &a)) return bad(l, "a slot that is none", text);
    b = a;
    if (from.n < text.n && !number(to, RSP_SLOTS - 1, &b)) return bad(l, "a slot that is none", text);
    return cluster_add_slots(l->v, a, b, node);
}

/* id address flags master ping pong epoch link slot... */
static int take_node(struct lines *l, struct rsp_span line)
{
    struct rsp_span field[FIELDS], slots;
    struct cluster_node *node = NULL;
    size_t at = cluster_view_n(l->v);
    int handshake = 0, rc;
    for (size_t i = 0; i < FIELDS; i++) {
        field[i] = word(&line);
        if (!field[i].n) return bad(l, "a node has eight fields and more, and this line has less", field[0]);
    }
    rc = cluster_add_node(l->v, &node);
    if (rc) return rc;
    take_flags(field[2], node, &handshake);
    if (handshake) { /* its id is one of a moment */
        l->v->nodes.n -= sizeof *node;
        return RSP_OK;
    }
    if (!cluster_id(field[0], node->id)) return bad(l, "an id of a node that is none", field[0]);
    if (!is(field[3], "-") && !cluster_id(field[3], node->master))
        return bad(l, "an id of a node that is none", field[3]);
    if (!number(field[6], UINT64_MAX, &node->epoch)) return bad(l, "an epoch that is none", field[6]);
    node->linked = node->myself || is(field[7], "connected");
    rc = take_address(l, field[1], node);
    while (!rc && (slots = word(&line)).n) rc = take_slots(l, slots, at);
    return rc;
}

/* "vars currentEpoch 6 lastVoteEpoch 0", of the file alone. */
static int take_vars(struct lines *l, struct rsp_span line)
{
    struct rsp_span name;
    while ((name = word(&line)).n) {
        struct rsp_span value = word(&line);
        if (is(name, "currentEpoch") && !number(value, UINT64_MAX, &l->v->epoch))
            return bad(l, "an epoch that is none", value);
    }
    return RSP_OK;
}

int cluster_parse_nodes(struct cluster_view *v, struct rsp_span text)
{
    struct lines l = {v, text, 0};
    while (l.rest.n) {
        struct rsp_span line = cut(&l.rest, '\n'), rest;
        int rc;
        l.number++;
        if (line.n && line.p[line.n - 1] == '\r') line.n--;
        rest = line;
        if (!word(&rest).n) continue;
        rest = line;
        rc = is(word(&rest), "vars") ? take_vars(&l, rest) : take_node(&l, line);
        if (rc) return rc;
    }
    if (!cluster_view_n(v)) return fail(&v->env, RSP_EFORMAT, v->name, "no node of a cluster stands in it");
    return cluster_index(v);
}

int rsp_cluster_parse(const struct rsp_env *env, struct rsp_span text, const char *name, struct rsp_cluster_map **ret)
{
    struct cluster_view v;
    int rc;
    *ret = NULL;
    rc = cluster_view_init(&v, env, name, NULL);
    if (!rc) rc = cluster_parse_nodes(&v, text);
    if (!rc) rc = cluster_map_make(env, &v, 0, ret);
    cluster_view_free(&v);
    if (rc) return rc;
    snprintf((*ret)->via, sizeof(*ret)->via, "%s", name);
    (*ret)->ok = !(*ret)->uncovered;
    if ((*ret)->uncovered) snprintf((*ret)->why, sizeof(*ret)->why, "%u slots are owned by nobody", (*ret)->uncovered);
    return RSP_OK;
}
