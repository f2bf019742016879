/* What this is: the parts of the check among themselves.
 * Rests on: respite/sys/check.h, sys/dups.h, sys/spool.h, walk.h, members.h, base/buf.h.
 * Does not: concern anybody else.
 *
 * check.c runs the file, check_work.c goes through a batch, check_note.c tells findings; check_value.c takes a
 * value's tokens, check_blob.c and check_stream.c open what they hold; check_parts.c joins records that came in
 * parts; check_dups.c and check_second.c find equal keys. */
#ifndef RDB_CHECK_IMPL_H
#define RDB_CHECK_IMPL_H

#include <pthread.h>

#include <respite/sys/check.h>
#include <respite/sys/digest.h>
#include <respite/sys/dups.h>
#include <respite/sys/spool.h>

#include "base/buf.h"
#include "base/sip.h"
#include "enc/blob_stream.h"
#include "enc/lzf.h"
#include "rdb/digest_impl.h"
#include "rdb/members.h"
#include "rdb/walk.h"

#define NOTES_MAX 1000 /* findings kept per batch; more are counted only */
#define NO_OFFSET UINT64_MAX
#define TTL_MAX ((1ULL << 48) - 1) /* latest expiry of a field that servers accept */

/* A finding that waits for its turn. Key and reason stand in the result's text. */
struct note {
    uint64_t offset;
    const char *kind;
    size_t key_at, key_n, reason_at;
    uint32_t db;
    uint32_t item; /* NO_ITEM: about no record */
    uint32_t seq;
};
#define NO_ITEM UINT32_MAX

/* A member of a record that came in parts: looked for among all of them at the end. */
struct big_member {
    uint64_t record, offset;
    struct sip128 h;
};

struct stream_id {
    uint64_t ms, seq;
};

/* What is known of a value so far; of a part, what the join needs to put it behind the parts before. */
struct value_state {
    uint64_t elements; /* of lists: elements in the nodes so far */
    uint64_t ttl, ttl_most, ttl_most_at, min_expire;
    uint64_t fields, fields_seen; /* hash templates: names, and names seen */
    uint64_t len_at;              /* file offset of the count that came first */
    uint8_t has_min, tag, container, empty_told, faulty;
    struct sip128 path; /* of a path hash: the path that the fields belong to */
    /* streams */
    struct stream_id first, last, greatest, node_first, node_last, first_live;
    uint64_t first_at, node_first_at;
    uint8_t has_entry, has_node, has_live;
    uint64_t live, length, ms;
};

/* Owners of a stream group's pending entries. */
#define PEL_KEPT (1u << 20) /* entries kept one by one; of more only the sum is compared */
struct pel_entry {
    struct stream_id id;
    uint64_t offset; /* top bit: owned */
};
struct stream_tail {
    struct buf pel; /* struct pel_entry */
    uint64_t pel_n, owned_n;
    struct sip128 pel_sum, owned_sum;
    struct stream_id last_pel;
    uint64_t group_at, group_no, producer_no;
    uint64_t ms, ms_at;
    int open;
    struct members names;
};

struct part_info {
    uint32_t item;
    uint8_t by_join, tail;
    uint32_t tail_at;         /* batch offset where the join goes on */
    struct rsp_rdb_walk walk; /* and its state there */
    struct value_state st;
};

/* A key whose hash is among the candidates (second look). */
struct key_hit {
    uint64_t hash;
    uint32_t item;
};

/* What a worker leaves for the join. */
struct check_result {
    struct rsp_env env;
    struct buf notes, text;
    uint64_t dropped;
    struct buf hashes;  /* uint64_t */
    struct buf log;     /* keys for the spool */
    struct buf members; /* struct big_member */
    struct buf parts;   /* struct part_info */
    struct buf hits;    /* struct key_hit */
    struct rsp_dd1_part *dd1;
    void *beside; /* what the caller's own work left */
    struct check_result *next;
};

struct check;

