/* What this is: dd1 of the records of a batch, as a worker computes it: elements by the queue, then the records.
 * Rests on: digest_impl.h, sys/filter.h (slots).
 * Does not: put records in parts together (digest_run.c). */
#include <respite/sys/filter.h>

#include <string.h>

#include "rdb/digest_impl.h"
#include "rdb/value_impl.h"

#define WHOLE (RSP_ITEM_FIRST | RSP_ITEM_LAST)

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
    mem_free(&e, w->queue, sizeof *w->queue);
    mem_free(&e, w->waiting, DD1_WAITING * sizeof *w->waiting);
    mem_free(&e, w, sizeof *w);
}

/* ---- rows ---- */

void dd1_row_add(struct rsp_dd1_row *row, const struct rsp_dd1_row *more)
{
    row->keys += more->keys;
    row->expires += more->expires;
    rsp_dd1_add(&row->with_expiry, &more->with_expiry);
    rsp_dd1_add(&row->without, &more->without);
}

void dd1_count_broken(uint64_t *n, uint64_t *at, uint64_t offset)
{
    if (!(*n)++ || offset < *at) *at = offset;
}

/* The key of a record; *broken when it cannot be read. */
static int key_of(struct rsp_dd1_worker *w, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i,
                  struct rsp_span *key, int *broken)
{
    int rc = rsp_rdb_batch_key(&w->env, b, i, &w->key, key);
    if (rc != RSP_EFORMAT) return rc;
    *broken = 1;
    rsp_error_clear(&w->err);
    return RSP_OK;
}

int dd1_record_row(struct rsp_dd1_worker *w, const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i,
                   const struct rsp_dd1_value *v, int64_t expire_ms, struct rsp_dd1_row *row, unsigned *group,
                   int *broken)
{
    struct rsp_span key = {NULL, 0};
    int rc = key_of(w, b, i, &key, broken);
    if (rc || *broken) return rc;
    rsp_dd1_record(v, rsp_rdb_value_type(b->dialect, i->type), key, expire_ms, &row->with_expiry, &row->without);
    row->keys = 1;
    row->expires = expire_ms != RSP_RDB_NO_EXPIRE;
    *group = rsp_key_slot(key) / 64;
    return RSP_OK;
}

static int put_row(struct rsp_dd1_part *p, uint32_t db, unsigned group, const struct rsp_dd1_row *row)
{
    struct dd1_db_row *last = p->dbs.n ? (struct dd1_db_row *)(void *)(p->dbs.p + p->dbs.n) - 1 : NULL;
    struct dd1_db_row fresh = {db, *row};
    dd1_row_add(&p->groups[group], row);
    if (!last || last->db != db) return buf_add(&p->dbs, &fresh, sizeof fresh);
    dd1_row_add(&last->row, row);
    return RSP_OK;
}

/* ---- what waits ---- */

static void collect_values(struct rsp_dd1_worker *w)
{
    struct queue *q = w->queue;
    queue_flush(q);
    if (w->open) w->waiting[w->waiting_n - 1].to = (uint32_t)q->n;
    for (size_t i = 0; i < w->waiting_n; i++) {
        struct dd1_waiting *x = &w->waiting[i];
        if (!x->gone) dd1_add_hashes(&x->v, x->in_order, q->hash + x->from, x->to - x->from);
        x->from = x->to = 0;
    }
    q->n = 0;
}

/* Messages of the records themselves: with an expiry two, else one. */
static int queue_records(struct rsp_dd1_worker *w, size_t n)
{
    const struct rsp_rdb_batch *b = w->batch;
    int rc = RSP_OK;
    for (size_t k = 0; k < n && !rc; k++) {
        struct dd1_waiting *x = &w->waiting[k];
        const struct rsp_rdb_item *i = &b->items[x->item];
        int broken = 0, type = rsp_rdb_value_type(b->dialect, i->type);
        struct rsp_span key = {NULL, 0};
        if (x->gone || x->part) continue;
        rc = key_of(w, b, i, &key, &broken);
        if (rc || broken) {
            x->gone = 1;
            dd1_count_broken(&w->part->broken, &w->part->broken_at, b->offset + i->start);
            continue;
        }
        rsp_dd1_join(&x->v, &x->rest);
        x->from = (uint32_t)w->queue->n;
        queue_record(w->queue, &x->v, type, key, RSP_RDB_NO_EXPIRE);
        if (i->expire_ms != RSP_RDB_NO_EXPIRE) queue_record(w->queue, &x->v, type, key, i->expire_ms);
        x->to = rsp_key_slot(key) / 64;
    }
    queue_flush(w->queue);
    return rc;
}

