/* What this is: the fuzz target of compressed files: the first byte chooses how the bytes arrive, the rest is a
 *   file whose magic decides (zstd, gzip, lz4, VCS, or none of them).
 * Rests on: fuzz.h, rdb_drive.h.
 * Does not: read what comes out as RDB (fuzz_rdb.c does). */
#include "fuzz.h"

#include <respite/source.h>

#include "base/crc64.h"
#include "rdb_drive.h"

#define MOST (8u << 20) /* of output: a bomb is not followed to its end */

struct drained {
    int status;
    uint64_t sum, n;
};

static struct drained drain(const uint8_t *p, size_t n, uint8_t how)
{
    static uint8_t out[65536];
    struct rsp_error error;
    struct meter m = {.ceiling = 256 << 20};
    struct rsp_env env = meter_env(&m, &error);
    struct drip d = {p, n, 0, how & 0x7f ? how & 0x7f : 1 << 20, how >> 7, 0, 0};
    struct drained r = {RSP_AGAIN, 0, 0};
    struct rsp_source *inner, *s = NULL;
    const char *codec = NULL;
    memset(&error, 0, sizeof error);
    inner = drip_source(&env, &d);
    MUST(inner);
    while (r.status == RSP_AGAIN) r.status = rsp_source_detect(&env, inner, &s, &codec);
    if (r.status) {
        rsp_source_free(inner);
        MUST(r.status < 0 && error.code == r.status && !m.alive);
        return r;
    }
    MUST(codec);
    while ((r.status == RSP_OK || r.status == RSP_AGAIN) && r.n < MOST) {
        size_t got = 0;
        r.status = rsp_source_read(s, out, sizeof out, &got);
        MUST(r.status == RSP_OK ? got > 0 && got <= sizeof out : got == 0);
        r.sum = crc64(r.sum, out, got);
        r.n += got;
    }
    MUST(r.status >= 0 || (error.code == r.status && error.message[0]));
    rsp_source_free(s);
    MUST(!m.alive && !m.wrong_sizes);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct drained whole, drip;
    if (n < 2) return 0;
    whole = drain(data + 1, n - 1, 0);
    if (whole.n >= MOST) return 0;
    drip = drain(data + 1, n - 1, data[0]);
    /* Which of two faults a decompressor meets first may follow the arrival; whether there is one may not. */
    MUST(whole.status == drip.status || (whole.status < 0 && drip.status < 0));
    MUST(whole.status < 0 || (whole.n == drip.n && whole.sum == drip.sum));
    return 0;
}
