/* What this is: the parts of an RDB that are made here: header, AUX fields, lengths, the end.
 * Rests on: base/buf.h, respite/rdb.h.
 * Does not: encode values: they are taken over as a server has encoded them. */
#ifndef REPL_DUMP_WRITE_H
#define REPL_DUMP_WRITE_H

#include <respite/rdb.h>

#include "base/buf.h"

#define DUMP_FOOTER 10    /* version and CRC64 behind the value of DUMP */
#define DUMP_VALKEY 80u   /* from this version on the magic is Valkey's */
#define DUMP_SHORTEST 12u /* of a value: type, one byte, footer */

/* Each appends: RSP_OK or RSP_ENOMEM. */
int dump_header(struct buf *out, unsigned version); /* magic and version */
int dump_length(struct buf *out, uint64_t n);
int dump_string(struct buf *out, const void *p, size_t n);
int dump_aux(struct buf *out, const char *name, const char *value);
int dump_select(struct buf *out, uint64_t db);
int dump_expiry(struct buf *out, int64_t ms);
int dump_idle(struct buf *out, uint64_t seconds);
int dump_freq(struct buf *out, uint8_t counter);
int dump_end(struct buf *out); /* EOF; the CRC64 of all before it and of this byte goes behind */

/* Bytes of the KEY_META that a payload begins with, the type byte not counted: *n 0 when there is none. RSP_AGAIN:
 * more of the payload is needed; RSP_EFORMAT, without words. */
int dump_meta(const uint8_t *p, size_t size, size_t *n);

#endif
