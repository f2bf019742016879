/* What this is: the fuzz target of listpacks and ziplists in pieces: the first byte chooses the kind and the
 *   window, the rest is the blob.
 * Rests on: fuzz.h, blob_compare.h.
 * Does not: repair the length in the header but for the sake of reaching further: every second input. */
#include "fuzz.h"

#include "blob_compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy;
    struct rsp_span blob;
    if (n < 2) return 0;
    copy = malloc(n - 1); /* of its exact size, so that a read behind it is seen */
    MUST(copy);
    memcpy(copy, data + 1, n - 1);
    if ((data[0] & 2) && n > 12) {
        store_le32(copy, (uint32_t)(n - 1));
        copy[n - 2] = 0xff;
    }
    blob = (struct rsp_span){copy, n - 1};
    MUST(blob_agree(data[0] & 1, blob, 1 + (data[0] >> 2)));
    MUST(blob_agree(data[0] & 1, blob, n));
    free(copy);
    return 0;
}
