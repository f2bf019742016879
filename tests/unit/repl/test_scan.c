/* What this is: tests of the capture by SCAN and DUMP over a server that answers as the test wants.
 * Rests on: scan_toy.h, libcheck, respite/sys/check.h.
 * Does not: need a real server (tests/live does). */
#include <check.h>
#undef fail

#include <respite/sys/check.h>

#include "repl/scan.h"
#include "unit/repl/scan_toy.h"

enum lie {
    HONEST,
    BAD_SUM,
    NO_SUM,
    NEWER,
    SHORT,
    OPCODE,
    DENIED,
    BAD_TTL,
    BAD_CURSOR,
    ODD_PAGE,
    NESTED_KEY,
    UNASKED,
    BAD_LENGTH,
    NO_TYPE,
    BAD_FUNCTIONS,
    LIES
};

static struct rsp_error error;
static struct rsp_env env;
static struct toy toy;
static struct toy_out rdb;
static volatile int cancel;
static char logged[4000];

static struct {
    enum lie lie;
    unsigned version, keys, vanished;
    size_t big; /* bytes of key 7's value */
    int no_absolute, rank, meta, half_gone;
    int64_t ahead_ms; /* the server's clock */
} plan;

static void log_to(void *opaque, int level, const char *line)
{
    size_t n = strlen(logged);
    (void)opaque, (void)level;
    snprintf(logged + n, sizeof logged - n, "%s\n", line);
}

/* ---- what the toy answers ---- */

/* Pages of 10 new keys and the 5 before them. */
static void scan_page(unsigned cursor, struct toy_out *out)
{
    unsigned keys = toy.db ? 3 : plan.keys, from = cursor > 5 ? cursor - 5 : 0,
             to = cursor + 10 < keys ? cursor + 10 : keys;
    char text[64];
    snprintf(text, sizeof text, "%u", to < keys ? to : 0);
    toy_text(out, plan.lie == ODD_PAGE ? "*1\r\n" : "*2\r\n");
    if (plan.lie == BAD_CURSOR) toy_bulk(out, "1x", 2);
    else if (plan.lie == UNASKED) toy_bulk(out, "0\r\n", 1);
    else toy_bulk(out, text, strlen(text));
    snprintf(text, sizeof text, "*%u\r\n", to - from);
    if (plan.lie == ODD_PAGE) return;
    toy_text(out, text);
    for (unsigned i = from; i < to; i++) {
        snprintf(text, sizeof text, "key:%u", i);
        if (plan.lie == NESTED_KEY) toy_text(out, ":5\r\n");
        else toy_bulk(out, text, strlen(text));
    }
}

static void dump_key(unsigned i, struct toy_out *out)
{
    struct toy_out body = {0};
    unsigned version = plan.version;
    if (i % 7 < plan.vanished) {
        toy_text(out, "$-1\r\n");
        return;
    }
    if (plan.meta)
        toy_put(&body,
                "\xf3\x01"
                "abcd\x02\x05\x01\x07\x05\x02hi\x00",
                15);
    if (plan.lie == OPCODE && i == 4) toy_put(&body, "\xff", 1);
    if (i == 7 && plan.big) {
        uint8_t head[6] = {
            0, 0x80, (uint8_t)(plan.big >> 24), (uint8_t)(plan.big >> 16), (uint8_t)(plan.big >> 8), (uint8_t)plan.big};
        uint8_t *bytes = calloc(1, plan.big);
        toy_put(&body, head, sizeof head);
        toy_put(&body, bytes, plan.big);
        free(bytes);
    } else {
        toy_put(&body, "\x00\x03val", 5);
    }
    if (plan.lie == NEWER && i == 4) version++;
    if (plan.lie == SHORT && i == 4) body.n = 0;
    if (plan.lie == DENIED && i == 4)
        toy_text(out, "-NOPERM this user has no permissions to run the 'dump' command\r\n");
    else if (plan.lie == BAD_LENGTH && i == 4) toy_text(out, "$-2\r\n");
    else if (plan.lie == NO_TYPE && i == 4) toy_text(out, "?what\r\n");
    else
        toy_dump(out, body.p ? body.p : (const uint8_t *)"", body.n, version,
                 plan.lie == BAD_SUM && i == 4  ? 1
                 : plan.lie == NO_SUM && i == 4 ? UINT64_MAX
                                                : 0);
    if (plan.lie == UNASKED && i == 2) toy_text(out, "+OK\r\n");
    free(body.p);
}

