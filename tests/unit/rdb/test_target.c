/* What this is: tests of the table of servers, row by row, of targets and of the policy for losses.
 * Rests on: libcheck, rdb/target.h, rdb/types.h.
 * Does not: find losses: tests/unit/export/test_resp_losses.c does. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#undef fail

#include "rdb/target.h"
#include "rdb/types.h"

/* ---- the table: each server, what it loads and what it can hold ---- */

#define C(feature) (1u << RSP_CAN_##feature)
#define R40 C(MODULES)
#define R50 (R40 | C(STREAMS) | C(EVICTION))
#define R70 (R50 | C(FUNCTIONS) | C(STREAM_COUNTERS))
#define R72 (R70 | C(CONSUMER_TIMES))
#define R74 (R72 | C(FIELD_TTL))
#define R86 (R74 | C(STREAM_IDMP) | C(KEY_META))
#define R88 (R86 | C(STREAM_NACK) | C(ARRAYS))
#define R810 (R88 | C(TEMPLATES))
#define V90 (R72 | C(FIELD_TTL))
#define V92 (V90 | C(PATH_HASH))

static const struct {
    const char *name, *text;
    unsigned dialect, rdb;
    uint32_t can;
} servers[] = {
    {"redis:2.6", "redis 2.6", 1, 6, 0},          {"redis:2.6.17", "redis 2.6.17", 1, 6, 0},
    {"redis:2.8", "redis 2.8", 1, 6, 0},          {"redis:3.0", "redis 3.0", 1, 6, 0},
    {"redis:3.2", "redis 3.2", 1, 7, 0},          {"redis:4.0", "redis 4.0", 1, 8, R40},
    {"redis:5.0", "redis 5.0", 1, 9, R50},        {"redis:6.0", "redis 6.0", 1, 9, R50},
    {"redis:6.2", "redis 6.2", 1, 9, R50},        {"redis:7.0", "redis 7.0", 1, 10, R70},
    {"redis:7.0.15", "redis 7.0.15", 1, 10, R70}, {"redis:7.2", "redis 7.2", 1, 11, R72},
    {"redis:7.3.99", "redis 7.3.99", 1, 11, R72}, {"redis:7.4", "redis 7.4", 1, 12, R74},
    {"redis:8.0", "redis 8.0", 1, 12, R74},       {"redis:8.2", "redis 8.2", 1, 12, R74},
    {"redis:8.4", "redis 8.4", 1, 12, R74},       {"redis:8.6", "redis 8.6", 1, 13, R86},
    {"redis:8.8", "redis 8.8", 1, 14, R88},       {"redis:8.10", "redis 8.10", 1, 15, R810},
    {"redis:99", "redis 99.0", 1, 15, R810},      {"valkey:7.2", "valkey 7.2", 1, 11, R72},
    {"valkey:8.0", "valkey 8.0", 1, 11, R72},     {"valkey:8.1", "valkey 8.1", 1, 11, R72},
    {"valkey:8.1.2", "valkey 8.1.2", 1, 11, R72}, {"valkey:9.0", "valkey 9.0", 2, 80, V90},
    {"valkey:9.1", "valkey 9.1", 2, 80, V90},     {"valkey:9.2", "valkey 9.2", 2, 81, V92},
    {"valkey:42.1", "valkey 42.1", 2, 81, V92},
};

START_TEST(each_server)
{
    struct rsp_target t = {.size = sizeof t};
    char text[32];
    ck_assert_int_eq(rsp_target_parse(NULL, servers[_i].name, &t), RSP_OK);
    ck_assert_uint_eq(t.dialect, servers[_i].dialect);
    ck_assert_uint_eq(t.rdb_version, servers[_i].rdb);
    ck_assert_uint_eq(t.can, servers[_i].can);
    ck_assert_int_eq(t.valkey, servers[_i].name[0] == 'v');
    ck_assert(!t.bulk_max && !t.modules_known && !t.modules_n && !t.cluster && !t.databases);
    rsp_target_text(&t, text, sizeof text);
    ck_assert_str_eq(text, servers[_i].text);
    rsp_target_text(&t, text, 4);
    ck_assert_uint_eq(strlen(text), 3);
}
END_TEST

