/* What this is: rows kept: sorted runs in a nameless file, merged again when they are read.
 * Rests on: rows.h.
 * Does not: know what a row means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "job/rows.h"

int rows_new(const struct rsp_env *env, const char *tmpdir, size_t run_rows, struct rsp_rows **ret)
{
    struct rsp_env e;
    struct rsp_rows *r;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    r = mem_zero(&e, sizeof *r);
    if (!r) return RSP_ENOMEM;
    r->env = e;
    r->env.error = &r->err;
    r->run_rows = run_rows;
    buf_init(&r->fresh, &r->env);
    buf_init(&r->runs, &r->env);
    rc = rsp_spool_new(&r->env, tmpdir, 0, &r->file);
    if (!rc) rc = rsp_spool_new(&r->env, tmpdir, ROWS_NAME_MEMORY, &r->names);
    if (rc) {
        rows_report(r, &e, rc);
        rsp_rows_free(r);
        return rc;
    }
    *ret = r;
    return RSP_OK;
}

void rsp_rows_free(struct rsp_rows *r)
{
    struct rsp_env e;
    if (!r) return;
    e = r->env;
    rsp_spool_free(r->file);
    rsp_spool_free(r->names);
    buf_free(&r->fresh);
    buf_free(&r->runs);
    mem_free(&e, r, sizeof *r);
}

uint64_t rsp_rows_count(const struct rsp_rows *r)
{
    return r->n;
}

static inline int order(const struct row *a, const struct row *b)
{
    if (a->key.hi != b->key.hi) return a->key.hi < b->key.hi ? -1 : 1;
    if (a->key.lo != b->key.lo) return a->key.lo < b->key.lo ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static int order_of(const void *a, const void *b)
{
    return order(a, b);
}

static size_t fresh_n(const struct rsp_rows *r)
{
    return r->fresh.n / sizeof(struct row);
}

/* ---- sorting ---- */

#define FEW 24 /* rows that are sorted by insertion */

static void sort_few(struct row *r, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct row x = r[i];
        size_t k = i;
        for (; k && order(&x, &r[k - 1]) < 0; k--) r[k] = r[k - 1];
        r[k] = x;
    }
}

/* Puts each row into the part of its byte at shift, in place. */
static void part_rows(struct row *r, size_t n, unsigned shift, size_t ends[256])
{
    size_t at[256], sum = 0;
    memset(ends, 0, 256 * sizeof *ends);
    for (size_t i = 0; i < n; i++) ends[r[i].key.hi >> shift & 255]++;
    for (unsigned k = 0; k < 256; k++) {
        at[k] = sum;
        sum += ends[k];
        ends[k] = sum;
    }
    for (unsigned k = 0; k < 256; k++)
        while (at[k] < ends[k]) {
            struct row x = r[at[k]];
            unsigned to = x.key.hi >> shift & 255;
            while (to != k) {
                struct row y = r[at[to]];
                r[at[to]++] = x;
                x = y;
                to = x.key.hi >> shift & 255;
            }
            r[at[k]++] = x;
        }
}

/* Keys are hashes: their first two bytes nearly sort a run. Keys that were chosen against that, or that are there many
 * times, are qsort's. */
static void sort_rows(struct row *r, size_t n, unsigned shift)
{
    size_t ends[256], at = 0;
    if (n <= FEW) {
        sort_few(r, n);
        return;
    }
    if (shift < 48) {
        qsort(r, n, sizeof *r, order_of);
        return;
    }
    part_rows(r, n, shift, ends);
    for (unsigned k = 0; k < 256; k++) {
        sort_rows(r + at, ends[k] - at, shift - 8);
        at = ends[k];
    }
}

static void sort_fresh(struct rsp_rows *r)
{
    if (fresh_n(r) > 1) sort_rows((struct row *)(void *)r->fresh.p, fresh_n(r), 56);
}

static int put_run(struct rsp_rows *r)
{
    uint64_t n = fresh_n(r);
    int rc;
    sort_fresh(r);
    rc = rsp_spool_write(r->file, r->fresh.p, r->fresh.n);
    if (!rc) rc = buf_add(&r->runs, &n, sizeof n);
    r->fresh.n = 0;
    return rc;
}

int rows_add(struct rsp_rows *r, const struct row *row, const uint8_t *name, size_t name_n)
{
    struct row x = *row;
    int rc = fresh_n(r) >= r->run_rows ? put_run(r) : RSP_OK;
    x.name = rsp_spool_size(r->names);
    if (!rc) rc = rsp_spool_write(r->names, name, name_n);
    if (!rc) rc = buf_add(&r->fresh, &x, sizeof x);
    if (!rc) r->n++;
    return rc;
}

void rows_seal(struct rsp_rows *r)
{
    sort_fresh(r);
}

int rows_report(const struct rsp_rows *r, const struct rsp_env *env, int rc)
{
    if (rc < 0 && env->error && !env->error->code && r->err.code) *env->error = r->err;
    return rc;
}

