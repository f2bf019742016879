/* What this is: tests of epochs: which envelope opens, and what is said when none does.
 * Rests on: libcheck, repo_test.h, seal/envelope.h.
 * Does not: test the envelope's bytes; seal's tests do. */
#include "unit/repo/repo_test.h"

#include "seal/envelope.h"

/* ---- epochs ---- */

static uint8_t epoch[16], key[32], commitment[32];

static void envelope(const struct rsp_public *readers, size_t n, const uint8_t its_key[32])
{
    char name[NAME_MAX_BYTES];
    uint8_t hash[32];
    struct buf b;
    buf_init(&b, &full);
    ck_assert_int_eq(envelope_write(&full, epoch, its_key, readers, n, &b), RSP_OK);
    hash256(hash, b.p, b.n);
    name_envelope(name, epoch, hash);
    put(name, b.p, b.n);
    buf_free(&b);
}

static int opens(struct rsp_identity *const *ids, size_t n)
{
    struct rsp_repo *repo;
    uint8_t *got = NULL;
    int rc;
    ck_assert_int_eq(yard_repo(&y, 1, ids, n, &repo), RSP_OK);
    rc = epoch_open(repo, epoch, commitment, 0, &got);
    if (!rc) ck_assert_mem_eq(got, key, 32);
    if (!rc) ck_assert_int_eq(y.error.code, 0);
    else ck_assert(!got && y.error.code == rc);
    secret_free(got);
    rsp_repo_free(repo);
    return rc;
}

START_TEST(epochs)
{
    struct rsp_public reader, keeper, stranger;
    struct rsp_identity *alien;
    uint8_t wrong[32] = {1};
    char folder[128], junk[NAME_MAX_BYTES];
    ck_assert_int_eq(rsp_identity_new(&y.env, "alien", &alien), RSP_OK);
    rsp_identity_public(alien, &stranger);
    rsp_identity_public(y.reader, &reader);
    rsp_identity_public(y.keeper, &keeper);
    memset(epoch, 0xee, 16);
    memset(key, 0x4b, 32);
    epoch_commitment(key, y.lineage, epoch, commitment);
    ck_assert_int_eq(opens(&y.reader, 1), RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(strstr(y.error.message, "missing"));
    /* Malformed ones only. */
    memset(wrong, 0, 32);
    hash256(wrong, "junk", 4);
    name_envelope(junk, epoch, wrong);
    put(junk, "junk", 4);
    ck_assert_int_eq(opens(&y.reader, 1), RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(strstr(y.error.message, "damaged"));
    /* One that opens to a key that the commit did not mean. */
    memset(wrong, 1, 32);
    envelope(&reader, 1, wrong);
    ck_assert_int_eq(opens(&y.reader, 1), RSP_EKEY);
    envelope((struct rsp_public[]){reader, keeper, stranger}, 3, key);
    ck_assert_int_eq(opens(&y.reader, 1), RSP_OK);
    ck_assert_int_eq(opens((struct rsp_identity *[]){y.host, y.keeper}, 2), RSP_OK);
    ck_assert_int_eq(opens(&y.host, 1), RSP_EKEY);
    ck_assert_ptr_nonnull(strstr(y.error.message, "reader, keeper"));
    ck_assert_ptr_nonnull(strstr(y.error.message, "1 reader that the roles do not name"));
    ck_assert_ptr_nonnull(strstr(y.error.message, "--identity"));
    ck_assert_int_eq(opens(NULL, 0), RSP_EKEY);
    snprintf(folder, sizeof folder, "keys/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee/readme");
    put(folder, "x", 1);
    ck_assert_int_eq(opens(&y.reader, 1), RSP_OK);
    rsp_identity_free(alien);
}
END_TEST

START_TEST(epoch_unsealed)
{
    struct rsp_repo *repo;
    uint8_t zeros[32] = {0}, *got;
    memset(epoch, 0xee, 16);
    epoch_commitment(zeros, y.lineage, epoch, commitment);
    ck_assert_int_eq(yard_repo(&y, 1, NULL, 0, &repo), RSP_OK);
    ck_assert_int_eq(epoch_open(repo, epoch, commitment, 1, &got), RSP_OK);
    ck_assert_mem_eq(got, zeros, 32);
    secret_free(got);
    commitment[0] ^= 1;
    ck_assert_int_eq(epoch_open(repo, epoch, commitment, 1, &got), RSP_EINTEGRITY);
    ck_assert_ptr_null(got);
    rsp_repo_free(repo);
}
END_TEST

START_TEST(envelope_flood)
{
    struct rsp_public reader;
    char name[NAME_MAX_BYTES];
    memset(epoch, 0xee, 16);
    memset(key, 0x4b, 32);
    epoch_commitment(key, y.lineage, epoch, commitment);
    rsp_identity_public(y.reader, &reader);
    for (unsigned i = 0; i < 100; i++) {
        uint8_t hash[32] = {0};
        hash[31] = (uint8_t)i; /* before every real one */
        name_envelope(name, epoch, hash);
        put(name, "junk", 4);
    }
    envelope(&reader, 1, key);
    struct rsp_store_counts before, after;
    rsp_store_count(y.store, &before);
    ck_assert_int_eq(opens(&y.reader, 1), RSP_EINTEGRITY); /* refused, but bounded */
    rsp_store_count(y.store, &after);
    ck_assert_uint_le(after.gets - before.gets, 64 + 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("epoch");
    TCase *t = tcase_create("epoch");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, epochs);
    tcase_add_test(t, epoch_unsealed);
    tcase_add_test(t, envelope_flood);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
