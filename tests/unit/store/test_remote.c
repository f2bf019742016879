/* What this is: tests of what the drivers of remote stores share: URLs, escapes, options, XML; hostile ones above all.
 * Rests on: libcheck.
 * Does not: speak to a server. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/remote.h"

static struct rsp_error error;
static struct rsp_env env;

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    rsp_error_clear(&error);
    env_init(&env, &given);
}

/* ---- URLs ---- */

static const struct {
    const char *url, *again; /* NULL: the same */
    const char *scheme, *user, *host;
    uint32_t port;
    const char *path;
} urls[] = {
    {"s3://bucket", NULL, "s3", NULL, "bucket", 0, ""},
    {"s3://Bucket_1/a/b/", "s3://Bucket_1/a/b", "s3", NULL, "Bucket_1", 0, "/a/b"},
    {"s3://b//x///y//", "s3://b/x/y", "s3", NULL, "b", 0, "/x/y"},
    {"SFTP://Me@Host.Example:22/~/x", "sftp://Me@host.example/~/x", "sftp", "Me", "host.example", 0, "/~/x"},
    {"sftp://h:2222/a%20b/%C3%A4+c", "sftp://h:2222/a%20b/%C3%A4%2Bc", "sftp", NULL, "h", 2222, "/a b/\xc3\xa4+c"},
    {"sftp://h/a b", "sftp://h/a%20b", "sftp", NULL, "h", 0, "/a b"},
    {"sftp://a%40b@h/x@y", "sftp://a%40b@h/x%40y", "sftp", "a@b", "h", 0, "/x@y"},
    {"davs://[::1]:443/x", "davs://[::1]/x", "davs", NULL, "::1", 0, "/x"},
    {"dav://[0:0:0::FFFF]/", "dav://[::ffff]", "dav", NULL, "::ffff", 0, ""},
    {"davs://h?", "davs://h", "davs", NULL, "h", 0, ""},
    {"https://127.0.0.1:8080", NULL, "https", NULL, "127.0.0.1", 8080, ""},
    {"http://h:80/..a/.b/c..", "http://h/..a/.b/c..", "http", NULL, "h", 0, "/..a/.b/c.."},
    {"x+y-z.1://h/100%25", NULL, "x+y-z.1", NULL, "h", 0, "/100%"},
};

static void same(const char *a, const char *b)
{
    if (b) ck_assert_str_eq(a, b);
    else ck_assert_ptr_null(a);
}

START_TEST(url_good)
{
    struct remote_url u;
    struct buf out;
    uint32_t said = strstr(urls[_i].url, ":22/") ? 22 : strstr(urls[_i].url, ":443/") ? 443 : urls[_i].port;
    if (strstr(urls[_i].url, ":80/")) said = 80;
    ck_assert_msg(!remote_url_parse(&env, urls[_i].url, &u), "%s: %s", urls[_i].url, error.message);
    ck_assert_str_eq(u.scheme, urls[_i].scheme);
    same(u.user, urls[_i].user);
    ck_assert_str_eq(u.host, urls[_i].host);
    ck_assert_uint_eq(u.port, said);
    ck_assert_str_eq(u.path, urls[_i].path);
    ck_assert_uint_eq(u.params_n, 0);
    buf_init(&out, &env);
    ck_assert(!remote_url_text(&u, &out) && !buf_byte(&out, 0));
    ck_assert_str_eq((const char *)out.p, urls[_i].again ? urls[_i].again : urls[_i].url);
    buf_free(&out);
    remote_url_free(&u);
    remote_url_free(&u); /* twice is nothing */
}
END_TEST

START_TEST(url_params)
{
    static const char *const known[] = {"region", "endpoint", "style", "flag", NULL};
    struct remote_url u;
    struct buf out;
    ck_assert_int_eq(remote_url_parse(&env, "s3://b/p?style=path&endpoint=https://h:9/&region=%61%26&flag", &u), 0);
    ck_assert_uint_eq(u.params_n, 4);
    ck_assert_str_eq(remote_url_param(&u, "endpoint"), "https://h:9/");
    ck_assert_str_eq(remote_url_param(&u, "region"), "a&");
    ck_assert_str_eq(remote_url_param(&u, "flag"), "");
    ck_assert_ptr_null(remote_url_param(&u, "other"));
    ck_assert_int_eq(remote_url_known(&u, known), RSP_OK);
    ck_assert_int_eq(remote_url_known(&u, known + 1), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "'region'"));
    buf_init(&out, &env);
    ck_assert(!remote_url_text(&u, &out) && !buf_byte(&out, 0));
    ck_assert_str_eq((const char *)out.p, "s3://b/p?endpoint=https://h:9/&flag=&region=a%26&style=path");
    buf_free(&out);
    remote_url_free(&u);
}
END_TEST

