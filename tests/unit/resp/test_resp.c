/* What this is: tests of RESP: what is written, and replies read in pieces, hostile ones among them.
 * Rests on: libcheck, resp/resp.h.
 * Does not: use sockets. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resp/resp.h"

static struct rsp_error error;
static struct rsp_env env;
static struct resp_reader r;

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    rsp_error_clear(&error);
    env_init(&env, &given);
    resp_reader_init(&r, &env, "server", 1 << 20);
}

static void teardown(void)
{
    resp_reader_free(&r);
}

static void again(size_t max_bytes)
{
    resp_reader_free(&r);
    rsp_error_clear(&error);
    resp_reader_init(&r, &env, "server", max_bytes);
}

static void feed(const void *p, size_t n)
{
    uint8_t *room;
    size_t cap;
    ck_assert_int_eq(resp_reader_room(&r, n, &room, &cap), RSP_OK);
    ck_assert_uint_ge(cap, n);
    if (n) memcpy(room, p, n);
    resp_reader_fed(&r, n);
}

static void feed_text(const char *text)
{
    feed(text, strlen(text));
}

/* A reply as text: +OK -ERR :5 $text ~ [a b]. Arrays of replies are at most RESP_DEPTH deep, so is this. */
static size_t show(const struct rsp_reply *v, char *out, size_t size, int depth)
{
    size_t at = 0;
    ck_assert_int_le(depth, RESP_DEPTH);
    switch (v->type) {
    case RSP_REPLY_NULL: return (size_t)snprintf(out, size, "~");
    case RSP_REPLY_INTEGER: return (size_t)snprintf(out, size, ":%lld", (long long)v->integer);
    case RSP_REPLY_ARRAY: {
        size_t n = 0;
        at += (size_t)snprintf(out, size, "[");
        for (const struct rsp_reply *e = v->child; e; e = e->next, n++) {
            if (n) at += (size_t)snprintf(out + at, size - at, " ");
            at += show(e, out + at, size - at, depth + 1);
        }
        ck_assert_uint_eq(n, v->n);
        return at + (size_t)snprintf(out + at, size - at, "]");
    }
    default: return (size_t)snprintf(out, size, "%c%.*s", v->type, (int)v->text.n, (const char *)v->text.p);
    }
}

static void expect(const char *text)
{
    const struct rsp_reply *reply;
    char seen[2048];
    ck_assert_int_eq(resp_reader_next(&r, &reply), RSP_OK);
    show(reply, seen, sizeof seen, 0);
    ck_assert_str_eq(seen, text);
}

static void expect_more(void)
{
    const struct rsp_reply *reply;
    ck_assert_int_eq(resp_reader_next(&r, &reply), RSP_AGAIN);
    ck_assert_ptr_null(reply);
}

static void expect_fault(int code, const char *word)
{
    const struct rsp_reply *reply;
    ck_assert_int_eq(resp_reader_next(&r, &reply), code);
    ck_assert_int_eq(error.code, code);
    ck_assert_msg(strstr(error.message, word) != NULL, "%s", error.message);
    ck_assert_str_eq(error.subject, "server");
    ck_assert_int_eq(resp_reader_next(&r, &reply), RSP_ESTATE);
}

/* ---- writing ---- */

START_TEST(commands_are_arrays_of_bulks)
{
    static const char want[] = "*7\r\n$3\r\nSET\r\n$3\r\na\0b\r\n$0\r\n\r\n$20\r\n18446744073709551615\r\n"
                               "$20\r\n-9223372036854775808\r\n$1\r\n0\r\n$4\r\nbody\r\n"
                               "*2\r\n$4\r\nPING\r\n$5\r\nhello\r\n*1\r\n$4\r\nPING\r\n";
    struct buf b;
    buf_init(&b, &env);
    ck_assert_int_eq(resp_begin(&b, 7), RSP_OK);
    ck_assert_int_eq(resp_text(&b, "SET"), RSP_OK);
    ck_assert_int_eq(resp_bulk(&b, "a\0b", 3), RSP_OK);
    ck_assert_int_eq(resp_bulk(&b, NULL, 0), RSP_OK);
    ck_assert_int_eq(resp_u64(&b, UINT64_MAX), RSP_OK);
    ck_assert_int_eq(resp_i64(&b, INT64_MIN), RSP_OK);
    ck_assert_int_eq(resp_i64(&b, 0), RSP_OK);
    ck_assert_int_eq(resp_bulk_head(&b, 4), RSP_OK);
    ck_assert_int_eq(buf_add(&b, "body\r\n", 6), RSP_OK);
    ck_assert_int_eq(resp_words(&b, "PING hello"), RSP_OK);
    ck_assert_int_eq(resp_words(&b, "PING"), RSP_OK);
    ck_assert_uint_eq(b.n, sizeof want - 1);
    ck_assert_mem_eq(b.p, want, b.n);
    ck_assert_int_eq(resp_bulk(&b, want, SIZE_MAX - 4), RSP_ELIMIT);
    ck_assert_uint_eq(b.n, sizeof want - 1);
    buf_free(&b);
}
END_TEST

