/* What this is: SipHash-2-4-128 of several messages side by side, in the widest registers that the processor has.
 * Rests on: sip_round.h; vector types of the compiler.
 * Does not: need such registers: without them the messages are hashed one by one. */
#include "base/bytes.h"
#include "base/sip.h"
#include "base/sip_round.h"

/* Hashes messages from `first` on in vectors of `type`; WORD(j) makes one of word j of each. */
#define HASH_VECTOR(type, first)                              \
    do {                                                      \
        const uint8_t *at = p + (first)*stride;               \
        type v0 = zero ^ (k0 ^ SIP_START_0);                  \
        type v1 = zero ^ (k1 ^ SIP_START_1 ^ (uint64_t)0xee); \
        type v2 = zero ^ (k0 ^ SIP_START_2);                  \
        type v3 = zero ^ (k1 ^ SIP_START_3);                  \
        type low;                                             \
        for (size_t j = 0; j < words; j++, at += 8) {         \
            type m = WORD(at);                                \
            SIP_ABSORB(v0, v1, v2, v3, m);                    \
        }                                                     \
        v2 ^= (uint64_t)0xee;                                 \
        SIP_FINAL(v0, v1, v2, v3);                            \
        low = v0 ^ v1 ^ v2 ^ v3;                              \
        v1 ^= (uint64_t)0xdd;                                 \
        SIP_FINAL(v0, v1, v2, v3);                            \
        v0 ^= v1 ^ v2 ^ v3;                                   \
        for (size_t i = 0; i < sizeof(type) / 8; i++) {       \
            out[(first) + i].lo = low[i];                     \
            out[(first) + i].hi = v0[i];                      \
        }                                                     \
    } while (0)

#if defined __x86_64__ && defined __GNUC__

typedef uint64_t vector8 __attribute__((vector_size(64)));
typedef uint64_t vector4 __attribute__((vector_size(32)));

__attribute__((target("avx512f"))) static void lanes_512(const uint8_t key[16], const uint8_t *p, size_t stride,
                                                         size_t words, struct sip128 *out)
{
    const vector8 zero = {0, 0, 0, 0, 0, 0, 0, 0};
    uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
#define WORD(q)                   \
    {load_le64(q),                \
     load_le64((q) + stride),     \
     load_le64((q) + 2 * stride), \
     load_le64((q) + 3 * stride), \
     load_le64((q) + 4 * stride), \
     load_le64((q) + 5 * stride), \
     load_le64((q) + 6 * stride), \
     load_le64((q) + 7 * stride)}
    HASH_VECTOR(vector8, 0);
#undef WORD
}

__attribute__((target("avx2"))) static void lanes_256(const uint8_t key[16], const uint8_t *p, size_t stride,
                                                      size_t words, struct sip128 *out)
{
    const vector4 zero = {0, 0, 0, 0};
    uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
#define WORD(q) {load_le64(q), load_le64((q) + stride), load_le64((q) + 2 * stride), load_le64((q) + 3 * stride)}
    HASH_VECTOR(vector4, 0);
    HASH_VECTOR(vector4, 4);
#undef WORD
}

static int wide(const uint8_t key[16], const uint8_t *p, size_t stride, size_t words, struct sip128 *out)
{
    if (__builtin_cpu_supports("avx512f")) lanes_512(key, p, stride, words, out);
    else if (__builtin_cpu_supports("avx2")) lanes_256(key, p, stride, words, out);
    else return 0;
    return 1;
}

#else

static int wide(const uint8_t key[16], const uint8_t *p, size_t stride, size_t words, struct sip128 *out)
{
    (void)key, (void)p, (void)stride, (void)words, (void)out;
    return 0;
}

#endif

void sip128_lanes(const uint8_t key[16], const uint8_t *p, size_t stride, size_t words, struct sip128 out[SIP_LANES])
{
    if (wide(key, p, stride, words, out)) return;
    for (size_t i = 0; i < SIP_LANES; i++, p += stride) {
        uint64_t last = load_le64(p + 8 * (words - 1));
        out[i] = sip128_of(key, p, 8 * (words - 1) + (size_t)(last >> 56 & 7));
    }
}
