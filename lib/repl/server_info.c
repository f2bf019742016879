/* What this is: what a server tells about itself, out of INFO, HELLO and ROLE.
 * Rests on: server_impl.h, versions.h.
 * Does not: believe it: every number is checked, what is missing stays 0. */
#include "repl/server_impl.h"

#include <stdio.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "repl/versions.h"

static const struct rsp_span nothing = {(const uint8_t *)"", 0};

/* ---- lines ---- */

/* The next line of text from *at on, without its end. */
static int next_line(const struct buf *b, size_t *at, struct rsp_span *line)
{
    const uint8_t *p, *end;
    if (*at >= b->n) return 0;
    p = b->p + *at;
    end = memchr(p, '\n', b->n - *at);
    line->p = p;
    line->n = end ? (size_t)(end - p) : b->n - *at;
    *at += line->n + (end ? 1 : 0);
    if (line->n && line->p[line->n - 1] == '\r') line->n--;
    return 1;
}

/* The text behind the first mark; line is cut before it. */
static struct rsp_span split(struct rsp_span *line, char mark)
{
    struct rsp_span rest = nothing;
    const uint8_t *p = line->n ? memchr(line->p, mark, line->n) : NULL;
    if (!p) return rest;
    rest.p = p + 1;
    rest.n = line->n - (size_t)(p - line->p) - 1;
    line->n = (size_t)(p - line->p);
    return rest;
}

struct rsp_span rsp_server_info(const struct rsp_server *s, const char *name)
{
    size_t at = 0, n = strlen(name);
    struct rsp_span line;
    while (next_line(&s->info, &at, &line))
        if (line.n > n && line.p[n] == ':' && !memcmp(line.p, name, n))
            return (struct rsp_span){line.p + n + 1, line.n - n - 1};
    return nothing;
}

static uint64_t span_u64(struct rsp_span text)
{
    uint64_t v = 0;
    for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9'; i++) {
        if (v > (UINT64_MAX - 9) / 10) return UINT64_MAX;
        v = v * 10 + (uint64_t)(text.p[i] - '0');
    }
    return v;
}

static uint32_t span_u32(struct rsp_span text, uint32_t most)
{
    uint64_t v = span_u64(text);
    return v > most ? 0 : (uint32_t)v;
}

/* -1 when it is not told. */
static int64_t span_seconds(struct rsp_span text)
{
    uint64_t v;
    if (!text.n || text.p[0] < '0' || text.p[0] > '9') return -1;
    v = span_u64(text);
    return v > INT32_MAX ? INT32_MAX : (int64_t)v;
}

static uint64_t info_u64(const struct rsp_server *s, const char *name, const char *old_name)
{
    struct rsp_span v = rsp_server_info(s, name);
    if (!v.n && old_name) v = rsp_server_info(s, old_name);
    return span_u64(v);
}

uint32_t server_version_n(const char *text)
{
    uint32_t part[3] = {0, 0, 0};
    int n = 0;
    for (; n < 3 && *text >= '0' && *text <= '9'; n++) {
        for (; *text >= '0' && *text <= '9'; text++)
            if (part[n] < 1000) part[n] = part[n] * 10 + (uint32_t)(*text - '0');
        if (part[n] > 99) part[n] = 99;
        if (*text != '.') break;
        text++;
    }
    return part[0] * 10000 + part[1] * 100 + part[2];
}

/* What is not printable becomes a question mark; what does not fit is cut. */
static void set_text(char *out, size_t size, struct rsp_span v)
{
    size_t n = v.n < size ? v.n : size - 1;
    for (size_t i = 0; i < n; i++) out[i] = v.p[i] > 0x1f && v.p[i] < 0x7f ? (char)v.p[i] : '?';
    out[n] = 0;
}

