/* What this is: the envelopes of the epochs that snapshots need: there, whole, well-formed, for somebody who may read.
 * Rests on: verify_impl.h, seal/envelope.h.
 * Does not: need a secret; identities at hand make it look closer. */
#include <stdlib.h>
#include <string.h>

#include "repo/verify_impl.h"
#include "seal/envelope.h"

#define TRIED_MAX 64 /* as many as a reader tries */
#define ENVELOPE_MAX (64u << 10)

/* What the envelopes of one epoch are worth. */
struct epoch {
    const uint8_t *id, *commitment; /* NULL: its own commit is not there */
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

static int well_formed(const struct rsp_repo *repo, const struct epoch *e, struct rsp_span bytes)
{
    static const uint8_t none[HASH_BYTES];
    size_t n = e->commitment ? repo->identities_n : 0;
    int rc = envelope_open(bytes, repo->lineage, e->id, e->commitment ? e->commitment : none, repo->identities, n,
                           e->key);
    if (rc == RSP_OK) return 1;
    return rc == RSP_EKEY && !(n && names_own(repo, bytes)); /* for us, and it does not open to the epoch's key */
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
    good = !rc && well_formed(repo, e, (struct rsp_span){p, n});
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

/* By the commit whose own epoch it is: among those that need it, as a rule. */
static const uint8_t *commitment_of(const struct verify *v, const struct need *needs, size_t n)
{
    const uint8_t *epoch = needs->ref->epoch;
    for (size_t i = 0; i < n; i++)
        if (!memcmp(v->commits[needs[i].commit]->epoch, epoch, ID_BYTES))
            return v->commits[needs[i].commit]->commitment;
    for (size_t i = 0; i < v->log->records_n; i++) {
        const struct rsp_record *r = v->log->records[i];
        if (r->kind == RSP_REC_COMMIT && (r->state & RSP_RECORD_LOADED) && !memcmp(r->epoch, epoch, ID_BYTES))
            return r->commitment;
    }
    return NULL;
}

static int check_epoch(struct verify *v, const struct need *needs, size_t needs_n, uint8_t *key)
{
    struct epoch e = {.id = needs->ref->epoch, .key = key};
    char name[NAME_MAX_BYTES] = "keys/";
    size_t n = 0;
    const struct held *h = inventory_epoch(&v->held, HELD_KEYS, e.id, &n);
    int rc = verify_cancelled(v);
    e.commitment = commitment_of(v, needs, needs_n);
    for (size_t i = 0; i < n && i < TRIED_MAX && !rc; i++) rc = judge(v, &e, &h[i]);
    if (rc) return rc;
    hex_text(name + strlen(name), e.id, ID_BYTES);
    if (!e.good)
        return verify_fault(v, needs, needs_n, RSP_EINTEGRITY, "envelope", name, "%s",
                            e.bad ? "no envelope of this epoch is sound: nobody can open its objects"
                                  : "there is no envelope of this epoch: nobody can open its objects");
    if (e.readable) return RSP_OK;
    return rsp_log_trouble(v->log, RSP_OK, "envelope", name, "backupd key rewrap, with an identity that opens it",
                           "no envelope of this epoch is for anybody who may read now");
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
