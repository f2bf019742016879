/* What this is: tests of AOF manifests: those that real servers wrote, those that no server takes, and words of a line.
 * Rests on: aof/manifest.h, libcheck.
 * Does not: read AOF files. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>

#include "aof/manifest.h"

static struct rsp_error error;
static struct rsp_env env;
static struct aof_manifest m;
static struct buf out;

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    rsp_error_clear(&error);
    env_init(&env, &given);
    aof_manifest_init(&m, &env);
    buf_init(&out, &env);
}

static void teardown(void)
{
    aof_manifest_free(&m);
    buf_free(&out);
}

static int parse(const char *text)
{
    rsp_error_clear(&error);
    return aof_manifest_parse(&m, "the.manifest", text, strlen(text));
}

static void file_is(size_t i, const char *name, uint64_t seq, int type)
{
    ck_assert_uint_lt(i, aof_manifest_count(&m));
    ck_assert_str_eq(aof_manifest_at(&m, i)->name, name);
    ck_assert_uint_eq(aof_manifest_at(&m, i)->seq, seq);
    ck_assert_int_eq(aof_manifest_at(&m, i)->type, type);
}

static void written(const char *text)
{
    out.n = 0;
    ck_assert_int_eq(aof_manifest_write(&m, &out), RSP_OK);
    ck_assert_uint_eq(out.n, strlen(text));
    ck_assert_int_eq(memcmp(out.p, text, out.n), 0);
}

/* Of Redis 7.0, 7.2, 8.6 and Valkey 9.1. */
START_TEST(of_servers)
{
    static const char *const texts[] = {
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
        "file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n",
        "file appendonly.aof.2.base.rdb seq 2 type b\n"
        "file appendonly.aof.2.incr.aof seq 2 type i startoffset 168 endoffset 336\n",
        "file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i startoffset 0\n",
        "file \"append only.aof.1.base.aof\" seq 1 type b\n",
        "file a.2.base.rdb seq 2 type b\nfile a.1.base.rdb seq 1 type h\nfile a.1.incr.aof seq 1 type h\n"
        "file a.2.incr.aof seq 2 type i\nfile a.3.incr.aof seq 3 type i\n",
    };
    ck_assert_msg(parse(texts[_i]) == RSP_OK, "%s", error.message);
    written(texts[_i]);
    if (_i == 2) {
        file_is(0, "appendonly.aof.2.base.rdb", 2, AOF_BASE);
        file_is(1, "appendonly.aof.2.incr.aof", 2, AOF_INCR);
        ck_assert_int_eq(aof_manifest_at(&m, 0)->start_offset, -1);
        ck_assert_int_eq(aof_manifest_at(&m, 1)->start_offset, 168);
        ck_assert_int_eq(aof_manifest_at(&m, 1)->end_offset, 336);
    }
    if (_i == 4) file_is(0, "append only.aof.1.base.aof", 1, AOF_BASE);
}
END_TEST

START_TEST(taken)
{
    static const char *const texts[] = {
        "# what this is\nfile a seq 1 type b\n# end, without a newline",
        "TYPE b  SEQ 1\tFile a\n",
        "file a seq 1 type base\r\n",
        "file z file a seq 9 seq 1 type b future \"x y\"\n",
        "file '\\'' seq 1 type b\n",
        "file \"\\x41\\\"\\n\\q\" seq 1 type b\n",
    };
    static const char *const names[] = {"a", "a", "a", "a", "'", "A\"\nq"};
    ck_assert_msg(parse(texts[_i]) == RSP_OK, "%s", error.message);
    ck_assert_uint_eq(aof_manifest_count(&m), 1);
    file_is(0, names[_i], 1, AOF_BASE);
}
END_TEST

