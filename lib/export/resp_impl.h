/* What this is: what the files of the command export share: what the target takes (rules), how commands are written,
 *   what a worker leaves for join (chunk).
 * Rests on: resp_make.h, base/bytes.h.
 * Does not: reach outside lib/export. */
#ifndef EXPORT_RESP_IMPL_H
#define EXPORT_RESP_IMPL_H

#include "base/bytes.h"
#include "export/resp_make.h"
#include "rdb/target.h"

#define RESP_CHUNK_BYTES (8u << 20) /* a worker leaves the rest of a batch to join past this many bytes */
#define RESP_PIECE_BYTES (1u << 20) /* of a string that is sent by APPEND; of a unit that join makes */
#define RESP_DEFAULT_BULK ((uint64_t)512 << 20)
#define RESP_MULTI "*1\r\n$5\r\nMULTI\r\n"
#define RESP_EXEC "*1\r\n$4\r\nEXEC\r\n"
#define RESP_SLACK 96 /* bytes of room that the small writers rely on */

/* What the target's version makes possible. Everything else is in o. */
struct resp_rules {
    struct rsp_resp_options o;
    uint64_t bulk_max;
    uint32_t refuses; /* mask of enum rsp_loss: what is lost so is not carried at all: dropped, or a fault */
    uint8_t set_options, set_pxat; /* SET ... NX; SET ... PXAT */
    uint8_t restore_replace, restore_absttl;
    uint8_t hset_many, field_ttl, arrays, functions;
    uint8_t streams, stream_counters, create_consumer, claim_needs_entry, stream_config;
    uint8_t eviction, single_keys;
    uint8_t counting; /* resp_maker_count */
};
#define RESP_LOSS(kind) (1u << RSP_LOSS_##kind)
int resp_rules_init(struct resp_rules *r, const struct rsp_env *env, const struct rsp_resp_options *options);
/* Not 0: a key that would lose these (a mask) is left out, by the policy. */
static inline unsigned resp_refused(const struct resp_rules *r, unsigned losses)
{
    return losses & r->refuses;
}
/* Of a FIRST item: whose value it is, and whether the target takes it. */
struct resp_module {
    char name[10]; /* "": no module's, or not known */
    uint32_t from; /* not 0: the server that wrote it has a newer one than the target */
};
enum target_module resp_module_of(const struct resp_rules *r, const struct rsp_rdb_batch *batch,
                                  const struct rsp_rdb_item *item, struct resp_module *ret);
/* The lowest version of a payload of that type, 0: the target takes none. meta: KEY_META stands before it. */
unsigned resp_payload_version(const struct resp_rules *r, int dialect, int type, int meta);

/* ---- writing: there is room for RESP_SLACK bytes before each ---- */

static inline int resp_room(struct buf *b, size_t n)
{
    return n <= b->cap - b->n ? RSP_OK : buf_reserve(b, n);
}
#define RESP_PUT(b, literal) (memcpy((b)->p + (b)->n, "" literal, sizeof(literal) - 1), (b)->n += sizeof(literal) - 1)

static inline void resp_put_number(struct buf *b, char mark, uint64_t n)
{
    b->p[b->n++] = (uint8_t)mark;
    if (n < 10) b->p[b->n++] = (uint8_t)('0' + n);
    else b->n += u64_text((char *)b->p + b->n, n);
    b->p[b->n++] = '\r';
    b->p[b->n++] = '\n';
}
/* What resp_put_bulk would write. */
static inline uint64_t resp_bulk_size(uint64_t n)
{
    uint64_t size = n + 6;
    for (uint64_t rest = n; rest > 9; rest /= 10) size++;
    return size;
}
/* Room for n + 32 bytes is there. */
static inline void resp_put_bulk(struct buf *b, const void *p, size_t n)
{
    resp_put_number(b, '$', n);
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n++] = '\r';
    b->p[b->n++] = '\n';
}
static inline int resp_add_bulk(struct buf *b, struct rsp_span s)
{
    int rc = s.n > SIZE_MAX - RESP_SLACK * 2 ? RSP_ELIMIT : resp_room(b, s.n + RESP_SLACK * 2);
    if (!rc) resp_put_bulk(b, s.p, s.n);
    return rc;
}
static inline void resp_put_u64(struct buf *b, uint64_t v)
{
    char text[U64_TEXT] = "";
    resp_put_bulk(b, text, u64_text(text, v));
}
static inline void resp_put_i64(struct buf *b, int64_t v)
{
    char text[I64_TEXT] = "";
    resp_put_bulk(b, text, i64_text(text, v));
}
static inline void resp_put_id(struct buf *b, struct rsp_rdb_id id)
{
    char text[U64_TEXT * 2 + 1];
    size_t n = u64_text(text, id.ms);
    text[n++] = '-';
    n += u64_text(text + n, id.seq);
    resp_put_bulk(b, text, n);
}

/* ---- one value by native commands ---- */

/* A pending entry of the group under way. */
struct resp_pending {
    struct rsp_rdb_id id;
    int64_t time_ms;
    uint64_t count;
    int missing; /* its message is not in the stream */
};

