/* What this is: tests of records: every kind there and back, every bit flipped, every length, what is not written.
 * Rests on: libcheck, record_test.h.
 * Does not: touch a store or a log. */
#include "unit/repo/record_test.h"

/* ---- there and back ---- */

START_TEST(round_trip)
{
    struct rsp_record d, *r;
    struct buf b = made(_i), again;
    struct rsp_public key;
    draft(&d, _i);
    r = named(&b, _i);
    r->state = 7, r->stored_ms = 8, r->roles_n = 9;
    ck_assert_int_eq(decode(r, &b), RSP_OK);
    rsp_identity_public(signer, &key);
    ck_assert_mem_eq(r->signer, key.sign, 32);
    ck_assert_uint_eq(r->seq, 43);
    ck_assert_uint_eq(r->time_ms, TIME);
    ck_assert_int_eq(r->kind, _i);
    ck_assert_mem_eq(r->source, d.source, 16);
    ck_assert_mem_eq(r->roles, d.roles, 32);
    ck_assert(r->state == 7 && r->stored_ms == 8 && r->roles_n == 9);
    ck_assert_uint_eq(r->parents_n, 3);
    for (size_t i = 0; i < 3; i++) ck_assert(r->parents[i].seq == 42 - i && r->parents[i].hash[31] == i + 1);
    ck_assert_uint_eq(r->hashes_n, d.hashes_n);
    ck_assert(!d.hashes_n || !memcmp(r->hashes, hashes, d.hashes_n * 32));
    ck_assert_uint_eq(r->links_n, d.links_n);
    ck_assert(!d.links_n || !memcmp(r->links, links, sizeof links));
    ck_assert_int_eq(r->detail, d.detail);
    ck_assert_pstr_eq(r->text, d.text);
    ck_assert_uint_eq(r->bytes_n, b.n);
    ck_assert_mem_eq(r->bytes, b.p, b.n);
    if (_i == RSP_REC_COMMIT) {
        ck_assert_mem_eq(r->snapshot, d.snapshot, 16);
        ck_assert_mem_eq(r->epoch, d.epoch, 16);
        ck_assert_mem_eq(r->commitment, d.commitment, 32);
        ck_assert_uint_eq(r->flags, d.flags);
        ck_assert(r->keys == 11 && r->plain == 12 && r->stored == 13 && r->objects == 14 && r->origin_ms == 99);
        ck_assert(r->manifest.kind == 2 && r->manifest.stored == 1001 && r->manifest.sha256[31] == 0x61);
        ck_assert(r->refs_n == 2 && !r->refs_apart && r->refs[0].stored == 1000 && r->refs[1].object[0] == 0x61);
    }
    /* Once more into the same struct, as a log that fetches again does. */
    ck_assert_int_eq(decode(r, &b), RSP_OK);
    /* What was read is written as it was. */
    buf_init(&again, &env);
    ck_assert_int_eq(buf_add(&again, r->bytes, r->bytes_n), RSP_OK);
    ck_assert_int_eq(encode(r), RSP_OK);
    ck_assert_uint_eq(again.n, r->bytes_n);
    ck_assert_mem_eq(again.p, r->bytes, again.n);
    record_free(&env, r);
    buf_free(&again);
    buf_free(&b);
}
END_TEST

START_TEST(least)
{
    struct rsp_record d, *r;
    struct buf b;
    buf_init(&b, &env);
    draft(&d, _i);
    d.parents_n = 0;
    d.text = NULL;
    if (_i == RSP_REC_RETIRE) d.detail = 0;
    if (_i == RSP_REC_LOST) d.hashes_n = 0;
    d.refs_n = d.links_n = 0;
    d.origin_ms = 0;
    ck_assert_int_eq(record_encode(&env, &d, repository, signer, NULL, 0), RSP_OK);
    ck_assert_int_eq(buf_add(&b, d.bytes, d.bytes_n), RSP_OK);
    mem_free(&env, d.bytes, d.bytes_n);
    r = named(&b, _i);
    ck_assert_int_eq(decode(r, &b), RSP_OK);
    ck_assert(!r->parents_n && !r->text && !r->refs_n && !r->origin_ms && !r->links_n);
    record_free(&env, r);
    buf_free(&b);
}
END_TEST

