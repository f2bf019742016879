/* What this is: backupd copy: snapshots into another repository, as they are; or under other keys (copy_rekey.c).
 * Rests on: copy.h.
 * Does not: open anything sealed. */
#include "backupd/copy.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit.h"
#include "cli/signal.h"

static const char *const fates[] = {"?", "copied", "there", "not again", "FAILED", "receipt"};

void copy_row(struct copying *k, const struct rsp_record *r, int fate, const uint8_t *made, const char *why)
{
    char hex[HEX32], id[SNAPSHOT_TEXT], time[TEXT_MAX], source[SOURCE_TEXT];
    const char *word = fate == RSP_COPY_MADE && k->dry_run ? "would copy" : fates[fate];
    int64_t ms = r->effective_ms ? r->effective_ms : (int64_t)r->time_ms;
    if (k->as_json) {
        struct json *j = &k->json;
        json_object(j, NULL);
        json_text(j, "fate", fate == RSP_COPY_FAILED ? "failed" : fate == RSP_COPY_WENT ? "went" : word);
        if (r->kind == RSP_REC_COMMIT) {
            text_hex(hex, r->snapshot, 16);
            json_text(j, "id", hex);
        }
        json_text(j, "source", context_source_text(&k->from, r->source, source));
        json_text(j, "time", text_utc(time, ms));
        text_hex(hex, r->hash, 32);
        json_text(j, "record", hex);
        if (made) {
            text_hex(hex, made, 32);
            json_text(j, "made", hex);
        }
        if (why) json_text(j, "why", why);
        json_close(j, '}');
        return;
    }
    if (fate == RSP_COPY_THERE && !k->to->o->value[O_VERBOSE].count) return;
    if (r->kind == RSP_REC_COMMIT) snapshot_text(id, r->snapshot);
    else text_hex(id, r->hash, 5);
    text_utc(time, ms);
    if (time[0] != '@') memcpy(time + 19, "Z", 2);
    progress_hide();
    printf("%-10s  %-10s  %s  %s%s%s\n", word, id, time, context_source_text(&k->from, r->source, source),
           why ? ": " : "", why ? why : "");
    progress_show();
}

static void on_record(void *opaque, const struct rsp_record *r, int fate, const struct rsp_record *made,
                      const char *why)
{
    copy_row(opaque, r, fate, made ? made->hash : NULL, why);
}

static void on_bytes(void *opaque, uint64_t done, uint64_t of)
{
    const struct copying *k = opaque;
    if (k->to->progress && !k->total_told) {
        ((struct copying *)opaque)->total_told = 1;
        context_end(k->to);
        context_begin(k->to, "copying", of, !k->as_json);
    }
    context_progress(k->to, done);
}

static int mirror(struct copying *k)
{
    struct context *c = k->to;
    struct rsp_copy_options o = {.size = sizeof o};
    int rc;
    o.only = k->only;
    o.only_n = k->only_n;
    o.source = k->source;
    o.dry_run = k->dry_run;
    o.again = c->o->value[O_AGAIN].count != 0;
    o.verify = c->o->value[O_VERIFY].count != 0;
    o.threads = (unsigned)c->o->value[O_THREADS].number;
    o.cancel = signal_flag();
    o.progress = on_bytes;
    o.told = on_record;
    o.opaque = k;
    k->report.size = sizeof k->report;
    context_begin(c, "copying", 0, !k->as_json);
    rc = rsp_copy(k->from.log, c->log, &o, &k->report);
    context_end(c);
    return rc ? copy_fault(k, rc) : -1;
}

/* The words stand in the record of the repository that they are about. */
int copy_fault(struct copying *k, int rc)
{
    if (k->to->error.code) return context_fault(k->to, rc, k->to->url, EXIT_STORAGE);
    return context_fault(&k->from, rc, k->from.url, EXIT_STORAGE);
}

/* ---- report ---- */

