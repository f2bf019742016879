/* What this is: a store in memory that does one thing wrong.
 * Rests on: bad_store.h.
 * Does not: hold a test. */
#include "unit/store/bad_store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef fail
#include "base/mem.h"

struct object {
    char name[NAME_BYTES + 1];
    uint8_t *p;
    size_t n;
};

struct bad {
    struct rsp_store s;
    enum wrong wrong;
    size_t part;
    struct object *o; /* in ascending order */
    size_t n;
    int left, deletes;
    const char *under_way;
    struct bad_upload *open; /* begun last */
};

struct bad_upload {
    struct rsp_upload u;
    struct bad_upload *before; /* that is open, too */
    int ended;                 /* by another's end */
    char name[NAME_BYTES + 1];
    uint8_t *p;
    size_t n;
    int replace, taken;
};

static int64_t ticks;

int64_t bad_store_clock(void *opaque)
{
    (void)opaque;
    return BAD_NOW + ticks;
}

static struct bad *of(const struct rsp_store *s)
{
    return (struct bad *)(uintptr_t)s;
}

static size_t place(const struct bad *b, const char *name)
{
    size_t i = 0;
    while (i < b->n && strcmp(b->o[i].name, name) < 0) i++;
    return i;
}

static struct object *find(const struct bad *b, const char *name)
{
    size_t i = place(b, name);
    return i < b->n && !strcmp(b->o[i].name, name) ? &b->o[i] : NULL;
}

static void set(struct bad *b, const char *name, const uint8_t *p, size_t n)
{
    struct object *o = find(b, name);
    if (!o) {
        size_t i = place(b, name);
        b->o = realloc(b->o, (b->n + 1) * sizeof *b->o);
        ck_assert_ptr_nonnull(b->o);
        memmove(b->o + i + 1, b->o + i, (b->n++ - i) * sizeof *b->o);
        o = &b->o[i];
        memset(o, 0, sizeof *o);
        memcpy(o->name, name, strlen(name) + 1);
    }
    free(o->p);
    o->p = malloc(n + 1);
    ck_assert_ptr_nonnull(o->p);
    memcpy(o->p, p, n);
    o->n = n;
}

static int gone(const struct rsp_env *env, const char *name)
{
    return fail(env, RSP_ENOTFOUND, name, "is not there");
}

/* The part behind "probe-<16 digits>/". */
static const char *tail_of(const char *name)
{
    const char *slash = strchr(name, '/');
    return slash ? slash + 1 : name;
}

static int bad_look(struct rsp_store *s, const struct rsp_env *env, const char *name, struct rsp_store_item *item)
{
    const struct bad *b = of(s);
    const struct object *o = find(b, name);
    const char *tail = tail_of(name);
    item->name = name;
    item->mtime_ms = BAD_NOW + (b->wrong == W_STAT_TIME && !strcmp(tail, "stat") ? 3600000 : 0);
    item->bytes = o ? o->n : 0;
    if (b->wrong == W_STAT_SIZE && !strcmp(tail, "stat")) item->bytes++;
    if (o) return RSP_OK;
    if (b->wrong == W_SEEN_EARLY && b->under_way && !strcmp(b->under_way, name)) return RSP_OK;
    if (b->wrong == W_STAT_BELOW && !strcmp(tail, "stat/below")) return RSP_OK;
    if (b->wrong == W_MANY_STATUS && !strncmp(tail, "many/", 5)) return fail(env, RSP_EDENIED, name, "403 Forbidden");
    return gone(env, name);
}

static int bad_stat(struct rsp_store *s, const char *name, struct rsp_store_item *item)
{
    return bad_look(s, &s->env, name, item);
}

static int bad_read(struct rsp_store *s, const struct rsp_env *env, const char *name, uint64_t offset, void *p,
                    size_t n)
{
    const struct bad *b = of(s);
    const struct object *o = find(b, name);
    int range = n < 2000 && o && o->n > b->part;
    if (!o && b->wrong == W_RANGE_NOTHING) {
        memset(p, 0, n);
        return RSP_OK;
    }
    if (!o) return gone(env, name);
    if (offset > o->n || n > o->n - offset) {
        if (b->wrong == W_RANGE_OVER) {
            memset(p, 0, n);
            return RSP_OK;
        }
        return fail(env, b->wrong == W_RANGE_BEHIND && offset > o->n ? RSP_EIO : RSP_ETRUNCATED, name, "416");
    }
    if (b->wrong == W_RANGE_SHIFTED && range && offset) offset--;
    memcpy(p, o->p + offset, n);
    return RSP_OK;
}

