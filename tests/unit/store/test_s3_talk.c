/* What this is: tests of the s3: driver against servers that lose answers, lie, and refuse.
 * Rests on: s3_script.h.
 * Does not: stand for a real server: those are asked by the live tests. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/store/s3_script.h"

#define LINES(a) (a), sizeof(a) / sizeof *(a)

static struct rsp_store *s;

static void begin(const struct s3_line *lines, size_t n)
{
    script_begin(lines, n);
    ck_assert_int_eq(script_open(0, 0, &s), RSP_OK);
}

static void finish(void)
{
    rsp_store_free(s);
    script_end();
}

static int upload(const char *name, size_t n)
{
    struct rsp_upload *u = NULL;
    char *p = calloc(1, n ? n : 1);
    int rc = rsp_store_begin(s, name, &u);
    ck_assert_ptr_nonnull(p);
    if (!rc) rc = rsp_upload_write(u, p, n);
    if (!rc) rc = rsp_upload_commit(u);
    rsp_upload_free(u);
    free(p);
    return rc;
}

/* ---- small objects ---- */

static int put3(const char *name, const char *text)
{
    struct rsp_upload *u = NULL;
    int rc = rsp_store_begin(s, name, &u);
    if (!rc) rc = rsp_upload_write(u, text, strlen(text));
    if (!rc) rc = rsp_upload_commit(u);
    rsp_upload_free(u);
    return rc;
}

/* The answer to a put is lost, and the name is taken when it is sent again: by us, or by others. */
START_TEST(test_lost_put)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"PUT /bucket/a |if-none-match: *", NULL},
        {"PUT /bucket/a |if-none-match: *", ERROR_ANSWER("412 No", "PreconditionFailed")},
        {"GET /bucket/a ", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
    };
    begin(LINES(lines));
    ck_assert_int_eq(put3("a", _i ? "xyz" : "abc"), _i ? RSP_EEXIST : RSP_OK);
    finish();
}
END_TEST

/* Nothing was lost: whatever is there is another's. */
START_TEST(test_taken)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"PUT /bucket/a |if-none-match: *", ERROR_ANSWER("412 No", "PreconditionFailed")},
    };
    begin(LINES(lines));
    ck_assert_int_eq(put3("a", "abc"), RSP_EEXIST);
    finish();
}
END_TEST

START_TEST(test_no_condition)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"PUT /bucket/a |if-none-match: *", ERROR_ANSWER("501 No", "NotImplemented")},
        {"HEAD /bucket/a ", EMPTY_ANSWER("404 Not Found")},
        {"PUT /bucket/a |x-amz-content-sha256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         EMPTY_ANSWER("200 OK")},
        {"HEAD /bucket/b ",
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nLast-Modified: Fri, 20 Nov 2026 15:00:00 GMT\r\n\r\n"},
        {"GET /bucket?versioning= ", EMPTY_ANSWER("404 Not Found")},
        {"GET /bucket?object-lock= ", OK_LIST}, /* as a server does that does not know the question */
    };
    struct rsp_store_abilities a = {.size = sizeof a};
    begin(LINES(lines));
    ck_assert_int_eq(put3("a", "abc"), RSP_OK);
    ck_assert_int_eq(put3("b", "abc"), RSP_EEXIST);
    ck_assert_int_eq(rsp_store_abilities(s, &a), RSP_OK);
    ck_assert_int_eq(a.refuses_second, 0);
    ck_assert_int_eq(a.lock, 0);
    ck_assert_int_eq(a.versions, 0);
    finish();
}
END_TEST

