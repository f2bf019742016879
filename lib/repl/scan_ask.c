/* What this is: what must be known before the first key: databases, functions, the RDB's version, what the server
 *   allows.
 * Rests on: scan.h, base/crc64.h.
 * Does not: read keys. */
#include "base/crc64.h"
#include "repl/scan.h"

#define PROBE "respite:no-such-key" /* asked for, never made */

/* ---- databases ---- */

/* "db<N>:keys=<n>,": 1 when line is one. */
static int parse_db(struct rsp_span line, struct scan_db *db)
{
    uint64_t v[2] = {0, 0};
    const char *const before[2] = {"db", ":keys="};
    size_t at = 0;
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(before[i]), digits = 0;
        if (line.n - at < n || memcmp(line.p + at, before[i], n) != 0) return 0;
        for (at += n; at < line.n && line.p[at] >= '0' && line.p[at] <= '9' && digits < 18; at++, digits++)
            v[i] = v[i] * 10 + (uint64_t)(line.p[at] - '0');
        if (!digits) return 0;
    }
    if (v[0] > UINT32_MAX) return 0;
    db->db = (uint32_t)v[0];
    db->keys = v[1];
    return 1;
}

static int ask_dbs(struct scan *c)
{
    const struct rsp_reply *reply;
    int rc = rsp_server_do(c->s, "INFO keyspace", &reply);
    if (rc) return trail(&c->env, rc, "asking which databases have keys");
    if (reply->type != RSP_REPLY_BULK)
        return fail(&c->env, RSP_EFORMAT, c->s->name, "INFO: the answer is none that a server gives");
    for (size_t at = 0; at < reply->text.n;) {
        const uint8_t *p = reply->text.p + at, *end = memchr(p, '\n', reply->text.n - at);
        struct rsp_span line = {p, end ? (size_t)(end - p) : reply->text.n - at};
        struct scan_db db;
        if (parse_db(line, &db) && (rc = buf_add(&c->dbs, &db, sizeof db))) return rc;
        at += line.n + 1;
    }
    return RSP_OK;
}

/* ---- functions, and by their footer the version ---- */

static int ask_functions(struct scan *c)
{
    const struct rsp_server_facts *facts = rsp_server_facts(c->s);
    const struct rsp_reply *reply;
    size_t n;
    int rc;
    c->version = facts->rdb_version ? facts->rdb_version : 9;
    if (facts->version_n && facts->version_n < 70000) return RSP_OK;
    rc = server_words(c->s, "FUNCTION DUMP", &reply);
    if (rc) return rc;
    if (reply->type == RSP_REPLY_ERROR && server_span_has(reply->text, "unknown")) return RSP_OK;
    if (reply->type == RSP_REPLY_ERROR) return server_refused(c->s, "FUNCTION DUMP", reply->text);
    if (reply->type != RSP_REPLY_BULK || reply->text.n < DUMP_FOOTER)
        return fail(&c->env, RSP_EFORMAT, c->s->name, "FUNCTION DUMP: the answer is none that a server gives");
    n = reply->text.n - DUMP_FOOTER;
    rc = scan_footer(c, reply->text.p + n, crc64(0, reply->text.p, n), "the functions", &c->version);
    if (!rc && (!c->version || c->version > 999))
        rc = fail(&c->env, RSP_EFORMAT, c->s->name, "FUNCTION DUMP of RDB version %u, which is none", c->version);
    if (!rc && n) rc = buf_add(&c->functions, reply->text.p, n);
    return rc;
}

/* ---- what is allowed ---- */

/* 1: the server takes it; 0: it does not; or a fault. */
static int takes(struct scan *c, const char *words, const struct rsp_reply **reply)
{
    int rc = server_words(c->s, words, reply);
    return rc ? rc : (*reply)->type != RSP_REPLY_ERROR;
}

static int ask_multi(struct scan *c)
{
    const struct rsp_reply *reply;
    int rc = takes(c, "MULTI", &reply);
    if (rc <= 0) return rc;
    c->atomic = 1;
    return rsp_server_do(c->s, "EXEC", &reply);
}

static int digits(struct rsp_span text, int64_t *v)
{
    *v = 0;
    if (!text.n || text.n > 15) return 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') return 0;
        *v = *v * 10 + (text.p[i] - '0');
    }
    return 1;
}

/* PTTL counts from the server's now: a difference of the clocks must not move expiries. */
static int ask_clock(struct scan *c)
{
    const struct rsp_reply *reply;
    int64_t s, us;
    int rc = takes(c, "TIME", &reply);
    if (rc <= 0) return rc;
    if (digits(server_element(reply, 0), &s) && digits(server_element(reply, 1), &us) && s < INT64_MAX / 2000)
        c->clock_ms = s * 1000 + us / 1000 - c->env.now_ms(c->env.clock_opaque);
    return RSP_OK;
}

static int ask_rank(struct scan *c)
{
    struct rsp_span policy = rsp_server_info(c->s, "maxmemory_policy");
    const struct rsp_reply *reply;
    int rank = server_span_has(policy, "lfu") ? 'f' : server_span_has(policy, "lru") ? 'i' : 0, rc;
    if (!rank || c->version < 9) return RSP_OK;
    rc = takes(c, rank == 'f' ? "OBJECT FREQ " PROBE : "OBJECT IDLETIME " PROBE, &reply);
    if (rc < 0) return rc;
    if (rc || server_span_has(reply->text, "no such key")) c->rank = rank;
    else
        log_line(&c->env, RSP_LOG_WARN, "%s: OBJECT is not allowed: idle times and frequencies are left out",
                 rsp_server_name(c->s));
    return RSP_OK;
}

int scan_ask(struct scan *c)
{
    const struct rsp_server_facts *facts = rsp_server_facts(c->s);
    const struct rsp_reply *reply;
    int rc;
    if (server_reader(c->s)->max_bytes < c->env.limits.alloc_bytes)
        server_reader(c->s)->max_bytes = (size_t)c->env.limits.alloc_bytes; /* pages of very long keys */
    rc = ask_functions(c);
    if (!rc) rc = ask_dbs(c);
    /* Reading must not look like use; older servers do not know it. */
    if (!rc && facts->version_n >= 70200) rc = server_words(c->s, "CLIENT NO-TOUCH ON", &reply);
    if (!rc && !strcmp(facts->mode, "cluster")) rc = server_words(c->s, "READONLY", &reply);
    if (!rc) rc = ask_rank(c);
    if (rc) return rc;
    rc = takes(c, "PEXPIRETIME " PROBE, &reply);
    if (rc < 0) return rc;
    c->absolute = rc;
    rc = c->absolute ? RSP_OK : ask_clock(c);
    if (!rc) rc = ask_multi(c);
    if (!rc && !c->atomic)
        log_line(&c->env, RSP_LOG_INFO, "%s: MULTI is not allowed: a key's expiry and value are asked apart",
                 rsp_server_name(c->s));
    return rc;
}
