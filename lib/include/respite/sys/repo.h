/* What this is: a repository of snapshots on a store: trust, the record log, writing, reading, retention.
 * Rests on: sys/seal.h, sys/store.h.
 * Does not: look inside a stream: it keeps opaque bytes and signed facts. No stable promise (sys); the formats are pinned
 *   in respite-format(5).
 *
 * The way of a snapshot: epoch key -> chunks -> sealed objects -> envelope -> manifest -> commit record. Nothing exists
 * before its commit. What is damaged, dropped or forged is a finding; RSP_EINTEGRITY is its status. */
#ifndef RESPITE_SYS_REPO_H
#define RESPITE_SYS_REPO_H

#include <respite/sys/seal.h>
#include <respite/sys/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the state directory: what this host remembers ---- */

struct rsp_state;

/* dir is made (0700) when it is missing and create is set; RSP_ENOTFOUND otherwise. */
RSP_API RSP_NODISCARD int rsp_state_open(const struct rsp_env *env, const char *dir, int create,
                                         struct rsp_state **ret);
/* Which lineage and repository a URL has, as init wrote it. RSP_ENOTFOUND. */
RSP_API RSP_NODISCARD int rsp_state_lookup(struct rsp_state *state, const char *url, uint8_t lineage[16],
                                           uint8_t id[16]);
/* Pins root for the lineage and binds the URL to it. RSP_EEXIST when the URL has another lineage or id. */
RSP_API RSP_NODISCARD int rsp_state_bind(struct rsp_state *state, const char *url, const struct rsp_public *root,
                                         const uint8_t id[16]);
RSP_API RSP_NODISCARD int rsp_state_root(struct rsp_state *state, const uint8_t lineage[16], struct rsp_public *root);
/* "DIR/<lineage>/NAME" into out. */
RSP_API RSP_NODISCARD int rsp_state_path(struct rsp_state *state, const uint8_t lineage[16], const char *name,
                                         char *out, size_t size);
/* Held until the state is freed. RSP_ELOCKED: another process has it. Dies with its holder. */
RSP_API RSP_NODISCARD int rsp_state_lock(struct rsp_state *state, const uint8_t lineage[16]);
RSP_API void rsp_state_free(struct rsp_state *state);

/* ---- opening ---- */

struct rsp_repo;

struct rsp_repo_options {
    size_t size;
    struct rsp_store *store;                /* borrowed */
    struct rsp_state *state;                /* borrowed; NULL: no memory */
    const struct rsp_public *root;          /* the pin; NULL: of the state, else of an identity */
    struct rsp_identity *const *identities; /* borrowed; may be none */
    size_t identities_n;
    int accept_rollback;     /* go on when the store shows less than was seen */
    const char *expect_head; /* hexadecimal prefix of a record's hash that must be a head or an ancestor of one; NULL */
};

/* RSP_ENOREPO: nothing that looks like one. RSP_EINVAL: no pin (--root or an identity is needed). RSP_EINTEGRITY: roles not
 * signed by root, or fewer than were seen. */
RSP_API RSP_NODISCARD int rsp_repo_open(const struct rsp_env *env, const struct rsp_repo_options *options,
                                        struct rsp_repo **ret);
/* A new repository on an empty store: the repository object, then (with root) the first roles record: root itself with
 * every flag and the members given. roles_from: an open repository of the same lineage whose roles records are copied
 * (root may be NULL then). RSP_EEXIST: there is one already. Binds the URL in state when state is given. */
RSP_API RSP_NODISCARD int rsp_repo_init(const struct rsp_env *env, struct rsp_store *store, struct rsp_state *state,
                                        const struct rsp_identity *root, const struct rsp_member *members,
                                        size_t members_n, struct rsp_repo *roles_from, uint8_t id[16]);