/* A bucket that locks by a rule of its own asks for a Content-MD5: once it has said so, all that is put has one. */
START_TEST(test_wants_md5)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"PUT /bucket/a |if-none-match: *",
         "HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR "
         "x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters</Message></Error>"},
        {"PUT /bucket/a |content-md5: kAFQmDzST7DWlj99KOF/cg==", EMPTY_ANSWER("200 OK")},
        {"PUT /bucket/a |content-md5: kAFQmDzST7DWlj99KOF/cg==", ERROR_ANSWER("412 No", "PreconditionFailed")},
        {"PUT /bucket/b |content-md5: kAFQmDzST7DWlj99KOF/cg==", EMPTY_ANSWER("200 OK")},
    };
    begin(LINES(lines));
    ck_assert_int_eq(put3("a", "abc"), RSP_OK);
    ck_assert_int_eq(put3("b", "abc"), RSP_OK);
    finish();
}
END_TEST

/* A server that takes a second put with the condition ignores it: from then on we look before. */
START_TEST(test_condition_ignored)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"PUT /bucket/a |if-none-match: *", EMPTY_ANSWER("200 OK")},
        {"PUT /bucket/a |if-none-match: *", EMPTY_ANSWER("200 OK")},
        {"HEAD /bucket/b ",
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nLast-Modified: Fri, 20 Nov 2026 15:00:00 GMT\r\n\r\n"},
    };
    begin(LINES(lines));
    ck_assert_int_eq(put3("a", "abc"), RSP_OK);
    ck_assert_int_eq(put3("b", "abc"), RSP_EEXIST);
    finish();
}
END_TEST

/* ---- in parts ---- */

