/* What this is: tests of the JSON export: every type in every form of bytes, values in parts, held-back records,
 *   faults, failing allocations.
 * Rests on: respite/sys/json.h; files built here, byte by byte.
 * Does not: compare with servers: the corpus under tests/data does. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/json.h>

#include "base/bytes.h"

struct file {
    uint8_t *p;
    size_t n, cap;
};

static void put(struct file *f, const void *p, size_t n)
{
    if (n > f->cap - f->n) {
        f->cap = 2 * (f->n + n);
        f->p = realloc(f->p, f->cap);
        ck_assert_ptr_nonnull(f->p);
    }
    if (n) memcpy(f->p + f->n, p, n);
    f->n += n;
}
#define PUT(f, literal) put((f), literal, sizeof(literal) - 1)

static void put_len(struct file *f, size_t n)
{
    uint8_t b[5] = {0x80, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
    put(f, b, 5);
}

static void put_string(struct file *f, const void *p, size_t n)
{
    put_len(f, n);
    put(f, p, n);
}

/* Counts allocations down to one that fails; -1: none does. One thread only. */
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

/* Exports f; *text is the output, freed by the caller. */
static int export(const struct file *f, const struct rsp_json_options *options, const struct rsp_env *env,
                  struct file *text)
{
    struct rsp_source *source = NULL;
    struct rsp_sink *sink = NULL;
    struct rsp_span view;
    int rc = rsp_source_memory(env, f->p, f->n, &source);
    memset(text, 0, sizeof *text);
    if (!rc) rc = rsp_sink_memory(env, &sink);
    if (!rc) rc = rsp_json_export(env, source, options, sink, NULL);
    if (sink && !rsp_sink_view(sink, &view)) put(text, view.p ? view.p : (const uint8_t *)"", view.n);
    if (text->p || !text->n) put(text, "", 1), text->n--;
    rsp_sink_free(sink);
    rsp_source_free(source);
    return rc;
}

static struct rsp_json_options options_of(int bytes)
{
    struct rsp_json_options o;
    memset(&o, 0, sizeof o);
    o.size = sizeof o;
    o.run.size = sizeof o.run;
    o.run.threads = 2;
    o.bytes = bytes;
    return o;
}

static void expect(const struct file *f, const struct rsp_json_options *o, const char *want)
{
    struct file text;
    ck_assert_int_eq(export(f, o, NULL, &text), RSP_OK);
    ck_assert_str_eq((const char *)text.p, want);
    free(text.p);
}

static void small_file(struct file *f)
{
    memset(f, 0, sizeof *f);
    PUT(f, "REDIS0012\xfa\x02"
           "av"
           "\x01x\xfe\x00");
    PUT(f, "\xfc\x01\0\0\0\0\0\0\0"
           "\x00\x01s\x05"
           "a\"\n\xc3\xa9");                                                   /* expires at 1 */
    PUT(f, "\xf9\x07\x00\x02k\xff\xc0\xf9");                                   /* binary key, int -7, freq 7 */
    PUT(f, "\xf8\x09\x01\x01l\x02\x01\xff\x00");                               /* list: ff, empty; idle 9 */
    PUT(f, "\x05\x01z\x02\x01m\0\0\0\0\0\0\xf8\x3f\x01n\0\0\0\0\0\0\xf0\xff"); /* 1.5, -inf */
    PUT(f, "\x04\x01h\x02\x01"
           "f\x01v\x01\xfe\x01w"); /* a field that is no text */
    PUT(f, "\x18\x01t\x10\0\0\0\0\0\0\0\x02\x05\x01"
           "f\x01v\x00\x01g\x01w"); /* field expires at 20 */
    PUT(f, "\xfe\x02\x02\x01"
           "e\x01\x01x\xff\0\0\0\0\0\0\0\0");
}

