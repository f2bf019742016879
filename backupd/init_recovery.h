/* What this is: where the recovery sheet goes: once to a terminal, or into a new file.
 * Rests on: context.h.
 * Does not: let it lie where a thief of this host or of the storage finds it. */
#ifndef BACKUPD_INIT_RECOVERY_H
#define BACKUPD_INIT_RECOVERY_H

#include "backupd/context.h"

struct recovery {
    const char *path; /* NULL: the terminal */
    int terminal;     /* its descriptor */
    int written;
};

/* Before anything is made: is there a place, and is it a fit one? -1, or the exit status after a message. */
int recovery_check(struct context *c, struct recovery *r);
int recovery_write(struct context *c, struct recovery *r, const struct rsp_identity *root);
/* When no repository came of it. */
void recovery_undo(const struct recovery *r);

/* 1 when path, which need not exist, lies in the directory dir or is it; symbolic links are followed. */
int path_inside(const char *path, const char *dir);

#endif
