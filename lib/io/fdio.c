/* What this is: whole writes and positioned reads of descriptors, and unlinked temporary files.
 * Rests on: fdio.h.
 * Does not: own a descriptor. */
#include "io/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_MOST ((size_t)1 << 30)
/* Larger writes make the page cache take its memory in larger blocks, which the host of a virtual machine may have taken
 * back: twice the time, measured. */
#define WRITE_MOST ((size_t)128 << 10)

static int wait_writable(const struct rsp_env *env, int fd, const char *name)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    for (;;) {
        int n = poll(&p, 1, -1);
        if (n > 0) return RSP_OK; /* an error shows in the next write */
        if (n < 0 && errno != EINTR) return fail_errno(env, errno, name, "cannot wait for room");
    }
}

int fd_write_all(const struct rsp_env *env, int fd, const char *name, const void *p, size_t n)
{
    const uint8_t *at = p;
    while (n) {
        ssize_t k = write(fd, at, n < WRITE_MOST ? n : WRITE_MOST);
        if (k > 0) {
            at += k;
            n -= (size_t)k;
        } else if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            int rc = wait_writable(env, fd, name);
            if (rc) return rc;
        } else if (k == 0) {
            return fail(env, RSP_EIO, name, "a write took nothing");
        } else if (errno != EINTR) {
            return fail_errno(env, errno, name, "cannot write");
        }
    }
    return RSP_OK;
}

int fd_pwrite_all(const struct rsp_env *env, int fd, const char *name, const void *p, size_t n, uint64_t offset)
{
    const uint8_t *at = p;
    while (n) {
        ssize_t k = pwrite(fd, at, n < WRITE_MOST ? n : WRITE_MOST, (off_t)offset);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return fail_errno(env, errno, name, "cannot write");
        if (k == 0) return fail(env, RSP_EIO, name, "a write took nothing");
        at += k;
        n -= (size_t)k;
        offset += (uint64_t)k;
    }
    return RSP_OK;
}

int fd_pread_all(const struct rsp_env *env, int fd, const char *name, void *p, size_t n, uint64_t offset)
{
    uint8_t *at = p;
    while (n) {
        ssize_t k = pread(fd, at, n < READ_MOST ? n : READ_MOST, (off_t)offset);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return fail_errno(env, errno, name, "cannot read back");
        if (k == 0) return fail(env, RSP_EIO, name, "is shorter than what was written");
        at += k;
        n -= (size_t)k;
        offset += (uint64_t)k;
    }
    return RSP_OK;
}

int random_hex8(const struct rsp_env *env, char out[8])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t r[4];
    int rc = env->random(env->random_opaque, r, sizeof r);
    if (rc) return fail(env, RSP_EIO, NULL, "no random numbers");
    for (int i = 0; i < 4; i++) {
        out[2 * i] = digits[r[i] >> 4];
        out[2 * i + 1] = digits[r[i] & 15];
    }
    return RSP_OK;
}

static const char *default_dir(void)
{
    const char *dir = getenv("TMPDIR");
    if (dir && *dir) return dir;
    return access("/var/tmp", W_OK | X_OK) == 0 ? "/var/tmp" : "/tmp";
}

/* For file systems without O_TMPFILE: a name that is removed at once. */
static int named(const struct rsp_env *env, const char *dir, int *fd)
{
    char path[4096], hex[9] = "";
    for (int tries = 0; tries < 100; tries++) {
        int n, rc = random_hex8(env, hex);
        if (rc) return rc;
        n = snprintf(path, sizeof path, "%s/respite-%s.tmp", dir, hex);
        if (n < 0 || (size_t)n >= sizeof path) return fail(env, RSP_EINVAL, dir, "path is too long");
        *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (*fd >= 0) {
            if (unlink(path) == 0) return RSP_OK;
            rc = fail_errno(env, errno, path, "cannot remove the name of a temporary file");
            close(*fd);
            *fd = -1;
            return rc;
        }
        if (errno != EEXIST && errno != EINTR) break;
    }
    return fail_errno(env, errno, dir, "cannot make a temporary file");
}

int tmpfile_open(const struct rsp_env *env, const char *tmpdir, int *fd)
{
    const char *dir = tmpdir ? tmpdir : default_dir();
    *fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *fd >= 0 ? RSP_OK : named(env, dir, fd);
}
