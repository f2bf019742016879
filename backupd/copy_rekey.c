/* What this is: backupd copy --rekey: each snapshot opened here and sealed anew for a repository of another root.
 * Rests on: copy.h.
 * Does not: make one twice: its id there follows from its id here. */
#include <stdlib.h>
#include <string.h>

#include "backupd/copy.h"
#include "cli/exit.h"
#include "cli/signal.h"

static int by_time(const void *a, const void *b)
{
    const struct rsp_record *x = *(struct rsp_record *const *)a, *y = *(struct rsp_record *const *)b;
    if (x->effective_ms != y->effective_ms) return x->effective_ms < y->effective_ms ? -1 : 1;
    return memcmp(x->hash, y->hash, 32);
}

/* The living ones, oldest first, unless IDs were given. */
static int choose(struct copying *k)
{
    const struct rsp_log *log = k->from.log;
    if (!k->only) {
        k->only = calloc(log->records_n + 1, sizeof *k->only);
        if (!k->only) return context_fault(k->to, RSP_ENOMEM, NULL, EXIT_CAPACITY);
        for (size_t i = 0; i < log->records_n; i++)
            if (rsp_record_living(log->records[i]) && (!k->source || !memcmp(k->source, log->records[i]->source, 16)))
                k->only[k->only_n++] = log->records[i];
    }
    if (k->only_n) qsort(k->only, k->only_n, sizeof *k->only, by_time);
    k->report.snapshots = k->only_n;
    return -1;
}

static void on_plain(void *opaque, uint64_t done, uint64_t of)
{
    (void)of;
    context_progress(opaque, done);
}

/* One that is damaged is told and passed over; without a key none will open. */
static int failed(struct copying *k, const struct rsp_record *r, int rc)
{
    struct rsp_error *error = k->from.error.code ? &k->from.error : &k->to->error;
    char words[512];
    if (rc != RSP_EINTEGRITY && rc != RSP_ENOTFOUND && rc != RSP_ETRUNCATED) return copy_fault(k, rc);
    rsp_error_format(error, words, sizeof words);
    rsp_error_clear(&k->from.error);
    rsp_error_clear(&k->to->error);
    k->report.failed++;
    copy_row(k, r, RSP_COPY_FAILED, NULL, words);
    return -1;
}

static int rekey_one(struct copying *k, const struct rsp_record *r)
{
    const struct opt_value *v = k->to->o->value;
    struct rsp_rekey_options o = {.size = sizeof o, .source = v[O_SOURCE_AS].text};
    struct rsp_log *log = NULL;
    struct rsp_record *made = NULL;
    int rc;
    o.threads = (unsigned)v[O_THREADS].number;
    o.cancel = signal_flag();
    o.progress = on_plain;
    o.opaque = k->to;
    context_begin(k->to, "copying", r->plain, !k->as_json);
    rc = rsp_rekey(k->from.repo, r, k->to->repo, &o, &log, &made);
    context_end(k->to);
    if (rc) {
        rsp_log_free(log);
        return failed(k, r, rc);
    }
    k->report.made++;
    k->report.objects += made->objects;
    k->report.bytes += made->stored;
    copy_row(k, r, RSP_COPY_MADE, made->hash, NULL);
    rsp_log_free(log); /* of one source: what is asked of the target's log is another snapshot's id */
    return -1;
}

/* ---- what is there already ---- */

struct named {
    uint8_t from[16], to[16]; /* ids of one source, here and there */
    int known, told;
};

/* The source's id there follows from its name, which is sealed: one snapshot of each source is opened for it. The
 * snapshot's id alone does not do: a writer of any other source there could have taken the id that the snapshot will have. */
static const uint8_t *source_there(struct copying *k, const struct rsp_record *r, const uint8_t lineage[16],
                                   struct named *n)
{
    const char *as = k->to->o->value[O_SOURCE_AS].text;
    struct rsp_snapshot *s = NULL;
    char name[256];
    if (as) {
        rsp_source_id(lineage, as, n->to);
        return n->to;
    }
    if (k->dry_run) return NULL; /* without a key */
    if (n->told && !memcmp(n->from, r->source, 16)) return n->known ? n->to : NULL;
    memcpy(n->from, r->source, 16);
    n->told = 1;
    n->known = rsp_snapshot_open(k->from.repo, r, &s) == RSP_OK && rsp_snapshot_manifest(s)->source.n < sizeof name;
    if (n->known) {
        const struct rsp_manifest *m = rsp_snapshot_manifest(s);
        memcpy(name, m->source.p, m->source.n);
        name[m->source.n] = 0;
        rsp_source_id(lineage, name, n->to);
    }
    rsp_error_clear(&k->from.error); /* it is told when its turn comes */
    rsp_snapshot_free(s);
    if (!n->known) n->told = 0; /* another of them may open */
    return n->known ? n->to : NULL;
}

int copy_rekey(struct copying *k)
{
    const int again = k->to->o->value[O_AGAIN].count != 0;
    uint8_t lineage[16], id[16];
    struct named source = {.told = 0};
    int code = choose(k);
    rsp_repo_lineage(k->to->repo, lineage);
    for (size_t i = 0; code < 0 && i < k->only_n; i++) {
        const struct rsp_record *r = k->only[i];
        struct rsp_record *there = NULL;
        const uint8_t *as;
        const char *why = NULL;
        int fate;
        rsp_rekey_id(r, lineage, id);
        as = source_there(k, r, lineage, &source);
        fate = rsp_log_snapshot(k->to->log, as, id, &there);
        if (!fate && as && rsp_log_snapshot(k->to->log, NULL, id, &there) == RSP_COPY_THERE) {
            fate = RSP_COPY_FAILED;
            why = "the target has a snapshot of that id under another source: name that one with --source-as, or, when "
                  "it is none of yours, remove it there (expire, prune)";
        }
        if (fate == RSP_COPY_WENT && again) fate = 0;
        if (fate == RSP_COPY_THERE) k->report.there++;
        if (fate == RSP_COPY_WENT) k->report.went++;
        if (fate == RSP_COPY_FAILED) k->report.failed++;
        if (!fate && k->dry_run) k->report.made++;
        if (fate || k->dry_run) copy_row(k, r, fate ? fate : RSP_COPY_MADE, there ? there->hash : NULL, why);
        else code = rekey_one(k, r);
    }
    return code;
}
