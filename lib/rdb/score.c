/* What this is: the text of a score, strictly.
 * Rests on: score.h; strtod_l in the C locale.
 * Does not: accept blanks, hexadecimal or trailing bytes. */
#include "rdb/score.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int word(struct rsp_span t, const char *s)
{
    return t.n == strlen(s) && !memcmp(t.p, s, t.n);
}

/* Up to 15 digits, exactly: no library call. */
static int small_integer(struct rsp_span t, double *d)
{
    size_t i = t.n && t.p[0] == '-';
    int64_t v = 0;
    if (t.n == i || t.n - i > 15) return 0;
    for (size_t k = i; k < t.n; k++) {
        if (t.p[k] < '0' || t.p[k] > '9') return 0;
        v = v * 10 + (t.p[k] - '0');
    }
    *d = i ? -(double)v : (double)v;
    return 1;
}

/* strtod with the decimal point of the C locale, whatever the process has set. */
static double c_strtod(char *text, char **end)
{
    const char *point = localeconv()->decimal_point;
    if (point[0] != '.' && point[0] && !point[1]) {
        char *dot = strchr(text, '.');
        if (dot) *dot = point[0];
    }
    return strtod(text, end);
}

int score_parse(struct rsp_span t, double *d)
{
    char text[128], *end;
    if (small_integer(t, d)) return 0;
    if (word(t, "inf") || word(t, "+inf")) {
        *d = INFINITY;
        return 0;
    }
    if (word(t, "-inf")) {
        *d = -INFINITY;
        return 0;
    }
    if (word(t, "nan") || word(t, "-nan")) {
        *d = NAN;
        return 0;
    }
    if (!t.n || t.n >= sizeof text) return -1;
    for (size_t i = 0; i < t.n; i++) {
        uint8_t c = t.p[i];
        if (!((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E')) return -1;
    }
    memcpy(text, t.p, t.n);
    text[t.n] = 0;
    *d = c_strtod(text, &end);
    return *end ? -1 : 0;
}
