/* What this is: a library for LD_PRELOAD that logs, with their bytes, all changes that a program makes below one
 *   directory, and can kill the program before one of them or let one fail.
 * Rests on: power.h; Linux system calls, which it makes itself.
 * Does not: see what goes by stdio, mmap, sendfile or io_uring: compare rebuild's last tree with the real one.
 *
 * RESPITE_POWER_ROOT   the directory; without it nothing happens. fsync below it returns at once
 * RESPITE_POWER_LOG    the log; appended to (may be absent or empty)
 * RESPITE_POWER_KILL   N: SIGKILL before operation N (the first is 0)
 * RESPITE_POWER_FAIL   "N ERRNO [ever]": operation N, or each from N on, fails with EIO, ENOSPC, EROFS, EDQUOT, EACCES
 *                      or EINVAL; ENOSPC and EDQUOT only those that take space
 * RESPITE_POWER_PLAIN  there is no renameat2 with flags, as on some network file systems
 * A program built for these tests may look up power_mark(const char *) and leave words in the log. */
#undef _FORTIFY_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "power.h"

#pragma GCC visibility push(default)
int open64(const char *path, int flags, ...);
int openat64(int dir, const char *path, int flags, ...);
int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
ssize_t pwrite64(int fd, const void *p, size_t n, off_t at);
int ftruncate64(int fd, off_t n);
int creat64(const char *path, mode_t mode);
void power_mark(const char *words);
#pragma GCC visibility pop
#define SHOWN __attribute__((visibility("default")))

static struct {
    int active, log, plain;
    char root[PATH_MAX];
    size_t root_n;
    uint64_t number; /* of the next operation */
    uint64_t kill_at, fail_at;
    int fail_with, fail_ever;
    pthread_mutex_t lock; /* so that the log's order is what happened */
} shim = {.log = -1, .kill_at = UINT64_MAX, .fail_at = UINT64_MAX, .lock = PTHREAD_MUTEX_INITIALIZER};

static void die(const char *why)
{
    fprintf(stderr, "power shim: %s: %s\n", why, strerror(errno));
    _exit(99);
}

static int errno_of(const char *name)
{
    static const struct {
        const char *name;
        int err;
    } known[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EROFS", EROFS},
                 {"EDQUOT", EDQUOT}, {"EACCES", EACCES}, {"EINVAL", EINVAL}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(known[i].name, name)) return known[i].err;
    errno = EINVAL;
    die("RESPITE_POWER_FAIL");
    return 0;
}

static void __attribute__((constructor)) begin(void)
{
    const char *root = getenv("RESPITE_POWER_ROOT"), *log = getenv("RESPITE_POWER_LOG");
    const char *at = getenv("RESPITE_POWER_KILL"), *failing = getenv("RESPITE_POWER_FAIL");
    char name[16] = "", ever[8] = "";
    unsigned long long n;
    int fd;
    if (!root) return;
    if (!realpath(root, shim.root)) die("RESPITE_POWER_ROOT");
    shim.root_n = strlen(shim.root);
    shim.plain = getenv("RESPITE_POWER_PLAIN") != NULL;
    if (at) shim.kill_at = strtoull(at, NULL, 10);
    if (failing) {
        if (sscanf(failing, "%llu %15s %7s", &n, name, ever) < 2) die("RESPITE_POWER_FAIL");
        shim.fail_at = n;
        shim.fail_with = errno_of(name);
        shim.fail_ever = !strcmp(ever, "ever");
    }
    if (log && *log) {
        fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0) die("RESPITE_POWER_LOG");
        shim.log = fcntl(fd, F_DUPFD_CLOEXEC, 500); /* out of the program's way */
        if (shim.log < 0) shim.log = fd;
        else close(fd);
    }
    shim.active = 1;
}

/* 1 and the path relative to the root when path is below it (or is it). */
static int below(const char *path, char *out)
{
    if (strncmp(path, shim.root, shim.root_n) || (path[shim.root_n] && path[shim.root_n] != '/')) return 0;
    path += shim.root_n;
    path += *path == '/';
    memmove(out, path, strlen(path) + 1);
    return 1;
}

static int fd_name(int fd, char out[PATH_MAX])
{
    char link[40];
    ssize_t n;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, out, PATH_MAX - 1);
    if (n <= 0) return 0;
    out[n] = 0;
    return 1;
}

