/* What this is: what an identity holds, for the files that make, read and use one.
 * Rests on: respite/sys/seal.h, crypt.h.
 * Does not: leave the library. */
#ifndef SEAL_IDENTITY_H
#define SEAL_IDENTITY_H

#include <respite/sys/seal.h>

#include "seal/crypt.h"

/* In locked memory. */
struct identity_secret {
    uint8_t secret[32], sign_seed[32], box[32];
};

struct rsp_identity {
    struct rsp_env env;
    struct identity_secret *s;
    struct rsp_public public, root;
    int has_root;
    char name[64];
};

/* From 32 secret bytes. name may be NULL. */
int identity_from_secret(const struct rsp_env *env, const uint8_t secret[32], const char *name,
                         struct rsp_identity **ret);
void identity_sign(const struct rsp_identity *id, const void *p, size_t n, uint8_t signature[64]);
/* Opens crypto_box_seal: m has c_n - 48 bytes. 1 when it opens. */
int identity_unbox(const struct rsp_identity *id, uint8_t *m, const uint8_t *c, size_t c_n);

/* respite-format(5), "rsp-sealed-": without the check. Bounds are looked at before any work (RSP_ELIMIT). */
int passphrase_seal(const struct rsp_env *env, const uint8_t secret[32], struct rsp_span passphrase,
                    uint8_t out[RSP_SEALED_BYTES]);
int passphrase_open(const struct rsp_env *env, const char *subject, const uint8_t sealed[RSP_SEALED_BYTES],
                    struct rsp_span passphrase, uint8_t secret[32]);

#endif
