/* What this is: base32 of RFC 4648 without padding, as identities are written.
 * Rests on: nothing.
 * Does not: know what it carries; look anything up by a secret: the letters are computed. */
#ifndef SEAL_BASE32_H
#define SEAL_BASE32_H

#include <stddef.h>
#include <stdint.h>

#define BASE32_TEXT(n) (((n)*8 + 4) / 5) /* letters for n bytes */

/* BASE32_TEXT(n) letters into out, lower case, without a terminator. */
void base32_text(char *out, const uint8_t *p, size_t n);
/* 1 when the s_n letters at s, of either case, are exactly n bytes and no bit beside them is set. */
int base32_parse(const char *s, size_t s_n, uint8_t *out, size_t n);

#endif
