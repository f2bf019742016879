/* What this is: backupd backup: a server's data or a dump into the repository, and a line that says what is now safe.
 * Rests on: context.h, config.h, taken.h, respite/sys/live.h, cli/connection.h, cli/input.h.
 * Does not: capture, check or seal (lib does). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/live.h>

#include "backupd/config.h"
#include "backupd/several.h"
#include "backupd/taken.h"
#include "cli/connection.h"
#include "cli/exit.h"
#include "cli/input.h"
#include "cli/signal.h"

#define FINDINGS_SHOWN 20

struct backup {
    struct context *c; /* of the first repository that is open */
    struct several several;
    const char *source;   /* its name */
    struct opt_value uri; /* of the operand; count 0: none */
    struct connection server;
    char place[320];   /* of the server, without secrets */
    const char *label; /* place, or the file's name */
    int live;
    struct input in;
    uint64_t findings;
    struct rsp_drill_options drill;
    struct rsp_drill_report proof;
    struct rsp_backup_live taken;
};

static void on_progress(void *opaque, uint64_t bytes)
{
    const struct backup *b = opaque;
    context_progress(b->c, bytes);
}

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct backup *b = opaque;
    if (b->findings++ < FINDINGS_SHOWN)
        print_err("%s: offset %" PRIu64 ": %s: %s", b->label, f->offset, f->kind, f->reason);
    if (b->findings == FINDINGS_SHOWN + 1)
        print_err("%s: further findings are not printed; 'rdbtool check' lists them", b->label);
    return RSP_OK;
}

static struct rsp_backup_options options_of(struct backup *b)
{
    const struct opt_value *v = b->c->o->value;
    struct rsp_backup_options o = {.size = sizeof o};
    o.snapshot.size = sizeof o.snapshot;
    o.snapshot.source = b->source;
    o.snapshot.level = (int)v[O_LEVEL].number;
    o.snapshot.threads = (unsigned)v[O_THREADS].number;
    o.snapshot.chunk_bytes = (size_t)v[O_CHUNK].number;
    o.snapshot.no_recheck = v[O_NO_RECHECK].count != 0;
    o.snapshot.unsealed = v[O_SUITE].number == SUITE_NONE;
    o.quick = v[O_CHECK].number == CHECK_QUICK;
    o.no_digest = v[O_NO_DIGEST].count != 0;
    o.accept_damaged = v[O_ACCEPT_DAMAGED].count != 0;
    o.prove_read = v[O_PROVE].count && v[O_PROVE].number == PROVE_READ;
    if (v[O_PROVE].count && v[O_PROVE].number == PROVE_SERVER) {
        b->drill.size = sizeof b->drill;
        b->drill.servers = v[O_SERVER].list;
        b->drill.servers_n = v[O_SERVER].n;
        b->drill.path = getenv("PATH");
        b->drill.tmpdir = v[O_TMPDIR].text;
        b->drill.threads = o.snapshot.threads;
        b->drill.cancel = signal_flag();
        b->proof.size = sizeof b->proof;
        o.prove = &b->drill;
        o.proof = &b->proof;
    }
    if (b->several.n > 1) {
        o.snapshot.also = b->several.also;
        o.snapshot.also_n = b->several.open - 1;
        o.results = b->several.results;
    }
    o.place = b->label;
    o.tags = v[O_TAG].list;
    o.tags_n = v[O_TAG].n;
    o.tmpdir = v[O_TMPDIR].text;
    o.cancel = signal_flag();
    o.progress = on_progress;
    o.found = on_finding;
    o.opaque = b;
    return o;
}

/* Why a sound snapshot is not called good. */
static const char *judgement(const struct backup *b, const struct rsp_backup_report *r)
{
    if (r->flags & RSP_COMMIT_GOOD) return "good";
    if (r->flags & RSP_COMMIT_DAMAGED) return "DAMAGED, as accepted";
    if (r->flags & RSP_COMMIT_QUICK) return "not good: checked quickly";
    if (b->live && !taken_point_in_time(&b->taken)) return "not good: no point in time";
    for (size_t i = 0; b->live && i < b->taken.shards_n; i++)
        if (b->taken.shards[i].strays) return "not good: keys in shards that have not their slots";
    return "not good: without a digest";
}

