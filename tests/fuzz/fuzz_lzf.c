/* What this is: the fuzz target of LZF: inflating whole and in pieces must agree in all.
 * Rests on: fuzz.h, enc/lzf.h.
 * Does not: compress. Input: u16le of the claimed length, two bytes of window sizes, the stream. */
#include "fuzz.h"

#include "enc/lzf.h"

#define HEAD 4

static int in_pieces(const uint8_t *in, size_t n, uint8_t *out, size_t ulen, size_t in_step, size_t out_step,
                     struct blob_fault *fault)
{
    struct lzf_stream s;
    size_t at = 0, done = 0;
    lzf_stream_init(&s, ulen);
    for (;;) {
        size_t given = n - at < in_step ? n - at : in_step;
        size_t room = ulen - done < out_step ? ulen - done : out_step;
        size_t in_pos = 0, out_pos = 0;
        int rc = lzf_stream_step(&s, in + at, given, &in_pos, out + done, room, &out_pos, fault);
        MUST(in_pos <= given && out_pos <= room);
        at += in_pos;
        done += out_pos;
        if (rc) return rc;
        if (!in_pos && !out_pos) return lzf_stream_end(&s, fault);
    }
}

static int agree(const uint8_t *in, size_t n, size_t ulen, size_t in_step, size_t out_step)
{
    struct blob_fault a = {0, NULL}, b = {0, NULL};
    uint8_t *whole = malloc(ulen ? ulen : 1), *pieces = malloc(ulen ? ulen : 1);
    int rc, rc2;
    MUST(whole && pieces);
    rc = lzf_inflate((struct rsp_span){in, n}, whole, ulen, &a);
    rc2 = in_pieces(in, n, pieces, ulen, in_step, out_step, &b);
    MUST(rc == RSP_OK || rc == RSP_EFORMAT);
    MUST(rc == rc2);
    if (rc) {
        MUST(a.reason && b.reason && !strcmp(a.reason, b.reason));
        MUST(a.offset == b.offset && a.offset <= n);
    } else {
        MUST(!memcmp(whole, pieces, ulen));
        MUST(lzf_plausible(n, ulen));
    }
    free(whole);
    free(pieces);
    return rc;
}

/* The length that the stream does give, as far as its tokens' heads say. */
static size_t true_length(const uint8_t *p, size_t n)
{
    size_t total = 0, at = 0;
    while (at < n && total < 1U << 20) {
        size_t c = p[at++];
        if (c < 32) {
            at += c + 1;
            total += c + 1;
            continue;
        }
        total += (c >> 5) + 2;
        if (c >> 5 == 7 && at < n) total += p[at++];
        at++;
    }
    return total;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t ulen, in_step, out_step;
    if (n < HEAD) return 0;
    ulen = load_le16(data);
    in_step = 1U + data[2];
    out_step = 1U + data[3];
    agree(data + HEAD, n - HEAD, ulen, in_step, out_step);
    agree(data + HEAD, n - HEAD, true_length(data + HEAD, n - HEAD), in_step, out_step);
    return 0;
}
