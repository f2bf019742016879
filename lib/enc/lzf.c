/* What this is: inflating LZF, whole (with wide copies where both ends leave room) and in pieces.
 * Rests on: lzf.h.
 * Does not: allocate; a fault's offset is the token's first byte, or the end of the input when
 *   that is what came too early. */
#include "enc/lzf.h"

#include <string.h>

#define MAX_LITERALS 32
#define FAST_IN (1 + MAX_LITERALS) /* a token's head and the widest literal copy */
#define FAST_OUT MAX_LITERALS      /* the widest store of a short token */
#define LONG_SLACK 16              /* what the copy of a long match may write too much */

static const char too_early[] = "the compressed bytes end inside a token";
static const char too_much[] = "more comes out than the length says";
static const char too_little[] = "less comes out than the length says";
static const char too_far[] = "a reference to before the first byte";

static int bad(struct blob_fault *fault, uint64_t offset, const char *reason)
{
    if (fault) {
        fault->offset = (size_t)offset;
        fault->reason = reason;
    }
    return RSP_EFORMAT;
}

int lzf_plausible(uint64_t clen, uint64_t ulen)
{
    if (clen == 0 || ulen == 0) return clen == ulen;
    return (ulen - 1) / 88 < clen;
}

static inline void copy8(uint8_t *to, const uint8_t *from)
{
    uint64_t w;
    memcpy(&w, from, 8);
    memcpy(to, &w, 8);
}

static inline void copy16(uint8_t *to, const uint8_t *from)
{
    struct {
        uint64_t a, b;
    } w;
    memcpy(&w, from, 16);
    memcpy(to, &w, 16);
}

/* Copies n bytes from distance back; may write up to LONG_SLACK bytes behind them. */
static inline void copy_match(uint8_t *op, size_t distance, size_t n)
{
    /* The least multiple of a short distance that is 8 or more: the same bytes repeat there. */
    static const uint8_t multiple[8] = {0, 0, 8, 9, 8, 10, 12, 14};
    uint8_t *end = op + n;
    if (distance >= 16) {
        do {
            copy16(op, op - distance);
            op += 16;
        } while (op < end);
        return;
    }
    if (distance == 1) {
        memset(op, op[-1], n);
        return;
    }
    if (distance < 8) {
        for (size_t i = 0; i < 8; i++) op[i] = *(op + i - distance);
        op += 8;
        distance = multiple[distance];
    }
    for (; op < end; op += 8) copy8(op, op - distance);
}

/* One token with every bound checked and not a byte written too much. */
static int careful_token(const uint8_t **in, const uint8_t *ie, const uint8_t *start, uint8_t **out,
                         const uint8_t *first, const uint8_t *oe, struct blob_fault *fault)
{
    const uint8_t *ip = *in;
    uint8_t *op = *out;
    size_t token = (size_t)(ip - start), whole = (size_t)(ie - start);
    size_t n = *ip++, distance;
    if (n < MAX_LITERALS) {
        n++;
        if (n > (size_t)(oe - op)) return bad(fault, token, too_much);
        if (n > (size_t)(ie - ip)) return bad(fault, whole, too_early);
        memcpy(op, ip, n);
        *in = ip + n;
        *out = op + n;
        return RSP_OK;
    }
    distance = (n & 31) << 8;
    n = (n >> 5) + 2;
    if (n == 9) {
        if (ip == ie) return bad(fault, whole, too_early);
        n += *ip++;
    }
    if (ip == ie) return bad(fault, whole, too_early);
    distance += 1 + (size_t)*ip++;
    if (distance > (size_t)(op - first)) return bad(fault, token, too_far);
    if (n > (size_t)(oe - op)) return bad(fault, token, too_much);
    *in = ip;
    *out = op + n;
    if (distance >= n) {
        memcpy(op, op - distance, n);
    } else if (distance == 1) {
        memset(op, op[-1], n);
    } else {
        for (; n; n--, op++) *op = *(op - distance);
    }
    return RSP_OK;
}