START_TEST(error_codes)
{
    struct rsp_span text = {(const uint8_t *)"NOPERM no", 9};
    ck_assert(resp_error_is(text, "NOPERM"));
    ck_assert(!resp_error_is(text, "NOPER"));
    ck_assert(!resp_error_is(text, "NOPERM no more"));
    text.n = 6;
    ck_assert(resp_error_is(text, "NOPERM"));
    text.n = 5;
    ck_assert(!resp_error_is(text, "NOPERM"));
}
END_TEST

/* ---- reading ---- */

static const char stream[] =
    "\n\n+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n\n"
    "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n+y\r\n*2\r\n*1\r\n-E\r\n$-1\r\n"
    "_\r\n#t\r\n#f\r\n,1.5\r\n(123456789012345678901234567890\r\n=7\r\ntxt:abc\r\n!3\r\nBAD\r\n"
    "%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n:2\r\n+\r\n:9223372036854775807\r\n+end\r\n";
static const char *const replies[] = {
    "+OK",
    "-ERR no",
    ":-42",
    "$a\r\nbc",
    "$",
    "~",
    "~",
    "[]",
    "[:1 [$x []] +y]",
    "[[-E] ~]",
    "~",
    ":1",
    ":0",
    "$1.5",
    "$123456789012345678901234567890",
    "$abc",
    "-BAD",
    "[+a :1 +b [:2]]",
    "+",
    ":9223372036854775807",
    "+end",
};
#define REPLIES (sizeof replies / sizeof replies[0])

/* Takes every reply that is there; i is the next one. */
static size_t drain(size_t i, int skim)
{
    for (;;) {
        const struct rsp_reply *reply = NULL;
        struct rsp_span words;
        int64_t integer;
        char seen[256];
        int type, rc = skim ? resp_reader_skim(&r, &type, &integer, &words) : resp_reader_next(&r, &reply);
        if (rc == RSP_AGAIN) return i;
        ck_assert_int_eq(rc, RSP_OK);
        ck_assert_uint_lt(i, REPLIES);
        if (skim) {
            const char *minus = strchr(replies[i], '-');
            int is_error = replies[i][0] == '-' || (replies[i][0] == '[' && minus);
            ck_assert_int_eq(type, replies[i][0] == '~' ? '_' : replies[i][0] == '[' ? '*' : replies[i][0]);
            ck_assert_int_eq(integer, type == ':' ? strtoll(replies[i] + 1, NULL, 10) : 0);
            ck_assert_int_eq(words.n != 0, is_error);
            if (is_error) ck_assert_mem_eq(words.p, minus + 1, words.n);
        } else {
            show(reply, seen, sizeof seen, 0);
            ck_assert_str_eq(seen, replies[i]);
        }
        i++;
    }
}

START_TEST(every_size_of_pieces)
{
    size_t n = sizeof stream - 1;
    for (size_t piece = 1; piece <= n; piece++) {
        size_t i = 0;
        again(1 << 20);
        for (size_t at = 0; at < n; at += piece) {
            feed(stream + at, n - at < piece ? n - at : piece);
            i = drain(i, _i);
        }
        ck_assert_uint_eq(i, REPLIES);
        ck_assert_uint_eq(resp_reader_rest(&r).n, 0);
        ck_assert_uint_eq(r.offset + r.in.n, n);
    }
}
END_TEST

