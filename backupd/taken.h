/* What this is: what a backup says of the servers that it has captured.
 * Rests on: respite/sys/live.h, cli/print.h.
 * Does not: speak of what was stored. */
#ifndef BACKUPD_TAKEN_H
#define BACKUPD_TAKEN_H

#include <respite/sys/live.h>

#include "cli/print.h"

int taken_point_in_time(const struct rsp_backup_live *t); /* every one of them */
void taken_text(const struct rsp_backup_live *t);
/* A member "captured"; of a cluster "shards" and "skew_ms". */
void taken_json(const struct rsp_backup_live *t, struct json *j);

#endif
