/* What this is: tests of LZF inflating, whole and in pieces.
 * Rests on: enc/lzf.h, liblzf as compressor and oracle.
 * Does not: measure. */
#include "enc/lzf.h"

#include <lzf.h>

#include "unit/enc/blob_test.h"

static uint64_t seed = 88172645463325252ULL;

static uint64_t next_random(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

/* One-shot in blocks of exactly their size. */
static int whole(const uint8_t *in, size_t in_n, const uint8_t *want, size_t ulen, struct blob_fault *fault)
{
    uint8_t *copy = malloc(in_n ? in_n : 1), *out = malloc(ulen ? ulen : 1);
    int rc;
    MUST(copy && out);
    if (in_n) memcpy(copy, in, in_n);
    rc = lzf_inflate((struct rsp_span){in_n ? copy : NULL, in_n}, ulen ? out : NULL, ulen, fault);
    MUST(rc == RSP_OK || rc == RSP_EFORMAT);
    if (rc == RSP_OK && want) MUST(!memcmp(out, want, ulen));
    free(copy);
    free(out);
    return rc;
}

/* In pieces of in_step and out_step bytes; the output in *out (of ulen bytes and one to spare). */
static int pieces(const uint8_t *in, size_t in_n, uint8_t *out, size_t ulen, size_t in_step, size_t out_step,
                  struct blob_fault *fault)
{
    struct lzf_stream s;
    size_t at = 0, done = 0;
    lzf_stream_init(&s, ulen);
    for (;;) {
        size_t given = in_n - at < in_step ? in_n - at : in_step;
        size_t room = ulen - done < out_step ? ulen - done : out_step;
        size_t in_pos = 0, out_pos = 0;
        uint8_t *window = malloc(given ? given : 1), *space = malloc(room ? room : 1);
        int rc;
        MUST(window && space);
        if (given) memcpy(window, in + at, given);
        rc = lzf_stream_step(&s, window, given, &in_pos, space, room, &out_pos, fault);
        MUST(in_pos <= given && out_pos <= room);
        if (out_pos) memcpy(out + done, space, out_pos);
        free(window);
        free(space);
        at += in_pos;
        done += out_pos;
        if (rc) return rc;
        if (!in_pos && !out_pos) break;
    }
    MUST(s.in_total == at);
    MUST(s.out_total == done);
    return lzf_stream_end(&s, fault);
}

static void round_trip(const uint8_t *plain, size_t n, int all_steps)
{
    static const size_t steps[] = {1, 2, 3, 7, 8, 31, 64, 4096, 1 << 20};
    uint8_t *packed = malloc(2 * n + 64), *out = malloc(n + 1);
    unsigned clen;
    ck_assert(packed && out);
    clen = lzf_compress(plain, (unsigned)n, packed, (unsigned)(2 * n + 64));
    ck_assert_uint_gt(clen, 0);
    ck_assert(lzf_plausible(clen, n));
    ck_assert_int_eq(whole(packed, clen, plain, n, NULL), RSP_OK);
    ck_assert_int_eq(whole(packed, clen, NULL, n - 1, NULL), RSP_EFORMAT);
    ck_assert_int_eq(whole(packed, clen, NULL, n + 1, NULL), RSP_EFORMAT);
    for (size_t i = all_steps ? 0 : 7; i < sizeof steps / sizeof *steps; i++)
        for (size_t k = all_steps ? 0 : 7; k < sizeof steps / sizeof *steps; k++) {
            memset(out, 0, n);
            ck_assert_int_eq(pieces(packed, clen, out, n, steps[i], steps[k], NULL), RSP_OK);
            ck_assert_mem_eq(out, plain, n);
        }
    free(packed);
    free(out);
}

/* kind 0: noise; others: ever longer repetition, at short and long distances. */
static void fill(uint8_t *p, size_t n, int kind)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t r = next_random();
        if (kind == 0 || i == 0) p[i] = (uint8_t)r;
        else if (kind <= 20) p[i] = r % 64 ? p[i < (size_t)kind ? 0 : i - (size_t)kind] : (uint8_t)r;
        else if (kind == 21) p[i] = (uint8_t)("ab"[r & 1]);
        else p[i] = r % 300 ? p[i < 8192 ? i / 2 : i - 8192] : (uint8_t)r;
    }
}

START_TEST(library_output)
{
    static const size_t lengths[] = {1, 2, 5, 20, 33, 64, 100, 297, 1000, 8191, 8193, 20000};
    uint8_t *plain = malloc(20000);
    ck_assert_ptr_nonnull(plain);
    for (int kind = 0; kind <= 22; kind++)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            fill(plain, lengths[i], kind);
            round_trip(plain, lengths[i], lengths[i] <= 1000);
        }
    free(plain);
}
END_TEST

