/* What this is: the roles records of a repository: every one in the store and in the state, verified, and their chain.
 * Rests on: repo_open.h.
 * Does not: sign one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "repo/repo_open.h"

#define WAY_REPUBLISH "backupd key republish puts it back from this host's state"
#define WAY_ROLES                                                                                                 \
    "backupd key republish on a host that has seen it, or take it from a mirror; else give it up for ever, with " \
    "root's identity: backupd key forget %.64s"

const struct rsp_roles *repo_roles_by_hash(const struct rsp_repo *repo, const uint8_t hash[HASH_BYTES])
{
    for (size_t i = 0; i < repo->roles_n; i++)
        if (!memcmp(repo->roles[i]->hash, hash, HASH_BYTES)) return repo->roles[i];
    return NULL;
}

int roles_given_up(const struct rsp_repo *repo, const uint8_t hash[HASH_BYTES], uint64_t from_n)
{
    for (size_t i = 0; i < repo->roles_n; i++) {
        const struct rsp_roles *r = repo->roles[i];
        if (r->n < from_n) continue;
        for (size_t k = 0; k < r->lost_n; k++)
            if (!memcmp(r->lost[k], hash, HASH_BYTES)) return 1;
    }
    return 0;
}

/* The first of its number: the lowest hash. */
static size_t first_of_number(const struct rsp_repo *repo, size_t i)
{
    while (i && repo->roles[i - 1]->n == repo->roles[i]->n) i--;
    return i;
}

/* One that root has given up rules no more, should it come back. */
const struct rsp_roles *rsp_repo_roles(const struct rsp_repo *repo)
{
    if (!repo->roles_n) return NULL;
    for (size_t end = repo->roles_n, from; end; end = from) {
        from = first_of_number(repo, end - 1);
        for (size_t i = from; i < end; i++)
            if (!roles_given_up(repo, repo->roles[i]->hash, 0)) return repo->roles[i];
    }
    return repo->roles[first_of_number(repo, repo->roles_n - 1)];
}

static int roles_order(const struct rsp_roles *a, const struct rsp_roles *b)
{
    if (a->n != b->n) return a->n < b->n ? -1 : 1;
    return memcmp(a->hash, b->hash, HASH_BYTES);
}

int repo_add_roles(struct rsp_repo *repo, struct rsp_roles *roles, int *fresh)
{
    size_t n = repo->roles_n, at = n, one = sizeof(struct rsp_roles *);
    void *p;
    if (fresh) *fresh = 0;
    if (repo_roles_by_hash(repo, roles->hash)) {
        rsp_roles_free(roles);
        return RSP_OK;
    }
    p = mem_resize(&repo->env, repo->roles, n * one, (n + 1) * one);
    if (!p) {
        rsp_roles_free(roles);
        return RSP_ENOMEM;
    }
    repo->roles = p;
    for (; at && roles_order(roles, repo->roles[at - 1]) < 0; at--) repo->roles[at] = repo->roles[at - 1];
    repo->roles[at] = roles;
    repo->roles_n++;
    if (fresh) *fresh = 1;
    return RSP_OK;
}

/* ---- of the state ---- */

static int each_known(void *opaque, struct rsp_span bytes)
{
    struct rsp_repo *repo = opaque;
    struct rsp_roles *roles = NULL;
    int rc = rsp_roles_parse(&repo->env, bytes, repo->root.sign, "roles remembered in the state", &roles);
    if (!rc) return repo_add_roles(repo, roles, NULL);
    if (rc == RSP_ENOMEM) return rc;
    forget_fault(repo);
    log_line(&repo->env, RSP_LOG_WARN, "a roles record in the state directory is not signed by root; passed over");
    return RSP_OK;
}

/* The memory makes a later rollback visible; without it the repository is as usable as from a host that has none. */
static void remember(struct rsp_repo *repo, const struct rsp_roles *roles)
{
    if (!repo->state || !state_roles_save(repo->state, roles)) return;
    forget_fault(repo);
    log_line(&repo->env, RSP_LOG_WARN, "roles record %llu could not be remembered in the state directory",
             (unsigned long long)roles->n);
}

/* ---- of the store ---- */

/* A fault of the object goes into *f. */
static int fetch_one(struct rsp_repo *repo, struct found *f)
{
    char name[NAME_MAX_BYTES];
    struct rsp_roles *roles = NULL;
    uint8_t *p = NULL;
    size_t n = 0;
    int rc, fresh = 0;
    name_roles(name, f->n, f->hash);
    f->why = "its bytes are not those that its name stands for";
    rc = repo_get_hashed(repo, name, f->hash, RECORD_MAX, &p, &n);
    if (!rc) {
        struct rsp_span bytes = {p, n};
        f->why = "it is malformed, of another lineage, or not signed by root";
        rc = rsp_roles_parse(&repo->env, bytes, repo->root.sign, name, &roles);
        rsp_store_release(repo->store, p, n);
        if (!rc && roles->n != f->n) {
            rsp_roles_free(roles);
            f->why = "it has another number than its name says";
            rc = RSP_EINTEGRITY;
        } else if (!rc) {
            rc = repo_add_roles(repo, roles, &fresh);
            if (!rc && fresh) remember(repo, roles);
            return rc;
        } else if (rc == RSP_EVERSION) {
            f->why = "it was written by a newer release";
        }
    } else if (rc != RSP_EINTEGRITY) {
        f->why = "it is listed and cannot be read";
    }
    if (!fault_of_object(rc)) return rc;
    forget_fault(repo);
    f->status = rc == RSP_EVERSION ? rc : RSP_EINTEGRITY;
    return RSP_OK;
}

