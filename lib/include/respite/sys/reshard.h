/* What this is: the dumps of a dataset, cut anew into files by slot: a cluster's snapshot for another number of shards, or
 *   for one server.
 * Rests on: sink.h, sys/filter.h, sys/target.h, sys/topology.h.
 * Does not: convert values: records are copied as they stand. No stable promise (sys). */
#ifndef RESPITE_SYS_RESHARD_H
#define RESPITE_SYS_RESHARD_H

#include <respite/sink.h>
#include <respite/sys/rdb_run.h>
#include <respite/sys/target.h>
#include <respite/sys/topology.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rsp_reshard_options {
    size_t size;
    struct rsp_rdb_run_options run; /* filter, threads, cancel, progress (of all passes), limit (of all dumps) */
    uint16_t owner[RSP_SLOTS];      /* which sink a slot's keys go to; RSP_NO_SHARD: a key of it is a fault */
    int all;          /* 1: there is one sink, it takes every key of every database, and owner is not used */
    int no_functions; /* nor module data that belongs to no key */
    const struct rsp_target *target; /* who will load them; NULL: whoever wrote the dumps */
    /* DATABASE (a sink of slots has database 0 alone), COLLISION (of two the first one stays), AUX (module data that differs
     * between dumps), FUNCTION and MODULE by target; KEY_META and EVICTION are converted by leaving them away. No value
     * is converted but hashes by template, which are written in full. */
    struct rsp_loss_policy losses;
    const char *tmpdir; /* for hashes of keys, when several dumps have the same slots */
};
struct rsp_reshard_file {
    uint64_t keys, expires, bytes;
};
struct rsp_reshard_report {
    size_t size;
    uint64_t keys, functions;
    uint16_t rdb_version; /* of the files */
    uint8_t dialect;
    struct rsp_losses losses;
    struct rsp_reshard_file *files; /* as many as sinks; the caller's array */
};
/* One RDB into each sink: header, AUX of the first dump (without what holds for one server only: positions of replication,
 * slot information), functions once, the records of all dumps, end and checksum. A sink that gets no key is a whole RDB all
 * the same. Sinks are neither committed nor freed: after a fault what is in them is no RDB. RSP_EUNSUPPORTED: a loss that
 * fails, functions that differ between dumps; RSP_EVERSION: records that the target does not load (conversion is another
 * verb's). Two passes: the first looks for losses and writes nothing; when slots are in several dumps, two more look for keys
 * that are. The header's version is the newest of the dumps, or the target's when that is older. open gives the i-th dump,
 * the same bytes each time; freed here. report->losses are filled in whatever comes of it. */
RSP_API RSP_NODISCARD int rsp_reshard(const struct rsp_env *env,
                                      int (*open)(void *ctx, size_t i, struct rsp_source **source), void *ctx, size_t n,
                                      const struct rsp_reshard_options *options, struct rsp_sink *const *sinks,
                                      size_t sinks_n, struct rsp_reshard_report *report);
/* All dumps as one source: what rsp_reshard makes of them with `all`, which need not be set; a thread of its own makes it,
 * and calls open, progress and the filter. Faults are those of rsp_reshard, by the reads. */
RSP_API RSP_NODISCARD int rsp_reshard_source(const struct rsp_env *env,
                                             int (*open)(void *ctx, size_t i, struct rsp_source **source), void *ctx,
                                             size_t n, const struct rsp_reshard_options *options, const char *name,
                                             struct rsp_source **ret);
/* n shards as `redis-cli --cluster create` cuts the slots: 0-5460, 5461-10922, 10923-16383. */
RSP_API void rsp_reshard_even(size_t n, uint16_t owner[RSP_SLOTS]);

#ifdef __cplusplus
}
#endif
#endif
