/* What this is: whole jobs: a dump into a repository, a snapshot into a file, a snapshot read again and judged.
 * Rests on: sys/repo.h, sys/check.h, sys/json.h.
 * Does not: talk to users: reports are structs. No stable promise (sys). */
#ifndef RESPITE_SYS_JOB_H
#define RESPITE_SYS_JOB_H

#include <respite/sys/check.h>
#include <respite/sys/repo.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a live server says of itself and of what it sent; texts and pairs are borrowed. */
struct rsp_backup_origin {
    size_t size;
    const char *kind, *version, *run_id; /* NULL: not known */
    const char *replid, *role;           /* "master", "replica" */
    uint64_t offset;
    int has_offset;
    const struct rsp_pair *captured; /* what stands beside the data: INFO, CONFIG ... */
    size_t captured_n;
    const char *loss; /* a sentence for the manifest ("not a point in time: ..."), or NULL */
    int not_good;     /* 1: whatever the check says, the commit is not RSP_COMMIT_GOOD */
};
struct rsp_drill_options; /* sys/live.h */
struct rsp_drill_report;

struct rsp_backup_options {
    size_t size;
    struct rsp_snapshot_options snapshot; /* source, level, threads, ... */
    int quick;                            /* framing and checksum only: never "good" */
    int no_digest;                        /* no dd1: never "good" */
    int accept_damaged;                   /* store a damaged dump all the same, flagged for ever */
    int prove_read;                       /* read everything back before the commit */
    const char *place;                    /* what is read, for the manifest: a path, "standard input" */
    const char *const *tags;              /* "k=v" */
    size_t tags_n;
    const char *tmpdir;
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t bytes);
    int (*found)(void *opaque, const struct rsp_finding *finding); /* damage, as it is met; may be NULL */
    void *opaque;
    const struct rsp_backup_origin *origin; /* NULL: a file */
    const struct rsp_drill_options *prove;  /* not NULL: restored into a private server before the commit, and a receipt
                                                is signed behind it. A proof that fails: RSP_EINTEGRITY, no commit */
    struct rsp_drill_report *proof;         /* of prove; filled in */
    struct rsp_commit_result *results; /* not NULL: also_n + 1 of them (snapshot.also), filled in: then *log stays NULL,
                                               and each log is freed by the caller */
};
struct rsp_backup_report {
    size_t size;
    struct rsp_record *record; /* of *log, or of the first of results that has one */
    uint64_t plain, stored, keys, findings;
    uint32_t flags;
    int source_fault; /* the fault is that of source, not of the repository */
    uint8_t dd1[16];  /* as the sealed manifest says it */
    int has_dd1;
    struct rsp_check_report check;
};
/* One RDB from source, checked while it is stored, committed as one snapshot with one stream "dump.rdb". The source is
 * read once, decompressed by the caller if it was compressed. Damaged and not accepted: RSP_ECHECKSUM or the check's fault,
 * report->findings tells, nothing is committed. *log as of rsp_snapshot_commit. */
RSP_API RSP_NODISCARD int rsp_backup(const struct rsp_env *env, struct rsp_repo *repo, struct rsp_source *source,
                                     const struct rsp_backup_options *options, struct rsp_log **log,
                                     struct rsp_backup_report *report);

struct rsp_restore_options {
    size_t size;
    size_t stream;
    int force;    /* replace an existing file */
    int resume;   /* go on with what an earlier run left */
    int no_check; /* do not parse what is restored */
    int damaged;  /* the commit says RSP_COMMIT_DAMAGED: restored as it is, with a warning in the log */
    unsigned threads;
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t bytes);
    void *opaque;
};
struct rsp_restore_report {
    size_t size;
    uint64_t bytes, resumed; /* resumed: bytes that were there and verified */
    uint64_t keys;
};
/* The stream into a file that appears whole or not at all, checked against the manifest's figures (size, keys, checksum) on
 * the way. With resume an interrupted run leaves ".NAME.respite-restore.part" beside it, whose chunks the next run compares
 * and keeps. RSP_EEXIST without force. */
RSP_API RSP_NODISCARD int rsp_restore_file(const struct rsp_env *env, struct rsp_snapshot *snapshot, const char *path,
                                           const struct rsp_restore_options *options,
                                           struct rsp_restore_report *report);

/* One damage that --read-data met. Texts live during the call. */
struct rsp_read_finding {
    size_t size;
    const char *object; /* name in the store; NULL: a finding of the parser */
    uint32_t chunk;
    uint64_t offset, bytes; /* plaintext range in the stream */
    int64_t records;        /* that began in it; -1: not known */
    const char *reason;
    size_t stream; /* of the manifest */
};
struct rsp_read_options {
    size_t size;
    int damaged;      /* the commit says RSP_COMMIT_DAMAGED: chunks are opened, nothing is parsed */
    unsigned percent; /* 1..100 of the chunks, at random; 0: all. Less than 100 does not parse */
    unsigned threads;
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t bytes);
    int (*found)(void *opaque, const struct rsp_read_finding *finding);
    void *opaque;
};
struct rsp_read_report {
    size_t size;
    uint64_t chunks, bytes, keys, findings;
    int parsed;      /* every stream of kind rdb, one at least, was parsed again as a whole */
    int dd1_checked; /* and the digest of each is the manifest's */
    uint64_t streams, streams_parsed, streams_dd1; /* of kind rdb: how many; those that were; and those that it is of */
};
/* Opens, decompresses and parses again: goes on at the next chunk behind damage, and with the parser at the next record
 * that a chunk's note tells. RSP_OK whenever it could be judged. */
RSP_API RSP_NODISCARD int rsp_read_data(const struct rsp_env *env, struct rsp_snapshot *snapshot,
                                        const struct rsp_read_options *options, struct rsp_read_report *report);

#ifdef __cplusplus
}
#endif
#endif
