/* What this is: tests of sealed objects: round trips, cuts, notes, faults of the writer.
 * Rests on: libcheck, object_test.h.
 * Does not: damage objects: test_object_attack.c does. */
/* LDFLAGS: -Wl,--wrap=ZSTD_decompressDCtx */
#include "object_test.h"

#include <openssl/sha.h>
#include <zstd.h>

#include "base/bytes.h"

static int spoil; /* what the recheck decompresses gets a wrong byte */

size_t __real_ZSTD_decompressDCtx(ZSTD_DCtx *d, void *out, size_t cap, const void *in, size_t n);
size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *d, void *out, size_t cap, const void *in, size_t n);
size_t __wrap_ZSTD_decompressDCtx(ZSTD_DCtx *d, void *out, size_t cap, const void *in, size_t n)
{
    size_t got = __real_ZSTD_decompressDCtx(d, out, cap, in, n);
    if (spoil && got == cap && cap) ((uint8_t *)out)[cap / 2] ^= 1;
    return got;
}

static void setup(void)
{
    fresh_env();
    spoil = 0;
    pairs_n = 0;
    aead_witness = NULL;
}

static uint8_t plain[200000];

/* Writes n bytes, reads every object back and compares; returns the number of objects. */
static unsigned round_trip(const struct object_writer_options *o, const uint8_t *key, size_t n, size_t step)
{
    struct made m;
    struct buf out;
    uint64_t at = 0;
    unsigned objects;
    made_init(&m);
    buf_init(&out, &env);
    ck_assert_int_eq(make(o, key, plain, n, step, 1, &m), RSP_OK);
    for (unsigned i = 0; i < m.n; i++) {
        struct object_expect x = expect_of(m.o[i].n);
        uint8_t sum[32];
        x.plain = m.done[i].plain;
        x.object = m.done[i].object;
        x.table_hash = m.done[i].table_hash;
        ck_assert_uint_eq(m.done[i].stored, m.o[i].n);
        ck_assert_uint_eq(m.done[i].stream_offset, at);
        ck_assert_uint_eq(m.done[i].number, i);
        SHA256(m.o[i].p, m.o[i].n, sum);
        ck_assert_mem_eq(sum, m.done[i].sha256, 32);
        ck_assert_int_eq(open_all(&x, key, m.o[i].p, m.o[i].n, &out), RSP_OK);
        at += m.done[i].plain;
    }
    ck_assert_uint_eq(at, n);
    ck_assert_uint_eq(out.n, n);
    if (n) ck_assert_mem_eq(out.p, plain, n);
    objects = m.n;
    buf_free(&out);
    made_free(&m);
    nothing_left();
    return objects;
}

START_TEST(round_trips)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 16383, 16384, 16385, 50000, 65536, 131072, 199999};
    for (unsigned threads = 0; threads <= 3; threads += 3)
        for (int suite = SUITE_NONE; suite <= SUITE_CHACHA; suite++)
            for (int codec = CODEC_STORED; codec <= CODEC_ZSTD; codec++)
                for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                    struct object_writer_options o = small_options();
                    unsigned wanted = sizes[i] ? (unsigned)((sizes[i] + 16383) / 16384) : 1;
                    o.threads = threads;
                    o.head.suite = (uint8_t)suite;
                    o.head.codec = (uint8_t)codec;
                    ck_assert_uint_eq(round_trip(&o, suite ? secret_key : zero_key, sizes[i], 4096), wanted);
                }
}
END_TEST

START_TEST(large_objects_in_parts)
{
    struct object_writer_options o = small_options();
    o.object_plain = 0;
    o.head.codec = CODEC_STORED; /* above what is fetched as a whole */
    ck_assert_uint_eq(round_trip(&o, secret_key, sizeof plain, 4096), 1);
    /* a table above what is fetched at first */
    ck_assert_uint_eq(round_trip(&o, secret_key, sizeof plain, 50), 1);
    /* more chunks than an object may have */
    ck_assert_uint_eq(round_trip(&o, secret_key, OBJECT_CHUNKS_MAX, 1), 1);
    ck_assert_uint_eq(round_trip(&o, secret_key, OBJECT_CHUNKS_MAX + 1, 1), 2);
}
END_TEST

START_TEST(no_pair_of_key_and_nonce_repeats)
{
    aead_witness = witness;
    for (unsigned threads = 0; threads <= 2; threads += 2) {
        struct object_writer_options o = small_options();
        o.threads = threads;
        o.mark_last = 1;
        round_trip(&o, secret_key, 100000, 1000);
        round_trip(&o, secret_key, 100000, 4096); /* the same stream again under the same epoch key */
        round_trip(&o, secret_key, 0, 4096);
    }
    pairs_differ(2 * (100 + 25 + 2));
}
END_TEST