static int bad_get(struct rsp_store *s, const struct rsp_env *env, const char *name, size_t max, uint8_t **p, size_t *n)
{
    const struct bad *b = of(s);
    const struct object *o = find(b, name);
    const char *tail = tail_of(name);
    *p = NULL;
    if (!o && b->wrong == W_MANY_STATUS && !strncmp(tail, "many/", 5))
        return fail(env, RSP_EDENIED, name, "403 Forbidden");
    if (!o) return gone(env, name);
    if (o->n > max && !(b->wrong == W_GET_MAX && !strcmp(tail, "get"))) return fail(env, RSP_ELIMIT, name, "is larger");
    *p = mem_alloc(env, o->n ? o->n : 1);
    if (!*p) return RSP_ENOMEM;
    memcpy(*p, o->p, o->n);
    *n = o->n;
    if (o->n && ((b->wrong == W_GET_OTHER && !strcmp(tail, "get")) ||
                 (b->wrong == W_MANY_BYTES && !strncmp(tail, "many/", 5)) ||
                 (b->wrong == W_TWICE_REFUSED && !strcmp(tail, "twice"))))
        (*p)[0] ^= 1;
    return RSP_OK;
}

/* ---- lists ---- */

static int shown(const struct bad *b, const char *prefix, const char *name)
{
    const char *tail = tail_of(name);
    if (b->wrong == W_LIST_LOSES && !strcmp(tail, "l/b/y")) return 0;
    if (b->wrong == W_LIST_PREFIX && !strcmp(tail_of(prefix), "l/a/") && !strcmp(tail, "l/a0")) return 1;
    return !strncmp(name, prefix, strlen(prefix));
}

static int tell(const struct bad *b, const struct object *o, int (*each)(void *, const struct rsp_store_item *),
                void *opaque)
{
    struct rsp_store_item item = {o->name, o->n, BAD_NOW};
    if (b->wrong == W_LIST_SIZE) item.bytes++;
    if (b->wrong == W_LIST_TIME) item.mtime_ms = 0;
    return each(opaque, &item);
}

/* Folders before what stands beside them: 1 when a comes first. */
static int folder_order(const void *x, const void *y)
{
    const char *a = ((const struct object *)x)->name, *c = ((const struct object *)y)->name;
    while (*a && *a == *c) a++, c++;
    if ((*a == '/') != (*c == '/')) return *a == '/' ? -1 : 1;
    return (unsigned char)*a < (unsigned char)*c ? -1 : *a != *c;
}

static int bad_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
                    void *opaque)
{
    struct bad *b = of(s);
    struct object early = {.n = 0};
    size_t told = 0;
    int rc = RSP_OK, any = 0;
    if (b->wrong == W_LIST_FAILS) return fail(&s->env, RSP_EDENIED, prefix, "403 AccessDenied");
    if (b->wrong == W_LIST_ORDER && b->n) qsort(b->o, b->n, sizeof *b->o, folder_order);
    for (size_t i = 0; !rc && i < b->n; i++) {
        if (!shown(b, prefix, b->o[i].name)) continue;
        any = 1;
        if (b->wrong == W_PAGE && told++ == 1000) break;
        rc = tell(b, &b->o[i], each, opaque);
    }
    if (!rc && b->wrong == W_LISTED_EARLY && b->under_way) {
        memcpy(early.name, b->under_way, strlen(b->under_way));
        rc = tell(b, &early, each, opaque);
    }
    if (!rc && b->wrong == W_GHOST && b->n < 3) {
        memcpy(early.name, prefix, strlen(prefix));
        memcpy(early.name + strlen(prefix), "ghost", 5);
        rc = tell(b, &early, each, opaque);
    }
    /* Back into the order that find() needs. */
    if (b->wrong == W_LIST_ORDER)
        for (size_t i = 1; i < b->n; i++)
            for (size_t k = i; k && strcmp(b->o[k - 1].name, b->o[k].name) > 0; k--) {
                struct object swap = b->o[k];
                b->o[k] = b->o[k - 1];
                b->o[k - 1] = swap;
            }
    if (!any && b->wrong == W_LIST_NONE && strstr(prefix, "none")) return gone(&s->env, prefix);
    return rc;
}

