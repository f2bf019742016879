/* What this is: what the files that write and read snapshots share.
 * Rests on: manifest.h, seal/object.h.
 * Does not: leave this folder. */
#ifndef REPO_SNAPSHOT_IMPL_H
#define REPO_SNAPSHOT_IMPL_H

#include <pthread.h>

#include <respite/source.h>

#include "repo/manifest.h"

/* Objects that follow each other, and what opens them. All borrowed. */
struct object_run {
    struct rsp_store *store;
    const uint8_t *key, *lineage;
    const struct full_ref *refs;
    size_t refs_n;
    /* Of a store that other threads use: it is used under the lock, and the words of its faults, which go to its own
     * record, are taken from there. NULL: it is ours alone, and the record is the env's. */
    pthread_mutex_t *lock;
    struct rsp_error *words;
};

/* ---- one object (snapshot_object.c) ---- */

/* As rsp_store_read, but an object that is not there or too short is RSP_EINTEGRITY: it was promised by a signature. */
int object_part_read(const struct rsp_env *env, struct rsp_store *store, const char *name, uint64_t offset, void *p,
                     size_t n);
/* The same of an object of a run. */
int run_part_read(const struct rsp_env *env, const struct object_run *run, const char *name, uint64_t offset, void *p,
                  size_t n);
/* Says so, of an object that the store has not (rc: RSP_ENOTFOUND or RSP_ETRUNCATED, whose words are replaced). */
int object_lost(const struct rsp_env *env, const char *name, int rc);
/* Opens what refs[i] names: header and table agree with it, or RSP_EINTEGRITY. whole: it will be read from its start to
 * its end; its size is compared too, and r->ends are kept for object_signed. */
int run_object_open(const struct rsp_env *env, const struct object_run *run, size_t i, int whole,
                    struct object_reader *r);
/* sum has taken the header and every chunk as stored; ends it. RSP_EINTEGRITY: these are not the bytes that the
 * commit's signature is about, though they may open: a reader has the key too. */
int object_signed(const struct rsp_env *env, const struct object_reader *r, struct sha256 *sum,
                  const uint8_t sha256[32]);
int sha256_whole(const struct rsp_env *env, struct rsp_span bytes, uint8_t out[32]);

/* ---- chunks opened ahead of whoever takes them (snapshot_ahead.c) ---- */
struct ahead;
/* from: plaintext to pass over. threads 0: as many as processors. */
int ahead_new(const struct rsp_env *env, const struct object_run *run, uint64_t from, unsigned threads,
              struct ahead **ret);
/* The next plaintext, at least one byte, which lives until the next call; RSP_END. Use no more after a fault. */
int ahead_next(struct ahead *a, struct rsp_span *view);
void ahead_free(struct ahead *a);
/* The same as a source; what run points to must outlive it (snapshot_source.c). */
int run_source(const struct rsp_env *env, const struct object_run *run, uint64_t from, unsigned threads,
               const char *name, struct rsp_source **ret);

/* ---- writing ---- */

enum { WRITER_OPEN = 0, WRITER_ENDED = 1 };
enum { STREAM_OPEN = 0, STREAM_ENDED = 1, STREAM_FAULT = 2 };

/* One of the repositories that a snapshot goes to. A fault of one, in whatever stream, is kept here, it gets nothing more,
 * and the others go on; the fault of the last one left is that of every stream. */
struct place {
    struct rsp_repo *repo;
    int status;
    struct rsp_error words;
};

/* A stream on its way: what its own threads use. The uploads, and the places behind them, are used under the writer's
 * lock. */
struct rsp_stream_writer {
    struct rsp_stream_writer *next;
    struct rsp_snapshot_writer *w;
    struct rsp_env env;
    struct rsp_env join; /* of what workers do between two chunks: the record is words */
    struct rsp_error words;
    char name[MANIFEST_SOURCE_MAX + 1];
    uint8_t kind;
    int state;
    struct object_writer *objects; /* NULL: it was ended */
    struct rsp_upload *uploads[SNAPSHOT_PLACES_MAX];
    char object[NAME_MAX_BYTES]; /* that is being uploaded */
    struct full_ref *refs;
    struct rsp_ref *commit_refs; /* beside refs */
    size_t refs_n, refs_cap, commit_refs_cap;
    struct buf encoded; /* its item in the manifest */
};

