/* What this is: tests of pack files: round trips, and every way to damage one.
 * Rests on: libcheck, object_test.h, respite/sys/seal.h.
 * Does not: test identities. */
#include "object_test.h"

#include <respite/sys/seal.h>

#include "base/bytes.h"
#include "seal/pack_impl.h"

#define PLAIN_MAX (PACK_OBJECT_PLAIN * 2u + 3000000u)

static uint8_t *plain; /* PLAIN_MAX bytes */
static struct rsp_identity *me, *other;

static void setup(void)
{
    fresh_env();
    pairs_n = 0;
    aead_witness = NULL;
    ck_assert_int_eq(rsp_identity_new(NULL, "me", &me), RSP_OK);
    ck_assert_int_eq(rsp_identity_new(NULL, "other", &other), RSP_OK);
}

/* A source that gives at most `most` bytes at a time, and RSP_AGAIN before each when blink is set (after the front). */
struct trickle {
    const uint8_t *p;
    size_t n, at, most, blink_from;
    int blinked, fault_at_end;
};
static int trickle_read(void *opaque, uint8_t *out, size_t cap, size_t *got)
{
    struct trickle *t = opaque;
    size_t n = t->n - t->at;
    if (t->blink_from && t->at >= t->blink_from && !t->blinked) {
        t->blinked = 1;
        return RSP_AGAIN;
    }
    t->blinked = 0;
    if (!n) return t->fault_at_end ? RSP_EIO : RSP_END;
    if (n > cap) n = cap;
    if (n > t->most) n = t->most;
    memcpy(out, t->p + t->at, n);
    t->at += n;
    *got = n;
    return RSP_OK;
}
static const struct rsp_source_ops trickle_ops = {sizeof trickle_ops, trickle_read, NULL};

static int pack(const uint8_t *p, size_t n, unsigned threads, struct rsp_sink **sink)
{
    struct rsp_public keys[2];
    struct rsp_pack_options o = {.size = sizeof o, .readers = keys, .readers_n = 2, .threads = threads, .level = 1};
    struct rsp_source *source = NULL;
    int rc;
    rsp_identity_public(other, &keys[0]);
    rsp_identity_public(me, &keys[1]);
    *sink = NULL;
    rc = rsp_source_memory(&env, p, n, &source);
    if (!rc) rc = rsp_sink_memory(&env, sink);
    if (!rc) rc = rsp_pack_write(&env, source, *sink, &o);
    rsp_source_free(source);
    return rc;
}

/* What comes out must be a prefix of plain; *n becomes how much. */
static int drain(struct rsp_source *s, size_t *n)
{
    static uint8_t out[100000];
    int rc;
    *n = 0;
    for (;;) {
        size_t got = 0;
        rc = rsp_source_read(s, out, sizeof out, &got);
        if (rc == RSP_AGAIN) continue;
        if (rc) break;
        ck_assert(got && got <= PLAIN_MAX - *n);
        ck_assert(!memcmp(out, plain + *n, got));
        *n += got;
    }
    return rc == RSP_END ? RSP_OK : rc;
}

static int unpack_trickle(struct trickle *t, struct rsp_identity *id, unsigned threads, size_t *n)
{
    struct rsp_source *inner = NULL, *s = NULL;
    int rc;
    *n = 0;
    rsp_error_clear(&error);
    rc = rsp_source_custom(&env, &trickle_ops, t, "x.pack", &inner);
    if (rc) return rc;
    rc = rsp_source_unpack(&env, inner, &id, id ? 1 : 0, threads, &s);
    if (rc) {
        rsp_source_free(inner);
    } else {
        rc = drain(s, n);
        rsp_source_free(s);
    }
    ck_assert_int_eq(error.code, rc);
    if (rc) ck_assert(error.message[0]);
    return rc;
}

static int unpack(const uint8_t *p, size_t n, size_t *got)
{
    struct trickle t = {.p = p, .n = n, .most = n ? n : 1};
    return unpack_trickle(&t, me, 2, got);
}

