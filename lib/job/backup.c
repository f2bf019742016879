/* What this is: a snapshot made of streams, and the simplest: one dump into a repository, committed when it is sound.
 * Rests on: backup.h, dump.h, origin.h.
 * Does not: check or store a stream (stream_job.c); reach servers (live.c, shards.c). */
#include "job/backup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <respite/sys/pool.h>

#include "base/mem.h"
#include "job/dump.h"

static uint64_t now(const struct backup *b)
{
    int64_t ms = b->env.now_ms(b->env.clock_opaque);
    return ms > 0 ? (uint64_t)ms : 0;
}

/* ---- beginning ---- */

void backup_init(struct backup *b, const struct rsp_env *env, const struct rsp_backup_options *options)
{
    memset(b, 0, sizeof *b);
    env_init(&b->env, env);
    memcpy(&b->o, options, options->size < sizeof b->o ? options->size : sizeof b->o);
    origin_init(&b->origin, b->o.origin);
    facts_init(&b->facts, &b->env);
    buf_init(&b->tags, &b->env);
    b->results = b->o.results ? b->o.results : b->own;
    b->begun_ms = now(b);
}

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

int backup_begin(struct backup *b, struct rsp_repo *repo)
{
    int rc = split_tags(b);
    return rc ? rc : rsp_snapshot_begin(repo, &b->o.snapshot, &b->w);
}

void backup_setup(const struct backup *b, unsigned at_once, struct stream_setup *setup)
{
    unsigned threads = b->o.snapshot.threads ? b->o.snapshot.threads : rsp_pool_processors();
    memset(setup, 0, sizeof *setup);
    setup->w = b->w;
    setup->threads = at_once < threads ? threads / at_once : 1;
    setup->dups_bytes = DUPS_BYTES / at_once;
    setup->chunk_bytes = b->o.snapshot.chunk_bytes;
    setup->quick = b->o.quick;
    setup->no_digest = b->o.no_digest;
    setup->accept_damaged = b->o.accept_damaged;
    setup->tmpdir = b->o.tmpdir;
}

/* ---- what the streams come to ---- */

