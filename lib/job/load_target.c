/* What this is: the primaries that a restore writes to: what they are, what they allow, and what all of them can hold.
 * Rests on: load_impl.h.
 * Does not: find them (repl/routes). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "job/load_impl.h"
#include "rdb/target.h"
#include "repl/server_impl.h"

#define PATIENCE_MS 60000

static int refuse(struct load *x, struct rsp_server *server)
{
    const struct rsp_server_facts *f = rsp_server_facts(server);
    const char *name = rsp_server_name(server);
    if (f->role == RSP_SERVER_SENTINEL || !strcmp(f->mode, "sentinel"))
        return fail(&x->server_env, RSP_EUNSUPPORTED, name,
                    "is a sentinel, which holds no data: name its master: sentinel://HOST:PORT/NAME");
    if (!strcmp(f->mode, "cluster") && !x->routes->cluster)
        return fail(
            &x->server_env, RSP_EUNSUPPORTED, name,
            "is a node of a cluster, which takes keys only by their slots: name the cluster: cluster://HOST:PORT, "
            "or -c");
    if (f->role == RSP_SERVER_REPLICA && f->master_host[0])
        return fail(&x->server_env, RSP_EDENIED, name, "is a replica: restore into its master, %.128s:%" PRIu32,
                    f->master_host, f->master_port);
    if (f->role == RSP_SERVER_REPLICA) return fail(&x->server_env, RSP_EDENIED, name, "is a replica");
    return RSP_OK;
}

static int is_needed(const struct load *x, const char *command)
{
    int cluster = x->routes->cluster;
    if (!strcmp(command, "set") || !strcmp(command, "keys") || !strcmp(command, "dbsize")) return 1;
    if (!strcmp(command, "select") && !cluster) return 1;
    if (x->o.resp.existing == RSP_EXISTING_FAIL && !strcmp(command, "msetnx") && !cluster) return 1;
    if (x->o.resp.existing == RSP_EXISTING_REPLACE && !strcmp(command, "mset") && !cluster) return 1;
    return x->o.resp.payloads && !strcmp(command, "restore");
}

/* What every restore needs; the rest is met where it is missing. */
static int check_rights(struct load *x, struct rsp_server *server)
{
    const struct rsp_server_right *r;
    char rules[160] = "";
    size_t n, at = 0;
    int rc = rsp_server_rights(server, &r, &n);
    if (rc) return rc;
    for (size_t i = 0; i < n; i++) {
        if (r[i].allowed || strcmp(r[i].for_what, "restore") || !is_needed(x, r[i].command)) continue;
        if (at < sizeof rules) at += (size_t)snprintf(rules + at, sizeof rules - at, " %s", r[i].rule);
    }
    if (!at) return RSP_OK;
    return fail(&x->server_env, RSP_EDENIED, rsp_server_name(server),
                "the user %s may not restore, and nothing was written: on the server, ACL SETUSER %s%s",
                rsp_server_user(server), rsp_server_user(server), rules);
}

/* ---- what it can hold ---- */

/* A number that the server is configured with; 0: it does not say. */
static uint64_t ask_number(struct rsp_server *server, const char *name)
{
    struct rsp_span argv[3] = {
        {(const uint8_t *)"CONFIG", 6}, {(const uint8_t *)"GET", 3}, {(const uint8_t *)name, strlen(name)}};
    const struct rsp_reply *r;
    int64_t v;
    if (rsp_server_ask(server, 3, argv, &r) || r->type != RSP_REPLY_ARRAY || r->n != 2 || !r->child->next) return 0;
    return i64_parse(r->child->next->text.p, r->child->next->text.n, &v) && v > 0 ? (uint64_t)v : 0;
}

/* RESTORE of a module's value ends in "Bad data format" where the module is not loaded. Who may not ask for the list is
 * told by the server then. */
static void ask_modules(struct rsp_server *server, struct rsp_target *t)
{
    static const struct rsp_span argv[2] = {{(const uint8_t *)"MODULE", 6}, {(const uint8_t *)"LIST", 4}};
    const struct rsp_reply *r;
    if (rsp_server_ask(server, 2, argv, &r) || r->type != RSP_REPLY_ARRAY) return;
    t->modules_known = 1;
    for (const struct rsp_reply *m = r->child; m && t->modules_known; m = m->next) {
        const struct rsp_reply *name = server_member(m, "name");
        if (name) target_add_module(t, name->text);
        else t->modules_known = 0;
    }
}

static int target_of(struct load *x, struct rsp_server *server, struct rsp_target *t)
{
    const struct rsp_server_facts *f = rsp_server_facts(server);
    uint64_t n;
    int rc;
    memset(t, 0, sizeof *t);
    t->size = sizeof *t;
    rc = rsp_target_of(&x->server_env, f->kind, f->version_n, t);
    if (rc) return rc;
    t->bulk_max = ask_number(server, "proto-max-bulk-len");
    ask_modules(server, t);
    t->cluster = x->routes->cluster;
    n = t->cluster ? 0 : ask_number(server, "databases");
    t->databases = n <= UINT32_MAX ? (uint32_t)n : 0;
    return RSP_OK;
}

/* Nodes of different versions: the oldest one, and nothing that another cannot. */
static void narrow(struct rsp_target *all, const struct rsp_target *t)
{
    uint32_t can = all->can & t->can;
    uint64_t bulk = all->bulk_max;
    struct rsp_target modules = *all;
    target_common_modules(&modules, t);
    if (t->bulk_max && (!bulk || t->bulk_max < bulk)) bulk = t->bulk_max;
    if (t->rdb_version < all->rdb_version || (t->rdb_version == all->rdb_version && t->version_n < all->version_n))
        *all = *t;
    all->can = can;
    all->bulk_max = bulk;
    all->modules_known = modules.modules_known;
    all->modules_n = modules.modules_n;
    memcpy(all->modules, modules.modules, sizeof all->modules);
}

static int learn(struct load *x, struct rsp_server *server, int first)
{
    struct rsp_target t;
    int rc = refuse(x, server);
    if (!rc) rc = check_rights(x, server);
    if (!rc) rc = target_of(x, server, &t);
    if (rc) return rc;
    if (first) x->o.resp.target = t;
    else narrow(&x->o.resp.target, &t);
    return RSP_OK;
}

int load_target(struct load *x)
{
    int rc = routes_open(&x->server_env, x->place, x->o.cancel, PATIENCE_MS, &x->routes);
    size_t n;
    if (rc) return rc;
    n = routes_n(x->routes);
    for (size_t i = 0; i < n && !rc; i++) rc = learn(x, routes_server(x->routes, i), !i);
    if (rc) return rc;
    if (x->routes->cluster) rsp_place_text(x->place, x->name, sizeof x->name);
    else snprintf(x->name, sizeof x->name, "%s", rsp_server_name(load_server(x)));
    x->o.resp.single_keys = x->routes->cluster;
    x->r.plan.nodes = n;
    x->r.plan.target = x->o.resp.target;
    return RSP_OK;
}