static int answer(struct toy *t, int argc, char **argv, struct toy_out *out)
{
    unsigned i = argc > 1 && strstr(argv[argc - 1], "key:") ? (unsigned)atoi(strchr(argv[argc - 1], ':') + 1) : 0;
    int probe = argc > 1 && strstr(argv[argc - 1], "no-such") != NULL;
    char text[64];
    (void)t;
    if (!strcmp(argv[0], "SCAN")) scan_page((unsigned)atoi(argv[1]), out);
    else if (!strcmp(argv[0], "DUMP")) dump_key(i, out);
    else if (!strcmp(argv[0], "FUNCTION") && plan.version >= 10)
        toy_dump(out, "\xf5\x18#!lua name=x\nreturn 'ok'", 26, plan.version, plan.lie == BAD_FUNCTIONS);
    else if ((!strcmp(argv[0], "PEXPIRETIME") && !plan.no_absolute) || !strcmp(argv[0], "PTTL")) {
        int64_t at = *argv[0] == 'P' && argv[0][1] == 'E' ? 1900000000000 : 5000;
        snprintf(text, sizeof text, ":%lld\r\n",
                 (long long)(probe || (plan.half_gone && i == 1) ? -2
                             : i % 2                             ? at + i
                                                                 : -1));
        toy_text(out, plan.lie == BAD_TTL && i == 4 && !probe ? "$3\r\nabc\r\n" : text);
    } else if (!strcmp(argv[0], "OBJECT")) {
        toy_text(out, probe ? "$-1\r\n" : i == 3 ? "-ERR the policy was changed\r\n" : ":200\r\n");
    } else if (!strcmp(argv[0], "TIME")) {
        int64_t now = env.now_ms(NULL) + plan.ahead_ms;
        char s[24], us[24];
        snprintf(s, sizeof s, "%lld", (long long)(now / 1000));
        snprintf(us, sizeof us, "%lld", (long long)(now % 1000 * 1000 + 7));
        toy_text(out, "*2\r\n");
        toy_bulk(out, s, strlen(s));
        toy_bulk(out, us, strlen(us));
    } else {
        return 0;
    }
    return 1;
}

static int64_t now(void *opaque)
{
    (void)opaque;
    return 1700000000123;
}

/* ---- running ---- */

static void setup(void)
{
    memset(&error, 0, sizeof error);
    memset(&plan, 0, sizeof plan);
    memset(&toy, 0, sizeof toy);
    memset(&rdb, 0, sizeof rdb);
    env = (struct rsp_env){.size = sizeof env, .error = &error, .log = log_to, .now_ms = now};
    plan.version = 10;
    plan.keys = 1000;
    toy.info = "redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\narch_bits:64\r\n";
    toy.keyspace = "# Keyspace\r\ndb0:keys=1000,expires=0,avg_ttl=0\r\ndb3:keys=3,expires=1\r\ndbx:keys=1\r\n";
    toy.answer = answer;
    cancel = 0;
    logged[0] = 0;
}

static void teardown(void)
{
    free(rdb.p);
}

/* The status that ended it; what came is in rdb. */
static int capture(const struct rsp_env *with, size_t piece)
{
    struct rsp_endpoint endpoint = {.size = sizeof endpoint};
    struct rsp_server_options so = {.size = sizeof so};
    struct rsp_capture_options o = {.size = sizeof o, .cancel = &cancel};
    struct rsp_server *server = NULL;
    struct rsp_source *source = NULL;
    static uint8_t out[100000];
    size_t n;
    int rc;
    toy_start(&toy);
    endpoint.socket = toy.path;
    rdb.n = 0;
    rc = rsp_server_open(with, &endpoint, &so, &server);
    if (!rc) rc = scan_open(server, &o, &source);
    while (!rc && (rc = rsp_source_read(source, out, piece, &n)) == RSP_OK) toy_put(&rdb, out, n);
    rsp_source_free(source);
    if (!server && with->error->code != RSP_ENOMEM) ck_abort_msg("%s", error.message);
    rsp_server_free(server);
    toy_stop(&toy);
    return rc;
}

static uint64_t keys_seen;
static int count(void *opaque, const struct rsp_rdb_batch *batch)
{
    (void)opaque;
    for (size_t i = 0; i < batch->count; i++)
        keys_seen += batch->items[i].kind == RSP_RDB_KEY && (batch->items[i].flags & RSP_ITEM_FIRST);
    return RSP_OK;
}

/* Sound, without a key twice; the number of keys. */
static uint64_t check_rdb(void)
{
    struct rsp_check_options o = {.size = sizeof o, .require_checksum = 1};
    struct rsp_check_report r = {.size = sizeof r};
    struct rsp_source *source;
    o.run.size = sizeof o.run;
    o.run.scanned = count;
    keys_seen = 0;
    ck_assert_int_eq(rsp_source_memory(&env, rdb.p, rdb.n, &source), RSP_OK);
    ck_assert_msg(rsp_check_file(&env, source, &o, &r) == RSP_OK, "%s", error.message);
    rsp_source_free(source);
    ck_assert_uint_eq(r.findings, 0);
    ck_assert_int_eq(r.not_rdb, 0);
    ck_assert_int_eq(r.duplicates_done, 1);
    return keys_seen;
}

