/* What this is: tests of what a reshard refuses, drops or leaves away: losses, targets, faults of every kind.
 * Rests on: reshard_test.h.
 * Does not: go through tests/data: test_reshard.c does. */
#include "unit/flow/reshard_test.h"

START_TEST(functions_once)
{
    struct buf a, b;
    struct dumps in = {.n = 2};
    struct rsp_reshard_options o = options(2, 0);
    struct outcome out;
    full_env();
    begin(&a, 11);
    function(&a, "#!lua name=one\nreturn 1");
    string(&a, "k1", "v");
    in.of[0] = end(&a);
    begin(&b, 11);
    function(&b, "#!lua name=one\nreturn 1");
    function(&b, "#!lua name=two\nreturn 2");
    string(&b, "k2", "v");
    in.of[1] = end(&b);
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_OK && out.report.functions == 2);
    for (size_t k = 0; k < 2; k++) {
        struct dump d = view(&out, k);
        const uint8_t *first = memmem(d.p, d.n, "name=one", 8);
        MUST(first && holds(d, "name=two") && judge(d, UINT32_MAX).sound);
        MUST(!memmem(first + 1, (size_t)(d.p + d.n - first - 1), "name=one", 8));
    }
    done(&out);
    o.no_functions = 1;
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_OK && !out.report.functions && !holds(view(&out, 0), "name="));
    done(&out);
    o.no_functions = 0;
    buf_free(&b);
    begin(&b, 11);
    function(&b, "#!lua name=one\nreturn 2");
    in.of[1] = end(&b);
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_EUNSUPPORTED && strstr(words(), "one") && !rsp_sink_written(out.sinks[0]));
    done(&out);
    buf_free(&a);
    buf_free(&b);
}
END_TEST

/* Each library is compared with all before it: a dump of nothing else must end soon. */
START_TEST(too_many_functions)
{
    struct buf a;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(2, 0);
    struct outcome out;
    char code[40];
    full_env();
    begin(&a, 11);
    for (int k = 0; k < 16385; k++) {
        snprintf(code, sizeof code, "#!lua name=l%d", k);
        function(&a, code);
    }
    in.of[0] = end(&a);
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_ELIMIT && strstr(words(), "16384 libraries") && !rsp_sink_written(out.sinks[0]));
    done(&out);
    buf_free(&a);
}
END_TEST

START_TEST(module_data)
{
    struct buf a, b;
    struct dumps in = {.n = 2};
    struct rsp_reshard_options o = options(3, 0);
    struct outcome out;
    full_env();
    begin(&a, 11);
    module_aux(&a, 7);
    string(&a, "k1", "v");
    in.of[0] = end(&a);
    in.of[1] = in.of[0];
    in.n = 1;
    cut(&in, 3, &o, &out);
    MUST(out.rc == RSP_OK);
    for (size_t k = 0; k < 3; k++) MUST(holds(view(&out, k), "\x81\x45\xe2\x52\x38\xdf\x91\x2c\x03\x02\x01\x02\x07"));
    done(&out);
    begin(&b, 11);
    module_aux(&b, 8);
    string(&b, "k2", "v");
    in.of[1] = end(&b);
    in.n = 2;
    cut(&in, 3, &o, &out);
    MUST(out.rc == RSP_EUNSUPPORTED && strstr(words(), "module data") && out.report.losses.n[RSP_LOSS_AUX] == 2);
    done(&out);
    o.losses.action[RSP_LOSS_AUX] = RSP_LOSS_DROP;
    cut(&in, 3, &o, &out);
    MUST(out.rc == RSP_OK && out.report.losses.n[RSP_LOSS_AUX] == 2 && !holds(view(&out, 0), "\x45\xe2\x52"));
    done(&out);
    buf_free(&a);
    buf_free(&b);
}
END_TEST

START_TEST(keys_that_are_twice)
{
    struct buf a, b;
    struct dumps in = {.n = 2};
    struct rsp_reshard_options o = options(2, 0);
    struct outcome out;
    full_env();
    begin(&a, 11);
    string(&a, "{s}same", "of the first");
    string(&a, "{s}mine", "v");
    string(&a, "elsewhere", "v");
    in.of[0] = end(&a);
    begin(&b, 11);
    string(&b, "{s}same", "of the second");
    string(&b, "{s}yours", "v");
    in.of[1] = end(&b);
    for (int all = 0; all < 2; all++) {
        size_t n = all ? 1 : 2;
        o = options(n, all);
        cut(&in, n, &o, &out);
        MUST(out.rc == RSP_EUNSUPPORTED && out.report.losses.n[RSP_LOSS_COLLISION] == 1 &&
             !rsp_sink_written(out.sinks[0]));
        MUST(!memcmp(out.report.losses.names[RSP_LOSS_COLLISION][0].p, "{s}same", 7));
        done(&out);
        o.losses.action[RSP_LOSS_COLLISION] = RSP_LOSS_DROP;
        cut(&in, n, &o, &out);
        MUST(out.rc == RSP_OK && out.report.keys == 4);
        for (size_t k = 0; k < n; k++) {
            struct judged j = judge(view(&out, k), UINT32_MAX);
            MUST(j.sound && j.keys == out.files[k].keys && !holds(view(&out, k), "of the second"));
        }
        done(&out);
    }
    buf_free(&a);
    buf_free(&b);
}
END_TEST