static void report_proof(const struct backup *b, struct json *j)
{
    const struct rsp_drill_report *p = &b->proof;
    char time[TEXT_MAX], dd1[33];
    int server = p->proof == RSP_PROOF_SERVER;
    if (!b->drill.size) return;
    if (!j) {
        if (server)
            printf("proven: %s %s loaded it in %s, %" PRIu64 " keys, %s\n", p->engine.kind, p->engine.version,
                   text_duration(time, (int64_t)p->load_ms), p->server_keys,
                   p->compared ? "the data equal" : "the data not compared");
        else printf("not proven here: %s; every record was decoded\n", p->why_not);
        return;
    }
    json_object(j, "proof");
    json_bool(j, "server", server);
    if (p->engine.path[0]) {
        json_text(j, "engine", p->engine.path);
        json_text(j, "kind", p->engine.kind);
        json_text(j, "version", p->engine.version);
    }
    if (!server) json_text(j, "why_not", p->why_not);
    json_u64(j, "keys", server ? p->server_keys : p->keys);
    text_hex(dd1, p->server_dd1, 16);
    if (server && p->compared) json_text(j, "dd1", dd1);
    json_u64(j, "load_ms", server ? p->load_ms : p->decode_ms);
    json_close(j, '}');
}

static void report(const struct backup *b, const struct rsp_backup_report *r)
{
    struct context *c = b->c;
    const struct rsp_record *record = r->record;
    char id[33], hash[65], dd1[33], flags[FLAGS_TEXT], plain[TEXT_MAX], stored[TEXT_MAX], name[SNAPSHOT_TEXT];
    struct json j;
    if (b->live && !taken_point_in_time(&b->taken))
        print_warn("%s: no point in time: keys that changed meanwhile are of different moments", b->label);
    if (!c->o->value[O_JSON].count) {
        snapshot_text(name, record->snapshot);
        if (b->live) taken_text(&b->taken);
        printf("stored %s of %s: %" PRIu64 " keys, %s in %s, %s\n", name, b->source, r->keys,
               text_size(plain, r->plain), text_size(stored, r->stored), judgement(b, r));
        report_proof(b, NULL);
        several_report(&b->several, NULL);
        return;
    }
    text_hex(id, record->snapshot, 16);
    text_hex(hash, record->hash, 32);
    text_hex(dd1, r->dd1, 16);
    flags_text(flags, record);
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_text(&j, "snapshot", id);
    json_text(&j, "record", hash);
    json_text(&j, "source", b->source);
    if (b->live) taken_json(&b->taken, &j);
    json_u64(&j, "seq", record->seq);
    json_u64(&j, "keys", r->keys);
    json_u64(&j, "plain_bytes", r->plain);
    json_u64(&j, "stored_bytes", r->stored);
    json_bool(&j, "good", (r->flags & RSP_COMMIT_GOOD) != 0);
    json_text(&j, "flags", flags);
    if (r->has_dd1) json_text(&j, "dd1", dd1);
    json_u64(&j, "findings", r->findings);
    report_proof(b, &j);
    several_report(&b->several, &j);
    context_json_troubles(c, &j);
    json_close(&j, '}');
}

static int fault(struct backup *b, int rc, const struct rsp_backup_report *r)
{
    int failed = b->drill.size && b->proof.proof == RSP_PROOF_FAILED && b->proof.what[0];
    int code = context_fault(b->c, rc, b->label, r->source_fault ? EXIT_SOURCE : EXIT_STORAGE);
    if (signal_caught()) return code;
    /* What a server does not deliver is its fault; what it delivers may be damaged as a file may. */
    if (b->live && r->source_fault && (rc != RSP_EFORMAT || !r->findings)) code = connection_exit(rc, EXIT_SOURCE);
    if (failed) print_err("%s: the proof failed: %s; nothing was stored", b->label, b->proof.what);
    if (r->findings && !b->c->o->value[O_ACCEPT_DAMAGED].count && !(b->live && rc == RSP_ETRUNCATED))
        print_err("%s: --accept-damaged stores it all the same, flagged for ever", b->label);
    return code;
}