START_TEST(every_form)
{
    struct rsp_json_options o = options_of(RSP_JSON_UTF8);
    struct file f;
    small_file(&f);
    o.with_meta = 1;
    expect(&f, &o,
           "{\"aux\":{\"av\":\"x\"}}\n"
           "{\"db\":0,\"key\":\"s\",\"type\":\"string\",\"encoding\":\"raw\",\"rdb_type\":0,\"expire_at_ms\":1,"
           "\"value\":\"a\\\"\\n\xc3\xa9\"}\n"
           "{\"db\":0,\"key\":{\"base64\":\"a/8=\"},\"type\":\"string\",\"encoding\":\"int\",\"rdb_type\":0,\"freq\":7,"
           "\"value\":\"-7\"}\n"
           "{\"db\":0,\"key\":\"l\",\"type\":\"list\",\"encoding\":\"linkedlist\",\"rdb_type\":1,\"idle_s\":9,"
           "\"value\":[{\"base64\":\"/w==\"},\"\"]}\n"
           "{\"db\":0,\"key\":\"z\",\"type\":\"zset\",\"encoding\":\"skiplist\",\"rdb_type\":5,"
           "\"value\":[[\"m\",1.5],[\"n\",\"-inf\"]]}\n"
           "{\"db\":0,\"key\":\"h\",\"type\":\"hash\",\"encoding\":\"hashtable\",\"rdb_type\":4,"
           "\"value\":[[\"f\",\"v\"],[{\"base64\":\"/g==\"},\"w\"]]}\n"
           "{\"db\":0,\"key\":\"t\",\"type\":\"hash\",\"encoding\":\"hashtable_ttl\",\"rdb_type\":24,"
           "\"value\":{\"f\":\"v\",\"g\":\"w\"},\"field_expire_at_ms\":{\"f\":20}}\n"
           "{\"db\":2,\"key\":\"e\",\"type\":\"set\",\"encoding\":\"hashtable\",\"rdb_type\":2,\"value\":[\"x\"]}\n");
    o = options_of(RSP_JSON_LATIN1);
    o.run.limit = 2;
    o.array = 1;
    expect(&f, &o,
           "[\n{\"db\":0,\"key\":\"s\",\"type\":\"string\",\"encoding\":\"raw\",\"rdb_type\":0,\"expire_at_ms\":1,"
           "\"value\":\"a\\\"\\n\xc3\x83\xc2\xa9\"},\n"
           "{\"db\":0,\"key\":\"k\xc3\xbf\",\"type\":\"string\",\"encoding\":\"int\",\"rdb_type\":0,\"freq\":7,"
           "\"value\":\"-7\"}\n]\n");
    o = options_of(RSP_JSON_BASE64);
    o.values_only = 1;
    expect(&f, &o,
           "a\"\n\xc3\xa9-7[\"/w==\",\"\"]\n[[\"bQ==\",1.5],[\"bg==\",\"-inf\"]]\n"
           "{\"Zg==\":\"dg==\",\"/g==\":\"dw==\"}\n"
           "{\"Zg==\":\"dg==\",\"Zw==\":\"dw==\"}\n[\"eA==\"]\n");
    free(f.p);
}
END_TEST

START_TEST(nothing_is_an_empty_array)
{
    struct rsp_json_options o = options_of(RSP_JSON_UTF8);
    struct file f = {0};
    PUT(&f, "REDIS0003\xff");
    expect(&f, &o, "");
    o.array = 1;
    expect(&f, &o, "[\n]\n");
    free(f.p);
}
END_TEST

/* A hash far larger than a block, with a field in the middle that is no text, or without. */
static void large_hash(struct file *f, struct file *want, size_t fields, size_t odd, const char *head)
{
    char name[32], value[64];
    memset(f, 0, sizeof *f), memset(want, 0, sizeof *want);
    PUT(f, "REDIS0009\xfe\x00\x04\x01h");
    put_len(f, fields);
    put(want, head, strlen(head));
    put(want, odd < fields ? "[" : "{", 1);
    for (size_t i = 0; i < fields; i++) {
        int a = snprintf(name, sizeof name, "field%zu", i), b = snprintf(value, sizeof value, "the value of %zu", i);
        put_string(f, i == odd ? "\xff" : name, i == odd ? 1 : (size_t)a);
        put_string(f, value, (size_t)b);
        if (i) PUT(want, ",");
        if (odd < fields) PUT(want, "[");
        if (i == odd) {
            PUT(want, "{\"base64\":\"/w==\"}");
        } else {
            PUT(want, "\"");
            put(want, name, (size_t)a);
            PUT(want, "\"");
        }
        put(want, odd < fields ? ",\"" : ":\"", 2);
        put(want, value, (size_t)b);
        PUT(want, "\"");
        if (odd < fields) PUT(want, "]");
    }
    put(want, odd < fields ? "]}\n" : "}}\n", 4);
    PUT(f, "\x00\x01x\x01y\xff\0\0\0\0\0\0\0\0");
}

#define HASH_HEAD "{\"db\":0,\"key\":\"h\",\"type\":\"hash\",\"encoding\":\"hashtable\",\"rdb_type\":4,\"value\":"
#define X_LINE "{\"db\":0,\"key\":\"x\",\"type\":\"string\",\"encoding\":\"raw\",\"rdb_type\":0,\"value\":\"y\"}\n"

START_TEST(hash_in_parts)
{
    const size_t fields = 100000, odd[] = {fields, 0, fields / 2, fields - 1};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct rsp_json_options o = options_of(RSP_JSON_UTF8);
        struct file f, want;
        large_hash(&f, &want, fields, odd[i], HASH_HEAD);
        want.n--; /* the zero */
        put(&want, X_LINE, sizeof X_LINE);
        expect(&f, &o, (const char *)want.p);
        free(f.p), free(want.p);
    }
}
END_TEST

