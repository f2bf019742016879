/* What this is: a token bucket that may be overdrawn: whoever takes much waits afterwards.
 * Rests on: rate.h.
 * Does not: sleep. */
#include "job/rate.h"

#define WAIT_MAX_MS 86400000.0

void rate_init(struct rate *r, uint64_t per_s)
{
    r->per_s = per_s;
    r->last_ms = 0;
    r->left = 0;
    r->begun = 0;
}

int64_t rate_take(struct rate *r, int64_t now_ms, uint64_t n)
{
    double burst = (double)r->per_s / 10, wait;
    if (!r->per_s) return 0;
    if (burst < 1) burst = 1;
    if (!r->begun) {
        r->left = burst;
        r->last_ms = now_ms;
        r->begun = 1;
    }
    if (now_ms > r->last_ms) r->left += ((double)now_ms - (double)r->last_ms) * (double)r->per_s / 1000;
    r->last_ms = now_ms;
    if (r->left > burst) r->left = burst;
    r->left -= (double)n;
    if (r->left >= 0) return 0;
    wait = -r->left * 1000 / (double)r->per_s;
    return wait > WAIT_MAX_MS ? (int64_t)WAIT_MAX_MS : (int64_t)wait + 1;
}