static int finish(struct backup *b, int rc, struct rsp_log *log, const struct rsp_backup_report *r)
{
    context_end(b->c);
    if (b->several.n == 1) context_take_log(b->c, log);
    else if (!rc) several_take_logs(&b->several);
    if (rc) return fault(b, rc, r);
    report(b, r);
    if (b->drill.size && b->proof.proof != RSP_PROOF_SERVER) return EXIT_FINDINGS;
    return r->findings ? EXIT_FINDINGS : EXIT_OK;
}

/* ---- from a file, from a server ---- */

static int store_file(struct backup *b)
{
    struct rsp_backup_options o;
    struct rsp_backup_report r = {.size = sizeof r};
    struct rsp_log *log = NULL;
    int rc = input_open(&b->in, &b->c->env, b->c->o->value[O_FROM].text);
    b->label = b->in.name;
    if (rc) return context_fault(b->c, rc, b->label, EXIT_SOURCE);
    o = options_of(b);
    if (b->in.fd == 0 && !b->in.own_fd) o.place = "standard input";
    context_begin(b->c, b->label, b->in.size, 0);
    rc = rsp_backup(&b->c->env, b->c->repo, b->in.source, &o, &log, &r);
    return finish(b, rc, log, &r);
}

static int store_server(struct backup *b)
{
    const struct opt_value *v = b->c->o->value;
    struct rsp_backup_options o;
    struct rsp_backup_report r = {.size = sizeof r};
    struct rsp_backup_live_options live = {.size = sizeof live};
    struct rsp_capture_options *capture = &live.capture;
    struct rsp_log *log = NULL;
    int rc;
    o = options_of(b);
    capture->size = sizeof *capture;
    capture->method = (int)v[O_METHOD].number; /* the words stand in the order of the enumerations */
    capture->role = (int)v[O_SOURCE_ROLE].number;
    capture->ring_bytes = v[O_RING].count ? (size_t)v[O_RING].number : 0; /* 0: shared by the shards */
    capture->spool = v[O_SPOOL].text;
    /* 0 would be the library's own. */
    capture->patience_ms = v[O_PATIENCE].number ? v[O_PATIENCE].number : 1;
    capture->with_acl = v[O_WITH_ACL].count != 0;
    capture->shard = v[O_ONE_NODE].count != 0;
    capture->cancel = signal_flag();
    live.at_once = (unsigned)v[O_AT_ONCE].number;
    live.retries = v[O_SHARD_RETRIES].number ? (unsigned)v[O_SHARD_RETRIES].number : (unsigned)-1;
    b->taken.size = sizeof b->taken;
    if (b->server.place.endpoint.db)
        print_warn("%s: the whole server is stored, not database %u alone", b->label,
                   (unsigned)b->server.place.endpoint.db);
    context_begin(b->c, b->label, 0, 0);
    rc = rsp_backup_place(&b->c->env, b->c->repo, &b->server.place, &live, &o, &log, &r, &b->taken);
    return finish(b, rc, log, &r);
}

/* ---- which ---- */

static int two_places(const struct context *c, enum opt_from from)
{
    if (from != OPT_FROM_CONFIG)
        return options_usage(c->o, "two things to back up: a server and --from %s", c->o->value[O_FROM].text);
    print_err("%s: [source %s] names a server and a dump (from); one of them is to be backed up",
              c->o->value[O_FROM].where, c->o->value[O_SOURCE].text);
    return EXIT_CONFIG;
}

