/* What this is: a restore into a live server from inside: its passes share one struct.
 * Rests on: respite/sys/live.h, repl/routes.h, export/resp_make.h, checkpoint.h, rate.h.
 * Does not: leave lib/job.
 *
 *   load.c          the order of things: passes, the report
 *   load_target.c   the primaries: what they are, what they allow, what they can hold
 *   load_mark.c     the checkpoint of a run, and that of the run before
 *   load_check.c    "checking": all streams are checked and, on the same pass, counted and made rows of
 *   load_library.c  functions
 *   load_shared.c   what all passes need
 *   load_names.c    the names of all records, for load_exists.c and load_twice.c
 *   load_twice.c    "looking for keys that are there twice": only where that can be
 *   load_exists.c   "looking for keys that exist"
 *   load_write.c    "writing": the streams one after the other, and what has to be written again
 *   load_put.c      units to the primaries; what replies mean; rates; when a checkpoint is due
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
#include "repl/routes.h"

#define LOAD_DBS_MAX 4096 /* databases that one restore writes */

struct rows_maker;

/* Records are numbered over all streams: those that the filter lets pass, in the order of the streams. */

struct load_db { /* one that gets keys */
    uint32_t db;
    uint64_t there; /* keys that were in it before */
};
struct load_library { /* of functions */
    uint64_t hash;    /* of its command */
    size_t at, n;     /* its source, in library_bytes */
    size_t name_n;    /* its name stands before it */
    size_t stream;
};

struct load {
    struct rsp_env env, quiet; /* quiet: without a record, for any thread */
    struct rsp_load_options o;
    int (*open)(void *ctx, size_t stream, struct rsp_source **source);
    void *ctx;
    const struct rsp_place *place;
    struct rsp_load_report r;

    /* Threads of a run call us: what the server's side says goes to a record of its own and is handed on. */
    struct rsp_env server_env, own_env;
    struct rsp_error server_error, own_error; /* own: files beside, met by those threads too */
    struct routes *routes;
    char name[320]; /* the target, as the subject of words */

    struct buf dbs;                      /* struct load_db */
    struct buf from_dbs;                 /* uint32_t: databases of the dumps */
    struct buf libraries, library_bytes; /* struct load_library */
    struct buf bases;                    /* uint64_t: the number of each stream's first record, and of the end */
    struct buf twice;                    /* uint64_t: numbers of records that another one stands for, ascending */
    uint8_t slots[RSP_SLOTS / 8];        /* that keys have */
    int overlap;                         /* a key may be there twice */
    uint64_t plan_commands;
    struct rsp_rows *expected; /* what the target is to hold; NULL: nothing will be compared */
    int rows_later;            /* expected is made by the pass that writes */
    uint64_t selection;        /* hash of the accepted records' names, in order */
    struct checkpoint mark;
    int resumed;
    uint64_t skipped_before; /* by the run that this one goes on after */
    int unsure;              /* what was left alone may be what we have written ourselves */
    int changed;             /* the primaries are not those of the beginning, or something was redirected */
};

static inline uint64_t load_base(const struct load *x, size_t stream)
{
    return stream * sizeof(uint64_t) < x->bases.n ? ((const uint64_t *)(const void *)x->bases.p)[stream] : 0;
}

/* ---- load_target.c ---- */
/* Opens the primaries, asks for rights, learns what they can hold. */
int load_target(struct load *x);
static inline struct rsp_server *load_server(const struct load *x)
{
    return routes_server(x->routes, 0);
}

/* ---- load_mark.c ---- */
int load_mark_open(struct load *x);  /* before anything is read: a checkpoint of something else */
int load_mark_check(struct load *x); /* of other keys */
int load_mark_nodes(struct load *x); /* the primaries that are written to stand in it */

/* ---- load_check.c ---- */
int load_check(struct load *x);
/* For what expected is made of. */
int load_rows_maker(struct load *x, const struct rsp_env *env, int gentle, struct rows_maker **ret);
struct load_db *load_db(struct load *x, uint32_t db); /* NULL: it gets no keys */
/* The database as it is afterwards. */
uint32_t load_map(const struct load *x, uint32_t db);
int load_source(struct load *x, size_t stream, struct rsp_source **source);
void load_losses_add(struct rsp_losses *to, const struct rsp_losses *more);
void load_pass(struct load *x, const char *what);
/* The run's options but for the filter. */
void load_run_options(const struct load *x, struct rsp_rdb_run_options *run);

/* ---- load_library.c ---- */
/* Keeps a function's unit, so that all libraries are written before the data, once, whatever stream they are in. One of
 * another code under the same name: RSP_EUNSUPPORTED. Faults go to env. */
int load_library_add(struct load *x, const struct rsp_env *env, size_t stream, const struct resp_unit *u);

/* ---- load_names.c ---- */
enum { LOAD_NAME_EXPIRED = 1, LOAD_NAME_EXPIRES = 2 };
struct load_name {
    uint64_t record;
    uint32_t db; /* where it goes */
    struct rsp_span key;
    unsigned flags;
};
/* Told of every record from number `from` on, in order. */
int load_names(struct load *x, uint64_t from, int (*each)(void *ctx, const struct load_name *name), void *ctx);

/* ---- load_twice.c ---- */
/* Finds records whose keys are there before them: x->twice, and losses of the plan. */
int load_twice(struct load *x);
int load_is_twice(const struct load *x, uint64_t record);

/* ---- load_exists.c ---- */
/* Databases and functions of the target are asked; then, with existing FAIL, the keys from record `from` on. */
int load_look(struct load *x);
int load_exists(struct load *x, uint64_t from);

/* ---- load_write.c, load_put.c, load_ask.c ---- */
enum load_kind { LOAD_SELECT = 1, LOAD_UNIT = 2, LOAD_ASK = 3, LOAD_DEL = 4 };

struct load_held { /* a unit that waits for an answer */
    struct resp_unit unit;
    size_t key_at, at; /* in bytes */
    int asked, there;
};
struct load_write {
    struct load *x;
    struct resp_maker *maker;
    struct rate ops, bytes;
    int existing;        /* of this run: a resumed one replaces what it may have written itself */
    size_t stream;       /* the one that is written */
    uint64_t base;       /* the number of its first record */
    uint64_t put;        /* records before this one were put */
    uint64_t hold;       /* records from here on are not done, whatever was answered: one has to be begun anew */
    struct buf broken;   /* uint64_t: records that have to be begun anew */
    const uint8_t *only; /* slots (bits); not NULL: what was written of them may be lost, and is written again */
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
void load_put_init(struct load_write *w);
int load_put_begin(struct load_write *w); /* the primaries are ours from here to load_put_end */
void load_put_end(struct load_write *w, int rc);
/* Values that an earlier run, or this one, began and did not end. */
int load_put_del_open(struct load_write *w);
int load_put_functions(struct load_write *w);
/* unit->record is that of the stream. */
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
    uint64_t n; /* of all primaries together */
    int known;
};
/* Calls of all commands that may change data, by the servers' own count. */
int load_calls(struct load *x, struct load_calls *calls);
int load_compare(struct load *x, const struct load_calls *before, struct rsp_rows *skipped);

/* ---- load_words.c ---- */
/* The fault that an error reply to a write means, into the servers' record. server NULL: the first. */
int load_refused(struct load *x, struct rsp_server *server, const struct pipe_note *note, struct rsp_span text);
/* "key \"user:1\" in database 0". */
void load_key_words(const struct pipe_note *note, char *out, size_t size);
/* The server's words become env's. */
int load_hand_on(struct load *x, const struct rsp_env *env, int rc);

#endif
