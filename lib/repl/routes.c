/* What this is: commands on their way to the owners of their slots, and one wait for all connections.
 * Rests on: routes.h.
 * Does not: follow redirections (routes_redo.c) or look for nodes (routes_map.c). */
#include "repl/routes.h"

#include <poll.h>
#include <stdio.h>

#include "base/mem.h"

#define NOTES_LEAST 1024
#define BYTES_LEAST (256u << 10)
#define POLL_MS 200 /* then it is looked whether we are cancelled */

/* ---- one wait for all ---- */

int routes_broke(struct routes_node *x, int rc)
{
    struct routes *r = x->routes;
    if (r->fault) return r->fault;
    if (rc >= 0 || !r->cluster) return rc;
    if (x->lost && rc == RSP_ESTATE) return RSP_OK;
    if (rc != RSP_ENET && rc != RSP_ETIMEOUT) return rc;
    snprintf(x->lost_words, sizeof x->lost_words, "%.150s", r->env.error->code ? r->env.error->message : "it broke");
    rsp_error_clear(r->env.error);
    x->lost = rc;
    r->trouble = 1;
    return RSP_OK;
}

static int polled(const struct routes_node *x, const struct pipe *p)
{
    return x->pipe && !x->lost && (x->pipe == p || pipe_unsent(x->pipe) || pipe_oldest(x->pipe));
}

static int gather(struct routes *r, const struct pipe *p, int events)
{
    int rc = RSP_OK;
    r->polls.n = 0;
    for (size_t i = 0; i < r->nodes_n && !rc; i++) {
        struct routes_node *x = r->nodes[i];
        struct pollfd f = {.events = POLLIN};
        if (!polled(x, p)) continue;
        f.fd = net_fd(server_conn(x->server));
        if (x->pipe == p ? events & NET_WRITE : pipe_unsent(x->pipe)) f.events |= POLLOUT;
        rc = buf_add(&r->polls, &f, sizeof f);
    }
    return rc;
}

/* What poll saw. */
static int serve(struct routes *r, const struct pipe *p, int *seen)
{
    const struct pollfd *f = (const struct pollfd *)(const void *)r->polls.p;
    size_t n = r->polls.n / sizeof *f, k = 0;
    for (size_t i = 0; i < r->nodes_n && k < n; i++) {
        struct routes_node *x = r->nodes[i];
        int rc = RSP_OK;
        if (!x->pipe || x->lost || f[k].fd != net_fd(server_conn(x->server))) continue;
        k++;
        if (x->pipe == p) {
            if (f[k - 1].revents & ~POLLOUT) *seen |= NET_READ;
            if (f[k - 1].revents & POLLOUT) *seen |= NET_WRITE;
            continue;
        }
        if (f[k - 1].revents & ~POLLOUT) rc = pipe_take(x->pipe);
        if (!rc && f[k - 1].revents & POLLOUT) rc = pipe_push(x->pipe);
        if (rc) rc = routes_broke(x, rc);
        if (rc) return rc;
    }
    return RSP_OK;
}

static int wait_all(void *ctx, struct pipe *p, int events, int64_t ms, int *seen)
{
    struct routes *r = ctx;
    int64_t until = routes_now() + ms;
    *seen = 0;
    for (;;) {
        int64_t left = until - routes_now();
        int rc;
        if (is_canceled(r->cancel)) return fail(&r->env, RSP_ECANCELED, NULL, "cancelled");
        if (left <= 0) return RSP_AGAIN;
        rc = gather(r, p, events);
        if (rc) return rc;
        rc = poll((struct pollfd *)(void *)r->polls.p, r->polls.n / sizeof(struct pollfd),
                  (int)(left < POLL_MS ? left : POLL_MS));
        if (rc > 0) rc = serve(r, p, seen);
        else rc = RSP_OK; /* EINTR too */
        if (rc || *seen) return rc;
    }
}

/* ---- pipes ---- */

int routes_pipe(struct routes_node *x)
{
    struct routes *r = x->routes;
    size_t n = routes_n(r), notes = PIPE_NOTES;
    uint64_t bytes;
    int rc;
    if (!r->cluster) return pipe_new(x->server, r->told, r->ctx, &x->pipe);
    if (r->map && r->map->shards_n > n) n = r->map->shards_n;
    bytes = ROUTES_BYTES / (n ? n : 1);
    if (bytes < BYTES_LEAST) bytes = BYTES_LEAST;
    while (n > 1 && notes > NOTES_LEAST) notes /= 2, n /= 2;
    rc = pipe_new(x->server, routes_told, x, &x->pipe);
    return rc ? rc : pipe_keep(x->pipe, bytes, notes, wait_all, r);
}