static int knows(const struct rdb_server *s, int dialect, int type)
{
    const struct rdb_type *k = rdb_type(dialect, type);
    return k && k->since <= s->rdb && (type < 22 || s->dialect == dialect);
}
static int can(const struct rdb_server *s, int feature)
{
    return (int)(s->can >> feature & 1);
}

/* What the table of servers says agrees with the table of types. */
START_TEST(each_row_and_the_types)
{
    size_t n;
    const struct rdb_server *s = rdb_servers(_i ? "valkey" : "redis", &n);
    ck_assert_uint_gt(n, 2);
    for (size_t i = 0; i < n; i++) {
        if (i) ck_assert_uint_lt(s[i].from, s[i - 1].from);
        if (i) ck_assert_uint_lt(s[i].rdb, s[i - 1].rdb);
        if (i) ck_assert_uint_eq(s[i].can & ~s[i - 1].can, 0); /* nobody forgets */
        ck_assert_int_eq(can(s + i, RSP_CAN_MODULES), knows(s + i, 1, 7));
        ck_assert_int_eq(can(s + i, RSP_CAN_STREAMS), knows(s + i, 1, 15));
        ck_assert_int_eq(can(s + i, RSP_CAN_STREAM_COUNTERS), knows(s + i, 1, 19));
        ck_assert_int_eq(can(s + i, RSP_CAN_CONSUMER_TIMES), knows(s + i, 1, 21));
        ck_assert_int_eq(can(s + i, RSP_CAN_FIELD_TTL), knows(s + i, 1, 24) || knows(s + i, 2, 22));
        ck_assert_int_eq(can(s + i, RSP_CAN_STREAM_IDMP), knows(s + i, 1, 26));
        ck_assert_int_eq(can(s + i, RSP_CAN_STREAM_NACK), knows(s + i, 1, 27));
        ck_assert_int_eq(can(s + i, RSP_CAN_ARRAYS), knows(s + i, 1, 28));
        ck_assert_int_eq(can(s + i, RSP_CAN_TEMPLATES), knows(s + i, 1, 29));
        ck_assert_int_eq(can(s + i, RSP_CAN_PATH_HASH), knows(s + i, 2, 23));
        ck_assert_int_eq(can(s + i, RSP_CAN_EVICTION), s[i].rdb >= 9);
        ck_assert_int_eq(can(s + i, RSP_CAN_FUNCTIONS), s[i].rdb >= 10);
        ck_assert_int_eq(can(s + i, RSP_CAN_KEY_META), s[i].dialect == 1 && s[i].rdb >= 13);
    }
    ck_assert_uint_eq(s[n - 1].from, 1);
    ck_assert_ptr_null(rdb_server(_i ? "valkey" : "redis", 0));
}
END_TEST

/* ---- modules ---- */

static uint64_t id_of(const char *type)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint64_t id = 0;
    for (int i = 0; i < 9; i++) id = id << 6 | (uint64_t)(strchr(set, type[i]) - set);
    return id << 10 | 3;
}

/* names: with spaces; "?": not known. */
static struct rsp_target with(const char *server, const char *names)
{
    struct rsp_target t = {.size = sizeof t};
    ck_assert_int_eq(rsp_target_parse(NULL, server, &t), RSP_OK);
    t.modules_known = *names != '?';
    while (*names && *names != '?') {
        size_t n = strcspn(names, " ");
        target_add_module(&t, (struct rsp_span){(const uint8_t *)names, n});
        names += n + (names[n] == ' ');
    }
    return t;
}

