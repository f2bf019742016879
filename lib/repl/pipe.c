/* What this is: the pipe: collects, sends, and takes replies whenever sending would wait.
 * Rests on: pipe.h.
 * Does not: start threads: it runs in the caller's. */
#include "repl/pipe.h"

#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"

#define TAKE 65536

struct slot {
    struct pipe_note note;
    uint32_t replies, came;
    size_t bytes, kept; /* kept: of those, in out */
};

struct pipe {
    struct rsp_server *server;
    struct net_conn *conn;
    struct resp_reader *reader;
    struct rsp_env *env;
    pipe_told *told;
    void *ctx;
    struct slot *slots; /* a ring */
    size_t notes;
    uint64_t first, last, most; /* most: bytes outstanding */
    uint64_t replies, bytes;    /* outstanding */
    uint64_t sent, commands;
    size_t begun;              /* bytes of a command that is not finished */
    struct buf out;            /* what is kept, then what is not sent */
    size_t kept_at, unsent_at; /* where these begin */
    pipe_wait *wait;           /* not NULL: it keeps */
    void *wait_ctx;
    int dead;
};

/* On a unix socket we are only told of room when three quarters of the default are free: so much is nothing to a busy
 * server. Those of TCP grow by themselves. */
static void widen(const struct net_conn *conn)
{
    int want = 1 << 20, domain = 0;
    socklen_t n = sizeof domain;
    if (getsockopt(net_fd(conn), SOL_SOCKET, SO_DOMAIN, &domain, &n) || domain != AF_UNIX) return;
    (void)setsockopt(net_fd(conn), SOL_SOCKET, SO_SNDBUF, &want, sizeof want);
}

int pipe_new(struct rsp_server *server, pipe_told *told, void *ctx, struct pipe **ret)
{
    struct rsp_env *env = server_env(server);
    struct pipe *p = mem_zero(env, sizeof *p);
    int rc;
    *ret = NULL;
    if (!p) return RSP_ENOMEM;
    p->server = server;
    p->conn = server_conn(server);
    p->reader = server_reader(server);
    p->env = env;
    p->told = told;
    p->ctx = ctx;
    buf_init(&p->out, env);
    p->notes = PIPE_NOTES;
    p->most = PIPE_BYTES;
    p->slots = mem_alloc(env, p->notes * sizeof *p->slots);
    rc = p->slots ? buf_reserve(&p->out, PIPE_BLOCK) : RSP_ENOMEM;
    if (rc) {
        pipe_free(p);
        return rc;
    }
    widen(p->conn);
    *ret = p;
    return RSP_OK;
}

int pipe_keep(struct pipe *p, uint64_t bytes, size_t notes, pipe_wait *wait, void *ctx)
{
    struct slot *slots = p->slots;
    if (notes < p->notes) {
        slots = mem_alloc(p->env, notes * sizeof *slots);
        if (!slots) return RSP_ENOMEM;
        mem_free(p->env, p->slots, p->notes * sizeof *slots);
        p->notes = notes;
    }
    p->slots = slots;
    p->most = bytes;
    p->wait = wait;
    p->wait_ctx = ctx;
    return RSP_OK;
}

/* ---- replies ---- */

static int one_reply(struct pipe *p, struct pipe_reply *r)
{
    struct slot *s = &p->slots[p->first % p->notes];
    int rc;
    if (p->first == p->last && p->begun && r->error.n) {
        char words[120];
        printable(words, sizeof words, r->error.p, r->error.n);
        return fail(p->env, RSP_EDENIED, rsp_server_name(p->server), "refused a command before all of it was sent: %s",
                    words);
    }
    if (p->first == p->last) return fail(p->env, RSP_EFORMAT, rsp_server_name(p->server), "a reply to no command");
    r->i = s->came++;
    r->of = s->replies;
    r->server = p->server;
    if (s->kept) r->bytes = (struct rsp_span){p->out.p + p->kept_at, s->kept};
    p->replies--;
    rc = p->told(p->ctx, &s->note, r);
    if (s->came == s->replies) {
        p->bytes -= s->bytes;
        p->kept_at += s->kept;
        p->first++;
    }
    return rc;
}

static int all_replies(struct pipe *p)
{
    for (;;) {
        struct pipe_reply r = {0};
        int rc = resp_reader_skim(p->reader, &r.type, &r.integer, &r.error);
        if (rc == RSP_AGAIN) return RSP_OK;
        if (!rc) rc = one_reply(p, &r);
        if (rc) return rc;
    }
}

