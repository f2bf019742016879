/* What this is: tests of JSON escaping, UTF-8 validation, base64 and the text of doubles.
 * Rests on: export/json_text.h; naive references written here, the C library's strtod.
 * Does not: measure. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/json_text.h"

#define MOST 300

static struct json_text fast, slow;
static uint64_t seed = 88172645463325252u;

static uint64_t rnd(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

/* By the definition: decode a code point, refuse what is overlong, a surrogate or too large. */
static size_t naive_sequence(const uint8_t *p, size_t n)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t k = p[0] < 0x80 ? 1 : (p[0] & 0xe0) == 0xc0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : (p[0] & 0xf8) == 0xf0 ? 4 : 0;
    uint32_t c;
    if (k < 2 || k > n) return k < 2 ? k : 0;
    c = p[0] & (0xffu >> (k + 1));
    for (size_t i = 1; i < k; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    return c < least[k] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? 0 : k;
}

/* Writes the text; returns how many bytes of p were good. */
static size_t naive_escape(const uint8_t *p, size_t n, int latin1, char *out, size_t *out_n)
{
    size_t i = 0, at = 0;
    while (i < n) {
        uint8_t c = p[i];
        size_t k = latin1 ? 1 : naive_sequence(p + i, n - i);
        if (!k) break;
        if (c == '"' || c == '\\') at += (size_t)snprintf(out + at, 7, "\\%c", c);
        else if (c < 0x20 && strchr("\b\t\n\f\r", c) && c)
            at += (size_t)snprintf(out + at, 7, "\\%c",
                                   c == 8    ? 'b'
                                   : c == 9  ? 't'
                                   : c == 10 ? 'n'
                                   : c == 12 ? 'f'
                                             : 'r');
        else if (c < 0x20) at += (size_t)snprintf(out + at, 7, "\\u%04x", c);
        else if (latin1 && c > 0x7f) at += (size_t)snprintf(out + at, 7, "%c%c", 0xc0 | c >> 6, 0x80 | (c & 0x3f));
        else
            for (size_t j = 0; j < k; j++) out[at++] = (char)p[i + j];
        i += k;
    }
    *out_n = at;
    return i;
}

/* The string lies at the very end of its allocation, so that a sanitizer sees a read past it. */
static void compare(const uint8_t *bytes, size_t n)
{
    uint8_t *p = malloc(n ? n : 1), *got = malloc(JSON_GROWTH * n + JSON_SLACK);
    char *want = malloc(JSON_GROWTH * n + 16);
    const struct json_text *forms[] = {&fast, &slow};
    if (n) memcpy(p, bytes, n);
    for (int latin1 = 0; latin1 < 2; latin1++) {
        size_t want_n, good = naive_escape(p, n, latin1, want, &want_n);
        for (int f = 0; f < 2; f++) {
            uint8_t *o = got;
            const uint8_t *stop = p + n;
            if (latin1) json_escape_latin1(forms[f], p, p + n, &o);
            else stop = json_escape(forms[f], p, p + n, &o);
            ck_assert_uint_eq((size_t)(stop - p), good);
            ck_assert_uint_eq((size_t)(o - got), want_n);
            ck_assert_mem_eq(got, want, want_n);
        }
        if (!latin1) {
            struct json_utf8 u = {0};
            size_t cut = n ? rnd() % n : 0;
            json_utf8_feed(&u, p, cut);
            json_utf8_feed(&u, p + cut, n - cut);
            ck_assert_int_eq(json_utf8_end(&u), good == n);
        }
    }
    if (n <= 16) {
        size_t clean = 0;
        while (clean < n && p[clean] >= 0x20 && p[clean] < 0x80 && p[clean] != '"' && p[clean] != '\\') clean++;
        if (json_copy_clean(p, n, got)) {
            ck_assert_uint_eq(clean, n);
            ck_assert_mem_eq(got, bytes, n);
        } else if (fast.vectors) {
            ck_assert_uint_lt(clean, n);
        }
    }
    free(p), free(got), free(want);
}

