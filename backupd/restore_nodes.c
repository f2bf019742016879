/* What this is: backupd restore --nodes: a snapshot of any number of dumps as files for another number of nodes, or as one.
 * Rests on: restore.h, cli/reading.h, respite/sys/reshard.h.
 * Does not: copy files to nodes, or start them: the plan that it prints says which goes where. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <respite/sys/reshard.h>

#include "backupd/restore.h"
#include "cli/exit.h"
#include "cli/reading.h"
#include "cli/signal.h"

#define MAP_MOST (16u << 20) /* of a nodes.conf */

struct node {
    char *path;
    const struct rsp_cluster_shard *shard; /* of the map; NULL: none was given */
    unsigned from, to, slots;              /* without a map */
    struct rsp_sink *sink;
    int was_there, done;
};

struct nodes {
    struct restore *r;
    struct dumps dumps;
    struct job job;
    struct rsp_cluster_map *map;
    char *text;
    struct node *node;
    struct rsp_sink **sinks;
    size_t n;
    int one_file; /* --to is the file itself */
    struct rsp_target target;
    struct rsp_reshard_options *o; /* large */
    struct rsp_reshard_report report;
};

/* ---- what is wanted ---- */

/* A number of nodes; 0: it is none. */
static size_t number_of(const char *text)
{
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || n > RSP_SLOTS) return 0;
        n = n * 10 + (size_t)(*p - '0');
    }
    return n;
}

int restore_nodes_usage(struct restore *r)
{
    const struct options *o = r->c->o;
    const struct opt_value *v = o->value;
    const char *text = v[O_NODES].text;
    struct rsp_target target = {.size = sizeof target};
    char words[512];
    int digits = text[0] && strspn(text, "0123456789") == strlen(text);
    if (!v[O_TO].text) return options_usage(o, "--nodes needs --to DIR");
    if (digits && (!number_of(text) || number_of(text) > RSP_SLOTS))
        return options_usage(o, "--nodes: a number from 1 to %d, or a file", RSP_SLOTS);
    if (v[O_TARGET].text && rsp_target_parse(&r->c->env, v[O_TARGET].text, &target)) {
        rsp_error_format(&r->c->error, words, sizeof words);
        return options_usage(o, "--to-target: %s", words);
    }
    return -1;
}

static int read_map(struct nodes *x, const char *path)
{
    struct context *c = x->r->c;
    FILE *f = fopen(path, "rb");
    size_t n;
    int rc;
    if (!f) {
        print_err("%s: cannot be opened: %s (--nodes takes a number, or a file with what CLUSTER NODES says)", path,
                  strerror(errno));
        return EXIT_USAGE;
    }
    x->text = malloc(MAP_MOST);
    n = x->text ? fread(x->text, 1, MAP_MOST, f) : 0;
    rc = !x->text ? RSP_ENOMEM : ferror(f) ? RSP_EIO : n == MAP_MOST ? RSP_ELIMIT : RSP_OK;
    fclose(f);
    if (!rc) rc = rsp_cluster_parse(&c->env, (struct rsp_span){(const uint8_t *)x->text, n}, path, &x->map);
    if (rc) return context_fault(c, rc, path, EXIT_TARGET);
    if (!x->map->shards_n) {
        print_err("%s: no node in it owns slots", path);
        return EXIT_USAGE;
    }
    if (x->map->uncovered) print_warn("%s: %u slots have no owner in it", path, x->map->uncovered);
    return -1;
}

