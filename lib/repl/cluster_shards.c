/* What this is: the replies of CLUSTER SHARDS and CLUSTER SLOTS.
 * Rests on: cluster.h, topology.h; aof-replication.md D.
 * Does not: ask; believe a count: elements are taken one by one. */
#include <stdio.h>

#include "base/mem.h"
#include "repl/cluster.h"
#include "repl/topology.h"

static int bad(const struct cluster_view *v, const char *command, const char *what)
{
    return fail(&v->env, RSP_EFORMAT, v->name, "the reply of %s is odd: %s", command, what);
}

static int is_text(const struct rsp_reply *r)
{
    return r && (r->type == RSP_REPLY_BULK || r->type == RSP_REPLY_STATUS);
}

static int is_slot(const struct rsp_reply *r)
{
    return r && r->type == RSP_REPLY_INTEGER && r->integer >= 0 && r->integer < RSP_SLOTS;
}

/* 0: not there, or no port. */
static uint32_t port_of(const struct rsp_reply *r)
{
    return r && r->type == RSP_REPLY_INTEGER && r->integer > 0 && r->integer < 65536 ? (uint32_t)r->integer : 0;
}

static struct rsp_span text_of(const struct rsp_reply *map, const char *name)
{
    const struct rsp_reply *r = server_member(map, name);
    return is_text(r) ? r->text : (struct rsp_span){(const uint8_t *)"", 0};
}

/* How a node is to be reached. None (NULL, empty): as the node that was asked, which is what such clusters stand behind.
 * "?": it prefers a hostname that it does not have: then its address. Else what is told. */
static int take_endpoint(const struct cluster_view *v, const char *command, const struct rsp_reply *r,
                         struct cluster_node *node)
{
    if (r && r->type != RSP_REPLY_NULL && !is_text(r)) return bad(v, command, "an address that is none");
    if (r && is_text(r) && r->text.n == 1 && r->text.p[0] == '?') return RSP_OK;
    if (!is_text(r) || !r->text.n) {
        snprintf(node->host, sizeof node->host, "%s", v->host ? v->host : "");
        return RSP_OK;
    }
    return look_host(r->text, node->host) ? RSP_OK : bad(v, command, "an address that is none");
}

static int take_ip(const struct cluster_view *v, const char *command, struct rsp_span ip, struct cluster_node *node)
{
    char host[256];
    if (!ip.n || node->ip[0] || (ip.n == 1 && *ip.p == '?')) return RSP_OK;
    if (!look_host(ip, host)) return bad(v, command, "an address that is none");
    memcpy(node->ip, host, sizeof host);
    return RSP_OK;
}

/* ---- SHARDS ---- */

static int is_primary(const struct rsp_reply *map)
{
    struct rsp_span role = text_of(map, "role");
    return server_span_is(role, "master") || server_span_is(role, "primary");
}

static int health_of(struct rsp_span text)
{
    if (server_span_is(text, "fail") || server_span_is(text, "failed")) return RSP_NODE_FAILED;
    return server_span_is(text, "loading") ? RSP_NODE_LOADING : RSP_NODE_ONLINE;
}

static int take_node(struct cluster_view *v, const struct rsp_reply *map, struct cluster_node *node)
{
    static const char command[] = "CLUSTER SHARDS";
    const struct rsp_reply *offset = server_member(map, "replication-offset"),
                           *endpoint = server_member(map, "endpoint");
    uint32_t port = port_of(server_member(map, "port"));
    int health = health_of(text_of(map, "health")), rc;
    rc = take_ip(v, command, text_of(map, "ip"), node);
    if (!rc && (endpoint || !node->ip[0])) rc = take_endpoint(v, command, endpoint, node);
    if (rc) return rc;
    node->tls_port = port_of(server_member(map, "tls-port"));
    if (port) node->port = port;
    /* Suspicion is told by NODES alone, and a failure is never taken back. */
    if (node->health == RSP_NODE_ONLINE || health == RSP_NODE_FAILED) node->health = health;
    if (offset && offset->type == RSP_REPLY_INTEGER && offset->integer > 0) node->offset = (uint64_t)offset->integer;
    return RSP_OK;
}

/* The primary of a shard: one that is online before one that is not. */
static int better_primary(const struct cluster_view *v, size_t best, size_t i)
{
    const struct cluster_node *node = cluster_view_node(v, i);
    if (!node->primary) return 0;
    return best == SIZE_MAX ||
           (node->health == RSP_NODE_ONLINE && cluster_view_node(v, best)->health != RSP_NODE_ONLINE);
}

static int new_shard(struct cluster_view *v, const struct rsp_reply *slots, const struct rsp_reply *nodes)
{
    static const char command[] = "CLUSTER SHARDS";
    size_t first = cluster_view_n(v), best = SIZE_MAX;
    int rc = RSP_OK;
    for (const struct rsp_reply *r = nodes->child; r && !rc; r = r->next) {
        struct cluster_node *node = NULL;
        rc = cluster_add_node(v, &node);
        if (!rc && !cluster_id(text_of(r, "id"), node->id)) rc = bad(v, command, "a node without an id");
        if (rc) return rc;
        node->primary = is_primary(r);
        node->health = RSP_NODE_ONLINE;
        node->addressed = node->linked = 1;
        rc = take_node(v, r, node);
        if (!rc && better_primary(v, best, cluster_view_n(v) - 1)) best = cluster_view_n(v) - 1;
    }
    for (size_t i = first; !rc && best != SIZE_MAX && i < cluster_view_n(v); i++)
        if (i != best) memcpy(cluster_view_node(v, i)->master, cluster_view_node(v, best)->id, 41);
    for (const struct rsp_reply *r = slots->child; r && !rc; r = r->next->next) {
        if (!is_slot(r) || !is_slot(r->next)) return bad(v, command, "slots that are none");
        if (best != SIZE_MAX) rc = cluster_add_slots(v, (uint64_t)r->integer, (uint64_t)r->next->integer, best);
    }
    return rc;
}