START_TEST(every_split_in_two)
{
    size_t n = sizeof stream - 1;
    for (size_t cut = 0; cut <= n; cut++) {
        size_t i;
        again(1 << 20);
        feed(stream, cut);
        i = drain(0, _i);
        feed(stream + cut, n - cut);
        ck_assert_uint_eq(drain(i, _i), REPLIES);
    }
}
END_TEST

/* All is put in before anything is taken, then more: what was not taken moves within the buffer. */
START_TEST(a_long_pipeline)
{
    int type, rc;
    int64_t integer;
    struct rsp_span words;
    unsigned seen = 0;
    for (unsigned i = 0; i < 5000; i++) {
        char text[64];
        snprintf(text, sizeof text, i % 3 ? "+OK\r\n" : ":%u\r\n", i);
        feed_text(text);
        if (i % 7 != 6) continue;
        for (int k = 0; k < 6; k++, seen++) {
            ck_assert_int_eq(resp_reader_skim(&r, &type, &integer, &words), RSP_OK);
            ck_assert_int_eq(type, seen % 3 ? '+' : ':');
            ck_assert_int_eq(integer, seen % 3 ? 0 : seen);
        }
    }
    while (!(rc = resp_reader_skim(&r, &type, &integer, &words))) seen++;
    ck_assert_int_eq(rc, RSP_AGAIN);
    ck_assert_uint_eq(seen, 5000);
}
END_TEST

START_TEST(skim_then_next)
{
    int type;
    int64_t integer;
    struct rsp_span words;
    feed_text("*2\r\n-ERR a\r\n$3\r\nab");
    ck_assert_int_eq(resp_reader_skim(&r, &type, &integer, &words), RSP_AGAIN);
    expect_more();
    ck_assert_int_eq(resp_reader_skim(&r, &type, &integer, &words), RSP_AGAIN);
    feed_text("c\r\n-\r\n");
    expect("[-ERR a $abc]");
    ck_assert_int_eq(resp_reader_skim(&r, &type, &integer, &words), RSP_OK);
    ck_assert_int_eq(type, '-');
    ck_assert_uint_eq(words.n, 1); /* an error without words is still seen */
    ck_assert_mem_eq(words.p, "-", 1);
}
END_TEST

START_TEST(the_rest_is_handed_over)
{
    struct rsp_span rest;
    feed_text("+FULLRESYNC abc 1\r\n\n\n$5\r\nREDIS");
    expect("+FULLRESYNC abc 1");
    rest = resp_reader_rest(&r);
    ck_assert_uint_eq(rest.n, 11);
    ck_assert_mem_eq(rest.p, "\n\n$5\r\nREDIS", 11);
    ck_assert_uint_eq(resp_reader_rest(&r).n, 0);
    feed_text("*1\r\n$4\r\nhal");
    expect_more();
    rest = resp_reader_rest(&r); /* of a reply that is not whole, all of it */
    ck_assert_uint_eq(rest.n, 11);
    feed_text(":7\r\n");
    expect(":7");
}
END_TEST

START_TEST(large_bulk_in_small_pieces)
{
    static char big[300000];
    const struct rsp_reply *reply;
    memset(big, 'x', sizeof big);
    big[7] = '\r', big[8] = '\n';
    feed_text("+a\r\n$300000\r\n");
    expect("+a");
    for (size_t at = 0; at < sizeof big; at += 100) {
        expect_more();
        feed(big + at, 100);
    }
    feed_text("\r");
    expect_more();
    feed_text("\n+b\r\n");
    ck_assert_int_eq(resp_reader_next(&r, &reply), RSP_OK);
    ck_assert_uint_eq(reply->text.n, sizeof big);
    ck_assert_mem_eq(reply->text.p, big, sizeof big);
    expect("+b");
}
END_TEST

/* Room that was grown for one reply is not kept for ever. */
START_TEST(memory_is_given_back)
{
    static char big[5 << 20];
    const struct rsp_reply *reply;
    again(6 << 20);
    feed_text("$5242880\r\n");
    feed(big, sizeof big);
    feed_text("\r\n");
    ck_assert_int_eq(resp_reader_next(&r, &reply), RSP_OK);
    feed_text("+OK\r\n");
    ck_assert_uint_lt(r.in.cap, 1 << 20);
    expect("+OK");
}
END_TEST

/* ---- hostile ---- */

