/* What this is: backupd init: a new repository, this host made known to one, or a mirror of one.
 * Rests on: context.h, identity.h, init_recovery.h, config.h.
 * Does not: ever write the recovery seed into the state or the repository. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backupd/config.h"
#include "backupd/identity.h"
#include "backupd/init_recovery.h"
#include "cli/exit.h"

struct made {
    uint8_t id[16], lineage[16];
    struct rsp_public root, own;
    const char *name;
    uint32_t rights; /* of the host, known to be in the roles record; 0: not known */
    int has_own;
};

static void print_made(struct context *c, const struct made *m, const char *kind)
{
    char id[33], lineage[33], root[RSP_PUBLIC_TEXT], own[RSP_PUBLIC_TEXT] = "", rights[RIGHTS_TEXT];
    struct rsp_member member = {.flags = m->rights};
    text_hex(id, m->id, 16);
    text_hex(lineage, m->lineage, 16);
    rsp_public_text(&m->root, root);
    if (m->has_own) rsp_public_text(&m->own, own);
    rights_text(rights, &member);
    if (c->o->value[O_JSON].count) {
        struct json j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        json_text(&j, "made", kind);
        json_text(&j, "url", c->url);
        json_text(&j, "repository", id);
        json_text(&j, "lineage", lineage);
        json_text(&j, "root", root);
        if (m->has_own) {
            json_object(&j, "identity");
            json_text(&j, "name", m->name);
            json_text(&j, "public", own);
            if (m->rights) json_text(&j, "rights", rights);
            json_close(&j, '}');
        }
        json_close(&j, '}');
        return;
    }
    printf("repository  %s\nlineage     %s\nroot        %s\n", id, lineage, root);
    if (!m->has_own) return;
    printf("this host   %s\n", own);
    if (m->rights) printf("name        %s\nrights      %s\n", m->name, rights);
    else
        printf("\nIt has no rights yet. Whoever has the recovery sheet runs:\n"
               "  backupd key add %s --name %s --role write --repo %s --identity SHEET\n",
               own, m->name, c->url);
}

/* The host's identity in the state: made, or the one that is there. */
static int own_identity(struct context *c, struct made *m, struct rsp_identity *fresh)
{
    char path[PATH_ROOM];
    struct stat st;
    int rc = rsp_state_path(c->state, m->lineage, "identity", path, sizeof path), code;
    if (rc) return context_fault(c, rc, NULL, EXIT_CONFIG);
    m->has_own = 1;
    if (fresh && stat(path, &st)) {
        code = identity_save(c, fresh, path);
        if (code >= 0) return code;
        rsp_identity_public(fresh, &m->own);
        return -1;
    }
    code = context_identities(c, NEED_SIGN);
    if (code >= 0) return code;
    if (c->identities) rsp_identity_public(c->identity[0], &m->own);
    else m->has_own = 0;
    return -1;
}

static int new_identity(struct context *c, const char *name, const struct rsp_public *root, struct rsp_identity **ret)
{
    int rc = rsp_identity_new(&c->env, name, ret);
    if (!rc && root) rc = rsp_identity_set_root(*ret, root);
    return rc ? context_fault(c, rc, NULL, EXIT_INTERNAL) : -1;
}

/* ---- a new repository ---- */

static int seen_one(void *opaque, const struct rsp_store_item *item)
{
    (void)item;
    *(int *)opaque = 1;
    return RSP_OK;
}

/* Nothing is made when there is one already. */
static int open_empty(struct context *c, struct rsp_store **ret)
{
    /* A bucket costs somebody something: it is made only when asked for. */
    struct rsp_store_options options = {.size = sizeof options,
                                        .create = strncmp(c->url, "s3:", 3) != 0 || c->o->value[O_CREATE_BUCKET].count};
    int code = context_store(c, c->url, &options, ret), rc, found = 0;
    if (code >= 0) return code;
    rc = rsp_store_list(*ret, "repository/", seen_one, &found);
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    if (!found) return -1;
    print_err("%s: there is a repository already; 'backupd init --root PUB' makes this host known to it", c->url);
    return EXIT_TARGET;
}

static int make_roles(struct context *c, const struct rsp_identity *root, const struct rsp_identity *own,
                      struct made *m)
{
    struct rsp_member member = {.flags = RSP_ROLE_WRITE | RSP_ROLE_KEEP};
    int rc;
    if (c->o->value[O_NO_KEEP].count) member.flags = RSP_ROLE_WRITE;
    rsp_identity_public(own, &member.key);
    snprintf(member.name, sizeof member.name, "%s", m->name);
    rc = rsp_repo_init(&c->env, c->store, c->state, root, &member, 1, NULL, m->id);
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    m->rights = member.flags;
    rsp_identity_public(root, &m->root);
    rsp_lineage_of(&m->root, m->lineage);
    return -1;
}

