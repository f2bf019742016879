/* What this is: a repository in a folder of its own and dumps to put into it, for the tests of lib/job.
 * Rests on: libcheck, respite/sys/job.h.
 * Does not: use the host's state. */
#ifndef TESTS_JOB_PLACE_H
#define TESTS_JOB_PLACE_H

#include <stdint.h>

#include <respite/sys/job.h>

struct place {
    char dir[64], url[96];
    struct rsp_error error;
    struct rsp_env env;
    struct rsp_store *store;
    struct rsp_identity *root;
    struct rsp_repo *repo;
    int64_t clock_ms;
};
void place_open(struct place *p);
void place_close(struct place *p); /* removes the folder */
/* Opens the repository again, as another run would. */
void place_reopen(struct place *p);
/* "DIR/name" in a static buffer. */
const char *place_path(const struct place *p, const char *name);

/* A sound dump: keys strings of size bytes each (random-like, or one letter when dull), every third with an expiry, those
 * of odd number in db 1. */
struct dump {
    uint8_t *p;
    size_t n, cap;
};
/* Of these slots alone, from..to; {0, 0}: any keys. */
extern unsigned dump_slots[2];
void dump_make(struct dump *d, unsigned keys, size_t size, int dull);
/* Sets the checksum anew. */
void dump_sum(struct dump *d);
void dump_free(struct dump *d);

/* Backs p[0..n) up as source "test"; *log is the caller's. */
int place_backup(struct place *p, const void *bytes, size_t n, const struct rsp_backup_options *options,
                 struct rsp_log **log, struct rsp_backup_report *report);
/* The stored object of data/ that is largest; its path in a static buffer. */
const char *place_object(const struct place *p);
unsigned place_count(const struct place *p, const char *folder); /* files below a folder of the repository */

#endif
