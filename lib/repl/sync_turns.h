/* What this is: how a thread shares the processors with a server that runs on the same machine.
 * Rests on: sched_setattr of Linux.
 * Does not: take a share away from anybody: priorities stay what they are.
 *
 * The process that a server forks for its dataset is the slowest link of a capture: each moment in which it, or the server
 * that passes its pipe on, waits for a processor is a moment lost. Kernels that cannot do what is asked here go on as they
 * did. */
#ifndef REPL_SYNC_TURNS_H
#define REPL_SYNC_TURNS_H

struct turns {
    unsigned policy;
    unsigned long long slice;
    int changed;
};

/* The calling thread, and threads that it starts, work in long turns and let others go first when these wake: for what is
 * computed. Nothing changes for a thread that was given a policy of its own. */
void turns_long(struct turns *before);
/* As it was. */
void turns_back(const struct turns *before);
/* For a process that such a thread has forked: what turns_long has set is taken back. */
void turns_usual(void);
/* The calling thread works in short turns, and is let in soon: for what only moves bytes. */
void turns_short(void);

#endif
