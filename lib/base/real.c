/* What this is: the text of doubles.
 * Rests on: real.h, snprintf, strtod.
 * Does not: let the locale's decimal point through. */
#include "base/real.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

size_t real_text(char out[REAL_TEXT], double d)
{
    char text[REAL_TEXT];
    size_t n;
    if (isnan(d)) return (size_t)(memcpy(out, "nan", 3), 3);
    if (isinf(d)) {
        memcpy(out, d < 0 ? "-inf" : "inf", 4);
        return d < 0 ? 4 : 3;
    }
    if (d > -1e15 && d < 1e15 && d == (double)(int64_t)d && (d != 0 || !signbit(d))) return i64_text(out, (int64_t)d);
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, d);
        if (precision == 17 || strtod(text, NULL) == d) break;
    }
    n = 0;
    for (size_t i = 0; text[i]; i++) {
        int plain = (text[i] >= '0' && text[i] <= '9') || text[i] == '-' || text[i] == '+' || text[i] == 'e';
        if (plain) out[n++] = text[i];
        else if (n && out[n - 1] != '.')
            out[n++] = '.'; /* the only other thing is the locale's point, of one byte or more */
    }
    return n;
}
