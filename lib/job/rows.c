/* What this is: the rows of a dump: workers digest records, join puts those in parts together.
 * Rests on: rows.h, respite/sys/rdb_run.h, sys/pool.h.
 * Does not: compare. */
#include "job/rows.h"

#include <pthread.h>
#include <string.h>

#include <respite/sys/pool.h>

#include "base/bytes.h"

#define DUMP_BYTES ((uint64_t)1 << 48) /* no dump is longer */
#define WHOLE (RSP_ITEM_FIRST | RSP_ITEM_LAST)

/* A part of a record that does not lie in one piece. */
struct part {
    uint32_t item;
    int carry; /* only a value that is carried on from part to part can read it */
    struct row_value v;
};

/* What a worker leaves: parts. Its rows it adds by itself: their order is in them. */
struct made {
    struct made *next;
    struct rsp_env env;
    struct buf parts; /* struct part */
    int fault;        /* that ended it, with its words */
    struct rsp_error words;
};

struct worker {
    struct row_maker m;
    struct buf rows;  /* of a batch: struct row; name counts from the begin of names */
    struct buf names; /* u32 db, u8 length, bytes: one behind the other */
};

struct rows_maker {
    struct rsp_env env;
    struct rsp_compare_side side;
    struct rsp_rows *rows;
    struct worker **workers; /* each made by its own thread at first use */
    size_t workers_n;
    struct row_maker joiner;
    /* the record in parts */
    struct row_value v;
    int64_t expire_ms;
    uint64_t order, dump; /* dump: added to offsets in the one that is read */
    int carried, out;
    int begun;         /* a dump was */
    int first;         /* of several records of one key the first counts */
    int gentle, fault; /* fault: damage, behind which nothing more is made */
    struct rsp_error words;
    pthread_mutex_t lock; /* of rows and free */
    struct made *free;    /* buffers wander from batch to batch */
};

/* ---- work ---- */

static void worker_free(struct rows_maker *x, struct worker *w)
{
    if (!w) return;
    row_maker_free(&w->m);
    buf_free(&w->rows);
    buf_free(&w->names);
    mem_free(&x->env, w, sizeof *w);
}

static int worker_of(struct rows_maker *x, unsigned n, const struct rsp_env *env, struct worker **ret)
{
    struct worker *w;
    int rc;
    if (n >= x->workers_n) return fail(env, RSP_ESTATE, NULL, "there is no worker %u", n);
    w = x->workers[n];
    if (!w) {
        w = mem_zero(env, sizeof *w);
        if (!w) return RSP_ENOMEM;
        rc = row_maker_init(&w->m, &x->env, &x->side);
        buf_init(&w->rows, &w->m.env);
        buf_init(&w->names, &w->m.env);
        if (rc) {
            row_maker_report(&w->m, env, rc);
            worker_free(x, w);
            return rc;
        }
        x->workers[n] = w;
    }
    *ret = w;
    return RSP_OK;
}

static void made_free(struct made *m)
{
    struct rsp_env e;
    if (!m) return;
    e = m->env;
    buf_free(&m->parts);
    mem_free(&e, m, sizeof *m);
}

static struct made *made_take(struct rows_maker *x, const struct rsp_env *env)
{
    struct made *m;
    pthread_mutex_lock(&x->lock);
    m = x->free;
    if (m) x->free = m->next;
    pthread_mutex_unlock(&x->lock);
    if (m) return m;
    m = mem_zero(env, sizeof *m);
    if (!m) return NULL;
    m->env = *env;
    m->env.error = NULL; /* it wanders to another thread */
    buf_init(&m->parts, &m->env);
    return m;
}

static void made_give(struct rows_maker *x, struct made *m)
{
    if (!m) return;
    m->parts.n = 0;
    m->fault = RSP_OK;
    pthread_mutex_lock(&x->lock);
    m->next = x->free;
    x->free = m;
    pthread_mutex_unlock(&x->lock);
}

static int put_name(struct buf *b, uint32_t db, struct rsp_span key)
{
    uint8_t head[5];
    int rc;
    if (key.n > ROWS_NAME_MAX) key.n = ROWS_NAME_MAX;
    store_le32(head, db);
    head[4] = (uint8_t)key.n;
    rc = buf_add(b, head, sizeof head);
    return rc || !key.n ? rc : buf_add(b, key.p, key.n);
}

static uint64_t order_of(const struct rows_maker *x, uint64_t offset)
{
    uint64_t order = x->dump + offset;
    return x->first ? UINT64_MAX - order : order;
}

static int whole(struct worker *w, const struct rows_maker *x, const struct rsp_rdb_batch *b,
                 const struct rsp_rdb_item *i)
{
    struct row_value v;
    struct rsp_span key = {NULL, 0};
    struct row row;
    uint32_t db = 0;
    int out = 0, rc = row_begin(&w->m, b, i, &out);
    if (rc || out) return rc;
    rc = row_elements(&w->m, b, i, 0, &v);
    if (!rc) rc = row_of(&w->m, b, i, i->expire_ms, &v, &row, &db, &key, &out);
    if (rc || out) return rc;
    row.order = order_of(x, b->offset + i->start);
    row.name = w->names.n;
    rc = buf_add(&w->rows, &row, sizeof row);
    if (!rc) rc = put_name(&w->names, db, key);
    return rc;
}

