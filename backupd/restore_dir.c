/* What this is: backupd restore into the data directory of a server: what that server will really load.
 * Rests on: restore.h, respite/sys/live.h.
 * Does not: start or stop a server. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <respite/sys/live.h>

#include "backupd/restore.h"
#include "cli/exit.h"
#include "cli/signal.h"

/* The server that will load it, as far as it is known. */
struct loader {
    char path[PATH_ROOM]; /* "": not known */
    char kind[16], version[32];
    uint32_t version_n;
    struct rsp_target target;
};

static int same_directory(const char *a, const char *b)
{
    struct stat x, y;
    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int restore_dir_usage(struct restore *r)
{
    const struct opt_value *v = r->c->o->value;
    if (v[O_SERVER_VERSION].count && v[O_SERVER].from == OPT_FROM_ARGV)
        return options_usage(r->c->o, "--server and --server-version both say what will load it");
    if (v[O_SERVER].from == OPT_FROM_ARGV && v[O_SERVER].n > 1)
        return options_usage(r->c->o, "one --server will load it, not several");
    return -1;
}

/* ---- the server that will load it ---- */

/* The first program of PATH with that name. */
static int find_program(const char *name, char out[PATH_ROOM])
{
    const char *at = getenv("PATH");
    if (!at) at = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    while (*at) {
        size_t n = strcspn(at, ":");
        int length = snprintf(out, PATH_ROOM, "%.*s/%s", n < PATH_ROOM ? (int)n : PATH_ROOM, at, name);
        if (n && length > 0 && length < PATH_ROOM && !access(out, X_OK)) return 1;
        at += n + (at[n] == ':');
    }
    out[0] = 0;
    return 0;
}

static int ask_engine(struct context *c, struct loader *l, int given)
{
    struct rsp_engine engine;
    int rc = rsp_engine_ask(&c->env, l->path, &engine);
    if (rc && given) return context_fault(c, rc, l->path, EXIT_TARGET);
    if (rc) {
        /* Nobody named it: then it is not known. */
        rsp_error_clear(&c->error);
        l->path[0] = 0;
        return -1;
    }
    snprintf(l->kind, sizeof l->kind, "%s", engine.kind);
    snprintf(l->version, sizeof l->version, "%s", engine.version);
    l->version_n = engine.version_n;
    return -1;
}

static int find_loader(struct context *c, struct loader *l)
{
    const struct opt_value *version = &c->o->value[O_SERVER_VERSION], *server = &c->o->value[O_SERVER];
    int rc;
    if (version->count) {
        const char *colon = strchr(version->text, ':');
        l->target.size = sizeof l->target;
        rc = rsp_target_parse(&c->env, version->text, &l->target);
        if (rc) return context_fault(c, rc, "--server-version", EXIT_USAGE), EXIT_USAGE;
        snprintf(l->kind, sizeof l->kind, "%s", l->target.valkey ? "valkey" : "redis");
        snprintf(l->version, sizeof l->version, "%s", colon ? colon + 1 : version->text);
        l->version_n = l->target.version_n;
        return -1;
    }
    if (server->n) {
        if (!strcmp(server->list[0], "none")) return -1;
        snprintf(l->path, sizeof l->path, "%s", server->list[0]);
        return ask_engine(c, l, 1);
    }
    if (!find_program("redis-server", l->path) && !find_program("valkey-server", l->path)) return -1;
    return ask_engine(c, l, 0);
}

/* ---- the directory ---- */

/* Without the configuration an AOF that is there tells that dump.rdb would be ignored. */
static int guess_usage(const struct rsp_server_config *config)
{
    const char *const names[] = {config->appenddirname, config->appendfilename}; /* from 7.0 on, and before */
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_ROOM];
        struct stat st;
        int n = snprintf(path, sizeof path, "%s/%s", config->dir, names[i]);
        if (n < 0 || n >= PATH_ROOM || stat(path, &st)) continue;
        print_err("%s is there: the server seems to run with 'appendonly yes', and would not load dump.rdb; name its "
                  "configuration by --server-config FILE",
                  path);
        print_err("when it is really off, move that %s away", S_ISDIR(st.st_mode) ? "directory" : "file");
        return EXIT_TARGET;
    }
    print_warn("%s: the server's configuration is not known: one with 'appendonly yes', there or among its arguments, "
               "ignores dump.rdb and starts EMPTY; --server-config FILE tells",
               config->dir);
    return -1;
}

