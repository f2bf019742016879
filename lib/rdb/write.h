/* What this is: the parts of an RDB that are made here: header, AUX fields, lengths, attributes of keys, the end.
 * Rests on: base/buf.h, respite/rdb.h.
 * Does not: encode values: they are taken over as a server has encoded them. */
#ifndef RDB_WRITE_H
#define RDB_WRITE_H

#include <respite/rdb.h>

#include "base/buf.h"

#define RDB_VALKEY 80u    /* from this version on the magic is Valkey's */
#define RDB_WITH_CRC 5u   /* from this version on the file ends with a CRC64 */
#define RDB_WITH_AUX 7u   /* AUX and RESIZEDB */
#define RDB_WITH_RANKS 9u /* IDLE, FREQ and MODULE_AUX */

/* Each appends: RSP_OK or RSP_ENOMEM. */
int rdb_put_header(struct buf *out, unsigned version); /* magic and version */
int rdb_put_length(struct buf *out, uint64_t n);
int rdb_put_string(struct buf *out, const void *p, size_t n);
int rdb_put_aux(struct buf *out, const char *name, const char *value);
int rdb_put_select(struct buf *out, uint64_t db);
int rdb_put_resize(struct buf *out, uint64_t keys, uint64_t expires);
int rdb_put_expiry(struct buf *out, int64_t ms);
int rdb_put_idle(struct buf *out, uint64_t seconds);
int rdb_put_freq(struct buf *out, uint8_t counter);
int rdb_put_end(struct buf *out); /* EOF; the CRC64 of all before it and of this byte goes behind */

#endif
