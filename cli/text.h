/* What this is: bytes of keys and names as text that a terminal may be shown.
 * Rests on: the C library.
 * Does not: lose anything: what is no printable UTF-8 becomes \xHH, a backslash becomes two. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* At most `most` bytes of the n at p to stdout, "..." behind them when there are more. */
void text_put(const uint8_t *p, size_t n, size_t most);

#endif
