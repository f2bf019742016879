/* What this is: the repository object, and lists of objects that are named after their hash.
 * Rests on: repo_open.h, seal/items.h.
 * Does not: decide which repository object counts. respite-format(5), "repository". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/repo_open.h"
#include "seal/items.h"

#define C(number) (ITEM_CRITICAL | (number))
#define MAGIC "RSPREP1\n"
#define MAGIC_BYTES 8
#define FORMAT_VERSION 1
#define FOREIGN_TOLD 64 /* more names that are none are counted, not told */

int repository_encode(struct buf *out, const struct repository_object *object)
{
    int rc = buf_add(out, MAGIC, MAGIC_BYTES);
    if (!rc) rc = item_u32(out, C(1), FORMAT_VERSION);
    if (!rc) rc = item_add(out, C(2), object->id, ID_BYTES);
    if (!rc) rc = item_add(out, C(3), object->lineage, ID_BYTES);
    if (!rc && object->time_ms) rc = item_u64(out, 4, object->time_ms);
    return rc;
}

int repository_parse(struct rsp_span bytes, struct repository_object *object)
{
    struct items list;
    struct item item;
    uint32_t version = 0;
    unsigned seen = 0;
    int rc, newer = 0;
    memset(object, 0, sizeof *object);
    if (bytes.n < MAGIC_BYTES || memcmp(bytes.p, MAGIC, MAGIC_BYTES)) return RSP_EINTEGRITY;
    hash256(object->hash, bytes.p, bytes.n);
    items_begin(&list, bytes.p + MAGIC_BYTES, bytes.n - MAGIC_BYTES);
    while ((rc = items_next(&list, &item)) == RSP_OK) {
        unsigned number = ITEM_NUMBER(item.tag);
        int good = 1, known = 1;
        if (number < 32 && seen >> number & 1) return RSP_EINTEGRITY;
        switch (item.tag) {
        case C(1): good = item_get_u32(item.v, &version); break;
        case C(2):
        case C(3):
            good = item.v.n == ID_BYTES;
            if (good) memcpy(number == 2 ? object->id : object->lineage, item.v.p, ID_BYTES);
            break;
        case 4: good = item_get_u64(item.v, &object->time_ms); break;
        default:
            known = 0;
            if (item.tag & ITEM_CRITICAL) newer = 1;
        }
        if (!good) return RSP_EINTEGRITY;
        if (known) seen |= 1u << number;
    }
    if (rc != RSP_END || (seen & 0xe) != 0xe) return RSP_EINTEGRITY;
    return newer || version != FORMAT_VERSION ? RSP_EVERSION : RSP_OK;
}

int repository_put(const struct rsp_env *env, struct rsp_store *store, struct repository_object *object)
{
    char name[NAME_MAX_BYTES];
    struct buf b;
    int rc;
    buf_init(&b, env);
    rc = repository_encode(&b, object);
    if (!rc) {
        hash256(object->hash, b.p, b.n);
        name_hashed(name, "repository", object->hash);
        rc = rsp_store_put(store, name, b.p, b.n);
    }
    buf_free(&b);
    return rc;
}

/* ---- lists ---- */

struct listing {
    const struct rsp_env *env;
    struct rsp_repo *repo;
    struct found_list *list;
    const char *folder;
    size_t max;
    int oldest;
    size_t more; /* left out */
};

static int age_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->mtime_ms != y->mtime_ms) return x->mtime_ms < y->mtime_ms ? -1 : 1;
    return memcmp(x->hash, y->hash, HASH_BYTES);
}

/* Sorts, and leaves no more than max. */
static void keep_oldest(struct listing *l)
{
    struct found_list *list = l->list;
    if (list->n) qsort(list->p, list->n, sizeof *list->p, age_order);
    if (list->n <= l->max) return;
    l->more += list->n - l->max;
    list->n = l->max;
}

static int take(struct listing *l, const struct found *one)
{
    struct found_list *list = l->list;
    if (list->n == list->cap) {
        size_t cap = list->cap ? list->cap * 2 : 16;
        void *p = mem_resize(l->env, list->p, list->cap * sizeof *list->p, cap * sizeof *list->p);
        if (!p) return RSP_ENOMEM;
        list->p = p;
        list->cap = cap;
    }
    list->p[list->n++] = *one;
    return RSP_OK;
}

static int each_name(void *opaque, const struct rsp_store_item *item)
{
    struct listing *l = opaque;
    struct found one = {0};
    size_t n = strlen(l->folder);
    int good = !strcmp(l->folder, "roles")
                   ? !strncmp(item->name, "roles/", 6) && name_roles_parse(item->name + n + 1, &one.n, one.hash)
                   : name_hashed_parse(item->name, l->folder, one.hash);
    one.mtime_ms = item->mtime_ms;
    if (good && l->oldest && l->list->n >= 2 * l->max) keep_oldest(l);
    if (good) return l->oldest || l->list->n < l->max ? take(l, &one) : RSP_OK;
    if (l->list->foreign++ >= FOREIGN_TOLD || !l->repo) return RSP_OK;
    return repo_trouble(l->repo, RSP_OK, "foreign", item->name, NULL, "no name that belongs here; passed over");
}

static int found_order(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->n != y->n) return x->n < y->n ? -1 : 1;
    return memcmp(x->hash, y->hash, HASH_BYTES);
}

int found_load(const struct rsp_env *env, struct rsp_store *store, struct rsp_repo *repo, const char *folder,
               size_t max, struct found_list *list)
{
    char prefix[NAME_MAX_BYTES];
    struct listing l = {.env = env, .repo = repo, .list = list, .folder = folder, .max = max};
    int rc;
    memset(list, 0, sizeof *list);
    snprintf(prefix, sizeof prefix, "%s/", folder);
    rc = rsp_store_list(store, prefix, each_name, &l);
    if (!rc && list->n) qsort(list->p, list->n, sizeof *list->p, found_order);
    if (rc) found_free(env, list);
    return rc;
}

int found_oldest(const struct rsp_env *env, struct rsp_store *store, const char *folder, size_t max,
                 struct found_list *list, size_t *more)
{
    char prefix[NAME_MAX_BYTES];
    struct listing l = {.env = env, .list = list, .folder = folder, .max = max, .oldest = 1};
    int rc;
    memset(list, 0, sizeof *list);
    snprintf(prefix, sizeof prefix, "%s/", folder);
    rc = rsp_store_list(store, prefix, each_name, &l);
    keep_oldest(&l);
    *more = l.more;
    if (rc) found_free(env, list);
    return rc;
}

void found_free(const struct rsp_env *env, struct found_list *list)
{
    mem_free(env, list->p, list->cap * sizeof *list->p);
    memset(list, 0, sizeof *list);
}
