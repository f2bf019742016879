/* What this is: dd1 of a whole file, computed by the workers of a run and summed up in order.
 * Rests on: respite/sys/digest.h, sys/filter.h (slots), base/buf.h.
 * Does not: stop at a malformed value: it is counted. */
#include <respite/sys/digest.h>
#include <respite/sys/filter.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define DBS_MAX (1u << 20)

struct db_row {
    uint32_t db;
    struct rsp_dd1_row row;
};

/* A part of a record: its value, or by_join when only a value carried on from part to part can read it. */
struct piece {
    uint32_t item;
    int by_join, broken;
    struct rsp_dd1_value v;
};

struct rsp_dd1_part {
    struct rsp_env env;
    struct rsp_dd1_row groups[RSP_DD1_GROUPS];
    struct buf dbs;    /* struct db_row, one per run of records of one db */
    struct buf pieces; /* struct piece */
    uint64_t broken, broken_at;
};

struct rsp_dd1_worker {
    struct rsp_env env;
    struct rsp_error err;
    struct rsp_rdb_value *value;
    struct rsp_dd1 *dd1;
    struct rsp_scratch key;
};

struct rsp_dd1_table {
    struct rsp_env env;
    struct rsp_dd1_row total, groups[RSP_DD1_GROUPS];
    struct buf dbs; /* struct db_row, ascending */
    size_t last;
    uint64_t broken, broken_at;
    /* the record in parts */
    struct rsp_dd1_worker *w;
    struct rsp_dd1_value v;
    int64_t expire_ms;
    uint64_t record;
    int carried, bad;
};

/* ---- workers ---- */

int rsp_dd1_worker_new(const struct rsp_env *env, struct rsp_dd1_worker **ret)
{
    struct rsp_dd1_worker *w;
    struct rsp_env e;
    int rc;
    env_init(&e, env);
    w = mem_zero(&e, sizeof *w);
    if (!w) return RSP_ENOMEM;
    w->env = e;
    w->env.error = &w->err;
    rc = rsp_rdb_value_new(&w->env, &w->value);
    if (!rc) rc = rsp_dd1_new(&w->env, &w->dd1);
    if (rc) {
        if (e.error && !e.error->code) *e.error = w->err;
        rsp_dd1_worker_free(w);
        return rc;
    }
    *ret = w;
    return RSP_OK;
}

void rsp_dd1_worker_free(struct rsp_dd1_worker *w)
{
    struct rsp_env e;
    if (!w) return;
    e = w->env;
    rsp_rdb_value_free(w->value);
    rsp_dd1_free(w->dd1);
    rsp_scratch_free(&e, &w->key);
    mem_free(&e, w, sizeof *w);
}

/* Elements up to the end of the part. A malformed value is *broken, not a fault. */
static int elements(struct rsp_dd1_worker *w, int *broken)
{
    struct rsp_rdb_element e;
    int rc;
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    while (!(rc = rsp_rdb_value_next(w->value, &e))) {
        rc = rsp_dd1_element(w->dd1, &e);
        if (rc) return rc;
    }
    if (rc == RSP_EFORMAT || rc == RSP_EUNSUPPORTED) {
        *broken = 1;
        rsp_error_clear(&w->err);
        return RSP_OK;
    }
    return rc < 0 ? rc : RSP_OK;
}

static void row_add(struct rsp_dd1_row *row, const struct rsp_dd1_row *more)
{
    row->keys += more->keys;
    row->expires += more->expires;
    rsp_dd1_add(&row->with_expiry, &more->with_expiry);
    rsp_dd1_add(&row->without, &more->without);
}

/* The row of one record, and its group. */
static int record_row(struct rsp_dd1_worker *w, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i,
                      const struct rsp_dd1_value *v, int64_t expire_ms, struct rsp_dd1_row *row, unsigned *group,
                      int *broken)
{
    struct rsp_span key;
    int rc = rsp_rdb_batch_key(&w->env, b, i, &w->key, &key);
    if (rc == RSP_EFORMAT) {
        *broken = 1;
        rsp_error_clear(&w->err);
        return RSP_OK;
    }
    if (rc) return rc;
    rsp_dd1_record(v, rsp_rdb_value_type(b->dialect, i->type), key, expire_ms, &row->with_expiry, &row->without);
    row->keys = 1;
    row->expires = expire_ms != RSP_RDB_NO_EXPIRE;
    *group = rsp_key_slot(key) / 64;
    return RSP_OK;
}

static void count_broken(uint64_t *n, uint64_t *at, uint64_t offset)
{
    if (!(*n)++) *at = offset;
}