/* What is there; *n bytes came. */
static int take(struct pipe *p, size_t *n)
{
    *n = 0;
    for (unsigned rounds = 0; rounds < 16; rounds++) {
        uint8_t *at;
        size_t cap, got = 0;
        int rc = resp_reader_room(p->reader, TAKE, &at, &cap);
        if (!rc) rc = net_recv(p->conn, at, cap, &got);
        if (rc == RSP_AGAIN) return RSP_OK;
        if (rc == RSP_END && !p->replies)
            return fail(p->env, RSP_ENET, rsp_server_name(p->server), "the server closed the connection");
        if (rc == RSP_END)
            return fail(p->env, RSP_ENET, rsp_server_name(p->server),
                        "the server closed the connection with %llu commands unanswered",
                        (unsigned long long)p->replies);
        if (rc) return rc;
        resp_reader_fed(p->reader, got);
        *n += got;
        rc = all_replies(p);
        if (rc) return rc;
    }
    return RSP_OK;
}

/* Takes what came; when nothing did, waits for one of events. */
static int step(struct pipe *p, int events)
{
    size_t n;
    int seen = 0, rc = take(p, &n);
    if (rc || n) return rc;
    if (p->wait) rc = p->wait(p->wait_ctx, p, events, server_idle_ms(p->server), &seen);
    else rc = net_wait(p->conn, events, server_idle_ms(p->server), &seen);
    if (rc != RSP_AGAIN) return rc;
    return fail(p->env, RSP_ETIMEOUT, rsp_server_name(p->server),
                "the server has not answered for %lld s, with %llu commands outstanding",
                (long long)(server_idle_ms(p->server) / 1000), (unsigned long long)p->replies);
}

/* ---- sending ---- */

/* A connection that broke while we sent: what the server said before it closed explains more. */
static int broken(struct pipe *p, int rc)
{
    struct rsp_error was, *now = p->env->error;
    size_t n;
    int rc2;
    if (!now || rc != RSP_ENET) return rc;
    was = *now;
    rsp_error_clear(now);
    rc2 = take(p, &n);
    if (rc2 < 0 && rc2 != RSP_ENET && rc2 != RSP_ENOMEM) return rc2;
    *now = was;
    return rc;
}

static int send_all(struct pipe *p, const uint8_t *bytes, size_t n)
{
    while (n) {
        size_t sent = 0;
        int rc = net_send(p->conn, bytes, n, &sent);
        if (rc == RSP_AGAIN) {
            rc = step(p, NET_READ | NET_WRITE);
            if (rc) return rc;
            continue;
        }
        if (rc) return broken(p, rc);
        bytes += sent;
        n -= sent;
        p->sent += sent;
    }
    return RSP_OK;
}

static int ended(struct pipe *p, int rc)
{
    if (rc < 0) p->dead = 1;
    return rc;
}

static int state(struct pipe *p)
{
    volatile const int *cancel = server_cancel(p->server);
    if (p->dead) return RSP_ESTATE;
    if (is_canceled(cancel)) return fail(p->env, RSP_ECANCELED, rsp_server_name(p->server), "cancelled");
    return RSP_OK;
}

static int flush(struct pipe *p)
{
    int rc = RSP_OK;
    while (p->unsent_at < p->out.n) {
        size_t sent = 0;
        rc = net_send(p->conn, p->out.p + p->unsent_at, p->out.n - p->unsent_at, &sent);
        if (rc == RSP_AGAIN) {
            rc = step(p, NET_READ | NET_WRITE);
            if (rc) return rc;
            continue;
        }
        if (rc) return broken(p, rc);
        p->unsent_at += sent;
        p->sent += sent;
    }
    if (!p->wait) p->out.n = p->unsent_at = 0;
    return rc;
}

static int full(const struct pipe *p, size_t n, uint32_t replies)
{
    if (p->first == p->last) return 0;
    return p->last - p->first >= p->notes || p->replies + replies > PIPE_REPLIES || p->bytes + (uint64_t)n > p->most;
}

static int make_room(struct pipe *p, size_t n, uint32_t replies)
{
    int rc;
    if (!full(p, n, replies)) return RSP_OK;
    rc = flush(p);
    while (!rc && full(p, n, replies)) rc = step(p, NET_READ);
    return rc;
}

