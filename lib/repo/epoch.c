/* What this is: the key of an epoch, out of its envelopes.
 * Rests on: repo_open.h, seal/envelope.h.
 * Does not: ask for passphrases: whoever opened the repository adds the identities they give. */
#include <stdio.h>
#include <string.h>

#include "repo/repo_open.h"
#include "seal/envelope.h"

#define ENVELOPES_TRIED 64     /* with keys */
#define ENVELOPES_FETCHED 1024 /* the oldest: what is added later shuts nothing */
#define TOLD_MAX 64
#define ENVELOPE_MAX (64u << 10)

struct epoch {
    struct rsp_repo *repo;
    const uint8_t *id, *commitment;
    uint8_t *key;
    char hex[2 * ID_BYTES + 1];
    size_t shut, bad, strangers; /* strangers: wraps that are for no one the roles name */
    size_t tried, more;          /* more: envelopes that were not looked at */
    int unread;                  /* the first fault of the store */
    char names[160];             /* whom the shut ones are sealed to */
};

static void add_name(struct epoch *e, const char *name)
{
    size_t n = strlen(e->names), more = strlen(name);
    if (n + more + 8 > sizeof e->names) {
        if (n && strcmp(e->names + n - 3, "...")) snprintf(e->names + n, sizeof e->names - n, ", ...");
        return;
    }
    snprintf(e->names + n, sizeof e->names - n, "%s%s", n ? ", " : "", name);
}

static int has_name(const struct epoch *e, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = e->names; (p = strstr(p, name)); p += n)
        if ((p == e->names || p[-1] == ' ') && (!p[n] || p[n] == ',')) return 1;
    return 0;
}

static void whom(struct epoch *e, struct rsp_span bytes)
{
    const struct rsp_roles *roles = rsp_repo_roles(e->repo);
    size_t readers = 0, known = 0;
    for (size_t i = 0; i < roles->members_n; i++) {
        const struct rsp_member *m = &roles->members[i];
        if (!envelope_names(bytes, &m->key, &readers)) continue;
        known++;
        if (m->name[0] && !has_name(e, m->name)) add_name(e, m->name);
    }
    if (!roles->members_n) (void)envelope_names(bytes, &e->repo->root, &readers);
    if (readers > known) e->strangers += readers - known;
}

/* Whether it says that it is sealed to an identity at hand. */
static int is_ours(const struct rsp_repo *repo, struct rsp_span bytes)
{
    for (size_t i = 0; i < repo->identities_n; i++)
        if (envelope_names(bytes, &repo->identities[i]->public, NULL)) return 1;
    return 0;
}

/* RSP_OK: open. RSP_AGAIN: not by this one. */
static int try_one(struct epoch *e, const uint8_t hash[HASH_BYTES])
{
    struct rsp_repo *repo = e->repo;
    char name[NAME_MAX_BYTES];
    struct rsp_span bytes;
    uint8_t *p = NULL;
    size_t n = 0;
    int rc;
    name_envelope(name, e->id, hash);
    rc = repo_get_hashed(repo, name, hash, ENVELOPE_MAX, &p, &n);
    if (!rc) {
        bytes = (struct rsp_span){p, n};
        rc = envelope_open(bytes, repo->lineage, e->id, e->commitment, repo->identities, repo->identities_n, e->key);
        if (rc == RSP_EKEY && e->shut < TOLD_MAX) whom(e, bytes);
        if (rc == RSP_EKEY && is_ours(repo, bytes)) e->tried++;
        rsp_store_release(repo->store, p, n);
        if (!rc) return RSP_OK;
    } else if (rc != RSP_EINTEGRITY) {
        if (!fault_of_object(rc)) return rc;
        if (rc != RSP_ENOTFOUND && !e->unread) e->unread = rc;
    }
    forget_fault(repo);
    if (rc == RSP_EKEY) {
        e->shut++;
        return RSP_AGAIN;
    }
    if (rc != RSP_ENOTFOUND && e->bad++ < TOLD_MAX)
        log_line(&repo->env, RSP_LOG_WARN, "the envelope %s is malformed, damaged or cannot be read", name);
    return RSP_AGAIN;
}

static int not_open(struct epoch *e)
{
    const struct rsp_env *env = &e->repo->env;
    char others[64] = "";
    if (e->shut) {
        if (e->strangers)
            snprintf(others, sizeof others, "%s%zu reader%s that the roles do not name", e->names[0] ? " and " : "",
                     e->strangers, e->strangers == 1 ? "" : "s");
        if (!e->names[0] && !others[0]) snprintf(others, sizeof others, "readers without a name");
        return fail(env, RSP_EKEY, e->hex,
                    "no identity at hand opens it; it is sealed to %s%s (give one with --identity)", e->names, others);
    }
    if (e->unread) return fail(env, e->unread, e->hex, "the envelopes of this epoch cannot be read");
    if (e->bad)
        return fail(env, RSP_EINTEGRITY, e->hex, "the envelopes of this epoch (%zu in keys/) are all damaged", e->bad);
    return fail(env, RSP_EINTEGRITY, e->hex, "the envelopes of epoch %s are missing", e->hex);
}

static int open_envelopes(struct epoch *e)
{
    struct found_list list = {0};
    char folder[NAME_MAX_BYTES];
    size_t i = 0;
    int rc;
    snprintf(folder, sizeof folder, "keys/%s", e->hex);
    rc = found_oldest(&e->repo->env, e->repo->store, folder, ENVELOPES_FETCHED, &list, &e->more);
    if (rc) return rc;
    if (list.foreign)
        log_line(&e->repo->env, RSP_LOG_WARN, "%s holds %zu objects that are no envelopes", folder, list.foreign);
    rc = RSP_AGAIN;
    while (rc == RSP_AGAIN && i < list.n && e->tried < ENVELOPES_TRIED) rc = try_one(e, list.p[i++].hash);
    e->more += list.n - i;
    found_free(&e->repo->env, &list);
    if (rc != RSP_AGAIN) return rc;
    rc = not_open(e);
    if (!e->more) return rc;
    return trail(&e->repo->env, rc, "%zu newer envelopes were not looked at; remove false ones from %s", e->more,
                 folder);
}

int epoch_open(struct rsp_repo *repo, const uint8_t epoch[ID_BYTES], const uint8_t commitment[HASH_BYTES], int unsealed,
               uint8_t **key)
{
    struct epoch e = {.repo = repo, .id = epoch, .commitment = commitment};
    uint8_t made[HASH_BYTES];
    int rc = RSP_OK;
    *key = NULL;
    hex_text(e.hex, epoch, ID_BYTES);
    e.key = secret_new(&repo->env, KEY_BYTES);
    if (!e.key) return RSP_ENOMEM;
    if (unsealed) {
        memset(e.key, 0, KEY_BYTES);
        epoch_commitment(e.key, repo->lineage, epoch, made);
        if (!same_bytes(made, commitment, sizeof made))
            rc = fail(&repo->env, RSP_EINTEGRITY, e.hex,
                      "the commit says that it is not encrypted, but commits to another key");
    } else {
        rc = open_envelopes(&e);
    }
    if (rc) secret_free(e.key);
    else *key = e.key;
    return rc;
}
