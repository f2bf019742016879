/* What this is: an object's stored bytes read and hashed, without any secret.
 * Rests on: verify_impl.h.
 * Does not: open anything. */
#include <string.h>

#include "repo/verify_impl.h"

int verify_cancelled(const struct verify *v)
{
    if (!v->o.cancel || !*v->o.cancel) return RSP_OK;
    return fail(&v->log->env, RSP_ECANCELED, rsp_store_url(v->log->repo->store), "verifying was cancelled");
}

static int add_all(struct verify *v, const char *name, const struct rsp_ref *ref, struct sha256 *hash)
{
    for (uint64_t at = 0; at < ref->stored;) {
        uint64_t left = ref->stored - at;
        size_t n = left < VERIFY_READ ? (size_t)left : VERIFY_READ;
        int rc = verify_cancelled(v);
        if (!rc) rc = rsp_store_read(v->log->repo->store, name, at, v->buffer, n);
        if (!rc) rc = sha256_add(hash, v->buffer, n);
        if (rc) return rc;
        at += n;
        v->done += n;
        if (v->o.progress) v->o.progress(v->o.opaque, v->done, v->of);
    }
    return RSP_OK;
}

int verify_stored(struct verify *v, const char *name, const struct rsp_ref *ref)
{
    const struct rsp_env *env = &v->log->env;
    uint64_t done = v->done;
    struct sha256 *hash = NULL;
    uint8_t sum[32];
    int rc = sha256_new(env, &hash);
    if (!rc) rc = add_all(v, name, ref, hash);
    if (!rc) rc = sha256_end(hash, sum);
    sha256_free(hash);
    v->done = done + ref->stored;
    if (rc == RSP_ETRUNCATED || rc == RSP_ENOTFOUND) {
        if (env->error) rsp_error_clear(env->error);
        return RSP_EINTEGRITY;
    }
    if (!rc && memcmp(sum, ref->sha256, sizeof sum)) return RSP_EINTEGRITY;
    return rc;
}
