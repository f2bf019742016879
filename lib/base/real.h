/* What this is: the shortest decimal text that reads back to the same double.
 * Rests on: bytes.h.
 * Does not: depend on the locale. */
#ifndef BASE_REAL_H
#define BASE_REAL_H

#include <stddef.h>

#define REAL_TEXT 32
/* Integral values below 10^15 plainly ("-3"), others as %.15g to %.17g give them, "inf", "-inf",
 * "nan". No terminator; returns the length. */
size_t real_text(char out[REAL_TEXT], double d);

#endif
