/* What this is: tests of values as rows: digests as dd1 has them, in parts too, and what a target holds of them.
 * Rests on: rows_test.h; the dumps in tests/data.
 * Does not: start servers. */
#include <glob.h>

#include "unit/job/rows_test.h"

/* ---- values: what dd1 says of the whole file is what the rows add up to ---- */

static struct rsp_dd1_table *table;
static struct rsp_dd1_worker *worker;

static int dd1_work(void *ctx, unsigned n, const struct rsp_env *e, struct rsp_rdb_task *task)
{
    struct rsp_dd1_part *part = NULL;
    int rc = rsp_dd1_batch(worker, task, &part);
    (void)ctx, (void)n, (void)e;
    task->result = part;
    return rc;
}

static int dd1_join(void *ctx, const struct rsp_env *e, struct rsp_rdb_task *task)
{
    (void)ctx, (void)e;
    return rsp_dd1_fold(table, task, task->result);
}

static void dd1_drop(void *ctx, struct rsp_rdb_task *task)
{
    (void)ctx;
    rsp_dd1_drop(task->result);
}

static int dd1_of(const struct made *m, uint8_t out[16], uint64_t *keys)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, dd1_work, dd1_join, dd1_drop};
    struct rsp_rdb_run_options o = {.size = sizeof o, .threads = 1};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_source *source = NULL;
    int rc;
    ck_assert_int_eq(rsp_dd1_table_new(NULL, &table), RSP_OK);
    ck_assert_int_eq(rsp_dd1_worker_new(NULL, &worker), RSP_OK);
    ck_assert_int_eq(rsp_source_memory(NULL, m->p, m->n, &source), RSP_OK);
    rc = rsp_rdb_run(NULL, source, &o, &ops, NULL, &result);
    rsp_source_free(source);
    dd1_bytes(&rsp_dd1_table_total(table)->with_expiry, out);
    *keys = rsp_dd1_table_total(table)->keys;
    if (rsp_dd1_table_broken(table, NULL)) rc = RSP_EFORMAT;
    if (!rc && result.feed.crc_state == RSP_RDB_CRC_WRONG) rc = RSP_ECHECKSUM;
    rsp_dd1_worker_free(worker);
    rsp_dd1_table_free(table);
    return rc;
}

static void as_dd1(const struct made *m, const char *what)
{
    uint8_t sum[16];
    uint64_t keys = 0;
    ck_assert_msg(dd1_of(m, sum, &keys) == RSP_OK, "%s", what);
    compare(m, NULL, m, INT64_MIN + 1);
    expect(RSP_COMPARE_EQUAL, keys, 0, 0, 0, 0);
    ck_assert_msg(!memcmp(report.expected, sum, 16), "%s: another digest", what);
}

static void load(const char *path, struct made *m)
{
    FILE *f = fopen(path, "rb");
    long n;
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fseek(f, 0, SEEK_END), 0);
    n = ftell(f);
    ck_assert_int_ge(n, 0);
    ck_assert_int_eq(fseek(f, 0, SEEK_SET), 0);
    m->n = m->cap = (size_t)n;
    m->p = malloc(m->n + 1);
    ck_assert_uint_eq(fread(m->p, 1, m->n, f), m->n);
    fclose(f);
}

START_TEST(every_type)
{
    static const char *const where[] = {"tests/data/[hrv]*/*.rdb", "tests/data/[hrv]*/*/*.rdb"};
    unsigned seen = 0;
    for (size_t k = 0; k < 2; k++) {
        glob_t g;
        if (glob(where[k], 0, NULL, &g)) continue;
        for (size_t i = 0; i < g.gl_pathc; i++) {
            struct made m = {0};
            uint8_t sum[16];
            uint64_t keys;
            load(g.gl_pathv[i], &m);
            if (m.n < (4u << 20) && !dd1_of(&m, sum, &keys)) {
                as_dd1(&m, g.gl_pathv[i]);
                seen++;
            }
            made_free(&m);
        }
        globfree(&g);
    }
    ck_assert_uint_gt(seen, 20);
}
END_TEST

