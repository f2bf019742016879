/* What this is: the folders of a store on a directory: opened without following links, made so that they last, removed
 *   when empty.
 * Rests on: file_impl.h.
 * Does not: look at objects. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file_impl.h"

int sync_fd(int fd)
{
    for (;;) {
        if (fsync(fd) == 0) return 0;
        if (errno != EINTR) return errno;
    }
}

int sync_folder(int fd)
{
    int err = sync_fd(fd);
    return err == EINVAL || err == EOPNOTSUPP ? 0 : err;
}

const char *folder_leaf(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* The length of the path of name's folder. */
static size_t folder_length(const char *name)
{
    const char *leaf = folder_leaf(name);
    return leaf == name ? 0 : (size_t)(leaf - name) - 1;
}

int folder_step(int dir, const char *part, int *next)
{
    struct stat st;
    int err;
    *next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*next >= 0) return 0;
    err = errno;
    if (err != ENOTDIR && err != ELOOP) return err;
    return fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) ? ELOOP : ENOTDIR;
}

static int duplicate(int fd, int *copy)
{
    *copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return *copy >= 0 ? 0 : errno;
}

/* As folder_step, where a missing folder is made. Its entry is made durable whoever made it: that process may have died
 * before it could. */
static int step_making(int dir, const char *part, int *next)
{
    int err = folder_step(dir, part, next);
    if (err == ENOENT) {
        if (mkdirat(dir, part, 0700) && errno != EEXIST) return errno;
        err = folder_step(dir, part, next);
    }
    if (err) return err;
    err = sync_folder(dir);
    if (err) close(*next);
    return err;
}

static int walk_down(const struct file_store *f, const char *name, size_t n, int (*step)(int, const char *, int *),
                     int *fd)
{
    char part[PART_BYTES + 1];
    size_t at = 0;
    int dir = -1, err = duplicate(f->root, &dir);
    while (!err && at < n) {
        const char *slash = memchr(name + at, '/', n - at);
        size_t k = slash ? (size_t)(slash - name) - at : n - at;
        int next = -1;
        if (k > PART_BYTES) err = ENAMETOOLONG;
        if (err) break;
        memcpy(part, name + at, k);
        part[k] = 0;
        err = step(dir, part, &next);
        if (err) break;
        close(dir);
        dir = next;
        at += k + 1;
    }
    if (err && dir >= 0) close(dir);
    *fd = err ? -1 : dir;
    return err;
}

int folder_open(const struct file_store *f, const char *name, size_t n, int *fd)
{
    return walk_down(f, name, n, folder_step, fd);
}

static struct file_folder *folder_kept(struct file_store *f, const char *name, size_t n)
{
    for (size_t i = 0; i < FOLDERS_KEPT; i++) {
        struct file_folder *k = &f->kept[i];
        if (k->fd >= 0 && strlen(k->path) == n && !memcmp(k->path, name, n)) return k;
    }
    return NULL;
}

int folder_make(struct file_store *f, const char *name, int *fd)
{
    size_t n = folder_length(name);
    struct file_folder *k = folder_kept(f, name, n);
    int err = ENOENT;
    if (k) return duplicate(k->fd, fd);
    for (int tries = 0; err == ENOENT && tries < RETRIES; tries++) err = walk_down(f, name, n, step_making, fd);
    if (err) return err;
    k = &f->kept[f->next++ % FOLDERS_KEPT];
    if (k->fd >= 0) close(k->fd);
    memcpy(k->path, name, n);
    k->path[n] = 0;
    if (duplicate(*fd, &k->fd)) k->fd = -1; /* only slower */
    return 0;
}

void folder_forget(struct file_store *f, const char *name)
{
    struct file_folder *k = folder_kept(f, name, folder_length(name));
    if (!k) return;
    close(k->fd);
    k->fd = -1;
}

void folder_tidy(const struct file_store *f, const char *name, size_t n)
{
    char path[NAME_BYTES + 1];
    if (n > NAME_BYTES) return;
    memcpy(path, name, n);
    path[n] = 0;
    while (n) {
        const char *leaf = folder_leaf(path);
        size_t above = folder_length(path);
        int dir, err = folder_open(f, path, above, &dir);
        if (err) return;
        err = unlinkat(dir, leaf, AT_REMOVEDIR) && errno != ENOENT;
        close(dir);
        if (err) return; /* not empty, mostly; a folder too many does no harm */
        path[n = above] = 0;
    }
}

static int sync_above(const char *path, size_t n)
{
    char above[4096];
    int fd, err;
    memcpy(above, path, n);
    above[n] = 0;
    fd = open(n ? above : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return errno;
    err = sync_folder(fd);
    close(fd);
    return err;
}

int root_make(const char *path)
{
    char part[4096];
    size_t n = strlen(path), above = 0;
    if (n >= sizeof part) return ENAMETOOLONG;
    for (size_t i = 1; i <= n; i++) {
        int made;
        if (i < n && path[i] != '/') continue;
        memcpy(part, path, i);
        part[i] = 0;
        made = mkdir(part, 0700) == 0;
        /* Whatever else is wrong shows when the root is opened. */
        if (!made && errno != EEXIST && errno != EROFS && errno != EACCES && errno != EPERM) return errno;
        if (made || i == n) {
            int err = sync_above(path, above);
            if (err && made) return err;
        }
        above = i;
    }
    return 0;
}
