/* What this is: the calls of respite/sys/store.h: names, order of use, counts; the kinds do the work.
 * Rests on: store_impl.h.
 * Does not: touch a disk. */
#include "store/store_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/remote.h"

#define PUT_TRIES 4

int store_part_ok(const char *part, size_t n)
{
    if (!n || n > PART_BYTES || part[0] == '.') return 0;
    for (size_t i = 0; i < n; i++) {
        char c = part[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) continue;
        if (!c || !strchr("-._TZ", c)) return 0;
    }
    return 1;
}

int store_name_ok(const char *name)
{
    const char *part = name;
    if (strnlen(name, NAME_BYTES + 1) > NAME_BYTES) return 0;
    for (int parts = 1; parts <= NAME_PARTS; parts++) {
        size_t n = strcspn(part, "/");
        if (!store_part_ok(part, n)) return 0;
        if (!part[n]) return 1;
        part += n + 1;
    }
    return 0;
}

/* "" and whatever is a name with a slash behind it. */
static int prefix_ok(const char *prefix)
{
    char name[NAME_BYTES + 1];
    size_t n = strnlen(prefix, NAME_BYTES + 1);
    if (!n) return 1;
    if (n > NAME_BYTES || prefix[n - 1] != '/') return 0;
    memcpy(name, prefix, n - 1);
    name[n - 1] = 0;
    return store_name_ok(name);
}

/* The name stands before what follows a question mark. */
void store_where(const struct rsp_store *s, const char *name, char out[WHERE_BYTES])
{
    size_t place = strcspn(s->url, "?");
    const char *between = place && s->url[place - 1] == '/' ? "" : "/";
    int n = snprintf(out, WHERE_BYTES, "%.*s%s%s", (int)place, s->url, between, name);
    if (n < 0 || n >= WHERE_BYTES) snprintf(out, WHERE_BYTES, "%s", name);
}

static int check_name(struct rsp_store *s, const char *name)
{
    char shown[WHERE_BYTES];
    if (store_name_ok(name)) return RSP_OK;
    printable(shown, sizeof shown, (const uint8_t *)name, strnlen(name, WHERE_BYTES));
    return fail(&s->env, RSP_EINVAL, s->url, "'%s' is not the name of an object", shown);
}

static int check_change(struct rsp_store *s, const char *name)
{
    char where[WHERE_BYTES];
    int rc = check_name(s, name);
    if (rc || !s->read_only) return rc;
    store_where(s, name, where);
    return fail(&s->env, RSP_EPERM, where, "the store was opened for reading only");
}

static const struct {
    const char *scheme;
    int (*open)(const struct rsp_env *env, const char *url, const struct rsp_store_options *o, struct rsp_store **ret);
} drivers[] = {{"file", store_file_open},
               {"s3", store_s3_open},
               {"sftp", store_sftp_open},
               {"davs", store_dav_open},
               {"dav", store_dav_open}};

/* What is malformed may hold a password anywhere before an '@' or behind a '?': neither is shown. */
static void shown_url(const char *url, char out[WHERE_BYTES])
{
    const char *at = strrchr(url, '@');
    size_t n = strcspn(url, "?#"), scheme = strcspn(url, ":/?#@");
    if (!at) printable(out, WHERE_BYTES, (const uint8_t *)url, n);
    else
        snprintf(out, WHERE_BYTES, "%.*s://***%s", (int)(url[scheme] == ':' ? scheme : 0), url, at < url + n ? at : "");
}

int rsp_store_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *options,
                   struct rsp_store **ret)
{
    struct rsp_store_options o = {0};
    struct rsp_env e;
    char shown[WHERE_BYTES];
    size_t n = strspn(url, "abcdefghijklmnopqrstuvwxyz0123456789+");
    *ret = NULL;
    env_init(&e, env);
    if (options) memcpy(&o, options, options->size && options->size < sizeof o ? options->size : sizeof o);
    shown_url(url, shown);
    if (!n || url[n] != ':')
        return fail(&e, RSP_EINVAL, shown,
                    "is not a URL: write file:/absolute/path, s3://bucket, sftp://... or davs://...");
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++)
        if (strlen(drivers[i].scheme) == n && !memcmp(url, drivers[i].scheme, n))
            return drivers[i].open(&e, url, &o, ret);
    return fail(&e, RSP_EUNSUPPORTED, shown,
                "no driver for this kind of store: there are file:, s3:, sftp:, davs: (and dav: on this host)");
}

