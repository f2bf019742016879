/* What this is: the file that a restore makes.
 * Rests on: target.h, io/fdio.h, Linux (O_TMPFILE, renameat2, sync_file_range).
 * Does not: know what is written. */
#include "job/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fdio.h"

#define NAME_KEPT 200 /* of the file's name in that of the part */
#define FLUSH_BYTES (8u << 20)

/* ---- opening ---- */

static int open_folder(struct target *t, int at)
{
    const char *slash = strrchr(t->path, '/');
    size_t n = slash ? (size_t)(slash - t->path) : 0;
    char *dir;
    t->base = slash ? slash + 1 : t->path;
    if (!*t->base || !strcmp(t->base, ".") || !strcmp(t->base, ".."))
        return fail(&t->env, RSP_EINVAL, t->path, "is not the name of a file");
    if (at >= 0) {
        t->dir = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return t->dir < 0 ? fail_errno(&t->env, errno, t->path, "cannot open the folder") : RSP_OK;
    }
    dir = mem_alloc(&t->env, n + 2);
    if (!dir) return RSP_ENOMEM;
    if (n) memcpy(dir, t->path, n);
    else dir[0] = slash ? '/' : '.';
    dir[n ? n : 1] = 0;
    t->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    mem_free(&t->env, dir, n + 2);
    return t->dir < 0 ? fail_errno(&t->env, errno, t->path, "cannot open the folder") : RSP_OK;
}

/* Refuses early what the commit could only refuse after all the work. */
static int look_at_name(struct target *t)
{
    struct stat st;
    if (fstatat(t->dir, t->base, &st, AT_SYMLINK_NOFOLLOW)) {
        if (errno == ENOENT) return RSP_OK;
        return fail_errno(&t->env, errno, t->path, "cannot be inspected");
    }
    if (!t->force) return fail(&t->env, RSP_EEXIST, t->path, "exists already");
    if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) return RSP_OK;
    return fail(&t->env, RSP_EINVAL, t->path, "is not a regular file and will not be replaced");
}

/* The part of an earlier run, or a new one under the same name. */
static int open_kept(struct target *t)
{
    struct stat st;
    snprintf(t->part, sizeof t->part, ".%.*s.respite-restore.part", NAME_KEPT, t->base);
    t->fd = openat(t->dir, t->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (t->fd < 0) {
        int err = errno;
        t->part[0] = 0;
        return fail_errno(&t->env, err, t->path, "cannot make or open the file beside it that a restore goes on with");
    }
    if (flock(t->fd, LOCK_EX | LOCK_NB)) {
        t->part[0] = 0; /* not ours */
        if (errno == EWOULDBLOCK) return fail(&t->env, RSP_ELOCKED, t->path, "another restore is writing it");
        return fail_errno(&t->env, errno, t->path, "cannot be locked");
    }
    if (fstat(t->fd, &st)) return fail_errno(&t->env, errno, t->path, "cannot be inspected");
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink != 1) {
        t->part[0] = 0;
        return fail(&t->env, RSP_EPERM, t->path, "the file beside it that a restore goes on with is not our own");
    }
    if (fchmod(t->fd, 0600)) return fail_errno(&t->env, errno, t->path, "cannot be made private");
    t->had = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    return RSP_OK;
}