/* What was answered need not be kept any longer. */
static void forget(struct pipe *p)
{
    size_t rest = p->out.n - p->kept_at;
    if (p->kept_at < PIPE_BLOCK && rest) return;
    if (p->kept_at < rest) return;
    if (rest) memmove(p->out.p, p->out.p + p->kept_at, rest);
    p->unsent_at -= p->kept_at;
    p->out.n = rest;
    p->kept_at = 0;
}

static void add_slot(struct pipe *p, const struct pipe_note *note, uint32_t replies, size_t kept)
{
    struct slot *s = &p->slots[p->last++ % p->notes];
    s->note = *note;
    s->replies = replies;
    s->came = 0;
    s->bytes = p->begun;
    s->kept = kept;
    p->begun = 0;
}

static int put(struct pipe *p, const struct pipe_note *note, const uint8_t *bytes, size_t n, uint32_t replies)
{
    int whole = replies && !p->begun, copied, rc = make_room(p, n, replies);
    if (rc) return rc;
    if (n > PIPE_BLOCK - (p->out.n - p->unsent_at)) rc = flush(p);
    if (rc) return rc;
    if (p->wait) forget(p);
    copied = p->wait ? whole : n <= PIPE_BLOCK / 2 || n <= PIPE_BLOCK - p->out.n;
    if (!copied) rc = flush(p); /* it goes from where it lies */
    else if (n > p->out.cap - p->out.n) rc = buf_reserve(&p->out, n);
    if (rc) return rc;
    p->bytes += n;
    p->begun += n;
    if (replies) add_slot(p, note, replies, p->wait && copied ? n : 0);
    p->replies += replies;
    p->commands += replies;
    if (!copied) return send_all(p, bytes, n);
    memcpy(p->out.p + p->out.n, bytes, n);
    p->out.n += n;
    return RSP_OK;
}

int pipe_put(struct pipe *p, const struct pipe_note *note, const void *bytes, size_t n, uint32_t replies)
{
    int rc = state(p);
    if (rc) return rc;
    if (!n) return ended(p, fail(p->env, RSP_EINVAL, rsp_server_name(p->server), "no command"));
    return ended(p, put(p, note, bytes, n, replies));
}

int pipe_flush(struct pipe *p)
{
    int rc = state(p);
    return rc ? rc : ended(p, flush(p));
}

int pipe_poll(struct pipe *p)
{
    size_t n;
    int rc = state(p);
    if (rc || p->first == p->last) return rc;
    return ended(p, take(p, &n));
}

int pipe_drain(struct pipe *p)
{
    int rc = pipe_flush(p);
    while (!rc && p->first != p->last) rc = step(p, NET_READ);
    return ended(p, rc);
}

int pipe_push(struct pipe *p)
{
    int rc = state(p);
    while (!rc && p->unsent_at < p->out.n) {
        size_t sent = 0;
        rc = net_send(p->conn, p->out.p + p->unsent_at, p->out.n - p->unsent_at, &sent);
        if (rc == RSP_AGAIN) return RSP_OK;
        if (rc) rc = broken(p, rc);
        p->unsent_at += sent;
        p->sent += sent;
    }
    return ended(p, rc);
}

int pipe_take(struct pipe *p)
{
    size_t n;
    return p->dead ? RSP_ESTATE : ended(p, take(p, &n));
}

int pipe_each(const struct pipe *p, int (*each)(void *ctx, const struct pipe_put *put), void *ctx)
{
    const uint8_t *at = p->out.p + p->kept_at;
    int rc = RSP_OK;
    for (uint64_t i = p->first; i < p->last && !rc; i++) {
        const struct slot *s = &p->slots[i % p->notes];
        struct pipe_put out = {s->note, {at, s->kept}, s->replies, s->came};
        at += s->kept;
        rc = each(ctx, &out);
    }
    return rc;
}

const struct pipe_note *pipe_oldest(const struct pipe *p)
{
    return p->first == p->last ? NULL : &p->slots[p->first % p->notes].note;
}

int pipe_unsent(const struct pipe *p)
{
    return p->unsent_at < p->out.n;
}

uint64_t pipe_puts(const struct pipe *p)
{
    return p->last;
}

uint64_t pipe_sent_bytes(const struct pipe *p)
{
    return p->sent;
}

uint64_t pipe_commands(const struct pipe *p)
{
    return p->commands;
}

void pipe_free(struct pipe *p)
{
    if (!p) return;
    buf_free(&p->out);
    mem_free(p->env, p->slots, p->notes * sizeof *p->slots);
    mem_free(p->env, p, sizeof *p);
}