static void report_json(struct copying *k)
{
    const struct rsp_copy_report *r = &k->report;
    struct json *j = &k->json;
    json_close(j, ']');
    json_bool(j, "dry_run", k->dry_run);
    json_u64(j, "snapshots", r->snapshots);
    json_u64(j, "copied", r->made);
    json_u64(j, "there", r->there);
    json_u64(j, "went", r->went);
    json_u64(j, "failed", r->failed);
    json_u64(j, "receipts", r->receipts);
    json_u64(j, "roles", r->roles);
    json_u64(j, "envelopes", r->envelopes);
    json_u64(j, "objects", r->objects);
    json_u64(j, "bytes", r->bytes);
    json_u64(j, "kept_objects", r->kept_objects);
    json_u64(j, "kept_bytes", r->kept_bytes);
    context_json_troubles(k->to, j);
    json_close(j, '}');
}

static void report_text(const struct copying *k)
{
    const struct rsp_copy_report *r = &k->report;
    char bytes[TEXT_MAX];
    printf("%" PRIu64 " %s: %s %" PRIu64 ", there already %" PRIu64, r->snapshots,
           r->snapshots == 1 ? "snapshot" : "snapshots", k->dry_run ? "to copy" : "copied", r->made, r->there);
    if (r->went) printf(", retired or removed there %" PRIu64 " (--again)", r->went);
    if (r->failed) printf(", FAILED %" PRIu64, r->failed);
    if (!k->dry_run) printf("; %" PRIu64 " objects, %s", r->objects, text_size(bytes, r->bytes));
    if (r->kept_objects) printf(" (%" PRIu64 " were there)", r->kept_objects);
    if (r->receipts) printf("; %" PRIu64 " %s", r->receipts, r->receipts == 1 ? "receipt" : "receipts");
    putchar('\n');
}

/* ---- which ---- */

static int find_all(struct copying *k)
{
    const struct options *o = k->to->o;
    int code = -1;
    if (!o->operands) return -1;
    k->only = calloc((size_t)o->operands, sizeof *k->only);
    if (!k->only) return context_fault(k->to, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    for (size_t i = 0; code < 0 && i < (size_t)o->operands; i++)
        code = context_find(&k->from, o->operand[i], &k->only[k->only_n++]);
    return code;
}

static int run(struct copying *k)
{
    struct context *c = k->to;
    int code = find_all(k);
    if (code >= 0) return code;
    k->source = context_source(&k->from, k->source_id);
    if (k->as_json) {
        json_init(&k->json, stdout, 1);
        json_object(&k->json, NULL);
        json_text(&k->json, "from", k->from.url);
        json_text(&k->json, "to", c->url);
        json_array(&k->json, "records");
    }
    code = c->o->value[O_REKEY].count ? copy_rekey(k) : mirror(k);
    if (k->as_json) report_json(k);
    else if (code < 0) report_text(k);
    if (code >= 0) return code;
    return k->report.failed ? EXIT_FINDINGS : EXIT_OK;
}

int verb_copy(struct context *c)
{
    const struct opt_value *v = c->o->value;
    const char *from = v[O_FROM].text ? v[O_FROM].text : v[O_REPO].text;
    struct copying k = {.to = c};
    int rekey = v[O_REKEY].count != 0, code;
    if (!v[O_TO].text) return options_usage(c->o, "copied into which repository? --to file:/path");
    if (!from) return options_usage(c->o, "copied from which repository? --from file:/path");
    if (v[O_SOURCE_AS].count && !rekey)
        return options_usage(c->o, "--source-as goes with --rekey: a copy keeps its source");
    if (rekey && v[O_VERIFY].count) return options_usage(c->o, "--verify: --rekey reads everything anyway");
    k.as_json = v[O_JSON].count != 0;
    k.dry_run = v[O_DRY_RUN].count != 0;
    code = context_open(&k.from, c->o);
    if (code < 0) code = context_repo_at(&k.from, from, rekey && !k.dry_run ? NEED_READ : NEED_NOTHING);
    if (code < 0) code = context_log(&k.from, NULL, 0, 0);
    if (code < 0) code = context_repo_at(c, v[O_TO].text, k.dry_run ? NEED_NOTHING : NEED_SIGN);
    if (code < 0 && !k.dry_run) code = context_roles_back(c);
    if (code < 0) code = context_log(c, NULL, 0, 0);
    if (code < 0) code = run(&k);
    code = context_finish(&k.from, code);
    free(k.only);
    context_close(&k.from);
    return code;
}
