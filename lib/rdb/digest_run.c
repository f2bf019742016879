/* What this is: dd1 of a whole file: what the workers of a run leave, summed up in order.
 * Rests on: digest_impl.h.
 * Does not: stop at a malformed value: it is counted. */
#include <stdlib.h>
#include <string.h>

#include "rdb/digest_impl.h"

#define DBS_MAX (1u << 20)

struct rsp_dd1_table {
    struct rsp_env env;
    struct rsp_dd1_row total, groups[RSP_DD1_GROUPS];
    struct buf dbs; /* struct dd1_db_row, ascending */
    size_t last;
    uint64_t broken, broken_at;
    /* the record in parts */
    struct rsp_dd1_worker *w;
    struct rsp_dd1_value v;
    int64_t expire_ms;
    uint64_t record;
    int carried, bad;
};

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

static struct dd1_db_row *rows(const struct rsp_dd1_table *t)
{
    return (struct dd1_db_row *)(void *)t->dbs.p;
}

/* Most files have few dbs, in ascending order. */
static int db_row_of(struct rsp_dd1_table *t, uint32_t db, struct dd1_db_row **ret)
{
    struct dd1_db_row fresh = {db, {0, 0, {0, 0}, {0, 0}}};
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
    struct dd1_db_row *r = NULL;
    int rc = db_row_of(t, db, &r);
    if (rc || !r) return rc;
    dd1_row_add(&r->row, row);
    dd1_row_add(&t->total, row);
    return RSP_OK;
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

/* The record in parts is complete. */
static int finish(struct rsp_dd1_table *t, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    struct rsp_dd1_row row;
    unsigned group = 0;
    int rc = RSP_OK;
    if (!t->bad) rc = dd1_record_row(t->w, b, i, &t->v, t->expire_ms, &row, &group, &t->bad);
    if (rc) return rc;
    if (t->bad) {
        dd1_count_broken(&t->broken, &t->broken_at, t->record);
        return RSP_OK;
    }
    dd1_row_add(&t->groups[group], &row);
    return add_db(t, i->db, &row);
}

static int fold_piece(struct rsp_dd1_table *t, const struct rsp_rdb_batch *b, const struct dd1_piece *x)
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
    const struct dd1_piece *x = (const struct dd1_piece *)(const void *)p->pieces.p;
    const struct dd1_db_row *d = (const struct dd1_db_row *)(const void *)p->dbs.p;
    int rc = RSP_OK;
    for (size_t k = 0; k < p->pieces.n / sizeof *x && !rc; k++) rc = fold_piece(t, task->batch, &x[k]);
    for (size_t k = 0; k < p->dbs.n / sizeof *d && !rc; k++) rc = add_db(t, d[k].db, &d[k].row);
    for (size_t k = 0; k < RSP_DD1_GROUPS; k++) dd1_row_add(&t->groups[k], &p->groups[k]);
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
    if (index >= t->dbs.n / sizeof(struct dd1_db_row)) return NULL;
    *db = rows(t)[index].db;
    return &rows(t)[index].row;
}

uint64_t rsp_dd1_table_broken(const struct rsp_dd1_table *t, uint64_t *offset)
{
    if (offset) *offset = t->broken_at;
    return t->broken;
}