/* Whether the step that failed came after the repository was there; when that cannot be told it may be. */
static int has_roles(struct context *c)
{
    int found = 0;
    return c->store && (rsp_store_list(c->store, "roles/", seen_one, &found) || found);
}

static int make_repository(struct context *c, struct made *m)
{
    struct rsp_identity *root = NULL, *own = NULL;
    struct recovery recovery = {0};
    struct rsp_span passphrase;
    int code = recovery_check(c, &recovery);
    if (code < 0) code = identity_passphrase(c, &passphrase);
    if (code < 0) code = context_state(c, 1);
    if (code < 0) code = open_empty(c, &c->store);
    if (code < 0) code = new_identity(c, "recovery", NULL, &root);
    if (code < 0) {
        rsp_identity_public(root, &m->root);
        code = new_identity(c, m->name, &m->root, &own);
    }
    if (code < 0) code = recovery_write(c, &recovery, root);
    if (code < 0) code = make_roles(c, root, own, m);
    /* A sheet that opens nothing would be mistaken for one that does. */
    if (code >= 0 && !has_roles(c)) recovery_undo(&recovery);
    else if (code >= 0) print_err("the repository exists, and the recovery sheet is its own: keep it");
    if (code < 0) code = own_identity(c, m, own);
    rsp_identity_free(root);
    rsp_identity_free(own);
    return code;
}

/* ---- one that is there ---- */

static int join_repository(struct context *c, struct made *m)
{
    struct rsp_identity *own = NULL;
    const struct rsp_member *member;
    struct rsp_span passphrase;
    int code = identity_passphrase(c, &passphrase), rc;
    if (code < 0) code = context_repo(c, NEED_NOTHING);
    if (code < 0) code = context_state(c, 1);
    if (code >= 0) return code;
    rsp_repo_id(c->repo, m->id);
    rsp_repo_lineage(c->repo, m->lineage);
    m->root = c->root;
    rc = rsp_state_bind(c->state, rsp_store_url(c->store), &c->root, m->id);
    if (rc == RSP_EEXIST) {
        context_fault(c, rc, c->url, EXIT_CONFIG);
        return EXIT_INTEGRITY;
    }
    if (rc) return context_fault(c, rc, c->url, EXIT_CONFIG);
    code = new_identity(c, m->name, &m->root, &own);
    if (code < 0) code = own_identity(c, m, own);
    rsp_identity_free(own);
    if (code >= 0) return code;
    member = rsp_roles_find(rsp_repo_roles(c->repo), m->own.sign);
    if (member) m->rights = member->flags;
    return -1;
}

static int mirror_repository(struct context *c, struct made *m)
{
    struct rsp_store *fresh = NULL;
    const char *url = c->url, *name = c->repo_name;
    int code = context_state(c, 1), rc;
    if (code < 0) code = context_repo_at(c, c->o->value[O_MIRROR_OF].text, NEED_NOTHING);
    c->url = url;
    c->repo_name = name;
    if (code < 0) code = open_empty(c, &fresh);
    if (code < 0) {
        memcpy(m->root.sign, rsp_repo_roles(c->repo)->root, 32);
        rc = rsp_repo_init(&c->env, fresh, c->state, NULL, NULL, 0, c->repo, m->id);
        if (rc) code = context_fault(c, rc, url, EXIT_STORAGE);
        rsp_repo_lineage(c->repo, m->lineage);
        for (size_t i = 0; i < rsp_repo_roles(c->repo)->members_n; i++) {
            const struct rsp_member *member = &rsp_repo_roles(c->repo)->members[i];
            if (!memcmp(member->key.sign, rsp_repo_roles(c->repo)->root, 32)) m->root = member->key;
        }
    }
    rsp_store_free(fresh);
    return code;
}

int verb_init(struct context *c)
{
    struct made m = {0};
    char host[64];
    const char *kind = "repository";
    int mirror = c->o->value[O_MIRROR_OF].text != NULL, code;
    c->url = config_url(c->o, c->o->value[O_REPO].text, &c->repo_name, &code);
    if (!c->url) return code ? code : options_usage(c->o, "which repository? --repo file:/path (or RESPITE_REPO)");
    m.name = identity_name(c, host);
    if (!m.name) return EXIT_USAGE;
    if (mirror && c->o->value[O_RECOVERY_OUT].text)
        return options_usage(c->o, "--recovery-out: a mirror has the root of what it mirrors, there is no new seed");
    if (mirror) {
        kind = "mirror";
        code = mirror_repository(c, &m);
    } else if (c->has_root) {
        if (c->o->value[O_RECOVERY_OUT].text)
            return options_usage(c->o, "--recovery-out: with --root this host never sees the seed");
        kind = "pin";
        code = join_repository(c, &m);
    } else {
        code = make_repository(c, &m);
    }
    if (code >= 0) return code;
    c->remembers = 1;
    print_made(c, &m, kind);
    return EXIT_OK;
}
