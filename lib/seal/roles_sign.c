/* What this is: a roles record put together and signed by root, and the identity inside a member's sealed secret.
 * Rests on: roles.h, identity_text.h, base/mem.h.
 * Does not: add, remove or reorder anything: what stands in the draft is what is signed. */
#include <string.h>

#include "base/mem.h"
#include "seal/identity_text.h"
#include "seal/roles.h"

static int is_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++) any |= p[i];
    return !any;
}

/* Whoever starts a repository leaves lineage and root zero: they are filled in. */
static int check_root(const struct rsp_env *env, const struct rsp_roles *draft, const struct rsp_public *root)
{
    uint8_t lineage[ID_BYTES];
    rsp_lineage_of(root, lineage);
    if ((!is_zero(draft->lineage, ID_BYTES) && memcmp(draft->lineage, lineage, ID_BYTES)) ||
        (!is_zero(draft->root, 32) && memcmp(draft->root, root->sign, 32)))
        return fail(env, RSP_ERIGHT, NULL,
                    "only the root of this lineage can sign its roles, and the identity at hand is not it; give the "
                    "recovery sheet by --identity");
    return RSP_OK;
}

static int check_member(const struct rsp_env *env, const struct rsp_member *m, size_t i)
{
    const char *end = memchr(m->name, 0, sizeof m->name);
    if (!end || (m->name[0] && !name_good(m->name, (size_t)(end - m->name))))
        return fail(env, RSP_EINVAL, NULL,
                    "identity %zu: a name is 1 to 63 printable ASCII characters, no blank at either end", i + 1);
    if (!m->sources != !m->sources_n) /* an empty list must not become every source */
        return fail(env, RSP_EINVAL, NULL, "identity %zu: its list of sources is empty", i + 1);
    if (m->sealed ? m->sealed_n != RSP_SEALED_BYTES : m->sealed_n != 0)
        return fail(env, RSP_EINVAL, NULL, "identity %zu: a sealed secret has %d bytes", i + 1, RSP_SEALED_BYTES);
    return RSP_OK;
}

static int check_draft(const struct rsp_env *env, const struct rsp_roles *draft, const struct rsp_public *root)
{
    const char *fault;
    size_t which = 0, i;
    int rc;
    if ((rc = check_root(env, draft, root))) return rc;
    if (!draft->n) return fail(env, RSP_EINVAL, NULL, "roles records are numbered from 1");
    if (draft->members_n > ROLES_MEMBERS_MAX)
        return fail(env, RSP_EINVAL, NULL, "%zu identities are more than a roles record holds (%d)", draft->members_n,
                    ROLES_MEMBERS_MAX);
    for (i = 0; i < draft->members_n; i++)
        if ((rc = check_member(env, draft->members + i, i))) return rc;
    fault = roles_members_fault(draft->members, draft->members_n, root->sign, &which);
    if (fault) return fail(env, RSP_EINVAL, NULL, "roles cannot be signed: identity %zu has %s", which + 1, fault);
    for (i = 0; i < draft->members_n; i++)
        if (!memcmp(draft->members[i].key.sign, root->sign, 32)) return RSP_OK;
    return fail(env, RSP_EINVAL, NULL, "roles cannot be signed: root is not among the identities");
}

static int put_member(struct buf *b, const struct rsp_member *m)
{
    uint8_t keys[64];
    size_t at, name_n = 0;
    const char *end = memchr(m->name, 0, sizeof m->name);
    int rc;
    if (end) name_n = (size_t)(end - m->name);
    memcpy(keys, m->key.sign, 32);
    memcpy(keys + 32, m->key.box, 32);
    if ((rc = item_begin(b, ROLES_MEMBER, &at))) return rc;
    if ((rc = item_add(b, MEMBER_KEY, keys, sizeof keys))) return rc;
    if ((rc = item_u32(b, MEMBER_FLAGS, m->flags))) return rc;
    if (name_n && (rc = item_add(b, MEMBER_NAME, m->name, name_n))) return rc;
    if (m->sources && (rc = item_add(b, MEMBER_SOURCES, m->sources, m->sources_n * ID_BYTES))) return rc;
    if (m->sealed && (rc = item_add(b, MEMBER_SEALED, m->sealed, m->sealed_n))) return rc;
    return item_end(b, at);
}

