/* What this is: opening a repository: which it is, whom it trusts, who is at hand.
 * Rests on: repo_open.h.
 * Does not: read the log. */
#include <stdio.h>
#include <string.h>

#include "repo/repo_open.h"

struct opening {
    struct rsp_repo *repo;
    struct rsp_repo_options o;
    struct repository_object *objects; /* the good ones, by name */
    size_t objects_n, objects_cap, bad;
    uint8_t known_lineage[ID_BYTES], known_id[ID_BYTES]; /* of the state, by URL */
    int known;
};

int fault_of_object(int status)
{
    switch (status) {
    case RSP_EINTEGRITY:
    case RSP_EFORMAT:
    case RSP_EVERSION:
    case RSP_ETRUNCATED:
    case RSP_ELIMIT:
    case RSP_ENOTFOUND:
    case RSP_EPERM:
    case RSP_EIO: return 1;
    default: return 0;
    }
}

void forget_fault(const struct rsp_repo *repo)
{
    rsp_error_clear(repo->env.error);
}

int repo_get_hashed(struct rsp_repo *repo, const char *name, const uint8_t hash[HASH_BYTES], size_t max, uint8_t **p,
                    size_t *n)
{
    uint8_t made[HASH_BYTES];
    int rc = rsp_store_get(repo->store, name, max, p, n);
    if (rc == RSP_ELIMIT) {
        if (repo->env.error && repo->env.error->code == rc) forget_fault(repo);
        return fail(&repo->env, RSP_EINTEGRITY, name, "is larger than the %zu bytes that it may have", max);
    }
    if (rc) return rc;
    hash256(made, *p, *n);
    if (!memcmp(made, hash, HASH_BYTES)) return RSP_OK;
    rsp_store_release(repo->store, *p, *n);
    *p = NULL;
    *n = 0;
    return fail(&repo->env, RSP_EINTEGRITY, name, "its bytes are not those that its name stands for");
}

/* ---- the repository object ---- */

static int bad_object(struct opening *op, const char *name, int rc)
{
    struct rsp_repo *repo = op->repo;
    forget_fault(repo);
    op->bad++;
    if (rc == RSP_EVERSION)
        return repo_trouble(repo, rc, "object", name, "use a newer release; when none was ever used here, remove it",
                            "it was written by a newer release");
    return repo_trouble(repo, RSP_EINTEGRITY, "object", name,
                        "remove it; when no other is there, backupd key republish on a host that knows the repository "
                        "makes one anew",
                        "the repository object is damaged or cannot be read");
}

static int fetch_object(struct opening *op, const uint8_t hash[HASH_BYTES])
{
    struct rsp_repo *repo = op->repo;
    struct repository_object one;
    char name[NAME_MAX_BYTES];
    uint8_t *p = NULL;
    size_t n = 0;
    int rc;
    name_hashed(name, "repository", hash);
    rc = repo_get_hashed(repo, name, hash, REPOSITORY_OBJECT_MAX, &p, &n);
    if (!rc) {
        rc = repository_parse((struct rsp_span){p, n}, &one);
        rsp_store_release(repo->store, p, n);
    }
    if (rc) return fault_of_object(rc) ? bad_object(op, name, rc) : rc;
    op->objects[op->objects_n++] = one;
    return RSP_OK;
}

static int load_objects(struct opening *op)
{
    struct rsp_repo *repo = op->repo;
    struct found_list list = {0}, roles = {0};
    int rc = found_load(&repo->env, repo->store, repo, "repository", FOUND_MAX, &list);
    if (rc) return rc;
    if (!list.n) {
        rc = found_load(&repo->env, repo->store, NULL, "roles", 1, &roles);
        if (!rc && !roles.n)
            rc = fail(&repo->env, RSP_ENOREPO, rsp_store_url(repo->store),
                      op->known ? "there is no repository, though this host knew one there: is everything mounted?"
                                : "there is no repository; backupd init makes one");
        found_free(&repo->env, &roles);
    } else {
        op->objects_cap = list.n;
        op->objects = mem_alloc(&repo->env, list.n * sizeof *op->objects);
        rc = op->objects ? RSP_OK : RSP_ENOMEM;
    }
    for (size_t i = 0; !rc && i < list.n; i++) rc = fetch_object(op, list.p[i].hash);
    found_free(&repo->env, &list);
    return rc;
}

