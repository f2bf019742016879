/* What this is: the fuzz target of sealed objects: the input says what a holder of the key could seal, so that tables,
 *   frames and trailers reach their checks.
 * Rests on: fuzz.h, rdb_drive.h, seal/object_impl.h.
 * Does not: break the cipher. Input: u8 how (1 zstd, 2 encrypted, 4 the rest is a whole object as it is), u8 flips,
 *   u16le of the table, u16le of the trailer's items, the table, the items, the chunks' bytes. */
#include "fuzz.h"

#include "base/bytes.h"
#include "rdb_drive.h"
#include "seal/object_impl.h"

#define HEAD 6

static const uint8_t key[KEY_BYTES] = "a key that the fuzz targets know";
static const uint8_t zeros[KEY_BYTES];

struct stored {
    const uint8_t *p;
    size_t n;
};

static int fetch(void *ctx, uint64_t offset, void *p, size_t n)
{
    const struct stored *s = ctx;
    MUST(offset <= s->n && n <= s->n - offset);
    memcpy(p, s->p + offset, n);
    return RSP_OK;
}

static void open_object(const struct rsp_env *env, const uint8_t *p, size_t n, const uint8_t *epoch_key)
{
    struct object_expect x = {.kind = OBJECT_DATA, .stored = n, .plain = UINT64_MAX, .number = UINT32_MAX};
    struct stored s = {p, n};
    struct object_scratch *scratch = NULL;
    struct object_reader r;
    uint64_t plain = 0;
    int rc = object_reader_open(env, &x, "object", epoch_key, fetch, &s, &r);
    MUST(rc == env->error->code && (!rc || env->error->message[0]));
    MUST(!rc || rc == RSP_EINTEGRITY || rc == RSP_EUNSUPPORTED || rc == RSP_EVERSION || rc == RSP_ENOMEM);
    if (!rc) MUST(object_scratch_new(env, &scratch) == RSP_OK);
    for (uint32_t i = 0; !rc && i < r.chunks_n; i++) {
        const struct object_chunk *chunk = &r.chunks[i];
        uint8_t *c = malloc(chunk->stored),
                *m = malloc(chunk->plain ? chunk->plain : 1); /* exact: overreads are seen */
        MUST(c && m);
        MUST(fetch(&s, chunk->stored_offset, c, chunk->stored) == RSP_OK && chunk->plain_offset == plain);
        rc = object_chunk_open(env, &r, i, c, scratch, m);
        MUST(rc == RSP_OK || rc == RSP_EINTEGRITY);
        plain += chunk->plain;
        free(c);
        free(m);
    }
    MUST(rc || plain == r.plain);
    object_scratch_free(scratch);
    object_reader_close(&r);
}

/* The chunks, as long as the table says; their bytes come from p and are zeros behind its end. */
static int add_chunks(struct buf *b, const struct rsp_span table, const uint8_t *p, size_t n, int suite,
                      const uint8_t *object_key)
{
    uint32_t count = table.n < 4 ? 0 : load_le32(table.p);
    size_t at = 4;
    for (uint32_t i = 0; i < count && table.n - at >= TABLE_ENTRY_MIN; i++) {
        const uint8_t *e = table.p + at;
        size_t stored = load_le32(e + 12), take;
        struct object_nonce nonce = object_chunk_nonce(i, i == count - 1);
        if (stored < TAG_BYTES || stored > 1u << 20 || b->n > 4u << 20) return 0;
        stored -= TAG_BYTES;
        take = stored < n ? stored : n;
        if (buf_reserve(b, stored + TAG_BYTES)) return 0;
        memset(b->p + b->n, 0, stored);
        if (take) memcpy(b->p + b->n, p, take);
        object_seal(suite, b->p + b->n, b->p + b->n, stored, &nonce, object_key);
        b->n += stored + TAG_BYTES;
        p += take;
        n -= take;
        if (e[16] > table.n - at - TABLE_ENTRY_MIN) break;
        at += TABLE_ENTRY_MIN + (size_t)e[16];
    }
    return 1;
}

static int build(struct buf *b, const uint8_t *data, size_t n)
{
    struct object_head h = {.suite = data[0] >> 1 & 1, .codec = data[0] & 1, .kind = OBJECT_DATA, .chunk_bytes = 65536};
    struct object_nonce nonce = object_table_nonce();
    struct rsp_span table = {data + HEAD, load_le16(data + 2)}, items = {NULL, load_le16(data + 4)};
    uint8_t object_key[KEY_BYTES], tail[OBJECT_TAIL_BYTES];
    const uint8_t *epoch_key = h.suite ? key : zeros;
    uint64_t table_at;
    n -= HEAD;
    if (table.n > n || items.n > n - table.n) return 0;
    items.p = table.p + table.n;
    n -= table.n + items.n;
    if (object_head_write(&h, epoch_key, b, object_key)) return 0;
    if (!add_chunks(b, table, items.p + items.n, n, h.suite, object_key)) return 0;
    table_at = b->n;
    if (buf_add(b, table.p, table.n) || buf_reserve(b, TAG_BYTES)) return 0;
    object_seal(h.suite, b->p + table_at, b->p + table_at, table.n, &nonce, object_key);
    b->n += TAG_BYTES;
    store_le64(tail, table_at);
    store_le32(tail + 8, (uint32_t)(table.n + TAG_BYTES));
    store_le32(tail + 12, (uint32_t)items.n);
    memcpy(tail + 16, object_tail_magic, 8);
    return !buf_add(b, items.p, items.n) && !buf_add(b, tail, sizeof tail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rsp_error error = {0};
    struct meter m = {.ceiling = 64 << 20};
    struct rsp_env env, given = meter_env(&m, &error);
    struct buf b;
    env_init(&env, &given);
    if (n < HEAD || crypt_init(&env)) return 0;
    buf_init(&b, &env);
    if (data[0] & 4) {
        open_object(&env, data + HEAD, n - HEAD, data[0] & 2 ? key : zeros);
    } else if (build(&b, data, n)) {
        if (data[1]) b.p[b.n * data[1] / 256] ^= data[1];
        open_object(&env, b.p, b.n, data[0] & 2 ? key : zeros);
    }
    buf_free(&b);
    MUST(!m.alive && !m.wrong_sizes);
    return 0;
}