/* Ids in ascending order, as differences: most take two or three bytes. */
struct resp_ids {
    struct buf bytes;
    struct rsp_rdb_id last;
};
void resp_ids_init(struct resp_ids *ids, const struct rsp_env *env);
int resp_ids_add(struct resp_ids *ids, struct rsp_rdb_id id);
/* *at begins with 0, *id with 0-0. 1: *id is the next; 0: no more. */
int resp_ids_next(const struct buf *bytes, size_t *at, struct rsp_rdb_id *id);

struct resp_stream {
    struct resp_ids ids; /* of its entries */
    struct buf pending;  /* struct resp_pending */
    struct buf group, consumer;
    struct buf ghosts;  /* struct rsp_rdb_id: messages that are gone but pending somewhere */
    struct buf set_ids; /* counters of groups, which wait until the end when there are ghosts */
    size_t ghost_at;
    struct rsp_rdb_element counters;
    struct rsp_rdb_id first; /* of its messages that live */
    uint8_t has_first;
    int64_t claim_time;
    uint64_t claim_count;
    uint8_t judged, has_counters, has_ghosts, can_ghost, found_ghosts, claiming;
    uint8_t lost_ghosts; /* pending entries without a message, which are pending no more */
};

struct resp_native {
    const struct resp_rules *rules;
    const struct rsp_env *env; /* whose record has the words */
    struct buf *out;
    struct rsp_span key;
    size_t key_at;    /* where the key stands in out, once a command is there; SIZE_MAX: not yet */
    uint32_t replies; /* commands */
    unsigned losses;  /* mask of enum rsp_loss */
    int elements;     /* something was written that makes the key exist */
    uint64_t seek;    /* an array's cursor, to be set behind its elements; 0: it has none */
    /* The command under way, its number of arguments unknown. */
    size_t head, args, items;
    struct buf later; /* expiries of its fields: int64, size, bytes */
    struct resp_stream stream;
};
void resp_native_init(struct resp_native *n, const struct resp_rules *rules, const struct rsp_env *env);
void resp_native_free(struct resp_native *n);
/* For another value: where it goes, its key. */
void resp_native_begin(struct resp_native *n, struct buf *out, struct rsp_span key);
int resp_native_delete(struct resp_native *n); /* DEL key */
int resp_native_element(struct resp_native *n, const struct rsp_rdb_element *el);
int resp_native_flush(struct resp_native *n); /* closes the command under way */
int resp_native_expire(struct resp_native *n, int64_t ms);
int resp_native_seek(struct resp_native *n); /* the array's cursor, if any */
/* Of a FIRST item: where the next ARINSERT of the array would write; 0: it has no such cursor, or is no array. */
uint64_t resp_array_seek(const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);

/* A command of fixed arguments: head and key; the caller puts argc - 2 bulks. word: "$3\r\nSET\r\n". */
int resp_native_command(struct resp_native *n, unsigned argc, const char *word, size_t word_n);
#define RESP_COMMAND(n, argc, word) resp_native_command((n), (argc), "" word, sizeof(word) - 1)
/* One whose arguments are counted when it is closed. */
int resp_native_open(struct resp_native *n, const char *word, size_t word_n);
#define RESP_OPEN(n, word) resp_native_open((n), "" word, sizeof(word) - 1)
void resp_native_close(struct resp_native *n);

/* resp_stream.c */
void resp_stream_init(struct resp_stream *s, const struct rsp_env *env);
void resp_stream_free(struct resp_stream *s);
void resp_stream_begin(struct resp_stream *s);
int resp_stream_element(struct resp_native *n, const struct rsp_rdb_element *el);
int resp_stream_close_claim(struct resp_native *n); /* the XCLAIM under way, if any */
/* Behind the last element. RSP_AGAIN: ghosts were found: begin the value again (resp_native_begin) with them. */
int resp_stream_end(struct resp_native *n);

/* ---- what becomes of a record ---- */

enum resp_way {
    RESP_WAY_SET,
    RESP_WAY_RESTORE,
    RESP_WAY_NATIVE,
    RESP_WAY_COLLECT, /* RESTORE of what lies in many batches */
    RESP_WAY_LOST,
    RESP_WAY_EXPIRED
};
struct resp_plan {
    enum resp_way way;
    unsigned losses;      /* mask; LOST: why, else what is left out of it */
    unsigned by_commands; /* mask; COLLECT: what is lost besides when it must travel by commands after all */
    unsigned version;
    size_t meta_n;    /* COLLECT: bytes of KEY_META that go with it */
    uint64_t payload; /* COLLECT: bytes of it so far */
    int has_expire;
    int64_t expire_ms; /* by the policy, at least 1 */
};
/* Of a FIRST item. whole: it is LAST, too. */
struct resp_plan resp_plan_of(const struct resp_rules *r, const struct rsp_rdb_batch *batch,
                              const struct rsp_rdb_item *item, int whole);
/* n more bytes of the value of a record in parts. COLLECT becomes NATIVE or LOST when the payload is larger than the
 * target takes, or than is good for it. */
