/* What this is: publication in a directory: a file without a name is filled, made durable, and only then linked to it.
 * Rests on: file_impl.h, io/fdio.h.
 * Does not: replace an object, but for repairs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/fdio.h"
#include "store/file_impl.h"

#define NAME_KEPT 200                 /* of the object's name in the temporary one */
#define WRITEBACK ((uint64_t)8 << 20) /* the disk starts on what is written in steps of this: the last fsync is short */

struct file_upload {
    struct rsp_upload u;
    int fd, folder, replace;
    uint64_t written, started; /* started: writeback was asked for up to here */
    char part[PART_BYTES + 1]; /* "": the file has no name */
    char name[NAME_BYTES + 1];
};

static struct file_store *store_of(struct rsp_upload *u)
{
    return (struct file_store *)u->store;
}

static int upload_fault(struct file_upload *f, int err, const char *what)
{
    return file_fault(f->u.store, &f->u.store->env, err, f->name, what);
}

int is_part(const char *name)
{
    static const char word[] = ".respite-", end[] = ".part";
    size_t n = strlen(name), tail = sizeof word - 1 + 8 + sizeof end - 1;
    if (name[0] != '.' || n < tail + 2) return 0;
    name += n - tail;
    return !memcmp(name, word, sizeof word - 1) && strspn(name + sizeof word - 1, "0123456789abcdef") == 8 &&
           !strcmp(name + tail - (sizeof end - 1), end);
}

