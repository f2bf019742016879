/* What this is: the cluster slot of a key.
 * Rests on: respite/sys/filter.h.
 * Does not: know any cluster. */
#include <string.h>

#include <respite/sys/filter.h>

/* CRC16 with polynomial 0x1021, start 0, not reflected, by half bytes. */
static const uint16_t crc_nibble[16] = {
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
    0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
};

static unsigned crc16(const uint8_t *p, size_t n)
{
    unsigned crc = 0;
    for (size_t i = 0; i < n; i++) {
        crc = ((crc << 4) ^ crc_nibble[((crc >> 12) ^ (p[i] >> 4)) & 15]) & 0xffff;
        crc = ((crc << 4) ^ crc_nibble[((crc >> 12) ^ p[i]) & 15]) & 0xffff;
    }
    return crc;
}

unsigned rsp_key_slot(struct rsp_span key)
{
    const uint8_t *open = key.n ? memchr(key.p, '{', key.n) : NULL;
    if (open) {
        size_t rest = key.n - (size_t)(open + 1 - key.p);
        const uint8_t *close = rest ? memchr(open + 1, '}', rest) : NULL;
        if (close && close > open + 1) {
            key.p = open + 1;
            key.n = (size_t)(close - key.p);
        }
    }
    return crc16(key.p, key.n) & 16383;
}
