/* What this is: a sink to a file that appears whole under its name, or not at all.
 * Rests on: sink_impl.h, fdio.h.
 * Does not: widen the mode 0600, follow a symbolic link at the target, or replace anything but a
 *   regular file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fdio.h"
#include "io/sink_impl.h"

#define NAME_KEPT 200 /* of the target's name in the temporary one, so that it stays below NAME_MAX */

struct file_sink {
    struct rsp_sink s;
    unsigned flags;
    int fd, dir;      /* -1: closed; names below are relative to dir */
    const char *base; /* in s.name */
    char part[256];   /* "": there is none (yet, or any more) */
};

static int file_write(struct rsp_sink *s, const void *p, size_t n)
{
    return fd_write_all(&s->env, ((struct file_sink *)s)->fd, s->name, p, n);
}

static int sync_fd(int fd)
{
    int rc;
    do {
        rc = fsync(fd);
    } while (rc && errno == EINTR);
    return rc;
}

static void drop_part(struct file_sink *f)
{
    if (f->part[0]) (void)unlinkat(f->dir, f->part, 0);
    f->part[0] = 0;
}

static void file_abort(struct rsp_sink *s)
{
    drop_part((struct file_sink *)s);
}

static void file_close(struct rsp_sink *s)
{
    struct file_sink *f = (struct file_sink *)s;
    if (f->fd >= 0) close(f->fd);
    if (f->dir >= 0) close(f->dir);
}

/* Gives the file its name if no other has it: 0, or errno. */
static int publish_new(struct file_sink *f)
{
    if (linkat(f->dir, f->part, f->dir, f->base, 0) == 0) {
        drop_part(f);
        return 0;
    }
    /* Some file systems have no hard links. EEXIST comes back as such. */
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK && errno != EINVAL) return errno;
    if (renameat2(f->dir, f->part, f->dir, f->base, RENAME_NOREPLACE)) return errno;
    f->part[0] = 0;
    return 0;
}

/* *fresh: there was no file of that name, so that taking the new one away undoes it all. */
static int publish(struct file_sink *f, int *fresh)
{
    int err = publish_new(f);
    *fresh = !err;
    if (!(f->flags & RSP_SINK_REPLACE) || !err) {
        if (!err) return RSP_OK;
        return fail_errno(&f->s.env, err, f->s.name, err == EEXIST ? "exists already" : "cannot be given its name");
    }
    if (renameat(f->dir, f->part, f->dir, f->base))
        return fail_errno(&f->s.env, errno, f->s.name, "cannot be given its name");
    f->part[0] = 0;
    return RSP_OK;
}

static int file_commit(struct rsp_sink *s)
{
    struct file_sink *f = (struct file_sink *)s;
    int sync = !(f->flags & RSP_SINK_NOSYNC), fresh = 0, rc;
    if (sync && sync_fd(f->fd)) return fail_errno(&s->env, errno, s->name, "cannot make durable");
    rc = close(f->fd); /* before it gets its name: a network file system tells of lost writes here */
    f->fd = -1;
    if (rc && errno != EINTR) return fail_errno(&s->env, errno, s->name, "cannot close");
    rc = publish(f, &fresh);
    if (rc || !sync || sync_fd(f->dir) == 0) return rc;
    rc = fail_errno(&s->env, errno, s->name, "cannot make the directory durable");
    if (!fresh) return trail(&s->env, rc, "the new file is in place, but might not survive a power cut");
    (void)unlinkat(f->dir, f->base, 0);
    return rc;
}

static const struct sink_kind file_kind = {file_write, file_commit, file_abort, file_close};

/* Splits the path and opens its directory, which is used from then on: neither a change of the
 * working directory nor a renamed parent leads the commit astray. */
static int open_dir(struct file_sink *f)
{
    const struct rsp_env *env = &f->s.env;
    const char *path = f->s.name, *slash = strrchr(path, '/');
    char *dir = NULL;
    size_t n = slash ? (size_t)(slash - path) : 0;
    int rc = RSP_OK;
    f->base = slash ? slash + 1 : path;
    if (!*f->base || !strcmp(f->base, ".") || !strcmp(f->base, ".."))
        return fail(env, RSP_EINVAL, path, "is not the name of a file");
    if (n) {
        dir = mem_alloc(env, n + 1);
        if (!dir) return RSP_ENOMEM;
        memcpy(dir, path, n);
        dir[n] = 0;
    }
    f->dir = open(dir ? dir : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->dir < 0) rc = fail_errno(env, errno, path, "cannot open the directory");
    mem_free(env, dir, n + 1);
    return rc;
}

/* Refuses early what the commit could only refuse after all the work. */
static int check_target(struct file_sink *f)
{
    struct stat st;
    if (fstatat(f->dir, f->base, &st, AT_SYMLINK_NOFOLLOW)) {
        if (errno == ENOENT) return RSP_OK;
        return fail_errno(&f->s.env, errno, f->s.name, "cannot be inspected");
    }
    if (!(f->flags & RSP_SINK_REPLACE)) return fail(&f->s.env, RSP_EEXIST, f->s.name, "exists already");
    if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) return RSP_OK;
    return fail(&f->s.env, RSP_EINVAL, f->s.name, "is not a regular file and will not be replaced");
}

static int open_part(struct file_sink *f)
{
    char hex[9] = "";
    for (int tries = 0; tries < 100; tries++) {
        int rc = random_hex8(&f->s.env, hex);
        if (rc) return rc;
        snprintf(f->part, sizeof f->part, ".%.*s.respite-%s.part", NAME_KEPT, f->base, hex);
        f->fd = openat(f->dir, f->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (f->fd >= 0) return RSP_OK;
        f->part[0] = 0; /* not ours */
        if (errno != EEXIST && errno != EINTR) break;
    }
    return fail_errno(&f->s.env, errno, f->s.name, "cannot make a temporary file beside it");
}

int rsp_sink_file(const struct rsp_env *env, const char *path, unsigned flags, struct rsp_sink **ret)
{
    struct file_sink *f;
    int rc;
    *ret = NULL;
    f = sink_new(env, &file_kind, sizeof *f, path);
    if (!f) return RSP_ENOMEM;
    f->flags = flags;
    f->fd = f->dir = -1;
    rc = open_dir(f);
    if (!rc) rc = check_target(f);
    if (!rc) rc = open_part(f);
    if (rc) {
        rsp_sink_free(&f->s);
        return rc;
    }
    *ret = &f->s;
    return RSP_OK;
}