RSP_API const struct rsp_roles *rsp_repo_roles(const struct rsp_repo *repo); /* the newest; lives as long as the repo */
RSP_API void rsp_repo_id(const struct rsp_repo *repo, uint8_t id[16]);
RSP_API void rsp_repo_lineage(const struct rsp_repo *repo, uint8_t lineage[16]);
/* The first identity at hand that may sign for flag (and source; NULL: any); NULL: none. */
RSP_API const struct rsp_identity *rsp_repo_signer(const struct rsp_repo *repo, uint32_t flag,
                                                   const uint8_t source[16]);
/* Publishes the roles record that draft describes (members, left, lost; n, previous and time are filled in), signed by
 * root. RSP_EEXIST: somebody else published one meanwhile; open again. */
RSP_API RSP_NODISCARD int rsp_repo_set_roles(struct rsp_repo *repo, const struct rsp_roles *draft,
                                             const struct rsp_identity *root);
/* Roles records that the state knows and the store lacks are put back; *n tells how many. They prove themselves. */
RSP_API RSP_NODISCARD int rsp_repo_republish_roles(struct rsp_repo *repo, size_t *n);
RSP_API void rsp_repo_free(struct rsp_repo *repo);

/* ---- the record log ---- */

enum rsp_record_kind {
    RSP_REC_COMMIT = 1,
    RSP_REC_RETIRE = 2,
    RSP_REC_PIN = 3,
    RSP_REC_UNPIN = 4,
    RSP_REC_ACCEPT = 5,
    RSP_REC_ABSENT = 6,
    RSP_REC_RECEIPT = 7,
    RSP_REC_NOTE = 8,
    RSP_REC_GONE = 9,
    RSP_REC_LOST = 10
};
RSP_API const char *rsp_record_kind_text(int kind); /* "commit"; NULL when it is none */

enum rsp_commit_flags {
    RSP_COMMIT_GOOD = 1,
    RSP_COMMIT_DAMAGED = 2,
    RSP_COMMIT_PARTIAL = 4,
    RSP_COMMIT_FULL = 8,
    RSP_COMMIT_QUICK = 16,
    RSP_COMMIT_READ = 32,
    RSP_COMMIT_UNSEALED = 64
};

/* A sealed object that a commit needs. Its name: data/ or manifests/ by kind, then epoch and object. */
struct rsp_ref {
    uint8_t kind, epoch[16], object[16], sha256[32];
    uint64_t stored;
};

struct rsp_parent {
    uint64_t seq;
    uint8_t hash[32];
};

/* What the log knows of a record beside its bytes. */
enum rsp_record_state {
    RSP_RECORD_LOADED = 1,  /* fetched, decoded, and it keeps every rule */
    RSP_RECORD_BROKEN = 2,  /* fetched, and it does not; or it could not be fetched */
    RSP_RECORD_RETIRED = 4, /* a valid retire record names it; retired_ms tells since when */
    RSP_RECORD_GONE = 8,    /* a gone record names it */
    RSP_RECORD_LOST = 16,   /* given up */
    RSP_RECORD_PINNED = 32,
    RSP_RECORD_ACCEPTED = 64,
    RSP_RECORD_HEAD = 128
};

