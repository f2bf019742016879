/* What this is: the text of a score, strictly.
 * Rests on: score.h; strtod.
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

/* Plain decimals of up to 15 digits, without a library call. Both the digits as an integer and the
 * power of ten are exact doubles then, so their quotient is the correctly rounded value. */
static int plain_decimal(struct rsp_span t, double *d)
{
    static const double tens[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    size_t i = t.n && t.p[0] == '-', digits = 0, point = 0, decimals = 0;
    int64_t v = 0;
    if (t.n > 17) return 0;
    for (size_t k = i; k < t.n; k++) {
        if (t.p[k] == '.' && !point && digits) {
            point = 1;
        } else if (t.p[k] >= '0' && t.p[k] <= '9' && digits < 15) {
            v = v * 10 + (t.p[k] - '0');
            digits++;
            decimals += point;
        } else {
            return 0;
        }
    }
    if (!digits || (point && !decimals)) return 0;
    *d = (double)v / tens[decimals];
    if (i) *d = -*d;
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
    if (plain_decimal(t, d)) return 0;
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
