/* What this is: between the look and the writing: whether anything is lost, and which header the files get.
 * Rests on: reshard_impl.h, rdb/write.h.
 * Does not: read. */
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "flow/reshard_impl.h"
#include "rdb/write.h"

#define COMMON 11u /* the newest version that both families load */

static int judge_losses(struct reshard *r)
{
    int loss = rsp_losses_judge(&r->losses, &r->o.losses);
    char name[4 * NAME_KEPT], older[64] = "";
    const struct rsp_loss_key *k;
    if (loss < 0) return RSP_OK;
    if (loss == RSP_LOSS_MODULE && r->losses.module_from)
        (void)snprintf(older, sizeof older, "; written by redis %u.%u, which is newer",
                       (unsigned)(r->losses.module_from / 10000), (unsigned)(r->losses.module_from / 100 % 100));
    k = &r->losses.names[loss][0];
    printable(name, sizeof name, k->p, k->n < sizeof k->p ? k->n : sizeof k->p);
    if (!k->db)
        return fail(&r->env, RSP_EUNSUPPORTED, NULL, "%s would be lost (%" PRIu64 "; the first: %s%s)",
                    rsp_loss_text(loss), r->losses.n[loss], name, older);
    return fail(&r->env, RSP_EUNSUPPORTED, NULL, "%s would be lost (%" PRIu64 "; the first: %s in database %u%s)",
                rsp_loss_text(loss), r->losses.n[loss], name, k->db, older);
}

static int not_loaded(struct reshard *r, const struct reshard_need *x, const char *what)
{
    char target[64] = "one server";
    if (r->has_target) rsp_target_text(&r->target, target, sizeof target);
    return fail(&r->env, RSP_EVERSION, x->name,
                "%s, in database %u (and %" PRIu64
                " more of the kind), is not loaded by %s from a file: restore it into "
                "a running server, where it is converted",
                what, x->db, x->n - 1, target);
}

/* The newest thing of a dialect that is no common one; and of all. */
static const struct reshard_need *newest_of(const struct reshard *r, int dialect, int from, int *type)
{
    const struct reshard_need *found = NULL;
    for (int t = from; t < RDB_TYPES; t++)
        if (r->types[dialect][t].n && (!found || r->types[dialect][t].since > found->since)) {
            found = &r->types[dialect][t];
            *type = t;
        }
    return found;
}

/* What release candidates wrote, and no release loads. */
static const struct reshard_need *candidates(const struct reshard *r, int *type)
{
    for (*type = 22; *type < 24; ++*type)
        if (r->types[RSP_RDB_REDIS][*type].n) return &r->types[RSP_RDB_REDIS][*type];
    return NULL;
}

static int not_type(struct reshard *r, const struct reshard_need *x, int dialect, int type)
{
    char what[96];
    snprintf(what, sizeof what, "a %s (%s, type %d of %s)", rsp_rdb_value_type_name(rsp_rdb_value_type(dialect, type)),
             rsp_rdb_encoding_name(dialect, type), type, dialect == RSP_RDB_VALKEY ? "Valkey" : "Redis");
    return not_loaded(r, x, what);
}

/* Which family's header: Valkey's only when something of its own is there. */
static int choose_dialect(struct reshard *r)
{
    int redis_type = 0, valkey_type = 0;
    const struct reshard_need *redis = newest_of(r, RSP_RDB_REDIS, 22, &redis_type);
    const struct reshard_need *valkey = newest_of(r, RSP_RDB_VALKEY, 22, &valkey_type);
    if (!redis && r->meta.n) redis = &r->meta;
    if (r->has_target && r->target.dialect == RSP_RDB_VALKEY && redis)
        return redis == &r->meta ? not_loaded(r, redis, "metadata of modules")
                                 : not_type(r, redis, RSP_RDB_REDIS, redis_type);
    if (valkey && (redis || (r->has_target && r->target.dialect == RSP_RDB_REDIS)))
        return not_type(r, valkey, RSP_RDB_VALKEY, valkey_type);
    r->dialect = RSP_RDB_REDIS;
    if (valkey || (!r->has_target && !r->newest[RSP_RDB_REDIS])) r->dialect = RSP_RDB_VALKEY;
    return RSP_OK;
}

static unsigned version_of(const struct reshard *r)
{
    unsigned newest = r->newest[r->dialect], most;
    if (r->dialect == RSP_RDB_REDIS && r->newest[RSP_RDB_VALKEY] && newest < COMMON) newest = COMMON;
    if (!r->has_target) {
        int mixed = r->newest[RSP_RDB_REDIS] && r->newest[RSP_RDB_VALKEY];
        return mixed && r->dialect == RSP_RDB_REDIS && newest > COMMON && !r->meta.n ? COMMON : newest;
    }
    most = r->target.rdb_version;
    if (r->dialect == RSP_RDB_REDIS && r->target.dialect == RSP_RDB_VALKEY && most > COMMON) most = COMMON;
    return newest < most ? newest : most;
}

static int judge_version(struct reshard *r)
{
    int type = 0, rc;
    const struct reshard_need *x = candidates(r, &type);
    if (x && r->has_target) return not_type(r, x, RSP_RDB_REDIS, type);
    rc = choose_dialect(r);
    if (rc) return rc;
    r->version = (uint16_t)version_of(r);
    for (int d = RSP_RDB_REDIS; d <= RSP_RDB_VALKEY; d++) {
        x = newest_of(r, d, 0, &type);
        if (x && x->since > r->version && r->has_target) return not_type(r, x, d, type);
        if (x && x->since > r->version) r->version = x->since; /* a server that writes what its header does not tell */
    }
    if (r->meta.n && r->version < r->meta.since) return not_loaded(r, &r->meta, "metadata of modules");
    if (r->ranks.n && r->version < r->ranks.since && !r->has_target) r->version = r->ranks.since;
    return RSP_OK;
}

int reshard_judge(struct reshard *r)
{
    int rc = reshard_aux_settle(r);
    if (!rc) rc = judge_losses(r);
    return rc ? rc : judge_version(r);
}
