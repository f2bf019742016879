/* What this is: what the tests of sealed objects and pack files share: an allocator that fails on demand, objects
 *   collected in memory, and the whole of a stream read back.
 * Rests on: libcheck, seal/object.h.
 * Does not: test anything itself. */
#ifndef TESTS_OBJECT_TEST_H
#define TESTS_OBJECT_TEST_H

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#undef fail /* of libcheck; base/mem.h has its own */
#include "seal/object.h"

#define OBJECTS_MAX 40

/* ---- the allocator ---- */

static struct meter {
    atomic_long alive;
    atomic_int calls, fail_at; /* fail_at: the nth allocation from 1; 0 never */
} meter;

static inline void *meter_resize(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    struct meter *m = opaque;
    void *p;
    if (!new_size) {
        free(ptr);
        atomic_fetch_sub(&m->alive, (long)old_size);
        return NULL;
    }
    if (atomic_fetch_add(&m->calls, 1) + 1 == atomic_load(&m->fail_at)) return NULL;
    p = realloc(ptr, new_size);
    ck_assert_ptr_nonnull(p);
    atomic_fetch_add(&m->alive, (long)new_size - (ptr ? (long)old_size : 0));
    return p;
}

static struct rsp_error error;
static struct rsp_env env;

static inline void fresh_env(void)
{
    struct rsp_env plain;
    memset(&error, 0, sizeof error);
    memset(&plain, 0, sizeof plain);
    plain.size = sizeof plain;
    plain.error = &error;
    plain.resize = meter_resize;
    plain.resize_opaque = &meter;
    env_init(&env, &plain);
    atomic_store(&meter.calls, 0);
    atomic_store(&meter.fail_at, 0);
}
static inline void nothing_left(void)
{
    ck_assert_int_eq((int)atomic_load(&meter.alive), 0);
}

/* ---- keys ---- */

static const uint8_t secret_key[KEY_BYTES] = "an epoch key for the tests only";
static const uint8_t other_key[KEY_BYTES] = "another epoch key of these tests";
static const uint8_t zero_key[KEY_BYTES];

/* ---- objects collected ---- */

struct made {
    struct buf o[OBJECTS_MAX];
    struct object_done done[OBJECTS_MAX];
    unsigned n;
    int open, aborted;
    int calls, fail_at; /* of begin, write, end: the nth fails with RSP_ENOSPACE */
};

static inline void made_init(struct made *m)
{
    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < OBJECTS_MAX; i++) buf_init(&m->o[i], &env);
}
static inline void made_free(struct made *m)
{
    for (unsigned i = 0; i < OBJECTS_MAX; i++) buf_free(&m->o[i]);
}
static inline int made_call(struct made *m)
{
    return ++m->calls == m->fail_at ? RSP_ENOSPACE : RSP_OK;
}
static inline int made_begin(void *ctx, const uint8_t object[ID_BYTES], uint32_t number)
{
    struct made *m = ctx;
    int rc = made_call(m);
    (void)object;
    ck_assert_uint_lt(m->n, OBJECTS_MAX);
    ck_assert(!m->open && number == m->n);
    if (!rc) m->open = 1;
    return rc;
}
static inline int made_write(void *ctx, const void *p, size_t n)
{
    struct made *m = ctx;
    int rc = made_call(m);
    ck_assert(m->open);
    return rc ? rc : buf_add(&m->o[m->n], p, n);
}
static inline int made_end(void *ctx, const struct object_done *done)
{
    struct made *m = ctx;
    int rc = made_call(m);
    ck_assert(m->open);
    if (rc) return rc;
    m->open = 0;
    m->done[m->n++] = *done;
    return RSP_OK;
}
static inline void made_abort(void *ctx)
{
    struct made *m = ctx;
    ck_assert(m->open);
    m->open = 0;
    m->aborted++;
}
static const struct object_out made_out = {made_begin, made_write, made_end, made_abort, NULL};

/* Text that compresses, with a number here and there so that no two chunks are the same. */
static inline void text(uint8_t *p, size_t n, uint32_t seed)
{
    static const char words[] = "amber basalt cedar delta ember fjord garnet harbor iris jade kelp ";
    for (size_t i = 0; i < n; i++) {
        if (i % 61 == 0) seed = seed * 1664525u + 1013904223u;
        p[i] = (uint8_t)words[(i + (seed >> 24)) % (sizeof words - 1)];
        if (i % 61 < 4) p[i] = (uint8_t)(seed >> (8 * (i % 61)));
    }
}

static inline struct object_writer_options small_options(void)
{
    struct object_writer_options o = {.object_plain = 4 * 4096};
    o.head.suite = SUITE_CHACHA;
    o.head.codec = CODEC_ZSTD;
    o.head.kind = OBJECT_DATA;
    o.head.chunk_bytes = 4096;
    memcpy(o.head.lineage, "lineage of tests", ID_BYTES);
    memcpy(o.head.epoch, "epoch of tests..", ID_BYTES);
    return o;
}