static int open_named(struct target *t)
{
    char hex[9] = "";
    for (int tries = 0; tries < 100; tries++) {
        int rc = random_hex8(&t->env, hex);
        if (rc) return rc;
        snprintf(t->part, sizeof t->part, ".%.*s.respite-%s.part", NAME_KEPT, t->base, hex);
        t->fd = openat(t->dir, t->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (t->fd >= 0) return RSP_OK;
        t->part[0] = 0;
        if (errno != EEXIST && errno != EINTR) break;
    }
    return fail_errno(&t->env, errno, t->path, "cannot make a temporary file beside it");
}

#define PROC_ROOM 48

static const char *proc_name(const struct target *t, char out[PROC_ROOM])
{
    snprintf(out, PROC_ROOM, "/proc/self/fd/%d", t->fd);
    return out;
}

/* A rescue system may lack /proc, without which a file that has no name is never given one. */
static int open_new(struct target *t)
{
    char proc[PROC_ROOM];
    t->fd = openat(t->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (t->fd >= 0 && access(proc_name(t, proc), F_OK) == 0) return RSP_OK;
    if (t->fd >= 0) close(t->fd);
    return open_named(t);
}

int target_open_at(struct target *t, const struct rsp_env *env, int dir, const char *path, int force, int keep)
{
    int rc;
    memset(t, 0, sizeof *t);
    env_init(&t->env, env);
    t->fd = t->dir = -1;
    t->force = force;
    t->keep = keep;
    t->path = mem_strdup(&t->env, path);
    if (!t->path) return RSP_ENOMEM;
    t->path_n = strlen(path) + 1;
    rc = open_folder(t, dir);
    if (!rc) rc = look_at_name(t);
    if (!rc) rc = keep ? open_kept(t) : open_new(t);
    return rc;
}

int target_open(struct target *t, const struct rsp_env *env, const char *path, int force, int keep)
{
    return target_open_at(t, env, -1, path, force, keep);
}

/* ---- writing ---- */

int target_write(struct target *t, const void *p, size_t n, uint64_t offset)
{
    int rc = fd_pwrite_all(&t->env, t->fd, t->path, p, n, offset);
    if (!rc && offset + n >= t->flushed + FLUSH_BYTES) { /* so that the fsync at the end finds little to do */
        (void)sync_file_range(t->fd, (off_t)t->flushed, (off_t)(offset + n - t->flushed), SYNC_FILE_RANGE_WRITE);
        t->flushed = offset + n;
    }
    return rc;
}

int target_same(struct target *t, const void *p, size_t n, uint64_t offset, void *scratch, int *same)
{
    int rc;
    *same = 0;
    if (offset >= t->had || n > t->had - offset) return RSP_OK;
    rc = fd_pread_all(&t->env, t->fd, t->path, scratch, n, offset);
    if (!rc) *same = !memcmp(p, scratch, n);
    return rc;
}

/* ---- publishing ---- */

static int sync_fd(int fd)
{
    int rc;
    do {
        rc = fsync(fd);
    } while (rc && errno == EINTR);
    return rc;
}

/* Gives the file without a name one. 0, or errno. */
static int link_open_file(struct target *t, const char *name)
{
    char proc[PROC_ROOM];
    return linkat(AT_FDCWD, proc_name(t, proc), t->dir, name, AT_SYMLINK_FOLLOW) ? errno : 0;
}

static int publish_new(struct target *t)
{
    if (!t->part[0]) return link_open_file(t, t->base);
    if (linkat(t->dir, t->part, t->dir, t->base, 0) == 0) {
        (void)unlinkat(t->dir, t->part, 0);
        t->part[0] = 0;
        return 0;
    }
    /* Some file systems have no hard links. EEXIST comes back as such. */
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS && errno != EMLINK && errno != EINVAL) return errno;
    if (renameat2(t->dir, t->part, t->dir, t->base, RENAME_NOREPLACE)) return errno;
    t->part[0] = 0;
    return 0;
}

static int publish_over(struct target *t)
{
    char hex[9] = "";
    if (!t->part[0]) {
        int err, rc = random_hex8(&t->env, hex);
        if (rc) return EIO;
        snprintf(t->part, sizeof t->part, ".%.*s.respite-%s.part", NAME_KEPT, t->base, hex);
        err = link_open_file(t, t->part);
        if (err) {
            t->part[0] = 0;
            return err;
        }
        t->keep = 0; /* this name is of no use to a later run */
    }
    if (renameat(t->dir, t->part, t->dir, t->base)) return errno;
    t->part[0] = 0;
    return 0;
}

int target_commit(struct target *t, uint64_t size)
{
    int err, fresh;
    if (ftruncate(t->fd, (off_t)size)) return fail_errno(&t->env, errno, t->path, "cannot set its size");
    if (sync_fd(t->fd)) return fail_errno(&t->env, errno, t->path, "cannot make durable");
    err = publish_new(t);
    fresh = !err;
    if (err == EEXIST && t->force) err = publish_over(t);
    if (err == EEXIST) return fail(&t->env, RSP_EEXIST, t->path, "exists already");
    if (err) return fail_errno(&t->env, err, t->path, "cannot be given its name");
    if (sync_fd(t->dir)) {
        int rc = fail_errno(&t->env, errno, t->path, "cannot make the folder durable");
        if (!fresh) return trail(&t->env, rc, "the new file is in place, but might not survive a power cut");
        (void)unlinkat(t->dir, t->base, 0);
        return rc;
    }
    return RSP_OK;
}

void target_close(struct target *t)
{
    if (t->part[0] && !t->keep) (void)unlinkat(t->dir, t->part, 0);
    if (t->fd >= 0) close(t->fd);
    if (t->dir >= 0) close(t->dir);
    mem_free(&t->env, t->path, t->path_n);
    t->path = NULL;
    t->fd = t->dir = -1;
    t->part[0] = 0;
}
