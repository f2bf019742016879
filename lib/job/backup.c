/* What this is: one dump into a repository: stored while it is checked, committed when it is sound.
 * Rests on: tee.h, facts.h, origin.h, dump.h, respite/sys/live.h for the proof.
 * Does not: seal (repo/) nor check (rdb/). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <respite/sys/live.h>

#include "base/buf.h"
#include "job/dump.h"
#include "job/facts.h"
#include "job/origin.h"
#include "job/tee.h"

#define CHUNK_BYTES (2u << 20) /* the writer's default */
#define HOLD_MOST 4096u

struct backup {
    struct rsp_env env;
    struct rsp_backup_options o;
    struct rsp_snapshot_writer *w;
    struct rsp_source *source, *through;
    struct tee tee;
    struct facts facts;
    struct rsp_dd1_table *dd1;
    uint8_t dd1_sum[16]; /* sealed in the manifest alone: in the clear it would let guesses be tested */
    int has_dd1;
    struct rsp_check_report check;
    struct buf tags; /* struct rsp_pair */
    uint64_t begun_ms, findings;
    int worst;       /* what the findings mean */
    char first[200]; /* words of the first one */
    char loss[320];
    uint32_t flags;
    struct origin origin;
    struct rsp_stream_info stream;
    struct rsp_drill_report proof; /* of b->o.prove */
    int proven;                    /* it was tried, and has not failed */
    struct rsp_commit_result own[SNAPSHOT_PLACES_MAX], *results;
};

/* ---- findings ---- */

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct backup *b = opaque;
    b->worst = finding_status(f->kind, b->worst);
    if (!b->findings++) snprintf(b->first, sizeof b->first, "offset %" PRIu64 ": %s", f->offset, f->reason);
    if (!b->o.accept_damaged) tee_discard(&b->tee);
    return b->o.found ? b->o.found(b->o.opaque, f) : RSP_OK;
}

static int on_scanned(void *opaque, const struct rsp_rdb_batch *batch)
{
    struct backup *b = opaque;
    int rc = facts_scanned(&b->facts, batch);
    return rc ? rc : tee_scanned(&b->tee, batch);
}

/* ---- the check ---- */

static int run_check(struct backup *b)
{
    struct rsp_finding none = {sizeof none, 0, 0, {NULL, 0}, "framing", "not an RDB file"};
    struct rsp_check_options co = {.size = sizeof co};
    int rc = tee_source(&b->tee, &b->through);
    if (rc) return rc;
    co.quick = b->o.quick;
    co.digest = b->dd1 != NULL;
    co.dd1 = b->dd1;
    co.dups_bytes = DUPS_BYTES;
    co.tmpdir = b->o.tmpdir;
    co.found = on_finding;
    co.opaque = b;
    co.run.size = sizeof co.run;
    co.run.threads = b->o.snapshot.threads;
    co.run.cancel = b->o.cancel;
    co.run.scanned = on_scanned;
    co.run.scanned_opaque = b;
    rc = rsp_check_file(&b->env, b->through, &co, &b->check);
    rsp_source_free(b->through); /* whoever read ahead has ended */
    b->through = NULL;
    if (b->tee.status) return b->tee.status;
    if (!rc && b->check.not_rdb) rc = on_finding(b, &none);
    return rc;
}

static int refuse(struct backup *b)
{
    return fail(&b->env, b->worst, b->o.place ? b->o.place : rsp_source_name(b->source),
                "damaged, %" PRIu64 " %s, not stored; %s", b->findings, b->findings == 1 ? "finding" : "findings",
                b->first);
}

/* A file that is cut may be stored as the damaged one that it is; a server that went away is asked again. */
static int cut_off(struct backup *b)
{
    if (!b->origin.given || b->tee.source_status >= 0) return RSP_OK;
    return fail(&b->env, b->tee.source_status, b->o.place ? b->o.place : rsp_source_name(b->source),
                "what the server sent broke off after %" PRIu64 " bytes: nothing was committed; back up once more",
                b->tee.bytes);
}

/* Checks and stores the whole source. */
static int store(struct backup *b)
{
    int rc = run_check(b), whole;
    if (!rc) rc = cut_off(b);
    if (rc) return rc;
    if (b->findings && !b->o.accept_damaged) return refuse(b);
    whole = b->check.run.feed.complete;
    rc = tee_rest(&b->tee, b->o.cancel);
    if (rc && !b->tee.status && cut_off(b)) return b->tee.source_status;
    /* A source that fails behind a finding has given what it has: a compressed one that is cut. */
    if (rc < 0 && !b->tee.status && b->findings && rc != RSP_ECANCELED && rc != RSP_ENOMEM) {
        rsp_error_clear(b->env.error);
        rc = RSP_OK;
    }
    if (!rc) rc = tee_finish(&b->tee, whole);
    return rc;
}

/* ---- proof ---- */

static int open_written(void *ctx, struct rsp_source **source)
{
    struct backup *b = ctx;
    return rsp_snapshot_written(b->w, 0, b->o.snapshot.threads, source);
}

/* What was stored, into a private server, before it counts as a snapshot. A dump that is stored although it is damaged
 * has nothing to prove. */
