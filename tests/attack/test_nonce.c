/* What this is: every (key, nonce) that seals anything, counted: no pair twice, retried uploads included. Named in
 *   respite-security(7). LDFLAGS: -Wl,--wrap=rsp_upload_commit,--wrap=rsp_upload_write,--wrap=rsp_store_put
 * Rests on: libcheck, fixture/judge.h; the witness of seal/crypt.h. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture/judge.h"
#include "repo/repo_impl.h"

#define PAIR 44
static struct yard y;
static uint8_t (*pairs)[PAIR];
static size_t pairs_n, pairs_cap;
static uint8_t *data;
#define DATA_BYTES (300u << 10)

static void witness(const uint8_t key[32], const uint8_t nonce[12])
{
    if (pairs_n == pairs_cap) pairs = realloc(pairs, (pairs_cap = pairs_cap ? pairs_cap * 2 : 1024) * PAIR);
    memcpy(pairs[pairs_n], key, 32);
    memcpy(pairs[pairs_n++] + 32, nonce, 12);
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, PAIR);
}

/* All pairs so far; at least so many were seen. */
static void no_pair_twice(size_t least)
{
    ck_assert_msg(pairs_n >= least, "%zu pairs were seen", pairs_n);
    qsort(pairs, pairs_n, PAIR, by_bytes);
    for (size_t i = 1; i < pairs_n; i++)
        ck_assert_msg(memcmp(pairs[i - 1], pairs[i], PAIR) != 0, "a pair was used twice");
}

/* ---- a store that fails ---- */

static int writes_left, commits_left, puts_left; /* 0: never fails; else the nth does */

static int hit(int *left)
{
    return *left && !--*left;
}

int __real_rsp_upload_write(struct rsp_upload *upload, const void *p, size_t n);
int __wrap_rsp_upload_write(struct rsp_upload *upload, const void *p, size_t n);
int __wrap_rsp_upload_write(struct rsp_upload *upload, const void *p, size_t n)
{
    return hit(&writes_left) ? RSP_EIO : __real_rsp_upload_write(upload, p, n);
}
int __real_rsp_upload_commit(struct rsp_upload *upload);
int __wrap_rsp_upload_commit(struct rsp_upload *upload);
int __wrap_rsp_upload_commit(struct rsp_upload *upload)
{
    return hit(&commits_left) ? RSP_EIO : __real_rsp_upload_commit(upload);
}
int __real_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n);
int __wrap_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n);
int __wrap_rsp_store_put(struct rsp_store *store, const char *name, const void *p, size_t n)
{
    return hit(&puts_left) ? RSP_EIO : __real_rsp_store_put(store, name, p, n);
}

static void setup(void)
{
    yard_open(&y);
    data = malloc(DATA_BYTES);
    ck_assert_ptr_nonnull(data);
    for (size_t i = 0; i < DATA_BYTES; i++) data[i] = (uint8_t)(i * i / 77);
    pairs_n = 0;
    aead_witness = witness;
}

static void teardown(void)
{
    aead_witness = NULL;
    free(pairs);
    pairs = NULL;
    pairs_n = pairs_cap = 0;
    free(data);
    yard_close(&y);
}

/* Objects of 64 KiB in chunks of 4 KiB. The status. */
static int store(struct rsp_repo *repo, const void *p, size_t n)
{
    struct yard_dump d = {.source = "web", .p = p, .n = n, .chunk = 4096, .object = 65536};
    struct rsp_log *log = NULL;
    struct rsp_record *r = NULL;
    int rc = yard_store_dump(&y, repo, &d, &log, &r);
    rsp_log_free(log);
    rsp_error_clear(&y.error);
    return rc;
}

START_TEST(the_witness_sees_a_repetition)
{
    uint8_t key[32] = {1}, nonce[12] = {2}, c[4 + TAG_BYTES], m[4] = {0};
    aead_seal(c, m, sizeof m, nonce, key);
    aead_seal(c, m, sizeof m, nonce, key);
    ck_assert_uint_eq(pairs_n, 2);
    ck_assert_mem_eq(pairs[0], pairs[1], PAIR);
}
END_TEST