/* Streams go in order from their first part on, modules are hashed as one string. */
static int must_carry(const struct rsp_rdb_batch *b, const struct rsp_rdb_item *i)
{
    int t = rsp_rdb_value_type(b->dialect, i->type);
    return (i->flags & RSP_ITEM_BIG) || t == RSP_RDB_STREAM || t == RSP_RDB_MODULE;
}

static int in_part(struct row_maker *w, struct made *m, const struct rsp_rdb_batch *b, uint32_t item)
{
    struct part p;
    int rc = RSP_OK;
    memset(&p, 0, sizeof p);
    p.item = item;
    p.carry = must_carry(b, &b->items[item]);
    row_value_init(&p.v);
    w->asked = 0;
    if (!p.carry) rc = row_elements(w, b, &b->items[item], 0, &p.v);
    return rc ? rc : buf_add(&m->parts, &p, sizeof p);
}

static int make(struct worker *w, const struct rows_maker *x, struct made *m, const struct rsp_rdb_task *task)
{
    const struct rsp_rdb_batch *b = task->batch;
    int rc = RSP_OK;
    w->rows.n = w->names.n = 0;
    for (uint32_t k = 0; k < b->count && !rc; k++) {
        const struct rsp_rdb_item *i = &b->items[k];
        if (i->kind != RSP_RDB_KEY || (task->verdicts && task->verdicts[k] == RSP_FILTER_REFUSE)) continue;
        rc = (i->flags & WHOLE) == WHOLE ? whole(w, x, b, i) : in_part(&w->m, m, b, k);
    }
    return rc;
}

static int add_rows(struct rows_maker *x, const struct worker *w, const struct rsp_env *env)
{
    const struct row *r = (const struct row *)(const void *)w->rows.p;
    size_t n = w->rows.n / sizeof *r;
    int rc = RSP_OK;
    if (!n) return RSP_OK;
    pthread_mutex_lock(&x->lock);
    for (size_t k = 0; k < n && !rc; k++) {
        size_t end = k + 1 < n ? (size_t)r[k + 1].name : w->names.n;
        rc = rows_add(x->rows, &r[k], w->names.p + r[k].name, end - (size_t)r[k].name);
    }
    rows_report(x->rows, env, rc);
    pthread_mutex_unlock(&x->lock);
    return rc;
}

static int is_damage(int rc)
{
    return rc == RSP_EFORMAT || rc == RSP_ETRUNCATED || rc == RSP_ECHECKSUM || rc == RSP_EVERSION;
}

int rows_maker_work(void *maker, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct rows_maker *x = maker;
    struct worker *w = NULL;
    struct made *m;
    int rc;
    if (__atomic_load_n(&x->fault, __ATOMIC_RELAXED)) return RSP_OK;
    rc = worker_of(x, worker, env, &w);
    if (rc || !w) return rc;
    m = made_take(x, &w->m.env);
    if (!m) return row_maker_report(&w->m, env, RSP_ENOMEM);
    m->parts.env = &w->m.env; /* whose record the buffer may write into now */
    rc = make(w, x, m, task);
    m->parts.env = &m->env;
    if (rc && x->gentle && is_damage(rc)) { /* its turn comes in join */
        m->fault = rc;
        m->words = w->m.err;
        rsp_error_clear(&w->m.err);
        rc = RSP_OK;
    } else if (!rc) {
        rc = add_rows(x, w, &w->m.env);
    }
    if (rc) {
        made_give(x, m);
        return row_maker_report(&w->m, env, rc);
    }
    task->result = m;
    return RSP_OK;
}

/* ---- join ---- */

/* The record in parts is complete. */
static int finish(struct rows_maker *x, const struct rsp_env *env, const struct rsp_rdb_batch *b,
                  const struct rsp_rdb_item *i)
{
    uint8_t room[5 + ROWS_NAME_MAX];
    struct buf name = {room, 0, sizeof room, &x->env};
    struct rsp_span key = {NULL, 0};
    struct row row;
    uint32_t db = 0;
    int out = 0;
    int rc = row_of(&x->joiner, b, i, x->expire_ms, &x->v, &row, &db, &key, &out);
    if (rc || out) return rc;
    row.order = x->order;
    rc = put_name(&name, db, key);
    if (rc) return rc;
    pthread_mutex_lock(&x->lock);
    rc = rows_report(x->rows, env, rows_add(x->rows, &row, name.p, name.n));
    pthread_mutex_unlock(&x->lock);
    return rc;
}

