/* What this is: what a loaded log holds beyond its public part, and the steps of loading one.
 * Rests on: repo_impl.h.
 * Does not: leave this folder. */
#ifndef REPO_LOG_IMPL_H
#define REPO_LOG_IMPL_H

#include "repo/repo_impl.h"

/* Of one record, while a log is being judged. */
struct judged {
    uint8_t repository[ID_BYTES];
    int status;       /* what is wrong with it, or RSP_OK */
    const char *kind; /* of the trouble it makes */
    char words[200];
    const char *way_out;
    uint64_t
        removed_n; /* not 0: its signer lost the right with this roles record; vouched tells whether it stays valid */
    int vouched, seen; /* seen: by the walk */
};

/* A set of hashes, sorted before it is asked. */
struct hash_set {
    uint8_t (*p)[HASH_BYTES];
    size_t n, cap;
};
int hash_set_add(const struct rsp_env *env, struct hash_set *set, const uint8_t hash[HASH_BYTES]);
void hash_set_sort(struct hash_set *set);
int hash_set_has(const struct hash_set *set, const uint8_t hash[HASH_BYTES]);
void hash_set_free(const struct rsp_env *env, struct hash_set *set);

struct log {
    struct rsp_log pub; /* first */
    size_t cap;         /* of pub.records */
    struct rsp_record *
        *by_hash; /* of several files that are named after one hash the one that has its bytes, else the first */
    size_t by_hash_n;
    struct judged *judged;     /* beside pub.records while loading; NULL afterwards */
    struct hash_set explained; /* named by valid gone, absent and lost records */
    uint8_t (*links)[64];      /* of all valid gone records, sorted */
    size_t links_n, links_cap;
    const struct rsp_record *reached_from; /* whose ancestors `reached` marks: asked again and again by retention */
    uint8_t *reached;
    size_t reached_n;
    uint8_t source[ID_BYTES]; /* the one source loaded, when one is set */
    int one_source, refs;
    int last_try;
    size_t foreign; /* names of log/ that are none */
    int new_roles;  /* a record names roles that were not known */
    size_t rows;
};

/* log_names.c: LIST, by name only. */
int log_names(struct log *log);
int log_index(struct log *log); /* by_hash; again once records were fetched */
void log_sort(struct log *log); /* by_hash again, in the room that it has */

/* log_fetch.c: one record's bytes, encoding, signature and what can be told without its parents. RSP_ENOTFOUND: it went
 * meanwhile. What is wrong with it goes to *j; the status is a fault of the store. */
int log_fetch_record(struct log *log, struct rsp_record *r, struct judged *j);
/* The same of all that are wanted (one byte for each record), as many requests under way as the store likes. */
int log_fetch_wanted(struct log *log, const uint8_t *want);

/* The flags of which the signer of a record needs one; and whether it has. */
uint32_t record_flag(int kind);
int record_signer_may(const struct rsp_roles *roles, const uint8_t signer[32], int kind,
                      const uint8_t source[ID_BYTES]);
int record_may(const struct rsp_roles *roles, const struct rsp_record *r);

/* log_graph.c: rules between records; collect: what valid records explain, sorted, and the links of the gone. */
int log_graph(struct log *log);
int log_collect(struct log *log);
/* 0: a copied receipt about another snapshot than it names, as far as that is there and fetched. */
int log_receipt_fits(const struct rsp_log *log, const struct rsp_record *r);

/* log_states.c: marks retired, pinned, accepted, gone, lost and heads anew from the valid records; forks as notes. */
int log_states(struct log *log);
/* When the store got it; of a copy what its origin saw, when a keeper signed for that: a writer could claim any time. */
int64_t record_arrival(const struct rsp_repo *repo, const struct rsp_record *r);
int log_forks(struct log *log);

/* log_find.c: which snapshot is the older, for sorting and for "latest". */
int record_older_first(const struct rsp_record *a, const struct rsp_record *b);

/* log_walk.c. reach: `from` and every ancestor that is there as a record: mark has pub.records_n bytes, cleared by the
 * caller; those reached are set. nearest: the next ancestors that are there (several times perhaps). */
int log_reach(const struct log *log, const struct rsp_record *from, uint8_t *mark);
int log_nearest(const struct log *log, const struct rsp_record *r,
                void (*each)(void *opaque, const struct rsp_record *ancestor), void *opaque);
int log_went(const struct log *log, const uint8_t hash[HASH_BYTES]);    /* 1: a gone record tells of its parents */
size_t log_position(const struct log *log, const struct rsp_record *r); /* pub.records_n: it is none of the log's */

/* log_seen.c: heads seen before, the head expected, and remembering. */
int log_seen_check(struct log *log);
int log_seen_save(struct log *log);
/* Of a log with faults only what was just published: the rest might be what somebody wants to be believed. */
int log_seen_add(struct log *log, const struct rsp_record *r);

static inline struct log *log_of(struct rsp_log *log)
{
    return (struct log *)(void *)log;
}

#endif
