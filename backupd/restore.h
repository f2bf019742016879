/* What this is: what the files of `backupd restore` share: the snapshot, and where it goes.
 * Rests on: snapshot.h, cli/connection.h.
 * Does not: write anything. */
#ifndef BACKUPD_RESTORE_H
#define BACKUPD_RESTORE_H

#include "backupd/snapshot.h"
#include "cli/connection.h"

enum restore_kind { RESTORE_FILE = 1, RESTORE_DIR = 2, RESTORE_LIVE = 4 };

struct restore {
    struct context *c;
    enum restore_kind kind;
    struct chosen chosen;
    struct connection connection;
};

/* Each prints its report; the exit status. The second half of live_usage's checks needs no snapshot either. */
int restore_dir_usage(struct restore *r);
int restore_dir(struct restore *r);
int restore_live(struct restore *r);
/* What is at odds in --ttl and --db-map: -1, or EXIT_USAGE. */
int restore_live_usage(struct restore *r);

/* The snapshot's first stream of kind rdb: its index, or -1 after words. */
int restore_stream(const struct restore *r, size_t *stream);

#endif
