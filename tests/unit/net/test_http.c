/* What this is: tests of an HTTP exchange: requests as they go out, and connections that do not last.
 * Rests on: libcheck, http_test.h.
 * Does not: test what servers and liars send back (test_http_answers.c), nor TLS, rates and tries (test_client.c). */
#include "http_test.h"

static uint8_t got_body[3 << 20];
static size_t got_body_n;

/* What only a full request shows. */
static int echo(struct web_call *c)
{
    char head[128];
    ck_assert_uint_le(c->body_n, sizeof got_body);
    pthread_mutex_lock(&shared);
    if (c->body_n) memcpy(got_body, c->body, c->body_n);
    got_body_n = c->body_n;
    pthread_mutex_unlock(&shared);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nX-Connection: %d\r\nContent-Length: 2\r\n\r\n", c->connection);
    web_say(c, head);
    if (strcmp(c->method, "HEAD")) web_say(c, "ok");
    return 1;
}

static const struct {
    const char *path, *text;
    int more;
} scripts[] = {
    {"/404", "HTTP/1.1 404 No\r\nContent-Length: 4\r\n\r\ngone", 1},
    {"/empty", "", 0},
    {"/early", "HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", 0},
};

static int answer(struct web_call *c)
{
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        if (!strcmp(c->path, scripts[i].path)) return said(c, scripts[i].text, scripts[i].more);
    if (!strncmp(c->path, "/die-second", 11))
        return c->nth == 1 ? said(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1) : 0;
    return echo(c);
}

/* ---- requests ---- */

START_TEST(get)
{
    good(ask("GET", "/a%20b/../c?x=1&y=%2F", NULL), 200);
    body_is("ok");
    ck_assert_msg(!strncmp(seen, "GET /a%20b/../c?x=1&y=%2F HTTP/1.1\r\n", 36), "%s", seen);
    ck_assert_str_eq(http_field(&reply, "x-connection"), "1");
    ck_assert_ptr_null(sent("content-type"));
    ck_assert_ptr_null(sent("content-length"));
    ck_assert_ptr_null(sent("authorization"));
    ck_assert_ptr_null(sent("expect"));
    ck_assert(!strncmp(sent("user-agent"), "respite/", 8));
    good(ask("HEAD", "/x", NULL), 200);
    ck_assert(!strncmp(seen, "HEAD /x HTTP/1.1\r\n", 18));
    ck_assert_str_eq(http_field(&reply, "content-length"), "2");
    ck_assert_uint_eq(reply.body.n, 0);
    good(ask("DELETE", "/x", NULL), 200);
    ck_assert(!strncmp(seen, "DELETE /x", 9) && !sent("content-length"));
    ck_assert_str_eq(http_field(&reply, "x-connection"), "1"); /* kept through all of them */
    ck_assert_int_eq(web.connections, 1);
}
END_TEST

START_TEST(put_bytes)
{
    static uint8_t bytes[2 << 20];
    struct http_request q = {.p = bytes, .n = sizeof bytes};
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 + (i >> 12));
    good(ask("PUT", "/big", &q), 200);
    ck_assert_str_eq(sent("content-length"), "2097152");
    ck_assert(!sent("expect") && !sent("content-type") && !sent("transfer-encoding"));
    ck_assert_uint_eq(got_body_n, sizeof bytes);
    ck_assert_mem_eq(got_body, bytes, sizeof bytes);
    q = (struct http_request){.has_body = 1};
    good(ask("PROPFIND", "/none", &q), 200);
    ck_assert(!strncmp(seen, "PROPFIND /none", 14));
    ck_assert_str_eq(sent("content-length"), "0");
    good(ask("POST", "/none", NULL), 200);
    ck_assert_str_eq(sent("content-length"), "0");
    ck_assert_ptr_null(sent("content-type"));
    q = (struct http_request){.p = "<a/>", .n = 4};
    good(ask("PROPFIND", "/xml", &q), 200);
    ck_assert(got_body_n == 4 && !memcmp(got_body, "<a/>", 4));
    ck_assert_int_eq(web.connections, 1);
}
END_TEST

