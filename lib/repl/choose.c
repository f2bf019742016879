/* What this is: the healthiest replica of a master, or the master of a replica.
 * Rests on: choose.h, server_impl.h.
 * Does not: believe a master about its replicas: each is asked itself, and must hold the same data. */
#include "repl/choose.h"

#include <stdio.h>

#include "base/mem.h"
#include "repl/server_impl.h"
#include "repl/topology.h"

struct choice {
    struct rsp_server *given;
    const struct rsp_env *env;
    volatile const int *cancel;
    struct rsp_server *chosen; /* NULL: none yet */
    char *why;
    size_t why_n;
    char last[160]; /* why the last one that was looked at was not taken */
};

/* ---- asking one ---- */

/* Faults of servers that are only looked at are a reason, not a fault of the choice. */
static int look_at(struct choice *c, const char *host, uint32_t port, struct rsp_server **ret)
{
    struct rsp_error *record = c->given->env.error;
    int foreign = record->code != 0;
    int rc = server_open_beside(c->given, host, port, CHOOSE_CONNECT_MS, c->cancel, ret);
    if (!rc || rc == RSP_ENOMEM || rc == RSP_ECANCELED) return rc;
    snprintf(c->last, sizeof c->last, "%.60s:%u: %.80s", host, port,
             foreign || !record->code ? rsp_status_text(rc) : record->message);
    if (!foreign) rsp_error_clear(record);
    return RSP_AGAIN;
}

static int same_data(const struct rsp_server *a, const struct rsp_server *b)
{
    return !*a->facts.replid || !*b->facts.replid || !strcmp(a->facts.replid, b->facts.replid);
}

/* NULL: healthy. */
static const char *illness(const struct rsp_server *s)
{
    const struct rsp_server_facts *f = &s->facts;
    if (!f->can_info) return "it does not let us run INFO";
    if (f->role != RSP_SERVER_REPLICA) return "it is no replica";
    if (f->loading) return "it is loading its data";
    if (!f->master_link_up) return "its link to its master is down";
    return NULL;
}

/* ---- a master's replicas ---- */

static int candidate(const struct rsp_server_replica *r)
{
    return r->online && *r->host && r->port && r->lag_s <= CHOOSE_LAG_S;
}

static int better(const struct rsp_server_replica *a, const struct rsp_server_replica *b)
{
    int64_t a_lag = a->lag_s < 0 ? CHOOSE_LAG_S + 1 : a->lag_s, b_lag = b->lag_s < 0 ? CHOOSE_LAG_S + 1 : b->lag_s;
    if (a_lag != b_lag) return a_lag < b_lag;
    return a->offset > b->offset;
}

static int try_replica(struct choice *c, const struct rsp_server *master, const struct rsp_server_replica *r)
{
    struct rsp_server *s = NULL;
    const char *ill;
    int rc = look_at(c, r->host, r->port, &s);
    if (rc) return rc;
    ill = illness(s);
    if (!ill && !same_data(s, master)) ill = "it holds other data";
    if (ill) {
        snprintf(c->last, sizeof c->last, "%.100s: %s", s->name, ill);
        rsp_server_free(s);
        return RSP_AGAIN;
    }
    if (r->lag_s < 0) snprintf(c->why, c->why_n, "a replica of %s", master->name);
    else snprintf(c->why, c->why_n, "a replica of %s, lag %lld s", master->name, (long long)r->lag_s);
    c->chosen = s;
    return RSP_OK;
}

/* The healthiest first; RSP_AGAIN: none. */
static int find_replica(struct choice *c, const struct rsp_server *master)
{
    size_t tried[CHOOSE_TRIES] = {0}, n = 0;
    int rc = RSP_AGAIN;
    if (!*c->last && master->replicas_n)
        snprintf(c->last, sizeof c->last, "none is online with a lag of at most %d s", CHOOSE_LAG_S);
    while (rc == RSP_AGAIN && n < CHOOSE_TRIES) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < master->replicas_n; i++) {
            size_t k = 0;
            while (k < n && tried[k] != i) k++;
            if (k < n || !candidate(&master->replicas[i])) continue;
            if (best == SIZE_MAX || better(&master->replicas[i], &master->replicas[best])) best = i;
        }
        if (best == SIZE_MAX) break;
        tried[n++] = best;
        rc = try_replica(c, master, &master->replicas[best]);
    }
    return rc;
}

/* ---- up to the master ---- */

/* RSP_AGAIN: no master was reached. The server that is found is given's when it has no other. */
static int find_master(struct choice *c, struct rsp_server **ret)
{
    struct rsp_server *at = c->given, *up = NULL;
    int rc = RSP_OK;
    for (int hop = 0; at->facts.role == RSP_SERVER_REPLICA; hop++) {
        if (hop == CHOOSE_HOPS) {
            snprintf(c->last, sizeof c->last, "no master within %d hops", CHOOSE_HOPS);
            rc = RSP_AGAIN;
        } else if (!*at->facts.master_host || !at->facts.master_port) {
            snprintf(c->last, sizeof c->last, "%.100s does not name its master", at->name);
            rc = RSP_AGAIN;
        } else {
            rc = look_at(c, at->facts.master_host, at->facts.master_port, &up);
        }
        if (!rc && at->facts.master_link_up && !same_data(at, up)) {
            snprintf(c->last, sizeof c->last, "%.100s: it holds other data", up->name);
            rsp_server_free(up);
            rc = RSP_AGAIN;
        }
        if (at != c->given) rsp_server_free(at);
        if (rc) return rc;
        at = up;
    }
    *ret = at;
    return RSP_OK;
}

