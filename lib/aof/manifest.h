/* What this is: the manifest of a multi-part AOF (7.0 and later): parsed, checked, written.
 * Rests on: base/buf.h; aof-replication.md A3 to A5.
 * Does not: open the files it names.
 *
 * A line: "file NAME seq N type b|h|i [startoffset N [endoffset N]]", pairs in any order, keys without case, unknown keys
 * kept out of account; NAME quoted when it must be; at most 1024 bytes and a newline, the last one too; '#' begins a
 * comment; at most one base, seqs of 'i' strictly rising. */
#ifndef AOF_MANIFEST_H
#define AOF_MANIFEST_H

#include "base/buf.h"

#define MANIFEST_LINE 1024
#define MANIFEST_NAME 255

enum manifest_type { MANIFEST_BASE = 'b', MANIFEST_INCR = 'i', MANIFEST_HISTORY = 'h' };

struct manifest_file {
    char name[MANIFEST_NAME + 1]; /* no '/', not "." or "..", no NUL */
    uint64_t seq;
    int type;
    int64_t start_offset, end_offset; /* -1: not there */
};
struct manifest {
    struct buf files; /* struct manifest_file, in the order of the text */
};

void manifest_init(struct manifest *m, const struct rsp_env *env);
/* Faults name the subject and the offset of the line. */
int manifest_parse(struct manifest *m, const char *subject, const void *text, size_t n);
int manifest_add(struct manifest *m, const char *name, uint64_t seq, int type);
/* base, history, incr. */
int manifest_write(const struct manifest *m, struct buf *out);
size_t manifest_count(const struct manifest *m);
const struct manifest_file *manifest_at(const struct manifest *m, size_t i);
void manifest_free(struct manifest *m);

#endif