struct rsp_record {
    char name[128]; /* below log/<source>/ */
    uint8_t hash[32], source[16];
    uint8_t kind;
    uint64_t seq, time_ms; /* as the name says; a loaded record says the same */
    int64_t stored_ms;     /* by the store's clock */
    uint64_t stored_bytes;
    uint32_t state;
    int64_t retired_ms;
    /* loaded: */
    uint8_t signer[32], roles[32];
    uint64_t roles_n;
    struct rsp_parent *parents;
    size_t parents_n;
    uint8_t (*hashes)[32]; /* of the kinds that name records */
    size_t hashes_n;
    uint8_t (
        *links)[64]; /* gone: a record that went and one of its parents, 32 bytes each: ancestry outlives records */
    size_t links_n;
    uint8_t (*went)[16]; /* gone: the snapshots whose commits went: a copy does not bring them back */
    size_t went_n;
    const char *text; /* pin, note, receipt; terminated; or NULL */
    uint8_t detail;   /* retire: reason; receipt: proof */
    /* commit: */
    uint8_t snapshot[16], epoch[16], commitment[32];
    uint32_t flags;
    uint64_t keys, plain, stored, objects;
    struct rsp_ref manifest;
    struct rsp_ref *refs; /* NULL while they lie in refs/<hash> and were not fetched */
    size_t refs_n;
    uint8_t refs_hash[32];
    int refs_apart;
    uint64_t origin_ms; /* the time in the origin's store; 0: not copied */
    /* A commit or a receipt that a keeper copied here from another repository carries the origin's record whole: what it
     * says of the snapshot (or the proof) is said and signed there. hashes of such a receipt: our commit's. */
    int copied;
    uint8_t origin_repository[16], origin_hash[32], origin_signer[32], origin_roles[32], origin_about[32];
    uint64_t origin_seq, origin_time_ms;
    struct rsp_span origin; /* its bytes: lies in bytes; in a draft borrowed */
    int64_t effective_ms;   /* of a full load: its time, clamped between its parents' and the store's */
    int64_t floor_ms;       /* and no record that follows it is earlier than that */
    uint8_t *bytes;         /* as stored */
    size_t bytes_n;
};

/* Something that is not as it was signed. Texts live as long as the log. */
struct rsp_trouble {
    int status; /* RSP_EINTEGRITY, RSP_EKEY, RSP_EIO...; RSP_OK: a note (a fork, a leftover) */
    const char
        *kind; /* fixed words: "record", "missing", "rollback", "roles", "envelope", "object", "fork", "foreign" */
    const char *name;    /* object or record */
    const char *text;    /* what is wrong */
    const char *way_out; /* what to do; or NULL */
};

struct rsp_log {
    struct rsp_env env;
    struct rsp_repo *repo;
    struct rsp_record **records; /* by source, then seq, then name */
    size_t records_n;
    struct rsp_trouble *troubles;
    size_t troubles_n, troubles_cap;
    int faults; /* troubles that are no notes */
    int full;
};

struct rsp_log_options {
    size_t size;
    const uint8_t *source; /* one source's log only; NULL: all */
    size_t rows;           /* 0: everything is fetched and the whole graph verified. Else: names only, but the newest
                              `rows` commits and whatever else changes what list shows are fetched */
    int refs;              /* fetch refs/<hash> as well */
};
/* RSP_OK whenever the store could be read: what is wrong is in troubles. The heads that were seen before are compared and
 * (when nothing is wrong) remembered. */
RSP_API RSP_NODISCARD int rsp_log_load(struct rsp_repo *repo, const struct rsp_log_options *options,
                                       struct rsp_log **ret);
/* Fetches one more record of a log of names. */
RSP_API RSP_NODISCARD int rsp_log_fetch(struct rsp_log *log, struct rsp_record *record);
/* A commit by "latest", a prefix (4 digits or more) of its snapshot id or its record's hash. "latest": the newest living
 * commit of the source (NULL: of all) by seq. RSP_ENOTFOUND; RSP_EINVAL: ambiguous. */
RSP_API RSP_NODISCARD int rsp_log_find(struct rsp_log *log, const char *id, const uint8_t *source,
                                       struct rsp_record **ret);
RSP_API struct rsp_record *rsp_log_by_hash(const struct rsp_log *log, const uint8_t hash[32]);
/* 1: a snapshot that list shows and restore takes: a valid commit, neither gone nor lost, not retired (or pinned since). */
RSP_API int rsp_record_living(const struct rsp_record *record);
/* 1 when ancestor is record or one of its ancestors (full logs). */
RSP_API int rsp_log_descends(const struct rsp_log *log, const struct rsp_record *record,
                             const struct rsp_record *ancestor);
RSP_API RSP_NODISCARD int rsp_log_trouble(struct rsp_log *log, int status, const char *kind, const char *name,
                                          const char *way_out, const char *format, ...) RSP_PRINTF(6, 7);
