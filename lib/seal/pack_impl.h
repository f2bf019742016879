/* What this is: what the writer and the reader of pack files share.
 * Rests on: object.h.
 * Does not: leave this folder. */
#ifndef SEAL_PACK_IMPL_H
#define SEAL_PACK_IMPL_H

#include "seal/object.h"

#define PACK_OBJECT_PLAIN (8u << 20)        /* what is written: one object is held in memory */
#define PACK_OBJECT_STORED_MAX (300u << 20) /* what is read */
#define PACK_ENVELOPE_MAX (1u << 20)
#define PACK_MAGIC "RSPPACK1" /* 8 bytes, no terminator */
#define PACK_MAGIC_BYTES 8

#endif
