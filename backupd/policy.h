/* What this is: the retention policy that the options and the configuration make.
 * Rests on: context.h.
 * Does not: apply it. */
#ifndef BACKUPD_POLICY_H
#define BACKUPD_POLICY_H

#include "backupd/context.h"

void policy_read(const struct context *c, struct rsp_retention *policy);
int policy_any(const struct rsp_retention *policy); /* 1: it keeps something by a rule */
int policy_only_last(const struct rsp_retention *policy);

#endif