/* Forty letters and digits, or nothing. */
static void set_id(char out[41], struct rsp_span v)
{
    size_t n = 0;
    while (n < v.n && ((v.p[n] >= '0' && v.p[n] <= '9') || (v.p[n] >= 'a' && v.p[n] <= 'z'))) n++;
    server_span_copy(out, 41, n == 40 && v.n == 40 ? v : nothing);
}

/* ---- replicas ---- */

static int add_replica(struct rsp_server *s, const struct rsp_server_replica *r)
{
    if (s->replicas_n == SERVER_REPLICAS) return RSP_OK;
    if (s->replicas_n == s->replicas_cap) {
        size_t cap = s->replicas_cap ? s->replicas_cap * 2 : 4;
        void *p = mem_resize(&s->env, s->replicas, s->replicas_cap * sizeof *r, cap * sizeof *r);
        if (!p) return RSP_ENOMEM;
        s->replicas = p;
        s->replicas_cap = cap;
    }
    s->replicas[s->replicas_n++] = *r;
    return RSP_OK;
}

/* "slave0" or "replica0" */
static int names_replica(struct rsp_span name)
{
    size_t n = name.n > 5 && !memcmp(name.p, "slave", 5) ? 5 : name.n > 7 && !memcmp(name.p, "replica", 7) ? 7 : 0;
    if (!n) return 0;
    for (; n < name.n; n++)
        if (name.p[n] < '0' || name.p[n] > '9') return 0;
    return 1;
}

/* "ip=a,port=1,state=online,offset=9,lag=0"; before 2.8 "a,1,online". */
static void replica_of(struct rsp_span value, struct rsp_server_replica *r)
{
    static const char *const order[] = {"ip", "port", "state"};
    memset(r, 0, sizeof *r);
    r->lag_s = -1;
    for (unsigned i = 0; value.n; i++) {
        struct rsp_span name = value, v, rest = split(&name, ',');
        v = split(&name, '=');
        if (v.p == nothing.p) {
            v = name;
            name = i < 3 ? (struct rsp_span){(const uint8_t *)order[i], strlen(order[i])} : nothing;
        }
        if (server_span_is(name, "ip")) set_text(r->host, sizeof r->host, v);
        else if (server_span_is(name, "port")) r->port = span_u32(v, 65535);
        else if (server_span_is(name, "state")) r->online = server_span_is(v, "online");
        else if (server_span_is(name, "offset")) r->offset = span_u64(v);
        else if (server_span_is(name, "lag")) r->lag_s = span_seconds(v);
        value = rest;
    }
}

/* ---- INFO ---- */

static void set_kind(struct rsp_server_facts *f, const char *kind, struct rsp_span version)
{
    snprintf(f->kind, sizeof f->kind, "%s", kind);
    set_text(f->version, sizeof f->version, version);
    f->version_n = server_version_n(f->version);
    (void)server_rdb_version(f->kind, f->version_n, &f->dialect, &f->rdb_version); /* not known: both 0 */
}

static void set_identity(struct rsp_server *s)
{
    struct rsp_server_facts *f = &s->facts;
    struct rsp_span v = rsp_server_info(s, "valkey_version");
    int valkey = v.n || server_span_is(rsp_server_info(s, "server_name"), "valkey");
    set_kind(f, valkey ? "valkey" : "redis", v.n ? v : rsp_server_info(s, "redis_version"));
    v = rsp_server_info(s, "redis_mode");
    if (!v.n) v = rsp_server_info(s, "server_mode");
    set_text(f->mode, sizeof f->mode, v.n ? v : (struct rsp_span){(const uint8_t *)"standalone", 10});
    set_id(f->run_id, rsp_server_info(s, "run_id"));
    set_id(f->replid, rsp_server_info(s, "master_replid"));
    set_text(f->os, sizeof f->os, rsp_server_info(s, "os"));
    server_span_copy(f->config_file, sizeof f->config_file, rsp_server_info(s, "config_file"));
    f->process_id = span_u32(rsp_server_info(s, "process_id"), UINT32_MAX);
    f->port = span_u32(rsp_server_info(s, "tcp_port"), 65535);
}