/* A string of a value, whole, in pieces or too large to be held. */
struct stored {
    struct rsp_span text; /* p NULL with n > 0: it was not kept */
    uint64_t n;
    uint64_t offset; /* file offset of the token */
    uint64_t body;   /* file offset of text.p[0] when stored raw, else NO_OFFSET */
    struct sip128 h; /* when hashed */
    int hashed;
};

/* A string that comes in pieces (RSP_TOK_PART). */
struct piece {
    int on, role, enc, bad, keep, hash, list;
    uint64_t offset, body, n;
    struct lzf_stream lzf;
    struct sip sip;
    struct buf text;
    struct blob_stream nodes; /* list: a list's node, looked at as it comes */
};

/* Whether the walk of the check hands the elements of the record under way to dd1 as well. */
enum feed { FEED_OFF, FEED_ON, FEED_SPOILT /* something is wrong with it: dd1 must read it for itself */ };

#define FEED_STRINGS 64 /* fields and values of a stream's entry; dd1 reads larger ones for itself */
struct entry_text {
    struct rsp_span text;
    char digits[I64_TEXT];
};

/* One thread's means. */
struct looker {
    struct check *c;
    struct rsp_env env;
    struct rsp_error err;
    struct check_result *out;
    struct rsp_scratch key;
    struct buf text;   /* an inflated string */
    struct buf fields; /* hash templates: the name before */
    struct members set;
    struct stream_tail tail;
    struct piece piece;
    struct rsp_dd1_worker *dd1;
    enum feed feed;
    struct rsp_span held; /* a member or field whose score or value comes next */
    struct buf held_own;
    struct entry_text master[FEED_STRINGS / 2], string[FEED_STRINGS]; /* of a stream's node, of an entry */
    /* the db that key hashes were made ready for */
    uint64_t db;
    uint8_t db_key[16];
    /* the record under way */
    const struct rsp_rdb_batch *batch;
    const struct rsp_rdb_item *item;
    uint32_t item_no;
    uint64_t record; /* its file offset */
    uint8_t type, dialect;
    int mute;             /* second look: findings were told the first time */
    int whole;            /* members are compared here; else handed out */
    size_t key_at, key_n; /* its key in out->text, once it was needed */
    int key_noted;
    uint8_t member_key[16], mix_key[32]; /* of long members; of others */
    struct value_state st;
};

struct check {
    struct rsp_env env;
    struct rsp_error err, *user; /* the caller's record, or NULL */
    const struct rsp_check_options *o;
    struct rsp_check_report *report;
    struct rsp_source *source;
    uint8_t key[16], member_key[16], whole_key[32]; /* whole_key: members of records that are here at once */
    struct looker *lookers;                         /* workers', then the join's */
    unsigned lookers_n, lookers_cap;
    struct looker *join;
    int dups_on, spooling;
    struct rsp_dups *dups;
    struct rsp_spool *keys_spool, *members_spool;
    struct buf big, big_keys; /* struct big_record; their keys */
    int big_cut;              /* not all of them were kept */
    /* findings of the record in parts that no verdict is known of yet */
    struct buf held, held_text;
    /* the second look */
    int confirm;
    struct second_look *second;
    pthread_mutex_t lock; /* free */
    struct check_result *free;
};

struct big_record {
    uint64_t offset;
    size_t key_at, key_n;
    uint32_t db;
};

/* File offset of the record that an item belongs to: it may begin in this batch or in one before. */
static inline uint64_t record_offset(const struct rsp_rdb_batch *b, size_t i)
{
    while (i && !(b->items[i].flags & RSP_ITEM_FIRST)) i--;
    return b->items[i].flags & RSP_ITEM_FIRST ? b->offset + b->items[i].start : b->open_offset;
}

/* ---- check_note.c ---- */
/* A finding about the record under way, or (item NULL) about no record. */
int check_note(struct looker *l, uint64_t offset, const char *kind, const char *format, ...) RSP_PRINTF(4, 5);
/* Tells all notes of a result in order of their offsets. */
int notes_tell(struct check *c, struct check_result *r, const struct rsp_rdb_task *task);
int check_tell(struct check *c, const struct rsp_finding *finding);
struct check_result *result_get(struct check *c, const struct rsp_env *env);
void result_put(struct check *c, struct check_result *r);
void results_free(struct check *c);

