/* What this is: tests of what the s3: driver reads: URLs, credentials, errors, ranges; hostile ones, too.
 * Rests on: libcheck, store/s3_impl.h.
 * Does not: speak to a server. */
#include <check.h>
#undef fail
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* ---- URLs ---- */

START_TEST(test_url)
{
    static const struct {
        const char *url, *base, *root, *prefix, *region, *text;
    } cases[] = {
        {"s3://bucket", "https://bucket.s3.us-east-1.amazonaws.com", "/", "", "us-east-1", "s3://bucket"},
        {"s3://bucket/a//b/?region=eu-west-1", "https://bucket.s3.eu-west-1.amazonaws.com", "/", "a/b/", "eu-west-1",
         "s3://bucket/a/b?region=eu-west-1"},
        {"s3://my.bucket/a", "https://s3.us-east-1.amazonaws.com", "/my.bucket/", "a/", "us-east-1",
         "s3://my.bucket/a"},
        {"s3://bucket?region=cn-north-1&style=path", "https://s3.cn-north-1.amazonaws.com.cn", "/bucket/", "",
         "cn-north-1", "s3://bucket?region=cn-north-1&style=path"},
        {"s3://bucket?endpoint=https://host:443", "https://host", "/bucket/", "", "us-east-1",
         "s3://bucket?endpoint=https://host:443"},
        {"s3://bucket/p?endpoint=http://127.0.0.1:9000", "http://127.0.0.1:9000", "/bucket/", "p/", "us-east-1",
         "s3://bucket/p?endpoint=http://127.0.0.1:9000"},
        {"s3://bucket?endpoint=https://[::1]:9000/gate&style=virtual", "https://bucket.[::1]:9000", "/gate/", "",
         "us-east-1", NULL},
    };
    struct s3_place p;
    ck_assert_int_eq(s3_place_parse(&env, cases[_i].url, &p), RSP_OK);
    ck_assert_str_eq(p.base, cases[_i].base);
    ck_assert_str_eq(p.host, strstr(cases[_i].base, "//") + 2);
    ck_assert_str_eq(p.root, cases[_i].root);
    ck_assert_str_eq(p.prefix, cases[_i].prefix);
    ck_assert_str_eq(p.region, cases[_i].region);
    if (cases[_i].text) ck_assert_str_eq(p.text, cases[_i].text);
    s3_place_free(&p);
}
END_TEST

START_TEST(test_url_wrong)
{
    static const char *const urls[] = {"s3://ab",
                                       "s3://Bucket",
                                       "s3://-bucket",
                                       "s3://bucket-",
                                       "s3://a..b",
                                       "s3://192.168.0.1",
                                       "s3://bu_cket",
                                       "s3://bucket:80",
                                       "s3://key@bucket",
                                       "s3://key:verysecret@bucket",
                                       "s3://bucket?endpoint=ftp://host",
                                       "s3://bucket?endpoint=https://key:verysecret@host",
                                       "s3://bucket?endpoint=https://verysecret@host",
                                       "s3://bucket?endpoint=https://host?x=verysecret",
                                       "s3://bucket?style=other",
                                       "s3://bucket?region=a/b",
                                       "s3://bucket?region=",
                                       "s3://bucket?secret_key=verysecret",
                                       "s3://bucket/../x",
                                       "s3://a234567890123456789012345678901234567890123456789012345678901234"};
    struct s3_place p;
    ck_assert_int_eq(s3_place_parse(&env, urls[_i], &p), RSP_EINVAL);
    ck_assert_int_eq(error.code, RSP_EINVAL);
    ck_assert_ptr_null(strstr(error.message, "verysecret"));
    ck_assert_ptr_null(strstr(error.subject, "verysecret"));
    ck_assert_ptr_null(p.base);
}
END_TEST

/* ---- credentials ---- */

static int profile(const char *text, const char *name, struct s3_keys *keys)
{
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", text);
    memset(&error, 0, sizeof error);
    return s3_profile_parse(&env, "file", name, copy, keys);
}

