/* What this is: the table of servers and their RDB versions.
 * Rests on: versions.h.
 * Does not: know what a version may hold; rdb/ does. */
#include "repl/versions.h"

#include <string.h>

struct since {
    uint32_t version_n;
    uint8_t dialect;
    uint16_t rdb_version;
};

/* Newest first. A release candidate counts as the release before it (7.3.240 is 7.4-rc1): what is written for that one
 * it loads too. */
static const struct since redis[] = {
    {81000, RSP_RDB_REDIS, 15}, {80800, RSP_RDB_REDIS, 14}, {80600, RSP_RDB_REDIS, 13}, {70400, RSP_RDB_REDIS, 12},
    {70200, RSP_RDB_REDIS, 11}, {70000, RSP_RDB_REDIS, 10}, {50000, RSP_RDB_REDIS, 9},  {40000, RSP_RDB_REDIS, 8},
    {30200, RSP_RDB_REDIS, 7},  {20600, RSP_RDB_REDIS, 6},  {20400, RSP_RDB_REDIS, 2},  {1, RSP_RDB_REDIS, 1},
};
static const struct since valkey[] = {
    {90200, RSP_RDB_VALKEY, 81},
    {90000, RSP_RDB_VALKEY, 80},
    {1, RSP_RDB_REDIS, 11},
};

int server_rdb_version(const char *kind, uint32_t version_n, uint8_t *dialect, uint16_t *rdb_version)
{
    const struct since *t = NULL;
    size_t n = 0;
    *dialect = 0;
    *rdb_version = 0;
    if (!strcmp(kind, "redis")) {
        t = redis;
        n = sizeof redis / sizeof *redis;
    } else if (!strcmp(kind, "valkey")) {
        t = valkey;
        n = sizeof valkey / sizeof *valkey;
    }
    for (size_t i = 0; i < n; i++)
        if (version_n >= t[i].version_n) {
            *dialect = t[i].dialect;
            *rdb_version = t[i].rdb_version;
            return RSP_OK;
        }
    return RSP_EVERSION;
}
