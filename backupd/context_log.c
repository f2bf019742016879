/* What this is: the record log as a verb meets it: loading, finding, what is wrong with it, and how fresh it is.
 * Rests on: context.h, config.h.
 * Does not: judge: the library does. */
#include <stdlib.h>
#include <string.h>

#include "backupd/config.h"
#include "backupd/context.h"
#include "cli/exit.h"

#define TROUBLES_SHOWN 50

int context_log(struct context *c, const uint8_t *source, size_t rows, int refs)
{
    struct rsp_log_options options = {.size = sizeof options, .source = source, .rows = rows, .refs = refs};
    int rc;
    rsp_log_free(c->log);
    c->log = NULL;
    c->troubles_told = 0;
    rc = rsp_log_load(c->repo, &options, &c->log);
    return rc ? context_fault(c, rc, c->url, EXIT_STORAGE) : -1;
}

void context_take_log(struct context *c, struct rsp_log *log)
{
    if (!log || log == c->log) return;
    rsp_log_free(c->log);
    c->log = log;
    c->troubles_told = 0;
}

int context_find(struct context *c, const char *id, struct rsp_record **ret)
{
    uint8_t source[16];
    int rc = rsp_log_find(c->log, id, context_source(c, source), ret);
    if (!rc) return -1;
    context_fault(c, rc, id, EXIT_STORAGE);
    return rc == RSP_ENOTFOUND ? EXIT_NOT_FOUND : exit_of_fault(rc, EXIT_STORAGE);
}

/* ---- sources ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void context_source_id(const struct context *c, const char *name, uint8_t id[16])
{
    uint8_t lineage[16];
    if (strlen(name) == 32) {
        int i = 0;
        for (; i < 32 && hex_digit(name[i]) >= 0; i++) {
            if (i % 2) id[i / 2] = (uint8_t)(id[i / 2] << 4 | hex_digit(name[i]));
            else id[i / 2] = (uint8_t)hex_digit(name[i]);
        }
        if (i == 32) return;
    }
    rsp_repo_lineage(c->repo, lineage);
    rsp_source_id(lineage, name, id);
}

const uint8_t *context_source(const struct context *c, uint8_t id[16])
{
    const struct opt_value *v = &c->o->value[O_SOURCE];
    if (!v->text || v->from == OPT_FROM_DEFAULT) return NULL;
    context_source_id(c, v->text, id);
    return id;
}

static int is_source(const struct context *c, const char *name, const uint8_t id[16])
{
    uint8_t its[16];
    if (!name) return 0;
    context_source_id(c, name, its);
    return !memcmp(its, id, 16);
}

/* The names that this host has backed up under: the log holds only their hashes. */
static int sources_path(const struct context *c, char path[PATH_ROOM])
{
    uint8_t lineage[16];
    if (!c->remembers || !c->repo) return 0;
    rsp_repo_lineage(c->repo, lineage);
    return !rsp_state_path(c->state, lineage, "sources", path, PATH_ROOM);
}

/* Looks for a name, or for the name of an id, among them; it stands in out then. */
static int remembered(const struct context *c, const char *name, const uint8_t *id, char out[SOURCE_TEXT])
{
    char path[PATH_ROOM];
    int found = 0;
    FILE *f = sources_path(c, path) ? fopen(path, "re") : NULL;
    while (f && !found && fgets(out, SOURCE_TEXT, f)) {
        out[strcspn(out, "\n")] = 0;
        if (!*out || strspn(out, "0123456789abcdef") == 32) continue;
        found = name ? !strcmp(out, name) : is_source(c, out, id);
    }
    if (f) fclose(f);
    return found;
}

const char *context_source_text(const struct context *c, const uint8_t id[16], char out[SOURCE_TEXT])
{
    const char *name = c->o->value[O_SOURCE].text;
    if (!is_source(c, name, id)) {
        name = NULL;
        for (size_t i = 0; !name && config_source_name(c->o, i); i++)
            if (is_source(c, config_source_name(c->o, i), id)) name = config_source_name(c->o, i);
    }
    if (!name && is_source(c, CONFIG_SOURCE, id)) name = CONFIG_SOURCE;
    if (name && strlen(name) != 32) snprintf(out, SOURCE_TEXT, "%s", name);
    else if (!remembered(c, NULL, id, out)) text_hex(out, id, 6);
    return out;
}

