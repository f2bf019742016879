/* What this is: what of ours the target has already: databases, functions, keys.
 * Rests on: load_impl.h.
 * Does not: write. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "job/load_impl.h"

#define ASK_KEYS 64
#define ASK_BYTES (64u << 10)

/* ---- databases and functions ---- */

static int size_of(struct load *x, struct load_db *d)
{
    const struct rsp_reply *r;
    char words[32];
    struct rsp_span argv[2] = {{(const uint8_t *)"SELECT", 6}, {(const uint8_t *)words, 0}};
    int rc;
    argv[1].n = (size_t)snprintf(words, sizeof words, "%" PRIu32, d->db);
    rc = rsp_server_ask(x->server, 2, argv, &r);
    if (rc) return rc;
    if (r->type == RSP_REPLY_ERROR && !resp_error_is(r->text, "NOPERM"))
        return fail(&x->server_env, RSP_EDENIED, rsp_server_name(x->server),
                    "the target has no database %" PRIu32
                    " (%.*s): raise its `databases`, or map that database to another",
                    d->db, (int)(r->text.n < 80 ? r->text.n : 80), (const char *)r->text.p);
    if (r->type == RSP_REPLY_ERROR) return server_refused(x->server, "select a database", r->text);
    rc = rsp_server_do(x->server, "DBSIZE", &r);
    if (!rc && r->type == RSP_REPLY_INTEGER && r->integer > 0) d->there = (uint64_t)r->integer;
    return rc;
}

static int library_there(struct load *x, const char *name)
{
    const struct rsp_reply *r;
    struct rsp_span argv[4] = {{(const uint8_t *)"FUNCTION", 8},
                               {(const uint8_t *)"LIST", 4},
                               {(const uint8_t *)"LIBRARYNAME", 11},
                               {(const uint8_t *)name, strlen(name)}};
    int rc = rsp_server_ask(x->server, 4, argv, &r);
    if (rc || r->type != RSP_REPLY_ARRAY || !r->n) return rc; /* not allowed to ask: the write will tell */
    /* The argument is a pattern: a library is ours only by its whole name. */
    for (const struct rsp_reply *l = r->child; l; l = l->next)
        for (const struct rsp_reply *f = l->child; f && f->next; f = f->next->next) {
            const struct rsp_span *v = &f->next->text;
            char printed[80];
            if (f->text.n != 12 || memcmp(f->text.p, "library_name", 12)) continue;
            if (v->n != argv[3].n || memcmp(v->p, name, v->n)) continue;
            x->r.plan.existing++;
            if (x->o.dry_run) return RSP_OK;
            printable(printed, sizeof printed, argv[3].p, argv[3].n);
            return fail(&x->server_env, RSP_EEXIST, rsp_server_name(x->server),
                        "the function library \"%s\" is there already, and nothing was written: replace or skip what "
                        "exists, or leave functions out",
                        printed);
        }
    return RSP_OK;
}

int load_look(struct load *x)
{
    struct load_db *d = (struct load_db *)(void *)x->dbs.p;
    size_t n = x->dbs.n / sizeof *d;
    uint64_t sum = 0;
    int rc = RSP_OK;
    for (size_t i = 0; i < n && !rc; i++) {
        rc = size_of(x, &d[i]);
        sum += d[i].there;
    }
    if (rc) return rc;
    x->r.plan.target_keys = rsp_server_facts(x->server)->keys > sum ? rsp_server_facts(x->server)->keys : sum;
    if (x->o.resp.existing != RSP_EXISTING_FAIL || x->resumed) return RSP_OK;
    for (size_t at = 0; at < x->libraries.n && !rc; at += strlen((char *)x->libraries.p + at) + 1)
        rc = library_there(x, (char *)x->libraries.p + at);
    return rc;
}

/* ---- keys ---- */

struct names { /* of one batch: u32 database, u32 length, a byte (1: goes on with the record before), the key */
    struct rsp_env env;
    struct buf b;
};

struct asking {
    struct load *x;
    struct pipe *pipe;
    uint64_t from, records;
    int counted; /* the record under way */
    int64_t db;
    struct buf command, keys; /* the EXISTS being made; its keys as in names */
    uint32_t keys_n, keys_db;
    struct buf under_way; /* keys of commands without reply, in order: gone up to .. */
    size_t gone;
    uint64_t there;
    struct buf hit; /* keys of the first command that met one */
};

