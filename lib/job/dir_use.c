/* What this is: whether a server works in a directory: who answers at its port and sockets, whose working directory it is,
 *   who has its files open.
 * Rests on: respite/sys/live.h, Linux (/proc).
 * Does not: speak to whoever answers; see into other containers. */
#include <respite/sys/live.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"

#define ANSWER_MS 1000

struct look {
    const struct rsp_server_config *c;
    struct stat dir, aof; /* st_ino 0: not there */
    char *why;
    size_t n;
    int unknown;
};

static int RSP_PRINTF(2, 3) in_use(struct look *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (l->n) vsnprintf(l->why, l->n, format, args);
    va_end(args);
    return RSP_DIR_IN_USE;
}

/* Only the first reason is kept; somebody found to be there says more. */
static int RSP_PRINTF(2, 3) unknown(struct look *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!l->unknown && l->n) vsnprintf(l->why, l->n, format, args);
    va_end(args);
    l->unknown = 1;
    return RSP_DIR_FREE;
}

/* ---- who answers ---- */

/* 1: accepted; 0: nobody there; -1: cannot tell. */
static int answers(int family, const struct sockaddr *address, socklen_t n)
{
    struct pollfd p = {-1, POLLOUT, 0};
    int err = 0, rc;
    socklen_t err_n = sizeof err;
    p.fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p.fd < 0) return errno == EAFNOSUPPORT ? 0 : -1;
    if (connect(p.fd, address, n)) err = errno;
    if (err == EINPROGRESS) {
        do {
            rc = poll(&p, 1, ANSWER_MS);
        } while (rc < 0 && errno == EINTR);
        if (rc <= 0) err = ETIMEDOUT;
        else if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &err, &err_n)) err = errno;
    }
    close(p.fd);
    if (!err || err == EAGAIN) return 1; /* EAGAIN: a unix socket whose queue is full */
    return err == ETIMEDOUT || err == EACCES || err == EPERM ? -1 : 0;
}

static int at_port(struct look *l, uint32_t port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *list = NULL;
    const char *host = l->c->bind;
    char service[16];
    int a;
    if (!port) return RSP_DIR_FREE;
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &list)) { /* a name, not an address: asked at home */
        host = "127.0.0.1";
        if (getaddrinfo(host, service, &hints, &list))
            return unknown(l, "cannot ask %s, port %u", host, (unsigned)port);
    }
    a = answers(list->ai_family, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    if (a > 0) return in_use(l, "something answers at %s, port %u", host, (unsigned)port);
    return a < 0 ? unknown(l, "cannot tell whether something answers at %s, port %u", host, (unsigned)port)
                 : RSP_DIR_FREE;
}

static int at_socket(struct look *l)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const char *path = l->c->unixsocket;
    int n, a;
    if (!*path) return RSP_DIR_FREE;
    if (*path == '/') n = snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    else n = snprintf(un.sun_path, sizeof un.sun_path, "%s/%s", l->c->dir, path);
    if (n < 0 || (size_t)n >= sizeof un.sun_path) return RSP_DIR_FREE; /* too long: a server cannot listen there */
    a = answers(AF_UNIX, (const struct sockaddr *)(const void *)&un, sizeof un);
    if (a > 0) return in_use(l, "something answers at the socket %s", path);
    return a < 0 ? unknown(l, "cannot tell whether something answers at the socket %s", path) : RSP_DIR_FREE;
}

/* ---- who is there ---- */

static int like_a_server(const char *name)
{
    static const char *const others[] = {"-cli", "-benchmark", "-check", "export"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(name, others[i])) return 0;
    return strstr(name, "redis") || strstr(name, "valkey") || strstr(name, "keydb");
}

