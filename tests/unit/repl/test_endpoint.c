/* What this is: tests of URIs: what they set, what they refuse, and that no secret comes back out.
 * Rests on: libcheck.
 * Does not: connect. */
#include <check.h>
#undef fail
#include <stdlib.h>
#include <string.h>

#include <respite/sys/server.h>

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_endpoint e;
static char *room;

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&env, 0, sizeof env);
    env.size = sizeof env;
    env.error = &error;
    room = NULL;
}

static void teardown(void)
{
    free(room);
}

/* In a room of exactly the size that is promised to do. */
static int parse(const char *uri)
{
    free(room);
    room = malloc(strlen(uri) + 1);
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    memset(&error, 0, sizeof error);
    return rsp_endpoint_parse(&env, uri, room, strlen(uri) + 1, &e);
}

static void same(const char *got, const char *want)
{
    if (!want) ck_assert_ptr_null(got);
    else ck_assert_str_eq(got, want);
}

static const struct {
    const char *uri, *host, *socket, *user, *password;
    uint32_t port, db;
    int tls;
    const char *text;
} good[] = {
    {"redis://", NULL, NULL, NULL, NULL, 0, 0, 0, "redis://127.0.0.1:6379"},
    {"redis:///", NULL, NULL, NULL, NULL, 0, 0, 0, "redis://127.0.0.1:6379"},
    {"redis://db.example", "db.example", NULL, NULL, NULL, 0, 0, 0, "redis://db.example:6379"},
    {"REDIS://h:7000/3", "h", NULL, NULL, NULL, 7000, 3, 0, "redis://h:7000"},
    {"redis://h/15", "h", NULL, NULL, NULL, 0, 15, 0, "redis://h:6379"},
    {"redis://h:1/", "h", NULL, NULL, NULL, 1, 0, 0, "redis://h:1"},
    {"redis://:7000", NULL, NULL, NULL, NULL, 7000, 0, 0, "redis://127.0.0.1:7000"},
    {"rediss://bk:secret@h:7000", "h", NULL, "bk", "secret", 7000, 0, 1, "rediss://h:7000"},
    {"valkey://:secret@h", "h", NULL, NULL, "secret", 0, 0, 0, "redis://h:6379"},
    {"valkeys://secret@h", "h", NULL, NULL, "secret", 0, 0, 1, "rediss://h:6379"},
    {"redis://a%40b:p%3a%2F%25@h", "h", NULL, "a@b", "p:/%", 0, 0, 0, "redis://h:6379"},
    {"redis://:p@ss/w@h/2", "h", NULL, NULL, "p@ss/w", 0, 2, 0, "redis://h:6379"},
    {"redis://u:@h", "h", NULL, "u", "", 0, 0, 0, "redis://h:6379"},
    {"redis://[::1]", "::1", NULL, NULL, NULL, 0, 0, 0, "redis://[::1]:6379"},
    {"rediss://u:p@[fe80::1%eth0]:6380/1", "fe80::1%eth0", NULL, "u", "p", 6380, 1, 1,
     "rediss://[fe80::1%25eth0]:6380"},
    {"unix:///run/redis.sock", NULL, "/run/redis.sock", NULL, NULL, 0, 0, 0, "unix:///run/redis.sock"},
    {"unix:///a%20b@c?db=4", NULL, "/a b@c", NULL, NULL, 0, 4, 0, "unix:///a%20b@c"},
    {"unix://bk:p@/s?db=0", NULL, "/s", "bk", "p", 0, 0, 0, "unix:///s"},
    {"unix://:p@ss@/s", NULL, "/s", NULL, "p@ss", 0, 0, 0, "unix:///s"},
};

START_TEST(accepted)
{
    char text[200];
    ck_assert_msg(parse(good[_i].uri) == RSP_OK, "%s: %s", good[_i].uri, error.message);
    ck_assert(rsp_endpoint_is_uri(good[_i].uri));
    same(e.host, good[_i].host);
    same(e.socket, good[_i].socket);
    same(e.user, good[_i].user);
    same(e.password, good[_i].password);
    ck_assert_uint_eq(e.port, good[_i].port);
    ck_assert_uint_eq(e.db, good[_i].db);
    ck_assert_int_eq(e.tls, good[_i].tls);
    rsp_endpoint_text(&e, text, sizeof text);
    ck_assert_str_eq(text, good[_i].text);
}
END_TEST

