/* What this is: a run of backupd copy, for the files that do it.
 * Rests on: context.h.
 * Does not: leave this folder. */
#ifndef BACKUPD_COPY_H
#define BACKUPD_COPY_H

#include "backupd/context.h"

struct copying {
    struct context *to, from;
    struct json json;
    int as_json, dry_run, total_told;
    struct rsp_record **only; /* of from's log, when IDs were given */
    size_t only_n;
    uint8_t source_id[16];
    const uint8_t *source; /* --source */
    struct rsp_copy_report report;
};
/* A line, or an element of the JSON's "records". made: the hash of the target's record, or NULL. */
void copy_row(struct copying *k, const struct rsp_record *r, int fate, const uint8_t *made, const char *why);
int copy_fault(struct copying *k, int rc);
/* copy_rekey.c: -1 or an exit status. */
int copy_rekey(struct copying *k);

#endif