START_TEST(escape_random)
{
    static const char *const alphabets[] = {
        "\"\\ab",         "abcdefgh\"",         "a\n\x01\x1f\x7f", "a\xc3\xa9\"",
        "\xe2\x82\xac x", "\xf0\x9f\x98\x80\\", "a\x80\xc3",       "\xed\xa0\x80\xe0\xf4\x90"};
    uint8_t bytes[MOST];
    for (int round = 0; round < 20000; round++) {
        size_t n = rnd() % (round % 3 ? 48 : MOST);
        const char *set = alphabets[rnd() % 8];
        int wild = round % 16 == 0;
        for (size_t i = 0; i < n; i++) bytes[i] = wild ? (uint8_t)rnd() : (uint8_t)set[rnd() % strlen(set)];
        compare(bytes, n);
    }
}
END_TEST

START_TEST(escape_whole_sequences)
{
    static const char *const words[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a", "\"", "plain text ", "\n"};
    uint8_t bytes[MOST + 16];
    for (int round = 0; round < 5000; round++) {
        size_t n = 0, most = rnd() % MOST;
        while (n < most) {
            const char *w = words[rnd() % 7];
            memcpy(bytes + n, w, strlen(w));
            n += strlen(w);
        }
        compare(bytes, n);
    }
}
END_TEST

/* Every class of bad sequence, at every place in a vector. */
START_TEST(invalid_utf8)
{
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x41",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xe2\x82",
                                      "\xe2\x41\x80",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x9f\x98",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\xfe",
                                      "\xff"};
    uint8_t bytes[80];
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
        for (size_t before = 0; before < 34; before++) {
            size_t k = strlen(bad[b]);
            uint8_t out[JSON_GROWTH * 80 + JSON_SLACK], *o = out;
            memset(bytes, 'x', sizeof bytes);
            memcpy(bytes + before, bad[b], k);
            compare(bytes, before + k);
            compare(bytes, before + k + 20);
            ck_assert_ptr_eq(json_escape(&fast, bytes, bytes + before + k + 20, &o), bytes + before);
        }
    }
}
END_TEST

START_TEST(every_code_point)
{
    uint8_t out[64];
    for (uint32_t c = 0x80; c < 0x110000; c += c < 0x11000 ? 1 : 37) {
        uint8_t p[4], *o = out;
        unsigned k = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (unsigned i = k; i-- > 1;) p[i] = (uint8_t)(0x80 | (c >> 6 * (k - 1 - i) & 0x3f));
        p[0] = (uint8_t)((k == 2 ? 0xc0 : k == 3 ? 0xe0 : 0xf0) | c >> 6 * (k - 1));
        if (c >= 0xd800 && c < 0xe000) {
            ck_assert_uint_eq(json_utf8_length(p, k), 0);
            continue;
        }
        ck_assert_uint_eq(json_utf8_length(p, k), k);
        ck_assert_uint_eq(json_utf8_length(p, k - 1), 0);
        ck_assert_ptr_eq(json_escape(&fast, p, p + k, &o), p + k);
        ck_assert_mem_eq(out, p, k);
    }
}
END_TEST

START_TEST(base64_every_length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t n = 0; n < 260; n++) {
        uint8_t *p = malloc(n ? n : 1), *got = malloc(json_base64_size(n)), *end;
        char want[400];
        size_t at = 0;
        for (size_t i = 0; i < n; i++) p[i] = (uint8_t)rnd();
        for (size_t bit = 0; bit < 8 * n; bit += 6) {
            unsigned v = 0;
            for (size_t b = bit; b < bit + 6; b++)
                v = v << 1 | (b < 8 * n ? (unsigned)(p[b / 8] >> (7 - b % 8) & 1) : 0);
            want[at++] = digits[v];
        }
        while (at % 4) want[at++] = '=';
        end = json_base64(&fast, p, n, got);
        ck_assert_uint_eq((size_t)(end - got), at);
        ck_assert_mem_eq(got, want, at);
        free(p), free(got);
    }
}
END_TEST

