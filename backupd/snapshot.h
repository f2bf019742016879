/* What this is: the snapshot that an operand names, opened, for the verbs that read one.
 * Rests on: context.h, respite/sys/repo.h.
 * Does not: read its data. */
#ifndef BACKUPD_SNAPSHOT_H
#define BACKUPD_SNAPSHOT_H

#include "backupd/context.h"

struct chosen {
    struct rsp_record *record; /* of the context's log */
    struct rsp_snapshot *snapshot;
    char name[SNAPSHOT_TEXT];
    int damaged; /* accepted as damaged when it was stored */
    int doubts;  /* the log has faults, and the snapshot was named all the same */
};
/* Opens repository, log and snapshot. "latest" is refused (EXIT_INTEGRITY) when the log has faults: something newer may have
 * been taken away; a snapshot that is named goes on with a warning. Returns -1 to go on, else the exit status after a
 * message. chosen_close is due either way. */
int chosen_open(struct context *c, const char *id, struct chosen *s);
/* The exit status of a verb that did its work on it: code, or EXIT_FINDINGS when the data was accepted as damaged or the log
 * has faults. */
int chosen_finish(struct context *c, const struct chosen *s, int code);
void chosen_close(struct chosen *s);

/* Its dumps: one, or one of each shard of a cluster. */
struct dumps {
    struct rsp_snapshot *snapshot;
    unsigned threads;
    size_t *at; /* which streams of the manifest */
    size_t n;
    uint64_t plain, keys; /* of all; keys 0: not known */
};
/* -1, or the exit status after words. dumps_free is due either way. */
int dumps_of(struct context *c, const struct chosen *s, struct dumps *d);
/* The i-th of them: `open` of the library's functions over several dumps, with d as context. */
int dumps_open(void *d, size_t i, struct rsp_source **source);
/* The stream that a text means: its name, its slots, the id of its node or where it was read. -1, or the exit status after
 * words that name what there is. */
int dumps_find(const struct chosen *s, const struct dumps *d, const char *text, size_t *stream);
/* "shard-0 (slots 0-5460), ...": for words. */
void dumps_names(const struct dumps *d, char *out, size_t size);
void dumps_free(struct dumps *d);

#endif
