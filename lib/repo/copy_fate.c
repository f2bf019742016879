/* What this is: what the target of a copy has and knows already: of a snapshot, of an object, of a signer.
 * Rests on: copy_impl.h, log_impl.h.
 * Does not: believe a size, or an id, alone: whoever may write there chooses both. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/copy_impl.h"
#include "repo/log_impl.h"

/* ---- what a log knows of a snapshot ---- */

/* A snapshot that is asked for: of one source, or of any. */
struct wanted {
    int any;
    uint8_t source[ID_BYTES], id[ID_BYTES];
};

static struct wanted wanted_of(const struct rsp_record *r)
{
    struct wanted w = {0};
    memcpy(w.source, r->source, ID_BYTES);
    memcpy(w.id, r->snapshot, ID_BYTES);
    return w;
}

static int of_snapshot(const struct rsp_record *r, const struct wanted *w)
{
    if (r->kind != RSP_REC_COMMIT || !(r->state & RSP_RECORD_LOADED)) return 0;
    return (w->any || !memcmp(r->source, w->source, ID_BYTES)) && !memcmp(r->snapshot, w->id, ID_BYTES);
}

static int went(const struct rsp_log *log, const struct wanted *w)
{
    for (size_t i = 0; i < log->records_n; i++) {
        const struct rsp_record *r = log->records[i];
        if (r->kind != RSP_REC_GONE || !(r->state & RSP_RECORD_LOADED)) continue;
        if (!w->any && memcmp(r->source, w->source, ID_BYTES)) continue;
        for (size_t k = 0; k < r->went_n; k++)
            if (!memcmp(r->went[k], w->id, ID_BYTES)) return 1;
    }
    return 0;
}

int rsp_log_snapshot(const struct rsp_log *log, const uint8_t source[16], const uint8_t id[16],
                     struct rsp_record **commit)
{
    struct wanted w = {.any = !source};
    int fate = 0;
    if (source) memcpy(w.source, source, ID_BYTES);
    memcpy(w.id, id, ID_BYTES);
    if (commit) *commit = NULL;
    for (size_t i = 0; i < log->records_n; i++) {
        struct rsp_record *r = log->records[i];
        if (!of_snapshot(r, &w)) continue;
        if (fate != RSP_COPY_THERE && commit) *commit = r;
        if (rsp_record_living(r)) fate = RSP_COPY_THERE;
        else if (!fate) fate = RSP_COPY_WENT;
    }
    return fate ? fate : went(log, &w) ? RSP_COPY_WENT : 0;
}

/* ---- whether it is the same ---- */

static int same_ref(const struct rsp_ref *x, const struct rsp_ref *y)
{
    return x->kind == y->kind && x->stored == y->stored && !memcmp(x->epoch, y->epoch, ID_BYTES) &&
           !memcmp(x->object, y->object, ID_BYTES) && !memcmp(x->sha256, y->sha256, 32);
}

const uint8_t *copy_origin_hash(const struct rsp_record *r)
{
    return r->copied ? r->origin_hash : r->hash;
}

/* The record itself, or one that says the same of the same bytes (of one capture that went to both). An id alone is
 * nothing: a writer of the target could take it, and the copy would never be made. */
static int same(const struct rsp_record *x, const struct rsp_record *y)
{
    if (!memcmp(copy_origin_hash(x), copy_origin_hash(y), HASH_BYTES)) return 1;
    if (memcmp(x->epoch, y->epoch, ID_BYTES) || memcmp(x->commitment, y->commitment, HASH_BYTES)) return 0;
    if (x->flags != y->flags || x->keys != y->keys || x->plain != y->plain || x->stored != y->stored) return 0;
    if (!same_ref(&x->manifest, &y->manifest)) return 0;
    if (x->refs_apart != y->refs_apart || x->refs_n != y->refs_n) return 0;
    if (x->refs_apart) return !memcmp(x->refs_hash, y->refs_hash, HASH_BYTES);
    for (size_t i = 0; i < x->refs_n; i++)
        if (!same_ref(&x->refs[i], &y->refs[i])) return 0;
    return 1;
}

int copy_find(const struct rsp_log *log, const struct rsp_record *r, struct rsp_record **there, int *rival)
{
    const struct wanted w = wanted_of(r);
    int fate = 0;
    *there = NULL;
    *rival = 0;
    for (size_t i = 0; i < log->records_n; i++) {
        struct rsp_record *x = log->records[i];
        if (!of_snapshot(x, &w)) continue;
        if (!same(x, r)) {
            *rival |= rsp_record_living(x);
        } else if (fate != RSP_COPY_THERE) {
            *there = x;
            fate = rsp_record_living(x) ? RSP_COPY_THERE : RSP_COPY_WENT;
        }
    }
    return fate;
}

/* A fate, or 0: to be copied. */
int copy_fate(struct copy *c, const struct rsp_record *r, struct rsp_record **there, const char **why)
{
    const struct wanted w = wanted_of(r);
    int rival, fate = copy_find(c->to, r, there, &rival);
    *why = NULL;
    if (fate == RSP_COPY_THERE) return fate;
    if (rival) {
        *there = NULL;
        *why = "the target has another snapshot of that id, and only one can be honest: compare both (backupd show), "
               "remove the false one there (expire RECORD, prune), then copy with --again";
        return RSP_COPY_FAILED;
    }
    if (fate && c->o.again) {
        *why = "it is retired or given up in the target, and not yet removed there: pin it there, or prune first";
        return RSP_COPY_FAILED;
    }
    if (!fate && went(c->to, &w)) fate = RSP_COPY_WENT;
    return c->o.again ? 0 : fate;
}