static int sum_up(struct backup *b, struct stream_job *const *jobs, size_t n)
{
    struct rsp_dd1_sum sum = {0};
    int rc = RSP_OK, all = n > 0, good = n > 0, judged = 1;
    b->jobs = jobs;
    b->jobs_n = n;
    for (size_t i = 0; !rc && i < n; i++) {
        const struct stream_job *j = jobs[i];
        rc = facts_add(&b->facts, &j->facts);
        if (j->findings && !b->findings) b->first = j->first;
        b->findings += j->findings;
        good &= j->good;
        all &= j->info.has_dd1;
        if (j->info.has_dd1) rsp_dd1_add(&sum, &rsp_dd1_table_total(j->dd1)->with_expiry);
        judged &= !j->check.not_rdb;
    }
    if (all) dd1_bytes(&sum, b->dd1);
    b->has_dd1 = all;
    b->flags = b->o.quick || !judged ? RSP_COMMIT_QUICK : RSP_COMMIT_FULL;
    if (b->findings) b->flags |= RSP_COMMIT_DAMAGED;
    if (b->o.prove_read) b->flags |= RSP_COMMIT_READ;
    if (b->o.snapshot.unsealed) b->flags |= RSP_COMMIT_UNSEALED;
    if (good && !b->origin.o.not_good) b->flags |= RSP_COMMIT_GOOD;
    return rc;
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

/* ---- proof ---- */

static int open_written(void *ctx, size_t stream, struct rsp_source **source)
{
    const struct backup *b = ctx;
    return rsp_stream_written(b->jobs[stream]->writer, b->o.snapshot.threads, source);
}

static int open_only(void *ctx, struct rsp_source **source)
{
    return open_written(ctx, 0, source);
}

static int drill(struct backup *b, const struct rsp_manifest *manifest)
{
    struct rsp_manifest m = *manifest;
    size_t bytes = b->jobs_n * sizeof(struct rsp_stream_info);
    struct rsp_stream_info *streams;
    int rc;
    m.streams_n = b->jobs_n;
    m.streams = &b->jobs[0]->info;
    if (b->jobs_n == 1) return rsp_drill(&b->env, open_only, b, &m, b->o.prove, &b->proof);
    m.streams = streams = mem_alloc(&b->env, bytes);
    if (!streams) return RSP_ENOMEM;
    for (size_t i = 0; i < b->jobs_n; i++) streams[i] = b->jobs[i]->info;
    rc = rsp_drill_all(&b->env, open_written, b, &m, b->o.prove, &b->proof);
    mem_free(&b->env, streams, bytes);
    return rc;
}

/* What was stored, into a private server, before it counts as a snapshot. A dump that is stored although it is damaged
 * has nothing to prove. */
static int prove(struct backup *b, const struct rsp_manifest *manifest)
{
    int rc;
    b->proof.size = sizeof b->proof;
    if (b->findings) {
        snprintf(b->proof.why_not, sizeof b->proof.why_not, "damaged when it was stored");
        return RSP_OK;
    }
    rc = drill(b, manifest);
    if (rc) return trail(&b->env, rc, "proving what was stored");
    if (b->proof.proof == RSP_PROOF_FAILED)
        return fail(&b->env, RSP_EINTEGRITY, b->o.place ? b->o.place : b->o.snapshot.source,
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

/* That of the jobs, whatever order they were begun in. */
static int order_streams(struct backup *b)
{
    size_t bytes = b->jobs_n * sizeof(struct rsp_stream_writer *);
    struct rsp_stream_writer **order;
    if (b->jobs_n < 2) return RSP_OK;
    order = mem_alloc(&b->env, bytes);
    if (!order) return RSP_ENOMEM;
    for (size_t i = 0; i < b->jobs_n; i++) order[i] = b->jobs[i]->writer;
    rsp_snapshot_order(b->w, order, b->jobs_n);
    mem_free(&b->env, order, bytes);
    return RSP_OK;
}

/* A place that failed has no log. */
int backup_commit(struct backup *b, struct stream_job *const *jobs, size_t n)
{
    struct rsp_manifest m = {.size = sizeof m};
    struct rsp_commit_facts cf = {.size = sizeof cf};
    int rc = sum_up(b, jobs, n);
    cf.flags = b->flags;
    cf.keys = b->facts.keys;
    if (!rc) rc = order_streams(b);
    if (!rc) rc = fill_manifest(b, &m);
    if (!rc && b->o.prove_read) rc = rsp_snapshot_prove(b->w);
    if (!rc && b->o.prove) rc = prove(b, &m);
    if (!rc) rc = rsp_snapshot_commit_all(b->w, &m, &cf, b->results);
    for (size_t i = 0; !rc && i <= b->o.snapshot.also_n; i++)
        if (!b->results[i].status) give_receipt(b, b->results[i].log, b->results[i].record);
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

void backup_report(struct backup *b, int rc, struct stream_job *const *jobs, size_t n, struct rsp_log **log,
                   struct rsp_backup_report *report)
{
    struct rsp_backup_report r = {.size = report->size};
    if (log) *log = NULL;
    r.check.size = sizeof r.check;
    for (size_t i = 0; i < n; i++) {
        const struct stream_job *j = jobs[i];
        r.plain += j->tee.bytes;
        r.keys += j->facts.keys;
        r.findings += j->findings;
        if (!i) r.check = j->check;
        r.source_fault |= rc < 0 && rc != RSP_ECANCELED && j->source_fault;
    }
    r.flags = b->flags;
    r.has_dd1 = b->has_dd1;
    memcpy(r.dd1, b->dd1, sizeof r.dd1);
    take_results(b, rc, log, &r);
    if (b->o.prove && b->o.proof)
        memcpy(b->o.proof, &b->proof, b->o.proof->size < sizeof b->proof ? b->o.proof->size : sizeof b->proof);
    memcpy(report, &r, report->size < sizeof r ? report->size : sizeof r);
}

void backup_close(struct backup *b)
{
    rsp_snapshot_writer_free(b->w);
    facts_free(&b->facts);
    buf_free(&b->tags);
}

/* ---- one dump ---- */

int rsp_backup(const struct rsp_env *env, struct rsp_repo *repo, struct rsp_source *source,
               const struct rsp_backup_options *options, struct rsp_log **log, struct rsp_backup_report *report)
{
    struct stream_setup setup;
    struct stream_job job, *const jobs[] = {&job};
    struct rsp_stream_info info = {0};
    struct backup b;
    int rc;
    backup_init(&b, env, options);
    stream_job_init(&job, &b.env);
    rc = backup_begin(&b, repo);
    backup_setup(&b, 1, &setup);
    setup.threads = b.o.snapshot.threads;
    setup.from_server = b.origin.given;
    setup.progress = b.o.progress;
    setup.found = b.o.found;
    setup.opaque = b.o.opaque;
    origin_stream(&b.origin, &info);
    if (!rc) rc = stream_job_begin(&job, &setup, STREAM_NAME);
    if (!rc) rc = stream_job_run(&job, source, b.o.place, b.o.cancel);
    if (!rc) rc = stream_job_end(&job, &info);
    if (!rc) rc = backup_commit(&b, jobs, 1);
    backup_report(&b, rc, jobs, 1, log, report);
    stream_job_free(&job);
    backup_close(&b);
    return rc;
}