static void flags_are(size_t n, unsigned objects)
{
    struct object_writer_options o = small_options();
    struct made m;
    made_init(&m);
    o.mark_last = 1;
    ck_assert_int_eq(make(&o, secret_key, plain, n, 4096, 0, &m), RSP_OK);
    ck_assert_uint_eq(m.n, objects);
    for (unsigned i = 0; i < m.n; i++) {
        struct object_head h;
        uint8_t key[KEY_BYTES];
        ck_assert_int_eq(object_head_read(&h, m.o[i].p, m.o[i].n, secret_key, key), RSP_OK);
        ck_assert_int_eq(h.flags, i == m.n - 1 ? OBJECT_LAST : 0);
        ck_assert_uint_eq(h.number, i);
    }
    made_free(&m);
}

START_TEST(the_last_object_is_marked)
{
    flags_are(0, 1);
    flags_are(4096, 1);       /* its only chunk was still held */
    flags_are(4097, 2);       /* known too late: an empty one */
    flags_are(16384, 2);      /* as well */
    flags_are(16384 + 10, 2); /* the second object's only chunk */
    flags_are(32768, 3);
}
END_TEST

START_TEST(notes_come_back)
{
    struct object_writer_options o = small_options();
    struct object_writer *w = NULL;
    struct object_reader r;
    struct object_expect x;
    struct stored s;
    struct made m;
    uint8_t note[NOTE_MAX], *chunk;
    made_init(&m);
    o.object_plain = 0;
    ck_assert_int_eq(object_writer_new(&env, &o, secret_key, &made_out, &m, &w), RSP_OK);
    for (unsigned i = 0; i <= NOTE_MAX; i++) {
        memset(note, (int)i, sizeof note);
        ck_assert_int_eq(object_writer_chunk(w, &chunk), RSP_OK);
        memset(chunk, 'x', 10 + i);
        ck_assert_int_eq(object_writer_submit(w, chunk, 10 + i, i ? note : NULL, i), RSP_OK);
    }
    ck_assert_int_eq(object_writer_finish(w), RSP_OK);
    object_writer_free(w);
    x = expect_of(m.o[0].n);
    s = (struct stored){m.o[0].p, m.o[0].n, 0};
    ck_assert_int_eq(object_reader_open(&env, &x, "object", secret_key, stored_fetch, &s, &r), RSP_OK);
    ck_assert_uint_eq(r.chunks_n, NOTE_MAX + 1);
    for (unsigned i = 0; i <= NOTE_MAX; i++) {
        memset(note, (int)i, sizeof note);
        ck_assert_uint_eq(r.chunks[i].note_n, i);
        ck_assert_uint_eq(r.chunks[i].plain, 10 + i);
        ck_assert(!memcmp(r.chunks[i].note, note, i));
    }
    object_reader_close(&r);
    made_free(&m);
    nothing_left();
}
END_TEST

START_TEST(wrong_use_is_refused)
{
    struct object_writer_options o = small_options();
    struct object_writer *w = NULL;
    struct made m;
    uint8_t *chunk;
    made_init(&m);
    o.head.chunk_bytes = 4095;
    ck_assert_int_eq(make(&o, secret_key, plain, 10, 10, 0, &m), RSP_EINVAL);
    o.head.chunk_bytes = CHUNK_MAX + 1;
    ck_assert_int_eq(make(&o, secret_key, plain, 10, 10, 0, &m), RSP_EINVAL);
    o = small_options();
    o.object_plain = OBJECT_PLAIN_MAX + 1;
    ck_assert_int_eq(make(&o, secret_key, plain, 10, 10, 0, &m), RSP_EINVAL);
    o = small_options();
    o.head.suite = SUITE_NONE; /* with a secret key */
    ck_assert_int_eq(make(&o, secret_key, plain, 10, 10, 0, &m), RSP_EINVAL);
    o = small_options();
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(object_writer_new(&env, &o, secret_key, &made_out, &m, &w), RSP_OK);
        ck_assert_int_eq(object_writer_chunk(w, &chunk), RSP_OK);
        rsp_error_clear(&error);
        ck_assert_int_eq(object_writer_submit(w, chunk,
                                              i == 0   ? 0
                                              : i == 1 ? 4097
                                                       : 1,
                                              plain, i == 2 ? 65 : 0),
                         RSP_EINVAL);
        ck_assert_int_eq(error.code, RSP_EINVAL);
        ck_assert_int_eq(object_writer_chunk(w, &chunk), RSP_EINVAL); /* a fault is the end */
        ck_assert_int_eq(object_writer_finish(w), RSP_EINVAL);
        object_writer_free(w);
    }
    ck_assert_uint_eq(m.n, 0);
    ck_assert_int_eq(object_writer_new(&env, &o, secret_key, &made_out, &m, &w), RSP_OK);
    ck_assert_int_eq(object_writer_finish(w), RSP_OK);
    ck_assert_int_eq(object_writer_finish(w), RSP_ESTATE);
    object_writer_free(w);
    ck_assert_uint_eq(m.n, 1);
    made_free(&m);
    nothing_left();
}
END_TEST

