/* What this is: giving up roles records that nobody has any more: root signs that in a new one.
 * Rests on: repo_open.h, a loaded log.
 * Does not: touch one that is known: it is put back (repo_init.c). */
#include <stdlib.h>
#include <string.h>

#include "repo/repo_open.h"

#define PREFIX_MIN 8

/* Hashes that something misses: a damaged file, a link of the chain, what records name. */
struct missed {
    uint8_t (*p)[HASH_BYTES];
    size_t n, cap;
};

static int missed_add(const struct rsp_repo *repo, struct missed *m, const uint8_t hash[HASH_BYTES])
{
    static const uint8_t zeros[HASH_BYTES];
    if (!memcmp(hash, zeros, HASH_BYTES) || repo_roles_by_hash(repo, hash)) return RSP_OK;
    if (m->n && !memcmp(m->p[m->n - 1], hash, HASH_BYTES)) return RSP_OK; /* records name one after the other */
    if (m->n == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 64;
        void *p = mem_resize(&repo->env, m->p, m->cap * sizeof *m->p, cap * sizeof *m->p);
        if (!p) return RSP_ENOMEM;
        m->p = p;
        m->cap = cap;
    }
    memcpy(m->p[m->n++], hash, HASH_BYTES);
    return RSP_OK;
}

static int missed_load(const struct rsp_log *log, struct missed *m)
{
    struct rsp_repo *repo = log->repo;
    struct found_list list = {0};
    int rc = found_load(&repo->env, repo->store, NULL, "roles", FOUND_MAX, &list);
    for (size_t i = 0; !rc && i < list.n; i++) rc = missed_add(repo, m, list.p[i].hash);
    for (size_t i = 0; !rc && i < repo->roles_n; i++)
        if (repo->roles[i]->n > 1) rc = missed_add(repo, m, repo->roles[i]->previous);
    for (size_t i = 0; !rc && i < log->records_n; i++) {
        rc = missed_add(repo, m, log->records[i]->roles);
        if (!rc) rc = missed_add(repo, m, log->records[i]->origin_roles);
    }
    for (size_t i = 0; !rc && i < repo->roles_n; i++) /* given up again it changes nothing */
        for (size_t k = 0; !rc && k < repo->roles[i]->lost_n; k++) rc = missed_add(repo, m, repo->roles[i]->lost[k]);
    found_free(&repo->env, &list);
    return rc;
}

static int begins(const uint8_t hash[HASH_BYTES], const char *digits)
{
    char hex[2 * HASH_BYTES + 1];
    hex_text(hex, hash, HASH_BYTES);
    return !strncmp(hex, digits, strlen(digits));
}

/* A file name, with or without its folder, is asked for by its digits. */
static const char *digits_of(const char *what)
{
    uint8_t hash[HASH_BYTES];
    uint64_t n;
    const char *name = strncmp(what, "roles/", strlen("roles/")) ? what : what + strlen("roles/");
    if (name_roles_parse(name, &n, hash)) return strchr(name, '-') + 1;
    return strspn(what, "0123456789abcdef") == strlen(what) && strlen(what) >= PREFIX_MIN &&
                   strlen(what) <= 2 * HASH_BYTES
               ? what
               : NULL;
}

static int seek(const struct rsp_repo *repo, const struct missed *m, const char *what, uint8_t hash[HASH_BYTES])
{
    const char *digits = digits_of(what);
    int found = 0;
    if (!digits)
        return fail(&repo->env, RSP_ENOTFOUND, what,
                    "is no roles record: give the name of its file, or at least %d digits of its hash", PREFIX_MIN);
    for (size_t i = 0; i < m->n; i++) {
        if (!begins(m->p[i], digits)) continue;
        if (found && memcmp(hash, m->p[i], HASH_BYTES))
            return fail(&repo->env, RSP_EINVAL, what, "several roles records begin so; give more digits");
        memcpy(hash, m->p[i], HASH_BYTES);
        found = 1;
    }
    for (size_t i = 0; i < repo->roles_n; i++)
        if (begins(repo->roles[i]->hash, digits))
            return fail(&repo->env, RSP_EDENIED, what,
                        "this roles record is valid and known here: there is nothing to give up; if the storage lacks "
                        "it, backupd key republish puts it back");
    if (found) return RSP_OK;
    return fail(&repo->env, RSP_ENOTFOUND, what, "no roles record that is missing or damaged here begins so");
}

static int has(uint8_t (*const list)[HASH_BYTES], size_t n, const uint8_t hash[HASH_BYTES])
{
    for (size_t i = 0; list && i < n; i++)
        if (!memcmp(list[i], hash, HASH_BYTES)) return 1;
    return 0;
}

int rsp_roles_forget(struct rsp_log *log, const char *const *names, size_t n, const struct rsp_identity *root,
                     uint8_t (*hashes)[32], size_t *added)
{
    struct rsp_repo *repo = log->repo;
    const struct rsp_roles *now = rsp_repo_roles(repo);
    struct rsp_roles draft = *now;
    struct missed missed = {0};
    size_t room = 0;
    int rc;
    *added = 0;
    if (!log->full) return fail(&repo->env, RSP_ESTATE, NULL, "giving up a roles record needs the whole record log");
    if (!n || n > RECORD_MAX / HASH_BYTES) return fail(&repo->env, RSP_EINVAL, NULL, "none, or too many at once");
    draft.lost = NULL;
    rc = missed_load(log, &missed);
    if (rc) goto out;
    room = (now->lost_n + n) * HASH_BYTES;
    draft.lost = mem_alloc(&repo->env, room);
    if (!draft.lost) {
        rc = RSP_ENOMEM;
        goto out;
    }
    if (now->lost_n) memcpy(draft.lost, now->lost, now->lost_n * HASH_BYTES);
    for (size_t i = 0; !rc && i < n; i++) {
        rc = seek(repo, &missed, names[i], hashes[i]);
        if (rc || roles_given_up(repo, hashes[i], 0) || has(draft.lost, draft.lost_n, hashes[i])) continue;
        memcpy(draft.lost[draft.lost_n++], hashes[i], HASH_BYTES);
        ++*added;
    }
    if (!rc && *added) rc = rsp_repo_set_roles(repo, &draft, root);
out:
    if (draft.lost) mem_free(&repo->env, draft.lost, room);
    mem_free(&repo->env, missed.p, missed.cap * sizeof *missed.p);
    if (rc) *added = 0;
    return rc;
}
