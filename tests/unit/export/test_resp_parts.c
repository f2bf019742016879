/* What this is: tests of the command export: records that lie in many batches, as payloads in pieces and as commands; what
 *   only modules carry.
 * Rests on: test_resp_run.h.
 * Does not: look at each kind of value (test_resp_make.c). */
#include "test_resp_run.h"

#include "rdb/target.h"

START_TEST(records_in_parts)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct made f, one, three;
    struct rsp_filter *filter;
    struct seen s;
    parts_file(&f);
    ck_assert_int_eq(export(&f, &o, NULL, &one, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 6);
    o.run.threads = 3;
    ck_assert_int_eq(export(&f, &o, NULL, &three, NULL), RSP_OK);
    ck_assert_uint_eq(one.n, three.n);
    ck_assert_mem_eq(one.p, three.p, one.n);
    free(three.p);
    ck_assert_int_eq(run_units(&f, &o, 0, &s, &r), RSP_OK);
    ck_assert_str_eq((char *)s.keys.p, "a\nl\ns\nh\nm\nz\n");
    ck_assert_uint_gt(s.in_parts, 5);
    ck_assert_uint_eq(s.next, 6);
    free(s.keys.p);
    ck_assert_int_eq(run_units(&f, &o, 3, &s, NULL), RSP_OK);
    ck_assert_str_eq((char *)s.keys.p, "h\nm\nz\n");
    free(s.keys.p);
    /* A filter that knows only at the end: what is refused leaves nothing. */
    ck_assert_int_eq(rsp_filter_new(NULL, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "size", "2MB~"), RSP_OK);
    o.run.filter = filter;
    ck_assert_int_eq(run_units(&f, &o, 0, &s, NULL), RSP_OK);
    ck_assert_str_eq((char *)s.keys.p, "s\nh\nm\n");
    ck_assert_uint_eq(s.next, 3);
    free(s.keys.p);
    rsp_filter_free(filter);
    o.run.filter = NULL;
    o.target.bulk_max = 1u << 20; /* the target takes no longer strings */
    ck_assert_int_eq(export(&f, &o, NULL, &three, NULL), RSP_EUNSUPPORTED);
    free(three.p);
    on_loss(&o, "drop,convert");
    ck_assert_int_eq(export(&f, &o, NULL, &three, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_OTHER], 3);
    free(three.p);
    free(one.p);
    free(f.p);
}
END_TEST

/* The payload in the RESTORE of s: type, the value's bytes as in the file, version, checksum. */
static void same_payload(const struct made *f, const struct made *raw)
{
    static const char key[] = "\r\n$1\r\ns\r\n$13\r\n1099511627776\r\n$", head[] = "\x13\x01s";
    const uint8_t *p = memmem(raw->p, raw->n, key, sizeof key - 1), *end = raw->p + raw->n;
    const uint8_t *value = memmem(f->p, f->n, head, sizeof head - 1), *behind = f->p + f->n - 9 - 5;
    size_t n, want;
    ck_assert(p && value);
    value += sizeof head - 1;
    want = (size_t)(behind - value);
    p += sizeof key - 2;
    n = number(&p, end, '$');
    ck_assert_uint_eq(n, want + 11);
    ck_assert_uint_eq(*p, 0x13);
    ck_assert(!memcmp(p + 1, value, want));
    ck_assert_uint_eq(crc64(0, p, n - 8), load_le64(p + n - 8));
}

START_TEST(streams_in_parts)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_filter *filter;
    struct made f, raw, native;
    struct seen s;
    stream_file(&f, 1200, 1); /* pending, and trimmed */
    o.run.threads = 1 + 2 * (unsigned)_i;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 3);
    ck_assert_uint_eq(r.commands, 4);
    same_payload(&f, &raw);
    ck_assert_int_eq(run_units(&f, &o, 0, &s, &r), RSP_OK);
    ck_assert_uint_ge(s.pieces, 4);
    ck_assert_uint_eq(s.next, 3);
    ck_assert_str_eq((char *)s.keys.p, "a\ns\nz\n");
    free(s.keys.p);
    ck_assert_int_eq(run_units(&f, &o, 2, &s, &r), RSP_OK);
    ck_assert_str_eq((char *)s.keys.p, "z\n");
    ck_assert_uint_eq(s.pieces, 0);
    free(s.keys.p);
    /* A filter that knows only at the end. */
    ck_assert_int_eq(rsp_filter_new(NULL, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "size", _i ? "2MB~" : "~2MB"), RSP_OK);
    o.run.filter = filter;
    ck_assert_int_eq(run_units(&f, &o, 0, &s, NULL), RSP_OK);
    if (_i) ck_assert_str_eq((char *)s.keys.p, "s\n");
    else ck_assert_ptr_null(strstr((char *)s.keys.p, "s\n"));
    free(s.keys.p);
    rsp_filter_free(filter);
    o.run.filter = NULL;
    free(raw.p);
    /* Larger than the target takes: by commands, which do not make what is pending and gone. */
    o.target.bulk_max = 3u << 20;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_EUNSUPPORTED);
    free(raw.p);
    on_loss(&o, "drop,convert");
    memset(&r, 0, sizeof r);
    r.size = sizeof r;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_STREAM_NACK], 1);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_OTHER], 0);
    free(raw.p), free(f.p);
    on_loss(&o, "fail");
    stream_file(&f, 1200, 2);
    ck_assert_int_eq(export(&f, &o, NULL, &raw, NULL), RSP_OK);
    o.payloads = 0;
    ck_assert_int_eq(export(&f, &o, NULL, &native, NULL), RSP_OK);
    ck_assert_uint_eq(raw.n, native.n);
    ck_assert(!memcmp(raw.p, native.p, raw.n));
    free(raw.p);
    /* Both: known only at the end, and too large by then. */
    o.payloads = 1;
    ck_assert_int_eq(rsp_filter_new(NULL, &filter), RSP_OK);
    ck_assert_int_eq(rsp_filter_add(filter, "size", "2MB~"), RSP_OK);
    o.run.filter = filter;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 1);
    ck_assert_ptr_nonnull(memmem(native.p, native.n, raw.p + 23, raw.n - 23)); /* behind SELECT */
    rsp_filter_free(filter);
    free(raw.p), free(native.p), free(f.p);
}
END_TEST

