/* What this is: what a keeper, and whoever holds a mirror, can make others believe by copies. Each test is named in
 *   respite-security(7).
 * Rests on: libcheck, sham.h. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/record_impl.h"
#include "seal/identity.h"
#include "seal/items.h"
#include "sham.h"

#define C(number) (uint16_t)(ITEM_CRITICAL | (number))

static void add_common(struct buf *b, const struct rsp_identity *signer, const uint8_t repository[16],
                       const struct rsp_record *like, const uint8_t roles[32])
{
    struct rsp_public key;
    rsp_identity_public(signer, &key);
    ck_assert_int_eq(buf_add(b, RECORD_MAGIC, RECORD_MAGIC_BYTES), RSP_OK);
    ck_assert_int_eq(item_add(b, C(1), repository, 16), RSP_OK);
    ck_assert_int_eq(item_add(b, C(2), like->source, 16), RSP_OK);
    ck_assert_int_eq(item_u8(b, C(3), RSP_REC_COMMIT), RSP_OK);
    ck_assert_int_eq(item_u64(b, C(4), 1), RSP_OK);
    ck_assert_int_eq(item_u64(b, C(5), (uint64_t)y.now_ms), RSP_OK);
    ck_assert_int_eq(item_add(b, C(6), key.sign, 32), RSP_OK);
    ck_assert_int_eq(item_add(b, C(7), roles, 32), RSP_OK);
    ck_assert_int_eq(item_add(b, C(8), NULL, 0), RSP_OK);
}

static void sign(struct buf *b, const struct rsp_identity *signer)
{
    uint8_t signature[64];
    identity_sign(signer, b->p, b->n, signature);
    ck_assert_int_eq(buf_add(b, signature, 64), RSP_OK);
}

/* A copy of `inner` in our log, signed by that one; its hash. */
static void plant_copy(const struct rsp_identity *signer, const struct rsp_record *like, const uint8_t *inner, size_t n,
                       uint8_t hash[32])
{
    struct rsp_record r;
    struct buf b;
    char path[NAME_MAX_BYTES];
    memset(&r, 0, sizeof r);
    buf_init(&b, &env);
    add_common(&b, signer, y.id, like, like->roles);
    ck_assert_int_eq(item_u64(&b, 25, (uint64_t)y.now_ms), RSP_OK);
    ck_assert_int_eq(item_add(&b, C(26), inner, n), RSP_OK);
    sign(&b, signer);
    hash256(hash, b.p, b.n);
    memcpy(r.source, like->source, 16);
    name_record(r.name, 1, (uint64_t)y.now_ms, RSP_REC_COMMIT, hash);
    name_record_path(path, &r);
    tree_write(&y, path, b.p, b.n);
    buf_free(&b);
}

/* A snapshot as a writer of some other repository would have signed it, by whom it may be: over data of ours. */
static void invent(const struct rsp_identity *signer, const struct rsp_record *like, struct buf *b)
{
    uint8_t elsewhere[16], ref[REF_BYTES], snapshot[16];
    memset(elsewhere, 0x31, sizeof elsewhere);
    memset(snapshot, 0x32, sizeof snapshot);
    buf_init(b, &env);
    add_common(b, signer, elsewhere, like, like->roles);
    ck_assert_int_eq(item_add(b, C(16), snapshot, 16), RSP_OK);
    ck_assert_int_eq(item_add(b, C(17), like->epoch, 16), RSP_OK);
    ck_assert_int_eq(item_add(b, C(18), like->commitment, 32), RSP_OK);
    ck_assert_int_eq(item_u32(b, C(19), RSP_COMMIT_GOOD | RSP_COMMIT_FULL), RSP_OK);
    ref_store(ref, &like->manifest);
    ck_assert_int_eq(item_add(b, C(22), ref, sizeof ref), RSP_OK);
    ref_store(ref, &like->refs[0]);
    ck_assert_int_eq(item_add(b, C(23), ref, sizeof ref), RSP_OK);
    sign(b, signer);
}

/* A stolen keeper cannot make a snapshot: neither by its own word nor by a stranger's. */
START_TEST(keeper_makes_no_snapshot)
{
    const struct rsp_identity *liars[] = {y.keeper, y.reader, thief};
    uint8_t hash[32];
    struct buf b;
    sound(2);
    for (size_t i = 0; i < 3; i++) {
        invent(liars[i], first, &b);
        plant_copy(y.keeper, first, b.p, b.n, hash);
        record_refused(hash, "had no right");
        buf_free(&b);
    }
    refused("snapshots that a keeper invented", NULL, 2);
}
END_TEST

/* Whoever is no keeper cannot bring a writer's true record here, nor can the writer. */
START_TEST(only_a_keeper_copies)
{
    const struct rsp_identity *others[] = {y.reader, thief};
    uint8_t hash[32];
    sound(2);
    for (size_t i = 0; i < 2; i++) {
        plant_copy(others[i], first, first->bytes, first->bytes_n, hash);
        record_refused(hash, "no right to a copied commit");
    }
    refused("true records that others copied", NULL, 2);
}
END_TEST

/* One bit of what the writer signed. */
START_TEST(copy_changed_on_the_way)
{
    uint8_t hash[32], *inner = malloc(first->bytes_n);
    ck_assert_ptr_nonnull(inner);
    sound(2);
    for (size_t at = 8; at < first->bytes_n; at += 37) {
        memcpy(inner, first->bytes, first->bytes_n);
        inner[at] ^= 0x10;
        plant_copy(y.keeper, first, inner, first->bytes_n, hash);
        y.now_ms += 1000;
    }
    free(inner);
    refused("copies of which a bit was changed", NULL, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("attack: copies");
    TCase *t = tcase_create("copies");
    TCase *sample = tcase_create("sample"); /* make check runs it on every store */
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, sham_setup, sham_teardown);
    tcase_add_checked_fixture(sample, sham_setup, sham_teardown);
    tcase_set_timeout(t, 120);
    tcase_set_timeout(sample, 120);
    tcase_add_test(sample, keeper_makes_no_snapshot);
    tcase_add_test(t, only_a_keeper_copies);
    tcase_add_test(t, copy_changed_on_the_way);
    suite_add_tcase(suite, sample);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
