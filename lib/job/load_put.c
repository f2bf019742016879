/* What this is: units on their way to the primaries, what the replies mean, and when a checkpoint is due.
 * Rests on: load_impl.h, rows.h.
 * Does not: make commands (export/resp_make), nor follow redirections (repl/routes).
 *
 * When the connection to a primary of a cluster is lost, whole keys are sent again: SET, RESTORE and what begins with DEL may
 * be executed twice, and where the key must not be there before, an answer that it is means that it was executed the first
 * time. What else was not answered (a part of a large value, RPUSH without DEL) is begun anew in a later pass, and the
 * checkpoint stays before it. */
#include <string.h>
#include <time.h>

#include "job/load_impl.h"
#include "job/rows.h"

#define AHEAD_RECORDS 50000 /* a checkpoint allows to be sent */
#define AHEAD_BYTES (64u << 20)
#define SAVE_MS 2000 /* or, when so long has passed and there is something new to say */
#define SLICE_MS 100

/* ---- what replies mean ---- */

int load_skipped(struct load_write *w, const struct pipe_note *note)
{
    struct row row = {.key = {note->hash[0], note->hash[1]}};
    if (note->flags & RESP_UNIT_FUNCTION || w->only) return RSP_OK;
    if (note->again) w->x->unsure = 1;
    w->x->r.skipped++;
    w->x->mark.skipped++;
    return w->skipped ? rows_add(w->skipped, &row, (const uint8_t *)"", 0) : RSP_OK;
}

/* The library itself: one of its functions may be in another library, too, which is another matter. */
static int library_there(struct rsp_span text)
{
    static const char head[] = "ERR Library ";
    return text.n >= sizeof head && !memcmp(text.p, head, sizeof head - 1) &&
           memmem(text.p, text.n, "already exists", 14);
}

static int is_there(const struct load_write *w, const struct pipe_note *note, struct rsp_span text)
{
    if (w->existing != RSP_EXISTING_SKIP) return 0;
    if (resp_error_is(text, "BUSYKEY")) return 1;
    return note->flags & RESP_UNIT_FUNCTION && library_there(text);
}

/* *left: the key was there and stays as it was. */
static int judge(struct load_write *w, const struct pipe_note *note, const struct pipe_reply *r, int *left)
{
    static const struct rsp_span busy = {(const uint8_t *)"BUSYKEY", 7};
    int ours = note->again && w->existing == RSP_EXISTING_FAIL;
    if (r->error.n) {
        if (ours && resp_error_is(r->error, "BUSYKEY")) return RSP_OK;
        *left = is_there(w, note, r->error);
        return *left ? RSP_OK : load_refused(w->x, r->server, note, r->error);
    }
    if (w->existing == RSP_EXISTING_REPLACE) return RSP_OK;
    if (r->type == RSP_REPLY_NULL && !ours) {
        *left = w->existing == RSP_EXISTING_SKIP && !(note->flags & RESP_UNIT_SEVERAL);
        return *left ? RSP_OK : load_refused(w->x, r->server, note, busy);
    }
    if (note->flags & RESP_UNIT_MSET && r->type == RSP_REPLY_INTEGER && !r->integer)
        return load_refused(w->x, r->server, note, busy);
    return RSP_OK;
}

static void count(struct load_write *w, const struct pipe_note *note)
{
    struct rsp_load_report *r = &w->x->r;
    if (note->flags & RESP_UNIT_FUNCTION) r->functions += !note->index && !w->only;
    else if (!w->only) r->keys += note->keys;
    if (note->flags & RESP_UNIT_UNDONE && !w->only) r->keys--;
}

static int told(void *ctx, const struct pipe_note *note, const struct pipe_reply *r)
{
    struct load_write *w = ctx;
    int left = 0, rc;
    if (note->kind != LOAD_UNIT) {
        if (r->error.n) return load_refused(w->x, r->server, note, r->error);
        if (note->kind == LOAD_ASK && note->index < w->held.n / sizeof(struct load_held))
            ((struct load_held *)(void *)w->held.p)[note->index].there = r->integer > 0;
        return RSP_OK;
    }
    rc = judge(w, note, r, &left);
    if (rc) return rc;
    if (left) return load_skipped(w, note);
    if (r->i + 1 == r->of) count(w, note);
    return RSP_OK;
}

