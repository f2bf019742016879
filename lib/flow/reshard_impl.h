/* What this is: the state of one reshard, shared by reshard*.c.
 * Rests on: respite/sys/reshard.h, base/buf.h, base/sip.h.
 * Does not: leave lib/flow.
 *
 * Passes over all dumps: look (count, judge) -> [same, meet: keys that two dumps have, only when a slot is in two of them] ->
 * write. Workers find the slot and make what is not copied; join does the rest, in the order of the file. */
#ifndef FLOW_RESHARD_IMPL_H
#define FLOW_RESHARD_IMPL_H

#include <respite/sys/dups.h>
#include <respite/sys/reshard.h>

#include "base/buf.h"
#include "base/sip.h"
#include "rdb/target.h"
#include "rdb/types.h"

#define NAME_KEPT 64

enum reshard_plain { PLAIN_NEW, PLAIN_BEGUN, PLAIN_PARTS }; /* PARTS: of a value that is not whole */
enum reshard_pass { PASS_LOOK, PASS_SAME, PASS_MEET, PASS_WRITE };

/* What a worker leaves of an item. */
struct reshard_item {
    uint16_t slot;
    uint8_t refused, hashed;
    uint8_t rest;             /* 1: bytes of the batch follow what was made, from `from` on */
    uint32_t made_at, made_n; /* in made */
    uint32_t from;
    struct sip128 hash; /* of key and database */
};
struct reshard_result {
    struct reshard_item *items;
    size_t n;
    struct buf made;
};

struct reshard_worker {
    struct rsp_scratch scratch;
    struct rsp_rdb_value *value; /* of template hashes; NULL until there is one */
};

/* A sink and what of it is not written yet. */
struct reshard_out {
    struct rsp_sink *sink;
    uint8_t *p;
    size_t n;
    uint64_t crc, bytes, keys, expires;
    uint32_t db;
    int selected;
};

struct reshard_db { /* of the one file with every database */
    uint32_t db;
    int told;
    uint64_t keys, expires;
};

struct reshard_library {
    struct sip128 name, code;
};

/* A type or an opcode that not every server loads. */
struct reshard_need {
    uint64_t n;
    uint16_t since;
    uint32_t db;
    char name[4 * NAME_KEPT]; /* printable, of the first key */
};

struct reshard_twice { /* a key that two dumps have */
    struct sip128 hash;
    uint8_t used, written;
};

struct reshard {
    struct rsp_env env;
    struct rsp_reshard_options o;
    struct rsp_target target;
    int has_target;
    int (*open)(void *ctx, size_t i, struct rsp_source **source);
    void *open_ctx;
    size_t dumps, dump; /* how many, which */
    enum reshard_pass pass;
    struct reshard_worker *workers; /* of this run */
    unsigned threads;
    uint8_t key[16]; /* of hashes */
    uint64_t passed; /* bytes of earlier dumps and passes, for progress */
    uint64_t taken;  /* of this one */
    uint64_t left;   /* of o.run.limit */

    /* look */
    struct rsp_losses losses;
    struct rsp_reshard_file *files;
    size_t sinks;
    struct buf dbs; /* struct reshard_db, ascending */
    size_t db_at;   /* the one used last */
    struct reshard_need types[3][RDB_TYPES], meta, ranks;
    uint16_t newest[3]; /* by dialect */
    uint64_t functions;
    struct buf aux, before, after; /* written into every file: AUX; module data; functions are in before */
    struct buf module_aux;         /* of the first dump: goes into before when it is the same everywhere */
    struct buf libraries;          /* struct reshard_library */
    struct sip aux_sum;            /* over a dump's module data */
    struct sip128 first_aux;
    uint64_t aux_n, first_aux_n;
    int aux_differs, saw_key;
    uint64_t aux_all;
    char aux_module[10];
    uint32_t slot_dump[RSP_SLOTS]; /* 1 + the dump that has it */
    uint8_t shared[RSP_SLOTS];     /* several have */
    int any_shared;
    struct buf unsure; /* a byte each record whose verdict is known with its end: what it is */

    /* keys that are in two dumps */
    struct rsp_dups *dups;
    struct buf candidates; /* uint64_t, ascending */
    uint64_t candidate_keys;
    struct reshard_twice *twice;
    size_t twice_n; /* a power of 2 */

    /* write */
    struct reshard_out *outs;
    uint8_t *room;
    size_t room_each, unsure_at;
    uint16_t version;
    uint8_t dialect;
    uint64_t keys;

    /* join: the record in parts */
    struct rsp_scratch scratch;
    struct rsp_rdb_value *value;
    struct buf made;
    int open_keep, open_plain;
    int open_module;          /* look: the record under way is a module's value that the target does not take */
    enum reshard_plain plain; /* of it */
    size_t open_sink;
};

/* ---- reshard_record.c: on workers ---- */

enum reshard_strip { STRIP_META = 1, STRIP_RANKS = 2 };
/* What becomes of a record in the files: 1 it stays, *strip what of its head does not; 0: it is left out, *loss tells why.
 * A loss that fails is left out too: then nothing is written at all. */
int reshard_fate(const struct reshard *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, unsigned *strip,
                 int *loss);
int reshard_is_template(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i);
int reshard_work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task);
void reshard_result_free(const struct rsp_env *env, struct rsp_rdb_task *task);
/* Elements of a template hash, up to the end of the part, as those of a plain hash. */
int reshard_plain(const struct rsp_env *env, struct rsp_rdb_value *value, enum reshard_plain *state, struct buf *out);

/* ---- reshard_look.c ---- */

int reshard_look(struct reshard *r, const struct rsp_env *env, struct rsp_rdb_task *task);
/* Behind the look at a dump. */
int reshard_looked(struct reshard *r);
/* The row of a database: of one that was counted. NULL: none, or no memory. */
struct reshard_db *reshard_db(struct reshard *r, uint32_t db, int make);
/* The file's key of that item, for words. */
struct rsp_span reshard_name(struct reshard *r, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i);
/* Which sink; r->sinks: none. */
size_t reshard_sink_of(const struct reshard *r, unsigned slot);

/* ---- reshard_opcode.c: what belongs to no key ---- */

int reshard_opcode(struct reshard *r, const struct rsp_env *env, const struct rsp_rdb_batch *b,
                   const struct rsp_rdb_item *i);
/* Behind a dump, behind all of them. */
int reshard_aux_end(struct reshard *r);
int reshard_aux_settle(struct reshard *r);

/* ---- reshard_judge.c ---- */

/* After the look: losses, and the header that the files get. */
int reshard_judge(struct reshard *r);

/* ---- reshard_same.c ---- */

int reshard_same_begin(struct reshard *r);
int reshard_same(struct reshard *r, const struct rsp_env *env, struct rsp_rdb_task *task);
/* Candidates of keys that are there twice: RSP_OK, RSP_END when there are none. */
int reshard_same_found(struct reshard *r);
int reshard_meet(struct reshard *r, const struct rsp_env *env, struct rsp_rdb_task *task);
/* 1: that key was written already. */
int reshard_written(struct reshard *r, const struct sip128 *hash);

/* ---- reshard_write.c ---- */

int reshard_write_begin(struct reshard *r, struct rsp_sink *const *sinks);
int reshard_write(struct reshard *r, const struct rsp_env *env, struct rsp_rdb_task *task);
int reshard_write_end(struct reshard *r);
void reshard_write_free(struct reshard *r);

#endif
