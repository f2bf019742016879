/* What this is: JSON string escaping and base64.
 * Rests on: json_text.h.
 * Does not: know where a string comes from. */
#include "export/json_text.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define FAST __attribute__((target("ssse3,popcnt")))
#endif

void json_text_init(struct json_text *t)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (unsigned mask = 0; mask < 256; mask++) {
        unsigned at = 0;
        for (unsigned i = 0; i < 8; i++) {
            if (mask >> i & 1) t->expand[mask][at++] = 8; /* byte 8 of the vector is the backslash */
            t->expand[mask][at++] = (uint8_t)i;
        }
        while (at < 16) t->expand[mask][at++] = 8;
    }
    for (unsigned i = 0; i < 4096; i++) {
        t->pairs[i][0] = (uint8_t)digits[i >> 6];
        t->pairs[i][1] = (uint8_t)digits[i & 63];
    }
    t->vectors = 0;
#if defined(__x86_64__)
    t->vectors = __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("popcnt");
#endif
}

static int is_tail(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

unsigned json_utf8_length(const uint8_t *p, size_t n)
{
    uint8_t c = p[0];
    if (c < 0x80) return 1;
    if (c < 0xc2 || c > 0xf4) return 0;
    if (c < 0xe0) return n >= 2 && is_tail(p[1]) ? 2 : 0;
    if (c < 0xf0) {
        if (n < 3 || !is_tail(p[1]) || !is_tail(p[2])) return 0;
        if (c == 0xe0 && p[1] < 0xa0) return 0; /* overlong */
        if (c == 0xed && p[1] > 0x9f) return 0; /* surrogate */
        return 3;
    }
    if (n < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3])) return 0;
    if (c == 0xf0 && p[1] < 0x90) return 0; /* overlong */
    if (c == 0xf4 && p[1] > 0x8f) return 0; /* past U+10FFFF */
    return 4;
}

static uint8_t *put_control(uint8_t *o, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char shorts[32] = {[8] = 'b', [9] = 't', [10] = 'n', [12] = 'f', [13] = 'r'};
    *o++ = '\\';
    if (shorts[c]) {
        *o++ = (uint8_t)shorts[c];
        return o;
    }
    memcpy(o, "u00", 3);
    o[3] = (uint8_t)hex[c >> 4];
    o[4] = (uint8_t)hex[c & 15];
    return o + 5;
}

static uint8_t *put_latin1(uint8_t *o, uint8_t c)
{
    o[0] = (uint8_t)(0xc0 | c >> 6);
    o[1] = (uint8_t)(0x80 | (c & 0x3f));
    return o + 2;
}

/* One control character, or the run of bytes above 0x7f that begins at *p; 0: invalid UTF-8 in it. */
static int put_special(const uint8_t **p, const uint8_t *end, uint8_t **out, int latin1)
{
    const uint8_t *q = *p;
    uint8_t *o = *out;
    int ok = 1;
    if (*q < 0x20) {
        o = put_control(o, *q++);
    } else {
        while (q < end && *q >= 0x80) {
            unsigned k;
            if (latin1) {
                o = put_latin1(o, *q++);
                continue;
            }
            k = json_utf8_length(q, (size_t)(end - q));
            if (!k) {
                ok = 0;
                break;
            }
            for (unsigned i = 0; i < k; i++) o[i] = q[i];
            o += k, q += k;
        }
    }
    *p = q, *out = o;
    return ok;
}

const uint8_t *json_escape_plain(const uint8_t *p, const uint8_t *end, uint8_t **out, int latin1)
{
    uint8_t *o = *out;
    while (p < end) {
        uint8_t c = *p;
        if (c >= 0x20 && c < 0x80) {
            if (c == '"' || c == '\\') *o++ = '\\';
            *o++ = c;
            p++;
        } else if (!put_special(&p, end, &o, latin1)) {
            break;
        }
    }
    *out = o;
    return p;
}

#if defined(__x86_64__)

/* The first n bytes of v with a backslash before each whose bit in mask is set. */
FAST static inline uint8_t *put_expanded(const struct json_text *t, uint8_t *o, __m128i v, unsigned mask, size_t n)
{
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i *table = (const __m128i *)(const void *)t->expand;
    unsigned low = mask & 0xff, high = mask >> 8;
    _mm_storeu_si128((__m128i *)(void *)o,
                     _mm_shuffle_epi8(_mm_unpacklo_epi64(v, slash), _mm_loadu_si128(table + low)));
    o += (n < 8 ? n : 8) + (size_t)__builtin_popcount(low);
    if (n <= 8) return o;
    _mm_storeu_si128((__m128i *)(void *)o,
                     _mm_shuffle_epi8(_mm_unpackhi_epi64(v, slash), _mm_loadu_si128(table + high)));
    return o + (n - 8) + (size_t)__builtin_popcount(high);
}