/* ---- the pin ---- */

static int has_lineage(const struct opening *op, const struct rsp_public *root)
{
    uint8_t lineage[ID_BYTES];
    rsp_lineage_of(root, lineage);
    for (size_t i = 0; i < op->objects_n; i++)
        if (!memcmp(op->objects[i].lineage, lineage, ID_BYTES)) return 1;
    return 0;
}

/* An identity that names the root of this repository, else one that names any, else one that is root. */
static int pin_of_identities(const struct opening *op, struct rsp_public *root)
{
    const struct rsp_public *named, *any = NULL;
    for (size_t i = 0; i < op->o.identities_n; i++) {
        named = rsp_identity_root(op->o.identities[i]);
        if (named && has_lineage(op, named)) {
            *root = *named;
            return 1;
        }
        if (named && !any) any = named;
    }
    for (size_t i = 0; i < op->o.identities_n; i++) {
        rsp_identity_public(op->o.identities[i], root);
        if (has_lineage(op, root)) return 1;
    }
    if (any) *root = *any;
    else if (op->objects_n || !op->o.identities_n) return 0;
    else rsp_identity_public(op->o.identities[0], root); /* its roles will tell: the repository object is lost */
    return 1;
}

static int find_pin(struct opening *op)
{
    struct rsp_repo *repo = op->repo;
    int rc = RSP_OK;
    if (op->o.root) repo->root = *op->o.root;
    else if (op->known) rc = rsp_state_root(repo->state, op->known_lineage, &repo->root);
    else if (!pin_of_identities(op, &repo->root))
        rc = fail(&repo->env, RSP_EINVAL, rsp_store_url(repo->store),
                  "whom to trust is not known here: name the root with --root, or give an identity that names it, or "
                  "the recovery seed, with --identity");
    if (!rc) rsp_lineage_of(&repo->root, repo->lineage);
    return rc;
}

/* ---- which repository ---- */

static int missing_object(struct opening *op)
{
    char name[NAME_MAX_BYTES], hex[2 * ID_BYTES + 1];
    hex_text(hex, op->repo->id, ID_BYTES);
    snprintf(name, sizeof name, "repository/");
    if (op->repo->id_sure)
        return repo_trouble(op->repo, RSP_EINTEGRITY, "object", name, "backupd key republish makes it anew",
                            "the object of the repository %s, which this host knows, is not there", hex);
    if (op->bad) return RSP_OK; /* told */
    return repo_trouble(op->repo, RSP_EINTEGRITY, "object", name,
                        "backupd key republish on a host that knows the repository makes it anew",
                        "the repository object is not there");
}

static int pick_id(struct opening *op)
{
    struct rsp_repo *repo = op->repo;
    char name[NAME_MAX_BYTES];
    size_t ours = 0;
    int there = 0, rc = RSP_OK;
    if (op->known && !memcmp(op->known_lineage, repo->lineage, ID_BYTES)) {
        memcpy(repo->id, op->known_id, ID_BYTES);
        repo->id_sure = 1;
    }
    for (size_t i = 0; !rc && i < op->objects_n; i++) {
        const struct repository_object *o = &op->objects[i];
        int same = !memcmp(o->lineage, repo->lineage, ID_BYTES);
        name_hashed(name, "repository", o->hash);
        if (same && !ours++ && !repo->id_sure) memcpy(repo->id, o->id, ID_BYTES);
        if (same && !memcmp(o->id, repo->id, ID_BYTES)) there = 1;
        else
            rc = repo_trouble(repo, RSP_OK, "foreign", name, NULL, "%s",
                              same ? "another repository object of this lineage; its id may not be this one's"
                                   : "a repository object of another lineage; passed over");
    }
    if (rc) return rc;
    if (op->objects_n && !ours)
        return fail(&repo->env, RSP_EINTEGRITY, rsp_store_url(repo->store),
                    "the repository there is not of the lineage that is trusted here (by %s)",
                    op->o.root  ? "--root"
                    : op->known ? "the state directory"
                                : "an identity");
    if (ours == 1 && !op->bad) repo->id_sure = 1;
    if (!there) return missing_object(op);
    for (size_t i = 0; i < repo->troubles_n; i++) { /* garbage beside a sound one stops nobody: records name the id */
        struct rsp_trouble *t = &repo->troubles[i];
        if (t->status == RSP_EINTEGRITY && !strncmp(t->name, "repository/", 11)) t->status = RSP_OK;
    }
    return RSP_OK;
}