START_TEST(test_profiles)
{
    static const char text[] = "aws_access_key_id = before\n# aws\n[default]\r\naws_access_key_id = A\r\n"
                               " aws_secret_access_key=S=+/ \r\n; x\n[ profile two ]\naws_access_key_id=B\n"
                               "aws_secret_access_key=T\naws_session_token = tok\nregion = x\n[sso]\nsso_session = x\n"
                               "[half]\naws_access_key_id=H\n[blank]\naws_access_key_id=a b\naws_secret_access_key=c";
    struct s3_keys k;
    ck_assert_int_eq(profile(text, "default", &k), RSP_OK);
    ck_assert_str_eq(k.access, "A");
    ck_assert_str_eq(k.secret, "S=+/");
    ck_assert_str_eq(k.token, "");
    ck_assert_int_eq(profile(text, "two", &k), RSP_OK);
    ck_assert_str_eq(k.access, "B");
    ck_assert_str_eq(k.token, "tok");
    ck_assert_int_eq(profile(text, "three", &k), RSP_EINVAL);
    ck_assert_int_eq(profile(text, "sso", &k), RSP_EUNSUPPORTED);
    ck_assert_int_eq(profile(text, "half", &k), RSP_EFORMAT);
    ck_assert_int_eq(profile(text, "blank", &k), RSP_EFORMAT);
    ck_assert_int_eq(profile("", "default", &k), RSP_EINVAL);
}
END_TEST

START_TEST(test_json)
{
    static const struct {
        const char *text;
        int found;
        const char *value;
    } cases[] = {
        {"{\"K\":\"v\"}", 1, "v"},
        {" { \"a\" : [1,{\"K\":\"no\"}], \"K\" : \"v\\n\\u0041\\/\" , \"b\":null } ", 1, "v\nA/"},
        {"{\"a\":{\"K\":\"no\"}}", 0, ""},
        {"{\"K\":7}", 0, ""},
        {"{}", 0, ""},
        {"{\"K\":\"first\",\"K\":\"second\"}", 1, "first"},
        {"", -1, ""},
        {"[\"K\"]", -1, ""},
        {"{\"K\"", -1, ""},
        {"{\"K\":", -1, ""},
        {"{\"K\":\"v", -1, ""},
        {"{\"K\":\"v\"", -1, ""},
        {"{\"K\":\"v\\", -1, ""},
        {"{\"K\":\"v\\u12", -1, ""},
        {"{\"K\":\"\\u0000\"}", -1, ""},
        {"{\"K\":\"\\ud83d\"}", -1, ""},
        {"{\"K\":\"0123456789012345\"}", -1, ""},
        {"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", -1, ""},
        {"{\"a\":]}", -1, ""},
        {"{\"a\" \"b\"}", -1, ""},
        {"{\"0123456789012345678901234567890123456789012345678901234567890123456789\":1,\"K\":\"v\"}", 1, "v"},
    };
    char out[16] = "";
    size_t n = strlen(cases[_i].text);
    char *exact = malloc(n ? n : 1); /* so that a read behind it is seen */
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, cases[_i].text, n);
    ck_assert_int_eq(s3_json_string(exact, n, "K", out, sizeof out), cases[_i].found);
    if (cases[_i].found == 1) ck_assert_str_eq(out, cases[_i].value);
    free(exact);
}
END_TEST

static int role(const char *text, struct s3_keys *k)
{
    memset(&error, 0, sizeof error);
    return s3_role_parse(&env, "http://x", text, strlen(text), k);
}

START_TEST(test_roles)
{
    struct s3_keys k;
    ck_assert_int_eq(role("{\"Code\":\"Success\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
                          "\"Expiration\":\"2026-11-20T15:00:00Z\"}",
                          &k),
                     RSP_OK);
    ck_assert_str_eq(k.token, "T");
    ck_assert_int_eq(k.expires_ms, 1795186800000);
    ck_assert_int_eq(role("{\"Code\":\"Failed\"}", &k), RSP_EAUTH);
    ck_assert_int_eq(role("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\"}", &k), RSP_EFORMAT);
    ck_assert_int_eq(role("{\"AccessKeyId\":\"A\\nB: c\",\"SecretAccessKey\":\"S\",\"Token\":\"T\"}", &k), RSP_EFORMAT);
    ck_assert_int_eq(
        role("{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"S\",\"Token\":\"T\",\"Expiration\":\"soon\"}", &k),
        RSP_EFORMAT);
    ck_assert_int_eq(role("<html>", &k), RSP_EFORMAT);
}
END_TEST

