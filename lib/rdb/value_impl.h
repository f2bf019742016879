/* What this is: the state of a value being read element by element, shared by value*.c.
 * Rests on: walk.h, enc/, base/buf.h.
 * Does not: leave lib/rdb. */
#ifndef RDB_VALUE_IMPL_H
#define RDB_VALUE_IMPL_H

#include "base/buf.h"
#include "base/real.h"
#include "enc/blob_stream.h"
#include "enc/intset.h"
#include "enc/listpack.h"
#include "enc/lzf.h"
#include "enc/ziplist.h"
#include "enc/zipmap.h"
#include "rdb/templates.h"
#include "rdb/walk.h"

enum blob_kind { BLOB_NONE, BLOB_LISTPACK, BLOB_ZIPLIST, BLOB_INTSET, BLOB_ZIPMAP, BLOB_STREAM };

enum big_state {
    BIG_NONE,
    BIG_HANDING_OUT, /* pieces of a string */
    BIG_COLLECTING,  /* pieces of a blob */
    BIG_LIST,        /* elements of a list's node */
    BIG_LIST_DUE,    /* the element whose pieces are out comes next */
    BIG_ELEMENT_DUE, /* all pieces are out: the element itself comes next */
    MODULE_DUE,      /* the same of a module */
    MODULE_TOLD
};

#define BIG_OUT (64u << 10) /* decompressed bytes of a big string handed out at once */

/* One string of an element: its text, where it stands, and room for what must be made. */
struct slot {
    struct rsp_span text;
    char digits[REAL_TEXT];
    struct buf own; /* inflated bytes */
    int in_batch;   /* text points into the batch: it must be copied before the batch goes */
};

struct rsp_rdb_value {
    struct rsp_env env;
    const struct rsp_rdb_batch *batch;
    struct rsp_rdb_walk walk;
    struct window win;
    uint8_t type, dialect, item_flags;
    int value_type;
    uint64_t offset; /* of the element */
    uint8_t str_enc;
    struct slot a, b;
    int64_t ttl; /* of the field under way: already absolute, or RSP_RDB_NO_EXPIRE */
    uint64_t number[4];
    int64_t times[2];
    struct rsp_rdb_id id;
    struct rsp_rdb_element meta; /* a stream's counters, as they come in */

    /* a blob being opened */
    enum blob_kind blob;
    struct buf blob_own; /* inflated, or put together from parts */
    struct rsp_span blob_bytes;
    uint64_t blob_offset; /* file offset of its first byte; of its string when compressed */
    int blob_raw;
    union {
        struct listpack lp;
        struct ziplist zl;
        struct intset is;
        struct zipmap zm;
    } it;

    /* a string too large to be seen whole */
    enum big_state big;
    int big_slot, big_first, big_kind;
    struct rsp_rdb_token big_token; /* its first part */
    struct rsp_span big_in;
    int big_last;
    uint64_t big_n, big_body; /* its length; file offset of its first stored byte */
    struct lzf_stream *lzf;
    uint8_t *big_out;
    struct blob_stream list; /* BIG_LIST */
    struct rsp_span list_in; /* bytes of the node that it has not seen */

    /* streams */
    int group_open, have_held, held_status; /* a token read before its group's end was told */
    struct rsp_rdb_token held;
    int skip_nodes; /* entries are not wanted */
    struct rsp_rdb_id node;
    uint64_t node_left, master_n;
    struct entry *master;
    size_t master_cap;
    struct rsp_span *fields;
    char (*digits)[I64_TEXT];
    size_t fields_cap, digits_cap;

    /* hash templates that stand in the value; path hashes */
    struct buf names; /* their text */
    size_t *name_ends;
    size_t names_n, names_cap, name_at;
    const struct rdb_template *tmpl;
    struct rsp_span path;
    struct buf path_own;
};

/* value.c: text of a whole string token into a slot. */
int value_text(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct slot *s);
int value_fault(struct rsp_rdb_value *v, int code, uint64_t offset, const char *why);
/* A whole string token as bytes of a blob. */
int value_blob(struct rsp_rdb_value *v, const struct rsp_rdb_token *t);

/* The string's text into out, from its LZF form. */
int value_inflate(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct buf *out);
int value_is_template(const struct rsp_rdb_value *v); /* types 29 to 32 */

/* value_big.c: a PART token. RSP_END: its pieces come next (big_element); RSP_AGAIN: more parts are needed; RSP_OK: *t
 * is now the whole string. */
int big_token(struct rsp_rdb_value *v, struct rsp_rdb_token *t);
/* The next piece: RSP_OK, or RSP_END when the part is used up. */
int big_element(struct rsp_rdb_value *v, struct rsp_rdb_element *e);
/* The next element of a list's node that comes in parts: RSP_OK, or RSP_END when the part, or the node, is used up. */
int big_list_element(struct rsp_rdb_value *v, struct rsp_rdb_element *e);
/* A module's value is opaque: its bytes, whole or part by part. */
int module_next(struct rsp_rdb_value *v, struct rsp_rdb_element *e);

/* value_blob.c: opens v->blob_bytes as what the role says; then one element a call, RSP_END at its end. */
int blob_open(struct rsp_rdb_value *v, int role, const struct rsp_rdb_token *t);
int blob_next(struct rsp_rdb_value *v, struct rsp_rdb_element *e);
int blob_fault(struct rsp_rdb_value *v, const char *what, const struct blob_fault *f);
/* Names of a template that stand in the value, as a listpack or one by one. */
int template_name(struct rsp_rdb_value *v, struct rsp_span name);
int template_listpack(struct rsp_rdb_value *v);
/* The name of the next field; RSP_EFORMAT when there are no more. */
int template_next(struct rsp_rdb_value *v, struct rsp_span *name);

/* value_stream.c */
int stream_inside_group(const struct rsp_rdb_walk *w);
int stream_open(struct rsp_rdb_value *v);
int stream_next(struct rsp_rdb_value *v, struct rsp_rdb_element *e);
/* A token that belongs to a stream's own data; RSP_OK with e filled in, RSP_AGAIN: no element yet. */
int stream_token(struct rsp_rdb_value *v, const struct rsp_rdb_token *t, struct rsp_rdb_element *e);

#endif
