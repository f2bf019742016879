/* What this is: the manifest of a multi-part AOF (7.0 and later): parsed, checked, written; and words as the server splits
 *   a line, quotes and escapes undone.
 * Rests on: base/buf.h; aof-replication.md A3 to A5.
 * Does not: open the files it names.
 *
 * A line: "file NAME seq N type b|h|i [startoffset N [endoffset N]]", pairs in any order, keys without case, unknown keys
 * kept out of account; NAME quoted when it must be; at most 1024 bytes with its newline, which the last one has too; '#'
 * begins a comment; at most one base, seqs of 'i' strictly rising. */
#ifndef AOF_MANIFEST_H
#define AOF_MANIFEST_H

#include "base/buf.h"

#define AOF_MANIFEST_LINE 1024
#define AOF_NAME_MAX 255

enum aof_file_type { AOF_BASE = 'b', AOF_INCR = 'i', AOF_HISTORY = 'h' };

struct aof_file {
    char name[AOF_NAME_MAX + 1]; /* no '/', not "." or "..", no NUL */
    uint64_t seq;
    int type;
    int64_t start_offset, end_offset; /* -1: not there */
};
struct aof_manifest {
    struct buf files;   /* struct aof_file, in the order of the text */
    uint64_t last_incr; /* seq; 0: none yet */
    int has_base;
};

void aof_manifest_init(struct aof_manifest *m, const struct rsp_env *env);
/* RSP_EFORMAT; faults name the subject and the offset of the line. */
int aof_manifest_parse(struct aof_manifest *m, const char *subject, const void *text, size_t n);
/* RSP_EINVAL: a name, a number or an order that no server would take. */
int aof_manifest_add(struct aof_manifest *m, const char *name, uint64_t seq, int type);
/* base, history, incr. */
int aof_manifest_write(const struct aof_manifest *m, struct buf *out);
size_t aof_manifest_count(const struct aof_manifest *m);
const struct aof_file *aof_manifest_at(const struct aof_manifest *m, size_t i);
void aof_manifest_free(struct aof_manifest *m);

/* ---- manifest_words.c ---- */

/* The word of p[0..n) that begins at or behind *at: its bytes become *word's, *at moves behind it. Blanks separate; "..."
 * with \n \r \t \b \a \xHH and \c for any other c; '...' with \'; behind a closing quote a blank or the end.
 * RSP_END: there is none; RSP_EFORMAT without words: a quote that is not closed, or closed before other bytes. */
int line_word(const uint8_t *p, size_t n, size_t *at, struct buf *word);
/* As a word that line_word reads again: plain when it can be. */
int line_word_put(struct buf *out, const uint8_t *p, size_t n);

#endif
