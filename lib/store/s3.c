/* What this is: the s3: driver: opening a bucket, deleting, its clock, what it can do.
 * Rests on: s3_impl.h.
 * Does not: overwrite an object, but for repairs. */
#include <stdio.h>
#include <string.h>

#include "store/s3_impl.h"

#define PART_LEAST ((size_t)5 << 20)
#define PART_USUAL ((size_t)8 << 20)
#define PART_MOST ((size_t)64 << 20)
#define PARALLEL_USUAL 4
#define PARALLEL_MOST 64

static int s3_remove(struct rsp_store *store, const char *name)
{
    struct s3_request q = {.method = "DELETE", .what = "delete", .name = name};
    struct rsp_error words = {0};
    struct rsp_env apart = store->env;
    struct http_reply r;
    int rc;
    apart.error = &words;
    http_reply_init(&r, &apart);
    rc = s3_exchange((struct s3_store *)store, &apart, &q, &r);
    http_reply_free(&r);
    if (rc == RSP_ENOTFOUND && strcmp(q.error.code, "NoSuchBucket")) rc = RSP_OK;
    return s3_tell(&store->env, &words, rc);
}

/* Any answer tells the time, a refusal as well. */
static int s3_now(struct rsp_store *store, int64_t *ms)
{
    struct s3_store *s = (struct s3_store *)store;
    struct s3_request q = {.method = "HEAD", .what = "ask for the time"};
    struct rsp_error words = {0};
    struct rsp_env apart = store->env;
    struct http_reply r;
    int rc;
    apart.error = &words;
    http_reply_init(&r, &apart);
    rc = s3_exchange(s, &apart, &q, &r);
    if (!rc || q.http) {
        *ms = r.date_ms;
        rc = RSP_OK;
        if (*ms == INT64_MIN)
            rc = fail(&store->env, RSP_EFORMAT, store->url, "the store does not tell the time (no Date)");
    }
    http_reply_free(&r);
    return s3_tell(&store->env, &words, rc);
}

static int s3_space(struct rsp_store *store, uint64_t *bytes)
{
    (void)store;
    *bytes = UINT64_MAX;
    return RSP_OK;
}

static int s3_abilities(struct rsp_store *store, struct rsp_store_abilities *a)
{
    struct s3_store *s = (struct s3_store *)store;
    a->kind = "s3";
    a->server = s->server;
    a->refuses_second = s->condition_seen ? 1 : s->no_condition ? 0 : -1;
    a->versions = s3_bucket_versions(s, &store->env);
    a->lock = s3_bucket_locks(s, &store->env);
    a->skew_ms = s->skew_ms;
    return RSP_OK;
}

static void s3_close(struct rsp_store *store)
{
    struct s3_store *s = (struct s3_store *)store;
    s3_versions_free(s);
    s3_credentials_free(s->credentials);
    net_client_free(s->net);
    net_client_free(s->last);
    pthread_mutex_destroy(&s->versions_lock);
    s3_place_free(&s->place);
}

static const struct store_kind s3_kind = {
    .list = s3_list,
    .stat = s3_stat,
    .read = s3_read,
    .begin = s3_begin,
    .write = s3_write,
    .commit = s3_commit,
    .drop = s3_drop,
    .get = s3_get,
    .look = s3_look,
    .abilities = s3_abilities,
    .settle = s3_settle,
    .remove = s3_remove,
    .now = s3_now,
    .space = s3_space,
    .leftovers = s3_leftovers,
    .close = s3_close,
};

/* ---- opening ---- */

/* One name, whichever: finds wrong keys, regions and buckets. */
static int first_look(struct s3_store *s, const struct rsp_env *env, struct s3_request *q)
{
    struct http_reply r;
    int rc;
    *q = (struct s3_request){.method = "GET", .what = "open", .body_max = S3_DOCUMENT_MAX};
    s3_param(q, "list-type", "2");
    s3_param(q, "max-keys", "1");
    if (*s->place.prefix) s3_param(q, "prefix", s->place.prefix);
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, q, &r);
    http_reply_free(&r);
    return rc;
}

static int make_bucket(struct s3_store *s, const struct rsp_env *env)
{
    struct s3_request q = {.method = "PUT", .what = "make the bucket", .has_body = 1, .p = ""};
    char body[256];
    struct http_reply r;
    int rc;
    if (!s->place.given_endpoint && strcmp(s->place.region, "us-east-1")) {
        q.n = (size_t)snprintf(body, sizeof body,
                               "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                               "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
                               s->place.region);
        q.p = body;
    }
    if (s->lock_mode) s3_field(&q, "x-amz-bucket-object-lock-enabled", "true");
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, &q, &r);
    http_reply_free(&r);
    if (rc == RSP_EEXIST && !strcmp(q.error.code, "BucketAlreadyOwnedByYou")) rc = RSP_OK;
    return rc;
}