START_TEST(other_databases)
{
    struct buf a;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(2, 0);
    struct outcome out;
    full_env();
    begin(&a, 11);
    string(&a, "k1", "v");
    ck_assert_int_eq(rdb_put_select(&a, 3), RSP_OK);
    string(&a, "k1", "of the third");
    in.of[0] = end(&a);
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_EUNSUPPORTED && out.report.losses.n[RSP_LOSS_DATABASE] == 1 && strstr(words(), "database 3"));
    done(&out);
    o.losses.action[RSP_LOSS_DATABASE] = RSP_LOSS_DROP;
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_OK && out.report.keys == 1);
    done(&out);
    in.of[1] = in.of[0]; /* the same key in two databases of two dumps, and twice in each */
    in.n = 2;
    o = options(1, 1);
    o.losses.action[RSP_LOSS_COLLISION] = RSP_LOSS_DROP;
    cut(&in, 1, &o, &out);
    MUST(out.rc == RSP_OK && out.report.keys == 2 && out.report.losses.n[RSP_LOSS_COLLISION] == 2);
    MUST(judge(view(&out, 0), UINT32_MAX).sound);
    done(&out);
    buf_free(&a);
}
END_TEST

START_TEST(a_slot_without_owner)
{
    struct buf a;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(2, 0);
    struct outcome out;
    full_env();
    begin(&a, 11);
    string(&a, "k1", "v");
    in.of[0] = end(&a);
    o.owner[rsp_key_slot((struct rsp_span){(const uint8_t *)"k1", 2})] = RSP_NO_SHARD;
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_EINVAL && strstr(words(), "k1") && !rsp_sink_written(out.sinks[0]));
    done(&out);
    buf_free(&a);
}
END_TEST

/* ---- targets ---- */

static void to_target(struct dump d, const char *target, int rc, unsigned version, const char *magic)
{
    struct dumps in = {.of = {d}, .n = 1};
    struct rsp_reshard_options o = options(1, 1);
    struct rsp_target t = {.size = sizeof t};
    struct outcome out;
    snprintf(doing, sizeof doing, "to %s", target);
    MUST(rsp_target_parse(&env, target, &t) == RSP_OK);
    o.target = &t;
    cut(&in, 1, &o, &out);
    MUST(out.rc == rc);
    if (rc) MUST(!rsp_sink_written(out.sinks[0]));
    else
        MUST(out.report.rdb_version == version && !memcmp(view(&out, 0).p, magic, strlen(magic)) &&
             judge(view(&out, 0), 0).sound);
    done(&out);
}

START_TEST(for_a_target)
{
    static const uint8_t hash_ttl[] = {24, 1, 'h', 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 'f', 1, 'v'};
    static const uint8_t hash_2[] = {22, 1, 'h', 1, 1, 'f', 1, 'v', 255, 255, 255, 255, 255, 255, 255, 255};
    struct buf a;
    full_env();
    begin(&a, 12);
    string(&a, "k", "v");
    end(&a);
    to_target((struct dump){a.p, a.n}, "redis:7.0", RSP_OK, 10, "REDIS0010");
    to_target((struct dump){a.p, a.n}, "redis:8.6", RSP_OK, 12, "REDIS0012");
    to_target((struct dump){a.p, a.n}, "redis:2.8", RSP_OK, 6, "REDIS0006");
    to_target((struct dump){a.p, a.n}, "valkey:9.0", RSP_OK, 11, "REDIS0011");
    buf_free(&a);
    begin(&a, 12);
    MUST(buf_add(&a, hash_ttl, sizeof hash_ttl) == RSP_OK);
    end(&a);
    to_target((struct dump){a.p, a.n}, "redis:7.4", RSP_OK, 12, "REDIS0012");
    to_target((struct dump){a.p, a.n}, "redis:7.2", RSP_EVERSION, 0, "");
    to_target((struct dump){a.p, a.n}, "valkey:9.0", RSP_EVERSION, 0, "");
    MUST(strstr(words(), "type 24"));
    buf_free(&a);
    begin(&a, 80);
    MUST(buf_add(&a, hash_2, sizeof hash_2) == RSP_OK);
    end(&a);
    to_target((struct dump){a.p, a.n}, "valkey:9.0", RSP_OK, 80, "VALKEY080");
    to_target((struct dump){a.p, a.n}, "valkey:8.1", RSP_EVERSION, 0, "");
    to_target((struct dump){a.p, a.n}, "redis:8.6", RSP_EVERSION, 0, "");
    buf_free(&a);
    begin(&a, 80);
    string(&a, "k", "v");
    end(&a);
    to_target((struct dump){a.p, a.n}, "redis:8.6", RSP_OK, 11, "REDIS0011");
    to_target((struct dump){a.p, a.n}, "valkey:8.1", RSP_OK, 11, "REDIS0011");
    buf_free(&a);
}
END_TEST

