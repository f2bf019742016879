/* What this is: the table of servers, and targets made of it.
 * Rests on: target.h; rdb.md sections 3 and 20.
 * Does not: know losses (target_losses.c) nor commands (export/resp_rules.c). */
#include "rdb/target.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define VERSION(major, minor, patch) ((major)*10000u + (minor)*100u + (patch))

#define C(feature) (1u << RSP_CAN_##feature)
#define SINCE_40 C(MODULES)
#define SINCE_50 (SINCE_40 | C(STREAMS) | C(EVICTION))
#define SINCE_70 (SINCE_50 | C(FUNCTIONS) | C(STREAM_COUNTERS))
#define SINCE_72 (SINCE_70 | C(CONSUMER_TIMES))
#define SINCE_74 (SINCE_72 | C(FIELD_TTL))
#define SINCE_86 (SINCE_74 | C(STREAM_IDMP) | C(KEY_META))
#define SINCE_88 (SINCE_86 | C(STREAM_NACK) | C(ARRAYS))

/* Newest first. A release candidate counts as the release before it (7.3.240 is 7.4-rc1): what is written for that one
 * it loads too. */
static const struct rdb_server redis[] = {
    {81000, RSP_RDB_REDIS, 15, SINCE_88 | C(TEMPLATES)},
    {80800, RSP_RDB_REDIS, 14, SINCE_88},
    {80600, RSP_RDB_REDIS, 13, SINCE_86},
    {70400, RSP_RDB_REDIS, 12, SINCE_74}, /* 8.0, 8.2, 8.4 */
    {70200, RSP_RDB_REDIS, 11, SINCE_72},
    {70000, RSP_RDB_REDIS, 10, SINCE_70},
    {50000, RSP_RDB_REDIS, 9, SINCE_50}, /* 6.0, 6.2 */
    {40000, RSP_RDB_REDIS, 8, SINCE_40},
    {30200, RSP_RDB_REDIS, 7, 0},
    {20600, RSP_RDB_REDIS, 6, 0}, /* 2.8, 3.0 */
    {20400, RSP_RDB_REDIS, 2, 0}, /* these are no targets: RESTORE and PEXPIREAT came with 2.6 */
    {1, RSP_RDB_REDIS, 1, 0},
};
static const struct rdb_server valkey[] = {
    {90200, RSP_RDB_VALKEY, 81, SINCE_72 | C(FIELD_TTL) | C(PATH_HASH)},
    {90000, RSP_RDB_VALKEY, 80, SINCE_72 | C(FIELD_TTL)}, /* 9.1 */
    {1, RSP_RDB_REDIS, 11, SINCE_72},                     /* 7.2, the first, to 8.1 */
};
#define OLDEST_REDIS VERSION(2, 6, 0)
#define OLDEST_VALKEY VERSION(7, 2, 0)

const struct rdb_server *rdb_servers(const char *kind, size_t *n)
{
    *n = 0;
    if (kind && !strcmp(kind, "redis")) {
        *n = sizeof redis / sizeof *redis;
        return redis;
    }
    if (kind && !strcmp(kind, "valkey")) {
        *n = sizeof valkey / sizeof *valkey;
        return valkey;
    }
    return NULL;
}

const struct rdb_server *rdb_server(const char *kind, uint32_t version_n)
{
    size_t n;
    const struct rdb_server *s = rdb_servers(kind, &n);
    for (size_t i = 0; i < n; i++)
        if (version_n >= s[i].from) return s + i;
    return NULL;
}

int rsp_target_of(const struct rsp_env *env, const char *kind, uint32_t version_n, struct rsp_target *target)
{
    struct rsp_target t = {.size = sizeof t, .version_n = version_n};
    const struct rdb_server *row = rdb_server(kind, version_n);
    struct rsp_env full;
    size_t n;
    env_init(&full, env);
    if (!rdb_servers(kind, &n))
        return fail(&full, RSP_EINVAL, kind, "unknown kind of server; redis and valkey are known");
    t.valkey = !strcmp(kind, "valkey");
    if (!row || version_n < (t.valkey ? OLDEST_VALKEY : OLDEST_REDIS))
        return fail(&full, RSP_EVERSION, NULL, "%s %u.%u is too old; the oldest is %s", kind,
                    (unsigned)(version_n / 10000), (unsigned)(version_n / 100 % 100), t.valkey ? "7.2" : "2.6");
    t.dialect = row->dialect;
    t.rdb_version = row->rdb;
    t.can = row->can;
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

int rsp_target_parse(const struct rsp_env *env, const char *text, struct rsp_target *target)
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
    return rsp_target_of(&full, kind, VERSION(major, minor, patch), target);
}

void rsp_target_text(const struct rsp_target *target, char *out, size_t size)
{
    uint32_t v = target->version_n;
    unsigned major = (unsigned)(v / 10000), minor = (unsigned)(v / 100 % 100), patch = (unsigned)(v % 100);
    const char *kind = target->valkey ? "valkey" : "redis";
    if (patch) snprintf(out, size, "%s %u.%u.%u", kind, major, minor, patch);
    else snprintf(out, size, "%s %u.%u", kind, major, minor);
}
