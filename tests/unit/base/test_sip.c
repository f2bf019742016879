/* What this is: tests of SipHash-2-4 against libsodium and the authors' first vectors.
 * Rests on: base/sip.h, libsodium as the oracle.
 * Does not: measure. */
#include <check.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sip.h"

static void count_up(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) p[i] = (uint8_t)i;
}

START_TEST(published_vectors)
{
    uint8_t key[16], in[64];
    struct sip128 h;
    count_up(key, sizeof key);
    count_up(in, sizeof in);
    ck_assert_uint_eq(sip64(key, in, 15), 0xa129ca6149be45e5ULL); /* the example of the paper */
    ck_assert_uint_eq(sip64(key, in, 0), 0x726fdb47dd0e0e31ULL);
    h = sip128_of(key, in, 0);
    ck_assert_uint_eq(h.lo, 0xe6a825ba047f81a3ULL);
    ck_assert_uint_eq(h.hi, 0x930255c71472f66dULL);
}
END_TEST

START_TEST(every_length)
{
    uint8_t key[16], out[16];
    for (unsigned n = 0; n < 300; n++) {
        uint8_t *in = malloc(n ? n : 1); /* exact, so that an overread shows */
        struct sip128 h;
        ck_assert_ptr_nonnull(in);
        randombytes_buf(in, n);
        randombytes_buf(key, sizeof key);
        crypto_shorthash(out, in, n, key);
        ck_assert_uint_eq(sip64(key, in, n), load_le64(out));
        crypto_shorthash_siphashx24(out, in, n, key);
        h = sip128_of(key, in, n);
        ck_assert_uint_eq(h.lo, load_le64(out));
        ck_assert_uint_eq(h.hi, load_le64(out + 8));
        free(in);
    }
}
END_TEST

START_TEST(every_three_pieces)
{
    uint8_t key[16], in[50];
    uint64_t want;
    struct sip128 wide;
    randombytes_buf(key, sizeof key);
    randombytes_buf(in, sizeof in);
    want = sip64(key, in, sizeof in);
    wide = sip128_of(key, in, sizeof in);
    for (size_t a = 0; a <= sizeof in; a++)
        for (size_t b = a; b <= sizeof in; b++) {
            struct sip s, w;
            struct sip128 h;
            sip_init(&s, key, 0);
            sip_init(&w, key, 1);
            sip_add(&s, in, a), sip_add(&w, in, a);
            sip_add(&s, in + a, b - a), sip_add(&w, in + a, b - a);
            sip_add(&s, in + b, sizeof in - b), sip_add(&w, in + b, sizeof in - b);
            ck_assert_uint_eq(sip_end64(&s), want);
            h = sip_end128(&w);
            ck_assert_uint_eq(h.lo, wide.lo);
            ck_assert_uint_eq(h.hi, wide.hi);
        }
}
END_TEST

START_TEST(one_byte_at_a_time)
{
    uint8_t key[16], in[600];
    struct sip s;
    randombytes_buf(key, sizeof key);
    randombytes_buf(in, sizeof in);
    sip_init(&s, key, 0);
    for (size_t i = 0; i < sizeof in; i++) sip_add(&s, in + i, 1);
    sip_add(&s, NULL, 0);
    ck_assert_uint_eq(sip_end64(&s), sip64(key, in, sizeof in));
}
END_TEST

START_TEST(side_by_side)
{
    uint8_t key[16], text[SIP_LANES * 256];
    for (size_t words = 1; words <= 32; words++) {
        for (unsigned round = 0; round < 8; round++) {
            struct sip128 out[SIP_LANES];
            size_t stride = 8 * words + (round & 1 ? 256 - 8 * words : 0), n[SIP_LANES];
            randombytes_buf(key, sizeof key);
            randombytes_buf(text, sizeof text);
            for (size_t i = 0; i < SIP_LANES; i++) {
                n[i] = 8 * (words - 1) + (i + round) % 8;
                memset(text + i * stride + n[i], 0, 8 * words - n[i]);
                text[i * stride + 8 * words - 1] = (uint8_t)n[i];
            }
            sip128_lanes(key, text, stride, words, out);
            for (size_t i = 0; i < SIP_LANES; i++) {
                struct sip128 h = sip128_of(key, text + i * stride, n[i]);
                ck_assert_uint_eq(out[i].lo, h.lo);
                ck_assert_uint_eq(out[i].hi, h.hi);
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sip");
    TCase *c = tcase_create("sip");
    if (sodium_init() < 0) return EXIT_FAILURE;
    tcase_add_test(c, published_vectors);
    tcase_add_test(c, every_length);
    tcase_add_test(c, every_three_pieces);
    tcase_add_test(c, one_byte_at_a_time);
    tcase_add_test(c, side_by_side);
    suite_add_tcase(s, c);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
