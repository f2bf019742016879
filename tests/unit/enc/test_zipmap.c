/* What this is: tests of the zipmap walker.
 * Rests on: enc/zipmap.h, blob_test.h.
 * Does not: measure. */
#include "enc/zipmap.h"

#include "unit/enc/blob_test.h"

static int walk(struct rsp_span blob, size_t *seen, struct blob_fault *fault)
{
    struct zipmap zm;
    struct entry field, value;
    int rc = zipmap_open(&zm, blob, fault), again;
    if (rc) return rc;
    while ((rc = zipmap_next(&zm, &field, &value, fault)) == RSP_OK) {
        look_at(blob, &field);
        look_at(blob, &value);
        ++*seen;
    }
    again = zipmap_next(&zm, &field, &value, NULL);
    MUST(again == rc);
    return rc;
}

static void add_length(struct blob *b, size_t n)
{
    if (n < 254) {
        blob_byte(b, (unsigned)n);
        return;
    }
    blob_byte(b, 254);
    for (int i = 0; i < 4; i++) blob_byte(b, (unsigned)(n >> 8 * i) & 255);
}

static void add_pair(struct blob *b, size_t field_n, size_t value_n, size_t unused)
{
    add_length(b, field_n);
    blob_fill(b, 'f', field_n);
    add_length(b, value_n);
    blob_byte(b, (unsigned)unused);
    blob_fill(b, 'v', value_n);
    blob_fill(b, '-', unused);
}

START_TEST(two_pairs)
{
    static const uint8_t bytes[] = "\x02\x03"
                                   "foo\x03\0"
                                   "bar\x05"
                                   "hello\x05\x02"
                                   "world??\xff";
    struct rsp_span blob = {bytes, sizeof bytes - 1};
    struct zipmap zm;
    struct entry f, v;
    ck_assert_int_eq(zipmap_open(&zm, blob, NULL), RSP_OK);
    ck_assert_uint_eq(zm.count, 2);
    ck_assert_int_eq(zipmap_next(&zm, &f, &v, NULL), RSP_OK);
    ck_assert(f.n == 3 && !memcmp(f.p, "foo", 3) && !f.is_int);
    ck_assert(v.n == 3 && !memcmp(v.p, "bar", 3) && !v.is_int);
    ck_assert_int_eq(zipmap_next(&zm, &f, &v, NULL), RSP_OK);
    ck_assert(f.n == 5 && !memcmp(f.p, "hello", 5));
    ck_assert(v.n == 5 && !memcmp(v.p, "world", 5));
    ck_assert_int_eq(zipmap_next(&zm, &f, &v, NULL), RSP_END);
    walk_hostile(walk, blob.p, blob.n, 0);
}
END_TEST

START_TEST(all_lengths)
{
    static const size_t lengths[] = {0, 1, 253, 254, 255, 70000};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 6; k++)
            for (size_t unused = 0; unused < 256; unused += 51) {
                struct blob b = {NULL, 0, 0};
                struct zipmap zm;
                struct entry f, v;
                blob_byte(&b, 2);
                add_pair(&b, lengths[i], lengths[k], unused);
                add_pair(&b, 1, 1, 0);
                blob_byte(&b, 0xff);
                ck_assert_int_eq(zipmap_open(&zm, (struct rsp_span){b.p, b.n}, NULL), RSP_OK);
                ck_assert_int_eq(zipmap_next(&zm, &f, &v, NULL), RSP_OK);
                ck_assert_uint_eq(f.n, lengths[i]);
                ck_assert_uint_eq(v.n, lengths[k]);
                if (v.n) ck_assert(v.p[0] == 'v' && v.p[v.n - 1] == 'v');
                walk_is(walk, b.p, b.n, RSP_END);
                blob_free(&b);
            }
}
END_TEST

START_TEST(counts)
{
    struct blob b = {NULL, 0, 0};
    blob_byte(&b, 2);
    add_pair(&b, 1, 2, 0);
    add_pair(&b, 2, 1, 3);
    blob_byte(&b, 0xff);
    walk_is(walk, b.p, b.n, RSP_END);
    b.p[0] = 3;
    walk_fails(walk, b.p, b.n, 0, "fewer");
    b.p[0] = 1;
    walk_fails(walk, b.p, b.n, 7, "more");
    b.p[0] = 254;
    walk_is(walk, b.p, b.n, RSP_END);
    b.p[0] = 255;
    walk_is(walk, b.p, b.n, RSP_END);
    blob_free(&b);
    blob_byte(&b, 254);
    for (int i = 0; i < 300; i++) add_pair(&b, 3, 4, 1);
    blob_byte(&b, 0xff);
    walk_is(walk, b.p, b.n, RSP_END);
    b.p[0] = 253;
    walk_fails(walk, b.p, b.n, 1 + 253 * 11, "more");
    blob_free(&b);
    walk_is(walk, "\0\xff", 2, RSP_END);
}
END_TEST

START_TEST(faults)
{
    walk_fails(walk, "\xff", 1, 0, "shorter");
    walk_fails(walk, "\1\1", 2, 1, "last byte");
    walk_fails(walk, "\1\xff\1\0v\xff", 6, 1, "end byte");
    walk_fails(walk, "\1\1f\xff\0v\xff", 7, 3, "end byte");
    walk_fails(walk, "\1\1\xff", 3, 1, "field reaches");
    walk_fails(walk, "\1\1f\xff", 4, 3, "before its value");
    walk_fails(walk, "\1\1f\1\xff", 5, 4, "before its value");
    walk_fails(walk, "\1\1f\1\0\xff", 6, 3, "value reaches");
    walk_fails(walk, "\1\1f\1\1v\xff", 7, 6, "unused");
    walk_fails(walk, "\1\xfe\1\0\0\xff", 6, 1, "length reaches");
    walk_fails(walk, "\1\xfe\1\0\0\0f\1\0v\xff", 11, 1, "more bytes than it needs");
    walk_fails(walk, "\1\1f\xfe\xff\xff\xff\xff\0v\xff", 11, 3, "value reaches");
    walk_fails(walk, "\1\xfe\xff\xff\xff\xff\1\0v\xff", 10, 1, "field reaches");
}
END_TEST

START_TEST(hostile)
{
    struct blob b = {NULL, 0, 0};
    blob_byte(&b, 3);
    add_pair(&b, 3, 270, 0);
    add_pair(&b, 260, 2, 9);
    add_pair(&b, 0, 0, 0);
    blob_byte(&b, 0xff);
    walk_hostile(walk, b.p, b.n, 0);
    b.p[0] = 254;
    walk_hostile(walk, b.p, b.n, 0);
    blob_free(&b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {two_pairs, all_lengths, counts, faults, hostile};
    return run_tests("zipmap", tests, sizeof tests / sizeof *tests);
}
