/* What this is: the walk over one value, inside the library: a step at a time, or past everything.
 * Rests on: types.h, str.h.
 * Does not: inflate or open what it passes. */
#ifndef RDB_WALK_H
#define RDB_WALK_H

#include "rdb/str.h"
#include "rdb/types.h"

/* A window of a file: bytes [at, end) of p may be looked at. */
struct window {
    const uint8_t *p;
    size_t at, end;
    const char *why; /* set with RSP_EFORMAT or RSP_EUNSUPPORTED: a static string; at is the fault */
};

void walk_start(struct rsp_rdb_walk *w, int dialect, int type);

/* Where a large value may be cut: at the start of a loop's iteration. */
struct walk_mark {
    size_t at;
    struct rsp_rdb_walk walk;
    int set;
};

/* Goes as far as win shows: RSP_END when the value is complete, RSP_AGAIN when more is needed (win->at is then at
 * a token's start, or w->mid is set inside a string of more than RSP_RDB_BIG_BYTES), or a fault.
 * mark, when not NULL, is moved to the last place where a cut is allowed. */
int walk_skip(struct rsp_rdb_walk *w, struct window *win, const struct rsp_rdb_templates *templates,
              struct walk_mark *mark);

/* One token; the status as above, RSP_OK with *token filled in. passed_next (may be NULL) counts the loops
 * of depth 1 whose iteration ended just before the token. */
int walk_token(struct rsp_rdb_walk *w, struct window *win, const struct rsp_rdb_templates *templates,
               struct rsp_rdb_token *token, int *passed_next);

/* Values of this type may only be cut as BIG parts. */
int walk_uncuttable(const struct rsp_rdb_walk *w);

#endif
