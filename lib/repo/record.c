/* What this is: a record of the log as a struct, and written: items, signature, hash, name.
 * Rests on: repo_impl.h, seal/items.h, seal/identity.h.
 * Does not: know the log; choose parents or signers. respite-format(5), "Records". */
#include <string.h>

#include "repo/record_impl.h"
#include "seal/identity.h"
#include "seal/items.h"

#define C(number) (ITEM_CRITICAL | (number))

struct rsp_record *record_new(const struct rsp_env *env)
{
    return mem_zero(env, sizeof(struct rsp_record));
}

void record_disown(struct rsp_record *r)
{
    r->parents = NULL;
    r->hashes = NULL;
    r->links = NULL;
    r->text = NULL;
    r->refs = NULL;
    r->bytes = NULL;
    r->went = NULL;
    r->origin = (struct rsp_span){NULL, 0};
    r->parents_n = r->hashes_n = r->links_n = r->refs_n = r->bytes_n = r->went_n = 0;
}

void record_unload(const struct rsp_env *env, struct rsp_record *r)
{
    mem_free(env, r->parents, r->parents_n * sizeof *r->parents);
    mem_free(env, r->hashes, r->hashes_n * sizeof *r->hashes);
    mem_free(env, r->links, r->links_n * sizeof *r->links);
    if (r->text) mem_free(env, (void *)(uintptr_t)r->text, strlen(r->text) + 1);
    mem_free(env, r->refs, r->refs_n * sizeof *r->refs);
    mem_free(env, r->went, r->went_n * sizeof *r->went);
    mem_free(env, r->bytes, r->bytes_n);
    record_disown(r);
}

void record_free(const struct rsp_env *env, struct rsp_record *r)
{
    if (!r) return;
    record_unload(env, r);
    mem_free(env, r, sizeof *r);
}

/* ---- writing ---- */

/* At most 16 of them: the order that the format asks for. */
static void sort_parents(struct rsp_parent *p, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = i; k && memcmp(p[k - 1].hash, p[k].hash, HASH_BYTES) > 0; k--) {
            struct rsp_parent swap = p[k];
            p[k] = p[k - 1];
            p[k - 1] = swap;
        }
}

static int add_parents(struct buf *b, const struct rsp_record *r)
{
    size_t at;
    int rc = item_begin(b, C(8), &at);
    for (size_t i = 0; !rc && i < r->parents_n; i++) {
        rc = buf_u64(b, r->parents[i].seq);
        if (!rc) rc = buf_add(b, r->parents[i].hash, HASH_BYTES);
    }
    return rc ? rc : item_end(b, at);
}

static int add_common(struct buf *b, const struct rsp_record *r, const uint8_t repository[ID_BYTES])
{
    int rc = buf_add(b, RECORD_MAGIC, RECORD_MAGIC_BYTES);
    if (!rc) rc = item_add(b, C(1), repository, ID_BYTES);
    if (!rc) rc = item_add(b, C(2), r->source, ID_BYTES);
    if (!rc) rc = item_u8(b, C(3), r->kind);
    if (!rc) rc = item_u64(b, C(4), r->seq);
    if (!rc) rc = item_u64(b, C(5), r->time_ms);
    if (!rc) rc = item_add(b, C(6), r->signer, sizeof r->signer);
    if (!rc) rc = item_add(b, C(7), r->roles, sizeof r->roles);
    return rc ? rc : add_parents(b, r);
}

static int add_refs(struct buf *b, const struct rsp_record *r)
{
    uint8_t one[REF_BYTES];
    size_t at;
    int rc = item_begin(b, r->refs_apart ? C(24) : C(23), &at);
    if (r->refs_apart) {
        if (!rc) rc = buf_add(b, r->refs_hash, HASH_BYTES);
        if (!rc) rc = buf_u32(b, (uint32_t)r->refs_n);
        return rc ? rc : item_end(b, at);
    }
    for (size_t i = 0; !rc && i < r->refs_n; i++) {
        ref_store(one, &r->refs[i]);
        rc = buf_add(b, one, sizeof one);
    }
    return rc ? rc : item_end(b, at);
}

