/* What this is: two datasets beside each other.
 * Rests on: rows.h, dump.h.
 * Does not: tell more than the name of the first key that differs. */
#include <string.h>

#include "job/dump.h"
#include "job/rows.h"

struct sides {
    const struct rsp_env *env;
    struct row_walk a, b;
    struct row x, y;
    int has_x, has_y;
    int64_t as_of;
    struct rsp_dd1_sum expected, found;
    struct rsp_compare_report out;
    uint64_t first, first_name; /* the earliest in a's dump, by its order; UINT64_MAX: none */
};

static int step(struct row_walk *w, struct row *row, int *has)
{
    int rc = row_walk_next(w, row);
    *has = rc == RSP_OK;
    return rc == RSP_END ? RSP_OK : rc;
}

static int over(const struct sides *s, const struct row *r)
{
    return r->expire_ms != RSP_RDB_NO_EXPIRE && r->expire_ms <= s->as_of;
}

static int fading(const struct sides *s, const struct row *r)
{
    return r->fields_ms <= s->as_of;
}

static void differs(struct sides *s, uint64_t *count)
{
    ++*count;
    if (s->x.order >= s->first) return;
    s->first = s->x.order;
    s->first_name = s->x.name;
}

/* x is not in b: that is well when it has expired, or all its fields have. */
static void only_a(struct sides *s)
{
    if (over(s, &s->x) || (fading(s, &s->x) && s->x.last_ms <= s->as_of)) {
        s->out.expired++;
        return;
    }
    s->out.keys++;
    rsp_dd1_add(&s->expected, &s->x.r);
    differs(s, &s->out.missing);
}

static void only_b(struct sides *s)
{
    if (over(s, &s->y)) s->out.expired++;
    else s->out.others++;
}

static int same(const struct rsp_dd1_sum *x, const struct rsp_dd1_sum *y)
{
    return x->lo == y->lo && x->hi == y->hi;
}

/* What the two are judged by: all of it, or for what a file alone carries all, the rest. */
static const struct rsp_dd1_sum *sum_of(const struct sides *s, const struct row *r)
{
    return s->x.loosely && !same(&s->x.r, &s->y.r) ? &r->loose : &r->r;
}

static int same_r(const struct sides *s)
{
    return same(sum_of(s, &s->x), sum_of(s, &s->y));
}

/* An expiry that one of the two has not, or has otherwise, is a difference even when it is over: only what has expired on
 * both sides is left out. */
static void both(struct sides *s)
{
    if (over(s, &s->x) && over(s, &s->y)) {
        s->out.expired++;
        return;
    }
    if (!same_r(s) && same(&s->x.loose, &s->y.loose) && (fading(s, &s->x) || fading(s, &s->y))) {
        s->out.expired++; /* which of its fields each side has had time to remove is chance; the others are the same */
        return;
    }
    s->out.keys++;
    rsp_dd1_add(&s->expected, sum_of(s, &s->x));
    rsp_dd1_add(&s->found, sum_of(s, &s->y));
    if (!same_r(s)) differs(s, &s->out.changed);
    else if (s->x.loosely == ROWS_OPAQUE && !same(&s->x.r, &s->y.r)) s->out.opaque++;
}

static int key_order(const struct row *x, const struct row *y)
{
    if (x->key.hi != y->key.hi) return x->key.hi < y->key.hi ? -1 : 1;
    return (x->key.lo > y->key.lo) - (x->key.lo < y->key.lo);
}

static int walk(struct sides *s)
{
    int rc = step(&s->a, &s->x, &s->has_x);
    if (!rc) rc = step(&s->b, &s->y, &s->has_y);
    while (!rc && (s->has_x || s->has_y)) {
        int c = !s->has_y ? -1 : !s->has_x ? 1 : key_order(&s->x, &s->y);
        if (c < 0) only_a(s);
        else if (c > 0) only_b(s);
        else both(s);
        if (c <= 0) rc = step(&s->a, &s->x, &s->has_x);
        if (c >= 0 && !rc) rc = step(&s->b, &s->y, &s->has_y);
    }
    return rc;
}

int rsp_rows_compare(const struct rsp_env *env, struct rsp_rows *a, struct rsp_rows *b, int64_t as_of_ms,
                     struct rsp_compare_report *report)
{
    struct rsp_env e;
    struct sides s;
    int rc;
    env_init(&e, env);
    memset(&s, 0, sizeof s);
    s.env = &e;
    s.as_of = as_of_ms;
    s.first = UINT64_MAX;
    s.out.size = report->size;
    rc = row_walk_open(&s.a, &e, a);
    if (!rc) rc = row_walk_open(&s.b, &e, b);
    if (!rc) rc = walk(&s);
    if (!rc && s.first != UINT64_MAX) rc = rows_name(a, s.first_name, s.out.first, sizeof s.out.first);
    if (s.a.rows) row_walk_close(&s.a);
    if (s.b.rows) row_walk_close(&s.b);
    rows_report(a, &e, rc);
    rows_report(b, &e, rc);
    if (rc) return rc;
    s.out.verdict = s.out.missing || s.out.changed ? RSP_COMPARE_DIFFERENT : RSP_COMPARE_EQUAL;
    dd1_bytes(&s.expected, s.out.expected);
    dd1_bytes(&s.found, s.out.found);
    memcpy(report, &s.out, report->size < sizeof s.out ? report->size : sizeof s.out);
    return RSP_OK;
}
