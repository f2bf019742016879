/* What this is: the shortest decimal text of a double.
 * Rests on: json_text.h; base/real.h for very large and very small numbers.
 * Does not: depend on the locale. */
#include <math.h>

#include "base/real.h"
#include "export/json_text.h"

__extension__ typedef unsigned __int128 wide;

/* Writes r / 10^k, r > 0, without zeros at the end. */
static size_t put_decimal(char *out, uint64_t r, unsigned k)
{
    char digits[U64_TEXT];
    size_t n, whole, at = 0;
    while (k && r % 10 == 0) r /= 10, k--;
    n = u64_text(digits, r);
    if (!k) {
        memcpy(out, digits, n);
        return n;
    }
    if (n > k) {
        whole = n - k;
        memcpy(out, digits, whole);
        at = whole;
    } else {
        whole = 0;
        out[at++] = '0';
    }
    out[at++] = '.';
    if (n < k) {
        memset(out + at, '0', k - n);
        at += k - n;
    }
    memcpy(out + at, digits + whole, n - whole);
    return at + (n - whole);
}

/* d in [1e-5, 2^53) in exact integers: d = m / 2^s, and r / 10^k reads back to it when
 * |r * 2^s - m * 10^k| is below half of 10^k (one unit of m is 10^k here). 15 digits are tried, then
 * 16 and 17. Returns 0 when d is out of that range. */
static size_t put_exact(char *out, double d)
{
    static const double tens[] = {1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0,  1e1,  1e2,  1e3,  1e4, 1e5,
                                  1e6,  1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    static const uint64_t powers[] = {1,       10,       100,       1000,       10000,       100000,
                                      1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000};
    uint64_t bits, m;
    unsigned s, e = 0, share = 2;
    memcpy(&bits, &d, sizeof bits);
    m = (bits & 0xfffffffffffff) | 0x10000000000000;
    s = 1075 - (unsigned)(bits >> 52);
    if (!(d >= 1e-5 && d < 9007199254740992.0)) return 0;
    if (m == 0x10000000000000) share = 4; /* the neighbour below a power of two is half as far */
    while (e + 1 < sizeof tens / sizeof *tens && d >= tens[e + 1]) e++; /* first digit stands at 10^(e - 5) */
    for (unsigned count = 15; count <= 17; count++) {
        int places = (int)count - 1 - ((int)e - 5);
        unsigned k = places > 0 ? (unsigned)places : 0;
        wide ten, x, r, left;
        if (k > 22) break; /* m * 10^k would not fit */
        ten = k < 12 ? (wide)powers[k] : (wide)powers[11] * powers[k - 11];
        x = m * ten;
        r = x >> s;
        left = x - (r << s);
        if (left >> (s - 1)) {
            r++;
            left = ((wide)1 << s) - left;
        }
        if (share * left < ten && r <= UINT64_MAX) return put_decimal(out, (uint64_t)r, k);
    }
    return 0;
}

/* A few decimals, as most scores have: r / 10^k is a correctly rounded division of two exact numbers, so what
 * it gives is what a reader of the text gets. 0 when d is no such number. */
static size_t put_short(char *out, double d)
{
    static const double tens[] = {1, 10, 100, 1000, 10000};
    if (!(d >= 1e-4 && d < 1e11)) return 0; /* at most 15 digits */
    for (unsigned k = 1; k < 5; k++) {
        uint64_t r = (uint64_t)(d * tens[k]);
        if ((double)r == d * tens[k] && (double)r / tens[k] == d) return put_decimal(out, r, k);
    }
    return 0;
}

size_t json_double_text(char *out, double d)
{
    size_t minus = signbit(d) ? 1 : 0, n;
    if (isnan(d)) {
        memcpy(out, "\"nan\"", 5);
        return 5;
    }
    if (isinf(d)) {
        memcpy(out, minus ? "\"-inf\"" : "\"inf\"", 6);
        return minus ? 6 : 5;
    }
    if (minus) out[0] = '-';
    d = fabs(d);
    if (d < 9007199254740992.0 && d == (double)(uint64_t)d) {
        n = minus + u64_text(out + minus, (uint64_t)d);
        if (d != 0 || !minus) return n;
        memcpy(out + n, ".0", 2); /* an integer's reader would lose the sign of -0 */
        return n + 2;
    }
    n = put_short(out + minus, d);
    if (!n) n = put_exact(out + minus, d);
    if (!n) n = real_text(out + minus, d);
    return n + minus;
}
