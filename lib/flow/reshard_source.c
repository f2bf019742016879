/* What this is: several dumps as one source: a thread reshards them into a pipe that the reader empties.
 * Rests on: respite/sys/reshard.h, respite/source.h.
 * Does not: write the pipe when nobody reads: it is emptied before it is closed, so that no signal is raised. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include <respite/sys/reshard.h>

#include "base/mem.h"

#define PIPE_BYTES (1 << 20)

struct joined {
    struct rsp_env env; /* the reader's */
    struct rsp_env own; /* the thread's */
    struct rsp_error error;
    struct rsp_reshard_options o;
    int (*open)(void *ctx, size_t i, struct rsp_source **source);
    void *ctx;
    size_t n;
    char *name;
    struct rsp_source *out; /* of the pipe's end */
    int in, fd;             /* its descriptor; the thread's end; -1: closed */
    int cancel;
    const volatile int *cancel_outer;
    pthread_t thread;
    int started, rc;
    void (*progress)(void *opaque, uint64_t bytes);
    void *progress_opaque;
};

/* Called at every block: where the caller's flag becomes the run's. */
static void on_progress(void *opaque, uint64_t bytes)
{
    struct joined *j = opaque;
    if (j->cancel_outer && __atomic_load_n(j->cancel_outer, __ATOMIC_RELAXED))
        __atomic_store_n(&j->cancel, 1, __ATOMIC_RELAXED);
    if (j->progress) j->progress(j->progress_opaque, bytes);
}

static void *run(void *opaque)
{
    struct joined *j = opaque;
    struct rsp_sink *sink = NULL;
    j->rc = rsp_sink_fd(&j->own, j->fd, j->name, &sink);
    if (!j->rc) j->rc = rsp_reshard(&j->own, j->open, j->ctx, j->n, &j->o, &sink, 1, NULL);
    rsp_sink_free(sink);
    close(j->fd);
    j->fd = -1;
    return NULL;
}

static void stop(struct joined *j)
{
    if (j->started) pthread_join(j->thread, NULL);
    j->started = 0;
}

static int joined_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct joined *j = opaque;
    int rc = rsp_source_read(j->out, out, cap, got);
    if (rc != RSP_END) return rc;
    stop(j);
    if (j->rc && j->env.error && !j->env.error->code) *j->env.error = j->error;
    return j->rc ? j->rc : RSP_END;
}

static void joined_close(void *opaque)
{
    struct joined *j = opaque;
    struct rsp_env env = j->env;
    uint8_t rest[4096];
    size_t got;
    int rc = RSP_OK;
    __atomic_store_n(&j->cancel, 1, __ATOMIC_RELAXED);
    while (j->started && (rc == RSP_OK || rc == RSP_AGAIN)) rc = rsp_source_read(j->out, rest, sizeof rest, &got);
    stop(j);
    rsp_source_free(j->out);
    if (j->in >= 0) close(j->in);
    if (j->fd >= 0) close(j->fd);
    mem_free(&env, j->name, j->name ? strlen(j->name) + 1 : 0);
    mem_free(&env, j, sizeof *j);
}

static int set_up(struct joined *j, const struct rsp_reshard_options *options)
{
    int ends[2];
    memcpy(&j->o, options, options->size && options->size < sizeof j->o ? options->size : sizeof j->o);
    j->own = j->env;
    j->own.error = &j->error;
    j->o.all = 1;
    j->cancel_outer = j->o.run.cancel;
    j->progress = j->o.run.progress;
    j->progress_opaque = j->o.run.progress_opaque;
    j->o.run.cancel = &j->cancel;
    j->o.run.progress = on_progress;
    j->o.run.progress_opaque = j;
    if (pipe2(ends, O_CLOEXEC)) return fail_errno(&j->env, errno, j->name, "cannot make a pipe");
    (void)fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* as it is will do */
    j->in = ends[0];
    j->fd = ends[1];
    return rsp_source_fd(&j->env, j->in, j->name, &j->out);
}

int rsp_reshard_source(const struct rsp_env *env, int (*open)(void *ctx, size_t i, struct rsp_source **source),
                       void *ctx, size_t n, const struct rsp_reshard_options *options, const char *name,
                       struct rsp_source **ret)
{
    static const struct rsp_source_ops ops = {sizeof ops, joined_read, joined_close};
    struct joined *j;
    struct rsp_env full;
    int rc;
    env_init(&full, env);
    j = mem_zero(&full, sizeof *j);
    if (!j) return RSP_ENOMEM;
    j->env = full;
    j->open = open;
    j->ctx = ctx;
    j->n = n;
    j->in = j->fd = -1;
    j->name = mem_strdup(&full, name);
    rc = j->name ? set_up(j, options) : RSP_ENOMEM;
    if (!rc && pthread_create(&j->thread, NULL, run, j)) rc = fail(&full, RSP_ENOMEM, NULL, "cannot start a thread");
    else if (!rc) j->started = 1;
    if (!rc) rc = rsp_source_custom(&full, &ops, j, name, ret);
    if (!rc) return RSP_OK;
    joined_close(j);
    return rc;
}