static int put_left(struct buf *b, const struct rsp_left_head *h)
{
    uint8_t v[LEFT_BYTES];
    memcpy(v, h->signer, 32);
    memcpy(v + 32, h->source, ID_BYTES);
    memcpy(v + 32 + ID_BYTES, h->hash, HASH_BYTES);
    return item_add(b, ROLES_LEFT, v, sizeof v);
}

static int put_record(struct buf *b, const struct rsp_roles *draft, const struct rsp_public *root)
{
    uint8_t lineage[ID_BYTES];
    int rc;
    rsp_lineage_of(root, lineage);
    if ((rc = buf_add(b, ROLES_MAGIC, ROLES_MAGIC_BYTES))) return rc;
    if ((rc = item_add(b, ROLES_LINEAGE, lineage, sizeof lineage))) return rc;
    if ((rc = item_u64(b, ROLES_N, draft->n))) return rc;
    if (draft->n > 1 && (rc = item_add(b, ROLES_PREVIOUS, draft->previous, HASH_BYTES))) return rc;
    if ((rc = item_u64(b, ROLES_TIME, draft->time_ms))) return rc;
    if ((rc = item_add(b, ROLES_ROOT, root->sign, 32))) return rc;
    for (size_t i = 0; i < draft->members_n; i++)
        if ((rc = put_member(b, draft->members + i))) return rc;
    for (size_t i = 0; i < draft->left_n; i++)
        if ((rc = put_left(b, draft->left + i))) return rc;
    if (draft->lost_n && (rc = item_add(b, ROLES_LOST, draft->lost, draft->lost_n * HASH_BYTES))) return rc;
    if (b->n > ROLES_BYTES_MAX - SIGNATURE_BYTES)
        return fail(b->env, RSP_ELIMIT, NULL, "a roles record of %zu bytes is longer than 4 MiB",
                    b->n + SIGNATURE_BYTES);
    return RSP_OK;
}

int rsp_roles_sign(const struct rsp_env *env, const struct rsp_roles *draft, const struct rsp_identity *root,
                   struct rsp_roles **ret)
{
    uint8_t signature[SIGNATURE_BYTES];
    struct rsp_env e;
    struct buf b;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    buf_init(&b, &e);
    if ((rc = crypt_init(&e))) return rc;
    if ((rc = check_draft(&e, draft, &root->public))) return rc;
    if ((rc = put_record(&b, draft, &root->public))) goto out;
    identity_sign(root, b.p, b.n, signature);
    if ((rc = buf_add(&b, signature, sizeof signature))) goto out;
    rc = rsp_roles_parse(&e, (struct rsp_span){b.p, b.n}, root->public.sign, "the new roles record", ret);
out:
    buf_free(&b);
    return rc;
}

int rsp_member_open(const struct rsp_env *env, const struct rsp_member *member, rsp_ask_fn ask, void *opaque,
                    struct rsp_identity **ret)
{
    struct rsp_env e;
    const char *subject = member->name[0] ? member->name : NULL;
    struct rsp_identity *id = NULL;
    uint8_t *secret = NULL;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    if ((rc = crypt_init(&e))) return rc;
    if (!member->sealed || member->sealed_n != RSP_SEALED_BYTES)
        return fail(&e, RSP_EKEY, subject, "the roles record holds no sealed secret of this identity");
    if (!(secret = secret_new(&e, 32))) return RSP_ENOMEM;
    rc = passphrase_ask(&e, subject, member->sealed, ask, opaque, secret);
    if (!rc) rc = identity_from_secret(&e, secret, member->name, &id);
    if (!rc && memcmp(&id->public, &member->key, sizeof id->public)) {
        rsp_identity_free(id);
        id = NULL;
        rc = fail(&e, RSP_EINTEGRITY, subject, "the sealed secret opens, but belongs to another identity");
    }
    secret_free(secret);
    *ret = id;
    return rc;
}