#define PART "HTTP/1.1 200 OK\r\nETag: \"p\"\r\nContent-Length: 0\r\n\r\n"
#define FIRST_SHA256 "c036cbb7553a909f8b8877d4461924307f27ecb66cff928eeeafd569c3887e29" /* of 5 MiB of zeros */
#define UP_TO_END                                                                                                     \
    OPEN,                                                                                                             \
        {"POST /bucket/a?uploads= ", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<R><UploadId>u/+1</UploadId></R>"}, \
        {"PUT /bucket/a?partNumber=1&uploadId=u%2F%2B1 |x-amz-content-sha256: " FIRST_SHA256, PART},                  \
        {"PUT /bucket/a?partNumber=2&uploadId=u%2F%2B1 |content-length: 1\r", PART},                                  \
    {                                                                                                                 \
        "HEAD /bucket/a ", EMPTY_ANSWER("404 Not Found")                                                              \
    }
#define THERE(bytes)                            \
    "HTTP/1.1 200 OK\r\nContent-Length: " bytes \
    "\r\nETag: \"x\"\r\nLast-Modified: Fri, 20 Nov 2026 15:00:00 GMT\r\n\r\n"
#define END_OF "POST /bucket/a?uploadId=u%2F%2B1 "

START_TEST(test_error_inside)
{
    static const struct s3_line lines[] = {
        UP_TO_END,
        {END_OF "|if-none-match: *",
         "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n \n  <Error><Code>InternalError</Code></Error>"},
        {END_OF, ERROR_ANSWER("404 Not Found", "NoSuchUpload")},
        {"HEAD /bucket/a ", THERE("5242881")},
    };
    begin(LINES(lines));
    ck_assert_int_eq(upload("a", ((size_t)5 << 20) + 1), RSP_OK);
    finish();
}
END_TEST

/* The answer to the end is lost, then the upload is gone: what is there decides. */
START_TEST(test_lost_end)
{
    static const struct s3_line ours[] = {UP_TO_END,
                                          {END_OF, NULL},
                                          {END_OF, ERROR_ANSWER("404 Not Found", "NoSuchUpload")},
                                          {"HEAD /bucket/a ", THERE("5242881")}};
    static const struct s3_line others[] = {UP_TO_END,
                                            {END_OF, NULL},
                                            {END_OF, ERROR_ANSWER("412 No", "PreconditionFailed")},
                                            {"HEAD /bucket/a ", THERE("5242882")},
                                            {"DELETE /bucket/a?uploadId=u%2F%2B1 ", EMPTY_ANSWER("204 No Content")}};
    if (_i) begin(LINES(others));
    else begin(LINES(ours));
    ck_assert_int_eq(upload("a", ((size_t)5 << 20) + 1), _i ? RSP_EEXIST : RSP_OK);
    finish();
}
END_TEST

/* Same size, and an ETag that is the MD5 of the parts' MD5s: ours by both, or somebody else's. */
#define PART_MD5(digits) "HTTP/1.1 200 OK\r\nETag: \"" digits "\"\r\nContent-Length: 0\r\n\r\n"
#define ONE_MD5 "5f363e0e58a95f06cbe9bbc662c5dfb6"
#define TWO_MD5 "93b885adfe0da089cdf634904fd59f71"
#define THERE_MD5(digits)                                                    \
    "HTTP/1.1 200 OK\r\nContent-Length: 5242881\r\nETag: \"" digits "\"\r\n" \
    "Last-Modified: Fri, 20 Nov 2026 15:00:00 GMT\r\n\r\n"
#define UP_TO_LOST_END                                                                                                \
    OPEN,                                                                                                             \
        {"POST /bucket/a?uploads= ", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<R><UploadId>u/+1</UploadId></R>"}, \
        {"PUT /bucket/a?partNumber=1&uploadId=u%2F%2B1 ", PART_MD5(ONE_MD5)},                                         \
        {"PUT /bucket/a?partNumber=2&uploadId=u%2F%2B1 ", PART_MD5(TWO_MD5)},                                         \
        {"HEAD /bucket/a ", EMPTY_ANSWER("404 Not Found")}, {END_OF, NULL},                                           \
    {                                                                                                                 \
        END_OF, ERROR_ANSWER("404 Not Found", "NoSuchUpload")                                                         \
    }
START_TEST(test_lost_end_etag)
{
    static const struct s3_line ours[] = {UP_TO_LOST_END,
                                          {"HEAD /bucket/a ", THERE_MD5("92f3a08aa3b1d7eb318ab9c2fc4a6ec3-2")}};
    static const struct s3_line others[] = {UP_TO_LOST_END,
                                            {"HEAD /bucket/a ", THERE_MD5("00000000000000000000000000000000-2")},
                                            {"DELETE /bucket/a?uploadId=u%2F%2B1 ", EMPTY_ANSWER("204 No Content")}};
    if (_i) begin(LINES(others));
    else begin(LINES(ours));
    ck_assert_int_eq(upload("a", ((size_t)5 << 20) + 1), _i ? RSP_EEXIST : RSP_OK);
    finish();
}
END_TEST

static int replace_it(const char *name, size_t n)
{
    struct rsp_upload *u = NULL;
    char *p = calloc(1, n);
    int rc = rsp_store_replace_begin(s, name, &u);
    if (!rc) rc = rsp_upload_write(u, p, n);
    if (!rc) rc = rsp_upload_commit(u);
    rsp_upload_free(u);
    free(p);
    return rc;
}
/* The answer to a repair's end is lost, and what is there has the size of both. The store's ETags are no MD5s: nobody knows. */
START_TEST(test_lost_repair)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"POST /bucket/a?uploads= ", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<R><UploadId>u/+1</UploadId></R>"},
        {"PUT /bucket/a?partNumber=1&uploadId=u%2F%2B1 ", PART_MD5("kms-1")},
        {"PUT /bucket/a?partNumber=2&uploadId=u%2F%2B1 ", PART_MD5("kms-2")},
        {END_OF, NULL},
        {END_OF, ERROR_ANSWER("403 No", "AccessDenied")},
        {"HEAD /bucket/a ", THERE("5242881")},
        {"DELETE /bucket/a?uploadId=u%2F%2B1 ", EMPTY_ANSWER("204 No Content")},
    };
    begin(LINES(lines));
    ck_assert_int_ne(replace_it("a", ((size_t)5 << 20) + 1), RSP_OK);
    finish();
}
END_TEST
/* A gateway answers 503 to what was carried out all the same. */
START_TEST(test_late_end)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"POST /bucket/a?uploads= ", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<R><UploadId>u/+1</UploadId></R>"},
        {"PUT /bucket/a?partNumber=1&uploadId=u%2F%2B1 ", PART_MD5(ONE_MD5)},
        {"PUT /bucket/a?partNumber=2&uploadId=u%2F%2B1 ", PART_MD5(TWO_MD5)},
        {"HEAD /bucket/a ", EMPTY_ANSWER("404 Not Found")},
        {END_OF, EMPTY_ANSWER("503 Service Unavailable")},
        {END_OF, ERROR_ANSWER("404 Not Found", "NoSuchUpload")},
        {"HEAD /bucket/a ", THERE_MD5("92f3a08aa3b1d7eb318ab9c2fc4a6ec3-2")}};
    begin(LINES(lines));
    ck_assert_int_eq(upload("a", ((size_t)5 << 20) + 1), RSP_OK);
    finish();
}
END_TEST
START_TEST(test_late_put)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"PUT /bucket/a |if-none-match: *", EMPTY_ANSWER("503 Service Unavailable")},
        {"PUT /bucket/a |if-none-match: *", ERROR_ANSWER("412 No", "PreconditionFailed")},
        {"GET /bucket/a ", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"},
    };
    begin(LINES(lines));
    ck_assert_int_eq(put3("a", "abc"), RSP_OK);
    finish();
}
END_TEST

