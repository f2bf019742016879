/* What this is: fuzz target: a glob up to the first newline, the rest is the key.
 * Rests on: fuzz.h, respite/sys/filter.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include <respite/sys/filter.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *line = n ? memchr(data, '\n', n) : NULL;
    size_t pattern_n = line ? (size_t)(line - data) : n;
    struct rsp_span key = {data + (line ? pattern_n + 1 : n), n - pattern_n - (line ? 1 : 0)};
    char *wider = malloc(pattern_n + 2);
    int matches = rsp_glob_match((const char *)data, pattern_n, key.p, key.n);
    if (!wider) return 0;
    /* What a pattern matches, it matches with a star before it. */
    wider[0] = '*';
    if (pattern_n) memcpy(wider + 1, data, pattern_n);
    MUST(!matches || rsp_glob_match(wider, pattern_n + 1, key.p, key.n));
    MUST(rsp_glob_match("*", 1, key.p, key.n));
    MUST(rsp_key_slot(key) <= 16383);
    free(wider);
    return 0;
}
