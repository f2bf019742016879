/* What this is: sealed objects: written from chunks by a pool of workers, read whole or by range.
 * Rests on: crypt.h, respite/sys/pool.h, libzstd.
 * Does not: know where an object lies: bytes go out and come in by functions of the caller. respite-format(5), "Sealed
 *   object". */
#ifndef SEAL_OBJECT_H
#define SEAL_OBJECT_H

#include "base/buf.h"
#include "seal/crypt.h"

enum { SUITE_NONE = 0, SUITE_CHACHA = 1 };
enum { CODEC_STORED = 0, CODEC_ZSTD = 1 };
enum { OBJECT_DATA = 1, OBJECT_MANIFEST = 2, OBJECT_PACK = 3 };
#define OBJECT_LAST 1 /* flag */

#define OBJECT_PLAIN_MAX (256ull << 20)
#define OBJECT_CHUNKS_MAX 65536u
#define CHUNK_MAX (16u << 20)
#define CHUNK_DEFAULT (2u << 20) /* of 1 MiB each, output passes zstd's own by 1 % */
#define NOTE_MAX 64
#define OBJECT_TAIL_BYTES 24 /* of the trailer, from the table's offset on */

struct object_head {
    uint8_t suite, codec, kind, flags;
    uint32_t chunk_bytes, number;
    uint8_t lineage[ID_BYTES], object[ID_BYTES], epoch[ID_BYTES];
    uint16_t head_bytes; /* of the whole header; set by both functions below */
};
/* Appends the header to out and derives the object key (secret memory of the caller). RSP_EINVAL: a member out of
 * range, or suite none with a key that is not zeros. */
int object_head_write(struct object_head *head, const uint8_t epoch_key[KEY_BYTES], struct buf *out,
                      uint8_t object_key[KEY_BYTES]);
/* p holds at least the header. RSP_EINTEGRITY: malformed, or its commitment does not match the key. RSP_EVERSION,
 * RSP_EUNSUPPORTED: authentic, but newer than this program. Writes no record. */
int object_head_read(struct object_head *head, const uint8_t *p, size_t n, const uint8_t epoch_key[KEY_BYTES],
                     uint8_t object_key[KEY_BYTES]);

struct object_chunk {
    uint64_t plain_offset, stored_offset; /* within the object */
    uint32_t plain, stored;               /* stored: tag included */
    uint8_t note_n, note[NOTE_MAX];
};

/* ---- writing ---- */

/* What a finished object is. */
struct object_done {
    uint8_t object[ID_BYTES];
    uint64_t plain, stored, stream_offset; /* stream_offset: where its plaintext begins in the stream */
    uint8_t sha256[32], table_hash[HASH_BYTES];
    uint32_t number, chunks;
};

/* Called in order, one at a time, from whatever thread finishes a chunk: begin, write..., end. After any fault but
 * begin's own (so after a failed end too) comes abort, on the thread of finish or free. */
struct object_out {
    int (*begin)(void *ctx, const uint8_t object[ID_BYTES], uint32_t number);
    int (*write)(void *ctx, const void *p, size_t n);
    int (*end)(void *ctx, const struct object_done *done);
    void (*abort)(void *ctx); /* the object begun last is not to be */
    /* The words of a fault that one of the others has just returned, on the same thread; NULL, or NULL returned: those of the
     * caller's record, when it has some. */
    const struct rsp_error *(*words)(void *ctx);
};

struct object_writer_options {
    /* suite, codec, kind, lineage, epoch; chunk_bytes 0: CHUNK_DEFAULT. Flags, object id, number are the writer's. */
    struct object_head head;
    int level;        /* zstd; 0: 3 */
    unsigned threads; /* as rsp_pool_new: 0 none */
    int no_recheck;
    int no_sha256; /* done.sha256 is zeros: for objects that no reference names */
    int mark_last; /* the stream's last object gets OBJECT_LAST (an empty one is added when it is known too late) */
    uint64_t object_plain; /* 0: OBJECT_PLAIN_MAX */
};

/* A stream of objects. epoch_key is copied to locked memory. */
struct object_writer;
int object_writer_new(const struct rsp_env *env, const struct object_writer_options *options,
                      const uint8_t epoch_key[KEY_BYTES], const struct object_out *out, void *ctx,
                      struct object_writer **ret);
