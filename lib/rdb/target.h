/* What this is: the one table of servers: from which version on they write and load which RDB, and what they can hold.
 * Rests on: respite/sys/target.h.
 * Does not: ask a server. To add a server: a row in target.c; what commands it takes is export/resp_rules.c's. */
#ifndef RDB_TARGET_H
#define RDB_TARGET_H

#include <respite/sys/rdb_batch.h>
#include <respite/sys/target.h>

struct rdb_server {
    uint32_t from;   /* version, as of version_n */
    uint8_t dialect; /* enum rsp_rdb_dialect of what it writes */
    uint16_t rdb;    /* the newest version that it loads */
    uint32_t can;    /* bits: 1 << enum rsp_target_feature */
};

/* kind "redis" or "valkey": the row of that version, older servers than a target may be included; NULL: another kind, or
 * version_n 0. */
const struct rdb_server *rdb_server(const char *kind, uint32_t version_n);
/* All rows of a kind, the newest first; NULL: another kind. */
const struct rdb_server *rdb_servers(const char *kind, size_t *n);

/* target_modules.c: values of modules. */
enum target_module {
    TARGET_MODULE_TAKEN = 0,
    TARGET_MODULE_MISSING = 1, /* no module of that type is loaded */
    TARGET_MODULE_OLDER = 2    /* it is, and older than what wrote the value */
};
/* id: of the value's type; server_n: version of the server that wrote it, 0: not known. A target whose modules are not
 * known takes all. One that has a module which the table does not have takes all types that the table does not have. */
enum target_module target_takes_module(const struct rsp_target *t, uint64_t id, uint32_t server_n);
/* The same of a FIRST item; *id: of its type, 0: it is no module's value, or not known. */
enum target_module target_takes_item(const struct rsp_target *t, const struct rsp_rdb_batch *b,
                                     const struct rsp_rdb_item *item, uint64_t *id);
/* 0: nothing that is loaded keeps metadata with keys. */
int target_takes_metadata(const struct rsp_target *t);
/* One more that is loaded; modules_known is set before the first. */
void target_add_module(struct rsp_target *t, struct rsp_span name);
/* Of t what other has too; of the two that are known the one that is. */
void target_common_modules(struct rsp_target *t, const struct rsp_target *other);

#endif
