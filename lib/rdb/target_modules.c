/* What this is: which module holds which type of values, and so whether a server takes one.
 * Rests on: rdb/target.h; rdb.md section 13; the names that modules register, as their public sources have them.
 * Does not: ask a server; look into a value. */
#include <string.h>

#include "base/bytes.h"
#include "rdb/target.h"

enum { REDIS = 1, VALKEY = 2, BOTH = REDIS | VALKEY };
/* The same name is another module there: bf, search. meta: it may keep metadata with keys. */
static const struct module {
    const char *name;
    int where, meta;
    const char *const types[6];
} modules[] = {
    {"vectorset", REDIS, 0, {"vectorset"}},
    {"ReJSON", BOTH, 1, {"ReJSON-RL"}},
    {"json", VALKEY, 1, {"ReJSON-RL"}},
    {"bf", REDIS, 1, {"MBbloom--", "MBbloomCF", "CMSk-TYPE", "TopK-TYPE", "TDIS-TYPE"}},
    {"bf", VALKEY, 1, {"bloomfltr"}},
    {"timeseries", BOTH, 1, {"TSDB-TYPE"}},
    {"search", REDIS, 1, {"trietype0", "ft_index0", "ft_invidx", "numericdx", "ft_tagidx"}},
    {"search", VALKEY, 1, {NULL}}, /* its indexes are data that belongs to no key */
    {"ft", BOTH, 1, {"trietype0", "ft_index0", "ft_invidx", "numericdx", "ft_tagidx"}},
    {"graph", BOTH, 1, {"graphdata", "graphmeta"}},
    {"ai", BOTH, 1, {"AI_TENSOR", "AI__MODEL", "AI_SCRIPT"}},
    {"lua", VALKEY, 0, {NULL}}, /* the engine of scripts */
    {"ldap", VALKEY, 0, {NULL}},
};
#define MODULES (sizeof modules / sizeof *modules)
#define TYPES (sizeof modules->types / sizeof *modules->types)

static const struct module *module_of(const struct rsp_target *t, const char *name)
{
    for (size_t i = 0; i < MODULES; i++)
        if (modules[i].where & (t->valkey ? VALKEY : REDIS) && !strcmp(modules[i].name, name)) return modules + i;
    return NULL;
}

static int brings(const struct module *m, const char *type)
{
    for (size_t k = 0; k < TYPES && m->types[k]; k++)
        if (!strcmp(m->types[k], type)) return 1;
    return 0;
}

static int in_table(const char *type)
{
    for (size_t i = 0; i < MODULES; i++)
        if (brings(modules + i, type)) return 1;
    return 0;
}

void target_add_module(struct rsp_target *t, struct rsp_span name)
{
    size_t n = name.n < sizeof t->modules[0] ? name.n : sizeof t->modules[0] - 1;
    if (!t->modules_known) return;
    if (t->modules_n == RSP_TARGET_MODULES) { /* more than anybody loads: nothing is said of them */
        t->modules_known = 0;
        t->modules_n = 0;
        return;
    }
    memset(t->modules[t->modules_n], 0, sizeof t->modules[0]);
    if (n) memcpy(t->modules[t->modules_n], name.p, n);
    t->modules_n++;
}

static int has_module(const struct rsp_target *t, const char *name)
{
    for (unsigned i = 0; i < t->modules_n; i++)
        if (!strcmp(t->modules[i], name)) return 1;
    return 0;
}

void target_common_modules(struct rsp_target *t, const struct rsp_target *other)
{
    unsigned n = 0;
    if (!other->modules_known) return;
    if (!t->modules_known) {
        memcpy(t->modules, other->modules, sizeof t->modules);
        t->modules_n = other->modules_n;
        t->modules_known = 1;
        return;
    }
    for (unsigned i = 0; i < t->modules_n; i++)
        if (has_module(other, t->modules[i])) memmove(t->modules[n++], t->modules[i], sizeof t->modules[0]);
    t->modules_n = n;
}

enum target_module target_takes_module(const struct rsp_target *t, uint64_t id, uint32_t server_n)
{
    const struct module *m;
    char type[10];
    int strange = 0, found = 0;
    rsp_rdb_module_name(id, type);
    for (unsigned i = 0; i < t->modules_n && !found; i++) {
        m = module_of(t, t->modules[i]);
        strange |= !m;
        found = m && brings(m, type);
    }
    if (t->modules_known && !found && (!strange || in_table(type))) return TARGET_MODULE_MISSING;
    /* It writes the type under the same id whatever has changed: a patch release changes nothing. */
    if (!strcmp(type, "vectorset") && !t->valkey && server_n / 100 > t->version_n / 100) return TARGET_MODULE_OLDER;
    return TARGET_MODULE_TAKEN;
}

enum target_module target_takes_item(const struct rsp_target *t, const struct rsp_rdb_batch *b,
                                     const struct rsp_rdb_item *item, uint64_t *id)
{
    const uint8_t *p = b->p + item->value;
    *id = 0;
    if (rsp_rdb_value_type(b->dialect, item->type) != RSP_RDB_MODULE) return TARGET_MODULE_TAKEN;
    if (item->end - item->value >= 9 && *p == 0x81) *id = load_be64(p + 1);
    return target_takes_module(t, *id, b->server_n);
}

int target_takes_metadata(const struct rsp_target *t)
{
    if (!t->modules_known) return 1;
    for (unsigned i = 0; i < t->modules_n; i++) {
        const struct module *m = module_of(t, t->modules[i]);
        if (!m || m->meta) return 1;
    }
    return 0;
}
