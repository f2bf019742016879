/* What this is: `rdbtool check`: every file, finding by finding.
 * Rests on: respite/sys/check.h, sealed.h, cli/.
 * Does not: judge (lib does). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <respite/sys/check.h>
#include <respite/sys/digest.h>
#include <respite/sys/resp.h>

#include "cli/exit.h"
#include "cli/losses.h"
#include "cli/print.h"
#include "cli/signal.h"
#include "cli/text.h"
#include "rdbtool/sealed.h"

#define SHOW_KEY 160

struct check_job {
    struct job *job;
    const char *name;
    struct json json;
    int as_json, terminal;
    uint64_t told, most; /* findings printed, and to be printed at most */
    uint64_t duplicates;
    const char *target;           /* that is asked about, as given; NULL: none is */
    struct rsp_resp_count *count; /* of what it would lose */
};

static void put_finding(const struct check_job *c, const struct rsp_finding *f)
{
    text_put((const uint8_t *)c->name, strlen(c->name), 4096);
    printf(": offset %" PRIu64, f->offset);
    if (f->key.p) {
        printf(", db %" PRIu32 ", key ", f->db);
        text_put(f->key.p, f->key.n, SHOW_KEY);
    }
    printf(": %s: %s\n", f->kind, f->reason);
}

static void json_finding(struct json *j, const struct rsp_finding *f)
{
    json_object(j, NULL);
    json_u64(j, "offset", f->offset);
    if (f->key.p) {
        json_u64(j, "db", f->db);
        json_bytes(j, "key", f->key);
    }
    json_text(j, "kind", f->kind);
    json_text(j, "reason", f->reason);
    json_close(j, '}');
}

static int found(void *opaque, const struct rsp_finding *f)
{
    struct check_job *c = opaque;
    if (!strcmp(f->kind, "duplicate-key")) c->duplicates++;
    if (c->told == c->most) return RSP_OK;
    c->told++;
    if (c->as_json) {
        json_finding(&c->json, f);
        return RSP_OK;
    }
    if (c->terminal) progress_hide(); /* both on one screen */
    put_finding(c, f);
    if (c->terminal) {
        fflush(stdout);
        progress_show();
    }
    return ferror(stdout) ? RSP_EUSER : RSP_OK;
}

/* ---- the closing line ---- */

static const char *crc_words(const struct rsp_check_report *r)
{
    if (!r->run.feed.complete) return "checksum not reached";
    switch (r->run.feed.crc_state) {
    case RSP_RDB_CRC_OK: return "checksum ok";
    case RSP_RDB_CRC_WRONG: return "checksum wrong";
    case RSP_RDB_CRC_DISABLED: return "not protected by a checksum";
    default: return "not protected by a checksum (RDB < 5)";
    }
}

/* What can be said of duplicate keys; the search may have been called off by the file's end, too. */
static void put_duplicates(const struct check_job *c, const struct rsp_check_report *r)
{
    const struct opt_value *v = c->job->o->value;
    if (v[O_QUICK].count) fputs("not looked for (--quick)", stdout);
    else if (v[O_NO_DUPLICATES].count) fputs("not looked for (--no-duplicates)", stdout);
    else if (!r->duplicates_done && c->duplicates) printf("%" PRIu64 ", but the search is not complete", c->duplicates);
    else if (!r->duplicates_done) fputs("not looked for in the whole file", stdout);
    else if (c->duplicates) printf("%" PRIu64, c->duplicates);
    else fputs("none", stdout);
}

static void put_dd1(const struct rsp_dd1_table *dd1)
{
    char text[RSP_DD1_TEXT];
    if (!dd1) return;
    rsp_dd1_text(&rsp_dd1_table_total(dd1)->with_expiry, text);
    printf(", %s", text);
    rsp_dd1_text(&rsp_dd1_table_total(dd1)->without, text);
    printf(" (without expiries %s)", text);
}

static void put_closing(const struct check_job *c, const struct rsp_check_report *r, const struct rsp_dd1_table *dd1)
{
    text_put((const uint8_t *)c->name, strlen(c->name), 4096);
    if (!r->findings) fputs(": ok: ", stdout);
    else printf(": %" PRIu64 " finding%s: ", r->findings, r->findings == 1 ? "" : "s");
    if (r->findings > c->told) printf("(%" PRIu64 " printed) ", c->told);
    printf("%" PRIu64 " keys, %s, duplicates: ", r->run.feed.keys, crc_words(r));
    put_duplicates(c, r);
    if (!c->job->o->value[O_QUICK].count) {
        if (c->job->restricted) printf(", values: of %" PRIu64 " keys, as the filters let them pass", r->run.accepted);
        put_dd1(dd1);
    } else {
        fputs(", values: not looked at (--quick)", stdout);
    }
    putchar('\n');
}

static const char *crc_word(const struct rsp_check_report *r)
{
    static const char *const words[] = {"none", "disabled", "ok", "wrong"};
    return r->run.feed.complete && r->run.feed.crc_state < 4 ? words[r->run.feed.crc_state] : "not reached";
}

