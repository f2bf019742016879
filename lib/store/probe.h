/* What this is: what the files of the conformance suite share: rows, names and bytes to try with.
 * Rests on: store_impl.h, base/buf.h.
 * Does not: belong to the interface. */
#ifndef STORE_PROBE_H
#define STORE_PROBE_H

#include "base/buf.h"
#include "store/store_impl.h"

#define PROBE_BASE 32
#define PROBE_ROOM ((size_t)1 << 20)         /* of a read, and at most of a write */
#define PROBE_CLOCK ((int64_t)5 * 60 * 1000) /* clocks may differ by so much */
#define PROBE_PAGE 1200                      /* names, more than any store lists at once */
#define PROBE_CHEAP 25                       /* milliseconds to put an object: then so many are tried */
#define PROBE_FEW 40

struct probe {
    struct rsp_store *s;
    struct rsp_probe_options o;
    int (*each)(void *opaque, const struct rsp_probe_row *row);
    void *opaque;
    char base[PROBE_BASE];     /* "probe-<16 hex>/" */
    char name[NAME_BYTES + 1]; /* of probe_name */
    struct buf names;          /* every object that was put, each ended by a zero */
    uint8_t *ours, *theirs;    /* PROBE_ROOM each */
    uint64_t part;             /* a third of the largest object */
    int64_t now_ms, ours_ms;   /* by the store's clock and ours, when it began */
    int no_delete, no_replace; /* the rights do not go so far */
    struct rsp_store_abilities can;
    struct rsp_error own; /* when the caller has no record */
    int verdict;          /* of the row that is being made */
    char found[640];
};

/* What a test returns besides RSP_OK: its row is decided, and the next test may begin. */
#define PROBE_DECIDED 1

/* Each: PROBE_DECIDED, the row having this verdict and sentence. */
int probe_say(struct probe *p, int verdict, const char *format, ...) RSP_PRINTF(3, 4);
int probe_bad(struct probe *p, const char *format, ...) RSP_PRINTF(2, 3);
/* The same with the words of a fault behind the sentence, and the record cleared; but what is no fault of the store
 * (memory, a signal) is returned as it is. */
int probe_fault(struct probe *p, int rc, const char *format, ...) RSP_PRINTF(3, 4);
/* Clears the record of a fault that was expected; returns rc. */
int probe_forgive(struct probe *p, int rc);
int probe_denied(int rc);
int64_t probe_apart(int64_t a, int64_t b); /* a - b, of times that may be anything at all */

const char *probe_name(struct probe *p, const char *tail);        /* in p->name, below the base */
void probe_fill(uint64_t seed, uint64_t at, void *out, size_t n); /* bytes [at, at + n) of the sequence of seed */
int probe_remember(struct probe *p, const char *name);            /* it is removed in the end */
/* Puts n (at most PROBE_ROOM) bytes of seed; the store's status. */
int probe_put(struct probe *p, const char *tail, uint64_t seed, size_t n);
/* An upload of n bytes; drop: all but the commit. The store's status. seen, when not NULL, is asked before the commit: as
 * a test. */
int probe_upload(struct probe *p, const char *tail, uint64_t seed, uint64_t n, int drop,
                 int (*seen)(struct probe *p, const char *tail));
/* The tests below return as those do: RSP_OK when all is as it should be. */
int probe_same(struct probe *p, const char *tail, uint64_t seed, uint64_t n); /* these bytes, read in ranges */
int probe_missing(struct probe *p, const char *tail);                         /* neither stat, get nor list shows it */

/* ---- the tests; each makes one row ---- */
int probe_try_put(struct probe *p);
int probe_try_twice(struct probe *p);
int probe_try_upload(struct probe *p);
int probe_try_beside(struct probe *p);
int probe_try_unseen(struct probe *p);
int probe_try_taken(struct probe *p);
int probe_try_range(struct probe *p);
int probe_try_replace(struct probe *p);
int probe_try_delete(struct probe *p);
int probe_try_stat(struct probe *p);
int probe_try_get(struct probe *p);
int probe_try_many(struct probe *p);
int probe_try_list(struct probe *p);
int probe_try_names(struct probe *p);
int probe_try_pages(struct probe *p);
int probe_try_look(struct probe *p);  /* read-only: what is there already */
int probe_try_clean(struct probe *p); /* removes everything */

/* What the store says of itself: several rows. */
int probe_abilities(struct probe *p);
int probe_clock(struct probe *p);
int probe_leftovers(struct probe *p);
int probe_space(struct probe *p);
/* Tells the row that stands in p->verdict and p->found; what each returned. */
int probe_row(struct probe *p, const char *what, const char *advice);

#endif
