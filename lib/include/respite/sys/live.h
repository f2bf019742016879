/* What this is: whole jobs with servers: a live server into a repository, a snapshot into a live server or into a data
 *   directory, a snapshot proven in a private server.
 * Rests on: sys/job.h, sys/topology.h, sys/resp.h.
 * Does not: talk to users. No stable promise (sys). */
#ifndef RESPITE_SYS_LIVE_H
#define RESPITE_SYS_LIVE_H

#include <respite/sys/job.h>
#include <respite/sys/resp.h>
#include <respite/sys/topology.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- backup of a live server ---- */

/* One server that was captured: the whole of a standalone dataset, or a shard. Texts live as long as rsp_backup_live. */
struct rsp_backup_shard {
    char place[320], why[320], method[32];
    char *slots; /* "0-5460"; NULL: no cluster */
    char node[41];
    uint64_t keys, plain, spooled;
    int64_t taken_ms;
    unsigned tries; /* captures that were begun: 1 when nothing went wrong */
    int point_in_time;
    uint64_t strays; /* of those keys, of slots that are not its own: such a snapshot is not good */
};
struct rsp_backup_live {
    size_t size;
    struct rsp_backup_shard *shards; /* of the env's allocator: rsp_backup_live_free */
    size_t shards_n;
    char via[320];   /* the sentinel, or the node, that told where it lives; "": nobody was asked */
    int64_t skew_ms; /* between the first shard's moment and the last one's */
};
RSP_API void rsp_backup_live_free(const struct rsp_env *env, struct rsp_backup_live *live);
struct rsp_backup_live_options {
    size_t size;
    struct rsp_capture_options capture;
    unsigned at_once; /* shards that are captured at the same time; 0: 8 */
    unsigned
        retries; /* of one shard (or of Sentinel's master), each after looking again where it lives; 0: 3, -1: none */
    /* Where a shard stands, for a line to the user: "retry", with words; may be NULL. On any thread, one at a time. */
    void (*told)(void *opaque, size_t shard, const char *place, const char *what);
    void *opaque;
};
/* Captures and stores in one pass: rsp_backup over rsp_capture_source, with what the servers say of themselves in the
 * manifest (rsp_backup_options.origin). report->source_fault tells a fault of the servers from one of the repository. While it
 * runs, the calling thread and those it starts work in long turns (SCHED_BATCH, undone at the end): the server may share the
 * processors with us.
 *
 * A server is one stream "dump.rdb". Sentinel's master too; when what it sends breaks off (a failover), its master is looked
 * for again and captured anew, into the same snapshot. A cluster is a stream for each shard, in the order of their slots,
 * "shard-0-5460.rdb" (by its first range), all of them or no snapshot: every slot is owned, none is on its way, and owners are
 * the same before the first and after the last shard's moment; else it waits, as long as capture.patience_ms allows, and
 * then refuses (RSP_EBUSY) and names the slots. A shard that breaks off is looked for again and captured anew. What
 * CLUSTER NODES said is the manifest's captured pair "cluster". */
RSP_API RSP_NODISCARD int rsp_backup_place(const struct rsp_env *env, struct rsp_repo *repo,
                                           const struct rsp_place *place,
                                           const struct rsp_backup_live_options *live_options,
                                           const struct rsp_backup_options *options, struct rsp_log **log,
                                           struct rsp_backup_report *report, struct rsp_backup_live *live);

/* ---- a dataset beside another ---- */

