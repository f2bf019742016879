/* What this is: the envelope: an epoch key wrapped for its readers, and the commitment it must match.
 * Rests on: identity.h.
 * Does not: sign: it is believed only when what it opens to matches. respite-format(5), "Envelope". */
#ifndef SEAL_ENVELOPE_H
#define SEAL_ENVELOPE_H

#include "base/buf.h"
#include "seal/identity.h"

#define ENVELOPE_READERS_MAX 256

void epoch_commitment(const uint8_t key[KEY_BYTES], const uint8_t lineage[ID_BYTES], const uint8_t epoch[ID_BYTES],
                      uint8_t out[HASH_BYTES]);

/* Appends the whole envelope. readers 1..256, else RSP_EINVAL. */
int envelope_write(const struct rsp_env *env, const uint8_t epoch[ID_BYTES], const uint8_t key[KEY_BYTES],
                   const struct rsp_public *readers, size_t readers_n, struct buf *out);

/* Tries every identity on every wrap. RSP_OK: key (secret memory of the caller) is the one that matches the commitment.
 * RSP_EKEY: well-formed, but no identity opens it to that. RSP_EINTEGRITY: malformed, or of another epoch. Writes no
 * error record: the caller knows whether another envelope is there to try. */
int envelope_open(struct rsp_span bytes, const uint8_t lineage[ID_BYTES], const uint8_t epoch[ID_BYTES],
                  const uint8_t commitment[HASH_BYTES], struct rsp_identity *const *identities, size_t n,
                  uint8_t key[KEY_BYTES]);

/* 1 when it is well-formed and has a wrap for key (told by the hint). *readers_n (may be NULL) becomes their number. */
int envelope_names(struct rsp_span bytes, const struct rsp_public *key, size_t *readers_n);

#endif
