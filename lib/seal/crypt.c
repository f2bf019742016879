/* What this is: the primitives everything sealed is made of, over libsodium and OpenSSL's SHA-256.
 * Rests on: crypt.h, base/mem.h, libsodium, libcrypto.
 * Does not: know any format; check what libsodium has proven. */
#include "seal/crypt.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "base/mem.h"

_Static_assert(crypto_generichash_BYTES_MAX >= HASH_BYTES && crypto_generichash_KEYBYTES_MAX >= KEY_BYTES, "BLAKE2b");
_Static_assert(crypto_aead_chacha20poly1305_IETF_KEYBYTES == KEY_BYTES, "AEAD key");
_Static_assert(crypto_aead_chacha20poly1305_IETF_ABYTES == TAG_BYTES, "AEAD tag");
_Static_assert(crypto_sign_SEEDBYTES == 32 && crypto_sign_BYTES == 64, "Ed25519");

void (*aead_witness)(const uint8_t key[KEY_BYTES], const uint8_t nonce[12]);

int crypt_init(const struct rsp_env *env)
{
    if (sodium_init() < 0)
        return fail(env, RSP_EUNSUPPORTED, NULL,
                    "libsodium cannot start: the system gives it no random bytes; see that /dev/urandom is there");
    return RSP_OK;
}

void hash256(uint8_t out[HASH_BYTES], const void *p, size_t n)
{
    crypto_generichash(out, HASH_BYTES, p, n, NULL, 0);
}

void keyed256(uint8_t out[HASH_BYTES], const uint8_t key[KEY_BYTES], const void *p, size_t n)
{
    crypto_generichash(out, HASH_BYTES, p, n, key, KEY_BYTES);
}

/* Asked for once: looking an algorithm up costs more than hashing a small record. Never changes afterwards. */
static EVP_MD *sha256_md;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void sha256_fetch(void)
{
    sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
}

struct sha256 {
    struct rsp_env env;
    EVP_MD_CTX *ctx;
    int ended;
};

int sha256_new(const struct rsp_env *env, struct sha256 **ret)
{
    struct rsp_env e;
    struct sha256 *h;
    *ret = NULL;
    env_init(&e, env);
    pthread_once(&sha256_once, sha256_fetch);
    if (!sha256_md) return fail(&e, RSP_EUNSUPPORTED, NULL, "OpenSSL has no SHA-256 here; see its configuration file");
    h = mem_zero(&e, sizeof *h);
    if (!h) return RSP_ENOMEM;
    h->env = e;
    h->ctx = EVP_MD_CTX_new();
    if (!h->ctx || !EVP_DigestInit_ex2(h->ctx, sha256_md, NULL)) {
        sha256_free(h);
        return fail(&e, RSP_ENOMEM, NULL, "cannot allocate the state of SHA-256");
    }
    *ret = h;
    return RSP_OK;
}

int sha256_add(struct sha256 *h, const void *p, size_t n)
{
    if (h->ended) return fail(&h->env, RSP_ESTATE, NULL, "SHA-256 has ended and takes no more");
    if (n && !EVP_DigestUpdate(h->ctx, p, n)) return fail(&h->env, RSP_EUNSUPPORTED, NULL, "OpenSSL's SHA-256 failed");
    return RSP_OK;
}

int sha256_end(struct sha256 *h, uint8_t out[32])
{
    unsigned n = 0;
    if (h->ended) return fail(&h->env, RSP_ESTATE, NULL, "SHA-256 has ended already");
    h->ended = 1;
    if (!EVP_DigestFinal_ex(h->ctx, out, &n) || n != 32)
        return fail(&h->env, RSP_EUNSUPPORTED, NULL, "OpenSSL's SHA-256 failed");
    return RSP_OK;
}

void sha256_free(struct sha256 *h)
{
    struct rsp_env e;
    if (!h) return;
    e = h->env;
    EVP_MD_CTX_free(h->ctx);
    mem_free(&e, h, sizeof *h);
}

int random_bytes(const struct rsp_env *env, void *p, size_t n)
{
    if (n && env->random(env->random_opaque, p, n))
        return fail(env, RSP_EIO, NULL, "the random source failed: no key can be made");
    return RSP_OK;
}

void *secret_new(const struct rsp_env *env, size_t n)
{
    void *p = sodium_malloc(n);
    if (!p) {
        fail(env, RSP_ENOMEM, NULL, "cannot allocate %zu bytes of guarded memory for a key", n);
        return NULL;
    }
    memset(p, 0, n);
    return p;
}

void secret_free(void *p)
{
    sodium_free(p);
}

void wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

int same_bytes(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void sign_public(const uint8_t seed[32], uint8_t public[32])
{
    uint8_t sk[crypto_sign_SECRETKEYBYTES];
    crypto_sign_seed_keypair(public, sk, seed);
    sodium_memzero(sk, sizeof sk);
}

void sign_bytes(const uint8_t seed[32], const void *p, size_t n, uint8_t signature[64])
{
    uint8_t sk[crypto_sign_SECRETKEYBYTES], pk[crypto_sign_PUBLICKEYBYTES];
    crypto_sign_seed_keypair(pk, sk, seed);
    crypto_sign_detached(signature, NULL, p, n, sk);
    sodium_memzero(sk, sizeof sk);
}

int sign_check(const uint8_t public[32], const void *p, size_t n, const uint8_t signature[64])
{
    return crypto_sign_verify_detached(signature, p, n, public) == 0;
}

void aead_seal(uint8_t *c, const uint8_t *m, size_t n, const uint8_t nonce[12], const uint8_t key[KEY_BYTES])
{
    if (aead_witness) aead_witness(key, nonce);
    crypto_aead_chacha20poly1305_ietf_encrypt(c, NULL, m, n, NULL, 0, NULL, nonce, key);
}

int aead_open(uint8_t *m, const uint8_t *c, size_t c_n, const uint8_t nonce[12], const uint8_t key[KEY_BYTES])
{
    if (c_n < TAG_BYTES || c_n - TAG_BYTES > crypto_aead_chacha20poly1305_IETF_MESSAGEBYTES_MAX) return 0;
    return crypto_aead_chacha20poly1305_ietf_decrypt(m, NULL, NULL, c, c_n, NULL, 0, nonce, key) == 0;
}

void hex_text(char *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *out++ = digits[p[i] >> 4];
        *out++ = digits[p[i] & 15];
    }
    *out = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

int hex_parse(const char *s, size_t s_n, uint8_t *out, size_t n)
{
    if (s_n / 2 != n || s_n % 2) return 0;
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(s[2 * i]), low = hex_digit(s[2 * i + 1]);
        if (high < 0 || low < 0) return 0;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 1;
}
