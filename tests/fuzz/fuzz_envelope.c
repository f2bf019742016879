/* What this is: the fuzz target of envelopes.
 * Rests on: fuzz.h, seal/envelope.h.
 * Does not: write them; the corpus holds some that open. */
#include "fuzz.h"

#include "seal/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct rsp_identity *id; /* of the secret 0, 1, 2 ... 31 */
    uint8_t lineage[16], epoch[16], key[32], commitment[32], made[32];
    struct rsp_span bytes = {data, n};
    size_t readers = 0;
    int rc, named;
    if (!id) {
        uint8_t secret[32];
        for (size_t i = 0; i < 32; i++) secret[i] = (uint8_t)i;
        MUST(identity_from_secret(NULL, secret, NULL, &id) == RSP_OK);
    }
    for (size_t i = 0; i < 32; i++) key[i] = (uint8_t)(50 + i);
    for (size_t i = 0; i < 16; i++) epoch[i] = (uint8_t)(16 + i);
    rsp_lineage_of(&id->public, lineage);
    epoch_commitment(key, lineage, epoch, commitment);
    rc = envelope_open(bytes, lineage, epoch, commitment, &id, 1, key);
    named = envelope_names(bytes, &id->public, &readers);
    MUST(rc == RSP_OK || rc == RSP_EKEY || rc == RSP_EINTEGRITY);
    MUST(readers <= ENVELOPE_READERS_MAX && (!named || readers));
    if (rc == RSP_OK) {
        epoch_commitment(key, lineage, epoch, made);
        MUST(named && !memcmp(made, commitment, sizeof made));
    }
    return 0;
}
