/* What this is: the pass that writes: units into the pipe in the order of the dump, and what the replies mean.
 * Rests on: load_impl.h, rows.h.
 * Does not: make commands (export/resp_make).
 *
 * A run that goes on after another leaves out what was acknowledged. What may have been sent without a word from the
 * server (up to the checkpoint's bound) is ours: with existing FAIL, where all keys were looked for before the first
 * write, it is replaced in a run of its own; with SKIP only what several commands make can be half there, and the
 * checkpoint names it. */
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
    if (note->flags & RESP_UNIT_FUNCTION) return RSP_OK;
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
    if (r->error.n) {
        *left = is_there(w, note, r->error);
        return *left ? RSP_OK : load_refused(w->x, note, r->error);
    }
    if (w->existing == RSP_EXISTING_REPLACE) return RSP_OK;
    if (r->type == RSP_REPLY_NULL) {
        *left = w->existing == RSP_EXISTING_SKIP && !(note->flags & RESP_UNIT_SEVERAL);
        return *left ? RSP_OK : load_refused(w->x, note, busy);
    }
    if (note->flags & RESP_UNIT_MSET && r->type == RSP_REPLY_INTEGER && !r->integer)
        return load_refused(w->x, note, busy);
    return RSP_OK;
}

static int told(void *ctx, const struct pipe_note *note, const struct pipe_reply *r)
{
    struct load_write *w = ctx;
    int left = 0, rc;
    if (note->kind != LOAD_UNIT) {
        if (r->error.n) return load_refused(w->x, note, r->error);
        if (note->kind == LOAD_ASK && note->index < w->held.n / sizeof(struct load_held))
            ((struct load_held *)(void *)w->held.p)[note->index].there = r->integer > 0;
        return RSP_OK;
    }
    rc = judge(w, note, r, &left);
    if (rc) return rc;
    if (left) rc = load_skipped(w, note);
    else if (note->flags & RESP_UNIT_FUNCTION) w->x->r.functions++;
    else if (r->i + 1 == r->of) w->x->r.keys += note->keys;
    if (r->i + 1 == r->of && note->until > w->acked) w->acked = note->until;
    return rc;
}

/* ---- before something is sent ---- */

static int64_t now_ms(const struct load *x)
{
    return x->env.now_ms(x->env.clock_opaque);
}

static int save(struct load_write *w)
{
    struct checkpoint *c = &w->x->mark;
    checkpoint_reached(c, w->acked);
    w->bytes_mark = pipe_sent_bytes(w->pipe);
    w->saved_ms = now_ms(w->x);
    return checkpoint_write(c, w->x->o.checkpoint);
}

static int is_due(const struct load_write *w)
{
    if (pipe_sent_bytes(w->pipe) - w->bytes_mark >= AHEAD_BYTES) return 1;
    return w->acked > w->x->mark.acknowledged && now_ms(w->x) - w->saved_ms >= SAVE_MS;
}

/* What is sent now must be below the bound of a checkpoint that is durable. */
static int mark(struct load_write *w, const struct resp_unit *u)
{
    struct checkpoint *c = &w->x->mark;
    uint64_t end = u->record + (u->records ? u->records : 1);
    /* What commands make one after the other may be half there; RESTORE, sent in pieces or not, is done or not. */
    int rc, begun = w->existing == RSP_EXISTING_SKIP && u->flags & RESP_UNIT_SEVERAL && u->flags & RESP_UNIT_FIRST &&
                    !(u->flags & RESP_UNIT_LAST);
    if (!w->x->o.checkpoint) return RSP_OK;
    if (end <= c->bound && !begun && !is_due(w)) return RSP_OK;
    rc = pipe_poll(w->pipe);
    if (!rc && begun) rc = checkpoint_add(c, u->db, u->key, end);
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
    rc = pipe_flush(w->pipe);
    while (!rc && wait > 0) {
        int64_t ms = wait < SLICE_MS ? wait : SLICE_MS;
        struct timespec t = {0, (long)ms * 1000000};
        (void)nanosleep(&t, NULL);
        wait -= ms;
        rc = pipe_poll(w->pipe); /* and looks whether we are cancelled */
    }
    return rc;
}

