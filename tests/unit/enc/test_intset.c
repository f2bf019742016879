/* What this is: tests of the intset walker.
 * Rests on: enc/intset.h, blob_test.h.
 * Does not: measure. */
#include "enc/intset.h"

#include "unit/enc/blob_test.h"

static int walk(struct rsp_span blob, size_t *seen, struct blob_fault *fault)
{
    struct intset is;
    struct entry e;
    int rc = intset_open(&is, blob, fault), again;
    if (rc) return rc;
    while ((rc = intset_next(&is, &e, fault)) == RSP_OK) {
        MUST(e.is_int);
        look_at(blob, &e);
        ++*seen;
    }
    again = intset_next(&is, &e, NULL);
    MUST(again == rc);
    return rc;
}

static void check(const uint8_t *bytes, size_t n, const int64_t *want, size_t count)
{
    struct intset is;
    struct entry e;
    ck_assert_int_eq(intset_open(&is, (struct rsp_span){bytes, n}, NULL), RSP_OK);
    ck_assert_uint_eq(is.count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(intset_next(&is, &e, NULL), RSP_OK);
        ck_assert(e.is_int);
        ck_assert_int_eq(e.i, want[i]);
    }
    ck_assert_int_eq(intset_next(&is, &e, NULL), RSP_END);
    walk_hostile(walk, bytes, n, 0);
}

START_TEST(worked_example)
{
    static const uint8_t bytes[] = {2, 0, 0, 0, 3, 0, 0, 0, 1, 0, 2, 0, 3, 0};
    static const int64_t want[] = {1, 2, 3};
    check(bytes, sizeof bytes, want, 3);
}
END_TEST

START_TEST(widths)
{
    static const uint8_t two[] = {2, 0, 0, 0, 3, 0, 0, 0, 0x00, 0x80, 0xff, 0xff, 0xff, 0x7f};
    static const uint8_t four[] = {4, 0,    0,    0,    3,    0,    0,    0,    0,    0,
                                   0, 0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
    static const uint8_t eight[] = {8, 0, 0, 0, 3, 0, 0, 0, 0,    0,    0,    0,    0,    0,    0,    0x80,
                                    5, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
    check(two, sizeof two, (const int64_t[]){INT16_MIN, -1, INT16_MAX}, 3);
    check(four, sizeof four, (const int64_t[]){INT32_MIN, -1, INT32_MAX}, 3);
    check(eight, sizeof eight, (const int64_t[]){INT64_MIN, 5, INT64_MAX}, 3);
}
END_TEST

START_TEST(faults)
{
    uint8_t bytes[] = {2, 0, 0, 0, 3, 0, 0, 0, 1, 0, 2, 0, 3, 0};
    static const uint8_t none[] = {2, 0, 0, 0, 0, 0, 0, 0};
    /* 0x80000001 * 2 is 2 modulo 2^32 */
    static const uint8_t wrap[] = {2, 0, 0, 0, 1, 0, 0, 0x80, 1, 0};
    bytes[10] = 1;
    walk_fails(walk, bytes, sizeof bytes, 10, "ascend");
    bytes[10] = 0;
    walk_fails(walk, bytes, sizeof bytes, 10, "ascend");
    bytes[10] = 3;
    walk_fails(walk, bytes, sizeof bytes, 12, "ascend");
    bytes[10] = 2;
    walk_is(walk, bytes, sizeof bytes, RSP_END);
    bytes[4] = 4;
    walk_fails(walk, bytes, sizeof bytes, 4, "does not fit");
    bytes[4] = 2;
    walk_fails(walk, bytes, sizeof bytes, 4, "does not fit");
    bytes[0] = 3;
    walk_fails(walk, bytes, sizeof bytes, 0, "width");
    bytes[0] = 0;
    walk_fails(walk, bytes, sizeof bytes, 0, "width");
    walk_fails(walk, none, sizeof none, 4, "no integers");
    walk_fails(walk, none, 7, 0, "shorter");
    walk_fails(walk, wrap, sizeof wrap, 4, "does not fit");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {worked_example, widths, faults};
    return run_tests("intset", tests, sizeof tests / sizeof *tests);
}
