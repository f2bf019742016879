/* What this is: tests of the ziplist walker.
 * Rests on: enc/ziplist.h, blob_test.h.
 * Does not: measure. */
#include "enc/ziplist.h"

#include "unit/enc/blob_test.h"

static int walk(struct rsp_span blob, size_t *seen, struct blob_fault *fault)
{
    struct ziplist zl;
    struct entry e;
    int rc = ziplist_open(&zl, blob, fault), again;
    if (rc) return rc;
    while ((rc = ziplist_next(&zl, &e, fault)) == RSP_OK) {
        look_at(blob, &e);
        ++*seen;
    }
    again = ziplist_next(&zl, &e, NULL);
    MUST(again == rc);
    return rc;
}

struct maker {
    struct blob b;
    size_t previous, last;
    unsigned count;
};

static void begin(struct maker *m)
{
    memset(m, 0, sizeof *m);
    blob_fill(&m->b, 0, 10);
    m->last = 10;
}

static void add_prevlen(struct maker *m, int wide)
{
    m->last = m->b.n;
    if (m->previous < 254 && !wide) {
        blob_byte(&m->b, (unsigned)m->previous);
    } else {
        blob_byte(&m->b, 254);
        for (int i = 0; i < 4; i++) blob_byte(&m->b, (unsigned)(m->previous >> 8 * i) & 255);
    }
}

/* head: encoding and what follows it; then fill bytes more. */
static void add_entry(struct maker *m, const void *head, size_t n, size_t fill, int wide)
{
    add_prevlen(m, wide);
    blob_add(&m->b, head, n);
    blob_fill(&m->b, 'f', fill);
    m->previous = m->b.n - m->last;
    m->count++;
}

static void finish(struct maker *m)
{
    blob_byte(&m->b, 0xff);
    store_le32(m->b.p, (uint32_t)m->b.n);
    store_le32(m->b.p + 4, (uint32_t)m->last);
    if (m->count > 65535) m->count = 65535;
    m->b.p[8] = (uint8_t)m->count, m->b.p[9] = (uint8_t)(m->count >> 8);
}

#define ADD(m, text) add_entry(m, text, sizeof(text) - 1, 0, 0)

START_TEST(worked_example)
{
    static const uint8_t bytes[] = {15, 0, 0, 0, 12, 0, 0, 0, 2, 0, 0, 0xf3, 2, 0xf6, 0xff};
    struct ziplist zl;
    struct entry e;
    ck_assert_int_eq(ziplist_open(&zl, (struct rsp_span){bytes, sizeof bytes}, NULL), RSP_OK);
    ck_assert_uint_eq(zl.count, 2);
    ck_assert_int_eq(ziplist_next(&zl, &e, NULL), RSP_OK);
    ck_assert(e.is_int && e.i == 2);
    ck_assert_int_eq(ziplist_next(&zl, &e, NULL), RSP_OK);
    ck_assert(e.is_int && e.i == 5);
    ck_assert_int_eq(ziplist_next(&zl, &e, NULL), RSP_END);
    walk_hostile(walk, bytes, sizeof bytes, 1);
}
END_TEST

