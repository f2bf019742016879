/* What this is: verify --repair-from, for verify.c.
 * Rests on: context.h.
 * Does not: leave this folder. */
#ifndef BACKUPD_REPAIR_H
#define BACKUPD_REPAIR_H

#include "backupd/context.h"

struct repair_row {
    char name[200], why[256];
    int status;
};
struct repair {
    struct context *c;
    int ran, total_told;
    const char *url; /* of the mirror */
    struct rsp_repair_report report;
    struct repair_row *rows;
    size_t rows_n, rows_cap;
};
/* Repairs what c->log needs, then opens repository and log anew. -1, or the exit status after a message. */
int repair_from(struct context *c, struct repair *r);
void repair_json(const struct repair *r, struct json *j);
void repair_free(struct repair *r);

#endif
