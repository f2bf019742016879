/* What this is: tests of compression's faults and bounds, and of finding it by magic.
 * Rests on: libcheck, stage/pack_data.h.
 * Does not: try windows; stage/test_stages.c does. */
#include <check.h>

#include <stdlib.h>
#include <string.h>

#include <respite/sink.h>
#include <respite/source.h>

#include "stage/pack_data.h"

static struct rsp_error error;
static struct rsp_env env;

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
}

typedef int maker(const struct rsp_env *e, struct rsp_stage **ret);
static const struct form {
    maker *open;
    struct data (*make)(struct data);
    const char *codec;
} forms[] = {
    {rsp_stage_zstd_decompress, data_zstd, "zstd"},
    {rsp_stage_gzip_decompress, data_gzip, "gzip"},
    {rsp_stage_lz4_decompress, data_lz4, "lz4"},
};

/* Opens packed; out (may be NULL) is what came of it. */
static int open_all(maker *open, struct data packed, struct data *out)
{
    struct rsp_source *source;
    struct rsp_stage *stage;
    struct rsp_sink *sink;
    struct rsp_span v;
    int rc;
    ck_assert_int_eq(rsp_source_memory(&env, packed.p, packed.n, &source), RSP_OK);
    ck_assert_int_eq(open(&env, &stage), RSP_OK);
    ck_assert_int_eq(rsp_sink_memory(&env, &sink), RSP_OK);
    rc = rsp_pump(source, stage, sink);
    if (out) {
        ck_assert_int_eq(rsp_sink_view(sink, &v), RSP_OK);
        out->p = malloc(v.n + 1);
        out->n = v.n;
        if (v.n) memcpy(out->p, v.p, v.n);
    }
    rsp_sink_free(sink);
    rsp_stage_free(stage);
    rsp_source_free(source);
    return rc;
}

/* Bytes behind the data. */
START_TEST(garbage)
{
    static const char *const tails[] = {"x", "\x01\x02\x03", "REDIS0011"};
    struct data plain = data_plain(10000, 1), packed = forms[_i].make(plain);
    for (int k = 0; k < 3; k++) {
        struct data tail = {(uint8_t *)(uintptr_t)tails[k], strlen(tails[k])}, all = data_join(packed, tail);
        rsp_error_clear(&error);
        ck_assert_int_eq(open_all(forms[_i].open, all, NULL), RSP_EFORMAT);
        /* 'R' could begin a skippable frame: then the library's words stand there. */
        if (k < 2) ck_assert_ptr_nonnull(strstr(error.message, "bytes behind the compressed data"));
        free(all.p);
    }
    free(plain.p);
    free(packed.p);
}
END_TEST

/* No input, and input that is something else. */
START_TEST(not_its_own)
{
    struct data text = {(uint8_t *)(uintptr_t) "REDIS0011", 9};
    ck_assert_int_eq(open_all(forms[_i].open, (struct data){text.p, 0}, NULL), RSP_ETRUNCATED);
    rsp_error_clear(&error);
    ck_assert_int_eq(open_all(forms[_i].open, text, NULL), RSP_EFORMAT);
    ck_assert_uint_eq(error.offset, 0);
    ck_assert_int_eq(error.has_offset, 1);
}
END_TEST

/* Any flipped bit is a fault or harmless, never other bytes. */
START_TEST(flipped_bits)
{
    struct data plain = data_plain(1500, 3), packed = forms[_i].make(plain);
    int checksums = 0;
    for (size_t k = 0; k < packed.n * 8; k++) {
        struct data out;
        int rc;
        packed.p[k / 8] ^= (uint8_t)(1 << k % 8);
        rsp_error_clear(&error);
        rc = open_all(forms[_i].open, packed, &out);
        checksums += rc == RSP_ECHECKSUM;
        ck_assert_int_eq(error.code, rc);
        if (rc == RSP_OK) {
            ck_assert_uint_eq(out.n, plain.n);
            ck_assert_mem_eq(out.p, plain.p, plain.n);
        }
        free(out.p);
        packed.p[k / 8] ^= (uint8_t)(1 << k % 8);
    }
    ck_assert_int_gt(checksums, 32); /* each bit of the checksum itself, at least */
    free(plain.p);
    free(packed.p);
}
END_TEST

