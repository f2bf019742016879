/* What this is: the thread that drains a server's socket: dataset, then, where it is wanted, the replication stream.
 * Rests on: sync.h.
 * Does not: look into the bytes but for the mark behind the dataset. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/mem.h"
#include "repl/sync.h"
#include "repl/sync_turns.h"

#define TICK_MS 200
#define ACK_MS 1000
#define STALL_MS 5000 /* a server whose bytes we do not take hears of us so often */
#define GATHER_US_MOST 1000
#define GATHER_US_LEAST 50
#define GATHER_BYTES (96u << 10) /* well within what a socket holds: the server must not find it full */

int64_t sync_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Sends what is left of y->out. What a socket does not take now is offered again at the next turn, and nothing else
 * before it: TLS may have sealed it already. */
static int say(struct sync *y)
{
    while (y->out_at < y->out_n) {
        size_t sent = 0;
        int rc = net_send(server_conn(y->server), y->out + y->out_at, y->out_n - y->out_at, &sent);
        if (rc) return rc == RSP_AGAIN ? RSP_OK : rc;
        y->out_at += sent;
    }
    return RSP_OK;
}

/* What is due: an acknowledgement once a second in the stream, a newline during a long stall of ours. */
static int keep_alive(struct sync *y, int stalled)
{
    char digits[24];
    int64_t t = sync_clock_ms();
    int n;
    if (y->out_at < y->out_n) return say(y);
    if (y->online ? t - y->told_ms < ACK_MS : !stalled || t - y->told_ms < STALL_MS) return RSP_OK;
    y->told_ms = t;
    y->out_at = 0;
    if (y->online) {
        n = snprintf(digits, sizeof digits, "%" PRIu64, atomic_load(&y->ack));
        n = snprintf(y->out, sizeof y->out, "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$%d\r\n%s\r\n", n, digits);
        y->out_n = (size_t)n;
    } else {
        y->out[0] = '\n';
        y->out_n = 1;
    }
    return say(y);
}

static int closed(struct sync *y)
{
    const char *name = rsp_server_name(y->server);
    if (y->online) return RSP_END;
    if (y->has_mark)
        return fail_at(&y->own, RSP_ETRUNCATED, name, y->received,
                       "the server closed the connection before the end of the dataset; its log tells why (a save that "
                       "failed, or client-output-buffer-limit)");
    return fail_at(&y->own, RSP_ETRUNCATED, name, y->received,
                   "the server closed the connection, %" PRIu64
                   " bytes before the end of the dataset; its log tells why",
                   y->length - y->received);
}

/* A server that forks sends its dataset in pieces of 16 KiB, as fast as it makes them. Whoever is woken for each of them
 * takes processors from others, and from that server where it runs on this machine. So once a piece was taken the next
 * look waits, as long as it takes for some pieces to gather. A server whose pieces lie in the socket in great number is
 * a fast one, for which we wait less. */
static void gather(struct sync *y)
{
    struct timespec t = {0, 0};
    if (y->gathered >= GATHER_BYTES) {
        y->gather_us /= 2;
    } else if (y->gathered < GATHER_BYTES / 2) {
        y->gather_us += y->gather_us / 2 + GATHER_US_LEAST;
        if (y->gather_us > GATHER_US_MOST) y->gather_us = GATHER_US_MOST;
    }
    y->gathered = 0;
    t.tv_nsec = y->gather_us * 1000;
    nanosleep(&t, NULL); /* a signal may cut it short */
}

/* 1..cap bytes into p. Waits; RSP_ECANCELED without words when the sync is to end. */
static int receive(struct sync *y, uint8_t *p, size_t cap, size_t *got)
{
    for (;;) {
        int seen, rc = net_recv(server_conn(y->server), p, cap, got);
        if (rc == RSP_END) return closed(y);
        if (rc != RSP_AGAIN) {
            if (!rc) y->heard_ms = sync_clock_ms();
            y->gathered += *got;
            return rc;
        }
        if (atomic_load(&y->stop)) return RSP_ECANCELED;
        if (y->gathered && !y->online) {
            gather(y);
            continue;
        }
        rc = keep_alive(y, 0);
        if (!rc) rc = net_wait(server_conn(y->server), NET_READ, TICK_MS, &seen);
        if (rc && rc != RSP_AGAIN) return rc;
        /* A server without writes still pings its replicas, every 10 s by default. */
        if (sync_clock_ms() - y->heard_ms >= server_idle_ms(y->server))
            return fail_at(&y->own, RSP_ETIMEOUT, rsp_server_name(y->server), y->received,
                           "nothing came for %" PRId64 " s", server_idle_ms(y->server) / 1000);
    }
}

