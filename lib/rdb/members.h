/* What this is: a set of 128-bit keyed hashes, to find a member that is there twice.
 * Rests on: base/mem.h, base/sip.h.
 * Does not: keep the members: under a random key two of them share 128 bits with a chance of 2^-128. */
#ifndef RDB_MEMBERS_H
#define RDB_MEMBERS_H

#include "base/mem.h"
#include "base/sip.h"

struct members {
    const struct rsp_env *env; /* borrowed */
    struct sip128 *slot;       /* all zero: free */
    size_t cap;                /* slots allocated */
    size_t used, n;            /* slots in use now (a power of two, or 0), members in them */
};

void members_init(struct members *m, const struct rsp_env *env);
/* Empties it, ready for about `expected` members. RSP_ENOMEM. */
int members_clear(struct members *m, uint64_t expected);
/* RSP_OK: it is new; RSP_END: it was there already; RSP_ENOMEM. */
int members_add(struct members *m, struct sip128 h);
void members_free(struct members *m);

#endif