/* A record whose size is only known at its end: held back, then written or dropped. */
START_TEST(unsure_until_the_end)
{
    static const char *const sizes[] = {"0~1000", "0~100MB", "1MB~100MB", "100MB~"};
    for (int i = 0; i < 4; i++) {
        struct rsp_json_options o = options_of(RSP_JSON_UTF8);
        struct file f, want;
        large_hash(&f, &want, 100000, 100000, HASH_HEAD);
        ck_assert_int_eq(rsp_filter_new(NULL, &o.run.filter), RSP_OK);
        ck_assert_int_eq(rsp_filter_add(o.run.filter, "size", sizes[i]), RSP_OK);
        if (i == 0 || i == 3) want.n = 1;
        want.n--;
        if (i < 2) put(&want, X_LINE, sizeof X_LINE);
        else put(&want, "", 1);
        expect(&f, &o, (const char *)want.p);
        rsp_filter_free(o.run.filter);
        free(f.p), free(want.p);
    }
}
END_TEST

/* Strings larger than a block, text or not, in a list: [a, BIG, b]. */
START_TEST(big_strings)
{
    const size_t n = ((size_t)3 << 20) + 1;
    for (int odd = 0; odd < 2; odd++) {
        struct rsp_json_options o = options_of(RSP_JSON_UTF8);
        struct file f = {0}, text;
        uint8_t *big = malloc(n);
        char *value;
        ck_assert_ptr_nonnull(big);
        for (size_t i = 0; i < n; i++) big[i] = (uint8_t)('a' + i % 7);
        if (odd) big[n - 1] = 0xc3; /* a sequence that is cut by the end */
        PUT(&f, "REDIS0009\xfe\x00\x01\x01l\x03\x01"
                "a");
        put_string(&f, big, n);
        PUT(&f, "\x01"
                "b\xff\0\0\0\0\0\0\0\0");
        ck_assert_int_eq(export(&f, &o, NULL, &text), RSP_OK);
        value = strstr((char *)text.p, "\"value\":[\"a\",");
        ck_assert_ptr_nonnull(value);
        value += strlen("\"value\":[\"a\",");
        if (!odd) {
            ck_assert_mem_eq(value + 1, big, n);
            ck_assert_str_eq(value + 1 + n, "\",\"b\"]}\n");
        } else { /* n = 3k + 1: two signs of padding */
            ck_assert_mem_eq(value, "{\"base64\":\"YWJjZGVmZ2Fi", 23);
            ck_assert_uint_eq(strlen(value), 11 + (n + 2) / 3 * 4 + strlen("\"},\"b\"]}\n"));
            ck_assert_str_eq(value + strlen(value) - 13, "ww==\"},\"b\"]}\n");
        }
        free(text.p), free(f.p), free(big);
    }
}
END_TEST

/* What stands before a damaged record is written, and the words name its key. */
START_TEST(damage_keeps_what_came_before)
{
    struct rsp_json_options o = options_of(RSP_JSON_UTF8);
    struct rsp_error words;
    struct rsp_env env = {.size = sizeof env, .error = &words};
    struct file f = {0}, text;
    memset(&words, 0, sizeof words);
    PUT(&f, "REDIS0009\xfe\x00\x00\x01x\x01y\x10\x05"
            "badlp\x03xyz\x00\x01z\x01z\xff\0\0\0\0\0\0\0\0");
    ck_assert_int_eq(export(&f, &o, &env, &text), RSP_EFORMAT);
    ck_assert_str_eq((const char *)text.p, X_LINE);
    ck_assert_int_eq(words.code, RSP_EFORMAT);
    ck_assert_ptr_nonnull(strstr(words.trail, "\"badlp\""));
    free(text.p), free(f.p);
}
END_TEST

START_TEST(every_allocation_fails_once)
{
    struct rsp_json_options o = options_of(RSP_JSON_UTF8);
    struct file f, text;
    long nth = 0;
    int rc = RSP_ENOMEM;
    small_file(&f);
    o.run.threads = 1;
    o.with_meta = 1;
    for (; rc; nth++) {
        struct failing a = {nth, 0};
        struct rsp_env env = {.size = sizeof env, .resize = resize, .resize_opaque = &a};
        rc = export(&f, &o, &env, &text);
        ck_assert_msg(!rc || rc == RSP_ENOMEM, "allocation %ld: status %d", nth, rc);
        ck_assert_msg(!a.live, "allocation %ld: %ld blocks are left", nth, a.live);
        free(text.p);
        ck_assert_int_lt(nth, 1000);
    }
    ck_assert_int_gt(nth, 10);
    free(f.p);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_export");
    TCase *t = tcase_create("all");
    SRunner *runner;
    int failed;
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_form);
    tcase_add_test(t, nothing_is_an_empty_array);
    tcase_add_test(t, hash_in_parts);
    tcase_add_test(t, unsure_until_the_end);
    tcase_add_test(t, big_strings);
    tcase_add_test(t, damage_keeps_what_came_before);
    tcase_add_test(t, every_allocation_fails_once);
    suite_add_tcase(suite, t);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
