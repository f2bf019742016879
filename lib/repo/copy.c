/* What this is: copying snapshots into another repository of the lineage: which, in what order, and the records.
 * Rests on: copy_impl.h, repo_open.h.
 * Does not: open anything: a keeper of the target is all it takes.
 *
 * The order is that of a backup: roles, envelopes, objects, manifest, then the commit. A run that dies leaves objects
 * that the next one finds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/copy_impl.h"
#include "repo/repo_open.h"

/* ---- which ---- */

static int oldest_first(const void *a, const void *b)
{
    return record_older_first(*(struct rsp_record *const *)a, *(struct rsp_record *const *)b);
}

static int wanted(const struct copy *c, const struct rsp_record *r)
{
    if (r->kind != RSP_REC_COMMIT || !(r->state & RSP_RECORD_LOADED)) return 0;
    if (c->o.source && memcmp(c->o.source, r->source, ID_BYTES)) return 0;
    for (size_t i = 0; i < c->o.only_n; i++)
        if (c->o.only[i] == r) return 1;
    return !c->o.only_n && rsp_record_living(r);
}

static int choose(struct copy *c)
{
    const struct rsp_log *log = c->from;
    c->room = log->records_n;
    if (!c->room) return RSP_OK;
    c->commits = mem_alloc(&c->to->env, c->room * sizeof *c->commits);
    if (!c->commits) return RSP_ENOMEM;
    for (size_t i = 0; i < log->records_n; i++)
        if (wanted(c, log->records[i])) c->commits[c->commits_n++] = log->records[i];
    if (c->commits_n) qsort(c->commits, c->commits_n, sizeof *c->commits, oldest_first);
    c->report.snapshots = c->commits_n;
    return RSP_OK;
}

/* ---- roles ---- */

/* Those that the target has not: they prove themselves. */
static int copy_roles(struct copy *c)
{
    const struct rsp_repo *from = c->from->repo;
    struct rsp_repo *to = c->to->repo;
    int rc = RSP_OK, grown = 0;
    for (size_t i = 0; i < from->roles_n && !rc; i++) {
        const struct rsp_roles *r = from->roles[i];
        char name[NAME_MAX_BYTES];
        if (repo_roles_by_hash(to, r->hash)) continue;
        c->report.roles++;
        if (c->o.dry_run) continue;
        name_roles(name, r->n, r->hash);
        rc = rsp_store_put(to->store, name, r->bytes, r->bytes_n);
    }
    if (!rc && c->report.roles && !c->o.dry_run) rc = repo_refresh_roles(to, &grown);
    return rc ? trail(&c->to->env, rc, "copying roles") : RSP_OK;
}

/* ---- one commit ---- */

static void tell(struct copy *c, const struct rsp_record *r, int fate, const struct rsp_record *made, const char *why)
{
    switch (fate) {
    case RSP_COPY_MADE: c->report.made++; break;
    case RSP_COPY_THERE: c->report.there++; break;
    case RSP_COPY_WENT: c->report.went++; break;
    case RSP_COPY_FAILED: c->report.failed++; break;
    default: c->report.receipts++; break;
    }
    if (c->o.told) c->o.told(c->o.opaque, r, fate, made, why);
}

/* The record whole, as its first repository had it, and when. */
static void carry(struct copy *c, const struct rsp_record *r, struct rsp_record *draft)
{
    int64_t ms = record_arrival(c->from->repo, r);
    memset(draft, 0, sizeof *draft);
    draft->kind = r->kind;
    memcpy(draft->source, r->source, ID_BYTES);
    draft->copied = 1;
    draft->origin = r->copied ? r->origin : (struct rsp_span){r->bytes, r->bytes_n};
    draft->origin_ms = ms > 0 ? (uint64_t)ms : 1;
}

/* Of what is there: readers that came since; and, when asked for, every byte. */
static int look_after(struct copy *c, struct rsp_record *r, int *fate)
{
    int rc = c->o.verify ? copy_objects(c, r) : copy_envelopes(c, r, 0);
    if (rc != RSP_EINTEGRITY || !c->pass.why[0]) return rc; /* a store's fault, of either, is none of the snapshot's */
    *fate = RSP_COPY_FAILED;
    return RSP_OK;
}

static int make(struct copy *c, struct rsp_record *r)
{
    struct rsp_record draft, *made = NULL;
    int there = 0, rc = copy_objects(c, r);
    if (rc == RSP_EINTEGRITY && c->pass.why[0]) {
        tell(c, r, RSP_COPY_FAILED, NULL, c->pass.why);
        return RSP_OK;
    }
    if (!rc) rc = copy_meanwhile(c, r, &there);
    if (rc) return rc;
    if (there) {
        tell(c, r, RSP_COPY_THERE, NULL, NULL);
        return RSP_OK;
    }
    carry(c, r, &draft);
    rc = rsp_record_publish(c->to, &draft, NULL, 0, &made);
    if (!rc) tell(c, r, RSP_COPY_MADE, made, NULL);
    return rc;
}

