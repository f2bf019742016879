/* What this is: reading the retention policy.
 * Rests on: policy.h.
 * Does not: know defaults but those of the option table. */
#include "backupd/policy.h"

#include <string.h>

void policy_read(const struct context *c, struct rsp_retention *policy)
{
    const struct opt_value *v = c->o->value;
    memset(policy, 0, sizeof *policy);
    policy->size = sizeof *policy;
    policy->last = (uint32_t)v[O_KEEP_LAST].number;
    policy->hourly = (uint32_t)v[O_KEEP_HOURLY].number;
    policy->daily = (uint32_t)v[O_KEEP_DAILY].number;
    policy->weekly = (uint32_t)v[O_KEEP_WEEKLY].number;
    policy->monthly = (uint32_t)v[O_KEEP_MONTHLY].number;
    policy->yearly = (uint32_t)v[O_KEEP_YEARLY].number;
    policy->within_ms = v[O_KEEP_WITHIN].number;
    policy->min_age_ms = v[O_MIN_AGE].number;
    policy->as_of_ms = context_as_of(c);
}

static int by_time(const struct rsp_retention *p)
{
    return p->hourly || p->daily || p->weekly || p->monthly || p->yearly || p->within_ms;
}

int policy_any(const struct rsp_retention *policy)
{
    return policy->last || by_time(policy);
}

int policy_only_last(const struct rsp_retention *policy)
{
    return policy->last && !by_time(policy);
}