static const char *const wrong[] = {
    "redis:/h",
    "http://h",
    "",
    "redis://secret:secret@h:0",
    "redis://:secret@h:65536",
    "redis://:secret@h:99999999999999999999",
    "redis://:secret@h:",
    "redis://:secret@h:7x",
    "redis://:secret@h/x",
    "redis://:secret@h/1/2",
    "redis://:secret@h/-1",
    "redis://:secret@h/0?db=2",
    "redis://:secret@h?x",
    "redis://:secret@h/2147483648",
    "redis://:secret@::1",
    "redis://:secret@h:1,i:2",
    "redis://:secret@[::1",
    "redis://:secret@[]",
    "redis://:secret@[::1]7",
    "redis://:secret@a b",
    "redis://:secret@a\nb",
    "redis://:secret@h\xff",
    "redis://:secret%@h",
    "redis://:secret%4@h",
    "redis://:secret%zz@h",
    "redis://:secret%00@h",
    "redis://secret%0g:x@h",
    "unix://secret",
    "unix://",
    "unix://:secret@",
    "unix:///s?db=secret",
    "unix:///secret?x=1",
    "unix:///secret%0",
};

/* A refused URI changes nothing, and its words hold nothing of it. */
START_TEST(refused)
{
    struct rsp_endpoint before;
    char line[700];
    memset(&before, 0, sizeof before);
    before.size = sizeof before;
    ck_assert_msg(parse(wrong[_i]) == RSP_EINVAL, "%s", wrong[_i]);
    ck_assert_mem_eq(&e, &before, sizeof e);
    rsp_error_format(&error, line, sizeof line);
    ck_assert_msg(!strstr(line, "secret"), "%s", line);
    ck_assert_uint_gt(strlen(error.message), 0);
}
END_TEST

START_TEST(others_stay)
{
    char buffer[64];
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    e.user = "kept";
    e.db = 7;
    e.tls = 1;
    e.socket = "/gone";
    e.port = 1234;
    ck_assert_int_eq(rsp_endpoint_parse(&env, "redis://:pw@h", buffer, sizeof buffer, &e), RSP_OK);
    ck_assert_str_eq(e.user, "kept");
    ck_assert_uint_eq(e.db, 7);
    ck_assert_int_eq(e.tls, 1);
    ck_assert_uint_eq(e.port, 1234);
    ck_assert_ptr_null(e.socket);
}
END_TEST

START_TEST(no_room)
{
    char buffer[13];
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    ck_assert_int_eq(rsp_endpoint_parse(&env, "redis://abcde", buffer, sizeof buffer, &e), RSP_EINVAL);
    ck_assert_ptr_null(e.host);
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(rsp_endpoint_parse(&env, "redis://abcd", buffer, sizeof buffer, &e), RSP_OK);
}
END_TEST

START_TEST(text_is_cut)
{
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    e.host = "a\x01"
             "b";
    e.password = "secret";
    for (size_t n = 1; n < 40; n++) {
        char *out = malloc(n);
        memset(out, 'x', n);
        rsp_endpoint_text(&e, out, n);
        ck_assert_uint_lt(strlen(out), n);
        ck_assert(!strstr(out, "secret"));
        if (n > 25) ck_assert_str_eq(out, "redis://a%01b:6379");
        free(out);
    }
    rsp_endpoint_text(&e, NULL, 0);
}
END_TEST

START_TEST(not_uris)
{
    ck_assert(!rsp_endpoint_is_uri("dump.rdb"));
    ck_assert(!rsp_endpoint_is_uri("redis:"));
    ck_assert(!rsp_endpoint_is_uri("rediss:/"));
    ck_assert(!rsp_endpoint_is_uri(""));
    ck_assert(rsp_endpoint_is_uri("Unix://"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("endpoint");
    TCase *t = tcase_create("endpoint");
    SRunner *runner;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, accepted, 0, (int)(sizeof good / sizeof *good));
    tcase_add_loop_test(t, refused, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(t, others_stay);
    tcase_add_test(t, no_room);
    tcase_add_test(t, text_is_cut);
    tcase_add_test(t, not_uris);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures != 0;
}