static const char *const bad_urls[] = {
    "",
    "s3",
    "s3:",
    "s3:/b",
    "://b",
    "3s://b",
    "s_3://b",
    "s3://",
    "s3:///x",
    "s3://b c/",
    "s3://b%41/",
    "s3://\xc3\xa4/",
    "s3://b\\c/",
    "s3://b/../c",
    "s3://b/./c",
    "s3://b/%2e%2E/c",
    "s3://b/x/..",
    "s3://b/a%2fb",
    "s3://b/%",
    "s3://b/%4",
    "s3://b/%zz",
    "s3://b/%00",
    "s3://b/a\nb",
    "s3://b/%0a",
    "s3://b/\x7f",
    "s3://b#x",
    "s3://b/x#",
    "s3://b?a=b#c",
    "s3://b?a=1&a=2",
    "s3://b?a=1&b=2&%61=3",
    "s3://b?=x",
    "s3://b?&",
    "s3://b?a=1&",
    "s3://b?a=1&&b=2",
    "s3://b?a=%0d",
    "sftp://h:/",
    "sftp://h:0/",
    "sftp://h:022/",
    "sftp://h:65536/",
    "sftp://h:99999999999999999999/",
    "sftp://h:2x/",
    "sftp://h:-1/",
    "sftp://@h/",
    "sftp://[::1/",
    "sftp://[]/",
    "sftp://[::1]x/",
    "sftp://[::1]:/",
    "sftp://[1.2.3.4]/",
    "sftp://[fe80::1%25eth0]/",
    "sftp://[0000000000000000000000000000000000000000000000000000::1]/",
    "s3://b?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q",
};

START_TEST(url_bad)
{
    struct remote_url u;
    ck_assert_msg(remote_url_parse(&env, bad_urls[_i], &u) == RSP_EINVAL, "%s", bad_urls[_i]);
    ck_assert(error.code == RSP_EINVAL && error.message[0]);
    ck_assert_ptr_null(u.room);
    remote_url_free(&u);
}
END_TEST

static const char *const passwords[] = {
    "sftp://me:topsecret@h/x",
    "sftp://me:topsecret@h:x/",
    "sftp://:topsecret@h/",
    "sftp://me%3atopsecret@h/",
    "sftp://me:tops/ecret:topsecret@h/",
    "davs://me:a@topsecret@h/",
    "davs://me:#topsecret@h/",
    "davs://me:?topsecret@h/",
    "davs:me:topsecret@h/",
    "topsecret@h:22/x",
    "davs://h/x?password=topsecret&password=2",
};

START_TEST(url_password)
{
    char text[1024];
    struct remote_url u;
    ck_assert_int_eq(remote_url_parse(&env, passwords[_i], &u), RSP_EINVAL);
    rsp_error_format(&error, text, sizeof text);
    ck_assert_msg(!strstr(text, "secret"), "%s", text);
}
END_TEST

START_TEST(url_password_words)
{
    struct remote_url u;
    ck_assert_int_eq(remote_url_parse(&env, passwords[0], &u), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(error.message, "a password never stands in a URL"));
}
END_TEST

START_TEST(url_long)
{
    static char text[5000];
    struct remote_url u;
    memset(text, 'a', sizeof text - 1);
    memcpy(text, "s3://b/", 7);
    ck_assert_int_eq(remote_url_parse(&env, text, &u), RSP_EINVAL);
    text[4096] = 0;
    ck_assert_int_eq(remote_url_parse(&env, text, &u), RSP_OK);
    remote_url_free(&u);
    memset(text, 'h', 300);
    memcpy(text, "s3://", 5);
    rsp_error_clear(&error);
    ck_assert_int_eq(remote_url_parse(&env, text, &u), RSP_EINVAL); /* the host */
}
END_TEST

