/* What this is: tests of the expressions, beside the C library's regexec.
 * Rests on: libcheck, match/ere.h.
 * Does not: compare where POSIX leaves the meaning open. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h" /* before check.h, which makes a macro of fail */
#include "match/ere.h"

#include <check.h>

static struct rsp_error error;

static struct ere *compile(const struct rsp_env *env, const char *pattern)
{
    struct ere *e = NULL;
    int rc;
    rsp_error_clear(&error);
    rc = ere_new(env, "key-regex", pattern, strlen(pattern), &e);
    ck_assert_msg((rc == RSP_OK) == (e != NULL), "'%s'", pattern);
    ck_assert_msg(rc == error.code, "'%s': %d, record %d", pattern, rc, error.code);
    return e;
}

static struct rsp_env test_env(void)
{
    struct rsp_env env, given = {.size = sizeof given, .error = &error};
    env_init(&env, &given);
    return env;
}

/* Both automata must agree; their answer. */
static int match(const struct ere *e, const void *text, size_t n)
{
    int fast = ere_match(e, text, n);
    ck_assert_int_eq(fast, ere_match_states(e, text, n));
    return fast;
}

/* Legal in both, with the same meaning. */
static const char *const shared[] = {
    "",
    "a",
    "abc",
    "a|b",
    "a|b|",
    "ab|cd",
    "(a|b)c",
    "a*",
    "a+b",
    "a?b",
    "(ab)*c",
    "(a|b)*abb",
    "a.c",
    ".*",
    "..",
    "^a",
    "a$",
    "^a$",
    "^$",
    "^",
    "$",
    "^(a|b)$",
    "(^a|b)c",
    "a|^b$",
    "(^|a)b",
    "b($|c)",
    "a{2}",
    "a{2,}",
    "a{1,2}b",
    "a{0,1}b",
    "a{0}b",
    "(ab){2}",
    "(a|bb){2,3}c",
    "^(a{2}){2}$",
    "(a*)*",
    "(a*)+b",
    "(a|b*)*c",
    "((a))",
    "()",
    "(|a)b",
    "[ab]",
    "[^ab]",
    "[a-c]b",
    "[^a-b]$",
    "[]a]",
    "[^]a]",
    "[a-]",
    "[-a]",
    "[a^]",
    "[[:alpha:]]b",
    "[[:digit:]a]+$",
    "[^[:alpha:]]",
    "[[:upper:][:digit:]]",
    "[[.a.]]b",
    "[[=b=]]",
    "a\\.b",
    "\\*",
    "\\(a\\)",
    "a\\|b",
    "\\[",
    "\\\\",
    "\\^a",
    "a\\$",
    "a**",
    "(a+)?b",
    "a*?b",
    "x*y*$",
    "^(aa|b)*$",
    "(a|ab)(c|bcd)",
    "a.*b.*c",
    "[.]a",
    "[a\\]b",
};

START_TEST(beside_regexec)
{
    static const char alphabet[] = "abcAB.1 ]-^*(|$\\";
    struct rsp_env env = test_env();
    struct ere *e = compile(&env, shared[_i]);
    uint32_t seed = (uint32_t)_i + 1;
    regex_t regex;
    ck_assert_msg(e != NULL, "'%s': %s", shared[_i], error.message);
    ck_assert_msg(regcomp(&regex, shared[_i], REG_EXTENDED | REG_NOSUB) == 0, "'%s'", shared[_i]);
    for (int round = 0; round < 3000; round++) {
        char text[12] = "";
        size_t n, few = round % 3 ? 3 : sizeof alphabet - 1;
        seed = seed * 1664525U + 1013904223U;
        n = (seed >> 20) % 9;
        for (size_t i = 0; i < n; i++) text[i] = alphabet[((seed = seed * 1664525U + 1013904223U) >> 16) % few];
        ck_assert_msg(match(e, text, n) == (regexec(&regex, text, 0, NULL, 0) == 0), "'%s' on '%s'", shared[_i], text);
    }
    regfree(&regex);
    ere_free(e);
}
END_TEST

static size_t random_pattern(uint32_t *seed, char *out, size_t room, int depth)
{
    static const char *const atoms[] = {"a", "b", ".", "[ab]", "[^a]", "c", "ab", "b"};
    static const char *const repeats[] = {"*", "+", "?", "{2}", "{0,2}", "{1,}", "", "", "", "", "", ""};
    size_t n = 0;
    unsigned pieces = 1 + (*seed = *seed * 1664525U + 1013904223U) % 7 % 4;
    for (unsigned i = 0; i < pieces && room - n > 40; i++) {
        uint32_t dice = (*seed = *seed * 1664525U + 1013904223U) >> 16;
        if (depth < 3 && dice % 4 == 0) {
            out[n++] = '(';
            n += random_pattern(seed, out + n, room - n - 20, depth + 1);
            out[n++] = ')';
        } else {
            n += (size_t)snprintf(out + n, room - n, "%s", atoms[dice / 4 % 8]);
        }
        n += (size_t)snprintf(out + n, room - n, "%s", repeats[dice / 32 % 12]);
        if (dice / 512 % 6 == 0) out[n++] = '|';
    }
    out[n] = 0;
    return n;
}

