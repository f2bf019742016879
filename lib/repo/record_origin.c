/* What this is: the record of another repository that a copied one carries whole: read, and what it says taken over.
 * Rests on: record_impl.h, seal/items.h.
 * Does not: judge who signed it (log_fetch.c). respite-format(5), "Records". */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "repo/record_impl.h"
#include "seal/items.h"

#define C(number) (ITEM_CRITICAL | (number))

/* A record in its own folder has these in its name; decoding compares them. */
static int read_name(struct rsp_record *inner, struct rsp_span v)
{
    struct items list;
    struct item item;
    unsigned seen = 0;
    items_begin(&list, v.p + RECORD_MAGIC_BYTES, v.n - RECORD_MAGIC_BYTES - RECORD_SIGNATURE_BYTES);
    while (items_next(&list, &item) == RSP_OK && ITEM_NUMBER(item.tag) <= 5) {
        if (item.tag == C(2) && item.v.n == ID_BYTES) memcpy(inner->source, item.v.p, ID_BYTES), seen |= 1;
        if (item.tag == C(3) && item.v.n == 1) inner->kind = item.v.p[0], seen |= 2;
        if (item.tag == C(4) && item.v.n == 8) inner->seq = load_le64(item.v.p), seen |= 4;
        if (item.tag == C(5) && item.v.n == 8) inner->time_ms = load_le64(item.v.p), seen |= 8;
    }
    return seen == 15 && inner->seq && inner->seq <= NAME_SEQ_MAX && inner->time_ms <= NAME_TIME_MAX_MS;
}

/* Moved: inner keeps nothing of it. */
static void take_over(struct rsp_record *r, struct rsp_record *inner)
{
    memcpy(r->origin_hash, inner->hash, HASH_BYTES);
    memcpy(r->origin_signer, inner->signer, sizeof r->origin_signer);
    memcpy(r->origin_roles, inner->roles, HASH_BYTES);
    if (inner->hashes_n) memcpy(r->origin_about, inner->hashes[0], HASH_BYTES);
    r->origin_seq = inner->seq;
    r->origin_time_ms = inner->time_ms;
    r->copied = 1;
    memcpy(r->snapshot, inner->snapshot, ID_BYTES);
    memcpy(r->epoch, inner->epoch, ID_BYTES);
    memcpy(r->commitment, inner->commitment, HASH_BYTES);
    r->flags = inner->flags;
    r->keys = inner->keys;
    r->plain = inner->plain;
    r->stored = inner->stored;
    r->objects = inner->objects;
    r->manifest = inner->manifest;
    r->refs = inner->refs;
    r->refs_n = inner->refs_n;
    r->refs_apart = inner->refs_apart;
    memcpy(r->refs_hash, inner->refs_hash, HASH_BYTES);
    r->text = inner->text;
    r->detail = inner->detail;
    inner->refs = NULL;
    inner->refs_n = 0;
    inner->text = NULL;
}

static int decode(const struct rsp_env *env, struct rsp_record *inner, struct rsp_span v, uint8_t *repository,
                  char why[128])
{
    struct rsp_error kept = {0};
    struct rsp_env quiet = *env;
    uint8_t *copy = mem_alloc(env, v.n);
    int rc;
    if (!copy) return RSP_ENOMEM;
    memcpy(copy, v.p, v.n);
    quiet.error = &kept;
    rc = record_decode_carried(&quiet, inner, copy, v.n, repository);
    if (rc == RSP_EINTEGRITY) snprintf(why, 128, "of the record that it carries: %.90s", kept.message);
    return rc;
}

int record_origin_load(const struct rsp_env *env, struct rsp_record *r, struct rsp_span v, char why[128])
{
    struct rsp_record *inner = record_new(env);
    uint8_t repository[ID_BYTES];
    int rc = inner ? RSP_OK : RSP_ENOMEM;
    if (rc) return rc;
    hash256(inner->hash, v.p, v.n);
    snprintf(why, 128, "it carries what is no record");
    if (v.n < RECORD_ORIGIN_LEAST || memcmp(v.p, RECORD_MAGIC, RECORD_MAGIC_BYTES) || !read_name(inner, v))
        rc = RSP_EINTEGRITY;
    if (!rc && inner->kind != r->kind) {
        snprintf(why, 128, "it carries a record of another kind");
        rc = RSP_EINTEGRITY;
    }
    if (!rc && memcmp(inner->source, r->source, ID_BYTES)) {
        snprintf(why, 128, "it carries a record of another source");
        rc = RSP_EINTEGRITY;
    }
    if (!rc) rc = decode(env, inner, v, repository, why);
    if (!rc) {
        memcpy(r->origin_repository, repository, ID_BYTES);
        take_over(r, inner);
    }
    record_free(env, inner);
    return rc;
}
