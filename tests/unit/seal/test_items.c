/* What this is: tests of tagged items: written, read, cut short, out of order.
 * Rests on: libcheck, seal/items.h.
 * Does not: know a format that is made of them. */
#include "keys_test.h"

#include "base/mem.h"
#include "seal/items.h"

static const char all[] = "0180010000002a"               /* 1! u8 */
                          "02000400000078563412"         /* 2 u32 */
                          "03000800000001000000000000c0" /* 3 u64 */
                          "058007000000020068690a0b0c"   /* 5! pair */
                          "05800200000000000680"         /* 5! pair of nothing, 6! nested */
                          "0d00000001000700000001020304050607";

static int write_all(struct buf *b)
{
    const uint8_t value[3] = {10, 11, 12}, inner[7] = {1, 2, 3, 4, 5, 6, 7};
    size_t at;
    int rc;
    if ((rc = item_u8(b, ITEM_CRITICAL | 1, 42))) return rc;
    if ((rc = item_u32(b, 2, 0x12345678))) return rc;
    if ((rc = item_u64(b, 3, 0xc000000000000001ull))) return rc;
    if ((rc = item_pair(b, ITEM_CRITICAL | 5, "hi", 2, value, 3))) return rc;
    if ((rc = item_pair(b, ITEM_CRITICAL | 5, NULL, 0, NULL, 0))) return rc;
    if ((rc = item_begin(b, ITEM_CRITICAL | 6, &at))) return rc;
    if ((rc = item_add(b, 1, inner, sizeof inner))) return rc;
    return item_end(b, at);
}

START_TEST(bytes)
{
    struct buf b;
    buf_init(&b, &env);
    ck_assert_int_eq(write_all(&b), RSP_OK);
    same_hex(b.p, b.n, all);
    buf_free(&b);
    buf_init(&b, &env);
    ck_assert_int_eq(buf_u32(&b, 0x04030201), RSP_OK);
    ck_assert_int_eq(buf_u64(&b, 0x0807060504030201ull), RSP_OK);
    same_hex(b.p, b.n, "010203040102030405060708");
    buf_free(&b);
}
END_TEST

START_TEST(reading)
{
    uint8_t p[128], v8;
    uint32_t v32;
    uint64_t v64;
    struct rsp_span name, value;
    struct items r, inner;
    struct item item;
    items_begin(&r, p, unhex(all, p, sizeof p));
    ck_assert_int_eq(items_next(&r, &item), RSP_OK);
    ck_assert_uint_eq(item.tag, 0x8001);
    ck_assert(item_get_u8(item.v, &v8) && v8 == 42);
    ck_assert(!item_get_u32(item.v, &v32) && !item_get_u64(item.v, &v64) && !item_get_pair(item.v, &name, &value));
    ck_assert_int_eq(items_next(&r, &item), RSP_OK);
    ck_assert_uint_eq(item.tag, 2);
    ck_assert(item_get_u32(item.v, &v32) && v32 == 0x12345678);
    ck_assert(!item_get_u8(item.v, &v8) && !item_get_pair(item.v, &name, &value));
    ck_assert_int_eq(items_next(&r, &item), RSP_OK);
    ck_assert(item_get_u64(item.v, &v64) && v64 == 0xc000000000000001ull);
    ck_assert_int_eq(items_next(&r, &item), RSP_OK);
    ck_assert(item_get_pair(item.v, &name, &value));
    ck_assert(name.n == 2 && !memcmp(name.p, "hi", 2) && value.n == 3 && value.p[2] == 12);
    ck_assert_int_eq(items_next(&r, &item), RSP_OK);
    ck_assert(item_get_pair(item.v, &name, &value) && !name.n && !value.n);
    ck_assert_int_eq(items_next(&r, &item), RSP_OK);
    items_begin(&inner, item.v.p, item.v.n);
    ck_assert_int_eq(items_next(&inner, &item), RSP_OK);
    ck_assert_uint_eq(item.v.n, 7);
    ck_assert_int_eq(items_next(&inner, &item), RSP_END);
    ck_assert_int_eq(items_next(&r, &item), RSP_END);
    ck_assert_int_eq(items_next(&r, &item), RSP_END);
    items_begin(&r, NULL, 0);
    ck_assert_int_eq(items_next(&r, &item), RSP_END);
}
END_TEST

