/* What this is: the dataset by SCAN and DUMP, as an RDB that is made here: no point in time.
 * Rests on: server_impl.h, dump_write.h, scan_seen.h.
 * Does not: write into the server; run a thread: it works while it is read.
 *
 * A key's expiry, its idle time or frequency and its value are asked in one transaction where MULTI is allowed, so
 * that each record is one that was true at some instant. Values go through as the server encodes them, each against
 * its version and CRC64; a large one is never held whole. */
#ifndef REPL_SCAN_H
#define REPL_SCAN_H

#include "repl/dump_write.h"
#include "repl/scan_seen.h"
#include "repl/server_impl.h"

/* RSP_EDENIED: a right is missing, which is named; a server that has functions must tell them too. */
int scan_open(struct rsp_server *s, const struct rsp_capture_options *o, struct rsp_source **source);

/* ---- replies as they come, in place of the server's reader (scan_pull.c) ---- */

struct pull {
    struct rsp_server *s;
    uint8_t *p;
    size_t at, n;
};
enum { PULL_BYTES = 2 * RESP_LINE };

int pull_init(struct pull *p, struct rsp_server *s);
/* The line that begins a reply, without its end; lives until the next call. number: that of ':', '$' and '*'. */
int pull_line(struct pull *p, struct rsp_span *line, int64_t *number);
/* 1..most bytes; they live until the next call. */
int pull_some(struct pull *p, uint64_t most, struct rsp_span *bytes);
int pull_exact(struct pull *p, void *out, size_t n);
/* RSP_EFORMAT when bytes are there that nobody asked for. */
int pull_settled(const struct pull *p);
void pull_free(struct pull *p);

/* ---- the whole ---- */

struct scan_db {
    uint32_t db;
    uint64_t keys;
};
struct scan_key {
    size_t at, n; /* in page */
};
enum scan_state { SCAN_HEAD, SCAN_DB, SCAN_PAGE, SCAN_KEYS, SCAN_VALUE, SCAN_END, SCAN_DONE };

struct scan {
    struct rsp_env env;
    struct rsp_server *s;
    volatile const int *cancel;
    enum scan_state state;
    unsigned version; /* of the RDB */
    struct buf out;
    size_t out_at;
    uint64_t crc; /* of all that was given out */

    /* what the server takes (scan_ask.c) */
    int atomic, absolute; /* MULTI; PEXPIRETIME */
    int rank;             /* 0, or what the eviction policy wants: 'i' idle time, 'f' frequency */
    int64_t clock_ms;     /* the server's clock less ours */
    struct buf functions; /* FUNCTION DUMP without its footer */

    /* where it is (scan_page.c) */
    struct buf dbs; /* struct scan_db */
    size_t db;
    int selected; /* SELECT has been written */
    char cursor[24];
    int begun; /* a page of this database has been asked for */
    struct seen seen;
    struct buf page, keys; /* bytes; struct scan_key */

    /* keys under way (scan_keys.c) */
    size_t key, sent; /* answered, asked for */
    size_t window;
    uint64_t average;
    struct buf command;
    struct pull in;

    /* the value under way (scan_value.c) */
    uint64_t left, sum;
    struct buf head;
    int64_t expiry, ranked; /* -1: none */
};

int scan_ask(struct scan *c);       /* what the server takes; dbs, functions, version */
int scan_next_db(struct scan *c);   /* RSP_END: no more */
int scan_next_page(struct scan *c); /* RSP_END: no more */
/* Asks for keys as far as is sensible, and takes the next one's reply up to its value: RSP_OK: a value follows;
 * RSP_AGAIN: it has gone; RSP_END: no key is left in the page. */
int scan_next_key(struct scan *c);
int scan_value_begin(struct scan *c, uint64_t bytes);
int scan_value_more(struct scan *c); /* RSP_END: it is written */
/* What stands behind a value: its version, and the CRC64 of all before it, which sum has taken, and of the version. */
int scan_footer(struct scan *c, const uint8_t footer[DUMP_FOOTER], uint64_t sum, const char *what, unsigned *version);
struct rsp_span scan_key_name(const struct scan *c);

#endif
