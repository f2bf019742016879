/* What this is: attacks on sealed objects: bytes flipped, cut, swapped, spliced; tables and frames forged with the key.
 * Rests on: libcheck, object_test.h, libzstd.
 * Does not: test what is whole: test_object.c does. */
#include "object_test.h"

#include <stdio.h>
#include <zstd.h>

#include "base/bytes.h"

static uint8_t plain[70000];

static void setup(void)
{
    fresh_env();
}

/* The status of opening everything; a fault must have left words, subject and offset. */
static int opens(const struct object_expect *x, const uint8_t *key, const uint8_t *p, size_t n)
{
    struct buf out;
    int rc;
    rsp_error_clear(&error);
    buf_init(&out, &env);
    rc = open_all(x, key, p, n, &out);
    buf_free(&out);
    nothing_left();
    ck_assert_int_eq(error.code, rc);
    if (rc) ck_assert(error.message[0] && error.has_offset && !strncmp(error.subject, "object", 6));
    return rc;
}

/* A copy, so that the test may change it; freed with free. */
static uint8_t *one_object(const struct object_writer_options *o, const uint8_t *key, size_t n, size_t step,
                           size_t *size, struct object_done *done)
{
    struct made m;
    uint8_t *p;
    made_init(&m);
    ck_assert_int_eq(make(o, key, plain, n, step, 1, &m), RSP_OK);
    ck_assert_uint_eq(m.n, 1);
    p = malloc(m.o[0].n);
    ck_assert_ptr_nonnull(p);
    memcpy(p, m.o[0].p, m.o[0].n);
    *size = m.o[0].n;
    if (done) *done = m.done[0];
    made_free(&m);
    nothing_left();
    return p;
}

static void flip_all(const struct object_writer_options *o, const uint8_t *key)
{
    size_t n;
    uint8_t *p = one_object(o, key, 300, 100, &n, NULL);
    struct object_expect x = expect_of(n);
    ck_assert_int_eq(opens(&x, key, p, n), RSP_OK);
    x.lineage = x.epoch = NULL; /* with the least that can be known */
    for (size_t i = 0; i < n; i++)
        for (unsigned bit = 0; bit < 8; bit += 7) {
            p[i] ^= (uint8_t)(1u << bit);
            ck_assert_int_eq(opens(&x, key, p, n), RSP_EINTEGRITY);
            p[i] ^= (uint8_t)(1u << bit);
        }
    ck_assert_int_eq(opens(&x, key, p, n), RSP_OK);
    free(p);
}

START_TEST(every_byte_flipped)
{
    struct object_writer_options o = small_options();
    flip_all(&o, secret_key);
    o.head.codec = CODEC_STORED;
    flip_all(&o, secret_key);
    o.head.suite = SUITE_NONE;
    flip_all(&o, zero_key);
    o.head.codec = CODEC_ZSTD;
    flip_all(&o, zero_key);
}
END_TEST

START_TEST(every_cut)
{
    struct object_writer_options o = small_options();
    size_t n;
    uint8_t *p = one_object(&o, secret_key, 300, 100, &n, NULL);
    struct object_expect x = expect_of(n);
    struct buf out;
    buf_init(&out, &env);
    for (size_t k = 0; k < n; k++) {
        x.stored = k; /* nobody knew how long it was */
        ck_assert_int_eq(opens(&x, secret_key, p, k), RSP_EINTEGRITY);
        x.stored = n; /* it was known */
        rsp_error_clear(&error);
        ck_assert_int_eq(object_open_small(&env, &x, "object", secret_key, (struct rsp_span){p, k}, 1000, &out),
                         RSP_EINTEGRITY);
        ck_assert_uint_eq(out.n, 0);
    }
    /* from the front, and with bytes behind */
    for (size_t k = 1; k < n; k++) {
        x.stored = n - k;
        ck_assert_int_eq(opens(&x, secret_key, p + k, n - k), RSP_EINTEGRITY);
    }
    p = realloc(p, n + 1);
    p[n] = 0;
    x.stored = n + 1;
    ck_assert_int_eq(opens(&x, secret_key, p, n + 1), RSP_EINTEGRITY);
    free(p);
}
END_TEST

