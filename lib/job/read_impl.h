/* What this is: a snapshot that is read again: what the files of this half share.
 * Rests on: note.h, respite/sys/job.h.
 * Does not: leave this folder. */
#ifndef JOB_READ_IMPL_H
#define JOB_READ_IMPL_H

#include <respite/sys/job.h>

#include "base/buf.h"
#include "job/note.h"

#define HEADER_BYTES 9 /* magic and version of a dump */
#define WALK_GAP 3     /* walk_step: a chunk that cannot be read; it was told */

struct reader {
    struct rsp_env env;
    struct rsp_read_options o;
    struct rsp_read_report report;
    struct rsp_snapshot *s;
    size_t at;               /* the stream */
    int parsed, dd1_checked; /* of it */
    const struct rsp_stream_info *stream;
    uint8_t header[HEADER_BYTES];
    size_t header_n;
    uint64_t done; /* bytes of the streams before */
};

/* Faults that are the stored data's, after which reading goes on behind it. */
int reader_is_damage(int status);
/* Tells a finding; below zero: stop. object NULL: of the parser. */
int reader_tell(struct reader *r, const struct rsp_read_finding *finding);
/* A finding of the parser at an offset of the stream. */
int reader_tell_parser(struct reader *r, uint64_t offset, const char *reason);
int reader_cancelled(struct reader *r);

/* ---- chunk after chunk (read_walk.c) ---- */
struct walk {
    struct reader *r;
    uint64_t i;      /* the chunk that comes next */
    uint64_t proven; /* what lies before this offset was read already */
    struct rsp_chunk_info info;
    struct buf chunk; /* its bytes; n 0: it was read already */
    struct note note;
    int has_note;
};
void walk_init(struct walk *w, struct reader *r, uint64_t proven);
/* RSP_OK, WALK_GAP, RSP_END, or a fault. */
int walk_step(struct walk *w);
void walk_free(struct walk *w);
/* A share of the chunks, picked at random. */
int walk_some(struct reader *r, unsigned percent);

/* ---- behind damage (read_after.c) ---- */
/* Goes on from where a source stopped; parses again from the first record that a note tells behind each damage. */
int read_after(struct reader *r, uint64_t proven);

#endif
