/* What this is: backupd restore: where to, and what goes with it; a snapshot into a file that appears whole or not at all.
 * Rests on: restore.h, respite/sys/job.h.
 * Does not: start servers; write into one (restore_live.c) or beside one (restore_dir.c). */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include <respite/sys/job.h>

#include "backupd/restore.h"
#include "cli/exit.h"
#include "cli/signal.h"

static void report(struct context *c, const struct chosen *s, const struct rsp_restore_report *r)
{
    const char *to = c->o->value[O_TO].text;
    int checked = !c->o->value[O_NO_CHECK].count && !s->damaged;
    char bytes[TEXT_MAX], resumed[TEXT_MAX], id[33];
    struct json j;
    if (!c->o->value[O_JSON].count) {
        printf("restored %s: %s to %s", s->name, text_size(bytes, r->bytes), to);
        if (r->resumed) printf(", %s of it was there", text_size(resumed, r->resumed));
        if (checked) printf(", %" PRIu64 " keys", r->keys);
        puts(s->damaged ? ", as damaged as it was stored" : checked ? ", checked" : ", not checked");
        return;
    }
    text_hex(id, s->record->snapshot, 16);
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_text(&j, "snapshot", id);
    json_text(&j, "file", to);
    json_u64(&j, "bytes", r->bytes);
    json_u64(&j, "resumed_bytes", r->resumed);
    json_bool(&j, "checked", checked);
    if (checked) json_u64(&j, "keys", r->keys);
    json_bool(&j, "damaged", s->damaged);
    context_json_troubles(c, &j);
    json_close(&j, '}');
}

int restore_stream(const struct restore *r, size_t *stream, int *several)
{
    const struct opt_value *v = r->c->o->value;
    struct dumps d;
    char names[800];
    int code = dumps_of(r->c, &r->chosen, &d);
    if (several) *several = d.n > 1;
    if (code < 0 && v[O_SHARD].text) {
        code = dumps_find(&r->chosen, &d, v[O_SHARD].text, stream);
    } else if (code < 0 && d.n > 1) {
        dumps_names(&d, names, sizeof names);
        print_err("%s: the snapshot holds the %zu shards of a cluster: %s", r->chosen.name, d.n, names);
        print_err(
            "--nodes 1 makes one file of them, --nodes N or --nodes NODES.CONF one for each node; --shard NAME, or "
            "'backupd cat', takes one as it is");
        code = EXIT_USAGE;
    } else if (code < 0) {
        *stream = d.at[0];
    }
    dumps_free(&d);
    return code;
}

static int restore(const struct restore *all)
{
    struct context *c = all->c;
    const struct chosen *s = &all->chosen;
    const struct opt_value *v = c->o->value;
    const struct rsp_manifest *m = rsp_snapshot_manifest(s->snapshot);
    struct rsp_restore_options o = {.size = sizeof o};
    struct rsp_restore_report r = {.size = sizeof r};
    int rc, code = restore_stream(all, &o.stream, NULL);
    if (code >= 0) return code;
    o.force = v[O_FORCE].count != 0;
    o.resume = v[O_RESUME].count != 0;
    o.no_check = v[O_NO_CHECK].count != 0;
    o.damaged = s->damaged;
    o.threads = (unsigned)v[O_THREADS].number;
    o.cancel = signal_flag();
    o.progress = context_progress;
    o.opaque = c;
    context_begin(c, s->name, m->streams[o.stream].plain, 0);
    rc = rsp_restore_file(&c->env, s->snapshot, v[O_TO].text, &o, &r);
    context_end(c);
    if (rc == RSP_EEXIST) {
        print_err("%s: exists already; --force replaces it", v[O_TO].text);
        return EXIT_TARGET;
    }
    if (rc == RSP_ELOCKED) {
        context_fault(c, rc, v[O_TO].text, EXIT_TARGET);
        return EXIT_TARGET;
    }
    if (rc) {
        /* The target's faults have its name; those of the store the object's. */
        int io = !strcmp(c->error.subject, v[O_TO].text) ? EXIT_TARGET : EXIT_STORAGE;
        return context_fault(c, rc, s->name, io);
    }
    report(c, s, &r);
    return EXIT_OK;
}

/* ---- where to ---- */

