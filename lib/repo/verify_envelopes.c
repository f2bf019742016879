/* What this is: the envelopes of the epochs that snapshots need: there, whole, well-formed, for somebody who may read.
 * Rests on: verify_impl.h, seal/envelope.h.
 * Does not: need a secret; identities at hand make it look closer. */
#include <stdlib.h>
#include <string.h>

#include "repo/verify_impl.h"
#include "seal/envelope.h"

#define TRIED_MAX 64 /* as many as a reader tries */
#define ENVELOPE_MAX (64u << 10)

/* What a commit says of its own epoch's key. Whoever may write can claim an epoch that is another's, so each claim is
 * judged by itself. */
struct claim {
    const uint8_t *commitment;
    size_t good; /* envelopes that may hold that key */
};

/* What the envelopes of one epoch are worth. */
struct epoch {
    const uint8_t *id;
    struct claim *claims; /* each once, sorted */
    size_t claims_n, room;
    size_t good, bad, readable;
    uint8_t *key;
};

static int names_reader(const struct rsp_roles *roles, struct rsp_span bytes)
{
    for (size_t i = 0; i < roles->members_n; i++)
        if (rsp_member_may(&roles->members[i], RSP_ROLE_READ, NULL) &&
            envelope_names(bytes, &roles->members[i].key, NULL))
            return 1;
    return 0;
}

static int names_own(const struct rsp_repo *repo, struct rsp_span bytes)
{
    for (size_t i = 0; i < repo->identities_n; i++) {
        struct rsp_public key;
        rsp_identity_public(repo->identities[i], &key);
        if (envelope_names(bytes, &key, NULL)) return 1;
    }
    return 0;
}

static int well_formed(const struct rsp_repo *repo, const struct epoch *e, const uint8_t *commitment,
                       struct rsp_span bytes)
{
    static const uint8_t none[HASH_BYTES];
    size_t n = commitment ? repo->identities_n : 0;
    int rc = envelope_open(bytes, repo->lineage, e->id, commitment ? commitment : none, repo->identities, n, e->key);
    if (rc == RSP_OK) return 1;
    return rc == RSP_EKEY && !(n && names_own(repo, bytes)); /* for us, and it does not open to the epoch's key */
}

/* Good for any of the claims; without one, by its form alone. */
static int judge_bytes(const struct rsp_repo *repo, struct epoch *e, struct rsp_span bytes)
{
    int good = 0;
    if (!e->claims_n) return well_formed(repo, e, NULL, bytes);
    for (size_t i = 0; i < e->claims_n; i++)
        if (well_formed(repo, e, e->claims[i].commitment, bytes)) e->claims[i].good++, good = 1;
    return good;
}

static int judge(struct verify *v, struct epoch *e, const struct held *h)
{
    struct rsp_repo *repo = v->log->repo;
    char name[NAME_MAX_BYTES];
    uint8_t *p = NULL;
    size_t n = 0;
    int rc, good;
    held_name(h, name);
    v->report.envelopes++;
    rc = repo_get_hashed(repo, name, h->id, ENVELOPE_MAX, &p, &n);
    if (rc == RSP_ENOMEM) return rc;
    if (rc && v->log->env.error) rsp_error_clear(v->log->env.error);
    good = !rc && judge_bytes(repo, e, (struct rsp_span){p, n});
    if (good) {
        e->good++;
        e->readable += (size_t)names_reader(rsp_repo_roles(repo), (struct rsp_span){p, n});
    } else {
        e->bad++;
        v->report.envelopes_bad++;
    }
    if (!rc) rsp_store_release(repo->store, p, n);
    if (good) return RSP_OK;
    return rsp_log_trouble(v->log, RSP_OK, "envelope", name, "remove it: it opens nothing",
                           "%s; others of its epoch are looked at",
                           rc == RSP_EINTEGRITY ? "its bytes are not those its name says"
                           : rc                 ? "it cannot be read"
                                                : "it is malformed, or does not hold the key of its epoch");
}

