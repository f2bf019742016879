/* What this is: identities: made, derived from their secret, and what their keys do.
 * Rests on: identity.h, identity_text.h, libsodium.
 * Does not: read or write their text (identity_text.c, identity_parse.c) or ask for a passphrase. */
#include "seal/identity.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "seal/identity_text.h"

_Static_assert(crypto_box_PUBLICKEYBYTES == 32 && crypto_box_SECRETKEYBYTES == 32, "X25519");

static int derive(struct rsp_identity *id)
{
    static const char sign[] = "respite sign seed", box[] = "respite box scalar";
    keyed256(id->s->sign_seed, id->s->secret, sign, sizeof sign - 1);
    keyed256(id->s->box, id->s->secret, box, sizeof box - 1);
    sign_public(id->s->sign_seed, id->public.sign);
    return crypto_scalarmult_base(id->public.box, id->s->box);
}

int identity_from_secret(const struct rsp_env *env, const uint8_t secret[32], const char *name,
                         struct rsp_identity **ret)
{
    struct rsp_env e;
    struct rsp_identity *id = NULL;
    size_t name_n = name ? strlen(name) : 0;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    if ((rc = crypt_init(&e))) return rc;
    if (name_n && !name_good(name, name_n))
        return fail(&e, RSP_EINVAL, NULL,
                    "the name of an identity is 1 to 63 printable ASCII characters, no blank at either end");
    id = mem_zero(&e, sizeof *id);
    if (!id) return RSP_ENOMEM;
    id->env = e;
    id->s = secret_new(&e, sizeof *id->s);
    if (!id->s) {
        rsp_identity_free(id);
        return RSP_ENOMEM;
    }
    memcpy(id->s->secret, secret, sizeof id->s->secret);
    if (name_n) memcpy(id->name, name, name_n);
    if (derive(id)) {
        rsp_identity_free(id);
        return fail(&e, RSP_EINVAL, NULL, "no key pair can be derived from this secret");
    }
    *ret = id;
    return RSP_OK;
}

int rsp_identity_new(const struct rsp_env *env, const char *name, struct rsp_identity **ret)
{
    struct rsp_env e;
    uint8_t *secret;
    int rc;
    *ret = NULL;
    env_init(&e, env);
    if ((rc = crypt_init(&e))) return rc;
    secret = secret_new(&e, 32);
    if (!secret) return RSP_ENOMEM;
    rc = random_bytes(&e, secret, 32);
    if (!rc) rc = identity_from_secret(&e, secret, name, ret);
    secret_free(secret);
    return rc;
}

void rsp_identity_free(struct rsp_identity *id)
{
    struct rsp_env e;
    if (!id) return;
    e = id->env;
    secret_free(id->s);
    mem_free(&e, id, sizeof *id);
}

void rsp_identity_public(const struct rsp_identity *id, struct rsp_public *key)
{
    *key = id->public;
}

const char *rsp_identity_name(const struct rsp_identity *id)
{
    return id->name;
}

const struct rsp_public *rsp_identity_root(const struct rsp_identity *id)
{
    return id->has_root ? &id->root : NULL;
}

int rsp_identity_set_root(struct rsp_identity *id, const struct rsp_public *root)
{
    id->has_root = root != NULL;
    if (root) id->root = *root;
    return RSP_OK;
}

void identity_sign(const struct rsp_identity *id, const void *p, size_t n, uint8_t signature[64])
{
    sign_bytes(id->s->sign_seed, p, n, signature);
}

int identity_unbox(const struct rsp_identity *id, uint8_t *m, const uint8_t *c, size_t c_n)
{
    if (c_n < crypto_box_SEALBYTES) return 0;
    return crypto_box_seal_open(m, c, c_n, id->public.box, id->s->box) == 0;
}

int rsp_identity_seal(const struct rsp_identity *id, struct rsp_span passphrase, uint8_t out[RSP_SEALED_BYTES])
{
    return passphrase_seal(&id->env, id->s->secret, passphrase, out);
}

void rsp_lineage_of(const struct rsp_public *root, uint8_t lineage[16])
{
    uint8_t h[HASH_BYTES];
    hash256(h, root->sign, sizeof root->sign);
    memcpy(lineage, h, ID_BYTES);
}

void rsp_source_id(const uint8_t lineage[16], const char *name, uint8_t id[16])
{
    crypto_generichash_state st;
    uint8_t h[HASH_BYTES];
    crypto_generichash_init(&st, NULL, 0, sizeof h);
    crypto_generichash_update(&st, lineage, ID_BYTES);
    crypto_generichash_update(&st, (const uint8_t *)name, strlen(name));
    crypto_generichash_final(&st, h, sizeof h);
    memcpy(id, h, ID_BYTES);
}