/* ---- values that have to be begun anew ---- */

static int is_broken(const struct load_write *w, uint64_t record)
{
    const uint64_t *b = (const uint64_t *)(const void *)w->broken.p;
    for (size_t i = w->broken.n / sizeof *b; i > 0; i--)
        if (b[i - 1] == record) return 1;
    return 0;
}

static int gone(void *ctx, const struct pipe_note *note)
{
    struct load_write *w = ctx;
    if (note->kind != LOAD_UNIT || is_broken(w, note->from)) return RSP_OK;
    routes_mark_again(w->x->routes, note->slot);
    if (!w->only) w->x->r.keys += note->keys;
    if (note->from < w->hold) w->hold = note->from;
    return buf_add(&w->broken, &note->from, sizeof note->from);
}

/* ---- before something is sent ---- */

static int64_t now_ms(const struct load *x)
{
    return x->env.now_ms(x->env.clock_opaque);
}

static uint64_t done(const struct load_write *w)
{
    uint64_t n = routes_done(w->x->routes, w->put);
    return n < w->hold ? n : w->hold;
}

static int save(struct load_write *w)
{
    struct checkpoint *c = &w->x->mark;
    int rc = load_mark_nodes(w->x);
    if (rc) return rc;
    checkpoint_reached(c, done(w));
    w->bytes_mark = routes_sent_bytes(w->x->routes);
    w->saved_ms = now_ms(w->x);
    return checkpoint_write(c, w->x->o.checkpoint);
}

static int is_due(const struct load_write *w)
{
    if (routes_sent_bytes(w->x->routes) - w->bytes_mark >= AHEAD_BYTES) return 1;
    return now_ms(w->x) - w->saved_ms >= SAVE_MS && done(w) > w->x->mark.acknowledged;
}

/* What commands make one after the other may be half there; RESTORE, sent in pieces or not, is done or not. */
static int begins(const struct load_write *w, const struct resp_unit *u)
{
    return w->existing == RSP_EXISTING_SKIP && u->flags & RESP_UNIT_SEVERAL && u->flags & RESP_UNIT_FIRST &&
           !(u->flags & RESP_UNIT_LAST);
}

/* What is sent now must be below the bound of a checkpoint that is durable. */
static int mark(struct load_write *w, const struct resp_unit *u, uint64_t record)
{
    struct checkpoint *c = &w->x->mark;
    uint64_t end = record + (u->records ? u->records : 1);
    int rc = RSP_OK, begun = begins(w, u);
    if (begun && (w->x->o.checkpoint || w->x->routes->cluster)) rc = checkpoint_add(c, u->db, u->key, end);
    if (rc) return rc;
    if (begun && !w->x->o.checkpoint) checkpoint_reached(c, done(w));
    if (!w->x->o.checkpoint || w->only) return RSP_OK;
    if (end <= c->bound && !begun && !is_due(w)) return RSP_OK;
    rc = routes_poll(w->x->routes);
    if (rc) return rc;
    if (end > c->bound) c->bound = end + AHEAD_RECORDS;
    return save(w);
}

static int pace(struct load_write *w, const struct resp_unit *u)
{
    int64_t now, wait, more;
    int rc;
    if (!w->ops.per_s && !w->bytes.per_s) return RSP_OK;
    now = now_ms(w->x);
    wait = rate_take(&w->ops, now, u->keys);
    more = rate_take(&w->bytes, now, u->n);
    if (more > wait) wait = more;
    if (!wait) return RSP_OK;
    rc = routes_flush(w->x->routes);
    while (!rc && wait > 0) {
        int64_t ms = wait < SLICE_MS ? wait : SLICE_MS;
        struct timespec t = {0, (long)ms * 1000000};
        (void)nanosleep(&t, NULL);
        wait -= ms;
        rc = routes_poll(w->x->routes); /* and looks whether we are cancelled */
    }
    return rc;
}

