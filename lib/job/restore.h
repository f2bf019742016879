/* What this is: a snapshot's stream into a file of a folder that is open already.
 * Rests on: respite/sys/job.h.
 * Does not: leave lib/job. */
#ifndef JOB_RESTORE_H
#define JOB_RESTORE_H

#include <respite/sys/job.h>

/* As rsp_restore_file; of path only the last part is used, the whole in words. dir -1: the folder is path's own. */
int restore_file_at(const struct rsp_env *env, struct rsp_snapshot *snapshot, int dir, const char *path,
                    const struct rsp_restore_options *options, struct rsp_restore_report *report);

#endif