/* ---- errors ---- */

/* Nobody is asked at all: there is no client. */
START_TEST(test_container_in_clear)
{
    static const char *const urls[] = {
        "http://example.org/role",
        "http://127.0.0.1.example.org/",
        "http://localhost@example.org/",
        "http://localhost:80@evil.net/",
        "http://169.254.170.2:x@evil.net/",
        "http://169.254.170.22/",
        "http://169.254.169.254/role",
        "http://169.254.170.2\\@evil.net/",
        "http://[fd00:ec2::24]/",
        "http://[::1]x/",
        "ftp://localhost/role",
        "localhost/role",
        "",
        "http://localhost?@evil.net/",
        "http://127.0.0.1#@evil.net/",
    };
    char url[64];
    struct s3_roles r = {.container_url = url};
    struct s3_keys keys;
    snprintf(url, sizeof url, "%s", urls[_i]);
    ck_assert_int_eq(s3_roles_fetch(&r, &env, &keys), RSP_EINVAL);
    ck_assert_ptr_nonnull(strstr(env.error->message, "in clear only on this machine"));
    rsp_error_clear(env.error);
}
END_TEST

START_TEST(test_judge)
{
    static const struct {
        int http;
        const char *code, *message;
        int status, what;
        const char *advice; /* a piece of it */
    } cases[] = {
        {403, "SignatureDoesNotMatch", "", RSP_EAUTH, S3_FINAL, "secret"},
        {403, "InvalidAccessKeyId", "", RSP_EAUTH, S3_FINAL, "access key"},
        {403, "AccessDenied", "", RSP_EDENIED, S3_FINAL, "policy"},
        {403, "AccessDenied", "forbidden by object lock", RSP_EDENIED, S3_FINAL, "locked"},
        {403, "", "", RSP_EDENIED, S3_FINAL, "policy"},
        {403, "RequestTimeTooSkewed", "", RSP_EDENIED, S3_SKEW, "clock"},
        {400, "ExpiredToken", "", RSP_EAUTH, S3_EXPIRED, "run out"},
        {403, "QuotaExceeded", "", RSP_ENOSPACE, S3_FINAL, "quota"},
        {403, "InvalidObjectState", "", RSP_EDENIED, S3_FINAL, "restored"},
        {404, "NoSuchBucket", "", RSP_ENOTFOUND, S3_FINAL, "bucket"},
        {404, "NoSuchKey", "", RSP_ENOTFOUND, S3_FINAL, NULL},
        {404, "", "", RSP_ENOTFOUND, S3_FINAL, NULL},
        {404, "NoSuchUpload", "", RSP_ENOTFOUND, S3_FINAL, "lifecycle"},
        {412, "", "", RSP_EEXIST, S3_FINAL, NULL},
        {409, "ConditionalRequestConflict", "", RSP_EBUSY, S3_RETRY, NULL},
        {503, "SlowDown", "", RSP_EBUSY, S3_RETRY, "fewer"},
        {503, "", "", RSP_EBUSY, S3_RETRY, NULL},
        {429, "", "", RSP_EBUSY, S3_RETRY, NULL},
        {500, "InternalError", "", RSP_EBUSY, S3_RETRY, NULL},
        {400, "RequestTimeout", "", RSP_ETIMEOUT, S3_RETRY, NULL},
        {400, "BadDigest", "", RSP_EIO, S3_RETRY, "damaged"},
        {301, "PermanentRedirect", "", RSP_EDENIED, S3_FINAL, "region"},
        {307, "", "", RSP_EDENIED, S3_FINAL, "region"},
        {400, "AuthorizationHeaderMalformed", "", RSP_EDENIED, S3_FINAL, "region"},
        {501, "NotImplemented", "", RSP_EUNSUPPORTED, S3_FINAL, NULL},
        {507, "", "", RSP_ENOSPACE, S3_FINAL, NULL},
        {400, "InvalidRequest", "Bucket is missing Object Lock Configuration", RSP_EUNSUPPORTED, S3_FINAL, "lock"},
        {400, "InvalidRequest", "", RSP_EDENIED, S3_FINAL, NULL},
        {405, "MethodNotAllowed", "", RSP_EUNSUPPORTED, S3_FINAL, NULL},
        {418, "", "", RSP_EDENIED, S3_FINAL, NULL},
        {599, "", "", RSP_EBUSY, S3_FINAL, NULL},
        {411, "MissingContentLength", "", RSP_EDENIED, S3_FINAL, NULL},
    };
    struct s3_error e = {0};
    struct s3_verdict v;
    snprintf(e.code, sizeof e.code, "%s", cases[_i].code);
    snprintf(e.message, sizeof e.message, "%s", cases[_i].message);
    v = s3_judge(cases[_i].http, &e);
    ck_assert_int_eq(v.status, cases[_i].status);
    ck_assert_int_eq((int)v.what, cases[_i].what);
    if (cases[_i].advice) {
        ck_assert_ptr_nonnull(v.advice);
        ck_assert_ptr_nonnull(strstr(v.advice, cases[_i].advice));
    }
}
END_TEST

