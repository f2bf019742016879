/* What this is: the primitives everything sealed is made of: hashes, signatures, random bytes, locked memory.
 * Rests on: base/mem.h, libsodium; OpenSSL's EVP for SHA-256.
 * Does not: know any format. respite-format(5), DESCRIPTION, defines H and keyed. */
#ifndef SEAL_CRYPT_H
#define SEAL_CRYPT_H

#include <respite/env.h>

#define HASH_BYTES 32
#define KEY_BYTES 32
#define ID_BYTES 16
#define TAG_BYTES 16

/* Must have been called (it is cheap and may be again, from any thread) before anything below: RSP_OK, or
 * RSP_EUNSUPPORTED when libsodium cannot work here. */
int crypt_init(const struct rsp_env *env);

/* H(x) and keyed(K, x). */
void hash256(uint8_t out[HASH_BYTES], const void *p, size_t n);
void keyed256(uint8_t out[HASH_BYTES], const uint8_t key[KEY_BYTES], const void *p, size_t n);

/* SHA-256 of what is added. new, any number of adds, end once; free either way. */
struct sha256;
int sha256_new(const struct rsp_env *env, struct sha256 **ret);
int sha256_add(struct sha256 *h, const void *p, size_t n);
int sha256_end(struct sha256 *h, uint8_t out[32]);
void sha256_free(struct sha256 *h);

/* From env's random source: RSP_OK or RSP_EIO. */
int random_bytes(const struct rsp_env *env, void *p, size_t n);

/* Memory for keys: locked where the system allows it, guarded, wiped when freed. NULL: RSP_ENOMEM was written. */
void *secret_new(const struct rsp_env *env, size_t n);
void secret_free(void *p); /* NULL does nothing */
void wipe(void *p, size_t n);
int same_bytes(const void *a, const void *b, size_t n); /* in constant time; 1 when equal */

/* Ed25519. seed 32 bytes. check: 1 when the signature is right. */
void sign_public(const uint8_t seed[32], uint8_t public[32]);
void sign_bytes(const uint8_t seed[32], const void *p, size_t n, uint8_t signature[64]);
int sign_check(const uint8_t public[32], const void *p, size_t n, const uint8_t signature[64]);

/* One AEAD message (suite 1): c has n + TAG_BYTES bytes. open: 1 when it is authentic. m may be c. */
void aead_seal(uint8_t *c, const uint8_t *m, size_t n, const uint8_t nonce[12], const uint8_t key[KEY_BYTES]);
int aead_open(uint8_t *m, const uint8_t *c, size_t c_n, const uint8_t nonce[12], const uint8_t key[KEY_BYTES]);

/* Every (key, nonce) given to aead_seal is told to this function when it is set: the tests' proof that no pair
 * repeats. Not for use outside tests. */
extern void (*aead_witness)(const uint8_t key[KEY_BYTES], const uint8_t nonce[12]);

/* Lower-case hexadecimal: out has 2n + 1 bytes. parse: 1 when s is exactly 2n digits. */
void hex_text(char *out, const uint8_t *p, size_t n);
int hex_parse(const char *s, size_t s_n, uint8_t *out, size_t n);

#endif
