/* What this is: RESP both ways: commands as arrays of bulks, replies as trees.
 * Rests on: base/buf.h, respite/sys/server.h for the shape of a reply.
 * Does not: read sockets; know commands. Inline commands are not written.
 *
 * Replies are RESP2. RESP3's null, boolean, double, big number, verbatim, set, map and bulk error are read as what
 * RESP2 would have said; what a server may send unasked (push, attribute) is refused. The bytes of a reply are hostile:
 * depth at most RESP_DEPTH, lengths are believed only when so many bytes are there, bytes at most as the reader was
 * told, and in a tree at most one element for each 16 of these (and 1024). Newlines alone before a reply are passed
 * over: a server that makes its replica wait sends them as a sign of life; more than RESP_LINE in a row are too
 * many. */
#ifndef RESP_RESP_H
#define RESP_RESP_H

#include <respite/sys/server.h>

#include "base/buf.h"

#define RESP_DEPTH 16
#define RESP_LINE 65536 /* longest line of a status, error or number */

/* ---- writing: each appends to out: RSP_OK or RSP_ENOMEM ---- */

int resp_begin(struct buf *out, uint64_t argc);
int resp_bulk(struct buf *out, const void *p, size_t n);
int resp_text(struct buf *out, const char *word);
int resp_u64(struct buf *out, uint64_t v); /* a bulk of decimal digits */
int resp_i64(struct buf *out, int64_t v);
/* "$<n>\r\n": the caller appends n bytes and "\r\n". */
int resp_bulk_head(struct buf *out, uint64_t n);
/* A whole command of words with single blanks between them. */
int resp_words(struct buf *out, const char *words);

/* ---- reading ---- */

struct resp_reader {
    struct rsp_env env;
    const char *name;              /* subject of error records */
    struct buf in;                 /* bytes that came and were not taken */
    size_t at, scanned;            /* taken so far; how far the reply under way is known */
    size_t looked;                 /* from scanned to here there is no end of line */
    size_t body_n;                 /* with in_body: a bulk of so many bytes begins at scanned */
    uint64_t left[RESP_DEPTH + 1]; /* of the reply under way: elements still to come, by depth */
    unsigned depth, blanks;
    uint8_t begun, building, in_body, body_type, dead;
    int top_type;
    int64_t top_integer;
    size_t error_at, error_n; /* the first error inside; error_n 0: none */
    size_t max_bytes;
    struct buf nodes; /* struct rsp_reply of the last reply */
    uint64_t offset;  /* of in.p[0] in the connection */
};
/* name is borrowed. max_bytes of one reply; 0: the env's largest allocation. A reader must stay where it was made. */
void resp_reader_init(struct resp_reader *r, const struct rsp_env *env, const char *name, size_t max_bytes);
/* Room of at least n bytes behind what is there; *p. resp_reader_fed tells how many were put in. */
int resp_reader_room(struct resp_reader *r, size_t n, uint8_t **p, size_t *cap);
void resp_reader_fed(struct resp_reader *r, size_t n);
/* The next whole reply: RSP_OK, and it lives until the next resp_reader_* call; RSP_AGAIN: more bytes are needed;
 * RSP_EFORMAT, RSP_ELIMIT, and RSP_ESTATE after a fault. Never scans a byte twice while a reply comes in small
 * pieces. */
int resp_reader_next(struct resp_reader *r, const struct rsp_reply **reply);
/* For pipelines, without building a tree: *error is the text of the first error inside (n 0: none), *type and *integer
 * those of the reply itself (integer 0 when it is none). The text lives until the next resp_reader_* call. */
int resp_reader_skim(struct resp_reader *r, int *type, int64_t *integer, struct rsp_span *error);
/* Bytes that came behind the last reply, for a protocol that changes there (PSYNC): they are taken by the call, and
 * live until the next one. */
struct rsp_span resp_reader_rest(struct resp_reader *r);
void resp_reader_free(struct resp_reader *r);

/* ---- texts ---- */

/* 1 when an error reply begins with this code ("NOPERM"). */
int resp_error_is(struct rsp_span text, const char *code);

#endif