START_TEST(gzip_padding)
{
    struct data plain = data_plain(1000, 4), packed = data_gzip(plain), out;
    uint8_t zeros[600] = {0};
    struct data padded = data_join(packed, (struct data){zeros, sizeof zeros}), more;
    ck_assert_int_eq(open_all(rsp_stage_gzip_decompress, padded, &out), RSP_OK);
    ck_assert_uint_eq(out.n, plain.n);
    free(out.p);
    more = data_join(padded, packed); /* only the end may follow padding */
    ck_assert_int_eq(open_all(rsp_stage_gzip_decompress, more, NULL), RSP_EFORMAT);
    free(more.p);
    rsp_error_clear(&error);
    more = data_join((struct data){zeros, sizeof zeros}, packed);
    ck_assert_int_eq(open_all(rsp_stage_gzip_decompress, more, NULL), RSP_EFORMAT);
    free(more.p);
    free(padded.p);
    free(packed.p);
    free(plain.p);
}
END_TEST

static int discard(void *opaque, struct rsp_in *in, struct rsp_out *out, enum rsp_stage_op op)
{
    (void)out;
    *(uint64_t *)opaque += in->n - in->pos;
    in->pos = in->n;
    return op == RSP_STAGE_END ? RSP_END : RSP_OK;
}

static int open_counted(maker *open, struct data packed, uint64_t *out)
{
    static const struct rsp_stage_ops ops = {sizeof ops, "discard", discard, NULL};
    struct rsp_stage *s[2], *chain;
    struct rsp_source *source;
    struct rsp_sink *sink;
    int rc;
    *out = 0;
    ck_assert_int_eq(open(&env, &s[0]), RSP_OK);
    ck_assert_int_eq(rsp_stage_custom(&env, &ops, out, &s[1]), RSP_OK);
    ck_assert_int_eq(rsp_chain_new(&env, s, 2, &chain), RSP_OK);
    ck_assert_int_eq(rsp_source_memory(&env, packed.p, packed.n, &source), RSP_OK);
    ck_assert_int_eq(rsp_sink_memory(&env, &sink), RSP_OK);
    rc = rsp_pump(source, chain, sink);
    rsp_sink_free(sink);
    rsp_source_free(source);
    rsp_stage_free(chain);
    return rc;
}

/* 80 MiB of zeros: refused at 100 : 1, but not before 64 MiB; taken when the limit is wide. */
START_TEST(expansion)
{
    struct data zeros = {calloc(1, (size_t)80 << 20), (size_t)80 << 20}, packed = forms[_i].make(zeros);
    uint64_t out;
    env.limits.expand_ratio = 100;
    ck_assert_int_eq(open_counted(forms[_i].open, packed, &out), RSP_ELIMIT);
    ck_assert_int_eq(error.code, RSP_ELIMIT);
    ck_assert_uint_le(out, (uint64_t)65 << 20);
    rsp_error_clear(&error);
    env.limits.expand_ratio = 1000000;
    ck_assert_int_eq(open_counted(forms[_i].open, packed, &out), RSP_OK);
    ck_assert_uint_eq(out, zeros.n);
    zeros.n = (size_t)60 << 20;
    free(packed.p);
    packed = forms[_i].make(zeros);
    env.limits.expand_ratio = 1;
    ck_assert_int_eq(open_counted(forms[_i].open, packed, &out), RSP_OK);
    free(packed.p);
    free(zeros.p);
}
END_TEST

/* A frame that asks for a large window is not given it when the caller's limit is lower. */
START_TEST(window_limit)
{
    static const uint8_t asks[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88, 0x01, 0x00, 0x00};      /* 128 MiB */
    static const uint8_t asks_more[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x90, 0x01, 0x00, 0x00}; /* 256 MiB */
    struct data d = {(uint8_t *)(uintptr_t)asks, sizeof asks};
    env.limits.alloc_bytes = 16 << 20;
    ck_assert_int_eq(open_all(rsp_stage_zstd_decompress, d, NULL), RSP_ELIMIT);
    ck_assert_int_eq(error.code, RSP_ELIMIT);
    env.limits.alloc_bytes = 0;
    rsp_error_clear(&error);
    ck_assert_int_eq(open_all(rsp_stage_zstd_decompress, d, NULL), RSP_OK);
    d.p = (uint8_t *)(uintptr_t)asks_more;
    ck_assert_int_eq(open_all(rsp_stage_zstd_decompress, d, NULL), RSP_ELIMIT);
}
END_TEST

