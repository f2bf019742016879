/* What this is: what the replies of a cluster's nodes mean: executed, or to be sent somewhere else.
 * Rests on: routes.h, base/bytes.h.
 * Does not: send anything: what is redirected is collected, and sent again when the pipe has been drained. */
#include <stdio.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "repl/routes.h"

#define MULTI "*1\r\n$5\r\nMULTI\r\n"

static int is_multi(struct rsp_span bytes)
{
    return bytes.n >= sizeof MULTI - 1 && !memcmp(bytes.p, MULTI, sizeof MULTI - 1);
}

/* "MOVED 3999 host:port": 1 and the parts; the host may be empty. */
static int target(struct rsp_span text, unsigned *slot, char *host, size_t host_n, uint32_t *port)
{
    const uint8_t *end = text.p + text.n, *p = memchr(text.p, ' ', text.n), *blank, *colon;
    int64_t v;
    if (!p) return 0;
    p++;
    blank = memchr(p, ' ', (size_t)(end - p));
    if (!blank || !i64_parse(p, (size_t)(blank - p), &v) || v < 0 || v >= RSP_SLOTS) return 0;
    *slot = (unsigned)v;
    p = blank + 1;
    colon = memrchr(p, ':', (size_t)(end - p));
    if (!colon || (size_t)(colon - p) >= host_n || memchr(p, 0, (size_t)(colon - p))) return 0;
    if (!i64_parse(colon + 1, (size_t)(end - colon - 1), &v) || v < 1 || v > 65535) return 0;
    *port = (uint32_t)v;
    memcpy(host, p, (size_t)(colon - p));
    host[colon - p] = 0;
    return 1;
}

/* It is not told who: whoever looks at the map will see. */
static void look(struct routes *r)
{
    r->look = r->wait = 1;
}

static int moved(struct routes_node *x, const struct pipe_note *note, struct rsp_span text)
{
    struct routes *r = x->routes;
    char host[256];
    unsigned slot;
    uint32_t port;
    int at;
    if (!target(text, &slot, host, sizeof host, &port) || slot != note->slot) return 0;
    at = routes_find(r, host[0] ? host : x->host, port);
    if (at >= 0 && r->nodes[at]->pipe && r->nodes[at] != x && r->nodes[at]->used) r->owner[slot] = (uint16_t)at;
    else r->look = 1;
    if (at >= 0 && r->nodes[at] == x) r->wait = 1; /* to itself: it is about to change */
    return 1;
}

/* The node that imports the slot may own none yet, so that no map names it. */
static int ask(struct routes_node *x, const struct pipe_note *note, struct rsp_span text, int *rc)
{
    struct routes *r = x->routes;
    char host[256];
    unsigned slot;
    uint32_t port;
    size_t at = 0;
    if (!target(text, &slot, host, sizeof host, &port) || slot != note->slot) return 0;
    if (!strcmp(host, "?")) {
        look(r);
        return 1;
    }
    *rc = routes_add(r, "", host[0] ? host : x->host, port, &at);
    if (!*rc) x->ask_at = (int)at;
    return 1;
}

/* 1: that command was not executed here, and may be elsewhere or later. */
static int redirected(struct routes_node *x, const struct pipe_note *note, struct rsp_span text, int *rc)
{
    struct routes *r = x->routes;
    if (!text.n || note->slot == ROUTES_NO_SLOT) return 0;
    if (resp_error_is(text, "MOVED")) return moved(x, note, text);
    if (resp_error_is(text, "ASK")) return ask(x, note, text, rc);
    if (resp_error_is(text, "TRYAGAIN") || resp_error_is(text, "LOADING")) {
        r->wait = 1;
        return 1;
    }
    if (resp_error_is(text, "CLUSTERDOWN") || resp_error_is(text, "READONLY") || resp_error_is(text, "MASTERDOWN")) {
        look(r);
        return 1;
    }
    return 0;
}

int routes_gone_put(struct routes *r, const struct pipe_note *note)
{
    int rc;
    if (note->kind == ROUTES_PROBE) return RSP_OK;
    rc = r->gone(r->ctx, note);
    if (rc < 0) r->fault = rc;
    return rc;
}

static int executed(struct routes_node *x, const struct pipe_note *note, const struct pipe_reply *reply)
{
    struct routes *r = x->routes;
    int rc;
    x->calls++;
    if (note->kind == ROUTES_PROBE) {
        r->probed = x;
        r->probed_asking = note->asking != ROUTES_ASKING_NO;
        return RSP_OK;
    }
    rc = r->told(r->ctx, note, reply);
    /* A part of a key is there before one that stands before it: that key must be begun anew. A transaction is there with
     * its last reply. */
    if (rc || !note->part || !routes_waits(r, note)) return rc;
    return is_multi(reply->bytes) && reply->i + 1 < reply->of ? RSP_OK : routes_gone_put(r, note);
}

/* The index among the caller's own commands; -1: the reply is ASKING's. */
static int own_index(const struct pipe_note *note, struct pipe_reply *reply)
{
    if (note->asking == ROUTES_ASKING_NO) return (int)reply->i;
    if (note->asking == ROUTES_ASKING_ONCE) {
        reply->of--;
        return reply->i ? (int)--reply->i : -1;
    }
    reply->of /= 2;
    if (reply->i % 2 == 0) return -1;
    reply->i /= 2;
    return (int)reply->i;
}

static int collect(struct routes_node *x, const struct pipe_note *note, const struct pipe_reply *whole, uint32_t of)
{
    struct routes *r = x->routes;
    struct pipe_put put = {*note, whole->bytes, of, 0};
    struct rsp_span own = whole->bytes;
    uint32_t from = x->stopped - 1;
    int at = x->ask_at;
    r->trouble = r->redirected = 1;
    if (note->asking && own.n > ROUTES_ASKING_BYTES) own.p += ROUTES_ASKING_BYTES, own.n -= ROUTES_ASKING_BYTES;
    if (is_multi(own)) from = 0;
    else if (x->disorder) return routes_gone_put(r, note);
    if (!own.n) return routes_gone_put(r, note); /* pieces: they are not kept */
    return routes_collect(x, &put, from, at);
}

int routes_told(void *ctx, const struct pipe_note *note, const struct pipe_reply *reply)
{
    struct routes_node *x = ctx;
    struct pipe_reply own = *reply;
    int rc = RSP_OK, last = reply->i + 1 == reply->of, index;
    if (!reply->i) x->stopped = 0, x->disorder = 0, x->ask_at = -1;
    index = own_index(note, &own);
    if (index >= 0 && redirected(x, note, reply->error, &rc)) {
        if (!x->stopped) x->stopped = (uint32_t)index + 1;
    } else if (index >= 0 && x->stopped) {
        x->disorder |= !reply->error.n;
    } else if (index >= 0 || reply->error.n) {
        rc = executed(x, note, &own);
    }
    if (!rc && last && x->stopped) rc = collect(x, note, reply, own.of);
    if (rc < 0) x->routes->fault = rc;
    return rc;
}
