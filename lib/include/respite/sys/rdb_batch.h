/* What this is: an RDB file as batches of records, so that many workers can decode it, and the
 *   walk that takes one value apart.
 * Rests on: rdb.h.
 * Does not: promise a stable interface (sys).
 *
 * The way of a byte: source -> block (read, CRC64) -> scan (framing only: where each record begins
 * and ends) -> batch of items -> any worker: key, walk (stored tokens), value (elements).
 * The scan is the only part that must see the file in order; it never looks inside a string. */
#ifndef RESPITE_SYS_RDB_BATCH_H
#define RESPITE_SYS_RDB_BATCH_H

#include <respite/rdb.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A string of more bytes than this that does not end in the block where it begins is handed out
 * in pieces; every shorter one is always whole. */
#define RSP_RDB_BIG_BYTES (1u << 20)

enum rsp_rdb_item_flags {
    RSP_ITEM_FIRST = 1, /* the record begins here: start, key and the key's attributes hold */
    RSP_ITEM_LAST = 2,  /* the record ends here */
    RSP_ITEM_BIG = 4,   /* a part that ends or begins inside a string: only a value that is
                               carried on from part to part can read it (rsp_rdb_value_continue) */
    RSP_ITEM_EXPIRE = 8,
    RSP_ITEM_IDLE = 16,
    RSP_ITEM_FREQ = 32,
    RSP_ITEM_META = 64, /* KEY_META stands before the type byte */
    RSP_ITEM_CUT = 128  /* the record was cut at an element's end because it is large */
};

/* One record, one part of a record that is larger than a block, or one opcode. Offsets count from the batch's p. */
struct rsp_rdb_item {
    uint8_t kind; /* enum rsp_rdb_event_kind: KEY for records and parts, else the opcode's */
    uint8_t type; /* KEY: type byte */
    uint8_t flags;
    uint8_t freq;
    uint32_t db;
    uint32_t start;    /* first byte of the record (its attributes included) or opcode */
    uint32_t key;      /* the key's string; AUX: the name's; not FIRST: unused */
    uint32_t value;    /* first byte of this part of the value; AUX, FUNCTION, UPDATE: the string */
    uint32_t end;      /* one past the last byte */
    uint32_t walk;     /* not FIRST: index into the batch's walks, the state at value */
    uint32_t meta;     /* META: offset of the opcode; its bytes end at the type byte */
    int64_t expire_ms; /* KEY; opcodes: the event's number, as uint64 */
    uint64_t idle_s;   /* KEY; opcodes: the event's number2 */
};

/* State of a walk over one value: a small program per type (lib/rdb/types.c) and its loops. May be
 * copied. Members are the library's own. */
struct rsp_rdb_walk {
    uint8_t type, dialect, op, depth, str_enc, mid;
    uint8_t loop_op[4];
    uint64_t left[4];
    uint64_t count;    /* of the loop opened last */
    uint64_t reg;      /* a number that a later step needs */
    uint64_t str_left; /* mid: stored bytes of the string still to come */
    uint64_t str_n;    /* mid: its length when decoded */
};

struct rsp_rdb_templates; /* hash templates seen so far (RDB 15); safe from several threads */

struct rsp_rdb_batch {
    const uint8_t *p;
    size_t n;
    uint64_t offset; /* in the file, of p[0] */
    uint64_t seq;    /* 0, 1, 2 ... */
    const struct rsp_rdb_item *items;
    size_t count;
    const struct rsp_rdb_walk *walks;
    /* The record that the first item continues (not FIRST): its key as text, its file offset. */
    struct rsp_span open_key;
    uint64_t open_offset;
    const struct rsp_rdb_templates *templates;
    uint8_t dialect;
    uint16_t version;
    uint32_t server_n; /* Redis that wrote it, by AUX redis-ver: major * 10000 + minor * 100 + patch; 0: not known */
};

struct rsp_rdb_feed;

struct rsp_rdb_feed_options {
    size_t size;
    int readahead;      /* 1: a thread reads and sums ahead (blocking sources only) */
    int skim;           /* 1: items are counted, not listed */
    int no_crc;         /* 1: do not compute the CRC64 */
    size_t block_bytes; /* 0: the default */
    unsigned blocks;    /* how many batches may be held at once; 0: 4 */
};

/* source is borrowed. Reads nothing yet. */
RSP_API RSP_NODISCARD int rsp_rdb_feed_new(const struct rsp_env *env, struct rsp_source *source,
                                           const struct rsp_rdb_feed_options *options, struct rsp_rdb_feed **ret);

