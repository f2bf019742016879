/* What this is: what the commits that go leave behind: objects, envelopes, lists of references, then the records.
 * Rests on: prune_impl.h.
 * Does not: touch anything that a commit refers to which stays. */
#include <string.h>

#include "repo/prune_impl.h"

/* ---- what stays ---- */

/* RSP_OK also for one that goes and whose list is gone already or damaged: its epoch is debris a run later. */
static int load_refs(struct prune *p, struct rsp_record *r, int must)
{
    struct rsp_log *log = p->log;
    int rc = keep_refs(log, r);
    if (!rc || rc == RSP_ENOMEM || (rc != RSP_ENOTFOUND && rc != RSP_EINTEGRITY)) return rc;
    if (log->env.error) rsp_error_clear(log->env.error);
    if (!must) return RSP_OK;
    return fail(&log->env, RSP_EINTEGRITY, r->name,
                "the list of objects that this commit needs is missing or damaged, so nothing is removed; put it back "
                "from a mirror, or give the snapshot up: backupd expire --acknowledge NAME");
}

static int decoded(const struct rsp_record *r)
{
    static const uint8_t zeros[ID_BYTES];
    return memcmp(r->epoch, zeros, ID_BYTES) != 0;
}

static int name_epochs(struct prune *p, const struct rsp_record *r, struct id_set *set)
{
    int rc = id_set_add(p, set, r->epoch);
    if (!rc) rc = id_set_add(p, set, r->manifest.epoch);
    for (size_t i = 0; r->refs && i < r->refs_n && !rc; i++) {
        if (i && !memcmp(r->refs[i].epoch, r->refs[i - 1].epoch, ID_BYTES)) continue;
        rc = id_set_add(p, set, r->refs[i].epoch);
    }
    return rc;
}

/* Of its own epoch nothing is known to be nobody's. */
static int doubt(struct prune *p, const struct rsp_record *r)
{
    return r->refs || !r->refs_n ? RSP_OK : name_epochs(p, r, &p->unsure);
}

static int need(struct prune *p, const struct rsp_record *r)
{
    uint8_t id[PRUNE_ID_BYTES];
    int rc;
    prune_ref_id(&r->manifest, id);
    rc = id_set_add(p, &p->needed, id);
    for (size_t i = 0; r->refs && i < r->refs_n && !rc; i++) {
        prune_ref_id(&r->refs[i], id);
        rc = id_set_add(p, &p->needed, id);
    }
    if (!rc && r->refs_apart) rc = id_set_add(p, &p->lists, r->refs_hash);
    if (!rc) rc = name_epochs(p, r, &p->epochs);
    return rc ? rc : name_epochs(p, r, &p->named);
}

int prune_needed(struct prune *p)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < p->staying.n && !rc; i++) {
        struct rsp_record *r = p->staying.p[i];
        if (!decoded(r)) continue; /* given up, and nobody knows what it needed */
        rc = load_refs(p, r, !(r->state & (RSP_RECORD_LOST | RSP_RECORD_GONE)));
        if (!rc) rc = need(p, r);
        if (!rc) rc = doubt(p, r);
    }
    for (size_t i = 0; i < p->commits.n && !rc; i++) {
        struct rsp_record *r = p->commits.p[i];
        if (!(r->state & RSP_RECORD_LOADED)) continue;
        rc = load_refs(p, r, 0);
        if (!rc) rc = name_epochs(p, r, &p->named);
        if (!rc) rc = doubt(p, r);
    }
    id_set_sort(&p->unsure);
    id_set_sort(&p->needed);
    id_set_sort(&p->epochs);
    id_set_sort(&p->named);
    id_set_sort(&p->lists);
    return rc;
}

/* ---- what goes ---- */

static const char *why(const struct rsp_record *r)
{
    return r->state & RSP_RECORD_LOST ? "lost" : "retired";
}

static int drop(struct prune *p, struct held *h, const char *reason)
{
    char name[NAME_MAX_BYTES];
    int rc;
    if (!h || h->fate) return RSP_OK;
    held_name(h, name);
    rc = prune_remove(p, name, h->bytes, reason);
    if (rc) return rc;
    h->fate = 1;
    p->report.objects++;
    p->report.bytes += h->bytes;
    return RSP_OK;
}

static int drop_ref(struct prune *p, const struct rsp_ref *ref, const char *reason)
{
    uint8_t id[PRUNE_ID_BYTES];
    prune_ref_id(ref, id);
    return id_set_has(&p->needed, id) ? RSP_OK : drop(p, inventory_ref(&p->held, ref), reason);
}

static int drop_envelopes(struct prune *p, const uint8_t epoch[ID_BYTES], const char *reason)
{
    size_t n = 0;
    struct held *h = inventory_epoch(&p->held, HELD_KEYS, epoch, &n);
    int rc = RSP_OK;
    if (id_set_has(&p->epochs, epoch)) return RSP_OK;
    for (size_t i = 0; i < n && !rc; i++) rc = drop(p, &h[i], reason);
    return rc;
}

enum step { STEP_DATA, STEP_MANIFEST, STEP_ENVELOPES, STEP_LIST, STEPS };

static int drop_step(struct prune *p, struct rsp_record *r, enum step step)
{
    int rc = RSP_OK;
    switch (step) {
    case STEP_DATA:
        for (size_t i = 0; r->refs && i < r->refs_n && !rc; i++) rc = drop_ref(p, &r->refs[i], why(r));
        return rc;
    case STEP_MANIFEST: return drop_ref(p, &r->manifest, why(r));
    case STEP_ENVELOPES:
        rc = drop_envelopes(p, r->epoch, why(r));
        for (size_t i = 0; r->refs && i < r->refs_n && !rc; i++)
            if (!i || memcmp(r->refs[i].epoch, r->refs[i - 1].epoch, ID_BYTES))
                rc = drop_envelopes(p, r->refs[i].epoch, why(r));
        return rc;
    default:
        if (!r->refs_apart || id_set_has(&p->lists, r->refs_hash)) return RSP_OK;
        return drop(p, inventory_find(&p->held, HELD_REFS, NULL, r->refs_hash, HASH_BYTES), why(r));
    }
}

/* The list of what a commit needs goes after everything it names: a run that died still finds it. */
int prune_objects(struct prune *p)
{
    int rc = RSP_OK;
    for (int step = 0; step < STEPS; step++)
        for (size_t i = 0; i < p->commits.n && !rc; i++)
            if (p->commits.p[i]->state & RSP_RECORD_LOADED) rc = drop_step(p, p->commits.p[i], (enum step)step);
    return rc;
}

static int drop_records(struct prune *p, const struct record_list *list, uint64_t *count, const char *reason)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct rsp_record *r = list->p[i];
        char name[NAME_MAX_BYTES];
        int rc;
        name_record_path(name, r);
        rc = prune_remove(p, name, r->stored_bytes, reason ? reason : why(r));
        if (rc) return rc;
        ++*count;
    }
    return RSP_OK;
}

int prune_records(struct prune *p)
{
    int rc = drop_records(p, &p->commits, &p->report.commits, NULL);
    return rc ? rc : drop_records(p, &p->others, &p->report.records, "of commits that are gone");
}