void resp_plan_more(const struct resp_rules *r, struct resp_plan *plan, int dialect, int type, uint64_t n);
/* How the parts of a record of that type travel, unless they become too many. */
enum resp_way resp_way_of_parts(const struct resp_rules *r, int dialect, int type, unsigned *losses);
int64_t resp_shifted(const struct resp_rules *r, int64_t ms);
uint32_t resp_db(const struct resp_rules *r, uint32_t db);
/* RESTORE of meta (may be empty), type and value. Returns as buf_reserve does; *key_at: where the key stands. */
int resp_put_restore(const struct resp_rules *r, struct buf *out, struct rsp_span key, const struct resp_plan *plan,
                     const struct rsp_rdb_item *item, struct rsp_span meta, uint8_t type, struct rsp_span value,
                     size_t *key_at, uint32_t *replies);
/* The same in three: up to the payload of n bytes (version and checksum included); the caller's bytes; what stands
 * behind, with crc the sum of those bytes. */
int resp_restore_begin(const struct resp_rules *r, struct buf *out, struct rsp_span key, const struct resp_plan *plan,
                       const struct rsp_rdb_item *item, uint64_t n, size_t *key_at, uint32_t *replies);
int resp_restore_end(const struct resp_rules *r, struct buf *out, const struct resp_plan *plan,
                     const struct rsp_rdb_item *item, uint64_t crc);

/* ---- worker and chunk ---- */

enum resp_piece_kind {
    RESP_PIECE_UNIT,
    RESP_PIECE_GONE, /* a record that makes no commands */
    RESP_PIECE_PART, /* of a record in parts: join puts it in its place */
    RESP_PIECE_LOSS  /* something that is no record */
};
struct resp_piece {
    uint8_t kind, flags, expired, refused, sequential, tail;
    uint8_t expires; /* UNIT: a key with an expiry */
    uint32_t losses; /* mask */
    uint32_t db, replies, records;
    uint32_t keys;        /* PART: 1: there are elements in it */
    size_t at, end;       /* in out */
    size_t key_at, key_n; /* in out */
    size_t item;          /* PART, GONE: index in the batch */
    size_t ids_at, ids_end;
    uint64_t uncopied; /* bytes of its commands that are not in out: counting */
};
/* NULL of a buffer that nothing was ever put in. */
static inline uint8_t *resp_at(const struct buf *b, size_t at)
{
    return b->p ? b->p + at : NULL;
}
struct resp_chunk {
    struct resp_chunk *next;
    struct buf out, ids;
    struct buf pieces; /* struct resp_piece */
    size_t done;       /* items seen */
    uint64_t uncopied; /* of all pieces, and of what would stand between them */
    int fault;         /* what stopped it, and its words */
    struct rsp_error words;
};

struct resp_worker {
    struct rsp_env env; /* error points at words */
    struct rsp_error words;
    const struct resp_rules *rules;
    struct rsp_rdb_value *value;
    struct rsp_scratch key, string;
    struct resp_native native;
    /* the run of plain strings under way */
    size_t run_at, run_key_at, run_key_n;
    uint64_t run_bytes; /* of its arguments */
    uint32_t run_n, run_from, run_db;
};
int resp_worker_init(struct resp_worker *w, const struct rsp_env *env, const struct resp_rules *rules);
void resp_worker_free(struct resp_worker *w);
/* resp_strings.c */
int resp_add_piece(struct resp_chunk *chunk, const struct resp_piece *piece);
/* Counting: bytes that belong to the piece and are not written. */
void resp_leave_out(struct resp_chunk *chunk, struct resp_piece *piece, uint64_t n);
/* Counting: of what becomes part of a run key->p says nothing. */
int resp_read_key(struct resp_worker *w, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item,
                  const struct resp_plan *plan, struct rsp_span *key);
/* The run under way becomes a unit. */
int resp_close_run(struct resp_worker *w, struct resp_chunk *chunk);
/* piece->records 0: the run has it. */
int resp_put_string(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_batch *batch,
                    const struct rsp_rdb_item *item, const struct resp_plan *plan, struct rsp_span key,
                    struct resp_piece *piece);
/* Makes commands of the batch from chunk->done on, until its end, a fault (chunk->fault) or a full chunk. */
void resp_format(struct resp_worker *w, struct resp_chunk *chunk, const struct rsp_rdb_task *task);
/* The words of an inner record become those of env, unless it has some. Returns rc. */
int resp_report_words(const struct rsp_env *env, const struct rsp_error *words, int rc);

/* ---- join ---- */

struct resp_join;
int resp_join_new(const struct rsp_env *env, const struct resp_rules *rules, struct resp_join **ret);
int resp_join_task(struct resp_join *j, struct resp_chunk *chunk, const struct rsp_rdb_task *task,
                   int (*emit)(void *ctx, const struct resp_unit *unit), void *ctx);
void resp_join_skip(struct resp_join *j, uint64_t n);
void resp_join_report(const struct resp_join *j, struct rsp_resp_report *report);
const struct rsp_env *resp_join_env(const struct resp_join *j);
const struct rsp_error *resp_join_words(const struct resp_join *j);
void resp_join_free(struct resp_join *j);

#endif
