/* What this is: tests of rsp_filter and of the texts of sizes and durations.
 * Rests on: libcheck.
 * Does not: read any file. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <respite/rdb.h>
#include <respite/sys/filter.h>

#define NOW 1700000000000
#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

static struct rsp_error error;

static int64_t fixed_now(void *opaque)
{
    (void)opaque;
    return NOW;
}

static struct rsp_filter *filter_new(void)
{
    struct rsp_env env = {.size = sizeof env, .error = &error, .now_ms = fixed_now};
    struct rsp_filter *f = NULL;
    rsp_error_clear(&error);
    ck_assert_int_eq(rsp_filter_new(&env, &f), RSP_OK);
    ck_assert_int_eq(rsp_filter_empty(f), 1);
    return f;
}

static void add(struct rsp_filter *f, const char *name, const char *text)
{
    ck_assert_msg(rsp_filter_add(f, name, text) == RSP_OK, "%s %s: %s", name, text, error.message);
}

static struct rsp_key_facts facts_of(const char *key)
{
    struct rsp_key_facts facts = {.key = {(const uint8_t *)key, strlen(key)}, .size_known = 1, .size_bytes = 100};
    return facts;
}

static int accepts_key(const struct rsp_filter *f, const char *key)
{
    struct rsp_key_facts facts = facts_of(key);
    return rsp_filter_match(f, &facts);
}

START_TEST(empty_accepts)
{
    struct rsp_filter *f = filter_new();
    struct rsp_key_facts nothing = {.key = {NULL, 0}};
    ck_assert_int_eq(rsp_filter_match(f, &nothing), RSP_FILTER_ACCEPT);
    ck_assert_int_eq(rsp_filter_now_ms(f), NOW);
    add(f, "now", "17");
    ck_assert_int_eq(rsp_filter_empty(f), 1);
    ck_assert_int_eq(rsp_filter_now_ms(f), 17);
    rsp_filter_free(f);
    rsp_filter_free(NULL);
}
END_TEST

START_TEST(keys)
{
    struct rsp_filter *f = filter_new();
    add(f, "key", "user:*");
    add(f, "key", "order:?");
    ck_assert_int_eq(rsp_filter_empty(f), 0);
    ck_assert_int_eq(accepts_key(f, "user:1"), RSP_FILTER_ACCEPT);
    ck_assert_int_eq(accepts_key(f, "order:1"), RSP_FILTER_ACCEPT);
    ck_assert_int_eq(accepts_key(f, "order:12"), RSP_FILTER_REFUSE);
    add(f, "not-key", "*:9");
    add(f, "not-key", "*:8");
    ck_assert_int_eq(accepts_key(f, "user:8"), RSP_FILTER_REFUSE);
    ck_assert_int_eq(accepts_key(f, "order:9"), RSP_FILTER_REFUSE);
    ck_assert_int_eq(accepts_key(f, "user:7"), RSP_FILTER_ACCEPT);
    add(f, "key-regex", "[0-9]$");
    ck_assert_int_eq(accepts_key(f, "user:x"), RSP_FILTER_REFUSE);
    add(f, "key-regex", "x$");
    ck_assert_int_eq(accepts_key(f, "user:x"), RSP_FILTER_ACCEPT);
    add(f, "not-key-regex", "^u.*x");
    ck_assert_int_eq(accepts_key(f, "user:x"), RSP_FILTER_REFUSE);
    ck_assert_int_eq(accepts_key(f, "user:7"), RSP_FILTER_ACCEPT);
    rsp_filter_free(f);
}
END_TEST

START_TEST(types)
{
    static const struct {
        const char *text;
        unsigned accepted;
    } cases[] = {
        {"string", 1U << RSP_RDB_STRING},
        {"str", 1U << RSP_RDB_STRING},
        {"list", 1U << RSP_RDB_LIST},
        {"set", 1U << RSP_RDB_SET},
        {"zset", 1U << RSP_RDB_ZSET},
        {"SortedSet", 1U << RSP_RDB_ZSET},
        {"hash", 1U << RSP_RDB_HASH},
        {"stream", 1U << RSP_RDB_STREAM},
        {"array", 1U << RSP_RDB_ARRAY},
        {"module", 1U << RSP_RDB_MODULE},
        {"zset,hash", 1U << RSP_RDB_ZSET | 1U << RSP_RDB_HASH},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        struct rsp_filter *f = filter_new();
        add(f, "type", cases[i].text);
        for (int type = -1; type <= RSP_RDB_MODULE + 40; type++) {
            struct rsp_key_facts facts = facts_of("k");
            int want = type >= 0 && type <= RSP_RDB_MODULE && (cases[i].accepted >> type & 1);
            facts.value_type = type;
            ck_assert_msg(rsp_filter_match(f, &facts) == want, "%s %d", cases[i].text, type);
        }
        rsp_filter_free(f);
    }
}
END_TEST

START_TEST(dbs)
{
    static const struct {
        const char *text;
        uint64_t db;
        int want;
    } cases[] = {
        {"3", 3, 1},        {"3", 4, 0},         {"3~5", 5, 1},      {"3~5", 6, 0}, {"3-5", 4, 1},
        {"1,7,9~11", 7, 1}, {"1,7,9~11", 10, 1}, {"1,7,9~11", 8, 0}, {"0", 0, 1},   {"4294967295", 4294967295U, 1}};
    for (int i = 0; i < COUNT(cases); i++) {
        struct rsp_filter *f = filter_new();
        struct rsp_key_facts facts = facts_of("k");
        add(f, "db", cases[i].text);
        facts.db = cases[i].db;
        ck_assert_msg(rsp_filter_match(f, &facts) == cases[i].want, "%d", i);
        rsp_filter_free(f);
    }
}
END_TEST

START_TEST(slots)
{
    struct rsp_filter *f = filter_new();
    add(f, "slot", "12182");
    add(f, "slot", "1-2,5000-5061");
    ck_assert_int_eq(accepts_key(f, "foo"), RSP_FILTER_ACCEPT);
    ck_assert_int_eq(accepts_key(f, "{foo}x"), RSP_FILTER_ACCEPT);
    ck_assert_int_eq(accepts_key(f, "bar"), RSP_FILTER_ACCEPT);
    ck_assert_int_eq(accepts_key(f, "somekey"), RSP_FILTER_REFUSE);
    rsp_filter_free(f);
}
END_TEST

START_TEST(sizes)
{
    static const struct {
        const char *text;
        uint64_t size;
        int known, unsure; /* verdicts */
    } cases[] = {
        {"1KB~2KB", 1023, 0, 2}, {"1KB~2KB", 1024, 1, 2}, {"1KB~2KB", 2048, 1, 2},    {"1KB~2KB", 2049, 0, 0},
        {"1KB~", 1023, 0, 2},    {"1KB~", 1024, 1, 1},    {"1KB~inf", 1 << 30, 1, 1}, {"~10", 10, 1, 2},
        {"~10", 11, 0, 0},       {"~", 5, 1, 1},          {"~inf", 5, 1, 1},          {"7~7", 7, 1, 2},
        {"0~0", 0, 1, 2},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        struct rsp_filter *f = filter_new();
        struct rsp_key_facts facts = facts_of("k");
        add(f, "size", cases[i].text);
        facts.size_bytes = cases[i].size;
        ck_assert_msg(rsp_filter_match(f, &facts) == cases[i].known, "%d known", i);
        facts.size_known = 0;
        ck_assert_msg(rsp_filter_match(f, &facts) == cases[i].unsure, "%d unsure", i);
        add(f, "key", "other");
        ck_assert_int_eq(rsp_filter_match(f, &facts), RSP_FILTER_REFUSE); /* never unsure when the rest says no */
        rsp_filter_free(f);
    }
}
END_TEST

