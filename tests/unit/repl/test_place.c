/* What this is: tests of the URIs of places, and of slots as text.
 * Rests on: libcheck.
 * Does not: connect. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/topology.h>

static struct rsp_error error;
static struct rsp_env env;
static struct rsp_place p;
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
    memset(&p, 0, sizeof p);
    p.size = sizeof p;
    memset(&error, 0, sizeof error);
    return rsp_place_parse(&env, uri, room, strlen(uri) + 1, &p);
}

static const struct {
    const char *uri;
    int kind;
    const char *text, *user, *password;
    int tls;
} good[] = {
    {"redis://h:7000/3", RSP_PLACE_SERVER, "redis://h:7000", NULL, NULL, 0},
    {"unix:///run/s", RSP_PLACE_SERVER, "unix:///run/s", NULL, NULL, 0},
    {"cluster://a", RSP_PLACE_CLUSTER, "cluster://a:6379", NULL, NULL, 0},
    {"cluster://a,b:7001,[::1]:7002", RSP_PLACE_CLUSTER, "cluster://a:6379,b:7001,[::1]:7002", NULL, NULL, 0},
    {"cluster://:7000/", RSP_PLACE_CLUSTER, "cluster://127.0.0.1:7000", NULL, NULL, 0},
    {"CLUSTERS://bk:p%40,w@h:1", RSP_PLACE_CLUSTER, "clusters://h:1", "bk", "p@,w", 1},
    {"clusters://pw@h", RSP_PLACE_CLUSTER, "clusters://h:6379", NULL, "pw", 1},
    {"sentinel://a/m", RSP_PLACE_SENTINEL, "sentinel://a:26379/m", NULL, NULL, 0},
    {"sentinel://u:p@a:1,b,[fe80::1]:3/my%20master", RSP_PLACE_SENTINEL, NULL, NULL, NULL, 0},
    {"sentinel://u:p@a:1,b,[fe80::1]:3/my%2Fmaster%40x", RSP_PLACE_SENTINEL,
     "sentinel://a:1,b:26379,[fe80::1]:3/my/master@x", "u", "p", 0},
    {"sentinels://a/m", RSP_PLACE_SENTINEL, "sentinels://a:26379/m", NULL, NULL, 1},
};

static void same(const char *got, const char *want)
{
    if (!want) ck_assert_ptr_null(got);
    else ck_assert_str_eq(got, want);
}

START_TEST(uris)
{
    char text[400];
    int rc = parse(good[_i].uri);
    if (!good[_i].text) { /* a blank in a master's name */
        ck_assert_int_eq(rc, RSP_EINVAL);
        return;
    }
    ck_assert_msg(!rc, "%s: %s", good[_i].uri, error.message);
    ck_assert(rsp_place_is_uri(good[_i].uri));
    ck_assert_int_eq(p.kind, good[_i].kind);
    rsp_place_text(&p, text, sizeof text);
    ck_assert_str_eq(text, good[_i].text);
    same(p.endpoint.user, good[_i].user);
    same(p.endpoint.password, good[_i].password);
    ck_assert_int_eq(p.endpoint.tls, good[_i].tls);
    ck_assert_int_eq(p.sentinel_tls, good[_i].tls && p.kind == RSP_PLACE_SENTINEL);
    if (p.kind != RSP_PLACE_SERVER) ck_assert(!p.endpoint.host && !p.endpoint.port && !p.endpoint.socket);
    for (size_t n = 1; n < sizeof text; n++) { /* cut where it may be */
        char cut[400];
        memset(cut, 'x', sizeof cut);
        rsp_place_text(&p, cut, n);
        ck_assert_uint_lt(strlen(cut), n);
        ck_assert_int_eq(strncmp(cut, text, strlen(cut)), 0);
    }
}
END_TEST

static const char *const bad[] = {
    "cluster://",           "cluster://a,,b",  "cluster://a,",          "cluster://,a",      "cluster://a:0",
    "cluster://a:65536",    "cluster://a/1",   "cluster://::1",         "cluster://[::1",    "cluster://a b",
    "sentinel://a",         "sentinel://a/",   "sentinel:///m",         "sentinel://a:x/m",  "sentinel://a/%00",
    "sentinel://a/m%0a",    "sentinel://a/%",  "sentinel://a%2Fb/m",    "cluster://u:%zz@a", "cluster:/a",
    "sentinel://a,b/m\x7f", "clusters://a\nb", "cluster://u:secret@a,", "http://a",          "",
};