START_TEST(what_decompresses_to_something_else_is_refused)
{
    for (unsigned threads = 0; threads <= 2; threads++) {
        struct object_writer_options o = small_options();
        struct made m;
        made_init(&m);
        o.threads = threads;
        spoil = 1;
        rsp_error_clear(&error);
        ck_assert_int_eq(make(&o, secret_key, plain, 30000, 4096, 0, &m), RSP_EINTEGRITY);
        ck_assert_int_eq(error.code, RSP_EINTEGRITY);
        ck_assert(error.has_offset && error.message[0]);
        ck_assert_uint_eq(m.n, 0);
        spoil = 0;
        o.no_recheck = 1;
        ck_assert_int_eq(make(&o, secret_key, plain, 30000, 4096, 0, &m), RSP_OK);
        made_free(&m);
        nothing_left();
    }
}
END_TEST

/* Every call of begin, write and end fails once. */
static void failing_out(unsigned threads)
{
    int n;
    for (n = 1; n < 200; n++) {
        struct object_writer_options o = small_options();
        struct made m;
        int rc;
        made_init(&m);
        o.threads = threads;
        m.fail_at = n;
        rsp_error_clear(&error);
        rc = make(&o, secret_key, plain, 40000, 1000, 0, &m);
        if (m.calls < n) {
            ck_assert_int_eq(rc, RSP_OK);
            made_free(&m);
            break;
        }
        ck_assert_int_eq(rc, RSP_ENOSPACE);
        ck_assert_int_eq(error.code, RSP_ENOSPACE);
        ck_assert_int_eq(m.calls, n); /* nothing more was asked for */
        made_free(&m);
        nothing_left();
    }
    ck_assert_int_gt(n, 40 + 3 * 4);
    ck_assert_int_lt(n, 200);
}

START_TEST(every_call_of_out_fails)
{
    failing_out(0);
    failing_out(2);
}
END_TEST

START_TEST(a_begun_object_is_aborted)
{
    struct object_writer_options o = small_options();
    struct object_writer *w = NULL;
    struct made m;
    uint8_t *chunk;
    made_init(&m);
    ck_assert_int_eq(object_writer_new(&env, &o, secret_key, &made_out, &m, &w), RSP_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(object_writer_chunk(w, &chunk), RSP_OK);
        memset(chunk, 'x', 100);
        ck_assert_int_eq(object_writer_submit(w, chunk, 100, NULL, 0), RSP_OK);
    }
    ck_assert_int_eq(object_writer_chunk(w, &chunk), RSP_OK); /* never given back */
    ck_assert_int_eq(m.open, 1);
    object_writer_free(w);
    ck_assert_int_eq(m.aborted, 1);
    made_free(&m);
    nothing_left();
}
END_TEST

/* Chunks asked for on one thread, submitted on another; the writer may be at fault meanwhile. */
struct filler {
    struct object_writer *w;
    pthread_mutex_t lock;
    pthread_cond_t turn;
    uint8_t *chunks[600];
    unsigned n, taken;
    int done, rc;
};

