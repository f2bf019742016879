/* What this is: tests of hashes, signatures, the AEAD, hexadecimal and random bytes.
 * Rests on: libcheck; the expected values were made by other implementations (hashlib, OpenSSL).
 * Does not: test libsodium. */
#include "keys_test.h"

#include "base/mem.h"
#include "seal/crypt.h"

START_TEST(hashes)
{
    uint8_t h[32], key[32];
    ramp(key, 32, 0);
    ck_assert_int_eq(crypt_init(&env), RSP_OK);
    ck_assert_int_eq(crypt_init(&env), RSP_OK);
    hash256(h, "abc", 3);
    same_hex(h, 32, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    hash256(h, NULL, 0);
    same_hex(h, 32, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    keyed256(h, key, "commit", 6);
    same_hex(h, 32, "cb23539607527661a47eb1a151741fc752f91606e0974aa32ad52f19b8e33911");
}
END_TEST

START_TEST(sha)
{
    struct sha256 *s;
    uint8_t h[32];
    ck_assert_int_eq(sha256_new(&env, &s), RSP_OK);
    ck_assert_int_eq(sha256_add(s, "a", 1), RSP_OK);
    ck_assert_int_eq(sha256_add(s, NULL, 0), RSP_OK);
    ck_assert_int_eq(sha256_add(s, "bc", 2), RSP_OK);
    ck_assert_int_eq(sha256_end(s, h), RSP_OK);
    same_hex(h, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    ck_assert_int_eq(sha256_add(s, "d", 1), RSP_ESTATE);
    ck_assert_int_eq(sha256_end(s, h), RSP_ESTATE);
    sha256_free(s);
    sha256_free(NULL);
    ck_assert_int_eq(sha256_new(&env, &s), RSP_OK); /* ended or not, it frees */
    sha256_free(s);
    fail_nth = 0;
    ck_assert_int_eq(sha256_new(&env, &s), RSP_ENOMEM);
    ck_assert_ptr_null(s);
}
END_TEST

START_TEST(signatures)
{
    uint8_t seed[32], public[32], sig[64], text[7] = "respite";
    unhex("87f0cb5df13bf513e632453095d351b01b0b58e8abe46164197f27fcf33a9932", seed, 32);
    sign_public(seed, public);
    same_hex(public, 32, "cb8b1e9715576f00b528a346e9963611c2aa972494417bd5d196c91c76657ca8");
    sign_bytes(seed, text, 7, sig);
    same_hex(sig, 64,
             "20cff07a0d75faaa3ca796234528595a7839a22223f56b018c847f194b9558188fbfacf576941b42d1026e843ab7849ad511f5ddc"
             "3f4ae5b26275ba85fc63b0f");
    ck_assert(sign_check(public, text, 7, sig));
    ck_assert(!sign_check(public, text, 6, sig));
    for (size_t i = 0; i < 64 * 8; i++) {
        sig[i / 8] ^= (uint8_t)(1 << i % 8);
        ck_assert(!sign_check(public, text, 7, sig));
        sig[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    memset(public, 0, sizeof public); /* a point of small order signs nothing */
    ck_assert(!sign_check(public, text, 7, sig));
}
END_TEST

static unsigned told;
static uint8_t told_key[32], told_nonce[12];
static void witness(const uint8_t key[KEY_BYTES], const uint8_t nonce[12])
{
    told++;
    memcpy(told_key, key, 32);
    memcpy(told_nonce, nonce, 12);
}

START_TEST(aead)
{
    uint8_t key[32], nonce[12], c[7 + TAG_BYTES], m[7 + TAG_BYTES];
    ramp(key, 32, 0);
    ramp(nonce, 12, 0);
    aead_witness = witness;
    aead_seal(c, (const uint8_t *)"respite", 7, nonce, key);
    aead_witness = NULL;
    ck_assert_uint_eq(told, 1);
    ck_assert_mem_eq(told_key, key, 32);
    ck_assert_mem_eq(told_nonce, nonce, 12);
    same_hex(c, sizeof c, "fb9e7b704063c0580dc918a15a8717d578b107bfd5bfcf");
    ck_assert(aead_open(m, c, sizeof c, nonce, key));
    ck_assert_mem_eq(m, "respite", 7);
    for (size_t n = 0; n < sizeof c; n++) ck_assert(!aead_open(m, c, n, nonce, key));
    for (size_t i = 0; i < sizeof c * 8; i++) {
        memcpy(m, c, sizeof c);
        m[i / 8] ^= (uint8_t)(1 << i % 8);
        ck_assert(!aead_open(m, m, sizeof m, nonce, key));
    }
    memcpy(m, c, sizeof c);
    ck_assert(aead_open(m, m, sizeof m, nonce, key)); /* in place */
    ck_assert_mem_eq(m, "respite", 7);
    nonce[8] = 1;
    ck_assert(!aead_open(m, c, sizeof c, nonce, key));
    aead_seal(c, NULL, 0, nonce, key);
    ck_assert(aead_open(m, c, TAG_BYTES, nonce, key));
}
END_TEST

START_TEST(hex)
{
    uint8_t p[3] = {0x00, 0xaf, 0x19}, q[3];
    char text[7];
    hex_text(text, p, 3);
    ck_assert_str_eq(text, "00af19");
    ck_assert(hex_parse(text, 6, q, 3));
    ck_assert_mem_eq(p, q, 3);
    ck_assert(!hex_parse("00af1", 5, q, 3));
    ck_assert(!hex_parse("00af190", 7, q, 3));
    ck_assert(!hex_parse("00AF19", 6, q, 3));
    ck_assert(!hex_parse("00af1g", 6, q, 3));
    ck_assert(!hex_parse("0 af19", 6, q, 3));
    ck_assert(hex_parse("", 0, q, 0));
}
END_TEST

START_TEST(randomness_and_secrets)
{
    uint8_t p[4], *s;
    ck_assert_int_eq(crypt_init(&env), RSP_OK);
    ck_assert_int_eq(random_bytes(&env, p, 4), RSP_OK);
    same_hex(p, 4, "00010203");
    env.random = no_random;
    ck_assert_int_eq(random_bytes(&env, p, 4), RSP_EIO);
    ck_assert_int_eq(error.code, RSP_EIO);
    s = secret_new(&env, 32);
    ck_assert_ptr_nonnull(s);
    s[31] = 1;
    wipe(s, 32);
    ck_assert(same_bytes(s, "\0\0\0\0", 4));
    ck_assert(!same_bytes(s, "\0\0\0\1", 4));
    secret_free(s);
    secret_free(NULL);
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, hashes);
    tcase_add_test(tc, sha);
    tcase_add_test(tc, signatures);
    tcase_add_test(tc, aead);
    tcase_add_test(tc, hex);
    tcase_add_test(tc, randomness_and_secrets);
}

int main(void)
{
    return run_suite("crypt", (void (*const[])(TCase *)){add}, 1);
}
