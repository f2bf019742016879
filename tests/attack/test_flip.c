/* What this is: every byte of every object flipped, every object cut at every length, every pair swapped: never other data,
 *   and the object is named.
 * Rests on: libcheck, fixture/judge.h. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture/judge.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STRIDE 23 /* slower by an order there; the plain build tries every one */
#else
#define STRIDE 1
#endif

static struct yard y;
static struct tree t;
static uint8_t one[9000], two[700];
static struct known known[2] = {{one, sizeof one}, {two, sizeof two}};

static void setup(void)
{
    struct rsp_log *log = NULL;
    yard_open(&y);
    for (size_t i = 0; i < sizeof one; i++) one[i] = (uint8_t)("REDIS0012 and more of it "[i % 25]);
    for (size_t i = 0; i < sizeof two; i++) two[i] = (uint8_t)(i * i);
    yard_snapshot(&y, &log, one, sizeof one, 4096); /* three chunks */
    rsp_log_free(log);
    yard_snapshot(&y, &log, two, sizeof two, 0);
    rsp_log_free(log);
    tree_read(&y, &t);
    ck_assert_uint_ge(t.n, 10); /* repository, roles, 2 envelopes, 2 manifests, 2 data, 2 commits */
}

static void teardown(void)
{
    tree_free(&t);
    yard_close(&y);
}

static void expect_refused_either(const char *what, const char *name, const char *other, size_t at)
{
    struct verdict v;
    judge(&y, y.reader, 0, known, 2, &v);
    ck_assert_msg(!v.lied, "%s of %s at %zu: other data came out", what, name, at);
    ck_assert_msg(v.status != RSP_OK, "%s of %s at %zu: nobody noticed", what, name, at);
    ck_assert_msg(v.status == RSP_EINTEGRITY || v.status == RSP_EKEY || v.status == RSP_ENOREPO,
                  "%s of %s at %zu: %s\n%s", what, name, at, rsp_status_name(v.status), v.words);
    ck_assert_msg(v.status != RSP_EKEY || !strncmp(name, "keys/", 5), "%s of %s at %zu: no key", what, name, at);
    ck_assert_msg(names_it(v.words, name) || (other && names_it(v.words, other)), "%s of %s at %zu: not named in\n%s",
                  what, name, at, v.words);
}

static void expect_refused(const char *what, const char *name, size_t at)
{
    expect_refused_either(what, name, NULL, at);
}

START_TEST(untouched_it_is_sound)
{
    struct verdict v;
    judge(&y, y.reader, 0, known, 2, &v);
    ck_assert_msg(v.status == RSP_OK, "%s\n%s", rsp_status_name(v.status), v.words);
    ck_assert_uint_eq(v.read, 2);
    ck_assert_int_eq(v.lied, 0);
}
END_TEST

START_TEST(flips)
{
    for (size_t i = 0; i < t.n; i++) {
        for (size_t at = 0; at < t.size[i]; at += yard_stride(STRIDE)) {
            t.bytes[i][at] ^= (uint8_t)(1u << (at % 8));
            tree_write(&y, t.name[i], t.bytes[i], t.size[i]);
            expect_refused("a flip", t.name[i], at);
            t.bytes[i][at] ^= (uint8_t)(1u << (at % 8));
        }
        tree_write(&y, t.name[i], t.bytes[i], t.size[i]);
    }
}
END_TEST

START_TEST(cuts)
{
    for (size_t i = 0; i < t.n; i++) {
        for (size_t at = 0; at < t.size[i]; at += yard_stride(STRIDE)) {
            tree_write(&y, t.name[i], t.bytes[i], at);
            expect_refused("a cut", t.name[i], at);
        }
        tree_write(&y, t.name[i], t.bytes[i], t.size[i]);
    }
}
END_TEST

START_TEST(longer)
{
    for (size_t i = 0; i < t.n; i++) {
        uint8_t *more = calloc(1, t.size[i] + 1);
        memcpy(more, t.bytes[i], t.size[i]);
        tree_write(&y, t.name[i], more, t.size[i] + 1);
        expect_refused("a byte more", t.name[i], t.size[i]);
        tree_write(&y, t.name[i], t.bytes[i], t.size[i]);
        free(more);
    }
}
END_TEST

START_TEST(swaps)
{
    for (size_t a = 0; a < t.n; a++) {
        for (size_t b = a + 1; b < t.n; b++) {
            tree_write(&y, t.name[a], t.bytes[b], t.size[b]);
            tree_write(&y, t.name[b], t.bytes[a], t.size[a]);
            expect_refused_either("a swap", t.name[a], t.name[b], b);
            tree_write(&y, t.name[b], t.bytes[b], t.size[b]);
        }
        tree_write(&y, t.name[a], t.bytes[a], t.size[a]);
    }
}
END_TEST

START_TEST(drops)
{
    for (size_t i = 0; i < t.n; i++) {
        struct verdict v;
        tree_remove(&y, t.name[i]);
        judge(&y, y.reader, 1, known, 2, &v); /* by one who has seen it */
        ck_assert_msg(v.status != RSP_OK, "%s dropped: nobody noticed", t.name[i]);
        ck_assert_int_eq(v.lied, 0);
        tree_write(&y, t.name[i], t.bytes[i], t.size[i]);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("flip");
    TCase *c = tcase_create("flip");
    TCase *sample = tcase_create("sample"); /* make check runs it on every store */
    tcase_set_timeout(c, 500);
    tcase_set_timeout(sample, 500);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_checked_fixture(sample, setup, teardown);
    tcase_add_test(sample, untouched_it_is_sound);
    tcase_add_test(sample, flips);
    tcase_add_test(sample, cuts);
    tcase_add_test(c, longer);
    tcase_add_test(c, swaps);
    tcase_add_test(sample, drops);
    suite_add_tcase(s, sample);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
