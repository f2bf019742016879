/* What this is: tagged items: u16 tag (bit 15 critical), u32 length, bytes; ascending by number.
 * Rests on: base/buf.h.
 * Does not: know what a tag means. respite-format(5), "Tagged items". */
#ifndef SEAL_ITEMS_H
#define SEAL_ITEMS_H

#include "base/buf.h"

#define ITEM_CRITICAL 0x8000u
#define ITEM_NUMBER(tag) ((tag)&0x7fffu)

struct item {
    uint16_t tag;
    struct rsp_span v; /* borrowed from what is read */
};

struct items {
    const uint8_t *p;
    size_t n, pos;
    int32_t last; /* number of the item before, -1 at first */
};
static inline void items_begin(struct items *r, const uint8_t *p, size_t n)
{
    r->p = p, r->n = n, r->pos = 0, r->last = -1;
}
/* RSP_OK and the next item; RSP_END at the end; RSP_EFORMAT when the list is malformed or out of order. Writes no
 * error record. A repeated number is allowed: a caller for whom it is not refuses it. */
int items_next(struct items *r, struct item *item);

/* Writing, in ascending order. begin and end put an item around whatever is added between; *at is for end. */
int item_add(struct buf *b, uint16_t tag, const void *p, size_t n);
int item_u8(struct buf *b, uint16_t tag, uint8_t v);
int item_u32(struct buf *b, uint16_t tag, uint32_t v);
int item_u64(struct buf *b, uint16_t tag, uint64_t v);
int item_pair(struct buf *b, uint16_t tag, const void *name, size_t name_n, const void *value, size_t value_n);
int item_begin(struct buf *b, uint16_t tag, size_t *at);
int item_end(struct buf *b, size_t at);

/* 1 when v has the exact size; *out is its number. */
int item_get_u8(struct rsp_span v, uint8_t *out);
int item_get_u32(struct rsp_span v, uint32_t *out);
int item_get_u64(struct rsp_span v, uint64_t *out);
int item_get_pair(struct rsp_span v, struct rsp_span *name, struct rsp_span *value);
int buf_u32(struct buf *b, uint32_t v); /* bare, little endian */
int buf_u64(struct buf *b, uint64_t v);

#endif
