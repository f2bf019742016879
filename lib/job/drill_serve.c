/* What this is: the private server's half of a drill: it loads the snapshot, is captured again, and both are compared.
 * Rests on: drill.h, respite/sys/server.h.
 * Does not: judge what only a module could read: that is "not proven here". */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "job/drill.h"

#define DATABASES 16u /* at least, as servers have by default */
#define START_MS 60000
#define SLOW_BYTES 5000u /* a millisecond: a server that loads slower than that is given up */
#define PATIENCE_MS 60000
#define SETTLE_MS 2000
#define SETTLE_PAUSE_MS 10

struct serve {
    struct drill *d;
    struct engine_server server;
    struct rsp_server *link;
    struct rsp_rows *expected, *found;
    int64_t start_ms;
    int still; /* what has expired stays in the server */
};

static int not_here(struct drill *d, const char *format, ...) RSP_PRINTF(2, 3);
static int not_here(struct drill *d, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(d->r->why_not, sizeof d->r->why_not, format, ap);
    va_end(ap);
    return RSP_OK;
}

/* ---- the load ---- */

/* It ended by itself. Before it looked at the data that says nothing about the data. */
static int ended(struct serve *s, int began)
{
    struct drill *d = s->d;
    char said[200];
    engine_said(&s->server, said, sizeof said);
    if (engine_starved(&s->server))
        return fail(&d->env, RSP_ENOMEM, d->r->engine.path, "the private server ended for want of memory: %s", said);
    if (!began)
        return fail(&d->env, RSP_EIO, d->r->engine.path, "the private server ended before it began to load: %s", said);
    if (d->modules) return not_here(d, "the data needs a module that the server has not: %s", said);
    return drill_failed(d, "the server did not load it: %s", said);
}

static int load(struct serve *s, int *loaded)
{
    struct drill *d = s->d;
    struct rsp_source *source = NULL;
    int64_t begun = drill_clock_ms();
    int began = 0, rc;
    uint32_t databases = d->db_most < DATABASES ? DATABASES : d->db_most + 1;
    *loaded = 0;
    rc = d->open(d->ctx, d->at, &source);
    if (rc) return drill_read_fault(d, rc);
    rc = engine_start(&s->server, &d->env, &d->r->engine, &d->o, databases);
    if (!rc) {
        rc = engine_feed(&s->server, source, s->start_ms, drill_progress, d, &began);
        if (rc < 0 && rc != RSP_ECANCELED && rc != RSP_ETIMEOUT && rc != RSP_EIO) rc = drill_read_fault(d, rc);
    }
    rsp_source_free(source);
    if (!rc && d->r->proof == RSP_PROOF_DECODED) rc = engine_ready(&s->server, s->start_ms, &s->link);
    if (rc == ENGINE_ENDED) return ended(s, began);
    if (rc) return rc;
    d->r->load_ms = (uint64_t)(drill_clock_ms() - begun);
    *loaded = s->link != NULL;
    return RSP_OK;
}

/* From a replica of nobody to a server that can be captured; what has expired stays where this can be had. */
static int release(struct serve *s)
{
    struct drill *d = s->d;
    const struct rsp_reply *reply;
    int rc = rsp_server_do(s->link, "DEBUG SET-ACTIVE-EXPIRE 0", &reply);
    s->still = !rc;
    if (rc == RSP_EDENIED) {
        rsp_error_clear(d->env.error);
        rc = RSP_OK;
    }
    if (!rc) d->r->server_keys = rsp_server_facts(s->link)->keys;
    if (!rc) rc = rsp_server_do(s->link, "SLAVEOF NO ONE", &reply);
    rsp_server_free(s->link);
    s->link = NULL;
    return rc;
}

/* A server's child that has sent the data is waited for by the server, and by nobody when that is killed before. */
static void settle(struct serve *s)
{
    struct drill *d = s->d;
    struct rsp_env quiet = d->env;
    struct rsp_server_options so = {.size = sizeof so, .cancel = d->o.cancel};
    struct rsp_endpoint at;
    int rc;
    quiet.error = NULL;
    engine_endpoint(&s->server, &at);
    at.idle_ms = SETTLE_MS;
    rc = rsp_server_open(&quiet, &at, &so, &s->link);
    for (int i = 0; !rc && rsp_server_facts(s->link)->save_running && i < SETTLE_MS / SETTLE_PAUSE_MS; i++) {
        rc = child_pause(&quiet, d->o.cancel, SETTLE_PAUSE_MS);
        if (!rc) rc = rsp_server_refresh(s->link);
    }
    rsp_server_free(s->link);
    s->link = NULL;
}

/* ---- the comparison ---- */

static int rows_of_snapshot(struct serve *s, const struct rsp_compare_side *side)
{
    struct drill *d = s->d;
    struct rsp_source *source = NULL;
    int rc = d->open(d->ctx, d->at, &source);
    if (!rc) rc = rsp_rows_of(&d->env, source, side, d->o.threads, d->o.tmpdir, d->o.cancel, &s->expected);
    rsp_source_free(source);
    return rc ? drill_read_fault(d, rc) : RSP_OK;
}