START_TEST(levels)
{
    static const int level[] = {-5, 0, 1, 3, 19};
    struct data plain = data_plain(50000, 5);
    struct rsp_source *source, *through;
    struct rsp_stage *c;
    uint8_t *packed = malloc(60000), *got = malloc(plain.n);
    size_t n = 0, k;
    int rc;
    ck_assert_int_eq(rsp_source_memory(&env, plain.p, plain.n, &source), RSP_OK);
    ck_assert_int_eq(rsp_stage_zstd_compress(&env, level[_i], &c), RSP_OK);
    ck_assert_int_eq(rsp_source_through(&env, source, c, &through), RSP_OK);
    while ((rc = rsp_source_read(through, packed + n, 60000 - n, &k)) == RSP_OK) n += k;
    ck_assert_int_eq(rc, RSP_END);
    rsp_source_free(through);
    ck_assert_uint_lt(n, plain.n);
    ck_assert_uint_ne(packed[4] & 4, 0); /* the frame has a checksum */
    ck_assert_uint_eq(ZSTD_decompress(got, plain.n, packed, n), plain.n);
    ck_assert_mem_eq(got, plain.p, plain.n);
    free(packed);
    free(got);
    free(plain.p);
}
END_TEST

/* Detects over in; *rc_read is the status after the last byte. */
static int detect(struct data in, const char **codec, struct data *out, int *rc_read)
{
    struct rsp_source *inner, *s;
    size_t k;
    int rc;
    out->p = malloc(100000);
    out->n = 0;
    *codec = NULL;
    ck_assert_int_eq(rsp_source_memory(&env, in.p, in.n, &inner), RSP_OK);
    rc = rsp_source_detect(&env, inner, &s, codec);
    if (rc) {
        ck_assert_ptr_null(s);
        rsp_source_free(inner);
        return rc;
    }
    while ((*rc_read = rsp_source_read(s, out->p + out->n, 100000 - out->n, &k)) == RSP_OK) out->n += k;
    rsp_source_free(s);
    return RSP_OK;
}

static void check_detect(struct data in, const char *want_codec, struct data want)
{
    const char *codec;
    struct data out;
    int rc;
    ck_assert_int_eq(detect(in, &codec, &out, &rc), RSP_OK);
    ck_assert_str_eq(codec, want_codec);
    ck_assert_int_eq(rc, RSP_END);
    ck_assert_uint_eq(out.n, want.n);
    if (want.n) ck_assert_mem_eq(out.p, want.p, want.n);
    free(out.p);
}

