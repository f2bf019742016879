/* What this is: what one commit needs, brought into the target: envelopes, objects, manifest, list of objects; then a
 *   look whether all of it is there.
 * Rests on: copy_impl.h, repo_open.h.
 * Does not: publish a record. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "repo/copy_impl.h"
#include "repo/repo_open.h"

#define ENVELOPES_MOST 1024 /* as many as a reader looks at */
#define ENVELOPE_MAX (64u << 10)
#define LOOKS_AT_ONCE 256

/* ---- envelopes ---- */

/* 1: the target has its bytes; 0: nothing of that name; 2: something else. */
static int hashed_there(struct copy *c, const char *name, const uint8_t hash[HASH_BYTES], size_t max)
{
    struct rsp_repo *repo = c->to->repo;
    uint8_t *p = NULL;
    size_t n = 0;
    int rc = repo_get_hashed(repo, name, hash, max, &p, &n);
    if (!rc) rsp_store_release(repo->store, p, n);
    if (!rc) return 1;
    if (!pass_finding(rc)) return rc;
    if (c->to->env.error) rsp_error_clear(c->to->env.error);
    return rc == RSP_ENOTFOUND ? 0 : 2;
}

static int copy_envelope(struct copy *c, const struct held *h, int sure)
{
    struct held *t = inventory_find(&c->there, HELD_KEYS, h->epoch, h->id, HASH_BYTES);
    int has = t ? 2 : 0, rc;
    char name[NAME_MAX_BYTES];
    held_name(h, name);
    if (t && t->bytes == h->bytes) has = sure ? hashed_there(c, name, h->id, ENVELOPE_MAX) : 1;
    if (has < 0) return has;
    rc = has == 1 ? RSP_OK : pass_hashed(&c->pass, name, h->id, ENVELOPE_MAX, has == 2);
    if (!rc && has != 1) c->report.envelopes++;
    return rc;
}

static int copy_epoch(struct copy *c, const uint8_t epoch[ID_BYTES], int sure)
{
    size_t n = 0;
    struct held *h = inventory_epoch(&c->here, HELD_KEYS, epoch, &n);
    for (size_t i = 0; i < n && i < ENVELOPES_MOST; i++) {
        int rc;
        if (h[i].fate > sure) continue; /* 1: there by its size; 2: by its bytes */
        rc = copy_envelope(c, &h[i], sure);
        if (rc && rc != RSP_EINTEGRITY) return rc; /* one that is damaged opens nothing: others are looked at */
        if (!rc) h[i].fate = (uint8_t)(1 + sure);
    }
    return RSP_OK;
}

/* 1: the target has an envelope of the epoch, as far as names tell. */
static int has_envelope(const struct copy *c, const uint8_t epoch[ID_BYTES])
{
    size_t n = 0, here = 0;
    const struct held *h;
    (void)inventory_epoch(&c->there, HELD_KEYS, epoch, &n);
    h = inventory_epoch(&c->here, HELD_KEYS, epoch, &here);
    for (size_t i = 0; i < here && !n; i++) n = h[i].fate;
    return n != 0;
}

static int no_envelope(struct copy *c, const uint8_t epoch[ID_BYTES])
{
    if (has_envelope(c, epoch)) return RSP_OK;
    snprintf(c->pass.why, sizeof c->pass.why, "there is no envelope of its epoch: nobody could open it");
    return RSP_EINTEGRITY;
}

int copy_envelopes(struct copy *c, struct rsp_record *r, int sure)
{
    int rc = copy_epoch(c, r->epoch, sure), list = keep_refs(c->from, r);
    if (pass_finding(list) && c->from->env.error) rsp_error_clear(c->from->env.error); /* told by whom it stops */
    else if (list && !rc) rc = list;
    if (!rc && !(r->flags & RSP_COMMIT_UNSEALED)) rc = no_envelope(c, r->epoch);
    for (size_t i = 0; r->refs && i < r->refs_n && !rc; i++)
        if (memcmp(r->refs[i].epoch, i ? r->refs[i - 1].epoch : r->epoch, ID_BYTES))
            rc = copy_epoch(c, r->refs[i].epoch, sure);
    return rc;
}

/* ---- objects ---- */