/* What belongs to some kinds only, when it is an argument: what the environment holds may be meant for another day. */
static int foreign_options(const struct restore *r)
{
    static const struct {
        int id;
        unsigned kinds;
    } some[] = {{O_RESUME, RESTORE_FILE},
                {O_NO_CHECK, RESTORE_FILE},
                {O_FORCE, RESTORE_FILE | RESTORE_DIR | RESTORE_NODES},
                {O_SHARD, RESTORE_FILE | RESTORE_DIR},
                {O_TARGET, RESTORE_NODES},
                {O_SERVER_CONFIG, RESTORE_DIR},
                {O_SERVER_VERSION, RESTORE_DIR},
                {O_SERVER, RESTORE_DIR},
                {O_DRY_RUN, RESTORE_LIVE},
                {O_EXISTING, RESTORE_LIVE},
                {O_TTL, RESTORE_LIVE | RESTORE_NODES},
                {O_DB_MAP, RESTORE_LIVE},
                {O_RATE_OPS, RESTORE_LIVE},
                {O_RATE_BYTES, RESTORE_LIVE},
                {O_CHECKPOINT, RESTORE_LIVE},
                {O_NO_COMPARE, RESTORE_LIVE},
                {O_ON_LOSS, RESTORE_LIVE | RESTORE_NODES},
                {O_LOSSES_TO, RESTORE_LIVE},
                {O_NO_FUNCTIONS, RESTORE_LIVE | RESTORE_NODES},
                {O_KEY, RESTORE_LIVE | RESTORE_NODES},
                {O_KEY_REGEX, RESTORE_LIVE | RESTORE_NODES},
                {O_NOT_KEY, RESTORE_LIVE | RESTORE_NODES},
                {O_NOT_KEY_REGEX, RESTORE_LIVE | RESTORE_NODES},
                {O_TYPE, RESTORE_LIVE | RESTORE_NODES},
                {O_DB, RESTORE_LIVE | RESTORE_NODES},
                {O_SIZE, RESTORE_LIVE | RESTORE_NODES},
                {O_SLOT, RESTORE_LIVE | RESTORE_NODES},
                {O_URI, RESTORE_LIVE},
                {O_HOST, RESTORE_LIVE},
                {O_PORT, RESTORE_LIVE},
                {O_SOCKET, RESTORE_LIVE},
                {O_USER, RESTORE_LIVE},
                {O_ASKPASS, RESTORE_LIVE},
                {O_PASS_FILE, RESTORE_LIVE},
                {O_TLS, RESTORE_LIVE}};
    const struct options *o = r->c->o;
    const char *what = r->kind == RESTORE_LIVE    ? "a restore into a running server"
                       : r->kind == RESTORE_DIR   ? "a restore into a data directory"
                       : r->kind == RESTORE_NODES ? "a restore into files for nodes"
                                                  : "a restore into a file";
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        const struct opt *opt = o->program->opts;
        if ((some[i].kinds & r->kind) || o->value[some[i].id].from != OPT_FROM_ARGV) continue;
        while (opt->id != some[i].id || !(opt->verbs & V_RESTORE)) opt++;
        return options_usage(o, "--%s does not belong to %s", opt->name, what);
    }
    return -1;
}

static int is_directory(const char *path)
{
    struct stat st;
    return path && !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* A server is a target only when an argument, or --to, says so. */
static int choose(struct restore *r)
{
    const struct options *o = r->c->o;
    const struct opt_value *to = &o->value[O_TO];
    int uri = to->text && rsp_place_is_uri(to->text), code;
    int server = connection_named(o, backupd_connection, NULL) == OPT_FROM_ARGV;
    code = connection_refuse(o, backupd_connection, uri ? to : NULL);
    if (code >= 0) return code;
    if (to->text && !uri && strstr(to->text, "://"))
        return options_usage(o,
                             "--to: '%.*s' is no scheme of a server: redis, rediss, unix, sentinel, sentinels, "
                             "cluster, clusters",
                             (int)strcspn(to->text, ":"), to->text);
    if (to->text && server) return options_usage(o, "two targets: --to and a server (-h, -p, -s, -u)");
    if (o->value[O_NODES].count && (uri || server))
        return options_usage(o, "--nodes makes files; a running cluster is a target without it");
    if (o->value[O_NODES].count && o->value[O_SERVER_CONFIG].count)
        return options_usage(o, "--nodes makes files in a directory of its own, not in a server's");
    if (o->value[O_NODES].count) r->kind = RESTORE_NODES;
    else if (uri || server) r->kind = RESTORE_LIVE;
    else if (o->value[O_SERVER_CONFIG].count || is_directory(to->text)) r->kind = RESTORE_DIR;
    else if (to->text) r->kind = RESTORE_FILE;
    else
        return options_usage(o, "where to? --to FILE, --to DIRECTORY, --server-config FILE, --nodes N --to DIRECTORY, "
                                "or --to with redis://host:port, sentinel://host:port/name, cluster://host:port");
    code = foreign_options(r);
    if (code >= 0) return code;
    if (r->kind == RESTORE_DIR) return restore_dir_usage(r);
    if (r->kind == RESTORE_NODES) return restore_nodes_usage(r);
    if (r->kind == RESTORE_FILE) return -1;
    code = restore_live_usage(r);
    if (code < 0) code = connection_open(&r->connection, &r->c->env, o, backupd_connection, uri ? to : NULL);
    if (code < 0 && r->connection.place.endpoint.db)
        return options_usage(o, "a snapshot has databases of its own: instead of /%u in the URI, --db-map 0:%u",
                             (unsigned)r->connection.place.endpoint.db, (unsigned)r->connection.place.endpoint.db);
    return code;
}

static int run(struct restore *r)
{
    switch (r->kind) {
    case RESTORE_LIVE: return restore_live(r);
    case RESTORE_DIR: return restore_dir(r);
    case RESTORE_NODES: return restore_nodes(r);
    default: return restore(r);
    }
}

int verb_restore(struct context *c)
{
    struct restore r = {.c = c};
    int code = choose(&r);
    if (code < 0) code = chosen_open(c, c->o->operand[0], &r.chosen);
    if (code < 0) code = chosen_finish(c, &r.chosen, run(&r));
    chosen_close(&r.chosen);
    connection_close(&r.connection);
    return code;
}
