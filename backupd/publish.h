/* What this is: publishing one record about a snapshot, and saying so.
 * Rests on: context.h.
 * Does not: choose what the record says. */
#ifndef BACKUPD_PUBLISH_H
#define BACKUPD_PUBLISH_H

#include "backupd/context.h"

/* done: what has been done to the snapshot about ("pinned"). Nothing is published with --dry-run. The exit status. */
int publish_one(struct context *c, struct rsp_record *draft, const char *const *tags, size_t tags_n,
                const struct rsp_record *about, const char *done);

#endif