START_TEST(a_large_one_cut_or_flipped)
{
    struct object_writer_options o = small_options();
    size_t n;
    uint8_t *p;
    struct object_expect x;
    o.object_plain = 0;
    o.head.codec = CODEC_STORED;
    p = one_object(&o, secret_key, sizeof plain, 4096, &n, NULL);
    ck_assert_uint_gt(n, 65536);
    x = expect_of(n);
    ck_assert_int_eq(opens(&x, secret_key, p, n), RSP_OK);
    for (size_t i = 0; i < n; i += i < 104 || i + 300 > n ? 1 : 997) {
        p[i] ^= 0x10;
        ck_assert_int_eq(opens(&x, secret_key, p, n), RSP_EINTEGRITY);
        p[i] ^= 0x10;
    }
    for (size_t k = n - 100; k < n; k++) {
        x.stored = k;
        ck_assert_int_eq(opens(&x, secret_key, p, k), RSP_EINTEGRITY);
    }
    free(p);
}
END_TEST

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    for (; n; n--, a++, b++) {
        uint8_t t = *a;
        *a = *b, *b = t;
    }
}

START_TEST(each_pair_of_chunks_swapped)
{
    for (int suite = SUITE_NONE; suite <= SUITE_CHACHA; suite++) {
        struct object_writer_options o = small_options();
        const uint8_t *key = suite ? secret_key : zero_key;
        size_t n, each = 100 + TAG_BYTES;
        uint8_t *p;
        struct object_expect x;
        o.head.suite = (uint8_t)suite;
        o.head.codec = CODEC_STORED;
        p = one_object(&o, key, 600, 100, &n, NULL);
        x = expect_of(n);
        for (size_t a = 0; a < 6; a++)
            for (size_t b = a + 1; b < 6; b++) {
                swap(p + 104 + a * each, p + 104 + b * each, each);
                ck_assert_int_eq(opens(&x, key, p, n), RSP_EINTEGRITY);
                ck_assert(strstr(error.message, "chunk"));
                ck_assert_uint_eq(error.offset, 104 + a * each);
                swap(p + 104 + a * each, p + 104 + b * each, each);
            }
        ck_assert_int_eq(opens(&x, key, p, n), RSP_OK);
        free(p);
    }
}
END_TEST

START_TEST(parts_of_another_object)
{
    struct object_writer_options o = small_options();
    struct object_done done[2];
    size_t n, n2;
    uint8_t *a, *b;
    struct object_expect x;
    o.head.codec = CODEC_STORED; /* of the same shape, under the same epoch key */
    a = one_object(&o, secret_key, 300, 100, &n, &done[0]);
    b = one_object(&o, secret_key, 300, 100, &n2, &done[1]);
    ck_assert_uint_eq(n, n2);
    x = expect_of(n);
    x.object = done[0].object;
    ck_assert_int_eq(opens(&x, secret_key, a, n), RSP_OK);
    ck_assert_int_eq(opens(&x, secret_key, b, n), RSP_EINTEGRITY); /* whole, but the other */
    x.object = NULL;
    x.table_hash = done[0].table_hash;
    ck_assert_int_eq(opens(&x, secret_key, b, n), RSP_EINTEGRITY);
    x.table_hash = NULL;
    ck_assert_int_eq(opens(&x, secret_key, b, n), RSP_OK);
    swap(a, b, 104); /* header */
    ck_assert_int_eq(opens(&x, secret_key, a, n), RSP_EINTEGRITY);
    swap(a, b, 104);
    swap(a + 104, b + 104, 116); /* a chunk in the same place */
    ck_assert_int_eq(opens(&x, secret_key, a, n), RSP_EINTEGRITY);
    swap(a + 104, b + 104, 116);
    swap(a + 104 + 3 * 116, b + 104 + 3 * 116, n - 104 - 3 * 116 - 24); /* table */
    ck_assert_int_eq(opens(&x, secret_key, a, n), RSP_EINTEGRITY);
    free(a);
    free(b);
}
END_TEST

