/* What this is: the file that a save has left, opened once and read to the size that it had then.
 * Rests on: bgsave.h.
 * Does not: ask the server.
 *
 * A save writes another file and renames it: a descriptor goes on showing the one that it was opened on. Another
 * server's file at the same path, of a server that is on another host, must not be taken: it must be a new one, and
 * its time must lie between the save's beginning and end. */
#include "repl/bgsave.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"

#define CLOCK_SLACK_S 2 /* times of files lag behind the clock by a tick; LASTSAVE has whole seconds */

struct saved {
    struct rsp_env env;
    int fd;
    struct stat st;
    uint64_t left;
    char path[4400];
};

/* ---- reading ---- */

static int unchanged(const struct saved *f)
{
    struct stat st;
    if (fstat(f->fd, &st)) return fail_errno(&f->env, errno, f->path, "cannot be inspected");
    if (st.st_size == f->st.st_size && st.st_mtim.tv_sec == f->st.st_mtim.tv_sec &&
        st.st_mtim.tv_nsec == f->st.st_mtim.tv_nsec)
        return RSP_OK;
    return fail(&f->env, RSP_EIO, f->path, "the file was changed while it was read, which no server does; see who did");
}

static int saved_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct saved *f = opaque;
    ssize_t n;
    if (!f->left) {
        int rc = unchanged(f);
        return rc ? rc : RSP_END;
    }
    if (cap > f->left) cap = (size_t)f->left;
    do n = read(f->fd, out, cap < (1u << 30) ? cap : (1u << 30));
    while (n < 0 && errno == EINTR);
    if (n < 0) return fail_errno(&f->env, errno, f->path, "cannot read");
    if (!n) return fail(&f->env, RSP_ETRUNCATED, f->path, "the file was cut while it was read, which no server does");
    f->left -= (uint64_t)n;
    *got = (size_t)n;
    return RSP_OK;
}

static void saved_close(void *opaque)
{
    struct saved *f = opaque;
    struct rsp_env env = f->env;
    if (f->fd >= 0) close(f->fd);
    mem_free(&env, f, sizeof *f);
}

/* ---- the path ---- */

static int not_here(struct rsp_server *s, int err, const char *path, const char *what)
{
    const struct rsp_env *env = server_env(s);
    int rc = err == ENOENT || err == ENOTDIR ? RSP_ENOTFOUND : err == EACCES || err == EPERM ? RSP_EPERM : RSP_EIO;
    rc = fail(
        env, rc, path,
        "the server's %s is not on this host or not readable by this user: run on the server's host as a user who "
        "may read it, or take the method psync or scan",
        what);
    if (env->error && env->error->code == rc) env->error->sys_errno = err;
    return rc;
}

int bgsave_file_before(struct rsp_server *s, struct bgsave_file *f)
{
    char dir[sizeof f->path];
    char *slash;
    struct stat st;
    snprintf(dir, sizeof dir, "%s", f->path);
    slash = strrchr(dir, '/');
    slash[slash == dir] = 0;
    if (stat(dir, &st)) return not_here(s, errno, dir, "directory");
    if (access(dir, X_OK)) return not_here(s, errno, dir, "directory");
    if (stat(f->path, &f->before)) memset(&f->before, 0, sizeof f->before);
    return RSP_OK;
}

/* The words for a file that is not the save's. */
static int check(struct rsp_server *s, const struct bgsave_file *f, const struct stat *st)
{
    const struct rsp_env *env = server_env(s);
    if (!S_ISREG(st->st_mode)) return fail(env, RSP_EINVAL, f->path, "the server's file is no regular file");
    /* The number alone says nothing: one save frees that of the file before the last for the next. */
    if (st->st_dev == f->before.st_dev && st->st_ino == f->before.st_ino &&
        st->st_mtim.tv_sec == f->before.st_mtim.tv_sec && st->st_mtim.tv_nsec == f->before.st_mtim.tv_nsec)
        return fail(env, RSP_ENOTFOUND, f->path,
                    "this is the file that lay here before the server saved: the server's own is not on this host; run "
                    "on its host, or take the method psync or scan");
    if (st->st_mtim.tv_sec < f->begun_s - CLOCK_SLACK_S ||
        (f->saved_s > 0 && st->st_mtim.tv_sec > f->saved_s + CLOCK_SLACK_S))
        return fail(env, RSP_ENOTFOUND, f->path,
                    "this file was not written while the server saved: it is another one's, or the clocks disagree; "
                    "run on the server's host, or take the method psync or scan");
    return RSP_OK;
}

static int wrap(struct rsp_server *s, struct saved *v, struct rsp_source **source)
{
    static const struct rsp_source_ops ops = {sizeof ops, saved_read, saved_close};
    struct rsp_source *plain = NULL;
    int rc = rsp_source_custom(server_env(s), &ops, v, v->path, &plain);
    if (rc) {
        saved_close(v);
        return rc;
    }
    rc = rsp_source_detect(server_env(s), plain, source, NULL);
    if (rc) rsp_source_free(plain);
    return rc;
}

int bgsave_file_open(struct rsp_server *s, const struct bgsave_file *f, struct rsp_source **source)
{
    struct saved *v;
    int rc = RSP_OK;
    *source = NULL;
    v = mem_zero(server_env(s), sizeof *v);
    if (!v) return RSP_ENOMEM;
    v->env = *server_env(s);
    memcpy(v->path, f->path, sizeof v->path);
    do v->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    while (v->fd < 0 && errno == EINTR);
    if (v->fd < 0) rc = not_here(s, errno, f->path, "file");
    else if (fstat(v->fd, &v->st)) rc = fail_errno(&v->env, errno, f->path, "cannot be inspected");
    if (!rc) rc = check(s, f, &v->st);
    if (rc) {
        saved_close(v);
        return rc;
    }
    v->left = v->st.st_size > 0 ? (uint64_t)v->st.st_size : 0;
    (void)posix_fadvise(v->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return wrap(s, v, source);
}
