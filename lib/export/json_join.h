/* What this is: the state of the part of the export that runs in the order of the file.
 * Rests on: json_impl.h, respite/sys/spool.h.
 * Does not: run in parallel. */
#ifndef EXPORT_JSON_JOIN_H
#define EXPORT_JSON_JOIN_H

#include <respite/sys/spool.h>

#include "export/json_impl.h"

/* A string that comes in pieces. */
struct json_big {
    enum { BIG_NONE, BIG_SPOOLED, BIG_DIRECT } state;
    struct rsp_spool *raw;
    struct json_utf8 utf8;
    uint8_t carry[3]; /* base64: bytes that wait for their group of three */
    size_t carry_n;
};

/* The record in parts that is under way. */
struct json_open {
    int active;
    int value_type, form;
    int unsure;  /* the filter cannot tell yet: the text is held back */
    int spooled; /* the value's text waits in body */
    int wrote, side_wrote;
    int not_text; /* a field is no text: the hash becomes pairs */
    int live;     /* seq.value stands where the part before ended */
    int tail;     /* stream: the entries are over */
    int skip_entries;
};

struct json_join {
    struct rsp_env env;
    struct rsp_error words;
    const struct json_style *style;
    const char *tmpdir;
    struct rsp_sink *sink;
    int started;             /* array: the bracket is written */
    struct json_worker rest; /* formats what a worker left over */
    struct json_worker seq;  /* decodes what must be decoded in order; its side is staged, too */
    struct buf stage;
    uint8_t *io; /* JSON_STAGE_BYTES */
    struct rsp_spool *body, *side, *held;
    struct json_open open;
    struct json_big big[2];
};

/* Where text goes. */
enum json_target { TO_VALUE, TO_SIDE };

int json_spool_open(struct json_join *j, struct rsp_spool **spool); /* made, or emptied */
int json_record_text(struct json_join *j, const void *p, size_t n);
/* Empties the stage of a target. */
int json_flush(struct json_join *j, enum json_target to);

/* json_big.c: RSP_ELEM_PART, and the element that it belongs to. */
int json_big_part(struct json_join *j, const struct rsp_rdb_element *el);
int json_big_element(struct json_join *j, const struct rsp_rdb_element *el);
static inline int json_big_pending(const struct json_join *j)
{
    return j->big[0].state || j->big[1].state;
}

#endif