START_TEST(not_what_was_expected)
{
    struct object_writer_options o = small_options();
    size_t n;
    uint8_t *p = one_object(&o, secret_key, 300, 100, &n, NULL);
    struct object_expect x = expect_of(n);
    ck_assert_int_eq(opens(&x, other_key, p, n), RSP_EINTEGRITY);
    ck_assert_int_eq(opens(&x, zero_key, p, n), RSP_EINTEGRITY);
    x.kind = OBJECT_MANIFEST;
    ck_assert_int_eq(opens(&x, secret_key, p, n), RSP_EINTEGRITY);
    x = expect_of(n);
    x.lineage = zero_key;
    ck_assert_int_eq(opens(&x, secret_key, p, n), RSP_EINTEGRITY);
    x = expect_of(n);
    x.epoch = zero_key;
    ck_assert_int_eq(opens(&x, secret_key, p, n), RSP_EINTEGRITY);
    x = expect_of(n);
    x.plain = 299;
    ck_assert_int_eq(opens(&x, secret_key, p, n), RSP_EINTEGRITY);
    x.plain = 300;
    ck_assert_int_eq(opens(&x, secret_key, p, n), RSP_OK);
    free(p);
}
END_TEST

/* ---- forged by one who holds the key ---- */

struct forged {
    uint8_t c[1000]; /* the chunk as compressed */
    size_t n;
    uint32_t plain; /* as the table claims */
    int final;
};

static uint8_t object_key[KEY_BYTES];

/* Header changed by the caller (p[0..72) and items), then committed again. */
static void commit_head(uint8_t *p, size_t n)
{
    keyed256(object_key, secret_key, p, n - 32);
    keyed256(p + n - 32, object_key, "commit", 6);
}

/* An object of those chunks; table and items replace what belongs there when they are not NULL. */
static size_t forge(uint8_t *out, int codec, const struct forged *chunks, uint32_t chunks_n,
                    const struct rsp_span *table, const struct rsp_span *items)
{
    struct object_head h = small_options().head;
    uint8_t own[1000], nonce[12] = {0}, *t;
    struct buf head;
    size_t at = 104, own_n = 4, plain_at = 0;
    uint64_t table_at;
    h.codec = (uint8_t)codec;
    buf_init(&head, &env);
    ck_assert_int_eq(object_head_write(&h, secret_key, &head, object_key), RSP_OK);
    memcpy(out, head.p, 104);
    buf_free(&head);
    store_le32(own, chunks_n);
    for (uint32_t i = 0; i < chunks_n; i++) {
        memset(nonce, 0, sizeof nonce);
        nonce[0] = (uint8_t)i;
        nonce[8] = (uint8_t)chunks[i].final;
        aead_seal(out + at, chunks[i].c, chunks[i].n, nonce, object_key);
        store_le64(own + own_n, plain_at);
        store_le32(own + own_n + 8, chunks[i].plain);
        store_le32(own + own_n + 12, (uint32_t)chunks[i].n + TAG_BYTES);
        own[own_n + 16] = 0;
        own_n += 17;
        at += chunks[i].n + TAG_BYTES;
        plain_at += chunks[i].plain;
    }
    table_at = at;
    memset(nonce, 0, sizeof nonce);
    nonce[9] = 1;
    t = out + at;
    if (table) memcpy(t, table->p, table->n);
    else memcpy(t, own, own_n);
    if (table) own_n = table->n;
    aead_seal(t, t, own_n, nonce, object_key);
    at += own_n + TAG_BYTES;
    if (items) memcpy(out + at, items->p, items->n);
    if (items) at += items->n;
    store_le64(out + at, table_at);
    store_le32(out + at + 8, (uint32_t)own_n + TAG_BYTES);
    store_le32(out + at + 12, items ? (uint32_t)items->n : 0);
    memcpy(out + at + 16, "RSPEND1\n", 8);
    return at + 24;
}

static void pack_chunk(struct forged *f, const uint8_t *p, size_t n, int final)
{
    f->n = ZSTD_compress(f->c, sizeof f->c, p, n, 3);
    ck_assert(!ZSTD_isError(f->n));
    f->plain = (uint32_t)n;
    f->final = final;
}

static uint8_t forged_bytes[20000];

static int opens_forged(int codec, const struct forged *chunks, uint32_t n, const struct rsp_span *table,
                        const struct rsp_span *items)
{
    size_t size = forge(forged_bytes, codec, chunks, n, table, items);
    struct object_expect x = expect_of(size);
    return opens(&x, secret_key, forged_bytes, size);
}

