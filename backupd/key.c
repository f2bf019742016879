/* What this is: key new, show, list, rewrap, republish.
 * Rests on: context.h, identity.h.
 * Does not: change roles (key_roles.c). */
#include <string.h>
#include <sys/stat.h>

#include "backupd/identity.h"
#include "cli/exit.h"

int verb_key_new(struct context *c)
{
    const char *path = c->o->value[O_OUT].text, *name;
    struct rsp_identity *id = NULL;
    struct rsp_public key;
    char host[64], text[RSP_PUBLIC_TEXT];
    int rc, code;
    if (!path) return options_usage(c->o, "--out FILE is missing: where the identity goes");
    name = identity_name(c, host);
    if (!name) return EXIT_USAGE;
    rc = rsp_identity_new(&c->env, name, &id);
    if (!rc && c->has_root) rc = rsp_identity_set_root(id, &c->root);
    code = rc ? context_fault(c, rc, NULL, EXIT_INTERNAL) : identity_save(c, id, path);
    if (code < 0) {
        rsp_identity_public(id, &key);
        rsp_public_text(&key, text);
        if (c->o->value[O_JSON].count) {
            struct json j;
            json_init(&j, stdout, 1);
            json_object(&j, NULL);
            json_text(&j, "file", path);
            json_text(&j, "name", name);
            json_text(&j, "public", text);
            json_close(&j, '}');
        } else {
            printf("%s\n", text);
        }
        code = EXIT_OK;
    }
    rsp_identity_free(id);
    return code;
}

/* ---- show ---- */

static void show_one(struct context *c, struct json *j, const struct rsp_identity *id)
{
    const struct rsp_roles *roles = c->repo ? rsp_repo_roles(c->repo) : NULL;
    const struct rsp_member *m;
    struct rsp_public key;
    char text[RSP_PUBLIC_TEXT], rights[RIGHTS_TEXT] = "";
    const char *name;
    rsp_identity_public(id, &key);
    rsp_public_text(&key, text);
    m = roles ? rsp_roles_find(roles, key.sign) : NULL;
    name = m && m->name[0] ? m->name : rsp_identity_name(id);
    if (m) rights_text(rights, m);
    if (j) {
        json_object(j, NULL);
        json_text(j, "public", text);
        if (*name) json_text(j, "name", name);
        if (roles) json_text(j, "rights", m ? rights : "-");
        json_close(j, '}');
        return;
    }
    printf("public  %s\n", text);
    if (*name) printf("name    %s\n", name);
    if (roles) printf("rights  %s\n", m ? rights : "- (not in the roles record)");
}

int verb_key_show(struct context *c)
{
    struct json j, *out = NULL;
    int code;
    code = c->o->value[O_REPO].text ? context_repo(c, NEED_SIGN) : context_identities(c, NEED_SIGN);
    if (code >= 0) return code;
    if (!c->identities) return context_fault(c, RSP_EKEY, c->url, EXIT_NO_KEY);
    if (c->o->value[O_JSON].count) {
        out = &j;
        json_init(out, stdout, 1);
        json_object(out, NULL);
        json_array(out, "identities");
    }
    for (size_t i = 0; i < c->identities; i++) show_one(c, out, c->identity[i]);
    if (out) {
        json_close(out, ']');
        json_close(out, '}');
    }
    return EXIT_OK;
}

/* ---- list ---- */

static void list_json(const struct rsp_roles *roles)
{
    struct json j;
    char text[RSP_PUBLIC_TEXT], rights[RIGHTS_TEXT], hex[HEX32];
    json_init(&j, stdout, 1);
    json_object(&j, NULL);
    json_u64(&j, "roles", roles->n);
    text_hex(hex, roles->hash, 32);
    json_text(&j, "hash", hex);
    json_array(&j, "identities");
    for (size_t i = 0; i < roles->members_n; i++) {
        const struct rsp_member *m = &roles->members[i];
        rsp_public_text(&m->key, text);
        rights_text(rights, m);
        json_object(&j, NULL);
        json_text(&j, "name", m->name);
        json_text(&j, "rights", rights);
        if (m->sources) {
            json_array(&j, "sources");
            for (size_t k = 0; k < m->sources_n; k++) {
                text_hex(hex, m->sources[k], 16);
                json_text(&j, NULL, hex);
            }
            json_close(&j, ']');
        }
        json_bool(&j, "passphrase", m->sealed != NULL);
        json_text(&j, "public", text);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_close(&j, '}');
}

int verb_key_list(struct context *c)
{
    const struct rsp_roles *roles;
    char text[RSP_PUBLIC_TEXT], rights[RIGHTS_TEXT], time[TEXT_MAX];
    int code = context_repo(c, NEED_NOTHING);
    if (code >= 0) return code;
    roles = rsp_repo_roles(c->repo);
    if (c->o->value[O_JSON].count) {
        list_json(roles);
        return EXIT_OK;
    }
    printf("roles record %llu of %s\n", (unsigned long long)roles->n, text_utc(time, (int64_t)roles->time_ms));
    for (size_t i = 0; i < roles->members_n; i++) {
        const struct rsp_member *m = &roles->members[i];
        rsp_public_text(&m->key, text);
        rights_text(rights, m);
        printf("%-20s %-26s %s%s\n", m->name[0] ? m->name : "-", rights, text, m->sealed ? " (passphrase)" : "");
    }
    return EXIT_OK;
}

/* ---- rewrap, republish ---- */

int verb_key_rewrap(struct context *c)
{
    size_t added = 0, shut = 0;
    int code = context_repo(c, NEED_READ), rc;
    if (code < 0) code = context_log(c, NULL, 0, 1);
    if (code >= 0) return code;
    rc = rsp_repo_rewrap(c->repo, c->log, &added, &shut);
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    if (c->o->value[O_JSON].count) {
        struct json j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        json_u64(&j, "envelopes_added", added);
        json_u64(&j, "epochs_shut", shut);
        context_json_troubles(c, &j);
        json_close(&j, '}');
    } else {
        printf("%zu envelopes added", added);
        if (shut) printf("; %zu epochs stay shut: no identity at hand opens them", shut);
        putchar('\n');
    }
    if (!shut) return EXIT_OK;
    return added ? EXIT_FINDINGS : context_fault(c, RSP_EKEY, c->url, EXIT_NO_KEY);
}

int verb_key_republish(struct context *c)
{
    size_t n = 0;
    int code, rc;
    c->accept_rollback = 1; /* fewer records than were seen: that is what is mended here */
    code = context_repo(c, NEED_NOTHING);
    if (code >= 0) return code;
    rc = rsp_repo_republish_roles(c->repo, &n);
    if (rc) return context_fault(c, rc, c->url, EXIT_STORAGE);
    if (c->o->value[O_JSON].count) {
        struct json j;
        json_init(&j, stdout, 0);
        json_object(&j, NULL);
        json_u64(&j, "republished", n);
        json_close(&j, '}');
    } else {
        printf("%zu roles records put back\n", n);
    }
    return EXIT_OK;
}
