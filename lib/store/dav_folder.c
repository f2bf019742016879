/* What this is: collections: made where they are missing, remembered when they are there.
 * Rests on: dav_impl.h.
 * Does not: remove one. */
#include <string.h>

#include "store/dav_impl.h"

#define MADE_BYTES ((size_t)64 << 10) /* of what is remembered; then it begins anew */

/* RSP_OK: *status is 201 (made), 405 (there), 409 (the one above is missing) or 403 (may not be made, but may be there:
 * what is put into it will tell). */
static int mkcol(struct dav_store *d, const struct rsp_env *env, const char *url, int *status)
{
    struct http_request q = {.method = "MKCOL", .url = url};
    struct http_reply r;
    int rc;
    http_reply_init(&r, env);
    rc = dav_exchange(d, env, &q, &r, NULL);
    *status = r.status;
    if (r.status == 200) *status = 201;
    if (r.status == 301) *status = 405;
    if (r.status == 404) *status = 409;
    if (!rc && *status != 201 && *status != 405 && *status != 409 && *status != 403) rc = dav_fault(d, env, &q, &r);
    http_reply_free(&r);
    return rc;
}

/* Where the collection above the one that ends at `end` ends. */
static size_t above(const char *url, size_t end)
{
    for (end--; end && url[end - 1] != '/';) end--;
    return end;
}

/* Makes url[0, n), which ends in a slash, and those above it that are missing, none of which ends at `least` or before:
 * upwards until one can be made or is there, then down again. url is written to and restored. */
static int make(struct dav_store *d, const struct rsp_env *env, char *url, size_t n, size_t least)
{
    size_t end = n;
    int down = 0, rc, status;
    for (;;) {
        char kept = url[end];
        url[end] = 0;
        rc = mkcol(d, env, url, &status);
        if (!rc && status == 409 && (down || above(url, end) <= least))
            rc = dav_fail(d, env, RSP_ENOTFOUND, url, "MKCOL: 409: the collection above it is not there");
        url[end] = kept;
        if (rc) return rc;
        if (status == 409) {
            end = above(url, end);
            continue;
        }
        if (end == n) return RSP_OK;
        down = 1;
        for (end++; url[end - 1] != '/';) end++;
    }
}

static int is_made(struct dav_store *d, const char *name, size_t n)
{
    const char *at, *end;
    int found = 0;
    pthread_mutex_lock(&d->lock);
    at = (const char *)d->made.p;
    for (end = at + d->made.n; at < end && !found; at += strlen(at) + 1)
        found = !strncmp(at, name, n) && (at[n] == 0 || at[n] == '/');
    pthread_mutex_unlock(&d->lock);
    return found;
}

void dav_folders_forget(struct dav_store *d)
{
    pthread_mutex_lock(&d->lock);
    d->made.n = 0;
    pthread_mutex_unlock(&d->lock);
}

/* What cannot be remembered is asked for again. */
static void remember(struct dav_store *d, const char *name, size_t n)
{
    pthread_mutex_lock(&d->lock);
    if (d->made.n > MADE_BYTES) d->made.n = 0;
    if (!buf_reserve(&d->made, n + 1)) {
        (void)buf_add(&d->made, name, n);
        (void)buf_byte(&d->made, 0);
    }
    pthread_mutex_unlock(&d->lock);
}

int dav_folders(struct dav_store *d, const struct rsp_env *env, const char *name)
{
    const char *slash = strrchr(name, '/');
    size_t n = slash ? (size_t)(slash - name) : 0;
    struct buf url;
    int rc;
    if (!n || is_made(d, name, n)) return RSP_OK;
    buf_init(&url, env);
    rc = dav_url(d, name, &url);
    /* A name needs no escapes: its slashes are where they were. */
    if (!rc) rc = make(d, env, (char *)url.p, d->base_n + 1 + n + 1, d->base_n + 1);
    if (!rc) remember(d, name, n);
    buf_free(&url);
    return rc;
}

int dav_make_root(struct dav_store *d)
{
    struct buf url;
    int rc;
    buf_init(&url, &d->s.env);
    rc = dav_url(d, "", &url);
    if (!rc) rc = make(d, &d->s.env, (char *)url.p, d->base_n + 1, d->origin_n + 1);
    buf_free(&url);
    return rc;
}
