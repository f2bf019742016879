/* What this is: a caught SIGINT, SIGTERM or SIGHUP as a flag that the programs look at.
 * Rests on: the C library.
 * Does not: interrupt anything by itself. */
#ifndef CLI_SIGNAL_H
#define CLI_SIGNAL_H

/* Called once, first thing in main. The first of the three signals only sets the flag; a second
 * one of the same kind kills as usual. A signal that was ignored at the start (nohup) stays
 * ignored. SIGPIPE is ignored from now on: a write answers EPIPE. */
void signal_install(void);

/* The number of the signal that was caught, or 0. Cheap: to be asked in every loop. */
int signal_caught(void);

/* The flag itself, for a library that looks at one: 0 until a signal is caught. */
const volatile int *signal_flag(void);

/* 128 + the caught signal's number; EXIT_OK when there is none. */
int signal_exit_status(void);

#endif
