/* What this is: a secret under a passphrase: Argon2id and one authenticated box.
 * Rests on: identity.h, identity_text.h, base/bytes.h, libsodium.
 * Does not: ask anyone but the function it is given, or do any work before the parameters are within bounds. */
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "seal/identity.h"
#include "seal/identity_text.h"

#define VERSION 1
#define OPS_MIN 2u
#define OPS_MAX 16u
#define OPS_WRITTEN 3u
#define KIB_MIN 65536u
#define KIB_MAX 1048576u
#define KIB_WRITTEN 262144u
#define HEAD_BYTES 25 /* version, operations, memory, salt: what the box authenticates beside the secret */
#define SALT_AT 9

_Static_assert(crypto_pwhash_SALTBYTES == HEAD_BYTES - SALT_AT, "salt");
_Static_assert(HEAD_BYTES + 32 + TAG_BYTES == RSP_SEALED_BYTES, "the sealed secret of respite-format(5)");

static const uint8_t zero_nonce[crypto_aead_chacha20poly1305_IETF_NPUBBYTES];

/* In secret memory, freed with secret_free; NULL: RSP_ENOMEM was written. */
static uint8_t *derive(const struct rsp_env *env, const char *subject, const uint8_t *head, struct rsp_span passphrase)
{
    uint32_t kib = load_le32(head + 5);
    uint8_t *key = secret_new(env, KEY_BYTES);
    if (!key) return NULL;
    if (!crypto_pwhash(key, KEY_BYTES, (const char *)passphrase.p, passphrase.n, head + SALT_AT, load_le32(head + 1),
                       (size_t)kib * 1024, crypto_pwhash_ALG_ARGON2ID13))
        return key;
    secret_free(key);
    fail(env, RSP_ENOMEM, subject, "the passphrase needs %u MiB of memory for a moment; they are not there",
         (unsigned)(kib / 1024));
    return NULL;
}

int passphrase_seal(const struct rsp_env *env, const uint8_t secret[32], struct rsp_span passphrase,
                    uint8_t out[RSP_SEALED_BYTES])
{
    uint8_t *key;
    int rc = crypt_init(env);
    if (rc) return rc;
    if (!passphrase.n) return fail(env, RSP_EINVAL, NULL, "an empty passphrase protects nothing: give one");
    if (passphrase.n > PASSPHRASE_MAX)
        return fail(env, RSP_EINVAL, NULL, "a passphrase has at most %d bytes; this one has %zu", PASSPHRASE_MAX,
                    passphrase.n);
    out[0] = VERSION;
    store_le32(out + 1, OPS_WRITTEN);
    store_le32(out + 5, KIB_WRITTEN);
    if ((rc = random_bytes(env, out + SALT_AT, HEAD_BYTES - SALT_AT))) return rc;
    if (!(key = derive(env, NULL, out, passphrase))) return RSP_ENOMEM;
    if (aead_witness) aead_witness(key, zero_nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(out + HEAD_BYTES, NULL, secret, 32, out, HEAD_BYTES, NULL, zero_nonce,
                                              key);
    secret_free(key);
    return RSP_OK;
}

int passphrase_bounds(const struct rsp_env *env, const char *subject, const uint8_t sealed[RSP_SEALED_BYTES])
{
    uint32_t ops = load_le32(sealed + 1), kib = load_le32(sealed + 5);
    if (sealed[0] != VERSION)
        return fail(env, RSP_EVERSION, subject,
                    "the secret is sealed in form %u; this version of respite knows form %u only", sealed[0], VERSION);
    if (ops < OPS_MIN || ops > OPS_MAX)
        return fail(env, RSP_ELIMIT, subject,
                    "the sealed secret asks for %u operations of Argon2id; %u to %u are accepted", ops, OPS_MIN,
                    OPS_MAX);
    if (kib < KIB_MIN || kib > KIB_MAX)
        return fail(env, RSP_ELIMIT, subject, "the sealed secret asks for %u KiB of memory; %u to %u are accepted", kib,
                    KIB_MIN, KIB_MAX);
    return RSP_OK;
}

int passphrase_open(const struct rsp_env *env, const char *subject, const uint8_t sealed[RSP_SEALED_BYTES],
                    struct rsp_span passphrase, uint8_t secret[32])
{
    uint8_t *key;
    int rc = crypt_init(env);
    if (rc) return rc;
    if ((rc = passphrase_bounds(env, subject, sealed))) return rc;
    if (!passphrase.n) return fail(env, RSP_EKEY, subject, "the passphrase is empty");
    if (passphrase.n > PASSPHRASE_MAX)
        return fail(env, RSP_EKEY, subject, "a passphrase has at most %d bytes", PASSPHRASE_MAX);
    if (!(key = derive(env, subject, sealed, passphrase))) return RSP_ENOMEM;
    if (crypto_aead_chacha20poly1305_ietf_decrypt(secret, NULL, NULL, sealed + HEAD_BYTES, 32 + TAG_BYTES, sealed,
                                                  HEAD_BYTES, zero_nonce, key)) {
        wipe(secret, 32);
        rc = fail(env, RSP_EKEY, subject, "wrong passphrase, or the sealed secret is damaged");
    }
    secret_free(key);
    return rc;
}

int passphrase_ask(const struct rsp_env *env, const char *subject, const uint8_t sealed[RSP_SEALED_BYTES],
                   rsp_ask_fn ask, void *opaque, uint8_t secret[32])
{
    char *text;
    size_t n = 0;
    int rc = passphrase_bounds(env, subject, sealed); /* nobody types for what cannot be opened */
    if (rc) return rc;
    if (!ask) return fail(env, RSP_EKEY, subject, "the secret is under a passphrase, and none was given");
    if ((rc = crypt_init(env))) return rc;
    text = secret_new(env, PASSPHRASE_MAX);
    if (!text) return RSP_ENOMEM;
    rc = ask(opaque, subject ? subject : "an identity without a name", text, PASSPHRASE_MAX, &n);
    if (rc) rc = fail(env, rc < 0 ? rc : RSP_EUSER, subject, "no passphrase could be had");
    else if (n > PASSPHRASE_MAX) rc = fail(env, RSP_EKEY, subject, "a passphrase has at most %d bytes", PASSPHRASE_MAX);
    else rc = passphrase_open(env, subject, sealed, (struct rsp_span){(const uint8_t *)text, n}, secret);
    secret_free(text);
    return rc;
}
