/* What this is: the last pass: what the target holds now, beside what was to be restored.
 * Rests on: load_impl.h, rows.h, respite/sys/server.h (capture).
 * Does not: judge a difference while others wrote: that is told beside it. */
#include <stdio.h>
#include <string.h>

#include "job/load_impl.h"
#include "job/rows.h"

/* ---- did others write? ---- */

/* Commands that change no data: all others count, known or not. */
static int harmless(const char *p, size_t n)
{
    static const char *const names[] = {
        "ping",      "info",        "select",     "exists",     "replconf",    "psync",    "sync",      "auth",
        "hello",     "dbsize",      "get",        "mget",       "scan",        "type",     "ttl",       "pttl",
        "keys",      "role",        "echo",       "hget",       "hgetall",     "hmget",    "hlen",      "hscan",
        "hexists",   "strlen",      "getrange",   "llen",       "lrange",      "lindex",   "scard",     "smembers",
        "sismember", "sscan",       "zcard",      "zrange",     "zscore",      "zscan",    "zrank",     "zrangebyscore",
        "xlen",      "xrange",      "xrevrange",  "xread",      "dump",        "lastsave", "bgsave",    "save",
        "subscribe", "unsubscribe", "psubscribe", "publish",    "monitor",     "time",     "wait",      "quit",
        "command",   "client",      "config",     "acl",        "latency",     "slowlog",  "memory",    "asking",
        "object",    "module",      "cluster",    "expiretime", "pexpiretime", "lolwut",   "randomkey", "bgrewriteaof",
        "xinfo"};
    static const char *const whole[] = {"function|list", "function|dump", "function|stats",
                                        "script|exists", "debug|digest",  "pubsub|channels"};
    const char *bar = memchr(p, '|', n);
    size_t first = bar ? (size_t)(bar - p) : n;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == first && !memcmp(names[i], p, first)) return 1;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strlen(whole[i]) == n && !memcmp(whole[i], p, n)) return 1;
    return 0;
}

/* "cmdstat_NAME:calls=N,..." */
static void add_calls(const char *p, size_t n, uint64_t *sum)
{
    static const char head[] = "cmdstat_", calls[] = ":calls=";
    const char *at, *end = p + n;
    uint64_t v = 0;
    if (n < sizeof head - 1 || memcmp(p, head, sizeof head - 1)) return;
    p += sizeof head - 1;
    at = memmem(p, (size_t)(end - p), calls, sizeof calls - 1);
    if (!at || harmless(p, (size_t)(at - p))) return;
    for (at += sizeof calls - 1; at < end && *at >= '0' && *at <= '9'; at++) v = v * 10 + (uint64_t)(*at - '0');
    *sum += v;
}

static int calls_of(struct rsp_server *server, uint64_t *sum, int *known)
{
    static const struct rsp_span argv[2] = {{(const uint8_t *)"INFO", 4}, {(const uint8_t *)"commandstats", 12}};
    const struct rsp_reply *r;
    int rc = rsp_server_ask(server, 2, argv, &r);
    *known = 0;
    if (rc || r->type != RSP_REPLY_BULK) return rc;
    for (const char *p = (const char *)r->text.p, *end = p + r->text.n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);
        add_calls(p, n, sum);
        *known = 1;
        p += n + 1;
    }
    return RSP_OK;
}

int load_calls(struct load *x, struct load_calls *calls)
{
    size_t n = routes_n(x->routes);
    int rc = RSP_OK;
    memset(calls, 0, sizeof *calls);
    calls->known = 1;
    for (size_t i = 0; i < n && !rc; i++) {
        int known = 0;
        rc = calls_of(routes_server(x->routes, i), &calls->n, &known);
        calls->known &= known;
    }
    return rc;
}

/* ---- rows ---- */

static int row_before(const struct row *a, const struct row *b)
{
    return a->key.hi != b->key.hi ? a->key.hi < b->key.hi : a->key.lo < b->key.lo;
}

static int copy_row(struct rsp_rows *from, struct rsp_rows *to, const struct row *row)
{
    uint8_t name[5 + ROWS_NAME_MAX];
    size_t got = 0;
    int rc = rsp_spool_read(from->names, row->name, name, sizeof name, &got);
    if (rc) return rc;
    if (got < 5 || name[4] > got - 5) return fail(&from->env, RSP_EIO, NULL, "a key's name is not there");
    return rows_add(to, row, name, 5 + (size_t)name[4]);
}

/* Keys that were left as they were are not ours to compare. */
static int without(struct load *x, struct rsp_rows **rows, struct rsp_rows *skipped)
{
    struct row_walk a = {0}, b = {0};
    struct rsp_rows *kept = NULL;
    struct row row, gone;
    int rc, rc2 = RSP_OK;
    rows_seal(skipped);
    rc = rows_new(&x->env, x->o.tmpdir, ROWS_RUN, &kept);
    if (!rc) rc = row_walk_open(&a, &x->env, *rows);
    if (!rc) rc = row_walk_open(&b, &x->env, skipped);
    if (!rc) rc2 = row_walk_next(&b, &gone);
    while (!rc && rc2 >= 0) {
        rc = row_walk_next(&a, &row);
        while (!rc && !rc2 && row_before(&gone, &row)) rc2 = row_walk_next(&b, &gone);
        if (rc || rc2 < 0) break;
        if (!rc2 && !row_before(&row, &gone)) continue; /* the same */
        rc = copy_row(*rows, kept, &row);
    }
    row_walk_close(&a);
    row_walk_close(&b);
    if (rc2 < 0) rc = rc2;
    if (rc != RSP_END) {
        rsp_rows_free(kept);
        return rc;
    }
    rows_seal(kept);
    rsp_rows_free(*rows);
    *rows = kept;
    return RSP_OK;
}