static int prove(struct backup *b, const struct rsp_manifest *manifest)
{
    struct rsp_manifest m = *manifest;
    int rc;
    b->proof.size = sizeof b->proof;
    if (b->findings) {
        snprintf(b->proof.why_not, sizeof b->proof.why_not, "damaged when it was stored");
        return RSP_OK;
    }
    m.streams = &b->stream;
    m.streams_n = 1;
    rc = rsp_drill(&b->env, open_written, b, &m, b->o.prove, &b->proof);
    if (rc) return trail(&b->env, rc, "proving what was stored");
    if (b->proof.proof == RSP_PROOF_FAILED)
        return fail(&b->env, RSP_EINTEGRITY, b->o.place ? b->o.place : rsp_source_name(b->source),
                    "what was stored does not pass its proof, nothing was committed: %s", b->proof.what);
    b->proven = 1;
    return RSP_OK;
}

/* The snapshot exists: a receipt that cannot be given takes nothing away from it but the proof. */
static void give_receipt(struct backup *b, struct rsp_log *log, const struct rsp_record *commit)
{
    struct rsp_record draft = {.kind = RSP_REC_RECEIPT, .hashes_n = 1};
    uint8_t hash[1][32];
    char text[1024];
    int rc;
    if (!b->proven && !b->o.prove_read) return;
    memcpy(draft.source, commit->source, sizeof draft.source);
    memcpy(hash[0], commit->hash, sizeof hash[0]);
    draft.hashes = hash;
    draft.detail = b->proven && b->proof.proof == RSP_PROOF_SERVER ? 2 : 1;
    if (b->proven) rsp_drill_text(&b->proof, text, sizeof text);
    else snprintf(text, sizeof text, "proof=read keys=%" PRIu64 " bytes=%" PRIu64, commit->keys, commit->plain);
    draft.text = text;
    rc = rsp_record_publish(log, &draft, NULL, 0, NULL);
    if (!rc) return;
    log_line(&b->env, RSP_LOG_WARN, "%s: committed, but the receipt of its proof was not: %s: %s", b->o.snapshot.source,
             rsp_status_text(rc), b->env.error ? b->env.error->message : "");
    if (b->env.error) rsp_error_clear(b->env.error);
}

/* ---- the commit ---- */

static int split_tags(struct backup *b)
{
    for (size_t i = 0; i < b->o.tags_n; i++) {
        const char *const *t = &b->o.tags[i];
        const char *eq = strchr(*t, '=');
        struct rsp_pair p;
        int rc;
        if (!eq || eq == *t) return fail(&b->env, RSP_EINVAL, *t, "a tag is NAME=VALUE");
        if (eq - *t > UINT16_MAX) return fail(&b->env, RSP_EINVAL, "tag", "the name is too long");
        p.name.p = (const uint8_t *)*t;
        p.name.n = (size_t)(eq - *t);
        p.value.p = (const uint8_t *)eq + 1;
        p.value.n = strlen(eq + 1);
        rc = buf_add(&b->tags, &p, sizeof p);
        if (rc) return rc;
    }
    return RSP_OK;
}

static uint64_t now(const struct backup *b)
{
    int64_t ms = b->env.now_ms(b->env.clock_opaque);
    return ms > 0 ? (uint64_t)ms : 0;
}

static uint32_t flags_of(const struct backup *b)
{
    uint32_t flags = b->o.quick ? RSP_COMMIT_QUICK : RSP_COMMIT_FULL;
    if (b->check.not_rdb) flags = RSP_COMMIT_QUICK;
    if (b->findings) flags |= RSP_COMMIT_DAMAGED;
    if (b->o.prove_read) flags |= RSP_COMMIT_READ;
    if (b->o.snapshot.unsealed) flags |= RSP_COMMIT_UNSEALED;
    if (!b->findings && !b->origin.o.not_good && b->dd1 && b->check.deep && b->check.duplicates_done &&
        b->check.run.feed.complete)
        flags |= RSP_COMMIT_GOOD;
    return flags;
}

static int end_stream(struct backup *b, struct rsp_commit_facts *cf)
{
    struct rsp_stream_info *si = &b->stream;
    si->name = origin_text(STREAM_NAME);
    si->kind = RSP_STREAM_RDB;
    si->form = 1;
    si->plain = b->tee.bytes;
    origin_stream(&b->origin, si);
    cf->size = sizeof *cf;
    cf->flags = b->flags;
    cf->keys = si->records = b->facts.keys;
    if (b->dd1 && !b->findings) {
        dd1_bytes(&rsp_dd1_table_total(b->dd1)->with_expiry, si->dd1);
        memcpy(b->dd1_sum, si->dd1, sizeof b->dd1_sum);
        b->has_dd1 = si->has_dd1 = 1;
    }
    return rsp_snapshot_stream_end(b->w, si);
}