/* The next batch: RSP_OK; RSP_END when the file is complete; RSP_AGAIN; or a fault as of
 * rsp_rdb_next - records before it have all been handed out in earlier batches. Waits while
 * `blocks` batches are held. One thread. */
RSP_API RSP_NODISCARD int rsp_rdb_feed_next(struct rsp_rdb_feed *feed, struct rsp_rdb_batch **ret);

/* Gives a batch back; from any thread. NULL does nothing. */
RSP_API void rsp_rdb_batch_release(struct rsp_rdb_batch *batch);

struct rsp_rdb_feed_info {
    size_t size;
    uint8_t dialect, crc_state; /* enum rsp_rdb_crc_state */
    uint8_t complete;           /* the EOF opcode was seen */
    uint16_t version;
    uint64_t offset; /* bytes scanned; when complete: of the first byte behind the file */
    uint64_t crc_offset, crc_stored, crc_computed;
    uint64_t keys, expires;
    /* The record that a fault of feed_next lies in, when key.p is not NULL. */
    struct rsp_span key;
    uint32_t db;
};
/* May be asked at any time by the thread that calls feed_next. key lives as long as the feed. */
RSP_API void rsp_rdb_feed_tell(struct rsp_rdb_feed *feed, struct rsp_rdb_feed_info *info);

/* After RSP_END: up to want (at most 4096) bytes behind the file; fewer at the end of the source. */
RSP_API RSP_NODISCARD int rsp_rdb_feed_rest(struct rsp_rdb_feed *feed, size_t want, struct rsp_span *view);

/* Frees; every batch must have been released. */
RSP_API void rsp_rdb_feed_free(struct rsp_rdb_feed *feed);

/* ---- strings, keys ---- */

/* Decodes the string that stands at batch offset `at` (a key, an AUX value). *text points into the
 * batch, or into *scratch, a buffer that grows and that the caller frees with rsp_scratch_free. */
struct rsp_scratch {
    uint8_t *p;
    size_t n;
};
RSP_API RSP_NODISCARD int rsp_rdb_batch_string(const struct rsp_env *env, const struct rsp_rdb_batch *batch,
                                               uint32_t at, struct rsp_scratch *scratch, struct rsp_span *text);
/* The key of a KEY item, parts included. */
RSP_API RSP_NODISCARD int rsp_rdb_batch_key(const struct rsp_env *env, const struct rsp_rdb_batch *batch,
                                            const struct rsp_rdb_item *item, struct rsp_scratch *scratch,
                                            struct rsp_span *key);
RSP_API void rsp_scratch_free(const struct rsp_env *env, struct rsp_scratch *scratch);

/* ---- ENCODED: the walk ---- */

/* What a token is for; RSP_TOK_* (rdb.h) says what it is. */
enum rsp_rdb_role {
    RSP_ROLE_NONE = 0,
    RSP_ROLE_STRING, /* value of a string */
    RSP_ROLE_ITEM,   /* list element */
    RSP_ROLE_MEMBER, /* set or zset member */
    RSP_ROLE_SCORE,  /* zset score: RSP_TOK_SCORE or 8 bytes */
    RSP_ROLE_FIELD,
    RSP_ROLE_VALUE,
    RSP_ROLE_TTL_REL, /* type 24: relative to MIN_EXPIRE, 0 none */
    RSP_ROLE_TTL_ABS, /* pre-GA type 22: absolute ms, 0 none */
    RSP_ROLE_TTL_FIX, /* HASH_2: 8 bytes, -1 none */
    RSP_ROLE_MIN_EXPIRE,
    RSP_ROLE_ZIPMAP,
    RSP_ROLE_ZIPLIST,
    RSP_ROLE_LISTPACK,
    RSP_ROLE_INTSET,    /* whole-value blobs; the type says of what */
    RSP_ROLE_CONTAINER, /* quicklist2 node kind */
    RSP_ROLE_NODE,      /* list node: ziplist (14), or by the CONTAINER before it (18) */
    RSP_ROLE_NODE_ID,
    RSP_ROLE_STREAM_NODE,
    RSP_ROLE_LENGTH,
    RSP_ROLE_LAST_MS,
    RSP_ROLE_LAST_SEQ,
    RSP_ROLE_FIRST_MS,
    RSP_ROLE_FIRST_SEQ,
    RSP_ROLE_MAXDEL_MS,
    RSP_ROLE_MAXDEL_SEQ,
    RSP_ROLE_ENTRIES_ADDED,
    RSP_ROLE_GROUPS,
    RSP_ROLE_GROUP_NAME,
    RSP_ROLE_GROUP_MS,
    RSP_ROLE_GROUP_SEQ,
    RSP_ROLE_ENTRIES_READ,
    RSP_ROLE_PEL,
    RSP_ROLE_PEL_ID,
    RSP_ROLE_PEL_TIME,
    RSP_ROLE_PEL_COUNT,
    RSP_ROLE_CONSUMERS,
    RSP_ROLE_CONSUMER_NAME,
    RSP_ROLE_SEEN,
    RSP_ROLE_ACTIVE,
    RSP_ROLE_CPEL,
    RSP_ROLE_CPEL_ID,
    RSP_ROLE_NACKED,
    RSP_ROLE_NACKED_ID,
    RSP_ROLE_IDMP_DURATION,
    RSP_ROLE_IDMP_MAX,
    RSP_ROLE_PRODUCERS,
    RSP_ROLE_PRODUCER,
    RSP_ROLE_IIDS,
    RSP_ROLE_IID,
    RSP_ROLE_IID_MS,
    RSP_ROLE_IID_SEQ,
    RSP_ROLE_IIDS_ADDED,
    RSP_ROLE_IIDS_DUPLICATES,
    RSP_ROLE_MODULE_ID,
    RSP_ROLE_MODULE_ITEM,
    RSP_ROLE_MODULE_STRING,
    RSP_ROLE_ARRAY_COUNT,
    RSP_ROLE_HAS_INSERT,
    RSP_ROLE_INSERT_INDEX,
    RSP_ROLE_INDEX,
    RSP_ROLE_TAG,
    RSP_ROLE_ELEMENT,
    RSP_ROLE_FIELDS_FORMAT,
    RSP_ROLE_FIELDS_LISTPACK,
    RSP_ROLE_TEMPLATE_FIELD,
    RSP_ROLE_TEMPLATE_ID,
    RSP_ROLE_PATH
};

