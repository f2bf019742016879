/* What this is: bytes of keys and names as text that a terminal may be shown.
 * Rests on: text.h.
 * Does not: judge the width of a character. */
#include "cli/text.h"

#include <stdio.h>

/* Bytes of the printable character at p, 0 when there is none: neither malformed nor a control, which also lie at U+0080-U+009F. */
static size_t printable(const uint8_t *p, size_t n)
{
    size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0x80) return p[0] >= 0x20 && p[0] != 0x7f;
    if (p[0] < 0xc2 || p[0] > 0xf4 || length > n) return 0;
    if ((p[0] == 0xc2 && p[1] < 0xa0) || (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)) return 0;
    if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) return 0;
    for (size_t i = 1; i < length; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    /* Marks that turn the direction of a line around (U+202A-202E, U+2066-2069), and U+2028, U+2029. */
    if (p[0] == 0xe2 &&
        ((p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
        return 0;
    return length;
}

void text_put(const uint8_t *p, size_t n, size_t most)
{
    for (size_t i = 0, length; i < n; i += length) {
        length = printable(p + i, n - i);
        if (i + (length ? length : 1) > most) {
            fputs("...", stdout);
            return;
        }
        if (p[i] == '\\') fputs("\\\\", stdout);
        else if (length) fwrite(p + i, 1, length, stdout);
        else printf("\\x%02x", p[i]);
        if (!length) length = 1;
    }
}
