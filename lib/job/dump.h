/* What this is: small things that the jobs over a dump share.
 * Rests on: respite/sys/check.h, sys/digest.h.
 * Does not: keep state. */
#ifndef JOB_DUMP_H
#define JOB_DUMP_H

#include <respite/sys/check.h>
#include <respite/sys/digest.h>

#define STREAM_NAME "dump.rdb"
#define DUPS_BYTES (24u << 20) /* of memory for the search of duplicate keys, beside the chunks */

/* The 16 bytes of a digest whose hexadecimal digits are those of its text. */
void dd1_bytes(const struct rsp_dd1_sum *sum, uint8_t out[16]);
/* Bytes of a dump that a check has read and its scan not yet passed, at most, but for strings that it must see whole. */
uint64_t check_ahead(unsigned threads, int quick);
/* The status that a finding of this kind means when the dump is refused; the worse of it and worst. */
int finding_status(const char *kind, int worst);

#endif