START_TEST(detected)
{
    static const uint8_t skippable[] = {0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    struct data plain = data_plain(20000, 6), packed, all;
    for (int i = 0; i < 3; i++) {
        packed = forms[i].make(plain);
        check_detect(packed, forms[i].codec, plain);
        if (i != 1) {
            uint8_t head[7] = {'V', 'C', 'S', 1, i == 0 ? 2 : 1, 0, 1};
            all = data_join((struct data){head, 7}, packed);
            check_detect(all, i == 0 ? "vcs+zstd" : "vcs+lz4", plain);
            free(all.p);
        }
        free(packed.p);
    }
    packed = data_zstd(plain);
    all = data_join((struct data){(uint8_t *)(uintptr_t)skippable, sizeof skippable}, packed);
    check_detect(all, "zstd", plain);
    free(all.p);
    free(packed.p);
    for (size_t n = 0; n < 12; n++) check_detect((struct data){plain.p, n}, "none", (struct data){plain.p, n});
    check_detect(plain, "none", plain);
    check_detect((struct data){(uint8_t *)(uintptr_t) "VC", 2}, "none", (struct data){(uint8_t *)(uintptr_t) "VC", 2});
    ck_assert_int_eq(error.code, 0);
    free(plain.p);
}
END_TEST

START_TEST(envelope_refused)
{
    static const struct {
        uint8_t head[8];
        size_t n;
        int rc;
        uint64_t offset;
    } cases[] = {
        {{'V', 'K', 'C', 'S', 1, 1, 0, 1}, 8, RSP_EUNSUPPORTED, 0},
        {{'V', 'C', 'S', 2, 1, 0, 1, 0}, 8, RSP_EUNSUPPORTED, 3},
        {{'V', 'C', 'S', 1, 0, 0, 1, 0}, 8, RSP_EUNSUPPORTED, 4},
        {{'V', 'C', 'S', 1, 3, 0, 1, 0}, 8, RSP_EUNSUPPORTED, 4},
        {{'V', 'C', 'S', 1, 1, 1, 1, 0}, 8, RSP_EUNSUPPORTED, 5},
        {{'V', 'C', 'S', 1, 1, 0, 2, 0}, 8, RSP_EUNSUPPORTED, 6},
        {{'V', 'C', 'S', 1, 1, 0, 0, 0}, 6, RSP_ETRUNCATED, 6},
        {{'V', 'C', 'S', 0, 0, 0, 0, 0}, 3, RSP_ETRUNCATED, 3},
    };
    const char *codec;
    struct data out;
    int rc;
    ck_assert_int_eq(detect((struct data){(uint8_t *)(uintptr_t)cases[_i].head, cases[_i].n}, &codec, &out, &rc),
                     cases[_i].rc);
    ck_assert_int_eq(error.code, cases[_i].rc);
    ck_assert_uint_eq(error.offset, cases[_i].offset);
    free(out.p);
}
END_TEST

struct drip { /* gives one byte, then nothing for now, and so on */
    struct data d;
    size_t at;
    int pause;
};

static int drip_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct drip *c = opaque;
    (void)cap;
    if (c->at == c->d.n) return RSP_END;
    c->pause = !c->pause;
    if (c->pause) return RSP_AGAIN;
    *out = c->d.p[c->at++];
    *got = 1;
    return RSP_OK;
}

/* Nothing is lost and nothing is decided too early when bytes come one by one. */
START_TEST(detected_again)
{
    static const struct rsp_source_ops ops = {sizeof ops, drip_read, NULL};
    uint8_t head[7] = {'V', 'C', 'S', 1, 1, 0, 1};
    struct data plain = data_plain(3000, 7), packed = data_lz4(plain), out = {malloc(4000), 0};
    struct drip c = {data_join((struct data){head, 7}, packed), 0, 0};
    struct rsp_source *inner, *s;
    const char *codec;
    int rc, again = 0;
    size_t k;
    ck_assert_int_eq(rsp_source_custom(&env, &ops, &c, "drip", &inner), RSP_OK);
    while ((rc = rsp_source_detect(&env, inner, &s, &codec)) == RSP_AGAIN) again++;
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_ge(again, 7);
    ck_assert_str_eq(codec, "vcs+lz4");
    while ((rc = rsp_source_read(s, out.p + out.n, 4000 - out.n, &k)) != RSP_END) {
        ck_assert_int_ge(rc, 0);
        if (rc == RSP_OK) out.n += k;
    }
    ck_assert_uint_eq(out.n, plain.n);
    ck_assert_mem_eq(out.p, plain.p, plain.n);
    ck_assert_uint_eq(rsp_source_taken(s), c.d.n);
    rsp_source_free(s);
    free(out.p);
    free(c.d.p);
    free(packed.p);
    free(plain.p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pack");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, garbage, 0, 3);
    tcase_add_loop_test(t, not_its_own, 0, 3);
    tcase_add_loop_test(t, flipped_bits, 0, 3);
    tcase_add_test(t, gzip_padding);
    tcase_add_loop_test(t, expansion, 0, 3);
    tcase_add_test(t, window_limit);
    tcase_add_loop_test(t, levels, 0, 5);
    tcase_add_test(t, detected);
    tcase_add_loop_test(t, envelope_refused, 0, 8);
    tcase_add_test(t, detected_again);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
