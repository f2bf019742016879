/* What this is: fuzz target: a manifest's plaintext, whoever wrote it.
 * Rests on: fuzz.h, repo/manifest.h.
 * Does not: bring a driver. */
#include "fuzz.h"

#include "repo/manifest.h"

static void check_stream(const struct manifest *m, size_t i)
{
    const struct rsp_stream_info *s = &m->pub.streams[i];
    const struct full_ref *refs;
    uint64_t at = 0;
    size_t n;
    refs = manifest_refs(m, i, &n);
    for (size_t k = 0; k < n; k++) {
        MUST(refs[k].offset == at && refs[k].hint_n <= sizeof refs[k].hint);
        at += refs[k].plain;
    }
    MUST(at == s->plain && s->name.n);
}

/* What was read can be written again, and says the same. */
static void check_again(const struct rsp_env *env, const struct manifest *m)
{
    struct buf *streams = calloc(m->pub.streams_n + 1, sizeof *streams), b;
    struct manifest *again;
    int rc = RSP_OK;
    MUST(streams);
    buf_init(&b, env);
    for (size_t i = 0; i < m->pub.streams_n && !rc; i++) {
        size_t n;
        const struct full_ref *refs = manifest_refs(m, i, &n);
        buf_init(&streams[i], env);
        rc = manifest_stream_encode(&streams[i], &m->pub.streams[i], refs, n);
    }
    MUST(!rc && !manifest_encode(&b, &m->pub, streams, m->pub.streams_n));
    MUST(!manifest_decode(env, &b, "again", &again));
    MUST(again->pub.streams_n == m->pub.streams_n && again->pub.aux_n == m->pub.aux_n);
    MUST(again->pub.source.n == m->pub.source.n && again->pub.losses_n == m->pub.losses_n);
    for (size_t i = 0; i < m->pub.streams_n; i++) buf_free(&streams[i]);
    free(streams);
    manifest_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error = {0};
    struct rsp_env given = {.size = sizeof given, .error = &error}, env;
    struct manifest *m;
    struct buf b;
    int rc;
    env_init(&env, &given);
    buf_init(&b, &env);
    MUST(!buf_add(&b, data, n));
    rc = manifest_decode(&env, &b, "manifest", &m);
    if (rc) {
        MUST((rc == RSP_EINTEGRITY || rc == RSP_EVERSION) && error.code == rc && !m);
        return 0;
    }
    for (size_t i = 0; i < m->pub.streams_n; i++) check_stream(m, i);
    check_again(&env, m);
    manifest_free(m);
    return 0;
}
