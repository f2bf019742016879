/* What this is: walks over a WebDAV store: its objects in order, and what dead uploads left.
 * Rests on: dav_impl.h.
 * Does not: ask for more than one collection at a time: "Depth: infinity" is refused by many, and bounded by none. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/dav_impl.h"

struct entry {
    size_t at; /* of its name in names */
    uint64_t bytes;
    int64_t mtime_ms;
};

/* One collection: its names, a slash behind those of collections so that whole names sort right; a zero ends each. */
struct level {
    struct buf names, order; /* order: struct entry */
    size_t i, n;             /* of order */
    size_t path_n;           /* of walk.path up to and with this collection's slash */
    int parts;               /* of a name in this collection */
    int self, others;        /* answers so far: of the collection itself, of whatever else */
    int64_t mtime_ms;        /* the collection's */
};

struct walk {
    struct dav_store *d;
    const struct rsp_env *env;
    int leftovers;
    int (*each)(void *, const struct rsp_store_item *);
    void *opaque;
    char path[NAME_BYTES + PART_BYTES + 2];
    struct buf url, own; /* of the collection that is asked for: its URL, and its decoded path */
    int depth;           /* levels in use */
    struct level level[NAME_PARTS];
};

static int by_name(const void *a, const void *b, void *names)
{
    const char *base = names;
    struct entry x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return strcmp(base + x.at, base + y.at);
}

static int add_answer(void *opaque, const struct dav_answer *a)
{
    struct walk *w = opaque;
    struct level *l = &w->level[w->depth - 1];
    char name[PART_BYTES + 2];
    struct entry e = {l->names.n, a->bytes, a->has & DAV_MODIFIED ? a->mtime_ms : 0};
    int folder = (a->has & DAV_COLLECTION) != 0, what = dav_href(a->href, (const char *)w->own.p, name, sizeof name);
    int rc, regular;
    size_t n = strlen(name);
    if (what == 1) {
        l->self = 1;
        l->mtime_ms = e.mtime_ms;
        return RSP_OK;
    }
    l->others = 1;
    regular = what == 2 && store_part_ok(name, n);
    if (!regular && !(what == 2 && w->leftovers && dav_is_part(name))) return RSP_OK;
    /* A collection with the name of a part is nothing of ours, but goes as it came: whoever may upload may make one. */
    if (folder && ((!regular && !w->leftovers) || l->parts == NAME_PARTS || l->path_n + n + 1 >= NAME_BYTES))
        return RSP_OK;
    if (!folder && (w->leftovers == regular || l->path_n + n > NAME_BYTES + (size_t)(regular ? 0 : PART_BYTES)))
        return RSP_OK;
    if (!folder && !(a->has & DAV_LENGTH))
        return fail(w->env, RSP_EFORMAT, w->d->s.url, "PROPFIND: the server does not tell the size of %s%s", w->path,
                    name);
    rc = buf_add(&l->order, &e, sizeof e);
    if (!rc) rc = buf_add(&l->names, name, n);
    if (!rc && folder) rc = buf_byte(&l->names, '/');
    if (!rc) rc = buf_byte(&l->names, 0);
    l->n++;
    return rc;
}

/* w->path as a URL, and decoded from the server's root. */
static int name_collection(struct walk *w)
{
    int rc;
    w->url.n = w->own.n = 0;
    rc = dav_url(w->d, w->path, &w->url);
    if (!rc) rc = buf_add(&w->own, w->d->path, strlen(w->d->path));
    if (!rc) rc = buf_byte(&w->own, '/');
    return rc ? rc : buf_add(&w->own, w->path, strlen(w->path) + 1);
}

/* In order, each name once, whatever the server says. */
static void sort(struct level *l)
{
    struct entry *e = (void *)l->order.p;
    const char *names = (const char *)l->names.p;
    size_t kept = 0;
    if (!l->n) return;
    qsort_r(e, l->n, sizeof *e, by_name, l->names.p);
    for (size_t i = 1; i < l->n; i++)
        if (strcmp(names + e[i].at, names + e[kept].at)) e[++kept] = e[i];
    l->n = kept + 1;
}

/* 1: what stands there, or the first thing above it that is there, is no collection: below an object there is nothing,
 * but servers have many answers to who asks for it. */
static int below_object(struct walk *w, const struct rsp_env *quiet)
{
    char name[sizeof w->path];
    size_t n = strlen(w->path);
    memcpy(name, w->path, n + 1);
    while (n) {
        struct dav_answer a;
        struct buf url;
        int rc;
        name[n - 1] = 0; /* the slash at its end */
        buf_init(&url, quiet);
        rc = dav_url(w->d, name, &url);
        if (!rc) rc = dav_props(w->d, quiet, (const char *)url.p, &a);
        buf_free(&url);
        if (!rc) return !(a.has & DAV_COLLECTION);
        rsp_error_clear(quiet->error);
        for (n--; n && name[n - 1] != '/';) n--;
    }
    return 0;
}

/* PROPFIND of w->url. Not 207 in r: it is not there. */
static int ask(struct walk *w, struct http_reply *r)
{
    struct rsp_error words = {0}, other = {0};
    struct rsp_env own = *w->env, quiet = *w->env;
    int rc;
    own.error = &words;
    quiet.error = &other;
    rc = dav_propfind(w->d, &own, (const char *)w->url.p, 1, r);
    if (rc && (r->status == 400 || r->status == 403 || r->status == 405 || r->status == 409) && below_object(w, &quiet))
        return RSP_OK;
    if (rc && w->env->error && !w->env->error->code) *w->env->error = words;
    return rc;
}

