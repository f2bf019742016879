/* What this is: the CRC64 of RDB files (Jones, reflected, init 0, xorout 0).
 * Rests on: ISA-L where it is built in; a portable slice-by-8 elsewhere.
 * Does not: know what it covers. */
#ifndef BASE_CRC64_H
#define BASE_CRC64_H

#include <stddef.h>
#include <stdint.h>

uint64_t crc64(uint64_t crc, const void *p, size_t n);
uint64_t crc64_portable(uint64_t crc, const void *p, size_t n); /* the fallback, and the test's oracle */

/* The sum of A followed by B, from the sums of A and of B alone (both begun with 0) and B's length: pieces may be
 * summed apart and in any order. */
uint64_t crc64_join(uint64_t crc_a, uint64_t crc_b, uint64_t length_b);

#endif