START_TEST(refs_apart)
{
    struct rsp_record d, *r;
    struct buf b, list;
    buf_init(&b, &env);
    buf_init(&list, &env);
    draft(&d, RSP_REC_COMMIT);
    ck_assert_int_eq(refs_encode(&list, refs, 2), RSP_OK);
    ck_assert_uint_eq(list.n, 8 + 2 * 73);
    hash256(d.refs_hash, list.p, list.n);
    d.refs_apart = 1;
    d.refs = NULL;
    ck_assert_int_eq(record_encode(&env, &d, repository, signer, NULL, 0), RSP_OK);
    ck_assert_int_eq(buf_add(&b, d.bytes, d.bytes_n), RSP_OK);
    mem_free(&env, d.bytes, d.bytes_n);
    r = named(&b, RSP_REC_COMMIT);
    ck_assert_int_eq(decode(r, &b), RSP_OK);
    ck_assert(r->refs_apart && !r->refs && r->refs_n == 2);
    for (size_t n = 0; n < list.n; n++) {
        struct rsp_span cut = {list.p, n};
        rsp_error_clear(&error);
        ck_assert_int_eq(refs_decode(&env, r, cut), RSP_EINTEGRITY);
        ck_assert_ptr_null(r->refs);
    }
    for (size_t i = 0; i < list.n; i++) {
        struct rsp_span all = {list.p, list.n};
        list.p[i] ^= 1;
        ck_assert_int_eq(refs_decode(&env, r, all), RSP_EINTEGRITY);
        list.p[i] ^= 1;
    }
    ck_assert_int_eq(refs_decode(&env, r, (struct rsp_span){list.p, list.n}), RSP_OK);
    ck_assert(r->refs && r->refs[0].kind == 1 && r->refs[1].sha256[0] == 0x61);
    ck_assert_int_eq(refs_decode(&env, r, (struct rsp_span){list.p, list.n}), RSP_OK);
    record_free(&env, r);
    r = record_new(&env);
    ck_assert_int_eq(refs_decode(&env, r, (struct rsp_span){list.p, list.n}), RSP_EINVAL);
    /* Another number of them than the record says, and a kind that there is not. */
    r->refs_apart = 1;
    r->refs_n = 3;
    hash256(r->refs_hash, list.p, list.n);
    ck_assert_int_eq(refs_decode(&env, r, (struct rsp_span){list.p, list.n}), RSP_EINTEGRITY);
    r->refs_n = 2;
    list.p[8 + 73] = 3;
    hash256(r->refs_hash, list.p, list.n);
    ck_assert_int_eq(refs_decode(&env, r, (struct rsp_span){list.p, list.n}), RSP_EINTEGRITY);
    r->refs_n = 0;
    record_free(&env, r);
    buf_free(&list);
    buf_free(&b);
}
END_TEST

/* ---- hostile bytes ---- */

START_TEST(every_bit)
{
    struct buf b = made(_i);
    struct rsp_record *kept = named(&b, _i);
    for (size_t bit = 0; bit < b.n * 8; bit++) {
        b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(decode(kept, &b), RSP_EINTEGRITY); /* under its own name */
        ck_assert_int_eq(verdict(&b, _i), RSP_EINTEGRITY);  /* under the name that it would have */
        b.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_int_eq(decode(kept, &b), RSP_OK);
    record_free(&env, kept);
    buf_free(&b);
}
END_TEST

START_TEST(every_length)
{
    struct buf b = made(_i);
    size_t whole = b.n;
    for (b.n = 0; b.n < whole; b.n++) ck_assert_int_eq(verdict(&b, _i), RSP_EINTEGRITY);
    ck_assert_int_eq(verdict(&b, _i), RSP_OK);
    ck_assert_int_eq(buf_byte(&b, 0), RSP_OK);
    ck_assert_int_eq(verdict(&b, _i), RSP_EINTEGRITY);
    buf_free(&b);
}
END_TEST

/* ---- what is not written ---- */

static int refused(struct rsp_record *r)
{
    int rc;
    rsp_error_clear(&error);
    rc = encode(r);
    ck_assert_ptr_null(r->bytes);
    if (rc) ck_assert_int_eq(error.code, rc);
    return rc;
}

START_TEST(drafts_refused)
{
    struct rsp_record r;
    static struct rsp_parent many[17];
    const char *bad[] = {"novalue"};
    draft(&r, RSP_REC_PIN), r.kind = 0;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_PIN), r.kind = 11;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_PIN), r.seq = 0;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_PIN), r.seq = NAME_SEQ_MAX + 1;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_PIN), r.time_ms = NAME_TIME_MAX_MS + 1;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_PIN), r.parents = many, r.parents_n = 17;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_PIN), memcpy(parents[0].hash, parents[1].hash, 32);
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_PIN), r.hashes_n = 2;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_RETIRE), r.hashes_n = 0;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_RETIRE), r.text = "a retire record has none";
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_RECEIPT), r.detail = 0;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_COMMIT), r.manifest.kind = 1;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_COMMIT), refs[0].kind = 3;
    ck_assert_int_eq(refused(&r), RSP_EINVAL);
    draft(&r, RSP_REC_NOTE);
    rsp_error_clear(&error);
    ck_assert_int_eq(record_encode(&env, &r, repository, signer, bad, 1), RSP_EINVAL);
    draft(&r, RSP_REC_PIN);
    ck_assert_int_eq(record_encode(&env, &r, repository, signer, tags, 1), RSP_EINVAL);
}
END_TEST

START_TEST(allocations_fail)
{
    struct buf b = made(_i);
    struct rsp_record *r = named(&b, _i), d;
    long n;
    int rc = RSP_ENOMEM;
    draft(&d, _i);
    for (n = 0; rc && n < 200; n++) {
        fail_after = n;
        rc = decode(r, &b);
        fail_after = -1;
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (rc) ck_assert_ptr_null(r->bytes);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 2);
    for (n = 0, rc = RSP_ENOMEM; rc && n < 200; n++) {
        rsp_error_clear(&error);
        fail_after = n;
        rc = encode(&d);
        fail_after = -1;
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
        if (rc) ck_assert_int_eq(error.code, RSP_ENOMEM);
    }
    ck_assert_int_eq(rc, RSP_OK);
    mem_free(&env, d.bytes, d.bytes_n);
    record_free(&env, r);
    buf_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record");
    TCase *t = tcase_create("record");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, round_trip, 1, 11);
    tcase_add_loop_test(t, least, 1, 11);
    tcase_add_test(t, refs_apart);
    tcase_add_loop_test(t, every_bit, 1, 11);
    tcase_add_loop_test(t, every_length, 1, 11);
    tcase_add_test(t, drafts_refused);
    tcase_add_loop_test(t, allocations_fail, 1, 11);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
