/* What this is: tests of the listpack walker.
 * Rests on: enc/listpack.h, blob_test.h.
 * Does not: measure. */
#include "enc/listpack.h"

#include "unit/enc/blob_test.h"

static int walk(struct rsp_span blob, size_t *seen, struct blob_fault *fault)
{
    struct listpack lp;
    struct entry e;
    int rc = listpack_open(&lp, blob, fault), again;
    if (rc) return rc;
    while ((rc = listpack_next(&lp, &e, fault)) == RSP_OK) {
        look_at(blob, &e);
        ++*seen;
    }
    again = listpack_next(&lp, &e, NULL);
    MUST(again == rc);
    return rc;
}

static void begin(struct blob *b)
{
    memset(b, 0, sizeof *b);
    blob_fill(b, 0, 6);
}

static void finish(struct blob *b, unsigned count)
{
    blob_byte(b, 0xff);
    store_le32(b->p, (uint32_t)b->n);
    b->p[4] = (uint8_t)count, b->p[5] = (uint8_t)(count >> 8);
}

static void add_back(struct blob *b, size_t size, int width)
{
    for (int i = width - 1; i >= 0; i--) blob_byte(b, (unsigned)(size >> 7 * i & 127) | (i == width - 1 ? 0 : 128U));
}

static void add_string_head(struct blob *b, size_t n)
{
    if (n < 64) {
        blob_byte(b, 0x80U | (unsigned)n);
    } else if (n < 4096) {
        blob_byte(b, 0xe0U | (unsigned)(n >> 8));
        blob_byte(b, (unsigned)n & 255);
    } else {
        blob_byte(b, 0xf0);
        for (int i = 0; i < 4; i++) blob_byte(b, (unsigned)(n >> 8 * i) & 255);
    }
}

static void add_element(struct blob *b, const void *bytes, size_t n)
{
    blob_add(b, bytes, n);
    add_back(b, n, 1);
}

#define ADD(b, text) add_element(b, text, sizeof(text) - 1)

START_TEST(worked_example)
{
    static const uint8_t bytes[] = {12, 0, 0, 0, 2, 0, 0x81, 0x66, 2, 1, 1, 0xff};
    struct listpack lp;
    struct entry e;
    char scratch[I64_TEXT];
    struct rsp_span text;
    ck_assert_int_eq(listpack_open(&lp, (struct rsp_span){bytes, sizeof bytes}, NULL), RSP_OK);
    ck_assert_uint_eq(lp.count, 2);
    ck_assert_int_eq(listpack_next(&lp, &e, NULL), RSP_OK);
    ck_assert(!e.is_int && e.n == 1 && e.p == bytes + 7);
    ck_assert_int_eq(listpack_next(&lp, &e, NULL), RSP_OK);
    ck_assert(e.is_int && e.i == 1);
    text = entry_text(&e, scratch);
    ck_assert(text.n == 1 && text.p[0] == '1');
    ck_assert_int_eq(listpack_next(&lp, &e, NULL), RSP_END);
    ck_assert_uint_eq(lp.seen, 2);
    walk_hostile(walk, bytes, sizeof bytes, 1);
}
END_TEST