START_TEST(ranks_for_an_old_target)
{
    struct buf a;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(1, 0);
    struct rsp_target t = {.size = sizeof t};
    struct outcome out;
    full_env();
    begin(&a, 9);
    MUST(rdb_put_expiry(&a, 4102444800000) == RSP_OK && rdb_put_idle(&a, 70000) == RSP_OK);
    string(&a, "k", "v");
    in.of[0] = end(&a);
    MUST(rsp_target_parse(&env, "redis:4.0", &t) == RSP_OK);
    o.target = &t;
    cut(&in, 1, &o, &out);
    MUST(out.rc == RSP_OK && out.report.rdb_version == 8 && out.report.losses.n[RSP_LOSS_EVICTION] == 1);
    MUST(judge(view(&out, 0), 0).expires == 1 && !holds(view(&out, 0), "\xf8\x80"));
    done(&out);
    o.target = NULL;
    cut(&in, 1, &o, &out);
    MUST(out.rc == RSP_OK && out.report.rdb_version == 9 && holds(view(&out, 0), "\xf8\x80"));
    done(&out);
    buf_free(&a);
}
END_TEST

/* ---- faults ---- */

static struct dump many(struct buf *b, unsigned keys)
{
    begin(b, 11);
    function(b, "#!lua name=one\nreturn 1");
    for (unsigned k = 0; k < keys; k++) {
        char name[32];
        snprintf(name, sizeof name, "key:%u", k);
        string(b, name, "a value of some bytes");
    }
    return end(b);
}

START_TEST(hostile)
{
    struct buf a;
    struct dump d;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(3, 0);
    struct outcome out;
    full_env();
    d = many(&a, 200);
    for (size_t n = 0; n < d.n; n += n < 80 ? 1 : 97) {
        in.of[0] = (struct dump){d.p, n};
        cut(&in, 3, &o, &out);
        MUST(out.rc < 0 && error.message[0] && !rsp_sink_written(out.sinks[0]));
        done(&out);
    }
    a.p[a.n / 2] ^= 0x10;
    in.of[0] = d;
    cut(&in, 3, &o, &out);
    MUST(out.rc == RSP_ECHECKSUM && !rsp_sink_written(out.sinks[0]));
    done(&out);
    buf_free(&a);
    d = many(&a, 3);
    MUST(buf_byte(&a, 'x') == RSP_OK);
    in.of[0] = (struct dump){a.p, a.n};
    cut(&in, 3, &o, &out);
    MUST(out.rc == RSP_EFORMAT);
    done(&out);
    buf_free(&a);
}
END_TEST

/* The dump is another when it is read again. */
static int open_changed(void *ctx, size_t i, struct rsp_source **source)
{
    struct dumps *d = ctx;
    const struct dump *now = &d->of[d->opened++];
    (void)i;
    return rsp_source_memory(&env, now->p, now->n, source);
}

START_TEST(a_dump_that_changes)
{
    struct buf a, b;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(2, 0);
    struct rsp_sink *sinks[2];
    struct rsp_reshard_report r = {.size = sizeof r};
    full_env();
    in.of[0] = many(&a, 10);
    in.of[1] = many(&b, 9);
    for (size_t k = 0; k < 2; k++) MUST(rsp_sink_memory(NULL, &sinks[k]) == RSP_OK);
    MUST(rsp_reshard(&env, open_changed, &in, 1, &o, sinks, 2, &r) == RSP_EINTEGRITY);
    for (size_t k = 0; k < 2; k++) rsp_sink_free(sinks[k]);
    buf_free(&a);
    buf_free(&b);
}
END_TEST

