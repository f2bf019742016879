/* What this is: backupd check of a server: what it is, how it sees us, whom a capture would take, what its fork may cost.
 * Rests on: check.h, config.h, respite/sys/server.h.
 * Does not: capture; write into the server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backupd/check.h"
#include "backupd/config.h"
#include "cli/exit.h"
#include "cli/signal.h"

#define LAG_S 10 /* a replica that is farther behind is not called healthy */

int check_server_open(struct check *k)
{
    struct context *c = k->c;
    const struct opt_value *from = &c->o->value[O_FROM], *patience = &c->o->value[O_PATIENCE];
    struct rsp_server_options options = {.size = sizeof options, .cancel = signal_flag()};
    struct opt_value uri = {0}, *given = NULL;
    enum opt_from named;
    char place[320];
    int code, rc;
    if (c->o->operands && rsp_place_is_uri(c->o->operand[0])) {
        uri = (struct opt_value){.count = 1, .from = OPT_FROM_ARGV, .text = c->o->operand[0]};
        given = &uri;
    }
    code = connection_refuse(c->o, backupd_connection, given);
    if (code >= 0) return code;
    named = connection_named(c->o, backupd_connection, given);
    if (c->o->operands && !given && !config_has_source(c->o, c->o->operand[0])) {
        print_err("'%s' is neither a section [source %s] of the configuration nor a URI such as redis://host:port, "
                  "sentinel://host:port/name or cluster://host:port",
                  c->o->operand[0], c->o->operand[0]);
        return EXIT_CONFIG;
    }
    if (c->o->operands && !given && named > OPT_FROM_CONFIG)
        return options_usage(c->o, "two servers: that of [source %s], and one of options or environment",
                             c->o->operand[0]);
    if (!named || named < from->from) return -1;
    code = connection_open(&k->connection, &c->env, c->o, backupd_connection, given);
    if (code >= 0) return code;
    options.patience_ms = patience->count ? patience->number : 0;
    if (k->connection.place.kind != RSP_PLACE_SERVER) return check_place_open(k, &options);
    rc = rsp_server_open(&c->env, &k->connection.place.endpoint, &options, &k->server);
    if (!rc) return -1;
    rsp_endpoint_text(&k->connection.place.endpoint, place, sizeof place);
    code = context_fault(c, rc, place, EXIT_SOURCE);
    return signal_caught() ? code : connection_exit(rc, EXIT_SOURCE);
}

void check_server_close(struct check *k)
{
    check_place_close(k);
    rsp_server_free(k->server);
    k->server = NULL;
    connection_close(&k->connection);
}

/* On this host: /proc tells of its kernel too. */
static int is_local(const struct rsp_endpoint *e)
{
    return e->socket || !e->host || !strcmp(e->host, "localhost") || !strncmp(e->host, "127.", 4) ||
           !strcmp(e->host, "::1");
}

/* ---- what it is ---- */

static void say_kind(struct check *k, const struct rsp_server_facts *f)
{
    char eta[TEXT_MAX];
    if (!f->can_info) {
        check_say(k, BAD, "server", "%s: INFO is not allowed to %s: little can be said", rsp_server_name(k->server),
                  rsp_server_user(k->server));
        return;
    }
    check_say(k, f->role == RSP_SERVER_SENTINEL ? BAD : GOOD, "server", "%s: %s %s, %s, %s; RDB version %u",
              rsp_server_name(k->server), f->kind, f->version, f->mode[0] ? f->mode : "mode not told",
              f->role == RSP_SERVER_SENTINEL  ? "a Sentinel, which holds no data: sentinel://host:port/NAME"
              : f->role == RSP_SERVER_REPLICA ? "a replica"
                                              : "a master",
              (unsigned)f->rdb_version);
    if (!strcmp(f->mode, "cluster") && !k->c->o->value[O_ONE_NODE].count)
        check_say(
            k, BAD, "server",
            "one node of a cluster: a backup of it holds the keys of its slots alone; cluster://host:port or -c takes "
            "all");
    if (f->loading)
        check_say(k, BAD, "loading", "it is loading its data%s%s: a capture has to wait (--patience)",
                  f->load_eta_s >= 0 ? ", for " : "",
                  f->load_eta_s >= 0 ? text_duration(eta, f->load_eta_s * 1000) : "");
    if (f->save_running || f->rewrite_running)
        check_say(k, NOTE, "save", "%s is running: a capture has to wait for it",
                  f->save_running ? "a save" : "a rewrite of the AOF");
}

