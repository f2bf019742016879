/* What this is: references to sealed objects, alone and as the list in refs/<hash>.
 * Rests on: repo_impl.h, seal/items.h.
 * Does not: look whether what they name is there. respite-format(5), "Records". */
#include <string.h>

#include "base/bytes.h"
#include "repo/repo_impl.h"
#include "seal/items.h"

#define REFS_MAGIC "RSPREF1\n"
#define MAGIC_BYTES 8

void ref_store(uint8_t out[REF_BYTES], const struct rsp_ref *ref)
{
    out[0] = ref->kind;
    memcpy(out + 1, ref->epoch, ID_BYTES);
    memcpy(out + 17, ref->object, ID_BYTES);
    store_le64(out + 33, ref->stored);
    memcpy(out + 41, ref->sha256, 32);
}

void ref_load(struct rsp_ref *ref, const uint8_t in[REF_BYTES])
{
    ref->kind = in[0];
    memcpy(ref->epoch, in + 1, ID_BYTES);
    memcpy(ref->object, in + 17, ID_BYTES);
    ref->stored = load_le64(in + 33);
    memcpy(ref->sha256, in + 41, 32);
}

int refs_encode(struct buf *out, const struct rsp_ref *refs, size_t n)
{
    uint8_t one[REF_BYTES];
    int rc = buf_add(out, REFS_MAGIC, MAGIC_BYTES);
    for (size_t i = 0; !rc && i < n; i++) {
        ref_store(one, &refs[i]);
        rc = buf_add(out, one, sizeof one);
    }
    return rc;
}

int refs_load(const struct rsp_env *env, struct rsp_span bytes, struct rsp_ref **refs, size_t *n, const char **why)
{
    struct rsp_ref *list = NULL;
    size_t count = bytes.n / REF_BYTES;
    *refs = NULL;
    *n = 0;
    *why = "its list of references is not a multiple of 73 bytes";
    if (bytes.n % REF_BYTES) return RSP_EINTEGRITY;
    if (!count) return RSP_OK;
    list = mem_alloc(env, count * sizeof *list);
    if (!list) return RSP_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        ref_load(&list[i], bytes.p + i * REF_BYTES);
        if (list[i].kind == REF_DATA || list[i].kind == REF_MANIFEST) continue;
        mem_free(env, list, count * sizeof *list);
        *why = "a reference has a kind of object that there is not";
        return RSP_EINTEGRITY;
    }
    *refs = list;
    *n = count;
    return RSP_OK;
}

int refs_decode(const struct rsp_env *env, struct rsp_record *r, struct rsp_span bytes)
{
    char name[NAME_MAX_BYTES];
    uint8_t hash[HASH_BYTES];
    struct rsp_ref *refs = NULL;
    const char *why = "it does not begin as a list of references";
    size_t n = 0;
    int rc = RSP_EINTEGRITY;
    name_hashed(name, "refs", r->refs_hash);
    if (!r->refs_apart) return fail(env, RSP_EINVAL, name, "the record has its references within itself");
    if (bytes.n >= MAGIC_BYTES && !memcmp(bytes.p, REFS_MAGIC, MAGIC_BYTES)) {
        hash256(hash, bytes.p, bytes.n);
        why = "its bytes are not those that the record names";
        if (!memcmp(hash, r->refs_hash, HASH_BYTES))
            rc = refs_load(env, (struct rsp_span){bytes.p + MAGIC_BYTES, bytes.n - MAGIC_BYTES}, &refs, &n, &why);
    }
    if (!rc && n != r->refs_n) {
        mem_free(env, refs, n * sizeof *refs);
        why = "it has another number of references than the record says";
        rc = RSP_EINTEGRITY;
    }
    if (rc == RSP_EINTEGRITY) return fail(env, rc, name, "%s", why);
    if (rc) return rc;
    mem_free(env, r->refs, r->refs_n * sizeof *r->refs);
    r->refs = refs;
    return RSP_OK;
}
