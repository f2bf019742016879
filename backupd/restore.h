/* What this is: what the files of `backupd restore` share: the snapshot, and where it goes.
 * Rests on: snapshot.h, cli/connection.h.
 * Does not: write anything. */
#ifndef BACKUPD_RESTORE_H
#define BACKUPD_RESTORE_H

#include "backupd/snapshot.h"
#include "cli/connection.h"

enum restore_kind { RESTORE_FILE = 1, RESTORE_DIR = 2, RESTORE_LIVE = 4, RESTORE_NODES = 8 };

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
int restore_nodes_usage(struct restore *r);
int restore_nodes(struct restore *r);
/* What is at odds in --ttl and --db-map: -1, or EXIT_USAGE. */
int restore_live_usage(struct restore *r);

/* The one dump that goes into a file or a directory: that of --shard, or the only one: its index in the manifest. -1, or the
 * exit status after words that name what there is. *several (may be NULL): it is one of several. */
int restore_stream(const struct restore *r, size_t *stream, int *several);

#endif
