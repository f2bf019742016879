/* What this is: fuzz target: a server's XML: nested calls, bounded texts, one verdict.
 * Rests on: fuzz.h, store/remote.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include "store/remote.h"

struct state {
    int depth;
    size_t ends;
};

static int begin(void *opaque, int depth, const char *name)
{
    struct state *s = opaque;
    MUST(depth == s->depth + 1 && depth <= XML_DEPTH_MAX && *name && !strchr(name, ':'));
    s->depth = depth;
    return RSP_OK;
}

static int end(void *opaque, int depth, const char *name, const char *text)
{
    struct state *s = opaque;
    MUST(depth == s->depth && depth >= 1 && *name && strlen(text) <= XML_TEXT_MAX);
    s->depth--;
    return ++s->ends == 1000 ? RSP_EUSER : RSP_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error = {0};
    struct rsp_env given = {.size = sizeof given, .error = &error}, env;
    struct state s = {0};
    struct xml_walk walk = {begin, end, &s};
    int rc;
    env_init(&env, &given);
    rc = xml_parse(&env, "fuzz", (struct rsp_span){data, n}, &walk);
    MUST(rc == RSP_OK || rc == RSP_EFORMAT || (rc == RSP_EUSER && s.ends == 1000));
    MUST((rc == RSP_EFORMAT) == (error.code == RSP_EFORMAT));
    MUST(rc || (!s.depth && s.ends));
    return 0;
}
