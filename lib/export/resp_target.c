/* What this is: what servers take, by kind and version.
 * Rests on: resp_impl.h, rdb/types.h for the versions of types.
 * Does not: ask a server. */
#include <stdio.h>

#include "export/resp_impl.h"
#include "rdb/types.h"

#define REDIS_VERSION(major, minor, patch) ((major)*10000u + (minor)*100u + (patch))
#define OLDEST_PAYLOAD 6u /* what the first server with RESTORE writes */

static const struct {
    uint32_t from;
    uint16_t rdb;
} redis_versions[] = {{20600, 6},  {30200, 7},  {40000, 8},  {50000, 9},  {70000, 10},
                      {70200, 11}, {70400, 12}, {80600, 13}, {80800, 14}, {81000, 15}},
  valkey_versions[] = {{70200, 11}, {90000, 80}, {90200, 81}};

int rsp_resp_target_of(const struct rsp_env *env, const char *kind, uint32_t version_n, struct rsp_resp_target *target)
{
    struct rsp_resp_target t = {.size = sizeof t};
    struct rsp_env full;
    env_init(&full, env);
    t.version_n = version_n;
    if (kind && !strcmp(kind, "redis")) {
        t.dialect = RSP_RDB_REDIS;
        for (size_t i = 0; i < sizeof redis_versions / sizeof *redis_versions; i++)
            if (version_n >= redis_versions[i].from) t.rdb_version = redis_versions[i].rdb;
    } else if (kind && !strcmp(kind, "valkey")) {
        t.dialect = RSP_RDB_VALKEY;
        t.valkey = 1;
        for (size_t i = 0; i < sizeof valkey_versions / sizeof *valkey_versions; i++)
            if (version_n >= valkey_versions[i].from) t.rdb_version = valkey_versions[i].rdb;
    } else {
        return fail(&full, RSP_EINVAL, kind, "unknown kind of server; redis and valkey are known");
    }
    if (!t.rdb_version)
        return fail(&full, RSP_EVERSION, NULL, "%s %u.%u is too old; the oldest is %s", kind,
                    (unsigned)(version_n / 10000), (unsigned)(version_n / 100 % 100), t.valkey ? "7.2" : "2.6");
    if (!target->size || target->size > sizeof t) target->size = sizeof t;
    t.size = target->size;
    memcpy(target, &t, t.size);
    return RSP_OK;
}

/* A decimal of at most two digits at *s. */
static int take_number(const char **s, uint32_t *v)
{
    const char *p = *s;
    *v = 0;
    while (*p >= '0' && *p <= '9' && p - *s < 2) *v = *v * 10 + (uint32_t)(*p++ - '0');
    if (p == *s) return 0;
    *s = p;
    return 1;
}

int rsp_resp_target_parse(const struct rsp_env *env, const char *text, struct rsp_resp_target *target)
{
    uint32_t major = 0, minor = 0, patch = 0;
    const char *s = text, *kind = NULL;
    struct rsp_env full;
    int ok;
    env_init(&full, env);
    if (!strncmp(s, "redis:", 6)) kind = "redis", s += 6;
    else if (!strncmp(s, "valkey:", 7)) kind = "valkey", s += 7;
    ok = kind && take_number(&s, &major);
    if (ok && *s == '.') s++, ok = take_number(&s, &minor);
    if (ok && *s == '.') s++, ok = take_number(&s, &patch);
    if (!ok || *s) return fail(&full, RSP_EINVAL, text, "not a target such as redis:7.0 or valkey:8.1.2");
    return rsp_resp_target_of(&full, kind, REDIS_VERSION(major, minor, patch), target);
}

const char *rsp_resp_loss_text(int loss)
{
    static const char *const texts[RSP_LOSSES] = {"values and metadata of modules",
                                                  "expiries of hash fields",
                                                  "arrays",
                                                  "functions",
                                                  "module data that belongs to no key",
                                                  "streams, or parts of them",
                                                  "other values that the target does not know"};
    return loss >= 0 && loss < RSP_LOSSES ? texts[loss] : "unknown";
}

int resp_rules_init(struct resp_rules *r, const struct rsp_env *env, const struct rsp_resp_options *options)
{
    const struct rsp_resp_target *t = &r->o.target;
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
    r->field_ttl = t->valkey ? v >= 90000 : v >= 70400;
    r->arrays = !t->valkey && v >= 80800;
    r->functions = r->stream_counters = r->claim_needs_entry = v >= 70000;
    r->streams = v >= 50000;
    r->create_consumer = v >= 60200;
    r->stream_config = !t->valkey && v >= 80600;
    return RSP_OK;
}

unsigned resp_payload_version(const struct resp_rules *r, int dialect, int type, int meta)
{
    const struct rsp_resp_target *t = &r->o.target;
    const struct rdb_type *k = rdb_type(dialect, type);
    unsigned since;
    int modules = meta || rsp_rdb_value_type(dialect, type) == RSP_RDB_MODULE;
    if (modules && t->no_modules) return 0;
    if (!r->o.payloads || !k || (meta && (t->dialect != RSP_RDB_REDIS || t->rdb_version < 13))) return 0;
    if (type >= 22 && dialect != t->dialect) return 0;
    /* What release candidates wrote no release takes; references to a file's templates mean nothing elsewhere. */
    if (dialect == RSP_RDB_REDIS && (type == 22 || type == 23 || type == 30 || type == 32)) return 0;
    since = k->since > OLDEST_PAYLOAD ? k->since : OLDEST_PAYLOAD;
    if (meta && since < 13) since = 13;
    return since <= t->rdb_version ? since : 0;
}
