/* What this is: a stand-in for Argon2id that costs nothing, for the tests that open a sealed secret a thousand times.
 * Rests on: -Wl,--wrap=crypto_pwhash, libsodium.
 * Does not: stay in the way: with fake_argon 0 the real one is called. */
#ifndef TESTS_FAKE_ARGON_H
#define TESTS_FAKE_ARGON_H

#include <sodium.h>

static int fake_argon, argon_calls;

int __real_crypto_pwhash(unsigned char *out, unsigned long long n, const char *pass, unsigned long long pass_n,
                         const unsigned char *salt, unsigned long long ops, size_t mem, int alg);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long n, const char *pass, unsigned long long pass_n,
                         const unsigned char *salt, unsigned long long ops, size_t mem, int alg);
int __wrap_crypto_pwhash(unsigned char *out, unsigned long long n, const char *pass, unsigned long long pass_n,
                         const unsigned char *salt, unsigned long long ops, size_t mem, int alg)
{
    crypto_generichash_state st;
    argon_calls++;
    if (!fake_argon) return __real_crypto_pwhash(out, n, pass, pass_n, salt, ops, mem, alg);
    if (fake_argon < 0) return -1; /* no memory for it */
    crypto_generichash_init(&st, NULL, 0, (size_t)n);
    crypto_generichash_update(&st, salt, crypto_pwhash_SALTBYTES);
    crypto_generichash_update(&st, (const unsigned char *)&ops, sizeof ops);
    crypto_generichash_update(&st, (const unsigned char *)&mem, sizeof mem);
    crypto_generichash_update(&st, (const unsigned char *)pass, pass_n);
    crypto_generichash_final(&st, out, (size_t)n);
    return 0;
}

#endif
