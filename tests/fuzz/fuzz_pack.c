/* What this is: the fuzz target of pack files: a good one is edited as the input says; what comes out must be the
 *   front part of what was packed, and the whole of it only when nothing behind the front was changed.
 * Rests on: fuzz.h, rdb_drive.h, seal/object.h, seal/envelope.h.
 * Does not: change the key. Input: u8 of how bytes arrive, then edits of 4 bytes: u8 what, u16le where, u8 value. */
#include "fuzz.h"

#include "base/bytes.h"
#include "rdb_drive.h"
#include "seal/envelope.h"
#include "seal/pack_impl.h"

#define OBJECTS 4
#define PLAIN 9000
#define ROOM 40000

static uint8_t good[ROOM], plain[PLAIN];
static size_t good_n, place[OBJECTS + 1]; /* of each object's length */
static unsigned objects_n;
static struct rsp_identity *me;

static int add(void *ctx, const void *p, size_t n)
{
    (void)ctx;
    MUST(n <= ROOM - good_n);
    memcpy(good + good_n, p, n);
    good_n += n;
    return RSP_OK;
}
static int begin(void *ctx, const uint8_t object[ID_BYTES], uint32_t number)
{
    static const uint8_t length[8];
    (void)object, (void)number;
    place[objects_n] = good_n;
    return add(ctx, length, sizeof length);
}
static int end(void *ctx, const struct object_done *done)
{
    (void)ctx;
    store_le64(good + place[objects_n++], done->stored);
    return RSP_OK;
}

static void make_good(const struct rsp_env *env)
{
    static const struct object_out out = {begin, add, end, NULL, NULL};
    static const uint8_t secret[32] = "a secret that everybody may know", epoch_key[32] = "an epoch key";
    static const uint8_t no_lineage[ID_BYTES];
    struct object_writer_options o = {.mark_last = 1, .object_plain = 4096};
    struct object_writer *w;
    struct rsp_public public;
    uint8_t commitment[HASH_BYTES], length[4];
    struct buf b;
    for (size_t i = 0; i < PLAIN; i++) plain[i] = (uint8_t)(i * i / 97);
    MUST(identity_from_secret(env, secret, "me", &me) == RSP_OK);
    rsp_identity_public(me, &public);
    o.head = (struct object_head){
        .suite = SUITE_CHACHA, .codec = CODEC_ZSTD, .kind = OBJECT_PACK, .chunk_bytes = 4096, .epoch = "epoch"};
    buf_init(&b, env);
    MUST(envelope_write(env, o.head.epoch, epoch_key, &public, 1, &b) == RSP_OK);
    epoch_commitment(epoch_key, no_lineage, o.head.epoch, commitment);
    store_le32(length, (uint32_t)b.n);
    add(NULL, PACK_MAGIC, 8);
    add(NULL, length, 4);
    add(NULL, b.p, b.n);
    add(NULL, commitment, sizeof commitment);
    buf_free(&b);
    MUST(object_writer_new(env, &o, epoch_key, &out, NULL, &w) == RSP_OK);
    for (size_t at = 0; at < PLAIN; at += 1500) {
        uint8_t *chunk;
        MUST(object_writer_chunk(w, &chunk) == RSP_OK);
        memcpy(chunk, plain + at, 1500);
        MUST(object_writer_submit(w, chunk, 1500, NULL, 0) == RSP_OK);
    }
    MUST(object_writer_finish(w) == RSP_OK);
    object_writer_free(w);
    MUST(objects_n == OBJECTS);
    place[OBJECTS] = good_n;
}

/* Copies object k of the good file behind the n bytes at p. */
static size_t copy_object(uint8_t *p, size_t n, unsigned k)
{
    size_t size = place[k % OBJECTS + 1] - place[k % OBJECTS];
    if (size > ROOM - n) return n;
    memcpy(p + n, good + place[k % OBJECTS], size);
    return n + size;
}

static size_t edit(uint8_t *p, size_t n, const uint8_t *e)
{
    size_t at = load_le16(e + 1);
    switch (e[0] % 6) {
    case 0: /* a byte behind the front, or anywhere */
        if (at < n) p[at] ^= e[3];
        return n;
    case 1: return at < n ? at : n;
    case 2: return copy_object(p, n, e[3]);
    case 3: return copy_object(p, place[0] < n ? place[0] : n, e[3]); /* from the front on again */
    case 4:
        if (n == ROOM) return n;
        p[n] = e[3];
        return n + 1;
    default: /* a length */
        if (n >= place[0] + 8) store_le64(p + place[0], load_le64(p + place[0]) + at);
        return n;
    }
}

static void drain(const struct rsp_env *env, const uint8_t *p, size_t n, uint8_t how)
{
    struct drip d = {p, n, 0, how & 0x7f ? how & 0x7f : 1 << 20, 0, 0, 0};
    struct rsp_source *inner = drip_source(env, &d), *s = NULL;
    int same = n == good_n && !memcmp(p, good, n), rc;
    int behind = !memcmp(p, good, n < place[0] ? n : place[0]); /* if anything was changed, then behind the front */
    uint8_t out[1000];
    size_t at = 0, got;
    MUST(inner);
    rc = rsp_source_unpack(env, inner, &me, 1, 1, &s);
    if (rc) {
        rsp_source_free(inner);
    } else {
        while ((rc = rsp_source_read(s, out, sizeof out, &got)) == RSP_OK) {
            MUST(got && got <= PLAIN - at && !memcmp(out, plain + at, got));
            at += got;
        }
        rsp_source_free(s);
        if (rc == RSP_END) rc = RSP_OK;
    }
    MUST(rc == env->error->code && (!rc || env->error->message[0]));
    MUST(rc <= 0 && (rc || at == PLAIN) && (!same || !rc));
    MUST(same || !behind || rc == RSP_EINTEGRITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t p[ROOM];
    size_t size;
    struct rsp_error error = {0};
    struct meter m = {.ceiling = 64 << 20};
    struct rsp_env env, given = meter_env(&m, &error);
    env_init(&env, NULL);
    if (!good_n) make_good(&env);
    if (!n) return 0;
    memcpy(p, good, good_n);
    size = good_n;
    for (size_t i = 1; n - i >= 4 && i < 41; i += 4) size = edit(p, size, data + i);
    env_init(&env, &given);
    drain(&env, p, size, data[0]);
    MUST(!m.alive && !m.wrong_sizes);
    return 0;
}
