/* What this is: tests of request signing against the published vectors of Signature Version 4.
 * Rests on: libcheck, store/s3_impl.h.
 * Does not: send anything. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/s3_impl.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct rsp_error error;
static struct rsp_env env;
static struct s3_keys keys;

static void setup(void)
{
    struct rsp_env given = {.size = sizeof given, .error = &error};
    memset(&error, 0, sizeof error);
    env_init(&env, &given);
    memset(&keys, 0, sizeof keys);
    snprintf(keys.access, sizeof keys.access, "AKIDEXAMPLE");
    snprintf(keys.secret, sizeof keys.secret, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
}

struct vector {
    const char *method, *path, *region, *service, *date, *payload;
    struct http_field params[3], fields[8];
    const char *names, *signature;
};

static void check_vector(const struct vector *v)
{
    struct s3_signing q = {.method = v->method,
                           .path = v->path,
                           .fields = v->fields,
                           .payload = v->payload,
                           .date = v->date,
                           .region = v->region,
                           .service = v->service};
    struct buf query, out;
    char want[640];
    size_t params = 0;
    while (params < 3 && v->params[params].name) params++;
    while (q.fields_n < 8 && v->fields[q.fields_n].name) q.fields_n++;
    buf_init(&query, &env);
    buf_init(&out, &env);
    ck_assert_int_eq(s3_query(&env, v->params, params, &query), RSP_OK);
    ck_assert_int_eq(buf_byte(&query, 0), RSP_OK);
    q.query = (const char *)query.p;
    ck_assert_int_eq(s3_sign(&env, &keys, &q, &out), RSP_OK);
    snprintf(want, sizeof want,
             "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, Signature=%s", keys.access,
             v->date, v->region, v->service, v->names, v->signature);
    ck_assert_str_eq((const char *)out.p, want);
    ck_assert_uint_eq(out.n, strlen(want) + 1);
    buf_free(&query);
    buf_free(&out);
}

#define SUITE_FIELDS                     \
    {"Host", "example.amazonaws.com"},   \
    {                                    \
        "X-Amz-Date", "20150830T123600Z" \
    }
#define SUITE(method, path) method, path, "us-east-1", "service", "20150830T123600Z", EMPTY

START_TEST(test_suite)
{
    static const struct vector vectors[] = {
        {SUITE("GET", "/"), /* get-vanilla */
         {{NULL, NULL}},
         {SUITE_FIELDS},
         "host;x-amz-date",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        {SUITE("POST", "/"), /* post-vanilla */
         {{NULL, NULL}},
         {SUITE_FIELDS},
         "host;x-amz-date",
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {SUITE("GET", "/"), /* get-vanilla-query-order-key-case */
         {{"Param2", "value2"}, {"Param1", "value1"}},
         {SUITE_FIELDS},
         "host;x-amz-date",
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {SUITE("GET", "/"), /* get-vanilla-query-order-value */
         {{"Param1", "value2"}, {"Param1", "value1"}},
         {SUITE_FIELDS},
         "host;x-amz-date",
         "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
        {SUITE("GET", "/"), /* get-header-value-trim */
         {{NULL, NULL}},
         {SUITE_FIELDS, {"My-Header2", " \"a   b   c\"  "}, {"My-Header1", " value1"}},
         "host;my-header1;my-header2;x-amz-date",
         "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        {SUITE("GET", "/"), /* get-header-key-duplicate */
         {{NULL, NULL}},
         {SUITE_FIELDS, {"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
         "host;my-header1;x-amz-date",
         "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    };
    check_vector(&vectors[_i]);
}
END_TEST

START_TEST(test_iam)
{
    static const struct vector list_users = {"GET",
                                             "/",
                                             "us-east-1",
                                             "iam",
                                             "20150830T123600Z",
                                             EMPTY,
                                             {{"Version", "2010-05-08"}, {"Action", "ListUsers"}},
                                             {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
                                              {"host", "iam.amazonaws.com"},
                                              {"x-amz-date", "20150830T123600Z"}},
                                             "content-type;host;x-amz-date",
                                             "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"};
    check_vector(&list_users);
}
END_TEST

#define BUCKET_FIELDS                           \
    {"host", "examplebucket.s3.amazonaws.com"}, \
    {                                           \
        "x-amz-date", "20130524T000000Z"        \
    }
#define S3(method, path) method, path, "us-east-1", "s3", "20130524T000000Z"

START_TEST(test_s3)
{
    static const struct vector vectors[] = {
        {S3("GET", "/test.txt"),
         EMPTY, /* a range */
         {{NULL, NULL}},
         {BUCKET_FIELDS, {"Range", "bytes=0-9"}, {"x-amz-content-sha256", EMPTY}},
         "host;range;x-amz-content-sha256;x-amz-date",
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {S3("PUT", "/test%24file.text"),
         "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
         {{NULL, NULL}},
         {BUCKET_FIELDS,
          {"Date", "Fri, 24 May 2013 00:00:00 GMT"},
          {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
          {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"}},
         "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {S3("GET", "/"),
         EMPTY, /* a parameter without a value */
         {{"lifecycle", ""}},
         {BUCKET_FIELDS, {"x-amz-content-sha256", EMPTY}},
         "host;x-amz-content-sha256;x-amz-date",
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {S3("GET", "/"),
         EMPTY,
         {{"prefix", "J"}, {"max-keys", "2"}},
         {BUCKET_FIELDS, {"x-amz-content-sha256", EMPTY}},
         "host;x-amz-content-sha256;x-amz-date",
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    snprintf(keys.access, sizeof keys.access, "AKIAIOSFODNN7EXAMPLE");
    snprintf(keys.secret, sizeof keys.secret, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    check_vector(&vectors[_i]);
}
END_TEST

START_TEST(test_query)
{
    static const struct {
        struct http_field params[3];
        size_t n;
        const char *want;
    } cases[] = {
        {{{"a", "b"}}, 1, "a=b"},
        {{{"uploads", ""}}, 1, "uploads="},
        {{{"prefix", "pg/5 +x"}, {"max-keys", "3"}}, 2, "max-keys=3&prefix=pg%2F5%20%2Bx"},
        {{{"a-b", "1"}, {"a", "2"}, {"a", "1"}}, 3, "a=1&a=2&a-b=1"}, /* by name, not by the line */
        {{{"k", "~-._\xc3\xa9"}}, 1, "k=~-._%C3%A9"},
        {{{NULL, NULL}}, 0, ""},
    };
    struct buf out;
    buf_init(&out, &env);
    ck_assert_int_eq(s3_query(&env, cases[_i].params, cases[_i].n, &out), RSP_OK);
    ck_assert_uint_eq(out.n, strlen(cases[_i].want));
    if (out.n) ck_assert_mem_eq(out.p, cases[_i].want, out.n);
    buf_free(&out);
}
END_TEST

START_TEST(test_date)
{
    char text[17];
    s3_date(1440938160999, text);
    ck_assert_str_eq(text, "20150830T123600Z");
    s3_date(0, text);
    ck_assert_str_eq(text, "19700101T000000Z");
}
END_TEST

START_TEST(test_too_many)
{
    static const struct http_field many[S3_FIELDS_MAX + 1];
    struct s3_signing q = {.method = "GET", .path = "/", .query = "", .fields = many, .fields_n = S3_FIELDS_MAX + 1};
    struct buf out;
    buf_init(&out, &env);
    ck_assert_int_eq(s3_sign(&env, &keys, &q, &out), RSP_EINVAL);
    memset(&error, 0, sizeof error);
    ck_assert_int_eq(s3_query(&env, many, S3_PARAMS_MAX + 1, &out), RSP_EINVAL);
    ck_assert_uint_eq(out.n, 0);
    buf_free(&out);
}
END_TEST

/* The nth allocation fails: a fault, and nothing leaks. */
static int left;
static void *failing(void *opaque, void *p, size_t old_n, size_t n)
{
    (void)opaque, (void)old_n;
    if (!n) {
        free(p);
        return NULL;
    }
    return left-- > 0 ? realloc(p, n) : NULL;
}

START_TEST(test_no_memory)
{
    static const struct http_field fields[] = {SUITE_FIELDS}, params[] = {{"prefix", "a/b"}, {"list-type", "2"}};
    int rc = RSP_ENOMEM, n = 0;
    env.resize = failing;
    for (; rc == RSP_ENOMEM && n < 100; n++) {
        struct s3_signing q;
        struct buf query, out;
        q = (struct s3_signing){.method = "GET",
                                .path = "/",
                                .query = "",
                                .fields = fields,
                                .fields_n = 2,
                                .payload = EMPTY,
                                .date = "20150830T123600Z",
                                .region = "us-east-1",
                                .service = "s3"};
        left = n;
        buf_init(&query, &env);
        buf_init(&out, &env);
        memset(&error, 0, sizeof error);
        rc = s3_query(&env, params, 2, &query);
        if (!rc) rc = s3_sign(&env, &keys, &q, &out);
        ck_assert_int_eq(error.code, rc);
        buf_free(&query);
        buf_free(&out);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("s3 signing");
    TCase *t = tcase_create("sign");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, test_suite, 0, 6);
    tcase_add_test(t, test_iam);
    tcase_add_loop_test(t, test_s3, 0, 4);
    tcase_add_loop_test(t, test_query, 0, 6);
    tcase_add_test(t, test_date);
    tcase_add_test(t, test_too_many);
    tcase_add_test(t, test_no_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