START_TEST(escapes)
{
    char all[256];
    struct buf out;
    for (int i = 1; i < 256; i++) all[i - 1] = (char)i;
    all[255] = 0;
    buf_init(&out, &env);
    ck_assert(!remote_escape(&out, "a/b c~-._%+\xff", 1) && !buf_byte(&out, 0));
    ck_assert_str_eq((const char *)out.p, "a/b%20c~-._%25%2B%FF");
    out.n = 0;
    ck_assert(!remote_escape(&out, "a/b", 0) && !buf_byte(&out, 0));
    ck_assert_str_eq((const char *)out.p, "a%2Fb");
    out.n = 0;
    ck_assert_int_eq(remote_escape(&out, all, 0), 0);
    ck_assert_uint_eq(out.n, 66 + 3 * (255 - 66)); /* 66 unreserved ones */
    buf_free(&out);
}
END_TEST

/* ---- options ---- */

START_TEST(options)
{
    struct rsp_store_remote o = {.size = sizeof o, .tries = 3, .cacert = "/nonexistent/ca.pem"};
    struct net_client *c;
    ck_assert_int_eq(remote_client(&env, NULL, &c), RSP_OK);
    net_client_free(c);
    ck_assert_int_eq(remote_client(&env, &o, &c), RSP_EINVAL);
    ck_assert_str_eq(error.subject, "/nonexistent/ca.pem");
    o.size = sizeof o.size; /* an older program's: what lies behind is not looked at */
    rsp_error_clear(&error);
    ck_assert_int_eq(remote_client(&env, &o, &c), RSP_OK);
    net_client_free(c);
}
END_TEST

/* ---- XML ---- */

static char told[4096];
static int stop_at, calls;

static int tell(const char *format, int depth, const char *name, const char *text)
{
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, format, depth, name, text);
    return ++calls == stop_at ? RSP_EUSER : RSP_OK;
}

static int on_begin(void *opaque, int depth, const char *name)
{
    ck_assert_ptr_eq(opaque, told);
    return tell("<%d%s%s", depth, name, "");
}

static int on_end(void *opaque, int depth, const char *name, const char *text)
{
    ck_assert_ptr_eq(opaque, told);
    return tell(">%d%s[%s]", depth, name, text);
}

static int parse(const char *text, size_t n)
{
    struct xml_walk walk = {on_begin, on_end, told};
    told[0] = 0;
    calls = 0;
    rsp_error_clear(&error);
    return xml_parse(&env, "the list", (struct rsp_span){(const uint8_t *)text, n}, &walk);
}

static const struct {
    const char *text, *told;
} documents[] = {
    {"<a/>", "<1a>1a[]"},
    {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<L xmlns=\"http://x/\"><Key>a&amp;b &#x41;</Key><N> 12 </N></L>",
     "<1L<2Key>2Key[a&b A]<2N>2N[ 12 ]>1L[]"},
    {"<D:multistatus xmlns:D=\"DAV:\"><D:href>/x</D:href></D:multistatus>",
     "<1multistatus<2href>2href[/x]>1multistatus[]"},
    {"<a>lost<b>x</b>lost</a>", "<1a<2b>2b[x]>1a[]"},
    {"<a><![CDATA[<x>&y;]]></a>", "<1a>1a[<x>&y;]"},
    {"<a>one<!-- two -->three<?pi?>four</a>", "<1a>1a[onethreefour]"},
    {"<!DOCTYPE a><a>x</a>", "<1a>1a[x]"},
};

START_TEST(xml_good)
{
    ck_assert_msg(!parse(documents[_i].text, strlen(documents[_i].text)), "%s", error.message);
    ck_assert_str_eq(told, documents[_i].told);
}
END_TEST

static const char *const bad_documents[] = {
    "",
    " ",
    "not XML",
    "<a>",
    "<a></b>",
    "<a/><b/>",
    "<a>&nbsp;</a>",
    "<a><b:/></a>",
    "<a>\x01</a>",
    "<a>\xff</a>",
    "<html><br></html>",
    "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
    "<!DOCTYPE a [<!ENTITY % x SYSTEM \"http://127.0.0.1/\">%x;]><a/>",
    "<!DOCTYPE a [<!ENTITY a0 \"ha\"><!ENTITY a1 \"&a0;&a0;&a0;\"><!ENTITY a2 \"&a1;&a1;&a1;\">]><a>&a2;</a>",
    "<!DOCTYPE a SYSTEM \"http://127.0.0.1/x.dtd\"><a>&x;</a>\x01",
};