static int is_directory(const char *path)
{
    struct stat st;
    return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int name_node(struct nodes *x, size_t k)
{
    const char *to = x->r->c->o->value[O_TO].text;
    struct node *node = &x->node[k];
    int n;
    if (x->one_file) n = asprintf(&node->path, "%s", to);
    else if (node->shard) n = asprintf(&node->path, "%s/dump-%s.rdb", to, node->shard->nodes[0].id);
    else if (x->n == 1) n = asprintf(&node->path, "%s/dump.rdb", to);
    else n = asprintf(&node->path, "%s/dump-%u-%u.rdb", to, node->from, node->to);
    if (n < 0) node->path = NULL;
    return n >= 0;
}

/* One node's id may be anybody's file name: they are 40 digits and letters. */
static int id_is_plain(const char *id)
{
    return *id && strspn(id, "0123456789abcdefABCDEFghijklmnopqrstuvwxyz") == strlen(id);
}

static int plan(struct nodes *x)
{
    struct context *c = x->r->c;
    const char *text = c->o->value[O_NODES].text;
    int code = -1;
    x->n = number_of(text);
    if (!x->n) code = read_map(x, text);
    if (code >= 0) return code;
    if (x->map) x->n = x->map->shards_n;
    if (!x->n) {
        print_err("%s: it names no node that has slots", text);
        return EXIT_USAGE;
    }
    x->one_file = !x->map && x->n == 1 && !is_directory(c->o->value[O_TO].text);
    x->node = calloc(x->n, sizeof *x->node);
    x->sinks = calloc(x->n, sizeof *x->sinks);
    x->report.files = calloc(x->n, sizeof *x->report.files);
    x->o = calloc(1, sizeof *x->o);
    if (!x->node || !x->sinks || !x->report.files || !x->o) return context_fault(c, RSP_ENOMEM, NULL, EXIT_INTERNAL);
    rsp_reshard_even(x->n, x->o->owner);
    if (x->map) memcpy(x->o->owner, x->map->owner, sizeof x->o->owner);
    for (unsigned slot = 0; !x->map && slot < RSP_SLOTS; slot++) {
        struct node *k = &x->node[x->o->owner[slot]];
        if (!k->slots++) k->from = slot;
        k->to = slot;
    }
    for (size_t k = 0; k < x->n; k++) {
        if (x->map) x->node[k].shard = &x->map->shards[k];
        if (x->map && !id_is_plain(x->map->shards[k].nodes[0].id)) {
            print_err("%s: a node's id is none", text);
            return EXIT_USAGE;
        }
        if (!name_node(x, k)) return context_fault(c, RSP_ENOMEM, NULL, EXIT_INTERNAL);
    }
    return -1;
}

/* ---- options of the library ---- */

static int fill(struct nodes *x)
{
    static const int ids[READING_COUNT] = READING_IDS;
    struct context *c = x->r->c;
    const struct opt_value *v = c->o->value;
    char words[512];
    int code = job_open(&x->job, c->o, ids);
    if (code >= 0) return code;
    x->o->size = sizeof *x->o;
    x->o->run = x->job.run;
    x->o->run.limit = 0;
    x->o->run.progress = context_progress;
    x->o->run.progress_opaque = c;
    x->o->all = x->n == 1 && !x->map;
    x->o->no_functions = v[O_NO_FUNCTIONS].count || x->job.restricted;
    x->o->tmpdir = v[O_TMPDIR].text;
    x->target.size = sizeof x->target;
    if (v[O_TARGET].text) {
        if (rsp_target_parse(&c->env, v[O_TARGET].text, &x->target)) return EXIT_USAGE; /* it was asked before */
        x->o->target = &x->target;
    }
    rsp_loss_policy_default(&x->o->losses);
    if (!v[O_ON_LOSS].text || !rsp_loss_policy_parse(&c->env, v[O_ON_LOSS].text, &x->o->losses)) return -1;
    rsp_error_format(&c->error, words, sizeof words);
    rsp_error_clear(&c->error);
    return options_usage(c->o, "--on-loss: %s", words);
}

/* ---- files ---- */

/* Two descriptors a file. */
static void allow_files(size_t n)
{
    struct rlimit l;
    rlim_t want = 2 * (rlim_t)n + 128;
    if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= want) return;
    l.rlim_cur = l.rlim_max < want ? l.rlim_max : want;
    (void)setrlimit(RLIMIT_NOFILE, &l);
}

static int open_files(struct nodes *x)
{
    struct context *c = x->r->c;
    const char *to = c->o->value[O_TO].text;
    int force = c->o->value[O_FORCE].count != 0, rc;
    if (!x->one_file && mkdir(to, 0700) && errno != EEXIST) {
        print_err("%s: cannot be made: %s", to, strerror(errno));
        return EXIT_TARGET;
    }
    allow_files(x->n);
    for (size_t k = 0; k < x->n; k++) {
        struct node *node = &x->node[k];
        struct stat st;
        node->was_there = !lstat(node->path, &st);
        rc = rsp_sink_file(&c->env, node->path, force ? RSP_SINK_REPLACE : 0, &node->sink);
        if (rc == RSP_EEXIST) print_err("%s: exists already; --force replaces it", node->path);
        if (rc && c->error.sys_errno == EMFILE)
            print_err("%zu files at once need %zu descriptors; 'ulimit -n' tells how many there are", x->n,
                      2 * x->n + 128);
        if (rc) return rc == RSP_EEXIST ? EXIT_TARGET : context_fault(c, rc, node->path, EXIT_TARGET);
        x->sinks[k] = node->sink;
    }
    return -1;
}

