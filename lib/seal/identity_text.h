/* What this is: what the text forms of identities share: prefixes, sizes, checks of names and lines.
 * Rests on: identity.h.
 * Does not: leave the folder. respite-format(5), IDENTITIES. */
#ifndef SEAL_IDENTITY_TEXT_H
#define SEAL_IDENTITY_TEXT_H

#include "seal/base32.h"
#include "seal/identity.h"

#define IDENTITY_TEXT_MAX (64u << 10) /* of an identity file */
#define PASSPHRASE_MAX 1024
#define PUBLIC_PREFIX "rsp-pub-"
#define SECRET_PREFIX "rsp-secret-"
#define SEALED_PREFIX "rsp-sealed-"
#define CHECK_BYTES 4
#define SHEET_LINES 4
#define SHEET_BYTES 10 /* of a line: 8 of the secret, 2 of its check */

/* 1 when name is 1 to 63 printable ASCII characters without a blank at either end. */
int name_good(const char *name, size_t n);

/* prefix, base32 of p and its check, a terminator: strlen(prefix) + BASE32_TEXT(n + CHECK_BYTES) + 1 bytes; n at most
 * RSP_SEALED_BYTES. The other way: 1 when the s_n bytes at s are exactly that (letters of either case). */
void checked_text(char *out, const char *prefix, const uint8_t *p, size_t n);
int checked_parse(const char *s, size_t s_n, const char *prefix, uint8_t *out, size_t n);
/* 1 when s begins with prefix, letters of either case. */
int has_prefix(const char *s, size_t s_n, const char *prefix);
int public_parse(const char *s, size_t s_n, struct rsp_public *key);

/* The check of line number (1 to 4) of a recovery sheet over its 8 bytes. */
void sheet_check(unsigned number, const uint8_t part[8], uint8_t check[2]);

/* Bounds of Argon2id (RSP_ELIMIT) and the form (RSP_EVERSION). */
int passphrase_bounds(const struct rsp_env *env, const char *subject, const uint8_t sealed[RSP_SEALED_BYTES]);
/* Asks once and opens; ask may be NULL (RSP_EKEY). */
int passphrase_ask(const struct rsp_env *env, const char *subject, const uint8_t sealed[RSP_SEALED_BYTES],
                   rsp_ask_fn ask, void *opaque, uint8_t secret[32]);

#endif
