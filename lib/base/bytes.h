/* What this is: loads and stores of fixed-width integers, and integer text.
 * Rests on: nothing.
 * Does not: check bounds. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t load_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | (uint16_t)(p[1] << 8));
}
static inline uint32_t load_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)load_le32(p) | (uint64_t)load_le32(p + 4) << 32;
}
static inline uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}
static inline uint64_t load_be64(const uint8_t *p)
{
    return (uint64_t)load_be32(p + 4) | (uint64_t)load_be32(p) << 32;
}
static inline void store_le32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v, p[1] = (uint8_t)(v >> 8), p[2] = (uint8_t)(v >> 16), p[3] = (uint8_t)(v >> 24);
}
static inline void store_le64(uint8_t *p, uint64_t v)
{
    store_le32(p, (uint32_t)v), store_le32(p + 4, (uint32_t)(v >> 32));
}
/* Two's complement without implementation-defined conversions. */
static inline int64_t as_i64(uint64_t v)
{
    int64_t i;
    memcpy(&i, &v, sizeof i);
    return i;
}
static inline int32_t as_i32(uint32_t v)
{
    int32_t i;
    memcpy(&i, &v, sizeof i);
    return i;
}
static inline double load_double(const uint8_t *p)
{
    uint64_t bits = load_le64(p);
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

#define I64_TEXT 20 /* longest decimal text of an int64: "-9223372036854775808" */
#define U64_TEXT 20
/* Writes the decimal text (no terminator) and returns its length. out has I64_TEXT bytes. */
size_t i64_text(char *out, int64_t v);
size_t u64_text(char *out, uint64_t v);
/* Strict decimal int64: no blanks, no '+', no leading zeros, no "-0"; 1 when it is one. */
int i64_parse(const uint8_t *p, size_t n, int64_t *v);

#endif
