/* What this is: a progress line on a terminal's stderr: bytes, percent, rate, time left.
 * Rests on: cli/print.h.
 * Does not: write anything when stderr is no terminal; know what is being done. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

struct progress;

/* Starts a line. total 0: not known, only bytes and rate are shown. label may be NULL.
 * NULL when off is not 0, when stderr is no terminal or memory is short: every function takes NULL.
 * One line at a time in a process. */
struct progress *progress_start(const char *label, uint64_t total, int off);

/* done: bytes so far. From any thread, as often as one likes: it is one relaxed store, a look at
 * the clock only every 64 KiB, and a redraw at most ten times a second. */
void progress_update(struct progress *p, uint64_t done);

/* Removes the line from the terminal and frees p. */
void progress_end(struct progress *p);

/* Between these two the line is off the terminal, so that other text may be written there.
 * print_err and its kin use them; so must whoever writes to a terminal while the line is up. */
void progress_hide(void);
void progress_show(void);

/* For tests: formats the line (no terminal codes) into out, cut to width columns. */
void progress_format(char *out, unsigned size, unsigned width, const char *label, uint64_t done, uint64_t total,
                     double seconds);

#endif