int load_put_select(struct load_write *w, uint32_t db)
{
    struct pipe_note note = {.kind = LOAD_SELECT, .db = db};
    struct buf out;
    int rc;
    if (w->db == (int64_t)db) return RSP_OK;
    buf_init(&out, &w->x->server_env);
    rc = resp_begin(&out, 2);
    if (!rc) rc = resp_text(&out, "SELECT");
    if (!rc) rc = resp_u64(&out, db);
    if (!rc) rc = pipe_put(w->pipe, &note, out.p, out.n, 1);
    buf_free(&out);
    if (!rc) w->db = db;
    return rc;
}

/* The end of a value whose last piece left nothing to send: it is there when what was sent is. */
static int put_nothing(struct load_write *w, const struct resp_unit *u)
{
    int rc = pipe_drain(w->pipe);
    if (rc) return rc;
    w->x->r.keys += u->keys;
    if (u->record + u->records > w->acked) w->acked = u->record + u->records;
    return RSP_OK;
}

int load_put(struct load_write *w, const struct resp_unit *u)
{
    struct pipe_note note = {.kind = LOAD_UNIT, .flags = u->flags, .db = u->db, .keys = u->keys};
    struct rsp_span key;
    int rc = mark(w, u);
    if (rc) return rc;
    if (!u->n) return put_nothing(w, u);
    note.until = u->record + u->records;
    key = u->flags & RESP_UNIT_FUNCTION ? load_library(u) : u->key;
    note.key_n = key.n;
    memcpy(note.key, key.p, key.n < PIPE_KEY ? key.n : PIPE_KEY);
    if (w->existing == RSP_EXISTING_SKIP && !(u->flags & RESP_UNIT_FUNCTION)) {
        struct sip128 hash = row_key(u->db, u->key);
        note.hash[0] = hash.lo;
        note.hash[1] = hash.hi;
    }
    if (!(u->flags & RESP_UNIT_FUNCTION)) rc = load_put_select(w, u->db);
    if (!rc) rc = pipe_put(w->pipe, &note, u->p, u->n, u->replies);
    w->commands += u->replies;
    return rc ? rc : pace(w, u);
}

/* ---- the run ---- */

struct both { /* what a worker leaves of a batch */
    struct rsp_rdb_task commands, rows;
};

static int emit(void *ctx, const struct resp_unit *u)
{
    return load_ask(ctx, u);
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    struct load_write *w = ctx;
    struct both *b = task->result;
    task->result = NULL;
    if (!b) return;
    if (b->commands.result) resp_maker_drop(w->maker, &b->commands);
    if (b->rows.result) rows_maker_drop(w->rows, &b->rows);
    mem_free(&w->x->quiet, b, sizeof *b);
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct load_write *w = ctx;
    struct rsp_rdb_task each = {.batch = task->batch, .verdicts = task->verdicts};
    struct both *b = mem_zero(env, sizeof *b);
    int rc;
    if (!b) return RSP_ENOMEM;
    b->commands = b->rows = each;
    task->result = b;
    rc = resp_maker_work(w->maker, worker, env, &b->commands);
    if (!rc && w->rows) rc = rows_maker_work(w->rows, worker, env, &b->rows);
    return rc;
}

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct load_write *w = ctx;
    struct both *b = task->result;
    int rc = resp_maker_join(w->maker, env, &b->commands, emit, w);
    if (!rc && w->holding) rc = load_ask_release(w);
    rc = load_hand_on(w->x, env, rc);
    if (!rc && w->rows) rc = rows_maker_join(w->rows, env, &b->rows);
    drop(ctx, task);
    return rc;
}

