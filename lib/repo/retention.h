/* What this is: which snapshots of one source a policy keeps: a pure function over their dates and ancestry.
 * Rests on: respite/sys/repo.h.
 * Does not: read a log, publish, know what a record is. */
#ifndef REPO_RETENTION_H
#define REPO_RETENTION_H

#include <respite/sys/repo.h>

/* A commit of the source that is still there. */
struct retain_item {
    int64_t effective_ms; /* its own date, clamped by the log */
    int64_t arrival_ms;   /* when a store first had it: stored_ms, or the origin's time of a copied one */
    int64_t stored_ms;    /* when this store had it */
    uint64_t plain, keys;
    int living, pinned, accepted;
    int good;     /* by its flags: checked, not damaged, not partial */
    size_t index; /* the caller's, given back to descends */
};

/* 1 when ancestor is an ancestor of the other. Asked with the same ancestor many times in a row. */
typedef int (*retain_descends_fn)(void *opaque, size_t index, size_t ancestor);

#define RETAIN_DAY_MS 86400000
#define RETAIN_SKEW_MS 300000 /* a date this near to the arrival agrees with it, whatever lies between */
#define RETAIN_NONE ((size_t)-1)

/* items stand so that ancestors come before their descendants. keep has n masks of rsp_keep_reason; 0 for a living one:
 * retire it; those of the others stay 0. */
int retain(const struct rsp_env *env, const struct rsp_retention *policy, int64_t now_ms,
           const struct retain_item *items, size_t n, retain_descends_fn descends, void *opaque, uint32_t *keep,
           int *flood);

/* The last living one that is good, its size included: RETAIN_NONE when there is none. */
int retain_last_good(const struct rsp_env *env, const struct retain_item *items, size_t n, size_t *ret);

/* Number of the bucket, ascending with time; reason: RSP_KEEP_HOURLY to RSP_KEEP_YEARLY. UTC; weeks begin on Monday. */
int64_t retain_bucket(uint32_t reason, int64_t ms);

#endif
