/* What this is: the fuzz target of roles records: as they are, and signed by a root that the target knows.
 * Rests on: fuzz.h, seal/identity.h.
 * Does not: look for a forged signature; it would not find one. */
#include "fuzz.h"

#include "seal/identity.h"

/* What was accepted can be signed again, unless root is not in it, and means the same. */
static void again(const struct rsp_roles *r, const struct rsp_identity *root)
{
    struct rsp_roles *back = NULL;
    struct rsp_env env = {.size = sizeof env};
    int rc = rsp_roles_sign(&env, r, root, &back);
    if (!rsp_roles_find(r, r->root)) {
        MUST(rc == RSP_EINVAL && !back);
        return;
    }
    MUST(rc == RSP_OK);
    MUST(back->n == r->n && back->time_ms == r->time_ms && back->members_n == r->members_n);
    MUST(back->left_n == r->left_n && back->lost_n == r->lost_n && back->bytes_n <= r->bytes_n + 14);
    for (size_t i = 0; i < r->members_n; i++) {
        const struct rsp_member *a = r->members + i, *b = back->members + i;
        MUST(a->flags == b->flags && a->sources_n == b->sources_n && a->sealed_n == b->sealed_n);
        MUST(!strcmp(a->name, b->name) && !memcmp(&a->key, &b->key, sizeof a->key));
    }
    rsp_roles_free(back);
}

static void parse(const struct rsp_identity *root, const uint8_t *p, size_t n)
{
    struct rsp_error error;
    struct rsp_env env = {.size = sizeof env, .error = &error};
    struct rsp_roles *r = NULL;
    int rc;
    memset(&error, 0, sizeof error);
    rc = rsp_roles_parse(&env, (struct rsp_span){p, n}, root->public.sign, "input", &r);
    MUST(rc == RSP_OK || rc == RSP_EINTEGRITY);
    MUST(error.code == rc && !rc == !!r);
    if (r) again(r, root);
    rsp_roles_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct rsp_identity *root; /* of the secret 0, 1, 2 ... 31 */
    uint8_t *copy;
    if (!root) {
        uint8_t secret[32];
        for (size_t i = 0; i < 32; i++) secret[i] = (uint8_t)i;
        MUST(identity_from_secret(NULL, secret, NULL, &root) == RSP_OK);
    }
    parse(root, data, n);
    if (n < 64) return 0;
    copy = malloc(n);
    MUST(copy);
    memcpy(copy, data, n);
    identity_sign(root, copy, n - 64, copy + n - 64);
    parse(root, copy, n);
    free(copy);
    return 0;
}