void check_user(struct check *k)
{
    const struct rsp_endpoint *e = &k->connection.place.endpoint;
    check_say(k, GOOD, "user", "it sees us as user %s%s", rsp_server_user(k->server),
              e->password ? "" : ", without a password");
    if (e->tls)
        check_say(k, e->insecure ? RISK : GOOD, "tls", "TLS%s%s", e->cert ? ", with a client certificate" : "",
                  e->insecure ? "; the server's certificate is not verified (--insecure)" : "");
    else if (is_local(e)) check_say(k, GOOD, "tls", "no TLS; the way does not leave this host");
    else check_say(k, RISK, "tls", "no TLS: the data%s can be read on the way", e->password ? " and the password" : "");
}

static void say_data(struct check *k, const struct rsp_server_facts *f)
{
    char used[TEXT_MAX], rss[TEXT_MAX];
    if (f->can_info)
        check_say(k, GOOD, "data",
                  "%" PRIu64 " keys, %" PRIu64 " with an expiry; %s of memory, %s with what is around it", f->keys,
                  f->expires, text_size(used, f->used_memory), text_size(rss, f->used_memory_rss));
}

/* ---- whom ---- */

static void take(struct check *k, const char *place, const struct rsp_server_facts *f)
{
    snprintf(k->taken.place, sizeof k->taken.place, "%s", place);
    k->taken.facts = *f;
}

/* The replica answers, and its own link is up: 1 after a point. */
static int try_replica(struct check *k, const struct rsp_server_replica *r)
{
    struct rsp_endpoint e = k->connection.place.endpoint;
    struct rsp_server_options options = {.size = sizeof options, .cancel = signal_flag()};
    struct rsp_server *server = NULL;
    const struct rsp_server_facts *f;
    char place[320], line[512];
    int rc, ok = 0;
    e.socket = NULL;
    e.host = r->host;
    e.port = r->port;
    rsp_endpoint_text(&e, place, sizeof place);
    rc = rsp_server_open(&k->c->env, &e, &options, &server);
    if (rc) {
        rsp_error_format(&k->c->error, line, sizeof line);
        check_say(k, NOTE, "capture", "the replica %s is not taken: %s", place,
                  k->c->error.code ? line : rsp_status_text(rc));
        rsp_error_clear(&k->c->error);
        return 0;
    }
    f = rsp_server_facts(server);
    if (f->role != RSP_SERVER_REPLICA || !f->master_link_up || f->loading)
        check_say(k, NOTE, "capture", "the replica %s is not taken: %s", place,
                  f->role != RSP_SERVER_REPLICA ? "it does not call itself one"
                  : f->loading                  ? "it is loading its data"
                                                : "its link to the master is down");
    else ok = 1;
    if (ok) take(k, place, f);
    if (ok)
        check_say(k, GOOD, "capture", "would be captured: %s, a replica of %s, lag %lld s", place,
                  k->map ? rsp_server_name(k->server) : "this server", (long long)r->lag_s);
    rsp_server_free(server);
    return ok;
}

