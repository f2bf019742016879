/* What this is: the rounds of SipHash-2-4, over numbers or over vectors of them.
 * Rests on: nothing.
 * Does not: concern anything but sip.c and sip_lanes.c. */
#ifndef BASE_SIP_ROUND_H
#define BASE_SIP_ROUND_H

#include <stdint.h>

#define SIP_ROTL(x, b) ((x) << (b) | (x) >> (64 - (b)))
#define SIP_ROUND(v0, v1, v2, v3)                         \
    do {                                                  \
        (v0) += (v1), (v2) += (v3);                       \
        (v1) = SIP_ROTL(v1, 13), (v3) = SIP_ROTL(v3, 16); \
        (v1) ^= (v0), (v3) ^= (v2);                       \
        (v0) = SIP_ROTL(v0, 32);                          \
        (v2) += (v1), (v0) += (v3);                       \
        (v1) = SIP_ROTL(v1, 17), (v3) = SIP_ROTL(v3, 21); \
        (v1) ^= (v2), (v3) ^= (v0);                       \
        (v2) = SIP_ROTL(v2, 32);                          \
    } while (0)
#define SIP_ABSORB(v0, v1, v2, v3, m) \
    do {                              \
        (v3) ^= (m);                  \
        SIP_ROUND(v0, v1, v2, v3);    \
        SIP_ROUND(v0, v1, v2, v3);    \
        (v0) ^= (m);                  \
    } while (0)
#define SIP_FINAL(v0, v1, v2, v3)  \
    do {                           \
        SIP_ROUND(v0, v1, v2, v3); \
        SIP_ROUND(v0, v1, v2, v3); \
        SIP_ROUND(v0, v1, v2, v3); \
        SIP_ROUND(v0, v1, v2, v3); \
    } while (0)

#define SIP_START_0 ((uint64_t)0x736f6d6570736575)
#define SIP_START_1 ((uint64_t)0x646f72616e646f6d)
#define SIP_START_2 ((uint64_t)0x6c7967656e657261)
#define SIP_START_3 ((uint64_t)0x7465646279746573)

#endif