START_TEST(snapshots_of_many_objects)
{
    struct rsp_repo *repo = yard_host(&y);
    for (int i = 0; i < 4; i++) ck_assert_int_eq(store(repo, data, DATA_BYTES), RSP_OK); /* the same bytes each time */
    ck_assert_int_eq(store(repo, data, 1), RSP_OK);
    rsp_repo_free(repo);
    no_pair_twice(4 * (75 + 5 + 2)); /* chunks, tables, the manifest's two */
}
END_TEST

/* Whatever call of the store fails, the job is done again from the start, in the same process with the same repository. */
START_TEST(retried_after_failing_uploads)
{
    struct rsp_repo *repo = yard_host(&y);
    int *const faults[] = {&writes_left, &commits_left, &puts_left};
    for (size_t f = 0; f < 3; f++) {
        int failed = 0;
        for (int at = 1; at < 200; at += f ? 1 : 7) {
            *faults[f] = at;
            int rc = store(repo, data, DATA_BYTES);
            int over = *faults[f] != 0; /* there was no nth call */
            *faults[f] = 0;
            if (over) break;
            ck_assert_int_eq(rc, RSP_EIO);
            failed++;
            ck_assert_int_eq(store(repo, data, DATA_BYTES), RSP_OK);
        }
        ck_assert_int_ge(failed, 3);
    }
    rsp_repo_free(repo);
    no_pair_twice(2000);
}
END_TEST

/* Two processes of one host that begin with the same clock differ in what they draw. */
START_TEST(two_writers)
{
    struct rsp_repo *a = yard_host(&y), *b = yard_host(&y);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(store(a, data, 70000), RSP_OK);
        ck_assert_int_eq(store(b, data, 70000), RSP_OK);
    }
    rsp_repo_free(a);
    rsp_repo_free(b);
    no_pair_twice(6 * 20);
}
END_TEST

START_TEST(pack_files)
{
    struct rsp_public reader;
    struct rsp_pack_options o = {.size = sizeof o, .readers = &reader, .readers_n = 1, .threads = 2};
    rsp_identity_public(y.reader, &reader);
    for (int i = 0; i < 3; i++) {
        struct rsp_source *source = NULL;
        struct rsp_sink *sink = NULL;
        ck_assert_int_eq(rsp_source_memory(&y.env, data, DATA_BYTES, &source), RSP_OK);
        ck_assert_int_eq(rsp_sink_memory(&y.env, &sink), RSP_OK);
        ck_assert_int_eq(rsp_pack_write(&y.env, source, sink, &o), RSP_OK);
        rsp_source_free(source);
        rsp_sink_free(sink);
    }
    no_pair_twice(3 * 2);
}
END_TEST

/* The nonce of a sealed identity is zeros for ever: its key must be another each time, for the same passphrase too. */
START_TEST(identities_under_a_passphrase)
{
    struct rsp_span passphrase = {(const uint8_t *)"correct horse", 13};
    uint8_t sealed[3][RSP_SEALED_BYTES];
    for (int i = 0; i < 3; i++) ck_assert_int_eq(rsp_identity_seal(y.reader, passphrase, sealed[i]), RSP_OK);
    ck_assert_mem_ne(sealed[0], sealed[1], RSP_SEALED_BYTES);
    no_pair_twice(3);
    ck_assert_uint_eq(pairs_n, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("nonce");
    TCase *c = tcase_create("nonce");
    TCase *sample = tcase_create("sample"); /* make check runs it on every store */
    tcase_set_timeout(c, 120);
    tcase_set_timeout(sample, 120);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_checked_fixture(sample, setup, teardown);
    tcase_add_test(c, the_witness_sees_a_repetition);
    tcase_add_test(sample, snapshots_of_many_objects);
    tcase_add_test(c, retried_after_failing_uploads);
    tcase_add_test(sample, two_writers);
    tcase_add_test(c, pack_files);
    tcase_add_test(c, identities_under_a_passphrase);
    suite_add_tcase(s, sample);
    suite_add_tcase(s, c);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
