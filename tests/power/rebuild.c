/* What this is: the tree as a power cut would leave it: from a copy of the tree before the run, and shim.so's log.
 * Rests on: power.h.
 * Does not: judge the tree.
 *
 * rebuild list LOG                        one line an operation: number, kind, paths
 * rebuild build LOG BEFORE OUT N SEED     OUT (new): the power was cut right before operation N ("end": after the last)
 *
 * BEFORE is a copy with times (cp -a). A strict reading of POSIX: fsync of a file makes its bytes durable, not its
 * name; fsync of a folder makes the names in it durable, not what they name, nor the folder's own name. Seed 0: only what
 * was made durable; 1: all that was done; any other: what was not made durable is there or not by the throw of a coin,
 * each operation by itself, writes also in part; a name whose bytes are not there has a file that is short or holds
 * zeros. A rename and an exchange are one throw, but each of their folders keeps what it had when it was last fsynced.
 * Mode and owner become durable with the bytes, or the names in a folder; owners are given only by root. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "power.h"

/* A write, or (bytes NULL) a new size. */
struct change {
    const uint8_t *bytes;
    uint64_t offset, length, number;
};

/* What mode or owner became. */
struct change_of_inode {
    int is_mode;
    uint64_t value, number;
};

struct node {
    int is_dir;
    uint64_t mode, owner; /* at first */
    char *base;           /* in the copy; NULL: made during the run */
    char *built;          /* in OUT */
    struct change *changes;
    size_t n, cap, durable; /* of changes: so many were made durable */
    struct change_of_inode *inode;
    size_t inode_n, inode_cap, inode_durable;
    struct entry *entries;
    size_t entries_n, entries_cap;
};

struct entry {
    char *name;
    struct node *now, *durable;
    struct node *cut; /* for build */
};

/* A name given or taken away since its folder's last fsync. */
struct pending {
    struct node *dir, *target;
    char *name;
    uint64_t number;
};

static struct {
    struct node *root;
    struct pending *pending;
    size_t pending_n, pending_cap;
    struct {
        uint64_t ino;
        struct node *node;
    } * inos; /* later ones count */
    size_t inos_n, inos_cap;
} model;

