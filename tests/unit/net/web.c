/* What this is: the HTTP server of web.h: a thread that accepts, and one for each connection.
 * Rests on: web.h, OpenSSL.
 * Does not: speak more of HTTP than the tests need. */
#include "web.h"

#include <arpa/inet.h>
#include <check.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- bytes ---- */

/* 1 readable, 0 the test is over. */
static int ready(struct web_call *c)
{
    struct pollfd p[2] = {{.fd = c->fd, .events = POLLIN}, {.fd = c->web->stop[0], .events = POLLIN}};
    if (c->ssl && SSL_pending(c->ssl) > 0) return 1;
    while (poll(p, 2, -1) < 0) {}
    return !p[1].revents;
}

static int receive(struct web_call *c, void *p, size_t n)
{
    if (!ready(c)) return -1;
    return c->ssl ? SSL_read(c->ssl, p, (int)n) : (int)recv(c->fd, p, n, 0);
}

int web_send(struct web_call *c, const void *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        int got = c->ssl ? SSL_write(c->ssl, (const char *)p + at, (int)(n - at))
                         : (int)send(c->fd, (const char *)p + at, n - at, MSG_NOSIGNAL);
        if (got <= 0) return -1;
        at += (size_t)got;
    }
    return 0;
}

int web_say(struct web_call *c, const char *text)
{
    return web_send(c, text, strlen(text));
}

void web_wait(struct web_call *c)
{
    char piece[4096];
    while (receive(c, piece, sizeof piece) > 0) {}
}

/* ---- requests ---- */

const char *web_field(struct web_call *c, const char *name)
{
    static _Thread_local char value[8192];
    size_t n = strlen(name);
    for (const char *line = strstr(c->head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, n) || line[2 + n] != ':') continue;
        line += 3 + n;
        while (*line == ' ') line++;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(line, "\r"), line);
        return value;
    }
    return NULL;
}

static int read_line(struct web_call *c, char *out, size_t size)
{
    size_t n = 0;
    while (n + 1 < size && receive(c, out + n, 1) == 1)
        if (out[n++] == '\n') {
            out[n] = 0;
            return 0;
        }
    return -1;
}

static int read_bytes(struct web_call *c, size_t n)
{
    c->body = realloc(c->body, c->body_n + n + 1);
    ck_assert_ptr_nonnull(c->body);
    while (n) {
        int got = receive(c, c->body + c->body_n, n);
        if (got <= 0) return -1;
        c->body_n += (size_t)got;
        n -= (size_t)got;
    }
    return 0;
}

static int read_body(struct web_call *c)
{
    const char *length = web_field(c, "content-length"), *coding;
    char line[64];
    if (length) return read_bytes(c, strtoul(length, NULL, 10));
    coding = web_field(c, "transfer-encoding");
    if (!coding) return 0;
    for (;;) {
        size_t n;
        if (read_line(c, line, sizeof line)) return -1;
        n = strtoul(line, NULL, 16);
        if (n && read_bytes(c, n)) return -1;
        if (read_line(c, line, sizeof line)) return -1;
        if (!n) return 0;
    }
}

static int read_request(struct web_call *c)
{
    size_t n = 0;
    for (;;) {
        size_t from = n;
        if (read_line(c, c->head + n, sizeof c->head - n)) return -1;
        n += strlen(c->head + n);
        if (!strcmp(c->head + from, "\r\n")) break;
    }
    if (sscanf(c->head, "%31s %511s", c->method, c->path) != 2) return -1;
    return strncmp(c->path, "/early", 6) ? read_body(c) : 0; /* answered before the body is read */
}

/* ---- connections ---- */

static void reset(int fd)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

static void *serve(void *opaque)
{
    struct web_call *c = opaque;
    int more = 1;
    if (c->web->tls) {
        c->ssl = SSL_new(c->web->tls);
        SSL_set_fd(c->ssl, c->fd);
        more = ready(c) && SSL_accept(c->ssl) == 1;
    }
    while (more == 1 && !read_request(c)) {
        c->nth++;
        __atomic_add_fetch(&c->web->requests, 1, __ATOMIC_RELAXED);
        more = c->web->answer(c);
        free(c->body);
        c->body = NULL;
        c->body_n = 0;
    }
    free(c->body);
    if (more < 0) reset(c->fd);
    else if (c->ssl && !more) SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    if (!more) { /* what was sent is to arrive: no reset because of what was not read */
        c->ssl = NULL;
        shutdown(c->fd, SHUT_WR);
        web_wait(c);
    }
    close(c->fd);
    free(c);
    return NULL;
}

