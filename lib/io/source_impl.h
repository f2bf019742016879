/* What this is: the common part of every source, for the files that make the kinds.
 * Rests on: respite/source.h.
 * Does not: leave this folder: other folders make sources with rsp_source_custom. */
#ifndef IO_SOURCE_IMPL_H
#define IO_SOURCE_IMPL_H

#include <stdatomic.h>

#include <respite/source.h>

#define SOURCE_AHEAD 4096 /* longest peek */

struct source_kind {
    /* As rsp_source_read, cap > 0; called with no bytes ahead. */
    int (*read)(struct rsp_source *s, uint8_t *out, size_t cap, size_t *got);
    int (*seek)(struct rsp_source *s, uint64_t offset);    /* NULL: cannot */
    int (*size)(struct rsp_source *s, uint64_t *bytes);    /* NULL: unknown */
    int (*view)(struct rsp_source *s, struct rsp_span *v); /* NULL: none */
    void (*close)(struct rsp_source *s);                   /* may be NULL */
};

struct rsp_source {
    const struct source_kind *kind;
    struct rsp_env env;
    size_t bytes; /* size of the whole object, for the allocator */
    char *name;
    int dead;  /* a fault has happened */
    int ended; /* the kind has answered RSP_END */
    _Atomic uint64_t taken;
    struct rsp_source *inner; /* of a source through a stage, whose count of taken bytes is told */
    uint8_t *ahead;           /* SOURCE_AHEAD bytes, made by the first peek */
    size_t ahead_at, ahead_n;
};

/* Makes an object of bytes size (at least struct rsp_source, which must be its first member),
 * cleared but for the common part; NULL is RSP_ENOMEM. */
void *source_new(const struct rsp_env *env, const struct source_kind *kind, size_t bytes, const char *name);

#endif
