/* What this is: numbers, sizes, durations and ranges of them from text.
 * Rests on: range.h.
 * Does not: round: a value that does not fit is refused. */
#include "match/range.h"

#include <string.h>

int range_word(const char *text, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
        if (!word[i] || c != word[i]) return 0;
    }
    return !word[n];
}

/* Takes the digits at the front; how many, or 0 when there are none or too many. */
static size_t take_digits(const char *text, size_t n, uint64_t *value)
{
    uint64_t v = 0;
    size_t i = 0;
    for (; i < n && text[i] >= '0' && text[i] <= '9'; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (v > (UINT64_MAX - digit) / 10) return 0;
        v = v * 10 + digit;
    }
    *value = v;
    return i;
}

int range_number(const char *text, size_t n, uint64_t *value)
{
    size_t digits = take_digits(text, n, value);
    return digits && digits == n;
}

int range_size(const char *text, size_t n, uint64_t *value)
{
    static const char letters[] = "kmgtpe";
    uint64_t v;
    unsigned shift = 0;
    size_t at = take_digits(text, n, &v);
    if (!at) return 0;
    if (at < n && text[at] != 'b' && text[at] != 'B') {
        char c = (char)(text[at] | 0x20);
        const char *letter = memchr(letters, c, sizeof letters - 1);
        if (!letter) return 0;
        shift = 10 * (unsigned)(letter - letters + 1);
        at++;
    }
    if (at < n && !range_word(text + at, n - at, "b") && !(shift && range_word(text + at, n - at, "ib"))) return 0;
    if (shift && v > UINT64_MAX >> shift) return 0;
    *value = v << shift;
    return 1;
}

int range_duration(const char *text, size_t n, uint64_t *value)
{
    static const struct {
        const char *word;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};
    uint64_t v, factor = 0;
    size_t at = take_digits(text, n, &v);
    if (!at) return 0;
    if (at == n) factor = 1000;
    for (size_t i = 0; !factor && i < sizeof units / sizeof units[0]; i++)
        if (range_word(text + at, n - at, units[i].word)) factor = units[i].ms;
    if (!factor || v > INT64_MAX / factor) return 0;
    *value = v * factor;
    return 1;
}

static int parse_end(const char *text, size_t n, range_unit *unit, uint64_t open, uint64_t *value)
{
    if (n == 0 || range_word(text, n, "inf")) {
        *value = open;
        return 1;
    }
    return unit(text, n, value);
}

int range_parse(const char *text, size_t n, range_unit *unit, struct range *out, const char **why)
{
    const char *tilde = n ? memchr(text, '~', n) : NULL;
    size_t left = tilde ? (size_t)(tilde - text) : n;
    *why = "not a range 'from~to'";
    if (!tilde) return 0;
    if (range_word(text, left, "inf")) {
        *why = "a range cannot begin at infinity";
        return 0;
    }
    *why = "the range's begin cannot be read";
    if (!parse_end(text, left, unit, 0, &out->from)) return 0;
    *why = "the range's end cannot be read";
    if (!parse_end(tilde + 1, n - left - 1, unit, UINT64_MAX, &out->to)) return 0;
    *why = "the range ends before it begins";
    return out->from <= out->to;
}

int range_parse_numbers(const char *text, size_t n, uint64_t max, struct range *out, const char **why)
{
    size_t left = 0;
    *why = "not a number or a range of numbers";
    while (left < n && text[left] != '~' && text[left] != '-') left++;
    if (!range_number(text, left, &out->from)) return 0;
    out->to = out->from;
    if (left < n && !range_number(text + left + 1, n - left - 1, &out->to)) return 0;
    *why = "the number is too large";
    if (out->from > max || out->to > max) return 0;
    *why = "the range ends before it begins";
    return out->from <= out->to;
}

int rsp_parse_size(const char *text, uint64_t *bytes)
{
    return text && bytes && range_size(text, strlen(text), bytes) ? RSP_OK : RSP_EINVAL;
}

int rsp_parse_duration(const char *text, int64_t *ms)
{
    uint64_t v;
    if (!text || !ms || !range_duration(text, strlen(text), &v)) return RSP_EINVAL;
    *ms = (int64_t)v;
    return RSP_OK;
}