#define CALLS 64

static void *run(void *opaque)
{
    struct web *w = opaque;
    pthread_t threads[CALLS];
    int n = 0;
    for (;;) {
        struct pollfd p[2] = {{.fd = w->listener, .events = POLLIN}, {.fd = w->stop[0], .events = POLLIN}};
        struct web_call *c;
        int fd;
        if (poll(p, 2, -1) < 0) continue;
        if (p[1].revents) break;
        fd = accept(w->listener, NULL, NULL);
        if (fd < 0) continue;
        if (__atomic_add_fetch(&w->connections, 1, __ATOMIC_RELAXED) <= w->reset_first) {
            reset(fd);
            close(fd);
            continue;
        }
        c = calloc(1, sizeof *c);
        ck_assert(c && n < CALLS);
        c->web = w;
        c->fd = fd;
        c->connection = w->connections;
        ck_assert_int_eq(pthread_create(&threads[n++], NULL, serve, c), 0);
    }
    while (n) pthread_join(threads[--n], NULL);
    return NULL;
}

void web_start(struct web *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    sigset_t pipe, before;
    w->connections = w->requests = 0;
    ck_assert_int_eq(pipe2(w->stop, 0), 0);
    w->listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(w->listener >= 0 && !bind(w->listener, (struct sockaddr *)&a, n) && !listen(w->listener, 64));
    ck_assert_int_eq(getsockname(w->listener, (struct sockaddr *)&a, &n), 0);
    w->port = ntohs(a.sin_port);
    if (w->cert) {
        w->tls = SSL_CTX_new(TLS_server_method());
        ck_assert_ptr_nonnull(w->tls);
        if (w->tls_most) {
            SSL_CTX_set_security_level(w->tls, 0);
            SSL_CTX_set_min_proto_version(w->tls, 0);
            SSL_CTX_set_max_proto_version(w->tls, w->tls_most);
        }
        ck_assert_int_eq(SSL_CTX_use_certificate_file(w->tls, w->cert, SSL_FILETYPE_PEM), 1);
        ck_assert_int_eq(SSL_CTX_use_PrivateKey_file(w->tls, w->key, SSL_FILETYPE_PEM), 1);
    }
    /* Of this side's threads only: the client's own must hold it back by itself. */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    ck_assert_int_eq(pthread_create(&w->thread, NULL, run, w), 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void web_stop(struct web *w)
{
    close(w->stop[1]);
    pthread_join(w->thread, NULL);
    close(w->stop[0]);
    close(w->listener);
    SSL_CTX_free(w->tls);
    w->tls = NULL;
}

/* ---- a certificate of yesterday ---- */

static FILE *opened(const char *folder, const char *name, const char *mode)
{
    char path[256];
    FILE *f;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, mode);
    ck_assert_ptr_nonnull(f);
    return f;
}

void web_expired(const char *folder)
{
    FILE *f = opened(folder, "ca.pem", "r"), *k = opened(folder, "ca.key", "r");
    X509 *ca = PEM_read_X509(f, NULL, NULL, NULL), *cert = X509_new();
    EVP_PKEY *ca_key = PEM_read_PrivateKey(k, NULL, NULL, NULL), *key = EVP_EC_gen("P-256");
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    ck_assert(ca && cert && ca_key && key && names);
    fclose(f);
    fclose(k);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 77);
    X509_gmtime_adj(X509_getm_notBefore(cert), -48 * 3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), -24 * 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"old", -1, -1,
                               0);
    X509_set_issuer_name(cert, X509_get_subject_name(ca));
    X509_set_pubkey(cert, key);
    X509_add_ext(cert, names, -1);
    ck_assert_int_gt(X509_sign(cert, ca_key, EVP_sha256()), 0);
    f = opened(folder, "old.pem", "w");
    k = opened(folder, "old.key", "w");
    ck_assert_int_eq(PEM_write_X509(f, cert), 1);
    ck_assert_int_eq(PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    fclose(k);
    X509_EXTENSION_free(names);
    X509_free(cert);
    X509_free(ca);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
}