static int whole(struct rsp_dd1_worker *w, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i,
                 struct rsp_dd1_part *p)
{
    struct rsp_dd1_value v;
    struct rsp_dd1_row row;
    struct db_row *last = p->dbs.n ? (struct db_row *)(void *)(p->dbs.p + p->dbs.n) - 1 : NULL;
    unsigned group = 0;
    int broken = 0, rc;
    rsp_rdb_value_open(w->value, b, i);
    rsp_dd1_begin(w->dd1);
    rc = elements(w, &broken);
    if (!rc) rc = rsp_dd1_take(w->dd1, &v);
    if (!rc && !broken) rc = record_row(w, b, i, &v, i->expire_ms, &row, &group, &broken);
    if (rc) return rc;
    if (broken) {
        count_broken(&p->broken, &p->broken_at, b->offset + i->start);
        return RSP_OK;
    }
    row_add(&p->groups[group], &row);
    if (!last || last->db != i->db) {
        struct db_row fresh = {i->db, row};
        return buf_add(&p->dbs, &fresh, sizeof fresh);
    }
    row_add(&last->row, &row);
    return RSP_OK;
}

/* Streams go in order from their first part on, modules are hashed as one string. */
static int must_carry(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    int t = rsp_rdb_value_type(b->dialect, i->type);
    return (i->flags & RSP_ITEM_BIG) || t == RSP_RDB_STREAM || t == RSP_RDB_MODULE;
}

static int in_part(struct rsp_dd1_worker *w, const struct rsp_rdb_batch *b, uint32_t no, struct rsp_dd1_part *p)
{
    const struct rsp_rdb_item *i = &b->items[no];
    struct piece x;
    int rc = RSP_OK;
    memset(&x, 0, sizeof x);
    x.item = no;
    x.by_join = must_carry(b, i);
    if (!x.by_join) {
        rsp_rdb_value_open(w->value, b, i);
        rsp_dd1_begin(w->dd1);
        rc = elements(w, &x.broken);
        if (!rc) rc = rsp_dd1_take(w->dd1, &x.v);
    }
    return rc ? rc : buf_add(&p->pieces, &x, sizeof x);
}

int rsp_dd1_batch(struct rsp_dd1_worker *w, const struct rsp_rdb_task *task, struct rsp_dd1_part **part)
{
    const struct rsp_rdb_batch *b = task->batch;
    struct rsp_dd1_part *p = mem_zero(&w->env, sizeof *p);
    int rc = RSP_OK;
    if (!p) return RSP_ENOMEM;
    p->env = w->env;
    p->env.error = NULL; /* it outlives this call and wanders to another thread */
    buf_init(&p->dbs, &p->env);
    buf_init(&p->pieces, &p->env);
    for (size_t k = 0; k < b->count && !rc; k++) {
        const struct rsp_rdb_item *i = &b->items[k];
        if (i->kind != RSP_RDB_KEY || (task->verdicts && task->verdicts[k] == RSP_FILTER_REFUSE)) continue;
        if ((i->flags & (RSP_ITEM_FIRST | RSP_ITEM_LAST)) == (RSP_ITEM_FIRST | RSP_ITEM_LAST)) rc = whole(w, b, i, p);
        else rc = in_part(w, b, (uint32_t)k, p);
    }
    if (rc) {
        rsp_dd1_drop(p);
        return rc;
    }
    *part = p;
    return RSP_OK;
}

void rsp_dd1_drop(struct rsp_dd1_part *p)
{
    struct rsp_env e;
    if (!p) return;
    e = p->env;
    buf_free(&p->dbs);
    buf_free(&p->pieces);
    mem_free(&e, p, sizeof *p);
}

/* ---- the table ---- */

int rsp_dd1_table_new(const struct rsp_env *env, struct rsp_dd1_table **ret)
{
    struct rsp_dd1_table *t;
    struct rsp_env e;
    int rc;
    env_init(&e, env);
    t = mem_zero(&e, sizeof *t);
    if (!t) return RSP_ENOMEM;
    t->env = e;
    buf_init(&t->dbs, &t->env);
    rc = rsp_dd1_worker_new(&e, &t->w);
    if (rc) {
        rsp_dd1_table_free(t);
        return rc;
    }
    *ret = t;
    return RSP_OK;
}

void rsp_dd1_table_free(struct rsp_dd1_table *t)
{
    struct rsp_env e;
    if (!t) return;
    e = t->env;
    buf_free(&t->dbs);
    rsp_dd1_worker_free(t->w);
    mem_free(&e, t, sizeof *t);
}

static struct db_row *rows(const struct rsp_dd1_table *t)
{
    return (struct db_row *)(void *)t->dbs.p;
}