/* All of them, or none: what was not there before goes again. */
static int publish(struct nodes *x)
{
    struct context *c = x->r->c;
    int rc = RSP_OK, left = 0;
    for (size_t k = 0; k < x->n && !rc; k++) {
        rc = signal_caught() ? RSP_ECANCELED : rsp_sink_commit(x->node[k].sink);
        x->node[k].done = !rc;
        if (!rc) continue;
        for (size_t i = 0; i < k; i++) {
            if (!x->node[i].was_there) (void)unlink(x->node[i].path);
            left += x->node[i].was_there;
        }
        if (left) print_err("%d files were replaced before that: they hold the snapshot, the others do not", left);
        return context_fault(c, rc, x->node[k].path, EXIT_TARGET);
    }
    return -1;
}

/* ---- report ---- */

static void tell_losses(const struct nodes *x, int fatal)
{
    for (int k = 0; k < RSP_LOSSES; k++) {
        const struct rsp_losses *l = &x->report.losses;
        char name[4 * sizeof l->names[0][0].p + 1];
        size_t at = 0;
        if (!l->n[k]) continue;
        for (size_t i = 0; i < l->names[k][0].n && i < sizeof l->names[k][0].p; i++) {
            uint8_t b = l->names[k][0].p[i];
            at += (size_t)snprintf(name + at, sizeof name - at, b < ' ' || b > '~' ? "\\x%02x" : "%c", b);
        }
        name[at] = 0;
        print_warn("%s: %s: %s (%" PRIu64 ", the first: %s)", x->r->chosen.name,
                   fatal && x->o->losses.action[k] == RSP_LOSS_FAIL ? "would be lost" : "lost", rsp_loss_text(k),
                   l->n[k], name);
    }
}

static void slots_of(const struct node *node, char *out, size_t size)
{
    if (node->shard) (void)rsp_slots_text(node->shard->ranges, node->shard->ranges_n, out, size);
    else snprintf(out, size, "%u-%u", node->from, node->to);
}

/* What was cut ends behind a whole range, and is seen to be cut. */
static void end_cut(char *slots, size_t size)
{
    char *comma;
    if (strlen(slots) + 1 < size) return;
    slots[size - 4] = 0;
    comma = strrchr(slots, ',');
    if (comma) memcpy(comma + 1, "...", 4);
}

static void report_text(struct nodes *x)
{
    char bytes[TEXT_MAX], slots[240];
    uint64_t all = 0;
    for (size_t k = 0; k < x->n; k++) all += x->report.files[k].bytes;
    printf("restored %s: %zu %s into %zu %s: %" PRIu64 " keys, %s, RDB version %u\n", x->r->chosen.name, x->dumps.n,
           x->dumps.n == 1 ? "dump" : "dumps", x->n, x->n == 1 ? "file" : "files", x->report.keys,
           text_size(bytes, all), x->report.rdb_version);
    for (size_t k = 0; k < x->n; k++) {
        const struct node *node = &x->node[k];
        printf("%s: %" PRIu64 " keys, %s", node->path, x->report.files[k].keys,
               text_size(bytes, x->report.files[k].bytes));
        slots_of(node, slots, sizeof slots);
        end_cut(slots, sizeof slots);
        if (!x->o->all) printf(", slots %s", slots);
        if (node->shard && node->shard->nodes[0].host[0])
            printf(", for %s:%u", node->shard->nodes[0].host, (unsigned)node->shard->nodes[0].port);
        putchar('\n');
    }
    if (!x->o->all)
        puts("each node loads its file as dump.rdb at its start, and must own exactly these slots then "
             "(nodes.conf, or CLUSTER ADDSLOTSRANGE on an empty cluster)");
    puts("a server with 'appendonly yes' does not look at dump.rdb: start it with --appendonly no, and then CONFIG SET "
         "appendonly yes; the file must belong to its user");
}

