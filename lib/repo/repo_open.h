/* What this is: the steps of opening a repository, shared with those of making one.
 * Rests on: repo_impl.h.
 * Does not: leave this folder. */
#ifndef REPO_REPO_OPEN_H
#define REPO_REPO_OPEN_H

#include "repo/repo_impl.h"

#define REPOSITORY_OBJECT_MAX 4096u
#define FOUND_MAX 100000u /* names in one folder */

/* Objects whose names hold a hash, as listed: by n, then hash. */
struct found {
    uint64_t n; /* of roles; else 0 */
    int64_t mtime_ms;
    uint8_t hash[HASH_BYTES];
    int status;      /* what came of fetching it */
    const char *why; /* fixed words */
};
struct found_list {
    struct found *p;
    size_t n, cap;
    size_t foreign; /* names that are none */
};
/* folder: "roles", "repository" or "keys/<epoch>". Foreign names become notes of the repo when repo is not NULL. At
 * most max are taken, in the order of the store. */
int found_load(const struct rsp_env *env, struct rsp_store *store, struct rsp_repo *repo, const char *folder,
               size_t max, struct found_list *list);
/* As found_load, but the max oldest by the store's time are taken, in that order (then by hash): what was added to a
 * folder later stands behind. *more: names that were left out. */
int found_oldest(const struct rsp_env *env, struct rsp_store *store, const char *folder, size_t max,
                 struct found_list *list, size_t *more);
void found_free(const struct rsp_env *env, struct found_list *list);

/* respite-format(5), "repository". */
struct repository_object {
    uint8_t hash[HASH_BYTES], id[ID_BYTES], lineage[ID_BYTES];
    uint64_t time_ms; /* 0: not told */
};
int repository_encode(struct buf *out, const struct repository_object *object);
/* RSP_EINTEGRITY or RSP_EVERSION, without words. */
int repository_parse(struct rsp_span bytes, struct repository_object *object);
/* Publishes one; fills in its hash. */
int repository_put(const struct rsp_env *env, struct rsp_store *store, struct repository_object *object);

/* 1: the object is bad, and the rest of the store may be good; 0: the store is. */
int fault_of_object(int status);
/* What was turned into a trouble is not to stand in the error record. */
void forget_fault(const struct rsp_repo *repo);

/* roles_chain.c: everything in roles/ and in the state into repo->roles, checked; troubles. */
int repo_load_roles(struct rsp_repo *repo);
/* Takes roles over; frees it when it is there already or on a fault. *fresh (may be NULL): it was not there. */
int repo_add_roles(struct rsp_repo *repo, struct rsp_roles *roles, int *fresh);

#endif