/* How the data of a dump is changed on its way before it is compared. */
struct rsp_compare_side {
    size_t size;
    struct rsp_filter *filter; /* borrowed; of the dump's own databases and expiries */
    int ttl;                   /* enum rsp_resp_ttl */
    int64_t shift_ms, now_ms;
    const struct rsp_resp_db *dbs; /* databases as they are afterwards */
    size_t dbs_n;
    const struct rsp_target *target; /* not NULL: what this target cannot hold is left out, by losses */
    struct rsp_loss_policy losses;
    const struct rsp_target *held_by; /* not NULL: the dump is what this server holds: it is compared with what it can
                                         hold (streams without the counters that it does not know) */
};
enum rsp_compare_verdict { RSP_COMPARE_EQUAL = 0, RSP_COMPARE_DIFFERENT = 1 };
struct rsp_compare_report {
    size_t size;
    int verdict;
    uint8_t expected[16], found[16]; /* dd1 of the first, and of what the second holds of it */
    uint64_t keys;                   /* of the first, that count */
    uint64_t missing, changed;       /* of those: not in the second; there with another value or expiry */
    uint64_t others;                 /* keys of the second that the first does not have */
    uint64_t expired;                /* left out on both sides */
    char first[128];                 /* the first key that is missing or changed, with its database, printable */
    uint64_t opaque; /* values of modules that are there, with that expiry, and written in another way: only
                                        their module could tell whether they are equal */
};
/* A dataset's records as rows (hash of database and key, R of dd1 with expiry, expiry): in memory while they are few, else
 * in a nameless file. Filled by one pass over a dump: a value that is malformed, or a wrong checksum, is a fault. Of a key
 * that is there twice (two databases made one) the later record counts. */
struct rsp_rows;
RSP_API RSP_NODISCARD int rsp_rows_of(const struct rsp_env *env, struct rsp_source *source,
                                      const struct rsp_compare_side *side, unsigned threads, const char *tmpdir,
                                      volatile const int *cancel, struct rsp_rows **ret);
/* The same of a dataset in several dumps (the shards of a cluster): open gives the i-th, which is freed here. */
RSP_API RSP_NODISCARD int rsp_rows_of_all(const struct rsp_env *env,
                                          int (*open)(void *ctx, size_t i, struct rsp_source **source), void *ctx,
                                          size_t n, const struct rsp_compare_side *side, unsigned threads,
                                          const char *tmpdir, volatile const int *cancel, struct rsp_rows **ret);
RSP_API uint64_t rsp_rows_count(const struct rsp_rows *rows);
/* Each row of a must be in b. Left out, and counted as expired: what expires up to as_of_ms on both sides, or on one and is
 * not on the other (a key that has an expiry here and none there is changed); hashes that differ in nothing but fields that
 * expire, when one of those does up to then. Streams that can only have travelled by commands, or are of before 7.0, are
 * judged without their consumers' times and entries_read, which no command sets. dd1 does not know databases: the verdict is
 * that of the rows. */
RSP_API RSP_NODISCARD int rsp_rows_compare(const struct rsp_env *env, struct rsp_rows *a, struct rsp_rows *b,
                                           int64_t as_of_ms, struct rsp_compare_report *report);
RSP_API void rsp_rows_free(struct rsp_rows *rows);

/* ---- a snapshot into a live server ---- */

