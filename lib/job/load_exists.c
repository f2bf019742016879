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
#define KEY_HEAD 8

/* ---- databases and functions ---- */

static int size_of(struct load *x, struct rsp_server *server, struct load_db *d)
{
    const struct rsp_reply *r;
    char words[32];
    struct rsp_span argv[2] = {{(const uint8_t *)"SELECT", 6}, {(const uint8_t *)words, 0}};
    int rc = RSP_OK;
    argv[1].n = (size_t)snprintf(words, sizeof words, "%" PRIu32, d->db);
    if (!x->routes->cluster) {
        rc = rsp_server_ask(server, 2, argv, &r);
        if (rc) return rc;
        if (r->type == RSP_REPLY_ERROR && !resp_error_is(r->text, "NOPERM"))
            return fail(&x->server_env, RSP_EDENIED, x->name,
                        "the target has no database %" PRIu32
                        " (%.*s): raise its `databases`, or map that database to another",
                        d->db, (int)(r->text.n < 80 ? r->text.n : 80), (const char *)r->text.p);
        if (r->type == RSP_REPLY_ERROR) return server_refused(server, "select a database", r->text);
    }
    rc = rsp_server_do(server, "DBSIZE", &r);
    if (!rc && r->type == RSP_REPLY_INTEGER && r->integer > 0) d->there += (uint64_t)r->integer;
    return rc;
}

static int library_there(struct load *x, struct rsp_server *server, struct rsp_span name)
{
    const struct rsp_reply *r;
    struct rsp_span argv[4] = {
        {(const uint8_t *)"FUNCTION", 8}, {(const uint8_t *)"LIST", 4}, {(const uint8_t *)"LIBRARYNAME", 11}, name};
    int rc = rsp_server_ask(server, 4, argv, &r);
    if (rc || r->type != RSP_REPLY_ARRAY || !r->n) return rc; /* not allowed to ask: the write will tell */
    /* The argument is a pattern: a library is ours only by its whole name. */
    for (const struct rsp_reply *l = r->child; l; l = l->next)
        for (const struct rsp_reply *f = l->child; f && f->next; f = f->next->next) {
            const struct rsp_span *v = &f->next->text;
            char printed[80];
            if (f->text.n != 12 || memcmp(f->text.p, "library_name", 12)) continue;
            if (v->n != name.n || memcmp(v->p, name.p, v->n)) continue;
            x->r.plan.existing++;
            if (x->o.dry_run) return RSP_OK;
            printable(printed, sizeof printed, name.p, name.n);
            return fail(&x->server_env, RSP_EEXIST, rsp_server_name(server),
                        "the function library \"%s\" is there already, and nothing was written: replace or skip what "
                        "exists, or leave functions out",
                        printed);
        }
    return RSP_OK;
}

static int look_at(struct load *x, struct rsp_server *server)
{
    struct load_db *d = (struct load_db *)(void *)x->dbs.p;
    const struct load_library *l = (const struct load_library *)(const void *)x->libraries.p;
    uint64_t before = 0, after = 0, keys = rsp_server_facts(server)->keys;
    int rc = RSP_OK;
    for (size_t i = 0; i < x->dbs.n / sizeof *d && !rc; i++) {
        before += d[i].there;
        rc = size_of(x, server, &d[i]);
        after += d[i].there;
    }
    x->r.plan.target_keys += keys > after - before ? keys : after - before;
    if (x->o.resp.existing != RSP_EXISTING_FAIL || x->resumed) return rc;
    for (size_t i = 0; i < x->libraries.n / sizeof *l && !rc; i++)
        if (l[i].name_n)
            rc = library_there(x, server, (struct rsp_span){x->library_bytes.p + l[i].at - l[i].name_n, l[i].name_n});
    return rc;
}

int load_look(struct load *x)
{
    size_t n = routes_n(x->routes);
    int rc = RSP_OK;
    for (size_t i = 0; i < n && !rc; i++) rc = look_at(x, routes_server(x->routes, i));
    return rc;
}

/* ---- keys ---- */

struct asking {
    struct load *x;
    int64_t db;
    struct buf command, keys; /* the EXISTS being made; its keys: u32 database, u32 length, bytes */
    uint32_t keys_n, keys_db;
    struct buf under_way; /* of one server: keys of commands without reply, in order: gone up to .. */
    size_t gone;
    uint64_t there;
    struct buf hit; /* keys of the first command that met one */
};

static int add_key(struct buf *b, uint32_t db, struct rsp_span key)
{
    uint8_t head[KEY_HEAD];
    int rc;
    if (key.n > UINT32_MAX) return RSP_ELIMIT;
    store_le32(head, db);
    store_le32(head + 4, (uint32_t)key.n);
    rc = buf_add(b, head, sizeof head);
    return rc ? rc : buf_add(b, key.p, key.n);
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
        if (!rc) rc = routes_put(a->x->routes, &select, 0, out.p, out.n, 1);
        buf_free(&out);
        if (rc) return rc;
        a->db = a->keys_db;
    }
    buf_init(&out, &a->x->server_env);
    note.index = a->keys.n;
    rc = resp_begin(&out, (uint64_t)a->keys_n + 1);
    if (!rc) rc = resp_text(&out, "EXISTS");
    if (!rc) rc = buf_add(&out, a->command.p, a->command.n);
    if (!rc) rc = buf_add(&a->under_way, a->keys.p, a->keys.n); /* its reply may come before routes_put is back */
    if (!rc) rc = routes_put(a->x->routes, &note, 0, out.p, out.n, 1);
    buf_free(&out);
    a->command.n = a->keys.n = 0;
    a->keys_n = 0;
    return rc;
}

