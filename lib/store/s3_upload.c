/* What this is: publication: what fits into one part is put by one request, more by an upload in parts.
 * Rests on: s3_upload_impl.h.
 * Does not: replace an object, but for repairs. */
#include <stdio.h>
#include <string.h>

#include "store/s3_upload_impl.h"

#define TRIED_BYTES ((size_t)64 << 10)
#define SMALL_BYTES ((size_t)256 << 10) /* what is larger gets the buffer of a whole part */

int s3_begin(struct rsp_store *store, const char *name, int replace, struct rsp_upload **ret)
{
    struct s3_upload *u = mem_zero(&store->env, sizeof *u);
    *ret = NULL;
    if (!u) return RSP_ENOMEM;
    u->u.store = store;
    u->u.bytes = sizeof *u;
    u->replace = replace;
    snprintf(u->name, sizeof u->name, "%s", name);
    buf_init(&u->first, &store->env);
    buf_init(&u->parts, &store->env);
    pthread_mutex_init(&u->lock, NULL);
    pthread_cond_init(&u->change, NULL);
    *ret = &u->u;
    return RSP_OK;
}

int s3_write(struct rsp_upload *upload, const void *p, size_t n)
{
    struct s3_upload *u = (struct s3_upload *)upload;
    struct s3_store *s = (struct s3_store *)upload->store;
    int rc;
    if (n > UINT64_MAX - u->bytes) return fail(&s->s.env, RSP_ELIMIT, u->name, "too large");
    u->bytes += n;
    if (u->jobs) return s3_parts_add(u, p, n);
    if (n <= SMALL_BYTES - u->first.n) return buf_add(&u->first, p, n);
    rc = s3_parts_room(u);
    if (!rc) rc = s3_parts_add(u, u->first.p, u->first.n);
    buf_free(&u->first);
    return rc ? rc : s3_parts_add(u, p, n);
}

/* 1: what is there has these bytes. */
static int same(struct s3_store *s, const char *name, const void *p, size_t n)
{
    struct rsp_env quiet = s->s.env;
    uint8_t *there = NULL;
    size_t there_n = 0;
    int is_same;
    quiet.error = NULL;
    if (s3_get(&s->s, &quiet, name, n, &there, &there_n)) return 0;
    is_same = there_n == n && (!n || !memcmp(there, p, n));
    rsp_store_release(&s->s, there, there_n);
    return is_same;
}

static int put_once(struct s3_store *s, const struct rsp_env *env, struct s3_request *q, char *version)
{
    struct http_reply r;
    const char *id;
    int rc;
    http_reply_init(&r, env);
    rc = s3_exchange(s, env, q, &r);
    id = rc ? NULL : http_field(&r, "x-amz-version-id");
    snprintf(version, S3_ID, "%s", id && strlen(id) < S3_ID ? id : "");
    http_reply_free(&r);
    return rc;
}

/* Where the store has no condition we look ourselves: RSP_OK when the name is free. */
static int look_before(struct s3_store *s, const struct rsp_env *env, const char *name)
{
    struct rsp_error words = {0};
    struct rsp_env apart = *env;
    char where[WHERE_BYTES];
    struct s3_seen seen;
    int rc;
    apart.error = &words;
    rc = s3_head(s, &apart, name, NULL, 0, &seen);
    if (rc == RSP_ENOTFOUND) return RSP_OK;
    if (rc) return s3_tell(env, &words, rc);
    store_where(&s->s, name, where);
    return fail(env, RSP_EEXIST, where, "put: it exists already");
}

/* Whether the store heeds the condition is found out once: by the same bytes under the same name again. Who ignores it would
 * overwrite without a word; there we look before. */
static void try_condition(struct s3_store *s, const char *name, const void *p, size_t n)
{
    struct s3_request q = {
        .method = "PUT", .what = "put", .name = name, .p = n ? p : "", .n = n, .has_body = 1, .last = 1};
    struct rsp_env quiet = s->s.env;
    char version[S3_ID];
    int rc;
    quiet.error = NULL;
    if (s->condition_seen || s->no_condition || s->lock_mode || n > TRIED_BYTES) return;
    s3_field(&q, "if-none-match", "*");
    rc = put_once(s, &quiet, &q, version);
    if (!rc) s->no_condition = 1;
    else if (q.http == 412) s->condition_seen = 1;
}

int s3_put_whole(struct s3_store *s, const char *name, int replace, const void *p, size_t n, char *version)
{
    struct rsp_error words = {0};
    struct rsp_env apart = s->s.env;
    char until[32];
    int rc;
    apart.error = &words;
    for (int condition = !replace && !s->no_condition;; condition = 0) {
        struct s3_request q = {.method = "PUT", .what = "put", .name = name, .p = n ? p : "", .n = n, .has_body = 1};
        if (condition) s3_field(&q, "if-none-match", "*");
        s3_lock_fields(s, &q, until);
        rc = condition || replace ? RSP_OK : look_before(s, &apart, name);
        if (!rc) rc = put_once(s, &apart, &q, version);
        if (condition && rc == RSP_EUNSUPPORTED && q.http == 501) {
            s->no_condition = 1;
            rsp_error_clear(&words);
            continue;
        }
        if (rc == RSP_EEXIST && condition && q.http == 412) s->condition_seen = 1;
        if (!rc && condition) try_condition(s, name, p, n);
        /* One of the tries whose answer was lost may be the one that is there. */
        if (rc == RSP_EEXIST && q.unknown && same(s, name, p, n)) return RSP_OK;
        return s3_tell(&s->s.env, &words, rc);
    }
}

int s3_commit(struct rsp_upload *upload)
{
    struct s3_upload *u = (struct s3_upload *)upload;
    struct s3_store *s = (struct s3_store *)upload->store;
    int rc;
    if (u->id) {
        rc = s3_parts_finish(u);
        if (!rc) rc = s3_parts_end(u);
    } else {
        const struct s3_job *one = u->jobs ? &u->jobs[u->filling] : NULL;
        rc = s3_put_whole(s, u->name, u->replace, one ? one->p : u->first.p, one ? one->n : u->first.n, u->version);
    }
    if (rc) return rc;
    upload->state = 1;
    return s3_lock_check(s, u->name, u->version);
}

void s3_drop(struct rsp_upload *upload)
{
    struct s3_upload *u = (struct s3_upload *)upload;
    struct rsp_env env = upload->store->env;
    s3_parts_close(u);
    buf_free(&u->first);
    buf_free(&u->parts);
    pthread_cond_destroy(&u->change);
    pthread_mutex_destroy(&u->lock);
    mem_free(&env, u, upload->bytes);
}