START_TEST(writes_that_fail)
{
    struct buf a;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(1, 0);
    struct rsp_sink *sink = NULL;
    int fd = open("/dev/full", O_WRONLY);
    full_env();
    in.of[0] = many(&a, 20000);
    ck_assert_int_ge(fd, 0);
    MUST(rsp_sink_fd(&env, fd, "full", &sink) == RSP_OK);
    memset(&error, 0, sizeof error);
    MUST(rsp_reshard(&env, open_dump, &in, 1, &o, &sink, 1, NULL) == RSP_ENOSPACE);
    MUST(strstr(words(), "full"));
    rsp_sink_free(sink);
    close(fd);
    buf_free(&a);
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

START_TEST(allocations_that_fail)
{
    struct buf a, b;
    struct dumps in = {.n = 2};
    struct rsp_reshard_options o = options(2, 0);
    struct failing f = {0, 0};
    struct rsp_env short_env = {.size = sizeof short_env, .resize = resize, .resize_opaque = &f};
    int rc = RSP_ENOMEM;
    full_env();
    in.of[0] = large(&a);
    in.of[1] = many(&b, 10); /* has slots of the other */
    o.run.threads = 1;
    o.losses.action[RSP_LOSS_COLLISION] = RSP_LOSS_DROP;
    for (long n = 0; rc == RSP_ENOMEM; n += n < 64 ? 1 : 1 + n / 16) {
        struct rsp_sink *sinks[2];
        ck_assert_int_lt(n, 5000);
        f.left = n;
        f.live = 0;
        for (size_t k = 0; k < 2; k++) MUST(rsp_sink_memory(NULL, &sinks[k]) == RSP_OK);
        rc = rsp_reshard(&short_env, open_dump, &in, 2, &o, sinks, 2, NULL);
        ck_assert_int_eq(f.live, 0);
        for (size_t k = 0; k < 2; k++) rsp_sink_free(sinks[k]);
    }
    ck_assert_int_eq(rc, RSP_OK);
    buf_free(&a);
    buf_free(&b);
}
END_TEST

/* A server would not start with such a file. A large one lies in several batches, of which the last knows no module. */
START_TEST(newer_vector_sets)
{
    static const uint8_t id[] = {0x81, 0xbd, 0xe7, 0x2d, 0xa2, 0xbb, 0x1e, 0xb4, 0x00};
    struct buf a;
    struct dumps in = {.n = 1};
    struct rsp_reshard_options o = options(2, 0);
    struct rsp_target target = {.size = sizeof target};
    struct outcome out;
    full_env();
    begin(&a, 12);
    ck_assert_int_eq(buf_byte(&a, 250), RSP_OK);
    ck_assert_int_eq(rdb_put_string(&a, "redis-ver", 9), RSP_OK);
    ck_assert_int_eq(rdb_put_string(&a, "8.6.3", 5), RSP_OK);
    string(&a, "before", "v");
    ck_assert_int_eq(buf_byte(&a, 7), RSP_OK);
    ck_assert_int_eq(rdb_put_string(&a, "vectors", 7), RSP_OK);
    ck_assert_int_eq(buf_add(&a, id, sizeof id), RSP_OK);
    for (unsigned k = 0; k < (_i ? 60 : 1); k++) {
        ck_assert_int_eq(buf_byte(&a, 5), RSP_OK);
        text(&a, 65536, k);
    }
    ck_assert_int_eq(buf_byte(&a, 0), RSP_OK);
    string(&a, "behind", "v");
    in.of[0] = end(&a);
    o.target = &target;
    MUST(!rsp_target_parse(&env, "redis:8.6", &target));
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_OK && (holds(view(&out, 0), "vectors") || holds(view(&out, 1), "vectors")));
    done(&out);
    MUST(!rsp_target_parse(&env, "redis:8.0.2", &target));
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_EUNSUPPORTED && strstr(words(), "written by redis 8.6, which is newer"));
    done(&out);
    MUST(!rsp_loss_policy_parse(&env, "module=drop", &o.losses));
    cut(&in, 2, &o, &out);
    MUST(out.rc == RSP_OK && out.report.losses.n[RSP_LOSS_MODULE] == 1);
    MUST(!holds(view(&out, 0), "vectors") && !holds(view(&out, 1), "vectors"));
    MUST(out.files[0].keys + out.files[1].keys == 2);
    done(&out);
    buf_free(&a);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reshard_refused");
    TCase *t = tcase_create("reshard_refused");
    SRunner *r = srunner_create(s);
    int failures;
    tcase_add_test(t, functions_once);
    tcase_add_loop_test(t, newer_vector_sets, 0, 2);
    tcase_add_test(t, too_many_functions);
    tcase_add_test(t, module_data);
    tcase_add_test(t, keys_that_are_twice);
    tcase_add_test(t, other_databases);
    tcase_add_test(t, a_slot_without_owner);
    tcase_add_test(t, for_a_target);
    tcase_add_test(t, ranks_for_an_old_target);
    tcase_add_test(t, hostile);
    tcase_add_test(t, a_dump_that_changes);
    tcase_add_test(t, writes_that_fail);
    tcase_add_test(t, allocations_that_fail);
    tcase_set_timeout(t, 120);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
