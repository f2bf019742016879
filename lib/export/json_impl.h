/* What this is: what the files of the JSON export share: how text is written (style), what a
 *   worker keeps, what it leaves for join (chunk).
 * Rests on: json_text.h, json_stream.h, respite/sys/json.h.
 * Does not: reach outside lib/export. */
#ifndef EXPORT_JSON_IMPL_H
#define EXPORT_JSON_IMPL_H

#include <respite/sys/json.h>

#include "base/buf.h"
#include "export/json_stream.h"
#include "export/json_text.h"

/* Not valid UTF-8 where only text can stand: the caller takes another form. Not a public status. */
#define JSON_NOT_TEXT 1

/* How a hash is written. */
enum json_form {
    JSON_OBJECT = 0, /* {"f":"v"}; a name that is not text is JSON_NOT_TEXT */
    JSON_PAIRS = 1,  /* [["f","v"]] */
    JSON_MARKED = 2  /* control characters in the places where the two differ: decided later */
};
/* What JSON_MARKED writes; no JSON text holds these bytes. */
enum json_mark { MARK_PAIR = 1, MARK_COLON = 2, MARK_PAIR_END = 3, MARK_OPEN = 4, MARK_CLOSE = 5 };
struct json_marks {
    uint8_t open, colon, close; /* of a pair; 0: nothing */
    uint8_t outer, outer_close; /* of the whole */
};
extern const struct json_marks json_forms[3];

#define JSON_CHUNK_BYTES (8u << 20) /* a worker leaves the rest of a batch to join past this much text */
#define JSON_STAGE_BYTES (64u << 10)
#define JSON_SLICE 32768u

struct json_style {
    struct json_text text;
    int bytes, array, with_meta, values_only;
};

struct json_head {
    uint8_t text[96]; /* ,"type":"..","encoding":"..","rdb_type":N */
    size_t n;
};

struct json_worker {
    struct rsp_env env; /* error points at words */
    struct rsp_error words;
    const struct json_style *style;
    struct rsp_rdb_value *value;
    struct rsp_scratch key, string;
    struct buf side;    /* field expiries of the record under way */
    struct buf entries; /* entries of the stream under way */
    struct buf path;    /* the path whose fields are under way (path hashes) */
    int path_open;
    int not_text; /* a name of JSON_MARKED was no text */
    struct json_stream stream;
    struct json_head heads[64];
};

/* A part of a record, or what stands in its place, for join to weave into the text. */
struct json_piece {
    size_t item;                  /* index in the batch */
    size_t at, end;               /* its elements in out, a comma before each */
    size_t side_at, side_end;     /* expiries in side */
    uint8_t sequential, not_text; /* join decodes it itself */
    uint8_t tail;                 /* the entries of a stream are over */
    uint8_t refused;
};

struct json_chunk {
    struct json_chunk *next;
    struct buf out, side;
    struct buf pieces; /* struct json_piece */
    size_t done;       /* items seen */
    int fault;         /* what stopped it, and its words */
    struct rsp_error words;
};

static inline int json_room(struct buf *b, size_t n)
{
    return n <= b->cap - b->n ? RSP_OK : buf_reserve(b, n);
}
/* Appends a literal; there is room. */
static inline void json_put(struct buf *b, const char *s, size_t n)
{
    memcpy(b->p + b->n, s, n);
    b->n += n;
}
static inline void json_put_mark(struct buf *b, uint8_t c)
{
    b->p[b->n] = c;
    b->n += c != 0;
}
#define JSON_PUT(b, literal) json_put((b), "" literal, sizeof(literal) - 1)
static inline void json_put_u64(struct buf *b, uint64_t v)
{
    b->n += u64_text((char *)b->p + b->n, v);
}
static inline void json_put_i64(struct buf *b, int64_t v)
{
    b->n += i64_text((char *)b->p + b->n, v);
}
static inline void json_put_id(struct buf *b, struct rsp_rdb_id id) /* 2 + 41 bytes */
{
    b->p[b->n++] = '"';
    json_put_u64(b, id.ms);
    b->p[b->n++] = '-';
    json_put_u64(b, id.seq);
    b->p[b->n++] = '"';
}

/* json_string.c. Each reserves what it needs, and more: JSON_SLACK bytes of room are left. */
int json_put_data(const struct json_style *style, struct buf *out, struct rsp_span s);   /* keys, members, values ... */
int json_put_plain(const struct json_style *style, struct buf *out, struct rsp_span s);  /* never base64 by style */
int json_put_base64(const struct json_style *style, struct buf *out, struct rsp_span s); /* "..." */
int json_put_wrapped(const struct json_style *style, struct buf *out, struct rsp_span s); /* {"base64":"..."} */
/* As the name in an object: JSON_NOT_TEXT, and nothing written, when it cannot be one. */
int json_put_name(const struct json_style *style, struct buf *out, struct rsp_span s);
/* Escapes a part of a longer string, without quotes: *used bytes of it; fewer than n only when the
 * end is an incomplete sequence. */
int json_put_inside(const struct json_style *style, struct buf *out, struct rsp_span s, size_t *used);

/* json_element.c: one element with a comma before it; expiries go to side. */
int json_put_element(struct json_worker *w, struct buf *out, struct buf *side, int form,
                     const struct rsp_rdb_element *el);
/* Before a field of a path hash (fields[0] is its path): opens the path when it is another than the
 * one under way. *fresh: outer stands in the place of the comma that follows. */
int json_begin_path(struct json_worker *w, struct buf *out, int form, const struct rsp_rdb_element *el, int *fresh);
/* Closes the path under way, if any. */
int json_end_path(struct json_worker *w, struct buf *out, int form);
int json_put_score(struct buf *out, double score); /* ,1.5] */
int json_put_module(struct buf *out, uint64_t id); /* {... up to "raw": */
int json_is_paths(const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);

/* json_record.c */
/* From the line's begin up to "value": (nothing for values_only). */
int json_put_head(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                  const struct rsp_rdb_item *item);
/* Formats the batch from chunk->done on, until its end, a fault (chunk->fault) or a full chunk. */
void json_format(struct json_worker *w, struct json_chunk *chunk, const struct rsp_rdb_task *task);
int json_worker_init(struct json_worker *w, const struct rsp_env *env, const struct json_style *style);
void json_worker_free(struct json_worker *w);
/* The words of an inner record (may be NULL) become those of env, unless it has some. Returns rc. */
int json_report(const struct rsp_env *env, const struct rsp_error *words, int rc);

/* json_meta.c: a line without a key; nothing for opcodes that have none. */
int json_put_meta(struct json_worker *w, struct buf *out, const struct rsp_rdb_batch *batch,
                  const struct rsp_rdb_item *item);

/* json_join.c */
struct json_join;
int json_join_new(const struct rsp_env *env, const struct json_style *style, const char *tmpdir, struct rsp_sink *sink,
                  struct json_join **ret);
/* Writes the chunk and what its worker left over. */
int json_join_task(struct json_join *j, struct json_chunk *chunk, const struct rsp_rdb_task *task);
int json_join_end(struct json_join *j); /* closes the array */
/* Its env: join runs one at a time. */
const struct rsp_env *json_join_env(const struct json_join *j);
/* The words of the last fault, or NULL. */
const struct rsp_error *json_join_words(const struct json_join *j);
void json_join_free(struct json_join *j);

#endif
