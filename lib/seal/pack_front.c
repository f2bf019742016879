/* What this is: the front of a pack file: magic, envelope, commitment; the key that an identity at hand gets out of it.
 * Rests on: pack_read_impl.h, envelope.h, items.h.
 * Does not: read objects. */
#include "base/bytes.h"
#include "seal/envelope.h"
#include "seal/items.h"
#include "seal/pack_read_impl.h"

#define ENVELOPE_MAGIC_BYTES 8
#define HINT_BYTES 8

int rsp_pack_detect(struct rsp_source *source)
{
    struct rsp_span v;
    return rsp_source_peek(source, PACK_MAGIC_BYTES, &v) == RSP_OK && v.n == PACK_MAGIC_BYTES &&
           !memcmp(v.p, PACK_MAGIC, PACK_MAGIC_BYTES);
}

/* Exactly n bytes behind what b holds. Grows as they arrive. */
static int take(struct unpack *u, struct buf *b, size_t n)
{
    while (n) {
        size_t got = 0, step = n < 65536 ? n : 65536;
        int rc = buf_reserve(b, step);
        if (!rc) rc = rsp_source_read(u->inner, b->p + b->n, step, &got);
        if (rc == RSP_END) return unpack_refuse(u, "the pack file ends within its front: it was cut");
        if (rc == RSP_AGAIN)
            return fail(&u->env, RSP_EUNSUPPORTED, u->name, "cannot be unpacked: reading it does not wait");
        if (rc) return rc;
        b->n += got;
        u->at += got;
        n -= got;
    }
    return RSP_OK;
}

/* Goes to an item of the envelope by its number and size; the first of them. */
static int find_item(struct rsp_span envelope, unsigned number, size_t n, const uint8_t **v)
{
    struct items list;
    struct item item;
    if (envelope.n < ENVELOPE_MAGIC_BYTES) return 0;
    items_begin(&list, envelope.p + ENVELOPE_MAGIC_BYTES, envelope.n - ENVELOPE_MAGIC_BYTES);
    while (items_next(&list, &item) == RSP_OK) {
        if (ITEM_NUMBER(item.tag) != number || item.v.n != n) continue;
        *v = item.v.p;
        return 1;
    }
    return 0;
}

/* Names whom the envelope is for, by the first bytes of the hash of their X25519 keys. */
static int nobody(struct unpack *u, struct rsp_span envelope, size_t tried)
{
    char names[4 * (2 * HINT_BYTES + 2) + 8] = "";
    struct items list;
    struct item item;
    size_t n = 0, at = 0;
    items_begin(&list, envelope.p + ENVELOPE_MAGIC_BYTES, envelope.n - ENVELOPE_MAGIC_BYTES);
    while (items_next(&list, &item) == RSP_OK) {
        if (ITEM_NUMBER(item.tag) != 2 || item.v.n < HINT_BYTES) continue;
        if (n < 4) {
            if (n) names[at++] = ',', names[at++] = ' ';
            hex_text(names + at, item.v.p, HINT_BYTES);
            at += 2 * HINT_BYTES;
        } else if (n == 4) {
            memcpy(names + at, ", ...", 6);
        }
        n++;
    }
    if (!tried)
        return fail(&u->env, RSP_EKEY, u->name, "is sealed to %zu reader%s (%s), and no identity was given", n,
                    n == 1 ? "" : "s", names);
    return fail(&u->env, RSP_EKEY, u->name,
                "is sealed to %zu reader%s (%s); none of the %zu identities given opens it: give one of theirs", n,
                n == 1 ? "" : "s", names, tried);
}

int unpack_front(struct unpack *u, struct rsp_identity *const *identities, size_t n)
{
    static const uint8_t no_lineage[ID_BYTES];
    const uint8_t *epoch;
    struct rsp_span envelope;
    struct rsp_span v;
    struct buf b;
    int rc;
    buf_init(&b, &u->env);
    /* Too short, but so far it is one: that is a cut pack file, not some other file. */
    rc = rsp_source_peek(u->inner, PACK_MAGIC_BYTES, &v);
    if (!rc && memcmp(v.n ? v.p : (const uint8_t *)"", PACK_MAGIC, v.n))
        rc = fail_at(&u->env, RSP_EFORMAT, u->name, 0, "is not a pack file");
    if (rc == RSP_AGAIN) rc = fail(&u->env, RSP_EUNSUPPORTED, u->name, "cannot be unpacked: reading it does not wait");
    if (!rc) rc = take(u, &b, PACK_MAGIC_BYTES + 4);
    if (rc) goto out;
    envelope.n = load_le32(b.p + PACK_MAGIC_BYTES);
    b.n = 0;
    rc = envelope.n > PACK_ENVELOPE_MAX ? unpack_refuse(u, "the envelope has an impossible length")
                                        : take(u, &b, envelope.n + HASH_BYTES);
    if (rc) goto out;
    envelope.p = b.p;
    if (!find_item(envelope, 1, ID_BYTES, &epoch)) {
        rc = unpack_refuse(u, "the envelope is malformed");
        goto out;
    }
    memcpy(u->epoch, epoch, ID_BYTES);
    rc = envelope_open(envelope, no_lineage, u->epoch, b.p + envelope.n, identities, n, u->key);
    if (rc == RSP_EKEY) nobody(u, envelope, n);
    else if (rc == RSP_EINTEGRITY) unpack_refuse(u, "the envelope is malformed");
    else if (rc) fail(&u->env, rc, u->name, "the envelope cannot be opened: %s", rsp_status_text(rc));
out:
    buf_free(&b);
    return rc;
}