START_TEST(two_sizes)
{
    struct rsp_filter *f = filter_new();
    struct rsp_key_facts facts = facts_of("k");
    add(f, "size", "~10");
    add(f, "size", "100~");
    facts.size_bytes = 50;
    ck_assert_int_eq(rsp_filter_match(f, &facts), RSP_FILTER_REFUSE);
    facts.size_known = 0;
    ck_assert_int_eq(rsp_filter_match(f, &facts), RSP_FILTER_UNSURE);
    facts.size_bytes = 100;
    ck_assert_int_eq(rsp_filter_match(f, &facts), RSP_FILTER_ACCEPT);
    rsp_filter_free(f);
}
END_TEST

START_TEST(ttls)
{
    static const struct {
        const char *text;
        int has;
        int64_t expire_ms;
        int want;
    } cases[] = {
        {"none", 0, 0, 1},
        {"none", 1, NOW + 1, 0},
        {"any", 0, 0, 0},
        {"any", 1, NOW + 1, 1},
        {"any", 1, NOW - 1, 1},
        {"any", 1, -5, 1},
        {"expired", 1, NOW - 1, 1},
        {"expired", 1, NOW, 0},
        {"expired", 1, INT64_MIN + 1, 1},
        {"expired", 0, 0, 0},
        {"1m~1h", 1, NOW + 59999, 0},
        {"1m~1h", 1, NOW + 60000, 1},
        {"1m~1h", 1, NOW + 3600000, 1},
        {"1m~1h", 1, NOW + 3600001, 0},
        {"1m~1h", 0, 0, 0},
        {"~30", 1, NOW, 1},
        {"~30", 1, NOW + 30000, 1},
        {"~30", 1, NOW + 30001, 0},
        {"~30", 1, NOW - 1, 0},
        {"1d~inf", 1, INT64_MAX, 1},
        {"~", 1, NOW, 1},
        {"~", 0, 0, 0},
    };
    for (int i = 0; i < COUNT(cases); i++) {
        struct rsp_filter *f = filter_new();
        struct rsp_key_facts facts = facts_of("k");
        add(f, "ttl", cases[i].text);
        facts.has_expire = cases[i].has;
        facts.expire_ms = cases[i].expire_ms;
        ck_assert_msg(rsp_filter_match(f, &facts) == cases[i].want, "%d: %s", i, cases[i].text);
        rsp_filter_free(f);
    }
}
END_TEST

