/* What this is: what a run of prune means to do, for the files that plan and do it.
 * Rests on: keep.h.
 * Does not: leave this folder. */
#ifndef REPO_PRUNE_IMPL_H
#define REPO_PRUNE_IMPL_H

#include "repo/keep.h"

struct record_list {
    struct rsp_record **p;
    size_t n, cap;
};
/* Identities of a sort, sorted before they are asked. */
struct id_set {
    uint8_t *p;
    size_t n, cap, bytes; /* bytes: of one */
};

struct prune {
    struct rsp_log *log;
    struct rsp_prune_options o;
    struct rsp_prune_report report;
    int64_t now_ms;
    struct record_list commits; /* on their way out */
    struct record_list staying; /* commits that are not */
    struct record_list others;  /* records that go along */
    struct hash_set going;      /* hashes of both lists that go */
    struct inventory held;
    struct id_set needed; /* objects of the staying: kind, epoch, id */
    struct id_set epochs; /* of theirs, the manifest's and every reference's */
    struct id_set named;  /* epochs that any record names */
    struct id_set unsure; /* and those of records whose references are not known */
    struct id_set lists;  /* refs/ of the staying, then of all */
};

int record_list_add(struct prune *p, struct record_list *list, struct rsp_record *r);
int id_set_add(struct prune *p, struct id_set *set, const uint8_t *id);
void id_set_sort(struct id_set *set);
int id_set_has(const struct id_set *set, const uint8_t *id);

/* prune_plan.c: who goes, by the log alone. */
int prune_plan(struct prune *p);
/* prune_gone.c: gone records over everything that goes, so that whoever misses it knows why. In a dry run nothing. */
int prune_publish(struct prune *p);
/* prune_objects.c: what the staying need; then what those that go leave behind, their records last. */
int prune_needed(struct prune *p);
int prune_objects(struct prune *p);
int prune_records(struct prune *p);
/* prune_debris.c: what no record names, and no commit of the epoch refers to. */
int prune_debris(struct prune *p);

/* Tells, and (but for a dry run) deletes. */
int prune_remove(struct prune *p, const char *name, uint64_t bytes, const char *why);
/* At least that long ago by the store's clock. */
int prune_older(const struct prune *p, int64_t ms, int64_t than_ms);

#define PRUNE_ID_BYTES (1 + ID_BYTES + ID_BYTES)
void prune_ref_id(const struct rsp_ref *ref, uint8_t out[PRUNE_ID_BYTES]);

#endif
