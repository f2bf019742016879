/* What this is: SipHash-2-4 with 64 or 128 bits of output, in one go or in pieces.
 * Rests on: bytes.h.
 * Does not: serve as a signature: it finds accidents and spreads hash tables. */
#ifndef BASE_SIP_H
#define BASE_SIP_H

#include <stddef.h>
#include <stdint.h>

struct sip {
    uint64_t v[4], tail;
    uint64_t n; /* bytes so far */
    int wide;
};
struct sip128 {
    uint64_t lo, hi;
};

void sip_init(struct sip *s, const uint8_t key[16], int wide);
void sip_add(struct sip *s, const void *p, size_t n);
uint64_t sip_end64(struct sip *s);
struct sip128 sip_end128(struct sip *s);
uint64_t sip64(const uint8_t key[16], const void *p, size_t n);
struct sip128 sip128_of(const uint8_t key[16], const void *p, size_t n);

/* As many messages at once, which wide registers make cheaper than one by one. Message i stands at p + i * stride,
 * padded as SipHash does: whole words, the length in the last one's top byte. All have that number of words, and fewer than 256 bytes. */
#define SIP_LANES 8
void sip128_lanes(const uint8_t key[16], const uint8_t *p, size_t stride, size_t words, struct sip128 out[SIP_LANES]);

#endif
