/* What this is: making a repository, and publishing roles records.
 * Rests on: repo_open.h.
 * Does not: change what is there. */
#include <string.h>

#include "repo/repo_open.h"

#define ALL_ROLES (RSP_ROLE_READ | RSP_ROLE_WRITE | RSP_ROLE_KEEP | RSP_ROLE_PROVE | RSP_ROLE_ROOT)

static int put_roles(struct rsp_store *store, const struct rsp_roles *roles)
{
    char name[NAME_MAX_BYTES];
    name_roles(name, roles->n, roles->hash);
    return rsp_store_put(store, name, roles->bytes, roles->bytes_n);
}

/* ---- init ---- */

static int check_empty(const struct rsp_env *env, struct rsp_store *store, struct rsp_state *state)
{
    struct found_list list = {0}, roles = {0};
    uint8_t lineage[ID_BYTES], id[ID_BYTES];
    const char *url = rsp_store_url(store);
    int rc = found_load(env, store, NULL, "repository", 1, &list);
    if (!rc && (list.n || list.foreign)) {
        rc = found_load(env, store, NULL, "roles", 1, &roles);
        if (!rc)
            rc = fail(env, RSP_EEXIST, url,
                      roles.n ? "there is a repository already"
                              : "there is a repository without roles: an init was cut short; remove what it left in "
                                "repository/ and try again");
    }
    found_free(env, &list);
    found_free(env, &roles);
    if (rc || !state) return rc;
    rc = state_find(state, url, lineage, id);
    if (!rc)
        return fail(env, RSP_EEXIST, url,
                    "there is none any more, but this host knew a repository there: take its line out of the file "
                    "repos in the state directory first");
    return rc == RSP_ENOTFOUND ? RSP_OK : rc;
}

/* Root itself, with every flag, and the members. */
static int first_roles(const struct rsp_env *env, const struct rsp_identity *root, const struct rsp_member *members,
                       size_t members_n, struct rsp_roles **ret)
{
    struct rsp_roles draft = {0};
    struct rsp_public key;
    const char *name = rsp_identity_name(root);
    struct rsp_member *all = mem_zero(env, (members_n + 1) * sizeof *all);
    size_t n;
    int rc;
    if (!all) return RSP_ENOMEM;
    rsp_identity_public(root, &key);
    if (!*name) name = "root";
    n = strlen(name);
    all[0].key = key;
    all[0].flags = ALL_ROLES;
    memcpy(all[0].name, name, n < sizeof all[0].name ? n : sizeof all[0].name - 1);
    if (members_n) memcpy(all + 1, members, members_n * sizeof *all);
    rsp_lineage_of(&key, draft.lineage);
    draft.n = 1;
    draft.time_ms = (uint64_t)env->now_ms(env->clock_opaque);
    draft.members = all;
    draft.members_n = members_n + 1;
    rc = rsp_roles_sign(env, &draft, root, ret);
    mem_free(env, all, (members_n + 1) * sizeof *all);
    return rc;
}

static int bind(struct rsp_state *state, const char *url, const struct rsp_public *root, const uint8_t *id,
                struct rsp_roles *const *roles, size_t roles_n)
{
    int rc = rsp_state_bind(state, url, root, id);
    for (size_t i = 0; !rc && i < roles_n; i++) rc = state_roles_save(state, roles[i]);
    return rc;
}

int rsp_repo_init(const struct rsp_env *env, struct rsp_store *store, struct rsp_state *state,
                  const struct rsp_identity *root, const struct rsp_member *members, size_t members_n,
                  struct rsp_repo *roles_from, uint8_t id[16])
{
    struct rsp_env e;
    struct repository_object object = {{0}, {0}, {0}, 0};
    struct rsp_roles *first = NULL, **roles = &first;
    struct rsp_public pin;
    size_t roles_n = 1;
    int rc;
    env_init(&e, env);
    if (!root == !roles_from || (roles_from && members_n))
        return fail(&e, RSP_EINVAL, NULL, "a new repository takes either a root with members or the roles of another");
    rc = crypt_init(&e);
    if (!rc) rc = check_empty(&e, store, state);
    if (rc) goto out;
    if (root) {
        rsp_identity_public(root, &pin);
        rc = first_roles(&e, root, members, members_n, &first);
    } else {
        pin = roles_from->root;
        roles = roles_from->roles;
        roles_n = roles_from->roles_n;
    }
    if (!rc) rc = random_bytes(&e, object.id, ID_BYTES);
    if (rc) goto out;
    rsp_lineage_of(&pin, object.lineage);
    object.time_ms = (uint64_t)e.now_ms(e.clock_opaque);
    rc = repository_put(&e, store, &object);
    for (size_t i = 0; !rc && i < roles_n; i++) rc = put_roles(store, roles[i]);
    if (!rc && state) rc = bind(state, rsp_store_url(store), &pin, object.id, roles, roles_n);
    if (!rc) memcpy(id, object.id, ID_BYTES);
out:
    rsp_roles_free(first);
    return rc ? trail(&e, rc, "making a repository") : RSP_OK;
}

/* ---- roles ---- */

/* RSP_EEXIST: root has signed a record of number n or above that this repository handle does not know. Files that only
 * pretend to be one hold nobody up. */