/* Values that an earlier run began and may not have ended. */
static int del_open(struct load_write *w)
{
    struct load *x = w->x;
    int rc = RSP_OK;
    for (const struct checkpoint_open *o = x->mark.open; o && !rc; o = o->next) {
        struct pipe_note note = {.kind = LOAD_DEL, .db = o->db, .key_n = o->n};
        struct buf out;
        memcpy(note.key, o->key, o->n < PIPE_KEY ? o->n : PIPE_KEY);
        rc = load_put_select(w, o->db);
        buf_init(&out, &x->server_env);
        if (!rc) rc = resp_begin(&out, 2);
        if (!rc) rc = resp_text(&out, "DEL");
        if (!rc) rc = resp_bulk(&out, o->key, o->n);
        if (!rc) rc = pipe_put(w->pipe, &note, out.p, out.n, 1);
        buf_free(&out);
        w->commands++;
    }
    if (!rc) rc = pipe_drain(w->pipe);
    if (!rc) checkpoint_close_all(&x->mark);
    return rc;
}

static int run(struct load_write *w, uint64_t limit)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work, join, drop};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_rdb_run_options o;
    struct rsp_source *source;
    struct load *x = w->x;
    int rc = load_source(x, &source);
    if (rc) return rc;
    load_run_options(x, &o);
    o.filter = x->o.resp.run.filter;
    o.limit = limit;
    rc = rsp_rdb_run(&x->env, source, &o, &ops, w, &result);
    rsp_source_free(source);
    return rc ? rc : pipe_drain(w->pipe);
}

static int range(struct load *x, int existing, uint64_t skip, uint64_t limit, int no_functions,
                 struct rsp_rows *skipped)
{
    struct rsp_resp_options o = x->o.resp;
    struct load_write w = {.x = x, .existing = existing, .db = -1, .skipped = skipped, .acked = skip};
    struct rsp_env env = x->env;
    struct rsp_error err = {0};
    int rc;
    env.error = &err; /* the maker's own: threads share it with nobody who is read */
    buf_init(&w.held, &x->server_env);
    buf_init(&w.held_bytes, &x->server_env);
    rate_init(&w.ops, x->o.rate_ops);
    rate_init(&w.bytes, x->o.rate_bytes);
    o.existing = existing;
    o.no_functions |= no_functions;
    o.run.threads = x->o.threads;
    o.tmpdir = x->o.tmpdir;
    rc = resp_maker_new(&env, &o, &w.maker);
    if (rc && x->env.error && !x->env.error->code) *x->env.error = err;
    if (!rc) resp_maker_skip(w.maker, skip);
    if (!rc) rc = pipe_new(x->server, told, &w, &w.pipe);
    if (!rc && x->mark.open) rc = del_open(&w);
    if (!rc && x->rows_later) rc = load_rows_maker(x, &x->env, 0, &w.rows);
    if (!rc) rc = run(&w, limit);
    if (!rc && w.rows) rc = rows_maker_end(w.rows, &x->env, &x->expected);
    if (rc && w.pipe && x->o.checkpoint && x->mark.bound) {
        x->mark.env.error = NULL; /* the fault has its words; an older checkpoint is as right */
        (void)save(&w);
    }
    x->r.commands += w.commands;
    if (w.pipe) x->r.sent_bytes += pipe_sent_bytes(w.pipe);
    pipe_free(w.pipe);
    load_ask_free(&w);
    rows_maker_free(w.rows);
    resp_maker_free(w.maker);
    return rc;
}

int load_write(struct load *x, struct rsp_rows *skipped)
{
    int existing = x->o.resp.existing, rc = RSP_OK;
    uint64_t from = x->resumed ? x->mark.acknowledged : 0, bound = x->mark.bound;
    int64_t begun = now_ms(x), ended;
    load_pass(x, "writing");
    x->r.resumed = from;
    if (x->resumed && existing == RSP_EXISTING_FAIL) {
        rc = range(x, RSP_EXISTING_REPLACE, from, bound, 0, skipped);
        if (!rc) rc = range(x, existing, bound, 0, 1, skipped);
    } else {
        rc = range(x, existing, from, 0, 0, skipped);
    }
    ended = now_ms(x);
    x->r.write_ms = ended > begun ? (uint64_t)(ended - begun) : 0;
    if (!rc && x->o.checkpoint) rc = checkpoint_remove(&x->env, x->o.checkpoint);
    return rc;
}
