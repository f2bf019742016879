/* What this is: walks over a store in a directory: its objects in order, and what dead uploads left.
 * Rests on: file_impl.h, base/buf.h.
 * Does not: recurse: a name has few parts, and so has the walk levels. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/file_impl.h"

#define BLOCK_BYTES ((size_t)64 << 10)

/* One folder: its names, a slash behind those of folders so that whole names sort right, each ended by a zero. */
struct level {
    int fd;                  /* -1: unused */
    struct buf names, order; /* order: size_t offsets into names */
    size_t i, n;             /* of order */
    size_t path_n;           /* of walk.path up to and with this folder's slash */
    int parts;               /* of a name in this folder */
};

struct walk {
    struct file_store *f;
    const struct rsp_env *env;
    int leftovers;
    int (*each)(void *, const struct rsp_store_item *);
    void *opaque;
    char path[NAME_BYTES + PART_BYTES + 2];
    uint8_t *block;
    int depth; /* levels in use */
    struct level level[NAME_PARTS];
};

static int by_name(const void *a, const void *b, void *names)
{
    const char *base = names;
    size_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return strcmp(base + x, base + y);
}

/* DT_DIR, DT_REG or something else, asked for where the folder does not tell. */
static int type_of(int dir, const struct dirent64 *e)
{
    struct stat st;
    if (e->d_type != DT_UNKNOWN) return e->d_type;
    if (fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW)) return DT_UNKNOWN;
    return S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
}

static int add_entry(struct walk *w, struct level *l, const struct dirent64 *e)
{
    size_t n = strlen(e->d_name), at = l->names.n;
    int type, rc, regular = store_part_ok(e->d_name, n);
    if (!regular && !(w->leftovers && is_part(e->d_name))) return RSP_OK;
    type = type_of(l->fd, e);
    if (type == DT_LNK)
        log_line(w->env, RSP_LOG_WARN, "%s/%s%s: a symbolic link is not followed", w->f->s.url, w->path, e->d_name);
    if (type == DT_DIR && (!regular || l->parts == NAME_PARTS || l->path_n + n + 1 >= NAME_BYTES)) return RSP_OK;
    if (type == DT_REG && (w->leftovers == regular || l->path_n + n > NAME_BYTES + (size_t)(regular ? 0 : PART_BYTES)))
        return RSP_OK;
    if (type != DT_DIR && type != DT_REG) return RSP_OK;
    rc = buf_add(&l->order, &at, sizeof at);
    if (!rc) rc = buf_add(&l->names, e->d_name, n);
    if (!rc && type == DT_DIR) rc = buf_byte(&l->names, '/');
    if (!rc) rc = buf_byte(&l->names, 0);
    l->n++;
    return rc;
}

static int walk_fault(struct walk *w, int err, const char *what)
{
    return file_fault(&w->f->s, w->env, err, w->path, what);
}

/* Reads the folder that the top level has open. *empty: there is nothing in it, of any kind. */
static int read_folder(struct walk *w, struct level *l, int *empty)
{
    int rc = RSP_OK;
    *empty = 1;
    for (;;) {
        ssize_t got = getdents64(l->fd, w->block, BLOCK_BYTES);
        if (got < 0 && errno == ENOENT) break; /* removed meanwhile */
        if (got < 0) return walk_fault(w, errno, "cannot list the folder");
        if (!got) break;
        for (size_t at = 0; !rc && at < (size_t)got;) {
            const struct dirent64 *e = (const void *)(w->block + at);
            at += e->d_reclen;
            if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
            *empty = 0;
            rc = add_entry(w, l, e);
        }
        if (rc) return rc;
    }
    if (l->n) qsort_r(l->order.p, l->n, sizeof(size_t), by_name, l->names.p);
    return RSP_OK;
}

static void leave(struct walk *w)
{
    struct level *l = &w->level[--w->depth];
    close(l->fd);
    buf_free(&l->names);
    buf_free(&l->order);
}