START_TEST(which_module_takes_what)
{
    static const struct {
        const char *server, *loaded, *taken, *not_taken;
    } row[] = {
        {"redis:8.0", "", "", "vectorset ReJSON-RL MBbloom-- some-type"},
        {"redis:8.0", "vectorset", "vectorset", "ReJSON-RL MBbloom-- TSDB-TYPE some-type"},
        {"redis:8.0", "vectorset bf ReJSON timeseries search",
         "vectorset ReJSON-RL MBbloom-- MBbloomCF CMSk-TYPE TopK-TYPE TDIS-TYPE TSDB-TYPE trietype0 ft_index0",
         "bloomfltr graphdata some-type"},
        {"redis:7.0", "mine", "some-type", "ReJSON-RL MBbloom-- vectorset"},
        {"redis:7.0", "mine ReJSON", "some-type ReJSON-RL", "MBbloom--"},
        {"valkey:9.1", "lua", "", "ReJSON-RL bloomfltr some-type"},
        {"valkey:9.1", "lua json bf", "ReJSON-RL bloomfltr", "MBbloom-- TSDB-TYPE vectorset some-type"},
        {"valkey:9.1", "lua search", "", "trietype0 ft_index0"},
        {"redis:7.0", "lua", "some-type", "ReJSON-RL"}, /* there that name is nobody's */
        {"redis:8.0", "?", "ReJSON-RL vectorset some-type", ""},
    };
    struct rsp_target t = with(row[_i].server, row[_i].loaded);
    char type[10] = "";
    for (const char *p = row[_i].taken; *p; p += p[9] ? 10 : 9) {
        memcpy(type, p, 9);
        ck_assert_msg(target_takes_module(&t, id_of(type), 0) == TARGET_MODULE_TAKEN, "%s", type);
    }
    for (const char *p = row[_i].not_taken; *p; p += p[9] ? 10 : 9) {
        memcpy(type, p, 9);
        ck_assert_msg(target_takes_module(&t, id_of(type), 0) == TARGET_MODULE_MISSING, "%s", type);
    }
}
END_TEST
#define MODULE_ROWS 10

/* Vector sets: the type's id says nothing of what is new in it. */
START_TEST(older_modules)
{
    struct rsp_target t = with("redis:8.0.2", _i ? "?" : "vectorset bf");
    const uint64_t vectors = id_of("vectorset");
    ck_assert_int_eq(target_takes_module(&t, vectors, 80603), TARGET_MODULE_OLDER);
    ck_assert_int_eq(target_takes_module(&t, vectors, 80200), TARGET_MODULE_OLDER);
    ck_assert_int_eq(target_takes_module(&t, vectors, 80005), TARGET_MODULE_TAKEN);
    ck_assert_int_eq(target_takes_module(&t, vectors, 80000), TARGET_MODULE_TAKEN);
    ck_assert_int_eq(target_takes_module(&t, vectors, 0), TARGET_MODULE_TAKEN);
    ck_assert_int_eq(target_takes_module(&t, id_of("MBbloom--"), 80603), TARGET_MODULE_TAKEN);
    t = with("redis:8.0.2", "bf");
    ck_assert_int_eq(target_takes_module(&t, vectors, 80603), TARGET_MODULE_MISSING);
    t = with("redis:8.6", "vectorset");
    ck_assert_int_eq(target_takes_module(&t, vectors, 80603), TARGET_MODULE_TAKEN);
}
END_TEST

