/* What this is: opening FILE or "-" in the way that suits it.
 * Rests on: input.h, cli/signal.h, open(2), poll(2).
 * Does not: map files: read(2) into buffers that stay in the cache is as fast, and a file that is cut meanwhile ends
 *   in a message instead of a SIGBUS. */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/signal.h"

#define WAIT_MS 100 /* a pipe is asked so often whether a signal has come */

/* ---- words ---- */

static int refuse(struct input *in, int status, int err, const char *words)
{
    struct rsp_error *e = in->env->error;
    if (!e || e->code) return status;
    e->code = status;
    e->sys_errno = err;
    snprintf(e->subject, sizeof e->subject, "%s", in->name);
    snprintf(e->message, sizeof e->message, "%s", words);
    return status;
}

static int refuse_errno(struct input *in, const char *words)
{
    int err = errno, status = err == ENOENT ? RSP_ENOTFOUND : err == EACCES || err == EPERM ? RSP_EPERM : RSP_EIO;
    return refuse(in, status, err, words);
}

/* ---- pipes, sockets, terminals: a read that a signal can end ---- */

static int pipe_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct input *in = opaque;
    for (;;) {
        struct pollfd p = {.fd = in->fd, .events = POLLIN};
        ssize_t n;
        if (signal_caught()) return RSP_ECANCELED;
        if (poll(&p, 1, WAIT_MS) <= 0) continue; /* nothing yet, or a signal: a read now would wait */
        n = read(in->fd, out, cap);
        if (n > 0) {
            *got = (size_t)n;
            return RSP_OK;
        }
        if (n == 0) return RSP_END;
        if (errno != EINTR && errno != EAGAIN) return refuse_errno(in, "cannot read");
    }
}

static int open_pipe(struct input *in)
{
    static const struct rsp_source_ops ops = {sizeof ops, pipe_read, NULL};
    return rsp_source_custom(in->env, &ops, in, in->name, &in->source);
}

/* ---- which way ---- */

static int open_fd(struct input *in, const char *path)
{
    if (!strcmp(path, "-")) {
        in->name = "standard input";
        in->fd = STDIN_FILENO;
        return RSP_OK;
    }
    do {
        in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    } while (in->fd < 0 && errno == EINTR && !signal_caught());
    if (in->fd < 0) return signal_caught() ? RSP_ECANCELED : refuse_errno(in, "cannot open");
    in->own_fd = 1;
    return RSP_OK;
}

static int open_source(struct input *in)
{
    struct stat st;
    if (fstat(in->fd, &st)) return refuse_errno(in, "cannot be inspected");
    if (S_ISDIR(st.st_mode)) return refuse(in, RSP_EIO, 0, "is a directory");
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) return open_pipe(in);
    if (S_ISREG(st.st_mode)) in->size = (uint64_t)st.st_size;
    return rsp_source_fd(in->env, in->fd, in->name, &in->source);
}

int input_open_stored(struct input *in, const struct rsp_env *env, const char *path)
{
    int rc;
    memset(in, 0, sizeof *in);
    in->name = path;
    in->codec = "none";
    in->env = env;
    in->fd = -1;
    rsp_error_clear(env->error);
    rc = open_fd(in, path);
    return rc ? rc : open_source(in);
}

int input_detect(struct input *in)
{
    struct rsp_source *source;
    int rc = rsp_source_detect(in->env, in->source, &source, &in->codec);
    if (!rc) in->source = source;
    return rc;
}

int input_open(struct input *in, const struct rsp_env *env, const char *path)
{
    int rc = input_open_stored(in, env, path);
    return rc ? rc : input_detect(in);
}

void input_close(struct input *in)
{
    rsp_source_free(in->source);
    if (in->own_fd) close(in->fd);
}