static int greet(struct s3_store *s, const struct rsp_store_options *o)
{
    struct rsp_error words = {0};
    struct rsp_env apart = s->s.env;
    struct s3_request q;
    int rc;
    apart.error = &words;
    rc = first_look(s, &apart, &q);
    if (rc == RSP_EDENIED && !strcmp(q.error.code, "AccessDenied"))
        trail(&apart, rc, "some servers say so when a key is wrong, too");
    if (rc == RSP_ENOTFOUND && o->create && !o->read_only) {
        rsp_error_clear(&words);
        rc = make_bucket(s, &apart);
        if (rc == RSP_EEXIST) rsp_error_clear(&words);
        if (!rc || rc == RSP_EEXIST) rc = first_look(s, &apart, &q);
    }
    if (!rc && s->lock_mode && !s->s.read_only && !s3_bucket_locks(s, &apart))
        rc = fail(&apart, RSP_EUNSUPPORTED, s->s.url,
                  "a lock was asked for, and this bucket has none: object lock is set when a bucket is made");
    return s3_tell(&s->s.env, &words, rc);
}

static int take_options(struct s3_store *s, const struct rsp_store_remote *o)
{
    s->part_bytes = o->part_bytes ? o->part_bytes : PART_USUAL;
    if (s->part_bytes < PART_LEAST || s->part_bytes > PART_MOST)
        return fail(&s->s.env, RSP_EINVAL, s->s.url, "parts are of 5 to 64 MiB");
    s->s.parallel = o->parallel ? o->parallel : PARALLEL_USUAL;
    if (s->s.parallel > PARALLEL_MOST) s->s.parallel = PARALLEL_MOST;
    s->lock_mode = o->lock_mode;
    s->lock_ms = o->lock_ms;
    if (s->lock_mode < RSP_LOCK_NONE || s->lock_mode > RSP_LOCK_COMPLIANCE || (s->lock_mode && s->lock_ms <= 0))
        return fail(&s->s.env, RSP_EINVAL, s->s.url, "a lock is GOVERNANCE or COMPLIANCE, for a time");
    s->oldest = o->oldest;
    if (!s->oldest) return RSP_OK;
    if (!s->s.read_only)
        return fail(&s->s.env, RSP_EINVAL, s->s.url, "the oldest versions can only be read: open it for reading only");
    s->versions = mem_zero(&s->s.env, VERSIONS_KEPT * sizeof *s->versions);
    return s->versions ? RSP_OK : RSP_ENOMEM;
}

static int clients(struct s3_store *s, const struct rsp_store_remote *o)
{
    struct rsp_store_remote quick = *o;
    int rc = remote_client(&s->s.env, o, &s->net);
    quick.cancel = NULL;
    quick.connect_ms = 2000;
    quick.stall_ms = 3000;
    quick.tries = 1;
    if (!rc) rc = remote_client(&s->s.env, &quick, &s->last);
    return rc ? rc : s3_credentials_new(&s->s.env, o, &s->credentials);
}

int store_s3_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *o, struct rsp_store **ret)
{
    struct rsp_store_remote remote = {.size = sizeof remote};
    struct s3_store *s;
    int rc;
    *ret = NULL;
    if (o->remote) memcpy(&remote, o->remote, o->remote->size < sizeof remote ? o->remote->size : sizeof remote);
    s = mem_zero(env, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->s.kind = &s3_kind;
    s->s.env = *env;
    s->s.bytes = sizeof *s;
    s->s.read_only = o->read_only;
    s->skew_ms = INT64_MIN;
    pthread_mutex_init(&s->s.words, NULL);
    pthread_mutex_init(&s->versions_lock, NULL);
    rc = s3_place_parse(&s->s.env, url, &s->place);
    if (!rc) {
        s->s.url = mem_strdup(&s->s.env, s->place.text);
        if (!s->s.url) rc = RSP_ENOMEM;
    }
    if (!rc) rc = take_options(s, &remote);
    if (!rc) rc = clients(s, &remote);
    if (!rc) rc = greet(s, o);
    if (rc) rsp_store_free(&s->s);
    else *ret = &s->s;
    return rc;
}