START_TEST(final_flags)
{
    struct forged f[3];
    for (int i = 0; i < 3; i++) pack_chunk(&f[i], plain + 100 * i, 100, i == 2);
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 3, NULL, NULL), RSP_OK);
    f[2].final = 0;
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 3, NULL, NULL), RSP_EINTEGRITY);
    f[2].final = f[1].final = 1;
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 3, NULL, NULL), RSP_EINTEGRITY);
    ck_assert(strstr(error.message, "chunk 1 (plaintext 100 to 200)"));
    f[1].final = 0; /* a table that leaves out the last chunk, or the bytes of it */
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 2, NULL, NULL), RSP_EINTEGRITY);
}
END_TEST

START_TEST(frames)
{
    struct forged f[1];
    ZSTD_CCtx *c = ZSTD_createCCtx();
    pack_chunk(f, plain, 100, 1);
    f->plain = 99;
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, NULL), RSP_EINTEGRITY);
    f->plain = 101;
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, NULL), RSP_EINTEGRITY);
    f->plain = 0;
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, NULL), RSP_EINTEGRITY);
    f->plain = 4097; /* above the largest chunk */
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, NULL), RSP_EINTEGRITY);
    pack_chunk(f, plain, 100, 1); /* without its content size */
    ZSTD_CCtx_setParameter(c, ZSTD_c_contentSizeFlag, 0);
    f->n = ZSTD_compress2(c, f->c, sizeof f->c, plain, 100);
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, NULL), RSP_EINTEGRITY);
    pack_chunk(f, plain, 100, 1); /* a second frame, empty, and a skippable one */
    f->n += ZSTD_compress(f->c + f->n, sizeof f->c - f->n, plain, 0, 3);
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, NULL), RSP_EINTEGRITY);
    memcpy(f->c, "\x50\x2a\x4d\x18\0\0\0\0", 8);
    f->n = 8, f->plain = 0;
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, NULL), RSP_EINTEGRITY);
    f->n = 0; /* nothing at all */
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, NULL), RSP_EINTEGRITY);
    ck_assert_int_eq(opens_forged(CODEC_STORED, f, 1, NULL, NULL), RSP_OK);
    f->n = 4, f->plain = 5;
    ck_assert_int_eq(opens_forged(CODEC_STORED, f, 1, NULL, NULL), RSP_EINTEGRITY);
    ZSTD_freeCCtx(c);
}
END_TEST

START_TEST(tables)
{
    /* what stands at which place of the table instead, in a table of two chunks, 4 + 17 + 17 bytes */
    static const struct {
        size_t at;
        const char *bytes;
        size_t n;
    } changes[] = {
        {0, "\0\0\0\0", 4},
        {0, "\1\0\0\0", 4},
        {0, "\3\0\0\0", 4},
        {0, "\1\0\1\0", 4},
        {0, "\xff\xff\xff\xff", 4},
        {4, "\1", 1},
        {21, "\x65", 1},
        {21, "\x63", 1},
        {28, "\x80", 1},
        {12, "\0\0", 2},
        {12, "\1\x10", 2},
        {12, "\xff\xff\xff\xff", 4},
        {29, "\0\0", 2},
        {29, "\xff\xff\xff\xff", 4},
        {16, "\0\0\0\0", 4},
        {16, "\xff\xff\xff\xff", 4},
        {16, "\x0f\0\0\0", 4},
        {33, "\xff\xff\xff\x7f", 4},
        {20, "\x41", 1},
        {20, "\1", 1},
        {37, "\1", 1},
        {37, "\xff", 1},
    };
    struct forged f[2];
    uint8_t good[80], bad[80];
    struct rsp_span table = {bad, 38};
    for (int i = 0; i < 2; i++) pack_chunk(&f[i], plain + 100 * i, 100, i == 1);
    memset(good, 0, sizeof good);
    good[0] = 2;
    store_le32(good + 12, 100);
    store_le32(good + 16, (uint32_t)f[0].n + TAG_BYTES);
    store_le64(good + 21, 100);
    store_le32(good + 29, 100);
    store_le32(good + 33, (uint32_t)f[1].n + TAG_BYTES);
    memcpy(bad, good, sizeof bad);
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 2, &table, NULL), RSP_OK);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        memcpy(bad, good, sizeof bad);
        memcpy(bad + changes[i].at, changes[i].bytes, changes[i].n);
        ck_assert_msg(opens_forged(CODEC_ZSTD, f, 2, &table, NULL) == RSP_EINTEGRITY, "change %zu", i);
    }
    memcpy(bad, good, sizeof bad);
    for (table.n = 0; table.n < 38; table.n++)
        ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 2, &table, NULL), RSP_EINTEGRITY);
    table.n = 39; /* a byte behind that is no item */
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 2, &table, NULL), RSP_EINTEGRITY);
    table.n = 44;
    bad[38] = 9; /* an item that may be passed over */
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 2, &table, NULL), RSP_OK);
    bad[39] = 0x80; /* one that may not */
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 2, &table, NULL), RSP_EUNSUPPORTED);
}
END_TEST

