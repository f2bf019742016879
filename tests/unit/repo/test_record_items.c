/* What this is: tests of the items of records: each missing, misplaced, repeated, of a wrong size, unknown.
 * Rests on: libcheck, record_test.h.
 * Does not: leave the signature wrong: the encoding alone has to refuse. */
#include "unit/repo/record_test.h"

/* Rewrites a record with its item `at` (number; 0: none) left out, and a new one put before the first of a greater
 * number; signed and hashed anew, so that only the rules of the encoding are left to refuse it. */
static int edited(int kind, unsigned at, int add, uint16_t tag, const void *v, size_t n)
{
    struct buf b = made(kind), out;
    struct items list;
    struct item item;
    uint8_t signature[64];
    int rc;
    buf_init(&out, &env);
    items_begin(&list, b.p + 8, b.n - 72);
    ck_assert_int_eq(buf_add(&out, b.p, 8), RSP_OK);
    while (items_next(&list, &item) == RSP_OK) {
        if (add && ITEM_NUMBER(item.tag) > ITEM_NUMBER(tag)) {
            ck_assert_int_eq(item_add(&out, tag, v, n), RSP_OK);
            add = 0;
        }
        if (ITEM_NUMBER(item.tag) != at) ck_assert_int_eq(item_add(&out, item.tag, item.v.p, item.v.n), RSP_OK);
    }
    if (add) ck_assert_int_eq(item_add(&out, tag, v, n), RSP_OK);
    identity_sign(signer, out.p, out.n, signature);
    ck_assert_int_eq(buf_add(&out, signature, 64), RSP_OK);
    rc = verdict(&out, kind);
    buf_free(&out);
    buf_free(&b);
    return rc;
}
static int without(int kind, unsigned number)
{
    return edited(kind, number, 0, 0, NULL, 0);
}
static int with(int kind, uint16_t tag, const void *v, size_t n)
{
    return edited(kind, ITEM_NUMBER(tag), 1, tag, v, n);
}

START_TEST(items_that_must_be)
{
    static const struct {
        int kind;
        unsigned number;
    } needed[] = {{1, 16}, {1, 17}, {1, 18}, {1, 19}, {1, 22}, {1, 23}, {2, 32}, {3, 32}, {4, 32},
                  {5, 32}, {6, 32}, {7, 32}, {7, 35}, {8, 32}, {9, 32}, {9, 39}, {10, 32}};
    static const unsigned optional[] = {20, 25};
    for (int kind = 1; kind <= 10; kind++)
        for (unsigned number = 1; number <= 8; number++) ck_assert_int_eq(without(kind, number), RSP_EINTEGRITY);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        ck_assert_int_eq(without(needed[i].kind, needed[i].number), RSP_EINTEGRITY);
    for (size_t i = 0; i < 2; i++) ck_assert_int_eq(without(RSP_REC_COMMIT, optional[i]), RSP_OK);
    ck_assert_int_eq(without(RSP_REC_RETIRE, 33), RSP_OK);
    ck_assert_int_eq(without(RSP_REC_PIN, 34), RSP_OK);
    ck_assert_int_eq(without(RSP_REC_NOTE, 37), RSP_OK);
    ck_assert_int_eq(without(RSP_REC_LOST, 38), RSP_OK);
}
END_TEST

START_TEST(items_that_must_not_be)
{
    uint8_t v[80] = {1};
    v[0] = 2; /* a manifest, where it is read as a reference */
    for (int kind = 2; kind <= 10; kind++) {
        ck_assert_int_eq(with(kind, C(16), v, 16), RSP_EINTEGRITY);
        ck_assert_int_eq(with(kind, 20, v, 32), RSP_EINTEGRITY);
        ck_assert_int_eq(with(kind, C(22), v, 73), RSP_EINTEGRITY);
    }
    ck_assert_int_eq(with(RSP_REC_COMMIT, C(32), v, 32), RSP_EINTEGRITY);
    ck_assert_int_eq(with(RSP_REC_COMMIT, C(24), v, 36), RSP_EINTEGRITY); /* besides 23 */
    ck_assert_int_eq(with(RSP_REC_PIN, C(35), v, 1), RSP_EINTEGRITY);
    ck_assert_int_eq(with(RSP_REC_PIN, 33, v, 1), RSP_EINTEGRITY);
    ck_assert_int_eq(with(RSP_REC_RETIRE, 34, "words", 5), RSP_EINTEGRITY);
    ck_assert_int_eq(with(RSP_REC_RETIRE, C(39), v, 64), RSP_EINTEGRITY);
    ck_assert_int_eq(with(RSP_REC_GONE, 38, "name", 4), RSP_EINTEGRITY);
}
END_TEST

