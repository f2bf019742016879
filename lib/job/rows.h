/* What this is: a dataset as rows: what each record is called (a hash), what it holds (R of dd1) and when it ends.
 * Rests on: respite/sys/live.h, sys/digest.h, sys/spool.h, export/resp_impl.h (what a target takes).
 * Does not: keep values. Memory is bounded: rows are sorted by runs of ROWS_RUN, which lie in a nameless file. */
#ifndef JOB_ROWS_H
#define JOB_ROWS_H

#include <respite/sys/digest.h>
#include <respite/sys/live.h>
#include <respite/sys/spool.h>

#include "base/buf.h"
#include "base/sip.h"
#include "export/resp_impl.h"

#define ROWS_RUN 65536              /* rows sorted in memory at once */
#define ROWS_NAME_MAX 100           /* bytes of a key that are kept */
#define ROWS_NAME_MEMORY (1u << 20) /* of names, before they go to a file */
#define ROWS_READ_MEMORY (4u << 20) /* read-ahead of all runs of a dataset together */
#define ROWS_NEVER INT64_MAX        /* of fields_ms */
#define ROWS_OPAQUE 2               /* of loosely: only the value's module could tell */

/* Rows have one order: by key, then by place in the dump. */
struct row {
    struct sip128 key; /* of database and key */
    struct rsp_dd1_sum r;
    struct rsp_dd1_sum
        loose;         /* of a stream: without what only a file carries: consumers' times, groups' entries_read; of a
                          hash: without the fields that expire; of a module's value: its type and expiry alone */
    int loosely;       /* not 0: what becomes of it may agree in no more than that */
    int64_t expire_ms; /* RSP_RDB_NO_EXPIRE: none */
    int64_t fields_ms; /* when its first hash field expires; ROWS_NEVER */
    int64_t last_ms;   /* when its last one does; ROWS_NEVER: one of them stays */
    uint64_t order;    /* greater for later records of a dump */
    uint64_t name;     /* where its name stands */
};

struct rsp_rows {
    struct rsp_env env;
    struct rsp_error err; /* env's record: rows are filled by one thread and freed by another */
    struct buf fresh;     /* struct row, not yet in a run; the last run once sealed */
    struct buf runs;      /* uint64_t: rows of each run in the file */
    struct rsp_spool *file, *names;
    uint64_t n;
    size_t run_rows;
};

/* ---- rows.c: out of a dump ---- */

struct sip128 row_key(uint32_t db, struct rsp_span key);
/* rsp_rows_of with runs of that length. */
int rows_of(const struct rsp_env *env, struct rsp_source *source, const struct rsp_compare_side *side, unsigned threads,
            const char *tmpdir, volatile const int *cancel, size_t run_rows, struct rsp_rows **ret);

/* The same beside another reading of the dump: functions for rsp_rdb_run_ops. side's spans are borrowed. A maker that is
 * gentle goes on behind damage (whoever reads the dump finds it as well) and tells it at the end. */
struct rows_maker;
int rows_maker_new(const struct rsp_env *env, const struct rsp_compare_side *side, unsigned threads, const char *tmpdir,
                   size_t run_rows, int gentle, struct rows_maker **ret);
int rows_maker_work(void *maker, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task);
int rows_maker_join(void *maker, const struct rsp_env *env, struct rsp_rdb_task *task);
void rows_maker_drop(void *maker, struct rsp_rdb_task *task);
/* Another dump begins, the first one too: its records count as later ones. */
int rows_maker_next(struct rows_maker *m);
/* Of several records of one key the first one counts, not the last. Before the first task. */
void rows_maker_first(struct rows_maker *m);
/* All of it was read: the rows, sealed. */
int rows_maker_end(struct rows_maker *m, const struct rsp_env *env, struct rsp_rows **ret);
void rows_maker_free(struct rows_maker *m);

/* ---- rows_value.c: one record, or one part of a record ---- */

/* What is known of a record, or of a part of one. */
struct row_value {
    struct rsp_dd1_value v, loose;
    int64_t fields_ms, last_ms; /* last_ms: INT64_MIN when there is no field */
    int lost;                   /* the target cannot hold it, or not all of it */
};
struct row_maker {
    struct rsp_env env;
    struct rsp_error err;
    const struct rsp_compare_side *side;
    struct rsp_rdb_value *value;
    struct rsp_dd1 *dd1, *loose;
    struct rsp_scratch key;
    /* with a target: how the record travels; a stream's commands tell what they lose */
    int has_rules, asked;
    struct resp_rules rules;
    struct resp_plan plan;
    struct resp_native native;
    struct buf commands, name;
};
int row_maker_init(struct row_maker *m, const struct rsp_env *env, const struct rsp_compare_side *side);
void row_maker_free(struct row_maker *m);
void row_value_init(struct row_value *v);
void row_value_join(struct row_value *v, const struct row_value *later);
/* Of a FIRST item, before its elements. *out 1: it is left out. */
int row_begin(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int *out);
/* Of each part of a record in several, before its elements: may find that the target cannot hold it. */
void row_part(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, struct row_value *v);
/* Elements up to the end of the item, changed as side says, into *v. carry: goes on where the part before it left off. */
int row_elements(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int carry,
                 struct row_value *v);
/* The record's row (but for its name: *key, *db) once its value is known. *out 1: side leaves it out. */
int row_of(struct row_maker *m, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i, int64_t expire_ms,
           const struct row_value *v, struct row *row, uint32_t *db, struct rsp_span *key, int *out);
/* What m's own record says, into env's. */
int row_maker_report(const struct row_maker *m, const struct rsp_env *env, int rc);

/* ---- rows_store.c ---- */

int rows_new(const struct rsp_env *env, const char *tmpdir, size_t run_rows, struct rsp_rows **ret);
/* A row with its name: u32 db, u8 length, bytes. */
int rows_add(struct rsp_rows *rows, const struct row *row, const uint8_t *name, size_t name_n);
/* No more rows: sorts the last run. */
void rows_seal(struct rsp_rows *rows);
/* What the rows' own record says, into env's. Returns rc. */
int rows_report(const struct rsp_rows *rows, const struct rsp_env *env, int rc);
/* "db 3: user:1" printable. */
int rows_name(struct rsp_rows *rows, uint64_t name, char *out, size_t size);

/* All rows in order, by merging the runs. */
struct row_run {
    uint64_t at, end; /* rows of the file not yet read */
    struct row *p;
    size_t i, n;
};
struct row_front { /* a run by its next row */
    uint64_t hi;   /* of its key */
    size_t run;
};
struct row_walk {
    struct rsp_rows *rows;
    const struct rsp_env *env;
    struct row_run *runs;
    struct row_front *heap;
    size_t runs_n, heap_n, each; /* each: rows read at once */
    /* Not NULL: told of the others of one key. */
    int (*earlier)(void *ctx, const struct row *row);
    void *ctx;
};
int row_walk_open(struct row_walk *w, const struct rsp_env *env, struct rsp_rows *rows);
/* RSP_OK; RSP_END. Of several rows of one key only the last in the dump. */
int row_walk_next(struct row_walk *w, struct row *row);
void row_walk_close(struct row_walk *w);

#endif