static void *filling(void *arg)
{
    struct filler *f = arg;
    for (int i = 0; i < 600 && !f->rc; i++) {
        uint8_t *chunk;
        int rc = object_writer_chunk(f->w, &chunk);
        if (!rc) memset(chunk, i, 500);
        pthread_mutex_lock(&f->lock);
        f->rc = rc;
        if (!rc) f->chunks[f->n++] = chunk;
        pthread_cond_signal(&f->turn);
        pthread_mutex_unlock(&f->lock);
    }
    pthread_mutex_lock(&f->lock);
    f->done = 1;
    pthread_cond_signal(&f->turn);
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* Submits what the other thread fills; returns the first fault. */
static int submitting(struct filler *f)
{
    int rc = RSP_OK;
    while (!rc) {
        uint8_t *chunk = NULL;
        pthread_mutex_lock(&f->lock);
        while (f->taken == f->n && !f->done) pthread_cond_wait(&f->turn, &f->lock);
        if (f->taken < f->n) chunk = f->chunks[f->taken++];
        pthread_mutex_unlock(&f->lock);
        if (!chunk) break;
        rc = object_writer_submit(f->w, chunk, 500, NULL, 0);
    }
    return rc ? rc : object_writer_finish(f->w);
}

static void two_threads(unsigned threads, int fail_at, unsigned hold, int wanted)
{
    struct object_writer_options o = small_options();
    struct filler f = {.lock = PTHREAD_MUTEX_INITIALIZER, .turn = PTHREAD_COND_INITIALIZER};
    struct made m;
    pthread_t t;
    made_init(&m);
    o.threads = threads;
    m.fail_at = fail_at;
    rsp_error_clear(&error);
    ck_assert_int_eq(object_writer_new(&env, &o, secret_key, &made_out, &m, &f.w), RSP_OK);
    object_writer_hold(f.w, hold);
    ck_assert_int_eq(pthread_create(&t, NULL, filling, &f), 0);
    ck_assert_int_eq(submitting(&f), wanted);
    pthread_join(t, NULL);
    ck_assert_int_eq(f.rc, wanted == RSP_OK || f.n == 600 ? RSP_OK : wanted);
    ck_assert_int_eq(error.code, wanted);
    object_writer_free(f.w);
    if (!wanted) ck_assert_uint_eq(m.n, (600 * 500 + 15999) / 16000);
    made_free(&m);
    nothing_left();
}

START_TEST(two_threads_fill_and_submit)
{
    for (unsigned threads = 0; threads <= 2; threads++) {
        two_threads(threads, 0, 0, RSP_OK);
        two_threads(threads, 0, 5, RSP_OK);
        two_threads(threads, 1, 0, RSP_ENOSPACE);
        two_threads(threads, 100, 3, RSP_ENOSPACE);
    }
}
END_TEST

START_TEST(every_allocation_fails)
{
    int n;
    for (n = 1; n < 400; n++) {
        struct object_writer_options o = small_options();
        struct made m;
        struct buf out;
        int rc;
        fresh_env();
        made_init(&m);
        buf_init(&out, &env);
        atomic_store(&meter.fail_at, n);
        rc = make(&o, secret_key, plain, 20000, 4096, 1, &m);
        for (unsigned i = 0; !rc && i < m.n; i++) {
            struct object_expect x = expect_of(m.o[i].n);
            rc = open_all(&x, secret_key, m.o[i].p, m.o[i].n, &out);
        }
        ck_assert(rc == RSP_OK || rc == RSP_ENOMEM);
        ck_assert_int_eq(error.code, rc);
        if (!rc) ck_assert(out.n == 20000 && !memcmp(out.p, plain, out.n));
        if (!rc) ck_assert_int_lt(atomic_load(&meter.calls), n);
        atomic_store(&meter.fail_at, 0);
        buf_free(&out);
        made_free(&m);
        nothing_left();
        if (!rc) break;
    }
    ck_assert_int_gt(n, 20);
    ck_assert_int_lt(n, 400);
}
END_TEST

static int no_random(void *opaque, void *bytes, size_t n)
{
    (void)opaque, (void)bytes, (void)n;
    return RSP_EIO;
}

START_TEST(no_random_bytes_no_object)
{
    struct object_writer_options o = small_options();
    struct made m;
    made_init(&m);
    env.random = no_random;
    ck_assert_int_eq(make(&o, secret_key, plain, 100, 100, 0, &m), RSP_EIO);
    ck_assert_int_eq(error.code, RSP_EIO);
    ck_assert_uint_eq(m.n, 0);
    made_free(&m);
}
END_TEST

START_TEST(small_objects)
{
    static const size_t sizes[] = {0, 1, 5000, 70000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct object_writer_options o = small_options();
        struct object_head head = o.head;
        struct object_done done;
        struct object_expect x;
        struct buf stored, out;
        size_t n = sizes[i];
        buf_init(&stored, &env);
        buf_init(&out, &env);
        ck_assert_int_eq(buf_add(&stored, "in front", 8), RSP_OK);
        ck_assert_int_eq(buf_add(&out, "in front", 8), RSP_OK);
        head.kind = OBJECT_MANIFEST;
        head.chunk_bytes = i == 3 ? 4096 : 0;
        memcpy(head.object, "object of tests.", ID_BYTES);
        ck_assert_int_eq(object_seal_small(&env, &head, secret_key, (struct rsp_span){plain, n}, &stored, &done),
                         RSP_OK);
        ck_assert_uint_eq(done.stored, stored.n - 8);
        ck_assert_uint_eq(done.plain, n);
        ck_assert_mem_eq(done.object, head.object, ID_BYTES);
        x = expect_of(stored.n - 8);
        x.kind = OBJECT_MANIFEST;
        x.object = head.object;
        x.plain = n;
        x.table_hash = done.table_hash;
        ck_assert_int_eq(
            object_open_small(&env, &x, "manifest", secret_key, (struct rsp_span){stored.p + 8, stored.n - 8}, n, &out),
            RSP_OK);
        ck_assert(out.n == n + 8 && !memcmp(out.p + 8, plain, n));
        if (n) {
            ck_assert_int_eq(object_open_small(&env, &x, "manifest", secret_key,
                                               (struct rsp_span){stored.p + 8, stored.n - 8}, n - 1, &out),
                             RSP_ELIMIT);
            ck_assert_uint_eq(out.n, n + 8);
            rsp_error_clear(&error);
        }
        buf_free(&stored);
        buf_free(&out);
        nothing_left();
    }
}
END_TEST

/* The bytes as the manual page gives them, made here by hand. */
START_TEST(layout_is_the_manual_pages)
{
    struct object_writer_options o = small_options();
    struct made m;
    uint8_t key[KEY_BYTES], commit[HASH_BYTES], nonce[12] = {0}, table[64], *p;
    made_init(&m);
    o.head.codec = CODEC_STORED;
    ck_assert_int_eq(make(&o, secret_key, (const uint8_t *)"hello", 5, 3, 1, &m), RSP_OK);
    p = m.o[0].p;
    ck_assert_uint_eq(m.o[0].n, 104 + 3 + 16 + 2 + 16 + (4 + 2 * 18 + 16) + 24);
    ck_assert_mem_eq(p, "RSPOBJ1\n\1\0\1\0\0\x10\0\0lineage of tests\1\0\x68\0\0\0\0\0", 40);
    ck_assert_mem_eq(p + 40, m.done[0].object, 16);
    ck_assert_mem_eq(p + 56, "epoch of tests..", 16);
    keyed256(key, secret_key, p, 72);
    keyed256(commit, key, "commit", 6);
    ck_assert_mem_eq(p + 72, commit, 32);
    ck_assert_int_eq(aead_open(table, p + 104, 19, nonce, key), 1);
    ck_assert_mem_eq(table, "hel", 3);
    nonce[0] = nonce[8] = 1;
    ck_assert_int_eq(aead_open(table, p + 123, 18, nonce, key), 1);
    ck_assert_mem_eq(table, "lo", 2);
    memset(nonce, 0, sizeof nonce);
    nonce[9] = 1;
    ck_assert_int_eq(aead_open(table, p + 141, 56, nonce, key), 1);
    ck_assert_mem_eq(table,
                     "\2\0\0\0"
                     "\0\0\0\0\0\0\0\0\3\0\0\0\x13\0\0\0\1\0"
                     "\3\0\0\0\0\0\0\0\2\0\0\0\x12\0\0\0\1\1",
                     40);
    ck_assert_mem_eq(p + 197, "\x8d\0\0\0\0\0\0\0\x38\0\0\0\0\0\0\0RSPEND1\n", 24);
    made_free(&m);
}
END_TEST

int main(void)
{
    const struct named_test tests[] = {{"round trips", round_trips},
                                       {"large", large_objects_in_parts},
                                       {"nonces", no_pair_of_key_and_nonce_repeats},
                                       {"last", the_last_object_is_marked},
                                       {"notes", notes_come_back},
                                       {"use", wrong_use_is_refused},
                                       {"recheck", what_decompresses_to_something_else_is_refused},
                                       {"out", every_call_of_out_fails},
                                       {"abort", a_begun_object_is_aborted},
                                       {"two threads", two_threads_fill_and_submit},
                                       {"allocation", every_allocation_fails},
                                       {"random", no_random_bytes_no_object},
                                       {"small", small_objects},
                                       {"layout", layout_is_the_manual_pages}};
    text(plain, sizeof plain, 1);
    return run_tests("object", tests, sizeof tests / sizeof *tests, setup);
}
