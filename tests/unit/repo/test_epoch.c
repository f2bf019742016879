/* What this is: tests of epochs: which envelope opens, and what is said when none does.
 * Rests on: libcheck, repo_test.h, seal/envelope.h.
 * Does not: test the envelope's bytes; seal's tests do. */
#include "unit/repo/repo_test.h"

#include <fcntl.h>

#include "base/bytes.h"
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

/* ---- envelopes that somebody added ---- */

enum { REAL, WRONG_HASH, MALFORMED, STRANGERS, FALSE_KEY };

/* One as the store shows it, of that many seconds. */
static void added(int sort, unsigned number, long seconds)
{
    struct rsp_identity *alien = NULL;
    struct rsp_public to;
    uint8_t hash[32] = {0}, its_key[32] = {0};
    char name[NAME_MAX_BYTES], path[512];
    struct buf b;
    buf_init(&b, &full);
    rsp_identity_public(y.reader, &to);
    store_le32(its_key, number);
    if (sort == STRANGERS) {
        ck_assert_int_eq(rsp_identity_new(&y.env, "alien", &alien), RSP_OK);
        rsp_identity_public(alien, &to);
        rsp_identity_free(alien);
    }
    if (sort == WRONG_HASH || sort == MALFORMED) ck_assert_int_eq(buf_add(&b, its_key, 4), RSP_OK);
    else ck_assert_int_eq(envelope_write(&full, epoch, sort == REAL ? key : its_key, &to, 1, &b), RSP_OK);
    hash256(hash, b.p, b.n);
    if (sort == WRONG_HASH) memset(hash, 0, 28), store_le32(hash + 28, number); /* before every real name */
    name_envelope(name, epoch, hash);
    yard_path(&y, name, path);
    if (sort == REAL) { /* the first: it makes the folder */
        put(name, b.p, b.n);
    } else {
        FILE *f = fopen(path, "w");
        ck_assert_ptr_nonnull(f);
        ck_assert_uint_eq(fwrite(b.p, 1, b.n, f), b.n);
        fclose(f);
    }
    struct timespec t[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    ck_assert_int_eq(utimensat(AT_FDCWD, path, t, 0), 0);
    buf_free(&b);
}

static const struct {
    int sort;
    unsigned n;
    int later, status; /* later: they were added behind the real one */
    unsigned gets;     /* at most, beside those of opening the repository */
} floods[] = {
    {WRONG_HASH, 2500, 1, RSP_OK, 1},
    {MALFORMED, 2500, 1, RSP_OK, 1},
    {FALSE_KEY, 200, 1, RSP_OK, 1},
    {WRONG_HASH, 100, 0, RSP_OK, 101}, /* before it: no bound but that of all */
    {MALFORMED, 1023, 0, RSP_OK, 1024},
    {MALFORMED, 1024, 0, RSP_EINTEGRITY, 1024},
    {WRONG_HASH, 2500, 0, RSP_EINTEGRITY, 1024},
    {STRANGERS, 100, 0, RSP_OK, 101}, /* whom they are for is seen without trying */
    {FALSE_KEY, 63, 0, RSP_OK, 64},
    {FALSE_KEY, 64, 0, RSP_EKEY, 64},
};

START_TEST(envelope_flood)
{
    struct rsp_store_counts before, after;
    unsigned opening = 16;
    int rc;
    memset(epoch, 0xee, 16);
    memset(key, 0x4b, 32);
    epoch_commitment(key, y.lineage, epoch, commitment);
    added(REAL, 0, 1000000);
    for (unsigned i = 1; i <= floods[_i].n; i++)
        added(floods[_i].sort, i, floods[_i].later ? 1000001 + (long)i % 3 : 999999 - (long)i % 3);
    rsp_store_count(y.store, &before);
    rc = opens(&y.reader, 1);
    rsp_store_count(y.store, &after);
    ck_assert_int_eq(rc, floods[_i].status);
    ck_assert_uint_le(after.gets - before.gets, floods[_i].gets + opening);
    if (rc) ck_assert_ptr_nonnull(strstr(y.error.trail, "not looked at; remove false ones from keys/"));
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
    tcase_add_loop_test(t, envelope_flood, 0, sizeof floods / sizeof *floods);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
