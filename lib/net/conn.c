/* What this is: a connection that stands: bytes both ways, waiting, waking, closing.
 * Rests on: net_impl.h, libcurl.
 * Does not: connect (open.c). */
#include "net/net_impl.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t net_now_ms(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t)) return 0;
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int net_canceled(const struct net_conn *c)
{
    return c->cancel && __atomic_load_n(c->cancel, __ATOMIC_RELAXED);
}

/* ---- bytes ---- */

static int lost(struct net_conn *c, const char *what, int err)
{
    if (err == ENOMEM || err == ENOBUFS) return net_fault(c, RSP_ENOMEM, 0, err, "cannot %s", what);
    if (!c->tls && !c->received && err == ECONNRESET)
        return net_fault(c, RSP_ENET, 1, err, "cannot %s: cut before anything was said; is it a port for TLS?", what);
    return net_fault(c, RSP_ENET, 1, err, "cannot %s", what);
}

static int tls_recv(struct net_conn *c, void *p, size_t cap, size_t *got)
{
    CURLcode code;
    c->said[0] = 0;
    code = curl_easy_recv(c->easy, p, cap, got);
    if (code == CURLE_AGAIN) return RSP_AGAIN;
    return code ? net_tls_fault(c, "receive", code) : RSP_OK;
}

