/* What this is: the part that all sources share: look-ahead, the count of taken bytes, and the
 *   rule that a source is dead after a fault.
 * Rests on: source_impl.h.
 * Does not: know where bytes come from. */
#include "io/source_impl.h"

#include <string.h>

#include "base/mem.h"

void *source_new(const struct rsp_env *env, const struct source_kind *kind, size_t bytes, const char *name)
{
    struct rsp_env e;
    struct rsp_source *s;
    env_init(&e, env);
    s = mem_zero(&e, bytes);
    if (!s) return NULL;
    s->name = mem_strdup(&e, name ? name : "input");
    if (!s->name) {
        mem_free(&e, s, bytes);
        return NULL;
    }
    s->env = e;
    s->kind = kind;
    s->bytes = bytes;
    atomic_init(&s->taken, 0);
    return s;
}

void rsp_source_free(struct rsp_source *source)
{
    struct rsp_env env;
    if (!source) return;
    env = source->env;
    if (source->kind->close) source->kind->close(source);
    mem_free(&env, source->ahead, SOURCE_AHEAD);
    mem_free(&env, source->name, strlen(source->name) + 1);
    mem_free(&env, source, source->bytes);
}

static void count(struct rsp_source *s, size_t n)
{
    /* One writer only: no need for a locked addition. */
    uint64_t t = atomic_load_explicit(&s->taken, memory_order_relaxed);
    atomic_store_explicit(&s->taken, t + n, memory_order_relaxed);
}

static int dead(struct rsp_source *s)
{
    return fail(&s->env, RSP_ESTATE, s->name, "read again after a fault");
}

/* Reads from the kind, past the look-ahead. */
static int draw(struct rsp_source *s, uint8_t *out, size_t cap, size_t *got)
{
    int rc;
    *got = 0;
    if (s->ended) return RSP_END;
    rc = s->kind->read(s, out, cap, got);
    if (rc == RSP_OK && *got > cap)
        rc = fail(&s->env, RSP_EINVAL, s->name, "the source's function says that it read more than it was asked for");
    if (rc == RSP_OK && *got == 0)
        rc = fail(&s->env, RSP_EINVAL, s->name, "the source's function says that it read, but gave no bytes");
    if (rc > RSP_AGAIN) rc = fail(&s->env, RSP_EINVAL, s->name, "the source's function gave status %d", rc);
    if (rc == RSP_END) s->ended = 1;
    if (rc < 0) {
        s->dead = 1;
        fail(&s->env, rc, s->name, "%s", rsp_status_text(rc)); /* a caller's function may have left no words */
    }
    if (rc != RSP_OK) *got = 0;
    return rc;
}

int rsp_source_read(struct rsp_source *source, uint8_t *out, size_t cap, size_t *got)
{
    struct rsp_source *s = source;
    int rc;
    *got = 0;
    if (s->dead) return dead(s);
    if (!cap) return fail(&s->env, RSP_EINVAL, s->name, "read of no bytes");
    if (s->ahead_n) {
        size_t n = cap < s->ahead_n ? cap : s->ahead_n;
        memcpy(out, s->ahead + s->ahead_at, n);
        s->ahead_at += n;
        s->ahead_n -= n;
        *got = n;
        count(s, n);
        return RSP_OK;
    }
    rc = draw(s, out, cap, got);
    if (rc == RSP_OK) count(s, *got);
    return rc;
}

int rsp_source_peek(struct rsp_source *source, size_t want, struct rsp_span *view)
{
    struct rsp_source *s = source;
    int rc = RSP_OK;
    view->p = NULL;
    view->n = 0;
    if (s->dead) return dead(s);
    if (want > SOURCE_AHEAD)
        return fail(&s->env, RSP_EINVAL, s->name, "look-ahead of %zu bytes; at most %d", want, SOURCE_AHEAD);
    if (!want) return RSP_OK;
    if (!s->ahead) {
        s->ahead = mem_alloc(&s->env, SOURCE_AHEAD);
        if (!s->ahead) {
            s->dead = 1;
            return RSP_ENOMEM;
        }
    }
    if (want > s->ahead_n && want > SOURCE_AHEAD - s->ahead_at) {
        memmove(s->ahead, s->ahead + s->ahead_at, s->ahead_n);
        s->ahead_at = 0;
    }
    while (s->ahead_n < want) {
        size_t end = s->ahead_at + s->ahead_n, got;
        rc = draw(s, s->ahead + end, SOURCE_AHEAD - end, &got);
        if (rc != RSP_OK) break;
        s->ahead_n += got;
    }
    if (rc < 0) return rc;
    view->n = want < s->ahead_n ? want : s->ahead_n;
    view->p = view->n ? s->ahead + s->ahead_at : NULL;
    return rc == RSP_END ? RSP_OK : rc;
}

int rsp_source_view(struct rsp_source *source, struct rsp_span *view)
{
    view->p = NULL;
    view->n = 0;
    return source->kind->view ? source->kind->view(source, view) : RSP_END;
}

int rsp_source_seek(struct rsp_source *source, uint64_t offset)
{
    int rc;
    if (source->dead) return dead(source);
    if (!source->kind->seek) return fail(&source->env, RSP_EUNSUPPORTED, source->name, "this input cannot seek");
    rc = source->kind->seek(source, offset);
    if (rc) return rc;
    source->ahead_at = source->ahead_n = 0;
    source->ended = 0;
    return RSP_OK;
}

int rsp_source_size(struct rsp_source *source, uint64_t *bytes)
{
    *bytes = 0;
    return source->kind->size ? source->kind->size(source, bytes) : RSP_END;
}

uint64_t rsp_source_taken(const struct rsp_source *source)
{
    while (source->inner) source = source->inner;
    return atomic_load_explicit(&source->taken, memory_order_relaxed);
}

const char *rsp_source_name(const struct rsp_source *source)
{
    return source->name;
}
