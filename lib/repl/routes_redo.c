/* What this is: what was redirected, or was under way when a connection was lost, sent again in its order.
 * Rests on: routes.h, base/bytes.h.
 * Does not: judge replies. */
#include <stdio.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "repl/routes.h"

#define TRIES_QUICK 5 /* redirections of one put without a pause in between */

static struct routes_redo *entries(const struct buf *b, size_t *n)
{
    *n = b->n / sizeof(struct routes_redo);
    return (struct routes_redo *)(void *)b->p;
}

/* ---- our own commands, apart ---- */

/* The length of the first command; 0: it is none. */
static size_t command_length(struct rsp_span s)
{
    const uint8_t *p = s.p, *end = s.p + s.n;
    int64_t argc = 0, len;
    for (int64_t i = -1;; i++) {
        const uint8_t *nl = p < end ? memchr(p, '\r', (size_t)(end - p)) : NULL;
        if (!nl || end - nl < 2 || !i64_parse(p + 1, (size_t)(nl - p - 1), &len) || len < 0) return 0;
        p = nl + 2;
        if (i < 0) {
            argc = len;
        } else {
            if (len > end - p - 2) return 0;
            p += len + 2;
        }
        if (i + 1 == argc) return (size_t)(p - s.p);
    }
}

/* Adds an entry whose bytes are those of put from that command on, without ASKING. */
int routes_collect(struct routes_node *x, const struct pipe_put *put, uint32_t from_command, int ask_at)
{
    struct routes *r = x->routes;
    struct routes_redo e = {.note = put->note, .replies = put->replies - from_command, .ask_at = ask_at};
    struct rsp_span rest = put->bytes;
    int rc = RSP_OK;
    e.at = r->bytes.n;
    if (put->note.asking == ROUTES_ASKING_ONCE) rest.p += ROUTES_ASKING_BYTES, rest.n -= ROUTES_ASKING_BYTES;
    if (put->note.asking != ROUTES_ASKING_EACH && !from_command) {
        rc = buf_add(&r->bytes, rest.p, rest.n);
        rest.n = 0;
    }
    for (uint32_t i = 0; rest.n && !rc; i++) {
        size_t n;
        if (put->note.asking == ROUTES_ASKING_EACH) rest.p += ROUTES_ASKING_BYTES, rest.n -= ROUTES_ASKING_BYTES;
        n = command_length(rest);
        if (!n) return fail(&r->env, RSP_EFORMAT, NULL, "a command that is to be sent again has no end");
        if (i >= from_command) rc = buf_add(&r->bytes, rest.p, n);
        rest.p += n, rest.n -= n;
    }
    e.n = r->bytes.n - e.at;
    e.note.asking = ROUTES_ASKING_NO;
    e.note.tries++;
    return rc ? rc : buf_add(&r->redo, &e, sizeof e);
}

int routes_waits(const struct routes *r, const struct pipe_note *note)
{
    size_t n;
    const struct routes_redo *e = entries(&r->redo, &n);
    for (size_t i = 0; i < n; i++)
        if (e[i].note.part && e[i].note.from == note->from) return 1;
    return 0;
}

/* ---- a lost connection ---- */

static int under_way(void *ctx, const struct pipe_put *put)
{
    struct routes_node *x = ctx;
    struct routes *r = x->routes;
    struct pipe_put own = *put;
    own.replies -= put->note.asking == ROUTES_ASKING_ONCE ? 1 : 0;
    if (put->note.asking == ROUTES_ASKING_EACH) own.replies /= 2;
    if (put->note.slot == ROUTES_NO_SLOT)
        return fail(&r->env, x->lost, rsp_server_name(x->server), "%.120s", x->lost_words);
    if (!put->note.repeat || !put->bytes.n) return routes_gone_put(r, &put->note);
    own.note.again = 1;
    return routes_collect(x, &own, 0, -1);
}

static int bury(struct routes_node *x)
{
    struct routes *r = x->routes;
    int rc;
    log_line(&r->env, RSP_LOG_WARN, "%s: %s: looking at the cluster again", rsp_server_name(x->server), x->lost_words);
    rc = pipe_each(x->pipe, under_way, x);
    routes_close(x);
    r->look = 1;
    r->lost++;
    return rc;
}

static int bury_lost(struct routes *r)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < r->nodes_n && !rc; i++)
        if (r->nodes[i]->lost && r->nodes[i]->pipe) rc = bury(r->nodes[i]);
    return rc;
}

static int drain_all(struct routes *r)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < r->nodes_n && !rc; i++) {
        struct routes_node *x = r->nodes[i];
        if (!x->pipe || x->lost) continue;
        rc = pipe_drain(x->pipe);
        if (rc) rc = routes_broke(x, rc);
    }
    return r->fault ? r->fault : rc;
}

/* ---- sending again ---- */

