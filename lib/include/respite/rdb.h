/* What this is: reading an RDB file of any Redis or Valkey version as a sequence of events.
 * Rests on: env.h, source.h.
 * Does not: write RDB, judge a value's inside (sys/check.h), or touch the network.
 *
 * Format facts: Redis RDB 1-15, Valkey RDB 11, 80, 81; the table of types is lib/rdb/types.c.
 * The dialect (magic and version) decides what a type or an opcode means: types 22 and 23 and the
 * opcodes 242 and 243 stand for different things in the two families. */
#ifndef RESPITE_RDB_H
#define RESPITE_RDB_H

#include <respite/env.h>
#include <respite/source.h>

#ifdef __cplusplus
extern "C" {
#endif

enum rsp_rdb_dialect { RSP_RDB_REDIS = 1, RSP_RDB_VALKEY = 2 };

/* How deep a record's value is taken apart.
 * RAW: bytes as they stand, for copying; costs no decoding.
 * LOGICAL: elements (fields, members, entries), every compact encoding opened. */
enum rsp_rdb_depth { RSP_RDB_RAW = 0, RSP_RDB_ENCODED = 1, RSP_RDB_LOGICAL = 2 };

enum rsp_rdb_event_kind {
    RSP_RDB_HEADER = 1,        /* dialect, number = version */
    RSP_RDB_AUX = 2,           /* key, value */
    RSP_RDB_SELECT_DB = 3,     /* db */
    RSP_RDB_RESIZE_DB = 4,     /* number = keys, number2 = keys with an expiry (hints only) */
    RSP_RDB_SLOT_INFO = 5,     /* number = slot, number2 = keys, number3 = expires (hints only) */
    RSP_RDB_SLOT_IMPORT = 6,   /* key = job name; raw = the opcode's bytes */
    RSP_RDB_FUNCTION = 7,      /* value = source of a library; RDB 10 release candidates: key = name */
    RSP_RDB_MODULE_AUX = 8,    /* raw; number = module id, number2 = when */
    RSP_RDB_HASH_TEMPLATE = 9, /* number = template id, number2 = fields; raw */
    RSP_RDB_UPDATE = 10,       /* value = one RESP command (Valkey 81) */
    RSP_RDB_KEY = 11,          /* a record begins: everything but the value */
    RSP_RDB_VALUE = 12,        /* RAW: the value's bytes, or a part of them; last is set on the end */
    RSP_RDB_TOKEN = 13,        /* ENCODED: one token of the value as stored */
    RSP_RDB_ELEMENT = 14,      /* LOGICAL: one element of the value */
    RSP_RDB_KEY_END = 15,      /* ENCODED, LOGICAL: the record is complete */
    RSP_RDB_EOF = 16           /* number = stored CRC64, number2 = computed; number3 below */
};

/* number3 of RSP_RDB_EOF. A wrong checksum is not a fault of the reader: the caller decides. */
enum rsp_rdb_crc_state {
    RSP_RDB_CRC_NONE = 0,     /* RDB 1-4 have none */
    RSP_RDB_CRC_DISABLED = 1, /* stored as zero: the file is not protected */
    RSP_RDB_CRC_OK = 2,
    RSP_RDB_CRC_WRONG = 3
};

enum rsp_rdb_value_type {
    RSP_RDB_STRING = 0,
    RSP_RDB_LIST = 1,
    RSP_RDB_SET = 2,
    RSP_RDB_ZSET = 3,
    RSP_RDB_HASH = 4,
    RSP_RDB_STREAM = 5,
    RSP_RDB_ARRAY = 6,
    RSP_RDB_MODULE = 7
};

#define RSP_RDB_NO_EXPIRE INT64_MIN /* of a key: negative expiries are legal (long ago) */

/* One LOGICAL element; which members mean something is said beside the kind. */
enum rsp_rdb_element_kind {
    RSP_ELEM_STRING = 1,  /* a: the value of a string */
    RSP_ELEM_ITEM = 2,    /* a: a list's element */
    RSP_ELEM_MEMBER = 3,  /* a: a set's member */
    RSP_ELEM_SCORED = 4,  /* a: member, score */
    RSP_ELEM_FIELD = 5,   /* a: field, b: value, expire_ms (RSP_RDB_NO_EXPIRE: none). Path hashes (Valkey
                               81): fields[0] is the path and count 1, else count 0 */
    RSP_ELEM_INDEXED = 6, /* index, a: an array's element as text; tag: how it was stored (0-3) */
    RSP_ELEM_ENTRY = 7,   /* stream: id, fields[0..count): field, value, field, value ... */
    RSP_ELEM_STREAM = 8,  /* stream: number[0] length, id = last; has_*: first, max_deleted, number[1] entries_added */
    RSP_ELEM_GROUP =
        9, /* a: name, id = last delivered, number[0] entries_read (UINT64_MAX: unknown or not stored), number[1] pending */
    RSP_ELEM_PENDING = 10,  /* id, time_ms delivered, number[0] delivery count */
    RSP_ELEM_CONSUMER = 11, /* a: name, time_ms seen, time2_ms active (has_active), number[0] pending */
    RSP_ELEM_OWNED = 12,    /* id: a pending entry of the consumer before it */
    RSP_ELEM_NACKED = 13,   /* id: a pending entry that no consumer owns */
    RSP_ELEM_GROUP_END = 14,
    RSP_ELEM_IDMP = 15,          /* number[0] duration in seconds, number[1] max entries, number[2] producers */
    RSP_ELEM_IDMP_PRODUCER = 16, /* a: producer id, number[0] entries */
    RSP_ELEM_IDMP_ENTRY = 17,    /* a: iid, id */
    RSP_ELEM_IDMP_END = 18,      /* number[0] iids added, number[1] duplicates */
    RSP_ELEM_MODULE = 19,        /* a: raw value from the module id on, number[0] module id */
    RSP_ELEM_PART = 20           /* a: bytes of a string too large to be shown whole; part_* tell which */
};

struct rsp_rdb_id {
    uint64_t ms, seq;
};

struct rsp_rdb_element {
    size_t size;
    uint8_t kind;
    uint8_t has_first, has_max_deleted, has_entries_added, has_active;
    uint8_t tag;
    /* RSP_ELEM_PART: bytes a of which kind of element (part_of), of its a (0) or b (1) string
     * (part_slot), whether they begin or end that string; number[0] is the whole string's length
     * (UINT64_MAX: not known, modules). With part_slot 1 and part_first, b is the element's a
     * string (p NULL when that was handed out in parts, too). When the string ends, the element itself follows with
     * that span empty (p NULL) and every other member filled in. */
    uint8_t part_of, part_slot, part_first, part_last;
    struct rsp_span a, b; /* live until the next call on the reader */
    double score;
    int64_t expire_ms;
    int64_t time_ms, time2_ms;
    uint64_t index;
    uint64_t number[3];
    struct rsp_rdb_id id, first, max_deleted;
    const struct rsp_span *fields;
    size_t count;
};

/* What a token of ENCODED depth is. */
enum rsp_rdb_token_kind {
    RSP_TOK_STR = 1,   /* a string: enc tells its form */
    RSP_TOK_LEN = 2,   /* n */
    RSP_TOK_FIX = 3,   /* body: fixed-size bytes (times, ids, doubles) */
    RSP_TOK_SCORE = 4, /* d: an ASCII double; body: its text */
    RSP_TOK_LOOP = 5,  /* n: so many repetitions of what follows */
    RSP_TOK_PART = 6,  /* body: stored bytes of a string too large to be shown whole; n: stored bytes
                         of it that are still to come */
    RSP_TOK_MODULE = 7 /* one item of a module: tag = its opcode, body = its bytes */
};
enum rsp_rdb_str_enc { RSP_STR_RAW = 0, RSP_STR_INT = 1, RSP_STR_LZF = 2 };

struct rsp_rdb_token {
    size_t size;
    uint8_t kind, role, enc, tag;
    uint8_t part_first, part_last;
    struct rsp_span body; /* RAW: the string; LZF: compressed bytes; INT: its stored bytes */
    uint64_t n;           /* LEN, LOOP: the number. STR: length of the string itself */
    int64_t i;            /* INT: its value */
    double d;
    uint64_t offset; /* in the file, of the token's first byte */
};

struct rsp_rdb_event {
    size_t size;
    uint8_t kind;       /* enum rsp_rdb_event_kind */
    uint8_t type;       /* KEY: the type byte in the file */
    uint8_t value_type; /* KEY: enum rsp_rdb_value_type */
    uint8_t dialect;
    uint8_t has_idle, has_freq, freq;
    uint8_t first, last; /* VALUE: these bytes begin, end the value */
    uint32_t db;
    uint64_t offset; /* in the file, of the event's first byte */
    uint64_t idle_s;
    int64_t expire_ms; /* KEY: absolute, or RSP_RDB_NO_EXPIRE */
    struct rsp_span key, value;
    struct rsp_span raw;  /* bytes as they stand. KEY: from the first byte that belongs to the record up to its value */
    struct rsp_span meta; /* KEY: the KEY_META opcode's bytes, or empty */
    uint64_t number, number2, number3;
    const struct rsp_rdb_token *token;
    const struct rsp_rdb_element *element;
};

struct rsp_rdb_reader;

/* Reads from source, which is borrowed and must outlive the reader. depth holds for every key; a
 * callback is not needed to skip one: see rsp_rdb_skip. */
RSP_API RSP_NODISCARD int rsp_rdb_reader_new(const struct rsp_env *env, struct rsp_source *source,
                                             enum rsp_rdb_depth depth, struct rsp_rdb_reader **ret);

/* The next event. Everything that it points at lives until the next call on this reader.
 * RSP_OK; RSP_END after RSP_RDB_EOF; RSP_AGAIN when the source has nothing for now (the state is
 * as before the call). Faults, with the offset in the error record: RSP_EVERSION (unknown magic
 * or version), RSP_EUNSUPPORTED (unknown type or opcode), RSP_EFORMAT, RSP_ETRUNCATED,
 * RSP_ELIMIT, and the source's own. A faulted reader answers RSP_ESTATE. */
RSP_API RSP_NODISCARD int rsp_rdb_next(struct rsp_rdb_reader *reader, struct rsp_rdb_event *event);

/* Passes over the rest of the current record's value: the next event is what follows it. */
RSP_API RSP_NODISCARD int rsp_rdb_skip(struct rsp_rdb_reader *reader);

/* After RSP_RDB_EOF: bytes that were drawn from the source behind the file (an AOF's tail, the
 * replication stream). *view lives as long as the reader. */
RSP_API int rsp_rdb_rest(struct rsp_rdb_reader *reader, struct rsp_span *view);

/* Offset in the file of the first byte not yet handed out. */
RSP_API uint64_t rsp_rdb_offset(const struct rsp_rdb_reader *reader);
RSP_API void rsp_rdb_reader_free(struct rsp_rdb_reader *reader);

/* "string", "list", ... of a value type; the encoding's word of a type byte in a dialect
 * ("listpack", "quicklist2", "stream3"; a string's is only known with its value: "raw").
 * Static strings; "unknown" where there is none. */
RSP_API const char *rsp_rdb_value_type_name(int value_type);
RSP_API const char *rsp_rdb_encoding_name(int dialect, int type);

#ifdef __cplusplus
}
#endif
#endif