int routes_start(struct routes *r, pipe_told *told, routes_gone *gone, void *ctx)
{
    int rc = RSP_OK;
    r->told = told;
    r->gone = gone;
    r->ctx = ctx;
    r->fault = r->trouble = 0;
    r->started = 1;
    for (size_t i = 0; i < r->nodes_n && !rc; i++)
        if (r->nodes[i]->server && !r->nodes[i]->pipe && !r->nodes[i]->lost) rc = routes_pipe(r->nodes[i]);
    return rc;
}

void routes_stop(struct routes *r)
{
    for (size_t i = 0; i < r->nodes_n; i++) {
        struct routes_node *x = r->nodes[i];
        if (x->pipe) r->sent += pipe_sent_bytes(x->pipe);
        pipe_free(x->pipe);
        x->pipe = NULL;
    }
    r->redo.n = r->bytes.n = 0;
    r->piece = NULL;
    r->started = 0;
}

/* ---- putting ---- */

static int send_to_owner(struct routes *r, const struct pipe_note *note, const void *bytes, size_t n, uint32_t replies)
{
    for (;;) {
        struct routes_node *x;
        uint64_t before;
        int rc = r->fault;
        if (!rc && r->trouble) rc = routes_settle(r);
        if (rc) return rc;
        if (r->owner[note->slot] == RSP_NO_SHARD)
            return fail(&r->env, RSP_EBUSY, NULL, "slot %u of the cluster has no owner", (unsigned)note->slot);
        x = r->nodes[r->owner[note->slot]];
        before = pipe_puts(x->pipe);
        rc = pipe_put(x->pipe, note, bytes, n, replies);
        if (rc) rc = routes_broke(x, rc);
        if (rc || pipe_puts(x->pipe) != before) return rc;
    }
}

/* ---- a command in pieces ---- */

/* The second bulk of a command. */
static struct rsp_span second(const uint8_t *p, size_t n)
{
    struct rsp_span none = {NULL, 0};
    const uint8_t *end = p + n;
    size_t len = 0;
    for (int i = 0; i < 2; i++) {
        p = p < end ? memchr(p, '$', (size_t)(end - p)) : NULL;
        if (!p) return none;
        for (p++, len = 0; p < end && *p >= '0' && *p <= '9' && len < SIZE_MAX / 16; p++) len = len * 10 + (*p - '0');
        if ((size_t)(end - p) < 2 || len > (size_t)(end - p) - 2) return none;
        p += 2 + (i ? 0 : len);
    }
    return (struct rsp_span){p, len};
}

/* Pieces are not kept, so they must go to the right node at once: a question about the key is sent ahead. */
static int probe(struct routes *r, const struct pipe_note *note, const uint8_t *bytes, size_t n)
{
    struct pipe_note question = {.kind = ROUTES_PROBE, .from = note->from, .slot = note->slot, .repeat = 1};
    struct rsp_span key = second(bytes, n);
    struct buf out;
    int rc;
    buf_init(&out, &r->env);
    r->probed = NULL;

    rc = resp_begin(&out, 2);
    if (!rc) rc = resp_text(&out, "EXISTS");
    if (!rc) rc = resp_bulk(&out, key.p ? key.p : (const uint8_t *)"", key.n);
    if (!rc) rc = send_to_owner(r, &question, out.p, out.n, 1);
    if (!rc) rc = routes_drain(r);
    if (!rc && !r->probed) rc = fail(&r->env, RSP_ESTATE, NULL, "nobody was found for a slot");
    out.n = 0;
    if (!rc && r->probed_asking) rc = resp_words(&out, "ASKING");
    question.repeat = 0;
    if (!rc && r->probed_asking) rc = pipe_put(r->probed->pipe, &question, out.p, out.n, 1);
    if (rc && r->probed) rc = routes_broke(r->probed, rc);
    if (!rc) r->piece = r->probed;
    buf_free(&out);
    return rc;
}

static int put_piece(struct routes *r, const struct pipe_note *note, const void *bytes, size_t n, uint32_t replies)
{
    int rc = RSP_OK;
    if (!r->piece) {
        rc = routes_drain(r);
        if (!rc) rc = probe(r, note, bytes, n);
        if (rc) return rc;
        r->piece_gone = 0;
    }
    if (!r->piece_gone) {
        uint64_t before = pipe_puts(r->piece->pipe);
        rc = pipe_put(r->piece->pipe, note, bytes, n, replies);
        if (rc) r->piece_gone = pipe_puts(r->piece->pipe) == before; /* else it is told as all that was not answered */
        if (rc) rc = routes_broke(r->piece, rc);
    }
    if (rc || !replies) return rc;
    r->piece = NULL;
    if (r->piece_gone) rc = routes_gone_put(r, note);
    r->piece_gone = 0;
    return rc;
}

