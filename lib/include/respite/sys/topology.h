/* What this is: where a dataset lives when that is not one known server: the master that Sentinel names, the shards of a
 *   cluster; and how both are found.
 * Rests on: sys/server.h.
 * Does not: capture, write. No stable promise (sys). The replies are described in design section 7. */
#ifndef RESPITE_SYS_TOPOLOGY_H
#define RESPITE_SYS_TOPOLOGY_H

#include <respite/sys/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a user names ---- */

enum rsp_place_kind { RSP_PLACE_SERVER = 0, RSP_PLACE_SENTINEL = 1, RSP_PLACE_CLUSTER = 2 };
#define RSP_SEEDS_MAX 32
struct rsp_seed {
    const char *host;
    uint32_t port;
};
/* Texts are borrowed, as those of an endpoint. */
struct rsp_place {
    size_t size;
    int kind;
    /* The server. Of a Sentinel's master or a cluster: what holds for every data server (user, password, TLS, times);
     * its host and port are not used. */
    struct rsp_endpoint endpoint;
    struct rsp_seed seeds[RSP_SEEDS_MAX]; /* sentinels, or nodes of the cluster: one that answers is enough */
    size_t seeds_n;
    const char *master;                            /* the name that Sentinel has for it */
    const char *sentinel_user, *sentinel_password; /* NULL: sentinels ask for none */
    int sentinel_tls;
};
/* What rsp_endpoint_parse takes, and
 *   sentinel://[[user]:password@]host[:26379][,host[:port]...]/master    sentinels:// TLS, to sentinels and servers
 *   cluster://[[user]:password@]host[:6379][,host[:port]...]             clusters:// TLS
 * User and password are those of the data servers. room as there. */
RSP_API RSP_NODISCARD int rsp_place_parse(const struct rsp_env *env, const char *uri, char *room, size_t room_n,
                                          struct rsp_place *place);
/* 1 when text begins as one of these URIs does. */
RSP_API int rsp_place_is_uri(const char *text);
/* "cluster://a:6379,b:6379", "sentinel://a:26379/mymaster", or the endpoint's text. No secrets. Always terminated. */
RSP_API void rsp_place_text(const struct rsp_place *place, char *out, size_t size);

/* ---- a master by Sentinel ---- */

struct rsp_sentinel_found {
    size_t size;
    char host[256]; /* of the master, which said itself that it is one */
    uint32_t port;
    char via[320];                        /* the sentinel that named it */
    uint32_t sentinels, quorum, replicas; /* as that one has it; 0: not told */
    int down;                             /* 1: that one thinks the master is down (subjectively or objectively) */
};
/* All sentinels are asked; the server that the one with the newest configuration names is asked for its role. When it is no
 * master (a failover is under way, or that sentinel is behind) or does not answer: the server that the next one names, then
 * all of them again with pauses, for as long as patience_ms allows; then RSP_EBUSY. RSP_ENOTFOUND: no sentinel that answers
 * knows the name (which ones they know is said). Nobody answers at all: not waited for, as of rsp_server_open. */
RSP_API RSP_NODISCARD int rsp_sentinel_find(const struct rsp_env *env, const struct rsp_place *place,
                                            const struct rsp_server_options *options, struct rsp_sentinel_found *found);

/* ---- a cluster ---- */

#define RSP_SLOTS 16384
#define RSP_NO_SHARD UINT16_MAX
enum rsp_node_health { RSP_NODE_ONLINE = 1, RSP_NODE_LOADING = 2, RSP_NODE_FAILED = 3, RSP_NODE_SUSPECT = 4 };
struct rsp_cluster_node {
    char id[41],
        host[256]; /* host: as the cluster announces it (its hostname when it prefers that; the host that was asked
                               when it announces none); "": not known */
    uint32_t port; /* the TLS port when TLS is asked for */
    int primary, health; /* enum rsp_node_health */
    int linked;          /* the asked node's link to it is up */
    uint64_t offset;     /* 0: not told */
    uint64_t epoch;      /* of its configuration, as a primary tells it itself; 0: not told */
};
struct rsp_slot_range {
    uint16_t from, to; /* both included */
};
struct rsp_cluster_shard {          /* one primary that owns slots */
    struct rsp_cluster_node *nodes; /* the primary first */
    size_t nodes_n;
    struct rsp_slot_range *ranges; /* ascending */
    size_t ranges_n;
    uint32_t slots;
};
struct rsp_slot_move {    /* a slot on its way */
    uint16_t slot, shard; /* shard: whose primary says so; RSP_NO_SHARD: a primary without slots */
    int importing;        /* else migrating */
    char other[41];       /* the other node's id; "": not told */
};
struct rsp_cluster_map {
    struct rsp_cluster_shard *shards; /* by their first slot */
    size_t shards_n;
    uint16_t owner[RSP_SLOTS]; /* index of the shard; RSP_NO_SHARD */
    uint32_t uncovered;        /* slots that nobody owns */
    struct rsp_slot_move *moves;
    size_t moves_n;
    uint64_t epoch;   /* cluster_current_epoch of the asked node */
    int ok;           /* cluster_state:ok everywhere that was asked */
    char via[320];    /* the node that was asked first */
    char why[256];    /* not ok, or not all primaries answered: what was seen */
    char *nodes_text; /* CLUSTER NODES of that node, as it came */
    size_t nodes_text_n;
};
/* Asks a seed for nodes and slots (CLUSTER SHARDS, NODES, SLOTS: what it has and allows), then every primary for its own
 * slots and those on their way, which no other node tells. Primaries that disagree (a map is being spread) are asked again
 * for as long as patience_ms allows, then ok is 0, as it is when a primary does not answer or does not allow CLUSTER NODES.
 * Slots that move as a whole (Redis 8.4, Valkey 9.0) are moves too. RSP_EUNSUPPORTED: the
 * server is not in cluster mode. */
RSP_API RSP_NODISCARD int rsp_cluster_look(const struct rsp_env *env, const struct rsp_place *place,
                                           const struct rsp_server_options *options, struct rsp_cluster_map **ret);
/* The same of a node's own file (nodes.conf) or of the text of CLUSTER NODES: for restores to files. Nobody is asked; ok: no
 * slot is without an owner. name: for words. */
RSP_API RSP_NODISCARD int rsp_cluster_parse(const struct rsp_env *env, struct rsp_span text, const char *name,
                                            struct rsp_cluster_map **ret);
/* 1: the same primaries own the same slots, and no slot is on its way in either. */
RSP_API int rsp_cluster_same(const struct rsp_cluster_map *a, const struct rsp_cluster_map *b);
RSP_API void rsp_cluster_map_free(const struct rsp_env *env, struct rsp_cluster_map *map);
/* "0-5460,10000": ascending. Always terminated; the text's length as snprintf has it. */
RSP_API int rsp_slots_text(const struct rsp_slot_range *ranges, size_t n, char *out, size_t size);
/* Reads such a text. RSP_EINVAL. At most max ranges (RSP_SLOTS is always enough). */
RSP_API RSP_NODISCARD int rsp_slots_parse(const struct rsp_env *env, struct rsp_span text,
                                          struct rsp_slot_range *ranges, size_t max, size_t *n);
/* An endpoint of one of its nodes: place's with that host and port (borrowed from both). */
RSP_API void rsp_cluster_endpoint(const struct rsp_place *place, const struct rsp_cluster_node *node,
                                  struct rsp_endpoint *endpoint);

#ifdef __cplusplus
}
#endif
#endif