static int has(const void *bytes, size_t n)
{
    return memmem(rdb.p, rdb.n, bytes, n) != NULL;
}

static void sound(uint64_t keys)
{
    int rc = capture(&env, 1 + 99999 / (1 + (unsigned)plan.ahead_ms % 7));
    ck_assert_msg(rc == RSP_END, "%d: %s", rc, error.message);
    ck_assert_uint_eq(check_rdb(), keys);
}

START_TEST(whole)
{
    static const uint8_t seventh[] = "\xfc\x07\xcc\x1f\x5f\xba\x01\x00\x00\x00\x05key:7\x03val";
    toy.no_multi = _i & 1;
    sound(1003);
    ck_assert_int_eq(memcmp(rdb.p,
                            "REDIS0010\xfa\tredis-ver\x06"
                            "7.0.15",
                            27),
                     0);
    ck_assert(has("\xf5\x18#!lua name=x", 14));
    ck_assert(has("\xfe\x00", 2) && has("\xfe\x03", 2));
    ck_assert_int_eq(load_le64(seventh + 1) == 1900000000007, has(seventh, 20));
    ck_assert(has("\x00\x05key:2\x03val", 11));
    ck_assert_int_eq(strstr(logged, "MULTI is not allowed") != NULL, _i & 1);
}
END_TEST

START_TEST(clock_of_the_server)
{
    uint8_t expiry[9] = {0xfc};
    plan.no_absolute = 1;
    plan.ahead_ms = _i ? -3600000 : 7777;
    sound(1003);
    store_le64(expiry + 1, (uint64_t)(1700000000123 + plan.ahead_ms + 5000 + 11));
    ck_assert(has(expiry, 9));
}
END_TEST

START_TEST(keys_go)
{
    plan.vanished = (unsigned)_i;
    plan.keys = 700;
    toy.no_multi = _i == 3;
    sound((uint64_t)(100 * (7 - _i) + (_i < 3 ? 3 - _i : 0)));
}
END_TEST

/* Gone at PTTL, there at DUMP: not there, but only without MULTI can that be. */
START_TEST(key_half_gone)
{
    plan.half_gone = 1;
    toy.no_multi = 1;
    sound(1001);
    ck_assert(!has("\x05key:1\x03val", 10));
}
END_TEST

START_TEST(nothing_there)
{
    toy.keyspace = "# Keyspace\r\n";
    sound(0);
    toy.keyspace = "db0:keys=99999999999999,expires=0\r\n"; /* a lie about room */
    plan.keys = 0;
    sound(0);
}
END_TEST

START_TEST(ranks)
{
    toy.info = _i ? "redis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:allkeys-lfu\r\n"
                  : "redis_version:7.0.15\r\nrole:master\r\nmaxmemory_policy:volatile-lru\r\n";
    sound(1003);
    ck_assert(_i ? has("\xf9\xc8\x00\x05key:2\x03val", 13) : has("\xf8\x40\xc8\x00\x05key:2\x03val", 14));
    ck_assert(!has("\xc8\x00\x05key:3", 8) && has("\x00\x05key:3", 7));
}
END_TEST

START_TEST(other_versions)
{
    static const char *const magics[] = {"REDIS0009", "REDIS0013", "VALKEY080"};
    static const unsigned versions[] = {9, 13, 80};
    plan.version = versions[_i];
    plan.meta = _i == 1;
    if (_i == 0) toy.info = "redis_version:6.2.1\r\nrole:master\r\n";
    if (_i == 2) toy.info = "redis_version:7.2.4\r\nvalkey_version:9.1.0\r\nserver_name:valkey\r\nrole:master\r\n";
    if (_i == 1) plan.lie = NO_SUM; /* as those may */
    sound(1003);
    ck_assert_mem_eq(rdb.p, magics[_i], 9);
    if (_i == 1)
        ck_assert(has("\xf3\x01"
                      "abcd\x02\x05\x01\x07\x05\x02hi\x00\x00\x05key:2\x03val",
                      26));
    if (_i == 2)
        ck_assert(has("\xfa\nvalkey-ver\x05"
                      "9.1.0",
                      18));
}
END_TEST

/* ---- large values go through ---- */

static size_t in_use, most_used;
static long fail_nth = -1;
static void *resize(void *opaque, void *p, size_t old_n, size_t new_n)
{
    void *q = NULL;
    (void)opaque;
    if (new_n && fail_nth >= 0 && fail_nth-- == 0) return NULL;
    if (new_n) q = realloc(p, new_n);
    else free(p);
    in_use += new_n - old_n;
    if (in_use > most_used) most_used = in_use;
    return q;
}

