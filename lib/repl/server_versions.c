/* What this is: which RDB a server writes and loads, out of the table of servers.
 * Rests on: versions.h, rdb/target.h.
 * Does not: know what a version may hold; rdb/ does. */
#include "repl/versions.h"

#include "rdb/target.h"

int server_rdb_version(const char *kind, uint32_t version_n, uint8_t *dialect, uint16_t *rdb_version)
{
    const struct rdb_server *row = rdb_server(kind, version_n);
    *dialect = row ? row->dialect : 0;
    *rdb_version = row ? row->rdb : 0;
    return row ? RSP_OK : RSP_EVERSION;
}