static int plain_recv(struct net_conn *c, void *p, size_t cap, size_t *got)
{
    ssize_t n;
    do n = recv(c->fd, p, cap, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? RSP_AGAIN : lost(c, "receive", errno);
    *got = (size_t)n;
    return RSP_OK;
}

int net_recv(struct net_conn *c, void *p, size_t cap, size_t *got)
{
    int rc;
    *got = 0;
    if (c->ended) return RSP_END;
    if (!cap) return RSP_EINVAL;
    rc = c->tls ? tls_recv(c, p, cap, got) : plain_recv(c, p, cap, got);
    if (rc) return rc;
    c->received += *got;
    c->ended = !*got;
    return c->ended ? RSP_END : RSP_OK;
}

/* OpenSSL goes on with a record only from the bytes and the place that it began with, so they stay in out. */
static int tls_send(struct net_conn *c, const void *p, size_t n, size_t *sent)
{
    CURLcode code;
    if (!c->held) {
        c->held = n < sizeof c->out ? n : sizeof c->out;
        memcpy(c->out, p, c->held);
    } else if (n < c->held) {
        return net_fault(c, RSP_ESTATE, 0, 0, "fewer bytes to send than before");
    }
    c->said[0] = 0;
    code = curl_easy_send(c->easy, c->out, c->held, sent);
    if (code == CURLE_AGAIN) return RSP_AGAIN;
    if (code) return net_tls_fault(c, "send", code);
    if (*sent < c->held) memmove(c->out, c->out + *sent, c->held - *sent);
    c->held -= *sent;
    return *sent ? RSP_OK : RSP_AGAIN;
}

int net_send(struct net_conn *c, const void *p, size_t n, size_t *sent)
{
    ssize_t done;
    *sent = 0;
    if (!n) return RSP_EINVAL;
    if (c->tls) return tls_send(c, p, n, sent);
    do done = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (done < 0 && errno == EINTR);
    if (done < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? RSP_AGAIN : lost(c, "send", errno);
    *sent = (size_t)done;
    return RSP_OK;
}

/* ---- waiting ---- */

static int slept(struct net_conn *c, const struct pollfd *fds, int events)
{
    short ends = POLLERR | POLLHUP | POLLNVAL; /* whoever asked finds out by the call he waited for */
    int seen = 0;
    if (fds[0].revents & (POLLIN | ends)) seen |= NET_READ;
    if (fds[0].revents & (POLLOUT | ends)) seen |= NET_WRITE;
    seen &= events;
    if (fds[1].revents) {
        uint64_t times;
        ssize_t n = read(c->wake, &times, sizeof times);
        (void)n; /* it does not block, and whether there was one or many does not matter */
        seen |= NET_WOKEN;
    }
    return seen;
}

int net_wait(struct net_conn *c, int events, int64_t ms, int *seen)
{
    short want = (short)((events & NET_READ ? POLLIN : 0) | (events & NET_WRITE ? POLLOUT : 0));
    /* With nothing to wait for on the socket, its end must not make poll return at once for ever. */
    struct pollfd fds[2] = {{.fd = want ? c->fd : -1, .events = want}, {.fd = c->wake, .events = POLLIN}};
    int64_t end = ms < 0 ? 0 : net_now_ms() + ms;
    *seen = 0;
    for (;;) {
        int64_t left = ms < 0 ? INT32_MAX : end - net_now_ms();
        int n;
        if (net_canceled(c)) return net_fault(c, RSP_ECANCELED, 0, 0, "cancelled");
        if (left < 0) left = 0;
        n = poll(fds, 2, (int)(c->cancel && left > NET_SLICE_MS ? NET_SLICE_MS : left > INT32_MAX ? INT32_MAX : left));
        if (n < 0 && errno != EINTR) return net_fault(c, RSP_ENET, 0, errno, "cannot wait");
        if (n > 0) *seen = slept(c, fds, events);
        if (*seen) return RSP_OK;
        if (ms >= 0 && n <= 0 && net_now_ms() >= end) return RSP_AGAIN;
    }
}

void net_wake(struct net_conn *c)
{
    uint64_t one = 1;
    ssize_t n = write(c->wake, &one, sizeof one);
    (void)n; /* full: it is awake already */
}

/* Waits for one event on the socket; being woken does not count, but time that went by does. */
static int progress(struct net_conn *c, int event, int64_t idle_ms, const char *what)
{
    int64_t end = idle_ms < 0 ? 0 : net_now_ms() + idle_ms;
    for (;;) {
        int64_t left = idle_ms < 0 ? -1 : end - net_now_ms();
        int seen, rc = net_wait(c, event, idle_ms >= 0 && left < 0 ? 0 : left, &seen);
        if (rc == RSP_AGAIN)
            return net_fault(c, RSP_ETIMEOUT, 1, 0, "the server %s for %.3g s", what, (double)idle_ms / 1000);
        if (rc || seen & event) return rc;
    }
}

int net_send_all(struct net_conn *c, const void *p, size_t n, int64_t idle_ms)
{
    const uint8_t *from = p;
    while (n) {
        size_t sent;
        int rc = net_send(c, from, n, &sent);
        if (rc == RSP_AGAIN) rc = progress(c, NET_WRITE, idle_ms, "took nothing");
        if (rc) return rc;
        if (net_canceled(c)) return net_fault(c, RSP_ECANCELED, 0, 0, "cancelled");
        from += sent;
        n -= sent;
    }
    return RSP_OK;
}

int net_recv_some(struct net_conn *c, void *p, size_t cap, size_t *got, int64_t idle_ms)
{
    for (;;) {
        int rc;
        *got = 0;
        if (net_canceled(c)) return net_fault(c, RSP_ECANCELED, 0, 0, "cancelled");
        rc = net_recv(c, p, cap, got);
        if (rc != RSP_AGAIN) return rc;
        rc = progress(c, NET_READ, idle_ms, "said nothing");
        if (rc) return rc;
    }
}

/* ---- the rest ---- */

const char *net_security(const struct net_conn *c)
{
    return c->security;
}

int net_fd(const struct net_conn *c)
{
    return c->fd;
}

struct rsp_env *net_env(struct net_conn *c)
{
    return &c->env;
}

void net_close(struct net_conn *c)
{
    struct rsp_env env;
    if (!c) return;
    env = c->env;
    if (c->multi && c->easy) curl_multi_remove_handle(c->multi, c->easy);
    if (c->easy) curl_easy_cleanup(c->easy);
    if (c->multi) curl_multi_cleanup(c->multi);
    if (c->wake >= 0) close(c->wake);
    if (c->name) mem_free(&env, c->name, strlen(c->name) + 1);
    explicit_bzero(c->out, sizeof c->out); /* a password may have gone through it */
    mem_free(&env, c, sizeof *c);
}
