/* What this is: fuzz target: an expression up to the first newline, the rest is the text.
 * Rests on: fuzz.h, match/ere.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include "base/mem.h"
#include "match/ere.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *line = n ? memchr(data, '\n', n) : NULL;
    size_t pattern_n = line ? (size_t)(line - data) : n;
    const uint8_t *text = line ? line + 1 : data + n;
    size_t text_n = n - pattern_n - (line ? 1 : 0);
    struct rsp_error error = {0};
    struct rsp_env env, given = {.size = sizeof given, .error = &error};
    struct ere *e = NULL;
    int rc;
    env_init(&env, &given);
    rc = ere_new(&env, "pattern", (const char *)data, pattern_n, &e);
    MUST(rc == error.code && (rc == RSP_OK) == (e != NULL));
    MUST(!e || ere_match(e, text, text_n) == ere_match_states(e, text, text_n));
    ere_free(e);
    return 0;
}