/* The path of what a call names, links in the folders resolved, below the root: 1. */
static int resolve(int dir, const char *path, char out[PATH_MAX])
{
    char whole[2 * PATH_MAX], base[PATH_MAX];
    char *slash;
    const char *leaf;
    size_t n;
    int k;
    if (!shim.active || !path) return 0;
    if (path[0] == '/') snprintf(whole, sizeof whole, "%s", path);
    else if (dir == AT_FDCWD ? !getcwd(base, sizeof base) : !fd_name(dir, base)) return 0;
    else snprintf(whole, sizeof whole, "%s/%s", base, path);
    for (n = strlen(whole); n > 1 && whole[n - 1] == '/'; n--) whole[n - 1] = 0;
    slash = strrchr(whole, '/');
    leaf = slash ? slash + 1 : whole;
    if (!slash || !*leaf || !strcmp(leaf, ".") || !strcmp(leaf, "..")) return realpath(whole, base) && below(base, out);
    *slash = 0;
    if (!realpath(*whole ? whole : "/", base)) return 0;
    n = strlen(base);
    k = snprintf(base + n, sizeof base - n, "%s%s", n > 1 ? "/" : "", leaf);
    return k > 0 && (size_t)k < sizeof base - n && below(base, out);
}

/* The same for a descriptor of a file or folder. */
static int resolve_fd(int fd, char out[PATH_MAX], struct stat *st)
{
    static const char gone[] = " (deleted)";
    size_t n;
    if (!shim.active || fstat(fd, st) || (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) || !fd_name(fd, out))
        return 0;
    n = strlen(out);
    if (n > sizeof gone - 1 && !strcmp(out + n - (sizeof gone - 1), gone)) out[n - (sizeof gone - 1)] = 0;
    return below(out, out);
}

static int takes_space(enum power_kind kind)
{
    return kind != POWER_UNLINK && kind != POWER_RMDIR && kind != POWER_TIMES && kind != POWER_RANGE;
}

/* Takes the lock and a number; 0 when the operation must fail, with errno set. leave() gives the lock back. */
static int enter(enum power_kind kind)
{
    uint64_t n;
    pthread_mutex_lock(&shim.lock);
    n = shim.number++;
    if (n == shim.kill_at) kill(getpid(), SIGKILL);
    if (n != shim.fail_at && !(shim.fail_ever && n > shim.fail_at)) return 1;
    if ((shim.fail_with == ENOSPC || shim.fail_with == EDQUOT) && !takes_space(kind)) return 1;
    errno = shim.fail_with;
    return 0;
}

static void leave(void)
{
    int err = errno;
    pthread_mutex_unlock(&shim.lock);
    errno = err;
}

static void put(const struct iovec *v, int n)
{
    size_t want = 0;
    ssize_t got;
    for (int i = 0; i < n; i++) want += v[i].iov_len;
    got = syscall(SYS_writev, shim.log, v, n);
    if (got < 0 || (size_t)got != want) die("the log cannot be written");
}

static void tell(struct power_op op, const char *a, const char *b, const void *bytes)
{
    int err = errno;
    struct iovec v[4] = {{&op, sizeof op}, {(void *)a, 0}, {(void *)b, 0}, {(void *)bytes, 0}};
    op.magic = POWER_MAGIC;
    if (op.kind != POWER_MARK) op.number = shim.number - 1;
    if (a) v[1].iov_len = op.a_n = (uint32_t)strlen(a);
    if (b) v[2].iov_len = op.b_n = (uint32_t)strlen(b);
    if (bytes) v[3].iov_len = op.length;
    if (shim.log >= 0) put(v, 4);
    errno = err;
}

SHOWN void power_mark(const char *words)
{
    if (!shim.active) return;
    pthread_mutex_lock(&shim.lock);
    tell((struct power_op){.kind = POWER_MARK, .number = shim.number}, words, NULL, NULL);
    leave();
}

static uint64_t owner_of(uid_t user, gid_t group)
{
    return (uint64_t)user << 32 | group;
}

