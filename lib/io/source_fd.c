/* What this is: sources over a descriptor: one of the caller's, or a file opened by path.
 * Rests on: source_impl.h, read(2).
 * Does not: buffer: readers ask for large pieces. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/source_impl.h"

#define READ_MOST ((size_t)1 << 30) /* one read(2) takes no more than 2 GiB anyway */

struct fd_source {
    struct rsp_source s;
    int fd;
    int own; /* close it */
};

static int fd_read(struct rsp_source *s, uint8_t *out, size_t cap, size_t *got)
{
    struct fd_source *f = (struct fd_source *)s;
    ssize_t n;
    do {
        n = read(f->fd, out, cap < READ_MOST ? cap : READ_MOST);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        *got = (size_t)n;
        return RSP_OK;
    }
    if (n == 0) return RSP_END;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return RSP_AGAIN;
    return fail_errno(&s->env, errno, s->name, "cannot read");
}

static int fd_seek(struct rsp_source *s, uint64_t offset)
{
    struct fd_source *f = (struct fd_source *)s;
    if (offset > INT64_MAX) return fail(&s->env, RSP_EINVAL, s->name, "offset is out of range");
    if (lseek(f->fd, (off_t)offset, SEEK_SET) >= 0) return RSP_OK;
    if (errno == ESPIPE) return fail(&s->env, RSP_EUNSUPPORTED, s->name, "this input cannot seek");
    return fail_errno(&s->env, errno, s->name, "cannot seek");
}

static int fd_size(struct rsp_source *s, uint64_t *bytes)
{
    struct fd_source *f = (struct fd_source *)s;
    struct stat st;
    if (fstat(f->fd, &st) || !S_ISREG(st.st_mode) || st.st_size < 0) return RSP_END;
    *bytes = (uint64_t)st.st_size;
    return RSP_OK;
}

static void fd_close(struct rsp_source *s)
{
    struct fd_source *f = (struct fd_source *)s;
    if (f->own && f->fd >= 0) close(f->fd);
}

static const struct source_kind fd_kind = {fd_read, fd_seek, fd_size, NULL, fd_close};

/* Refuses what cannot be read as a stream, and tells the kernel how a file is read. */
static int inspect(struct fd_source *f)
{
    struct stat st;
    if (fstat(f->fd, &st)) return fail_errno(&f->s.env, errno, f->s.name, "cannot be inspected");
    if (S_ISDIR(st.st_mode)) return fail(&f->s.env, RSP_EINVAL, f->s.name, "is a directory");
    if (S_ISREG(st.st_mode)) (void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return RSP_OK;
}

int rsp_source_fd(const struct rsp_env *env, int fd, const char *name, struct rsp_source **ret)
{
    struct fd_source *f;
    int rc;
    *ret = NULL;
    f = source_new(env, &fd_kind, sizeof *f, name);
    if (!f) return RSP_ENOMEM;
    f->fd = fd;
    rc = inspect(f);
    if (rc) {
        rsp_source_free(&f->s);
        return rc;
    }
    *ret = &f->s;
    return RSP_OK;
}

int rsp_source_file(const struct rsp_env *env, const char *path, struct rsp_source **ret)
{
    struct fd_source *f;
    int rc;
    *ret = NULL;
    f = source_new(env, &fd_kind, sizeof *f, path);
    if (!f) return RSP_ENOMEM;
    f->own = 1;
    do {
        f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (f->fd < 0 && errno == EINTR);
    rc = f->fd < 0 ? fail_errno(&f->s.env, errno, path, "cannot open") : inspect(f);
    if (rc) {
        rsp_source_free(&f->s);
        return rc;
    }
    *ret = &f->s;
    return RSP_OK;
}
