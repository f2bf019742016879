/* What this is: what commands and payloads a target takes, and which losses leave a key out.
 * Rests on: resp_impl.h, rdb/types.h for the versions of types; what servers hold is rdb/target.c's.
 * Does not: ask a server. */
#include "export/resp_impl.h"
#include "rdb/types.h"

#define OLDEST_PAYLOAD 6u /* what the first server with RESTORE writes */

static int can(const struct rsp_target *t, enum rsp_target_feature feature)
{
    return t->can >> feature & 1;
}

/* What leaves its key out, or stops everything. */
static int judge_policy(struct resp_rules *r, const struct rsp_env *env)
{
    for (int k = 0; k < RSP_LOSSES; k++) {
        uint8_t *action = &r->o.losses.action[k];
        if (*action > RSP_LOSS_CONVERT) return fail(env, RSP_EINVAL, NULL, "unknown policy %d for losses", *action);
        if (*action == RSP_LOSS_CONVERT && !rsp_loss_convertible(k)) *action = RSP_LOSS_FAIL;
        if (*action != RSP_LOSS_CONVERT) r->refuses |= 1u << k;
    }
    return RSP_OK;
}

int resp_rules_init(struct resp_rules *r, const struct rsp_env *env, const struct rsp_resp_options *options)
{
    const struct rsp_target *t = &r->o.target;
    uint32_t v;
    memset(r, 0, sizeof *r);
    memcpy(&r->o, options, options->size && options->size < sizeof r->o ? options->size : sizeof r->o);
    v = t->version_n;
    if (!t->rdb_version) return fail(env, RSP_EINVAL, NULL, "no target is set");
    if (r->o.existing < RSP_EXISTING_FAIL || r->o.existing > RSP_EXISTING_REPLACE)
        return fail(env, RSP_EINVAL, NULL, "unknown policy %d for existing keys", r->o.existing);
    if (r->o.ttl < RSP_TTL_KEEP || r->o.ttl > RSP_TTL_PERSIST)
        return fail(env, RSP_EINVAL, NULL, "unknown policy %d for expiries", r->o.ttl);
    r->bulk_max = t->bulk_max ? t->bulk_max : RESP_DEFAULT_BULK;
    r->set_options = v >= 20612;
    r->set_pxat = v >= 60200;
    r->restore_replace = v >= 30000;
    r->restore_absttl = v >= 50000;
    r->hset_many = v >= 40000;
    r->create_consumer = v >= 60200;
    r->claim_needs_entry = v >= 70000;
    r->single_keys = r->o.single_keys || t->cluster;
    r->field_ttl = can(t, RSP_CAN_FIELD_TTL) != 0;
    r->arrays = can(t, RSP_CAN_ARRAYS) != 0;
    r->functions = can(t, RSP_CAN_FUNCTIONS) != 0;
    r->streams = can(t, RSP_CAN_STREAMS) != 0;
    r->stream_counters = can(t, RSP_CAN_STREAM_COUNTERS) != 0;
    r->stream_config = can(t, RSP_CAN_STREAM_IDMP) != 0;
    r->eviction = can(t, RSP_CAN_EVICTION) != 0;
    return judge_policy(r, env);
}

enum target_module resp_module_of(const struct resp_rules *r, const struct rsp_rdb_batch *batch,
                                  const struct rsp_rdb_item *item, struct resp_module *ret)
{
    uint64_t id;
    enum target_module taken = target_takes_item(&r->o.target, batch, item, &id);
    memset(ret, 0, sizeof *ret);
    if (id) rsp_rdb_module_name(id, ret->name);
    if (taken == TARGET_MODULE_OLDER) ret->from = batch->server_n;
    return taken;
}

/* 0: the target has no such type. */
static int holds(const struct rsp_target *t, int dialect, int type, int meta)
{
    if (meta && !can(t, RSP_CAN_KEY_META)) return 0;
    switch (rsp_rdb_value_type(dialect, type)) {
    case RSP_RDB_MODULE: return can(t, RSP_CAN_MODULES);
    case RSP_RDB_STREAM: return can(t, RSP_CAN_STREAMS);
    case RSP_RDB_ARRAY: return can(t, RSP_CAN_ARRAYS);
    default: return 1;
    }
}

unsigned resp_payload_version(const struct resp_rules *r, int dialect, int type, int meta)
{
    const struct rsp_target *t = &r->o.target;
    const struct rdb_type *k = rdb_type(dialect, type);
    unsigned since;
    if (!r->o.payloads || !k || !holds(t, dialect, type, meta) || (meta && !target_takes_metadata(t))) return 0;
    if (type >= 22 && dialect != t->dialect) return 0;
    /* What release candidates wrote no release takes; references to a file's templates mean nothing elsewhere. */
    if (dialect == RSP_RDB_REDIS && (type == 22 || type == 23 || type == 30 || type == 32)) return 0;
    since = k->since > OLDEST_PAYLOAD ? k->since : OLDEST_PAYLOAD;
    if (meta && since < 13) since = 13;
    return since <= t->rdb_version ? since : 0;
}