void check_whom(struct check *k, const struct rsp_server_facts *f)
{
    int64_t role = k->c->o->value[O_SOURCE_ROLE].number;
    const struct rsp_server_replica *r;
    memset(&k->taken, 0, sizeof k->taken);
    if (f->role == RSP_SERVER_SENTINEL) return;
    if (f->role == RSP_SERVER_REPLICA) {
        int unfit = !f->master_link_up;
        take(k, rsp_server_name(k->server), f);
        check_say(k, unfit || role == RSP_CAPTURE_AT_MASTER ? BAD : GOOD, "capture",
                  "%s, a replica of %s:%u, whose link is %s%s",
                  role == RSP_CAPTURE_AT_MASTER ? "would not be captured (--source-role master)"
                                                : "would be captured itself",
                  f->master_host, (unsigned)f->master_port, f->master_link_up ? "up" : "down",
                  unfit ? ": it has to wait for its master" : "");
        return;
    }
    for (size_t i = 0; role != RSP_CAPTURE_AT_MASTER && (r = rsp_server_replica(k->server, i)); i++) {
        if (!r->online || r->lag_s > LAG_S)
            check_say(k, NOTE, "capture", "the replica %s:%u is not taken: %s", r->host, (unsigned)r->port,
                      r->online ? "it lags behind" : "it is not online");
        else if (try_replica(k, r)) return;
    }
    if (role == RSP_CAPTURE_REPLICA)
        check_say(k, BAD, "capture",
                  "nothing would be captured: no healthy replica answers, and --source-role is replica");
    else {
        take(k, rsp_server_name(k->server), f);
        check_say(k, GOOD, "capture", "would be captured: %s itself%s", k->map ? k->taken.place : "the server",
                  role == RSP_CAPTURE_AT_MASTER ? " (--source-role master)" : ": no healthy replica answers");
    }
}

/* ---- memory ---- */

/* Of this host, when the server is here. */
static void say_overcommit(struct check *k)
{
    char mode = 0;
    FILE *f = is_local(&k->connection.place.endpoint) ? fopen("/proc/sys/vm/overcommit_memory", "re") : NULL;
    if (!f) return;
    if (fread(&mode, 1, 1, f) != 1) mode = 0;
    fclose(f);
    if (mode == '0' || mode == '2')
        check_say(
            k, RISK, "memory",
            "vm.overcommit_memory is %c: a fork may be refused although there is room; 'sysctl vm.overcommit_memory=1'",
            mode);
}

/* A fork shares every page until one of both writes it: in the worst case all are copied. */
void check_memory(struct check *k, const struct rsp_server_facts *f)
{
    uint64_t all = f->used_memory, used = f->used_memory_rss > all ? f->used_memory_rss : all, spare;
    char worst[TEXT_MAX], last[TEXT_MAX], free_text[TEXT_MAX], most[TEXT_MAX];
    enum level level = GOOD;
    if (!f->can_info || !all) return;
    if (!f->system_memory) {
        check_say(k, NOTE, "memory", "a save copies at most %s more; how much is free is not told",
                  text_size(worst, all));
        return;
    }
    spare = f->system_memory > used ? f->system_memory - used : 0;
    if (all > spare) level = f->cow_last && f->cow_last <= spare / 2 ? RISK : BAD;
    check_say(k, level, "memory",
              "a save copies at most %s more, if every page is written meanwhile; %s of %s are not the server's%s%s%s",
              text_size(worst, all), text_size(free_text, spare), text_size(most, f->system_memory),
              f->cow_last ? "; the last one copied " : "", f->cow_last ? text_size(last, f->cow_last) : "",
              level == GOOD   ? ""
              : level == RISK ? ": it fits while writes stay as they are"
                              : ": the server may be killed; capture a replica on another host");
    if (!f->maxmemory) check_say(k, NOTE, "memory", "maxmemory is not set: the data may grow until a fork has no room");
    if (!k->quiet) say_overcommit(k); /* of the host, once */
}

void check_server(struct check *k)
{
    const struct rsp_server_facts *f = rsp_server_facts(k->server);
    say_kind(k, f);
    check_user(k);
    say_data(k, f);
    check_whom(k, f);
    check_memory(k, f);
}