/* A buffer of chunk_bytes to fill, given back by submit (or unused by free_chunk; those still out are freed with the
 * writer). Waits while too many are in use: at most threads * 2 + 2 and `extra`, for a caller that holds some back.
 * May be
 * called from one thread while submit is called from another. After a fault of any chunk it returns that fault. */
int object_writer_chunk(struct object_writer *w, uint8_t **chunk);
/* Adds to the number of buffers that may be out at once. */
void object_writer_hold(struct object_writer *w, unsigned extra);
/* The chunk's n bytes (1..chunk_bytes) follow what was submitted before. note may be NULL. Takes the buffer in any
 * case. */
int object_writer_submit(struct object_writer *w, uint8_t *chunk, size_t n, const void *note, size_t note_n);
void object_writer_free_chunk(struct object_writer *w, uint8_t *chunk);
/* The stream is complete: everything has been given to out. An empty stream makes one empty object. */
int object_writer_finish(struct object_writer *w);
void object_writer_free(struct object_writer *w); /* without finish: out's abort for a begun object */

/* A small object (a manifest) in one go, appended to out. head as above, its object id set by the caller. */
int object_seal_small(const struct rsp_env *env, struct object_head *head, const uint8_t epoch_key[KEY_BYTES],
                      struct rsp_span plain, struct buf *out, struct object_done *done);

/* ---- reading ---- */

/* Bytes [offset, offset + n) of the stored object into p, all of them. Faults write env's record. */
typedef int (*object_fetch_fn)(void *ctx, uint64_t offset, void *p, size_t n);

struct object_reader {
    struct rsp_env env;
    struct object_head head;
    uint64_t stored, plain, base;
    struct object_chunk *chunks;
    uint32_t chunks_n;
    uint8_t table_hash[HASH_BYTES];
    uint8_t *object_key; /* secret */
    char subject[128];
    uint8_t *ends; /* as stored, when they were wanted: the header (head.head_bytes), behind it table and trailer */
    size_t ends_n;
};
/* What the caller knows of the object from a signed or sealed place; the reader refuses anything else. */
struct object_expect {
    uint8_t kind;
    const uint8_t *lineage, *epoch, *object; /* NULL: not known (pack files) */
    uint64_t stored;                         /* must be known */
    uint64_t plain;                          /* UINT64_MAX: not known */
    const uint8_t *table_hash;               /* NULL: not known */
    uint32_t number;                         /* in its stream; UINT32_MAX: not known */
    uint64_t base;                           /* where the object begins in a larger file, for the offsets in errors */
    int keep_ends;                           /* for whoever hashes the whole object */
};
/* Fetches the tail, the table and the header (at most 3 requests; one when stored is below 64 KiB). RSP_EINTEGRITY
 * for any mismatch, with subject and offset. */
int object_reader_open(const struct rsp_env *env, const struct object_expect *expect, const char *subject,
                       const uint8_t epoch_key[KEY_BYTES], object_fetch_fn fetch, void *ctx, struct object_reader *r);
void object_reader_close(struct object_reader *r); /* also after a failed or no open of a zeroed one */

/* Opens and decompresses chunk i, whose stored bytes lie at c (they are overwritten), into m (plain bytes). Uses
 * scratch of
 * the caller (a ZSTD_DCtx that object_scratch_new makes, one per thread). RSP_EINTEGRITY with object, chunk and
 * plaintext range. */
struct object_scratch;
int object_scratch_new(const struct rsp_env *env, struct object_scratch **ret);
void object_scratch_free(struct object_scratch *s);
int object_chunk_open(const struct rsp_env *env, const struct object_reader *r, uint32_t i, uint8_t *c,
                      struct object_scratch *s, uint8_t *m);

/* A small object held in memory as a whole: its plaintext appended to out (at most max bytes, RSP_ELIMIT). */
int object_open_small(const struct rsp_env *env, const struct object_expect *expect, const char *subject,
                      const uint8_t epoch_key[KEY_BYTES], struct rsp_span stored, size_t max, struct buf *out);

#endif
