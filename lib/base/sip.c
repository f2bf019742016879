/* What this is: SipHash-2-4, streaming and in one go.
 * Rests on: sip.h, sip_round.h, bytes.h.
 * Does not: allocate. */
#include "base/sip.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sip_round.h"

static inline void start(uint64_t v[4], const uint8_t key[16], int wide)
{
    uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
    v[0] = k0 ^ SIP_START_0;
    v[1] = k1 ^ SIP_START_1 ^ (wide ? 0xee : 0);
    v[2] = k0 ^ SIP_START_2;
    v[3] = k1 ^ SIP_START_3;
}

/* The bytes of p (fewer than 8) as the low end of a word. */
static inline uint64_t load_tail(const uint8_t *p, size_t n)
{
    if (n >= 4) { /* two loads that overlap */
        uint64_t low = load_le32(p), high = load_le32(p + n - 4);
        return low | high << (8 * (n - 4));
    }
    if (n == 0) return 0;
    return (uint64_t)p[0] | (uint64_t)p[n / 2] << (8 * (n / 2)) | (uint64_t)p[n - 1] << (8 * (n - 1));
}

/* last: the tail with the length in its top byte. */
static inline struct sip128 finish(const uint64_t v[4], uint64_t last, int wide)
{
    uint64_t v0 = v[0], v1 = v[1], v2 = v[2], v3 = v[3];
    struct sip128 h = {0, 0};
    SIP_ABSORB(v0, v1, v2, v3, last);
    v2 ^= wide ? 0xee : 0xff;
    SIP_FINAL(v0, v1, v2, v3);
    h.lo = v0 ^ v1 ^ v2 ^ v3;
    if (!wide) return h;
    v1 ^= 0xdd;
    SIP_FINAL(v0, v1, v2, v3);
    h.hi = v0 ^ v1 ^ v2 ^ v3;
    return h;
}

static inline struct sip128 one_shot(const uint8_t key[16], const uint8_t *p, size_t n, int wide)
{
    uint64_t v[4];
    size_t left = n;
    start(v, key, wide);
    for (; left >= 8; p += 8, left -= 8) {
        uint64_t m = load_le64(p);
        SIP_ABSORB(v[0], v[1], v[2], v[3], m);
    }
    return finish(v, load_tail(p, left) | (uint64_t)n << 56, wide);
}

uint64_t sip64(const uint8_t key[16], const void *p, size_t n)
{
    return one_shot(key, p, n, 0).lo;
}

struct sip128 sip128_of(const uint8_t key[16], const void *p, size_t n)
{
    return one_shot(key, p, n, 1);
}

void sip_init(struct sip *s, const uint8_t key[16], int wide)
{
    start(s->v, key, wide);
    s->tail = 0;
    s->n = 0;
    s->wide = wide;
}

void sip_add(struct sip *s, const void *data, size_t n)
{
    const uint8_t *p = data;
    size_t have = s->n & 7;
    uint64_t v0 = s->v[0], v1 = s->v[1], v2 = s->v[2], v3 = s->v[3];
    s->n += n;
    if (have) {
        for (; n && have < 8; n--) s->tail |= (uint64_t)*p++ << (8 * have++);
        if (have < 8) return;
        SIP_ABSORB(v0, v1, v2, v3, s->tail);
    }
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t m = load_le64(p);
        SIP_ABSORB(v0, v1, v2, v3, m);
    }
    s->v[0] = v0, s->v[1] = v1, s->v[2] = v2, s->v[3] = v3;
    s->tail = load_tail(p, n);
}

uint64_t sip_end64(struct sip *s)
{
    return finish(s->v, s->tail | s->n << 56, 0).lo;
}

struct sip128 sip_end128(struct sip *s)
{
    return finish(s->v, s->tail | s->n << 56, 1);
}
