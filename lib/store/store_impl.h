/* What this is: what a driver of a kind of store does, for the files that make the kinds.
 * Rests on: respite/sys/store.h.
 * Does not: check names: store.c has done that. */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include <respite/sys/store.h>

#define NAME_BYTES 400  /* of a whole name */
#define NAME_PARTS 8    /* between slashes */
#define PART_BYTES 255  /* of one part */
#define WHERE_BYTES 128 /* of an error's subject */

struct store_kind {
    int (*list)(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *),
                void *opaque);
    int (*stat)(struct rsp_store *s, const char *name, struct rsp_store_item *item);
    /* From several threads at once: words go to env, not to s->env. */
    int (*read)(struct rsp_store *s, const struct rsp_env *env, const char *name, uint64_t offset, void *p, size_t n);
    int (*begin)(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret);
    int (*write)(struct rsp_upload *u, const void *p, size_t n);
    int (*commit)(struct rsp_upload *u);
    void (*drop)(struct rsp_upload *u); /* aborts when not committed; frees */
    /* Whole and small: one request where read would need two. NULL: by stat and read. From several threads at once;
     * *p from env's allocator, *n bytes (of an empty one 1 byte is allocated). */
    int (*get)(struct rsp_store *s, const struct rsp_env *env, const char *name, size_t max, uint8_t **p, size_t *n);
    /* As stat, from several threads at once; NULL: stat is asked one after the other. */
    int (*look)(struct rsp_store *s, const struct rsp_env *env, const char *name, struct rsp_store_item *item);
    int (*abilities)(struct rsp_store *s, struct rsp_store_abilities *a); /* NULL: of a plain directory */
    /* Makes an object durable that is there already, whoever wrote it. */
    int (*settle)(struct rsp_store *s, const char *name);
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
    unsigned parallel;     /* requests that get_many and stat_many have under way; 0: one */
    pthread_mutex_t words; /* over env.error, for reads that fail in several threads */
    _Atomic uint64_t lists, gets, puts, deletes;
};

struct rsp_upload {
    struct rsp_store *store;
    size_t bytes;
    int state; /* 0 open, 1 committed, 2 dead */
};

/* A time of a file, which may be anything at all: far enough from the ends to be added and subtracted. */
static inline int64_t store_ms(int64_t seconds, int64_t nanoseconds)
{
    const int64_t most = INT64_MAX / 4 / 1000;
    if (seconds > most) seconds = most;
    if (seconds < -most) seconds = -most;
    return seconds * 1000 + nanoseconds / 1000000;
}

/* The rule that stands in store.h: for one part of n bytes, and for a whole name. */
int store_part_ok(const char *part, size_t n);
int store_name_ok(const char *name);
/* The subject of a fault: the object's URL, or its name alone where that would not fit. */
void store_where(const struct rsp_store *s, const char *name, char out[WHERE_BYTES]);

int store_file_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *options,
                    struct rsp_store **ret);

#endif