START_TEST(in_many_parts)
{
    struct made m = {0};
    file_begin(&m, "REDIS0012");
    put_db(&m, 0);
    put_key(&m, "before", "1", 0);
    record_begin(&m, 0, "huge");
    put_noise(&m, 5u << 20, 1, 0);
    put_byte(&m, 0xfc);
    put_le(&m, (uint64_t)NOW + 77, 8);
    record_begin(&m, 1, "list");
    put_len(&m, 3000);
    for (unsigned i = 0; i < 3000; i++) put_noise(&m, 900, i, 0);
    record_begin(&m, 24, "hash");
    put_le(&m, (uint64_t)NOW, 8);
    put_len(&m, 3);
    for (unsigned i = 0; i < 3; i++) {
        put_len(&m, i);
        put_noise(&m, 10, i, 0);
        put_noise(&m, 2u << 20, i, 0);
    }
    record_begin(&m, 2, "set");
    put_len(&m, 200000);
    for (unsigned i = 0; i < 200000; i++) put_noise(&m, 10, i, 0);
    put_key(&m, "behind", "1", 0);
    file_end(&m);
    as_dd1(&m, "parts");
    made_free(&m);
}
END_TEST

/* The expiry of a field that lies in a late part of its hash. */
START_TEST(parts_changed)
{
    struct made m[2] = {{0}, {0}};
    struct rsp_compare_side shift = {.ttl = RSP_TTL_SHIFT, .shift_ms = 1000};
    for (unsigned k = 0; k < 2; k++) {
        file_begin(&m[k], "REDIS0012");
        put_db(&m[k], 0);
        record_begin(&m[k], 24, "hash");
        put_le(&m[k], (uint64_t)NOW + 1000 * k, 8);
        put_len(&m[k], 3000);
        for (unsigned i = 0; i < 3000; i++) {
            put_len(&m[k], i % 3000 == 2999);
            put_noise(&m[k], 10, i, 0);
            put_noise(&m[k], i == 1500 ? 3u << 20 : 900, i, 0);
        }
        file_end(&m[k]);
    }
    compare(&m[0], &shift, &m[1], NOW - 1);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&m[0], NULL, &m[1], NOW - 1);
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    compare(&m[0], NULL, &m[1], NOW);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 0, 1);
    made_free(&m[0]), made_free(&m[1]);
}
END_TEST

/* ---- what a target holds ---- */

static struct rsp_target target_of(uint32_t version, uint16_t rdb)
{
    struct rsp_target t = {.size = sizeof t};
    ck_assert_int_eq(rsp_target_of(&env, "redis", version, &t), RSP_OK);
    ck_assert_uint_eq(t.rdb_version, rdb);
    return t;
}

static struct rsp_loss_policy policy_of(const char *text)
{
    struct rsp_loss_policy p;
    rsp_loss_policy_default(&p);
    ck_assert_int_eq(rsp_loss_policy_parse(&env, text, &p), RSP_OK);
    return p;
}

/* Stream 19 of nodes entries, from that id on, with one group and one consumer who was last seen then and has 1-0. */
static struct made stream_from(unsigned nodes, unsigned from, int64_t seen, uint64_t read)
{
    struct made m = {0}, lp = {0};
    char value[4000];
    memset(value, 'v', sizeof value);
    file_begin(&m, "REDIS0010");
    put_db(&m, 0);
    record_begin(&m, 19, "s");
    put_len(&m, nodes);
    for (unsigned i = 0; i < nodes; i++) {
        put_len(&m, 16);
        put_be(&m, i + from, 8);
        put_be(&m, 0, 8);
        lp_begin(&lp);
        lp_int(&lp, 1), lp_int(&lp, 0), lp_int(&lp, 1);
        lp_str(&lp, "f", 1);
        lp_int(&lp, 0), lp_int(&lp, 2), lp_int(&lp, 0), lp_int(&lp, 0);
        lp_str(&lp, value, sizeof value);
        lp_int(&lp, 4);
        lp_end(&lp, 10);
        put_str(&m, lp.p, lp.n);
    }
    put_len(&m, nodes), put_len(&m, nodes), put_len(&m, 0); /* length, last id */
    put_len(&m, 1), put_len(&m, 0), put_len(&m, 0), put_len(&m, 0), put_len(&m, nodes);
    put_len(&m, 1);
    put_text(&m, "g");
    put_len(&m, 1), put_len(&m, 0), put_len(&m, read);
    put_len(&m, 1);
    put_be(&m, 1, 8), put_be(&m, 0, 8), put_le(&m, (uint64_t)NOW, 8), put_len(&m, 3);
    put_len(&m, 1);
    put_text(&m, "c");
    put_le(&m, (uint64_t)seen, 8);
    put_len(&m, 1);
    put_be(&m, 1, 8), put_be(&m, 0, 8);
    file_end(&m);
    made_free(&lp);
    return m;
}

static struct made stream(unsigned nodes, int64_t seen, uint64_t read)
{
    return stream_from(nodes, 1, seen, read);
}

/* They travel as payloads, in parts or not; those that are too large for that by commands, and no command says when a
 * consumer was last seen. */
START_TEST(streams)
{
    struct rsp_target seven = target_of(70015, 10), four = target_of(40014, 8);
    struct rsp_compare_side side = {.target = &seven, .losses = policy_of("convert,stream-nack=drop")};
    unsigned nodes = _i ? 1200 : 3;
    struct made a = stream(nodes, NOW - 1, 1), b = stream(nodes, NOW + 5, 1);
    if (_i == 2) seven.bulk_max = 3u << 20; /* known when the second part comes */
    compare(&a, &side, &a, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&a, &side, &b, NOW);
    expect(_i == 2 ? RSP_COMPARE_EQUAL : RSP_COMPARE_DIFFERENT, 1, 0, _i != 2, 0, 0);
    compare(&a, NULL, &b, NOW);
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    side.target = &four;
    compare(&a, &side, &b, NOW);
    expect(RSP_COMPARE_EQUAL, 0, 0, 0, 1, 0);
    made_free(&a), made_free(&b);
}
END_TEST

