/* What this is: tests of what a WebDAV server tells (multistatus, names, numbers), of temporary names and of URLs.
 * Rests on: store/dav_impl.h.
 * Does not: speak to a server that answers (tests/live/store). */
#include <check.h>
#undef fail
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/dav_impl.h"

static struct rsp_error error;
static struct rsp_env env;
static char told[2000];

static void setup(void)
{
    memset(&error, 0, sizeof error);
    env_init(&env, NULL);
    env.error = &error;
    told[0] = 0;
}

/* "HREF has bytes mtime quota;" of each answer. */
static int tell(void *opaque, const struct dav_answer *a)
{
    size_t n = strlen(told);
    int *left = opaque;
    snprintf(told + n, sizeof told - n, "%s %u %llu %lld %llu;", a->href, a->has, (unsigned long long)a->bytes,
             (long long)a->mtime_ms, (unsigned long long)a->quota);
    return left && !--*left ? RSP_EUSER : RSP_OK;
}

static int parse_n(const char *text, size_t n)
{
    told[0] = 0;
    rsp_error_clear(&error);
    return dav_multistatus(&env, "davs://h/r", (struct rsp_span){(const uint8_t *)text, n}, tell, NULL);
}

static int parse(const char *text)
{
    return parse_n(text, strlen(text));
}

#define STATUS(s) "<status>HTTP/1.1 " s "</status>"
#define FILE_PROPS(n)                                                                                   \
    "<prop><resourcetype/><getcontentlength>" n "</getcontentlength><getlastmodified>Fri, 20 Nov 2026 " \
    "14:45:12 GMT</getlastmodified></prop>"
#define RESPONSE(href, inside) "<response><href>" href "</href>" inside "</response>"
#define MULTI(inside) "<multistatus xmlns=\"DAV:\">" inside "</multistatus>"

START_TEST(test_answers)
{
    ck_assert_int_eq(parse(MULTI(RESPONSE("/r/", "<propstat><prop><resourcetype><collection/></resourcetype>"
                                                 "<quota-available-bytes>77</quota-available-bytes></prop>" STATUS(
                                                     "200 OK") "</propstat><propstat><prop><getcontentlength/>"
                                                               "</prop>" STATUS("404 Not Found") "</propstat>")
                                     RESPONSE("/r/x", "<propstat>" FILE_PROPS("12") STATUS("200 OK") "</propstat>"))),
                     RSP_OK);
    ck_assert_str_eq(told, "/r/ 12 0 0 77;/r/x 3 12 1795185912000 0;");
    /* The status may come first, and the prefix may be any. */
    ck_assert_int_eq(
        parse("<?xml version=\"1.0\"?>\n<D:multistatus xmlns:D=\"DAV:\"><D:response><D:href> /r/y </D:href>"
              "<D:propstat><D:status>HTTP/2 200</D:status><D:prop><x:getcontentlength xmlns:x=\"DAV:\"> 5\n"
              "</x:getcontentlength></D:prop></D:propstat></D:response></D:multistatus>"),
        RSP_OK);
    ck_assert_str_eq(told, " /r/y  1 5 0 0;");
    ck_assert_int_eq(parse(MULTI("")), RSP_OK);
    ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(test_not_good)
{
    /* What did not succeed was not told; a response with a status of its own that failed is none. */
    ck_assert_int_eq(parse(MULTI(RESPONSE("/a", "<propstat>" FILE_PROPS("12") STATUS("403 Forbidden") "</propstat>")
                                     RESPONSE("/b", STATUS("404 Not Found")) RESPONSE("/c", STATUS("200 OK"))
                                         RESPONSE("/d", "<propstat>" FILE_PROPS("1") "</propstat>") RESPONSE(
                                             "/e", "<propstat>" FILE_PROPS("1") STATUS("nonsense") "</propstat>"))),
                     RSP_OK);
    ck_assert_str_eq(told, "/a 0 0 0 0;/c 0 0 0 0;/d 0 0 0 0;/e 0 0 0 0;");
    /* Values in the wrong place climb nowhere, nor from one response into the next. */
    ck_assert_int_eq(
        parse(MULTI("<response><propstat><other><getcontentlength>5</getcontentlength></other>" STATUS(
            "200 OK") "</propstat><href>/a</href></response>"
                      "<response><prop><getcontentlength>5</getcontentlength></prop><href>/b</href></response>"
                      "<response><propstat>" FILE_PROPS("9") STATUS("200 OK") "</propstat></response>" RESPONSE(
                          "/c", "<propstat><prop><x><collection/></x><resourcetype/></prop>" STATUS(
                                    "200 OK") "</propstat>"))),
        RSP_OK);
    ck_assert_str_eq(told, "/a 0 0 0 0;/b 0 0 0 0;/c 0 0 0 0;");
}
END_TEST

START_TEST(test_numbers)
{
    static const char *const wrong[] = {
        "", " ", "-1", "+1", "1x", "x", "1 2", "18446744073709551616", "99999999999999999999999999", "1.5", "0x10"};
    uint64_t v = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(dav_number(wrong[i], &v) == -1 && v == 7, "%s", wrong[i]);
    ck_assert_int_eq(dav_number("18446744073709551615", &v), 0);
    ck_assert(v == UINT64_MAX);
    ck_assert_int_eq(dav_number(" 0042\r\n", &v), 0);
    ck_assert(v == 42);
    /* A size that overflows was not told. */
    ck_assert_int_eq(
        parse(MULTI(RESPONSE("/a", "<propstat>" FILE_PROPS("18446744073709551616") STATUS("200 OK") "</propstat>"))),
        RSP_OK);
    ck_assert_str_eq(told, "/a 2 0 1795185912000 0;");
}
END_TEST

START_TEST(test_malformed)
{
    static const char whole[] = MULTI(RESPONSE("/r/x", "<propstat>" FILE_PROPS("12") STATUS("200 OK") "</propstat>"));
    static const char *const wrong[] = {
        "",
        "hello",
        "<html></html>",
        "<a><multistatus/></a>",
        "<multistatus>",
        MULTI("<response>"),
        "<!DOCTYPE m [<!ENTITY a \"b\">]><multistatus><response><href>&a;</href></response></multistatus>"};
    char deep[4000];
    size_t at;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(parse(wrong[i]) == RSP_EFORMAT, "%s", wrong[i]);
        ck_assert_int_eq(error.code, RSP_EFORMAT);
        ck_assert_str_eq(told, "");
    }
    for (size_t n = 0; n < sizeof whole - 1; n++) ck_assert_int_eq(parse_n(whole, n), RSP_EFORMAT);
    ck_assert_int_eq(parse(whole), RSP_OK);
    at = (size_t)snprintf(deep, sizeof deep, "<multistatus>");
    for (int i = 0; i < 200; i++) at += (size_t)snprintf(deep + at, sizeof deep - at, "<response>");
    ck_assert_uint_lt(at, sizeof deep);
    ck_assert_int_eq(parse(deep), RSP_EFORMAT);
}
END_TEST

