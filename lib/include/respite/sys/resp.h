/* What this is: an RDB as the commands that build its data again: for `redis-cli --pipe`, and for a restore into a live
 *   server.
 * Rests on: sys/rdb_run.h.
 * Does not: speak to servers. No stable promise (sys). */
#ifndef RESPITE_SYS_RESP_H
#define RESPITE_SYS_RESP_H

#include <respite/sink.h>
#include <respite/sys/rdb_run.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a server takes. */
struct rsp_resp_target {
    size_t size;
    int valkey;
    uint32_t version_n;   /* major * 10000 + minor * 100 + patch */
    uint8_t dialect;      /* enum rsp_rdb_dialect of the payloads of RESTORE */
    uint16_t rdb_version; /* the newest payload that it takes */
    uint64_t bulk_max;    /* proto-max-bulk-len; 0: 512 MiB */
    int no_modules;       /* 1: none is loaded there: it takes no value of theirs */
};
/* By kind ("redis", "valkey") and version. A version that is newer than the table is taken for the newest in it; older
 * than 2.6: RSP_EVERSION. */
RSP_API RSP_NODISCARD int rsp_resp_target_of(const struct rsp_env *env, const char *kind, uint32_t version_n,
                                             struct rsp_resp_target *target);
/* "redis:7.0", "valkey:8.1.2". */
RSP_API RSP_NODISCARD int rsp_resp_target_parse(const struct rsp_env *env, const char *text,
                                                struct rsp_resp_target *target);

enum rsp_resp_existing { RSP_EXISTING_FAIL = 0, RSP_EXISTING_SKIP = 1, RSP_EXISTING_REPLACE = 2 };
enum rsp_resp_ttl {
    RSP_TTL_KEEP = 0,         /* the same instant */
    RSP_TTL_DROP_EXPIRED = 1, /* what has expired by now_ms is left out */
    RSP_TTL_SHIFT = 2,        /* shift_ms later */
    RSP_TTL_PERSIST = 3       /* keys and fields live for ever */
};
/* Why something cannot be carried over. */
enum rsp_resp_loss {
    RSP_LOSS_MODULE = 0,    /* a module's value, which the target takes only as a payload, and does not take */
    RSP_LOSS_FIELD_TTL = 1, /* expiries of hash fields */
    RSP_LOSS_ARRAY = 2,
    RSP_LOSS_FUNCTION = 3,
    RSP_LOSS_AUX = 4,    /* module data that belongs to no key: only a file carries it */
    RSP_LOSS_STREAM = 5, /* a stream, or groups and counters that the target does not know */
    RSP_LOSS_OTHER = 6,  /* types that the target does not know */
    RSP_LOSSES = 7
};
RSP_API const char *rsp_resp_loss_text(int loss); /* "expiries of hash fields" */

struct rsp_resp_losses {
    uint64_t n[RSP_LOSSES];        /* keys, functions, pieces of module data */
    uint8_t first[RSP_LOSSES][64]; /* the first key of each, cut */
    size_t first_n[RSP_LOSSES];
    char module[10]; /* whose value the first of RSP_LOSS_MODULE is; "": not known */
};

struct rsp_resp_db {
    uint32_t from, to;
};
struct rsp_resp_options {
    size_t size;
    struct rsp_rdb_run_options run;
    struct rsp_resp_target target;
    int payloads; /* 1: RESTORE where the target takes the payload, native commands for strings and for the rest;
                      0: native commands only */
    int existing; /* enum rsp_resp_existing; FAIL and SKIP: SET NX, RESTORE without REPLACE; values of several commands
                      are then sent as they are: the sender asks first */
    int ttl;      /* enum rsp_resp_ttl */
    int64_t shift_ms, now_ms;
    const struct rsp_resp_db *dbs; /* what is not named stays; the run's filter sees the database of the dump */
    size_t dbs_n;
    int no_functions;   /* nor module data that belongs to no key, which would be a loss: for who chooses keys */
    int drop_losses;    /* 0: the first loss stops with RSP_EUNSUPPORTED, naming it; 1: they are counted and left out */
    const char *tmpdir; /* for values that are sent only once they were seen whole; NULL: as rsp_spool_new has it */
};
struct rsp_resp_report {
    size_t size;
    struct rsp_rdb_run_result run;
    uint64_t keys, commands, functions, bytes, dropped; /* dropped: expired, by ttl */
    struct rsp_resp_losses losses;
};
/* The commands, in the order of the file, SELECT before the first and wherever the database changes. */
RSP_API RSP_NODISCARD int rsp_resp_export(const struct rsp_env *env, struct rsp_source *source,
                                          const struct rsp_resp_options *options, struct rsp_sink *sink,
                                          struct rsp_resp_report *report);

#ifdef __cplusplus
}
#endif
#endif
