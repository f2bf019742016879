/* What this is: what writing and reading of records share.
 * Rests on: repo_impl.h.
 * Does not: leave this folder. */
#ifndef REPO_RECORD_IMPL_H
#define REPO_RECORD_IMPL_H

#include "repo/repo_impl.h"

#define RECORD_MAGIC "RSPLOG1\n"
#define RECORD_MAGIC_BYTES 8
#define RECORD_SIGNATURE_BYTES 64
#define PARENTS_MAX 16
#define PARENT_BYTES 40

/* Forgets what it points to, as whoever copied a record must. */
void record_disown(struct rsp_record *r);
/* Gives back everything that decoding made. */
void record_unload(const struct rsp_env *env, struct rsp_record *r);

#endif