START_TEST(xml_bad)
{
    ck_assert_msg(parse(bad_documents[_i], strlen(bad_documents[_i])) == RSP_EFORMAT, "%s", bad_documents[_i]);
    ck_assert_int_eq(error.code, RSP_EFORMAT);
    ck_assert_str_eq(error.subject, "the list");
    ck_assert(error.has_offset && !error.retryable && !strstr(told, "ha"));
}
END_TEST

static void repeat(struct buf *b, const char *text, size_t n)
{
    while (n--) ck_assert_int_eq(buf_add(b, text, strlen(text)), 0);
}

START_TEST(xml_bounds)
{
    struct buf b;
    buf_init(&b, &env);
    repeat(&b, "<a>", XML_DEPTH_MAX);
    repeat(&b, "</a>", XML_DEPTH_MAX);
    ck_assert_int_eq(parse((char *)b.p, b.n), RSP_OK);
    b.n = 0;
    repeat(&b, "<a>", XML_DEPTH_MAX + 1);
    repeat(&b, "</a>", XML_DEPTH_MAX + 1);
    ck_assert_int_eq(parse((char *)b.p, b.n), RSP_EFORMAT);
    ck_assert_ptr_nonnull(strstr(error.message, "nested too deep"));
    for (size_t over = 0; over < 2; over++) {
        b.n = 0;
        repeat(&b, "<a>", 1);
        repeat(&b, "x", XML_TEXT_MAX + over);
        repeat(&b, "</a>", 1);
        ck_assert_int_eq(parse((char *)b.p, b.n), over ? RSP_EFORMAT : RSP_OK);
    }
    b.n = 0; /* more than one piece, cut anywhere */
    repeat(&b, "<a>", 1);
    repeat(&b, "<bc>12345</bc>", 200000);
    repeat(&b, "</a>", 1);
    ck_assert_int_eq(parse((char *)b.p, b.n), RSP_OK);
    ck_assert_int_eq(calls, 400002);
    buf_free(&b);
}
END_TEST

START_TEST(xml_stopped)
{
    static const char text[] = "<a><b/><c>x</c></a>";
    for (stop_at = 1; stop_at <= 6; stop_at++) {
        ck_assert_int_eq(parse(text, sizeof text - 1), RSP_EUSER);
        ck_assert_int_eq(calls, stop_at);
        ck_assert_int_eq(error.code, 0); /* the words are the callback's */
    }
    ck_assert_int_eq(parse(text, sizeof text - 1), RSP_OK);
    stop_at = 0;
}
END_TEST

/* ---- memory ---- */

static int left = -1;

static void *short_of(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    if (left >= 0 && left-- == 0) return NULL;
    return realloc(p, n);
}

START_TEST(no_memory)
{
    struct rsp_env given = {.size = sizeof given, .error = &error, .resize = short_of};
    struct rsp_env small;
    int rc = RSP_ENOMEM;
    env_init(&small, &given);
    for (int i = 0; rc; i++) {
        struct rsp_store_remote o = {.size = sizeof o, .proxy = "http://p/", .no_proxy = "x"};
        struct remote_url u;
        struct net_client *c = NULL;
        struct buf out;
        ck_assert_int_lt(i, 50);
        rsp_error_clear(&error);
        left = i;
        buf_init(&out, &small);
        rc = remote_url_parse(&small, "s3://b/a?b=c", &u);
        if (!rc) rc = remote_url_text(&u, &out);
        if (!rc) rc = remote_client(&small, &o, &c);
        left = -1;
        ck_assert(!rc || (rc == RSP_ENOMEM && error.code == rc));
        net_client_free(c);
        buf_free(&out);
        remote_url_free(&u);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("remote");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failures;
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, url_good, 0, sizeof urls / sizeof *urls);
    tcase_add_test(t, url_params);
    tcase_add_loop_test(t, url_bad, 0, sizeof bad_urls / sizeof *bad_urls);
    tcase_add_loop_test(t, url_password, 0, sizeof passwords / sizeof *passwords);
    tcase_add_test(t, url_password_words);
    tcase_add_test(t, url_long);
    tcase_add_test(t, escapes);
    tcase_add_test(t, options);
    tcase_add_loop_test(t, xml_good, 0, sizeof documents / sizeof *documents);
    tcase_add_loop_test(t, xml_bad, 0, sizeof bad_documents / sizeof *bad_documents);
    tcase_add_test(t, xml_bounds);
    tcase_add_test(t, xml_stopped);
    tcase_add_test(t, no_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
