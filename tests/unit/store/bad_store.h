/* What this is: a store in memory that does one thing wrong, for the tests of the conformance suite.
 * Rests on: store/store_impl.h.
 * Does not: hold a test. */
#ifndef STORE_BAD_STORE_H
#define STORE_BAD_STORE_H

#include "store/store_impl.h"

enum wrong {
    W_NOTHING,
    W_PUT_REFUSED,
    W_PUT_GROWS,     /* an empty object gets a byte */
    W_TWICE_REFUSED, /* the same bytes again: EEXIST */
    W_OVERWRITES,    /* a small object goes over another */
    W_UPLOAD_FAILS,  /* above a part */
    W_UPLOAD_CUT,    /* a byte at the part's end is lost */
    W_UPLOAD_FLIP,
    W_BESIDE_FAILS,     /* no second upload while one is open */
    W_BESIDE_MIXED,     /* its last byte goes to the one that was begun before */
    W_BESIDE_ENDS,      /* what is given up takes along what was begun before */
    W_SEEN_EARLY,       /* stat shows an upload under way */
    W_LISTED_EARLY,     /* list does */
    W_DROP_COMMITS,     /* what was given up is there */
    W_LARGE_OVERWRITES, /* an upload goes over another object */
    W_RACE_OVERWRITES,  /* looked at begin only */
    W_RANGE_SHIFTED,
    W_RANGE_OVER,    /* zeros behind the end */
    W_RANGE_BEHIND,  /* another fault than RSP_ETRUNCATED behind the end */
    W_RANGE_NOTHING, /* a range of what is not there */
    W_LIST_ORDER,    /* by folders */
    W_LIST_LOSES,
    W_LIST_SIZE,
    W_LIST_TIME,
    W_LIST_PREFIX, /* "l/a/" shows "l/a0" */
    W_LIST_NONE,   /* a prefix that is not there is a fault */
    W_LIST_FAILS,
    W_DEEP, /* no eighth part */
    W_WIDE, /* no part of 255 bytes */
    W_LONG, /* no name of 400 */
    W_PAGE, /* 1000 names and no more */
    W_STAT_SIZE,
    W_STAT_TIME,
    W_STAT_BELOW, /* shows a name below an object */
    W_GET_MAX,
    W_GET_OTHER,
    W_MANY_STATUS, /* what is missing is a fault of another kind */
    W_MANY_BYTES,
    W_REPLACE_NOT, /* says that it did */
    W_REPLACE_DENIED,
    W_DELETE_NOT,
    W_DELETE_AGAIN, /* is RSP_ENOTFOUND */
    W_DELETE_DENIED,
    W_DELETE_FAILS,
    W_GHOST,       /* an object that nobody put */
    W_LEFT_BEHIND, /* an upload given up leaves a leftover */
    W_FOLDER_LEFT, /* it leaves an empty folder */
    W_LEFTOVERS_FAIL,
    W_LEFT_OLD,
    W_CLOCK_FAILS,
    W_CLOCK_OFF,
    W_CLOCK_NEAR, /* two minutes off */
    W_CLOCK_MAD,
    W_SPACE_FAILS,
    W_SPACE_LOW,
    W_ABILITIES_FAIL,
    W_PLAIN_BUCKET, /* no versions, no lock, overwrites */
    W_GOOD_BUCKET,
    W_SLOW,     /* a clock that runs: an object takes 100 ms */
    W_CANCELED, /* the third delete */
    W_COUNT
};

#define BAD_NOW INT64_C(1795000000000)

struct rsp_store *bad_store(const struct rsp_env *env, enum wrong wrong, size_t part);
/* Objects that are there. */
size_t bad_store_objects(const struct rsp_store *s);
void bad_store_read_only(struct rsp_store *s);
/* For an env: the clock of a store that is slow. */
int64_t bad_store_clock(void *opaque);

#endif