static void die(const char *what, const char *on)
{
    fprintf(stderr, "rebuild: %s: %s%s%s\n", on, what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static void *grown(void *p, size_t n, size_t *cap, size_t each)
{
    if (n < *cap) return p;
    *cap = *cap ? *cap * 2 : 8;
    p = realloc(p, *cap * each);
    if (!p) die("memory", "all");
    return p;
}

static char *copied(const char *p, size_t n)
{
    char *s = strndup(p, n);
    if (!s) die("memory", "all");
    return s;
}

static struct node *node_new(int is_dir, uint64_t mode, uint64_t owner)
{
    struct node *x = calloc(1, sizeof *x);
    if (!x) die("memory", "all");
    x->is_dir = is_dir;
    x->mode = mode;
    x->owner = owner;
    return x;
}

static struct entry *entry_of(struct node *dir, const char *name, size_t n, int make)
{
    for (size_t i = 0; i < dir->entries_n; i++)
        if (strlen(dir->entries[i].name) == n && !memcmp(dir->entries[i].name, name, n)) return &dir->entries[i];
    if (!make) return NULL;
    dir->entries = grown(dir->entries, dir->entries_n, &dir->entries_cap, sizeof *dir->entries);
    dir->entries[dir->entries_n] = (struct entry){.name = copied(name, n)};
    return &dir->entries[dir->entries_n++];
}

static struct node *load(const char *path)
{
    struct stat st;
    struct node *x;
    struct dirent *e;
    DIR *d;
    if (lstat(path, &st)) die("cannot be inspected", path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) die("neither file nor folder", path);
    x = node_new(S_ISDIR(st.st_mode), st.st_mode & 07777, (uint64_t)st.st_uid << 32 | st.st_gid);
    x->base = copied(path, strlen(path));
    if (!x->is_dir) return x;
    d = opendir(path);
    if (!d) die("cannot be listed", path);
    while ((e = readdir(d))) {
        char below[PATH_MAX];
        struct entry *entry;
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        if (snprintf(below, sizeof below, "%s/%s", path, e->d_name) >= (int)sizeof below) die("too long", path);
        entry = entry_of(x, e->d_name, strlen(e->d_name), 1);
        entry->now = entry->durable = load(below);
    }
    closedir(d);
    return x;
}

/* ---- the run ---- */

/* The folder of path, and the last part of it; the root itself has an empty one. */
static struct node *folder_of(const char *path, const char **leaf)
{
    struct node *x = model.root;
    const char *slash;
    while ((slash = strchr(path, '/'))) {
        struct entry *e = entry_of(x, path, (size_t)(slash - path), 0);
        if (!e || !e->now || !e->now->is_dir) die("the log names what is not there", path);
        x = e->now;
        path = slash + 1;
    }
    *leaf = path;
    return x;
}

static struct node *at_path(const char *path)
{
    const char *leaf;
    struct node *dir = folder_of(path, &leaf);
    struct entry *e;
    if (!*leaf) return dir;
    e = entry_of(dir, leaf, strlen(leaf), 0);
    return e ? e->now : NULL;
}

static void bind(uint64_t ino, struct node *x)
{
    model.inos = grown(model.inos, model.inos_n, &model.inos_cap, sizeof *model.inos);
    model.inos[model.inos_n].ino = ino;
    model.inos[model.inos_n++].node = x;
}

/* The file with that number; one that was there before is met by its path. */
static struct node *file_of(uint64_t ino, const char *path)
{
    struct node *x;
    for (size_t i = model.inos_n; i-- > 0;)
        if (model.inos[i].ino == ino) return model.inos[i].node;
    x = at_path(path);
    if (!x || x->is_dir) die("the log names what is not there", path);
    bind(ino, x);
    return x;
}

static void set_name(const char *path, struct node *target, uint64_t number)
{
    const char *leaf;
    struct node *dir = folder_of(path, &leaf);
    entry_of(dir, leaf, strlen(leaf), 1)->now = target;
    model.pending = grown(model.pending, model.pending_n, &model.pending_cap, sizeof *model.pending);
    model.pending[model.pending_n++] = (struct pending){dir, target, copied(leaf, strlen(leaf)), number};
}

static void add_change(struct node *x, const uint8_t *bytes, uint64_t offset, uint64_t length, uint64_t number)
{
    x->changes = grown(x->changes, x->n, &x->cap, sizeof *x->changes);
    x->changes[x->n++] = (struct change){bytes, offset, length, number};
}

static void sync_folder(struct node *dir)
{
    size_t kept = 0;
    dir->inode_durable = dir->inode_n;
    for (size_t i = 0; i < dir->entries_n; i++) dir->entries[i].durable = dir->entries[i].now;
    for (size_t i = 0; i < model.pending_n; i++) {
        if (model.pending[i].dir != dir) model.pending[kept++] = model.pending[i];
        else free(model.pending[i].name);
    }
    model.pending_n = kept;
}

static void change_inode(struct node *x, const struct power_op *op, const char *path)
{
    int is_mode = op->kind == POWER_MODE;
    if (!x) die("the log names what is not there", path);
    x->inode = grown(x->inode, x->inode_n, &x->inode_cap, sizeof *x->inode);
    x->inode[x->inode_n++] = (struct change_of_inode){is_mode, is_mode ? op->length : op->offset, op->number};
}

static void exchange(const char *a, const char *b, uint64_t number)
{
    struct node *x = at_path(a), *y = at_path(b);
    if (!x || !y) die("the log names what is not there", x ? b : a);
    set_name(a, y, number);
    set_name(b, x, number);
}

static void apply(const struct power_op *op, const char *a, const char *b, const uint8_t *bytes)
{
    struct node *x;
    switch (op->kind) {
    case POWER_CREATE:
        x = node_new(0, op->length, op->offset);
        bind(op->ino, x);
        if (*a) set_name(a, x, op->number);
        break;
    case POWER_WRITE: add_change(file_of(op->ino, a), bytes, op->offset, op->length, op->number); break;
    case POWER_TRUNCATE: add_change(file_of(op->ino, a), NULL, 0, op->length, op->number); break;
    case POWER_SYNC:
        if (!op->is_dir) {
            x = file_of(op->ino, a);
            x->durable = x->n;
            x->inode_durable = x->inode_n;
        } else if ((x = at_path(a))) {
            sync_folder(x);
        }
        break;
    case POWER_RENAME:
        x = at_path(a);
        if (!x) die("the log names what is not there", a);
        set_name(a, NULL, op->number);
        set_name(b, x, op->number); /* the same number: the same coin */
        break;
    case POWER_EXCHANGE: exchange(a, b, op->number); break;
    case POWER_LINK: set_name(b, file_of(op->ino, a), op->number); break;
    case POWER_MKDIR: set_name(a, node_new(1, op->length, op->offset), op->number); break;
    case POWER_UNLINK:
    case POWER_RMDIR: set_name(a, NULL, op->number); break;
    case POWER_MODE:
    case POWER_OWNER: change_inode(op->is_dir ? at_path(a) : file_of(op->ino, a), op, a); break;
    default: break;
    }
}

/* Calls each with all records; 0 from it ends the walk. */
static void walk(const char *path, int (*each)(const struct power_op *, const char *, const char *, const uint8_t *))
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    const uint8_t *p, *end;
    if (fd < 0 || fstat(fd, &st)) die("cannot be opened", path);
    if (!st.st_size) return;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0); /* writes point into it: never unmapped */
    if (p == MAP_FAILED) die("cannot be mapped", path);
    end = p + st.st_size;
    close(fd);
    errno = 0;
    while (p < end) {
        struct power_op op;
        uint64_t bytes, left = (uint64_t)(end - p);
        char *a, *b;
        int more;
        if (left < sizeof op) break; /* the run was killed as it wrote this */
        memcpy(&op, p, sizeof op);
        if (op.magic != POWER_MAGIC || op.kind >= POWER_KINDS) die("not a log", path);
        bytes = op.kind == POWER_WRITE ? op.length : 0;
        left -= sizeof op;
        if (op.a_n > left || op.b_n > left - op.a_n || bytes > left - op.a_n - op.b_n) break;
        p += sizeof op;
        a = copied((const char *)p, op.a_n);
        b = copied((const char *)p + op.a_n, op.b_n);
        p += op.a_n + op.b_n;
        more = each(&op, a, b, bytes ? p : NULL);
        p += bytes;
        free(a);
        free(b);
        if (!more) break;
    }
}