static int add_key(struct buf *b, uint32_t db, struct rsp_span key, int carried)
{
    uint8_t head[9];
    int rc;
    if (key.n > UINT32_MAX) return RSP_ELIMIT;
    store_le32(head, db);
    store_le32(head + 4, (uint32_t)key.n);
    head[8] = (uint8_t)carried;
    rc = buf_add(b, head, sizeof head);
    return rc ? rc : buf_add(b, key.p, key.n);
}

static int work(void *ctx, unsigned worker, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct asking *a = ctx;
    const struct rsp_resp_options *o = &a->x->o.resp;
    struct rsp_rdb_batch *b = task->batch;
    struct rsp_scratch scratch = {NULL, 0};
    struct names *names = mem_zero(env, sizeof *names);
    int rc = RSP_OK;
    (void)worker;
    if (!names) return RSP_ENOMEM;
    task->result = names;
    names->env = *env;
    buf_init(&names->b, env);
    for (size_t i = 0; i < b->count && !rc; i++) {
        const struct rsp_rdb_item *item = &b->items[i];
        struct rsp_span key;
        int late = o->ttl == RSP_TTL_DROP_EXPIRED && item->flags & RSP_ITEM_EXPIRE && item->expire_ms <= o->now_ms;
        if (item->kind != RSP_RDB_KEY || (task->verdicts && task->verdicts[i] != RSP_FILTER_ACCEPT)) continue;
        rc = rsp_rdb_batch_key(env, b, item, &scratch, &key);
        /* What is left out counts as a record too: with a database that nothing goes to. */
        if (!rc)
            rc = add_key(&names->b, load_map(a->x, item->db), key,
                         (item->flags & RSP_ITEM_FIRST ? 0 : 1) | (late ? 2 : 0));
    }
    rsp_scratch_free(env, &scratch);
    return rc;
}

static void names_free(struct rsp_rdb_task *task, const struct rsp_env *env)
{
    struct names *names = task->result;
    if (!names) return;
    names->b.env = env;
    buf_free(&names->b);
    mem_free(env, names, sizeof *names);
    task->result = NULL;
}

static int put(struct asking *a)
{
    struct pipe_note note = {.kind = LOAD_ASK, .db = a->keys_db};
    struct buf out;
    int rc;
    if (!a->keys_n) return RSP_OK;
    if (a->db != (int64_t)a->keys_db) {
        struct pipe_note select = {.kind = LOAD_SELECT, .db = a->keys_db};
        buf_init(&out, &a->x->server_env);
        rc = resp_begin(&out, 2);
        if (!rc) rc = resp_text(&out, "SELECT");
        if (!rc) rc = resp_u64(&out, a->keys_db);
        if (!rc) rc = pipe_put(a->pipe, &select, out.p, out.n, 1);
        buf_free(&out);
        if (rc) return rc;
        a->db = a->keys_db;
    }
    buf_init(&out, &a->x->server_env);
    note.index = a->keys.n;
    rc = resp_begin(&out, (uint64_t)a->keys_n + 1);
    if (!rc) rc = resp_text(&out, "EXISTS");
    if (!rc) rc = buf_add(&out, a->command.p, a->command.n);
    if (!rc) rc = buf_add(&a->under_way, a->keys.p, a->keys.n); /* its reply may come before pipe_put is back */
    if (!rc) rc = pipe_put(a->pipe, &note, out.p, out.n, 1);
    buf_free(&out);
    a->command.n = a->keys.n = 0;
    a->keys_n = 0;
    return rc;
}

static int take_key(struct asking *a, uint32_t db, struct rsp_span key)
{
    const struct load_db *d = load_db(a->x, db);
    int rc = RSP_OK;
    if (!d || !d->there) return RSP_OK;
    if (a->keys_n && (a->keys_db != db || a->keys_n == ASK_KEYS || a->command.n > ASK_BYTES)) rc = put(a);
    if (!rc) rc = resp_bulk(&a->command, key.p, key.n);
    if (!rc) rc = add_key(&a->keys, db, key, 0);
    a->keys_db = db;
    a->keys_n++;
    return rc;
}