static int add_part(struct rows_maker *x, const struct rsp_env *env, const struct rsp_rdb_batch *b,
                    const struct part *p)
{
    const struct rsp_rdb_item *i = &b->items[p->item];
    struct row_maker *m = &x->joiner;
    struct row_value v = p->v;
    int rc = RSP_OK;
    if (i->flags & RSP_ITEM_FIRST) {
        row_value_init(&x->v);
        x->expire_ms = i->expire_ms;
        x->order = order_of(x, b->offset + i->start);
        x->carried = 0;
        rc = row_begin(m, b, i, &x->out);
    }
    if (rc || x->out) return rc;
    row_part(m, b, i, &x->v);
    if (p->carry) rc = row_elements(m, b, i, x->carried, &v);
    if (rc) return rc;
    x->carried = p->carry;
    row_value_join(&x->v, &v);
    return i->flags & RSP_ITEM_LAST ? finish(x, env, b, i) : RSP_OK;
}

static int add_parts(struct rows_maker *x, const struct rsp_env *env, const struct rsp_rdb_task *task,
                     const struct made *m)
{
    const struct part *p = (const struct part *)(const void *)m->parts.p;
    size_t n = m->parts.n / sizeof *p;
    int rc = RSP_OK;
    for (size_t k = 0; k < n && !rc; k++) rc = row_maker_report(&x->joiner, env, add_part(x, env, task->batch, &p[k]));
    return rc;
}

static int damaged(struct rows_maker *x, int rc, const struct rsp_error *words)
{
    x->words = *words;
    __atomic_store_n(&x->fault, rc, __ATOMIC_RELAXED);
    return RSP_OK;
}

int rows_maker_join(void *maker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct rows_maker *x = maker;
    struct rsp_env inner = *env;
    struct rsp_error words = {0};
    struct made *m = task->result;
    int rc = RSP_OK;
    task->result = NULL;
    if (!m || x->fault) {
        made_give(x, m);
        return RSP_OK;
    }
    inner.error = &words;
    rc = add_parts(x, &inner, task, m);
    if (!rc && m->fault) {
        rc = m->fault;
        words = m->words;
    }
    made_give(x, m);
    if (rc && x->gentle && is_damage(rc)) return damaged(x, rc, &words);
    if (rc && env->error && !env->error->code) *env->error = words;
    return rc;
}

void rows_maker_drop(void *maker, struct rsp_rdb_task *task)
{
    made_give(maker, task->result);
    task->result = NULL;
}

/* ---- the whole ---- */

void rows_maker_free(struct rows_maker *x)
{
    struct rsp_env env;
    if (!x) return;
    env = x->env;
    row_maker_free(&x->joiner);
    for (size_t i = 0; x->workers && i < x->workers_n; i++) worker_free(x, x->workers[i]);
    if (x->workers) mem_free(&env, x->workers, x->workers_n * sizeof *x->workers);
    while (x->free) {
        struct made *m = x->free;
        x->free = m->next;
        made_free(m);
    }
    rsp_rows_free(x->rows);
    pthread_mutex_destroy(&x->lock);
    mem_free(&env, x, sizeof *x);
}

int rows_maker_new(const struct rsp_env *env, const struct rsp_compare_side *side, unsigned threads, const char *tmpdir,
                   size_t run_rows, int gentle, struct rows_maker **ret)
{
    struct rsp_env full;
    struct rows_maker *x;
    int rc;
    *ret = NULL;
    env_init(&full, env);
    x = mem_zero(&full, sizeof *x);
    if (!x) return RSP_ENOMEM;
    x->env = full;
    x->gentle = gentle;
    if (pthread_mutex_init(&x->lock, NULL)) {
        mem_free(&full, x, sizeof *x);
        return fail(&full, RSP_ENOMEM, NULL, "cannot make a lock");
    }
    if (side) memcpy(&x->side, side, side->size && side->size < sizeof x->side ? side->size : sizeof x->side);
    rc = rows_new(&x->env, tmpdir, run_rows, &x->rows);
    x->workers_n = (size_t)(threads ? threads : rsp_pool_processors()) + 1;
    if (!rc) {
        x->workers = mem_zero(&x->env, x->workers_n * sizeof *x->workers);
        rc = x->workers ? row_maker_init(&x->joiner, &x->env, &x->side) : RSP_ENOMEM;
        row_maker_report(&x->joiner, &full, rc);
    }
    x->env.error = NULL; /* threads are about to use it */
    if (rc) rows_maker_free(x);
    else *ret = x;
    return rc;
}

void rows_maker_first(struct rows_maker *x)
{
    x->first = 1;
}

int rows_maker_next(struct rows_maker *x)
{
    if (x->begun && x->dump > UINT64_MAX - 2 * DUMP_BYTES) return fail(&x->env, RSP_ELIMIT, NULL, "too many dumps");
    x->dump += x->begun ? DUMP_BYTES : 0;
    x->begun = 1;
    return RSP_OK;
}

int rows_maker_end(struct rows_maker *x, const struct rsp_env *env, struct rsp_rows **ret)
{
    *ret = NULL;
    if (x->fault) {
        if (env->error && !env->error->code) *env->error = x->words;
        return x->fault;
    }
    rows_seal(x->rows);
    *ret = x->rows;
    x->rows = NULL;
    return RSP_OK;
}