struct rsp_load_plan { /* what was counted before the first write */
    size_t size;
    uint64_t keys, functions, bytes; /* bytes: of commands */
    uint64_t expires;                /* of the keys that will be written: those with an expiry there */
    uint64_t dropped;                /* expired, with ttl DROP_EXPIRED */
    struct rsp_losses losses;
    struct rsp_target target; /* as it was met */
    uint64_t nodes;           /* primaries that are written to */
    uint64_t target_keys;     /* that are there before */
    uint64_t existing;        /* keys and functions of ours that are there before; only known with existing FAIL */
    uint64_t estimate_ms;
};
struct rsp_load_options {
    size_t size;
    struct rsp_resp_options resp;  /* run.filter, existing, ttl, dbs, losses...; target is learnt */
    size_t streams;                /* of the snapshot; 0: 1 */
    const char *snapshot;          /* 32 digits, for the checkpoint */
    uint64_t rate_ops, rate_bytes; /* a second; 0: no limit */
    const char *checkpoint;        /* file; NULL: none. One that is there is gone on from */
    int dry_run, no_compare;
    unsigned threads;
    const char *tmpdir;
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t bytes); /* of the dump; counts from 0 in each pass */
    /* Told before each pass: "checking", "looking for keys that exist", "writing", "comparing". */
    void (*pass)(void *opaque, const char *what);
    void *opaque;
    /* 1: the caller knows that exactly these bytes passed rsp_check_file with a search for duplicate keys and without a
     * finding: somebody whom it trusts has signed that, and the source proves every byte that it gives (authenticated
     * encryption under what is signed). The first pass still reads the source to its end, follows the framing of all
     * records, and counts; but it looks into no value, searches for no duplicate keys, and makes no commands only to
     * count them. The plan is the same. A wrong claim ends in a fault, or in values as they stand in the dump, after the
     * first write. What is compared at the end is computed while writing, unless a checkpoint is gone on from. */
    int checked;
};
struct rsp_load_report {
    size_t size;
    struct rsp_load_plan plan;
    uint64_t keys, skipped, commands, functions, sent_bytes, resumed; /* resumed: records done by an earlier run */
    uint64_t write_ms;
    int compared;  /* 1: compare is filled in; 0: no_compare, dry_run, or it could not be: why_not */
    int disturbed; /* other clients sent commands meanwhile */
    char why_not[256];
    struct rsp_compare_report compare;
    int target_fault; /* the fault is that of the target, not of the snapshot */
};
/* The streams are opened once a pass, one after the other, by the caller's function: each must give the same bytes each time.
 * Into a server, into Sentinel's master, or into a cluster: there each key goes to the primary that owns its slot
 * (redirections are followed), functions to every primary, and keys of other databases than 0 are RSP_LOSS_DATABASE unless
 * dbs maps them; a node of a cluster that is named as a server is refused. The same library of functions in several streams
 * counts once; with different code it is refused. Everything is
 * checked before the first write (or was, see checked). RSP_EEXIST: keys are there and existing is FAIL (nothing was written); RSP_EUNSUPPORTED: the
 * target cannot hold something, and resp.losses says that this fails; RSP_EDENIED, RSP_EBUSY, RSP_ENET, RSP_ENOSPACE (OOM). */
RSP_API RSP_NODISCARD int rsp_load(const struct rsp_env *env,
                                   int (*open)(void *ctx, size_t stream, struct rsp_source **source), void *ctx,
                                   const struct rsp_place *place, const struct rsp_load_options *options,
                                   struct rsp_load_report *report);

/* ---- a snapshot into a data directory ---- */

/* What a server that is started with a configuration file will load. */
struct rsp_server_config {
    size_t size;
    char dir[4096], dbfilename[256], appenddirname[256], appendfilename[256], unixsocket[256];
    char bind[256]; /* the first address */
    uint32_t port, tls_port;
    int appendonly;
    char preload[4096]; /* "preload-file": what it would load instead; "": not set */
    int cluster;        /* "cluster-enabled yes" */
};
/* The defaults of a server, then the file and what it includes (files: at most 16, depth 4, patterns too; quotes and escapes
 * as the server reads them; a relative include counts from the file that it stands in). path NULL: the defaults, and port 0:
 * which one it will be is not known. dir, when not NULL, is the directory whatever the file says; without it a file that says
 * none, or a relative one, is RSP_EINVAL: it counts from where the server is started. Faults name file and line. */
RSP_API RSP_NODISCARD int rsp_server_config_read(const struct rsp_env *env, const char *path, const char *dir,
                                                 struct rsp_server_config *config);
enum rsp_dir_use { RSP_DIR_FREE = 0, RSP_DIR_IN_USE = 1, RSP_DIR_UNKNOWN = 2 };
/* Whether a server works in that directory: something answers at its port or socket, a process that looks like one has it as
 * its working directory, or any process has a file of it, or of its AOF's, open. RSP_DIR_UNKNOWN: none was found, but not
 * everything could be seen. *why (room of n) says what was seen. Never a fault. */
RSP_API int rsp_dir_in_use(const struct rsp_env *env, const struct rsp_server_config *config, char *why, size_t n);