static void report_json(struct nodes *x)
{
    struct context *c = x->r->c;
    char id[33], *slots = malloc(RSP_SLOTS * 12);
    struct json j;
    text_hex(id, x->r->chosen.record->snapshot, 16);
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_text(&j, "snapshot", id);
    json_u64(&j, "keys", x->report.keys);
    json_u64(&j, "functions", x->report.functions);
    json_u64(&j, "rdb_version", x->report.rdb_version);
    json_array(&j, "files");
    for (size_t k = 0; k < x->n; k++) {
        const struct node *node = &x->node[k];
        json_object(&j, NULL);
        json_text(&j, "file", node->path);
        json_u64(&j, "keys", x->report.files[k].keys);
        json_u64(&j, "bytes", x->report.files[k].bytes);
        if (slots) slots_of(node, slots, RSP_SLOTS * 12);
        if (slots && !x->o->all) json_text(&j, "slots", slots);
        if (node->shard) json_text(&j, "node", node->shard->nodes[0].id);
        if (node->shard) json_text(&j, "host", node->shard->nodes[0].host);
        if (node->shard) json_u64(&j, "port", node->shard->nodes[0].port);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_array(&j, "losses");
    for (int k = 0; k < RSP_LOSSES; k++) {
        if (!x->report.losses.n[k]) continue;
        json_object(&j, NULL);
        json_text(&j, "kind", rsp_loss_name(k));
        json_u64(&j, "n", x->report.losses.n[k]);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    context_json_troubles(c, &j);
    json_close(&j, '}');
    free(slots);
}

/* ---- the run ---- */

static int fault(struct nodes *x, int rc)
{
    struct context *c = x->r->c;
    int code, target = 0;
    for (size_t k = 0; k < x->n; k++) target |= !strcmp(c->error.subject, x->node[k].path);
    if (rc == RSP_EUNSUPPORTED) tell_losses(x, 1);
    code = context_fault(c, rc, x->r->chosen.name, target ? EXIT_TARGET : EXIT_STORAGE);
    if (rc == RSP_EUNSUPPORTED && rsp_losses_judge(&x->report.losses, &x->o->losses) >= 0 && !signal_caught())
        print_err("--on-loss says what becomes of it; nothing was written");
    return code;
}

static int data_lost(const struct nodes *x)
{
    for (int k = 0; k < RSP_LOSSES; k++)
        if (x->report.losses.n[k] && k != RSP_LOSS_EVICTION) return 1;
    return 0;
}

static int run(struct nodes *x)
{
    struct context *c = x->r->c;
    int rc, code = dumps_of(c, &x->r->chosen, &x->dumps);
    if (code < 0) code = plan(x);
    if (code < 0) code = fill(x);
    if (code < 0 && x->r->chosen.damaged) {
        print_err(
            "%s: the dump was damaged when it was stored, and cannot be cut by slots; 'backupd cat' gives it as it is",
            x->r->chosen.name);
        code = EXIT_INTEGRITY;
    }
    if (code < 0) code = open_files(x);
    if (code >= 0) return code;
    x->report.size = sizeof x->report;
    context_begin(c, x->r->chosen.name, 2 * x->dumps.plain, 0);
    rc = rsp_reshard(&c->env, dumps_open, &x->dumps, x->dumps.n, x->o, x->sinks, x->n, &x->report);
    context_end(c);
    if (rc) return fault(x, rc);
    if (!x->job.restricted && !data_lost(x) && x->dumps.keys && x->report.keys != x->dumps.keys) {
        print_err("%s: %" PRIu64 " keys came out of it, the manifest says %" PRIu64 "; nothing was written",
                  x->r->chosen.name, x->report.keys, x->dumps.keys);
        return EXIT_INTEGRITY;
    }
    code = publish(x);
    if (code >= 0) return code;
    tell_losses(x, 0);
    if (c->o->value[O_JSON].count) report_json(x);
    else report_text(x);
    return data_lost(x) ? EXIT_FINDINGS : EXIT_OK;
}

int restore_nodes(struct restore *r)
{
    struct nodes x = {.r = r};
    int code = run(&x);
    for (size_t k = 0; x.node && k < x.n; k++) {
        rsp_sink_free(x.node[k].sink);
        free(x.node[k].path);
    }
    if (x.job.o) job_close(&x.job);
    if (x.map) rsp_cluster_map_free(&r->c->env, x.map);
    dumps_free(&x.dumps);
    free(x.text);
    free(x.node);
    free(x.sinks);
    free(x.report.files);
    free(x.o);
    return code;
}