static int fill_manifest(struct backup *b, struct rsp_manifest *m)
{
    int rc = facts_fill(&b->facts, m);
    if (rc) return rc;
    m->source = origin_text(b->o.snapshot.source);
    m->tool = origin_text("respite " RSP_VERSION_STRING);
    m->begun_ms = b->begun_ms;
    m->finished_ms = now(b);
    m->server_place = origin_text(b->o.place);
    m->tags = (const struct rsp_pair *)(const void *)b->tags.p;
    m->tags_n = b->tags.n / sizeof(struct rsp_pair);
    if (b->findings)
        snprintf(b->loss, sizeof b->loss, "damaged when it was stored, findings: %" PRIu64 "; %s", b->findings,
                 b->first);
    origin_fill(&b->origin, b->loss, m);
    return RSP_OK;
}

/* A place that failed has no log. */
static int commit(struct backup *b)
{
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_commit_facts cf;
    int rc;
    memset(&cf, 0, sizeof cf);
    b->flags = flags_of(b);
    rc = end_stream(b, &cf);
    if (!rc) rc = fill_manifest(b, &m);
    if (!rc && b->o.prove_read) rc = rsp_snapshot_prove(b->w);
    if (!rc && b->o.prove) rc = prove(b, &m);
    if (!rc) rc = rsp_snapshot_commit_all(b->w, &m, &cf, b->results);
    for (size_t i = 0; !rc && i <= b->o.snapshot.also_n; i++)
        if (!b->results[i].status) give_receipt(b, b->results[i].log, b->results[i].record);
    return rc;
}

/* ---- the whole ---- */

static int open_backup(struct backup *b, struct rsp_repo *repo)
{
    const struct rsp_snapshot_options *so = &b->o.snapshot;
    size_t chunk = so->chunk_bytes ? so->chunk_bytes : CHUNK_BYTES;
    uint64_t hold = check_ahead(so->threads, b->o.quick) / chunk +
                    3; /* a part of one at each end, and the one being filled */
    int rc = split_tags(b);
    if (!rc) rc = rsp_snapshot_begin(repo, so, &b->w);
    if (hold > HOLD_MOST) hold = HOLD_MOST;
    if (!rc) rc = rsp_snapshot_stream(b->w, STREAM_NAME, RSP_STREAM_RDB, (unsigned)hold);
    if (!rc) rc = tee_init(&b->tee, &b->env, b->source, b->w, (unsigned)hold);
    if (!rc && !b->o.quick && !b->o.no_digest) rc = rsp_dd1_table_new(&b->env, &b->dd1);
    b->tee.progress = b->o.progress;
    b->tee.opaque = b->o.opaque;
    return rc;
}

/* The first commit is the one that is reported; logs go to whoever asked for them. */
static void take_results(struct backup *b, int rc, struct rsp_log **log, struct rsp_backup_report *r)
{
    for (size_t i = 0; !rc && i <= b->o.snapshot.also_n; i++) {
        struct rsp_commit_result *one = &b->results[i];
        int first = one->record && !r->record;
        if (first) {
            r->record = one->record;
            r->stored = one->record->stored;
            r->flags = one->record->flags;
        }
        if (b->results != b->own) continue;
        if (log && first) *log = one->log;
        else rsp_log_free(one->log);
    }
    if (!log && b->results == b->own) r->record = NULL;
}

static void close_backup(struct backup *b)
{
    if (b->tee.chunks) { /* what a fault left: given back */
        tee_discard(&b->tee);
        (void)tee_finish(&b->tee, 0);
    }
    tee_free(&b->tee);
    rsp_snapshot_writer_free(b->w);
    rsp_dd1_table_free(b->dd1);
    facts_free(&b->facts);
    buf_free(&b->tags);
}

int rsp_backup(const struct rsp_env *env, struct rsp_repo *repo, struct rsp_source *source,
               const struct rsp_backup_options *options, struct rsp_log **log, struct rsp_backup_report *report)
{
    struct rsp_backup_report r = {.size = report->size};
    struct backup b;
    int rc;
    memset(&b, 0, sizeof b);
    env_init(&b.env, env);
    memcpy(&b.o, options, options->size < sizeof b.o ? options->size : sizeof b.o);
    b.source = source;
    origin_init(&b.origin, b.o.origin);
    b.check.size = sizeof b.check;
    facts_init(&b.facts, &b.env);
    buf_init(&b.tags, &b.env);
    if (log) *log = NULL;
    b.results = b.o.results ? b.o.results : b.own;
    b.begun_ms = now(&b);
    rc = open_backup(&b, repo);
    if (!rc) rc = store(&b);
    if (!rc) rc = commit(&b);
    r.plain = b.tee.bytes;
    r.keys = b.facts.keys;
    r.findings = b.findings;
    r.flags = b.flags;
    r.check = b.check;
    r.has_dd1 = b.has_dd1;
    memcpy(r.dd1, b.dd1_sum, sizeof r.dd1);
    r.source_fault = rc < 0 && rc == b.tee.source_status;
    take_results(&b, rc, log, &r);
    if (b.o.prove && b.o.proof)
        memcpy(b.o.proof, &b.proof, b.o.proof->size < sizeof b.proof ? b.o.proof->size : sizeof b.proof);
    close_backup(&b);
    memcpy(report, &r, report->size < sizeof r ? report->size : sizeof r);
    return rc;
}