/* What the target has under that name: 1 it will do, 0 nothing, 2 it has to be replaced; below 0 a fault. */
static int there(struct copy *c, const char *name, const struct rsp_ref *ref)
{
    const struct held *h = inventory_ref(&c->there, ref);
    struct rsp_store_item item;
    int rc = RSP_OK;
    if (h) {
        item.bytes = h->bytes;
    } else {
        rc = rsp_store_stat(c->to->repo->store, name, &item);
        if (rc == RSP_ENOTFOUND) {
            if (c->to->env.error) rsp_error_clear(c->to->env.error);
            return 0;
        }
    }
    if (rc) return rc;
    if (item.bytes != ref->stored) return 2;
    rc = c->o.verify ? 0 : copy_vouched(c, ref); /* a size is nothing: who could put it there put what he liked */
    if (rc) return rc;
    rc = pass_check(&c->pass, c->to->repo->store, name, ref);
    return rc == RSP_EINTEGRITY ? 2 : rc ? rc : 1;
}

static int rivals(const struct rsp_ref *x, const struct rsp_ref *y)
{
    return x->kind == y->kind && !memcmp(x->epoch, y->epoch, ID_BYTES) && !memcmp(x->object, y->object, ID_BYTES) &&
           (x->stored != y->stored || memcmp(x->sha256, y->sha256, 32));
}

/* A commit of the target says something else of that object: a writer of the origin must not have it replaced. */
static int claimed(struct copy *c, const char *name, const struct rsp_ref *ref)
{
    int rival = 0;
    for (size_t i = 0; i < c->to->records_n && !rival; i++) {
        struct rsp_record *r = c->to->records[i];
        int rc;
        if (r->kind != RSP_REC_COMMIT || !(r->state & RSP_RECORD_LOADED)) continue;
        rc = keep_refs(c->to, r);
        if (rc && !pass_finding(rc)) return rc;
        if (rc && c->to->env.error) rsp_error_clear(c->to->env.error);
        rival = rc || rivals(&r->manifest, ref); /* what is not known may be a claim */
        for (size_t k = 0; !rc && k < r->refs_n && !rival; k++) rival = rivals(&r->refs[k], ref);
    }
    if (!rival) return RSP_OK;
    snprintf(c->pass.why, sizeof c->pass.why,
             "%.120s is another in the target, where a snapshot needs it, and only one can be honest", name);
    return RSP_EINTEGRITY;
}

static int copy_object(struct copy *c, const struct rsp_ref *ref)
{
    char name[NAME_MAX_BYTES];
    int has, rc;
    name_object(name, ref->kind, ref->epoch, ref->object);
    has = there(c, name, ref);
    if (has < 0) return has;
    if (has == 1) {
        c->report.kept_objects++;
        c->report.kept_bytes += ref->stored;
        return RSP_OK;
    }
    rc = has == 2 ? claimed(c, name, ref) : RSP_OK;
    if (!rc) rc = pass_object(&c->pass, name, ref, has == 2);
    if (rc) return rc;
    c->report.objects++;
    c->report.bytes += ref->stored;
    return RSP_OK;
}

static int copy_list(struct copy *c, const struct rsp_record *r)
{
    char name[NAME_MAX_BYTES];
    int has;
    if (!r->refs_apart) return RSP_OK;
    name_hashed(name, "refs", r->refs_hash);
    has = hashed_there(c, name, r->refs_hash, REFS_FILE_MAX);
    if (has < 0 || has == 1) return has < 0 ? has : RSP_OK;
    return pass_hashed(&c->pass, name, r->refs_hash, REFS_FILE_MAX, has == 2);
}

/* What was there already may be so old that prune takes it for debris, this very moment: nothing in the epoch is young.
 * Something written anew says that somebody is at work (prune_debris.c). Where nothing may be replaced nothing goes. */
static int stir(struct copy *c, const struct rsp_record *r)
{
    char name[NAME_MAX_BYTES];
    int rc;
    name_object(name, r->manifest.kind, r->manifest.epoch, r->manifest.object);
    rc = pass_object(&c->pass, name, &r->manifest, 1);
    if (rc != RSP_EDENIED && rc != RSP_EPERM) return rc;
    if (c->to->env.error) rsp_error_clear(c->to->env.error);
    return RSP_OK;
}

/* ---- the look ---- */

struct looking {
    struct copy *c;
    char (*names)[NAME_MAX_BYTES];
    const char **list;
    uint64_t *bytes;
    size_t n;
};