/* A file with a name of its own in folder: 0, an errno, or RSP_EIO without random numbers. */
static int open_part(const struct rsp_env *env, int folder, const char *leaf, char part[PART_BYTES + 1], int *fd)
{
    char hex[9] = "";
    for (int tries = 0; tries < RETRIES; tries++) {
        int rc = random_hex8(env, hex);
        if (rc) return rc;
        snprintf(part, PART_BYTES + 1, ".%.*s.respite-%s.part", NAME_KEPT, leaf, hex);
        *fd = openat(folder, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (*fd >= 0) return 0;
        part[0] = 0; /* not ours */
        if (errno != EEXIST && errno != EINTR) return errno;
    }
    return EEXIST;
}

/* Some file systems have other words than ENOENT for a folder that was removed while it is open. */
static int or_gone(int folder, int err)
{
    struct stat st;
    return fstat(folder, &st) == 0 && st.st_nlink == 0 ? ENOENT : err;
}

/* A file in folder that cannot be seen under an object's name: without any where that can be had. */
static int open_hidden(struct file_store *f, int folder, const char *leaf, int named, char part[PART_BYTES + 1],
                       int *fd)
{
    part[0] = 0;
    if (!named && !f->no_tmpfile) {
        *fd = openat(folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
        if (*fd >= 0) return 0;
        if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOSYS) return or_gone(folder, errno);
        f->no_tmpfile = 1;
    }
    return open_part(&f->s.env, folder, leaf, part, fd);
}

int file_begin(struct rsp_store *s, const char *name, int replace, struct rsp_upload **ret)
{
    struct file_store *f = (struct file_store *)s;
    struct file_upload *u = mem_zero(&s->env, sizeof *u);
    int err = ENOENT;
    if (!u) return RSP_ENOMEM;
    u->u.store = s;
    u->u.bytes = sizeof *u;
    u->replace = replace;
    u->fd = u->folder = -1;
    snprintf(u->name, sizeof u->name, "%s", name);
    for (int tries = 0; err == ENOENT && tries < RETRIES; tries++) {
        err = folder_make(f, name, &u->folder);
        if (err) break;
        err = open_hidden(f, u->folder, folder_leaf(name), replace, u->part, &u->fd);
        if (err != ENOENT) break;
        folder_forget(f, name); /* removed in between */
        close(u->folder);
        u->folder = -1;
    }
    if (err) {
        if (err > 0) err = upload_fault(u, err, "cannot make a file for the upload");
        file_drop(&u->u);
        return err;
    }
    *ret = &u->u;
    return RSP_OK;
}

int file_write(struct rsp_upload *upload, const void *p, size_t n)
{
    struct file_upload *u = (struct file_upload *)upload;
    char where[WHERE_BYTES];
    int rc;
    store_where(upload->store, u->name, where);
    rc = fd_write_all(&upload->store->env, u->fd, where, p, n);
    if (rc) return rc;
    u->written += n;
    if (u->written - u->started < WRITEBACK) return RSP_OK;
    /* A hint: what goes wrong here is told by fsync. */
    (void)sync_file_range(u->fd, (off_t)u->started, (off_t)(u->written - u->started), SYNC_FILE_RANGE_WRITE);
    u->started = u->written;
    return RSP_OK;
}

static void drop_part(struct file_upload *u)
{
    if (u->part[0]) (void)unlinkat(u->folder, u->part, 0);
    u->part[0] = 0;
}

/* A link whose answer was lost (network file systems) has taken place all the same. */
static int is_ours(struct file_upload *u, const char *leaf)
{
    struct stat a, b;
    return fstat(u->fd, &a) == 0 && fstatat(u->folder, leaf, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* Gives the file its name if no other has it: 0 or an errno. */
static int link_new(struct file_upload *u, const char *leaf)
{
    char path[64];
    int err;
    if (!u->part[0]) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", u->fd);
        return linkat(AT_FDCWD, path, u->folder, leaf, AT_SYMLINK_FOLLOW) ? errno : 0;
    }
    if (linkat(u->folder, u->part, u->folder, leaf, 0) == 0) return 0;
    err = errno;
    if (err == EEXIST && is_ours(u, leaf)) return 0;
    /* Some file systems have no hard links. EEXIST comes back as such. */
    if (err != EPERM && err != EOPNOTSUPP && err != ENOSYS && err != EMLINK && err != EINVAL) return err;
    if (renameat2(u->folder, u->part, u->folder, leaf, RENAME_NOREPLACE)) return errno;
    u->part[0] = 0;
    return 0;
}

/* The folder may have been removed as empty since the upload began: it is made again, the file has no name yet. */
static int link_somewhere(struct file_upload *u, const char *leaf)
{
    int err = link_new(u, leaf);
    for (int tries = 0; err == ENOENT && !u->part[0] && tries < RETRIES; tries++) {
        close(u->folder);
        u->folder = -1;
        folder_forget(store_of(&u->u), u->name);
        err = folder_make(store_of(&u->u), u->name, &u->folder);
        if (!err) err = link_new(u, leaf);
    }
    return err;
}

int file_commit(struct rsp_upload *upload)
{
    struct file_upload *u = (struct file_upload *)upload;
    const char *leaf = folder_leaf(u->name);
    int rc, err = sync_fd(u->fd);
    if (err) return upload_fault(u, err, "cannot be made durable");
    if (u->replace) {
        if (renameat(u->folder, u->part, u->folder, leaf)) return upload_fault(u, errno, "cannot be replaced");
        u->part[0] = 0;
    } else {
        err = link_somewhere(u, leaf);
        if (err) return upload_fault(u, err, err == EEXIST ? "exists already" : "cannot be given its name");
        drop_part(u);
    }
    err = sync_folder(u->folder);
    if (!err) {
        upload->state = 1;
        return RSP_OK;
    }
    rc = upload_fault(u, err, "cannot make the folder durable");
    if (u->replace) return trail(&upload->store->env, rc, "it is in place, but might not survive a power cut");
    (void)unlinkat(u->folder, leaf, 0);
    return rc;
}

void file_drop(struct rsp_upload *upload)
{
    struct file_upload *u = (struct file_upload *)upload;
    struct file_store *f = store_of(upload);
    drop_part(u);
    if (u->fd >= 0) close(u->fd);
    if (u->folder >= 0) close(u->folder);
    if (upload->state != 1) {
        const char *leaf = folder_leaf(u->name);
        if (leaf != u->name) folder_tidy(f, u->name, (size_t)(leaf - u->name) - 1);
    }
    mem_free(&f->s.env, u, upload->bytes);
}

int file_settle(struct rsp_store *s, const char *name)
{
    struct file_store *f = (struct file_store *)s;
    int folder = -1, fd = -1, err;
    folder_forget(f, name); /* so that the names above are synced as well */
    err = folder_make(f, name, &folder);
    if (!err) {
        fd = openat(folder, folder_leaf(name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        err = fd < 0 ? errno : sync_fd(fd);
    }
    if (!err) err = sync_folder(folder);
    if (fd >= 0) close(fd);
    if (folder >= 0) close(folder);
    return err ? file_fault(s, &s->env, err, name, "is there, but cannot be made durable") : RSP_OK;
}

int file_now(struct rsp_store *s, int64_t *ms)
{
    static const struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    struct file_store *f = (struct file_store *)s;
    char part[PART_BYTES + 1];
    struct stat st = {0};
    int fd = -1, err = open_hidden(f, f->root, "now", 0, part, &fd);
    if (err < 0) return err;
    if (!err && (futimens(fd, now) || fstat(fd, &st))) err = errno;
    if (part[0]) (void)unlinkat(f->root, part, 0);
    if (fd >= 0) close(fd);
    if (err) return fail_errno(&s->env, err, s->url, "cannot ask for the time by writing a file");
    *ms = store_ms(st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return RSP_OK;
}
