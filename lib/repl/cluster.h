/* What this is: one node's view of a cluster, as CLUSTER NODES, SHARDS and SLOTS tell it, and the map that is made of it.
 * Rests on: respite/sys/topology.h, server_impl.h.
 * Does not: connect (cluster_look.c); believe a number. */
#ifndef REPL_CLUSTER_H
#define REPL_CLUSTER_H

#include <respite/sys/topology.h>

#include "base/buf.h"
#include "repl/server_impl.h"

#define CLUSTER_NODES_MAX 10000
#define CLUSTER_MOVES_MAX (2 * RSP_SLOTS)
#define CLUSTER_TOLD_MAX (64u * RSP_SLOTS) /* slots, each as often as it is told */

struct cluster_node {
    char id[41], master[41];                /* master: of a replica; "" when it is none, or not told */
    char ip[256], hostname[256], host[256]; /* host: "": by ip, else hostname, else the asked node's host */
    uint32_t port, tls_port;
    int primary, health, linked, myself, addressed; /* addressed: it can be reached (no noaddr) */
    uint64_t offset, epoch;
};
struct cluster_move {
    uint16_t slot, node;
    int importing;
    char other[41];
};
struct cluster_view {
    struct rsp_env env;
    const char *name; /* whose: for words */
    const char *host; /* the connection's, for nodes that are announced without one; NULL: there is none */
    struct buf nodes; /* struct cluster_node */
    struct buf moves; /* struct cluster_move */
    uint16_t *owner;  /* RSP_SLOTS indices of nodes; RSP_NO_SHARD */
    uint64_t told;    /* how many slots were told of, again and again by whom it pleases */
    uint64_t epoch;   /* of a "vars" line */
    struct buf by_id; /* indices of nodes in the order of ids, once they are all there */
};

/* name and host are borrowed, and env's words. */
int cluster_view_init(struct cluster_view *v, const struct rsp_env *env, const char *name, const char *host);
void cluster_view_free(struct cluster_view *v); /* also of a zeroed one */
static inline size_t cluster_view_n(const struct cluster_view *v)
{
    return v->nodes.n / sizeof(struct cluster_node);
}
static inline struct cluster_node *cluster_view_node(const struct cluster_view *v, size_t i)
{
    return (struct cluster_node *)(void *)v->nodes.p + i;
}
/* A cleared one at the end; it lives until the next one is added. RSP_ELIMIT past CLUSTER_NODES_MAX. */
int cluster_add_node(struct cluster_view *v, struct cluster_node **node);
/* Slots from..to belong to the node. RSP_EFORMAT: a number that is no slot, or one that has an owner, or more of them than
 * any cluster tells. */
int cluster_add_slots(struct cluster_view *v, uint64_t from, uint64_t to, size_t node);
int cluster_add_move(struct cluster_view *v, const struct cluster_move *move);
/* All nodes are there: sorts them for cluster_find. RSP_EFORMAT: two have one id. */
int cluster_index(struct cluster_view *v);
/* NULL: not there. */
struct cluster_node *cluster_find(const struct cluster_view *v, const char *id);
/* Forty letters and digits; 0: it is no id. */
int cluster_id(struct rsp_span text, char out[41]);

/* CLUSTER NODES, or nodes.conf, into an empty view; indexed. Nodes in handshake are left out: nothing is known of them. */
int cluster_parse_nodes(struct cluster_view *v, struct rsp_span text);
/* Replies of CLUSTER SHARDS and CLUSTER SLOTS: into an empty view (indexed then), or, of one that has nodes, what they
 * tell of these: address, TLS port, health, offset. */
int cluster_take_shards(struct cluster_view *v, const struct rsp_reply *reply);
int cluster_take_slots(struct cluster_view *v, const struct rsp_reply *reply);

/* The map of a view; tls: ports of TLS. */
int cluster_map_make(const struct rsp_env *env, const struct cluster_view *v, int tls, struct rsp_cluster_map **ret);
/* Both have the same owners. */
int cluster_same_owners(const struct cluster_view *a, const struct cluster_view *b);

#endif