static int bad_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    struct bad *b = of(s);
    int rc;
    struct rsp_store_item item = {"log/.x.part", 5000, BAD_NOW - INT64_C(30) * 86400000};
    char name[NAME_BYTES + 2];
    if (b->wrong == W_LEFTOVERS_FAIL) return fail(&s->env, RSP_EDENIED, s->url, "403 AccessDenied");
    if (b->wrong == W_LEFT_OLD) return each(opaque, &item);
    if (!b->left || !b->under_way) return RSP_OK;
    snprintf(name, sizeof name, "%s%s", b->under_way, b->wrong == W_FOLDER_LEFT ? "/" : "");
    item.name = name;
    item.mtime_ms = BAD_NOW;
    rc = each(opaque, &item);
    if (rc == 1) b->left = 0;
    return rc == 1 ? RSP_OK : rc;
}

/* ---- uploads ---- */

static int bad_begin(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret)
{
    struct bad *b = of(s);
    struct bad_upload *u = calloc(1, sizeof *u);
    const char *slash = strrchr(name, '/');
    int parts = 1;
    ck_assert_ptr_nonnull(u);
    for (const char *c = name; *c; c++) parts += *c == '/';
    u->u.store = s;
    u->u.bytes = sizeof *u;
    u->replace = replace;
    u->taken = find(b, name) != NULL;
    memcpy(u->name, name, strlen(name) + 1);
    *ret = &u->u;
    b->under_way = u->name;
    u->before = b->open;
    b->open = u;
    if (b->wrong == W_BESIDE_FAILS && u->before) return fail(&s->env, RSP_EBUSY, name, "409 another upload");
    if (b->wrong == W_SLOW) ticks += 100;
    if (b->wrong == W_PUT_REFUSED || (b->wrong == W_REPLACE_DENIED && replace))
        return fail(&s->env, RSP_EDENIED, name, "403 AccessDenied");
    if ((b->wrong == W_DEEP && parts == 8) || (b->wrong == W_LONG && strlen(name) == NAME_BYTES) ||
        (b->wrong == W_WIDE && slash && strlen(slash + 1) == 255))
        return fail(&s->env, RSP_EINVAL, name, "400 too long");
    return RSP_OK;
}

static int bad_write(struct rsp_upload *upload, const void *p, size_t n)
{
    struct bad_upload *u = (struct bad_upload *)upload;
    struct bad *b = of(upload->store);
    if (u->ended) return fail(&b->s.env, RSP_ENET, u->name, "404 no such upload");
    if (b->wrong == W_BESIDE_MIXED && u->before && u->before->n) u->before->p[0] ^= 1;
    if (b->wrong == W_UPLOAD_FAILS && u->n + n > b->part) return fail(&b->s.env, RSP_ENET, u->name, "reset");
    u->p = realloc(u->p, u->n + n + 1);
    ck_assert_ptr_nonnull(u->p);
    memcpy(u->p + u->n, p, n);
    u->n += n;
    return RSP_OK;
}

static int bad_commit(struct rsp_upload *upload)
{
    struct bad_upload *u = (struct bad_upload *)upload;
    struct bad *b = of(upload->store);
    int large = u->n > b->part, taken = find(b, u->name) != NULL;
    if (u->ended) return fail(&b->s.env, RSP_ENET, u->name, "404 no such upload");
    if (b->wrong == W_OVERWRITES && !large) taken = 0;
    if (b->wrong == W_LARGE_OVERWRITES && large) taken = 0;
    if (b->wrong == W_RACE_OVERWRITES) taken = u->taken;
    if (taken && !u->replace) return fail(&b->s.env, RSP_EEXIST, u->name, "412");
    upload->state = 1;
    if (b->wrong == W_REPLACE_NOT && u->replace) return RSP_OK;
    if (b->wrong == W_PUT_GROWS && !u->n) {
        set(b, u->name, (const uint8_t *)"\0", 1);
        return RSP_OK;
    }
    if (b->wrong == W_UPLOAD_CUT && large) u->n--;
    if (b->wrong == W_UPLOAD_FLIP && large) u->p[u->n - 1] ^= 1;
    set(b, u->name, u->p ? u->p : (const uint8_t *)"", u->n);
    return RSP_OK;
}

static void bad_drop(struct rsp_upload *upload)
{
    struct bad_upload *u = (struct bad_upload *)upload;
    struct bad *b = of(upload->store);
    static char last[NAME_BYTES + 1];
    memcpy(last, u->name, sizeof last);
    if (b->wrong == W_BESIDE_ENDS && upload->state != 1 && u->before) u->before->ended = 1;
    for (struct bad_upload **at = &b->open; *at; at = &(*at)->before)
        if (*at == u) {
            *at = u->before;
            break;
        }
    if (upload->state != 1 && b->wrong == W_DROP_COMMITS && u->n) set(b, u->name, u->p, u->n);
    b->under_way = NULL;
    if (upload->state != 1 && (b->wrong == W_LEFT_BEHIND || b->wrong == W_FOLDER_LEFT)) b->left = 1;
    if (b->left) b->under_way = last;
    free(u->p);
    free(u);
}

