/* What this is: decimal text of integers, both ways.
 * Rests on: bytes.h.
 * Does not: know about floating point. */
#include "base/bytes.h"

static const char pairs[200] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                               "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                               "8081828384858687888990919293949596979899";

static inline size_t digits(uint64_t v)
{
    size_t n = 1;
    for (;; v /= 10000, n += 4) {
        if (v < 10) return n;
        if (v < 100) return n + 1;
        if (v < 1000) return n + 2;
        if (v < 10000) return n + 3;
    }
}

size_t u64_text(char *out, uint64_t v)
{
    size_t n = digits(v), at = n;
    while (v >= 100) {
        at -= 2;
        memcpy(out + at, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) memcpy(out, pairs + 2 * v, 2);
    else out[0] = (char)('0' + v);
    return n;
}

size_t i64_text(char *out, int64_t v)
{
    if (v >= 0) return u64_text(out, (uint64_t)v);
    out[0] = '-';
    return 1 + u64_text(out + 1, 0 - (uint64_t)v);
}

int i64_parse(const uint8_t *p, size_t n, int64_t *v)
{
    int minus;
    uint64_t u = 0, most;
    if (n == 0 || n > I64_TEXT) return 0;
    minus = *p == '-';
    p += minus, n -= (size_t)minus;
    if (n == 0 || n > 19) return 0; /* 19 digits cannot overflow 64 bits */
    if (p[0] == '0' && (n > 1 || minus)) return 0;
    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned)p[i] - '0';
        if (d > 9) return 0;
        u = u * 10 + d;
    }
    most = (uint64_t)INT64_MAX + (uint64_t)minus;
    if (u > most) return 0;
    *v = as_i64(minus ? 0 - u : u);
    return 1;
}