static uint64_t cut_at, seed;

static int before_cut(const struct power_op *op, const char *a, const char *b, const uint8_t *bytes)
{
    if (op->number >= cut_at) return 0;
    if (op->kind != POWER_MARK) apply(op, a, b, bytes);
    return 1;
}

/* ---- what is left ---- */

/* An even spread over 64 bits, the same for the same seed and operation. */
static uint64_t coin(uint64_t number)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u ^ (number + 1) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 31) * 0x94d049bb133111ebu;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    return x ^ x >> 32;
}

static void settle_names(struct node *dir)
{
    for (size_t i = 0; i < dir->entries_n; i++) dir->entries[i].cut = dir->entries[i].durable;
    for (size_t i = 0; i < model.pending_n; i++) {
        const struct pending *p = &model.pending[i];
        if (p->dir == dir && seed && (seed == 1 || coin(p->number) & 1))
            entry_of(dir, p->name, strlen(p->name), 1)->cut = p->target;
    }
}

static void write_at(int fd, const uint8_t *p, uint64_t n, uint64_t at, const char *path)
{
    while (n) {
        ssize_t k = pwrite(fd, p, n, (off_t)at);
        if (k <= 0) die("cannot be written", path);
        p += k;
        at += (uint64_t)k;
        n -= (uint64_t)k;
    }
}