int routes_put(struct routes *r, const struct pipe_note *note, unsigned slot, const void *bytes, size_t n,
               uint32_t replies)
{
    struct pipe_note own;
    if (!r->cluster) return pipe_put(r->nodes[0]->pipe, note, bytes, n, replies);
    own = *note;
    own.slot = (uint16_t)slot;
    if (!n) return fail(&r->env, RSP_EINVAL, NULL, "no command");
    if (r->piece || !replies) return put_piece(r, &own, bytes, n, replies);
    return send_to_owner(r, &own, bytes, n, replies);
}

int routes_put_each(struct routes *r, const struct pipe_note *note, const void *bytes, size_t n, uint32_t replies)
{
    size_t nodes = routes_n(r);
    struct pipe_note own = *note;
    int rc = routes_drain(r);
    own.slot = ROUTES_NO_SLOT;
    for (size_t i = 0; i < nodes && !rc; i++) {
        struct routes_node *x = routes_node(r, i);
        own.index = i;
        rc = pipe_put(x->pipe, &own, bytes, n, replies);
        if (!rc) rc = pipe_drain(x->pipe);
    }
    return r->fault ? r->fault : rc;
}

/* ---- all pipes ---- */

enum what { FLUSH, POLL, DRAIN };

static int each_pipe(struct routes *r, enum what what)
{
    int rc = r->fault;
    for (size_t i = 0; i < r->nodes_n && !rc; i++) {
        struct routes_node *x = r->nodes[i];
        if (!x->pipe || x->lost) continue;
        if (what == DRAIN) rc = pipe_drain(x->pipe);
        else if (what == POLL) rc = pipe_poll(x->pipe);
        else rc = r->cluster ? pipe_push(x->pipe) : pipe_flush(x->pipe);
        if (rc) rc = routes_broke(x, rc);
    }
    return r->fault ? r->fault : rc;
}

int routes_flush(struct routes *r)
{
    return each_pipe(r, FLUSH);
}

int routes_poll(struct routes *r)
{
    int rc = each_pipe(r, POLL);
    return !rc && r->trouble && !r->piece ? routes_settle(r) : rc;
}

int routes_drain(struct routes *r)
{
    int rc = r->cluster ? each_pipe(r, FLUSH) : RSP_OK; /* all of them work while one is waited for */
    if (!rc) rc = each_pipe(r, DRAIN);
    return !rc && r->trouble ? routes_settle(r) : rc;
}

/* ---- what is known ---- */

uint64_t routes_done(const struct routes *r, uint64_t put)
{
    const struct routes_redo *e = (const struct routes_redo *)(const void *)r->redo.p;
    uint64_t least = put;
    for (size_t i = 0; i < r->nodes_n; i++) {
        const struct pipe_note *n = r->nodes[i]->pipe ? pipe_oldest(r->nodes[i]->pipe) : NULL;
        if (n && n->from < least) least = n->from;
    }
    for (size_t i = 0; i < r->redo.n / sizeof *e; i++)
        if (e[i].note.from < least) least = e[i].note.from;
    return least;
}

uint64_t routes_sent_bytes(const struct routes *r)
{
    uint64_t n = r->sent;
    for (size_t i = 0; i < r->nodes_n; i++)
        if (r->nodes[i]->pipe) n += pipe_sent_bytes(r->nodes[i]->pipe);
    return n;
}

int routes_again(const struct routes *r, unsigned slot)
{
    return r->again[slot / 8] >> slot % 8 & 1;
}

void routes_mark_again(struct routes *r, unsigned slot)
{
    r->again[slot / 8] |= (uint8_t)(1u << slot % 8);
}

int routes_replaced(const struct routes *r, unsigned slot)
{
    return r->replaced[slot / 8] >> slot % 8 & 1;
}

int routes_take_again(struct routes *r, uint8_t slots[RSP_SLOTS / 8])
{
    int any = 0;
    for (size_t i = 0; i < sizeof r->again; i++) any |= r->again[i] != 0;
    memcpy(slots, r->again, sizeof r->again);
    memset(r->again, 0, sizeof r->again);
    return any;
}
