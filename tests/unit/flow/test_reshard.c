/* What this is: tests of resharding: every dump there is cut by slots and put together again; large records; a filter.
 * Rests on: reshard_test.h; tests/data.
 * Does not: refuse anything: test_reshard_refused.c does. */
#include "unit/flow/reshard_test.h"

static int files_seen, holding_commands;

static int one_file(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    static const size_t shards[] = {1, 2, 3, 5, 16};
    size_t dot = strlen(path);
    struct dump d;
    uint8_t *p;
    FILE *f;
    (void)ftw;
    if (kind != FTW_F || dot < 4 || strcmp(path + dot - 4, ".rdb") || st->st_size > 300000 || !st->st_size) return 0;
    if (strstr(path, "/bad/")) return 0;
    f = fopen(path, "rb");
    p = malloc((size_t)st->st_size);
    ck_assert(f && p && fread(p, 1, (size_t)st->st_size, f) == (size_t)st->st_size);
    fclose(f);
    d = (struct dump){p, (size_t)st->st_size};
    snprintf(doing, sizeof doing, "%s", path);
    if (strstr(path, "valkey81-update")) holding_commands++;
    else if (judge(d, 0).sound) {
        files_seen++;
        whole(d);
        for (size_t k = 0; k < sizeof shards / sizeof shards[0]; k++) by_slots(d, shards[k]);
    }
    free(p);
    return 0;
}

START_TEST(every_dump)
{
    ck_assert_int_eq(nftw(getenv("DATA") ? getenv("DATA") : "tests/data", one_file, 16, FTW_PHYS), 0);
    ck_assert_int_gt(files_seen, 200);
    ck_assert_int_eq(holding_commands, 1);
}
END_TEST

/* ---- large records ---- */

START_TEST(large_records)
{
    struct buf a;
    struct dump d;
    struct dumps in = {.n = 1};
    struct outcome out;
    full_env();
    d = large(&a);
    whole(d);
    by_slots(d, 1);
    by_slots(d, 3);
    in.of[0] = d;
    for (unsigned threads = 1; threads < 4; threads++) { /* a size is only known with the record's end */
        struct rsp_reshard_options o = options(2, 0);
        struct judged j[2];
        MUST(rsp_filter_new(NULL, &o.run.filter) == RSP_OK);
        MUST(rsp_filter_add(o.run.filter, "size", "~2MB") == RSP_OK);
        o.run.threads = threads;
        cut(&in, 2, &o, &out);
        MUST(out.rc == RSP_OK && out.report.keys == 3);
        j[0] = judge(view(&out, 0), 0), j[1] = judge(view(&out, 1), 0);
        MUST(j[0].sound && j[1].sound && j[0].keys + j[1].keys == 3);
        MUST(rsp_sink_written(out.sinks[0]) + rsp_sink_written(out.sinks[1]) < 1300000);
        done(&out);
        rsp_filter_free(o.run.filter);
    }
    buf_free(&a);
}
END_TEST

/* A hash by template that has no field, in a batch with others: its plain form has none either, and says so. */
START_TEST(template_of_nothing)
{
    static const uint8_t empty[] = "\x1f\x05"
                                   "empty\x01"; /* its names stand in it, as many as the next byte says */
    struct buf a;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(1, 1);
    struct outcome out;
    full_env();
    begin(&a, 15);
    MUST(buf_add(&a, empty, sizeof empty) == RSP_OK);
    string(&a, "behind", "v");
    in.of[0] = end(&a);
    cut(&in, 1, &o, &out);
    MUST(out.rc == RSP_OK && out.report.keys == 2);
    MUST(memmem(view(&out, 0).p, view(&out, 0).n,
                "\x04\x05"
                "empty\x00\x00\x06"
                "behind\x01v",
                18));
    done(&out);
    buf_free(&a);
}
END_TEST

START_TEST(as_one_source)
{
    struct buf a, b;
    struct dumps in = {.n = 2};
    struct rsp_reshard_options o = options(1, 1);
    struct outcome out;
    struct rsp_source *source = NULL;
    struct rsp_sink *sink = NULL;
    struct rsp_span got;
    uint8_t some[64];
    size_t n;
    full_env();
    in.of[0] = large(&a);
    begin(&b, 11);
    string(&b, "another", "v");
    in.of[1] = end(&b);
    cut(&in, 1, &o, &out);
    MUST(out.rc == RSP_OK);
    MUST(rsp_reshard_source(&env, open_dump, &in, 2, &o, "all of it", &source) == RSP_OK);
    MUST(rsp_sink_memory(NULL, &sink) == RSP_OK && rsp_pump(source, NULL, sink) == RSP_OK);
    MUST(rsp_sink_view(sink, &got) == RSP_OK && got.n == view(&out, 0).n && !memcmp(got.p, view(&out, 0).p, got.n));
    rsp_source_free(source);
    rsp_sink_free(sink);
    MUST(rsp_reshard_source(&env, open_dump, &in, 2, &o, "left early", &source) == RSP_OK);
    MUST(rsp_source_read(source, some, sizeof some, &n) == RSP_OK && !memcmp(some, "REDIS0015", 9));
    rsp_source_free(source);
    b.p[b.n / 2] ^= 1;
    MUST(rsp_reshard_source(&env, open_dump, &in, 2, &o, "damaged", &source) == RSP_OK);
    MUST(rsp_source_read(source, some, sizeof some, &n) == RSP_ECHECKSUM && strstr(words(), "checksum"));
    rsp_source_free(source);
    done(&out);
    buf_free(&a);
    buf_free(&b);
}
END_TEST

START_TEST(even_shards)
{
    uint16_t owner[RSP_SLOTS];
    rsp_reshard_even(3, owner);
    ck_assert(owner[0] == 0 && owner[5460] == 0 && owner[5461] == 1 && owner[10922] == 1 && owner[10923] == 2);
    rsp_reshard_even(RSP_SLOTS, owner);
    ck_assert(owner[0] == 0 && owner[16383] == 16383);
    rsp_reshard_even(1, owner);
    ck_assert(owner[0] == 0 && owner[16383] == 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reshard");
    TCase *t = tcase_create("reshard");
    SRunner *r = srunner_create(s);
    int failures;
    tcase_add_test(t, every_dump);
    tcase_add_test(t, large_records);
    tcase_add_test(t, template_of_nothing);
    tcase_add_test(t, as_one_source);
    tcase_add_test(t, even_shards);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
