/* What this is: walking a listpack with every byte checked.
 * Rests on: listpack.h.
 * Does not: interpret elements. */
#include "enc/listpack.h"

#define HEADER 6
#define COUNT_AT 4
#define END_BYTE 0xff

static int bad(struct blob_fault *fault, size_t offset, const char *reason)
{
    if (fault) {
        fault->offset = offset;
        fault->reason = reason;
    }
    return RSP_EFORMAT;
}

int listpack_open(struct listpack *lp, struct rsp_span blob, struct blob_fault *fault)
{
    if (blob.n < HEADER + 1) return bad(fault, 0, "shorter than an empty listpack");
    if (load_le32(blob.p) != blob.n) return bad(fault, 0, "the header's length is not the blob's");
    if (blob.p[blob.n - 1] != END_BYTE) return bad(fault, blob.n - 1, "the last byte is not 0xFF");
    lp->base = blob.p;
    lp->n = blob.n;
    lp->at = HEADER;
    lp->count = load_le16(blob.p + COUNT_AT);
    lp->seen = 0;
    return RSP_OK;
}

size_t listpack_back_width(size_t size, uint8_t first)
{
    size_t width = 1;
    for (uint64_t top = 127; width < 5 && size >= top; top = top << 7 | 127, width++)
        if (size == top) return width + (width > 1 && first == 0);
    return width;
}

uint64_t listpack_element_size(const uint8_t *p, size_t room, struct entry *e, size_t *head)
{
    uint8_t b = p[0];
    e->is_int = 1;
    e->p = NULL;
    e->n = 0;
    e->i = 0;
    *head = 0;
    if (b >> 5 == 6) { /* 13 bits; bit 12 is the sign */
        if (room < 2) return 2;
        e->i = ((((int64_t)b & 31) << 8 | p[1]) ^ 4096) - 4096;
        return 2;
    }
    switch (b) {
    case 0xf1:
        if (room >= 3) e->i = (load_le16(p + 1) ^ 0x8000) - 0x8000;
        return 3;
    case 0xf2:
        if (room >= 4) e->i = ((int64_t)(load_le16(p + 1) | (uint32_t)p[3] << 16) ^ 0x800000) - 0x800000;
        return 4;
    case 0xf3:
        if (room >= 5) e->i = as_i32(load_le32(p + 1));
        return 5;
    case 0xf4:
        if (room >= 9) e->i = as_i64(load_le64(p + 1));
        return 9;
    default: break;
    }
    e->is_int = 0;
    if (b >> 4 == 14) {
        *head = 2;
        if (room < 2) return 2;
        e->n = ((size_t)b & 15) << 8 | p[1];
    } else if (b == 0xf0) {
        *head = 5;
        if (room < 5) return 5;
        e->n = load_le32(p + 1);
    } else {
        return 0;
    }
    return (uint64_t)*head + e->n;
}

/* Every element but the two kinds that listpack_next knows itself. */
static int next_other(struct listpack *lp, struct entry *e, struct blob_fault *fault)
{
    const uint8_t *p = lp->base + lp->at;
    size_t room = lp->n - 1 - lp->at, head, width, size;
    uint64_t claimed;
    if (p[0] == END_BYTE) return bad(fault, lp->at, "an end byte before the end of the listpack");
    if (p[0] < 0x80) return bad(fault, lp->at + 1, "back-length does not match the element");
    if (p[0] < 0xc0) {
        *e = (struct entry){NULL, p[0] & 63U, 0, 0};
        head = 1;
        claimed = 1 + e->n;
    } else {
        claimed = listpack_element_size(p, room, e, &head);
    }
    if (claimed == 0) return bad(fault, lp->at, "not an encoding of listpack elements");
    if (claimed >= room) return bad(fault, lp->at, "the element reaches past the end of the listpack");
    size = (size_t)claimed;
    width = listpack_back_width(size, p[size]);
    if (width > room - size) return bad(fault, lp->at + size, "the back-length reaches past the end of the listpack");
    for (size_t i = 0; i < width; i++) {
        uint8_t want = (uint8_t)((uint64_t)size >> 7 * (width - 1 - i) & 127) | (i ? 128 : 0);
        if (p[size + i] != want) return bad(fault, lp->at + size, "back-length does not match the element");
    }
    if (!e->is_int) e->p = p + head;
    lp->at += size + width;
    lp->seen++;
    return RSP_OK;
}

static int at_end(const struct listpack *lp, struct blob_fault *fault)
{
    if (lp->count != LISTPACK_UNKNOWN && lp->seen != lp->count)
        return bad(fault, COUNT_AT, "fewer elements than the header counts");
    return RSP_END;
}

int listpack_next(struct listpack *lp, struct entry *e, struct blob_fault *fault)
{
    const uint8_t *p = lp->base + lp->at;
    size_t room = lp->n - 1 - lp->at; /* before the final 0xFF */
    uint8_t b = p[0];
    if (room == 0) return at_end(lp, fault);
    if (lp->seen >= lp->count && lp->count != LISTPACK_UNKNOWN)
        return bad(fault, lp->at, "more elements than the header counts");
    if (b >> 6 == 2) { /* a string of at most 63 bytes */
        size_t n = b & 63;
        if (room < n + 2 || p[n + 1] != n + 1) return next_other(lp, e, fault);
        e->p = p + 1;
        e->n = n;
        e->i = 0;
        e->is_int = 0;
        lp->at += n + 2;
    } else if (b < 0x80 && room >= 2 && p[1] == 1) {
        e->p = NULL;
        e->n = 0;
        e->i = b;
        e->is_int = 1;
        lp->at += 2;
    } else {
        return next_other(lp, e, fault);
    }
    lp->seen++;
    return RSP_OK;
}
