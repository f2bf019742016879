/* What this is: base32 of RFC 4648 without padding.
 * Rests on: base32.h.
 * Does not: pass over blanks or signs between the letters. */
#include "seal/base32.h"

static char letter(uint32_t v)
{
    return (char)(v < 26 ? 'a' + v : '2' + (v - 26));
}

static int value(char c)
{
    if (c >= 'a' && c <= 'z') return c - 'a';
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= '2' && c <= '7') return c - '2' + 26;
    return -1;
}

void base32_text(char *out, const uint8_t *p, size_t n)
{
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++) {
        held = (held << 8 | p[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5) *out++ = letter(held >> (bits - 5) & 31);
    }
    if (bits) *out = letter(held << (5 - bits) & 31);
}

int base32_parse(const char *s, size_t s_n, uint8_t *out, size_t n)
{
    uint32_t held = 0;
    unsigned bits = 0;
    size_t at = 0;
    if (s_n != BASE32_TEXT(n)) return 0;
    for (size_t i = 0; i < s_n; i++) {
        int v = value(s[i]);
        if (v < 0) return 0;
        held = (held << 5 | (uint32_t)v) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out[at++] = (uint8_t)(held >> bits);
        }
    }
    return (held & ((1u << bits) - 1)) == 0;
}