/* ---- the wishes ---- */

/* What may be otherwise in a minute. */
static int not_now(const struct choice *c, int rc)
{
    if (c->env->error && c->env->error->code == rc) c->env->error->retryable = 1;
    return rc;
}

static int from_master(struct choice *c, int role)
{
    int rc = find_replica(c, c->given);
    if (rc != RSP_AGAIN) return rc;
    if (role == RSP_CAPTURE_REPLICA && !*c->last)
        return fail(c->env, RSP_ENOTFOUND, c->given->name,
                    "no replica: the server names none; --source-role any takes it");
    if (role == RSP_CAPTURE_REPLICA)
        return not_now(c, fail(c->env, RSP_EBUSY, c->given->name,
                               "no healthy replica (%s); --source-role any takes the server itself", c->last));
    c->chosen = c->given;
    if (*c->last) snprintf(c->why, c->why_n, "the server itself: no healthy replica (%s)", c->last);
    else snprintf(c->why, c->why_n, "the server itself: it names no replica");
    return RSP_OK;
}

static int up_to_master(struct choice *c)
{
    struct rsp_server *master = NULL;
    int rc = find_master(c, &master);
    if (rc == RSP_AGAIN)
        return not_now(c, fail(c->env, RSP_EBUSY, c->given->name,
                               "its master cannot be used (%s); --source-role any takes the replica", c->last));
    if (rc) return rc;
    c->chosen = master;
    if (master == c->given) snprintf(c->why, c->why_n, "the server itself: a master");
    else snprintf(c->why, c->why_n, "the master of %s", c->given->name);
    return RSP_OK;
}

/* A replica that is ill: its healthy sibling when it must be a replica, else its master, else itself after all. */
static int from_ill_replica(struct choice *c, int role, const char *ill)
{
    struct rsp_server *master = NULL;
    int rc = find_master(c, &master);
    if (rc && rc != RSP_AGAIN) return rc;
    if (!rc && role == RSP_CAPTURE_REPLICA) {
        rc = find_replica(c, master);
        rsp_server_free(master);
        if (rc != RSP_AGAIN) return rc;
    }
    if (role == RSP_CAPTURE_REPLICA)
        return not_now(c, fail(c->env, RSP_EBUSY, c->given->name, "no healthy replica: %s (%s)", ill, c->last));
    if (!rc) {
        c->chosen = master;
        snprintf(c->why, c->why_n, "the master of %s: %s", c->given->name, ill);
    } else {
        c->chosen = c->given;
        snprintf(c->why, c->why_n, "the server itself: %s, and its master cannot be used (%s)", ill, c->last);
    }
    return RSP_OK;
}

static int choose(struct choice *c, int role)
{
    const struct rsp_server_facts *f = &c->given->facts;
    const char *ill = illness(c->given);
    if (f->role == RSP_SERVER_SENTINEL) {
        const struct rsp_endpoint *e = &c->given->endpoint;
        char place[320];
        look_host_port(e->host ? e->host : "127.0.0.1", e->port ? e->port : 6379, place, sizeof place);
        return fail(c->env, RSP_EINVAL, c->given->name,
                    "a Sentinel holds no data: sentinel://%s/NAME takes the master that it has by that name", place);
    }
    if (role == RSP_CAPTURE_AT_MASTER) return up_to_master(c);
    if (f->role == RSP_SERVER_MASTER) return from_master(c, role);
    if (ill && f->role == RSP_SERVER_REPLICA && f->can_info) return from_ill_replica(c, role, ill);
    if (!f->role && role == RSP_CAPTURE_REPLICA)
        return fail(c->env, RSP_EDENIED, c->given->name, "it cannot be told whether it is a replica: %s", ill);
    c->chosen = c->given;
    snprintf(c->why, c->why_n, "the server itself%s", f->role == RSP_SERVER_REPLICA ? ": a replica" : "");
    return RSP_OK;
}

int choose_server(const struct rsp_env *env, struct rsp_server *given, int role, volatile const int *cancel,
                  struct rsp_server **chosen, char *why, size_t why_n)
{
    struct rsp_env e;
    struct choice c;
    int rc;
    env_init(&e, env);
    memset(&c, 0, sizeof c);
    c.given = given;
    c.env = &e;
    c.cancel = cancel;
    c.why = why;
    c.why_n = why_n;
    why[0] = 0;
    *chosen = NULL;
    rc = choose(&c, role);
    if (!rc) *chosen = c.chosen;
    return rc;
}