static int64_t mtime_of(const struct stat *st)
{
    return store_ms(st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

/* Tells of what w->path names; a leftover that is not wanted goes. */
static int tell(struct walk *w, const struct stat *st, int folder)
{
    struct rsp_store_item item = {w->path, folder ? 0 : (uint64_t)st->st_size, mtime_of(st)};
    size_t n = strlen(w->path);
    const char *leaf = folder_leaf(w->path);
    int rc = w->each(w->opaque, &item);
    if (!w->leftovers || rc != 1) return rc;
    if (w->f->s.read_only) return walk_fault(w, EPERM, "the store was opened for reading only");
    if (folder) {
        folder_tidy(w->f, w->path, n - 1);
        return RSP_OK;
    }
    if (unlinkat(w->level[w->depth - 1].fd, leaf, 0) && errno != ENOENT)
        return walk_fault(w, errno, "cannot be deleted");
    if (leaf != w->path) folder_tidy(w->f, w->path, (size_t)(leaf - w->path) - 1);
    return RSP_OK;
}

/* One level down, into the folder that fd has open (taken over); w->path ends with its slash, or is empty. */
static int enter(struct walk *w, int fd, int parts)
{
    struct level *l = &w->level[w->depth++];
    struct stat st;
    int empty, rc;
    memset(l, 0, sizeof *l);
    buf_init(&l->names, w->env);
    buf_init(&l->order, w->env);
    l->fd = fd;
    l->path_n = strlen(w->path);
    l->parts = parts;
    rc = read_folder(w, l, &empty);
    if (rc || !empty || !w->leftovers || parts == 1) return rc;
    if (fstat(fd, &st) || !st.st_nlink) return RSP_OK;
    return tell(w, &st, 1);
}

/* The next entry of the top level. */
static int visit(struct walk *w)
{
    struct level *l = &w->level[w->depth - 1];
    struct stat st;
    const char *name;
    size_t at, n;
    int fd, err;
    memcpy(&at, l->order.p + l->i++ * sizeof at, sizeof at);
    name = (const char *)l->names.p + at;
    n = strlen(name);
    memcpy(w->path + l->path_n, name, n + 1);
    if (name[n - 1] != '/') {
        if (fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW))
            return errno == ENOENT ? RSP_OK : walk_fault(w, errno, "cannot be inspected");
        return S_ISREG(st.st_mode) ? tell(w, &st, 0) : RSP_OK;
    }
    w->path[l->path_n + n - 1] = 0;
    err = folder_step(l->fd, w->path + l->path_n, &fd);
    w->path[l->path_n + n - 1] = '/';
    if (err == ENOENT || err == ENOTDIR) return RSP_OK;
    return err ? walk_fault(w, err, "cannot open the folder") : enter(w, fd, l->parts + 1);
}

/* A description of its own for the folder: one that was duplicated shares its position with others. */
static int open_apart(const struct file_store *f, const char *prefix, size_t n, int *fd)
{
    int folder, err = folder_open(f, prefix, n, &folder);
    if (err) return err;
    err = folder_step(folder, ".", fd);
    close(folder);
    return err;
}

static int walk(struct rsp_store *s, const char *prefix, int leftovers,
                int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    struct file_store *f = (struct file_store *)s;
    size_t n = strlen(prefix);
    int fd, rc, parts = 1, err;
    struct walk *w;
    for (size_t i = 0; i < n; i++) parts += prefix[i] == '/';
    if (parts > NAME_PARTS) return RSP_OK;
    err = open_apart(f, prefix, n ? n - 1 : 0, &fd);
    if (err == ENOTDIR || (err == ENOENT && n)) return RSP_OK;
    if (err) return file_fault(s, &s->env, err, prefix, "cannot open the folder");
    w = mem_zero(&s->env, sizeof *w);
    if (w) w->block = mem_alloc(&s->env, BLOCK_BYTES);
    if (!w || !w->block) {
        close(fd);
        mem_free(&s->env, w, sizeof *w);
        return RSP_ENOMEM;
    }
    w->f = f;
    w->env = &s->env;
    w->leftovers = leftovers;
    w->each = each;
    w->opaque = opaque;
    memcpy(w->path, prefix, n + 1);
    rc = enter(w, fd, parts);
    while (!rc && w->depth) {
        struct level *l = &w->level[w->depth - 1];
        if (l->i < l->n) rc = visit(w);
        else leave(w);
    }
    while (w->depth) leave(w);
    mem_free(&s->env, w->block, BLOCK_BYTES);
    mem_free(&s->env, w, sizeof *w);
    return rc;
}

int file_list(struct rsp_store *s, const char *prefix, int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    return walk(s, prefix, 0, each, opaque);
}

int file_leftovers(struct rsp_store *s, int (*each)(void *, const struct rsp_store_item *), void *opaque)
{
    return walk(s, "", 1, each, opaque);
}
