/* What this is: joining the sums of two pieces.
 * Rests on: crc64.h.
 * Does not: see the bytes.
 *
 * With init 0 and xorout 0 the sum is linear: that of A followed by n bytes is that of A times x^(8n)
 * modulo the polynomial, plus that of the n bytes alone. Polynomials are held reflected, as the sum
 * is: the highest bit is x^0. */
#include "base/crc64.h"

#define POLY 0x95ac9329ac4bc9b5ULL
#define X_TO_0 (1ULL << 63)
#define X_TO_8 (1ULL << 55)

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t r = 0;
    for (; a; a <<= 1) {
        if (a & X_TO_0) r ^= b;
        b = b & 1 ? b >> 1 ^ POLY : b >> 1;
    }
    return r;
}

static uint64_t x_to_bytes(uint64_t n)
{
    uint64_t r = X_TO_0, square = X_TO_8;
    for (; n; n >>= 1) {
        if (n & 1) r = times(r, square);
        square = times(square, square);
    }
    return r;
}

uint64_t crc64_join(uint64_t crc_a, uint64_t crc_b, uint64_t length_b)
{
    return crc_a ? times(crc_a, x_to_bytes(length_b)) ^ crc_b : crc_b;
}