static ssize_t small_file(int process, const char *name, char *out, size_t room)
{
    ssize_t n;
    int fd = openat(process, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    do {
        n = read(fd, out, room - 1);
    } while (n < 0 && errno == EINTR);
    close(fd);
    out[n > 0 ? n : 0] = 0;
    return n;
}

/* Its name, and whether it looks like a server by that, by its first argument or by its program. */
static int server_process(int process, char *name, size_t room)
{
    char text[512];
    const char *base;
    ssize_t n;
    int yes;
    if (small_file(process, "comm", name, room) <= 0) snprintf(name, room, "?");
    name[strcspn(name, "\n")] = 0;
    yes = like_a_server(name);
    if (!yes && small_file(process, "cmdline", text, sizeof text) > 0) {
        text[strcspn(text, " ")] = 0; /* servers write "redis-server *:6379" over it */
        base = strrchr(text, '/');
        yes = like_a_server(base ? base + 1 : text);
    }
    n = yes ? -1 : readlinkat(process, "exe", text, sizeof text - 1);
    if (n > 0) {
        text[n] = 0;
        base = strrchr(text, '/');
        yes = like_a_server(base ? base + 1 : text);
    }
    return yes;
}

static int same(const struct stat *a, const struct stat *b)
{
    return b->st_ino && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* A file that lies in the directory, or in that of the AOF. */
static int file_of(const struct look *l, int fds, const char *fd)
{
    char path[4096 + 16];
    struct stat st;
    char *slash;
    ssize_t n = readlinkat(fds, fd, path, sizeof path - 1);
    if (n <= 0 || path[0] != '/') return 0;
    path[n] = 0;
    slash = strrchr(path, '/');
    if (slash == path || fstatat(fds, fd, &st, 0) || !S_ISREG(st.st_mode)) return 0;
    *slash = 0;
    return !stat(path, &st) && (same(&st, &l->dir) || same(&st, &l->aof));
}

static int has_files(const struct look *l, int process)
{
    int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), yes = 0;
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;
    if (!d) {
        if (fd >= 0) close(fd);
        return 0;
    }
    while (!yes && (e = readdir(d)))
        if (e->d_name[0] != '.') yes = file_of(l, dirfd(d), e->d_name);
    closedir(d);
    return yes;
}

static int one_process(struct look *l, int process, long pid)
{
    char name[64];
    struct stat cwd;
    int server = server_process(process, name, sizeof name);
    if (fstatat(process, "cwd", &cwd, 0)) {
        if (server && (errno == EACCES || errno == EPERM))
            return unknown(l, "cannot see in which directory %s works (process %ld)", name, pid);
        cwd.st_ino = 0;
    }
    if (server && cwd.st_ino && same(&cwd, &l->dir)) return in_use(l, "it is where %s works (process %ld)", name, pid);
    if (has_files(l, process)) return in_use(l, "%s has files open there (process %ld)", name, pid);
    return RSP_DIR_FREE;
}

static int in_proc(struct look *l)
{
    DIR *d = opendir("/proc");
    struct dirent *e;
    int rc = RSP_DIR_FREE, seen = 0;
    if (!d) return unknown(l, "cannot see which processes there are (/proc)");
    while (rc == RSP_DIR_FREE && (e = readdir(d))) {
        char *end;
        long pid = strtol(e->d_name, &end, 10);
        int process;
        if (*end || pid <= 0) continue;
        seen |= pid == 1;
        if (pid == (long)getpid()) continue;
        process = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process < 0) continue; /* it has ended */
        rc = one_process(l, process, pid);
        close(process);
    }
    closedir(d);
    if (rc == RSP_DIR_FREE && !seen) return unknown(l, "cannot see the processes of other users in /proc");
    return rc;
}

static void look_at(struct look *l)
{
    int dir = open(l->c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (stat(l->c->dir, &l->dir)) l->dir.st_ino = 0;
    if (dir < 0 || fstatat(dir, l->c->appenddirname, &l->aof, 0)) l->aof.st_ino = 0;
    if (dir >= 0) close(dir);
}

int rsp_dir_in_use(const struct rsp_env *env, const struct rsp_server_config *config, char *why, size_t n)
{
    struct look l;
    int rc;
    (void)env;
    memset(&l, 0, sizeof l);
    l.c = config;
    l.why = why;
    l.n = n;
    if (n) why[0] = 0;
    look_at(&l);
    rc = at_port(&l, config->port);
    if (rc == RSP_DIR_FREE) rc = at_port(&l, config->tls_port);
    if (rc == RSP_DIR_FREE) rc = at_socket(&l);
    if (rc == RSP_DIR_FREE && l.dir.st_ino) rc = in_proc(&l);
    return rc == RSP_DIR_FREE && l.unknown ? RSP_DIR_UNKNOWN : rc;
}