int load_put_select(struct load_write *w, uint32_t db)
{
    struct pipe_note note = {.kind = LOAD_SELECT, .db = db, .from = w->put};
    struct buf out;
    int rc;
    if (w->db == (int64_t)db || w->x->routes->cluster) return RSP_OK;
    buf_init(&out, &w->x->server_env);
    rc = resp_begin(&out, 2);
    if (!rc) rc = resp_text(&out, "SELECT");
    if (!rc) rc = resp_u64(&out, db);
    if (!rc) rc = routes_put(w->x->routes, &note, 0, out.p, out.n, 1);
    buf_free(&out);
    if (!rc) w->db = db;
    return rc;
}

static void put_up_to(struct load_write *w, uint64_t record)
{
    if (record > w->put) w->put = record;
}

/* The end of a value whose last piece left nothing to send: it is there when what was sent is. */
static int put_nothing(struct load_write *w, const struct resp_unit *u)
{
    int rc = routes_drain(w->x->routes);
    if (rc) return rc;
    if (!w->only) w->x->r.keys += u->keys;
    put_up_to(w, w->base + u->record + u->records);
    return RSP_OK;
}

static void fill_note(const struct load_write *w, const struct resp_unit *u, struct pipe_note *note)
{
    int whole = (u->flags & (RESP_UNIT_FIRST | RESP_UNIT_LAST)) == (RESP_UNIT_FIRST | RESP_UNIT_LAST);
    note->from = w->base + u->record;
    note->until = note->from + u->records;
    note->part = !whole;
    note->repeat = whole && (w->existing == RSP_EXISTING_REPLACE || !(u->flags & RESP_UNIT_SEVERAL));
    note->key_n = u->key.n;
    memcpy(note->key, u->key.p, u->key.n < PIPE_KEY ? u->key.n : PIPE_KEY);
    if (w->existing == RSP_EXISTING_SKIP) {
        struct sip128 hash = row_key(u->db, u->key);
        note->hash[0] = hash.lo;
        note->hash[1] = hash.hi;
    }
}

int load_put(struct load_write *w, const struct resp_unit *u)
{
    struct pipe_note note = {.kind = LOAD_UNIT, .flags = u->flags, .db = u->db, .keys = u->keys};
    uint64_t record = w->base + u->record;
    unsigned slot = 0;
    int rc;
    if (w->x->routes->cluster) slot = rsp_key_slot(u->key);
    rc = mark(w, u, record);
    if (rc) return rc;
    if (w->broken.n && !(u->flags & RESP_UNIT_FIRST) && is_broken(w, record)) {
        put_up_to(w, record + u->records);
        return RSP_OK;
    }
    if (!u->n) return put_nothing(w, u);
    fill_note(w, u, &note);
    rc = load_put_select(w, u->db);
    if (!rc) rc = routes_put(w->x->routes, &note, slot, u->p, u->n, u->replies);
    if (!rc) put_up_to(w, note.until);
    w->commands += u->replies;
    return rc ? rc : pace(w, u);
}

/* ---- functions, and what is half there ---- */

static int put_library(struct load_write *w, const struct load_library *l)
{
    struct load *x = w->x;
    struct pipe_note note = {.kind = LOAD_UNIT, .flags = RESP_UNIT_FUNCTION, .from = w->put, .key_n = l->name_n};
    int replace = w->existing == RSP_EXISTING_REPLACE, rc;
    size_t n = routes_n(x->routes);
    struct buf out;
    memcpy(note.key, x->library_bytes.p + l->at - l->name_n, l->name_n < PIPE_KEY ? l->name_n : PIPE_KEY);
    buf_init(&out, &x->server_env);
    rc = resp_words(&out, "FUNCTION LOAD REPLACE");
    if (!rc) {
        out.n = 0;
        rc = resp_begin(&out, replace ? 4 : 3);
    }
    if (!rc) rc = resp_text(&out, "FUNCTION");
    if (!rc) rc = resp_text(&out, "LOAD");
    if (!rc && replace) rc = resp_text(&out, "REPLACE");
    if (!rc) rc = resp_bulk(&out, x->library_bytes.p + l->at, l->n);
    if (!rc) rc = routes_put_each(x->routes, &note, out.p, out.n, 1);
    buf_free(&out);
    w->commands += n;
    return rc;
}