START_TEST(sizes)
{
    static const struct {
        int kind;
        uint16_t tag;
        size_t n;
    } exact[] = {{1, C(1), 16},  {1, C(2), 16},  {1, C(3), 1},   {1, C(4), 8},   {1, C(5), 8},   {1, C(6), 32},
                 {1, C(7), 32},  {1, C(16), 16}, {1, C(17), 16}, {1, C(18), 32}, {1, C(19), 4},  {1, 20, 32},
                 {1, C(22), 73}, {1, C(23), 73}, {1, 25, 8},     {2, C(32), 32}, {3, C(32), 32}, {4, C(32), 32},
                 {5, C(32), 32}, {6, C(32), 32}, {7, C(32), 32}, {8, C(32), 32}, {9, C(32), 32}, {2, 33, 1},
                 {7, C(35), 1},  {9, C(39), 64}, {1, C(8), 40},  {10, C(32), 32}};
    uint8_t v[17 * 40] = {2};
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++) {
        ck_assert_int_eq(with(exact[i].kind, exact[i].tag, v, exact[i].n + 1), RSP_EINTEGRITY);
        ck_assert_int_eq(with(exact[i].kind, exact[i].tag, v, exact[i].n - 1), RSP_EINTEGRITY);
    }
    for (int kind = 2; kind <= 9; kind++) ck_assert_int_eq(with(kind, C(32), v, 0), RSP_EINTEGRITY);
    ck_assert_int_eq(with(RSP_REC_LOST, C(32), v, 0), RSP_OK);
    ck_assert_int_eq(with(RSP_REC_PIN, C(32), v, 64), RSP_EINTEGRITY);
    ck_assert_int_eq(with(RSP_REC_RETIRE, C(32), v, 64), RSP_OK);
    ck_assert_int_eq(with(RSP_REC_GONE, C(39), v, 0), RSP_OK);
    ck_assert_int_eq(with(RSP_REC_GONE, 40, v, 0), RSP_OK);
    ck_assert_int_eq(with(RSP_REC_GONE, 40, v, 17), RSP_EINTEGRITY);
}
END_TEST

START_TEST(parents_rules)
{
    uint8_t v[17 * 40] = {0};
    for (unsigned i = 0; i < 17; i++) v[i * 40 + 8 + 31] = (uint8_t)i;
    ck_assert_int_eq(with(RSP_REC_PIN, C(8), v, 16 * 40), RSP_OK);
    ck_assert_int_eq(with(RSP_REC_PIN, C(8), v, 17 * 40), RSP_EINTEGRITY);
    v[40 + 8 + 31] = 0; /* the same twice */
    ck_assert_int_eq(with(RSP_REC_PIN, C(8), v, 2 * 40), RSP_EINTEGRITY);
    v[8 + 31] = 9; /* not ascending */
    ck_assert_int_eq(with(RSP_REC_PIN, C(8), v, 2 * 40), RSP_EINTEGRITY);
    ck_assert_int_eq(with(RSP_REC_PIN, C(8), v, 0), RSP_OK);
}
END_TEST

/* What the name says against what the record says. */
START_TEST(name_disagrees)
{
    uint8_t v[16] = {0};
    v[0] = RSP_REC_UNPIN;
    ck_assert_int_eq(with(RSP_REC_PIN, C(3), v, 1), RSP_EINTEGRITY);
    v[0] = 44;
    ck_assert_int_eq(with(RSP_REC_PIN, C(4), v, 8), RSP_EINTEGRITY);
    store_le64(v, TIME + 1000);
    ck_assert_int_eq(with(RSP_REC_PIN, C(5), v, 8), RSP_EINTEGRITY);
    store_le64(v, TIME + 5);
    ck_assert_int_eq(with(RSP_REC_PIN, C(5), v, 8), RSP_OK); /* within the second */
    store_le64(v, UINT64_MAX);
    ck_assert_int_eq(with(RSP_REC_PIN, C(5), v, 8), RSP_EINTEGRITY);
    memset(v, 5, sizeof v);
    ck_assert_int_eq(with(RSP_REC_PIN, C(2), v, 16), RSP_OK);
    v[15] = 6;
    ck_assert_int_eq(with(RSP_REC_PIN, C(2), v, 16), RSP_EINTEGRITY);
}
END_TEST

