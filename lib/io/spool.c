/* What this is: bytes kept in memory up to a size and behind it in an unlinked temporary file.
 * Rests on: respite/sys/spool.h, fdio.h.
 * Does not: move what is in memory to the file: the file holds only what came later. */
#include <respite/sys/spool.h>

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fdio.h"

#define TAIL_BYTES ((size_t)64 << 10)
#define SUBJECT "temporary file"

/* The bytes lie in three parts, in order: memory, file, tail (not yet written to the file). */
struct rsp_spool {
    struct rsp_env env;
    char *tmpdir;
    int fd; /* -1: none yet */
    int dead;
    size_t most; /* of memory */
    uint8_t *p;
    size_t n, cap;
    uint64_t in_file;
    uint8_t *tail;
    size_t in_tail;
};

int rsp_spool_new(const struct rsp_env *env, const char *tmpdir, size_t memory_bytes, struct rsp_spool **ret)
{
    struct rsp_env e;
    struct rsp_spool *s;
    *ret = NULL;
    env_init(&e, env);
    s = mem_zero(&e, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->env = e;
    s->fd = -1;
    s->most = memory_bytes < e.limits.alloc_bytes ? memory_bytes : (size_t)e.limits.alloc_bytes;
    if (tmpdir) {
        s->tmpdir = mem_strdup(&e, tmpdir);
        if (!s->tmpdir) {
            mem_free(&e, s, sizeof *s);
            return RSP_ENOMEM;
        }
    }
    *ret = s;
    return RSP_OK;
}

/* Takes what fits into memory. */
static int keep(struct rsp_spool *s, const uint8_t *p, size_t n)
{
    if (n > s->cap - s->n) {
        size_t cap = s->cap ? s->cap : 4096;
        uint8_t *q;
        while (cap < s->n + n && cap < s->most) cap = cap > s->most / 2 ? s->most : cap * 2;
        if (cap > s->most) cap = s->most;
        q = mem_resize(&s->env, s->p, s->cap, cap);
        if (!q) return RSP_ENOMEM;
        s->p = q;
        s->cap = cap;
    }
    memcpy(s->p + s->n, p, n);
    s->n += n;
    return RSP_OK;
}

static int put_file(struct rsp_spool *s, const uint8_t *p, size_t n)
{
    int rc = RSP_OK;
    if (s->fd < 0) rc = tmpfile_open(&s->env, s->tmpdir, &s->fd);
    if (!rc) rc = fd_pwrite_all(&s->env, s->fd, SUBJECT, p, n, s->in_file);
    if (!rc) s->in_file += n;
    return rc;
}

static int overflow(struct rsp_spool *s, const uint8_t *p, size_t n)
{
    int rc;
    if (!s->tail) {
        s->tail = mem_alloc(&s->env, TAIL_BYTES);
        if (!s->tail) return RSP_ENOMEM;
    }
    if (n > TAIL_BYTES - s->in_tail) {
        if (s->in_tail) {
            rc = put_file(s, s->tail, s->in_tail);
            if (rc) return rc;
            s->in_tail = 0;
        }
        if (n >= TAIL_BYTES) return put_file(s, p, n);
    }
    memcpy(s->tail + s->in_tail, p, n);
    s->in_tail += n;
    return RSP_OK;
}

int rsp_spool_write(struct rsp_spool *spool, const void *p, size_t n)
{
    const uint8_t *at = p;
    size_t room = spool->most - spool->n;
    int rc = RSP_OK;
    if (spool->dead) return fail(&spool->env, RSP_ESTATE, SUBJECT, "write after a fault");
    if (room > n) room = n;
    if (room) {
        rc = keep(spool, at, room);
        at += room;
        n -= room;
    }
    if (!rc && n) rc = overflow(spool, at, n);
    if (rc) spool->dead = 1;
    return rc;
}

uint64_t rsp_spool_size(const struct rsp_spool *spool)
{
    return spool->n + spool->in_file + spool->in_tail;
}

int rsp_spool_read(struct rsp_spool *spool, uint64_t offset, void *out, size_t cap, size_t *got)
{
    uint8_t *to = out;
    uint64_t total = rsp_spool_size(spool);
    size_t want;
    *got = 0;
    if (spool->dead) return fail(&spool->env, RSP_ESTATE, SUBJECT, "read after a fault");
    if (offset >= total) return RSP_OK;
    want = cap < total - offset ? cap : (size_t)(total - offset);
    while (*got < want) {
        size_t n = want - *got;
        if (offset < spool->n) {
            if (n > spool->n - offset) n = (size_t)(spool->n - offset);
            memcpy(to, spool->p + offset, n);
        } else if (offset - spool->n < spool->in_file) {
            uint64_t at = offset - spool->n;
            int rc;
            if (n > spool->in_file - at) n = (size_t)(spool->in_file - at);
            rc = fd_pread_all(&spool->env, spool->fd, SUBJECT, to, n, at);
            if (rc) {
                spool->dead = 1;
                *got = 0;
                return rc;
            }
        } else {
            memcpy(to, spool->tail + (offset - spool->n - spool->in_file), n);
        }
        to += n;
        offset += n;
        *got += n;
    }
    return RSP_OK;
}

void rsp_spool_reset(struct rsp_spool *spool)
{
    spool->n = spool->in_tail = 0;
    spool->in_file = 0;
    spool->dead = 0;
    if (spool->fd >= 0 && ftruncate(spool->fd, 0)) {
        close(spool->fd); /* then its space is given back so */
        spool->fd = -1;
    }
}

void rsp_spool_free(struct rsp_spool *spool)
{
    struct rsp_env env;
    if (!spool) return;
    env = spool->env;
    if (spool->fd >= 0) close(spool->fd);
    if (spool->tmpdir) mem_free(&env, spool->tmpdir, strlen(spool->tmpdir) + 1);
    mem_free(&env, spool->p, spool->cap);
    mem_free(&env, spool->tail, TAIL_BYTES);
    mem_free(&env, spool, sizeof *spool);
}