static int claim_order(const void *a, const void *b)
{
    return memcmp(((const struct claim *)a)->commitment, ((const struct claim *)b)->commitment, HASH_BYTES);
}

static const uint8_t *claim_of(const struct verify *v, const struct need *need)
{
    const struct rsp_record *r = v->commits[need->commit];
    return memcmp(r->epoch, need->ref->epoch, ID_BYTES) ? NULL : r->commitment;
}

static int collect_claims(struct verify *v, struct epoch *e, const struct need *needs, size_t n)
{
    size_t kept = 0;
    e->room = n;
    e->claims = mem_zero(&v->log->env, n * sizeof *e->claims);
    if (!e->claims) return RSP_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *commitment = claim_of(v, &needs[i]);
        if (commitment) e->claims[e->claims_n++].commitment = commitment;
    }
    if (e->claims_n) qsort(e->claims, e->claims_n, sizeof *e->claims, claim_order);
    for (size_t i = 0; i < e->claims_n; i++)
        if (!kept || claim_order(&e->claims[kept - 1], &e->claims[i])) e->claims[kept++] = e->claims[i];
    e->claims_n = kept;
    return RSP_OK;
}

/* An epoch with sound envelopes, of which none is what a commit says of it. */
static int tell_claims(struct verify *v, const struct epoch *e, const struct need *needs, size_t n, const char *name)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < n && !rc; i++) {
        struct claim key = {claim_of(v, &needs[i]), 0};
        const struct claim *c = key.commitment ? bsearch(&key, e->claims, e->claims_n, sizeof key, claim_order) : NULL;
        if (c && !c->good)
            rc = verify_fault(v, &needs[i], 1, RSP_EINTEGRITY, "envelope", name,
                              "no envelope of this epoch holds the key that the commit names");
    }
    return rc;
}

static int tell_epoch(struct verify *v, const struct epoch *e, const struct need *needs, size_t n)
{
    char name[NAME_MAX_BYTES] = "keys/";
    int rc;
    hex_text(name + strlen(name), e->id, ID_BYTES);
    if (!e->good)
        return verify_fault(v, needs, n, RSP_EINTEGRITY, "envelope", name, "%s",
                            e->bad ? "no envelope of this epoch is sound: nobody can open its objects"
                                   : "there is no envelope of this epoch: nobody can open its objects");
    rc = tell_claims(v, e, needs, n, name);
    if (rc || e->readable) return rc;
    return rsp_log_trouble(v->log, RSP_OK, "envelope", name, "backupd key rewrap, with an identity that opens it",
                           "no envelope of this epoch is for anybody who may read now");
}

static int check_epoch(struct verify *v, const struct need *needs, size_t needs_n, uint8_t *key)
{
    struct epoch e = {.id = needs->ref->epoch, .key = key};
    size_t n = 0;
    const struct held *h = inventory_epoch(&v->held, HELD_KEYS, e.id, &n);
    int rc = verify_cancelled(v);
    if (!rc) rc = collect_claims(v, &e, needs, needs_n);
    for (size_t i = 0; i < n && i < TRIED_MAX && !rc; i++) rc = judge(v, &e, &h[i]);
    if (!rc) rc = tell_epoch(v, &e, needs, needs_n);
    mem_free(&v->log->env, e.claims, e.room * sizeof *e.claims);
    return rc;
}

int verify_envelopes(struct verify *v)
{
    uint8_t *key;
    int rc = RSP_OK;
    if (!v->epochs.n) return RSP_OK;
    key = secret_new(&v->log->env, KEY_BYTES);
    if (!key) return RSP_ENOMEM;
    for (size_t i = 0; i < v->epochs.n && !rc;) {
        size_t end = i;
        while (end < v->epochs.n && !memcmp(v->epochs.p[end].ref->epoch, v->epochs.p[i].ref->epoch, ID_BYTES)) end++;
        rc = check_epoch(v, v->epochs.p + i, end - i, key);
        i = end;
    }
    secret_free(key);
    return rc;
}
