/* What this is: the framing of an RDB file: from a window of bytes to the items in it.
 * Rests on: walk.h, templates.h, base/buf.h.
 * Does not: read, sum, or look inside a value. */
#ifndef RDB_SCAN_H
#define RDB_SCAN_H

#include "base/buf.h"
#include "rdb/walk.h"

/* Where items go. walks belong to parts that are not FIRST. */
struct scan_out {
    struct rsp_rdb_item *items;
    size_t n, cap;
    struct rsp_rdb_walk *walks;
    size_t walks_n, walks_cap;
};

enum scan_phase { SCAN_HEADER, SCAN_ITEM, SCAN_VALUE, SCAN_CRC, SCAN_DONE };

struct scan {
    const struct rsp_env *env;
    const char *name; /* subject of faults */
    struct rsp_rdb_templates *templates;
    const struct rdb_type *types[RDB_TYPES];
    int skim; /* count items, do not list them */
    uint8_t dialect;
    uint16_t version;
    uint32_t server_n; /* what AUX redis-ver says; 0: nothing yet */
    enum scan_phase phase;
    uint64_t base; /* file offset of the window's first byte */
    size_t at;     /* in the window: next byte to look at */
    uint32_t db;
    struct rsp_rdb_item rec; /* the record under way; its offsets are in the window */
    int detached;            /* attributes in rec were read before another opcode */
    int parts;               /* its FIRST part has been handed out */
    int big;                 /* the part under way is a BIG one */
    struct rsp_rdb_walk walk;
    struct rsp_rdb_walk part_walk; /* state at rec.value of a part that is not FIRST */
    struct walk_mark mark;
    struct buf open_key; /* key of the record in parts, as text */
    uint64_t open_offset;
    uint64_t keys, expires;
    size_t wait;         /* no use in looking again before the window shows so many bytes behind at */
    uint64_t wait_from;  /* offset of the window's end when that was found */
    uint64_t eof_offset; /* of the byte behind the EOF opcode */
    uint64_t crc_stored;
};

void scan_init(struct scan *s, const struct rsp_env *env, const char *name, struct rsp_rdb_templates *templates,
               int skim);

/* Looks at the window p[0..n) from s->at on. full: the window cannot grow but the next one brings more, so
 * what is left over must be small or be cut; final: no byte follows. RSP_OK: go on with a window that begins
 * at *keep of this one (call scan_move then), or the same one grown when keep is 0 and it is not full; RSP_END:
 * the file is complete, s->at is behind it; a fault otherwise. Items found are appended to out in every case. */
int scan_run(struct scan *s, const uint8_t *p, size_t n, int full, int final, struct scan_out *out, size_t *keep);

/* The window now begins `by` bytes further on. */
void scan_move(struct scan *s, size_t by);

void scan_free(struct scan *s);

/* The text of the key of the record under way, into s->open_key. p: the window. */
int scan_note_key(struct scan *s, const uint8_t *p);

/* scan_opcode.c: an opcode that is no key's attribute, whole at win->at. RSP_OK: item is filled in
 * and win->at is behind it; RSP_AGAIN; a fault. */
int scan_opcode(struct scan *s, struct window *win, struct rsp_rdb_item *item);
/* Passes over module items up to their end: RSP_OK, RSP_AGAIN, RSP_EFORMAT. */
int scan_module_items(struct window *win);

#endif
