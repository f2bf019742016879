/* What this is: tests of the search for equal hashes against sorting.
 * Rests on: libcheck.
 * Does not: measure. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/dups.h>

static uint64_t state;
static uint64_t next(void)
{
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct pair {
    uint64_t hash, times;
};
struct pairs {
    struct pair *p;
    size_t n, cap;
};

static void push(struct pairs *l, uint64_t hash, uint64_t times)
{
    if (l->n == l->cap) {
        l->cap = l->cap * 2 + 16;
        l->p = realloc(l->p, l->cap * sizeof *l->p);
    }
    l->p[l->n++] = (struct pair){hash, times};
}

static int collect(void *ctx, uint64_t hash, uint64_t times)
{
    push(ctx, hash, times);
    return RSP_OK;
}

static int by_hash(const void *a, const void *b)
{
    uint64_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x < y ? -1 : x > y;
}

/* What find must tell, by sorting. */
static struct pairs oracle(const uint64_t *h, size_t n)
{
    struct pairs l = {NULL, 0, 0};
    uint64_t *s = malloc(n * sizeof *s + 1);
    if (n) memcpy(s, h, n * sizeof *s);
    if (n) qsort(s, n, sizeof *s, by_hash);
    for (size_t i = 0, k; i < n; i = k) {
        for (k = i + 1; k < n && s[k] == s[i]; k++) {}
        if (k - i > 1) push(&l, s[i], k - i);
    }
    free(s);
    return l;
}

static void check(struct rsp_dups *d, const uint64_t *h, size_t n)
{
    struct pairs want = oracle(h, n), got = {NULL, 0, 0};
    for (size_t at = 0; at < n;) {
        size_t k = 1 + (size_t)(next() % 3000);
        if (k > n - at) k = n - at;
        ck_assert_int_eq(rsp_dups_add(d, h + at, k), RSP_OK);
        at += k;
        ck_assert_uint_eq(rsp_dups_count(d), at);
    }
    ck_assert_int_eq(rsp_dups_find(d, collect, &got), RSP_OK);
    ck_assert_uint_eq(rsp_dups_count(d), 0);
    ck_assert_uint_eq(got.n, want.n);
    if (got.n) {
        qsort(got.p, got.n, sizeof *got.p, by_hash);
        ck_assert_mem_eq(got.p, want.p, got.n * sizeof *got.p);
    }
    free(want.p);
    free(got.p);
}

static const size_t budgets[] = {0, (size_t)1 << 20, (size_t)3 << 20, (size_t)64 << 20};
#define BUDGETS (int)(sizeof budgets / sizeof *budgets)

/* One object for all, so that its use again is tested too. */
START_TEST(shapes)
{
    static const size_t sizes[] = {0, 1, 2, 255, 100000, 250000};
    size_t most = 250000;
    uint64_t *h = malloc(most * sizeof *h);
    struct rsp_dups *d;
    state = 5;
    ck_assert_int_eq(rsp_dups_new(NULL, NULL, budgets[_i], &d), RSP_OK);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        size_t n = sizes[s];
        for (size_t i = 0; i < n; i++) h[i] = next();
        check(d, h, n); /* none twice */
        for (size_t i = 0; i < n / 10; i++) h[next() % n] = h[next() % n];
        check(d, h, n); /* some */
        for (size_t i = 0; i < n; i++) h[i] = next() % 1000 << 40 | next() % 3;
        check(d, h, n); /* badly mixed, many times each */
        for (size_t i = 0; i < n; i++) h[i] = next() % 7 ? next() : 0x123456789abcdef0;
        check(d, h, n); /* one value very often */
        for (size_t i = 0; i < n; i++) h[i] = next() % 2 ? 0 : UINT64_MAX;
        check(d, h, n); /* the ends of the range */
    }
    rsp_dups_free(d);
    free(h);
}
END_TEST

/* All in one partition, and more distinct values there than the budget's table holds: the range is
 * halved, down to values that differ in the lowest bit alone. */
