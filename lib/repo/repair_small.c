/* What this is: roles, records and envelopes put back from a mirror, by the hash in their names.
 * Rests on: repair_impl.h, repo_open.h.
 * Does not: bring in what this repository never had: roles that nothing here names, envelopes beside sound ones. */
#include <stdio.h>
#include <string.h>

#include "repo/repair_impl.h"
#include "repo/repo_open.h"
#include "seal/envelope.h"

#define ENVELOPES_MOST 1024
#define ENVELOPE_MAX (64u << 10)

/* Of this store: 1 its bytes are right, 0 it is not there, 2 it is damaged; below 0 a fault. */
static int look(struct repair *r, const char *name, const uint8_t hash[HASH_BYTES], size_t max)
{
    struct rsp_repo *repo = r->log->repo;
    uint8_t *p = NULL;
    size_t n = 0;
    int rc = repo_get_hashed(repo, name, hash, max, &p, &n);
    if (!rc) {
        rsp_store_release(repo->store, p, n);
        return 1;
    }
    if (!pass_finding(rc)) return rc;
    if (r->log->env.error) rsp_error_clear(r->log->env.error);
    return rc == RSP_ENOTFOUND ? 0 : 2;
}

static int fetch(struct repair *r, const char *name, const uint8_t hash[HASH_BYTES], size_t max, int replace)
{
    if (!r->o.dry_run) return repair_done(r, name, pass_hashed(&r->pass, name, hash, max, replace));
    repair_told(r, name, RSP_EINTEGRITY, "it would be asked of the mirror");
    return RSP_OK;
}

/* ---- roles ---- */

/* A link of the chain, or named by a record: it belongs here. */
static int roles_named(const struct rsp_log *log, uint64_t n, const uint8_t hash[HASH_BYTES])
{
    if (repo_roles_by_hash(log->repo, hash)) return 1;
    if (n < rsp_repo_roles(log->repo)->n) return 1;
    for (size_t i = 0; i < log->records_n; i++)
        if (!memcmp(log->records[i]->roles, hash, HASH_BYTES) ||
            !memcmp(log->records[i]->origin_roles, hash, HASH_BYTES))
            return 1;
    return 0;
}

/* Root signed it: what is not so is none of the mirror's roles. */
static int roles_proven(struct repair *r, const char *name)
{
    struct rsp_error words = {0};
    struct rsp_env quiet = r->log->env;
    struct rsp_roles *roles = NULL;
    uint8_t *p = NULL;
    size_t n = 0;
    int rc = rsp_store_get(r->pass.from, name, RECORD_MAX, &p, &n);
    quiet.error = &words;
    if (!rc) rc = rsp_roles_parse(&quiet, (struct rsp_span){p, n}, r->log->repo->root.sign, name, &roles);
    rsp_store_release(r->pass.from, p, n);
    rsp_roles_free(roles);
    if (rc && r->log->env.error) rsp_error_clear(r->log->env.error);
    return !rc;
}

int repair_roles(struct repair *r)
{
    struct found_list list = {0};
    int rc = found_load(&r->log->env, r->pass.from, NULL, "roles", FOUND_MAX, &list);
    for (size_t i = 0; !rc && i < list.n; i++) {
        char name[NAME_MAX_BYTES];
        int there;
        if (!roles_named(r->log, list.p[i].n, list.p[i].hash)) continue;
        name_roles(name, list.p[i].n, list.p[i].hash);
        there = look(r, name, list.p[i].hash, RECORD_MAX);
        if (there < 0) rc = there;
        else if (there != 1 && roles_proven(r, name)) rc = fetch(r, name, list.p[i].hash, RECORD_MAX, there == 2);
    }
    found_free(&r->log->env, &list);
    return rc;
}

/* ---- records ---- */

int repair_records(struct repair *r)
{
    int rc = RSP_OK;
    for (size_t i = 0; i < r->log->records_n && !rc; i++) {
        const struct rsp_record *record = r->log->records[i], *by = rsp_log_by_hash(r->log, record->hash);
        char name[NAME_MAX_BYTES];
        if (!(record->state & RSP_RECORD_BROKEN) || record->bytes || (by && by->bytes)) continue;
        if (record->state & (RSP_RECORD_GONE | RSP_RECORD_LOST)) continue;
        name_record_path(name, record);
        rc = look(r, name, record->hash, record_max(record->kind));
        if (rc == 1) rc = RSP_OK; /* its bytes are right: it breaks another rule */
        else if (rc >= 0) rc = fetch(r, name, record->hash, record_max(record->kind), rc == 2);
    }
    return rc;
}

/* ---- envelopes ---- */

