/* What this is: globs as the KEYS command has them.
 * Rests on: respite/sys/filter.h.
 * Does not: know characters: a byte is a byte. */
#include <string.h>

#include <respite/sys/filter.h>

/* Whether byte is in the class behind '[' at p[at - 1]; *next is where the pattern goes on. A
 * class without its ']' ends with the pattern, as it does in the server. */
static int class_holds(const uint8_t *p, size_t n, size_t at, uint8_t byte, size_t *next)
{
    int negate = at < n && p[at] == '^';
    int found = 0;
    if (negate) at++;
    while (at < n && p[at] != ']') {
        if (p[at] == '\\' && n - at >= 2) {
            found |= p[at + 1] == byte;
            at += 2;
        } else if (n - at >= 3 && p[at + 1] == '-') {
            uint8_t low = p[at] < p[at + 2] ? p[at] : p[at + 2];
            uint8_t high = p[at] < p[at + 2] ? p[at + 2] : p[at];
            found |= byte >= low && byte <= high;
            at += 3;
        } else {
            found |= p[at] == byte;
            at++;
        }
    }
    *next = at < n ? at + 1 : n;
    return found != negate;
}

/* Whether the one pattern item at p[at], which is no '*', takes byte. */
static int item_takes(const uint8_t *p, size_t n, size_t at, uint8_t byte, size_t *next)
{
    switch (p[at]) {
    case '?': *next = at + 1; return 1;
    case '[': return class_holds(p, n, at + 1, byte, next);
    case '\\':
        if (n - at >= 2) at++;
        break;
    default: break;
    }
    *next = at + 1;
    return p[at] == byte;
}

static int is_special(uint8_t c)
{
    return c == '*' || c == '?' || c == '[' || c == '\\';
}

/* Only the last '*' is ever taken back: an earlier one that took more could not help, since what
 * stands between the two has matched at its first place. */
int rsp_glob_match(const char *pattern, size_t pattern_n, const uint8_t *text, size_t text_n)
{
    const uint8_t *p = (const uint8_t *)pattern;
    size_t at = 0, i = 0, next;
    size_t star = SIZE_MAX; /* pattern behind the last '*' */
    size_t star_i = 0;      /* text that the last '*' ends before */
    while (i < text_n) {
        if (at < pattern_n && p[at] == '*') {
            while (at < pattern_n && p[at] == '*') at++;
            if (at == pattern_n) return 1;
            star = at;
            star_i = i;
        } else if (at < pattern_n && item_takes(p, pattern_n, at, text[i], &next)) {
            at = next;
            i++;
            continue;
        } else {
            if (star == SIZE_MAX) return 0;
            star_i++;
        }
        if (star_i < text_n && !is_special(p[star])) {
            const uint8_t *hit = memchr(text + star_i, p[star], text_n - star_i);
            if (!hit) return 0;
            star_i = (size_t)(hit - text);
        }
        at = star;
        i = star_i;
    }
    while (at < pattern_n && p[at] == '*') at++;
    return at == pattern_n;
}
