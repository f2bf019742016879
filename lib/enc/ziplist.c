/* What this is: walking a ziplist with every byte checked.
 * Rests on: ziplist.h.
 * Does not: interpret entries. */
#include "enc/ziplist.h"

#define HEADER 10
#define TAIL_AT 4
#define COUNT_AT 8
#define END_BYTE 0xff
#define WIDE_PREVLEN 0xfe

static int bad(struct blob_fault *fault, size_t offset, const char *reason)
{
    if (fault) {
        fault->offset = offset;
        fault->reason = reason;
    }
    return RSP_EFORMAT;
}

int ziplist_open(struct ziplist *zl, struct rsp_span blob, struct blob_fault *fault)
{
    if (blob.n < HEADER + 1) return bad(fault, 0, "shorter than an empty ziplist");
    if (load_le32(blob.p) != blob.n) return bad(fault, 0, "the header's length is not the blob's");
    if (blob.p[blob.n - 1] != END_BYTE) return bad(fault, blob.n - 1, "the last byte is not 0xFF");
    zl->base = blob.p;
    zl->n = blob.n;
    zl->at = HEADER;
    zl->tail = load_le32(blob.p + TAIL_AT);
    zl->previous = 0;
    zl->last = HEADER; /* what the tail of an empty ziplist points at */
    zl->count = load_le16(blob.p + COUNT_AT);
    zl->seen = 0;
    if (zl->tail < HEADER || zl->tail > blob.n - 1)
        return bad(fault, TAIL_AT, "the tail offset points outside the ziplist");
    return RSP_OK;
}

uint64_t ziplist_entry_size(const uint8_t *p, size_t room, struct entry *e, size_t *head)
{
    uint8_t b = p[0];
    *e = (struct entry){NULL, 0, 0, 0};
    *head = b >> 6 == 0 ? 1 : b >> 6 == 1 ? 2 : 5;
    if (b < 0xc0) {
        if (room < *head) return *head;
        if (b >> 6 == 2) e->n = load_be32(p + 1);
        else e->n = b >> 6 ? ((size_t)b & 63) << 8 | p[1] : b;
        return (uint64_t)*head + e->n;
    }
    e->is_int = 1;
    switch (b) {
    case 0xc0:
        if (room >= 3) e->i = (load_le16(p + 1) ^ 0x8000) - 0x8000;
        return 3;
    case 0xd0:
        if (room >= 5) e->i = as_i32(load_le32(p + 1));
        return 5;
    case 0xe0:
        if (room >= 9) e->i = as_i64(load_le64(p + 1));
        return 9;
    case 0xf0:
        if (room >= 4) e->i = ((int64_t)(load_le16(p + 1) | (uint32_t)p[3] << 16) ^ 0x800000) - 0x800000;
        return 4;
    case 0xfe:
        if (room >= 2) e->i = (p[1] ^ 0x80) - 0x80;
        return 2;
    default:
        if (b < 0xf1 || b > 0xfd) return 0;
        e->i = (b & 15) - 1;
        return 1;
    }
}

static int next_other(struct ziplist *zl, struct entry *e, struct blob_fault *fault)
{
    const uint8_t *p = zl->base + zl->at;
    size_t room = zl->n - 1 - zl->at, width = 1, head;
    uint64_t previous = p[0], claimed;
    if (p[0] == END_BYTE) return bad(fault, zl->at, "an end byte before the end of the ziplist");
    if (p[0] == WIDE_PREVLEN) {
        if (room < 5) return bad(fault, zl->at, "the entry reaches past the end of the ziplist");
        previous = load_le32(p + 1);
        width = 5;
    }
    if (previous != zl->previous) return bad(fault, zl->at, "the length of the entry before does not match it");
    p += width;
    room -= width;
    if (room == 0) return bad(fault, zl->at, "the entry reaches past the end of the ziplist");
    claimed = ziplist_entry_size(p, room, e, &head);
    if (claimed == 0) return bad(fault, zl->at + width, "not an encoding of ziplist entries");
    if (claimed > room) return bad(fault, zl->at, "the entry reaches past the end of the ziplist");
    if (!e->is_int) e->p = p + head;
    zl->previous = width + (size_t)claimed;
    zl->last = zl->at;
    zl->at += zl->previous;
    zl->seen++;
    return RSP_OK;
}

static int at_end(const struct ziplist *zl, struct blob_fault *fault)
{
    if (zl->count != ZIPLIST_UNKNOWN && zl->seen != zl->count)
        return bad(fault, COUNT_AT, "fewer entries than the header counts");
    if (zl->tail != zl->last) return bad(fault, TAIL_AT, "the tail offset is not that of the last entry");
    return RSP_END;
}

int ziplist_next(struct ziplist *zl, struct entry *e, struct blob_fault *fault)
{
    const uint8_t *p = zl->base + zl->at;
    size_t room = zl->n - 1 - zl->at; /* before the final 0xFF */
    size_t n;
    if (room == 0) return at_end(zl, fault);
    if (zl->seen >= zl->count && zl->count != ZIPLIST_UNKNOWN)
        return bad(fault, zl->at, "more entries than the header counts");
    /* A prevlen of one byte, then a string of at most 63: p[1] is at worst the final 0xFF. */
    n = p[1];
    if (p[0] >= WIDE_PREVLEN || p[0] != zl->previous || n > 63 || room < n + 2) return next_other(zl, e, fault);
    e->p = p + 2;
    e->n = n;
    e->i = 0;
    e->is_int = 0;
    zl->previous = n + 2;
    zl->last = zl->at;
    zl->at += n + 2;
    zl->seen++;
    return RSP_OK;
}