/* Of the keys that were there when a run went on, or before, nobody knows which an earlier run wrote itself: when all are as
 * they should be it does not matter, else nothing can be said. */
static int unsure(const struct load *x)
{
    if (x->unsure) return 1;
    return x->resumed && x->o.resp.existing == RSP_EXISTING_SKIP && (x->skipped_before || x->r.skipped);
}

struct rsp_compare_side load_side(const struct load *x)
{
    const struct rsp_resp_options *o = &x->o.resp;
    struct rsp_compare_side side = {.size = sizeof side,
                                    .filter = o->run.filter,
                                    .ttl = o->ttl,
                                    .shift_ms = o->shift_ms,
                                    .now_ms = o->now_ms,
                                    .dbs = o->dbs,
                                    .dbs_n = o->dbs_n,
                                    .target = &o->target,
                                    .losses = o->losses};
    return side;
}

/* ---- the target again ---- */

static int why_not(struct load *x, const struct rsp_error *err, int rc)
{
    if (rc == RSP_ECANCELED || rc == RSP_ENOMEM) {
        if (x->env.error && !x->env.error->code) *x->env.error = *err;
        return rc;
    }
    if (err->code) rsp_error_format(err, x->r.why_not, sizeof x->r.why_not);
    else snprintf(x->r.why_not, sizeof x->r.why_not, "the target cannot be read: %s", rsp_status_text(rc));
    return RSP_END;
}

struct finding {
    struct load *x;
    struct rsp_env env;
    struct rsp_capture *capture;
    struct rsp_endpoint endpoint;
};

static int read_capture(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    const struct finding *f = opaque;
    return rsp_source_read(rsp_capture_source(f->capture), out, cap, got);
}

/* The source of a primary; its capture is freed with the next one. */
static int open_node(void *ctx, size_t i, struct rsp_source **source)
{
    static const struct rsp_source_ops ops = {sizeof ops, read_capture, NULL};
    struct finding *f = ctx;
    struct load *x = f->x;
    const struct routes_node *node = routes_node(x->routes, i);
    struct rsp_capture_options co = {.size = sizeof co, .role = RSP_CAPTURE_AT_MASTER, .cancel = x->o.cancel};
    int rc;
    *source = NULL;
    rsp_capture_free(f->capture);
    f->capture = NULL;
    if (!node || !node->server) return fail(&f->env, RSP_ENET, x->name, "a primary is gone");
    f->endpoint = *rsp_server_endpoint(node->server);
    co.exact = x->routes->cluster;
    co.no_settings = 1;
    co.shard = x->routes->cluster;
    rc = rsp_capture_open(&f->env, &f->endpoint, &co, &f->capture);
    if (rc) return rc;
    if (strcmp(rsp_capture_facts(f->capture)->server->run_id, node->run_id))
        return fail(&f->env, RSP_ENET, rsp_server_name(node->server),
                    "the server that answers now is another, or was started again");
    return rsp_source_custom(&f->env, &ops, f, rsp_server_name(node->server), source);
}

/* Slots that wander while one node is read after the other may be seen twice, or not at all. */
static int same_map(struct load *x)
{
    struct rsp_server_options so = {.size = sizeof so, .cancel = x->o.cancel};
    struct rsp_cluster_map *map = NULL;
    int same;
    if (!x->routes->cluster) return 1;
    same = !rsp_cluster_look(&x->quiet, &x->routes->known, &so, &map) && rsp_cluster_same(x->routes->map, map);
    rsp_cluster_map_free(&x->quiet, map);
    return same;
}

/* RSP_END: it could not be had, and why_not says why. */
static int found(struct load *x, const struct load_calls *before, struct rsp_rows **ret)
{
    struct rsp_compare_side side = {.size = sizeof side, .held_by = &x->o.resp.target};
    struct finding f = {.x = x, .env = x->env};
    struct rsp_error err = {0};
    struct load_calls after = {0};
    int rc;
    f.env.error = &err;
    if (load_calls(x, &after) < 0) after.known = 0;
    x->r.disturbed = x->changed || !before->known || !after.known || after.n - before->n != x->r.commands;
    rc = rsp_rows_of_all(&f.env, open_node, &f, routes_n(x->routes), &side, x->o.threads, x->o.tmpdir, x->o.cancel,
                         ret);
    rsp_capture_free(f.capture);
    if (rc) return why_not(x, &err, rc);
    x->r.disturbed |= !same_map(x);
    return RSP_OK;
}

int load_compare(struct load *x, const struct load_calls *before, struct rsp_rows *skipped)
{
    struct rsp_rows *b = NULL;
    int rc;
    load_pass(x, "comparing");
    rc = found(x, before, &b);
    if (!rc) {
        int64_t as_of = x->env.now_ms(x->env.clock_opaque);
        if (x->r.skipped && !unsure(x)) rc = without(x, &x->expected, skipped);
        x->r.compare.size = sizeof x->r.compare;
        if (!rc) rc = rsp_rows_compare(&x->env, x->expected, b, as_of, &x->r.compare);
        x->r.compared = !rc;
        if (!rc && unsure(x) && x->r.compare.verdict != RSP_COMPARE_EQUAL) {
            snprintf(x->r.why_not, sizeof x->r.why_not,
                     "keys were there and left alone, and which of them an earlier run wrote is not known any more");
            x->r.compared = 0;
        }
    }
    rsp_rows_free(b);
    return rc == RSP_END ? RSP_OK : rc;
}
