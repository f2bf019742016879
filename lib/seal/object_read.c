/* What this is: sealed objects opened: header, table and trailer checked against each other and against what is known.
 * Rests on: object_codec.h, base/bytes.h.
 * Does not: fetch by itself, or believe a size before it is authentic and fits. */
#include <stdio.h>

#include "base/bytes.h"
#include "seal/object_codec.h"

#define WHOLE_BYTES (64u << 10) /* an object this small is fetched as a whole */
#define TAIL_GUESS (32u << 10)  /* what is fetched of another's end at first: most tables are within it */
#define STORED_MIN (HEAD_BYTES + TAG_BYTES + 4 + TABLE_ENTRY_MIN + TAG_BYTES + OBJECT_TAIL_BYTES)

struct tail {
    uint64_t table_at;
    uint32_t table_n, items_n;
};

static int refuse(const struct object_reader *r, uint64_t offset, const char *what)
{
    return fail_at(&r->env, RSP_EINTEGRITY, r->subject, r->base + offset, "%s", what);
}

/* The object's end, as it claims to be: the table's place must follow from the sizes. */
static int read_tail(const struct object_reader *r, const uint8_t *p, struct tail *t)
{
    uint64_t at = r->stored - OBJECT_TAIL_BYTES, trailer;
    t->table_at = load_le64(p);
    t->table_n = load_le32(p + 8);
    t->items_n = load_le32(p + 12);
    if (memcmp(p + 16, object_tail_magic, 8)) return refuse(r, at, "does not end like a sealed object: cut or damaged");
    trailer = (uint64_t)t->items_n + OBJECT_TAIL_BYTES;
    if (t->items_n > TRAILER_ITEMS_MAX || t->table_n > TABLE_BYTES_MAX || t->table_n < TAG_BYTES + 4 ||
        trailer + t->table_n > r->stored - HEAD_BYTES || t->table_at != r->stored - trailer - t->table_n)
        return refuse(r, at, "the trailer's sizes do not fit the object's");
    return RSP_OK;
}

static int read_head(struct object_reader *r, const struct object_expect *x, const uint8_t epoch_key[KEY_BYTES],
                     const uint8_t *p, size_t n)
{
    struct object_head *h = &r->head;
    int rc = object_head_read(h, p, n, epoch_key, r->object_key);
    if (rc == RSP_EVERSION || rc == RSP_EUNSUPPORTED)
        return fail_at(&r->env, rc, r->subject, r->base, "a newer program made this object; this one cannot read it");
    if (rc) return refuse(r, 0, "the header is not what was sealed, or was sealed under another key");
    if (h->kind != x->kind) return refuse(r, 32, "is an object of another kind");
    if (x->lineage && memcmp(h->lineage, x->lineage, ID_BYTES)) return refuse(r, 16, "belongs to another lineage");
    if (x->number != UINT32_MAX && h->number != x->number) return refuse(r, 36, "is not in its place in the stream");
    if (x->object && memcmp(h->object, x->object, ID_BYTES)) return refuse(r, 40, "is another object");
    if (x->epoch && memcmp(h->epoch, x->epoch, ID_BYTES)) return refuse(r, 56, "belongs to another epoch");
    return RSP_OK;
}

/* p: the table as stored, the trailer's items behind it. Opens it in place. */
static int read_table(struct object_reader *r, const struct object_expect *x, const struct tail *t, uint8_t *p)
{
    struct object_nonce nonce;
    int rc = object_items_check(p + t->table_n, t->items_n);
    if (rc)
        return fail_at(&r->env, rc, r->subject, r->base + t->table_at + t->table_n,
                       "the trailer holds what this program does not know");
    if (t->table_at < r->head.head_bytes) return refuse(r, t->table_at, "the chunk table lies within the header");
    hash256(r->table_hash, p, t->table_n);
    if (x->table_hash && memcmp(r->table_hash, x->table_hash, HASH_BYTES))
        return refuse(r, t->table_at, "the chunk table is not the one that was committed");
    nonce = object_table_nonce();
    if (!object_open(r->head.suite, p, p, t->table_n, &nonce, r->object_key))
        return refuse(r, t->table_at, "the chunk table is not what was sealed");
    return object_table_read(r, p, t->table_n - TAG_BYTES, t->table_at);
}

/* Before the table is opened in place. The tail was judged: both parts are as small as it allows. */
static int keep_ends(struct object_reader *r, const struct object_expect *x, const uint8_t *head, const uint8_t *tail,
                     size_t tail_n)
{
    size_t head_n = r->head.head_bytes;
    if (!x->keep_ends) return RSP_OK;
    r->ends = mem_alloc(&r->env, head_n + tail_n);
    if (!r->ends) return RSP_ENOMEM;
    r->ends_n = head_n + tail_n;
    memcpy(r->ends, head, head_n);
    memcpy(r->ends + head_n, tail, tail_n);
    return RSP_OK;
}

