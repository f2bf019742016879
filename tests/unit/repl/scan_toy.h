/* What this is: a server that knows SCAN, DUMP and what goes with them, over keys that a test lays out, and that lies
 *   as it
 *   is told.
 * Rests on: POSIX threads and sockets, base/crc64.h; check.h before it.
 * Does not: keep data. */
#ifndef TESTS_REPL_SCAN_TOY_H
#define TESTS_REPL_SCAN_TOY_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crc64.h"

struct toy_out {
    uint8_t *p;
    size_t n, cap;
};
static inline void toy_put(struct toy_out *o, const void *p, size_t n)
{
    if (o->cap - o->n < n) {
        o->cap = (o->n + n) * 2;
        o->p = realloc(o->p, o->cap);
        ck_assert_ptr_nonnull(o->p);
    }
    if (n) memcpy(o->p + o->n, p, n);
    o->n += n;
}
static inline void toy_text(struct toy_out *o, const char *text)
{
    toy_put(o, text, strlen(text));
}
static inline void toy_bulk(struct toy_out *o, const void *p, size_t n)
{
    char head[32];
    snprintf(head, sizeof head, "$%zu\r\n", n);
    toy_text(o, head);
    toy_put(o, p, n);
    toy_text(o, "\r\n");
}
/* As DUMP gives it: body, version, sum. */
static inline void toy_dump(struct toy_out *o, const void *body, size_t n, unsigned version, uint64_t spoil)
{
    struct toy_out b = {0};
    uint8_t tail[10] = {(uint8_t)version, (uint8_t)(version >> 8)};
    toy_put(&b, body, n);
    toy_put(&b, tail, 2);
    store_le64(tail + 2, spoil == UINT64_MAX ? 0 : crc64(0, b.p, b.n) ^ spoil);
    toy_put(&b, tail + 2, 8);
    toy_bulk(o, b.p, b.n);
    free(b.p);
}

struct toy {
    /* laid out by the test */
    const char *info, *keyspace;
    /* Answers a command; 0: the toy does, or "-ERR unknown command". */
    int (*answer)(struct toy *t, int argc, char **argv, struct toy_out *out);
    int no_multi;
    size_t cut; /* the connection is closed after so many bytes; 0: never */
    /* what was seen */
    unsigned db, commands;
    /* its own */
    char dir[64], path[80];
    int listening, fd, queued_n, in_multi;
    size_t sent;
    struct toy_out queued;
    pthread_t thread;
    pthread_mutex_t lock; /* held while the toy answers */
};
/* What one thread has set the other sees. */
static inline void toy_sync(struct toy *t)
{
    pthread_mutex_lock(&t->lock);
    pthread_mutex_unlock(&t->lock);
}

static inline void toy_answer(struct toy *t, int argc, char **argv, struct toy_out *out)
{
    t->commands++;
    if (!t->in_multi && t->answer(t, argc, argv, out)) return;
    if (!strcasecmp(argv[0], "INFO")) {
        const char *text = argc > 1 ? t->keyspace : t->info;
        toy_bulk(out, text, strlen(text));
    } else if (!strcasecmp(argv[0], "SELECT") && argc == 2) {
        t->db = (unsigned)atoi(argv[1]);
        toy_text(out, "+OK\r\n");
    } else if (!strcasecmp(argv[0], "MULTI") && !t->no_multi) {
        t->in_multi = 1;
        t->queued.n = 0;
        t->queued_n = 0;
        toy_text(out, "+OK\r\n");
    } else if (!strcasecmp(argv[0], "EXEC") && t->in_multi) {
        char head[32];
        t->in_multi = 0;
        snprintf(head, sizeof head, "*%d\r\n", t->queued_n);
        toy_text(out, head);
        toy_put(out, t->queued.p ? t->queued.p : (const uint8_t *)"", t->queued.n);
    } else {
        struct toy_out *to = t->in_multi ? &t->queued : out;
        if (!t->in_multi || !t->answer(t, argc, argv, to)) toy_text(to, "-ERR unknown command\r\n");
        if (t->in_multi) toy_text(out, "+QUEUED\r\n"), t->queued_n++;
    }
}

/* One command of in[0..n), which is terminated; its length, or 0. */
static inline size_t toy_take(struct toy *t, char *in, size_t n, struct toy_out *out)
{
    char *p = in, *end = in + n, *argv[8] = {0};
    long argc;
    if (!n || !memchr(p, '\n', n)) return 0;
    argc = strtol(p + 1, &p, 10);
    if (argc < 1 || argc > 8) return 0;
    p += 2;
    for (long i = 0; i < argc; i++) {
        long k;
        if (p >= end || !memchr(p, '\n', (size_t)(end - p))) return 0;
        k = strtol(p + 1, &p, 10);
        p += 2;
        if (k > end - p - 2) return 0;
        argv[i] = p;
        p += k;
        if (p[0] != '\r') return 0;
        p += 2;
    }
    for (char *q = in; q < p; q++)
        if (*q == '\r') *q = 0;
    toy_answer(t, (int)argc, argv, out);
    return (size_t)(p - in);
}

static inline int toy_send(struct toy *t, const struct toy_out *out)
{
    size_t n = out->n, at = 0;
    if (t->cut && n > t->cut - t->sent) n = t->cut - t->sent;
    while (at < n) {
        ssize_t k = send(t->fd, out->p + at, n - at, MSG_NOSIGNAL);
        if (k <= 0) return 0;
        at += (size_t)k;
    }
    t->sent += n;
    return n == out->n;
}

static inline void *toy_run(void *opaque)
{
    struct toy *t = opaque;
    static char in[1 << 20];
    struct toy_out out = {0};
    size_t n = 0;
    t->fd = accept(t->listening, NULL, NULL);
    while (t->fd >= 0) {
        size_t taken, at = 0;
        ssize_t got = recv(t->fd, in + n, sizeof in - n - 1, 0);
        if (got <= 0) break;
        n += (size_t)got;
        in[n] = 0;
        out.n = 0;
        pthread_mutex_lock(&t->lock);
        while ((taken = toy_take(t, in + at, n - at, &out))) at += taken;
        pthread_mutex_unlock(&t->lock);
        memmove(in, in + at, n - at);
        n -= at;
        if (!toy_send(t, &out)) break;
    }
    if (t->fd >= 0) close(t->fd);
    free(out.p);
    return NULL;
}

static inline void toy_start(struct toy *t)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    pthread_mutex_init(&t->lock, NULL);
    snprintf(t->dir, sizeof t->dir, "/tmp/respite-toy-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(t->dir));
    snprintf(t->path, sizeof t->path, "%s/s", t->dir);
    memcpy(un.sun_path, t->path, strlen(t->path) + 1);
    t->listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(t->listening, (struct sockaddr *)&un, sizeof un), 0);
    ck_assert_int_eq(listen(t->listening, 1), 0);
    ck_assert_int_eq(pthread_create(&t->thread, NULL, toy_run, t), 0);
}

static inline void toy_stop(struct toy *t) /* the client has closed its end */
{
    shutdown(t->listening, SHUT_RDWR);
    pthread_join(t->thread, NULL);
    close(t->listening);
    pthread_mutex_destroy(&t->lock);
    unlink(t->path);
    rmdir(t->dir);
    free(t->queued.p);
}

#endif