START_TEST(ttl_alternatives)
{
    struct rsp_filter *f = filter_new();
    struct rsp_key_facts facts = facts_of("k");
    add(f, "ttl", "none");
    add(f, "ttl", "~10s");
    add(f, "now", "1000");
    ck_assert_int_eq(rsp_filter_match(f, &facts), RSP_FILTER_ACCEPT);
    facts.has_expire = 1;
    facts.expire_ms = 11000;
    ck_assert_int_eq(rsp_filter_match(f, &facts), RSP_FILTER_ACCEPT);
    facts.expire_ms = 11001;
    ck_assert_int_eq(rsp_filter_match(f, &facts), RSP_FILTER_REFUSE);
    rsp_filter_free(f);
}
END_TEST

static const struct {
    const char *name, *text, *message;
} bad[] = {
    {"type", "strin", "no type"},         {"type", "", "no type"},
    {"type", "set,", "no type"},          {"type", "strings", "no type"},
    {"db", "x", "not a number"},          {"db", "", "not a number"},
    {"db", "-1", "not a number"},         {"db", "5~3", "ends before"},
    {"db", "4294967296", "too large"},    {"db", "99999999999999999999", "not a number"},
    {"db", "1,,2", "not a number"},       {"slot", "16384", "too large"},
    {"slot", "5-", "not a number"},       {"size", "100", "not a range"},
    {"size", "2KB~1KB", "ends before"},   {"size", "1XB~", "begin cannot"},
    {"size", "~1.5K", "end cannot"},      {"size", "inf~", "infinity"},
    {"size", "", "not a range"},          {"ttl", "10", "neither"},
    {"ttl", "1y~", "begin cannot"},       {"ttl", "2h~1m", "ends before"},
    {"now", "yesterday", "milliseconds"}, {"now", "9223372036854775808", "milliseconds"},
    {"key-regex", "a(", "without ')'"},   {"not-key-regex", "*", "nothing to repeat"},
    {"colour", "red", "no such filter"},
};

START_TEST(refused)
{
    struct rsp_filter *f = filter_new();
    ck_assert_int_eq(rsp_filter_add(f, bad[_i].name, bad[_i].text), RSP_EINVAL);
    ck_assert_msg(strstr(error.message, bad[_i].message) != NULL, "%s %s: %s", bad[_i].name, bad[_i].text,
                  error.message);
    ck_assert_str_eq(error.subject, bad[_i].name);
    rsp_filter_free(f);
}
END_TEST