static int read_config(struct context *c, struct rsp_server_config *config)
{
    const char *path = c->o->value[O_SERVER_CONFIG].text, *to = c->o->value[O_TO].text;
    int rc = rsp_server_config_read(&c->env, path, path ? NULL : to, config), said = 1;
    if (rc == RSP_EINVAL && path && to) { /* it may say no directory, or "./": --to does */
        rsp_error_clear(&c->error);
        said = 0;
        rc = rsp_server_config_read(&c->env, path, to, config);
    }
    if (rc) return context_fault(c, rc, path ? path : to, EXIT_CONFIG);
    if (path && to && said && !same_directory(config->dir, to)) {
        print_err("%s: the server's directory is %s, not %s", path, config->dir, to);
        return EXIT_USAGE;
    }
    return path ? -1 : guess_usage(config);
}

static int refuse_used(struct context *c, const struct rsp_server_config *config)
{
    char why[512] = "";
    int use = rsp_dir_in_use(&c->env, config, why, sizeof why);
    rsp_error_clear(&c->error);
    if (use == RSP_DIR_FREE) return -1;
    if (c->o->value[O_FORCE].count) {
        print_warn("%s: %s%s; going on, as --force says", config->dir,
                   use == RSP_DIR_IN_USE ? "a server is at work there: " : "", why);
        return -1;
    }
    print_err("%s: %s: %s; stop the server first (--force goes on all the same)", config->dir,
              use == RSP_DIR_IN_USE ? "a server is at work there"
                                    : "it cannot be told whether a server is at work there",
              why);
    return EXIT_TARGET;
}

/* A node of a cluster loads what it finds, whoever owns the slots: that is said before. */
static int look_at_cluster(struct restore *r, const struct rsp_server_config *config, int several,
                           const struct rsp_stream_info *stream)
{
    const struct rsp_manifest *m = rsp_snapshot_manifest(r->chosen.snapshot);
    int slots = stream->slots.n < 160 ? (int)stream->slots.n : 160;
    for (size_t i = 0; config->cluster && i < m->dbs_n; i++) {
        if (!m->dbs[i].db || !m->dbs[i].keys) continue;
        print_err("%s: the server is a node of a cluster, and would not start: the snapshot has keys in database %u",
                  config->dir, (unsigned)m->dbs[i].db);
        return EXIT_TARGET;
    }
    if (config->cluster && slots)
        print_warn(
            "%s: the server is a node of a cluster: its nodes.conf must give it the slots %.*s, and no others that "
            "have keys; --nodes NODES.CONF cuts files by slots",
            config->dir, slots, (const char *)stream->slots.p);
    else if (config->cluster)
        print_warn("%s: the server is a node of a cluster, and gets the keys of all slots; --nodes cuts files by slots",
                   config->dir);
    else if (several)
        print_warn("%s: the server gets the slots %.*s alone, one shard of a cluster; --nodes 1 makes one file of all",
                   config->dir, slots, slots ? (const char *)stream->slots.p : "");
    return -1;
}

/* ---- report ---- */

static void say_start(const struct context *c, const struct rsp_server_config *config, const struct loader *l)
{
    const char *path = c->o->value[O_SERVER_CONFIG].text, *program = l->path[0] ? l->path : "redis-server";
    if (!l->path[0] && !strcmp(l->kind, "valkey")) program = "valkey-server";
    if (path) printf("start the server as usual (%s %s)\n", program, path);
    else printf("start the server as usual, or: %s --dir %s --appendonly no\n", program, config->dir);
}

