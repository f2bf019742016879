/* What this is: tests of the command export: units and their numbers, resumed runs, faults,
 *   failing allocations.
 * Rests on: test_resp_lines.h, export/resp_make.h.
 * Does not: look at each kind of value (test_resp_make.c). */
#include "test_resp_run.h"

/* ---- units ---- */

/* Strings, an aggregate, expired ones, and more strings than one MSET has. */
static void mixed_file(struct made *m)
{
    char key[16];
    begin(m, "REDIS0011");
    PUT(m, "\xf5\x10#!lua name=l\nx=1");
    for (int i = 0; i < 100; i++) {
        if (i == 5) PUT(m, "\xfc\x01\0\0\0\0\0\0\0");
        if (i == 90) PUT(m, "\x02\x01s\x01\x01m");
        put_byte(m, 0);
        put_str(m, key, (size_t)snprintf(key, sizeof key, "k%d", i));
        put_text(m, "v");
    }
    PUT(m, "\xfc\x01\0\0\0\0\0\0\0\x02\x01t\x01\x01m");
    finish(m);
}

START_TEST(units_and_resumption)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct made f;
    struct seen s;
    o.ttl = RSP_TTL_DROP_EXPIRED;
    mixed_file(&f);
    ck_assert_int_eq(run_units(&f, &o, 0, &s, &r), RSP_OK);
    /* k0..k4, k6..k69, k70..k89, s, k90..k99; k5 and t have expired */
    ck_assert_uint_eq(s.units, 5);
    ck_assert_uint_eq(s.next, 101);
    ck_assert_uint_eq(r.keys, 100);
    ck_assert_uint_eq(r.dropped, 2);
    ck_assert_uint_eq(r.functions, 1);
    free(s.keys.p);
    for (uint64_t skip = 1; skip <= 102; skip++) {
        memset(&r, 0, sizeof r);
        r.size = sizeof r;
        ck_assert_int_eq(run_units(&f, &o, skip, &s, &r), RSP_OK);
        ck_assert_uint_eq(r.keys, skip <= 5 ? 100 - skip : skip < 101 ? 101 - skip : 0);
        ck_assert_uint_eq(r.functions, 0);
        if (skip == 3) ck_assert_ptr_nonnull(strstr((char *)s.keys.p, "MSET k3 v k4 v\n"));
        if (skip == 98) ck_assert_str_eq((char *)s.keys.p, "MSET k97 v k98 v k99 v\n");
        free(s.keys.p);
    }
    ck_assert_int_eq(run_units(&f, &o, 200, &s, NULL), RSP_OK);
    ck_assert_uint_eq(s.units, 0);
    free(s.keys.p);
    free(f.p);
}
END_TEST

/* Who would add to a key that exists says so; what notices it does not. */
static int on_several(void *ctx, const struct resp_unit *u)
{
    struct seen *s = ctx;
    const char *word = memchr(u->p, '\n', u->n);
    int notices = word && (!memcmp(word + 1, "$3\r\nSET\r\n", 9) || !memcmp(word + 1, "$7\r\nRESTORE", 11) ||
                           !memcmp(word + 1, "$6\r\nMSETNX", 10));
    ck_assert_int_eq((u->flags & RESP_UNIT_SEVERAL) != 0, !notices);
    s->units++;
    return RSP_OK;
}
static int join_several(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    return resp_maker_join(((struct seen *)ctx)->maker, env, task, on_several, ctx);
}

START_TEST(several)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, on_work, join_several, on_drop};
    struct rsp_resp_options o = options_for("redis:7.0", _i & 1);
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct made files[2];
    o.existing = _i & 2 ? RSP_EXISTING_FAIL : RSP_EXISTING_SKIP;
    aggregates_file(&files[0]);
    strings_file(&files[1]);
    for (size_t i = 0; i < 2; i++) {
        struct rsp_source *source;
        struct seen s = {0};
        ck_assert_int_eq(rsp_source_memory(NULL, files[i].p, files[i].n, &source), RSP_OK);
        ck_assert_int_eq(resp_maker_new(NULL, &o, &s.maker), RSP_OK);
        ck_assert_int_eq(rsp_rdb_run(NULL, source, &o.run, &ops, &s, &result), RSP_OK);
        ck_assert_uint_gt(s.units, 2);
        resp_maker_free(s.maker);
        rsp_source_free(source);
        free(files[i].p);
    }
}
END_TEST