static void copy_base(int fd, const char *base)
{
    static uint8_t block[1 << 16];
    int from = open(base, O_RDONLY);
    uint64_t at = 0;
    ssize_t n;
    if (from < 0) die("cannot be opened", base);
    while ((n = read(from, block, sizeof block)) > 0) {
        write_at(fd, block, (uint64_t)n, at, base);
        at += (uint64_t)n;
    }
    close(from);
}

static void give_inode(const struct node *x, const char *path)
{
    uint64_t mode = x->mode, owner = x->owner;
    for (size_t i = 0; i < x->inode_n; i++) {
        const struct change_of_inode *c = &x->inode[i];
        if (i >= x->inode_durable && (!seed || (seed > 1 && coin(c->number) & 1))) continue;
        *(c->is_mode ? &mode : &owner) = c->value;
    }
    if (!geteuid() && chown(path, (uid_t)(owner >> 32), (gid_t)owner)) die("cannot be given its owner", path);
    if (chmod(path, (mode_t)mode)) die("cannot be given its mode", path);
}

static void build_file(const struct node *x, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    struct stat st;
    if (fd < 0) die("cannot be made", path);
    if (x->base) copy_base(fd, x->base);
    for (size_t i = 0; i < x->n; i++) {
        const struct change *c = &x->changes[i];
        uint64_t n = c->length, luck = coin(c->number) % 3;
        if (i >= x->durable && (!seed || (seed > 1 && !luck))) continue;
        if (!c->bytes) {
            if (ftruncate(fd, (off_t)n)) die("cannot be cut", path);
            continue;
        }
        if (i >= x->durable && seed > 1 && luck == 1) n = n / 1024 * 512; /* in part */
        write_at(fd, c->bytes, n, c->offset, path);
    }
    if (x->base && !x->n && stat(x->base, &st) == 0) {
        struct timespec t[2] = {st.st_atim, st.st_mtim};
        if (futimens(fd, t)) die("cannot be given its time", path);
    }
    close(fd);
    give_inode(x, path);
}

static void build(struct node *x, const char *path)
{
    if (!x->is_dir) {
        if (!x->built) build_file(x, path);
        else if (link(x->built, path)) die("cannot be linked", path);
        if (!x->built) x->built = copied(path, strlen(path));
        return;
    }
    if (mkdir(path, 0700)) die("cannot be made", path);
    settle_names(x);
    for (size_t i = 0; i < x->entries_n; i++) {
        char below[PATH_MAX];
        if (!x->entries[i].cut) continue;
        if (snprintf(below, sizeof below, "%s/%s", path, x->entries[i].name) >= (int)sizeof below)
            die("too long", path);
        build(x->entries[i].cut, below);
    }
    give_inode(x, path);
}

static int print(const struct power_op *op, const char *a, const char *b, const uint8_t *bytes)
{
    static const char *const kinds[] = {"create", "write",  "truncate", "sync",  "range", "rename", "exchange", "link",
                                        "mkdir",  "unlink", "rmdir",    "times", "mode",  "owner",  "mark"};
    (void)bytes;
    printf("%llu %s %s%s%s%s\n", (unsigned long long)op->number, kinds[op->kind], a, op->is_dir ? "/" : "",
           *b ? " -> " : "", b);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "list")) {
        walk(argv[2], print);
        return 0;
    }
    if (argc != 7 || strcmp(argv[1], "build")) {
        fprintf(stderr, "usage: rebuild list LOG | rebuild build LOG BEFORE OUT N|end SEED\n");
        return 2;
    }
    model.root = load(argv[3]);
    if (!model.root->is_dir) die("not a folder", argv[3]);
    cut_at = strcmp(argv[5], "end") ? strtoull(argv[5], NULL, 10) : UINT64_MAX;
    seed = strtoull(argv[6], NULL, 10);
    walk(argv[2], before_cut);
    build(model.root, argv[4]);
    return 0;
}
