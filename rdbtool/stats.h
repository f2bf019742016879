/* What this is: what `info` gathers of a file, from the framing alone.
 * Rests on: respite/sys/rdb_batch.h.
 * Does not: decode values; grow with what a hostile file repeats: every list has its end, what is beyond is counted. */
#ifndef RDBTOOL_STATS_H
#define RDBTOOL_STATS_H

#include <respite/sys/filter.h>
#include <respite/sys/rdb_batch.h>

#define STATS_KEY_MAX 256   /* bytes kept of a key */
#define STATS_TEXT_MAX 4096 /* of an AUX name or value */
#define STATS_LIST_MAX 1000 /* AUX fields, functions, modules named */
#define STATS_DB_MAX 65536  /* databases told apart */
#define STATS_KINDS 36      /* type bytes; a string's int and lzf forms have rows of their own behind them */

/* A record's row: its type byte, but for strings by their form. */
enum { KIND_STRING_RAW = 0, KIND_STRING_INT = 34, KIND_STRING_LZF = 35 };

struct stats_count {
    uint64_t keys, bytes; /* bytes: serialised, attributes and key included */
};

struct stats_db {
    uint32_t db;
    uint64_t keys, expires, expired, bytes;
};

struct stats_big {
    uint64_t bytes, offset;
    uint32_t db;
    uint8_t kind;
    uint16_t key_n;      /* bytes kept */
    uint64_t key_length; /* whole */
    uint8_t key[STATS_KEY_MAX];
};

/* A pair of texts, each cut to STATS_TEXT_MAX: an AUX field; a function library's name and engine. */
struct stats_pair {
    uint8_t *p; /* both, one behind the other */
    size_t a_n, b_n;
    uint64_t number; /* function: bytes of its code */
};

struct stats_module {
    uint64_t id, when, bytes;
};

struct stats_list {
    struct stats_pair *pairs;
    size_t n;
    uint64_t total; /* seen, also those that are not kept */
};

struct stats {
    struct rsp_env env;
    int64_t now_ms;

    uint8_t dialect;
    struct stats_count kinds[STATS_KINDS];
    struct stats_db *dbs; /* in the order of their first record; the last may stand for all above STATS_DB_MAX */
    size_t dbs_n, dbs_cap;
    uint16_t *db_index;                     /* STATS_DB_MAX: 1 + index in dbs */
    struct stats_db *db;                    /* of the record before */
    uint64_t keys, expires, expired, bytes; /* by stats_finish */
    int64_t next_expiry;                    /* soonest one that is still to come, or INT64_MAX */

    struct stats_big *bigs; /* a heap, the smallest on top */
    size_t bigs_n, bigs_cap;
    uint64_t bigs_floor; /* no record below it gets in */

    struct stats_list aux, functions;
    struct stats_module modules[STATS_LIST_MAX];
    uint64_t modules_n;
    uint64_t templates, template_fields, template_bytes;
    uint64_t slots, slot_keys, slot_imports, updates;

    struct rsp_scratch scratch, scratch2;
    /* the record in parts that is under way */
    struct stats_big open;
};

/* now_ms: expiries before it have passed; top: how many of the largest keys are kept. RSP_OK or RSP_ENOMEM. */
int stats_init(struct stats *s, const struct rsp_env *env, int64_t now_ms, unsigned top);
/* The next batch, in order; verdicts as of struct rsp_rdb_task. RSP_OK or a fault. */
int stats_batch(struct stats *s, const struct rsp_rdb_batch *batch, const uint8_t *verdicts);
/* Sorts dbs by number and bigs by falling size. Afterwards only reading and stats_free. */
void stats_finish(struct stats *s);
void stats_free(struct stats *s);

/* The words of a row. */
const char *stats_kind_type(const struct stats *s, int kind);
const char *stats_kind_encoding(const struct stats *s, int kind);
/* The value of an AUX field, or an empty span. */
struct rsp_span stats_aux(const struct stats *s, const char *name);

#endif
