/* What this is: a fast keyed hash: 64 bits for tables whose hits are confirmed by bytes, 128 where they are not.
 * Rests on: bytes.h; 128-bit multiplication; sip.h for the type.
 * Does not: withstand one who knows the key: take a random one. sip.h has a hash for what is kept. */
#ifndef BASE_MIX_H
#define BASE_MIX_H

#include "base/bytes.h"
#include "base/sip.h"

static inline uint64_t mix_fold(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 r = (unsigned __int128)a * b;
    return (uint64_t)r ^ (uint64_t)(r >> 64);
}

static inline uint64_t mix64(const uint8_t key[16], const uint8_t *p, size_t n)
{
    uint64_t k0 = load_le64(key), k1 = load_le64(key + 8), h = k0 ^ k1, a = 0, b = 0, length = n;
    for (; n > 16; p += 16, n -= 16) h = mix_fold(load_le64(p) ^ k0, load_le64(p + 8) ^ h);
    if (n >= 8) { /* the two loads may overlap */
        a = load_le64(p);
        b = load_le64(p + n - 8);
    } else if (n >= 4) {
        a = load_le32(p);
        b = load_le32(p + n - 4);
    } else if (n) {
        a = (uint64_t)p[0] << 16 | (uint64_t)p[n >> 1] << 8 | p[n - 1];
    }
    h = mix_fold(a ^ k0, b ^ h);
    return mix_fold(h ^ k1, length ^ k0);
}

/* Two of them under independent keys. */
static inline struct sip128 mix128(const uint8_t key[32], const uint8_t *p, size_t n)
{
    struct sip128 h = {mix64(key, p, n), mix64(key + 16, p, n)};
    return h;
}

#endif
