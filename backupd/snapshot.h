/* What this is: the snapshot that an operand names, opened, for the verbs that read one.
 * Rests on: context.h.
 * Does not: read its data. */
#ifndef BACKUPD_SNAPSHOT_H
#define BACKUPD_SNAPSHOT_H

#include "backupd/context.h"

struct chosen {
    struct rsp_record *record; /* of the context's log */
    struct rsp_snapshot *snapshot;
    char name[SNAPSHOT_TEXT];
    int damaged; /* accepted as damaged when it was stored */
    int doubts;  /* the log has faults, and the snapshot was named all the same */
};
/* Opens repository, log and snapshot. "latest" is refused (EXIT_INTEGRITY) when the log has faults: something newer may have
 * been taken away; a snapshot that is named goes on with a warning. Returns -1 to go on, else the exit status after a
 * message. chosen_close is due either way. */
int chosen_open(struct context *c, const char *id, struct chosen *s);
/* The exit status of a verb that did its work on it: code, or EXIT_FINDINGS when the data was accepted as damaged or the log
 * has faults. */
int chosen_finish(struct context *c, const struct chosen *s, int code);
void chosen_close(struct chosen *s);

#endif