static void read_error(const char *body, const char *fields, size_t fields_n, struct s3_error *e)
{
    struct http_reply r;
    http_reply_init(&r, &env);
    ck_assert_int_eq(buf_add(&r.body, body, strlen(body)), RSP_OK);
    ck_assert_int_eq(buf_add(&r.fields, fields, fields_n), RSP_OK);
    s3_error_read(&env, &r, e);
    http_reply_free(&r);
}

START_TEST(test_error_text)
{
    static const char fields[] = "x-amz-bucket-region\0eu-west-1";
    struct s3_error e;
    read_error("\r\n <?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code><Message>a\xe2\x80\xae"
               "b</Message>"
               "<Region>x</Region><Deep><Code>No</Code></Deep></Error>",
               "", 0, &e);
    ck_assert_str_eq(e.code, "SlowDown");
    ck_assert_str_eq(e.region, "x");
    ck_assert_str_eq(e.message, "a\\xe2\\x80\\xaeb");
    read_error("", fields, sizeof fields, &e);
    ck_assert_str_eq(e.code, "");
    ck_assert_str_eq(e.region, "eu-west-1");
    read_error("<html><Code>x</Code>", "", 0, &e);
    ck_assert_str_eq(e.code, "");
    read_error("<!DOCTYPE Error [<!ENTITY a \"b\">]><Error><Code>&a;</Code></Error>", "", 0, &e);
    ck_assert_str_eq(e.code, "");
    ck_assert_int_eq(error.code, RSP_OK); /* nothing of this is our fault's words */
}
END_TEST

static int inside(const char *text)
{
    return s3_error_inside(&env, (struct rsp_span){(const uint8_t *)text, strlen(text)});
}

START_TEST(test_error_inside)
{
    ck_assert_int_eq(inside("<?xml version=\"1.0\"?>\n\n  <Error><Code>InternalError</Code></Error>"), 1);
    ck_assert_int_eq(inside("<CompleteMultipartUploadResult><Error/></CompleteMultipartUploadResult>"), 0);
    ck_assert_int_eq(inside(""), 0);
    ck_assert_int_eq(inside("Error"), 0);
}
END_TEST

/* ---- ranges ---- */

START_TEST(test_range)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t from, to, total;
    } cases[] = {
        {"bytes 0-0/1", 0, 0, 0, 1},
        {"bytes 5-9/100", 0, 5, 9, 100},
        {"bytes 5-9/*", 0, 5, 9, UINT64_MAX},
        {"bytes 9-5/100", -1, 0, 0, 0},
        {"bytes 5-100/100", -1, 0, 0, 0},
        {"bytes */100", -1, 0, 0, 0},
        {"bytes 5-9", -1, 0, 0, 0},
        {"bytes 5-9/100x", -1, 0, 0, 0},
        {"bytes 5-9/99999999999999999999", -1, 0, 0, 0},
        {"bytes -5-9/100", -1, 0, 0, 0},
        {"items 5-9/100", -1, 0, 0, 0},
        {"", -1, 0, 0, 0},
    };
    uint64_t from = 0, to = 0, total = 0;
    ck_assert_int_eq(s3_content_range(cases[_i].text, &from, &to, &total), cases[_i].rc);
    if (cases[_i].rc) return;
    ck_assert_uint_eq(from, cases[_i].from);
    ck_assert_uint_eq(to, cases[_i].to);
    ck_assert_uint_eq(total, cases[_i].total);
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
    int rc = RSP_ENOMEM, n = 0;
    env.resize = failing;
    for (; rc == RSP_ENOMEM && n < 100; n++) {
        struct s3_place p;
        left = n;
        memset(&error, 0, sizeof error);
        rc = s3_place_parse(&env, "s3://bucket/a/b?endpoint=https://host:9000/x&region=eu-west-1", &p);
        ck_assert_int_eq(error.code, rc);
        if (!rc) s3_place_free(&p);
    }
    ck_assert_int_eq(rc, RSP_OK);
    ck_assert_int_gt(n, 8);
}
END_TEST