START_TEST(size_texts)
{
    static const struct {
        const char *text;
        uint64_t want;
    } good[] = {{"0", 0},
                {"17", 17},
                {"17B", 17},
                {"1K", 1024},
                {"1kb", 1024},
                {"2M", 2 << 20},
                {"3GiB", 3ULL << 30},
                {"1T", 1ULL << 40},
                {"1PB", 1ULL << 50},
                {"15E", 15ULL << 60},
                {"18446744073709551615", UINT64_MAX}};
    static const char *const wrong[] = {"",     "K",    "-1",  "+1",  " 1",  "1 K",
                                        "1KBB", "1Ki",  "1iB", "1KK", "16E", "18446744073709551616",
                                        "0x10", "1.5G", "1Z"};
    uint64_t v;
    for (int i = 0; i < COUNT(good); i++) {
        ck_assert_msg(rsp_parse_size(good[i].text, &v) == RSP_OK, "%s", good[i].text);
        ck_assert_uint_eq(v, good[i].want);
    }
    for (int i = 0; i < COUNT(wrong); i++) ck_assert_msg(rsp_parse_size(wrong[i], &v) == RSP_EINVAL, "%s", wrong[i]);
}
END_TEST

START_TEST(duration_texts)
{
    static const struct {
        const char *text;
        int64_t want;
    } good[] = {{"0", 0},         {"90", 90000},     {"250ms", 250},
                {"30s", 30000},   {"5m", 300000},    {"2h", 7200000},
                {"1d", 86400000}, {"1W", 604800000}, {"9223372036854775807ms", INT64_MAX}};
    static const char *const wrong[] = {
        "",    "s", "-1s", "1 s", "1sec", "1y", "9223372036854775808ms", "9223372036854776", "99999999999999999999s",
        "1.5h"};
    int64_t v;
    for (int i = 0; i < COUNT(good); i++) {
        ck_assert_msg(rsp_parse_duration(good[i].text, &v) == RSP_OK, "%s", good[i].text);
        ck_assert_int_eq(v, good[i].want);
    }
    for (int i = 0; i < COUNT(wrong); i++)
        ck_assert_msg(rsp_parse_duration(wrong[i], &v) == RSP_EINVAL, "%s", wrong[i]);
}
END_TEST

/* The nth allocation fails: RSP_ENOMEM, a filter that can still be freed, nothing left behind. */
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

static int build(const struct rsp_env *env)
{
    static const char *const adds[][2] = {{"key", "a*"},     {"not-key", "b"}, {"key-regex", "^(a|b)+$"},
                                          {"db", "1,2~3"},   {"size", "1K~"},  {"ttl", "1h~"},
                                          {"slot", "1-5,7"}, {"type", "hash"}};
    struct rsp_filter *f;
    int rc = rsp_filter_new(env, &f);
    for (int i = 0; !rc && i < COUNT(adds); i++) rc = rsp_filter_add(f, adds[i][0], adds[i][1]);
    rsp_filter_free(f);
    return rc;
}

START_TEST(no_memory)
{
    struct meter m = {0};
    struct rsp_env env = {.size = sizeof env, .error = &error, .resize = metered, .resize_opaque = &m};
    int rc = RSP_ENOMEM;
    for (m.fail_at = 1; rc == RSP_ENOMEM; m.fail_at++) {
        m.calls = 0;
        rsp_error_clear(&error);
        rc = build(&env);
        ck_assert_int_eq(rc, error.code);
        ck_assert_uint_eq(m.live, 0);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_uint_gt(m.fail_at, 15);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("filter");
    TCase *tc = tcase_create("filter");
    SRunner *runner;
    int failed;
    tcase_add_test(tc, empty_accepts);
    tcase_add_test(tc, keys);
    tcase_add_test(tc, types);
    tcase_add_test(tc, dbs);
    tcase_add_test(tc, slots);
    tcase_add_test(tc, sizes);
    tcase_add_test(tc, two_sizes);
    tcase_add_test(tc, ttls);
    tcase_add_test(tc, ttl_alternatives);
    tcase_add_loop_test(tc, refused, 0, COUNT(bad));
    tcase_add_test(tc, size_texts);
    tcase_add_test(tc, duration_texts);
    tcase_add_test(tc, no_memory);
    suite_add_tcase(suite, tc);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
