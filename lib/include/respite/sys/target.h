/* What this is: what a server of some version can hold, and what a dataset loses on its way there: one table for a
 *   restore into a live server, for files that are made for another version, and for exports.
 * Rests on: env.h, rdb.h.
 * Does not: ask a server; convert. No stable promise (sys). */
#ifndef RESPITE_SYS_TARGET_H
#define RESPITE_SYS_TARGET_H

#include <respite/rdb.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the table ---- */

#define RSP_TARGET_MODULES 32

/* A server. Made by rsp_target_of or rsp_target_parse; what only the server itself knows is set by whoever asked it. */
struct rsp_target {
    size_t size;
    int valkey;
    uint32_t version_n;   /* major * 10000 + minor * 100 + patch */
    uint8_t dialect;      /* enum rsp_rdb_dialect of the payloads of RESTORE and of its files */
    uint16_t rdb_version; /* the newest that it loads */
    uint64_t bulk_max;    /* proto-max-bulk-len; 0: 512 MiB */
    int cluster;          /* 1: a cluster: database 0 alone */
    uint32_t databases;   /* how many there are; 0: not known */
    uint32_t can;         /* bits: 1 << enum rsp_target_feature */
    /* 1: exactly these modules are loaded there, by the names of MODULE LIST: it takes no value of others. 0: not known: it
     * counts as one that takes all. */
    int modules_known;
    unsigned modules_n;
    char modules[RSP_TARGET_MODULES][32]; /* cut */
};
/* What servers differ in, beside the types that their RDB version brings. */
enum rsp_target_feature {
    RSP_CAN_STREAMS = 0,         /* Redis 5.0 */
    RSP_CAN_FUNCTIONS = 1,       /* 7.0 */
    RSP_CAN_STREAM_COUNTERS = 2, /* entries added, entries read, the highest deleted id: 7.0 */
    RSP_CAN_CONSUMER_TIMES = 3,  /* active time beside seen time: 7.2 */
    RSP_CAN_FIELD_TTL = 4,       /* Redis 7.4, Valkey 9.0 */
    RSP_CAN_STREAM_IDMP = 5,     /* Redis 8.6 */
    RSP_CAN_KEY_META = 6,        /* Redis 8.6 */
    RSP_CAN_STREAM_NACK = 7,     /* Redis 8.8 */
    RSP_CAN_ARRAYS = 8,          /* Redis 8.8 */
    RSP_CAN_TEMPLATES = 9,       /* Redis 8.10; without it such hashes are written in full: no loss */
    RSP_CAN_PATH_HASH = 10,      /* Valkey 9.2 */
    RSP_CAN_MODULES = 11,        /* Redis 4.0 */
    RSP_CAN_EVICTION = 12        /* LRU and LFU of keys: Redis 5.0 */
};
/* kind: "redis" (2.6 and later), "valkey" (7.2 and later). A version that is newer than the table is taken for the newest
 * in it; older: RSP_EVERSION; another kind: RSP_EINVAL. */
RSP_API RSP_NODISCARD int rsp_target_of(const struct rsp_env *env, const char *kind, uint32_t version_n,
                                        struct rsp_target *target);
/* "redis:7.0", "valkey:8.1.2". */
RSP_API RSP_NODISCARD int rsp_target_parse(const struct rsp_env *env, const char *text, struct rsp_target *target);
/* "redis 7.0", "valkey 8.1.2". Always terminated. */
RSP_API void rsp_target_text(const struct rsp_target *target, char *out, size_t size);

/* ---- losses ---- */

