/* What this is: the rules of retention: buckets, places along branches, and what is never retired.
 * Rests on: retention.h, base/mem.h.
 * Does not: trust a date alone: buckets are counted over commits whose date and arrival agree. */
#include "repo/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define HOUR_MS 3600000
#define GOOD_WINDOW 7
#define FLOOD_DAYS 30
#define FLOOD_TIMES 10
#define RULES_OF_A_FLOOD 10000
#define LIMIT_LEAST 3
#define LIMIT_PERCENT 30

/* ---- calendar ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Months since year 0 of the proleptic Gregorian calendar, from days since 1970: years that begin in March, so that the
 * leap day is the last of one. */
static int64_t month_of(int64_t day)
{
    int64_t z = day + 719468, era = floor_div(z, 146097), in_era = z - era * 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t march = (5 * in_year + 2) / 153; /* 0: March */
    return (era * 400 + year) * 12 + march + 2;
}

int64_t retain_bucket(uint32_t reason, int64_t ms)
{
    int64_t day = floor_div(ms, RETAIN_DAY_MS);
    switch (reason) {
    case RSP_KEEP_HOURLY: return floor_div(ms, HOUR_MS);
    case RSP_KEEP_DAILY: return day;
    case RSP_KEEP_WEEKLY: return floor_div(day + 3, 7); /* 1970-01-01 was a Thursday */
    case RSP_KEEP_MONTHLY: return month_of(day);
    default: return floor_div(month_of(day), 12);
    }
}

/* How long ago; -1: not yet. */
static int64_t age(int64_t now_ms, int64_t ms)
{
    uint64_t n;
    if (ms > now_ms) return -1;
    n = (uint64_t)now_ms - (uint64_t)ms;
    return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* ---- orders ---- */

struct dated {
    int64_t key;
    size_t i;
};

static int by_key(const void *a, const void *b)
{
    const struct dated *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->i < y->i ? -1 : x->i > y->i;
}

static int order_by_date(const struct rsp_env *env, const struct retain_item *items, size_t n, struct dated **ret)
{
    struct dated *d = mem_alloc(env, n * sizeof *d);
    *ret = d;
    if (!d) return RSP_ENOMEM;
    for (size_t i = 0; i < n; i++) d[i].key = items[i].effective_ms, d[i].i = i;
    qsort(d, n, sizeof *d, by_key);
    return RSP_OK;
}

/* ---- the last good one ---- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t median(const uint64_t *values, size_t n)
{
    uint64_t v[FLOOD_DAYS];
    memcpy(v, values, n * sizeof *v);
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : v[n / 2 - 1] + (v[n / 2] - v[n / 2 - 1]) / 2;
}

struct window {
    uint64_t plain[GOOD_WINDOW], keys[GOOD_WINDOW];
    size_t seen;
};

static int shrunk(const uint64_t *values, size_t n, uint64_t value)
{
    uint64_t m = n ? median(values, n) : 0;
    return value < m - m / 2;
}

/* Whether the commit is good, given those before it. An accepted one begins the comparison anew: what follows it is
 * measured by it. */
static int passes(struct window *w, const struct retain_item *it)
{
    size_t n = w->seen < GOOD_WINDOW ? w->seen : GOOD_WINDOW;
    if (!it->good) return 0;
    if (it->accepted) w->seen = n = 0;
    if (shrunk(w->plain, n, it->plain) || shrunk(w->keys, n, it->keys)) return 0;
    w->plain[w->seen % GOOD_WINDOW] = it->plain;
    w->keys[w->seen % GOOD_WINDOW] = it->keys;
    w->seen++;
    return 1;
}

int retain_last_good(const struct rsp_env *env, const struct retain_item *items, size_t n, size_t *ret)
{
    struct window w = {.seen = 0};
    struct dated *order = NULL;
    *ret = RETAIN_NONE;
    if (!n) return RSP_OK;
    if (order_by_date(env, items, n, &order)) return RSP_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct retain_item *it = &items[order[i].i];
        if (passes(&w, it) && it->living) *ret = order[i].i;
    }
    mem_free(env, order, n * sizeof *order);
    return RSP_OK;
}