/* In a cluster each goes to its owner by itself; the note has what is shown of it. */
static int put_one(struct asking *a, uint32_t db, struct rsp_span key)
{
    struct pipe_note note = {.kind = LOAD_ASK, .db = db, .repeat = 1, .key_n = key.n};
    struct buf out;
    int rc;
    memcpy(note.key, key.p, key.n < PIPE_KEY ? key.n : PIPE_KEY);
    buf_init(&out, &a->x->server_env);
    rc = resp_begin(&out, 2);
    if (!rc) rc = resp_text(&out, "EXISTS");
    if (!rc) rc = resp_bulk(&out, key.p, key.n);
    if (!rc) rc = routes_put(a->x->routes, &note, rsp_key_slot(key), out.p, out.n, 1);
    buf_free(&out);
    return rc;
}

static int each(void *ctx, const struct load_name *name)
{
    struct asking *a = ctx;
    const struct load_db *d = name->flags & LOAD_NAME_EXPIRED ? NULL : load_db(a->x, name->db);
    int rc = RSP_OK;
    if (!d || !d->there) return RSP_OK;
    if (a->x->routes->cluster) return put_one(a, name->db, name->key);
    if (a->keys_n && (a->keys_db != name->db || a->keys_n == ASK_KEYS || a->command.n > ASK_BYTES)) rc = put(a);
    if (!rc) rc = resp_bulk(&a->command, name->key.p, name->key.n);
    if (!rc) rc = add_key(&a->keys, name->db, name->key);
    a->keys_db = name->db;
    a->keys_n++;
    return rc;
}

static int told(void *ctx, const struct pipe_note *note, const struct pipe_reply *r)
{
    struct asking *a = ctx;
    int rc = RSP_OK;
    if (r->error.n) return server_refused(r->server, "look for keys that exist", r->error);
    if (note->kind != LOAD_ASK) return RSP_OK;
    if (a->x->routes->cluster) {
        if (r->type != RSP_REPLY_INTEGER || r->integer <= 0) return RSP_OK;
        return a->there++ ? RSP_OK
                          : add_key(&a->hit, note->db,
                                    (struct rsp_span){note->key, note->key_n < PIPE_KEY ? note->key_n : PIPE_KEY});
    }
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

static int is_there(struct load *x, const char *shown, uint64_t there, uint32_t db)
{
    return fail(&x->server_env, RSP_EEXIST, x->name,
                "%" PRIu64 " keys are there already, the first \"%s\" in database %" PRIu32
                ": nothing was written; skip or replace what exists",
                there, shown, db);
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
    if (x->routes->cluster) {
        printable(shown, sizeof shown, p + KEY_HEAD, load_le32(p + 4));
        return is_there(x, shown, a->there, db);
    }
    select[1].n = (size_t)snprintf(words, sizeof words, "%" PRIu32, db);
    rc = rsp_server_ask(load_server(x), 2, select, &r);
    while (!rc && p < end) {
        struct rsp_span ask[2] = {{(const uint8_t *)"EXISTS", 6}, {p + KEY_HEAD, load_le32(p + 4)}};
        rc = rsp_server_ask(load_server(x), 2, ask, &r);
        if (!rc && r->type == RSP_REPLY_INTEGER && r->integer > 0) {
            printable(shown, sizeof shown, ask[1].p, ask[1].n);
            break;
        }
        p += KEY_HEAD + ask[1].n;
    }
    return rc ? rc : is_there(x, shown, a->there, db);
}

/* A question is asked again, never lost. */
static int gone(void *ctx, const struct pipe_note *note)
{
    (void)note;
    return fail(&((struct asking *)ctx)->x->server_env, RSP_ESTATE, NULL, "a question was lost");
}

int load_exists(struct load *x, uint64_t from)
{
    struct asking a = {.x = x, .db = -1};
    int rc;
    load_pass(x, "looking for keys that exist");
    buf_init(&a.command, &x->server_env), buf_init(&a.keys, &x->server_env);
    buf_init(&a.under_way, &x->server_env), buf_init(&a.hit, &x->server_env);
    rc = routes_start(x->routes, told, gone, &a);
    if (!rc) rc = load_names(x, from, each, &a);
    if (!rc) rc = put(&a);
    if (!rc) rc = routes_drain(x->routes);
    routes_stop(x->routes);
    if (!rc) x->r.plan.existing += a.there;
    if (!rc && a.there && !x->o.dry_run) rc = name_first(&a);
    buf_free(&a.command), buf_free(&a.keys), buf_free(&a.under_way), buf_free(&a.hit);
    return rc;
}
