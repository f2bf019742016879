/* What this is: one object from store to store, visible there only when its bytes are those that were signed.
 * Rests on: copy_impl.h.
 * Does not: choose what is passed on. */
#include <stdio.h>
#include <string.h>

#include "repo/copy_impl.h"

int passing_cancelled(const struct passing *p)
{
    if (!p->cancel || !*p->cancel) return RSP_OK;
    return fail(p->env, RSP_ECANCELED, rsp_store_url(p->from), "it was cancelled; the next run goes on");
}

int pass_finding(int status)
{
    return status == RSP_ENOTFOUND || status == RSP_ETRUNCATED || status == RSP_EINTEGRITY || status == RSP_EIO ||
           status == RSP_EPERM || status == RSP_ELIMIT;
}

/* What reading one object has shown of that object: RSP_EINTEGRITY with why; other faults stay. */
static int judge(struct passing *p, const char *name, int rc)
{
    if (!pass_finding(rc)) return rc;
    if (p->env->error) rsp_error_clear(p->env->error);
    if (p->other->error) rsp_error_clear(p->other->error);
    snprintf(p->why, sizeof p->why, "%.120s %s", name,
             rc == RSP_ENOTFOUND    ? "is missing"
             : rc == RSP_ETRUNCATED ? "is shorter than was signed"
             : rc == RSP_EINTEGRITY ? "has other bytes than were signed"
                                    : rsp_status_text(rc));
    return RSP_EINTEGRITY;
}

/* Every byte into the hash, and into up when there is one. *reading: the fault is of the store that is read. */
static int stream(struct passing *p, struct parts *parts, struct sha256 *sum, struct rsp_upload *up, int *reading)
{
    struct rsp_span part;
    int rc;
    for (;;) {
        rc = passing_cancelled(p);
        *reading = !rc;
        if (!rc) rc = parts_next(parts, &part);
        if (rc == RSP_END) return RSP_OK;
        if (rc) return rc;
        *reading = 0;
        rc = sha256_add(sum, part.p, part.n);
        if (!rc && up) rc = rsp_upload_write(up, part.p, part.n);
        if (rc) return rc;
        p->done += part.n;
        if (p->progress) p->progress(p->opaque, p->done, p->of);
    }
}

static int read_through(struct passing *p, struct rsp_store *store, const char *name, const struct rsp_ref *ref,
                        struct rsp_upload *up)
{
    struct sha256 *sum = NULL;
    struct parts *parts = NULL;
    uint8_t made[32];
    uint64_t before = p->done;
    int reading = 0, rc = sha256_new(p->env, &sum);
    if (!rc) rc = parts_open(p->env, store, name, ref->stored, p->threads, &parts);
    if (!rc) rc = stream(p, parts, sum, up, &reading);
    parts_free(parts);
    if (!rc) rc = sha256_end(sum, made);
    sha256_free(sum);
    p->done = before + ref->stored;
    if (!rc && memcmp(made, ref->sha256, sizeof made)) return judge(p, name, RSP_EINTEGRITY);
    return reading ? judge(p, name, rc) : rc;
}

int pass_check(struct passing *p, struct rsp_store *store, const char *name, const struct rsp_ref *ref)
{
    return read_through(p, store, name, ref, NULL);
}

/* Somebody else was quicker: as good, when it is the same. */
static int there_meanwhile(struct passing *p, const char *name, const struct rsp_ref *ref)
{
    struct rsp_store_item item;
    int rc;
    if (p->env->error) rsp_error_clear(p->env->error);
    rc = rsp_store_stat(p->to, name, &item);
    if (rc) return rc;
    rc = item.bytes == ref->stored ? pass_check(p, p->to, name, ref) : RSP_EINTEGRITY;
    if (rc != RSP_EINTEGRITY) return rc;
    p->why[0] = 0;
    return fail(p->env, RSP_EEXIST, name,
                "somebody has put other bytes there meanwhile; find out who, then copy again: they are replaced");
}

int pass_object(struct passing *p, const char *name, const struct rsp_ref *ref, int replace)
{
    struct rsp_upload *up = NULL;
    int rc = replace ? rsp_store_replace_begin(p->to, name, &up) : rsp_store_begin(p->to, name, &up);
    if (!rc) rc = read_through(p, p->from, name, ref, up);
    if (!rc) rc = rsp_upload_commit(up);
    rsp_upload_free(up);
    if (rc == RSP_EEXIST && !replace) rc = there_meanwhile(p, name, ref);
    return rc;
}

int pass_hashed(struct passing *p, const char *name, const uint8_t hash[HASH_BYTES], size_t max, int replace)
{
    uint8_t made[HASH_BYTES], *bytes = NULL;
    size_t n = 0;
    int rc = passing_cancelled(p);
    if (rc) return rc;
    rc = rsp_store_get(p->from, name, max, &bytes, &n);
    if (!rc) {
        hash256(made, bytes, n);
        if (memcmp(made, hash, HASH_BYTES)) rc = RSP_EINTEGRITY;
    }
    if (rc) {
        rsp_store_release(p->from, bytes, n);
        return judge(p, name, rc);
    }
    rc = replace ? rsp_store_repair(p->to, name, bytes, n) : rsp_store_put(p->to, name, bytes, n);
    rsp_store_release(p->from, bytes, n);
    return rc;
}