/* ---- check_work.c ---- */
int work_batch(struct looker *l, struct rsp_rdb_task *task);

/* ---- check_opcode.c ---- */
int look_opcode(struct looker *l);

/* ---- check_value.c ---- */
int value_begin(struct looker *l);
/* Walks on from *at to the end of the item. stop_at_tail: streams: RSP_AGAIN with *at and *walk before the
 * first token behind the nodes, *tail set. */
int value_walk(struct looker *l, struct rsp_rdb_walk *walk, uint32_t *at, uint8_t *tail);
int value_end(struct looker *l);
int value_string(struct looker *l, int role, const struct stored *s);
/* A member or field: compared or handed out. */
int value_member(struct looker *l, struct sip128 h, uint64_t offset, const char *what);
/* The text of a whole string token; s->text.p NULL when it was checked but not kept. RSP_END: it is
 * broken, and noted. */
int check_text(struct looker *l, const struct rsp_rdb_token *t, int role, struct stored *s);

/* ---- check_feed.c: elements for dd1, while l->feed is FEED_ON ---- */
/* Can the check's walk give the elements of the record under way? */
int feed_can(const struct looker *l);
/* A string token that is an element or a part of one. */
int feed_string(struct looker *l, int role, const struct stored *s);
int feed_score(struct looker *l, double score);
int feed_entry(struct looker *l, struct stream_id id, uint64_t strings);
static inline int feed_item(struct looker *l, struct rsp_span text)
{
    return l->feed == FEED_ON ? dd1_text(l->dd1, 'l', text) : RSP_OK;
}
static inline int feed_member(struct looker *l, struct rsp_span text)
{
    return l->feed == FEED_ON ? dd1_text(l->dd1, 'm', text) : RSP_OK;
}
static inline int feed_scored(struct looker *l, struct rsp_span member, double score)
{
    return l->feed == FEED_ON ? dd1_scored(l->dd1, member, score) : RSP_OK;
}
static inline int feed_field(struct looker *l, struct rsp_span field, struct rsp_span value)
{
    return l->feed == FEED_ON ? dd1_field(l->dd1, field, value, RSP_RDB_NO_EXPIRE) : RSP_OK;
}

/* ---- check_blob.c ---- */
int blob_list(struct looker *l, const struct stored *s, int ziplist);
int blob_whole(struct looker *l, int role, const struct stored *s);
int blob_fields(struct looker *l, const struct stored *s);
int template_field(struct looker *l, struct rsp_span name, uint64_t offset);

/* ---- check_stream.c ---- */
int check_stream_token(struct looker *l, const struct rsp_rdb_token *t);
int check_stream_string(struct looker *l, int role, const struct stored *s);
int check_stream_end(struct looker *l);
/* Puts a later part's nodes behind those before. */
int stream_merge(struct looker *l, const struct value_state *part);
void stream_tail_init(struct stream_tail *t, const struct rsp_env *env);
void stream_tail_reset(struct stream_tail *t);
void stream_tail_free(struct stream_tail *t);

/* ---- check_parts.c ---- */
/* Work side: a part that stands alone. */
int look_part(struct looker *l);
/* Join side, in order: every part of the batch. */
int join_parts(struct check *c, struct rsp_rdb_task *task, struct check_result *r);
int value_piece(struct looker *l, const struct rsp_rdb_walk *walk, const struct rsp_rdb_token *t);

/* ---- check_dups.c ---- */
int dups_open(struct check *c);
void dups_key_ready(struct looker *l, uint32_t db);
/* Work side: the key of a record that ends here. */
int dups_key(struct looker *l, struct rsp_span key);
/* Join side, first pass. */
int dups_join(struct check *c, struct check_result *r);
int dups_big_record(struct check *c, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);
/* Second look: is it worth a look, is it a candidate? */
int dups_is_big(const struct check *c, uint64_t record);
int dups_candidate(const struct check *c, uint64_t hash);
int dups_finish(struct check *c, int complete);
/* check.c: the second pass. */
int check_again(struct check *c);
void dups_free(struct check *c);

#endif
