/* What this is: keys that would be written twice: those of two databases that become one, or the same key in two streams.
 * Rests on: load_impl.h, rows.h.
 * Does not: look at all where no slot is in two streams and no two databases become one (load_check.c knows).
 *
 * Of several such records the first counts (as in files made of several dumps, flow/reshard); the others are
 * RSP_LOSS_COLLISION, and are left out when that kind is dropped. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/load_impl.h"
#include "job/rows.h"

struct twice {
    struct load *x;
    struct rsp_rows *rows;
    size_t at; /* in x->twice */
};

static int add_row(void *ctx, const struct load_name *name)
{
    struct twice *t = ctx;
    struct row row;
    if (name->flags & LOAD_NAME_EXPIRED) return RSP_OK;
    memset(&row, 0, sizeof row);
    row.key = row_key(name->db, name->key);
    row.order = UINT64_MAX - name->record; /* the first is the last in the order of rows */
    return rows_add(t->rows, &row, (const uint8_t *)"", 0);
}

static int other(void *ctx, const struct row *row)
{
    struct twice *t = ctx;
    uint64_t record = UINT64_MAX - row->order;
    return buf_add(&t->x->twice, &record, sizeof record);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int find(struct twice *t)
{
    struct load *x = t->x;
    struct row_walk walk = {0};
    struct row row;
    int rc = load_names(x, 0, add_row, t);
    if (rc) return rows_report(t->rows, &x->env, rc);
    rows_seal(t->rows);
    rc = row_walk_open(&walk, &x->env, t->rows);
    walk.earlier = other;
    walk.ctx = t;
    while (!rc) rc = row_walk_next(&walk, &row);
    row_walk_close(&walk);
    if (rc != RSP_END) return rc;
    if (x->twice.n) qsort(x->twice.p, x->twice.n / sizeof(uint64_t), sizeof(uint64_t), by_number);
    return RSP_OK;
}

static int tell(void *ctx, const struct load_name *name)
{
    struct twice *t = ctx;
    struct load *x = t->x;
    const uint64_t *n = (const uint64_t *)(const void *)x->twice.p;
    int rc;
    if (t->at == x->twice.n / sizeof *n || n[t->at] != name->record) return RSP_OK;
    t->at++;
    rsp_losses_add(&x->r.plan.losses, RSP_LOSS_COLLISION, name->db, name->key);
    x->r.plan.keys--;
    if (name->flags & LOAD_NAME_EXPIRES && x->r.plan.expires) x->r.plan.expires--;
    rc = x->o.resp.lost ? x->o.resp.lost(x->o.resp.opaque, RSP_LOSS_COLLISION, name->db, name->key) : RSP_OK;
    return rc < 0 ? fail(&x->own_env, rc, NULL, "the report of what is lost stopped") : rc;
}

int load_twice(struct load *x)
{
    struct twice t = {.x = x};
    int rc;
    if (!x->overlap) return RSP_OK;
    load_pass(x, "looking for keys that are there twice");
    rc = rows_new(&x->own_env, x->o.tmpdir, ROWS_RUN, &t.rows);
    if (!rc) rc = find(&t);
    if (!rc && x->twice.n) rc = load_names(x, 0, tell, &t);
    rsp_rows_free(t.rows);
    return rc;
}

int load_is_twice(const struct load *x, uint64_t record)
{
    return bsearch(&record, x->twice.p, x->twice.n / sizeof record, sizeof record, by_number) != NULL;
}