static const struct {
    const char *text, *word;
} malformed[] = {
    {"HTTP/1.1 400 Bad Request\r\n", "HTTP/1.1 400"},
    {"\r\n", "begins like this"},
    {"+OK\n", "CR LF"},
    {"+\n", "CR LF"},
    {":\r\n", "integer"},
    {":1x\r\n", "integer"},
    {":9223372036854775808\r\n", "integer"},
    {":01\r\n", "integer"},
    {"$\r\n", "length"},
    {"$-2\r\n", "length"},
    {"$+1\r\nx\r\n", "length"},
    {"$5 \r\n", "length"},
    {"$99999999999999999999\r\n", "length"},
    {"$18446744073709551615\r\n", "length"},
    {"*-2\r\n", "length"},
    {"*x\r\n", "length"},
    {"%-1\r\n", "below zero"},
    {"~-1\r\n", "below zero"},
    {"!-1\r\n", "below zero"},
    {"=-1\r\n", "below zero"},
    {"$2\r\nabc\r\n", "longer than announced"},
    {"$2\r\nab\n\r", "longer than announced"},
    {"=3\r\nabc\r\n", "verbatim"},
    {"=5\r\nabcde\r\n", "verbatim"},
    {"_x\r\n", "null"},
    {"#x\r\n", "boolean"},
    {"#\r\n", "boolean"},
    {"#tt\r\n", "boolean"},
    {">1\r\n+x\r\n", "push"},
    {"|1\r\n+x\r\n+y\r\n", "push"},
    {"*2\r\n:1\r\n?\r\n", "begins like this"},
};

START_TEST(malformed_replies)
{
    const char *text = malformed[_i].text;
    size_t n = strlen(text);
    int type, rc = RSP_AGAIN;
    int64_t integer;
    struct rsp_span words;
    feed_text("+before\r\n");
    expect("+before");
    feed_text(text);
    expect_fault(RSP_EFORMAT, malformed[_i].word);
    ck_assert(error.has_offset && error.offset >= 9 && error.offset < 9 + n);
    again(1 << 20);
    for (size_t at = 0; at < n && rc == RSP_AGAIN; at++) {
        feed(text + at, 1);
        rc = resp_reader_skim(&r, &type, &integer, &words);
    }
    ck_assert_int_eq(rc, RSP_EFORMAT);
    ck_assert(strstr(error.message, "malformed"));
    ck_assert_int_eq(resp_reader_skim(&r, &type, &integer, &words), RSP_ESTATE);
}
END_TEST

START_TEST(limits)
{
    char text[64];
    again(1000);
    feed_text("$990\r\n"); /* with its head and end 998 bytes */
    expect_more();
    again(1000);
    feed_text("$995\r\n");
    expect_fault(RSP_ELIMIT, "bulk too long");
    again(1000);
    feed_text("$9223372036854775807\r\n");
    expect_fault(RSP_ELIMIT, "bulk too long");
    again(1000);
    feed_text("*9223372036854775807\r\n");
    expect_fault(RSP_ELIMIT, "more elements");
    again(1000);
    feed_text("%9223372036854775807\r\n");
    expect_fault(RSP_ELIMIT, "more elements");
    again(1000);
    feed_text("*200\r\n");
    for (int i = 0; i < 125; i++) feed_text("+abcde\r\n");
    expect_fault(RSP_ELIMIT, "too many bytes");
    again(0);
    snprintf(text, sizeof text, "$%llu\r\n", (unsigned long long)env.limits.alloc_bytes);
    feed_text(text);
    expect_fault(RSP_ELIMIT, "bulk too long");
}
END_TEST

START_TEST(elements_are_bounded)
{
    int type, rc;
    int64_t integer;
    struct rsp_span words;
    again(100000);
    feed_text("*30000\r\n");
    for (int i = 0; i < 30000; i++) feed_text("_\r\n");
    rc = resp_reader_skim(&r, &type, &integer, &words); /* builds nothing, so it may */
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_eq(type, '*');
    feed_text("*30000\r\n");
    for (int i = 0; i < 30000; i++) feed_text("_\r\n");
    expect_fault(RSP_ELIMIT, "too many elements");
}
END_TEST