/* An envelope is as good as what it opens to. Anybody can plant one that is well formed and named after its bytes: it
 * has to be for somebody who may read, and, when that is one at hand, to hold the key that a commit of the epoch names. */
static int opens(struct repair *r, const uint8_t epoch[ID_BYTES], struct rsp_span bytes, uint8_t *key)
{
    const struct rsp_repo *repo = r->log->repo;
    size_t ours = 0, readers = 0;
    for (size_t i = 0; i < r->v.commits_n; i++) {
        const struct rsp_record *c = r->v.commits[i];
        if (memcmp(c->epoch, epoch, ID_BYTES)) continue;
        if (envelope_open(bytes, repo->lineage, epoch, c->commitment, repo->identities, repo->identities_n, key) ==
            RSP_OK)
            return 1;
    }
    for (size_t i = 0; i < repo->identities_n; i++) {
        struct rsp_public public;
        rsp_identity_public(repo->identities[i], &public);
        ours += (size_t)envelope_names(bytes, &public, NULL);
    }
    for (size_t i = 0; i < rsp_repo_roles(repo)->members_n; i++) {
        const struct rsp_member *m = &rsp_repo_roles(repo)->members[i];
        readers += rsp_member_may(m, RSP_ROLE_READ, NULL) && envelope_names(bytes, &m->key, NULL);
    }
    return !ours && readers;
}

static int useful(struct repair *r, const struct held *h, const char *name)
{
    uint8_t *p = NULL, *key = secret_new(&r->log->env, KEY_BYTES);
    size_t n = 0;
    int rc = key ? repo_get_hashed(r->log->repo, name, h->id, ENVELOPE_MAX, &p, &n) : RSP_ENOMEM;
    if (!rc) rc = opens(r, h->epoch, (struct rsp_span){p, n}, key);
    rsp_store_release(r->log->repo->store, p, n);
    secret_free(key);
    return rc;
}

/* Those of the mirror, when there is no sound one here. */
static int refill(struct repair *r, const uint8_t epoch[ID_BYTES])
{
    struct found_list list = {0};
    char folder[64] = "keys/", name[NAME_MAX_BYTES];
    size_t more = 0;
    int rc;
    hex_text(folder + 5, epoch, ID_BYTES);
    rc = found_oldest(&r->log->env, r->pass.from, folder, ENVELOPES_MOST, &list, &more);
    for (size_t i = 0; !rc && i < list.n; i++) {
        name_envelope(name, epoch, list.p[i].hash);
        if (inventory_find(&r->v.held, HELD_KEYS, epoch, list.p[i].hash, HASH_BYTES)) continue; /* tried already */
        rc = fetch(r, name, list.p[i].hash, ENVELOPE_MAX, 0);
    }
    if (!rc && !list.n)
        repair_told(r, folder, RSP_EINTEGRITY, "there is no envelope of this epoch in the mirror either");
    found_free(&r->log->env, &list);
    return rc;
}

/* One that is damaged is none, when others of its epoch are sound: anybody can put a file there. */
static int repair_envelope(struct repair *r, const struct held *h, size_t *good)
{
    char name[NAME_MAX_BYTES];
    int rc;
    held_name(h, name);
    rc = look(r, name, h->id, ENVELOPE_MAX);
    if (rc == 1) {
        rc = useful(r, h, name);
        *good += rc == 1;
        return rc < 0 ? rc : RSP_OK;
    }
    if (rc < 0) return rc;
    if (r->o.dry_run) return RSP_OK;
    rc = pass_hashed(&r->pass, name, h->id, ENVELOPE_MAX, rc == 2);
    if (rc) return rc == RSP_EINTEGRITY ? RSP_OK : rc;
    ++*good;
    repair_told(r, name, RSP_OK, NULL);
    return RSP_OK;
}

static int repair_epoch(struct repair *r, const uint8_t epoch[ID_BYTES])
{
    size_t n = 0, good = 0;
    const struct held *h = inventory_epoch(&r->v.held, HELD_KEYS, epoch, &n);
    for (size_t i = 0; i < n && i < ENVELOPES_MOST; i++) {
        int rc = repair_envelope(r, &h[i], &good);
        if (rc) return rc;
    }
    return good ? RSP_OK : refill(r, epoch);
}

int repair_envelopes(struct repair *r)
{
    const struct need *p = r->v.epochs.p;
    int rc = RSP_OK;
    for (size_t i = 0; i < r->v.epochs.n && !rc; i++) {
        if (i && !memcmp(p[i].ref->epoch, p[i - 1].ref->epoch, ID_BYTES)) continue;
        rc = passing_cancelled(&r->pass);
        if (!rc) rc = repair_epoch(r, p[i].ref->epoch);
    }
    return rc;
}
