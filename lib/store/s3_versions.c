/* What this is: a bucket's versions, for those who read what was written first: who overwrites or deletes an object, or hides
 *   it behind a marker, changes nothing of what is read here.
 * Rests on: s3_impl.h.
 * Does not: write. */
#include <stdio.h>
#include <string.h>

#include "store/s3_impl.h"

/* The versions of a name come one after the other, the newest first: the last one is the oldest. */
struct walk {
    struct s3_store *s;
    const struct rsp_env *env;
    const char *prefix;
    int (*each)(struct walk *w); /* of the name that is complete now */
    int (*tell)(void *, const struct rsp_store_item *);
    void *opaque;
    char name[NAME_BYTES + 1], id[S3_ID]; /* under way; "": none */
    uint64_t bytes;
    int64_t ms;
    int verdict;
    const char *only; /* stop behind this name */
    int past;
};

static void drop(const struct rsp_env *env, struct s3_version *v)
{
    if (v->name) mem_free(env, v->name, strlen(v->name) + 1);
    if (v->id) mem_free(env, v->id, strlen(v->id) + 1);
    memset(v, 0, sizeof *v);
}

void s3_versions_free(struct s3_store *s)
{
    if (!s->versions) return;
    for (size_t i = 0; i < VERSIONS_KEPT; i++) drop(&s->s.env, &s->versions[i]);
    mem_free(&s->s.env, s->versions, VERSIONS_KEPT * sizeof *s->versions);
    s->versions = NULL;
}

/* Of which name a place is does not matter but for speed: names are not chosen to collide. */
static struct s3_version *place_of(struct s3_store *s, const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (unsigned char)*name) * 16777619u;
    return &s->versions[(h ^ h >> 16) % VERSIONS_KEPT];
}

/* What cannot be kept is asked for again. */
static void remember(struct walk *w)
{
    struct s3_store *s = w->s;
    struct rsp_env quiet = *w->env;
    struct s3_version v = {.bytes = w->bytes, .mtime_ms = w->ms}, *at;
    quiet.error = NULL;
    v.name = mem_strdup(&quiet, w->name);
    v.id = mem_strdup(&quiet, w->id);
    if (!v.name || !v.id) {
        drop(&quiet, &v);
        return;
    }
    pthread_mutex_lock(&s->versions_lock);
    at = place_of(s, w->name);
    drop(&quiet, at);
    *at = v;
    pthread_mutex_unlock(&s->versions_lock);
}

static int complete(struct walk *w)
{
    int rc = RSP_OK;
    if (!*w->name) return RSP_OK;
    remember(w);
    if (w->each) rc = w->each(w);
    w->name[0] = 0;
    return rc;
}

static int note(struct s3_page *p)
{
    struct walk *w = p->opaque;
    const char *name;
    if (p->entry != 1) return RSP_OK;
    name = s3_name_of(w->s, p->key, p->encoded);
    if (!name || strncmp(name, w->prefix, strlen(w->prefix)) || !*p->id || strlen(p->id) >= S3_ID) return RSP_OK;
    if (strcmp(w->name, name)) {
        if (*w->name && strcmp(w->name, name) > 0)
            w->verdict = fail(w->env, RSP_EFORMAT, p->subject, "list: the store lists %s behind %s", name, w->name);
        else w->verdict = complete(w);
        if (!w->verdict && w->only && strcmp(name, w->only) > 0) w->past = 1;
        if (w->verdict || w->past) return RSP_EUSER;
        snprintf(w->name, sizeof w->name, "%s", name);
    }
    memcpy(w->id, p->id, strlen(p->id) + 1);
    w->bytes = p->bytes;
    w->ms = p->ms;
    return RSP_OK;
}

struct place {
    struct s3_page page;
    char key[XML_TEXT_MAX + 1], id[XML_TEXT_MAX + 1];
    char whole[S3_PREFIX_BYTES + NAME_BYTES + 2];
};

