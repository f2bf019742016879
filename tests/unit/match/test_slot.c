/* What this is: tests of rsp_key_slot.
 * Rests on: libcheck.
 * Does not: ask a cluster. */
#include <check.h>
#include <string.h>

#include <respite/sys/filter.h>

static unsigned slot(const char *key)
{
    struct rsp_span span = {(const uint8_t *)key, strlen(key)};
    return rsp_key_slot(span);
}

START_TEST(known)
{
    struct rsp_span nothing = {NULL, 0};
    ck_assert_uint_eq(slot("123456789"), 12739);
    ck_assert_uint_eq(slot("foo"), 12182);
    ck_assert_uint_eq(slot("bar"), 5061);
    ck_assert_uint_eq(slot("somekey"), 11058);
    ck_assert_uint_eq(slot(""), 0);
    ck_assert_uint_eq(rsp_key_slot(nothing), 0);
}
END_TEST

START_TEST(tags)
{
    ck_assert_uint_eq(slot("{user1000}.following"), slot("{user1000}.followers"));
    ck_assert_uint_eq(slot("{user1000}.following"), slot("user1000"));
    ck_assert_uint_eq(slot("foo{{bar}}zap"), slot("{bar"));
    ck_assert_uint_eq(slot("foo{bar}{zap}"), slot("bar"));
    ck_assert_uint_eq(slot("a}b{bar}"), slot("bar"));
}
END_TEST

/* Without a closing brace, or with nothing inside, the whole key counts. */
START_TEST(no_tag)
{
    ck_assert_uint_ne(slot("foo{}{bar}"), slot("bar"));
    ck_assert_uint_ne(slot("foo{}{bar}"), slot(""));
    ck_assert_uint_ne(slot("{bar"), slot("bar"));
    ck_assert_uint_eq(slot("foo{"), slot("foo{"));
    ck_assert_uint_ne(slot("foo{"), slot("foo"));
    for (unsigned i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        struct rsp_span key = {&byte, 1};
        ck_assert_uint_lt(rsp_key_slot(key), 16384);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slot");
    TCase *tc = tcase_create("slot");
    SRunner *runner;
    int failed;
    tcase_add_test(tc, known);
    tcase_add_test(tc, tags);
    tcase_add_test(tc, no_tag);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
