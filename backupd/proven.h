/* What this is: when each source was last proven: by which receipt, of which snapshot.
 * Rests on: context.h.
 * Does not: prove anything (drill.c, backup.c). */
#ifndef BACKUPD_PROVEN_H
#define BACKUPD_PROVEN_H

#include "backupd/context.h"

/* A proof in a private server is the only one that counts as "proven". */
enum proof_kind { PROOF_NONE = 0, PROOF_READ = 1, PROOF_DECODED = 2, PROOF_SERVER = 3 };
/* Of a receipt that was fetched; PROOF_NONE of everything else. */
enum proof_kind proof_kind(const struct rsp_record *r);
const char *proof_text(enum proof_kind kind); /* "server" */
/* "redis 7.0.15" of a receipt's figures ("engine=redis-7.0.15"); "" when they name none. */
#define ENGINE_TEXT 64
const char *proof_engine(const struct rsp_record *r, char out[ENGINE_TEXT]);

struct proven {
    uint8_t source[16];
    const struct rsp_record *receipt; /* the newest of a server; NULL: none among those that were looked at */
    const struct rsp_record *of;      /* the commit that it names; NULL: gone */
    size_t unread;                    /* receipts that were not fetched */
};
/* One for each source that has receipts. Of a log of names the newest ones are fetched, most at most. rows has room for
 * one a record of the log. Troubles go to the log. -1, or the exit status after a message. */
int proven_find(struct context *c, size_t most, struct proven *rows, size_t *n);
/* That of source; NULL. */
const struct proven *proven_of(const struct proven *rows, size_t n, const uint8_t source[16]);

#endif
