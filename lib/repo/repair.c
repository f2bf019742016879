/* What this is: what is damaged or missing here and sound in a mirror, put back: objects and lists of objects.
 * Rests on: verify_impl.h, copy_impl.h.
 * Does not: believe the mirror: only bytes of the signed hash replace anything, and nothing that is sound is touched. */
#include "repo/repair_impl.h"

#include <stdio.h>
#include <string.h>

void repair_told(struct repair *r, const char *name, int status, const char *why)
{
    r->report.damaged++;
    if (!status) r->report.repaired++;
    if (r->o.told) r->o.told(r->o.opaque, name, status, why);
}

/* rc of fetching it: told, and no fault of the run unless it is one of a store. */
int repair_done(struct repair *r, const char *name, int rc)
{
    if (rc && rc != RSP_EINTEGRITY) return rc;
    repair_told(r, name, rc, rc ? r->pass.why : NULL);
    return RSP_OK;
}

/* ---- objects ---- */

static int same_object(const struct rsp_ref *x, const struct rsp_ref *y)
{
    return x->kind == y->kind && !memcmp(x->epoch, y->epoch, ID_BYTES) && !memcmp(x->object, y->object, ID_BYTES);
}

static int same_claim(const struct rsp_ref *x, const struct rsp_ref *y)
{
    return x->stored == y->stored && !memcmp(x->sha256, y->sha256, 32);
}

/* Two commits may claim different things of one object. What is as any of them says is sound: another writer's claim, and
 * a mirror that serves it, must not replace it. 1: sound. */
static int sound(struct repair *r, const struct held *h, const char *name, const struct need *needs, size_t n)
{
    for (size_t i = 0; h && i < n; i++) {
        int rc;
        if (h->bytes != needs[i].ref->stored || (i && same_claim(needs[i].ref, needs[i - 1].ref))) continue;
        if (r->o.look_only) return 1;
        rc = pass_check(&r->pass, r->log->repo->store, name, needs[i].ref);
        if (rc != RSP_EINTEGRITY) return rc ? rc : 1;
    }
    return 0;
}

static int repair_object(struct repair *r, const struct need *needs, size_t n)
{
    const struct held *h = inventory_ref(&r->v.held, needs->ref);
    char name[NAME_MAX_BYTES];
    int rc;
    name_object(name, needs->ref->kind, needs->ref->epoch, needs->ref->object);
    rc = passing_cancelled(&r->pass);
    if (!rc) rc = sound(r, h, name, needs, n);
    r->report.objects++;
    r->report.bytes += needs->ref->stored;
    if (rc) return rc < 0 ? rc : RSP_OK;
    rc = RSP_EINTEGRITY;
    for (size_t i = 0; i < n && rc == RSP_EINTEGRITY; i++) {
        if (i && same_claim(needs[i].ref, needs[i - 1].ref)) continue;
        rc = r->o.dry_run ? pass_check(&r->pass, r->pass.from, name, needs[i].ref)
                          : pass_object(&r->pass, name, needs[i].ref, h != NULL);
        if (!rc) r->report.repaired_bytes += needs[i].ref->stored;
    }
    return repair_done(r, name, rc);
}

static int repair_objects(struct repair *r)
{
    const struct need *p = r->v.needs.p;
    int rc = RSP_OK;
    for (size_t i = 0; i < r->v.needs.n && !r->o.look_only; i++)
        if (!i || !same_object(p[i].ref, p[i - 1].ref)) r->pass.of += p[i].ref->stored;
    for (size_t i = 0, end; i < r->v.needs.n && !rc; i = end) {
        for (end = i + 1; end < r->v.needs.n && same_object(p[end].ref, p[i].ref);) end++;
        rc = repair_object(r, p + i, end - i);
    }
    return rc;
}

/* ---- lists of objects ---- */

static int repair_list(struct repair *r, struct rsp_record *commit)
{
    char name[NAME_MAX_BYTES];
    struct rsp_store_item item;
    int there, rc;
    if (!commit->refs_apart) return RSP_OK;
    mem_free(&r->log->env, commit->refs, commit->refs_n * sizeof *commit->refs);
    commit->refs = NULL; /* what the log read may have changed since */
    rc = keep_refs(r->log, commit);
    if (!pass_finding(rc)) return rc;
    name_hashed(name, "refs", commit->refs_hash);
    there = rsp_store_stat(r->log->repo->store, name, &item) == RSP_OK;
    if (r->log->env.error) rsp_error_clear(r->log->env.error);
    if (r->o.dry_run) {
        repair_told(r, name, RSP_EINTEGRITY, "its objects are not known before it is repaired");
        return RSP_OK;
    }
    rc = repair_done(r, name, pass_hashed(&r->pass, name, commit->refs_hash, REFS_FILE_MAX, there));
    if (rc) return rc;
    rc = keep_refs(r->log, commit);
    if (!pass_finding(rc)) return rc;
    if (r->log->env.error) rsp_error_clear(r->log->env.error);
    return RSP_OK;
}

/* A list that stays damaged is told here, not once more as a trouble of the log. */
static int drop_unlisted(struct repair *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->v.commits_n; i++) {
        struct rsp_record *c = r->v.commits[i];
        int rc = repair_list(r, c);
        if (rc) return rc;
        if (!c->refs_apart || c->refs) r->v.commits[kept++] = c;
    }
    r->v.commits_n = kept;
    return RSP_OK;
}

int rsp_repair(struct rsp_log *log, struct rsp_store *mirror, const struct rsp_repair_options *options,
               struct rsp_repair_report *report)
{
    size_t room = log->records_n;
    struct repair r;
    int rc;
    memset(&r, 0, sizeof r);
    r.log = log;
    if (options) memcpy(&r.o, options, options->size < sizeof r.o ? options->size : sizeof r.o);
    r.report.size = report->size;
    r.v.log = log;
    r.v.o.only = r.o.only;
    r.pass = (struct passing){.env = &log->env,
                              .other = &log->env,
                              .from = mirror,
                              .to = log->repo->store,
                              .threads = r.o.threads,
                              .cancel = r.o.cancel,
                              .progress = r.o.progress,
                              .opaque = r.o.opaque};
    rc = r.o.dry_run ? RSP_OK : keep_right(log, "a repair");
    if (!rc) rc = repair_roles(&r);
    if (!rc) rc = repair_records(&r);
    if (!rc) rc = verify_choose(&r.v);
    r.report.snapshots = r.v.commits_n;
    if (!rc) rc = drop_unlisted(&r);
    if (!rc) rc = verify_collect(&r.v);
    if (!rc) rc = inventory_load(log, &r.v.held);
    if (!rc) rc = repair_objects(&r);
    if (!rc) rc = repair_envelopes(&r);
    memcpy(report, &r.report, report->size < sizeof r.report ? report->size : sizeof r.report);
    verify_free(&r.v, room);
    return rc ? trail(&log->env, rc, "repairing from %.100s", rsp_store_url(mirror)) : RSP_OK;
}