static const struct found *listed(const struct found_list *list, const uint8_t hash[HASH_BYTES])
{
    for (size_t i = 0; i < list->n; i++)
        if (!memcmp(list->p[i].hash, hash, HASH_BYTES)) return &list->p[i];
    return NULL;
}

/* ---- the chain ---- */

static const char *way_roles(char out[256], const uint8_t hash[HASH_BYTES])
{
    char hex[2 * HASH_BYTES + 1];
    hex_text(hex, hash, HASH_BYTES);
    snprintf(out, 256, WAY_ROLES, hex);
    return out;
}

static int judge_listed(struct rsp_repo *repo, const struct found_list *list)
{
    char name[NAME_MAX_BYTES], way[256];
    int rc = RSP_OK;
    for (size_t i = 0; !rc && i < list->n; i++) {
        const struct found *f = &list->p[i];
        int lost = roles_given_up(repo, f->hash, 1);
        if (!f->status) continue;
        name_roles(name, f->n, f->hash);
        rc = repo_trouble(repo, lost ? RSP_OK : f->status, "roles", name,
                          lost                                ? NULL
                          : f->status == RSP_EVERSION         ? "use a newer release"
                          : repo_roles_by_hash(repo, f->hash) ? WAY_REPUBLISH
                                                              : way_roles(way, f->hash),
                          "%s%s", f->why, lost ? "; root has given it up" : "");
    }
    return rc;
}

static int judge_known(struct rsp_repo *repo, const struct found_list *list)
{
    char name[NAME_MAX_BYTES];
    int rc = RSP_OK;
    for (size_t i = 0; !rc && i < repo->roles_n; i++) {
        const struct rsp_roles *r = repo->roles[i];
        if (listed(list, r->hash) || roles_given_up(repo, r->hash, r->n + 1)) continue;
        name_roles(name, r->n, r->hash);
        rc = repo_trouble(repo, repo->accept_rollback ? RSP_OK : RSP_EINTEGRITY, "roles", name,
                          WAY_REPUBLISH "; --accept-rollback goes on without it",
                          "this host has seen this roles record, and the store does not show it");
    }
    return rc;
}

static int judge_chain(struct rsp_repo *repo)
{
    char name[NAME_MAX_BYTES], way[256];
    int rc = RSP_OK;
    for (size_t i = 0; !rc && i < repo->roles_n; i++) {
        const struct rsp_roles *r = repo->roles[i], *before;
        if (i && repo->roles[i - 1]->n == r->n) {
            name_roles(name, r->n, r->hash);
            rc = repo_trouble(repo, RSP_OK, "fork", name, NULL,
                              "another roles record has the number %llu too; the one of the lower hash counts",
                              (unsigned long long)r->n);
        }
        if (rc || r->n <= 1) continue;
        before = repo_roles_by_hash(repo, r->previous);
        if ((before && before->n == r->n - 1) || roles_given_up(repo, r->previous, r->n)) continue;
        name_roles(name, r->n - 1, r->previous);
        rc = repo_trouble(repo, RSP_EINTEGRITY, "roles", name, way_roles(way, r->previous),
                          before ? "the roles record %llu names one of another number as the one before it"
                                 : "the roles record %llu names this one as the one before it, and it is not there",
                          (unsigned long long)r->n);
    }
    return rc;
}

/* The newest is named: it is the one whose damage shuts everything. */
static int none_valid(struct rsp_repo *repo, const struct found_list *list)
{
    const char *url = rsp_store_url(repo->store);
    char name[NAME_MAX_BYTES];
    const struct found *f;
    if (!list->n && !list->foreign)
        return fail(&repo->env, RSP_ENOREPO, url, "there is a repository without any roles");
    if (!list->n) return fail(&repo->env, RSP_EINTEGRITY, url, "nothing in roles/ is a roles record");
    f = &list->p[list->n - 1];
    name_roles(name, f->n, f->hash);
    return fail(
        &repo->env, RSP_EINTEGRITY, name,
        "%s; none of the %zu objects in roles/ is signed by the root that is trusted here: put it back from a mirror, "
        "or run \"backupd key republish\" on a host that has seen it",
        f->why ? f->why : "not valid", list->n + list->foreign);
}

int repo_refresh_roles(struct rsp_repo *repo, int *grown)
{
    struct found_list list = {0};
    size_t before = repo->roles_n;
    int rc = found_load(&repo->env, repo->store, NULL, "roles", FOUND_MAX, &list);
    for (size_t i = 0; !rc && i < list.n; i++)
        if (!repo_roles_by_hash(repo, list.p[i].hash)) rc = fetch_one(repo, &list.p[i]);
    found_free(&repo->env, &list);
    *grown = repo->roles_n > before;
    return rc ? trail(&repo->env, rc, "looking for new roles") : RSP_OK;
}

int repo_load_roles(struct rsp_repo *repo)
{
    struct found_list list = {0};
    int rc = repo->state ? state_roles_each(repo->state, repo->lineage, each_known, repo) : RSP_OK;
    if (!rc) rc = found_load(&repo->env, repo->store, repo, "roles", FOUND_MAX, &list);
    for (size_t i = 0; !rc && i < list.n; i++) rc = fetch_one(repo, &list.p[i]);
    if (rc) goto out;
    if (!repo->roles_n) {
        rc = none_valid(repo, &list);
        goto out;
    }
    rc = judge_listed(repo, &list);
    if (!rc) rc = judge_known(repo, &list);
    if (!rc) rc = judge_chain(repo);
out:
    found_free(&repo->env, &list);
    return rc;
}