START_TEST(test_stops)
{
    static const char text[] = MULTI(RESPONSE("/a", "") RESPONSE("/b", "") RESPONSE("/c", ""));
    int left = 2;
    ck_assert_int_eq(dav_multistatus(&env, "s", (struct rsp_span){(const uint8_t *)text, sizeof text - 1}, tell, &left),
                     RSP_EUSER);
    ck_assert_str_eq(told, "/a 0 0 0 0;/b 0 0 0 0;");
}
END_TEST

/* 0, or what and the name. */
static const char *href(const char *text, const char *path)
{
    static char out[40];
    char name[12];
    int what = dav_href(text, path, name, sizeof name);
    snprintf(out, sizeof out, "%d %s", what, name);
    return out;
}

START_TEST(test_href)
{
    static const struct {
        const char *href, *is;
    } rows[] = {
        {"/r/a/", "1 "},
        {"/r/a", "1 "},
        {"/r/%61/", "1 "},
        {"https://h:1/r/a/", "1 "},
        {"http://other/r/a/x", "2 x"},
        {"/r/a/x", "2 x"},
        {"/r/a/x/", "2 x"},
        {" /r/a/x\n", "2 x"},
        {"\t/r/a/x/\r\n", "2 x"},
        {"/r/a/%78%2E%7e", "2 x.~"},
        {"/r/a/b%20c", "2 b c"},
        {"/r/a/..", "2 .."}, /* which is no name for those who ask */
        {"/r/a/x/y", "0 "},
        {"/r/a/x//", "0 "},
        {"/r/a//", "0 "},
        {"/r/a//x", "0 "},
        {"/r/a/x%2Fy", "0 "},
        {"/r/a/x%2f", "0 "},
        {"/r/a/x%00", "0 "},
        {"/r/a/x%", "0 "},
        {"/r/a/x%4", "0 "},
        {"/r/a/x%4g", "0 "},
        {"/r/a/x?y", "0 "},
        {"/r/a/x#y", "0 "},
        {"/r/a/b c", "0 "},
        {"/r/a/12345678901", "2 12345678901"},
        {"/r/a/123456789012", "0 "},
        {"/r/ab", "0 "},
        {"/r/", "0 "},
        {"/q/a/x", "0 "},
        {"/R/a/x", "0 "},
        {"", "0 "},
        {"https://h", "0 "},
        {"r/a/x", "0 "},
        {"//r/a/x", "0 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(!strcmp(href(rows[i].href, "/r/a/"), rows[i].is), "%s: %s", rows[i].href,
                      href(rows[i].href, "/r/a/"));
    ck_assert_str_eq(href("/", "/"), "1 ");
    ck_assert_str_eq(href("/x", "/"), "2 x");
    ck_assert_str_eq(href("https://h/x/", "/"), "2 x");
    ck_assert_str_eq(href("/%C3%A4 /x", "/\xc3\xa4 /"), "0 ");
    ck_assert_str_eq(href("/%C3%A4%20/x", "/\xc3\xa4 /"), "2 x");
}
END_TEST

START_TEST(test_part_names)
{
    ck_assert(dav_is_part("x.respite.part~0123abcd"));
    ck_assert(dav_is_part("a.b.respite.part~deadbeef"));
    ck_assert(!dav_is_part(".respite.part~0123abcd"));
    ck_assert(!dav_is_part("x.respite.part~0123abc"));
    ck_assert(!dav_is_part("x.respite.part~0123abcg"));
    ck_assert(!dav_is_part("x.respite.part~0123abcd.gz"));
    ck_assert(!dav_is_part("x.respite-0123abcd.part"));
    ck_assert(dav_is_part("x.respite.part~0123abcd.0000000012"));
    ck_assert(!dav_is_part("x.respite.part~0123abcd."));
    ck_assert(!dav_is_part("x.respite.part~0123abcd.1a"));
    ck_assert(!dav_is_part("x.respite.part~0123abcd1"));
    ck_assert(!dav_is_part(""));
    ck_assert(!store_name_ok("x.respite.part~0123abcd"));
}
END_TEST

static size_t until_failure;
static void *failing(void *opaque, void *p, size_t old_n, size_t new_n)
{
    (void)opaque;
    (void)old_n;
    if (!new_n) {
        free(p);
        return NULL;
    }
    return until_failure && !--until_failure ? NULL : realloc(p, new_n);
}

START_TEST(test_memory)
{
    static const char text[] = MULTI(RESPONSE("/a", "<propstat>" FILE_PROPS("1") STATUS("200 OK") "</propstat>"));
    int rc = RSP_ENOMEM;
    size_t n;
    env.resize = failing;
    for (n = 1; rc == RSP_ENOMEM && n < 50; n++) {
        until_failure = n;
        rc = parse(text);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_uint_gt(n, 2);
}
END_TEST

static const char *refused(const char *url)
{
    struct rsp_store_options o = {.size = sizeof o};
    struct rsp_store *s = (struct rsp_store *)&o;
    rsp_error_clear(&error);
    ck_assert_int_lt(rsp_store_open(&env, url, &o, &s), 0);
    ck_assert_ptr_null(s);
    return rsp_status_name(error.code);
}

/* A port where nobody listens, or, with *listener, where connections wait to be accepted. */
static unsigned port(int *listener)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(fd >= 0 && !bind(fd, (struct sockaddr *)&a, n) && !getsockname(fd, (struct sockaddr *)&a, &n));
    if (listener) ck_assert_int_eq(listen(*listener = fd, 4), 0);
    else close(fd);
    return ntohs(a.sin_port);
}

/* A password that may go to this very host in clear goes to no proxy. */
START_TEST(test_proxy)
{
    char url[64], proxy[64];
    struct rsp_store_remote r = {
        .size = sizeof r, .user = "me", .password = "secret", .proxy = proxy, .tries = 1, .connect_ms = 500};
    struct rsp_store_options o = {.size = sizeof o, .remote = &r};
    struct rsp_store *s;
    struct pollfd p = {.events = POLLIN};
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", port(&p.fd));
    snprintf(url, sizeof url, "dav://127.0.0.1:%u/x", port(NULL));
    ck_assert_int_eq(rsp_store_open(&env, url, &o, &s), RSP_ENET);
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    snprintf(url, sizeof url, "davs://127.0.0.1:%u/x", port(NULL)); /* it is one that is asked */
    rsp_error_clear(&error);
    ck_assert_int_lt(rsp_store_open(&env, url, &o, &s), 0);
    ck_assert_int_eq(poll(&p, 1, 0), 1);
    close(p.fd);
}
END_TEST

START_TEST(test_urls)
{
    ck_assert_str_eq(refused("dav://192.0.2.1/x"), "RSP_EINVAL");
    ck_assert_ptr_nonnull(strstr(error.message, "write davs:"));
    ck_assert_str_eq(refused("dav://127.0.0.1.example/x"), "RSP_EINVAL");
    ck_assert_str_eq(refused("dav://localhost.example/x"), "RSP_EINVAL");
    ck_assert_str_eq(refused("dav://[2001:db8::1]/x"), "RSP_EINVAL");
    ck_assert_str_eq(refused("davs://user@localhost/x"), "RSP_EINVAL");
    ck_assert_str_eq(refused("davs://user:secret@localhost/x"), "RSP_EINVAL");
    ck_assert_ptr_null(strstr(error.message, "secret"));
    ck_assert_ptr_null(strstr(error.subject, "secret"));
    ck_assert_str_eq(refused("davs://localhost/x?region=1"), "RSP_EINVAL");
    ck_assert_str_eq(refused("davs:///x"), "RSP_EINVAL");
    ck_assert_str_eq(refused("davs:x"), "RSP_EINVAL");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dav");
    TCase *tc = tcase_create("answers");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(tc, setup, NULL);
    tcase_add_test(tc, test_answers);
    tcase_add_test(tc, test_not_good);
    tcase_add_test(tc, test_numbers);
    tcase_add_test(tc, test_malformed);
    tcase_add_test(tc, test_stops);
    tcase_add_test(tc, test_href);
    tcase_add_test(tc, test_part_names);
    tcase_add_test(tc, test_memory);
    tcase_add_test(tc, test_urls);
    tcase_add_test(tc, test_proxy);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
