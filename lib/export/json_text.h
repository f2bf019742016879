/* What this is: strings and numbers as JSON text: escaping, base64, shortest doubles.
 * Rests on: base/bytes.h; SSE2 and SSSE3 where the processor has them.
 * Does not: allocate, or check room: callers reserve what is said beside each function. */
#ifndef EXPORT_JSON_TEXT_H
#define EXPORT_JSON_TEXT_H

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/bytes.h"

/* Bytes that the escaping functions may write past their text: whole vectors are stored. */
#define JSON_SLACK 64
/* At most so many bytes of text per byte of a string. */
#define JSON_GROWTH 6
#define JSON_DOUBLE_TEXT 40

struct json_text {
    uint8_t expand[256][16]; /* shuffle that puts a backslash before the bytes whose bit is set */
    uint8_t pairs[4096][2];  /* base64 of 12 bits */
    int vectors;             /* the processor has what the fast forms need */
};

void json_text_init(struct json_text *t);

#if defined(__SSE2__)
/* n bytes, 1..15, without reading past them; the rest of the vector is zero. */
static inline __m128i json_load_short(const uint8_t *p, size_t n)
{
    uint64_t low, high = 0, tail8;
    uint32_t head4, tail4;
    if (n >= 8) {
        memcpy(&low, p, 8);
        memcpy(&tail8, p + n - 8, 8);
        if (n > 8) high = tail8 >> (8 * (16 - n));
    } else if (n >= 4) {
        memcpy(&head4, p, 4);
        memcpy(&tail4, p + n - 4, 4);
        low = (uint64_t)head4 | (uint64_t)tail4 << (8 * (n - 4));
    } else {
        low = (uint64_t)p[0] | (uint64_t)p[n >> 1] << (8 * (n >> 1)) | (uint64_t)p[n - 1] << (8 * (n - 1));
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

/* 1: p, at most 16 bytes, needs no escaping and has been copied (16 bytes are written); 0: it may. */
static inline int json_copy_clean(const uint8_t *p, size_t n, uint8_t *out)
{
    const __m128i space = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    __m128i v, odd;
    if (!n) return 1;
    v = n == 16 ? _mm_loadu_si128((const __m128i *)(const void *)p) : json_load_short(p, n);
    odd = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)), _mm_cmplt_epi8(v, space));
    if ((unsigned)_mm_movemask_epi8(odd) & ((1u << n) - 1)) return 0;
    _mm_storeu_si128((__m128i *)(void *)out, v);
    return 1;
}
#else
static inline int json_copy_clean(const uint8_t *p, size_t n, uint8_t *out)
{
    (void)p, (void)n, (void)out;
    return 0;
}
#endif

/* Escapes [p, end) as the inside of a JSON string. Returns where it stopped: end, or the first byte
 * of a sequence that is not valid UTF-8 or not complete. *out moves behind the text; it has room
 * for JSON_GROWTH * n + JSON_SLACK bytes. */
const uint8_t *json_escape(const struct json_text *t, const uint8_t *p, const uint8_t *end, uint8_t **out);
/* The same, each byte as the code point of that number; always reaches end. */
void json_escape_latin1(const struct json_text *t, const uint8_t *p, const uint8_t *end, uint8_t **out);
/* json_escape without the vectors. */
const uint8_t *json_escape_plain(const uint8_t *p, const uint8_t *end, uint8_t **out, int latin1);

/* Length of the valid UTF-8 sequence at p, n > 0 bytes visible; 0: invalid or not complete. */
unsigned json_utf8_length(const uint8_t *p, size_t n);

/* Validates UTF-8 that comes in pieces. All zero is the start; 0 from the first fault on. */
struct json_utf8 {
    uint8_t need, low, high; /* bytes that the sequence still lacks, bounds of the next */
    uint8_t bad;
};
int json_utf8_feed(struct json_utf8 *u, const uint8_t *p, size_t n);
int json_utf8_end(const struct json_utf8 *u); /* 1: all of it was valid and complete */

/* Base64 with padding. out has room for json_base64_size(n). Returns behind the text. */
uint8_t *json_base64(const struct json_text *t, const uint8_t *p, size_t n, uint8_t *out);
static inline size_t json_base64_size(size_t n)
{
    return (n / 3 + 1) * 4;
}

/* The shortest text that reads back to d, a JSON number, or "inf", "-inf", "nan" in quotes. out
 * has JSON_DOUBLE_TEXT bytes. Returns the length. */
size_t json_double_text(char *out, double d);

#endif