/* ---- rules ---- */

struct retaining {
    const struct rsp_env *env;
    const struct rsp_retention *policy;
    const struct retain_item *items;
    size_t n;
    retain_descends_fn descends;
    void *opaque;
    uint32_t *keep;
    struct dated *order; /* work space, n */
    uint8_t *taken;      /* work space, n: the place is held by an ancestor */
};

static int agrees(uint32_t reason, const struct retain_item *it)
{
    uint64_t a = (uint64_t)it->effective_ms, b = (uint64_t)it->arrival_ms;
    uint64_t apart = it->effective_ms > it->arrival_ms ? a - b : b - a;
    return apart <= RETAIN_SKEW_MS || retain_bucket(reason, it->effective_ms) == retain_bucket(reason, it->arrival_ms);
}

/* Those the rule looks at, by bucket, then ancestors first. */
static size_t fill(struct retaining *r, uint32_t reason, int good_only)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct retain_item *it = &r->items[i];
        if (!it->living || (good_only && !it->good)) continue;
        r->order[n].key = reason == RSP_KEEP_LAST ? it->effective_ms : retain_bucket(reason, it->effective_ms);
        r->order[n++].i = i;
    }
    if (n) qsort(r->order, n, sizeof *r->order, by_key);
    return n;
}

/* Where the oldest of the count newest buckets begins in the order. */
static size_t first_counted(const struct retaining *r, size_t n, uint32_t reason, uint32_t count)
{
    uint32_t buckets = 0;
    size_t at = n;
    while (at > 0) {
        size_t end = at;
        int counts = 0;
        while (at > 0 && r->order[at - 1].key == r->order[end - 1].key)
            counts |= agrees(reason, &r->items[r->order[--at].i]);
        if (!counts) continue;
        if (++buckets == count) return at;
    }
    return 0;
}

/* One bucket, order[from, to): each branch's first holds its place. A commit whose date and arrival disagree never takes
 * one that an agreeing commit could hold. */
static void hold_places(struct retaining *r, size_t from, size_t to, uint32_t reason)
{
    for (size_t i = from; i < to; i++) r->taken[i] = 0;
    for (size_t i = from; i < to; i++) {
        const struct retain_item *holder = &r->items[r->order[i].i];
        int honest = agrees(reason, holder);
        if (r->taken[i]) continue;
        r->keep[r->order[i].i] |= reason;
        for (size_t k = i + 1; k < to; k++) {
            const struct retain_item *it = &r->items[r->order[k].i];
            if (r->taken[k] || (!honest && agrees(reason, it))) continue;
            r->taken[k] = r->descends(r->opaque, it->index, holder->index) != 0;
        }
    }
}

static void keep_buckets(struct retaining *r, uint32_t reason, uint32_t count, int good_only)
{
    size_t n = fill(r, reason, good_only), at = first_counted(r, n, reason, count);
    while (at < n) {
        size_t end = at;
        while (end < n && r->order[end].key == r->order[at].key) end++;
        hold_places(r, at, end, reason);
        at = end;
    }
}

static void keep_last(struct retaining *r, uint32_t count, int good_only)
{
    size_t n = fill(r, RSP_KEEP_LAST, good_only), at = n > count ? n - count : 0;
    for (; at < n; at++) r->keep[r->order[at].i] |= RSP_KEEP_LAST;
}

/* Every rule is applied to all commits and once more to the good ones alone: so one that is not good never takes the
 * place of a good one, and no bucket without a good one counts against them. */