static int add_commit(struct buf *b, const struct rsp_record *r)
{
    const uint64_t counts[] = {r->keys, r->plain, r->stored, r->objects};
    uint8_t one[REF_BYTES];
    size_t at;
    int rc = item_add(b, C(16), r->snapshot, ID_BYTES);
    if (!rc) rc = item_add(b, C(17), r->epoch, ID_BYTES);
    if (!rc) rc = item_add(b, C(18), r->commitment, HASH_BYTES);
    if (!rc) rc = item_u32(b, C(19), r->flags);
    if (!rc) rc = item_begin(b, 20, &at);
    for (size_t i = 0; !rc && i < 4; i++) rc = buf_u64(b, counts[i]);
    if (!rc) rc = item_end(b, at);
    ref_store(one, &r->manifest);
    if (!rc) rc = item_add(b, C(22), one, sizeof one);
    if (!rc) rc = add_refs(b, r);
    if (!rc && r->origin_ms) rc = item_u64(b, 25, r->origin_ms);
    return rc;
}

static int add_tags(struct buf *b, const struct rsp_record *r, const char *const *tags, size_t tags_n)
{
    int rc = RSP_OK;
    for (size_t i = 0; !rc && i < tags_n; i++) {
        const char *is = strchr(tags[i], '=');
        if (r->kind == RSP_REC_LOST) {
            rc = item_add(b, 38, tags[i], strlen(tags[i]));
        } else if (r->kind != RSP_REC_NOTE || !is || is == tags[i] || is - tags[i] > UINT16_MAX) {
            return fail(b->env, RSP_EINVAL, tags[i], "is not a tag of the form name=value in a note");
        } else {
            rc = item_pair(b, 37, tags[i], (size_t)(is - tags[i]), is + 1, strlen(is + 1));
        }
    }
    return rc;
}

static int add_rest(struct buf *b, const struct rsp_record *r)
{
    size_t text_n = r->text ? strlen(r->text) : 0;
    int rc = item_add(b, C(32), r->hashes, r->hashes_n * sizeof *r->hashes);
    if (!rc && r->kind == RSP_REC_RETIRE && r->detail) rc = item_u8(b, 33, r->detail);
    if (!rc && r->text && r->kind != RSP_REC_RECEIPT) rc = item_add(b, 34, r->text, text_n);
    if (!rc && r->kind == RSP_REC_RECEIPT) rc = item_u8(b, C(35), r->detail);
    if (!rc && r->text && r->kind == RSP_REC_RECEIPT) rc = item_add(b, 36, r->text, text_n);
    return rc; /* tags, links and what went: their numbers come last */
}

/* A commit or a receipt of another repository, whole, in one of ours. */
static int add_carried(struct buf *b, const struct rsp_record *r)
{
    int rc = item_u64(b, 25, r->origin_ms);
    if (!rc) rc = item_add(b, C(26), r->origin.p, r->origin.n);
    if (!rc && r->kind == RSP_REC_RECEIPT) rc = item_add(b, C(32), r->hashes, r->hashes_n * sizeof *r->hashes);
    return rc;
}

static int add_gone(struct buf *b, const struct rsp_record *r)
{
    int rc = item_add(b, C(39), r->links, r->links_n * sizeof *r->links);
    if (!rc && r->went_n) rc = item_add(b, 40, r->went, r->went_n * sizeof *r->went);
    return rc;
}

/* Reads what was made as every reader will: nothing is published that others would refuse. */
static int try_out(const struct rsp_env *env, const struct rsp_record *r, const struct buf *b)
{
    struct rsp_env quiet = *env;
    struct rsp_error why = {0};
    struct rsp_record *probe;
    uint8_t repository[ID_BYTES], *copy;
    int rc;
    quiet.error = &why;
    probe = record_new(env);
    if (!probe) return RSP_ENOMEM;
    *probe = *r;
    record_disown(probe); /* what r has stays r's */
    copy = mem_alloc(env, b->n);
    if (copy) memcpy(copy, b->p, b->n);
    rc = copy ? record_decode(&quiet, probe, copy, b->n, repository) : RSP_ENOMEM;
    record_free(env, probe);
    if (rc == RSP_ENOMEM) return fail(env, rc, NULL, "%s", why.message);
    if (rc) return fail(env, RSP_EINVAL, "a new record", "would not be valid: %s", why.message);
    return RSP_OK;
}