/* ---- another run, at the same time ---- */

struct watch {
    const struct rsp_log *log;
    size_t fresh;
};

static int seen(void *opaque, const struct rsp_store_item *item)
{
    struct watch *w = opaque;
    struct rsp_record r;
    memset(&r, 0, sizeof r);
    if (name_record_parse(item->name, &r) && r.kind == RSP_REC_COMMIT && !rsp_log_by_hash(w->log, r.hash)) w->fresh++;
    return RSP_OK;
}

int copy_meanwhile(struct copy *c, const struct rsp_record *r, int *made)
{
    struct rsp_log_options o = {.size = sizeof o, .source = r->source};
    struct watch w = {c->to, 0};
    struct rsp_log *now = NULL;
    struct rsp_record *there;
    char folder[48] = "log/";
    int rc, rival;
    *made = 0;
    hex_text(folder + 4, r->source, ID_BYTES);
    memcpy(folder + 4 + 2 * ID_BYTES, "/", 2);
    rc = rsp_store_list(c->to->repo->store, folder, seen, &w);
    if (rc || !w.fresh) return rc;
    rc = rsp_log_load(c->to->repo, &o, &now);
    if (!rc) *made = copy_find(now, r, &there, &rival) == RSP_COPY_THERE;
    rsp_log_free(now);
    return rc;
}

/* ---- a signer whom the target's roles know to be removed ---- */

/* Whoever serves the origin may hold back the roles that took a right away, and with them what is wrong there. */
int copy_removed(struct copy *c, const struct rsp_record *r)
{
    const struct rsp_repo *to = c->to->repo;
    for (size_t i = 0; i < to->roles_n; i++) {
        const struct rsp_roles *later = to->roles[i];
        if (later->n <= r->roles_n || repo_roles_by_hash(c->from->repo, later->hash)) continue;
        if (roles_given_up(to, later->hash, 0) || record_may(later, r)) continue;
        snprintf(c->pass.why, sizeof c->pass.why,
                 "its signer was removed by roles record %" PRIu64
                 ", which the target has and the repository that is copied from does not show: backupd key republish",
                 later->n);
        return 1;
    }
    return 0;
}

/* ---- objects that were compared when they came ---- */

static int claim_order(const void *a, const void *b)
{
    const struct rsp_ref *x = *(const struct rsp_ref *const *)a, *y = *(const struct rsp_ref *const *)b;
    int order = x->kind - y->kind;
    if (!order) order = memcmp(x->epoch, y->epoch, ID_BYTES);
    if (!order) order = memcmp(x->object, y->object, ID_BYTES);
    if (!order) order = memcmp(x->sha256, y->sha256, 32);
    return order ? order : x->stored < y->stored ? -1 : x->stored > y->stored;
}

static int add(struct copy *c, const struct rsp_ref *ref)
{
    struct claims *k = &c->claims;
    if (k->n == k->cap) {
        size_t cap = k->cap ? k->cap * 2 : 64;
        void *p = mem_resize(&c->to->env, k->p, k->cap * sizeof *k->p, cap * sizeof *k->p);
        if (!p) return RSP_ENOMEM;
        k->p = p;
        k->cap = cap;
    }
    k->p[k->n++] = ref;
    return RSP_OK;
}

/* Those that a keeper brought here: a writer of the target could say anything of any name. */
static int claims_load(struct copy *c)
{
    int rc = RSP_OK;
    c->claims.n = 0;
    c->claims.of = c->to->records_n;
    for (size_t i = 0; i < c->to->records_n && !rc; i++) {
        struct rsp_record *r = c->to->records[i];
        if (!r->copied || !rsp_record_living(r)) continue;
        rc = keep_refs(c->to, r);
        if (pass_finding(rc)) { /* its objects are read then */
            if (c->to->env.error) rsp_error_clear(c->to->env.error);
            rc = RSP_OK;
            continue;
        }
        if (!rc) rc = add(c, &r->manifest);
        for (size_t k = 0; k < r->refs_n && !rc; k++) rc = add(c, &r->refs[k]);
    }
    if (c->claims.n) qsort(c->claims.p, c->claims.n, sizeof *c->claims.p, claim_order);
    return rc;
}

int copy_vouched(struct copy *c, const struct rsp_ref *ref)
{
    struct claims *k = &c->claims;
    for (int again = 0; again < 2; again++) {
        int rc;
        if (k->n && bsearch(&ref, k->p, k->n, sizeof *k->p, claim_order)) return 1;
        if (k->of == c->to->records_n) return 0;
        rc = claims_load(c);
        if (rc) return rc;
    }
    return 0;
}

void copy_claims_free(struct copy *c)
{
    mem_free(&c->to->env, c->claims.p, c->claims.cap * sizeof *c->claims.p);
    memset(&c->claims, 0, sizeof c->claims);
}
