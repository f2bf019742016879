/* What this is: tests of an HTTP exchange: replies as servers and liars send them.
 * Rests on: libcheck, http_test.h.
 * Does not: test requests and lost connections (test_http.c), nor TLS, rates and tries (test_client.c). */
#include "http_test.h"

#define FINE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define UNASKED "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse" /* an answer to a request that nobody made */
static int pushed;                                                  /* atomic: 1: it shall be sent, 2: it was */

static const struct {
    const char *path, *text;
    int more;
} scripts[] = {
    {"/garbage", "\x01\x02\x03 this is not HTTP\r\n\r\n", 0},
    {"/ssh", "SSH-2.0-OpenSSH_9.2\r\n", 0},
    {"/nostatus", "HTTP/1.1 xyz\r\n\r\n", 0},
    {"/zero", "HTTP/1.1 000 none\r\nContent-Length: 0\r\n\r\n", 0},
    {"/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this", 0},
    {"/shortchunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 0},
    {"/chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\nDate: Fri, 20 Nov "
     "2026 14:45:12 GMT\r\nX-Late: 1\r\n\r\n",
     1},
    {"/badchunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\nhello\r\n", 0},
    {"/hugechunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n", 0},
    {"/huge", "HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nx", 0},
    {"/overflow", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nx", 0},
    {"/negative", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nx", 0},
    {"/two", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nhello", 0},
    {"/same", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 1},
    {"/100",
     "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 103 Hints\r\nContent-Length: 77\r\n\r\nHTTP/1.1 201 "
     "Made\r\nETag: \"a\"\r\nContent-Length: 0\r\n\r\n",
     1},
    {"/204", "HTTP/1.1 204 Nothing\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", 1},
    {"/404", "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone", 1},
    {"/206", "HTTP/1.1 206 Part\r\nContent-Range: bytes 2-4/9\r\nContent-Length: 3\r\n\r\ncde", 1},
    {"/302", "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 1},
    {"/cookie", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n", 1},
    {"/gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nraw", 1},
    {"/fields",
     "HTTP/1.1 200 OK\r\nX-A:  one \t\r\nx-a: two\r\nX-Empty:\r\nBad name: x\r\n folded\r\n"
     "DATE: nonsense\r\nContent-Length: 0\r\n\r\n",
     1},
    {"/eof", "HTTP/1.1 200 OK\r\n\r\nuntil the end", 0},
    {"/colon", "HTTP/1.1 200 OK\r\nNo colon here\r\n\r\n", 0},
    {"/empty", "", 0},
    {"/reset", "", -1},
    {"/half", "HTTP/1.1 200 OK\r\nContent-Le", 0},
    {"/close", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", 0},
    {"/more", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" UNASKED, 1},
    {"/more-chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" UNASKED, 1},
    {"/more-204", "HTTP/1.1 204 Nothing\r\n\r\n" UNASKED, 1},
    {"/more-head", "HTTP/1.1 200 OK\r\nContent-Length: 63\r\n\r\n" UNASKED, 1},
    {"/503", "HTTP/1.1 503 No\r\nContent-Range: bytes 2-4/9\r\nContent-Length: 100\r\n\r\nwait", 0},
};

static int endless(struct web_call *c, const char *head, const char *again)
{
    if (web_say(c, head)) return 0;
    while (!web_say(c, again)) {}
    return 0;
}

static int answer(struct web_call *c)
{
    char nul[] = "HTTP/1.1 200 OK\r\nX-Nul: a?b\r\nContent-Length: 0\r\n\r\n";
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (!strcmp(c->path, scripts[i].path)) return said(c, scripts[i].text, scripts[i].more);
    if (!strcmp(c->path, "/endless-head")) return endless(c, "HTTP/1.1 200 OK\r\n", "X-More: and more of it\r\n");
    if (!strcmp(c->path, "/endless-line"))
        return endless(c, "HTTP/1.1 200 OK\r\nX-More: ", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    if (!strcmp(c->path, "/endless-100")) return endless(c, "", "HTTP/1.1 100 Continue\r\n\r\n");
    if (!strcmp(c->path, "/endless-status")) return endless(c, "HTTP/1.1 2", "00000000000000000000000000000");
    if (!strcmp(c->path, "/endless-body")) return endless(c, "HTTP/1.1 200 OK\r\n\r\n", "<more>of</it>");
    if (!strcmp(c->path, "/endless-404")) return endless(c, "HTTP/1.1 404 No\r\n\r\n", "0123456789abcdef");
    if (!strcmp(c->path, "/endless-trailer"))
        return endless(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X-More: and more of it\r\n");
    if (!strcmp(c->path, "/nul")) {
        nul[strcspn(nul, "?")] = 0;
        web_send(c, nul, sizeof nul - 1);
        return 0;
    }
    if (!strcmp(c->path, "/push")) {
        web_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        while (!__atomic_load_n(&pushed, __ATOMIC_ACQUIRE)) usleep(1000);
        web_say(c, UNASKED);
        __atomic_store_n(&pushed, 2, __ATOMIC_RELEASE);
        return 1;
    }
    if (!strcmp(c->path, "/half-reset")) {
        web_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        return -1;
    }
    return said(c, FINE, 1);
}

START_TEST(replies)
{
    good(ask("GET", "/chunked", NULL), 200);
    body_is("hello!");
    ck_assert_ptr_null(http_field(&reply, "x-late"));
    ck_assert(reply.date_ms == INT64_MIN); /* a trailer proves nothing */
    good(ask("GET", "/100", NULL), 201);
    ck_assert_str_eq(http_field(&reply, "etag"), "\"a\"");
    ck_assert_ptr_null(http_field(&reply, "x-early"));
    good(ask("GET", "/204", NULL), 204);
    ck_assert(reply.date_ms == 784111777000);
    good(ask("GET", "/404", NULL), 404);
    body_is("gone");
    good(ask("GET", "/302", NULL), 302);
    ck_assert_str_eq(http_field(&reply, "location"), "http://127.0.0.1:1/");
    good(ask("GET", "/cookie", NULL), 200);
    good(ask("GET", "/gzip", NULL), 200);
    body_is("raw");
    ck_assert_ptr_null(sent("cookie"));
    good(ask("GET", "/same", NULL), 200);
    good(ask("GET", "/fields", NULL), 200);
    ck_assert_str_eq(http_field(&reply, "x-a"), "one");
    ck_assert_str_eq(http_field(&reply, "x-empty"), "");
    ck_assert(!http_field(&reply, "bad name") && !http_field(&reply, "two") && reply.date_ms == INT64_MIN);
    ck_assert_int_eq(web.connections, 1);
    good(ask("GET", "/eof", NULL), 200);
    body_is("until the end");
    good(ask("GET", "/close", NULL), 200);
    good(ask("GET", "/404", NULL), 404);
    ck_assert_int_eq(web.connections, 3); /* only those two ended it */
}
END_TEST

START_TEST(into_place)
{
    char room[8];
    struct http_request q = {.into = room, .into_n = 3};
    memset(room, '.', sizeof room);
    good(ask("GET", "/206", &q), 206);
    ck_assert_mem_eq(room, "cde.....", 8);
    ck_assert(reply.got == 3 && reply.body.n == 0);
    q.into_n = 2; /* told by the length: not a byte is taken */
    bad(ask("GET", "/206", &q), RSP_ELIMIT, 0);
    ck_assert_uint_eq(reply.got, 0);
    q.into_n = 5; /* without a length */
    memset(room, '.', sizeof room);
    bad(ask("GET", "/chunked", &q), RSP_ELIMIT, 0);
    ck_assert_mem_eq(room + 5, "...", 3);
    q.into_n = 3;
    memset(room, '.', sizeof room);
    good(ask("GET", "/404", &q), 404); /* words of a fault are not what was asked for */
    ck_assert(reply.body.n == 4 && !memcmp(reply.body.p, "gone", 4) && reply.got == 0);
    ck_assert_mem_eq(room, "........", 8);
    q.into_n = 0;
    good(ask("GET", "/cookie", &q), 200);
}
END_TEST

START_TEST(into_half)
{
    char room[200] = "";
    struct http_request q = {.into = room, .into_n = sizeof room};
    bad(ask("GET", "/short", &q), RSP_ENET, 1);
    ck_assert_uint_eq(reply.got, 9); /* from where to go on */
    ck_assert_mem_eq(room, "only this", 9);
    ck_assert_int_eq(ask("GET", "/half-reset", &q), RSP_ENET);
    ck_assert(error.retryable && reply.got <= 3);
}
END_TEST

/* What a refusal says is no part of what was asked for, however much of it came. */
START_TEST(into_nothing)
{
    char room[8];
    struct http_request q = {.into = room, .into_n = 3};
    memset(room, '.', sizeof room);
    bad(ask("GET", "/503", &q), RSP_ENET, 1);
    ck_assert_uint_eq(reply.got, 0);
    ck_assert_mem_eq(room, "........", 8);
}
END_TEST

static const struct {
    const char *method, *path;
    int status;
} talkers[] = {
    {"GET", "/more", 200}, {"GET", "/more-chunked", 200}, {"DELETE", "/more-204", 204}, {"HEAD", "/more-head", 200}};

/* What comes behind an answer is not the answer to what is asked next. */
START_TEST(answers_ahead)
{
    int rc = ask(talkers[_i].method, talkers[_i].path, NULL);
    if (rc) bad(rc, RSP_EFORMAT, 0);
    else good(rc, talkers[_i].status);
    for (int i = 0; i < 3; i++) {
        good(ask("GET", "/fine", NULL), 200);
        body_is("ok");
    }
}
END_TEST

/* The same when it comes while the connection waits. */
START_TEST(answer_pushed)
{
    __atomic_store_n(&pushed, 0, __ATOMIC_RELEASE);
    good(ask("GET", "/push", NULL), 200);
    body_is("ok");
    __atomic_store_n(&pushed, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&pushed, __ATOMIC_ACQUIRE) != 2) usleep(1000);
    for (int i = 0; i < 3; i++) {
        good(ask("GET", "/fine", NULL), 200);
        body_is("ok");
    }
}
END_TEST

START_TEST(body_bounds)
{
    struct http_request q = {.body_max = 3};
    bad(ask("GET", "/chunked", &q), RSP_ELIMIT, 0);
    good(ask("GET", "/404", &q), 404);
    ck_assert(reply.body.n == 3 && !memcmp(reply.body.p, "gon", 3));
    q.body_max = 100000;
    good(ask("GET", "/endless-404", &q), 404);
    ck_assert_uint_eq(reply.body.n, 100000);
    bad(ask("GET", "/endless-body", &q), RSP_ELIMIT, 0);
    bad(ask("GET", "/endless-body", NULL), RSP_ELIMIT, 0);
    ck_assert_uint_le(reply.body.n, 1 << 20);
}
END_TEST

static const struct {
    const char *path;
    int code, retryable;
} liars[] = {{"/garbage", RSP_EFORMAT, 0},
             {"/ssh", RSP_EFORMAT, 0},
             {"/nostatus", RSP_EFORMAT, 0},
             {"/zero", RSP_EFORMAT, 0},
             {"/short", RSP_ENET, 1},
             {"/shortchunk", RSP_ENET, 1},
             {"/huge", RSP_ELIMIT, 0},
             {"/overflow", RSP_EFORMAT, 0},
             {"/negative", RSP_EFORMAT, 0},
             {"/two", RSP_EFORMAT, 0},
             {"/empty", RSP_ENET, 1},
             {"/reset", RSP_ENET, 1},
             {"/endless-head", RSP_EFORMAT, 0},
             {"/endless-line", RSP_EFORMAT, 0},
             {"/endless-100", RSP_EFORMAT, 0},
             {"/endless-status", RSP_EFORMAT, 0},
             {"/endless-trailer", RSP_EFORMAT, 0},
             {"/nul", RSP_EFORMAT, 0},
             {"/badchunk", RSP_ENET, 1},
             {"/hugechunk", RSP_ENET, 1},
             {"/half", RSP_ENET, 1},
             {"/colon", RSP_EFORMAT, 0}};

START_TEST(lies)
{
    bad(ask("GET", liars[_i].path, NULL), liars[_i].code, liars[_i].retryable);
    good(ask("GET", "/fine", NULL), 200);
    body_is("ok");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http answers");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, replies);
    tcase_add_test(t, into_place);
    tcase_add_test(t, into_half);
    tcase_add_test(t, into_nothing);
    tcase_add_loop_test(t, answers_ahead, 0, sizeof talkers / sizeof *talkers);
    tcase_add_test(t, answer_pushed);
    tcase_add_test(t, body_bounds);
    tcase_add_loop_test(t, lies, 0, sizeof liars / sizeof *liars);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
