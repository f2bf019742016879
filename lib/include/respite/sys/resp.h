/* What this is: an RDB as the commands that build its data again: for `redis-cli --pipe`, and for a restore into a live
 *   server.
 * Rests on: sys/rdb_run.h, sys/target.h.
 * Does not: speak to servers. No stable promise (sys). */
#ifndef RESPITE_SYS_RESP_H
#define RESPITE_SYS_RESP_H

#include <respite/sink.h>
#include <respite/sys/rdb_run.h>
#include <respite/sys/target.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rsp_resp_existing { RSP_EXISTING_FAIL = 0, RSP_EXISTING_SKIP = 1, RSP_EXISTING_REPLACE = 2 };
enum rsp_resp_ttl {
    RSP_TTL_KEEP = 0,         /* the same instant */
    RSP_TTL_DROP_EXPIRED = 1, /* what has expired by now_ms is left out */
    RSP_TTL_SHIFT = 2,        /* shift_ms later */
    RSP_TTL_PERSIST = 3       /* keys and fields live for ever */
};
struct rsp_resp_db {
    uint32_t from, to;
};
struct rsp_resp_options {
    size_t size;
    struct rsp_rdb_run_options run;
    struct rsp_target target;
    int payloads; /* 1: RESTORE where the target takes the payload, native commands for strings and for the rest;
                      0: native commands only */
    int existing; /* enum rsp_resp_existing; FAIL and SKIP: SET NX, RESTORE without REPLACE; values of several commands
                      are then sent as they are: the sender asks first */
    int ttl;      /* enum rsp_resp_ttl */
    int64_t shift_ms, now_ms;
    const struct rsp_resp_db *dbs; /* what is not named stays; the run's filter sees the database of the dump */
    size_t dbs_n;
    int no_functions; /* nor module data that belongs to no key, which would be a loss: for who chooses keys */
    struct rsp_loss_policy losses; /* all 0: fail. The first loss that fails stops with RSP_EUNSUPPORTED, naming it; the
                                      others are counted */
    int single_keys; /* 1: no command names two keys: a cluster's nodes own slots (target.cluster says it, too) */
    /* Not NULL: told of every loss, in the order of the file; the first names are in the report anyway. A fault of its
     * own stops. */
    int (*lost)(void *opaque, int loss, uint32_t db, struct rsp_span name);
    void *opaque;
    const char *tmpdir; /* for values that are sent only once they were seen whole; NULL: as rsp_spool_new has it */
};
struct rsp_resp_report {
    size_t size;
    struct rsp_rdb_run_result run;
    uint64_t keys, commands, functions, bytes, dropped; /* dropped: expired, by ttl */
    uint64_t expires;                                   /* keys that are sent with an expiry */
    struct rsp_losses losses;
};
/* The commands, in the order of the file, SELECT before the first and wherever the database changes. */
RSP_API RSP_NODISCARD int rsp_resp_export(const struct rsp_env *env, struct rsp_source *source,
                                          const struct rsp_resp_options *options, struct rsp_sink *sink,
                                          struct rsp_resp_report *report);

/* What the target would lose, counted beside another reading of the dump (rsp_rdb_run, rsp_check_options.beside): the
 * functions to hand over, with the count as their ctx. Of options run.threads must be that reading's; losses means
 * nothing: all are counted, and lost is told of each. A damaged value ends the counting, not the reading. */
struct rsp_resp_count;
RSP_API RSP_NODISCARD int rsp_resp_count_new(const struct rsp_env *env, const struct rsp_resp_options *options,
                                             struct rsp_resp_count **ret);
RSP_API const struct rsp_rdb_run_ops *rsp_resp_count_ops(void);
/* After that reading: RSP_OK, or the fault of the dump up to which was counted. */
RSP_API int rsp_resp_count_report(const struct rsp_resp_count *count, struct rsp_losses *losses);
RSP_API void rsp_resp_count_free(struct rsp_resp_count *count);

#ifdef __cplusplus
}
#endif
#endif
