/* What this is: what the tests of keys and roles share: hexadecimal, an allocator that fails, an env.
 * Rests on: libcheck, respite/env.h.
 * Does not: outlive a test. */
#ifndef TESTS_KEYS_TEST_H
#define TESTS_KEYS_TEST_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#undef fail /* of libcheck; base/mem.h has its own */
#include <respite/env.h>

static struct rsp_error error;
static struct rsp_env env;

static uint8_t counter;
static inline int counted(void *opaque, void *bytes, size_t n)
{
    (void)opaque;
    for (uint8_t *p = bytes; n; n--) *p++ = counter++;
    return 0;
}
static inline int no_random(void *opaque, void *bytes, size_t n)
{
    (void)opaque, (void)bytes, (void)n;
    return RSP_EIO;
}

/* Fails allocation number fail_nth, and checks that sizes and blocks balance. */
static long fail_nth = -1, live_blocks, live_bytes;
static inline void *failing(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque;
    if (!n) {
        live_blocks--;
        live_bytes -= (long)old_n;
        free(p);
        return NULL;
    }
    if (fail_nth >= 0 && !fail_nth--) return NULL;
    if (!p) live_blocks++;
    live_bytes += (long)n - (long)old_n;
    return realloc(p, n);
}

static inline void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    env.resize = failing;
    env.random = counted;
    env.limits.alloc_bytes = 1u << 30;
    counter = 0;
    fail_nth = -1;
    live_blocks = live_bytes = 0;
}
static inline void teardown(void)
{
    ck_assert_int_eq(live_blocks, 0);
    ck_assert_int_eq(live_bytes, 0);
}

static inline size_t unhex(const char *s, uint8_t *out, size_t cap)
{
    size_t n = strlen(s) / 2;
    ck_assert_uint_le(n, cap);
    for (size_t i = 0; i < n; i++) {
        char two[3] = {s[2 * i], s[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    return n;
}
static inline void same_hex(const void *p, size_t n, const char *hex)
{
    uint8_t want[2048];
    ck_assert_uint_eq(unhex(hex, want, sizeof want), n);
    ck_assert_mem_eq(p, want, n);
}
/* p[i] = first + i */
static inline void ramp(uint8_t *p, size_t n, unsigned first)
{
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)(first + i);
}

/* The setup of every test, and the main of every file. */
static inline int run_suite(const char *name, void (*const *add)(TCase *), size_t n)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failures;
    for (size_t i = 0; i < n; i++) {
        TCase *tc = tcase_create(name);
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 120);
        add[i](tc);
        suite_add_tcase(suite, tc);
    }
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}

#endif
