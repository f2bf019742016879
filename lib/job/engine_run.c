/* What this is: the private server: started, fed through a named pipe, asked until it answers, ended without a trace.
 * Rests on: engine.h, io/fdio.h.
 * Does not: write the data to any disk, nor listen anywhere but on a unix socket in a directory of mode 0700.
 *
 * It is started as a replica of nobody that can be reached: a replica neither drops what has expired nor expires by
 * itself, so that every key can be compared. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/fdio.h"
#include "job/engine.h"

#define DUMP "dump.rdb"
#define CONFIG "server.conf"
#define LOG "log"
#define SOCKET "s"
#define SOCKET_MOST 100 /* bytes of a path that a socket address surely takes */
#define PIECE (256u << 10)
#define PIPE_BYTES (1 << 20)
#define SAID_BYTES 4096
#define SAID_LINES 3
#define ANSWER_MS 5000 /* of one try to ask it */

static int64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- start ---- */

static int write_config(struct engine_server *s, uint32_t databases)
{
    const struct rsp_engine *e = s->engine;
    int valkey = !strcmp(e->kind, "valkey"), fives = valkey || e->version_n >= 50000, fd, rc;
    char text[1536];
    int n = snprintf(text, sizeof text,
                     "port 0\nunixsocket " SOCKET "\nunixsocketperm 700\ndaemonize no\nlogfile \"\"\nloglevel notice\n"
                     "dir .\ndbfilename " DUMP
                     "\nsave \"\"\nappendonly no\nrdbchecksum yes\ndatabases %u\nmaxmemory 0\n"
                     "timeout 0\nrepl-timeout 3600\n%s 127.0.0.1 0\n%s%s%s%s",
                     databases, fives ? "replicaof" : "slaveof",
                     fives ? "client-output-buffer-limit replica 0 0 0\n" : "client-output-buffer-limit slave 0 0 0\n",
                     valkey || e->version_n >= 30000 ? "repl-diskless-sync yes\nrepl-diskless-sync-delay 0\n" : "",
                     valkey || e->version_n >= 60200 ? "crash-log-enabled no\ncrash-memcheck-enabled no\n" : "",
                     valkey || e->version_n >= 70000 ? "enable-debug-command local\n" : "");
    if (n < 0 || (size_t)n >= sizeof text) return fail(&s->env, RSP_ELIMIT, s->dir.path, "its settings are too long");
    fd = openat(s->dir.fd, CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return fail_errno(&s->env, errno, s->dir.path, "cannot write a private server's settings");
    rc = fd_write_all(&s->env, fd, s->dir.path, text, (size_t)n);
    close(fd);
    return rc;
}

static int set_socket(struct engine_server *s)
{
    size_t n = strlen(s->dir.path);
    /* A socket's address holds some 100 bytes. */
    if (n + sizeof "/" SOCKET > SOCKET_MOST) {
        snprintf(s->socket, sizeof s->socket, "/proc/self/fd/%d/" SOCKET, s->dir.fd);
        return RSP_OK;
    }
    snprintf(s->socket, sizeof s->socket, "%s/" SOCKET, s->dir.path);
    return RSP_OK;
}

int engine_start(struct engine_server *s, const struct rsp_env *env, const struct rsp_engine *engine,
                 const struct rsp_drill_options *o, uint32_t databases)
{
    const char *argv[] = {engine->path, CONFIG, NULL};
    struct child_start cs = {.path = engine->path, .argv = argv};
    int rc;
    memset(s, 0, sizeof *s);
    s->env = *env;
    s->engine = engine;
    s->log = -1;
    s->cancel = o->cancel;
    rc = private_dir_make(&s->dir, &s->env, o->tmpdir);
    if (!rc) rc = set_socket(s);
    if (!rc) rc = write_config(s, databases);
    if (rc) return rc;
    if (mkfifoat(s->dir.fd, DUMP, 0600)) return fail_errno(&s->env, errno, s->dir.path, "cannot make a named pipe");
    s->log = openat(s->dir.fd, LOG, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (s->log < 0) return fail_errno(&s->env, errno, s->dir.path, "cannot make a log");
    cs.search = o->path ? o->path : ENGINE_PATH;
    cs.dir = s->dir.fd;
    cs.out = s->log;
    cs.keep = s->dir.lock;
    return child_start(&s->env, &s->child, &cs);
}

/* ---- its data ---- */

/* A reader that is gone shall be a status, not a signal to whoever uses the library. */
static ssize_t write_quietly(int fd, const void *p, size_t n)
{
    const struct timespec at_once = {0, 0};
    sigset_t pipe_only, before, waiting;
    ssize_t k;
    int err, was;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigemptyset(&waiting);
    (void)sigpending(&waiting);
    was = sigismember(&waiting, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    k = write(fd, p, n);
    err = errno;
    if (k < 0 && err == EPIPE && !was)
        while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR) continue;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = err;
    return k;
}

static int too_long(struct engine_server *s, const char *what, int64_t ms)
{
    char said[SAID_BYTES / 16];
    engine_said(s, said, sizeof said);
    return fail(&s->env, RSP_ETIMEOUT, s->engine->path, "%s for %lld s; %s", what, (long long)(ms / 1000), said);
}

/* A pipe opens for writing once the server reads it. */
static int open_pipe(struct engine_server *s, int64_t idle_ms, int *fd)
{
    int64_t begun = clock_ms();
    for (;;) {
        int rc;
        *fd = openat(s->dir.fd, DUMP, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (*fd >= 0) break;
        if (errno != ENXIO && errno != EINTR)
            return fail_errno(&s->env, errno, s->dir.path, "cannot open the pipe to a private server");
        if (child_ended(&s->child)) return ENGINE_ENDED;
        if (clock_ms() - begun > idle_ms) return too_long(s, "the private server does not load its data", idle_ms);
        rc = child_pause(&s->env, s->cancel, 5);
        if (rc) return rc;
    }
    (void)fcntl(*fd, F_SETPIPE_SZ, PIPE_BYTES);
    /* When it refuses the data it looks at the file once more, and a pipe would let it wait for ever. */
    (void)unlinkat(s->dir.fd, DUMP, 0);
    return RSP_OK;
}

static int put(struct engine_server *s, int fd, const uint8_t *p, size_t n, int64_t idle_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int64_t since = clock_ms();
    while (n) {
        ssize_t k = write_quietly(fd, p, n);
        if (k > 0) {
            p += k;
            n -= (size_t)k;
            since = clock_ms();
            continue;
        }
        if (k < 0 && errno == EPIPE) return RSP_END;
        if (k < 0 && errno != EAGAIN && errno != EINTR)
            return fail_errno(&s->env, errno, s->dir.path, "cannot write to a private server");
        if (s->cancel && *s->cancel) return fail(&s->env, RSP_ECANCELED, NULL, "cancelled");
        if (clock_ms() - since > idle_ms) return too_long(s, "the private server takes nothing", idle_ms);
        (void)poll(&poll_fd, 1, 100);
    }
    return RSP_OK;
}

int engine_feed(struct engine_server *s, struct rsp_source *source, int64_t idle_ms,
                void (*progress)(void *opaque, uint64_t bytes), void *opaque, int *began)
{
    uint8_t *piece = mem_alloc(&s->env, PIECE);
    uint64_t done = 0;
    int fd = -1, rc = piece ? open_pipe(s, idle_ms, &fd) : RSP_ENOMEM;
    *began = fd >= 0;
    while (!rc) {
        size_t got = 0;
        if (s->cancel && *s->cancel) rc = fail(&s->env, RSP_ECANCELED, NULL, "cancelled");
        if (!rc) rc = rsp_source_read(source, piece, PIECE, &got);
        if (rc == RSP_AGAIN) rc = RSP_OK;
        if (rc || !got) continue;
        rc = put(s, fd, piece, got, idle_ms);
        done += got;
        if (!rc && progress) progress(opaque, done);
    }
    if (fd >= 0) close(fd);
    mem_free(&s->env, piece, PIECE);
    return rc == RSP_END ? RSP_OK : rc; /* a server that reads no more: engine_ready tells why */
}

/* ---- its answer ---- */

void engine_endpoint(const struct engine_server *s, struct rsp_endpoint *endpoint)
{
    memset(endpoint, 0, sizeof *endpoint);
    endpoint->size = sizeof *endpoint;
    endpoint->socket = s->socket;
}

/* INFO is answered while it loads, nothing else is. */
static int ask(struct engine_server *s, const struct rsp_endpoint *at, struct rsp_server **link)
{
    struct rsp_server_options so = {.size = sizeof so, .cancel = s->cancel};
    int rc = *link ? rsp_server_refresh(*link) : rsp_server_open(&s->env, at, &so, link);
    if (!rc) return rsp_server_facts(*link)->loading ? RSP_AGAIN : RSP_OK;
    rsp_server_free(*link);
    *link = NULL;
    if (rc != RSP_EBUSY && rc != RSP_ENET && rc != RSP_ETIMEOUT) return rc;
    if (s->env.error) rsp_error_clear(s->env.error);
    return RSP_AGAIN;
}

int engine_ready(struct engine_server *s, int64_t ms, struct rsp_server **ret)
{
    struct rsp_server *link = NULL;
    struct rsp_endpoint at;
    int64_t begun = clock_ms();
    int rc;
    engine_endpoint(s, &at);
    at.connect_ms = at.idle_ms = ANSWER_MS;
    *ret = NULL;
    for (int pause = 5;; pause = pause < 80 ? pause * 2 : 100) {
        rc = ask(s, &at, &link);
        if (rc != RSP_AGAIN) break;
        if (child_ended(&s->child)) rc = ENGINE_ENDED;
        else if (clock_ms() - begun > ms) rc = too_long(s, "the private server does not answer", ms);
        else rc = child_pause(&s->env, s->cancel, pause);
        if (rc) break;
    }
    if (!rc) *ret = link;
    else rsp_server_free(link);
    return rc;
}

/* ---- its end ---- */

/* The end of its log; *n bytes. */
static void read_log(struct engine_server *s, char out[SAID_BYTES], size_t *n)
{
    struct stat st;
    off_t from;
    ssize_t k;
    *n = 0;
    out[0] = 0;
    if (s->log < 0 || fstat(s->log, &st)) return;
    from = st.st_size > SAID_BYTES - 1 ? st.st_size - (SAID_BYTES - 1) : 0;
    k = pread(s->log, out, SAID_BYTES - 1, from);
    if (k <= 0) return;
    *n = (size_t)k;
    out[*n] = 0;
}

/* Without the process and the time that stand before a line's words. */
static const char *words_of(const char *line, const char *end)
{
    for (const char *at = line; at + 3 < end && at < line + 60; at++)
        if (at[0] == ' ' && at[1] && strchr("#*-.", at[1]) && at[2] == ' ' && line[0] >= '0' && line[0] <= '9')
            return at + 3;
    return line;
}

void engine_said(struct engine_server *s, char *out, size_t size)
{
    char text[SAID_BYTES], ended[48] = "still runs";
    const char *end, *from[SAID_LINES], *to[SAID_LINES];
    size_t n, lines = 0, at;
    if (s->child.pid <= 0) child_text(&s->child, ended, sizeof ended);
    snprintf(out, size, "%s %s: %s", s->engine->kind, s->engine->version, ended);
    read_log(s, text, &n);
    for (end = text + n; end > text && lines < SAID_LINES;) {
        const char *begin = end;
        while (begin > text && begin[-1] != '\n') begin--;
        from[lines] = words_of(begin, end);
        to[lines] = end;
        if (from[lines] < end) lines++;
        end = begin > text ? begin - 1 : text;
    }
    while (lines--) {
        at = strlen(out);
        if (at + 3 >= size) return;
        memcpy(out + at, "; ", 3);
        printable(out + at + 2, size - at - 2, (const uint8_t *)from[lines], (size_t)(to[lines] - from[lines]));
    }
}

int engine_starved(struct engine_server *s)
{
    char text[SAID_BYTES];
    size_t n;
    if (s->child.pid < 0 && s->child.status != -1 && WIFSIGNALED(s->child.status) &&
        WTERMSIG(s->child.status) == SIGKILL)
        return 1;
    read_log(s, text, &n);
    return strstr(text, "Out Of Memory") != NULL || strstr(text, "Cannot allocate memory") != NULL;
}

void engine_stop(struct engine_server *s)
{
    child_kill(&s->child);
    if (s->log >= 0) close(s->log);
    s->log = -1;
    private_dir_remove(&s->dir);
}