static int with_asking(struct routes *r, const struct routes_redo *e, const uint8_t *bytes, struct pipe_note *note,
                       uint32_t *replies)
{
    static const char multi[] = "*1\r\n$5\r\nMULTI\r\n";
    struct rsp_span rest = {bytes, e->n};
    int rc, once = e->replies == 1 || (e->n >= sizeof multi - 1 && !memcmp(bytes, multi, sizeof multi - 1));
    r->scratch.n = 0;
    note->asking = (uint8_t)(once ? ROUTES_ASKING_ONCE : ROUTES_ASKING_EACH);
    *replies = once ? e->replies + 1 : e->replies * 2;
    if (once) {
        rc = buf_add(&r->scratch, ROUTES_ASKING, ROUTES_ASKING_BYTES);
        return rc ? rc : buf_add(&r->scratch, bytes, e->n);
    }
    while (rest.n) {
        size_t n = command_length(rest);
        if (!n) return fail(&r->env, RSP_EFORMAT, NULL, "a command that is to be sent again has no end");
        rc = buf_add(&r->scratch, ROUTES_ASKING, ROUTES_ASKING_BYTES);
        if (!rc) rc = buf_add(&r->scratch, rest.p, n);
        if (rc) return rc;
        rest.p += n, rest.n -= n;
    }
    return RSP_OK;
}

/* Waits its turn once more. */
static int keep(struct routes *r, struct routes_redo *e, const uint8_t *bytes)
{
    struct routes_redo again = *e;
    again.at = r->bytes.n;
    if (buf_add(&r->bytes, bytes, e->n)) return RSP_ENOMEM;
    return buf_add(&r->redo, &again, sizeof again);
}

static int send_one(struct routes *r, struct routes_redo *e, const uint8_t *bytes)
{
    int at = e->ask_at >= 0 ? e->ask_at : r->owner[e->note.slot] == RSP_NO_SHARD ? -1 : r->owner[e->note.slot];
    struct routes_node *x = at >= 0 ? r->nodes[at] : NULL;
    struct pipe_note note = e->note;
    struct rsp_span out = {bytes, e->n};
    uint32_t replies = e->replies;
    uint64_t before;
    int rc = RSP_OK;
    if (x && !x->server && !x->lost && r->started) rc = routes_connect(x);
    if (rc) rc = routes_broke(x, rc);
    if (rc) return rc;
    if (!x || x->lost || !x->pipe || (e->note.part && routes_waits(r, &e->note))) {
        if (!x || x->lost || !x->pipe) e->ask_at = -1, r->look = 1;
        return keep(r, e, bytes);
    }
    if (e->ask_at >= 0) {
        rc = with_asking(r, e, bytes, &note, &replies);
        out = (struct rsp_span){r->scratch.p, r->scratch.n};
    }
    if (rc) return rc;
    before = pipe_puts(x->pipe);
    rc = pipe_put(x->pipe, &note, out.p, out.n, replies);
    if (!rc && note.part) rc = pipe_drain(x->pipe); /* the next part may have to go elsewhere */
    if (rc) rc = routes_broke(x, rc);
    return rc || pipe_puts(x->pipe) != before ? rc : keep(r, e, bytes);
}

static int send_again(struct routes *r)
{
    struct buf redo = r->redo, bytes = r->bytes;
    struct routes_redo *e;
    size_t n;
    int rc = RSP_OK;
    buf_init(&r->redo, &r->env);
    buf_init(&r->bytes, &r->env);
    e = entries(&redo, &n);
    for (size_t i = 0; i < n && !rc; i++) rc = send_one(r, &e[i], bytes.p + e[i].at);
    buf_free(&redo);
    buf_free(&bytes);
    return rc ? rc : drain_all(r);
}

/* ---- all of it ---- */

static unsigned tries(const struct routes *r)
{
    size_t n;
    const struct routes_redo *e = entries(&r->redo, &n);
    unsigned most = 0;
    for (size_t i = 0; i < n; i++)
        if (e[i].note.tries > most) most = e[i].note.tries;
    return most;
}

static int no_more(struct routes *r, size_t n)
{
    char place[320];
    int rc;
    rsp_place_text(r->place, place, sizeof place);
    if (!n) rc = fail(&r->env, RSP_EBUSY, place, "connections broke again and again: let the cluster settle");
    else
        rc = fail(&r->env, RSP_EBUSY, place,
                  "%zu commands were redirected for %lld s, the first of slot %u: let the cluster settle", n,
                  (long long)(r->patience_ms / 1000),
                  (unsigned)((const struct routes_redo *)(const void *)r->redo.p)->note.slot);
    if (r->env.error->code == rc) r->env.error->retryable = 1;
    return rc;
}

int routes_settle(struct routes *r)
{
    int64_t until = routes_now() + r->patience_ms;
    size_t left = SIZE_MAX, n;
    unsigned pauses = 0;
    int rc;
    for (unsigned rounds = 0;; rounds++) {
        r->trouble = 0;
        rc = drain_all(r);
        if (!rc) rc = bury_lost(r);
        if (!rc && r->look) {
            r->look = 0;
            rc = routes_look(r, until);
        }
        if (rc) break;
        (void)entries(&r->redo, &n);
        if (!n && !r->trouble) return RSP_OK;
        if (n && n < left) {
            left = n;
            until = routes_now() + r->patience_ms;
        } else if (routes_now() > until) {
            rc = no_more(r, n);
            break;
        }
        if (r->wait || rounds > TRIES_QUICK || tries(r) > TRIES_QUICK) rc = server_pause(&r->env, r->cancel, ++pauses);
        r->wait = 0;
        if (!rc) rc = send_again(r);
        if (rc) break;
    }
    r->trouble = 1;
    r->fault = rc;
    return rc;
}