/* Parts, for the table to put together. */
static int put_piece(struct rsp_dd1_worker *w, struct dd1_waiting *x)
{
    struct dd1_piece y;
    memset(&y, 0, sizeof y);
    rsp_dd1_join(&x->v, &x->rest);
    y.item = x->item;
    y.by_join = x->by_join;
    y.broken = x->broken;
    y.v = x->v;
    return buf_add(&w->part->pieces, &y, sizeof y);
}

static int put_rows(struct rsp_dd1_worker *w, size_t n)
{
    int rc = RSP_OK;
    for (size_t k = 0; k < n && !rc; k++) {
        struct dd1_waiting *x = &w->waiting[k];
        const struct rsp_rdb_item *i = &w->batch->items[x->item];
        const struct sip128 *h = &w->queue->hash[x->from];
        int expires = i->expire_ms != RSP_RDB_NO_EXPIRE;
        struct rsp_dd1_row row = {1, (uint64_t)expires, {h[expires].lo, h[expires].hi}, {h[0].lo, h[0].hi}};
        if (x->gone) continue;
        rc = x->part ? put_piece(w, x) : put_row(w->part, i->db, x->to, &row);
    }
    w->queue->n = 0;
    return rc;
}

/* Every hash that is due, and the rows of the records that are complete. The one under way stays. */
static int collect(struct rsp_dd1_worker *w)
{
    size_t n = w->waiting_n - (size_t)w->open;
    int rc;
    collect_values(w);
    rc = queue_records(w, n);
    if (!rc) rc = put_rows(w, n);
    if (w->open) {
        w->waiting[0] = w->waiting[n];
        w->waiting[0].from = 0;
    }
    w->waiting_n = (size_t)w->open;
    return rc;
}

static inline int room(struct rsp_dd1_worker *w)
{
    return queue_full(w->queue) ? collect(w) : RSP_OK;
}

/* ---- records ---- */

int dd1_begin(struct rsp_dd1_worker *w, const struct rsp_rdb_batch *batch, struct rsp_dd1_part **part)
{
    struct rsp_dd1_part *p;
    if (!w->queue) w->queue = mem_zero(&w->env, sizeof *w->queue);
    if (!w->waiting) w->waiting = mem_zero(&w->env, DD1_WAITING * sizeof *w->waiting);
    p = w->queue && w->waiting ? mem_zero(&w->env, sizeof *p) : NULL;
    if (!p) return RSP_ENOMEM;
    p->env = w->env;
    p->env.error = NULL; /* it outlives this call and wanders to another thread */
    buf_init(&p->dbs, &p->env);
    buf_init(&p->pieces, &p->env);
    if (w->queue->n) queue_flush(w->queue); /* a batch that was not ended */
    w->queue->n = 0;
    w->waiting_n = 0;
    w->open = 0;
    w->batch = batch;
    w->part = *part = p;
    return RSP_OK;
}

int dd1_end(struct rsp_dd1_worker *w)
{
    return collect(w);
}

int dd1_open(struct rsp_dd1_worker *w, uint32_t item)
{
    struct dd1_waiting *x;
    const struct rsp_rdb_item *i = &w->batch->items[item];
    int type = rsp_rdb_value_type(w->batch->dialect, i->type);
    int rc = w->waiting_n == DD1_WAITING ? collect(w) : RSP_OK;
    if (rc) return rc;
    x = &w->waiting[w->waiting_n++];
    memset(x, 0, sizeof *x);
    x->v.power.lo = x->rest.power.lo = 1;
    x->item = item;
    x->from = (uint32_t)w->queue->n;
    x->part = (i->flags & WHOLE) != WHOLE;
    x->in_order = type == RSP_RDB_LIST || type == RSP_RDB_STREAM;
    w->open = 1;
    return RSP_OK;
}

void dd1_close(struct rsp_dd1_worker *w)
{
    w->waiting[w->waiting_n - 1].to = (uint32_t)w->queue->n;
    w->open = 0;
}

void dd1_abandon(struct rsp_dd1_worker *w)
{
    dd1_close(w);
    w->waiting[w->waiting_n - 1].gone = 1;
}

int dd1_text(struct rsp_dd1_worker *w, char letter, struct rsp_span text)
{
    int rc = room(w);
    if (!rc) queue_text(w->queue, letter, text);
    return rc;
}

int dd1_scored(struct rsp_dd1_worker *w, struct rsp_span member, double score)
{
    int rc = room(w);
    if (!rc) queue_scored(w->queue, member, score);
    return rc;
}

int dd1_field(struct rsp_dd1_worker *w, struct rsp_span field, struct rsp_span value, int64_t expire_ms)
{
    int rc = room(w);
    if (!rc) queue_field(w->queue, field, value, expire_ms);
    return rc;
}