START_TEST(modules_of_several)
{
    struct rsp_target a = with("redis:8.0", "vectorset bf mine"), b = with("redis:8.0", "other ReJSON bf"), c;
    char name[40];
    target_common_modules(&a, &b);
    ck_assert_uint_eq(a.modules_n, 1);
    ck_assert_str_eq(a.modules[0], "bf");
    c = with("redis:8.0", "?");
    target_common_modules(&a, &c); /* who does not say adds nothing */
    ck_assert(a.modules_known && a.modules_n == 1);
    target_common_modules(&c, &a);
    ck_assert(c.modules_known && c.modules_n == 1 && !strcmp(c.modules[0], "bf"));
    ck_assert_int_eq(target_takes_metadata(&a), 1);
    a = with("redis:8.6", "vectorset");
    ck_assert_int_eq(target_takes_metadata(&a), 0);
    a = with("redis:8.6", "vectorset mine");
    ck_assert_int_eq(target_takes_metadata(&a), 1);
    a = with("redis:8.6", "?");
    ck_assert_int_eq(target_takes_metadata(&a), 1);
    a = with("redis:8.6", "a-name-that-is-longer-than-there-is-room-for-in-it");
    ck_assert_uint_eq(strlen(a.modules[0]), sizeof a.modules[0] - 1);
    for (int i = 0; i < RSP_TARGET_MODULES + 2; i++) { /* more than there is room for: not known */
        ck_assert_int_eq(a.modules_known, i < RSP_TARGET_MODULES);
        snprintf(name, sizeof name, "m%d", i);
        target_add_module(&a, (struct rsp_span){(const uint8_t *)name, strlen(name)});
    }
    ck_assert_int_eq(target_takes_module(&a, id_of("ReJSON-RL"), 0), TARGET_MODULE_TAKEN);
}
END_TEST

START_TEST(no_targets)
{
    static const struct {
        const char *text;
        int rc;
    } bad[] = {{"", RSP_EINVAL},
               {"redis", RSP_EINVAL},
               {"redis:", RSP_EINVAL},
               {"redis:x", RSP_EINVAL},
               {"redis:7.", RSP_EINVAL},
               {"redis:7.0.0.0", RSP_EINVAL},
               {"keydb:6.3", RSP_EINVAL},
               {"redis:7.0 ", RSP_EINVAL},
               {"redis:700.0", RSP_EINVAL},
               {"redis:-7", RSP_EINVAL},
               {"Redis:7", RSP_EINVAL},
               {"redis:2.4", RSP_EVERSION},
               {"redis:0", RSP_EVERSION},
               {"redis:1.0", RSP_EVERSION},
               {"valkey:7.0", RSP_EVERSION},
               {"valkey:7.1.99", RSP_EVERSION}};
    struct rsp_error words;
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct rsp_target t = {.size = sizeof t};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        memset(&words, 0, sizeof words);
        ck_assert_msg(rsp_target_parse(&env, bad[i].text, &t) == bad[i].rc, "%s", bad[i].text);
        ck_assert_str_ne(words.message, "");
    }
    ck_assert_int_eq(rsp_target_of(NULL, "redis", 20599, &t), RSP_EVERSION);
    ck_assert_int_eq(rsp_target_of(NULL, NULL, 70000, &t), RSP_EINVAL);
    ck_assert_int_eq(rsp_target_of(NULL, "dragonfly", 70000, &t), RSP_EINVAL);
    ck_assert_uint_eq(t.rdb_version, 0);
}
END_TEST

/* A caller that was built before `can` was there. */
START_TEST(a_smaller_struct)
{
    struct rsp_target t;
    memset(&t, 0xee, sizeof t);
    t.size = offsetof(struct rsp_target, can);
    ck_assert_int_eq(rsp_target_of(NULL, "redis", 70000, &t), RSP_OK);
    ck_assert_uint_eq(t.rdb_version, 10);
    ck_assert_uint_eq(t.size, offsetof(struct rsp_target, can));
    ck_assert_uint_eq(t.can, 0xeeeeeeee);
}
END_TEST

/* ---- kinds ---- */