/* The markers are a key and a version: keys ascend, so that this ends. */
static int turn(struct walk *w, struct place *at)
{
    struct s3_page *p = &at->page;
    int order;
    if (p->encoded && s3_unescape(p->next)) order = 1;
    else order = strcmp(at->key, p->next);
    if (order > 0 || (!order && !strcmp(at->id, p->next_id)))
        return fail(w->env, RSP_EFORMAT, p->subject, "list: the store's pages lead nowhere");
    memcpy(at->key, p->next, sizeof at->key);
    memcpy(at->id, p->next_id, sizeof at->id);
    return RSP_OK;
}

static int one_page(struct walk *w, struct place *at)
{
    struct s3_request q = {.method = "GET", .what = "list versions", .body_max = S3_DOCUMENT_MAX};
    struct http_reply r;
    int rc;
    s3_param(&q, "versions", "");
    s3_param(&q, "encoding-type", "url");
    s3_param(&q, "max-keys", "1000");
    if (*at->whole) s3_param(&q, "prefix", at->whole);
    if (*at->key) s3_param(&q, "key-marker", at->key);
    if (*at->key && *at->id) s3_param(&q, "version-id-marker", at->id);
    http_reply_init(&r, w->env);
    rc = s3_exchange(w->s, w->env, &q, &r);
    if (!rc) rc = s3_page_read(w->env, "ListVersionsResult", "Version", s3_document(&r), &at->page);
    http_reply_free(&r);
    if (rc == RSP_EUSER && w->verdict) return w->verdict;
    return rc == RSP_EUSER && w->past ? RSP_END : rc;
}

static int walk_all(struct walk *w)
{
    struct place *at = mem_zero(w->env, sizeof *at);
    int rc;
    if (!at) return RSP_ENOMEM;
    snprintf(at->whole, sizeof at->whole, "%s%s", w->s->place.prefix, w->only ? w->only : w->prefix);
    at->page.subject = w->s->s.url;
    at->page.each = note;
    at->page.opaque = w;
    do {
        rc = one_page(w, at);
        if (!rc && at->page.more) rc = turn(w, at);
    } while (!rc && at->page.more);
    mem_free(w->env, at, sizeof *at);
    if (rc == RSP_END) return RSP_OK;
    return rc ? rc : complete(w);
}

static int hand_out(struct walk *w)
{
    struct rsp_store_item item = {w->name, w->bytes, w->ms};
    return w->tell(w->opaque, &item);
}

int s3_list_versions(struct rsp_store *store, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
                     void *opaque)
{
    struct walk w = {.s = (struct s3_store *)store,
                     .env = &store->env,
                     .prefix = prefix,
                     .each = hand_out,
                     .tell = each,
                     .opaque = opaque};
    return walk_all(&w);
}

static int kept(struct s3_store *s, const char *name, char *id, struct rsp_store_item *item)
{
    struct s3_version *v;
    int there;
    pthread_mutex_lock(&s->versions_lock);
    v = place_of(s, name);
    there = v->name && !strcmp(v->name, name);
    if (there) {
        snprintf(id, S3_ID, "%s", v->id);
        *item = (struct rsp_store_item){name, v->bytes, v->mtime_ms};
    }
    pthread_mutex_unlock(&s->versions_lock);
    return there;
}

struct found {
    const char *name;
    char *id;
    struct rsp_store_item *item;
    int there;
};

static int is_it(struct walk *w)
{
    struct found *f = w->opaque;
    if (strcmp(w->name, f->name)) return RSP_OK;
    f->there = 1;
    snprintf(f->id, S3_ID, "%s", w->id);
    *f->item = (struct rsp_store_item){f->name, w->bytes, w->ms};
    return RSP_OK;
}

int s3_oldest(struct s3_store *s, const struct rsp_env *env, const char *name, char *id, struct rsp_store_item *item)
{
    struct found f = {name, id, item, 0};
    struct walk w = {.s = s, .env = env, .prefix = "", .each = is_it, .opaque = &f, .only = name};
    char where[WHERE_BYTES];
    int rc;
    if (kept(s, name, id, item)) return RSP_OK;
    rc = walk_all(&w);
    if (rc || f.there) return rc;
    store_where(&s->s, name, where);
    return fail(env, RSP_ENOTFOUND, where, "is not there, in no version");
}