START_TEST(large_value)
{
    struct rsp_env counted = env;
    plan.big = 40u << 20;
    plan.keys = 20;
    counted.resize = resize;
    in_use = most_used = 0;
    ck_assert_int_eq(capture(&counted, 65536), RSP_END);
    ck_assert_uint_eq(in_use, 0);
    ck_assert_uint_lt(most_used, 4u << 20);
    ck_assert_uint_eq(check_rdb(), 23);
}
END_TEST

START_TEST(no_memory)
{
    struct rsp_env counted = env;
    int rc = RSP_ENOMEM;
    plan.keys = 30;
    plan.meta = 1;
    plan.version = 13;
    counted.resize = resize;
    for (long nth = 12; rc == RSP_ENOMEM && nth < 300; nth++) { /* the first are those of the connection */
        rsp_error_clear(&error);
        in_use = 0;
        fail_nth = nth;
        toy.in_multi = 0;
        toy.queued = (struct toy_out){0};
        rc = capture(&counted, 4096);
        ck_assert_int_eq(rc == RSP_ENOMEM || rc == RSP_END, 1);
        ck_assert_int_eq(error.code, rc == RSP_END ? 0 : rc);
        ck_assert_uint_eq(in_use, 0);
    }
    ck_assert_int_ge(fail_nth, 0);
    ck_assert_int_eq(rc, RSP_END);
}
END_TEST

/* ---- lies ---- */

static const struct {
    int status;
    const char *words;
} told[LIES] = {[BAD_SUM] = {RSP_ECHECKSUM, "checksum"},
                [NO_SUM] = {RSP_ECHECKSUM, "checksum"},
                [NEWER] = {RSP_EFORMAT, "version 11"},
                [SHORT] = {RSP_EFORMAT, "DUMP"},
                [OPCODE] = {RSP_EFORMAT, "DUMP"},
                [DENIED] = {RSP_EDENIED, "+dump"},
                [BAD_TTL] = {RSP_EFORMAT, "answer"},
                [BAD_CURSOR] = {RSP_EFORMAT, "SCAN"},
                [ODD_PAGE] = {RSP_EFORMAT, "SCAN"},
                [NESTED_KEY] = {RSP_EFORMAT, "SCAN"},
                [UNASKED] = {RSP_EFORMAT, ""},
                [BAD_LENGTH] = {RSP_EFORMAT, "number"},
                [NO_TYPE] = {RSP_EFORMAT, "unknown type"},
                [BAD_FUNCTIONS] = {RSP_ECHECKSUM, "functions"}};

START_TEST(lies)
{
    int rc;
    plan.lie = (enum lie)(_i / 2);
    toy.no_multi = _i & 1;
    rc = capture(&env, 50000);
    ck_assert_msg(rc == told[plan.lie].status, "%d: %s", rc, error.message);
    ck_assert_int_eq(error.code, rc);
    ck_assert_msg(strstr(error.message, told[plan.lie].words) != NULL, "%s", error.message);
}
END_TEST

/* Wherever the connection ends, it is a fault, and nothing hangs. */
START_TEST(cut_off)
{
    plan.keys = 12;
    for (size_t cut = 300 + (size_t)_i; cut < 3000; cut += 37) {
        int rc;
        toy.cut = cut;
        toy.sent = 0;
        toy.in_multi = 0;
        toy.queued = (struct toy_out){0};
        rsp_error_clear(&error);
        rc = capture(&env, 50000);
        if (rc == RSP_END) break;
        ck_assert_msg(rc == RSP_ENET, "%d: %s", rc, error.message);
        ck_assert_int_eq(error.retryable, 1);
    }
    ck_assert_uint_gt(toy.cut, 1000);
}
END_TEST

START_TEST(cancelled)
{
    cancel = 1;
    ck_assert_int_eq(capture(&env, 50000), RSP_ECANCELED);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scan");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, whole, 0, 2);
    tcase_add_loop_test(t, clock_of_the_server, 0, 2);
    tcase_add_loop_test(t, keys_go, 0, 4);
    tcase_add_test(t, key_half_gone);
    tcase_add_test(t, nothing_there);
    tcase_add_loop_test(t, ranks, 0, 2);
    tcase_add_loop_test(t, other_versions, 0, 3);
    tcase_add_test(t, large_value);
    tcase_add_test(t, no_memory);
    tcase_add_loop_test(t, lies, 2 * BAD_SUM, 2 * LIES);
    tcase_add_loop_test(t, cut_off, 0, 2);
    tcase_add_test(t, cancelled);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