START_TEST(zeros_and_long)
{
    size_t n = 1 << 20;
    uint8_t *plain = calloc(n, 1);
    ck_assert_ptr_nonnull(plain);
    round_trip(plain, n, 0);
    fill(plain, n, 22);
    round_trip(plain, n, 0);
    free(plain);
}
END_TEST

/* Every split of a short stream into two input windows and every split of its output. */
START_TEST(every_two_windows)
{
    uint8_t plain[600], packed[700], out[600];
    unsigned clen;
    for (int kind = 1; kind <= 21; kind += 4) {
        fill(plain, sizeof plain, kind);
        clen = lzf_compress(plain, sizeof plain, packed, sizeof packed);
        ck_assert_uint_gt(clen, 0);
        for (size_t a = 0; a <= clen; a++)
            for (size_t b = 0; b <= sizeof plain; b++) {
                struct lzf_stream s;
                size_t ip = 0, op = 0;
                lzf_stream_init(&s, sizeof plain);
                MUST(lzf_stream_step(&s, packed, a, &ip, out, b, &op, NULL) == RSP_OK);
                MUST(lzf_stream_step(&s, packed, clen, &ip, out, sizeof out, &op, NULL) == RSP_OK);
                MUST(lzf_stream_end(&s, NULL) == RSP_OK);
                MUST(ip == clen && op == sizeof plain);
                MUST(!memcmp(out, plain, sizeof plain));
            }
    }
}
END_TEST

/* Any token sequence, not only what a compressor writes: all distances and lengths. */
static size_t random_tokens(uint8_t *in, size_t in_cap, uint8_t *out, size_t out_cap, size_t *ulen)
{
    size_t n = 0, done = 0;
    while (n + 40 < in_cap && done + 300 < out_cap) {
        uint64_t r = next_random();
        if (done == 0 || r % 3 == 0) {
            size_t run = 1 + (r >> 8) % 32;
            in[n++] = (uint8_t)(run - 1);
            for (size_t i = 0; i < run; i++) in[n++] = out[done++] = (uint8_t)next_random();
        } else {
            size_t top = done < 8192 ? done : 8192, back = r % 2 && top > 20 ? 1 + (r >> 8) % 20 : 1 + (r >> 8) % top;
            size_t run = r % 5 ? 3 + (r >> 40) % 6 : 9 + (r >> 40) % 256;
            if (run < 9) {
                in[n++] = (uint8_t)((run - 2) << 5 | (back - 1) >> 8);
            } else {
                in[n++] = (uint8_t)(7 << 5 | (back - 1) >> 8);
                in[n++] = (uint8_t)(run - 9);
            }
            in[n++] = (uint8_t)(back - 1);
            for (size_t i = 0; i < run; i++, done++) out[done] = out[done - back];
        }
    }
    *ulen = done;
    return n;
}

START_TEST(every_kind_of_token)
{
    uint8_t *in = malloc(30000), *want = malloc(30000), *out = malloc(30001);
    ck_assert(in && want && out);
    for (int round = 0; round < 400; round++) {
        size_t ulen, cap = 400 + next_random() % 29000, n = random_tokens(in, cap, want, cap, &ulen);
        ck_assert_int_eq(whole(in, n, want, ulen, NULL), RSP_OK);
        ck_assert_int_eq(pieces(in, n, out, ulen, 1 + next_random() % 500, 1 + next_random() % 500, NULL), RSP_OK);
        ck_assert_mem_eq(out, want, ulen);
        ck_assert_uint_eq(lzf_decompress(in, (unsigned)n, out, (unsigned)ulen), ulen);
        ck_assert_mem_eq(out, want, ulen);
    }
    free(in);
    free(want);
    free(out);
}
END_TEST

/* Whole and in pieces agree on the status, the bytes, and the words and place of a fault. */
static int both(const uint8_t *in, size_t n, size_t ulen)
{
    struct blob_fault a = {0, NULL}, b = {0, NULL};
    uint8_t *out = malloc(ulen + 1);
    int rc = whole(in, n, NULL, ulen, &a), rc2;
    MUST(out);
    rc2 = pieces(in, n, out, ulen, 5, 9, &b);
    MUST(rc == rc2);
    if (rc) {
        MUST(!strcmp(a.reason, b.reason));
        MUST(a.offset == b.offset);
        MUST(a.offset <= n);
    } else {
        MUST(whole(in, n, out, ulen, NULL) == RSP_OK);
    }
    free(out);
    return rc;
}