/* Keys that are given, of too odd a form, or not at all: nobody is asked. */
START_TEST(test_given)
{
    struct rsp_store_remote o = {.size = sizeof o};
    struct s3_credentials *c;
    const struct s3_keys *k;
    ck_assert_int_eq(s3_credentials_new(&env, &o, &c), RSP_EAUTH);
    memset(&error, 0, sizeof error);
    o.access_key = "A";
    ck_assert_int_eq(s3_credentials_new(&env, &o, &c), RSP_EINVAL);
    memset(&error, 0, sizeof error);
    o.secret_key = "line\nbreak";
    ck_assert_int_eq(s3_credentials_new(&env, &o, &c), RSP_EINVAL);
    ck_assert_ptr_null(strstr(error.message, "break"));
    memset(&error, 0, sizeof error);
    o.secret_key = "S";
    o.session_token = "T";
    ck_assert_int_eq(s3_credentials_new(&env, &o, &c), RSP_OK);
    ck_assert_int_eq(s3_keys_renew(c), 0); /* there are no others */
    ck_assert_int_eq(s3_keys_take(c, &env, &k), RSP_OK);
    ck_assert_str_eq(k->secret, "S");
    ck_assert_str_eq(k->token, "T");
    s3_keys_give(c);
    s3_credentials_free(c);
}
END_TEST

static void write_file(int fd, const char *text)
{
    ck_assert(!ftruncate(fd, 0) && pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
}

static void keys_are(struct s3_credentials *c, const char *access, const char *token)
{
    const struct s3_keys *k;
    ck_assert_int_eq(s3_keys_take(c, &env, &k), RSP_OK);
    ck_assert_str_eq(k->access, access);
    ck_assert_str_eq(k->token, token);
    s3_keys_give(c);
}

/* A file that is just being written, or was spoilt, is no loss of the keys that we have. */
START_TEST(test_file_again)
{
    char path[] = "/tmp/rsp-test-XXXXXX";
    struct rsp_store_remote o = {.size = sizeof o, .credentials_file = path};
    struct s3_credentials *c;
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    write_file(fd, "[default]\naws_access_key_id=A\naws_secret_access_key=S\naws_session_token=T\n");
    ck_assert_int_eq(s3_credentials_new(&env, &o, &c), RSP_OK);
    ck_assert_int_eq(s3_keys_renew(c), 0); /* the same */
    write_file(fd, "[default]\naws_access_key_id=B\naws_sec");
    ck_assert_int_eq(s3_keys_renew(c), 0);
    keys_are(c, "A", "T");
    write_file(fd, "[default]\naws_access_key_id=A\naws_secret_access_key=S\naws_session_token=U\n");
    ck_assert_int_eq(s3_keys_renew(c), 1);
    keys_are(c, "A", "U");
    unlink(path);
    ck_assert_int_eq(s3_keys_renew(c), 0);
    keys_are(c, "A", "U");
    s3_credentials_free(c);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("s3 parsing");
    TCase *t = tcase_create("parse");
    SRunner *r;
    int failures;
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_loop_test(t, test_url, 0, 7);
    tcase_add_loop_test(t, test_url_wrong, 0, 20);
    tcase_add_test(t, test_profiles);
    tcase_add_loop_test(t, test_json, 0, 21);
    tcase_add_test(t, test_roles);
    tcase_add_loop_test(t, test_container_in_clear, 0, 15);
    tcase_add_loop_test(t, test_judge, 0, 32);
    tcase_add_test(t, test_error_text);
    tcase_add_test(t, test_error_inside);
    tcase_add_loop_test(t, test_range, 0, 12);
    tcase_add_test(t, test_no_memory);
    tcase_add_test(t, test_given);
    tcase_add_test(t, test_file_again);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
