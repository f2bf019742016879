/* What this is: a chunk's note as bytes.
 * Rests on: note.h, base/bytes.h.
 * Does not: judge whether it tells the truth. */
#include "job/note.h"

#include "base/bytes.h"

#define NOTE_RECORDS 1

void note_store(uint8_t out[NOTE_BYTES], const struct note *note)
{
    out[0] = NOTE_RECORDS;
    store_le32(out + 1, note->offset);
    store_le32(out + 5, note->db);
    store_le64(out + 9, note->number);
    store_le32(out + 17, note->records);
}

int note_load(struct note *note, struct rsp_span bytes, uint64_t plain)
{
    if (bytes.n != NOTE_BYTES || bytes.p[0] != NOTE_RECORDS) return 0;
    note->offset = load_le32(bytes.p + 1);
    note->db = load_le32(bytes.p + 5);
    note->number = load_le64(bytes.p + 9);
    note->records = load_le32(bytes.p + 17);
    return note->records ? note->offset < plain : note->offset == plain;
}
