/* What this is: what a driver of a kind of store does, for the files that make the kinds.
 * Rests on: respite/sys/store.h.
 * Does not: check names: store.c has done that. */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include <stdatomic.h>

#include <respite/sys/store.h>

struct store_kind {
    int (*list)(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
                void *opaque);
    int (*stat)(struct rsp_store *s, const char *name, struct rsp_store_item *item);
    int (*read)(struct rsp_store *s, const char *name, uint64_t offset, void *p, size_t n);
    int (*begin)(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret);
    int (*write)(struct rsp_upload *u, const void *p, size_t n);
    int (*commit)(struct rsp_upload *u);
    void (*drop)(struct rsp_upload *u); /* aborts when not committed; frees */
    int (*remove)(struct rsp_store *s, const char *name);
    int (*now)(struct rsp_store *s, int64_t *ms);
    int (*space)(struct rsp_store *s, uint64_t *bytes);
    int (*leftovers)(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque);
    void (*close)(struct rsp_store *s);
};

struct rsp_store {
    const struct store_kind *kind;
    struct rsp_env env;
    size_t bytes; /* of the whole object, for the allocator */
    char *url;
    int read_only;
    _Atomic uint64_t lists, gets, puts, deletes;
};

struct rsp_upload {
    struct rsp_store *store;
    size_t bytes;
    int state; /* 0 open, 1 committed, 2 dead */
};

int store_file_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *options,
                    struct rsp_store **ret);

#endif