/* ---- open and free ---- */

static int keep_options(struct opening *op)
{
    struct rsp_repo *repo = op->repo;
    size_t bytes = op->o.identities_n * sizeof *repo->identities;
    repo->store = op->o.store;
    repo->state = op->o.state;
    repo->accept_rollback = op->o.accept_rollback;
    if (op->o.expect_head && !(repo->expect_head = mem_strdup(&repo->env, op->o.expect_head))) return RSP_ENOMEM;
    if (!bytes) return RSP_OK;
    repo->identities = mem_alloc(&repo->env, bytes);
    if (!repo->identities) return RSP_ENOMEM;
    memcpy(repo->identities, op->o.identities, bytes);
    repo->identities_n = op->o.identities_n;
    return RSP_OK;
}

static int ask_state(struct opening *op)
{
    int rc;
    if (!op->repo->state) return RSP_OK;
    rc = state_find(op->repo->state, rsp_store_url(op->repo->store), op->known_lineage, op->known_id);
    op->known = !rc;
    return rc == RSP_ENOTFOUND ? RSP_OK : rc;
}

int rsp_repo_open(const struct rsp_env *env, const struct rsp_repo_options *options, struct rsp_repo **ret)
{
    struct rsp_env e;
    struct opening op = {0};
    int rc;
    *ret = NULL;
    env_init(&e, env);
    memcpy(&op.o, options, options->size && options->size < sizeof op.o ? options->size : sizeof op.o);
    if (!op.o.store || (op.o.identities_n && !op.o.identities))
        return fail(&e, RSP_EINVAL, NULL, "a repository is opened on a store");
    rc = crypt_init(&e);
    if (rc) return rc;
    op.repo = mem_zero(&e, sizeof *op.repo);
    if (!op.repo) return RSP_ENOMEM;
    op.repo->env = e;
    rc = keep_options(&op);
    if (!rc) rc = ask_state(&op);
    if (!rc) rc = load_objects(&op);
    if (!rc) rc = find_pin(&op);
    if (!rc) rc = pick_id(&op);
    if (!rc) rc = repo_load_roles(op.repo);
    mem_free(&e, op.objects, op.objects_cap * sizeof *op.objects);
    if (rc) {
        rsp_repo_free(op.repo);
        return trail(&e, rc, "opening the repository");
    }
    *ret = op.repo;
    return RSP_OK;
}

void rsp_repo_free(struct rsp_repo *repo)
{
    struct rsp_env env;
    if (!repo) return;
    env = repo->env;
    for (size_t i = 0; i < repo->roles_n; i++) rsp_roles_free(repo->roles[i]);
    mem_free(&env, repo->roles, repo->roles_n * sizeof *repo->roles);
    mem_free(&env, repo->identities, repo->identities_n * sizeof *repo->identities);
    if (repo->expect_head) mem_free(&env, repo->expect_head, strlen(repo->expect_head) + 1);
    repo_troubles_free(repo);
    mem_free(&env, repo, sizeof *repo);
}

void rsp_repo_id(const struct rsp_repo *repo, uint8_t id[16])
{
    memcpy(id, repo->id, ID_BYTES);
}

void rsp_repo_lineage(const struct rsp_repo *repo, uint8_t lineage[16])
{
    memcpy(lineage, repo->lineage, ID_BYTES);
}

const struct rsp_identity *rsp_repo_signer(const struct rsp_repo *repo, uint32_t flag, const uint8_t source[16])
{
    const struct rsp_roles *roles = rsp_repo_roles(repo);
    struct rsp_public key;
    for (size_t i = 0; i < repo->identities_n; i++) {
        const struct rsp_member *member;
        rsp_identity_public(repo->identities[i], &key);
        member = rsp_roles_find(roles, key.sign);
        if ((member && rsp_member_may(member, flag, source)) || !memcmp(key.sign, repo->root.sign, sizeof key.sign))
            return repo->identities[i];
    }
    return NULL;
}