/* Asks for the collection of the top level. *there 0: it is gone. */
static int read_collection(struct walk *w, struct level *l, int *there)
{
    struct http_reply r;
    const char *url;
    int rc = name_collection(w);
    if (rc) return rc;
    url = (const char *)w->url.p;
    http_reply_init(&r, w->env);
    rc = ask(w, &r);
    *there = r.status == 207;
    if (!rc && *there) rc = dav_multistatus(w->env, url, (struct rsp_span){r.body.p, r.body.n}, add_answer, w);
    http_reply_free(&r);
    if (!rc && *there && !l->self)
        rc = dav_fail(
            w->d, w->env, RSP_EFORMAT, url,
            "PROPFIND: the server does not name the collection that was asked for: does a proxy change paths?");
    if (!rc) sort(l);
    return rc;
}

static void leave(struct walk *w)
{
    struct level *l = &w->level[--w->depth];
    buf_free(&l->names);
    buf_free(&l->order);
}

static int read_only(struct walk *w)
{
    return dav_fail(w->d, w->env, RSP_EPERM, (const char *)w->url.p, "the store was opened for reading only");
}

/* To delete a collection is to delete what is in it, and there is no way to ask for it only when it is empty. So it is
 * looked at once more just before. What remains is this: an upload that remembers the collection as made puts its file
 * there in between, and loses it; its MOVE then finds nothing (404), and it makes the collection and sends its bytes
 * again. An object that was given its name in between would be lost: so only old folders are to be removed. */
static int remove_folder(struct walk *w)
{
    struct level seen = w->level[w->depth - 1], *l = &w->level[w->depth - 1];
    struct http_request q = {.method = "DELETE"};
    struct http_reply r;
    int there, rc;
    l->self = l->others = 0;
    rc = read_collection(w, l, &there);
    there = there && !rc && !l->others;
    *l = (struct level){.names = l->names, .order = l->order, .path_n = seen.path_n, .parts = seen.parts};
    if (rc || !there) return rc;
    dav_folders_forget(w->d);
    q.url = (const char *)w->url.p;
    http_reply_init(&r, w->env);
    rc = dav_exchange(w->d, w->env, &q, &r, NULL);
    if (!rc && r.status / 100 != 2 && r.status != 404) rc = dav_fault(w->d, w->env, &q, &r);
    if (!rc && r.status == 207) rc = dav_fail(w->d, w->env, RSP_EDENIED, q.url, "DELETE: 207: could not be deleted");
    http_reply_free(&r);
    return rc;
}

static int tell_folder(struct walk *w, const struct level *l)
{
    struct rsp_store_item item = {w->path, 0, l->mtime_ms};
    int rc = w->each(w->opaque, &item);
    if (rc != 1) return rc;
    return w->d->s.read_only ? read_only(w) : remove_folder(w);
}

static int tell(struct walk *w, const struct entry *e)
{
    struct rsp_store_item item = {w->path, e->bytes, e->mtime_ms};
    int rc = w->each(w->opaque, &item);
    if (!w->leftovers || rc != 1) return rc;
    return w->d->s.read_only ? read_only(w) : dav_remove(&w->d->s, w->path);
}

/* One level down, into w->path, which ends with its slash, or is empty. */
static int enter(struct walk *w, int parts)
{
    struct level *l = &w->level[w->depth++];
    int there, rc;
    memset(l, 0, sizeof *l);
    buf_init(&l->names, w->env);
    buf_init(&l->order, w->env);
    l->path_n = strlen(w->path);
    l->parts = parts;
    rc = read_collection(w, l, &there);
    if (!rc && !there && !l->path_n) rc = dav_fail(w->d, w->env, RSP_ENOTFOUND, w->d->base, "is not there any more");
    if (rc || !there || l->others || !w->leftovers || parts == 1) return rc;
    return tell_folder(w, l);
}

/* The next entry of the top level. */
static int visit(struct walk *w)
{
    struct level *l = &w->level[w->depth - 1];
    struct entry e;
    const char *name;
    size_t n;
    memcpy(&e, l->order.p + l->i++ * sizeof e, sizeof e);
    name = (const char *)l->names.p + e.at;
    n = strlen(name);
    memcpy(w->path + l->path_n, name, n + 1);
    return name[n - 1] == '/' ? enter(w, l->parts + 1) : tell(w, &e);
}

static int walk(struct rsp_store *s, const char *prefix, int leftovers,
                int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    size_t n = strlen(prefix);
    int rc, parts = 1;
    struct walk *w;
    for (size_t i = 0; i < n; i++) parts += prefix[i] == '/';
    if (parts > NAME_PARTS) return RSP_OK;
    w = mem_zero(&s->env, sizeof *w);
    if (!w) return RSP_ENOMEM;
    w->d = (struct dav_store *)s;
    w->env = &s->env;
    w->leftovers = leftovers;
    w->each = each;
    w->opaque = opaque;
    buf_init(&w->url, w->env);
    buf_init(&w->own, w->env);
    memcpy(w->path, prefix, n + 1);
    rc = enter(w, parts);
    while (!rc && w->depth) {
        struct level *l = &w->level[w->depth - 1];
        if (l->i < l->n) rc = visit(w);
        else leave(w);
    }
    while (w->depth) leave(w);
    buf_free(&w->url);
    buf_free(&w->own);
    mem_free(&s->env, w, sizeof *w);
    return rc;
}

int dav_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    return walk(s, prefix, 0, each, opaque);
}

int dav_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    return walk(s, "", 1, each, opaque);
}