struct rsp_datadir_options {
    size_t size;
    const struct rsp_server_config *config;
    const char *server_kind; /* of the server that will load it: "redis", "valkey"; NULL: not known */
    uint32_t server_version; /* 0: not known */
    int force;               /* what is there is kept aside; a directory in use is written all the same */
    int damaged;
    unsigned threads;
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t bytes);
    void *opaque;
    size_t stream; /* of the snapshot: which one of several */
};
struct rsp_datadir_report {
    size_t size;
    struct rsp_restore_report restore;
    char loads[4096]; /* what the server will load */
    char aside[4096]; /* where the old files are; "": there were none */
    int aof;          /* a base and a manifest were written */
};
/* RSP_EEXIST: files are there, no force; RSP_ELOCKED: in use, or cannot tell; RSP_EVERSION: the snapshot's RDB version is
 * above the server's (both are named). Nothing that the server would load is there before everything is durable. */
RSP_API RSP_NODISCARD int rsp_restore_datadir(const struct rsp_env *env, struct rsp_snapshot *snapshot,
                                              const struct rsp_datadir_options *options,
                                              struct rsp_datadir_report *report);

/* ---- proof ---- */

/* A server binary, asked by --version. RSP_EFORMAT: it is none; RSP_EVERSION: it is not known what it loads. */
struct rsp_engine {
    char path[4096], kind[16], version[32];
    uint32_t version_n;
    uint8_t dialect;
    uint16_t rdb_version;
};
RSP_API RSP_NODISCARD int rsp_engine_ask(const struct rsp_env *env, const char *path, struct rsp_engine *engine);

struct rsp_drill_report;
struct rsp_drill_options {
    size_t size;
    const char *const *servers; /* binaries; servers_n 0: redis-server and valkey-server of PATH */
    size_t servers_n;
    const char *path;   /* PATH, for those; NULL: /usr/local/bin:/usr/bin:/bin and the sbin of each */
    const char *tmpdir; /* the private server's directory is made here, mode 0700; NULL: /tmp */
    unsigned threads;
    int64_t start_ms; /* how long it may take to answer; 0: by the size of the data, at least 60 s */
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t bytes);
    void *opaque;
    /* By rsp_drill_all, of each stream when it was judged; may be NULL. */
    void (*told)(void *opaque, size_t stream, const struct rsp_drill_report *report);
};
enum rsp_proof { RSP_PROOF_FAILED = 0, RSP_PROOF_DECODED = 1, RSP_PROOF_SERVER = 2 };
struct rsp_drill_report {
    size_t size;
    int proof;                /* the most that was shown */
    struct rsp_engine engine; /* path "": none fits */
    char why_not[256];        /* DECODED: why it is no more */
    uint64_t keys, server_keys, expired;
    uint8_t dd1[16], server_dd1[16]; /* of what was compared in the snapshot and in the server */
    int compared;
    uint64_t decode_ms, load_ms; /* decode and compare with the manifest; until the server had it all and answered */
    char what[256];              /* FAILED: what differs */
    uint64_t streams;            /* that were drilled */
};
/* Decodes everything (counts and dd1 against the manifest), then restores into a private server, captures that again and
 * compares. RSP_OK whenever it could be judged. Nothing is left behind: no process, no file. */
RSP_API RSP_NODISCARD int rsp_drill(const struct rsp_env *env, int (*open)(void *ctx, struct rsp_source **source),
                                    void *ctx, const struct rsp_manifest *manifest,
                                    const struct rsp_drill_options *options, struct rsp_drill_report *report);
/* The same of a snapshot of several streams (the shards of a cluster): open gives the one of that number in the manifest;
 * each of kind rdb is restored by itself, one after the other. The report adds them up: the weakest proof, with the words of
 * the first stream that has it, behind its name; the manifest's counts of databases are those of all. RSP_ENOTFOUND: none. */
RSP_API RSP_NODISCARD int rsp_drill_all(const struct rsp_env *env,
                                        int (*open)(void *ctx, size_t stream, struct rsp_source **source), void *ctx,
                                        const struct rsp_manifest *manifest, const struct rsp_drill_options *options,
                                        struct rsp_drill_report *report);
/* The figures of a drill as the text of a receipt: "proof=server keys=... decode_ms=... engine=redis-7.0.15 ...": fits a
 * record. No digest: receipts stand in the clear, and a digest would let guesses at the data be tested. */
RSP_API void rsp_drill_text(const struct rsp_drill_report *report, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif
