/* What this is: tests of the restore of several streams, the shards of a cluster, into one server: numbering, functions, what
 *   is there twice, what an earlier run has written.
 * Rests on: libcheck, load_test.h.
 * Does not: reach a cluster (tests/unit/repl/test_routes.c, tests/live/cluster). */
#include "load_test.h"

#define STREAMS 3

static struct made streams[STREAMS];
static char lost[4096];

/* Keys from..to with that value; a library of that code. */
static void stream_of(struct made *m, int from, int to, const char *value, const char *code)
{
    char key[32];
    made_free(m);
    file_begin(m, "REDIS0010");
    if (code) put_byte(m, 0xf5), put_text(m, code);
    put_byte(m, 0xfe);
    put_len(m, 0);
    for (int i = from; i < to; i++) {
        snprintf(key, sizeof key, "key:%d", i);
        record_begin(m, i % 7 == 3 ? 2 : 0, key);
        if (i % 7 == 3) put_len(m, 1);
        put_text(m, value);
    }
    file_end(m);
}

static void begin(void)
{
    setup();
    stream_of(&streams[0], 0, 300, "a", "#!lua name=a\nreturn 1");
    stream_of(&streams[1], 300, 300, "b", "#!lua name=a\nreturn 1"); /* none */
    stream_of(&streams[2], 300, 600, "ccc", "#!lua name=a\nreturn 1");
    options.streams = STREAMS;
    lost[0] = 0;
}

static void end(void)
{
    for (int i = 0; i < STREAMS; i++) made_free(&streams[i]);
    teardown();
}

static int open_stream(void *ctx, size_t stream, struct rsp_source **source)
{
    ck_assert_ptr_eq(ctx, streams);
    ck_assert_uint_lt(stream, STREAMS);
    return rsp_source_memory(&env, streams[stream].p, streams[stream].n, source);
}

static int load_streams(void)
{
    memset(&error, 0, sizeof error);
    memset(&report, 0, sizeof report);
    report.size = sizeof report;
    return rsp_load(&env, open_stream, streams, &place, &options, &report);
}

static int on_lost(void *opaque, int loss, uint32_t db, struct rsp_span name)
{
    size_t n = strlen(lost);
    ck_assert_ptr_eq(opaque, lost);
    snprintf(lost + n, sizeof lost - n, "%s %u %.*s;", rsp_loss_name(loss), db, (int)name.n, (const char *)name.p);
    return RSP_OK;
}

START_TEST(together)
{
    options.checked = _i;
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(report.keys, 600);
    ck_assert_uint_eq(report.plan.keys, 600);
    ck_assert_uint_eq(report.plan.functions, 1);
    ck_assert_uint_eq(report.functions, 1);
    ck_assert_uint_eq(fake.n, 600);
    ck_assert_uint_eq(fake_find(0, "key:299")->bytes, 1);
    ck_assert_uint_eq(fake_find(0, "key:300")->bytes, 3);
}
END_TEST

START_TEST(other_code)
{
    int rc;
    stream_of(&streams[2], 300, 600, "c", "#!lua name=a\nreturn 2");
    rc = load_streams();
    ck_assert_msg(rc == RSP_EUNSUPPORTED, "%d %s", rc, error.message);
    ck_assert_ptr_nonnull(strstr(error.message, "\"a\" has one code in stream 0 and another in stream 2"));
    ck_assert_uint_eq(fake.writes, 0);
    options.resp.no_functions = 1;
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(fake.libraries, 0);
    stream_of(&streams[2], 300, 600, "c", "#!lua name=b\nreturn 2");
    options.resp.no_functions = 0;
    options.resp.existing = RSP_EXISTING_REPLACE;
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(report.functions, 2);
}
END_TEST

/* What the plan says of expiries is of the keys that will be there: not of those that are there twice or are lost. */
START_TEST(expiries)
{
    options.checked = _i;
    options.dry_run = 1;
    options.streams = 2;
    for (int i = 0; i < 2; i++) {
        made_free(&streams[i]);
        file_begin(&dump, "REDIS0010");
        put_byte(&dump, 0xfe);
        put_len(&dump, 0);
        put_byte(&dump, 0xfc), put_be(&dump, 0x0000000000010000, 8);
        record_begin(&dump, 0, "twice"), put_text(&dump, "1");
        put_byte(&dump, 0xfc), put_be(&dump, 0x0000000000010000, 8);
        record_begin(&dump, 2, i ? "one" : "two"), put_len(&dump, 1), put_text(&dump, "a");
        record_begin(&dump, 0, i ? "three" : "four"), put_text(&dump, "1");
        put_byte(&dump, 0xfc), put_be(&dump, 0x0000000000010000, 8);
        record_begin(&dump, 7, i ? "lost 1" : "lost 2");
        put_byte(&dump, 0x81), put_be(&dump, 0x3016e5a289bef804, 8);
        put_len(&dump, 2), put_len(&dump, 5), put_len(&dump, 0);
        file_end(&dump);
        streams[i] = dump;
        memset(&dump, 0, sizeof dump);
    }
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(report.plan.losses.n[RSP_LOSS_MODULE], 2);
    ck_assert_uint_eq(report.plan.losses.n[RSP_LOSS_COLLISION], 1);
    ck_assert_uint_eq(report.plan.keys, 5);
    ck_assert_uint_eq(report.plan.expires, 3);
    options.resp.ttl = RSP_TTL_PERSIST;
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(report.plan.keys, 5);
    ck_assert_uint_eq(report.plan.expires, 0);
    options.resp.ttl = RSP_TTL_KEEP;
}
END_TEST

/* The same keys in two streams: the first ones stay. */
START_TEST(twice)
{
    stream_of(&streams[2], 297, 600, "ccc", NULL);
    options.checked = _i % 2;
    options.resp.existing = _i / 2;
    options.resp.lost = on_lost;
    options.resp.opaque = lost;
    ck_assert_int_eq(load_streams(), RSP_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "3 keys are there twice"));
    ck_assert_ptr_nonnull(strstr(error.message, "key:297"));
    ck_assert_uint_eq(fake.writes, 0);
    ck_assert_str_eq(lost, "collision 0 key:297;collision 0 key:298;collision 0 key:299;");
    ck_assert_int_eq(rsp_loss_policy_parse(&env, "collision=drop", &options.resp.losses), RSP_OK);
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(report.plan.losses.n[RSP_LOSS_COLLISION], 3);
    ck_assert_uint_eq(report.keys, 600);
    ck_assert_uint_eq(report.skipped, 0);
    ck_assert_uint_eq(fake.n, 600);
    ck_assert_uint_eq(fake_find(0, "key:298")->bytes, 1);
    ck_assert_uint_eq(fake_find(0, "key:300")->bytes, 3);
}
END_TEST

START_TEST(databases_become_one)
{
    static const struct rsp_resp_db dbs[] = {{1, 0}};
    options.streams = 1;
    options.resp.dbs = dbs;
    options.resp.dbs_n = 1;
    made_free(&streams[0]);
    make_dump(0);
    streams[0] = dump;
    memset(&dump, 0, sizeof dump);
    ck_assert_int_eq(load_streams(), RSP_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "300 keys are there twice"));
    options.dry_run = 1;
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(report.plan.losses.n[RSP_LOSS_COLLISION], 300);
    ck_assert_uint_eq(report.plan.keys, 300);
    ck_assert_uint_eq(fake.writes, 0);
    options.dry_run = 0;
    ck_assert_int_eq(rsp_loss_policy_parse(&env, "drop", &options.resp.losses), RSP_OK);
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(fake.n, 300);
    ck_assert_uint_eq(fake_find(0, "key:7")->bytes, strlen("value 7 of 0"));
}
END_TEST

/* Cut off in any stream, and gone on from there. */
START_TEST(goes_on)
{
    uint64_t all;
    options.checkpoint = mark;
    options.resp.existing = _i / 8;
    ck_assert_int_eq(load_streams(), RSP_OK);
    all = state();
    fake_forget();
    fake.hang_at = (unsigned long)(2 + _i % 8 * 14);
    ck_assert_int_lt(load_streams(), 0);
    ck_assert_int_eq(access(mark, F_OK), 0);
    fake.hang_at = 0;
    options.checked = _i % 2;
    ck_assert_int_eq(load_streams(), RSP_OK);
    ck_assert_uint_eq(state(), all);
    ck_assert_int_ne(access(mark, F_OK), 0);
}
END_TEST

START_TEST(damaged_stream)
{
    streams[2].p[streams[2].n / 2] ^= 1;
    ck_assert_int_lt(load_streams(), 0);
    ck_assert_ptr_nonnull(strstr(error.trail, "in stream 2"));
    ck_assert_uint_eq(fake.writes, 0);
}
END_TEST

START_TEST(rows_of_all)
{
    struct rsp_rows *rows = NULL, *one = NULL;
    struct rsp_compare_report cmp = {.size = sizeof cmp};
    stream_of(&streams[1], 100, 200, "bb", NULL); /* later ones count */
    ck_assert_int_eq(rsp_rows_of_all(&env, open_stream, streams, STREAMS, NULL, 2, dir, NULL, &rows), RSP_OK);
    made_free(&dump);
    stream_of(&dump, 0, 600, "a", NULL);
    streams[0].n--; /* cut */
    ck_assert_int_lt(rsp_rows_of_all(&env, open_stream, streams, STREAMS, NULL, 2, dir, NULL, &one), 0);
    ck_assert_ptr_null(one);
    streams[0].n++;
    {
        struct rsp_source *source;
        ck_assert_int_eq(rsp_source_memory(&env, dump.p, dump.n, &source), RSP_OK);
        ck_assert_int_eq(rsp_rows_of(&env, source, NULL, 2, dir, NULL, &one), RSP_OK);
        rsp_source_free(source);
    }
    ck_assert_int_eq(rsp_rows_compare(&env, rows, one, 0, &cmp), RSP_OK);
    ck_assert_uint_eq(cmp.keys, 600);
    ck_assert_uint_eq(cmp.missing, 0);
    ck_assert_uint_eq(cmp.changed, 400);
    rsp_rows_free(rows);
    rsp_rows_free(one);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("load streams");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;
    tcase_add_checked_fixture(t, begin, end);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, together, 0, 2);
    tcase_add_test(t, other_code);
    tcase_add_loop_test(t, expiries, 0, 2);
    tcase_add_loop_test(t, twice, 0, 6);
    tcase_add_test(t, databases_become_one);
    tcase_add_loop_test(t, goes_on, 0, 24);
    tcase_add_test(t, damaged_stream);
    tcase_add_test(t, rows_of_all);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