START_TEST(test_end_refused)
{
    static const struct s3_line lines[] = {
        UP_TO_END,
        {END_OF, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>"},
        {"HEAD /bucket/a ", EMPTY_ANSWER("404 Not Found")},
        {"DELETE /bucket/a?uploadId=u%2F%2B1 ", EMPTY_ANSWER("204 No Content")},
    };
    begin(LINES(lines));
    ck_assert_int_eq(upload("a", ((size_t)5 << 20) + 1), RSP_EDENIED);
    ck_assert_int_eq(script_error.code, RSP_EDENIED);
    finish();
}
END_TEST

/* ---- reading ---- */

START_TEST(test_resume)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"GET /bucket/a |range: bytes=5-14\r",
         "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-14/20\r\nContent-Length: 10\r\n\r\n5678"},
        {"GET /bucket/a |range: bytes=9-14\r",
         "HTTP/1.1 206 Partial\r\nContent-Range: bytes 9-14/20\r\nContent-Length: 6\r\n\r\n9abcde"},
    };
    char p[11] = "";
    begin(LINES(lines));
    ck_assert_int_eq(rsp_store_read(s, "a", 5, p, 10), RSP_OK);
    ck_assert_str_eq(p, "56789abcde");
    finish();
}
END_TEST

START_TEST(test_wrong_range)
{
    static const char *const answers[] = {
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes 4-13/20\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-15/20\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 206 Partial\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-14/20\r\nContent-Length: 9\r\n\r\n012345678",
        "HTTP/1.1 206 Partial\r\nContent-Range: bytes 5-8/9\r\nContent-Length: 4\r\n\r\n0123",
    };
    struct s3_line lines[] = {OPEN, {"GET /bucket/a ", answers[_i]}};
    char p[10];
    begin(LINES(lines));
    ck_assert_int_eq(rsp_store_read(s, "a", 5, p, 10), _i == 5 ? RSP_ETRUNCATED : RSP_EFORMAT);
    finish();
}
END_TEST

START_TEST(test_skew)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"GET /bucket/a |x-amz-date: 20261120T150000Z",
         "HTTP/1.1 403 No\r\nDate: Fri, 20 Nov 2026 17:00:00 GMT\r\nConnection: close\r\n\r\n"
         "<Error><Code>RequestTimeTooSkewed</Code></Error>"},
        {"GET /bucket/a |x-amz-date: 20261120T170000Z", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"},
        {"GET /bucket/a |x-amz-date: 20261120T170000Z",
         "HTTP/1.1 403 No\r\nConnection: close\r\n\r\n<Error><Code>RequestTimeTooSkewed</Code></Error>"},
    };
    uint8_t *p;
    size_t n;
    begin(LINES(lines));
    ck_assert_int_eq(rsp_store_get(s, "a", 10, &p, &n), RSP_OK);
    rsp_store_release(s, p, n);
    ck_assert_int_eq(rsp_store_get(s, "a", 10, &p, &n), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(script_error.message, "clock"));
    finish();
}
END_TEST