START_TEST(refused)
{
    static const struct {
        const char *text;
        unsigned offset;
    } cases[] = {
        {"", 0},
        {"# nothing else\n", 0},
        {"\n", 0},
        {"file a seq 1 type b\n\n", 20},
        {"file a seq 1 type b", 0}, /* cut off: a server would not take it either */
        {"file a seq 1 type b\nfile b seq 1 ty", 20},
        {"file nothing\n", 0},
        {"file a seq 1 type\n", 0},
        {"file a seq 1\n", 0},
        {"seq 1 type b x y\n", 0},
        {"file a seq 0 type b\n", 0},
        {"file a seq -1 type b\n", 0},
        {"file a seq 1x type b\n", 0},
        {"file a seq 99999999999999999999 type b\n", 0},
        {"file a seq 1 type x\n", 0},
        {"file a seq 1 type \"\"\n", 0},
        {"file \"\" seq 1 type b\n", 0},
        {"file ../a seq 1 type b\n", 0},
        {"file /a seq 1 type b\n", 0},
        {"file .. seq 1 type b\n", 0},
        {"file . seq 1 type b\n", 0},
        {"file \"\\x2e\\x2e\" seq 1 type b\n", 0},
        {"file \"a\\x00b\" seq 1 type b\n", 0},
        {"file \"a seq 1 type b\n", 0},
        {"file \"a\"b seq 1 type b\n", 0},
        {"file 'a seq 1 type b\n", 0},
        {"file a seq 1 type b\nfile b seq 2 type b\n", 20},
        {"file a seq 2 type i\nfile b seq 2 type i\n", 20},
        {"file a seq 1 type i startoffset x\n", 0},
        {"file a seq 1 type i endoffset \"\"\n", 0},
    };
    ck_assert_int_eq(parse(cases[_i].text), RSP_EFORMAT);
    ck_assert_int_eq(error.code, RSP_EFORMAT);
    ck_assert_str_eq(error.subject, "the.manifest");
    ck_assert_uint_eq(error.offset, cases[_i].offset);
    ck_assert_uint_eq(aof_manifest_count(&m), 0);
    ck_assert_int_eq(parse("file a seq 1 type b\n"), RSP_OK); /* nothing is left of the one before */
}
END_TEST

START_TEST(nul_bytes)
{
    static const char text[] = "file a\0b seq 1 type b\n";
    ck_assert_int_eq(aof_manifest_parse(&m, "x", text, sizeof text - 1), RSP_EFORMAT);
}
END_TEST

/* A line may have 1024 bytes with its newline, a name 255. */
START_TEST(lengths)
{
    char text[1200], name[300];
    memset(name, 'n', sizeof name);
    for (int more = 0; more < 2; more++) {
        int n = snprintf(text, sizeof text, "file a seq 1 type b x ");
        memset(text + n, 'y', sizeof text - (size_t)n);
        text[1023 + more] = '\n';
        ck_assert_int_eq(aof_manifest_parse(&m, "x", text, 1024 + (size_t)more), more ? RSP_EFORMAT : RSP_OK);
        text[0] = '#';
        ck_assert_int_eq(aof_manifest_parse(&m, "x", text, 1024 + (size_t)more), RSP_EFORMAT);
        snprintf(text, sizeof text, "file %.*s seq 1 type b\n", 255 + more, name);
        ck_assert_int_eq(parse(text), more ? RSP_EFORMAT : RSP_OK);
    }
}
END_TEST

