/* What this is: secrets typed at a terminal, without echo.
 * Rests on: termios(3).
 * Does not: go round a signal: an interrupted prompt gives the echo back first. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stddef.h>

/* 1 when somebody can be asked: standard input is a terminal, or standard error is and there is a controlling one. */
int terminal_there(void);
/* One line without its line feed, at most cap bytes: 0, or -1 (end, signal, too long). */
int terminal_line(const char *prompt, char *out, size_t cap, size_t *n);
/* Lines up to an empty one or the end, each with its line feed. */
int terminal_secret(const char *prompt, char *out, size_t cap, size_t *n);

#endif