static int join(void *ctx, const struct rsp_env *env, struct rsp_rdb_task *task)
{
    struct asking *a = ctx;
    struct names *names = task->result;
    const uint8_t *p = names->b.p, *end = p + names->b.n;
    int rc = RSP_OK;
    while (p < end && !rc) {
        struct rsp_span key = {p + 9, load_le32(p + 4)};
        uint32_t db = load_le32(p);
        int flags = p[8], again = flags & 1 && a->counted;
        p += 9 + key.n;
        if (!(flags & 1)) a->counted = 0;
        if (again) continue;
        a->counted = 1;
        if (a->records++ >= a->from && !(flags & 2)) rc = take_key(a, db, key);
    }
    names_free(task, env);
    return rc ? load_hand_on(a->x, env, rc) : RSP_OK;
}

static void drop(void *ctx, struct rsp_rdb_task *task)
{
    names_free(task, &((struct asking *)ctx)->x->env);
}

static int told(void *ctx, const struct pipe_note *note, const struct pipe_reply *r)
{
    struct asking *a = ctx;
    int rc = RSP_OK;
    if (r->error.n) return server_refused(a->x->server, "look for keys that exist", r->error);
    if (note->kind != LOAD_ASK) return RSP_OK;
    if (r->type == RSP_REPLY_INTEGER && r->integer > 0) {
        a->there += (uint64_t)r->integer;
        if (!a->hit.n) rc = buf_add(&a->hit, a->under_way.p + a->gone, note->index);
    }
    a->gone += note->index;
    if (a->gone > a->under_way.n / 2) {
        memmove(a->under_way.p, a->under_way.p + a->gone, a->under_way.n - a->gone);
        a->under_way.n -= a->gone;
        a->gone = 0;
    }
    return rc;
}

/* Which of them it was. */
static int name_first(struct asking *a)
{
    struct load *x = a->x;
    const uint8_t *p = a->hit.p, *end = p + a->hit.n;
    char shown[100] = "?", words[32];
    struct rsp_span select[2] = {{(const uint8_t *)"SELECT", 6}, {(const uint8_t *)words, 0}};
    const struct rsp_reply *r;
    uint32_t db = load_le32(p);
    int rc;
    select[1].n = (size_t)snprintf(words, sizeof words, "%" PRIu32, db);
    rc = rsp_server_ask(x->server, 2, select, &r);
    while (!rc && p < end) {
        struct rsp_span ask[2] = {{(const uint8_t *)"EXISTS", 6}, {p + 9, load_le32(p + 4)}};
        rc = rsp_server_ask(x->server, 2, ask, &r);
        if (!rc && r->type == RSP_REPLY_INTEGER && r->integer > 0) {
            printable(shown, sizeof shown, ask[1].p, ask[1].n);
            break;
        }
        p += 9 + ask[1].n;
    }
    if (rc) return rc;
    return fail(&x->server_env, RSP_EEXIST, rsp_server_name(x->server),
                "%" PRIu64 " keys are there already, the first \"%s\" in database %" PRIu32
                ": nothing was written; skip or replace what exists",
                a->there, shown, db);
}

int load_exists(struct load *x, uint64_t from)
{
    static const struct rsp_rdb_run_ops ops = {sizeof ops, work, join, drop};
    struct rsp_rdb_run_result result = {.size = sizeof result};
    struct rsp_rdb_run_options run;
    struct rsp_source *source = NULL;
    struct asking a = {.x = x, .from = from, .db = -1};
    int rc;
    load_pass(x, "looking for keys that exist");
    buf_init(&a.command, &x->server_env), buf_init(&a.keys, &x->server_env);
    buf_init(&a.under_way, &x->server_env), buf_init(&a.hit, &x->server_env);
    load_run_options(x, &run);
    run.filter = x->o.resp.run.filter;
    rc = pipe_new(x->server, told, &a, &a.pipe);
    if (!rc) rc = load_source(x, &source);
    if (!rc) rc = rsp_rdb_run(&x->env, source, &run, &ops, &a, &result);
    rsp_source_free(source);
    if (!rc) rc = put(&a);
    if (!rc) rc = pipe_drain(a.pipe);
    if (!rc) x->r.plan.existing += a.there;
    if (!rc && a.there && !x->o.dry_run) rc = name_first(&a);
    pipe_free(a.pipe);
    buf_free(&a.command), buf_free(&a.keys), buf_free(&a.under_way), buf_free(&a.hit);
    return rc;
}