START_TEST(added)
{
    char name[300];
    ck_assert_int_eq(aof_manifest_add(&m, "a.2.incr.aof", 2, AOF_INCR), RSP_OK);
    ck_assert_int_eq(aof_manifest_add(&m, "a b.1.base.rdb", 1, AOF_BASE), RSP_OK);
    ck_assert_int_eq(aof_manifest_add(&m, "b", 1, AOF_BASE), RSP_EINVAL);
    ck_assert_int_eq(aof_manifest_add(&m, "b", 2, AOF_INCR), RSP_EINVAL);
    ck_assert_int_eq(aof_manifest_add(&m, "b", 0, AOF_HISTORY), RSP_EINVAL);
    ck_assert_int_eq(aof_manifest_add(&m, "b", 1, 'x'), RSP_EINVAL);
    ck_assert_int_eq(aof_manifest_add(&m, "a/b", 1, AOF_HISTORY), RSP_EINVAL);
    ck_assert_int_eq(aof_manifest_add(&m, "", 1, AOF_HISTORY), RSP_EINVAL);
    written("file \"a b.1.base.rdb\" seq 1 type b\nfile a.2.incr.aof seq 2 type i\n");
    memset(name, 'n', sizeof name);
    name[256] = 0;
    ck_assert_int_eq(aof_manifest_add(&m, name, 1, AOF_HISTORY), RSP_EINVAL);
    memset(name, 1, 255); /* "\x01" 255 times: too long for a line */
    name[255] = 0;
    ck_assert_int_eq(aof_manifest_add(&m, name, 1, AOF_HISTORY), RSP_OK);
    ck_assert_int_eq(aof_manifest_write(&m, &out), RSP_EINVAL);
}
END_TEST

START_TEST(words)
{
    static const char line[] = " plain \"\" a\"b c\" 'd\\'\\n' \"\\x4a\\x4\" end\t";
    static const char *const expect[] = {"plain", "", "ab c", "d'\\n", "Jx4", "end"};
    size_t at = 0;
    for (size_t i = 0; i < sizeof expect / sizeof *expect; i++) {
        ck_assert_int_eq(line_word((const uint8_t *)line, sizeof line - 1, &at, &out), RSP_OK);
        ck_assert_uint_eq(out.n, strlen(expect[i]));
        ck_assert(!out.n || !memcmp(out.p, expect[i], out.n));
    }
    ck_assert_int_eq(line_word((const uint8_t *)line, sizeof line - 1, &at, &out), RSP_END);
    ck_assert_int_eq(line_word((const uint8_t *)line, sizeof line - 1, &at, &out), RSP_END);
}
END_TEST

/* Every pair of bytes, written and read again. */
START_TEST(words_written)
{
    struct buf text;
    buf_init(&text, &env);
    for (unsigned k = 0; k < 65536; k++) {
        uint8_t b[2] = {(uint8_t)(k >> 8), (uint8_t)k};
        size_t at = 0;
        text.n = 0;
        ck_assert_int_eq(line_word_put(&text, b, 2), RSP_OK);
        if (line_word(text.p, text.n, &at, &out) || out.n != 2 || memcmp(out.p, b, 2) || at != text.n ||
            memchr(text.p, '\n', text.n))
            ck_abort_msg("%02x %02x", b[0], b[1]);
    }
    buf_free(&text);
}
END_TEST

static unsigned calls, fail_at_call;

static void *resize(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    return ++calls == fail_at_call ? NULL : realloc(p, n);
}

START_TEST(each_allocation_fails)
{
    int rc = RSP_ENOMEM;
    env.resize = resize;
    for (fail_at_call = 1; rc; fail_at_call++) {
        aof_manifest_free(&m);
        buf_free(&out);
        calls = 0;
        rc = parse("file \"a a\" seq 1 type b\nfile b seq 1 type i\n");
        if (!rc) rc = aof_manifest_write(&m, &out);
        if (rc) ck_assert_int_eq(rc, RSP_ENOMEM);
    }
    ck_assert_uint_gt(fail_at_call, 4);
    written("file \"a a\" seq 1 type b\nfile b seq 1 type i\n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("aof manifest");
    TCase *t = tcase_create("aof manifest");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, of_servers, 0, 6);
    tcase_add_loop_test(t, taken, 0, 6);
    tcase_add_loop_test(t, refused, 0, 30);
    tcase_add_test(t, nul_bytes);
    tcase_add_test(t, lengths);
    tcase_add_test(t, added);
    tcase_add_test(t, words);
    tcase_add_test(t, words_written);
    tcase_add_test(t, each_allocation_fails);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
