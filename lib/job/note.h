/* What this is: what a chunk of a dump says of itself: the first record that begins in it, and how many do.
 * Rests on: respite/env.h.
 * Does not: know where chunks lie. The bytes are pinned in respite-format(5). */
#ifndef JOB_NOTE_H
#define JOB_NOTE_H

#include <respite/env.h>

#define NOTE_BYTES 21

struct note {
    uint32_t offset; /* in the chunk, of the first record that begins in it; its size when none does */
    uint32_t db;
    uint64_t number; /* of that record in the stream, from 0 */
    uint32_t records;
};

void note_store(uint8_t out[NOTE_BYTES], const struct note *note);
/* 1 when bytes are a note of a chunk of plain bytes. */
int note_load(struct note *note, struct rsp_span bytes, uint64_t plain);

#endif