RSP_API void rsp_log_free(struct rsp_log *log);
/* Roles records that are missing or damaged and that nobody has any more are given up, for ever, in a new one that is
 * otherwise like the newest. names: a file name or the first digits (8 or more) of a hash; log: a full one. hashes (n of
 * them) receives what was meant, *added how many of them were not given up before; none: nothing is published. Open the
 * repository again afterwards. RSP_EDENIED: one is valid and known; RSP_ENOTFOUND; RSP_EINVAL: ambiguous. */
RSP_API RSP_NODISCARD int rsp_roles_forget(struct rsp_log *log, const char *const *names, size_t n,
                                           const struct rsp_identity *root, uint8_t (*hashes)[32], size_t *added);

/* Signs and publishes a record whose parents are the heads of the source in log (a full load, or one of that source).
 * Filled in by the caller: kind, source, and what the kind needs (hashes, text, detail, commit's members); the rest is set
 * here. The signer is chosen by the kind's flag: RSP_ERIGHT when none at hand has it. tags: of a note, "k=v". */
RSP_API RSP_NODISCARD int rsp_record_publish(struct rsp_log *log, struct rsp_record *draft, const char *const *tags,
                                             size_t tags_n, struct rsp_record **ret);

/* ---- writing a snapshot ---- */

struct rsp_pair {
    struct rsp_span name, value;
};
struct rsp_db_count {
    uint32_t db;
    uint64_t keys, expires;
};
enum rsp_stream_kind { RSP_STREAM_RDB = 1, RSP_STREAM_AOF_PART = 2 };

/* A stream's own facts. */
struct rsp_stream_info {
    struct rsp_span name;
    uint8_t kind, form;
    uint64_t plain, records;
    uint8_t dd1[16];
    int has_dd1;
    struct rsp_span replid, slots, role; /* n 0: not known */
    uint64_t offset;
    uint32_t db;
    int has_offset;
    /* Of a shard: what was read ("10.0.0.1:6379"), the node's id, and the moment that the data is of; 0: not known. */
    struct rsp_span place, node;
    uint64_t taken_ms;
};

/* What the sealed manifest says. As given to the writer: borrowed during the call. As read: lives as long as the
 * snapshot. */
struct rsp_manifest {
    size_t size;
    uint8_t snapshot[16];
    struct rsp_span source, tool;
    uint64_t begun_ms, finished_ms;
    struct rsp_span server_kind, server_version, server_run_id, server_place;
    const struct rsp_pair *aux, *captured, *tags;
    size_t aux_n, captured_n, tags_n;
    const struct rsp_db_count *dbs;
    size_t dbs_n;
    const struct rsp_span *losses;
    size_t losses_n;
    const struct rsp_stream_info *streams; /* reading only: the writer knows its own */
    size_t streams_n;
};

struct rsp_snapshot_options {
    size_t size;
    const char *source;    /* its name, 1..200 bytes of printable ASCII without blanks */
    int level;             /* zstd; 0: 3 */
    unsigned threads;      /* 0: as many as processors */
    size_t chunk_bytes;    /* 0: 2 MiB */
    uint64_t object_bytes; /* of plaintext; 0: 256 MiB */
    int no_recheck;
    int unsealed; /* suite none */
    struct rsp_repo *const
        *also;     /* other repositories of the same lineage that get the same objects, each with a commit of its
                                     own; borrowed for the writer's life */
    size_t also_n; /* SNAPSHOT_PLACES_MAX - 1 at most */
};
#define SNAPSHOT_PLACES_MAX 8
struct rsp_snapshot_writer;
/* RSP_ERIGHT: no identity at hand may write for that source. With `also`: a repository that fails, now or later, gets nothing
 * more and the others go on; the calls below fault when none is left. */
RSP_API RSP_NODISCARD int rsp_snapshot_begin(struct rsp_repo *repo, const struct rsp_snapshot_options *options,
                                             struct rsp_snapshot_writer **ret);
