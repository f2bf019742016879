/* What this is: writing, opening and reading the list of an envelope.
 * Rests on: envelope.h, items.h, libsodium's sealed boxes.
 * Does not: sign, or write an error record when one does not open. */
#include "seal/envelope.h"

#include <sodium.h>
#include <string.h>

#include "seal/items.h"

#define MAGIC "RSPENV1\n"
#define MAGIC_BYTES 8
#define HINT_BYTES 8
#define SEALED_KEY (KEY_BYTES + crypto_box_SEALBYTES)
#define WRAP_BYTES (HINT_BYTES + SEALED_KEY)
enum { TAG_EPOCH = ITEM_CRITICAL | 1, TAG_WRAP = ITEM_CRITICAL | 2 };

_Static_assert(WRAP_BYTES == 88, "the wrap of respite-format(5)");

void epoch_commitment(const uint8_t key[KEY_BYTES], const uint8_t lineage[ID_BYTES], const uint8_t epoch[ID_BYTES],
                      uint8_t out[HASH_BYTES])
{
    static const char label[] = "respite epoch";
    uint8_t text[sizeof label - 1 + ID_BYTES + ID_BYTES];
    memcpy(text, label, sizeof label - 1);
    memcpy(text + sizeof label - 1, lineage, ID_BYTES);
    memcpy(text + sizeof label - 1 + ID_BYTES, epoch, ID_BYTES);
    keyed256(out, key, text, sizeof text);
}

static void hint_of(const uint8_t box[32], uint8_t hint[HINT_BYTES])
{
    uint8_t h[HASH_BYTES];
    hash256(h, box, 32);
    memcpy(hint, h, HINT_BYTES);
}

int envelope_write(const struct rsp_env *env, const uint8_t epoch[ID_BYTES], const uint8_t key[KEY_BYTES],
                   const struct rsp_public *readers, size_t readers_n, struct buf *out)
{
    uint8_t wrap[WRAP_BYTES];
    int rc = crypt_init(env);
    if (rc) return rc;
    if (!readers_n || readers_n > ENVELOPE_READERS_MAX)
        return fail(env, RSP_EINVAL, NULL, "an epoch key can be sealed to 1 to %d readers, not to %zu",
                    ENVELOPE_READERS_MAX, readers_n);
    if ((rc = buf_add(out, MAGIC, MAGIC_BYTES))) return rc;
    if ((rc = item_add(out, TAG_EPOCH, epoch, ID_BYTES))) return rc;
    for (size_t i = 0; i < readers_n; i++) {
        hint_of(readers[i].box, wrap);
        if (crypto_box_seal(wrap + HINT_BYTES, key, KEY_BYTES, readers[i].box))
            return fail(env, RSP_EINVAL, NULL, "reader %zu has an X25519 key to which nothing can be sealed", i + 1);
        if ((rc = item_add(out, TAG_WRAP, wrap, sizeof wrap))) return rc;
    }
    return RSP_OK;
}

/* Called for each wrap, in order; a positive answer ends the walk. */
typedef int (*wrap_fn)(void *ctx, const uint8_t wrap[WRAP_BYTES]);

/* RSP_EINTEGRITY when the whole of it is malformed, else the number of wraps. */
static int check(struct rsp_span bytes, const uint8_t epoch[ID_BYTES])
{
    struct items r;
    struct item item;
    int rc, wraps = 0, epochs = 0;
    if (bytes.n < MAGIC_BYTES || memcmp(bytes.p, MAGIC, MAGIC_BYTES)) return RSP_EINTEGRITY;
    items_begin(&r, bytes.p + MAGIC_BYTES, bytes.n - MAGIC_BYTES);
    while (!(rc = items_next(&r, &item))) {
        if (item.tag == TAG_EPOCH) {
            if (epochs++ || item.v.n != ID_BYTES) return RSP_EINTEGRITY;
            if (epoch && memcmp(item.v.p, epoch, ID_BYTES)) return RSP_EINTEGRITY;
        } else if (item.tag == TAG_WRAP) {
            if (++wraps > ENVELOPE_READERS_MAX || item.v.n != WRAP_BYTES) return RSP_EINTEGRITY;
        } else if (item.tag & ITEM_CRITICAL) {
            return RSP_EINTEGRITY;
        }
    }
    return rc == RSP_END && epochs && wraps ? wraps : RSP_EINTEGRITY;
}

/* Of an envelope that check has passed. */
static int walk(struct rsp_span bytes, wrap_fn fn, void *ctx)
{
    struct items r;
    struct item item;
    items_begin(&r, bytes.p + MAGIC_BYTES, bytes.n - MAGIC_BYTES);
    while (!items_next(&r, &item))
        if (item.tag == TAG_WRAP && fn(ctx, item.v.p)) return 1;
    return 0;
}

struct opening {
    const struct rsp_identity *id;
    const uint8_t *lineage, *epoch, *commitment;
    uint8_t *key, hint[HINT_BYTES];
};

static int try_wrap(void *ctx, const uint8_t wrap[WRAP_BYTES])
{
    struct opening *o = ctx;
    uint8_t made[HASH_BYTES];
    if (memcmp(wrap, o->hint, HINT_BYTES)) return 0;
    if (!identity_unbox(o->id, o->key, wrap + HINT_BYTES, SEALED_KEY)) return 0;
    epoch_commitment(o->key, o->lineage, o->epoch, made);
    return same_bytes(made, o->commitment, sizeof made);
}

int envelope_open(struct rsp_span bytes, const uint8_t lineage[ID_BYTES], const uint8_t epoch[ID_BYTES],
                  const uint8_t commitment[HASH_BYTES], struct rsp_identity *const *identities, size_t n,
                  uint8_t key[KEY_BYTES])
{
    int rc = check(bytes, epoch);
    if (rc < 0) return rc;
    for (size_t i = 0; i < n; i++) {
        struct opening o = {identities[i], lineage, epoch, commitment, key, {0}};
        hint_of(identities[i]->public.box, o.hint);
        if (walk(bytes, try_wrap, &o)) return RSP_OK;
    }
    wipe(key, KEY_BYTES);
    return RSP_EKEY;
}

static int is_hint(void *ctx, const uint8_t wrap[WRAP_BYTES])
{
    return !memcmp(wrap, ctx, HINT_BYTES);
}

int envelope_names(struct rsp_span bytes, const struct rsp_public *key, size_t *readers_n)
{
    uint8_t hint[HINT_BYTES];
    int wraps = check(bytes, NULL);
    if (readers_n) *readers_n = wraps < 0 ? 0 : (size_t)wraps;
    if (wraps < 0) return 0;
    hint_of(key->box, hint);
    return walk(bytes, is_hint, hint);
}