static int bad_settle(struct rsp_store *s, const char *name)
{
    (void)s;
    (void)name;
    return RSP_OK;
}

static int bad_remove(struct rsp_store *s, const char *name)
{
    struct bad *b = of(s);
    struct object *o = find(b, name);
    b->deletes++;
    if (b->wrong == W_CANCELED && b->deletes == 3) return fail(&s->env, RSP_ECANCELED, name, "stopped");
    if (b->wrong == W_DELETE_DENIED) return fail(&s->env, RSP_EDENIED, name, "403 AccessDenied");
    if (b->wrong == W_DELETE_FAILS) return fail(&s->env, RSP_ENET, name, "reset");
    if (!o) return b->wrong == W_DELETE_AGAIN ? gone(&s->env, name) : RSP_OK;
    if (b->wrong == W_DELETE_NOT) return RSP_OK;
    free(o->p);
    memmove(o, o + 1, (size_t)(b->o + --b->n - o) * sizeof *o);
    return RSP_OK;
}

/* ---- what it is like ---- */

static int bad_now(struct rsp_store *s, int64_t *ms)
{
    const struct bad *b = of(s);
    *ms = BAD_NOW;
    if (b->wrong == W_CLOCK_FAILS) return fail(&s->env, RSP_ENET, s->url, "reset");
    if (b->wrong == W_CLOCK_OFF) *ms += 900000;
    if (b->wrong == W_CLOCK_NEAR) *ms -= 120000;
    if (b->wrong == W_CLOCK_MAD) *ms = INT64_MIN;
    return RSP_OK;
}

static int bad_space(struct rsp_store *s, uint64_t *bytes)
{
    const struct bad *b = of(s);
    *bytes = b->wrong == W_SPACE_LOW ? 1000000 : UINT64_MAX;
    return b->wrong == W_SPACE_FAILS ? fail(&s->env, RSP_EDENIED, s->url, "403") : RSP_OK;
}

static int bad_abilities(struct rsp_store *s, struct rsp_store_abilities *a)
{
    const struct bad *b = of(s);
    a->kind = "bad";
    if (b->wrong == W_PLAIN_BUCKET) a->versions = a->lock = a->refuses_second = 0;
    if (b->wrong == W_GOOD_BUCKET) a->versions = a->lock = 1;
    if (b->wrong == W_GOOD_BUCKET) a->skew_ms = 400000;
    return b->wrong == W_ABILITIES_FAIL ? fail(&s->env, RSP_EDENIED, s->url, "403") : RSP_OK;
}

static void bad_close(struct rsp_store *s)
{
    struct bad *b = of(s);
    for (size_t i = 0; i < b->n; i++) free(b->o[i].p);
    free(b->o);
}

static const struct store_kind bad_kind = {.list = bad_list,
                                           .stat = bad_stat,
                                           .read = bad_read,
                                           .begin = bad_begin,
                                           .write = bad_write,
                                           .commit = bad_commit,
                                           .drop = bad_drop,
                                           .get = bad_get,
                                           .look = bad_look,
                                           .abilities = bad_abilities,
                                           .settle = bad_settle,
                                           .remove = bad_remove,
                                           .now = bad_now,
                                           .space = bad_space,
                                           .leftovers = bad_leftovers,
                                           .close = bad_close};

struct rsp_store *bad_store(const struct rsp_env *env, enum wrong wrong, size_t part)
{
    struct rsp_env e;
    struct bad *b;
    env_init(&e, env);
    ticks = 0;
    b = mem_zero(&e, sizeof *b);
    ck_assert_ptr_nonnull(b);
    b->s.kind = &bad_kind;
    b->s.env = e;
    b->s.bytes = sizeof *b;
    b->s.url = mem_strdup(&e, "bad:/store");
    b->wrong = wrong;
    b->part = part;
    pthread_mutex_init(&b->s.words, NULL);
    return &b->s;
}

size_t bad_store_objects(const struct rsp_store *s)
{
    return of(s)->n;
}

void bad_store_read_only(struct rsp_store *s)
{
    s->read_only = 1;
}