const char *rsp_store_url(const struct rsp_store *s)
{
    return s->url;
}

void rsp_store_free(struct rsp_store *s)
{
    struct rsp_env env;
    if (!s) return;
    env = s->env;
    s->kind->close(s);
    pthread_mutex_destroy(&s->words);
    if (s->url) mem_free(&env, s->url, strlen(s->url) + 1);
    mem_free(&env, s, s->bytes);
}

int rsp_store_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
                   void *opaque)
{
    if (!prefix_ok(prefix)) return fail(&s->env, RSP_EINVAL, s->url, "not a prefix of names: it ends in no slash");
    s->lists++;
    return s->kind->list(s, prefix, each, opaque);
}

int rsp_store_stat(struct rsp_store *s, const char *name, struct rsp_store_item *item)
{
    int rc = check_name(s, name);
    if (rc) return rc;
    s->gets++;
    return s->kind->stat(s, name, item);
}

/* The words of a failed read are gathered apart, since another thread may be failing at the same time. */
int rsp_store_read(struct rsp_store *s, const char *name, uint64_t offset, void *p, size_t n)
{
    struct rsp_error error = {0};
    struct rsp_env env = s->env;
    int rc;
    env.error = &error;
    s->gets++;
    if (store_name_ok(name)) rc = s->kind->read(s, &env, name, offset, p, n);
    else rc = fail(&env, RSP_EINVAL, s->url, "not the name of an object");
    if (!rc || !s->env.error) return rc;
    pthread_mutex_lock(&s->words);
    if (!s->env.error->code) *s->env.error = error;
    pthread_mutex_unlock(&s->words);
    return rc;
}

/* By whichever thread: words go to env. */
static int get(struct rsp_store *s, const struct rsp_env *env, const char *name, size_t max, uint8_t **p, size_t *n)
{
    struct rsp_store_item item = {0};
    char where[WHERE_BYTES];
    int rc;
    *p = NULL;
    *n = 0;
    s->gets++;
    if (s->kind->get) return s->kind->get(s, env, name, max, p, n);
    rc = s->kind->stat(s, name, &item);
    if (rc) return rc;
    if (item.bytes > max) {
        store_where(s, name, where);
        return fail(env, RSP_ELIMIT, where, "has %llu bytes, at most %zu were expected", (unsigned long long)item.bytes,
                    max);
    }
    *p = mem_alloc(env, item.bytes ? (size_t)item.bytes : 1);
    if (!*p) return RSP_ENOMEM;
    *n = (size_t)item.bytes;
    rc = s->kind->read(s, env, name, 0, *p, *n);
    if (!rc) return RSP_OK;
    rsp_store_release(s, *p, *n);
    *p = NULL;
    *n = 0;
    return rc;
}

int rsp_store_get(struct rsp_store *s, const char *name, size_t max, uint8_t **p, size_t *n)
{
    int rc = check_name(s, name);
    *p = NULL;
    *n = 0;
    return rc ? rc : get(s, &s->env, name, max, p, n);
}

void rsp_store_release(struct rsp_store *s, uint8_t *p, size_t n)
{
    mem_free(&s->env, p, n ? n : 1);
}

static int publish(struct rsp_store *s, const char *name, int replace, const void *p, size_t n)
{
    struct rsp_upload *u = NULL;
    int rc = s->kind->begin(s, name, replace, &u);
    if (!rc) rc = s->kind->write(u, p, n);
    if (!rc) rc = s->kind->commit(u);
    if (u) s->kind->drop(u);
    return rc;
}

/* 1 when the object has just these bytes, 0 when it has others, or a fault. */
static int has_bytes(struct rsp_store *s, const char *name, const void *p, size_t n)
{
    uint8_t *there = NULL;
    size_t there_n = 0;
    int rc = get(s, &s->env, name, n, &there, &there_n), same;
    if (rc == RSP_ELIMIT) return 0;
    if (rc) return rc;
    same = there_n == n && (!n || !memcmp(there, p, n));
    rsp_store_release(s, there, there_n);
    return same;
}

