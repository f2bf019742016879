/* What this is: a store in a directory: opening it, reading, deleting.
 * Rests on: file_impl.h.
 * Does not: follow a symbolic link below its root. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/file_impl.h"

#define URL_BYTES 4000

int file_fault(const struct rsp_store *s, const struct rsp_env *env, int err, const char *name, const char *what)
{
    char where[WHERE_BYTES];
    store_where(s, name, where);
    if (err == ELOOP) return fail(env, RSP_EIO, where, "%s: a symbolic link in its path is not followed", what);
    if (err == ENOTDIR) return fail(env, RSP_EIO, where, "%s: what should be a folder is not one", what);
    return fail_errno(env, err, where, "%s", what);
}

static size_t folder_n(const char *name)
{
    const char *leaf = folder_leaf(name);
    return leaf == name ? 0 : (size_t)(leaf - name) - 1;
}

static int file_stat(struct rsp_store *s, const char *name, struct rsp_store_item *item)
{
    struct stat st = {0};
    int folder = -1, err = folder_open((struct file_store *)s, name, folder_n(name), &folder);
    if (!err && fstatat(folder, folder_leaf(name), &st, AT_SYMLINK_NOFOLLOW)) err = errno;
    if (!err && S_ISLNK(st.st_mode)) err = ELOOP;
    if (err == ENOTDIR || (!err && !S_ISREG(st.st_mode)))
        err = ENOENT; /* a folder is no object, nor does one hold any */
    if (folder >= 0) close(folder);
    if (err) return file_fault(s, &s->env, err, name, err == ENOENT ? "is not there" : "cannot be inspected");
    item->name = name;
    item->bytes = (uint64_t)st.st_size;
    item->mtime_ms = store_ms(st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    return RSP_OK;
}