/* What is pending though its message is gone: only a payload carries it, and commands where the whole stream is seen. */
START_TEST(trimmed_streams)
{
    struct rsp_target seven = target_of(70015, 10);
    struct rsp_compare_side side = {.target = &seven, .losses = policy_of("convert,stream-nack=drop")};
    struct made a = stream_from(_i ? 1200 : 3, 2, NOW, 1);
    compare(&a, &side, &a, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    seven.bulk_max = _i ? 3u << 20 : 5000;
    compare(&a, &side, &a, NOW);
    if (_i) expect(RSP_COMPARE_EQUAL, 0, 0, 0, 1, 0);
    else expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    made_free(&a);
}
END_TEST

static struct made zset(unsigned members, size_t large, double score)
{
    struct made m = {0};
    uint64_t bits;
    file_begin(&m, "REDIS0010");
    put_db(&m, 0);
    record_begin(&m, 5, "z");
    put_len(&m, members + (large != 0));
    for (unsigned i = 0; i < members; i++) {
        double v = i == members / 2 ? score : 1.5;
        memcpy(&bits, &v, sizeof bits);
        put_noise(&m, 10, i, 0);
        put_le(&m, bits, 8);
    }
    if (large) {
        memcpy(&bits, &score, sizeof bits);
        put_noise(&m, large, 7, 0);
        put_le(&m, bits, 8);
    }
    file_end(&m);
    return m;
}

/* Commands make 0 of -0 in a small sorted set, and a large one begins small: dd1 has one word for both. */
START_TEST(negative_zero)
{
    struct rsp_target seven = target_of(70015, 10);
    struct rsp_compare_side side = {.target = &seven, .losses = policy_of("convert,stream-nack=drop")};
    unsigned members = _i ? 150000 : 3;
    size_t large = _i == 2 ? 3u << 20 : 0;
    struct made a = zset(members, large, -0.0), b = zset(members, large, 0.0), c = zset(members, large, 1e-300);
    compare(&a, &side, &a, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&a, &side, &b, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    compare(&a, &side, &c, NOW);
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    made_free(&a), made_free(&b), made_free(&c);
}
END_TEST

static struct made module(unsigned number, int64_t expire)
{
    struct made m = {0};
    file_begin(&m, "REDIS0010");
    put_db(&m, 0);
    if (expire) put_byte(&m, 0xfc), put_le(&m, (uint64_t)expire, 8);
    record_begin(&m, 7, "mod");
    put_byte(&m, 0x81); /* the module's id, then one number, then the end */
    for (unsigned i = 0; i < 8; i++) put_byte(&m, (uint8_t)(i + 1));
    put_len(&m, 2), put_len(&m, number), put_len(&m, 0);
    file_end(&m);
    return m;
}

/* What a module writes otherwise is there; a dump beside a dump is compared byte by byte. */
START_TEST(modules)
{
    struct rsp_target seven = target_of(70015, 10);
    struct rsp_compare_side side = {.target = &seven, .losses = policy_of("convert,stream-nack=drop")};
    struct made a = module(1, 0), b = module(2, 0), c = module(1, NOW + 5);
    compare(&a, &side, &a, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    ck_assert_uint_eq(report.opaque, 0);
    compare(&a, &side, &b, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    ck_assert_uint_eq(report.opaque, 1);
    compare(&a, &side, &c, NOW);
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    compare(&a, NULL, &b, NOW);
    expect(RSP_COMPARE_DIFFERENT, 1, 0, 1, 0, 0);
    made_free(&a), made_free(&b), made_free(&c);
}
END_TEST

START_TEST(field_expiries_lost)
{
    struct rsp_target seven = target_of(70015, 10);
    struct rsp_compare_side side = {.target = &seven, .losses = policy_of("convert,stream-nack=drop")};
    struct made soon = hash(NOW + 5, "2"), never = hash(0, "2");
    compare(&soon, &side, &never, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    seven = target_of(80000, 12);
    compare(&soon, &side, &soon, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 0, 0);
    made_free(&soon), made_free(&never);
}
END_TEST

START_TEST(too_long_for_the_target)
{
    struct rsp_target seven = target_of(70015, 10);
    struct rsp_compare_side side = {.target = &seven, .losses = policy_of("convert,stream-nack=drop")};
    struct made m = {0};
    seven.bulk_max = 1u << 20;
    file_begin(&m, "REDIS0010");
    put_db(&m, 0);
    put_key(&m, "small", "1", 0);
    record_begin(&m, 0, "huge");
    put_noise(&m, 3u << 20, 1, _i);
    record_begin(&m, 1, "list");
    put_len(&m, 2);
    put_noise(&m, 2u << 20, 1, _i);
    put_text(&m, "x");
    file_end(&m);
    compare(&m, &side, &m, NOW);
    expect(RSP_COMPARE_EQUAL, 1, 0, 0, 2, 0);
    seven.bulk_max = 4u << 20;
    compare(&m, &side, &m, NOW);
    expect(RSP_COMPARE_EQUAL, 3, 0, 0, 0, 0);
    made_free(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("rows_value");
    TCase *t = tcase_create("rows_value");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_type);
    tcase_add_test(t, in_many_parts);
    tcase_add_test(t, parts_changed);
    tcase_add_loop_test(t, streams, 0, 3);
    tcase_add_loop_test(t, trimmed_streams, 0, 2);
    tcase_add_loop_test(t, negative_zero, 0, 3);
    tcase_add_test(t, modules);
    tcase_add_test(t, field_expiries_lost);
    tcase_add_loop_test(t, too_long_for_the_target, 0, 2);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