struct rsp_snapshot_writer {
    struct rsp_env env;
    struct rsp_repo *repo;
    struct rsp_snapshot_options options;
    char source[MANIFEST_SOURCE_MAX + 1];
    uint8_t source_id[ID_BYTES], snapshot[ID_BYTES], epoch[ID_BYTES];
    uint8_t *key; /* secret */
    int state;
    uint64_t begun_ms;
    pthread_mutex_t lock; /* over the places, their stores, their records of faults, and the list of streams */
    struct place *places; /* the first is that of repo */
    size_t places_n;
    struct rsp_stream_writer *streams; /* in the order of their beginning */
};

/* RSP_OK, or why the writer does nothing more; of rest that, too, when a stream is open or has failed. */
int writer_open(struct rsp_snapshot_writer *w);
int writer_rest(struct rsp_snapshot_writer *w);
/* The writer is being freed: what is left of its streams. */
void streams_free(struct rsp_snapshot_writer *w);

/* ---- places (snapshot_place.c) ---- */

/* Makes them of repo and options.also, and asks each what would only be missed at the commit. */
int places_open(struct rsp_snapshot_writer *w, struct rsp_repo *const *also, size_t n);
void places_free(struct rsp_snapshot_writer *w);
/* The same of each that is well; RSP_OK while one is. For the writer's own calls, while no stream is open. */
int places_each(struct rsp_snapshot_writer *w, int (*what)(struct rsp_snapshot_writer *w, struct place *p));
/* The first that is well, or NULL. places_first: then its fault is the env's. */
struct place *places_left(const struct rsp_snapshot_writer *w);
struct place *places_first(struct rsp_snapshot_writer *w);
/* It failed: keeps the words of its repository's record, clears that, and gives up what streams upload there. */
void place_fault(struct rsp_snapshot_writer *w, struct place *p, int rc);
/* An object of the stream to each place that is well; RSP_OK while one is. Each takes the lock. */
int stream_upload_begin(struct rsp_stream_writer *s);
int stream_upload_write(struct rsp_stream_writer *s, const void *bytes, size_t n);
int stream_upload_end(struct rsp_stream_writer *s);
void stream_upload_abort(struct rsp_stream_writer *s);
/* Reads back from it what was written, as a reader would. */
int place_prove(struct rsp_snapshot_writer *w, struct place *p);

/* The members of the newest roles that may read, in an array of *n. RSP_EINVAL: none, or more than an envelope
 * holds. */
int readers_of(const struct rsp_repo *repo, struct rsp_public **readers, size_t *n);
/* Publishes an envelope of the key for these. name: of NAME_MAX_BYTES; *bytes (may be NULL): its size. */
int envelope_publish(struct rsp_repo *repo, const uint8_t epoch[ID_BYTES], const uint8_t *key,
                     const struct rsp_public *readers, size_t readers_n, char *name, uint64_t *bytes);

/* ---- reading ---- */

/* What is known of an object's chunks once its table was opened. */
struct counted_object {
    uint64_t first; /* number of its first chunk in the stream */
    uint8_t *notes; /* stride bytes for each chunk */
    size_t notes_n;
    uint8_t stride, bad; /* bad: its table does not open; it counts as one chunk */
};
/* The objects of a stream; known of them have been opened, and one more has its first. */
struct chunk_map {
    struct counted_object *objects; /* n + 1; the last has only its first */
    size_t n, known;
};
struct open_table {
    struct object_reader r;
    size_t stream, object;
    uint64_t used; /* when; 0: empty */
};

struct rsp_snapshot {
    struct rsp_env env;
    struct rsp_repo *repo;
    struct manifest *manifest;
    uint8_t *key;           /* secret */
    struct chunk_map *maps; /* of each stream, made by the first question */
    struct open_table tables[2];
    uint64_t clock;
    struct object_scratch *scratch;
    struct buf stored;
};
void snapshot_run(const struct rsp_snapshot *s, size_t stream, struct object_run *run);
void snapshot_chunks_free(struct rsp_snapshot *s);

#endif