static void clear(struct rsp_store *s)
{
    rsp_error_clear(s->env.error);
}

/* The record as it was before stays when all is well in the end. */
int rsp_store_put(struct rsp_store *s, const char *name, const void *p, size_t n)
{
    struct rsp_error before = {0};
    char where[WHERE_BYTES];
    int rc = check_change(s, name);
    if (rc) return rc;
    if (s->env.error) before = *s->env.error;
    s->puts++;
    for (int tries = 0; tries < PUT_TRIES; tries++) {
        rc = publish(s, name, 0, p, n);
        if (rc != RSP_EEXIST) return rc;
        clear(s);
        rc = has_bytes(s, name, p, n);
        if (rc == 1) rc = s->kind->settle(s, name);
        else if (rc == 0) rc = RSP_EEXIST;
        if (rc != RSP_ENOTFOUND) break; /* gone again: it can be published now */
        clear(s);
        rc = RSP_EEXIST;
    }
    if (s->env.error && (rc == RSP_OK || rc == RSP_EEXIST || before.code)) *s->env.error = before;
    if (rc != RSP_EEXIST) return rc;
    store_where(s, name, where);
    return fail(&s->env, rc, where, "exists already, with other bytes");
}

int rsp_store_begin(struct rsp_store *s, const char *name, struct rsp_upload **ret)
{
    int rc = check_change(s, name);
    *ret = NULL;
    return rc ? rc : s->kind->begin(s, name, 0, ret);
}

int rsp_store_replace_begin(struct rsp_store *s, const char *name, struct rsp_upload **ret)
{
    int rc = check_change(s, name);
    *ret = NULL;
    return rc ? rc : s->kind->begin(s, name, 1, ret);
}

int rsp_upload_write(struct rsp_upload *u, const void *p, size_t n)
{
    int rc;
    if (u->state) return RSP_ESTATE;
    rc = u->store->kind->write(u, p, n);
    if (rc) u->state = 2;
    return rc;
}

int rsp_upload_commit(struct rsp_upload *u)
{
    int rc;
    if (u->state) return RSP_ESTATE;
    u->store->puts++;
    rc = u->store->kind->commit(u);
    u->state = rc ? 2 : 1;
    return rc;
}

void rsp_upload_free(struct rsp_upload *u)
{
    if (u) u->store->kind->drop(u);
}

int rsp_store_delete(struct rsp_store *s, const char *name)
{
    int rc = check_change(s, name);
    if (rc) return rc;
    s->deletes++;
    return s->kind->remove(s, name);
}

int rsp_store_repair(struct rsp_store *s, const char *name, const void *p, size_t n)
{
    int rc = check_change(s, name);
    if (rc) return rc;
    s->puts++;
    return publish(s, name, 1, p, n);
}

int rsp_store_now(struct rsp_store *s, int64_t *ms)
{
    if (!s->read_only) return s->kind->now(s, ms);
    *ms = s->env.now_ms(s->env.clock_opaque);
    return RSP_OK;
}

int rsp_store_space(struct rsp_store *s, uint64_t *bytes)
{
    return s->kind->space(s, bytes);
}

int rsp_store_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    s->lists++;
    return s->kind->leftovers(s, each, opaque);
}

void rsp_store_count(const struct rsp_store *s, struct rsp_store_counts *counts)
{
    counts->lists = s->lists;
    counts->gets = s->gets;
    counts->puts = s->puts;
    counts->deletes = s->deletes;
}

int rsp_store_abilities(struct rsp_store *s, struct rsp_store_abilities *ret)
{
    struct rsp_store_abilities a = {.size = ret->size,
                                    .kind = "file",
                                    .server = "",
                                    .refuses_second = 1,
                                    .versions = -1,
                                    .lock = -1,
                                    .skew_ms = INT64_MIN};
    int rc = s->kind->abilities ? s->kind->abilities(s, &a) : RSP_OK;
    a.size = ret->size;
    if (!rc) memcpy(ret, &a, ret->size < sizeof a ? ret->size : sizeof a);
    return rc;
}