START_TEST(skewed)
{
    size_t n = 300000;
    uint64_t *h = malloc(n * sizeof *h);
    struct rsp_dups *d;
    state = 6;
    ck_assert_int_eq(rsp_dups_new(NULL, NULL, (size_t)1 << 20, &d), RSP_OK);
    for (size_t i = 0; i < n; i++) h[i] = (uint64_t)0xab << 56 | i;
    for (size_t i = 0; i < 1000; i++) h[next() % n] = h[next() % n];
    check(d, h, n);
    for (size_t i = 0; i < n; i++) h[i] = next() >> 8;
    for (size_t i = 0; i < 1000; i++) h[next() % n] = h[next() % n];
    check(d, h, n);
    rsp_dups_free(d);
    free(h);
}
END_TEST

static int stop(void *ctx, uint64_t hash, uint64_t times)
{
    (void)hash, (void)times;
    return ++*(int *)ctx == 3 ? RSP_EUSER : RSP_OK;
}

START_TEST(stopped)
{
    uint64_t h[20];
    struct rsp_dups *d;
    int calls = 0;
    state = 7;
    for (int i = 0; i < 10; i++) h[i] = h[i + 10] = next();
    ck_assert_int_eq(rsp_dups_new(NULL, NULL, 0, &d), RSP_OK);
    ck_assert_int_eq(rsp_dups_add(d, h, 20), RSP_OK);
    ck_assert_int_eq(rsp_dups_find(d, stop, &calls), RSP_EUSER);
    ck_assert_int_eq(calls, 3);
    check(d, h, 15); /* usable again, and what was there is gone */
    rsp_dups_free(d);
    rsp_dups_free(NULL);
}
END_TEST

struct meter { /* an allocator that knows how much is out */
    size_t now, most;
};

static void *metered(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    struct meter *m = opaque;
    m->now += new_size - old_size;
    if (m->now > m->most) m->most = m->now;
    if (new_size) return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

START_TEST(budget_kept)
{
    size_t n = 1000000;
    uint64_t *h = malloc(n * sizeof *h);
    struct meter m = {0, 0};
    struct rsp_env env = {.size = sizeof env, .resize = metered, .resize_opaque = &m};
    struct rsp_dups *d;
    size_t budget = budgets[_i] ? budgets[_i] : (size_t)1 << 20;
    state = 8;
    for (size_t i = 0; i < n; i++) h[i] = next();
    ck_assert_int_eq(rsp_dups_new(&env, NULL, budgets[_i], &d), RSP_OK);
    check(d, h, n);
    ck_assert_uint_le(m.most, budget + 4096);
    rsp_dups_free(d);
    ck_assert_uint_eq(m.now, 0);
    free(h);
}
END_TEST

START_TEST(no_directory)
{
    struct rsp_error error = {0};
    struct rsp_env env = {.size = sizeof env, .error = &error};
    struct rsp_dups *d;
    uint64_t h[1000];
    int rc = RSP_OK;
    state = 9;
    ck_assert_int_eq(rsp_dups_new(&env, "/nonexistent-directory", 0, &d), RSP_OK);
    for (int k = 0; k < 1000 && !rc; k++) {
        for (int i = 0; i < 1000; i++) h[i] = next();
        rc = rsp_dups_add(d, h, 1000);
    }
    ck_assert_int_eq(rc, RSP_ENOTFOUND);
    ck_assert_int_eq(error.code, RSP_ENOTFOUND);
    ck_assert_int_eq(rsp_dups_add(d, h, 1), RSP_ESTATE);
    ck_assert_int_eq(rsp_dups_find(d, collect, NULL), RSP_ESTATE);
    rsp_dups_free(d);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dups");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, shapes, 0, BUDGETS);
    tcase_add_test(t, skewed);
    tcase_add_test(t, stopped);
    tcase_add_loop_test(t, budget_kept, 0, BUDGETS);
    tcase_add_test(t, no_directory);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
