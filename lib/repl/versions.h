/* What this is: which RDB a server of a kind and version writes and loads.
 * Rests on: respite/rdb.h.
 * Does not: ask a server. */
#ifndef REPL_VERSIONS_H
#define REPL_VERSIONS_H

#include <respite/rdb.h>

/* kind "redis" or "valkey", version_n = major * 10000 + minor * 100 + patch. *dialect is the one it writes (enum
 * rsp_rdb_dialect), *rdb_version the newest that it loads; of a newer server than the table knows that of the newest in
 * it. RSP_EVERSION (no words; both 0) when kind is another or version_n is 0. */
int server_rdb_version(const char *kind, uint32_t version_n, uint8_t *dialect, uint16_t *rdb_version);

#endif