struct stream {
    size_t at, n;
    int fault;
};

static int stream_read(void *opaque, uint8_t *p, size_t cap, size_t *n)
{
    struct stream *s = opaque;
    if (s->fault && s->at >= s->n / 2) return fail(&env, s->fault, "the disk", "cannot read on");
    *n = s->n - s->at < cap ? s->n - s->at : cap;
    if (*n > 1000) *n = 1000;
    memset(p, 'x', *n);
    s->at += *n;
    return RSP_OK;
}

START_TEST(put_stream)
{
    struct stream s = {.n = 123456};
    struct http_request q = {.read = stream_read, .opaque = &s, .length = s.n};
    good(ask("PUT", "/s", &q), 200);
    ck_assert_str_eq(sent("content-length"), "123456");
    ck_assert_uint_eq(got_body_n, 123456);
    s.at = 0;
    q.length = UINT64_MAX;
    good(ask("PUT", "/s", &q), 200);
    ck_assert_str_eq(sent("transfer-encoding"), "chunked");
    ck_assert_uint_eq(got_body_n, 123456);
    s.at = 0;
    q.length = 1000; /* more comes than was promised: the rest stays where it is */
    good(ask("PUT", "/s", &q), 200);
    ck_assert_uint_eq(got_body_n, 1000);
    s.at = 0;
    q.length = 200000;
    bad(ask("PUT", "/s", &q), RSP_EINVAL, 0);
    s.at = 0;
    s.fault = RSP_EIO;
    ck_assert_int_eq(ask("PUT", "/s", &q), RSP_EIO);
    ck_assert_int_eq(error.code, RSP_EIO);
    ck_assert_str_eq(error.subject, "the disk");
    ck_assert_str_eq(error.message, "cannot read on");
    ck_assert_str_eq(error.trail, "PUT request");
    good(ask("GET", "/s", NULL), 200); /* and the client is as good as before */
}
END_TEST

START_TEST(fields)
{
    struct http_field f[] = {{"X-One", "a b;c"}, {"X-None", ""}, {"Content-Type", "text/xml"}, {"Range", "bytes=1-2"}};
    struct http_request q = {.fields = f, .fields_n = 4, .user = "me:too", .password = "p w"};
    good(ask("GET", "/f", &q), 200);
    ck_assert_str_eq(sent("x-one"), "a b;c");
    ck_assert_str_eq(sent("x-none"), "");
    ck_assert_str_eq(sent("content-type"), "text/xml");
    ck_assert_str_eq(sent("range"), "bytes=1-2");
    ck_assert_str_eq(sent("authorization"), "Basic bWU6dG9vOnAgdw==");
    good(ask("GET", "/f", NULL), 200); /* nothing of it is left */
    ck_assert(!sent("authorization") && !sent("x-one") && !sent("range"));
}
END_TEST

static const struct http_field wrong_fields[] = {{"X", "a\r\nY: b"}, {"X", "a\nb"}, {"X", "\x7f"}, {"X", "\x01"},
                                                 {"X", "a\tb"},      {"X y", "a"},  {"", "a"},     {"X:", "a"},
                                                 {"X\r\nY", "a"},    {"X\n", "abc"}};

START_TEST(fields_refused)
{
    struct http_request q = {.fields = &wrong_fields[_i], .fields_n = 1};
    bad(ask("GET", "/x", &q), RSP_EINVAL, 0);
    ck_assert_int_eq(web.connections, 0);
}
END_TEST