START_TEST(no_place_for_a_payload)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct made f, raw;
    stream_file(&f, 1200, 2);
    o.tmpdir = "/dev/null/none";
    ck_assert_int_lt(export(&f, &o, &env, &raw, NULL), 0);
    ck_assert_str_ne(words.message, "");
    free(raw.p), free(f.p);
}
END_TEST

START_TEST(a_target_without_modules)
{
    struct rsp_resp_options o = options_for("redis:7.0", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct made f, raw;
    if (_i) {
        parts_file(&f);
    } else {
        begin(&f, "REDIS0010");
        PUT(&f, "\x07\x01m\x81\x30\x16\xe5\xa2\x89\xbe\xf8\x04\x02\x05\x00");
        PUT(&f, "\x00\x01z\x01x");
        finish(&f);
    }
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, _i ? 6 : 2);
    free(raw.p);
    o.target.modules_known = 1;
    ck_assert_int_eq(export(&f, &o, &env, &raw, &r), RSP_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(words.message, "key \"m\""));
    ck_assert_str_ne(r.losses.module, "");
    ck_assert_ptr_nonnull(strstr(words.message, r.losses.module));
    free(raw.p);
    on_loss(&o, "drop,convert");
    memset(&r, 0, sizeof r);
    r.size = sizeof r;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, _i ? 5 : 1);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_MODULE], 1);
    free(raw.p), free(f.p);
}
END_TEST

/* A vector set of 40 bytes, or one that lies in several batches, and two strings that expire, one of them lost. */
static void vectors_file(struct made *f, const char *version, int large)
{
    begin(f, "REDIS0012");
    if (version) put_byte(f, 0xfa), PUT(f, "\x09redis-ver"), put_text(f, version);
    PUT(f, "\xfc\x00\x00\x00\x00\x00\x01\x00\x00\x07\x01v\x81\xbd\xe7\x2d\xa2\xbb\x1e\xb4\x00");
    for (int i = 0; i < (large ? 60 : 1); i++) {
        PUT(f, "\x05\x81\x00\x00\x00\x00\x00\x01\x00\x00");
        for (int k = 0; k < 65536; k++) put_byte(f, (uint8_t)k);
    }
    put_byte(f, 0);
    PUT(f, "\xfc\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01z\x01x");
    PUT(f, "\x00\x01y\x01x");
    finish(f);
}

/* The target has the module, in an older state; what is lost does not count as a key with an expiry either. */
START_TEST(newer_vector_sets)
{
    struct rsp_resp_options o = options_for("redis:8.0.2", 1);
    struct rsp_resp_report r = {.size = sizeof r};
    struct rsp_error words = {0};
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct made f, raw;
    static const char *const taken[] = {"8.0.5", "8.0.2", "7.4.0", NULL};
    o.run.threads = 3;
    if (_i & 2) {
        o.target.modules_known = 1;
        target_add_module(&o.target, (struct rsp_span){(const uint8_t *)"vectorset", 9});
    }
    for (int i = 0; i < 4; i++) {
        vectors_file(&f, taken[i], _i & 1);
        ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
        ck_assert_uint_eq(r.keys, 3);
        ck_assert_uint_eq(r.expires, 2);
        free(raw.p), free(f.p);
    }
    vectors_file(&f, "8.6.3", _i & 1);
    ck_assert_int_eq(export(&f, &o, &env, &raw, &r), RSP_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(words.message, "key \"v\""));
    ck_assert_ptr_nonnull(strstr(words.message, "(vectorset, written by redis 8.6.3, which is newer)"));
    free(raw.p);
    on_loss(&o, "drop,convert");
    memset(&r, 0, sizeof r);
    r.size = sizeof r;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.keys, 2);
    ck_assert_uint_eq(r.expires, 1);
    ck_assert_uint_eq(r.losses.n[RSP_LOSS_MODULE], 1);
    ck_assert_uint_eq(r.losses.module_from, 80603);
    ck_assert_str_eq(r.losses.module, "vectorset");
    free(raw.p);
    o.ttl = RSP_TTL_PERSIST;
    ck_assert_int_eq(export(&f, &o, NULL, &raw, &r), RSP_OK);
    ck_assert_uint_eq(r.expires, 0);
    free(raw.p), free(f.p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("resp_parts");
    TCase *t = tcase_create("resp_parts");
    SRunner *r;
    int failed;
    tcase_set_timeout(t, 120);
    tcase_add_test(t, records_in_parts);
    tcase_add_loop_test(t, streams_in_parts, 0, 2);
    tcase_add_test(t, no_place_for_a_payload);
    tcase_add_loop_test(t, a_target_without_modules, 0, 2);
    tcase_add_loop_test(t, newer_vector_sets, 0, 4);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