/* A regular file and nothing else, without waiting for the other end of a pipe. */
static int open_object(struct rsp_store *s, const char *name, int *fd, struct stat *st)
{
    int folder = -1, err = folder_open((struct file_store *)s, name, folder_n(name), &folder);
    *fd = -1;
    if (!err) {
        *fd = openat(folder, folder_leaf(name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (*fd < 0 || fstat(*fd, st)) err = errno;
        else if (!S_ISREG(st->st_mode)) err = ENOENT;
    }
    if (folder >= 0) close(folder);
    if (!err) return 0;
    if (*fd >= 0) close(*fd);
    *fd = -1;
    return err == ENOTDIR || err == ENXIO ? ENOENT : err;
}

static int file_read(struct rsp_store *s, const struct rsp_env *env, const char *name, uint64_t offset, void *p,
                     size_t n)
{
    struct stat st = {0};
    uint8_t *at = p;
    char where[WHERE_BYTES];
    int fd, rc = RSP_OK, err = open_object(s, name, &fd, &st);
    if (err) return file_fault(s, env, err, name, err == ENOENT ? "is not there" : "cannot be opened");
    store_where(s, name, where);
    if (offset > (uint64_t)st.st_size || n > (uint64_t)st.st_size - offset)
        rc = fail_at(env, RSP_ETRUNCATED, where, (uint64_t)st.st_size, "ends before what was asked for");
    while (!rc && n) {
        ssize_t k = pread(fd, at, n < (size_t)1 << 30 ? n : (size_t)1 << 30, (off_t)offset);
        if (k > 0) {
            at += k;
            n -= (size_t)k;
            offset += (uint64_t)k;
        } else if (k == 0) {
            rc = fail_at(env, RSP_ETRUNCATED, where, offset, "ends before what was asked for");
        } else if (errno != EINTR) {
            rc = file_fault(s, env, errno, name, "cannot be read");
        }
    }
    close(fd);
    return rc;
}

static int file_remove(struct rsp_store *s, const char *name)
{
    struct file_store *f = (struct file_store *)s;
    size_t n = folder_n(name);
    int folder = -1, err = folder_open(f, name, n, &folder);
    if (!err && unlinkat(folder, folder_leaf(name), 0)) err = errno;
    if (folder >= 0) close(folder);
    if (err && err != ENOENT && err != ENOTDIR && err != EISDIR)
        return file_fault(s, &s->env, err, name, "cannot be deleted");
    folder_tidy(f, name, n);
    return RSP_OK;
}

static int file_space(struct rsp_store *s, uint64_t *bytes)
{
    struct statvfs v;
    *bytes = UINT64_MAX;
    if (fstatvfs(((struct file_store *)s)->root, &v)) return fail_errno(&s->env, errno, s->url, "cannot ask for space");
    if (v.f_frsize && v.f_bavail < UINT64_MAX / v.f_frsize) *bytes = (uint64_t)v.f_bavail * v.f_frsize;
    return RSP_OK;
}

static void file_close(struct rsp_store *s)
{
    struct file_store *f = (struct file_store *)s;
    for (size_t i = 0; i < FOLDERS_KEPT; i++)
        if (f->kept[i].fd >= 0) close(f->kept[i].fd);
    if (f->root >= 0) close(f->root);
}

static const struct store_kind file_kind = {
    .list = file_list,
    .stat = file_stat,
    .read = file_read,
    .begin = file_begin,
    .write = file_write,
    .commit = file_commit,
    .drop = file_drop,
    .settle = file_settle,
    .remove = file_remove,
    .now = file_now,
    .space = file_space,
    .leftovers = file_leftovers,
    .close = file_close,
};

/* "file:" and the path with single slashes, none at its end: out has room for the URL. 0 when it is malformed. */
static int canonical(const char *url, char *out)
{
    const char *p = url + 5;
    size_t n = 5;
    memcpy(out, "file:", 6);
    if (p[0] == '/' && p[1] == '/') {
        p += 2;
        if (*p != '/') return 0; /* a host's name */
    }
    if (*p != '/') return 0;
    for (const char *c = p; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) return 0;
    while (*p) {
        size_t k = strcspn(p, "/");
        if (k == 2 && p[0] == '.' && p[1] == '.') return 0;
        if (k && !(k == 1 && p[0] == '.')) {
            out[n++] = '/';
            memcpy(out + n, p, k);
            n += k;
        }
        p += k;
        p += *p == '/';
    }
    if (n == 5) out[n++] = '/';
    out[n] = 0;
    return 1;
}

int store_file_open(const struct rsp_env *env, const char *url, const struct rsp_store_options *options,
                    struct rsp_store **ret)
{
    char form[URL_BYTES + 8];
    struct file_store *f;
    int err = 0;
    *ret = NULL;
    if (strnlen(url, URL_BYTES + 1) > URL_BYTES || !canonical(url, form))
        return fail(env, RSP_EINVAL, url, "not the URL of a directory: write file:/absolute/path");
    f = mem_zero(env, sizeof *f);
    if (!f) return RSP_ENOMEM;
    f->s.kind = &file_kind;
    f->s.env = *env;
    f->s.bytes = sizeof *f;
    f->s.read_only = options->read_only;
    f->root = -1;
    for (size_t i = 0; i < FOLDERS_KEPT; i++) f->kept[i].fd = -1;
    pthread_mutex_init(&f->s.words, NULL);
    f->s.url = mem_strdup(env, form);
    if (!f->s.url) {
        rsp_store_free(&f->s);
        return RSP_ENOMEM;
    }
    if (access("/proc/self/fd", X_OK)) f->no_tmpfile = 1; /* such a file gets its name by way of that */
    if (options->create && !options->read_only) err = root_make(form + 5);
    if (!err) {
        f->root = open(form + 5, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (f->root < 0) err = errno;
    }
    if (err) {
        err = fail_errno(env, err, f->s.url,
                         options->create ? "cannot make the directory" : "cannot open the directory");
        rsp_store_free(&f->s);
        return err;
    }
    *ret = &f->s;
    return RSP_OK;
}