static int role_of(struct rsp_span v)
{
    if (server_span_is(v, "master") || server_span_is(v, "primary")) return RSP_SERVER_MASTER;
    if (server_span_is(v, "slave") || server_span_is(v, "replica")) return RSP_SERVER_REPLICA;
    return server_span_is(v, "sentinel") ? RSP_SERVER_SENTINEL : 0;
}

static void set_replication(struct rsp_server *s)
{
    struct rsp_server_facts *f = &s->facts;
    struct rsp_span v = rsp_server_info(s, "slave_repl_offset");
    f->role = role_of(rsp_server_info(s, "role"));
    if (!strcmp(f->mode, "sentinel")) f->role = RSP_SERVER_SENTINEL;
    f->offset = f->role == RSP_SERVER_REPLICA && v.n ? span_u64(v) : info_u64(s, "master_repl_offset", NULL);
    f->master_silence_s = span_seconds(rsp_server_info(s, "master_last_io_seconds_ago"));
    if (f->role != RSP_SERVER_REPLICA) return;
    set_text(f->master_host, sizeof f->master_host, rsp_server_info(s, "master_host"));
    f->master_port = span_u32(rsp_server_info(s, "master_port"), 65535);
    f->master_link_up = server_span_is(rsp_server_info(s, "master_link_status"), "up");
}

static void set_numbers(struct rsp_server *s)
{
    struct rsp_server_facts *f = &s->facts;
    f->loading = info_u64(s, "loading", NULL) != 0;
    f->save_running = info_u64(s, "rdb_bgsave_in_progress", "bgsave_in_progress") != 0;
    f->rewrite_running = info_u64(s, "aof_rewrite_in_progress", "bgrewriteaof_in_progress") != 0;
    f->aof_enabled = info_u64(s, "aof_enabled", NULL) != 0;
    f->load_eta_s = f->loading ? span_seconds(rsp_server_info(s, "loading_eta_seconds")) : -1;
    f->used_memory = info_u64(s, "used_memory", NULL);
    f->used_memory_rss = info_u64(s, "used_memory_rss", NULL);
    f->system_memory = info_u64(s, "total_system_memory", NULL);
    f->maxmemory = info_u64(s, "maxmemory", NULL);
    f->cow_last = info_u64(s, "rdb_last_cow_size", NULL);
    f->changes = info_u64(s, "rdb_changes_since_last_save", "changes_since_last_save");
    f->commands = info_u64(s, "total_commands_processed", NULL);
}