static int check_draft(const struct rsp_env *env, const struct rsp_record *r)
{
    if (!rsp_record_kind_text(r->kind)) return fail(env, RSP_EINVAL, NULL, "there is no record of kind %d", r->kind);
    if (!r->seq || r->seq > NAME_SEQ_MAX || r->time_ms > NAME_TIME_MAX_MS)
        return fail(env, RSP_EINVAL, NULL, "seq or time of the new record is out of bounds");
    if (r->parents_n > PARENTS_MAX || r->refs_n > UINT32_MAX || r->hashes_n > RECORD_MAX / HASH_BYTES ||
        r->links_n > RECORD_MAX / sizeof *r->links || r->went_n > RECORD_MAX / sizeof *r->went)
        return fail(env, RSP_EINVAL, NULL, "the new record names too many others");
    if (r->copied && r->kind != RSP_REC_COMMIT && r->kind != RSP_REC_RECEIPT)
        return fail(env, RSP_EINVAL, NULL, "only commits and receipts are copied");
    return RSP_OK;
}

static int add_items(struct buf *b, const struct rsp_record *r, const char *const *tags, size_t tags_n)
{
    int rc;
    if (r->copied) return add_carried(b, r);
    rc = r->kind == RSP_REC_COMMIT ? add_commit(b, r) : add_rest(b, r);
    if (!rc) rc = add_tags(b, r, tags, tags_n);
    return !rc && r->kind == RSP_REC_GONE ? add_gone(b, r) : rc;
}

/* What the record says is what every reader will read in it. */
static int take_carried(const struct rsp_env *env, struct rsp_record *r, uint8_t *bytes, size_t n)
{
    uint8_t repository[ID_BYTES];
    int rc = record_decode(env, r, bytes, n, repository);
    if (rc == RSP_EVERSION) return trail(env, rc, "copying a record that a newer release wrote");
    return rc;
}

int record_encode(const struct rsp_env *env, struct rsp_record *r, const uint8_t repository[ID_BYTES],
                  const struct rsp_identity *signer, const char *const *tags, size_t tags_n)
{
    struct buf b;
    struct rsp_public key;
    uint8_t signature[RECORD_SIGNATURE_BYTES], *bytes = NULL;
    char name[NAME_MAX_BYTES];
    int rc = check_draft(env, r);
    buf_init(&b, env);
    if (rc) goto out;
    rsp_identity_public(signer, &key);
    memcpy(r->signer, key.sign, sizeof r->signer);
    sort_parents(r->parents, r->parents_n);
    rc = add_common(&b, r, repository);
    if (!rc) rc = add_items(&b, r, tags, tags_n);
    if (rc) goto out;
    identity_sign(signer, b.p, b.n, signature);
    rc = buf_add(&b, signature, sizeof signature);
    if (rc) goto out;
    hash256(r->hash, b.p, b.n);
    name_record(name, r->seq, r->time_ms, r->kind, r->hash);
    memcpy(r->name, name, sizeof r->name - 1);
    r->name[sizeof r->name - 1] = 0;
    rc = r->copied ? RSP_OK : try_out(env, r, &b);
    if (rc) goto out;
    bytes = mem_alloc(env, b.n);
    rc = bytes ? RSP_OK : RSP_ENOMEM;
    if (rc) goto out;
    memcpy(bytes, b.p, b.n);
    if (r->copied) {
        rc = take_carried(env, r, bytes, b.n);
        goto out;
    }
    mem_free(env, r->bytes, r->bytes_n);
    r->bytes = bytes;
    r->bytes_n = b.n;
out:
    buf_free(&b);
    return rc;
}
