/* What this is: sources over bytes in memory and over a mapped file.
 * Rests on: source_impl.h, mmap(2).
 * Does not: copy, but into the reader's buffer. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/source_impl.h"

struct memory_source {
    struct rsp_source s;
    const uint8_t *p;
    size_t n, at;
    void *map; /* NULL: memory of the caller's */
};

static int memory_read(struct rsp_source *s, uint8_t *out, size_t cap, size_t *got)
{
    struct memory_source *m = (struct memory_source *)s;
    size_t n = m->n - m->at;
    if (!n) return RSP_END;
    if (n > cap) n = cap;
    memcpy(out, m->p + m->at, n);
    m->at += n;
    *got = n;
    return RSP_OK;
}

static int memory_seek(struct rsp_source *s, uint64_t offset)
{
    struct memory_source *m = (struct memory_source *)s;
    m->at = offset < m->n ? (size_t)offset : m->n; /* behind the end there is nothing, as in a file */
    return RSP_OK;
}

static int memory_size(struct rsp_source *s, uint64_t *bytes)
{
    *bytes = ((struct memory_source *)s)->n;
    return RSP_OK;
}

static int memory_view(struct rsp_source *s, struct rsp_span *view)
{
    struct memory_source *m = (struct memory_source *)s;
    view->p = m->p;
    view->n = m->n;
    return RSP_OK;
}

static void memory_close(struct rsp_source *s)
{
    struct memory_source *m = (struct memory_source *)s;
    if (m->map) munmap(m->map, m->n);
}

static const struct source_kind memory_kind = {memory_read, memory_seek, memory_size, memory_view, memory_close};

int rsp_source_memory(const struct rsp_env *env, const void *p, size_t n, struct rsp_source **ret)
{
    struct memory_source *m;
    *ret = NULL;
    m = source_new(env, &memory_kind, sizeof *m, "memory");
    if (!m) return RSP_ENOMEM;
    m->p = p;
    m->n = n;
    *ret = &m->s;
    return RSP_OK;
}

static int map_fd(const struct rsp_env *env, int fd, const char *path, struct memory_source *m)
{
    struct stat st;
    void *map;
    if (fstat(fd, &st)) return fail_errno(env, errno, path, "cannot ask for the size");
    if (S_ISDIR(st.st_mode)) return fail(env, RSP_EINVAL, path, "is a directory");
    if (!S_ISREG(st.st_mode)) return fail(env, RSP_EINVAL, path, "is not a regular file and cannot be mapped");
    if (st.st_size == 0) return RSP_OK; /* nothing to map */
    if ((uint64_t)st.st_size > SIZE_MAX) return fail(env, RSP_ELIMIT, path, "is too large to be mapped");
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) return fail_errno(env, errno, path, "cannot map");
    (void)madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
    m->map = map;
    m->p = map;
    m->n = (size_t)st.st_size;
    return RSP_OK;
}

int rsp_source_mmap(const struct rsp_env *env, const char *path, struct rsp_source **ret)
{
    struct memory_source *m;
    int fd, rc;
    *ret = NULL;
    m = source_new(env, &memory_kind, sizeof *m, path);
    if (!m) return RSP_ENOMEM;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        rc = fail_errno(&m->s.env, errno, path, "cannot open");
        goto out;
    }
    rc = map_fd(&m->s.env, fd, path, m);
    close(fd);
    if (rc) goto out;
    *ret = &m->s;
    m = NULL;
out:
    if (m) rsp_source_free(&m->s);
    return rc;
}