int dd1_entry(struct rsp_dd1_worker *w, struct rsp_rdb_id id, const struct rsp_span *strings, size_t count)
{
    int rc = room(w);
    if (!rc) queue_entry(w->queue, id, strings, count);
    return rc;
}

/* ---- from the bytes ---- */

/* The common elements to the queue, the others to w->dd1. */
static int whole_element(struct rsp_dd1_worker *w, const struct rsp_rdb_element *e)
{
    switch (e->kind) {
    case RSP_ELEM_STRING: return dd1_text(w, 's', e->a);
    case RSP_ELEM_ITEM: return dd1_text(w, 'l', e->a);
    case RSP_ELEM_MEMBER: return dd1_text(w, 'm', e->a);
    case RSP_ELEM_SCORED: return dd1_scored(w, e->a, e->score);
    case RSP_ELEM_FIELD: return e->count ? rsp_dd1_element(w->dd1, e) : dd1_field(w, e->a, e->b, e->expire_ms);
    case RSP_ELEM_ENTRY: return dd1_entry(w, e->id, e->fields, e->count);
    default: return rsp_dd1_element(w->dd1, e);
    }
}

/* Elements of the record that was opened, which is closed then. A malformed value is *broken, not a fault. */
static int queue_elements(struct rsp_dd1_worker *w, uint32_t no, int skip_nodes, int *broken)
{
    struct rsp_rdb_element e;
    int rc, pieces = 0;
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    rsp_rdb_value_open(w->value, w->batch, &w->batch->items[no]);
    w->value->skip_nodes = skip_nodes;
    rsp_dd1_begin(w->dd1);
    while (!(rc = rsp_rdb_value_next(w->value, &e))) {
        pieces |= e.kind == RSP_ELEM_PART; /* only w->dd1 can put them together, and what follows comes behind */
        rc = pieces ? rsp_dd1_element(w->dd1, &e) : whole_element(w, &e);
        if (rc) return rc;
    }
    dd1_close(w);
    if (rc == RSP_EFORMAT || rc == RSP_EUNSUPPORTED) {
        *broken = 1;
        rsp_error_clear(&w->err);
        return RSP_OK;
    }
    return rc < 0 ? rc : rsp_dd1_take(w->dd1, &w->waiting[w->waiting_n - 1].rest);
}

static int whole_elements(struct rsp_dd1_worker *w, uint32_t no, int skip_nodes)
{
    int broken = 0, rc = queue_elements(w, no, skip_nodes, &broken);
    if (rc || !broken) return rc;
    w->waiting[w->waiting_n - 1].gone = 1;
    dd1_count_broken(&w->part->broken, &w->part->broken_at, w->batch->offset + w->batch->items[no].start);
    return RSP_OK;
}

int dd1_close_stream(struct rsp_dd1_worker *w)
{
    return whole_elements(w, w->waiting[w->waiting_n - 1].item, 1);
}

static int whole(struct rsp_dd1_worker *w, uint32_t no)
{
    int rc = dd1_open(w, no);
    return rc ? rc : whole_elements(w, no, 0);
}

/* Streams go in order from their first part on, modules are hashed as one string. */
static int must_carry(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    int t = rsp_rdb_value_type(b->dialect, i->type);
    return (i->flags & RSP_ITEM_BIG) || t == RSP_RDB_STREAM || t == RSP_RDB_MODULE;
}

static int in_part(struct rsp_dd1_worker *w, uint32_t no)
{
    struct dd1_waiting *x;
    int rc = dd1_open(w, no), broken = 0;
    if (rc) return rc;
    if (must_carry(w->batch, &w->batch->items[no])) {
        w->waiting[w->waiting_n - 1].by_join = 1;
        dd1_close(w);
        return RSP_OK;
    }
    rc = queue_elements(w, no, 0, &broken);
    if (rc) return rc;
    x = &w->waiting[w->waiting_n - 1];
    x->broken = (uint8_t)broken;
    return RSP_OK;
}

int dd1_record(struct rsp_dd1_worker *w, uint32_t item)
{
    return (w->batch->items[item].flags & WHOLE) == WHOLE ? whole(w, item) : in_part(w, item);
}

int rsp_dd1_batch(struct rsp_dd1_worker *w, const struct rsp_rdb_task *task, struct rsp_dd1_part **part)
{
    const struct rsp_rdb_batch *b = task->batch;
    struct rsp_dd1_part *p = NULL;
    int rc = dd1_begin(w, b, &p);
    for (uint32_t k = 0; k < b->count && !rc; k++) {
        if (b->items[k].kind != RSP_RDB_KEY || (task->verdicts && task->verdicts[k] == RSP_FILTER_REFUSE)) continue;
        rc = dd1_record(w, k);
    }
    if (!rc) rc = dd1_end(w);
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
