/* What this is: the fuzz target of the ziplist walker.
 * Rests on: fuzz.h, enc/ziplist.h.
 * Does not: build a valid one; the corpus holds some. */
#include "fuzz.h"

#include "enc/ziplist.h"

static void walk(const uint8_t *p, size_t n)
{
    struct ziplist zl;
    struct entry e;
    struct blob_fault fault = {0, NULL};
    unsigned sum = 0;
    char scratch[I64_TEXT];
    int rc = ziplist_open(&zl, (struct rsp_span){p, n}, &fault);
    while (!rc && !(rc = ziplist_next(&zl, &e, &fault))) {
        struct rsp_span text = entry_text(&e, scratch);
        MUST(e.is_int || (e.p >= p && e.n <= n && (size_t)(e.p - p) <= n - e.n));
        for (size_t i = 0; i < text.n; i++) sum += text.p[i];
    }
    MUST(rc == RSP_END || rc == RSP_EFORMAT);
    MUST(rc == RSP_END || (fault.reason && fault.offset <= n));
    MUST(sum / 255 <= 20 * n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy;
    walk(data, n);
    if (n < 11) return 0;
    copy = malloc(n);
    MUST(copy);
    memcpy(copy, data, n);
    store_le32(copy, (uint32_t)n); /* as a mutation rarely gets it right by itself */
    copy[n - 1] = 0xff;
    walk(copy, n);
    free(copy);
    return 0;
}
