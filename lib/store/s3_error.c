/* What this is: what a server says when it refuses: its words, and what they mean for us.
 * Rests on: s3_impl.h.
 * Does not: try again. */
#include <string.h>
#include <strings.h>

#include "store/s3_impl.h"

#define REGION "the bucket lies in another region: write it into the URL (region=)"
#define POLICY "the keys may not do that: see `backupd key policy`"

static const struct {
    const char *code;
    struct s3_verdict verdict;
} codes[] = {
    {"AccessDenied", {RSP_EDENIED, S3_FINAL, POLICY}},
    {"AccountProblem", {RSP_EDENIED, S3_FINAL, NULL}},
    {"AllAccessDisabled", {RSP_EDENIED, S3_FINAL, NULL}},
    {"AuthorizationHeaderMalformed", {RSP_EDENIED, S3_FINAL, REGION}},
    {"BadDigest", {RSP_EIO, S3_RETRY, "the bytes were damaged on the way"}},
    {"BucketAlreadyExists", {RSP_EDENIED, S3_FINAL, "the bucket's name belongs to somebody else: take another"}},
    {"BucketAlreadyOwnedByYou", {RSP_EEXIST, S3_FINAL, NULL}},
    {"Busy", {RSP_EBUSY, S3_RETRY, NULL}},
    {"ConditionalRequestConflict", {RSP_EBUSY, S3_RETRY, NULL}},
    {"ExpiredToken", {RSP_EAUTH, S3_EXPIRED, "the temporary keys have run out"}},
    {"ExpiredTokenException", {RSP_EAUTH, S3_EXPIRED, "the temporary keys have run out"}},
    {"IllegalLocationConstraintException", {RSP_EDENIED, S3_FINAL, REGION}},
    {"InsufficientStorage", {RSP_ENOSPACE, S3_FINAL, NULL}},
    {"InternalError", {RSP_EBUSY, S3_RETRY, NULL}},
    {"InvalidAccessKeyId", {RSP_EAUTH, S3_FINAL, "the store does not know this access key"}},
    {"InvalidBucketName", {RSP_EINVAL, S3_FINAL, NULL}},
    {"InvalidObjectState",
     {RSP_EDENIED, S3_FINAL,
      "it lies in an archive (cold tier): it must be restored from there before it can be read"}},
    {"InvalidRange", {RSP_ETRUNCATED, S3_FINAL, NULL}},
    {"InvalidToken", {RSP_EAUTH, S3_EXPIRED, "the session token is not valid"}},
    {"NoSuchBucket", {RSP_ENOTFOUND, S3_FINAL, "there is no such bucket"}},
    {"NoSuchKey", {RSP_ENOTFOUND, S3_FINAL, NULL}},
    {"NoSuchUpload", {RSP_ENOTFOUND, S3_FINAL, "the upload is gone: did a lifecycle rule abort it?"}},
    {"NoSuchVersion", {RSP_ENOTFOUND, S3_FINAL, NULL}},
    {"NotImplemented", {RSP_EUNSUPPORTED, S3_FINAL, NULL}},
    {"OperationAborted", {RSP_EBUSY, S3_RETRY, NULL}},
    {"PermanentRedirect", {RSP_EDENIED, S3_FINAL, REGION}},
    {"PreconditionFailed", {RSP_EEXIST, S3_FINAL, NULL}},
    {"QuotaExceeded", {RSP_ENOSPACE, S3_FINAL, "the quota is used up"}},
    {"RequestLimitExceeded", {RSP_EBUSY, S3_RETRY, NULL}},
    {"RequestTimeTooSkewed", {RSP_EDENIED, S3_SKEW, "the clocks differ too much: set this machine's"}},
    {"RequestTimeout", {RSP_ETIMEOUT, S3_RETRY, NULL}},
    {"ServiceUnavailable", {RSP_EBUSY, S3_RETRY, NULL}},
    {"SignatureDoesNotMatch", {RSP_EAUTH, S3_FINAL, "is the secret key the right one?"}},
    {"SlowDown", {RSP_EBUSY, S3_RETRY, "the store wants fewer requests at once"}},
    {"StorageFull", {RSP_ENOSPACE, S3_FINAL, NULL}},
    {"TemporaryRedirect", {RSP_EDENIED, S3_FINAL, REGION}},
    {"ThrottlingException", {RSP_EBUSY, S3_RETRY, NULL}},
    {"TokenRefreshRequired", {RSP_EAUTH, S3_EXPIRED, "the temporary keys have run out"}},
    {"TooManyRequests", {RSP_EBUSY, S3_RETRY, NULL}},
    {"UserSuspended", {RSP_EDENIED, S3_FINAL, "the user of these keys is suspended"}},
    {"XAmzContentSHA256Mismatch", {RSP_EIO, S3_RETRY, "the bytes were damaged on the way"}},
    {"XMinioStorageFull", {RSP_ENOSPACE, S3_FINAL, NULL}},
};

