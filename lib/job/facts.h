/* What this is: what the manifest says of a dump, learnt while it is scanned: keys per database, AUX fields.
 * Rests on: base/buf.h, respite/sys/rdb_run.h, sys/repo.h.
 * Does not: look into values. */
#ifndef JOB_FACTS_H
#define JOB_FACTS_H

#include <respite/sys/rdb_run.h>
#include <respite/sys/repo.h>

#include "base/buf.h"

struct facts {
    struct rsp_env env;
    struct rsp_scratch name, value;
    struct buf dbs;   /* struct rsp_db_count, ascending */
    size_t db;        /* index of the one counted last */
    struct buf pairs; /* struct facts_pair: where texts lie */
    struct buf text;
    struct buf aux; /* struct rsp_pair, made by facts_fill */
    uint64_t keys;
};

void facts_init(struct facts *f, const struct rsp_env *env);
int facts_scanned(struct facts *f, const struct rsp_rdb_batch *batch);
/* The databases of one more dump are added; the AUX fields stay those of the first that was. */
int facts_add(struct facts *to, const struct facts *from);
/* Sets what was learnt: aux, dbs, the server's kind and version. Borrowed from f. */
int facts_fill(struct facts *f, struct rsp_manifest *m);
void facts_free(struct facts *f);

#endif
