/* What this is: backupd drill: a snapshot proven by restoring it into a private server, and the receipt of that.
 * Rests on: snapshot.h, respite/sys/live.h.
 * Does not: touch a server that was there before. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <respite/sys/live.h>

#include "backupd/proven.h"
#include "backupd/snapshot.h"
#include "cli/exit.h"
#include "cli/signal.h"
#include "cli/text.h"

/* What was shown of one stream, for the snapshots that have several. */
struct shown {
    uint8_t name[128];
    size_t name_n;
    char words[256]; /* words: why it is no more, or what differs; "": neither */
    int proof;
    uint64_t keys;
    uint8_t dd1[16];
};

struct drilled {
    struct context *c;
    struct chosen chosen;
    unsigned threads;
    char source[SOURCE_TEXT]; /* as the manifest says it */
    int signed_dd1;           /* the manifest has one of each stream */
    struct shown *shown;
    size_t shown_n;
    struct rsp_drill_report report;
    char receipt[HEX32]; /* the record's hash; "": none */
};

/* ---- report ---- */

static const char *shown_text(int proof)
{
    if (proof == RSP_PROOF_SERVER) return "server";
    return proof == RSP_PROOF_DECODED ? "decoded" : "failed";
}

static void streams_json(struct drilled *d, struct json *j)
{
    char hex[HEX32];
    json_array(j, "streams");
    for (size_t i = 0; i < d->shown_n; i++) {
        const struct shown *s = &d->shown[i];
        json_object(j, NULL);
        json_bytes(j, "name", (struct rsp_span){s->name, s->name_n});
        json_text(j, "proof", shown_text(s->proof));
        json_u64(j, "keys", s->keys);
        text_hex(hex, s->dd1, 16);
        if (s->proof != RSP_PROOF_FAILED) json_text(j, "dd1", hex);
        if (s->words[0]) json_text(j, s->proof == RSP_PROOF_FAILED ? "what" : "why_not", s->words);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void report_json(struct drilled *d)
{
    const struct rsp_drill_report *r = &d->report;
    char hex[HEX32];
    struct json j;
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    text_hex(hex, d->chosen.record->snapshot, 16);
    json_text(&j, "snapshot", hex);
    json_text(&j, "proof", shown_text(r->proof));
    json_u64(&j, "keys", r->keys);
    text_hex(hex, r->dd1, 16);
    if (r->proof != RSP_PROOF_FAILED) json_text(&j, "dd1", hex);
    json_u64(&j, "decode_ms", r->decode_ms);
    if (r->engine.path[0]) {
        json_object(&j, "engine");
        json_text(&j, "path", r->engine.path);
        json_text(&j, "kind", r->engine.kind);
        json_text(&j, "version", r->engine.version);
        json_close(&j, '}');
    }
    json_bool(&j, "compared", r->compared);
    if (r->compared) {
        text_hex(hex, r->server_dd1, 16);
        json_text(&j, "server_dd1", hex);
        json_u64(&j, "server_keys", r->server_keys);
        json_u64(&j, "expired", r->expired);
        json_u64(&j, "load_ms", r->load_ms);
    }
    if (r->why_not[0]) json_text(&j, "why_not", r->why_not);
    if (r->what[0]) json_text(&j, "what", r->what);
    if (d->shown_n > 1) streams_json(d, &j);
    if (d->receipt[0]) json_text(&j, "receipt", d->receipt);
    context_json_troubles(d->c, &j);
    json_close(&j, '}');
}

static void streams_text(const struct drilled *d)
{
    char hex[HEX32];
    for (size_t i = 0; i < d->shown_n; i++) {
        const struct shown *s = &d->shown[i];
        fputs("  ", stdout);
        text_put(s->name, s->name_n, s->name_n);
        if (s->proof == RSP_PROOF_FAILED) {
            printf(": NOT sound: %s\n", s->words);
            continue;
        }
        text_hex(hex, s->dd1, 16);
        printf(": %s, %" PRIu64 " keys, dd1:%s%s%s\n", s->proof == RSP_PROOF_SERVER ? "proven" : "decoded", s->keys,
               hex, s->words[0] ? ": " : "", s->words);
    }
}

static void report_text(struct drilled *d)
{
    const struct rsp_drill_report *r = &d->report;
    char took[TEXT_MAX], hex[HEX32];
    const char *of = d->source;
    text_hex(hex, r->dd1, 16);
    if (r->proof == RSP_PROOF_SERVER) {
        printf("proven %s of %s: restored into %s %s in %s, %" PRIu64 " keys, dd1:%s equal", d->chosen.name, of,
               r->engine.kind, r->engine.version, text_duration(took, (int64_t)r->load_ms), r->keys, hex);
        if (r->expired) printf(", %" PRIu64 " that have expired left out", r->expired);
        putchar('\n');
    } else if (r->proof == RSP_PROOF_DECODED) {
        printf("not proven here: %s of %s: %s; decoded as a whole in %s: %" PRIu64 " keys, dd1:%s%s\n", d->chosen.name,
               of, r->why_not, text_duration(took, (int64_t)r->decode_ms), r->keys, hex,
               d->signed_dd1 ? " as in the manifest" : "");
    } else {
        printf("NOT sound: %s of %s: %s\n", d->chosen.name, of, r->what);
    }
    if (d->shown_n > 1) streams_text(d);
}

/* ---- the receipt ---- */

/* Others may have written while the server loaded: the receipt is to stand on what is there now. */
static int sign(struct drilled *d)
{
    struct context *c = d->c;
    struct rsp_record draft, *made = NULL;
    uint8_t hashes[1][32];
    char text[512];
    int code, rc;
    memset(&draft, 0, sizeof draft);
    memcpy(hashes[0], d->chosen.record->hash, 32);
    chosen_close(&d->chosen);
    code = context_log(c, NULL, 0, 0);
    if (code >= 0) return code;
    d->chosen.record = rsp_log_by_hash(c->log, hashes[0]);
    if (!d->chosen.record) {
        print_err("%s: snapshot %s was removed meanwhile; there is no receipt", c->url, d->chosen.name);
        return EXIT_NOT_FOUND;
    }
    rsp_drill_text(&d->report, text, sizeof text);
    draft.kind = RSP_REC_RECEIPT;
    draft.detail = d->report.proof == RSP_PROOF_SERVER ? 2 : 1;
    draft.text = text;
    draft.hashes = hashes;
    draft.hashes_n = 1;
    memcpy(draft.source, d->chosen.record->source, 16);
    rc = rsp_record_publish(c->log, &draft, NULL, 0, &made);
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    text_hex(d->receipt, made->hash, 32);
    return -1;
}

/* ---- the drill ---- */

static int open_data(void *ctx, size_t stream, struct rsp_source **source)
{
    const struct drilled *d = ctx;
    return rsp_snapshot_source(d->chosen.snapshot, stream, 0, d->threads, source);
}

static void on_progress(void *opaque, uint64_t bytes)
{
    const struct drilled *d = opaque;
    context_progress(d->c, bytes);
}

static void on_told(void *opaque, size_t stream, const struct rsp_drill_report *r)
{
    struct drilled *d = opaque;
    struct rsp_span name = rsp_snapshot_manifest(d->chosen.snapshot)->streams[stream].name;
    struct shown *s = realloc(d->shown, (d->shown_n + 1) * sizeof *s);
    if (!s) return; /* the sum is told all the same */
    d->shown = s;
    s += d->shown_n++;
    memset(s, 0, sizeof *s);
    s->name_n = name.n < sizeof s->name ? name.n : sizeof s->name;
    memcpy(s->name, name.p, s->name_n);
    s->proof = r->proof;
    s->keys = r->keys;
    memcpy(s->dd1, r->dd1, sizeof s->dd1);
    snprintf(s->words, sizeof s->words, "%s", r->proof == RSP_PROOF_FAILED ? r->what : r->why_not);
}

/* Faults of the private server end as those of a target; the others are the store's. */
static int fault(struct drilled *d, int rc)
{
    struct context *c = d->c;
    const struct opt_value *servers = &c->o->value[O_SERVER];
    const char *subject = c->error.subject;
    int of_server = !strncmp(subject, "unix:", 5) || strstr(subject, "respite-drill-") != NULL ||
                    (d->report.engine.path[0] && !strncmp(subject, d->report.engine.path, strlen(subject)));
    int code;
    for (size_t i = 0; i < servers->n; i++) of_server |= !strcmp(subject, servers->list[i]);
    of_server = of_server && *subject && rc != RSP_ECANCELED && rc != RSP_ENOMEM;
    code = context_fault(c, rc, d->chosen.name, EXIT_STORAGE);
    return of_server ? EXIT_TARGET : code;
}

static int drill(struct drilled *d)
{
    struct context *c = d->c;
    const struct opt_value *v = c->o->value;
    const struct rsp_manifest *m = rsp_snapshot_manifest(d->chosen.snapshot);
    struct rsp_drill_options o = {.size = sizeof o};
    uint64_t plain = 0;
    size_t rdbs = 0;
    int rc;
    d->signed_dd1 = 1;
    for (size_t i = 0; i < m->streams_n; i++) {
        if (m->streams[i].kind != RSP_STREAM_RDB) continue;
        rdbs++;
        plain += m->streams[i].plain;
        d->signed_dd1 &= m->streams[i].has_dd1;
    }
    if (!rdbs)
        return context_fault(c, context_words(c, RSP_ENOTFOUND, d->chosen.name, 0, "it holds no RDB"), d->chosen.name,
                             EXIT_NOT_FOUND);
    snprintf(d->source, sizeof d->source, "%.*s", (int)(m->source.n < SOURCE_TEXT ? m->source.n : SOURCE_TEXT - 1),
             (const char *)m->source.p);
    d->threads = o.threads = (unsigned)v[O_THREADS].number;
    o.servers = v[O_SERVER].list;
    o.servers_n = v[O_SERVER].n;
    o.path = getenv("PATH");
    o.tmpdir = v[O_TMPDIR].text ? v[O_TMPDIR].text : getenv("TMPDIR");
    o.cancel = signal_flag();
    o.progress = on_progress;
    o.told = on_told;
    o.opaque = d;
    d->report.size = sizeof d->report;
    context_begin(c, d->chosen.name, 2 * plain, 0);
    rc = rsp_drill_all(&c->env, open_data, d, m, &o, &d->report);
    context_end(c);
    return rc ? fault(d, rc) : -1;
}

/* Before the work: whether the receipt can be signed. */
static int may_sign(struct context *c, const struct rsp_record *of)
{
    const struct rsp_identity *signer;
    if (rsp_repo_signer(c->repo, RSP_ROLE_PROVE, NULL) || rsp_repo_signer(c->repo, RSP_ROLE_WRITE, of->source))
        return -1;
    return context_signer(c, RSP_ROLE_PROVE, NULL, &signer);
}

static int judge(struct drilled *d)
{
    int code = -1, proof = d->report.proof;
    if (proof != RSP_PROOF_FAILED) code = sign(d);
    if (code >= 0) return code;
    if (d->c->o->value[O_JSON].count) report_json(d);
    else report_text(d);
    return proof == RSP_PROOF_FAILED ? EXIT_INTEGRITY : proof == RSP_PROOF_DECODED ? EXIT_FINDINGS : EXIT_OK;
}

int verb_drill(struct context *c)
{
    const struct options *o = c->o;
    struct drilled d;
    int code;
    memset(&d, 0, sizeof d);
    d.c = c;
    if (o->operands && o->value[O_LATEST].count) return options_usage(o, "an ID, or --latest, not both");
    code = chosen_open(c, o->operands ? o->operand[0] : "latest", &d.chosen);
    if (code < 0) code = may_sign(c, d.chosen.record);
    if (code < 0) code = drill(&d);
    if (code < 0) code = chosen_finish(c, &d.chosen, judge(&d));
    chosen_close(&d.chosen);
    free(d.shown);
    return code;
}