struct rsp_stream_writer;
/* Begins a stream; several may be open at once, each used by threads of its own (the store is used by one of them at a
 * time). Their order in the manifest is that of these calls, which, as rsp_snapshot_prove and _commit, are made by one
 * thread at a time. hold: how many chunk buffers the caller keeps back at once; threads 0: as the snapshot's options say.
 * env: whose record the faults of this stream go to (that record is no other stream's); NULL: the repository's. While a
 * stream is open, repositories and stores of the snapshot, and the records of their envs, are the streams': nobody else uses
 * them. */
RSP_API RSP_NODISCARD int rsp_snapshot_stream(struct rsp_snapshot_writer *w, const struct rsp_env *env,
                                              const char *name, int kind, unsigned hold, unsigned threads,
                                              struct rsp_stream_writer **ret);
/* A buffer of *cap bytes to fill; then submit it with n of them (1..*cap) in the order of the stream, or give it back by
 * submitting 0. Buffers may be asked for on one thread and submitted on another. */
RSP_API RSP_NODISCARD int rsp_stream_chunk(struct rsp_stream_writer *s, uint8_t **chunk, size_t *cap);
RSP_API RSP_NODISCARD int rsp_stream_submit(struct rsp_stream_writer *s, uint8_t *chunk, size_t n, const void *note,
                                            size_t note_n);
/* Ends the stream; the facts that the caller learnt (name, kind, plain are the writer's own). s stays the writer's, for
 * rsp_stream_written. A fault in a stream leaves the others as they are; it can only be dropped. */
RSP_API RSP_NODISCARD int rsp_stream_end(struct rsp_stream_writer *s, const struct rsp_stream_info *facts);
/* As if it had never been begun: its name is free again. What was uploaded is debris, for prune. Of a stream that is open,
 * was ended or has failed; not after the commit. From any thread, once nobody uses the stream or a source of it. */
RSP_API void rsp_stream_drop(struct rsp_stream_writer *s);
/* The order in the manifest becomes this one; streams that are not named come behind. */
RSP_API void rsp_snapshot_order(struct rsp_snapshot_writer *w, struct rsp_stream_writer *const *streams, size_t n);
/* Reads everything written back from the store and compares it with what was sealed: opens every chunk. */
RSP_API RSP_NODISCARD int rsp_snapshot_prove(struct rsp_snapshot_writer *w);
/* The plaintext of a stream that was ended, read back from the store before the commit, while the epoch key is still in
 * memory: opened by threads ahead of the reader, compared with what was sealed. The writer must outlive it. */
RSP_API RSP_NODISCARD int rsp_stream_written(struct rsp_stream_writer *s, unsigned threads, struct rsp_source **ret);

struct rsp_commit_facts {
    size_t size;
    uint32_t flags;
    uint64_t keys;
    uint64_t
        origin_ms; /* of a snapshot made anew from another: when the first store had it; 0: it is new. Counts only of a
                         * signer that may keep */
    uint64_t time_ms; /* with origin_ms: that snapshot's own time, which is signed in place of now */
};
/* Envelope, manifest, a look at everything the commit refers to, then the commit. RSP_EINTEGRITY when the log has troubles
 * is NOT returned: the snapshot is made all the same, and *log (may be NULL; freed by the caller) has them. Something that
 * it needs is missing or retired: RSP_ENOTFOUND, and there is no commit. */
RSP_API RSP_NODISCARD int rsp_snapshot_commit(struct rsp_snapshot_writer *w, const struct rsp_manifest *manifest,
                                              const struct rsp_commit_facts *facts, struct rsp_log **log,
                                              struct rsp_record **record);
/* The same into each repository that is left: result[0] is of the repo that the writer was begun with, then those of `also`.
 * RSP_OK when one at least has its commit; each log is freed by the caller. */