static int copy_commit(struct copy *c, struct rsp_record *r)
{
    struct rsp_record *there = NULL;
    const char *why;
    int fate = copy_fate(c, r, &there, &why), rc = RSP_OK;
    if (!fate && copy_removed(c, r)) fate = RSP_COPY_FAILED, why = c->pass.why;
    if (fate == RSP_COPY_THERE && !c->o.dry_run) {
        rc = look_after(c, r, &fate);
        if (fate == RSP_COPY_FAILED) why = c->pass.why;
    }
    if (rc) return rc;
    if (!fate && !c->o.dry_run) return make(c, r);
    tell(c, r, fate ? fate : RSP_COPY_MADE, there, why);
    return RSP_OK;
}

static int copy_commits(struct copy *c)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < c->commits_n && c->o.progress; i++) {
        struct rsp_record *there;
        const char *why;
        if (!copy_fate(c, c->commits[i], &there, &why)) c->pass.of += copy_bytes(c, c->commits[i]);
    }
    for (size_t i = 0; i < c->commits_n && !rc; i++) {
        c->pass.why[0] = 0;
        rc = passing_cancelled(&c->pass);
        if (!rc) rc = copy_commit(c, c->commits[i]);
    }
    return rc;
}

/* ---- receipts ---- */

/* Of several, a living one. */
static const struct rsp_record *by_origin(const struct rsp_log *log, int kind, const uint8_t hash[HASH_BYTES])
{
    const struct rsp_record *found = NULL;
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *r = log->records[i];
        if (r->kind != kind || !(r->state & RSP_RECORD_LOADED) || !r->copied) continue;
        if (memcmp(r->origin_hash, hash, HASH_BYTES)) continue;
        if (!found || rsp_record_living(r)) found = r;
    }
    return found;
}

static int copy_receipt(struct copy *c, const struct rsp_record *r)
{
    const uint8_t *about = r->copied ? r->origin_about : r->hashes_n ? r->hashes[0] : NULL;
    const struct rsp_record *commit = about ? by_origin(c->to, RSP_REC_COMMIT, about) : NULL;
    struct rsp_record draft, *made = NULL;
    uint8_t hash[HASH_BYTES];
    int rc = RSP_OK;
    if (!commit || !rsp_record_living(commit) || by_origin(c->to, RSP_REC_RECEIPT, copy_origin_hash(r))) return RSP_OK;
    if (c->o.source && memcmp(c->o.source, r->source, ID_BYTES)) return RSP_OK;
    if (copy_removed(c, r)) return RSP_OK;
    if (!c->o.dry_run) {
        memcpy(hash, commit->hash, HASH_BYTES);
        carry(c, r, &draft);
        draft.hashes = &hash;
        draft.hashes_n = 1;
        rc = rsp_record_publish(c->to, &draft, NULL, 0, &made);
    }
    if (!rc) tell(c, r, RSP_COPY_RECEIPT, made, NULL);
    return rc;
}

static int copy_receipts(struct copy *c)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < c->from->records_n && !rc; i++) {
        const struct rsp_record *r = c->from->records[i];
        if (r->kind == RSP_REC_RECEIPT && (r->state & RSP_RECORD_LOADED)) rc = copy_receipt(c, r);
    }
    return rc;
}

/* ---- all ---- */

static int check(struct copy *c)
{
    const struct rsp_repo *from = c->from->repo, *to = c->to->repo;
    const char *url = rsp_store_url(to->store);
    if (!c->from->full || !c->to->full || log_of(c->from)->one_source || log_of(c->to)->one_source)
        return fail(&c->to->env, RSP_ESTATE, url, "a copy needs the whole record logs of both");
    if (memcmp(from->lineage, to->lineage, ID_BYTES))
        return fail(&c->to->env, RSP_EINVAL, url,
                    "it has another root than %.80s: snapshots are opened and sealed anew for it (--rekey)",
                    rsp_store_url(from->store));
    if (!memcmp(from->id, to->id, ID_BYTES))
        return fail(&c->to->env, RSP_EINVAL, url, "it is the repository that is copied from");
    return RSP_OK;
}

int rsp_copy(struct rsp_log *from, struct rsp_log *to, const struct rsp_copy_options *options,
             struct rsp_copy_report *report)
{
    struct copy c;
    int rc;
    memset(&c, 0, sizeof c);
    c.from = from;
    c.to = to;
    if (options) memcpy(&c.o, options, options->size < sizeof c.o ? options->size : sizeof c.o);
    c.report.size = report->size;
    c.pass = (struct passing){.env = &to->env,
                              .other = &from->env,
                              .from = from->repo->store,
                              .to = to->repo->store,
                              .threads = c.o.threads,
                              .cancel = c.o.cancel,
                              .progress = c.o.progress,
                              .opaque = c.o.opaque};
    rc = check(&c);
    if (!rc) rc = copy_roles(&c); /* which may be what gives the right */
    if (!rc && !c.o.dry_run) rc = keep_right(to, "a copy");
    if (!rc) rc = choose(&c);
    if (!rc) rc = inventory_load(from, &c.here);
    if (!rc) rc = inventory_load(to, &c.there);
    if (!rc) rc = copy_commits(&c);
    if (!rc) rc = copy_receipts(&c);
    memcpy(report, &c.report, report->size < sizeof c.report ? report->size : sizeof c.report);
    copy_claims_free(&c);
    if (c.commits) mem_free(&to->env, c.commits, c.room * sizeof *c.commits);
    inventory_free(&c.here);
    inventory_free(&c.there);
    return rc ? trail(&to->env, rc, "copying from %.100s", rsp_store_url(from->repo->store)) : RSP_OK;
}