FAST static inline const uint8_t *escape_fast(const struct json_text *t, const uint8_t *p, const uint8_t *end,
                                              uint8_t **out, int latin1)
{
    const __m128i space = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    uint8_t *o = *out;
    while (p < end) {
        size_t n = (size_t)(end - p);
        unsigned odd, mask;
        __m128i v;
        if (n >= 16) {
            n = 16;
            v = _mm_loadu_si128((const __m128i *)(const void *)p);
        } else {
            v = json_load_short(p, n);
        }
        /* As signed bytes everything above 0x7f is below a space too. */
        odd = (unsigned)_mm_movemask_epi8(_mm_cmplt_epi8(v, space)) & ((1u << n) - 1);
        mask = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
        if (!(odd | mask)) {
            _mm_storeu_si128((__m128i *)(void *)o, v);
            o += n, p += n;
            continue;
        }
        if (odd) {
            n = (size_t)__builtin_ctz(odd);
            mask &= (1u << n) - 1;
        }
        o = put_expanded(t, o, v, mask, n);
        p += n;
        if (odd && !put_special(&p, end, &o, latin1)) break;
    }
    *out = o;
    return p;
}

FAST static const uint8_t *escape_fast_utf8(const struct json_text *t, const uint8_t *p, const uint8_t *end,
                                            uint8_t **out)
{
    return escape_fast(t, p, end, out, 0);
}

FAST static void escape_fast_latin1(const struct json_text *t, const uint8_t *p, const uint8_t *end, uint8_t **out)
{
    (void)escape_fast(t, p, end, out, 1);
}

#endif

const uint8_t *json_escape(const struct json_text *t, const uint8_t *p, const uint8_t *end, uint8_t **out)
{
#if defined(__x86_64__)
    if (t->vectors) return escape_fast_utf8(t, p, end, out);
#endif
    (void)t;
    return json_escape_plain(p, end, out, 0);
}

void json_escape_latin1(const struct json_text *t, const uint8_t *p, const uint8_t *end, uint8_t **out)
{
#if defined(__x86_64__)
    if (t->vectors) {
        escape_fast_latin1(t, p, end, out);
        return;
    }
#endif
    (void)t;
    (void)json_escape_plain(p, end, out, 1);
}

static void utf8_lead(struct json_utf8 *u, uint8_t c)
{
    u->low = 0x80, u->high = 0xbf;
    if (c < 0xc2 || c > 0xf4) {
        u->bad = 1;
    } else if (c < 0xe0) {
        u->need = 1;
    } else if (c < 0xf0) {
        u->need = 2;
        if (c == 0xe0) u->low = 0xa0;
        if (c == 0xed) u->high = 0x9f;
    } else {
        u->need = 3;
        if (c == 0xf0) u->low = 0x90;
        if (c == 0xf4) u->high = 0x8f;
    }
}

int json_utf8_feed(struct json_utf8 *u, const uint8_t *p, size_t n)
{
    const uint8_t *end = p + n;
    while (p < end && !u->bad) {
        if (u->need) {
            if (*p < u->low || *p > u->high) u->bad = 1;
            u->low = 0x80, u->high = 0xbf;
            u->need--, p++;
            continue;
        }
        while (end - p >= 8 && !(load_le64(p) & 0x8080808080808080)) p += 8;
        while (p < end && *p < 0x80) p++;
        if (p < end) utf8_lead(u, *p++);
    }
    return !u->bad;
}

int json_utf8_end(const struct json_utf8 *u)
{
    return !u->bad && !u->need;
}

uint8_t *json_base64(const struct json_text *t, const uint8_t *p, size_t n, uint8_t *out)
{
    uint32_t v;
    for (; n >= 8; p += 6, n -= 6, out += 8) { /* eight bytes are loaded, six used */
        uint64_t w = load_be64(p);
        memcpy(out, t->pairs[w >> 52], 2);
        memcpy(out + 2, t->pairs[w >> 40 & 0xfff], 2);
        memcpy(out + 4, t->pairs[w >> 28 & 0xfff], 2);
        memcpy(out + 6, t->pairs[w >> 16 & 0xfff], 2);
    }
    for (; n >= 3; p += 3, n -= 3, out += 4) {
        v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        memcpy(out, t->pairs[v >> 12], 2);
        memcpy(out + 2, t->pairs[v & 0xfff], 2);
    }
    if (!n) return out;
    v = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);
    memcpy(out, t->pairs[v >> 12], 2);
    out[2] = n == 2 ? t->pairs[v & 0xfff][0] : '=';
    out[3] = '=';
    return out + 4;
}
