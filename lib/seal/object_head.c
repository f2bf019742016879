/* What this is: the header of a sealed object, its key, and one sealed message.
 * Rests on: object_impl.h, items.h, libsodium (BLAKE2b in parts, for suite none).
 * Does not: write error records. */
#include <sodium.h>

#include "base/bytes.h"
#include "seal/items.h"
#include "seal/object_impl.h"

static const char head_magic[8] = {'R', 'S', 'P', 'O', 'B', 'J', '1', '\n'};
const char object_tail_magic[8] = {'R', 'S', 'P', 'E', 'N', 'D', '1', '\n'};

static const uint8_t zero_key[KEY_BYTES];

static void store_le16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)v, p[1] = (uint8_t)(v >> 8);
}

static void commitment(uint8_t out[HASH_BYTES], const uint8_t object_key[KEY_BYTES])
{
    keyed256(out, object_key, "commit", 6);
}

static int chunk_bytes_valid(uint32_t n)
{
    return n >= CHUNK_MIN && n <= CHUNK_MAX;
}

int object_head_write(struct object_head *head, const uint8_t epoch_key[KEY_BYTES], struct buf *out,
                      uint8_t object_key[KEY_BYTES])
{
    uint8_t *p;
    int rc;
    if (head->suite > SUITE_CHACHA || head->codec > CODEC_ZSTD || head->kind < OBJECT_DATA ||
        head->kind > OBJECT_PACK || head->flags > OBJECT_LAST || !chunk_bytes_valid(head->chunk_bytes))
        return fail(out->env, RSP_EINVAL, NULL, "a sealed object cannot have such a header");
    if (head->suite == SUITE_NONE && !same_bytes(epoch_key, zero_key, KEY_BYTES))
        return fail(out->env, RSP_EINVAL, NULL, "an object that is not encrypted takes no secret key");
    rc = buf_reserve(out, HEAD_BYTES);
    if (rc) return rc;
    head->head_bytes = HEAD_BYTES;
    p = out->p + out->n;
    memcpy(p, head_magic, 8);
    store_le16(p + 8, 1);
    p[10] = head->suite;
    p[11] = head->codec;
    store_le32(p + 12, head->chunk_bytes);
    memcpy(p + 16, head->lineage, ID_BYTES);
    p[32] = head->kind;
    p[33] = head->flags;
    store_le16(p + 34, head->head_bytes);
    store_le32(p + 36, head->number);
    memcpy(p + 40, head->object, ID_BYTES);
    memcpy(p + 56, head->epoch, ID_BYTES);
    keyed256(object_key, epoch_key, p, HEAD_BYTES - HASH_BYTES);
    commitment(p + HEAD_BYTES - HASH_BYTES, object_key);
    out->n += HEAD_BYTES;
    return RSP_OK;
}

/* The fields of a header whose commitment is right. */
static int read_fields(struct object_head *head, const uint8_t *p, const uint8_t epoch_key[KEY_BYTES])
{
    if (load_le16(p + 8) != 1) return RSP_EVERSION;
    head->suite = p[10];
    head->codec = p[11];
    head->chunk_bytes = load_le32(p + 12);
    memcpy(head->lineage, p + 16, ID_BYTES);
    head->kind = p[32];
    head->flags = p[33];
    head->number = load_le32(p + 36);
    memcpy(head->object, p + 40, ID_BYTES);
    memcpy(head->epoch, p + 56, ID_BYTES);
    if (head->suite > SUITE_CHACHA || head->codec > CODEC_ZSTD || !head->kind || head->kind > OBJECT_PACK ||
        head->flags > OBJECT_LAST)
        return RSP_EUNSUPPORTED;
    if (!chunk_bytes_valid(head->chunk_bytes)) return RSP_EINTEGRITY;
    /* What claims not to be encrypted is never taken for something that the secret key sealed. */
    if (head->suite == SUITE_NONE && !same_bytes(epoch_key, zero_key, KEY_BYTES)) return RSP_EINTEGRITY;
    return object_items_check(p + HEAD_BYTES - HASH_BYTES, (size_t)head->head_bytes - HEAD_BYTES);
}

int object_head_read(struct object_head *head, const uint8_t *p, size_t n, const uint8_t epoch_key[KEY_BYTES],
                     uint8_t object_key[KEY_BYTES])
{
    uint8_t right[HASH_BYTES];
    size_t len;
    int rc;
    memset(head, 0, sizeof *head);
    if (n < HEAD_BYTES || memcmp(p, head_magic, 8)) return RSP_EINTEGRITY;
    len = load_le16(p + 34);
    if (len < HEAD_BYTES || len > HEAD_BYTES_MAX || len > n) return RSP_EINTEGRITY;
    head->head_bytes = (uint16_t)len;
    keyed256(object_key, epoch_key, p, len - HASH_BYTES);
    commitment(right, object_key);
    rc = same_bytes(right, p + len - HASH_BYTES, HASH_BYTES) ? read_fields(head, p, epoch_key) : RSP_EINTEGRITY;
    if (rc) wipe(object_key, KEY_BYTES);
    return rc;
}

int object_items_check(const uint8_t *p, size_t n)
{
    struct items list;
    struct item item;
    int rc;
    items_begin(&list, p, n);
    while ((rc = items_next(&list, &item)) == RSP_OK)
        if (item.tag & ITEM_CRITICAL) return RSP_EUNSUPPORTED;
    return rc == RSP_END ? RSP_OK : RSP_EINTEGRITY;
}

struct object_nonce object_chunk_nonce(uint64_t number, int final)
{
    struct object_nonce nonce = {{0}};
    store_le64(nonce.b, number);
    nonce.b[8] = final ? 1 : 0;
    return nonce;
}

struct object_nonce object_table_nonce(void)
{
    struct object_nonce nonce = {{0}}; /* the number of chunks would be known only once it is open */
    nonce.b[9] = 1;
    return nonce;
}

static void open_tag(uint8_t tag[TAG_BYTES], const uint8_t *m, size_t n, const struct object_nonce *nonce,
                     const uint8_t key[KEY_BYTES])
{
    crypto_generichash_state state;
    uint8_t hash[HASH_BYTES];
    crypto_generichash_init(&state, key, KEY_BYTES, sizeof hash);
    crypto_generichash_update(&state, nonce->b, sizeof nonce->b);
    if (n) crypto_generichash_update(&state, m, n);
    crypto_generichash_final(&state, hash, sizeof hash);
    memcpy(tag, hash, TAG_BYTES);
    wipe(&state, sizeof state);
}

void object_seal(int suite, uint8_t *c, const uint8_t *m, size_t n, const struct object_nonce *nonce,
                 const uint8_t key[KEY_BYTES])
{
    if (suite == SUITE_CHACHA) {
        aead_seal(c, m, n, nonce->b, key);
        return;
    }
    if (n && c != m) memcpy(c, m, n);
    open_tag(c + n, c, n, nonce, key);
}

int object_open(int suite, uint8_t *m, const uint8_t *c, size_t c_n, const struct object_nonce *nonce,
                const uint8_t key[KEY_BYTES])
{
    uint8_t tag[TAG_BYTES];
    size_t n;
    if (c_n < TAG_BYTES) return 0;
    if (suite == SUITE_CHACHA) return aead_open(m, c, c_n, nonce->b, key);
    n = c_n - TAG_BYTES;
    open_tag(tag, c, n, nonce, key);
    if (!same_bytes(tag, c + n, TAG_BYTES)) return 0;
    if (n && m != c) memcpy(m, c, n);
    return 1;
}
