/* What this is: the nodes, owners and moves that one node tells of.
 * Rests on: cluster.h, base/buf.h.
 * Does not: know how they are told. */
#include <stdlib.h>

#include "base/mem.h"
#include "repl/cluster.h"

int cluster_view_init(struct cluster_view *v, const struct rsp_env *env, const char *name, const char *host)
{
    memset(v, 0, sizeof *v);
    env_init(&v->env, env);
    v->name = name;
    v->host = host;
    buf_init(&v->nodes, &v->env);
    buf_init(&v->moves, &v->env);
    buf_init(&v->by_id, &v->env);
    v->owner = mem_alloc(&v->env, RSP_SLOTS * sizeof *v->owner);
    if (!v->owner) return RSP_ENOMEM;
    for (size_t i = 0; i < RSP_SLOTS; i++) v->owner[i] = RSP_NO_SHARD;
    return RSP_OK;
}

void cluster_view_free(struct cluster_view *v)
{
    if (!v->env.size) return;
    mem_free(&v->env, v->owner, RSP_SLOTS * sizeof *v->owner);
    buf_free(&v->nodes);
    buf_free(&v->moves);
    buf_free(&v->by_id);
    memset(v, 0, sizeof *v);
}

int cluster_add_node(struct cluster_view *v, struct cluster_node **node)
{
    static const struct cluster_node none;
    int rc;
    if (cluster_view_n(v) == CLUSTER_NODES_MAX)
        return fail(&v->env, RSP_ELIMIT, v->name, "more than %d nodes", CLUSTER_NODES_MAX);
    rc = buf_add(&v->nodes, &none, sizeof none);
    if (!rc) *node = cluster_view_node(v, cluster_view_n(v) - 1);
    return rc;
}

int cluster_add_slots(struct cluster_view *v, uint64_t from, uint64_t to, size_t node)
{
    if (from > to || to >= RSP_SLOTS) return fail(&v->env, RSP_EFORMAT, v->name, "a range of slots that is none");
    v->told += to - from + 1;
    if (v->told > CLUSTER_TOLD_MAX)
        return fail(&v->env, RSP_EFORMAT, v->name, "the same slots are told again and again");
    for (uint64_t i = from; i <= to; i++) {
        if (v->owner[i] != RSP_NO_SHARD && v->owner[i] != node)
            return fail(&v->env, RSP_EFORMAT, v->name, "the slot %u has two owners", (unsigned)i);
        v->owner[i] = (uint16_t)node;
    }
    return RSP_OK;
}

int cluster_add_move(struct cluster_view *v, const struct cluster_move *move)
{
    if (v->moves.n / sizeof *move == CLUSTER_MOVES_MAX)
        return fail(&v->env, RSP_ELIMIT, v->name, "more than %d slots on their way", CLUSTER_MOVES_MAX);
    return buf_add(&v->moves, move, sizeof *move);
}

int cluster_id(struct rsp_span text, char out[41])
{
    out[0] = 0;
    if (text.n != 40) return 0;
    for (size_t i = 0; i < 40; i++) {
        int c = text.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return 0;
    }
    memcpy(out, text.p, 40);
    out[40] = 0;
    return 1;
}

/* ---- by id ---- */

static int by_id(const void *a, const void *b, void *opaque)
{
    const struct cluster_view *v = opaque;
    return strcmp(cluster_view_node(v, *(const uint16_t *)a)->id, cluster_view_node(v, *(const uint16_t *)b)->id);
}

int cluster_index(struct cluster_view *v)
{
    size_t n = cluster_view_n(v);
    const uint16_t *order;
    v->by_id.n = 0;
    for (size_t i = 0; i < n; i++) {
        uint16_t k = (uint16_t)i;
        int rc = buf_add(&v->by_id, &k, sizeof k);
        if (rc) return rc;
    }
    if (!n) return RSP_OK;
    qsort_r(v->by_id.p, n, sizeof *order, by_id, v);
    order = (const uint16_t *)(void *)v->by_id.p;
    for (size_t i = 1; i < n; i++)
        if (!by_id(&order[i - 1], &order[i], v))
            return fail(&v->env, RSP_EFORMAT, v->name, "two nodes have the id %s", cluster_view_node(v, order[i])->id);
    return RSP_OK;
}

struct cluster_node *cluster_find(const struct cluster_view *v, const char *id)
{
    const uint16_t *order = (const uint16_t *)(void *)v->by_id.p;
    size_t low = 0, high = v->by_id.n / sizeof *order;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct cluster_node *node = cluster_view_node(v, order[middle]);
        int c = strcmp(node->id, id);
        if (!c) return node;
        if (c < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

int cluster_same_owners(const struct cluster_view *a, const struct cluster_view *b)
{
    for (size_t i = 0; i < RSP_SLOTS; i++) {
        if ((a->owner[i] == RSP_NO_SHARD) != (b->owner[i] == RSP_NO_SHARD)) return 0;
        if (a->owner[i] != RSP_NO_SHARD &&
            strcmp(cluster_view_node(a, a->owner[i])->id, cluster_view_node(b, b->owner[i])->id) != 0)
            return 0;
    }
    return 1;
}