static int rows_of_server(struct serve *s, const struct rsp_compare_side *side)
{
    struct drill *d = s->d;
    struct rsp_capture_options co = {.size = sizeof co, .role = RSP_CAPTURE_AT_MASTER};
    struct rsp_capture *capture = NULL;
    struct rsp_endpoint at;
    int rc;
    engine_endpoint(&s->server, &at);
    at.idle_ms = s->start_ms;
    co.patience_ms = PATIENCE_MS;
    co.cancel = d->o.cancel;
    rc = rsp_capture_open(&d->env, &at, &co, &capture);
    if (!rc)
        rc = rsp_rows_of(&d->env, rsp_capture_source(capture), side, d->o.threads, d->o.tmpdir, d->o.cancel, &s->found);
    rsp_capture_free(capture);
    if (!rc) settle(s);
    return rc ? trail(&d->env, rc, "capturing the private server") : RSP_OK;
}

static void drop_rows(struct serve *s)
{
    rsp_rows_free(s->expected);
    rsp_rows_free(s->found);
    s->expected = s->found = NULL;
}

static int is_same(const struct rsp_compare_report *c)
{
    return c->verdict == RSP_COMPARE_EQUAL && !c->others;
}

static int compare_as_of(struct serve *s, int64_t as_of, struct rsp_compare_report *c)
{
    memset(c, 0, sizeof *c);
    c->size = sizeof *c;
    return rsp_rows_compare(&s->d->env, s->expected, s->found, as_of, c);
}

/* Both sides anew. A verdict of its own (the snapshot cannot be read) leaves *c as it was. */
static int compare_rows(struct serve *s, struct rsp_filter *filter, struct rsp_compare_report *c)
{
    struct drill *d = s->d;
    struct rsp_compare_side side = {.size = sizeof side, .filter = filter, .ttl = RSP_TTL_KEEP};
    int rc;
    drop_rows(s);
    rc = rows_of_snapshot(s, &side);
    if (rc || d->r->proof == RSP_PROOF_FAILED) return rc;
    rc = rows_of_server(s, &side);
    if (!rc) rc = compare_as_of(s, s->still ? INT64_MIN : d->env.now_ms(d->env.clock_opaque), c);
    /* A server that lets go of what has expired all the same. */
    if (!rc && s->still && !is_same(c)) rc = compare_as_of(s, d->env.now_ms(d->env.clock_opaque), c);
    if (rc) return rc;
    d->r->compared = 1;
    d->r->expired = c->expired;
    memcpy(d->r->dd1, c->expected, sizeof d->r->dd1);
    memcpy(d->r->server_dd1, c->found, sizeof d->r->server_dd1);
    return RSP_OK;
}

static int differs(struct drill *d, const struct rsp_compare_report *c)
{
    return drill_failed(d,
                        "%s %s, after it had loaded the snapshot: %" PRIu64 " keys missing, %" PRIu64
                        " changed, %" PRIu64 " that the snapshot has not%s%s",
                        d->r->engine.kind, d->r->engine.version, c->missing, c->changed, c->others,
                        c->first[0] ? "; the first: " : "", c->first);
}

/* A module may write its values otherwise than it was given them. All else must be equal. */
static int compare_others(struct serve *s, const struct rsp_compare_report *all)
{
    struct drill *d = s->d;
    struct rsp_compare_report c = *all;
    struct rsp_filter *filter = NULL;
    int rc = rsp_filter_new(&d->env, &filter);
    if (!rc) rc = rsp_filter_add(filter, "type", "string,list,set,zset,hash,array,stream");
    if (!rc) rc = compare_rows(s, filter, &c);
    rsp_filter_free(filter);
    if (rc || d->r->proof == RSP_PROOF_FAILED) return rc;
    if (!is_same(&c)) return differs(d, &c);
    return not_here(d, "%s %s writes what modules hold in another way: it cannot be compared; all else is equal",
                    d->r->engine.kind, d->r->engine.version);
}

static int compare(struct serve *s)
{
    struct drill *d = s->d;
    struct rsp_compare_report c;
    int rc = compare_rows(s, NULL, &c);
    if (rc || d->r->proof == RSP_PROOF_FAILED) return rc;
    if (is_same(&c)) {
        d->r->proof = RSP_PROOF_SERVER;
        return RSP_OK;
    }
    return c.missing || c.others || c.changed > d->modules ? differs(d, &c) : compare_others(s, &c);
}

/* ---- the whole ---- */

static int serve(struct serve *s)
{
    int loaded, rc = load(s, &loaded);
    if (!rc && loaded) rc = release(s);
    return !rc && loaded ? compare(s) : rc;
}

static void kind_of(const struct drill *d, char out[16])
{
    size_t n = d->m->server_kind.n < 15 ? d->m->server_kind.n : 15;
    memset(out, 0, 16);
    if (n) memcpy(out, d->m->server_kind.p, n);
}

int drill_serve(struct drill *d)
{
    char kind[16];
    struct serve *s;
    int found, rc;
    kind_of(d, kind);
    rc = engine_choose(&d->env, &d->o, d->dialect, d->version, kind, &d->r->engine, &found, d->r->why_not,
                       sizeof d->r->why_not);
    if (rc || !found) return rc;
    if (d->db_most >= ENGINE_DBS_MOST)
        return not_here(d, "there is a database %u, a private server has at most %u", d->db_most, ENGINE_DBS_MOST);
    s = mem_zero(&d->env, sizeof *s);
    if (!s) return RSP_ENOMEM;
    s->d = d;
    s->server.dir.parent = s->server.dir.fd = s->server.dir.lock = s->server.log = -1;
    s->start_ms = d->o.start_ms ? d->o.start_ms : START_MS + (int64_t)(d->bytes / SLOW_BYTES);
    rc = serve(s);
    rsp_server_free(s->link);
    drop_rows(s);
    engine_stop(&s->server);
    mem_free(&d->env, s, sizeof *s);
    return rc;
}
