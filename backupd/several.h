/* What this is: the repositories that one backup goes to: `repos = a, b`, or the one of --repo.
 * Rests on: context.h.
 * Does not: store anything. */
#ifndef BACKUPD_SEVERAL_H
#define BACKUPD_SEVERAL_H

#include "backupd/context.h"

/* What --repo or --repos names, the nearer of them; n is at least 1, and name[0] NULL when there is none. The texts live as
 * long as the process. -1, or the exit status after words. */
struct several_names {
    size_t n;
    const char *name[SNAPSHOT_PLACES_MAX];
};
int several_names(struct several_names *names, const struct context *c);

struct several_place {
    const char *name;  /* URL or section */
    struct context *c; /* of it */
    int code;          /* -1: open; else the exit status that it ended with */
    size_t result;     /* its number among the results of the backup, when it is open */
};

/* May not be moved once it is open. */
struct several {
    struct context own[SNAPSHOT_PLACES_MAX - 1]; /* of all but the first */
    struct several_place place[SNAPSHOT_PLACES_MAX];
    struct several_names names;
    size_t n, open;
    struct context *first;                          /* of the first that is open */
    struct rsp_repo *also[SNAPSHOT_PLACES_MAX - 1]; /* of the others that are */
    struct rsp_commit_result results[SNAPSHOT_PLACES_MAX];
};

/* Opens each for writing to source. One that cannot be opened is told and left out. -1, or, when none is open, the exit
 * status of the first; several_close is due either way. c: the command's own context, which becomes that of the first. */
int several_open(struct several *s, struct context *c, const char *source);
/* What became of each, on standard error and below the report: nothing when there is but one. j: into the open object. */
void several_report(const struct several *s, struct json *j);
/* The logs of the results belong to the contexts from here on. */
void several_take_logs(struct several *s);
/* code, or EXIT_FINDINGS in place of EXIT_OK when one of them has not got the snapshot; the troubles of all but the first
 * context are told, that of the command's own is main's. */
int several_finish(struct several *s, const struct context *c, int code);
void several_close(struct several *s);

#endif
