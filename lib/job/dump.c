/* What this is: small things that the jobs over a dump share.
 * Rests on: dump.h, respite/sys/pool.h.
 * Does not: check. */
#include "job/dump.h"

#include <string.h>

#include <respite/sys/pool.h>

void dd1_bytes(const struct rsp_dd1_sum *sum, uint8_t out[16])
{
    for (unsigned i = 0; i < 8; i++) {
        out[i] = (uint8_t)(sum->hi >> (56 - 8 * i));
        out[8 + i] = (uint8_t)(sum->lo >> (56 - 8 * i));
    }
}

/* A full check holds 2 batches a worker and 4 more, of 512 KiB, a quick one 4 of 1 MiB; and what a window leaves to the
 * next. Too small a number here would cost notes, not safety (job/tee.h). */
uint64_t check_ahead(unsigned threads, int quick)
{
    uint64_t n = threads ? threads : rsp_pool_processors();
    return (quick ? UINT64_C(4) << 20 : (2 * n + 4) << 19) + (UINT64_C(1) << 19);
}

int finding_status(const char *kind, int worst)
{
    if (worst == RSP_ECHECKSUM || !strcmp(kind, "checksum")) return RSP_ECHECKSUM;
    if (worst == RSP_ETRUNCATED || !strcmp(kind, "truncated")) return RSP_ETRUNCATED;
    if (!strcmp(kind, "version")) return worst ? worst : RSP_EVERSION;
    return RSP_EFORMAT;
}