START_TEST(kinds)
{
    for (int k = 0; k < RSP_LOSSES; k++) {
        ck_assert_str_ne(rsp_loss_text(k), "unknown");
        ck_assert_ptr_nonnull(rsp_loss_name(k));
        for (int i = 0; i < k; i++) ck_assert_str_ne(rsp_loss_name(k), rsp_loss_name(i));
        ck_assert_int_eq(rsp_loss_is_usage(k), k == RSP_LOSS_CONSUMER_TIMES || k == RSP_LOSS_EVICTION);
        if (rsp_loss_is_usage(k)) ck_assert_int_eq(rsp_loss_convertible(k), 1);
    }
    for (int k = -1; k <= RSP_LOSSES; k += RSP_LOSSES + 1) {
        ck_assert_str_eq(rsp_loss_text(k), "unknown");
        ck_assert_ptr_null(rsp_loss_name(k));
        ck_assert_int_eq(rsp_loss_convertible(k), 0);
        ck_assert_int_eq(rsp_loss_is_usage(k), 0);
    }
    ck_assert_int_eq(rsp_loss_convertible(RSP_LOSS_FIELD_TTL), 1);
    ck_assert_int_eq(rsp_loss_convertible(RSP_LOSS_ARRAY), 0);
    ck_assert_int_eq(rsp_loss_convertible(RSP_LOSS_DATABASE), 0);
    ck_assert_int_eq(rsp_loss_convertible(RSP_LOSS_COLLISION), 0);
}
END_TEST

/* ---- policy: a letter a kind, in the order of enum rsp_loss: f, d, c ---- */

static const struct {
    const char *text, *want;
} policies[] = {
    {"fail", "ffffffffcfffcff"},
    {"drop", "ddddddddcdddcdd"},
    {"convert", "fcfffffccccccff"},
    {"drop,convert", "dcdddddccccccdd"},
    {"convert,drop", "ddddddddcdddcdd"},
    {"field-ttl=convert", "fcffffffcfffcff"},
    {"field-ttl=convert,array=drop", "fcdfffffcfffcff"},
    {"drop,field-ttl=fail", "dfddddddcdddcdd"},
    {"eviction=drop,consumer-times=fail", "ffffffffffffdff"},
    {"module=drop,function=drop,aux=drop,stream=drop,other=drop,database=drop,collision=drop", "dffddddfcfffcdd"},
    {"stream-counters=convert,stream-idmp=convert,stream-nack=convert,key-meta=convert", "fffffffccccccff"},
};

START_TEST(policy)
{
    struct rsp_loss_policy p;
    char seen[RSP_LOSSES + 1] = "";
    rsp_loss_policy_default(&p);
    ck_assert_int_eq(rsp_loss_policy_parse(NULL, policies[_i].text, &p), RSP_OK);
    for (int k = 0; k < RSP_LOSSES; k++) seen[k] = "fdc"[p.action[k]];
    ck_assert_str_eq(seen, policies[_i].want);
}
END_TEST

START_TEST(no_policies)
{
    static const char *const bad[][2] = {{"", "KIND=ACTION"},
                                         {"drop,", "KIND=ACTION"},
                                         {"leave", "KIND=ACTION"},
                                         {"drops", "KIND=ACTION"},
                                         {"=drop", "no such kind"},
                                         {"ttl=drop", "there are module, field-ttl, array"},
                                         {"array=", "fail, drop or convert"},
                                         {"array=keep", "fail, drop or convert"},
                                         {"drop,array=convert", "fail or drop; what converts is field-ttl"},
                                         {"field-ttl=drop=fail", "fail, drop or convert"}};
    struct rsp_error words;
    struct rsp_env env = {.size = sizeof env, .error = &words};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rsp_loss_policy p, before;
        memset(&words, 0, sizeof words);
        rsp_loss_policy_default(&p);
        before = p;
        ck_assert_msg(rsp_loss_policy_parse(&env, bad[i][0], &p) == RSP_EINVAL, "%s", bad[i][0]);
        ck_assert_msg(strstr(words.message, bad[i][1]) != NULL, "%s: %s", bad[i][0], words.message);
        ck_assert_mem_eq(&p, &before, sizeof p);
    }
}
END_TEST

/* ---- the report ---- */