START_TEST(round_trips)
{
    static const size_t sizes[] = {0,
                                   1,
                                   CHUNK_DEFAULT - 1,
                                   CHUNK_DEFAULT,
                                   CHUNK_DEFAULT + 1,
                                   PACK_OBJECT_PLAIN - 1,
                                   PACK_OBJECT_PLAIN,
                                   PACK_OBJECT_PLAIN + 1,
                                   PACK_OBJECT_PLAIN * 2,
                                   PLAIN_MAX};
    aead_witness = witness;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct rsp_sink *sink;
        struct rsp_span v;
        struct trickle t = {.most = 100000};
        size_t n;
        ck_assert_int_eq(pack(plain, sizes[i], (unsigned)(i % 3 + 1), &sink), RSP_OK);
        ck_assert_int_eq(rsp_sink_view(sink, &v), RSP_OK);
        t.p = v.p, t.n = v.n;
        ck_assert_int_eq(unpack_trickle(&t, me, (unsigned)(i % 3), &n), RSP_OK);
        ck_assert_uint_eq(n, sizes[i]);
        t.at = 0, t.blink_from = 400; /* behind the front */
        ck_assert_int_eq(unpack_trickle(&t, other, 1, &n), RSP_OK);
        ck_assert_uint_eq(n, sizes[i]);
        rsp_sink_free(sink);
        nothing_left();
    }
    pairs_differ(20);
}
END_TEST

START_TEST(detected)
{
    struct rsp_source *s;
    ck_assert_int_eq(rsp_source_memory(&env, "RSPPACK1....", 12, &s), RSP_OK);
    ck_assert_int_eq(rsp_pack_detect(s), 1);
    rsp_source_free(s);
    ck_assert_int_eq(rsp_source_memory(&env, "RSPPACK2....", 12, &s), RSP_OK);
    ck_assert_int_eq(rsp_pack_detect(s), 0);
    rsp_source_free(s);
    ck_assert_int_eq(rsp_source_memory(&env, "RSPPACK", 7, &s), RSP_OK);
    ck_assert_int_eq(rsp_pack_detect(s), 0);
    rsp_source_free(s);
}
END_TEST

START_TEST(another_file_and_another_identity)
{
    struct rsp_identity *third;
    struct rsp_public key;
    struct rsp_sink *sink;
    struct rsp_span v;
    struct trickle t = {.p = (const uint8_t *)"REDIS0011 and more", .n = 18, .most = 5};
    uint8_t hash[32];
    char hint[17];
    size_t n;
    ck_assert_int_eq(unpack_trickle(&t, me, 1, &n), RSP_EFORMAT);
    ck_assert_int_eq(rsp_identity_new(NULL, "third", &third), RSP_OK);
    ck_assert_int_eq(pack(plain, 100, 1, &sink), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(sink, &v), RSP_OK);
    t = (struct trickle){.p = v.p, .n = v.n, .most = 1000};
    ck_assert_int_eq(unpack_trickle(&t, third, 1, &n), RSP_EKEY);
    rsp_identity_public(me, &key);
    hash256(hash, key.box, 32);
    hex_text(hint, hash, 8);
    ck_assert_ptr_nonnull(strstr(error.message, hint)); /* whom it is sealed to */
    ck_assert_ptr_nonnull(strstr(error.message, "2 readers"));
    t.at = 0;
    ck_assert_int_eq(unpack_trickle(&t, NULL, 1, &n), RSP_EKEY);
    rsp_identity_free(third);
    rsp_sink_free(sink);
    nothing_left();
}
END_TEST

START_TEST(every_byte_flipped_and_every_cut)
{
    struct rsp_sink *sink;
    struct rsp_span v;
    uint8_t *p;
    size_t n, front;
    ck_assert_int_eq(pack(plain, 500, 1, &sink), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(sink, &v), RSP_OK);
    p = malloc(v.n + 1);
    ck_assert_ptr_nonnull(p);
    memcpy(p, v.p, v.n);
    front = 12 + load_le32(p + 8) + 32;
    for (size_t i = 0; i < v.n; i++) {
        int rc;
        p[i] ^= 1;
        rc = unpack(p, v.n, &n);
        p[i] ^= 1;
        if (i < 8) ck_assert_int_eq(rc, RSP_EFORMAT);
        else if (i >= front) ck_assert_int_eq(rc, RSP_EINTEGRITY);
        else if (i < 12 || i >= front - 32) ck_assert(rc == RSP_EINTEGRITY || rc == RSP_EKEY);
        /* the other reader's wrap does not concern this one */
        else ck_assert(rc == RSP_OK || rc == RSP_EINTEGRITY || rc == RSP_EKEY);
        ck_assert_uint_eq(n, rc == RSP_OK ? 500 : 0);
    }
    for (size_t k = 0; k < v.n; k++) {
        ck_assert_int_eq(unpack(p, k, &n), RSP_EINTEGRITY);
        ck_assert_uint_eq(n, 0);
        ck_assert(error.has_offset);
    }
    p[v.n] = 0;
    ck_assert_int_eq(unpack(p, v.n + 1, &n), RSP_EINTEGRITY);
    ck_assert_uint_eq(error.offset, v.n);
    free(p);
    rsp_sink_free(sink);
    nothing_left();
}
END_TEST

