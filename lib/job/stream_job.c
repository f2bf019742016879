/* What this is: one dump into one stream of a snapshot.
 * Rests on: stream_job.h, dump.h.
 * Does not: seal (repo/) nor check (rdb/). */
#include "job/stream_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "job/dump.h"

#define CHUNK_BYTES (2u << 20) /* the writer's default */
#define HOLD_MOST 4096u

void stream_job_init(struct stream_job *j, const struct rsp_env *env)
{
    memset(j, 0, sizeof *j);
    env_init(&j->env, env);
    facts_init(&j->facts, &j->env);
    strays_init(&j->strays);
    j->check.size = sizeof j->check;
}

/* ---- findings ---- */

static int on_finding(void *opaque, const struct rsp_finding *f)
{
    struct stream_job *j = opaque;
    /* What a server has not sent is no damage of what it has. */
    if (j->o.from_server && j->tee.source_status < 0 && !strcmp(f->kind, "truncated")) return RSP_OK;
    j->worst = finding_status(f->kind, j->worst);
    if (!j->findings++) snprintf(j->first, sizeof j->first, "offset %" PRIu64 ": %s", f->offset, f->reason);
    if (!j->o.accept_damaged) tee_discard(&j->tee);
    return j->o.found ? j->o.found(j->o.opaque, f) : RSP_OK;
}

static int on_scanned(void *opaque, const struct rsp_rdb_batch *batch)
{
    struct stream_job *j = opaque;
    int rc = facts_scanned(&j->facts, batch);
    return rc ? rc : tee_scanned(&j->tee, batch);
}

/* ---- the check ---- */

static int run_check(struct stream_job *j)
{
    struct rsp_finding none = {sizeof none, 0, 0, {NULL, 0}, "framing", "not an RDB file"};
    struct rsp_check_options co = {.size = sizeof co};
    int rc = tee_source(&j->tee, &j->through);
    if (rc) return rc;
    co.quick = j->o.quick;
    co.digest = j->dd1 != NULL;
    co.dd1 = j->dd1;
    co.dups_bytes = j->o.dups_bytes;
    co.tmpdir = j->o.tmpdir;
    co.found = on_finding;
    co.opaque = j;
    co.run.size = sizeof co.run;
    co.run.threads = j->o.threads;
    co.run.cancel = j->cancel;
    co.run.scanned = on_scanned;
    co.run.scanned_opaque = j;
    if (j->strays.slots && !j->o.quick) co.beside = &strays_ops, co.beside_ctx = &j->strays;
    rc = rsp_check_file(&j->env, j->through, &co, &j->check);
    rsp_source_free(j->through); /* whoever read ahead has ended */
    j->through = NULL;
    if (j->tee.status) return j->tee.status;
    if (!rc && j->check.not_rdb) rc = on_finding(j, &none);
    return rc;
}

static const char *subject(const struct stream_job *j)
{
    return j->place ? j->place : rsp_source_name(j->source);
}

static int refuse(struct stream_job *j)
{
    return fail(&j->env, j->worst, subject(j), "damaged, %" PRIu64 " %s, not stored; %s", j->findings,
                j->findings == 1 ? "finding" : "findings", j->first);
}

/* A file that is cut may be stored as the damaged one that it is; a server that went away is asked again. */
static int cut_off(struct stream_job *j)
{
    if (!j->o.from_server || j->tee.source_status >= 0) return RSP_OK;
    return fail(&j->env, j->tee.source_status, subject(j),
                "what the server sent broke off after %" PRIu64 " bytes: nothing was committed; back up once more",
                j->tee.bytes);
}

static int store(struct stream_job *j)
{
    int rc = run_check(j), whole;
    if (!rc) rc = cut_off(j);
    if (rc) return rc;
    if (j->findings && !j->o.accept_damaged) return refuse(j);
    whole = j->check.run.feed.complete;
    rc = tee_rest(&j->tee, j->cancel);
    if (rc && !j->tee.status && cut_off(j)) return j->tee.source_status;
    /* A source that fails behind a finding has given what it has: a compressed one that is cut. */
    if (rc < 0 && !j->tee.status && j->findings && rc != RSP_ECANCELED && rc != RSP_ENOMEM) {
        rsp_error_clear(j->env.error);
        rc = RSP_OK;
    }
    if (!rc) rc = tee_finish(&j->tee, whole);
    return rc;
}

/* ---- the stream ---- */

static unsigned hold_of(const struct stream_setup *o)
{
    size_t chunk = o->chunk_bytes ? o->chunk_bytes : CHUNK_BYTES;
    /* A part of one at each end, and the one being filled. */
    uint64_t hold = check_ahead(o->threads, o->quick) / chunk + 3;
    return hold > HOLD_MOST ? HOLD_MOST : (unsigned)hold;
}

int stream_job_begin(struct stream_job *j, const struct stream_setup *setup, const char *name)
{
    j->o = *setup;
    j->strays.slots = setup->slots;
    j->name = name;
    return rsp_snapshot_stream(setup->w, &j->env, name, RSP_STREAM_RDB, hold_of(setup), setup->threads, &j->writer);
}

int stream_job_run(struct stream_job *j, struct rsp_source *source, const char *place, volatile const int *cancel)
{
    int rc;
    j->source = source;
    j->place = place;
    j->cancel = cancel;
    rc = tee_init(&j->tee, &j->env, source, j->writer, hold_of(&j->o));
    if (!rc && !j->o.quick && !j->o.no_digest) rc = rsp_dd1_table_new(&j->env, &j->dd1);
    if (rc) return rc;
    j->tee.progress = j->o.progress;
    j->tee.opaque = j->o.opaque;
    rc = store(j);
    j->source_fault = rc < 0 && rc == j->tee.source_status;
    j->good = !rc && !j->findings && j->dd1 && j->check.deep && j->check.duplicates_done && j->check.run.feed.complete;
    j->good &= !j->strays.keys;
    return rc;
}

int stream_job_end(struct stream_job *j, const struct rsp_stream_info *origin)
{
    struct rsp_stream_info *si = &j->info;
    if (origin) *si = *origin;
    si->name.p = (const uint8_t *)j->name;
    si->name.n = strlen(j->name);
    si->kind = RSP_STREAM_RDB;
    si->form = 1;
    si->plain = j->tee.bytes;
    si->records = j->facts.keys;
    if (j->dd1 && !j->findings) {
        dd1_bytes(&rsp_dd1_table_total(j->dd1)->with_expiry, si->dd1);
        si->has_dd1 = 1;
    }
    return rsp_stream_end(j->writer, si);
}

static void close_tee(struct stream_job *j)
{
    if (j->tee.chunks) { /* what a fault left: given back */
        tee_discard(&j->tee);
        (void)tee_finish(&j->tee, 0);
    }
    tee_free(&j->tee);
    memset(&j->tee, 0, sizeof j->tee);
}

void stream_job_drop(struct stream_job *j)
{
    struct rsp_env env = j->env;
    close_tee(j);
    if (j->writer) rsp_stream_drop(j->writer);
    j->writer = NULL;
    stream_job_free(j);
    stream_job_init(j, &env);
}

void stream_job_free(struct stream_job *j)
{
    if (!j->env.size) return;
    close_tee(j);
    rsp_dd1_table_free(j->dd1);
    j->dd1 = NULL;
    facts_free(&j->facts);
    strays_free(&j->strays);
}