struct rsp_commit_result {
    int status;             /* RSP_OK: committed */
    struct rsp_error words; /* of a fault, whenever it was */
    struct rsp_log *log;
    struct rsp_record *record; /* of log */
};
RSP_API RSP_NODISCARD int rsp_snapshot_commit_all(struct rsp_snapshot_writer *w, const struct rsp_manifest *manifest,
                                                  const struct rsp_commit_facts *facts,
                                                  struct rsp_commit_result *results);
RSP_API void rsp_snapshot_writer_free(struct rsp_snapshot_writer *w); /* without commit: debris may stay for prune */

/* ---- reading one ---- */

struct rsp_snapshot;
/* Opens the envelope and the manifest. RSP_EKEY: no identity at hand opens an envelope (whom it is sealed to is said);
 * RSP_EINTEGRITY. */
RSP_API RSP_NODISCARD int rsp_snapshot_open(struct rsp_repo *repo, const struct rsp_record *commit,
                                            struct rsp_snapshot **ret);
RSP_API const struct rsp_manifest *rsp_snapshot_manifest(const struct rsp_snapshot *s);
/* The stream's plaintext from start to end, opened by threads ahead of the reader. s must outlive it. */
RSP_API RSP_NODISCARD int rsp_snapshot_source(struct rsp_snapshot *s, size_t stream, uint64_t from, unsigned threads,
                                              struct rsp_source **ret);
struct rsp_chunk_info {
    char object[128];       /* its name in the store */
    uint32_t number;        /* of the chunk in its object */
    uint64_t offset, plain; /* in the stream */
    struct rsp_span note;   /* lives as long as the snapshot */
};
/* Chunk i of the stream, 0..: RSP_END behind the last. An object whose table does not open is RSP_EINTEGRITY for each
 * chunk number that would be its first; *info then has the object's plaintext range and the next call goes on behind it. */
RSP_API RSP_NODISCARD int rsp_snapshot_chunk_info(struct rsp_snapshot *s, size_t stream, uint64_t i,
                                                  struct rsp_chunk_info *info);
/* Its plaintext into p (info.plain bytes). Each failure clears and rewrites the env's record. */
RSP_API RSP_NODISCARD int rsp_snapshot_chunk_read(struct rsp_snapshot *s, size_t stream, uint64_t i, uint8_t *p);
RSP_API void rsp_snapshot_free(struct rsp_snapshot *s);

/* Envelopes for the readers of the newest roles record, for every epoch that a living commit refers to and that an
 * identity at hand opens. *added, *shut: envelopes written, epochs that nobody at hand opens. */
RSP_API RSP_NODISCARD int rsp_repo_rewrap(struct rsp_repo *repo, struct rsp_log *log, size_t *added, size_t *shut);

/* ---- keeping ---- */

struct rsp_retention {
    size_t size;
    uint32_t last, hourly, daily, weekly, monthly, yearly;
    int64_t within_ms;     /* 0: none */
    int64_t min_age_ms;    /* nothing younger is retired; default of the programs: 24 h */
    int64_t as_of_ms;      /* of a dry run: ages as of this time; 0: by the store's clock, as otherwise always */
    const uint8_t *source; /* this one alone; NULL: each */
};
enum rsp_keep_reason {
    RSP_KEEP_LAST = 1,
    RSP_KEEP_HOURLY = 2,
    RSP_KEEP_DAILY = 4,
    RSP_KEEP_WEEKLY = 8,
    RSP_KEEP_MONTHLY = 16,
    RSP_KEEP_YEARLY = 32,
    RSP_KEEP_WITHIN = 64,
    RSP_KEEP_PINNED = 128,
    RSP_KEEP_LAST_GOOD = 256,
    RSP_KEEP_YOUNG = 512,
    RSP_KEEP_LIMIT = 1024 /* more than max(3, 30 %) at once */
};
struct rsp_expire_row {
    const struct rsp_record *record;
    uint32_t keep; /* why it stays; 0: retired */
};
struct rsp_expire_report {
    size_t size;
    struct rsp_expire_row *rows; /* every living commit, by source and seq; of the allocator of log's env */
    size_t rows_n, retired;
    int flood; /* a source had more than 10 times its usual commits in a day: nothing of it is retired */
};
/* Applies the policy to each source of a full log. dry_run: publishes nothing. RSP_EINTEGRITY: the log has faults. */
RSP_API RSP_NODISCARD int rsp_expire(struct rsp_log *log, const struct rsp_retention *policy, int dry_run,
                                     struct rsp_expire_report *report);
