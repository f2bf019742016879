/* What this is: a sink over a descriptor of the caller's.
 * Rests on: sink_impl.h, fdio.h.
 * Does not: buffer, close, or undo: what was written before an abort stays. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fdio.h"
#include "io/sink_impl.h"

struct fd_sink {
    struct rsp_sink s;
    int fd;
};

static int fd_sink_write(struct rsp_sink *s, const void *p, size_t n)
{
    return fd_write_all(&s->env, ((struct fd_sink *)s)->fd, s->name, p, n);
}

/* Only a regular file has something to be made durable. */
static int fd_sink_commit(struct rsp_sink *s)
{
    int fd = ((struct fd_sink *)s)->fd, rc;
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) return RSP_OK;
    do {
        rc = fsync(fd);
    } while (rc && errno == EINTR);
    return rc ? fail_errno(&s->env, errno, s->name, "cannot make durable") : RSP_OK;
}

static const struct sink_kind fd_kind = {fd_sink_write, fd_sink_commit, NULL, NULL};

int rsp_sink_fd(const struct rsp_env *env, int fd, const char *name, struct rsp_sink **ret)
{
    struct fd_sink *f;
    *ret = NULL;
    f = sink_new(env, &fd_kind, sizeof *f, name);
    if (!f) return RSP_ENOMEM;
    f->fd = fd;
    *ret = &f->s;
    return RSP_OK;
}