START_TEST(integers)
{
    static const struct {
        uint8_t n, bytes[9];
        int64_t value;
    } known[] = {
        {1, {0x00}, 0},
        {1, {0x7f}, 127},
        {2, {0xc0, 0x80}, 128},
        {2, {0xdf, 0xff}, -1},
        {2, {0xd0, 0x00}, -4096},
        {2, {0xcf, 0xff}, 4095},
        {3, {0xf1, 0x00, 0x10}, 4096},
        {3, {0xf1, 0x00, 0x80}, -32768},
        {3, {0xf1, 0xff, 0x7f}, 32767},
        {4, {0xf2, 0x00, 0x80, 0x00}, 32768},
        {4, {0xf2, 0, 0, 0x80}, -8388608},
        {4, {0xf2, 0xff, 0xff, 0x7f}, 8388607},
        {4, {0xf2, 0xff, 0xff, 0xff}, -1},
        {5, {0xf3, 0, 0, 0, 0x80}, INT32_MIN},
        {5, {0xf3, 0xff, 0xff, 0xff, 0x7f}, INT32_MAX},
        {9, {0xf4, 0, 0, 0, 0, 0, 0, 0, 0x80}, INT64_MIN},
        {9, {0xf4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct listpack lp;
        struct entry e;
        struct blob b;
        begin(&b);
        add_element(&b, known[i].bytes, known[i].n);
        finish(&b, 1);
        ck_assert_int_eq(listpack_open(&lp, (struct rsp_span){b.p, b.n}, NULL), RSP_OK);
        ck_assert_int_eq(listpack_next(&lp, &e, NULL), RSP_OK);
        ck_assert(e.is_int);
        ck_assert_int_eq(e.i, known[i].value);
        ck_assert_int_eq(listpack_next(&lp, &e, NULL), RSP_END);
        walk_hostile(walk, b.p, b.n, 1);
        blob_free(&b);
    }
}
END_TEST

/* A listpack of one string of n bytes and the integer 5, with a back-length of the given width. Of a
 * long string the bytes stay untouched zero pages. */
static int walk_string(size_t n, int width, unsigned spoil)
{
    struct blob head = {NULL, 0, 0}, back = {NULL, 0, 0};
    struct listpack lp;
    struct entry e;
    size_t total, at;
    uint8_t *p;
    int rc;
    add_string_head(&head, n);
    add_back(&back, head.n + n, width);
    total = 6 + head.n + n + back.n + 3;
    p = calloc(total, 1);
    ck_assert_ptr_nonnull(p);
    store_le32(p, (uint32_t)total);
    p[4] = 2;
    memcpy(p + 6, head.p, head.n);
    at = 6 + head.n + n;
    memcpy(p + at, back.p, back.n);
    p[at] = (uint8_t)(p[at] + spoil);
    at += back.n;
    p[at] = 5, p[at + 1] = 1, p[at + 2] = 0xff;
    ck_assert_int_eq(listpack_open(&lp, (struct rsp_span){p, total}, NULL), RSP_OK);
    rc = listpack_next(&lp, &e, NULL);
    if (rc == RSP_OK) {
        ck_assert(!e.is_int);
        ck_assert_uint_eq(e.n, n);
        ck_assert_ptr_eq(e.p, p + 6 + head.n);
        rc = listpack_next(&lp, &e, NULL);
        ck_assert_int_eq(rc, RSP_OK);
        ck_assert(e.is_int && e.i == 5);
        rc = listpack_next(&lp, &e, NULL);
    }
    free(p);
    blob_free(&head);
    blob_free(&back);
    return rc;
}

START_TEST(string_lengths)
{
    static const struct {
        size_t n;
        int width;
    } known[] = {{0, 1},     {1, 1},       {62, 1},      {63, 1},        {64, 1},       {125, 1},
                 {126, 2},   {300, 2},     {4095, 2},    {4096, 2},      {16377, 2},    {16379, 3},
                 {65536, 3}, {2097145, 3}, {2097147, 4}, {268435449, 4}, {268435451, 5}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        for (int width = 1; width <= 5; width++) {
            int rc = walk_string(known[i].n, width, 0);
            ck_assert_msg(rc == (width == known[i].width ? RSP_END : RSP_EFORMAT), "length %zu width %d gives %d",
                          known[i].n, width, rc);
        }
        ck_assert_int_eq(walk_string(known[i].n, known[i].width, 1), RSP_EFORMAT);
    }
}
END_TEST

/* Sizes 2^14-1, 2^21-1 and 2^28-1, head of five bytes included: either generation's width. */
START_TEST(two_generations)
{
    static const size_t size[] = {16383, 2097151, 268435455};
    for (int i = 0; i < 3; i++) {
        size_t n = size[i] - 5;
        for (int width = 1; width <= 5; width++) {
            int rc = walk_string(n, width, 0);
            ck_assert_msg(rc == (width == i + 2 || width == i + 3 ? RSP_END : RSP_EFORMAT),
                          "size %zu width %d gives %d", size[i], width, rc);
        }
        ck_assert_int_eq(walk_string(n, i + 3, 1), RSP_EFORMAT);
        ck_assert_int_eq(walk_string(n, i + 2, 1), RSP_EFORMAT);
    }
}
END_TEST

START_TEST(back_length_bytes)
{
    static const uint8_t ends[][3] = {{0x00, 0xff, 0xff}, {0x7f, 0xff, 0}};
    for (int k = 0; k < 2; k++) {
        struct blob b;
        size_t at;
        begin(&b);
        add_string_head(&b, 16378);
        blob_fill(&b, 'x', 16378);
        at = b.n;
        blob_add(&b, ends[k], k ? 2 : 3);
        finish(&b, 1);
        walk_is(walk, b.p, b.n, RSP_END);
        for (size_t i = at; i < b.n - 1; i++)
            for (unsigned flip = 1; flip < 256; flip++) {
                b.p[i] ^= (uint8_t)flip;
                walk_is(walk, b.p, b.n, RSP_EFORMAT);
                b.p[i] ^= (uint8_t)flip;
            }
        blob_free(&b);
    }
    struct blob b;
    begin(&b);
    add_string_head(&b, 300);
    blob_fill(&b, 'y', 300);
    blob_add(&b, "\x02\xae", 2);
    finish(&b, 1);
    walk_is(walk, b.p, b.n, RSP_END);
    blob_free(&b);
}
END_TEST

START_TEST(counts)
{
    struct blob b;
    begin(&b);
    ADD(&b, "\x81q");
    ADD(&b, "\x07");
    finish(&b, 2);
    walk_is(walk, b.p, b.n, RSP_END);
    b.p[4] = 3;
    walk_fails(walk, b.p, b.n, 4, "fewer");
    b.p[4] = 1;
    walk_fails(walk, b.p, b.n, 9, "more");
    b.p[4] = 0;
    walk_fails(walk, b.p, b.n, 6, "more");
    b.p[4] = b.p[5] = 0xff;
    walk_is(walk, b.p, b.n, RSP_END);
    b.p[4] = 0xfe;
    walk_fails(walk, b.p, b.n, 4, "fewer");
    blob_free(&b);
    begin(&b);
    for (int i = 0; i < 70000; i++) ADD(&b, "\x07");
    finish(&b, LISTPACK_UNKNOWN);
    walk_is(walk, b.p, b.n, RSP_END);
    b.p[4] = 0x70, b.p[5] = 0x11; /* 70000 modulo 65536 */
    walk_fails(walk, b.p, b.n, 6 + 2 * 0x1170, "more");
    blob_free(&b);
}
END_TEST

START_TEST(empty)
{
    static const uint8_t bytes[] = {7, 0, 0, 0, 0, 0, 0xff};
    walk_is(walk, bytes, sizeof bytes, RSP_END);
    walk_hostile(walk, bytes, sizeof bytes, 1);
}
END_TEST

START_TEST(faults)
{
    struct blob b;
    for (unsigned c = 0xf5; c <= 0xfe; c++) {
        begin(&b);
        ADD(&b, "\x07");
        blob_byte(&b, c);
        blob_byte(&b, 1);
        finish(&b, 2);
        walk_fails(walk, b.p, b.n, 8, "not an encoding");
        blob_free(&b);
    }
    begin(&b);
    ADD(&b, "\x07");
    blob_byte(&b, 0xff);
    ADD(&b, "\x07");
    finish(&b, 2);
    walk_fails(walk, b.p, b.n, 8, "end byte");
    b.p[8] = 0xbf; /* a string of 63 */
    walk_fails(walk, b.p, b.n, 8, "reaches past");
    b.p[7] = 2;
    walk_fails(walk, b.p, b.n, 7, "back-length");
    store_le32(b.p, (uint32_t)b.n + 1);
    walk_fails(walk, b.p, b.n, 0, "length");
    store_le32(b.p, (uint32_t)b.n);
    b.p[b.n - 1] = 0xfe;
    walk_fails(walk, b.p, b.n, b.n - 1, "last byte");
    walk_fails(walk, b.p, 6, 0, "shorter");
    blob_free(&b);
    begin(&b); /* lengths near 2^32 */
    blob_add(&b, "\xf0\xff\xff\xff\xff\x01\x02\x03", 8);
    finish(&b, 1);
    walk_fails(walk, b.p, b.n, 6, "reaches past");
    b.p[7] = 0xfb;
    walk_fails(walk, b.p, b.n, 6, "reaches past");
    blob_free(&b);
    begin(&b); /* the element fills all: no room for its back-length, or for half of it */
    blob_add(&b, "\x81x", 2);
    finish(&b, 1);
    walk_fails(walk, b.p, b.n, 6, "reaches past");
    blob_free(&b);
    begin(&b);
    add_string_head(&b, 300);
    blob_fill(&b, 'y', 300);
    blob_byte(&b, 2);
    finish(&b, 1);
    walk_fails(walk, b.p, b.n, 6 + 302, "back-length reaches past");
    blob_free(&b);
}
END_TEST

START_TEST(hostile)
{
    struct blob b;
    begin(&b);
    ADD(&b, "\x85"
            "hello");
    ADD(&b, "\x7f");
    ADD(&b, "\xc0\x80");
    ADD(&b, "\xf1\x00\x10");
    ADD(&b, "\xf2\x00\x80\x01");
    ADD(&b, "\xf3\x00\x80\x01\x02");
    ADD(&b, "\xf4\x00\x80\x01\x02\x03\x04\x05\x06");
    ADD(&b, "\x80");
    ADD(&b, "\xf0\x03\0\0\0abc"); /* a wide head for a short string is legal */
    add_string_head(&b, 130);
    blob_fill(&b, 'z', 130);
    add_back(&b, 132, 2);
    finish(&b, 10);
    walk_is(walk, b.p, b.n, RSP_END);
    walk_hostile(walk, b.p, b.n, 1);
    b.p[4] = b.p[5] = 0xff;
    walk_hostile(walk, b.p, b.n, 1);
    blob_free(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {worked_example, integers, string_lengths, two_generations, back_length_bytes,
                                  counts,         empty,    faults,         hostile};
    return run_tests("listpack", tests, sizeof tests / sizeof *tests);
}