/* Shortest as %.15g, %.16g, %.17g would find it. */
static void check_double(double d)
{
    char text[JSON_DOUBLE_TEXT + 1], want[64];
    size_t n = json_double_text(text, d), k = 0, digits = 0, most = 0;
    text[n] = 0;
    ck_assert_msg(strtod(text, NULL) == d && !signbit(strtod(text, NULL)) == !signbit(d), "%.17g became %s", d, text);
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(want, sizeof want, "%.*e", precision - 1, d);
        if (strtod(want, NULL) == d) break;
    }
    for (size_t i = 0; want[i] && want[i] != 'e'; i++) most += want[i] >= '0' && want[i] <= '9';
    for (size_t i = 0; i < n && text[i] != 'e'; i++) {
        if (text[i] < '0' || text[i] > '9') continue;
        k |= text[i] != '0';
        digits += k;
    }
    ck_assert_msg(digits <= most || d == floor(d), "%s is longer than %s", text, want);
}

START_TEST(doubles)
{
    static const double some[] = {0.5,
                                  0.25,
                                  1.5,
                                  0.1,
                                  0.2,
                                  0.3,
                                  1e-5,
                                  9.9999999999999e-6,
                                  1e-300,
                                  5e-324,
                                  1e300,
                                  123456.789,
                                  0.00001234,
                                  1.7976931348623157e308,
                                  2.2250738585072014e-308,
                                  4503599627370495.5,
                                  9007199254740992.0,
                                  9007199254740994.0,
                                  1e17,
                                  1e21,
                                  3.141592653589793,
                                  2.718281828459045,
                                  1 / 3.0,
                                  100.01};
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) check_double(some[i]), check_double(-some[i]);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = rnd();
        double d;
        memcpy(&d, &bits, sizeof d);
        if (isfinite(d) && i % 8 == 0) check_double(d);
        check_double((double)(bits >> 11) / 9007199254740992.0);
        check_double((double)(int64_t)(bits >> 20) / 1000);
        check_double((double)(bits >> 40) / 4);
    }
    for (int e = -1074; e < 1024; e++) {
        double d = ldexp(1, e);
        check_double(d), check_double(nextafter(d, 0)), check_double(nextafter(d, INFINITY));
    }
}
END_TEST

static void expect(double d, const char *want)
{
    char text[JSON_DOUBLE_TEXT + 1];
    text[json_double_text(text, d)] = 0;
    ck_assert_str_eq(text, want);
}

START_TEST(doubles_by_hand)
{
    expect(0, "0"), expect(-0.0, "-0.0"), expect(1, "1"), expect(-3, "-3"), expect(1.5, "1.5"), expect(-0.25, "-0.25");
    expect(0.1, "0.1"), expect(9007199254740991.0, "9007199254740991"), expect(INFINITY, "\"inf\"");
    expect(-INFINITY, "\"-inf\""), expect(1e20, "1e+20"), expect(0.30000000000000004, "0.30000000000000004");
    expect(0.00001, "0.00001"), expect(123456.789, "123456.789"), expect(5e-324, "4.94065645841247e-324");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_text");
    TCase *t = tcase_create("all");
    SRunner *runner;
    int failed;
    json_text_init(&fast), json_text_init(&slow);
    slow.vectors = 0;
    tcase_set_timeout(t, 60);
    tcase_add_test(t, escape_random);
    tcase_add_test(t, escape_whole_sequences);
    tcase_add_test(t, invalid_utf8);
    tcase_add_test(t, every_code_point);
    tcase_add_test(t, base64_every_length);
    tcase_add_test(t, doubles);
    tcase_add_test(t, doubles_by_hand);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
