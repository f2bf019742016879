/* What this is: tests of rsp_glob_match.
 * Rests on: libcheck.
 * Does not: compare with a server. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/filter.h>

static const struct {
    const char *pattern, *text;
    int matches;
} cases[] = {
    {"", "", 1},
    {"", "a", 0},
    {"*", "", 1},
    {"*", "abc", 1},
    {"**", "", 1},
    {"a", "", 0},
    {"abc", "abc", 1},
    {"abc", "abd", 0},
    {"abc", "abcd", 0},
    {"abcd", "abc", 0},
    {"a?c", "abc", 1},
    {"a?c", "ac", 0},
    {"?", "", 0},
    {"???", "abc", 1},
    {"a*", "a", 1},
    {"a*c", "abbbc", 1},
    {"a*c", "abbbd", 0},
    {"*c", "abc", 1},
    {"*b", "abc", 0},
    {"a*b*c", "a1b2b3c", 1},
    {"a*b*c", "a1c2b", 0},
    {"*a*b*", "xxaxxbxx", 1},
    {"*ab", "aab", 1},
    {"*aab*", "aaaab", 1},
    {"user:*:name", "user:17:name", 1},
    {"user:*:name", "user:17:names", 0},
    {"h[ae]llo", "hello", 1},
    {"h[ae]llo", "hillo", 0},
    {"h[^e]llo", "hallo", 1},
    {"h[^e]llo", "hello", 0},
    {"h[a-b]llo", "hbllo", 1},
    {"h[a-b]llo", "hcllo", 0},
    {"h[b-a]llo", "hallo", 1},
    {"[^a-c]", "d", 1},
    {"[^a-c]", "b", 0},
    {"*[0-9]", "abc7", 1},
    {"*[0-9]", "abc", 0},
    {"[]a", "a", 0},
    {"[^]", "a", 1},
    {"[ab", "b", 1},
    {"[ab", "c", 0},
    {"[", "[", 0},
    {"[a", "a", 1},
    {"[\\]]", "]", 1},
    {"[\\^a]", "^", 1},
    {"[a\\-z]", "-", 1},
    {"[a\\-z]", "b", 0},
    {"[+--]", ",", 1},
    {"\\*", "*", 1},
    {"\\*", "a", 0},
    {"a\\?c", "a?c", 1},
    {"a\\?c", "abc", 0},
    {"\\[a]", "[a]", 1},
    {"a\\", "a\\", 1},
    {"\\\\", "\\", 1},
    {"\\a", "a", 1},
    {"*\\*", "ab*", 1},
    {"*\\*", "ab", 0},
    {"ABC", "abc", 0},
    {"*?", "", 0},
    {"*?", "a", 1},
    {"?*?", "a", 0},
    {"?*?", "ab", 1},
};

START_TEST(table)
{
    int got = rsp_glob_match(cases[_i].pattern, strlen(cases[_i].pattern), (const uint8_t *)cases[_i].text,
                             strlen(cases[_i].text));
    ck_assert_msg(got == cases[_i].matches, "'%s' on '%s': %d", cases[_i].pattern, cases[_i].text, got);
}
END_TEST

START_TEST(any_byte)
{
    for (unsigned c = 0; c < 256; c++) {
        uint8_t text[3] = {'a', (uint8_t)c, 'b'};
        ck_assert_int_eq(rsp_glob_match("a?b", 3, text, 3), 1);
        ck_assert_int_eq(rsp_glob_match("a*b", 3, text, 3), 1);
    }
    ck_assert_int_eq(rsp_glob_match("a\0b", 3, (const uint8_t *)"a\0b", 3), 1);
    ck_assert_int_eq(rsp_glob_match("a\0b", 3, (const uint8_t *)"a\0c", 3), 0);
}
END_TEST

/* The obvious matcher: exponential, and easy to believe. */
static int slow(const char *p, const char *t)
{
    if (!*p) return !*t;
    if (*p == '*') return slow(p + 1, t) || (*t && slow(p, t + 1));
    return *t && (*p == '?' || *p == *t) && slow(p + 1, t + 1);
}

START_TEST(random_against_slow)
{
    uint32_t seed = 7;
    unsigned hits = 0;
    for (int round = 0; round < 100000; round++) {
        char p[9] = "", t[9] = "";
        unsigned np, nt;
        seed = seed * 1664525U + 1013904223U;
        np = (seed >> 28) % 9;
        nt = (seed >> 24) % 9;
        for (unsigned i = 0; i < np; i++) p[i] = "ab*?*abb"[(seed = seed * 1664525U + 1013904223U) >> 29];
        for (unsigned i = 0; i < nt; i++) t[i] = "ab"[(seed = seed * 1664525U + 1013904223U) >> 31];
        hits += (unsigned)slow(p, t);
        ck_assert_msg(rsp_glob_match(p, strlen(p), (const uint8_t *)t, strlen(t)) == slow(p, t), "'%s' on '%s'", p, t);
    }
    ck_assert_uint_gt(hits, 5000);
}
END_TEST

/* 40 stars on 1 MiB of 'a': a matcher that takes every star back would not come to an end. */
START_TEST(no_blowup)
{
    size_t n = 1 << 20;
    char pattern[81];
    uint8_t *text = malloc(n);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', n);
    for (int i = 0; i < 40; i++) memcpy(pattern + 2 * i, "*a", 2);
    pattern[80] = 'b';
    ck_assert_int_eq(rsp_glob_match(pattern, 81, text, n), 0);
    ck_assert_int_eq(rsp_glob_match(pattern, 80, text, n), 1);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("glob");
    TCase *tc = tcase_create("glob");
    SRunner *runner;
    int failed;
    tcase_add_loop_test(tc, table, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tc, any_byte);
    tcase_add_test(tc, random_against_slow);
    tcase_add_test(tc, no_blowup);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
