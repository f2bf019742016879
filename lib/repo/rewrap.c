/* What this is: envelopes for the readers of today on the epochs of yesterday.
 * Rests on: snapshot_impl.h, seal/envelope.h.
 * Does not: touch data, or take an envelope away: an old reader keeps what he could read. */
#include <stdlib.h>

#include "repo/snapshot_impl.h"
#include "seal/envelope.h"

#define ENVELOPE_BYTES_MAX (64u << 10)
#define ENVELOPES_TRIED 64

struct envelope_id {
    uint8_t epoch[ID_BYTES], hash[HASH_BYTES];
};
struct rewrapping {
    struct rsp_repo *repo;
    const struct rsp_env *env;
    struct rsp_public *readers;
    size_t readers_n;
    struct envelope_id *have; /* by epoch: the store lists names in order */
    size_t have_n, have_cap;
};

/* "keys/<epoch>/<hash>"; other names are no envelopes. */
static int note_envelope(void *opaque, const struct rsp_store_item *item)
{
    struct rewrapping *w = opaque;
    struct envelope_id id;
    const char *name = item->name;
    if (strlen(name) != 5 + 2 * ID_BYTES + 1 + 2 * HASH_BYTES || name[5 + 2 * ID_BYTES] != '/') return RSP_OK;
    if (!hex_parse(name + 5, 2 * ID_BYTES, id.epoch, ID_BYTES)) return RSP_OK;
    if (!hex_parse(name + 5 + 2 * ID_BYTES + 1, 2 * HASH_BYTES, id.hash, HASH_BYTES)) return RSP_OK;
    if (w->have_n == w->have_cap) {
        size_t cap = w->have_cap ? w->have_cap * 2 : 64;
        void *p = mem_resize(w->env, w->have, w->have_cap * sizeof id, cap * sizeof id);
        if (!p) return RSP_ENOMEM;
        w->have = p;
        w->have_cap = cap;
    }
    w->have[w->have_n++] = id;
    return RSP_OK;
}

static size_t first_of(const struct rewrapping *w, const uint8_t epoch[ID_BYTES])
{
    size_t low = 0, high = w->have_n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (memcmp(w->have[middle].epoch, epoch, ID_BYTES) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static int names_all(const struct rewrapping *w, struct rsp_span bytes)
{
    for (size_t i = 0; i < w->readers_n; i++)
        if (!envelope_names(bytes, &w->readers[i], NULL)) return 0;
    return 1;
}

enum { COVERED_NOT = 0, COVERED_CLAIMED = 1, COVERED = 2 };

/* Does this envelope name every reader? Only what an identity at hand opens is known to be no forgery: the names alone
 * are a claim. A fault of the store is its status; a bad envelope is as good as none. */
static int look_at(const struct rewrapping *w, const struct rsp_record *commit, const struct envelope_id *id,
                   int *covered)
{
    const struct rsp_repo *repo = w->repo;
    struct rsp_span bytes;
    char name[NAME_MAX_BYTES];
    uint8_t *key = NULL, *p = NULL;
    size_t n = 0;
    int rc;
    name_envelope(name, id->epoch, id->hash);
    rc = repo_get_hashed(w->repo, name, id->hash, ENVELOPE_BYTES_MAX, &p, &n);
    if (rc == RSP_EINTEGRITY || rc == RSP_ENOTFOUND || rc == RSP_ELIMIT) {
        log_line(w->env, RSP_LOG_WARN, "%s: not an envelope that can be used; another is made", name);
        rsp_error_clear(w->env->error);
        return RSP_OK;
    }
    if (rc) return rc;
    bytes = (struct rsp_span){p, n};
    if (names_all(w, bytes)) {
        if (*covered == COVERED_NOT) *covered = COVERED_CLAIMED;
        key = secret_new(w->env, KEY_BYTES);
        if (!key) rc = RSP_ENOMEM;
        else if (envelope_open(bytes, repo->lineage, commit->epoch, commit->commitment, repo->identities,
                               repo->identities_n, key) == RSP_OK)
            *covered = COVERED;
        secret_free(key);
    }
    rsp_store_release(w->repo->store, p, n);
    return rc;
}

static int rewrap_one(const struct rewrapping *w, const struct rsp_record *commit, size_t *added, size_t *shut)
{
    char name[NAME_MAX_BYTES];
    uint8_t *key = NULL;
    int rc, covered = COVERED_NOT, tried = 0;
    for (size_t i = first_of(w, commit->epoch); i < w->have_n && covered != COVERED && tried < ENVELOPES_TRIED; i++) {
        if (memcmp(w->have[i].epoch, commit->epoch, ID_BYTES) != 0) break;
        tried++;
        if ((rc = look_at(w, commit, &w->have[i], &covered))) return rc;
    }
    if (covered == COVERED) return RSP_OK;
    rc = epoch_open(w->repo, commit->epoch, commit->commitment, 0, &key);
    if (rc == RSP_EKEY || rc == RSP_EINTEGRITY) {
        /* Nobody at hand opens it. When an envelope claims all readers there is nothing to be done for them either. */
        rsp_error_clear(w->env->error);
        if (covered == COVERED_NOT) ++*shut;
        return RSP_OK;
    }
    if (rc) return rc;
    rc = envelope_publish(w->repo, commit->epoch, key, w->readers, w->readers_n, name, NULL);
    secret_free(key);
    if (!rc) ++*added;
    return rc;
}

int rsp_repo_rewrap(struct rsp_repo *repo, struct rsp_log *log, size_t *added, size_t *shut)
{
    struct rewrapping w = {.repo = repo, .env = &repo->env};
    int rc;
    *added = *shut = 0;
    if (!log->full) /* its commits were not all read, and would be passed over in silence */
        return fail(&repo->env, RSP_ESTATE, rsp_store_url(repo->store), "wrapping keys needs the whole record log");
    rc = readers_of(repo, &w.readers, &w.readers_n);
    if (!rc) rc = rsp_store_list(repo->store, "keys/", note_envelope, &w);
    for (size_t i = 0; i < log->records_n && !rc; i++) {
        struct rsp_record *r = log->records[i];
        if (r->kind != RSP_REC_COMMIT || !rsp_record_living(r) || (r->flags & RSP_COMMIT_UNSEALED)) continue;
        rc = rewrap_one(&w, r, added, shut);
    }
    mem_free(&repo->env, w.readers, w.readers_n * sizeof *w.readers);
    mem_free(&repo->env, w.have, w.have_cap * sizeof *w.have);
    return rc ? trail(&repo->env, rc, "wrapping keys for new readers") : RSP_OK;
}
