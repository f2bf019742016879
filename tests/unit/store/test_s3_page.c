/* What this is: tests of what the s3: driver reads: listings and the names in them; hostile ones, too.
 * Rests on: libcheck, store/s3_impl.h.
 * Does not: speak to a server. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/s3_impl.h"

static struct rsp_error error;
static struct rsp_env env;

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &given);
}

static char told[1024];
static int tell(struct s3_page *p)
{
    size_t n = strlen(told);
    snprintf(told + n, sizeof told - n, "%d:%.100s:%llu:%lld:%.20s ", p->entry, p->key, (unsigned long long)p->bytes,
             (long long)p->ms, p->id);
    return strcmp(p->key, "stop") ? RSP_OK : RSP_EUSER;
}

static int page(const char *root, const char *entry, const char *text, struct s3_page *p)
{
    memset(&error, 0, sizeof error);
    memset(p, 0, sizeof *p);
    told[0] = 0;
    p->subject = "s3://bucket";
    p->each = tell;
    return s3_page_read(&env, root, entry, (struct rsp_span){(const uint8_t *)text, strlen(text)}, p);
}

#define L(rows) "<ListBucketResult xmlns=\"x\">" rows "</ListBucketResult>"
#define ROW(key, size) \
    "<Contents><Key>" key "</Key><LastModified>2026-11-20T15:00:00.000Z</LastModified><Size>" size "</Size></Contents>"

START_TEST(test_page)
{
    static struct s3_page p;
    ck_assert_int_eq(page("ListBucketResult", "Contents",
                          L("<IsTruncated>true</IsTruncated><NextContinuationToken>a+b==</NextContinuationToken>" ROW(
                              "a", "5") ROW("b%2Bc", "6") "<EncodingType>url</EncodingType>"),
                          &p),
                     RSP_OK);
    ck_assert_str_eq(told, "1:a:5:1795186800000: 1:b%2Bc:6:1795186800000: ");
    ck_assert_int_eq(p.more, 1);
    ck_assert_int_eq(p.encoded, 1);
    ck_assert_str_eq(p.next, "a+b==");
    ck_assert_int_eq(page("ListVersionsResult", "Version",
                          "<ListVersionsResult><Version><Key>a</Key><VersionId>v2</VersionId></Version><DeleteMarker>"
                          "<Key>b</Key><VersionId>d</VersionId></DeleteMarker></ListVersionsResult>",
                          &p),
                     RSP_OK);
    ck_assert_str_eq(told, "1:a:0:0:v2 2:b:0:0:d ");
    ck_assert_int_eq(page("ListBucketResult", "Contents", L(ROW("stop", "1") ROW("z", "1")), &p), RSP_EUSER);
    ck_assert_str_eq(told, "1:stop:1:1795186800000: ");
}
END_TEST

START_TEST(test_page_hostile)
{
    static const char *const pages[] = {
        "",
        "no XML",
        "<ListBucketResult>",
        "<html></html>",
        L("<IsTruncated>true</IsTruncated>"), /* and not where */
        L(ROW("a", "-1")),
        L(ROW("a", "99999999999999999999")),
        L(ROW("a", "1e3")),
        L("<Contents><Key>a</Key><LastModified>tomorrow</LastModified></Contents>"),
        "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\">]>" L(ROW("&a;", "1")),
        L(ROW("a", "1")) L(ROW("a", "1")),
    };
    static struct s3_page p;
    ck_assert_int_eq(page("ListBucketResult", "Contents", pages[_i], &p), RSP_EFORMAT);
    ck_assert_int_eq(error.code, RSP_EFORMAT);
}
END_TEST

START_TEST(test_long_text)
{
    static struct s3_page p;
    static char text[XML_TEXT_MAX + 200];
    int n = snprintf(text, sizeof text, "<ListBucketResult><Contents><Key>");
    memset(text + n, 'a', XML_TEXT_MAX + 1);
    snprintf(text + n + XML_TEXT_MAX + 1, 100, "</Key></Contents></ListBucketResult>");
    ck_assert_int_eq(page("ListBucketResult", "Contents", text, &p), RSP_EFORMAT);
}
END_TEST

START_TEST(test_names)
{
    static const struct {
        const char *key;
        int encoded;
        const char *name;
    } cases[] = {
        {"a/b/c", 0, "c"},         {"a/b/c%2Fd", 1, "c/d"},    {"a%2Fb/c", 1, "c"},   {"a/b/c%2Fd", 0, NULL},
        {"a/bc", 0, NULL},         {"a/b/", 0, NULL},          {"a/b/../x", 0, NULL}, {"a/b/.part", 0, NULL},
        {"a/b/%00", 1, NULL},      {"a/b/c%", 1, NULL},        {"a/b/c%2", 1, NULL},  {"a/b/c%zz", 1, NULL},
        {"a/b/UPPER", 0, NULL},    {"a/b/c+d", 1, NULL},       {"a/b//c", 0, NULL},   {"", 0, NULL},
        {"a/b/%2e%2e/x", 1, NULL}, {"a/b/%e2%80%ae", 1, NULL},
    };
    static struct s3_store s;
    static char prefix[] = "a/b/";
    char key[64];
    const char *name;
    s.place.prefix = prefix;
    snprintf(key, sizeof key, "%s", cases[_i].key);
    name = s3_name_of(&s, key, cases[_i].encoded);
    if (cases[_i].name) ck_assert_pstr_eq(name, cases[_i].name);
    else ck_assert_ptr_null(name);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("s3 listings");
    TCase *t = tcase_create("pages");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, test_page);
    tcase_add_loop_test(t, test_page_hostile, 0, 11);
    tcase_add_test(t, test_long_text);
    tcase_add_loop_test(t, test_names, 0, 18);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