int lzf_inflate(struct rsp_span in, uint8_t *out, size_t ulen, struct blob_fault *fault)
{
    const uint8_t *ip = in.p, *ie;
    uint8_t *op, *oe, none;
    if (in.n == 0) return ulen ? bad(fault, 0, too_little) : RSP_OK;
    if (ulen == 0) out = &none; /* it may be NULL then */
    op = out;
    ie = ip + in.n;
    oe = out + ulen;
    while (ip < ie) {
        while (ie - ip >= FAST_IN && oe - op >= FAST_OUT) {
            size_t n = *ip, distance;
            if (n < MAX_LITERALS) {
                copy16(op, ip + 1);
                copy16(op + 16, ip + 17);
                ip += n + 2;
                op += n + 1;
                continue;
            }
            distance = (n & 31) << 8;
            n >>= 5;
            if (n < 7) {
                distance += 1 + (size_t)ip[1];
                if (distance > (size_t)(op - out)) break;
                ip += 2;
                if (distance >= 8) copy8(op, op - distance);
                else
                    for (size_t i = 0; i < 8; i++) op[i] = *(op + i - distance);
                op += n + 2;
                continue;
            }
            n += 2 + (size_t)ip[1];
            distance += 1 + (size_t)ip[2];
            if (distance > (size_t)(op - out) || n + LONG_SLACK > (size_t)(oe - op)) break;
            ip += 3;
            copy_match(op, distance, n);
            op += n;
        }
        if (ip < ie) {
            int rc = careful_token(&ip, ie, in.p, &op, out, oe, fault);
            if (rc) return rc;
        }
    }
    return op == oe ? RSP_OK : bad(fault, in.n, too_little);
}

void lzf_stream_init(struct lzf_stream *s, uint64_t ulen)
{
    memset(s, 0, sizeof *s);
    s->ulen = ulen;
}

/* Takes head bytes until the token's length and distance are known: RSP_OK, RSP_AGAIN when the
 * input ended before, RSP_EFORMAT. */
static int stream_head(struct lzf_stream *s, const uint8_t *in, size_t in_n, size_t *in_pos, struct blob_fault *fault)
{
    for (;;) {
        uint32_t n, need;
        if (s->have_n) {
            n = s->have[0];
            need = n < MAX_LITERALS ? 1 : n >> 5 < 7 ? 2 : 3;
            if (s->have_n == need) break;
        }
        if (*in_pos == in_n) return RSP_AGAIN;
        s->have[s->have_n++] = in[(*in_pos)++];
        s->in_total++;
    }
    s->run = s->have[0];
    s->offset = 0;
    if (s->run < MAX_LITERALS) {
        s->run++;
    } else {
        s->offset = (s->run & 31) << 8;
        s->run = (s->run >> 5) + 2;
        if (s->run == 9) s->run += s->have[1];
        s->offset += 1U + s->have[s->have_n - 1];
    }
    if (s->offset > s->out_total || s->run > s->ulen - s->out_total) {
        s->run = 0; /* the head stays, so that every later call meets the same fault */
        return bad(fault, s->in_total - s->have_n, s->offset > s->out_total ? too_far : too_much);
    }
    s->have_n = 0;
    return RSP_OK;
}

int lzf_stream_step(struct lzf_stream *s, const uint8_t *in, size_t in_n, size_t *in_pos, uint8_t *out, size_t out_n,
                    size_t *out_pos, struct blob_fault *fault)
{
    for (;;) {
        size_t chunk, to = (size_t)(s->out_total % LZF_HISTORY);
        if (!s->run) {
            int rc = stream_head(s, in, in_n, in_pos, fault);
            if (rc) return rc == RSP_AGAIN ? RSP_OK : rc;
        }
        chunk = s->run;
        if (chunk > out_n - *out_pos) chunk = out_n - *out_pos;
        if (chunk > LZF_HISTORY - to) chunk = LZF_HISTORY - to;
        if (s->offset) {
            size_t from = (size_t)((s->out_total - s->offset) % LZF_HISTORY);
            if (chunk > s->offset) chunk = s->offset;
            if (chunk > LZF_HISTORY - from) chunk = LZF_HISTORY - from;
            if (!chunk) return RSP_OK;
            memcpy(out + *out_pos, s->history + from, chunk);
        } else {
            if (chunk > in_n - *in_pos) chunk = in_n - *in_pos;
            if (!chunk) return RSP_OK;
            memcpy(out + *out_pos, in + *in_pos, chunk);
            *in_pos += chunk;
            s->in_total += chunk;
        }
        memcpy(s->history + to, out + *out_pos, chunk);
        *out_pos += chunk;
        s->out_total += chunk;
        s->run -= (uint32_t)chunk;
    }
}

int lzf_stream_end(const struct lzf_stream *s, struct blob_fault *fault)
{
    if (s->run || s->have_n) return bad(fault, s->in_total, too_early);
    if (s->out_total != s->ulen) return bad(fault, s->in_total, too_little);
    return RSP_OK;
}