static void json_closing(struct check_job *c, const struct rsp_check_report *r, const struct rsp_dd1_table *dd1)
{
    struct json *j = &c->json;
    char text[RSP_DD1_TEXT];
    json_close(j, ']');
    json_bool(j, "ok", !r->findings);
    json_u64(j, "findings_total", r->findings);
    json_u64(j, "keys", r->run.feed.keys);
    json_u64(j, "bytes", r->run.feed.offset);
    json_bool(j, "complete", r->run.feed.complete);
    json_text(j, "checksum", crc_word(r));
    json_bool(j, "values_checked", r->deep);
    json_bool(j, "duplicates_checked", r->duplicates_done);
    json_bool(j, "filtered", c->job->restricted);
    if (c->job->restricted) json_u64(j, "keys_checked", r->run.accepted);
    if (dd1) {
        json_object(j, "dd1");
        rsp_dd1_text(&rsp_dd1_table_total(dd1)->with_expiry, text);
        json_text(j, "with_expiries", text);
        rsp_dd1_text(&rsp_dd1_table_total(dd1)->without, text);
        json_text(j, "without_expiries", text);
        json_close(j, '}');
    }
}

/* ---- what a target would lose ---- */

static int target_open(struct check_job *c)
{
    struct rsp_resp_options o = {.size = sizeof o, .payloads = 1, .existing = RSP_EXISTING_REPLACE};
    int rc;
    c->target = c->job->o->value[O_TARGET].text;
    if (!c->target) return RSP_OK;
    o.target.size = sizeof o.target;
    rc = rsp_target_parse(&c->job->env, c->target, &o.target);
    o.run.threads = c->job->run.threads;
    o.no_functions = c->job->restricted;
    o.tmpdir = c->job->o->value[O_TMPDIR].text;
    return rc ? rc : rsp_resp_count_new(&c->job->env, &o, &c->count);
}

static void put_losses(const struct check_job *c, const struct rsp_losses *l, int partly)
{
    int any = 0;
    for (int k = 0; k < RSP_LOSSES; k++) {
        char names[1024];
        if (!l->n[k]) continue;
        any = 1;
        losses_names(l, k, names, sizeof names);
        text_put((const uint8_t *)c->name, strlen(c->name), 4096);
        printf(": %s would lose %s (%s, %" PRIu64 "): %s\n", c->target, rsp_loss_text(k), rsp_loss_name(k), l->n[k],
               names);
    }
    if (any && !partly) return;
    text_put((const uint8_t *)c->name, strlen(c->name), 4096);
    printf(": %s would lose nothing%s%s\n", c->target, any ? " else" : "", partly ? ", up to the damage" : "");
}

