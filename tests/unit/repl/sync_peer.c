/* What this is: the scripted master.
 * Rests on: sync_peer.h, libcheck.
 * Does not: serve two connections at a time. */
#include "sync_peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define INFO "redis_version:7.0.15\r\nredis_mode:standalone\r\nrole:master\r\nloading:0\r\n"

static void drop(struct sync_peer *p)
{
    if (p->fd >= 0) close(p->fd);
    p->fd = -1;
}

/* 1: fd has something of events; 0: the connection is over or the test is. */
static int ready(struct sync_peer *p, int fd, short events)
{
    struct pollfd fds[2] = {{p->stop[0], POLLIN, 0}, {fd, events, 0}};
    if (fd < 0) return 0;
    while (poll(fds, 2, -1) < 0) {}
    if (!fds[0].revents) return 1;
    drop(p);
    return 0;
}

static int more(struct sync_peer *p)
{
    ssize_t got;
    if (!ready(p, p->fd, POLLIN)) return 0;
    got = recv(p->fd, p->in + p->in_n, sizeof p->in - p->in_n - 1, 0);
    if (got <= 0) {
        drop(p);
        return 0;
    }
    p->in_n += (size_t)got;
    return 1;
}

/* A line without its end at in[*at]; NULL: the connection is over. Positions stay: nothing is removed meanwhile. */
static char *line(struct sync_peer *p, size_t *at)
{
    char *end;
    size_t from = *at;
    while (!(end = memchr(p->in + from, '\n', p->in_n - from)))
        if (!more(p)) return NULL;
    *at = (size_t)(end - p->in) + 1;
    if (end > p->in + from && end[-1] == '\r') end--;
    *end = 0;
    return p->in + from;
}

static int command(struct sync_peer *p, char *text, size_t size)
{
    size_t at = 0, n = 0;
    char *l = line(p, &at);
    long words = l && *l == '*' ? strtol(l + 1, NULL, 10) : 0;
    if (l && !*l) snprintf(text, size, "newline");
    for (long i = 0; l && i < words; i++) {
        l = line(p, &at);
        if (l) l = line(p, &at); /* no word here holds a newline */
        if (l) n += (size_t)snprintf(text + n, size - n, "%s%s", i ? " " : "", l);
    }
    if (!l) return 0;
    memmove(p->in, p->in + at, p->in_n - at);
    p->in_n -= at;
    return 1;
}

int sync_hear(struct sync_peer *p, const char *want)
{
    char text[512] = "";
    size_t n = strlen(p->heard);
    if (p->fd < 0 || !command(p, text, sizeof text)) return 0;
    snprintf(p->heard + n, sizeof p->heard - n, "%s\n", text);
    if (!want || !strncasecmp(text, want, strlen(want))) return 1;
    if (!*p->wrong) snprintf(p->wrong, sizeof p->wrong, "'%.100s' came instead of '%.100s'", text, want);
    drop(p);
    return 0;
}

void sync_send(struct sync_peer *p, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n && ready(p, p->fd, POLLOUT)) {
        ssize_t sent = send(p->fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) {
            drop(p);
            return;
        }
        at += sent;
        n -= (size_t)sent;
    }
}

void sync_say(struct sync_peer *p, const char *text)
{
    sync_send(p, text, strlen(text));
}

void sync_wait_taken(struct sync_peer *p)
{
    const struct timespec pause = {0, 20000};
    int left = 1;
    while (p->fd >= 0 && !ioctl(p->fd, SIOCOUTQ, &left) && left) {
        struct pollfd f[2] = {{p->fd, 0, 0}, {p->stop[0], POLLIN, 0}};
        if (poll(f, 2, 0) > 0) return;
        nanosleep(&pause, NULL);
    }
}

void sync_drip(struct sync_peer *p, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n && p->fd >= 0; i++) {
        sync_send(p, (const char *)bytes + i, 1);
        sync_wait_taken(p);
    }
}

int sync_answer(struct sync_peer *p, const char *text, const char *reply)
{
    if (!sync_hear(p, text)) return 0;
    sync_say(p, reply);
    return 1;
}

void sync_greet(struct sync_peer *p, int stream)
{
    char info[1024];
    const char *text = p->info ? p->info : INFO;
    snprintf(info, sizeof info, "$%zu\r\n%s\r\n", strlen(text), text);
    sync_answer(p, "INFO", info);
    sync_answer(p, "REPLCONF capa eof capa psync2", "+OK\r\n");
    if (!stream) sync_answer(p, "REPLCONF rdb-only 1", "+OK\r\n");
}

void sync_wait_go(struct sync_peer *p)
{
    char c;
    if (ready(p, p->go[0], POLLIN) && read(p->go[0], &c, 1) != 1) drop(p);
}

void sync_wait_gone(struct sync_peer *p)
{
    while (sync_hear(p, NULL)) {}
}

void sync_reset(struct sync_peer *p)
{
    const struct linger hard = {1, 0};
    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    drop(p);
}

static void *run(void *opaque)
{
    struct sync_peer *p = opaque;
    for (p->connection = 0;; p->connection++) {
        struct pollfd fds[2] = {{p->stop[0], POLLIN, 0}, {p->listener, POLLIN, 0}};
        while (poll(fds, 2, -1) < 0) {}
        if (fds[0].revents) return NULL;
        p->fd = accept(p->listener, NULL, NULL);
        p->in_n = 0;
        p->script(p);
        drop(p);
    }
}

void sync_peer_start(struct sync_peer *p)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t in_n = sizeof in;
    snprintf(p->dir, sizeof p->dir, "/tmp/respite-sync-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/s", p->dir);
    snprintf(un.sun_path, sizeof un.sun_path, "%s", p->path);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->fd = -1;
    p->listener = socket(p->tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->tcp) {
        ck_assert_int_eq(bind(p->listener, (struct sockaddr *)&in, sizeof in), 0);
        ck_assert_int_eq(getsockname(p->listener, (struct sockaddr *)&in, &in_n), 0);
        p->port = ntohs(in.sin_port);
    } else {
        ck_assert_int_eq(bind(p->listener, (struct sockaddr *)&un, sizeof un), 0);
    }
    ck_assert_int_eq(listen(p->listener, 8), 0);
    ck_assert_int_eq(pipe(p->stop), 0);
    ck_assert_int_eq(pipe(p->go), 0);
    ck_assert_int_eq(pthread_create(&p->thread, NULL, run, p), 0);
}

void sync_peer_go(struct sync_peer *p)
{
    ck_assert_int_eq(write(p->go[1], "", 1), 1);
}

void sync_peer_stop(struct sync_peer *p)
{
    ck_assert_int_eq(write(p->stop[1], "", 1), 1);
    pthread_join(p->thread, NULL);
    close(p->listener);
    for (int i = 0; i < 2; i++) close(p->stop[i]), close(p->go[i]);
    unlink(p->path);
    rmdir(p->dir);
    ck_assert_msg(!*p->wrong, "%s", p->wrong);
}