static void report(struct restore *r, const struct rsp_datadir_report *d, const struct rsp_server_config *config,
                   const struct loader *l)
{
    struct context *c = r->c;
    int checked = !r->chosen.damaged;
    char bytes[TEXT_MAX], id[33];
    struct json j;
    if (!c->o->value[O_JSON].count) {
        printf("restored %s: %s to %s", r->chosen.name, text_size(bytes, d->restore.bytes), config->dir);
        if (checked) printf(", %" PRIu64 " keys, checked\n", d->restore.keys);
        else puts(", as damaged as it was stored");
        if (l->kind[0]) printf("%s %s will load: %s\n", l->kind, l->version, d->loads);
        else printf("the server will load: %s\n", d->loads);
        if (d->aside[0]) printf("what was there is kept in: %s\n", d->aside);
        say_start(c, config, l);
        return;
    }
    text_hex(id, r->chosen.record->snapshot, 16);
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_text(&j, "snapshot", id);
    json_text(&j, "directory", config->dir);
    json_text(&j, "loads", d->loads);
    json_bool(&j, "aof", d->aof);
    if (d->aside[0]) json_text(&j, "kept_aside", d->aside);
    if (l->kind[0]) json_text(&j, "server_kind", l->kind);
    if (l->kind[0]) json_text(&j, "server_version", l->version);
    json_u64(&j, "bytes", d->restore.bytes);
    json_bool(&j, "checked", checked);
    if (checked) json_u64(&j, "keys", d->restore.keys);
    json_bool(&j, "damaged", r->chosen.damaged);
    context_json_troubles(c, &j);
    json_close(&j, '}');
}

static int fault(struct restore *r, int rc, const struct rsp_server_config *config)
{
    struct context *c = r->c;
    int target = rc == RSP_EEXIST || rc == RSP_ELOCKED || !strncmp(c->error.subject, config->dir, strlen(config->dir));
    int code = context_fault(c, rc, r->chosen.name, target ? EXIT_TARGET : EXIT_STORAGE);
    if (signal_caught()) return code;
    if (rc == RSP_EEXIST) print_err("%s: --force keeps what is there aside", config->dir);
    return rc == RSP_EEXIST || rc == RSP_ELOCKED ? EXIT_TARGET : code;
}

int restore_dir(struct restore *r)
{
    struct context *c = r->c;
    const struct opt_value *v = c->o->value;
    const struct rsp_manifest *m = rsp_snapshot_manifest(r->chosen.snapshot);
    struct rsp_server_config config = {.size = sizeof config};
    struct rsp_datadir_options o = {.size = sizeof o, .config = &config};
    struct rsp_datadir_report d = {.size = sizeof d};
    struct loader l = {.path = ""};
    int several = 0, rc, code = restore_stream(r, &o.stream, &several);
    if (code < 0) code = read_config(c, &config);
    if (code < 0) code = look_at_cluster(r, &config, several, &m->streams[o.stream]);
    if (code < 0) code = find_loader(c, &l);
    if (code < 0) code = refuse_used(c, &config);
    if (code >= 0) return code;
    if (!l.kind[0])
        print_warn("the version of the server that will load it is not known; --server PATH or --server-version "
                   "redis:7.0.15 tells it");
    o.server_kind = l.kind[0] ? l.kind : NULL;
    o.server_version = l.version_n;
    o.force = v[O_FORCE].count != 0;
    o.damaged = r->chosen.damaged;
    o.threads = (unsigned)v[O_THREADS].number;
    o.cancel = signal_flag();
    o.progress = context_progress;
    o.opaque = c;
    context_begin(c, r->chosen.name, m->streams[o.stream].plain, 0);
    rc = rsp_restore_datadir(&c->env, r->chosen.snapshot, &o, &d);
    context_end(c);
    if (rc) return fault(r, rc, &config);
    if (config.preload[0])
        print_warn("%s: preload-file %s: the server would load that instead", config.dir, config.preload);
    report(r, &d, &config, &l);
    return EXIT_OK;
}
