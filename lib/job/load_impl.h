/* What this is: a restore into a live server from inside: its passes share one struct.
 * Rests on: respite/sys/live.h, repl/pipe.h, export/resp_make.h, checkpoint.h, rate.h.
 * Does not: leave lib/job.
 *
 *   load.c          the order of things: the target is looked at, passes, the report
 *   load_check.c    "checking": the whole dump is checked and, on the same pass, counted and made rows of
 *   load_exists.c   "looking for keys that exist"
 *   load_write.c    "writing": units into the pipe; what replies mean; rates; the checkpoint
 *   load_ask.c      units held back until the server said whether their keys are there
 *   load_compare.c  "comparing"
 *   load_words.c    what an error reply means, in words */
#ifndef JOB_LOAD_IMPL_H
#define JOB_LOAD_IMPL_H

#include <respite/sys/live.h>

#include "base/buf.h"
#include "base/sip.h"
#include "export/resp_make.h"
#include "job/checkpoint.h"
#include "job/rate.h"
#include "repl/pipe.h"

#define LOAD_DBS_MAX 4096 /* databases that one restore writes */

struct rows_maker;

struct load_db { /* one that gets keys */
    uint32_t db;
    uint64_t there; /* keys that were in it before */
};

struct load {
    struct rsp_env env, quiet; /* quiet: without a record, for any thread */
    struct rsp_load_options o;
    int (*open)(void *ctx, struct rsp_source **source);
    void *ctx;
    const struct rsp_endpoint *endpoint;
    struct rsp_load_report r;

    /* Threads of a run call us: what the server's side says goes to a record of its own and is handed on. */
    struct rsp_env server_env;
    struct rsp_error server_error, own_error; /* own: files beside, met by those threads too */
    struct rsp_server *server;

    struct buf dbs;       /* struct load_db */
    struct buf libraries; /* names of functions' libraries, each with a terminator */
    uint64_t plan_commands;
    struct rsp_rows *expected; /* what the target is to hold; NULL: nothing will be compared */
    int rows_later;            /* expected is made by the pass that writes */
    uint64_t selection;        /* hash of the accepted records' names, in order */
    struct checkpoint mark;
    int resumed;
    uint64_t skipped_before; /* by the run that this one goes on after */
};

/* ---- load_check.c ---- */
int load_check(struct load *x);
/* For what expected is made of. */
int load_rows_maker(struct load *x, const struct rsp_env *env, int gentle, struct rows_maker **ret);
struct load_db *load_db(struct load *x, uint32_t db); /* NULL: it gets no keys */
/* The database as it is afterwards. */
uint32_t load_map(const struct load *x, uint32_t db);
int load_source(struct load *x, struct rsp_source **source);
void load_pass(struct load *x, const char *what);
/* The library's name in a function's unit; n 0: none is seen. */
struct rsp_span load_library(const struct resp_unit *u);
/* The run's options but for the filter. */
void load_run_options(const struct load *x, struct rsp_rdb_run_options *run);

/* ---- load_exists.c ---- */
/* Databases and functions of the target are asked; then, with existing FAIL, the keys from record `from` on. */
int load_look(struct load *x);
int load_exists(struct load *x, uint64_t from);

/* ---- load_write.c, load_ask.c ---- */
enum load_kind { LOAD_SELECT = 1, LOAD_UNIT = 2, LOAD_ASK = 3, LOAD_DEL = 4 };

struct load_held { /* a unit that waits for an answer */
    struct resp_unit unit;
    size_t key_at, at; /* in bytes */
    int asked, there;
};
struct load_write {
    struct load *x;
    struct resp_maker *maker;
    struct pipe *pipe;
    struct rate ops, bytes;
    int existing;        /* of this run: a resumed one replaces what it may have written itself */
    uint64_t base;       /* records before this run's first */
    uint64_t acked;      /* records that are there, from the dump's beginning */
    uint64_t bytes_mark; /* sent when the checkpoint was written last */
    int64_t saved_ms;    /* when that was */
    int64_t db;          /* selected; -1: not known */
    struct buf held;     /* struct load_held */
    struct buf held_bytes;
    int holding, leaving; /* leaving: the key under way is there already, its later parts are left out */
    uint64_t commands;
    struct rsp_rows *skipped; /* keys that were left alone, for the comparison */
    struct rows_maker *rows;  /* NULL: expected is there, or nothing will be compared */
};
int load_write(struct load *x, struct rsp_rows *skipped);
int load_put(struct load_write *w, const struct resp_unit *unit);
int load_put_select(struct load_write *w, uint32_t db);
/* A unit comes to load_ask; it is put at once, or held. */
int load_ask(struct load_write *w, const struct resp_unit *unit);
int load_ask_release(struct load_write *w);
void load_ask_free(struct load_write *w);
/* Keys that were left alone. */
int load_skipped(struct load_write *w, const struct pipe_note *note);

/* ---- load_compare.c ---- */
struct rsp_compare_side load_side(const struct load *x); /* the dump's; x->o is borrowed */
struct load_calls {
    uint64_t n;
    int known;
};
/* Calls of all commands that may change data, by the server's own count. */
int load_calls(struct load *x, struct load_calls *calls);
int load_compare(struct load *x, const struct load_calls *before, struct rsp_rows *skipped);

/* ---- load_words.c ---- */
/* The fault that an error reply to a write means, into the server's record. */
int load_refused(struct load *x, const struct pipe_note *note, struct rsp_span text);
/* "key \"user:1\" in database 0". */
void load_key_words(const struct pipe_note *note, char *out, size_t size);
/* The server's words become env's. */
int load_hand_on(struct load *x, const struct rsp_env *env, int rc);

#endif
