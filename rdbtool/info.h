/* What this is: info's report, between gathering (info.c) and its two forms.
 * Rests on: stats.h, options.h, cli/input.h.
 * Does not: concern other verbs. */
#ifndef RDBTOOL_INFO_H
#define RDBTOOL_INFO_H

#include <respite/sys/digest.h>

#include "cli/input.h"
#include "rdbtool/options.h"
#include "rdbtool/stats.h"

struct info {
    struct job *job;
    const struct input *in;
    struct stats stats;
    struct rsp_rdb_run_result run;
    struct rsp_dd1_table *dd1; /* NULL: not asked for */
    int status;                /* of the reading */
    char fault[512];           /* words of it, when it is a fault */
};

void info_text(struct info *info);
void info_json(struct info *info);

/* "ok", "wrong", "not protected", "none (RDB < 5)", "not reached". */
const char *info_crc(const struct info *info);
/* The file is a whole dataset, so that dd1 and the counts are those of it. */
int info_whole(const struct info *info);
/* The server that wrote the file: "valkey" or "redis" and its version; NULL when the file does not say. */
const char *info_server(const struct info *info, struct rsp_span *version);

#endif
