/* What this is: what the files of a restore into running servers share.
 * Rests on: restore.h, cli/reading.h (filters), cli/losses.h, respite/sys/live.h.
 * Does not: leave backupd/restore_live*.c. */
#ifndef BACKUPD_RESTORE_LIVE_H
#define BACKUPD_RESTORE_LIVE_H

#include <respite/sys/live.h>

#include "backupd/restore.h"
#include "cli/losses.h"
#include "cli/reading.h"

#define DBS_MOST 1024

struct live {
    struct restore *r;
    struct job job; /* the filter, and the run that it is part of */
    struct rsp_load_options o;
    struct rsp_load_report report;
    struct rsp_resp_db dbs[DBS_MOST];
    size_t *streams; /* of the manifest, those that are dumps: o.streams of them */
    size_t stream;   /* the one that was opened last: an index into these */
    struct losses_file losses;
    uint64_t plain;
    char place[320];
};

/* Words or JSON, of a dry run too. */
void restore_live_report(const struct live *l);
/* The exit status that the report means. */
int restore_live_verdict(const struct live *l);

#endif