/* Submits plain in chunks of at most step bytes. Each has a note that tells its number when notes is set. */
static inline int make(const struct object_writer_options *o, const uint8_t *key, const uint8_t *plain, size_t n,
                       size_t step, int notes, struct made *m)
{
    struct object_writer *w = NULL;
    uint8_t number = 0;
    int rc = object_writer_new(&env, o, key, &made_out, m, &w);
    for (size_t at = 0; !rc && at < n; number++) {
        size_t k = n - at < step ? n - at : step;
        uint8_t *chunk;
        rc = object_writer_chunk(w, &chunk);
        if (rc) break;
        memcpy(chunk, plain + at, k);
        rc = object_writer_submit(w, chunk, k, &number, notes ? 1 : 0);
        at += k;
    }
    if (!rc) rc = object_writer_finish(w);
    object_writer_free(w);
    ck_assert(!m->open);
    return rc;
}

/* ---- reading back ---- */

struct stored {
    const uint8_t *p;
    size_t n;
    unsigned fetches;
};
static inline int stored_fetch(void *ctx, uint64_t offset, void *p, size_t n)
{
    struct stored *s = ctx;
    s->fetches++;
    ck_assert(offset <= s->n && n <= s->n - offset);
    memcpy(p, s->p + offset, n);
    return RSP_OK;
}

static inline struct object_expect expect_of(size_t stored)
{
    struct object_expect x = {.kind = OBJECT_DATA,
                              .number = UINT32_MAX,
                              .lineage = (const uint8_t *)"lineage of tests",
                              .epoch = (const uint8_t *)"epoch of tests..",
                              .stored = stored,
                              .plain = UINT64_MAX};
    return x;
}

/* Opens every chunk; out (of the right size) takes the plaintext. */
static inline int open_all(const struct object_expect *x, const uint8_t *key, const uint8_t *p, size_t n,
                           struct buf *out)
{
    struct stored s = {p, n, 0};
    struct object_reader r;
    struct object_scratch *scratch = NULL;
    int rc = object_reader_open(&env, x, "object", key, stored_fetch, &s, &r);
    ck_assert_uint_le(s.fetches, n < 65536 ? 1 : 3);
    if (!rc) rc = object_scratch_new(&env, &scratch);
    for (uint32_t i = 0; !rc && i < r.chunks_n; i++) {
        size_t k = r.chunks[i].stored;
        uint8_t *c = malloc(k); /* exact, so that a sanitizer sees overreads */
        ck_assert_ptr_nonnull(c);
        memcpy(c, p + r.chunks[i].stored_offset, k);
        rc = buf_reserve(out, r.chunks[i].plain + 1);
        if (!rc) rc = object_chunk_open(&env, &r, i, c, scratch, out->p + out->n);
        if (!rc) out->n += r.chunks[i].plain;
        free(c);
    }
    object_scratch_free(scratch);
    object_reader_close(&r);
    return rc;
}

/* ---- (key, nonce) pairs ---- */

#define PAIRS_MAX 20000
static struct pair {
    uint8_t key[KEY_BYTES], nonce[12];
} pairs[PAIRS_MAX];
static unsigned pairs_n;
static pthread_mutex_t pairs_lock = PTHREAD_MUTEX_INITIALIZER;

static inline void witness(const uint8_t key[KEY_BYTES], const uint8_t nonce[12])
{
    pthread_mutex_lock(&pairs_lock);
    if (pairs_n < PAIRS_MAX) {
        memcpy(pairs[pairs_n].key, key, KEY_BYTES);
        memcpy(pairs[pairs_n].nonce, nonce, 12);
    }
    pairs_n++;
    pthread_mutex_unlock(&pairs_lock);
}
static inline int pair_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct pair));
}
static inline void pairs_differ(unsigned at_least)
{
    ck_assert_uint_ge(pairs_n, at_least);
    ck_assert_uint_le(pairs_n, PAIRS_MAX);
    qsort(pairs, pairs_n, sizeof *pairs, pair_order);
    for (unsigned i = 1; i < pairs_n; i++) ck_assert(memcmp(&pairs[i - 1], &pairs[i], sizeof *pairs));
}

/* ---- main ---- */

struct named_test {
    const char *name;
    const TTest *test;
};
static inline int run_tests(const char *suite, const struct named_test *tests, size_t n, void (*before)(void))
{
    Suite *s = suite_create(suite);
    SRunner *runner;
    int failures;
    for (size_t i = 0; i < n; i++) {
        TCase *c = tcase_create(tests[i].name);
        tcase_set_timeout(c, 120);
        tcase_add_checked_fixture(c, before, NULL);
        tcase_add_test(c, tests[i].test);
        suite_add_tcase(s, c);
    }
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
