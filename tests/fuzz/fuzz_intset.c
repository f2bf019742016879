/* What this is: the fuzz target of the intset walker.
 * Rests on: fuzz.h, enc/intset.h.
 * Does not: build a valid one; the corpus holds some. */
#include "fuzz.h"

#include "enc/intset.h"

static void walk(const uint8_t *p, size_t n)
{
    struct intset is;
    struct entry e;
    struct blob_fault fault = {0, NULL};
    unsigned sum = 0;
    char scratch[I64_TEXT];
    int rc = intset_open(&is, (struct rsp_span){p, n}, &fault);
    while (!rc && !(rc = intset_next(&is, &e, &fault))) {
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
    if (n < 8) return 0;
    copy = malloc(n);
    MUST(copy);
    memcpy(copy, data, n);
    store_le32(copy, 2U << copy[0] % 3); /* as a mutation rarely gets these right by itself */
    store_le32(copy + 4, (uint32_t)((n - 8) / load_le32(copy)));
    walk(copy, n);
    free(copy);
    return 0;
}
