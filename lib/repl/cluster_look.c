/* What this is: a cluster's map: one node tells it, and every primary is asked for what it alone knows.
 * Rests on: cluster.h, topology.h; aof-replication.md D.
 * Does not: believe one node: a map counts when all primaries tell the same. */
#include <stdio.h>

#include "base/mem.h"
#include "repl/cluster.h"
#include "repl/topology.h"

struct round {
    struct look k;
    const struct rsp_place *place;
    struct cluster_view view; /* of the node that was asked first */
    char via[320];
    struct buf text; /* its CLUSTER NODES */
    int no_nodes;    /* somebody does not allow CLUSTER NODES */
    char user[64];   /* to whom */
    uint64_t epoch;
    int unsettled; /* why has been written */
    int weak;      /* it is what a cause that is found later has brought about */
    char why[256];
};

/* The first reason stays: it is nearest to the cause. */
static void RSP_PRINTF(2, 3) unsettle(struct round *r, const char *format, ...)
{
    va_list args;
    if (r->unsettled && !r->weak) return;
    r->weak = 0;
    va_start(args, format);
    if (vsnprintf(r->why, sizeof r->why, format, args) < 0) r->why[0] = 0;
    va_end(args);
    r->unsettled = 1;
}

/* ---- what one server tells ---- */

/* A command that a server has not, or does not allow, is RSP_END: another one may tell the same. */
static int ask(struct rsp_server *s, const char *words, const struct rsp_reply **reply)
{
    int rc = server_words(s, words, reply);
    if (rc || (*reply)->type != RSP_REPLY_ERROR) return rc;
    if (resp_error_is((*reply)->text, "NOPERM") || server_span_has((*reply)->text, "unknown")) return RSP_END;
    if (server_span_has((*reply)->text, "cluster support disabled"))
        return fail(server_env(s), RSP_EUNSUPPORTED, s->name, "the server is not in cluster mode");
    return server_refused(s, words, (*reply)->text);
}

/* The number or word behind "name:" in the text of CLUSTER INFO. */
static struct rsp_span info_of(struct rsp_span text, const char *name)
{
    size_t n = strlen(name);
    while (text.n) {
        const uint8_t *end = memchr(text.p, '\n', text.n);
        size_t line = end ? (size_t)(end - text.p) : text.n, next = end ? line + 1 : line;
        if (line > n && text.p[n] == ':' && !memcmp(text.p, name, n)) {
            struct rsp_span v = {text.p + n + 1, line - n - 1};
            if (v.n && v.p[v.n - 1] == '\r') v.n--;
            return v;
        }
        text.p += next;
        text.n -= next;
    }
    return (struct rsp_span){(const uint8_t *)"", 0};
}

static uint64_t number(struct rsp_span text)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.n && i < 18 && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        n = n * 10 + (uint64_t)(text.p[i] - '0');
    return n;
}

/* cluster_state, and the epoch. Not allowed: nothing is said of it. */
static int ask_state(struct round *r, struct rsp_server *s, const char *name, int first)
{
    const struct rsp_reply *reply;
    char state[24];
    int rc = ask(s, "CLUSTER INFO", &reply);
    if (rc == RSP_END) return RSP_OK;
    if (rc) return rc;
    if (reply->type != RSP_REPLY_BULK)
        return fail(server_env(s), RSP_EFORMAT, s->name, "the reply of CLUSTER INFO is no text");
    if (first) r->epoch = number(info_of(reply->text, "cluster_current_epoch"));
    if (server_span_is(info_of(reply->text, "cluster_state"), "ok")) return RSP_OK;
    printable(state, sizeof state, info_of(reply->text, "cluster_state").p, info_of(reply->text, "cluster_state").n);
    if (r->unsettled) return RSP_OK;
    unsettle(r, "%.120s: cluster_state is '%s'", name, state);
    r->weak = 1;
    return RSP_OK;
}

