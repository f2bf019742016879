/* What this is: what a value of DUMP has that a record of an RDB file has not.
 * Rests on: rdb/write.h.
 * Does not: encode values: they are taken over as a server has encoded them. */
#ifndef REPL_DUMP_WRITE_H
#define REPL_DUMP_WRITE_H

#include "rdb/write.h"

#define DUMP_FOOTER 10 /* version and CRC64 behind the value of DUMP */
#define DUMP_VALKEY RDB_VALKEY
#define DUMP_SHORTEST 12u /* of a value: type, one byte, footer */

/* Bytes of the KEY_META that a payload begins with, the type byte not counted: *n 0 when there is none. RSP_AGAIN:
 * more of the payload is needed; RSP_EFORMAT, without words. */
int dump_meta(const uint8_t *p, size_t size, size_t *n);

#endif