/* Where the objects (their lengths in front) of a pack file begin; at[count] is the end. */
static unsigned places(struct rsp_span v, size_t *at)
{
    unsigned n = 0;
    at[0] = 12 + load_le32(v.p + 8) + 32;
    while (at[n] < v.n) {
        at[n + 1] = at[n] + 8 + (size_t)load_le64(v.p + at[n]);
        n++;
    }
    ck_assert_uint_eq(at[n], v.n);
    return n;
}

static int unpack_order(struct rsp_span v, const size_t *at, const unsigned *order, unsigned order_n, size_t *n)
{
    uint8_t *p = malloc(v.n * 2);
    size_t size = at[0];
    int rc;
    ck_assert_ptr_nonnull(p);
    memcpy(p, v.p, at[0]);
    for (unsigned i = 0; i < order_n; i++) {
        size_t k = at[order[i] + 1] - at[order[i]];
        memcpy(p + size, v.p + at[order[i]], k);
        size += k;
    }
    rc = unpack(p, size, n);
    free(p);
    return rc;
}

START_TEST(objects_moved)
{
    static const struct {
        unsigned order[4], n, whole; /* whole: how many objects may be handed out before the fault */
    } wrong[] = {{{1, 0, 2, 3}, 4, 0}, {{2, 1, 0, 3}, 4, 0}, {{0, 2, 1, 3}, 4, 1}, {{0, 1, 3, 2}, 4, 2},
                 {{3, 1, 2, 0}, 4, 0}, {{0, 3, 2, 1}, 4, 1}, {{0, 1, 2}, 3, 3},    {{0, 1, 3}, 3, 2},
                 {{1, 2, 3}, 3, 0},    {{3}, 1, 0},          {{0, 0, 1, 2}, 4, 1}, {{0}, 0, 0}};
    static const unsigned right[] = {0, 1, 2, 3};
    struct rsp_sink *sink;
    struct rsp_span v;
    size_t n, at[8];
    ck_assert_int_eq(pack(plain, PLAIN_MAX, 2, &sink), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(sink, &v), RSP_OK);
    ck_assert_uint_eq(places(v, at), 4); /* 8 MiB, 8 MiB, the rest, an empty one */
    ck_assert_int_eq(unpack_order(v, at, right, 4, &n), RSP_OK);
    ck_assert_uint_eq(n, PLAIN_MAX);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(unpack_order(v, at, wrong[i].order, wrong[i].n, &n), RSP_EINTEGRITY);
        ck_assert_uint_eq(n, wrong[i].whole == 3 ? PLAIN_MAX : wrong[i].whole * PACK_OBJECT_PLAIN);
        ck_assert(strstr(error.message, "object ") || strstr(error.subject, "object "));
    }
    rsp_sink_free(sink);
    nothing_left();
}
END_TEST

START_TEST(an_object_of_another_pack_file)
{
    struct rsp_sink *a, *b;
    struct rsp_span v, w;
    size_t n;
    uint8_t *p;
    ck_assert_int_eq(pack(plain, 500, 1, &a), RSP_OK);
    ck_assert_int_eq(pack(plain, 500, 1, &b), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(a, &v), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(b, &w), RSP_OK);
    ck_assert_uint_eq(v.n, w.n);
    p = malloc(v.n);
    ck_assert_ptr_nonnull(p);
    n = 12 + load_le32(v.p + 8);
    memcpy(p, v.p, v.n);
    memcpy(p + n + 32, w.p + n + 32, v.n - n - 32);
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    ck_assert_ptr_nonnull(strstr(error.subject, "object 0"));
    free(p);
    rsp_sink_free(a);
    rsp_sink_free(b);
}
END_TEST

START_TEST(damage_in_the_middle)
{
    struct rsp_sink *sink;
    struct rsp_span v;
    size_t n, at[8];
    uint8_t *p;
    ck_assert_int_eq(pack(plain, PLAIN_MAX, 2, &sink), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(sink, &v), RSP_OK);
    places(v, at);
    p = malloc(v.n);
    ck_assert_ptr_nonnull(p);
    memcpy(p, v.p, v.n);
    p[at[1] + 8 + 104 + 5] ^= 4; /* the second object's first chunk */
    p[at[2] + 8 + 80] ^= 4;      /* the third's header: not what is told */
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    ck_assert_uint_eq(n, PACK_OBJECT_PLAIN); /* everything before it was handed out */
    ck_assert_ptr_nonnull(strstr(error.subject, "object 1"));
    ck_assert_ptr_nonnull(strstr(error.message, "chunk 0"));
    ck_assert_uint_eq(error.offset, at[1] + 8 + 104);
    free(p);
    rsp_sink_free(sink);
    nothing_left();
}
END_TEST