/* Slots that move as a whole (Redis 8.4, Valkey 9.0) are no part of CLUSTER NODES: a list of jobs tells of them. */
static int is_over(struct rsp_span state)
{
    static const char *const words[] = {"success", "completed", "failed", "canceled", "cancelled"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (server_span_is(state, words[i])) return 1;
    return 0;
}

static struct rsp_span member_text(const struct rsp_reply *map, const char *name, const char *other)
{
    const struct rsp_reply *v = server_member(map, name);
    if (!v) v = server_member(map, other);
    return v && (v->type == RSP_REPLY_BULK || v->type == RSP_REPLY_STATUS) ? v->text
                                                                           : (struct rsp_span){(const uint8_t *)"", 0};
}

/* The number at *at, behind which *at is then; RSP_SLOTS: there is none, or it is no slot. */
static uint64_t slot_at(struct rsp_span text, size_t *at)
{
    size_t n = 0;
    uint64_t slot;
    while (*at + n < text.n && text.p[*at + n] >= '0' && text.p[*at + n] <= '9') n++;
    slot = n && n < 6 ? number((struct rsp_span){text.p + *at, n}) : RSP_SLOTS;
    *at += n;
    return slot < RSP_SLOTS ? slot : RSP_SLOTS;
}

/* "0-100,200" or "0-100 200" */
static int add_job(struct round *r, const struct rsp_reply *job, const char *name, size_t node)
{
    struct rsp_span slots = member_text(job, "slots", "slot_ranges"), op = member_text(job, "operation", "operation");
    struct cluster_move m;
    size_t before = r->view.moves.n;
    int rc = RSP_OK;
    memset(&m, 0, sizeof m);
    if (is_over(member_text(job, "state", "state"))) return RSP_OK;
    m.node = (uint16_t)node;
    m.importing = server_span_has(op, "import");
    (void)cluster_id(member_text(job, m.importing ? "source" : "dest", m.importing ? "source_node" : "target_node"),
                     m.other);
    for (size_t at = 0; at < slots.n && !rc;) {
        uint64_t from = slot_at(slots, &at), to = from;
        if (from < RSP_SLOTS && at < slots.n && slots.p[at] == '-') {
            at++;
            to = slot_at(slots, &at);
        } else if (from >= RSP_SLOTS) {
            at++;
        }
        for (uint64_t slot = from; slot <= to && to < RSP_SLOTS && !rc; slot++) {
            m.slot = (uint16_t)slot;
            rc = cluster_add_move(&r->view, &m);
        }
    }
    if (!rc && r->view.moves.n == before)
        unsettle(r, "%.100s: slots are on their way, and it does not tell which", name);
    return rc;
}

static int ask_jobs(struct round *r, struct rsp_server *s, size_t node)
{
    const struct rsp_reply *reply;
    int valkey = !strcmp(s->facts.kind, "valkey"), rc;
    if (s->facts.version_n < (valkey ? 90000u : 80400u)) return RSP_OK;
    rc = ask(s, valkey ? "CLUSTER GETSLOTMIGRATIONS" : "CLUSTER MIGRATION STATUS ALL", &reply);
    if (rc == RSP_END && resp_error_is(reply->text, "NOPERM"))
        unsettle(r, "%.100s: whether slots are on their way as a whole cannot be told: ACL SETUSER %.40s +cluster|%s",
                 s->name, s->user, valkey ? "getslotmigrations" : "migration");
    if (rc == RSP_END) return RSP_OK;
    if (rc || reply->type != RSP_REPLY_ARRAY) return rc;
    for (const struct rsp_reply *job = reply->child; job && !rc; job = job->next) rc = add_job(r, job, s->name, node);
    return rc;
}

/* ---- the first node ---- */

static int take_text(struct rsp_server *s, struct cluster_view *v, struct buf *keep)
{
    const struct rsp_reply *reply;
    int rc = ask(s, "CLUSTER NODES", &reply);
    if (rc) return rc;
    if (reply->type != RSP_REPLY_BULK)
        return fail(server_env(s), RSP_EFORMAT, s->name, "the reply of CLUSTER NODES is no text");
    rc = cluster_parse_nodes(v, reply->text);
    if (!rc && keep) rc = buf_add(keep, reply->text.p, reply->text.n);
    return rc;
}

/* SHARDS tells health, offsets and both ports, SLOTS the address that is preferred; where NODES is not allowed one of them
 * has to do for all. */
static int take_replies(struct round *r, struct rsp_server *s)
{
    const struct rsp_reply *reply;
    int rc = ask(s, "CLUSTER SHARDS", &reply);
    if (!rc) return cluster_take_shards(&r->view, reply);
    if (rc != RSP_END) return rc;
    rc = ask(s, "CLUSTER SLOTS", &reply);
    if (!rc) return cluster_take_slots(&r->view, reply);
    if (rc != RSP_END || cluster_view_n(&r->view)) return rc == RSP_END ? RSP_OK : rc;
    return fail(server_env(s), RSP_EDENIED, s->name,
                "the user '%s' may not ask for the map of the cluster; on the server: ACL SETUSER %s +cluster|nodes "
                "+cluster|shards +cluster|info",
                s->user, s->user);
}

static void no_nodes(struct round *r, const struct rsp_server *s)
{
    r->no_nodes = 1;
    snprintf(r->user, sizeof r->user, "%.60s", s->user);
}

static int take_first(struct round *r, struct rsp_server *s)
{
    int rc = take_text(s, &r->view, &r->text);
    if (rc == RSP_END) {
        no_nodes(r, s);
        rc = RSP_OK;
    }
    if (!rc) rc = take_replies(r, s);
    if (!rc && !cluster_view_n(&r->view))
        rc = fail(server_env(s), RSP_EFORMAT, s->name, "it knows no node, not even itself");
    return rc ? rc : ask_state(r, s, r->via, 1);
}

static int open_at(struct round *r, const char *host, uint32_t port, struct rsp_server **ret)
{
    const struct rsp_server_options so = {sizeof so, r->k.cancel, 0};
    struct rsp_endpoint e = r->place->endpoint;
    e.size = sizeof e;
    look_times(&e);
    e.host = host;
    e.port = port;
    e.socket = NULL;
    e.db = 0;
    return rsp_server_open(&r->k.mine, &e, &so, ret);
}

static void clear_round(struct round *r)
{
    cluster_view_free(&r->view);
    r->text.n = 0;
    r->no_nodes = r->unsettled = r->weak = 0;
    r->epoch = 0;
    r->why[0] = 0;
}

/* RSP_AGAIN: it does not tell; k.last says why. */
static int ask_seed(struct round *r, const struct rsp_seed *seed)
{
    struct rsp_server *s = NULL;
    int rc;
    clear_round(r);
    look_host_port(seed->host, seed->port, r->via, sizeof r->via);
    rc = cluster_view_init(&r->view, &r->k.mine, r->via, seed->host);
    if (!rc) rc = open_at(r, seed->host, seed->port, &s);
    if (!rc && rsp_server_facts(s)->role == RSP_SERVER_SENTINEL)
        rc = fail(&r->k.mine, RSP_EUNSUPPORTED, r->via,
                  "a Sentinel, and no node of a cluster: sentinel://host:port/NAME");
    if (!rc && s->facts.mode[0] && s->facts.can_info && strcmp(s->facts.mode, "cluster") != 0)
        rc = fail(&r->k.mine, RSP_EUNSUPPORTED, r->via,
                  "the server is not in cluster mode: redis://host:port takes it");
    if (!rc) rc = take_first(r, s);
    rsp_server_free(s);
    return rc ? look_reason(&r->k, rc, r->via) : RSP_OK;
}

/* ---- the primaries ---- */

/* What it tells of itself goes into the view: slots on their way. */
static int take_moves(struct round *r, const struct cluster_view *its, size_t node)
{
    const struct cluster_move *from = (const struct cluster_move *)(void *)its->moves.p;
    int rc = RSP_OK;
    for (size_t i = 0; i < its->moves.n / sizeof *from && !rc; i++) {
        struct cluster_move m = from[i];
        if (!cluster_view_node(its, m.node)->myself) continue;
        m.node = (uint16_t)node;
        rc = cluster_add_move(&r->view, &m);
    }
    return rc;
}

static void compare_maps(struct round *r, const struct cluster_view *its, size_t node)
{
    const struct cluster_node *me = cluster_find(its, cluster_view_node(&r->view, node)->id);
    if (!me || !me->myself) {
        unsettle(r, "%.100s is another node than %.90s says", its->name, r->via);
        return;
    }
    cluster_view_node(&r->view, node)->epoch = me->epoch; /* the others hear of it later */
    if (!cluster_same_owners(&r->view, its)) unsettle(r, "%.100s and %.90s tell different maps", its->name, r->via);
}

static int ask_itself(struct round *r, struct rsp_server *s, const char *name, size_t node)
{
    struct cluster_view its;
    int rc = cluster_view_init(&its, &r->k.mine, name, NULL);
    if (!rc) rc = take_text(s, &its, NULL);
    if (rc == RSP_END) {
        no_nodes(r, s);
        rc = RSP_OK;
    } else if (!rc) {
        rc = take_moves(r, &its, node);
        if (!rc) compare_maps(r, &its, node);
    }
    cluster_view_free(&its);
    if (!rc) rc = ask_state(r, s, name, 0);
    return rc ? rc : ask_jobs(r, s, node);
}

static int ask_primary(struct round *r, size_t node)
{
    struct cluster_node one = *cluster_view_node(&r->view, node);
    const char *host = one.host[0] ? one.host : one.ip[0] ? one.ip : one.hostname;
    struct rsp_server *s = NULL;
    char name[320];
    int rc;
    if (!*host) host = r->view.host;
    look_host_port(host, r->place->endpoint.tls && one.tls_port ? one.tls_port : one.port, name, sizeof name);
    rc = open_at(r, host, r->place->endpoint.tls && one.tls_port ? one.tls_port : one.port, &s);
    if (!rc) rc = ask_itself(r, s, name, node);
    rsp_server_free(s);
    if (!rc) return RSP_OK;
    rc = look_reason(&r->k, rc, name);
    if (rc != RSP_AGAIN) return rc;
    unsettle(r, "a primary does not tell its slots: %.200s", r->k.last);
    return RSP_OK;
}

/* One without slots is asked too, when it is there: the first that it is given are on their way to it. What else it tells
 * does not matter. */
static int ask_slotless(struct round *r, size_t node)
{
    int was = r->unsettled, rc;
    if (cluster_view_node(&r->view, node)->health == RSP_NODE_FAILED) return RSP_OK;
    rc = ask_primary(r, node);
    if (!was) r->unsettled = r->weak = 0, r->why[0] = 0;
    return rc;
}

static int ask_owner(struct round *r, size_t node)
{
    const struct cluster_node *one = cluster_view_node(&r->view, node);
    char name[320];
    if (one->primary && one->health != RSP_NODE_FAILED && one->addressed && one->port) return ask_primary(r, node);
    look_host_port(one->ip[0] ? one->ip : one->id, one->port, name, sizeof name);
    unsettle(r, "the node %.100s, which owns slots, %s", name,
             !one->primary                    ? "is no primary"
             : one->health == RSP_NODE_FAILED ? "has failed"
                                              : "has no address");
    return RSP_OK;
}

/* Of a cluster that is not well this is the likeliest cause. */
static void say_uncovered(struct round *r)
{
    size_t n = 0;
    for (size_t i = 0; i < RSP_SLOTS; i++) n += r->view.owner[i] == RSP_NO_SHARD;
    if (n)
        unsettle(r, "%.120s: cluster_state is not ok, and %zu of %d slots belong to no node (CLUSTER ADDSLOTSRANGE)",
                 r->via, n, RSP_SLOTS);
}

static int ask_primaries(struct round *r)
{
    size_t n = cluster_view_n(&r->view);
    uint8_t *owns = mem_zero(&r->k.env, n);
    int rc = owns ? RSP_OK : RSP_ENOMEM;
    for (size_t i = 0; i < RSP_SLOTS && !rc; i++)
        if (r->view.owner[i] != RSP_NO_SHARD) owns[r->view.owner[i]] = 1;
    r->view.moves.n = 0;
    for (size_t i = 0; i < n && !rc; i++) {
        const struct cluster_node *node = cluster_view_node(&r->view, i);
        if (owns[i]) rc = ask_owner(r, i);
        else if (node->primary && node->addressed && node->port) rc = ask_slotless(r, i);
    }
    mem_free(&r->k.env, owns, n);
    if (!rc && r->weak) say_uncovered(r);
    if (!rc && r->no_nodes)
        unsettle(r,
                 "the user '%s' may not run CLUSTER NODES, which tells the slots on their way; on every node: ACL "
                 "SETUSER %s +cluster|nodes",
                 r->user, r->user);
    return rc;
}

/* ---- rounds ---- */

/* The texts, and what was seen. */
static int finish_map(struct round *r, struct rsp_cluster_map *map)
{
    map->epoch = r->epoch;
    map->ok = !r->unsettled;
    snprintf(map->via, sizeof map->via, "%s", r->via);
    snprintf(map->why, sizeof map->why, "%s", r->why);
    map->nodes_text = mem_alloc(&r->k.env, r->text.n + 1);
    if (!map->nodes_text) return RSP_ENOMEM;
    if (r->text.n) memcpy(map->nodes_text, r->text.p, r->text.n);
    map->nodes_text[r->text.n] = 0;
    map->nodes_text_n = r->text.n;
    return RSP_OK;
}

/* The first seed whose map counts; else the last map that came. RSP_AGAIN: no seed tells one. */
static int go_round(struct round *r, struct rsp_cluster_map **best)
{
    int answered = 0;
    look_forget(&r->k);
    for (size_t i = 0; i < r->place->seeds_n; i++) {
        struct rsp_cluster_map *map = NULL;
        int rc = ask_seed(r, &r->place->seeds[i]);
        if (rc == RSP_AGAIN) {
            look_keep(&r->k);
            continue;
        }
        if (!rc) rc = ask_primaries(r);
        if (!rc) rc = cluster_map_make(&r->k.env, &r->view, r->place->endpoint.tls, &map);
        if (!rc) rc = finish_map(r, map);
        if (rc) {
            rsp_cluster_map_free(&r->k.env, map);
            return rc;
        }
        answered = 1;
        rsp_cluster_map_free(&r->k.env, *best);
        *best = map;
        if (map->ok) return RSP_OK;
        look_say(&r->k, RSP_EBUSY, "%.200s", map->why);
    }
    if (answered) return RSP_OK;
    look_best(&r->k);
    return RSP_AGAIN;
}

/* As of servers: nobody at an address is more often a wrong address than a restart; one that is busy is waited for. */
static int look(struct round *r, const char *subject, struct rsp_cluster_map **ret)
{
    for (unsigned tries = 1;; tries++) {
        int rc = go_round(r, ret);
        if (rc && rc != RSP_AGAIN) return rc;
        if (!rc && (*ret)->ok) return RSP_OK;
        rc = !*ret && r->k.fault != RSP_EBUSY ? RSP_END : look_wait(&r->k, tries);
        if (rc == RSP_END && *ret) return RSP_OK;
        if (rc == RSP_END)
            return fail(&r->k.env, r->k.fault, subject, "no node tells the cluster's map: %s", r->k.last);
        if (rc) return rc;
        log_line(&r->k.env, tries > 1 ? RSP_LOG_INFO : RSP_LOG_WARN, "%s: %s; looking again", subject, r->k.last);
    }
}

int rsp_cluster_look(const struct rsp_env *env, const struct rsp_place *place, const struct rsp_server_options *options,
                     struct rsp_cluster_map **ret)
{
    struct rsp_env e;
    struct round *r;
    char subject[320];
    int rc;
    *ret = NULL;
    env_init(&e, env);
    rsp_place_text(place, subject, sizeof subject);
    if (place->kind != RSP_PLACE_CLUSTER || !place->seeds_n || place->seeds_n > RSP_SEEDS_MAX)
        return fail(&e, RSP_EINVAL, subject, "it names no nodes of a cluster");
    r = mem_zero(&e, sizeof *r);
    if (!r) return RSP_ENOMEM;
    look_begin(&r->k, &e, options);
    r->place = place;
    buf_init(&r->text, &r->k.env);
    rc = look(r, subject, ret);
    if (rc) {
        rsp_cluster_map_free(&e, *ret);
        *ret = NULL;
    }
    cluster_view_free(&r->view);
    buf_free(&r->text);
    mem_free(&e, r, sizeof *r);
    return rc;
}