static void keep_by_rules(struct retaining *r)
{
    const struct rsp_retention *p = r->policy;
    const struct {
        uint32_t reason, count;
    } rules[] = {{RSP_KEEP_HOURLY, p->hourly},
                 {RSP_KEEP_DAILY, p->daily},
                 {RSP_KEEP_WEEKLY, p->weekly},
                 {RSP_KEEP_MONTHLY, p->monthly},
                 {RSP_KEEP_YEARLY, p->yearly}};
    for (int good_only = 0; good_only < 2; good_only++) {
        if (p->last) keep_last(r, p->last, good_only);
        for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
            if (rules[i].count) keep_buckets(r, rules[i].reason, rules[i].count, good_only);
    }
}

static int keep_always(struct retaining *r, int64_t now_ms)
{
    const struct rsp_retention *p = r->policy;
    size_t last = RETAIN_NONE;
    int rc = retain_last_good(r->env, r->items, r->n, &last);
    if (rc) return rc;
    for (size_t i = 0; i < r->n; i++) {
        const struct retain_item *it = &r->items[i];
        if (!it->living) continue;
        if (it->pinned) r->keep[i] |= RSP_KEEP_PINNED;
        if (p->within_ms > 0 && age(now_ms, later(it->effective_ms, it->arrival_ms)) <= p->within_ms)
            r->keep[i] |= RSP_KEEP_WITHIN;
        if (p->min_age_ms > 0 && age(now_ms, later(it->effective_ms, it->stored_ms)) < p->min_age_ms)
            r->keep[i] |= RSP_KEEP_YOUNG;
    }
    if (last == RETAIN_NONE) { /* none is good: then at least the newest that there is */
        size_t n = fill(r, RSP_KEEP_LAST, 0);
        if (n) last = r->order[n - 1].i;
    }
    if (last != RETAIN_NONE) r->keep[last] |= RSP_KEEP_LAST_GOOD;
    return RSP_OK;
}

/* ---- what holds a run back ---- */

static int flooded(const struct retaining *r, int64_t now_ms)
{
    uint64_t today = 0, days[FLOOD_DAYS] = {0}, had[FLOOD_DAYS], usual = 1;
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        int64_t day = age(now_ms, r->items[i].arrival_ms) / RETAIN_DAY_MS;
        if (day < 1) today++;
        else if (day <= FLOOD_DAYS) days[day - 1]++;
    }
    for (size_t i = 0; i < FLOOD_DAYS; i++)
        if (days[i]) had[n++] = days[i];
    if (n) usual = median(had, n);
    return today > FLOOD_TIMES * (usual ? usual : 1);
}

/* The oldest go first; what is above the limit waits for the next run. */
static void limit(struct retaining *r, int none)
{
    size_t n = fill(r, RSP_KEEP_LAST, 0), most = n / 100 * LIMIT_PERCENT + n % 100 * LIMIT_PERCENT / 100;
    if (most < LIMIT_LEAST) most = LIMIT_LEAST;
    if (none) most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t *keep = &r->keep[r->order[i].i];
        if (*keep) continue;
        if (most) most--;
        else *keep = RSP_KEEP_LIMIT;
    }
}

int retain(const struct rsp_env *env, const struct rsp_retention *policy, int64_t now_ms,
           const struct retain_item *items, size_t n, retain_descends_fn descends, void *opaque, uint32_t *keep,
           int *flood)
{
    struct retaining r = {env, policy, items, n, descends, opaque, keep, NULL, NULL};
    int rc = RSP_ENOMEM;
    *flood = 0;
    if (!n) return RSP_OK;
    memset(keep, 0, n * sizeof *keep);
    r.order = mem_alloc(env, n * sizeof *r.order);
    if (r.order) r.taken = mem_alloc(env, n);
    if (r.taken) rc = keep_always(&r, now_ms);
    if (!rc) {
        *flood = flooded(&r, now_ms);
        if (!*flood || n <= RULES_OF_A_FLOOD) keep_by_rules(&r); /* nothing goes anyway, and branches cost n times n */
        limit(&r, *flood);
    }
    mem_free(env, r.order, n * sizeof *r.order);
    mem_free(env, r.taken, n);
    return rc;
}