static int known_shard(struct cluster_view *v, const struct rsp_reply *nodes)
{
    int rc = RSP_OK;
    for (const struct rsp_reply *r = nodes->child; r && !rc; r = r->next) {
        char id[41];
        struct cluster_node *node;
        if (!cluster_id(text_of(r, "id"), id)) return bad(v, "CLUSTER SHARDS", "a node without an id");
        node = cluster_find(v, id);
        if (node) rc = take_node(v, r, node); /* one that has come since NODES was asked is of the next look */
    }
    return rc;
}

int cluster_take_shards(struct cluster_view *v, const struct rsp_reply *reply)
{
    int known = cluster_view_n(v) != 0, rc = RSP_OK;
    if (reply->type != RSP_REPLY_ARRAY) return bad(v, "CLUSTER SHARDS", "it is no list");
    for (const struct rsp_reply *shard = reply->child; shard && !rc; shard = shard->next) {
        const struct rsp_reply *slots = server_member(shard, "slots"), *nodes = server_member(shard, "nodes");
        if (!slots || slots->type != RSP_REPLY_ARRAY || !nodes || nodes->type != RSP_REPLY_ARRAY)
            return bad(v, "CLUSTER SHARDS", "a shard without slots and nodes");
        rc = known ? known_shard(v, nodes) : new_shard(v, slots, nodes);
    }
    return rc || known ? rc : cluster_index(v);
}

/* ---- SLOTS ---- */

static struct cluster_node *node_of(const struct cluster_view *v, const char *id, size_t known)
{
    if (known) return cluster_find(v, id);
    for (size_t i = 0; i < cluster_view_n(v); i++)
        if (!strcmp(cluster_view_node(v, i)->id, id)) return cluster_view_node(v, i);
    return NULL;
}

/* [address, port, id, [name, value...]]: before 7.0 without the last, before 4.0 without an id. */
static int take_member(struct cluster_view *v, const struct rsp_reply *r, int known, struct cluster_node **ret)
{
    static const char command[] = "CLUSTER SLOTS";
    const struct rsp_reply *address = r->type == RSP_REPLY_ARRAY ? r->child : NULL,
                           *port = address ? address->next : NULL, *id = port ? port->next : NULL,
                           *more = id ? id->next : NULL;
    struct cluster_node *node;
    char text[41];
    int rc;
    *ret = NULL;
    if (!port) return bad(v, command, "a node without an address");
    if (!is_text(id) || !cluster_id(id->text, text)) return bad(v, command, "a node without an id");
    node = node_of(v, text, (size_t)known);
    if (!node && known) return RSP_OK;
    if (!node) {
        rc = cluster_add_node(v, &node);
        if (rc) return rc;
        memcpy(node->id, text, sizeof text);
        node->health = RSP_NODE_ONLINE;
        node->addressed = node->linked = 1;
    }
    *ret = node;
    if (port_of(port)) node->port = port_of(port);
    rc = more ? take_ip(v, command, text_of(more, "ip"), node) : RSP_OK;
    return rc ? rc : take_endpoint(v, command, address, node);
}

static int take_range(struct cluster_view *v, const struct rsp_reply *range, int known)
{
    static const char command[] = "CLUSTER SLOTS";
    const struct rsp_reply *from = range->type == RSP_REPLY_ARRAY ? range->child : NULL, *to = from ? from->next : NULL;
    char primary[41] = "";
    int rc = RSP_OK;
    if (!is_slot(from) || !is_slot(to)) return bad(v, command, "slots that are none");
    for (const struct rsp_reply *r = to->next; r && !rc; r = r->next) {
        struct cluster_node *node = NULL;
        rc = take_member(v, r, known, &node);
        if (rc || known || !node) continue;
        if (r == to->next) {
            node->primary = 1;
            memcpy(primary, node->id, sizeof primary);
            rc = cluster_add_slots(v, (uint64_t)from->integer, (uint64_t)to->integer,
                                   (size_t)(node - cluster_view_node(v, 0)));
        } else if (!node->primary) {
            memcpy(node->master, primary, sizeof primary);
        }
    }
    return rc;
}

int cluster_take_slots(struct cluster_view *v, const struct rsp_reply *reply)
{
    int known = cluster_view_n(v) != 0, rc = RSP_OK;
    if (reply->type != RSP_REPLY_ARRAY) return bad(v, "CLUSTER SLOTS", "it is no list");
    for (const struct rsp_reply *range = reply->child; range && !rc; range = range->next)
        rc = take_range(v, range, known);
    return rc || known ? rc : cluster_index(v);
}