/* A section that the operand names, and what it says: not what the environment happens to hold. */
static int section_usage(const struct context *c, enum opt_from server)
{
    const char *name = c->o->operand[0];
    if (!config_has_source(c->o, name)) {
        print_err("'%s' is neither a section [source %s] of the configuration%s%s nor a URI such as redis://host:port, "
                  "sentinel://host:port/name or cluster://host:port",
                  name, name, config_path(c->o) ? " " : "", config_path(c->o) ? config_path(c->o) : "");
        return EXIT_CONFIG;
    }
    if (server > OPT_FROM_CONFIG)
        return options_usage(c->o, "two servers: that of [source %s], and one of the %s", name,
                             server == OPT_FROM_ENV ? "environment (RESPITE_URI, RESPITE_HOST, ...)" : "options");
    if (!server && !c->o->value[O_FROM].count) {
        print_err("%s: [source %s] names no server: it needs a key uri, host or socket, or from of a dump",
                  config_path(c->o), name);
        return EXIT_CONFIG;
    }
    return -1;
}

static int bgsave_usage(const struct backup *b)
{
    const struct opt_value *method = &b->c->o->value[O_METHOD];
    if (b->server.place.kind != RSP_PLACE_CLUSTER || method->number != RSP_CAPTURE_BGSAVE) return -1;
    print_err("%s: bgsave: a cluster's nodes write their files on several hosts; psync captures it", b->place);
    return method->from == OPT_FROM_CONFIG ? EXIT_CONFIG : EXIT_USAGE;
}

static int choose(struct backup *b)
{
    struct context *c = b->c;
    const struct opt_value *from = &c->o->value[O_FROM], *uri = NULL;
    enum opt_from server;
    int code;
    if (c->o->operands && rsp_place_is_uri(c->o->operand[0])) {
        b->uri = (struct opt_value){.count = 1, .from = OPT_FROM_ARGV, .text = c->o->operand[0]};
        uri = &b->uri;
    }
    code = connection_refuse(c->o, backupd_connection, uri);
    if (code >= 0) return code;
    server = connection_named(c->o, backupd_connection, uri);
    if (c->o->operands && !uri && from->from <= OPT_FROM_CONFIG && (code = section_usage(c, server)) >= 0) return code;
    if (!server && !from->count)
        return options_usage(c->o, "what is to be backed up? SOURCE, a URI, -h HOST, -s SOCKET, or --from FILE");
    if (server && from->count && server == from->from) return two_places(c, server);
    b->source = c->o->value[O_SOURCE].text;
    b->live = server > (from->count ? from->from : OPT_FROM_NONE);
    if (!b->live) return -1;
    code = connection_open(&b->server, &c->env, c->o, backupd_connection, uri);
    if (code >= 0) return code;
    rsp_place_text(&b->server.place, b->place, sizeof b->place);
    b->label = b->place;
    return bgsave_usage(b);
}

/* What is no server is told before anything is asked of the real one. */
static int proof_usage(struct context *c)
{
    const struct opt_value *prove = &c->o->value[O_PROVE], *server = &c->o->value[O_SERVER];
    if (!prove->count || prove->number != PROVE_SERVER) return -1;
    for (size_t i = 0; i < server->n; i++) {
        struct rsp_engine engine;
        int rc = rsp_engine_ask(&c->env, server->list[i], &engine);
        if (!rc) continue;
        (void)context_fault(c, rc, server->list[i], EXIT_USAGE);
        return server->from == OPT_FROM_CONFIG ? EXIT_CONFIG : EXIT_USAGE;
    }
    return -1;
}

int verb_backup(struct context *c)
{
    struct backup *b = calloc(1, sizeof *b);
    int code;
    if (!b) return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    b->c = c;
    code = choose(b);
    if (code < 0) code = proof_usage(c);
    if (code < 0) code = several_open(&b->several, c, b->source);
    if (code < 0) {
        b->c = b->several.first;
        code = b->live ? store_server(b) : store_file(b);
        code = several_finish(&b->several, c, code);
    }
    rsp_backup_live_free(NULL, &b->taken);
    input_close(&b->in);
    connection_close(&b->server);
    several_close(&b->several);
    free(b);
    return code;
}