int rows_name(struct rsp_rows *r, uint64_t name, char *out, size_t size)
{
    uint8_t b[5 + ROWS_NAME_MAX];
    size_t got = 0;
    int n, rc = rsp_spool_read(r->names, name, b, sizeof b, &got);
    if (rc) return rc;
    if (got < 5 || b[4] > got - 5) return fail(&r->env, RSP_EIO, "temporary file", "a key's name is not there");
    n = snprintf(out, size, "db %u: ", (unsigned)load_le32(b));
    if (n > 0 && (size_t)n < size) printable(out + n, size - (size_t)n, b + 5, b[4]);
    return RSP_OK;
}

/* ---- all runs as one ---- */

static int fill(struct row_walk *w, struct row_run *run)
{
    size_t want = w->each, got = 0;
    int rc;
    if (want > run->end - run->at) want = (size_t)(run->end - run->at);
    run->i = run->n = 0;
    if (!want) return RSP_OK;
    rc = rsp_spool_read(w->rows->file, run->at * sizeof(struct row), run->p, want * sizeof(struct row), &got);
    if (rc) return rc;
    if (got != want * sizeof(struct row)) return fail(w->env, RSP_EIO, "temporary file", "rows are not there any more");
    run->n = want;
    run->at += want;
    return RSP_OK;
}

static inline const struct row *front(const struct row_walk *w, size_t heap_at)
{
    const struct row_run *run = &w->runs[w->heap[heap_at].run];
    return &run->p[run->i];
}

static inline int heap_less(const struct row_walk *w, size_t a, size_t b)
{
    if (w->heap[a].hi != w->heap[b].hi) return w->heap[a].hi < w->heap[b].hi;
    return order(front(w, a), front(w, b)) < 0;
}

static void sink_down(struct row_walk *w, size_t at)
{
    for (;;) {
        size_t least = at, child = 2 * at + 1;
        struct row_front x;
        if (child < w->heap_n && heap_less(w, child, least)) least = child;
        if (child + 1 < w->heap_n && heap_less(w, child + 1, least)) least = child + 1;
        if (least == at) return;
        x = w->heap[at];
        w->heap[at] = w->heap[least];
        w->heap[least] = x;
        at = least;
    }
}

static int open_runs(struct row_walk *w)
{
    const uint64_t *n = (const uint64_t *)(const void *)w->rows->runs.p;
    size_t files = w->runs_n - 1;
    uint64_t at = 0;
    for (size_t k = 0; k < files; k++) {
        int rc;
        w->runs[k].at = at;
        at += n[k];
        w->runs[k].end = at;
        w->runs[k].p = mem_alloc(w->env, w->each * sizeof(struct row));
        if (!w->runs[k].p) return RSP_ENOMEM;
        rc = fill(w, &w->runs[k]);
        if (rc) return rc;
    }
    w->runs[files].p = (struct row *)(void *)w->rows->fresh.p; /* borrowed */
    w->runs[files].n = fresh_n(w->rows);
    return RSP_OK;
}

int row_walk_open(struct row_walk *w, const struct rsp_env *env, struct rsp_rows *rows)
{
    int rc;
    memset(w, 0, sizeof *w);
    w->env = env;
    w->rows = rows;
    w->runs_n = rows->runs.n / sizeof(uint64_t) + 1;
    w->each = ROWS_READ_MEMORY / w->runs_n / sizeof(struct row);
    if (w->each < 16) w->each = 16;
    if (w->each > rows->run_rows) w->each = rows->run_rows;
    w->runs = mem_zero(env, w->runs_n * sizeof *w->runs);
    w->heap = w->runs ? mem_zero(env, w->runs_n * sizeof *w->heap) : NULL;
    if (!w->heap) return RSP_ENOMEM;
    rc = open_runs(w);
    if (rc) return rc;
    for (size_t k = 0; k < w->runs_n; k++)
        if (w->runs[k].n) w->heap[w->heap_n++] = (struct row_front){w->runs[k].p->key.hi, k};
    for (size_t k = w->heap_n / 2; k-- > 0;) sink_down(w, k);
    return RSP_OK;
}

static int take(struct row_walk *w, struct row *row)
{
    struct row_run *run;
    int rc = RSP_OK;
    if (!w->heap_n) return RSP_END;
    run = &w->runs[w->heap[0].run];
    *row = run->p[run->i++];
    if (run->i == run->n) rc = fill(w, run);
    if (rc) return rc;
    if (run->i == run->n) w->heap[0] = w->heap[--w->heap_n];
    else w->heap[0].hi = run->p[run->i].key.hi;
    sink_down(w, 0);
    return RSP_OK;
}

int row_walk_next(struct row_walk *w, struct row *row)
{
    int rc = take(w, row);
    while (!rc && w->heap_n && front(w, 0)->key.hi == row->key.hi && front(w, 0)->key.lo == row->key.lo) {
        rc = w->earlier ? w->earlier(w->ctx, row) : RSP_OK;
        if (!rc) rc = take(w, row);
    }
    return rc;
}

void row_walk_close(struct row_walk *w)
{
    for (size_t k = 0; w->runs && k + 1 < w->runs_n; k++) mem_free(w->env, w->runs[k].p, w->each * sizeof(struct row));
    if (w->runs) mem_free(w->env, w->runs, w->runs_n * sizeof *w->runs);
    if (w->heap) mem_free(w->env, w->heap, w->runs_n * sizeof *w->heap);
    w->runs = NULL;
    w->heap = NULL;
}
