/* What this is: the scripted server.
 * Rests on: server_peer.h, libcheck.
 * Does not: serve two connections of one socket at a time, other than in turn. */
#include "server_peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS 8

struct connection {
    int fd;
    char in[8192];
    size_t n;
};

/* A whole command at the head of in: its length, its words in text. 0: more is to come. */
static size_t command(const struct connection *c, char *text, size_t size)
{
    const char *p = c->in, *end = c->in + c->n;
    size_t at = 0;
    char *after;
    long words;
    if (!memchr(p, '\n', c->n) || *p != '*') return 0;
    words = strtol(p + 1, &after, 10);
    p = after + 2;
    for (; words > 0; words--) {
        long n;
        if (p >= end || !memchr(p, '\n', (size_t)(end - p))) return 0;
        n = strtol(p + 1, &after, 10);
        p = after + 2;
        if (n > end - p - 2) return 0;
        at += (size_t)snprintf(text + at, size - at, "%s%.*s", at ? " " : "", (int)n, p);
        p += n + 2;
    }
    return (size_t)(p - c->in);
}

static const char *answer(struct peer *p, const char *text)
{
    p->heard_n += (size_t)snprintf(p->heard + p->heard_n, sizeof p->heard - p->heard_n, "%s\n", text);
    if (p->heard_n >= sizeof p->heard) p->heard_n = sizeof p->heard - 1;
    for (size_t i = 0; i < p->n; i++) {
        struct peer_line *l = &p->lines[i];
        if (strncasecmp(text, l->command, strlen(l->command)) || (l->times && l->used == l->times)) continue;
        l->used++;
        return l->reply;
    }
    return "-ERR unknown command\r\n";
}

/* 0: the connection is over. */
static int serve(struct peer *p, struct connection *c)
{
    char text[4096];
    size_t taken;
    ssize_t got = recv(c->fd, c->in + c->n, sizeof c->in - c->n - 1, 0);
    if (got <= 0) return 0;
    c->n += (size_t)got;
    c->in[c->n] = 0;
    while ((taken = command(c, text, sizeof text))) {
        const char *reply = answer(p, text);
        memmove(c->in, c->in + taken, c->n - taken + 1);
        c->n -= taken;
        if (!reply || send(c->fd, reply, strlen(reply), MSG_NOSIGNAL) < 0) return 0;
    }
    return 1;
}

static void *run(void *opaque)
{
    struct peer *p = opaque;
    struct connection *open = calloc(CONNECTIONS, sizeof *open);
    struct pollfd fds[3 + CONNECTIONS];
    size_t n = 0;
    for (;;) {
        fds[0] = (struct pollfd){p->stop[0], POLLIN, 0};
        fds[1] = (struct pollfd){p->fds[0], n < CONNECTIONS ? POLLIN : 0, 0};
        fds[2] = (struct pollfd){p->fds[1], n < CONNECTIONS ? POLLIN : 0, 0};
        for (size_t i = 0; i < n; i++) fds[3 + i] = (struct pollfd){open[i].fd, POLLIN, 0};
        if (poll(fds, 3 + n, -1) < 0) continue;
        if (fds[0].revents) break;
        for (size_t i = n; i-- > 0;)
            if (fds[3 + i].revents && !serve(p, &open[i])) {
                close(open[i].fd);
                open[i] = open[--n];
            }
        for (int k = 1; k < 3 && n < CONNECTIONS; k++)
            if (fds[k].revents) {
                memset(&open[n], 0, sizeof *open);
                open[n].fd = accept(fds[k].fd, NULL, NULL);
                if (open[n].fd >= 0) n++, p->connections++;
            }
    }
    for (size_t i = 0; i < n; i++) close(open[i].fd);
    free(open);
    return NULL;
}

void peer_start(struct peer *p, struct peer_line *lines, size_t n)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t in_n = sizeof in;
    memset(p, 0, sizeof *p);
    p->lines = lines;
    p->n = n;
    snprintf(p->dir, sizeof p->dir, "/tmp/respite-peer-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/socket", p->dir);
    snprintf(un.sun_path, sizeof un.sun_path, "%s", p->path);
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p->fds[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    p->fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(p->fds[0], (struct sockaddr *)&un, sizeof un), 0);
    ck_assert_int_eq(bind(p->fds[1], (struct sockaddr *)&in, sizeof in), 0);
    ck_assert_int_eq(getsockname(p->fds[1], (struct sockaddr *)&in, &in_n), 0);
    p->port = ntohs(in.sin_port);
    ck_assert_int_eq(listen(p->fds[0], 8), 0);
    ck_assert_int_eq(listen(p->fds[1], 8), 0);
    ck_assert_int_eq(pipe(p->stop), 0);
    ck_assert_int_eq(pthread_create(&p->thread, NULL, run, p), 0);
}

void peer_stop(struct peer *p)
{
    ck_assert_int_eq(write(p->stop[1], "", 1), 1);
    pthread_join(p->thread, NULL);
    for (int i = 0; i < 2; i++) close(p->fds[i]), close(p->stop[i]);
    unlink(p->path);
    rmdir(p->dir);
}

const char *peer_bulk(const char *text)
{
    static char rooms[8][4096];
    static unsigned at;
    char *room = rooms[at++ % 8];
    snprintf(room, sizeof rooms[0], "$%zu\r\n%s\r\n", strlen(text), text);
    return room;
}
