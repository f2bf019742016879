/* What this is: files and folders of the state directory: whole in, whole out, private.
 * Rests on: state_impl.h, sink.h.
 * Does not: know what they hold. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <respite/sink.h>

#include "repo/state_impl.h"

#define READ_STEP 16384u
#define LEFT_S 3600 /* a part file older than this has no writer any more */

int state_path(const struct rsp_state *state, const uint8_t *lineage, const char *name, char *out)
{
    char hex[2 * ID_BYTES + 1] = "";
    int n;
    if (lineage) hex_text(hex, lineage, ID_BYTES);
    n = snprintf(out, STATE_PATH_MAX, "%s%s%s%s%s", state->dir, lineage ? "/" : "", hex, name ? "/" : "",
                 name ? name : "");
    if (n > 0 && n < STATE_PATH_MAX) return RSP_OK;
    return fail(&state->env, RSP_ELIMIT, state->dir, "the path of the state directory is too long");
}

static int sync_folder(const struct rsp_state *state, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;
    if (fd < 0) return fail_errno(&state->env, errno, path, "cannot open the folder");
    err = fsync(fd) ? errno : 0;
    close(fd);
    if (err && err != EINVAL && err != EROFS)
        return fail_errno(&state->env, err, path, "cannot make the folder durable");
    return RSP_OK;
}

/* path up to its first n bytes. */
static int make_one(const struct rsp_state *state, char *path, size_t n)
{
    char kept = path[n], *slash;
    int made, err, rc = RSP_OK;
    path[n] = 0;
    made = mkdir(path, 0700) == 0;
    err = errno;
    if (made) {
        slash = strrchr(path, '/');
        if (slash && slash != path) {
            *slash = 0;
            rc = sync_folder(state, path);
            *slash = '/';
        } else {
            rc = sync_folder(state, slash ? "/" : ".");
        }
    } else if (err != EEXIST && err != EISDIR) {
        struct stat st; /* a folder that is there may refuse with EROFS or EACCES */
        if (stat(path, &st) || !S_ISDIR(st.st_mode)) rc = fail_errno(&state->env, err, path, "cannot make the folder");
    }
    path[n] = kept;
    return rc;
}

int state_mkdir(const struct rsp_state *state, const char *path)
{
    char copy[STATE_PATH_MAX];
    struct stat st;
    size_t n = strlen(path);
    int rc = RSP_OK;
    if (!stat(path, &st)) {
        if (S_ISDIR(st.st_mode)) return RSP_OK;
        return fail(&state->env, RSP_EINVAL, path, "is not a folder");
    }
    if (n >= sizeof copy) return fail(&state->env, RSP_ELIMIT, path, "the path is too long");
    memcpy(copy, path, n + 1);
    for (size_t i = 1; !rc && i <= n; i++)
        if (!copy[i] || (copy[i] == '/' && copy[i - 1] != '/')) rc = make_one(state, copy, i);
    return rc;
}

static int read_all(const struct rsp_state *state, int fd, const char *path, size_t max, struct buf *out)
{
    size_t start = out->n;
    for (;;) {
        ssize_t got;
        int rc = buf_reserve(out, READ_STEP);
        if (rc) return rc;
        got = read(fd, out->p + out->n, READ_STEP);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno(&state->env, errno, path, "cannot be read");
        if (!got) return RSP_OK;
        out->n += (size_t)got;
        if (out->n - start > max)
            return fail(&state->env, RSP_ELIMIT, path, "is larger than %zu bytes, which this host never wrote", max);
    }
}

int state_read(const struct rsp_state *state, const char *path, size_t max, struct buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return RSP_ENOTFOUND;
    if (fd < 0) return fail_errno(&state->env, errno, path, "cannot be opened");
    if (fstat(fd, &st)) rc = fail_errno(&state->env, errno, path, "cannot be inspected");
    else if (!S_ISREG(st.st_mode)) rc = fail(&state->env, RSP_EINVAL, path, "is not a regular file");
    else rc = read_all(state, fd, path, max, out);
    close(fd);
    return rc;
}

/* What a killed process left of a file it was writing; a living one needs no hour. */
static void sweep(const struct rsp_state *state, const char *path)
{
    static const char mark[] = ".respite-", end[] = ".part";
    const char *slash = strrchr(path, '/');
    char folder[STATE_PATH_MAX];
    size_t n = slash ? (size_t)(slash - path) : 0;
    struct dirent *e;
    struct stat st;
    DIR *d;
    if (!n || n >= sizeof folder) return;
    memcpy(folder, path, n);
    folder[n] = 0;
    d = opendir(folder);
    while (d && (e = readdir(d))) {
        size_t len = strlen(e->d_name);
        if (e->d_name[0] != '.' || !strstr(e->d_name, mark) || len < sizeof end) continue;
        if (strcmp(e->d_name + len - (sizeof end - 1), end) != 0) continue;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode)) continue;
        if (state->env.now_ms(state->env.clock_opaque) / 1000 - st.st_mtime > LEFT_S) unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d) closedir(d);
}

int state_write(const struct rsp_state *state, const char *path, const void *p, size_t n)
{
    struct rsp_sink *sink = NULL;
    int rc = rsp_sink_file(&state->env, path, RSP_SINK_REPLACE, &sink);
    if (!rc) rc = rsp_sink_write(sink, p, n);
    if (!rc) rc = rsp_sink_commit(sink);
    rsp_sink_free(sink);
    if (!rc) sweep(state, path);
    return rc ? trail(&state->env, rc, "writing into the state directory") : RSP_OK;
}

int state_enter(const struct rsp_state *state, int *rc)
{
    int fd = open(state->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), locked;
    *rc = RSP_OK;
    if (fd < 0) {
        *rc = fail_errno(&state->env, errno, state->dir, "cannot open the state directory");
        return -1;
    }
    do {
        locked = flock(fd, LOCK_EX);
    } while (locked && errno == EINTR);
    if (!locked) return fd;
    *rc = fail_errno(&state->env, errno, state->dir, "cannot lock the state directory");
    close(fd);
    return -1;
}

void state_leave(int fd)
{
    if (fd >= 0) close(fd);
}

int state_line(const uint8_t **p, size_t *left, struct rsp_span *line)
{
    const uint8_t *end;
    if (!*left) return 0;
    end = memchr(*p, '\n', *left);
    line->p = *p;
    line->n = end ? (size_t)(end - *p) : *left;
    *left -= line->n + (end ? 1 : 0);
    *p += line->n + (end ? 1 : 0);
    return 1;
}