static uint64_t plus(uint64_t a, uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

/* "keys=1,expires=0,avg_ttl=0" */
static void add_database(struct rsp_server_facts *f, struct rsp_span value)
{
    while (value.n) {
        struct rsp_span name = value, rest = split(&name, ','), v = split(&name, '=');
        if (server_span_is(name, "keys")) f->keys = plus(f->keys, span_u64(v));
        else if (server_span_is(name, "expires")) f->expires = plus(f->expires, span_u64(v));
        value = rest;
    }
}

static int names_database(struct rsp_span name)
{
    return name.n > 2 && name.p[0] == 'd' && name.p[1] == 'b' && name.p[2] >= '0' && name.p[2] <= '9';
}

static void clear(struct rsp_server *s)
{
    memset(&s->facts, 0, sizeof s->facts);
    s->facts.size = sizeof s->facts;
    s->facts.load_eta_s = s->facts.master_silence_s = -1;
    s->replicas_n = 0;
    s->info.n = 0;
}

int server_info_parse(struct rsp_server *s, const uint8_t *p, size_t n)
{
    struct rsp_span line;
    size_t at = 0;
    int rc;
    clear(s);
    rc = buf_add(&s->info, p, n);
    if (rc) return rc;
    s->facts.can_info = 1;
    set_identity(s);
    set_replication(s);
    set_numbers(s);
    while (!rc && next_line(&s->info, &at, &line)) {
        struct rsp_span name = line, value = split(&name, ':');
        struct rsp_server_replica r;
        if (names_database(name)) add_database(&s->facts, value);
        if (s->facts.role == RSP_SERVER_SENTINEL || !value.n || !names_replica(name)) continue;
        replica_of(value, &r);
        if (*r.host) rc = add_replica(s, &r);
    }
    return rc;
}

/* ---- HELLO and ROLE, where INFO is not allowed or does not tell ---- */

static int learn_version(struct rsp_server *s)
{
    const struct rsp_reply *r, *name, *version, *mode;
    int rc = server_words(s, "HELLO", &r);
    if (rc || r->type != RSP_REPLY_ARRAY) return rc; /* older than 6.0, or not allowed */
    name = server_member(r, "server");
    version = server_member(r, "version");
    mode = server_member(r, "mode");
    if (version && version->type == RSP_REPLY_BULK)
        set_kind(&s->facts, name && server_span_is(name->text, "valkey") ? "valkey" : "redis", version->text);
    if (mode && mode->type == RSP_REPLY_BULK) set_text(s->facts.mode, sizeof s->facts.mode, mode->text);
    return RSP_OK;
}

static int role_replicas(struct rsp_server *s, const struct rsp_reply *list)
{
    int rc = RSP_OK;
    if (!list || list->type != RSP_REPLY_ARRAY) return RSP_OK;
    for (const struct rsp_reply *r = list->child; r && !rc; r = r->next) {
        struct rsp_server_replica one;
        memset(&one, 0, sizeof one);
        set_text(one.host, sizeof one.host, server_element(r, 0));
        one.port = span_u32(server_element(r, 1), 65535);
        one.offset = span_u64(server_element(r, 2));
        one.online = 1; /* ROLE names no others */
        one.lag_s = -1;
        if (*one.host) rc = add_replica(s, &one);
    }
    return rc;
}

static int learn_role(struct rsp_server *s)
{
    struct rsp_server_facts *f = &s->facts;
    const struct rsp_reply *r, *second, *third;
    int rc = server_words(s, "ROLE", &r);
    if (rc || r->type != RSP_REPLY_ARRAY || !r->child) return rc;
    f->role = role_of(server_element(r, 0));
    second = r->child->next;
    third = second ? second->next : NULL;
    if (f->role == RSP_SERVER_MASTER) {
        if (second && second->type == RSP_REPLY_INTEGER && second->integer > 0) f->offset = (uint64_t)second->integer;
        return role_replicas(s, third);
    }
    if (f->role != RSP_SERVER_REPLICA) return RSP_OK;
    set_text(f->master_host, sizeof f->master_host, server_element(r, 1));
    if (third && third->type == RSP_REPLY_INTEGER && third->integer > 0 && third->integer < 65536)
        f->master_port = (uint32_t)third->integer;
    f->master_link_up = server_span_is(server_element(r, 3), "connected");
    return RSP_OK;
}

/* Plain INFO: "everything" is not known to old servers, and what is needed stands in the default sections. */
int server_learn(struct rsp_server *s)
{
    const struct rsp_reply *r;
    int rc = server_words(s, "INFO", &r);
    if (rc) return rc;
    if (r->type == RSP_REPLY_BULK) {
        rc = server_info_parse(s, r->text.p, r->text.n);
    } else if (r->type == RSP_REPLY_ERROR) {
        int not_ours = resp_error_is(r->text, "NOPERM") || server_span_has(r->text, "unknown command");
        if (!not_ours) return server_refused(s, "INFO", r->text);
        clear(s);
        rc = learn_version(s);
    } else {
        s->dead = RSP_EFORMAT;
        return fail(&s->env, RSP_EFORMAT, s->name, "what answers there is not a Redis or Valkey server");
    }
    if (!rc && !s->facts.role) rc = learn_role(s);
    return rc;
}