static int room(struct sync *y, struct ring *ring, uint8_t **p, size_t *cap)
{
    int rc;
    y->told_ms = y->online ? y->told_ms : sync_clock_ms();
    while ((rc = ring_room(ring, &y->own, TICK_MS, p, cap)) == RSP_AGAIN) {
        if (atomic_load(&y->stop) || is_canceled(y->cancel)) return RSP_ECANCELED;
        rc = keep_alive(y, 1);
        if (rc) return rc;
        y->heard_ms = sync_clock_ms(); /* it is we who do not listen */
    }
    return rc;
}

static void remember_tail(struct sync *y, const uint8_t *p, size_t n)
{
    if (n >= SYNC_MARK) {
        memcpy(y->tail, p + n - SYNC_MARK, SYNC_MARK);
    } else {
        memmove(y->tail, y->tail + n, SYNC_MARK - n);
        memcpy(y->tail + SYNC_MARK - n, p, n);
    }
}

/* The dataset. Behind the mark the server sends nothing before an acknowledgement, and behind a length nothing is taken,
 * so no byte of the stream can come here. */
static int drain_rdb(struct sync *y)
{
    const size_t hold = y->has_mark ? SYNC_MARK : 0;
    for (;;) {
        uint8_t *p;
        size_t cap, got;
        int rc = room(y, y->rdb, &p, &cap);
        if (!rc && !y->has_mark && cap > y->length - y->received) cap = (size_t)(y->length - y->received);
        if (!rc) rc = receive(y, p, cap, &got);
        if (rc) return rc;
        if (y->has_mark) remember_tail(y, p, got);
        y->received += got;
        ring_put(y->rdb, got, hold);
        if (y->has_mark && y->received >= SYNC_MARK && !memcmp(y->tail, y->mark, SYNC_MARK)) return RSP_OK;
        if (!y->has_mark && y->received == y->length) return RSP_OK;
    }
}

static int drain_stream(struct sync *y)
{
    y->online = 1;
    y->told_ms = sync_clock_ms() - ACK_MS; /* at once: the server holds the stream back until it hears from us */
    for (;;) {
        uint8_t *p;
        size_t cap, got;
        int rc = keep_alive(y, 0);
        if (!rc) rc = room(y, y->stream, &p, &cap);
        if (!rc) rc = receive(y, p, cap, &got);
        if (rc) return rc;
        y->received += got;
        ring_put(y->stream, got, 0);
    }
}

static void *drain(void *arg)
{
    struct sync *y = arg;
    int rc;
    turns_short();
    rc = drain_rdb(y);
    if (rc == RSP_OK) {
        ring_end(y->rdb, RSP_END, NULL);
        if (!y->stream) { /* else the server fills its buffers for us for as long as the snapshot is stored */
            (void)shutdown(net_fd(server_conn(y->server)), SHUT_RDWR);
            return NULL;
        }
        y->received = 0;
        rc = drain_stream(y);
        if (rc == RSP_OK) rc = RSP_END;
    } else {
        ring_end(y->rdb, rc, &y->words);
    }
    if (y->stream) ring_end(y->stream, rc, rc < 0 ? &y->words : NULL);
    return NULL;
}

int sync_start(struct sync *y)
{
    int rc = ring_new(&y->env, y->o.ring_bytes, y->o.spool, &y->rdb);
    if (!rc && y->o.stream) rc = ring_new(&y->env, y->o.ring_bytes, y->o.spool, &y->stream);
    if (rc) return rc;
    y->own = y->env;
    y->own.error = &y->words;
    *net_env(server_conn(y->server)) = y->own; /* the connection's words are the thread's from here on */
    atomic_store(&y->ack, y->offset);
    y->heard_ms = y->told_ms = sync_clock_ms();
    if (pthread_create(&y->thread, NULL, drain, y)) return fail(&y->env, RSP_ENOMEM, NULL, "cannot start a thread");
    y->running = 1;
    return RSP_OK;
}

void sync_end(struct sync *y)
{
    if (y->running) {
        atomic_store(&y->stop, 1);
        ring_stop(y->rdb);
        if (y->stream) ring_stop(y->stream);
        net_wake(server_conn(y->server));
        pthread_join(y->thread, NULL);
        *net_env(server_conn(y->server)) = y->env; /* whose words they are again */
        y->running = 0;
    }
    ring_free(y->rdb);
    ring_free(y->stream);
    y->rdb = y->stream = NULL;
}
