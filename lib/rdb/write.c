/* What this is: the opcodes and lengths of an RDB, written.
 * Rests on: write.h, base/bytes.h.
 * Does not: compress. */
#include "rdb/write.h"

#include <stdio.h>

#include "base/bytes.h"

enum { OP_IDLE = 248, OP_FREQ = 249, OP_AUX = 250, OP_RESIZE = 251, OP_EXPIRE_MS = 252, OP_SELECT = 254, OP_EOF = 255 };

int rdb_put_header(struct buf *out, unsigned version)
{
    char text[16];
    snprintf(text, sizeof text, version >= RDB_VALKEY ? "VALKEY%03u" : "REDIS%04u", version % 1000);
    return buf_add(out, text, 9);
}

int rdb_put_length(struct buf *out, uint64_t n)
{
    uint8_t b[9];
    size_t at = 0;
    if (n < 64) {
        b[at++] = (uint8_t)n;
    } else if (n < 16384) {
        b[at++] = (uint8_t)(0x40 | n >> 8);
        b[at++] = (uint8_t)n;
    } else {
        int bytes = n > UINT32_MAX ? 8 : 4;
        b[at++] = bytes == 8 ? 0x81 : 0x80;
        for (int i = bytes - 1; i >= 0; i--) b[at++] = (uint8_t)(n >> (8 * i));
    }
    return buf_add(out, b, at);
}

int rdb_put_string(struct buf *out, const void *p, size_t n)
{
    int rc = rdb_put_length(out, n);
    return rc || !n ? rc : buf_add(out, p, n);
}

int rdb_put_aux(struct buf *out, const char *name, const char *value)
{
    int rc = buf_byte(out, OP_AUX);
    if (!rc) rc = rdb_put_string(out, name, strlen(name));
    return rc ? rc : rdb_put_string(out, value, strlen(value));
}

int rdb_put_select(struct buf *out, uint64_t db)
{
    int rc = buf_byte(out, OP_SELECT);
    return rc ? rc : rdb_put_length(out, db);
}

int rdb_put_resize(struct buf *out, uint64_t keys, uint64_t expires)
{
    int rc = buf_byte(out, OP_RESIZE);
    if (!rc) rc = rdb_put_length(out, keys);
    return rc ? rc : rdb_put_length(out, expires);
}

int rdb_put_expiry(struct buf *out, int64_t ms)
{
    uint8_t b[9] = {OP_EXPIRE_MS};
    store_le64(b + 1, (uint64_t)ms);
    return buf_add(out, b, sizeof b);
}

int rdb_put_idle(struct buf *out, uint64_t seconds)
{
    int rc = buf_byte(out, OP_IDLE);
    return rc ? rc : rdb_put_length(out, seconds);
}

int rdb_put_freq(struct buf *out, uint8_t counter)
{
    uint8_t b[2] = {OP_FREQ, counter};
    return buf_add(out, b, sizeof b);
}

int rdb_put_end(struct buf *out)
{
    return buf_byte(out, OP_EOF);
}
