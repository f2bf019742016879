/* What this is: how long to wait so that no more than so much a second goes out.
 * Rests on: nothing.
 * Does not: sleep, or read a clock: the caller does. */
#ifndef JOB_RATE_H
#define JOB_RATE_H

#include <stdint.h>

struct rate {
    uint64_t per_s; /* 0: no limit */
    int64_t last_ms;
    double left; /* below zero: taken ahead of time */
    int begun;
};

void rate_init(struct rate *r, uint64_t per_s);
/* n more go out now. Milliseconds to wait before anything else does; 0: none. What was not used is kept for at most a
 * tenth of a second. A clock that was set back counts as one that stands. */
int64_t rate_take(struct rate *r, int64_t now_ms, uint64_t n);

#endif