/* Most files have few dbs, in ascending order. */
static int db_row_of(struct rsp_dd1_table *t, uint32_t db, struct db_row **ret)
{
    struct db_row fresh = {db, {0, 0, {0, 0}, {0, 0}}};
    size_t n = t->dbs.n / sizeof fresh, low = 0, high = n;
    int rc;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (rows(t)[mid].db < db) low = mid + 1;
        else high = mid;
    }
    if (low == n || rows(t)[low].db != db) {
        if (n == DBS_MAX) return fail(&t->env, RSP_ELIMIT, NULL, "more than %u databases", DBS_MAX);
        rc = buf_add(&t->dbs, &fresh, sizeof fresh);
        if (rc) return rc;
        memmove(rows(t) + low + 1, rows(t) + low, (n - low) * sizeof fresh);
        rows(t)[low] = fresh;
    }
    *ret = &rows(t)[low];
    return RSP_OK;
}

static int add_db(struct rsp_dd1_table *t, uint32_t db, const struct rsp_dd1_row *row)
{
    struct db_row *r = NULL;
    int rc = db_row_of(t, db, &r);
    if (rc || !r) return rc;
    row_add(&r->row, row);
    row_add(&t->total, row);
    return RSP_OK;
}

/* The record in parts is complete. */
static int finish(struct rsp_dd1_table *t, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_dd1_row row;
    unsigned group = 0;
    int rc = RSP_OK;
    if (!t->bad) rc = record_row(t->w, b, i, &t->v, t->expire_ms, &row, &group, &t->bad);
    if (rc) return rc;
    if (t->bad) {
        count_broken(&t->broken, &t->broken_at, t->record);
        return RSP_OK;
    }
    row_add(&t->groups[group], &row);
    return add_db(t, i->db, &row);
}

static int fold_piece(struct rsp_dd1_table *t, const struct rsp_rdb_batch *b, const struct piece *x)
{
    const struct rsp_rdb_item *i = &b->items[x->item];
    struct rsp_dd1_value v = x->v;
    int rc = RSP_OK;
    if (i->flags & RSP_ITEM_FIRST) {
        rsp_dd1_begin(t->w->dd1);
        rc = rsp_dd1_take(t->w->dd1, &t->v); /* nothing yet */
        t->expire_ms = i->expire_ms;
        t->record = b->offset + i->start;
        t->carried = t->bad = 0;
    }
    if (!rc && x->by_join && !t->bad) {
        if (t->carried) rsp_rdb_value_continue(t->w->value, b, i);
        else rsp_rdb_value_open(t->w->value, b, i);
        rc = elements(t->w, &t->bad);
        if (!rc) rc = rsp_dd1_take(t->w->dd1, &v);
    }
    if (rc) return rc;
    t->carried = x->by_join;
    t->bad |= x->broken;
    rsp_dd1_join(&t->v, &v);
    return i->flags & RSP_ITEM_LAST ? finish(t, b, i) : RSP_OK;
}

int rsp_dd1_fold(struct rsp_dd1_table *t, const struct rsp_rdb_task *task, struct rsp_dd1_part *p)
{
    const struct piece *x = (const struct piece *)(const void *)p->pieces.p;
    const struct db_row *d = (const struct db_row *)(const void *)p->dbs.p;
    int rc = RSP_OK;
    for (size_t k = 0; k < p->pieces.n / sizeof *x && !rc; k++) rc = fold_piece(t, task->batch, &x[k]);
    for (size_t k = 0; k < p->dbs.n / sizeof *d && !rc; k++) rc = add_db(t, d[k].db, &d[k].row);
    for (size_t k = 0; k < RSP_DD1_GROUPS; k++) row_add(&t->groups[k], &p->groups[k]);
    if (p->broken && (!t->broken || p->broken_at < t->broken_at)) t->broken_at = p->broken_at;
    t->broken += p->broken;
    if (rc && t->env.error && !t->env.error->code) *t->env.error = t->w->err;
    rsp_dd1_drop(p);
    return rc;
}

const struct rsp_dd1_row *rsp_dd1_table_total(const struct rsp_dd1_table *t)
{
    return &t->total;
}

const struct rsp_dd1_row *rsp_dd1_table_group(const struct rsp_dd1_table *t, unsigned group)
{
    return &t->groups[group % RSP_DD1_GROUPS];
}

const struct rsp_dd1_row *rsp_dd1_table_db(struct rsp_dd1_table *t, size_t index, uint32_t *db)
{
    if (index >= t->dbs.n / sizeof(struct db_row)) return NULL;
    *db = rows(t)[index].db;
    return &rows(t)[index].row;
}

uint64_t rsp_dd1_table_broken(const struct rsp_dd1_table *t, uint64_t *offset)
{
    if (offset) *offset = t->broken_at;
    return t->broken;
}
