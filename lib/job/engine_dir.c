/* What this is: the private server's directory: made, held, removed, and those of runs that were killed swept away.
 * Rests on: engine.h, io/fdio.h.
 * Does not: touch what another user made, or what a living process holds. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fdio.h"
#include "job/engine.h"

#define TRIES 20
#define UNLOCKED_MS 3600000 /* a directory without a lock file: its maker died, or is about to make it */

/* Everything in it, the lock last: it tells others whose it is. A server makes no directories in it. */
static void empty(int fd)
{
    int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *e;
    if (!d) {
        if (again >= 0) close(again);
        return;
    }
    while ((e = readdir(d)))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && strcmp(e->d_name, PRIVATE_LOCK) != 0)
            (void)unlinkat(fd, e->d_name, 0);
    closedir(d);
}

static void drop(int parent, int fd, const char *name)
{
    empty(fd);
    (void)unlinkat(fd, PRIVATE_LOCK, 0);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

/* ---- what others left ---- */

static int is_ours(const char *name)
{
    size_t n = strlen(PRIVATE_PREFIX);
    return !strncmp(name, PRIVATE_PREFIX, n) && strlen(name) == n + 8 && strspn(name + n, "0123456789abcdef") == 8;
}

static int is_old(const struct rsp_env *env, const struct stat *st)
{
    int64_t made = (int64_t)st->st_mtim.tv_sec * 1000;
    return env->now_ms(env->clock_opaque) - made > UNLOCKED_MS;
}

static void sweep_one(const struct rsp_env *env, int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), lock = -1;
    struct stat st;
    if (fd < 0) return;
    if (!fstat(fd, &st) && st.st_uid == geteuid()) {
        lock = openat(fd, PRIVATE_LOCK, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (lock >= 0 ? !flock(lock, LOCK_EX | LOCK_NB) : errno == ENOENT && is_old(env, &st)) drop(parent, fd, name);
    }
    if (lock >= 0) close(lock);
    close(fd);
}

static void sweep(const struct rsp_env *env, int parent)
{
    int again = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *e;
    if (!d) {
        if (again >= 0) close(again);
        return;
    }
    while ((e = readdir(d)))
        if (is_ours(e->d_name)) sweep_one(env, parent, e->d_name);
    closedir(d);
}

/* ---- our own ---- */

static int make_one(struct private_dir *d)
{
    char hex[9] = "";
    int rc = random_hex8(&d->env, hex);
    if (rc) return rc;
    snprintf(d->name, sizeof d->name, PRIVATE_PREFIX "%s", hex);
    if (mkdirat(d->parent, d->name, 0700)) {
        d->name[0] = 0;
        return errno == EEXIST ? RSP_AGAIN : fail_errno(&d->env, errno, d->path, "cannot make a directory in it");
    }
    d->fd = openat(d->parent, d->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->fd < 0) return fail_errno(&d->env, errno, d->name, "cannot open the directory that was just made");
    d->lock = openat(d->fd, PRIVATE_LOCK, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (d->lock < 0) return fail_errno(&d->env, errno, d->name, "cannot make a file in it");
    if (!flock(d->lock, LOCK_EX | LOCK_NB)) {
        struct stat st;
        if (!fstat(d->lock, &st) && st.st_nlink) return RSP_OK;
    } else if (errno != EWOULDBLOCK) {
        return fail_errno(&d->env, errno, d->name, "cannot lock it");
    }
    close(d->lock); /* somebody sweeps it away this moment */
    close(d->fd);
    d->lock = d->fd = -1;
    return RSP_AGAIN;
}

int private_dir_make(struct private_dir *d, const struct rsp_env *env, const char *tmpdir)
{
    const char *in = tmpdir ? tmpdir : "/tmp";
    int rc = RSP_AGAIN;
    memset(d, 0, sizeof *d);
    d->env = *env;
    d->parent = d->fd = d->lock = -1;
    if (strlen(in) >= sizeof d->path - sizeof d->name - 1) return fail(env, RSP_EINVAL, in, "the path is too long");
    memcpy(d->path, in, strlen(in) + 1);
    d->parent = open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->parent < 0) return fail_errno(env, errno, in, "cannot open the directory for a private server");
    sweep(env, d->parent);
    for (int i = 0; rc == RSP_AGAIN && i < TRIES; i++) rc = make_one(d);
    if (rc == RSP_AGAIN) rc = fail(env, RSP_EEXIST, in, "cannot find a free name in it");
    if (rc) return rc;
    snprintf(d->path + strlen(in), sizeof d->path - strlen(in), "/%s", d->name);
    return RSP_OK;
}

void private_dir_remove(struct private_dir *d)
{
    if (d->fd >= 0) drop(d->parent, d->fd, d->name);
    else if (d->parent >= 0 && d->name[0]) (void)unlinkat(d->parent, d->name, AT_REMOVEDIR);
    if (d->lock >= 0) close(d->lock);
    if (d->fd >= 0) close(d->fd);
    if (d->parent >= 0) close(d->parent);
    d->parent = d->fd = d->lock = -1;
}
