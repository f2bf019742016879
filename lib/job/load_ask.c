/* What this is: values whose commands (RPUSH, APPEND) do not notice a key that is there, where what exists is to be
 *   left alone: it is asked for first.
 * Rests on: load_impl.h.
 * Does not: ask one by one: units are held back and their keys asked for together.
 *
 * Units are held from the first that must be asked for up to the end of the batch, or until they are many. Their order
 * stays as it is. */
#include <string.h>

#include "job/load_impl.h"
#include "job/rows.h"

#define HELD_BYTES (4u << 20)
#define HELD_UNITS 4096

static struct load_held *held(struct load_write *w, size_t *n)
{
    *n = w->held.n / sizeof(struct load_held);
    return (struct load_held *)(void *)w->held.p;
}

static int to_be_asked(const struct load_write *w, const struct resp_unit *u)
{
    if (!(u->flags & RESP_UNIT_FIRST) || !(u->flags & RESP_UNIT_SEVERAL)) return 0;
    /* With FAIL all keys were looked for before the first write: only what is long under way is asked for again. */
    return w->existing == RSP_EXISTING_SKIP || (w->existing == RSP_EXISTING_FAIL && !(u->flags & RESP_UNIT_LAST));
}

static int hold(struct load_write *w, const struct resp_unit *u)
{
    struct load_held h = {.unit = *u, .key_at = w->held_bytes.n};
    int rc = buf_add(&w->held_bytes, u->key.p, u->key.n);
    h.at = w->held_bytes.n;
    h.asked = to_be_asked(w, u);
    if (!rc) rc = buf_add(&w->held_bytes, u->p, u->n);
    if (!rc) rc = buf_add(&w->held, &h, sizeof h);
    w->holding = 1;
    return rc;
}

static int put_question(struct load_write *w, struct load_held *h, size_t index)
{
    struct pipe_note note = {.kind = LOAD_ASK, .db = h->unit.db, .index = index, .from = w->put, .repeat = 1};
    struct rsp_span key = {w->held_bytes.p + h->key_at, h->unit.key.n};
    struct buf out;
    int rc;
    rc = load_put_select(w, h->unit.db);
    if (rc) return rc;
    buf_init(&out, &w->x->server_env);
    rc = resp_begin(&out, 2);
    if (!rc) rc = resp_text(&out, "EXISTS");
    if (!rc) rc = resp_bulk(&out, key.p, key.n);
    if (!rc) rc = routes_put(w->x->routes, &note, w->x->routes->cluster ? rsp_key_slot(key) : 0, out.p, out.n, 1);
    buf_free(&out);
    return rc;
}

static struct pipe_note note_of(const struct resp_unit *u)
{
    struct sip128 hash = row_key(u->db, u->key);
    struct pipe_note note = {.kind = LOAD_UNIT, .flags = u->flags, .db = u->db, .keys = u->keys};
    note.key_n = u->key.n;
    memcpy(note.key, u->key.p, u->key.n < PIPE_KEY ? u->key.n : PIPE_KEY);
    note.hash[0] = hash.lo;
    note.hash[1] = hash.hi;
    return note;
}

/* What is known now: put, or left out with all its parts. */
static int settle(struct load_write *w, const struct load_held *h)
{
    struct resp_unit u = h->unit;
    int rc = RSP_OK;
    u.key.p = w->held_bytes.p + h->key_at;
    u.p = w->held_bytes.p + h->at;
    if (h->asked && h->there) {
        struct pipe_note note = note_of(&u);
        if (w->existing == RSP_EXISTING_FAIL)
            return load_refused(w->x, NULL, &note, (struct rsp_span){(const uint8_t *)"BUSYKEY", 7});
        rc = load_skipped(w, &note);
        w->leaving = 1;
    } else if (u.flags & RESP_UNIT_FIRST) {
        w->leaving = 0;
    }
    if (!rc && !w->leaving) rc = load_put(w, &u);
    if (u.flags & RESP_UNIT_LAST) w->leaving = 0;
    return rc;
}

int load_ask_release(struct load_write *w)
{
    size_t n;
    struct load_held *h = held(w, &n);
    int rc = RSP_OK, asked = 0;
    w->holding = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        if (!h[i].asked) continue;
        rc = put_question(w, &h[i], i);
        asked = 1;
    }
    if (!rc && asked) rc = routes_drain(w->x->routes);
    for (size_t i = 0; i < n && !rc; i++) rc = settle(w, &h[i]);
    w->held.n = w->held_bytes.n = 0;
    return rc;
}

int load_ask(struct load_write *w, const struct resp_unit *u)
{
    int rc = RSP_OK;
    /* Pieces of a command go one behind the other, and are too large to be held. */
    if (w->holding && u->flags & RESP_UNIT_PIECE && u->flags & RESP_UNIT_FIRST) rc = load_ask_release(w);
    if (rc) return rc;
    if (w->leaving && !w->holding) {
        if (!(u->flags & RESP_UNIT_FIRST)) {
            if (u->flags & RESP_UNIT_LAST) w->leaving = 0;
            return RSP_OK;
        }
        w->leaving = 0;
    }
    if (!w->holding && !to_be_asked(w, u)) return load_put(w, u);
    rc = hold(w, u);
    if (!rc && (w->held_bytes.n >= HELD_BYTES || w->held.n >= HELD_UNITS * sizeof(struct load_held)))
        rc = load_ask_release(w);
    return rc;
}

void load_ask_free(struct load_write *w)
{
    buf_free(&w->held);
    buf_free(&w->held_bytes);
}