static const struct {
    int http;
    struct s3_verdict verdict;
} statuses[] = {
    {301, {RSP_EDENIED, S3_FINAL, REGION}},    {307, {RSP_EDENIED, S3_FINAL, REGION}},
    {308, {RSP_EDENIED, S3_FINAL, REGION}},    {401, {RSP_EAUTH, S3_FINAL, "are the keys the right ones?"}},
    {403, {RSP_EDENIED, S3_FINAL, POLICY}},    {404, {RSP_ENOTFOUND, S3_FINAL, NULL}},
    {405, {RSP_EUNSUPPORTED, S3_FINAL, NULL}}, {407, {RSP_EDENIED, S3_FINAL, "the proxy wants a password"}},
    {408, {RSP_ETIMEOUT, S3_RETRY, NULL}},     {412, {RSP_EEXIST, S3_FINAL, NULL}},
    {416, {RSP_ETRUNCATED, S3_FINAL, NULL}},   {429, {RSP_EBUSY, S3_RETRY, NULL}},
    {500, {RSP_EBUSY, S3_RETRY, NULL}},        {501, {RSP_EUNSUPPORTED, S3_FINAL, NULL}},
    {502, {RSP_EBUSY, S3_RETRY, NULL}},        {503, {RSP_EBUSY, S3_RETRY, NULL}},
    {504, {RSP_ETIMEOUT, S3_RETRY, NULL}},     {507, {RSP_ENOSPACE, S3_FINAL, NULL}},
};

static int has(const char *text, const char *word)
{
    for (; *text; text++)
        if (!strncasecmp(text, word, strlen(word))) return 1;
    return 0;
}

/* What a code does not tell and its words do. */
static int by_words(const struct s3_error *e, struct s3_verdict *v)
{
    if (!strcmp(e->code, "AccessDenied") && (has(e->message, "object lock") || has(e->message, "WORM"))) {
        v->advice = "the object is locked";
        return 1;
    }
    if ((!strcmp(e->code, "InvalidRequest") || !strcmp(e->code, "InvalidArgument")) && has(e->message, "lock")) {
        *v = (struct s3_verdict){RSP_EUNSUPPORTED, S3_FINAL, "object lock is set when a bucket is made"};
        return 1;
    }
    return 0;
}

/* RSP_EIO would say that an object cannot be read, which a repository takes for damage: a server that fails is no proof. */
struct s3_verdict s3_judge(int http, const struct s3_error *e)
{
    struct s3_verdict v = {http >= 500 || http < 400 ? RSP_EBUSY : RSP_EDENIED, S3_FINAL, NULL};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(codes[i].code, e->code)) continue;
        v = codes[i].verdict;
        (void)by_words(e, &v);
        return v;
    }
    if (by_words(e, &v)) return v;
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].http == http) v = statuses[i].verdict;
    return v;
}

struct rsp_span s3_document(const struct http_reply *r)
{
    struct rsp_span s = {r->body.p, r->body.n};
    while (s.n && memchr(" \t\r\n", *s.p, 4)) s.p++, s.n--;
    return s;
}

struct reading {
    struct s3_error *e;
    int error; /* the root is an Error */
};

static int begin(void *opaque, int depth, const char *name)
{
    struct reading *r = opaque;
    if (depth == 1) r->error = !strcmp(name, "Error");
    return depth == 1 && !r->error ? RSP_EUSER : RSP_OK;
}

static int end(void *opaque, int depth, const char *name, const char *text)
{
    struct reading *r = opaque;
    if (!r->error || depth != 2) return RSP_OK;
    if (!strcmp(name, "Code")) printable(r->e->code, sizeof r->e->code, (const uint8_t *)text, strlen(text));
    if (!strcmp(name, "Message")) printable(r->e->message, sizeof r->e->message, (const uint8_t *)text, strlen(text));
    if (!strcmp(name, "Region")) printable(r->e->region, sizeof r->e->region, (const uint8_t *)text, strlen(text));
    return RSP_OK;
}

static int read_error(const struct rsp_env *env, struct rsp_span body, struct s3_error *e)
{
    struct reading r = {e, 0};
    const struct xml_walk walk = {begin, end, &r};
    struct rsp_env quiet = *env;
    quiet.error = NULL;
    if (!body.n || *body.p != '<') return 0;
    (void)xml_parse(&quiet, "", body, &walk);
    return r.error;
}

int s3_error_inside(const struct rsp_env *env, struct rsp_span body)
{
    struct s3_error e = {0};
    return read_error(env, body, &e);
}

void s3_error_read(const struct rsp_env *env, const struct http_reply *r, struct s3_error *e)
{
    const char *region = http_field(r, "x-amz-bucket-region");
    memset(e, 0, sizeof *e);
    (void)read_error(env, s3_document(r), e);
    if (region && !*e->region) printable(e->region, sizeof e->region, (const uint8_t *)region, strlen(region));
}