RSP_API void rsp_expire_report_free(struct rsp_log *log, struct rsp_expire_report *report);
/* Retires these commits by hand. The last good one of a source and pinned ones are refused (RSP_EDENIED); RSP_ENOTFOUND: one
 * is not living. */
RSP_API RSP_NODISCARD int rsp_retire(struct rsp_log *log, struct rsp_record *const *commits, size_t n, int dry_run);
/* Gives up a record that does not verify, is missing, or whose snapshot is damaged, by name or hash: the way out of
 * RSP_EINTEGRITY. RSP_EDENIED: a sound record that is no snapshot, a pinned one, or a file that has only the name of a
 * record that is there; RSP_EINVAL: ambiguous. */
RSP_API RSP_NODISCARD int rsp_acknowledge(struct rsp_log *log, const char *name_or_hash, int dry_run);
/* Gives up each of the names, by one record for each source; all or, when one of them is refused, none. *failed (may be
 * NULL): which one a fault is about; n: none alone. */
RSP_API RSP_NODISCARD int rsp_acknowledge_many(struct rsp_log *log, const char *const *names, size_t n, int dry_run,
                                               size_t *failed);

struct rsp_prune_options {
    size_t size;
    int64_t quarantine_ms; /* since the retire record was stored; default of the programs: 24 h */
    int64_t debris_age_ms; /* 7 days */
    int dry_run;
    int64_t as_of_ms; /* as above */
    /* told before each removal; may be NULL */
    void (*removing)(void *opaque, const char *name, uint64_t bytes, const char *why);
    void *opaque;
};
struct rsp_prune_report {
    size_t size;
    uint64_t commits, objects, bytes, debris_objects, debris_bytes, records, waiting; /* waiting: still in quarantine */
};
/* RSP_EBUSY: a pin was published meanwhile; load the log and run again. RSP_EINTEGRITY: the log has faults, and nothing was removed. A run that died is finished by the next. */
RSP_API RSP_NODISCARD int rsp_prune(struct rsp_log *log, const struct rsp_prune_options *options,
                                    struct rsp_prune_report *report);

struct rsp_verify_options {
    size_t size;
    const struct rsp_record *only; /* one commit; NULL: every living one */
    int read_stored;               /* hash every stored byte */
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t done_bytes, uint64_t of_bytes);
    void *opaque;
};
struct rsp_verify_report {
    size_t size;
    uint64_t snapshots, damaged, objects, bytes, envelopes, envelopes_bad;
};
/* Log, signatures, envelopes, presence and sizes by LIST; what is wrong is added to log's troubles. RSP_OK whenever it could
 * be judged. */
RSP_API RSP_NODISCARD int rsp_verify(struct rsp_log *log, const struct rsp_verify_options *options,
                                     struct rsp_verify_report *report);

/* ---- copies and mirrors ---- */

