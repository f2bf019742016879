/* What this is: the captures of one backup: a server, Sentinel's master, or the shards of a cluster, each into a stream of
 *   one snapshot, several at once; what breaks off is captured anew from wherever it lives then.
 * Rests on: backup.h, respite/sys/topology.h.
 * Does not: commit (live.c).
 *
 * Threads: one for each of at_once shards (work), and the caller's, which watches: it hands the user's cancel flag on, and
 * looks at the map when the last shard's moment has come. What more than one of them uses is used under the lock; a shard's
 * own members belong to the thread that has it under way. */
#ifndef JOB_SHARDS_H
#define JOB_SHARDS_H

#include <pthread.h>

#include "job/backup.h"

enum { SHARD_WAITING = 0, SHARD_UNDER_WAY = 1, SHARD_STORED = 2, SHARD_FAILED = 3 };

struct shard {
    struct shards *all;
    struct stream_job job;
    struct rsp_env env; /* of the job, with a record of its own */
    struct rsp_error words;
    struct rsp_error heard; /* of the capture alone: whoever reads ahead writes it, on a thread of its own */
    struct rsp_endpoint endpoint;
    char host[256], node[41]; /* of the primary */
    char *slots;              /* all of them; NULL: no cluster */
    size_t slots_n;           /* bytes */
    uint8_t own[RSP_SLOTS / 8];
    char range[16], name[40]; /* "0-5460", "shard-0-5460.rdb": by its first range */
    /* What the server said. Pairs lie in text: where in beside (struct shard_pair). */
    struct rsp_backup_shard told;
    char kind[16], version[32], run_id[41], replid[41];
    const char *role;
    uint64_t offset;
    int has_offset;
    char due_replid[41]; /* what its primary had behind the look at the map: what is captured has it too */
    uint64_t due;
    int behind; /* the last capture had not */
    struct buf beside, text;
    unsigned damaged;          /* captures that were damaged */
    int64_t unreachable_since; /* of sync_clock_ms; 0: it was reached */
    unsigned unreachable;      /* times, since then */
    int astray;                /* a capture had keys of other shards */
    int source_fault, rc;
    /* under the lock */
    int state, taken, again; /* again: it lives elsewhere now, and is to be captured there */
    unsigned lost;           /* captures that broke off */
    volatile int cancel;     /* read without it */
    uint64_t read;           /* under user */
};
struct shard_pair {
    size_t at, name_n, value_n;
};

struct shards {
    struct rsp_env env;
    struct backup *b;
    struct rsp_place place; /* the user's, with the nodes that are known as seeds beside his */
    const struct rsp_place *given;
    char text[320]; /* of the place */
    char via[320];
    struct rsp_backup_live_options o;
    struct rsp_capture_options capture;
    struct stream_setup setup;
    unsigned at_once, retries;
    int64_t patience_ms;
    struct shard *shards;
    size_t n;
    struct rsp_cluster_map *map;           /* as it was before the first shard's moment */
    pthread_mutex_t lock, user, beginning; /* user: one of his functions runs; beginning: of streams, one at a time */
    pthread_cond_t change;
    uint64_t moments;       /* captures that were opened */
    int stop, ended, moved; /* moved: slots are elsewhere; everything is taken again */
    char moved_slots[160];
    struct shard *failed; /* the first that did for good */
    uint64_t read;        /* under user */
};

/* May not be moved. live_options and place outlive it. */
void shards_init(struct shards *all, struct backup *b, const struct rsp_place *place,
                 const struct rsp_backup_live_options *live_options);
/* Every stream is written and ended, or the fault's words are in b's env. */
int shards_run(struct shards *all);
void shards_free(struct shards *all);
int64_t shards_skew_ms(const struct shards *all);

/* ---- one shard (shard.c) ---- */

/* Until it is stored, or has failed for good; RSP_AGAIN: slots have moved. */
int shard_run(struct shard *s);
void shard_free(struct shard *s);
/* The i-th of the pairs that stand beside its data. */
struct rsp_pair shard_beside(const struct shard *s, size_t i);
size_t shard_beside_n(const struct shard *s);

/* ---- where they live (shards_where.c) ---- */

/* Finds out where they are, and makes them. */
int shards_find(struct shards *all);
/* Where this one is now. RSP_AGAIN: its slots are no longer one shard. */
int shard_find(struct shard *s);
/* All of them were captured from whoever had their slots then; those whose primary is another since are marked: again.
 * RSP_AGAIN: slots have moved. */
int shards_look_after(struct shards *all);
/* Frees the shards, and the map. */
void shards_forget(struct shards *all);

#endif