START_TEST(random_beside_regexec)
{
    struct rsp_env env = test_env();
    uint32_t seed = 20;
    unsigned hits = 0, misses = 0;
    for (int round = 0; round < 1500; round++) {
        char pattern[200], text[12];
        struct ere *e;
        regex_t regex;
        size_t n = 0;
        pattern[n++] = round % 3 == 0 ? '^' : '(';
        n += random_pattern(&seed, pattern + n, sizeof pattern - 40, 0);
        if (round % 3) pattern[n++] = ')';
        if (round % 2) pattern[n++] = '$';
        pattern[n] = 0;
        e = compile(&env, pattern);
        ck_assert_msg(e != NULL, "'%s': %s", pattern, error.message);
        ck_assert_msg(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0, "'%s'", pattern);
        for (int i = 0; i < 40; i++) {
            int want;
            size_t length = (seed = seed * 1664525U + 1013904223U) >> 29;
            memset(text, 0, sizeof text);
            for (size_t k = 0; k < length; k++) text[k] = "abcab"[((seed = seed * 1664525U + 1013904223U) >> 16) % 5];
            want = regexec(&regex, text, 0, NULL, 0) == 0;
            ck_assert_msg(match(e, text, length) == want, "'%s' on '%s': want %d", pattern, text, want);
            *(want ? &hits : &misses) += 1;
        }
        regfree(&regex);
        ere_free(e);
    }
    ck_assert_uint_gt(hits, 5000);
    ck_assert_uint_gt(misses, 5000);
}
END_TEST

static const struct {
    const char *pattern, *text;
    size_t n;
    int matches;
} own[] = {
    {"^\\d+$", "0123", 4, 1},
    {"^\\d+$", "01a3", 4, 0},
    {"\\D", "012", 3, 0},
    {"\\D", "0x2", 3, 1},
    {"^\\w+$", "a_Z9", 4, 1},
    {"^\\w+$", "a-b", 3, 0},
    {"\\W", "a:b", 3, 1},
    {"a\\sb", "a\tb", 3, 1},
    {"^\\S*$", "a b", 3, 0},
    {"^\\x00\\xfF$", "\0\xff", 2, 1},
    {"a\\nb", "a\nb", 3, 1},
    {"^a.b$", "a\nb", 3, 1},
    {"a.b", "a\0b", 3, 1},
    {"^[^x]*$", "a\0\xff", 3, 1},
    {"b$", "b\0", 2, 0},
    {"b$", "b\n", 2, 0},
    {"^b", "\nb", 2, 0},
    {"^a{,2}$", "aa", 2, 1},
    {"^a{,2}$", "aaa", 3, 0},
    {"^\xc3\xa4$", "\xc3\xa4", 2, 1},
    {"]", "]", 1, 1},
    {"}", "}", 1, 1},
    {"(a{0,0}){3}b", "b", 1, 1},
    {"$a", "a", 1, 0},
    {"$^", "", 0, 1},
    {"a^b", "a^b", 3, 0},
    {"\\{1\\}", "user:{1}", 8, 1},
    {"^(^a)+$", "aa", 2, 0},
    {"^(^a)+$", "a", 1, 1},
};

START_TEST(own_meaning)
{
    struct rsp_env env = test_env();
    struct ere *e = compile(&env, own[_i].pattern);
    ck_assert_msg(e != NULL, "'%s': %s", own[_i].pattern, error.message);
    ck_assert_msg(match(e, own[_i].text, own[_i].n) == own[_i].matches, "'%s' on '%s'", own[_i].pattern, own[_i].text);
    ere_free(e);
}
END_TEST

static const struct {
    const char *pattern, *message;
    uint64_t offset;
} bad[] = {
    {"a(b", "'(' without ')'", 1},
    {"a)b", "')' without '('", 1},
    {"[a", "'[' without ']'", 0},
    {"[]", "'[' without", 0},
    {"*a", "nothing to repeat", 0},
    {"a|+", "nothing to repeat", 2},
    {"(?:a)", "nothing to repeat", 1},
    {"^*", "anchor", 1},
    {"a${2}", "anchor", 2},
    {"a{", "counts", 2},
    {"a{,}", "counts", 3},
    {"a{1", "counts", 3},
    {"a{2,1}", "larger", 5},
    {"a{99999999999}", "too large", 14},
    {"((a{100}){100}){100}", "too large", 14},
    {"(a{500}){0}(a{1999}){2}", "too large", 23},
    {"((((){1000}){1000}){1000}){1000}", "too large", 18},
    {"a\\", "at the end", 2},
    {"(a)\\1", "back-references", 4},
    {"\\q", "unknown escape", 1},
    {"\\xg0", "hexadecimal", 1},
    {"[b-a]", "stands before", 4},
    {"[[:foo:]]", "no such character class", 1},
    {"[[:alpha:]-z]", "end of a range", 12},
    {"[[.ab.]]", "single characters", 1},
    {"[[:alpha]", "without ':]'", 1},
};