/* What was just made. */
static struct power_op born(enum power_kind kind, const struct stat *st)
{
    return (struct power_op){
        .kind = kind, .ino = st->st_ino, .length = st->st_mode & 07777, .offset = owner_of(st->st_uid, st->st_gid)};
}

/* ---- files made ---- */

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
    char a[PATH_MAX];
    struct stat st;
    int unnamed = (flags & O_TMPFILE) == O_TMPFILE, there, fd = -1;
    if ((!unnamed && !(flags & (O_CREAT | O_TRUNC))) || !resolve(dir, path, a))
        return (int)syscall(SYS_openat, dir, path, flags, mode);
    there = !unnamed && fstatat(dir, path, &st, 0) == 0;
    if (there ? !(flags & O_TRUNC) || (flags & O_CREAT && flags & O_EXCL) : !unnamed && !(flags & O_CREAT))
        return (int)syscall(SYS_openat, dir, path, flags, mode); /* changes nothing, or fails */
    if (enter(there ? POWER_TRUNCATE : POWER_CREATE)) {
        fd = (int)syscall(SYS_openat, dir, path, flags, mode);
        if (fd >= 0 && fstat(fd, &st) == 0)
            tell(there ? (struct power_op){.kind = POWER_TRUNCATE, .ino = st.st_ino} : born(POWER_CREATE, &st),
                 unnamed ? "" : a, NULL, NULL);
    }
    leave();
    return fd;
}

#define MODE_OF(flags)                                                                         \
    va_list args;                                                                              \
    mode_t mode = 0;                                                                           \
    va_start(args, flags);                                                                     \
    if ((flags)&O_CREAT || ((flags)&O_TMPFILE) == O_TMPFILE) mode = (mode_t)va_arg(args, int); \
    va_end(args)