START_TEST(lengths_are_not_believed)
{
    struct rsp_sink *sink;
    struct rsp_span v;
    size_t n, at;
    uint8_t *p;
    ck_assert_int_eq(pack(plain, 500, 1, &sink), RSP_OK);
    ck_assert_int_eq(rsp_sink_view(sink, &v), RSP_OK);
    p = malloc(v.n);
    ck_assert_ptr_nonnull(p);
    memcpy(p, v.p, v.n);
    at = 12 + load_le32(p + 8) + 32;
    env.limits.alloc_bytes = 4 << 20; /* a buffer of what is claimed would pass it */
    store_le64(p + at, PACK_OBJECT_STORED_MAX);
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    store_le64(p + at, PACK_OBJECT_STORED_MAX + 1);
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    store_le64(p + at, UINT64_MAX);
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    store_le64(p + at, 0);
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    store_le32(p + 8, UINT32_MAX);
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    store_le32(p + 8, PACK_ENVELOPE_MAX);
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    store_le32(p + 8, 0);
    ck_assert_int_eq(unpack(p, v.n, &n), RSP_EINTEGRITY);
    free(p);
    rsp_sink_free(sink);
    nothing_left();
}
END_TEST

START_TEST(a_source_that_fails)
{
    struct rsp_public key;
    volatile int cancel = 1;
    struct rsp_pack_options o = {.size = sizeof o, .readers = &key, .readers_n = 1, .threads = 1};
    struct trickle t = {.p = plain, .n = 1000, .most = 100, .fault_at_end = 1};
    struct rsp_source *s;
    struct rsp_sink *sink;
    rsp_identity_public(me, &key);
    ck_assert_int_eq(rsp_sink_memory(&env, &sink), RSP_OK);
    ck_assert_int_eq(rsp_source_custom(&env, &trickle_ops, &t, "x", &s), RSP_OK);
    ck_assert_int_eq(rsp_pack_write(&env, s, sink, &o), RSP_EIO);
    ck_assert_int_eq(error.code, RSP_EIO);
    rsp_source_free(s);
    rsp_error_clear(&error);
    o.cancel = &cancel;
    ck_assert_int_eq(rsp_source_memory(&env, plain, 1000, &s), RSP_OK);
    ck_assert_int_eq(rsp_pack_write(&env, s, sink, &o), RSP_ECANCELED);
    o.cancel = NULL;
    o.readers_n = 0;
    ck_assert_int_eq(rsp_pack_write(&env, s, sink, &o), RSP_EINVAL);
    rsp_source_free(s);
    rsp_sink_free(sink);
    nothing_left();
}
END_TEST

START_TEST(every_allocation_fails)
{
    int n, done = 0;
    for (n = 1; n < 600 && !done; n++) {
        struct rsp_sink *sink = NULL;
        struct rsp_span v = {NULL, 0};
        size_t got;
        int rc;
        fresh_env();
        atomic_store(&meter.fail_at, n);
        rc = pack(plain, 5000, 1, &sink);
        if (!rc) rc = rsp_sink_view(sink, &v);
        if (!rc) rc = unpack(v.p, v.n, &got);
        else ck_assert_int_eq(error.code, rc);
        ck_assert(rc == RSP_OK || rc == RSP_ENOMEM);
        done = rc == RSP_OK && atomic_load(&meter.calls) < n;
        if (!rc) ck_assert_uint_eq(got, 5000);
        rsp_sink_free(sink);
        nothing_left();
    }
    ck_assert_int_gt(n, 20);
    ck_assert_int_lt(n, 600);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {{"round trips", round_trips},
                                       {"detect", detected},
                                       {"keys", another_file_and_another_identity},
                                       {"flips and cuts", every_byte_flipped_and_every_cut},
                                       {"moved", objects_moved},
                                       {"spliced", an_object_of_another_pack_file},
                                       {"middle", damage_in_the_middle},
                                       {"lengths", lengths_are_not_believed},
                                       {"source", a_source_that_fails},
                                       {"allocation", every_allocation_fails}};
    plain = malloc(PLAIN_MAX);
    if (!plain) return EXIT_FAILURE;
    text(plain, PLAIN_MAX, 3);
    return run_tests("pack", tests, sizeof tests / sizeof *tests, setup);
}