/* Why something cannot be carried over. */
enum rsp_loss {
    RSP_LOSS_MODULE = 0, /* a module's value, which the target takes only as a payload, and does not take: the module is
                               not loaded, or is older than what wrote the value (vector sets) */
    RSP_LOSS_FIELD_TTL = 1, /* expiries of hash fields */
    RSP_LOSS_ARRAY = 2,
    RSP_LOSS_FUNCTION = 3,
    RSP_LOSS_AUX = 4,             /* module data that belongs to no key: only a file carries it */
    RSP_LOSS_STREAM = 5,          /* a stream, for a target that knows none */
    RSP_LOSS_OTHER = 6,           /* types that the target does not know, values too large for it */
    RSP_LOSS_STREAM_COUNTERS = 7, /* a stream's entries added and highest deleted id, its groups' entries read */
    RSP_LOSS_CONSUMER_TIMES = 8,  /* when a stream's consumers were seen last, and were active last; before 6.2 also
                                     consumers that have nothing pending, when no payload makes them */
    RSP_LOSS_STREAM_IDMP = 9,     /* a stream's memory of producers */
    RSP_LOSS_STREAM_NACK = 10,    /* pending messages that no consumer has, or that are no longer in the stream, where
                                     commands cannot make them: they are pending no more */
    RSP_LOSS_KEY_META = 11,       /* metadata that modules keep with keys */
    RSP_LOSS_EVICTION = 12,       /* how long ago or how often a key was used */
    RSP_LOSS_DATABASE = 13,       /* keys of a database that the target does not have: a cluster has one */
    RSP_LOSS_COLLISION = 14,      /* keys of two databases, or of two streams, that would be one */
    RSP_LOSSES = 15
};
/* fail: nothing is written, the report says why. drop: the key (function, data) is left out. convert: it is written
 * without what the target cannot hold. A key that is left out for one kind may be counted for others, too. */
enum rsp_loss_action { RSP_LOSS_FAIL = 0, RSP_LOSS_DROP = 1, RSP_LOSS_CONVERT = 2 };
struct rsp_loss_policy {
    uint8_t action[RSP_LOSSES];
};
RSP_API const char *rsp_loss_name(int loss); /* "field-ttl"; NULL when it is none */
RSP_API const char *rsp_loss_text(int loss); /* "expiries of hash fields" */
/* 1: the kind's key can be kept without what is lost; 0: only dropped. */
RSP_API int rsp_loss_convertible(int loss);
/* 1: it only says how something was used (CONSUMER_TIMES, EVICTION): no data is lost. */
RSP_API int rsp_loss_is_usage(int loss);
/* All fail, but for those of rsp_loss_is_usage: they convert. All are reported. */
RSP_API void rsp_loss_policy_default(struct rsp_loss_policy *policy);
/* "drop", "fail", "convert", "field-ttl=convert,array=drop", "drop,convert": each word changes what it names, one after
 * the other. A word without a kind is for all kinds but those of rsp_loss_is_usage (a dump of a server with an LRU policy
 * would lose all its keys), and "convert" then for those that can be converted. RSP_EINVAL, with nothing changed and words
 * that name the kinds there are, and of "array=convert" what is possible. */
RSP_API RSP_NODISCARD int rsp_loss_policy_parse(const struct rsp_env *env, const char *text,
                                                struct rsp_loss_policy *policy);

#define RSP_LOSS_NAMES 8 /* of each kind, that a report has */
struct rsp_losses {
    uint64_t n[RSP_LOSSES]; /* keys, functions, pieces of module data */
    struct rsp_loss_key {
        uint32_t db;
        uint16_t n;                      /* the name's real length, 65535 at most */
        uint8_t p[64];                   /* cut */
    } names[RSP_LOSSES][RSP_LOSS_NAMES]; /* the first ones */
    char module[10];                     /* whose value the first of RSP_LOSS_MODULE is; "": not known */
    uint32_t module_from; /* not 0: the target has that module, older than that of the server of this version, which
                             wrote the value (as of version_n) */
};
RSP_API void rsp_losses_add(struct rsp_losses *losses, int loss, uint32_t db, struct rsp_span name);
/* The first kind that stands in the way by that policy; -1: none. */
RSP_API int rsp_losses_judge(const struct rsp_losses *losses, const struct rsp_loss_policy *policy);

#ifdef __cplusplus
}
#endif
#endif