SHOWN int openat(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags);
    return open_any(dir, path, flags, mode);
}
SHOWN int openat64(int dir, const char *path, int flags, ...)
{
    MODE_OF(flags);
    return open_any(dir, path, flags, mode);
}
SHOWN int open(const char *path, int flags, ...)
{
    MODE_OF(flags);
    return open_any(AT_FDCWD, path, flags, mode);
}
SHOWN int open64(const char *path, int flags, ...)
{
    MODE_OF(flags);
    return open_any(AT_FDCWD, path, flags, mode);
}
SHOWN int __open_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}
SHOWN int __open64_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}
SHOWN int __openat_2(int dir, const char *path, int flags)
{
    return open_any(dir, path, flags, 0);
}
SHOWN int __openat64_2(int dir, const char *path, int flags)
{
    return open_any(dir, path, flags, 0);
}
SHOWN int creat(const char *path, mode_t mode)
{
    return open_any(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
SHOWN int creat64(const char *path, mode_t mode)
{
    return open_any(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

/* ---- bytes ---- */

/* at < 0: where the descriptor stands. */
static ssize_t write_any(int fd, const struct iovec *v, int count, off_t at)
{
    char a[PATH_MAX];
    struct stat st;
    ssize_t n = -1;
    uint8_t *bytes = NULL;
    size_t have = 0;
    int flags = fcntl(fd, F_GETFL);
    if (!resolve_fd(fd, a, &st))
        return at < 0 ? syscall(SYS_writev, fd, v, count) : syscall(SYS_pwritev, fd, v, count, at, 0);
    if (!enter(POWER_WRITE)) {
        leave();
        return -1;
    }
    if (at >= 0) {
        n = syscall(SYS_pwritev, fd, v, count, at, 0);
    } else {
        at = flags & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
        n = syscall(SYS_writev, fd, v, count);
    }
    if (n > 0) {
        bytes = malloc((size_t)n);
        if (!bytes) die("memory");
        for (int i = 0; i < count && have < (size_t)n; i++) {
            size_t k = v[i].iov_len < (size_t)n - have ? v[i].iov_len : (size_t)n - have;
            memcpy(bytes + have, v[i].iov_base, k);
            have += k;
        }
        tell((struct power_op){.kind = POWER_WRITE, .ino = st.st_ino, .offset = (uint64_t)at, .length = (uint64_t)n}, a,
             NULL, bytes);
        free(bytes);
    }
    leave();
    return n;
}

SHOWN ssize_t write(int fd, const void *p, size_t n)
{
    struct iovec v = {(void *)p, n};
    return write_any(fd, &v, 1, -1);
}
SHOWN ssize_t writev(int fd, const struct iovec *v, int count)
{
    return write_any(fd, v, count, -1);
}
SHOWN ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    struct iovec v = {(void *)p, n};
    return write_any(fd, &v, 1, at);
}
SHOWN ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    struct iovec v = {(void *)p, n};
    return write_any(fd, &v, 1, at);
}

/* An operation on an open file whose system call is already written down. */
#define ON_FD(fd, op_kind, call, ...)                                                                               \
    char a[PATH_MAX];                                                                                               \
    struct stat st;                                                                                                 \
    int rc = -1;                                                                                                    \
    if (!resolve_fd(fd, a, &st)) return (int)(call);                                                                \
    if (enter(op_kind)) rc = (int)(call);                                                                           \
    if (rc == 0)                                                                                                    \
        tell((struct power_op){.kind = (op_kind), .ino = st.st_ino, .is_dir = S_ISDIR(st.st_mode), __VA_ARGS__}, a, \
             NULL, NULL);                                                                                           \
    leave();                                                                                                        \
    return rc

SHOWN int ftruncate(int fd, off_t n)
{
    ON_FD(fd, POWER_TRUNCATE, syscall(SYS_ftruncate, fd, n), .length = (uint64_t)n);
}
SHOWN int ftruncate64(int fd, off_t n)
{
    ON_FD(fd, POWER_TRUNCATE, syscall(SYS_ftruncate, fd, n), .length = (uint64_t)n);
}
/* The disk is spared: what is durable is for rebuild to say. */
static int sync_any(int fd, long call)
{
    char a[PATH_MAX];
    struct stat st;
    int rc = -1;
    if (!resolve_fd(fd, a, &st)) return (int)syscall(call, fd);
    if (enter(POWER_SYNC)) {
        rc = 0;
        tell((struct power_op){.kind = POWER_SYNC, .ino = st.st_ino, .is_dir = S_ISDIR(st.st_mode)}, a, NULL, NULL);
    }
    leave();
    return rc;
}
SHOWN int fsync(int fd)
{
    return sync_any(fd, SYS_fsync);
}
SHOWN int fdatasync(int fd)
{
    return sync_any(fd, SYS_fdatasync);
}
SHOWN int sync_file_range(int fd, off64_t at, off64_t n, unsigned flags)
{
    ON_FD(fd, POWER_RANGE, syscall(SYS_sync_file_range, fd, at, n, flags), .offset = 0);
}
SHOWN int futimens(int fd, const struct timespec t[2])
{
    ON_FD(fd, POWER_TIMES, syscall(SYS_utimensat, fd, NULL, t, 0), .offset = 0);
}
SHOWN int fchmod(int fd, mode_t mode)
{
    ON_FD(fd, POWER_MODE, syscall(SYS_fchmod, fd, mode), .length = mode);
}
/* (uid_t)-1 leaves it as it is: what it is then goes into the log. */
SHOWN int fchown(int fd, uid_t user, gid_t group)
{
    ON_FD(fd, POWER_OWNER, syscall(SYS_fchown, fd, user, group),
          .offset = owner_of(user == (uid_t)-1 ? st.st_uid : user, group == (gid_t)-1 ? st.st_gid : group));
}

/* ---- names ---- */

#define ON_NAME(dir, path, op_kind, call, ...)                                           \
    char a[PATH_MAX];                                                                    \
    int rc = -1;                                                                         \
    if (!resolve(dir, path, a)) return (int)(call);                                      \
    if (enter(op_kind)) rc = (int)(call);                                                \
    if (rc == 0) tell((struct power_op){.kind = (op_kind), __VA_ARGS__}, a, NULL, NULL); \
    leave();                                                                             \
    return rc

static int mkdir_any(int dir, const char *path, mode_t mode)
{
    char a[PATH_MAX];
    struct stat st;
    int rc = -1;
    if (!resolve(dir, path, a)) return (int)syscall(SYS_mkdirat, dir, path, mode);
    if (enter(POWER_MKDIR)) rc = (int)syscall(SYS_mkdirat, dir, path, mode);
    if (rc == 0 && fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0) tell(born(POWER_MKDIR, &st), a, NULL, NULL);
    leave();
    return rc;
}
static int unlink_any(int dir, const char *path, int flags)
{
    ON_NAME(dir, path, flags & AT_REMOVEDIR ? POWER_RMDIR : POWER_UNLINK, syscall(SYS_unlinkat, dir, path, flags),
            .ino = 0);
}
SHOWN int mkdirat(int dir, const char *path, mode_t mode)
{
    return mkdir_any(dir, path, mode);
}
SHOWN int mkdir(const char *path, mode_t mode)
{
    return mkdir_any(AT_FDCWD, path, mode);
}
SHOWN int unlinkat(int dir, const char *path, int flags)
{
    return unlink_any(dir, path, flags);
}
SHOWN int unlink(const char *path)
{
    return unlink_any(AT_FDCWD, path, 0);
}
SHOWN int rmdir(const char *path)
{
    return unlink_any(AT_FDCWD, path, AT_REMOVEDIR);
}
SHOWN int remove(const char *path)
{
    struct stat st;
    return unlink_any(AT_FDCWD, path, lstat(path, &st) == 0 && S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
}
SHOWN int utimensat(int dir, const char *path, const struct timespec t[2], int flags)
{
    ON_NAME(dir, path, POWER_TIMES, syscall(SYS_utimensat, dir, path, t, flags), .ino = 0);
}
/* A change of mode or owner by path: by a descriptor, so that a link is followed as the call does it. */
static int through_fd(int dir, const char *path, int flags, int owner, uid_t user, gid_t group, mode_t mode)
{
    int fd, rc;
    if (flags) {
        errno = ENOTSUP;
        die("a change of mode or owner that this harness has no model of");
    }
    fd = (int)syscall(SYS_openat, dir, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0) return -1;
    rc = owner ? fchown(fd, user, group) : fchmod(fd, mode);
    close(fd);
    return rc;
}
SHOWN int fchmodat(int dir, const char *path, mode_t mode, int flags)
{
    char a[PATH_MAX];
    if (!resolve(dir, path, a)) return (int)syscall(SYS_fchmodat, dir, path, mode);
    return through_fd(dir, path, flags, 0, 0, 0, mode);
}
SHOWN int chmod(const char *path, mode_t mode)
{
    return fchmodat(AT_FDCWD, path, mode, 0);
}
SHOWN int fchownat(int dir, const char *path, uid_t user, gid_t group, int flags)
{
    char a[PATH_MAX];
    if (!resolve(dir, path, a)) return (int)syscall(SYS_fchownat, dir, path, user, group, flags);
    return through_fd(dir, path, flags, 1, user, group, 0);
}
SHOWN int chown(const char *path, uid_t user, gid_t group)
{
    return fchownat(AT_FDCWD, path, user, group, 0);
}

static int rename_any(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    char a[PATH_MAX], b[PATH_MAX];
    int rc = -1, from_ours = resolve(from_dir, from, a), to_ours = resolve(to_dir, to, b);
    enum power_kind kind = flags == RENAME_EXCHANGE ? POWER_EXCHANGE : POWER_RENAME;
    if (!from_ours && !to_ours) return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    if (!from_ours || !to_ours || (flags && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE)) {
        errno = EXDEV;
        die("a rename that this harness has no model of");
    }
    if (flags && shim.plain) {
        errno = EINVAL;
        return -1;
    }
    if (enter(kind)) rc = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    if (rc == 0) tell((struct power_op){.kind = kind}, a, b, NULL);
    leave();
    return rc;
}
SHOWN int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return rename_any(from_dir, from, to_dir, to, flags);
}
SHOWN int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return rename_any(from_dir, from, to_dir, to, 0);
}
SHOWN int rename(const char *from, const char *to)
{
    return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0);
}

SHOWN int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    char a[PATH_MAX], b[PATH_MAX];
    struct stat st;
    int rc = -1;
    if (!resolve(to_dir, to, b)) return (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    if (!resolve(from_dir, from, a)) a[0] = 0; /* /proc/self/fd/N */
    if (enter(POWER_LINK)) rc = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    if (rc == 0 && fstatat(to_dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
        tell((struct power_op){.kind = POWER_LINK, .ino = st.st_ino}, a, b, NULL);
    leave();
    return rc;
}
SHOWN int link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}
