/* What this is: a snapshot's data as what cli/reading.h reads.
 * Rests on: snapshot.h, cli/reading.h.
 * Does not: filter or format. */
#ifndef BACKUPD_READ_H
#define BACKUPD_READ_H

#include "backupd/snapshot.h"
#include "cli/reading.h"

struct dump_read {
    struct job job;
    struct chosen chosen;
    struct dumps dumps;
    struct reading reading;
};
/* The job of the options, before anything is opened. -1, or the exit status. dump_close is due either way. */
int dump_job(struct context *c, struct dump_read *d);
/* The snapshot's dump; of several, the one that has the key's slot; without a key, or when no dump tells its slots, all of
 * them as one. -1, or the exit status. */
int dump_open(struct context *c, struct dump_read *d, const struct rsp_span *key);
void dump_close(struct dump_read *d);

#endif