/* Ready to walk the value part of item from its first byte. */
RSP_API void rsp_rdb_walk_init(struct rsp_rdb_walk *walk, const struct rsp_rdb_batch *batch,
                               const struct rsp_rdb_item *item);
/* One token from batch bytes [*at, end): RSP_OK and *at behind it; RSP_END when the value is
 * complete; RSP_AGAIN when the token is not wholly before end (nothing changed); RSP_EFORMAT with words. */
RSP_API RSP_NODISCARD int rsp_rdb_walk_next(const struct rsp_env *env, struct rsp_rdb_walk *walk,
                                            const struct rsp_rdb_batch *batch, uint32_t *at, uint32_t end,
                                            struct rsp_rdb_token *token);

/* ---- LOGICAL: the value ---- */

struct rsp_rdb_value;
RSP_API RSP_NODISCARD int rsp_rdb_value_new(const struct rsp_env *env, struct rsp_rdb_value **ret);

/* Starts on an item (any part without RSP_ITEM_BIG, or a FIRST one); forgets what was before. */
RSP_API void rsp_rdb_value_open(struct rsp_rdb_value *value, const struct rsp_rdb_batch *batch,
                                const struct rsp_rdb_item *item);
/* Goes on with the next part of the same record, where the part before it left off. */
RSP_API void rsp_rdb_value_continue(struct rsp_rdb_value *value, const struct rsp_rdb_batch *batch,
                                    const struct rsp_rdb_item *item);
/* The next element; its spans live until the next call. RSP_OK; RSP_AGAIN at the end of a part
 * that is not the last; RSP_END at the end of the record; faults with the file offset of the
 * token (or element of a blob stored raw) that is wrong.
 * Every check that decoding needs is made: bounds, back-lengths, counts, LZF. */
RSP_API RSP_NODISCARD int rsp_rdb_value_next(struct rsp_rdb_value *value, struct rsp_rdb_element *element);

/* Where the element handed out last stands: file offset of its first byte when it is stored raw,
 * of the string token that holds its blob when that is compressed. */
RSP_API uint64_t rsp_rdb_value_offset(const struct rsp_rdb_value *value);
/* How the string token handed out last was stored: enum rsp_rdb_str_enc (for a string's encoding). */
RSP_API int rsp_rdb_value_str_enc(const struct rsp_rdb_value *value);
RSP_API void rsp_rdb_value_free(struct rsp_rdb_value *value);

/* enum rsp_rdb_value_type of a type byte; -1 when the dialect has no such type. */
RSP_API int rsp_rdb_value_type(int dialect, int type);
/* 9 characters and a terminator from a module id. */
RSP_API void rsp_rdb_module_name(uint64_t id, char out[10]);

#ifdef __cplusplus
}
#endif
#endif
