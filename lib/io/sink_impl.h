/* What this is: the common part of every sink, for the files that make the kinds.
 * Rests on: respite/sink.h.
 * Does not: write: the kinds do. */
#ifndef IO_SINK_IMPL_H
#define IO_SINK_IMPL_H

#include <respite/sink.h>

struct sink_kind {
    int (*write)(struct rsp_sink *s, const void *p, size_t n); /* n > 0 */
    int (*commit)(struct rsp_sink *s);
    void (*abort)(struct rsp_sink *s); /* at most once, never after a commit that succeeded; may be NULL */
    void (*close)(struct rsp_sink *s); /* frees what the kind holds; may be NULL */
};

enum sink_state { SINK_LIVE, SINK_COMMITTED, SINK_GIVEN_UP };

struct rsp_sink {
    const struct sink_kind *kind;
    struct rsp_env env;
    size_t bytes; /* size of the whole object, for the allocator */
    char *name;
    enum sink_state state;
    uint64_t written;
};

/* Makes a cleared object of bytes size (struct rsp_sink must be its first member); NULL is RSP_ENOMEM. */
void *sink_new(const struct rsp_env *env, const struct sink_kind *kind, size_t bytes, const char *name);

#endif
