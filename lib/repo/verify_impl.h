/* What this is: what a run of verify looks at, for the files that do it.
 * Rests on: keep.h.
 * Does not: leave this folder. */
#ifndef REPO_VERIFY_IMPL_H
#define REPO_VERIFY_IMPL_H

#include "repo/keep.h"

/* An object, or an epoch, that a commit needs. */
struct need {
    const struct rsp_ref *ref;
    uint32_t commit; /* number in commits */
};
struct need_list {
    struct need *p;
    size_t n, cap;
};

struct verify {
    struct rsp_log *log;
    struct rsp_verify_options o;
    struct rsp_verify_report report;
    struct rsp_record **commits;
    uint8_t *damaged; /* beside commits */
    size_t commits_n;
    struct need_list needs, epochs;
    struct inventory held;
    uint64_t done, of;
    uint8_t *buffer; /* VERIFY_READ bytes */
};
#define VERIFY_READ (1u << 20)

/* A fault of what needs[0..n) have in common, told once, with the snapshots. */
int verify_fault(struct verify *v, const struct need *needs, size_t n, int status, const char *kind, const char *name,
                 const char *format, ...) RSP_PRINTF(7, 8);

/* verify.c: the commits that are looked at; then what they need, sorted by object (and epochs by id). room: of the log's
 * records when it began. */
int verify_choose(struct verify *v);
int verify_collect(struct verify *v);
void verify_free(struct verify *v, size_t room);

/* verify_stored.c: the object's stored bytes against their SHA-256. RSP_EINTEGRITY: they differ, or it ends early; no
 * record is written for that. */
int verify_stored(struct verify *v, const char *name, const struct rsp_ref *ref);
int verify_cancelled(const struct verify *v);
/* verify_envelopes.c: every epoch that a commit needs has an envelope. */
int verify_envelopes(struct verify *v);

#endif
