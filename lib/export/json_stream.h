/* What this is: the value of a stream as JSON: head, groups and IDMP state. Entries are the
 *   caller's, who puts them between head and tail.
 * Rests on: base/buf.h, respite/rdb.h.
 * Does not: read the file. */
#ifndef EXPORT_JSON_STREAM_H
#define EXPORT_JSON_STREAM_H

#include <respite/rdb.h>

#include "base/buf.h"

struct json_style;

/* A pending entry of the group under way. */
struct json_pending {
    struct rsp_rdb_id id;
    int64_t time_ms;
    uint64_t count;
    size_t owner; /* offset in names and 1; 0: none */
};

/* The file lists a group's pending entries before the consumers that own them, and the text wants
 * the owner beside the entry: one group at a time is kept in memory. */
struct json_stream {
    const struct json_style *style;
    struct buf head;      /* text of the group up to its pending entries */
    struct buf pending;   /* struct json_pending */
    struct buf order;     /* size_t: pending by id, when the file does not have them so */
    struct buf names;     /* text of each consumer's name and a zero byte */
    struct buf consumers; /* text */
    size_t owner;         /* of the consumer under way */
    int unsorted, ordered, consumer_open, groups_closed, idmp_open, producer_open;
    uint64_t groups, producers;
};

void json_stream_init(struct json_stream *s, const struct rsp_env *env, const struct json_style *style);
void json_stream_begin(struct json_stream *s);
void json_stream_free(struct json_stream *s);

/* From RSP_ELEM_STREAM: {"length":... up to "entries": */
int json_stream_head(struct buf *out, const struct rsp_rdb_element *el);
/* Behind the entries. */
int json_stream_groups(struct buf *out);
/* Every element behind RSP_ELEM_STREAM. flush (may be NULL) may empty out when much has gathered. */
int json_stream_element(struct json_stream *s, struct buf *out, const struct rsp_rdb_element *el,
                        int (*flush)(void *opaque, struct buf *out), void *opaque);
int json_stream_end(struct json_stream *s, struct buf *out);

#endif
