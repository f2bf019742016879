/* What this is: what expire, prune and verify share: what a repository's store holds by one LIST, and the checks that come
 *   before anything is given up.
 * Rests on: log_impl.h.
 * Does not: leave this folder. */
#ifndef REPO_KEEP_H
#define REPO_KEEP_H

#include "repo/log_impl.h"

/* In the order of their names. */
enum held_kind { HELD_DATA, HELD_KEYS, HELD_MANIFESTS, HELD_REFS };

/* An object that is no record. */
struct held {
    uint8_t kind, fate;                      /* fate: prune's */
    uint8_t epoch[ID_BYTES], id[HASH_BYTES]; /* refs: no epoch; data and manifests: 16 bytes of id, then zeros */
    uint64_t bytes;
    int64_t mtime_ms;
};
struct inventory {
    const struct rsp_env *env;
    struct held *items; /* ascending by kind, epoch, id */
    size_t n, cap;
    const struct rsp_log *log;
    size_t new_pins; /* pins and unpins that the log does not know: published since it was loaded */
    size_t new_commits;
};
/* One walk. Names that are none of a repository's are passed over. Freed in any case by inventory_free. */
int inventory_load(struct rsp_log *log, struct inventory *inv);
void inventory_free(struct inventory *inv);
/* NULL: it is not there. id_n: 16 or 32. */
struct held *inventory_find(const struct inventory *inv, int kind, const uint8_t epoch[ID_BYTES], const uint8_t *id,
                            size_t id_n);
struct held *inventory_ref(const struct inventory *inv, const struct rsp_ref *ref);
/* The first of an epoch; *n of them. */
struct held *inventory_epoch(const struct inventory *inv, int kind, const uint8_t epoch[ID_BYTES], size_t *n);
void held_name(const struct held *h, char out[NAME_MAX_BYTES]);

/* The commit's references into r->refs when they lie apart. */
int keep_refs(struct rsp_log *log, struct rsp_record *r);
/* The store's clock; a store that cannot be written to has none: the system's then. */
int keep_now(struct rsp_log *log, int64_t as_of_ms, int64_t *ms);
/* RSP_ESTATE: not a full log of every source. RSP_EINTEGRITY: it has faults. what: "expire", ... */
int keep_sound(struct rsp_log *log, const char *what);
/* RSP_ERIGHT unless an identity at hand has keep. */
int keep_right(struct rsp_log *log, const char *what);

#endif