START_TEST(unknown_items)
{
    uint8_t v[16] = {0};
    for (int kind = 1; kind <= 10; kind++) {
        ck_assert_int_eq(with(kind, 9, v, 8), RSP_OK);
        ck_assert_int_eq(with(kind, 300, v, 0), RSP_OK);
        ck_assert_int_eq(with(kind, C(9), v, 8), RSP_EVERSION);
        ck_assert_int_eq(with(kind, C(300), v, 8), RSP_EVERSION);
    }
    ck_assert_int_eq(edited(RSP_REC_PIN, 0, 1, 3, v, 1), RSP_EINTEGRITY);           /* number 3 twice */
    ck_assert_int_eq(edited(RSP_REC_PIN, 3, 1, 3, v, 1), RSP_EINTEGRITY);           /* not that 3, and no other */
    ck_assert_int_eq(edited(RSP_REC_COMMIT, 20, 1, C(20), v, 8), RSP_EVERSION);     /* not that 20 */
    ck_assert_int_eq(edited(RSP_REC_RETIRE, 0, 1, 32, v, 16), RSP_EINTEGRITY);      /* 32 beside 32! */
    ck_assert_int_eq(edited(RSP_REC_COMMIT, 0, 1, 20, v, 16), RSP_EINTEGRITY);      /* twice */
    ck_assert_int_eq(edited(RSP_REC_NOTE, 0, 1, 37, "\1\0kv", 4), RSP_OK);          /* repeated */
    ck_assert_int_eq(edited(RSP_REC_NOTE, 0, 1, 37, "\4\0kv", 4), RSP_EINTEGRITY);  /* a pair that is none */
    ck_assert_int_eq(edited(RSP_REC_NOTE, 34, 1, 34, "a\0b", 3), RSP_EINTEGRITY);   /* a text with a zero */
    ck_assert_int_eq(edited(RSP_REC_RECEIPT, 35, 1, C(35), "\3", 1), RSP_EVERSION); /* a proof of later days */
    ck_assert_int_eq(edited(RSP_REC_RECEIPT, 35, 1, C(35), "\0", 1), RSP_EINTEGRITY);
}
END_TEST

/* A record of later days is known as far as it goes: who signed it, what comes before it. */
START_TEST(newer_is_filled)
{
    struct buf b = made(RSP_REC_PIN);
    struct rsp_record *r;
    uint8_t signature[64];
    b.n -= 64;
    ck_assert_int_eq(item_add(&b, C(300), "x", 1), RSP_OK);
    identity_sign(signer, b.p, b.n, signature);
    ck_assert_int_eq(buf_add(&b, signature, 64), RSP_OK);
    r = named(&b, RSP_REC_PIN);
    ck_assert_int_eq(decode(r, &b), RSP_EVERSION);
    ck_assert(r->parents_n == 3 && r->bytes_n == b.n && r->hashes_n == 1);
    record_free(&env, r);
    b.p[b.n - 1] ^= 1; /* and nobody can make one up */
    ck_assert_int_eq(verdict(&b, RSP_REC_PIN), RSP_EINTEGRITY);
    buf_free(&b);
}
END_TEST

START_TEST(references)
{
    uint8_t v[REF_BYTES * 2] = {1};
    ck_assert_int_eq(with(RSP_REC_COMMIT, C(23), v, REF_BYTES), RSP_OK);
    ck_assert_int_eq(with(RSP_REC_COMMIT, C(23), v, 0), RSP_OK);
    ck_assert_int_eq(with(RSP_REC_COMMIT, C(23), v, REF_BYTES * 2), RSP_EINTEGRITY); /* the second is of kind 0 */
    ck_assert_int_eq(with(RSP_REC_COMMIT, C(22), v, REF_BYTES), RSP_EINTEGRITY);     /* data is no manifest */
    v[0] = 3;
    ck_assert_int_eq(with(RSP_REC_COMMIT, C(23), v, REF_BYTES), RSP_EINTEGRITY);
}
END_TEST

START_TEST(too_large)
{
    struct buf b;
    buf_init(&b, &env);
    ck_assert_int_eq(buf_reserve(&b, RECORD_MAX + 1), RSP_OK);
    memset(b.p, 0, RECORD_MAX + 1);
    memcpy(b.p, RECORD_MAGIC, 8);
    b.n = RECORD_MAX + 1;
    ck_assert_int_eq(verdict(&b, RSP_REC_PIN), RSP_EINTEGRITY);
    buf_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record_items");
    TCase *t = tcase_create("record_items");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, items_that_must_be);
    tcase_add_test(t, items_that_must_not_be);
    tcase_add_test(t, sizes);
    tcase_add_test(t, parents_rules);
    tcase_add_test(t, name_disagrees);
    tcase_add_test(t, unknown_items);
    tcase_add_test(t, newer_is_filled);
    tcase_add_test(t, references);
    tcase_add_test(t, too_large);
    suite_add_tcase(s, t);
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