START_TEST(report)
{
    static struct rsp_losses l;
    static uint8_t name[70000];
    memset(name, 'n', sizeof name);
    memset(&l, 0, sizeof l);
    rsp_losses_add(&l, RSP_LOSS_ARRAY, 3, (struct rsp_span){(const uint8_t *)"a\0b", 3});
    rsp_losses_add(&l, RSP_LOSS_ARRAY, 0, (struct rsp_span){name, sizeof name});
    rsp_losses_add(&l, RSP_LOSS_ARRAY, 0, (struct rsp_span){NULL, 0});
    rsp_losses_add(&l, -1, 0, (struct rsp_span){NULL, 0});
    rsp_losses_add(&l, RSP_LOSSES, 0, (struct rsp_span){NULL, 0});
    ck_assert_uint_eq(l.n[RSP_LOSS_ARRAY], 3);
    ck_assert_uint_eq(l.names[RSP_LOSS_ARRAY][0].db, 3);
    ck_assert_uint_eq(l.names[RSP_LOSS_ARRAY][0].n, 3);
    ck_assert_mem_eq(l.names[RSP_LOSS_ARRAY][0].p, "a\0b", 4);
    ck_assert_uint_eq(l.names[RSP_LOSS_ARRAY][1].n, 65535);
    ck_assert_mem_eq(l.names[RSP_LOSS_ARRAY][1].p, name, sizeof l.names[0][0].p);
    for (unsigned i = 0; i < 100; i++) rsp_losses_add(&l, RSP_LOSS_COLLISION, i, (struct rsp_span){name, 1});
    ck_assert_uint_eq(l.n[RSP_LOSS_COLLISION], 100);
    ck_assert_uint_eq(l.names[RSP_LOSS_COLLISION][RSP_LOSS_NAMES - 1].db, RSP_LOSS_NAMES - 1);
    for (int k = 0; k < RSP_LOSSES; k++)
        if (k != RSP_LOSS_ARRAY && k != RSP_LOSS_COLLISION) ck_assert_uint_eq(l.n[k], 0);
}
END_TEST

START_TEST(judge)
{
    static struct rsp_losses l;
    struct rsp_loss_policy p;
    memset(&l, 0, sizeof l);
    rsp_loss_policy_default(&p);
    ck_assert_int_eq(rsp_losses_judge(&l, &p), -1);
    l.n[RSP_LOSS_EVICTION] = 5;
    ck_assert_int_eq(rsp_losses_judge(&l, &p), -1);
    l.n[RSP_LOSS_KEY_META] = 1;
    ck_assert_int_eq(rsp_losses_judge(&l, &p), RSP_LOSS_KEY_META);
    l.n[RSP_LOSS_ARRAY] = 1;
    ck_assert_int_eq(rsp_losses_judge(&l, &p), RSP_LOSS_ARRAY);
    p.action[RSP_LOSS_ARRAY] = RSP_LOSS_CONVERT; /* it cannot be */
    ck_assert_int_eq(rsp_losses_judge(&l, &p), RSP_LOSS_ARRAY);
    p.action[RSP_LOSS_ARRAY] = RSP_LOSS_DROP;
    p.action[RSP_LOSS_KEY_META] = RSP_LOSS_CONVERT;
    ck_assert_int_eq(rsp_losses_judge(&l, &p), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("target");
    TCase *t = tcase_create("target");
    SRunner *r;
    int failed;
    tcase_add_loop_test(t, which_module_takes_what, 0, MODULE_ROWS);
    tcase_add_loop_test(t, older_modules, 0, 2);
    tcase_add_test(t, modules_of_several);
    tcase_add_loop_test(t, each_server, 0, (int)(sizeof servers / sizeof *servers));
    tcase_add_loop_test(t, each_row_and_the_types, 0, 2);
    tcase_add_test(t, no_targets);
    tcase_add_test(t, a_smaller_struct);
    tcase_add_test(t, kinds);
    tcase_add_loop_test(t, policy, 0, (int)(sizeof policies / sizeof *policies));
    tcase_add_test(t, no_policies);
    tcase_add_test(t, report);
    tcase_add_test(t, judge);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
