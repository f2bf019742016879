/* What this is: walking a zipmap.
 * Rests on: zipmap.h.
 * Does not: look for fields that occur twice. */
#include "enc/zipmap.h"

#define HEADER 1
#define END_BYTE 0xff
#define WIDE_LENGTH 254 /* four bytes of length follow */

static int bad(struct blob_fault *fault, size_t offset, const char *reason)
{
    if (fault) {
        fault->offset = offset;
        fault->reason = reason;
    }
    return RSP_EFORMAT;
}

int zipmap_open(struct zipmap *zm, struct rsp_span blob, struct blob_fault *fault)
{
    if (blob.n < HEADER + 1) return bad(fault, 0, "shorter than an empty zipmap");
    if (blob.p[blob.n - 1] != END_BYTE) return bad(fault, blob.n - 1, "the last byte is not 0xFF");
    zm->base = blob.p;
    zm->n = blob.n;
    zm->at = HEADER;
    zm->count = blob.p[0] < ZIPMAP_UNKNOWN ? blob.p[0] : ZIPMAP_UNKNOWN;
    zm->seen = 0;
    return RSP_OK;
}

/* Reads the length at *at and moves past it. */
static int read_length(const struct zipmap *zm, size_t *at, size_t *n, struct blob_fault *fault)
{
    const uint8_t *p = zm->base + *at;
    size_t room = zm->n - 1 - *at;
    if (room == 0) return bad(fault, *at, "a pair ends before its value");
    if (p[0] == END_BYTE) return bad(fault, *at, "an end byte before the end of the zipmap");
    if (p[0] < WIDE_LENGTH) {
        *n = p[0];
        *at += 1;
        return RSP_OK;
    }
    if (room < 5) return bad(fault, *at, "a length reaches past the end of the zipmap");
    *n = load_le32(p + 1);
    if (*n < WIDE_LENGTH) return bad(fault, *at, "a length takes more bytes than it needs");
    *at += 5;
    return RSP_OK;
}

int zipmap_next(struct zipmap *zm, struct entry *field, struct entry *value, struct blob_fault *fault)
{
    size_t at = zm->at, end = zm->n - 1, n, unused, value_at;
    int rc;
    if (at == end) {
        if (zm->count != ZIPMAP_UNKNOWN && zm->seen != zm->count)
            return bad(fault, 0, "fewer pairs than the header counts");
        return RSP_END;
    }
    if (zm->seen >= zm->count && zm->count != ZIPMAP_UNKNOWN)
        return bad(fault, at, "more pairs than the header counts");
    rc = read_length(zm, &at, &n, fault);
    if (rc) return rc;
    if (n > end - at) return bad(fault, zm->at, "the field reaches past the end of the zipmap");
    *field = (struct entry){zm->base + at, n, 0, 0};
    at += n;
    value_at = at;
    rc = read_length(zm, &at, &n, fault);
    if (rc) return rc;
    if (at == end) return bad(fault, at, "a pair ends before its value");
    unused = zm->base[at++];
    if (n > end - at) return bad(fault, value_at, "the value reaches past the end of the zipmap");
    *value = (struct entry){zm->base + at, n, 0, 0};
    at += n;
    if (unused > end - at) return bad(fault, at, "the unused bytes reach past the end of the zipmap");
    zm->at = at + unused;
    zm->seen++;
    return RSP_OK;
}
