/* What this is: the pass that writes: the streams one after the other, in the order of their records, then what a primary
 *   that is gone may have lost.
 * Rests on: load_impl.h, rows.h.
 * Does not: send (load_put.c, load_ask.c).
 *
 * A run that goes on after another leaves out what was acknowledged. What may have been sent without a word from the
 * server (up to the checkpoint's bound) is ours: with existing FAIL, where all keys were looked for before the first
 * write, it is replaced in a run of its own; with SKIP only what several commands make can be half there, and the
 * checkpoint names it.
 *
 * The slots of a cluster's primary that was replaced, or started again, and those of values that were cut off, are written
 * once more: replaced where the keys are ours (FAIL, REPLACE), and with SKIP what is not there. */
#include <string.h>

#include "job/load_impl.h"
#include "job/rows.h"

#define AGAIN_MOST 8 /* times that a cluster may lose what was written */

struct both { /* what a worker leaves of a batch */
    struct rsp_rdb_task commands, rows;
};

static int emit(void *ctx, const struct resp_unit *u)
{
    struct load_write *w = ctx;
    if (w->only) {
        unsigned slot = rsp_key_slot(u->key);
        if (!(w->only[slot / 8] >> slot % 8 & 1)) return RSP_OK;
    }
    if (w->x->twice.n && load_is_twice(w->x, w->base + u->record)) return RSP_OK;
    return load_ask(w, u);
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

/* The records of one stream from `skip` on; limit 0: all. */
static int run(struct load_write *w, uint64_t skip, uint64_t limit)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work, join, drop};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct load *x = w->x;
    struct rsp_resp_options o = x->o.resp;
    struct rsp_rdb_run_options run_options;
    struct rsp_source *source = NULL;
    struct rsp_env env = x->env;
    struct rsp_error err = {0};
    int rc;
    env.error = &err; /* the maker's own: threads share it with nobody who is read */
    o.existing = w->existing;
    o.no_functions = 1; /* they are there already; what belongs to no key was told in the first pass */
    o.lost = NULL;
    o.single_keys |= x->twice.n != 0;
    o.run.threads = x->o.threads;
    o.tmpdir = x->o.tmpdir;
    rc = resp_maker_new(&env, &o, &w->maker);
    if (rc && x->env.error && !x->env.error->code) *x->env.error = err;
    if (!rc) resp_maker_skip(w->maker, skip);
    if (!rc) rc = load_source(x, w->stream, &source);
    load_run_options(x, &run_options);
    run_options.filter = x->o.resp.run.filter;
    run_options.limit = limit;
    if (!rc && w->rows) rc = rows_maker_next(w->rows);
    if (!rc) rc = rsp_rdb_run(&x->env, source, &run_options, &ops, w, &result);
    rsp_source_free(source);
    resp_maker_free(w->maker);
    w->maker = NULL;
    return rc;
}

/* Records from..to (0: the end) over all streams. */
static int run_all(struct load_write *w, uint64_t from, uint64_t to)
{
    struct load *x = w->x;
    int rc = RSP_OK;
    for (size_t i = 0; i < x->o.streams && !rc; i++) {
        uint64_t base = load_base(x, i), end = load_base(x, i + 1);
        if ((end <= from && from) || (to && base >= to)) continue;
        w->stream = i;
        w->base = base;
        rc = run(w, from > base ? from - base : 0, to && to < end ? to - base : 0);
    }
    if (rc) return rc;
    rc = routes_drain(x->routes);
    return rc == RSP_OK && w->holding ? RSP_ESTATE : rc;
}

struct part { /* of the writing */
    int existing, functions;
    uint64_t from, to;
    const uint8_t *only;
};

static int range(struct load *x, const struct part *part, struct rsp_rows *skipped)
{
    struct load_write w = {.x = x, .existing = part->existing, .skipped = skipped, .put = part->from};
    int rc;
    load_put_init(&w);
    w.only = part->only;
    rc = load_put_begin(&w);
    if (!rc && (x->mark.open || x->mark.whole)) rc = load_put_del_open(&w);
    if (!rc && part->functions) rc = load_put_functions(&w);
    if (!rc && x->rows_later && !x->expected) rc = load_rows_maker(x, &x->env, 0, &w.rows);
    if (!rc) rc = run_all(&w, part->from, part->to);
    if (!rc && w.rows) rc = rows_maker_end(w.rows, &x->env, &x->expected);
    load_put_end(&w, rc);
    rows_maker_free(w.rows);
    return load_hand_on(x, &x->env, rc);
}

static int write_again(struct load *x, struct rsp_rows *skipped)
{
    int existing = x->o.resp.existing == RSP_EXISTING_SKIP ? RSP_EXISTING_SKIP : RSP_EXISTING_REPLACE, rc = RSP_OK;
    uint8_t slots[RSP_SLOTS / 8];
    for (unsigned n = 0; !rc && routes_take_again(x->routes, slots); n++) {
        struct part part = {.existing = existing, .functions = 1, .only = slots};
        if (n == AGAIN_MOST) return fail(&x->env, RSP_EBUSY, x->name, "the cluster lost its primaries again and again");
        log_line(&x->env, RSP_LOG_WARN,
                 "%s: a primary was replaced or a value was cut off: its slots are written again", x->name);
        load_pass(x, "writing again");
        x->unsure |= existing == RSP_EXISTING_SKIP;
        rc = range(x, &part, skipped);
    }
    return rc;
}

static int64_t now_ms(const struct load *x)
{
    return x->env.now_ms(x->env.clock_opaque);
}

int load_write(struct load *x, struct rsp_rows *skipped)
{
    int existing = x->o.resp.existing, rc = RSP_OK;
    uint64_t from = x->resumed ? x->mark.acknowledged : 0, bound = x->mark.bound, sent = routes_sent_bytes(x->routes);
    struct part all = {.existing = existing, .functions = 1, .from = from};
    struct part ours = {.existing = RSP_EXISTING_REPLACE, .functions = 1, .from = from, .to = bound};
    int64_t begun = now_ms(x), ended;
    uint8_t before[RSP_SLOTS / 8];
    if (!x->resumed) (void)routes_take_again(x->routes, before); /* nothing was written before */
    x->mark.keep_whole = x->routes->cluster && existing == RSP_EXISTING_SKIP;
    load_pass(x, "writing");
    x->r.resumed = from;
    if (x->resumed && existing == RSP_EXISTING_FAIL) {
        if (bound) rc = range(x, &ours, skipped);
        all.from = bound;
        all.functions = !bound;
    }
    if (!rc) rc = range(x, &all, skipped);
    if (!rc) rc = write_again(x, skipped);
    ended = now_ms(x);
    x->r.write_ms = ended > begun ? (uint64_t)(ended - begun) : 0;
    x->r.sent_bytes = routes_sent_bytes(x->routes) - sent;
    if (!rc && x->o.checkpoint) rc = checkpoint_remove(&x->env, x->o.checkpoint);
    return rc;
}
