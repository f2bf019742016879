/* What this is: turns of threads by the length that they ask for (EEVDF, Linux 6.12), and by SCHED_BATCH before.
 * Rests on: sync_turns.h.
 * Does not: fail: what a kernel refuses stays as it was. */
#include "repl/sync_turns.h"

#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LONG_NS 100000000
#define SHORT_NS 100000

struct attr { /* the kernel's sched_attr, its first version */
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static int get(struct attr *a)
{
    memset(a, 0, sizeof *a);
    return syscall(SYS_sched_getattr, 0, a, (unsigned)sizeof *a, 0u) == 0;
}

static int set(struct attr *a, unsigned policy, uint64_t slice)
{
    a->size = sizeof *a;
    a->policy = policy;
    a->runtime = slice;
    return syscall(SYS_sched_setattr, 0, a, 0u) == 0;
}

void turns_long(struct turns *before)
{
    struct attr a;
    before->changed = 0;
    if (!get(&a) || a.policy != SCHED_OTHER) return;
    before->policy = a.policy;
    before->slice = a.runtime;
    before->changed = set(&a, SCHED_BATCH, LONG_NS);
}

void turns_back(const struct turns *before)
{
    struct attr a;
    if (before->changed && get(&a)) (void)set(&a, before->policy, before->slice);
}

void turns_usual(void)
{
    struct attr a;
    if (get(&a) && a.policy == SCHED_BATCH && a.runtime == LONG_NS) (void)set(&a, SCHED_OTHER, 0);
}

void turns_short(void)
{
    struct attr a;
    if (get(&a) && a.policy == SCHED_OTHER) (void)set(&a, a.policy, SHORT_NS);
}