int load_put_functions(struct load_write *w)
{
    const struct load_library *l = (const struct load_library *)(const void *)w->x->libraries.p;
    struct checkpoint *c = &w->x->mark;
    size_t n = w->x->libraries.n / sizeof *l;
    int rc = RSP_OK;
    if (n && w->x->o.checkpoint && !c->bound) { /* whoever goes on must know that they may be ours */
        c->bound = 1;
        rc = save(w);
    }
    for (size_t i = 0; i < n && !rc; i++) rc = put_library(w, &l[i]);
    return rc;
}

static unsigned slot_of(const struct checkpoint_open *o)
{
    return rsp_key_slot((struct rsp_span){o->key, o->n});
}

/* All that was begun, of an earlier run. In a later pass of this one: what is written once more; what was whole only where
 * another server, which may have got half of it, has taken over: of the others a checkpoint may say that they are done. */
static int is_half(const struct load_write *w, const struct checkpoint_open *o, int whole)
{
    unsigned slot;
    if (!w->only) return !whole;
    slot = slot_of(o);
    return w->only[slot / 8] >> slot % 8 & 1 && (!whole || routes_replaced(w->x->routes, slot));
}

static int put_del(struct load_write *w, const struct checkpoint_open *o)
{
    struct load *x = w->x;
    struct pipe_note note = {.kind = LOAD_DEL, .db = o->db, .key_n = o->n, .repeat = 1};
    struct buf out;
    int rc = load_put_select(w, o->db);
    memcpy(note.key, o->key, o->n < PIPE_KEY ? o->n : PIPE_KEY);
    buf_init(&out, &x->server_env);
    if (!rc) rc = resp_begin(&out, 2);
    if (!rc) rc = resp_text(&out, "DEL");
    if (!rc) rc = resp_bulk(&out, o->key, o->n);
    if (!rc) rc = routes_put(x->routes, &note, x->routes->cluster ? slot_of(o) : 0, out.p, out.n, 1);
    buf_free(&out);
    w->commands++;
    return rc;
}

static void forget(struct load_write *w, struct checkpoint_open **at, int whole)
{
    while (*at) {
        if (is_half(w, *at, whole)) checkpoint_take(&w->x->mark, at);
        else at = &(*at)->next;
    }
}

int load_put_del_open(struct load_write *w)
{
    struct checkpoint *c = &w->x->mark;
    int rc = RSP_OK;
    for (const struct checkpoint_open *o = c->open; o && !rc; o = o->next)
        if (is_half(w, o, 0)) rc = put_del(w, o);
    for (const struct checkpoint_open *o = c->whole; o && !rc; o = o->next)
        if (is_half(w, o, 1)) rc = put_del(w, o);
    if (!rc) rc = routes_drain(w->x->routes);
    if (rc) return rc;
    forget(w, &c->whole, 1);
    forget(w, &c->open, 0);
    checkpoint_close_all(c); /* the pass before this one has ended them */
    return RSP_OK;
}

/* ---- begin and end ---- */

void load_put_init(struct load_write *w)
{
    w->db = -1;
    w->hold = UINT64_MAX;
    buf_init(&w->held, &w->x->server_env);
    buf_init(&w->held_bytes, &w->x->server_env);
    buf_init(&w->broken, &w->x->server_env);
    rate_init(&w->ops, w->x->o.rate_ops);
    rate_init(&w->bytes, w->x->o.rate_bytes);
}

int load_put_begin(struct load_write *w)
{
    return routes_start(w->x->routes, told, gone, w);
}

void load_put_end(struct load_write *w, int rc)
{
    struct load *x = w->x;
    if (rc && x->o.checkpoint && x->mark.bound && !w->only) {
        x->mark.env.error = NULL; /* the fault has its words; an older checkpoint is as right */
        (void)save(w);
    }
    x->r.commands += w->commands;
    x->changed |= x->routes->redirected || x->routes->lost;
    routes_stop(x->routes);
    load_ask_free(w);
    buf_free(&w->broken);
}
