/* What this is: the CRC64 of RDB files, by ISA-L and by a portable slice-by-8.
 * Rests on: crc64.h, bytes.h, ISA-L unless RSP_NO_ISAL is defined.
 * Does not: build anything at run time: the tables are constants, any thread may call at once. */
#include "base/crc64.h"

#ifndef RSP_NO_ISAL
#include <isa-l/crc64.h>
#endif

#include "base/bytes.h"

#define ISAL_LEAST 64 /* below this the call costs more than the tables do */

/* A CRC is linear over GF(2), so the entry for a byte is the exclusive or of the entries for its
 * bits. ROW takes those eight (for bits 0 to 7) and expands to all 256. */
#define E1(b7, b6, b5, b4, b3, b2, b1, b0, i)                                                    \
    ((((i)&1) ? (b0) : 0) ^ (((i)&2) ? (b1) : 0) ^ (((i)&4) ? (b2) : 0) ^ (((i)&8) ? (b3) : 0) ^ \
     (((i)&16) ? (b4) : 0) ^ (((i)&32) ? (b5) : 0) ^ (((i)&64) ? (b6) : 0) ^ (((i)&128) ? (b7) : 0))
#define E4(h, g, f, e, d, c, b, a, i)                                                                          \
    E1(h, g, f, e, d, c, b, a, (i)), E1(h, g, f, e, d, c, b, a, (i) + 1), E1(h, g, f, e, d, c, b, a, (i) + 2), \
        E1(h, g, f, e, d, c, b, a, (i) + 3)
#define E16(h, g, f, e, d, c, b, a, i)                                                                         \
    E4(h, g, f, e, d, c, b, a, (i)), E4(h, g, f, e, d, c, b, a, (i) + 4), E4(h, g, f, e, d, c, b, a, (i) + 8), \
        E4(h, g, f, e, d, c, b, a, (i) + 12)
#define E64(h, g, f, e, d, c, b, a, i)                                                                              \
    E16(h, g, f, e, d, c, b, a, (i)), E16(h, g, f, e, d, c, b, a, (i) + 16), E16(h, g, f, e, d, c, b, a, (i) + 32), \
        E16(h, g, f, e, d, c, b, a, (i) + 48)
#define ROW(a, b, c, d, e, f, g, h)                                                                        \
    {                                                                                                      \
        E64(h, g, f, e, d, c, b, a, 0), E64(h, g, f, e, d, c, b, a, 64), E64(h, g, f, e, d, c, b, a, 128), \
            E64(h, g, f, e, d, c, b, a, 192)                                                               \
    }

/* table[k][i]: the CRC of byte i followed by k zero bytes. */
static const uint64_t table[8][256] = {
    ROW(0x7ad870c830358979ULL, 0xf5b0e190606b12f2ULL, 0xc038e5739841b68fULL, 0xab28ecb46814fe75ULL,
        0x7d08ff3b88be6f81ULL, 0xfa11fe77117cdf02ULL, 0xdf7adabd7a6e2d6fULL, 0x95ac9329ac4bc9b5ULL),
    ROW(0x89e99ffd73bddf69ULL, 0x388a19a9bfec2db9ULL, 0x711433537fd85b72ULL, 0xe22866a6ffb0b6e4ULL,
        0xef09eb1ea7f6fea3ULL, 0xf54af06e177a6e2dULL, 0xc1ccc68f76634f31ULL, 0xa8c0ab4db4510d09ULL),
    ROW(0xf4125129ce4038beULL, 0xc37d8400c417e217ULL, 0xada22e52d0b85745ULL, 0x701d7af6f9e73de1ULL,
        0xe03af5edf3ce7bc2ULL, 0xeb2ccd88bf0b64efULL, 0xfd00bd4226815ab5ULL, 0xd1585cd715952601ULL),
    ROW(0x8ce168638c796306ULL, 0x329bf69440655567ULL, 0x6537ed2880caaaceULL, 0xca6fda510195559cULL,
        0xbf8692f15bbd3853ULL, 0x545403b1efede3cdULL, 0xa8a80763dfdbc79aULL, 0x7a092894e7201c5fULL),
    ROW(0x3504e58b9ba6dd1eULL, 0x6a09cb17374dba3cULL, 0xd413962e6e9b7478ULL, 0x837e0a0f85a17b9bULL,
        0x2da5324c53d5645dULL, 0x5b4a6498a7aac8baULL, 0xb694c9314f559174ULL, 0x4670b431c63cb183ULL),
    ROW(0xe39d1389931b9354ULL, 0xec6301407ea0b5c3ULL, 0xf39f24d3a5d6f8edULL, 0xcc676ff4133a62b1ULL,
        0xb397f9bb7ee35609ULL, 0x4c76d525a5513f79ULL, 0x98edaa4b4aa27ef2ULL, 0x1a8272c5cdd36e8fULL),
    ROW(0x62a95de6e302eff2ULL, 0xc552bbcdc605dfe4ULL, 0xa1fc51c8d49c2ca3ULL, 0x68a185c2f1afca2dULL,
        0xd1430b85e35f945aULL, 0x89df31589e28bbdfULL, 0x38e744e264c6e4d5ULL, 0x71ce89c4c98dc9aaULL),
    ROW(0x381d0015c96f4444ULL, 0x703a002b92de8888ULL, 0xe074005725bd1110ULL, 0xebb126fd13edb14bULL,
        0xfc3b6ba97f4cf1fdULL, 0xd32ff101a60e7091ULL, 0x8d06c450148b7249ULL, 0x3154aef3718177f9ULL),
};

uint64_t crc64_portable(uint64_t crc, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t x = crc ^ load_le64(p);
        crc = table[7][x & 255] ^ table[6][x >> 8 & 255] ^ table[5][x >> 16 & 255] ^ table[4][x >> 24 & 255] ^
              table[3][x >> 32 & 255] ^ table[2][x >> 40 & 255] ^ table[1][x >> 48 & 255] ^ table[0][x >> 56];
    }
    for (; n; p++, n--) crc = crc >> 8 ^ table[0][(crc ^ *p) & 255];
    return crc;
}

uint64_t crc64(uint64_t crc, const void *data, size_t n)
{
#ifndef RSP_NO_ISAL
    /* ISA-L inverts the value on its way in and out. */
    if (n >= ISAL_LEAST) return ~crc64_jones_refl(~crc, data, n);
#endif
    return crc64_portable(crc, data, n);
}