START_TEST(test_slow_down)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"GET /bucket/a ",
         "HTTP/1.1 503 Slow\r\nRetry-After: 0\r\nConnection: close\r\n\r\n<Error><Code>SlowDown</Code></Error>"},
        {"GET /bucket/a ", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"},
        {"GET /bucket/a ",
         "HTTP/1.1 403 No\r\nConnection: close\r\n\r\n<Error><Code>InvalidObjectState</Code></Error>"},
    };
    uint8_t *p;
    size_t n;
    begin(LINES(lines));
    ck_assert_int_eq(rsp_store_get(s, "a", 10, &p, &n), RSP_OK);
    rsp_store_release(s, p, n);
    ck_assert_int_eq(rsp_store_get(s, "a", 10, &p, &n), RSP_EDENIED);
    ck_assert_ptr_nonnull(strstr(script_error.message, "restored"));
    finish();
}
END_TEST

/* ---- listings ---- */

#define PAGE(more) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListBucketResult>" more "</ListBucketResult>"
#define KEY(key) \
    "<Contents><Key>" key "</Key><LastModified>2026-11-20T15:00:00Z</LastModified><Size>1</Size></Contents>"
#define MORE(token) "<IsTruncated>true</IsTruncated><NextContinuationToken>" token "</NextContinuationToken>"
#define FIRST "GET /bucket?encoding-type=url&list-type=2&max-keys=1000 "
#define NEXT(token) "GET /bucket?continuation-token=" token "&encoding-type=url&list-type=2&max-keys=1000 "

static char told[256];
static int tell(void *opaque, const struct rsp_store_item *item)
{
    size_t n = strlen(told);
    (void)opaque;
    snprintf(told + n, sizeof told - n, "%s ", item->name);
    return 0;
}

START_TEST(test_pages)
{
    static const struct s3_line lines[] = {
        OPEN,
        {FIRST, PAGE(MORE("pg/5 +x==") KEY("a") KEY("UPPER") KEY("b/../c"))},
        {NEXT("pg%2F5%20%2Bx%3D%3D"), PAGE(KEY("b"))},
    };
    begin(LINES(lines));
    told[0] = 0;
    ck_assert_int_eq(rsp_store_list(s, "", tell, NULL), RSP_OK);
    ck_assert_str_eq(told, "a b ");
    finish();
}
END_TEST

START_TEST(test_endless)
{
    static const struct s3_line same[] = {
        OPEN, {FIRST, PAGE(MORE("t") KEY("a"))}, {NEXT("t"), PAGE(MORE("t") KEY("b"))}};
    static const struct s3_line order[] = {
        OPEN, {FIRST, PAGE(MORE("t") KEY("b"))}, {NEXT("t"), PAGE(MORE("u") KEY("a"))}};
    if (_i) begin(LINES(order));
    else begin(LINES(same));
    told[0] = 0;
    ck_assert_int_eq(rsp_store_list(s, "", tell, NULL), RSP_EFORMAT);
    finish();
}
END_TEST

#define VERSION(key, id)                        \
    "<Version><Key>" key "</Key><VersionId>" id \
    "</VersionId><LastModified>2026-11-20T15:00:00Z</LastModified><Size>1</Size></Version>"
#define VERSIONS(more) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListVersionsResult>" more "</ListVersionsResult>"

