/* What this is: object lock: asked for with what is put, read back, and set again where a server dropped it.
 * Rests on: s3_impl.h.
 * Does not: take a lock away. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/s3_impl.h"

#define TOLERANCE_MS 60000 /* that a lock may end before we asked for: clocks, and times cut to seconds */

static const char *mode_of(const struct s3_store *s)
{
    return s->lock_mode == RSP_LOCK_COMPLIANCE ? "COMPLIANCE" : "GOVERNANCE";
}

/* By the store's clock. */
static int64_t until_ms(const struct s3_store *s)
{
    int64_t now = s->s.env.now_ms(s->s.env.clock_opaque), skew = s->skew_ms;
    const int64_t most = (int64_t)100 * 366 * 24 * 3600 * 1000;
    if (skew != INT64_MIN) now -= skew;
    return now + (s->lock_ms < most ? s->lock_ms : most);
}

static void until_text(const struct s3_store *s, char *out)
{
    time_t seconds = (time_t)((until_ms(s) + 999) / 1000);
    struct tm t = {0};
    if (!gmtime_r(&seconds, &t) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &t)) out[0] = 0;
}

void s3_lock_fields(struct s3_store *s, struct s3_request *q, char *until)
{
    if (!s->lock_mode) return;
    until_text(s, until);
    s3_field(q, "x-amz-object-lock-mode", mode_of(s));
    s3_field(q, "x-amz-object-lock-retain-until-date", until);
    q->md5 = 1; /* without it there is no lock */
}

/* COMPLIANCE is more than GOVERNANCE. */
static int locked(const struct s3_store *s, const struct s3_seen *seen)
{
    return seen->lock_mode >= s->lock_mode && seen->lock_until_ms != INT64_MIN &&
           seen->lock_until_ms >= until_ms(s) - TOLERANCE_MS;
}

static int set_again(struct s3_store *s, const struct rsp_env *env, const char *name, const char *version)
{
    struct s3_request q = {.method = "PUT", .what = "lock", .name = name, .has_body = 1, .md5 = 1};
    char until[32], body[256];
    struct http_reply r;
    int rc;
    until_text(s, until);
    q.n = (size_t)snprintf(body, sizeof body,
                           "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>%s</Mode>"
                           "<RetainUntilDate>%s</RetainUntilDate></Retention>",
                           mode_of(s), until);
    q.p = body;
    s3_param(&q, "retention", "");
    if (*version) s3_param(&q, "versionId", version);
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, &q, &r);
    http_reply_free(&r);
    return rc;
}

int s3_lock_check(struct s3_store *s, const char *name, const char *version)
{
    struct rsp_error words = {0};
    struct rsp_env apart = s->s.env;
    char where[WHERE_BYTES];
    struct s3_seen seen;
    int rc;
    if (!s->lock_mode) return RSP_OK;
    apart.error = &words;
    store_where(&s->s, name, where);
    rc = s3_head(s, &apart, name, version, 0, &seen);
    if (rc) return trail(&s->s.env, s3_tell(&s->s.env, &words, rc), "looking for its lock");
    if (locked(s, &seen)) return RSP_OK;
    if (!*version) version = seen.version;
    rc = set_again(s, &apart, name, version);
    if (!rc) {
        rc = s3_head(s, &apart, name, version, 0, &seen);
        if (!rc && locked(s, &seen)) return RSP_OK;
    }
    if (rc && rc != RSP_EUNSUPPORTED && rc != RSP_EFORMAT && rc != RSP_ENOTFOUND && rc != RSP_EINVAL)
        return trail(&s->s.env, s3_tell(&s->s.env, &words, rc), "setting its lock");
    return fail(&s->s.env, RSP_EUNSUPPORTED, where,
                "a lock (%s) was asked for and cannot be had: the store took the object and does not lock it",
                mode_of(s));
}

/* What was there already is locked, too, where locks are asked for. */
int s3_settle(struct rsp_store *store, const char *name)
{
    return s3_lock_check((struct s3_store *)store, name, "");
}

/* ---- of the bucket ---- */

struct reading {
    const char *root, *name;
    int good, enabled;
};

static int begin(void *opaque, int depth, const char *name)
{
    struct reading *r = opaque;
    if (depth == 1) r->good = !strcmp(name, r->root);
    return r->good ? RSP_OK : RSP_EUSER;
}

static int end(void *opaque, int depth, const char *name, const char *text)
{
    struct reading *r = opaque;
    if (depth == 2 && !strcmp(name, r->name)) r->enabled = !strcmp(text, "Enabled");
    return RSP_OK;
}

/* Servers that do not know the question answer with a listing: that is a no. */
static int ask(struct s3_store *s, const struct rsp_env *env, const char *param, struct reading *reading)
{
    struct s3_request q = {.method = "GET", .what = param, .body_max = S3_DOCUMENT_MAX};
    const struct xml_walk walk = {begin, end, reading};
    struct rsp_env quiet = *env;
    struct http_reply r;
    int rc;
    quiet.error = NULL;
    s3_param(&q, param, "");
    http_reply_init(&r, &quiet);
    rc = s3_exchange(s, &quiet, &q, &r);
    if (!rc) (void)xml_parse(&quiet, "", s3_document(&r), &walk);
    http_reply_free(&r);
    if (rc == RSP_EDENIED) return -1;
    if (rc) return rc == RSP_ENOTFOUND || rc == RSP_EUNSUPPORTED ? 0 : -1;
    return reading->good && reading->enabled;
}

int s3_bucket_locks(struct s3_store *s, const struct rsp_env *env)
{
    struct reading r = {"ObjectLockConfiguration", "ObjectLockEnabled", 0, 0};
    return ask(s, env, "object-lock", &r);
}

int s3_bucket_versions(struct s3_store *s, const struct rsp_env *env)
{
    struct reading r = {"VersioningConfiguration", "Status", 0, 0};
    return ask(s, env, "versioning", &r);
}