static int look_for_newer(struct rsp_repo *repo, uint64_t n)
{
    struct found_list list = {0};
    int rc = found_load(&repo->env, repo->store, NULL, "roles", FOUND_MAX, &list);
    for (size_t i = 0; !rc && i < list.n; i++) {
        const struct found *f = &list.p[i];
        struct rsp_roles *roles = NULL;
        char name[NAME_MAX_BYTES];
        uint8_t *p = NULL;
        size_t p_n = 0;
        if (f->n < n || repo_roles_by_hash(repo, f->hash)) continue;
        name_roles(name, f->n, f->hash);
        rc = repo_get_hashed(repo, name, f->hash, RECORD_MAX, &p, &p_n);
        if (!rc) {
            struct rsp_span bytes = {p, p_n};
            rc = rsp_roles_parse(&repo->env, bytes, repo->root.sign, name, &roles);
            rsp_store_release(repo->store, p, p_n);
        }
        if (!rc || rc == RSP_EVERSION) {
            rsp_roles_free(roles);
            rc = fail(&repo->env, RSP_EEXIST, name, "somebody else published new roles meanwhile: try again");
        } else if (fault_of_object(rc)) {
            forget_fault(repo);
            rc = RSP_OK;
        }
    }
    found_free(&repo->env, &list);
    return rc;
}

int rsp_repo_set_roles(struct rsp_repo *repo, const struct rsp_roles *draft, const struct rsp_identity *root)
{
    const struct rsp_roles *newest = rsp_repo_roles(repo);
    struct rsp_roles next = *draft, *signed_roles = NULL;
    int rc;
    if (newest->n >= NAME_SEQ_MAX) return fail(&repo->env, RSP_ELIMIT, NULL, "there are too many roles records");
    memcpy(next.lineage, repo->lineage, ID_BYTES);
    memcpy(next.root, repo->root.sign, sizeof next.root);
    memcpy(next.previous, newest->hash, HASH_BYTES);
    next.n = newest->n + 1;
    next.time_ms = (uint64_t)repo->env.now_ms(repo->env.clock_opaque);
    rc = rsp_roles_sign(&repo->env, &next, root, &signed_roles);
    if (!rc) rc = look_for_newer(repo, next.n);
    if (!rc) rc = put_roles(repo->store, signed_roles);
    if (rc) {
        rsp_roles_free(signed_roles);
        return trail(&repo->env, rc, "publishing new roles");
    }
    if (repo->state && state_roles_save(repo->state, signed_roles)) {
        forget_fault(repo);
        log_line(&repo->env, RSP_LOG_WARN, "the new roles could not be remembered in the state directory");
    }
    return repo_add_roles(repo, signed_roles, NULL);
}

/* ---- putting back ---- */

/* Of the store: 1 there and right, 0 not there, 2 damaged; below 0 a fault. */
static int look(struct rsp_repo *repo, const char *name, const uint8_t hash[HASH_BYTES], size_t max)
{
    struct rsp_store_item item;
    uint8_t *p = NULL;
    size_t n = 0;
    int rc = rsp_store_stat(repo->store, name, &item);
    if (!rc) rc = repo_get_hashed(repo, name, hash, max, &p, &n);
    if (!rc) {
        rsp_store_release(repo->store, p, n);
        return 1;
    }
    if (!fault_of_object(rc)) return rc;
    forget_fault(repo);
    return rc == RSP_ENOTFOUND ? 0 : 2;
}

/* The object is not signed: one that names the id is as good as the one that was lost. */
static int put_object(struct rsp_repo *repo, size_t *n)
{
    struct repository_object object = {{0}, {0}, {0}, 0};
    struct found_list list = {0};
    int good = 0, rc = found_load(&repo->env, repo->store, NULL, "repository", FOUND_MAX, &list);
    for (size_t i = 0; !rc && !good && i < list.n; i++) {
        char name[NAME_MAX_BYTES];
        uint8_t *p = NULL;
        size_t p_n = 0;
        name_hashed(name, "repository", list.p[i].hash);
        rc = repo_get_hashed(repo, name, list.p[i].hash, REPOSITORY_OBJECT_MAX, &p, &p_n);
        if (!rc) {
            struct rsp_span bytes = {p, p_n};
            good = !repository_parse(bytes, &object) && !memcmp(object.id, repo->id, ID_BYTES) &&
                   !memcmp(object.lineage, repo->lineage, ID_BYTES);
            rsp_store_release(repo->store, p, p_n);
        } else if (fault_of_object(rc)) {
            forget_fault(repo);
            rc = RSP_OK;
        }
    }
    found_free(&repo->env, &list);
    if (rc || good) return rc;
    memcpy(object.id, repo->id, ID_BYTES);
    memcpy(object.lineage, repo->lineage, ID_BYTES);
    object.time_ms = 0;
    rc = repository_put(&repo->env, repo->store, &object);
    if (!rc) ++*n;
    return rc;
}

int rsp_repo_republish_roles(struct rsp_repo *repo, size_t *n)
{
    int rc = RSP_OK;
    *n = 0;
    for (size_t i = 0; !rc && i < repo->roles_n; i++) {
        const struct rsp_roles *r = repo->roles[i];
        char name[NAME_MAX_BYTES];
        int there;
        name_roles(name, r->n, r->hash);
        there = look(repo, name, r->hash, RECORD_MAX);
        if (there == 1) continue;
        rc = there < 0    ? there
             : there == 0 ? put_roles(repo->store, r)
                          : rsp_store_repair(repo->store, name, r->bytes, r->bytes_n);
        if (!rc) ++*n;
    }
    if (!rc && repo->id_sure) rc = put_object(repo, n);
    return rc ? trail(&repo->env, rc, "putting roles back") : RSP_OK;
}