static void json_losses(struct check_job *c, const struct rsp_losses *l, int partly)
{
    struct json *j = &c->json;
    json_object(j, "target");
    json_text(j, "server", c->target);
    json_bool(j, "complete", !partly);
    json_array(j, "losses");
    for (int k = 0; k < RSP_LOSSES; k++) {
        if (!l->n[k]) continue;
        json_object(j, NULL);
        json_text(j, "kind", rsp_loss_name(k));
        json_text(j, "what", rsp_loss_text(k));
        json_u64(j, "count", l->n[k]);
        json_bool(j, "convertible", rsp_loss_convertible(k));
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

/* 1: it would lose something. */
static int tell_losses(struct check_job *c)
{
    struct rsp_losses l;
    int partly, any = 0;
    if (!c->count) return 0;
    partly = rsp_resp_count_report(c->count, &l) != RSP_OK;
    for (int k = 0; k < RSP_LOSSES; k++) any |= l.n[k] != 0;
    if (c->as_json) json_losses(c, &l, partly);
    else put_losses(c, &l, partly);
    return any;
}

/* ---- one file ---- */

static struct rsp_check_options options_of(struct check_job *c)
{
    const struct opt_value *v = c->job->o->value;
    struct rsp_check_options o = {.size = sizeof o};
    o.quick = v[O_QUICK].count != 0;
    o.no_duplicates = v[O_NO_DUPLICATES].count != 0;
    o.require_checksum = v[O_REQUIRE_CHECKSUM].count != 0;
    o.digest = v[O_DIGEST].count != 0;
    o.tmpdir = v[O_TMPDIR].text;
    o.run = c->job->run;
    o.found = found;
    o.opaque = c;
    return o;
}

/* The file could not be judged: says so, and closes the JSON object. */
static int not_judged(struct check_job *c, int status, int io)
{
    char words[512];
    if (c->as_json) {
        if (c->job->error.code) rsp_error_format(&c->job->error, words, sizeof words);
        else snprintf(words, sizeof words, "%s", rsp_status_text(status));
        json_close(&c->json, ']');
        json_bool(&c->json, "ok", 0);
        json_text(&c->json, "error", words);
        json_close(&c->json, '}');
    }
    return job_fault(c->job, status, c->name, io);
}

static int not_rdb(struct check_job *c)
{
    struct rsp_error *e = &c->job->error;
    rsp_error_clear(e);
    e->code = RSP_EFORMAT;
    snprintf(e->message, sizeof e->message, "not an RDB file: it begins with neither REDIS nor VALKEY");
    return not_judged(c, RSP_EFORMAT, EXIT_SOURCE);
}

/* The envelope that the file is packed in is itself at fault: that is a finding. */
static int bad_envelope(struct check_job *c, int status)
{
    struct rsp_error e = c->job->error;
    struct rsp_check_report r = {.size = sizeof r, .findings = 1};
    struct rsp_finding f = {.size = sizeof f, .kind = "version", .reason = e.message};
    f.offset = status == RSP_ETRUNCATED ? e.offset : 0;
    if (status != RSP_EUNSUPPORTED) f.kind = status == RSP_ETRUNCATED ? "truncated" : "framing";
    (void)found(c, &f);
    if (!c->as_json) {
        put_closing(c, &r, NULL);
        return EXIT_FINDINGS;
    }
    json_closing(c, &r, NULL);
    json_close(&c->json, '}');
    return EXIT_FINDINGS;
}

static int judge(struct check_job *c, struct input *in)
{
    struct rsp_check_options o = options_of(c);
    struct rsp_check_report r = {.size = sizeof r};
    struct rsp_dd1_table *dd1 = NULL;
    int rc = RSP_OK, code;
    if (o.digest && !o.quick) rc = rsp_dd1_table_new(&c->job->env, &dd1);
    o.dd1 = dd1;
    if (!rc) rc = target_open(c);
    if (c->count) {
        o.beside = rsp_resp_count_ops();
        o.beside_ctx = c->count;
    }
    if (!rc) {
        job_begin(c->job, in->name, in->size, 0);
        rc = rsp_check_file(&c->job->env, in->source, &o, &r);
        if (!rc) rc = dump_late(c->job);
        job_end(c->job);
    }
    if (rc == RSP_EUSER) {
        code = EXIT_TARGET; /* stdout is gone; print_finish says why */
    } else if (rc || signal_caught()) {
        code = not_judged(c, rc ? rc : RSP_ECANCELED, EXIT_SOURCE);
    } else if (r.not_rdb) {
        code = not_rdb(c);
    } else {
        if (c->as_json) json_closing(c, &r, dd1);
        else put_closing(c, &r, dd1);
        code = tell_losses(c) || r.findings ? EXIT_FINDINGS : EXIT_OK;
        if (c->as_json) json_close(&c->json, '}');
    }
    rsp_resp_count_free(c->count);
    rsp_dd1_table_free(dd1);
    return code;
}

static int check_file(struct job *job, const char *path)
{
    struct check_job c = {.job = job, .name = path};
    struct input in;
    int rc, code;
    c.as_json = job->o->value[O_JSON].count != 0;
    c.terminal = isatty(STDOUT_FILENO);
    c.most = (uint64_t)job->o->value[O_MAX_FINDINGS].number;
    rc = dump_open(job, &in, path);
    c.name = in.name;
    if (c.as_json) {
        struct rsp_span name = {(const uint8_t *)c.name, strlen(c.name)};
        json_init(&c.json, stdout, 0);
        json_object(&c.json, NULL);
        json_bytes(&c.json, "file", name);
        json_array(&c.json, "findings");
    }
    if (!rc) code = judge(&c, &in);
    else if (dump_is_finding(job, rc)) code = bad_envelope(&c, rc);
    else code = dump_exit(job, not_judged(&c, rc, EXIT_SOURCE));
    input_close(&in);
    return code;
}

/* EXIT_OK, or an exit status after a message. */
static int target_usage(struct job *job)
{
    struct rsp_target target = {.size = sizeof target};
    char words[512];
    if (job->o->value[O_QUICK].count)
        return options_usage(job->o, "--to-target needs the values, which --quick leaves alone");
    if (!rsp_target_parse(&job->env, job->o->value[O_TARGET].text, &target)) return EXIT_OK;
    rsp_error_format(&job->error, words, sizeof words);
    return options_usage(job->o, "--to-target: %s", words);
}

int verb_check(struct job *job)
{
    int worst = EXIT_OK;
    if (job->o->value[O_QUICK].count && job->o->value[O_DIGEST].count)
        return options_usage(job->o, "--digest needs the values, which --quick leaves alone");
    if (job->o->value[O_TARGET].text && (worst = target_usage(job))) return worst;
    for (size_t i = 0; i < job->o->operands; i++) {
        int code = check_file(job, job->o->operand[i]);
        if (signal_caught()) return signal_exit_status();
        if (code == EXIT_INTERNAL) return code;
        if (code > worst) worst = code;
        if (ferror(stdout)) break;
    }
    return worst;
}