/* The oldest version may stand on the next page; who is only marked as deleted is there. */
START_TEST(test_oldest)
{
    static const struct s3_line lines[] = {
        OPEN,
        {"GET /bucket?encoding-type=url&max-keys=1000&versions= ",
         VERSIONS("<IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>v2"
                  "</NextVersionIdMarker><DeleteMarker><Key>a</Key><VersionId>d</VersionId></DeleteMarker>" VERSION(
                      "a", "v3") VERSION("a", "v2"))},
        {"GET /bucket?encoding-type=url&key-marker=a&max-keys=1000&version-id-marker=v2&versions= ",
         VERSIONS(VERSION("a", "v1") VERSION("b", "w"))},
        {"GET /bucket/a?versionId=v1 ", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"},
        {"GET /bucket?encoding-type=url&max-keys=1000&prefix=c&versions= ", VERSIONS(VERSION("c/d", "z"))},
    };
    uint8_t *p;
    size_t n;
    script_begin(LINES(lines));
    script_remote.oldest = 1;
    ck_assert_int_eq(script_open(0, 0, &s), RSP_EINVAL); /* reading only */
    memset(&script_error, 0, sizeof script_error);
    ck_assert_int_eq(script_open(0, 1, &s), RSP_OK);
    told[0] = 0;
    ck_assert_int_eq(rsp_store_list(s, "", tell, NULL), RSP_OK);
    ck_assert_str_eq(told, "a b ");
    ck_assert_int_eq(rsp_store_get(s, "a", 10, &p, &n), RSP_OK);
    rsp_store_release(s, p, n);
    ck_assert_int_eq(rsp_store_get(s, "c", 10, &p, &n), RSP_ENOTFOUND);
    finish();
}
END_TEST

/* ---- opening and locks ---- */

START_TEST(test_create)
{
    static const struct s3_line lines[] = {
        {"GET /bucket?", ERROR_ANSWER("404 Not Found", "NoSuchBucket")},
        {"PUT /bucket |content-length: 0", ERROR_ANSWER("409 No", "BucketAlreadyOwnedByYou")},
        OPEN,
    };
    script_begin(LINES(lines));
    ck_assert_int_eq(script_open(1, 0, &s), RSP_OK);
    finish();
}
END_TEST

START_TEST(test_open_refused)
{
    static const struct {
        const char *answer;
        int status;
        const char *word;
    } cases[] = {
        {"HTTP/1.1 301 Moved\r\nx-amz-bucket-region: eu-west-1\r\nConnection: close\r\n\r\n"
         "<Error><Code>PermanentRedirect</Code></Error>",
         RSP_EDENIED, "its region is eu-west-1"},
        {"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n<Error><Code>AuthorizationHeaderMalformed</Code>"
         "<Region>eu-west-2</Region></Error>",
         RSP_EDENIED, "its region is eu-west-2"},
        {ERROR_ANSWER("403 No", "SignatureDoesNotMatch"), RSP_EAUTH, "secret"},
        {ERROR_ANSWER("404 No", "NoSuchBucket"), RSP_ENOTFOUND, "no such bucket"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHi!\n", RSP_OK, ""},
    };
    struct s3_line lines[] = {{"GET /bucket?", cases[_i].answer}};
    script_begin(LINES(lines));
    ck_assert_int_eq(script_open(0, 0, &s), cases[_i].status);
    ck_assert_ptr_nonnull(strstr(script_error.message, cases[_i].word));
    if (cases[_i].status) script_end();
    else finish();
}
END_TEST

#define LOCKS                                                                                         \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ObjectLockConfiguration><ObjectLockEnabled>Enabled" \
    "</ObjectLockEnabled></ObjectLockConfiguration>"
#define HELD(fields) \
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nLast-Modified: Fri, 20 Nov 2026 15:00:00 GMT\r\n" fields "\r\n"
#define LOCKED(mode, until) "x-amz-object-lock-mode: " mode "\r\nx-amz-object-lock-retain-until-date: " until "\r\n"
#define PUT_LOCKED                                                                 \
    {                                                                              \
        "PUT /bucket/a |x-amz-object-lock-mode: COMPLIANCE",                       \
            "HTTP/1.1 200 OK\r\nx-amz-version-id: v1\r\nContent-Length: 0\r\n\r\n" \
    }

/* Kept at once; dropped and set again; dropped for good; weaker, and shorter, than was asked. */
START_TEST(test_lock)
{
    static const struct s3_line kept[] = {
        OPEN,
        {"GET /bucket?object-lock= ", LOCKS},
        PUT_LOCKED,
        {"HEAD /bucket/a?versionId=v1 ", HELD(LOCKED("COMPLIANCE", "2026-11-21T15:00:00Z"))}};
    static const struct s3_line again[] = {
        OPEN,
        {"GET /bucket?object-lock= ", LOCKS},
        PUT_LOCKED,
        {"HEAD /bucket/a?versionId=v1 ", HELD("")},
        {"PUT /bucket/a?retention=&versionId=v1 |content-md5:", EMPTY_ANSWER("200 OK")},
        {"HEAD /bucket/a?versionId=v1 ", HELD(LOCKED("COMPLIANCE", "2026-11-21T15:00:00.000Z"))}};
    static const struct s3_line dropped[] = {
        OPEN,
        {"GET /bucket?object-lock= ", LOCKS},
        PUT_LOCKED,
        {"HEAD /bucket/a?versionId=v1 ", HELD(LOCKED("GOVERNANCE", "2026-11-21T15:00:00Z"))},
        {"PUT /bucket/a?retention=&versionId=v1 ", EMPTY_ANSWER("200 OK")},
        {"HEAD /bucket/a?versionId=v1 ", HELD(LOCKED("COMPLIANCE", "2026-11-21T14:00:00Z"))}};
    if (_i == 0) script_begin(LINES(kept));
    if (_i == 1) script_begin(LINES(again));
    if (_i == 2) script_begin(LINES(dropped));
    script_remote.lock_mode = RSP_LOCK_COMPLIANCE;
    script_remote.lock_ms = 24 * 3600 * 1000;
    ck_assert_int_eq(script_open(0, 0, &s), RSP_OK);
    ck_assert_int_eq(put3("a", "abc"), _i == 2 ? RSP_EUNSUPPORTED : RSP_OK);
    finish();
}
END_TEST

START_TEST(test_no_lock)
{
    static const struct s3_line lines[] = {
        OPEN, {"GET /bucket?object-lock= ", ERROR_ANSWER("404 Not Found", "ObjectLockConfigurationNotFoundError")}};
    script_begin(LINES(lines));
    script_remote.lock_mode = RSP_LOCK_GOVERNANCE;
    script_remote.lock_ms = 1000;
    ck_assert_int_eq(script_open(0, 0, &s), RSP_EUNSUPPORTED);
    script_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("s3, talk");
    TCase *t = tcase_create("talk");
    SRunner *r;
    int failures;
    tcase_add_loop_test(t, test_lost_put, 0, 2);
    tcase_add_test(t, test_taken);
    tcase_add_test(t, test_no_condition);
    tcase_add_test(t, test_condition_ignored);
    tcase_add_test(t, test_wants_md5);
    tcase_add_test(t, test_error_inside);
    tcase_add_loop_test(t, test_lost_end, 0, 2);
    tcase_add_loop_test(t, test_lost_end_etag, 0, 2);
    tcase_add_test(t, test_lost_repair);
    tcase_add_test(t, test_late_end);
    tcase_add_test(t, test_late_put);
    tcase_add_test(t, test_end_refused);
    tcase_add_test(t, test_resume);
    tcase_add_loop_test(t, test_wrong_range, 0, 6);
    tcase_add_test(t, test_skew);
    tcase_add_test(t, test_slow_down);
    tcase_add_test(t, test_pages);
    tcase_add_loop_test(t, test_endless, 0, 2);
    tcase_add_test(t, test_oldest);
    tcase_add_test(t, test_create);
    tcase_add_loop_test(t, test_open_refused, 0, 5);
    tcase_add_loop_test(t, test_lock, 0, 3);
    tcase_add_test(t, test_no_lock);
    tcase_set_timeout(t, 60);
    suite_add_tcase(suite, t);
    r = srunner_create(suite);
    srunner_run_all(r, CK_NORMAL);
    failures = srunner_ntests_failed(r);
    srunner_free(r);
    return failures != 0;
}