static void remember_source(struct context *c)
{
    const char *name = c->o->value[O_SOURCE].text;
    char path[PATH_ROOM], line[SOURCE_TEXT];
    FILE *f;
    if (!name || !sources_path(c, path) || remembered(c, name, NULL, line)) return;
    /* For the eye only: a line that is lost costs a name in a table. */
    f = fopen(path, "ae");
    if (!f) return;
    fprintf(f, "%s\n", name);
    fclose(f);
}

/* ---- troubles ---- */

void context_json_troubles(struct context *c, struct json *j)
{
    const struct rsp_log *log = c->log;
    json_array(j, "troubles");
    for (size_t i = 0; log && i < log->troubles_n; i++) {
        const struct rsp_trouble *t = &log->troubles[i];
        json_object(j, NULL);
        json_text(j, "status", t->status ? rsp_status_name(t->status) : "note");
        json_text(j, "kind", t->kind);
        if (t->name) json_text(j, "name", t->name);
        if (t->text) json_text(j, "text", t->text);
        if (t->way_out) json_text(j, "way_out", t->way_out);
        json_close(j, '}');
    }
    json_close(j, ']');
    c->troubles_told = 1;
}

static void print_troubles(struct context *c)
{
    const struct rsp_log *log = c->log;
    size_t shown = 0;
    for (size_t i = 0; i < log->troubles_n && shown < TROUBLES_SHOWN; i++) {
        const struct rsp_trouble *t = &log->troubles[i];
        const char *name = t->name ? t->name : c->url, *text = t->text ? t->text : t->kind;
        if (t->status == RSP_OK) {
            print_err("note: %s: %s", name, text);
            continue;
        }
        shown++;
        print_err("%s: %s: %s", name, rsp_status_text(t->status), text);
        if (t->way_out) print_err("    way out: %s", t->way_out);
    }
    if (log->faults > (int)shown) print_err("and %d more; --json has them all", log->faults - (int)shown);
    c->troubles_told = 1;
}

/* ---- freshness ---- */

static void print_head(const struct context *c, const struct rsp_record *r)
{
    char hash[HEX32], source[SOURCE_TEXT], age[TEXT_MAX];
    text_hex(hash, r->hash, 8);
    print_err("%s: this machine remembers nothing of it: source %s, head %s, seq %llu, %s old", c->url,
              context_source_text(c, r->source, source), hash, (unsigned long long)r->seq,
              text_duration(age, context_now(c) - (int64_t)r->time_ms));
}

/* Whoever remembers nothing is told what a rollback would hide. A log of names knows no heads: there it is the record
 * of the greatest number. */
static void print_heads(const struct context *c)
{
    const struct rsp_log *log = c->log;
    for (size_t i = 0, end; i < log->records_n; i = end) {
        const struct rsp_record *last = NULL;
        int heads = 0;
        for (end = i; end < log->records_n && !memcmp(log->records[end]->source, log->records[i]->source, 16); end++) {
            const struct rsp_record *r = log->records[end];
            if (!(r->state & (RSP_RECORD_BROKEN | RSP_RECORD_LOST)) && (!last || r->seq >= last->seq)) last = r;
            if (!(r->state & RSP_RECORD_HEAD)) continue;
            print_head(c, r);
            heads++;
        }
        if (!heads && last) print_head(c, last);
    }
}

int context_finish(struct context *c, int code)
{
    int faults;
    if (c->o->verb->bit == V_BACKUP && (code == EXIT_OK || code == EXIT_FINDINGS)) remember_source(c);
    if (!c->log) return code;
    faults = c->log->faults;
    if (!c->troubles_told) print_troubles(c);
    if (!c->remembers && !c->o->value[O_EXPECT_HEAD].count) print_heads(c);
    if (!faults || (code != EXIT_OK && code != EXIT_FINDINGS)) return code;
    return c->faults_are_findings ? EXIT_FINDINGS : EXIT_INTEGRITY;
}
