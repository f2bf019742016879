/* What this is: the fuzz target of the zipmap walker.
 * Rests on: fuzz.h, enc/zipmap.h.
 * Does not: build a valid one; the corpus holds some. */
#include "fuzz.h"

#include "enc/zipmap.h"

static size_t look_at(const uint8_t *p, size_t n, const struct entry *e)
{
    unsigned sum = 0;
    MUST(!e->is_int && e->p >= p && e->n <= n && (size_t)(e->p - p) <= n - e->n);
    for (size_t i = 0; i < e->n; i++) sum += e->p[i];
    return sum;
}

static void walk(const uint8_t *p, size_t n)
{
    struct zipmap zm;
    struct entry field, value;
    struct blob_fault fault = {0, NULL};
    size_t sum = 0;
    int rc = zipmap_open(&zm, (struct rsp_span){p, n}, &fault);
    while (!rc && !(rc = zipmap_next(&zm, &field, &value, &fault)))
        sum += look_at(p, n, &field) + look_at(p, n, &value);
    MUST(rc == RSP_END || rc == RSP_EFORMAT);
    MUST(rc == RSP_END || (fault.reason && fault.offset <= n));
    MUST(sum <= 255 * n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *copy;
    walk(data, n);
    if (n < 2) return 0;
    copy = malloc(n);
    MUST(copy);
    memcpy(copy, data, n);
    copy[0] = 254; /* a count that is not checked */
    copy[n - 1] = 0xff;
    walk(copy, n);
    free(copy);
    return 0;
}