START_TEST(refused)
{
    struct rsp_place before;
    char words[600];
    memset(&p, 0, sizeof p);
    before = p;
    ck_assert_int_eq(parse(bad[_i]), RSP_EINVAL);
    before.size = sizeof p;
    before.endpoint.size = sizeof p.endpoint;
    ck_assert(!memcmp(&before, &p, sizeof p)); /* nothing is half set */
    rsp_error_format(&error, words, sizeof words);
    ck_assert_ptr_null(strstr(words, "secret"));
}
END_TEST

START_TEST(many)
{
    char uri[400] = "cluster://a0";
    for (int i = 1; i < RSP_SEEDS_MAX; i++) snprintf(uri + strlen(uri), sizeof uri - strlen(uri), ",a%d", i);
    ck_assert_int_eq(parse(uri), RSP_OK);
    ck_assert_uint_eq(p.seeds_n, RSP_SEEDS_MAX);
    ck_assert_str_eq(p.seeds[31].host, "a31");
    snprintf(uri + strlen(uri), sizeof uri - strlen(uri), ",b");
    ck_assert_int_eq(parse(uri), RSP_EINVAL);
}
END_TEST

START_TEST(no_room)
{
    char small[10];
    memset(&p, 0, sizeof p);
    p.size = sizeof p;
    ck_assert_int_eq(rsp_place_parse(&env, "cluster://abcdef", small, sizeof small, &p), RSP_EINVAL);
}
END_TEST

/* What was there stays, but for what the URI names. */
START_TEST(kept)
{
    static const char uri[] = "sentinel://s/m";
    char own[sizeof uri];
    memset(&p, 0, sizeof p);
    p.size = sizeof p;
    p.endpoint.size = sizeof p.endpoint;
    p.endpoint.user = "bk";
    p.endpoint.idle_ms = 7;
    p.sentinel_user = "sn";
    ck_assert_int_eq(rsp_place_parse(&env, uri, own, sizeof own, &p), RSP_OK);
    ck_assert_str_eq(p.endpoint.user, "bk");
    ck_assert_int_eq(p.endpoint.idle_ms, 7);
    ck_assert_str_eq(p.sentinel_user, "sn");
    ck_assert_str_eq(p.master, "m");
}
END_TEST

/* ---- slots ---- */

static struct rsp_slot_range ranges[RSP_SLOTS];
static size_t n;

static int slots(const char *text, size_t max)
{
    memset(&error, 0, sizeof error);
    return rsp_slots_parse(&env, (struct rsp_span){(const uint8_t *)text, strlen(text)}, ranges, max, &n);
}

START_TEST(slots_both_ways)
{
    static const char *const texts[] = {"", "0", "0-16383", "0-5460,10000", "1,3,5-7,16383"};
    char out[64];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_int_eq(slots(texts[i], RSP_SLOTS), RSP_OK);
        ck_assert_int_eq(rsp_slots_text(ranges, n, out, sizeof out), (int)strlen(texts[i]));
        ck_assert_str_eq(out, texts[i]);
    }
    ck_assert_int_eq(rsp_slots_text(ranges, n, out, 6), 13); /* the last one, cut */
    ck_assert_str_eq(out, "1,3,5");
    ck_assert_int_eq(rsp_slots_text(ranges, n, NULL, 0), 13);
}
END_TEST

START_TEST(slots_refused)
{
    static const char *const texts[] = {"-",     "1-",     "-1",   "16384", "5-4", "1,1",   "2,1", "1-3,3",
                                        "1,",    ",1",     "1,,2", " 1",    "1 ",  "1-2-3", "a",   "0x1",
                                        "99999", "999999", "1\n",  "1;2",   "+1",  "1--2"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_msg(slots(texts[i], RSP_SLOTS) == RSP_EINVAL, "'%s'", texts[i]);
        ck_assert_ptr_null(strchr(error.message, '\n'));
    }
    ck_assert_int_eq(slots("1,3", 1), RSP_EINVAL);
    ck_assert_int_eq(slots("1", 0), RSP_EINVAL);
    ck_assert_int_eq(slots("", 0), RSP_OK);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("place");
    TCase *t = tcase_create("place");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, uris, 0, (int)(sizeof good / sizeof *good));
    tcase_add_loop_test(t, refused, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_test(t, many);
    tcase_add_test(t, no_room);
    tcase_add_test(t, kept);
    tcase_add_test(t, slots_both_ways);
    tcase_add_test(t, slots_refused);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