START_TEST(cut)
{
    static const size_t ends[] = {0, 7, 17, 31, 44, 52, 71};
    uint8_t p[128];
    size_t n = unhex(all, p, sizeof p), k = 0;
    ck_assert_uint_eq(n, ends[6]);
    for (size_t cut_n = 0; cut_n <= n; cut_n++) {
        struct items r;
        struct item item;
        uint8_t *exact = malloc(cut_n ? cut_n : 1);
        int rc;
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, p, cut_n);
        items_begin(&r, exact, cut_n);
        while (!(rc = items_next(&r, &item))) {}
        ck_assert_int_eq(rc, cut_n == ends[k] ? RSP_END : RSP_EFORMAT);
        if (cut_n == ends[k]) k++;
        free(exact);
    }
}
END_TEST

START_TEST(order_and_lengths)
{
    static const struct {
        const char *hex;
        int items, rc;
    } cases[] = {
        {"0200000000000100000000", 1, RSP_EFORMAT},   /* and cut */
        {"020000000000010000000000", 1, RSP_EFORMAT}, /* 2 before 1 */
        {"028000000000010000000000", 1, RSP_EFORMAT}, /* the critical bit does not count */
        {"020000000000018000000000", 1, RSP_EFORMAT}, /* nor here */
        {"010000000000010000000000", 2, RSP_END},     /* repeated */
        {"018000000000028000000000", 2, RSP_END},     /* ascending */
        {"0000000000000100ffffffff", 1, RSP_EFORMAT}, /* longer than anything */
        {"010001000000", 0, RSP_EFORMAT},             /* one byte longer than what is there */
        {"ff7f00000000ffff00000000", 2, RSP_END},     /* the greatest number */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t p[64];
        struct items r;
        struct item item;
        int n = 0, rc;
        items_begin(&r, p, unhex(cases[i].hex, p, sizeof p));
        while (!(rc = items_next(&r, &item))) n++;
        ck_assert_msg(n == cases[i].items && rc == cases[i].rc, "case %zu: %d items, status %d", i, n, rc);
    }
}
END_TEST

START_TEST(limits)
{
    struct rsp_span name, value;
    const uint8_t pair[] = {3, 0, 'a', 'b'};
    struct buf b;
    char *long_name = calloc(1, 65536);
    ck_assert_ptr_nonnull(long_name);
    ck_assert(!item_get_pair((struct rsp_span){pair, sizeof pair}, &name, &value));
    ck_assert(!item_get_pair((struct rsp_span){pair, 1}, &name, &value));
    buf_init(&b, &env);
    ck_assert_int_eq(item_pair(&b, 1, long_name, 65536, "", 0), RSP_ELIMIT);
    ck_assert_int_eq(item_pair(&b, 1, long_name, 65535, "", 0), RSP_OK);
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(item_add(&b, 1, "", (size_t)UINT32_MAX + 1), RSP_ELIMIT);
    buf_free(&b);
    free(long_name);
}
END_TEST

START_TEST(no_memory)
{
    int rc = RSP_ENOMEM;
    long nth;
    for (nth = 0; rc; nth++) {
        struct buf b;
        fail_nth = nth;
        buf_init(&b, &env);
        while (!(rc = write_all(&b)) && b.n < 2000) {}
        ck_assert(!rc || rc == RSP_ENOMEM);
        buf_free(&b);
    }
    ck_assert_int_gt(nth, 2);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, bytes);
    tcase_add_test(tc, reading);
    tcase_add_test(tc, cut);
    tcase_add_test(tc, order_and_lengths);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, no_memory);
}

int main(void)
{
    return run_suite("items", (void (*const[])(TCase *)){add}, 1);
}