static int judge_look(void *opaque, size_t i, int rc, const struct rsp_store_item *item)
{
    const struct looking *l = opaque;
    const struct rsp_env *env = &l->c->to->env;
    if (rc && rc != RSP_ENOTFOUND) return rc;
    if (!rc && item->bytes == l->bytes[i]) return RSP_OK;
    if (env->error) rsp_error_clear(env->error);
    snprintf(l->c->pass.why, sizeof l->c->pass.why,
             "%.120s was stored in the target and is %s: nothing was committed; find out who removed it", l->list[i],
             rc ? "gone again" : "of another size now");
    return RSP_EINTEGRITY;
}

static int look_now(struct looking *l)
{
    int rc = l->n ? rsp_store_stat_many(l->c->to->repo->store, l->list, l->n, judge_look, l) : RSP_OK;
    l->n = 0;
    return rc;
}

static int look_at(struct looking *l, const struct rsp_ref *ref)
{
    name_object(l->names[l->n], ref->kind, ref->epoch, ref->object);
    l->list[l->n] = l->names[l->n];
    l->bytes[l->n++] = ref->stored;
    return l->n == LOOKS_AT_ONCE ? look_now(l) : RSP_OK;
}

static int look(struct copy *c, const struct rsp_record *r)
{
    const struct rsp_env *env = &c->to->env;
    struct looking l = {.c = c};
    int rc = RSP_ENOMEM;
    l.names = mem_alloc(env, LOOKS_AT_ONCE * sizeof *l.names);
    l.list = mem_alloc(env, LOOKS_AT_ONCE * sizeof *l.list);
    l.bytes = mem_alloc(env, LOOKS_AT_ONCE * sizeof *l.bytes);
    if (l.names && l.list && l.bytes) rc = look_at(&l, &r->manifest);
    for (size_t i = 0; i < r->refs_n && !rc; i++) rc = look_at(&l, &r->refs[i]);
    if (!rc) rc = look_now(&l);
    mem_free(env, l.bytes, LOOKS_AT_ONCE * sizeof *l.bytes);
    mem_free(env, l.list, LOOKS_AT_ONCE * sizeof *l.list);
    mem_free(env, l.names, LOOKS_AT_ONCE * sizeof *l.names);
    return rc;
}

/* ---- all of one commit ---- */

/* The list of objects, when it lies apart and was not fetched. RSP_EINTEGRITY: it is damaged. */
static int read_list(struct copy *c, struct rsp_record *r)
{
    int rc = keep_refs(c->from, r);
    if (!pass_finding(rc)) return rc;
    if (c->from->env.error) rsp_error_clear(c->from->env.error);
    snprintf(c->pass.why, sizeof c->pass.why, "its list of objects is missing or damaged");
    return RSP_EINTEGRITY;
}

uint64_t copy_bytes(struct copy *c, struct rsp_record *r)
{
    const struct held *h;
    uint64_t sum = 0;
    if (read_list(c, r)) { /* told when its turn comes */
        if (c->from->env.error) rsp_error_clear(c->from->env.error);
        return 0;
    }
    for (size_t i = 0; i <= r->refs_n; i++) {
        const struct rsp_ref *ref = i < r->refs_n ? &r->refs[i] : &r->manifest;
        h = inventory_ref(&c->there, ref);
        if ((!h || h->bytes != ref->stored || c->o.verify || copy_vouched(c, ref) != 1) &&
            ref->stored <= UINT64_MAX - sum)
            sum += ref->stored;
    }
    return sum;
}

int copy_objects(struct copy *c, struct rsp_record *r)
{
    const uint64_t before = c->report.objects;
    struct rsp_record *there;
    int rival, rc = read_list(c, r);
    if (!rc) rc = copy_envelopes(c, r, 1);
    for (size_t i = 0; i < r->refs_n && !rc; i++) {
        rc = passing_cancelled(&c->pass);
        if (!rc) rc = copy_object(c, &r->refs[i]);
    }
    if (!rc) rc = copy_object(c, &r->manifest);
    if (!rc) rc = copy_list(c, r);
    if (!rc && c->report.objects == before && copy_find(c->to, r, &there, &rival) != RSP_COPY_THERE) rc = stir(c, r);
    return rc ? rc : look(c, r);
}