START_TEST(refused)
{
    struct rsp_env env = test_env();
    struct ere *e = compile(&env, bad[_i].pattern);
    ck_assert_msg(e == NULL, "'%s'", bad[_i].pattern);
    ck_assert_int_eq(error.code, RSP_EINVAL);
    ck_assert_msg(strstr(error.message, bad[_i].message) != NULL, "'%s': %s", bad[_i].pattern, error.message);
    ck_assert_msg(error.has_offset && error.offset == bad[_i].offset, "'%s': offset %u", bad[_i].pattern,
                  (unsigned)error.offset);
    ck_assert_str_eq(error.subject, "key-regex");
}
END_TEST

/* Repeated text around one core: a deep or long pattern. */
static char *wrap(const char *open, const char *core, const char *close, size_t times)
{
    size_t a = strlen(open), b = strlen(core), c = strlen(close), at = 0;
    char *p = malloc((a + c) * times + b + 1);
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < times; i++, at += a) memcpy(p + at, open, a);
    memcpy(p + at, core, b);
    at += b;
    for (size_t i = 0; i < times; i++, at += c) memcpy(p + at, close, c);
    p[at] = 0;
    return p;
}

START_TEST(limits)
{
    static const struct {
        const char *open, *core, *close;
        size_t times;
        int legal;
    } deep[] = {
        {"(", "a", ")", 200, 1}, {"(", "a", ")", 201, 0}, {"(", "a", "|b)?", 200, 1},      {"(", "a", "", 4000, 0},
        {"", "a", "*", 300, 1},  {"", "a", "*", 4000, 0}, {"a", "", "", 1999, 1},          {"a", "", "", 2001, 0},
        {"a", "", "", 5000, 0},  {"a|", "b", "", 900, 1}, {"", "a{500}", "b{500}c", 1, 1}, {"", "(a|b)", "?", 100, 1},
    };
    struct rsp_env env = test_env();
    for (size_t i = 0; i < sizeof deep / sizeof deep[0]; i++) {
        char *pattern = wrap(deep[i].open, deep[i].core, deep[i].close, deep[i].times);
        struct ere *e = compile(&env, pattern);
        ck_assert_msg((e != NULL) == deep[i].legal, "%zu: %s", i, error.message);
        if (e) match(e, "aab", 3);
        ere_free(e);
        free(pattern);
    }
}
END_TEST

/* Expressions that hang a matcher that goes back, on 64 KiB; and one without a table. */
START_TEST(linear)
{
    static const char *const patterns[] = {"^(a+)+$", "(a|a)*c",       "^(a|aa)+$",        "(x+x+)+y",
                                           "(.*)*c",  "a{500}b{500}c", "(a|b)*a(a|b){12}c"};
    struct rsp_env env = test_env();
    size_t n = 1 << 16;
    uint8_t *text = malloc(n);
    int without = 0;
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', n);
    text[n - 1] = 'b';
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        struct ere *e = compile(&env, patterns[i]);
        ck_assert_ptr_nonnull(e);
        without += !ere_has_table(e);
        ck_assert_int_eq(ere_match(e, text, n), 0);
        ere_free(e);
    }
    ck_assert_int_gt(without, 0);
    free(text);
}
END_TEST

/* Every allocation failed once: RSP_ENOMEM, and nothing left behind. */
struct meter {
    size_t live, calls, fail_at;
};

static void *metered(void *opaque, void *ptr, size_t old_size, size_t new_size)
{
    struct meter *m = opaque;
    if (new_size == 0) {
        m->live -= old_size;
        free(ptr);
        return NULL;
    }
    if (++m->calls == m->fail_at) return NULL;
    m->live += new_size - old_size;
    return realloc(ptr, new_size);
}

START_TEST(no_memory)
{
    struct meter m = {0};
    struct rsp_env env, given = {.size = sizeof given, .error = &error, .resize = metered, .resize_opaque = &m};
    int rc = RSP_ENOMEM;
    env_init(&env, &given);
    for (m.fail_at = 1; rc == RSP_ENOMEM; m.fail_at++) {
        struct ere *e = NULL;
        m.calls = 0;
        rsp_error_clear(&error);
        rc = ere_new(&env, NULL, "^(a|b)+[0-9]{3}$", 16, &e);
        ck_assert_int_eq(rc, error.code);
        ere_free(e);
        ck_assert_uint_eq(m.live, 0);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_uint_gt(m.fail_at, 5);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

int main(void)
{
    Suite *suite = suite_create("ere");
    TCase *tc = tcase_create("ere");
    SRunner *runner;
    int failed;
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, beside_regexec, 0, COUNT(shared));
    tcase_add_test(tc, random_beside_regexec);
    tcase_add_loop_test(tc, own_meaning, 0, COUNT(own));
    tcase_add_loop_test(tc, refused, 0, COUNT(bad));
    tcase_add_test(tc, limits);
    tcase_add_test(tc, linear);
    tcase_add_test(tc, no_memory);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
