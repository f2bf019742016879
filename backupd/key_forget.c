/* What this is: key forget: giving up roles records that the storage lost and no host has.
 * Rests on: context.h.
 * Does not: put one back (key republish), or bring back what it had changed. */
#include <stdlib.h>

#include "backupd/context.h"
#include "cli/exit.h"

/* What is given up is judged anew: the repository and its log as they are now. */
static int open_again(struct context *c)
{
    struct rsp_repo_options options = {.size = sizeof options,
                                       .store = c->store,
                                       .state = c->remembers ? c->state : NULL,
                                       .root = c->has_root ? &c->root : NULL,
                                       .identities = c->identity,
                                       .identities_n = c->identities,
                                       .accept_rollback = c->o->value[O_ACCEPT_ROLLBACK].count > 0,
                                       .expect_head = c->o->value[O_EXPECT_HEAD].text};
    int rc;
    rsp_log_free(c->log);
    c->log = NULL;
    rsp_repo_free(c->repo);
    c->repo = NULL;
    rc = rsp_repo_open(&c->env, &options, &c->repo);
    return rc ? context_fault(c, rc, c->url, EXIT_STORAGE) : context_log(c, NULL, 0, 0);
}

static void print_forgotten(struct context *c, uint8_t (*hashes)[32], size_t added)
{
    const struct rsp_roles *roles = rsp_repo_roles(c->repo);
    char hex[HEX32];
    if (c->o->value[O_JSON].count) {
        struct json j;
        json_init(&j, stdout, 1);
        json_object(&j, NULL);
        json_array(&j, "forgotten");
        for (size_t i = 0; i < c->o->operands; i++) {
            text_hex(hex, hashes[i], 32);
            json_text(&j, NULL, hex);
        }
        json_close(&j, ']');
        json_u64(&j, "added", added);
        json_u64(&j, "roles", roles->n);
        context_json_troubles(c, &j);
        json_close(&j, '}');
    } else {
        for (size_t i = 0; i < c->o->operands; i++) {
            text_hex(hex, hashes[i], 32);
            printf("given up for ever: roles record %s\n", hex);
        }
    }
    if (added)
        print_err("note: what it changed is not known any more: the rights of roles record %llu hold; look at "
                  "'key list', and add or remove again whom it had added or removed",
                  (unsigned long long)roles->n);
}

int verb_key_forget(struct context *c)
{
    const struct rsp_identity *root = NULL;
    uint8_t(*hashes)[32] = NULL;
    size_t n = c->o->operands, added = 0;
    int code = context_repo(c, NEED_SIGN), rc;
    if (code < 0) code = context_signer(c, RSP_ROLE_ROOT, NULL, &root);
    if (code < 0) code = context_log(c, NULL, 0, 0);
    if (code >= 0) return code;
    hashes = calloc(n, sizeof *hashes);
    if (!hashes) return context_fault(c, RSP_ENOMEM, NULL, EXIT_CAPACITY);
    rc = rsp_roles_forget(c->log, (const char *const *)c->o->operand, n, root, hashes, &added);
    if (rc == RSP_EEXIST)
        context_words(c, rc, c->url, 0,
                      "somebody else changed the roles meanwhile; look at 'key list', then try again");
    if (rc) {
        code = context_fault(c, rc, c->url, EXIT_STORAGE);
        if (rc == RSP_ENOTFOUND) code = EXIT_NOT_FOUND;
        if (rc == RSP_EDENIED) code = EXIT_USAGE; /* the library's refusal, not the storage's */
    } else {
        code = open_again(c);
        if (code < 0) print_forgotten(c, hashes, added);
        else print_err("%zu roles records were given up all the same", added);
    }
    free(hashes);
    return code < 0 ? EXIT_OK : code;
}
