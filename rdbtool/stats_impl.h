/* What this is: stats.c and stats_meta.c among themselves.
 * Rests on: stats.h.
 * Does not: concern anybody else. */
#ifndef RDBTOOL_STATS_IMPL_H
#define RDBTOOL_STATS_IMPL_H

#include "rdbtool/stats.h"

/* An item that is no record. */
int stats_opcode(struct stats *s, const struct rsp_rdb_batch *batch, const struct rsp_rdb_item *item);

#endif