/* Everything at once: the whole object lies at p. */
static int open_whole(struct object_reader *r, const struct object_expect *x, const uint8_t *epoch_key, uint8_t *p,
                      size_t n)
{
    struct tail t = {0};
    int rc = read_head(r, x, epoch_key, p, n);
    if (!rc) rc = read_tail(r, p + n - OBJECT_TAIL_BYTES, &t);
    if (!rc) rc = keep_ends(r, x, p, p + t.table_at, n - (size_t)t.table_at);
    return rc ? rc : read_table(r, x, &t, p + t.table_at);
}

/* p has TAIL_GUESS bytes. The tail first, as much as a usual table takes; then the header; then the table if it is
 * larger. */
static int open_parts(struct object_reader *r, const struct object_expect *x, const uint8_t *epoch_key,
                      object_fetch_fn fetch, void *ctx, uint8_t *p)
{
    uint8_t head[HEAD_BYTES_MAX];
    struct tail t = {0};
    uint8_t *large = NULL;
    size_t need;
    int rc = fetch(ctx, r->stored - TAIL_GUESS, p, TAIL_GUESS);
    if (!rc) rc = fetch(ctx, 0, head, sizeof head);
    if (!rc) rc = read_head(r, x, epoch_key, head, sizeof head);
    if (!rc) rc = read_tail(r, p + TAIL_GUESS - OBJECT_TAIL_BYTES, &t);
    if (rc) return rc;
    need = (size_t)(r->stored - t.table_at);
    if (need <= TAIL_GUESS) {
        p += TAIL_GUESS - need;
        rc = keep_ends(r, x, head, p, need);
        return rc ? rc : read_table(r, x, &t, p);
    }
    large = mem_alloc(&r->env, need); /* less than the object really has, and bounded by read_tail */
    if (!large) return RSP_ENOMEM;
    rc = fetch(ctx, t.table_at, large, need);
    if (!rc) rc = keep_ends(r, x, head, large, need);
    if (!rc) rc = read_table(r, x, &t, large);
    mem_free(&r->env, large, need);
    return rc;
}

int object_reader_open(const struct rsp_env *env, const struct object_expect *expect, const char *subject,
                       const uint8_t epoch_key[KEY_BYTES], object_fetch_fn fetch, void *ctx, struct object_reader *r)
{
    uint8_t *p = NULL;
    size_t n;
    int rc;
    memset(r, 0, sizeof *r);
    env_init(&r->env, env);
    snprintf(r->subject, sizeof r->subject, "%s", subject);
    r->stored = expect->stored;
    r->base = expect->base;
    if (r->stored < STORED_MIN) return refuse(r, 0, "is too short for a sealed object");
    rc = crypt_init(&r->env);
    if (rc) return rc;
    n = r->stored < WHOLE_BYTES ? (size_t)r->stored : TAIL_GUESS;
    r->object_key = secret_new(&r->env, KEY_BYTES);
    if (!r->object_key || !(p = mem_alloc(&r->env, n))) {
        rc = RSP_ENOMEM;
    } else if (r->stored < WHOLE_BYTES) {
        rc = fetch(ctx, 0, p, n);
        if (!rc) rc = open_whole(r, expect, epoch_key, p, n);
    } else {
        rc = open_parts(r, expect, epoch_key, fetch, ctx, p);
    }
    if (!rc && expect->plain != UINT64_MAX && r->plain != expect->plain)
        rc = refuse(r, 0, "holds another number of bytes than was committed");
    mem_free(&r->env, p, n);
    if (rc) object_reader_close(r);
    return rc;
}

void object_reader_close(struct object_reader *r)
{
    if (r->chunks) mem_free(&r->env, r->chunks, r->chunks_n * sizeof *r->chunks);
    secret_free(r->object_key);
    mem_free(&r->env, r->ends, r->ends_n);
    r->ends = NULL;
    r->ends_n = 0;
    r->chunks = NULL;
    r->chunks_n = 0;
    r->object_key = NULL;
}

int object_chunk_open(const struct rsp_env *env, const struct object_reader *r, uint32_t i, uint8_t *c,
                      struct object_scratch *s, uint8_t *m)
{
    const struct object_chunk *chunk;
    struct object_nonce nonce;
    uint64_t plain_end;
    int zstd = r->head.codec == CODEC_ZSTD, right;
    if (i >= r->chunks_n)
        return fail(env, RSP_EINVAL, r->subject, "chunk %lu of %lu", (unsigned long)i, (unsigned long)r->chunks_n);
    chunk = &r->chunks[i];
    nonce = object_chunk_nonce(i, i == r->chunks_n - 1);
    right = object_open(r->head.suite, zstd ? c : m, c, chunk->stored, &nonce, r->object_key);
    if (right && (!zstd || object_unzstd(s, c, chunk->stored - TAG_BYTES, m, chunk->plain))) return RSP_OK;
    plain_end = chunk->plain_offset + chunk->plain;
    return fail_at(env, RSP_EINTEGRITY, r->subject, r->base + chunk->stored_offset,
                   "chunk %lu (plaintext %llu to %llu): %s", (unsigned long)i, (unsigned long long)chunk->plain_offset,
                   (unsigned long long)plain_end,
                   right ? "does not decompress to what its table says" : "the stored bytes are not what was sealed");
}
