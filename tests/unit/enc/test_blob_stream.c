/* What this is: listpacks and ziplists in pieces against the same walked whole: every window, truncation and flip.
 * Rests on: libcheck, blob_compare.h, rdb_builder.h.
 * Does not: repeat what test_listpack.c and test_ziplist.c say of offsets. */
#include <check.h>
#undef fail

#include <stdlib.h>

#define MUST(condition) ck_assert(condition)

#include "blob_compare.h"
#include "rdb_builder.h"

static void listpack_of(struct made *m, size_t n)
{
    static const size_t sizes[] = {0, 1, 63, 64, 100, 4095, 4096, 126, 16380, 300};
    lp_begin(m);
    for (size_t i = 0; i < n; i++) {
        uint8_t *p = noise(sizes[i % 10], i);
        if (i % 3 == 1) lp_int(m, (int64_t)((uint64_t)1 << (i * 5 % 63)) - (int64_t)i * 3);
        else lp_str(m, p, sizes[i % 10]);
        free(p);
    }
    lp_end(m, n);
}

/* One ziplist entry; returns its size. */
static size_t zl_entry(struct made *m, size_t previous, size_t i)
{
    static const size_t sizes[] = {0, 5, 63, 64, 300, 17000};
    size_t from = m->n, n = sizes[i % 6];
    uint8_t *p = noise(n, i);
    if (previous < 254) put_byte(m, (unsigned)previous);
    else put_byte(m, 254), put_le(m, previous, 4);
    switch (i % 9) {
    case 1: put_byte(m, 0xfe), put_le(m, i, 1); break;
    case 3: put_byte(m, 0xc0), put_le(m, i * 77, 2); break;
    case 4: put_byte(m, 0xf0), put_le(m, i * 7777, 3); break;
    case 5: put_byte(m, 0xd0), put_le(m, i * 777777, 4); break;
    case 6: put_byte(m, 0xe0), put_le(m, i * 77777777777, 8); break;
    case 7: put_byte(m, 0xf1 + (unsigned)(i % 13)); break;
    default:
        if (n < 64) put_byte(m, (unsigned)n);
        else if (n < 16384) put_byte(m, 0x40 | (unsigned)(n >> 8)), put_byte(m, n & 255);
        else put_byte(m, 0x80), put_be(m, n, 4);
        put_bytes(m, p, n);
    }
    free(p);
    return m->n - from;
}

static void ziplist_of(struct made *m, size_t n)
{
    size_t previous = 0, last = 10;
    m->n = 0;
    put_le(m, 0, 4), put_le(m, 0, 4), put_le(m, n, 2);
    for (size_t i = 0; i < n; i++) {
        last = m->n;
        previous = zl_entry(m, previous, i);
    }
    put_byte(m, 0xff);
    store_le32(m->p, (uint32_t)m->n);
    store_le32(m->p + 4, (uint32_t)last);
}

static void make(struct made *m, int ziplist, size_t n)
{
    if (ziplist) ziplist_of(m, n);
    else listpack_of(m, n);
}

START_TEST(windows)
{
    static const size_t sizes[] = {1, 2, 3, 5, 7, 13, 64, 1000, 1 << 20};
    struct made m = {0};
    for (size_t n = 0; n < 60; n += n < 4 ? 1 : 13) {
        struct blob_sum s = {1, 0};
        make(&m, _i, n);
        ck_assert_int_eq(blob_whole(_i, (struct rsp_span){m.p, m.n}, &s), RSP_END);
        ck_assert_uint_eq(s.elements, n);
        for (size_t w = 0; w < sizeof sizes / sizeof *sizes; w++)
            ck_assert_msg(blob_agree(_i, (struct rsp_span){m.p, m.n}, sizes[w]), "%zu elements, window %zu", n,
                          sizes[w]);
    }
    made_free(&m);
}
END_TEST

START_TEST(hostile)
{
    struct made m = {0};
    make(&m, _i, 9);
    for (size_t at = 0; at < m.n; at += at < 600 ? 1 : 97) {
        for (unsigned bit = 0; bit < 8; bit++) {
            m.p[at] ^= (uint8_t)(1u << bit);
            ck_assert_msg(blob_agree(_i, (struct rsp_span){m.p, m.n}, 1 + at % 37), "bit %u of byte %zu", bit, at);
            m.p[at] ^= (uint8_t)(1u << bit);
        }
    }
    for (size_t n = 1; n < m.n; n += n < 600 ? 1 : 97) {
        uint8_t *p = malloc(n);
        memcpy(p, m.p, n);
        ck_assert_msg(blob_agree(_i, (struct rsp_span){p, n}, 7), "the first %zu bytes", n);
        if (n > 11) {
            store_le32(p, (uint32_t)n);
            p[n - 1] = 0xff;
            ck_assert_msg(blob_agree(_i, (struct rsp_span){p, n}, 7), "%zu bytes with a new end", n);
        }
        free(p);
    }
    made_free(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("blob_stream");
    TCase *c = tcase_create("blob_stream");
    SRunner *r;
    int failed;
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, windows, 0, 2);
    tcase_add_loop_test(c, hostile, 0, 2);
    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