enum rsp_copy_fate {
    RSP_COPY_MADE = 1,   /* copied, or (dry run) would be */
    RSP_COPY_THERE = 2,  /* the target has it */
    RSP_COPY_WENT = 3,   /* it was retired or removed there: not copied again unless asked for */
    RSP_COPY_FAILED = 4, /* damaged here, or in conflict with what is there: not copied */
    RSP_COPY_RECEIPT = 5 /* a proof went along; of its record */
};
struct rsp_copy_options {
    size_t size;
    struct rsp_record *const *only; /* commits of from; none: every living one */
    size_t only_n;
    const uint8_t *source; /* of this source only; NULL: of all */
    int dry_run, again;
    int verify;       /* what the target has already is read and hashed; what is damaged is replaced */
    unsigned threads; /* that read ahead of one object; 0: 4 */
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t done_bytes, uint64_t of_bytes);
    /* Of each record, what became of it. made: the record of the target, or NULL; why: words, or NULL. */
    void (*told)(void *opaque, const struct rsp_record *record, int fate, const struct rsp_record *made,
                 const char *why);
    void *opaque;
};
struct rsp_copy_report {
    size_t size;
    uint64_t snapshots, made, there, went, failed, receipts, roles, envelopes, objects, bytes;
    uint64_t kept_objects, kept_bytes; /* that were there already: of an interrupted run, or shared */
};
/* Copies snapshots into another repository of the same lineage, oldest first, without opening anything: roles, envelopes,
 * objects (each compared with its signed SHA-256 while it passes), then a commit that carries the original, signed by a
 * keeper of the target. What is damaged is not copied and the rest goes on: see report->failed. Both logs are full ones.
 * RSP_ERIGHT: no keeper of the target at hand. RSP_EINVAL: another lineage, or the same repository. */
RSP_API RSP_NODISCARD int rsp_copy(struct rsp_log *from, struct rsp_log *to, const struct rsp_copy_options *options,
                                   struct rsp_copy_report *report);

struct rsp_rekey_options {
    size_t size;
    const char *source; /* its name in the target; NULL: as in the origin */
    int level;          /* zstd; 0: 3 */
    unsigned threads;   /* 0: as many as processors */
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t done_bytes, uint64_t of_bytes); /* of plaintext */
    void *opaque;
};
/* Opens one snapshot and writes it anew into a repository of any lineage, under its keys: chunks and their notes, facts and
 * flags as they were, with a tag "rekeyed-from". Its id there follows from its id here and the lineage there:
 * rsp_rekey_id tells it, so nothing is made twice. *log (freed by the caller) and *record as of rsp_snapshot_commit. */
RSP_API RSP_NODISCARD int rsp_rekey(struct rsp_repo *from, const struct rsp_record *commit, struct rsp_repo *to,
                                    const struct rsp_rekey_options *options, struct rsp_log **log,
                                    struct rsp_record **record);
RSP_API void rsp_rekey_id(const struct rsp_record *commit, const uint8_t lineage[16], uint8_t id[16]);
/* What a log says of a snapshot id of that source (NULL: of any): RSP_COPY_THERE with *commit, RSP_COPY_WENT, or 0: nothing. */
RSP_API int rsp_log_snapshot(const struct rsp_log *log, const uint8_t source[16], const uint8_t id[16],
                             struct rsp_record **commit);

struct rsp_repair_options {
    size_t size;
    const struct rsp_record *only; /* one commit; NULL: every living one */
    int look_only;                 /* repair what is missing or has a wrong size; do not read what is there */
    int dry_run;
    unsigned threads;
    volatile const int *cancel;
    void (*progress)(void *opaque, uint64_t done_bytes, uint64_t of_bytes);
    /* Each object that is damaged or missing. RSP_OK: repaired; else why it was not: words, or NULL. */
    void (*told)(void *opaque, const char *name, int status, const char *why);
    void *opaque;
};
struct rsp_repair_report {
    size_t size;
    uint64_t snapshots, objects, bytes; /* looked at */
    uint64_t damaged, repaired, repaired_bytes;
};
/* Whatever living commits refer to, and the roles, whose stored bytes are missing or not those that were signed, is fetched
 * from the mirror by its name; only bytes that match the signed hash replace anything. RSP_ERIGHT: no keeper at hand. */
RSP_API RSP_NODISCARD int rsp_repair(struct rsp_log *log, struct rsp_store *mirror,
                                     const struct rsp_repair_options *options, struct rsp_repair_report *report);

#ifdef __cplusplus
}
#endif
#endif