START_TEST(depth)
{
    const struct rsp_reply *reply;
    for (int i = 0; i < RESP_DEPTH; i++) feed_text("*1\r\n");
    feed_text(":1\r\n");
    ck_assert_int_eq(resp_reader_next(&r, &reply), RSP_OK);
    for (int i = 0; i < RESP_DEPTH; i++) reply = reply->child;
    ck_assert_int_eq(reply->type, RSP_REPLY_INTEGER);
    for (int i = 0; i <= RESP_DEPTH; i++) feed_text("*1\r\n");
    expect_fault(RSP_ELIMIT, "arrays within arrays");
}
END_TEST

START_TEST(long_lines)
{
    static char a[RESP_LINE + 10];
    const struct rsp_reply *reply;
    memset(a, 'a', sizeof a);
    feed_text("+");
    feed(a, RESP_LINE);
    expect_more();
    feed_text("\r\n");
    ck_assert_int_eq(resp_reader_next(&r, &reply), RSP_OK);
    ck_assert_uint_eq(reply->text.n, RESP_LINE);
    feed_text("-");
    for (size_t i = 0; i < RESP_LINE + 1; i++) {
        feed(a, 1);
        expect_more();
    }
    feed(a, 1);
    expect_fault(RSP_ELIMIT, "line without an end");
    again(1 << 20);
    for (int i = 0; i < RESP_LINE; i++) feed_text("\n");
    expect_more();
    ck_assert_uint_eq(r.offset + r.at, RESP_LINE);
    feed_text("\n");
    expect_fault(RSP_EFORMAT, "nothing but newlines");
}
END_TEST

/* ---- memory ---- */

static int fail_after;

static void *failing(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque, (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    return fail_after-- > 0 ? realloc(p, new_n) : NULL;
}

static int in_pieces(size_t *taken)
{
    *taken = 0;
    for (size_t at = 0; at < sizeof stream - 1; at += 9) {
        const struct rsp_reply *reply;
        size_t n = sizeof stream - 1 - at, cap;
        uint8_t *p;
        int rc = resp_reader_room(&r, n < 9 ? n : 9, &p, &cap);
        if (rc) return rc;
        memcpy(p, stream + at, n < 9 ? n : 9);
        resp_reader_fed(&r, n < 9 ? n : 9);
        while (!(rc = resp_reader_next(&r, &reply))) ++*taken;
        if (rc != RSP_AGAIN) return rc;
    }
    return RSP_OK;
}

START_TEST(every_allocation_fails)
{
    size_t taken = 0;
    int rc = RSP_ENOMEM, n;
    env.resize = failing;
    for (n = 0; rc && n < 100; n++) {
        again(1 << 20);
        fail_after = n;
        rc = in_pieces(&taken);
        if (rc) ck_assert(rc == RSP_ENOMEM && error.code == RSP_ENOMEM);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 2);
    ck_assert_uint_eq(taken, REPLIES);
}
END_TEST

START_TEST(writing_without_memory)
{
    struct buf b;
    env.resize = failing;
    fail_after = 0;
    buf_init(&b, &env);
    ck_assert_int_eq(resp_words(&b, "SET a b"), RSP_ENOMEM);
    ck_assert_int_eq(resp_bulk_head(&b, 1), RSP_ENOMEM);
    ck_assert_int_eq(resp_u64(&b, 1), RSP_ENOMEM);
    ck_assert_uint_eq(b.n, 0);
    buf_free(&b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resp");
    TCase *tc = tcase_create("resp");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, commands_are_arrays_of_bulks);
    tcase_add_test(tc, error_codes);
    tcase_add_loop_test(tc, every_size_of_pieces, 0, 2);
    tcase_add_loop_test(tc, every_split_in_two, 0, 2);
    tcase_add_test(tc, a_long_pipeline);
    tcase_add_test(tc, skim_then_next);
    tcase_add_test(tc, the_rest_is_handed_over);
    tcase_add_test(tc, large_bulk_in_small_pieces);
    tcase_add_test(tc, memory_is_given_back);
    tcase_add_loop_test(tc, malformed_replies, 0, (int)(sizeof malformed / sizeof malformed[0]));
    tcase_add_test(tc, limits);
    tcase_add_test(tc, elements_are_bounded);
    tcase_add_test(tc, depth);
    tcase_add_test(tc, long_lines);
    tcase_add_test(tc, every_allocation_fails);
    tcase_add_test(tc, writing_without_memory);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