START_TEST(a_fault_of_emit_stops)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct rsp_source *source;
    struct rsp_rdb_run_result result = {.size = sizeof result};
    static const struct rsp_rdb_run_ops ops = {sizeof ops, on_work, on_join, on_drop};
    struct seen s = {.stop = 2};
    struct made f;
    strings_file(&f);
    ck_assert_int_eq(rsp_source_memory(NULL, f.p, f.n, &source), RSP_OK);
    ck_assert_int_eq(resp_maker_new(NULL, &o, &s.maker), RSP_OK);
    ck_assert_int_eq(rsp_rdb_run(NULL, source, &o.run, &ops, &s, &result), RSP_ECANCELED);
    ck_assert_uint_eq(s.units, 2);
    resp_maker_free(s.maker);
    rsp_source_free(source);
    free(s.keys.p);
    free(f.p);
}
END_TEST

/* ---- faults ---- */

START_TEST(wrong_options)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f, raw;
    strings_file(&f);
    o.existing = 3;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EINVAL);
    o.existing = 0;
    o.ttl = -1;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EINVAL);
    o.ttl = 0;
    o.losses.action[RSP_LOSS_ARRAY] = 3;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EINVAL);
    o.losses.action[RSP_LOSS_ARRAY] = 0;
    memset(&o.target, 0, sizeof o.target);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EINVAL);
    free(f.p);
}
END_TEST

START_TEST(malformed)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f, raw, text = {NULL, 0, 0};
    begin(&f, "REDIS0010");
    PUT(&f, "\x00\x01"
            "a\x01x\x10\x02hl\x0c\x0d\0\0\0\x02\0\x81"
            "f\x02\x01\x01\xff");
    finish(&f);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EFORMAT);
    lines(&text, raw.p, raw.n); /* what stands before the fault is there */
    ck_assert_str_eq((char *)text.p, "SELECT 0\nSET a x\n");
    free(text.p);
    free(raw.p);
    free(f.p);
    ghosts_file(&f);
    f.p[f.n - 9 - 16 - 1 - 16 - 2 - 1] = 'c';
    f.p[40] = 9; /* the first pending id comes behind the second */
    ck_assert_int_lt(export(&f, &o, NULL, &raw, NULL), 0);
    free(raw.p);
    free(f.p);
}
END_TEST

struct failing {
    long left, live;
};

static void *resize(void *opaque, void *p, size_t old_size, size_t new_size)
{
    struct failing *a = opaque;
    (void)old_size;
    if (!new_size) {
        a->live -= p != NULL;
        free(p);
        return NULL;
    }
    if (!a->left) return NULL;
    a->left -= a->left > 0;
    a->live += p == NULL;
    return realloc(p, new_size);
}

static void fail_each(const struct made *f, const struct rsp_resp_options *o)
{
    struct failing a = {-1, 0};
    struct rsp_error words;
    struct rsp_env env = {.size = sizeof env, .error = &words, .resize = resize, .resize_opaque = &a};
    int rc = RSP_ENOMEM;
    for (long n = 0; rc; n++) {
        struct made raw;
        memset(&words, 0, sizeof words);
        a.left = n;
        rc = export(f, o, &env, &raw, NULL);
        ck_assert(rc == RSP_OK || rc == RSP_ENOMEM);
        if (rc) ck_assert_int_eq(words.code, RSP_ENOMEM);
        ck_assert_int_eq(a.live, 0);
        free(raw.p);
    }
}

START_TEST(allocations_fail)
{
    struct rsp_resp_options o = options_for("redis:7.0", 0);
    struct made f;
    strings_file(&f);
    fail_each(&f, &o);
    free(f.p);
    ghosts_file(&f);
    fail_each(&f, &o);
    free(f.p);
    aggregates_file(&f);
    o.payloads = 1;
    fail_each(&f, &o);
    free(f.p);
    stream_file(&f, 700, 1);
    fail_each(&f, &o);
    o.target.bulk_max = 2u << 20;
    on_loss(&o, "drop,convert");
    fail_each(&f, &o);
    free(f.p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resp_units");
    TCase *t = tcase_create("resp_units");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 120);
    tcase_add_test(t, units_and_resumption);
    tcase_add_loop_test(t, several, 0, 4);
    tcase_add_test(t, a_fault_of_emit_stops);
    tcase_add_test(t, wrong_options);
    tcase_add_test(t, malformed);
    tcase_add_test(t, allocations_fail);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
