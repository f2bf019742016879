/* What this is: the exit statuses of the three programs.
 * Rests on: respite/status.h.
 * Does not: exit. */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include <respite/status.h>

/* The same for every program; respite-exit-status(7) is the table for users. */
enum exit_code {
    EXIT_OK = 0,
    EXIT_INTERNAL = 1,
    EXIT_USAGE = 2,
    EXIT_FINDINGS = 3,  /* finished, with findings or only in part */
    EXIT_NOT_FOUND = 4, /* what was asked for (a key, a snapshot) is not there */
    EXIT_NO_REPOSITORY = 10,
    EXIT_STATE_IN_USE = 11, /* another process holds the state directory */
    EXIT_NO_KEY = 12,       /* no key at hand opens it */
    EXIT_CONFIG = 20,
    EXIT_SOURCE = 21, /* the input cannot be reached or read */
    EXIT_STORAGE = 22,
    EXIT_FORMAT = 23,
    EXIT_INTEGRITY = 24,
    EXIT_CAPACITY = 25, /* memory, disk, or a limit */
    EXIT_TARGET = 26,   /* the output cannot be reached or written */
    EXIT_SIGNAL = 128,  /* plus the signal's number */
    EXIT_PIPE = 141     /* whoever read our output has gone */
};

/* The exit status of a fault of the library while reading: I/O and network faults are
 * EXIT_SOURCE. A status that is no fault is EXIT_OK; RSP_ECANCELED is 128+n of the signal that
 * was caught (cli/signal.h). */
int exit_of_status(int status);

/* The same, with the exit status that I/O and network faults mean here: EXIT_SOURCE,
 * EXIT_STORAGE, EXIT_TARGET or EXIT_CONFIG. */
int exit_of_fault(int status, int io);

/* One short line per exit status ("usage"), or NULL for a number that is none. */
const char *exit_text(int code);

#endif
