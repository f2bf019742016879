/* What this is: the listening thread.
 * Rests on: peer.h, libcheck.
 * Does not: make certificates (certificates.c). */
#include "peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 1: the descriptor is ready; 0: the peer is to stop. */
static int ready(const struct peer *p, int fd, short events)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = p->stop[0], .events = POLLIN}};
    while (poll(fds, 2, -1) < 0) continue;
    return fds[1].revents == 0;
}

/* Bytes, 0 at the end, -1 at a fault or when the peer is to stop. */
static ssize_t get(const struct peer *p, int fd, SSL *ssl, void *to, size_t n)
{
    for (;;) {
        int got;
        if (!ssl) return ready(p, fd, POLLIN) ? recv(fd, to, n, 0) : -1;
        got = SSL_read(ssl, to, (int)n);
        if (got > 0) return got;
        switch (SSL_get_error(ssl, got)) {
        case SSL_ERROR_WANT_READ:
            if (!ready(p, fd, POLLIN)) return -1;
            break;
        case SSL_ERROR_WANT_WRITE:
            if (!ready(p, fd, POLLOUT)) return -1;
            break;
        case SSL_ERROR_ZERO_RETURN: return 0;
        default: return -1;
        }
    }
}

static int put(const struct peer *p, int fd, SSL *ssl, const char *from, size_t n)
{
    while (n) {
        ssize_t sent;
        if (!ready(p, fd, POLLOUT)) return -1;
        sent = ssl ? SSL_write(ssl, from, (int)n) : send(fd, from, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            if (!ssl || SSL_get_error(ssl, (int)sent) != SSL_ERROR_WANT_WRITE) return -1;
            continue;
        }
        from += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static int handshake(const struct peer *p, int fd, SSL *ssl)
{
    for (;;) {
        int rc = SSL_accept(ssl);
        if (rc == 1) return 0;
        rc = SSL_get_error(ssl, rc);
        if (rc != SSL_ERROR_WANT_READ && rc != SSL_ERROR_WANT_WRITE) return -1;
        if (!ready(p, fd, rc == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) return -1;
    }
}

static void serve(struct peer *p, int fd, SSL *ssl)
{
    char text[16384];
    ssize_t n;
    if (ssl && handshake(p, fd, ssl)) return;
    if (p->does == PEER_SINK && !ready(p, p->going[0], POLLIN)) return;
    if (p->does == PEER_BYE || p->does == PEER_CUT) {
        const char *says = p->says ? p->says : "bye";
        put(p, fd, ssl, says, strlen(says));
        if (ssl && p->does == PEER_BYE) SSL_shutdown(ssl);
        return;
    }
    while ((n = get(p, fd, ssl, text, sizeof text)) > 0) {
        if (p->does == PEER_ECHO && put(p, fd, ssl, text, (size_t)n)) return;
        for (ssize_t i = 0; i < n && p->does == PEER_SINK; i++) p->sum = p->sum * 31 + (unsigned char)text[i];
        __atomic_add_fetch(&p->bytes, (uint64_t)n, __ATOMIC_SEQ_CST);
    }
}

static void *run(void *opaque)
{
    struct peer *p = opaque;
    sigset_t pipe; /* OpenSSL's writes; the thread under test keeps the signal */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    while (ready(p, p->listener, POLLIN)) {
        SSL *ssl = NULL;
        int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) continue;
        __atomic_add_fetch(&p->accepted, 1, __ATOMIC_SEQ_CST);
        if (p->does == PEER_SILENT) {
            ready(p, -1, 0);
        } else {
            if (p->tls) {
                fcntl(fd, F_SETFL, O_NONBLOCK);
                ssl = SSL_new(p->tls);
                SSL_set_fd(ssl, fd);
            }
            serve(p, fd, ssl);
            SSL_free(ssl);
        }
        close(fd);
    }
    return NULL;
}

static void listen_tcp(struct peer *p)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    socklen_t n = p->ipv6 ? sizeof v6 : sizeof v4;
    struct sockaddr *to = p->ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    p->listener = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(p->listener, 0);
    ck_assert_int_eq(bind(p->listener, to, n), 0);
    ck_assert_int_eq(getsockname(p->listener, to, &n), 0);
    p->port = ntohs(p->ipv6 ? v6.sin6_port : v4.sin_port);
}

static void listen_unix(struct peer *p)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s", p->path);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(p->listener, 0);
    ck_assert_int_eq(bind(p->listener, (struct sockaddr *)&to, sizeof to), 0);
}

static void prepare_tls(struct peer *p)
{
    p->tls = SSL_CTX_new(TLS_server_method());
    ck_assert_ptr_nonnull(p->tls);
    SSL_CTX_set_mode(p->tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (p->tls12) SSL_CTX_set_max_proto_version(p->tls, TLS1_2_VERSION);
    ck_assert_int_eq(SSL_CTX_use_certificate_file(p->tls, p->cert, SSL_FILETYPE_PEM), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(p->tls, p->key, SSL_FILETYPE_PEM), 1);
    if (!p->ask_cert) return;
    ck_assert_int_eq(SSL_CTX_load_verify_locations(p->tls, p->ca, NULL), 1);
    SSL_CTX_set_verify(p->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

void peer_start(struct peer *p)
{
    if (p->path) listen_unix(p);
    else listen_tcp(p);
    if (p->cert) prepare_tls(p);
    ck_assert_int_eq(listen(p->listener, 8), 0);
    ck_assert_int_eq(pipe2(p->stop, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(p->going, O_CLOEXEC), 0);
    ck_assert_int_eq(pthread_create(&p->thread, NULL, run, p), 0);
}

void peer_go(struct peer *p)
{
    ck_assert_int_eq(write(p->going[1], "g", 1), 1);
}

void peer_stop(struct peer *p)
{
    ck_assert_int_eq(write(p->stop[1], "s", 1), 1);
    ck_assert_int_eq(pthread_join(p->thread, NULL), 0);
    for (int i = 0; i < 2; i++) {
        close(p->stop[i]);
        close(p->going[i]);
    }
    close(p->listener);
    SSL_CTX_free(p->tls);
    p->tls = NULL;
    if (p->path) unlink(p->path);
}