START_TEST(hostile)
{
    uint8_t plain[700], packed[900], bytes[900], room[700];
    for (int kind = 0; kind <= 21; kind += 3) {
        unsigned clen;
        fill(plain, sizeof plain, kind);
        clen = lzf_compress(plain, sizeof plain, packed, sizeof packed);
        ck_assert_uint_gt(clen, 0);
        for (size_t cut = 0; cut < clen; cut++) MUST(both(packed, cut, sizeof plain) == RSP_EFORMAT);
        memcpy(bytes, packed, clen);
        for (size_t at = 0; at < clen; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                int ours, theirs;
                bytes[at] = packed[at] ^ (uint8_t)(1U << bit);
                ours = both(bytes, clen, sizeof plain);
                theirs = lzf_decompress(bytes, clen, room, sizeof room) == sizeof room;
                MUST((ours == RSP_OK) == theirs);
            }
            bytes[at] = packed[at];
        }
    }
}
END_TEST

static void fails(const void *in, size_t n, size_t ulen, size_t offset, const char *word)
{
    struct blob_fault fault = {0, ""};
    ck_assert_int_eq(whole(in, n, NULL, ulen, &fault), RSP_EFORMAT);
    ck_assert_msg(strstr(fault.reason, word) != NULL, "the reason is \"%s\"", fault.reason);
    ck_assert_uint_eq(fault.offset, offset);
    ck_assert_int_eq(both(in, n, ulen), RSP_EFORMAT);
}

START_TEST(faults)
{
    fails("", 0, 1, 0, "less");
    fails("\0a", 2, 0, 0, "more");
    fails("\x20\0", 2, 0, 0, "before the first");
    fails("\xff", 1, 0, 1, "inside a token");
    fails("\0a", 2, 2, 2, "less");
    fails("\1a", 2, 2, 2, "inside a token");
    fails("\0a\x20", 3, 4, 3, "inside a token");
    fails("\0a\xe0", 3, 10, 3, "inside a token");
    fails("\0a\xe0\0", 4, 10, 4, "inside a token");
    fails("\0a\x20\1", 4, 4, 2, "before the first");
    fails("\x20\0", 2, 3, 0, "before the first");
    fails("\0a\x20\0", 4, 3, 2, "more");
    fails("\0a\xe0\0\0", 5, 9, 2, "more");
    fails("\0a\0b", 4, 1, 2, "more");
    ck_assert_int_eq(both((const uint8_t *)"\0a\x20\0", 4, 4), RSP_OK);
    ck_assert_int_eq(both((const uint8_t *)"\0a\xe0\0\0", 5, 10), RSP_OK);
    ck_assert_int_eq(both((const uint8_t *)"\0a\xe0\xff\0", 5, 265), RSP_OK);
    ck_assert_int_eq(both((const uint8_t *)"", 0, 0), RSP_OK);
}
END_TEST

/* A long match that ends at or just before the end of the output while plenty of input is left:
 * the wide copies must not reach past the end. */
START_TEST(surplus_input)
{
    uint8_t in[160];
    for (size_t distance = 1; distance <= 32; distance++)
        for (size_t n = 40; n < 60; n++)
            for (size_t slack = 0; slack < 20; slack++) {
                memset(in, 'a', sizeof in);
                in[0] = 31;
                in[33] = 0xe0, in[34] = (uint8_t)(n - 9), in[35] = (uint8_t)(distance - 1);
                in[36] = 31; /* 32 literals that do not fit */
                MUST(both(in, sizeof in, 32 + n + slack) == RSP_EFORMAT);
            }
}
END_TEST

START_TEST(plausible)
{
    ck_assert(lzf_plausible(0, 0));
    ck_assert(!lzf_plausible(0, 1));
    ck_assert(!lzf_plausible(1, 0));
    ck_assert(lzf_plausible(3, 264));
    ck_assert(!lzf_plausible(3, 265));
    ck_assert(lzf_plausible(100, 8800));
    ck_assert(!lzf_plausible(100, 8801));
    ck_assert(lzf_plausible(UINT64_MAX, UINT64_MAX));
    ck_assert(!lzf_plausible(16, UINT64_MAX));
    ck_assert(lzf_plausible(UINT64_MAX, 1));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {library_output, zeros_and_long, every_two_windows, every_kind_of_token,
                                  hostile,        faults,         surplus_input,     plausible};
    return run_tests("lzf", tests, sizeof tests / sizeof *tests);
}