START_TEST(requests_refused)
{
    static const char *const methods[] = {"", "GET /x", "GE\r\nT", "G:T"};
    static const char *const paths[] = {"/a b", "/a\r\nX: y", "/\xc3\xa4", "/\x7f"};
    struct http_request q = {.method = "GET"};
    for (size_t i = 0; i < 4; i++) bad(ask(methods[i], "/x", NULL), RSP_EINVAL, 0);
    for (size_t i = 0; i < 4; i++) bad(ask("GET", paths[i], NULL), RSP_EINVAL, 0);
    q.url = "file:///etc/passwd";
    rsp_error_clear(&error);
    ck_assert_int_ne(http_exchange(client, &env, &q, &reply), RSP_OK);
    ck_assert(error.code && !error.retryable);
    q.url = "http://me:secret@127.0.0.1/";
    rsp_error_clear(&error);
    ck_assert_int_ne(http_exchange(client, &env, &q, &reply), RSP_OK);
    ck_assert_int_eq(web.connections, 0);
}
END_TEST

START_TEST(secrets_stay_out)
{
    struct http_request q = {.user = "user", .password = "topsecret"};
    bad(ask("GET", "/empty?X-Amz-Signature=topsecret", &q), RSP_ENET, 1);
    ck_assert(!strstr(error.subject, "topsecret") && !strstr(error.message, "topsecret"));
    ck_assert(!strchr(error.subject, '?'));
}
END_TEST

/* ---- connections ---- */

START_TEST(reset_before)
{
    web_stop(&web);
    web.reset_first = 1;
    web_start(&web);
    bad(ask("GET", "/x", NULL), RSP_ENET, 1);
    good(ask("GET", "/x", NULL), 200);
}
END_TEST

/* A connection that was kept and is dead: what only asks goes out again unseen, what changes something does not. */
START_TEST(dead_connection)
{
    struct http_request q = {.p = "abc", .n = 3};
    good(ask("GET", "/die-second", NULL), 200);
    bad(ask("PUT", "/die-second", &q), RSP_ENET, 1);
    ck_assert_int_eq(web.requests, 2);
    good(ask("GET", "/die-second", NULL), 200);
    good(ask("GET", "/die-second", NULL), 200); /* the third connection's first */
    ck_assert_int_eq(web.requests, 5);
}
END_TEST

START_TEST(early_answer)
{
    static uint8_t bytes[8 << 20];
    struct http_request q = {.p = bytes, .n = sizeof bytes};
    int rc = ask("PUT", "/early", &q); /* the answer may be lost with the rest of the body that nobody reads */
    ck_assert_msg((rc == RSP_OK && reply.status == 403) || (rc == RSP_ENET && error.retryable), "%d %s", rc,
                  error.message);
    good(ask("GET", "/x", NULL), 200);
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
    struct http_field f = {"X-A", "b"};
    struct http_request q = {.method = "GET", .url = url, .fields = &f, .fields_n = 1};
    int rc = RSP_ENOMEM;
    env_init(&small, &given);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/404", web.port);
    options.proxy = "";
    for (int i = 0; rc; i++) {
        struct net_client *c = NULL;
        struct http_reply r;
        ck_assert_int_lt(i, 100);
        rsp_error_clear(&error);
        left = i;
        http_reply_init(&r, &small);
        rc = net_client_new(&small, &options, &c);
        if (!rc) rc = http_exchange(c, &small, &q, &r);
        left = -1;
        ck_assert_msg(!rc || (rc == RSP_ENOMEM && error.code == rc), "%d %d %s", i, rc, error.message);
        http_reply_free(&r);
        net_client_free(c);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, get);
    tcase_add_test(t, put_bytes);
    tcase_add_test(t, put_stream);
    tcase_add_test(t, fields);
    tcase_add_loop_test(t, fields_refused, 0, sizeof wrong_fields / sizeof *wrong_fields);
    tcase_add_test(t, requests_refused);
    tcase_add_test(t, secrets_stay_out);
    tcase_add_test(t, reset_before);
    tcase_add_test(t, dead_connection);
    tcase_add_test(t, early_answer);
    tcase_add_test(t, no_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
