/* What this is: what a run of repair works with, for the files that do it.
 * Rests on: verify_impl.h, copy_impl.h.
 * Does not: leave this folder. */
#ifndef REPO_REPAIR_IMPL_H
#define REPO_REPAIR_IMPL_H

#include "repo/copy_impl.h"
#include "repo/verify_impl.h"

struct repair {
    struct rsp_log *log;
    struct rsp_repair_options o;
    struct rsp_repair_report report;
    struct verify v; /* what is needed, and what is there */
    struct passing pass;
};
/* Something is damaged: status RSP_OK when it has been repaired (or could be, in a dry run). */
void repair_told(struct repair *r, const char *name, int status, const char *why);
/* rc of fetching it, told; a fault of a store is returned. */
int repair_done(struct repair *r, const char *name, int rc);

/* repair_small.c */
int repair_roles(struct repair *r);
int repair_records(struct repair *r); /* of a mirror that was made file by file */
int repair_envelopes(struct repair *r);

#endif