START_TEST(integers)
{
    static const struct {
        uint8_t n, bytes[9];
        int64_t value;
    } known[] = {
        {1, {0xf1}, 0},
        {1, {0xfd}, 12},
        {2, {0xfe, 13}, 13},
        {2, {0xfe, 0x7f}, 127},
        {2, {0xfe, 0x80}, -128},
        {2, {0xfe, 0xff}, -1},
        {3, {0xc0, 0x00, 0x80}, -32768},
        {3, {0xc0, 0xff, 0x7f}, 32767},
        {4, {0xf0, 0, 0, 0x80}, -8388608},
        {4, {0xf0, 0xff, 0xff, 0x7f}, 8388607},
        {4, {0xf0, 1, 2, 3}, 0x030201},
        {5, {0xd0, 0, 0, 0, 0x80}, INT32_MIN},
        {5, {0xd0, 0xff, 0xff, 0xff, 0x7f}, INT32_MAX},
        {9, {0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80}, INT64_MIN},
        {9, {0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct ziplist zl;
        struct entry e;
        struct maker m;
        begin(&m);
        add_entry(&m, known[i].bytes, known[i].n, 0, 0);
        finish(&m);
        ck_assert_int_eq(ziplist_open(&zl, (struct rsp_span){m.b.p, m.b.n}, NULL), RSP_OK);
        ck_assert_int_eq(ziplist_next(&zl, &e, NULL), RSP_OK);
        ck_assert(e.is_int);
        ck_assert_int_eq(e.i, known[i].value);
        ck_assert_int_eq(ziplist_next(&zl, &e, NULL), RSP_END);
        walk_hostile(walk, m.b.p, m.b.n, 1);
        blob_free(&m.b);
    }
}
END_TEST

START_TEST(strings)
{
    static const size_t lengths[] = {0, 1, 63, 64, 250, 251, 252, 253, 254, 300, 16383, 16384, 70000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i], heads = n < 64 ? 1 : n < 16384 ? 2 : 5;
        uint8_t head[5] = {(uint8_t)n};
        struct ziplist zl;
        struct entry e;
        struct maker m;
        if (heads == 2) head[0] = (uint8_t)(0x40 | n >> 8), head[1] = (uint8_t)n;
        if (heads == 5) {
            head[0] = 0x80;
            for (int k = 0; k < 4; k++) head[1 + k] = (uint8_t)(n >> (24 - 8 * k));
        }
        begin(&m);
        add_entry(&m, head, heads, n, 0);
        ADD(&m, "\x03"
                "abc"); /* its prevlen has five bytes from 254 on */
        finish(&m);
        ck_assert_int_eq(ziplist_open(&zl, (struct rsp_span){m.b.p, m.b.n}, NULL), RSP_OK);
        ck_assert_int_eq(ziplist_next(&zl, &e, NULL), RSP_OK);
        ck_assert(!e.is_int && e.n == n && e.p == m.b.p + 11 + heads);
        ck_assert_int_eq(ziplist_next(&zl, &e, NULL), RSP_OK);
        ck_assert(e.n == 3 && !memcmp(e.p, "abc", 3));
        ck_assert_int_eq(ziplist_next(&zl, &e, NULL), RSP_END);
        walk_is(walk, m.b.p, m.b.n, RSP_END);
        blob_free(&m.b);
    }
}
END_TEST

START_TEST(wide_prevlen)
{
    struct maker m;
    begin(&m); /* five bytes for a small value are legal, at the first entry too */
    add_entry(&m, "\x01y", 2, 0, 1);
    add_entry(&m, "\x01z", 2, 0, 1);
    ADD(&m, "\xf4");
    finish(&m);
    walk_is(walk, m.b.p, m.b.n, RSP_END);
    walk_hostile(walk, m.b.p, m.b.n, 1);
    m.b.p[18]++; /* second entry: 10 + 7 = 17 is its 0xFE */
    walk_fails(walk, m.b.p, m.b.n, 17, "entry before");
    blob_free(&m.b);
    begin(&m);
    add_entry(&m, "\x40\xff", 2, 255, 0);
    add_entry(&m, "\x42\x01", 2, 513, 0);
    ADD(&m, "\xc0\x01\x02");
    finish(&m);
    walk_is(walk, m.b.p, m.b.n, RSP_END);
    m.b.p[10 + 258 + 2]++;
    walk_fails(walk, m.b.p, m.b.n, 268, "entry before");
    blob_free(&m.b);
}
END_TEST

START_TEST(counts_and_tail)
{
    struct maker m;
    begin(&m);
    ADD(&m, "\x01y");
    ADD(&m, "\xf4");
    finish(&m);
    walk_is(walk, m.b.p, m.b.n, RSP_END);
    m.b.p[8] = 3;
    walk_fails(walk, m.b.p, m.b.n, 8, "fewer");
    m.b.p[8] = 1;
    walk_fails(walk, m.b.p, m.b.n, 13, "more");
    m.b.p[8] = m.b.p[9] = 0xff;
    walk_is(walk, m.b.p, m.b.n, RSP_END);
    m.b.p[4] = 10;
    walk_fails(walk, m.b.p, m.b.n, 4, "last entry");
    m.b.p[4] = 9;
    walk_fails(walk, m.b.p, m.b.n, 4, "outside");
    m.b.p[4] = (uint8_t)m.b.n;
    walk_fails(walk, m.b.p, m.b.n, 4, "outside");
    blob_free(&m.b);
    begin(&m);
    for (int i = 0; i < 66000; i++) ADD(&m, "\x01y");
    finish(&m);
    ck_assert_uint_eq(m.count, 65535);
    walk_is(walk, m.b.p, m.b.n, RSP_END);
    blob_free(&m.b);
}
END_TEST

START_TEST(empty)
{
    static const uint8_t bytes[] = {11, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0xff};
    walk_is(walk, bytes, sizeof bytes, RSP_END);
    walk_hostile(walk, bytes, sizeof bytes, 1);
}
END_TEST

START_TEST(faults)
{
    struct maker m;
    for (unsigned c = 0xc1; c <= 0xff; c++) {
        uint8_t head = (uint8_t)c;
        if (c == 0xd0 || c == 0xe0 || (c >= 0xf0 && c <= 0xfe)) continue;
        begin(&m);
        ADD(&m, "\xf4");
        add_entry(&m, &head, 1, 12, 0);
        finish(&m);
        walk_fails(walk, m.b.p, m.b.n, 13, "not an encoding");
        blob_free(&m.b);
    }
    begin(&m);
    ADD(&m, "\xf4");
    ADD(&m, "\x3f"
            "ab");
    finish(&m);
    walk_fails(walk, m.b.p, m.b.n, 12, "reaches past");
    m.b.p[12] = 0xff;
    walk_fails(walk, m.b.p, m.b.n, 12, "end byte");
    m.b.p[12] = 3;
    walk_fails(walk, m.b.p, m.b.n, 12, "entry before");
    m.b.p[12] = 0xfe; /* five bytes do not fit */
    walk_fails(walk, m.b.p, m.b.n, 12, "reaches past");
    blob_free(&m.b);
    begin(&m);
    ADD(&m, "\x80\xff\xff\xff\xff"
            "abcd");
    finish(&m);
    walk_fails(walk, m.b.p, m.b.n, 10, "reaches past");
    m.b.p[0]++;
    walk_fails(walk, m.b.p, m.b.n, 0, "length");
    m.b.p[0]--;
    m.b.p[m.b.n - 1] = 0;
    walk_fails(walk, m.b.p, m.b.n, m.b.n - 1, "last byte");
    walk_fails(walk, m.b.p, 10, 0, "shorter");
    blob_free(&m.b);
    begin(&m); /* a prevlen with nothing behind it */
    blob_byte(&m.b, 0);
    m.count = 1;
    finish(&m);
    walk_fails(walk, m.b.p, m.b.n, 10, "reaches past");
    blob_free(&m.b);
}
END_TEST

START_TEST(wrong_prevlen)
{
    struct maker m;
    begin(&m);
    ADD(&m, "\x02"
            "ab");
    ADD(&m, "\x03"
            "cde");
    ADD(&m, "\xf4");
    finish(&m);
    walk_is(walk, m.b.p, m.b.n, RSP_END);
    for (unsigned v = 0; v < 255; v++) {
        m.b.p[14] = (uint8_t)v;
        if (v != 4) walk_is(walk, m.b.p, m.b.n, RSP_EFORMAT);
    }
    m.b.p[14] = 5;
    walk_fails(walk, m.b.p, m.b.n, 14, "entry before");
    m.b.p[14] = 4;
    m.b.p[10] = 1;
    walk_fails(walk, m.b.p, m.b.n, 10, "entry before");
    blob_free(&m.b);
}
END_TEST

START_TEST(hostile)
{
    struct maker m;
    begin(&m);
    ADD(&m, "\x05"
            "hello");
    ADD(&m, "\xf4");
    ADD(&m, "\xfe\x80");
    ADD(&m, "\xc0\x00\x10");
    ADD(&m, "\xf0\x00\x80\x01");
    ADD(&m, "\xd0\x00\x80\x01\x02");
    ADD(&m, "\xe0\x00\x80\x01\x02\x03\x04\x05\x06");
    ADD(&m, "\0");
    ADD(&m, "\x80\0\0\0\x03"
            "abc"); /* a wide head for a short string is legal */
    add_entry(&m, "\x41\x04", 2, 260, 0);
    ADD(&m, "\x01z");
    finish(&m);
    walk_is(walk, m.b.p, m.b.n, RSP_END);
    walk_hostile(walk, m.b.p, m.b.n, 1);
    m.b.p[8] = m.b.p[9] = 0xff;
    walk_hostile(walk, m.b.p, m.b.n, 1);
    blob_free(&m.b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {worked_example, integers, strings,       wide_prevlen, counts_and_tail,
                                  empty,          faults,   wrong_prevlen, hostile};
    return run_tests("ziplist", tests, sizeof tests / sizeof *tests);
}