START_TEST(a_claim_of_many_chunks_allocates_nothing)
{
    struct forged f[1];
    uint8_t t[21] = {0xff, 0xff};
    struct rsp_span table = {t, sizeof t};
    pack_chunk(f, plain, 100, 1);
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, &table, NULL), RSP_EINTEGRITY);
    ck_assert_int_le(atomic_load(&meter.calls), 3);
}
END_TEST

START_TEST(trailers_and_headers_of_newer_programs)
{
    struct forged f[1];
    struct object_expect x;
    struct rsp_span items = {(const uint8_t *)"\1\0\2\0\0\0sg", 8};
    size_t n;
    uint8_t newer[20000];
    pack_chunk(f, plain, 100, 1);
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, &items), RSP_OK);
    items.n = 7;
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, &items), RSP_EINTEGRITY);
    items = (struct rsp_span){(const uint8_t *)"\1\x80\2\0\0\0sg", 8};
    ck_assert_int_eq(opens_forged(CODEC_ZSTD, f, 1, NULL, &items), RSP_EUNSUPPORTED);
    n = forge(forged_bytes, CODEC_ZSTD, f, 1, NULL, NULL);
    x = expect_of(n);
    for (int i = 0; i < 5; i++) {
        static const size_t at[] = {8, 10, 11, 32, 33};
        memcpy(newer, forged_bytes, n);
        newer[at[i]] = 7;
        ck_assert_int_eq(opens(&x, secret_key, newer, n), RSP_EINTEGRITY); /* without the key: damage */
        commit_head(newer, 104);
        ck_assert_int_eq(opens(&x, secret_key, newer, n), i ? RSP_EUNSUPPORTED : RSP_EVERSION);
    }
    memcpy(newer, forged_bytes, n);
    store_le32(newer + 12, 4095);
    commit_head(newer, 104);
    ck_assert_int_eq(opens(&x, secret_key, newer, n), RSP_EINTEGRITY);
    memcpy(newer, forged_bytes, n); /* suite none under a secret key */
    newer[10] = SUITE_NONE;
    commit_head(newer, 104);
    ck_assert_int_eq(opens(&x, secret_key, newer, n), RSP_EINTEGRITY);
    memcpy(newer, forged_bytes, 72); /* a critical item in the header */
    memcpy(newer + 72, "\1\x80\0\0\0\0", 6);
    newer[34] = 110;
    commit_head(newer, 110);
    memcpy(newer + 110, forged_bytes + 104, n - 104);
    x.stored = n + 6;
    ck_assert_int_eq(opens(&x, secret_key, newer, n + 6), RSP_EUNSUPPORTED);
    newer[73] = 0; /* one that may be passed over: then the rest was sealed under another key */
    commit_head(newer, 110);
    ck_assert_int_eq(opens(&x, secret_key, newer, n + 6), RSP_EINTEGRITY);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {{"flips", every_byte_flipped},
                                       {"cuts", every_cut},
                                       {"large", a_large_one_cut_or_flipped},
                                       {"chunks", each_pair_of_chunks_swapped},
                                       {"splices", parts_of_another_object},
                                       {"expected", not_what_was_expected},
                                       {"final", final_flags},
                                       {"frames", frames},
                                       {"tables", tables},
                                       {"count", a_claim_of_many_chunks_allocates_nothing},
                                       {"newer", trailers_and_headers_of_newer_programs}};
    text(plain, sizeof plain, 2);
    return run_tests("object attacks", tests, sizeof tests / sizeof *tests, setup);
}
